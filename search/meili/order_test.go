package meili

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"qingfu/search"
)

// Keys compare like the texts that they are made of.
func TestOrderKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if rapid.Bool().Draw(t, "begins") {
			b = a + b
		}
		if got, want := strings.Compare(orderKey(a), orderKey(b)), strings.Compare(a, b); got != want {
			t.Fatalf("%q and %q: %d, want %d", a, b, got, want)
		}
	})
}

// The key of a name that is too long for one attribute goes on in the next.
func TestNameKeys(t *testing.T) {
	long := strings.Repeat("双", 100)
	for _, names := range [][2]string{{"甲", "乙"}, {long + "甲", long + "乙"}, {long, long + "甲"}, {"双", "霜"}, {"", "甲"}} {
		a, b := nameKeyOf(names[0]), nameKeyOf(names[1])
		want := strings.Compare(search.SortKey(names[0]), search.SortKey(names[1]))
		if got := slices.Compare(a[:], b[:]); got != want {
			t.Errorf("%q: %d, want %d", names, got, want)
		}
		for _, part := range a {
			if len(part) > 468 {
				t.Errorf("a part of %d bytes", len(part))
			}
		}
	}
}

func TestAreaOf(t *testing.T) {
	for code, want := range map[string]string{
		"630000": "provinces", "630100": "prefectures", "630102": "counties", "632801": "counties",
		"630102001": "townships", "630102001001": "communities", "x": "counties",
	} {
		if got := areaOf(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

func TestAnyOf(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{[]string{"a"}, `kind IN ["a"]`},
		{[]string{"a", "b"}, `kind IN ["a", "b"]`},
		{[]string{`a"] OR demo = true`, "b", ""}, `kind IN ["b"]`},
		{[]string{`\`}, nothing},
		{nil, nothing},
	} {
		if got := anyOf("kind", tt.values); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.values, got, tt.want)
		}
	}
}

func TestBehind(t *testing.T) {
	p := &place{Satisfaction: 0.5, Fresh: 7, Key: "kx", Created: 9}
	const rank = `satisfaction < "0.5" OR (satisfaction = "0.5" AND (fresh < "7" OR (fresh = "7" AND (key > "kx"))))`
	if got := p.behind(search.BySatisfaction); got != rank {
		t.Error(got)
	}
	if got, want := p.behind(search.ByNewest), `created < "9" OR (created = "9" AND (`+rank+`))`; got != want {
		t.Error(got)
	}
	if got, want := sorting(search.ByNewest), []string{"created:desc", "satisfaction:desc", "fresh:desc", "key:asc"}; !slices.Equal(got, want) {
		t.Error(got)
	}
}

// A cursor comes from outside.
func TestDecodePlace(t *testing.T) {
	for token, ok := range map[string]bool{
		(&place{Key: "k0"}).encode(): true,
		"":                           true,
		"{}":                         false,
		"null":                       false,
		`{"i":"k\" OR demo = true"}`: false,
		`{"i":"k","a":["k\""]}`:      false,
		`{"i":"k","n":-1}`:           false,
		`{"i":"k","n":2000000000}`:   false,
		`{"i":"k","d":-1}`:           false,
		`{"i":"k","s":1e309}`:        false,
	} {
		if _, err := decodePlace(token); (err == nil) != ok {
			t.Errorf("%s: %v", token, err)
		}
	}
}
