package directory_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"qingfu/directory"
)

// figure is an indicator for facts to which some listings, each in a community, add.
func figure(t *testing.T, code directory.IndicatorCode, facts directory.IndicatorFacts, listings ...directory.Listing) directory.IndicatorFigure {
	t.Helper()
	for i := range listings {
		facts.Amounts.Add(listings[i].Contributions(directory.Community), 1)
	}
	i, ok := directory.IndicatorOf(code)
	if !ok {
		t.Fatalf("no indicator %s", code)
	}
	return i.Figure(&facts)
}

// show writes a figure in short: numerator/denominator value verdict known/of.
func show(f directory.IndicatorFigure) string {
	n := func(v *int64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprint(*v)
	}
	out := n(f.Numerator) + "/" + n(f.Denominator)
	if f.Value != nil {
		out += fmt.Sprintf(" %v", *f.Value)
	}
	if f.Verdict != "" {
		out += " " + string(f.Verdict)
	}
	if f.Known != nil {
		out += fmt.Sprintf(" %d/%d", f.Known.Known, f.Known.Of)
	}
	return out
}

func beds(total, social, nursing int) directory.Listing {
	return directory.Listing{
		Kind: directory.ElderCareKind, Status: directory.Published, Categories: []string{"nursing_home"},
		ElderCare: &directory.ElderCare{BedsTotal: &total, BedsSociallyRun: &social, BedsNursing: &nursing},
	}
}

// TestIndicatorBorders: more than 60% is not met at exactly 60%, at least 50% is, and
// no rounding of either the division or the published value changes that.
func TestIndicatorBorders(t *testing.T) {
	for _, tc := range []struct {
		listings        []directory.Listing
		social, nursing string
	}{
		{[]directory.Listing{beds(100, 60, 50)}, "60/100 0.6 not_met 1/1", "50/100 0.5 met 1/1"},
		{[]directory.Listing{beds(100, 61, 49)}, "61/100 0.61 met 1/1", "49/100 0.49 not_met 1/1"},
		{[]directory.Listing{beds(100_000, 60_001, 49_999)}, "60001/100000 0.6 met 1/1", "49999/100000 0.5 not_met 1/1"},
		{[]directory.Listing{beds(30, 30, 30), beds(70, 30, 20)}, "60/100 0.6 not_met 2/2", "50/100 0.5 met 2/2"},
		{[]directory.Listing{beds(0, 0, 0)}, "0/0 not_applicable 1/1", "0/0 not_applicable 1/1"},
		{nil, "-/- no_data 0/0", "-/- no_data 0/0"},
	} {
		if got := show(figure(t, directory.SociallyRunBeds, directory.IndicatorFacts{}, tc.listings...)); got != tc.social {
			t.Errorf("socially run beds: %s, want %s", got, tc.social)
		}
		if got := show(figure(t, directory.NursingBeds, directory.IndicatorFacts{}, tc.listings...)); got != tc.nursing {
			t.Errorf("nursing beds: %s, want %s", got, tc.nursing)
		}
	}
	for k := 1; k <= 100_000; k++ {
		facts := directory.IndicatorFacts{Level: directory.County, Guidance: directory.Returned{Returns: 1, Numerator: int64(19 * k), Denominator: int64(20 * k)}}
		if f := figure(t, directory.ChildcareGuidance, facts); f.Verdict != directory.Met {
			t.Fatalf("%d of %d is exactly 95%%: %s", 19*k, 20*k, f.Verdict)
		}
		if f := figure(t, directory.SociallyRunBeds, directory.IndicatorFacts{}, beds(5*k, 3*k, 0)); f.Verdict != directory.NotMet {
			t.Fatalf("%d of %d is exactly 60%%: %s", 3*k, 5*k, f.Verdict)
		}
	}
}

