package meili

import (
	"context"
	"math"
	"strconv"
	"strings"

	"qingfu/directory"
	"qingfu/search"
)

// filters are the conditions of a query. Those of the disjunctive facets are apart,
// so that their counts can leave them out.
type filters struct {
	own  map[search.Facet]string
	rest []string
}

// nothing is a condition that no document meets: the names of attributes are
// known, and every document has a key.
const nothing = `key NOT EXISTS`

// filter writes down the conditions of a query.
func (e *Engine) filter(ctx context.Context, q *search.Query) (*filters, error) {
	f := &filters{own: map[search.Facet]string{}}
	kinds := make([]string, len(q.Kinds))
	for i, k := range q.Kinds {
		kinds[i] = string(k)
	}
	for facet, values := range map[search.Facet][]string{search.KindFacet: kinds, search.CategoryFacet: q.Categories, search.RegionFacet: q.Regions} {
		if len(values) > 0 {
			f.own[facet] = anyOf(attributeOf[facet], values)
		}
	}
	need := func(condition string) { f.rest = append(f.rest, condition) }
	for _, v := range q.Features {
		need(anyOf("features", []string{v}))
	}
	for _, v := range q.Badges {
		need(anyOf("badges", []string{v}))
	}
	if q.RadiusM > 0 && q.Near != nil {
		need(within(*q.Near, q.RadiusM))
	}
	if q.Box != nil {
		need(inBox(*q.Box))
	}
	if q.HasVacancy != nil {
		need("has_vacancy = " + strconv.FormatBool(*q.HasVacancy))
	}
	if q.Demo != nil {
		need("demo = " + strconv.FormatBool(*q.Demo))
	}
	if q.PriceMax != nil {
		need("price_from <= " + strconv.Quote(strconv.FormatInt(*q.PriceMax, 10)))
	}
	if q.MinSatisfaction != nil {
		if math.IsNaN(*q.MinSatisfaction) {
			need(nothing)
		} else {
			need("share >= " + number(*q.MinSatisfaction))
		}
	}
	if q.OpenNow {
		open, err := e.openAt(ctx, q.Now)
		if err != nil {
			return nil, err
		}
		need(anyOf("hours", open))
	}
	return f, nil
}

// except returns the conditions without that of one facet.
func (f *filters) except(facet search.Facet) []string {
	all := append([]string{}, f.rest...)
	for _, own := range [...]search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet} {
		if condition, ok := f.own[own]; ok && own != facet {
			all = append(all, condition)
		}
	}
	return all
}

// attributeOf names the attributes of facets. Regions are counted by level, see
// areas.
var attributeOf = map[search.Facet]string{
	search.KindFacet: "kind", search.CategoryFacet: "categories_of", search.RegionFacet: "regions",
	search.FeatureFacet: "features", search.BadgeFacet: "badges",
}

// anyOf is met by documents with one of the values. No code has characters that
// would have to be escaped; a value with one is not found.
func anyOf(attribute string, values []string) string {
	var quoted []string
	for _, v := range values {
		if v != "" && !strings.ContainsAny(v, "\"\\") {
			quoted = append(quoted, `"`+v+`"`)
		}
	}
	if len(quoted) == 0 {
		return nothing
	}
	return attribute + " IN [" + strings.Join(quoted, ", ") + "]"
}

// meiliEarthM is the radius of the Earth in metres by which Meilisearch measures.
const meiliEarthM = 6371e3

// within is met by documents at most so many metres away. Meilisearch rounds
// distances to a millimetre.
func within(p directory.Point, m float64) string {
	if !finite(p.Lat, p.Lon, m) {
		return nothing
	}
	return "_geoRadius(" + decimal(p.Lat) + ", " + decimal(p.Lon) + ", " + decimal(m*meiliEarthM/directory.EarthRadiusM) + ")"
}

// inBox is met by documents in a box, the border included.
func inBox(b directory.Box) string {
	if !finite(b.South, b.West, b.North, b.East) || b.South > b.North {
		return nothing
	}
	return "_geoBoundingBox([" + decimal(b.North) + ", " + decimal(b.East) + "], [" + decimal(b.South) + ", " + decimal(b.West) + "])"
}

func finite(list ...float64) bool {
	for _, v := range list {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// number writes a number as a value to compare with, exactly.
func number(v float64) string { return strconv.Quote(strconv.FormatFloat(v, 'g', -1, 64)) }

// decimal writes a number without an exponent.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
