package statistics

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
	"qingfu/store"
)

const province = "630000"

// indicatorTrial stores listings besides.
type indicatorTrial struct {
	*fixture
	n int
}

func newIndicatorTrial(t *testing.T) *indicatorTrial { return &indicatorTrial{fixture: newFixture(t)} }

// home stores a published listing of elder care.
func (f *indicatorTrial) home(region string, categories ...string) store.Doc[directory.Listing] {
	f.t.Helper()
	f.n++
	doc, err := f.Store.Listings.Insert(f.t.Context(), directory.Listing{
		ID: fmt.Sprintf("01a192b0-7400-7000-8000-%012x", f.n), Kind: directory.ElderCareKind, Names: directory.Names{Zh: "湟水"},
		Region: region, Categories: categories, Status: directory.Published,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return doc
}

func (f *indicatorTrial) table(region string, children bool) IndicatorTable {
	f.t.Helper()
	table, err := f.Indicators(f.t.Context(), region, children)
	if err != nil {
		f.t.Fatal(err)
	}
	return table
}

// figuresOf are the figures of an indicator by region, the region itself included.
func figuresOf(table IndicatorTable, code directory.IndicatorCode) map[string]RegionFigure {
	i := slices.IndexFunc(table.Items, func(row IndicatorRow) bool { return row.Code == code })
	out := map[string]RegionFigure{table.Items[i].Total.Code: table.Items[i].Total}
	for _, r := range table.Items[i].Regions {
		out[r.Code] = r
	}
	return out
}

// is checks one figure: numerator/denominator verdict unplaced.
func (f *indicatorTrial) is(code directory.IndicatorCode, region, want string) {
	f.t.Helper()
	r := figuresOf(f.table(region, false), code)[region]
	if got := fmt.Sprintf("%d/%d %s %d", *r.Numerator, *r.Denominator, r.Verdict, *r.Unplaced); got != want {
		f.t.Errorf("%s of %s: %s, want %s", code, region, got, want)
	}
}

// TestDenominators: 43 streets by their type, 康川街道 with its unusual code among them;
// 191 and 536 communities, and four prefectures without any street.
func TestDenominators(t *testing.T) {
	f := newIndicatorTrial(t)
	for code, want := range map[directory.IndicatorCode]string{
		directory.StreetCoverage:         "630000:43 630100:26 630200:5 632200:0 632300:0 632500:0 632600:0 632700:4 632800:8",
		directory.CommunityCoverageUrban: "630000:191 630100:115 630200:17 632200:0 632300:0 632500:0 632600:0 632700:16 632800:43",
		directory.CommunityCoverageAll:   "630000:536 630100:179 630200:74 632200:29 632300:37 632500:56 632600:20 632700:55 632800:86",
	} {
		figures := figuresOf(f.table(province, true), code)
		var got []string
		for _, r := range figures {
			got = append(got, fmt.Sprintf("%s:%d", r.Code, *r.Denominator))
			verdict := directory.NotMet
			if *r.Denominator == 0 {
				verdict = directory.NotApplicable
			}
			if r.Verdict != verdict || (r.Value == nil) != (*r.Denominator == 0) {
				t.Errorf("%s of %s: %s, %v", code, r.Names.Zh, r.Verdict, r.Value)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s\nwant %s", code, strings.Join(got, " "), want)
		}
		i, _ := directory.IndicatorOf(code)
		if number := fmt.Sprint(*figures[province].Denominator); !strings.Contains(i.Definition.Zh, number) || !strings.Contains(i.Definition.En, number) {
			t.Errorf("%s: the definition does not say %s", code, number)
		}
	}
	f.is(directory.StreetCoverage, "630106", "0/1 not_met 0")
	f.home("630106401", "street_centre")
	f.is(directory.StreetCoverage, "630106", "1/1 met 0")
}

// TestCoverage: what counts for a street or a community, what is placed too widely to
// count, and that a second one in the same place adds nothing.
func TestCoverage(t *testing.T) {
	f := newIndicatorTrial(t)
	f.home("630202001", "street_centre")             // 碾伯街道
	f.home("630202001001", "street_centre")          // a community of it
	f.home("630202002", "street_centre", "day_care") // 岗沟街道, but no community
	f.home("630202101", "street_centre")             // a town
	f.home("630202", "street_centre")                // somewhere in 乐都区
	f.home("630202001001", "day_care")               // a community under a street
	f.home("630202001001", "day_care", "canteen")    // twice
	f.home(f.community("630202", "居委会"), "day_care")
	f.home(f.community("630202", "村委会"), "day_care")
	f.home("630202001001", "canteen", "nursing_home") // something else
	f.is(directory.StreetCoverage, "630200", "2/5 not_met 1")
	f.is(directory.StreetCoverage, "630202", "2/2 met 1")
	f.is(directory.CommunityCoverageUrban, "630200", "1/17 not_met 1")
	f.is(directory.CommunityCoverageAll, "630200", "2/74 not_met 1")
	f.is(directory.CommunityCoverageAll, "632800", "0/86 not_met 0")

	// The two of 察尔汗 lie right below 格尔木市 and under no street.
	f.home("632801400001", "day_care")
	f.is(directory.CommunityCoverageAll, "632801", fmt.Sprintf("1/%d not_met 0", f.residents("632801")))
	f.is(directory.CommunityCoverageUrban, "632800", "0/43 not_met 0")

	// A call for a county shows its townships.
	figures := figuresOf(f.table("630202", true), directory.StreetCoverage)
	if got := figures["630202001"]; got.Verdict != directory.Met || *got.Numerator != 1 {
		t.Errorf("碾伯街道: %+v", got)
	}
	if got := figures["630202101"]; got.Verdict != directory.NotApplicable {
		t.Errorf("a town: %+v", got)
	}
}

func (f *indicatorTrial) residents(region string) int {
	reg, err := f.Regions.Get(region)
	if err != nil {
		f.t.Fatal(err)
	}
	return reg.ResidentsCommittees
}

// community is the first of a type in a town (镇) of a county.
func (f *indicatorTrial) community(county, kind string) string {
	for _, reg := range f.Regions.All() {
		path := f.Regions.Path(reg.Code)
		if reg.Type == kind && path[len(path)-2].Type == "镇" && strings.HasPrefix(reg.Code, county) {
			return reg.Code
		}
	}
	f.t.Fatalf("no %s in a town of %s", kind, county)
	return ""
}

// TestWhatIsNoLongerPublished: suspending, archiving, moving and deleting a listing
// changes the next answer, and so does publishing it again.
func TestWhatIsNoLongerPublished(t *testing.T) {
	f := newIndicatorTrial(t)
	doc := f.home("630202001001", "day_care")
	f.is(directory.CommunityCoverageUrban, "630202", "1/10 not_met 0")
	change := func(want string, do func(*directory.Listing)) {
		t.Helper()
		var err error
		if doc, err = f.Store.Listings.Update(t.Context(), doc.Value.ID, func(l *directory.Listing) error { do(l); return nil }); err != nil {
			t.Fatal(err)
		}
		f.is(directory.CommunityCoverageUrban, "630202", want)
	}
	for _, status := range []directory.Status{directory.Suspended, directory.Archived, directory.Draft, directory.Expired} {
		change("0/10 not_met 0", func(l *directory.Listing) { l.Status = status })
	}
	change("1/10 not_met 0", func(l *directory.Listing) { l.Status = directory.Published })
	change("0/10 not_met 1", func(l *directory.Listing) { l.Region = "630202" })
	change("0/10 not_met 0", func(l *directory.Listing) { l.Region = "630102001001" })
	change("1/10 not_met 0", func(l *directory.Listing) { l.Region = "630202001002" })
	if err := f.Store.Listings.Delete(t.Context(), doc.Value.ID, doc.Version); err != nil {
		t.Fatal(err)
	}
	f.is(directory.CommunityCoverageUrban, "630202", "0/10 not_met 0")
}

// TestNaiveRecount changes random listings and compares every figure of every region
// down to townships with one that is counted anew from the documents.
func TestNaiveRecount(t *testing.T) {
	f := newIndicatorTrial(t)
	random := mathrand.New(mathrand.NewPCG(20261123, 7))
	var pool []directory.Listing
	for l := range seed.Synthetic(600, 5) {
		pool = append(pool, l)
	}
	all := f.Regions.All()
	statuses := []directory.Status{directory.Published, directory.Published, directory.Published, directory.Draft, directory.Suspended, directory.Expired, directory.Archived}
	stored := map[string]directory.Listing{}
	const rounds = 8
	for round := range rounds {
		for range 150 {
			l := pool[random.IntN(len(pool))]
			if _, there := stored[l.ID]; there && random.IntN(5) == 0 {
				if err := f.Store.Listings.Remove(t.Context(), l.ID); err != nil {
					t.Fatal(err)
				}
				delete(stored, l.ID)
				continue
			}
			l.Status = statuses[random.IntN(len(statuses))]
			if random.IntN(3) == 0 {
				l.Region = all[random.IntN(len(all))].Code
			}
			switch e := l.ElderCare; {
			case e != nil && random.IntN(3) == 0:
				l.ElderCare = &directory.ElderCare{BedsTotal: e.BedsTotal, BedsNursing: e.BedsNursing} // not who runs them
			case e != nil && random.IntN(6) == 0:
				l.Categories = []string{"day_care", "street_centre"}
			case l.DomesticService != nil && random.IntN(4) == 0:
				l.DomesticService = &directory.DomesticService{Workers: l.DomesticService.Workers}
			case l.Childcare != nil && random.IntN(4) == 0:
				l.Childcare = &directory.Childcare{}
			}
			if _, err := f.Store.Listings.UpdateOrInsert(t.Context(), l.ID, func(old *directory.Listing) error { *old = l; return nil }); err != nil {
				t.Fatal(err)
			}
			stored[l.ID] = l
		}
		tops := []string{province}
		for _, reg := range all {
			if reg.Level == directory.Prefecture || round == rounds-1 && reg.Level == directory.County {
				tops = append(tops, reg.Code)
			}
		}
		for _, top := range tops {
			table := f.table(top, true)
			for _, row := range table.Items {
				for _, r := range append(row.Regions, row.Total) {
					if got, want := written(r), naive(f.Regions, stored, row.Code, r.Code); got != want {
						t.Fatalf("round %d: %s of %s %s: %s\ncounted anew: %s", round, row.Code, r.Code, r.Names.Zh, got, want)
					}
				}
			}
		}
	}
	if len(stored) < 200 {
		t.Errorf("only %d listings were left", len(stored))
	}
	fresh := New(f.Config)
	table, err := fresh.Indicators(t.Context(), province, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := asJSON(t, table), asJSON(t, f.table(province, true)); got != want {
		t.Errorf("a server that starts now answers\n%s\nand not\n%s", got, want)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// written is a figure in the form in which naive counts it.
func written(r RegionFigure) string {
	out := ""
	for _, v := range []*int64{r.Numerator, r.Denominator, r.Unplaced, r.Population} {
		if v == nil {
			out += " -"
		} else {
			out += fmt.Sprint(" ", *v)
		}
	}
	if r.Value != nil {
		out += fmt.Sprintf(" =%.4f", *r.Value)
	}
	if r.Known != nil {
		out += fmt.Sprintf(" %d/%d", r.Known.Known, r.Known.Of)
	}
	for _, p := range r.Breakdown {
		out += fmt.Sprintf(" %s:%d", p.Code, p.Value)
	}
	return out + " " + string(r.Verdict)
}

// naive counts a figure by reading all listings, region by region and without what the
// program uses to count.
func naive(regions *directory.Regions, listings map[string]directory.Listing, code directory.IndicatorCode, region string) string {
	prefix := strings.TrimSuffix(strings.TrimSuffix(region, "00"), "00")
	if len(region) > 6 {
		prefix = region
	}
	var here []directory.Listing
	for _, l := range listings {
		if l.Status == directory.Published && strings.HasPrefix(l.Region, prefix) {
			here = append(here, l)
		}
	}
	share := func(numerator, denominator int, unplaced, known string, met func(n, d int) bool) string {
		out := fmt.Sprintf(" %d %d %s -", numerator, denominator, unplaced)
		if denominator == 0 {
			return out + known + " not_applicable"
		}
		out += fmt.Sprintf(" =%.4f", math.Round(float64(numerator)/float64(denominator)*1e4)/1e4) + known
		switch {
		case met == nil:
			return out + " "
		case met(numerator, denominator):
			return out + " met"
		}
		return out + " not_met"
	}
	whole := func(n, d int) bool { return n == d }
	cover := func(category string, unit func(directory.Region, []directory.Region) bool, placedFrom int) string {
		unplaced, all, covered := 0, 0, 0
		for _, l := range here {
			if l.Kind == directory.ElderCareKind && slices.Contains(l.Categories, category) && len(l.Region) < placedFrom {
				unplaced++
			}
		}
		for _, reg := range regions.All() {
			if !strings.HasPrefix(reg.Code, prefix) || !unit(reg, regions.Path(reg.Code)) {
				continue
			}
			all++
			if slices.ContainsFunc(here, func(l directory.Listing) bool {
				return strings.HasPrefix(l.Region, reg.Code) && slices.Contains(l.Categories, category)
			}) {
				covered++
			}
		}
		return share(covered, all, fmt.Sprint(unplaced), "", whole)
	}
	// part is the share of a stated part of a stated whole.
	part := func(kind directory.Kind, relevant func(*directory.Listing) bool, fact func(*directory.Listing) (part, whole *int), met func(n, d int) bool) string {
		known, of, n, d := 0, 0, 0, 0
		for i := range here {
			l := &here[i]
			if l.Kind != kind || !relevant(l) {
				continue
			}
			of++
			if p, w := fact(l); p != nil && w != nil {
				known, n, d = known+1, n+*p, d+*w
			}
		}
		if known == 0 {
			return fmt.Sprintf(" - - - - 0/%d no_data", of)
		}
		return share(n, d, "-", fmt.Sprintf(" %d/%d", known, of), met)
	}
	institution := func(l *directory.Listing) bool {
		return slices.Contains(l.Categories, "nursing_home") || l.ElderCare != nil && l.ElderCare.BedsTotal != nil && *l.ElderCare.BedsTotal > 0
	}
	anyFirm := func(*directory.Listing) bool { return true }
	count := func(has func(*directory.Listing) bool) (n int) {
		for i := range here {
			if has(&here[i]) {
				n++
			}
		}
		return n
	}
	street := func(level directory.StreetLevel) func(*directory.Listing) bool {
		return func(l *directory.Listing) bool { return l.Kind == directory.StreetKind && l.Street.Level == level }
	}
	brand := func(kind directory.BrandType) func(*directory.Listing) bool {
		return func(l *directory.Listing) bool { return l.Kind == directory.BrandKind && l.Brand.Type == kind }
	}
	switch code {
	case directory.StreetCoverage:
		return cover("street_centre", func(reg directory.Region, _ []directory.Region) bool { return reg.Type == "街道" }, 9)
	case directory.CommunityCoverageUrban:
		return cover("day_care", func(reg directory.Region, path []directory.Region) bool {
			return reg.Type == "居委会" && path[len(path)-2].Type == "街道"
		}, 12)
	case directory.CommunityCoverageAll:
		return cover("day_care", func(reg directory.Region, _ []directory.Region) bool { return reg.Type == "居委会" }, 12)
	case directory.SociallyRunBeds:
		return part(directory.ElderCareKind, institution, func(l *directory.Listing) (*int, *int) {
			if l.ElderCare == nil {
				return nil, nil
			}
			return l.ElderCare.BedsSociallyRun, l.ElderCare.BedsTotal
		}, func(n, d int) bool { return n*10 > d*6 })
	case directory.NursingBeds:
		return part(directory.ElderCareKind, institution, func(l *directory.Listing) (*int, *int) {
			if l.ElderCare == nil {
				return nil, nil
			}
			return l.ElderCare.BedsNursing, l.ElderCare.BedsTotal
		}, func(n, d int) bool { return n*10 >= d*5 })
	case directory.ChildcareGuidance:
		if len(region) > 6 {
			return " - - - - not_applicable"
		}
		return " - - - - no_data"
	case directory.PedestrianStreets:
		national, provincial := count(street(directory.NationalStreet)), count(street(directory.ProvincialStreet))
		counts := fmt.Sprintf(" - - =%.4f national:%d provincial:%d ", float64(national+provincial), national, provincial)
		switch {
		case region == province:
			with := map[string]bool{}
			for _, l := range here {
				if l.Kind == directory.StreetKind && l.Street.Level != "" && l.Region != province {
					with[l.Region[:4]] = true
				}
			}
			verdict := map[bool]string{true: "met", false: "not_met"}[len(with) == 8]
			return fmt.Sprintf(" %d 8", len(with)) + counts + verdict
		case !strings.HasSuffix(region, "00") || len(region) > 6:
			return " - -" + counts + "not_applicable"
		case national+provincial > 0:
			return " - -" + counts + "met"
		}
		return " - -" + counts + "not_met"
	case directory.Brands:
		out, sum := "", 0
		for _, kind := range []directory.BrandType{directory.QingBrand, directory.TimeHonouredQinghai, directory.TimeHonouredChina, directory.GeographicalIndication, ""} {
			n, name := count(brand(kind)), string(kind)
			if name == "" {
				name = "none"
			}
			out, sum = out+fmt.Sprintf(" %s:%d", name, n), sum+n
		}
		return fmt.Sprintf(" - - - - =%.4f%s ", float64(sum), out)
	case directory.ChildcarePlaces, directory.DomesticWorkers:
		sum, known, of := 0, 0, 0
		for i := range here {
			l := &here[i]
			switch {
			case code == directory.ChildcarePlaces && l.Kind == directory.ChildcareKind:
				of++
				for _, c := range l.Childcare.Classes {
					sum += c.Capacity
				}
				if len(l.Childcare.Classes) > 0 {
					known++
				}
			case code == directory.DomesticWorkers && l.Kind == directory.DomesticServiceKind:
				of++
				if l.DomesticService.Workers != nil {
					known, sum = known+1, sum+*l.DomesticService.Workers
				}
			}
		}
		population := "-"
		if n := seed.Census()[region]; n > 0 && code == directory.ChildcarePlaces {
			population = fmt.Sprint(n)
		}
		if known == 0 && of > 0 {
			return fmt.Sprintf(" - - - %s 0/%d no_data", population, of)
		}
		return fmt.Sprintf(" - - - %s =%.4f %d/%d ", population, float64(sum), known, of)
	case directory.DomesticFirms:
		return fmt.Sprintf(" - - - - =%.4f ", float64(count(func(l *directory.Listing) bool { return l.Kind == directory.DomesticServiceKind })))
	case directory.DomesticCertified:
		return part(directory.DomesticServiceKind, anyFirm, func(l *directory.Listing) (*int, *int) {
			return l.DomesticService.WorkersCertified, l.DomesticService.Workers
		}, nil)
	case directory.DomesticCredit:
		return part(directory.DomesticServiceKind, anyFirm, func(l *directory.Listing) (*int, *int) {
			return l.DomesticService.WorkersWithCredit, l.DomesticService.Workers
		}, nil)
	}
	return "not counted"
}

// TestTakenInByMany: calls at the same time, while others write, count every listing
// once, and one that was cancelled leaves nothing half done.
func TestTakenInByMany(t *testing.T) {
	f := newIndicatorTrial(t)
	var all []directory.Listing
	for l := range seed.Synthetic(3000, 9) {
		all = append(all, l)
	}
	var wait sync.WaitGroup
	for part := range 3 {
		wait.Go(func() {
			for chunk := range slices.Chunk(all[part*1000:part*1000+1000], 100) {
				if _, err := f.Store.Listings.Upsert(t.Context(), chunk); err != nil {
					t.Error(err)
				}
				cancelled, cancel := context.WithCancel(t.Context())
				go cancel()
				_, _ = f.Indicators(cancelled, province, true) // whether it comes in time does not matter
				if _, err := f.Indicators(t.Context(), province, true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	firms := 0
	for _, l := range all {
		if l.Kind == directory.DomesticServiceKind {
			firms++
		}
	}
	if got := figuresOf(f.table(province, false), directory.DomesticFirms)[province]; *got.Value != float64(firms) {
		t.Errorf("%v firms are counted of %d", *got.Value, firms)
	}
	if len(f.listings.contributed) > len(all) {
		t.Errorf("%d listings are remembered of %d", len(f.listings.contributed), len(all))
	}
}

// TestReportedIndicator takes the latest of the last three months for which anything
// of the region was reported and approved.
func TestReportedIndicator(t *testing.T) {
	reports := newReturnsFixture(t, time.Date(2026, 10, 9, 9, 0, 0, 0, directory.Shanghai))
	guided := func() map[string]RegionFigure {
		t.Helper()
		table, err := reports.Indicators(t.Context(), province, true)
		reports.fatal(err)
		return figuresOf(table, directory.ChildcareGuidance)
	}
	if got := guided()["630100"]; got.Verdict != directory.NoData || got.Value != nil || got.AsOf != "" {
		t.Errorf("nothing is reported, and yet: %+v", got)
	}
	key := directory.ReturnKey{Form: directory.CountyHealthForm, Month: 202609, Subject: "630102"}
	reports.saved(reports.official(directory.Health, "630102"), key, directory.ReturnContent{
		Values: map[string]int64{"families": 100, "families_guided": 95}, Evidence: "城东卫健〔2026〕31号",
	})
	if got := guided()[province]; got.Verdict != directory.NoData {
		t.Errorf("nobody has approved it: %+v", got)
	}
	reports.is("approving", reports.decide(reports.official(directory.Health, "630100"), key, directory.ReturnApproved, ""), "")
	reports.clock.To(noon)
	figures := guided()
	for region, of := range map[string]int64{province: 45, "630100": 7} {
		got := figures[region]
		if *got.Value != 0.95 || got.Verdict != directory.Met || *got.Known != (directory.Known{Known: 1, Of: of}) || got.Month != 202609 || got.AsOf != "2026-10-09" {
			t.Errorf("%s: %+v", region, got)
		}
	}
	if got := figures["630200"]; got.Verdict != directory.NoData || got.Value != nil {
		t.Errorf("a prefecture that has not reported: %+v", got)
	}
	reports.clock.To(time.Date(2027, 1, 2, 0, 0, 0, 0, directory.Shanghai)) // September is no longer one of three
	if got := guided()[province]; got.Verdict != directory.NoData {
		t.Errorf("long after: %+v", got)
	}
}

func TestIndicatorsOfNoRegion(t *testing.T) {
	f := newIndicatorTrial(t)
	if _, err := f.Indicators(t.Context(), "639999", true); directory.KindOf(err) != directory.NotFound {
		t.Errorf("a region that is none: %v", err)
	}
	table := f.table("630100", false)
	for _, row := range table.Items {
		if row.Regions == nil || len(row.Regions) > 0 {
			t.Errorf("%s: %v", row.Code, row.Regions)
		}
	}
	if table.AsOf != "2026-11-23" || len(table.Items) != len(directory.Indicators) {
		t.Errorf("as of %s, %d items", table.AsOf, len(table.Items))
	}
}
