package directory_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
)

const (
	firmID    = "01a192b0-7400-7000-8000-00000000000a"
	listingID = "01a192b0-7400-7000-8000-0000000000c1"
	twinID    = "01a192b0-7400-7000-8000-0000000000d2"
)

var (
	// filedAt is a Monday in November.
	filedAt   = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	evidence1 = strings.Repeat("1", 64)
	evidence2 = strings.Repeat("2", 64)
)

func divisions(t testing.TB) *directory.Regions {
	t.Helper()
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	return regions
}

// complaint is one that was just filed.
func complaint(cal *directory.Calendar) directory.Complaint {
	k := directory.Complaint{
		ID: "k", Account: "ann", Listing: listingID, Organization: firmID, Kind: directory.ElderCareKind, Subject: "price",
		Desk: directory.Desk{Bureau: directory.CivilAffairs, Region: "630202"}, Text: "多收了费", Evidence: []string{evidence1},
	}
	k.Begin(filedAt, cal)
	return k
}

// stepOf is a step with everything that it could need.
func stepOf(action directory.ComplaintAction, by directory.Side, at time.Time) directory.ComplaintStep {
	yes := true
	s := directory.ComplaintStep{
		Action: action, By: by, At: at, Text: "说明", Reference: "16301002", Of: twinID, Solved: &yes,
		To: directory.Desk{Bureau: directory.MarketRegulation},
	}
	if action == directory.StepSupply {
		s.Evidence = []string{evidence2}
	}
	return s
}

// paths lead to each state.
var paths = map[directory.ComplaintState][]string{
	directory.ComplaintFiled:      nil,
	directory.ComplaintAccepted:   {"accept official"},
	directory.ComplaintMediating:  {"accept official", "mediate official"},
	directory.ComplaintResolved:   {"accept official", "resolve official"},
	directory.ComplaintUnresolved: {"accept official", "fail official"},
	directory.ComplaintClosed:     {"accept official", "resolve official", "close official"},
	directory.ComplaintRefused:    {"refuse official"},
	directory.ComplaintWithdrawn:  {"withdraw resident"},
	directory.ComplaintHandedOver: {"hand_over official"},
	directory.ComplaintDuplicate:  {"mark_duplicate official"},
}

// complaintIn is a complaint in a state, an hour after it was filed.
func complaintIn(t testing.TB, cal *directory.Calendar, state directory.ComplaintState) directory.Complaint {
	t.Helper()
	k := complaint(cal)
	for _, step := range paths[state] {
		action, by, _ := strings.Cut(step, " ")
		if changed, err := k.Take(stepOf(directory.ComplaintAction(action), directory.Side(by), filedAt.Add(time.Hour)), cal); err != nil || !changed {
			t.Fatalf("%s on the way to %s: %t, %v", step, state, changed, err)
		}
	}
	if k.State != state {
		t.Fatalf("%s leads to %s", state, k.State)
	}
	return k
}

// possible is every step that can be taken, and where it leads.
var possible = map[string]directory.ComplaintState{
	"filed accept official": "accepted", "filed refuse official": "refused",
	"filed ask official": "filed", "accepted ask official": "accepted", "mediating ask official": "mediating",
	"filed supply resident": "filed", "accepted supply resident": "accepted", "mediating supply resident": "mediating",
	"accepted answer business": "accepted", "mediating answer business": "mediating",
	"filed transfer official": "filed", "accepted transfer official": "accepted", "mediating transfer official": "mediating",
	"accepted mediate official": "mediating",
	"accepted resolve official": "resolved", "mediating resolve official": "resolved",
	"accepted fail official": "unresolved", "mediating fail official": "unresolved",
	"resolved reopen resident": "accepted", "unresolved reopen resident": "accepted", "closed reopen resident": "accepted", "refused reopen resident": "filed",
	"resolved close official": "closed", "unresolved close official": "closed",
	"resolved close program": "closed", "unresolved close program": "closed",
	"filed withdraw resident": "withdrawn", "accepted withdraw resident": "withdrawn", "mediating withdraw resident": "withdrawn",
	"filed hand_over official": "handed_over", "accepted hand_over official": "handed_over", "mediating hand_over official": "handed_over",
	"unresolved hand_over official": "handed_over",
	"filed mark_duplicate official": "duplicate", "accepted mark_duplicate official": "duplicate", "mediating mark_duplicate official": "duplicate",
	"filed redact official": "filed", "accepted redact official": "accepted", "mediating redact official": "mediating",
	"resolved redact official": "resolved", "unresolved redact official": "unresolved", "closed redact official": "closed", "refused redact official": "refused",
	"withdrawn redact official": "withdrawn", "handed_over redact official": "handed_over", "duplicate redact official": "duplicate",
	"resolved confirm resident": "resolved", "unresolved confirm resident": "unresolved", "closed confirm resident": "closed",
}

