package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// Limit is how many requests of a class one caller may make within a window.
type Limit struct {
	Class  string        // such as "codes by network": part of the key, at most 100 bytes
	Most   int64         // requests in a window; below 1 it lets nobody through
	Window time.Duration // above 0, and the same wherever the class is used
}

// Allowance is what a Limiter says to one request.
type Allowance struct {
	OK        bool
	Limit     int64
	Remaining int64
	Reset     time.Duration // until the caller may make another request, or, when OK, until the window ends
}

// Limiter counts requests by a sliding window: those of this window, and those
// of the one before by the part of it that lies less than a window back. The
// windows of all callers begin together, at multiples of their length since
// 1970. Its methods are safe for concurrent use.
type Limiter struct {
	now    func() time.Time
	shared *store.Collection[store.Window]
	hash   func(caller string) string // by which a caller is known in the store
	seed   maphash.Seed

	adding  sync.Mutex
	classes atomic.Pointer[map[string]*limitClass] // never changed, only replaced

	away atomic.Int64 // until when a store that does not answer is not asked, in ns since 1970; 0 when it answers
}

// limitShards is the number of parts that the callers of a class are dealt
// into, so that requests at the same time seldom wait for each other.
const limitShards = 64

type limitClass struct {
	latest atomic.Int64 // the window that all shards have been turned to
	shards [limitShards]limitShard
}

// limitShard holds callers of this window and the one before. Older ones go
// with their maps, so that nothing needs to be swept.
type limitShard struct {
	mu     sync.Mutex
	window int64 // counted from 1970
	// A caller's count is behind a pointer, because assigning to a map replaces
	// the key too: it would keep a string of the request instead of our copy.
	counts, before map[string]*int64
	shares         map[string]*limitShare // in the place of counts where the store counts
}

// limitShare is what this server may still hand out to one caller in one window.
type limitShare struct {
	held   chan struct{} // full while somebody uses the fields below; unlike a mutex it can be given up
	id     string        // of the store.Window
	window int64
	left   int64     // taken from the store and not yet handed out
	rest   int64     // what the store had left then
	free   time.Time // when a refused caller may make another request, as the store saw it
	again  time.Time // until when the store need not be asked about that
}

const (
	// limitChunks is how often the servers go to the store for a limit in a window, about.
	limitChunks = 20
	// limitRounds is how often a server looks again when others write the same window.
	limitRounds = 50
	// limitRecheck is how long a refusal holds without asking the store again. A
	// caller that does not stop costs a read in this time, and what another server
	// gave back is noticed as late.
	limitRecheck = time.Second
	// limitPatience is how long a request waits for the store to count it.
	limitPatience = 500 * time.Millisecond
	// limitAway is how long a store that has not answered is left alone.
	limitAway = 5 * time.Second
)

// errLimitBusy is the error of a count that others changed every time.
var errLimitBusy = &directory.Error{Kind: directory.Unavailable, What: "limit", Cause: errors.New("other servers were quicker every time")}

// NewLimiter returns a Limiter that has counted nothing. With a nil shared it
// counts in memory, which is for a server on its own; with a collection the
// count is shared by all servers on that store, in which callers are known by a
// hash; New makes it a keyed one.
func NewLimiter(now func() time.Time, shared *store.Collection[store.Window]) *Limiter {
	l := &Limiter{now: now, shared: shared, seed: maphash.MakeSeed(), hash: func(caller string) string {
		sum := sha256.Sum256([]byte(caller))
		return hex.EncodeToString(sum[:])
	}}
	l.classes.Store(&map[string]*limitClass{})
	return l
}

// Take asks for one request of a caller and counts it when it is allowed; a
// refused one does not count. With a shared count it takes several requests
// from the store at once and hands them out itself; what it has not handed out
// when the window ends is lost. While the store does not answer, each server counts in
// memory, so that nobody is refused for that and nothing is without a limit. It
// returns the store's other errors, and Unavailable when other servers were quicker
// every time; in memory there are none.
func (l *Limiter) Take(ctx context.Context, limit Limit, caller string) (Allowance, error) {
	at := l.now()
	window, left := limit.window(at)
	s := l.shard(limit.Class, caller, window)
	if !l.answers(at) {
		return s.take(limit, window, left, caller), nil
	}
	a, counted, err := l.takeShared(ctx, limit, s, caller, at)
	if !counted {
		a, err = s.take(limit, window, left, caller), nil
	}
	return a, err
}

