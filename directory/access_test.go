package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"qingfu/directory"
)

// everyRole is a permission for all roles, with a power that the callers below have.
var everyRole = directory.Permission{
	Roles: []directory.Role{directory.Owner, directory.Staff, directory.Official, directory.Admin},
	Power: directory.ReviewPower,
}

func ownerOf(organization string) directory.Grant {
	return directory.Grant{Account: ann, Role: directory.Owner, Organization: organization}
}

func staffOf(organization string) directory.Grant {
	return directory.Grant{Account: ann, Role: directory.Staff, Organization: organization}
}

func officialOf(bureau directory.Bureau, region string, powers ...directory.Power) directory.Grant {
	return directory.Grant{Account: ann, Role: directory.Official, Bureau: bureau, Region: region, Powers: powers}
}

var (
	admin          = directory.Grant{Account: ann, Role: directory.Admin}
	haidongElderly = officialOf(directory.CivilAffairs, haidong, directory.ReviewPower)
)

// refusal writes the kind of an error of access and what it is about, "" for none.
func refusal(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *directory.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no error of the domain", err)
	}
	return string(e.Kind) + e.What
}

const (
	admitted     = ""
	unknown      = "unauthenticated"
	secondFactor = "unauthenticated" + directory.SecondFactorMissing
	forbidden    = "forbidden"
)

func TestAdmit(t *testing.T) {
	roles := func(power directory.Power, roles ...directory.Role) directory.Permission {
		return directory.Permission{Roles: roles, Power: power}
	}
	permissions := map[string]directory.Permission{
		"nobody":     {},
		"public":     {Public: true},
		"accounts":   {Accounts: true},
		"owners":     roles("", directory.Owner),
		"business":   roles("", directory.Owner, directory.Staff),
		"officials":  roles("", directory.Official),
		"reviewers":  roles(directory.ReviewPower, directory.Official),
		"publishers": roles(directory.PublishPower, directory.Official, directory.Admin),
		"admins":     roles("", directory.Admin),
		"residents":  roles("", directory.Resident), // these have no grant to ask for: Accounts is meant
		"every role": everyRole,
	}
	for _, tt := range []struct {
		caller      string
		account     string
		grants      []directory.Grant
		permissions []string // those that are not in here and not below are forbidden
		withFactor  []string // those that need a second factor
	}{
		{"resident", ann, nil, []string{"accounts"}, nil},
		{"owner", ann, []directory.Grant{ownerOf(shop)}, []string{"accounts", "owners", "business", "every role"}, nil},
		{"staff", ann, []directory.Grant{staffOf(shop)}, []string{"accounts", "business", "every role"}, nil},
		{"official", ann, []directory.Grant{haidongElderly}, []string{"accounts"}, []string{"officials", "reviewers", "every role"}},
		{"official without the power", ann, []directory.Grant{officialOf(directory.Health, ledu, directory.CertifyPower)},
			[]string{"accounts"}, []string{"officials"}},
		{"admin", ann, []directory.Grant{admin}, []string{"accounts"}, []string{"publishers", "admins", "every role"}},
		{"owner and official", ann, []directory.Grant{haidongElderly, ownerOf(shop)},
			[]string{"accounts", "owners", "business", "every role"}, []string{"officials", "reviewers"}},
		{"role of no name", ann, []directory.Grant{{Account: ann}}, []string{"accounts"}, nil},
		{"resident by grant", ann, []directory.Grant{{Account: ann, Role: directory.Resident}}, []string{"accounts"}, nil},
		{"grants without an account", "", []directory.Grant{admin}, nil, nil},
		{"stranger", "", nil, nil, nil},
	} {
		for name, p := range permissions {
			for _, factor := range []bool{false, true} {
				want := forbidden
				switch {
				case name == "public" || slices.Contains(tt.permissions, name):
					want = admitted
				case tt.account == "":
					want = unknown
				case slices.Contains(tt.withFactor, name) && !factor:
					want = secondFactor
				case slices.Contains(tt.withFactor, name):
					want = admitted
				}
				c := &directory.Caller{Account: tt.account, SecondFactor: factor, Grants: tt.grants}
				if got := refusal(t, p.Admit(c)); got != want {
					t.Errorf("%s, second factor %v, for %s: %q, want %q", tt.caller, factor, name, got, want)
				}
			}
		}
	}
}

