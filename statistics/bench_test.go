package statistics

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"qingfu/directory"
)

var benchRatings = flag.Int("ratings", 20_000, "how many ratings BenchmarkSatisfaction counts")

// BenchmarkSatisfaction asks for each cut of so many ratings of one kind in two years,
// of 3000 firms, of which a tenth serve two counties: cold, when nothing has been counted since the last rating, and warm.
//
//	go test ./statistics -run - -bench Satisfaction -benchtime 5x -args -ratings 1000000
func BenchmarkSatisfaction(b *testing.B) {
	f := newFixture(b)
	r := rand.New(rand.NewPCG(1, 1))
	var counties []string
	for _, reg := range f.Regions.All() {
		if reg.Level == directory.County {
			counties = append(counties, reg.Code)
		}
	}
	var batch []directory.Rating
	for i := range *benchRatings {
		firm := r.IntN(3000)
		county := firm % len(counties)
		if firm%10 == 0 && r.IntN(2) == 0 {
			county = (county + 1) % len(counties)
		}
		batch = append(batch, directory.Rating{
			ID: fmt.Sprintf("01a192b0-7400-7000-8000-%012d", i), Proof: fmt.Sprint("bench ", i), Kind: directory.DomesticServiceKind,
			Region: counties[county] + fmt.Sprintf("%03d", r.IntN(10)), Category: directory.Categories[21+r.IntN(15)].Code,
			Organization: fmt.Sprintf("01a192b0-7400-7000-8000-%012d", firm), Listing: fmt.Sprintf("01a192b0-7400-7000-9000-%012d", firm),
			Origin: []directory.RatingOrigin{directory.OrderOrigin, directory.InviteOrigin}[r.IntN(2)], Level: directory.Level(1 + max(r.IntN(5), r.IntN(5))),
			State: directory.RatingPublished, CreatedAt: in(directory.Month(202501).Add(r.IntN(23))),
		})
		if len(batch) == 5000 || i == *benchRatings-1 {
			if _, err := f.Store.Ratings.Upsert(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	for _, by := range []Cut{"", ByRegion, ByCategory, ByOrganization, ByMonth, ByQuarter, ByOrigin, ByLevel} {
		for _, public := range []bool{false, true} {
			q := headline(by)
			ask := func() {
				if _, err := f.Satisfaction(b.Context(), q, public); err != nil {
					b.Fatal(err)
				}
			}
			name := fmt.Sprintf("by=%s/public=%t", by, public)
			b.Run(name+"/cold", func(b *testing.B) {
				for b.Loop() {
					f.counter.counted = nil
					ask()
				}
			})
			b.Run(name+"/warm", func(b *testing.B) {
				for b.Loop() {
					ask()
				}
			})
		}
	}
}
