package handlers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"

	"qingfu/directory"
	"qingfu/photos"
)

// A scenario is one request and what its answer must hold: members of the JSON
// body by dotted path, with "*" for any value that is there and is not null.
type scenario struct {
	name, method, path, body string
	headers                  []string
	status                   int
	has                      map[string]any
}

func TestScenarios(t *testing.T) {
	f := newFixture(t, nil)
	known := f.listings[0].ID
	const unknown = "01890a5d-ac96-774b-bcce-000000000000"
	for _, s := range []scenario{
		{"everything", "GET", "/v1/listings", "", nil, 200, map[string]any{
			"total": float64(len(f.listings)), "items.#": 20.0, "items.0.open_now": true, "next_cursor": "*", "demo_data": true, "facets": map[string]any{}}},
		{"pinyin", "GET", "/v1/listings?q=hzjz", "", nil, 200, map[string]any{"items.0.name": "*"}},
		{"facets named in Chinese", "GET", "/v1/listings?facets=kind,region,category,features,badges&limit=1", "", nil, 200, map[string]any{
			"facets.kind.#": 5.0, "facets.region.#": 8.0, "facets.region.0.name": "西宁市", "facets.features.0.name": "*", "facets.badges.0.name": "*", "items.#": 1.0}},
		{"facets named in English", "GET", "/v1/listings?facets=kind,region&limit=1&lang=en", "", nil, 200, map[string]any{"facets.region.0.name": "Xining"}},
		{"names by Accept-Language", "GET", "/v1/listings?facets=region&limit=1", "", []string{"Accept-Language", "en-GB,en;q=0.8"}, 200, map[string]any{"facets.region.0.name": "Xining"}},
		{"lang before Accept-Language", "GET", "/v1/listings?facets=region&limit=1&lang=bo", "", []string{"Accept-Language", "en"}, 200, map[string]any{"facets.region.0.name": "ཟི་ལིང་གྲོང་ཁྱེར"}},
		{"nothing found", "GET", "/v1/listings?kind=brand&has_vacancy=true", "", nil, 200, map[string]any{"items.#": 0.0, "total": 0.0, "next_cursor": nil}},
		{"near without text orders by distance", "GET", "/v1/listings?near=36.62,101.78&limit=3", "", nil, 200, map[string]any{"items.0.distance_m": "*"}},
		{"every filter at once", "GET", "/v1/listings?q=a&kind=elder_care,childcare&category=nursing_home&region=630100,630200&near=36.62,101.78&radius_m=5000&bbox=101,36,102,37" +
			"&open_now=true&features=accessible&badges=care_insurance&has_vacancy=true&price_max=500000&min_satisfaction=0.8&demo=true&sort=distance&facets=kind&limit=100&crs=gcj02&lang=en",
			"", nil, 200, map[string]any{"total": "*"}},
		{"an empty text is no text", "GET", "/v1/listings?q=", "", nil, 200, map[string]any{"total": float64(len(f.listings))}},
		{"control characters are spaces", "GET", "/v1/listings?q=%00%0a%7f", "", nil, 200, map[string]any{"total": float64(len(f.listings))}},

		{"a listing", "GET", "/v1/listings/" + known, "", nil, 200, map[string]any{"id": known, "name": f.listings[0].Names.Zh, "region.path.0": "青海省", "status": "published", "satisfaction.state": "*"}},
		{"a listing in English", "GET", "/v1/listings/" + known + "?lang=en", "", nil, 200, map[string]any{"region.path.0": "Qinghai"}},
		{"an unknown listing", "GET", "/v1/listings/" + unknown, "", nil, 404, map[string]any{"code": "not_found", "detail": "*"}},
		{"a draft is not shown", "GET", "/v1/listings/" + draftID, "", nil, 404, map[string]any{"code": "not_found"}},
		{"a batch in its order", "GET", "/v1/listings:batch?ids=" + strings.Join([]string{f.listings[5].ID, unknown, f.listings[2].ID, draftID, f.listings[5].ID}, ","), "", nil, 200, map[string]any{
			"items.#": 2.0, "items.0.id": f.listings[5].ID, "items.1.id": f.listings[2].ID, "missing": []any{unknown, draftID}}},

		{"changes from the beginning", "GET", "/v1/changes?limit=2&region=630100", "", nil, 200, map[string]any{
			"items.#": 2.0, "items.0.change": "put", "items.0.listing.region.path.1": "西宁市", "cursor": "*", "more": true, "demo_data": true}},

		{"suggest by a synonym in pinyin", "GET", "/v1/suggest?q=yuesao", "", nil, 200, map[string]any{"items.0.code": "maternity", "items.1.type": "listing"}},
		{"suggest a region by initials", "GET", "/v1/suggest?q=cdq", "", nil, 200, map[string]any{"items.0.code": "630102", "items.0.highlight": "<mark>城东区</mark>", "items.0.path.1": "西宁市"}},
		{"suggest at most", "GET", "/v1/suggest?q=x&limit=2", "", nil, 200, map[string]any{"items.#": 2.0}},

		{"clusters", "GET", "/v1/map/clusters?bbox=89,31,104,40&zoom=6", "", nil, 200, map[string]any{"items.0.count": "*", "total": "*"}},

		{"the prefectures", "GET", "/v1/regions", "", nil, 200, map[string]any{"items.#": 8.0, "items.0.code": "630100", "items.0.children_count": 7.0}},
		{"children of a region", "GET", "/v1/regions?parent=630100", "", nil, 200, map[string]any{"items.#": 7.0, "items.0.parent": "630100"}},
		{"a level", "GET", "/v1/regions?level=3", "", nil, 200, map[string]any{"items.#": 45.0}},
		{"the province", "GET", "/v1/regions?level=1", "", nil, 200, map[string]any{"items.#": 1.0, "items.0.parent": nil}},
		{"a region by pinyin", "GET", "/v1/regions?q=geermu&level=3", "", nil, 200, map[string]any{"items.0.name": "格尔木市"}},
		{"a region's detail", "GET", "/v1/regions/630102", "", nil, 200, map[string]any{"path.#": 3.0, "children.#": 9.0, "seat.lat": 36.6}},
		{"an unknown region", "GET", "/v1/regions/639999", "", nil, 404, map[string]any{"code": "not_found"}},
		{"locating", "GET", "/v1/regions:locate?lat=36.42&lon=94.9", "", nil, 200, map[string]any{"prefecture.code": "632800", "county.name": "格尔木市", "approximate": true}},
		{"locating outside", "GET", "/v1/regions:locate?lat=39.9&lon=116.4", "", nil, 404, map[string]any{"code": "not_found"}},

		{"vocabulary", "GET", "/v1/categories", "", nil, 200, map[string]any{"kinds.#": 5.0, "kinds.0.code": "brand", "features.#": "*", "units.0.name": "次"}},
		{"vocabulary in English", "GET", "/v1/categories?lang=en", "", nil, 200, map[string]any{"units.0.name": "visit", "units.0.names.zh": "次"}},

		{"alive", "GET", "/livez", "", nil, 200, map[string]any{"status": "ok"}},
		{"ready", "GET", "/readyz", "", nil, 200, map[string]any{"status": "ok"}},
		{"version", "GET", "/version", "", nil, 200, map[string]any{"version": "test", "go": "*"}},
		{"contract", "GET", "/openapi.yaml", "", nil, 200, nil},
		{"reference", "GET", "/docs", "", nil, 200, nil},
		{"reference script, unpacked", "GET", "/docs/swagger-ui-bundle.js", "", nil, 200, nil},
		{"reference styles", "GET", "/docs/docs.css", "", nil, 200, nil},
		{"page for ratings", "GET", "/rate", "", nil, 200, nil},
		{"script of that page", "GET", "/docs/rate.js", "", nil, 200, nil},
		{"page of the figures", "GET", "/stats", "", nil, 200, nil},
		{"script of that page", "GET", "/docs/stats.js", "", nil, 200, nil},
		{"styles of that page", "GET", "/docs/stats.css", "", nil, 200, nil},
		{"problem codes", "GET", "/docs/problems.html", "", nil, 200, nil},

		{"unknown path", "GET", "/v1/nothing", "", nil, 404, map[string]any{"code": "not_found", "title": "没有找到"}},
		{"unknown path in English", "GET", "/v1/nothing", "", []string{"Accept-Language", "en"}, 404, map[string]any{"title": "Not found", "instance": "/v1/nothing"}},
		{"a slash too many", "GET", "/v1/listings/", "", nil, 404, map[string]any{"code": "not_found"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			a := f.request(t, s.method, s.path, s.body, s.headers...)
			if a.StatusCode != s.status {
				t.Fatalf("status %d, want %d\n%s", a.StatusCode, s.status, a.body)
			}
			if s.has == nil {
				return
			}
			body := decode[any](t, a)
			for path, want := range s.has {
				got, ok := member(body, path)
				switch {
				case !ok:
					t.Errorf("%s is not there", path)
				case want == "*" && got == nil:
					t.Errorf("%s is null", path)
				case want != "*" && fmt.Sprint(got) != fmt.Sprint(want):
					t.Errorf("%s is %v, want %v", path, got, want)
				}
			}
		})
	}
}

