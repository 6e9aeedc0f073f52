package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"qingfu/directory"
	"qingfu/store"
)

// What every engine must do is tested by the contract in package store; here is
// what only this one does.

func open(t *testing.T, path string) *Engine {
	t.Helper()
	e, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	d := store.Declaration{
		Name:    "items",
		Fields:  []store.Field{{Name: "word", Type: store.String}, {Name: "n", Type: store.Int}},
		Indexes: []store.Index{{Fields: []string{"word", "n"}}, {Fields: []string{"n"}, Unique: true}},
	}
	if err := e.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return e
}

func insert(n int64) store.Write {
	return store.Write{ID: fmt.Sprint(n), Doc: []byte(`{}`), Fields: []any{"w", n}}
}

func count(t *testing.T, e *Engine) int64 {
	t.Helper()
	groups, err := e.Count(t.Context(), "items", nil)
	if err != nil {
		t.Fatal(err)
	}
	return groups[0].N
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file("text.db", strings.Repeat("This is no database. ", 100)): "not a SQLite database",
		foreign:                              "another program",
		filepath.Join(dir, "none", "new.db"): "cannot write to the folder",
		filepath.Join(file("file", ""), "new.db"):             "cannot write to the folder",
		filepath.Join(locked, "new.db"):                       "cannot write to the folder",
		filepath.Join(dir, strings.Repeat("long", 100)+".db"): "",
		dir: "",
	} {
		if strings.HasPrefix(path, locked) && os.Geteuid() == 0 {
			continue // root may write everywhere
		}
		e, err := Open(t.Context(), path)
		if err == nil {
			e.Close()
			t.Errorf("%s: opened", path)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want %q", path, err, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestOpenAnyName(t *testing.T) {
	for _, name := range []string{"a b.db", "a?b=c&d.db", "a#b.db", "a%20b.db", "青海.db", "a:b.db"} {
		path := filepath.Join(t.TempDir(), name)
		e := open(t, path)
		if _, err := e.Write(t.Context(), "items", insert(1)); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(files) != 1 || files[0].Name() != name {
			t.Errorf("%s: the folder holds %v, %v", name, files, err)
		}
		if got := count(t, open(t, path)); got != 1 {
			t.Errorf("%s: %d documents after opening again", name, got)
		}
	}
}

// TestSettings holds what durability rests on, and that what is deleted leaves no trace.
func TestSettings(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "store.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1"} {
		var got string
		if err := e.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
		}
	}
	if _, err := e.readers.ExecContext(t.Context(), "DELETE FROM items"); err == nil {
		t.Error("a reading connection can write")
	}
}

