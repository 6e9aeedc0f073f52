package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/meili"
	"qingfu/store"
)

// mirrored is a node with Meilisearch.
type mirrored struct {
	*node
	*mirror
	pair *search.Pair
	stop func() // which waits
}

// mirror returns the mirror of a store, of which nothing runs yet.
func (w *world) mirror(t *testing.T, st *store.Store, r *remote) *mirror {
	t.Helper()
	m, err := mirrorBy(context.Background(), "rules", st, r.config, w.indexer, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// mirrored starts a node on a data folder, which others may have, too.
func (w *world) mirrored(t *testing.T, dir string, r *remote) *mirrored {
	t.Helper()
	n := &mirrored{node: w.node(t, t.Context(), dir, nil)}
	n.mirror = w.mirror(t, n.node.st, r)
	n.pair = search.NewPair(n.mirror.engine, n.node.engine, n.behind, n.failed, time.Now)
	n.projector.noticed = n.notice
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{
		n.projector.run, n.reindexer.run,
		func(ctx context.Context) error { return n.watch(ctx, n.projector.stored.Load(), n.pair.Degraded) },
		func(ctx context.Context) error { return n.lease().run(ctx, n.lead) },
	} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	n.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		n.close(t)
	})
	t.Cleanup(n.stop)
	return n
}

