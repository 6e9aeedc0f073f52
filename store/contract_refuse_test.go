package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"qingfu/directory"
	"qingfu/store"
)

func TestBadDeclarations(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		word := []store.Field{{Name: "word", Type: store.String}}
		for what, d := range map[string]store.Declaration{
			"no name":            {},
			"capitals":           {Name: "Items"},
			"a digit":            {Name: "items2"},
			"a quote":            {Name: `items"`},
			"a blank":            {Name: "it ems"},
			"an underscore":      {Name: "_items"},
			"SQL":                {Name: "x; drop table items"},
			"bad field":          {Name: "other", Fields: []store.Field{{Name: "a b", Type: store.Int}}},
			"empty field":        {Name: "other", Fields: []store.Field{{Type: store.Int}}},
			"no type":            {Name: "other", Fields: []store.Field{{Name: "word"}}},
			"field twice":        {Name: "other", Fields: append(word, word...)},
			"undeclared indexed": {Name: "other", Fields: word, Indexes: []store.Index{{Fields: []string{"n"}}}},
			"empty index":        {Name: "other", Fields: word, Indexes: []store.Index{{}}},
		} {
			if err := e.Declare(t.Context(), d); err == nil {
				t.Errorf("%s: declared", what)
			}
		}
		must(t, e, "items", item{}.write("still there", 0))
		// Words of a database's own language are names like any other.
		keywords := items("select")
		keywords.Fields = []store.Field{{Name: "order", Type: store.Int}, {Name: "group", Type: store.String}}
		keywords.Indexes = []store.Index{{Fields: []string{"group", "order"}}}
		if err := e.Declare(t.Context(), keywords); err != nil {
			t.Fatal(err)
		}
		must(t, e, "select", store.Write{ID: "from", Doc: []byte(`{}`), Fields: []any{int64(1), "where"}})
	})
}