// TestTwoProcesses stands two engines on one file for two processes.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	both := []*Engine{open(t, path), open(t, path)}
	const writers, documents = 3, 20
	var wg sync.WaitGroup
	for i, e := range both {
		for w := range writers {
			wg.Go(func() {
				for n := range documents {
					outcomes, err := e.Write(context.Background(), "items", insert(int64(1000*i+100*w+n)))
					if err != nil || outcomes[0].Err != nil {
						t.Error(outcomes, err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	for _, e := range both {
		if got := count(t, e); got != 2*writers*documents {
			t.Errorf("%d documents, want %d", got, 2*writers*documents)
		}
	}
	if outcomes, err := both[0].Write(t.Context(), "items", insert(1000)); err != nil || directory.KindOf(outcomes[0].Err) != directory.Conflict {
		t.Errorf("insert of the other's id: %v, %v", outcomes, err)
	}
}

// TestOlderProcess keeps a process that does not know the newest declaration
// from writing documents that no query would find.
func TestOlderProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	old := open(t, path)
	for what, fields := range map[string][]store.Field{
		"with one more": {{Name: "word", Type: store.String}, {Name: "n", Type: store.Int}, {Name: "more", Type: store.Int}},
		"with one less": {{Name: "word", Type: store.String}},
	} {
		err := open(t, path).Declare(t.Context(), store.Declaration{Name: "items", Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		outcomes, err := old.Write(t.Context(), "items", insert(1))
		if err == nil && outcomes[0].Err == nil {
			t.Errorf("%s: written", what)
		}
	}
}

// TestAppendOnlyFile changes the documents of a collection that only grows past
// the engine: every program that opens the file is kept from it.
func TestAppendOnlyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	e := open(t, path)
	d := store.Declaration{
		Name: "log", AppendOnly: true, Fields: []store.Field{{Name: "n", Type: store.Int}},
		Indexes: []store.Index{{Fields: []string{"n"}, Unique: true}},
		Extract: func([]byte) ([]any, error) { return []any{int64(0)}, nil },
	}
	if err := e.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	write := func(w store.Write) store.Outcome {
		t.Helper()
		outcomes, err := e.Write(t.Context(), "log", w)
		if err != nil {
			t.Fatal(err)
		}
		return outcomes[0]
	}
	stored := func() string {
		t.Helper()
		records, err := e.Changes(t.Context(), "log", 0, 10)
		if err != nil || len(records) == 0 {
			t.Fatal(records, err)
		}
		return fmt.Sprint(records)
	}
	if o := write(store.Write{ID: "0", Doc: []byte(`{}`), Fields: []any{int64(0)}}); o.Err != nil {
		t.Fatal(o.Err)
	}
	before := stored()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	past := func(when string) {
		t.Helper()
		check := func(statement string) error {
			t.Helper()
			_, err := db.ExecContext(t.Context(), statement)
			if after := stored(); after != before {
				t.Fatalf("%s: %s:\n%s, was\n%s", when, statement, after, before)
			}
			return err
		}
		for _, statement := range []string{
			"UPDATE log SET doc = x'7b7d'", "UPDATE log SET version = 2 WHERE id = '0'", "UPDATE OR IGNORE log SET seq = 99",
			"DELETE FROM log", "DELETE FROM log WHERE id = '0'",
		} {
			if err := check(statement); err == nil || !strings.Contains(err.Error(), "log only grows") {
				t.Errorf("%s: %s: %v", when, statement, err)
			}
		}
		// These do nothing, for the reason given at onlyGrows.
		for _, values := range []string{
			"(9, '0', 1, 9, x'7b7d')", // the id of the stored document
			"(1, 'x', 1, 9, x'7b7d')", // its seq
			"(9, 'x', 1, 0, x'7b7d')", // its value in the unique index
			"(9, '0', 1, 9, x'7b7d') ON CONFLICT DO UPDATE SET version = 2",
		} {
			if err := check("INSERT OR REPLACE INTO log (seq, id, version, f_n, doc) VALUES " + values); err != nil {
				t.Errorf("%s: %s: %v", when, values, err)
			}
		}
	}
	past("at first")
	d.Fields = append(d.Fields, store.Field{Name: "more", Type: store.Int})
	d.Extract = func([]byte) ([]any, error) { return []any{int64(0), int64(0)}, nil }
	if err := e.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	past("after a migration")
	// The engine itself refuses as ever, and goes on growing.
	for what, w := range map[string]store.Write{
		"the id":           {ID: "0", Doc: []byte(`{}`), Fields: []any{int64(1), int64(0)}},
		"the unique field": {ID: "1", Doc: []byte(`{}`), Fields: []any{int64(0), int64(0)}},
	} {
		if o := write(w); directory.KindOf(o.Err) != directory.Conflict {
			t.Errorf("%s again: %+v", what, o)
		}
	}
	if o := write(store.Write{ID: "1", Doc: []byte(`{}`), Fields: []any{int64(1), int64(0)}}); o.Err != nil || o.Version != 1 || o.Seq != 2 {
		t.Errorf("one more: %+v", o)
	}
}

// TestWaitingWrites stops the writing goroutine, as a lock of another process
// does, and lets writes pile up.
func TestWaitingWrites(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "store.db"))
	table, err := e.table("items")
	if err != nil {
		t.Fatal(err)
	}
	e.writing.Lock()
	first := &job{table: table, writes: []store.Write{insert(1)}, done: make(chan struct{})}
	e.jobs <- first // has been taken, and waits for the lock

	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error)
	go func() {
		_, err := e.Write(ctx, "items", insert(2))
		cancelled <- err
	}()
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("the waiting write: %v", err)
	}

	var wg sync.WaitGroup
	var failures sync.Map
	for n := range 40 {
		wg.Go(func() {
			w := insert(int64(100 + n%30)) // every third comes twice
			outcomes, err := e.Write(t.Context(), "items", w)
			if err != nil {
				t.Error(err)
			} else if outcomes[0].Err != nil {
				failures.Store(n, outcomes[0].Err)
			}
		})
	}
	e.writing.Unlock()
	wg.Wait()
	<-first.done
	if first.err != nil || first.outcomes[0].Err != nil {
		t.Errorf("the first write: %+v", first)
	}
	conflicts := 0
	failures.Range(func(_, err any) bool {
		conflicts++
		if directory.KindOf(err.(error)) != directory.Conflict {
			t.Error(err)
		}
		return true
	})
	if got := count(t, e); conflicts != 10 || got != 31 {
		t.Errorf("%d conflicts and %d documents, want 10 and 31", conflicts, got)
	}
}

// TestDeclaredMeanwhile has a write overtaken by a new declaration: it fails
// alone and not with those that share its transaction.
func TestDeclaredMeanwhile(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "store.db"))
	old, err := e.table("items")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Declare(t.Context(), store.Declaration{Name: "items"}); err != nil {
		t.Fatal(err)
	}
	overtaken := &job{table: old, writes: []store.Write{insert(1)}}
	e.writing.Lock()
	defer e.writing.Unlock()
	if err := e.apply(t.Context(), overtaken); err != nil || overtaken.err == nil {
		t.Errorf("the transaction: %v; the write: %v", err, overtaken.err)
	}
}

