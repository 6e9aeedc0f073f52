package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// bookedFor is when the bookings of these tests begin, and bookedAt when they were made.
var (
	bookedAt  = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	bookedFor = bookedAt.Add(48 * time.Hour)
)

// bookingIn is a booking in a state.
func bookingIn(state BookingState) Booking {
	b := Booking{ID: "b", Kind: ServiceBooking, Account: "ann", Organization: "firm", StartsAt: bookedFor, EndsAt: bookedFor.Add(2 * time.Hour)}
	b.Begin(bookedAt)
	b.State, b.DueAt = state, b.due(state)
	return b
}

// allowed is every step that can be taken, and where it leads.
var allowed = map[string]BookingState{
	"requested quote business": BookingQuoted, "quoted quote business": BookingQuoted,
	"quoted choose resident":    BookingAccepted,
	"requested accept business": BookingAccepted, "requested decline business": BookingDeclined,
	"accepted start business":    BookingInProgress,
	"accepted complete resident": BookingCompleted, "in_progress complete resident": BookingCompleted,
	"accepted complete business": BookingCompleted, "in_progress complete business": BookingCompleted,
	"completed rate resident":   BookingRated,
	"requested cancel resident": BookingCancelled, "quoted cancel resident": BookingCancelled, "accepted cancel resident": BookingCancelled,
	"requested cancel business": BookingCancelled, "quoted cancel business": BookingCancelled, "accepted cancel business": BookingCancelled,
	"accepted no_show resident": BookingNoShow, "in_progress no_show resident": BookingNoShow, "accepted no_show business": BookingNoShow,
	"requested expire program": BookingExpired, "quoted expire program": BookingExpired, "accepted expire program": BookingExpired, "in_progress expire program": BookingExpired,
}

func TestEveryStepOfABooking(t *testing.T) {
	actions := []BookingAction{ActRequest, ActQuote, ActChoose, ActAccept, ActDecline, ActStart, ActComplete, ActRate, ActCancel, ActNoShow, ActExpire}
	taken := 0
	for _, state := range BookingStates {
		for _, action := range actions {
			for _, side := range []Side{ResidentSide, BusinessSide, OfficialSide, ProgramSide, ""} {
				name := fmt.Sprintf("%s %s %s", state.Code, action, side)
				b := bookingIn(BookingState(state.Code))
				e := BookingEvent{Action: action, By: side, At: bookedFor.Add(time.Hour)}
				switch action {
				case ActCancel:
					e.At = bookedFor.Add(-time.Hour)
				case ActExpire:
					e.At = bookedFor.AddDate(0, 1, 0)
				}
				before := b
				changed, err := b.Take(e)
				to, can := allowed[name]
				if can {
					taken++
					if !changed || err != nil || b.State != to || b.History[len(b.History)-1] != e || !b.UpdatedAt.Equal(e.At) {
						t.Errorf("%s: %v, %v, now %+v", name, changed, err, b)
					}
					if b.Live() != (b.DueAt != nil) {
						t.Errorf("%s: it is live: %t, and due %v", name, b.Live(), b.DueAt)
					}
					continue
				}
				want := Forbidden
				for step := range allowed {
					if strings.HasSuffix(step, fmt.Sprintf(" %s %s", action, side)) {
						want = Conflict
					}
				}
				if changed || KindOf(err) != want || b.State != before.State || len(b.History) != len(before.History) {
					t.Errorf("%s: %v, %v, want %s", name, changed, err, want)
				}
			}
		}
	}
	if taken != len(allowed) {
		t.Errorf("%d steps were taken, want %d", taken, len(allowed))
	}
}

// about is what a Conflict is about, "" for none.
func about(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == Conflict {
		return e.What
	}
	return ""
}

