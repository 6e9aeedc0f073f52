package statistics

import (
	"context"
	"sync"

	"qingfu/directory"
	"qingfu/store"
)

// IndicatorTable is the indicators of a region and, where they were asked for, of the
// divisions directly below it.
type IndicatorTable struct {
	AsOf   directory.Date `json:"as_of"` // the day in Shanghai on which it was counted
	Region string         `json:"region"`
	Items  []IndicatorRow `json:"items"` // in the order of [directory.Indicators]
}

// IndicatorRow is one indicator.
type IndicatorRow struct {
	directory.Indicator
	Total   RegionFigure   `json:"total"` // of the region itself
	Regions []RegionFigure `json:"regions"`
}

// RegionFigure is an indicator in a region.
type RegionFigure struct {
	Code  string          `json:"code"`
	Names directory.Names `json:"names"`
	directory.IndicatorFigure
}

// Indicators returns the indicators of a region and, with children, of the divisions
// directly below it. Listings count as they are in the store now, demonstration ones
// among them. It returns NotFound for a region that is none.
func (s *Statistics) Indicators(ctx context.Context, region string, children bool) (IndicatorTable, error) {
	t := IndicatorTable{AsOf: directory.DateOf(s.Now()), Region: region}
	top, err := s.Regions.Get(region)
	if err != nil {
		return t, err
	}
	regions := []directory.Region{top}
	if children {
		regions = append(regions, s.Regions.Children(region)...)
	}
	if err := s.listings.follow(ctx, s.Store.Listings); err != nil {
		return t, err
	}
	facts := s.listings.facts(regions)
	if err := s.addReported(ctx, facts, regions); err != nil {
		return t, err
	}
	for _, i := range directory.Indicators {
		row := IndicatorRow{Indicator: i, Regions: []RegionFigure{}}
		for k, reg := range regions {
			facts[k].Population = s.Census[reg.Code]
			f := RegionFigure{reg.Code, reg.Names, i.Figure(&facts[k])}
			if i.Source == directory.ComputedSource {
				f.AsOf = t.AsOf
			}
			if k == 0 {
				row.Total = f
			} else {
				row.Regions = append(row.Regions, f)
			}
		}
		t.Items = append(t.Items, row)
	}
	return t, nil
}

// The fields of the counties' return from which the rate of guidance on child raising is
// made.
const (
	guidanceNumerator   = "families_guided"
	guidanceDenominator = "families"
	// reportedMonths is how many full months back a return is looked for.
	reportedMonths = 3
)

