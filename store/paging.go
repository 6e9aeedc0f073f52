package store

import (
	"cmp"
	"context"
	"slices"

	"qingfu/directory"
)

// InScope finds what lies within a scope by the fields "bureau" and "region",
// where the scope has them. No index could serve several scopes together.
func InScope(s directory.Scope) (q Query) {
	if s.Bureau != "" {
		q.Where = append(q.Where, Equal("bureau", string(s.Bureau)))
	}
	if s.Region != "" {
		q.Where = append(q.Where, Within(s.Region)...)
	}
	return q
}

// FindKept reads a page of those documents of a query that keep returns, which an
// engine cannot be asked for; it is given a page of the engine at a time. nil keeps
// all. The second result is where the next page begins, nil when there is none.
func FindKept[T any](ctx context.Context, c *Collection[T], q Query, limit int, keep func([]Doc[T]) ([]Doc[T], error)) ([]Doc[T], *Position, error) {
	q.Limit = limit + 1
	if keep != nil {
		q.Limit = MaxLimit // because few may be kept
	}
	var out []Doc[T]
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

// Pages reads several queries of a collection, in the order of ids, as if they
// were one.
type Pages[T any] struct {
	Collection *Collection[T]
	Desc       bool
	Queries    []Query
	Keep       func([]Doc[T]) ([]Doc[T], error) // as in [FindKept]
	Found      []Doc[T]                         // from elsewhere, behind the position
}

// Read returns a page like [FindKept].
func (p *Pages[T]) Read(ctx context.Context, limit int, after *Position) ([]Doc[T], *Position, error) {
	more := false
	for _, q := range p.Queries {
		q.Desc, q.After = p.Desc, after
		docs, next, err := FindKept(ctx, p.Collection, q, limit, p.Keep)
		if err != nil {
			return nil, nil, err
		}
		p.Found = append(p.Found, docs...)
		more = more || next != nil
	}
	byID := func(x, y Doc[T]) int {
		return cmp.Compare(p.Collection.ID(&x.Value), p.Collection.ID(&y.Value))
	}
	slices.SortFunc(p.Found, func(x, y Doc[T]) int {
		if p.Desc {
			return byID(y, x)
		}
		return byID(x, y)
	})
	p.Found = slices.CompactFunc(p.Found, func(x, y Doc[T]) bool { return byID(x, y) == 0 })
	if len(p.Found) <= limit && !more {
		return p.Found, nil, nil
	}
	return p.Found[:limit], p.Collection.Position("", &p.Found[limit-1].Value), nil
}
