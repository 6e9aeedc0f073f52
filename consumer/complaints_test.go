package consumer

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// caseworkers handle complaints.
var caseworkers = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.ComplaintsPower}

// official is somebody with the power of complaints.
func (f *fixture) official(bureau directory.Bureau, region string) directory.Caller {
	f.t.Helper()
	caller := f.resident()
	g := directory.Grant{Account: caller.Account, Role: directory.Official, Bureau: bureau, Region: region, Powers: []directory.Power{directory.ComplaintsPower}}
	f.fatal(g.Validate(f.Regions))
	g.ID = g.Key()
	_, err := f.Store.Grants.Insert(f.t.Context(), g)
	f.fatal(err)
	caller.Grants, caller.SecondFactor = []directory.Grant{g}, true
	return caller
}

// complained files a complaint about a listing.
func (f *fixture) complained(caller directory.Caller, listing string) directory.Complaint {
	f.t.Helper()
	k, created, err := f.FileComplaint(f.t.Context(), caller, directory.Complaint{Listing: listing, Subject: "price", Text: "多收了费"}, "")
	f.fatal(err)
	if !created {
		f.t.Fatal("it was filed before")
	}
	return k
}

// tryStep takes a step of a complaint as it is now.
func (f *fixture) tryStep(caller directory.Caller, id string, by directory.Side, s directory.ComplaintStep) (directory.Complaint, error) {
	f.t.Helper()
	s.By = by
	if s.Text == "" {
		s.Text = "说明"
	}
	return f.StepComplaint(f.t.Context(), caller, caseworkers, id, len(f.complaint(id).History), s, auth.Client{})
}

// steps takes steps without fault.
func (f *fixture) steps(caller directory.Caller, id string, by directory.Side, actions ...directory.ComplaintAction) (k directory.Complaint) {
	f.t.Helper()
	for _, action := range actions {
		var err error
		if k, err = f.tryStep(caller, id, by, directory.ComplaintStep{Action: action}); err != nil {
			f.t.Fatalf("%s: %v", action, err)
		}
		f.clock.Advance(time.Second) // so that the audit log has an order
	}
	return k
}

func (f *fixture) complaint(id string) directory.Complaint {
	f.t.Helper()
	doc, err := f.Store.Complaints.Get(f.t.Context(), id)
	f.fatal(err)
	return doc.Value
}

func (f *fixture) sweepAll() {
	f.t.Helper()
	f.fatal(f.Sweep(f.t.Context()))
}

// conflict fails unless an error is a Conflict about something.
func conflict(t *testing.T, name string, err error, what string) {
	t.Helper()
	if e, ok := err.(*directory.Error); !ok || e.Kind != directory.Conflict || e.What != what {
		t.Errorf("%s: %v, want a conflict about %s", name, err, what)
	}
}

func wantError(t *testing.T, name string, err error, kind directory.ErrorKind) {
	t.Helper()
	if got := directory.KindOf(err); got != kind {
		t.Errorf("%s: %v, want %s", name, err, kind)
	}
}

