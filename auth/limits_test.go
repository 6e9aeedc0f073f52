package auth

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// limitClock is a clock that stands until it is set.
type limitClock struct{ at atomic.Int64 } // nanoseconds since 1970

func newLimitClock(at time.Time) *limitClock {
	c := &limitClock{}
	c.set(at)
	return c
}

func (c *limitClock) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *limitClock) set(at time.Time)     { c.at.Store(at.UnixNano()) }
func (c *limitClock) pass(d time.Duration) { c.at.Add(int64(d)) }

// limitStart is the beginning of an hour and so of every window used here.
var limitStart = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// limitEngine counts what reaches a store, and fails on demand.
type limitEngine struct {
	store.Engine
	gets, writes atomic.Int64
	getErr       error
	away         func(context.Context) error // makes the error of every read
	outcome      error                       // of every write, which is then not done
}

func (e *limitEngine) Get(ctx context.Context, collection string, ids ...string) ([]store.Record, error) {
	e.gets.Add(1)
	if e.away != nil {
		return nil, e.away(ctx)
	}
	if e.getErr != nil {
		return nil, e.getErr
	}
	return e.Engine.Get(ctx, collection, ids...)
}

func (e *limitEngine) Write(ctx context.Context, collection string, writes ...store.Write) ([]store.Outcome, error) {
	e.writes.Add(1)
	if e.outcome != nil {
		return []store.Outcome{{Err: e.outcome}}, nil
	}
	return e.Engine.Write(ctx, collection, writes...)
}

func limitStore(t *testing.T) (*store.Collection[store.Window], *limitEngine) {
	t.Helper()
	inner, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close() })
	e := &limitEngine{Engine: inner}
	s, err := store.New(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return s.Windows, e
}

