package consumer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// book makes a booking that has to succeed.
func (f *fixture) book(caller directory.Caller, w Wanted) directory.Booking {
	f.t.Helper()
	b, created, err := f.Book(f.t.Context(), caller, w, "")
	if err != nil || !created {
		f.t.Fatalf("%+v: %v, %v", w, created, err)
	}
	return b
}

// act takes a step that has to succeed.
func (f *fixture) act(caller directory.Caller, id string, action directory.BookingAction) directory.Booking {
	f.t.Helper()
	b, err := f.Step(f.t.Context(), caller, id, directory.BookingEvent{Action: action, Reason: "busy"})
	if err != nil {
		f.t.Fatalf("%s: %v", action, err)
	}
	return b
}

func (f *fixture) booking(id string) directory.Booking {
	f.t.Helper()
	doc, err := f.Store.Bookings.Get(f.t.Context(), id)
	f.fatal(err)
	return doc.Value
}

// about is what a Conflict is about, and the fields of an Invalid error; "" for none.
func about(err error) string {
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case !ok:
		return ""
	case e.Kind == directory.Conflict:
		return e.What
	}
	var fields []string
	for _, field := range e.Fields {
		fields = append(fields, field.Pointer+" "+field.Code)
	}
	return strings.Join(fields, ", ")
}

// tomorrow is when most bookings of these tests begin.
var tomorrow = noon.Add(22 * time.Hour)

func TestABookingFromRequestToRating(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l, ann := f.cleaning(firm.ID), f.resident()
	w := wanted(&l, tomorrow)
	w.Wish, w.Region = "擦玻璃，电话13800138000", "630103"
	b := f.book(ann, w)
	if b.Wish != "擦玻璃，电话***********" || b.Region != "630103" || b.Category != "cleaning" || b.Offering.PriceMin != 4000 ||
		!b.EndsAt.Equal(tomorrow.Add(directory.BookLength)) || strings.Contains(b.Contact, "东关") {
		t.Errorf("the booking is %+v", b)
	}
	contact, err := f.Auth.OpenContact(&b)
	if err != nil || contact.Name != "居民2" || contact.Phone != "13900000002" || contact.Address != "东关大街1号3单元" {
		t.Errorf("the contact is %+v, %v", contact, err)
	}
	f.told("the firm", owner, directory.NoteBookingRequested)
	f.act(owner, b.ID, directory.ActAccept)
	f.told("the resident", ann, directory.NoteBookingAccepted)

	f.clock.To(tomorrow)
	f.act(owner, b.ID, directory.ActStart)
	code := f.CompletionCode(b.ID)
	if _, err := f.Complete(t.Context(), owner, b.ID, ""); about(err) != "/code required" {
		t.Errorf("no code: %v", err)
	}
	if _, err := f.Complete(t.Context(), owner, b.ID, other(code)); about(err) != "/code mismatch" {
		t.Errorf("a wrong code: %v", err)
	}
	for range 2 { // the answer may have been lost
		done, err := f.Complete(t.Context(), owner, b.ID, code)
		if err != nil || done.State != directory.BookingCompleted || done.Tries != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	f.told("the resident", ann, directory.NoteBookingAccepted, directory.NoteBookingCompleted)
	f.told("the firm", owner, directory.NoteBookingRequested, directory.NoteBookingCompleted)
	for range 2 {
		f.fatal(f.markRated(t.Context(), b.ID))
	}
	f.fatal(f.markRated(t.Context(), "01890a5d-ac96-774b-bcce-000000000000"))
	if got := f.booking(b.ID); got.State != directory.BookingRated || len(got.History) != 5 {
		t.Errorf("it is %+v", got)
	}
	open := f.book(ann, wanted(&l, tomorrow.Add(time.Hour)))
	f.fatal(f.markRated(t.Context(), open.ID))
	if got := f.booking(open.ID); got.State != directory.BookingRequested {
		t.Errorf("it was rated before it was done: %+v", got)
	}
}

// other is a code that is not this one.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestCompletionCodes(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for i := range 50 {
		code := f.CompletionCode(fmt.Sprint(i))
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" || code != f.CompletionCode(fmt.Sprint(i)) {
			t.Errorf("the code %q", code)
		}
		seen[code] = true
	}
	if len(seen) < 45 {
		t.Errorf("of 50 codes %d differ", len(seen))
	}
}