func TestStepsHaveTheirTime(t *testing.T) {
	for _, tc := range []struct {
		state  BookingState
		action BookingAction
		by     Side
		at     time.Duration // from the start
		about  string
	}{
		{BookingAccepted, ActStart, BusinessSide, -12 * time.Hour, ""}, // they have met earlier
		{BookingAccepted, ActComplete, ResidentSide, -12 * time.Hour, ""},
		{BookingAccepted, ActNoShow, ResidentSide, NoShowAfter - 1, "too_early"},
		{BookingAccepted, ActNoShow, BusinessSide, NoShowAfter, ""},
		{BookingAccepted, ActCancel, BusinessSide, -1, ""},
		{BookingAccepted, ActCancel, BusinessSide, 0, "too_late"},
		{BookingAccepted, ActCancel, ResidentSide, time.Hour, ""},
		{BookingRequested, ActExpire, ProgramSide, -24*time.Hour - 1, "booking_state"}, // a day after it was made is a day before it begins
		{BookingRequested, ActExpire, ProgramSide, -24 * time.Hour, ""},
		{BookingAccepted, ActExpire, ProgramSide, 2*time.Hour + CompletionTime - 1, "booking_state"},
		{BookingAccepted, ActExpire, ProgramSide, 2*time.Hour + CompletionTime, ""},
	} {
		b := bookingIn(tc.state)
		if _, err := b.Take(BookingEvent{Action: tc.action, By: tc.by, At: bookedFor.Add(tc.at)}); about(err) != tc.about || (err == nil) != (tc.about == "") {
			t.Errorf("%s %s by %s at %s: %v, want %q", tc.state, tc.action, tc.by, tc.at, err, tc.about)
		}
	}
	soon := bookingIn(BookingRequested)
	soon.StartsAt = bookedAt.Add(time.Hour)
	if due := soon.due(BookingRequested); !due.Equal(soon.StartsAt) {
		t.Errorf("a booking for an hour later is due %s", due)
	}
	request := bookingIn(BookingQuoted)
	request.Kind, request.StartsAt = CustomBooking, bookedAt.AddDate(0, 0, 30)
	if due := request.due(BookingQuoted); !due.Equal(bookedAt.Add(QuoteTime)) {
		t.Errorf("a request is due %s", due)
	}
}

func TestAStepTwice(t *testing.T) {
	b := bookingIn(BookingRequested)
	accept := BookingEvent{Action: ActAccept, By: BusinessSide, At: bookedAt.Add(time.Hour)}
	for again := range 2 {
		if changed, err := b.Take(accept); changed != (again == 0) || err != nil {
			t.Errorf("%d: %v, %v", again, changed, err)
		}
	}
	cancel := BookingEvent{Action: ActCancel, By: ResidentSide, At: bookedAt.Add(2 * time.Hour)}
	if _, err := b.Take(cancel); err != nil {
		t.Error(err)
	}
	cancel.By = BusinessSide // the other side has not done it
	if changed, err := b.Take(cancel); changed || about(err) != "booking_state" {
		t.Errorf("%v, %v", changed, err)
	}
	if len(b.History) != 3 {
		t.Errorf("the history is %+v", b.History)
	}
}

func TestCompletionTries(t *testing.T) {
	b := bookingIn(BookingAccepted)
	e := BookingEvent{Action: ActComplete, By: BusinessSide, At: bookedFor}
	for n := range CompletionTries {
		if changed, err := b.Complete(e, false); !changed || KindOf(err) != Invalid || b.Tries != n+1 || b.State != BookingAccepted || len(b.History) != 1 {
			t.Errorf("wrong code %d: %v, %v, %+v", n, changed, err, b)
		}
	}
	if changed, err := b.Complete(e, true); changed || about(err) != "code_tries" {
		t.Errorf("the right code after too many wrong ones: %v, %v", changed, err)
	}
	e.By = ResidentSide
	if changed, err := b.Take(e); !changed || err != nil {
		t.Errorf("the resident: %v, %v", changed, err)
	}
	b = bookingIn(BookingAccepted)
	e.By = BusinessSide
	for again := range 2 {
		if changed, err := b.Complete(e, again == 0); changed != (again == 0) || err != nil || b.State != BookingCompleted {
			t.Errorf("the right code: %v, %v, %+v", changed, err, b)
		}
	}
}

