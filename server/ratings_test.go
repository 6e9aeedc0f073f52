package main

import (
	"path/filepath"
	"strings"
	"testing"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

func TestRatingRulesAreASetting(t *testing.T) {
	for name, tc := range map[string]struct{ text, wrong string }{
		"nothing":        {`{}`, ""},
		"one":            {`{"same_device":{"most":5,"hours":24}}`, ""},
		"unknown":        {`{"same_devices":{"most":5,"hours":24}}`, "same_devices"},
		"no JSON":        {`most 5`, "QINGFU_RATING_RULES"},
		"several wrong":  {`{"same_device":{"most":0,"hours":0},"surge_share":2}`, "/same_device/most too_small (1); /same_device/hours too_small (1); /surge_share"},
		"longer than is": {`{"too_many":{"most":1,"hours":9999}}`, "/too_many/hours too_large"},
	} {
		s := ratingSettings{RatingRules: fileOf(t, tc.text)}
		rules, err := s.rules()
		switch {
		case tc.wrong == "" && err != nil, tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
			t.Errorf("%s: %v", name, err)
		case name == "one" && (rules.SameDevice.Most != 5 || rules.SwingFrom != directory.DefaultRatingRules().SwingFrom):
			t.Errorf("%s: %+v", name, rules)
		}
	}
	if e := command(t.Context(), "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--rating-rules", fileOf(t, `{"x":1}`)); e.code != 1 || !strings.Contains(e.err, "QINGFU_RATING_RULES") {
		t.Errorf("code %d: %s", e.code, e.err)
	}
}

// TestRecount breaks a figure, which the command finds and puts right.
func TestRecount(t *testing.T) {
	dir := seeded(t)
	if e := succeed(t, "recount", "--check", "--data-dir", dir); !strings.Contains(e.out, ", 0 figures were wrong") {
		t.Errorf("after seeding: %s", e.out)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "qingfu.db"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	demo, _, err := st.Listings.Find(t.Context(), store.Query{Where: []store.Condition{store.Equal("demo", int64(1))}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Listings.Update(t.Context(), demo[0].Value.ID, func(l *directory.Listing) error {
		l.Satisfaction.Levels[0] += 3
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if e := command(t.Context(), "recount", "--check", "--data-dir", dir); e.code != 1 || !strings.Contains(e.out, demo[0].Value.ID) || !strings.Contains(e.out, ", 1 figures were wrong") {
			t.Errorf("code %d: %s%s", e.code, e.out, e.err)
		}
	}
	succeed(t, "recount", "--data-dir", dir)
	succeed(t, "recount", "--check", "--data-dir", dir)
}
