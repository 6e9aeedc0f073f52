package seed

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"qingfu/directory"
)

// Synthetic invents n listings, each when it is asked for, so that any number
// takes the same memory. Equal arguments give equal listings, and a smaller n
// gives the first of a larger one. All are marked as demonstrations. They share
// their timetables: a caller must not change what Hours points to.
//
// Their mix follows published figures (see trade.weight and population): most
// are mutual-help homes and domestic firms, most of what is no village matter
// is in Xining, and sizes, prices and ratings have long tails.
//
// It panics when the embedded regions are broken, which is a defect of the
// build.
func Synthetic(n int, seed uint64) iter.Seq[directory.Listing] {
	return func(yield func(directory.Listing) bool) {
		regions, err := Regions()
		if err != nil {
			panic(err)
		}
		v := newInventor(regions, rand.NewPCG(seed, 2026))
		mix := newMix(v.counties)
		for i := range n {
			t, c := mix.draw(v)
			l := v.invent(t, c)
			v.complete(&l, c, seed, i)
			if !yield(l) {
				return
			}
		}
	}
}

// complete adds to the i-th listing what does not depend on its trade. The
// listings were created one after the other, as ids of version 7 suppose.
func (v *inventor) complete(l *directory.Listing, c *county, seed uint64, i int) {
	const years, step = 2 * 365 * 24 * time.Hour, 30 * time.Second
	age := years - time.Duration(i)*step%years
	l.CreatedAt = released().Add(-age)
	l.UpdatedAt = l.CreatedAt.Add(time.Duration(v.Float64() * float64(age)).Truncate(time.Minute))
	if v.chance(0.7) {
		verified := l.UpdatedAt
		l.VerifiedAt, l.ReviewDueAt = &verified, new(verified.Add(reviewAfter(l.Kind)))
	}
	l.ID = newID(l.CreatedAt, "synthetic/"+strconv.FormatUint(seed, 10)+"/"+strconv.Itoa(i))
	if v.chance(0.92) {
		l.Location = v.near(c, 25_000)
	}
	if v.chance(0.45) {
		count := math.Pow(1-v.Float64(), -1/1.1) // Pareto: half have one rating, few have thousands
		l.Satisfaction = v.ratings(int64(min(count, 20_000)), clamp(0.88+0.08*v.NormFloat64(), 0.3, 1))
	}
}

// mix holds the running sums of the weights of trades, and for each trade those
// of counties.
type mix struct {
	trades   []float64
	counties [][]float64
}

func newMix(counties []county) mix {
	m := mix{counties: make([][]float64, len(trades))}
	people := population(counties)
	total := 0.0
	for i := range trades {
		t := &trades[i]
		total += t.weight
		m.trades = append(m.trades, total)
		sum := 0.0
		for j := range counties {
			if c := &counties[j]; len(c.places[t.place]) > 0 {
				switch {
				case t.place == inVillage:
					sum += float64(c.VillageCommittees)
				case t.kind == directory.ChildcareKind:
					sum += people[j] * childcareBias(c.Parent)
				default:
					sum += people[j]
				}
			}
			m.counties[i] = append(m.counties[i], sum)
		}
	}
	return m
}

func (m mix) draw(v *inventor) (*trade, *county) {
	t := draw(v, m.trades)
	return &trades[t], &v.counties[draw(v, m.counties[t])]
}

// draw returns an index with the probabilities that running sums of weights stand for.
func draw(v *inventor, sums []float64) int {
	i, found := slices.BinarySearch(sums, v.Float64()*sums[len(sums)-1])
	if found { // the border belongs to the next
		i++
	}
	return i
}

// population returns the people of each county by [Census]; where it has none for
// the county, those of the prefecture are shared out by the number of committees.
func population(counties []county) []float64 {
	counted := Census()
	committees := func(c *county) float64 { return float64(c.ResidentsCommittees + c.VillageCommittees) }
	ofPrefecture := map[string]float64{}
	for i := range counties {
		ofPrefecture[counties[i].Parent] += committees(&counties[i])
	}
	out := make([]float64, len(counties))
	for i := range counties {
		c := &counties[i]
		out[i] = float64(counted[c.Code])
		if out[i] == 0 {
			out[i] = float64(counted[c.Parent]) * committees(c) / ofPrefecture[c.Parent]
		}
	}
	return out
}

// childcareBias is how much childcare there is for a prefecture's people,
// against the average: of 65 institutions 54 were in Xining, 5 in Haixi and one
// in each of the other six (2021-12).
func childcareBias(prefecture string) float64 {
	switch prefecture {
	case "630100":
		return 54 / 2.468
	case "630200":
		return 1 / 1.358
	case "632800":
		return 5 / 0.468
	}
	return 1 / 0.326 // the other five have 0.326 million people on average
}
