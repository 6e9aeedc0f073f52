package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"qingfu/auth"
	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/handlers"
	"qingfu/photos"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/statistics"
	"qingfu/store"
	"qingfu/store/sqlite"
)

const (
	scaleRate  = 50 // searches a second, few enough that answers need not queue
	scaleTimes = 4  // as long as a scenario, because of the low rate

	// The targets, for an index that grows from smallScale to largeScale listings.
	smallScale, largeScale = 10_000, 1_000_000
	buildLimit             = 60 * time.Second
	memoryLimit            = 1536 // bytes a listing
	growthLimit            = 10
)

// indexFigures is what an index says of itself.
type indexFigures struct {
	Listings     int
	BuildSeconds float64
	Heap         int64 // bytes of the whole process in use after a collection
	RSS          int64 // bytes of the whole process, 0: not known
}

// scaleRow is what was measured of an index of one size.
type scaleRow struct {
	indexFigures
	Searches int
	P50, P99 float64 // milliseconds
	Errors   int
	Failure  string // the first error
}

// scale is what was measured at several sizes. The verdict on each is "–" when
// the sizes are not those that the target is set for.
type scale struct {
	Rows                   []scaleRow
	Growth                 float64 // P99 of the last row / P99 of the first
	Build, Memory, Growing verdict
}

// heapEach returns the bytes of heap a listing.
func (f indexFigures) heapEach() int64 { return f.Heap / int64(f.Listings) }

// measureScale builds an index of each size in a process of its own and asks all
// the same searches at the same rate.
func measureScale(ctx context.Context, o options, m *mix, temp string, progress func(string, ...any)) (*scale, error) {
	warm, d := o.duration/5, scaleTimes*o.duration
	requests := drawDistinct(int(scaleRate*(warm+d).Seconds())+1, m.searchQuery)
	s := &scale{}
	for _, n := range o.scale {
		progress("index of %d listings", n)
		row, err := measureIndex(ctx, o, n, filepath.Join(temp, fmt.Sprint("index", n)), inTurn(requests, true), warm, d)
		if err != nil {
			return nil, err
		}
		s.Rows = append(s.Rows, row)
	}
	first, last := s.Rows[0], s.Rows[len(s.Rows)-1]
	large := last.Listings >= largeScale
	s.Growth = last.P99 / first.P99
	s.Build = judge(last.BuildSeconds <= buildLimit.Seconds(), last.Listings == largeScale)
	s.Memory = judge(last.heapEach() <= memoryLimit, large)
	s.Growing = judge(s.Growth <= growthLimit, large && first.Listings <= smallScale)
	return s, nil
}

func measureIndex(ctx context.Context, o options, n int, folder string, next func() []byte, warm, d time.Duration) (scaleRow, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return scaleRow{}, err
	}
	c, err := startChild(ctx, fmt.Sprintf("index %d %d %s", n, o.seed, folder))
	if err != nil {
		return scaleRow{}, err
	}
	defer c.stop()
	p := plan{addr: c.Addr, conns: o.conns, d: warm, perSecond: scaleRate}
	warmed := p.run(ctx, next)
	p.d = d
	l := p.run(ctx, next)
	l.errors += warmed.errors
	if warmed.failure != nil {
		l.failure = warmed.failure
	}
	if ctx.Err() != nil {
		return scaleRow{}, ctx.Err()
	}
	row := scaleRow{indexFigures: c.Index, Searches: len(l.latencies), Errors: l.errors}
	if l.failure != nil {
		row.Failure = l.failure.Error()
	}
	if row.Searches == 0 {
		return row, fmt.Errorf("index of %d listings: no answer at all: %s", n, row.Failure)
	}
	shares := l.percentiles(0.5, 0.99)
	row.P50, row.P99 = shares[0], shares[1]
	return row, nil
}

