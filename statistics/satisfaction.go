package statistics

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"qingfu/directory"
)

// Cut is by what a table of satisfaction is divided.
type Cut string

// The cuts.
const (
	ByRegion       Cut = "region" // the divisions directly below the region, down to counties
	ByCategory     Cut = "category"
	ByOrganization Cut = "organization"
	ByMonth        Cut = "month"
	ByQuarter      Cut = "quarter"
	ByOrigin       Cut = "origin"
	ByLevel        Cut = "level"
)

// Query asks for a table of satisfaction.
type Query struct {
	Kind   directory.Kind   `json:"kind"`
	Region string           `json:"region"` // the province, a prefecture or a county
	By     Cut              `json:"by,omitempty"`
	Period directory.Period `json:"period"` // of when the ratings were given
	// Origin is of which proof the ratings are: "" for those that count officially.
	Origin        directory.RatingOrigin `json:"origin,omitempty"`
	SatisfiedFrom directory.Level        `json:"satisfied_from"` // the lowest level that counts as satisfied: 3, 4 or 5
	Target        float64                `json:"target"`         // share of satisfied ones, above 0 and below 1
}

// Table is the answer to a [Query].
type Table struct {
	Query
	// Public says that what the public may not see is suppressed. Nothing else differs
	// between the two views.
	Public bool  `json:"public"`
	Total  Row   `json:"total"`
	Rows   []Row `json:"rows"` // none without a cut
	// RowsLeftOut is how many more rows there are than a table holds.
	RowsLeftOut int `json:"rows_left_out"`
	// PostStratified are the estimates for the province by the weights of its parts,
	// beside the total, in which each part has as much to say as it has ratings. There
	// are none for smaller regions, for other origins than those that count, and by
	// category and organization, for which places are not counted.
	PostStratified []Estimate `json:"post_stratified"`
	// Suppressed counts the suppressed rows, the total among them, by the reason.
	Suppressed map[directory.Suppression]int `json:"suppressed"`
	AsOf       time.Time                     `json:"as_of"` // when it was counted
}

// Row is one line of a table.
type Row struct {
	// Key is a region code, a category, the id of an organization ("" for listings of
	// none), a month 2026-11, a quarter 2026-Q4, an origin or a level.
	Key   string          `json:"key"`
	Names directory.Names `json:"names"`
	// Suppressed is why the figures are not shown, "" where they are.
	Suppressed directory.Suppression `json:"suppressed,omitempty"`
	*Figures                         // nil where they are suppressed
}

// Figures are what is known of some ratings. The shares and the mean are nil where
// there are fewer than [directory.MinRatings].
type Figures struct {
	N       int64             `json:"n"`
	Levels  *[5]int64         `json:"levels"`            // how many of level 1 to 5; nil with too few in the public view
	Verdict directory.Verdict `json:"verdict,omitempty"` // "" of a row that is one level
	Thin    bool              `json:"thin"`              // fewer than can be compared
	Share   *float64          `json:"share"`             // of satisfied ones, 0 to 1, to 4 places
	Low     *float64          `json:"low"`               // Wilson 95% interval
	High    *float64          `json:"high"`
	Mean    *float64          `json:"mean"` // level, 1 to 5, to 2 places
	// Needed is how many more ratings would settle an uncertain verdict if the share
	// stayed what it is, or make a share possible where there are too few; nil where
	// the verdict is settled, or nothing would settle it.
	Needed *int64 `json:"needed"`
	// Change is against the period before, nil where one of the two has too few or is
	// not shown.
	Change *Change `json:"change"`
	// Bookings and Invitations are how many led to a rating; nil where they cannot be
	// told apart by this cut.
	Bookings    *Response `json:"bookings"`
	Invitations *Response `json:"invitations"`
	// Held and Excluded are the ratings that do not count, by the rule.
	Held     map[string]int64 `json:"held"`
	Excluded map[string]int64 `json:"excluded"`
}

