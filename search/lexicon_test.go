package search_test

import (
	"slices"
	"strings"
	"testing"

	"qingfu/search"
)

func TestParse(t *testing.T) {
	lx := theWorld().lexicon
	for _, tt := range []struct {
		text string
		want string // the words; a stands for a place, s for a word of the field
	}{
		{"", ""},
		{"  　", ""},
		{"？！😀", ""},
		{"月嫂", "月嫂/s"},
		{"城东 月嫂", "城东/a 月嫂/s"},
		{"城东月嫂", "城东/a 月嫂/s"},
		{"格尔木养老院", "格尔木/a 养老院/s"},
		{"附近的托儿所", "托儿所/s"},
		{"我想找一个月嫂", "月嫂/s"},
		{"在 呢", "在 呢"}, // nothing else
		{"张三家政", "张三 家政/s"},
		{"xining", "xining/a"},
		{"xiningyuesao", "xining/a yuesao/s"},
		{"xiningyue", "xining/a yue"}, // unfinished
		{"xingfuxiang", "xingfuxiang"},
		// Not 三级 with ang, 一级 with a, 立新 with g, 河西 with anlerui.
		{"sanjiang", "sanjiang"},
		{"sanjiangyuan", "sanjiangyuan"},
		{"yijia", "yijia"},
		{"lixing", "lixing"},
		{"hexianlerui", "hexianlerui"},
		{"xininga", "xining/a a"},
		{"hzjz", "hzjz"},
		{"互助jz", "互助/a jz"},
		{"XI’AN", "xian"},
		{"བོད་སྐད", "བོད་སྐད"},
		{"大通县", "大通县/a"},
		{"a b c d e f g h i j k l", "a b c d e f g h i j"},
	} {
		var got []string
		words := lx.Parse(tt.text)
		for i, w := range words {
			switch w.Class {
			case search.Place:
				got = append(got, w.Text+"/a")
			case search.Service:
				got = append(got, w.Text+"/s")
			default:
				got = append(got, w.Text)
			}
			if w.Last != (i == len(words)-1) {
				t.Errorf("%q: word %d of %d, last: %v", tt.text, i, len(words), w.Last)
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("Parse(%q) = %q, want %q", tt.text, s, tt.want)
		}
	}
}

func TestParseSynonyms(t *testing.T) {
	lx := theWorld().lexicon
	for text, same := range map[string]string{"月嫂": "母婴护理", "yuesao": "母婴护理", "托儿所": "托育", "敬老院": "养老院", "yanglaoyuan": "敬老院"} {
		words := lx.Parse(text)
		if len(words) != 1 || !slices.Contains(words[0].Same, same) {
			t.Errorf("%s: %+v", text, words)
		}
		if words[0].Script == search.Han && slices.Contains(words[0].Same, text) {
			t.Errorf("%s is a synonym of itself", text)
		}
	}
	a, okA := lx.Concept("月嫂")
	b, okB := lx.Concept("母婴护理")
	if a != b || !okA || !okB {
		t.Errorf("concepts %q, %q", a, b)
	}
	if _, ok := lx.Concept("的"); ok {
		t.Error("a word that says nothing has a concept")
	}
}

// The words of a text stand in it in their order, and all that is left out says
// nothing.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"城东月嫂", "附近的托儿所", "xiningyuesao 24h", "互助jz བོད་སྐད", "的的的", "a\xffb", "示例·西宁", strings.Repeat("养老", 60), strings.Repeat("an", 90)} {
		f.Add(s)
	}
	lx := theWorld().lexicon
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1000 {
			return
		}
		words := lx.Parse(s)
		if len(words) > 10 {
			t.Fatalf("%d words", len(words))
		}
		rest := search.Normalize(s)
		if len(words) == 0 && len(search.Runs(rest)) > 0 {
			t.Fatalf("nothing of %q", s)
		}
		for i, w := range words {
			_, after, ok := strings.Cut(rest, w.Text)
			if !ok || w.Text == "" {
				t.Fatalf("word %q of %q is not in %q", w.Text, s, rest)
			}
			rest = after
			if w.Last != (i == len(words)-1) {
				t.Fatalf("last: %+v", words)
			}
			for _, part := range lx.SplitUnknown(w) {
				if part.Text == "" || !strings.Contains(w.Text, part.Text) {
					t.Fatalf("%q is split into %q", w.Text, part.Text)
				}
			}
		}
	})
}

func TestFind(t *testing.T) {
	lx := theWorld().lexicon
	for han, want := range map[string][]string{
		"":            nil,
		"青":           nil,
		"城东区月嫂":       {"城东", "城东区", "月嫂"},
		"互助幸福院":       {"互助", "互助幸福院", "幸福院"},
		"某的某":         nil,
		"示例农村互助幸福院养老": {"农村互助幸福院", "互助", "互助幸福院", "幸福院", "养老"},
	} {
		got := slices.Collect(lx.Find(han))
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q, lacks %q", han, got, w)
			}
		}
		if want == nil && got != nil {
			t.Errorf("%s: %q", han, got)
		}
		for _, w := range got {
			if _, ok := lx.Concept(w); !ok || !strings.Contains(han, w) {
				t.Errorf("%s: %q", han, w)
			}
		}
		for first := range lx.Find(han) { // stopping is allowed
			if first != got[0] {
				t.Errorf("%s: %q", han, first)
			}
			break
		}
	}
}

func TestSplitUnknown(t *testing.T) {
	lx := theWorld().lexicon
	for text, want := range map[string]string{
		"xiningqqq": "xining qqq", "qqqyanglao": "qqq yanglao", "24xiaoshi": "24 xiaoshi", "a1": "a 1", "qqqqqqq": "", "x": "", "": "",
	} {
		var got []string
		for _, w := range lx.SplitUnknown(search.Word{Text: text, Script: search.Latin, Last: true}) {
			got = append(got, w.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := lx.SplitUnknown(search.Word{Text: "青海", Script: search.Han}); got != nil {
		t.Errorf("hanzi: %v", got)
	}
}
