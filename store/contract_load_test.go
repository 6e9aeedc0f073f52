package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/store"
)

// load loads records, which may not fail.
func load(t *testing.T, e store.Engine, collection string, records ...store.Record) {
	t.Helper()
	if err := e.Load(t.Context(), collection, records...); err != nil {
		t.Fatal(err)
	}
}

// wantRecords checks all records of a collection.
func wantRecords(t *testing.T, e store.Engine, collection string, want []store.Record) {
	t.Helper()
	sameRecords(t, collection, changesBy(t, e, collection, 0, store.MaxLimit), want)
	last := int64(0)
	if len(want) > 0 {
		last = want[len(want)-1].Seq
	}
	if got, err := e.LastSeq(t.Context(), collection); err != nil || got != last {
		t.Errorf("the last number of %s is %d, not %d: %v", collection, got, last, err)
	}
}

func TestLoad(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		if err := e.Declare(t.Context(), items("copies", "word", "n")); err != nil {
			t.Fatal(err)
		}
		a := item{Word: "青海", N: -1, Rest: "<b>"}
		must(t, e, "items", a.write("a", 0), a.write("b", 0), a.write("c", 0), a.write("d", 0), remove("d", 1))
		first := changes(t, e, "items", 0)
		load(t, e, "copies", first...)
		wantRecords(t, e, "copies", first)

		// What changed comes in the place of what it was; what did not is loaded again.
		must(t, e, "items", item{Word: "b"}.write("b", 1), remove("c", 1), a.write("d", 0), remove("d", 3), a.write("e", 0))
		all := changes(t, e, "items", 0)
		load(t, e, "copies", all...)
		wantRecords(t, e, "copies", all)
		load(t, e, "copies", all...)
		load(t, e, "copies", first...) // older: nothing comes back
		load(t, e, "copies")
		wantRecords(t, e, "copies", all)

		// They are found by their fields, the deleted ones not.
		found, err := e.Find(t.Context(), "copies", store.Query{Where: []store.Condition{store.Equal("word", "青海")}, Order: "n", Limit: 10})
		if got := ids(found); err != nil || !slices.Equal(got, []string{"a", "e"}) {
			t.Errorf("found %q, %v", got, err)
		}
		groups, err := e.Count(t.Context(), "copies", nil, "word", "n")
		if want := "[{[b 0] 1} {[青海 -1] 2}]"; err != nil || fmt.Sprint(groups) != want {
			t.Errorf("counted %v, not %s: %v", groups, want, err)
		}
		got, err := e.Get(t.Context(), "copies", "a", "b", "c", "d", "e")
		if err != nil || fmt.Sprint(ids(got)) != "[a b e]" {
			t.Errorf("got %q, %v", ids(got), err)
		}

		// Writes go on from there, in both the same way.
		again := []store.Write{a.write("b", 2), a.write("c", 0), remove("a", 1), a.write("f", 0)}
		original, copied := must(t, e, "items", again...), must(t, e, "copies", again...)
		for i := range again {
			if original[i].Version != copied[i].Version || copied[i].Seq <= all[len(all)-1].Seq {
				t.Errorf("%s is %+v in the original and %+v in the copy", again[i].ID, original[i], copied[i])
			}
		}
		if outcomes, err := e.Write(t.Context(), "copies", a.write("e", 7)); err != nil || directory.KindOf(outcomes[0].Err) != directory.Conflict {
			t.Errorf("a write of a wrong version: %v, %v", outcomes, err)
		}
	})
}

func TestLoadAcrossGaps(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		doc := item{Word: "a"}.write("a", 0).Doc
		records := []store.Record{{ID: "x", Version: 3, Seq: 7, Doc: doc}, {ID: "y", Version: 1 << 40, Seq: 1 << 41}, {ID: "z", Version: 1, Seq: 1<<41 + 9, Doc: doc}}
		load(t, e, "items", records...)
		wantRecords(t, e, "items", records)
		outcomes := must(t, e, "items", item{}.write("x", 3), item{}.write("y", 0), remove("z", 1))
		for i, version := range []int64{4, 1<<40 + 1, 2} {
			if o := outcomes[i]; o.Seq <= 1<<41+9 || o.Version != version {
				t.Errorf("%s is then %+v", records[i].ID, o)
			}
		}
	})
}

