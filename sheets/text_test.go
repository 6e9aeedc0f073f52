package sheets

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		cell, at string
		want     []string
	}{
		{"", betweenItems, nil},
		{" ；; \n", betweenItems, nil},
		{"甲；乙;丙\n丁", betweenItems, []string{"甲", "乙", "丙", "丁"}},
		{"甲、乙", betweenItems, []string{"甲、乙"}},
		{"甲、乙，丙,丁", betweenTerms, []string{"甲", "乙", "丙", "丁"}},
		{`甲\；乙；丙`, betweenItems, []string{`甲\；乙`, "丙"}},
		{`甲\\；乙`, betweenItems, []string{`甲\\`, "乙"}},
		{`甲\`, betweenItems, []string{`甲\`}},
	}
	for _, tt := range tests {
		if got := split(tt.cell, tt.at, false); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.cell, got, tt.want)
		}
	}
	if got := split("甲| |", betweenFields, true); !slices.Equal(got, []string{"甲", "", ""}) {
		t.Errorf("fields: got %q", got)
	}
}

// awkward makes texts of what cells are parted and marked by.
var awkward = rapid.Custom(func(t *rapid.T) string {
	runes := []rune(`ab甲乙示例ཁྱིམ '=+-@;；|｜\、,，()（）"/~至_x004<&>` + "\t\n\u180e\U00020000")
	text := rapid.StringOfN(rapid.SampledFrom(runes), 0, 12, -1).Draw(t, "text")
	return strings.TrimSpace(rapid.SampledFrom([]string{"", "=", "'", "-", "_x0041_"}).Draw(t, "beginning") + text)
})

func TestEscapingAndGuardingCanBeUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOf(awkward.Filter(func(s string) bool { return s != "" })).Draw(t, "items")
		var escaped []string
		for _, item := range items {
			escaped = append(escaped, escape(item))
		}
		got := split(strings.Join(escaped, "；"), betweenItems, false)
		for i := range got {
			got[i] = unescape(got[i])
		}
		if !slices.Equal(got, items) {
			t.Errorf("items: got %q, want %q", got, items)
		}
		text := awkward.Draw(t, "text")
		if got := unguard(guard(text)); got != text {
			t.Errorf("guarded: got %q, want %q", got, text)
		}
		if startsWith(guard(text), formulaStarts) {
			t.Errorf("%q is not guarded: %q", text, guard(text))
		}
	})
}

func TestUnescapeKeepsOtherBackslashes(t *testing.T) {
	for in, want := range map[string]string{`C:\temp`: `C:\temp`, `a\`: `a\`, `\\;`: `\;`, `\a\|`: `\a|`} {
		if got := unescape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPrices(t *testing.T) {
	tests := []struct {
		text      string
		low, high int64
		ok        bool
	}{
		{"40元", 4000, 4000, true},
		{"40-60元", 4000, 6000, true},
		{"40元-60元", 4000, 6000, true},
		{"４０．５～６０元", 4050, 6000, true},
		{"0.05至0.10元", 5, 10, true},
		{"￥6,800 - ¥12,800", 680000, 1280000, true},
		{"0", 0, 0, true},
		{"40.555元", 0, 0, false},
		{"40-", 4000, 0, false},
		{"-40", 0, 0, false},
		{"面议", 0, 0, false},
		{"1,00元", 0, 0, false},
		{"1e3元", 0, 0, false},
		{"99999999999999999999元", 0, 0, false},
		{"", 0, 0, false},
	}
	for _, tt := range tests {
		if low, high, ok := prices(tt.text); ok != tt.ok || ok && (low != tt.low || high != tt.high) {
			t.Errorf("%q: got %d, %d, %v", tt.text, low, high, ok)
		}
	}
	for want, text := range map[[2]int64]string{{4000, 6000}: "40-60元", {4050, 4050}: "40.50元", {5, 110}: "0.05-1.10元"} {
		if got := writePrices(want[0], want[1]); got != text {
			t.Errorf("%v: got %q, want %q", want, got, text)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]int{"120": 120, "120.0": 120, "1,200": 1200, "１２": 12, "-3": -3, " 5 ": 5} {
		if got, ok := whole(text); !ok || got != want {
			t.Errorf("%q: got %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "1.5", "50%", "120张", "1e2", "0x10", "1,20", "99999999999999999999", "NaN", "Inf"} {
		if got, ok := whole(text); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestDays(t *testing.T) {
	for _, text := range []string{"2026-11-03", "2026/11/3", "2026.11.03", "2026年11月3日", "20261103", "２０２６－１１－０３", "2026-11-03 00:00:00", "2026/11/3 0:00", "46329"} {
		if got, ok := day(text); !ok || got != "2026-11-03" {
			t.Errorf("%q: got %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "2026-11", "11-03", "3/11/2026x", "明天", "1234", "2026-11-03 上午"} {
		if got, ok := day(text); ok {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}