// TestFailedTransaction takes the table away beneath the engine: everybody in
// the transaction is told, and the engine works again afterwards.
func TestFailedTransaction(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "store.db"))
	rename := func(from, to string) {
		t.Helper()
		e.writing.Lock()
		defer e.writing.Unlock()
		if _, err := e.conn.ExecContext(t.Context(), fmt.Sprintf("ALTER TABLE %s RENAME TO %s", from, to)); err != nil {
			t.Fatal(err)
		}
	}
	rename("items", "away")
	if outcomes, err := e.Write(t.Context(), "items", insert(1)); err == nil || outcomes != nil {
		t.Errorf("%v, %v", outcomes, err)
	}
	rename("away", "items")
	if outcomes, err := e.Write(t.Context(), "items", insert(1)); err != nil || outcomes[0].Err != nil {
		t.Errorf("afterwards: %v, %v", outcomes, err)
	}
	if got := count(t, e); got != 1 {
		t.Errorf("%d documents", got)
	}
}

// TestPlans asks SQLite how it would answer the queries that an index is meant for.
func TestPlans(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "store.db"))
	word := store.Condition{Field: "word", Op: store.Eq, Value: "w"}
	after := &store.Position{Value: int64(1), ID: "1"}
	for what, ask := range map[string]func() error{
		"get":              func() error { _, err := e.Get(t.Context(), "items", "1", "2"); return err },
		"changes":          func() error { _, err := e.Changes(t.Context(), "items", 1, 10); return err },
		"count by a field": func() error { _, err := e.Count(t.Context(), "items", nil, "word"); return err },
		"count of a value": func() error { _, err := e.Count(t.Context(), "items", []store.Condition{word}, "n"); return err },
		"by id":            func() error { return find(t, e, store.Query{After: &store.Position{ID: "1"}}) },
		"by field": func() error {
			return find(t, e, store.Query{Where: []store.Condition{word}, Order: "n", After: after})
		},
		"by field, falling": func() error {
			return find(t, e, store.Query{Where: []store.Condition{word}, Order: "n", Desc: true, After: after})
		},
	} {
		before := statements(e)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		for text := range statements(e) {
			if _, known := before[text]; known {
				continue
			}
			plan := explainPlan(t, e, text)
			if strings.Contains(plan, "SCAN items\n") || strings.Contains(plan, "TEMP B-TREE") && what != "get" || !strings.Contains(plan, "USING") {
				t.Errorf("%s: %s\n%s", what, text, plan)
			}
		}
	}
}

