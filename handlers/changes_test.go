package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"
	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// The client of docs/changes.md.

// Copy is an offline copy of the listings of a region.
type Copy struct {
	Server, Region string
	Cursor         string                     // "" before the first time
	Listings       map[string]json.RawMessage // by id
}

// Next takes in one answer. There is more to ask for at once while more is true.
func (c *Copy) Next(client *http.Client) (more bool, err error) {
	query := url.Values{"region": {c.Region}, "limit": {"200"}}
	if c.Cursor != "" {
		query.Set("since", c.Cursor)
	}
	res, err := client.Get(c.Server + "/v1/changes?" + query.Encode())
	if err != nil {
		return false, err // the next poll tries again
	}
	defer res.Body.Close()
	var answer struct {
		Items []struct {
			ID, Change string
			Listing    json.RawMessage
		}
		Cursor string
		More   bool
		Errors []struct{ Parameter string }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return false, err
	}
	if len(answer.Errors) > 0 && answer.Errors[0].Parameter == "since" {
		c.Cursor, c.Listings = "", map[string]json.RawMessage{} // start anew
		return true, nil
	}
	if res.StatusCode != http.StatusOK {
		return false, errors.New(res.Status)
	}
	for _, item := range answer.Items { // in a database: one transaction from here …
		if item.Change == "put" {
			c.Listings[item.ID] = item.Listing
		} else {
			delete(c.Listings, item.ID)
		}
	}
	c.Cursor = answer.Cursor // … to here
	return answer.More, nil
}

// TestDocumentedClient: the client in docs/changes.md is the one above, which the
// tests run.
func TestDocumentedClient(t *testing.T) {
	doc, err := os.ReadFile("../docs/changes.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("changes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(doc), "```go\n")
	code, _, ok2 := strings.Cut(code, "```")
	if !ok || !ok2 || !bytes.Contains(source, []byte("\n"+code)) {
		t.Error("the client in docs/changes.md is not the one in changes_test.go")
	}
}

