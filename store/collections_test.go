package store_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	e, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	s, err := store.New(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func listing(id, region string, kind directory.Kind, updated int64) directory.Listing {
	at := time.UnixMilli(updated).UTC()
	return directory.Listing{
		ID: id, Kind: kind, Names: directory.Names{Zh: "示例" + id, Bo: "དཔེ།"}, Region: region, Status: directory.Published,
		Provenance: directory.Provenance{Origin: directory.Seeded}, Demo: true, CreatedAt: at, UpdatedAt: at,
	}
}

func sameJSON(t *testing.T, got, want any) {
	t.Helper()
	g, errG := json.Marshal(got)
	w, errW := json.Marshal(want)
	if errG != nil || errW != nil || string(g) != string(w) {
		t.Errorf("got %s\nwant %s", g, w)
	}
}

func TestListingsLife(t *testing.T) {
	s, ctx := open(t), t.Context()
	if _, err := s.Listings.Get(ctx, "a"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("get of nothing: %v", err)
	}
	l := listing("a", "630102", directory.ElderCareKind, 5)
	doc, err := s.Listings.Insert(ctx, l)
	if err != nil || doc.Version != 1 {
		t.Fatal(doc, err)
	}
	if _, err := s.Listings.Insert(ctx, l); directory.KindOf(err) != directory.Conflict {
		t.Errorf("second insert: %v", err)
	}
	l.Summary = "新"
	if _, err := s.Listings.Replace(ctx, 2, l); directory.KindOf(err) != directory.Conflict {
		t.Errorf("replace of a version to come: %v", err)
	}
	if _, err := s.Listings.Replace(ctx, 0, listing("b", "63", directory.BrandKind, 1)); err == nil {
		t.Error("a replace without a version has inserted")
	}
	doc, err = s.Listings.Replace(ctx, doc.Version, l)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := s.Listings.Get(ctx, "a")
	if err != nil || stored.Version != 2 || stored.Seq != doc.Seq {
		t.Errorf("stored %+v, %v; told %+v", stored, err, doc)
	}
	sameJSON(t, stored.Value, l)
	if err := s.Listings.Delete(ctx, "a", 1); directory.KindOf(err) != directory.Conflict {
		t.Errorf("delete of an old version: %v", err)
	}
	if err := s.Listings.Delete(ctx, "a", 2); err != nil {
		t.Fatal(err)
	}
	changes, err := s.Listings.Changes(ctx, 0, 10)
	if err != nil || len(changes) != 1 || changes[0].Value != nil || changes[0].ID != "a" || changes[0].Version != 3 {
		t.Errorf("changes %+v, %v", changes, err)
	}
	if doc, err = s.Listings.Insert(ctx, l); err != nil || doc.Version != 4 {
		t.Errorf("revived as %+v, %v", doc, err)
	}
	changes, err = s.Listings.Changes(ctx, changes[0].Seq, 10)
	if err != nil || len(changes) != 1 {
		t.Fatal(changes, err)
	}
	sameJSON(t, changes[0].Value, l)
}

func TestErrorsNameTheItem(t *testing.T) {
	s := open(t)
	errs := map[string]error{}
	_, errs["get"] = s.Listings.Get(t.Context(), "a")
	_, errs["replace"] = s.Listings.Replace(t.Context(), 1, listing("a", "63", directory.BrandKind, 1))
	errs["delete"] = s.Listings.Delete(t.Context(), "a", 1)
	for call, err := range errs {
		if e, ok := err.(*directory.Error); !ok || e.Kind != directory.NotFound || e.What != "listing" {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestListingsFields(t *testing.T) {
	s, ctx := open(t), t.Context()
	regions := []string{"630102", "630102001", "630104", "632801"}
	var all []directory.Listing
	for n := range 24 {
		l := listing(fmt.Sprintf("l%02d", n), regions[n%4], directory.Kind(directory.Kinds[n%5].Code), int64(100-n))
		l.Demo = n%3 == 0
		if n%6 == 0 {
			l.Status, l.Provenance.Origin = directory.Draft, directory.Imported
		}
		all = append(all, l)
	}
	if _, err := s.Listings.Upsert(ctx, all); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		q    store.Query
		keep func(l directory.Listing) bool
	}{
		"a region of all levels by kind": {
			store.Query{Where: []store.Condition{{"kind", store.Eq, "brand"}, {"region", store.Min, "630102"}, {"region", store.Less, "630103"}}},
			func(l directory.Listing) bool { return l.Kind == directory.BrandKind && l.Region[:6] == "630102" },
		},
		"by status, newest first": {
			store.Query{Where: []store.Condition{{"status", store.Eq, "published"}}, Order: "updated", Desc: true},
			func(l directory.Listing) bool { return l.Status == directory.Published },
		},
		"demonstration data": {
			store.Query{Where: []store.Condition{{"demo", store.Eq, int64(1)}}},
			func(l directory.Listing) bool { return l.Demo },
		},
		"what is no demonstration, by origin": {
			store.Query{Where: []store.Condition{{"demo", store.Eq, int64(0)}, {"origin", store.In, []string{"seed", "registered"}}}},
			func(l directory.Listing) bool { return !l.Demo && l.Provenance.Origin == directory.Seeded },
		},
		"changed since": {
			store.Query{Where: []store.Condition{{"updated", store.Min, int64(90)}}},
			func(l directory.Listing) bool { return l.UpdatedAt.UnixMilli() >= 90 },
		},
	} {
		var want, got []string
		for _, l := range all { // lies in the order of ids and from new to old
			if c.keep(l) {
				want = append(want, l.ID)
			}
		}
		if len(want) == 0 || len(want) == len(all) {
			t.Fatalf("%s: shows nothing", what)
		}
		c.q.Limit = 3
		for {
			docs, next, err := s.Listings.Find(ctx, c.q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				got = append(got, d.Value.ID)
			}
			if next == nil {
				break
			}
			c.q.After = next
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	groups, err := s.Listings.Count(ctx, nil, "demo", "status")
	want := []store.Group{{[]any{int64(0), "published"}, 16}, {[]any{int64(1), "draft"}, 4}, {[]any{int64(1), "published"}, 4}}
	if err != nil || fmt.Sprint(groups) != fmt.Sprint(want) {
		t.Errorf("%v, %v; want %v", groups, err, want)
	}
}

func TestUpsert(t *testing.T) {
	s, ctx := open(t), t.Context()
	states := func(values ...directory.Listing) (out []string) {
		t.Helper()
		results, err := s.Listings.Upsert(ctx, values)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				r.State = store.UpsertState(directory.KindOf(r.Err))
			}
			out = append(out, string(r.State))
		}
		return out
	}
	expect := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	seq := func() int64 {
		t.Helper()
		changes, err := s.Listings.Changes(ctx, 0, store.MaxLimit)
		if err != nil || len(changes) == 0 {
			t.Fatal(changes, err)
		}
		return changes[len(changes)-1].Seq
	}
	a, b := listing("a", "630102", directory.BrandKind, 1), listing("b", "630104", directory.StreetKind, 2)
	expect(states(a, b), "created", "created")
	before, waiting := seq(), s.Listings.Changed()
	expect(states(a, b), "unchanged", "unchanged")
	if seq() != before {
		t.Error("the same once more has changed something")
	}
	select {
	case <-waiting:
		t.Error("the same once more has woken those who wait for changes")
	default:
	}

	changed := b
	changed.Address = "示例路1号"
	c, bad := listing("c", "63", directory.BrandKind, 3), listing("", "63", directory.BrandKind, 4)
	expect(states(a, changed, bad, c), "unchanged", "updated", "invalid", "created")
	doc, err := s.Listings.Get(ctx, "b")
	if err != nil || doc.Version != 2 || doc.Value.Address != changed.Address {
		t.Errorf("%+v, %v", doc, err)
	}

	// One id several times: each in its turn.
	d1, d2 := listing("d", "63", directory.BrandKind, 1), listing("d", "63", directory.BrandKind, 2)
	expect(states(d1, d1, d2), "created", "unchanged", "updated")
	if doc, err = s.Listings.Get(ctx, "d"); err != nil || !doc.Value.UpdatedAt.Equal(d2.UpdatedAt) {
		t.Errorf("%+v, %v", doc, err)
	}

	// A deleted one comes back.
	if err := s.Listings.Delete(ctx, "a", 1); err != nil {
		t.Fatal(err)
	}
	expect(states(a), "created")
	expect(states())
}

func TestUpsertBesideOthers(t *testing.T) {
	s, ctx := open(t), t.Context()
	const callers, documents = 4, 40
	done := make(chan error)
	for c := range callers {
		go func() {
			var values []directory.Listing
			for n := range documents {
				values = append(values, listing(fmt.Sprint(n), "63", directory.BrandKind, int64(c%2)))
			}
			results, err := s.Listings.Upsert(ctx, values)
			for _, r := range results {
				if err == nil {
					err = r.Err
				}
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	groups, err := s.Listings.Count(ctx, nil)
	if err != nil || groups[0].N != documents {
		t.Errorf("%v, %v", groups, err)
	}
}

// TestChanged follows a collection as a projection does.
func TestChanged(t *testing.T) {
	s, ctx := open(t), t.Context()
	const writers, documents = 4, 25
	var wg sync.WaitGroup
	defer wg.Wait()
	for w := range writers {
		wg.Go(func() {
			for n := range documents {
				if _, err := s.Listings.Insert(ctx, listing(fmt.Sprintf("%d-%d", w, n), "63", directory.BrandKind, 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	for at := int64(0); len(seen) < writers*documents; {
		changed := s.Listings.Changed()
		changes, err := s.Listings.Changes(ctx, at, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			at, seen[c.ID] = c.Seq, true
		}
		if len(changes) == 0 {
			<-changed // for ever, if a write could fall in between
		}
	}
}

func TestMeta(t *testing.T) {
	s, ctx := open(t), t.Context()
	mark := store.Mark{Name: "seed", Value: "2025-01", At: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}
	if _, err := s.Meta.Insert(ctx, mark); err != nil {
		t.Fatal(err)
	}
	doc, err := s.Meta.Get(ctx, "seed")
	if err != nil || doc.Value != mark {
		t.Errorf("%+v, %v", doc, err)
	}
	if _, err := s.Meta.Get(ctx, "none"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("get of nothing: %v", err)
	}
}

// Many that begin a document at once lose nothing of what each adds, also while
// somebody deletes it.
func TestUpdateOrInsert(t *testing.T) {
	s, ctx := open(t), t.Context()
	add := func(l *directory.Listing) error {
		if l.ID == "" {
			*l = listing("a", "630102", directory.StreetKind, 5)
		}
		l.Revision++
		return nil
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if _, err := s.Listings.UpdateOrInsert(ctx, "a", add); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if doc, err := s.Listings.Get(ctx, "a"); err != nil || doc.Value.Revision != 80 {
		t.Errorf("revision %d, %v", doc.Value.Revision, err)
	}
	if err := s.Listings.Remove(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if doc, err := s.Listings.UpdateOrInsert(ctx, "a", add); err != nil || doc.Value.Revision != 1 {
		t.Errorf("after it was deleted: revision %d, %v", doc.Value.Revision, err)
	}
	if _, err := s.Listings.Update(ctx, "b", add); directory.KindOf(err) != directory.NotFound {
		t.Errorf("an update of nothing: %v", err)
	}
}

// A change that finds nothing to do writes nothing and is no error, and By finds what
// there is one of.
func TestUnchangedAndBy(t *testing.T) {
	s, ctx := open(t), t.Context()
	if _, err := s.Accounts.Insert(ctx, directory.Account{ID: "a", PhoneHash: "h"}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Accounts.By(ctx, "phone_hash", "h")
	if err != nil || before.Value.ID != "a" {
		t.Fatalf("found %+v, %v", before, err)
	}
	if _, err := s.Accounts.By(ctx, "phone_hash", "other"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("found what is not there: %v", err)
	}
	if _, err := s.Accounts.Update(ctx, "a", func(*directory.Account) error { return store.ErrUnchanged }); err != nil {
		t.Error(err)
	}
	if after, err := s.Accounts.Get(ctx, "a"); err != nil || after.Version != before.Version || after.Seq != before.Seq {
		t.Errorf("it was written: %+v, %v", after, err)
	}
}

// Each, All, ByID and RemoveAll see every page of a query and no more.
func TestWholeQueries(t *testing.T) {
	s, ctx := open(t), t.Context()
	var all []directory.Listing
	for i := range 2*store.MaxLimit + 3 {
		region := "630102"
		if i%2 == 1 {
			region = "632801"
		}
		all = append(all, listing(fmt.Sprintf("%05d", i), region, directory.StreetKind, 5))
	}
	if _, err := s.Listings.Upsert(ctx, all); err != nil {
		t.Fatal(err)
	}
	within := store.Where(store.Within("632800")...)
	docs, err := s.Listings.All(ctx, within)
	if want := store.MaxLimit + 1; err != nil || len(docs) != want {
		t.Fatalf("%d documents, want %d: %v", len(docs), want, err)
	}
	seen := 0
	enough := fmt.Errorf("enough")
	if err := s.Listings.Each(ctx, within, func(*store.Doc[directory.Listing]) error {
		if seen++; seen == 3 {
			return enough
		}
		return nil
	}); err != enough || seen != 3 {
		t.Errorf("%d were seen before the error %v", seen, err)
	}
	byID, err := s.Listings.ByID(ctx, "00003", "none", "00001", "00003")
	if err != nil || len(byID) != 2 || byID["00003"].ID != "00003" || byID["none"] != nil {
		t.Errorf("by id: %v, %v", byID, err)
	}
	if err := s.Listings.RemoveAll(ctx, within); err != nil {
		t.Fatal(err)
	}
	left, err := s.Listings.All(ctx, store.Query{})
	if err != nil || len(left) != store.MaxLimit+2 || slices.ContainsFunc(left, func(d store.Doc[directory.Listing]) bool { return d.Value.Region != "630102" }) {
		t.Errorf("%d are left, %v", len(left), err)
	}
}
