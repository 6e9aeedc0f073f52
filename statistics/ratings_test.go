package statistics

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"slices"
	"testing"
	"time"

	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/trial"
)

// ratingsTime is a Monday in November.
var ratingsTime = time.Date(2026, 11, 23, 12, 0, 0, 0, directory.Shanghai)

// rated is the use cases over listings in four places with ratings of every sort, given
// from June to November.
type rated struct {
	*Statistics
	t        *testing.T
	engines  *trial.Engines
	listings []directory.Listing
	all      []directory.Rating
}

func newRated(t *testing.T, ratings int) *rated {
	t.Helper()
	e := trial.New(t, ratingsTime, nil)
	f := &rated{t: t, engines: e, Statistics: New(Config{
		Store: e.Store, Auth: e.Auth, Regions: e.Regions, Calendar: e.Calendar, Log: e.Log, Now: e.Clock.Now, Random: rand.Reader,
	})}
	for i, place := range []struct {
		kind   directory.Kind
		region string
	}{
		{directory.DomesticServiceKind, "630102001"}, {directory.DomesticServiceKind, "630202"}, {directory.DomesticServiceKind, "630222"}, {directory.ElderCareKind, "630202"},
	} {
		id, err := f.newID()
		f.fatal(err)
		l := directory.Listing{
			ID: id, Kind: place.kind, Names: directory.Names{Zh: fmt.Sprintf("湟水服务%d", i)}, Region: place.region, Status: directory.Published,
			OrganizationID: fmt.Sprintf("01a192b0-7400-7000-8000-00000000000%d", i%2), CreatedAt: ratingsTime, UpdatedAt: ratingsTime,
		}
		_, err = f.Store.Listings.Insert(t.Context(), l)
		f.fatal(err)
		f.listings = append(f.listings, l)
	}
	random := randv2.New(randv2.NewPCG(85, 1))
	origins := []directory.RatingOrigin{directory.OrderOrigin, directory.InviteOrigin, directory.OpenOrigin}
	states := []directory.RatingState{directory.RatingPublished, directory.RatingPublished, directory.RatingHeld, directory.RatingExcluded, directory.RatingWithdrawn}
	begin := directory.Month(202606).Begins()
	for i := range ratings {
		at := begin.Add(time.Duration(random.Int64N(int64(ratingsTime.Sub(begin))))).Truncate(time.Millisecond).UTC()
		switch i { // the borders of October in Shanghai
		case 0:
			at = directory.Month(202610).Begins().UTC()
		case 1:
			at = directory.Month(202610).Begins().Add(-time.Millisecond).UTC()
		case 2:
			at = directory.Month(202610).Ends().Add(-time.Millisecond).UTC()
		case 3:
			at = directory.Month(202610).Ends().UTC()
		}
		id, err := directory.NewID(at, rand.Reader)
		f.fatal(err)
		l := &f.listings[random.IntN(len(f.listings))]
		r := directory.Rating{
			ID: id, Proof: "test " + id, Origin: origins[random.IntN(3)], Listing: l.ID, Organization: l.OrganizationID, Kind: l.Kind, Region: l.Region,
			Category: "cleaning", Account: "01a192b0-7400-7000-8000-0000000000ff", Level: directory.Level(1 + random.IntN(5)), Text: "=很好",
			State: states[random.IntN(len(states))], Demo: random.IntN(4) == 0, Device: "device", Network: "network", CreatedAt: at, UpdatedAt: at,
		}
		if r.State == directory.RatingHeld || random.IntN(5) == 0 { // one that was published again has findings, too
			r.Findings = []directory.Finding{{Rule: directory.RuleOfficial, At: at}}
		}
		f.all = append(f.all, r)
	}
	results, err := f.Store.Ratings.Upsert(t.Context(), f.all)
	f.fatal(err)
	for _, r := range results {
		f.fatal(r.Err)
	}
	slices.SortFunc(f.all, func(x, y directory.Rating) int {
		return cmp.Or(x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.ID, y.ID))
	})
	return f
}

func (f *rated) fatal(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *rated) rows(q RatingQuery) (out []RatingRow) {
	f.t.Helper()
	rows, err := f.Ratings(f.t.Context(), q)
	f.fatal(err)
	for r, err := range rows {
		f.fatal(err)
		out = append(out, r)
	}
	return out
}

var thisYear = directory.Period{From: 202601, To: 202612}

