package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"qingfu/search/meili"
)

// standIn does what Meilisearch does as far as the mirror of a store is concerned:
// it keeps documents in indexes, swaps and loses them. It knows no ranking and no
// filters; what Meilisearch finds is for the tests in search.
type standIn struct {
	mu      sync.Mutex
	indexes map[string]map[string]json.RawMessage // documents by key
	tasks   []string                              // the error code of each, "" for none
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil { // half a request
		panic(http.ErrAbortHandler)
	}
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	index := ""
	if len(part) > 1 {
		index = part[1]
	}
	docs, there := s.indexes[index]
	what := r.Method + " " + part[0] + "/" + strings.Join(part[min(2, len(part)):], "/")
	w.Header().Set("Content-Type", "application/json")
	answer := func(status int, value any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
	task := func(code string) {
		s.tasks = append(s.tasks, code)
		answer(http.StatusAccepted, map[string]any{"taskUid": len(s.tasks) - 1})
	}
	missing := func(code string) {
		answer(http.StatusNotFound, map[string]string{"message": "no", "code": code, "type": "invalid_request"})
	}
	switch {
	case what == "GET version/":
		answer(http.StatusOK, map[string]string{"pkgVersion": "1.50.0"})
	case what == "GET tasks/":
		var n int
		_, _ = fmt.Sscan(index, &n)
		if s.tasks[n] == "" {
			answer(http.StatusOK, map[string]any{"status": "succeeded"})
		} else {
			answer(http.StatusOK, map[string]any{"status": "failed", "error": map[string]string{"code": s.tasks[n], "message": "no"}})
		}
	case what == "GET keys/":
		answer(http.StatusOK, map[string]string{"key": "for searches"})
	case what == "DELETE keys/":
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost && r.URL.Path == "/indexes":
		var config struct{ UID string }
		_ = json.Unmarshal(body, &config)
		if s.indexes[config.UID] != nil {
			task("index_already_exists")
			return
		}
		s.indexes[config.UID] = map[string]json.RawMessage{}
		task("")
	case what == "DELETE indexes/":
		if !there {
			task("index_not_found")
			return
		}
		delete(s.indexes, index)
		task("")
	case what == "PATCH indexes/settings":
		task("")
	case what == "GET indexes/stats" && there:
		answer(http.StatusOK, map[string]int{"numberOfDocuments": len(docs)})
	case what == "POST indexes/documents":
		if !there { // as Meilisearch does
			docs = map[string]json.RawMessage{}
			s.indexes[index] = docs
		}
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil { // a line for each
			for line := range strings.Lines(string(body)) {
				list = append(list, json.RawMessage(line))
			}
		}
		for _, d := range list {
			docs[keyOf(d)] = d
		}
		task("")
	case what == "POST indexes/documents/delete-batch":
		var keys []string
		_ = json.Unmarshal(body, &keys)
		for _, key := range keys {
			delete(docs, key)
		}
		task("")
	case what == "POST indexes/documents/fetch" && there:
		var q struct {
			Offset, Limit int
			IDs           []string
		}
		q.Limit = 20 // unless it is given
		_ = json.Unmarshal(body, &q)
		keys := slices.Sorted(maps.Keys(docs))
		if q.IDs != nil {
			keys = slices.DeleteFunc(keys, func(k string) bool { return !slices.Contains(q.IDs, k) })
		}
		results := []json.RawMessage{}
		for _, key := range keys[min(q.Offset, len(keys)):min(q.Offset+q.Limit, len(keys))] {
			results = append(results, docs[key])
		}
		answer(http.StatusOK, map[string]any{"results": results})
	case r.Method == http.MethodGet && len(part) == 4 && part[2] == "documents":
		d, ok := docs[part[3]]
		switch {
		case !there:
			missing("index_not_found")
		case !ok:
			missing("document_not_found")
		default:
			answer(http.StatusOK, d)
		}
	case what == "POST swap-indexes/":
		var pairs []struct{ Indexes []string }
		_ = json.Unmarshal(body, &pairs)
		for _, p := range pairs {
			a, b := p.Indexes[0], p.Indexes[1]
			if s.indexes[a] == nil || s.indexes[b] == nil {
				task("index_not_found")
				return
			}
		}
		for _, p := range pairs {
			a, b := p.Indexes[0], p.Indexes[1]
			s.indexes[a], s.indexes[b] = s.indexes[b], s.indexes[a]
		}
		task("")
	case what == "POST multi-search/":
		s.search(body, answer, missing)
	default:
		missing("index_not_found")
	}
}

// search answers with the documents that have the words of the query anywhere.
func (s *standIn) search(body []byte, answer func(int, any), missing func(string)) {
	var q struct {
		Queries []struct {
			IndexUID, Q       string
			Offset, Limit     int
			Page, HitsPerPage int
		}
	}
	_ = json.Unmarshal(body, &q)
	results := []map[string]any{}
	for _, one := range q.Queries {
		docs, ok := s.indexes[one.IndexUID]
		if !ok {
			missing("index_not_found")
			return
		}
		found := []json.RawMessage{}
		for _, key := range slices.Sorted(maps.Keys(docs)) {
			d := docs[key]
			if !slices.ContainsFunc(strings.Fields(strings.ReplaceAll(one.Q, `"`, "")), func(word string) bool { return !strings.Contains(string(d), word) }) {
				found = append(found, d)
			}
		}
		total := len(found)
		if one.Page > 0 {
			one.Offset, one.Limit = (one.Page-1)*one.HitsPerPage, one.HitsPerPage
		}
		found = found[min(one.Offset, total):min(one.Offset+one.Limit, total)]
		results = append(results, map[string]any{"hits": found, "totalHits": total, "totalPages": (total + max(1, one.HitsPerPage) - 1) / max(1, one.HitsPerPage)})
	}
	answer(http.StatusOK, map[string]any{"results": results})
}

func keyOf(d json.RawMessage) string {
	var key struct{ Key string }
	_ = json.Unmarshal(d, &key)
	return key.Key
}

// lose forgets everything, as a Meilisearch does whose disk is gone.
func (s *standIn) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.indexes)
}