// member follows a dotted path; # is the length of a list.
func member(v any, path string) (any, bool) {
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			if step == "#" {
				return float64(len(at)), true
			}
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// page is what paging looks at.
type page struct {
	Items []struct {
		ID        string
		Kind      string
		DistanceM *int `json:"distance_m"`
		Location  *directory.Point
	}
	Total      int
	NextCursor *string `json:"next_cursor"`
}

func TestPagingReturnsEveryItemOnce(t *testing.T) {
	f := newFixture(t, nil)
	for _, query := range []string{
		"limit=7", "limit=50&sort=name", "limit=50&sort=newest", "limit=50&sort=satisfaction",
		"limit=50&near=36.62,101.78&sort=distance", "limit=9&q=jiazheng", "limit=100&open_now=true", "limit=13&q=养老&region=630100&lang=en&crs=gcj02",
	} {
		seen, cursor, total := map[string]bool{}, "", -1
		for pages := 0; ; pages++ {
			if pages > 100 {
				t.Fatalf("%s: no end", query)
			}
			p := decode[page](t, f.get(t, "/v1/listings?"+query+cursor))
			for _, item := range p.Items {
				if seen[item.ID] {
					t.Fatalf("%s: %s twice", query, item.ID)
				}
				seen[item.ID] = true
			}
			if total >= 0 && p.Total != total {
				t.Errorf("%s: total %d on a later page, %d before", query, p.Total, total)
			}
			total = p.Total
			if p.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *p.NextCursor
		}
		if len(seen) != total || total == 0 {
			t.Errorf("%s: %d items, total %d", query, len(seen), total)
		}
	}
}

func TestCursorBelongsToItsQuery(t *testing.T) {
	f := newFixture(t, nil)
	next := *decode[page](t, f.get(t, "/v1/listings?q=jiazheng&kind=domestic_service&limit=2")).NextCursor
	for query, status := range map[string]int{
		"q=jiazheng&kind=domestic_service&limit=2&cursor=":                     200,
		"kind=domestic_service&q=jiazheng&limit=9&facets=kind&lang=en&cursor=": 200, // none of these changes the list
		"q=jiazheng&limit=2&cursor=":                                           400,
		"q=baomu&kind=domestic_service&limit=2&cursor=":                        400,
		"q=jiazheng&kind=domestic_service&sort=name&cursor=":                   400,
	} {
		if a := f.get(t, "/v1/listings?"+query+next); a.StatusCode != status {
			t.Errorf("%s: %d, want %d %s", query, a.StatusCode, status, a.body)
		}
	}
	// A cursor whose engine token has been tampered with is refused, too.
	if a := f.get(t, "/v1/listings?q=jiazheng&kind=domestic_service&cursor="+next[:len(next)-4]+"AAAA"); a.StatusCode != 400 {
		t.Errorf("tampered: %d %s", a.StatusCode, a.body)
	}
}

func TestCoordinatesInGCJ02(t *testing.T) {
	f := newFixture(t, nil)
	here := directory.Point{Lat: 36.62, Lon: 101.78}
	there := directory.ToGCJ02(here)
	a := decode[page](t, f.get(t, fmt.Sprintf("/v1/listings?near=%f,%f&limit=20", here.Lat, here.Lon)))
	b := decode[page](t, f.get(t, fmt.Sprintf("/v1/listings?near=%f,%f&limit=20&crs=gcj02", there.Lat, there.Lon)))
	for i, item := range a.Items {
		other := b.Items[i]
		if item.ID != other.ID || *item.DistanceM-*other.DistanceM > 1 || *other.DistanceM-*item.DistanceM > 1 {
			t.Fatalf("result %d: %+v and %+v", i, item, other)
		}
		if d := directory.Distance(directory.ToGCJ02(*item.Location), *other.Location); d > 0.2 {
			t.Errorf("%s: %.1f m off", item.ID, d)
		}
		detail := decode[struct{ Location directory.Point }](t, f.get(t, "/v1/listings/"+item.ID+"?crs=gcj02"))
		if detail.Location != *other.Location {
			t.Errorf("%s: the card has %v, the detail %v", item.ID, *other.Location, detail.Location)
		}
	}
}

func TestETags(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{
		"/v1/listings/" + f.listings[0].ID, "/v1/regions", "/v1/regions/630100", "/v1/categories", "/openapi.yaml", "/docs", "/docs/docs.js", "/docs/swagger-ui.css",
	} {
		first := f.get(t, path)
		tag := first.Header.Get("ETag")
		if first.StatusCode != 200 || tag == "" || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s: %d, ETag %q", path, first.StatusCode, tag)
		}
		for header, status := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200} {
			again := f.get(t, path, "If-None-Match", header)
			if again.StatusCode != status || status == 304 && (len(again.body) != 0 || again.Header.Get("ETag") != tag) {
				t.Errorf("%s, If-None-Match %s: %d, %d bytes, ETag %s", path, header, again.StatusCode, len(again.body), again.Header.Get("ETag"))
			}
		}
	}
	zh, en := f.get(t, "/v1/regions/630100"), f.get(t, "/v1/regions/630100?lang=en")
	if zh.Header.Get("ETag") == en.Header.Get("ETag") {
		t.Error("one ETag for two languages")
	}
}

