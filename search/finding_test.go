package search_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
)

// A text finds names: those in found and none in missed.
var textRules = []struct {
	rule   string
	texts  []string
	found  []string
	missed []string
}{
	{"traditional and simplified", []string{"養老院", "养老院"}, []string{"安养老院", "安養老院"}, []string{"安托儿所"}},
	{"full and half width, case", []string{"ABC", "ａｂｃ", "abc", "Ａｂｃ"}, []string{"ABC店", "ａｂｃ店", "abc店"}, []string{"abd店"}},
	{"Tibetan tsheg", []string{"བོད་སྐད", "བོད༌སྐད", "བོད་སྐད།"}, []string{"བོད་སྐད་ཁང", "བོད༌སྐད༌ཁང"}, []string{"སྐད་བོད", "བོད་"}},
	{"Tibetan, unfinished", []string{"བོད་སྐ"}, []string{"བོད་སྐད་ཁང"}, []string{"བོད་"}},
	{"full pinyin", []string{"mingyuejiayuan", "MingYueJiaYuan", "ming yue jia yuan", "míngyuèjiāyuán"}, []string{"明月家园"}, []string{"明年家园"}},
	{"pinyin from any syllable", []string{"yuejiayuan", "jiayuan", "yuan"}, []string{"明月家园"}, []string{"明月"}},
	{"ambiguous pinyin", []string{"jingangsicun", "jin gang si cun"}, []string{"金刚寺村"}, []string{"金村"}},
	{"apostrophe", []string{"xi'an", "xi’an", "xian"}, []string{"西安店"}, []string{"西店"}},
	{"initials", []string{"myjy", "MYJY", "yjy"}, []string{"明月家园"}, []string{"明园"}},
	{"mixed", []string{"明月jy", "mingyuejy", "mingyue家园", "明yue家yuan"}, []string{"明月家园"}, []string{"明月", "家园"}},
	{"ü", []string{"nvhai", "nühai"}, []string{"女孩店"}, []string{"怒海店"}},
	{"unfinished pinyin", []string{"mingyueji", "mingyuejiay"}, []string{"明月家园"}, []string{"明月年"}},
	{"unfinished letters", []string{"hotel qai", "hotel qaidam"}, []string{"Hotel Qaidam"}, []string{"Hotel Gansu"}},
	{"only the last word is unfinished", []string{"hot qaidam"}, nil, []string{"Hotel Gansu"}},
	{"one typo from five letters", []string{"hotle", "hptel", "hoteel", "hote"}, []string{"Hotel Qaidam"}, nil},
	{"two typos from nine letters", []string{"resturantt", "restuarant", "restaurxxt", "restarxnt"}, []string{"Restaurant"}, nil},
	{"no typos below five letters", []string{"cxfe", "bak"}, nil, []string{"Cafe", "Bar"}},
	{"one typo in eight letters", []string{"hxspital", "hopsital", "hospitl"}, []string{"Hospital"}, nil},
	{"no two typos below nine letters", []string{"hxtxl", "hxspitxl"}, nil, []string{"Hotel Qaidam", "Hospital"}},
	{"synonyms", []string{"月嫂", "母婴护理", "yuesao", "muyinghuli"}, []string{"小红月嫂", "小红母婴护理"}, []string{"小红搬家"}},
	{"words in any order", []string{"家园 明月", "jiayuan mingyue"}, []string{"明月家园"}, []string{"明月"}},
	{"beyond the basic plane", []string{"𠀀𠀁"}, []string{"𠀀𠀁店"}, []string{"𠀀店"}},
	{"words that say nothing", []string{"我想找附近的月嫂", "哪里有月嫂吗"}, []string{"小红月嫂"}, []string{"小红搬家"}},
	{"more than ten words", []string{"明 月 家 园 明 月 家 园 明 月 家 园"}, []string{"明月家园"}, []string{"明年"}},
}