func TestBadCalls(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		must(t, e, "items", item{Word: "a"}.write("a", 0))
		good := store.Query{Limit: 1}
		find := func(change func(q *store.Query)) error {
			q := good
			change(&q)
			_, err := e.Find(t.Context(), "items", q)
			return err
		}
		where := func(field string, op store.Op, value any) error {
			return find(func(q *store.Query) { q.Where = []store.Condition{{Field: field, Op: op, Value: value}} })
		}
		after := func(order string, value any) error {
			return find(func(q *store.Query) { q.Order, q.After = order, &store.Position{Value: value, ID: "a"} })
		}
		fails := map[string]error{
			"limit 0":             find(func(q *store.Query) { q.Limit = 0 }),
			"limit too large":     find(func(q *store.Query) { q.Limit = store.MaxLimit + 1 }),
			"undeclared order":    find(func(q *store.Query) { q.Order = "rest" }),
			"undeclared field":    where("rest", store.Eq, "x"),
			"SQL in a field":      where("n = 1 or 1", store.Eq, int64(1)),
			"unknown comparison":  where("n", "<>", int64(1)),
			"int for string":      where("word", store.Eq, int64(1)),
			"string for int":      where("n", store.Min, "1"),
			"plain int":           where("n", store.Less, 1),
			"nil":                 where("n", store.Eq, nil),
			"in a single value":   where("n", store.In, int64(1)),
			"in the wrong slice":  where("n", store.In, []string{"1"}),
			"list for equality":   where("n", store.Eq, []int64{1}),
			"position of a type":  after("n", "1"),
			"position for no one": after("", "1"),
			"position of nothing": after("n", nil),
		}
		_, fails["count of an undeclared field"] = e.Count(t.Context(), "items", nil, "rest")
		_, fails["count where undeclared"] = e.Count(t.Context(), "items", []store.Condition{{Field: "rest", Op: store.Eq, Value: ""}})
		_, fails["changes without limit"] = e.Changes(t.Context(), "items", 0, 0)
		_, fails["changes of too many"] = e.Changes(t.Context(), "items", 0, store.MaxLimit+1)
		_, fails["get of an undeclared collection"] = e.Get(t.Context(), "none", "a")
		_, fails["write to an undeclared collection"] = e.Write(t.Context(), "none", item{}.write("a", 0))
		_, fails["find in an undeclared collection"] = e.Find(t.Context(), "none", good)
		_, fails["count of an undeclared collection"] = e.Count(t.Context(), "none", nil)
		_, fails["changes of an undeclared collection"] = e.Changes(t.Context(), "none", 0, 1)
		for what, err := range fails {
			if err == nil {
				t.Errorf("%s: no error", what)
			}
		}
		for _, what := range []string{"position of a type", "position for no one", "position of nothing"} {
			if directory.KindOf(fails[what]) != directory.Invalid {
				t.Errorf("%s: %v is not Invalid", what, fails[what])
			}
		}
		for what, w := range map[string]store.Write{
			"no field values":    {ID: "b", Doc: []byte(`{}`)},
			"too few":            {ID: "b", Doc: []byte(`{}`), Fields: []any{"x"}},
			"of the wrong type":  {ID: "b", Doc: []byte(`{}`), Fields: []any{"x", 1}},
			"nil as a value":     {ID: "b", Doc: []byte(`{}`), Fields: []any{"x", nil}},
			"text not UTF-8":     {ID: "b", Doc: []byte(`{}`), Fields: []any{"\xff", int64(1)}},
			"deletion unseen":    {ID: "b"},
			"a version below 0":  {ID: "a", Seen: -1, Doc: []byte(`{}`), Fields: []any{"x", int64(1)}},
			"an empty document":  {ID: "b", Doc: []byte{}, Fields: []any{"x", int64(1)}},
			"fields of no value": {ID: "a", Seen: 1, Fields: []any{"x", int64(1)}},
		} {
			outcomes, err := e.Write(t.Context(), "items", w)
			if err != nil || outcomes[0].Err == nil {
				t.Errorf("write with %s: %v, %v", what, outcomes, err)
			}
		}
		if got := ids(changes(t, e, "items", 0)); !slices.Equal(got, []string{"a"}) {
			t.Errorf("stored: %q", got)
		}
	})
}

// TestAppendOnly holds that a collection that only grows does so across
// migrations and restarts, and that a refused write leaves no trace.
func TestAppendOnly(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		log := func(fields ...string) store.Declaration {
			d := items("items", fields...)
			d.AppendOnly = true
			return d
		}
		e := h.open(log("word", "n"))
		first := item{Word: "first", N: 1}.write("a", 0)
		must(t, e, "items", first, item{Word: "second", N: 2}.write("b", 0))
		check := func(when string, fields ...string) {
			t.Helper()
			before := changes(t, e, "items", 0)
			write := func(seen int64, doc []byte) store.Write {
				w := store.Write{ID: "a", Seen: seen, Doc: doc}
				if doc != nil {
					w.Fields = item{Word: "changed"}.fields(fields...)
				}
				return w
			}
			changed := []byte(`{"word":"changed"}`)
			refused := map[string]store.Write{
				"replace": write(1, changed), "replace of a version to come": write(2, changed),
				"delete": write(1, nil), "delete of a version to come": write(2, nil),
			}
			for what, w := range refused {
				outcomes, err := e.Write(t.Context(), "items", w)
				if err != nil || outcomes[0].Err == nil || directory.KindOf(outcomes[0].Err) != "" {
					t.Errorf("%s: %s: %v, %v", when, what, outcomes, err)
				}
			}
			outcomes, err := e.Write(t.Context(), "items", write(0, changed))
			if err != nil || directory.KindOf(outcomes[0].Err) != directory.Conflict {
				t.Errorf("%s: insert again: %v, %v", when, outcomes, err)
			}
			if after := changes(t, e, "items", 0); fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("%s: documents changed:\n%v\n%v", when, before, after)
			}
			// Growing still works, in one call with what is refused too.
			grown := store.Write{ID: when, Doc: []byte(`{}`), Fields: item{}.fields(fields...)}
			outcomes, err = e.Write(t.Context(), "items", refused["delete"], grown)
			if err != nil || outcomes[0].Err == nil || outcomes[1].Err != nil || outcomes[1].Version != 1 {
				t.Errorf("%s: grown: %v, %v", when, outcomes, err)
			}
			records, err := e.Get(t.Context(), "items", "a", when)
			if err != nil || len(records) != 2 || string(records[0].Doc) != string(first.Doc) || records[0].Version != 1 {
				t.Errorf("%s: %v, %v", when, records, err)
			}
		}
		check("at first", "word", "n")
		if err := e.Declare(t.Context(), log("n")); err != nil {
			t.Fatal(err)
		}
		check("after a migration", "n")
		if err := e.Declare(t.Context(), log("word", "n")); err != nil {
			t.Fatal(err)
		}
		check("after another", "word", "n")
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = h.open(log("word", "n"))
		check("after a restart", "word", "n")
		// The fields of the old documents can be found, as after any migration.
		groups, err := e.Count(t.Context(), "items", []store.Condition{{Field: "word", Op: store.Eq, Value: "first"}}, "n")
		if err != nil || len(groups) != 1 || groups[0].N != 1 {
			t.Errorf("counted %v, %v", groups, err)
		}
	})
}

