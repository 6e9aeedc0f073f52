package search_test

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/meili"
)

// recordingOf is the file, without its ending, of what a real Meilisearch answered.
const recordingOf = "testdata/meilisearch"

// TestRecordedMeilisearch holds search/meili to the answers of search/memory where
// there is no Meilisearch, with what one answered when it was recorded. With
// MEILI_RECORD set it records anew, from the one at MEILI_URL.
func TestRecordedMeilisearch(t *testing.T) {
	w := theWorld()
	var entries []entry
	for i := 0; i < len(w.entries); i += 75 {
		entries = append(entries, w.entries[i])
	}
	want := enginesUnderTest[0].loaded(t, entries)
	e := recorded(t)
	if err := e.Put(t.Context(), documents(entries)...); err != nil {
		t.Fatal(err)
	}

	xining := directory.Point{Lat: 36.62, Lon: 101.78}
	now := moments[0]
	facets := []search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet, search.FeatureFacet, search.BadgeFacet}
	queries := []search.Query{
		{Facets: facets, RegionFacet: []string{"630100", "632200", "632300"}},
		{Kinds: []directory.Kind{directory.DomesticServiceKind, directory.ElderCareKind}, Facets: facets[:1]},
		{Regions: []string{"630100"}, Facets: facets[2:3], RegionFacet: []string{"630100", "630200"}},
		{Near: &xining, RadiusM: 60_000},
		{Box: &directory.Box{South: 36, West: 101, North: 37, East: 102}, Near: &xining},
		{OpenNow: true, Now: now},
		{HasVacancy: new(false), Demo: new(true)},
		{PriceMax: new(int64(200_000)), MinSatisfaction: new(0.5)},
		{Text: "家政"}, {Text: "jiazheng"}, {Text: "西宁 养老"}, {Text: "yanglaoyaun"}, {Text: "无此"},
		{Limit: 4, Sort: search.BySatisfaction}, {Limit: 4, Sort: search.ByNewest}, {Limit: 4, Sort: search.ByName},
		{Limit: 4, Sort: search.ByDistance, Near: &xining}, {Limit: 2, Text: "服务"},
	}
	found := 0
	for _, q := range queries {
		q.Now = now
		hits, expected := findAll(t, e, q), findAll(t, want, q)
		found += len(hits)
		if q.Text == "" || len(expected) < 2 {
			sameIDs(t, q, idsOf(hits), idsOf(expected))
			sameAnswers(t, e, want, q)
		} else if len(hits) != len(expected) { // in another order
			t.Errorf("%q finds %q, want %q", q.Text, idsOf(hits), idsOf(expected))
		}
		if q.Limit == 0 {
			clusters := search.ClusterQuery{Query: q, Zoom: 9}
			clusters.Box = cmp.Or(q.Box, &province)
			a, err := e.Clusters(t.Context(), clusters)
			b, wantErr := want.Clusters(t.Context(), clusters)
			if err != nil || wantErr != nil || len(a) != len(b) || len(a) > 0 && a[0].Count != b[0].Count {
				t.Errorf("%+v: clusters %v, want %v; %v, %v", q, a, b, err, wantErr)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d hits", found)
	}
	a, err := e.Suggest(t.Context(), search.SuggestQuery{Text: "示例", Limit: 3})
	if b, _ := want.Suggest(t.Context(), search.SuggestQuery{Text: "示例", Limit: 3}); err != nil || len(a) != 3 || len(b) != 3 {
		t.Errorf("suggestions %v, want %v; %v", a, b, err)
	}
	if err := e.Delete(t.Context(), entries[0].ID); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Size(t.Context()); err != nil || n != len(entries)-1 {
		t.Errorf("%d documents, %v", n, err)
	}
	nextGeneration(t, e, entries)
}

// nextGeneration builds another index beside one and has it take its place.
func nextGeneration(t *testing.T, e *meili.Engine, entries []entry) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	state := func(e *meili.Engine, want meili.State) {
		t.Helper()
		if s, err := e.State(ctx); err != nil || s != want {
			t.Errorf("%+v, %v, want %+v", s, err, want)
		}
	}
	old, young := meili.State{Owner: "us", Generation: "old", Seq: 5, Complete: true}, meili.State{Owner: "us", Generation: "young", Seq: 7}
	state(e, meili.State{})
	must(e.SetSeq(ctx, 3)) // as of an index that was lost
	state(e, meili.State{})
	must(e.SetState(ctx, old))
	must(e.SetSeq(ctx, 6))
	old.Seq = 6
	state(e, old)

	next := e.Next()
	state(next, meili.State{})
	must(next.Prepare(ctx))
	must(next.SetState(ctx, young))
	must(next.Put(ctx, documents(entries)...))
	state(e, old)
	must(e.Replace(ctx, next))
	state(e, young)
	state(next, old)
	must(next.Remove(ctx))
	state(next, meili.State{})
	sums, err := e.Sums(ctx)
	must(err)
	some, err := e.Sums(ctx, entries[0].ID, "nobody")
	must(err)
	if len(sums) != len(entries) || len(some) != 1 || some[entries[0].ID] != e.Sum(&entries[0].doc) {
		t.Errorf("%d sums, and %v of one", len(sums), some)
	}
	for i := range entries {
		if d := &entries[i].doc; sums[d.ID] != e.Sum(d) {
			t.Errorf("%s has the sum %q, want %q", d.ID, sums[d.ID], e.Sum(d))
		}
	}
	if r, err := e.Search(ctx, search.Query{Limit: 1, OpenNow: true, Now: moments[0]}); err != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// recorded opens an engine that hears what was recorded.
func recorded(t *testing.T) *meili.Engine {
	mode, key := recorder.ModeReplayOnly, "key"
	if os.Getenv("MEILI_RECORD") != "" {
		mode, key = recorder.ModeRecordOnly, os.Getenv("MEILI_KEY")
	}
	rec, err := recorder.New(recordingOf, recorder.WithMode(mode), recorder.WithSkipRequestLatency(true),
		recorder.WithMatcher(sameRequest), recorder.WithHook(scrub, recorder.BeforeSaveHook))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rec.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := theWorld()
	e := meili.New(meili.Config{
		URL: cmp.Or(os.Getenv("MEILI_URL"), "http://meilisearch.invalid"), Key: key, Index: "recorded",
		Lexicon: w.lexicon, Calendar: w.calendar, Transport: rec,
	})
	if err := e.Prepare(t.Context()); err != nil {
		t.Fatalf("%v\nafter a change of what is sent to Meilisearch, record it anew: search/README.md", err)
	}
	t.Cleanup(func() {
		if err := e.Remove(background); err != nil {
			t.Error(err)
		}
	})
	return e
}

// sameRequest compares what a request asks, not whom. The settings are too long to
// be kept; what is remembered of them afterwards is their hash.
func sameRequest(r *http.Request, kept cassette.Request) bool {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	_, path, _ := strings.Cut(kept.URL, "://meilisearch")
	return r.Method == kept.Method && r.URL.RequestURI() == path && (string(body) == kept.Body || strings.HasSuffix(path, "/settings") && r.Method == http.MethodPatch)
}

var secretKey = regexp.MustCompile(`"key":"[0-9a-f]{64}"`)

// scrub takes out of a recording what is secret, long or of no use.
func scrub(i *cassette.Interaction) error {
	_, path, _ := strings.Cut(i.Request.URL, "://")
	at := strings.IndexByte(path, '/')
	i.Request.URL, i.Request.Host = "http://meilisearch"+path[at:], "meilisearch"
	i.Request.Headers = nil
	i.Response.Headers = http.Header{"Content-Type": i.Response.Headers["Content-Type"]}
	if strings.HasSuffix(path, "/settings") && i.Request.Method == http.MethodPatch {
		i.Request.Body, i.Request.ContentLength = "", 0
	}
	i.Response.Body = secretKey.ReplaceAllString(i.Response.Body, `"key":"secret"`)
	if strings.Contains(i.Response.Body, `"type":"settingsUpdate"`) && strings.Contains(i.Response.Body, `"status":"succeeded"`) {
		i.Response.Body = `{"status":"succeeded"}`
	}
	i.Response.ContentLength = -1
	// Looks at a task that was not done yet.
	i.DiscardOnSave = strings.Contains(i.Response.Body, `"status":"enqueued"`) && i.Request.Method == http.MethodGet ||
		strings.Contains(i.Response.Body, `"status":"processing"`)
	return nil
}

// Nothing secret may be in the recording.
func TestRecordingIsScrubbed(t *testing.T) {
	c, err := cassette.Load(recordingOf)
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, i := range c.Interactions {
		if len(i.Request.Headers) != 0 || secretKey.MatchString(i.Response.Body) || !strings.HasPrefix(i.Request.URL, "http://meilisearch/") {
			t.Errorf("%s %s has something secret", i.Request.Method, i.Request.URL)
		}
		if strings.Contains(i.Response.Body, `"key":"secret"`) {
			keys++
		}
		if i.Response.Body == "" && i.Request.Method != http.MethodDelete {
			t.Errorf("%s %s has no answer", i.Request.Method, i.Request.URL)
		}
	}
	if keys == 0 {
		t.Error("no key was made")
	}
}