func TestWhatCannotBeBooked(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	refused, _ := f.firm()
	_, err := f.Store.Organizations.Update(t.Context(), refused.ID, func(o *directory.Organization) error {
		o.State = directory.OrganizationRefused
		return nil
	})
	f.fatal(err)
	ann := f.resident()
	right, theirs, nobodys, gone := f.cleaning(firm.ID), f.cleaning(refused.ID), f.cleaning(""), f.cleaning(firm.ID)
	_, err = f.Store.Listings.Update(t.Context(), gone.ID, func(l *directory.Listing) error {
		l.Status = directory.Suspended
		return nil
	})
	f.fatal(err)
	home := f.listing(directory.Listing{
		Kind: directory.ElderCareKind, Names: directory.Names{Zh: "湟水养老院"}, OrganizationID: firm.ID, Region: "630102", Categories: []string{"nursing_home"},
		ElderCare: &directory.ElderCare{}, Provenance: directory.Provenance{Origin: directory.Registered},
	})
	kept := f.cleaning(firm.ID)
	f.open(&kept, 1)
	for _, tc := range []struct {
		name   string
		caller directory.Caller
		change func(*Wanted)
		want   string
	}{
		{"everything missing", ann, func(w *Wanted) { *w = Wanted{Kind: directory.ServiceBooking} }, "/listing required, /region required, /contact/address required, /starts_at too_small"},
		{"a listing that is not there", ann, func(w *Wanted) { w.Listing, w.Region = ann.Account, "630102" }, "/listing unknown_value"},
		{"a suspended listing", ann, func(w *Wanted) { w.Listing, w.Region = gone.ID, "630102" }, "/listing unknown_value"},
		{"another kind", ann, func(w *Wanted) { w.Listing, w.Region = home.ID, "630102" }, "/listing mismatch"},
		{"no offering", ann, func(w *Wanted) { w.Offering = "" }, "/offering required"},
		{"an offering of others", ann, func(w *Wanted) { w.Offering = "月嫂" }, "/offering unknown_value"},
		{"a county that is not served", ann, func(w *Wanted) { w.Region = "630104" }, "/region mismatch"},
		{"somebody else's family", ann, func(w *Wanted) { w.For = owner.Account }, "/for unknown_value"},
		{"a phone that is none", ann, func(w *Wanted) { w.Contact.Phone = "1" }, "/contact/phone bad_format"},
		{"yesterday", ann, func(w *Wanted) { w.StartsAt = noon.AddDate(0, 0, -1) }, "/starts_at too_small"},
		{"a budget of a service", ann, func(w *Wanted) { w.Budget = 1 }, "/budget mismatch"},
		{"a listing of a request", ann, func(w *Wanted) {
			w.Kind, w.Category, w.Region, w.Wish = directory.CustomBooking, "cleaning", "630102", "擦玻璃"
		}, "/listing mismatch, /offering mismatch"},
		{"a visit with an offering", ann, func(w *Wanted) { w.Kind, w.Listing = directory.VisitBooking, home.ID }, "/offering mismatch"},
		{"beside the slots", ann, func(w *Wanted) { w.Listing, w.StartsAt = kept.ID, tomorrow.Add(time.Minute) }, "/starts_at unknown_value"},
		{"another end than the slot's", ann, func(w *Wanted) { w.Listing, w.EndsAt = kept.ID, tomorrow.Add(2*time.Hour) }, "/ends_at mismatch"},
		{"a listing of nobody", ann, func(w *Wanted) { w.Listing = nobodys.ID }, "not_bookable"},
		{"a firm that was refused", ann, func(w *Wanted) { w.Listing = theirs.ID }, "not_bookable"},
		{"one's own firm", owner, func(*Wanted) {}, "own_service"},
	} {
		w := wanted(&right, tomorrow)
		tc.change(&w)
		if _, created, err := f.Book(t.Context(), tc.caller, w, ""); created || about(err) != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	visit := Wanted{Kind: directory.VisitBooking, Listing: home.ID, StartsAt: tomorrow}
	if b := f.book(ann, visit); b.Region != "630102" || b.Organization != firm.ID {
		t.Errorf("a visit is %+v", b)
	}
	for range directory.MaxLiveBookings - 1 {
		f.book(ann, wanted(&right, tomorrow))
	}
	if _, _, err := f.Book(t.Context(), ann, wanted(&right, tomorrow), ""); about(err) != "bookings" {
		t.Errorf("one too many: %v", err)
	}
}

// TestParallelSeats has many residents take the places of one slot at once.
func TestParallelSeats(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	l := f.cleaning(firm.ID)
	f.open(&l, 3)
	people := make([]directory.Caller, 40)
	for i := range people {
		people[i] = f.resident()
	}
	var wait sync.WaitGroup
	outcomes := make([]string, len(people))
	ids := make([]string, len(people))
	for i := range people {
		wait.Go(func() {
			b, created, err := f.Book(t.Context(), people[i], wanted(&l, tomorrow), "")
			ids[i] = b.ID
			if outcomes[i] = about(err); created {
				outcomes[i] = "created"
			}
		})
	}
	wait.Wait()
	count := map[string]int{}
	for _, o := range outcomes {
		count[o]++
	}
	if count["created"] != 3 || count["slot_taken"] != len(people)-3 {
		t.Fatalf("the outcomes are %v", count)
	}
	free := func() int {
		slots, err := f.Slots(t.Context(), l.ID, directory.DateOf(tomorrow), 1)
		f.fatal(err)
		for _, s := range slots {
			if s.StartsAt.Equal(tomorrow) {
				return s.Free
			}
		}
		t.Fatalf("no slot at %s: %v", tomorrow, slots)
		return 0
	}
	if n := free(); n != 0 {
		t.Errorf("%d are free of a full slot", n)
	}
	// A place that is given back can be taken again, once.
	i := slices.Index(outcomes, "created")
	f.act(people[i], ids[i], directory.ActCancel)
	if n := free(); n != 1 {
		t.Errorf("%d are free after one was cancelled", n)
	}
	f.book(people[0], wanted(&l, tomorrow))
	if _, _, err := f.Book(t.Context(), people[1], wanted(&l, tomorrow), ""); about(err) != "slot_taken" {
		t.Errorf("after that: %v", err)
	}
	if _, _, err := f.Book(t.Context(), people[1], wanted(&l, tomorrow.Add(time.Hour)), ""); err != nil {
		t.Errorf("the next slot: %v", err)
	}
}

// TestSlotsAfterTheCalendarWasChanged: what was booked by other slots counts.
func TestSlotsAfterTheCalendarWasChanged(t *testing.T) {
	f := newFixture(t)
	firm, _ := f.firm()
	l, ann := f.cleaning(firm.ID), f.resident()
	f.book(ann, wanted(&l, tomorrow.Add(30*time.Minute))) // for two hours, before there was a calendar
	k := f.open(&l, 1)
	for hour, want := range []string{"slot_taken", "slot_taken", "slot_taken", ""} {
		if _, _, err := f.Book(t.Context(), ann, wanted(&l, tomorrow.Add(time.Duration(hour)*time.Hour)), ""); about(err) != want {
			t.Errorf("%d hours later: %v, want %q", hour, err, want)
		}
	}
	k.SlotMinutes, k.Capacity = 180, 2
	if _, err := f.SaveCalendar(t.Context(), &l, 1, k); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SaveCalendar(t.Context(), &l, 1, k); directory.KindOf(err) != directory.Precondition {
		t.Errorf("a version that is gone: %v", err)
	}
	long := time.Date(2026, 11, 24, 9, 0, 0, 0, directory.Shanghai) // 09:00 to 12:00, over the one of 10:30 alone
	if b := f.book(ann, wanted(&l, long)); !b.EndsAt.Equal(long.Add(3 * time.Hour)) {
		t.Errorf("it ends %s", b.EndsAt)
	}
	if _, _, err := f.Book(t.Context(), ann, wanted(&l, long), ""); about(err) != "slot_taken" {
		t.Errorf("a third: %v", err)
	}
}

func TestTheSameKey(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l, ann, ben := f.cleaning(firm.ID), f.resident(), f.resident()
	f.open(&l, 1)
	var wait sync.WaitGroup
	var mu sync.Mutex
	ids, made := map[string]bool{}, 0
	for range 20 {
		wait.Go(func() {
			b, created, err := f.Book(t.Context(), ann, wanted(&l, tomorrow), "key-of-ann")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ids[b.ID] = true; created {
				made++
			}
		})
	}
	wait.Wait()
	if len(ids) != 1 || made != 1 {
		t.Errorf("one key made %d bookings, %d times", len(ids), made)
	}
	another := wanted(&l, tomorrow.Add(time.Hour))
	if _, _, err := f.Book(t.Context(), ann, another, "key-of-ann"); about(err) != "idempotency_key" {
		t.Errorf("the key with another content: %v", err)
	}
	if _, created, err := f.Book(t.Context(), ben, another, "key-of-ann"); !created || err != nil {
		t.Errorf("somebody else's key: %v, %v", created, err)
	}
	f.told("the firm", owner, directory.NoteBookingRequested, directory.NoteBookingRequested)
	f.clock.Advance(72 * time.Hour) // an answer that was lost for long
	if b, created, err := f.Book(t.Context(), ann, wanted(&l, tomorrow), "key-of-ann"); created || err != nil || !ids[b.ID] {
		t.Errorf("much later: %v, %v", created, err)
	}
}

// sweep does what several servers do at once.
func (f *fixture) sweep() {
	f.t.Helper()
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if err := f.Sweep(f.t.Context()); err != nil {
				f.t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestWhatTimeDoesToBookings(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l, ann := f.cleaning(firm.ID), f.resident()
	later := noon.AddDate(0, 0, 10)
	unanswered := f.book(ann, wanted(&l, later))
	forgotten := f.book(ann, wanted(&l, tomorrow))
	done := f.book(ann, wanted(&l, tomorrow))
	f.act(owner, forgotten.ID, directory.ActAccept)
	f.act(owner, done.ID, directory.ActAccept)
	state := func(what string, b directory.Booking, want directory.BookingState) {
		t.Helper()
		if got := f.booking(b.ID); got.State != want || got.Live() != (got.DueAt != nil) {
			t.Errorf("%s is %s and due %v, want %s", what, got.State, got.DueAt, want)
		}
	}
	f.clock.To(noon.Add(directory.AnswerTime - time.Second))
	f.sweep()
	state("the unanswered", unanswered, directory.BookingRequested)
	f.clock.Advance(time.Second)
	f.sweep()
	state("the unanswered", unanswered, directory.BookingExpired)
	if got := f.booking(unanswered.ID).History; len(got) != 2 || got[1].By != directory.ProgramSide {
		t.Errorf("the history is %+v", got)
	}

	completed, err := f.Complete(t.Context(), ann, done.ID, "")
	f.fatal(err)
	f.clock.To(completed.UpdatedAt.Add(directory.RemindAfter - time.Second))
	f.sweep()
	accepted := []directory.NotificationKind{directory.NoteBookingAccepted, directory.NoteBookingAccepted, directory.NoteBookingExpired}
	f.told("the resident", ann, accepted...)
	f.clock.Advance(time.Second)
	f.sweep()
	f.clock.Advance(time.Hour)
	f.sweep()
	f.told("the resident", ann, append(accepted, directory.NoteRateBooking)...)
	if got := f.booking(done.ID); got.RemindedAt == nil || !got.UpdatedAt.Equal(completed.UpdatedAt) {
		t.Errorf("it is %+v", got)
	}

	f.clock.To(forgotten.EndsAt.Add(directory.CompletionTime))
	f.sweep()
	state("the forgotten", forgotten, directory.BookingExpired)

	f.clock.To(completed.UpdatedAt.Add(directory.ContactKept - time.Second))
	f.sweep()
	if f.booking(done.ID).Contact == "" {
		t.Error("the contact was cleared away too early")
	}
	f.clock.Advance(time.Second)
	f.sweep()
	if f.booking(done.ID).Contact != "" || f.booking(forgotten.ID).Contact == "" {
		t.Error("the wrong contacts were cleared away")
	}
}

// TestWhatACrashLeavesUntold stores steps without what follows from them.
func TestWhatACrashLeavesUntold(t *testing.T) {
	f := newFixture(t)
	firm, owner := f.firm()
	l, ann := f.cleaning(firm.ID), f.resident()
	b := f.book(ann, wanted(&l, tomorrow))
	_, err := f.Store.Bookings.Update(t.Context(), b.ID, func(b *directory.Booking) error {
		_, err := b.Take(directory.BookingEvent{Action: directory.ActAccept, By: directory.BusinessSide, At: f.now()})
		return err
	})
	f.fatal(err)
	f.told("the resident", ann)
	f.sweep()
	f.told("the resident", ann, directory.NoteBookingAccepted)
	// An account that is erased cancels what it has booked.
	_, err = f.Store.Bookings.Update(t.Context(), b.ID, func(b *directory.Booking) error {
		b.Forget(f.now())
		return nil
	})
	f.fatal(err)
	f.sweep()
	f.told("the firm", owner, directory.NoteBookingRequested, directory.NoteBookingCancelled)
	if got := f.booking(b.ID); got.Untold() || got.Live() {
		t.Errorf("it is %+v", got)
	}
}

// leadsTo is the state after each step, by which a history is replayed.
var leadsTo = map[directory.BookingAction]directory.BookingState{
	directory.ActRequest: directory.BookingRequested, directory.ActQuote: directory.BookingQuoted, directory.ActChoose: directory.BookingAccepted,
	directory.ActAccept: directory.BookingAccepted, directory.ActDecline: directory.BookingDeclined, directory.ActStart: directory.BookingInProgress,
	directory.ActComplete: directory.BookingCompleted, directory.ActRate: directory.BookingRated, directory.ActCancel: directory.BookingCancelled,
	directory.ActNoShow: directory.BookingNoShow, directory.ActExpire: directory.BookingExpired,
}

// TestRandomLives has residents and firms do what they like, and the clock run, and
// looks after each step whether everything is still as it has to be.
func TestRandomLives(t *testing.T) {
	seen := map[directory.BookingState]bool{}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(seed, 7)), 300, seen) })
	}
	for _, s := range directory.BookingStates {
		if !seen[directory.BookingState(s.Code)] {
			t.Errorf("nothing was ever %s, so that this shows little", s.Code)
		}
	}
}