// TestWhatIsNotStated: an institution that leaves one of the two numbers open is in
// neither sum, and says so.
func TestWhatIsNotStated(t *testing.T) {
	stated := beds(40, 40, 30)
	noSocial, noTotal, nothing := beds(60, 0, 10), beds(0, 0, 0), directory.Listing{Kind: directory.ElderCareKind, Status: directory.Published, Categories: []string{"nursing_home"}}
	noSocial.ElderCare.BedsSociallyRun = nil
	noTotal.ElderCare = &directory.ElderCare{}
	centre, meals := beds(20, 0, 20), beds(0, 0, 0) // not nursing homes: the one has beds, the other none
	centre.Categories, meals.Categories = []string{"street_centre"}, []string{"canteen"}
	all := []directory.Listing{stated, noSocial, noTotal, nothing, centre, meals}
	if got := show(figure(t, directory.SociallyRunBeds, directory.IndicatorFacts{}, all...)); got != "40/60 0.6667 met 2/5" {
		t.Errorf("socially run beds: %s", got)
	}
	if got := show(figure(t, directory.NursingBeds, directory.IndicatorFacts{}, all...)); got != "60/120 0.5 met 3/5" {
		t.Errorf("nursing beds: %s", got)
	}
	if got := show(figure(t, directory.NursingBeds, directory.IndicatorFacts{}, noTotal, nothing)); got != "-/- no_data 0/2" {
		t.Errorf("nursing beds that nobody states: %s", got)
	}
	firm := func(workers, certified, credit *int) directory.Listing {
		return directory.Listing{Kind: directory.DomesticServiceKind, Status: directory.Published,
			DomesticService: &directory.DomesticService{Workers: workers, WorkersCertified: certified, WorkersWithCredit: credit}}
	}
	ten, four := 10, 4
	firms := []directory.Listing{firm(&ten, &four, nil), firm(nil, &four, &four), {Kind: directory.DomesticServiceKind, Status: directory.Published}}
	for code, want := range map[directory.IndicatorCode]string{
		directory.DomesticFirms: "-/- 3", directory.DomesticWorkers: "-/- 10 1/3", directory.DomesticCertified: "4/10 0.4 1/3", directory.DomesticCredit: "-/- no_data 0/3",
	} {
		if got := show(figure(t, code, directory.IndicatorFacts{}, firms...)); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	if got := show(figure(t, directory.DomesticWorkers, directory.IndicatorFacts{}, firms[1:]...)); got != "-/- no_data 0/2" {
		t.Errorf("workers that nobody states: %s", got)
	}
}

func TestPedestrianStreets(t *testing.T) {
	street := func(level directory.StreetLevel) directory.Listing {
		return directory.Listing{Kind: directory.StreetKind, Status: directory.Published, Street: &directory.Street{Level: level}}
	}
	one, two := []directory.Listing{street(directory.ProvincialStreet), street("")}, []directory.Listing{street(directory.ProvincialStreet), street(directory.NationalStreet)}
	for _, tc := range []struct {
		name     string
		facts    directory.IndicatorFacts
		listings []directory.Listing
		want     string
	}{
		{"a prefecture without", directory.IndicatorFacts{Level: directory.Prefecture}, one[1:], "-/- 0 not_met"},
		{"a prefecture with one", directory.IndicatorFacts{Level: directory.Prefecture}, one, "-/- 1 met"},
		{"a prefecture with two", directory.IndicatorFacts{Level: directory.Prefecture}, two, "-/- 2 met"},
		{"a county", directory.IndicatorFacts{Level: directory.County}, one, "-/- 1 not_applicable"},
		{"a province", directory.IndicatorFacts{Level: directory.Province, Prefectures: directory.Coverage{Covered: 7, All: 8}}, two, "7/8 2 not_met"},
		{"a whole province", directory.IndicatorFacts{Level: directory.Province, Prefectures: directory.Coverage{Covered: 8, All: 8}}, two, "8/8 2 met"},
	} {
		f := figure(t, directory.PedestrianStreets, tc.facts, tc.listings...)
		if got := show(f); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if sum := f.Breakdown[0].Value + f.Breakdown[1].Value; float64(sum) != *f.Value {
			t.Errorf("%s: the parts are %d of %v", tc.name, sum, *f.Value)
		}
	}
}

func TestGuidance(t *testing.T) {
	report := directory.Returned{Month: 202610, Numerator: 94, Denominator: 99, Returns: 3, Expected: 7, Latest: "2026-11-05"}
	f := figure(t, directory.ChildcareGuidance, directory.IndicatorFacts{Level: directory.Prefecture, Guidance: report})
	if got := show(f); got != "94/99 0.9495 not_met 3/7" || f.Month != 202610 || f.AsOf != "2026-11-05" {
		t.Errorf("reported: %s %s %s", got, f.Month, f.AsOf)
	}
	report.Numerator, report.Denominator = 0, 0
	if got := show(figure(t, directory.ChildcareGuidance, directory.IndicatorFacts{Level: directory.County, Guidance: report})); got != "0/0 not_applicable 3/7" {
		t.Errorf("no families: %s", got)
	}
	if got := show(figure(t, directory.ChildcareGuidance, directory.IndicatorFacts{Level: directory.Province})); got != "-/- no_data" {
		t.Errorf("nothing reported: %s", got)
	}
	if got := show(figure(t, directory.ChildcareGuidance, directory.IndicatorFacts{Level: directory.Township})); got != "-/- not_applicable" {
		t.Errorf("a township: %s", got)
	}
}

func TestBrandsAndPlaces(t *testing.T) {
	var brands []directory.Listing
	for i, kind := range []directory.BrandType{directory.QingBrand, directory.TimeHonouredQinghai, directory.TimeHonouredChina, directory.GeographicalIndication} {
		for range i + 1 {
			brands = append(brands, directory.Listing{Kind: directory.BrandKind, Status: directory.Published, Brand: &directory.Brand{Type: kind}})
		}
	}
	brands = append(brands, directory.Listing{Kind: directory.BrandKind, Status: directory.Published}, directory.Listing{Kind: directory.BrandKind, Status: directory.Published, Brand: &directory.Brand{}})
	f := figure(t, directory.Brands, directory.IndicatorFacts{}, brands...)
	var parts []string
	for _, p := range f.Breakdown {
		parts = append(parts, fmt.Sprintf("%s %s %d", p.Code, p.Names.Zh, p.Value))
	}
	if got := fmt.Sprint(show(f), parts); got != "-/- 12[qing_brand 青字号 1 time_honoured_qinghai 青海老字号 2 time_honoured_china 中华老字号 3 geographical_indication 地理标志 4 none 类型未确认 2]" {
		t.Errorf("brands: %s", got)
	}

	nursery := func(places ...int) directory.Listing {
		k := &directory.Childcare{}
		for _, n := range places {
			k.Classes = append(k.Classes, directory.ChildcareClass{Capacity: n})
		}
		return directory.Listing{Kind: directory.ChildcareKind, Status: directory.Published, Childcare: k}
	}
	for _, tc := range []struct {
		listings   []directory.Listing
		population int64
		want       string
		thousand   float64 // 0 for none
	}{
		{[]directory.Listing{nursery(15, 40), nursery(), nursery(20)}, 30_000, "-/- 75 2/3", 2.5},
		{[]directory.Listing{nursery(20)}, 489_372, "-/- 20 1/1", 0.04},
		{[]directory.Listing{nursery(20)}, 0, "-/- 20 1/1", 0},
		{[]directory.Listing{nursery()}, 30_000, "-/- no_data 0/1", 0},
		{nil, 0, "-/- 0 0/0", 0}, // none is listed
	} {
		f := figure(t, directory.ChildcarePlaces, directory.IndicatorFacts{Population: tc.population}, tc.listings...)
		thousand := 0.0
		if f.PerThousand != nil {
			thousand = *f.PerThousand
		}
		if got := show(f); got != tc.want || thousand != tc.thousand || (f.Population != nil) != (tc.population > 0) {
			t.Errorf("places: %s, %v per 1000, population %v, want %s, %v", got, thousand, f.Population, tc.want, tc.thousand)
		}
	}
}

// TestOnlyPublishedContribute: what a listing adds is nothing unless it is published,
// and what was added can be taken back.
func TestOnlyPublishedContribute(t *testing.T) {
	l := beds(40, 40, 40)
	for _, status := range []directory.Status{directory.Draft, directory.Suspended, directory.Expired, directory.Archived} {
		l.Status = status
		if got := l.Contributions(directory.Community); len(got) > 0 {
			t.Errorf("%s contributes %v", status, got)
		}
	}
	l.Status = directory.Published
	var a directory.Amounts
	a.Add(l.Contributions(directory.Community), 1)
	if a == (directory.Amounts{}) {
		t.Error("a published one contributes nothing")
	}
	a.Add(l.Contributions(directory.Community), -1)
	if a != (directory.Amounts{}) {
		t.Errorf("taken back, %v is left", a)
	}
}

// TestPlacing: by the level of its region a listing does or does not say where it is.
func TestPlacing(t *testing.T) {
	for _, tc := range []struct {
		category string
		code     directory.IndicatorCode
		want     map[directory.RegionLevel]int64 // unplaced
	}{
		{"street_centre", directory.StreetCoverage, map[directory.RegionLevel]int64{directory.Prefecture: 1, directory.County: 1, directory.Township: 0, directory.Community: 0}},
		{"day_care", directory.CommunityCoverageUrban, map[directory.RegionLevel]int64{directory.Province: 1, directory.County: 1, directory.Township: 1, directory.Community: 0}},
		{"day_care", directory.CommunityCoverageAll, map[directory.RegionLevel]int64{directory.Township: 1, directory.Community: 0}},
		{"canteen", directory.CommunityCoverageAll, map[directory.RegionLevel]int64{directory.Township: 0}},
	} {
		for level, want := range tc.want {
			l := directory.Listing{Kind: directory.ElderCareKind, Status: directory.Published, Categories: []string{tc.category}}
			facts := directory.IndicatorFacts{}
			facts.Amounts.Add(l.Contributions(level), 1)
			if f := figure(t, tc.code, facts); *f.Unplaced != want {
				t.Errorf("%s at level %d: %d unplaced, want %d", tc.category, level, *f.Unplaced, want)
			}
		}
	}
	for _, c := range []struct {
		covered, all int64
		want         string
	}{{43, 43, "43/43 1 met"}, {42, 43, "42/43 0.9767 not_met"}, {0, 26, "0/26 0 not_met"}, {0, 0, "0/0 not_applicable"}} {
		if got := show(figure(t, directory.StreetCoverage, directory.IndicatorFacts{Streets: directory.Coverage{Covered: c.covered, All: c.all}})); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.covered, c.all, got, c.want)
		}
	}
}

