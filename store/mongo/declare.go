package mongo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"qingfu/directory"
	"qingfu/store"
)

// table is a declared collection.
type table struct {
	store.Declaration
	stored string // its form in the head
	unique bool   // whether it has a unique index
	docs   *driver.Collection

	jobs   chan *job
	closed chan struct{} // closed when the collection is declared anew
	next   int64         // what the head's next was last, -1 when that is not known; of the writing goroutine

	mu           sync.Mutex
	pendingSince map[int64]time.Time // since when this process has seen the reserved numbers
}

// Declare implements store.Engine.
//
// The documents get their fields while others still write, and once more when nobody
// can: the head then names the declaration that is to come, and no number is given.
// Documents keep the fields that are declared no more until they are written again, so
// that whatever fails leaves the old declaration in force. A process that dies leaves
// the collection closed to writes until it is declared again, by either declaration;
// what it has done is not done again.
func (e *Engine) Declare(ctx context.Context, d store.Declaration) (err error) {
	defer directory.Wrap(&err, "mongo: declare %s", d.Name)
	if err := d.Check(); err != nil {
		return err
	}
	stored, err := json.Marshal(struct {
		Fields     []store.Field
		Indexes    []store.Index
		AppendOnly bool `json:",omitempty"`
	}{d.Fields, d.Indexes, d.AppendOnly})
	if err != nil {
		return err
	}
	t := &table{Declaration: d, stored: string(stored), docs: e.db.Collection(d.Name),
		jobs: make(chan *job), closed: make(chan struct{}), next: -1}
	for _, ix := range d.Indexes {
		t.unique = t.unique || ix.Unique
	}

	e.declaring.Lock()
	defer e.declaring.Unlock()
	select {
	case <-e.closed:
		return errors.New("the database is closed")
	default:
	}
	old, _ := e.table(d.Name)
	if old != nil && old.stored == t.stored {
		return nil
	}
	if err := e.causally(ctx, func(ctx context.Context) error { return e.bringTogether(ctx, t) }); err != nil {
		return err
	}
	e.mu.Lock()
	e.tables[d.Name] = t
	e.mu.Unlock()
	if old != nil {
		close(old.closed)
	}
	e.loops.Go(func() { e.writeLoop(t) })
	return nil
}

// bring brings a collection to its declaration, if it is not there already.
func (e *Engine) bring(ctx context.Context, t *table) error {
	h, err := e.head(ctx, t.Name)
	if err != nil || h.Declaration == t.stored && h.Frozen == "" {
		return err
	}
	_, err = e.heads.UpdateOne(ctx, bson.D{{Key: "_id", Value: t.Name}}, bson.D{{Key: "$setOnInsert", Value: bson.D{
		{Key: "declaration", Value: ""}, {Key: "frozen", Value: ""}, {Key: "gen", Value: int64(0)}, {Key: "next", Value: int64(0)},
		{Key: "pending", Value: bson.D{}}, {Key: "ids", Value: bson.D{}},
	}}}, options.UpdateOne().SetUpsert(true))
	if err != nil && !driver.IsDuplicateKeyError(err) {
		return err
	}
	if err := t.fill(ctx); err != nil {
		return err
	}
	gen, err := e.freeze(ctx, t)
	if err != nil {
		return err
	}
	frozen := bson.D{{Key: "_id", Value: t.Name}, {Key: "gen", Value: gen}, {Key: "frozen", Value: t.stored}}
	if err := e.migrate(ctx, t); err != nil {
		_, thawErr := e.heads.UpdateOne(context.WithoutCancel(ctx), frozen, set(bson.D{{Key: "frozen", Value: ""}}))
		return errors.Join(err, thawErr)
	}
	result, err := e.heads.UpdateOne(ctx, frozen, set(bson.D{{Key: "declaration", Value: t.stored}, {Key: "frozen", Value: ""}}))
	if err != nil || result.MatchedCount == 1 {
		return err
	}
	// Another process was quicker, or has begun another migration.
	if h, err = e.head(ctx, t.Name); err == nil && (h.Declaration != t.stored || h.Frozen != "") {
		err = &directory.Error{Kind: directory.Unavailable, What: "store", Cause: errors.New("another process migrates the collection")}
		if h.Frozen == t.stored || h.Declaration == t.stored {
			err = errors.Join(errSameMigration, err)
		}
	}
	return err
}

// errSameMigration is when the other process brings the collection to the same
// declaration. It may be done in a moment, or have died.
var errSameMigration = errors.New("it is the same migration")

const (
	// sameTries is how often a process looks again at a migration that it shares.
	sameTries = 40
	sameWait  = 250 * time.Millisecond
)

// bringTogether is bring beside others who do the same.
func (e *Engine) bringTogether(ctx context.Context, t *table) error {
	for tries := 1; ; tries++ {
		err := e.bring(ctx, t)
		if !errors.Is(err, errSameMigration) || tries == sameTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(sameWait):
		}
	}
}

