package search_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"qingfu/search"
)

// The regions carry their pinyin from a source of its own.
func TestSyllablesOfRegions(t *testing.T) {
	const lane = "632322101202" // 巷道村: hang dao is a mine's gallery, xiang dao a lane
	for _, reg := range theWorld().regions.All() {
		var got []string
		for _, run := range search.Runs(search.Normalize(reg.Names.Zh)) {
			got = append(got, search.Syllables(run.Text)...)
		}
		want := strings.ReplaceAll(reg.Pinyin, "ü", "v")
		if s := strings.Join(got, " "); s != want && reg.Code != lane {
			t.Errorf("%s %s: %s, want %s", reg.Code, reg.Names.Zh, s, want)
		}
	}
}

func TestSyllables(t *testing.T) {
	for han, want := range map[string]string{
		"西藏":       "xi zang",
		"收藏":       "shou cang",
		"长江":       "chang jiang",
		"家长学校":     "jia zhang xue xiao",
		"银行业":      "yin hang ye",
		"称多县":      "chen duo xian",
		"绿旅女":      "lv lv nv",
		"都兰":       "du lan",
		"重阳":       "chong yang",
		"":         "",
		"青a海":      "qing  hai",
		"\xe9\x9d": " ",
	} {
		if got := strings.Join(search.Syllables(han), " "); got != want {
			t.Errorf("Syllables(%q) = %q, want %q", han, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	if got := search.Initials([]string{"hu", "", "jia", "zheng"}); got != "h?jz" {
		t.Errorf("got %q", got)
	}
}

func TestSplitPinyin(t *testing.T) {
	for _, tt := range []struct {
		letters string
		partial bool
		want    []string // must be among the ways, syllables joined by spaces
		first   string
	}{
		{"xian", false, []string{"xian", "xi an"}, "xian"},
		{"jingangsi", false, []string{"jin gang si", "jing ang si"}, ""},
		{"huzhujiazheng", false, nil, "hu zhu jia zheng"},
		{"jiazh", true, nil, "jia zh"},
		{"j", true, nil, "j"},
		{"lvyou", false, nil, "lv you"},
	} {
		var got []string
		for _, split := range search.SplitPinyin(tt.letters, tt.partial) {
			got = append(got, strings.Join(split, " "))
		}
		for _, w := range tt.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q is not in %q", tt.letters, w, got)
			}
		}
		if tt.first != "" && (len(got) == 0 || got[0] != tt.first) {
			t.Errorf("%s: %q, want %q first", tt.letters, got, tt.first)
		}
	}
	for _, letters := range []string{"", "jiazh", "hzjz", "v", "xyz", "青海", "a b"} {
		if got := search.SplitPinyin(letters, false); letters != "" && got != nil {
			t.Errorf("%q is no pinyin: %q", letters, got)
		}
	}
}

// Whatever is split joins again, in at most 8 ways, all different, the shortest
// first, and no text takes long.
func TestSplitPinyinLaws(t *testing.T) {
	check := func(t *rapid.T, letters string, partial bool) {
		splits := search.SplitPinyin(letters, partial)
		if len(splits) > 8 {
			t.Fatalf("%d ways", len(splits))
		}
		for i, split := range splits {
			if strings.Join(split, "") != letters {
				t.Fatalf("%q became %q", letters, split)
			}
			for k, syllable := range split {
				if !slices.Contains(search.Completions(syllable), syllable) && !(partial && k == len(split)-1 && len(search.Completions(syllable)) > 0) {
					t.Fatalf("%q is no syllable of %q", syllable, letters)
				}
			}
			if i > 0 && len(split) < len(splits[i-1]) {
				t.Fatalf("%q comes before %q", splits[i-1], split)
			}
			for _, other := range splits[:i] {
				if slices.Equal(split, other) {
					t.Fatalf("%q twice", split)
				}
			}
		}
	}
	syllables := search.Completions("x")
	syllables = append(syllables, "a", "an", "ang", "e", "en", "er", "gu", "na", "ni", "shi", "zhuang")
	slices.Sort(syllables)
	rapid.Check(t, func(t *rapid.T) {
		spelt := strings.Join(rapid.SliceOfN(rapid.SampledFrom(syllables), 1, 12).Draw(t, "syllables"), "")
		if len(search.SplitPinyin(spelt, false)) == 0 {
			t.Fatalf("%q is not split", spelt)
		}
		partial := rapid.Bool().Draw(t, "partial")
		check(t, spelt, partial)
		check(t, rapid.StringMatching(`[a-z]{0,20}`).Draw(t, "letters"), partial)
		check(t, strings.Repeat("an", 50)+"v", partial)
	})
}

func TestCompletions(t *testing.T) {
	got := slices.Sorted(slices.Values(search.Completions("zhu")))
	if want := []string{"zhu", "zhua", "zhuai", "zhuan", "zhuang", "zhui", "zhun", "zhuo"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, none := range []string{"i", "u", "v", "zhz", "青"} {
		if got := search.Completions(none); len(got) > 0 {
			t.Errorf("%q: %q", none, got)
		}
	}
}

// Names stand in the order of a Chinese dictionary, letters among the hanzi.
func TestSortKey(t *testing.T) {
	want := []string{"24小时便利店", "阿兰养老院", "安宁家政", "安寧家政", "Apple幼儿园", "保洁", "长城", "重阳", "互助", "湖珠", "湖珠家政", "鲁沙尔", "旅游", "西安", "先锋"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b string) int { return strings.Compare(search.SortKey(a), search.SortKey(b)) })
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
