package memory

import (
	"context"
	"html"

	"qingfu/search"
)

// Suggest implements search.Engine. It is a search by relevance of which names
// are shown.
func (e *Engine) Suggest(ctx context.Context, q search.SuggestQuery) ([]search.Suggestion, error) {
	query := search.Query{Text: q.Text, Kinds: q.Kinds, Regions: q.Regions, Limit: q.Limit, Sort: search.ByRelevance}
	if err := check(&query); err != nil {
		return nil, err
	}
	snap := e.snapshot.Load()
	terms, texts := e.candidates(snap, q.Text)
	if len(terms) == 0 {
		return nil, nil
	}
	var found []candidate
	for i, v := range snap.view {
		f := v.seg.filter(&query, e.calendar, texts[i], v.dead)
		found = mergePages(found, v.seg.page(&query, v.seg.passing(&f, ""), terms, i, nil), q.Limit)
	}
	marker := newMarker(terms)
	out := make([]search.Suggestion, len(found))
	for i, c := range found {
		d := &c.seg.docs[c.doc]
		marked, ok := marker.mark(d.name)
		if !ok { // found by another of its texts
			marked = html.EscapeString(d.name)
		}
		out[i] = search.Suggestion{ID: d.id, Name: d.name, Kind: d.kind, Highlight: marked}
	}
	return out, ctx.Err()
}