// Change is the difference between the shares of two periods, with its 95% interval.
type Change struct {
	Period     directory.Period `json:"period"` // the earlier one
	N          int64            `json:"n"`      // ratings in it
	Share      float64          `json:"share"`
	Difference float64          `json:"difference"`
	Low        float64          `json:"low"`
	High       float64          `json:"high"`
}

// Response is how many of those who were asked have rated.
type Response struct {
	Asked int64    `json:"asked"`
	Rated int64    `json:"rated"`
	Rate  *float64 `json:"rate"` // nil when nobody was asked
}

// Estimate is a share by weights: that of each part counts as the part weighs, and not
// as many ratings as it has. See [directory.PostStratify].
type Estimate struct {
	Weights          Weights               `json:"weights"`
	Suppressed       directory.Suppression `json:"suppressed,omitempty"`
	*EstimateFigures                       // nil where it is suppressed, or there are too few ratings
}

// EstimateFigures are the figures of an [Estimate].
type EstimateFigures struct {
	Share        float64           `json:"share"`
	Low          float64           `json:"low"` // Wilson 95% interval at the effective number of ratings
	High         float64           `json:"high"`
	DesignEffect float64           `json:"design_effect"`
	EffectiveN   float64           `json:"effective_n"`
	Strata       int               `json:"strata"`  // parts with ratings
	Covered      float64           `json:"covered"` // share of the whole weight that these have, 0 to 1
	Verdict      directory.Verdict `json:"verdict"`
}

// Weights is by what the parts of the province weigh.
type Weights string

// The weights.
const (
	// ByPopulation is by the census of 2020: of counties where it is known, and otherwise
	// of prefectures.
	ByPopulation Weights = "population"
	// ByBookings is by the bookings completed in the period, of counties.
	ByBookings Weights = "bookings"
)

// maxRows is how many rows a table has at the most.
const maxRows = 1000

// Satisfaction answers a query, as the public may see it or whole. Region, period and
// cut are such as [Query] says.
func (s *Statistics) Satisfaction(ctx context.Context, q Query, public bool) (Table, error) {
	v := &view{Statistics: s, public: public}
	earlier := q
	earlier.Period = s.periodBefore(q.Period)
	var now, before tallies
	estimates := []Estimate{}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		now, err = s.tally(within, q)
		return err
	})
	group.Go(func() (err error) {
		before, err = s.tally(within, earlier)
		return err
	})
	if public { // what is shown depends on the places, however the table is cut
		group.Go(func() error {
			places := q
			places.By = ByRegion
			_, _, _, err := s.ratingCells(within, places)
			return err
		})
	}
	if s.level(q.Region) == directory.Province && q.Origin == "" && q.By != ByCategory && q.By != ByOrganization {
		group.Go(func() (err error) {
			estimates, err = v.postStratify(within, q)
			return err
		})
	}
	err := group.Wait()
	t := Table{Query: q, Public: public, Rows: []Row{}, PostStratified: estimates, Suppressed: map[directory.Suppression]int{}, AsOf: now.at}
	if err != nil {
		return t, err
	}
	if t.Total, err = v.row(ctx, q, totalKey, &now.total, earlier, totalKey, &before.total); err != nil {
		return t, err
	}
	if q.By == ByMonth || q.By == ByQuarter { // each row has a period before of its own
		earlier.Period = directory.Period{From: q.Period.From.Add(-5), To: q.Period.To}
		if before, err = s.tally(ctx, earlier); err != nil {
			return t, err
		}
	}
	for _, key := range s.keys(q, now) {
		keyBefore := q.keyBefore(key)
		row, err := v.row(ctx, q, key, now.rows[key], earlier, keyBefore, before.rows[keyBefore])
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, row)
	}
	if q.By == ByOrganization {
		t.cut()
		if err := s.nameOrganizations(ctx, &t); err != nil {
			return t, err
		}
	}
	for _, row := range append([]Row{t.Total}, t.Rows...) {
		if row.Suppressed != "" {
			t.Suppressed[row.Suppressed]++
		}
	}
	return t, nil
}