func TestCovers(t *testing.T) {
	regions := realRegions(t)
	const elderly = directory.CivilAffairs
	scopes := map[string]directory.Scope{
		"own organization":       {Organization: shop},
		"its listing in Ledu":    {Organization: shop, Bureau: elderly, Region: ledu},
		"its listing in Xining":  {Organization: shop, Bureau: elderly, Region: xining},
		"other organization":     {Organization: other},
		"other's, in Ledu":       {Organization: other, Bureau: elderly, Region: ledu},
		"right region":           {Bureau: elderly, Region: haidong},
		"region below":           {Bureau: elderly, Region: ledu},
		"region far below":       {Bureau: elderly, Region: community},
		"region above":           {Bureau: elderly, Region: province},
		"sibling region":         {Bureau: elderly, Region: xining},
		"other bureau":           {Bureau: directory.Health, Region: haidong},
		"no bureau":              {Region: haidong},
		"no region":              {Bureau: elderly},
		"a region that is none":  {Bureau: elderly, Region: "630299"},
		"organization, no power": {Organization: shop, Bureau: directory.Health, Region: xining},
		"nothing":                {},
	}
	all := make([]string, 0, len(scopes))
	for name := range scopes {
		all = append(all, name)
	}
	business := []string{"own organization", "its listing in Ledu", "its listing in Xining", "organization, no power"}
	official := []string{"its listing in Ledu", "other's, in Ledu", "right region", "region below", "region far below"}
	without := everyRole
	without.Power = directory.PublishPower
	withoutRoles := directory.Permission{Public: true, Accounts: true}
	for _, tt := range []struct {
		caller                 string
		grants                 []directory.Grant
		permission             directory.Permission
		withFactor, withoutOne []string // what is covered
	}{
		{"stranger", nil, everyRole, nil, nil},
		{"owner", []directory.Grant{ownerOf(shop)}, everyRole, business, business},
		{"staff", []directory.Grant{staffOf(shop)}, everyRole, business, business},
		{"official", []directory.Grant{haidongElderly}, everyRole, official, nil},
		{"admin", []directory.Grant{admin}, everyRole, all, nil},
		{"staff and official", []directory.Grant{staffOf(shop), haidongElderly}, everyRole, append(official, business...), business},

		{"owner, for staff", []directory.Grant{ownerOf(shop)}, directory.Permission{Roles: []directory.Role{directory.Staff}}, nil, nil},
		{"official without the power", []directory.Grant{haidongElderly}, without, nil, nil},
		{"admin, who needs no power", []directory.Grant{admin}, without, all, nil},
		{"admin, for no role", []directory.Grant{admin}, withoutRoles, nil, nil},
		// The power and the region must stand in one grant.
		{"power elsewhere", []directory.Grant{
			officialOf(elderly, xining, directory.PublishPower), officialOf(elderly, ledu, directory.ReviewPower),
		}, without, []string{"its listing in Xining", "sibling region"}, nil},
		{"bureau elsewhere", []directory.Grant{
			officialOf(elderly, xining, directory.ReviewPower), officialOf(directory.Health, haidong, directory.ReviewPower),
		}, everyRole, []string{"its listing in Xining", "sibling region", "other bureau"}, nil},
	} {
		for _, factor := range []bool{false, true} {
			covered := tt.withoutOne
			if factor {
				covered = tt.withFactor
			}
			c := &directory.Caller{Account: ann, SecondFactor: factor, Grants: tt.grants}
			for name, scope := range scopes {
				want := forbidden
				if slices.Contains(covered, name) {
					want = admitted
				}
				if got := refusal(t, c.Covers(tt.permission, scope, regions)); got != want {
					t.Errorf("%s, second factor %v, %s: %q, want %q", tt.caller, factor, name, got, want)
				}
			}
		}
	}
}

