package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
)

const (
	ann = "019aaf5e-4c00-7a1b-8c2d-00000000000a"
	ben = "019aaf5e-4c00-7a1b-8c2d-00000000000b"

	shop  = "019aaf5e-4c00-7a1b-8c2d-000000000001"
	other = "019aaf5e-4c00-7a1b-8c2d-000000000002"
)

// Real divisions: the first five each within the one before.
const (
	province  = "630000"
	haidong   = "630200"
	ledu      = "630202"
	nianbo    = "630202001"    // a street of Ledu
	community = "630202001001" // of that street

	xining    = "630100" // beside Haidong
	pingan    = "630203" // beside Ledu
	dachaidan = "632857" // of county level, though none by law
)

func realRegions(t *testing.T) *directory.Regions {
	t.Helper()
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{province, haidong, ledu, nianbo, community, xining, pingan, dachaidan} {
		if !regions.Has(code) {
			t.Fatalf("there is no region %s", code)
		}
	}
	return regions
}

func TestGrantValidate(t *testing.T) {
	regions := realRegions(t)
	review := []directory.Power{directory.ReviewPower}
	const (
		roles   = " (owner, staff, official, admin)"
		bureaus = " (commerce, civil_affairs, health, market_regulation, human_resources, statistics)"
		powers  = " (review, complaints, certify, statistics, publish)"
		id      = " (0193526e-3c00-7000-8000-000000000000)"
		levels  = " (/v1/regions?level=1, 2, 3)"
		role    = " mismatch (/role)"
	)
	official := func(bureau directory.Bureau, region string, powers ...directory.Power) directory.Grant {
		return directory.Grant{Role: directory.Official, Bureau: bureau, Region: region, Powers: powers}
	}
	everything := func(r directory.Role) directory.Grant {
		return directory.Grant{Role: r, Organization: shop, Bureau: directory.Health, Region: haidong, Powers: review}
	}
	for what, tt := range map[string]struct {
		grant directory.Grant
		want  []string
	}{
		"owner":                    {directory.Grant{Role: directory.Owner, Organization: shop}, nil},
		"staff":                    {directory.Grant{Role: directory.Staff, Organization: shop}, nil},
		"admin":                    {directory.Grant{Role: directory.Admin}, nil},
		"official of the province": {official(directory.Commerce, province, directory.ReviewPower), nil},
		"official of a prefecture": {official(directory.CivilAffairs, haidong, directory.CertifyPower, directory.ReviewPower), nil},
		"official of a county":     {official(directory.HumanResources, ledu, directory.ComplaintsPower), nil},
		"official of Dachaidan": {official(directory.Statistics, dachaidan, directory.ReviewPower, directory.ComplaintsPower,
			directory.CertifyPower, directory.StatisticsPower, directory.PublishPower), nil},

		"no role":              {directory.Grant{Organization: shop}, []string{"/role required" + roles}},
		"resident":             {directory.Grant{Role: directory.Resident}, []string{"/role unknown_value" + roles}},
		"another role":         {directory.Grant{Role: "Admin"}, []string{"/role unknown_value" + roles}},
		"owner of nothing":     {directory.Grant{Role: directory.Owner}, []string{"/organization required"}},
		"staff of a name":      {directory.Grant{Role: directory.Staff, Organization: "某公司"}, []string{"/organization bad_format" + id}},
		"owner with all":       {everything(directory.Owner), []string{"/bureau" + role, "/region" + role, "/powers" + role}},
		"staff with all":       {everything(directory.Staff), []string{"/bureau" + role, "/region" + role, "/powers" + role}},
		"admin with all":       {everything(directory.Admin), []string{"/organization" + role, "/bureau" + role, "/region" + role, "/powers" + role}},
		"official with all":    {everything(directory.Official), []string{"/organization" + role}},
		"official of no one":   {official("", ""), []string{"/bureau required" + bureaus, "/region required", "/powers required" + powers}},
		"official of a street": {official(directory.Health, nianbo, directory.ReviewPower), []string{"/region unknown_value" + levels}},
		"official, all wrong": {official("police", "110000", "arrest", directory.ReviewPower, directory.ReviewPower, ""), []string{
			"/bureau unknown_value" + bureaus, "/region unknown_value" + levels,
			"/powers/0 unknown_value" + powers, "/powers/2 duplicate", "/powers/3 required" + powers,
		}},
		"too many powers": {official(directory.Health, ledu, make([]directory.Power, 6)...), []string{"/powers too_long (5)"}},
	} {
		var got []string
		if err := tt.grant.Validate(regions); err != nil {
			var e *directory.Error
			if !errors.As(err, &e) || e.Kind != directory.Invalid || e.What != "grant" {
				t.Errorf("%s: %v is not Invalid about a grant", what, err)
				continue
			}
			for _, f := range e.Fields {
				got = append(got, f.String())
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
		}
	}
}

// TestGrantKey holds that the same thing cannot be granted twice and that
// different things can.
func TestGrantKey(t *testing.T) {
	regions := realRegions(t)
	var grants []directory.Grant
	for _, account := range []string{ann, ben} {
		grants = append(grants, directory.Grant{Account: account, Role: directory.Admin})
		for _, organization := range []string{shop, other} {
			for _, role := range []directory.Role{directory.Owner, directory.Staff} {
				grants = append(grants, directory.Grant{Account: account, Role: role, Organization: organization})
			}
		}
		for _, bureau := range directory.Bureaus {
			for _, region := range []string{province, haidong, ledu, pingan, xining} {
				grants = append(grants, directory.Grant{Account: account, Role: directory.Official,
					Bureau: directory.Bureau(bureau.Code), Region: region, Powers: []directory.Power{directory.ReviewPower}})
			}
		}
	}
	seen := map[string]directory.Grant{}
	for _, g := range grants {
		if err := g.Validate(regions); err != nil {
			t.Fatal(err)
		}
		key := g.Key()
		if was, ok := seen[key]; ok {
			t.Errorf("%+v and %+v have the key %s", g, was, key)
		}
		seen[key] = g
		// 200 bytes is the longest id that a store takes.
		if len(key) > 200 || !strings.HasPrefix(key, g.Account+"."+string(g.Role)) {
			t.Errorf("%+v has the key %s", g, key)
		}
		// Who granted it, when and with which powers makes it no other grant.
		again := g
		again.ID, again.GrantedBy, again.GrantedAt, again.Powers = "x", ben, time.Unix(1, 0), []directory.Power{directory.PublishPower}
		if again.Key() != key {
			t.Errorf("%+v has the key %s, was %s", again, again.Key(), key)
		}
	}
}

func TestNeedsSecondFactor(t *testing.T) {
	for role, want := range map[directory.Role]bool{
		directory.Resident: false, directory.Owner: false, directory.Staff: false, directory.Official: true, directory.Admin: true,
	} {
		if got := (&directory.Grant{Role: role}).NeedsSecondFactor(); got != want {
			t.Errorf("%s: %v", role, got)
		}
	}
}

func TestGrantTerms(t *testing.T) {
	for what, tt := range map[string]struct {
		terms []directory.Term
		find  func(code string) (directory.Term, bool)
	}{
		"roles":   {directory.Roles, func(c string) (directory.Term, bool) { return directory.RoleTerm(directory.Role(c)) }},
		"bureaus": {directory.Bureaus, func(c string) (directory.Term, bool) { return directory.BureauTerm(directory.Bureau(c)) }},
		"powers":  {directory.Powers, func(c string) (directory.Term, bool) { return directory.PowerTerm(directory.Power(c)) }},
	} {
		for _, term := range tt.terms {
			// A code that stands twice finds the first of them.
			if got, ok := tt.find(term.Code); !ok || got != term || term.Names.Zh == "" || term.Names.En == "" {
				t.Errorf("%s: %+v is found as %+v, %v", what, term, got, ok)
			}
		}
		if got, ok := tt.find("none"); ok {
			t.Errorf("%s: found %+v", what, got)
		}
	}
	if _, ok := directory.RoleTerm(directory.Resident); ok {
		t.Error("being a resident can be granted")
	}
}
