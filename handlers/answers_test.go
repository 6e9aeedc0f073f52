package handlers

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"qingfu/directory"
	"qingfu/search"
)

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "养老", "a\"b\\c\n\x00\x1f\x7f", "<mark>", "\xff\xc3", "\u2028\U0010ffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := appendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && got != want {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// A name may look like the member that is converted.
func TestAppendHitFindsTheLocation(t *testing.T) {
	card := search.Card{
		ID: "1", Name: `"location":{"lat":1,"lon":2}`, Address: "\"location\":{\"lat\":",
		Location: &directory.Point{Lat: 36.62, Lon: 101.78},
	}
	raw, err := json.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	distance, open := 12, false
	hit := search.Hit{DistanceM: &distance, OpenNow: &open, Highlight: map[string]string{"name": "<mark>\"</mark>"}}
	for _, gcj02 := range []bool{false, true} {
		in := &input{lang: "zh", gcj02: gcj02}
		var got struct {
			search.Card
			DistanceM int               `json:"distance_m"`
			OpenNow   *bool             `json:"open_now"`
			Highlight map[string]string `json:"highlight"`
		}
		if err := json.Unmarshal(appendHit(nil, string(raw), &hit, in), &got); err != nil {
			t.Fatal(err)
		}
		if got.Name != card.Name || got.Address != card.Address || *got.Location != in.toCRS(*card.Location) ||
			got.DistanceM != 12 || *got.OpenNow || got.Highlight["name"] != "<mark>\"</mark>" {
			t.Errorf("gcj02 %v: %+v", gcj02, got)
		}
	}
	card.Location = nil
	if raw, err = json.Marshal(card); err != nil {
		t.Fatal(err)
	}
	if b := appendHit(nil, string(raw), &search.Hit{}, &input{gcj02: true}); !json.Valid(b) || !strings.Contains(string(b), `"location":null`) {
		t.Errorf("%s", b)
	}
}

func TestRegionFacet(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct {
		chosen []string
		want   int
		has    string
	}{
		{nil, 8, "630100"},
		{[]string{"630000"}, 8, "632800"},
		{[]string{"630100"}, 7 + 8, "630200"},
		{[]string{"630102"}, 9 + 7, "630103"},
		{[]string{"630100", "630200"}, 7 + 6 + 8, "630202"}, // the siblings once
		{[]string{"630102001"}, 3 + 9, "630102002"},
	} {
		got := f.api.regionFacet(tc.chosen)
		if len(got) != tc.want || !strings.Contains(strings.Join(got, " "), tc.has) {
			t.Errorf("%v: %v", tc.chosen, got)
		}
	}
}
