package memory

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/search"
)

// rankKey is the order of equally relevant documents: satisfaction and
// freshness falling, then the id.
type rankKey struct {
	Satisfaction float64 `json:"s"`
	Fresh        int64   `json:"f"`
	ID           string  `json:"i"`
}

func (a rankKey) compare(b rankKey) int {
	// Not by cmp.Or: it would compare the ids each time.
	if c := cmp.Compare(b.Satisfaction, a.Satisfaction); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Fresh, a.Fresh); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

func rankOf(d *search.Document) rankKey {
	return rankKey{d.Satisfaction, millis(d.Fresh), d.ID}
}

func (d *doc) rank() rankKey { return rankKey{d.satisfaction, d.fresh, d.id} }

// place is the position of a document in the order of a search, comparable
// between segments. It is also what a cursor holds: a search continues behind
// it whatever was written in the meantime.
type place struct {
	Path     path    `json:"p,omitzero"` // for relevance
	Distance float64 `json:"d,omitempty"`
	Created  int64   `json:"c,omitempty"`
	Name     string  `json:"n,omitempty"`
	rankKey
}

func (a *place) compare(b *place) int {
	if c := slices.Compare(a.Path[:], b.Path[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Distance, b.Distance); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Created, a.Created); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return a.rankKey.compare(b.rankKey)
}

// candidate is a document of a segment with its place.
type candidate struct {
	place
	seg *segment
	doc uint32
}

// order is a permutation of a segment's documents with its inverse.
type order struct {
	docs  []uint32 // in the order
	index []uint32 // by document
}

// newOrder sorts the documents 0 to n-1; those that neither precede the other
// stay in the order of rank.
func newOrder(n int, less func(a, b uint32) bool) order {
	docs := make([]uint32, n)
	for i := range docs {
		docs[i] = uint32(i)
	}
	slices.SortStableFunc(docs, func(a, b uint32) int {
		if less(a, b) {
			return -1
		}
		if less(b, a) {
			return 1
		}
		return 0
	})
	return orderOf(docs)
}

// orderOf completes a permutation.
func orderOf(docs []uint32) order {
	o := order{docs, make([]uint32, len(docs))}
	for i, d := range docs {
		o.index[d] = uint32(i)
	}
	return o
}

// first returns up to limit documents of cand in the order, from the position
// start on.
func (o *order) first(cand *roaring.Bitmap, start, limit int) []uint32 {
	n := int(cand.GetCardinality())
	// Walking the order meets a candidate every len/n steps, each a look into the
	// bitmap; sorting touches every candidate once.
	if n > 0 && len(o.docs)/n*limit < 4*n {
		out := make([]uint32, 0, limit)
		for _, d := range o.docs[start:] {
			if len(out) == limit {
				break
			}
			if cand.Contains(d) {
				out = append(out, d)
			}
		}
		return out
	}
	at := make([]uint32, 0, n)
	cand.Iterate(func(d uint32) bool {
		if i := o.index[d]; int(i) >= start {
			at = append(at, i)
		}
		return true
	})
	slices.Sort(at)
	at = at[:min(limit, len(at))]
	for i, k := range at {
		at[i] = o.docs[k]
	}
	return at
}

// after returns the position of the first document whose place is behind p.
func (o *order) after(p *place, placeOf func(d uint32) place) int {
	if p == nil {
		return 0
	}
	i, _ := slices.BinarySearchFunc(o.docs, p, func(d uint32, p *place) int {
		q := placeOf(d)
		if q.compare(p) <= 0 {
			return -1
		}
		return 1
	})
	return i
}

// firstByRank returns up to limit documents of cand in the order of rank, which
// is that of their numbers, behind the key of p.
func (s *segment) firstByRank(cand *roaring.Bitmap, p *place, limit int) []uint32 {
	it := cand.Iterator()
	if p != nil {
		start, _ := slices.BinarySearchFunc(s.docs, p.rankKey, func(d doc, k rankKey) int {
			if d.rank().compare(k) <= 0 {
				return -1
			}
			return 1
		})
		it.AdvanceIfNeeded(uint32(start))
	}
	out := make([]uint32, 0, limit)
	for len(out) < limit && it.HasNext() {
		out = append(out, it.Next())
	}
	return out
}
