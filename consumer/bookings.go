package consumer

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// Wanted is what a resident asks for. What is empty was not said.
type Wanted struct {
	Kind     directory.BookingKind
	Listing  string // of a service or a visit
	Offering string // name of an offering of the listing
	Category string // of a request; of a service where two offerings have one name
	Region   string // the county of a request or a service
	Wish     string
	Budget   int64 // fen
	StartsAt time.Time
	EndsAt   time.Time
	For      string // id of a member of the family
	// Contact lacks Person and Relation, which follow from For; without name and phone
	// it is the account's own.
	Contact directory.BookingContact
}

// prepared is a booking that could be made.
type prepared struct {
	directory.Booking
	contact  directory.BookingContact
	calendar *directory.BookingCalendar // nil where the listing keeps none
}

// Book makes a booking. The same key and wish again give the booking that was made;
// created is false then. It returns Invalid with every wrong field, and Conflict about
// "not_bookable", "own_service", "bookings" when the resident has as many live ones as
// there can be, "slot_taken", or "idempotency_key" for a key that was used for
// something else.
func (c *Consumer) Book(ctx context.Context, caller directory.Caller, w Wanted, key string) (b directory.Booking, created bool, err error) {
	once, asked, err := c.onceOf(caller, key, "booking", w)
	if err != nil {
		return b, false, err
	}
	if b, found, err := c.bookedBefore(ctx, once, asked); found || err != nil {
		return b, false, err
	}
	p, err := c.prepare(ctx, caller, w)
	if err != nil {
		return b, false, err
	}
	if err := c.mayBook(ctx, caller, &p.Booking); err != nil {
		return b, false, err
	}
	if p.ID, err = c.newID(); err != nil {
		return b, false, err
	}
	if p.Contact, err = c.Auth.SealContact(p.ID, p.contact); err != nil {
		return b, false, err
	}
	p.Once, p.Asked, p.Account = once, asked, caller.Account
	p.Begin(c.now())
	seats := []string{""}
	if p.calendar != nil {
		beside, err := c.beside(ctx, p.Listing, p.StartsAt, p.EndsAt)
		if err != nil {
			return b, false, err
		}
		seats = p.calendar.Seats(p.StartsAt, beside)
	}
	// Of two bookings with one seat or key the store takes one.
	for _, p.Seat = range seats {
		doc, err := c.Store.Bookings.Insert(ctx, p.Booking)
		if err == nil {
			return doc.Value, true, c.settleBooking(ctx, doc.Value)
		}
		if directory.KindOf(err) != directory.Conflict {
			return b, false, err
		}
		if b, found, err := c.bookedBefore(ctx, once, asked); found || err != nil {
			return b, false, err
		}
	}
	// The same request may have taken the last place itself, a moment ago.
	if b, found, err := c.bookedBefore(ctx, once, asked); found || err != nil {
		return b, false, err
	}
	return b, false, &directory.Error{Kind: directory.Conflict, What: "slot_taken"}
}

// bookedBefore finds the booking that was made by a key, if there is one and a key.
func (c *Consumer) bookedBefore(ctx context.Context, once, asked string) (b directory.Booking, found bool, err error) {
	b, found, err = madeBefore(ctx, c.Store.Bookings, once, asked, func(b *directory.Booking) string { return b.Asked })
	if found {
		err = c.settleBooking(ctx, b)
	}
	return b, found, err
}

// CheckWanted returns Invalid with everything that is wrong with what is asked for, or nil.
func (c *Consumer) CheckWanted(ctx context.Context, caller directory.Caller, w Wanted) error {
	_, err := c.prepare(ctx, caller, w)
	return err
}