func newStandIn() *standIn { return &standIn{indexes: map[string]map[string]json.RawMessage{}} }

// outage is what goes wrong between the server and Meilisearch.
type outage string

const (
	none outage = ""
	away outage = "away" // no connection holds
	slow outage = "slow" // nothing is answered
	busy outage = "busy" // everything is answered 503
)

// proxy stands before Meilisearch and makes things go wrong.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	fault outage
	freed chan struct{} // closed when the fault ends
	// cut is asked about each request whether the connection is to break before
	// Meilisearch hears of it, or before its answer is heard.
	cut func(*http.Request) (before, after bool)
}

func newProxy(t *testing.T, target string) *proxy {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	pass.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	p := &proxy{freed: make(chan struct{})}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		fault, freed, cut := p.fault, p.freed, p.cut
		p.mu.Unlock()
		switch fault {
		case away:
			panic(http.ErrAbortHandler) // which cuts the connection off
		case slow:
			select {
			case <-r.Context().Done():
			case <-freed:
			}
			panic(http.ErrAbortHandler)
		case busy:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var before, after bool
		if cut != nil {
			before, after = cut(r)
		}
		if !before && !after {
			pass.ServeHTTP(w, r)
			return
		}
		if after {
			pass.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(func() {
		p.set(none)
		p.Close()
	})
	return p
}

// set begins a fault, or ends the one that there is.
func (p *proxy) set(f outage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.freed)
	p.freed = make(chan struct{})
}

// breaking has a function decide which connections break.
func (p *proxy) breaking(cut func(*http.Request) (before, after bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
}

// remote is a Meilisearch for one test, behind a proxy.
type remote struct {
	*proxy
	config meili.Config
	lose   func() // has it lose its data
}

// A Meilisearch to test with, taken from the environment before TestMain clears it.
var meiliURL, meiliKey = os.Getenv("MEILI_URL"), os.Getenv("MEILI_KEY")

// onMeilisearch runs a test with the stand-in, and with a real Meilisearch where
// there is one.
func onMeilisearch(t *testing.T, w *world, test func(*testing.T, *remote)) {
	t.Run("stand-in", func(t *testing.T) {
		s := newStandIn()
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		p := newProxy(t, server.URL)
		test(t, &remote{p, meili.Config{URL: p.URL, Key: "key", Lexicon: w.lexicon, Calendar: w.calendar}, s.lose})
	})
	t.Run("meilisearch", func(t *testing.T) {
		if meiliURL == "" {
			t.Skip("MEILI_URL is not set: there is no Meilisearch to test with")
		}
		p := newProxy(t, meiliURL)
		config := meili.Config{URL: p.URL, Key: meiliKey, Index: fmt.Sprintf("test-%d", rand.Uint64()), Lexicon: w.lexicon, Calendar: w.calendar}
		direct := config
		direct.URL = meiliURL
		lose := func() {
			if err := meili.New(direct).Remove(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			for _, e := range []*meili.Engine{meili.New(direct), meili.New(direct).Next()} {
				if err := e.Remove(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
		test(t, &remote{p, config, lose})
	})
}