// row makes the row of a key with what was counted for it, compared with what was in an
// earlier period under a key of then, nil for nothing.
func (v *view) row(ctx context.Context, q Query, key string, now *tally, earlier Query, keyThen string, then *tally) (Row, error) {
	row := Row{Key: key, Names: v.nameOf(q, key)}
	var err error
	if row.Suppressed, err = v.hides(ctx, q, key); row.Suppressed != "" || err != nil {
		return row, err
	}
	if q.By == ByLevel && key != totalKey {
		row.Figures = levelFigures(now)
		return row, nil
	}
	row.Figures = now.figures(q, key)
	if then == nil {
		return row, nil
	}
	if why, err := v.hides(ctx, earlier, keyThen); why != "" || err != nil {
		return row, err
	}
	row.Change = change(now, then, q.SatisfiedFrom, earlier.periodOf(keyThen))
	return row, nil
}

// totalKey is the key of the total.
const totalKey = "total"

// tally is what was counted for one row.
type tally struct {
	directory.Satisfaction
	held, excluded        map[string]int64
	bookings, invitations Response
	levelOf               int64 // of a row that is one level: how many there are of all
}

func (t *tally) figures(q Query, key string) *Figures {
	sum := t.Against(q.SatisfiedFrom, q.Target)
	f := &Figures{
		N: sum.N, Levels: new(t.Levels), Verdict: sum.State, Share: sum.Share, Low: sum.Low, High: sum.High,
		Held: t.held, Excluded: t.excluded,
	}
	if sum.State != directory.TooFew {
		f.Thin, f.Mean = sum.N < directory.ComparableRatings, new(directory.RoundTo(t.Mean(), 100))
	}
	if more, ok := t.Needed(q.SatisfiedFrom, q.Target); ok {
		f.Needed = &more
	}
	origin := q.Origin
	if q.By == ByOrigin && key != totalKey {
		origin = directory.RatingOrigin(key)
	}
	if q.By == ByLevel {
		return f
	}
	if origin == "" || origin == directory.OrderOrigin {
		f.Bookings = t.bookings.rated()
	}
	if origin == "" || origin == directory.InviteOrigin {
		f.Invitations = t.invitations.rated()
	}
	return f
}

func (r Response) rated() *Response {
	if r.Asked > 0 {
		r.Rate = new(directory.RoundTo(float64(r.Rated)/float64(r.Asked), 1e4))
	}
	return &r
}

// levelFigures are those of one level: how many ratings have it, as a share of all.
func levelFigures(t *tally) *Figures {
	f := &Figures{N: t.N(), Levels: new(t.Levels), Held: t.held, Excluded: t.excluded}
	if t.levelOf < directory.MinRatings {
		f.Verdict = directory.TooFew
		return f
	}
	low, high := directory.Wilson(f.N, t.levelOf)
	f.Share, f.Low, f.High = new(directory.RoundTo(float64(f.N)/float64(t.levelOf), 1e4)), new(directory.RoundTo(low, 1e4)), new(directory.RoundTo(high, 1e4))
	f.Thin = t.levelOf < directory.ComparableRatings
	return f
}

// change compares the shares of two tallies, nil where one has too few.
func change(now, then *tally, from directory.Level, period directory.Period) *Change {
	n, m := now.N(), then.N()
	if n < directory.MinRatings || m < directory.MinRatings {
		return nil
	}
	low, high := directory.Newcombe(now.From(from), n, then.From(from), m)
	a, b := now.ShareFrom(from), then.ShareFrom(from)
	return &Change{Period: period, N: m, Share: directory.RoundTo(b, 1e4), Difference: directory.RoundTo(a-b, 1e4), Low: directory.RoundTo(low, 1e4), High: directory.RoundTo(high, 1e4)}
}

// periodBefore returns the period with which another is compared: the month, quarter or
// year before, also of one that has not ended yet, and otherwise as many months before.
func (s *Statistics) periodBefore(p directory.Period) directory.Period {
	if kind, ok := s.calendarPeriod(p); ok {
		return directory.PeriodOf(kind, p.From.Add(-1))
	}
	return p.Before()
}

