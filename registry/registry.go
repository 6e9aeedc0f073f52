// Package registry is the life of what the directory lists: organizations
// register, propose listings and keep them right; officials decide about them;
// what is not confirmed in time goes.
//
// A listing's way to the public begins in proposals.go (an organization writes
// and submits), passes reviews.go (an official decides) and ends in
// publishing.go, which alone writes listings.
package registry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/photos"
	"qingfu/search"
	"qingfu/store"
)

// Config is what the registry is made of. Every field is needed.
type Config struct {
	Store   *store.Store
	Auth    *auth.Auth
	Photos  *photos.Store
	Search  search.Searcher // finds what may be listed already
	Regions *directory.Regions
	Log     *slog.Logger
	Now     func() time.Time
	Random  io.Reader
	// Explain says in Chinese what is wrong with a field, for result files.
	Explain func(directory.FieldError) string
}

// Registry is the use cases. Its methods are safe for concurrent use. Whether a
// caller may do something is asked before they are called, unless they say
// otherwise.
type Registry struct {
	Config

	// changing makes changes of one listing wait for each other within this
	// process, where they would only overtake each other; a listing's id chooses
	// its lock. Other servers are kept apart by the versions in the store.
	changing [64]sync.Mutex

	worker string        // names this process in leases
	wake   chan struct{} // says that there is an import to work on
}

// New returns the use cases and finishes what a crash has interrupted.
func New(ctx context.Context, cfg Config) (*Registry, error) {
	r := &Registry{Config: cfg, wake: make(chan struct{}, 1)}
	var err error
	if r.worker, err = r.newID(); err != nil {
		return nil, err
	}
	return r, r.Heal(ctx)
}

// sweepTime is how often the registry looks for what time has changed.
const sweepTime = time.Minute

// Run looks after what has to happen by itself until ctx ends. What fails is
// tried again a minute later.
func (r *Registry) Run(ctx context.Context) error {
	var imports sync.WaitGroup
	defer imports.Wait()
	imports.Go(func() { r.runImports(ctx) })
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		if err := errors.Join(r.Heal(ctx), r.Sweep(ctx), r.sweepInvitations(ctx), r.sweepFiles(ctx)); err != nil && ctx.Err() == nil {
			r.Log.Error("the registry cannot catch up", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Heal finishes what was decided but, because of a crash, not carried out. It is
// idempotent and may run on several servers at once.
func (r *Registry) Heal(ctx context.Context) error {
	return errors.Join(r.settleAll(ctx), r.publishApproved(ctx))
}

// now is the time in the precision that is stored.
func (r *Registry) now() time.Time { return r.Now().UTC().Truncate(time.Millisecond) }

func (r *Registry) newID() (string, error) { return directory.NewID(r.Now(), r.Random) }