func TestFileComplaint(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l := f.cleaning(firm.ID)
	ann, ben := f.resident(), f.resident()
	county, province := f.official(directory.Commerce, "630102"), f.official(directory.Commerce, "630000")
	f.official(directory.Health, "630102")

	k := f.complained(ann, l.ID)
	if k.State != directory.ComplaintFiled || k.Organization != firm.ID || k.Desk != (directory.Desk{Bureau: directory.Commerce, Region: "630102"}) || k.Kind != l.Kind || k.Told != 1 {
		t.Errorf("%+v", k)
	}
	f.told("the county", county, directory.NoteComplaintWaiting)
	f.told("the province", province)
	f.told("the firm", owner)
	f.told("the resident", ann)

	file := func(caller directory.Caller, k directory.Complaint, key string) (directory.Complaint, bool, error) {
		k.Subject = "price"
		if k.Text == "" {
			k.Text = "多收了费"
		}
		return f.FileComplaint(t.Context(), caller, k, key)
	}
	_, _, err := file(ann, directory.Complaint{Listing: l.ID}, "")
	conflict(t, "about the same", err, "complaint_open")
	_, _, err = file(owner, directory.Complaint{Listing: l.ID}, "")
	conflict(t, "about one's own", err, "own_complaint")
	_, _, err = file(ben, directory.Complaint{Listing: k.ID}, "")
	wantError(t, "about no listing", err, directory.NotFound)
	_, _, err = file(ben, directory.Complaint{}, "")
	wantError(t, "about nothing", err, directory.Invalid)
	_, _, err = file(ben, directory.Complaint{Listing: l.ID, Evidence: []string{strings.Repeat("a", 64)}}, "")
	wantError(t, "with a photo that is not there", err, directory.Invalid)
	draft := f.cleaning(firm.ID)
	_, err = f.Store.Listings.Update(t.Context(), draft.ID, func(l *directory.Listing) error { l.Status = directory.Suspended; return nil })
	f.fatal(err)
	_, _, err = file(ben, directory.Complaint{Listing: draft.ID}, "")
	wantError(t, "about a listing that is not public", err, directory.NotFound)

	// By a key it is filed once.
	first, created, err := file(ben, directory.Complaint{Listing: l.ID}, "key-0001")
	if err != nil || !created {
		t.Fatal(created, err)
	}
	again, created, err := file(ben, directory.Complaint{Listing: l.ID}, "key-0001")
	if err != nil || created || again.ID != first.ID {
		t.Errorf("again: %t, %v", created, err)
	}
	_, _, err = file(ben, directory.Complaint{Listing: l.ID, Text: "别的"}, "key-0001")
	conflict(t, "the key for something else", err, "idempotency_key")

	// Ten are open at most.
	for n := range directory.MaxOpenComplaints {
		_, _, err = file(ben, directory.Complaint{Listing: f.cleaning(firm.ID).ID}, "")
		if n == directory.MaxOpenComplaints-1 {
			conflict(t, "one too many", err, "complaints")
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileComplaintAboutBookingsAndRatings(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l := f.cleaning(firm.ID)
	ann, ben := f.resident(), f.resident()
	b := directory.Booking{ID: "01a192b0-7400-7000-8000-00000000b001", Account: ann.Account, Listing: l.ID, Organization: firm.ID, State: directory.BookingCompleted}
	request := directory.Booking{ID: "01a192b0-7400-7000-8000-00000000b002", Account: ann.Account, Kind: directory.CustomBooking, State: directory.BookingRequested}
	held := directory.Rating{ID: "01a192b0-7400-7000-8000-00000000c001", Proof: "a", Account: ann.Account, Listing: l.ID, State: directory.RatingHeld}
	public := directory.Rating{ID: "01a192b0-7400-7000-8000-00000000c002", Proof: "b", Account: ann.Account, Listing: l.ID, State: directory.RatingPublished}
	for _, booking := range []directory.Booking{b, request} {
		_, err := f.Store.Bookings.Insert(t.Context(), booking)
		f.fatal(err)
	}
	for _, rating := range []directory.Rating{held, public} {
		_, err := f.Store.Ratings.Insert(t.Context(), rating)
		f.fatal(err)
	}
	file := func(caller directory.Caller, booking, rating string) (directory.Complaint, error) {
		k, _, err := f.FileComplaint(t.Context(), caller, directory.Complaint{Booking: booking, Rating: rating, Subject: "no_show", Text: "没来"}, "")
		return k, err
	}
	_, err := file(ben, b.ID, "")
	wantError(t, "about a booking of somebody else", err, directory.NotFound)
	_, err = file(owner, b.ID, "")
	wantError(t, "about a booking of somebody else with oneself", err, directory.NotFound)
	_, err = file(ann, request.ID, "")
	conflict(t, "about a request", err, "complaint_nobody")
	_, err = file(ben, "", held.ID)
	wantError(t, "about a rating that is not public", err, directory.NotFound)
	_, err = file(owner, "", public.ID)
	conflict(t, "about a rating of one's own firm", err, "own_complaint")
	for name, tc := range map[string]struct {
		caller          directory.Caller
		booking, rating string
	}{"a booking": {ann, b.ID, ""}, "a rating of one's own": {ann, "", held.ID}, "a rating": {ben, "", public.ID}} {
		k, err := file(tc.caller, tc.booking, tc.rating)
		if err != nil || k.Listing != l.ID || k.Organization != firm.ID || k.Booking != tc.booking || k.Rating != tc.rating {
			t.Errorf("about %s: %+v, %v", name, k, err)
		}
	}
	_, err = file(ann, b.ID, "")
	conflict(t, "about the same booking", err, "complaint_open")
}

// TestFileComplaintAtOnce: of those who file the same at once one is taken.
func TestFileComplaintAtOnce(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	ann := f.resident()
	for round, key := range []string{"", "key-0002"} {
		l := f.cleaning(firm.ID)
		var mu sync.Mutex
		ids, made := map[string]bool{}, 0
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				k, created, err := f.FileComplaint(t.Context(), ann, directory.Complaint{Listing: l.ID, Subject: "price", Text: "多收了费"}, key)
				mu.Lock()
				defer mu.Unlock()
				if created {
					made++
				}
				if err == nil {
					ids[k.ID] = true
				} else if key != "" || directory.KindOf(err) != directory.Conflict {
					t.Errorf("%q: %v", key, err)
				}
			})
		}
		wait.Wait()
		if made != 1 || len(ids) != 1 {
			t.Errorf("round %d: %d were made, with the ids %v", round, made, ids)
		}
	}
}

