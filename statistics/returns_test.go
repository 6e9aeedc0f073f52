package statistics

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// october is the month that these tests report; it ends on a Saturday, and the 8th of
// November is a Sunday.
const october directory.Month = 202610

// returnReporters and returnDeciders are the permissions of the operations.
var (
	returnReporters = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Staff, directory.Official, directory.Admin}, Power: directory.StatisticsPower}
	returnDeciders  = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.StatisticsPower}
)

// returnsFixture has people with roles besides.
type returnsFixture struct {
	*fixture
	people int
}

func newReturnsFixture(t *testing.T, at time.Time) *returnsFixture {
	t.Helper()
	f := newFixture(t)
	f.clock.To(at)
	return &returnsFixture{fixture: f}
}

func november(day, hour int) time.Time {
	return time.Date(2026, 11, day, hour, 0, 0, 0, directory.Shanghai)
}

// person is a caller with a grant, who has shown a second factor.
func (f *returnsFixture) person(g directory.Grant) directory.Caller {
	f.t.Helper()
	f.people++
	g, _, err := f.Auth.Grant(f.t.Context(), directory.Caller{}, fmt.Sprintf("1390000%04d", f.people), g, f.Regions, auth.Client{})
	f.fatal(err)
	return directory.Caller{Account: g.Account, Grants: []directory.Grant{g}, SecondFactor: true}
}

func (f *returnsFixture) official(bureau directory.Bureau, region string) directory.Caller {
	f.t.Helper()
	return f.person(directory.Grant{Role: directory.Official, Bureau: bureau, Region: region, Powers: []directory.Power{directory.StatisticsPower}})
}

// firm is an organization with an owner.
func (f *returnsFixture) firm() (string, directory.Caller) {
	f.t.Helper()
	id, err := f.newID()
	f.fatal(err)
	f.people++
	_, err = f.Store.Organizations.Insert(f.t.Context(), directory.Organization{
		ID: id, CreditCode: directory.CreditCode(fmt.Sprintf("91630202%010d", f.people)), LegalName: "湟水养老服务有限公司", Region: "630202",
		ContactName: "甲", State: directory.OrganizationVerified, CreatedAt: f.now(), UpdatedAt: f.now(),
	})
	f.fatal(err)
	return id, f.person(directory.Grant{Role: directory.Owner, Organization: id})
}

// home is a published home of an organization, in the directory since September.
func (f *returnsFixture) home(organization, region, name string) directory.ReturnKey {
	f.t.Helper()
	f.clock.Advance(time.Millisecond) // so that the order of ids is that of the calls
	id, err := f.newID()
	f.fatal(err)
	since := directory.Month(202609).Begins()
	_, err = f.Store.Listings.Insert(f.t.Context(), directory.Listing{
		ID: id, Kind: directory.ElderCareKind, Names: directory.Names{Zh: name}, OrganizationID: organization, Region: region, Status: directory.Published,
		Categories: []string{"nursing_home"}, CreatedAt: since, UpdatedAt: since,
	})
	f.fatal(err)
	return directory.ReturnKey{Form: directory.ElderCareForm, Month: october, Subject: id}
}

// filled is a form of elder care without fault.
func filled(total, residents int64) directory.ReturnContent {
	return directory.ReturnContent{Values: map[string]int64{
		"beds_total": total, "beds_nursing": total / 2, "beds_socially_run": 0, "residents": residents, "staff": 20, "staff_nursing": 10,
	}}
}

func (f *returnsFixture) steps(key directory.ReturnKey) int {
	f.t.Helper()
	doc, err := f.Store.Returns.Get(f.t.Context(), key.ID())
	if directory.KindOf(err) == directory.NotFound {
		return 0
	}
	f.fatal(err)
	return doc.Value.Steps()
}

// save submits a return in the version that is there.
func (f *returnsFixture) save(caller directory.Caller, key directory.ReturnKey, content directory.ReturnContent) (directory.Return, error) {
	f.t.Helper()
	r, _, err := f.SaveReturn(f.t.Context(), caller, returnReporters, key, content, f.steps(key))
	return r, err
}

func (f *returnsFixture) saved(caller directory.Caller, key directory.ReturnKey, content directory.ReturnContent) directory.Return {
	f.t.Helper()
	r, err := f.save(caller, key, content)
	f.fatal(err)
	return r
}