// names are what the rules look for.
var names = []string{
	"安养老院", "安養老院", "安托儿所", "ABC店", "ａｂｃ店", "abc店", "abd店",
	"明月家园", "明年家园", "明月", "家园", "明园", "明年", "明月年", "金刚寺村", "金村", "西安店", "西店", "女孩店", "怒海店",
	"Hotel Qaidam", "Hotel Gansu", "Restaurant", "Bar", "Cafe", "Hospital", "小红月嫂", "小红母婴护理", "小红搬家",
	"བོད་སྐད་ཁང", "བོད༌སྐད༌ཁང", "སྐད་བོད", "བོད་", "𠀀𠀁店", "𠀀店",
	"重阳家园", "阳光家长学校", "玉树称多站", "新华银行",
}

func TestTextRules(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		e := under.loaded(t, theWorld().named(names...))
		for _, tt := range textRules {
			for _, text := range tt.texts {
				got := idsOf(find(t, e, search.Query{Text: text}).Hits)
				for _, name := range tt.found {
					if !slices.Contains(got, name) {
						t.Errorf("%s: %q does not find %s but %q", tt.rule, text, name, got)
					}
				}
				for _, name := range tt.missed {
					if slices.Contains(got, name) {
						t.Errorf("%s: %q finds %s", tt.rule, text, name)
					}
				}
			}
		}
		for text, name := range map[string]string{
			"chongyangjiayuan": "重阳家园", "yangguangjiazhangxuexiao": "阳光家长学校", "yushuchenduozhan": "玉树称多站", "xinhuayinhang": "新华银行",
			"jiazhangxuexiao": "阳光家长学校", "jiazhang": "阳光家长学校", "chongyang": "重阳家园",
		} {
			if got := idsOf(find(t, e, search.Query{Text: text}).Hits); !slices.Equal(got, []string{name}) {
				t.Errorf("phrases: %q finds %q", text, got)
			}
		}
	})
}

// A text in which nothing can be looked for is no text.
func TestTextOfNothing(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		e := under.loaded(t, theWorld().named(names...))
		for _, text := range []string{"", "  　\t", "？！", "😀🎉", "'", "།"} {
			if got := find(t, e, search.Query{Text: text}).Total; got != len(names) {
				t.Errorf("%q finds %d", text, got)
			}
			if got, err := e.Suggest(t.Context(), search.SuggestQuery{Text: text, Limit: 10}); err != nil || len(got) != 0 {
				t.Errorf("%q suggests %v, %v", text, got, err)
			}
		}
		for _, text := range []string{"不存在的名字", "qqqqqqqq", "ཀཀཀ", "ᠮᠣ", "999"} {
			if got := find(t, e, search.Query{Text: text}); got.Total != 0 {
				t.Errorf("%q finds %q", text, idsOf(got.Hits))
			}
		}
	})
}

// When nothing has every word, those not in the lexicon are given up first, then
// places, then words of the field, each from the end.
func TestWordsGivenUp(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		e := under.loaded(t, theWorld().named("玉树的月嫂", "玉树的明月", "明月月嫂", "搬家明月", "格尔木搬家"))
		for text, want := range map[string][]string{
			"玉树月嫂":       {"玉树的月嫂"},
			"明月 玉树 月嫂":   {"玉树的月嫂"}, // the unknown word goes
			"玉树 搬家":      {"搬家明月", "格尔木搬家"},
			"格尔木 月嫂":     {"明月月嫂", "玉树的月嫂"},
			"月嫂 搬家":      {"明月月嫂", "玉树的月嫂"}, // the later of two words of the field
			"搬家 月嫂":      {"搬家明月", "格尔木搬家"},
			"没有听说过 月嫂":   {"明月月嫂", "玉树的月嫂"}, // a word that nothing has
			"yushu 搬家":   {"搬家明月", "格尔木搬家"},
			"明月 月嫂 玉树 家": {"玉树的月嫂"},
		} {
			got := idsOf(find(t, e, search.Query{Text: text}).Hits)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", text, got, want)
			}
		}
	})
}