func TestCompression(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct{ path, accept, want string }{
		{"/v1/categories", "gzip", "gzip"},
		{"/v1/categories", "gzip, br", "br"},
		{"/v1/categories", "", ""},
		{"/livez", "gzip, br", ""}, // smaller than a packet
		{"/docs/swagger-ui-bundle.js", "gzip, br", "gzip"},
	} {
		a := f.get(t, tc.path, "Accept-Encoding", tc.accept)
		if got := a.Header.Get("Content-Encoding"); got != tc.want || !strings.Contains(a.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s, %q: %q, Vary %q", tc.path, tc.accept, got, a.Header.Get("Vary"))
		}
	}
	if tag := f.get(t, "/v1/categories", "Accept-Encoding", "br").Header.Get("ETag"); !strings.HasPrefix(tag, "W/") {
		t.Errorf("the ETag %s of compressed bytes is strong", tag)
	}
}

func TestHeaders(t *testing.T) {
	f := newFixture(t, nil)
	for sent, kept := range map[string]bool{"abc-1.2_Z": true, "": false, "has space": false, strings.Repeat("a", 65): false, "汉": false} {
		got := f.get(t, "/livez", "X-Request-ID", sent).Header.Get("X-Request-ID")
		if (got == sent) != kept || !validRequestID(got) {
			t.Errorf("sent %q, got %q", sent, got)
		}
	}
	head, get := f.do(t, "HEAD", "/v1/listings?limit=2"), f.get(t, "/v1/listings?limit=2")
	if head.StatusCode != 200 || len(head.body) != 0 || head.Header.Get("Content-Length") != get.Header.Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, length %s, GET has %s", head.StatusCode, len(head.body), head.Header.Get("Content-Length"), get.Header.Get("Content-Length"))
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Demo-Data": "true", "Server": ""} {
		if got := get.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}

	real := newFixture(t, func(c *Config) { c.DemoData = func() bool { return false } })
	a := real.get(t, "/v1/listings?limit=1")
	if a.Header.Get("X-Demo-Data") != "" || strings.Contains(string(a.body), "demo_data") {
		t.Errorf("a server without demonstration data is marked: %v %s", a.Header, a.body)
	}
}

