package handlers

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// bookingView is a booking in an answer to somebody who may see it. What it holds
// depends on the side that they are on.
type bookingView struct {
	ID           string                 `json:"id"`
	Kind         directory.BookingKind  `json:"kind"`
	State        directory.BookingState `json:"state"`
	StateName    string                 `json:"state_name"`
	Side         *directory.Side        `json:"side"`         // null for a firm that only may quote
	Listing      *bookedView            `json:"listing"`      // null until a quote was chosen
	Organization *nameView              `json:"organization"` // likewise
	Region       search.RegionRef       `json:"region"`
	Category     *search.TermRef        `json:"category"`
	Offering     *directory.Offering    `json:"offering"`
	Wish         string                 `json:"wish"`
	Budget       *int64                 `json:"budget"`
	StartsAt     time.Time              `json:"starts_at"`
	EndsAt       time.Time              `json:"ends_at"`
	DueAt        *time.Time             `json:"due_at"`
	Contact      *contactView           `json:"contact"` // null for those who may not see it, and once it was cleared away
	Quotes       []quoteView            `json:"quotes"`  // for a firm its own
	Quoted       bool                   `json:"quoted"`  // by the caller's firm
	Code         *string                `json:"completion_code"`
	History      []bookingEventView     `json:"history"`
	CreatedAt    time.Time              `json:"created_at"`
	UpdatedAt    time.Time              `json:"updated_at"`
}

// nameView is something with its name.
type nameView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// bookedView is a listing that was booked.
type bookedView struct {
	nameView
	Phone string `json:"phone"` // the public service line
}

// contactView is who is to be met where.
type contactView struct {
	Name     string              `json:"name"`
	Phone    string              `json:"phone"`
	Address  string              `json:"address"`
	Notes    string              `json:"notes"`
	Person   string              `json:"person"`   // of the family, whom it is for
	Relation *directory.Relation `json:"relation"` // null where it is for the resident
}

type quoteView struct {
	Listing      nameView  `json:"listing"`
	Organization nameView  `json:"organization"`
	Price        int64     `json:"price"`
	Text         string    `json:"text"`
	Chosen       bool      `json:"chosen"`
	At           time.Time `json:"at"`
}

type bookingEventView struct {
	Action directory.BookingAction `json:"action"`
	By     directory.Side          `json:"by"`
	Reason *search.TermRef         `json:"reason"`
	Text   string                  `json:"text"`
	At     time.Time               `json:"at"`
}

// bookingNames knows the listings and organizations of some bookings.
type bookingNames struct {
	listings      map[string]*directory.Listing
	organizations map[string]*directory.Organization
	lang          string
}

func (n *bookingNames) listing(id string) nameView {
	v := nameView{ID: id}
	if l := n.listings[id]; l != nil {
		v.Name = l.Names.In(n.lang)
	}
	return v
}

func (n *bookingNames) organization(id string) nameView {
	v := nameView{ID: id}
	if o := n.organizations[id]; o != nil {
		v.Name = o.LegalName
	}
	return v
}

func (a *api) bookingNames(c *fiber.Ctx, in *input, bookings []directory.Booking) (n bookingNames, err error) {
	var listings, organizations []string
	for _, b := range bookings {
		listings, organizations = append(listings, b.Listing), append(organizations, b.Organization)
		for _, q := range b.Quotes {
			listings, organizations = append(listings, q.Listing), append(organizations, q.Organization)
		}
	}
	n.lang = in.lang
	if n.listings, err = a.Store.Listings.ByID(c.UserContext(), listings...); err == nil {
		n.organizations, err = a.Store.Organizations.ByID(c.UserContext(), organizations...)
	}
	return n, err
}

// viewBookings shows bookings to the caller, who may see them.
func (a *api) viewBookings(c *fiber.Ctx, in *input, bookings []directory.Booking) ([]bookingView, error) {
	names, err := a.bookingNames(c, in, bookings)
	if err != nil {
		return nil, err
	}
	views := make([]bookingView, len(bookings))
	for i := range bookings {
		if views[i], err = a.viewBooking(in, &bookings[i], &names); err != nil {
			return nil, err
		}
	}
	return views, nil
}

