package registry

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// Sweep does what time asks for: it reminds organizations of listings whose facts
// have to be confirmed, marks those that are overdue and takes those out of the
// public list that have been so for too long. It is idempotent.
func (r *Registry) Sweep(ctx context.Context) error {
	now := r.now()
	soon := now.Add(slices.Max(directory.Reminders))
	docs, err := r.Store.Listings.All(ctx, store.Where(
		store.Equal("status", string(directory.Published)),
		// Those of nobody cannot be confirmed by anybody.
		store.Condition{Field: "organization", Op: store.Min, Value: "0"},
		store.Condition{Field: "due", Op: store.Min, Value: int64(1)},
		store.Condition{Field: "due", Op: store.Less, Value: soon.UnixMilli() + 1},
	))
	for _, d := range docs {
		l, due := d.Value, *d.Value.ReviewDueAt
		switch {
		case now.After(due.Add(directory.ExpiryGrace)):
			err = errors.Join(err, r.age(ctx, l, func(l *directory.Listing) { l.Status = directory.Expired }))
		case now.After(due) && !l.Stale:
			err = errors.Join(err, r.age(ctx, l, func(l *directory.Listing) { l.Stale = true }))
		}
		for _, before := range directory.Reminders {
			if !now.Before(due.Add(-before)) && now.Before(due) {
				err = errors.Join(err, r.remind(ctx, l, before))
			}
		}
	}
	return err
}

// age makes the revision of a listing that time has changed, unless it was
// confirmed meanwhile.
func (r *Registry) age(ctx context.Context, seen directory.Listing, change func(*directory.Listing)) error {
	_, err := r.change(ctx, seen.ID, directory.Revision{Via: directory.ViaStatus, Note: "overdue"}, func(l *directory.Listing) error {
		if l.Status != directory.Published || l.ReviewDueAt == nil || !l.ReviewDueAt.Equal(*seen.ReviewDueAt) {
			return errMade
		}
		change(l)
		return nil
	})
	if errors.Is(err, errMade) {
		return nil
	}
	return err
}

// remind tells the members that a listing has to be confirmed.
func (r *Registry) remind(ctx context.Context, l directory.Listing, before time.Duration) error {
	return r.Auth.TellMembers(ctx, l.OrganizationID, directory.NoteReviewDue, l.ID, l.ReviewDueAt.Add(-before), map[string]string{
		"listing": l.ID, "name": l.Names.Zh, "on": string(directory.DateOf(*l.ReviewDueAt)), "days": strconv.Itoa(int(before.Hours() / 24)),
	})
}