// TestComplaintLife follows a complaint and what everybody is told.
func TestComplaintLife(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l := f.cleaning(firm.ID)
	ann, official := f.resident(), f.official(directory.Commerce, "630102")
	k := f.complained(ann, l.ID)
	_, err := f.tryStep(owner, k.ID, directory.BusinessSide, directory.ComplaintStep{Action: directory.StepAnswer})
	wantError(t, "the firm before acceptance", err, directory.Forbidden)
	_, err = f.tryStep(f.resident(), k.ID, directory.ResidentSide, directory.ComplaintStep{Action: directory.StepSupply})
	wantError(t, "somebody else", err, directory.NotFound)

	f.clock.Advance(time.Hour)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepAccept)
	f.told("the firm", owner, directory.NoteComplaintReceived)
	f.clock.Advance(time.Hour)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepAsk)
	f.steps(ann, k.ID, directory.ResidentSide, directory.StepSupply, directory.StepSupply) // an answer may have been lost
	f.steps(owner, k.ID, directory.BusinessSide, directory.StepAnswer)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepMediate, directory.StepResolve)
	f.told("the resident", ann, directory.NoteComplaintAccepted, directory.NoteComplaintAsked, directory.NoteComplaintAnswered, directory.NoteComplaintResolved)
	f.told("the firm", owner, directory.NoteComplaintReceived, directory.NoteComplaintResolved)
	f.clock.Advance(24 * time.Hour)
	f.steps(ann, k.ID, directory.ResidentSide, directory.StepReopen)
	f.told("the official", official, directory.NoteComplaintWaiting, directory.NoteComplaintWaiting)
	f.clock.Advance(24 * time.Hour)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepFail)
	f.clock.Advance(directory.ReopenTime)
	f.sweepAll()
	if now := f.complaint(k.ID); now.State != directory.ComplaintClosed || now.Outcome != directory.ComplaintUnresolved {
		t.Errorf("%+v", now)
	}
	f.clock.Advance(directory.QuestionnaireAfter - directory.ReopenTime)
	for range 3 {
		f.sweepAll()
	}
	f.told("the resident", ann, directory.NoteComplaintAccepted, directory.NoteComplaintAsked, directory.NoteComplaintAnswered, directory.NoteComplaintResolved,
		directory.NoteComplaintUnresolved, directory.NoteComplaintClosed, directory.NoteComplaintAsksSolved)
	f.told("the firm", owner, directory.NoteComplaintReceived, directory.NoteComplaintResolved, directory.NoteComplaintReopened, directory.NoteComplaintUnresolved, directory.NoteComplaintClosed)
	// Whatever was done by the official is in the audit log, in its order.
	lines, err := f.Store.Audit.All(t.Context(), store.Where(store.Equal("action", string(directory.AuditComplaint))))
	f.fatal(err)
	var done []string
	for _, e := range store.Values(lines) {
		if e.Subject != k.ID || e.Actor != official.Account || e.Bureau != directory.Commerce || e.Region != "630102" {
			t.Errorf("%+v", e)
		}
		done = append(done, e.Detail)
	}
	if want := []string{"accept", "ask", "mediate", "resolve", "fail"}; !slices.Equal(done, want) {
		t.Errorf("the audit log has %v, want %v", done, want)
	}
}

