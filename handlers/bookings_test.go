package handlers

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	qr "github.com/piglig/go-qr"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// calendarBody is a calendar of slots of an hour around the clock.
func calendarBody(capacity int) string {
	return fmt.Sprintf(`{"hours":{"always":true},"slot_minutes":60,"capacity":%d,"notice_minutes":0,"horizon_days":60}`, capacity)
}

// tomorrow is when most bookings of these tests begin, a Tuesday at nine.
var tomorrow = noon.Add(22 * time.Hour)

var bookedFirms atomic.Int64

// service publishes a cleaning service in 城东区 of a new organization, which serves
// 城中区, too. Its owner is returned with it.
func (f *fixture) service(t *testing.T) (owner walk, organization, listing string) {
	t.Helper()
	organization = fmt.Sprintf("01a192b0-7400-7000-8000-0000000b%04d", bookedFirms.Add(1))
	f.organization(t, organization, "630102")
	owner = f.person(t, directory.Grant{Role: directory.Owner, Organization: organization})
	made := owner.step(201, "POST", "/v1/organizations/"+organization+"/listings", `{"kind":"domestic_service","names":{"zh":"湟水保洁`+organization[32:]+`"},
		"region":"630102","categories":["cleaning"],"phone":"0971-6101010","domestic_service":{"counties_served":["630103"]},
		"offerings":[{"category":"cleaning","name":"日常保洁","unit":"hour","price_min":4000,"price_max":5000}]}`)
	listing, _ = textOf(made, "id")
	owner.step(200, "POST", "/v1/listings/"+listing+"/proposal:submit", "", "If-Match", "*")
	walk{f, t, f.as(t, admin)}.step(200, "POST", "/v1/reviews/"+listing+"/decision", `{"outcome":"approved"}`, "If-Match", "*")
	return owner, organization, listing
}

// cleaningBody is the body of a booking of a cleaning.
func cleaningBody(listing string, at time.Time, more string) string {
	return `{"kind":"service","listing":"` + listing + `","offering":"日常保洁","starts_at":"` + at.Format(time.RFC3339) + `",` +
		`"contact":{"name":"卓玛","phone":"13700137000","address":"东关大街1号"}` + more + `}`
}

// book makes a booking and returns its id.
func (w walk) book(body string) string {
	w.t.Helper()
	id, _ := textOf(w.step(201, "POST", "/v1/bookings", body), "id")
	return id
}

