package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"qingfu/auth"
	"qingfu/photos"
	"qingfu/sheets"
)

// composeFile is as much of compose.yaml as is compared with the rest.
type composeFile struct {
	Services                   map[string]composeService
	Networks, Volumes, Secrets map[string]struct {
		File string
	}
}

type composeService struct {
	Image                      string
	Environment                map[string]string
	Secrets, Volumes, Networks []string
	Entrypoint, Command        []string
	DependsOn                  map[string]any `yaml:"depends_on"`
	Healthcheck                struct{ Test []string }
}

func compose(t *testing.T) composeFile {
	t.Helper()
	var c composeFile
	if err := yaml.Unmarshal([]byte(document(t, "compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 8 || len(c.Secrets) < 8 {
		t.Fatalf("only %d services and %d secrets were found", len(c.Services), len(c.Secrets))
	}
	return c
}

// madeByHand are folders that are mounted and not in the repository.
var madeByHand = []string{"./deploy/certs"}

// TestComposeFitsTogether: what a service uses is declared, and what is declared is used.
func TestComposeFitsTogether(t *testing.T) {
	c := compose(t)
	secrets, volumes, networks := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for name, s := range c.Services {
		for _, secret := range s.Secrets {
			secrets[secret] = true
		}
		for _, network := range s.Networks {
			networks[network] = true
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(source, "./") {
				volumes[source] = true
			} else if _, err := os.Stat(filepath.Join("..", source)); err != nil && !slices.Contains(madeByHand, source) {
				t.Errorf("%s mounts %s: %v", name, source, err)
			}
		}
		for other := range s.DependsOn {
			if _, ok := c.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, other)
			}
		}
		for _, text := range slices.Concat(s.Entrypoint, s.Command, slices.Collect(maps.Values(s.Environment))) {
			if secret, ok := strings.CutPrefix(text, "/run/secrets/"); ok && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s reads the secret %s and is not given it", name, secret)
			}
		}
		if !regexp.MustCompile(`:v?\d+\.\d+\.\d+`).MatchString(s.Image) && !strings.HasPrefix(s.Image, "qingfu:") {
			t.Errorf("%s: the version of the image %s is not fixed", name, s.Image)
		}
		if len(s.Healthcheck.Test) == 0 && name != "mongo-init" {
			t.Errorf("%s has no health check", name)
		}
	}
	for what, pair := range map[string][2][]string{
		"secrets":  {slices.Sorted(maps.Keys(secrets)), slices.Sorted(maps.Keys(c.Secrets))},
		"volumes":  {slices.Sorted(maps.Keys(volumes)), slices.Sorted(maps.Keys(c.Volumes))},
		"networks": {slices.Sorted(maps.Keys(networks)), slices.Sorted(maps.Keys(c.Networks))},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s used are %v, declared are %v", what, pair[0], pair[1])
		}
	}
}

// goSettings are variables that the Go runtime reads.
var goSettings = []string{"GOMEMLIMIT"}

// checkSettings reports variables that no command reads.
func checkSettings(t *testing.T, where string, variables []string) {
	t.Helper()
	names := settingNames(t)
	for _, name := range variables {
		if !names[name] && !names[strings.TrimSuffix(name, "_FILE")] && !slices.Contains(goSettings, name) {
			t.Errorf("%s sets %s, which is no setting", where, name)
		}
	}
}

