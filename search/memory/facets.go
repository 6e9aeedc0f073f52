package memory

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/search"
)

// facetValue is one value of a facet with its documents: as a dense bitmap, or
// as a list where they are few. Counting goes over many values for one set of
// documents, which plain words do several times faster than compressed bitmaps.
type facetValue struct {
	value string
	n     int
	dense []uint64
	list  []uint32
}

// newFacetValue keeps the documents of a value, of a segment of size documents.
func newFacetValue(value string, docs []uint32, size int) *facetValue {
	v := &facetValue{value: value, n: len(docs)}
	if len(docs) < size/128 {
		v.list = slices.Clone(docs)
		return v
	}
	v.dense = make([]uint64, (size+63)/64)
	for _, d := range docs {
		v.dense[d/64] |= 1 << (d % 64)
	}
	return v
}

// denseSet is a set of documents as plain words, with the places of those that
// are not zero: counting looks only at these.
type denseSet struct {
	words []uint64
	used  []uint32
}

var denseSets = sync.Pool{New: func() any { return new(denseSet) }}

// newDenseSet copies a set of documents of a segment of size documents. It goes
// back to denseSets after use.
func newDenseSet(docs *roaring.Bitmap, size int) *denseSet {
	s := denseSets.Get().(*denseSet)
	s.words = slices.Grow(s.words[:0], (size+63)/64)[:(size+63)/64]
	clear(s.words)
	docs.WriteDenseTo(s.words)
	s.used = s.used[:0]
	for i, w := range s.words {
		if w != 0 {
			s.used = append(s.used, uint32(i))
		}
	}
	return s
}

// count returns how many of the value's documents are in a set.
func (v *facetValue) count(docs *denseSet) int {
	n := 0
	if v.dense == nil {
		for _, d := range v.list {
			n += int(docs.words[d/64] >> (d % 64) & 1)
		}
		return n
	}
	if len(docs.used) > len(docs.words)/2 {
		words := docs.words[:len(v.dense)]
		for i, w := range v.dense {
			n += bits.OnesCount64(w & words[i])
		}
		return n
	}
	for _, i := range docs.used {
		n += bits.OnesCount64(v.dense[i] & docs.words[i])
	}
	return n
}

// countFacets adds one segment's counts of the facets that into has.
// docs are the documents that pass all filters.
func (s *segment) countFacets(q *search.Query, f *filters, docs *roaring.Bitmap, into map[search.Facet]map[string]int) {
	var shared *denseSet // of docs, which most facets count
	for facet, counts := range into {
		of, set := docs, shared
		switch {
		case f.restricts(facet):
			of = s.passing(f, facet)
			set = newDenseSet(of, len(s.docs))
		case shared == nil:
			shared = newDenseSet(docs, len(s.docs))
			set = shared
		}
		add := func(v *facetValue) {
			if of == s.all {
				counts[v.value] += v.n
			} else if n := v.count(set); n > 0 {
				counts[v.value] += n
			}
		}
		values := s.facets[facet]
		if facet == search.RegionFacet {
			for _, code := range q.RegionFacet {
				if v := values[code]; v != nil {
					add(v)
				}
			}
		} else {
			for _, v := range values {
				add(v)
			}
		}
		if set != shared {
			denseSets.Put(set)
		}
	}
	if shared != nil {
		denseSets.Put(shared)
	}
}
