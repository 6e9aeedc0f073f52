package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"golang.org/x/sync/errgroup"

	"qingfu/directory"
	"qingfu/store"
)

const (
	// maxGroup is how many writes share a reservation at most. Their ids are kept in
	// the head, whose size is bounded by MongoDB (16 MB).
	maxGroup = 1000
	// parallel is how many documents of a group are written at the same time.
	parallel = 16
	// maxTries is how often a write begins anew when it comes too late for its number.
	maxTries = 5
	// writeTime is how long the writes of a group may take together.
	writeTime = 15 * time.Second
)

// job is one call of Write on its way through the collection's writing goroutine.
type job struct {
	writes   []store.Write
	outcomes []store.Outcome
	err      error
	done     chan struct{} // closed when outcomes or err are there
}

// item is one write of a job.
type item struct {
	store.Write
	job     *job
	outcome *store.Outcome
	seq     int64
	done    bool
}

// Write implements store.Engine.
func (e *Engine) Write(ctx context.Context, collection string, writes ...store.Write) (_ []store.Outcome, err error) {
	defer directory.Wrap(&err, "mongo: write %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j := &job{writes: writes, done: make(chan struct{})}
	select {
	case t.jobs <- j:
		// From here on the write happens, or fails by itself within writeTime.
		select {
		case <-j.done:
			return j.outcomes, j.err
		case <-ctx.Done():
			return nil, &directory.Error{Kind: directory.Unavailable, What: "store", Cause: fmt.Errorf("the write goes on: %w", ctx.Err())}
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.closed:
		return nil, errors.New("the collection was declared anew meanwhile")
	case <-e.closed:
		return nil, errors.New("the database is closed")
	}
}

// writeLoop writes what comes to a collection in this process, so that calls which
// wait at the same time share a reservation instead of competing for it.
func (e *Engine) writeLoop(t *table) {
	for {
		select {
		case j := <-t.jobs:
			e.group(t, j)
		case <-t.closed:
			return
		case <-e.closed:
			return
		}
	}
}

// group does a job and those that wait by then.
func (e *Engine) group(t *table, first *job) {
	jobs := []*job{first}
	for n, waiting := len(first.writes), true; waiting && n < maxGroup; {
		select {
		case j := <-t.jobs:
			jobs = append(jobs, j)
			n += len(j.writes)
		default:
			waiting = false
		}
	}
	var items []*item
	for _, j := range jobs {
		j.outcomes = make([]store.Outcome, len(j.writes))
		for i, w := range j.writes {
			if j.outcomes[i].Err = t.CheckWrite(w); j.outcomes[i].Err == nil {
				items = append(items, &item{Write: w, job: j, outcome: &j.outcomes[i]})
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime) // the group belongs to many callers
	defer cancel()
	var err error
	for part := range slices.Chunk(items, maxGroup) {
		if err = e.writeAll(ctx, t, part); err != nil {
			break
		}
	}
	for _, i := range items {
		if !i.done {
			i.job.outcomes, i.job.err = nil, unavailable(err)
		}
	}
	for _, j := range jobs {
		close(j.done)
	}
}

// writeAll does the items that can share a reservation. With an error some may not be
// done, or it may not be known whether they are.
func (e *Engine) writeAll(ctx context.Context, t *table, todo []*item) error {
	var failed error
	for range maxTries {
		if len(todo) == 0 {
			return nil
		}
		ids := make([]string, len(todo))
		for k, i := range todo {
			ids[k] = i.ID
		}
		first, err := e.reserve(ctx, t, ids)
		if err != nil {
			return err
		}
		for k, i := range todo {
			i.seq = first + int64(k)
		}
		if failed = t.apply(ctx, todo); failed == nil {
			// When this fails, a reader will do it.
			_ = e.causally(ctx, func(ctx context.Context) error { return e.release(ctx, t, first) })
		} else if e.findOut(ctx, t, first, todo) != nil || directory.KindOf(unavailable(failed)) != directory.Unavailable {
			// What is not known to have failed may still happen: whoever follows the
			// changes waits until it cannot.
			return failed
		}
		todo = slices.DeleteFunc(slices.Clone(todo), func(i *item) bool { return i.done })
	}
	switch {
	case len(todo) == 0:
		return nil
	case failed != nil:
		return failed
	}
	return &directory.Error{Kind: directory.Unavailable, What: "store", Cause: errors.New("the writes take too long")}
}

// findOut finds out what became of the items whose writing failed, which an answer that
// was lost does not tell: after it they are done or can be begun anew. It keeps what
// is still under way from happening, as a reader would do later. Then a document with
// the number of an item is what the item wrote, because nobody else has that number.
func (e *Engine) findOut(ctx context.Context, t *table, first int64, items []*item) error {
	return e.causally(ctx, func(ctx context.Context) error {
		if err := e.fence(ctx, t, first, first+int64(len(items))-1); err != nil {
			return err
		}
		for _, i := range items {
			if i.done {
				continue
			}
			now, err := t.current(ctx, i.ID)
			switch {
			case err != nil:
				return err
			case now.Seq == i.seq:
				*i.outcome = store.Outcome{Version: now.Version, Seq: i.seq}
				i.done = true
			case now.Seq > i.seq:
				return fmt.Errorf("document %s has been written again meanwhile", i.ID)
			}
		}
		return nil
	})
}

// apply writes the items with their numbers, those of one document in their order,
// and all of them in their order where a unique index lets one make room for another.
// Those that come too late for their number are not done.
func (t *table) apply(ctx context.Context, items []*item) error {
	var lanes [][]*item
	of := map[string]int{}
	for _, i := range items {
		id := i.ID
		if t.unique {
			id = ""
		}
		lane, ok := of[id]
		if !ok {
			lane = len(lanes)
			of[id] = lane
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], i)
	}
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, lane := range lanes {
		g.Go(func() error {
			for _, i := range lane {
				if err := t.write(ctx, i); err != nil || !i.done {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// write does one item, unless it comes too late for its number.
func (t *table) write(ctx context.Context, i *item) error {
	conflict := func(cause error) {
		i.done = true
		i.outcome.Err = fmt.Errorf("document %s: %w", i.ID, &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: cause})
	}
	for {
		version, err := t.try(ctx, i)
		if driver.IsDuplicateKeyError(err) {
			conflict(err)
			return nil
		}
		if err != nil {
			return err
		}
		if version > 0 {
			*i.outcome = store.Outcome{Version: version, Seq: i.seq}
			i.done = true
			return nil
		}
		now, err := t.current(ctx, i.ID)
		if err != nil {
			return err
		}
		switch exists := now.Version > 0 && !now.Deleted; {
		case i.Seen == 0 && exists:
			conflict(errors.New("the id exists already"))
		case i.Seen == 0 && now.ID == "":
			// An id never goes away: it was another field that is taken.
			conflict(errors.New("a unique value exists already"))
		case i.Seen == 0 && now.Version > 0 && t.AppendOnly:
			conflict(errors.New("the id was deleted from a collection that only grows"))
		case i.Seen > 0 && !exists:
			i.done = true
			i.outcome.Err = fmt.Errorf("document %s: %w", i.ID, directory.Missing(t.Name))
		case i.Seen > 0 && now.Version != i.Seen:
			conflict(fmt.Errorf("the version is %d and not %d", now.Version, i.Seen))
		case now.Above < i.seq:
			continue // it changed between the two looks at it
		}
		return nil
	}
}

// try does an item if the document is as it must be, and returns its new version, 0
// when it is not.
func (t *table) try(ctx context.Context, i *item) (version int64, err error) {
	values := bson.D{{Key: "seq", Value: i.seq}, {Key: "above", Value: i.seq}, {Key: "deleted", Value: i.Doc == nil}}
	change := bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}}}
	if i.Doc == nil {
		change = append(change, bson.E{Key: "$unset", Value: bson.D{{Key: "f", Value: ""}, {Key: "doc", Value: ""}}})
	} else {
		values = append(values, bson.E{Key: "f", Value: t.fields(i.Fields)}, bson.E{Key: "doc", Value: string(i.Doc)})
	}
	change = append(change, set(values)...)
	is := bson.D{{Key: "_id", Value: i.ID}, {Key: "above", Value: bson.D{{Key: "$lt", Value: i.seq}}}}
	if i.Seen > 0 {
		is = append(is, bson.E{Key: "version", Value: i.Seen}, bson.E{Key: "deleted", Value: false})
		result, err := t.docs.UpdateOne(ctx, is, change)
		if err != nil || result.MatchedCount == 0 {
			return 0, err
		}
		return i.Seen + 1, nil
	}
	_, err = t.docs.InsertOne(ctx, append(bson.D{{Key: "_id", Value: i.ID}, {Key: "version", Value: int64(1)}}, values...))
	if err == nil || !driver.IsDuplicateKeyError(err) {
		return 1, err
	}
	// The id is there, or another unique value. Unless the document is deleted, this
	// finds nothing.
	is = append(is, bson.E{Key: "deleted", Value: true})
	if t.AppendOnly {
		is = append(is, bson.E{Key: "version", Value: int64(0)}) // it never was there
	}
	var now state
	err = t.docs.FindOneAndUpdate(ctx, is, change, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&now)
	if errors.Is(err, driver.ErrNoDocuments) {
		err = nil
	}
	return now.Version, err
}

// state is what decides about a write.
type state struct {
	ID      string `bson:"_id"`
	Version int64  `bson:"version"`
	Seq     int64  `bson:"seq"`
	Above   int64  `bson:"above"`
	Deleted bool   `bson:"deleted"`
}

// current reads the state of a document, an empty one when there never was one. It is
// what the primary has now, as the condition of a write is: what a majority has may be
// older.
func (t *table) current(ctx context.Context, id string) (s state, err error) {
	now := t.docs.Clone(options.Collection().SetReadConcern(readconcern.Local()))
	err = now.FindOne(ctx, bson.D{{Key: "_id", Value: id}},
		options.FindOne().SetProjection(bson.D{{Key: "doc", Value: 0}, {Key: "f", Value: 0}})).Decode(&s)
	if errors.Is(err, driver.ErrNoDocuments) {
		err = nil
	}
	return s, err
}

// fields makes f of the values of the declared fields.
func (t *table) fields(values []any) bson.D {
	f := make(bson.D, len(t.Fields))
	for i, field := range t.Fields {
		f[i] = bson.E{Key: field.Name, Value: values[i]}
	}
	return f
}
