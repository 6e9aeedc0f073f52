package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
)

// Bulletin is a publication that freezes the figures of a month, quarter or year
// (定期发布, 青政办〔2020〕62号, 四·五). It begins as a draft, and once it is published
// nothing about it changes: what turns out to be wrong is put right by the next
// revision, which says what it changes and why.
type Bulletin struct {
	Period   Period        `json:"period"`
	Revision int           `json:"revision"` // 1, 2, …; together with the period it is the id
	State    BulletinState `json:"state"`    // draft, discarded or published; see [Bulletin.StateBeside]
	// Content is a [BulletinContent] as it was when the bulletin was made. It is kept as
	// it was written, so that a program that knows more members does not add them.
	Content json.RawMessage `json:"content"`
	// ContentSHA256 is the hash of the content in its canonical form; see [Bulletin.Canonical].
	ContentSHA256 string `json:"content_sha256"`
	// Correction is what is put right and why, "" of a first revision, and Changes what
	// that does to the figures of the revision before.
	Correction  string           `json:"correction,omitempty"`
	Changes     []BulletinChange `json:"changes,omitempty"`
	MadeAt      time.Time        `json:"made_at"`
	MadeBy      string           `json:"made_by,omitempty"` // account; "" for the schedule
	PublishedAt *time.Time       `json:"published_at,omitempty"`
	PublishedBy string           `json:"published_by,omitempty"` // account
	Untold      bool             `json:"untold,omitempty"`       // whether the officials still have to be told of the draft
}

// BulletinState is how far a bulletin has come.
type BulletinState string

// The states of a bulletin.
const (
	BulletinDraft      BulletinState = "draft"      // for officials alone
	BulletinDiscarded  BulletinState = "discarded"  // a draft that will not be published
	BulletinPublished  BulletinState = "published"  // for everybody, and for good
	BulletinSuperseded BulletinState = "superseded" // published, and so is a later revision
)

// BulletinStates are the states with their names.
var BulletinStates = []Term{
	term(string(BulletinDraft), "草稿", "Draft"),
	term(string(BulletinDiscarded), "已弃用", "Discarded"),
	term(string(BulletinPublished), "已发布", "Published"),
	term(string(BulletinSuperseded), "已被修订", "Superseded"),
}

// BulletinDay is on which day of the month after a period its draft is made: when the
// returns of the period are due.
const BulletinDay = 10

// maxCorrection is how long a note of correction can be, in characters.
const maxCorrection = 2000

// BulletinBureaus are the bureaus whose officials make and publish bulletins, for the
// province alone.
var BulletinBureaus = []Bureau{Statistics, Commerce}

// ID is the key of the period and the revision: 2026-09.1.
func (b *Bulletin) ID() string { return BulletinID(b.Period, b.Revision) }

// BulletinID is the id of a revision of the bulletin of a period.
func BulletinID(p Period, revision int) string {
	return p.Key() + "." + strconv.Itoa(revision)
}

// ParseBulletinID reads an id, or the key of a period alone; the revision is 0 then.
func ParseBulletinID(text string) (p Period, revision int, ok bool) {
	key, number, numbered := strings.Cut(text, ".")
	if p, ok = ParsePeriod(key); !ok || !numbered {
		return p, 0, ok
	}
	revision, err := strconv.Atoi(number)
	if err != nil || revision < 1 || strconv.Itoa(revision) != number {
		return Period{}, 0, false
	}
	return p, revision, true
}

// BulletinsDue returns the periods of which there has to be at least a draft at a time:
// the last month, quarter and year whose [BulletinDay] has come.
func BulletinsDue(now time.Time) []Period {
	m := MonthOf(now.In(Shanghai).AddDate(0, 0, 1-BulletinDay))
	return []Period{PeriodOf(MonthPeriod, m).Before(), PeriodOf(QuarterPeriod, m).Before(), PeriodOf(YearPeriod, m).Before()}
}

// CheckBulletin tells why no bulletin of a period can be made: an Invalid error about a
// period that has not ended, and about a correction that is missing where a revision is
// published, or is there where none is; nil when there is no reason.
func CheckBulletin(p Period, published bool, correction string, now time.Time) error {
	c := &checks{}
	if p.To.Ends().After(now) {
		c.add("/period", CodeTooLarge, PeriodOf(p.Kind(), MonthOf(now)).Before().Key())
	}
	switch {
	case published:
		c.requiredParagraphs("/correction", correction, maxCorrection)
	case correction != "":
		c.add("/correction", CodeMismatch, "/period")
	}
	return InvalidFields("bulletin", c.fields)
}

