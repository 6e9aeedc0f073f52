package memory

import (
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tidwall/rtree"

	"qingfu/directory"
)

// geo holds the positions of a segment's documents.
type geo struct {
	at      []vector // by document; the zero vector where there is no position
	points  []directory.Point
	located *roaring.Bitmap
	tree    *rtree.RTreeG[uint32] // by longitude and latitude
}

// vector is a position as a unit vector from the centre of the Earth: the
// squared chord between two of them grows with their distance and needs no
// trigonometry.
type vector [3]float64

func newGeo(n int) geo {
	return geo{at: make([]vector, 0, n), points: make([]directory.Point, 0, n), located: roaring.New(), tree: &rtree.RTreeG[uint32]{}}
}

func (g *geo) add(d int, p *directory.Point) {
	if p == nil {
		g.at = append(g.at, vector{})
		g.points = append(g.points, directory.Point{})
		return
	}
	g.at = append(g.at, vectorOf(*p))
	g.points = append(g.points, *p)
	g.located.Add(uint32(d))
	xy := [2]float64{p.Lon, p.Lat}
	g.tree.Insert(xy, xy, uint32(d))
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
	const degree = math.Pi / 180 * directory.EarthRadiusM // metres in a degree of latitude
	dLat := radius / degree
	dLon := 180.0
	if cos := math.Cos((math.Abs(p.Lat) + dLat) * math.Pi / 180); dLat+math.Abs(p.Lat) < 90 && cos > 0 {
		dLon = math.Min(180, dLat/cos)
	}
	from, limit := vectorOf(p), chord2Of(radius)
	return g.collect(directory.Box{South: p.Lat - dLat, West: p.Lon - dLon, North: p.Lat + dLat, East: p.Lon + dLon},
		func(d uint32) bool { return from.chord2(g.at[d]) <= limit })
}

// inBox returns the documents within a box.
func (g *geo) inBox(b directory.Box) *roaring.Bitmap {
	return g.collect(b, func(uint32) bool { return true })
}

func (g *geo) collect(b directory.Box, keep func(d uint32) bool) *roaring.Bitmap {
	var docs []uint32
	g.tree.Search([2]float64{b.West, b.South}, [2]float64{b.East, b.North}, func(_, _ [2]float64, d uint32) bool {
		if keep(d) {
			docs = append(docs, d)
		}
		return true
	})
	slices.Sort(docs)
	return roaring.BitmapOf(docs...)
}

// unlocated is the place of documents without a position: behind all others.
const unlocated = math.MaxFloat64

// nearest returns up to limit candidates by distance from p behind the place
// after; those without a position come last.
func (s *segment) nearest(cand *roaring.Bitmap, p directory.Point, after *place, limit int) []candidate {
	from := vectorOf(p)
	located := roaring.And(cand, s.geo.located)
	near := &nearest{seg: s, after: after, limit: limit}
	if after == nil || after.Distance != unlocated {
		// The tree pays when it meets candidates often; otherwise measuring every
		// candidate is less work.
		if n := located.GetCardinality(); n > 2000 && n > uint64(len(s.docs)/20) {
			s.nearestByTree(located, p, from, near)
		} else {
			located.Iterate(func(d uint32) bool { near.add(d, from.chord2(s.geo.at[d])); return true })
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

// add considers a document at a squared chord.
func (n *nearest) add(d uint32, chord2 float64) {
	if len(n.found) == n.limit && chord2 > n.found[n.limit-1].Distance {
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

// nearestByTree feeds n from the nearest document outward.
func (s *segment) nearestByTree(located *roaring.Bitmap, p directory.Point, from vector, n *nearest) {
	s.geo.tree.Nearby(
		func(low, high [2]float64, d uint32, item bool) float64 {
			if item {
				return from.chord2(s.geo.at[d])
			}
			return lowerBound(p, low, high)
		},
		func(_, _ [2]float64, d uint32, chord2 float64) bool {
			// Equal distances come in no order, so all of the last one are considered.
			if len(n.found) == n.limit && chord2 > n.found[n.limit-1].Distance {
				return false
			}
			if located.Contains(d) {
				n.add(d, chord2)
			}
			return true
		})
}

// lowerBound is a squared chord that no point of a box of longitudes and
// latitudes is nearer than: the larger of the ways to its nearest parallel and
// to its nearest meridian.
func lowerBound(p directory.Point, low, high [2]float64) float64 {
	const rad = math.Pi / 180
	dLat := math.Max(0, math.Max(low[1]-p.Lat, p.Lat-high[1])) * rad
	dLon := math.Max(0, math.Max(low[0]-p.Lon, p.Lon-high[0])) * rad
	if dLon > math.Pi/2 {
		dLon = 0 // the great circle of the meridian may be met on its far side
	}
	toMeridian := math.Asin(math.Sin(dLon) * math.Cos(p.Lat*rad))
	// A hair less, so that rounding never puts a box behind a point in it.
	return chord2Of(math.Max(dLat, toMeridian)*directory.EarthRadiusM) * (1 - 1e-12)
}
