package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// wrongFields returns the wrong fields of an Invalid error about a thing, as
// "pointer code" or "pointer code (limit)".
func wrongFields(t *testing.T, err error, what string) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != Invalid || e.What != what || len(e.Fields) == 0 {
		t.Fatalf("not an Invalid error about a %s with fields: %v", what, err)
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.String())
	}
	return out
}

func memberID(n int) string { return fmt.Sprintf("019aaf5e-4c00-7a1b-8c2d-%012d", n) }

func TestAccountValidate(t *testing.T) {
	name := func(n int) string { return strings.Repeat("字", n) }
	member := func(n int) FamilyMember {
		return FamilyMember{ID: memberID(n), Name: "母亲", Relation: Parent, BirthYear: 1950}
	}
	members := func(n int) (out []FamilyMember) {
		for i := range n {
			out = append(out, member(i))
		}
		return out
	}
	const (
		characters = " bad_format (UTF-8 without control characters)"
		relations  = " (parent, grandparent, spouse, child, other)"
	)
	for what, tt := range map[string]struct {
		account Account
		want    []string
	}{
		"nothing given":  {Account{}, nil},
		"all that fits":  {Account{Name: name(40), Language: Tibetan, ElderMode: true, Family: members(10)}, nil},
		"no birth year":  {Account{Family: []FamilyMember{{memberID(1), "x", OtherFamily, 0}}}, nil},
		"earliest, last": {Account{Family: []FamilyMember{{memberID(1), "x", Child, 1900}, {memberID(2), "y", Spouse, 2026}}}, nil},
		"all wrong at once": {
			Account{Name: name(41) + "\n", Language: "fr", Family: []FamilyMember{
				{}, {"1", " \u3000", "friend", 1899}, {memberID(1), name(41), Grandparent, 2027}, member(1), {"", "a\u202eb", Parent, -1},
			}},
			[]string{
				"/name" + characters, "/name too_long (40)", "/language unknown_value (zh, bo, mn, en)",
				"/family/0/id required", "/family/0/name required", "/family/0/relation required" + relations,
				"/family/1/id bad_format (" + idForm + ")", "/family/1/name required", "/family/1/relation unknown_value" + relations,
				"/family/1/birth_year too_small (1900)",
				"/family/2/name too_long (40)", "/family/2/birth_year too_large (2026)",
				"/family/3/id duplicate",
				"/family/4/id duplicate", "/family/4/name" + characters, "/family/4/birth_year too_small (1900)",
			},
		},
		"too large a family": {Account{Family: members(11)}, []string{"/family too_long (10)"}},
	} {
		if got := wrongFields(t, tt.account.Validate(now), "account"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
		}
	}
	// The year begins in Qinghai eight hours before it does in UTC.
	born := Account{Family: []FamilyMember{{memberID(1), "x", Child, 2027}}}
	newYear := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)
	if err := born.Validate(newYear); err != nil {
		t.Errorf("born on New Year's Day: %v", err)
	}
	if err := born.Validate(newYear.Add(-time.Second)); KindOf(err) != Invalid {
		t.Errorf("born on the day after: %v", err)
	}
}

func TestEnrolled(t *testing.T) {
	for what, tt := range map[string]struct {
		factor *SecondFactor
		want   bool
	}{
		"none":        {nil, false},
		"unconfirmed": {&SecondFactor{Secret: "sealed"}, false},
		"confirmed":   {&SecondFactor{Secret: "sealed", ConfirmedAt: ptr(now)}, true},
	} {
		if got := (&Account{SecondFactor: tt.factor}).Enrolled(); got != tt.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestFavouriteKey(t *testing.T) {
	seen := map[string]Favourite{}
	for account := range 3 {
		for listing := range 3 {
			f := Favourite{Account: memberID(account), Listing: memberID(listing), AddedAt: now}
			if other, ok := seen[f.Key()]; ok {
				t.Errorf("%+v and %+v have the key %s", f, other, f.Key())
			}
			seen[f.Key()] = f
			again := f
			again.AddedAt = now.Add(time.Hour)
			if again.Key() != f.Key() {
				t.Error("the key of a favourite depends on when it was added")
			}
		}
	}
}
