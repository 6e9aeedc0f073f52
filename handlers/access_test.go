package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"qingfu"
	"qingfu/auth"
	"qingfu/directory"
)

const (
	ownOrganization   = "01a192b0-7400-7000-8000-00000000000a"
	otherOrganization = "01a192b0-7400-7000-8000-00000000000b"
)

// The roles that the tests of access call with.
var (
	owner    = directory.Grant{Role: directory.Owner, Organization: ownOrganization}
	staff    = directory.Grant{Role: directory.Staff, Organization: ownOrganization}
	official = directory.Grant{Role: directory.Official, Bureau: directory.CivilAffairs, Region: "630200", Powers: []directory.Power{directory.ReviewPower}}
	admin    = directory.Grant{Role: directory.Admin}
)

// withoutSecondFactor returns the headers of somebody with a role who has not
// shown a second factor.
func (f *fixture) withoutSecondFactor(t *testing.T, g directory.Grant) []string {
	t.Helper()
	phone := newPhone()
	if _, _, err := f.api.Auth.Grant(t.Context(), directory.Caller{}, phone, g, f.regions, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	return f.signIn(t, phone).bearer()
}

// fill puts values into the path of an operation.
func fill(path string) string {
	return strings.NewReplacer("{id}", ownOrganization, "{code}", "630100", "{file}", "docs.js").Replace(path)
}

// TestEveryOperationAsEveryRole compares what happens with the table. Each call
// has a parameter that no operation knows: whoever is let in gets 400 for it, and
// nothing is done.
func TestEveryOperationAsEveryRole(t *testing.T) {
	f := newFixture(t, nil)
	ended := f.signIn(t, newPhone())
	if a := f.do(t, "DELETE", "/v1/auth/session", ended.bearer()...); a.StatusCode != 204 {
		t.Fatalf("signing out: %d %s", a.StatusCode, a.body)
	}
	type who struct {
		name    string
		role    directory.Role // "" of a stranger
		shown   bool           // a second factor
		headers []string
	}
	callers := []who{
		{"stranger", "", false, nil},
		{"signed out", "", false, ended.bearer()},
		{"resident", directory.Resident, false, f.as(t)},
		{"owner", directory.Owner, false, f.as(t, owner)},
		{"staff", directory.Staff, false, f.as(t, staff)},
		{"official", directory.Official, true, f.as(t, official)},
		{"official, one factor", directory.Official, false, f.withoutSecondFactor(t, official)},
		{"admin", directory.Admin, true, f.as(t, admin)},
		{"admin, one factor", directory.Admin, false, f.withoutSecondFactor(t, admin)},
	}
	for _, r := range f.api.routes() {
		for _, w := range callers {
			want := http.StatusBadRequest
			switch p := r.permission; {
			case p.Public:
			case w.role == "":
				want = http.StatusUnauthorized
			case p.Accounts:
			case !slices.Contains(p.Roles, w.role):
				want = http.StatusForbidden
			case (w.role == directory.Official || w.role == directory.Admin) && !w.shown:
				want = http.StatusUnauthorized
			}
			a := f.do(t, r.method, fill(r.path)+"?colour=red", w.headers...)
			if a.StatusCode != want {
				t.Errorf("%s as %s: %d, want %d: %s", r.operation, w.name, a.StatusCode, want, a.body)
			}
			challenge := a.Header.Get("WWW-Authenticate")
			if (a.StatusCode == 401) != (challenge != "") {
				t.Errorf("%s as %s: %d with the challenge %q", r.operation, w.name, a.StatusCode, challenge)
			}
			if a.StatusCode == 401 && w.role != "" && !strings.Contains(challenge, "insufficient_user_authentication") {
				t.Errorf("%s as %s: nothing says that a second factor is needed: %q", r.operation, w.name, challenge)
			}
		}
	}
}

// TestScopes calls each operation that has roles on what is within the caller's
// scope and on what is not.
func TestScopes(t *testing.T) {
	f := newFixture(t, nil)
	callers := map[string][]string{
		"owner":    f.as(t, owner),
		"official": f.as(t, official),
		"admin":    f.as(t, admin),
		"both":     f.as(t, official, directory.Grant{Role: directory.Official, Bureau: directory.Health, Region: "632701", Powers: []directory.Power{directory.ReviewPower}}),
	}
	// held is the id of a grant that somebody has.
	held := func(g directory.Grant) string {
		g, _, err := f.api.Auth.Grant(t.Context(), directory.Caller{}, newPhone(), g, f.regions, auth.Client{})
		if err != nil {
			t.Fatal(err)
		}
		return g.ID
	}
	grant := func(g string) string { return fmt.Sprintf(`{"phone":"%s",%s}`, newPhone(), g) }
	elsewhere := directory.Grant{Role: directory.Staff, Organization: otherOrganization}
	tested := map[string]bool{}
	for _, tc := range []struct {
		operation, caller, method, path, body string
		status                                int
	}{
		{"listGrants", "owner", "GET", "/v1/grants?organization=" + ownOrganization, "", 200},
		{"listGrants", "owner", "GET", "/v1/grants?organization=" + otherOrganization, "", 403},
		{"listGrants", "admin", "GET", "/v1/grants?organization=" + otherOrganization, "", 200},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"staff","organization":"` + ownOrganization + `"`), 201},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"owner","organization":"` + ownOrganization + `"`), 201},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"staff","organization":"` + otherOrganization + `"`), 403},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"admin"`), 403},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"admin","organization":"` + ownOrganization + `"`), 403},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"official","organization":"` + ownOrganization + `","bureau":"health","region":"630200","powers":["review"]`), 403},
		{"createGrant", "admin", "POST", "/v1/grants", grant(`"role":"official","bureau":"health","region":"630200","powers":["review"]`), 201},
		{"deleteGrant", "owner", "DELETE", "/v1/grants/" + held(staff), "", 204},
		{"deleteGrant", "owner", "DELETE", "/v1/grants/" + held(elsewhere), "", 404},
		{"deleteGrant", "owner", "DELETE", "/v1/grants/" + held(official), "", 404},
		{"deleteGrant", "owner", "DELETE", "/v1/grants/" + held(admin), "", 404},
		{"deleteGrant", "admin", "DELETE", "/v1/grants/" + held(admin), "", 204},
		{"listAudit", "official", "GET", "/v1/audit", "", 200},
		{"listAudit", "official", "GET", "/v1/audit?region=630200", "", 200},
		{"listAudit", "official", "GET", "/v1/audit?region=630202", "", 200}, // within
		{"listAudit", "official", "GET", "/v1/audit?region=630000", "", 200}, // shows the own part of it
		{"listAudit", "official", "GET", "/v1/audit?region=632700", "", 403}, // 玉树
		{"listAudit", "official", "GET", "/v1/audit?region=632800", "", 403}, // 海西
		{"listAudit", "official", "GET", "/v1/audit?bureau=health", "", 403},
		{"listAudit", "official", "GET", "/v1/audit?bureau=civil_affairs&region=632701", "", 403},
		{"listAudit", "both", "GET", "/v1/audit?bureau=health", "", 200},
		{"listAudit", "both", "GET", "/v1/audit?bureau=health&region=630200", "", 403}, // a bureau and a region, but not of one grant
		{"listAudit", "admin", "GET", "/v1/audit?region=632800&bureau=health", "", 200},
	} {
		tested[tc.operation] = true
		a := f.request(t, tc.method, tc.path, tc.body, callers[tc.caller]...)
		if a.StatusCode != tc.status {
			t.Errorf("%s %s as %s with %s: %d, want %d: %s", tc.method, tc.path, tc.caller, tc.body, a.StatusCode, tc.status, a.body)
		}
	}
	for _, r := range f.api.routes() {
		if len(r.permission.Roles) > 0 && !tested[r.operation] {
			t.Errorf("%s has roles, but nothing here tries it out of scope", r.operation)
		}
	}
}

