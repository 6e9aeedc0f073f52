package statistics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"qingfu/store"
	"qingfu/trial"
)

// slowSource counts as long as it is told to, by the clock of the test.
type slowSource struct {
	clock *trial.Clock
	mu    sync.Mutex
	seq   int64
	takes time.Duration
	asked int
	fails error
}

func (s *slowSource) LastSeq(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq, nil
}

func (s *slowSource) Count(context.Context, []store.Condition, ...string) ([]store.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.clock.Advance(s.takes)
	return []store.Group{{Key: []any{"630102"}, N: s.seq}}, s.fails
}

func TestCountsAreKept(t *testing.T) {
	clock := trial.NewClock(noon)
	source := &slowSource{clock: clock, seq: 1}
	k := &counter{now: clock.Now}
	want := func(name string, n int64, asked int) {
		t.Helper()
		got, err := k.count(t.Context(), "ratings", source, nil, "county")
		if err != nil || got.cells[0].n != n || got.cells[0].county != "630102" || source.asked != asked {
			t.Errorf("%s: %+v, counted %d times, %v; want %d and %d", name, got.cells, source.asked, err, n, asked)
		}
	}
	want("at first", 1, 1)
	want("again", 1, 1)
	source.seq = 2
	want("after a change", 2, 2)

	// A count that takes a second is good for ten.
	source.seq, source.takes = 3, time.Second
	want("after another", 3, 3)
	source.seq = 4
	clock.Advance(8 * time.Second)
	want("soon after", 3, 3)
	clock.Advance(2 * time.Second)
	want("later", 4, 4)

	source.seq, source.fails = 5, errors.New("away")
	clock.Advance(time.Hour)
	if _, err := k.count(t.Context(), "ratings", source, nil, "county"); !errors.Is(err, source.fails) {
		t.Errorf("a source that fails: %v", err)
	}
	source.fails = nil
	want("when it is back", 5, 6)

	for i := range 3 * maxCounted {
		if _, err := k.count(t.Context(), fmt.Sprint(i), source, nil, "county"); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.counted) > maxCounted {
		t.Errorf("%d counts are kept", len(k.counted))
	}
}
