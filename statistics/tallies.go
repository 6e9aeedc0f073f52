package statistics

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"qingfu/directory"
	"qingfu/store"
)

// tallies are what was counted for the rows of a table and for its total.
type tallies struct {
	total tally
	rows  map[string]*tally
	at    time.Time // of the earliest count
}

// restKey is the row of what lies in a region and is not said to lie in a part of it.
func restKey(region string) string { return region + "/rest" }

// The fields by which a cut is counted, the ones first by which an index has the groups
// in order. Cuts that are not named here are made of the cells of counties and months.
var (
	byPlace    = []string{"county", "month", "origin", "level"}
	byCategory = []string{"category", "month", "origin", "level"}
	byFirm     = []string{"organization", "county", "origin", "level"}
)

// ratingCells counts the ratings that a table looks at, and those that are held or
// excluded. What the cells do not say is asked of the store, the rest is for the caller
// to choose.
func (s *Statistics) ratingCells(ctx context.Context, q Query) (published, uncounted []cell, at time.Time, err error) {
	by, where := s.counting(q, byPlace, byCategory, byFirm)
	of := func(state directory.RatingState) []store.Condition {
		return append([]store.Condition{store.Equal("kind", string(q.Kind)), store.Equal("state", string(state))}, where("month")...)
	}
	group, within := errgroup.WithContext(ctx)
	var counts [3]counted
	group.Go(func() (err error) {
		counts[0], err = s.counter.count(within, "ratings", s.Store.Ratings, of(directory.RatingPublished), by...)
		return err
	})
	for i, state := range []directory.RatingState{directory.RatingHeld, directory.RatingExcluded} {
		group.Go(func() (err error) {
			counts[1+i], err = s.counter.count(within, "ratings", s.Store.Ratings, of(state), append(slices.Clone(by), "rule")...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, at, err
	}
	for i, state := range []directory.RatingState{directory.RatingHeld, directory.RatingExcluded} {
		for _, c := range counts[1+i].cells {
			c.state = state
			uncounted = append(uncounted, c)
		}
	}
	return counts[0].cells, uncounted, counts[0].at, nil
}

// counting returns the fields to count by for a cut, and the conditions for what the
// cells will not say, given the name of the field that has the month.
func (s *Statistics) counting(q Query, place, category, firm []string) (by []string, where func(month string) []store.Condition) {
	from, to := directory.RegionRange(q.Region)
	region := []store.Condition{{Field: "county", Op: store.Min, Value: from}, {Field: "county", Op: store.Less, Value: to}}
	if s.level(q.Region) == directory.Province {
		region = nil // everything is
	}
	period := q.Period
	if kind, ok := s.calendarPeriod(period); ok {
		period = directory.PeriodOf(kind, period.From) // the same, for which there may be a count
	}
	switch q.By {
	case ByCategory:
		return category, func(string) []store.Condition { return region }
	case ByOrganization:
		return firm, func(month string) []store.Condition {
			return append([]store.Condition{
				{Field: month, Op: store.Min, Value: int64(period.From)}, {Field: month, Op: store.Less, Value: int64(period.To) + 1},
			}, region...)
		}
	}
	return place, func(string) []store.Condition { return nil }
}

// responseCells counts the bookings that were completed and the invitations, and which
// of them led to a rating.
func (s *Statistics) responseCells(ctx context.Context, q Query) (bookings, invitations []cell, err error) {
	group, within := errgroup.WithContext(ctx)
	var counts [2]counted
	group.Go(func() (err error) {
		by, where := s.counting(q, []string{"county", "served", "rated"}, []string{"category", "served", "rated"}, []string{"organization", "rated"})
		kind := []store.Condition{store.Equal("served_kind", string(q.Kind))}
		counts[0], err = s.counter.count(within, "bookings", s.Store.Bookings, append(kind, where("served")...), by...)
		return err
	})
	group.Go(func() (err error) {
		by, where := s.counting(q, []string{"county", "month", "used"}, []string{"category", "month", "used"}, []string{"organization", "used"})
		kind := []store.Condition{store.Equal("kind", string(q.Kind))}
		counts[1], err = s.counter.count(within, "invitations", s.Store.RatingInvitations, append(kind, where("month")...), by...)
		return err
	})
	err = group.Wait()
	return counts[0].cells, counts[1].cells, err
}

// tally counts the rows of a table and its total.
func (s *Statistics) tally(ctx context.Context, q Query) (tallies, error) {
	group, within := errgroup.WithContext(ctx)
	var published, uncounted, bookings, invitations []cell
	out := tallies{total: newTally(), rows: map[string]*tally{}}
	group.Go(func() (err error) {
		published, uncounted, out.at, err = s.ratingCells(within, q)
		return err
	})
	group.Go(func() (err error) {
		bookings, invitations, err = s.responseCells(within, q)
		return err
	})
	if err := group.Wait(); err != nil {
		return out, err
	}
	takes, keyOf := q.takes(), s.rowsOf(q)
	each := func(cells []cell, origin directory.RatingOrigin, add func(t *tally, c *cell)) {
		for i := range cells {
			c := &cells[i]
			if origin != "" {
				c = new(*c)
				c.origin = origin
			}
			if !takes(c) {
				continue
			}
			if q.counts(c.origin) {
				add(&out.total, c)
			}
			if key, ok := keyOf(c); ok {
				row := out.rows[key]
				if row == nil {
					row = new(newTally())
					out.rows[key] = row
				}
				add(row, c)
			}
		}
	}
	each(published, "", func(t *tally, c *cell) { t.Levels[c.level-1] += c.n })
	each(uncounted, "", func(t *tally, c *cell) {
		if c.state == directory.RatingHeld {
			t.held[c.rule] += c.n
		} else {
			t.excluded[c.rule] += c.n
		}
	})
	if q.By != ByLevel { // nobody knows the level of what was not rated
		each(bookings, directory.OrderOrigin, func(t *tally, c *cell) { t.bookings.add(c) })
		each(invitations, directory.InviteOrigin, func(t *tally, c *cell) { t.invitations.add(c) })
	}
	for _, key := range s.fixedKeys(q) {
		if out.rows[key] == nil {
			out.rows[key] = new(newTally())
		}
	}
	for _, row := range out.rows {
		row.levelOf = out.total.N()
	}
	return out, nil
}

func newTally() tally { return tally{held: map[string]int64{}, excluded: map[string]int64{}} }

func (r *Response) add(c *cell) {
	r.Asked += c.n
	r.Rated += c.n * c.rated
}

// takes returns what tells whether a cell belongs into the table of a query. What a cell
// does not say was asked of the store.
func (q Query) takes() func(c *cell) bool {
	from, to := directory.RegionRange(q.Region)
	return func(c *cell) bool {
		return (c.month == 0 || q.Period.Has(c.month)) && (c.county == "" || from <= c.county && c.county < to) &&
			(q.counts(c.origin) || q.By == ByOrigin && q.Origin == "")
	}
}

func inRegion(county, region string) bool {
	from, to := directory.RegionRange(region)
	return from <= county && county < to
}

// counts tells whether ratings of an origin are those that the query is about.
func (q Query) counts(o directory.RatingOrigin) bool {
	if q.Origin == "" {
		return o.Proven()
	}
	return o == q.Origin
}

// rowsOf returns what finds the row to which a cell belongs; its second result is false
// for a table without rows.
func (s *Statistics) rowsOf(q Query) func(c *cell) (key string, ok bool) {
	parts := map[string]string{} // by county
	return func(c *cell) (string, bool) {
		switch q.By {
		case ByRegion:
			if parts[c.county] == "" {
				parts[c.county] = s.partOf(q.Region, c.county)
			}
			return parts[c.county], true
		case ByCategory:
			return c.category, true
		case ByOrganization:
			return c.organization, true
		case ByMonth:
			return c.month.String(), true
		case ByQuarter:
			return directory.PeriodOf(directory.QuarterPeriod, c.month).Key(), true
		case ByOrigin:
			return string(c.origin), true
		case ByLevel:
			return strconv.FormatInt(c.level, 10), c.level > 0
		}
		return "", false
	}
}

// partOf returns the division directly below a region in which a county lies, or the
// rest of the region.
func (s *Statistics) partOf(region, county string) string {
	for _, part := range s.parts(region) {
		if inRegion(county, part.Code) {
			return part.Code
		}
	}
	return restKey(region)
}

// parts returns the divisions directly below a region, a county itself for a county.
func (s *Statistics) parts(region string) []directory.Region {
	reg, err := s.Regions.Get(region)
	if err == nil && reg.Level >= directory.County {
		return []directory.Region{reg}
	}
	return s.Regions.Children(region)
}

func (s *Statistics) level(region string) directory.RegionLevel {
	reg, err := s.Regions.Get(region)
	if err != nil {
		return 0
	}
	return reg.Level
}

// fixedKeys are the rows that a table has also where nothing was counted, in their order.
func (s *Statistics) fixedKeys(q Query) (keys []string) {
	switch q.By {
	case ByRegion:
		for _, part := range s.parts(q.Region) {
			keys = append(keys, part.Code)
		}
	case ByCategory:
		for _, c := range directory.Categories {
			if c.Kind == q.Kind {
				keys = append(keys, c.Code)
			}
		}
	case ByMonth:
		for m := q.Period.From; m <= q.Period.To; m = m.Add(1) {
			keys = append(keys, m.String())
		}
	case ByQuarter:
		for m := q.Period.From; m <= q.Period.To; m = m.Add(1) {
			if key := directory.PeriodOf(directory.QuarterPeriod, m).Key(); len(keys) == 0 || keys[len(keys)-1] != key {
				keys = append(keys, key)
			}
		}
	case ByOrigin:
		for _, t := range directory.RatingOrigins {
			if q.Origin == "" || t.Code == string(q.Origin) {
				keys = append(keys, t.Code)
			}
		}
	case ByLevel:
		keys = []string{"5", "4", "3", "2", "1"}
	}
	return keys
}

// keys are the rows of a table in their order: those that are always there, then the
// others. Organizations come by the number of their ratings.
func (s *Statistics) keys(q Query, have tallies) []string {
	keys := s.fixedKeys(q)
	others := slices.Sorted(maps.Keys(have.rows))
	others = slices.DeleteFunc(others, func(key string) bool { return slices.Contains(keys, key) })
	if q.By == ByOrganization {
		slices.SortStableFunc(others, func(a, b string) int { return int(have.rows[b].N() - have.rows[a].N()) })
	}
	return append(keys, others...)
}