// prepare reads what is asked for. It returns Invalid with every wrong field.
func (c *Consumer) prepare(ctx context.Context, caller directory.Caller, w Wanted) (p prepared, err error) {
	account, err := c.Store.Accounts.Get(ctx, caller.Account)
	if err != nil {
		return p, err
	}
	var wrong []directory.FieldError
	refuse := func(pointer, code, limit string) {
		if !slices.ContainsFunc(wrong, func(f directory.FieldError) bool { return f.Pointer == pointer }) {
			wrong = append(wrong, directory.FieldError{Pointer: pointer, Code: code, Limit: limit})
		}
	}
	wish, _ := directory.MaskPersonal(strings.TrimSpace(w.Wish))
	p.Booking = directory.Booking{
		Kind: w.Kind, Region: w.Region, Category: w.Category, Wish: wish, Budget: w.Budget, For: w.For,
		StartsAt: w.StartsAt.UTC().Truncate(time.Millisecond), EndsAt: w.EndsAt.UTC().Truncate(time.Millisecond),
	}
	if p.contact, err = c.contact(&account.Value, w, refuse); err != nil {
		return p, err
	}
	switch w.Kind {
	case directory.CustomBooking:
		if w.Listing != "" {
			refuse("/listing", directory.CodeMismatch, "/kind")
		}
		if w.Offering != "" {
			refuse("/offering", directory.CodeMismatch, "/kind")
		}
	case directory.ServiceBooking, directory.VisitBooking:
		if err := c.prepareListing(ctx, &p, w, refuse); err != nil {
			return p, err
		}
	}
	switch {
	case p.calendar != nil:
		p.EndsAt = p.calendar.End(p.StartsAt)
		if !w.EndsAt.IsZero() && !w.EndsAt.Equal(p.EndsAt) {
			refuse("/ends_at", directory.CodeMismatch, p.EndsAt.In(directory.Shanghai).Format(time.RFC3339))
		}
	case w.EndsAt.IsZero():
		p.EndsAt = p.StartsAt.Add(directory.BookLength)
	}
	var noSlot error
	if k := p.calendar; k != nil && !slices.ContainsFunc(k.Slots(directory.DateOf(p.StartsAt), c.Now(), c.Calendar), p.StartsAt.Equal) {
		noSlot = directory.WrongField("booking", "/starts_at", directory.CodeValue, "/v1/listings/"+k.Listing+"/slots")
	}
	err = directory.Together("booking", directory.InvalidFields("booking", wrong), p.Validate(&p.contact, c.Now(), c.Regions), noSlot)
	p.contact.Phone, _ = directory.ParseContactPhone(p.contact.Phone)
	return p, err
}

// contact fills in what the account says where the resident has not.
func (c *Consumer) contact(account *directory.Account, w Wanted, refuse func(pointer, code, limit string)) (directory.BookingContact, error) {
	contact := directory.BookingContact{
		Name: strings.TrimSpace(w.Contact.Name), Phone: strings.TrimSpace(w.Contact.Phone),
		Address: strings.TrimSpace(w.Contact.Address), Notes: strings.TrimSpace(w.Contact.Notes),
	}
	if contact.Name == "" {
		contact.Name = account.Name
	}
	if w.For != "" {
		i := slices.IndexFunc(account.Family, func(m directory.FamilyMember) bool { return m.ID == w.For })
		if i < 0 {
			refuse("/for", directory.CodeValue, "/v1/me")
		} else {
			contact.Person, contact.Relation = account.Family[i].Name, account.Family[i].Relation
		}
	}
	if contact.Phone != "" {
		return contact, nil
	}
	var err error
	contact.Phone, err = c.Auth.OwnPhone(account)
	return contact, err
}

