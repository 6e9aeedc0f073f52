// Package trial sets up what the tests of several packages need: the embedded
// engines on an empty folder, and a clock that is moved by hand. Only tests import it.
package trial

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/photos"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock returns a clock that shows a time.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// To moves the clock to a time.
func (c *Clock) To(at time.Time) { c.Advance(at.Sub(c.Now())) }

// Engines are the embedded engines and what stands on them. Messages go nowhere.
type Engines struct {
	Clock    *Clock
	Dir      string // holds the database test.db and the keys keys.json
	Store    *store.Store
	Auth     *auth.Auth
	Photos   *photos.Store // in memory
	Search   *memory.Engine
	Indexer  *search.Indexer
	Regions  *directory.Regions
	Calendar *directory.Calendar
	Log      *slog.Logger // discards
}

// New opens engines in a folder of the test, which closes them. What between makes of
// the database is used in its place; nil leaves it as it is.
func New(t testing.TB, at time.Time, between func(store.Engine) store.Engine) *Engines {
	t.Helper()
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e := &Engines{Clock: NewClock(at), Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	db, err := sqlite.Open(t.Context(), filepath.Join(e.Dir, "test.db"))
	fatal(err)
	t.Cleanup(func() { db.Close() })
	var engine store.Engine = db
	if between != nil {
		engine = between(db)
	}
	e.Store, err = store.New(t.Context(), engine)
	fatal(err)
	keys, err := auth.OpenKeyFile(filepath.Join(e.Dir, "keys.json"), rand.Reader)
	fatal(err)
	e.Auth, err = auth.New(t.Context(), auth.Config{
		Store: e.Store, Keys: keys, Sender: nobody{}, Limiter: auth.NewLimiter(e.Clock.Now, nil), Log: e.Log,
		Now: e.Clock.Now, Random: rand.Reader, Issuer: "https://qingfu.test", SMSPerHour: 1, Demo: true,
	})
	fatal(err)
	e.Regions, err = seed.Regions()
	fatal(err)
	e.Calendar, err = seed.Calendar()
	fatal(err)
	e.Indexer = search.NewIndexer(e.Regions)
	e.Search, err = memory.New(search.NewLexicon(e.Regions), e.Calendar)
	fatal(err)
	t.Cleanup(func() { e.Search.Close() })
	e.Photos = photos.New(photos.Config{Bucket: memblob.OpenBucket(nil), Documents: e.Store, Log: e.Log, Now: e.Clock.Now})
	return e
}

// nobody is nobody's phone.
type nobody struct{}

// Send implements auth.Sender.
func (nobody) Send(context.Context, auth.Message) error { return nil }