// serveIndex is the API over an index of n synthetic listings and an empty
// store, which searches do not need.
func serveIndex(ctx context.Context, n int, number uint64, folder string) (err error) {
	regions, err := seed.Regions()
	if err != nil {
		return err
	}
	calendar, err := seed.Calendar()
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, filepath.Join(folder, "empty.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	st, err := store.New(ctx, db)
	if err != nil {
		return err
	}
	lexicon := search.NewLexicon(regions)
	indexer := search.NewIndexer(regions)
	engine, err := memory.New(lexicon, calendar)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	took, err := build(ctx, engine, indexer, n, number)
	if err != nil {
		return err
	}
	keys, err := auth.OpenKeyFile(filepath.Join(folder, "keys.json"), rand.Reader)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	access, err := auth.New(ctx, auth.Config{
		Store: st, Keys: keys, Sender: auth.NewLogSender(log), Limiter: auth.NewLimiter(time.Now, nil), Log: log, Now: time.Now, Random: rand.Reader,
		Issuer: "http://localhost", SMSPerHour: 1,
	})
	if err != nil {
		return err
	}
	bucket, err := photos.OpenFolder(filepath.Join(folder, "photos"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	album := photos.New(photos.Config{Bucket: bucket, Documents: st, Log: log, Now: time.Now})
	reg, err := registry.New(ctx, registry.Config{
		Store: st, Auth: access, Photos: album, Search: engine, Regions: regions, Log: log, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		return err
	}
	between := consumer.New(consumer.Config{
		Store: st, Auth: access, Photos: album, Search: engine, Regions: regions, Calendar: calendar, Rules: directory.DefaultRatingRules(),
		PublicURL: "http://localhost", Log: log, Now: time.Now, Random: rand.Reader,
	})
	figures := statistics.New(statistics.Config{
		Store: st, Auth: access, Regions: regions, Calendar: calendar, Census: seed.Census(), Rules: directory.DefaultRatingRules(), PublicURL: access.Issuer, Log: log, Now: time.Now, Random: rand.Reader,
	})
	h := hello{Index: indexFigures{Listings: n, BuildSeconds: took.Seconds(), Heap: settledHeap()}}
	debug.FreeOSMemory()
	h.Index.RSS = residentMemory(os.Getpid())
	app, err := handlers.New(handlers.Config{
		Store: st, Search: engine, Auth: access, Registry: reg, Consumer: between, Statistics: figures, Photos: album, Regions: regions, Lexicon: lexicon, Calendar: calendar,
		Log: log, Now: time.Now, Version: "bench",
		Ready:    func(context.Context) error { return nil },
		Progress: func() (int64, int64) { return 0, 0 },
		DemoData: func() bool { return true },
	})
	if err != nil {
		return err
	}
	return serveOn(app, h)
}

// bulk is the number of documents that the engine gets at once, as when the
// server starts.
const bulk = 1 << 17

// build fills the engine and returns how long that took, without the time in
// which the listings were invented.
func build(ctx context.Context, engine search.Engine, indexer *search.Indexer, n int, number uint64) (took time.Duration, err error) {
	listings := make([]directory.Listing, 0, min(n, bulk))
	put := func() error {
		begin := time.Now()
		docs, err := documents(indexer, listings)
		if err != nil {
			return err
		}
		err = engine.Put(ctx, docs...)
		took += time.Since(begin)
		clear(listings)
		listings = listings[:0]
		return err
	}
	for l := range seed.Synthetic(n, number) {
		listings = append(listings, l)
		if len(listings) == bulk {
			if err := put(); err != nil {
				return took, err
			}
		}
	}
	return took, put()
}

// documents makes the documents of listings, on all processors.
func documents(indexer *search.Indexer, listings []directory.Listing) ([]search.Document, error) {
	docs := make([]search.Document, len(listings))
	parts := runtime.GOMAXPROCS(0)
	errs := make([]error, parts)
	var workers sync.WaitGroup
	for part := range parts {
		workers.Go(func() {
			for i := part; i < len(listings) && errs[part] == nil; i += parts {
				docs[i], errs[part] = indexer.Document(&listings[i])
			}
		})
	}
	workers.Wait()
	return docs, errors.Join(errs...)
}

// heapInUse returns the bytes of heap that are in use after a collection.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC() // what had a finalizer goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse)
}

// settledHeap waits until the engine's work in the background, which merges
// parts of the index, no longer changes the heap by more than 1/1000.
func settledHeap() int64 {
	heap := heapInUse()
	for range 100 {
		time.Sleep(300 * time.Millisecond)
		last := heap
		heap = heapInUse()
		if diff := heap - last; max(diff, -diff) <= heap/1000 {
			break
		}
	}
	return heap
}
