package main

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parseLine reads a command line as run does.
func parseLine(t *testing.T, args ...string) (*commands, error) {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Vars{"version": version}, kong.Resolvers(kong.ResolverFunc(fromFile)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return &c, err
}

// settingNames are the variables of all commands.
func settingNames(t *testing.T) map[string]bool {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Vars{"version": version})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	var visit func(*kong.Node)
	visit = func(n *kong.Node) {
		for _, f := range n.Flags {
			for _, name := range f.Envs {
				names[name] = true
			}
		}
		for _, child := range n.Children {
			visit(child)
		}
	}
	visit(parser.Model.Node)
	return names
}

// TestFileNamesDoNotClash: NAME_FILE must not be a setting of its own.
func TestFileNamesDoNotClash(t *testing.T) {
	names := settingNames(t)
	if len(names) < 20 {
		t.Fatalf("only %d settings were found", len(names))
	}
	for name := range names {
		if names[name+"_FILE"] {
			t.Errorf("%s_FILE is the file of %s and a setting of its own", name, name)
		}
	}
}

// secretFile writes a file and returns its path.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingFromFile(t *testing.T) {
	for name, c := range map[string]struct {
		variable, text string
		args           []string
		got            func(*commands) any
		want           any
	}{
		"text":              {"MONGODB_URI", "mongodb://u:p@db/q", nil, func(c *commands) any { return c.Serve.MongodbURI }, "mongodb://u:p@db/q"},
		"newline":           {"MEILI_KEY", "key\n", nil, func(c *commands) any { return c.Serve.MeiliKey }, "key"},
		"carriage return":   {"MEILI_KEY", "key\r\n", nil, func(c *commands) any { return c.Serve.MeiliKey }, "key"},
		"spaces belong":     {"MEILI_KEY", " key ", nil, func(c *commands) any { return c.Serve.MeiliKey }, " key "},
		"several lines":     {"QINGFU_KEYS", "{\n}\n", nil, func(c *commands) any { return c.Serve.Keys }, "{\n}"},
		"number":            {"QINGFU_READ_LIMIT", "7\n", nil, func(c *commands) any { return c.Serve.ReadLimit }, int64(7)},
		"negatable switch":  {"QINGFU_DEMO", "false\n", nil, func(c *commands) any { return c.Serve.Demo }, false},
		"enumeration":       {"QINGFU_SMS", "webhook\n", nil, func(c *commands) any { return c.Serve.SMS }, "webhook"},
		"other command":     {"MONGODB_URI", "mongodb://db\n", []string{"seed"}, func(c *commands) any { return c.Seed.MongodbURI }, "mongodb://db"},
		"nested command":    {"MONGODB_URI", "mongodb://db\n", []string{"keys", "reseal"}, func(c *commands) any { return c.Keys.Reseal.MongodbURI }, "mongodb://db"},
		"flag wins":         {"MEILI_KEY", "key\n", []string{"serve", "--meili-key", "flag"}, func(c *commands) any { return c.Serve.MeiliKey }, "flag"},
		"flag, empty file":  {"MEILI_KEY", "", []string{"serve", "--meili-key", "flag"}, func(c *commands) any { return c.Serve.MeiliKey }, "flag"},
		"not its setting":   {"MEILI_KEY", "", []string{"seed"}, func(c *commands) any { return c.Serve.MeiliKey }, ""},
		"file of file":      {"QINGFU_KEY_FILE", "/etc/qingfu/keys.json\n", nil, func(c *commands) any { return c.Serve.KeyFile }, "/etc/qingfu/keys.json"},
		"list":              {"QINGFU_TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8\n", nil, func(c *commands) any { return len(c.Serve.TrustedProxies) }, 2},
		"default otherwise": {"MEILI_KEY", "key", nil, func(c *commands) any { return c.Serve.Addr }, ":8080"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(c.variable+"_FILE", secretFile(t, c.text))
			commands, err := parseLine(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.got(commands); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s is %#v, want %#v", c.variable, got, c.want)
			}
		})
	}
}

