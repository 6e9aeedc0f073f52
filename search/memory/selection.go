package memory

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/search"
)

// selection is what a query selects from a snapshot, whatever page of it is
// looked at.
type selection struct {
	terms  []term
	docs   []*roaring.Bitmap // by segment
	total  int
	facets map[search.Facet][]search.FacetCount

	mu    sync.Mutex
	pages map[string]page // by sort, limit and the place before
}

// page is a page of a selection.
type page struct {
	shown []shown
	next  string // the place of the last one when more follow
}

// shown is a document on a page with its marked texts.
type shown struct {
	candidate
	highlight map[string]string
}

// size is about what a selection takes in memory, in bytes: its documents, and
// what the terms and some pages come to.
func (s *selection) size() uint64 {
	size := uint64(8 << 10)
	for _, docs := range s.docs {
		size += docs.GetSizeInBytes()
	}
	return size
}

// page returns a page that was made before.
func (s *selection) page(key string) (page, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[key]
	return p, ok
}

// keep keeps a page; when there are many it begins anew.
func (s *selection) keep(key string, p page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages == nil || len(s.pages) >= maxPages {
		s.pages = map[string]page{}
	}
	s.pages[key] = p
}

// pageKey names what a page depends on besides its selection.
func pageKey(q *search.Query) string {
	return strings.Join([]string{string(q.Sort), strconv.Itoa(q.Limit), q.After}, "\x00")
}

// choose finds what a query selects from a snapshot, or remembers it.
func (e *Engine) choose(ctx context.Context, snap *snapshot, q *search.Query) (*selection, error) {
	key, cacheable := selectionKey(q)
	if cacheable {
		if sel := snap.cache.get(key); sel != nil {
			return sel, nil
		}
	}
	terms, texts := e.candidates(snap, q.Text)
	sel := &selection{terms: terms, docs: make([]*roaring.Bitmap, len(snap.view))}
	counts := map[search.Facet]map[string]int{}
	for _, facet := range q.Facets {
		counts[facet] = map[string]int{}
	}
	for i, v := range snap.view {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := v.seg.filter(q, e.calendar, texts[i], v.dead)
		sel.docs[i] = v.seg.passing(&f, "")
		sel.total += int(sel.docs[i].GetCardinality())
		v.seg.countFacets(q, &f, sel.docs[i], counts)
	}
	if len(q.Facets) > 0 {
		sel.facets = make(map[search.Facet][]search.FacetCount, len(counts))
		for facet, values := range counts {
			sel.facets[facet] = search.SortedFacet(values)
		}
	}
	if cacheable {
		snap.cache.put(key, sel)
	}
	return sel, nil
}

// candidates parses a text and returns its terms with, for every segment of the
// snapshot, the documents that have them all (nil for no text). When no
// document has them all, words of the field are widened, first the last one: from
// 养老院 to 养老. When that does not help, terms are given up one after the other:
// those that the lexicon does not know first, then places, then words of the
// field, each from the end of the text.
func (e *Engine) candidates(snap *snapshot, text string) ([]term, []*roaring.Bitmap) {
	texts := make([]*roaring.Bitmap, len(snap.view))
	words := e.lexicon.Parse(text)
	if len(words) == 0 {
		return nil, texts
	}
	r := &resolver{lexicon: e.lexicon, typos: e.typos, view: snap.view}
	terms := r.resolve(words)
	for {
		total := uint64(0)
		for i, v := range snap.view {
			texts[i] = none
			for k := range terms {
				m := terms[k].matches[i].all
				if k > 0 {
					m = and(texts[i], m)
				}
				if m == nil {
					m = none
				}
				texts[i] = m
			}
			total += texts[i].GetCardinality()
			if v.dead != nil {
				total -= texts[i].AndCardinality(v.dead)
			}
		}
		if total > 0 || len(terms) < 2 {
			return terms, texts
		}
		if !r.widen(terms) {
			terms = search.GiveUp(terms, func(t term) search.WordClass { return t.Class })
		}
	}
}

// widen replaces the last term that can be by a wider one that is found, and
// tells whether there was one.
func (r *resolver) widen(terms []term) bool {
	for i := len(terms) - 1; i >= 0; i-- {
		for _, word := range append([]string{terms[i].Text}, terms[i].Same...) {
			wider, ok := r.lexicon.Wider(word)
			if !ok {
				continue
			}
			w := search.Word{Text: wider, Script: search.Han, Class: terms[i].Class}
			if t := r.find(w, plain(r.lexicon, w)); t.hits > 0 {
				terms[i] = t
				return true
			}
		}
	}
	return false
}
