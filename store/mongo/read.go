package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"qingfu/directory"
	"qingfu/store"
)

// stored is a document as it is read.
type stored struct {
	ID      string  `bson:"_id"`
	Version int64   `bson:"version"`
	Seq     int64   `bson:"seq"`
	Doc     *string `bson:"doc"`
}

// columns are the fields of stored.
var columns = bson.D{{Key: "version", Value: 1}, {Key: "seq", Value: 1}, {Key: "doc", Value: 1}}

var live = bson.D{{Key: "deleted", Value: false}}

// Get implements store.Engine.
func (e *Engine) Get(ctx context.Context, collection string, ids ...string) (_ []store.Record, err error) {
	defer directory.Wrap(&err, "mongo: get from %s", collection)
	t, err := e.table(collection)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var found []store.Record
	err = e.causally(ctx, func(ctx context.Context) error {
		found, err = t.find(ctx, append(bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, live...), options.Find())
		return err
	})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]store.Record, len(found))
	for _, r := range found {
		byID[r.ID] = r
	}
	out := make([]store.Record, 0, len(found))
	for _, id := range ids {
		if r, ok := byID[id]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// Changes implements store.Engine.
func (e *Engine) Changes(ctx context.Context, collection string, after int64, limit int) (out []store.Record, err error) {
	defer directory.Wrap(&err, "mongo: changes of %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if limit < 1 || limit > store.MaxLimit {
		return nil, fmt.Errorf("limit %d is not between 1 and %d", limit, store.MaxLimit)
	}
	after = max(0, after) // what a fence has made has number 0
	err = e.causally(ctx, func(ctx context.Context) error {
		below, err := e.settled(ctx, t)
		if err != nil {
			return err
		}
		out, err = t.find(ctx, bson.D{{Key: "seq", Value: bson.D{{Key: "$gt", Value: after}, {Key: "$lt", Value: below}}}},
			options.Find().SetSort(bson.D{{Key: "seq", Value: 1}}).SetLimit(int64(limit)))
		return err
	})
	return out, err
}

// LastSeq implements store.Engine. While others write it may be a number that no
// document has any more, but never one above which a change is still to come that is
// below it.
func (e *Engine) LastSeq(ctx context.Context, collection string) (last int64, err error) {
	defer directory.Wrap(&err, "mongo: last change of %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return 0, err
	}
	err = e.causally(ctx, func(ctx context.Context) error {
		below, err := e.settled(ctx, t)
		if err != nil {
			return err
		}
		var latest stored
		err = t.docs.FindOne(ctx, bson.D{}, options.FindOne().
			SetProjection(bson.D{{Key: "seq", Value: 1}}).SetSort(bson.D{{Key: "seq", Value: -1}})).Decode(&latest)
		if errors.Is(err, driver.ErrNoDocuments) {
			err = nil
		}
		last = min(latest.Seq, below-1)
		return err
	})
	return last, err
}

// Find implements store.Engine.
func (e *Engine) Find(ctx context.Context, collection string, q store.Query) (out []store.Record, err error) {
	defer directory.Wrap(&err, "mongo: find in %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if err := t.CheckQuery(q); err != nil {
		return nil, err
	}
	direction, beyond, from := 1, "$gt", "$gte"
	if q.Desc {
		direction, beyond, from = -1, "$lt", "$lte"
	}
	var order []string
	sort := bson.D{{Key: "_id", Value: direction}}
	if q.Order != "" {
		order = []string{q.Order}
		sort = append(bson.D{{Key: path(q.Order), Value: direction}}, sort...)
	}
	where := t.conditions(q.Where, order)
	if q.After != nil {
		behind := compare("_id", beyond, q.After.ID)
		if q.Order != "" {
			field, value := path(q.Order), q.After.Value
			// The first is what an index can begin at.
			where = append(where, compare(field, from, value), bson.D{{Key: "$or", Value: bson.A{
				compare(field, beyond, value),
				bson.D{{Key: "$and", Value: bson.A{compare(field, "$eq", value), behind}}},
			}}})
		} else {
			where = append(where, behind)
		}
	}
	err = e.causally(ctx, func(ctx context.Context) error {
		out, err = t.find(ctx, bson.D{{Key: "$and", Value: where}}, options.Find().SetSort(sort).SetLimit(int64(q.Limit)))
		return err
	})
	return out, err
}

// Count implements store.Engine.
func (e *Engine) Count(ctx context.Context, collection string, where []store.Condition, by ...string) (_ []store.Group, err error) {
	defer directory.Wrap(&err, "mongo: count %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if err := t.CheckConditions(where); err != nil {
		return nil, err
	}
	key := bson.D{}
	for i, f := range by {
		if _, err := t.Field(f); err != nil {
			return nil, err
		}
		key = append(key, bson.E{Key: groupKey(i), Value: "$" + path(f)})
	}
	var group any = key
	if len(by) == 0 {
		group = nil
	}
	pipeline := bson.A{
		bson.D{{Key: "$match", Value: bson.D{{Key: "$and", Value: t.conditions(where, by)}}}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: group}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
	}
	var counts []struct {
		Key map[string]any `bson:"_id"`
		N   int64          `bson:"n"`
	}
	err = e.causally(ctx, func(ctx context.Context) error {
		cursor, err := t.docs.Aggregate(ctx, pipeline)
		if err != nil {
			return err
		}
		return cursor.All(ctx, &counts)
	})
	if err != nil {
		return nil, err
	}
	var groups []store.Group
	for _, c := range counts {
		g := store.Group{Key: make([]any, len(by)), N: c.N}
		for i := range by {
			g.Key[i] = c.Key[groupKey(i)]
		}
		groups = append(groups, g)
	}
	if len(by) == 0 && len(groups) == 0 {
		groups = []store.Group{{Key: []any{}}}
	}
	slices.SortFunc(groups, func(a, b store.Group) int { return slices.CompareFunc(a.Key, b.Key, compareValues) })
	return groups, nil
}

// groupKey names a part of a group's key; the name of a field could be too long.
func groupKey(i int) string { return "k" + strconv.Itoa(i) }

// compareValues orders the values of one field, strings by their bytes.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return cmp.Compare(a, b)
		}
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	}
	return 0
}