// DraftBulletin makes a draft with a content: the first revision, or the one after the
// one that is published, nil for none. It returns Conflict about "bulletin_same" when
// the content does not differ from the published one.
func DraftBulletin(content BulletinContent, published *Bulletin, correction, by string, now time.Time) (b Bulletin, err error) {
	b = Bulletin{Period: content.Period, Revision: 1, State: BulletinDraft, MadeAt: now, MadeBy: by}
	if b.Content, err = json.Marshal(content); err != nil {
		return b, err
	}
	if b.ContentSHA256, err = b.hash(); err != nil || published == nil {
		return b, err
	}
	before, err := published.Read()
	if err != nil {
		return b, err
	}
	b.Revision, b.Correction, b.Changes = published.Revision+1, correction, BulletinChanges(&before, &content)
	if len(b.Changes) == 0 {
		return b, &Error{Kind: Conflict, What: "bulletin_same"}
	}
	return b, nil
}

// Publish returns the bulletin that a draft becomes. It returns Conflict about
// "bulletin_state" for what is no draft, and Precondition when the content is another
// than the one whose hash the publisher has seen.
func (b Bulletin) Publish(seen, by string, now time.Time) (Bulletin, error) {
	if b.State != BulletinDraft {
		return b, &Error{Kind: Conflict, What: "bulletin_state"}
	}
	if seen != b.ContentSHA256 {
		return b, &Error{Kind: Precondition, What: "bulletin"}
	}
	b.State, b.PublishedAt, b.PublishedBy, b.Untold = BulletinPublished, &now, by, false
	return b, nil
}

// StateBeside is the state of the bulletin when a revision is the latest published one
// of its period, 0 for none.
func (b *Bulletin) StateBeside(latest int) BulletinState {
	if b.State == BulletinPublished && b.Revision < latest {
		return BulletinSuperseded
	}
	return b.State
}

// Read returns the content.
func (b *Bulletin) Read() (c BulletinContent, err error) {
	err = json.Unmarshal(b.Content, &c)
	return c, err
}

// Canonical returns the content in the canonical form of RFC 8785, of which the hash is.
func (b *Bulletin) Canonical() ([]byte, error) { return jcs.Transform(b.Content) }

func (b *Bulletin) hash() (string, error) {
	canonical, err := b.Canonical()
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), err
}

// BulletinContent is everything that a bulletin says, so that it can be read without
// the program that has made it.
type BulletinContent struct {
	Title       Names                `json:"title"`
	Period      Period               `json:"period"`
	PeriodName  Names                `json:"period_name"`
	Region      string               `json:"region"` // code
	RegionNames Names                `json:"region_names"`
	AsOf        time.Time            `json:"as_of"` // when it was counted
	Demo        bool                 `json:"demo"`  // whether invented data is in it
	Rules       BulletinRules        `json:"rules"`
	Definitions []BulletinDefinition `json:"definitions"`
	Tables      []BulletinTable      `json:"tables"`
}

// BulletinRules are the rules that were in force when the figures were counted.
type BulletinRules struct {
	Kind          Kind    `json:"kind"`           // of listing whose satisfaction it is
	Target        float64 `json:"target"`         // share of satisfied ones
	SatisfiedFrom Level   `json:"satisfied_from"` // the lowest level that counts as satisfied
	MinRatings    int     `json:"min_ratings"`    // below this no share is published
	// ComparableRatings is below how many ratings shares should not be compared.
	ComparableRatings int     `json:"comparable_ratings"`
	Interval          string  `json:"interval"`   // of shares: wilson
	Difference        string  `json:"difference"` // the interval of differences: newcombe
	Confidence        float64 `json:"confidence"` // of the intervals
	// Suppression says what is kept from the public.
	Suppression Names `json:"suppression"`
	// Holding are the thresholds by which ratings are held, and so not counted, until an
	// official has decided.
	Holding RatingRules `json:"holding"`
}

// BulletinDefinition says what a figure is.
type BulletinDefinition struct {
	Code   string `json:"code"`
	Names  Names  `json:"names"`
	Text   Names  `json:"text"`
	Source Names  `json:"source,omitzero"`
}

// BulletinTable is a table of figures.
type BulletinTable struct {
	Code    string           `json:"code"`
	Names   Names            `json:"names"`
	Columns []BulletinColumn `json:"columns"`
	Rows    []BulletinRow    `json:"rows"`
}

// BulletinColumn is a figure that the rows of a table have.
type BulletinColumn struct {
	Code  string       `json:"code"`
	Names Names        `json:"names"`
	Unit  BulletinUnit `json:"unit"`
}

// BulletinUnit is what kind of number a figure is.
type BulletinUnit string

// The units.
const (
	CountFigure  BulletinUnit = "count"
	ShareFigure  BulletinUnit = "share"  // 0 to 1
	PointsFigure BulletinUnit = "points" // difference of two shares, -1 to 1
	LevelFigure  BulletinUnit = "level"  // 1 to 5
	RatioFigure  BulletinUnit = "ratio"
)

// BulletinUnits are the units with what stands behind a number of them, where shares
// and their differences are shown by the hundred.
var BulletinUnits = []Term{
	term(string(CountFigure), "个", ""), term(string(ShareFigure), "%", "%"), term(string(PointsFigure), "百分点", "points"),
	term(string(LevelFigure), "级", "level"), term(string(RatioFigure), "", ""),
}