// write stores listings.
func write(t *testing.T, st *store.Store, listings ...directory.Listing) {
	t.Helper()
	results, err := st.Listings.Upsert(context.Background(), listings)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// newest returns the ids of some listings, the newest first.
func newest(s search.Searcher) ([]string, error) {
	r, err := s.Search(context.Background(), search.Query{Sort: search.ByNewest, Limit: 100})
	ids := make([]string, len(r.Hits))
	for i, h := range r.Hits {
		ids[i] = h.ID
	}
	return ids, err
}

// finds tells whether a search finds a listing; no search may fail.
func finds(t *testing.T, s search.Searcher, id string) bool {
	t.Helper()
	ids, err := newest(s)
	if err != nil {
		t.Fatalf("a search failed: %v", err)
	}
	for _, found := range ids {
		if found == id {
			return true
		}
	}
	return false
}

// same checks that Meilisearch has what the store has, and no index is left over.
func (m *mirror) same(t *testing.T) {
	t.Helper()
	found, err := m.compare(context.Background())
	if err != nil || len(found.ids()) > 0 {
		t.Errorf("Meilisearch: %v, %v", &found, err)
	}
	if left, err := m.engine.Next().State(context.Background()); err != nil || left != (meili.State{}) {
		t.Errorf("left over: %+v, %v", left, err)
	}
}

// TestMirror: what is written on one node is found on another one, also when the one
// that wrote to Meilisearch has gone.
func TestMirror(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onMeilisearch(t, w, func(t *testing.T, r *remote) {
		dir, listings := t.TempDir(), invented(40)
		a := w.mirrored(t, dir, r)
		write(t, a.node.st, listings[:30]...)
		until(t, "Meilisearch answers on the first node", func() bool { return !a.pair.Degraded() })
		b := w.mirrored(t, dir, r)
		until(t, "Meilisearch answers on the second node", func() bool { return !b.pair.Degraded() })
		write(t, a.node.st, listings[30])
		until(t, "the second node finds it", func() bool { return finds(t, b.mirror.engine, listings[30].ID) && finds(t, b.pair, listings[30].ID) })
		a.stop()
		write(t, b.node.st, listings[31:]...)
		until(t, "the second node writes", func() bool { return finds(t, b.mirror.engine, listings[39].ID) })
		listings[0].Status = directory.Suspended
		write(t, b.node.st, listings[0])
		until(t, "what is not published any more is gone", func() bool { return !finds(t, b.mirror.engine, listings[0].ID) })
		until(t, "nothing is behind", func() bool { return !b.pair.Degraded() })
		b.same(t)
	})
}

// TestMeilisearchFaults: whatever happens to Meilisearch, searches are answered with
// all that was written, and when it is back it has that, too.
func TestMeilisearchFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onMeilisearch(t, w, func(t *testing.T, r *remote) {
		listings := invented(20)
		n := w.mirrored(t, t.TempDir(), r)
		write(t, n.node.st, listings[:10]...)
		until(t, "Meilisearch answers", func() bool { return !n.pair.Degraded() })
		for i, f := range []outage{away, slow, busy} {
			t.Run(string(f), func(t *testing.T) {
				l := listings[10+i]
				r.set(f)
				until(t, "the embedded index takes over", func() bool { return finds(t, n.pair, listings[0].ID) && n.pair.Degraded() })
				write(t, n.node.st, l)
				until(t, "it has what was written", func() bool { return finds(t, n.pair, l.ID) })
				r.set(none)
				until(t, "Meilisearch answers again", func() bool { return finds(t, n.pair, l.ID) && !n.pair.Degraded() })
				if !finds(t, n.mirror.engine, l.ID) {
					t.Error("Meilisearch lacks what was written meanwhile")
				}
				n.same(t)
			})
		}
		t.Run("data lost", func(t *testing.T) {
			r.lose()
			until(t, "it is noticed", func() bool { return finds(t, n.pair, listings[0].ID) && n.pair.Degraded() })
			write(t, n.node.st, listings[15])
			until(t, "Meilisearch answers again", func() bool { return finds(t, n.pair, listings[0].ID) && !n.pair.Degraded() })
			n.same(t)
		})
		t.Run("set back", func(t *testing.T) {
			write(t, n.node.st, listings[16])
			until(t, "Meilisearch has it", func() bool { return finds(t, n.mirror.engine, listings[16].ID) })
			older, err := n.caughtUp(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			older.Seq--
			if err := errors.Join(n.mirror.engine.SetState(t.Context(), older), n.mirror.engine.Delete(t.Context(), listings[16].ID)); err != nil {
				t.Fatal(err)
			}
			until(t, "it is noticed, or put right already", func() bool { return n.pair.Degraded() || finds(t, n.mirror.engine, listings[16].ID) })
			until(t, "Meilisearch answers again", func() bool { return finds(t, n.pair, listings[16].ID) && !n.pair.Degraded() })
			n.same(t)
		})
		t.Run("away at the start", func(t *testing.T) {
			n.stop()
			r.set(away)
			n := w.mirrored(t, t.TempDir(), r) // of another store
			write(t, n.node.st, listings[19])
			until(t, "the embedded index answers", func() bool { return finds(t, n.pair, listings[19].ID) && n.pair.Degraded() })
			r.set(none)
			until(t, "Meilisearch answers", func() bool { return finds(t, n.pair, listings[19].ID) && !n.pair.Degraded() })
			n.same(t)
		})
	})
}

// TestBuildKilled: an index that is built anew is whole at every moment, wherever
// whoever builds it is killed, and the next one gets to the end.
func TestBuildKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onMeilisearch(t, w, func(t *testing.T, r *remote) {
		st, _, closeAll := w.open(t, t.TempDir()+"/test.db")
		t.Cleanup(closeAll)
		listings := invented(30)
		write(t, st, listings...)
		build := func(ctx context.Context) (*mirror, error) {
			m := w.mirror(t, st, r)
			return m, m.build(ctx, quiet)
		}
		if _, err := build(t.Context()); err != nil {
			t.Fatal(err)
		}
		stride := 1
		if racing || t.Name() != "TestBuildKilled/stand-in" {
			stride = 9 // which takes its time
		}
		killed := 0
		for step := 1; ; step += stride {
			for _, after := range []bool{false, true} {
				ctx, kill := context.WithCancel(t.Context())
				requests := atomic.Int64{}
				r.breaking(func(*http.Request) (bool, bool) {
					if requests.Add(1) < int64(step) {
						return false, false
					}
					kill()
					return !after, after && requests.Load() == int64(step)
				})
				_, err := build(ctx)
				kill()
				r.breaking(nil)
				if err == nil {
					if killed < 5 {
						t.Errorf("only %d builds were killed", killed)
					}
					return
				}
				killed++
				m := w.mirror(t, st, r)
				if s, err := m.engine.State(t.Context()); err != nil || !m.current(&s) {
					t.Fatalf("killed at request %d: %+v, %v", step, s, err)
				}
				if found, err := m.compare(t.Context()); err != nil || len(found.ids()) > 0 {
					t.Fatalf("killed at request %d: %v, %v", step, &found, err)
				}
				if m, err = build(t.Context()); err != nil {
					t.Fatalf("after the kill at request %d: %v", step, err)
				}
				m.same(t)
			}
		}
	})
}

