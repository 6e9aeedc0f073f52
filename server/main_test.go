package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestMain takes the settings of whoever runs the tests out of the environment.
func TestMain(m *testing.M) {
	mongodb = os.Getenv("MONGODB_URI")
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "QINGFU_") || strings.HasPrefix(name, "MEILI_") || name == "MONGODB_URI" {
			os.Unsetenv(name)
		}
	}
	if os.Getenv(childMark) != "" { // a server of its own, for tests that kill it
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	code := m.Run()
	if dir, err := seeding(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// mongodb is the URI of the MongoDB to test with, "" for none.
var mongodb string

// mongodbOrSkip returns it, or skips the test.
func mongodbOrSkip(t *testing.T) string {
	t.Helper()
	if mongodb == "" {
		t.Skip("SKIPPED: MONGODB_URI names no MongoDB to test with")
	}
	if os.Getenv("MONGODB_IS") == "ferretdb" {
		t.Skip("SKIPPED: ferretdb takes one connection, and its updates on a condition are not atomic")
	}
	return mongodb
}

// childMark is the variable that makes the test program be the program itself.
const childMark = "TEST_IS_THE_SERVER"

// ended is what a command left behind.
type ended struct {
	code     int
	out, err string
}

func command(ctx context.Context, args ...string) ended {
	var out, err bytes.Buffer
	code := run(ctx, args, &out, &err)
	return ended{code, out.String(), err.String()}
}

// succeed runs a command that has to.
func succeed(t *testing.T, args ...string) ended {
	t.Helper()
	e := command(t.Context(), args...)
	if e.code != 0 {
		t.Fatalf("server %s: code %d, %s", strings.Join(args, " "), e.code, e.err)
	}
	return e
}

func TestHelpNamesCommandsAndSettings(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"serve", "seed", "import", "health", "grant", "revoke", "keys", "reindex", "青服"}},
		{[]string{"serve", "--help"}, []string{"QINGFU_ADDR", "QINGFU_DATA_DIR", "QINGFU_ENV", "QINGFU_DEMO", "QINGFU_LOG", "MONGODB_URI", "MEILI_URL", "MEILI_KEY"}},
		{[]string{"import", "--help"}, []string{"<file>", "QINGFU_DATA_DIR"}},
	} {
		e := succeed(t, c.args...)
		for _, w := range c.want {
			if !strings.Contains(e.out, w) {
				t.Errorf("server %s does not say %s:\n%s", strings.Join(c.args, " "), w, e.out)
			}
		}
		if e.err != "" {
			t.Errorf("server %s wrote to stderr: %s", strings.Join(c.args, " "), e.err)
		}
	}
}

func TestVersion(t *testing.T) {
	if e := succeed(t, "--version"); e.out != version+"\n" {
		t.Errorf("the version is %q, printed is %q", version, e.out)
	}
}

