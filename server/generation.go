package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"qingfu/search/meili"
)

// generation is an index that is built beside the one in use.
type generation struct {
	*mirror
	next  *meili.Engine
	state meili.State
	p     *projector
}

// begin begins a generation, or goes on with one that was given up on the way.
func (m *mirror) begin(ctx context.Context) (*generation, error) {
	g := &generation{mirror: m, next: m.engine.Next()}
	var err error
	if g.state, err = g.next.State(ctx); err != nil {
		return nil, err
	}
	if g.state.Owner == m.owner && !g.state.Complete {
		// Whoever gave up may have sent something that arrives only now.
		m.unsettle(g.state.Seq, time.Now())
	} else {
		if err := g.next.Remove(ctx); err != nil {
			return nil, err
		}
		g.state = meili.State{Owner: m.owner, Generation: rand.Text()}
	}
	if err := g.next.Prepare(ctx); err != nil {
		return nil, err
	}
	if err := g.next.SetState(ctx, g.state); err != nil {
		return nil, err
	}
	g.p = m.project(g.next, &g.state)
	return g, nil
}

// raise begins a generation and fills it, but for the last few changes: while others
// write there are always some. loading is given the bar that shows how far it is.
func (m *mirror) raise(ctx context.Context, con *console, loading *atomic.Pointer[bar]) (*generation, error) {
	g, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	listings, err := m.st.Listings.Count(ctx, nil)
	if err != nil {
		return nil, err
	}
	m.log.Info("building an index in Meilisearch", "listings", listings[0].N, "from change", g.state.Seq)
	bar := con.progress("building the index in Meilisearch", int(listings[0].N))
	loading.Store(bar)
	for {
		n, err := g.p.step(ctx)
		if err != nil {
			return nil, err
		}
		bar.add(n)
		if n == 0 || g.p.indexed.Load() >= g.p.stored.Load() { // as it was when it read
			bar.done()
			return g, nil
		}
	}
}

// turn has the generation take the place of the one in use, unless it lacks listings
// that changes since do not account for.
func (g *generation) turn(ctx context.Context) error {
	off, _, err := g.miscount(ctx, g.next, g.p.indexed.Load())
	if err != nil {
		return err
	}
	if off != 0 {
		err := fmt.Errorf("the new index in Meilisearch differs from the store by %d listings and is given up", off)
		return errors.Join(err, g.next.Remove(ctx))
	}
	// From here on nobody takes it for one that is to be gone on with.
	g.state.Complete = true
	if err := g.next.SetState(ctx, g.state); err != nil {
		return err
	}
	if err := g.engine.Replace(ctx, g.next); err != nil {
		return err
	}
	_ = g.next.Remove(ctx) // the old one; what stays of it goes when somebody begins to write
	return nil
}

// build makes the index where none is in use, or nobody else writes.
func (m *mirror) build(ctx context.Context, con *console) error {
	begun := time.Now()
	g, err := m.raise(ctx, con, &atomic.Pointer[bar]{})
	if err != nil {
		return err
	}
	if err := g.turn(ctx); err != nil {
		return err
	}
	m.log.Info("the index in Meilisearch is built", "took", time.Since(begun).Round(time.Millisecond))
	return nil
}

// rebuild answers a request for a reindex: it builds a generation while p keeps the
// index in use up to date, and changes over. turned is told of the new one while p
// waits.
func (m *mirror) rebuild(ctx context.Context, request string, p *projector, turned func(meili.State)) {
	begun := time.Now()
	loading := atomic.Pointer[bar]{}
	err := reporting(ctx, m.st.Meta, m.node+inMeilisearch, request, &loading, m.engine, func() error {
		g, err := m.raise(ctx, quiet, &loading)
		if err != nil {
			return err
		}
		return p.takeOver(ctx, g.p, func() error {
			if err := g.turn(ctx); err != nil {
				return err
			}
			turned(g.state)
			return nil
		})
	})
	switch {
	case err == nil:
		m.log.Info("the index in Meilisearch was built anew", "took", time.Since(begun).Round(time.Millisecond))
	case ctx.Err() == nil:
		m.log.Error("the index in Meilisearch was not built anew; the one in use goes on", "error", err)
	}
}
