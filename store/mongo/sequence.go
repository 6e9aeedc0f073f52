package mongo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"qingfu/directory"
)

// How writes get their numbers, and why whoever follows them misses none.
//
// A write takes three steps, each an atomic change of one document that a majority
// has acknowledged before the next begins:
//
//  1. reserve: the head's next goes from n to n+k, if it still is n, and in the same
//     change the head notes that n+1…n+k are pending, and for which ids. So no number
//     is ever given twice, and there is no moment at which one is given and not pending.
//  2. the documents are written with these numbers, each only if its field above is
//     smaller than the number. above is the greatest number that the document had or
//     that was closed to it, so that a document's number only grows.
//  3. release: the head's note is removed.
//
// Whoever reads the changes reads the head first and then documents with numbers below
// the first pending one, or up to next where none is pending. Such a number's write is
// over (its note was gone before the head was read), and the read of the documents
// comes causally after that of the head, so it finds the write, or a later one of the
// same document, which has a greater number and is found by a later read. A number
// that is given later is greater than all of these. So nothing turns up behind a reader.
//
// A writer can stop anywhere, or be slow for any time. Before step 1 nothing has
// happened. After it the note stays, and a reader that has seen it for a Lease, by a
// clock of its own that only has to go forward, fences it: it sets above of each of
// the noted ids to the last of the reserved numbers (a document that is not there
// gets a deleted one of version 0, which no reader sees), and then removes the note.
// For each document the fence comes before the write or after it: in the first case
// the write fails, because its number is not above; in the second it has happened and
// the reader finds it. Both are sound at any time, so no clocks need agree, and a Lease
// that is too short makes live writers only begin anew, with other numbers. Fencing
// twice, or half of it before a crash, does no harm.
//
// A write that fails leaves a gap, which nobody notices.

// head is what is kept of a collection, but for the ids of what is pending.
type head struct {
	Declaration string           `bson:"declaration"` // in force
	Frozen      string           `bson:"frozen"`      // the declaration to which it is migrated; "" when it is not
	Gen         int64            `bson:"gen"`         // how many migrations have begun
	Next        int64            `bson:"next"`        // the last number that was given
	Pending     map[string]int64 `bson:"pending"`     // how many numbers are reserved from the one that is the key
}

// head reads the head of a collection, an empty one when there is none.
func (e *Engine) head(ctx context.Context, name string) (h head, err error) {
	err = e.heads.FindOne(ctx, bson.D{{Key: "_id", Value: name}},
		options.FindOne().SetProjection(bson.D{{Key: "ids", Value: 0}})).Decode(&h)
	if errors.Is(err, driver.ErrNoDocuments) {
		err = nil
	}
	return h, err
}

// reserve gives numbers to writes of the ids and returns the first. Only the
// collection's writing goroutine calls it.
func (e *Engine) reserve(ctx context.Context, t *table, ids []string) (first int64, err error) {
	for {
		if t.next < 0 {
			h, err := e.head(ctx, t.Name)
			if err != nil {
				return 0, err
			}
			if h.Declaration != t.stored {
				return 0, errors.New("the collection was declared anew meanwhile")
			}
			if h.Frozen != "" {
				return 0, &directory.Error{Kind: directory.Unavailable, What: "store", Cause: errors.New("the collection is being migrated")}
			}
			t.next = h.Next
		}
		first, after := t.next+1, t.next+int64(len(ids))
		key := strconv.FormatInt(first, 10)
		result, err := e.heads.UpdateOne(ctx,
			bson.D{{Key: "_id", Value: t.Name}, {Key: "next", Value: t.next}, {Key: "declaration", Value: t.stored}, {Key: "frozen", Value: ""}},
			set(bson.D{{Key: "next", Value: after}, {Key: "pending." + key, Value: int64(len(ids))}, {Key: "ids." + key, Value: ids}}))
		if err == nil && result.MatchedCount == 1 {
			t.next = after
			return first, nil
		}
		t.next = -1 // another process has reserved, or what happened is not known
		if err != nil {
			return 0, err
		}
	}
}

// release tells that the reserved numbers have been used.
func (e *Engine) release(ctx context.Context, t *table, first int64) error {
	key := strconv.FormatInt(first, 10)
	_, err := e.heads.UpdateOne(ctx, bson.D{{Key: "_id", Value: t.Name}},
		bson.D{{Key: "$unset", Value: bson.D{{Key: "pending." + key, Value: ""}, {Key: "ids." + key, Value: ""}}}})
	return err
}

// settled waits until each number given so far has been used or can be used no more,
// and returns the first of which that is not known. It takes as long as the writes that
// are under way, and a Lease when the writer of one is dead.
func (e *Engine) settled(ctx context.Context, t *table) (below int64, err error) {
	pause := time.Millisecond
	for given := int64(-1); ; {
		h, err := e.head(ctx, t.Name)
		if err != nil {
			return 0, err
		}
		if given < 0 {
			given = h.Next
		}
		pending := map[int64]int64{}
		below = h.Next + 1
		for key, n := range h.Pending {
			first, err := strconv.ParseInt(key, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("the head names the number %q", key)
			}
			pending[first] = n
			below = min(below, first)
		}
		overdue := t.overdue(pending, e.Lease)
		for _, first := range overdue {
			if err := e.fence(ctx, t, first, first+pending[first]-1); err != nil {
				return 0, err
			}
		}
		if below > given {
			return below, nil
		}
		if len(overdue) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, 50*time.Millisecond)
		}
	}
}

// overdue returns those of the pending numbers that this process has seen for a lease.
func (t *table) overdue(pending map[int64]int64, lease time.Duration) (out []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	since := map[int64]time.Time{}
	for first := range pending {
		seen, ok := t.pendingSince[first]
		if !ok {
			seen = time.Now()
		}
		since[first] = seen
		if time.Since(seen) >= lease {
			out = append(out, first)
		}
	}
	t.pendingSince = since
	return out
}

// fence keeps the writes with the reserved numbers from happening later and releases
// the numbers.
func (e *Engine) fence(ctx context.Context, t *table, first, last int64) error {
	key := strconv.FormatInt(first, 10)
	var noted struct {
		IDs map[string][]string `bson:"ids"`
	}
	err := e.heads.FindOne(ctx, bson.D{{Key: "_id", Value: t.Name}},
		options.FindOne().SetProjection(bson.D{{Key: "ids." + key, Value: 1}})).Decode(&noted)
	if err != nil {
		return err
	}
	var fences []driver.WriteModel
	for _, id := range noted.IDs[key] {
		fences = append(fences, driver.NewUpdateOneModel().SetUpsert(true).SetFilter(bson.D{{Key: "_id", Value: id}}).SetUpdate(bson.D{
			{Key: "$max", Value: bson.D{{Key: "above", Value: last}}},
			{Key: "$setOnInsert", Value: bson.D{{Key: "version", Value: int64(0)}, {Key: "seq", Value: int64(0)}, {Key: "deleted", Value: true}}},
		}))
	}
	for len(fences) > 0 {
		_, err := t.docs.BulkWrite(ctx, fences, options.BulkWrite().SetOrdered(false))
		if err == nil {
			break
		}
		if !driver.IsDuplicateKeyError(err) { // a write has come in between
			return err
		}
	}
	return e.release(ctx, t, first)
}

func set(fields bson.D) bson.D { return bson.D{{Key: "$set", Value: fields}} }
