package directory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// workweek is a calendar with the holidays around National Day 2026.
func workweek() *Calendar {
	days := map[Date]DayType{"2026-10-10": Workday}
	for d := 1; d <= 7; d++ {
		days[Date(fmt.Sprintf("2026-10-%02d", d))] = Holiday
	}
	days["2026-05-08"] = Holiday // invented: a Friday
	return NewCalendar(days)
}

func TestReturnTimes(t *testing.T) {
	cal := workweek()
	at := func(text string) time.Time {
		got, err := time.ParseInLocation("2006-01-02", text, Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		month              Month
		deadline, reminder string // the midnight after the last day, and when the last three working days begin
	}{
		{202606, "2026-07-09", "2026-07-06"}, // a Wednesday
		{202610, "2026-11-10", "2026-11-05"}, // a Sunday, so that Monday is the last day
		{202607, "2026-08-11", "2026-08-06"}, // a Saturday
		{202604, "2026-05-12", "2026-05-06"}, // a holiday before a weekend
		{202609, "2026-10-09", "2026-10-01"}, // three working days before begins before the month has ended
		{202612, "2027-01-09", "2027-01-06"}, // over the end of the year
	} {
		if got := ReturnDeadline(c.month, cal); !got.Equal(at(c.deadline)) {
			t.Errorf("%s is due %s, want %s", c.month, got.In(Shanghai), c.deadline)
		}
		if got := ReturnReminder(c.month, cal); !got.Equal(at(c.reminder)) {
			t.Errorf("%s is reminded of at %s, want %s", c.month, got.In(Shanghai), c.reminder)
		}
	}
}

func TestReturnMonths(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, Shanghai)
	for _, c := range []struct {
		month Month
		now   time.Time
		want  string
	}{
		{202610, now, ""},
		{202610, now.Add(-time.Nanosecond), "month too_large (2026-09)"},
		{202611, now, "month too_large (2026-10)"},
		{202411, now, ""},
		{202410, now, "month too_small (2024-11)"},
	} {
		got := ""
		var e *Error
		if errors.As(CheckReturnMonth(c.month, c.now), &e) {
			got = e.Fields[0].String()
		}
		if got != c.want {
			t.Errorf("%s at %s: %q, want %q", c.month, c.now, got, c.want)
		}
	}
}

func TestDeviates(t *testing.T) {
	for _, c := range []struct {
		value, before int64
		want          bool
	}{
		{100, 100, false},
		{130, 100, false}, // 30% exactly
		{131, 100, true},
		{70, 100, false},
		{69, 100, true},
		{5, 0, false}, // 5 exactly
		{6, 0, true},
		{0, 5, false}, {0, 6, true},
		{12, 7, false}, {13, 7, true}, // few
		{20, 20, false}, {26, 20, false}, {27, 20, true},
	} {
		if got := Deviates(c.value, c.before); got != c.want {
			t.Errorf("%d after %d: %t", c.value, c.before, got)
		}
	}
}

