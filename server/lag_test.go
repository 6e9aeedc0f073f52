package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
)

// broken is an engine that takes nothing in while it is so.
type broken struct {
	search.Engine
	err error
}

func (b *broken) Put(ctx context.Context, docs ...search.Document) error {
	if b.err != nil {
		return b.err
	}
	return b.Engine.Put(ctx, docs...)
}

// TestLag counts from the oldest change that the index lacks.
func TestLag(t *testing.T) {
	w := newWorld(t)
	st, p, closeAll := w.open(t, filepath.Join(t.TempDir(), "test.db"))
	defer closeAll()
	clock := time.Unix(1_000_000, 0)
	p.lag.now = func() time.Time { return clock }
	engine := &broken{Engine: p.engine}
	p.engine = engine
	listings := invented(3)
	step := func(what string, broken error, pass time.Duration, write int, behind int64, lag time.Duration) {
		t.Helper()
		engine.err = broken
		if write >= 0 {
			if _, err := st.Listings.Upsert(t.Context(), []directory.Listing{listings[write]}); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.catchUp(t.Context()); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		clock = clock.Add(pass)
		if stored, indexed := p.progress(); stored-indexed != behind || p.lagTime() != lag {
			t.Errorf("%s: %d behind for %s, not %d for %s", what, stored-indexed, p.lagTime(), behind, lag)
		}
	}
	away := errors.New("away")
	step("nothing is there", nil, time.Hour, -1, 0, 0)
	step("all is well", nil, time.Hour, 0, 0, 0)
	step("the engine breaks", away, 5*time.Second, 1, 1, 5*time.Second)
	step("more comes", away, 7*time.Second, 2, 2, 12*time.Second)
	step("nothing comes", away, time.Second, -1, 2, 13*time.Second)
	step("it is whole again", nil, time.Minute, -1, 0, 0)
	step("it goes on", nil, time.Minute, -1, 0, 0)
}

// TestLagCountsFromTheOldest takes in some of what waits, and bounds what is kept.
func TestLagCountsFromTheOldest(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := lag{now: func() time.Time { return now }}
	begun := now
	for seq := range int64(3 * maxSightings) {
		l.notice(seq+1, 0)
		now = now.Add(time.Second)
	}
	if len(l.seen) != maxSightings {
		t.Errorf("%d sightings are kept", len(l.seen))
	}
	for _, tc := range []struct{ indexed, seconds int64 }{{0, 0}, {1, 1}, {500, 500}, {maxSightings, maxSightings - 1}} {
		if got, want := l.of(tc.indexed), now.Sub(begun.Add(time.Duration(tc.seconds)*time.Second)); got != want {
			t.Errorf("with %d indexed: %s, not %s", tc.indexed, got, want)
		}
	}
	if got := l.of(3 * maxSightings); got != 0 {
		t.Errorf("with all indexed: %s", got)
	}
	// What is over does not make a new one old, though nobody has asked meanwhile.
	for seq := range int64(2 * maxSightings) {
		l.notice(10_000+seq, 10_000+seq-1)
		now = now.Add(time.Second)
	}
	if got := l.of(10_000 + 2*maxSightings - 2); got != time.Second {
		t.Errorf("a new one: %s", got)
	}
}
