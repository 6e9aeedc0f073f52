package search_test

import (
	"strings"
	"testing"

	"qingfu/directory"
	"qingfu/search"
)

// everyOrder is one query of every order, and one by text.
func everyOrder() []search.Query {
	xining := directory.Point{Lat: 36.62, Lon: 101.78}
	return []search.Query{
		{Limit: 5}, {Limit: 5, Text: "家政"}, {Limit: 5, Text: "xining yanglao"}, {Limit: 5, Sort: search.BySatisfaction},
		{Limit: 5, Sort: search.ByNewest}, {Limit: 5, Sort: search.ByName}, {Limit: 5, Sort: search.ByDistance, Near: &xining},
	}
}

// continues tells that a search behind any cursor either refuses it or gives
// hits that the query has.
func continues(t *testing.T, e search.Engine, q search.Query) {
	t.Helper()
	res, err := e.Search(t.Context(), q)
	if err != nil {
		if directory.KindOf(err) != directory.Invalid {
			t.Errorf("cursor %q: %v", q.After, err)
		}
		return
	}
	seen := map[string]bool{}
	for _, h := range res.Hits {
		if seen[h.ID] {
			t.Errorf("cursor %q: %s twice", q.After, h.ID)
		}
		seen[h.ID] = true
	}
	start := q
	start.After = ""
	if all := find(t, e, start); all.Total != res.Total || len(res.Hits) > q.Limit {
		t.Errorf("cursor %q: %d hits, total %d", q.After, len(res.Hits), res.Total)
	}
}

func TestBadCursors(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		e := under.loaded(t, theWorld().entries)
		for _, bad := range []string{"x", "!!!", "你好", "{", "\x00", "AAAA", strings.Repeat("[", 10_000)} {
			_, err := e.Search(t.Context(), search.Query{Limit: 5, After: bad})
			if directory.KindOf(err) != directory.Invalid {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}
		for _, of := range everyOrder() {
			next := find(t, e, of).Next
			if next == "" {
				t.Fatalf("%+v has one page", of)
			}
			for _, q := range everyOrder() { // a cursor of another order
				q.After = next
				continues(t, e, q)
			}
			for n := 0; n < len(next); n += 5 { // a part of one
				of.After = next[:n+1]
				continues(t, e, of)
			}
		}
	})
}

func FuzzCursor(f *testing.F) {
	under := enginesUnderTest[0]
	e := under.loaded(f, theWorld().entries[:200])
	for _, q := range everyOrder() {
		f.Add(find(f, e, q).Next)
	}
	for _, s := range []string{`{}`, `null`, `[]`, `{"d":1e308}`, `{"p":[255,255,255,255]}`, `{"p":[]}`, `{"d":-1,"c":-1,"n":"\u0000","s":9,"f":-9223372036854775808,"i":""}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		for _, q := range everyOrder() {
			q.After = cursor
			continues(t, e, q)
		}
	})
}