func (a *api) viewBooking(in *input, b *directory.Booking, names *bookingNames) (bookingView, error) {
	side := b.SideOf(&in.caller)
	v := bookingView{
		ID: b.ID, Kind: b.Kind, State: b.State, StateName: refOf(directory.BookingStates, string(b.State), in.lang).Name,
		Region: search.NewRegionRef(a.Regions, b.Region, in.lang), Offering: b.Offering, Wish: b.Wish,
		StartsAt: b.StartsAt, EndsAt: b.EndsAt, DueAt: b.DueAt, CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt,
		Quotes: []quoteView{}, History: []bookingEventView{},
	}
	if side != "" {
		v.Side = &side
	}
	if b.Listing != "" {
		v.Listing = &bookedView{nameView: names.listing(b.Listing)}
		if l := names.listings[b.Listing]; l != nil {
			v.Listing.Phone = l.Phone
		}
	}
	// Firms do not learn who else has quoted, nor whom the resident has chosen.
	sees := func(organization string) bool {
		return side == directory.ResidentSide || in.caller.Belongs(organization)
	}
	if b.Organization != "" && (b.Kind != directory.CustomBooking || sees(b.Organization)) {
		v.Organization = new(names.organization(b.Organization))
	} else {
		v.Listing = nil
	}
	if category, ok := directory.CategoryOf(b.Category); ok {
		v.Category = new(search.NewTermRef(category.Term, in.lang))
	}
	if b.Budget > 0 {
		v.Budget = &b.Budget
	}
	for _, q := range b.Quotes {
		if sees(q.Organization) {
			v.Quotes = append(v.Quotes, quoteView{names.listing(q.Listing), names.organization(q.Organization), q.Price, q.Text, q.Organization == b.Organization, q.At})
		}
		v.Quoted = v.Quoted || in.caller.Belongs(q.Organization)
	}
	for _, e := range b.History {
		if e.Organization == "" || sees(e.Organization) {
			v.History = append(v.History, viewBookingEvent(e, in.lang))
		}
	}
	if b.ShowsCode(side) {
		v.Code = new(a.Consumer.CompletionCode(b.ID))
	}
	var err error
	if b.ShowsContact(side) {
		v.Contact, err = a.viewContact(b)
	}
	return v, err
}

func viewBookingEvent(e directory.BookingEvent, lang string) bookingEventView {
	v := bookingEventView{Action: e.Action, By: e.By, Text: e.Text, At: e.At}
	if reason, ok := directory.BookingReasonTerm(e.Reason); ok {
		v.Reason = new(search.NewTermRef(reason, lang))
	}
	return v
}

func (a *api) viewContact(b *directory.Booking) (*contactView, error) {
	contact, err := a.Auth.OpenContact(b)
	if err != nil || contact == nil {
		return nil, err
	}
	v := &contactView{Name: contact.Name, Phone: contact.Phone, Address: contact.Address, Notes: contact.Notes, Person: contact.Person}
	if contact.Relation != "" {
		v.Relation = &contact.Relation
	}
	return v, nil
}

func (a *api) sendBooking(c *fiber.Ctx, in *input, b directory.Booking) error {
	views, err := a.viewBookings(c, in, []directory.Booking{b})
	if err != nil {
		return err
	}
	return sendSecret(c, views[0])
}

func (a *api) sendBookings(c *fiber.Ctx, in *input, docs []store.Doc[directory.Booking], hash uint64, next *store.Position) error {
	items, err := a.viewBookings(c, in, store.Values(docs))
	if err != nil {
		return err
	}
	return sendList(c, items, hash, next)
}

// bookingBody is what a resident asks for in a request.
type bookingBody struct {
	Kind     directory.BookingKind `json:"kind"`
	Listing  string                `json:"listing"`
	Offering string                `json:"offering"`
	Category string                `json:"category"`
	Region   string                `json:"region"`
	Wish     string                `json:"wish"`
	Budget   int64                 `json:"budget"`
	StartsAt string                `json:"starts_at"`
	EndsAt   string                `json:"ends_at"`
	For      string                `json:"for"`
	Contact  struct {
		Name    string `json:"name"`
		Phone   string `json:"phone"`
		Address string `json:"address"`
		Notes   string `json:"notes"`
	} `json:"contact"`
}

func (b bookingBody) wanted() consumer.Wanted {
	w := consumer.Wanted{
		Kind: b.Kind, Listing: b.Listing, Offering: b.Offering, Category: b.Category, Region: b.Region, Wish: b.Wish, Budget: b.Budget, For: b.For,
		Contact: directory.BookingContact{Name: b.Contact.Name, Phone: b.Contact.Phone, Address: b.Contact.Address, Notes: b.Contact.Notes},
	}
	// A time that cannot be read has been refused by the contract.
	w.StartsAt, _ = time.Parse(time.RFC3339, b.StartsAt)
	w.EndsAt, _ = time.Parse(time.RFC3339, b.EndsAt)
	return w
}

// bookingsADay bounds how often somebody can make firms look at what they do not mean:
// each booking is a message to a firm, each request one to twenty.
var bookingsADay = auth.Limit{Class: "bookings by account", Most: 60, Window: 24 * time.Hour}