// TestBecomingAppendOnly closes a collection that was open to every write: what
// was deleted before stays deleted.
func TestBecomingAppendOnly(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		d := items("items", "word", "n")
		e := h.open(d)
		must(t, e, "items", item{}.write("kept", 0), item{}.write("deleted", 0))
		must(t, e, "items", item{N: 1}.write("kept", 1), remove("deleted", 1))
		before := changes(t, e, "items", 0)
		d.AppendOnly = true
		if err := e.Declare(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		for what, w := range map[string]store.Write{
			"replace": item{N: 2}.write("kept", 2), "delete": remove("kept", 2), "revival": item{}.write("deleted", 0),
		} {
			outcomes, err := e.Write(t.Context(), "items", w)
			if err != nil || outcomes[0].Err == nil {
				t.Errorf("%s: %v, %v", what, outcomes, err)
			}
		}
		if after := changes(t, e, "items", 0); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("documents changed:\n%v\n%v", before, after)
		}
		must(t, e, "items", item{}.write("new", 0))
	})
}

func TestEndedContextAndClose(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		must(t, e, "items", item{}.write("a", 0))
		calls := func(ctx context.Context) map[string]error {
			errs := map[string]error{}
			_, errs["get"] = e.Get(ctx, "items", "a")
			_, errs["write"] = e.Write(ctx, "items", item{}.write("b", 0))
			_, errs["find"] = e.Find(ctx, "items", store.Query{Limit: 1})
			_, errs["count"] = e.Count(ctx, "items", nil)
			_, errs["changes"] = e.Changes(ctx, "items", 0, 1)
			return errs
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for what, err := range calls(ctx) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s with an ended context: %v", what, err)
			}
		}
		if got := ids(changes(t, e, "items", 0)); !slices.Equal(got, []string{"a"}) {
			t.Errorf("stored: %q", got)
		}
		for what, err := range calls(t.Context()) {
			if err != nil {
				t.Errorf("%s afterwards: %v", what, err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		closed := calls(t.Context())
		closed["declare"] = e.Declare(t.Context(), items("others", "n"))
		closed["close"] = e.Close()
		for what, err := range closed {
			if err == nil {
				t.Errorf("%s works on a closed engine", what)
			}
		}
	})
}