func limitTake(t *testing.T, l *Limiter, limit Limit, caller string) Allowance {
	t.Helper()
	a, err := l.Take(t.Context(), limit, caller)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// limitBoth runs a test with the count in memory and in a store.
func limitBoth(t *testing.T, test func(t *testing.T, c *limitClock, l *Limiter)) {
	t.Run("memory", func(t *testing.T) {
		c := newLimitClock(limitStart)
		test(t, c, NewLimiter(c.now, nil))
	})
	t.Run("shared", func(t *testing.T) {
		c := newLimitClock(limitStart)
		windows, _ := limitStore(t)
		test(t, c, NewLimiter(c.now, windows))
	})
}

func TestLimitAtTheBorderOfWindows(t *testing.T) {
	const w = time.Minute
	limit := Limit{"test", 4, w}
	limitBoth(t, func(t *testing.T, c *limitClock, l *Limiter) {
		for _, step := range []struct {
			after time.Duration // since the first window began
			want  Allowance
		}{
			{0, Allowance{true, 4, 3, w}},
			{0, Allowance{true, 4, 2, w}},
			{w / 2, Allowance{true, 4, 1, w / 2}},
			{w - 1, Allowance{true, 4, 0, 1}},
			// All four count until a quarter of the next window has passed.
			{w - 1, Allowance{false, 4, 0, 1 + w/4}},
			{w, Allowance{false, 4, 0, w / 4}},
			{w + w/4 - 1, Allowance{false, 4, 0, 1}},
			{w + w/4, Allowance{true, 4, 0, w * 3 / 4}},
			{w + w/4, Allowance{false, 4, 0, w / 4}},
			{w + w/2, Allowance{true, 4, 0, w / 2}},
			{2*w - 1, Allowance{true, 4, 0, 1}},
			// Three count now, of which the first third of the window lets none go.
			{2 * w, Allowance{true, 4, 0, w}},
			{2 * w, Allowance{false, 4, 0, w / 3}},
			// A window without requests lies between.
			{4 * w, Allowance{true, 4, 3, w}},
		} {
			c.set(limitStart.Add(step.after))
			if got := limitTake(t, l, limit, "a"); got != step.want {
				t.Errorf("after %v: %+v, want %+v", step.after, got, step.want)
			}
		}
		if got, want := limitTake(t, l, limit, "b"), (Allowance{true, 4, 3, w}); got != want {
			t.Errorf("another caller: %+v", got)
		}
		if got, want := limitTake(t, l, Limit{"other", 4, w}, "a"), (Allowance{true, 4, 3, w}); got != want {
			t.Errorf("another class: %+v", got)
		}
		if got, want := limitTake(t, l, Limit{"closed", 0, w}, "a"), (Allowance{false, 0, 0, w}); got != want {
			t.Errorf("a limit of nothing: %+v", got)
		}
	})
}

func TestLimitWithLargeNumbers(t *testing.T) {
	// The product of a count and a window does not fit an int64.
	limit := Limit{"test", 1 << 40, 24 * time.Hour}
	if got := limit.decide(0, 1<<40, 12*time.Hour); !got.OK || got.Remaining != 1<<39-1 {
		t.Errorf("%+v", got)
	}
	if got := limit.decide(1<<39, 1<<40, 12*time.Hour); got.OK || got.Reset != 79 { // a day ÷ 2^40, rounded up
		t.Errorf("%+v", got)
	}
}

// TestLimitWithAClockSetBack counts in the window that has begun, so that
// setting a clock back opens no new one.
func TestLimitWithAClockSetBack(t *testing.T) {
	limit := Limit{"test", 2, time.Minute}
	limitBoth(t, func(t *testing.T, c *limitClock, l *Limiter) {
		limitTake(t, l, limit, "a")
		c.pass(13*time.Second - time.Hour)
		if got, want := limitTake(t, l, limit, "a"), (Allowance{true, 2, 0, time.Minute}); got != want {
			t.Errorf("the second: %+v", got)
		}
		if got := limitTake(t, l, limit, "a"); got.OK {
			t.Errorf("the third: %+v", got)
		}
	})
}

// TestLimitRemaining counts down evenly, also where the store hands out chunks.
func TestLimitRemaining(t *testing.T) {
	limitBoth(t, func(t *testing.T, _ *limitClock, l *Limiter) {
		for n := int64(100); n > 0; n-- {
			if got, want := limitTake(t, l, Limit{"test", 100, time.Hour}, "a"), (Allowance{true, 100, n - 1, time.Hour}); got != want {
				t.Fatalf("%+v, want %+v", got, want)
			}
		}
	})
}

// limitModel is the definition of the sliding window over a list of requests.
type limitModel struct {
	limit Limit
	taken map[string][]time.Time
}

func (m *limitModel) count(caller string, window int64) (n int64) {
	for _, at := range m.taken[caller] {
		if at.UnixNano()/int64(m.limit.Window) == window {
			n++
		}
	}
	return n
}

// room tells whether one more request fits at a time: all sides are multiplied
// by the window, so that no fraction is lost.
func (m *limitModel) room(caller string, at time.Time) bool {
	w := int64(m.limit.Window)
	window, since := at.UnixNano()/w, at.UnixNano()%w
	return (m.count(caller, window)+1)*w+m.count(caller, window-1)*(w-since) <= m.limit.Most*w
}

func (m *limitModel) giveBack(caller string, at time.Time) {
	window := at.UnixNano() / int64(m.limit.Window)
	for _, of := range []int64{window, window - 1} {
		for i, was := range m.taken[caller] {
			if was.UnixNano()/int64(m.limit.Window) == of {
				m.taken[caller] = append(m.taken[caller][:i:i], m.taken[caller][i+1:]...)
				return
			}
		}
	}
}

func TestLimitAgainstAModel(t *testing.T) {
	windows, _ := limitStore(t)
	var runs int
	for name, shared := range map[string]*store.Collection[store.Window]{"memory": nil, "shared": windows} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				runs++ // a class of its own, because all runs share the store
				// Below 40 a server takes one request at a time, so that both count alike.
				limit := Limit{fmt.Sprint("run ", runs), rapid.Int64Range(1, 8).Draw(t, "most"), time.Duration(rapid.Int64Range(1, 12).Draw(t, "window"))}
				m := &limitModel{limit, map[string][]time.Time{}}
				c := newLimitClock(limitStart)
				l := NewLimiter(c.now, shared)
				for range rapid.IntRange(1, 60).Draw(t, "steps") {
					c.pass(time.Duration(rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 5, 12, 30}).Draw(t, "pass")))
					caller := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "caller")
					if rapid.IntRange(0, 7).Draw(t, "give back") == 0 {
						m.giveBack(caller, c.now())
						if err := l.GiveBack(context.Background(), limit, caller); err != nil {
							t.Fatal(err)
						}
						continue
					}
					got, err := l.Take(context.Background(), limit, caller)
					if err != nil {
						t.Fatal(err)
					}
					if want := m.room(caller, c.now()); got.OK != want || got.Limit != limit.Most {
						t.Fatalf("%+v, want %v", got, want)
					}
					if !got.OK {
						free := c.now().Add(got.Reset)
						if got.Remaining != 0 || m.room(caller, free.Add(-1)) || !m.room(caller, free) {
							t.Fatalf("%+v is not when the next request fits", got)
						}
						continue
					}
					m.taken[caller] = append(m.taken[caller], c.now())
					w := int64(limit.Window)
					if int64(got.Reset) != w-c.now().UnixNano()%w {
						t.Fatalf("%+v is not the end of the window", got)
					}
					// As many more fit at the same moment as Remaining says.
					more := &limitModel{limit, map[string][]time.Time{caller: append([]time.Time(nil), m.taken[caller]...)}}
					var n int64
					for ; more.room(caller, c.now()); n++ {
						more.taken[caller] = append(more.taken[caller], c.now())
					}
					if got.Remaining != n {
						t.Fatalf("%+v, but %d more fit", got, n)
					}
				}
			})
		})
	}
}

