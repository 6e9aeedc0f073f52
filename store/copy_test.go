package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// newStore opens an engine as a whole store.
func newStore(t *testing.T, engine, dir string) (*store.Store, store.Engine) {
	t.Helper()
	e, err := engines[engine](t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return storeOn(t, e), e
}

func storeOn(t *testing.T, e store.Engine) *store.Store {
	t.Helper()
	s, err := store.New(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill writes to some collections, as the program would, and returns what has failed.
func fill(ctx context.Context, s *store.Store) error {
	var errs []error
	for i := range 50 {
		_, err := s.Listings.Insert(ctx, listing(fmt.Sprintf("l%d", i), "630102", directory.ElderCareKind, int64(i)))
		_, auditErr := s.Audit.Insert(ctx, directory.AuditEntry{ID: fmt.Sprint(i), Actor: "a"})
		errs = append(errs, err, auditErr)
	}
	for i := range 30 {
		_, err := s.Accounts.Insert(ctx, directory.Account{ID: fmt.Sprintf("a%d", i), PhoneHash: fmt.Sprint(i)})
		errs = append(errs, err)
	}
	_, markErr := s.Meta.Insert(ctx, store.Mark{Name: "seed", Value: "some", At: time.UnixMilli(5).UTC()})
	return errors.Join(append(errs, markErr, s.Listings.Remove(ctx, "l3"), s.Accounts.Remove(ctx, "a29"))...)
}

// copyAll copies a store and says how many records that were.
func copyAll(t *testing.T, from, to *store.Store) (records int) {
	t.Helper()
	if err := store.Copy(t.Context(), from, to, func(n int) { records += n }); err != nil {
		t.Fatal(err)
	}
	return records
}

// differences compares two stores and returns the collections that are not the same and
// those that have moved.
func differences(t *testing.T, from, to *store.Store) (differ, moved []string) {
	t.Helper()
	compared, err := store.Compare(t.Context(), from, to, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	collections := 0
	for i := range reflect.TypeFor[store.Store]().NumField() {
		if reflect.TypeFor[store.Store]().Field(i).IsExported() {
			collections++
		}
	}
	if len(compared) != collections {
		t.Errorf("%d of %d collections were compared", len(compared), collections)
	}
	for _, c := range compared {
		if c.From != c.To {
			differ = append(differ, c.Collection)
		}
		if c.Moved {
			moved = append(moved, c.Collection)
		}
	}
	return differ, moved
}

func wantSame(t *testing.T, from, to *store.Store) {
	t.Helper()
	if differ, moved := differences(t, from, to); len(differ)+len(moved) > 0 {
		t.Errorf("%q are not the same, %q have moved", differ, moved)
	}
}

func TestCopyThereAndBack(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		first, _ := newStore(t, "sqlite", t.TempDir())
		if err := fill(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		second, _ := newStore(t, h.engine, h.dir)
		if n := copyAll(t, first, second); n != 132 { // with the store's own mark
			t.Errorf("%d records were copied", n)
		}
		wantSame(t, first, second)
		if n := copyAll(t, first, second); n != 0 {
			t.Errorf("%d records were copied again", n)
		}

		// The copy is used, and then goes back to where it came from.
		l, err := second.Listings.Get(t.Context(), "l7")
		if err == nil {
			l.Value.Summary = "新"
			_, err = second.Listings.Replace(t.Context(), l.Version, l.Value)
		}
		if err := errors.Join(err, second.Accounts.Remove(t.Context(), "a1")); err != nil {
			t.Fatal(err)
		}
		_, err = second.Accounts.Insert(t.Context(), directory.Account{ID: "new", PhoneHash: "1"})
		if err := errors.Join(err, second.Accounts.Remove(t.Context(), "a1")); err != nil {
			t.Fatal(err)
		}
		if err := store.Copy(t.Context(), first, second, func(int) {}); directory.KindOf(err) != directory.Conflict {
			t.Errorf("an older store over a newer one: %v", err)
		}
		if n := copyAll(t, second, first); n != 3 {
			t.Errorf("%d records came back", n)
		}
		wantSame(t, second, first)
		wantSame(t, first, second)
		size, err := first.Size(t.Context())
		if err != nil || size != 130 {
			t.Errorf("%d documents, %v", size, err)
		}
	})
}

// interrupted fails, or does something else, at a call of a method.
type interrupted struct {
	store.Engine
	load    func() error
	changes func(collection string) error
}

func (i *interrupted) Load(ctx context.Context, collection string, records ...store.Record) error {
	if err := i.load(); err != nil {
		return err
	}
	return i.Engine.Load(ctx, collection, records...)
}

func (i *interrupted) Changes(ctx context.Context, collection string, after int64, limit int) ([]store.Record, error) {
	if err := i.changes(collection); err != nil {
		return nil, err
	}
	return i.Engine.Changes(ctx, collection, after, limit)
}

func sqliteIn(t *testing.T, dir string) store.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// TestCopyGoesOn ends a copy after each page, while the source is written to.
func TestCopyGoesOn(t *testing.T) {
	from := open(t)
	if err := fill(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	cut := errors.New("cut off")
	loads := 0
	db := sqliteIn(t, t.TempDir())
	to := storeOn(t, &interrupted{db, func() error {
		if loads++; loads > 1 {
			return cut
		}
		return nil
	}, func(string) error { return nil }})
	runs := 0
	for ; ; runs++ {
		loads = 0
		err := store.Copy(t.Context(), from, to, func(int) {})
		if err == nil {
			break
		}
		if !errors.Is(err, cut) {
			t.Fatal(err)
		}
		if runs >= 8 {
			continue
		}
		// A phone changes hands, and whoever gave it away changes once more.
		giver, taker := fmt.Sprintf("a%d", runs), fmt.Sprintf("b%d", runs)
		for _, account := range []directory.Account{{ID: giver, PhoneHash: "x" + giver}, {ID: taker, PhoneHash: fmt.Sprint(runs)}, {ID: giver, PhoneHash: "y" + giver}} {
			if _, err := from.Accounts.UpdateOrInsert(t.Context(), account.ID, func(a *directory.Account) error { *a = account; return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if runs < 8 {
		t.Errorf("only %d runs were cut off", runs)
	}
	wantSame(t, from, to)
}

// TestCopyWhileWriting writes to the source between its pages.
func TestCopyWhileWriting(t *testing.T) {
	db := sqliteIn(t, t.TempDir())
	direct := storeOn(t, db)
	if err := fill(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	n := 0
	touch := func(collection string) error {
		n++
		switch collection {
		case "listings":
			_, err := direct.Listings.Update(t.Context(), fmt.Sprintf("l%d", 10+n%30), func(l *directory.Listing) error { l.Summary = fmt.Sprint(n); return nil })
			return err
		case "accounts":
			return direct.Accounts.Remove(t.Context(), fmt.Sprintf("a%d", n%25))
		}
		return nil
	}
	from := storeOn(t, &interrupted{db, nil, touch})
	to := open(t)
	for range 3 { // each finds its copy of before
		copyAll(t, from, to)
	}
	if _, moved := differences(t, from, to); fmt.Sprint(moved) != "[listings accounts]" {
		t.Errorf("%q have moved", moved)
	}
	copyAll(t, direct, to)
	wantSame(t, direct, to)
}

func TestCopyRefuses(t *testing.T) {
	ctx := t.Context()
	source := sqliteIn(t, t.TempDir())
	from := storeOn(t, source)
	if err := fill(ctx, from); err != nil {
		t.Fatal(err)
	}
	if _, err := from.ID(ctx); err != nil {
		t.Fatal(err)
	}
	marks := changes(t, source, "meta", 0)
	type change func(to *store.Store, db store.Engine) error
	// mark loads a mark of the source that is no longer what it was.
	mark := func(i int, alter func(*store.Record)) change {
		r := marks[i]
		alter(&r)
		return func(_ *store.Store, db store.Engine) error { return db.Load(ctx, "meta", r) }
	}
	// Listing l3 is deleted: nothing has the number that it had. old loads what was there
	// then, with another record of that number.
	beginning := changes(t, source, "listings", 0)[:3]
	old := func(id string, version int64) change {
		r := store.Record{ID: id, Version: version, Seq: beginning[2].Seq + 1, Doc: beginning[2].Doc}
		return func(_ *store.Store, db store.Engine) error {
			return db.Load(ctx, "listings", append(slices.Clip(beginning), r)...)
		}
	}
	for what, c := range map[string]struct {
		copied bool
		change change
	}{
		"one that never was":      {false, old("ghost", 1)},
		"one that was never that": {false, old("l3", 2)},
		"another store":           {false, func(to *store.Store, _ store.Engine) error { _, err := to.ID(ctx); return err }},
		"documents of others": {false, func(to *store.Store, _ store.Engine) error {
			_, err := to.Listings.Insert(ctx, listing("x", "63", directory.BrandKind, 1))
			return err
		}},
		"one change more": {true, func(to *store.Store, _ store.Engine) error {
			_, err := to.Listings.Update(ctx, "l5", func(l *directory.Listing) error { l.Summary = "改"; return nil })
			return err
		}},
		"one document more": {true, func(to *store.Store, _ store.Engine) error {
			_, err := to.Windows.Insert(ctx, store.Window{ID: "w"})
			return err
		}},
		"one deleted": {true, func(to *store.Store, _ store.Engine) error { return to.Listings.Remove(ctx, "l1") }},
		"changed in both": {true, func(to *store.Store, _ store.Engine) error {
			return errors.Join(to.Listings.Remove(ctx, "l6"), from.Listings.Remove(ctx, "l8"), from.Listings.Remove(ctx, "l9"))
		}},
		"one missing":         {false, mark(1, func(*store.Record) {})},
		"another text":        {false, mark(0, func(r *store.Record) { r.Doc = []byte(`{"name":"seed"}`) })},
		"another version":     {false, mark(0, func(r *store.Record) { r.Version++ })},
		"another id":          {false, mark(0, func(r *store.Record) { r.ID += "x" })},
		"deleted only there":  {false, mark(0, func(r *store.Record) { r.Doc = nil })},
		"a number in between": {false, mark(0, func(r *store.Record) { r.Seq++; r.ID += "x" })},
	} {
		t.Run(what, func(t *testing.T) {
			db := sqliteIn(t, t.TempDir())
			to := storeOn(t, db)
			if c.copied {
				copyAll(t, from, to)
			}
			if err := c.change(to, db); err != nil {
				t.Fatal(err)
			}
			err := store.Copy(ctx, from, to, func(int) { t.Error("something was copied") })
			if directory.KindOf(err) != directory.Conflict || strings.Contains(err.Error(), "\n") {
				t.Errorf("copied: %v", err)
			}
			if what == "another store" && !strings.HasSuffix(err.Error(), what) {
				t.Errorf("the error does not say what is there: %v", err)
			}
			if differ, _ := differences(t, from, to); len(differ) == 0 {
				t.Error("the comparison finds no difference")
			}
		})
	}
}

// TestCompare loads records that differ in one thing, and are otherwise the same.
func TestCompare(t *testing.T) {
	source := sqliteIn(t, t.TempDir())
	from := storeOn(t, source)
	if _, err := from.Meta.Insert(t.Context(), store.Mark{Name: "seed", Value: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := from.Meta.Remove(t.Context(), "seed"); err != nil {
		t.Fatal(err)
	}
	if _, err := from.ID(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, alter := range map[string]func(r []store.Record) []store.Record{
		"":                   func(r []store.Record) []store.Record { return r },
		"a version":          func(r []store.Record) []store.Record { r[1].Version++; return r },
		"a number":           func(r []store.Record) []store.Record { r[0].Seq--; return r },
		"a document":         func(r []store.Record) []store.Record { r[1].Doc = append(r[1].Doc, ' '); return r },
		"an id":              func(r []store.Record) []store.Record { r[0].ID = "sead"; return r },
		"what is deleted":    func(r []store.Record) []store.Record { r[0].Doc = r[1].Doc; return r },
		"one record less":    func(r []store.Record) []store.Record { return r[1:] },
		"the latest missing": func(r []store.Record) []store.Record { return r[:1] },
	} {
		t.Run(what, func(t *testing.T) {
			db := sqliteIn(t, t.TempDir())
			to := storeOn(t, db)
			load(t, db, "meta", alter(changes(t, source, "meta", 0))...)
			differ, moved := differences(t, from, to)
			if (len(differ) > 0) != (what != "") || (len(moved) > 0) != (what == "the latest missing") {
				t.Errorf("%q differ, %q have moved", differ, moved)
			}
		})
	}
}
