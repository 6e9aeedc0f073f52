package meili

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

// The conformance tests in search show the engine at work on a real Meilisearch.
// Those here are about a server that fails, which a real one does not do when it
// is told to.

// failing is a server that answers as one does where nothing goes wrong, unless a
// test says otherwise.
type failing struct {
	mu       sync.Mutex
	answer   map[string]func(w http.ResponseWriter) bool // by method and path; false goes on as usual
	requests []request
	applied  string // hash of the settings
}

type request struct{ what, body, auth string }

func (f *failing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	what := r.Method + " " + r.URL.Path
	f.mu.Lock()
	f.requests = append(f.requests, request{what, string(body), r.Header.Get("Authorization")})
	answer := f.answer[what]
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case answer != nil && answer(w):
	case what == "GET /version":
		io.WriteString(w, `{"pkgVersion": "1.50.0"}`)
	case what == "GET /indexes/listings-side/documents/settings":
		fmt.Fprintf(w, `{"key": "settings", "text": %q}`, f.applied)
	case strings.HasPrefix(what, "GET /keys/"):
		io.WriteString(w, `{"key": "for searches"}`)
	case strings.HasPrefix(what, "GET /tasks/"):
		io.WriteString(w, `{"status": "succeeded"}`)
	case what == "POST /multi-search":
		io.WriteString(w, `{"results": [{"hits": [], "totalHits": 1}, {"hits": []}]}`)
	case r.Method != http.MethodGet:
		w.WriteHeader(map[string]int{http.MethodPost: http.StatusAccepted, http.MethodPatch: http.StatusAccepted}[r.Method])
		io.WriteString(w, `{"taskUid": 7}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// sent returns the requests of one kind.
func (f *failing) sent(what string) []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.requests), func(r request) bool { return r.what != what })
}

// on sets what is answered to one kind of request.
func (f *failing) on(what string, answer func(w http.ResponseWriter) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer[what] = answer
}

// refuse answers with an error of Meilisearch.
func refuse(status int, code string) func(w http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message": "no", "code": %q, "type": "internal"}`, code)
		return true
	}
}

var lexicon = sync.OnceValue(func() *search.Lexicon {
	regions, err := seed.Regions()
	if err != nil {
		panic(err)
	}
	return search.NewLexicon(regions)
})

// begin starts a server and returns how to connect to it.
func begin(t *testing.T) (*failing, Config) {
	hash, err := hashOf(settings(lexicon()))
	if err != nil {
		t.Fatal(err)
	}
	f := &failing{answer: map[string]func(http.ResponseWriter) bool{}, applied: hash}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	before := pauses
	pauses = []time.Duration{time.Millisecond, time.Millisecond}
	t.Cleanup(func() { pauses = before })
	return f, Config{URL: server.URL, Key: "for everything", Lexicon: lexicon(), Calendar: directory.NewCalendar(nil)}
}

func open(t *testing.T) (*failing, *Engine) {
	t.Helper()
	f, c := begin(t)
	e := New(c)
	if err := e.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, e
}

const documents = "POST /indexes/listings/documents"

// A request that is done again has its body again.
func TestTriedAgain(t *testing.T) {
	f, e := open(t)
	tries := 0
	f.on(documents, func(w http.ResponseWriter) bool {
		tries++
		return tries < 3 && refuse(http.StatusServiceUnavailable, "busy")(w)
	})
	if err := e.Put(t.Context(), search.Document{ID: "x", Names: []string{"某店"}}); err != nil {
		t.Fatal(err)
	}
	sent := f.sent(documents)
	if len(sent) != 3 {
		t.Fatalf("sent %d times", len(sent))
	}
	for _, r := range sent {
		if !strings.Contains(r.body, "某店") || r.body != sent[0].body {
			t.Errorf("sent %q", r.body)
		}
	}
}

func TestAway(t *testing.T) {
	f, e := open(t)
	for _, what := range []string{documents, "POST /multi-search", "GET /tasks/7"} {
		f.on(what, refuse(http.StatusServiceUnavailable, "busy"))
	}
	if err := e.Put(t.Context(), search.Document{ID: "x"}); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("put: %v", err)
	}
	f.on(documents, nil)
	if err := e.Put(t.Context(), search.Document{ID: "x"}); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("waiting: %v", err)
	}
	if _, err := e.Search(t.Context(), search.Query{Limit: 1}); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("search: %v", err)
	}
	f.on("POST /multi-search", refuse(http.StatusBadRequest, "invalid_search_filter"))
	if _, err := e.Search(t.Context(), search.Query{Limit: 1}); err == nil || directory.KindOf(err) != "" || len(f.sent("POST /multi-search")) != 3 {
		t.Errorf("a mistake of ours: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Search(canceled, search.Query{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := New(Config{URL: "http://127.0.0.1:1", Lexicon: lexicon()}).Prepare(t.Context()); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("nobody there: %v", err)
	}
}