// TestEmptyVariablesAreNotSet: container tools pass on what nobody has set as empty.
func TestEmptyVariablesAreNotSet(t *testing.T) {
	t.Setenv("MEILI_KEY", "")
	t.Setenv("MEILI_KEY_FILE", secretFile(t, "key"))
	if c, err := parseLine(t); err != nil || c.Serve.MeiliKey != "key" {
		t.Errorf("beside an empty variable the file gives %q, %v", c.Serve.MeiliKey, err)
	}
	t.Setenv("MEILI_KEY", "variable")
	t.Setenv("MEILI_KEY_FILE", "")
	if c, err := parseLine(t); err != nil || c.Serve.MeiliKey != "variable" {
		t.Errorf("beside an empty name of a file the variable gives %q, %v", c.Serve.MeiliKey, err)
	}
}

// TestBadFileIsOneLine: the line names the variable and shows nothing of the file.
func TestBadFileIsOneLine(t *testing.T) {
	const secret = "geheim"
	for name, c := range map[string]struct {
		args, variable, path, also string
	}{
		"both are set":        {"seed --no-demo", "QINGFU_LOG", secretFile(t, "info"), "QINGFU_LOG=info"},
		"both, with secrets":  {"seed", "MONGODB_URI", secretFile(t, secret), "MONGODB_URI=mongodb://" + secret},
		"no such file":        {"seed", "MONGODB_URI", filepath.Join(t.TempDir(), "none"), ""},
		"a folder":            {"serve", "MEILI_KEY", t.TempDir(), ""},
		"an empty file":       {"keys reseal", "QINGFU_KEYS", secretFile(t, "\n"), ""},
		"no number":           {"serve", "QINGFU_READ_LIMIT", secretFile(t, secret+"\n"+secret), ""},
		"no switch":           {"serve", "QINGFU_DEMO", secretFile(t, secret), ""},
		"no network":          {"serve", "QINGFU_TRUSTED_PROXIES", secretFile(t, secret), ""},
		"not of enumeration":  {"seed", "QINGFU_ENV", secretFile(t, secret), ""},
		"no level":            {"keys reseal", "QINGFU_LOG", secretFile(t, secret), ""},
		"keys that are wrong": {"serve --addr 127.0.0.1:0", "QINGFU_KEYS", secretFile(t, `{"lookup": "`+secret+`"}`), ""},
		"no text":             {"health", "QINGFU_ADDR", filepath.Join(t.TempDir(), "none"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("QINGFU_DATA_DIR", filepath.Join(t.TempDir(), "data"))
			t.Setenv(c.variable+"_FILE", c.path)
			if variable, value, ok := strings.Cut(c.also, "="); ok {
				t.Setenv(variable, value)
			}
			e := command(t.Context(), strings.Fields(c.args)...)
			if e.code != 1 || e.out != "" || strings.Count(e.err, "\n") != 1 || !strings.Contains(e.err, c.variable) {
				t.Errorf("code %d, stdout %q, stderr is not one line with %s:\n%s", e.code, e.out, c.variable, e.err)
			}
			if strings.Contains(e.err, secret) {
				t.Errorf("what was set is shown: %s", e.err)
			}
		})
	}
}

// TestKeysFromAFile starts a server whose keys are mounted as a secret that everybody
// in its container may read, and finds the same data again by a command.
func TestKeysFromAFile(t *testing.T) {
	t.Setenv("QINGFU_KEYS_FILE", secretFile(t, `{"lookup":"`+otherKey+`","keys":[{"id":"1","secret":"`+otherKey+`"}]}`+"\n"))
	dir := t.TempDir()
	s := serve(t, "--data-dir", dir, "--no-demo")
	s.signIn("13812345678")
	succeed(t, "grant", "--phone", "13812345678", "--role", "admin", "--data-dir", dir)
	ask(s, "/v1/listings", "", http.StatusOK)
	s.end()
	if _, err := os.Stat(filepath.Join(dir, "keys.json")); err == nil {
		t.Error("keys were made beside the data")
	}
}
