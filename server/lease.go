package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// lease is what one process at a time has, of all that work on a store. It is a mark
// with the name of the holder, who writes it again and again. Whoever sees it
// unchanged for leaseTime, by its own clock, may take it; the holder, who counts from
// before it wrote, has stopped by then. Clocks need not agree.
type lease struct {
	meta   *store.Collection[store.Mark]
	name   string
	holder string
	log    *slog.Logger
}

const (
	leaseTime  = 10 * time.Second // without a sign of the holder, after which the lease is free
	renewTime  = 2 * time.Second  // between two signs
	leaseGrace = 2 * time.Second  // by which the holder stops before others may begin
	turnTime   = 2 * time.Second  // that who has failed leaves to others
)

// leasePrefix begins the names of the marks.
const leasePrefix = "lease/"

// newLease returns the lease of a name for a process.
func newLease(meta *store.Collection[store.Mark], name, node string, log *slog.Logger) *lease {
	return &lease{meta: meta, name: leasePrefix + name, holder: node + " " + rand.Text()[:8], log: log}
}

// run does work whenever the lease is held, and cancels its context when it is not
// any more. When work fails, others have a try before it is done again; when it
// succeeds, or with ctx, run ends.
func (l *lease) run(ctx context.Context, work func(context.Context) error) error {
	var seen store.Doc[store.Mark] // as somebody else holds it
	var since time.Time
	for {
		pause := pollTime
		held, err := l.take(ctx, &seen, &since)
		if err != nil && ctx.Err() == nil {
			l.log.Debug("the lease cannot be looked at", "lease", l.name, "error", err)
		}
		if held {
			if l.hold(ctx, since, work) {
				return nil
			}
			seen, pause = store.Doc[store.Mark]{}, turnTime
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// once does work when the lease is free within some time, and only once. It returns the
// error of work, and errTaken.
func (l *lease) once(ctx context.Context, within time.Duration, work func(context.Context) error) error {
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := time.AfterFunc(within, func() { cancel(errTaken) })
	defer patience.Stop()
	result := errTaken
	_ = l.run(waiting, func(ctx context.Context) error { // it has no errors but those of work
		if patience.Stop() {
			result = work(ctx)
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return result
}

// errTaken is what once ends with when others keep the lease.
var errTaken = errors.New("a server has the right to write, and keeps it")

// take tries to become the holder. With success, since is from when that counts.
func (l *lease) take(ctx context.Context, seen *store.Doc[store.Mark], since *time.Time) (bool, error) {
	doc, err := l.meta.Get(ctx, l.name)
	now := time.Now() // not earlier than what was read was written
	if directory.KindOf(err) == directory.NotFound {
		_, err = l.meta.Insert(ctx, l.mark(l.holder))
		*since = now
		return err == nil, err
	}
	if err != nil {
		return false, err
	}
	if doc.Value.Value != "" { // somebody's
		if doc.Version != seen.Version {
			*seen, *since = doc, now
		}
		if now.Sub(*since) < leaseTime {
			return false, nil
		}
	}
	_, err = l.meta.Replace(ctx, doc.Version, l.mark(l.holder))
	*since = now
	return err == nil, err
}

// hold does work until the lease is lost, and gives it back when work or ctx has
// ended. It tells whether the work is done.
func (l *lease) hold(ctx context.Context, since time.Time, work func(context.Context) error) bool {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	expiry := time.AfterFunc(time.Until(since.Add(leaseTime-leaseGrace)), func() { cancel(errLeaseLost) })
	defer expiry.Stop()
	done := make(chan error, 1)
	go func() { done <- work(working) }()
	renew := time.NewTicker(renewTime)
	defer renew.Stop()
	for {
		select {
		case err := <-done:
			if errors.Is(context.Cause(working), errLeaseLost) {
				return false
			}
			l.giveBack(ctx)
			return err == nil
		case <-renew.C:
			now := time.Now()
			if err := l.renew(working); err == nil {
				expiry.Reset(time.Until(now.Add(leaseTime - leaseGrace)))
			} else if errors.Is(err, errLeaseLost) {
				cancel(errLeaseLost)
			}
		}
	}
}

var errLeaseLost = errors.New("another process may hold the lease now")

// renew writes the mark again. It is errLeaseLost when somebody else holds the lease.
func (l *lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	doc, err := l.meta.Get(ctx, l.name)
	if err == nil && doc.Value.Value != l.holder {
		err = errLeaseLost
	}
	if err == nil {
		_, err = l.meta.Replace(ctx, doc.Version, l.mark(l.holder))
	}
	return err
}

// giveBack lets others have the lease at once; without it they wait.
func (l *lease) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
	defer cancel()
	doc, err := l.meta.Get(ctx, l.name)
	if err == nil && doc.Value.Value == l.holder {
		_, _ = l.meta.Replace(ctx, doc.Version, l.mark(""))
	}
}

func (l *lease) mark(holder string) store.Mark {
	return store.Mark{Name: l.name, Value: holder, At: time.Now().UTC()}
}