// GiveBack undoes one Take that allowed, such as when the request then failed
// for a reason that is not the caller's. It returns errors like Take.
func (l *Limiter) GiveBack(ctx context.Context, limit Limit, caller string) error {
	at := l.now()
	window, _ := limit.window(at)
	s := l.shard(limit.Class, caller, window)
	if l.answers(at) {
		if counted, err := l.giveBackShared(ctx, limit, s, caller, at); counted {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(window)
	giveOne(s.counts[caller], s.before[caller])
	return nil
}

// answers tells whether there is a store that may be asked now.
func (l *Limiter) answers(at time.Time) bool {
	return l.shared != nil && at.UnixNano() >= l.away.Load()
}

// ask lets something be counted in the store. It tells whether the store has answered:
// one that does not is asked again by one request in limitAway.
func (l *Limiter) ask(ctx context.Context, at time.Time, count func(context.Context) error) (answered bool, err error) {
	next := at.Add(limitAway).UnixNano()
	away := l.away.Load()
	if away != 0 && (at.UnixNano() < away || !l.away.CompareAndSwap(away, next)) {
		return false, nil
	}
	patient, cancel := context.WithTimeout(ctx, limitPatience)
	defer cancel()
	err = count(patient)
	answered = ctx.Err() != nil || errors.Is(err, errLimitBusy) ||
		!errors.Is(err, context.DeadlineExceeded) && directory.KindOf(err) != directory.Unavailable
	switch {
	case !answered:
		l.away.Store(next)
	case away != 0:
		l.away.Store(0)
	}
	return answered, err
}

// take is Take in memory.
func (s *limitShard) take(limit Limit, window int64, left time.Duration, caller string) Allowance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn(window); s.window > window {
		left = limit.Window // another request has seen a later time
	}
	var count, before int64
	now := s.counts[caller]
	if now != nil {
		count = *now
	}
	if b := s.before[caller]; b != nil {
		before = *b
	}
	a := limit.decide(count, before, left)
	if a.OK {
		if now == nil {
			now = new(int64)
			s.counts[strings.Clone(caller)] = now
		}
		*now++
	}
	return a
}

// giveOne takes one from the first count that has any and tells whether there was one.
func giveOne(counts ...*int64) bool {
	for _, n := range counts {
		if n != nil && *n > 0 {
			*n--
			return true
		}
	}
	return false
}

// Sweep deletes the shared windows that no longer matter: those whose Ends is
// past. It returns the store's errors, and the context's when that ends first.
func (l *Limiter) Sweep(ctx context.Context) error {
	if l.shared == nil {
		return nil
	}
	q := store.Query{
		Where: []store.Condition{{Field: "ends", Op: store.Less, Value: l.now().UnixMilli()}},
		Order: "ends", Limit: store.MaxLimit,
	}
	for {
		docs, next, err := l.shared.Find(ctx, q)
		if err != nil {
			return err
		}
		// All at once, because the store puts the writes that wait together.
		deleted := make(chan error, len(docs))
		for _, d := range docs {
			go func() { deleted <- l.shared.Delete(ctx, d.Value.ID, d.Version) }()
		}
		for range docs {
			// A caller who came back meanwhile has a new window and keeps it.
			if e := <-deleted; e != nil && !overtaken(e) && err == nil {
				err = e
			}
		}
		if err != nil || next == nil {
			return err
		}
		q.After = next
	}
}

// overtaken tells whether a write failed because of another one.
func overtaken(err error) bool {
	kind := directory.KindOf(err)
	return kind == directory.Conflict || kind == directory.NotFound
}

// window returns the number of the window that a time lies in, counted from
// 1970, and how much of it is left.
func (l Limit) window(at time.Time) (n int64, left time.Duration) {
	since := at.UnixNano()
	return since / int64(l.Window), l.Window - time.Duration(since%int64(l.Window))
}

// decide answers one more request after count in this window, of which left is
// to come, and before in the one before.
func (l Limit) decide(count, before int64, left time.Duration) Allowance {
	// What counts of the window before is rounded up: whole requests fit into the
	// room below the rounded number exactly when they fit below the true one.
	overlap, fraction := mulDiv(before, left, int64(l.Window))
	if fraction {
		overlap++
	}
	if room := l.Most - count - overlap; room > 0 {
		return Allowance{OK: true, Limit: l.Most, Remaining: room - 1, Reset: left}
	}
	a := Allowance{Limit: l.Most, Reset: left}
	switch room := l.Most - count - 1; {
	case room >= 0:
		// Enough of the window before must pass: up to here it fills the room.
		until, _ := mulDiv(room, l.Window, before)
		a.Reset -= time.Duration(until)
	case l.Most > 0:
		// This window alone is too full, and the same holds in the next one.
		until, _ := mulDiv(l.Most-1, l.Window, count)
		a.Reset += l.Window - time.Duration(until)
	}
	return a
}

// mulDiv returns n × d ÷ by, rounded down, and whether a fraction was lost. The
// product may be larger than an int64, the result may not.
func mulDiv(n int64, d time.Duration, by int64) (int64, bool) {
	if n == 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(n), uint64(d))
	q, r := bits.Div64(hi, lo, uint64(by))
	return int64(q), r > 0
}

// shard returns where a caller is counted. The first to come in a window turns
// all shards of the class to it, so that callers of the past go from those too
// that nobody asks for.
func (l *Limiter) shard(class, caller string, window int64) *limitShard {
	c := (*l.classes.Load())[class]
	if c == nil {
		c = l.add(class)
	}
	if latest := c.latest.Load(); window > latest && c.latest.CompareAndSwap(latest, window) {
		for i := range c.shards {
			s := &c.shards[i]
			s.mu.Lock()
			s.turn(window)
			s.mu.Unlock()
		}
	}
	return &c.shards[maphash.String(l.seed, caller)%limitShards]
}

