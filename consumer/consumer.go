// Package consumer is what happens between consumers and businesses: bookings,
// ratings and complaints.
//
// A rating that carries the official figure begins as a booking (bookings.go) or as
// an invitation (ratinginvitations.go), is given and judged in ratings.go, and ends
// in the listing's figure, which tally.go counts.
package consumer

import (
	"context"
	"errors"
	"hash/crc32"
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

// Config is what the use cases are made of. Every field is needed, but for
// [Consumer.Recount].
type Config struct {
	Store    *store.Store
	Auth     *auth.Auth
	Photos   *photos.Store
	Search   search.Searcher // finds the firms for a request
	Regions  *directory.Regions
	Calendar *directory.Calendar
	Rules    directory.RatingRules
	// PublicURL is where users reach the server, without a slash at its end.
	PublicURL string
	Log       *slog.Logger
	Now       func() time.Time
	Random    io.Reader
}

// Consumer is the use cases. Its methods are safe for concurrent use. Whether a
// caller may use the operation at all is asked before they are called; which side of
// a booking or complaint they are on is asked here.
type Consumer struct {
	Config

	// inviting makes invitations of one organization wait for each other within this
	// process.
	inviting [16]sync.Mutex
}

// New returns the use cases.
func New(cfg Config) *Consumer { return &Consumer{Config: cfg} }

// sweepTime is how often is looked for what time has changed.
const sweepTime = time.Minute

// Run looks after what has to happen by itself until ctx ends. What fails is tried
// again a minute later.
func (c *Consumer) Run(ctx context.Context) error {
	var tallying sync.WaitGroup
	defer tallying.Wait()
	tallying.Go(func() { c.tally(ctx) })
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		if err := c.sweep(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("bookings, ratings and complaints cannot be looked after", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep does once what [Consumer.Run] repeats. It is idempotent and may run on
// several servers at once.
func (c *Consumer) Sweep(ctx context.Context) error {
	return errors.Join(c.tallyOnce(ctx), c.sweep(ctx))
}

// sweep does what time asks for.
func (c *Consumer) sweep(ctx context.Context) error {
	return errors.Join(c.sweepRatingInvitations(ctx), c.sweepTraces(ctx), c.sweepBookings(ctx), c.sweepComplaints(ctx))
}

// due are the conditions that a time kept in a field, 0 for none, has come.
func (c *Consumer) due(field string) []store.Condition {
	return []store.Condition{
		{Field: field, Op: store.Min, Value: int64(1)}, {Field: field, Op: store.Less, Value: c.Now().UnixMilli() + 1},
	}
}

// lock makes those who hold it for the same organization wait for each other; what
// it returns unlocks.
func (c *Consumer) lock(organization string) (unlock func()) {
	mu := &c.inviting[crc32.ChecksumIEEE([]byte(organization))%uint32(len(c.inviting))]
	mu.Lock()
	return mu.Unlock
}

// now is the time in the precision that is stored.
func (c *Consumer) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }

func (c *Consumer) newID() (string, error) { return directory.NewID(c.Now(), c.Random) }
