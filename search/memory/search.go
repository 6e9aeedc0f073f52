package memory

import (
	"context"
	"encoding/json"
	"math"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/directory"
	"qingfu/search"
)

// Search implements search.Engine.
func (e *Engine) Search(ctx context.Context, q search.Query) (search.Result, error) {
	if err := q.Check(); err != nil {
		return search.Result{}, err
	}
	after, err := decodePlace(q.After)
	if err != nil {
		return search.Result{}, err
	}
	snap := e.snapshot.Load()
	sel, err := e.choose(ctx, snap, &q)
	if err != nil {
		return search.Result{}, err
	}
	res := search.Result{Total: sel.total, Facets: sel.facets}
	p := snap.page(sel, &q, after)
	res.Next = p.next
	res.Hits = make([]search.Hit, len(p.shown))
	for i := range p.shown {
		res.Hits[i] = e.hit(&p.shown[i], &q)
	}
	return res, nil
}

// page returns the page of a selection behind a place, in the order of a query.
func (snap *snapshot) page(sel *selection, q *search.Query, after *place) page {
	key := pageKey(q)
	if p, ok := sel.page(key); ok {
		return p
	}
	var found []candidate
	for i, v := range snap.view {
		found = mergePages(found, v.seg.page(q, sel.docs[i], sel.terms, i, after), q.Limit+1)
	}
	var p page
	if len(found) > q.Limit {
		found = found[:q.Limit]
		p.next = encodePlace(&found[q.Limit-1].place)
	}
	marker := newMarker(sel.terms)
	p.shown = make([]shown, len(found))
	for i, c := range found {
		p.shown[i].candidate = c
		if marker != nil {
			p.shown[i].highlight = marker.Highlight(c.seg.docs[c.doc].name, c.seg.docs[c.doc].address)
		}
	}
	sel.keep(key, p)
	return p
}

// page returns the first documents of one segment in the order of a query, one
// more than the limit.
func (s *segment) page(q *search.Query, docs *roaring.Bitmap, terms []term, at int, after *place) []candidate {
	if docs.IsEmpty() {
		return nil
	}
	limit := q.Limit + 1
	switch q.Sort {
	case search.ByDistance:
		return s.nearest(docs, *q.Near, after, limit)
	case search.ByNewest:
		return s.ordered(&s.newest, docs, after, limit, func(d uint32) place { return place{Created: s.docs[d].created} })
	case search.ByName:
		return s.ordered(&s.name, docs, after, limit, func(d uint32) place { return place{Name: search.SortKey(s.docs[d].name)} })
	}
	var rs []rule
	if q.Sort == search.ByRelevance && len(terms) > 0 {
		all := s.relevance(terms, at, q.Text)
		rs = all[:]
	}
	return s.ranked(rs, docs, after, limit)
}

// mergePages merges two sorted pages and keeps the first candidates.
func mergePages(a, b []candidate, limit int) []candidate {
	if len(a) == 0 {
		return b[:min(limit, len(b))]
	}
	out := make([]candidate, 0, min(limit, len(a)+len(b)))
	for len(out) < cap(out) {
		if len(b) == 0 || len(a) > 0 && a[0].compare(&b[0].place) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return out
}

// ordered returns documents by one of the permutations.
func (s *segment) ordered(o *order, docs *roaring.Bitmap, after *place, limit int, placeOf func(d uint32) place) []candidate {
	start := o.after(after, func(d uint32) place { return s.candidate(d, placeOf(d)).place })
	first := o.first(docs, start, limit)
	out := make([]candidate, len(first))
	for i, d := range first {
		out[i] = s.candidate(d, placeOf(d))
	}
	return out
}

// hit completes a document that is shown with what depends on the moment and on
// where the caller is.
func (e *Engine) hit(c *shown, q *search.Query) search.Hit {
	d := &c.seg.docs[c.doc]
	h := search.Hit{ID: d.id, Card: d.card, Highlight: c.highlight}
	if hours := c.seg.hours[c.doc]; hours != 0 {
		h.OpenNow = &c.seg.openHours(q.Now, e.calendar)[hours]
	}
	if q.Near != nil && c.seg.geo.located.Contains(c.doc) {
		m := int(math.Round(directory.Distance(*q.Near, c.seg.geo.points[c.doc])))
		h.DistanceM = &m
	}
	return h
}

// encodePlace makes the text of a place that a client hands back.
func encodePlace(p *place) string {
	b, err := json.Marshal(p)
	if err != nil { // a place holds nothing that JSON cannot
		panic(err)
	}
	return string(b)
}

// decodePlace reads what encodePlace wrote; nil for the beginning.
func decodePlace(token string) (*place, error) {
	if token == "" {
		return nil, nil
	}
	var p place
	if err := json.Unmarshal([]byte(token), &p); err != nil {
		return nil, search.BadCursor(err)
	}
	return &p, nil
}
