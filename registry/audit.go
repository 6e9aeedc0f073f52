package registry

import (
	"context"

	"qingfu/directory"
	"qingfu/store"
)

// Audit returns a page of the audit log within scopes, the latest lines first;
// action "" is any.
func (r *Registry) Audit(ctx context.Context, scopes []directory.Scope, action string, limit int, after *store.Position) ([]directory.AuditEntry, *store.Position, error) {
	p := pages[directory.AuditEntry]{collection: r.Store.Audit, desc: true}
	for _, s := range scopes {
		q := inScope(s)
		if action != "" {
			q.Where = append(q.Where, store.Equal("action", action))
		}
		p.queries = append(p.queries, q)
	}
	docs, next, err := p.read(ctx, limit, after)
	return store.Values(docs), next, err
}
