package search_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

var background = context.Background()

// moments are times at which opening hours are easily got wrong.
var moments = []time.Time{
	shanghai("2026-11-24 10:00"), // a Tuesday
	shanghai("2026-11-24 12:30"), // lunch
	shanghai("2026-11-24 13:59"),
	shanghai("2026-11-24 14:00"),
	shanghai("2026-11-24 18:00"),
	shanghai("2026-11-22 00:15"), // the night from Saturday to Sunday
	shanghai("2026-11-30 01:30"), // from Sunday to Monday
	shanghai("2026-10-01 11:00"), // National Day
	shanghai("2026-10-10 11:00"), // a Saturday that is worked
	shanghai("2026-02-17 11:00"), // New Year, and closed by an exception
	shanghai("2026-12-05 09:30"), // winter hours
	shanghai("2026-08-01 23:59"),
}

func shanghai(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, directory.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// drawQuery draws a query without text. Most filters are absent from most
// queries, so that results are seldom empty.
func drawQuery(t *rapid.T, w *world, entries []entry) search.Query {
	example := &entries[rapid.IntRange(0, len(entries)-1).Draw(t, "example")]
	q := search.Query{Now: rapid.SampledFrom(moments).Draw(t, "now"), Limit: rapid.IntRange(1, 100).Draw(t, "limit")}
	if maybe(t, "anyTime", 3) {
		q.Now = moments[0].Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(t, "minute")) * time.Minute)
	}
	if maybe(t, "kinds", 4) {
		q.Kinds = rapid.SliceOfN(rapid.Map(rapid.SampledFrom(directory.Kinds), func(k directory.Term) directory.Kind { return directory.Kind(k.Code) }), 1, 3).Draw(t, "kinds")
	}
	if maybe(t, "categories", 5) {
		q.Categories = append(drawCodes(t, "categories", categoryCodes()), example.Categories...)
	}
	if maybe(t, "regions", 3) {
		path := w.regions.Path(example.Region)
		q.Regions = []string{path[rapid.IntRange(0, len(path)-1).Draw(t, "level")].Code}
		if maybe(t, "county", 3) {
			q.Regions = append(q.Regions, "632801", "999999")
		}
		if d := example.DomesticService; d != nil && len(d.CountiesServed) > 0 {
			q.Regions = d.CountiesServed[:1]
		}
	}
	if maybe(t, "features", 6) && len(example.Features) > 0 {
		q.Features = example.Features[:rapid.IntRange(1, len(example.Features)).Draw(t, "features")]
	}
	if maybe(t, "badges", 6) && len(example.Badges()) > 0 {
		q.Badges = example.Badges()
	}
	near := directory.Point{Lat: rapid.Float64Range(32, 39).Draw(t, "lat"), Lon: rapid.Float64Range(90, 103).Draw(t, "lon")}
	if example.Location != nil && maybe(t, "there", 2) {
		near = *example.Location
	}
	if maybe(t, "near", 3) {
		q.Near = &near
		if maybe(t, "radius", 2) {
			q.RadiusM = math.Exp(rapid.Float64Range(4, 13.5).Draw(t, "radius"))
		}
	}
	if maybe(t, "box", 6) {
		q.Box = &directory.Box{South: near.Lat - rapid.Float64Range(0, 3).Draw(t, "s"), North: near.Lat + rapid.Float64Range(0, 3).Draw(t, "n"),
			West: near.Lon - rapid.Float64Range(0, 5).Draw(t, "w"), East: near.Lon + rapid.Float64Range(0, 5).Draw(t, "e")}
	}
	q.OpenNow = maybe(t, "open", 4)
	if maybe(t, "vacancy", 6) {
		q.HasVacancy = new(rapid.Bool().Draw(t, "vacancy"))
	}
	if maybe(t, "price", 6) {
		q.PriceMax = new(rapid.Int64Range(0, 500_000).Draw(t, "price"))
		if fen, ok := example.PriceFrom(); ok && maybe(t, "itsPrice", 2) {
			q.PriceMax = &fen
		}
	}
	if maybe(t, "satisfaction", 6) {
		q.MinSatisfaction = new(float64(rapid.IntRange(0, 10_000).Draw(t, "satisfaction")) / 10_000)
		if share := example.Satisfaction.Summary().Share; share != nil && maybe(t, "itsShare", 2) {
			q.MinSatisfaction = share
		}
	}
	if maybe(t, "demo", 6) {
		q.Demo = new(rapid.Bool().Draw(t, "demo"))
	}
	sorts := []search.Sort{"", search.ByRelevance, search.BySatisfaction, search.ByNewest, search.ByName}
	if q.Near != nil {
		sorts = append(sorts, search.ByDistance, search.ByDistance)
	}
	q.Sort = rapid.SampledFrom(sorts).Draw(t, "sort")
	if maybe(t, "facets", 2) {
		q.Facets = []search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet, search.FeatureFacet, search.BadgeFacet}
		path := w.regions.Path(example.Region)
		for _, child := range w.regions.Children(path[rapid.IntRange(0, len(path)-1).Draw(t, "parent")].Code) {
			q.RegionFacet = append(q.RegionFacet, child.Code)
		}
	}
	return q
}

