package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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
	official = directory.Grant{Role: directory.Official, Bureau: directory.CivilAffairs, Region: "630200", Powers: []directory.Power{
		directory.ReviewPower, directory.ComplaintsPower, directory.StatisticsPower, directory.PublishPower,
	}}
	admin = directory.Grant{Role: directory.Admin}
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

// withKey returns the headers of a program with a key of civil affairs in 海东.
func (f *fixture) withKey(t *testing.T, rate int) []string {
	t.Helper()
	_, text, err := f.api.Auth.CreateAPIKey(t.Context(), directory.Caller{}, directory.APIKey{
		Name: "省发改委数据平台", Bureau: directory.CivilAffairs, Region: "630200", Rate: rate, ExpiresAt: f.clock.Now().AddDate(1, 0, 0),
	}, f.regions, auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + text}
}

// fill puts values into the path of an operation.
func fill(path string) string {
	return strings.NewReplacer("{id}", ownOrganization, "{account}", otherOrganization, "{invitation}", strings.Repeat("a", 64),
		"{code}", "630100", "{file}", "docs.js", "{name}", "map", "{size}", "thumb", "{photo}", strings.Repeat("a", 64),
		"{form}", "county_health", "{month}", "2026-10", "{subject}", "630202").Replace(path)
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
		role    directory.Role // "" of a stranger and a key
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
		{"key", "", false, f.withKey(t, directory.MaxAPIKeyRate)},
	}
	for _, r := range f.api.routes() {
		f.clock.Advance(time.Second) // because all of them are more than a network may ask for in a minute
		for _, w := range callers {
			want := http.StatusBadRequest
			switch p := r.permission; {
			case p.Public && p.AsksWho() && w.name == "signed out":
				want = http.StatusUnauthorized
			case p.Public:
			case w.name == "key" && p.Keys:
			case w.name == "key":
				want = http.StatusForbidden
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

// proposed returns a published listing of an organization with a proposal to
// change it that waits for an official.
func (f *fixture) proposed(t *testing.T, organization, region string) string {
	t.Helper()
	f.organization(t, organization, region)
	member := walk{f, t, f.as(t, directory.Grant{Role: directory.Owner, Organization: organization})}
	answer := member.step(201, "POST", "/v1/organizations/"+organization+"/listings",
		`{"kind":"elder_care","names":{"zh":"湟水养老院`+region+`"},"region":"`+region+`","categories":["nursing_home"],"elder_care":{"beds_total":40}}`)
	id, _ := textOf(answer, "id")
	member.step(200, "POST", "/v1/listings/"+id+"/proposal:submit", "", "If-Match", "*")
	walk{f, t, f.as(t, admin)}.step(200, "POST", "/v1/reviews/"+id+"/decision", `{"outcome":"approved"}`, "If-Match", "*")
	member.step(200, "PUT", "/v1/listings/"+id+"/proposal",
		`{"kind":"elder_care","names":{"zh":"湟水养老院`+region+`"},"region":"`+region+`","categories":["nursing_home"],"elder_care":{"beds_total":60}}`, "If-Match", "*")
	member.step(200, "POST", "/v1/listings/"+id+"/proposal:submit", "", "If-Match", "*")
	return id
}

// organization stores a verified organization, unless there is one of that id.
func (f *fixture) organization(t *testing.T, id, region string) {
	t.Helper()
	phone, err := f.keys.Seal(auth.ContactPurpose(id), "0972-1234567")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.store.Organizations.Insert(t.Context(), directory.Organization{
		ID: id, CreditCode: directory.CreditCode(creditCodeOf(id)), LegalName: "湟水养老服务有限公司", Region: region, ContactName: "甲",
		ContactPhone: phone, State: directory.OrganizationVerified, CreatedAt: noon, UpdatedAt: noon,
	})
	if err != nil && directory.KindOf(err) != directory.Conflict {
		t.Fatal(err)
	}
}

// textOf is member for a string.
func textOf(answer any, path string) (string, bool) {
	v, ok := member(answer, path)
	s, _ := v.(string)
	return s, ok
}

// TestScopes calls each operation that has roles on what is within the caller's
// scope and on what is not.
func TestScopes(t *testing.T) {
	f := newFixture(t, nil)
	callers := map[string][]string{
		"owner":      f.as(t, owner),
		"official":   f.as(t, official),
		"admin":      f.as(t, admin),
		"publisher":  f.as(t, directory.Grant{Role: directory.Official, Bureau: directory.CivilAffairs, Region: "630200", Powers: []directory.Power{directory.PublishPower}}),
		"bureau":     f.as(t, directory.Grant{Role: directory.Official, Bureau: directory.Statistics, Region: "630200", Powers: []directory.Power{directory.StatisticsPower}}),
		"both":       f.as(t, official, directory.Grant{Role: directory.Official, Bureau: directory.Health, Region: "632701", Powers: []directory.Power{directory.ReviewPower}}),
		"publishing": f.as(t, directory.Grant{Role: directory.Official, Bureau: directory.Commerce, Region: "630000", Powers: []directory.Power{directory.PublishPower}}),
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
	// A listing of elder care of the own organization in 海东, published, and one of
	// another organization in 玉树; each with a proposal that waits.
	mine := f.proposed(t, ownOrganization, "630202")
	theirs := f.proposed(t, otherOrganization, "632701")
	content := func(region string) string {
		return `{"kind":"elder_care","names":{"zh":"湟水养老院"},"region":"` + region + `","categories":["nursing_home"]}`
	}
	callers["staff"] = f.as(t, staff)
	callers["market"] = f.as(t, marketOfficial("630200"))
	callers["market elsewhere"] = f.as(t, marketOfficial("632700"))
	for _, who := range []string{"owner", "admin"} {
		callers[who+" with a picture"] = append(slices.Clone(callers[who]), "Content-Type", "image/png")
	}
	photosFor := func(organization string) string { return "/v1/photos?purpose=listing&organization=" + organization }
	own, others, none := "/v1/organizations/"+ownOrganization, "/v1/organizations/"+otherOrganization, "/v1/organizations/01a192b0-7400-7000-8000-0000000000ee"
	someone, _, _ := strings.Cut(held(staff), ".")
	claim, _ := textOf(walk{f, t, f.as(t)}.step(202, "POST", "/v1/organizations", firmBody(creditCodeOf(ownOrganization))), "id")
	// An import of each organization. Nobody works on them here.
	imported := func(organization string) string {
		table := []byte("编号,名称,地区,类型\nK-1,湟水养老院,630202,nursing_home\n")
		job, err := f.api.Registry.BeginImport(t.Context(), directory.Caller{}, directory.Organization{ID: organization}, directory.ElderCareKind, "a.csv", table, false)
		if err != nil {
			t.Fatal(err)
		}
		return job.ID
	}
	ownImport, theirImport := imported(ownOrganization), imported(otherOrganization)
	// A rating of each listing.
	ratingOf := func(listing string) string {
		id, _ := textOf(walk{f, t, f.as(t)}.step(201, "POST", "/v1/ratings", `{"listing":"`+listing+`","level":4}`), "id")
		return "/v1/ratings/" + id
	}
	ownRating, theirRating := ratingOf(mine), ratingOf(theirs)
	// A complaint about each of the listings.
	complained := func(listing string) string {
		id, _ := textOf(walk{f, t, f.as(t)}.step(201, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"price","text":"多收费"}`), "id")
		return "/v1/complaints/" + id
	}
	ownComplaint, theirComplaint := complained(mine), complained(theirs)
	callers["key"] = f.withKey(t, directory.DefaultAPIKeyRate)
	newKey := func(bureau, region string) string {
		return `{"name":"数据平台","bureau":"` + bureau + `","region":"` + region + `","expires_at":"2027-01-01T00:00:00+08:00"}`
	}
	keyOf := func(bureau directory.Bureau, region string) string {
		k, _, err := f.api.Auth.CreateAPIKey(t.Context(), directory.Caller{}, directory.APIKey{
			Name: "数据平台", Bureau: bureau, Region: region, Rate: 1, ExpiresAt: noon.AddDate(0, 1, 0),
		}, f.regions, auth.Client{})
		if err != nil {
			t.Fatal(err)
		}
		return "/v1/api-keys/" + k.ID
	}
	export := func(kind directory.Kind, region string) string {
		return "/v1/stats/ratings:export?format=csv&from=2026-11&to=2026-11&kind=" + string(kind) + "&region=" + region
	}
	callers["statistics"] = f.as(t, directory.Grant{Role: directory.Official, Bureau: directory.Statistics, Region: "632700", Powers: []directory.Power{directory.StatisticsPower}})
	// A return of each listing, and one of a county of another bureau.
	elderReturn := `{"values":{"beds_total":40,"beds_nursing":20,"beds_socially_run":0,"residents":30,"staff":9,"staff_nursing":5}}`
	countyReturn := `{"values":{"streets":4,"streets_with_centre":3,"communities":30,"communities_with_day_care":20},"evidence":"东民函〔2026〕8号"}`
	returned := func(listing, organization string) string {
		path := "/v1/stats/returns/elder_care/2026-10/" + listing
		member := walk{f, t, f.as(t, directory.Grant{Role: directory.Owner, Organization: organization})}
		member.step(201, "PUT", path, elderReturn, "If-None-Match", "*")
		return path
	}
	ownReturn, theirReturn := returned(mine, ownOrganization), returned(theirs, otherOrganization)
	tested := map[string]bool{}
	for _, tc := range []struct {
		operation, caller, method, path, body string
		status                                int
	}{
		{"listGrants", "owner", "GET", "/v1/grants?organization=" + ownOrganization, "", 200},
		{"listGrants", "owner", "GET", "/v1/grants?organization=" + otherOrganization, "", 403},
		{"listGrants", "admin", "GET", "/v1/grants?organization=" + otherOrganization, "", 200},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"staff","organization":"` + ownOrganization + `"`), 403},
		{"createGrant", "owner", "POST", "/v1/grants", grant(`"role":"owner","organization":"` + ownOrganization + `"`), 403},
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

		{"getOrganization", "owner", "GET", own, "", 200},
		{"getOrganization", "staff", "GET", own, "", 200},
		{"getOrganization", "market", "GET", own, "", 200},
		{"getOrganization", "market elsewhere", "GET", own, "", 403},
		{"getOrganization", "official", "GET", own, "", 403}, // of another bureau
		{"getOrganization", "owner", "GET", others, "", 403},
		{"getOrganization", "owner", "GET", none, "", 403}, // as if there were one
		{"getOrganization", "admin", "GET", others, "", 200},
		{"getOrganization", "admin", "GET", none, "", 404},
		{"updateOrganization", "owner", "PATCH", own, `{"address":"碾伯镇"}`, 200},
		{"updateOrganization", "owner", "PATCH", others, `{"address":"碾伯镇"}`, 403},
		{"updateOrganization", "staff", "PATCH", own, `{"address":"碾伯镇"}`, 403},
		{"updateOrganization", "market", "PATCH", own, `{"address":"碾伯镇"}`, 403},
		{"decideOrganization", "market", "POST", own + "/decision", `{"outcome":"verified"}`, 200},
		{"decideOrganization", "market", "POST", others + "/decision", `{"outcome":"verified"}`, 403},
		{"decideOrganization", "market elsewhere", "POST", own + "/decision", `{"outcome":"verified"}`, 403},
		{"decideOrganization", "official", "POST", own + "/decision", `{"outcome":"verified"}`, 403},
		{"decideOrganization", "owner", "POST", own + "/decision", `{"outcome":"verified"}`, 403},
		{"listMembers", "staff", "GET", own + "/members", "", 200},
		{"listMembers", "owner", "GET", others + "/members", "", 403},
		{"listMembers", "market", "GET", own + "/members", "", 403},
		{"listMembers", "admin", "GET", others + "/members", "", 200},
		{"removeMember", "staff", "DELETE", own + "/members/" + someone, "", 403},
		{"removeMember", "owner", "DELETE", others + "/members/" + someone, "", 403},
		{"removeMember", "owner", "DELETE", own + "/members/" + someone, "", 204},
		{"removeMember", "owner", "DELETE", own + "/members/" + someone, "", 404},
		{"createInvitation", "owner", "POST", own + "/invitations", `{"role":"staff"}`, 201},
		{"createInvitation", "owner", "POST", others + "/invitations", `{"role":"owner"}`, 403},
		{"createInvitation", "staff", "POST", own + "/invitations", `{"role":"owner"}`, 403},
		{"listInvitations", "owner", "GET", own + "/invitations", "", 200},
		{"listInvitations", "owner", "GET", others + "/invitations", "", 403},
		{"withdrawInvitation", "owner", "DELETE", own + "/invitations/" + strings.Repeat("a", 64), "", 404},
		{"withdrawInvitation", "owner", "DELETE", others + "/invitations/" + strings.Repeat("a", 64), "", 403},
		{"decideClaim", "market elsewhere", "POST", "/v1/claims/" + claim + "/decision", `{"outcome":"granted"}`, 403},
		{"decideClaim", "official", "POST", "/v1/claims/" + claim + "/decision", `{"outcome":"granted"}`, 403},
		{"decideClaim", "owner", "POST", "/v1/claims/" + claim + "/decision", `{"outcome":"granted"}`, 403},
		{"decideClaim", "market", "POST", "/v1/claims/" + claim + "/decision", `{"outcome":"refused","reason":"无关"}`, 200},

		{"uploadPhoto", "owner with a picture", "POST", photosFor(ownOrganization), newPicture(t), 201},
		{"uploadPhoto", "owner with a picture", "POST", photosFor(otherOrganization), newPicture(t), 403},
		{"uploadPhoto", "admin with a picture", "POST", photosFor(otherOrganization), newPicture(t), 201},
		{"getDocument", "owner", "GET", f.photoOf(t, ownOrganization, "document").Sizes["large"], "", 200},
		{"getDocument", "owner", "GET", f.photoOf(t, otherOrganization, "document").Sizes["large"], "", 404},
		{"getDocument", "market", "GET", f.photoOf(t, ownOrganization, "document").Sizes["large"], "", 200},
		{"getDocument", "market elsewhere", "GET", f.photoOf(t, ownOrganization, "document").Sizes["large"], "", 404},

		{"listOrganizationBookings", "staff", "GET", own + "/bookings", "", 200},
		{"listOrganizationBookings", "staff", "GET", others + "/bookings", "", 403},
		{"listRequests", "staff", "GET", own + "/requests", "", 200},
		{"listRequests", "staff", "GET", others + "/requests", "", 403},
		{"saveCalendar", "staff", "PUT", "/v1/listings/" + mine + "/calendar", calendarBody(1), 201},
		{"saveCalendar", "staff", "PUT", "/v1/listings/" + theirs + "/calendar", calendarBody(1), 403},
		{"saveCalendar", "official", "PUT", "/v1/listings/" + mine + "/calendar", calendarBody(1), 403},
		{"deleteCalendar", "owner", "DELETE", "/v1/listings/" + theirs + "/calendar", "", 403},
		{"deleteCalendar", "owner", "DELETE", "/v1/listings/" + mine + "/calendar", "", 204},

		{"createProposal", "owner", "POST", "/v1/organizations/" + ownOrganization + "/listings", content("630202"), 201},
		{"createProposal", "owner", "POST", "/v1/organizations/" + otherOrganization + "/listings", content("630202"), 403},
		{"listOwnListings", "owner", "GET", "/v1/organizations/" + ownOrganization + "/listings", "", 200},
		{"listOwnListings", "owner", "GET", "/v1/organizations/" + otherOrganization + "/listings", "", 403},
		{"getProposal", "owner", "GET", "/v1/listings/" + mine + "/proposal", "", 200},
		{"getProposal", "owner", "GET", "/v1/listings/" + theirs + "/proposal", "", 404},
		{"getProposal", "official", "GET", "/v1/listings/" + mine + "/proposal", "", 200},
		{"getProposal", "official", "GET", "/v1/listings/" + theirs + "/proposal", "", 404},
		{"saveProposal", "owner", "PUT", "/v1/listings/" + theirs + "/proposal", content("630202"), 404},
		{"saveProposal", "official", "PUT", "/v1/listings/" + mine + "/proposal", content("630202"), 403},
		{"submitProposal", "owner", "POST", "/v1/listings/" + theirs + "/proposal:submit", "", 404},
		{"withdrawProposal", "owner", "POST", "/v1/listings/" + theirs + "/proposal:withdraw", "", 404},
		{"updateListing", "owner", "PATCH", "/v1/listings/" + theirs, `{"phone":"0971-1234567"}`, 403},
		{"updateVacancies", "owner", "PUT", "/v1/listings/" + theirs + "/vacancies", `{"beds_occupied":1}`, 403},
		{"confirmListing", "owner", "POST", "/v1/listings/" + theirs + "/confirmation", "", 403},
		{"archiveListing", "owner", "POST", "/v1/listings/" + theirs + "/archive", "", 403},
		{"createImport", "owner", "POST", "/v1/organizations/" + otherOrganization + "/imports?kind=brand", "编号", 403},
		{"listImports", "owner", "GET", "/v1/organizations/" + ownOrganization + "/imports", "", 200},
		{"listImports", "owner", "GET", "/v1/organizations/" + otherOrganization + "/imports", "", 403},
		{"getImport", "owner", "GET", "/v1/imports/" + ownImport, "", 200},
		{"getImport", "owner", "GET", "/v1/imports/" + theirImport, "", 404},
		{"getImportResult", "owner", "GET", "/v1/imports/" + theirImport + "/result", "", 404},
		{"listReviews", "official", "GET", "/v1/reviews", "", 200},
		{"listReviews", "owner", "GET", "/v1/reviews", "", 403},
		{"getReview", "official", "GET", "/v1/reviews/" + mine, "", 200},
		{"getReview", "official", "GET", "/v1/reviews/" + theirs, "", 403},
		{"takeReview", "official", "POST", "/v1/reviews/" + mine + "/take", "", 200},
		{"takeReview", "official", "POST", "/v1/reviews/" + theirs + "/take", "", 403},
		{"takeReview", "admin", "POST", "/v1/reviews/" + mine + "/take", "", 409}, // the official has it
		{"releaseReview", "official", "POST", "/v1/reviews/" + mine + "/release", "", 204},
		{"releaseReview", "official", "POST", "/v1/reviews/" + theirs + "/release", "", 403},
		{"decideReview", "official", "POST", "/v1/reviews/" + theirs + "/decision", `{"outcome":"approved"}`, 403},
		{"decideReview", "official", "POST", "/v1/reviews/" + mine + "/decision", `{"outcome":"rejected"}`, 400},              // no reason
		{"approveReviews", "official", "POST", "/v1/reviews:approve", `{"items":[{"id":"` + theirs + `","version":1}]}`, 200}, // which approves none; see TestBulkApproval
		{"suspendListing", "official", "POST", "/v1/listings/" + theirs + "/suspension", `{"reasons":["incorrect"]}`, 403},
		{"unsuspendListing", "official", "DELETE", "/v1/listings/" + theirs + "/suspension", "", 403},
		{"mergeListing", "official", "POST", "/v1/listings/" + theirs + "/merge", `{"into":"` + mine + `"}`, 403},
		{"mergeListing", "official", "POST", "/v1/listings/" + mine + "/merge", `{"into":"` + theirs + `"}`, 403},
		{"mergeListing", "official", "POST", "/v1/listings/" + mine + "/merge", `{"into":"` + mine + `"}`, 409},
		{"listRevisions", "owner", "GET", "/v1/listings/" + mine + "/revisions", "", 200},
		{"listRevisions", "owner", "GET", "/v1/listings/" + theirs + "/revisions", "", 403},
		{"restoreRevision", "official", "POST", "/v1/listings/" + theirs + "/revisions", `{"number":1}`, 403},
		{"listReports", "official", "GET", "/v1/reports", "", 200},
		{"decideReports", "official", "POST", "/v1/listings/" + theirs + "/reports/decision", `{"confirmed":true}`, 403},

		{"inviteToRate", "owner", "POST", "/v1/listings/" + mine + "/rating-invitations", `{"phone":"13800138000","served_on":"2026-11-20"}`, 201},
		{"inviteToRate", "owner", "POST", "/v1/listings/" + theirs + "/rating-invitations", `{"phone":"13800138000","served_on":"2026-11-20"}`, 403},
		{"listRatingInvitations", "owner", "GET", own + "/rating-invitations", "", 200},
		{"listRatingInvitations", "owner", "GET", others + "/rating-invitations", "", 403},
		{"listOrganizationRatings", "owner", "GET", own + "/ratings", "", 200},
		{"listOrganizationRatings", "owner", "GET", others + "/ratings", "", 403},
		{"replyRating", "staff", "PUT", ownRating + "/reply", `{"text":"谢谢"}`, 200},
		{"replyRating", "owner", "PUT", theirRating + "/reply", `{"text":"谢谢"}`, 403},
		{"removeReply", "owner", "DELETE", theirRating + "/reply", "", 403},
		{"removeReply", "owner", "DELETE", ownRating + "/reply", "", 204},
		{"listRatingQueue", "official", "GET", "/v1/rating-queue", "", 200},
		{"listRatingQueue", "owner", "GET", "/v1/rating-queue", "", 403},
		{"getRatingReview", "official", "GET", ownRating + "/review", "", 200},
		{"getRatingReview", "official", "GET", theirRating + "/review", "", 403},
		{"decideRating", "official", "POST", theirRating + "/decision", `{"state":"excluded","reason":"x"}`, 403},
		{"decideRating", "both", "POST", ownRating + "/decision", `{"state":"excluded"}`, 400},
		{"decideRating", "official", "POST", ownRating + "/decision", `{"state":"excluded","reason":"查实为虚假评价"}`, 200},

		{"listComplaintQueue", "official", "GET", "/v1/complaint-queue", "", 200},
		{"listComplaintQueue", "official", "GET", "/v1/complaint-queue?region=630202", "", 200},
		{"listComplaintQueue", "official", "GET", "/v1/complaint-queue?region=632700", "", 403},
		{"listComplaintQueue", "official", "GET", "/v1/complaint-queue?bureau=health", "", 403},
		{"listComplaintQueue", "owner", "GET", "/v1/complaint-queue", "", 403},
		{"listOrganizationComplaints", "owner", "GET", own + "/complaints", "", 200},
		{"listOrganizationComplaints", "owner", "GET", others + "/complaints", "", 403},
		{"answerComplaint", "owner", "POST", ownComplaint + "/answer", `{"text":"已核对"}`, 404}, // not accepted yet
		{"acceptComplaint", "market", "POST", ownComplaint + "/accept", "", 403},              // without the power
		{"acceptComplaint", "official", "POST", theirComplaint + "/accept", "", 404},
		{"acceptComplaint", "official", "POST", ownComplaint + "/accept", "", 200},
		{"answerComplaint", "owner", "POST", ownComplaint + "/answer", `{"text":"已核对"}`, 200},
		{"answerComplaint", "owner", "POST", theirComplaint + "/answer", `{"text":"已核对"}`, 404},
		{"refuseComplaint", "official", "POST", theirComplaint + "/refuse", `{"text":"无关"}`, 404},
		{"askComplaint", "official", "POST", theirComplaint + "/ask", `{"text":"何时"}`, 404},
		{"askComplaint", "official", "POST", ownComplaint + "/ask", `{"text":"何时"}`, 200},
		{"transferComplaint", "official", "POST", theirComplaint + "/transfer", `{"bureau":"civil_affairs","region":"630200","text":"无关"}`, 404},
		{"mediateComplaint", "official", "POST", theirComplaint + "/mediate", "", 404},
		{"resolveComplaint", "official", "POST", theirComplaint + "/resolve", `{"text":"已退款"}`, 404},
		{"failComplaint", "official", "POST", theirComplaint + "/fail", `{"text":"无果"}`, 404},
		{"closeComplaint", "official", "POST", theirComplaint + "/close", "", 404},
		{"handOverComplaint", "official", "POST", theirComplaint + "/hand-over", `{"reference":"16301002"}`, 404},
		{"markComplaintDuplicate", "official", "POST", theirComplaint + "/duplicate", `{"of":"` + strings.TrimPrefix(ownComplaint, "/v1/complaints/") + `"}`, 404},
		{"markComplaintDuplicate", "official", "POST", ownComplaint + "/duplicate", `{"of":"` + strings.TrimPrefix(theirComplaint, "/v1/complaints/") + `"}`, 400},
		{"redactComplaint", "official", "POST", theirComplaint + "/redact", `{"text":"略"}`, 404},
		{"redactComplaint", "official", "POST", ownComplaint + "/redact", `{"text":"略"}`, 200},
		{"transferComplaint", "official", "POST", ownComplaint + "/transfer", `{"bureau":"market_regulation","text":"价格"}`, 200},
		{"resolveComplaint", "official", "POST", ownComplaint + "/resolve", `{"text":"已退款"}`, 403}, // not theirs any more
		{"resolveComplaint", "admin", "POST", ownComplaint + "/resolve", `{"text":"已退款"}`, 200},

		{"getSatisfaction", "official", "GET", "/v1/stats/satisfaction?view=official&kind=elder_care&region=630202", "", 200},
		{"getSatisfaction", "official", "GET", "/v1/stats/satisfaction?view=official&kind=elder_care", "", 403},              // the province
		{"getSatisfaction", "official", "GET", "/v1/stats/satisfaction?view=official&kind=childcare&region=630202", "", 403}, // another bureau's
		{"getOverview", "official", "GET", "/v1/stats/overview?view=official&kind=elder_care&region=630202", "", 200},
		{"getOverview", "official", "GET", "/v1/stats/overview?view=official&kind=childcare&region=630202", "", 403},
		{"getChartSVG", "official", "GET", "/v1/stats/charts/shares.svg?view=official&kind=elder_care&region=630202", "", 200},
		{"getChartSVG", "official", "GET", "/v1/stats/charts/shares.svg?view=official&kind=childcare&region=630202", "", 403},
		{"getChartPNG", "official", "GET", "/v1/stats/charts/shares.png?view=official&kind=childcare&region=630202", "", 403},
		{"getChartPNG", "official", "GET", "/v1/stats/charts/shares.png?kind=childcare&region=630202", "", 200},
		{"getSatisfaction", "bureau", "GET", "/v1/stats/satisfaction?view=official&kind=childcare&region=630202", "", 200},  // the statistics bureau
		{"getSatisfaction", "market", "GET", "/v1/stats/satisfaction?view=official&kind=elder_care&region=630202", "", 403}, // without the power
		{"getSatisfaction", "market", "GET", "/v1/stats/satisfaction?kind=elder_care&region=630202", "", 200},
		{"getSatisfaction", "key", "GET", "/v1/stats/satisfaction?view=official&kind=elder_care&region=630202", "", 200},
		{"getSatisfaction", "key", "GET", "/v1/stats/satisfaction?view=official&kind=elder_care&region=630000", "", 403},

		{"createAPIKey", "official", "POST", "/v1/api-keys", newKey("civil_affairs", "630202"), 201},
		{"createAPIKey", "official", "POST", "/v1/api-keys", newKey("civil_affairs", "630000"), 403},
		{"createAPIKey", "official", "POST", "/v1/api-keys", newKey("civil_affairs", "632700"), 403},
		{"createAPIKey", "official", "POST", "/v1/api-keys", newKey("statistics", "630200"), 403},
		{"createAPIKey", "market", "POST", "/v1/api-keys", newKey("market_regulation", "630200"), 403}, // without the power
		{"createAPIKey", "publisher", "POST", "/v1/api-keys", newKey("civil_affairs", "630200"), 403},  // who may not read it
		{"createAPIKey", "key", "POST", "/v1/api-keys", newKey("civil_affairs", "630200"), 403},
		{"createAPIKey", "admin", "POST", "/v1/api-keys", newKey("statistics", "630000"), 201},
		{"listAPIKeys", "official", "GET", "/v1/api-keys", "", 200},
		{"listAPIKeys", "official", "GET", "/v1/api-keys?region=630202", "", 200},
		{"listAPIKeys", "official", "GET", "/v1/api-keys?region=632700", "", 403},
		{"listAPIKeys", "official", "GET", "/v1/api-keys?bureau=health", "", 403},
		{"listAPIKeys", "key", "GET", "/v1/api-keys", "", 403},
		{"revokeAPIKey", "official", "DELETE", keyOf(directory.CivilAffairs, "630000"), "", 404},
		{"revokeAPIKey", "official", "DELETE", keyOf(directory.Health, "630200"), "", 404},
		{"revokeAPIKey", "official", "DELETE", keyOf(directory.CivilAffairs, "630202"), "", 204},
		{"revokeAPIKey", "admin", "DELETE", keyOf(directory.Statistics, "630000"), "", 204},
		{"exportRatings", "official", "GET", export(directory.ElderCareKind, "630200"), "", 200},
		{"exportRatings", "official", "GET", export(directory.ElderCareKind, "630202"), "", 200},
		{"exportRatings", "official", "GET", export(directory.ElderCareKind, "630000"), "", 403},
		{"exportRatings", "official", "GET", export(directory.BrandKind, "630200"), "", 403},
		{"exportRatings", "market", "GET", export(directory.ElderCareKind, "630200"), "", 403},
		{"exportRatings", "statistics", "GET", export(directory.ElderCareKind, "632700"), "", 200},
		{"exportRatings", "statistics", "GET", export(directory.BrandKind, "632701"), "", 200},
		{"exportRatings", "statistics", "GET", export(directory.BrandKind, "630200"), "", 403},
		{"exportRatings", "key", "GET", export(directory.ElderCareKind, "630200"), "", 200},
		{"exportRatings", "key", "GET", export(directory.BrandKind, "630200"), "", 403},
		{"exportRatings", "key", "GET", export(directory.ElderCareKind, "630000"), "", 403},
		{"exportRatings", "admin", "GET", export(directory.StreetKind, "630000"), "", 200},

		{"listReturns", "official", "GET", "/v1/stats/forms/elder_care/returns", "", 200},
		{"listReturns", "official", "GET", "/v1/stats/forms/elder_care/returns?region=632700", "", 403},
		{"listReturns", "official", "GET", "/v1/stats/forms/childcare/returns", "", 403}, // of another bureau
		{"listReturns", "both", "GET", "/v1/stats/forms/childcare/returns", "", 403},     // without the power
		{"listReturns", "owner", "GET", "/v1/stats/forms/elder_care/returns", "", 403},
		{"listMissingReturns", "official", "GET", "/v1/stats/returns:missing?form=county_civil_affairs", "", 200},
		{"listMissingReturns", "official", "GET", "/v1/stats/returns:missing?form=county_health", "", 403},
		{"listMissingReturns", "official", "GET", "/v1/stats/returns:missing?form=elder_care&region=632701", "", 403},
		{"getReturn", "owner", "GET", ownReturn, "", 200},
		{"getReturn", "official", "GET", ownReturn, "", 200},
		{"getReturn", "owner", "GET", theirReturn, "", 404},
		{"getReturn", "official", "GET", theirReturn, "", 404},
		{"getReturn", "admin", "GET", theirReturn, "", 200},
		{"saveReturn", "staff", "PUT", ownReturn, elderReturn, 200},
		{"saveReturn", "owner", "PUT", theirReturn, elderReturn, 404},
		{"saveReturn", "official", "PUT", ownReturn, elderReturn, 403},
		{"saveReturn", "admin", "PUT", ownReturn, elderReturn, 403},
		{"saveReturn", "official", "PUT", "/v1/stats/returns/county_civil_affairs/2026-10/630202", countyReturn, 412}, // there is none yet
		{"saveReturn", "official", "PUT", "/v1/stats/returns/county_civil_affairs/2026-10/632701", countyReturn, 404},
		{"saveReturn", "official", "PUT", "/v1/stats/returns/county_health/2026-10/630202", `{"values":{"families":9,"families_guided":9},"evidence":"无"}`, 404},
		{"saveReturn", "owner", "PUT", "/v1/stats/returns/county_civil_affairs/2026-10/630202", countyReturn, 404},
		{"approveReturn", "owner", "POST", ownReturn + "/approval", "", 403},
		{"approveReturn", "both", "POST", theirReturn + "/approval", "", 404},
		{"approveReturn", "official", "POST", ownReturn + "/approval", "", 200},
		{"sendBackReturn", "official", "POST", theirReturn + "/return", `{"reason":"有误"}`, 404},
		{"sendBackReturn", "official", "POST", ownReturn + "/return", `{"reason":"有误"}`, 409},
		{"listOrganizationReturns", "owner", "GET", own + "/returns", "", 200},
		{"listOrganizationReturns", "owner", "GET", others + "/returns", "", 403},

		{"makeBulletin", "official", "POST", "/v1/stats/bulletins", `{"period":"2024-01"}`, 403}, // of another bureau and a prefecture
		{"makeBulletin", "bureau", "POST", "/v1/stats/bulletins", `{"period":"2024-01"}`, 403},   // without the power
		{"makeBulletin", "publishing", "POST", "/v1/stats/bulletins", `{"period":"2024-01"}`, 201},
		{"makeBulletin", "admin", "POST", "/v1/stats/bulletins", `{"period":"2024-02"}`, 201},
		{"listBulletins", "publishing", "GET", "/v1/stats/bulletins?state=draft", "", 200},
		{"listBulletins", "bureau", "GET", "/v1/stats/bulletins?state=draft", "", 403}, // of a prefecture
		{"listBulletins", "official", "GET", "/v1/stats/bulletins?state=draft", "", 403},
		{"listBulletins", "owner", "GET", "/v1/stats/bulletins", "", 200},
		{"getBulletin", "publishing", "GET", "/v1/stats/bulletins/2024-01.1", "", 200},
		{"getBulletin", "official", "GET", "/v1/stats/bulletins/2024-01.1", "", 404},
		{"getBulletinContent", "publishing", "GET", "/v1/stats/bulletins/2024-01/content", "", 200},
		{"getBulletinContent", "owner", "GET", "/v1/stats/bulletins/2024-01/content", "", 404},
		{"publishBulletin", "official", "POST", "/v1/stats/bulletins/2024-01.1/publication", `{"content_sha256":"` + strings.Repeat("a", 64) + `"}`, 403},
		{"publishBulletin", "publishing", "POST", "/v1/stats/bulletins/2024-01.1/publication", `{"content_sha256":"` + strings.Repeat("a", 64) + `"}`, 412},
		{"discardBulletin", "official", "DELETE", "/v1/stats/bulletins/2024-01.1", "", 403},
		{"discardBulletin", "publishing", "DELETE", "/v1/stats/bulletins/2024-01.1", "", 204},
	} {
		tested[tc.operation] = true
		headers := append([]string{"If-Match", "*"}, callers[tc.caller]...)
		if tc.operation == "createImport" {
			headers = append(headers, "Content-Type", "text/csv")
		}
		a := f.request(t, tc.method, tc.path, tc.body, headers...)
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
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	page := string(newFixture(t, nil).get(t, "/docs/permissions.html").body)
	for _, r := range (&api{}).routes() {
		op := doc.Paths.Value(r.path).GetOperation(r.method)
		if got := op.Extensions["x-permission"]; got != who(r.permission) {
			t.Errorf("%s: the contract says %v, the table %q", r.operation, got, who(r.permission))
		}
		if secured := op.Security != nil && len(*op.Security) > 0; secured != r.permission.AsksWho() {
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
