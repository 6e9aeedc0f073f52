package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"qingfu/search"
	"qingfu/search/meili"
	"qingfu/seed"
	"qingfu/store"
)

// mirror keeps an index in Meilisearch up with the store, and knows how far it is.
// Every server watches (here); one at a time, who has the lease, writes (leader.go).
// The index says itself how far it follows, so that a Meilisearch that has lost its
// data, or has been set back to an older state, is found out and put right.
type mirror struct {
	st      *store.Store
	indexer *search.Indexer
	engine  *meili.Engine
	owner   string // see meili.State
	node    string
	log     *slog.Logger

	seen   atomic.Pointer[meili.State] // when Meilisearch answered last; nil while it does not
	most   atomic.Int64                // the last change that it had, or has to have
	lag    lag                         // of what it lacks
	reason atomic.Pointer[error]       // of the last search that it did not answer

	mu    sync.Mutex
	trail []sighting // how far it was in the last lateTime, and once before

	told string // the last failure to write that was logged
}

const (
	watchTime = 100 * time.Millisecond // between two looks at Meilisearch, or at the store
	probeTime = time.Second            // for Meilisearch to say how far it is
	// mostLag is the age of a change, counted from when this server has noticed it, from
	// which on Meilisearch is not asked before it has it. With pollTime and watchTime it
	// keeps the promise that a change is found in a second.
	mostLag = 500 * time.Millisecond
	// tellTime is how long the other index has to answer for the log to say so.
	tellTime = time.Second
	// lateTime is after which a request to Meilisearch is no longer under way that was
	// sent before.
	lateTime = 30 * time.Second
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

// indexRules tells rules of indexing apart, by what becomes of the embedded listings:
// real ones, and demonstration ones, which have what a listing can have.
func indexRules(lexicon *search.Lexicon, indexer *search.Indexer) (string, error) {
	real, err := seed.Real()
	if err != nil {
		return "", err
	}
	demo, err := seed.Demo()
	if err != nil {
		return "", err
	}
	listings := slices.Concat(real, demo)
	samples := make([]search.Document, len(listings))
	for i := range listings {
		if samples[i], err = indexer.Document(&listings[i]); err != nil {
			return "", err
		}
	}
	return meili.New(meili.Config{Lexicon: lexicon}).Fingerprint(samples)
}

// lease returns the right to write, which one process at a time has.
func (m *mirror) lease() *lease { return newLease(m.st.Meta, mirrorLease, m.node, m.log) }

const mirrorLease = "meilisearch"

// current tells whether an index is that of this store and these rules, and whole.
func (m *mirror) current(s *meili.State) bool { return s.Complete && s.Owner == m.owner }

// behind tells whether Meilisearch lacks what a search has to find.
func (m *mirror) behind() bool { return m.lacks(m.seen.Load()) != nil }

// lacks says what is wrong with an index in a state, nil when nothing is.
func (m *mirror) lacks(s *meili.State) error {
	switch {
	case s == nil:
		return errors.New("it does not answer")
	case !m.current(s):
		return errors.New("it has no whole index of this store by these rules yet")
	case s.Seq < m.most.Load():
		return errors.New("it was set back, or has not caught up since the start")
	case m.lag.of(s.Seq) > mostLag:
		return errors.New("it is behind the store")
	}
	return nil
}

// notice is told of changes that are in the store, up to a number.
func (m *mirror) notice(last int64) {
	indexed := int64(0)
	if s := m.seen.Load(); s != nil {
		indexed = s.Seq
	}
	m.lag.notice(last, indexed)
}

// failed is told why a search was not answered.
func (m *mirror) failed(err error) { m.reason.Store(&err) }

// watch looks, until ctx ends, how far Meilisearch is, and tells the log when searches
// have changed over from one index to the other. Stored is the last change that the
// server began with.
func (m *mirror) watch(ctx context.Context, stored int64, degraded func() bool) error {
	m.most.Store(stored)
	look := time.NewTicker(watchTime)
	defer look.Stop()
	told, other := false, time.Now() // whether the standby answers; since when it is the other one
	for {
		err := m.look(ctx)
		now := time.Now()
		if away := degraded(); away == told {
			other = now
		} else if now.Sub(other) > tellTime && ctx.Err() == nil {
			told, other = away, now
			if away {
				m.log.Warn("the embedded index answers searches in the place of Meilisearch", "reason", m.why(err))
			} else {
				m.log.Info("Meilisearch answers searches")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

// why says why Meilisearch is not asked, given the error of the last look.
func (m *mirror) why(err error) error {
	if err != nil {
		return err
	}
	if err := m.lacks(m.seen.Load()); err != nil {
		return err
	}
	if failed := m.reason.Load(); failed != nil {
		return *failed
	}
	return nil
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
	if m.current(&s) {
		m.most.Store(max(m.most.Load(), s.Seq)) // this is the only one to write it
		m.leaveTrail(s.Seq, time.Now())
	}
	before := m.seen.Swap(&s)
	if before == nil || before.Generation != s.Generation {
		m.engine.Turned()
	}
	return nil
}

// leaveTrail keeps how far the index was at a moment, once a second.
func (m *mirror) leaveTrail(seq int64, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.trail); n > 0 && at.Sub(m.trail[n-1].at) < time.Second {
		return
	}
	m.trail = append(m.trail, sighting{seq, at})
	for len(m.trail) > 1 && at.Sub(m.trail[1].at) > lateTime {
		m.trail = m.trail[1:]
	}
}

// settled returns up to which change nobody can write late any more, as far as this
// process has seen the index, and at most a number.
func (m *mirror) settled(most int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.trail) == 0 {
		return most
	}
	return min(most, m.trail[0].seq)
}

// unsettle has settled return at most a number for lateTime.
func (m *mirror) unsettle(seq int64, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trail = []sighting{{seq, at}}
}
