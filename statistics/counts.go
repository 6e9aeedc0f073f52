package statistics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"qingfu/directory"
	"qingfu/store"
)

// cell is how many ratings (or bookings, or invitations) have the same values. What is
// not counted by is the zero value.
type cell struct {
	county, category, organization string
	month                          directory.Month
	origin                         directory.RatingOrigin
	level                          int64
	state                          directory.RatingState
	rule                           string
	rated                          int64 // of a booking or an invitation: 1 when it led to a rating
	n                              int64
}

// set puts the value of a field into a cell.
func (c *cell) set(field string, value any) {
	switch field {
	case "county":
		c.county = value.(string)
	case "category":
		c.category = value.(string)
	case "organization":
		c.organization = value.(string)
	case "month", "served":
		c.month = directory.Month(value.(int64))
	case "origin":
		c.origin = directory.RatingOrigin(value.(string))
	case "level":
		c.level = value.(int64)
	case "rule":
		c.rule = value.(string)
	case "rated", "used":
		c.rated = value.(int64)
	}
}

// counter counts documents by their fields and keeps what it has counted until the
// documents change.
type counter struct {
	now    func() time.Time
	flight singleflight.Group

	mu      sync.Mutex
	counted map[string]counted
}

type counted struct {
	cells []cell
	seq   int64 // of the collection before it was counted
	at    time.Time
	took  time.Duration
}

// A count that took longer than slowCount is used for restFor times as long as it took,
// though the documents have changed: however often they do and somebody asks, counting
// takes no more than a small part of the time.
const (
	slowCount = 50 * time.Millisecond
	restFor   = 10
)

// maxCounted is how many counts are kept.
const maxCounted = 100

// source is a collection that can be counted.
type source interface {
	Count(ctx context.Context, where []store.Condition, by ...string) ([]store.Group, error)
	LastSeq(ctx context.Context) (int64, error)
}

// count returns the cells of a collection and when they were counted. Nobody may change
// them.
func (k *counter) count(ctx context.Context, name string, from source, where []store.Condition, by ...string) (counted, error) {
	key := fmt.Sprint(name, where, by)
	seq, err := from.LastSeq(ctx)
	if err != nil {
		return counted{}, err
	}
	k.mu.Lock()
	have, ok := k.counted[key]
	k.mu.Unlock()
	if ok && (have.seq == seq || have.took > slowCount && k.now().Sub(have.at) < restFor*have.took) {
		return have, nil
	}
	// Those who come at the same time wait for one count; it ends with the first of them
	// at the latest, and the others count again then.
	result, err, shared := k.flight.Do(fmt.Sprint(key, seq), func() (any, error) {
		begun := k.now()
		groups, err := from.Count(ctx, where, by...)
		if err != nil {
			return counted{}, err
		}
		out := counted{cells: make([]cell, len(groups)), seq: seq, at: begun, took: k.now().Sub(begun)}
		for i, g := range groups {
			out.cells[i].n = g.N
			for f, value := range g.Key {
				out.cells[i].set(by[f], value)
			}
		}
		k.keep(key, out)
		return out, nil
	})
	if err != nil && shared && ctx.Err() == nil {
		return k.count(ctx, name, from, where, by...)
	}
	return result.(counted), err
}

// keep keeps a count. When there are too many the oldest go.
func (k *counter) keep(key string, c counted) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counted == nil {
		k.counted = map[string]counted{}
	}
	k.counted[key] = c
	if len(k.counted) > maxCounted {
		keys := slices.SortedFunc(maps.Keys(k.counted), func(a, b string) int { return k.counted[a].at.Compare(k.counted[b].at) })
		for _, old := range keys[:maxCounted/2] {
			delete(k.counted, old)
		}
	}
}
