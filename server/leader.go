package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"qingfu/directory"
	"qingfu/search/meili"
	"qingfu/store"
)

// What the one server does that writes to Meilisearch.

const (
	// checkTime is between two comparisons of the numbers of listings.
	checkTime = time.Minute
	// mirrorBatch is the number of changes that Meilisearch takes in at once.
	mirrorBatch = 5 * store.MaxLimit
)

// repairMark is the mark by which a command asks the leader to compare its index with
// the store and put it right.
const repairMark = "repair"

// lead writes until ctx ends, which is when the lease does, or until something fails:
// then another server may have better luck, and the next one to write begins where
// this one ended.
func (m *mirror) lead(ctx context.Context) error {
	begun := time.Now()
	err := m.follow(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err.Error() != m.told || time.Since(begun) > checkTime { // not every two seconds
		m.told = err.Error()
		m.log.Error("Meilisearch cannot follow the store", "error", err)
	}
	return err
}

// errOtherIndex is when another index than the one that was followed is found.
var errOtherIndex = errors.New("the index in Meilisearch is not the one that was written to: it was lost, set back or replaced")

// follow takes in changes until something fails. It builds the index first when it
// is not there, not whole, of another store or other rules, or ahead of the store.
func (m *mirror) follow(ctx context.Context) error {
	state, err := m.begun(ctx)
	if err != nil {
		return err
	}
	m.engine.Turned()
	p := m.project(m.engine, &state)

	// Whoever wrote before may have sent something that arrives only now, and sets
	// listings back: what it may have sent is sent once more, when nothing can come any more.
	again := m.project(m.engine, nil)
	again.indexed.Store(m.settled(state.Seq))
	late := time.NewTimer(lateTime)
	defer late.Stop()
	check := time.NewTicker(checkTime)
	defer check.Stop()
	poll := time.NewTicker(watchTime)
	defer poll.Stop()
	reindex, repair := requests{meta: m.st.Meta, mark: requestMark}, requests{meta: m.st.Meta, mark: repairMark}
	var rebuilding sync.WaitGroup
	defer rebuilding.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	busy := atomic.Bool{}
	atOnce := make(chan time.Time)
	close(atOnce)
	for {
		changed := m.st.Listings.Changed()
		n, err := p.advance(ctx)
		if err == nil {
			err = m.stillThere(ctx, p, &state)
		}
		if err != nil {
			return err
		}
		if _, asked := repair.next(ctx); asked {
			if err := m.putRight(ctx, p); err != nil {
				return err
			}
		}
		if !busy.Load() {
			if request, asked := reindex.next(ctx); asked {
				busy.Store(true)
				rebuilding.Go(func() {
					defer busy.Store(false)
					m.rebuild(ctx, request, p, func(s meili.State) {
						state = s
						again.indexed.Store(m.settled(s.Seq))
						late.Reset(lateTime)
					})
				})
			}
		}
		next := poll.C
		if n > 0 { // there may be more
			next = atOnce
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-next:
		case <-late.C:
			err = m.repeat(ctx, p, again)
		case <-check.C:
			err = m.count(ctx, p)
		}
		if err != nil {
			return err
		}
	}
}

// begun returns the state of an index that can be followed.
func (m *mirror) begun(ctx context.Context) (meili.State, error) {
	state, err := m.engine.State(ctx)
	if err != nil {
		return state, err
	}
	// A build that was cut off after the swap leaves what was in use before.
	if left, err := m.engine.Next().State(ctx); err == nil && left.Complete {
		if err := m.engine.Next().Remove(ctx); err != nil {
			return state, err
		}
	}
	last, err := m.st.Listings.LastSeq(ctx)
	if err != nil {
		return state, err
	}
	if m.current(&state) && state.Seq <= last {
		return state, nil
	}
	if err := m.build(ctx, quiet); err != nil {
		return state, err
	}
	return m.engine.State(ctx)
}

// project returns the projector of an index that is in a state, which it keeps up to
// date; nil is kept by nobody.
func (m *mirror) project(engine *meili.Engine, state *meili.State) *projector {
	p := newProjector(m.st.Listings, m.indexer, engine, nil, m.log)
	p.batch = mirrorBatch
	if state == nil {
		return p
	}
	p.indexed.Store(state.Seq)
	p.reached = func(ctx context.Context, seq int64) error {
		// What was written may have gone to an index that has just taken its place.
		if found, err := engine.State(ctx); err != nil || found != *state {
			return errors.Join(err, errOtherIndex)
		}
		if err := engine.SetSeq(ctx, seq); err != nil {
			return err
		}
		state.Seq = seq
		return nil
	}
	return p
}

// stillThere returns errOtherIndex unless the index is in the state in which it was
// left.
func (m *mirror) stillThere(ctx context.Context, p *projector, state *meili.State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, err := m.engine.State(ctx)
	if err == nil && found != *state {
		err = errOtherIndex
	}
	return err
}

// repeat takes in once more what another projector may have missed, while the one
// that goes on waits.
func (m *mirror) repeat(ctx context.Context, p, again *projector) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for again.indexed.Load() < p.indexed.Load() {
		if n, err := again.step(ctx); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// count puts the index right when it has not as many listings as the store. One that
// lacks more than a tenth has lost more than listings, and is built anew.
func (m *mirror) count(ctx context.Context, p *projector) error {
	p.mu.Lock()
	off, size, err := m.miscount(ctx, m.engine, p.indexed.Load())
	p.mu.Unlock()
	if err != nil || off == 0 {
		return err
	}
	m.log.Warn("Meilisearch has not the listings of the store and is put right", "off by", off)
	if off > size/10 {
		if err := m.engine.SetState(ctx, meili.State{}); err != nil {
			return err
		}
		return errOtherIndex
	}
	return m.putRight(ctx, p)
}

// putRight compares the index with the store and writes what differs, while p waits.
func (m *mirror) putRight(ctx context.Context, p *projector) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, err := m.compare(ctx)
	if err == nil {
		err = m.repair(ctx, found)
	}
	return err
}

// miscount returns by how many listings an index that has the changes up to a number
// differs from the store, beyond what changes since then may explain, and how many
// there should be.
func (m *mirror) miscount(ctx context.Context, engine *meili.Engine, indexed int64) (off, published int64, err error) {
	size, err := engine.Size(ctx)
	if err != nil {
		return 0, 0, err
	}
	groups, err := m.st.Listings.Count(ctx, []store.Condition{store.Equal("status", string(directory.Published))})
	if err != nil {
		return 0, 0, err
	}
	last, err := m.st.Listings.LastSeq(ctx)
	if err != nil {
		return 0, 0, err
	}
	published = groups[0].N
	off = published - int64(size)
	return max(0, max(off, -off)-(last-indexed)), published, nil
}