// TestPermissionsAreTheContract compares the table with x-permission and security.
func TestPermissionsAreTheContract(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(qingfu.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	page := string(newFixture(t, nil).get(t, "/docs/permissions.html").body)
	for _, r := range (&api{}).routes() {
		op := doc.Paths.Value(r.path).GetOperation(r.method)
		if got := op.Extensions["x-permission"]; got != who(r.permission) {
			t.Errorf("%s: the contract says %v, the table %q", r.operation, got, who(r.permission))
		}
		if secured := op.Security != nil && len(*op.Security) > 0; secured == r.permission.Public {
			t.Errorf("%s: security is declared: %t", r.operation, secured)
		}
		if !strings.Contains(page, "<code>"+r.operation+"</code>") {
			t.Errorf("%s is not on the page of permissions", r.operation)
		}
	}
}

// TestAuditIsSeenInScope has things happen in several scopes and looks who sees them.
func TestAuditIsSeenInScope(t *testing.T) {
	f := newFixture(t, nil)
	yushu := directory.Grant{Role: directory.Official, Bureau: directory.CivilAffairs, Region: "632700", Powers: []directory.Power{directory.ReviewPower}}
	here, there, all := f.as(t, official), f.as(t, yushu), f.as(t, admin)
	if a := f.get(t, "/v1/grants", there...); a.StatusCode != 403 { // which is noted
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	type entry struct {
		ID, Action, Operation, Bureau, Region string
		Refused                               bool
	}
	read := func(headers []string, query string) (out []entry) {
		cursor := ""
		for {
			p := decode[struct {
				Items []entry
				Next  *string `json:"next_cursor"`
			}](t, f.get(t, "/v1/audit?limit=7"+query+cursor, headers...))
			out = append(out, p.Items...)
			if p.Next == nil {
				return out
			}
			cursor = "&cursor=" + *p.Next
		}
	}
	isRefusal := func(e entry) bool {
		return e.Refused && e.Action == "access" && e.Operation == "listGrants" && e.Region == "632700"
	}
	if got := read(there, ""); !slices.ContainsFunc(got, isRefusal) {
		t.Errorf("the refusal is not in its own scope: %+v", got)
	}
	if got := read(here, ""); slices.ContainsFunc(got, func(e entry) bool { return e.Bureau != "civil_affairs" || !strings.HasPrefix(e.Region, "6302") }) {
		t.Errorf("an official sees what is out of scope: %+v", got)
	}
	everything, granted := read(all, ""), read(all, "&action=grant")
	if !slices.ContainsFunc(everything, isRefusal) || len(granted) == 0 || len(granted) >= len(everything) {
		t.Errorf("an admin sees %d entries, %d of them grants", len(everything), len(granted))
	}
	seen := map[string]bool{}
	for i, e := range everything {
		if seen[e.ID] || i > 0 && everything[i-1].ID < e.ID {
			t.Fatalf("entry %d of the pages stands twice or out of order: %+v", i, e)
		}
		seen[e.ID] = true
	}
}
