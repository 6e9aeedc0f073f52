package store_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// The contract: what every engine behind the store must do. An engine joins by
// a line here; opening the same folder again must find the same data.
var engines = map[string]func(ctx context.Context, dir string) (store.Engine, error){
	"sqlite": func(ctx context.Context, dir string) (store.Engine, error) {
		return sqlite.Open(ctx, filepath.Join(dir, "contract.db"))
	},
	"mongo": openMongo,
}

// contract runs a test on every engine, each with an empty folder.
func contract(t *testing.T, test func(t *testing.T, h harness)) {
	for name := range engines {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if name == "mongo" {
				mongoOrSkip(t, dir)
			}
			test(t, harness{t, name, dir})
		})
	}
}

type harness struct {
	t      *testing.T
	engine string
	dir    string
}

// open opens the engine with a collection of items declared.
func (h harness) open(d store.Declaration) store.Engine {
	h.t.Helper()
	e, err := engines[h.engine](h.t.Context(), h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { e.Close() }) // tests may close it themselves
	if err := e.Declare(h.t.Context(), d); err != nil {
		h.t.Fatal(err)
	}
	return e
}

// item is the document of the contract's tests.
type item struct {
	Word string `json:"word"`
	N    int64  `json:"n"`
	Rest string `json:"rest,omitempty"` // not declared
}

// items declares a collection of items with the chosen fields.
func items(name string, fields ...string) store.Declaration {
	d := store.Declaration{Name: name}
	for _, f := range fields {
		d.Fields = append(d.Fields, store.Field{Name: f, Type: map[string]store.FieldType{"word": store.String, "n": store.Int}[f]})
		d.Indexes = append(d.Indexes, store.Index{Fields: []string{f}})
	}
	d.Extract = func(doc []byte) ([]any, error) {
		var i item
		err := json.Unmarshal(doc, &i)
		return i.fields(fields...), err
	}
	return d
}

func (i item) fields(names ...string) []any {
	out := make([]any, len(names))
	for k, name := range names {
		out[k] = map[string]any{"word": i.Word, "n": i.N}[name]
	}
	return out
}

// write makes the write of an item to a collection with the fields word and n.
func (i item) write(id string, seen int64) store.Write {
	doc, err := json.Marshal(i)
	if err != nil {
		panic(err)
	}
	return store.Write{ID: id, Seen: seen, Doc: doc, Fields: i.fields("word", "n")}
}

func remove(id string, seen int64) store.Write { return store.Write{ID: id, Seen: seen} }

// must runs writes of which none may fail.
func must(t *testing.T, e store.Engine, collection string, writes ...store.Write) []store.Outcome {
	t.Helper()
	outcomes, err := e.Write(t.Context(), collection, writes...)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		if o.Err != nil {
			t.Fatalf("write of %s: %v", writes[i].ID, o.Err)
		}
	}
	return outcomes
}

// changes reads all changes behind a number, in small pages.
func changes(t *testing.T, e store.Engine, collection string, after int64) []store.Record {
	t.Helper()
	return changesBy(t, e, collection, after, 7)
}

func changesBy(t *testing.T, e store.Engine, collection string, after int64, limit int) []store.Record {
	t.Helper()
	var out []store.Record
	for {
		page, err := e.Changes(t.Context(), collection, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
		after = page[len(page)-1].Seq
	}
}

func ids(records []store.Record) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, r.ID)
	}
	return out
}