// TestRatingsOfAQuery compares the rows with a look at every rating.
func TestRatingsOfAQuery(t *testing.T) {
	f := newRated(t, 1500) // more than a page of the store
	october := directory.Period{From: 202610, To: 202610}
	for _, q := range []RatingQuery{
		{Kind: directory.DomesticServiceKind, Region: "630000", Period: thisYear},
		{Kind: directory.DomesticServiceKind, Region: "630000", Period: october},
		{Kind: directory.DomesticServiceKind, Region: "630200", Period: thisYear},
		{Kind: directory.DomesticServiceKind, Region: "630102", Period: directory.Period{From: 202608, To: 202610}},
		{Kind: directory.ElderCareKind, Region: "630202", Period: thisYear, Origin: directory.InviteOrigin},
		{Kind: directory.ElderCareKind, Region: "630222", Period: thisYear},
		{Kind: directory.BrandKind, Region: "630000", Period: thisYear},
	} {
		var want []RatingRow
		for _, r := range f.all {
			month := directory.MonthOf(r.CreatedAt)
			if r.Kind != q.Kind || !f.Regions.Within(r.Region, q.Region) || !q.Period.Has(month) || r.State == directory.RatingWithdrawn || q.Origin != "" && r.Origin != q.Origin {
				continue
			}
			row := RatingRow{
				ID: r.ID, Month: month, Day: directory.DateOf(r.CreatedAt), Kind: r.Kind, Prefecture: r.Region[:4] + "00", Region: r.Region[:6], Category: r.Category,
				Organization: r.Organization, Listing: r.Listing, Origin: r.Origin, Level: r.Level, State: r.State,
			}
			if len(r.Findings) > 0 && r.State != directory.RatingPublished {
				row.Rule = directory.RuleOfficial
			}
			if r.State == directory.RatingPublished && r.Origin != directory.OpenOrigin {
				row.Counted = 1
			}
			if r.Demo {
				row.Demo = 1
			}
			want = append(want, row)
		}
		if got := f.rows(q); !slices.Equal(got, want) {
			t.Errorf("%+v: %d rows, want %d", q, len(got), len(want))
		}
	}
}

// TestAFigureFromItsRatings computes the figures of listings again from what is handed
// out, without any other knowledge.
func TestAFigureFromItsRatings(t *testing.T) {
	f := newRated(t, 600)
	e := f.engines
	between := consumer.New(consumer.Config{
		Store: e.Store, Auth: e.Auth, Photos: e.Photos, Search: e.Search, Regions: e.Regions, Calendar: e.Calendar, Rules: directory.DefaultRatingRules(),
		PublicURL: "https://qingfu.test", Log: e.Log, Now: e.Clock.Now, Random: rand.Reader,
	})
	f.fatal(between.Recount(t.Context(), false, func(string, [5]int64, [5]int64) {}))
	levels := map[string]*[5]int64{}
	for _, kind := range []directory.Kind{directory.DomesticServiceKind, directory.ElderCareKind} {
		for _, r := range f.rows(RatingQuery{Kind: kind, Region: "630000", Period: thisYear}) {
			if levels[r.Listing] == nil {
				levels[r.Listing] = new([5]int64)
			}
			levels[r.Listing][r.Level-1] += int64(r.Counted)
		}
	}
	for _, l := range f.listings {
		doc, err := f.Store.Listings.Get(t.Context(), l.ID)
		f.fatal(err)
		is := doc.Value.Satisfaction
		if got := levels[l.ID]; got == nil || *got != is.Levels || is.N() < directory.MinRatings {
			t.Errorf("%s: the figure is %v, from its ratings it is %v", l.Names.Zh, is.Levels, got)
		}
	}
}

func TestTooManyRatings(t *testing.T) {
	f := newRated(t, 40)
	q := RatingQuery{Kind: directory.DomesticServiceKind, Region: "630000", Period: thisYear}
	n := int64(len(f.rows(q)))
	rows, err := f.ratings(t.Context(), q, n)
	f.fatal(err)
	for _, err := range rows { // whoever has enough may stop
		f.fatal(err)
		break
	}
	_, err = f.ratings(t.Context(), q, n-1)
	if e, ok := errors.AsType[*directory.Error](err); !ok || e.Kind != directory.Invalid || e.Fields[0].Limit != fmt.Sprint(n-1) {
		t.Errorf("one too many: %v", err)
	}
}