// TestComposeStartsForProduction starts a server with the settings of compose.yaml, the
// variables of deploy/env.example and secrets of deploy/make-secrets. It has to come as
// far as the database, which is not there.
func TestComposeStartsForProduction(t *testing.T) {
	folder := makeSecrets(t)
	c := compose(t)
	first, second := c.Services["server-1"].Environment, c.Services["server-2"].Environment
	if !maps.Equal(first, second) {
		t.Errorf("the servers have different settings: %v and %v", first, second)
	}
	checkSettings(t, "compose.yaml", slices.Collect(maps.Keys(first)))

	example := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`).FindAllStringSubmatch(document(t, "deploy/env.example"), -1) {
		example[line[1]] = line[2]
	}
	variable := regexp.MustCompile(`\$\{([A-Z_]+)[^}]*\}`)
	used := map[string]bool{}
	for _, found := range variable.FindAllStringSubmatch(document(t, "compose.yaml"), -1) {
		used[found[1]] = true
		if example[found[1]] == "" {
			t.Errorf("deploy/env.example has no %s", found[1])
		}
	}
	if len(used) != len(example) {
		t.Errorf("deploy/env.example has %v, compose.yaml uses %v", example, used)
	}

	for name, value := range first {
		if slices.Contains(goSettings, name) {
			continue
		}
		value = variable.ReplaceAllStringFunc(value, func(v string) string { return example[variable.FindStringSubmatch(v)[1]] })
		t.Setenv(name, strings.ReplaceAll(value, "/run/secrets/", folder+"/secrets/"))
	}
	uri, err := os.ReadFile(filepath.Join(folder, "secrets", "mongodb_uri"))
	if err != nil {
		t.Fatal(err)
	}
	away := strings.Replace(strings.TrimSpace(string(uri)), "@mongo-1,mongo-2,mongo-3/", "@127.0.0.1:1/", 1) + "&serverSelectionTimeoutMS=20"
	t.Setenv("MONGODB_URI_FILE", secretFile(t, away))
	e := command(t.Context(), "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir())
	if e.code != 1 || !strings.HasPrefix(e.err, "server: MONGODB_URI: ") || !strings.Contains(e.err, "127.0.0.1:1") {
		t.Errorf("code %d; it ended before the database:\n%s", e.code, e.err)
	}
	password, err := os.ReadFile(filepath.Join(folder, "secrets", "mongo_password"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(e.err, strings.TrimSpace(string(password))) {
		t.Error("the password of the database is in the error")
	}
}

// makeSecrets runs deploy/make-secrets in a copy of its folder.
func makeSecrets(t *testing.T) (folder string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED: deploy/make-secrets needs openssl")
	}
	folder = t.TempDir()
	script := filepath.Join(folder, "make-secrets")
	if err := os.WriteFile(script, []byte(document(t, "deploy/make-secrets")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

func TestMakeSecrets(t *testing.T) {
	folder := makeSecrets(t)
	info, err := os.Stat(filepath.Join(folder, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v", info.Mode())
	}
	read := func() map[string]string {
		files, err := filepath.Glob(filepath.Join(folder, "secrets", "*"))
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[filepath.Base(path)] = string(text)
		}
		return texts
	}
	made := read()
	var wanted []string
	for _, secret := range compose(t).Secrets {
		wanted = append(wanted, strings.TrimPrefix(secret.File, "./deploy/secrets/"))
	}
	slices.Sort(wanted)
	if got := slices.Sorted(maps.Keys(made)); !slices.Equal(got, wanted) {
		t.Errorf("the secrets made are %v, compose.yaml has %v", got, wanted)
	}
	if _, err := auth.ParseKeyring([]byte(made["qingfu_keys"])); err != nil {
		t.Error(err)
	}
	if password := strings.TrimSpace(made["mongo_password"]); len(password) != 64 || !strings.Contains(made["mongodb_uri"], ":"+password+"@") {
		t.Error("the URI of MongoDB has not the password of its user")
	}
	if n := len(strings.Join(strings.Fields(made["mongo_keyfile"]), "")); n < 6 || n > 1024 {
		t.Errorf("MongoDB takes no key of %d characters", n)
	}

	// A second run keeps what is there, and makes what is missing.
	if err := os.Remove(filepath.Join(folder, "secrets", "meili_master_key")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(folder, "make-secrets")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	again := read()
	if len(again["meili_master_key"]) != len(made["meili_master_key"]) || again["meili_master_key"] == made["meili_master_key"] {
		t.Error("the missing secret was not made anew")
	}
	again["meili_master_key"] = made["meili_master_key"]
	if !maps.Equal(made, again) {
		t.Error("a second run changed secrets")
	}
}

func TestMeiliEntrypoint(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("SKIPPED: deploy/meili-entrypoint needs a shell")
	}
	start := func(secret string) ([]byte, error) {
		return exec.CommandContext(t.Context(), shell, "../deploy/meili-entrypoint", secret, shell, "-c", `printf %s "$MEILI_MASTER_KEY"`).Output()
	}
	if out, err := start(secretFile(t, "the key\n")); err != nil || string(out) != "the key" {
		t.Errorf("it starts with the key %q, %v", out, err)
	}
	for what, secret := range map[string]string{"an empty secret": secretFile(t, "\n"), "no secret": filepath.Join(t.TempDir(), "none")} {
		if out, err := start(secret); err == nil {
			t.Errorf("with %s it starts with the key %q", what, out)
		}
	}
}

// TestProxyKnowsItsServers compares deploy/Caddyfile with compose.yaml and the contract.
func TestProxyKnowsItsServers(t *testing.T) {
	c, file := compose(t), document(t, "deploy/Caddyfile")
	for _, v := range regexp.MustCompile(`\{\$([A-Z_]+)\}`).FindAllStringSubmatch(file, -1) {
		if _, ok := c.Services["proxy"].Environment[v[1]]; !ok {
			t.Errorf("deploy/Caddyfile uses %s, which compose.yaml does not hand on", v[1])
		}
	}
	upstreams := regexp.MustCompile(`reverse_proxy (.+) \{`).FindStringSubmatch(file)
	if upstreams == nil {
		t.Fatal("deploy/Caddyfile has no reverse_proxy")
	}
	var want []string
	for name := range c.Services {
		if strings.HasPrefix(name, "server-") {
			want = append(want, name+":8080")
		}
	}
	slices.Sort(want)
	if got := strings.Fields(upstreams[1]); !slices.Equal(got, want) {
		t.Errorf("the proxy has the servers %v, compose.yaml has %v", got, want)
	}
	limit := regexp.MustCompile(`max_size (\d+)MiB`).FindStringSubmatch(file)
	if limit == nil {
		t.Fatal("deploy/Caddyfile has no max_size")
	}
	if n, err := strconv.Atoi(limit[1]); err != nil || n<<20 < max(sheets.MaxBytes, photos.MaxBytes) {
		t.Errorf("the proxy lets %s MiB pass, the servers take tables of %d bytes and photos of %d", limit[1], sheets.MaxBytes, photos.MaxBytes)
	}
	for _, path := range regexp.MustCompile(`(?m)^\s+(?:health_uri|@inside path) (/\S+)$`).FindAllStringSubmatch(file, -1) {
		if !strings.Contains(document(t, "openapi.yaml"), "\n  "+path[1]+":\n") {
			t.Errorf("deploy/Caddyfile names %s, which no server answers", path[1])
		}
	}
}