// TestLoadOfAValueThatHasMoved loads a document with a unique value whose former holder
// has changed again since and comes behind it.
func TestLoadOfAValueThatHasMoved(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		d := items("items", "word", "n")
		d.Indexes = []store.Index{{Fields: []string{"n", "word"}, Unique: true}}
		e := h.open(d)
		d.Name = "copies"
		if err := e.Declare(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		a := item{Word: "a", N: 1}
		must(t, e, "items", a.write("former", 0), item{Word: "a", N: 2}.write("other", 0))
		before := changes(t, e, "items", 0)
		load(t, e, "copies", before...)
		must(t, e, "items", item{Word: "b", N: 1}.write("former", 1), a.write("latter", 0), item{Word: "c"}.write("former", 2))
		after := changes(t, e, "items", before[1].Seq)
		load(t, e, "copies", after[0]) // the latter
		wantRecords(t, e, "copies", []store.Record{{ID: "former", Version: 1, Seq: before[0].Seq}, before[1], after[0]})
		load(t, e, "copies", before...)
		load(t, e, "copies", after...)
		wantRecords(t, e, "copies", changes(t, e, "items", 0))

		// Who is newer keeps its value.
		thief := store.Record{ID: "thief", Version: 1, Seq: before[1].Seq + 1, Doc: after[0].Doc}
		if err := e.Load(t.Context(), "copies", thief); directory.KindOf(err) != directory.Conflict {
			t.Errorf("a value that a newer document has: %v", err)
		}
		outcomes, err := e.Write(t.Context(), "copies", a.write("new", 0))
		if err != nil || directory.KindOf(outcomes[0].Err) != directory.Conflict {
			t.Errorf("a value that a loaded document has: %v, %v", outcomes, err)
		}
	})
}

func TestBadLoads(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		grows := items("grows", "word", "n")
		grows.AppendOnly = true
		grows.Indexes = []store.Index{{Fields: []string{"n"}, Unique: true}}
		if err := e.Declare(t.Context(), grows); err != nil {
			t.Fatal(err)
		}
		doc := item{Word: "a", N: 1}.write("a", 0).Doc
		good := store.Record{ID: "good", Version: 1, Seq: 1, Doc: doc}
		for what, bad := range map[string]store.Record{
			"no id":       {Version: 1, Seq: 2, Doc: doc},
			"bad id":      {ID: "\xff", Version: 1, Seq: 2, Doc: doc},
			"no version":  {ID: "bad", Seq: 2, Doc: doc},
			"no number":   {ID: "bad", Version: 1, Doc: doc},
			"no document": {ID: "bad", Version: 1, Seq: 2, Doc: []byte{}},
			"no JSON":     {ID: "bad", Version: 1, Seq: 2, Doc: []byte("{")},
		} {
			if err := e.Load(t.Context(), "items", good, bad); err == nil {
				t.Errorf("%s: loaded", what)
			}
		}
		if err := e.Load(t.Context(), "none", good); err == nil {
			t.Error("loaded into a collection that is not declared")
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := e.Load(ended, "items", good); !errors.Is(err, context.Canceled) {
			t.Errorf("a load whose context has ended: %v", err)
		}
		wantRecords(t, e, "items", nil)

		// What only grows takes a record once, and neither changes nor deletes one.
		first := []store.Record{{ID: "a", Version: 1, Seq: 3, Doc: doc}, {ID: "gone", Version: 2, Seq: 5}}
		load(t, e, "grows", first...)
		load(t, e, "grows", first...)
		wantRecords(t, e, "grows", first)
		for what, bad := range map[string]store.Record{
			"a change":   {ID: "a", Version: 2, Seq: 6, Doc: doc},
			"a deletion": {ID: "a", Version: 2, Seq: 6},
			"a return":   {ID: "gone", Version: 3, Seq: 6, Doc: item{N: 2}.write("gone", 0).Doc},
			"a value":    {ID: "b", Version: 1, Seq: 6, Doc: doc},
		} {
			if err := e.Load(t.Context(), "grows", bad); directory.KindOf(err) != directory.Conflict {
				t.Errorf("%s of what only grows: %v", what, err)
			}
		}
		wantRecords(t, e, "grows", first)
		must(t, e, "grows", item{N: 7}.write("c", 0))
	})
}