// freeze keeps all from reserving numbers and returns the number of the migration. Who
// comes to a migration to the same declaration takes part in it: all of its steps can
// be done twice.
func (e *Engine) freeze(ctx context.Context, t *table) (gen int64, err error) {
	for {
		h, err := e.head(ctx, t.Name)
		if err != nil || h.Frozen == t.stored {
			return h.Gen, err
		}
		result, err := e.heads.UpdateOne(ctx, bson.D{{Key: "_id", Value: t.Name}, {Key: "gen", Value: h.Gen}},
			set(bson.D{{Key: "frozen", Value: t.stored}, {Key: "gen", Value: h.Gen + 1}}))
		if err != nil || result.MatchedCount == 1 {
			return h.Gen + 1, err
		}
	}
}

// migrate fills and indexes a frozen collection.
func (e *Engine) migrate(ctx context.Context, t *table) error {
	if _, err := e.settled(ctx, t); err != nil {
		return err
	}
	if err := t.fill(ctx); err != nil {
		return err
	}
	return t.index(ctx)
}

// fill gives the documents the declared fields that they lack.
func (t *table) fill(ctx context.Context) error {
	cursor, err := t.docs.Find(ctx, live, options.Find().SetBatchSize(store.MaxLimit).
		SetProjection(bson.D{{Key: "version", Value: 1}, {Key: "doc", Value: 1}, {Key: "f", Value: 1}}))
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	var changes []driver.WriteModel
	flush := func() error {
		if len(changes) == 0 {
			return nil
		}
		_, err := t.docs.BulkWrite(ctx, changes, options.BulkWrite().SetOrdered(false))
		changes = changes[:0]
		return err
	}
	for cursor.Next(ctx) {
		var have struct {
			ID      string         `bson:"_id"`
			Version int64          `bson:"version"`
			Doc     string         `bson:"doc"`
			F       map[string]any `bson:"f"`
		}
		if err := cursor.Decode(&have); err != nil {
			return err
		}
		values, err := t.Extract([]byte(have.Doc))
		if err == nil {
			err = t.CheckValues(values)
		}
		if err != nil {
			return fmt.Errorf("document %s: %w", have.ID, err)
		}
		var missing bson.D
		for i, f := range t.Fields {
			if now, ok := have.F[f.Name]; !ok || now != values[i] {
				missing = append(missing, bson.E{Key: path(f.Name), Value: values[i]})
			}
		}
		if missing == nil {
			continue
		}
		// When it has changed since, whoever changed it has filled it, or it comes again
		// when the collection is frozen.
		changes = append(changes, driver.NewUpdateOneModel().
			SetFilter(append(bson.D{{Key: "_id", Value: have.ID}, {Key: "version", Value: have.Version}}, live...)).
			SetUpdate(set(missing)))
		if len(changes) == store.MaxLimit {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	return flush()
}

// index makes the indexes that are declared and then drops the others. When one cannot
// be made, those that it made are dropped.
func (t *table) index(ctx context.Context) error {
	view := t.docs.Indexes()
	specs, err := view.ListSpecifications(ctx)
	if err != nil {
		return err
	}
	surplus := map[string]bool{}
	for _, s := range specs {
		surplus[s.Name] = s.Name != "_id_"
	}
	var made []string
	for _, m := range t.indexes() {
		name, there := m.name, false
		if _, there = surplus[name]; !there {
			if _, err := view.CreateOne(ctx, m.IndexModel); err != nil {
				for _, name := range made {
					err = errors.Join(err, view.DropOne(context.WithoutCancel(ctx), name))
				}
				return err
			}
			made = append(made, name)
		}
		surplus[name] = false
	}
	for name, drop := range surplus {
		if drop {
			if err := view.DropOne(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// namedIndex is an index with its name, which follows from its fields.
type namedIndex struct {
	driver.IndexModel
	name string
}

// indexes are those of the collection. One that is not unique ends with the id, which
// every order does. A unique one is sparse: that leaves out the documents that have
// none of its fields, which are exactly the deleted ones.
func (t *table) indexes() []namedIndex {
	out := []namedIndex{{driver.IndexModel{Keys: bson.D{{Key: "seq", Value: 1}}, Options: options.Index().SetName("seq")}, "seq"}}
	for _, ix := range t.Indexes {
		keys, name := bson.D{}, "by "+strings.Join(ix.Fields, ", ")
		for _, f := range ix.Fields {
			keys = append(keys, bson.E{Key: path(f), Value: 1})
		}
		how := options.Index()
		if ix.Unique {
			name += " unique"
			how.SetUnique(true).SetSparse(true)
		} else {
			keys = append(keys, bson.E{Key: "_id", Value: 1})
		}
		out = append(out, namedIndex{driver.IndexModel{Keys: keys, Options: how.SetName(name)}, name})
	}
	return out
}