// TestOfficialsDoNotOvertake: a step is about what the official has seen.
func TestOfficialsDoNotOvertake(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	k := f.complained(f.resident(), f.cleaning(firm.ID).ID)
	official := f.official(directory.Commerce, "630102")
	seen := len(k.History)
	var wait sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wait.Go(func() {
			action := []directory.ComplaintAction{directory.StepAccept, directory.StepRefuse}[i%2]
			_, errs[i] = f.StepComplaint(t.Context(), official, caseworkers, k.ID, seen, directory.ComplaintStep{Action: action, By: directory.OfficialSide, Text: "说明"}, auth.Client{})
		})
	}
	wait.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if kind := directory.KindOf(err); kind != directory.Precondition {
			t.Errorf("%v", err)
		}
	}
	if now := f.complaint(k.ID); done != 1 || len(now.History) != 2 {
		t.Errorf("%d steps, %+v", done, now.History)
	}
}

// TestTransferKeepsRecordAndAccess: 协同处置.
func TestTransferKeepsRecordAndAccess(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	ann := f.resident()
	commerce, market, prefecture := f.official(directory.Commerce, "630102"), f.official(directory.MarketRegulation, "630102"), f.official(directory.MarketRegulation, "630100")
	k := f.complained(ann, f.cleaning(firm.ID).ID)
	due := *k.DueAt()
	f.clock.Advance(26 * time.Hour)
	_, err := f.tryStep(commerce, k.ID, directory.OfficialSide, directory.ComplaintStep{Action: directory.StepTransfer, To: directory.Desk{Bureau: directory.Commerce}})
	conflict(t, "to the same desk", err, "complaint_desk")
	now, err := f.tryStep(commerce, k.ID, directory.OfficialSide, directory.ComplaintStep{Action: directory.StepTransfer, Text: "涉及价格", To: directory.Desk{Bureau: directory.MarketRegulation}})
	f.fatal(err)
	last := now.History[len(now.History)-1]
	if *last.From != (directory.Desk{Bureau: directory.Commerce, Region: "630102"}) || *last.To != (directory.Desk{Bureau: directory.MarketRegulation, Region: "630102"}) ||
		last.Text != "涉及价格" || last.Account != commerce.Account || now.Desk != *last.To || !now.DueAt().Equal(due) {
		t.Errorf("%+v, due %s", last, now.DueAt())
	}
	f.told("the new bureau", market, directory.NoteComplaintWaiting)
	f.told("the resident", ann, directory.NoteComplaintTransferred)
	if side, decides := now.SideOf(&commerce, caseworkers, f.Regions); side != directory.OfficialSide || decides {
		t.Errorf("the bureau before is %s, %t", side, decides)
	}
	_, err = f.tryStep(commerce, k.ID, directory.OfficialSide, directory.ComplaintStep{Action: directory.StepAccept})
	wantError(t, "the bureau before", err, directory.Forbidden)
	queued := func(caller directory.Caller) int {
		docs, _, err := f.ComplaintQueue(t.Context(), caller, caseworkers, ComplaintFilter{}, 10, nil)
		f.fatal(err)
		return len(docs)
	}
	if queued(commerce) != 0 || queued(market) != 1 {
		t.Errorf("in the queues: %d, %d", queued(commerce), queued(market))
	}
	// And up to the prefecture, whose official alone decides then.
	_, err = f.tryStep(market, k.ID, directory.OfficialSide, directory.ComplaintStep{Action: directory.StepTransfer, To: directory.Desk{Bureau: directory.MarketRegulation, Region: "630100"}})
	f.fatal(err)
	f.told("the prefecture", prefecture, directory.NoteComplaintWaiting)
	for name, caller := range map[string]directory.Caller{"the first": commerce, "the second": market} {
		now := f.complaint(k.ID)
		if side, decides := now.SideOf(&caller, caseworkers, f.Regions); side != directory.OfficialSide || decides {
			t.Errorf("%s is %s, %t", name, side, decides)
		}
	}
	f.steps(prefecture, k.ID, directory.OfficialSide, directory.StepAccept)
}

