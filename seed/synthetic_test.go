package seed

import (
	"iter"
	"slices"
	"testing"

	"qingfu/directory"
)

func TestSynthetic(t *testing.T) {
	regions := mustRegions(t)
	const n = 3000
	kinds, prefectures := map[directory.Kind]int{}, map[string]int{}
	names := map[string]bool{}
	unrated, located := 0, 0
	for l := range Synthetic(n, 7) {
		checkInvented(t, &l, regions)
		kinds[l.Kind]++
		names[l.Names.Zh] = true
		if l.Kind == directory.DomesticServiceKind {
			prefectures[regions.Path(l.Region)[1].Code]++
		}
		if l.Satisfaction.N() == 0 {
			unrated++
		}
		if l.Location != nil {
			located++
		}
	}
	// The order of the kinds and the weight of Xining are what the figures give.
	if !(kinds[directory.ElderCareKind] > kinds[directory.DomesticServiceKind] &&
		kinds[directory.DomesticServiceKind] > kinds[directory.ChildcareKind] &&
		kinds[directory.ChildcareKind] > kinds[directory.BrandKind] &&
		kinds[directory.BrandKind] > kinds[directory.StreetKind] && kinds[directory.StreetKind] > 0) {
		t.Errorf("kinds: %v", kinds)
	}
	domestic := kinds[directory.DomesticServiceKind]
	if xining := prefectures["630100"]; xining < domestic*3/10 || xining > domestic/2 || len(prefectures) != 8 { // 42% of the people
		t.Errorf("domestic services by prefecture: %v of %d", prefectures, domestic)
	}
	if unrated < n/2 || unrated > n*6/10 {
		t.Errorf("%d of %d without ratings", unrated, n)
	}
	if located < n*9/10 || located == n {
		t.Errorf("%d of %d with a location", located, n)
	}
	if len(names) < n*8/10 {
		t.Errorf("only %d different names of %d", len(names), n)
	}
}

func TestSyntheticIsTheSameEveryTime(t *testing.T) {
	if a, b := digest(t, Synthetic(2000, 7)), digest(t, Synthetic(2000, 7)); a != b {
		t.Errorf("two runs differ: %s, %s", a, b)
	}
	if a, b := digest(t, Synthetic(500, 7)), digest(t, first(500, Synthetic(2000, 7))); a != b {
		t.Error("500 listings are not the first 500 of 2000")
	}
	if a, b := digest(t, Synthetic(500, 7)), digest(t, Synthetic(500, 8)); a == b {
		t.Error("two seeds give the same listings")
	}
}

// A caller may change a listing: nothing but the timetables is shared with the
// tables that listings are made from.
func TestSyntheticListingsAreIndependent(t *testing.T) {
	want := digest(t, Synthetic(200, 7))
	for l := range Synthetic(200, 7) {
		for i := range l.Categories {
			l.Categories[i] = "changed"
		}
		for i := range l.Offerings {
			l.Offerings[i] = directory.Offering{}
		}
	}
	if got := digest(t, Synthetic(200, 7)); got != want {
		t.Error("a change to a listing reaches others")
	}
}

func TestIDsAreUnique(t *testing.T) {
	seen := map[string]string{}
	add := func(all iter.Seq[directory.Listing]) {
		for l := range all {
			if other, ok := seen[l.ID]; ok {
				t.Errorf("%s has the id of %s", l.Names.Zh, other)
			}
			seen[l.ID] = l.Names.Zh
		}
	}
	add(slices.Values(mustReal(t)))
	add(slices.Values(mustDemo(t)))
	add(Synthetic(20_000, 7))
	add(Synthetic(20_000, 8))
}

func first(n int, all iter.Seq[directory.Listing]) iter.Seq[directory.Listing] {
	return func(yield func(directory.Listing) bool) {
		i := 0
		for l := range all {
			if i == n || !yield(l) {
				return
			}
			i++
		}
	}
}

func BenchmarkSynthetic(b *testing.B) {
	b.ReportAllocs()
	for range Synthetic(b.N, 7) {
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "listings/s")
}