func (l *Limiter) add(class string) *limitClass {
	l.adding.Lock()
	defer l.adding.Unlock()
	old := *l.classes.Load()
	if c := old[class]; c != nil {
		return c
	}
	all := make(map[string]*limitClass, len(old)+1)
	for name, c := range old {
		all[name] = c
	}
	class = strings.Clone(class)
	all[class] = &limitClass{}
	l.classes.Store(&all)
	return all[class]
}

// turn makes a window the current one. It does not turn back: a request with an
// earlier time is counted in the window that has begun.
func (s *limitShard) turn(window int64) {
	if s.counts != nil && window <= s.window {
		return
	}
	s.before = nil
	if window == s.window+1 {
		s.before = s.counts
	}
	s.window, s.counts, s.shares = window, map[string]*int64{}, map[string]*limitShare{}
}

// takeShared is Take where the store counts; counted tells whether it has answered.
// Nothing but the caller's own share is held while the store is asked.
func (l *Limiter) takeShared(ctx context.Context, limit Limit, s *limitShard, caller string, at time.Time) (a Allowance, counted bool, err error) {
	window, left := limit.window(at)
	share, err := s.hold(ctx, limit, caller, window, l.hash)
	if err != nil {
		return Allowance{}, true, err
	}
	defer share.release()
	if share.window > window {
		left = limit.Window
	}
	switch {
	case share.left > 0:
		share.left--
		return Allowance{OK: true, Limit: limit.Most, Remaining: share.left + share.rest, Reset: left}, true, nil
	case at.Before(share.again):
		return Allowance{Limit: limit.Most, Reset: share.free.Sub(at)}, true, nil
	}
	var chunk int64
	counted, err = l.ask(ctx, at, func(ctx context.Context) error {
		return l.change(ctx, limit, share, left, func(w *store.Window, left time.Duration) bool {
			if a = limit.decide(w.Count, w.Before, left); a.OK {
				chunk = min(max(1, limit.Most/limitChunks), a.Remaining+1)
				w.Count += chunk
			}
			return a.OK
		})
	})
	switch {
	case err != nil || !counted:
		return Allowance{}, counted, err
	case a.OK:
		share.left, share.rest = chunk-1, a.Remaining-(chunk-1)
	default:
		share.free, share.again = at.Add(a.Reset), at.Add(min(a.Reset, limitRecheck))
	}
	return a, true, nil
}

// giveBackShared is GiveBack where the store counts.
func (l *Limiter) giveBackShared(ctx context.Context, limit Limit, s *limitShard, caller string, at time.Time) (counted bool, err error) {
	window, left := limit.window(at)
	share, err := s.hold(ctx, limit, caller, window, l.hash)
	if err != nil {
		return true, err
	}
	defer share.release()
	share.again = time.Time{}
	return l.ask(ctx, at, func(ctx context.Context) error {
		return l.change(ctx, limit, share, left, func(w *store.Window, _ time.Duration) bool {
			return giveOne(&w.Count, &w.Before)
		})
	})
}

// hold returns a caller's share of the current window once nobody else uses it;
// it must be released. It returns the error of the context when that ends first.
func (s *limitShard) hold(ctx context.Context, limit Limit, caller string, window int64, hash func(string) string) (*limitShare, error) {
	s.mu.Lock()
	s.turn(window)
	share := s.shares[caller]
	if share == nil {
		share = &limitShare{held: make(chan struct{}, 1), id: limit.Class + "." + hash(caller), window: s.window}
		s.shares[strings.Clone(caller)] = share
	}
	s.mu.Unlock()
	select {
	case share.held <- struct{}{}:
		return share, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *limitShare) release() { <-s.held }

// change brings a stored window to the time of a share, lets edit change it and
// stores it if edit says so. When another server was quicker it begins again.
func (l *Limiter) change(ctx context.Context, limit Limit, share *limitShare, left time.Duration, edit func(w *store.Window, left time.Duration) bool) (err error) {
	defer directory.Wrap(&err, "auth: count %s", limit.Class)
	start := time.Unix(0, share.window*int64(limit.Window)).UTC()
	for range limitRounds {
		doc, err := l.shared.Get(ctx, share.id)
		if err != nil && directory.KindOf(err) != directory.NotFound {
			return err
		}
		w := doc.Value
		switch {
		case w.Start.After(start):
			left = limit.Window // the clock of another server is ahead
		case w.Start.Equal(start):
		case w.Start.Equal(start.Add(-limit.Window)):
			w.Start, w.Count, w.Before = start, 0, w.Count
		default:
			w = store.Window{ID: share.id, Start: start}
		}
		if !edit(&w, left) {
			return nil
		}
		w.Ends = w.Start.Add(2 * limit.Window)
		if doc.Version == 0 {
			_, err = l.shared.Insert(ctx, w)
		} else {
			_, err = l.shared.Replace(ctx, doc.Version, w)
		}
		if err == nil || !overtaken(err) {
			return err
		}
	}
	return errLimitBusy
}
