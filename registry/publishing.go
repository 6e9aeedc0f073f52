package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"qingfu/directory"
	"qingfu/store"
)

// A revision is the state change by which a listing becomes what it is; the
// listing in the store follows from the last one. Whoever finds a revision that
// the listing lacks brings the listing up to it, so that a crash between the two
// writes loses nothing.

// change makes the next revision of a listing. It is given the listing as it is,
// the zero one when there is none yet, and alters it; when it returns an error,
// nothing happens. Of several changes at once each sees what the others did.
func (r *Registry) change(ctx context.Context, id string, rev directory.Revision, alter func(*directory.Listing) error) (directory.Listing, error) {
	defer r.lock(id)()
	for range changeRounds {
		listing, err := r.current(ctx, id)
		if err != nil {
			return directory.Listing{}, err
		}
		number := listing.Revision + 1
		if err := alter(&listing); err != nil {
			return listing, err
		}
		listing.ID, listing.Revision, listing.UpdatedAt = id, number, r.now()
		rev.ID, rev.Listing, rev.Number, rev.Content = directory.RevisionID(id, number), id, number, listing
		if rev.At.IsZero() {
			rev.At = listing.UpdatedAt
		}
		switch _, err := r.Store.Revisions.Insert(ctx, rev); directory.KindOf(err) {
		case directory.Conflict: // somebody else was quicker
			continue
		case "":
			if err != nil {
				return listing, err
			}
		default:
			return listing, err
		}
		return r.follow(ctx, rev)
	}
	return directory.Listing{}, &directory.Error{Kind: directory.Unavailable, What: "store", Cause: errors.New("too many changes of one listing at once")}
}

// changeRounds is how often a change is tried that others keep overtaking.
const changeRounds = 100

// current returns a listing after bringing it up to its last revision.
func (r *Registry) current(ctx context.Context, id string) (directory.Listing, error) {
	doc, err := r.Store.Listings.Get(ctx, id)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return directory.Listing{}, err
	}
	for listing := doc.Value; ; {
		rev, err := r.Store.Revisions.Get(ctx, directory.RevisionID(id, listing.Revision+1))
		if directory.KindOf(err) == directory.NotFound {
			return listing, nil
		}
		if err == nil {
			listing, err = r.follow(ctx, rev.Value)
		}
		if err != nil {
			return directory.Listing{}, err
		}
	}
}

// follow brings a listing up to a revision. Its satisfaction is not part of
// revisions and stays.
func (r *Registry) follow(ctx context.Context, rev directory.Revision) (directory.Listing, error) {
	next := rev.Content
	doc, err := r.Store.Listings.UpdateOrInsert(ctx, rev.Listing, func(l *directory.Listing) error {
		if l.Revision < rev.Number {
			next.Satisfaction = l.Satisfaction
			*l = next
		}
		return nil
	})
	return doc.Value, err
}

// revisionsMark is the name of the mark that says up to which change of the
// revisions all listings are known to have followed.
const revisionsMark = "registry/revisions"

// followAll brings listings up to the revisions that a crash has kept from them.
func (r *Registry) followAll(ctx context.Context) error {
	after := int64(0)
	mark, err := r.Store.Meta.Get(ctx, revisionsMark)
	if err == nil {
		after, err = strconv.ParseInt(mark.Value.Value, 10, 64)
	} else if directory.KindOf(err) == directory.NotFound {
		err = nil
	}
	if err != nil {
		return err
	}
	begun := after
	for {
		changes, err := r.Store.Revisions.Changes(ctx, after, store.MaxLimit)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			break
		}
		for _, c := range changes {
			if _, err := r.follow(ctx, *c.Value); err != nil {
				return fmt.Errorf("revision %s: %w", c.ID, err)
			}
		}
		after = changes[len(changes)-1].Seq
	}
	if after == begun {
		return nil
	}
	results, err := r.Store.Meta.Upsert(ctx, []store.Mark{{Name: revisionsMark, Value: strconv.FormatInt(after, 10), At: r.now()}})
	if err == nil {
		err = results[0].Err
	}
	return err
}

// Revisions returns a page of what a listing was, the newest first.
func (r *Registry) Revisions(ctx context.Context, listing string, limit int, after *store.Position) ([]directory.Revision, *store.Position, error) {
	docs, next, err := r.Store.Revisions.Find(ctx, store.Query{Where: []store.Condition{store.Equal("listing", listing)}, Desc: true, Limit: limit, After: after})
	return store.Values(docs), next, err
}

// Restore publishes an earlier revision of a listing again, as a new one. It
// returns NotFound for a number that there is not.
func (r *Registry) Restore(ctx context.Context, by, listing string, number int64) (directory.Listing, error) {
	old, err := r.Store.Revisions.Get(ctx, directory.RevisionID(listing, number))
	if err != nil {
		return directory.Listing{}, err
	}
	rev := directory.Revision{Via: directory.ViaRestore, By: by, Note: strconv.FormatInt(number, 10)}
	return r.change(ctx, listing, rev, func(l *directory.Listing) error {
		if l.Status == directory.Archived || l.Region != old.Value.Content.Region {
			return &directory.Error{Kind: directory.Conflict, What: "elsewhere"} // not this official's to bring back
		}
		status, external, satisfaction := l.Status, l.ExternalID, l.Satisfaction // restoring facts does not lift a suspension
		*l = r.fill(old.Value.Content, *l)
		l.Status, l.ExternalID, l.Satisfaction = status, external, satisfaction
		return l.Validate(r.Regions)
	})
}