// What somebody types off a sign finds it: every name finds its listing, and one
// of that name is on top.
func TestEveryNameFindsItself(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		normal := func(s string) string { return strings.ReplaceAll(search.Normalize(s), " ", "") }
		for i := 0; i < len(w.entries); i += 3 {
			name := w.entries[i].Names.Zh
			hits := find(t, e, search.Query{Text: name}).Hits
			if len(hits) == 0 {
				t.Errorf("%s does not find itself", name)
			} else if got := cardName(t, hits[0]); normal(got) != normal(name) {
				t.Errorf("%s: %s is on top", name, got)
			}
		}
	})
}

// Any stretch of a name finds it, in hanzi and in pinyin.
func TestStretchesFindNames(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		var names []string
		for _, x := range theWorld().entries {
			if !slices.Contains(names, x.Names.Zh) {
				names = append(names, x.Names.Zh)
			}
		}
		e := under.loaded(t, theWorld().named(names...))
		checkSome(t, 500, func(t *rapid.T) {
			name := rapid.SampledFrom(names).Draw(t, "name")
			run := rapid.SampledFrom(search.Runs(search.Normalize(name))).Draw(t, "run")
			chars := []rune(run.Text)
			if run.Script != search.Han || len(chars) < 2 {
				return
			}
			from := rapid.IntRange(0, len(chars)-2).Draw(t, "from")
			stretch := chars[from : from+rapid.IntRange(2, min(7, len(chars)-from)).Draw(t, "length")]
			spelt, oneByOne := strings.Join(search.Syllables(string(stretch)), ""), ""
			for _, c := range stretch {
				oneByOne += search.Syllables(string(c))[0]
			}
			texts := []string{string(stretch), spelt}
			if spelt != oneByOne { // a phrase that an engine may read in parts
				texts = texts[:1]
			}
			for _, text := range texts {
				if !slices.Contains(idsOf(findAll(t, e, search.Query{Text: text})), name) {
					t.Fatalf("%s does not find %s", text, name)
				}
			}
		})
	})
}

func cardName(t *testing.T, h search.Hit) string {
	_, rest, _ := strings.Cut(h.Card, `"name":"`)
	name, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("card %s", h.Card)
	}
	return name
}

func TestHighlights(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		for _, tt := range []struct{ rule, name, text, want string }{
			{"hanzi", "互助阿姨之家", "阿姨", "互助<mark>阿姨</mark>之家"},
			{"every place", "家政与家政", "家政", "<mark>家政</mark>与<mark>家政</mark>"},
			{"neighbours join", "互助家政", "互助家政", "<mark>互助家政</mark>"},
			{"synonyms", "小红母婴护理", "月嫂", "小红<mark>母婴护理</mark>"},
			{"traditional", "安養老院", "养老院", "安<mark>養老院</mark>"},
			{"full width", "ＡＢＣ店", "abc", "<mark>ＡＢＣ</mark>店"},
			{"escaped", "<b>&家政", "家政", "&lt;b&gt;&amp;<mark>家政</mark>"},
			{"escaped inside", "Tom & Jerry", "tom jerry", "<mark>Tom</mark> &amp; <mark>Jerry</mark>"},
			{"pinyin", "明月家园", "jiayuan", "明月<mark>家园</mark>"},
			{"long pinyin", "新明月家园店", "mingyuejiayuan", "新<mark>明月家园</mark>店"},
			{"unfinished pinyin", "明月家园", "mingyuej", "<mark>明月家</mark>园"},
			{"initials", "新明月家园", "myjy", "新<mark>明月家园</mark>"},
			{"a phrase", "重阳家园", "chongyang", "<mark>重阳</mark>家园"},
			{"unfinished letters", "Hotel Qaidam", "qai", "Hotel <mark>Qai</mark>dam"},
			{"not inside a word", "Bathotel hotel", "hotel", "Bathotel <mark>hotel</mark>"},
			{"an apostrophe before", "’Khu 家政", "家政", "’Khu <mark>家政</mark>"},
			{"an apostrophe within", "Xi’an Hotel", "xian", "<mark>Xi’an</mark> Hotel"},
			{"Tibetan", "བོད༌སྐད༌ཁང", "བོད་སྐད", "<mark>བོད༌སྐད</mark>༌ཁང"},
			{"Tibetan, a syllable only", "སྒོ ལས", "ལས", "སྒོ <mark>ལས</mark>"},
		} {
			e := under.loaded(t, w.named(tt.name))
			hits := find(t, e, search.Query{Text: tt.text}).Hits
			if len(hits) != 1 || hits[0].Highlight["name"] != tt.want {
				t.Errorf("%s: %q in %q: %+v, want %s", tt.rule, tt.text, tt.name, hits, tt.want)
			}
			if s, err := e.Suggest(t.Context(), search.SuggestQuery{Text: tt.text, Limit: 1}); err != nil || len(s) != 1 || s[0].Highlight != tt.want || s[0].Name != tt.name {
				t.Errorf("%s: suggestions %+v, %v", tt.rule, s, err)
			}
		}
		e := under.loaded(t, []entry{w.made("x", func(l *directory.Listing) { l.Names.Zh, l.Address, l.Summary = "某店", "青山路<1>号", "月嫂" })})
		if h := find(t, e, search.Query{Text: "青山路"}).Hits; len(h) != 1 || h[0].Highlight["address"] != "<mark>青山路</mark>&lt;1&gt;号" || h[0].Highlight["name"] != "" {
			t.Errorf("address: %+v", h)
		}
		if h := find(t, e, search.Query{Text: "月嫂"}).Hits; len(h) != 1 || len(h[0].Highlight) != 0 {
			t.Errorf("found in the summary: %+v", h)
		}
	})
}