// TestABookingForAParent follows a new user who books for an elderly parent, from the
// first look at the slots to the completion code and the export.
func TestABookingForAParent(t *testing.T) {
	f := newFixture(t, nil)
	owner, organization, listing := f.service(t)
	slots := "/v1/listings/" + listing + "/slots?from=2026-11-24&days=1"
	stranger := walk{fixture: f, t: t}
	stranger.want(stranger.step(404, "GET", slots, ""), map[string]any{"detail": "*"}) // it keeps no calendar
	owner.want(owner.step(201, "PUT", "/v1/listings/"+listing+"/calendar", calendarBody(1)), map[string]any{"capacity": 1.0, "listing": listing})
	stranger.want(stranger.step(200, "GET", slots, ""), map[string]any{"items.#": 24.0, "items.9.starts_at": tomorrow.UTC().Format(time.RFC3339), "items.9.free": 1.0})

	child := f.person(t)
	parent, _ := textOf(child.step(200, "PATCH", "/v1/me", `{"name":"扎西","family":[{"name":"央金","relation":"parent","birth_year":1950}]}`, "If-Match", "*"), "family.0.id")
	body := `{"kind":"service","listing":"` + listing + `","offering":"日常保洁","starts_at":"2026-11-24T09:00:00+08:00","wish":"擦玻璃，门禁找13800138000",` +
		`"for":"` + parent + `","region":"630103","contact":{"address":"南大街2号","notes":"老人耳背，请大声敲门"}}`
	made := child.step(201, "POST", "/v1/bookings", body, "Idempotency-Key", "parent-booking-1")
	child.want(made, map[string]any{
		"kind": "service", "state": "requested", "state_name": "待确认", "side": "resident", "listing.id": listing, "listing.phone": "0971-6101010",
		"organization.id": organization, "organization.name": "湟水养老服务有限公司", "region.code": "630103", "category.name": "居家保洁", "offering.price_min": 4000.0,
		"wish": "擦玻璃，门禁找***********", "ends_at": "2026-11-24T02:00:00Z", "due_at": "*", "completion_code": nil, "history.#": 1.0, "quotes.#": 0.0, "quoted": false,
		"contact.name": "扎西", "contact.address": "南大街2号", "contact.person": "央金", "contact.relation": "parent",
	})
	id, _ := textOf(made, "id")
	path := "/v1/bookings/" + id
	child.want(child.step(200, "POST", "/v1/bookings", body, "Idempotency-Key", "parent-booking-1"), map[string]any{"id": id})
	child.want(child.step(409, "POST", "/v1/bookings", strings.Replace(body, "擦玻璃", "擦地", 1), "Idempotency-Key", "parent-booking-1"), map[string]any{"detail": "*"})
	child.want(child.step(409, "POST", "/v1/bookings", body), map[string]any{"detail": "这个时段已约满，请换一个时段。"})
	stranger.want(stranger.step(200, "GET", slots, ""), map[string]any{"items.9.free": 0.0})

	if text := owner.inbox()["booking_requested"]; !strings.Contains(text, "2026-11-24 09:00") || strings.Contains(text, "南大街") {
		t.Errorf("the firm is told %q", text)
	}
	calendar := "/v1/organizations/" + organization + "/bookings?from=2026-11-24&to=2026-11-24"
	owner.want(owner.step(200, "GET", calendar, ""), map[string]any{"items.#": 1.0, "items.0.id": id, "items.0.contact.address": "南大街2号", "items.0.side": "business", "items.0.completion_code": nil})
	owner.want(owner.step(200, "GET", "/v1/organizations/"+organization+"/bookings?from=2026-11-25", ""), map[string]any{"items.#": 0.0})
	owner.want(owner.step(200, "GET", calendar+"&state=accepted", ""), map[string]any{"items.#": 0.0})
	owner.want(owner.step(400, "GET", "/v1/organizations/"+organization+"/bookings?from=2026-02-31", ""), map[string]any{"errors.0.parameter": "from"})
	f.person(t).step(404, "GET", path, "")
	f.person(t).step(404, "POST", path+"/accept", "")
	child.step(403, "POST", path+"/accept", "")
	child.step(409, "GET", path+"/completion-code.svg", "")
	for range 2 {
		owner.want(owner.step(200, "POST", path+"/accept", ""), map[string]any{"state": "accepted", "history.#": 2.0})
	}
	if text := child.inbox()["booking_accepted"]; !strings.Contains(text, "完成码") {
		t.Errorf("the resident is told %q", text)
	}
	seen := child.step(200, "GET", path, "")
	code, _ := textOf(seen, "completion_code")
	owner.want(owner.step(200, "GET", path, ""), map[string]any{"completion_code": nil})
	if text := scanned(t, f.get(t, path+"/completion-code.png", child.bearer...)); text != "qingfu:complete:"+id+":"+code {
		t.Errorf("the picture says %q", text)
	}
	if a := f.get(t, path+"/completion-code.svg", child.bearer...); a.Header.Get("Content-Type") != "image/svg+xml" || !bytes.HasPrefix(a.body, []byte("<svg")) || !bytes.Contains(a.body, []byte("M4,4H11V11H4")) {
		t.Errorf("the drawing is %s %.60s", a.Header.Get("Content-Type"), a.body)
	}
	owner.step(403, "GET", path+"/completion-code.png", "")

	// Tokens last a quarter of an hour.
	f.clock.Advance(tomorrow.Sub(f.clock.Now()) - 3*time.Hour)
	child, owner = f.again(child), f.again(owner)
	owner.want(owner.step(409, "POST", path+"/no-show", `{}`), map[string]any{"detail": "*"}) // too early
	f.clock.Advance(3 * time.Hour)
	child, owner = f.again(child), f.again(owner)
	owner.want(owner.step(200, "POST", path+"/start", ""), map[string]any{"state": "in_progress"})
	owner.want(owner.step(400, "POST", path+"/complete", `{}`), map[string]any{"errors.0.pointer": "/code", "errors.0.code": "required"})
	owner.want(owner.step(400, "POST", path+"/complete", `{"code":"`+other(code)+`"}`), map[string]any{"errors.0.pointer": "/code", "errors.0.code": "mismatch"})
	for range 2 {
		owner.want(owner.step(200, "POST", path+"/complete", `{"code":"`+code+`"}`), map[string]any{"state": "completed", "contact": nil, "due_at": nil})
	}
	child.want(child.step(200, "GET", path, ""), map[string]any{"state_name": "已完成", "completion_code": nil, "contact.phone": "*"})
	child.want(child.step(200, "GET", "/v1/bookings?live=true", ""), map[string]any{"items.#": 0.0})
	child.want(child.step(200, "GET", "/v1/bookings?live=false&lang=en", ""), map[string]any{"items.#": 1.0, "items.0.state_name": "Completed"})
	child.want(child.step(200, "GET", "/v1/me/export", ""), map[string]any{"bookings.#": 1.0, "bookings.0.contact.address": "南大街2号", "bookings.0.wish": "*"})

	f.clock.Advance(24 * time.Hour)
	if err := f.api.Consumer.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	child = f.again(child)
	if text := child.inbox()["rate_booking"]; !strings.Contains(text, "满意") {
		t.Errorf("a day later the resident is told %q", text)
	}
}

