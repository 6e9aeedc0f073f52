package search

import (
	"cmp"
	"slices"
)

// SortedFacet puts the counts of a facet into their order and drops those of
// nothing.
func SortedFacet(counts map[string]int) []FacetCount {
	list := make([]FacetCount, 0, len(counts))
	for v, n := range counts {
		if n > 0 {
			list = append(list, FacetCount{Value: v, Count: n})
		}
	}
	slices.SortFunc(list, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return list
}