// addReported adds to the facts of regions, of which the first holds the others, what
// counties have reported for the latest month for which any of them has.
func (s *Statistics) addReported(ctx context.Context, facts []directory.IndicatorFacts, regions []directory.Region) error {
	var codes []string // of those for which anybody reports
	for _, reg := range regions {
		if reg.Level <= directory.County {
			codes = append(codes, reg.Code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	for back := range reportedMonths {
		month := directory.MonthOf(s.Now()).Add(-back - 1)
		reported, err := s.Reported(ctx, directory.CountyHealthForm, month, codes...)
		if err != nil {
			return err
		}
		if reported[0].Approved == 0 {
			continue
		}
		for k, r := range reported {
			facts[k].Guidance = directory.Returned{
				Month: month, Numerator: r.Sums[guidanceNumerator], Denominator: r.Sums[guidanceDenominator],
				Returns: int64(r.Approved), Expected: int64(r.Expected), Latest: directory.DateOf(r.Latest),
			}
		}
		return nil
	}
	return nil
}

// listingTally is what the listings of each region add up to. It follows the changes of the
// collection, so that no request reads all listings: of each one it remembers what it
// has contributed, to take that back when the listing changes.
type listingTally struct {
	regions *directory.Regions
	// The divisions that are to be covered, by every region in which they lie and by
	// their own codes.
	streets, urban, communities map[string][]string

	mu          sync.Mutex // held while a page of changes is taken in, and while figures are read
	seq         int64      // the last change that was taken in
	contributed map[string]contributed
	sums        map[string]*directory.Amounts // by region, of all listings in it
}

// contributed is what a listing has contributed, and to which region and those above.
type contributed struct {
	region string
	parts  []directory.Contribution
}

func newListingTally(regions *directory.Regions) *listingTally {
	t := &listingTally{
		regions: regions, streets: map[string][]string{}, urban: map[string][]string{}, communities: map[string][]string{},
		contributed: map[string]contributed{}, sums: map[string]*directory.Amounts{},
	}
	for _, reg := range regions.All() {
		if !reg.Legal {
			continue
		}
		path := regions.Path(reg.Code)
		for _, above := range path {
			switch reg.Type {
			case "街道":
				t.streets[above.Code] = append(t.streets[above.Code], reg.Code)
			case "居委会":
				t.communities[above.Code] = append(t.communities[above.Code], reg.Code)
				if path[len(path)-2].Type == "街道" {
					t.urban[above.Code] = append(t.urban[above.Code], reg.Code)
				}
			}
		}
	}
	return t
}

// follow takes in all changes of the listings that there are now. Several callers
// share the work; one that is cancelled leaves what it has done.
func (t *listingTally) follow(ctx context.Context, listings *store.Collection[directory.Listing]) error {
	for {
		more, err := t.step(ctx, listings)
		if err != nil || !more {
			return err
		}
	}
}

// step takes in a page of changes and tells whether there may be more.
func (t *listingTally) step(ctx context.Context, listings *store.Collection[directory.Listing]) (more bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changes, err := listings.Changes(ctx, t.seq, store.MaxLimit)
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		t.apply(c.ID, c.Value)
		t.seq = c.Seq
	}
	return len(changes) == store.MaxLimit, nil
}

// apply takes in how a listing is now, nil when it was deleted.
func (t *listingTally) apply(id string, l *directory.Listing) {
	if before, ok := t.contributed[id]; ok {
		t.add(before, -1)
		delete(t.contributed, id)
	}
	if l == nil {
		return
	}
	reg, err := t.regions.Get(l.Region)
	if err != nil {
		return // in no division
	}
	if parts := l.Contributions(reg.Level); len(parts) > 0 {
		now := contributed{reg.Code, parts}
		t.add(now, 1)
		t.contributed[id] = now
	}
}

// add adds to the sums of a region and of all above it, or takes back with the sign -1.
func (t *listingTally) add(c contributed, sign int64) {
	for _, reg := range t.regions.Path(c.region) {
		sums := t.of(reg.Code)
		sums.Add(c.parts, sign)
		t.sums[reg.Code] = sums
	}
}

// facts returns what is counted of regions, all at one moment.
func (t *listingTally) facts(regions []directory.Region) []directory.IndicatorFacts {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]directory.IndicatorFacts, len(regions))
	for i, reg := range regions {
		f := &out[i]
		f.Level = reg.Level
		f.Amounts = *t.of(reg.Code)
		f.Streets = t.coverage(t.streets[reg.Code], (*directory.Amounts).HasStreetCentre)
		f.UrbanCommunities = t.coverage(t.urban[reg.Code], (*directory.Amounts).HasDayCare)
		f.Communities = t.coverage(t.communities[reg.Code], (*directory.Amounts).HasDayCare)
		if reg.Level == directory.Province {
			var prefectures []string
			for _, p := range t.regions.Children(reg.Code) {
				prefectures = append(prefectures, p.Code)
			}
			f.Prefectures = t.coverage(prefectures, (*directory.Amounts).HasStreet)
		}
	}
	return out
}

// coverage counts the divisions that have something.
func (t *listingTally) coverage(codes []string, has func(*directory.Amounts) bool) directory.Coverage {
	c := directory.Coverage{All: int64(len(codes))}
	for _, code := range codes {
		if has(t.of(code)) {
			c.Covered++
		}
	}
	return c
}

// of returns the sums of a region.
func (t *listingTally) of(code string) *directory.Amounts {
	if sums := t.sums[code]; sums != nil {
		return sums
	}
	return &directory.Amounts{}
}
