package directory

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestBulletinIDs(t *testing.T) {
	month, quarter, year := Period{202609, 202609}, Period{202607, 202609}, Period{202601, 202612}
	for _, tc := range []struct {
		text     string
		period   Period
		revision int
		ok       bool
	}{
		{"2026-09.1", month, 1, true},
		{"2026-09", month, 0, true},
		{"2026-Q3.12", quarter, 12, true},
		{"2026.2", year, 2, true},
		{"2026", year, 0, true},
		{"2026-13", Period{}, 0, false},
		{"2026-Q0", Period{}, 0, false},
		{"2026-Q5", Period{}, 0, false},
		{"2026-Q03", Period{}, 0, false},
		{"2026-Qx", Period{}, 0, false},
		{"2026-9", Period{}, 0, false},
		{"2026-", Period{}, 0, false},
		{"26", Period{}, 0, false},
		{"", Period{}, 0, false},
		{"2026-09.0", Period{}, 0, false},
		{"2026-09.01", Period{}, 0, false},
		{"2026-09.", Period{}, 0, false},
		{"2026-09.1.1", Period{}, 0, false},
	} {
		p, revision, ok := ParseBulletinID(tc.text)
		if p != tc.period || revision != tc.revision || ok != tc.ok {
			t.Errorf("%q: %v %d %t", tc.text, p, revision, ok)
		}
		if ok && revision > 0 && BulletinID(p, revision) != tc.text {
			t.Errorf("%q is written as %q", tc.text, BulletinID(p, revision))
		}
	}
}

func TestBulletinsDue(t *testing.T) {
	at := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04:05", text, Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	for _, tc := range []struct{ now, want string }{
		{"2026-11-09 23:59:59", "2026-09 2026-Q3 2025"},
		{"2026-11-10 00:00:00", "2026-10 2026-Q3 2025"},
		{"2026-10-09 23:59:59", "2026-08 2026-Q2 2025"},
		{"2026-10-10 00:00:00", "2026-09 2026-Q3 2025"},
		{"2027-01-09 23:59:59", "2026-11 2026-Q3 2025"},
		{"2027-01-10 00:00:00", "2026-12 2026-Q4 2026"},
		{"2027-03-01 00:00:00", "2027-01 2026-Q4 2026"},
		{"2027-03-10 00:00:00", "2027-02 2026-Q4 2026"},
	} {
		var got []string
		for _, p := range BulletinsDue(at(tc.now)) {
			got = append(got, p.Key())
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v, want %s", tc.now, got, tc.want)
		}
	}
}

func TestCheckBulletin(t *testing.T) {
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, Shanghai)
	for _, tc := range []struct {
		name       string
		period     string
		published  bool
		correction string
		now        time.Time
		want       string // the wrong fields
	}{
		{"the month that has just ended", "2026-09", false, "", now, ""},
		{"a moment before its end", "2026-09", false, "", now.Add(-1), "/period too_large (2026-08)"},
		{"the current quarter", "2026-Q4", false, "", now, "/period too_large (2026-Q3)"},
		{"the current year", "2026", false, "", now, "/period too_large (2025)"},
		{"a correction", "2026-08", true, "漏计海东的评价", now, ""},
		{"a correction that says nothing", "2026-08", true, " \n", now, "/correction required"},
		{"a correction of nothing", "2026-08", false, "漏计", now, "/correction mismatch (/period)"},
		{"too long", "2026-08", true, strings.Repeat("改", maxCorrection+1), now, "/correction too_long (2000)"},
		{"both", "2027", true, "", now, "/period too_large (2025), /correction required"},
	} {
		p, _ := ParsePeriod(tc.period)
		var got []string
		err := CheckBulletin(p, tc.published, tc.correction, tc.now)
		if e, ok := errors.AsType[*Error](err); ok {
			for _, f := range e.Fields {
				got = append(got, f.String())
			}
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

// smallContent is a content with one table.
func smallContent() BulletinContent {
	return BulletinContent{
		Title: Names{Zh: "公报 <甲> & “乙”"}, Period: Period{202609, 202609}, AsOf: time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC),
		Rules:       BulletinRules{Target: 0.85, Holding: DefaultRatingRules()},
		Definitions: []BulletinDefinition{{Code: "n", Names: Names{Zh: "评价数"}, Text: Names{Zh: "评价的数"}}},
		Tables: []BulletinTable{{Code: "region", Names: Names{Zh: "各市州"}, Columns: []BulletinColumn{{"n", Names{Zh: "评价数"}, CountFigure}, {"share", Names{Zh: "满意率"}, ShareFigure}},
			Rows: []BulletinRow{
				{Key: "630100", Names: Names{Zh: "西宁市"}, Verdict: Met, Figures: map[string]float64{"n": 100, "share": 0.93}},
				{Key: "630200", Names: Names{Zh: "海东市"}, Verdict: TooFew, Figures: map[string]float64{"n": 7}},
				{Key: "632600", Names: Names{Zh: "果洛州"}, Suppressed: SuppressedProtected, Figures: map[string]float64{}},
			}}},
	}
}

// TestBulletinHash: the hash is that of the canonical form, whatever becomes of the order
// of members, white space and escapes on the way.
func TestBulletinHash(t *testing.T) {
	b, err := DraftBulletin(smallContent(), nil, "", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := b.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(canonical), `{"as_of":"2026-10-10T00:00:00Z","definitions":[{"code":"n"`) || !strings.Contains(string(canonical), "<甲> & “乙”") {
		t.Errorf("the canonical form is %.120s", canonical)
	}
	var loose any
	if err := json.Unmarshal(canonical, &loose); err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(loose, "", "\t") // escapes <, > and &
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]json.RawMessage{"as made": b.Content, "canonical": canonical, "indented": indented} {
		again := Bulletin{Content: content}
		if got, err := again.hash(); err != nil || got != b.ContentSHA256 {
			t.Errorf("%s: %s %v, want %s", name, got, err, b.ContentSHA256)
		}
	}
	other := smallContent()
	other.Tables[0].Rows[0].Figures["n"] = 101
	c, err := DraftBulletin(other, nil, "", "", time.Now())
	if err != nil || c.ContentSHA256 == b.ContentSHA256 {
		t.Errorf("another content has the same hash: %v", err)
	}
	if back, err := b.Read(); err != nil || !reflect.DeepEqual(back, smallContent()) {
		t.Errorf("the content that is read back is %+v (%v)", back, err)
	}
}

