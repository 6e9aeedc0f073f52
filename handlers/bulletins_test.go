package handlers

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// cleaned stores ratings of domestic services.
func (f *fixture) cleaned(t *testing.T, month directory.Month, region string, level directory.Level, n int) {
	t.Helper()
	var ratings []directory.Rating
	for range n {
		id, err := directory.NewID(f.clock.Now(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		ratings = append(ratings, directory.Rating{
			ID: id, Proof: "test " + id, Origin: directory.InviteOrigin, Listing: draftID, Kind: directory.DomesticServiceKind, Region: region, Category: "cleaning",
			Level: level, State: directory.RatingPublished, CreatedAt: month.Begins().Add(time.Hour),
		})
	}
	if _, err := f.store.Ratings.Upsert(t.Context(), ratings); err != nil {
		t.Fatal(err)
	}
}

// TestABulletin follows a bulletin from its draft to its correction, in all formats.
func TestABulletin(t *testing.T) {
	f := newFixture(t, nil)
	f.cleaned(t, 202303, "630102001", 5, 90)
	f.cleaned(t, 202303, "630102001", 2, 10)
	f.cleaned(t, 202303, "632621", 1, 4)
	f.cleaned(t, 202303, "632801", 4, 12)
	everybody := walk{fixture: f, t: t}
	resident := f.person(t)
	publisher := f.person(t, directory.Grant{Role: directory.Official, Bureau: directory.Statistics, Region: "630000", Powers: []directory.Power{directory.PublishPower}})
	const path = "/v1/stats/bulletins/2023-03"
	text := func(answer any, at string) string { v, _ := textOf(answer, at); return v }

	publisher.want(publisher.step(400, "POST", "/v1/stats/bulletins", `{"period":"2023-13"}`), map[string]any{"errors.0.pointer": "/period", "errors.0.code": "bad_format"})
	publisher.want(publisher.step(400, "POST", "/v1/stats/bulletins", `{"period":"2026-11","correction":"x"}`), map[string]any{"errors.0.pointer": "/period", "errors.0.limit": "2026-10", "errors.1.pointer": "/correction"})
	draft := publisher.step(201, "POST", "/v1/stats/bulletins", `{"period":"2023-03"}`)
	publisher.want(draft, map[string]any{
		"id": "2023-03.1", "state": "draft", "made_by": "official", "published_at": nil, "kind": "month", "name": "2023年3月", "title": "青海省家政服务消费者满意度公报（2023年3月）",
		"demo": true, "changes.#": 0.0, "correction": nil, "content.rules.target": 0.85, "content.rules.holding.surge.most": 15.0, "content.tables.0.rows.0.figures.n": 116.0,
		"content.tables.2.code": "satisfaction_region", "content.tables.2.rows.0.verdict": "uncertain", "content.tables.2.rows.5.suppressed": "protected",
	})
	for _, draftPath := range []string{path, path + ".1", path + "/content", path + ".1?format=xlsx", path + "?format=html"} {
		everybody.step(404, "GET", draftPath, "")
		resident.step(404, "GET", draftPath, "")
	}
	everybody.step(404, "GET", path+"/revisions", "")
	if a := f.get(t, path+"?format=html", publisher.bearer...); a.StatusCode != 200 || a.Header.Get("Cache-Control") != "no-store" || !bytes.Contains(a.body, []byte("尚未发布")) {
		t.Errorf("the draft as a page: %d %s", a.StatusCode, a.Header.Get("Cache-Control"))
	}
	publisher.want(publisher.step(200, "GET", "/v1/stats/bulletins?state=draft&year=2023&kind=month", ""), map[string]any{"items.0.id": "2023-03.1", "items.0.state": "draft"})
	everybody.want(everybody.step(200, "GET", "/v1/stats/bulletins?year=2023&kind=month", ""), map[string]any{"items.#": 0.0, "next_cursor": nil, "demo_data": true})
	everybody.want(everybody.step(403, "GET", "/v1/stats/bulletins?state=draft", ""), map[string]any{"code": "forbidden"})

	hash := text(draft, "content_sha256")
	publisher.want(publisher.step(400, "POST", path+".1/publication", `{}`), map[string]any{"errors.0.pointer": "/content_sha256"})
	publisher.want(publisher.step(412, "POST", path+".1/publication", `{"content_sha256":"`+strings.Repeat("0", 64)+`"}`), map[string]any{"code": "precondition"})
	everybody.step(401, "POST", path+".1/publication", `{"content_sha256":"`+hash+`"}`)
	resident.step(403, "POST", path+".1/publication", `{"content_sha256":"`+hash+`"}`)
	publisher.step(404, "POST", path+".2/publication", `{"content_sha256":"`+hash+`"}`)
	publisher.want(publisher.step(200, "POST", path+".1/publication", `{"content_sha256":"`+hash+`"}`), map[string]any{"state": "published", "published_at": "*", "content_sha256": hash})
	publisher.want(publisher.step(409, "DELETE", path+".1", ""), map[string]any{"code": "conflict", "detail": "公报已发布或已弃用，不能这样做。"})

	// Everybody has it, and can compute the hash: of the bytes, or of the JSON answer.
	a := f.get(t, path)
	var answer struct {
		Content json.RawMessage
		Hash    string `json:"content_sha256"`
	}
	if err := json.Unmarshal(a.body, &answer); err != nil {
		t.Fatal(err)
	}
	canonical, err := jcs.Transform(answer.Content)
	if err != nil {
		t.Fatal(err)
	}
	exact := f.get(t, path+".1/content")
	for what, bytes := range map[string][]byte{"the content in the answer": answer.Content, "its canonical form": canonical, "the content alone": exact.body} {
		if sum := sha256.Sum256(bytes); hex.EncodeToString(sum[:]) != hash || answer.Hash != hash {
			t.Errorf("%s has not the hash %s", what, hash)
		}
	}
	for target, want := range map[string]string{
		path: "no-cache", path + ".1": "public, max-age=300", path + ".1?format=html": "public, max-age=300", path + "/content": "no-cache", path + ".1/content": "public, max-age=31536000, immutable",
	} {
		a := f.get(t, target)
		if got := a.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", target, got, want)
		}
		if b := f.get(t, target, "If-None-Match", a.Header.Get("ETag")); b.StatusCode != 304 {
			t.Errorf("%s again: %d", target, b.StatusCode)
		}
	}

	// The files say the same as the JSON.
	a = f.get(t, path+".1?format=xlsx")
	if got := a.Header.Get("Content-Disposition"); got != "attachment; filename=qingfu-bulletin-2023-03.1.xlsx" {
		t.Errorf("Content-Disposition %q", got)
	}
	if b := f.get(t, path+".1?format=xlsx"); b.Header.Get("ETag") != a.Header.Get("ETag") {
		t.Error("the workbook is another one each time")
	}
	book, err := excelize.OpenReader(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if n, _ := book.GetCellValue("各市州满意度", "D2", excelize.Options{RawCellValue: true}); n != "100" {
		t.Errorf("the workbook says that 西宁 has %q ratings", n)
	}
	a = f.get(t, path+".1?format=csv")
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\ufeff")))).ReadAll()
	if err != nil || len(lines) < 100 || a.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%d lines of CSV as %s (%v)", len(lines), a.Header.Get("Content-Type"), err)
	}
	a = f.get(t, path+".1?format=html")
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	for _, part := range []string{"示例数据：", "2023年3月青海省家政服务满意率", hash, `<table>`} {
		if !bytes.Contains(a.body, []byte(part)) {
			t.Errorf("the page does not have %q", part)
		}
	}

	// A correction.
	publisher.want(publisher.step(400, "POST", "/v1/stats/bulletins", `{"period":"2023-03"}`), map[string]any{"errors.0.pointer": "/correction", "errors.0.code": "required"})
	publisher.want(publisher.step(409, "POST", "/v1/stats/bulletins", `{"period":"2023-03","correction":"复核"}`), map[string]any{"detail": "数据与已发布的公报相同，无需修订。"})
	f.cleaned(t, 202303, "630102001", 5, 2)
	f.clock.Advance(time.Minute)
	second := publisher.step(201, "POST", "/v1/stats/bulletins", `{"period":"2023-03","correction":"补计2条 & 复核"}`)
	publisher.want(second, map[string]any{"id": "2023-03.2", "correction": "补计2条 & 复核", "changes.0.table": "satisfaction", "changes.0.figure": "n", "changes.0.before": 116.0, "changes.0.after": 118.0})
	everybody.want(everybody.step(200, "GET", path, ""), map[string]any{"id": "2023-03.1", "state": "published"})
	everybody.step(404, "GET", path+".2", "")
	publisher.step(200, "POST", path+".2/publication", `{"content_sha256":"`+text(second, "content_sha256")+`"}`)
	everybody.want(everybody.step(200, "GET", path+"?lang=en", ""), map[string]any{"id": "2023-03.2", "state": "published", "name": "2023-03", "changes.#": "*"})
	everybody.want(everybody.step(200, "GET", path+".1", ""), map[string]any{"state": "superseded", "content_sha256": hash})
	revisions := everybody.step(200, "GET", path+".1/revisions", "")
	everybody.want(revisions, map[string]any{"items.#": 2.0, "items.0.id": "2023-03.2", "items.0.state": "published", "items.0.changes.0.before": 116.0, "items.1.state": "superseded", "items.1.changes.#": 0.0})
	if _, there := member(revisions, "items.0.content"); there {
		t.Error("the list of revisions has their contents")
	}
	if !bytes.Contains(f.get(t, path+".1?format=html").body, []byte("本版已被第2版修订。")) {
		t.Error("the first revision does not say that there is a second one")
	}

	// The list by pages, and the feed.
	quarter := publisher.step(201, "POST", "/v1/stats/bulletins", `{"period":"2023-Q1"}`)
	publisher.step(200, "POST", "/v1/stats/bulletins/2023-Q1.1/publication", `{"content_sha256":"`+text(quarter, "content_sha256")+`"}`)
	first := everybody.step(200, "GET", "/v1/stats/bulletins?year=2023&limit=1", "")
	everybody.want(first, map[string]any{"items.#": 1.0, "items.0.id": "2023-Q1.1", "items.0.name": "2023年第1季度"})
	rest := everybody.step(200, "GET", "/v1/stats/bulletins?year=2023&limit=1&cursor="+text(first, "next_cursor"), "")
	everybody.want(rest, map[string]any{"items.#": 1.0, "items.0.id": "2023-03.2", "items.0.correction": "补计2条 & 复核", "next_cursor": nil})
	everybody.want(everybody.step(400, "GET", "/v1/stats/bulletins?year=2022&cursor="+text(first, "next_cursor"), ""), map[string]any{"errors.0.parameter": "cursor"})
	checkFeed(t, f.get(t, "/v1/stats/bulletins.atom"))
	if a := f.get(t, "/v1/stats/bulletins.atom"); f.get(t, "/v1/stats/bulletins.atom", "If-None-Match", a.Header.Get("ETag")).StatusCode != 304 {
		t.Error("the feed is sent again")
	}
}

// checkFeed holds a feed against what RFC 4287 demands, and looks for the correction.
func checkFeed(t *testing.T, a answer) {
	t.Helper()
	type link struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	}
	var feed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string   `xml:"id"`
		Title   string   `xml:"title"`
		Updated string   `xml:"updated"`
		Author  []string `xml:"author>name"`
		Links   []link   `xml:"link"`
		Entries []struct {
			ID        string `xml:"id"`
			Title     string `xml:"title"`
			Updated   string `xml:"updated"`
			Published string `xml:"published"`
			Links     []link `xml:"link"`
			Summary   string `xml:"summary"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(a.body, &feed); err != nil {
		t.Fatal(err)
	}
	absolute := func(what, href string) {
		t.Helper()
		if u, err := url.Parse(href); err != nil || u.Scheme != "https" || u.Host != "qingfu.test" {
			t.Errorf("%s is %q", what, href)
		}
	}
	when := func(what, at string) time.Time {
		t.Helper()
		parsed, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return parsed
	}
	absolute("the id of the feed", feed.ID)
	if feed.Title == "" || len(feed.Author) != 1 || len(feed.Links) == 0 || feed.Links[0].Rel != "self" || a.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Errorf("the feed is %+v as %s", feed, a.Header.Get("Content-Type"))
	}
	absolute("its own address", feed.Links[0].Href)
	ids := map[string]bool{}
	for _, e := range feed.Entries {
		absolute("the id of an entry", e.ID)
		for _, l := range e.Links {
			absolute(l.Rel, l.Href)
		}
		if ids[e.ID] || e.Title == "" || e.Summary == "" || len(e.Links) == 0 || e.Links[0].Rel != "alternate" {
			t.Errorf("an entry is %+v", e)
		}
		ids[e.ID] = true
		if when(e.ID, e.Updated).After(when("the feed", feed.Updated)) || when(e.ID, e.Updated).Before(when(e.ID, e.Published)) {
			t.Errorf("%s was updated %s, published %s, and the feed %s", e.ID, e.Updated, e.Published, feed.Updated)
		}
		if e.ID == "https://qingfu.test/v1/stats/bulletins/2023-03" {
			if e.Updated == e.Published || !strings.Contains(e.Summary, "满意率：") || !strings.HasSuffix(e.Summary, "修订（第2版）：补计2条 & 复核") {
				t.Errorf("the entry of the correction: %+v", e)
			}
		}
	}
	if len(feed.Entries) < 2 || !ids["https://qingfu.test/v1/stats/bulletins/2023-03"] {
		t.Errorf("the feed has %d entries: %v", len(feed.Entries), fmt.Sprint(ids))
	}
}
