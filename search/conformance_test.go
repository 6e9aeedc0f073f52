package search_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/meili"
	"qingfu/search/memory"
	"qingfu/seed"
)

// The conformance suite says what every search.Engine does. It compares engines
// with a reference that looks at every listing: this file holds the reference,
// the others the laws.

// engineUnderTest is one implementation that the suite is run on.
type engineUnderTest struct {
	name string
	open func(testing.TB) search.Engine // empty, closed at the end of the test
}

var enginesUnderTest = []engineUnderTest{
	{"memory", func(t testing.TB) search.Engine {
		w := theWorld()
		e, err := memory.New(w.lexicon, w.calendar)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return e
	}},
	{"meilisearch", func(t testing.TB) search.Engine {
		url := os.Getenv("MEILI_URL")
		if url == "" {
			t.Skip("MEILI_URL is not set: there is no Meilisearch to test with")
		}
		w := theWorld()
		e := meili.New(meili.Config{
			URL: url, Key: os.Getenv("MEILI_KEY"), Index: fmt.Sprintf("test-%d", rand.Uint64()), Lexicon: w.lexicon, Calendar: w.calendar,
		})
		if err := e.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(e.Close(), e.Remove(background)); err != nil {
				t.Error(err)
			}
		})
		return e
	}},
}

// onEveryEngine runs a test on each engine.
func onEveryEngine(t *testing.T, test func(*testing.T, engineUnderTest)) {
	for _, e := range enginesUnderTest {
		t.Run(e.name, func(t *testing.T) { test(t, e) })
	}
}

// loaded returns an engine that holds documents, put at once.
func (e engineUnderTest) loaded(t testing.TB, entries []entry) search.Engine {
	engine := e.open(t)
	if err := engine.Put(t.Context(), documents(entries)...); err != nil {
		t.Fatal(err)
	}
	return engine
}

// entry is a listing with its searchable form.
type entry struct {
	directory.Listing
	doc     search.Document
	price   *int64
	share   *float64
	badges  []string
	sortKey string
}

func documents(entries []entry) []search.Document {
	docs := make([]search.Document, len(entries))
	for i := range entries {
		docs[i] = entries[i].doc
	}
	return docs
}

// world is what all tests search in: the embedded data and several hundred
// listings of every origin.
type world struct {
	regions  *directory.Regions
	calendar *directory.Calendar
	lexicon  *search.Lexicon
	indexer  *search.Indexer
	entries  []entry // real, for demonstration, and synthetic
}

var theWorld = sync.OnceValue(func() *world {
	regions, err := seed.Regions()
	if err != nil {
		panic(err)
	}
	calendar, err := seed.Calendar()
	if err != nil {
		panic(err)
	}
	w := &world{regions: regions, calendar: calendar, lexicon: search.NewLexicon(regions), indexer: search.NewIndexer(regions)}
	real, err := seed.Real()
	if err != nil {
		panic(err)
	}
	demo, err := seed.Demo()
	if err != nil {
		panic(err)
	}
	listings := append(real, demo...)
	listings = slices.AppendSeq(listings, seed.Synthetic(250, 11))
	for _, l := range listings {
		w.entries = append(w.entries, w.index(l))
	}
	return w
})

// index makes the searchable form of a listing.
func (w *world) index(l directory.Listing) entry {
	doc, err := w.indexer.Document(&l)
	if err != nil {
		panic(err)
	}
	e := entry{Listing: l, doc: doc, badges: l.Badges(), share: l.Satisfaction.Summary().Share, sortKey: search.SortKey(l.Names.Zh)}
	if fen, ok := l.PriceFrom(); ok {
		e.price = &fen
	}
	return e
}

// made returns a listing with what every one has, changed by edit.
func (w *world) made(id string, edit func(*directory.Listing)) entry {
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	l := directory.Listing{
		ID: id, Kind: directory.BrandKind, Names: directory.Names{Zh: "某店"}, Region: "630000",
		Status: directory.Published, CreatedAt: at, UpdatedAt: at,
	}
	edit(&l)
	return w.index(l)
}

// named returns listings with these Chinese names, which are also their ids.
func (w *world) named(names ...string) []entry {
	var out []entry
	for _, name := range names {
		out = append(out, w.made(name, func(l *directory.Listing) { l.Names.Zh = name }))
	}
	return out
}

// passesFilters tells whether a listing passes a query without text, leaving out
// the filter of one facet.
func (w *world) passesFilters(e *entry, q *search.Query, except search.Facet) bool {
	anyIn := func(facet search.Facet, wanted, has []string) bool {
		return facet == except || len(wanted) == 0 || slices.ContainsFunc(wanted, func(v string) bool { return slices.Contains(has, v) })
	}
	all := func(wanted, has []string) bool {
		return !slices.ContainsFunc(wanted, func(v string) bool { return !slices.Contains(has, v) })
	}
	var kinds []string
	for _, k := range q.Kinds {
		kinds = append(kinds, string(k))
	}
	if !anyIn(search.KindFacet, kinds, []string{string(e.Kind)}) || !anyIn(search.CategoryFacet, q.Categories, e.Categories) {
		return false
	}
	if except != search.RegionFacet && len(q.Regions) > 0 && !slices.ContainsFunc(q.Regions, func(code string) bool { return w.isIn(e, code) }) {
		return false
	}
	if !all(q.Features, e.Features) || !all(q.Badges, e.badges) {
		return false
	}
	switch {
	case q.Near != nil && q.RadiusM > 0 && (e.Location == nil || directory.Distance(*q.Near, *e.Location) > q.RadiusM),
		q.Box != nil && (e.Location == nil || !q.Box.Contains(*e.Location)),
		q.OpenNow && !e.Hours.OpenAt(q.Now, w.calendar),
		q.HasVacancy != nil && *q.HasVacancy != e.HasVacancy(),
		q.PriceMax != nil && !(e.price != nil && *e.price <= *q.PriceMax),
		q.MinSatisfaction != nil && !(e.share != nil && *e.share >= *q.MinSatisfaction),
		q.Demo != nil && *q.Demo != e.Demo:
		return false
	}
	return true
}