// prepareListing reads what is booked from its listing.
func (c *Consumer) prepareListing(ctx context.Context, p *prepared, w Wanted, refuse func(pointer, code, limit string)) error {
	if w.Budget != 0 {
		refuse("/budget", directory.CodeMismatch, "/kind")
	}
	if w.Listing == "" {
		refuse("/listing", directory.CodeRequired, "")
		return nil
	}
	doc, err := c.Store.Listings.Get(ctx, w.Listing)
	l := &doc.Value
	switch {
	case directory.KindOf(err) == directory.NotFound || err == nil && l.Status != directory.Published:
		refuse("/listing", directory.CodeValue, "/v1/listings")
		return nil
	case err != nil:
		return err
	case directory.BookedAs(l.Kind) != w.Kind:
		refuse("/listing", directory.CodeMismatch, "/kind")
		return nil
	}
	p.Listing, p.Organization, p.ListingKind, p.ListingRegion = l.ID, l.OrganizationID, l.Kind, l.Region
	if p.calendar, err = c.calendarOf(ctx, l.ID); err != nil {
		return err
	}
	if w.Kind == directory.VisitBooking {
		p.Region, p.Category = l.Region, ""
		if w.Offering != "" {
			refuse("/offering", directory.CodeMismatch, "/kind")
		}
		return nil
	}
	if p.Region == "" {
		p.Region = countyOf(c.Regions, l.Region)
	} else if !l.Serves(p.Region, c.Regions) {
		refuse("/region", directory.CodeMismatch, "/v1/listings/"+l.ID)
	}
	i := slices.IndexFunc(l.Offerings, func(o directory.Offering) bool {
		return o.Name == w.Offering && (w.Category == "" || w.Category == o.Category)
	})
	switch {
	case i >= 0:
		p.Offering, p.Category = &l.Offerings[i], l.Offerings[i].Category
	case w.Offering == "" && len(l.Offerings) > 0:
		refuse("/offering", directory.CodeRequired, "")
	case w.Offering != "":
		refuse("/offering", directory.CodeValue, "/v1/listings/"+l.ID)
	case w.Category != "" && !slices.Contains(l.Categories, w.Category):
		refuse("/category", directory.CodeValue, "/v1/listings/"+l.ID)
	}
	if p.Category == "" && len(l.Categories) > 0 {
		p.Category = l.Categories[0]
	}
	return nil
}

// countyOf returns the county in which a region lies, "" where it is a wider one.
func countyOf(regions *directory.Regions, code string) string {
	for _, r := range regions.Path(code) {
		if r.Level == directory.County {
			return r.Code
		}
	}
	return ""
}

// mayBook tells why a booking without fault cannot be made.
func (c *Consumer) mayBook(ctx context.Context, caller directory.Caller, b *directory.Booking) error {
	if b.Kind != directory.CustomBooking {
		if err := c.answers(ctx, b.Organization); err != nil {
			return err
		}
		if caller.Belongs(b.Organization) {
			return &directory.Error{Kind: directory.Conflict, What: "own_service"}
		}
	}
	live, err := c.Store.Bookings.Count(ctx, []store.Condition{store.Equal("account", caller.Account), store.Equal("live", int64(1))})
	if err == nil && live[0].N >= directory.MaxLiveBookings {
		err = &directory.Error{Kind: directory.Conflict, What: "bookings"}
	}
	return err
}

// answers returns Conflict about "not_bookable" when there is nobody who could answer
// for an organization, or who may.
func (c *Consumer) answers(ctx context.Context, organization string) error {
	o, err := c.Store.Organizations.Get(ctx, organization)
	if directory.KindOf(err) == directory.NotFound || err == nil && o.Value.State == directory.OrganizationRefused {
		return &directory.Error{Kind: directory.Conflict, What: "not_bookable"}
	}
	return err
}

// Booking returns a booking to those who may see it: the resident, the members of its
// organization, and of an open request those whose firm may quote on it or has. It
// returns NotFound, and Forbidden to anybody else.
func (c *Consumer) Booking(ctx context.Context, caller directory.Caller, id string) (directory.Booking, error) {
	doc, err := c.Store.Bookings.Get(ctx, id)
	if err != nil {
		return doc.Value, err
	}
	b := &doc.Value
	if b.SideOf(&caller) != "" || slices.ContainsFunc(b.Quotes, func(q directory.Quote) bool { return caller.Belongs(q.Organization) }) {
		return *b, nil
	}
	if may, err := c.mayQuote(ctx, caller, b); may || err != nil {
		return *b, err
	}
	return *b, &directory.Error{Kind: directory.Forbidden}
}

// BookingsOf returns a page of a resident's bookings, the latest first; live is nil for all.
func (c *Consumer) BookingsOf(ctx context.Context, caller directory.Caller, live *bool, limit int, after *store.Position) ([]store.Doc[directory.Booking], *store.Position, error) {
	q := store.Where(store.Equal("account", caller.Account))
	if live != nil {
		q.Where = append(q.Where, store.Equal("live", map[bool]int64{true: 1}[*live]))
	}
	q.Desc, q.After = true, after
	return store.FindKept(ctx, c.Store.Bookings, q, limit, nil)
}

