package consumer

import (
	"testing"

	"qingfu/directory"
	"qingfu/store"
)

// request asks for something made to measure in 城中区.
func (f *fixture) request(caller directory.Caller, category string) directory.Booking {
	f.t.Helper()
	return f.book(caller, Wanted{
		Kind: directory.CustomBooking, Category: category, Region: "630103", Wish: "每周两次，照顾老人并打扫", Budget: 200000, StartsAt: noon.AddDate(0, 0, 7),
		Contact: directory.BookingContact{Address: "南大街2号"},
	})
}

func TestARequestAndTwoFirms(t *testing.T) {
	f := newFixture(t)
	ann := f.resident()
	a, anna := f.firm()
	b, bert := f.firm()
	la, lb := f.cleaning(a.ID), f.cleaning(b.ID)
	_, eve := f.firm() // serves nothing
	made := f.request(ann, "cleaning")
	for who, caller := range map[string]directory.Caller{"a": anna, "b": bert} {
		f.told(who, caller, directory.NoteRequestOpen)
		docs, next, err := f.Requests(t.Context(), caller.Grants[0].Organization, 10, nil)
		if err != nil || len(docs) != 1 || next != nil || docs[0].Value.ID != made.ID {
			t.Errorf("%s finds %v, %v, %v", who, docs, next, err)
		}
		if _, err := f.Booking(t.Context(), caller, made.ID); err != nil {
			t.Errorf("%s cannot see the request: %v", who, err)
		}
	}
	f.told("eve", eve)
	if _, err := f.Booking(t.Context(), eve, made.ID); directory.KindOf(err) != directory.Forbidden {
		t.Errorf("eve sees the request: %v", err)
	}
	if docs, _, err := f.Requests(t.Context(), eve.Grants[0].Organization, 10, nil); len(docs) != 0 || err != nil {
		t.Errorf("eve finds %v, %v", docs, err)
	}

	quote := func(caller directory.Caller, l directory.Listing, price int64) error {
		_, err := f.Quote(t.Context(), caller, made.ID, directory.Quote{Listing: l.ID, Price: price, Text: "电话13800138000"})
		return err
	}
	for _, tc := range []struct {
		name   string
		caller directory.Caller
		l      directory.Listing
		price  int64
		want   string
	}{
		{"another's listing, no price", anna, lb, 0, "/price too_small, /listing unknown_value"},
		{"a listing that is not there", anna, directory.Listing{ID: made.ID}, 1, "/listing unknown_value"},
		{"a", anna, la, 180000, ""},
		{"a again", anna, la, 180000, ""},
		{"b", bert, lb, 170000, ""},
		{"a changes", anna, la, 160000, ""},
	} {
		if err := quote(tc.caller, tc.l, tc.price); about(err) != tc.want || (err == nil) != (tc.want == "") {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	f.told("the resident", ann, directory.NoteBookingQuoted, directory.NoteBookingQuoted)
	stored := f.booking(made.ID)
	if q := stored.QuoteOf(a.ID); q == nil || q.Price != 160000 || q.Text != "电话***********" {
		t.Errorf("the quote is %+v", q)
	}
	if _, err := f.Choose(t.Context(), anna, made.ID, a.ID, 160000); directory.KindOf(err) != directory.Forbidden {
		t.Errorf("a firm chooses itself: %v", err)
	}
	if _, err := f.Step(t.Context(), anna, made.ID, directory.BookingEvent{Action: directory.ActAccept}); directory.KindOf(err) != directory.Forbidden {
		t.Errorf("a firm accepts what it was not chosen for: %v", err)
	}
	if _, err := f.Choose(t.Context(), ann, made.ID, a.ID, 180000); about(err) != "quote_changed" {
		t.Errorf("the price before: %v", err)
	}
	chosen, err := f.Choose(t.Context(), ann, made.ID, b.ID, 170000)
	if err != nil || chosen.Listing != lb.ID || chosen.State != directory.BookingAccepted {
		t.Errorf("%+v, %v", chosen, err)
	}
	f.told("b", bert, directory.NoteRequestOpen, directory.NoteBookingChosen)
	f.told("a", anna, directory.NoteRequestOpen)
	if docs, _, err := f.Requests(t.Context(), a.ID, 10, nil); len(docs) != 0 || err != nil {
		t.Errorf("it is still asked: %v, %v", docs, err)
	}
	if _, err := f.Booking(t.Context(), anna, made.ID); err != nil {
		t.Errorf("a does not see any more what it has quoted on: %v", err)
	}
}

func TestWhoCannotQuote(t *testing.T) {
	f := newFixture(t)
	ann := f.resident()
	firm, owner := f.firm()
	l := f.cleaning(firm.ID)
	made := f.request(ann, "cleaning")
	elsewhere := f.request(ann, "elder_home")
	service := f.book(ann, wanted(&l, tomorrow))
	q := directory.Quote{Listing: l.ID, Price: 1}
	if _, err := f.Quote(t.Context(), owner, elsewhere.ID, q); about(err) != "/listing mismatch" {
		t.Errorf("another category: %v", err)
	}
	if _, err := f.Quote(t.Context(), owner, service.ID, q); about(err) != "booking_state" {
		t.Errorf("a booking of a service: %v", err)
	}
	own := f.request(owner, "cleaning")
	if _, err := f.Quote(t.Context(), owner, own.ID, q); about(err) != "own_service" {
		t.Errorf("one's own request: %v", err)
	}
	set := func(state directory.OrganizationState) {
		_, err := f.Store.Organizations.Update(t.Context(), firm.ID, func(o *directory.Organization) error {
			o.State = state
			return nil
		})
		f.fatal(err)
	}
	set(directory.OrganizationPending)
	if _, err := f.Quote(t.Context(), owner, made.ID, q); about(err) != "not_verified" {
		t.Errorf("papers that nobody has seen: %v", err)
	}
	set(directory.OrganizationVerified)
	if _, err := f.Quote(t.Context(), owner, made.ID, q); err != nil {
		t.Fatal(err)
	}
	set(directory.OrganizationRefused)
	if _, err := f.Choose(t.Context(), ann, made.ID, firm.ID, 1); about(err) != "not_bookable" {
		t.Errorf("a firm that was refused meanwhile: %v", err)
	}
	f.clock.Advance(directory.QuoteTime)
	f.sweep()
	if got := f.booking(made.ID); got.State != directory.BookingExpired {
		t.Errorf("after three days it is %s", got.State)
	}
	f.told("the firm", owner, directory.NoteRequestOpen, directory.NoteBookingRequested, directory.NoteRequestOpen, directory.NoteBookingExpired,
		directory.NoteBookingExpired, directory.NoteBookingExpired) // of the request, its own and the service
}

// TestAtMostTwentyFirmsAreTold: a firm with many listings is one of them.
func TestAtMostTwentyFirmsAreTold(t *testing.T) {
	f := newFixture(t)
	for range askedFirms + 3 {
		firm, _ := f.firm()
		f.cleaning(firm.ID)
		f.cleaning(firm.ID)
	}
	f.cleaning("") // of nobody
	f.request(f.resident(), "cleaning")
	docs, err := f.Store.Notifications.All(t.Context(), store.Query{})
	f.fatal(err)
	told := map[string]int{}
	for _, d := range docs {
		if d.Value.Kind == directory.NoteRequestOpen {
			told[d.Value.Account]++
		}
	}
	if len(told) != askedFirms {
		t.Errorf("%d were told, want %d", len(told), askedFirms)
	}
	for account, n := range told {
		if n != 1 {
			t.Errorf("%s was told %d times", account, n)
		}
	}
}
