package statistics

import (
	"context"
	"maps"
	"slices"

	"qingfu/directory"
)

// view is what one caller may see of the figures: everything, or what the disclosures
// of the years show to the public.
type view struct {
	*Statistics
	public bool

	disclosures map[disclosed]*directory.Disclosure
	// firms are the nodes of each organization, of disclosures that have them.
	firms map[disclosed]map[string][]string
}

// disclosed names a disclosure: of a kind of listing and a year, of the ratings that
// count or of the open ones. Of the ways to part the province only those are decided
// about that the table needs; that of the regions always is.
type disclosed struct {
	kind directory.Kind
	open bool
	year int
	by   Cut    // ByCategory, ByOrigin or ByOrganization besides
	in   string // for ByOrganization: the region
}

// hides returns why the public does not see a row of a table, "" when it does.
func (v *view) hides(ctx context.Context, q Query, key string) (directory.Suppression, error) {
	if !v.public {
		return "", nil
	}
	province := v.level(q.Region) == directory.Province
	which := disclosed{kind: q.Kind, open: q.Origin == directory.OpenOrigin}
	nodes := []string{v.node(q.Region)}
	switch single := q.Origin == directory.OrderOrigin || q.Origin == directory.InviteOrigin; {
	case single && (!province || q.By == ByRegion || q.By == ByCategory || q.By == ByOrganization):
		return directory.SuppressedCombination, nil
	case single:
		which.by, nodes = ByOrigin, []string{originNode(q.Origin)}
	case key == totalKey:
	case q.By == ByRegion:
		nodes = []string{v.node(key)}
	case q.By == ByCategory && !province:
		return directory.SuppressedCombination, nil
	case q.By == ByCategory:
		which.by, nodes = ByCategory, []string{categoryNode(key)}
	case q.By == ByOrigin && key == string(directory.OpenOrigin):
		which.open = true
	case q.By == ByOrigin && !province:
		return directory.SuppressedCombination, nil
	case q.By == ByOrigin:
		which.by, nodes = ByOrigin, []string{originNode(directory.RatingOrigin(key))}
	case q.By == ByOrganization:
		which.by, which.in = ByOrganization, q.Region
	}
	period := q.periodOf(key)
	kind, ok := v.calendarPeriod(period)
	if !ok || which.by == ByOrganization && kind != directory.YearPeriod {
		return directory.SuppressedPeriod, nil
	}
	which.year = period.From.Year()
	d, err := v.disclosure(ctx, which)
	if err != nil {
		return "", err
	}
	if which.by == ByOrganization {
		nodes = v.firms[which][key]
	}
	for _, node := range nodes {
		if !d.Shows(node, directory.PeriodOf(kind, period.From)) {
			return directory.SuppressedProtected, nil
		}
	}
	return "", nil
}

// The nodes of a disclosure are regions, "" for the province, and these.
func categoryNode(code string) string            { return "category/" + code }
func originNode(o directory.RatingOrigin) string { return "origin/" + string(o) }
func firmNode(place, organization string) string { return "organization/" + place + "/" + organization }
func (s *Statistics) node(regionOrRest string) string {
	if s.level(regionOrRest) == directory.Province {
		return ""
	}
	return regionOrRest
}

// place is the node of what lies in a county, or in a wider region and no county is said.
func (s *Statistics) place(county string) string {
	if s.level(county) >= directory.County {
		return county
	}
	return restKey(county)
}

// disclosure decides what the public sees of a year.
func (v *view) disclosure(ctx context.Context, which disclosed) (*directory.Disclosure, error) {
	if d := v.disclosures[which]; d != nil {
		return d, nil
	}
	year := directory.Period{From: directory.Month(which.year*100 + 1), To: directory.Month(which.year*100 + 12)}
	q := Query{Kind: which.kind, Region: v.Regions.Province().Code, By: ByRegion, Period: year}
	if which.open {
		q.Origin = directory.OpenOrigin
	}
	places, origins := map[string]directory.MonthCounts{}, map[string]directory.MonthCounts{}
	err := v.months(ctx, q, func(c *cell) {
		add(places, c.county, c)
		add(origins, originNode(c.origin), c)
	})
	if err != nil {
		return nil, err
	}
	d := v.splitRegions(q.Region, places)
	switch which.by {
	case ByOrigin:
		d.Split("", origins, true)
	case ByCategory:
		q.By = ByCategory
		categories := map[string]directory.MonthCounts{}
		if err = v.months(ctx, q, func(c *cell) { add(categories, categoryNode(c.category), c) }); err != nil {
			return nil, err
		}
		d.Split("", categories, true)
	case ByOrganization:
		q.By, q.Region = ByOrganization, which.in
		inPlaces, nodes := map[string]map[string]directory.MonthCounts{}, map[string][]string{}
		err = v.months(ctx, q, func(c *cell) {
			place := v.place(c.county)
			if inPlaces[place] == nil {
				inPlaces[place] = map[string]directory.MonthCounts{}
			}
			node := firmNode(place, c.organization)
			if _, ok := inPlaces[place][node]; !ok {
				nodes[c.organization] = append(nodes[c.organization], node)
			}
			add(inPlaces[place], node, c)
		})
		if err != nil {
			return nil, err
		}
		for place, parts := range inPlaces {
			d.Split(place, parts, false)
		}
		if v.firms == nil {
			v.firms = map[disclosed]map[string][]string{}
		}
		v.firms[which] = nodes
	}
	if v.disclosures == nil {
		v.disclosures = map[disclosed]*directory.Disclosure{}
	}
	v.disclosures[which] = d
	return d, nil
}

