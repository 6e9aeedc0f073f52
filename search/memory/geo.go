package memory

import (
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/directory"
	"qingfu/search"
)

// geo holds the positions of a segment's documents.
type geo struct {
	points  []directory.Point // by document; zero where there is no position
	cells   []search.MapCell  // of a map at its largest zoom; set by finish
	located *roaring.Bitmap
	tree    kdTree // of the located ones; set by finish
}

// vector is a position as a unit vector from the centre of the Earth: the
// squared chord between two of them grows with their distance and needs no
// trigonometry.
type vector [3]float64

func newGeo(n int) geo {
	return geo{points: make([]directory.Point, 0, n), located: roaring.New()}
}

func (g *geo) add(d int, p *directory.Point) {
	if p == nil {
		g.points = append(g.points, directory.Point{})
		return
	}
	g.points = append(g.points, *p)
	g.located.Add(uint32(d))
}

// finish computes what follows from the points when all are there.
func (g *geo) finish() {
	g.tree = newKDTree(g.located.ToArray(), g.points)
	g.setCells()
}

func (g *geo) setCells() {
	g.cells = make([]search.MapCell, len(g.points))
	g.located.Iterate(func(d uint32) bool { g.cells[d] = search.CellOf(g.points[d]); return true })
}

func vectorOf(p directory.Point) vector {
	const rad = math.Pi / 180
	sinLat, cosLat := math.Sincos(p.Lat * rad)
	sinLon, cosLon := math.Sincos(p.Lon * rad)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

// chord2 is the squared chord between two positions, 0 to 4.
func (a vector) chord2(b vector) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return x*x + y*y + z*z
}

// chord2Of is the squared chord of a distance in metres along the surface.
func chord2Of(m float64) float64 {
	c := 2 * math.Sin(math.Min(m/directory.EarthRadiusM, math.Pi)/2)
	return c * c
}

// within returns the documents at most radius metres from p.
func (g *geo) within(p directory.Point, radius float64) *roaring.Bitmap {
	limit := chord2Of(radius)
	return g.collect(func(add func(d uint32)) {
		g.tree.around(p, func() float64 { return limit }, func(d uint32, _ float64) { add(d) })
	})
}

// inBox returns the documents within a box.
func (g *geo) inBox(b directory.Box) *roaring.Bitmap {
	return g.collect(func(add func(d uint32)) { g.tree.inBox(b, add) })
}

// collect returns the documents that are added, in whatever order: plain words
// need no sorting.
func (g *geo) collect(from func(add func(d uint32))) *roaring.Bitmap {
	words := make([]uint64, (len(g.points)+63)/64)
	from(func(d uint32) { words[d/64] |= 1 << (d % 64) })
	return roaring.FromDense(words, false)
}

// unlocated is the place of documents without a position: behind all others.
const unlocated = math.MaxFloat64

// nearest returns up to limit candidates by distance from p behind the place
// after; those without a position come last.
func (s *segment) nearest(cand *roaring.Bitmap, p directory.Point, after *place, limit int) []candidate {
	from := vectorOf(p)
	located := s.intersect(cand, s.geo.located)
	near := &nearest{seg: s, after: after, limit: limit}
	if after == nil || after.Distance != unlocated {
		// The tree pays when it meets candidates often; otherwise measuring every
		// candidate is less work.
		if n := located.GetCardinality(); n > 2000 && n > uint64(len(s.docs)/20) {
			s.geo.tree.around(p, near.reach, func(d uint32, chord2 float64) {
				if located.Contains(d) {
					near.add(d, chord2)
				}
			})
		} else {
			located.Iterate(func(d uint32) bool { near.add(d, from.chord2(vectorOf(s.geo.points[d]))); return true })
		}
	}
	out := near.found
	if len(out) < limit {
		rest := roaring.AndNot(cand, s.geo.located)
		start := after
		if after != nil && after.Distance != unlocated {
			start = nil
		}
		for _, d := range s.firstByRank(rest, start, limit-len(out)) {
			out = append(out, s.candidate(d, place{Distance: unlocated}))
		}
	}
	return out[:min(limit, len(out))]
}

// nearest keeps the nearest documents behind a place.
type nearest struct {
	seg   *segment
	after *place
	limit int
	found []candidate // in order
}

// reach is the squared chord beyond which nothing is wanted any more. At it a
// document may still come first by its rank.
func (n *nearest) reach() float64 {
	if len(n.found) < n.limit {
		return math.Inf(1)
	}
	return n.found[n.limit-1].Distance
}

// add considers a document at a squared chord.
func (n *nearest) add(d uint32, chord2 float64) {
	if chord2 > n.reach() {
		return
	}
	c := n.seg.candidate(d, place{Distance: chord2})
	if n.after != nil && c.compare(n.after) <= 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(n.found, &c, func(a candidate, b *candidate) int { return a.compare(&b.place) })
	n.found = slices.Insert(n.found, at, c)
	n.found = n.found[:min(len(n.found), n.limit)]
}