// TestDocumentedAnswer asks what docs/changes.md asks. The answer shown there may
// leave out members; all that it has must be so, but for the cursor.
func TestDocumentedAnswer(t *testing.T) {
	doc, err := os.ReadFile("../docs/changes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "curl -s 'http://localhost:8080")
	path, example, ok := strings.Cut(example, "'\n")
	_, example, ok2 := strings.Cut(example, "```json\n")
	example, _, ok3 := strings.Cut(example, "```")
	if !ok || !ok2 || !ok3 {
		t.Fatal("docs/changes.md has no example")
	}
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	if _, err := f.listings.Upsert(t.Context(), theEngines.listings); err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := json.Unmarshal([]byte(example), &shown); err != nil {
		t.Fatal(err)
	}
	a := f.get(t, path)
	real := decode[map[string]any](t, a)
	if shown["cursor"] == nil || real["cursor"] == nil {
		t.Error("there is no cursor")
	}
	delete(shown, "cursor")
	if !holds(real, shown) {
		t.Errorf("%s is answered with\n%s", path, a.body)
	}
}

// holds tells whether a JSON value has all that is shown.
func holds(real, shown any) bool {
	switch s := shown.(type) {
	case map[string]any:
		r, _ := real.(map[string]any)
		for name := range s {
			if _, ok := r[name]; !ok || !holds(r[name], s[name]) {
				return false
			}
		}
		return true
	case []any:
		r, _ := real.([]any)
		return slices.EqualFunc(r, s, holds)
	}
	return real == shown
}

// followed is an API over a store of its own, and what its copies should hold.
type followed struct {
	*fixture
	listings *store.Collection[directory.Listing]
	indexer  *search.Indexer
}

// follow opens a store in a folder, which may have one already.
func follow(t *testing.T, dir string) (f *followed, closeStore func()) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	f = &followed{
		fixture:  newFixture(t, func(c *Config) { c.Store = st }),
		listings: st.Listings, indexer: search.NewIndexer(theEngines.regions),
	}
	return f, func() {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// client returns one whose answers have at most so many items. It keeps the last
// body in seen.
func (f *followed) client(limit int, seen *string) *http.Client {
	return &http.Client{Transport: overFiber{f.app, limit, seen}}
}

type overFiber struct {
	app   *fiber.App
	limit int
	seen  *string
}

// RoundTrip implements http.RoundTripper.
func (o overFiber) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	q.Set("limit", strconv.Itoa(o.limit))
	if q.Get("region") == "" {
		q.Del("region") // a copy of everything
	}
	req.URL.RawQuery = q.Encode()
	res, err := o.app.Test(req, -1)
	if err != nil || o.seen == nil {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	*o.seen, res.Body = string(body), io.NopCloser(bytes.NewReader(body))
	return res, err
}

func newCopy(region string) *Copy {
	return &Copy{Server: "http://test", Region: region, Listings: map[string]json.RawMessage{}}
}

func (c *Copy) clone() *Copy {
	twin := *c
	twin.Listings = maps.Clone(c.Listings)
	return &twin
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Errorf(string, ...any)
}

// toEnd follows until there is no more.
func toEnd(t tester, c *Copy, client *http.Client) {
	t.Helper()
	for pages := 0; ; pages++ {
		more, err := c.Next(client)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
		if pages > 10_000 {
			t.Fatal("no end")
		}
	}
}

// is checks that a copy holds the published listings of its region, as the API
// shows them, and nothing else. The indexer knows the region of a search.
func (f *followed) is(t tester, c *Copy, what string) {
	t.Helper()
	docs, err := f.listings.All(context.Background(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for i := range docs {
		l := &docs[i].Value
		d, err := f.indexer.Document(l)
		if err != nil {
			t.Fatal(err)
		}
		if l.Status == directory.Published && (c.Region == "" || slices.Contains(d.Regions, c.Region)) {
			body, err := toJSON(f.api.viewListing(l, &input{lang: "zh"}))
			if err != nil {
				t.Fatal(err)
			}
			want[l.ID] = strings.TrimSpace(string(body))
		}
	}
	got := map[string]string{}
	for id, listing := range c.Listings {
		got[id] = string(listing)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: the copy of %q has %d listings, published are %d, and they are not the same", what, c.Region, len(got), len(want))
	}
}

// followedRegions are a county, a township in it, the city of both, another
// county and everything; homes is where listings are put.
var (
	followedRegions = []string{"630102", "630102005", "630100", "630202", ""}
	homes           = []string{"630102", "630102005", "630102001", "630104", "630202", "632801"}
)

// pool returns listings of which some serve counties where they do not lie.
func pool() []directory.Listing {
	var out []directory.Listing
	serving := 0
	for _, l := range theEngines.listings {
		if l.DomesticService != nil && serving < 4 {
			serving++
			part := *l.DomesticService
			part.CountiesServed = []string{"630102", "630202"}[serving%2:][:1]
			l.DomesticService = &part
			out = append(out, l)
		} else if len(out)-serving < 6 {
			out = append(out, l)
		}
	}
	return out
}

// TestCopiesFollow is the law of the feed: whatever is written between the answers,
// and wherever a copy continues, it ends as the published listings of its region.
func TestCopiesFollow(t *testing.T) {
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	listings, n := pool(), 0
	states := []directory.Status{directory.Published, directory.Published, directory.Published, directory.Draft, directory.Suspended, directory.Archived}
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		n++
		for i := range listings { // each time others, whose versions begin at 1
			if err := f.listings.Remove(ctx, listings[i].ID); err != nil {
				t.Fatal(err)
			}
			listings[i].ID = fmt.Sprintf("%08x-0000-7000-8000-%012x", n, i)
		}
		var copies []*Copy
		for _, region := range followedRegions {
			copies = append(copies, newCopy(region))
		}
		var saved []*Copy
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1:
				c := rapid.SampledFrom(copies).Draw(t, "copy")
				if _, err := c.Next(f.client(rapid.SampledFrom([]int{1, 2, 5}).Draw(t, "limit"), nil)); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "saved") {
					saved = append(saved, c.clone())
				}
			case 2: // an answer that is lost
				if _, err := rapid.SampledFrom(copies).Draw(t, "copy").clone().Next(f.client(3, nil)); err != nil {
					t.Fatal(err)
				}
			case 3:
				if err := f.listings.Remove(ctx, rapid.SampledFrom(listings).Draw(t, "listing").ID); err != nil {
					t.Fatal(err)
				}
			default:
				l := rapid.SampledFrom(listings).Draw(t, "listing")
				l.Region = rapid.SampledFrom(homes).Draw(t, "home")
				l.Status = rapid.SampledFrom(states).Draw(t, "status")
				l.Address = rapid.SampledFrom([]string{"甲路1号", "乙路2号", "丙路<3>号"}).Draw(t, "address")
				if _, err := f.listings.Upsert(ctx, []directory.Listing{l}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, c := range slices.Concat(copies, saved) {
			toEnd(t, c, f.client(rapid.SampledFrom([]int{1, 4, 200}).Draw(t, "limit"), nil))
			f.is(t, c, "after some changes")
		}
		// A pass that nobody disturbs has each listing once and needs no tombstones.
		for _, region := range followedRegions {
			var body string
			c := newCopy(region)
			toEnd(t, c, f.client(200, &body))
			f.is(t, c, "a new one")
			if strings.Contains(body, `"change":"gone"`) || strings.Count(body, `"change":"put"`) != len(c.Listings) {
				t.Errorf("the pass over %q: %s", region, body)
			}
		}
	})
}

// TestCopiesFollowWriters follows while others write and do not wait.
func TestCopiesFollowWriters(t *testing.T) {
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	listings := pool()
	written := make(chan struct{})
	var writers, readers sync.WaitGroup
	for k := range 4 {
		writers.Go(func() {
			for i := range 60 {
				l := listings[(i*7+k)%len(listings)]
				l.Region, l.Address = homes[(i+k)%len(homes)], strconv.Itoa(k)+"路"+strconv.Itoa(i)+"号"
				var err error
				switch i % 9 {
				case 4:
					l.Status = directory.Suspended
					_, err = f.listings.Upsert(t.Context(), []directory.Listing{l})
				case 7:
					err = f.listings.Remove(t.Context(), l.ID)
				default:
					_, err = f.listings.Upsert(t.Context(), []directory.Listing{l})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	copies := make([]*Copy, len(followedRegions))
	for i, region := range followedRegions {
		copies[i] = newCopy(region)
		readers.Go(func() {
			client := f.client(i+1, nil)
			for {
				select {
				case <-written:
					return
				default:
				}
				if _, err := copies[i].Next(client); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(written)
	readers.Wait()
	for i, c := range copies {
		toEnd(t, c, f.client(i+1, nil))
		f.is(t, c, "beside writers")
	}
}

// changesPage is an answer of the feed.
type changesPage struct {
	Items []struct {
		ID, Change string
		Listing    *struct{ Name string }
	}
	Cursor string
	More   bool
}

func (f *followed) changes(t *testing.T, query string) changesPage {
	t.Helper()
	a := f.get(t, "/v1/changes?"+query)
	if a.StatusCode != 200 {
		t.Fatalf("%s: %d %s", query, a.StatusCode, a.body)
	}
	return decode[changesPage](t, a)
}

// TestChangesAreBounded: one call looks at so many changes, and says that there is
// more though it has found nothing.
func TestChangesAreBounded(t *testing.T) {
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	elsewhere := slices.Collect(seed.Synthetic(2*changesInAll+50, 3))
	for i := range elsewhere {
		elsewhere[i].Region, elsewhere[i].DomesticService = "632801", nil
	}
	here := pool()[0]
	here.Region = "630102"
	for part := range slices.Chunk(append(elsewhere, here), store.MaxLimit) {
		if _, err := f.listings.Upsert(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	query, counts := "region=630102&limit=5", []int{}
	for {
		p := f.changes(t, query)
		counts = append(counts, len(p.Items))
		if !p.More {
			break
		}
		query = "region=630102&limit=5&since=" + p.Cursor
	}
	if !slices.Equal(counts, []int{0, 0, 1}) {
		t.Errorf("the answers have %v items", counts)
	}
	// A full answer says that there is more when there is, and only then.
	if p := f.changes(t, "limit=200"); len(p.Items) != 200 || !p.More {
		t.Errorf("%d items, more is %t", len(p.Items), p.More)
	}
	if p := f.changes(t, "region=630102&limit=1&since="+f.changes(t, query).Cursor); len(p.Items) != 0 || p.More {
		t.Errorf("%+v", p)
	}
}

// TestNewListingsElsewhere: what was never in the region is not told as gone, what
// may have been is.
func TestNewListingsElsewhere(t *testing.T) {
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	upsert := func(l directory.Listing) {
		t.Helper()
		if _, err := f.listings.Upsert(t.Context(), []directory.Listing{l}); err != nil {
			t.Fatal(err)
		}
	}
	p := f.changes(t, "region=630102")
	if len(p.Items) != 0 || p.More || p.Cursor == "" {
		t.Fatalf("an empty store: %+v", p)
	}
	before := p.Cursor
	l := pool()[0]
	l.Region = "632801"
	upsert(l)
	p = f.changes(t, "region=630102&since="+before)
	if len(p.Items) != 0 || p.Cursor == before {
		t.Errorf("a new listing elsewhere: %+v", p)
	}
	l.Region = "630102"
	upsert(l)
	p = f.changes(t, "region=630102&lang=en&since="+p.Cursor)
	if len(p.Items) != 1 || p.Items[0].Change != "put" || p.Items[0].Listing == nil {
		t.Errorf("it moves here: %+v", p)
	}
	l.Region = "632801"
	upsert(l)
	p = f.changes(t, "region=630102&since="+p.Cursor)
	if len(p.Items) != 1 || p.Items[0].Change != "gone" || p.Items[0].ID != l.ID || p.Items[0].Listing != nil {
		t.Errorf("it moves away: %+v", p)
	}
	// A copy from before all this gets a tombstone of what it never had.
	if q := f.changes(t, "region=630102&since="+before); len(q.Items) != 1 || q.Items[0].Change != "gone" || q.Cursor != p.Cursor {
		t.Errorf("from before: %+v", q)
	}
}

// TestPollingCostsNothing: an answer without news is the same again, so that its
// ETag gives 304.
func TestPollingCostsNothing(t *testing.T) {
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	l := pool()[0]
	if _, err := f.listings.Insert(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	path := "/v1/changes?since=" + f.changes(t, "").Cursor
	first := f.get(t, path)
	tag := first.Header.Get("ETag")
	if first.StatusCode != 200 || tag == "" || first.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%d %v", first.StatusCode, first.Header)
	}
	if again := f.get(t, path, "If-None-Match", tag); again.StatusCode != 304 || len(again.body) != 0 {
		t.Errorf("%d %s", again.StatusCode, again.body)
	}
	doc, err := f.listings.Get(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.listings.Delete(t.Context(), l.ID, doc.Version); err != nil {
		t.Fatal(err)
	}
	if news := f.get(t, path, "If-None-Match", tag); news.StatusCode != 200 || !strings.Contains(string(news.body), `"change":"gone"`) {
		t.Errorf("%d %s", news.StatusCode, news.body)
	}
}

// TestForeignCursors: a cursor is refused where it would make a copy wrong, and a
// client can then start anew.
func TestForeignCursors(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	f, closeStore := follow(t, here)
	listings := pool()
	write := func(f *followed, listings []directory.Listing, address string) {
		t.Helper()
		for _, l := range listings {
			l.Address = address
			if _, err := f.listings.Upsert(t.Context(), []directory.Listing{l}); err != nil {
				t.Fatal(err)
			}
		}
	}
	refused := func(f *followed, query, code string) {
		t.Helper()
		a := f.get(t, "/v1/changes?"+query)
		p := decode[problem](t, a)
		if a.StatusCode != 400 || len(p.Errors) != 1 || p.Errors[0].Parameter != "since" || p.Errors[0].Code != code {
			t.Fatalf("%s: %d %s", query, a.StatusCode, a.body)
		}
		if code == directory.CodeMismatch && !strings.Contains(p.Errors[0].Message, "不带 since") {
			t.Errorf("nothing says what to do: %s", p.Errors[0].Message)
		}
	}
	write(f, listings[:5], "甲路1号")
	early := f.changes(t, "region=630100").Cursor
	refused(f, "since="+early, directory.CodeMismatch)
	refused(f, "region=630102&since="+early, directory.CodeMismatch)
	refused(f, "region=630100&crs=gcj02&since="+early, directory.CodeMismatch)
	refused(f, "region=630100&since=AAAA", directory.CodeFormat)
	refused(f, "region=630100&since="+early[:11]+"AAAA", directory.CodeFormat)
	if a := f.get(t, "/v1/changes?lang=en&since="+early); !strings.Contains(string(a.body), "without since") {
		t.Errorf("%s", a.body)
	}
	f.changes(t, "region=630100&lang=en&limit=3&since="+early) // neither changes what is in the copy

	// The folder is copied, and the copy takes the place of the original later on.
	closeStore()
	b, err := os.ReadFile(filepath.Join(here, "test.db"))
	if err == nil {
		err = os.WriteFile(filepath.Join(there, "test.db"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, closeStore = follow(t, here)
	write(f, listings[5:8], "乙路2号")
	f.changes(t, "region=630100&since="+early) // a restart does no harm
	c := newCopy("630100")
	toEnd(t, c, f.client(200, nil))
	closeStore()

	f, closeStore = follow(t, there)
	f.changes(t, "region=630100&since="+early) // which is of the time before
	refused(f, "region=630100&since="+c.Cursor, directory.CodeMismatch)
	write(f, listings[6:], "丙路3号") // past the number of the cursor
	refused(f, "region=630100&since="+c.Cursor, directory.CodeMismatch)
	toEnd(t, c, f.client(200, nil)) // the client starts anew by itself
	f.is(t, c, "of the older folder")

	// With a new id every cursor is refused.
	mark, err := f.api.Store.Meta.Get(t.Context(), "store")
	if err == nil {
		err = f.api.Store.Meta.Delete(t.Context(), "store", mark.Version)
	}
	if err != nil {
		t.Fatal(err)
	}
	refused(f, "region=630100&since="+early, directory.CodeMismatch)
	closeStore()

	other, closeOther := follow(t, t.TempDir())
	defer closeOther()
	write(other, listings, "甲路1号")
	refused(other, "region=630100&since="+early, directory.CodeMismatch)
}

// TestChangesShowCoordinatesAndNames: a copy is in the datum and the language that
// its client asks for.
func TestChangesShowCoordinatesAndNames(t *testing.T) {
	f, closeStore := follow(t, t.TempDir())
	defer closeStore()
	i := slices.IndexFunc(theEngines.listings, func(l directory.Listing) bool { return l.Location != nil })
	l := theEngines.listings[i]
	if _, err := f.listings.Insert(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{"crs=gcj02&lang=en", "lang=bo", "crs=wgs84"} {
		feed := f.get(t, "/v1/changes?"+options)
		detail := f.get(t, "/v1/listings/"+l.ID+"?"+options)
		if !bytes.Contains(feed.body, bytes.TrimSpace(detail.body)) {
			t.Errorf("%s: the feed has\n%s\nthe detail\n%s", options, feed.body, detail.body)
		}
	}
}