func TestQuotesAndChoice(t *testing.T) {
	b := bookingIn(BookingRequested)
	b.Kind, b.Organization = CustomBooking, ""
	quote := func(firm string, price int64, at time.Duration) (bool, error) {
		return b.Offer(Quote{Listing: "of " + firm, Organization: firm, Price: price, At: bookedAt.Add(at)})
	}
	for _, tc := range []struct {
		firm    string
		price   int64
		changed bool
	}{{"a", 100, true}, {"a", 100, false}, {"b", 90, true}, {"a", 95, true}} {
		if changed, err := quote(tc.firm, tc.price, time.Hour); changed != tc.changed || err != nil {
			t.Errorf("%+v: %v, %v", tc, changed, err)
		}
	}
	if len(b.Quotes) != 2 || b.QuoteOf("a").Price != 95 || b.State != BookingQuoted || len(b.History) != 3 {
		t.Errorf("%+v", b)
	}
	for i := len(b.Quotes); i < maxQuotes; i++ {
		if _, err := quote(fmt.Sprint(i), 1, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := quote("one too many", 1, time.Hour); about(err) != "quotes" {
		t.Errorf("one quote too many: %v", err)
	}
	if _, err := b.Take(BookingEvent{Action: ActAccept, By: BusinessSide, At: bookedAt}); KindOf(err) != Forbidden {
		t.Errorf("a firm that was not chosen accepts: %v", err)
	}
	now := bookedAt.Add(2 * time.Hour)
	if _, err := b.Choose("nobody", 1, now); KindOf(err) != Invalid {
		t.Errorf("a firm without a quote: %v", err)
	}
	if _, err := b.Choose("a", 100, now); about(err) != "quote_changed" {
		t.Errorf("the price before: %v", err)
	}
	for again := range 2 {
		if changed, err := b.Choose("a", 95, now); changed != (again == 0) || err != nil || b.Organization != "a" || b.Listing != "of a" || b.State != BookingAccepted {
			t.Errorf("%v, %v, %+v", changed, err, b)
		}
	}
	if _, err := b.Choose("b", 90, now); about(err) != "booking_state" {
		t.Errorf("another after that: %v", err)
	}
	if _, err := quote("b", 80, 3*time.Hour); about(err) != "booking_state" {
		t.Errorf("a quote after the choice: %v", err)
	}
}

func TestWhoSeesWhat(t *testing.T) {
	for _, state := range BookingStates {
		b := bookingIn(BookingState(state.Code))
		running := slices.Contains([]BookingState{BookingRequested, BookingQuoted, BookingAccepted, BookingInProgress}, b.State)
		if !b.ShowsContact(ResidentSide) || b.ShowsContact(BusinessSide) != running || b.ShowsContact("") || b.ShowsContact(OfficialSide) {
			t.Errorf("%s: the contact is shown to the wrong side", state.Code)
		}
		coming := b.State == BookingAccepted || b.State == BookingInProgress
		if b.ShowsCode(ResidentSide) != coming || b.ShowsCode(BusinessSide) || b.ShowsCode("") {
			t.Errorf("%s: the code is shown to the wrong side", state.Code)
		}
	}
	b := bookingIn(BookingRequested)
	ann, ben := Caller{Account: "ann"}, Caller{Account: "ben", Grants: []Grant{{Role: Staff, Organization: "firm"}}}
	if b.SideOf(&ann) != ResidentSide || b.SideOf(&ben) != BusinessSide || b.SideOf(&Caller{Account: "eve"}) != "" {
		t.Error("the sides are wrong")
	}
	b.Account, b.Organization = "", ""
	if b.SideOf(&Caller{}) != "" || b.SideOf(&ben) != "" {
		t.Error("nobody's booking is somebody's")
	}
}

func TestForgetABooking(t *testing.T) {
	b := bookingIn(BookingAccepted)
	b.Contact, b.Once, b.Asked, b.Wish, b.For, b.Told = "sealed", "ann key", "hash", "wish", "member", len(b.History)
	if !b.Forget(bookedAt) || b.Forget(bookedAt) {
		t.Error("it is not forgotten once")
	}
	if b.Account+b.Contact+b.Once+b.Asked+b.Wish+b.For != "" || b.State != BookingCancelled || b.DueAt != nil || !b.Untold() {
		t.Errorf("it is %+v", b)
	}
}

func TestBookingIsValidated(t *testing.T) {
	regions := testRegions(t)
	right := func() (Booking, BookingContact) {
		return Booking{Kind: ServiceBooking, Region: "630102", StartsAt: bookedFor, EndsAt: bookedFor.Add(time.Hour)},
			BookingContact{Name: "卓玛", Phone: "13800138000", Address: "东关大街1号"}
	}
	for _, tc := range []struct {
		name   string
		change func(*Booking, *BookingContact)
		want   string
	}{
		{"nothing", func(*Booking, *BookingContact) {}, ""},
		{"everything", func(b *Booking, c *BookingContact) {
			*b, *c = Booking{Kind: CustomBooking, Budget: -1}, BookingContact{}
		}, "/category unknown_value, /wish required, /budget too_small, /region required, /contact/address required, /starts_at too_small, /ends_at too_small, /contact/name required, /contact/phone required"},
		{"a wish of two lines", func(b *Booking, _ *BookingContact) {
			b.Kind, b.Category, b.Wish = CustomBooking, "cleaning", "一\n二"
		}, ""},
		{"a prefecture", func(b *Booking, _ *BookingContact) { b.Region = "630100" }, "/region unknown_value"},
		{"too far ahead", func(b *Booking, _ *BookingContact) {
			b.StartsAt = bookedAt.AddDate(0, 0, MaxBookDays+1)
			b.EndsAt = b.StartsAt.Add(MaxBookLength + 1)
		}, "/starts_at too_large, /ends_at too_large"},
		{"a visit needs no address", func(b *Booking, c *BookingContact) { b.Kind, b.Region, c.Address = VisitBooking, "", "" }, ""},
		{"a phone that is none", func(_ *Booking, c *BookingContact) { c.Phone = "12345" }, "/contact/phone bad_format"},
	} {
		b, c := right()
		tc.change(&b, &c)
		if got := fieldsOf(b.Validate(&c, bookedAt, regions)); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.name, got, tc.want)
		}
	}
	for _, tc := range []struct {
		event BookingEvent
		want  string
	}{
		{BookingEvent{Action: ActCancel}, "/reason required"},
		{BookingEvent{Action: ActDecline, Reason: "busy"}, ""},
		{BookingEvent{Action: ActDecline, Reason: "no"}, "/reason unknown_value"},
		{BookingEvent{Action: ActCancel, Reason: "other"}, "/text required"},
		{BookingEvent{Action: ActCancel, Reason: "other", Text: "一\n二"}, ""},
		{BookingEvent{Action: ActNoShow}, ""},
	} {
		if got := fieldsOf(tc.event.Validate()); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.event, got, tc.want)
		}
	}
	if got := fieldsOf((&Quote{}).Validate()); got != "/price too_small" {
		t.Errorf("a quote without a price: %s", got)
	}
	if got := fieldsOf((&BookingCalendar{}).Validate()); got != "/slot_minutes too_small, /capacity too_small, /horizon_days too_small" {
		t.Errorf("an empty calendar: %s", got)
	}
}

