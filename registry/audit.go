package registry

import (
	"context"

	"qingfu/directory"
	"qingfu/store"
)

// Audit returns a page of the audit log within scopes, the latest lines first;
// action "" is any.
func (r *Registry) Audit(ctx context.Context, scopes []directory.Scope, action string, limit int, after *store.Position) ([]directory.AuditEntry, *store.Position, error) {
	p := store.Pages[directory.AuditEntry]{Collection: r.Store.Audit, Desc: true}
	for _, s := range scopes {
		q := store.InScope(s)
		if action != "" {
			q.Where = append(q.Where, store.Equal("action", action))
		}
		p.Queries = append(p.Queries, q)
	}
	docs, next, err := p.Read(ctx, limit, after)
	return store.Values(docs), next, err
}
