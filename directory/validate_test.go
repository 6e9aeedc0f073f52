package directory

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

const someID = "019aaf5e-4c00-7a1b-8c2d-000000000001"

// testRegions is a small part of the real tree with square outlines.
func testRegions(t testing.TB) *Regions {
	t.Helper()
	region := func(code, parent string, level RegionLevel, zh string, seat *Point) Region {
		return Region{Code: code, Parent: parent, Level: level, Legal: true, Names: Names{Zh: zh}, Seat: seat}
	}
	r, err := NewRegions([]Region{
		region("630000", "", Province, "青海省", nil),
		region("630100", "630000", Prefecture, "西宁市", nil),
		region("632800", "630000", Prefecture, "海西蒙古族藏族自治州", nil),
		region("630102", "630100", County, "城东区", &Point{36.60, 101.80}),
		region("630103", "630100", County, "城中区", &Point{36.62, 101.78}),
		region("630121", "630100", County, "大通回族土族自治县", &Point{36.935, 101.67361}),
		region("632801", "632800", County, "格尔木市", &Point{36.40672, 94.90061}),
		region("632857", "632800", County, "大柴旦行政委员会", nil),
		region("630102001", "630102", Township, "东关大街街道", nil),
		region("630102001001", "630102001", Community, "北关社区居民委员会", nil),
	}, []Outline{
		{"630100", [][]Point{square(36, 101, 37.5, 102), square(36.1, 101.1, 36.2, 101.2)}},
		{"632800", [][]Point{square(36, 92, 38, 98)}},
		{"639900", [][]Point{square(32, 92, 33, 93)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func square(south, west, north, east float64) []Point {
	return []Point{{south, west}, {south, east}, {north, east}, {north, west}}
}

func ptr[T any](v T) *T { return &v }

// complete returns a valid listing of a kind in which every field that can be
// set is set.
func complete(kind Kind) *Listing {
	l := &Listing{
		ID: someID, Kind: kind,
		Names:   Names{Zh: "互助好服务", Bo: "ཁྱིམ་ལས", Mn: "ᠭᠡᠷ\u180eᠦᠨ", En: "Good Service"},
		Aliases: []string{"好服务", "Good"}, Summary: "一句话。", Description: "第一段\n第二段", Organization: "某公司",
		Region: "630102001", Address: "某路1号", Location: &Point{36.6, 101.8}, Phone: "0971-1234567",
		Hours: &Hours{
			Week:       Week{Mon: []Interval{{510, 720}, {810, 1080}}, Sat: []Interval{{1080, 120}}},
			Holidays:   &[]Interval{},
			Exceptions: []HoursException{{"2026-12-01", "2027-02-28", []Interval{{600, 960}}, "冬令作息"}},
		},
		Features: []string{"accessible", "parking"},
		Status:   Published, VerifiedAt: ptr(now), ReviewDueAt: ptr(now),
		Provenance:   Provenance{Imported, "某刊", "high", "无"},
		Satisfaction: Satisfaction{Levels: [5]int64{1, 2, 3, 4, 5}},
		CreatedAt:    now, UpdatedAt: now,
	}
	category := map[Kind]string{BrandKind: "liquor", ElderCareKind: "nursing_home", ChildcareKind: "standalone",
		DomesticServiceKind: "cleaning", StreetKind: "shopping"}[kind]
	l.Categories = []string{category}
	l.Offerings = []Offering{{category, "服务", PerHour, 4000, 6000}}
	switch kind {
	case BrandKind:
		l.Brand = &Brand{TimeHonouredQinghai, 1686, []Certificate{{"1", "省商务厅", "2020-01-01", "2030-01-01", CertificateValid}}}
	case ElderCareKind:
		l.ElderCare = &ElderCare{PublicPrivate, 5, ptr(100), ptr(60), ptr(100), ptr(100), ptr(10), true}
	case ChildcareKind:
		l.Childcare = &Childcare{"青卫托1号", OnRecord, []ChildcareClass{{InfantClass, 10, 2}, {MixedClass, 18, 18}}, []ChildcareMode{FullDay, ByHour}}
	case DomesticServiceKind:
		l.DomesticService = &DomesticService{[]string{"630102", "632857"}, Employees, ptr(30), ptr(30), ptr(0), "2026-11-01", true}
	case StreetKind:
		l.Street = &Street{ptr(800), ptr(120), NationalStreet, true, []string{"019aaf5e-4c00-7a1b-8c2d-000000000002"}}
	}
	return l
}

// wrong returns the wrong fields of an Invalid error as "pointer code" or
// "pointer code (limit)".
func wrong(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != Invalid || e.What != "listing" || len(e.Fields) == 0 {
		t.Fatalf("not an Invalid error about a listing with fields: %v", err)
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.String())
	}
	return out
}

func TestValidateAccepts(t *testing.T) {
	regions := testRegions(t)
	for _, kind := range kinds {
		if err := complete(kind).Validate(regions); err != nil {
			t.Errorf("complete %s: %v", kind, err)
		}
		bare := &Listing{ID: someID, Kind: kind, Names: Names{Zh: "店"}, Region: "630000", Status: Draft,
			Provenance: Provenance{Origin: Seeded}, CreatedAt: now, UpdatedAt: now}
		if kind == ElderCareKind || kind == ChildcareKind || kind == DomesticServiceKind {
			bare.Categories = complete(kind).Categories
		}
		if err := bare.Validate(regions); err != nil {
			t.Errorf("bare %s: %v", kind, err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	regions := testRegions(t)
	long := func(n int) string { return strings.Repeat("字", n) }
	many := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = strconv.Itoa(i)
		}
		return out
	}
	none := func(*Listing) {}
	const characters = " bad_format (UTF-8 without control characters)"
	tests := []struct {
		name   string
		kind   Kind
		change func(l *Listing)
		want   []string
	}{
		{"nothing", BrandKind, none, nil},
		{"everything missing", "", func(l *Listing) { *l = Listing{} }, []string{
			"/id required", "/kind required (brand, elder_care, childcare, domestic_service, pedestrian_street)",
			"/names/zh required", "/region required", "/status required (draft, published, suspended, expired, archived)",
			"/provenance/origin required (seed, registered, imported)", "/created_at required", "/updated_at required"}},
		{"upper-case id", BrandKind, func(l *Listing) { l.ID = strings.ToUpper(someID) }, []string{"/id bad_format (" + idForm + ")"}},
		{"unknown kind", BrandKind, func(l *Listing) { l.Kind = "shop" }, []string{
			"/kind unknown_value (brand, elder_care, childcare, domestic_service, pedestrian_street)", "/brand mismatch (/kind)"}},
		{"longest texts", BrandKind, func(l *Listing) {
			l.Names = Names{long(80), long(200), long(200), long(200)}
			l.Summary, l.Description, l.Organization, l.Address = long(200), long(5000), long(120), long(200)
			l.Provenance = Provenance{Seeded, long(500), long(500), long(500)}
		}, nil},
		{"too long texts", BrandKind, func(l *Listing) {
			l.Names = Names{long(81), long(201), long(201), long(201)}
			l.Aliases = []string{long(81)}
			l.Summary, l.Description, l.Organization, l.Address = long(201), long(5001), long(121), long(201)
			l.Provenance = Provenance{Seeded, long(501), long(501), long(501)}
		}, []string{"/names/zh too_long (80)", "/names/bo too_long (200)", "/names/mn too_long (200)", "/names/en too_long (200)",
			"/aliases/0 too_long (80)", "/summary too_long (200)", "/description too_long (5000)", "/organization too_long (120)",
			"/address too_long (200)", "/provenance/source too_long (500)", "/provenance/confidence too_long (500)", "/provenance/note too_long (500)"}},
		{"blank texts", BrandKind, func(l *Listing) { l.Names.Zh, l.Aliases = " \u3000", []string{""} },
			[]string{"/names/zh required", "/aliases/0 required"}},
		{"characters", BrandKind, func(l *Listing) {
			l.Names = Names{"a\x00", "b\u202e", "c\xff", "d\n"}
			l.Summary, l.Address, l.Organization, l.Description = "\ufffd", "\u2028", "\u0085", "\r\n"
		}, []string{"/names/zh" + characters, "/names/bo" + characters, "/names/mn" + characters, "/names/en" + characters,
			"/summary" + characters, "/description" + characters, "/organization" + characters, "/address" + characters}},
		{"byte order mark", BrandKind, func(l *Listing) { l.Names.Zh = "\ufeff店" }, []string{"/names/zh" + characters}},
		{"aliases twice", BrandKind, func(l *Listing) { l.Aliases = []string{"a", "b", "a"} }, []string{"/aliases/2 duplicate"}},
		{"many aliases", BrandKind, func(l *Listing) { l.Aliases = many(21) }, []string{"/aliases too_long (20)"}},
		{"unknown region", BrandKind, func(l *Listing) { l.Region = "110000" }, []string{"/region unknown_value"}},
		{"latitude and longitude exchanged", BrandKind, func(l *Listing) { l.Location = &Point{101.8, 36.6} },
			[]string{"/location/lat too_large (39.3)", "/location/lon too_small (89.3)"}},
		{"not finite", BrandKind, func(l *Listing) { l.Location = &Point{math.NaN(), math.Inf(1)} },
			[]string{"/location/lat bad_format (number)", "/location/lon bad_format (number)"}},
		{"always with a week", BrandKind, func(l *Listing) { l.Hours.Always = true },
			[]string{"/hours/week mismatch (/hours/always)", "/hours/holidays mismatch (/hours/always)"}},
		{"always with exceptions", BrandKind, func(l *Listing) { *l.Hours = Hours{Always: true, Exceptions: l.Hours.Exceptions} }, nil},
		{"intervals", BrandKind, func(l *Listing) {
			l.Hours.Week = Week{
				Mon: []Interval{{510, 720}, {719, 1080}, {1080, 1440}}, Tue: []Interval{{0, 0}}, Wed: []Interval{{1440, 60}},
				Thu: []Interval{{-1, 60}}, Fri: []Interval{{60, 1441}}, Sat: []Interval{{1080, 60}, {1200, 1300}}, Sun: make([]Interval, 11)}
			l.Hours.Holidays = &[]Interval{{60, 120}, {60, 120}}
		}, []string{"/hours/week/mon/1 mismatch (08:30-12:00)", "/hours/week/tue/0 bad_format (08:30-18:00)", "/hours/week/wed/0 bad_format (08:30-18:00)",
			"/hours/week/thu/0 bad_format (08:30-18:00)", "/hours/week/fri/0 bad_format (08:30-18:00)", "/hours/week/sat/1 mismatch (18:00-01:00)",
			"/hours/week/sun too_long (10)", "/hours/holidays/1 mismatch (01:00-02:00)"}},
		{"exceptions", BrandKind, func(l *Listing) {
			l.Hours.Exceptions = []HoursException{{}, {"2026-02-29", "2026-3-1", nil, ""}, {"2026-02-02", "2026-02-01", nil, long(201)},
				{"2026-02-02", "2026-02-02", []Interval{{1, 2}, {0, 0}}, ""}}
		}, []string{"/hours/exceptions/0/from required", "/hours/exceptions/0/to required", "/hours/exceptions/1/from bad_format (2026-11-23)",
			"/hours/exceptions/1/to bad_format (2026-11-23)", "/hours/exceptions/2/to too_small (2026-02-02)", "/hours/exceptions/2/note too_long (200)",
			"/hours/exceptions/3/intervals/1 bad_format (08:30-18:00)"}},
		{"many exceptions", BrandKind, func(l *Listing) { l.Hours.Exceptions = make([]HoursException, 101) }, []string{"/hours/exceptions too_long (100)"}},
		{"categories", StreetKind, func(l *Listing) { l.Categories = []string{"shopping", "cleaning", "shop", "shopping"} },
			[]string{"/categories/1 mismatch (/kind)", "/categories/2 unknown_value (shopping, food_street, night_market, culture)", "/categories/3 duplicate"}},
		{"no category", ElderCareKind, func(l *Listing) { l.Categories = nil },
			[]string{"/categories required (nursing_home, street_centre, day_care, mutual_help, canteen, friendly_community)"}},
		{"two categories", ChildcareKind, func(l *Listing) { l.Categories = []string{"family", "standalone"} }, []string{"/categories too_long (1)"}},
		{"several domestic categories", DomesticServiceKind, func(l *Listing) { l.Categories = []string{"tidy", "cook"} }, nil},
		{"offerings", StreetKind, func(l *Listing) {
			l.Offerings = []Offering{{"cleaning", "", "piece", -1, maxPrice + 1}, {"x", long(81), "", 2, 1}, {"", "免费", PerVisit, 0, 0}}
		}, []string{"/offerings/0/category mismatch (/kind)", "/offerings/0/name required", "/offerings/0/unit unknown_value (visit, hour, day, month, square_metre)",
			"/offerings/0/price_min too_small (0)", "/offerings/0/price_max too_large (100000000)",
			"/offerings/1/category unknown_value (shopping, food_street, night_market, culture)", "/offerings/1/name too_long (80)",
			"/offerings/1/unit required (visit, hour, day, month, square_metre)", "/offerings/1/price_max too_small (2)"}},
		{"many offerings", StreetKind, func(l *Listing) { l.Offerings = make([]Offering, 101) }, []string{"/offerings too_long (100)"}},
		{"features", BrandKind, func(l *Listing) { l.Features = []string{"halal", "halal", "pool"} },
			[]string{"/features/1 duplicate", "/features/2 unknown_value (" + codes(Features) + ")"}},
		{"many features", BrandKind, func(l *Listing) { l.Features = many(31) }, []string{"/features too_long (30)"}},
		{"state", BrandKind, func(l *Listing) {
			l.Status, l.Provenance.Origin = "open", "web"
			l.Satisfaction.Levels = [5]int64{0, -1, 0, 0, maxRatings + 1}
			l.UpdatedAt = now.Add(-time.Second)
		}, []string{"/status unknown_value (draft, published, suspended, expired, archived)", "/provenance/origin unknown_value (seed, registered, imported)",
			"/satisfaction/levels/1 too_small (0)", "/satisfaction/levels/4 too_large (1000000000)", "/updated_at too_small (2026-11-23T02:00:00Z)"}},
		{"demo without 示例", BrandKind, func(l *Listing) { l.Demo = true }, []string{"/names/zh mismatch (/demo)"}},
		{"示例 without demo", BrandKind, func(l *Listing) { l.Names.Zh = "示例店" }, []string{"/names/zh mismatch (/demo)"}},
		{"demo with 示例", BrandKind, func(l *Listing) { l.Demo, l.Names.Zh = true, "某店(示例)" }, nil},
		{"parts of other kinds", BrandKind, func(l *Listing) {
			l.ElderCare, l.Childcare, l.DomesticService, l.Street = &ElderCare{Grade: 9}, &Childcare{}, &DomesticService{}, &Street{}
		}, []string{"/elder_care mismatch (/kind)", "/childcare mismatch (/kind)", "/domestic_service mismatch (/kind)", "/pedestrian_street mismatch (/kind)"}},
		{"brand where another kind is", StreetKind, func(l *Listing) { l.Brand = &Brand{} }, []string{"/brand mismatch (/kind)"}},
		{"brand", BrandKind, func(l *Listing) {
			*l.Brand = Brand{"old", 999, []Certificate{{long(101), "", "2026-1-1", "x", ""}, {"", long(121), "2026-02-02", "2026-02-01", "lost"}}}
		}, []string{"/brand/type unknown_value (qing_brand, time_honoured_qinghai, time_honoured_china, geographical_indication)", "/brand/founded too_small (1000)",
			"/brand/certificates/0/number too_long (100)", "/brand/certificates/0/grantor required", "/brand/certificates/0/valid_from bad_format (2026-11-23)",
			"/brand/certificates/0/valid_until bad_format (2026-11-23)", "/brand/certificates/0/status required (valid, expired, revoked)",
			"/brand/certificates/1/grantor too_long (120)", "/brand/certificates/1/valid_until too_small (2026-02-02)",
			"/brand/certificates/1/status unknown_value (valid, expired, revoked)"}},
		{"brand of the future", BrandKind, func(l *Listing) { *l.Brand = Brand{Founded: 2101, Certificates: make([]Certificate, 21)} },
			[]string{"/brand/founded too_large (2100)", "/brand/certificates too_long (20)"}},
		{"beds", ElderCareKind, func(l *Listing) {
			*l.ElderCare = ElderCare{"x", 6, ptr(100), ptr(101), ptr(-1), ptr(100_001), ptr(100_001), false}
		}, []string{"/elder_care/operation unknown_value (public_public, public_private, private_aided, private_private)", "/elder_care/grade too_large (5)",
			"/elder_care/beds_nursing too_large (100)", "/elder_care/beds_socially_run too_small (0)", "/elder_care/beds_occupied too_large (100000)",
			"/elder_care/day_places too_large (100000)"}},
		{"beds without their total", ElderCareKind, func(l *Listing) {
			*l.ElderCare = ElderCare{Grade: -1, BedsNursing: ptr(0), BedsSociallyRun: ptr(1), BedsOccupied: ptr(2)}
		}, []string{"/elder_care/grade too_small (0)", "/elder_care/beds_nursing needs (/elder_care/beds_total)",
			"/elder_care/beds_socially_run needs (/elder_care/beds_total)", "/elder_care/beds_occupied needs (/elder_care/beds_total)"}},
		{"childcare", ChildcareKind, func(l *Listing) {
			*l.Childcare = Childcare{long(101), "x", []ChildcareClass{{"", 1001, 1001}, {MixedClass, -1, -1}, {MixedClass, 3, 4}, {"baby", 0, 0}}, []ChildcareMode{"night", FullDay, FullDay, ""}}
		}, []string{"/childcare/record_number too_long (100)", "/childcare/record_state unknown_value (on_record, filed, ended, not_recorded)",
			"/childcare/classes/0/group required (infant, toddler, senior, mixed)", "/childcare/classes/0/capacity too_large (1000)", "/childcare/classes/0/vacancies too_large (1000)",
			"/childcare/classes/1/capacity too_small (0)", "/childcare/classes/1/vacancies too_small (0)", "/childcare/classes/2/group duplicate",
			"/childcare/classes/2/vacancies too_large (3)", "/childcare/classes/3/group unknown_value (infant, toddler, senior, mixed)",
			"/childcare/modes/0 unknown_value (full_day, half_day, by_hour, occasional)", "/childcare/modes/2 duplicate",
			"/childcare/modes/3 required (full_day, half_day, by_hour, occasional)"}},
		{"domestic service", DomesticServiceKind, func(l *Listing) {
			*l.DomesticService = DomesticService{[]string{"630102", "630100", "630102001", "999999", "630102"}, "x", ptr(5), ptr(6), ptr(-1), "2026-13-01", false}
		}, []string{"/domestic_service/counties_served/1 unknown_value", "/domestic_service/counties_served/2 unknown_value",
			"/domestic_service/counties_served/3 unknown_value", "/domestic_service/counties_served/4 duplicate",
			"/domestic_service/employment unknown_value (employees, agency)", "/domestic_service/workers_certified too_large (5)",
			"/domestic_service/workers_with_credit too_small (0)", "/domestic_service/credit_checked_at bad_format (2026-11-23)"}},
		{"workers unknown", DomesticServiceKind, func(l *Listing) { l.DomesticService.Workers = nil }, nil},
		{"too many workers", DomesticServiceKind, func(l *Listing) { l.DomesticService.Workers = ptr(100_001) },
			[]string{"/domestic_service/workers too_large (100000)"}},
		{"many counties", DomesticServiceKind, func(l *Listing) { l.DomesticService.CountiesServed = many(61) },
			[]string{"/domestic_service/counties_served too_long (60)"}},
		{"street", StreetKind, func(l *Listing) {
			other := l.Street.Listings[0]
			*l.Street = Street{ptr(20_001), ptr(5001), "x", false, []string{other, "1", someID, other, ""}}
		}, []string{"/pedestrian_street/length_m too_large (20000)", "/pedestrian_street/shops too_large (5000)",
			"/pedestrian_street/level unknown_value (national, provincial)", "/pedestrian_street/listings/1 bad_format (" + idForm + ")",
			"/pedestrian_street/listings/2 mismatch (/id)", "/pedestrian_street/listings/3 duplicate", "/pedestrian_street/listings/4 required"}},
		{"negative street", StreetKind, func(l *Listing) { l.Street.LengthM, l.Street.Shops = ptr(-1), ptr(-1) },
			[]string{"/pedestrian_street/length_m too_small (0)", "/pedestrian_street/shops too_small (0)"}},
		{"many shops", StreetKind, func(l *Listing) { l.Street.Listings = many(5001) }, []string{"/pedestrian_street/listings too_long (5000)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := complete(tt.kind)
			tt.change(l)
			if got := wrong(t, l.Validate(regions)); !slices.Equal(got, tt.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

func TestPhone(t *testing.T) {
	good := []string{"0971-1234567", "09711234567", "971-1234567", "0979-8412345", "0971-1234567-8", "0971-1234567-123456",
		"400-123-4567", "4001234567", "400123-4567", "12345", "12349", "12315"}
	bad := []string{"13800138000", "+8613800138000", "0978-1234567", "010-12345678", "0971-123456", "0971-12345678",
		"0971-1234567-1234567", "12346", "110", "0971 1234567", "０９７１-1234567", "0971-1234567\n", "800-123-4567"}
	regions := testRegions(t)
	for want, phones := range map[string][]string{"": good, "/phone bad_format (" + phoneForm + ")": bad} {
		for _, phone := range phones {
			l := complete(BrandKind)
			l.Phone = phone
			if got := strings.Join(wrong(t, l.Validate(regions)), " "); got != want {
				t.Errorf("%q: got %q, want %q", phone, got, want)
			}
		}
	}
}

func TestVocabularies(t *testing.T) {
	unique := func(name string, terms []Term) {
		seen := map[string]bool{}
		for _, term := range terms {
			if seen[term.Code] || term.Code == "" {
				t.Errorf("%s: code %q is empty or stands twice", name, term.Code)
			}
			if term.Names.Zh == "" || term.Names.En == "" {
				t.Errorf("%s: %q lacks a name", name, term.Code)
			}
			seen[term.Code] = true
		}
	}
	var categories []Term
	for _, category := range Categories {
		categories = append(categories, category.Term)
		if !slices.Contains(kinds, category.Kind) {
			t.Errorf("category %q is of the unknown kind %q", category.Code, category.Kind)
		}
		if got, ok := CategoryOf(category.Code); !ok || got != category {
			t.Errorf("CategoryOf(%q) = %v, %v", category.Code, got, ok)
		}
	}
	unique("Kinds", Kinds)
	unique("Categories", categories) // across kinds, or CategoryOf would be ambiguous
	unique("Features", Features)
	unique("Badges", Badges)
	unique("Units", Units)
	var unitCodes []Unit
	for _, term := range Units {
		unitCodes = append(unitCodes, Unit(term.Code))
	}
	if !slices.Equal(unitCodes, units) {
		t.Errorf("Units holds %v, the checks %v", unitCodes, units)
	}
	var kindCodes []Kind
	for _, term := range Kinds {
		kindCodes = append(kindCodes, Kind(term.Code))
	}
	if !slices.Equal(kindCodes, kinds) {
		t.Errorf("Kinds holds %v, the checks %v", kindCodes, kinds)
	}
	if _, ok := CategoryOf("none"); ok {
		t.Error("CategoryOf finds a code that is none")
	}
	for code, lookup := range map[string]func(string) (Term, bool){
		"halal": FeatureTerm, "on_record": BadgeTerm, "brand": func(c string) (Term, bool) { return KindTerm(Kind(c)) }} {
		if got, ok := lookup(code); !ok || got.Code != code {
			t.Errorf("look-up of %q = %v, %v", code, got, ok)
		}
		if _, ok := lookup("none"); ok {
			t.Errorf("the look-up that knows %q finds a code that is none", code)
		}
	}
}

// TestValidateDoesNotChange guards against a check that repairs what it checks.
func TestValidateDoesNotChange(t *testing.T) {
	for _, kind := range kinds {
		l := complete(kind)
		l.Validate(testRegions(t))
		if !reflect.DeepEqual(l, complete(kind)) {
			t.Errorf("Validate changed a %s", kind)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	regions := testRegions(b)
	for _, kind := range kinds {
		l := complete(kind)
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Validate(regions); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
