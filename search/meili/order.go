package meili

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"qingfu/search"
)

// place is the position of a hit in the order of a search. It is what a cursor
// holds: a search continues behind it whatever was written in the meantime.
type place struct {
	Scores   []float64 `json:"p,omitempty"` // by the scored ranking rules, for relevance
	Seen     int       `json:"n,omitempty"` // hits up to this one, to look for it there
	Distance *float64  `json:"d,omitempty"` // nil for hits without a position
	Created  int64     `json:"c,omitempty"`
	Name     []string  `json:"a,omitempty"` // the parts of the key of the name

	Satisfaction float64 `json:"s"`
	Fresh        int64   `json:"f"`
	Key          string  `json:"i"`
}

// placeOf returns the place of a hit in an order.
func placeOf(h *hit, sort search.Sort) *place {
	p := &place{Satisfaction: h.Satisfaction, Fresh: h.Fresh, Key: h.Key}
	switch sort {
	case search.ByRelevance:
		p.Scores = make([]float64, len(scored))
		for i, rule := range scored {
			p.Scores[i] = h.Scores[rule].Score
		}
	case search.ByNewest:
		p.Created = h.Created
	case search.ByName:
		p.Name = []string{h.Name1, h.Name2, h.Name3, h.Name4}
	}
	return p
}

// compareRank compares by what every order ends with.
func (a *place) compareRank(b *place) int {
	return cmp.Or(cmp.Compare(b.Satisfaction, a.Satisfaction), cmp.Compare(b.Fresh, a.Fresh), strings.Compare(a.Key, b.Key))
}

// compareRelevance compares as the ranking rules do: higher scores first.
func (a *place) compareRelevance(b *place) int {
	for i := range min(len(a.Scores), len(b.Scores)) {
		if c := cmp.Compare(b.Scores[i], a.Scores[i]); c != 0 {
			return c
		}
	}
	return a.compareRank(b)
}

// bound is one attribute of an order with the value at a place, as it stands in a
// condition.
type bound struct {
	attribute string
	falling   bool
	value     string
}

// bounds returns the attributes of an explicit order with their values at a place.
func (p *place) bounds(sort search.Sort) []bound {
	quoted := func(s string) string { return `"` + s + `"` }
	var out []bound
	switch sort {
	case search.ByNewest:
		out = append(out, bound{"created", true, quoted(strconv.FormatInt(p.Created, 10))})
	case search.ByName:
		for i, attribute := range nameKeys {
			part := orderKey("")
			if i < len(p.Name) {
				part = p.Name[i]
			}
			out = append(out, bound{attribute, false, quoted(part)})
		}
	}
	return append(out, bound{"satisfaction", true, number(p.Satisfaction)},
		bound{"fresh", true, quoted(strconv.FormatInt(p.Fresh, 10))}, bound{"key", false, quoted(p.Key)})
}

// sorting returns an explicit order in the language of Meilisearch.
func sorting(sort search.Sort) []string {
	var out []string
	for _, b := range new(place).bounds(sort) {
		direction := ":asc"
		if b.falling {
			direction = ":desc"
		}
		out = append(out, b.attribute+direction)
	}
	return out
}

// behind is met by documents that come after a place in an explicit order.
func (p *place) behind(sort search.Sort) string {
	condition := ""
	bounds := p.bounds(sort)
	for i := len(bounds) - 1; i >= 0; i-- {
		b := bounds[i]
		later := b.attribute + " > " + b.value
		if b.falling {
			later = b.attribute + " < " + b.value
		}
		if condition == "" {
			condition = later
		} else {
			condition = later + " OR (" + b.attribute + " = " + b.value + " AND (" + condition + "))"
		}
	}
	return condition
}

// encode makes the text of a place that a client hands back.
func (p *place) encode() string {
	b, err := json.Marshal(p)
	if err != nil { // a place holds nothing that JSON cannot
		panic(err)
	}
	return string(b)
}

// decodePlace reads what encode wrote; nil for the beginning.
func decodePlace(token string) (*place, error) {
	if token == "" {
		return nil, nil
	}
	var p place
	if err := json.Unmarshal([]byte(token), &p); err != nil {
		return nil, search.BadCursor(err)
	}
	for _, key := range append([]string{p.Key}, p.Name...) {
		if strings.ContainsFunc(key, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'v') }) {
			return nil, search.BadCursor(nil)
		}
	}
	if p.Key == "" || p.Seen < 0 || p.Seen > unlimited || p.Distance != nil && !(*p.Distance >= 0) {
		return nil, search.BadCursor(nil)
	}
	return &p, nil
}
