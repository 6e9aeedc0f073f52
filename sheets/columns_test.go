package sheets

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
)

// notInTables are the fields of the line format that no column fills, with the
// reason.
var notInTables = map[string]string{
	"id": "given by the program", "kind": "the table's", "organization_id": "the importer's", "photos": "uploaded", "photos.id": "uploaded", "photos.caption": "uploaded",
	"status": "the caller's", "revision": "counted", "merged_into": "the program's", "stale": "the program's", "verified_at": "the program's", "review_due_at": "the program's",
	"provenance.origin": "imported", "provenance.source": "of the seed", "provenance.confidence": "of the seed", "provenance.note": "of the seed",
	"demo": "the caller's", "satisfaction.levels": "counted from ratings", "satisfaction.counted_to": "the program's", "created_at": "the program's", "updated_at": "the program's",
	"pedestrian_street.listings": "ids, which people do not know",
}

var (
	code     = regexp.MustCompile("`([^`]+)`")
	codeName = regexp.MustCompile("`([^`]+)` ([0-9]*\\p{Han}[^ ,;`(|]*)")
)

// The line format is the measure of the columns: each of its fields has one, and
// every code the name that stands there.
func TestColumnsCoverTheLineFormat(t *testing.T) {
	text, err := os.ReadFile("../docs/listing-format.md")
	if err != nil {
		t.Fatal(err)
	}
	covers := func(field string) *Column {
		pointer := "/" + strings.ReplaceAll(field, ".", "/")
		for _, kind := range kinds {
			if c := (&Table{Kind: kind}).find(pointer); c != nil {
				return c
			}
		}
		return nil
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			found++
			field := m[1]
			c := covers(field)
			if _, left := notInTables[field]; left == (c != nil) {
				t.Errorf("%s: column %+v, but left out on purpose: %v", field, c, left)
				continue
			}
			if c == nil {
				continue
			}
			terms := c.Terms
			if c.fields != nil {
				terms = c.fields["/"+field[strings.LastIndexByte(field, '.')+1:]]
			}
			for _, pair := range codeName.FindAllStringSubmatch(cells[3], -1) {
				if terms != nil && labelOf(terms, pair[1]) != pair[2] {
					t.Errorf("%s: %s is named %s, not %s", field, pair[1], labelOf(terms, pair[1]), pair[2])
				}
			}
			if codes := codeName.FindAllString(cells[3], -1); terms == nil && len(codes) > 1 && field != "phone" {
				t.Errorf("%s has %d codes, but its column no terms", field, len(codes))
			}
		}
	}
	if found < 80 {
		t.Errorf("only %d fields were found", found)
	}
}

func TestColumnsOfEveryKind(t *testing.T) {
	for _, kind := range kinds {
		seen := map[string]bool{}
		for _, c := range Columns(kind) {
			for _, name := range []string{c.Header, c.English} {
				if key := headerKey(name); seen[key] || results[key] {
					t.Errorf("%s: the header %s stands twice", kind, name)
				}
				seen[headerKey(name)] = true
			}
			if c.write == nil || !c.Output && (c.read == nil || len(c.Pointers) == 0) {
				t.Errorf("%s: %s lacks something", kind, c.Header)
			}
			if c.Required && c.Example == "" || len([]rune(c.Note)) > 200 {
				t.Errorf("%s: %s has example %q, note %q", kind, c.Header, c.Example, c.Note)
			}
		}
	}
	if len(Columns("")) <= len(output) || Columns("shop") != nil {
		t.Errorf("without a kind there are %d columns, of no kind %d", len(Columns("")), len(Columns("shop")))
	}
}

