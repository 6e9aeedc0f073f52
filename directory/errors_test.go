package directory

import (
	"errors"
	"testing"
)

func TestTogether(t *testing.T) {
	away := &Error{Kind: Unavailable, What: "store"}
	both := InvalidFields("a", []FieldError{{Pointer: "/x", Code: CodeRequired}, {Pointer: "/x", Code: CodeTooShort}})
	for what, tc := range map[string]struct {
		errs []error
		want string
	}{
		"nothing":                        {[]error{nil, nil}, ""},
		"one":                            {[]error{nil, WrongField("b", "/y", CodeFormat, "1")}, "invalid: c: /y bad_format (1)"},
		"of a field the first":           {[]error{both, WrongField("b", "/x", CodeValue, ""), WrongField("b", "/y", CodeValue, "")}, "invalid: c: /x required; /x too_short; /y unknown_value"},
		"a field and a parameter":        {[]error{WrongField("b", "", CodeValue, ""), InvalidFields("b", []FieldError{{Parameter: "y", Code: CodeValue}})}, "invalid: c:  unknown_value; y unknown_value"},
		"what is no fault of the caller": {[]error{both, away}, away.Error()},
		"a plain error":                  {[]error{errors.New("broken"), both}, "broken"},
	} {
		got := ""
		if err := Together("c", tc.errs...); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", what, got, tc.want)
		}
	}
}
