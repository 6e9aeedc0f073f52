// Package statistics is what officials open the program for: how satisfied consumers
// are and how sure that is (satisfaction.go), the other figures of the policy
// (indicators.go), what institutions and counties report (returns.go), and the
// bulletins that freeze a period (bulletins.go).
package statistics

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// Config is what the statistics are made of. Every field is needed.
type Config struct {
	Store    *store.Store
	Auth     *auth.Auth
	Regions  *directory.Regions
	Calendar *directory.Calendar
	// Census is how many people live in a region, for those of which it is known: the
	// prefectures, and some counties.
	Census map[string]int64
	// Rules are those by which ratings are held, which bulletins print.
	Rules directory.RatingRules
	// PublicURL is where users reach the server, without a slash at its end.
	PublicURL string
	Log       *slog.Logger
	Now       func() time.Time
	Random    io.Reader
}

// Statistics is the use cases. Its methods are safe for concurrent use. Whether a
// caller may use the operation at all is asked before they are called.
type Statistics struct {
	Config
	counter  *counter
	listings *listingTally
}

// New returns the use cases.
func New(cfg Config) *Statistics {
	return &Statistics{Config: cfg, counter: &counter{now: cfg.Now}, listings: newListingTally(cfg.Regions)}
}

// sweepTime is how often is looked for what time has changed.
const sweepTime = time.Minute

// Run looks after what has to happen by itself until ctx ends. What fails is tried
// again a minute later.
func (s *Statistics) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("statistics cannot be looked after", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep does once what [Statistics.Run] repeats. It is idempotent and may run on
// several servers at once.
func (s *Statistics) Sweep(ctx context.Context) error {
	return errors.Join(
		s.listings.follow(ctx, s.Store.Listings), // so that no request has to count all listings first
		s.sweepReturns(ctx),
		s.sweepBulletins(ctx),
	)
}

// now is the time in the precision that is stored.
func (s *Statistics) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func (s *Statistics) newID() (string, error) { return directory.NewID(s.Now(), s.Random) }
