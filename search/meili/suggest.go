package meili

import (
	"context"
	"html"

	"github.com/meilisearch/meilisearch-go"

	"qingfu/directory"
	"qingfu/search"
)

// Suggest implements search.Engine. It is a search by relevance among the
// listings that have the words in their names; when there are none, among all.
func (e *Engine) Suggest(ctx context.Context, q search.SuggestQuery) ([]search.Suggestion, error) {
	query, err := q.Query()
	if err != nil {
		return nil, err
	}
	t, err := e.understand(ctx, q.Text)
	if err != nil || len(t.words) == 0 {
		return nil, err
	}
	f, err := e.filter(ctx, &query)
	if err != nil {
		return nil, err
	}
	all := e.request(t.words, f.except(""))
	all.Limit = int64(q.Limit)
	byName := *all
	byName.AttributesToSearchOn = among(named, t.words)
	answers, err := e.search(ctx, &byName, all)
	if err != nil {
		return nil, err
	}
	answer := &answers[0]
	if len(answer.Hits) == 0 {
		answer = &answers[1]
	}
	found, err := decode(answer)
	if err != nil {
		return nil, err
	}
	marker := t.marker()
	out := make([]search.Suggestion, len(found))
	for i, h := range found {
		marked, ok := marker.Highlight(h.Title, "")["name"]
		if !ok { // found by another of its texts
			marked = html.EscapeString(h.Title)
		}
		out[i] = search.Suggestion{ID: h.ID, Name: h.Title, Kind: h.Kind, Highlight: marked}
	}
	return out, nil
}

// clusterPage is the number of positions that are read at once.
const clusterPage = 10_000

// Clusters implements search.Engine. Meilisearch groups nothing, so the positions
// of all that is found are read: it takes as long as there are many.
func (e *Engine) Clusters(ctx context.Context, q search.ClusterQuery) ([]search.Cluster, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	t, err := e.understand(ctx, q.Text)
	if err != nil || t.empty() {
		return nil, err
	}
	f, err := e.filter(ctx, &q.Query)
	if err != nil {
		return nil, err
	}
	r := e.request(t.words, f.except(""))
	r.AttributesToRetrieve, r.Page, r.HitsPerPage = []string{"id", "_geo"}, 1, new(int64(clusterPage))
	clusters := search.NewClustering(q.Zoom)
	for {
		var answers []meilisearch.SearchResponse
		if answers, err = e.search(ctx, r); err != nil {
			return nil, err
		}
		found, err := decode(&answers[0])
		if err != nil {
			return nil, err
		}
		for _, h := range found {
			if p := h.point(); p != nil {
				clusters.Add(h.ID, *p, search.CellOf(directory.Point{Lat: p.Lat, Lon: p.Lon}))
			}
		}
		if r.Page >= answers[0].TotalPages {
			return clusters.Clusters(), nil
		}
		r.Page++
	}
}
