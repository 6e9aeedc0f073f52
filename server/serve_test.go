package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
)

// patience bounds every wait; what is waited for takes a fraction of it.
const patience = time.Minute

// served is a server under test.
type served struct {
	t    *testing.T
	base string // its URL
	stop context.CancelFunc
	code chan int

	mu  sync.Mutex
	log bytes.Buffer // complete once code has come
}

// Write takes the log of the server.
func (s *served) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// logged returns the log up to now.
func (s *served) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// serve starts a server on a free port and waits until it says where it is.
func serve(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{t: t, stop: cancel, code: make(chan int, 1)}
	log, stderr := io.Pipe()
	announced := make(chan string, 1)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		lines := bufio.NewScanner(io.TeeReader(log, s))
		for lines.Scan() {
			if _, at, ok := strings.Cut(lines.Text(), "msg=API url="); ok {
				announced <- strings.TrimSuffix(at, "/v1/listings")
			}
		}
	}()
	go func() {
		code := run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), io.Discard, stderr)
		stderr.Close()
		<-logged
		s.code <- code
	}()
	t.Cleanup(cancel)
	select {
	case s.base = <-announced:
	case code := <-s.code:
		t.Fatalf("the server ended with code %d: %s", code, s.logged())
	case <-time.After(patience):
		t.Fatal("the server does not come up")
	}
	return s
}

// end stops the server, which has to end without an error, and returns its log.
func (s *served) end() string {
	s.t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		if code != 0 {
			s.t.Errorf("the server ended with code %d: %s", code, s.logged())
		}
	case <-time.After(patience):
		s.t.Fatal("the server does not stop")
	}
	return s.logged()
}

func (s *served) get(path string, into any) {
	s.t.Helper()
	resp, err := http.Get(s.base + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
}

// page is what these tests look at of an answer.
type page struct {
	Items []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"items"`
	Total    int  `json:"total"`
	DemoData bool `json:"demo_data"`
}

func (s *served) search(text string) page {
	s.t.Helper()
	var p page
	s.get("/v1/listings?q="+url.QueryEscape(text), &p)
	return p
}

// until asks again and again for what has to come.
func (s *served) until(what string, holds func() bool) {
	s.t.Helper()
	until(s.t, what, holds)
}

// until asks again and again for what has to come.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-again.C:
		case <-late:
			t.Fatal("it does not come about that " + what)
		}
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, "--data-dir", dir)

	all := s.search("")
	if want := len(read(t, dir).listings); all.Total != want || !all.DemoData {
		t.Errorf("%d of %d listings are found, demo_data is %t", all.Total, want, all.DemoData)
	}
	found := s.search("城东 月嫂")
	if found.Total == 0 || !strings.Contains(found.Items[0].Name, "月嫂") {
		t.Fatalf("found %+v", found)
	}
	var detail struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	s.get("/v1/listings/"+found.Items[0].ID, &detail)
	if detail != found.Items[0] {
		t.Errorf("the detail of %+v is %+v", found.Items[0], detail)
	}
	if e := succeed(t, "health", "--addr", strings.TrimPrefix(s.base, "http://")); e.out != "ready\n" {
		t.Errorf("health says %q", e.out)
	}

	// What other processes write is found, too, and what they take back is not.
	l := realListings(t)[0]
	l.ID, l.Names.Zh = "01890a5d-ac96-774b-bcce-b302099a8057", "麒麟河畔小铺"
	succeed(t, "import", fileOf(t, line(t, l)), "--data-dir", dir)
	isFirst := func() bool {
		p := s.search("麒麟河畔小铺")
		return len(p.Items) > 0 && p.Items[0].ID == l.ID
	}
	s.until("an import is found", isFirst)
	l.Status, l.UpdatedAt = directory.Archived, l.UpdatedAt.Add(time.Hour)
	succeed(t, "import", fileOf(t, line(t, l)), "--data-dir", dir)
	s.until("an archived listing is gone", func() bool { return !isFirst() })

	if log := s.end(); !strings.Contains(log, "seeding") || !strings.Contains(log, "示例") {
		t.Errorf("the first start does not say what it seeded:\n%s", log)
	}
	if e := command(t.Context(), "health", "--addr", strings.TrimPrefix(s.base, "http://")); e.code != 1 {
		t.Error("a stopped server counts as healthy")
	}

	s = serve(t, "--data-dir", dir)
	if again := s.search(""); again.Total != all.Total || !again.DemoData {
		t.Errorf("after a second start %d listings are found, not %d; demo_data is %t", again.Total, all.Total, again.DemoData)
	}
	if log := s.end(); strings.Contains(log, "seeding") {
		t.Errorf("the second start seeded again:\n%s", log)
	}
}

func TestServeInProduction(t *testing.T) {
	s := serve(t, append(production(t)[1:], "--data-dir", t.TempDir())...)
	if p := s.search(""); p.Total != len(realListings(t)) || p.DemoData {
		t.Errorf("%d listings, demo_data is %t", p.Total, p.DemoData)
	}
	s.end()
}

// TestServeKeepsAnImportedFolder: a folder that was filled before the first start
// gets the seed beside it.
func TestServeKeepsAnImportedFolder(t *testing.T) {
	dir := t.TempDir()
	succeed(t, "import", fileOf(t, `{"kind":"brand","names":{"zh":"麒麟河畔小铺"},"region":"630000"}`), "--data-dir", dir)
	s := serve(t, "--data-dir", dir, "--no-demo")
	if got, want := s.search("").Total, len(realListings(t))+1; got != want {
		t.Errorf("%d listings, not %d", got, want)
	}
	s.end()
}

func TestServeStopsWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e := command(ctx, "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir()); e.code != 0 {
		t.Errorf("code %d: %s", e.code, e.err)
	}
	// Right after the announcement the HTTP server may not have begun to listen.
	dir := t.TempDir()
	for range 5 {
		serve(t, "--data-dir", dir, "--no-demo").end()
	}
}