// months gives the cells of the ratings that a query counts.
func (v *view) months(ctx context.Context, q Query, each func(*cell)) error {
	cells, _, _, err := v.ratingCells(ctx, q)
	takes := q.takes()
	for i := range cells {
		if takes(&cells[i]) {
			each(&cells[i])
		}
	}
	return err
}

// add adds a cell to the months of a node. Cells that say no month count as of January.
func add(to map[string]directory.MonthCounts, node string, c *cell) {
	counts := to[node]
	counts[max(c.month.Number()-1, 0)] += c.n
	to[node] = counts
}

// splitRegions parts the province into prefectures and these into counties.
func (s *Statistics) splitRegions(province string, places map[string]directory.MonthCounts) *directory.Disclosure {
	sum := func(region string) (out directory.MonthCounts) {
		for place, counts := range places {
			if inRegion(place, region) {
				for i, n := range counts {
					out[i] += n
				}
			}
		}
		return out
	}
	d := directory.NewDisclosure(sum(province))
	for _, region := range append([]directory.Region{{Code: province}}, s.Regions.Children(province)...) {
		parts := map[string]directory.MonthCounts{restKey(region.Code): places[region.Code]}
		for _, part := range s.Regions.Children(region.Code) {
			parts[part.Code] = sum(part.Code)
		}
		d.Split(s.node(region.Code), parts, true)
	}
	return d
}

// postStratify estimates the share of the province by the weights of its parts.
func (v *view) postStratify(ctx context.Context, q Query) ([]Estimate, error) {
	q.By = ByRegion
	rated, _, _, err := v.ratingCells(ctx, q)
	if err != nil {
		return nil, err
	}
	bookings, _, err := v.responseCells(ctx, q)
	if err != nil {
		return nil, err
	}
	booked := map[string]int64{}
	for i := range bookings {
		if c := &bookings[i]; q.Period.Has(c.month) && v.level(c.county) == directory.County {
			booked[c.county] += c.n
		}
	}
	out := []Estimate{}
	takes := q.takes()
	for _, by := range []Weights{ByPopulation, ByBookings} {
		weights := map[Weights]map[string]int64{ByPopulation: v.smallest(v.Census), ByBookings: booked}[by]
		strata := map[string]*directory.Stratum{}
		for code, weight := range weights {
			strata[code] = &directory.Stratum{Weight: float64(weight)}
		}
		for i := range rated {
			c := &rated[i]
			if !takes(c) {
				continue
			}
			if s := strata[v.stratum(weights, c.county)]; s != nil {
				s.N += c.n
				if c.level >= int64(q.SatisfiedFrom) {
					s.Satisfied += c.n
				}
			}
		}
		e := Estimate{Weights: by}
		var parts []directory.Stratum
		for _, code := range slices.Sorted(maps.Keys(strata)) {
			parts = append(parts, *strata[code])
			why, err := v.hides(ctx, q, code)
			if err != nil {
				return nil, err
			}
			if why != "" {
				e.Suppressed = why
			}
		}
		if w, ok := directory.PostStratify(parts, q.Target); ok && e.Suppressed == "" {
			e.EstimateFigures = &EstimateFigures{
				Share: directory.RoundTo(w.Share, 1e4), Low: directory.RoundTo(w.Low, 1e4), High: directory.RoundTo(w.High, 1e4), DesignEffect: directory.RoundTo(w.DesignEffect, 100),
				EffectiveN: directory.RoundTo(w.EffectiveN, 10), Strata: w.Strata, Covered: directory.RoundTo(w.Covered, 1e4), Verdict: w.Verdict,
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// stratum is the part with a weight in which a county lies: itself or its prefecture.
func (s *Statistics) stratum(weights map[string]int64, county string) string {
	if _, ok := weights[county]; ok {
		return county
	}
	return s.Regions.Widen(county, directory.Prefecture)
}

// smallest leaves out the regions in which others lie.
func (s *Statistics) smallest(weights map[string]int64) map[string]int64 {
	out := maps.Clone(weights)
	for code := range weights {
		for other := range weights {
			if other != code && s.Regions.Within(other, code) {
				delete(out, code)
			}
		}
	}
	return out
}