func TestLimitGiveBack(t *testing.T) {
	limit := Limit{"test", 2, time.Minute}
	limitBoth(t, func(t *testing.T, c *limitClock, l *Limiter) {
		back := func() {
			t.Helper()
			if err := l.GiveBack(t.Context(), limit, "a"); err != nil {
				t.Fatal(err)
			}
		}
		takes := func(what string, want ...bool) {
			t.Helper()
			for i, want := range want {
				if got := limitTake(t, l, limit, "a"); got.OK != want {
					t.Errorf("%s, request %d: %+v", what, i, got)
				}
			}
		}
		back() // of nothing
		takes("at first", true, true, false)
		back()
		takes("after one came back", true, false)
		back()
		back()
		back() // more than were taken
		takes("after all came back", true, true, false)
		c.pass(time.Minute)
		takes("in the next window", false)
		back()
		takes("after one of the window before came back", true, false)
	})
}

// limitParallel lets n callers take at once, from the limiters in turn, and
// returns how many were allowed.
func limitParallel(t *testing.T, limit Limit, n int, limiters ...*Limiter) int64 {
	t.Helper()
	var ok atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			a, err := limiters[i%len(limiters)].Take(context.Background(), limit, "a")
			if err != nil {
				t.Error(err)
			} else if a.OK {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	return ok.Load()
}

func TestLimitInParallel(t *testing.T) {
	for _, most := range []int64{1, 20, 49} {
		limitBoth(t, func(t *testing.T, _ *limitClock, l *Limiter) {
			if got := limitParallel(t, Limit{"test", most, time.Hour}, 50, l); got != most {
				t.Errorf("%d allowed, want %d", got, most)
			}
		})
	}
}

func TestLimitSharedByTwoServers(t *testing.T) {
	windows, _ := limitStore(t)
	c := newLimitClock(limitStart)
	both := []*Limiter{NewLimiter(c.now, windows), NewLimiter(c.now, windows)}
	if got := limitParallel(t, Limit{"small", 10, time.Hour}, 100, both...); got != 10 {
		t.Errorf("%d allowed, want 10", got)
	}
	// Chunks that a server has not handed out may be missing, but no more.
	large := Limit{"large", 1000, time.Hour}
	got := limitParallel(t, large, 2100, both...)
	if got > 1000 || got <= 1000-large.Most/limitChunks {
		t.Errorf("%d allowed, want 1000 or a little less", got)
	}
	// What was given back at one server can be had at the other.
	limit := Limit{"back", 1, time.Hour}
	limitTake(t, both[0], limit, "a")
	if err := both[0].GiveBack(t.Context(), limit, "a"); err != nil {
		t.Fatal(err)
	}
	if a := limitTake(t, both[1], limit, "a"); !a.OK {
		t.Errorf("given back: %+v", a)
	}
	if a := limitTake(t, both[0], limit, "a"); a.OK {
		t.Errorf("had by the other: %+v", a)
	}
	// A server whose clock is behind counts in the window that has begun.
	c.pass(time.Hour)
	if a := limitTake(t, both[1], Limit{"clock", 1, time.Hour}, "a"); !a.OK {
		t.Errorf("the first: %+v", a)
	}
	c.pass(-time.Second)
	if got, want := limitTake(t, both[0], Limit{"clock", 1, time.Hour}, "a"), (Allowance{false, 1, 0, 2 * time.Hour}); got != want {
		t.Errorf("with a clock that is behind: %+v", got)
	}
}

// TestLimitSharedCosts holds that a server goes to the store once a chunk, one
// request at a time, and that a caller it refuses cannot make it ask each time.
func TestLimitSharedCosts(t *testing.T) {
	windows, e := limitStore(t)
	c := newLimitClock(limitStart)
	l := NewLimiter(c.now, windows)
	limit := Limit{"test", 1000, time.Hour}
	if got := limitParallel(t, limit, 1000, l); got != 1000 {
		t.Errorf("%d of 1000 allowed", got)
	}
	if gets, writes := e.gets.Load(), e.writes.Load(); gets != limitChunks || writes != limitChunks {
		t.Errorf("%d reads and %d writes for %d chunks", gets, writes, limitChunks)
	}
	for range 100 {
		limitTake(t, l, limit, "a")
	}
	c.pass(limitRecheck - 1)
	limitTake(t, l, limit, "a")
	if gets, writes := e.gets.Load(), e.writes.Load(); gets != limitChunks+1 || writes != limitChunks {
		t.Errorf("refusing took %d reads and %d writes", gets-limitChunks, writes-limitChunks)
	}
	c.pass(1)
	limitTake(t, l, limit, "a")
	if gets := e.gets.Load(); gets != limitChunks+2 {
		t.Errorf("not asked again after %v", limitRecheck)
	}
}

func TestLimitStoreErrors(t *testing.T) {
	windows, e := limitStore(t)
	c := newLimitClock(limitStart)
	l := NewLimiter(c.now, windows)
	limit := Limit{"test", 10, time.Hour}
	limitTake(t, l, limit, "a")
	fails := func(what string, want func(error) bool) {
		t.Helper()
		if a, err := l.Take(t.Context(), limit, "a"); !want(err) || a != (Allowance{}) {
			t.Errorf("take, %s: %+v, %v", what, a, err)
		}
		if err := l.GiveBack(t.Context(), limit, "a"); !want(err) {
			t.Errorf("give back, %s: %v", what, err)
		}
	}
	broken := errors.New("broken")
	isBroken := func(err error) bool { return errors.Is(err, broken) }
	e.getErr = broken
	fails("reading", isBroken)
	e.getErr, e.outcome = nil, broken
	fails("writing", isBroken)
	before := e.writes.Load()
	e.outcome = &directory.Error{Kind: directory.Conflict}
	fails("always overtaken", func(err error) bool { return directory.KindOf(err) == directory.Unavailable })
	if n := e.writes.Load() - before; n != 2*limitRounds {
		t.Errorf("%d writes in vain, want %d", n, 2*limitRounds)
	}
	e.outcome = nil
	if a := limitTake(t, l, limit, "a"); !a.OK || a.Remaining != 8 {
		t.Errorf("afterwards: %+v", a)
	}

	// Another server may sweep at the same time, or the caller come back.
	c.pass(3 * time.Hour)
	for _, outcome := range []error{&directory.Error{Kind: directory.Conflict}, &directory.Error{Kind: directory.NotFound}} {
		e.outcome = outcome
		if err := l.Sweep(t.Context()); err != nil {
			t.Errorf("sweep, overtaken: %v", err)
		}
	}
	e.outcome = broken
	if err := l.Sweep(t.Context()); !isBroken(err) {
		t.Errorf("sweep: %v", err)
	}
	e.outcome = nil

	// A caller whose context ends does not wait for another's answer.
	window, _ := limit.window(c.now())
	share, err := l.shard(limit.Class, "a", window).hold(t.Context(), limit, "a", window, l.hash)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Take(ctx, limit, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("take while held: %v", err)
	}
	share.release()
}

// TestLimitWhileTheStoreIsAway holds that each server counts by itself meanwhile, that
// the store is asked seldom, and that it counts again when it is back.
func TestLimitWhileTheStoreIsAway(t *testing.T) {
	silent := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, away := range map[string]func(context.Context) error{
		"unavailable": func(context.Context) error { return &directory.Error{Kind: directory.Unavailable, What: "store"} },
		"silent":      silent,
	} {
		t.Run(name, func(t *testing.T) {
			windows, e := limitStore(t)
			c := newLimitClock(limitStart)
			l, other := NewLimiter(c.now, windows), NewLimiter(c.now, windows)
			limit := Limit{"test", 5, time.Hour}
			take := func(n int) (allowed int) {
				for range n {
					if limitTake(t, l, limit, "a").OK {
						allowed++
					}
				}
				return allowed
			}
			take(3)
			e.away = away
			before := e.gets.Load()
			if got := take(20); got != 5 {
				t.Errorf("%d requests were allowed meanwhile, not 5", got)
			}
			if err := l.GiveBack(t.Context(), limit, "a"); err != nil || take(5) != 1 {
				t.Errorf("given back: %v", err)
			}
			if n := e.gets.Load() - before; n != 1 {
				t.Errorf("the store was asked %d times", n)
			}
			c.pass(limitAway)
			if limitParallel(t, limit, 20, l); e.gets.Load()-before != 2 {
				t.Errorf("the store was asked %d times when it was time to", e.gets.Load()-before-1)
			}
			e.away = nil
			c.pass(limitAway)
			if got := take(20); got != 2 {
				t.Errorf("%d requests were allowed afterwards, not the 2 that were left", got)
			}
			if limitTake(t, other, limit, "a").OK {
				t.Error("another server lets more through")
			}
		})
	}
}

func TestLimitSweep(t *testing.T) {
	windows, _ := limitStore(t)
	c := newLimitClock(limitStart)
	l := NewLimiter(c.now, windows)
	hours, minutes := Limit{"hours", 10, time.Hour}, Limit{"minutes", 10, time.Minute}
	for i := range store.MaxLimit + 5 { // more than a page
		if _, err := windows.Insert(t.Context(), store.Window{ID: fmt.Sprint("past ", i), Ends: limitStart.Add(-time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	limitTake(t, l, hours, "a")
	limitTake(t, l, minutes, "stays away")
	limitTake(t, l, minutes, "comes back")
	left := func(after time.Duration) int {
		t.Helper()
		c.set(limitStart.Add(after))
		if err := l.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		docs, _, err := windows.Find(t.Context(), store.Query{Limit: store.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		return len(docs)
	}
	if n := left(2 * time.Minute); n != 3 { // until here the first minute counts in the second
		t.Errorf("%d windows left, want 3", n)
	}
	limitTake(t, l, minutes, "comes back")
	if n := left(2*time.Minute + time.Millisecond); n != 2 {
		t.Errorf("%d windows left, want 2", n)
	}
	if n := left(3 * time.Hour); n != 0 {
		t.Errorf("%d windows left at last", n)
	}
	c.set(limitStart)
	if a := limitTake(t, l, hours, "b"); !a.OK {
		t.Errorf("after sweeping: %+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if err := NewLimiter(c.now, nil).Sweep(t.Context()); err != nil {
		t.Errorf("in memory: %v", err)
	}
}

// TestLimitForgets holds that callers who have gone leave nothing behind, in
// those shards neither that nobody asks for afterwards.
func TestLimitForgets(t *testing.T) {
	limit := Limit{"test", 10, time.Minute}
	limitBoth(t, func(t *testing.T, c *limitClock, l *Limiter) {
		held := func() (now, before int) {
			class := (*l.classes.Load())[limit.Class]
			for i := range class.shards {
				s := &class.shards[i]
				now += len(s.counts) + len(s.shares)
				before += len(s.before)
			}
			return now, before
		}
		for i := range 1000 {
			limitTake(t, l, limit, fmt.Sprint(i))
		}
		if now, before := held(); now != 1000 || before != 0 {
			t.Fatalf("%d and %d before are held of 1000", now, before)
		}
		c.pass(time.Minute)
		limitTake(t, l, limit, "one")
		want := 1000
		if l.shared != nil {
			want = 0 // the store knows
		}
		if now, before := held(); now != 1 || before != want {
			t.Errorf("a window later %d and %d before are held, want 1 and %d", now, before, want)
		}
		c.pass(time.Minute)
		limitTake(t, l, limit, "another")
		if now, before := held(); now != 1 || before > 1 {
			t.Errorf("two windows later %d and %d before are held", now, before)
		}
	})
}

// TestLimitTellsNoAddress holds that a store does not show who its callers are,
// and that an id fits however long a caller is.
func TestLimitTellsNoAddress(t *testing.T) {
	windows, _ := limitStore(t)
	l := NewLimiter(newLimitClock(limitStart).now, windows)
	limitTake(t, l, Limit{"codes by network", 10, time.Hour}, "203.0.113.7")
	docs, _, err := windows.Find(t.Context(), store.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	// printf 203.0.113.7 | sha256sum
	if got, want := docs[0].Value.ID, "codes by network.fec52565aa0cf18f57d7cf5b3ac728503b8992d2d6f7d46da1d1201090902b02"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	limitTake(t, l, Limit{"codes by network", 10, time.Hour}, string(make([]byte, 10_000)))
}

func BenchmarkLimitTake(b *testing.B) {
	callers := make([]string, 10_000)
	for i := range callers {
		callers[i] = fmt.Sprint("203.0.113.", i)
	}
	limit := Limit{"reads by network", 1 << 40, time.Minute} // nobody reaches it
	b.Run("memory", func(b *testing.B) {
		l := NewLimiter(time.Now, nil)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				l.Take(context.Background(), limit, callers[i*7919%len(callers)])
			}
		})
	})
	b.Run("memory, one caller", func(b *testing.B) {
		l := NewLimiter(time.Now, nil)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				l.Take(context.Background(), limit, "203.0.113.7")
			}
		})
	})
	b.Run("shared", func(b *testing.B) {
		e, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "store.db"))
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		s, err := store.New(b.Context(), e)
		if err != nil {
			b.Fatal(err)
		}
		l := NewLimiter(time.Now, s.Windows)
		limit := Limit{"reads by network", 60_000, time.Minute} // 3000 go to the store once
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, err := l.Take(context.Background(), limit, callers[i%20]); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