// The example of each kind says something in most columns, is without a fault,
// and is written as it stands.
func TestExamplesAreGood(t *testing.T) {
	for _, kind := range kinds {
		table := &Table{Kind: kind, regions: testRegions(t), places: newPlaces(testRegions(t))}
		var header, cells []string
		for _, c := range Columns(kind) {
			if !c.Output {
				header, cells = append(header, c.Header), append(cells, c.Example)
			}
		}
		if err := table.setHeader(header); err != nil {
			t.Fatal(err)
		}
		row := table.row(record{2, cells})
		row.read = row.Errors
		if row.Check(completeDemo); len(row.Errors) > 0 {
			t.Errorf("%s: %s", kind, problemsOf(&row))
		}
		w, err := newWriter(kind, testRegions(t))
		if err != nil {
			t.Fatal(err)
		}
		written, err := w.row(row.Listing)
		if err != nil || !slices.Equal(written[:len(cells)], cells) {
			t.Errorf("%s, %v:\ngot  %q\nwant %q", kind, err, written[:len(cells)], cells)
		}
		text, _ := json.Marshal(row.Listing)
		for _, c := range Columns(kind) {
			for _, p := range c.Pointers {
				if name := `"` + p[strings.LastIndexByte(p, '/')+1:] + `":`; c.Example != "" && c.English != "crs" && !strings.Contains(string(text), name) {
					t.Errorf("%s: %s fills nothing at %s", kind, c.Header, p)
				}
			}
		}
	}
}