// Requests that never reach a route are sent over a connection, as they are.
func TestRefusals(t *testing.T) {
	f := newFixture(t, nil)
	listener := fasthttputil.NewInmemoryListener()
	served := make(chan error, 1)
	go func() { served <- f.app.Listener(listener) }()
	defer func() {
		if err := errors.Join(f.app.Shutdown(), <-served); err != nil {
			t.Error(err)
		}
	}()

	long := strings.Repeat("a", maxURL)
	head := " HTTP/1.1\r\nHost: x\r\n"
	signed := head + "Authorization: Bearer x\r\n"
	large := head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", maxBody+1, strings.Repeat("a", maxBody+1))
	for _, tc := range []struct {
		name, request string
		status        int
		code          string
	}{
		{"wrong method", "POST /v1/listings" + head + "\r\n", 405, "method_not_allowed"},
		{"wrong method on a parameter", "DELETE /v1/regions/630100" + head + "\r\n", 405, "method_not_allowed"},
		{"method of another world", "BREW /v1/listings" + head + "\r\n", 405, "method_not_allowed"},
		{"wrong method, unknown path", "POST /v2" + head + "\r\n", 404, "not_found"},
		{"long URL", "GET /v1/listings?q=" + long + head + "\r\n", 414, "uri_too_long"},
		{"long unknown path", "GET /" + long + head + "\r\n", 414, "uri_too_long"},
		{"URL longer than the buffer", "GET /v1/listings?q=" + long + long + long + head + "\r\n", 414, "uri_too_long"},
		{"long header", "GET /v1/listings" + head + "X-Long: " + long + long + "\r\n\r\n", 431, "headers_too_large"},
		{"large body", "GET /v1/listings" + large, 413, "body_too_large"},
		{"large body, wrong method", "POST /v1/listings" + large, 413, "body_too_large"},
		{"large photo of nobody", "POST /v1/photos" + large, 413, "body_too_large"},
		{"large photo of somebody", "POST /v1/photos?purpose=listing" + strings.Replace(large, head, signed, 1), 401, "unauthenticated"}, // it was read
		{"photo larger than any", "POST /v1/photos" + signed + fmt.Sprintf("Content-Length: %d\r\n\r\n", photos.MaxBytes+1), 413, "body_too_large"},
		{"body as large as a photo", "PATCH /v1/me" + strings.Replace(large, head, signed, 1), 413, "body_too_large"},
		{"no request", "garbage\r\n\r\n", 400, "bad_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := listener.Dial()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }() // the server may have closed it already
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				_, _ = io.WriteString(conn, tc.request) // it fails when the server has answered early
			}()
			defer func() { <-wrote }()
			req := httptest.NewRequest("GET", "/refused", nil)
			res, err := http.ReadResponse(bufio.NewReader(conn), req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(io.LimitReader(res.Body, res.ContentLength))
			if err != nil {
				t.Fatal(err)
			}
			a := answer{res, body}
			f.validate(t, req, a)
			p := decode[problem](t, a)
			if a.StatusCode != tc.status || p.Code != tc.code || a.Header.Get("Content-Type") != "application/problem+json" || p.RequestID != a.Header.Get("X-Request-ID") {
				t.Errorf("%d %v %s", a.StatusCode, a.Header, a.body)
			}
			if tc.status == 405 && a.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %q", a.Header.Get("Allow"))
			}
			_ = conn.Close()
		})
	}
}

