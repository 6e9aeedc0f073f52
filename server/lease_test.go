package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// cutOff is a store that can be away.
type cutOff struct {
	store.Engine
	away atomic.Bool
}

func (e *cutOff) Get(ctx context.Context, collection string, ids ...string) ([]store.Record, error) {
	if e.away.Load() {
		return nil, &directory.Error{Kind: directory.Unavailable, What: "store"}
	}
	return e.Engine.Get(ctx, collection, ids...)
}

// leases returns what makes leases on one store, and that store.
func leases(t *testing.T) (make func(node string) *lease, engine *cutOff) {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	engine = &cutOff{Engine: db}
	st, err := store.New(context.Background(), engine)
	if err != nil {
		t.Fatal(err)
	}
	return func(node string) *lease { return newLease(st.Meta, "test", node, slog.New(slog.DiscardHandler)) }, engine
}

// TestOneHolds: however many want it, one works at a time; when it ends the next one
// begins soon, and when it is gone without a word, after leaseTime.
func TestOneHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, _ := leases(t)
		var working, most, turns atomic.Int64
		work := func(ctx context.Context) error {
			most.Store(max(most.Load(), working.Add(1)))
			turns.Add(1)
			<-ctx.Done()
			working.Add(-1)
			return nil
		}
		var stops []context.CancelFunc
		var running sync.WaitGroup
		for _, node := range []string{"a", "b", "c"} {
			ctx, stop := context.WithCancel(context.Background())
			stops = append(stops, stop)
			running.Go(func() {
				if err := lease(node).run(ctx, work); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(10 * leaseTime) // of the bubble's clock
		if turns.Load() != 1 || working.Load() != 1 {
			t.Errorf("%d turns, %d at work", turns.Load(), working.Load())
		}
		for _, stop := range stops {
			stop()
			time.Sleep(2 * pollTime)
		}
		running.Wait()
		if most.Load() != 1 || turns.Load() < 1 || working.Load() != 0 {
			t.Errorf("%d at work at once, %d turns, %d still at work", most.Load(), turns.Load(), working.Load())
		}
	})
}

// TestHolderIsGone: who takes the lease of one that is gone without a word waits for
// leaseTime, and by then the other one would have stopped.
func TestHolderIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, _ := leases(t)
		a, b := lease("a"), lease("b")
		var seen store.Doc[store.Mark]
		var since time.Time
		begun := time.Now()
		if held, err := a.take(t.Context(), &seen, &since); !held || err != nil {
			t.Fatal(held, err)
		}
		took := make(chan time.Duration, 1)
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			_ = b.run(ctx, func(context.Context) error {
				took <- time.Since(begun)
				return nil // ends the run and gives the lease back
			})
		})
		if d := <-took; d < leaseTime || d > leaseTime+2*pollTime {
			t.Errorf("taken over after %s", d)
		}
		running.Wait()
		stop()
		if held, err := a.take(t.Context(), &seen, &since); !held || err != nil {
			t.Errorf("what was given back is not free: %v", err)
		}

		// A holder whose lease somebody else has taken stops.
		seen, since = store.Doc[store.Mark]{}, time.Now()
		stopped := make(chan time.Duration, 1)
		begun = time.Now()
		running.Go(func() {
			done := a.hold(context.Background(), since, func(ctx context.Context) error {
				<-ctx.Done()
				stopped <- time.Since(begun)
				return nil
			})
			if done {
				t.Error("the work is said to be done")
			}
		})
		doc, err := b.meta.Get(t.Context(), b.name)
		if err == nil {
			_, err = b.meta.Replace(t.Context(), doc.Version, b.mark(b.holder))
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := <-stopped; d > renewTime {
			t.Errorf("stopped after %s", d)
		}
		running.Wait()
	})
}

// TestHolderCannotRenew: who cannot say that it is there stops before others begin.
func TestHolderCannotRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, engine := leases(t)
		a := lease("a")
		var seen store.Doc[store.Mark]
		var since time.Time
		if held, err := a.take(t.Context(), &seen, &since); !held || err != nil {
			t.Fatal(held, err)
		}
		engine.away.Store(true)
		done := a.hold(t.Context(), since, func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		})
		if d := time.Since(since); done || d != leaseTime-leaseGrace {
			t.Errorf("stopped after %s, done: %t", d, done)
		}
	})
}

// TestOthersHaveATry: who fails gives the lease back, and tries again after others.
func TestOthersHaveATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, _ := leases(t)
		var order []string // of turns, one at a time
		var running sync.WaitGroup
		for _, node := range []string{"a", "b"} {
			running.Go(func() {
				_ = lease(node).run(t.Context(), func(context.Context) error {
					order = append(order, node)
					if len(order) < 6 {
						return errors.New("no luck")
					}
					return nil
				})
			})
		}
		running.Wait()
		if !slices.Contains(order[:4], "a") || !slices.Contains(order[:4], "b") {
			t.Errorf("the turns were %v", order)
		}
	})
}
