package directory

import "testing"

func TestParsePhone(t *testing.T) {
	for text, want := range map[string]string{
		"13800138000":        "13800138000",
		"19912345678":        "19912345678",
		"+8613800138000":     "13800138000",
		"+86 138 0013 8000":  "13800138000",
		"+86-138-0013-8000":  "13800138000",
		"0086 13800138000":   "13800138000",
		" 138-0013-8000\n":   "13800138000",
		"10000000001":        "10000000001", // of a demonstration account
		"+86 100 0000 9999":  "10000009999",
		"":                   "",
		"+86":                "",
		"8613800138000":      "", // could be the number of another country
		"+85213800138000":    "",
		"+86+8613800138000":  "",
		"+86008613800138000": "",
		"0086+8613800138000": "",
		"13800138000\n1":     "",
		"138001380001":       "",
		"1380013800":         "",
		"12800138000":        "",
		"0971-1234567":       "", // a landline
		"10000010000":        "",
		"10100000001":        "",
		"110":                "",
		"１３８００１３８０００":        "",
		"138\u00a00013 8000": "",
		"138.0013.8000":      "",
		"13800138000 ext. 1": "",
		"١٣٨٠٠١٣٨٠٠٠":        "",
	} {
		if got, ok := ParsePhone(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestIsDemoPhone(t *testing.T) {
	for phone, want := range map[string]bool{
		"10000000000": true, "10000009999": true,
		"10000010000": false, "13800138000": false, "1000000000": false, "100000000001": false, "+8610000000001": false, "": false,
	} {
		if IsDemoPhone(phone) != want {
			t.Errorf("%q: %v", phone, !want)
		}
	}
}

func TestMaskPhone(t *testing.T) {
	for phone, want := range map[string]string{
		"13812345678":    "138****5678",
		"10000000001":    "100****0001",
		"":               "****",
		"1381234567":     "****",
		"138123456789":   "****",
		"+8613812345678": "****",
		"secret words":   "****",
		"eleven char":    "****", // 11 bytes are not 11 digits
		"青海省一":           "****",
	} {
		if got := MaskPhone(phone); got != want {
			t.Errorf("%q: %q, want %q", phone, got, want)
		}
	}
}
