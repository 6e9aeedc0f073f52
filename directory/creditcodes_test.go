package directory_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"qingfu/directory"
)

const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// realCodes are codes of known organizations, which hold the rule against itself.
var realCodes = []directory.CreditCode{"91330100799655058B", "9144030071526726XG", "914403001922038216", "91110000802100433B"}

// validCodes returns the real codes and as many invented ones that are right.
func validCodes(t *testing.T, n int) []directory.CreditCode {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	out := append([]directory.CreditCode{}, realCodes...)
	for len(out) < n+len(realCodes) {
		head := "91630102"
		for range 8 {
			head += string(creditAlphabet[random.IntN(len(creditAlphabet))])
		}
		// Of all ends of two characters the checks leave one.
		found := 0
		for _, check := range "0123456789X" {
			for _, last := range creditAlphabet {
				if c := directory.CreditCode(head + string(check) + string(last)); c.Valid() {
					out = append(out, c)
					found++
				}
			}
		}
		if found != 1 {
			t.Fatalf("%s has %d right ends", head, found)
		}
	}
	return out
}

func TestParseCreditCode(t *testing.T) {
	const want = "91330100799655058B"
	for _, text := range []string{
		want, "91330100799655058b", " 9133 0100 7996 5505 8b\t", "91330100-79965505-8B", "９１３３０１００７９９６５５０５８Ｂ", "9133 0100－799655058b　",
	} {
		if code, ok := directory.ParseCreditCode(text); code != want || !ok {
			t.Errorf("%q is %q, %t", text, code, ok)
		}
	}
	for _, text := range []string{
		"", "-", want[:17], want + "0", "9133010079965505IB", "9133010079965505OB", "9133010079965505SB", "9133010079965505VB", "9133010079965505ZB",
		"9133A100799655058B", "91330100799655058。", "中国", strings.Repeat("9", 19), "91330100799655058\x00",
	} {
		if code, ok := directory.ParseCreditCode(text); ok {
			t.Errorf("%q is taken for the code %q", text, code)
		}
	}
}

func TestCreditCodeChecks(t *testing.T) {
	for _, c := range realCodes {
		if !c.Valid() {
			t.Errorf("%s counts as wrong", c)
		}
	}
	for _, c := range []directory.CreditCode{"", "91", "91330100799655058b", "91630100MA752FFG5X", "000000000000000000X"} {
		if c.Valid() {
			t.Errorf("%q counts as right", c)
		}
	}
}

// TestCreditCodeFindsErrors makes every mistake of one character and every
// exchange of neighbours in many codes. 31 is a prime and the weights of
// neighbours differ, so that the check finds them all.
func TestCreditCodeFindsErrors(t *testing.T) {
	for _, code := range validCodes(t, 200) {
		for i := range len(code) {
			for _, other := range creditAlphabet {
				wrong := code[:i] + directory.CreditCode(other) + code[i+1:]
				if wrong != code && wrong.Valid() {
					t.Fatalf("%s for %s is not found", wrong, code)
				}
			}
			if i > 0 && code[i-1] != code[i] {
				wrong := code[:i-1] + code[i:i+1] + code[i-1:i] + code[i+1:]
				if wrong.Valid() {
					t.Fatalf("%s for %s is not found", wrong, code)
				}
			}
		}
	}
}

func TestCreditCodeType(t *testing.T) {
	for prefix, want := range map[string]directory.OrganizationType{
		"91": directory.Enterprise, "92": directory.SoleTrader, "93": directory.Cooperative,
		"51": directory.SocialGroup, "52": directory.PrivateNonProfit, "53": directory.Foundation,
		"11": directory.GovernmentBody, "12": directory.PublicInstitute,
		"19": directory.OtherType, "N2": directory.OtherType, "9": directory.OtherType, "": directory.OtherType,
	} {
		if got := directory.CreditCode(prefix + "63").Type(); len(prefix) == 2 && got != want {
			t.Errorf("%s is %s", prefix, got)
		}
		if got := directory.CreditCode(prefix).Type(); got != want {
			t.Errorf("%q alone is %s", prefix, got)
		}
	}
	for _, term := range directory.OrganizationTypes {
		if got, ok := directory.OrganizationTypeTerm(directory.OrganizationType(term.Code)); !ok || got != term {
			t.Errorf("%s is called %v", term.Code, got)
		}
	}
}

func TestCreditCodeRegion(t *testing.T) {
	regions := realRegions(t)
	for code, want := range map[string]string{
		"630102": "630102", "630000": "630000", "330100": "330100", // which is not in Qinghai
		"630122": "630106", "632321": "632301", "632721": "632701", "632121": "630203", "632123": "630202",
		"632122": "630222", "632126": "630223", "632127": "630224", "632128": "630225", "632100": "630200", "632856": "632803", "632858": "632803",
	} {
		got := directory.CreditCode("91" + code + "0000000000").Region()
		if got != want {
			t.Errorf("%s is %s today, want %s", code, got, want)
		}
		if strings.HasPrefix(want, "63") && !regions.Has(got) {
			t.Errorf("%s is %s today, which there is not", code, got)
		}
		if code != want && regions.Has(code) {
			t.Errorf("%s is not retired", code)
		}
	}
	if got := directory.CreditCode("9163").Region(); got != "" {
		t.Errorf("half a code is of %q", got)
	}
}
