package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// world is what does not change between projections.
type world struct {
	lexicon  *search.Lexicon
	calendar *directory.Calendar
	indexer  *search.Indexer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := seed.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	return &world{search.NewLexicon(regions), calendar, search.NewIndexer(regions)}
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Errorf(string, ...any)
}

// open returns a store in a file, and its projector with an empty engine.
func (w *world) open(t tester, file string) (*store.Store, *projector, func()) {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, file)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.New(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	p := w.project(t, st)
	return st, p, func() {
		if err := p.engine.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) project(t tester, st *store.Store) *projector {
	t.Helper()
	engine, err := memory.New(w.lexicon, w.calendar)
	if err != nil {
		t.Fatal(err)
	}
	return newProjector(st.Listings, w.indexer, engine, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// sameAsStore checks that the engine has the published listings as they are
// stored, and nothing else.
func (w *world) sameAsStore(t tester, st *store.Store, p *projector) {
	t.Helper()
	ctx := context.Background()
	want := map[string]string{}
	demo := false
	for q := (store.Query{Limit: store.MaxLimit}); ; {
		docs, next, err := st.Listings.Find(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range docs {
			l := &docs[i].Value
			demo = demo || l.Demo
			if l.Status == directory.Published {
				d, err := w.indexer.Document(l)
				if err != nil {
					t.Fatal(err)
				}
				want[l.ID] = d.Card
			}
		}
		if q.After = next; next == nil {
			break
		}
	}
	got := map[string]string{}
	for q := (search.Query{Sort: search.ByNewest, Limit: 100}); ; {
		r, err := p.engine.Search(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Hits {
			got[h.ID] = h.Card
		}
		if q.After = r.Next; r.Next == "" {
			break
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d listings are indexed, %d are published, and they are not the same", len(got), len(want))
	}
	if p.demo.Load() != demo {
		t.Errorf("demo is %t, in the store it is %t", p.demo.Load(), demo)
	}
	last, err := st.Listings.LastSeq(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stored, indexed := p.progress(); stored != last || indexed != last {
		t.Errorf("stored %d, indexed %d, but the last change is %d", stored, indexed, last)
	}
}

// TestIndexFollowsTheStore: whatever is written, and wherever the projector is
// interrupted by a look, the index ends up equal to the store.
func TestIndexFollowsTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pool := invented(12)
	real := realListings(t)[:4]
	pool = append(pool, real...)
	states := []directory.Status{directory.Published, directory.Published, directory.Draft, directory.Suspended, directory.Archived}
	folder := t.TempDir()
	_, _, closeEmpty := w.open(t, filepath.Join(folder, "empty.db"))
	closeEmpty()
	empty, err := os.ReadFile(filepath.Join(folder, "empty.db")) // declaring takes long
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		n++
		file := filepath.Join(folder, strconv.Itoa(n)+".db")
		if err := os.WriteFile(file, empty, 0o600); err != nil {
			t.Fatal(err)
		}
		st, p, closeAll := w.open(t, file)
		defer closeAll()
		version := map[string]int64{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			l := rapid.SampledFrom(pool).Draw(t, "listing")
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0: // the projector takes in what there is so far
				if err := p.catchUp(ctx); err != nil {
					t.Fatal(err)
				}
			case 1:
				if v := version[l.ID]; v > 0 {
					if err := st.Listings.Delete(ctx, l.ID, v); err != nil {
						t.Fatal(err)
					}
					version[l.ID] = 0
				}
			default:
				l.Status = rapid.SampledFrom(states).Draw(t, "status")
				l.Address = rapid.SampledFrom([]string{"甲路1号", "乙路2号"}).Draw(t, "address")
				put := st.Listings.Insert
				if v := version[l.ID]; v > 0 {
					put = func(ctx context.Context, l directory.Listing) (store.Doc[directory.Listing], error) {
						return st.Listings.Replace(ctx, v, l)
					}
				}
				d, err := put(ctx, l)
				if err != nil {
					t.Fatal(err)
				}
				version[l.ID] = d.Version
			}
		}
		if err := p.catchUp(ctx); err != nil {
			t.Fatal(err)
		}
		w.sameAsStore(t, st, p)

		// A start finds the same.
		fresh := w.project(t, st)
		if err := fresh.load(ctx, &console{io.Discard, io.Discard}); err != nil {
			t.Fatal(err)
		}
		w.sameAsStore(t, st, fresh)
		if err := fresh.engine.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestLoadSkipsOldNumbers loads many stretches of changes, some of them empty
// because their documents were written again.
func TestLoadSkipsOldNumbers(t *testing.T) {
	w := newWorld(t)
	st, p, closeAll := w.open(t, filepath.Join(t.TempDir(), "test.db"))
	defer closeAll()
	all := invented(2*store.MaxLimit + 100)
	upsert := func(listings []directory.Listing) {
		for part := range slices.Chunk(listings, store.MaxLimit) {
			if _, err := st.Listings.Upsert(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
	}
	upsert(all)
	for i := range all[:store.MaxLimit+50] {
		all[i].Address = "新址"
	}
	upsert(all)
	if err := p.load(t.Context(), &console{io.Discard, io.Discard}); err != nil {
		t.Fatal(err)
	}
	w.sameAsStore(t, st, p)
}

// TestProjectorFollowsWriters runs the projector as the server does, beside
// writers that do not wait for it.
func TestProjectorFollowsWriters(t *testing.T) {
	w := newWorld(t)
	st, p, closeAll := w.open(t, filepath.Join(t.TempDir(), "test.db"))
	defer closeAll()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx) }()

	listings := invented(120)
	var writers sync.WaitGroup
	for k := range 4 {
		writers.Go(func() {
			for i := range listings {
				l := listings[(i+k*30)%len(listings)]
				l.Address = "第" + strconv.Itoa(k) + "版"
				if i%7 == k {
					l.Status = directory.Archived
				}
				if _, err := st.Listings.Upsert(t.Context(), []directory.Listing{l}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	last, err := st.Listings.LastSeq(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for p.indexed.Load() < last {
		runtime.Gosched()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.sameAsStore(t, st, p)
}
