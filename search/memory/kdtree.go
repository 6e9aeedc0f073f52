package memory

import (
	"math"

	"qingfu/directory"
)

// kdTree finds the documents around a point or in a box (J. L. Bentley 1975,
// "Multidimensional binary search trees used for associative searching"). It is
// no more than the documents in such an order that every stretch lo to hi is
// split by the one in its middle: by latitude, then by longitude, and so on.
type kdTree struct {
	docs   []uint32
	at     []vector          // in the order of docs, so that a walk reads them in a row
	points []directory.Point // by document
}

// leaf is the length of a stretch that is not split any more.
const leaf = 16

func newKDTree(docs []uint32, points []directory.Point) kdTree {
	t := kdTree{docs: docs, points: points}
	t.build(0, len(docs), 0)
	return t.withVectors()
}

// withVectors completes a tree of which the order is known.
func (t kdTree) withVectors() kdTree {
	t.at = make([]vector, len(t.docs))
	for i, d := range t.docs {
		t.at[i] = vectorOf(t.points[d])
	}
	return t
}

func (t *kdTree) coordinate(d uint32, axis int) float64 {
	if axis == 0 {
		return t.points[d].Lat
	}
	return t.points[d].Lon
}

func (t *kdTree) build(lo, hi, axis int) {
	if hi-lo <= leaf {
		return
	}
	mid := (lo + hi) / 2
	t.split(lo, hi, mid, axis)
	t.build(lo, mid, 1-axis)
	t.build(mid+1, hi, 1-axis)
}

// split moves the documents of a stretch so that none before mid is above the
// one at mid and none after it is below (C. A. R. Hoare's selection).
func (t *kdTree) split(lo, hi, mid, axis int) {
	for hi-lo > 1 {
		pivot := t.coordinate(t.docs[(lo+hi)/2], axis)
		i, j := lo, hi-1
		for i <= j {
			for t.coordinate(t.docs[i], axis) < pivot {
				i++
			}
			for t.coordinate(t.docs[j], axis) > pivot {
				j--
			}
			if i <= j {
				t.docs[i], t.docs[j] = t.docs[j], t.docs[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case mid <= j:
			hi = j + 1
		case mid >= i:
			lo = i
		default:
			return
		}
	}
}

// around visits every document within reach of p, a squared chord that may shrink
// on the way; those nearer tend to come first.
func (t *kdTree) around(p directory.Point, reach func() float64, visit func(d uint32, chord2 float64)) {
	cosLat, from := math.Cos(p.Lat*math.Pi/180), vectorOf(p)
	look := func(i int) {
		if c := from.chord2(t.at[i]); c <= reach() {
			visit(t.docs[i], c)
		}
	}
	var walk func(lo, hi, axis int)
	walk = func(lo, hi, axis int) {
		if hi-lo <= leaf {
			for i := lo; i < hi; i++ {
				look(i)
			}
			return
		}
		mid := (lo + hi) / 2
		away := p.Lat - t.points[t.docs[mid]].Lat
		if axis == 1 {
			away = p.Lon - t.points[t.docs[mid]].Lon
		}
		near, far := [2]int{lo, mid}, [2]int{mid + 1, hi}
		if away > 0 {
			near, far = far, near
		}
		walk(near[0], near[1], 1-axis)
		look(mid)
		if least(away, axis, cosLat) <= reach() {
			walk(far[0], far[1], 1-axis)
		}
	}
	walk(0, len(t.docs), 0)
}

// least is a squared chord that nothing is nearer than from which a parallel or
// a meridian lies away, in degrees. The way to a parallel is along the meridian;
// the plane of a meridian is cos(latitude)·sin(difference) away.
func least(away float64, axis int, cosLat float64) float64 {
	rad := math.Abs(away) * math.Pi / 180
	chord := 2 * math.Sin(rad/2)
	if axis == 1 {
		chord = cosLat * math.Sin(rad)
		if rad > math.Pi/2 {
			chord = 0 // the plane may be met on the far side
		}
	}
	// A hair less, so that rounding never leaves a document out.
	return chord * chord * (1 - 1e-12)
}

// inBox visits every document in a box.
func (t *kdTree) inBox(b directory.Box, visit func(d uint32)) {
	low, high := [2]float64{b.South, b.West}, [2]float64{b.North, b.East}
	var walk func(lo, hi, axis int)
	walk = func(lo, hi, axis int) {
		if hi-lo <= leaf {
			for _, d := range t.docs[lo:hi] {
				if b.Contains(t.points[d]) {
					visit(d)
				}
			}
			return
		}
		mid := (lo + hi) / 2
		at := t.coordinate(t.docs[mid], axis)
		if low[axis] <= at {
			walk(lo, mid, 1-axis)
		}
		if b.Contains(t.points[t.docs[mid]]) {
			visit(t.docs[mid])
		}
		if high[axis] >= at {
			walk(mid+1, hi, 1-axis)
		}
	}
	walk(0, len(t.docs), 0)
}