func randomLife(t *testing.T, r *rand.Rand, steps int, seen map[directory.BookingState]bool) {
	f := newFixture(t)
	f.Random = rand.NewChaCha8([32]byte{byte(r.Uint32())}) // so that the ids are in one order every time
	ctx := t.Context()
	var owners []directory.Caller
	var listings []directory.Listing
	for range 2 {
		firm, owner := f.firm()
		owners, listings = append(owners, owner), append(listings, f.cleaning(firm.ID))
	}
	k := f.open(&listings[0], 2)
	version := int64(1)
	people := []directory.Caller{f.resident(), f.resident(), f.resident()}
	everybody := slices.Concat(people, owners)
	var docs []store.Doc[directory.Booking]
	// Most often it is a live booking and somebody whom it concerns.
	anything := func() (id string, who directory.Caller) {
		b := docs[r.IntN(len(docs))].Value
		for range 10 {
			if b.Live() {
				break
			}
			b = docs[r.IntN(len(docs))].Value
		}
		who = everybody[r.IntN(len(everybody))]
		for range 10 {
			if b.SideOf(&who) != "" {
				break
			}
			who = everybody[r.IntN(len(everybody))]
		}
		return b.ID, who
	}
	for n := range steps {
		var err error
		switch what := r.IntN(14); {
		case what < 3 || len(docs) == 0:
			w := wanted(&listings[min(1, r.IntN(4)/3)], f.clock.Now().Truncate(time.Hour).Add(time.Duration(1+r.IntN(5))*time.Hour))
			if r.IntN(4) == 0 {
				w = Wanted{Kind: directory.CustomBooking, Category: "cleaning", Region: "630102", Wish: "擦玻璃", StartsAt: w.StartsAt, Contact: w.Contact}
			}
			var b directory.Booking
			var created bool
			if b, created, err = f.Book(ctx, people[r.IntN(len(people))], w, ""); created {
				f.checkSlot(&b, &k)
			}
		case what == 4:
			owner := r.IntN(len(owners))
			id, _ := anything()
			_, err = f.Quote(ctx, owners[owner], id, directory.Quote{Listing: listings[owner].ID, Price: int64(1 + r.IntN(2))})
		case what == 5:
			id, who := anything()
			_, err = f.Choose(ctx, who, id, listings[r.IntN(len(listings))].OrganizationID, 1)
		case what == 6:
			id, who := anything()
			code := f.CompletionCode(id)
			if r.IntN(2) == 0 {
				code = other(code)
			}
			_, err = f.Complete(ctx, who, id, code)
		case what == 7:
			for range 10 { // few are done
				b := docs[r.IntN(len(docs))].Value
				if err = f.markRated(ctx, b.ID); b.State == directory.BookingCompleted {
					break
				}
			}
		case what == 8:
			f.clock.Advance(time.Duration(r.IntN(120)) * time.Minute)
			err = f.Sweep(ctx)
		case what == 9 && r.IntN(4) == 0:
			f.clock.Advance(time.Duration(r.IntN(9*24)) * time.Hour)
			err = f.Sweep(ctx)
		case what == 10 && r.IntN(4) == 0:
			k.SlotMinutes, k.Capacity = 30*(1+r.IntN(4)), 1+r.IntN(3)
			doc, saveErr := f.SaveCalendar(ctx, &listings[0], version, k)
			version, err = doc.Version, saveErr
		default:
			actions := []directory.BookingAction{directory.ActAccept, directory.ActAccept, directory.ActAccept, directory.ActStart, directory.ActDecline, directory.ActCancel, directory.ActNoShow}
			id, who := anything()
			_, err = f.Step(ctx, who, id, directory.BookingEvent{Action: actions[r.IntN(len(actions))], Reason: "busy"})
		}
		if err != nil && directory.KindOf(err) == "" {
			t.Fatalf("step %d: %v", n, err)
		}
		docs, err = f.Store.Bookings.All(ctx, store.Query{})
		f.fatal(err)
		for _, d := range docs {
			checkBooking(t, &d.Value)
			seen[d.Value.State] = true
		}
	}
}