// TestComplaintSteps takes every step in every state for every side, on the last day
// on which a complaint can be reopened and the first on which the clock closes it.
func TestComplaintSteps(t *testing.T) {
	cal := holidays(t)
	at := filedAt.Add(time.Hour + directory.ReopenTime)
	has := map[string]bool{} // an action and a side that have a part in each other
	for step := range possible {
		_, rest, _ := strings.Cut(step, " ")
		has[rest] = true
	}
	taken := 0
	for state := range paths {
		for _, action := range directory.ComplaintActions {
			for _, by := range []directory.Side{directory.ResidentSide, directory.BusinessSide, directory.OfficialSide, directory.ProgramSide} {
				k := complaintIn(t, cal, state)
				switch state {
				case directory.ComplaintResolved, directory.ComplaintUnresolved, directory.ComplaintClosed:
					k.Questionnaire = &directory.Questionnaire{AskedAt: at}
				}
				events := len(k.History)
				s := stepOf(action, by, at)
				s.Text = "再说明"
				name := fmt.Sprintf("%s %s %s", state, action, by)
				changed, err := k.Take(s, cal)
				switch to, may := possible[name]; {
				case may:
					taken++
					last := k.History[len(k.History)-1]
					if err != nil || !changed || k.State != to || len(k.History) != events+1 || last.Action != action || last.By != by || !last.At.Equal(at) {
						t.Errorf("%s: %s, %+v, %v", name, k.State, last, err)
					}
				case !has[fmt.Sprintf("%s %s", action, by)]:
					if directory.KindOf(err) != directory.Forbidden {
						t.Errorf("%s: %v", name, err)
					}
				default:
					if directory.KindOf(err) != directory.Conflict {
						t.Errorf("%s: %v", name, err)
					}
				}
				if _, may := possible[name]; !may && (k.State != state || len(k.History) != events) {
					t.Errorf("%s has left %s with %d events", name, k.State, len(k.History))
				}
			}
		}
	}
	if taken != len(possible) {
		t.Errorf("%d of %d steps were taken", taken, len(possible))
	}
}

// TestComplaintStepsAgain: what the resident and the firm have just said may come twice.
func TestComplaintStepsAgain(t *testing.T) {
	cal := holidays(t)
	no := false
	for _, tc := range []struct {
		state  directory.ComplaintState
		action directory.ComplaintAction
		by     directory.Side
		other  func(*directory.ComplaintStep) // makes another step of it
	}{
		{directory.ComplaintFiled, directory.StepSupply, directory.ResidentSide, func(s *directory.ComplaintStep) { s.Evidence = []string{strings.Repeat("3", 64)} }},
		{directory.ComplaintAccepted, directory.StepAnswer, directory.BusinessSide, func(s *directory.ComplaintStep) { s.Text = "再答复" }},
		{directory.ComplaintAccepted, directory.StepWithdraw, directory.ResidentSide, nil},
		{directory.ComplaintResolved, directory.StepReopen, directory.ResidentSide, nil},
		{directory.ComplaintResolved, directory.StepConfirm, directory.ResidentSide, func(s *directory.ComplaintStep) { s.Solved = &no }},
	} {
		k := complaintIn(t, cal, tc.state)
		k.Questionnaire = &directory.Questionnaire{AskedAt: filedAt}
		s := stepOf(tc.action, tc.by, filedAt.Add(2*time.Hour))
		if changed, err := k.Take(s, cal); !changed || err != nil {
			t.Fatalf("%s: %v", tc.action, err)
		}
		events := len(k.History)
		s.At = s.At.Add(time.Minute)
		if changed, err := k.Take(s, cal); changed || err != nil || len(k.History) != events {
			t.Errorf("%s again: %t, %v", tc.action, changed, err)
		}
		if tc.other != nil {
			tc.other(&s)
			if changed, err := k.Take(s, cal); !changed && err == nil {
				t.Errorf("%s with something else is taken for the same", tc.action)
			}
		}
	}
}

