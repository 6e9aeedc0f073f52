package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/store"
)

// The bounds of one call: how many changes are read at a time, and after how many
// it answers with what it has found. A region may have few of them.
const (
	changesAtOnce = 200
	changesInAll  = 1000
)

// changeView is the last thing that happened to a listing, as a copy has to know it.
type changeView struct {
	ID      string       `json:"id"`
	Change  string       `json:"change"` // put or gone
	Listing *listingView `json:"listing,omitempty"`
}

// changesCursor is how far a copy has got. It stays good forever, so that its form
// must not change.
type changesCursor struct {
	Seq int64 `json:"n"` // of the last change that was looked at
	// Mark is the fingerprint of that change, by which a store that has another one
	// in its place is found out.
	Mark uint64 `json:"m,omitempty"`
	// First is the number of the last change before the copy was begun: what was
	// not to be seen by then cannot be in the copy.
	First int64 `json:"f"`
}

func (a *api) listChanges(c *fiber.Ctx, in *input) error {
	ctx, region := c.UserContext(), in.region(a.Regions, "region")
	if err := in.err(); err != nil {
		return err
	}
	id, err := a.Store.ID(ctx)
	if err != nil {
		return err
	}
	hash := changesHash(id, region, in.gcj02)
	at, err := a.readChangesCursor(ctx, in, hash)
	if err != nil {
		return err
	}
	answer := struct {
		Items    []changeView `json:"items"`
		Cursor   string       `json:"cursor"`
		More     bool         `json:"more"`
		DemoData bool         `json:"demo_data,omitempty"`
	}{Items: []changeView{}, More: true, DemoData: a.DemoData()}

	limit := in.integer("limit")
	for seen := 0; answer.More && seen < changesInAll && len(answer.Items) < limit; {
		changes, err := a.Store.Listings.Changes(ctx, at.Seq, changesAtOnce)
		if err != nil {
			return err
		}
		answer.More = len(changes) == changesAtOnce
		for i := range changes {
			if len(answer.Items) == limit {
				answer.More = true
				break
			}
			seen++
			at.Seq, at.Mark = changes[i].Seq, fingerprint(&changes[i])
			if v, ok := a.viewChange(&changes[i], region, at.First, in); ok {
				answer.Items = append(answer.Items, v)
			}
		}
	}
	token, err := json.Marshal(at)
	if err != nil {
		return err
	}
	answer.Cursor = string(appendCursor(nil, hash, string(token)))
	return sendTaggedJSON(c, answer)
}

// viewChange returns what a copy of a region has to know of a change, if anything.
func (a *api) viewChange(change *store.Change[directory.Listing], region string, first int64, in *input) (changeView, bool) {
	l := change.Value
	if l != nil && l.Status == directory.Published && (region == "" || a.reaches(l, region)) {
		listing := a.viewListing(l, in)
		return changeView{change.ID, "put", &listing}, true
	}
	// What was written once was never to be seen, and what was last written before
	// the copy was begun is not in it.
	if change.Version == 1 || change.Seq <= first {
		return changeView{}, false
	}
	return changeView{ID: change.ID, Change: "gone"}, true
}

// reaches tells whether a listing lies in a region or serves it, as the filter of a
// search means it.
func (a *api) reaches(l *directory.Listing, region string) bool {
	within := func(code string) bool { return a.Regions.Within(code, region) }
	return within(l.Region) || l.DomesticService != nil && slices.ContainsFunc(l.DomesticService.CountiesServed, within)
}

// changesHash binds a cursor to a store, and to what a copy holds. Coordinates of
// two datums in one copy would lie apart by hundreds of metres.
func changesHash(id, region string, gcj02 bool) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\n%s\n%t", id, region, gcj02) // a hash never fails
	return h.Sum64()
}

// fingerprint tells a change from every other one with its number.
func fingerprint(change *store.Change[directory.Listing]) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\n%d", change.ID, change.Version)
	return h.Sum64()
}

// readChangesCursor reads where a copy continues. It refuses a cursor that is none
// of this store's changes.
func (a *api) readChangesCursor(ctx context.Context, in *input, hash uint64) (at changesCursor, err error) {
	since := in.text("since")
	if since == "" {
		at.First, err = a.Store.Listings.LastSeq(ctx)
		return at, err
	}
	token, code := openCursor(since, hash)
	if code == "" && (json.Unmarshal([]byte(token), &at) != nil || at.Seq < 0) {
		code = directory.CodeFormat
	}
	if code == "" && at.Seq > 0 {
		// The numbers only grow, and one that was given out is either still there or,
		// when its listing was written again, followed by another one.
		changes, err := a.Store.Listings.Changes(ctx, at.Seq-1, 1)
		if err != nil {
			return at, err
		}
		if len(changes) == 0 || changes[0].Seq == at.Seq && fingerprint(&changes[0]) != at.Mark {
			code = directory.CodeMismatch
		}
	}
	if code != "" {
		in.refuse("since", code, "cursor")
	}
	return at, in.err()
}