func (f *returnsFixture) decide(caller directory.Caller, key directory.ReturnKey, outcome directory.ReturnState, reason string) error {
	f.t.Helper()
	_, err := f.DecideReturn(f.t.Context(), caller, returnDeciders, key, outcome, reason, f.steps(key), auth.Client{})
	return err
}

// sums fails unless the reported figures of a region are these.
func (f *returnsFixture) sums(form, region string, n, expected int, want map[string]int64) {
	f.t.Helper()
	all, err := f.Reported(f.t.Context(), form, october, region)
	f.fatal(err)
	got := all[0]
	for code, v := range want {
		if got.Sums[code] != v {
			f.t.Errorf("%s of %s is %d, want %d", code, region, got.Sums[code], v)
		}
	}
	if got.Approved != n || got.Expected != expected || got.Latest.IsZero() != (n == 0) {
		f.t.Errorf("%s of %s: %d of %d up to %s, want %d of %d", form, region, got.Approved, got.Expected, got.Latest, n, expected)
	}
}

// inbox returns the kinds of messages in somebody's inbox, each with the parameters named.
func (f *returnsFixture) inbox(caller directory.Caller, params ...string) (out []string) {
	f.t.Helper()
	docs, err := f.Store.Notifications.All(f.t.Context(), store.Where(store.Equal("account", caller.Account)))
	f.fatal(err)
	for _, d := range docs {
		if d.Value.Kind == directory.NoteGranted {
			continue
		}
		line := string(d.Value.Kind)
		for _, p := range params {
			line += " " + d.Value.Params[p]
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

// told fails unless somebody's inbox holds exactly these lines of [returnsFixture.inbox].
func (f *returnsFixture) told(who string, caller directory.Caller, params []string, want ...string) {
	f.t.Helper()
	slices.Sort(want)
	if got := f.inbox(caller, params...); !slices.Equal(got, want) {
		f.t.Errorf("%s was told %q, want %q", who, got, want)
	}
}

func (f *returnsFixture) is(what string, err error, want directory.ErrorKind) {
	f.t.Helper()
	if directory.KindOf(err) != want || err != nil && want == "" {
		f.t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// TestCorrectionKeepsApprovedFigures: submitted, returned, submitted, approved,
// corrected, and the correction approved.
func TestCorrectionKeepsApprovedFigures(t *testing.T) {
	f := newReturnsFixture(t, november(3, 9))
	firm, owner := f.firm()
	key := f.home(firm, "630202001", "湟水养老院")
	county, above := f.official(directory.CivilAffairs, "630202"), f.official(directory.CivilAffairs, "630000")
	f.sums(directory.ElderCareForm, "630000", 0, 1, nil)

	r := f.saved(owner, key, filled(100, 80))
	if r.Late || r.Region != "630202001" || r.Organization != firm || r.Bureau != directory.CivilAffairs {
		t.Errorf("%+v", r)
	}
	f.sums(directory.ElderCareForm, "630000", 0, 1, nil) // nobody has approved it
	insider := county
	insider.Grants = append(slices.Clone(county.Grants), owner.Grants...)
	f.is("an official of the firm", f.decide(insider, key, directory.ReturnApproved, ""), directory.Forbidden)
	f.is("the owner", f.decide(owner, key, directory.ReturnApproved, ""), directory.NotFound)
	f.is("another bureau", f.decide(f.official(directory.Health, "630000"), key, directory.ReturnApproved, ""), directory.NotFound)
	f.is("statistics", f.decide(f.official(directory.Statistics, "630000"), key, directory.ReturnApproved, ""), directory.Forbidden)
	f.is("without a reason", f.decide(county, key, directory.ReturnReturned, ""), directory.Invalid)
	f.is("sending back", f.decide(county, key, directory.ReturnReturned, "床位与核定数不符"), "")
	f.told("the owner", owner, []string{"name", "month", "reason"}, "return_returned 湟水养老院 2026-10 床位与核定数不符")
	f.fatal(f.Sweep(t.Context()))
	f.told("the owner, later", owner, nil, "return_returned", "returns_open")

	f.saved(owner, key, filled(90, 80))
	f.is("approving", f.decide(county, key, directory.ReturnApproved, ""), "")
	f.is("approving twice", f.decide(above, key, directory.ReturnApproved, ""), directory.Conflict)
	f.sums(directory.ElderCareForm, "630202", 1, 1, map[string]int64{"beds_total": 90, "residents": 80, "staff": 20})
	f.sums(directory.ElderCareForm, "632700", 0, 0, map[string]int64{"beds_total": 0})

	_, err := f.save(owner, key, filled(120, 80))
	f.is("a correction without a reason", err, directory.Invalid)
	correction := filled(120, 80)
	correction.Reason = "新楼启用"
	f.saved(owner, key, correction)
	f.sums(directory.ElderCareForm, "630202", 1, 1, map[string]int64{"beds_total": 90})
	f.is("sending the correction back", f.decide(above, key, directory.ReturnReturned, "无依据"), "")
	f.sums(directory.ElderCareForm, "630202", 1, 1, map[string]int64{"beds_total": 90})
	correction.Evidence = "青民养〔2026〕9号"
	f.saved(owner, key, correction)
	f.is("approving the correction", f.decide(above, key, directory.ReturnApproved, ""), "")
	f.sums(directory.ElderCareForm, "630202", 1, 1, map[string]int64{"beds_total": 120})

	// What was approved still counts when the home is gone; then nobody reports it.
	_, err = f.Store.Listings.Update(t.Context(), key.Subject, func(l *directory.Listing) error { l.Status = directory.Archived; return nil })
	f.fatal(err)
	f.sums(directory.ElderCareForm, "630202", 1, 1, map[string]int64{"beds_total": 120})
	_, err = f.save(owner, key, correction)
	f.is("of a home that is gone", err, directory.NotFound)

	log, err := f.Store.Audit.All(t.Context(), store.Where(store.Equal("action", string(directory.AuditReturn))))
	f.fatal(err)
	noted := map[string]int{}
	for _, e := range log {
		noted[e.Value.Detail+" "+e.Value.Subject]++
	}
	if !maps.Equal(noted, map[string]int{"returned " + key.ID(): 2, "approved " + key.ID(): 2}) {
		t.Errorf("the audit log has %v", noted)
	}
}

// TestReturnsAreComparedWithTheMonthBefore, also before anybody has approved it.
func TestReturnsAreComparedWithTheMonthBefore(t *testing.T) {
	f := newReturnsFixture(t, november(3, 9))
	firm, owner := f.firm()
	key := f.home(firm, "630202", "湟水养老院")
	september := key
	september.Month = 202609
	f.saved(owner, september, filled(100, 80))
	if r := f.saved(owner, september, filled(100, 70)); !r.Late {
		t.Error("September is not late")
	}
	wrong := func(want ...string) {
		t.Helper()
		var got []string
		_, err := f.TryReturn(t.Context(), owner, returnReporters, key, filled(100, 40))
		if e, ok := err.(*directory.Error); ok {
			for _, field := range e.Fields {
				got = append(got, field.String())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	wrong("/explanations/residents required (70)")
	f.is("sending September back", f.decide(f.official(directory.CivilAffairs, "630200"), september, directory.ReturnReturned, "x"), "")
	wrong()
	if f.steps(key) != 0 {
		t.Error("trying has stored something")
	}
	key.Month = 202611
	wrong("month too_large (2026-10)")
	_, _, err := f.SaveReturn(t.Context(), owner, returnReporters, key, directory.ReturnContent{}, 0)
	if e, ok := err.(*directory.Error); !ok || len(e.Fields) != 7 || e.Fields[0].Parameter != "month" {
		t.Errorf("everything at once: %v", err)
	}
}

// TestReturnDeadlineOverAWeekend: the 8th is a Sunday.
func TestReturnDeadlineOverAWeekend(t *testing.T) {
	f := newReturnsFixture(t, november(9, 23))
	firm, owner := f.firm()
	first, second := f.home(firm, "630202", "甲"), f.home(firm, "630202", "乙")
	official := f.official(directory.CivilAffairs, "630200")
	if f.saved(owner, first, filled(10, 1)).Late {
		t.Error("it is late on the last day")
	}
	f.clock.To(november(10, 0))
	if !f.saved(owner, second, filled(10, 1)).Late {
		t.Error("it is not late after the last day")
	}
	c, err := f.MissingReturns(t.Context(), official, returnDeciders, mustForm(t, directory.ElderCareForm), october, "")
	f.fatal(err)
	if !c.Deadline.Equal(november(10, 0)) || c.Expected != 2 || c.Submitted != 2 || c.Late != 1 || len(c.Missing) != 0 {
		t.Errorf("%+v", c)
	}
}

func mustForm(t *testing.T, code string) *directory.ReturnForm {
	t.Helper()
	form, err := directory.ReturnFormOf(code)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestReturnsOfCounties(t *testing.T) {
	f := newReturnsFixture(t, november(3, 9))
	county, prefecture, other := f.official(directory.Health, "630202"), f.official(directory.Health, "630200"), f.official(directory.Health, "630200")
	key := directory.ReturnKey{Form: directory.CountyHealthForm, Month: october, Subject: "630202"}
	content := directory.ReturnContent{Values: map[string]int64{"families": 900, "families_guided": 860}, Evidence: "乐卫健〔2026〕31号"}
	_, err := f.save(f.official(directory.CivilAffairs, "630202"), key, content)
	f.is("another bureau", err, directory.NotFound)
	_, err = f.save(f.official(directory.Statistics, "630202"), key, content)
	f.is("the bureau of statistics", err, directory.Forbidden)
	elsewhere := key
	elsewhere.Subject = "630200"
	_, err = f.save(prefecture, elsewhere, content)
	f.is("a prefecture", err, directory.NotFound)

	f.saved(county, key, content)
	f.is("the county approves", f.decide(county, key, directory.ReturnApproved, ""), directory.Forbidden)
	f.is("a colleague of the county", f.decide(f.official(directory.Health, "630202"), key, directory.ReturnApproved, ""), directory.Forbidden)
	f.is("the prefecture", f.decide(prefecture, key, directory.ReturnReturned, "请核对"), "")
	f.told("the county", county, []string{"name", "reason"}, "return_returned 乐都区 请核对")
	f.saved(prefecture, key, content) // in the county's place
	f.is("who has submitted it", f.decide(prefecture, key, directory.ReturnApproved, ""), directory.Forbidden)
	f.is("another official", f.decide(other, key, directory.ReturnApproved, ""), "")
	f.sums(directory.CountyHealthForm, "630000", 1, 45, map[string]int64{"families": 900, "families_guided": 860})
	f.sums(directory.CountyHealthForm, "630202", 1, 1, map[string]int64{"families": 900})

	// Who is missing, as far as each sees it.
	for who, tt := range map[string]struct {
		caller directory.Caller
		region string
		want   int
	}{
		"the prefecture": {prefecture, "", 5}, "the county": {county, "", 0}, "the province": {f.official(directory.Health, "630000"), "", 44},
		"statistics": {f.official(directory.Statistics, "630000"), "630200", 5}, "an admin": {f.person(directory.Grant{Role: directory.Admin}), "", 44},
	} {
		c, err := f.MissingReturns(t.Context(), tt.caller, returnDeciders, mustForm(t, directory.CountyHealthForm), october, tt.region)
		f.fatal(err)
		if len(c.Missing) != tt.want || c.Approved != 1 || c.Expected != tt.want+1 {
			t.Errorf("%s: %d of %d are missing", who, len(c.Missing), c.Expected)
		}
	}
	for who, caller := range map[string]directory.Caller{"another bureau": f.official(directory.Commerce, "630000"), "another region": f.official(directory.Health, "632700")} {
		_, err := f.MissingReturns(t.Context(), caller, returnDeciders, mustForm(t, directory.CountyHealthForm), october, "630202")
		f.is(who, err, directory.Forbidden)
		_, _, err = f.Returns(t.Context(), caller, returnDeciders, mustForm(t, directory.CountyHealthForm), ReturnFilter{Region: "630202"}, 10, nil)
		f.is(who, err, directory.Forbidden)
	}
}

// TestReturnsByPages reads the returns of an official with two regions.
func TestReturnsByPages(t *testing.T) {
	f := newReturnsFixture(t, november(3, 9))
	firm, owner := f.firm()
	want := map[string]bool{}
	for i := range 9 {
		key := f.home(firm, []string{"630202", "630102", "632701"}[i%3], fmt.Sprint(i))
		key.Month = []directory.Month{202609, 202610}[i%2]
		f.saved(owner, key, filled(10, 1))
		want[key.ID()] = i%3 != 2
	}
	maps.DeleteFunc(want, func(_ string, visible bool) bool { return !visible })
	official := f.official(directory.CivilAffairs, "630202")
	more := f.official(directory.CivilAffairs, "630100")
	official.Grants = append(official.Grants, more.Grants...)
	form := mustForm(t, directory.ElderCareForm)
	var after *store.Position
	var months []directory.Month
	for {
		docs, next, err := f.Returns(t.Context(), official, returnDeciders, form, ReturnFilter{State: directory.ReturnSubmitted}, 2, after)
		f.fatal(err)
		for _, d := range docs {
			if !want[d.Value.ID()] {
				t.Errorf("%s stands there, or twice", d.Value.ID())
			}
			delete(want, d.Value.ID())
			months = append(months, d.Value.Month)
		}
		if after = next; next == nil {
			break
		}
	}
	if len(want) > 0 || !slices.IsSortedFunc(months, func(a, b directory.Month) int { return int(b - a) }) {
		t.Errorf("%v are missing; months %v", want, months)
	}
	docs, _, err := f.Returns(t.Context(), official, returnDeciders, form, ReturnFilter{Month: october, Region: "630102"}, 10, nil)
	f.fatal(err)
	own, _, failure := f.ReturnsOf(t.Context(), firm, "", 5, nil)
	f.fatal(failure)
	if len(docs) != 2 || len(own) != 5 || own[0].Value.Month != october || own[4].Value.Month != 202609 {
		t.Errorf("%d of a month and region; of the firm %+v", len(docs), own)
	}
}

// TestReturnsAtOnce: of those who save or decide about the same version, one succeeds.
func TestReturnsAtOnce(t *testing.T) {
	f := newReturnsFixture(t, november(3, 9))
	firm, owner := f.firm()
	key := f.home(firm, "630202", "湟水养老院")
	race := func(what string, n int, want directory.ErrorKind, act func(i int) error) {
		t.Helper()
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { errs[i] = act(i) })
		}
		wg.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else if directory.KindOf(err) != want {
				t.Errorf("%s: %v", what, err)
			}
		}
		if good != 1 {
			t.Errorf("%s: %d have succeeded", what, good)
		}
	}
	race("the first save", 8, directory.Precondition, func(i int) error {
		_, _, err := f.SaveReturn(t.Context(), owner, returnReporters, key, filled(100, int64(i)), 0)
		return err
	})
	race("the next save", 8, directory.Precondition, func(i int) error {
		_, _, err := f.SaveReturn(t.Context(), owner, returnReporters, key, filled(90, int64(i)), 1)
		return err
	})
	officials := []directory.Caller{f.official(directory.CivilAffairs, "630202"), f.official(directory.CivilAffairs, "630000")}
	race("the decision", 2, directory.Precondition, func(i int) error {
		outcome := []directory.ReturnState{directory.ReturnApproved, directory.ReturnReturned}[i]
		_, err := f.DecideReturn(t.Context(), officials[i], returnDeciders, key, outcome, "有误", 2, auth.Client{})
		return err
	})
	doc, err := f.Store.Returns.Get(t.Context(), key.ID())
	f.fatal(err)
	if r := doc.Value; len(r.Versions) != 2 || r.Steps() != 3 || r.Versions[0].State != directory.ReturnReplaced || r.Last().Decision == nil {
		t.Errorf("%+v", r)
	}
}

// TestReturnReminders moves the clock through a month on several servers at once.
func TestReturnReminders(t *testing.T) {
	f := newReturnsFixture(t, time.Date(2026, 10, 15, 9, 0, 0, 0, directory.Shanghai))
	firm, owner := f.firm()
	first, second, third := f.home(firm, "630202", "甲"), f.home(firm, "630202", "乙"), f.home(firm, "630222", "丙")
	_, other := f.firm() // which has nothing to report
	county, prefecture := f.official(directory.CivilAffairs, "630202"), f.official(directory.CivilAffairs, "630200")
	health := f.official(directory.Health, "630200")
	commerce := f.person(directory.Grant{Role: directory.Official, Bureau: directory.Commerce, Region: "630200", Powers: []directory.Power{directory.ReviewPower}})
	sweep := func() {
		t.Helper()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := f.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	// September, which has ended long ago: the stages before are left out.
	sweep()
	mine := []string{"name", "month", "n", "on"}
	want := []string{"returns_overdue 甲 2026-09 3 2026-10-08"}
	f.told("the owner", owner, mine, want...)
	f.told("health", health, []string{"form", "n"}, "returns_overdue county_health 6", "returns_missing county_health 6")

	f.clock.To(october.Ends().Add(-time.Second))
	sweep()
	f.told("before the month has ended", owner, mine, want...)
	f.clock.To(october.Ends())
	sweep()
	want = append(want, "returns_open 甲 2026-10 3 2026-11-09")
	f.told("when it has", owner, mine, want...)

	f.saved(owner, first, filled(10, 1))
	f.saved(owner, second, filled(10, 1))
	f.is("sending it back", f.decide(county, second, directory.ReturnReturned, "x"), "")
	want = append(want, "return_returned 乙 2026-10  ")
	f.clock.To(november(5, 0).Add(-time.Second))
	sweep()
	f.told("a second before the last three working days", owner, mine, want...)
	f.clock.To(november(5, 0))
	sweep()
	want = append(want, "returns_due 乙 2026-10 2 2026-11-09")
	f.told("when these begin", owner, mine, want...)

	f.clock.To(november(10, 0).Add(-time.Second))
	sweep()
	f.told("on the last day", owner, mine, want...)
	f.saved(owner, second, filled(10, 2))
	f.clock.To(november(10, 0))
	sweep()
	want = append(want, "returns_overdue 丙 2026-10 1 2026-11-09")
	f.told("after it", owner, mine, want...)
	f.clock.To(november(25, 0))
	sweep()
	f.told("much later", owner, mine, want...)
	f.told("who has nothing to report", other, nil)
	f.told("without the power", commerce, nil)

	// The county reports its own form, for the others the prefecture does; of elder care
	// each is told how many are missing in its region.
	f.told("the county", county, []string{"month", "form", "n", "region"},
		"returns_missing 2026-09 elder_care 2 630202",
		"returns_overdue 2026-09 county_civil_affairs 1 ", "returns_open 2026-10 county_civil_affairs 1 ",
		"returns_due 2026-10 county_civil_affairs 1 ", "returns_overdue 2026-10 county_civil_affairs 1 ")
	f.told("the prefecture", prefecture, []string{"month", "form", "n", "region"},
		"returns_missing 2026-09 elder_care 3 630200", "returns_missing 2026-09 county_civil_affairs 6 630200",
		"returns_overdue 2026-09 county_civil_affairs 5 ", "returns_open 2026-10 county_civil_affairs 5 ",
		"returns_due 2026-10 county_civil_affairs 5 ", "returns_overdue 2026-10 county_civil_affairs 5 ",
		"returns_missing 2026-10 elder_care 1 630200", "returns_missing 2026-10 county_civil_affairs 6 630200")
	if c, err := f.MissingReturns(t.Context(), prefecture, returnDeciders, mustForm(t, directory.ElderCareForm), october, ""); err != nil || len(c.Missing) != 1 || c.Missing[0].Subject != third.Subject {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestSweepTellsWhatACrashKept: the decision was stored, and then the server died.
func TestSweepTellsWhatACrashKept(t *testing.T) {
	f := newReturnsFixture(t, november(3, 9))
	firm, owner := f.firm()
	key := f.home(firm, "630202", "湟水养老院")
	f.saved(owner, key, filled(10, 1))
	_, err := f.Store.Returns.Update(t.Context(), key.ID(), func(r *directory.Return) error {
		return r.Decide(directory.ReturnReturned, directory.ReturnDecision{At: f.now(), Reason: "有误"})
	})
	f.fatal(err)
	steps := f.steps(key)
	for range 2 {
		f.fatal(f.Sweep(t.Context()))
		f.told("the owner", owner, []string{"reason"}, "return_returned 有误", "returns_open ")
	}
	doc, err := f.Store.Returns.Get(t.Context(), key.ID())
	f.fatal(err)
	if doc.Value.Untold || f.steps(key) != steps {
		t.Errorf("%+v", doc.Value)
	}
}