func formOf(t *testing.T, code string) *ReturnForm {
	t.Helper()
	f, err := ReturnFormOf(code)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// beds are the values of a home without fault.
func beds(change map[string]int64) map[string]int64 {
	v := map[string]int64{"beds_total": 100, "beds_nursing": 60, "beds_socially_run": 0, "residents": 80, "staff": 30, "staff_nursing": 20}
	maps.Copy(v, change)
	return v
}

func TestReturnCheck(t *testing.T) {
	elder, county := formOf(t, ElderCareForm), formOf(t, CountyHealthForm)
	without := beds(nil)
	delete(without, "staff")
	for name, c := range map[string]struct {
		form       *ReturnForm
		content    ReturnContent
		before     map[string]int64
		correction bool
		want       []string
	}{
		"right":                  {elder, ReturnContent{Values: beds(nil)}, nil, false, nil},
		"as before":              {elder, ReturnContent{Values: beds(nil)}, beds(nil), false, nil},
		"nothing":                {county, ReturnContent{}, nil, false, []string{"/values/families required", "/values/families_guided required", "/evidence required"}},
		"a field is missing":     {elder, ReturnContent{Values: without}, nil, false, []string{"/values/staff required"}},
		"negative and too large": {elder, ReturnContent{Values: beds(map[string]int64{"staff": -1, "beds_total": 1_000_001})}, nil, false, []string{"/values/beds_total too_large (1000000)", "/values/staff too_small (0)"}},
		"more than the whole":    {elder, ReturnContent{Values: beds(map[string]int64{"beds_nursing": 101, "residents": 200, "staff_nursing": 31})}, nil, false, []string{"/values/beds_nursing too_large (100)", "/values/residents too_large (100)", "/values/staff_nursing too_large (30)"}},
		"all of the whole":       {elder, ReturnContent{Values: beds(map[string]int64{"beds_nursing": 100, "residents": 100})}, nil, false, nil},
		"unknown": {elder, ReturnContent{Values: beds(map[string]int64{"a/b": 1}), Explanations: map[string]string{"z": "x"}}, nil, false,
			[]string{"/values/a~1b unknown_field", "/explanations/z unknown_field"}},
		"far from before": {elder, ReturnContent{Values: beds(nil)}, beds(map[string]int64{"beds_total": 300, "staff": 29}), false, []string{"/explanations/beds_total required (300)"}},
		"explained":       {elder, ReturnContent{Values: beds(nil), Explanations: map[string]string{"beds_total": "一栋楼在装修"}}, beds(map[string]int64{"beds_total": 300}), false, nil},
		"badly explained": {elder, ReturnContent{Values: beds(nil), Explanations: map[string]string{"beds_total": " \n"}}, beds(map[string]int64{"beds_total": 300}), false, []string{"/explanations/beds_total required (300)"}},
		"a correction":    {elder, ReturnContent{Values: beds(nil)}, nil, true, []string{"/reason required"}},
		"its reason":      {elder, ReturnContent{Values: beds(nil), Reason: "漏报一栋楼"}, nil, true, nil},
		"of a county":     {county, ReturnContent{Values: map[string]int64{"families": 10, "families_guided": 9}, Evidence: "卫健统2026-10"}, nil, false, nil},
	} {
		var got []string
		var e *Error
		if errors.As(c.form.Check(&c.content, c.before, c.correction), &e) {
			for _, f := range e.Fields {
				got = append(got, f.String())
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestReturnForms: what a form says of itself holds together.
func TestReturnForms(t *testing.T) {
	seen := map[string]bool{}
	for i := range ReturnForms {
		f := &ReturnForms[i]
		if seen[f.Code] || f.Names.En == "" || f.Policy == "" || f.Kind != "" && f.Bureau != BureauOf(f.Kind) {
			t.Errorf("%s: %+v", f.Code, f)
		}
		seen[f.Code] = true
		known := map[string]bool{}
		for _, field := range f.Fields {
			if known[field.Code] || field.Names.En == "" || field.Unit.Code == "" || field.AtMost != "" && !known[field.AtMost] {
				t.Errorf("%s.%s: %+v", f.Code, field.Code, field)
			}
			known[field.Code] = true
		}
	}
	if _, err := ReturnFormOf("x"); KindOf(err) != NotFound {
		t.Errorf("an unknown form: %v", err)
	}
}

func TestReporters(t *testing.T) {
	f := formOf(t, ElderCareForm)
	listing := func(change func(*Listing)) *Listing {
		l := &Listing{ID: "a", Kind: ElderCareKind, OrganizationID: "o", Region: "630202", Status: Published, CreatedAt: Month(202610).Ends().Add(-1)}
		change(l)
		return l
	}
	for name, c := range map[string]struct {
		listing          *Listing
		reports, expects bool
	}{
		"public":            {listing(func(*Listing) {}), true, true},
		"later":             {listing(func(l *Listing) { l.CreatedAt = Month(202610).Ends() }), true, false},
		"suspended":         {listing(func(l *Listing) { l.Status = Suspended }), true, false},
		"archived":          {listing(func(l *Listing) { l.Status = Archived }), false, false},
		"of nobody":         {listing(func(l *Listing) { l.OrganizationID = "" }), false, false},
		"of another kind":   {listing(func(l *Listing) { l.Kind = ChildcareKind }), false, false},
		"a draft":           {listing(func(l *Listing) { l.Status = Draft }), false, false},
		"not there, a zero": {&Listing{}, false, false},
	} {
		r, ok := f.ListingReporter(c.listing)
		if ok != c.reports || f.Expects(c.listing, 202610) != c.expects {
			t.Errorf("%s: reports %t, expected %t", name, ok, f.Expects(c.listing, 202610))
		}
		if ok && r.Scope() != (Scope{"o", CivilAffairs, "630202"}) {
			t.Errorf("%s: %+v", name, r.Scope())
		}
	}
	for _, reg := range []Region{{Code: "630202", Level: County}, {Code: "630200", Level: Prefecture}} {
		if _, ok := formOf(t, CountyHealthForm).CountyReporter(&reg); ok != (reg.Level == County) {
			t.Errorf("%s reports: %t", reg.Code, ok)
		}
		if _, ok := f.CountyReporter(&reg); ok {
			t.Errorf("%s reports the form of listings", reg.Code)
		}
	}
}

func TestReturnSteps(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	deadline := ReturnDeadline(202610, workweek())
	home := &Reporter{"a", Names{Zh: "甲"}, "o", CivilAffairs, "630202", false}
	key := ReturnKey{ElderCareForm, 202610, "a"}
	var r Return
	submit := func(change bool, residents int64, reason string) {
		t.Helper()
		changed, err := r.Submit(key, home, ReturnContent{Values: beds(map[string]int64{"residents": residents}), Reason: reason}, "ann", at, deadline)
		if err != nil || changed != change {
			t.Fatalf("submitting: %t, %v", changed, err)
		}
	}
	decide := func(outcome ReturnState, reason string, want ErrorKind) {
		t.Helper()
		before := slices.Clone(r.Versions)
		trial := r
		if err := trial.Decide(outcome, ReturnDecision{"ben", at, reason}); KindOf(err) != want {
			t.Fatalf("%s: %v, want %q", outcome, err, want)
		}
		if before[len(before)-1].State != r.State() {
			t.Fatal("a trial changes what it was made of")
		}
		r = trial
	}
	is := func(state ReturnState, steps int, approved, figures int64) {
		t.Helper()
		counts, compared := int64(-1), int64(-1)
		if v := r.Approved(); v != nil {
			counts = v.Values["residents"]
		}
		if v := r.Figures(); v != nil {
			compared = v["residents"]
		}
		if r.State() != state || r.Steps() != steps || counts != approved || compared != figures {
			t.Errorf("%s after %d steps, %d counts and %d is compared; want %s, %d, %d, %d", r.State(), r.Steps(), counts, compared, state, steps, approved, figures)
		}
	}
	submit(true, 80, "")
	is(ReturnSubmitted, 1, -1, 80)
	submit(false, 80, "") // an answer was lost
	submit(true, 81, "")
	is(ReturnSubmitted, 2, -1, 81)
	decide(ReturnReturned, " ", Invalid)
	decide(ReturnReturned, "与平台数据不符", "")
	is(ReturnReturned, 3, -1, -1)
	if !r.Untold || r.Reported() {
		t.Error("it came back, and nobody has to be told")
	}
	decide(ReturnApproved, "", Conflict)
	submit(true, 81, "") // the official was wrong
	decide(ReturnApproved, "", "")
	is(ReturnApproved, 5, 81, 81)
	submit(false, 81, "")
	submit(true, 82, "漏报")
	is(ReturnSubmitted, 6, 81, 81)
	decide(ReturnReturned, "无依据", "")
	is(ReturnReturned, 7, 81, 81)
	if !r.Reported() {
		t.Error("what was approved does not count as reported")
	}
	submit(true, 83, "漏报，见附件")
	decide(ReturnApproved, "", "")
	is(ReturnApproved, 9, 83, 83)
	if states := []ReturnState{r.Versions[0].State, r.Versions[1].State, r.Versions[2].State, r.Versions[3].State}; !slices.Equal(states, []ReturnState{ReturnReplaced, ReturnReturned, ReturnApproved, ReturnReturned}) {
		t.Errorf("the history is %v", states)
	}
	if r.Late {
		t.Error("it is late")
	}
	for i := int64(0); len(r.Versions) < maxReturnVersions; i++ {
		submit(true, i, "")
	}
	if _, err := r.Submit(key, home, ReturnContent{}, "ann", at, deadline); KindOf(err) != Conflict {
		t.Errorf("one version too many: %v", err)
	}

	for when, late := range map[time.Time]bool{deadline.Add(-1): false, deadline: true} {
		var r Return
		if _, err := r.Submit(key, home, ReturnContent{}, "ann", when, deadline); err != nil || r.Late != late {
			t.Errorf("at %s: late %t, %v", when, r.Late, err)
		}
	}
}

func TestWhoHandlesReturns(t *testing.T) {
	regions := testRegions(t)
	reporters := Permission{Roles: []Role{Owner, Staff, Official, Admin}, Power: StatisticsPower}
	deciders := Permission{Roles: []Role{Official, Admin}, Power: StatisticsPower}
	official := func(bureau Bureau, region string, powers ...Power) Grant {
		return Grant{Role: Official, Bureau: bureau, Region: region, Powers: powers}
	}
	home := Reporter{"a", Names{}, "o", CivilAffairs, "630102", false}
	county := Reporter{"630102", Names{}, "", CivilAffairs, "630102", false}
	returned := func(from Reporter) *Return {
		return &Return{Organization: from.Organization, Bureau: from.Bureau, Region: from.Region, Versions: []ReturnVersion{{SubmittedBy: "ann"}}}
	}
	type may struct{ read, report, decide bool }
	for name, c := range map[string]struct {
		account      string
		grants       []Grant
		home, county may
	}{
		"a stranger":               {"x", nil, may{}, may{}},
		"the owner":                {"x", []Grant{{Role: Owner, Organization: "o"}}, may{true, true, false}, may{}},
		"staff":                    {"x", []Grant{{Role: Staff, Organization: "o"}}, may{true, true, false}, may{}},
		"another owner":            {"x", []Grant{{Role: Owner, Organization: "p"}}, may{}, may{}},
		"the county":               {"x", []Grant{official(CivilAffairs, "630102", StatisticsPower)}, may{true, false, true}, may{true, true, false}},
		"the prefecture":           {"x", []Grant{official(CivilAffairs, "630100", StatisticsPower)}, may{true, false, true}, may{true, true, true}},
		"who has submitted":        {"ann", []Grant{official(CivilAffairs, "630100", StatisticsPower)}, may{true, false, false}, may{true, true, false}},
		"another region":           {"x", []Grant{official(CivilAffairs, "632800", StatisticsPower)}, may{}, may{}},
		"another bureau":           {"x", []Grant{official(Health, "630000", StatisticsPower)}, may{}, may{}},
		"the bureau of statistics": {"x", []Grant{official(Statistics, "630000", StatisticsPower)}, may{true, false, false}, may{true, false, false}},
		"without the power":        {"x", []Grant{official(CivilAffairs, "630100", ReviewPower)}, may{}, may{}},
		"an admin":                 {"x", []Grant{{Role: Admin}}, may{true, false, true}, may{true, true, true}},
		"an official of the firm":  {"x", []Grant{official(CivilAffairs, "630100", StatisticsPower), {Role: Staff, Organization: "o"}}, may{true, true, false}, may{true, true, true}},
		"an admin of the firm":     {"x", []Grant{{Role: Admin}, {Role: Staff, Organization: "o"}}, may{true, true, false}, may{true, true, true}},
		"an owner above":           {"x", []Grant{{Role: Owner, Organization: "p"}, official(CivilAffairs, "630102", StatisticsPower)}, may{true, false, true}, may{true, true, false}},
	} {
		caller := &Caller{Account: c.account, Grants: c.grants, SecondFactor: true}
		for _, tt := range []struct {
			what string
			form *ReturnForm
			from Reporter
			want may
		}{{"a home", formOf(t, ElderCareForm), home, c.home}, {"a county", formOf(t, CountyCivilForm), county, c.county}} {
			s := tt.from.Scope()
			got := may{MayReadReturns(caller, reporters, s, regions), tt.form.MayReport(caller, reporters, s, regions), returned(tt.from).MayDecide(caller, deciders, regions)}
			if got != tt.want {
				t.Errorf("%s, %s: %+v, want %+v", name, tt.what, got, tt.want)
			}
		}
	}
}