// conditions makes the conditions of a filter; there is at least one. Deleted
// documents have no fields, so that any comparison leaves them out; only without one
// they must be named, best by a field that the query uses anyway and finds in its index.
func (t *table) conditions(where []store.Condition, used []string) (out bson.A) {
	for _, c := range where {
		operator := map[store.Op]string{store.Eq: "$eq", store.Less: "$lt", store.Min: "$gte", store.In: "$in"}[c.Op]
		out = append(out, compare(path(c.Field), operator, c.Value))
	}
	if len(out) > 0 {
		return out
	}
	if len(used) == 0 {
		return bson.A{live}
	}
	var least any = ""
	if f, err := t.Field(used[0]); err == nil && f.Type == store.Int {
		least = int64(math.MinInt64)
	}
	return bson.A{compare(path(used[0]), "$gte", least)}
}

func compare(field, operator string, value any) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: operator, Value: value}}}}
}

// path is where a declared field is kept.
func path(field string) string { return "f." + field }

func (t *table) find(ctx context.Context, filter bson.D, how *options.FindOptionsBuilder) ([]store.Record, error) {
	cursor, err := t.docs.Find(ctx, filter, how.SetProjection(columns))
	if err != nil {
		return nil, err
	}
	var found []stored
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	var out []store.Record
	for _, s := range found {
		r := store.Record{ID: s.ID, Version: s.Version, Seq: s.Seq}
		if s.Doc != nil {
			r.Doc = []byte(*s.Doc)
		}
		out = append(out, r)
	}
	return out, nil
}