// TestEscalationOverNationalDay moves the clock over the holidays of 2026: a complaint
// of Monday, 21 September has to be accepted by the end of 8 October.
func TestEscalationOverNationalDay(t *testing.T) {
	f := newFixture(t)
	at := func(s string) time.Time {
		out, err := time.ParseInLocation("2006-01-02 15:04", s, directory.Shanghai)
		f.fatal(err)
		return out
	}
	f.clock.To(at("2026-09-21 10:00"))
	firm, _ := f.firm()
	// The prefecture has no official: at its turn the province is told. That of the
	// county is told first, but for one who belongs to the firm.
	county, province := f.official(directory.Commerce, "630102"), f.official(directory.Commerce, "630000")
	own := f.official(directory.Commerce, "630102")
	f.fatal(f.Auth.GrantTo(t.Context(), directory.Caller{}, directory.Grant{Account: own.Account, Role: directory.Staff, Organization: firm.ID}, auth.Client{}))
	k := f.complained(f.resident(), f.cleaning(firm.ID).ID)
	if want := at("2026-10-09 00:00"); !k.DueAt().Equal(want) {
		t.Fatalf("due at %s", k.DueAt())
	}
	waiting, due := directory.NoteComplaintWaiting, directory.NoteComplaintDue
	for _, step := range []struct {
		to               string
		county, province []directory.NotificationKind
		level            int
	}{
		{"2026-09-29 23:59", []directory.NotificationKind{waiting}, nil, 0},
		{"2026-09-30 00:00", []directory.NotificationKind{waiting, due}, nil, 1},
		{"2026-10-07 23:59", []directory.NotificationKind{waiting, due}, nil, 1}, // nobody works
		{"2026-10-08 00:00", []directory.NotificationKind{waiting, due}, []directory.NotificationKind{due}, 2},
		{"2026-10-08 23:59", []directory.NotificationKind{waiting, due}, []directory.NotificationKind{due}, 2},
		{"2026-10-09 00:00", []directory.NotificationKind{waiting, due}, []directory.NotificationKind{due, due}, 3},
		{"2026-12-01 00:00", []directory.NotificationKind{waiting, due}, []directory.NotificationKind{due, due}, 3},
	} {
		f.clock.To(at(step.to))
		for range 2 {
			f.sweepAll()
		}
		f.told(step.to+": the county", county, step.county...)
		f.told(step.to+": the province", province, step.province...)
		if now := f.complaint(k.ID); now.Escalated != step.level || now.Told != len(now.History) {
			t.Errorf("%s: level %d, want %d", step.to, now.Escalated, step.level)
		}
	}
	f.told("the official of the firm", own)
	docs, _, err := f.ComplaintQueue(t.Context(), county, caseworkers, ComplaintFilter{Overdue: true}, 10, nil)
	if err != nil || len(docs) != 1 {
		t.Errorf("overdue are %d, %v", len(docs), err)
	}
	// Accepted at last, it has a new clock and is told anew.
	f.steps(county, k.ID, directory.OfficialSide, directory.StepAccept)
	f.clock.To(*f.complaint(k.ID).EscalateAt)
	f.sweepAll()
	f.told("the county", county, waiting, due, due)
}

// TestNobodyIsInCharge: without any official the admins are told.
func TestNobodyIsInCharge(t *testing.T) {
	f := newFixture(t)
	admin := f.resident()
	g := directory.Grant{Account: admin.Account, Role: directory.Admin}
	f.fatal(f.Auth.GrantTo(t.Context(), directory.Caller{}, g, auth.Client{}))
	firm, _ := f.firm()
	f.complained(f.resident(), f.cleaning(firm.ID).ID)
	f.told("the admin", admin, directory.NoteComplaintWaiting)
}

// TestFirmIsReminded once, at the beginning of its last working day.
func TestFirmIsReminded(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	official := f.official(directory.Commerce, "630102")
	k := f.complained(f.resident(), f.cleaning(firm.ID).ID)
	k = f.steps(official, k.ID, directory.OfficialSide, directory.StepAccept)
	f.clock.To(k.RemindAt.Add(-time.Millisecond))
	f.sweepAll()
	f.told("the firm", owner, directory.NoteComplaintReceived)
	f.clock.To(*k.RemindAt)
	for range 2 {
		f.sweepAll()
		f.clock.Advance(time.Hour)
	}
	f.told("the firm", owner, directory.NoteComplaintReceived, directory.NoteComplaintAnswerDue)
}

