package seed

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"qingfu/directory"
)

func mustReal(t testing.TB) []directory.Listing {
	t.Helper()
	all, err := Real()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	mobileNumber = regexp.MustCompile(`(^|\D)1[3-9]\d{9}(\D|$)`)
	// version 7, variant 10
	uuid7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

// checkListing checks what holds for every listing of this package.
func checkListing(t *testing.T, l *directory.Listing, regions *directory.Regions) {
	t.Helper()
	if err := l.Validate(regions); err != nil {
		t.Errorf("%s: %v", l.Names.Zh, err)
	}
	if !uuid7.MatchString(l.ID) {
		t.Errorf("%s: id %s is no UUID of version 7", l.Names.Zh, l.ID)
	}
	parts := map[directory.Kind]bool{
		directory.BrandKind: l.Brand != nil, directory.ElderCareKind: l.ElderCare != nil, directory.ChildcareKind: l.Childcare != nil,
		directory.DomesticServiceKind: l.DomesticService != nil, directory.StreetKind: l.Street != nil,
	}
	for kind, set := range parts {
		if set != (kind == l.Kind) {
			t.Errorf("%s is of kind %s, its part %s is set: %v", l.Names.Zh, l.Kind, kind, set)
		}
	}
	if len(l.Categories) == 0 || l.Status != directory.Published || l.Provenance.Origin != directory.Seeded {
		t.Errorf("%s: categories %v, status %s, origin %s", l.Names.Zh, l.Categories, l.Status, l.Provenance.Origin)
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	l2 := *l
	l2.ID = "" // hexadecimal digits may look like anything
	if text, _ := json.Marshal(l2); mobileNumber.Match(text) {
		t.Errorf("%s holds what looks like a mobile number: %s", l.Names.Zh, text)
	}
	back, err := directory.ParseListing(text)
	if err != nil {
		t.Errorf("%s: %v", l.Names.Zh, err)
	}
	if again, _ := json.Marshal(back); string(again) != string(text) {
		t.Errorf("%s changes on its way through JSON:\n%s\n%s", l.Names.Zh, text, again)
	}
}

func TestReal(t *testing.T) {
	regions := mustRegions(t)
	all := mustReal(t)
	kinds := map[directory.Kind]int{}
	types := map[directory.BrandType][]string{}
	for i := range all {
		l := &all[i]
		checkListing(t, l, regions)
		kinds[l.Kind]++
		if l.Brand != nil && l.Brand.Type != "" {
			types[l.Brand.Type] = append(types[l.Brand.Type], l.Names.Zh)
		}
		if l.Demo || l.Location != nil || l.Phone != "" || l.VerifiedAt != nil || l.ReviewDueAt != nil || l.Satisfaction.N() != 0 {
			t.Errorf("%s states what no source does: %+v", l.Names.Zh, l)
		}
		if p := l.Provenance; p.Source == "" || !slices.Contains([]string{"high", "medium", "low"}, p.Confidence) {
			t.Errorf("%s: provenance %+v", l.Names.Zh, p)
		}
		if !l.CreatedAt.Equal(released()) || !l.UpdatedAt.Equal(released()) {
			t.Errorf("%s: created %s, updated %s", l.Names.Zh, l.CreatedAt, l.UpdatedAt)
		}
		if text := l.Summary + l.Description + l.Provenance.Note; strings.ContainsAny(text, ",;:()「」") {
			t.Errorf("%s: half-width punctuation in %q", l.Names.Zh, text)
		}
	}
	if want := (map[directory.Kind]int{
		directory.BrandKind: 29, directory.StreetKind: 28, directory.ElderCareKind: 14, directory.DomesticServiceKind: 5,
	}); !maps.Equal(kinds, want) {
		t.Errorf("kinds: %v, want %v", kinds, want)
	}
	// Every other title is claimed by no source or not confirmed by one.
	if want := (map[directory.BrandType][]string{
		directory.QingBrand:              {"江源巧姑", "圣源地毯", "大美青海·旅游净地", "青洽会"},
		directory.GeographicalIndication: {"柴达木枸杞"},
	}); !reflect.DeepEqual(types, want) {
		t.Errorf("brand types: %v, want %v", types, want)
	}
}

func TestRealDetails(t *testing.T) {
	byName := map[string]directory.Listing{}
	for _, l := range mustReal(t) {
		if _, twice := byName[l.Names.Zh]; twice {
			t.Errorf("%s stands twice, but kind and name are the key", l.Names.Zh)
		}
		byName[l.Names.Zh] = l
	}
	for name, region := range map[string]string{
		"天佑德": "630223100", "西宁宾馆": "630100", "可可西里": "630000", "翡翠步行街": "632857",
		"共和路社区": "630102003010", "古城东大街社区": "630202001002", "金滩乡东达村老年人日间照料室": "632223200202",
	} {
		if got := byName[name].Region; got != region {
			t.Errorf("%s is in %q, want %s", name, got, region)
		}
	}
	if l := byName["天佑德"]; !slices.Equal(l.Aliases, []string{"互助青稞酒"}) {
		t.Errorf("aliases of 天佑德: %v", l.Aliases)
	}
	if l := byName["下南关街"]; l.Street == nil || l.Street.LengthM == nil || *l.Street.LengthM != 400 {
		t.Errorf("下南关街: %+v", l.Street)
	}
	provincial := 0
	for _, l := range byName {
		if l.Street != nil && l.Street.Level == directory.ProvincialStreet {
			provincial++
		}
	}
	if provincial != 5 {
		t.Errorf("%d provincial streets, want the 5 of January 2022", provincial)
	}
}