// A task that failed is an error that says why.
func TestFailedTask(t *testing.T) {
	f, e := open(t)
	f.on("GET /tasks/7", func(w http.ResponseWriter) bool {
		io.WriteString(w, `{"status": "failed", "type": "documentAdditionOrUpdate", "error": {"code": "invalid_document_id", "message": "the id is bad"}}`)
		return true
	})
	for name, err := range map[string]error{
		"put": e.Put(t.Context(), search.Document{ID: "x"}), "delete": e.Delete(t.Context(), "x"),
	} {
		if err == nil || !strings.Contains(err.Error(), "invalid_document_id: the id is bad") || directory.KindOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettingsAreAppliedWhenTheyDiffer(t *testing.T) {
	const apply, remember = "PATCH /indexes/listings/settings", "POST /indexes/listings-side/documents"
	f, c := begin(t)
	if err := New(c).Prepare(t.Context()); err != nil || len(f.sent(apply)) != 0 {
		t.Errorf("the same: %d times, %v", len(f.sent(apply)), err)
	}
	f.applied = "other"
	if err := New(c).Prepare(t.Context()); err != nil || len(f.sent(apply)) != 1 {
		t.Errorf("others: %d times, %v", len(f.sent(apply)), err)
	}
	if sent := f.sent(remember); len(sent) != 1 || !strings.Contains(sent[0].body, `"settings"`) {
		t.Errorf("remembered: %v", sent)
	}
	f.on("GET /indexes/listings-side/documents/settings", refuse(http.StatusNotFound, "document_not_found"))
	if err := New(c).Prepare(t.Context()); err != nil || len(f.sent(apply)) != 2 {
		t.Errorf("none: %d times, %v", len(f.sent(apply)), err)
	}
	// Those that could not be applied are not remembered.
	f.on("GET /tasks/7", func(w http.ResponseWriter) bool {
		io.WriteString(w, `{"status": "failed", "error": {"code": "bad", "message": "no"}}`)
		return true
	})
	if err := New(c).Prepare(t.Context()); err == nil || len(f.sent(remember)) != 2 {
		t.Errorf("refused: %v", err)
	}
}

func TestOldVersion(t *testing.T) {
	f, c := begin(t)
	for version, ok := range map[string]bool{"1.35.9": false, "0.99.0": false, "1.36.0": true, "2.0.0": true, "new": false} {
		f.on("GET /version", func(w http.ResponseWriter) bool {
			fmt.Fprintf(w, `{"pkgVersion": %q}`, version)
			return true
		})
		if err := New(c).Prepare(t.Context()); (err == nil) != ok {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// Searches do not use the key that may do everything.
func TestKeys(t *testing.T) {
	f, e := open(t)
	if _, err := e.Search(t.Context(), search.Query{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	if err := e.Put(t.Context(), search.Document{ID: "x"}); err != nil {
		t.Fatal(err)
	}
	for what, key := range map[string]string{"POST /multi-search": "Bearer for searches", documents: "Bearer for everything"} {
		if sent := f.sent(what); len(sent) != 1 || sent[0].auth != key {
			t.Errorf("%s: %+v", what, sent)
		}
	}
}

func TestBatches(t *testing.T) {
	f, e := open(t)
	var docs []search.Document
	for i := range 5 {
		docs = append(docs, search.Document{ID: fmt.Sprint(i), Card: strings.Repeat("x", maxBatch/2)})
	}
	if err := e.Put(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, r := range f.sent(documents) {
		lines := strings.Split(strings.TrimSpace(r.body), "\n")
		for _, line := range lines {
			if !json.Valid([]byte(line)) {
				t.Errorf("no document: %.50s", line)
			}
		}
		got = append(got, len(lines))
	}
	if !slices.Equal(got, []int{2, 2, 1}) {
		t.Errorf("batches of %v", got)
	}
	if err := e.Put(t.Context()); err != nil || len(f.sent(documents)) != 3 {
		t.Errorf("of nothing: %v", err)
	}
}