func TestBulletinChanges(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*BulletinContent)
		want   []string // table/row/figure: before → after
	}{
		{"nothing", func(*BulletinContent) {}, nil},
		{"the time of counting", func(c *BulletinContent) { c.AsOf = c.AsOf.Add(time.Hour) }, nil},
		{"a figure", func(c *BulletinContent) { c.Tables[0].Rows[0].Figures["n"] = 99 }, []string{"region/630100/n: 100 → 99"}},
		{"a figure that was not there", func(c *BulletinContent) {
			c.Tables[0].Rows[1].Verdict = Uncertain
			c.Tables[0].Rows[1].Figures["n"], c.Tables[0].Rows[1].Figures["share"] = 10, 0.8
		}, []string{"region/630200/verdict: too_few → uncertain", "region/630200/n: 7 → 10", "region/630200/share: <nil> → 0.8"}},
		{"a row that is kept back", func(c *BulletinContent) {
			c.Tables[0].Rows[1] = BulletinRow{Key: "630200", Suppressed: SuppressedProtected}
		}, []string{"region/630200/suppressed: <nil> → protected", "region/630200/verdict: too_few → <nil>", "region/630200/n: 7 → <nil>"}},
		{"a row that is gone", func(c *BulletinContent) { c.Tables[0].Rows = c.Tables[0].Rows[:2] }, []string{"region/632600/suppressed: protected → <nil>"}},
		{"a new row", func(c *BulletinContent) {
			c.Tables[0].Rows = append(c.Tables[0].Rows, BulletinRow{Key: "632700", Figures: map[string]float64{"n": 0}})
		}, []string{"region/632700/n: <nil> → 0"}},
		{"a table that is gone", func(c *BulletinContent) { c.Tables = nil }, []string{
			"region/630100/verdict: met → <nil>", "region/630100/n: 100 → <nil>", "region/630100/share: 0.93 → <nil>",
			"region/630200/verdict: too_few → <nil>", "region/630200/n: 7 → <nil>", "region/632600/suppressed: protected → <nil>",
		}},
		{"a rule", func(c *BulletinContent) { c.Rules.Holding.Surge.Most = 20 }, []string{"rules/holding.surge.most/text: 15 → 20"}},
		{"a definition and the mark", func(c *BulletinContent) { c.Definitions[0].Text.Zh, c.Demo = "条数", true }, []string{"content/demo/text: false → true", "definitions/n/text: 评价的数 → 条数"}},
	} {
		before, after := smallContent(), smallContent()
		tc.change(&after)
		var got []string
		for _, c := range BulletinChanges(&before, &after) {
			text, err := json.Marshal(c) // as the store keeps it
			if err != nil || json.Unmarshal(text, &c) != nil {
				t.Fatal(err)
			}
			got = append(got, c.Table+"/"+c.Row+"/"+c.Figure+": "+sprint(c.Before)+" → "+sprint(c.After))
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
		}
	}
}

func sprint(v any) string {
	if v == nil {
		return "<nil>"
	}
	text, _ := json.Marshal(v)
	return strings.Trim(string(text), `"`)
}

func TestPublishingBulletins(t *testing.T) {
	now := time.Date(2026, 10, 12, 0, 0, 0, 0, time.UTC)
	draft, err := DraftBulletin(smallContent(), nil, "", "", now)
	if err != nil {
		t.Fatal(err)
	}
	published, err := draft.Publish(draft.ContentSHA256, "account", now)
	if err != nil || published.State != BulletinPublished || published.ID() != "2026-09.1" || !published.PublishedAt.Equal(now) {
		t.Fatalf("%+v %v", published, err)
	}
	for name, tc := range map[string]struct {
		state BulletinState
		seen  string
		kind  ErrorKind
	}{
		"another content":     {BulletinDraft, strings.Repeat("0", 64), Precondition},
		"nothing seen":        {BulletinDraft, "", Precondition},
		"discarded":           {BulletinDiscarded, draft.ContentSHA256, Conflict},
		"published, and seen": {BulletinPublished, draft.ContentSHA256, Conflict},
	} {
		b := draft
		b.State = tc.state
		if _, err := b.Publish(tc.seen, "account", now); KindOf(err) != tc.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DraftBulletin(smallContent(), &published, "x", "", now); KindOf(err) != Conflict {
		t.Errorf("a correction of nothing: %v", err)
	}
	other := smallContent()
	other.Tables[0].Rows[0].Figures["n"] = 99
	second, err := DraftBulletin(other, &published, "重复计一条", "account", now)
	if err != nil || second.ID() != "2026-09.2" || second.Correction == "" || len(second.Changes) != 1 {
		t.Fatalf("%+v %v", second, err)
	}
	for latest, want := range []BulletinState{BulletinPublished, BulletinPublished, BulletinSuperseded} {
		if got := published.StateBeside(latest); got != want {
			t.Errorf("beside revision %d it is %s", latest, got)
		}
	}
	if got := second.StateBeside(1); got != BulletinDraft {
		t.Errorf("the draft is %s", got)
	}
}