// Without their marks, highlights are the text.
func TestHighlightsKeepTheText(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		plain := strings.NewReplacer("<mark>", "", "</mark>", "")
		marked := 0
		for _, text := range []string{"家政", "yanglao", "xining", "示例", "lu hao", "sl", "互助", "qinghai", "100号"} {
			for _, h := range find(t, e, search.Query{Text: text}).Hits {
				if name := h.Highlight["name"]; name != "" {
					marked++
					if plain.Replace(name) != cardName(t, h) {
						t.Errorf("%q: %s in %s", text, name, cardName(t, h))
					}
				}
			}
		}
		if marked < 100 {
			t.Errorf("only %d names are marked", marked)
		}
	})
}

func TestSuggest(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, append(w.named("明月家园", "明月家政", "新明月", "别家"),
			w.made("street", func(l *directory.Listing) {
				l.Kind, l.Names.Zh, l.Region = directory.StreetKind, "明月步行街", "632801"
			})))
		ask := func(q search.SuggestQuery) []string {
			q.Limit = 10
			got, err := e.Suggest(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range got {
				names = append(names, s.Name)
			}
			slices.Sort(names)
			return names
		}
		for text, want := range map[string][]string{
			"明月":       {"新明月", "明月家园", "明月家政", "明月步行街"},
			"明月家":      {"明月家园", "明月家政"},
			"mingyuej": {"明月家园", "明月家政"},
			"mingyueb": {"明月步行街"},
			"myjz":     {"明月家政"},
			"xmy":      {"新明月"},
			"无此":       nil,
		} {
			if got := ask(search.SuggestQuery{Text: text}); !slices.Equal(got, want) {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
		if got := ask(search.SuggestQuery{Text: "明月", Kinds: []directory.Kind{directory.StreetKind}}); !slices.Equal(got, []string{"明月步行街"}) {
			t.Errorf("by kind: %q", got)
		}
		if got := ask(search.SuggestQuery{Text: "明月", Regions: []string{"632800"}}); !slices.Equal(got, []string{"明月步行街"}) {
			t.Errorf("by region: %q", got)
		}
		for _, limit := range []int{0, -1, 11} {
			if _, err := e.Suggest(t.Context(), search.SuggestQuery{Text: "明月", Limit: limit}); directory.KindOf(err) != directory.Invalid {
				t.Errorf("limit %d: %v", limit, err)
			}
		}
		if got, err := e.Suggest(t.Context(), search.SuggestQuery{Text: "明月", Limit: 2}); err != nil || len(got) != 2 {
			t.Errorf("%v, %v", got, err)
		}
	})
}
