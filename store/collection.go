package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"qingfu/directory"
)

// Collection is a collection of documents of one type. Its methods are safe for
// concurrent use.
type Collection[T any] struct {
	engine  Engine
	name    string // of the collection
	item    string // what one document is called in errors
	id      func(*T) string
	fields  []FieldOf[T]
	indexes []Index
	// appendOnly collections take inserts only.
	appendOnly bool

	mu      sync.Mutex
	changed chan struct{}
}

// FieldOf is a declared field with the value that a document has for it, a
// string or an int64 by its type.
type FieldOf[T any] struct {
	Name  string
	Type  FieldType
	Value func(*T) any
}

// Doc is a stored document.
type Doc[T any] struct {
	Version int64 // names this state in Replace and Delete
	Seq     int64 // of its last change
	Value   T
}

// Values are documents without what the store knows of them.
func Values[T any](docs []Doc[T]) []T {
	out := make([]T, len(docs))
	for i := range docs {
		out[i] = docs[i].Value
	}
	return out
}

// ByID returns the documents of the given ids that exist, by their ids, which may
// be given more than once.
func (c *Collection[T]) ByID(ctx context.Context, ids ...string) (map[string]*T, error) {
	docs, err := c.GetMany(ctx, slices.Compact(slices.Sorted(slices.Values(ids)))...)
	out := make(map[string]*T, len(docs))
	for i := range docs {
		out[c.id(&docs[i].Value)] = &docs[i].Value
	}
	return out, err
}

// Change is the last thing that happened to a document.
type Change[T any] struct {
	ID           string
	Version, Seq int64
	Value        *T // nil when it was deleted
}

// Get returns the document of an id, or NotFound.
func (c *Collection[T]) Get(ctx context.Context, id string) (Doc[T], error) {
	docs, err := c.GetMany(ctx, id)
	if err == nil && len(docs) == 0 {
		err = directory.Missing(c.item)
	}
	if err != nil {
		return Doc[T]{}, err
	}
	return docs[0], nil
}

// GetMany returns the documents of the given ids that exist, in the order of
// the ids.
func (c *Collection[T]) GetMany(ctx context.Context, ids ...string) ([]Doc[T], error) {
	records, err := c.engine.Get(ctx, c.name, ids...)
	if err != nil {
		return nil, err
	}
	return c.decode(records)
}

// Find returns the documents of a query, and the position to continue from, nil
// when there are no more.
func (c *Collection[T]) Find(ctx context.Context, q Query) (docs []Doc[T], next *Position, err error) {
	records, err := c.engine.Find(ctx, c.name, q)
	if err != nil {
		return nil, nil, err
	}
	if docs, err = c.decode(records); err != nil || len(docs) < q.Limit {
		return docs, nil, err
	}
	return docs, c.Position(q.Order, &docs[len(docs)-1].Value), nil
}

// By returns the document that has a value in a field, of which an index holds that
// there is one at most; NotFound when there is none.
func (c *Collection[T]) By(ctx context.Context, field string, value any) (Doc[T], error) {
	docs, _, err := c.Find(ctx, Query{Where: []Condition{Equal(field, value)}, Limit: 1})
	if err == nil && len(docs) == 0 {
		err = directory.Missing(c.item)
	}
	if err != nil {
		return Doc[T]{}, err
	}
	return docs[0], nil
}

// Position returns the place of a document in an order, which is a declared field
// or "" for the order of ids.
func (c *Collection[T]) Position(order string, value *T) *Position {
	at := &Position{ID: c.id(value)}
	for _, f := range c.fields {
		if f.Name == order {
			at.Value = f.Value(value)
		}
	}
	return at
}

// ID returns the id of a document.
func (c *Collection[T]) ID(value *T) string { return c.id(value) }

// Count counts documents like Engine.Count.
func (c *Collection[T]) Count(ctx context.Context, where []Condition, by ...string) ([]Group, error) {
	return c.engine.Count(ctx, c.name, where, by...)
}