func categoryCodes() []string {
	var codes []string
	for _, c := range directory.Categories {
		codes = append(codes, c.Code)
	}
	return codes
}

func drawCodes(t *rapid.T, label string, codes []string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(codes), 0, 3, rapid.ID).Draw(t, label)
}

// answersLikeReference checks everything about the answer to a query without text.
func answersLikeReference(t *rapid.T, w *world, e search.Engine, entries []entry, q search.Query) {
	want := w.expected(entries, &q)
	hits := findAll(t, e, q)
	sameIDs(t, q, idsOf(hits), want)
	res := find(t, e, q)
	if res.Total != len(want) {
		t.Fatalf("%+v: total %d, want %d", q, res.Total, len(want))
	}
	for _, facet := range q.Facets {
		if got, want := res.Facets[facet], w.expectedCounts(entries, &q, facet); !slices.Equal(got, want) {
			t.Fatalf("%+v: facet %s: %v, want %v", q, facet, got, want)
		}
	}
	if len(res.Facets) != len(q.Facets) {
		t.Fatalf("%+v: %d facets", q, len(res.Facets))
	}
	byID := map[string]*entry{}
	for i := range entries {
		byID[entries[i].ID] = &entries[i]
	}
	for _, h := range hits {
		l := byID[h.ID]
		switch {
		case h.Card != l.doc.Card:
			t.Fatalf("card of %s: %s", h.ID, h.Card)
		case (h.OpenNow == nil) != (l.Hours == nil) || h.OpenNow != nil && *h.OpenNow != l.Hours.OpenAt(q.Now, w.calendar):
			t.Fatalf("%s: open now at %v", h.ID, q.Now)
		case (h.DistanceM == nil) != (q.Near == nil || l.Location == nil):
			t.Fatalf("%s: distance %v", h.ID, h.DistanceM)
		case h.DistanceM != nil && math.Abs(float64(*h.DistanceM)-directory.Distance(*q.Near, *l.Location)) > 0.5001:
			t.Fatalf("%s: distance %d", h.ID, *h.DistanceM)
		case h.Highlight != nil:
			t.Fatalf("%s: highlight %v without a text", h.ID, h.Highlight)
		}
	}
}

func TestFiltersOrdersAndFacets(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		rapid.Check(t, func(t *rapid.T) { answersLikeReference(t, w, e, w.entries, drawQuery(t, w, w.entries)) })
	})
}

// An index of thousands of listings takes other ways than a small one.
func TestFiltersOrdersAndFacetsOfMany(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		var entries []entry
		for l := range seed.Synthetic(2500, 3) {
			entries = append(entries, w.index(l))
		}
		e := under.loaded(t, entries)
		checkSome(t, 20, func(t *rapid.T) {
			// Few filters keep the candidates many.
			p := directory.Point{Lat: rapid.Float64Range(32, 39).Draw(t, "lat"), Lon: rapid.Float64Range(90, 103).Draw(t, "lon")}
			q := search.Query{Near: &p, Sort: search.ByDistance, Limit: 20}
			want := w.expected(entries, &q)
			for at := 0; at < 100; at += 20 {
				res := find(t, e, q)
				sameIDs(t, q, idsOf(res.Hits), want[at:at+20])
				q.After = res.Next
			}
		})
		rapid.Check(t, func(t *rapid.T) {
			q := drawQuery(t, w, entries)
			want := w.expected(entries, &q)
			sameIDs(t, q, idsOf(find(t, e, q).Hits), want[:min(q.Limit, len(want))])
		})
	})
}

