package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// node is what of a server has to do with its index.
type node struct {
	st        *store.Store
	engine    *memory.Engine
	projector *projector
	reindexer *reindexer
	db        store.Engine
}

// node opens a data folder, and starts from the file that is there. wrap may put
// something between the store and its engine.
func (w *world) node(t tester, ctx context.Context, dir string, wrap func(store.Engine) store.Engine) *node {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(dir, "qingfu.db"))
	if err != nil {
		t.Fatal(err)
	}
	n := &node{db: db}
	if wrap != nil {
		n.db = wrap(db)
	}
	if n.st, err = store.New(context.Background(), n.db); err != nil {
		t.Fatal(err)
	}
	newEngine := func() (*memory.Engine, error) { return memory.New(w.lexicon, w.calendar) }
	if n.engine, err = newEngine(); err != nil {
		t.Fatal(err)
	}
	file, err := openIndexFile(context.Background(), dir, n.st, n.engine)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	n.projector = newProjector(n.st.Listings, w.indexer, n.engine, file, log)
	n.reindexer = &reindexer{meta: n.st.Meta, projector: n.projector, engine: n.engine, newEngine: newEngine, node: "test", log: log}
	if err := n.projector.start(ctx, &console{io.Discard, io.Discard}); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) close(t tester) {
	t.Helper()
	if err := errors.Join(n.engine.Close(), n.db.Close()); err != nil {
		t.Fatal(err)
	}
}