// TestCancelledWrites ends contexts at any moment of a write: the error of the
// context must mean that nothing was written, success that it was, and Unavailable
// leaves it open.
func TestCancelledWrites(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		const writes = 60
		told := make([]error, writes)
		start := make(chan struct{})
		done := make(chan int, writes)
		for n := range writes {
			go func() {
				ctx, cancel := context.WithCancel(context.Background())
				go func() { <-start; cancel() }()
				outcomes, err := e.Write(ctx, "items", item{}.write(fmt.Sprint(n), 0))
				if err == nil {
					err = outcomes[0].Err
				}
				told[n] = err
				if n == writes/3 {
					close(start)
				}
				done <- n
			}()
		}
		for range writes {
			<-done
		}
		for n, err := range told {
			records, getErr := e.Get(t.Context(), "items", fmt.Sprint(n))
			if getErr != nil {
				t.Fatal(getErr)
			}
			if directory.KindOf(err) == directory.Unavailable && errors.Is(err, context.Canceled) {
				continue
			}
			if err != nil && !errors.Is(err, context.Canceled) || (err == nil) != (len(records) == 1) {
				t.Errorf("write %d: told %v, stored %v", n, err, len(records) == 1)
			}
		}
	})
}

func TestMigration(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word"))
		for n := range 25 {
			i := item{Word: fmt.Sprint("w", n%3), N: int64(n)}
			w := i.write(fmt.Sprintf("i%02d", n), 0)
			w.Fields = i.fields("word")
			must(t, e, "items", w)
		}
		must(t, e, "items", remove("i03", 1), remove("i04", 1))
		before := changes(t, e, "items", 0)
		if _, err := e.Count(t.Context(), "items", nil, "n"); err == nil {
			t.Error("a field that is not declared can be counted")
		}

		// Another field and another index, while open.
		check := func(e store.Engine, fields ...string) {
			t.Helper()
			after := changes(t, e, "items", 0)
			if fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("documents changed:\n%v\n%v", before, after)
			}
			for _, f := range fields {
				groups, err := e.Count(t.Context(), "items", nil, f)
				if err != nil {
					t.Fatal(err)
				}
				var sum int64
				for _, g := range groups {
					sum += g.N
				}
				if want := map[string]int{"word": 3, "n": 23}[f]; len(groups) != want || sum != 23 {
					t.Errorf("%s: %d groups of %d documents, want %d of 23", f, len(groups), sum, want)
				}
			}
		}
		if err := e.Declare(t.Context(), items("items", "n", "word")); err != nil {
			t.Fatal(err)
		}
		check(e, "word", "n")

		// What cannot be had leaves all as it was.
		unique := items("items", "word")
		unique.Indexes = []store.Index{{Fields: []string{"word"}, Unique: true}}
		if err := e.Declare(t.Context(), unique); err == nil {
			t.Error("a unique index over equal values was made")
		}
		unreadable := items("items", "word")
		unreadable.Extract = func([]byte) ([]any, error) { return nil, errors.New("cannot be read") }
		if err := e.Declare(t.Context(), unreadable); err == nil {
			t.Error("documents that cannot be read were migrated")
		}
		wrong := items("items", "word")
		wrong.Extract = func([]byte) ([]any, error) { return []any{1}, nil }
		if err := e.Declare(t.Context(), wrong); err == nil {
			t.Error("fields of a wrong type were migrated")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancelling := items("items", "word")
		cancelling.Extract = func(doc []byte) ([]any, error) { cancel(); return items("items", "word").Extract(doc) }
		if err := e.Declare(ctx, cancelling); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled migration: %v", err)
		}
		check(e, "word", "n")

		// Without fields, after a restart; then with a unique index that holds.
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = h.open(items("items"))
		check(e)
		d := items("items", "n")
		d.Indexes = []store.Index{{Fields: []string{"n"}, Unique: true}}
		if err := e.Declare(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		check(e, "n")
		doc, _ := json.Marshal(item{N: 7})
		outcomes, err := e.Write(t.Context(), "items", store.Write{ID: "new", Doc: doc, Fields: []any{int64(7)}})
		if err != nil || directory.KindOf(outcomes[0].Err) != directory.Conflict {
			t.Errorf("the new unique index does not hold: %v, %v", outcomes, err)
		}
	})
}
