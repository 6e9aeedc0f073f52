package statistics

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
	"qingfu/trial"
)

// noon is a Monday in November.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, directory.Shanghai)

// fixture is the use cases on an empty store, with a clock that is moved by hand.
type fixture struct {
	*Statistics
	t     testing.TB
	clock *trial.Clock
	given int
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	e := trial.New(t, noon, nil)
	return &fixture{t: t, clock: e.Clock, Statistics: New(Config{
		Store: e.Store, Auth: e.Auth, Regions: e.Regions, Calendar: e.Calendar, Rules: directory.DefaultRatingRules(), PublicURL: "https://qingfu.test", Log: e.Log, Now: e.Clock.Now, Random: rand.Reader,
		Census: seed.Census(),
	})}
}

// fatal ends the test with an error.
func (f *fixture) fatal(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// rate stores n ratings like one that says what matters.
func (f *fixture) rate(like directory.Rating, n int) (out []directory.Rating) {
	f.t.Helper()
	for range n {
		f.given++
		r := like
		r.ID = fmt.Sprintf("01a192b0-7400-7000-8000-%012d", f.given)
		r.Proof = "test " + r.ID
		if r.Kind == "" {
			r.Kind = directory.DomesticServiceKind
		}
		if r.State == "" {
			r.State = directory.RatingPublished
		}
		if r.Origin == "" {
			r.Origin = directory.OrderOrigin
		}
		out = append(out, r)
	}
	results, err := f.Store.Ratings.Upsert(f.t.Context(), out)
	f.fatal(err)
	for _, r := range results {
		f.fatal(r.Err)
	}
	return out
}

// in is a moment of a month.
func in(m directory.Month) time.Time { return m.Begins().Add(40 * time.Hour) }

// headline is the query of the policy's figure for a year.
func headline(by Cut) Query {
	return Query{
		Kind: directory.DomesticServiceKind, Region: "630000", By: by, Period: directory.Period{From: 202601, To: 202612},
		SatisfiedFrom: directory.SatisfiedFrom, Target: directory.SatisfactionTarget,
	}
}

// ask answers a query.
func (f *fixture) ask(q Query, public bool) Table {
	f.t.Helper()
	table, err := f.Satisfaction(f.t.Context(), q, public)
	f.fatal(err)
	return table
}

// invent gives random ratings in some counties, by some firms, over two years, and
// returns them.
func (f *fixture) invent(r *mathrand.Rand, n int) (all []directory.Rating) {
	f.t.Helper()
	regions := []string{"630102001", "630102002", "630103", "630104001", "630202", "630203", "632821", "632800", "632621", "630000"}
	regions = regions[:2+r.IntN(len(regions)-1)]
	origins := []directory.RatingOrigin{directory.OrderOrigin, directory.OrderOrigin, directory.InviteOrigin, directory.OpenOrigin}
	states := []directory.RatingState{directory.RatingPublished, directory.RatingPublished, directory.RatingPublished, directory.RatingPublished, directory.RatingHeld, directory.RatingExcluded, directory.RatingWithdrawn}
	categories := []string{"nanny", "cleaning", "cleaning", "maternity", ""}
	for range n {
		region := regions[min(r.IntN(len(regions)), r.IntN(len(regions)))]
		like := directory.Rating{
			Region: region, Category: categories[r.IntN(len(categories))], Origin: origins[r.IntN(len(origins))], State: states[r.IntN(len(states))],
			Level: directory.Level(1 + max(r.IntN(5), r.IntN(5))), Organization: fmt.Sprintf("01a192b0-7400-7000-8000-0000000000%s%d", region[4:6], r.IntN(3)),
			CreatedAt: in(directory.Month(202501).Add(r.IntN(23))),
		}
		if r.IntN(6) == 0 {
			like.Kind = directory.ElderCareKind
		}
		if like.State == directory.RatingHeld || like.State == directory.RatingExcluded {
			like.Findings = []directory.Finding{{Rule: []string{directory.RuleSameDevice, directory.RuleOwnMember}[r.IntN(2)]}}
		}
		all = append(all, f.rate(like, 1)...)
	}
	return all
}