// TestEveryIndicator: each has all that an answer shows of it, in both languages, and
// a figure for whatever facts there are.
func TestEveryIndicator(t *testing.T) {
	seen := map[directory.IndicatorCode]bool{}
	random := rand.New(rand.NewPCG(1, 1))
	for _, i := range directory.Indicators {
		if seen[i.Code] || i.Names.Zh == "" || i.Names.En == "" || i.Definition.Zh == "" || i.Definition.En == "" || i.Section == "" {
			t.Errorf("%s: %+v", i.Code, i)
		}
		seen[i.Code] = true
		for level := directory.Province; level <= directory.Community; level++ {
			facts := directory.IndicatorFacts{Level: level}
			for k := range facts.Amounts {
				facts.Amounts[k] = random.Int64N(3)
			}
			f := i.Figure(&facts)
			known := false
			for _, term := range directory.IndicatorVerdicts {
				known = known || term.Code == string(f.Verdict)
			}
			if !known && (f.Verdict != "" || i.Target != nil) || f.Value == nil && f.Verdict != directory.NotApplicable && f.Verdict != directory.NoData {
				t.Errorf("%s at level %d: %s", i.Code, level, show(f))
			}
		}
	}
	if _, ok := directory.IndicatorOf("domestic_satisfaction"); ok {
		t.Error("satisfaction is an indicator")
	}
}
