package main

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"testing"

	"qingfu/directory"
	"qingfu/seed"
	"qingfu/store"
)

// content is what a data folder holds.
type content struct {
	listings map[string]store.Doc[directory.Listing] // by id
	lastSeq  int64
}

// versions is all that a write would change.
func (c *content) versions() map[string]int64 {
	out := map[string]int64{"last change": c.lastSeq}
	for id, d := range c.listings {
		out[id] = d.Version
	}
	return out
}

func (c *content) demo() int {
	n := 0
	for _, d := range c.listings {
		if d.Value.Demo {
			n++
		}
	}
	return n
}

func read(t *testing.T, dir string) content {
	t.Helper()
	ctx := t.Context()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	c := content{listings: map[string]store.Doc[directory.Listing]{}}
	if c.lastSeq, err = st.Listings.LastSeq(ctx); err != nil {
		t.Fatal(err)
	}
	q := store.Query{Limit: store.MaxLimit}
	for {
		docs, next, err := st.Listings.Find(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			c.listings[d.Value.ID] = d
		}
		if q.After = next; next == nil {
			return c
		}
	}
}

// TestSeedingAgainKeepsReturns: what has become of a demonstration return stays.
func TestSeedingAgainKeepsReturns(t *testing.T) {
	dir := t.TempDir()
	var id string
	for _, want := range []bool{false, true} { // whether it was changed before
		succeed(t, "seed", "--data-dir", dir)
		st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		docs, _, err := st.Returns.Find(t.Context(), store.Query{Where: []store.Condition{store.Equal("demo", int64(1))}, Limit: 1})
		if err != nil || len(docs) != 1 || docs[0].Value.Late != want || id != "" && docs[0].Value.ID() != id {
			t.Fatalf("%+v, %v", docs, err)
		}
		id = docs[0].Value.ID()
		if _, err := st.Returns.Update(t.Context(), id, func(r *directory.Return) error { r.Late = true; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSeedingAgainKeepsRatings: what has become of a demonstration rating stays.
func TestSeedingAgainKeepsRatings(t *testing.T) {
	dir := seeded(t)
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	docs, _, err := st.Ratings.Find(t.Context(), store.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := docs[0].Value.ID
	if _, err := st.Ratings.Update(t.Context(), id, func(r *directory.Rating) error { r.Helpful = 7; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	succeed(t, "seed", "--data-dir", dir)
	if st, closer, err = (&dataSettings{DataDir: dir}).openStore(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	if doc, err := st.Ratings.Get(t.Context(), id); err != nil || doc.Value.Helpful != 7 {
		t.Errorf("the rating is %+v, %v", doc.Value, err)
	}
}

func realListings(t *testing.T) []directory.Listing {
	t.Helper()
	real, err := seed.Real()
	if err != nil {
		t.Fatal(err)
	}
	return real
}

func TestSeedingTwiceChangesNothing(t *testing.T) {
	for _, args := range [][]string{{"seed"}, {"seed", "--no-demo"}, {"seed", "--synthetic", "1100", "--seed", "7"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			dir := t.TempDir()
			args := append(args, "--data-dir", dir)
			succeed(t, args...)
			first := read(t, dir)
			succeed(t, args...)
			second := read(t, dir)
			if len(first.listings) == 0 || !maps.Equal(first.versions(), second.versions()) {
				t.Errorf("%d listings up to change %d became %d up to change %d",
					len(first.listings), first.lastSeq, len(second.listings), second.lastSeq)
			}
		})
	}
}

func TestDemoDataIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		args, env string
		demo      bool
	}{
		"by default not": {"seed", "", true},
		"by flag":        {"seed --no-demo", "", false},
		"by env":         {"seed", "QINGFU_DEMO=false", false},
		"in production":  {"seed --env production --demo", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			e := succeed(t, append(strings.Fields(c.args), "--data-dir", dir)...)
			got := read(t, dir)
			if c.demo != (got.demo() > 0) || c.demo != strings.Contains(e.err, "示例") {
				t.Errorf("%d demonstration entries, stderr: %s", got.demo(), e.err)
			}
			if got, want := len(got.listings)-got.demo(), len(realListings(t)); got != want {
				t.Errorf("%d real listings, not %d", got, want)
			}
		})
	}
}

func TestProductionRefusesDemoData(t *testing.T) {
	dir := seeded(t)
	demo := strconv.Itoa(len(read(t, dir).listings) - len(realListings(t)))
	accounts := strconv.Itoa(len(seed.DemoAccounts()))
	e := command(t.Context(), append(production(t), "--addr", "127.0.0.1:0", "--data-dir", dir)...)
	if e.code != 1 || strings.Count(e.err, "\n") != 1 || !strings.Contains(e.err, demo+" demonstration entries, "+accounts+" accounts and 1 organizations, and ") {
		t.Errorf("code %d, %s", e.code, e.err)
	}
}

func TestSyntheticListingsFollowFromTheirSeed(t *testing.T) {
	folder := func(args ...string) map[string]string {
		dir := t.TempDir()
		succeed(t, append([]string{"seed", "--data-dir", dir}, args...)...)
		names := map[string]string{}
		for id, d := range read(t, dir).listings {
			names[id] = d.Value.Names.Zh
			if !d.Value.Demo {
				t.Errorf("%s is not marked as a demonstration", d.Value.Names.Zh)
			}
		}
		return names
	}
	seven := folder("--synthetic", "1100", "--seed", "7")
	if len(seven) != 1100 {
		t.Errorf("%d listings, not 1100", len(seven))
	}
	if again := folder("--synthetic", "1100", "--seed", "7"); !maps.Equal(seven, again) {
		t.Error("the same seed gave other listings")
	}
	for id := range folder("--synthetic", "100", "--seed", "8") {
		if seven[id] != "" {
			t.Fatal("another seed gave a listing of the same id")
		}
	}
}

func TestInterruptedSeedFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e := command(ctx, "seed", "--synthetic", "10", "--data-dir", t.TempDir()); e.code != 1 {
		t.Errorf("code %d, not 1; %s", e.code, e.err)
	}
}
