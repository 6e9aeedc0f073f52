package meili

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/meilisearch/meilisearch-go"

	"qingfu/directory"
	"qingfu/search"
)

// hit is a document that was found.
type hit struct {
	ID           string         `json:"id"`
	Kind         directory.Kind `json:"kind"`
	Title        string         `json:"title"`
	Street       string         `json:"street"`
	Card         string         `json:"card"`
	Hours        string         `json:"hours"`
	Geo          *geo           `json:"_geo"`
	Key          string         `json:"key"`
	Satisfaction float64        `json:"satisfaction"`
	Fresh        int64          `json:"fresh"`
	Created      int64          `json:"created"`
	Name1        string         `json:"name1"`
	Name2        string         `json:"name2"`
	Name3        string         `json:"name3"`
	Name4        string         `json:"name4"`
	Scores       map[string]struct {
		Score float64 `json:"score"`
	} `json:"_rankingScoreDetails"`
}

// point returns the position, nil where there is none.
func (h *hit) point() *directory.Point {
	if h.Geo == nil {
		return nil
	}
	return &directory.Point{Lat: h.Geo.Lat, Lon: h.Geo.Lng}
}

// Search implements search.Engine.
func (e *Engine) Search(ctx context.Context, q search.Query) (search.Result, error) {
	if err := q.Check(); err != nil {
		return search.Result{}, err
	}
	after, err := decodePlace(q.After)
	if err != nil {
		return search.Result{}, err
	}
	t, err := e.understand(ctx, q.Text)
	if err != nil {
		return search.Result{}, err
	}
	f, err := e.filter(ctx, &q)
	if err != nil {
		return search.Result{}, err
	}
	if t.empty() {
		f.rest = append(f.rest, nothing)
	}
	s := &finding{Engine: e, q: &q, text: t, filters: f}
	return s.result(ctx, after)
}

// finding is one search under way.
type finding struct {
	*Engine
	q       *search.Query
	text    *text
	filters *filters
}

// byScores tells whether the order is that of the ranking rules.
func (s *finding) byScores() bool {
	return s.q.Sort == search.ByRelevance && len(s.text.words) > 0
}

// result answers the query behind a place.
func (s *finding) result(ctx context.Context, after *place) (search.Result, error) {
	count := s.request(s.text.words, s.filters.except(""))
	counting(count)
	requests := []*meilisearch.SearchRequest{count}
	// Each disjunctive facet that is filtered is counted without its own filter, all
	// others with the total.
	counted := make([]int, len(s.q.Facets)) // the request of each facet
	for i, facet := range s.q.Facets {
		of := count
		if _, ok := s.filters.own[facet]; ok {
			of = s.request(s.text.words, s.filters.except(facet))
			counting(of)
			counted[i] = len(requests)
			requests = append(requests, of)
		}
		of.Facets = append(of.Facets, facetAttributes(facet, s.q.RegionFacet)...)
	}
	// The page comes with the counts unless it has to be looked for.
	searched := s.q.Sort == search.ByDistance || s.byScores() && after != nil
	if !searched {
		requests = append(requests, s.page(after))
	}
	answers, err := s.search(ctx, requests...)
	if err != nil {
		return search.Result{}, err
	}
	res := search.Result{Total: int(answers[0].TotalHits)}
	if len(s.q.Facets) > 0 {
		res.Facets = map[search.Facet][]search.FacetCount{}
	}
	for i, facet := range s.q.Facets {
		if res.Facets[facet], err = countsOf(&answers[counted[i]], facet, s.q.RegionFacet); err != nil {
			return search.Result{}, err
		}
	}
	var found []hit
	switch {
	case s.q.Sort == search.ByDistance:
		found, err = s.nearest(ctx, after)
	case searched:
		found, err = s.behindScores(ctx, after)
	default:
		found, err = decode(&answers[len(answers)-1])
	}
	if err != nil {
		return search.Result{}, err
	}
	if len(found) > s.q.Limit {
		found = found[:s.q.Limit]
		res.Next = s.placeAfter(&found[s.q.Limit-1], after).encode()
	}
	res.Hits, err = s.hits(ctx, found)
	return res, err
}

// placeAfter returns the place of the last hit of the page behind a place.
func (s *finding) placeAfter(last *hit, after *place) *place {
	switch {
	case s.byScores():
		p := placeOf(last, search.ByRelevance)
		p.Seen = s.q.Limit
		if after != nil {
			p.Seen += after.Seen
		}
		return p
	case s.q.Sort == search.ByDistance:
		return s.placeByDistance(last)
	}
	return placeOf(last, s.order())
}

// order is the explicit order of a query; without words, relevance is that of
// satisfaction.
func (s *finding) order() search.Sort {
	if s.q.Sort == search.ByRelevance {
		return search.BySatisfaction
	}
	return s.q.Sort
}

// page asks for the hits behind a place, one more than the limit.
func (s *finding) page(after *place) *meilisearch.SearchRequest {
	r := s.request(s.text.words, s.filters.except(""))
	r.Limit = int64(s.q.Limit) + 1
	if s.byScores() {
		r.ShowRankingScoreDetails = true
		return r
	}
	r.Sort = sorting(s.order())
	if after != nil {
		r.Filter = append(r.Filter.([]string), after.behind(s.order()))
	}
	return r
}