// spoil gives the index a listing that is not as it is stored.
func (w *world) spoil(t *testing.T, n *node, l directory.Listing) {
	t.Helper()
	l.Address = "错的地址"
	d, err := w.indexer.Document(&l)
	if err == nil {
		err = n.engine.Put(t.Context(), d)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes listings so often that their index is worth a file.
func fill(t *testing.T, st *store.Store, listings []directory.Listing) {
	t.Helper()
	for i := 0; i*len(listings) < saveFrom; i++ {
		for k := range listings {
			listings[k].Address = fmt.Sprintf("旧路%d号", i)
		}
		if _, err := st.Listings.Upsert(t.Context(), listings); err != nil {
			t.Fatal(err)
		}
	}
}

// useful tells whether the folder has an index that a start takes up.
func (n *node) useful() bool { return n.projector.file.saved > 0 }

// TestReindexRepairs: an index that is wrong becomes right, and so does its file.
func TestReindexRepairs(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	n := w.node(t, t.Context(), dir, nil)
	listings := invented(60)
	fill(t, n.st, listings)
	if err := n.projector.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.spoil(t, n, listings[3])
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := n.projector.run(stopped); err != nil { // saves what is wrong
		t.Fatal(err)
	}
	n.close(t)

	n = w.node(t, t.Context(), dir, nil)
	address := func() string {
		t.Helper()
		r, err := n.engine.Search(t.Context(), search.Query{Text: listings[3].Names.Zh, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Hits {
			var card search.Card
			if err := json.Unmarshal([]byte(h.Card), &card); err != nil {
				t.Fatal(err)
			}
			if h.ID == listings[3].ID {
				return card.Address
			}
		}
		return ""
	}
	if got := address(); !n.useful() || got != "错的地址" {
		t.Fatalf("the index is not the saved one: %q", got)
	}
	if err := n.reindexer.rebuild(t.Context(), "request"); err != nil {
		t.Fatal(err)
	}
	w.sameAsStore(t, n.st, n.projector)
	reports, err := readReports(t.Context(), n.st.Meta)
	if r := reports["test"]; err != nil || r == nil || r.State != stateDone || r.Request != "request" || r.Done != len(listings) || r.Total != len(listings) {
		t.Errorf("the report is %+v, %v", r, err)
	}
	if err := n.projector.run(stopped); err != nil { // saves, though nothing was written
		t.Fatal(err)
	}
	n.close(t)
	n = w.node(t, t.Context(), dir, nil)
	defer n.close(t)
	if got := address(); !n.useful() || got != listings[3].Address {
		t.Errorf("the saved index says %q", got)
	}
}

// locked is an engine that is only written to while the projector says so.
type locked struct {
	*memory.Engine
	t *testing.T
	p *projector
}

func (l locked) Put(ctx context.Context, docs ...search.Document) error {
	l.check()
	return l.Engine.Put(ctx, docs...)
}

func (l locked) check() {
	if l.p.mu.TryLock() {
		l.p.mu.Unlock()
		l.t.Error("the index is written to while another one may take its place")
	}
}

// TestTakeOverDoesNotGoBack: what the index in use has taken in since the new one
// was built is in the new one before it is seen.
func TestTakeOverDoesNotGoBack(t *testing.T) {
	w := newWorld(t)
	st, p, closeAll := w.open(t, filepath.Join(t.TempDir(), "test.db"))
	defer closeAll()
	engine := locked{p.engine.(*memory.Engine), t, p}
	p.engine = engine
	listings := invented(5)
	write := func(address string) {
		t.Helper()
		for i := range listings {
			listings[i].Address = address
		}
		if _, err := st.Listings.Upsert(t.Context(), listings); err != nil {
			t.Fatal(err)
		}
	}
	write("甲路1号")
	next := w.project(t, st)
	if err := next.load(t.Context(), &console{io.Discard, io.Discard}); err != nil {
		t.Fatal(err)
	}
	write("乙路2号")
	if err := p.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	takeOver := func() {
		t.Helper()
		fresh := next.engine.(*memory.Engine)
		defer fresh.Close()
		if err := p.takeOver(t.Context(), next, func() error {
			engine.check()
			return engine.TakeOver(fresh)
		}); err != nil {
			t.Fatal(err)
		}
		w.sameAsStore(t, st, p)
	}
	takeOver()
	write("丙路3号")
	if err := p.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.sameAsStore(t, st, p)

	// Here the new index is ahead, and knows that the demonstration entries are gone.
	for i := range listings {
		if err := st.Listings.Remove(t.Context(), listings[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	next = w.project(t, st)
	if err := next.load(t.Context(), &console{io.Discard, io.Discard}); err != nil {
		t.Fatal(err)
	}
	takeOver()
}

// counter does something when it is asked for a count.
type counter struct {
	store.Engine
	counts func()
}

func (e *counter) Count(ctx context.Context, collection string, where []store.Condition, by ...string) ([]store.Group, error) {
	if e.counts != nil {
		e.counts()
	}
	return e.Engine.Count(ctx, collection, where, by...)
}

// TestReindexAlone builds and saves the index where no server runs.
func TestReindexAlone(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	n := w.node(t, t.Context(), dir, nil)
	listings := invented(60)
	fill(t, n.st, listings)
	if err := n.projector.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.spoil(t, n, listings[3])
	if err := n.projector.file.save(n.projector.indexed.Load()); err != nil {
		t.Fatal(err)
	}
	n.close(t)
	// One that does not get to the end leaves nothing that is wrong.
	gone, cancel := context.WithCancel(t.Context())
	var cut *counter
	n = w.node(t, t.Context(), dir, func(e store.Engine) store.Engine { cut = &counter{Engine: e}; return cut })
	cut.counts = cancel
	if err := (&reindexCommand{dataSettings: dataSettings{DataDir: dir}}).reindexAlone(gone, n.st, "request", quiet); !errors.Is(err, context.Canceled) || !n.useful() {
		t.Errorf("%v, useful: %t", err, n.useful())
	}
	n.close(t)
	n = w.node(t, t.Context(), dir, nil)
	if n.useful() {
		t.Error("the file that was to be replaced was used")
	}
	w.sameAsStore(t, n.st, n.projector)
	n.close(t)

	if e := succeed(t, "reindex", "--data-dir", dir); !strings.Contains(e.out, "no server") || !strings.Contains(e.out, " 60 ") || !strings.Contains(e.err, "60 in") {
		t.Errorf("said %q and %q", e.out, e.err)
	}
	n = w.node(t, t.Context(), dir, nil)
	defer n.close(t)
	if !n.useful() {
		t.Error("the start did not take up the file")
	}
	w.sameAsStore(t, n.st, n.projector)
	if _, err := n.st.Meta.Get(t.Context(), requestMark); directory.KindOf(err) != directory.NotFound {
		t.Errorf("the request is still there: %v", err)
	}
}

// interrupter ends a context at the n-th call of the store.
type interrupter struct {
	store.Engine
	left   atomic.Int64
	cancel context.CancelFunc
}

func (e *interrupter) hit() {
	if e.left.Add(-1) == 0 {
		e.cancel()
	}
}

func (e *interrupter) Get(ctx context.Context, collection string, ids ...string) ([]store.Record, error) {
	e.hit()
	return e.Engine.Get(ctx, collection, ids...)
}

func (e *interrupter) Find(ctx context.Context, collection string, q store.Query) ([]store.Record, error) {
	e.hit()
	return e.Engine.Find(ctx, collection, q)
}

func (e *interrupter) Count(ctx context.Context, collection string, where []store.Condition, by ...string) ([]store.Group, error) {
	e.hit()
	return e.Engine.Count(ctx, collection, where, by...)
}

func (e *interrupter) Changes(ctx context.Context, collection string, after int64, limit int) ([]store.Record, error) {
	e.hit()
	return e.Engine.Changes(ctx, collection, after, limit)
}

func (e *interrupter) LastSeq(ctx context.Context, collection string) (int64, error) {
	e.hit()
	return e.Engine.LastSeq(ctx, collection)
}

func (e *interrupter) Write(ctx context.Context, collection string, writes ...store.Write) ([]store.Outcome, error) {
	e.hit()
	return e.Engine.Write(ctx, collection, writes...)
}

// TestReindexInterrupted ends a server at many points of a reindex, while others
// write. Each time the next start has what is stored.
func TestReindexInterrupted(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(t), t.TempDir()
	n := w.node(t, t.Context(), dir, nil)
	listings := invented(60)
	fill(t, n.st, listings)
	n.close(t)
	interrupted := 0
	for at := int64(1); ; at += at/3 + 1 {
		ctx, cancel := context.WithCancel(t.Context())
		cut := &interrupter{cancel: cancel}
		n := w.node(t, ctx, dir, func(e store.Engine) store.Engine { cut.Engine = e; return cut })
		others := w.node(t, t.Context(), dir, nil)
		ended := make(chan error, 1)
		cut.left.Store(at)
		go func() { ended <- n.projector.run(ctx) }()
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range 20 {
				l := listings[i*7%len(listings)]
				l.Address = fmt.Sprintf("新路%d-%d号", at, i)
				if i%5 == 1 {
					l.Status = directory.Suspended
				}
				if _, err := others.st.Listings.Upsert(t.Context(), []directory.Listing{l}); err != nil {
					t.Error(err)
				}
			}
		})
		err := n.reindexer.rebuild(ctx, "request")
		done := ctx.Err() == nil
		if err != nil && done {
			t.Fatal(err)
		}
		writer.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		reports, err := readReports(t.Context(), others.st.Meta)
		if r := reports["test"]; err != nil || r == nil || r.State == stateBuilding {
			t.Errorf("interrupted at call %d, it reports %+v, %v", at, r, err)
		}
		n.close(t)
		others.close(t)

		n = w.node(t, t.Context(), dir, nil)
		w.sameAsStore(t, n.st, n.projector)
		n.close(t)
		if done {
			break
		}
		interrupted++
	}
	if interrupted < 5 {
		t.Errorf("it was interrupted only %d times", interrupted)
	}
}

// TestReindexFindsTheSame asks every query of the golden file before and after.
func TestReindexFindsTheSame(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	n := w.node(t, t.Context(), dir, nil)
	defer n.close(t)
	demo, err := seed.Demo()
	if err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(append(demo, realListings(t)...), 37) { // in many segments
		if _, err := n.st.Listings.Upsert(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		if err := n.projector.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("../search/testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	answers := func() (out []string) {
		t.Helper()
		for line := range strings.Lines(string(golden)) {
			text, _, ok := strings.Cut(line, " | ")
			if !ok || strings.HasPrefix(line, "#") {
				continue
			}
			r, err := n.engine.Search(t.Context(), search.Query{Text: text, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(text, " ", r.Total))
			for _, h := range r.Hits {
				out = append(out, h.ID)
			}
		}
		return out
	}
	before := answers()
	if len(before) < 500 {
		t.Fatalf("only %d lines", len(before))
	}
	if err := n.reindexer.rebuild(t.Context(), "request"); err != nil {
		t.Fatal(err)
	}
	if after := answers(); !slices.Equal(before, after) {
		for i := range before {
			if i >= len(after) || before[i] != after[i] {
				t.Errorf("from %q on the answers differ", before[i])
				break
			}
		}
	}
}

// TestReindexWhileServing: a server answers all the while, never with an index that
// is empty or has gone back, and ends with the last state of every listing.
func TestReindexWhileServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()

	// One listing counts its versions, some come and go, all others stay. None is
	// due for review, so that the server itself leaves them alone.
	const coming, staying = 40, 2500
	listings := invented(1 + coming + staying)
	for i := range listings {
		listings[i].ReviewDueAt = nil
	}
	one := &listings[0]
	one.Names.Zh, one.Address = "示例·麒麟河畔小铺", "0"
	for part := range slices.Chunk(listings, batch) {
		if _, err := st.Listings.Upsert(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, "--data-dir", dir, "--no-demo", "--read-limit", "0")
	type cards struct {
		Items []struct{ ID, Address string }
		Total int
	}
	ask := func(query string) (c cards, err error) {
		resp, err := http.Get(s.base + "/v1/listings?limit=1&" + query)
		if err != nil {
			return c, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return c, errors.New(resp.Status)
		}
		return c, json.NewDecoder(resp.Body).Decode(&c)
	}
	byName := "q=" + url.QueryEscape("麒麟河畔小铺")
	version := func() (v int, err error) {
		c, err := ask(byName)
		if err == nil && (len(c.Items) == 0 || c.Items[0].ID != one.ID) {
			err = fmt.Errorf("it is not found: %+v", c)
		}
		if err == nil {
			_, err = fmt.Sscan(c.Items[0].Address, &v)
		}
		return v, err
	}
	over := make(chan struct{})
	isOver := func() bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
	var others sync.WaitGroup
	last := 0
	others.Go(func() {
		for !isOver() {
			last++
			one.Address = fmt.Sprint(last)
			l := &listings[1+last%coming]
			l.Status = []directory.Status{directory.Published, directory.Suspended}[last/coming%2]
			if _, err := st.Listings.Upsert(t.Context(), []directory.Listing{*one, *l}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	others.Go(func() {
		seen, answers := 0, 0
		for !isOver() {
			v, err := version()
			if err != nil || v < seen {
				t.Errorf("version %d after %d: %v", v, seen, err)
				return
			}
			seen = v
			answers++
		}
		if answers < 10 {
			t.Errorf("only %d answers", answers)
		}
	})
	others.Go(func() {
		for !isOver() {
			if c, err := ask("demo=true"); err != nil || c.Total <= staying || c.Total > len(listings) {
				t.Errorf("%d listings are found: %v", c.Total, err)
				return
			}
		}
	})

	e := command(t.Context(), "reindex", "--data-dir", dir)
	close(over)
	others.Wait()
	addr := strings.TrimPrefix(s.base, "http://")
	if e.code != 0 || !strings.Contains(e.out, addr+": ") || !strings.Contains(e.err, "indexing listings anew") {
		t.Errorf("code %d, said %q and %q", e.code, e.out, e.err)
	}
	published := 0
	for _, l := range listings {
		if l.Status == directory.Published {
			published++
		}
	}
	s.until("the last state of all is found", func() bool {
		v, err := version()
		if err != nil {
			t.Fatal(err)
		}
		c, err := ask("demo=true")
		if err != nil {
			t.Fatal(err)
		}
		return v == last && c.Total == published
	})
	// A second one works as well.
	succeed(t, "reindex", "--data-dir", dir)
	if c, err := ask("demo=true"); err != nil || c.Total != published {
		t.Errorf("%d listings are found, %d are published: %v", c.Total, published, err)
	}
	if log := s.end(); strings.Count(log, "was built anew") != 2 {
		t.Errorf("the log does not say that the index was built anew twice:\n%s", log)
	}
}

// TestReindexIsRefused: there is one at a time.
func TestReindexIsRefused(t *testing.T) {
	dir := t.TempDir()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	mark := func(name string, value any, at time.Time) {
		t.Helper()
		text, ok := value.(string)
		if !ok {
			b, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if _, err := st.Meta.Upsert(t.Context(), []store.Mark{{Name: name, Value: text, At: at}}); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string) {
		t.Helper()
		if e := command(t.Context(), "reindex", "--data-dir", dir); e.code != 1 || !strings.Contains(e.err, want) {
			t.Errorf("code %d, said %q and %q, not %q", e.code, e.out, e.err, want)
		}
	}
	mark(reportPrefix+"here", report{Request: "a", State: stateBuilding, Done: 3, Total: 7}, time.Now())
	refused("here is building its index anew already, 3 of 7")
	mark(reportPrefix+"here", report{Request: "a", State: stateDone, Done: 7, Total: 7}, time.Now())
	mark(requestMark, "b", time.Now())
	refused("somebody else")

	// Whoever was killed does not stand in the way.
	mark(reportPrefix+"here", report{Request: "a", State: stateBuilding, Done: 3, Total: 7}, time.Now().Add(-2*lostTime))
	mark(requestMark, "b", time.Now().Add(-2*answerTime))
	if request, err := requestReindex(t.Context(), st.Meta); err != nil || request == "b" {
		t.Errorf("%q, %v", request, err)
	}
	if _, err := requestReindex(t.Context(), st.Meta); !errors.Is(err, errAskedAlready) {
		t.Errorf("a second request at once: %v", err)
	}
}

// TestReindexSaysWhatFailed: the command waits for all that answer, and names those
// that do not get to the end.
func TestReindexSaysWhatFailed(t *testing.T) {
	dir := t.TempDir()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	result := make(chan ended, 1)
	go func() { result <- command(t.Context(), "reindex", "--data-dir", dir) }()
	request := ""
	for request == "" {
		mark, err := st.Meta.Get(t.Context(), requestMark)
		if err != nil && directory.KindOf(err) != directory.NotFound {
			t.Fatal(err)
		}
		request = mark.Value.Value
	}
	for name, r := range map[string]report{
		"one":   {Request: request, State: stateDone, Done: 5, Total: 5},
		"two":   {Request: request, State: stateFailed, Done: 2, Total: 5, Error: "no memory"},
		"three": {Request: request, State: stateBuilding, Done: 2, Total: 5},
		"four":  {Request: "another", State: stateDone, Done: 9, Total: 9},
	} {
		b, err := json.Marshal(r)
		if err == nil {
			_, err = st.Meta.Insert(t.Context(), store.Mark{Name: reportPrefix + name, Value: string(b), At: time.Now().Add(-2 * lostTime)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	e := <-result
	if e.code != 1 || e.out != "one: 5 listings\n" || !strings.Contains(e.err, "two goes on with the index that it has: no memory") ||
		!strings.Contains(e.err, "three has stopped") || strings.Contains(e.err, "four") {
		t.Errorf("code %d, said %q and %q", e.code, e.out, e.err)
	}
}

// TestReindexCommandInterrupted: the request goes with the command.
func TestReindexCommandInterrupted(t *testing.T) {
	dir := t.TempDir()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan ended, 1)
	go func() { result <- command(ctx, "reindex", "--data-dir", dir) }()
	for {
		if _, err := st.Meta.Get(t.Context(), requestMark); err == nil {
			break
		} else if directory.KindOf(err) != directory.NotFound {
			t.Fatal(err)
		}
	}
	cancel()
	if e := <-result; e.code != 1 || !strings.Contains(e.err, "no longer watching") {
		t.Errorf("code %d, said %q", e.code, e.err)
	}
	if _, err := st.Meta.Get(t.Context(), requestMark); directory.KindOf(err) != directory.NotFound {
		t.Errorf("the request is still there: %v", err)
	}
}