// TestReindexInMeilisearch: while an index is built anew, searches and writers go on
// and nothing is missed.
func TestReindexInMeilisearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onMeilisearch(t, w, func(t *testing.T, r *remote) {
		listings := invented(60)
		n := w.mirrored(t, t.TempDir(), r)
		write(t, n.node.st, listings...)
		until(t, "Meilisearch answers", func() bool { return !n.pair.Degraded() })
		before, err := n.mirror.engine.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		busy.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l := listings[i%30]
				l.Address = fmt.Sprintf("新路%d号", i)
				write(t, n.node.st, l)
			}
		})
		searches := 0
		busy.Go(func() {
			for ; ctx.Err() == nil; searches++ {
				if ids, err := newest(n.mirror.engine); err != nil || len(ids) != len(listings) {
					t.Errorf("%d listings, %v", len(ids), err)
				}
			}
		})
		request, err := requestReindex(t.Context(), n.node.st.Meta)
		if err != nil {
			t.Fatal(err)
		}
		reports, err := watchReindex(t.Context(), n.node.st.Meta, request, answerTime, quiet)
		stop()
		busy.Wait()
		if err != nil || len(reports) != 2 || reports["test in Meilisearch"].State != stateDone || searches == 0 {
			t.Errorf("%v after %d searches, %v", reports, searches, err)
		}
		after, err := n.caughtUp(t.Context())
		if err != nil || after.Generation == before.Generation || !n.current(&after) {
			t.Errorf("%+v, then %+v, %v", before, after, err)
		}
		n.same(t)
	})
}

// TestSettled: what may still be under way from before is not settled.
func TestSettled(t *testing.T) {
	m, at := &mirror{}, time.Unix(1_000_000, 0)
	want := func(seq int64) {
		t.Helper()
		if got := m.settled(50); got != seq {
			t.Errorf("settled up to %d, want %d", got, seq)
		}
	}
	want(50) // nothing was seen
	for i := range 60 {
		m.leaveTrail(int64(i), at.Add(time.Duration(i)*time.Second))
	}
	want(59 - int64(lateTime/time.Second) - 1)
	m.unsettle(7, at.Add(time.Minute))
	want(7)
	for i := range 40 {
		m.leaveTrail(int64(100+i), at.Add(time.Minute+time.Duration(1+i)*time.Second))
	}
	want(50)
}

