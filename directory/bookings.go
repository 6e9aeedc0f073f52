package directory

import (
	"slices"
	"time"
)

// Booking is an order of a domestic service, a visit to a facility, or a request
// for something made to measure on which several firms quote
// (〔三·十一〕 线上订购+线下体验, 特约、定制个性化服务).
type Booking struct {
	ID   string      `json:"id"` // UUID, version 7
	Kind BookingKind `json:"kind"`
	// Once is the account and the Idempotency-Key by which the booking was made, and
	// Asked the hash of what was asked for; both are "" without a key.
	Once  string `json:"once,omitempty"`
	Asked string `json:"asked,omitempty"`

	Account string `json:"account,omitempty"` // of the resident; "" once it was erased
	For     string `json:"for,omitempty"`     // the family member whom it is for; "" for the resident
	// Listing and Organization are whose service it is; "" for a request until a
	// quote is chosen.
	Listing      string `json:"listing,omitempty"`
	Organization string `json:"organization,omitempty"`
	// ListingKind and ListingRegion are those of the listing then: they say to which
	// figures the booking belongs.
	ListingKind   Kind   `json:"listing_kind,omitempty"`
	ListingRegion string `json:"listing_region,omitempty"`
	Region        string `json:"region"` // the county where the service takes place
	Category      string `json:"category,omitempty"`
	// Offering is what was booked as it stood then, nil for a visit and a request.
	Offering *Offering `json:"offering,omitempty"`
	// Wish is what the resident wants, without phones and identity numbers: it is
	// shown to every firm that may quote.
	Wish   string `json:"wish,omitempty"`
	Budget int64  `json:"budget,omitempty"` // of a request, in fen; 0 where none is given

	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	// Seat is the place in the listing's calendar that the booking takes, see
	// [BookingCalendar.Seats]; "" where the listing keeps no calendar.
	Seat string `json:"seat,omitempty"`

	// Contact is who is to be met where, sealed; "" once it was cleared away.
	Contact string `json:"contact,omitempty"`

	State  BookingState `json:"state"`
	Quotes []Quote      `json:"quotes,omitempty"`
	// DueAt is when the next step has to be done, nil when none is waited for.
	DueAt *time.Time `json:"due_at,omitempty"`
	// Tries counts wrong completion codes.
	Tries   int            `json:"tries,omitempty"`
	History []BookingEvent `json:"history"`
	// Told is of how many events of History those whom they concern have been told.
	Told int `json:"told,omitempty"`
	// RemindedAt is when the resident was asked to rate.
	RemindedAt *time.Time `json:"reminded_at,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// BookingContact is who is to be met where. It is kept sealed and shown to the
// other side while the booking is live.
type BookingContact struct {
	Name    string `json:"name"`
	Phone   string `json:"phone"`
	Address string `json:"address,omitempty"`
	Notes   string `json:"notes,omitempty"` // such as the door, a dog, an allergy
	// Person is the name of the family member whom it is for, and Relation what they
	// are to the resident; "" where it is for the resident.
	Person   string   `json:"person,omitempty"`
	Relation Relation `json:"relation,omitempty"`
}

// BookingKind is what is booked.
type BookingKind string

// The kinds of booking.
const (
	ServiceBooking BookingKind = "service" // an offering of a domestic service
	VisitBooking   BookingKind = "visit"   // to look at a facility of elder care or childcare
	CustomBooking  BookingKind = "custom"  // a request for something made to measure, on which firms quote (特约、定制)
)

// BookingKinds are the kinds of booking with their names.
var BookingKinds = []Term{
	term(string(ServiceBooking), "服务预约", "Service"),
	term(string(VisitBooking), "参观预约", "Visit"),
	term(string(CustomBooking), "定制需求", "Made to measure"),
}

// BookingState is where a booking stands.
type BookingState string

// The states of a booking.
const (
	BookingRequested  BookingState = "requested"   // waits for the firm, or for quotes
	BookingQuoted     BookingState = "quoted"      // at least one firm has quoted; waits for the resident
	BookingAccepted   BookingState = "accepted"    // agreed
	BookingInProgress BookingState = "in_progress" // the service has begun
	BookingCompleted  BookingState = "completed"   // the resident has confirmed it, by code or by hand
	BookingRated      BookingState = "rated"
	BookingDeclined   BookingState = "declined"  // by the firm
	BookingCancelled  BookingState = "cancelled" // by one side, with a reason
	BookingNoShow     BookingState = "no_show"   // one side was not there, says the other
	BookingExpired    BookingState = "expired"   // a step was not done in time
)

// BookingStates are the states of a booking with their names.
var BookingStates = []Term{
	term(string(BookingRequested), "待确认", "Requested"),
	term(string(BookingQuoted), "已报价", "Quoted"),
	term(string(BookingAccepted), "已接单", "Accepted"),
	term(string(BookingInProgress), "服务中", "In progress"),
	term(string(BookingCompleted), "已完成", "Completed"),
	term(string(BookingRated), "已评价", "Rated"),
	term(string(BookingDeclined), "已拒绝", "Declined"),
	term(string(BookingCancelled), "已取消", "Cancelled"),
	term(string(BookingNoShow), "未到场", "No-show"),
	term(string(BookingExpired), "已超时", "Expired"),
}

// Live tells whether something is still to come of the booking.
func (b *Booking) Live() bool { return slices.Contains(liveStates, b.State) }

// Untold tells whether somebody has not heard yet of what has happened.
func (b *Booking) Untold() bool { return b.Told < len(b.History) }

// Asking tells whether firms may quote on the booking.
func (b *Booking) Asking() bool { return b.Kind == CustomBooking && b.Organization == "" && b.Live() }

// SideOf returns the side on which a caller takes part in the booking, "" for none. A
// firm that has quoted and was not chosen has none.
func (b *Booking) SideOf(c *Caller) Side {
	switch {
	case b.Account != "" && b.Account == c.Account:
		return ResidentSide
	case c.Belongs(b.Organization):
		return BusinessSide
	}
	return ""
}

// ShowsContact tells whether a side sees who is to be met where: the resident always, the
// business while the booking is live.
func (b *Booking) ShowsContact(s Side) bool {
	return s == ResidentSide || s == BusinessSide && b.Live()
}

// ShowsCode tells whether a side sees the completion code, which is the resident's.
func (b *Booking) ShowsCode(s Side) bool {
	return s == ResidentSide && slices.Contains(agreedStates, b.State)
}

// Quote is a firm's offer on a request; a firm has one on each, which it may change
// until the resident has chosen.
type Quote struct {
	Listing      string    `json:"listing"`
	Kind         Kind      `json:"kind"`   // of the listing
	Region       string    `json:"region"` // of the listing
	Organization string    `json:"organization"`
	Price        int64     `json:"price"` // fen, for all of it
	Text         string    `json:"text,omitempty"`
	At           time.Time `json:"at"`
}

// maxQuotes is how many firms can quote on a request.
const maxQuotes = 20

// The bounds of a booking.
const (
	maxWish      = 500 // characters
	maxNotes     = 500
	maxAddress   = 200
	maxQuoteText = 500
	maxBudget    = 100_000_000 // fen
	MaxBookDays  = 180         // how far ahead anything can be booked
	// BookLength is how long a booking lasts that does not say.
	BookLength    = 2 * time.Hour
	MaxBookLength = 31 * 24 * time.Hour
	// MaxLiveBookings is how many live bookings a resident can have.
	MaxLiveBookings = 20
)

// Validate checks a booking that is about to be made, and its contact. It returns
// an Invalid error that holds all wrong fields at once, or nil.
func (b *Booking) Validate(contact *BookingContact, now time.Time, regions *Regions) error {
	c := &checks{}
	switch b.Kind {
	case CustomBooking:
		if category, ok := CategoryOf(b.Category); !ok || category.Kind != DomesticServiceKind {
			c.add("/category", CodeValue, "/v1/categories")
		}
		c.requiredParagraphs("/wish", b.Wish, maxWish)
		c.between("/budget", b.Budget, 0, maxBudget)
		c.exactCounty("/region", b.Region, regions)
		c.required("/contact/address", contact.Address, maxAddress)
	case ServiceBooking:
		c.paragraphs("/wish", b.Wish, maxWish)
		c.exactCounty("/region", b.Region, regions)
		c.required("/contact/address", contact.Address, maxAddress)
	case VisitBooking:
		c.paragraphs("/wish", b.Wish, maxWish)
		c.text("/contact/address", contact.Address, maxAddress)
	}
	switch {
	case b.StartsAt.Before(now):
		c.add("/starts_at", CodeTooSmall, now.In(Shanghai).Format(time.RFC3339))
	case b.StartsAt.After(now.AddDate(0, 0, MaxBookDays)):
		c.add("/starts_at", CodeTooLarge, now.AddDate(0, 0, MaxBookDays).In(Shanghai).Format(time.RFC3339))
	}
	switch {
	case !b.EndsAt.After(b.StartsAt):
		c.add("/ends_at", CodeTooSmall, b.StartsAt.In(Shanghai).Format(time.RFC3339))
	case b.EndsAt.After(b.StartsAt.Add(MaxBookLength)):
		c.add("/ends_at", CodeTooLarge, b.StartsAt.Add(MaxBookLength).In(Shanghai).Format(time.RFC3339))
	}
	c.required("/contact/name", contact.Name, maxPersonName)
	c.contactPhone("/contact/phone", contact.Phone)
	c.paragraphs("/contact/notes", contact.Notes, maxNotes)
	return InvalidFields("booking", c.fields)
}

// exactCounty checks that a code is that of a county.
func (c *checks) exactCounty(pointer, code string, regions *Regions) {
	switch reg, err := regions.Get(code); {
	case code == "":
		c.add(pointer, CodeRequired, "")
	case err != nil || reg.Level != County:
		c.add(pointer, CodeValue, "/v1/regions?level=3")
	}
}

// Serves tells whether a domestic service comes to a county: it lies there or says so.
func (l *Listing) Serves(county string, regions *Regions) bool {
	return l.DomesticService != nil && (regions.Within(l.Region, county) || slices.Contains(l.DomesticService.CountiesServed, county))
}

// Validate checks a quote. It returns an Invalid error that holds all wrong fields
// at once, or nil.
func (q *Quote) Validate() error {
	c := &checks{}
	c.between("/price", q.Price, 1, maxBudget)
	c.paragraphs("/text", q.Text, maxQuoteText)
	return InvalidFields("quote", c.fields)
}

// Validate checks the reason of a step that needs one, and its text. It returns an
// Invalid error that holds all wrong fields at once, or nil.
func (e *BookingEvent) Validate() error {
	c := &checks{}
	if e.Action == ActDecline || e.Action == ActCancel {
		c.vocabulary("/reason", e.Reason, BookingReasons)
	}
	if e.Reason == "other" {
		c.requiredParagraphs("/text", e.Text, maxReason)
	} else {
		c.paragraphs("/text", e.Text, maxReason)
	}
	return InvalidFields("booking", c.fields)
}

// BookedAs returns how a kind of listing is booked: services are ordered, facilities
// visited; "" for the others.
func BookedAs(k Kind) BookingKind {
	switch k {
	case DomesticServiceKind:
		return ServiceBooking
	case ElderCareKind, ChildcareKind:
		return VisitBooking
	}
	return ""
}
