package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/statistics"
)

// satisfactionView is a table of satisfaction in an answer. Members of the table that
// need names here stand in the place of its own.
type satisfactionView struct {
	View string `json:"view"` // public or official
	statistics.Table
	KindName       string            `json:"kind_name"`
	RegionName     string            `json:"region_name"`
	PeriodName     string            `json:"period_name"`
	Total          satisfactionRow   `json:"total"`
	Rows           []satisfactionRow `json:"rows"`
	Suppressed     []reasonCount     `json:"suppressed"`
	MinRatings     int               `json:"min_ratings"`
	ComparableFrom int               `json:"comparable_from"`
	DemoData       bool              `json:"demo_data,omitempty"`
}

type satisfactionRow struct {
	statistics.Row
	Name        string         `json:"name"`
	Reason      string         `json:"reason,omitempty"` // why it is suppressed, in words
	VerdictName string         `json:"verdict_name,omitempty"`
	Held        *[]reasonCount `json:"held,omitempty"`
	Excluded    *[]reasonCount `json:"excluded,omitempty"`
}

func viewSatisfactionRow(r *statistics.Row, lang string) satisfactionRow {
	v := satisfactionRow{Row: *r, Name: r.Names.In(lang)}
	if t, ok := directory.SuppressionTerm(r.Suppressed); ok {
		v.Reason = t.Names.In(lang)
	}
	if r.Figures != nil {
		v.Held, v.Excluded = new(viewReasons(r.Held, lang)), new(viewReasons(r.Excluded, lang))
		if t, ok := directory.VerdictTerm(r.Verdict); ok {
			v.VerdictName = t.Names.In(lang)
		}
	}
	return v
}

func (a *api) viewSatisfaction(t *statistics.Table, lang string) satisfactionView {
	kind, _ := directory.KindTerm(t.Kind)
	v := satisfactionView{
		View: "official", Table: *t, KindName: kind.Names.In(lang), RegionName: t.Total.Names.In(lang), PeriodName: t.Period.Name().In(lang),
		Total: viewSatisfactionRow(&t.Total, lang), Rows: make([]satisfactionRow, len(t.Rows)), Suppressed: []reasonCount{},
		MinRatings: directory.MinRatings, ComparableFrom: directory.ComparableRatings, DemoData: a.DemoData(),
	}
	if t.Public {
		v.View = "public"
	}
	for i := range t.Rows {
		v.Rows[i] = viewSatisfactionRow(&t.Rows[i], lang)
	}
	for _, term := range directory.Suppressions {
		if n := t.Suppressed[directory.Suppression(term.Code)]; n > 0 {
			v.Suppressed = append(v.Suppressed, reasonCount{search.NewTermRef(term, lang), int64(n)})
		}
	}
	return v
}

func (a *api) getSatisfaction(c *fiber.Ctx, in *input) error {
	q := a.readSatisfaction(in)
	if err := in.err(); err != nil {
		return err
	}
	table, err := a.satisfaction(c, in, q)
	if err != nil {
		return err
	}
	return sendTaggedJSON(c, a.viewSatisfaction(&table, in.lang))
}

// readSatisfaction reads what table is asked for. It notes what is wrong with it.
func (a *api) readSatisfaction(in *input) statistics.Query {
	q := statistics.Query{
		Kind: directory.Kind(in.text("kind")), Region: in.region(a.Regions, "region"), By: statistics.Cut(in.text("by")), Period: in.period(a.Now()),
		Origin: directory.RatingOrigin(in.text("origin")), SatisfiedFrom: directory.Level(in.integer("satisfied_from")),
	}
	if target := in.number("target"); target != nil {
		q.Target = *target
	}
	return q
}

// satisfaction returns a table as the caller may see it: an official of the region and of
// the bureau that looks after the kind, or of the statistics bureau, sees all of it.
func (a *api) satisfaction(c *fiber.Ctx, in *input, q statistics.Query) (statistics.Table, error) {
	public, err := in.publicView(a, c, q.Kind, q.Region)
	if err != nil {
		return statistics.Table{}, err
	}
	return a.Statistics.Satisfaction(c.UserContext(), q, public)
}

// publicView tells whether the caller is to see what the public sees. It returns
// Forbidden for somebody who asks for more than they may see.
func (in *input) publicView(a *api, c *fiber.Ctx, kind directory.Kind, region string) (bool, error) {
	c.Vary(fiber.HeaderAuthorization)
	asked := in.text("view")
	if asked == "public" {
		return true, nil
	}
	err := in.coversKind(a, kind, region)
	if err != nil && asked == "" {
		return true, nil
	}
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	return false, err
}

// period reads from and to: the current year so far where they are not given, and from
// January on, or until now, where one of them is.
func (in *input) period(now time.Time) directory.Period {
	current := directory.MonthOf(now)
	p := directory.Period{To: current}
	if in.has("to") {
		p.To = in.month("to")
	}
	if p.From = directory.PeriodOf(directory.YearPeriod, p.To).From; in.has("from") {
		p.From = in.month("from")
	}
	if p.To > current {
		in.refuse("to", directory.CodeTooLarge, current.String())
	}
	switch {
	case p.From == 0 || p.To == 0: // refused already
	case p.From > p.To:
		in.refuse("from", directory.CodeTooLarge, p.To.String())
	case p.Months() > maxPeriod:
		in.refuse("from", directory.CodeTooSmall, p.To.Add(1-maxPeriod).String())
	}
	return p
}

// maxPeriod is how many months a table can be of.
const maxPeriod = 120