func find(t *testing.T, e *Engine, q store.Query) error {
	q.Limit = 10
	_, err := e.Find(t.Context(), "items", q)
	return err
}

func statements(e *Engine) map[string]bool {
	out := map[string]bool{}
	for text := range e.statements {
		out[text] = true
	}
	return out
}

func explainPlan(t *testing.T, e *Engine, text string) string {
	t.Helper()
	args := make([]any, strings.Count(text, "?"))
	rows, err := e.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// TestCountsSortNothing looks at how SQLite makes grouped counts: where an index has the
// groups one after the other, a condition on a later field must not lead away from it.
func TestCountsSortNothing(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "store.db"))
	fields := []store.Field{{Name: "kind", Type: store.String}, {Name: "word", Type: store.String}, {Name: "month", Type: store.Int}, {Name: "place", Type: store.String}}
	d := store.Declaration{Name: "counted", Fields: fields, Indexes: []store.Index{
		{Fields: []string{"kind", "month"}}, {Fields: []string{"kind", "word", "month", "place"}}, {Fields: []string{"place"}},
	}}
	if err := e.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	table, err := e.table("counted")
	if err != nil {
		t.Fatal(err)
	}
	one, since := store.Equal("kind", "a"), store.Condition{Field: "month", Op: store.Min, Value: int64(202601)}
	for _, c := range []struct {
		where []store.Condition
		by    []string
		want  string
	}{
		{[]store.Condition{one, since}, []string{"word"}, `INDEXED BY "counted by f_kind, f_word, f_month, f_place, id"`},
		{[]store.Condition{since, one}, []string{"word", "month"}, `INDEXED BY "counted by f_kind, f_word, f_month, f_place, id"`},
		{[]store.Condition{one}, []string{"month"}, `INDEXED BY "counted by f_kind, f_month, id"`},
		{nil, []string{"place"}, `INDEXED BY "counted by f_place, id"`},
		{[]store.Condition{one}, []string{"place"}, ""},
		{[]store.Condition{store.Equal("place", "x")}, []string{"word"}, ""},
		{[]store.Condition{one}, []string{"month", "word"}, ""},
	} {
		if got := table.grouping(c.where, c.by); got != c.want {
			t.Errorf("%v by %v: %q, want %q", c.where, c.by, got, c.want)
		}
		if _, err := e.Count(t.Context(), "counted", c.where, c.by...); err != nil {
			t.Errorf("%v by %v: %v", c.where, c.by, err)
		}
		if c.want == "" {
			continue
		}
		filter, args, err := conditions(c.where, c.by)
		if err != nil {
			t.Fatal(err)
		}
		list := strings.Join(columns(c.by), ", ")
		rows, err := e.readers.QueryContext(t.Context(), fmt.Sprintf("EXPLAIN QUERY PLAN SELECT count(*), %s FROM counted %s WHERE %s GROUP BY %s ORDER BY %s", list, c.want, filter, list, list), args...)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%v by %v: %s", c.where, c.by, detail)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOpenedAtOnce: of those who open a new file at the same moment none takes it for
// that of another program.
func TestOpenedAtOnce(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "new.db")
		var opening sync.WaitGroup
		begin := make(chan struct{})
		for range 4 {
			opening.Go(func() {
				<-begin
				e, err := Open(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		opening.Wait()
	}
}