// BulletinRow is a line of a table.
type BulletinRow struct {
	Key   string `json:"key"`
	Names Names  `json:"names"`
	// Suppressed is why there are no figures, "" where they are not kept back.
	Suppressed Suppression `json:"suppressed,omitempty"`
	Verdict    Verdict     `json:"verdict,omitempty"` // "" where there is none
	// Figures are by the codes of columns; one that is not known is not there.
	Figures map[string]float64 `json:"figures"`
}

// BulletinChange is a figure, or something else that a content says, that a revision
// has changed.
type BulletinChange struct {
	Table       string `json:"table"` // code of a table, or "content", "rules" or "definitions"
	TableNames  Names  `json:"table_names"`
	Row         string `json:"row"`
	RowNames    Names  `json:"row_names"`
	Figure      string `json:"figure"` // code of a column, "verdict", "suppressed" or "text"
	FigureNames Names  `json:"figure_names"`
	// Unit is "" of what is no number.
	Unit BulletinUnit `json:"unit,omitempty"`
	// Before and After are a number, a text or a truth value, nil where there is nothing.
	Before any `json:"before"`
	After  any `json:"after"`
}

// at is the place of what changes.
func (c *BulletinChange) at() [3]string { return [3]string{c.Table, c.Row, c.Figure} }

// BulletinChanges returns what differs between two contents of one period but for when
// they were counted, in the order of the new one, and what it has no more at the end.
func BulletinChanges(before, after *BulletinContent) (out []BulletinChange) {
	old := before.statements()
	was := make(map[[3]string]any, len(old))
	for _, c := range old {
		was[c.at()] = c.After
	}
	has := map[[3]string]bool{}
	for _, c := range after.statements() {
		has[c.at()] = true
		if c.Before = was[c.at()]; !reflect.DeepEqual(c.Before, c.After) {
			out = append(out, c)
		}
	}
	for _, c := range old {
		if !has[c.at()] && c.After != nil {
			c.Before, c.After = c.After, nil
			out = append(out, c)
		}
	}
	return out
}

// statements are all that a content says, each as if it were new, but for when it was
// counted and what its parts are called.
func (c *BulletinContent) statements() (out []BulletinChange) {
	for _, t := range c.Tables {
		for _, r := range t.Rows {
			say := func(figure string, names Names, unit BulletinUnit, value any) {
				out = append(out, BulletinChange{Table: t.Code, TableNames: t.Names, Row: r.Key, RowNames: r.Names, Figure: figure, FigureNames: names, Unit: unit, After: value})
			}
			say("suppressed", Names{Zh: "不公开的原因", En: "Why suppressed"}, "", nothing(r.Suppressed))
			say("verdict", Names{Zh: "结论", En: "Verdict"}, "", nothing(r.Verdict))
			for _, column := range t.Columns {
				if v, ok := r.Figures[column.Code]; ok {
					say(column.Code, column.Names, column.Unit, v)
				} else {
					say(column.Code, column.Names, column.Unit, nil)
				}
			}
		}
	}
	say := func(table string, tableNames Names, row string, rowNames Names, value any) {
		out = append(out, BulletinChange{Table: table, TableNames: tableNames, Row: row, RowNames: rowNames, Figure: "text", FigureNames: Names{Zh: "内容", En: "Content"}, After: value})
	}
	about := Names{Zh: "概况", En: "About"}
	say("content", about, "title", Names{Zh: "标题", En: "Title"}, c.Title.Zh)
	say("content", about, "demo", Names{Zh: "含示例数据", En: "Holds demonstration data"}, c.Demo)
	for _, r := range c.Rules.Statements() {
		say("rules", Names{Zh: "规则", En: "Rules"}, r.Rule, Names{Zh: r.Rule}, r.Value)
	}
	for _, d := range c.Definitions {
		say("definitions", Names{Zh: "定义", En: "Definitions"}, d.Code, d.Names, d.Text.Zh+d.Source.Zh)
	}
	return out
}

// nothing is nil for "", and otherwise the text.
func nothing[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// RuleStatement is one of the rules with its value, a number or a text.
type RuleStatement struct {
	Rule  string // its place in the rules: holding.surge.most
	Value any
}

// Statements are the rules one by one, in the order of their places.
func (r BulletinRules) Statements() (out []RuleStatement) {
	text, err := json.Marshal(r)
	var members map[string]any
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		return nil // cannot be: all of it is numbers and texts
	}
	return flatten("", members)
}

func flatten(place string, members map[string]any) (out []RuleStatement) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if inner, ok := members[name].(map[string]any); ok {
			out = append(out, flatten(place+name+".", inner)...)
		} else {
			out = append(out, RuleStatement{place + name, members[name]})
		}
	}
	return out
}