// behindScores returns the hits behind a place in the order of the ranking rules,
// one more than the limit. It looks for the place where it was, and from there in
// the direction in which it has moved.
func (s *finding) behindScores(ctx context.Context, after *place) ([]hit, error) {
	want := s.q.Limit + 1
	at := max(0, after.Seen-1)
	for step := want; ; step *= 2 {
		found, err := s.window(ctx, at, want+1)
		if err != nil {
			return nil, err
		}
		first := slices.IndexFunc(found, func(h hit) bool { return placeOf(&h, search.ByRelevance).compareRelevance(after) > 0 })
		switch {
		case at > 0 && (len(found) == 0 || first == 0): // it has moved towards the beginning
			at = max(0, at-step)
		case first < 0 && len(found) <= want: // the end
			return nil, nil
		case first < 0:
			at += len(found)
		case first > 1 && len(found) == want+1: // not all that is wanted
			at += first - 1
		default:
			return found[first:min(len(found), first+want)], nil
		}
	}
}

// window returns some hits in the order of the ranking rules.
func (s *finding) window(ctx context.Context, from, n int) ([]hit, error) {
	r := s.page(nil)
	r.Offset, r.Limit = int64(from), int64(n)
	answers, err := s.search(ctx, r)
	if err != nil {
		return nil, err
	}
	return decode(&answers[0])
}

// hits completes what was found with what depends on the text, the moment and on
// where the caller is.
func (s *finding) hits(ctx context.Context, found []hit) ([]search.Hit, error) {
	marker := s.text.marker()
	out := make([]search.Hit, len(found))
	for i := range found {
		f := &found[i]
		h := search.Hit{ID: f.ID, Card: f.Card}
		if marker != nil {
			h.Highlight = marker.Highlight(f.Title, f.Street)
		}
		if f.Hours != "" {
			hours, err := s.hoursOf(ctx, f.Hours)
			if err != nil {
				return nil, err
			}
			h.OpenNow = new(hours.OpenAt(s.q.Now, s.config.Calendar))
		}
		if p := f.point(); p != nil && s.q.Near != nil {
			h.DistanceM = new(int(math.Round(directory.Distance(*s.q.Near, *p))))
		}
		out[i] = h
	}
	return out, nil
}

// request asks for documents that have all words and meet all conditions.
func (e *Engine) request(words []reading, conditions []string) *meilisearch.SearchRequest {
	return &meilisearch.SearchRequest{
		IndexUID: e.index, Query: join(words), AttributesToSearchOn: among(searchable, words),
		Locales: []string{"cmn"}, MatchingStrategy: meilisearch.All,
		Filter: append([]string{}, conditions...), AttributesToRetrieve: displayed,
	}
}

// among returns the attributes that words are looked for in, those with typos
// among them where a word needs them.
func among(attributes []string, words []reading) []string {
	if slices.ContainsFunc(words, func(r reading) bool { return r.fuzzy }) {
		return append(slices.Clone(attributes), fuzzy)
	}
	return attributes
}

// counting makes a request one for the exact total alone. Pages have that, while
// what has an offset gets an estimate; a page has one hit at least.
func counting(r *meilisearch.SearchRequest) {
	r.Page, r.HitsPerPage, r.AttributesToRetrieve = 1, new(int64(1)), []string{"key"}
}

// search sends requests at once.
func (e *Engine) search(ctx context.Context, requests ...*meilisearch.SearchRequest) (answers []meilisearch.SearchResponse, err error) {
	ask := func() error {
		reader, err := e.searcher(ctx)
		if err != nil {
			return err
		}
		res, err := reader.MultiSearchWithContext(ctx, &meilisearch.MultiSearchRequest{Queries: requests})
		if err == nil {
			answers = res.Results
		}
		return err
	}
	if err = e.try(ctx, atOnce, ask); isCode(err, "invalid_api_key") {
		e.reader.Store(nil) // the keys were lost, or made anew
		err = e.try(ctx, nil, ask)
	}
	if err == nil && len(answers) != len(requests) {
		err = fmt.Errorf("meilisearch: %d answers to %d searches", len(answers), len(requests))
	}
	return answers, err
}

func decode(answer *meilisearch.SearchResponse) ([]hit, error) {
	out := make([]hit, len(answer.Hits))
	for i, h := range answer.Hits {
		if err := h.DecodeInto(&out[i]); err != nil {
			return nil, fmt.Errorf("meilisearch: hit: %w", err)
		}
	}
	return out, nil
}

// facetAttributes returns the attributes that a facet is counted by: for the
// regions those of the levels that are asked for.
func facetAttributes(facet search.Facet, regions []string) []string {
	if facet != search.RegionFacet {
		return []string{attributeOf[facet]}
	}
	var levels []string
	for _, code := range regions {
		levels = append(levels, areaOf(code))
	}
	return sortedSet(levels)
}

// countsOf reads the counts of a facet from an answer.
func countsOf(answer *meilisearch.SearchResponse, facet search.Facet, regions []string) ([]search.FacetCount, error) {
	byAttribute := map[string]map[string]int{}
	if len(answer.FacetDistribution) > 0 {
		if err := json.Unmarshal(answer.FacetDistribution, &byAttribute); err != nil {
			return nil, fmt.Errorf("meilisearch: facets: %w", err)
		}
	}
	if facet != search.RegionFacet {
		return search.SortedFacet(byAttribute[attributeOf[facet]]), nil
	}
	counts := map[string]int{}
	for _, code := range regions {
		counts[code] = byAttribute[areaOf(code)][code]
	}
	return search.SortedFacet(counts), nil
}
