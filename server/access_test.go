package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// production is how a server is started in production, without its data folder.
func production(t *testing.T) []string {
	return []string{
		"serve", "--env", "production", "--public-url", "https://qingfu.example", "--key-file", filepath.Join(t.TempDir(), "keys.json"),
		"--sms", "webhook", "--sms-webhook-url", "https://sms.example/send", "--sms-webhook-secret", "a secret of some length", "--trusted-proxies", "10.0.0.0/8",
	}
}

func TestProductionNamesEveryDevelopmentDefault(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	e := command(t.Context(), "serve", "--env", "production", "--addr", "127.0.0.1:0", "--data-dir", data, "--meili-url", "http://search:7700")
	if e.code != 1 || strings.Count(e.err, "\n") != 1 {
		t.Fatalf("code %d, %s", e.code, e.err)
	}
	for _, name := range []string{"QINGFU_SMS ", "QINGFU_PUBLIC_URL", "QINGFU_KEYS", "QINGFU_KEY_FILE", "QINGFU_TRUSTED_PROXIES", "MEILI_KEY"} {
		if !strings.Contains(e.err, name) {
			t.Errorf("%s is not named: %s", name, e.err)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a data folder was made all the same")
	}
	for _, broken := range [][2]string{{"--public-url", "http://qingfu.example"}, {"--sms-webhook-url", "http://sms.example"}, {"--sms-webhook-secret", "short"}} {
		args := production(t)
		for i := range args {
			if args[i] == broken[0] {
				args[i+1] = broken[1]
			}
		}
		if e := command(t.Context(), append(args, "--addr", "127.0.0.1:0", "--data-dir", t.TempDir())...); e.code != 1 || strings.Count(e.err, "\n") != 1 {
			t.Errorf("%v: code %d, %s", broken, e.code, e.err)
		}
	}
}

// post sends JSON and returns the members of the answer.
func (s *served) post(path, token string, body any, status int) map[string]any {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", s.base+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if resp.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			s.t.Fatal(err)
		}
	}
	if resp.StatusCode != status {
		s.t.Fatalf("%s: %s, want %d: %v", path, resp.Status, status, answer)
	}
	return answer
}

var codeInLog = regexp.MustCompile(`phone=(\S+).* code=(\d{6})|code=(\d{6}).* phone=(\S+)`)

// codes returns the codes that the log shows, the last one last.
func (s *served) codes() (codes []string) {
	for _, found := range codeInLog.FindAllStringSubmatch(s.logged(), -1) {
		codes = append(codes, found[2]+found[3])
	}
	return codes
}

// askForCode asks for a code and returns it once the log shows it, which may be
// after the answer.
func (s *served) askForCode(ask func()) string {
	s.t.Helper()
	before := len(s.codes())
	ask()
	s.until("the log shows a code", func() bool { return len(s.codes()) > before })
	codes := s.codes()
	return codes[len(codes)-1]
}

// signIn signs somebody in and returns the tokens.
func (s *served) signIn(phone string) map[string]any {
	s.t.Helper()
	code := s.askForCode(func() {
		s.post("/v1/auth/codes", "", map[string]string{"phone": phone}, http.StatusAccepted)
	})
	return s.post("/v1/auth/tokens", "", map[string]string{"phone": phone, "code": code}, http.StatusOK)
}

