package registry

import (
	"bytes"
	"context"
	"errors"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/sheets"
	"qingfu/store"
)

// ErrTooMany says that more listings match than were asked for at most.
var ErrTooMany = errors.New("too many listings")

// AllIDs returns the ids of all listings that match a query, in its order. It
// returns ErrTooMany when there are more than most.
func AllIDs(ctx context.Context, engine search.Searcher, q search.Query, most int) ([]string, error) {
	q.Limit, q.After, q.Facets = 100, "", nil
	if q.Sort == "" {
		q.Sort = search.ByRelevance
	}
	var ids []string
	for {
		page, err := engine.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		if page.Total > most {
			return nil, ErrTooMany
		}
		for _, hit := range page.Hits {
			ids = append(ids, hit.ID)
		}
		if page.Next == "" {
			return ids, nil
		}
		q.After = page.Next
	}
}

// Export writes public listings in a format: csv, xlsx, ndjson or geojson. Tables
// of one kind have all of its columns, those of several what all kinds have.
func (r *Registry) Export(ctx context.Context, ids []string, format string, kind directory.Kind) ([]byte, error) {
	listings := func(yield func(directory.Listing, error) bool) {
		for len(ids) > 0 {
			n := min(len(ids), store.MaxLimit)
			docs, err := r.Store.Listings.GetMany(ctx, ids[:n]...)
			if err != nil {
				yield(directory.Listing{}, err)
				return
			}
			for i := range docs {
				l := docs[i].Value
				l.Satisfaction.CountedTo = 0 // of no use elsewhere
				if l.Satisfaction.Summary().State == directory.TooFew {
					l.Satisfaction = directory.Satisfaction{} // nobody publishes ratings of so few
				}
				if l.Status == directory.Published && !yield(l, nil) {
					return
				}
			}
			ids = ids[n:]
		}
	}
	var out bytes.Buffer
	var err error
	switch format {
	case "csv":
		err = sheets.WriteCSV(&out, kind, listings, r.Regions)
	case "xlsx":
		err = sheets.WriteXLSX(&out, kind, listings, r.Regions)
	case "ndjson":
		err = sheets.WriteNDJSON(&out, listings)
	default:
		err = sheets.WriteGeoJSON(&out, listings, r.Regions)
	}
	return out.Bytes(), err
}

// ImportsOf returns a page of the imports of an organization, the newest first.
func (r *Registry) ImportsOf(ctx context.Context, organization string, limit int, after *store.Position) ([]directory.Import, *store.Position, error) {
	docs, next, err := r.Store.Imports.Find(ctx, store.Query{Where: []store.Condition{store.Equal("organization", organization)}, Desc: true, Limit: limit, After: after})
	return store.Values(docs), next, err
}