// TestUntoldIsTold: what a crash has kept from being told is told by the next sweep,
// and nothing of it twice.
func TestUntoldIsTold(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	ann, official := f.resident(), f.official(directory.Commerce, "630102")
	k := f.complained(ann, f.cleaning(firm.ID).ID)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepAccept)
	inboxes, err := f.Store.Notifications.All(t.Context(), store.Query{})
	f.fatal(err)
	// The firm's message is lost, and so is the note that all were told.
	for _, d := range inboxes {
		if d.Value.Account == owner.Account {
			f.fatal(f.Store.Notifications.Remove(t.Context(), d.Value.ID))
		}
	}
	_, err = f.Store.Complaints.Update(t.Context(), k.ID, func(k *directory.Complaint) error { k.Told = 0; return nil })
	f.fatal(err)
	f.sweepAll()
	f.told("the firm", owner, directory.NoteComplaintReceived)
	f.told("the resident", ann, directory.NoteComplaintAccepted)
	f.told("the official", official, directory.NoteComplaintWaiting)
}

func TestDuplicateComplaints(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	other, _ := f.firm()
	l := f.cleaning(firm.ID)
	ann, ben, official := f.resident(), f.resident(), f.official(directory.Commerce, "630102")
	first, second := f.complained(ann, l.ID), f.complained(ben, l.ID)
	elsewhere := f.complained(ben, f.cleaning(other.ID).ID)
	if similar, err := f.SimilarComplaints(t.Context(), &first); err != nil || !slices.Equal(similar, []string{second.ID}) {
		t.Errorf("similar are %v, %v", similar, err)
	}
	mark := func(id, of string) error {
		_, err := f.tryStep(official, id, directory.OfficialSide, directory.ComplaintStep{Action: directory.StepDuplicate, Of: of})
		return err
	}
	for name, of := range map[string]string{"of itself": second.ID, "of nothing": l.ID, "of another firm's": elsewhere.ID} {
		wantError(t, "a duplicate "+name, mark(second.ID, of), directory.Invalid)
	}
	f.fatal(mark(second.ID, first.ID))
	wantError(t, "a duplicate of a duplicate", mark(first.ID, second.ID), directory.Invalid)
	f.told("who has complained second", ben, directory.NoteComplaintDuplicate)
	if open, err := f.OpenComplaints(t.Context(), l.ID); err != nil || open[l.ID] != 1 {
		t.Errorf("open are %v, %v", open, err)
	}
	f.steps(official, first.ID, directory.OfficialSide, directory.StepAccept)
	f.clock.Advance(time.Hour)
	f.steps(official, first.ID, directory.OfficialSide, directory.StepResolve)
	f.told("who has complained second", ben, directory.NoteComplaintDuplicate, directory.NoteComplaintResolved)
}

// TestReopeningBesideAnother: while one about the same thing is open, there is no second one.
func TestReopeningBesideAnother(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	l := f.cleaning(firm.ID)
	ann, official := f.resident(), f.official(directory.Commerce, "630102")
	k := f.complained(ann, l.ID)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepRefuse)
	f.complained(ann, l.ID)
	_, err := f.tryStep(ann, k.ID, directory.ResidentSide, directory.ComplaintStep{Action: directory.StepReopen})
	conflict(t, "beside another", err, "complaint_open")
}

// TestComplaintQueue pages through what several officials have to do, by deadline.
func TestComplaintQueue(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	county := f.official(directory.Commerce, "630102")
	both := f.official(directory.Commerce, "630102")
	both.Grants = append(both.Grants, f.official(directory.Health, "630100").Grants...)
	var want []string
	for n := range 12 {
		k := f.complained(f.resident(), f.cleaning(firm.ID).ID)
		f.clock.Advance(48 * time.Hour)
		if n%4 == 3 { // later than all others
			f.steps(county, k.ID, directory.OfficialSide, directory.StepAccept)
			continue
		}
		want = append(want, k.ID)
	}
	for n, caller := range []directory.Caller{county, both} {
		var got []string
		var after *store.Position
		for {
			docs, next, err := f.ComplaintQueue(t.Context(), caller, caseworkers, ComplaintFilter{}, 5, after)
			f.fatal(err)
			for _, d := range docs {
				got = append(got, d.Value.ID)
			}
			if after = next; next == nil {
				break
			}
		}
		if len(got) != 12 || !slices.Equal(got[:9], want) {
			t.Errorf("%d: %v, want first %v", n, got, want)
		}
	}
	for name, tc := range map[string]struct {
		filter ComplaintFilter
		n      int
	}{
		"accepted": {ComplaintFilter{State: directory.ComplaintAccepted}, 3}, "of the bureau": {ComplaintFilter{Bureau: directory.Commerce}, 12},
		"of another bureau": {ComplaintFilter{Bureau: directory.Health}, 0}, "of the prefecture": {ComplaintFilter{Region: "630100"}, 12},
		"settled": {ComplaintFilter{State: directory.ComplaintResolved}, 0},
	} {
		docs, _, err := f.ComplaintQueue(t.Context(), both, caseworkers, tc.filter, 100, nil)
		if err != nil || len(docs) != tc.n {
			t.Errorf("%s: %d, %v, want %d", name, len(docs), err, tc.n)
		}
	}
	_, _, err := f.ComplaintQueue(t.Context(), county, caseworkers, ComplaintFilter{Bureau: directory.Health}, 10, nil)
	wantError(t, "of a bureau that is not one's own", err, directory.Forbidden)
}