// BookingsWith returns a page of an organization's bookings by when they begin; from and
// to are days, "" for any, and state is "" for all.
func (c *Consumer) BookingsWith(ctx context.Context, organization string, from, to directory.Date, state string, limit int, after *store.Position) ([]store.Doc[directory.Booking], *store.Position, error) {
	q := store.Where(store.Equal("organization", organization))
	if at, err := time.ParseInLocation(time.DateOnly, string(from), directory.Shanghai); err == nil {
		q.Where = append(q.Where, store.Condition{Field: "starts", Op: store.Min, Value: at.UnixMilli()})
	}
	if at, err := time.ParseInLocation(time.DateOnly, string(to), directory.Shanghai); err == nil {
		q.Where = append(q.Where, store.Condition{Field: "starts", Op: store.Less, Value: at.AddDate(0, 0, 1).UnixMilli()})
	}
	if state != "" {
		q.Where = append(q.Where, store.Equal("state", state))
	}
	q.Order, q.After = "starts", after
	return store.FindKept(ctx, c.Store.Bookings, q, limit, nil)
}

// Step takes a step for the side that the caller is on, whose action, reason and text e
// names; see [directory.Booking.Take], whose errors it returns, and Invalid.
func (c *Consumer) Step(ctx context.Context, caller directory.Caller, id string, e directory.BookingEvent) (directory.Booking, error) {
	e.Text, _ = directory.MaskPersonal(strings.TrimSpace(e.Text))
	if err := e.Validate(); err != nil {
		return directory.Booking{}, err
	}
	e.At = c.now()
	return c.changeBooking(ctx, id, func(b *directory.Booking) (bool, error) {
		e.By = b.SideOf(&caller)
		return b.Take(e)
	})
}

// Complete says that the service was done: the resident by their word, the business by
// the code that the resident has. It returns the errors of [directory.Booking.Complete].
func (c *Consumer) Complete(ctx context.Context, caller directory.Caller, id, code string) (directory.Booking, error) {
	e := directory.BookingEvent{Action: directory.ActComplete, At: c.now()}
	right := subtle.ConstantTimeCompare([]byte(code), []byte(c.CompletionCode(id))) == 1
	return c.changeBooking(ctx, id, func(b *directory.Booking) (bool, error) {
		if e.By = b.SideOf(&caller); e.By != directory.BusinessSide {
			return b.Take(e)
		}
		if code == "" {
			return false, directory.WrongField("booking", "/code", directory.CodeRequired, "")
		}
		return b.Complete(e, right)
	})
}

// CompletionCode returns the six digits by which the resident confirms that the service
// was done. They follow from the id and the keys, and are kept nowhere.
func (c *Consumer) CompletionCode(id string) string {
	n, _ := strconv.ParseUint(c.Auth.Keys.Hash("completion", id)[:15], 16, 64) // hexadecimal digits
	return fmt.Sprintf("%06d", n%1_000_000)
}

// markRated notes that a booking was rated. One that was before, or is gone, is no error.
func (c *Consumer) markRated(ctx context.Context, booking string) error {
	e := directory.BookingEvent{Action: directory.ActRate, By: directory.ResidentSide, At: c.now()}
	_, err := c.changeBooking(ctx, booking, func(b *directory.Booking) (bool, error) { return b.Take(e) })
	if kind := directory.KindOf(err); kind == directory.NotFound || kind == directory.Conflict {
		return nil // whatever has become of it, there is nothing to be done
	}
	return err
}

// changeBooking changes a booking as far as change says that it has, also when that
// returns an error, and tells those whom it concerns.
func (c *Consumer) changeBooking(ctx context.Context, id string, change func(*directory.Booking) (changed bool, err error)) (directory.Booking, error) {
	var refused error
	doc, err := c.Store.Bookings.Update(ctx, id, func(b *directory.Booking) (err error) {
		changed := false
		if changed, refused = change(b); changed {
			return nil
		}
		return cmp.Or(refused, store.ErrUnchanged)
	})
	if err != nil {
		return doc.Value, err
	}
	return doc.Value, cmp.Or(refused, c.settleBooking(ctx, doc.Value))
}
