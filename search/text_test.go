package search_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"qingfu/search"
)

func TestNormalize(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"traditional", "養老院 託兒所 門診", "养老院 托儿所 门诊"},
		{"traditional of a rare form", "豈", "岂"}, // a compatibility ideograph
		{"full width", "ＡＢＣ　１２３（青海）", "abc 123 青海"},
		{"half-width katakana", "ｶﾅ", "カナ"},
		{"case", "Xi'Ning HÔTEL", "xining hotel"},
		{"apostrophes", "xi'an xi’an xi‘an xi`an xi＇an xiʼan", "xian xian xian xian xian xian"},
		{"tone marks", "Xīníng Qīnghǎi", "xining qinghai"},
		{"tone marks apart", "Xi\u0304ni\u0301ng", "xining"},
		{"u with two dots", "nǚ lǜ LÜ nü", "nv lv lv nv"},
		{"Tibetan tsheg", "བོད༌སྐད", "བོད་སྐད"},
		{"Tibetan shad", "བོད་།སྐད", "བོད་ སྐད"},
		{"separators", "a，b。c、d/e\tf\ng", "a b c d e f g"},
		{"spaces", "  a   b  ", "a b"},
		{"Korean keeps its syllables", "한식", "한식"},
		{"invisible", "a\u200bb\ufeff", "ab"},
		{"only marks", "？！😀…", ""},
		{"bytes that are no text", "a\xff\xfeb", "a b"},
		{"nothing", "", ""},
	} {
		if got := search.Normalize(tt.in); got != tt.want {
			t.Errorf("%s: Normalize(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

// What is folded once is folded for good, or a text would not find itself.
func TestFoldIsIdempotent(t *testing.T) {
	wrong := 0
	for r := rune(0); r < 0x32000; r++ {
		if f := search.Fold(r); f >= 0 && search.Fold(f) != f && wrong < 20 {
			wrong++
			t.Errorf("%q (%U) is folded to %q and that to %q", r, r, f, search.Fold(f))
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"養老院", "Xi'an  ＡＢ", "བོད༌སྐད།", "a\xffb", "e\u0301", "ﷺ", "豈", "ǅ", " '", "24小时ＯＰＥＮ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := search.Normalize(s)
		if !utf8.ValidString(n) {
			t.Fatalf("%q is no text", n)
		}
		if again := search.Normalize(n); again != n {
			t.Fatalf("%q became %q and then %q", s, n, again)
		}
		if strings.TrimSpace(n) != n || strings.Contains(n, "  ") {
			t.Fatalf("spaces in %q", n)
		}
		// The runs are the text without its spaces and outer tshegs.
		joined := ""
		for _, run := range search.Runs(n) {
			if run.Text == "" || strings.Contains(run.Text, " ") {
				t.Fatalf("run %q of %q", run.Text, n)
			}
			joined += run.Text
		}
		strip := strings.NewReplacer(" ", "", "་", "")
		if strip.Replace(joined) != strip.Replace(n) {
			t.Fatalf("runs %q of %q", joined, n)
		}
	})
}

func TestRuns(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []search.Run
	}{
		{"", nil},
		{"互助jz", []search.Run{{search.Han, "互助"}, {search.Latin, "jz"}}},
		{"24小时 a1", []search.Run{{search.Latin, "24"}, {search.Han, "小时"}, {search.Latin, "a1"}}},
		{"་བོད་སྐད་", []search.Run{{search.Tibetan, "བོད་སྐད"}}},
		{"བོད་ སྐད", []search.Run{{search.Tibetan, "བོད"}, {search.Tibetan, "སྐད"}}},
		{"ᠮᠣᠩᠭᠣᠯ 青", []search.Run{{search.Other, "ᠮᠣᠩᠭᠣᠯ"}, {search.Han, "青"}}},
		{"་", nil},
		{"𠀀青", []search.Run{{search.Han, "𠀀青"}}}, // beyond the basic plane
	} {
		got := search.Runs(tt.in)
		if len(got) != len(tt.want) {
			t.Errorf("Runs(%q) = %v", tt.in, got)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("Runs(%q) = %v, want %v", tt.in, got, tt.want)
			}
		}
	}
}
