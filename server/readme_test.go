package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func readme(t *testing.T) string { return document(t, "README.md") }

func document(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReadmeExamples asks what the README asks. The answers shown there may leave
// out members of an object; all that they have must be so.
func TestReadmeExamples(t *testing.T) {
	examples := regexp.MustCompile("(?s)```sh\ncurl -s 'http://localhost:8080(/[^']*)'\n```\n(?:[^`]|`[^`])*?```json\n(.*?)```").
		FindAllStringSubmatch(readme(t), -1)
	if len(examples) != strings.Count(readme(t), "```json") || len(examples) == 0 {
		t.Fatalf("%d examples with an answer were found", len(examples))
	}
	s := serve(t, "--data-dir", seeded(t))
	for _, e := range examples {
		resp, err := http.Get(s.base + e[1])
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var shown, real any
		if err := json.Unmarshal([]byte(e[2]), &shown); err != nil {
			t.Fatalf("%s: the README shows no JSON: %v", e[1], err)
		}
		if err := json.Unmarshal(body, &real); err != nil {
			t.Fatalf("%s: %v", e[1], err)
		}
		if at := differs("", shown, real); at != "" {
			t.Errorf("%s: the answer is not what the README shows at %s:\n%s", e[1], at, body)
		}
	}
	s.end()
}

// differs returns where real has not what is shown, "" if it has it all.
func differs(at string, shown, real any) string {
	switch s := shown.(type) {
	case map[string]any:
		r, _ := real.(map[string]any)
		for name, v := range s {
			if _, ok := r[name]; !ok {
				return at + "/" + name
			}
			if d := differs(at+"/"+name, v, r[name]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		r, _ := real.([]any)
		if len(r) != len(s) {
			return at
		}
		for i := range s {
			if d := differs(fmt.Sprintf("%s/%d", at, i), s[i], r[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(shown, real) {
		return at
	}
	return ""
}

// TestReadmeSignsIn runs the README's commands from asking for a code to signing
// out, with what the answers say in the place of its variables.
func TestReadmeSignsIn(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIPPED: the README's sign-in needs curl")
	}
	_, section, _ := strings.Cut(readme(t), "\n## Signing in\n")
	section, _, _ = strings.Cut(section, "\n## ")
	s := serve(t, "--data-dir", seeded(t))
	variables := []string{}
	ran := 0
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		line = regexp.MustCompile(`\$\(go run \./server totp (\w+)\)`).ReplaceAllStringFunc(line, func(command string) string {
			secret := strings.TrimSuffix(command[strings.LastIndex(command, " ")+1:], ")")
			return strings.TrimSpace(succeed(t, "totp", secret).out)
		})
		line = strings.NewReplacer("curl -s", "curl -sS --fail-with-body", "localhost:8080", s.base).Replace(line)
		shell := exec.CommandContext(t.Context(), "sh", "-c", line)
		shell.Env = append(os.Environ(), variables...)
		out, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		var answer struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if len(out) > 0 {
			if err := json.Unmarshal(out, &answer); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
		}
		if strings.Contains(line, "/v1/auth/codes") {
			s.until("the log shows the code", func() bool { return len(s.codes()) > 0 })
			variables = append(variables, "CODE="+s.codes()[0])
		}
		if answer.Access != "" {
			variables = append(variables, "TOKEN="+answer.Access, "REFRESH="+answer.Refresh)
		}
		ran++
	}
	if ran < 7 {
		t.Errorf("only %d commands were found", ran)
	}
	s.end()
}

// TestSettingsAreAllDescribed compares the table with the program's own help.
func TestSettingsAreAllDescribed(t *testing.T) {
	help := succeed(t, "serve", "--help").out
	names := regexp.MustCompile(`\$([A-Z_]+)`).FindAllStringSubmatch(help, -1)
	if len(names) == 0 {
		t.Fatal("the help names no variable")
	}
	inHelp := map[string]bool{}
	for _, n := range names {
		inHelp[n[1]] = true
	}
	described := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `--(\\S+)` \\| (?:`(.*?)`)? *\\|").FindAllStringSubmatch(document(t, "docs/settings.md"), -1) {
		name, flag, fallback := row[1], row[2], row[3]
		described[name] = true
		if !strings.Contains(help, "--"+flag) {
			t.Errorf("docs/settings.md: serve has no flag --%s", flag)
		}
		if fallback != "" && fallback != "true" && !strings.Contains(help, "--"+flag+"="+fallback) && !strings.Contains(help, "--"+flag+"=\""+fallback+"\"") {
			t.Errorf("docs/settings.md: the default of %s is not %s", name, fallback)
		}
	}
	if !reflect.DeepEqual(inHelp, described) {
		t.Errorf("serve has the settings %v, docs/settings.md has %v", inHelp, described)
	}
}

// TestReadmeNamesRealFiles keeps the picture and the lists of steps true.
func TestReadmeNamesRealFiles(t *testing.T) {
	files := regexp.MustCompile(`[a-z_]+(?:/[a-z_]+)*/[a-z_-]+\.(?:go|md|txt)\b`).FindAllString(readme(t), -1)
	if len(files) < 20 {
		t.Fatalf("only %d names of files were found", len(files))
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join("..", f)); err != nil {
			t.Errorf("README.md names %s: %v", f, err)
		}
	}
}
