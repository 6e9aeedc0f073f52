package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/registry"
	"qingfu/seed"
	"qingfu/store"
)

// seedMark is the name of the mark that the store has its seed.
const seedMark = "seed"

// seedCommand loads the seed, or synthetic listings beside it.
type seedCommand struct {
	dataSettings
	demoSettings
	keySettings
	Synthetic int    `placeholder:"N" help:"Add N synthetic demonstration listings instead, for trying out sizes."`
	Ratings   bool   `help:"With --synthetic: add invented ratings, too, about 3.7 for each listing."`
	Seed      uint64 `default:"1" help:"Choose another set of synthetic listings."`
}

// Run implements the command.
func (cmd *seedCommand) Run(ctx context.Context, con *console) error {
	if cmd.Synthetic < 0 {
		return fmt.Errorf("--synthetic %d: the number cannot be negative", cmd.Synthetic)
	}
	if cmd.Synthetic > 0 && cmd.production() {
		return fmt.Errorf("QINGFU_ENV is production, which takes no synthetic listings")
	}
	st, closer, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	if cmd.Synthetic > 0 {
		return upsertAll(ctx, st, con, "synthetic listings", cmd.Synthetic, seed.Synthetic(cmd.Synthetic, cmd.Seed), cmd.Ratings)
	}
	log := cmd.logger(con.err)
	if !cmd.Demo || cmd.production() {
		return seedStore(ctx, st, nil, con, log)
	}
	access, err := cmd.commandAuth(ctx, &cmd.dataSettings, st, log)
	if err != nil {
		return err
	}
	return seedStore(ctx, st, access, con, log)
}

// seedStore loads the real listings and, where demo can make accounts, the
// demonstration entries and accounts, and then marks the store as seeded: a start that was interrupted before that
// does it again, which changes nothing that is there.
func seedStore(ctx context.Context, st *store.Store, demo *auth.Auth, con *console, log *slog.Logger) error {
	listings, err := seed.Real()
	if err != nil {
		return err
	}
	what := "real listings"
	if demo != nil {
		more, err := seed.Demo()
		if err != nil {
			return err
		}
		listings = append(listings, more...)
		what = "real and demonstration listings"
		if err := seedAccounts(ctx, demo); err != nil {
			return err
		}
	}
	if demo != nil {
		// One that is there, or was changed since, is left alone.
		if _, err := st.BookingCalendars.Insert(ctx, seed.DemoCalendar()); err != nil && directory.KindOf(err) != directory.Conflict {
			return fmt.Errorf("demonstration calendar: %w", err)
		}
		if err := addReturns(ctx, st); err != nil {
			return fmt.Errorf("demonstration returns: %w", err)
		}
	}
	if err := upsertAll(ctx, st, con, "seeding "+what, len(listings), slices.Values(listings), true); err != nil {
		return err
	}
	mark, err := st.Meta.Get(ctx, seedMark)
	if directory.KindOf(err) == directory.NotFound || err == nil && mark.Value.Value != what {
		_, err = st.Meta.Upsert(ctx, []store.Mark{{Name: seedMark, Value: what, At: time.Now().UTC()}})
	}
	if demo != nil {
		log.Warn("the data folder now holds demonstration entries (示例数据): every answer says so; start with --no-demo on an empty folder to leave them out")
	}
	return err
}

// seedAccounts makes the demonstration accounts and the organization of some of them.
func seedAccounts(ctx context.Context, access *auth.Auth) error {
	regions, err := seed.Regions()
	if err != nil {
		return err
	}
	organization, phone := seed.DemoOrganization()
	for _, d := range seed.DemoAccounts() {
		if err := access.AddDemo(ctx, d.Phone, d.Name, d.Secret, d.Grants, regions); err != nil {
			return fmt.Errorf("demonstration account %s: %w", d.Phone, err)
		}
	}
	if err := registry.AddDemo(ctx, access, organization, phone); err != nil {
		return fmt.Errorf("demonstration organization: %w", err)
	}
	return nil
}

// addReturns stores the invented returns. One that is there, or was changed since, is
// left alone.
func addReturns(ctx context.Context, st *store.Store) error {
	regions, err := seed.Regions()
	if err != nil {
		return err
	}
	for _, r := range seed.Returns(regions) {
		if _, err := st.Returns.Insert(ctx, r); err != nil && directory.KindOf(err) != directory.Conflict {
			return err
		}
	}
	return nil
}

// batch is the number of documents written at once.
const batch = 1000

// upsertAll writes listings with a progress bar, and where they are rated also the
// invented ratings behind their figures. A figure comes from ratings alone: without
// them listings have none, and those that are there keep theirs.
func upsertAll(ctx context.Context, st *store.Store, con *console, what string, total int, listings iter.Seq[directory.Listing], rated bool) error {
	bar := con.progress(what, total)
	pending := make([]directory.Listing, 0, batch)
	flush := func() error {
		results, err := upsertListings(ctx, st, pending, rated)
		if err != nil {
			return err
		}
		for i, r := range results {
			if r.Err != nil {
				return fmt.Errorf("listing %s: %w", pending[i].ID, r.Err)
			}
		}
		bar.add(len(pending))
		pending = pending[:0]
		return nil
	}
	for l := range listings {
		pending = append(pending, l)
		if len(pending) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	bar.done()
	return nil
}

// upsertListings stores listings whether they exist or not. Those that exist keep
// the figure that they have; new ones come with theirs only when they are rated, and
// then with the ratings behind it.
func upsertListings(ctx context.Context, st *store.Store, values []directory.Listing, rated bool) ([]store.Upserted, error) {
	ids := make([]string, len(values))
	for i := range values {
		ids[i] = values[i].ID
	}
	stored, err := st.Listings.ByID(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var unrated []*directory.Listing
	for i := range values {
		if have := stored[values[i].ID]; have != nil {
			values[i].Satisfaction = have.Satisfaction
		} else if rated {
			unrated = append(unrated, &values[i])
		} else {
			values[i].Satisfaction = directory.Satisfaction{}
		}
	}
	if err := addRatings(ctx, st, unrated); err != nil {
		return nil, err
	}
	return st.Listings.Upsert(ctx, values)
}

// addRatings stores the invented ratings of listings that are about to be stored, and
// notes in these that they are counted.
func addRatings(ctx context.Context, st *store.Store, listings []*directory.Listing) error {
	var pending []directory.Rating
	flush := func() error {
		results, err := st.Ratings.Upsert(ctx, pending)
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		pending = pending[:0]
		return err
	}
	for _, l := range listings {
		pending = append(pending, seed.Ratings(l)...)
		if len(pending) >= batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	last, err := st.Ratings.LastSeq(ctx)
	for _, l := range listings {
		if l.Satisfaction.N() > 0 {
			l.Satisfaction.CountedTo = last
		}
	}
	return err
}
