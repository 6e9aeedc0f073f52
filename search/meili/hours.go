package meili

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"qingfu/directory"
	"qingfu/search"
)

// hoursBook knows the opening hours that listings have, by a key that depends on
// their content. Whether hours include a moment is no question for Meilisearch:
// the engine asks it of every hours that there are, and has the listings of those
// that do. The book itself is in the index for the side, where nothing is ever
// changed or removed.
type hoursBook struct {
	mu    sync.Mutex
	known map[string]*directory.Hours
	size  int64 // of the side index when it was read last
	turns int   // how often the book was forgotten
}

// forget has the book read anew, because another index has come in its place.
func (b *hoursBook) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.size, b.turns = map[string]*directory.Hours{}, 0, b.turns+1
}

// hoursPrefix begins the key of hours.
const hoursPrefix = "h"

// hoursKey returns the same for hours of equal content only.
func hoursKey(h *directory.Hours) string {
	sum := sha256.Sum256(hoursText(h))
	return hoursPrefix + hex.EncodeToString(sum[:16])
}

func hoursText(h *directory.Hours) []byte {
	b, err := json.Marshal(h)
	if err != nil { // hours hold nothing that JSON cannot
		panic(err)
	}
	return b
}

// rememberHours enters the hours of documents that are to be put.
func (e *Engine) rememberHours(ctx context.Context, docs []search.Document) error {
	fresh := map[string]*directory.Hours{}
	var records []sideRecord
	e.hours.mu.Lock()
	for i := range docs {
		if h := docs[i].Hours; h != nil {
			key := hoursKey(h)
			if e.hours.known[key] == nil && fresh[key] == nil {
				fresh[key] = h
				records = append(records, sideRecord{key, string(hoursText(h))})
			}
		}
	}
	e.hours.mu.Unlock()
	if len(records) == 0 {
		return ctx.Err()
	}
	if err := e.remember(ctx, records...); err != nil {
		return err
	}
	e.hours.mu.Lock()
	defer e.hours.mu.Unlock()
	for key, h := range fresh {
		e.hours.known[key] = h
	}
	return nil
}

// openAt returns the keys of the hours that include a moment.
func (e *Engine) openAt(ctx context.Context, t time.Time) ([]string, error) {
	if err := e.readHours(ctx); err != nil {
		return nil, err
	}
	e.hours.mu.Lock()
	defer e.hours.mu.Unlock()
	var open []string
	for key, h := range e.hours.known {
		if h.OpenAt(t, e.config.Calendar) {
			open = append(open, key)
		}
	}
	slices.Sort(open)
	return open, nil
}

// hoursOf returns the hours of a hit.
func (e *Engine) hoursOf(ctx context.Context, key string) (*directory.Hours, error) {
	for range 2 {
		e.hours.mu.Lock()
		h := e.hours.known[key]
		e.hours.mu.Unlock()
		if h != nil {
			return h, nil
		}
		if err := e.readHours(ctx); err != nil { // another server may have entered them
			return nil, err
		}
	}
	return nil, fmt.Errorf("meilisearch: the hours %s of a listing are missing", key)
}

// readHours reads the book when it has grown.
func (e *Engine) readHours(ctx context.Context) error {
	page := &meilisearch.SearchRequest{IndexUID: e.side, Page: 1, HitsPerPage: new(int64(1)), AttributesToRetrieve: []string{"key"}}
	res, err := e.search(ctx, page)
	if err != nil {
		return err
	}
	e.hours.mu.Lock()
	grown, turns := res[0].TotalHits != e.hours.size, e.hours.turns
	e.hours.mu.Unlock()
	if !grown {
		return nil
	}
	size, known := res[0].TotalHits, map[string]*directory.Hours{}
	page.HitsPerPage, page.AttributesToRetrieve = new(int64(1000)), []string{"key", "text"}
	for more := true; more; page.Page++ {
		res, err := e.search(ctx, page)
		if err != nil {
			return err
		}
		for _, hit := range res[0].Hits {
			var r sideRecord
			if err := hit.DecodeInto(&r); err != nil {
				return err
			}
			if !strings.HasPrefix(r.Key, hoursPrefix) {
				continue
			}
			h := &directory.Hours{}
			if err := json.Unmarshal([]byte(r.Text), h); err != nil {
				return fmt.Errorf("meilisearch: hours %s: %w", r.Key, err)
			}
			known[r.Key] = h
		}
		more = page.Page < res[0].TotalPages
	}
	e.hours.mu.Lock()
	defer e.hours.mu.Unlock()
	if e.hours.turns == turns { // else it may be half of one generation and half of another
		e.hours.known, e.hours.size = known, size
	}
	return nil
}
