package registry

import (
	"cmp"
	"context"
	"slices"

	"qingfu/directory"
	"qingfu/store"
)

// Selection says which organizations or claims are meant: those of the ids, of the
// account and within the scopes together, narrowed by the others.
type Selection struct {
	IDs     []string          // of organizations
	Account string            // of the claimant
	Scopes  []directory.Scope // of which a bureau is not looked at
	State   string            // "" for any
	Text    string            // part of the name or the credit code; "" for any
}

// scoped returns a query for each scope of a selection.
func scoped(s Selection) (out []store.Query) {
	for _, scope := range s.Scopes {
		scope.Bureau = ""
		q := inScope(scope)
		if s.State != "" {
			q.Where = append(q.Where, store.Equal("state", s.State))
		}
		out = append(out, q)
	}
	return out
}

// inScope finds what lies within a scope. No index could serve several together.
func inScope(s directory.Scope) (q store.Query) {
	if s.Bureau != "" {
		q.Where = append(q.Where, store.Equal("bureau", string(s.Bureau)))
	}
	if s.Region != "" {
		q.Where = append(q.Where, store.Within(s.Region)...)
	}
	return q
}

// keeping reads a page of those documents of a query that keep returns, which the
// store cannot be asked for; it is given a page of the store at a time. nil keeps
// all.
func keeping[T any](ctx context.Context, c *store.Collection[T], q store.Query, limit int, keep func([]store.Doc[T]) ([]store.Doc[T], error)) ([]store.Doc[T], *store.Position, error) {
	q.Limit = limit + 1
	if keep != nil {
		q.Limit = store.MaxLimit // because few may be kept
	}
	var out []store.Doc[T]
	for {
		docs, next, err := c.Find(ctx, q)
		if err == nil && keep != nil {
			docs, err = keep(docs)
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, docs...)
		if len(out) > limit {
			return out[:limit], c.Position(q.Order, &out[limit-1].Value), nil
		}
		if next == nil {
			return out, nil, nil
		}
		q.After = next
	}
}

// pages reads several queries of a collection, in the order of ids, as if they
// were one.
type pages[T any] struct {
	collection *store.Collection[T]
	desc       bool
	queries    []store.Query
	keep       func([]store.Doc[T]) ([]store.Doc[T], error) // as in keeping
	found      []store.Doc[T]                               // from elsewhere, behind the position
}

func (p *pages[T]) read(ctx context.Context, limit int, after *store.Position) ([]store.Doc[T], *store.Position, error) {
	more := false
	for _, q := range p.queries {
		q.Desc, q.After = p.desc, after
		docs, next, err := keeping(ctx, p.collection, q, limit, p.keep)
		if err != nil {
			return nil, nil, err
		}
		p.found = append(p.found, docs...)
		more = more || next != nil
	}
	byID := func(x, y store.Doc[T]) int {
		return cmp.Compare(p.collection.ID(&x.Value), p.collection.ID(&y.Value))
	}
	slices.SortFunc(p.found, func(x, y store.Doc[T]) int {
		if p.desc {
			return byID(y, x)
		}
		return byID(x, y)
	})
	p.found = slices.CompactFunc(p.found, func(x, y store.Doc[T]) bool { return byID(x, y) == 0 })
	if len(p.found) <= limit && !more {
		return p.found, nil, nil
	}
	return p.found[:limit], p.collection.Position("", &p.found[limit-1].Value), nil
}