// what is the thing that an error is about.
func what(err error) string {
	if e, ok := err.(*directory.Error); ok {
		return e.What
	}
	return fmt.Sprint(err)
}

func TestComplaintIsReopened(t *testing.T) {
	cal := holidays(t)
	reopen := func(k *directory.Complaint, at time.Time) string {
		s := stepOf(directory.StepReopen, directory.ResidentSide, at)
		s.Text = at.String()
		_, err := k.Take(s, cal)
		return what(err)
	}
	settled := filedAt.Add(time.Hour)
	for _, state := range []directory.ComplaintState{directory.ComplaintResolved, directory.ComplaintUnresolved, directory.ComplaintClosed, directory.ComplaintRefused} {
		k := complaintIn(t, cal, state)
		if got := reopen(&k, settled.Add(directory.ReopenTime+time.Millisecond)); got != "reopen_time" {
			t.Errorf("%s, too late: %s", state, got)
		}
		at := settled.Add(directory.ReopenTime)
		if got := reopen(&k, at); got != "<nil>" {
			t.Fatalf("%s: %s", state, got)
		}
		want, due := directory.ComplaintAccepted, cal.AddWorkdays(at, directory.SettleWorkdays)
		if state == directory.ComplaintRefused {
			want, due = directory.ComplaintFiled, cal.AddWorkdays(at, directory.AcceptWorkdays)
		}
		if k.State != want || !k.DueAt().Equal(due) || k.Outcome != "" || k.SettledAt != nil || k.Days != 0 {
			t.Errorf("%s reopened: %s, due %s, %+v", state, k.State, k.DueAt(), k)
		}
	}

	// Twice, and not a third time.
	k := complaintIn(t, cal, directory.ComplaintResolved)
	at := settled
	for n := range 3 {
		at = at.Add(time.Hour)
		want := "<nil>"
		if n == 2 {
			want = "reopened"
		}
		if got := reopen(&k, at); got != want {
			t.Fatalf("reopening for the %d. time: %s, want %s", n+1, got, want)
		}
		if n < 2 {
			if _, err := k.Take(stepOf(directory.StepResolve, directory.OfficialSide, at), cal); err != nil {
				t.Fatal(err)
			}
		}
	}

	// Not solved, says the questionnaire, when the time was over.
	no := false
	k = complaintIn(t, cal, directory.ComplaintResolved)
	asked := settled.Add(directory.QuestionnaireAfter)
	if !k.Tick(asked, cal, divisions(t)) || k.State != directory.ComplaintClosed || k.Questionnaire == nil {
		t.Fatalf("%+v", k)
	}
	s := stepOf(directory.StepConfirm, directory.ResidentSide, asked.Add(24*time.Hour))
	s.Solved = &no
	if _, err := k.Take(s, cal); err != nil {
		t.Fatal(err)
	}
	if got := reopen(&k, s.At.Add(directory.ReopenAfterAnswer+time.Millisecond)); got != "reopen_time" {
		t.Errorf("15 days after the answer: %s", got)
	}
	if got := reopen(&k, s.At.Add(directory.ReopenAfterAnswer)); got != "<nil>" {
		t.Errorf("14 days after the answer: %s", got)
	}
}

