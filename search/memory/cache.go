package memory

import (
	"encoding/json"
	"sync"
	"time"

	"qingfu/search"
)

// cache keeps the latest selections of one snapshot; it goes with the snapshot,
// so that nothing in it can be out of date. What people look for repeats itself:
// the kinds, the counties, the words of the field.
type cache struct {
	mu         sync.Mutex
	young, old map[string]*selection // the old ones are dropped when the young ones are large
	size       uint64                // of the young ones in bytes
}

// The size of half a cache in bytes, and the number of pages in a selection.
const (
	maxCache = 32 << 20
	maxPages = 16
)

// get returns a selection and keeps it for longer.
func (c *cache) get(key string) *selection {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.young[key]; s != nil {
		return s
	}
	s := c.old[key]
	if s != nil {
		c.add(key, s)
	}
	return s
}

func (c *cache) put(key string, s *selection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, s)
}

func (c *cache) add(key string, s *selection) {
	size := s.size() + uint64(len(key))
	if c.young == nil || c.size+size > maxCache {
		c.old, c.young, c.size = c.young, map[string]*selection{}, 0
	}
	c.young[key] = s
	c.size += size
}

// selectionKey names everything that a selection depends on. A search around a
// point has none: points do not repeat.
func selectionKey(q *search.Query) (key string, ok bool) {
	if q.Near != nil {
		return "", false
	}
	k := *q
	k.Sort, k.Limit, k.After = "", 0, ""
	k.Now = time.Time{}
	if q.OpenNow {
		k.Now = q.Now.Truncate(time.Minute) // as fine as hours are
	}
	b, err := json.Marshal(&k)
	return string(b), err == nil // JSON has no word for NaN
}