// isIn tells whether a listing lies in a region or serves a county in it.
func (w *world) isIn(e *entry, code string) bool {
	if w.regions.Within(e.Region, code) {
		return true
	}
	return e.DomesticService != nil && slices.ContainsFunc(e.DomesticService.CountiesServed, func(county string) bool {
		return w.regions.Within(county, code)
	})
}

// expected returns the ids that a query without text finds, in order.
func (w *world) expected(entries []entry, q *search.Query) []string {
	type place struct {
		*entry
		distance, satisfaction float64
		fresh                  time.Time
	}
	var found []place
	for i := range entries {
		if e := &entries[i]; w.passesFilters(e, q, "") {
			p := place{entry: e}
			p.satisfaction, p.fresh = e.Rank()
			if q.Sort == search.ByDistance {
				p.distance = distanceFrom(*q.Near, e)
			}
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b place) int {
		first := 0
		switch q.Sort {
		case search.ByNewest:
			first = b.CreatedAt.Compare(a.CreatedAt)
		case search.ByName:
			first = cmp.Compare(a.sortKey, b.sortKey)
		case search.ByDistance:
			first = cmp.Compare(a.distance, b.distance)
		}
		return cmp.Or(first, cmp.Compare(b.satisfaction, a.satisfaction), b.fresh.Compare(a.fresh), cmp.Compare(a.ID, b.ID))
	})
	ids := make([]string, len(found))
	for i, e := range found {
		ids[i] = e.ID
	}
	return ids
}

// distanceFrom returns the distance of a listing, infinite where it is not
// known. It is rounded to a tenth of a millimetre, below which engines may
// differ.
func distanceFrom(p directory.Point, e *entry) float64 {
	if e.Location == nil {
		return math.Inf(1)
	}
	return math.Round(directory.Distance(p, *e.Location)*1e4) / 1e4
}

// expectedCounts returns the counts of one facet for a query without text.
func (w *world) expectedCounts(entries []entry, q *search.Query, facet search.Facet) []search.FacetCount {
	counts := map[string]int{}
	for i := range entries {
		e := &entries[i]
		if !w.passesFilters(e, q, facet) {
			continue
		}
		var values []string
		switch facet {
		case search.KindFacet:
			values = []string{string(e.Kind)}
		case search.CategoryFacet:
			values = e.Categories
		case search.FeatureFacet:
			values = e.Features
		case search.BadgeFacet:
			values = e.badges
		case search.RegionFacet:
			for _, code := range q.RegionFacet {
				if w.isIn(e, code) {
					values = append(values, code)
				}
			}
		}
		for _, v := range values {
			counts[v]++
		}
	}
	out := []search.FacetCount{}
	for v, n := range counts {
		out = append(out, search.FacetCount{Value: v, Count: n})
	}
	slices.SortFunc(out, func(a, b search.FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	return out
}

// fataler is what testing.T and rapid.T share that the helpers need.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// find answers a query or ends the test. A limit of 0 stands for 100.
func find(t fataler, e search.Engine, q search.Query) search.Result {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	res, err := e.Search(background, q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return res
}

// findAll follows the cursor of a query to its end and returns all hits. It
// checks that no page but the last is short and that the total stays.
func findAll(t fataler, e search.Engine, q search.Query) []search.Hit {
	t.Helper()
	var hits []search.Hit
	for total := -1; ; {
		res := find(t, e, q)
		if total >= 0 && res.Total != total {
			t.Fatalf("%+v: the total changed from %d to %d", q, total, res.Total)
		}
		total = res.Total
		hits = append(hits, res.Hits...)
		if res.Next == "" {
			if len(hits) != total {
				t.Fatalf("%+v: %d hits of %d", q, len(hits), total)
			}
			return hits
		}
		if len(res.Hits) != cmp.Or(q.Limit, 100) || len(hits) >= total {
			t.Fatalf("%+v: a page of %d and more to come after %d of %d", q, len(res.Hits), len(hits), total)
		}
		q.After = res.Next
	}
}

func idsOf(hits []search.Hit) []string {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

// sameIDs ends the test where two lists of ids first differ.
func sameIDs(t fataler, what any, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%+v: %d ids, want %d; at %d %q, want %q", what, len(got), len(want), i,
				got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
		}
	}
}

// checkSome is rapid.Check for costly properties: with the given percentage of
// the checks that -rapid.checks asks for.
func checkSome(t *testing.T, percent int, property func(*rapid.T)) {
	checks := flag.Lookup("rapid.checks")
	asked := checks.Value.String()
	n, err := strconv.Atoi(asked)
	if err != nil {
		t.Fatal(err)
	}
	defer flag.Set("rapid.checks", asked)
	flag.Set("rapid.checks", strconv.Itoa(max(1, n*percent/100)))
	rapid.Check(t, property)
}

// maybe draws a value in about one of n cases.
func maybe(t *rapid.T, label string, n int) bool { return rapid.IntRange(1, n).Draw(t, label) == n }