// again is somebody who signs in once more, because their token is too old.
func (f *fixture) again(w walk) walk {
	w.t.Helper()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(w.bearer[1], ".")[1])
	var token struct{ Sub string }
	if err == nil {
		err = json.Unmarshal(claims, &token)
	}
	phone := ""
	if err == nil {
		var account store.Doc[directory.Account]
		if account, err = f.store.Accounts.Get(w.t.Context(), token.Sub); err == nil {
			phone, err = f.api.Auth.OwnPhone(&account.Value)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return walk{f, w.t, f.signIn(w.t, phone).bearer()}
}

// TestManyForOneSlot has a hundred requests ask for one place at once.
func TestManyForOneSlot(t *testing.T) {
	f := newFixture(t, nil)
	owner, _, listing := f.service(t)
	owner.step(201, "PUT", "/v1/listings/"+listing+"/calendar", calendarBody(1))
	const residents, each = 10, 10
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range residents {
		bearer := f.as(t)
		for range each {
			wait.Go(func() {
				a := f.request(t, "POST", "/v1/bookings", cleaningBody(listing, tomorrow, ""), bearer...)
				mu.Lock()
				defer mu.Unlock()
				statuses[a.StatusCode]++
				if a.StatusCode != 201 && !strings.Contains(string(a.body), "这个时段已约满") {
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		}
	}
	wait.Wait()
	if statuses[201] != 1 || statuses[409] != residents*each-1 {
		t.Errorf("the answers are %v", statuses)
	}
}

// scanned reads a QR code as a phone does. Around it there has to be white.
func scanned(t *testing.T, a answer) string {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(a.body))
	if err != nil {
		t.Fatalf("%v: %d %.200s", err, a.StatusCode, a.body)
	}
	const zone = qrQuietZone * qrModule
	last := picture.Bounds().Dx() - 1
	for i := range last {
		for _, at := range []image.Point{{X: i, Y: zone - 1}, {X: zone - 1, Y: i}, {X: i, Y: last - zone + 1}, {X: last - zone + 1, Y: i}} {
			if _, green, _, _ := picture.At(at.X, at.Y).RGBA(); green != 0xffff {
				t.Fatalf("the quiet zone is not white at %s", at)
			}
		}
	}
	if _, green, _, _ := picture.At(zone, zone).RGBA(); green != 0 {
		t.Error("the code does not begin behind the quiet zone")
	}
	text, err := qr.Decode(picture)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBookingsAreRefused(t *testing.T) {
	f := newFixture(t, nil)
	_, organization, listing := f.service(t)
	ann := f.person(t)
	fields := func(body string) string {
		t.Helper()
		var out []string
		for _, e := range decode[struct {
			Errors []struct{ Pointer, Code string }
		}](t, answerOf(ann, 400, body)).Errors {
			out = append(out, e.Pointer+" "+e.Code)
		}
		return strings.Join(out, ", ")
	}
	for _, tc := range []struct{ name, body, want string }{
		{"nothing", `{}`, "/kind required, /starts_at required, /contact/name required"},
		{"what the contract and the rules refuse, at once", `{"kind":"service","listing":"` + listing + `","offering":"月嫂","starts_at":"tomorrow","for":"` + organization + `","region":"630104","colour":"red","contact":{"phone":"1"}}`,
			"/colour unknown_field, /starts_at bad_format, /for unknown_value, /region mismatch, /offering unknown_value, /contact/address required, /contact/name required, /contact/phone bad_format"},
		{"yesterday", cleaningBody(listing, noon.AddDate(0, 0, -1), ""), "/starts_at too_small"},
		{"a real listing, which nobody keeps", cleaningBody(f.listings[0].ID, tomorrow, ""), "/listing mismatch, /region required"},
	} {
		if got := fields(tc.body); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.name, got, tc.want)
		}
	}
	id := ann.book(cleaningBody(listing, tomorrow, ""))
	ann.want(ann.step(400, "POST", "/v1/bookings/"+id+"/cancel", `{"reason":"other"}`), map[string]any{"errors.0.pointer": "/text"})
	ann.want(ann.step(400, "POST", "/v1/bookings/"+id+"/cancel", `{}`), map[string]any{"errors.0.pointer": "/reason"})
	ann.want(ann.step(400, "POST", "/v1/bookings", cleaningBody(listing, tomorrow, ""), "Idempotency-Key", "short"), map[string]any{"errors.0.parameter": "Idempotency-Key"})
	ann.step(404, "GET", "/v1/bookings/"+organization, "")
	ann.want(ann.step(200, "POST", "/v1/bookings/"+id+"/cancel", `{"reason":"plans_changed","text":"改日再约13800138000"}`),
		map[string]any{"state": "cancelled", "history.1.reason.name": "计划有变", "history.1.text": "改日再约***********"})
}

func answerOf(w walk, status int, body string) answer {
	w.t.Helper()
	a := w.request(w.t, "POST", "/v1/bookings", body, w.bearer...)
	if a.StatusCode != status {
		w.t.Fatalf("%s: %d, want %d: %s", body, a.StatusCode, status, a.body)
	}
	return a
}

// TestWhoSeesTheContact looks at a booking from both sides in every state that it can
// come to.
func TestWhoSeesTheContact(t *testing.T) {
	f := newFixture(t, nil)
	owner, organization, listing := f.service(t)
	ann := f.person(t)
	steps := []struct {
		to     directory.BookingState
		events []directory.BookingAction
	}{
		{directory.BookingRequested, nil},
		{directory.BookingDeclined, []directory.BookingAction{directory.ActDecline}},
		{directory.BookingAccepted, []directory.BookingAction{directory.ActAccept}},
		{directory.BookingInProgress, []directory.BookingAction{directory.ActAccept, directory.ActStart}},
		{directory.BookingCompleted, []directory.BookingAction{directory.ActAccept, directory.ActComplete}},
		{directory.BookingRated, []directory.BookingAction{directory.ActAccept, directory.ActComplete, directory.ActRate}},
		{directory.BookingCancelled, []directory.BookingAction{directory.ActCancel}},
		{directory.BookingNoShow, []directory.BookingAction{directory.ActAccept, directory.ActNoShow}},
		{directory.BookingExpired, []directory.BookingAction{directory.ActExpire}},
	}
	sides := map[directory.BookingAction]directory.Side{
		directory.ActDecline: directory.BusinessSide, directory.ActAccept: directory.BusinessSide, directory.ActStart: directory.BusinessSide,
		directory.ActComplete: directory.ResidentSide, directory.ActRate: directory.ResidentSide, directory.ActCancel: directory.ResidentSide,
		directory.ActNoShow: directory.BusinessSide, directory.ActExpire: directory.ProgramSide,
	}
	for _, s := range steps {
		id := ann.book(cleaningBody(listing, tomorrow, ""))
		doc, err := f.store.Bookings.Update(t.Context(), id, func(b *directory.Booking) error {
			for _, action := range s.events {
				at := tomorrow.Add(time.Hour)
				if action == directory.ActCancel {
					at = noon
				}
				if _, err := b.Take(directory.BookingEvent{Action: action, By: sides[action], At: at}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || doc.Value.State != s.to {
			t.Fatalf("%s: %v", doc.Value.State, err)
		}
		shown := any(nil)
		if doc.Value.Live() {
			shown = "东关大街1号"
		}
		for what, answer := range map[string]any{
			"resident": ann.step(200, "GET", "/v1/bookings/"+id, ""), "business": owner.step(200, "GET", "/v1/bookings/"+id, ""),
			"list": owner.step(200, "GET", "/v1/organizations/"+organization+"/bookings?state="+string(s.to), ""),
		} {
			path, want := "contact", shown
			if what == "list" {
				path = "items.0.contact"
			}
			if what == "resident" {
				want = "东关大街1号"
			}
			if want != nil {
				path += ".address"
			}
			if got, ok := member(answer, path); !ok || got != want {
				t.Errorf("%s, %s: %s is %v, want %v", s.to, what, path, got, want)
			}
			text, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil && (strings.Contains(string(text), "13700137000") || strings.Contains(string(text), "东关大街")) {
				t.Errorf("%s, %s: it is there all the same: %s", s.to, what, text)
			}
		}
	}
}

// TestARequestWithTwoQuotes follows something made to measure by HTTP alone.
func TestARequestWithTwoQuotes(t *testing.T) {
	f := newFixture(t, nil)
	anna, firmA, listingA := f.service(t)
	bert, firmB, listingB := f.service(t)
	indexer := search.NewIndexer(f.regions)
	for _, id := range []string{listingA, listingB} { // what the projector does
		doc, err := f.store.Listings.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		d, err := indexer.Document(&doc.Value)
		if err == nil {
			err = f.search.Put(t.Context(), d)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if err := f.search.Delete(context.Background(), listingA, listingB); err != nil {
			t.Error(err)
		}
	}()
	child := f.person(t)
	parent, _ := textOf(child.step(200, "PATCH", "/v1/me", `{"name":"扎西","family":[{"name":"央金","relation":"parent"}]}`, "If-Match", "*"), "family.0.id")
	child.want(child.step(400, "POST", "/v1/bookings", `{"kind":"custom","starts_at":"2026-11-30T09:00:00+08:00","category":"nursing_home"}`),
		map[string]any{"errors.#": 4.0})
	made := child.step(201, "POST", "/v1/bookings", `{"kind":"custom","category":"cleaning","region":"630103","wish":"每周两次，打扫并做藏餐","budget":200000,
		"starts_at":"2026-11-30T09:00:00+08:00","for":"`+parent+`","contact":{"address":"南大街2号"}}`)
	child.want(made, map[string]any{"state": "requested", "listing": nil, "organization": nil, "budget": 200000.0, "due_at": "2026-11-26T03:00:00Z"})
	id, _ := textOf(made, "id")
	path := "/v1/bookings/" + id
	for firm, w := range map[string]walk{firmA: anna, firmB: bert} {
		if text := w.inbox()["request_open"]; !strings.Contains(text, "居家保洁") {
			t.Errorf("a firm is told %q", text)
		}
		list := w.step(200, "GET", "/v1/organizations/"+firm+"/requests", "")
		w.want(list, map[string]any{"items.0.id": id, "items.0.contact": nil, "items.0.side": nil, "items.0.quoted": false, "items.0.wish": "*"})
	}
	quote := func(listing string, price int) string {
		return fmt.Sprintf(`{"listing":"%s","price":%d,"text":"含材料"}`, listing, price)
	}
	anna.want(anna.step(400, "PUT", path+"/quote", quote(listingB, 1)), map[string]any{"errors.0.pointer": "/listing"})
	anna.want(anna.step(200, "PUT", path+"/quote", quote(listingA, 180000)), map[string]any{"state": "quoted", "quoted": true, "quotes.#": 1.0, "contact": nil})
	bert.want(bert.step(200, "PUT", path+"/quote", quote(listingB, 170000)), map[string]any{"quotes.#": 1.0, "quotes.0.price": 170000.0, "history.#": 2.0})
	anna.step(200, "PUT", path+"/quote", quote(listingA, 160000))
	f.person(t, directory.Grant{Role: directory.Owner, Organization: otherOrganization}).step(404, "PUT", path+"/quote", quote(listingA, 1))
	child.want(child.step(200, "GET", path, ""), map[string]any{"quotes.#": 2.0, "quotes.0.price": 160000.0, "quotes.0.organization.name": "*", "quotes.1.text": "含材料", "history.#": 3.0})
	if text := child.inbox()["booking_quoted"]; !strings.Contains(text, "0.00 元") {
		t.Errorf("the resident is told %q", text)
	}
	choose := func(firm string, price int) string {
		return fmt.Sprintf(`{"organization":"%s","price":%d}`, firm, price)
	}
	anna.step(403, "POST", path+"/choose", choose(firmA, 160000))
	child.want(child.step(409, "POST", path+"/choose", choose(firmA, 180000)), map[string]any{"detail": "*"})
	for range 2 {
		child.want(child.step(200, "POST", path+"/choose", choose(firmB, 170000)), map[string]any{"state": "accepted", "organization.id": firmB, "quotes.1.chosen": true, "completion_code": "*"})
	}
	// The address is for the firm that was chosen, and the others do not learn which.
	bert.want(bert.step(200, "GET", path, ""), map[string]any{"contact.address": "南大街2号", "contact.person": "央金", "side": "business"})
	anna.want(anna.step(200, "GET", path, ""), map[string]any{"contact": nil, "organization": nil, "listing": nil, "quotes.#": 1.0, "quotes.0.chosen": false, "side": nil})
	anna.step(403, "POST", path+"/start", "")
	anna.step(409, "PUT", path+"/quote", quote(listingA, 1))
	anna.want(anna.step(200, "GET", "/v1/organizations/"+firmA+"/requests", ""), map[string]any{"items.#": 0.0})
	bert.want(bert.step(200, "POST", path+"/cancel", `{"reason":"busy"}`), map[string]any{"state": "cancelled", "contact": nil})
	if text := child.inbox()["booking_cancelled"]; text == "" {
		t.Error("the resident is not told that it was cancelled")
	}
}

// TestPagesOfBookings reads the lists of both sides a booking at a time.
func TestPagesOfBookings(t *testing.T) {
	f := newFixture(t, nil)
	owner, organization, listing := f.service(t)
	ann := f.person(t)
	var byStart [3]string
	for _, day := range []int{1, 0, 2} { // not in the order of their starts
		byStart[day] = ann.book(cleaningBody(listing, tomorrow.AddDate(0, 0, day), ""))
	}
	read := func(w walk, path string) (ids []string) {
		t.Helper()
		for cursor := ""; ; {
			page := decode[struct {
				Items []struct{ ID string }
				Next  *string `json:"next_cursor"`
			}](t, w.get(t, path+"limit=1"+cursor, w.bearer...))
			for _, b := range page.Items {
				ids = append(ids, b.ID)
			}
			if page.Next == nil {
				return ids
			}
			cursor = "&cursor=" + *page.Next
		}
	}
	if got := read(owner, "/v1/organizations/"+organization+"/bookings?"); !slices.Equal(got, byStart[:]) {
		t.Errorf("the firm's are %v, want %v", got, byStart)
	}
	if got, want := read(ann, "/v1/bookings?live=true&"), []string{byStart[2], byStart[0], byStart[1]}; len(got) != 3 || !sameIDs(got, want) {
		t.Errorf("the resident's are %v, want %v", got, want)
	}
}

// sameIDs tells whether two lists hold the same ids.
func sameIDs(x, y []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
}

// TestBookingsADay: nobody makes a firm look up all day.
func TestBookingsADay(t *testing.T) {
	f := newFixture(t, nil)
	_, _, listing := f.service(t)
	ann := f.person(t)
	for range bookingsADay.Most {
		id := ann.book(cleaningBody(listing, tomorrow, ""))
		ann.step(200, "POST", "/v1/bookings/"+id+"/cancel", `{"reason":"plans_changed"}`)
		f.clock.Advance(time.Second) // the limit of a minute is another one
	}
	ann.step(429, "POST", "/v1/bookings", cleaningBody(listing, tomorrow, ""))
}

func TestCalendars(t *testing.T) {
	f := newFixture(t, nil)
	owner, _, listing := f.service(t)
	path := "/v1/listings/" + listing + "/calendar"
	stranger := walk{fixture: f, t: t}
	stranger.step(404, "GET", path, "")
	stranger.step(404, "GET", "/v1/listings/"+draftID+"/slots", "")
	owner.want(owner.step(400, "PUT", path, `{"hours":{"week":{"mon":["29:00-30:00"]}},"slot_minutes":1,"capacity":0,"notice_minutes":-1,"horizon_days":999}`),
		map[string]any{"errors.#": 5.0})
	owner.want(owner.step(400, "PUT", path, `{"hours":{"week":{"mon":["09:00-12:00","11:00-13:00"]}},"slot_minutes":60,"capacity":1,"notice_minutes":0,"horizon_days":9}`),
		map[string]any{"errors.0.pointer": "/hours/week/mon/1"})
	tag := f.request(t, "PUT", path, calendarBody(1), owner.bearer...).Header.Get("ETag")
	if got := f.get(t, path).Header.Get("ETag"); got != tag || tag == "" {
		t.Errorf("the tags are %q and %q", tag, got)
	}
	owner.step(428, "PUT", path, calendarBody(2))
	owner.step(412, "PUT", path, calendarBody(2), "If-Match", `"c99"`)
	owner.want(owner.step(200, "PUT", path, calendarBody(2), "If-Match", tag), map[string]any{"capacity": 2.0})
	owner.step(412, "PUT", path, calendarBody(2), "If-Match", tag)
	stranger.want(stranger.step(200, "GET", "/v1/listings/"+listing+"/slots?days=31", ""), map[string]any{"items.0.free": 2.0})
	for _, query := range []string{"days=32", "days=0", "from=2026-02-31", "from=" + url.QueryEscape("今天")} {
		stranger.step(400, "GET", "/v1/listings/"+listing+"/slots?"+query, "")
	}
	for range 2 {
		owner.step(204, "DELETE", path, "")
	}
	stranger.step(404, "GET", path, "")
	owner.step(201, "PUT", path, calendarBody(1))
}