func TestTermsAreReadByNameAndCode(t *testing.T) {
	for _, kind := range kinds {
		for _, c := range Columns(kind) {
			for _, term := range c.Terms {
				for _, text := range []string{term.Names.Zh, term.Code, strings.ToUpper(term.Code), " " + term.Names.Zh + "\u3000"} {
					if got, ok := codeOf(c.Terms, text); !ok || got != term.Code {
						t.Errorf("%s, %s: %q is read as %q", kind, c.Header, text, got)
					}
				}
			}
		}
	}
	for text, want := range map[string]string{"有": "true", "√": "true", "Y": "true", "无": "false", "TRUE": "true"} {
		if got, ok := codeOf(yesNo, text); !ok || got != want {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	if got, ok := codeOf(yesNo, "也许"); ok || got != "也许" {
		t.Errorf("也许 is read as %q, %v", got, ok)
	}
	if got, ok := codeOf(datums, "wgs-84"); !ok || got != "wgs84" {
		t.Errorf("wgs-84 is read as %q", got)
	}
}

// drawListing makes listings that no seed has: every text awkward, every list of
// any length.
func drawListing(kind directory.Kind, regions *directory.Regions) *rapid.Generator[directory.Listing] {
	var all, counties []string
	for _, reg := range regions.All() {
		all = append(all, reg.Code)
		if reg.Level == directory.County {
			counties = append(counties, reg.Code)
		}
	}
	count := func(t *rapid.T, label string) *int {
		n := rapid.IntRange(-1, 100_000).Draw(t, label)
		if n < 0 {
			return nil
		}
		return &n
	}
	someOf := func(t *rapid.T, label string, terms []directory.Term, least int) []string {
		return rapid.SliceOfNDistinct(rapid.Map(rapid.SampledFrom(terms), func(t directory.Term) string { return t.Code }), least, len(terms), rapid.ID[string]).Draw(t, label)
	}
	oneOf := func(t *rapid.T, label string, terms []directory.Term) string {
		if i := rapid.IntRange(-1, len(terms)-1).Draw(t, label); i >= 0 {
			return terms[i].Code
		}
		return ""
	}
	full := awkward.Filter(func(s string) bool { return s != "" && s != "示例-001" })
	return rapid.Custom(func(t *rapid.T) directory.Listing {
		l := directory.Listing{
			Kind: kind, ExternalID: full.Draw(t, "external id"), Names: directory.Names{Zh: full.Draw(t, "zh"), Bo: awkward.Draw(t, "bo"), Mn: awkward.Draw(t, "mn"), En: awkward.Draw(t, "en")},
			Aliases: rapid.SliceOfN(full, 0, 3).Draw(t, "aliases"), Summary: awkward.Draw(t, "summary"), Description: awkward.Draw(t, "description"), Organization: awkward.Draw(t, "organization"),
			Region: rapid.SampledFrom(all).Draw(t, "region"), Address: awkward.Draw(t, "address"), Phone: rapid.SampledFrom([]string{"", "12345", "0971-1234567", "09711234567-1", "400-123-4567"}).Draw(t, "phone"),
			Hours: drawHours.Draw(t, "hours"), Categories: someOf(t, "categories", categoriesOf(kind), 1), Features: someOf(t, "features", directory.Features, 0),
		}
		if rapid.Bool().Draw(t, "located") {
			l.Location = &directory.Point{Lat: rapid.Float64Range(31.5, 39.3).Draw(t, "lat"), Lon: rapid.Float64Range(89.3, 103.1).Draw(t, "lon")}
		}
		for range rapid.IntRange(0, 3).Draw(t, "offerings") {
			l.Offerings = append(l.Offerings, directory.Offering{
				Category: oneOf(t, "category", categoriesOf(kind)), Name: awkward.Draw(t, "name"), Unit: directory.Unit(oneOf(t, "unit", directory.Units)),
				PriceMin: rapid.Int64Range(0, 100_000_000).Draw(t, "min"), PriceMax: rapid.Int64Range(0, 100_000_000).Draw(t, "max"),
			})
		}
		switch kind {
		case directory.BrandKind:
			l.Brand = &directory.Brand{Type: directory.BrandType(oneOf(t, "type", brandTypes)), Founded: rapid.IntRange(0, 2100).Draw(t, "founded")}
			for range rapid.IntRange(0, 2).Draw(t, "certificates") {
				l.Brand.Certificates = append(l.Brand.Certificates, directory.Certificate{
					Number: awkward.Draw(t, "number"), Grantor: awkward.Draw(t, "grantor"), ValidFrom: rapid.OneOf(drawDate, rapid.Just(directory.Date(""))).Draw(t, "from"),
					ValidUntil: rapid.OneOf(drawDate, rapid.Just(directory.Date(""))).Draw(t, "until"), Status: directory.CertificateStatus(oneOf(t, "status", certificateStatuses)),
				})
			}
		case directory.ElderCareKind:
			l.ElderCare = &directory.ElderCare{
				Operation: directory.Operation(oneOf(t, "operation", operations)), Grade: rapid.IntRange(0, 5).Draw(t, "grade"), BedsTotal: count(t, "total"), BedsNursing: count(t, "nursing"),
				BedsSociallyRun: count(t, "socially run"), BedsOccupied: count(t, "occupied"), DayPlaces: count(t, "places"), CareInsurance: rapid.Bool().Draw(t, "insurance"),
			}
		case directory.ChildcareKind:
			l.Childcare = &directory.Childcare{RecordNumber: awkward.Draw(t, "record"), RecordState: directory.RecordState(oneOf(t, "state", recordStates))}
			for _, group := range someOf(t, "groups", classGroups, 0) {
				l.Childcare.Classes = append(l.Childcare.Classes, directory.ChildcareClass{Group: directory.ClassGroup(group), Capacity: rapid.IntRange(0, 1000).Draw(t, "capacity"), Vacancies: rapid.IntRange(0, 1000).Draw(t, "vacancies")})
			}
			for _, mode := range someOf(t, "modes", childcareModes, 0) {
				l.Childcare.Modes = append(l.Childcare.Modes, directory.ChildcareMode(mode))
			}
		case directory.DomesticServiceKind:
			l.DomesticService = &directory.DomesticService{
				CountiesServed: rapid.SliceOfN(rapid.SampledFrom(counties), 0, 5).Draw(t, "counties"), Employment: directory.Employment(oneOf(t, "employment", employments)),
				Workers: count(t, "workers"), WorkersCertified: count(t, "certified"), WorkersWithCredit: count(t, "credit"), CreditCheckedAt: drawDate.Draw(t, "checked"), Insured: rapid.Bool().Draw(t, "insured"),
			}
		case directory.StreetKind:
			l.Street = &directory.Street{LengthM: count(t, "length"), Shops: count(t, "shops"), Level: directory.StreetLevel(oneOf(t, "level", streetLevels)), NightMarket: rapid.Bool().Draw(t, "night")}
		}
		return l
	})
}

func TestAnyListingIsReadAsItWasWritten(t *testing.T) {
	check := func(t *testing.T, rt *rapid.T, file string, kind directory.Kind) {
		draw := rapid.SliceOfNDistinct(drawListing(kind, testRegions(t)), 1, 3, func(l directory.Listing) string { return l.ExternalID })
		if _, err := sameAfter(t, file, kind, draw.Draw(rt, "listings")); err != nil {
			rt.Error(err)
		}
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { check(t, rt, "a.csv", kind) })
		})
	}
	// A workbook takes longer, and keeps the same texts.
	t.Run("XLSX", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { check(t, rt, "a.xlsx", rapid.SampledFrom(kinds).Draw(rt, "kind")) })
	})
}
