package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// projector keeps the search engine up with the listings in the store. The
// engine's content follows from the store alone: the projector reads the changes
// in their order, and after a crash it simply reads them again.
type projector struct {
	listings *store.Collection[directory.Listing]
	indexer  *search.Indexer
	engine   search.Engine
	file     *indexFile // nil keeps none
	workers  int        // that read the store when all of it is loaded
	batch    int        // changes that are taken in at once
	// reached is told, by whoever is to remember it, the last change that the engine
	// has; nil tells nobody.
	reached func(ctx context.Context, seq int64) error
	noticed func(seq int64) // is told of changes that are in the store; nil tells nobody
	log     *slog.Logger

	indexed atomic.Int64 // the last change that the engine has
	stored  atomic.Int64 // the last change that is known to be in the store
	heard   atomic.Int64 // when the store answered last, in nanoseconds since 1970
	demo    atomic.Bool  // whether there is any demonstration entry
	lag     lag

	mu      sync.Mutex          // held while changes are taken in
	loading atomic.Pointer[bar] // how far load is, nil before
	rebuilt atomic.Bool         // the index is a new one, which is to be saved
}

// pollTime is how soon changes by other processes are seen; those of this one
// are seen at once.
const pollTime = 250 * time.Millisecond

func newProjector(listings *store.Collection[directory.Listing], indexer *search.Indexer, engine search.Engine, file *indexFile, log *slog.Logger) *projector {
	return &projector{listings: listings, indexer: indexer, engine: engine, file: file, workers: runtime.GOMAXPROCS(0), batch: store.MaxLimit, log: log, lag: lag{now: time.Now}}
}

// ready returns an error while the engine is far behind what is known of the store. It
// does not ask the store: when that is away, it is for all servers, and each can still
// answer searches.
func (p *projector) ready(context.Context) error {
	if behind := p.stored.Load() - p.indexed.Load(); behind > maxBehind {
		return fmt.Errorf("the search index is %d changes behind", behind)
	}
	return nil
}

// away tells whether the store has not answered for awayTime, so that changes by
// others may be missing.
func (p *projector) away() bool {
	return time.Since(time.Unix(0, p.heard.Load())) > awayTime
}

// awayTime is longer than a batch of changes takes.
const awayTime = 3 * time.Second

// maxBehind is the number of changes that the engine may lack without the
// server counting as not ready; it takes in many more a second.
const maxBehind = 1000

// progress returns the last change in the store and in the engine.
func (p *projector) progress() (stored, indexed int64) {
	return p.stored.Load(), p.indexed.Load()
}

// lagTime returns the age of the oldest change that the engine lacks, counted from
// when it was noticed, 0 when there is none.
func (p *projector) lagTime() time.Duration { return p.lag.of(p.indexed.Load()) }

