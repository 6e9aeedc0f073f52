package mongo

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"qingfu/directory"
	"qingfu/store"
)

// What every engine must do is tested by the contract in package store; here is
// what only this one does.

// items is a collection whose documents are of any form and have one field.
func items(field string) store.Declaration {
	return store.Declaration{Name: "items", Fields: []store.Field{{Name: field, Type: store.String}},
		Extract: func([]byte) ([]any, error) { return []any{field}, nil }}
}

func insert(id string) store.Write { return replace(id, 0) }

func replace(id string, seen int64) store.Write {
	return store.Write{ID: id, Seen: seen, Doc: []byte(`{}`), Fields: []any{"x"}}
}

// open returns several engines on one new database of MONGODB_URI, as several
// processes would have them, with a collection of items declared.
func open(t *testing.T, n int) []*Engine {
	t.Helper()
	if os.Getenv("MONGODB_URI") == "" {
		t.Skip("MONGODB_URI names no MongoDB to test with")
	}
	uri := withDatabase(t, "qingfu_test_"+strings.ToLower(rand.Text()))
	var out []*Engine
	for k := range n {
		e, err := Open(t.Context(), uri)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if k == 0 { // the last to be closed
				if err := e.db.Drop(context.Background()); err != nil {
					t.Error(err)
				}
			}
			e.Close()
		})
		if err := e.Declare(t.Context(), items("word")); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func must(t *testing.T, e *Engine, writes ...store.Write) []store.Outcome {
	t.Helper()
	outcomes, err := e.Write(t.Context(), "items", writes...)
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

// list shows records as "id.version@seq".
func list(records []store.Record) (out []string) {
	for _, r := range records {
		out = append(out, fmt.Sprintf("%s.%d@%d", r.ID, r.Version, r.Seq))
	}
	return out
}

// wantChanges checks all that a reader from the start finds.
func wantChanges(t *testing.T, e *Engine, want ...string) {
	t.Helper()
	records, err := e.Changes(t.Context(), "items", 0, store.MaxLimit)
	if got := list(records); err != nil || !slices.Equal(got, want) {
		t.Fatalf("changes %q, %v; want %q", got, err, want)
	}
	last, err := e.LastSeq(t.Context(), "items")
	if err != nil || len(records) > 0 && last != records[len(records)-1].Seq {
		t.Fatalf("the last change is %d, %v", last, err)
	}
}

// begin reserves numbers for writes, as the first step of writing them.
func begin(t *testing.T, e *Engine, writes ...store.Write) (*table, []*item) {
	t.Helper()
	table, err := e.table("items")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	var out []*item
	for _, w := range writes {
		ids = append(ids, w.ID)
		out = append(out, &item{Write: w, outcome: &store.Outcome{}})
	}
	first, err := e.reserve(t.Context(), table, ids)
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range out {
		i.seq = first + int64(k)
	}
	return table, out
}

// TestLateWriter stops a writer between reserving its numbers and writing with them
// until a reader has gone on. All that it then writes must fail, or the reader would
// have missed it.
func TestLateWriter(t *testing.T) {
	engines := open(t, 2)
	writer, reader := engines[0], engines[1]
	reader.Lease = time.Millisecond
	must(t, writer, insert("replaced"), insert("deleted"), insert("revived"))
	must(t, writer, store.Write{ID: "revived", Seen: 1})
	late := []store.Write{replace("replaced", 1), {ID: "deleted", Seen: 1}, insert("revived"), insert("new")}
	table, begun := begin(t, writer, late...) // takes 5 to 8
	must(t, writer, insert("later"))
	before := []string{"replaced.1@1", "deleted.1@2", "revived.2@4", "later.1@9"}
	wantChanges(t, reader, before...)

	if err := table.apply(t.Context(), begun); err != nil {
		t.Fatal(err)
	}
	for _, i := range begun {
		if i.done {
			t.Errorf("%s was written with the number %d behind the reader: %+v", i.ID, i.seq, i.outcome)
		}
	}
	wantChanges(t, reader, before...)
	if records, err := reader.Get(t.Context(), "items", "replaced", "deleted", "revived", "new"); err != nil || len(records) != 2 {
		t.Errorf("stored: %q, %v", list(records), err)
	}
	groups, err := reader.Count(t.Context(), "items", nil)
	if err != nil || groups[0].N != 3 {
		t.Errorf("counted %v, %v", groups, err)
	}

	// Begun anew they succeed, with the versions as if nothing had been.
	must(t, writer, late...)
	wantChanges(t, reader, "later.1@9", "replaced.2@10", "deleted.2@11", "revived.3@12", "new.1@13")
}

// TestDeadWriter kills a writer in the middle of its documents: what it wrote is
// found with its numbers, and once only.
func TestDeadWriter(t *testing.T) {
	engines := open(t, 2)
	writer, reader := engines[0], engines[1]
	must(t, writer, insert("a"))
	table, begun := begin(t, writer, replace("a", 1), insert("b"), insert("c"))
	if err := table.apply(t.Context(), begun[:2]); err != nil {
		t.Fatal(err)
	}
	// Get and Find need not wait for the numbers.
	if records, err := reader.Get(t.Context(), "items", "a", "b"); err != nil || !slices.Equal(list(records), []string{"a.2@2", "b.1@3"}) {
		t.Errorf("stored: %q, %v", list(records), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if records, err := reader.Changes(ctx, "items", 0, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the changes are known before the lease is over: %q, %v", list(records), err)
	}
	reader.Lease = time.Millisecond
	wantChanges(t, reader, "a.2@2", "b.1@3")
	must(t, writer, insert("c"))
	wantChanges(t, reader, "a.2@2", "b.1@3", "c.1@5")
}

// TestFenceInAppendOnly holds that the place of a late insert stays free in a
// collection that only grows.
func TestFenceInAppendOnly(t *testing.T) {
	e := open(t, 1)[0]
	e.Lease = time.Millisecond
	d := items("word")
	d.AppendOnly = true
	if err := e.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	begin(t, e, insert("a"))
	wantChanges(t, e)
	must(t, e, insert("a"))
	wantChanges(t, e, "a.1@2")
}

// TestNobodyHasPatience lets several engines write the same documents while readers
// fence whatever is under way. Whoever follows must end with all that is stored.
func TestNobodyHasPatience(t *testing.T) {
	if os.Getenv("MONGODB_IS") == "ferretdb" {
		t.Skip("ferretdb cannot show it: an update on a condition is not atomic there")
	}
	engines := open(t, 2)
	const workers, rounds, documents = 4, 30, 6
	for _, e := range engines {
		e.Lease = 0
	}
	var mu sync.Mutex
	last := map[string]store.Outcome{} // acknowledged, by id
	var writing sync.WaitGroup
	for w := range workers {
		writing.Go(func() {
			e := engines[w%2]
			for n := range rounds {
				id := fmt.Sprint((w + n) % documents)
				records, err := e.Get(t.Context(), "items", id)
				if err != nil {
					t.Error(err)
					return
				}
				write := insert(id)
				if len(records) > 0 {
					write = replace(id, records[0].Version)
				}
				if len(records) > 0 && n%4 == 0 {
					write.Doc, write.Fields = nil, nil
				}
				outcomes, err := e.Write(t.Context(), "items", write, insert(fmt.Sprintf("%d-%d", w, n)))
				if directory.KindOf(err) == directory.Unavailable {
					continue // always too late
				}
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
	finished := make(chan struct{})
	go func() { writing.Wait(); close(finished) }()
	var following sync.WaitGroup
	for _, e := range engines {
		following.Go(func() {
			seen := map[string]store.Record{}
			var at int64
			for running := true; running; {
				select {
				case <-finished:
					running = false // after one more look
				default:
				}
				for {
					records, err := e.Changes(t.Context(), "items", at, 7)
					if err != nil {
						t.Error(err)
						return
					}
					if len(records) == 0 {
						break
					}
					for _, r := range records {
						if r.Seq <= at || r.Version <= seen[r.ID].Version {
							t.Errorf("%q after %d and %q", list([]store.Record{r}), at, list([]store.Record{seen[r.ID]}))
						}
						at, seen[r.ID] = r.Seq, r
					}
				}
			}
			all, err := e.Changes(t.Context(), "items", 0, store.MaxLimit)
			if err != nil {
				t.Error(err)
				return
			}
			followed := slices.SortedFunc(maps.Values(seen), func(a, b store.Record) int { return cmp.Compare(a.Seq, b.Seq) })
			if got, want := list(followed), list(all); !slices.Equal(got, want) {
				t.Errorf("followed %q, stored %q", got, want)
			}
			for id, o := range last {
				if seen[id].Seq < o.Seq {
					t.Errorf("%s was acknowledged with %d and seen last with %d", id, o.Seq, seen[id].Seq)
				}
			}
		})
	}
	following.Wait()
	if len(last) == 0 {
		t.Error("no write was acknowledged")
	}
}

// TestOtherDeclarations holds that nobody writes by a declaration that is not in
// force, and that a migration whose process died can be ended both ways.
func TestOtherDeclarations(t *testing.T) {
	engines := open(t, 3)
	writer, dead, third := engines[0], engines[1], engines[2]
	must(t, writer, insert("a"))
	to := items("other")
	migrating := &table{Declaration: to, stored: "of " + to.Fields[0].Name, docs: dead.db.Collection("items")}
	if _, err := dead.freeze(t.Context(), migrating); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*Engine{writer, third} { // one knows the last number, the other does not
		if _, err := e.Write(t.Context(), "items", insert("b")); directory.KindOf(err) != directory.Unavailable {
			t.Errorf("a write during a migration: %v", err)
		}
	}
	wantChanges(t, writer, "a.1@1") // reading goes on
	// The declaration that is still in force ends it,
	fourth, err := Open(t.Context(), withDatabase(t, writer.db.Name()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fourth.Close() })
	if err := fourth.Declare(t.Context(), items("word")); err != nil {
		t.Fatal(err)
	}
	must(t, third, insert("b"))
	// and the new one does.
	if _, err := dead.freeze(t.Context(), migrating); err != nil {
		t.Fatal(err)
	}
	if err := fourth.Declare(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	must(t, fourth, insert("c"))
	if outcomes, err := writer.Write(t.Context(), "items", insert("d")); err == nil {
		t.Errorf("written by an old declaration: %+v", outcomes)
	}
	groups, err := fourth.Count(t.Context(), "items", nil, "other")
	if err != nil || len(groups) != 2 || groups[0].N != 2 || groups[0].Key[0] != "other" || groups[1].N != 1 {
		t.Errorf("counted %v, %v", groups, err)
	}
}

func withDatabase(t *testing.T, name string) string {
	t.Helper()
	uri, err := url.Parse(os.Getenv("MONGODB_URI"))
	if err != nil {
		t.Fatal(err)
	}
	uri.Path = "/" + name
	return uri.String()
}

func TestOpenRefuses(t *testing.T) {
	away := "mongodb://somebody:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=20"
	if _, err := Open(t.Context(), away); directory.KindOf(err) != directory.Unavailable || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ended, away); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	for _, uri := range []string{"", "postgres://somebody:secret@host/x", "mongodb://somebody:secret@", "mongodb://somebody:secret@host/?maxPoolSize=many"} {
		if _, err := Open(t.Context(), uri); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestDatabaseName(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://host":                            "qingfu",
		"mongodb://host/":                           "qingfu",
		"mongodb://host/?replicaSet=a":              "qingfu",
		"mongodb://host/other":                      "other",
		"mongodb://a:1,b:2,c:3/other?replicaSet=a":  "other",
		"mongodb+srv://u:p%2Fq@example.org/a%20b?x": "a b",
	} {
		if got := databaseName(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}

func TestUnavailable(t *testing.T) {
	for what, c := range map[string]struct {
		err  error
		kind directory.ErrorKind
	}{
		"no server":             {topology.ServerSelectionError{Wrapped: errors.New("x")}, directory.Unavailable},
		"election":              {driver.CommandError{Code: 10107}, directory.Unavailable},
		"network":               {driver.CommandError{Labels: []string{"NetworkError"}}, directory.Unavailable},
		"time-out":              {context.DeadlineExceeded, directory.Unavailable},
		"no majority":           {driver.WriteException{WriteConcernError: &driver.WriteConcernError{Code: 64}}, directory.Unavailable},
		"no rights":             {driver.CommandError{Code: 13}, ""},
		"a key that is there":   {driver.WriteException{WriteErrors: driver.WriteErrors{{Code: 11000}}}, ""},
		"one of our own errors": {&directory.Error{Kind: directory.Conflict}, directory.Conflict},
	} {
		if err := unavailable(fmt.Errorf("wrapped: %w", c.err)); directory.KindOf(err) != c.kind {
			t.Errorf("%s: %v", what, err)
		}
	}
}
