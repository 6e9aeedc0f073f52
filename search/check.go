package search

import (
	"slices"
	"strconv"

	"qingfu/directory"
)

// Check refuses what no engine answers with an Invalid error that names every
// wrong parameter, and fills in what was left out.
func (q *Query) Check() error { return directory.InvalidFields("query", q.check()) }

func (q *Query) check() (fields []directory.FieldError) {
	add := func(parameter, code, limit string) {
		fields = append(fields, directory.FieldError{Parameter: parameter, Code: code, Limit: limit})
	}
	if q.Limit < 1 {
		add("limit", directory.CodeTooSmall, "1")
	}
	if q.Limit > 100 {
		add("limit", directory.CodeTooLarge, "100")
	}
	if len([]rune(q.Text)) > MaxText {
		add("q", directory.CodeTooLong, "100")
	}
	if q.RadiusM > 0 && q.Near == nil {
		add("radius_m", directory.CodeNeeds, "near")
	}
	switch q.Sort {
	case "":
		q.Sort = ByRelevance
	case ByDistance:
		if q.Near == nil {
			add("sort", directory.CodeNeeds, "near")
		}
	case ByRelevance, BySatisfaction, ByNewest, ByName:
	default:
		add("sort", directory.CodeValue, "relevance, distance, satisfaction, newest, name")
	}
	// A facet asked for twice is counted once.
	q.Facets = slices.Compact(slices.Sorted(slices.Values(q.Facets)))
	return fields
}

// maxSuggestions is the largest number of suggestions.
const maxSuggestions = 10

// Query returns the search by relevance that suggestions are taken from. It
// refuses like Query.Check what no engine answers.
func (q *SuggestQuery) Query() (Query, error) {
	query := Query{Text: q.Text, Kinds: q.Kinds, Regions: q.Regions, Limit: q.Limit, Sort: ByRelevance}
	if err := query.Check(); err != nil {
		return query, err
	}
	if q.Limit > maxSuggestions {
		return query, directory.InvalidFields("query", []directory.FieldError{{Parameter: "limit", Code: directory.CodeTooLarge, Limit: strconv.Itoa(maxSuggestions)}})
	}
	return query, nil
}

// Check refuses like Query.Check what no engine answers.
func (q *ClusterQuery) Check() error {
	q.Limit, q.Sort, q.Facets, q.After = 1, ByRelevance, nil, ""
	fields := q.check()
	if q.Box == nil {
		fields = append(fields, directory.FieldError{Parameter: "bbox", Code: directory.CodeRequired})
	}
	switch {
	case q.Zoom < 0:
		fields = append(fields, directory.FieldError{Parameter: "zoom", Code: directory.CodeTooSmall, Limit: "0"})
	case q.Zoom > MaxZoom:
		fields = append(fields, directory.FieldError{Parameter: "zoom", Code: directory.CodeTooLarge, Limit: strconv.Itoa(MaxZoom)})
	}
	return directory.InvalidFields("query", fields)
}

// BadCursor returns the Invalid error for a cursor that cannot be read.
func BadCursor(cause error) error {
	return &directory.Error{Kind: directory.Invalid, What: "cursor",
		Fields: []directory.FieldError{{Parameter: "cursor", Code: directory.CodeFormat}}, Cause: cause}
}
