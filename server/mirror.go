package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/meili"
	"qingfu/seed"
	"qingfu/store"
)

// mirror keeps an index in Meilisearch up with the store, and knows how far it is.
// Every server watches; one at a time, who has the lease, writes. The index says
// itself how far it follows, so that a Meilisearch that has lost its data, or has
// been set back to an older state, is found out and put right.
type mirror struct {
	st      *store.Store
	indexer *search.Indexer
	engine  *meili.Engine
	owner   string // see meili.State
	node    string
	log     *slog.Logger

	seen   atomic.Pointer[meili.State] // when Meilisearch answered last; nil while it does not
	lag    lag                         // of what it lacks
	reason atomic.Pointer[error]       // of the last search that it did not answer
	told   string                      // the last failure to write that was logged
}

const (
	watchTime = 250 * time.Millisecond // between two looks at Meilisearch, or at the store
	probeTime = time.Second            // for Meilisearch to say how far it is
	// mostLag is the age of a change from which on Meilisearch is not asked before it
	// has it. With watchTime it keeps the promise that a change is found in a second.
	mostLag = 750 * time.Millisecond
	// lateTime is after which a request to Meilisearch that was sent before the lease
	// passed on is no longer under way.
	lateTime = 30 * time.Second
	// checkTime is between two comparisons of the numbers of listings.
	checkTime = time.Minute
	// mirrorBatch is the number of changes that Meilisearch takes in at once.
	mirrorBatch = 5 * store.MaxLimit
)

// newMirror returns the mirror of a store in Meilisearch, which need not answer yet.
func newMirror(ctx context.Context, st *store.Store, config meili.Config, indexer *search.Indexer, node string, log *slog.Logger) (*mirror, error) {
	rules, err := indexRules(config.Lexicon, indexer)
	if err != nil {
		return nil, err
	}
	return mirrorBy(ctx, rules, st, config, indexer, node, log)
}

// mirrorBy is newMirror for rules that are known.
func mirrorBy(ctx context.Context, rules string, st *store.Store, config meili.Config, indexer *search.Indexer, node string, log *slog.Logger) (*mirror, error) {
	id, err := st.ID(ctx)
	return &mirror{
		st: st, indexer: indexer, engine: meili.New(config), owner: id + " " + rules, node: node, log: log,
		lag: lag{now: time.Now},
	}, err
}

// indexRules tells rules of indexing apart, by what becomes of the real listings.
func indexRules(lexicon *search.Lexicon, indexer *search.Indexer) (string, error) {
	real, err := seed.Real()
	if err != nil {
		return "", err
	}
	samples := make([]search.Document, len(real))
	for i := range real {
		if samples[i], err = indexer.Document(&real[i]); err != nil {
			return "", err
		}
	}
	return meili.New(meili.Config{Lexicon: lexicon}).Fingerprint(samples)
}

// lease returns the right to write, which one process at a time has.
func (m *mirror) lease() *lease { return newLease(m.st.Meta, "meilisearch", m.node, m.log) }

// current tells whether an index is that of this store and these rules, and whole.
func (m *mirror) current(s *meili.State) bool { return s.Complete && s.Owner == m.owner }

// behind tells whether Meilisearch lacks what a search has to find.
func (m *mirror) behind() bool {
	s := m.seen.Load()
	return s == nil || !m.current(s) || m.lag.of(s.Seq) > mostLag
}

// failed is told why a search was not answered.
func (m *mirror) failed(err error) { m.reason.Store(&err) }

// why says why Meilisearch is not asked, given the error of the last look.
func (m *mirror) why(err error) error {
	s := m.seen.Load()
	switch {
	case err != nil:
		return err
	case s == nil || !m.current(s):
		return errors.New("it has no whole index of this store by these rules yet")
	case m.lag.of(s.Seq) > mostLag:
		return errors.New("it is behind the store")
	}
	if failed := m.reason.Load(); failed != nil {
		return *failed
	}
	return nil
}

