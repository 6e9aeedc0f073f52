package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"qingfu/directory"
	"qingfu/store"
)

// Load implements store.Engine.
//
// The records are written in their order, so that what a crash leaves is a beginning, and
// LastSeq, which is the last of it at most, never hides that something is missing. The
// head's next comes after them: writes of this program then get larger numbers.
func (e *Engine) Load(ctx context.Context, collection string, records ...store.Record) (err error) {
	defer directory.Wrap(&err, "mongo: load %s", collection)
	t, err := e.table(collection)
	if err != nil || len(records) == 0 {
		return err
	}
	items := make([]loading, len(records))
	last := int64(0)
	for i, r := range records {
		values, err := t.CheckRecord(r)
		if err != nil {
			return err
		}
		items[i].Record = r
		if r.Doc != nil {
			items[i].fields = t.fields(values)
		}
		last = max(last, r.Seq)
	}
	return e.causally(ctx, func(ctx context.Context) error {
		if err := t.load(ctx, items); err != nil {
			return err
		}
		result, err := e.heads.UpdateOne(ctx, bson.D{{Key: "_id", Value: t.Name}, {Key: "declaration", Value: t.stored}, {Key: "frozen", Value: ""}},
			bson.D{{Key: "$max", Value: bson.D{{Key: "next", Value: last}}}})
		if err == nil && result.MatchedCount == 0 {
			err = errors.New("the collection was declared anew meanwhile")
		}
		return err
	})
}

// loading is a record that is to be loaded.
type loading struct {
	store.Record
	fields bson.D // f; nil when it is deleted
}

// load writes the records that are not there yet.
func (t *table) load(ctx context.Context, items []loading) error {
	for tries := 1; ; tries++ {
		missing, writes, err := t.missing(ctx, items)
		if err != nil || len(missing) == 0 {
			return err
		}
		_, err = t.docs.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(true))
		switch {
		case err == nil:
			return nil
		case !driver.IsDuplicateKeyError(err):
			return err
		case t.AppendOnly || tries == maxTries:
			return &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: err}
		}
		// A unique value is taken, or the id, by an earlier one of the records.
		if err := t.makeWay(ctx, missing); err != nil {
			return err
		}
	}
}

// missing returns those of the records that are not there, with how to write them.
func (t *table) missing(ctx context.Context, items []loading) (missing []loading, writes []driver.WriteModel, err error) {
	ids := make([]string, len(items))
	for k, i := range items {
		ids[k] = i.ID
	}
	cursor, err := t.docs.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}},
		options.Find().SetProjection(bson.D{{Key: "seq", Value: 1}, {Key: "above", Value: 1}}))
	if err != nil {
		return nil, nil, err
	}
	type place struct {
		ID    string `bson:"_id"`
		Seq   int64  `bson:"seq"`
		Above int64  `bson:"above"`
	}
	var found []place
	if err := cursor.All(ctx, &found); err != nil {
		return nil, nil, err
	}
	have := make(map[string]place, len(found))
	for _, p := range found {
		have[p.ID] = p
	}
	for _, i := range items {
		now, there := have[i.ID]
		doc := i.document(max(i.Seq, now.Above))
		switch {
		case !there:
			writes = append(writes, driver.NewInsertOneModel().SetDocument(doc))
		case now.Seq >= i.Seq:
			continue
		case t.AppendOnly && now.Seq > 0:
			return nil, nil, fmt.Errorf("document %s: %w", i.ID, &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: errors.New("another record has its id")})
		default:
			writes = append(writes, driver.NewReplaceOneModel().SetFilter(bson.D{{Key: "_id", Value: i.ID}, {Key: "seq", Value: now.Seq}}).SetReplacement(doc))
		}
		missing = append(missing, i)
	}
	return missing, writes, nil
}

// document is the record as it is kept.
func (i loading) document(above int64) bson.D {
	doc := bson.D{{Key: "_id", Value: i.ID}, {Key: "version", Value: i.Version}, {Key: "seq", Value: i.Seq},
		{Key: "above", Value: above}, {Key: "deleted", Value: i.Doc == nil}}
	if i.Doc != nil {
		doc = append(doc, bson.E{Key: "f", Value: i.fields}, bson.E{Key: "doc", Value: string(i.Doc)})
	}
	return doc
}

// makeWay deletes the older documents that have a unique value of one of the records.
func (t *table) makeWay(ctx context.Context, items []loading) error {
	var writes []driver.WriteModel
	for _, i := range items {
		for _, ix := range t.Indexes {
			if !ix.Unique || i.Doc == nil {
				continue
			}
			older := bson.D{{Key: "_id", Value: bson.D{{Key: "$ne", Value: i.ID}}}, {Key: "seq", Value: bson.D{{Key: "$lt", Value: i.Seq}}}}
			for _, f := range i.fields {
				if slices.Contains(ix.Fields, f.Key) {
					older = append(older, bson.E{Key: path(f.Key), Value: f.Value})
				}
			}
			writes = append(writes, driver.NewUpdateOneModel().SetFilter(older).SetUpdate(bson.D{
				{Key: "$set", Value: bson.D{{Key: "deleted", Value: true}}},
				{Key: "$unset", Value: bson.D{{Key: "f", Value: ""}, {Key: "doc", Value: ""}}},
			}))
		}
	}
	if len(writes) == 0 {
		return nil
	}
	_, err := t.docs.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(true))
	return err
}
