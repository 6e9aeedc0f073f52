package search_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
)

// patient is an engine that can fail.
type patient struct {
	search.Searcher
	err   error
	asked int
}

func (p *patient) Search(ctx context.Context, q search.Query) (search.Result, error) {
	if p.asked++; p.err != nil {
		return search.Result{}, p.err
	}
	return p.Searcher.Search(ctx, q)
}

func (p *patient) Suggest(ctx context.Context, q search.SuggestQuery) ([]search.Suggestion, error) {
	if p.asked++; p.err != nil {
		return nil, p.err
	}
	return p.Searcher.Suggest(ctx, q)
}

// paired is a Pair of two indexes of the same listings.
type paired struct {
	*search.Pair
	first  *patient
	behind bool
	clock  time.Time
	failed []error
}

func newPaired(t *testing.T, entries []entry) *paired {
	memory := enginesUnderTest[0]
	p := &paired{first: &patient{Searcher: memory.loaded(t, entries)}, clock: time.Unix(1_000_000, 0)}
	p.Pair = search.NewPair(p.first, memory.loaded(t, entries), func() bool { return p.behind },
		func(err error) { p.failed = append(p.failed, err) }, func() time.Time { return p.clock })
	return p
}

// TestPair: the standby answers while the first fails or is behind, and the first is
// asked again after a rest.
func TestPair(t *testing.T) {
	p := newPaired(t, theWorld().entries[:50])
	q := search.Query{Limit: 5, Now: moments[0]}
	ask := func(what string, asked, failures int, degraded bool) {
		t.Helper()
		before := p.first.asked
		r, err := p.Search(t.Context(), q)
		if err != nil || r.Total != 50 {
			t.Errorf("%s: %d found, %v", what, r.Total, err)
		}
		if p.first.asked-before != asked || len(p.failed) != failures || p.Degraded() != degraded {
			t.Errorf("%s: the first was asked %d times, %d failures, degraded: %t", what, p.first.asked-before, len(p.failed), p.Degraded())
		}
	}
	ask("all is well", 1, 0, false)
	p.behind = true
	ask("behind", 0, 0, true)
	p.behind = false
	p.first.err = &directory.Error{Kind: directory.Unavailable, What: "search"}
	ask("away", 1, 1, true)
	ask("resting", 0, 1, true)
	p.clock = p.clock.Add(time.Minute)
	if s, err := p.Suggest(t.Context(), search.SuggestQuery{Text: theWorld().entries[0].Names.Zh, Limit: 3}); err != nil || len(s) == 0 {
		t.Errorf("suggestions: %v, %v", s, err)
	}
	ask("still away", 0, 2, true)
	p.first.err = nil
	p.clock = p.clock.Add(time.Minute)
	ask("back", 1, 2, false)

	// A bad query is the caller's, and so is an ended context.
	if _, err := p.Search(t.Context(), search.Query{}); directory.KindOf(err) != directory.Invalid || p.Degraded() {
		t.Errorf("a bad query: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	p.first.err = context.Canceled
	if _, err := p.Search(gone, q); !errors.Is(err, context.Canceled) || p.Degraded() {
		t.Errorf("a caller that is gone: %v", err)
	}
}

// TestPairPages: paging goes on when the index changes in the middle of it.
func TestPairPages(t *testing.T) {
	entries := theWorld().entries
	xining := directory.Point{Lat: 36.62, Lon: 101.78}
	for _, q := range []search.Query{
		{Sort: search.ByNewest}, {Sort: search.ByName}, {Sort: search.BySatisfaction}, {Text: "家政"}, {Sort: search.ByDistance, Near: &xining},
	} {
		q.Now, q.Limit = moments[0], 7
		var want []string
		for _, h := range findAll(t, enginesUnderTest[0].loaded(t, entries), q) {
			want = append(want, h.ID)
		}
		for fails := range 4 { // at the page of this number
			p := newPaired(t, entries)
			var got []string
			for page := 0; ; page++ {
				if page == fails {
					p.first.err = &directory.Error{Kind: directory.Unavailable, What: "search"}
				}
				if page == fails+3 { // pages of the standby stay with it
					p.first.err = nil
					p.clock = p.clock.Add(time.Minute)
				}
				r, err := p.Search(t.Context(), q)
				if err != nil {
					t.Fatalf("%+v, page %d: %v", q, page, err)
				}
				for _, h := range r.Hits {
					got = append(got, h.ID)
				}
				if q.After = r.Next; q.After == "" {
					break
				}
			}
			q.After = ""
			if !slices.Equal(got, want) {
				t.Errorf("%+v, changed over at page %d: %d listings, want %d in this order", q, fails, len(got), len(want))
			}
		}
	}
}

// TestPairLastPage: behind the last listing there is nothing, and a listing that is
// gone cannot be continued behind.
func TestPairLastPage(t *testing.T) {
	entries := theWorld().entries[:10]
	p := newPaired(t, entries)
	q := search.Query{Sort: search.ByName, Limit: 9, Now: moments[0]}
	first, err := p.Search(t.Context(), q)
	if err != nil || first.Next == "" {
		t.Fatal(first.Next, err)
	}
	p.first.err = &directory.Error{Kind: directory.Unavailable, What: "search"}
	q.After = first.Next
	last, err := p.Search(t.Context(), q)
	if err != nil || len(last.Hits) != 1 || last.Next != "" {
		t.Errorf("the last page: %d, %q, %v", len(last.Hits), last.Next, err)
	}
	// In the meantime the listing behind which it goes on has become the last one.
	gone := newPaired(t, slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.ID == last.Hits[0].ID }))
	gone.first.err = p.first.err
	if r, err := gone.Search(t.Context(), q); err != nil || len(r.Hits) != 0 || r.Next != "" || r.Total != 9 {
		t.Errorf("nothing behind it: %+v, %v", r, err)
	}
	lost := newPaired(t, slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.ID == first.Hits[8].ID }))
	lost.first.err = p.first.err
	if _, err := lost.Search(t.Context(), q); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("it is gone: %v", err)
	}
	for _, bad := range []string{"pair:nonsense", `pair:{"id": "x"}`, `pair:{"token": "{}"}`} {
		q.After = bad
		if _, err := p.Search(t.Context(), q); directory.KindOf(err) != directory.Invalid {
			t.Errorf("the cursor %s: %v", bad, err)
		}
	}
}
