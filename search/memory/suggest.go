package memory

import (
	"context"
	"html"
	"slices"

	"qingfu/search"
)

// Suggest implements search.Engine. It is a search by relevance among the
// listings that have the words in their names; when there are none, among all.
func (e *Engine) Suggest(ctx context.Context, q search.SuggestQuery) ([]search.Suggestion, error) {
	query, err := q.Query()
	if err != nil {
		return nil, err
	}
	snap := e.snapshot.Load()
	sel, err := e.choose(ctx, snap, &query)
	if err != nil || len(sel.terms) == 0 {
		return nil, err
	}
	if named := sel.named(); named.total > 0 {
		sel = named
	}
	shown := snap.page(sel, &query, nil).shown
	out := make([]search.Suggestion, len(shown))
	for i, c := range shown {
		d := &c.seg.docs[c.doc]
		marked, ok := c.highlight["name"]
		if !ok { // found by another of its texts
			marked = html.EscapeString(d.name)
		}
		out[i] = search.Suggestion{ID: d.id, Name: d.name, Kind: d.kind, Highlight: marked}
	}
	return out, nil
}

// named returns the part of a selection that has every word in a name or alias.
func (sel *selection) named() *selection {
	part := &selection{terms: sel.terms, docs: slices.Clone(sel.docs)}
	for i, docs := range part.docs {
		for k := range sel.terms {
			in := &sel.terms[k].matches[i].in
			if docs = and(docs, or(in[inName], in[inAlias])); docs == nil {
				docs = none
			}
		}
		part.docs[i] = docs
		part.total += int(docs.GetCardinality())
	}
	return part
}
