package memory

import (
	"cmp"
	"math/bits"
	"slices"

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

// count returns how many of the value's documents are in a dense set.
func (v *facetValue) count(docs []uint64) int {
	n := 0
	if v.dense == nil {
		for _, d := range v.list {
			n += int(docs[d/64] >> (d % 64) & 1)
		}
		return n
	}
	docs = docs[:len(v.dense)]
	for i, w := range v.dense {
		n += bits.OnesCount64(w & docs[i])
	}
	return n
}

// countFacets adds one segment's counts of the facets that into has.
func (s *segment) countFacets(q *search.Query, f *filters, into map[search.Facet]map[string]int) {
	words := make([]uint64, (len(s.docs)+63)/64)
	for facet, counts := range into {
		docs := f.all(facet)
		clear(words)
		docs.WriteDenseTo(words)
		add := func(v *facetValue) {
			if docs == s.all {
				counts[v.value] += v.n
			} else if n := v.count(words); n > 0 {
				counts[v.value] += n
			}
		}
		values := s.facets[facet]
		if facet != search.RegionFacet {
			for _, v := range values {
				add(v)
			}
			continue
		}
		for _, code := range q.RegionFacet {
			if v := values[code]; v != nil {
				add(v)
			}
		}
	}
}

// sortedFacets puts counts into their order and drops those of nothing.
func sortedFacets(counts map[search.Facet]map[string]int) map[search.Facet][]search.FacetCount {
	out := make(map[search.Facet][]search.FacetCount, len(counts))
	for facet, values := range counts {
		list := make([]search.FacetCount, 0, len(values))
		for v, n := range values {
			if n > 0 {
				list = append(list, search.FacetCount{Value: v, Count: n})
			}
		}
		slices.SortFunc(list, func(a, b search.FacetCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		out[facet] = list
	}
	return out
}
