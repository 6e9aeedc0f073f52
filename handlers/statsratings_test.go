package handlers

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"qingfu/directory"
)

// rateBehind stores ratings of a listing as if they had been given when a month began.
func (f *fixture) rateBehind(t *testing.T, listing string, month directory.Month, change func(i int, r *directory.Rating), n int) {
	t.Helper()
	doc, err := f.store.Listings.Get(t.Context(), listing)
	if err != nil {
		t.Fatal(err)
	}
	l := &doc.Value
	at := month.Begins().UTC()
	for i := range n {
		id := fmt.Sprintf("%s-7000-8000-%012d", listing[:13], i)
		r := directory.Rating{
			ID: id, Proof: "test " + id, Origin: directory.OrderOrigin, Listing: l.ID, Organization: l.OrganizationID, Kind: l.Kind, Region: l.Region,
			Account: "01a192b0-7400-7000-8000-0000000000ff", Level: 5, Text: "很好", State: directory.RatingPublished, CreatedAt: at, UpdatedAt: at,
		}
		change(i, &r)
		if _, err := f.store.Ratings.Insert(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFigureFromTheExport computes the figure of a listing again from the table that a
// program gets with its key.
func TestFigureFromTheExport(t *testing.T) {
	f := newFixture(t, nil)
	listing := f.proposed(t, "01a192b0-7400-7000-8000-0000000000c1", "630225")
	f.rateBehind(t, listing, 202610, func(i int, r *directory.Rating) {
		r.Level = directory.Level(1 + i%5)
		switch i % 7 {
		case 1:
			r.Origin = directory.OpenOrigin
		case 2:
			r.State, r.Findings = directory.RatingHeld, []directory.Finding{{Rule: directory.RuleOfficial}}
		case 3:
			r.State = directory.RatingWithdrawn
		case 4:
			r.Origin, r.Category = directory.InviteOrigin, "=1+1"
		}
	}, 70)
	figure, err := f.api.Consumer.Count(t.Context(), listing)
	if err != nil {
		t.Fatal(err)
	}
	key := f.withKey(t, 60)
	path := "/v1/stats/ratings:export?kind=elder_care&region=630225&from=2026-10&to=2026-10&format="
	a := f.get(t, path+"csv", key...)
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != mimeCSV || a.Header.Get("Cache-Control") != "private, no-cache" ||
		!strings.Contains(a.Header.Get("Content-Disposition"), "qingfu-ratings-elder_care-630225-2026-10-2026-10.csv") {
		t.Fatalf("%d %v", a.StatusCode, a.Header)
	}
	text, marked := bytes.CutPrefix(a.body, []byte("\ufeff"))
	if !marked || bytes.Count(text, []byte("\n")) != bytes.Count(text, []byte("\r\n")) {
		t.Error("no byte order mark, or lines without CRLF")
	}
	table, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(table[0], ","); got != "评价编号,月份,日期,类型,市州代码,县区代码,服务类别,机构编号,服务编号,来源,等级,状态,规则,计入满意率,示例" {
		t.Errorf("headings %s", got)
	}
	column := func(name string) int { return slices.Index(table[0], name) }
	var levels [5]int64
	guarded := 0
	for _, row := range table[1:] {
		if row[column("计入满意率")] == "1" && row[column("服务编号")] == listing {
			levels[row[column("等级")][0]-'1']++
		}
		if row[column("月份")] != "2026-10" || row[column("日期")] != "2026-10-01" || row[column("市州代码")] != "630200" || row[column("县区代码")] != "630225" {
			t.Errorf("row %v", row)
		}
		if row[column("服务类别")] == "'=1+1" {
			guarded++
		}
	}
	if levels != figure.Levels || figure.N() < directory.MinRatings || len(table) != 1+60 || guarded != 10 {
		t.Errorf("the figure is %v, from %d rows it is %v; %d cells are guarded", figure.Levels, len(table)-1, levels, guarded)
	}
	for _, secret := range []string{"很好", "0000000000ff"} {
		if bytes.Contains(a.body, []byte(secret)) {
			t.Errorf("the table holds %q", secret)
		}
	}

	a = f.get(t, path+"ndjson&origin=invite", key...)
	if lines := strings.Split(strings.TrimSuffix(string(a.body), "\n"), "\n"); a.StatusCode != 200 || len(lines) != 10 || !strings.HasPrefix(lines[0], `{"id":"`+listing[:13]) ||
		!strings.HasSuffix(lines[0], `"month":"2026-10","day":"2026-10-01","kind":"elder_care","prefecture":"630200","region":"630225","category":"=1+1",`+
			`"organization":"01a192b0-7400-7000-8000-0000000000c1","listing":"`+listing+`","origin":"invite","level":5,"state":"published","rule":"","counted":1,"demo":0}`) {
		t.Errorf("%d, %d lines, the first is %s", a.StatusCode, len(lines), lines[0])
	}

	f.clock.Advance(limitWindow)
	w := walk{f, t, f.as(t, official)}
	w.want(w.step(400, "GET", "/v1/stats/ratings:export?kind=hotel&region=639999&from=2026-13&to=2026-10&format=xlsx&origin=none", ""), map[string]any{"errors.#": 5.0})
	w.want(w.step(400, "GET", "/v1/stats/ratings:export?kind=elder_care&region=630202&from=2026-11&to=2026-10&format=csv", ""),
		map[string]any{"errors.#": 1.0, "errors.0.parameter": "to", "errors.0.code": "too_small", "errors.0.limit": "2026-11"})
	if got := fieldMessage(directory.FieldError{Parameter: "from, to, region", Code: directory.CodeTooLong, Limit: "200000"}, "zh"); got != "超过 200000 行：请缩短起止月份，或选择较小的地区。" {
		t.Error(got)
	}
}