// checkSlot looks whether a slot holds more than the calendar lets it, right after one
// more was booked.
func (f *fixture) checkSlot(b *directory.Booking, k *directory.BookingCalendar) {
	f.t.Helper()
	if b.Listing != k.Listing {
		return
	}
	docs, err := f.Store.Bookings.All(f.t.Context(), store.Where(store.Equal("listing", k.Listing)))
	f.fatal(err)
	n := 0
	for _, d := range docs {
		if v := d.Value; v.Live() && v.StartsAt.Before(b.EndsAt) && v.EndsAt.After(b.StartsAt) {
			n++
		}
	}
	if n > k.Capacity {
		f.t.Errorf("a slot of %d has %d bookings", k.Capacity, n)
	}
}

// checkBooking looks whether a booking contradicts itself.
func checkBooking(t *testing.T, b *directory.Booking) {
	t.Helper()
	last := b.History[len(b.History)-1]
	if leadsTo[last.Action] != b.State || b.History[0].Action != directory.ActRequest {
		t.Errorf("it is %s after %+v", b.State, b.History)
	}
	for i, e := range b.History[1:] {
		if e.At.Before(b.History[i].At) {
			t.Errorf("the history goes back in time: %+v", b.History)
		}
	}
	if b.Live() != (b.DueAt != nil) {
		t.Errorf("it is %s and due %v", b.State, b.DueAt)
	}
	if b.Untold() {
		t.Errorf("somebody was not told: %+v", b)
	}
	chosen := slices.ContainsFunc(b.History, func(e directory.BookingEvent) bool { return e.Action == directory.ActChoose })
	if b.Kind == directory.CustomBooking && (chosen != (b.Organization != "") || chosen != (b.Listing != "")) {
		t.Errorf("a request of %q after %+v", b.Organization, b.History)
	}
	quotes := 0
	for _, e := range b.History {
		if e.Action == directory.ActQuote {
			quotes++
		}
	}
	if quotes != len(b.Quotes) {
		t.Errorf("%d quotes after %+v", len(b.Quotes), b.History)
	}
}