func TestWriteRules(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		a, b := item{Word: "a", N: 1}, item{Word: "b", N: 2}
		// Each step builds on those before it.
		steps := []struct {
			what    string
			write   store.Write
			version int64
			kind    directory.ErrorKind
		}{
			{"replace of nothing", a.write("x", 1), 0, directory.NotFound},
			{"delete of nothing", remove("x", 1), 0, directory.NotFound},
			{"insert", a.write("x", 0), 1, ""},
			{"insert again", b.write("x", 0), 0, directory.Conflict},
			{"replace", b.write("x", 1), 2, ""},
			{"replace with an old version", a.write("x", 1), 0, directory.Conflict},
			{"replace with a version to come", a.write("x", 3), 0, directory.Conflict},
			{"delete with an old version", remove("x", 1), 0, directory.Conflict},
			{"replace by the same", b.write("x", 2), 3, ""},
			{"delete", remove("x", 3), 4, ""},
			{"delete again", remove("x", 4), 0, directory.NotFound},
			{"replace of a deleted one", a.write("x", 4), 0, directory.NotFound},
			{"revival", a.write("x", 0), 5, ""},
			{"replace with a version from before", b.write("x", 1), 0, directory.Conflict},
			{"replace after revival", b.write("x", 5), 6, ""},
			{"empty id", a.write("", 0), 0, directory.Invalid},
			{"long id", a.write(strings.Repeat("x", store.MaxID+1), 0), 0, directory.Invalid},
			{"longest id", a.write(strings.Repeat("x", store.MaxID), 0), 1, ""},
			{"id that is not UTF-8", a.write("\xff", 0), 0, directory.Invalid},
			{"id of any characters", a.write("青/海?%'\"\n", 0), 1, ""},
		}
		var seq int64
		for _, s := range steps {
			outcomes, err := e.Write(t.Context(), "items", s.write)
			if err != nil {
				t.Fatalf("%s: %v", s.what, err)
			}
			o := outcomes[0]
			if o.Version != s.version || directory.KindOf(o.Err) != s.kind || (o.Err == nil) != (s.kind == "") {
				t.Fatalf("%s: version %d, error %v; want version %d, kind %q", s.what, o.Version, o.Err, s.version, s.kind)
			}
			if o.Err != nil {
				continue
			}
			if o.Seq <= seq {
				t.Fatalf("%s: sequence number %d after %d", s.what, o.Seq, seq)
			}
			seq = o.Seq
			records, err := e.Get(t.Context(), "items", s.write.ID)
			if err != nil {
				t.Fatal(err)
			}
			if s.write.Doc == nil {
				if len(records) != 0 {
					t.Fatalf("%s: still there: %v", s.what, records)
				}
			} else if len(records) != 1 || string(records[0].Doc) != string(s.write.Doc) || records[0].Version != o.Version || records[0].Seq != o.Seq {
				t.Fatalf("%s: stored as %+v, outcome %+v", s.what, records, o)
			}
		}
	})
}

func TestWritesOfOneCallAreIndependent(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		malformed := item{}.write("malformed", 0)
		malformed.Fields = []any{1, "one"}
		outcomes, err := e.Write(t.Context(), "items",
			item{N: 1}.write("a", 0), item{N: 2}.write("a", 0), malformed, item{N: 3}.write("a", 1), item{N: 4}.write("b", 9), item{N: 5}.write("c", 0))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range outcomes {
			got = append(got, fmt.Sprintf("%d %v", o.Version, o.Err == nil))
		}
		if want := []string{"1 true", "0 false", "0 false", "2 true", "0 false", "1 true"}; !slices.Equal(got, want) {
			t.Errorf("outcomes %q, want %q", got, want)
		}
		if got := ids(changes(t, e, "items", 0)); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("stored: %q", got)
		}
		if outcomes, err := e.Write(t.Context(), "items"); err != nil || len(outcomes) != 0 {
			t.Errorf("no writes: %v, %v", outcomes, err)
		}
	})
}

func TestGet(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		for _, id := range []string{"a", "<b>", "c", "省"} {
			must(t, e, "items", item{Word: id}.write(id, 0))
		}
		must(t, e, "items", remove("c", 1))
		for _, c := range []struct{ ask, want []string }{
			{nil, []string{}},
			{[]string{"none"}, []string{}},
			{[]string{"省", "none", "c", "a", "<b>"}, []string{"省", "a", "<b>"}},
		} {
			records, err := e.Get(t.Context(), "items", c.ask...)
			if got := ids(records); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("get %q: %q, %v; want %q", c.ask, got, err, c.want)
			}
		}
	})
}