// TestAccountsFromTheCommandLine gives, uses and takes back a role on a server
// that runs, rotates its keys, and looks for phones where none may be.
func TestAccountsFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, "--data-dir", dir, "--no-demo", "--log", "debug")
	const phone = "13812345678"
	role := []string{"--phone", phone, "--role", "official", "--bureau", "民政", "--region", "630200", "--data-dir", dir}
	if e := succeed(t, append([]string{"grant", "--powers", "review,complaints"}, role...)...); !strings.Contains(e.out, "official civil_affairs 630200 +review +complaints") {
		t.Errorf("grant says %q", e.out)
	}
	access, _ := s.signIn(phone)["access_token"].(string)
	secret, _ := s.post("/v1/me/second-factor", access, map[string]any{}, http.StatusCreated)["secret"].(string)
	code := strings.TrimSpace(succeed(t, "totp", secret).out)
	put(s, "/v1/me/second-factor", access, `{"code":"`+code+`"}`, http.StatusOK)
	ask(s, "/v1/audit", access, http.StatusOK)

	// New keys: what was signed and sealed before stays good.
	succeed(t, "keys", "rotate-signing", "--data-dir", dir)
	if e := succeed(t, "keys", "rotate-data", "--data-dir", dir); !strings.Contains(e.out, "sealed anew: 3") { // an account and two signing keys
		t.Errorf("rotate-data says %q", e.out)
	}
	ask(s, "/v1/audit", access, http.StatusOK)
	ask(s, "/v1/me", access, http.StatusOK)

	succeed(t, append([]string{"revoke"}, role...)...)
	ask(s, "/v1/audit", access, http.StatusForbidden)
	succeed(t, "reset-second-factor", "--phone", phone, "--data-dir", dir)
	for what, args := range map[string][]string{
		"a grant without powers": append([]string{"grant"}, role...),
		"a role that is gone":    append([]string{"revoke"}, role...),
		"nobody's phone":         {"revoke", "--phone", "13912345678", "--role", "admin", "--data-dir", dir},
		"no phone":               {"grant", "--phone", "12345", "--role", "admin", "--data-dir", dir},
	} {
		if e := command(t.Context(), args...); e.code != 1 || strings.Count(e.err, "\n") != 1 {
			t.Errorf("%s: code %d, %s", what, e.code, e.err)
		}
	}

	log := s.end()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept := log
	for _, f := range files {
		if f.IsDir() {
			continue // of photos
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		kept += string(text)
	}
	if strings.Contains(kept, phone) || strings.Contains(kept, secret) {
		t.Error("a phone or a secret stands in clear in the data folder or the log")
	}
	if !strings.Contains(log, "138****5678") {
		t.Errorf("the log does not say whose code it shows:\n%s", log)
	}

	// Other keys than those of the data are refused, and none are made anew.
	start := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", dir}
	if e := command(t.Context(), append(start, "--key-file", filepath.Join(t.TempDir(), "keys.json"))...); e.code != 1 || !strings.Contains(e.err, "is missing") {
		t.Errorf("with a file that is not there: code %d, %s", e.code, e.err)
	}
	if err := os.Remove(filepath.Join(dir, "keys.json")); err != nil {
		t.Fatal(err)
	}
	if e := command(t.Context(), start...); e.code != 1 || !strings.Contains(e.err, "is missing") {
		t.Errorf("without the keys: code %d, %s", e.code, e.err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys.json")); err == nil {
		t.Error("new keys were made")
	}
	t.Setenv("QINGFU_KEYS", `{"lookup":"`+otherKey+`","keys":[{"id":"1","secret":"`+otherKey+`"}]}`)
	if e := command(t.Context(), start...); e.code != 1 || !strings.Contains(e.err, "other keys") {
		t.Errorf("with other keys: code %d, %s", e.code, e.err)
	}
}

// otherKey is a key of 32 bytes that nothing was made with.
const otherKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="

func ask(s *served, path, token string, status int) { s.t.Helper(); put(s, path, token, "", status) }

// put sends a body with PUT, or asks with GET when there is none.
func put(s *served, path, token, body string, status int) {
	s.t.Helper()
	method := http.MethodPut
	if body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		s.t.Fatalf("%s %s: %s, want %d", method, path, resp.Status, status)
	}
}

func TestDemoAccountsAreShownAndWork(t *testing.T) {
	s := serve(t, "--data-dir", t.TempDir())
	if log := s.logged(); !strings.Contains(log, "phone=10000000001") || !strings.Contains(log, "示例管理员") {
		t.Errorf("the demonstration accounts are not shown:\n%s", log)
	}
	access, _ := s.signIn("10000000001")["access_token"].(string)
	ask(s, "/v1/me", access, http.StatusOK)
	s.end()

	s = serve(t, "--data-dir", t.TempDir(), "--no-demo")
	if log := s.end(); strings.Contains(log, "demonstration account") {
		t.Errorf("demonstration accounts without demonstration data:\n%s", log)
	}
}