// Every code of every level of region finds what the tree says.
func TestRegionFilter(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		for _, reg := range w.regions.All() {
			if reg.Level == directory.Community && !strings.HasSuffix(reg.Code, "01") {
				continue // some of the 4681 are enough
			}
			q := search.Query{Regions: []string{reg.Code}, Sort: search.ByName}
			sameIDs(t, reg.Code, idsOf(findAll(t, e, q)), w.expected(w.entries, &q))
		}
	})
}

func TestServedCounties(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		firm := w.made("firm", func(l *directory.Listing) {
			l.Kind, l.Region = directory.DomesticServiceKind, "630102001" // 城东区东关大街街道
			l.DomesticService = &directory.DomesticService{CountiesServed: []string{"630102", "632801"}}
		})
		e := under.loaded(t, []entry{firm})
		for code, want := range map[string]int{
			"630000": 1, "630100": 1, "630102": 1, "630102001": 1, // where it lies
			"632800": 1, "632801": 1, // where it serves
			"630103": 0, "630102002": 0, "632802": 0, "": 0, "x": 0,
		} {
			res := find(t, e, search.Query{Regions: []string{code}, Facets: []search.Facet{search.RegionFacet}, RegionFacet: []string{"630100", "632800", "632700"}})
			if res.Total != want {
				t.Errorf("%s: %d, want %d", code, res.Total, want)
			}
			if got := res.Facets[search.RegionFacet]; !slices.Equal(got, []search.FacetCount{{Value: "630100", Count: 1}, {Value: "632800", Count: 1}}) {
				t.Errorf("%s: %v", code, got)
			}
		}
	})
}

func TestOpenNow(t *testing.T) {
	day := func(intervals ...directory.Interval) []directory.Interval { return intervals }
	at := func(open, closing int) directory.Interval {
		return directory.Interval{Open: open * 60, Close: closing * 60}
	}
	weekdays := func(spans []directory.Interval) directory.Week {
		return directory.Week{Mon: spans, Tue: spans, Wed: spans, Thu: spans, Fri: spans}
	}
	closed, short := []directory.Interval{}, day(at(10, 12)) // not nil, as it comes from the store
	hours := map[string]*directory.Hours{
		"always":   {Always: true},
		"office":   {Week: weekdays(day(at(9, 12), at(14, 18))), Holidays: &closed},
		"plain":    {Week: weekdays(day(at(9, 18)))}, // says nothing of holidays
		"holidays": {Week: weekdays(day(at(9, 18))), Holidays: &short},
		"night":    {Week: directory.Week{Sat: day(at(19, 2)), Sun: day(at(19, 24))}},
		"winter": {Always: true, Exceptions: []directory.HoursException{
			{From: "2026-11-01", To: "2026-11-30", Intervals: day(at(10, 16))}, {From: "2026-11-24", To: "2026-11-24"}}},
		"unknown": nil,
	}
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		var entries []entry
		for id, h := range hours {
			entries = append(entries, w.made(id, func(l *directory.Listing) { l.Hours = h }))
		}
		e := under.loaded(t, entries)
		for now, want := range map[string][]string{
			"2026-11-25 11:59": {"always", "office", "plain", "holidays", "winter"}, // a Wednesday
			"2026-11-25 12:00": {"always", "plain", "holidays", "winter"},
			"2026-11-25 14:00": {"always", "office", "plain", "holidays", "winter"},
			"2026-11-25 16:00": {"always", "office", "plain", "holidays"},
			"2026-11-25 18:00": {"always"},
			"2026-11-24 11:00": {"always", "office", "plain", "holidays"}, // closed for one day
			"2026-12-01 03:00": {"always", "winter"},
			"2026-10-01 11:00": {"always", "plain", "holidays", "winter"},           // a holiday on a Thursday
			"2026-10-10 10:30": {"always", "office", "holidays", "winter"},          // a Saturday that is worked
			"2026-11-29 01:59": {"always"},                                          // Sunday: winter hours, and the night of
			"2026-08-30 01:59": {"always", "night", "winter"},                       // Saturday
			"2026-08-30 02:00": {"always", "winter"},                                //
			"2026-08-30 23:59": {"always", "night", "winter"},                       //
			"2026-08-31 00:00": {"always", "winter"},                                // 24:00 is no part of the next day
			"2026-08-31 09:00": {"always", "office", "plain", "holidays", "winter"}, // a Monday
		} {
			if now == "2026-11-29 01:59" {
				want = append(want, "night")
			}
			got := idsOf(find(t, e, search.Query{OpenNow: true, Now: shanghai(now).UTC()}).Hits)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: open are %v, want %v", now, got, want)
			}
		}
	})
}