func TestComplaintClocks(t *testing.T) {
	cal, regions := holidays(t), divisions(t)
	k := complaint(cal)
	equal := func(what string, got *time.Time, want string) {
		t.Helper()
		text := "none"
		if got != nil {
			text = got.In(directory.Shanghai).Format("2006-01-02 15:04")
		}
		if text != want {
			t.Errorf("%s: %s, want %s", what, text, want)
		}
	}
	equal("to accept", k.DueAt(), "2026-12-03 00:00")
	equal("the first level", k.EscalateAt, "2026-12-01 00:00")
	take := func(action directory.ComplaintAction, by directory.Side, at time.Time) {
		t.Helper()
		if _, err := k.Take(stepOf(action, by, at), cal); err != nil {
			t.Fatal(err)
		}
	}
	// The deadline is missed; each level once.
	if k.Tick(moment(t, "2026-11-30 23:59"), cal, regions) {
		t.Error("told too early")
	}
	for range 2 {
		k.Tick(moment(t, "2026-12-02 08:00"), cal, regions)
	}
	k.Tick(moment(t, "2026-12-03 00:00"), cal, regions)
	k.Tick(moment(t, "2026-12-20 00:00"), cal, regions)
	var told []string
	for _, e := range k.History {
		if e.Action == directory.StepEscalate {
			told = append(told, e.To.Region)
		}
	}
	if !slices.Equal(told, []string{"630202", "630200", "630000"}) || k.EscalateAt != nil {
		t.Errorf("told %v, then at %v", told, k.EscalateAt)
	}

	accepted := moment(t, "2026-12-21 10:00")
	take(directory.StepAccept, directory.OfficialSide, accepted)
	equal("the firm", k.AnswerDue, "2026-12-29 00:00")
	equal("its reminder", k.RemindAt, "2026-12-28 00:00")
	if due := cal.AddWorkdays(accepted, 45); !k.DueAt().Equal(due) || !k.EscalateAt.Equal(cal.LastWorkdays(due, 2)) || k.Escalated != 0 {
		t.Errorf("accepted: %+v", k)
	}
	// A transfer and a question leave the clock as it is.
	due := *k.DueAt()
	take(directory.StepTransfer, directory.OfficialSide, accepted.Add(time.Hour))
	take(directory.StepAsk, directory.OfficialSide, accepted.Add(2*time.Hour))
	if !k.DueAt().Equal(due) || k.WaitingFor() != directory.ResidentSide {
		t.Errorf("due at %s, waits for %s", k.DueAt(), k.WaitingFor())
	}
	take(directory.StepSupply, directory.ResidentSide, accepted.Add(3*time.Hour))
	if k.WaitingFor() != directory.BusinessSide {
		t.Errorf("waits for %s", k.WaitingFor())
	}
	k.Tick(*k.RemindAt, cal, regions)
	if last := k.History[len(k.History)-1]; last.Action != directory.StepRemind || k.RemindAt != nil || k.AnswerDue == nil {
		t.Errorf("the firm is not reminded: %+v", last)
	}
	take(directory.StepAnswer, directory.BusinessSide, accepted.AddDate(0, 0, 7))
	if k.AnswerDue != nil || k.WaitingFor() != directory.OfficialSide {
		t.Errorf("answered: %v, waits for %s", k.AnswerDue, k.WaitingFor())
	}
	settled := moment(t, "2027-01-04 10:00") // 2027 is not known, so that its first of January counts
	take(directory.StepResolve, directory.OfficialSide, settled)
	if k.EscalateAt != nil || k.WaitingFor() != "" || k.Days != 30 {
		t.Errorf("settled after %d days: %+v", k.Days, k)
	}
	equal("to close", k.WakeAt(), "2027-01-19 10:00")
	k.Tick(*k.WakeAt(), cal, regions)
	equal("to ask", k.WakeAt(), "2027-02-01 10:00")
	k.Tick(*k.WakeAt(), cal, regions)
	equal("at last", k.WakeAt(), "none")
	if k.State != directory.ComplaintClosed || k.Questionnaire == nil || k.Outcome != directory.ComplaintResolved {
		t.Errorf("at last %+v", k)
	}
}

// TestComplaintOfAWideRegion: the levels that a region lacks are those above it.
func TestComplaintOfAWideRegion(t *testing.T) {
	cal, regions := holidays(t), divisions(t)
	for region, want := range map[string][]string{"630200": {"630200", "630200", "630000"}, "630000": {"630000", "630000", "630000"}} {
		k := complaint(cal)
		k.Region = region
		k.Tick(*k.DueAt(), cal, regions)
		var told []string
		for _, e := range k.History[1:] {
			told = append(told, e.To.Region)
		}
		if !slices.Equal(told, want) {
			t.Errorf("%s: told %v, want %v", region, told, want)
		}
	}
}

