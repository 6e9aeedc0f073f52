package photos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"time"

	"gocloud.dev/blob"

	"qingfu/directory"
	"qingfu/store"
)

const (
	// grace is how long a photo may be there before something uses it, and
	// pictures before their document.
	grace = 24 * time.Hour
	// sweepEvery is how often photos are swept; how long ago that was is looked
	// at more often, so that a server which is restarted daily gets to it.
	sweepEvery = 24 * time.Hour
	lookEvery  = time.Hour
)

// sweepMark is the mark in the store that tells when photos were swept.
const sweepMark = "photos_swept"

// Run clears photos away once a day until ctx ends. What fails is tried again an
// hour later.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.sweepDaily(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("photos that nobody uses cannot be cleared away", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweepDaily sweeps when that was a day ago.
func (s *Store) sweepDaily(ctx context.Context) error {
	last, err := s.Documents.Meta.Get(ctx, sweepMark)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return err
	}
	now := s.Now()
	if err == nil && now.Sub(last.Value.At) < sweepEvery {
		return nil
	}
	if err := s.Sweep(ctx); err != nil {
		return err
	}
	_, err = s.Documents.Meta.Upsert(ctx, []store.Mark{{Name: sweepMark, At: now}})
	return err
}

// Sweep deletes the photos that for a day nobody has uploaded or put to use and
// that no document names, and pictures that for a day have had no document. It may
// be ended at any point and be done again.
func (s *Store) Sweep(ctx context.Context) (err error) {
	defer directory.Wrap(&err, "photos: sweep")
	old := s.Now().Add(-grace)
	photos, err := s.sweepDocuments(ctx, old)
	if err != nil {
		return err
	}
	pictures, err := s.sweepPictures(ctx, old)
	if photos+pictures > 0 {
		s.Log.Info("photos that nobody uses were cleared away", "photos", photos, "pictures", pictures)
	}
	return err
}

// sweepDocuments deletes the documents of photos that nobody uses.
func (s *Store) sweepDocuments(ctx context.Context, old time.Time) (deleted int, err error) {
	versions := map[string]int64{} // of the photos that may go
	candidates := store.Where(store.Condition{Field: "needed", Op: store.Less, Value: old.UnixMilli()})
	err = s.Documents.Photos.Each(ctx, candidates, func(d *store.Doc[directory.StoredPhoto]) error {
		versions[d.Value.ID] = d.Version
		return nil
	})
	if err != nil || len(versions) == 0 {
		return 0, err
	}
	listing := func(l *directory.Listing) error {
		for _, p := range l.Photos {
			delete(versions, p.ID)
		}
		return nil
	}
	documents := func(ids []string) error {
		for _, id := range ids {
			delete(versions, id)
		}
		return nil
	}
	// Listings come after proposals and revisions after listings: what moves on
	// while this reads is met on its way or where it arrives.
	all := store.Query{}
	if err := errors.Join(
		s.Documents.Claims.Each(ctx, all, func(d *store.Doc[directory.Claim]) error { return documents(d.Value.Documents) }),
		s.Documents.Organizations.Each(ctx, all, func(d *store.Doc[directory.Organization]) error { return documents(d.Value.Documents) }),
		s.Documents.Complaints.Each(ctx, all, func(d *store.Doc[directory.Complaint]) error { return documents(d.Value.Evidence) }),
		s.Documents.Ratings.Each(ctx, all, func(d *store.Doc[directory.Rating]) error {
			named := d.Value.Photos
			for _, before := range d.Value.History {
				named = append(slices.Clip(named), before.Photos...)
			}
			return documents(named)
		}),
		s.Documents.Proposals.Each(ctx, all, func(d *store.Doc[directory.Proposal]) error { return listing(&d.Value.Content) }),
		s.Documents.Listings.Each(ctx, all, func(d *store.Doc[directory.Listing]) error { return listing(&d.Value) }),
		s.Documents.Revisions.Each(ctx, all, func(d *store.Doc[directory.Revision]) error { return listing(&d.Value.Content) }),
	); err != nil {
		return 0, err
	}
	for id, version := range versions {
		err := s.Documents.Photos.Delete(ctx, id, version)
		if kind := directory.KindOf(err); kind == directory.Conflict || kind == directory.NotFound {
			continue // needed meanwhile, or swept by another server
		}
		if err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}

// keyPattern is what [key] writes. A writer to a folder that was cut off leaves a
// file of that name with an ending of its own.
var keyPattern = regexp.MustCompile(`^[0-9a-f]{2}/([0-9a-f]{64})-[a-z]+\.jpg(\.[0-9a-f]+\.tmp)?$`)

// sweepPictures deletes the pictures that have no document. It looks at one
// folder after the other, because listing a folder again for every page, as
// fileblob does, is slow for large ones.
func (s *Store) sweepPictures(ctx context.Context, old time.Time) (deleted int, err error) {
	for i := range 256 {
		n, err := s.sweepFolder(ctx, fmt.Sprintf("%02x/", i), old)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

func (s *Store) sweepFolder(ctx context.Context, folder string, old time.Time) (deleted int, err error) {
	keys := map[string][]string{} // by photo
	for list := s.Bucket.List(&blob.ListOptions{Prefix: folder}); ; {
		object, err := list.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return deleted, failure(ctx, err)
		}
		m := keyPattern.FindStringSubmatch(object.Key)
		switch {
		case m == nil || !object.ModTime.Before(old):
		case m[2] != "":
			if err := s.remove(ctx, object.Key); err != nil {
				return deleted, err
			}
			deleted++
		default:
			keys[m[1]] = append(keys[m[1]], object.Key)
		}
	}
	ids := slices.Sorted(maps.Keys(keys))
	docs, err := s.Documents.Photos.GetMany(ctx, ids...)
	if err != nil {
		return deleted, err
	}
	for i := range docs {
		delete(keys, docs[i].Value.ID)
	}
	for id, list := range keys {
		n, err := s.removeLeftOver(ctx, id, list, old)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// removeLeftOver deletes pictures of a photo that had no document, unless it has
// been uploaded since.
func (s *Store) removeLeftOver(ctx context.Context, id string, keys []string, old time.Time) (deleted int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.Documents.Photos.Get(ctx, id); directory.KindOf(err) != directory.NotFound {
		return 0, err
	}
	for _, key := range keys {
		// Another server may be uploading it at this moment.
		attributes, err := s.Bucket.Attributes(ctx, key)
		if err == nil && !attributes.ModTime.Before(old) {
			continue
		}
		if err := s.remove(ctx, key); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}

// remove deletes an object; one that is not there is no error.
func (s *Store) remove(ctx context.Context, key string) error {
	if err := failure(ctx, s.Bucket.Delete(ctx, key)); directory.KindOf(err) != directory.NotFound {
		return err
	}
	return nil
}
