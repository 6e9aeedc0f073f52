package memory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"qingfu/directory"
)

// What the tree finds is what a look at every point finds, also where many
// points coincide.
func TestKDTreeFindsWhatAScanFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 16, 17, 100, 1000} {
		points := make([]directory.Point, n)
		docs := make([]uint32, n)
		for i := range points {
			points[i] = directory.Point{Lat: 36 + float64(r.IntN(40))/40, Lon: 101 + float64(r.IntN(40))/40}
			docs[i] = uint32(i)
		}
		tree := newKDTree(slices.Clone(docs), points)
		if got := slices.Sorted(slices.Values(tree.docs)); !slices.Equal(got, docs) {
			t.Fatalf("%d points: the tree holds %v", n, got)
		}
		at := func(i int) directory.Point {
			return directory.Point{Lat: 36 + float64(i%41)/40, Lon: 101 + float64(i%37)/37}
		}
		for i := range 200 {
			a, b := at(i), at(i*7+3)
			box := directory.Box{South: min(a.Lat, b.Lat), North: max(a.Lat, b.Lat), West: min(a.Lon, b.Lon), East: max(a.Lon, b.Lon)}
			var got, want []uint32
			tree.inBox(box, func(d uint32) { got = append(got, d) })
			for _, d := range docs {
				if box.Contains(points[d]) {
					want = append(want, d)
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("%d points in %v: %v, want %v", n, box, got, want)
			}

			from, reach := vectorOf(a), chord2Of(float64(i)*500)
			got, want = nil, nil
			tree.around(a, func() float64 { return reach }, func(d uint32, _ float64) { got = append(got, d) })
			for _, d := range docs {
				if from.chord2(vectorOf(points[d])) <= reach {
					want = append(want, d)
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("%d points around %v: %v, want %v", n, a, got, want)
			}
		}
	}
}
