package search

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"qingfu/directory"
)

// Pair answers from one index, and from another one of the same listings while the
// first is away, slow or behind. Its methods return the errors of a Searcher.
type Pair struct {
	first, standby Searcher
	behind         func() bool // whether the first lacks what the standby has
	now            func() time.Time
	failed         func(error) // told when the first fails a search
	// restUntil is when the first may be asked again after a failure, in nanoseconds
	// since 1970; 0 when its last answer was good.
	restUntil atomic.Int64
}

var _ Searcher = (*Pair)(nil)

const (
	// patience is how long the first of a pair may take for an answer.
	patience = 2 * time.Second
	// rest is how long the first of a pair is left alone after a failure. Then one search
	// tries it, while the others go on with the standby.
	rest = 3 * time.Second
)

// NewPair returns a Pair. Behind tells, quickly, whether the first is not to be asked
// now; failed is called with the reason when a search that the first failed is
// answered by the standby.
func NewPair(first, standby Searcher, behind func() bool, failed func(error), now func() time.Time) *Pair {
	return &Pair{first: first, standby: standby, behind: behind, failed: failed, now: now}
}

// Degraded tells whether searches are answered by the standby now.
func (p *Pair) Degraded() bool {
	return p.now().UnixNano() < p.restUntil.Load() || p.behind()
}

// Search implements Searcher. A page may be asked of the other index than the page
// before: in an explicit order it continues where that ended, by relevance behind
// the same listing in the order of the standby. It is Unavailable when that
// listing is no longer found, or only behind 10,000 others.
func (p *Pair) Search(ctx context.Context, q Query) (Result, error) {
	after, err := readPairCursor(q.After)
	if err != nil {
		return Result{}, err
	}
	if q.After != "" && after == nil { // the standby began
		return p.standby.Search(ctx, q)
	}
	return ask(ctx, p, func(ctx context.Context) (Result, error) {
		q := q
		if after != nil {
			q.After = after.Token
		}
		r, err := p.first.Search(ctx, q)
		if r.Next != "" {
			r.Next = pairCursor{r.Hits[len(r.Hits)-1].ID, r.Next}.encode()
		}
		return r, err
	}, func(ctx context.Context) (Result, error) {
		if after == nil {
			return p.standby.Search(ctx, q)
		}
		return searchBehind(ctx, p.standby, q, after.ID)
	})
}

// Suggest implements Searcher.
func (p *Pair) Suggest(ctx context.Context, q SuggestQuery) ([]Suggestion, error) {
	return ask(ctx, p,
		func(ctx context.Context) ([]Suggestion, error) { return p.first.Suggest(ctx, q) },
		func(ctx context.Context) ([]Suggestion, error) { return p.standby.Suggest(ctx, q) })
}

// Clusters implements Searcher. It asks the standby: the first would have to send the
// position of everything that is found.
func (p *Pair) Clusters(ctx context.Context, q ClusterQuery) ([]Cluster, error) {
	return p.standby.Clusters(ctx, q)
}

// Size implements Searcher.
func (p *Pair) Size(ctx context.Context) (int, error) {
	return ask(ctx, p, p.first.Size, p.standby.Size)
}

// ask asks the first of a pair, and the standby when that cannot answer.
func ask[T any](ctx context.Context, p *Pair, first, standby func(context.Context) (T, error)) (T, error) {
	until := p.restUntil.Load()
	if p.Degraded() || until != 0 && !p.restUntil.CompareAndSwap(until, p.now().Add(rest).UnixNano()) {
		return standby(ctx)
	}
	hurried, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := first(hurried)
	if err == nil || directory.KindOf(err) == directory.Invalid {
		if until != 0 {
			p.restUntil.Store(0)
		}
		return answer, err
	}
	if ctx.Err() != nil { // which says nothing about the first
		return answer, err
	}
	if hurried.Err() != nil {
		err = fmt.Errorf("no answer in %s", patience)
	}
	p.restUntil.Store(p.now().Add(rest).UnixNano())
	p.failed(err)
	return standby(ctx)
}

// pairCursor is the cursor of a page of the first index: its own one, and the last
// listing, behind which the standby can go on.
type pairCursor struct {
	ID    string `json:"id"`
	Token string `json:"token"`
}

// pairMark begins a pairCursor, and no cursor of an engine.
const pairMark = "pair:"

func (c pairCursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil { // strings can always be written
		panic(err)
	}
	return pairMark + string(b)
}

// readPairCursor returns nil for a cursor of the standby.
func readPairCursor(cursor string) (*pairCursor, error) {
	text, ok := strings.CutPrefix(cursor, pairMark)
	if !ok {
		return nil, nil
	}
	var c pairCursor
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.ID == "" || c.Token == "" {
		return nil, BadCursor(err)
	}
	return &c, nil
}

// mostPages bounds how far searchBehind looks for a listing.
const mostPages = 100

// searchBehind returns the page behind a listing in the order of a query.
func searchBehind(ctx context.Context, s Searcher, q Query, id string) (Result, error) {
	look := q
	look.Facets, look.Limit, look.After = nil, 100, ""
	for range mostPages {
		r, err := s.Search(ctx, look)
		if err != nil {
			return Result{}, err
		}
		at := slices.IndexFunc(r.Hits, func(h Hit) bool { return h.ID == id })
		switch {
		case at >= 0 && at == len(r.Hits)-1 && r.Next == "": // nothing is behind it
			q.After = look.After
			r, err := s.Search(ctx, q)
			r.Hits, r.Next = nil, ""
			return r, err
		case at >= 0:
			look.Limit = at + 1
			if r, err = s.Search(ctx, look); err != nil {
				return Result{}, err
			}
			q.After = r.Next
			return s.Search(ctx, q)
		case r.Next == "":
			return Result{}, &directory.Error{Kind: directory.Unavailable, What: "search"}
		}
		look.After = r.Next
	}
	return Result{}, &directory.Error{Kind: directory.Unavailable, What: "search"}
}