func (a *api) createBooking(c *fiber.Ctx, in *input) error {
	b, readable := draft[bookingBody](in)
	if in.err() != nil {
		if readable {
			if err := in.refuseBy(a.Consumer.CheckWanted(c.UserContext(), in.caller, b.wanted())); err != nil {
				return err
			}
		}
		return in.err()
	}
	if err := a.take(c, bookingsADay, in.caller.Account); err != nil {
		return err
	}
	made, created, err := a.Consumer.Book(c.UserContext(), in.caller, b.wanted(), in.header("Idempotency-Key"))
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return a.sendBooking(c, in, made)
}

func (a *api) listBookings(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Consumer.BookingsOf(c.UserContext(), in.caller, in.boolean("live"), in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendBookings(c, in, docs, hash, next)
}

func (a *api) listOrganizationBookings(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after, from, to := in.readPosition(hash), in.date("from"), in.date("to")
	organization, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	docs, next, err := a.Consumer.BookingsWith(c.UserContext(), organization.ID, from, to, in.text("state"), in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendBookings(c, in, docs, hash, next)
}

// bookingOf returns the booking that a request is about. Those who have nothing to do
// with it are not told that there is one.
func (a *api) bookingOf(c *fiber.Ctx, in *input) (directory.Booking, error) {
	if err := in.err(); err != nil {
		return directory.Booking{}, err
	}
	b, err := a.Consumer.Booking(c.UserContext(), in.caller, in.text("id"))
	if directory.KindOf(err) == directory.Forbidden {
		err = in.hide(a, c, "booking")
	}
	return b, err
}

func (a *api) getBooking(c *fiber.Ctx, in *input) error {
	b, err := a.bookingOf(c, in)
	if err != nil {
		return err
	}
	return a.sendBooking(c, in, b)
}

// takeStep answers with a booking after a step of the caller.
func (a *api) takeStep(c *fiber.Ctx, in *input, action directory.BookingAction) error {
	b, err := a.bookingOf(c, in)
	if err != nil {
		return err
	}
	e := body[struct{ Reason, Text string }](in)
	b, err = a.Consumer.Step(c.UserContext(), in.caller, b.ID, directory.BookingEvent{Action: action, Reason: e.Reason, Text: e.Text})
	if err != nil {
		return err
	}
	return a.sendBooking(c, in, b)
}

func (a *api) acceptBooking(c *fiber.Ctx, in *input) error {
	return a.takeStep(c, in, directory.ActAccept)
}

func (a *api) declineBooking(c *fiber.Ctx, in *input) error {
	return a.takeStep(c, in, directory.ActDecline)
}

func (a *api) startBooking(c *fiber.Ctx, in *input) error {
	return a.takeStep(c, in, directory.ActStart)
}

func (a *api) cancelBooking(c *fiber.Ctx, in *input) error {
	return a.takeStep(c, in, directory.ActCancel)
}

func (a *api) reportNoShow(c *fiber.Ctx, in *input) error {
	return a.takeStep(c, in, directory.ActNoShow)
}

func (a *api) completeBooking(c *fiber.Ctx, in *input) error {
	b, err := a.bookingOf(c, in)
	if err != nil {
		return err
	}
	b, err = a.Consumer.Complete(c.UserContext(), in.caller, b.ID, body[struct{ Code string }](in).Code)
	if err != nil {
		return err
	}
	return a.sendBooking(c, in, b)
}

// completionText is what the QR code of a booking says: enough for a firm's app to find
// the booking and keep its code without a network.
func (a *api) completionText(b *directory.Booking) string {
	return "qingfu:complete:" + b.ID + ":" + a.Consumer.CompletionCode(b.ID)
}

// sendCompletionCode answers with the resident's completion code, drawn.
func (a *api) sendCompletionCode(c *fiber.Ctx, in *input, contentType string, draw func(string) ([]byte, error)) error {
	b, err := a.bookingOf(c, in)
	switch {
	case err != nil:
		return err
	case b.SideOf(&in.caller) != directory.ResidentSide:
		return &directory.Error{Kind: directory.Forbidden}
	case !b.ShowsCode(directory.ResidentSide):
		return &directory.Error{Kind: directory.Conflict, What: "booking_state"}
	}
	picture, err := draw(a.completionText(&b))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Response().Header.SetContentType(contentType)
	return c.Send(picture)
}

func (a *api) getCompletionCodeSVG(c *fiber.Ctx, in *input) error {
	return a.sendCompletionCode(c, in, mimeSVG, qrSVG)
}

func (a *api) getCompletionCodePNG(c *fiber.Ctx, in *input) error {
	return a.sendCompletionCode(c, in, "image/png", qrPNG)
}

// viewOwnBookings shows the caller's bookings in their export.
func (a *api) viewOwnBookings(c *fiber.Ctx, in *input, bookings []directory.Booking) ([]bookingView, error) {
	slices.Reverse(bookings) // the latest first, as everywhere
	return a.viewBookings(c, in, bookings)
}