// Choosing one kind, category or region does not blank the counts of the others.
func TestDisjunctiveFacets(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		counts := func(q search.Query, f search.Facet) []search.FacetCount {
			q.Facets = []search.Facet{f}
			for _, r := range w.regions.Children("630000") {
				q.RegionFacet = append(q.RegionFacet, r.Code)
			}
			return find(t, e, q).Facets[f]
		}
		for _, tt := range []struct {
			facet search.Facet
			q     search.Query
		}{
			{search.KindFacet, search.Query{Kinds: []directory.Kind{directory.StreetKind}}},
			{search.CategoryFacet, search.Query{Categories: []string{"canteen"}}},
			{search.RegionFacet, search.Query{Regions: []string{"632700"}}},
		} {
			if got, want := counts(tt.q, tt.facet), counts(search.Query{}, tt.facet); len(want) < 4 || !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", tt.facet, got, want)
			}
		}
		for _, tt := range []struct {
			facet search.Facet
			q     search.Query
		}{
			{search.FeatureFacet, search.Query{Features: []string{"halal"}}},
			{search.BadgeFacet, search.Query{Badges: []string{"employees"}}},
		} {
			narrowed := counts(tt.q, tt.facet)
			if len(narrowed) == 0 || narrowed[0].Count != find(t, e, tt.q).Total {
				t.Errorf("%s: %v", tt.facet, narrowed)
			}
		}
	})
}

func TestFacetsOfNothing(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		facets := []search.Facet{search.KindFacet, search.BadgeFacet}
		for name, e := range map[string]search.Engine{"empty": under.open(t), "loaded": under.loaded(t, w.entries[:50])} {
			res := find(t, e, search.Query{Facets: facets, Regions: []string{"none"}, Features: []string{"none"}})
			if res.Total != 0 || len(res.Hits) != 0 || res.Next != "" || len(res.Facets) != 2 || len(res.Facets[search.KindFacet]) != 0 {
				t.Errorf("%s: %+v", name, res)
			}
		}
		e := under.loaded(t, w.entries[:50])
		once := find(t, e, search.Query{Facets: facets[:1]})
		twice := find(t, e, search.Query{Facets: []search.Facet{search.KindFacet, search.KindFacet}})
		if got, want := twice.Facets[search.KindFacet], once.Facets[search.KindFacet]; !slices.Equal(got, want) {
			t.Errorf("a facet asked for twice: %v, want %v", got, want)
		}
	})
}

func TestRefusedQueries(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		e := under.loaded(t, theWorld().named("某店"))
		for name, q := range map[string]search.Query{
			"no limit":            {},
			"negative limit":      {Limit: -1},
			"large limit":         {Limit: 101},
			"unknown sort":        {Limit: 1, Sort: "best"},
			"distance from where": {Limit: 1, Sort: search.ByDistance},
			"radius around what":  {Limit: 1, RadiusM: 100},
			"long text":           {Limit: 1, Text: string(slices.Repeat([]rune{'青'}, search.MaxText+1))},
		} {
			if _, err := e.Search(t.Context(), q); directory.KindOf(err) != directory.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		nan := math.NaN() // passes no filter
		for name, q := range map[string]search.Query{
			"satisfaction": {MinSatisfaction: &nan},
			"box":          {Box: &directory.Box{South: nan, West: nan, North: nan, East: nan}},
			"point":        {Near: &directory.Point{Lat: nan, Lon: nan}, RadiusM: 100},
			"year":         {OpenNow: true, Now: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)},
		} {
			q.Limit = 1
			if res, err := e.Search(t.Context(), q); err != nil || res.Total != 0 {
				t.Errorf("%s: %d, %v", name, res.Total, err)
			}
		}
		for _, limit := range []int{1, 100} {
			if _, err := e.Search(t.Context(), search.Query{Limit: limit, Text: string(slices.Repeat([]rune{'青'}, search.MaxText))}); err != nil {
				t.Errorf("limit %d: %v", limit, err)
			}
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.Search(canceled, search.Query{Limit: 1}); err == nil {
			t.Error("a canceled search answers")
		}
	})
}