// run takes in changes until ctx ends. An engine or a store that fails is asked
// again; nothing is skipped. Now and then, and at the end, the index is saved.
func (p *projector) run(ctx context.Context) error {
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	var saving sync.WaitGroup
	defer p.save(1)
	defer saving.Wait()
	busy := atomic.Bool{} // whether the index is being saved
	behind := false
	for {
		changed := p.listings.Changed()
		err := p.catchUp(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			if !behind { // one line is enough
				p.log.Error("the search index cannot follow the store; searches go on with what it has", "error", err)
			}
			behind = true
			changed = nil // try again at the next poll, not at once
		case behind && err == nil:
			p.log.Info("the search index follows the store again")
			behind = false
		}
		if busy.CompareAndSwap(false, true) {
			saving.Go(func() {
				p.save(saveEvery)
				busy.Store(false)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-poll.C:
		}
	}
}

// An index of fewer changes than saveFrom is built as fast as it is read; a
// larger one is saved again after saveEvery changes.
const (
	saveFrom  = 2_000
	saveEvery = 20_000
)

// save saves the index when there are so many changes that the file lacks, or when
// it was built anew.
func (p *projector) save(lacking int64) {
	if p.rebuilt.Swap(false) {
		lacking = 0
	}
	seq := p.indexed.Load() // before the index: it may hold more, never less
	if p.file == nil || seq < saveFrom || seq-p.file.saved < lacking {
		return
	}
	if err := p.file.save(seq); err != nil {
		p.log.Error("the search index cannot be saved; the next start will build it anew", "error", err)
	}
}

// catchUp takes in all changes that there are now.
func (p *projector) catchUp(ctx context.Context) error {
	for {
		if n, err := p.advance(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// advance takes in the next changes when nobody else does, and tells how many
// there were.
func (p *projector) advance(ctx context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.step(ctx)
}

// step takes in the next changes and tells how many there were.
func (p *projector) step(ctx context.Context) (int, error) {
	last, err := p.listings.LastSeq(ctx)
	if err != nil {
		return 0, err
	}
	p.heard.Store(time.Now().UnixNano())
	p.notice(last)
	changes, err := p.next(ctx)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	docs, gone, err := p.documents(changes)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(docs, func(d search.Document) bool { return d.Demo }) {
		p.demo.Store(true) // before the first is found
	}
	if err := p.engine.Put(ctx, docs...); err != nil {
		return 0, err
	}
	if err := p.engine.Delete(ctx, gone...); err != nil {
		return 0, err
	}
	if err := p.lookForDemo(ctx); err != nil {
		return 0, err
	}
	last = changes[len(changes)-1].Seq
	if p.reached != nil {
		if err := p.reached(ctx, last); err != nil {
			return 0, err
		}
	}
	p.notice(last)
	p.indexed.Store(last)
	return len(changes), nil
}

// next reads the changes that are taken in next.
func (p *projector) next(ctx context.Context) (changes []store.Change[directory.Listing], err error) {
	for after := p.indexed.Load(); len(changes) < p.batch; after = changes[len(changes)-1].Seq {
		page, err := p.listings.Changes(ctx, after, store.MaxLimit)
		if err != nil {
			return nil, err
		}
		changes = append(changes, page...)
		if len(page) < store.MaxLimit {
			break
		}
	}
	// What is written between two pages stands in both: the last one counts.
	last := make(map[string]int64, len(changes))
	for _, c := range changes {
		last[c.ID] = c.Seq
	}
	return slices.DeleteFunc(changes, func(c store.Change[directory.Listing]) bool { return c.Seq < last[c.ID] }), nil
}

// notice keeps that the store has changes up to a number.
func (p *projector) notice(last int64) {
	if last > p.stored.Load() {
		p.stored.Store(last)
		p.lag.notice(last, p.indexed.Load())
		if p.noticed != nil {
			p.noticed(last)
		}
	}
}

// takeOver puts the index that another projector has built in the place of one's
// own, as soon as it has all that this one has, so that no search goes back in
// time. What swap does has to be seen by searches at once.
func (p *projector) takeOver(ctx context.Context, next *projector, swap func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for next.indexed.Load() < p.indexed.Load() {
		if _, err := next.step(ctx); err != nil {
			return err
		}
	}
	if next.demo.Load() {
		p.demo.Store(true) // before the first is found
	}
	if err := swap(); err != nil {
		return err
	}
	p.demo.Store(next.demo.Load())
	p.notice(next.indexed.Load())
	p.indexed.Store(next.indexed.Load())
	p.rebuilt.Store(true)
	return nil
}

// documents sorts changes into documents to index and ids to delete.
func (p *projector) documents(changes []store.Change[directory.Listing]) (docs []search.Document, gone []string, err error) {
	docs = make([]search.Document, 0, len(changes))
	for _, c := range changes {
		if c.Value == nil || c.Value.Status != directory.Published {
			gone = append(gone, c.ID)
			continue
		}
		d, err := p.indexer.Document(c.Value)
		if err != nil {
			return nil, nil, err
		}
		docs = append(docs, d)
	}
	return docs, gone, nil
}

func (p *projector) lookForDemo(ctx context.Context) error {
	found, _, err := p.listings.Find(ctx, store.Query{
		Where: []store.Condition{store.Equal("demo", int64(1))}, Limit: 1,
	})
	p.demo.Store(len(found) > 0)
	return err
}

// bulk is the number of documents that load hands to the engine at once: enough
// for every processor to build a large segment.
const bulk = 1 << 17

// start fills the empty engine: from the file when there is a good one, else
// from the store.
func (p *projector) start(ctx context.Context, con *console) error {
	if p.file != nil {
		err := p.restore(ctx)
		if err == nil {
			return p.lookForDemo(ctx)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			p.log.Warn("the saved search index is of no use and is built anew", "error", err)
		}
		p.file.engine.Reset()
		p.indexed.Store(0)
	}
	// Loading makes much garbage in a short time, of which the collector takes away
	// less often meanwhile.
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	return p.load(ctx, con)
}

// restore reads the saved index and takes in what has changed since. It returns
// an error unless the index then holds as many listings as the store.
func (p *projector) restore(ctx context.Context) error {
	seq, err := p.file.load()
	if err != nil {
		return err
	}
	p.indexed.Store(seq)
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	last, err := p.listings.LastSeq(ctx)
	if err != nil {
		return err
	}
	p.notice(last)
	published, err := p.listings.Count(ctx, []store.Condition{store.Equal("status", string(directory.Published))})
	if err != nil {
		return err
	}
	size, err := p.engine.Size(ctx)
	if err != nil {
		return err
	}
	if seq > last || int64(size) != published[0].N {
		return fmt.Errorf("it holds %d listings up to change %d, the store %d up to %d", size, seq, published[0].N, last)
	}
	return nil
}

// load fills the empty engine from the whole store.
func (p *projector) load(ctx context.Context, con *console) error {
	last, err := p.listings.LastSeq(ctx)
	if err != nil {
		return err
	}
	counts, err := p.listings.Count(ctx, nil)
	if err != nil {
		return err
	}
	if counts[0].N > 0 {
		bar := con.progress("building the search index", int(counts[0].N))
		p.loading.Store(bar)
		if err := p.loadTo(ctx, last, bar); err != nil {
			return err
		}
		bar.done()
	}
	p.indexed.Store(last)
	p.notice(last)
	if err := p.lookForDemo(ctx); err != nil {
		return err
	}
	return p.catchUp(ctx)
}

// loadTo takes in the changes up to the number last.
func (p *projector) loadTo(ctx context.Context, last int64, bar *bar) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := atomic.Int64{} // where the next unread stretch begins
	var mu sync.Mutex
	var docs []search.Document
	put := func() {
		if err := p.engine.Put(ctx, docs...); err != nil {
			cancel(err)
		}
		docs = nil
	}
	var workers sync.WaitGroup
	for range p.workers {
		workers.Go(func() {
			for ctx.Err() == nil {
				from := next.Add(store.MaxLimit) - store.MaxLimit
				if from >= last {
					return
				}
				// A stretch has at most as many changes as numbers. The rest of an answer
				// belongs to others; numbers of old versions, which are none, are skipped.
				changes, err := p.listings.Changes(ctx, from, store.MaxLimit)
				to := from + store.MaxLimit
				if len(changes) > 0 && changes[0].Seq > to {
					next.CompareAndSwap(to, changes[0].Seq-1)
				}
				own, _ := slices.BinarySearchFunc(changes, to+1, func(c store.Change[directory.Listing], seq int64) int {
					return cmp.Compare(c.Seq, seq)
				})
				changes = changes[:own]
				more, _, err2 := p.documents(changes)
				if err == nil {
					err = err2
				}
				if err != nil {
					cancel(err)
					return
				}
				bar.add(len(changes))
				mu.Lock()
				docs = append(docs, more...)
				if len(docs) >= bulk {
					put()
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if ctx.Err() == nil {
		put()
	}
	return context.Cause(ctx)
}