// Changes returns up to limit (1 to MaxLimit) documents that changed after a
// sequence number, in the order of their last change; see Engine.Changes.
func (c *Collection[T]) Changes(ctx context.Context, after int64, limit int) ([]Change[T], error) {
	records, err := c.engine.Changes(ctx, c.name, after, limit)
	if err != nil {
		return nil, err
	}
	changes := make([]Change[T], len(records))
	for i, r := range records {
		changes[i] = Change[T]{ID: r.ID, Version: r.Version, Seq: r.Seq}
		if r.Doc != nil {
			changes[i].Value = new(T)
			if err := c.unmarshal(r, changes[i].Value); err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}

// LastSeq returns the sequence number of the latest change, 0 when there was none.
func (c *Collection[T]) LastSeq(ctx context.Context) (int64, error) {
	return c.engine.LastSeq(ctx, c.name)
}

// Changed returns a channel that is closed by the next write to the collection
// in this process. Whoever takes it before reading Changes and waits for it
// afterwards misses no write. Writes of other processes do not show here.
func (c *Collection[T]) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Insert stores a new document; Conflict when the id exists.
func (c *Collection[T]) Insert(ctx context.Context, value T) (Doc[T], error) {
	return c.put(ctx, 0, value)
}

// Replace stores a document in the place of the given version, which is at
// least 1. It returns NotFound, or Conflict when the version is no longer the
// stored one.
func (c *Collection[T]) Replace(ctx context.Context, version int64, value T) (Doc[T], error) {
	if version < 1 {
		return Doc[T]{}, fmt.Errorf("%s %s: version %d", c.item, c.id(&value), version)
	}
	return c.put(ctx, version, value)
}

func (c *Collection[T]) put(ctx context.Context, seen int64, value T) (Doc[T], error) {
	w, err := c.encode(seen, &value)
	if err != nil {
		return Doc[T]{}, err
	}
	outcomes, err := c.write(ctx, w)
	if err == nil {
		err = outcomes[0].Err
	}
	if err != nil {
		return Doc[T]{}, err
	}
	return Doc[T]{outcomes[0].Version, outcomes[0].Seq, value}, nil
}

// Delete deletes the given version of a document; errors are those of Replace.
func (c *Collection[T]) Delete(ctx context.Context, id string, version int64) error {
	outcomes, err := c.write(ctx, Write{ID: id, Seen: version})
	if err == nil {
		err = outcomes[0].Err
	}
	return err
}

// Each calls do with every document of a query, a page at a time; the query's
// limit and position are not looked at. It ends with the first error.
func (c *Collection[T]) Each(ctx context.Context, q Query, do func(*Doc[T]) error) error {
	q.Limit, q.After = MaxLimit, nil
	for {
		docs, next, err := c.Find(ctx, q)
		if err != nil {
			return err
		}
		for i := range docs {
			if err := do(&docs[i]); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		q.After = next
	}
}

// All returns the documents that [Collection.Each] goes through, or nil with an error.
func (c *Collection[T]) All(ctx context.Context, q Query) (out []Doc[T], err error) {
	err = c.Each(ctx, q, func(d *Doc[T]) error {
		out = append(out, *d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// updateRounds is how often a change is tried that others keep overtaking: more
// often than anybody but an attacker makes requests at once.
const updateRounds = 100

// ErrBusy is the Unavailable error of a write that others overtook every time.
var ErrBusy = &directory.Error{Kind: directory.Unavailable, What: "store", Cause: errors.New("too many writers at once")}

// ErrUnchanged is what a change returns that finds nothing to do.
var ErrUnchanged = errors.New("nothing has changed")

// Update reads a document, lets change alter it and stores it, again and again
// until nobody else has written it in between. When change returns an error,
// nothing is stored, and that error is returned with the document as it was read
// and altered; [ErrUnchanged] is none. It returns NotFound, and [ErrBusy].
func (c *Collection[T]) Update(ctx context.Context, id string, change func(*T) error) (Doc[T], error) {
	return c.update(ctx, id, false, change)
}

// UpdateOrInsert is [Collection.Update] for a document that need not be there:
// change is then given the zero one and makes it that of the id.
func (c *Collection[T]) UpdateOrInsert(ctx context.Context, id string, change func(*T) error) (Doc[T], error) {
	return c.update(ctx, id, true, change)
}

func (c *Collection[T]) update(ctx context.Context, id string, orInsert bool, change func(*T) error) (Doc[T], error) {
	for range updateRounds {
		doc, err := c.Get(ctx, id)
		if orInsert && directory.KindOf(err) == directory.NotFound {
			err = nil
		}
		if err == nil {
			err = change(&doc.Value)
		}
		if errors.Is(err, ErrUnchanged) {
			return doc, nil
		}
		if err != nil {
			return doc, err
		}
		doc, err = c.put(ctx, doc.Version, doc.Value)
		if kind := directory.KindOf(err); kind != directory.Conflict && !(orInsert && kind == directory.NotFound) {
			return doc, err
		}
	}
	return Doc[T]{}, ErrBusy
}

// Remove deletes a document in whatever version it is; one that is not there is
// no error.
func (c *Collection[T]) Remove(ctx context.Context, id string) error {
	for range updateRounds {
		doc, err := c.Get(ctx, id)
		if err == nil {
			err = c.Delete(ctx, id, doc.Version)
		}
		switch directory.KindOf(err) {
		case directory.NotFound:
			return nil
		case directory.Conflict:
			continue
		}
		return err
	}
	return ErrBusy
}

// RemoveAll deletes the documents of a query, of which limit and position are not
// looked at. One that cannot be deleted does not keep the others.
func (c *Collection[T]) RemoveAll(ctx context.Context, q Query) error {
	docs, err := c.All(ctx, q)
	for i := range docs {
		err = errors.Join(err, c.Remove(ctx, c.id(&docs[i].Value)))
	}
	return err
}

// Upserted is what became of one document of an Upsert.
type Upserted struct {
	State UpsertState // "" with an error
	Err   error
}

// UpsertState says what an Upsert did.
type UpsertState string

// The effects of an Upsert.
const (
	Created   UpsertState = "created"
	Updated   UpsertState = "updated"
	Unchanged UpsertState = "unchanged"
)

// upsertRounds is how often Upsert looks again when others write the same documents.
const upsertRounds = 5

// Upsert stores documents whether they exist or not, in their order, and
// returns what became of each. A document that is stored already exactly as
// given is not written. The second result is for failures of the engine as a
// whole. Batches of about a thousand are fastest.
func (c *Collection[T]) Upsert(ctx context.Context, values []T) ([]Upserted, error) {
	out := make([]Upserted, len(values))
	writes := make([]Write, len(values))
	todo := make([]int, 0, len(values))
	for i := range values {
		if writes[i], out[i].Err = c.encode(0, &values[i]); out[i].Err == nil {
			todo = append(todo, i)
		}
	}
	// A conflict means that the document has come or changed since it was read,
	// also by an earlier one of values with the same id.
	for round := 0; len(todo) > 0 && round < upsertRounds; round++ {
		stored, err := c.stored(ctx, writes, todo)
		if err != nil {
			return nil, err
		}
		todo = slices.DeleteFunc(todo, func(i int) bool {
			r, exists := stored[writes[i].ID]
			same := exists && bytes.Equal(r.Doc, writes[i].Doc)
			if same {
				out[i] = Upserted{State: Unchanged}
			}
			writes[i].Seen = r.Version
			return same
		})
		batch := make([]Write, len(todo))
		for k, i := range todo {
			batch[k] = writes[i]
		}
		outcomes, err := c.write(ctx, batch...)
		if err != nil {
			return nil, err
		}
		var again []int
		for k, i := range todo {
			switch err := outcomes[k].Err; {
			case err != nil:
				out[i] = Upserted{Err: err}
				if directory.KindOf(err) == directory.Conflict || directory.KindOf(err) == directory.NotFound {
					again = append(again, i)
				}
			case writes[i].Seen == 0:
				out[i] = Upserted{State: Created}
			default:
				out[i] = Upserted{State: Updated}
			}
		}
		todo = again
	}
	return out, nil
}

// stored returns the documents that exist among the chosen writes, by id.
func (c *Collection[T]) stored(ctx context.Context, writes []Write, chosen []int) (map[string]Record, error) {
	ids := make([]string, len(chosen))
	for k, i := range chosen {
		ids[k] = writes[i].ID
	}
	records, err := c.engine.Get(ctx, c.name, ids...)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Record, len(records))
	for _, r := range records {
		byID[r.ID] = r
	}
	return byID, nil
}

// write hands writes to the engine, wakes those who wait for changes and puts
// the item's name into the errors.
func (c *Collection[T]) write(ctx context.Context, writes ...Write) ([]Outcome, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	outcomes, err := c.engine.Write(ctx, c.name, writes...)
	if err != nil {
		return nil, err
	}
	stored := false
	for i, o := range outcomes {
		if kind := directory.KindOf(o.Err); kind != "" {
			outcomes[i].Err = &directory.Error{Kind: kind, What: c.item, Cause: o.Err}
		}
		stored = stored || o.Err == nil
	}
	if stored {
		c.mu.Lock()
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
	}
	return outcomes, nil
}

func (c *Collection[T]) encode(seen int64, value *T) (Write, error) {
	doc, err := json.Marshal(value)
	return Write{ID: c.id(value), Seen: seen, Doc: doc, Fields: c.values(value)}, err
}

func (c *Collection[T]) values(value *T) []any {
	out := make([]any, len(c.fields))
	for i, f := range c.fields {
		out[i] = f.Value(value)
	}
	return out
}

func (c *Collection[T]) decode(records []Record) ([]Doc[T], error) {
	docs := make([]Doc[T], len(records))
	for i, r := range records {
		docs[i].Version, docs[i].Seq = r.Version, r.Seq
		if err := c.unmarshal(r, &docs[i].Value); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

func (c *Collection[T]) unmarshal(r Record, into *T) error {
	if err := json.Unmarshal(r.Doc, into); err != nil {
		return fmt.Errorf("%s %s as stored: %w", c.item, r.ID, err)
	}
	return nil
}

func (c *Collection[T]) collectionName() string { return c.name }

// declare makes the collection known to its engine.
func (c *Collection[T]) declare(ctx context.Context, engine Engine) error {
	c.engine = engine
	c.changed = make(chan struct{})
	d := Declaration{Name: c.name, Indexes: c.indexes, AppendOnly: c.appendOnly}
	for _, f := range c.fields {
		d.Fields = append(d.Fields, Field{f.Name, f.Type})
	}
	d.Extract = func(doc []byte) ([]any, error) {
		var value T
		if err := json.Unmarshal(doc, &value); err != nil {
			return nil, err
		}
		return c.values(&value), nil
	}
	return engine.Declare(ctx, d)
}