func TestInternalErrorsStayInside(t *testing.T) {
	secret := "the password is hunter2"
	f := newFixture(t, func(c *Config) { c.Ready = func(context.Context) error { panic(secret) } })
	if a := f.get(t, "/readyz"); a.StatusCode != http.StatusInternalServerError || strings.Contains(string(a.body), "hunter2") {
		t.Errorf("panic: %d %s", a.StatusCode, a.body)
	}
	f = newFixture(t, func(c *Config) { c.Ready = func(context.Context) error { return errors.New(secret) } })
	a := f.get(t, "/readyz")
	if a.StatusCode != http.StatusServiceUnavailable || strings.Contains(string(a.body), "hunter2") || a.Header.Get("Retry-After") == "" {
		t.Errorf("not ready: %d %v %s", a.StatusCode, a.Header, a.body)
	}
}

func TestMetrics(t *testing.T) {
	f := newFixture(t, nil)
	f.get(t, "/v1/listings?limit=1")
	f.get(t, "/nothing")
	body := string(f.get(t, "/metrics").body)
	for _, want := range []string{
		`qingfu_http_request_duration_seconds_count{operation="searchListings",status="200"} 1`,
		`qingfu_http_request_duration_seconds_count{operation="unknown",status="404"} 1`,
		fmt.Sprintf("qingfu_index_listings %d", len(f.listings)),
		"qingfu_store_sequence 7", "qingfu_index_sequence 7", "qingfu_index_lag_changes 0", "qingfu_index_lag_seconds 0\n", "go_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	f = newFixture(t, func(c *Config) {
		c.Progress = func() (int64, int64) { return 9, 7 }
		c.Lag = func() time.Duration { return 1500 * time.Millisecond }
	})
	body = string(f.get(t, "/metrics").body)
	for _, want := range []string{"qingfu_index_lag_changes 2", "qingfu_index_lag_seconds 1.5"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}