// calendarPeriod tells whether a period is a month, quarter or year, or what there is of
// the current one so far.
func (s *Statistics) calendarPeriod(p directory.Period) (directory.PeriodKind, bool) {
	current := directory.MonthOf(s.Now())
	for _, kind := range []directory.PeriodKind{directory.MonthPeriod, directory.QuarterPeriod, directory.YearPeriod} {
		whole := directory.PeriodOf(kind, p.From)
		if whole.From == p.From && (whole.To == p.To || whole.Has(current) && p.To >= current && p.To < whole.To) {
			return kind, true
		}
	}
	return "", false
}

// keyBefore is the row of the period before with which a row is compared: the same one,
// or the month or quarter before.
func (q Query) keyBefore(key string) string {
	if p, ok := directory.ParsePeriod(key); ok && (q.By == ByMonth || q.By == ByQuarter) {
		return p.Before().Key()
	}
	return key
}

// periodOf is the period that a row is of: that of the table, or what lies in it of a
// month or quarter.
func (q Query) periodOf(key string) directory.Period {
	if p, ok := directory.ParsePeriod(key); ok && (q.By == ByMonth || q.By == ByQuarter) {
		return directory.Period{From: max(p.From, q.Period.From), To: min(p.To, q.Period.To)}
	}
	return q.Period
}

// cut leaves as many rows as a table holds. Suppressed ones come last and in the order of
// their keys, so that their place tells nothing.
func (t *Table) cut() {
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		if (a.Suppressed == "") != (b.Suppressed == "") {
			return cmp.Compare(a.Suppressed, b.Suppressed)
		}
		if a.Suppressed != "" {
			return cmp.Compare(a.Key, b.Key)
		}
		return 0
	})
	if len(t.Rows) > maxRows {
		t.RowsLeftOut = len(t.Rows) - maxRows
		t.Rows = t.Rows[:maxRows]
	}
}

// nameOf names a row in words. Organizations are named by [Statistics.nameOrganizations].
func (s *Statistics) nameOf(q Query, key string) directory.Names {
	if key == totalKey {
		reg, _ := s.Regions.Get(q.Region)
		return reg.Names
	}
	switch q.By {
	case ByRegion:
		if reg, err := s.Regions.Get(key); err == nil {
			return reg.Names
		}
		return directory.Names{Zh: "未注明下级区划", En: "Part not stated"}
	case ByCategory:
		if c, ok := directory.CategoryOf(key); ok {
			return c.Names
		}
		return directory.Names{Zh: "未注明类别", En: "Category not stated"}
	case ByMonth, ByQuarter:
		return q.periodOf(key).Name()
	case ByOrigin:
		if i := slices.IndexFunc(directory.RatingOrigins, func(t directory.Term) bool { return t.Code == key }); i >= 0 {
			return directory.RatingOrigins[i].Names
		}
	case ByLevel:
		if l, err := strconv.Atoi(key); err == nil && l >= 1 && l <= len(directory.Levels) {
			return directory.Levels[l-1]
		}
	}
	return directory.Names{Zh: key}
}

// nameOrganizations names the rows of a table by organization.
func (s *Statistics) nameOrganizations(ctx context.Context, t *Table) error {
	ids := make([]string, len(t.Rows))
	for i := range t.Rows {
		ids[i] = t.Rows[i].Key
	}
	found, err := s.Store.Organizations.ByID(ctx, ids...)
	for i := range t.Rows {
		row := &t.Rows[i]
		switch o := found[row.Key]; {
		case o != nil:
			row.Names = directory.Names{Zh: o.LegalName}
		case row.Key == "":
			row.Names = directory.Names{Zh: "未登记机构的条目", En: "Listings of no registered organization"}
		default:
			row.Names = directory.Names{Zh: "机构已不在册", En: "Organization not on record"}
		}
	}
	return err
}
