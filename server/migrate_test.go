package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/mongo/fault"
)

// sums runs the command, which has to succeed, and returns what its table says of each
// collection.
func sums(t *testing.T, args ...string) map[string]string {
	t.Helper()
	e := succeed(t, append([]string{"migrate"}, args...)...)
	out := map[string]string{}
	for line := range strings.Lines(e.out) {
		if name, rest, ok := strings.Cut(line, " "); ok && strings.HasSuffix(rest, " equal\n") {
			out[name] = strings.TrimSpace(rest)
		}
	}
	if len(out) < 25 || !strings.Contains(e.out, "\nverified: ") {
		t.Errorf("server migrate %s says\n%s", strings.Join(args, " "), e.out)
	}
	return out
}

// openData opens the store of a data folder.
func openData(t *testing.T, dir string) *store.Store {
	t.Helper()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	return st
}

func TestMigrateToAFolder(t *testing.T) {
	t.Parallel()
	dir, copied := seeded(t), filepath.Join(t.TempDir(), "copies", "one")
	first := sums(t, "--data-dir", dir, "--to", copied)
	if again := sums(t, "--data-dir", dir, "--to", copied); !maps.Equal(first, again) {
		t.Errorf("the second time it says %v, not %v", again, first)
	}

	// A server on the copy goes on, and what it writes goes back.
	if err := os.Link(filepath.Join(dir, "keys.json"), filepath.Join(copied, "keys.json")); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--data-dir", copied)
	var found page
	s.get("/v1/listings?limit=1", &found)
	if log := s.end(); found.Total < 300 || strings.Contains(log, "seeding") {
		t.Errorf("%d listings are found: %s", found.Total, log)
	}
	if _, err := openData(t, copied).Listings.Insert(t.Context(), directory.Listing{ID: "new"}); err != nil {
		t.Fatal(err)
	}
	e := command(t.Context(), "migrate", "--data-dir", dir, "--to", copied)
	if e.code != 1 || strings.Count(e.err, "\n") != 1 || !strings.Contains(e.err, "name one that is empty") || e.out != "" {
		t.Errorf("an older store over a newer one: code %d, %s%s", e.code, e.out, e.err)
	}
	there := sums(t, "--data-dir", copied, "--to", dir)
	if there["listings"] == first["listings"] || there["accounts"] != first["accounts"] {
		t.Errorf("what came back is %v", there)
	}
}

func TestMigrateRefuses(t *testing.T) {
	dir := seeded(t)
	other := seeded(t)
	if _, err := openData(t, other).Listings.Insert(t.Context(), directory.Listing{ID: "other"}); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	succeed(t, "recount", "--data-dir", empty) // makes a store
	linked := filepath.Join(t.TempDir(), "linked")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	away := "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=20"
	for what, c := range map[string]struct{ from, to, want string }{
		"itself":                    {dir, dir, "that is copied"},
		"itself by a link":          {dir, linked, "that is copied"},
		"nothing":                   {dir, "", "--to"},
		"something else":            {dir, "s3://bucket", "--to"},
		"a file":                    {dir, filepath.Join(dir, "keys.json"), "data folder"},
		"another store":             {dir, other, "name one that is empty"},
		"from an empty one":         {empty, filepath.Join(t.TempDir(), "x"), "is empty"},
		"MongoDB that is away":      {dir, away, "--to: "},
		"a password that is spoilt": {dir, "mongodb://user:geh%zzeim@127.0.0.1/", "--to: mongo: open: the user and the password"},
		"one with a slash":          {dir, "mongodb://user:geh/eim@127.0.0.1/", "--to: "},
		"one with a colon":          {dir, "mongodb://user:geh:eim@127.0.0.1/", "--to: "},
		"one with an at sign":       {dir, "mongodb://user:geh@eim@127.0.0.1/", "--to: "},
		"a bad option":              {dir, "mongodb://user:geheim@127.0.0.1/?w=-5", "--to: mongo: open: "},
		"no host":                   {dir, "mongodb://user:geheim@", "--to: "},
		"away with a password":      {dir, strings.Replace(away, "://", "://user:geheim@", 1), "--to: "},
	} {
		t.Run(what, func(t *testing.T) {
			e := command(t.Context(), "migrate", "--data-dir", c.from, "--to="+c.to)
			if e.code != 1 || e.out != "" || strings.Count(e.err, "\n") != 1 || !strings.Contains(e.err, c.want) {
				t.Errorf("code %d, no %q:\n%s%s", e.code, c.want, e.out, e.err)
			}
			if strings.Contains(e.err, "geh") || strings.Contains(e.err, "eim") {
				t.Errorf("the password is in %s", e.err)
			}
		})
	}
}

// TestMigrateWhileServersRun writes all the time.
func TestMigrateWhileServersRun(t *testing.T) {
	t.Parallel()
	dir, copied := seeded(t), t.TempDir()
	st := openData(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan error, 1)
	go func() {
		var err error
		for n := 0; err == nil; n++ {
			_, err = st.Meta.Upsert(ctx, []store.Mark{{Name: fmt.Sprint("mark", n%5), Value: fmt.Sprint(n)}})
		}
		written <- err
	}()
	e := command(t.Context(), "migrate", "--data-dir", dir, "--to", copied)
	stop()
	if err := <-written; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if e.code != 1 || !strings.Contains(e.out, "written to meanwhile") || strings.Contains(e.out, "verified") || !strings.Contains(e.err, "not verified") {
		t.Errorf("code %d:\n%s%s", e.code, e.out, e.err)
	}
	sums(t, "--data-dir", dir, "--to", copied)
}