// TestBadSettingIsOneLine covers everything that can be wrong before a command
// does its work.
func TestBadSettingIsOneLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "qingfu.db"), []byte(strings.Repeat("no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args string
		env  string
		want string
	}{
		"unknown command":        {"sereve", "", "sereve"},
		"unknown flag":           {"serve --adr :80", "", "--adr"},
		"flag without value":     {"serve --addr", "", "--addr"},
		"address without port":   {"serve --addr localhost", "", "QINGFU_ADDR"},
		"address from outside":   {"serve", "QINGFU_ADDR=8080", "QINGFU_ADDR"},
		"port too large":         {"serve --addr :65536", "", "65535"},
		"port by name":           {"serve --addr :http", "", "65535"},
		"port in use":            {"serve --addr " + taken.Addr().String(), "", "address already in use"},
		"address of others":      {"serve --addr 192.0.2.1:8080", "", "QINGFU_ADDR"},
		"folder below a file":    {"serve --addr 127.0.0.1:0 --data-dir " + file + "/data", "", "data folder"},
		"folder is a file":       {"seed --data-dir " + file, "", "data folder"},
		"file of others":         {"serve --addr 127.0.0.1:0 --data-dir " + foreign, "", "not a SQLite database"},
		"environment":            {"serve --env test", "", "production"},
		"environment by env":     {"serve", "QINGFU_ENV=prod", "production"},
		"log level":              {"serve --log loud", "", "--log"},
		"log level by env":       {"serve", "QINGFU_LOG=loud", "QINGFU_LOG"},
		"demo":                   {"serve", "QINGFU_DEMO=maybe", "QINGFU_DEMO"},
		"MongoDB that is away":   {"serve --addr 127.0.0.1:0", "MONGODB_URI=mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=20", "MONGODB_URI"},
		"MongoDB away in seed":   {"seed", "MONGODB_URI=mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=20", "MONGODB_URI"},
		"MongoDB of no address":  {"seed", "MONGODB_URI=localhost", "MONGODB_URI"},
		"Meilisearch":            {"serve", "MEILI_URL=localhost:7700", "MEILI_URL"},
		"Meilisearch, doctor":    {"doctor --meili-url search", "", "MEILI_URL"},
		"key without its server": {"reindex", "MEILI_KEY=key", "MEILI_KEY"},
		"public address":         {"serve --public-url qingfu.cn", "", "QINGFU_PUBLIC_URL"},
		"public address, path":   {"serve --public-url https://qingfu.cn/api", "", "QINGFU_PUBLIC_URL"},
		"proxies":                {"serve --trusted-proxies 10.0.0.0/33", "", "--trusted-proxies"},
		"read limit":             {"serve --read-limit=-1", "", "QINGFU_READ_LIMIT"},
		"photos":                 {"serve --photos-url http://photos", "", "QINGFU_PHOTOS_URL"},
		"photos without bucket":  {"serve", "QINGFU_PHOTOS_URL=s3://", "QINGFU_PHOTOS_URL"},
		"no messages":            {"serve --sms-per-hour 0", "", "QINGFU_SMS_PER_HOUR"},
		"sender":                 {"serve --sms pigeon", "", "--sms"},
		"role":                   {"grant --phone 13800138000 --role king", "", "--role"},
		"grant without a phone":  {"grant --role admin", "", "--phone"},
		"totp of nothing":        {"totp", "", "<secret>"},
		"number":                 {"seed --synthetic many", "", "--synthetic"},
		"negative number":        {"seed --synthetic=-1", "", "negative"},
		"negative seed":          {"seed --synthetic=1 --seed=-1", "", "--seed"},
		"synthetic production":   {"seed --synthetic 1 --env production", "", "production"},
		"import without file":    {"import", "", "<file>"},
		"import of a missing":    {"import " + file + ".ndjson", "", "no such file"},
		"import of a folder":     {"import " + foreign + "/", "", "is a directory"},
		"migrate to nowhere":     {"migrate", "", "--to"},
		"migrate of nothing":     {"migrate --to " + foreign + "/copy", "", "holds no store"},
		"migrate to others":      {"migrate --to postgres://u:secret@db/qingfu", "", "--to"},
		"migrate to itself":      {"migrate --to mongodb://u:secret@a,B:27017/d", "MONGODB_URI=mongodb://b,a/d?tls=true", "MONGODB_URI"},
		"health without server":  {"health --addr 127.0.0.1:1", "", "refused"},
		"health of no address":   {"health --addr here", "", "QINGFU_ADDR"},
		"more than one argument": {"import a b", "", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			t.Setenv("QINGFU_DATA_DIR", data)
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			e := command(t.Context(), strings.Fields(c.args)...)
			if e.code != 1 {
				t.Errorf("code %d, not 1", e.code)
			}
			if e.out != "" {
				t.Errorf("wrote to stdout: %s", e.out)
			}
			if strings.Count(e.err, "\n") != 1 || !strings.HasSuffix(e.err, "\n") || !strings.Contains(e.err, c.want) {
				t.Errorf("stderr is not one line with %q:\n%s", c.want, e.err)
			}
			if _, err := os.Stat(data); err == nil && name != "import of a folder" {
				t.Error("a data folder was made all the same")
			}
		})
	}
}

func TestFlagWinsOverEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flag")
	t.Setenv("QINGFU_DATA_DIR", filepath.Join(t.TempDir(), "env"))
	succeed(t, "seed", "--data-dir", dir)
	if _, err := os.Stat(filepath.Join(dir, "qingfu.db")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(os.Getenv("QINGFU_DATA_DIR")); err == nil {
		t.Error("the folder of the environment was made, too")
	}
}

// seeding makes the folder that seeded copies, once.
var seeding = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "seeded")
	if err == nil {
		if e := command(context.Background(), "seed", "--data-dir", dir); e.code != 0 {
			err = errors.New(e.err)
		}
	}
	return dir, err
})

// seeded is a data folder as the first start of a server leaves it, for tests of what
// comes after: the first start itself takes long.
func seeded(t *testing.T) string {
	t.Helper()
	from, err := seeding()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := errors.Join(os.CopyFS(dir, os.DirFS(from)), os.Chmod(filepath.Join(dir, "keys.json"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}