// TestMirrorIsPutRight: what others have done to the index is found and undone.
func TestMirrorIsPutRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onMeilisearch(t, w, func(t *testing.T, r *remote) {
		st, _, closeAll := w.open(t, t.TempDir()+"/test.db")
		t.Cleanup(closeAll)
		listings := invented(10)
		write(t, st, listings[:5]...)
		m := w.mirror(t, st, r)
		if err := m.build(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		state, err := m.engine.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p, again := m.project(m.engine, &state), m.project(m.engine, nil)
		again.indexed.Store(state.Seq)
		old := listings[5]
		write(t, st, listings[5:]...)
		listings[5].Address = "新地址"
		write(t, st, listings[5])
		if err := p.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.same(t)
		put := func(l directory.Listing) {
			t.Helper()
			d, err := m.indexer.Document(&l)
			if err == nil {
				err = m.engine.Put(t.Context(), d)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		differs := func(want string) {
			t.Helper()
			if found, err := m.compare(t.Context()); err != nil || found.String() != want {
				t.Fatalf("%v, %v, want %s", &found, err, want)
			}
		}

		put(old) // by one who had the lease before and was slow
		differs("0 missing, 1 stale, 0 too many")
		if err := m.repeat(t.Context(), p, again); err != nil {
			t.Fatal(err)
		}
		m.same(t)

		if err := m.engine.Delete(t.Context(), listings[1].ID, listings[2].ID); err != nil {
			t.Fatal(err)
		}
		stranger := invented(11)[10]
		put(stranger)
		differs("2 missing, 0 stale, 1 too many")
		if err := m.count(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		m.same(t)

		// An index that lacks listings does not take the place of another one.
		g, err := m.raise(t.Context(), quiet, &atomic.Pointer[bar]{})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.next.Delete(t.Context(), listings[1].ID); err != nil {
			t.Fatal(err)
		}
		if err := g.turn(t.Context()); err == nil {
			t.Error("an index that lacks a listing was taken")
		}
		m.same(t)
		// Nor is one followed that is not the one that was written to.
		other := state
		other.Generation = "other"
		if err := m.engine.SetState(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if err := m.stillThere(t.Context(), p, &state); !errors.Is(err, errOtherIndex) {
			t.Errorf("another index: %v", err)
		}
	})
}

// between is a store in which something happens between two pages of changes.
type between struct {
	store.Engine
	then func()
}

func (e *between) Changes(ctx context.Context, collection string, after int64, limit int) ([]store.Record, error) {
	if collection == "listings" && after > 0 && e.then != nil {
		then := e.then
		e.then = nil
		then()
	}
	return e.Engine.Changes(ctx, collection, after, limit)
}

// TestPublishedBetweenPages: a listing that is suspended in one page of a batch and
// published in the next is found.
func TestPublishedBetweenPages(t *testing.T) {
	w := newWorld(t)
	var e *between
	n := w.node(t, t.Context(), t.TempDir(), func(db store.Engine) store.Engine { e = &between{Engine: db}; return e })
	defer n.close(t)
	listings := invented(store.MaxLimit + 1)
	listings[0].Status = directory.Suspended
	write(t, n.st, listings[0])
	write(t, n.st, listings[1:]...)
	n.projector.batch = 2 * store.MaxLimit
	e.then = func() {
		listings[0].Status = directory.Published
		write(t, n.st, listings[0])
	}
	if err := n.projector.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.sameAsStore(t, n.st, n.projector)
}

// TestIndexRules: the same words and rules are known again, others are not.
func TestIndexRules(t *testing.T) {
	w := newWorld(t)
	rules := func(l *search.Lexicon) string {
		t.Helper()
		r, err := indexRules(l, w.indexer)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	fewer, err := directory.NewRegions([]directory.Region{{Code: "630000", Level: directory.Province, Names: directory.Names{Zh: "青海省"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := rules(w.lexicon), rules(w.lexicon); a != b || a == "" {
		t.Errorf("%q, then %q", a, b)
	}
	if rules(search.NewLexicon(fewer)) == rules(w.lexicon) {
		t.Error("another lexicon makes the same index")
	}
}

// TestDegradedAnswers: what callers see while Meilisearch is away.
func TestDegradedAnswers(t *testing.T) {
	t.Parallel()
	standIn := httptest.NewServer(newStandIn())
	t.Cleanup(standIn.Close)
	p := newProxy(t, standIn.URL)
	dir := seeded(t)
	s := serve(t, "--data-dir", dir, "--meili-url", p.URL, "--meili-key", "key")
	degraded := func() string {
		t.Helper()
		resp, err := http.Get(s.base + "/v1/listings?sort=newest&limit=3")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("a search is answered %s", resp.Status)
		}
		return resp.Header.Get("X-Degraded")
	}
	until(t, "Meilisearch answers", func() bool { return degraded() == "" })
	p.set(away)
	until(t, "the embedded index answers", func() bool { return degraded() == "search" })
	if failed := command(t.Context(), "doctor", "--data-dir", dir, "--meili-url", p.URL, "--meili-key", "key"); failed.code != 1 || !strings.Contains(failed.err, "unavailable") {
		t.Errorf("doctor while it is away: %+v", failed)
	}
	p.set(none)
	until(t, "Meilisearch answers again", func() bool { return degraded() == "" })

	engine := meili.New(meili.Config{URL: p.URL, Key: "key", Lexicon: newWorld(t).lexicon})
	var listings page
	s.get("/v1/listings?limit=5", &listings)
	if err := engine.Delete(t.Context(), listings.Items[0].ID, listings.Items[1].ID); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--check"}, 1, "Meilisearch: 2 missing, 0 stale, 0 too many"},
		{nil, 0, "Meilisearch: put right"},
		{[]string{"--check"}, 0, "Meilisearch: as the store"},
	} {
		got := command(t.Context(), append([]string{"doctor", "--data-dir", dir, "--meili-url", p.URL, "--meili-key", "key"}, step.args...)...)
		if got.code != step.code || !strings.Contains(got.out, step.says) {
			t.Errorf("doctor %v: %+v", step.args, got)
		}
	}
	if got := succeed(t, "reindex", "--data-dir", dir); !strings.Contains(got.out, " in Meilisearch: ") {
		t.Errorf("reindex: %+v", got)
	}
	log := s.end()
	for _, line := range []string{"the embedded index answers searches in the place of Meilisearch", `msg="Meilisearch answers searches"`} {
		if !strings.Contains(log, line) {
			t.Errorf("the log does not say %q", line)
		}
	}
	// Without a server the command builds it itself.
	got := succeed(t, "reindex", "--data-dir", dir, "--meili-url", p.URL, "--meili-key", "key")
	if !strings.Contains(got.out, "the index in Meilisearch has ") || !strings.Contains(got.err, "building the index in Meilisearch: ") {
		t.Errorf("reindex without a server: %+v", got)
	}
}