func TestMigrateNamesWhatDiffers(t *testing.T) {
	same, other := store.Sum{Documents: 2, Deleted: 1}, store.Sum{Documents: 2, Deleted: 1, Hash: [32]byte{1}}
	for _, c := range []struct {
		compared []store.Compared
		want     string // of the error
	}{
		{[]store.Compared{{Collection: "a", From: same, To: same}}, ""},
		{[]store.Compared{{Collection: "a", From: same, To: same}, {Collection: "b", From: same, To: other}, {Collection: "c", From: same, To: same, Moved: true}}, "not equal in b:"},
		{[]store.Compared{{Collection: "a", From: same, To: store.Sum{Documents: 1, Deleted: 2}}}, "not equal in a:"},
		{[]store.Compared{{Collection: "a", From: same, To: other, Moved: true}}, "not verified"},
		{[]store.Compared{{Collection: "a", From: same, To: same, Moved: true}}, "not verified"},
	} {
		var out strings.Builder
		err := (&migrateCommand{}).report(&console{&out, &out}, c.compared)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || strings.Contains(out.String(), "verified: ") != (err == nil) {
			t.Errorf("%v: %v\n%s", c.compared, err, &out)
		}
	}
}

func TestMigrateOutlivesKills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: killing processes takes long")
	}
	migrateUnderKills(t, filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "whole"))
}

// migrateUnderKills copies a data folder, kills the copying (SIGKILL) again and again,
// writes to the folder in between, and checks what comes of it. whole is for a copy that
// is not killed, to learn how long one takes. It returns the folder and its sums.
func migrateUnderKills(t *testing.T, to, whole string) (dir string, want map[string]string) {
	t.Helper()
	dir = seeded(t)
	listings, rounds := "1500", 6
	if racing {
		listings, rounds = "400", 4
	}
	succeed(t, "seed", "--synthetic", listings, "--ratings", "--data-dir", dir)
	start := func(to string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "migrate", "--data-dir", dir, "--to", to)
		cmd.Env = append(os.Environ(), childMark+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	begun := time.Now()
	if err := start(whole).Wait(); err != nil {
		t.Fatal(err)
	}
	takes := time.Since(begun)

	st, random, killed := openData(t, dir), rand.New(rand.NewPCG(5, 6)), 0
	for round := range rounds {
		cmd := start(to)
		time.AfterFunc(time.Duration(float64(takes)*(0.1+0.4*random.Float64())), func() { _ = cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() == -1 {
			killed++
		}
		// Some change and some go, and what a unique index holds goes from one to another.
		listings, _, err := st.Listings.Find(t.Context(), store.Query{Where: []store.Condition{store.Equal("demo", int64(1))}, Order: "updated", Limit: 6})
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range listings {
			d.Value.Summary, d.Value.UpdatedAt = fmt.Sprint("新", round), time.Now()
			_, err = st.Listings.Replace(t.Context(), d.Version, d.Value)
			if i == 0 {
				err = errors.Join(err, st.Listings.Delete(t.Context(), d.Value.ID, d.Version+1))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for n, phone := range []string{fmt.Sprint("phone ", round), fmt.Sprint("phone ", round-1)} {
			if _, err := st.Accounts.UpdateOrInsert(t.Context(), fmt.Sprint("account ", n, round%2), func(a *directory.Account) error {
				*a = directory.Account{ID: fmt.Sprint("account ", n, round%2), PhoneHash: phone + fmt.Sprint(" ", n)}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if killed < 2 {
		t.Errorf("only %d of %d were killed", killed, rounds)
	}
	want = sums(t, "--data-dir", dir, "--to", to)
	if got := sums(t, "--data-dir", dir, "--to", whole); !maps.Equal(got, want) {
		t.Errorf("a copy that was not killed has %v, one that was %v", got, want)
	}
	return dir, want
}

// newDatabase names a new database of the MongoDB to test with, which the test drops.
func newDatabase(t *testing.T) string {
	t.Helper()
	address, query, _ := strings.Cut(mongodb, "?")
	return strings.TrimSuffix(address, "/") + "/" + fault.Database(t, mongodb) + "?" + query
}

// TestMigrateToMongoAndBack goes from the embedded store to MongoDB, from there to
// another data folder and back into the first, with kills on the way.
func TestMigrateToMongoAndBack(t *testing.T) {
	if mongodb == "" {
		t.Skip("SKIPPED: MONGODB_URI names no MongoDB to test with")
	}
	database := newDatabase(t)
	dir, want := migrateUnderKills(t, database, newDatabase(t))
	t.Setenv("MONGODB_URI", database)
	back := filepath.Join(t.TempDir(), "back")
	for _, to := range []string{back, dir} {
		if got := sums(t, "--data-dir", t.TempDir(), "--to", to); !maps.Equal(got, want) {
			t.Errorf("what came back is %v, not %v", got, want)
		}
	}
	e := command(t.Context(), "migrate", "--data-dir", t.TempDir(), "--to", database)
	if e.code != 1 || !strings.Contains(e.err, "--to names the database that MONGODB_URI names") {
		t.Errorf("onto itself: code %d, %s", e.code, e.err)
	}
	// The very first copy was not used since: it goes on in MongoDB, too.
	if _, err := openData(t, back).Listings.Insert(t.Context(), directory.Listing{ID: "new"}); err != nil {
		t.Fatal(err)
	}
	os.Unsetenv("MONGODB_URI")
	if got := sums(t, "--data-dir", back, "--to", database); got["listings"] == want["listings"] || got["ratings"] != want["ratings"] {
		t.Errorf("there again is %v, before it was %v", got, want)
	}
}