func TestSideOfComplaint(t *testing.T) {
	cal, regions := holidays(t), divisions(t)
	handlers := directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.ComplaintsPower}
	official := func(bureau directory.Bureau, region string, more ...directory.Grant) directory.Caller {
		return directory.Caller{Account: "off", SecondFactor: true, Grants: append(more, directory.Grant{
			Role: directory.Official, Bureau: bureau, Region: region, Powers: []directory.Power{directory.ComplaintsPower}})}
	}
	member := directory.Grant{Role: directory.Staff, Organization: firmID}
	reviewer := official(directory.CivilAffairs, "630202")
	reviewer.Grants[0].Powers = []directory.Power{directory.ReviewPower}
	once := official(directory.CivilAffairs, "630202")
	once.SecondFactor = false
	resident := official(directory.CivilAffairs, "630202")
	resident.Account = "ann"
	for _, tc := range []struct {
		name                    string
		caller                  directory.Caller
		filed, accepted, passed string // the side in each state; ! where they decide
	}{
		{"a stranger", directory.Caller{}, "", "", ""},
		{"somebody", directory.Caller{Account: "ben"}, "", "", ""},
		{"the resident", directory.Caller{Account: "ann"}, "resident", "resident", "resident"},
		{"the resident, who is an official", resident, "resident", "resident", "resident"},
		{"a member", directory.Caller{Account: "cay", Grants: []directory.Grant{member}}, "", "business", "business"},
		{"a member of another firm", directory.Caller{Account: "cay", Grants: []directory.Grant{{Role: directory.Owner, Organization: twinID}}}, "", "", ""},
		{"an official of the county", official(directory.CivilAffairs, "630202"), "official!", "official!", "official"},
		{"of the province", official(directory.CivilAffairs, "630000"), "official!", "official!", "official"},
		{"of another county", official(directory.CivilAffairs, "630203"), "", "", ""},
		{"of another bureau", official(directory.Health, "630202"), "", "", ""},
		{"of the bureau to which it passes", official(directory.MarketRegulation, "630202"), "", "", "official!"},
		{"without the power", reviewer, "", "", ""},
		{"without a second factor", once, "", "", ""},
		{"an official who is a member", official(directory.CivilAffairs, "630202", member), "", "business", "business"},
		{"an admin", directory.Caller{Account: "adm", SecondFactor: true, Grants: []directory.Grant{{Role: directory.Admin}}}, "official!", "official!", "official!"},
	} {
		k := complaint(cal)
		see := func() string {
			side, decides := k.SideOf(&tc.caller, handlers, regions)
			if decides {
				side += "!"
			}
			return string(side)
		}
		got := []string{see()}
		for _, action := range []directory.ComplaintAction{directory.StepAccept, directory.StepTransfer} {
			if _, err := k.Take(stepOf(action, directory.OfficialSide, filedAt), cal); err != nil {
				t.Fatal(err)
			}
			got = append(got, see())
		}
		if want := []string{tc.filed, tc.accepted, tc.passed}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tc.name, got, want)
		}
	}
}