// TestLoadThatFails leaves a beginning, in a new collection and in one that has given
// numbers which no document has.
func TestLoadThatFails(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		for _, refused := range []int{0, 20} {
			d := items(fmt.Sprintf("after_%c", 'a'+refused), "word", "n")
			d.AppendOnly = true
			d.Indexes = []store.Index{{Fields: []string{"n"}, Unique: true}}
			e := h.open(d)
			held := item{N: 1}
			seq := must(t, e, d.Name, held.write("a", 0))[0].Seq
			for range refused {
				if outcomes, err := e.Write(t.Context(), d.Name, held.write("a", 0)); err != nil || outcomes[0].Err == nil {
					t.Fatal(outcomes, err)
				}
			}
			record := func(id string, k, n int64) store.Record {
				return store.Record{ID: id, Version: 1, Seq: seq + k, Doc: item{N: n}.write(id, 0).Doc}
			}
			page := []store.Record{record("b", 1, 2), record("c", 2, held.N), record("d", 3, 3)}
			if err := e.Load(t.Context(), d.Name, page...); directory.KindOf(err) != directory.Conflict {
				t.Fatalf("a value that is taken: %v", err)
			}
			last, err := e.LastSeq(t.Context(), d.Name)
			if got := changes(t, e, d.Name, seq); err != nil || last > seq+1 || len(got) > 1 || len(got) == 1 && got[0].ID != "b" {
				t.Errorf("after %d writes that were refused, up to %d is there, with %q: %v", refused, last, ids(got), err)
			}
		}
	})
}

// TestLoadFollows copies a collection with a unique index, whose values move from one
// document to another, a few records at a time while it is written.
func TestLoadFollows(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", fields...))
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			n++
			name := func(what string) string {
				return what + string(rune('a'+n/26/26%26)) + string(rune('a'+n/26%26)) + string(rune('a'+n%26))
			}
			original, copied := name("o"), name("c")
			for _, name := range []string{original, copied} {
				d := items(name, fields...)
				d.Indexes = []store.Index{{Fields: []string{"word"}, Unique: true}, {Fields: []string{"n"}}}
				if err := e.Declare(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			m := model{}
			var page []store.Record
			follow := func(limit int) bool {
				last, err := e.LastSeq(t.Context(), copied)
				if err != nil {
					t.Fatal(err)
				}
				before := page
				if page, err = e.Changes(t.Context(), original, last, limit); err != nil {
					t.Fatal(err)
				}
				for _, records := range [][]store.Record{page, before} { // and again what was loaded before
					if err := e.Load(t.Context(), copied, records...); err != nil {
						t.Fatal(err)
					}
				}
				return len(page) > 0
			}
			for range rapid.IntRange(1, 80).Draw(t, "steps") {
				w := drawWrite(t, m)
				outcomes, err := e.Write(t.Context(), original, w)
				if err != nil {
					t.Fatal(err)
				}
				if outcomes[0].Err == nil {
					m.write(w, outcomes[0].Seq)
				}
				if rapid.Bool().Draw(t, "follow") {
					follow(rapid.IntRange(1, 3).Draw(t, "page"))
				}
			}
			for pages := 0; follow(3); pages++ {
				if pages > len(m) {
					t.Fatal("the copy does not come to an end")
				}
			}
			checkChanges(t, e, copied, m, 0)
			checkFind(t, e, copied, m)
			checkCount(t, e, copied, m)
		})
	})
}

// loadable are records as another engine may have them.
func loadable(n int) []store.Record {
	out := make([]store.Record, n)
	for i := range out {
		out[i] = store.Record{ID: fmt.Sprintf("r%05d", i), Version: int64(i%5 + 1), Seq: int64(3*i + 2)}
		if i%7 > 0 {
			out[i].Doc = item{Word: fmt.Sprint(i % 11), N: int64(i)}.write("", 0).Doc
		}
	}
	return out
}

// crashLoading loads records, and says after each call how many it has loaded.
func crashLoading(engine, dir string) error {
	ctx := context.Background()
	e, err := engines[engine](ctx, dir)
	if err != nil {
		return err
	}
	if err := e.Declare(ctx, items("items", "word", "n")); err != nil {
		return err
	}
	last, err := e.LastSeq(ctx, "items")
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(loadable(100_000)[(last+1)/3:], 100) {
		if err := e.Load(ctx, "items", batch...); err != nil {
			return err
		}
		fmt.Println(batch[len(batch)-1].Seq)
	}
	return nil
}

func TestKillWhileLoading(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		for round := range 4 {
			acknowledged := h.crash("load", 1+round)
			e := h.open(items("items", "word", "n"))
			last, err := e.LastSeq(t.Context(), "items")
			if err != nil {
				t.Fatal(err)
			}
			if told, err := strconv.ParseInt(acknowledged[len(acknowledged)-1], 10, 64); err != nil || last < told {
				t.Errorf("round %d: loaded up to %d after %d was acknowledged: %v", round, last, told, err)
			}
			wantRecords(t, e, "items", loadable(int(last+1)/3))
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