func TestUniqueIndex(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		d := items("items", "word", "n")
		d.Indexes = []store.Index{{Fields: []string{"word", "n"}, Unique: true}}
		e := h.open(d)
		must(t, e, "items", item{Word: "a", N: 1}.write("x", 0), item{Word: "a", N: 2}.write("y", 0), item{Word: "b", N: 1}.write("z", 0))
		taken := item{Word: "a", N: 1}
		outcomes, err := e.Write(t.Context(), "items", taken.write("new", 0), taken.write("y", 1), item{Word: "c"}.write("after", 0))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []directory.ErrorKind{directory.Conflict, directory.Conflict, ""} {
			if directory.KindOf(outcomes[i].Err) != want {
				t.Errorf("write %d: %v, want %q", i, outcomes[i].Err, want)
			}
		}
		// The deleted free their place, to a new document or a revived one.
		must(t, e, "items", remove("x", 1), remove("z", 1), taken.write("y", 1), remove("y", 2), taken.write("x", 0))
	})
}

func TestLostUpdates(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		const workers, increments = 8, 25
		e := h.open(items("items", "word", "n"))
		must(t, e, "items", item{}.write("counter", 0))
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for done := 0; done < increments; {
					records, err := e.Get(t.Context(), "items", "counter")
					if err != nil || len(records) != 1 {
						t.Errorf("get: %v, %v", records, err)
						return
					}
					var i item
					if err := json.Unmarshal(records[0].Doc, &i); err != nil {
						t.Error(err)
						return
					}
					i.N++
					outcomes, err := e.Write(t.Context(), "items", i.write("counter", records[0].Version))
					switch {
					case err != nil:
						t.Error(err)
						return
					case outcomes[0].Err == nil:
						done++
					case directory.KindOf(outcomes[0].Err) != directory.Conflict:
						t.Error(outcomes[0].Err)
						return
					}
				}
			})
		}
		wg.Wait()
		records, err := e.Get(t.Context(), "items", "counter")
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"word":"","n":%d}`, workers*increments); string(records[0].Doc) != want || records[0].Version != workers*increments+1 {
			t.Errorf("%s of version %d, want %s", records[0].Doc, records[0].Version, want)
		}
	})
}

func TestOneInsertWins(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		const workers, documents = 8, 30
		won := make([][]bool, workers)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for n := range documents {
					outcomes, err := e.Write(t.Context(), "items", item{N: int64(w)}.write(fmt.Sprint(n), 0))
					if err != nil {
						t.Error(err)
						return
					}
					won[w] = append(won[w], outcomes[0].Err == nil)
				}
			})
		}
		wg.Wait()
		for n := range documents {
			records, err := e.Get(t.Context(), "items", fmt.Sprint(n))
			if err != nil || len(records) != 1 {
				t.Fatal(records, err)
			}
			var stored item
			if err := json.Unmarshal(records[0].Doc, &stored); err != nil {
				t.Fatal(err)
			}
			for w := range workers {
				if won[w][n] != (stored.N == int64(w)) {
					t.Errorf("document %d is of worker %d, but worker %d was told %v", n, stored.N, w, won[w][n])
				}
			}
		}
	})
}

func TestPagingWhileWriting(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		const stable = 120
		var writes []store.Write
		for n := range stable {
			writes = append(writes, item{Word: "stable", N: int64(n % 10)}.write(fmt.Sprintf("s%03d", n), 0))
		}
		must(t, e, "items", writes...)

		// Others come and go in between, and the stable ones change where they are.
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer stop()
		for w := range 2 {
			wg.Go(func() {
				for round := int64(1); ctx.Err() == nil; round++ {
					n := round % stable
					passing := item{Word: "passing", N: round % 10}.write(fmt.Sprintf("s%03d-%d-%d", n, w, round), 0)
					batch := []store.Write{passing}
					if w == 0 {
						same := item{Word: "stable", N: n % 10, Rest: fmt.Sprint(round)}
						batch = append(batch, same.write(fmt.Sprintf("s%03d", n), (round-1)/stable+1))
					}
					if round%2 == 0 {
						batch = append(batch, remove(passing.ID, 1))
					}
					outcomes, err := e.Write(ctx, "items", batch...)
					for _, o := range outcomes {
						err = errors.Join(err, o.Err)
					}
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
						return
					}
				}
			})
		}
		for _, order := range []string{"", "n", "word"} {
			for _, desc := range []bool{false, true} {
				seen := map[string]int{}
				q := store.Query{Order: order, Desc: desc, Limit: 11}
				for {
					records, err := e.Find(t.Context(), "items", q)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range records {
						seen[r.ID]++
					}
					if len(records) < q.Limit {
						break
					}
					q.After = position(t, order, records[len(records)-1])
				}
				for n := range stable {
					if id := fmt.Sprintf("s%03d", n); seen[id] != 1 {
						t.Errorf("order %q desc %v: %s came %d times", order, desc, id, seen[id])
					}
				}
			}
		}
	})
}

// position returns the place of a record in an order.
func position(t interface{ Fatal(...any) }, order string, r store.Record) *store.Position {
	p := &store.Position{ID: r.ID}
	if order != "" {
		var i item
		if err := json.Unmarshal(r.Doc, &i); err != nil {
			t.Fatal(err)
		}
		p.Value = i.fields(order)[0]
	}
	return p
}

func TestChangesWhileWriting(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		const workers, rounds, documents = 6, 40, 5
		var mu sync.Mutex
		last := map[string]store.Outcome{} // acknowledged, by id
		finished := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for n := range rounds {
					// Two workers share each document: some of these writes lose.
					id := fmt.Sprintf("%d-%d", w/2, n%documents)
					var seen int64
					records, err := e.Get(t.Context(), "items", id)
					if err != nil {
						t.Error(err)
						return
					}
					if len(records) > 0 {
						seen = records[0].Version
					}
					write := item{N: int64(n)}.write(id, seen)
					if seen > 0 && n%4 == 0 {
						write = remove(id, seen)
					}
					outcomes, err := e.Write(t.Context(), "items", write)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if o := outcomes[0]; o.Err == nil && o.Seq > last[id].Seq {
						last[id] = o
					}
					mu.Unlock()
				}
			})
		}
		go func() { wg.Wait(); close(finished) }()

		seen := map[string]store.Record{}
		var at int64
		read := func() {
			for _, r := range changes(t, e, "items", at) {
				if r.Seq <= at {
					t.Fatalf("sequence number %d after %d", r.Seq, at)
				}
				if before := seen[r.ID]; r.Version <= before.Version {
					t.Fatalf("%s: version %d after %d", r.ID, r.Version, before.Version)
				}
				at, seen[r.ID] = r.Seq, r
			}
		}
		for running := true; running; {
			select {
			case <-finished:
				running = false
			default:
			}
			read() // once more after the last write
		}
		if len(seen) != len(last) {
			t.Errorf("%d documents seen, %d written", len(seen), len(last))
		}
		for id, o := range last {
			if r := seen[id]; r.Version != o.Version || r.Seq != o.Seq {
				t.Errorf("%s: seen last as version %d, number %d; acknowledged last %+v", id, r.Version, r.Seq, o)
			}
		}
		all := changes(t, e, "items", 0)
		if !slices.IsSortedFunc(all, func(a, b store.Record) int { return cmp.Compare(a.Seq, b.Seq) }) || len(all) != len(last) {
			t.Errorf("a reader from the start finds %d records", len(all))
		}
	})
}