// TestBrokenGrants holds that a grant without the scope of its role gives
// nothing: least of all what an admin's gives, which has an empty scope too.
func TestBrokenGrants(t *testing.T) {
	regions := realRegions(t)
	review := []directory.Power{directory.ReviewPower}
	for what, g := range map[string]directory.Grant{
		"owner of nothing":              {Role: directory.Owner},
		"staff of nothing":              {Role: directory.Staff},
		"owner of a region":             {Role: directory.Owner, Bureau: directory.Health, Region: haidong},
		"staff with a region too":       {Role: directory.Staff, Organization: shop, Bureau: directory.Health, Region: haidong},
		"official of nothing":           {Role: directory.Official, Powers: review},
		"official of no region":         {Role: directory.Official, Bureau: directory.Health, Powers: review},
		"official of no bureau":         {Role: directory.Official, Region: haidong, Powers: review},
		"official of an organization":   {Role: directory.Official, Organization: shop, Powers: review},
		"official with an organization": {Role: directory.Official, Organization: shop, Bureau: directory.Health, Region: haidong, Powers: review},
		"admin of a region":             {Role: directory.Admin, Bureau: directory.Health, Region: haidong},
		"resident":                      {Role: directory.Resident},
		"no role":                       {},
	} {
		p := everyRole
		p.Roles = append(slices.Clone(p.Roles), directory.Resident, "")
		c := &directory.Caller{Account: ann, SecondFactor: true, Grants: []directory.Grant{g}}
		if got := refusal(t, p.Admit(c)); got != forbidden {
			t.Errorf("%s: admitted: %q", what, got)
		}
		for _, s := range []directory.Scope{{}, g.Scope(), {Organization: shop}, {Bureau: directory.Health, Region: haidong}, {Region: haidong}} {
			if got := refusal(t, c.Covers(p, s, regions)); got != forbidden {
				t.Errorf("%s: covers %+v: %q", what, s, got)
			}
		}
		if got := c.Scopes(p); len(got) != 0 {
			t.Errorf("%s: scopes %+v", what, got)
		}
		if got := c.Organizations(p); got == nil || len(got) != 0 {
			t.Errorf("%s: organizations %#v", what, got)
		}
		if got := c.Narrow(p, "", "", regions); len(got) != 0 {
			t.Errorf("%s: narrowed to %+v", what, got)
		}
	}
}

func TestOrganizations(t *testing.T) {
	for _, tt := range []struct {
		what                   string
		grants                 []directory.Grant
		withFactor, withoutOne []string
	}{
		{"resident", nil, []string{}, []string{}},
		{"owner and staff", []directory.Grant{ownerOf(shop), staffOf(other)}, []string{shop, other}, []string{shop, other}},
		{"official", []directory.Grant{haidongElderly}, []string{}, []string{}},
		{"admin", []directory.Grant{ownerOf(shop), admin}, nil, []string{shop}},
	} {
		for factor, want := range map[bool][]string{true: tt.withFactor, false: tt.withoutOne} {
			c := &directory.Caller{Account: ann, SecondFactor: factor, Grants: tt.grants}
			// nil is everything, so that it must not be taken for nothing.
			if got := c.Organizations(everyRole); !slices.Equal(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%s, second factor %v: %#v, want %#v", tt.what, factor, got, want)
			}
		}
	}
}

func TestNarrow(t *testing.T) {
	regions := realRegions(t)
	const elderly, health = directory.CivilAffairs, directory.Health
	none := []directory.Scope(nil)
	both := []directory.Grant{haidongElderly, officialOf(health, ledu, directory.ReviewPower), ownerOf(shop)}
	for _, tt := range []struct {
		what   string
		grants []directory.Grant
		bureau directory.Bureau
		region string
		want   []directory.Scope
	}{
		{"all", both, "", "", []directory.Scope{{Bureau: elderly, Region: haidong}, {Bureau: health, Region: ledu}}},
		{"a bureau", both, health, "", []directory.Scope{{Bureau: health, Region: ledu}}},
		{"another bureau", both, directory.Commerce, "", none},
		{"the region above", both, "", province, []directory.Scope{{Bureau: elderly, Region: haidong}, {Bureau: health, Region: ledu}}},
		{"the region of one", both, "", ledu, []directory.Scope{{Bureau: elderly, Region: ledu}, {Bureau: health, Region: ledu}}},
		{"within both", both, "", community, []directory.Scope{{Bureau: elderly, Region: community}, {Bureau: health, Region: community}}},
		{"within one", both, "", pingan, []directory.Scope{{Bureau: elderly, Region: pingan}}},
		{"a region beside", both, "", xining, none},
		{"a region that is none", both, "", "630299", none},
		{"bureau and region", both, health, haidong, []directory.Scope{{Bureau: health, Region: ledu}}},
		{"bureau of another region", both, health, pingan, none},
		{"an owner", []directory.Grant{ownerOf(shop)}, "", "", none},
		{"an admin, all", []directory.Grant{haidongElderly, admin}, "", "", []directory.Scope{{}}},
		{"an admin, narrowed", []directory.Grant{admin}, health, xining, []directory.Scope{{Bureau: health, Region: xining}}},
	} {
		c := &directory.Caller{Account: ann, SecondFactor: true, Grants: tt.grants}
		got := c.Narrow(everyRole, tt.bureau, tt.region, regions)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.what, got, tt.want)
		}
		for _, s := range got {
			if c.Covers(everyRole, s, regions) != nil {
				t.Errorf("%s: %+v is wider than the caller's scopes", tt.what, s)
			}
		}
		c.SecondFactor = false
		if got := c.Narrow(everyRole, tt.bureau, tt.region, regions); len(got) != 0 {
			t.Errorf("%s: %+v without a second factor", tt.what, got)
		}
	}
}