// TestComplaintFigures counts complaints of every fate and compares with a count by hand.
func TestComplaintFigures(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	random := rand.New(rand.NewPCG(3, 4))
	listings := []directory.Listing{f.cleaning(firm.ID), f.cleaning(firm.ID)}
	want := map[string]directory.ComplaintFigures{}
	for _, l := range listings {
		want[l.ID] = directory.ComplaintFigures{Resolved: map[int]int64{}, Unresolved: map[int]int64{}}
	}
	fates := []string{"", "withdraw", "refuse", "accept", "accept withdraw", "accept resolve", "accept resolve", "accept fail", "accept resolve close", "accept resolve reopen", "accept fail hand_over", "mark_duplicate", "hand_over"}
	for n := range 150 {
		l := listings[random.IntN(2)]
		k := directory.Complaint{ID: fmt.Sprintf("k%03d", n), Account: fmt.Sprintf("a%03d", n), Listing: l.ID, Organization: firm.ID}
		filed := noon.AddDate(0, 0, random.IntN(30))
		k.Begin(filed, f.Calendar)
		fate := fates[random.IntN(len(fates))]
		days, outcome := 0, ""
		at := filed
		for action := range strings.FieldsSeq(fate) {
			at = at.AddDate(0, 0, random.IntN(9))
			by := directory.OfficialSide
			switch action {
			case "withdraw", "reopen":
				by = directory.ResidentSide
			case "resolve", "fail":
				days, outcome = f.Calendar.Workdays(filed, at), action
			}
			if action == "reopen" {
				outcome = ""
			}
			if _, err := k.Take(directory.ComplaintStep{Action: directory.ComplaintAction(action), By: by, At: at, Text: "说明", Of: "other"}, f.Calendar); err != nil {
				t.Fatal(fate, err)
			}
		}
		_, err := f.Store.Complaints.Insert(t.Context(), k)
		f.fatal(err)
		w := want[l.ID]
		if fate != "withdraw" && fate != "mark_duplicate" {
			w.Received++
		}
		switch outcome {
		case "resolve":
			w.Resolved[days]++
		case "fail":
			w.Unresolved[days]++
		}
		want[l.ID] = w
	}
	for _, l := range listings {
		got, err := f.ComplaintFigures(t.Context(), l.ID)
		if err != nil || !reflect.DeepEqual(got, want[l.ID]) {
			t.Errorf("%+v, %v, want %+v", got, err, want[l.ID])
		}
		if s := got.Summary(); s.State != "shown" || s.Resolved.N < 10 {
			t.Errorf("%+v", s)
		}
	}
}

// TestErasedComplaint: what an erased account leaves of a complaint is nobody's, and
// the firm hears that it is withdrawn.
func TestErasedComplaint(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	ann, official := f.resident(), f.official(directory.Commerce, "630102")
	k := f.complained(ann, f.cleaning(firm.ID).ID)
	f.steps(official, k.ID, directory.OfficialSide, directory.StepAccept)
	f.steps(ann, k.ID, directory.ResidentSide, directory.StepSupply)
	_, err := f.Auth.Erase(t.Context(), ann, auth.Client{})
	f.fatal(err)
	f.clock.Advance(31 * 24 * time.Hour)
	f.fatal(f.Auth.Sweep(t.Context()))
	f.sweepAll()
	now := f.complaint(k.ID)
	if now.Account+now.Text+now.History[2].Text != "" || now.State != directory.ComplaintWithdrawn || now.Told != len(now.History) {
		t.Errorf("%+v", now)
	}
	f.told("the firm", owner, directory.NoteComplaintReceived, directory.NoteComplaintWithdrawn)
}