// watch looks, until ctx ends, how far Meilisearch is behind the last change that
// stored returns, and tells the log when searches change over from one index to the
// other.
func (m *mirror) watch(ctx context.Context, stored func() int64, degraded func() bool) error {
	look := time.NewTicker(watchTime)
	defer look.Stop()
	noticed, answering, began := int64(0), true, time.Now()
	for {
		err := m.look(ctx)
		if last := stored(); last > noticed {
			noticed = last
			if s := m.seen.Load(); s != nil {
				m.lag.notice(last, s.Seq)
			} else {
				m.lag.notice(last, 0)
			}
		}
		if away := degraded(); away == answering && ctx.Err() == nil {
			since := time.Since(began)
			answering, began = !away, time.Now()
			if away {
				m.log.Warn("the embedded index answers searches in the place of Meilisearch", "reason", m.why(err))
			} else {
				m.log.Info("Meilisearch answers searches again", "after", since.Round(time.Millisecond))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

// look asks Meilisearch how far it is.
func (m *mirror) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	s, err := m.engine.State(ctx)
	if err != nil {
		m.seen.Store(nil)
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer in %s", probeTime)
		}
		return err
	}
	before := m.seen.Swap(&s)
	if before == nil || before.Generation != s.Generation {
		m.engine.Turned()
	}
	return nil
}

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
// is not there, not whole, or of another store or other rules.
func (m *mirror) follow(ctx context.Context) error {
	state, err := m.engine.State(ctx)
	if err != nil {
		return err
	}
	if !m.current(&state) {
		if err := m.build(ctx, quiet); err != nil {
			return err
		}
		if state, err = m.engine.State(ctx); err != nil {
			return err
		}
	}
	m.engine.Turned()
	p := m.project(m.engine, &state)

	// Whoever wrote before may have sent something that arrives only now, and sets
	// listings back: what it may have sent is sent once more.
	again := m.project(m.engine, nil)
	again.indexed.Store(state.Seq)
	late, check := time.After(lateTime), time.NewTicker(checkTime)
	defer check.Stop()
	poll := time.NewTicker(watchTime)
	defer poll.Stop()
	requests := reindexRequests{meta: m.st.Meta}
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
		if err != nil {
			return err
		}
		if err := m.stillThere(ctx, p, &state); err != nil {
			return err
		}
		if !busy.Load() {
			if request, ok := requests.next(ctx); ok {
				busy.Store(true)
				rebuilding.Go(func() {
					defer busy.Store(false)
					m.rebuild(ctx, request, p, &state)
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
		case <-late:
			err = m.repeat(ctx, p, again)
		case <-check.C:
			err = m.count(ctx, p)
		}
		if err != nil {
			return err
		}
	}
}

// project returns the projector of an index that is in a state, which it keeps up to
// date; nil is kept by nobody.
func (m *mirror) project(engine *meili.Engine, state *meili.State) *projector {
	p := newProjector(m.st.Listings, m.indexer, engine, nil, m.log)
	p.batch = mirrorBatch
	if state != nil {
		p.indexed.Store(state.Seq)
		p.reached = func(ctx context.Context, seq int64) error {
			if err := engine.SetSeq(ctx, seq); err != nil {
				return err
			}
			state.Seq = seq
			return nil
		}
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

// count puts the index right when it has not as many listings as the store.
func (m *mirror) count(ctx context.Context, p *projector) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	off, err := m.miscount(ctx, m.engine, p.indexed.Load())
	if err != nil || off == 0 {
		return err
	}
	m.log.Warn("Meilisearch has not the listings of the store and is put right", "off by", off)
	found, err := m.compare(ctx)
	if err == nil {
		err = m.repair(ctx, found)
	}
	return err
}

// miscount returns by how many listings an index that has the changes up to a number
// differs from the store, beyond what changes since then may explain.
func (m *mirror) miscount(ctx context.Context, engine *meili.Engine, indexed int64) (int64, error) {
	size, err := engine.Size(ctx)
	if err != nil {
		return 0, err
	}
	published, err := m.st.Listings.Count(ctx, []store.Condition{store.Equal("status", string(directory.Published))})
	if err != nil {
		return 0, err
	}
	last, err := m.st.Listings.LastSeq(ctx)
	if err != nil {
		return 0, err
	}
	off := published[0].N - int64(size)
	return max(0, max(off, -off)-(last-indexed)), nil
}

// A generation is an index that is built beside the one in use.
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
	if g.state.Owner != m.owner || g.state.Complete {
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
		if n < g.p.batch {
			bar.done()
			return g, nil
		}
	}
}

// turn has the generation take the place of the one in use, unless it lacks listings
// that changes since do not account for.
func (g *generation) turn(ctx context.Context) error {
	off, err := g.miscount(ctx, g.next, g.p.indexed.Load())
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
	return g.engine.Replace(ctx, g.next)
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
// index in use up to date, and changes over.
func (m *mirror) rebuild(ctx context.Context, request string, p *projector, state *meili.State) {
	begun := time.Now()
	loading := atomic.Pointer[bar]{}
	err := reporting(ctx, m.st.Meta, m.node+" in Meilisearch", request, &loading, m.engine, func() error {
		g, err := m.raise(ctx, quiet, &loading)
		if err != nil {
			return err
		}
		return p.takeOver(ctx, g.p, func() error {
			if err := g.turn(ctx); err != nil {
				return err
			}
			*state = g.state
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
