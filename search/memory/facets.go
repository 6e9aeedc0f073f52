package memory

import (
	"cmp"
	"slices"

	"qingfu/search"
)

// countFacets adds one segment's counts of the facets that a query asks for.
func (s *segment) countFacets(q *search.Query, f *filters, into map[search.Facet]map[string]int) {
	for _, facet := range q.Facets {
		counts := into[facet]
		if counts == nil {
			counts = map[string]int{}
			into[facet] = counts
		}
		docs := f.all(facet)
		count := func(v facetValue) {
			if docs == s.all {
				counts[v.value] += int(v.docs.GetCardinality())
			} else if n := docs.AndCardinality(v.docs); n > 0 {
				counts[v.value] += int(n)
			}
		}
		if facet != search.RegionFacet {
			for _, v := range s.facets[facet] {
				count(v)
			}
			continue
		}
		for _, code := range q.RegionFacet {
			if bits := s.fields[fieldKey(facet, code)]; bits != nil {
				count(facetValue{code, bits})
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
