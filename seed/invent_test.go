package seed

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"qingfu/directory"
)

func mustDemo(t testing.TB) []directory.Listing {
	t.Helper()
	all, err := Demo()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// digest is the SHA-256 of the listings as JSON lines.
func digest(t *testing.T, all iter.Seq[directory.Listing]) string {
	t.Helper()
	h := sha256.New()
	enc := json.NewEncoder(h)
	for l := range all {
		if err := enc.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// checkInvented checks what holds for every invented listing.
func checkInvented(t *testing.T, l *directory.Listing, regions *directory.Regions) {
	t.Helper()
	checkListing(t, l, regions)
	if !l.Demo || !strings.HasPrefix(l.Names.Zh, "示例·") || l.Provenance.Source != "示例数据" {
		t.Errorf("%s does not say that it is a demonstration: demo %v, source %q", l.Names.Zh, l.Demo, l.Provenance.Source)
	}
	if l.Phone != "" && l.Phone != "12349" {
		t.Errorf("%s has the phone %s", l.Names.Zh, l.Phone)
	}
	if path := regions.Path(l.Region); l.Names.Bo != "" && !strings.HasPrefix(l.Names.Bo, path[2].Names.Bo+"་") {
		t.Errorf("%s is called %s in Tibetan, its county %s", l.Names.Zh, l.Names.Bo, path[2].Names.Bo)
	}
	if l.VerifiedAt != nil && !l.VerifiedAt.Before(released()) {
		t.Errorf("%s was verified on %s, after the release", l.Names.Zh, l.VerifiedAt)
	}
}

func TestDemo(t *testing.T) {
	regions := mustRegions(t)
	all := mustDemo(t)
	if len(all) < 280 || len(all) > 320 {
		t.Errorf("%d demo listings, want about 300", len(all))
	}
	kindIn := map[[2]string]int{}  // kind, prefecture or county
	categories := map[string]int{} // by code
	verdicts := map[directory.Verdict]int{}
	names := map[string]bool{}
	few, tibetan := 0, 0
	for i := range all {
		l := &all[i]
		checkInvented(t, l, regions)
		if names[l.Names.Zh] {
			t.Errorf("%s stands twice", l.Names.Zh)
		}
		names[l.Names.Zh] = true
		path := regions.Path(l.Region)
		kindIn[[2]string{string(l.Kind), path[1].Code}]++
		if len(path) > 2 {
			kindIn[[2]string{string(l.Kind), path[2].Code}]++
		}
		categories[l.Categories[0]]++
		summary := l.Satisfaction.Summary()
		verdicts[summary.State]++
		if summary.N > 0 && summary.N < directory.MinRatings {
			few++
		}
		if l.Names.Bo != "" {
			tibetan++
			if path[1].Code == "630100" || path[1].Code == "630200" {
				t.Errorf("%s in %s has a Tibetan name", l.Names.Zh, path[1].Names.Zh)
			}
		}
		if l.Location == nil {
			t.Errorf("%s has no location", l.Names.Zh)
			continue
		}
		if d := directory.Distance(*l.Location, *path[2].Seat); d > 5001 {
			t.Errorf("%s is %.0f m from the seat of %s", l.Names.Zh, d, path[2].Names.Zh)
		}
		if _, county, err := regions.Locate(*l.Location); err != nil || county.Code != path[2].Code {
			t.Errorf("%s of %s is located in %s, %v", l.Names.Zh, path[2].Names.Zh, county.Names.Zh, err)
		}
	}
	for _, r := range regions.All() {
		for _, k := range directory.Kinds {
			everywhere := r.Level == directory.Prefecture ||
				r.Level == directory.County && k.Code != string(directory.BrandKind) && k.Code != string(directory.StreetKind)
			if everywhere && kindIn[[2]string{k.Code, r.Code}] == 0 {
				t.Errorf("no %s in %s", k.Code, r.Names.Zh)
			}
		}
	}
	for _, c := range directory.Categories {
		if categories[c.Code] == 0 {
			t.Errorf("no listing of category %s", c.Code)
		}
	}
	for _, v := range []directory.Verdict{directory.Met, directory.NotMet, directory.Uncertain, directory.TooFew} {
		if verdicts[v] < 10 {
			t.Errorf("%d listings with verdict %s", verdicts[v], v)
		}
	}
	if few == 0 || tibetan == 0 {
		t.Errorf("%d listings with a few ratings, %d with a Tibetan name", few, tibetan)
	}
}

func TestDemoIsTheSameEveryTime(t *testing.T) {
	if a, b := digest(t, slices.Values(mustDemo(t))), digest(t, slices.Values(mustDemo(t))); a != b {
		t.Errorf("two calls differ: %s, %s", a, b)
	}
	if a, b := digest(t, slices.Values(mustReal(t))), digest(t, slices.Values(mustReal(t))); a != b {
		t.Errorf("two calls of Real differ: %s, %s", a, b)
	}
}

func TestDemoStreetsHoldListings(t *testing.T) {
	all := mustDemo(t)
	byID := map[string]*directory.Listing{}
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	held := 0
	for i := range all {
		if all[i].Street == nil {
			continue
		}
		for _, id := range all[i].Street.Listings {
			held++
			if shop := byID[id]; shop == nil || shop.Kind != directory.BrandKind {
				t.Errorf("%s holds %s, which is no brand here", all[i].Names.Zh, id)
			}
		}
	}
	if held == 0 {
		t.Error("no street holds a listing")
	}
}

func TestOpeningShapes(t *testing.T) {
	var lunch, night, always, closedOnHolidays, exceptions bool
	for _, l := range mustDemo(t) {
		h := l.Hours
		if h == nil {
			continue
		}
		always = always || h.Always
		lunch = lunch || len(h.Week.Mon) > 1
		closedOnHolidays = closedOnHolidays || h.Holidays != nil && len(*h.Holidays) == 0
		exceptions = exceptions || len(h.Exceptions) > 0
		for _, i := range h.Week.Fri {
			night = night || i.Close <= i.Open
		}
	}
	if !lunch || !night || !always || !closedOnHolidays || !exceptions {
		t.Errorf("lunch break %v, past midnight %v, always %v, closed on holidays %v, exceptions %v", lunch, night, always, closedOnHolidays, exceptions)
	}
	count := 0
	for _, shape := range openingPool() {
		count += len(shape)
	}
	if count < 100 || count > 500 {
		t.Errorf("%d timetables, want some hundred", count)
	}
}