func TestComplaintHidesPersonalData(t *testing.T) {
	cal := holidays(t)
	k := directory.Complaint{ID: "k", Account: "ann", Listing: listingID, Text: "我的电话13800138000", Want: "退到 6222020200112233445", Evidence: []string{evidence1, evidence2}}
	k.Begin(filedAt, cal)
	if strings.ContainsAny(k.Text+k.Want, "0123456789") || !k.Masked {
		t.Errorf("%q, %q", k.Text, k.Want)
	}
	s := stepOf(directory.StepSupply, directory.ResidentSide, filedAt)
	s.Text = "经办人王某 0971-6123456 答应退"
	if _, err := k.Take(s, cal); err != nil {
		t.Fatal(err)
	}
	if e := k.History[1]; !e.Masked || strings.ContainsAny(e.Text, "0123456789") {
		t.Errorf("%+v", e)
	}

	// A redaction leaves nothing of what was there.
	redact := func(s directory.ComplaintStep) error {
		s.Action, s.By, s.At = directory.StepRedact, directory.OfficialSide, filedAt
		_, err := k.Take(s, cal)
		return err
	}
	one, none := 1, 7
	if err := redact(directory.ComplaintStep{Text: "答应退", Event: &one, Want: "退费", Evidence: []string{evidence1}}); err != nil {
		t.Fatal(err)
	}
	if k.History[1].Text != "答应退" || k.Want != "退费" || !slices.Equal(k.Evidence, []string{evidence2}) || k.History[2].Text != "" || k.History[2].Action != directory.StepRedact {
		t.Errorf("%+v", k)
	}
	for name, s := range map[string]directory.ComplaintStep{
		"a step that is not there": {Text: "略", Event: &none}, "a photo that is not there": {Evidence: []string{evidence1}},
	} {
		if err := redact(s); directory.KindOf(err) != directory.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(k.History) != 3 {
		t.Errorf("%d events", len(k.History))
	}
}

func TestComplaintIsForgotten(t *testing.T) {
	cal := holidays(t)
	for state := range paths {
		k := complaintIn(t, cal, state)
		k.Once, k.Asked, k.Want, k.ForFamily = "ann key", "hash", "退费", true
		open, at := k.Open(), filedAt.Add(24*time.Hour)
		if !k.Forget(at) || k.Forget(at) {
			t.Errorf("%s: it does not change once", state)
		}
		if k.Account+k.Once+k.Asked+k.Text+k.Want != "" || len(k.Evidence) > 0 || k.ForFamily {
			t.Errorf("%s: left is %+v", state, k)
		}
		if want := map[bool]directory.ComplaintState{true: directory.ComplaintWithdrawn, false: state}[open]; k.State != want || k.EscalateAt != nil || k.RemindAt != nil {
			t.Errorf("%s: %s, %v", state, k.State, k.WakeAt())
		}
		for _, e := range k.History {
			if e.By == directory.ResidentSide && e.Text != "" {
				t.Errorf("%s: left is %q", state, e.Text)
			}
		}
	}
}

func TestComplaintIsTooMuch(t *testing.T) {
	cal := holidays(t)
	k := complaintIn(t, cal, directory.ComplaintAccepted)
	s := stepOf(directory.StepSupply, directory.ResidentSide, filedAt)
	for i := range 8 {
		s.Evidence = append(s.Evidence, strings.Repeat(string(rune('a'+i%6)), 63)+string(rune('0'+i)))
	}
	s.Evidence = append(s.Evidence, evidence2)
	if _, err := k.Take(s, cal); directory.KindOf(err) != directory.Invalid { // one is there already
		t.Errorf("10 photos: %v", err)
	}
	s.Evidence = nil
	for n := 0; ; n++ {
		s.Text = fmt.Sprint(n)
		if _, err := k.Take(s, cal); err != nil {
			if n < 90 || what(err) != "complaint_events" {
				t.Errorf("%d: %v", n, err)
			}
			break
		}
	}
	if _, err := k.Take(stepOf(directory.StepWithdraw, directory.ResidentSide, filedAt), cal); err != nil {
		t.Errorf("withdrawing: %v", err)
	}
}

func TestValidateComplaint(t *testing.T) {
	regions := divisions(t)
	pointers := func(err error) string {
		var out []string
		if e, ok := err.(*directory.Error); ok {
			for _, f := range e.Fields {
				out = append(out, f.Pointer+" "+f.Code)
			}
		}
		return strings.Join(out, ", ")
	}
	for name, tc := range map[string]struct {
		k    directory.Complaint
		want string
	}{
		"right":       {directory.Complaint{Listing: listingID, Subject: "price", Text: "多\n收"}, ""},
		"nothing":     {directory.Complaint{}, "/listing required, /subject required, /text required"},
		"two things":  {directory.Complaint{Listing: listingID, Rating: listingID, Subject: "x", Text: "\u200b"}, "/rating mismatch, /subject unknown_value, /text required"},
		"what is not": {directory.Complaint{Booking: "x", Subject: "price", Text: strings.Repeat("长", 2001), Want: "\x00", Evidence: []string{"x", evidence1, evidence1}}, "/booking bad_format, /text too_long, /want bad_format, /evidence/0 bad_format, /evidence/2 duplicate"},
	} {
		if got := pointers(tc.k.Validate()); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	zero := 0
	for name, tc := range map[string]struct {
		s    directory.ComplaintStep
		want string
	}{
		"accept":                {directory.ComplaintStep{Action: directory.StepAccept}, ""},
		"refuse without reason": {directory.ComplaintStep{Action: directory.StepRefuse}, "/text required"},
		"transfer":              {directory.ComplaintStep{Action: directory.StepTransfer, To: directory.Desk{Bureau: "x", Region: "630202001"}}, "/text required, /bureau unknown_value, /region unknown_value"},
		"hand over":             {directory.ComplaintStep{Action: directory.StepHandOver}, "/reference required"},
		"hand over, wrongly":    {directory.ComplaintStep{Action: directory.StepHandOver, Reference: "编号"}, "/reference bad_format"},
		"duplicate":             {directory.ComplaintStep{Action: directory.StepDuplicate, Of: "x"}, "/of bad_format"},
		"redact nothing":        {directory.ComplaintStep{Action: directory.StepRedact, Event: &zero}, "/text required, /event needs"},
		"confirm nothing":       {directory.ComplaintStep{Action: directory.StepConfirm}, "/solved required"},
	} {
		if got := pointers(tc.s.Validate(regions)); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// TestComplaintSummary compares what is published with a count by hand, and looks
// that nothing about fewer than ten can be computed from it.
func TestComplaintSummary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	shown := 0
	for range 500 {
		f := directory.ComplaintFigures{Resolved: map[int]int64{}, Unresolved: map[int]int64{}}
		var days []int
		resolved := 0
		for range random.IntN(40) {
			d := random.IntN(12)
			days = append(days, d)
			if random.IntN(3) > 0 {
				f.Resolved[d]++
				resolved++
			} else {
				f.Unresolved[d]++
			}
		}
		n := int64(len(days))
		f.Received = n + random.Int64N(15)
		s := f.Summary()
		if n < 10 {
			if s.State != "too_few" || s.Resolved != nil || s.MedianWorkdays != nil {
				t.Fatalf("of %d: %+v", n, s)
			}
			if (s.Received != nil) != (f.Received >= 10) || s.Received != nil && (*s.Received%10 != 0 || f.Received-*s.Received >= 10) {
				t.Fatalf("of %d received: %v", f.Received, s.Received)
			}
			continue
		}
		shown++
		slices.Sort(days)
		median := float64(days[len(days)/2])
		if n%2 == 0 {
			median = float64(days[n/2-1]+days[n/2]) / 2
		}
		low, high := directory.Wilson(int64(resolved), n)
		if s.State != "shown" || s.Resolved.N != n || math.Abs(s.Resolved.Share-float64(resolved)/float64(n)) > 5e-5 ||
			math.Abs(s.Resolved.Low-low) > 5e-5 || math.Abs(s.Resolved.High-high) > 5e-5 || *s.MedianWorkdays != median {
			t.Fatalf("%v: %+v, median %v, want %v", f, *s.Resolved, *s.MedianWorkdays, median)
		}
		if r := *s.Received; r < n || r > f.Received || r != n && r%10 != 0 {
			t.Fatalf("%d of %d received are said to be %d", n, f.Received, r)
		}
	}
	if shown < 100 {
		t.Fatalf("%d shown", shown)
	}
}

// TestComplaintVocabulary: what can be seen has names, in the words of the contract.
func TestComplaintVocabulary(t *testing.T) {
	for state := range paths {
		if !slices.ContainsFunc(directory.ComplaintStates, func(t directory.Term) bool { return t.Code == string(state) }) {
			t.Errorf("%s has no name", state)
		}
	}
	if len(paths) != len(directory.ComplaintStates) {
		t.Errorf("states: %v", slices.Collect(maps.Keys(paths)))
	}
}