// fieldsOf lists the wrong fields of an error with their codes.
func fieldsOf(err error) string {
	var out []string
	if e, ok := errors.AsType[*Error](err); ok {
		for _, f := range e.Fields {
			out = append(out, f.Pointer+" "+f.Code)
		}
	}
	return strings.Join(out, ", ")
}

func TestSlots(t *testing.T) {
	var hours Hours
	for _, day := range []*[]Interval{&hours.Week.Mon, &hours.Week.Tue} {
		*day = []Interval{{9 * 60, 12 * 60}, {22 * 60, 1*60 + 30}} // the second past midnight
	}
	k := BookingCalendar{Listing: "l", Hours: hours, SlotMinutes: 60, Capacity: 1, NoticeMinutes: 30, HorizonDays: 7}
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, Shanghai)
	for _, tc := range []struct {
		name string
		day  Date
		now  time.Time
		want string
	}{
		{"a day ahead", "2026-11-24", monday, "00:00 09:00 10:00 11:00 22:00 23:00"}, // of a slot that began on Monday first
		{"today", "2026-11-23", monday.Add(9*time.Hour + 30*time.Minute), "10:00 11:00 22:00 23:00"},
		{"a minute too late for one", "2026-11-23", monday.Add(9*time.Hour + 31*time.Minute), "11:00 22:00 23:00"},
		{"the day after", "2026-11-25", monday, "00:00"},
		{"a day without hours", "2026-11-26", monday, ""},
		{"the edge of the horizon", "2026-11-30", monday.Add(10 * time.Hour), "09:00 10:00"},
		{"no day", "2026-02-31", monday, ""},
	} {
		var got []string
		for _, s := range k.Slots(tc.day, tc.now, nil) {
			if DateOf(s) != tc.day {
				t.Errorf("%s: %s is of another day", tc.name, s)
			}
			got = append(got, s.In(Shanghai).Format("15:04"))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestSeats(t *testing.T) {
	k := BookingCalendar{Listing: "l", SlotMinutes: 60, Capacity: 3}
	at := bookedFor
	held := func(start time.Duration, seat string) Booking {
		b := bookingIn(BookingAccepted)
		b.ID = fmt.Sprint(start, seat)
		b.StartsAt, b.EndsAt, b.Seat = at.Add(start), at.Add(start+time.Hour), seat
		return b
	}
	over := held(0, k.seat(at, 0))
	over.State = BookingCompleted
	for _, tc := range []struct {
		name     string
		bookings []Booking
		want     []int
	}{
		{"nobody", nil, []int{0, 1, 2}},
		{"one", []Booking{held(0, k.seat(at, 1))}, []int{0, 2}},
		{"full", []Booking{held(0, k.seat(at, 0)), held(0, k.seat(at, 1)), held(0, k.seat(at, 2))}, nil},
		{"one that is over", []Booking{over}, []int{0, 1, 2}},
		{"one before and one after", []Booking{held(-time.Hour, "x"), held(time.Hour, "y")}, []int{0, 1, 2}},
		{"one that overlaps", []Booking{held(30*time.Minute, "x")}, []int{0, 1}},
		{"one from before there was a calendar", []Booking{held(0, "")}, []int{0, 1}},
		{"one that overlaps beside the last place", []Booking{held(-30*time.Minute, "x"), held(0, k.seat(at, 2))}, []int{0}},
		{"of a larger capacity", []Booking{held(0, k.seat(at, 1)), held(0, k.seat(at, 3)), held(0, k.seat(at, 4))}, nil},
		{"too many", []Booking{held(0, "a"), held(0, "b"), held(0, "c"), held(0, "d")}, nil},
	} {
		var want []string
		for _, n := range tc.want {
			want = append(want, k.seat(at, n))
		}
		if got := k.Seats(at, tc.bookings); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", tc.name, got, want)
		}
	}
}
