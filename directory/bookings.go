package directory

import (
	"fmt"
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
	Region       string `json:"region"` // the county where the service takes place
	Category     string `json:"category,omitempty"`
	// Offering is what was booked as it stood then, nil for a visit and a request.
	Offering *Offering `json:"offering,omitempty"`
	// Wish is what the resident wants, without phones and identity numbers: it is
	// shown to every firm that may quote.
	Wish   string `json:"wish,omitempty"`
	Budget int64  `json:"budget,omitempty"` // of a request, in fen; 0 where none is given

	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	// Seat is the place in the listing's calendar that the booking takes, see
	// [BookingCalendar.Seat]; "" where the listing keeps no calendar.
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
func (b *Booking) Live() bool {
	switch b.State {
	case BookingRequested, BookingQuoted, BookingAccepted, BookingInProgress:
		return true
	}
	return false
}

// Quote is a firm's offer on a request; a firm has one on each, which it may change
// until the resident has chosen.
type Quote struct {
	Listing      string    `json:"listing"`
	Organization string    `json:"organization"`
	Price        int64     `json:"price"` // fen, for all of it
	Text         string    `json:"text,omitempty"`
	At           time.Time `json:"at"`
}

// maxQuotes is how many firms can quote on a request.
const maxQuotes = 20

// Side is who takes part in a booking or a complaint.
type Side string

// The sides.
const (
	ResidentSide Side = "resident"
	BusinessSide Side = "business"
	OfficialSide Side = "official"
	ProgramSide  Side = "program" // the clock
)

// BookingAction is what somebody does about a booking.
type BookingAction string

// The actions.
const (
	ActRequest  BookingAction = "request"
	ActQuote    BookingAction = "quote"
	ActChoose   BookingAction = "choose" // a quote
	ActAccept   BookingAction = "accept"
	ActDecline  BookingAction = "decline"
	ActStart    BookingAction = "start"
	ActComplete BookingAction = "complete"
	ActRate     BookingAction = "rate"
	ActCancel   BookingAction = "cancel"
	ActNoShow   BookingAction = "no_show"
	ActExpire   BookingAction = "expire"
)

// BookingEvent is a step of a booking.
type BookingEvent struct {
	Action BookingAction `json:"action"`
	By     Side          `json:"by"`
	Reason string        `json:"reason,omitempty"` // code of BookingReasons
	Text   string        `json:"text,omitempty"`
	At     time.Time     `json:"at"`
}

// BookingReasons are why a booking was declined or cancelled.
var BookingReasons = []Term{
	term("busy", "时间已满", "No time free"),
	term("out_of_area", "不在服务范围", "Out of the area served"),
	term("unclear", "需求不明确", "It is not clear what is wanted"),
	term("plans_changed", "计划有变", "Plans have changed"),
	term("found_another", "已另行安排", "Arranged otherwise"),
	term("price", "价格原因", "The price"),
	term("illness", "身体原因", "Illness"),
	term("weather", "天气或交通", "Weather or traffic"),
	term("other", "其他", "Another reason"),
}

// BookingReasonTerm returns the names of a reason.
func BookingReasonTerm(code string) (Term, bool) { return find(BookingReasons, code) }

// BookingStateTerm returns the names of a state.
func BookingStateTerm(s BookingState) (Term, bool) { return find(BookingStates, string(s)) }

// The time that each side has for its steps.
const (
	AnswerTime     = 24 * time.Hour     // for the firm to accept, or to the start where that is sooner
	QuoteTime      = 72 * time.Hour     // for a request to be quoted on and the resident to choose, likewise
	CompletionTime = 7 * 24 * time.Hour // after the end, to confirm it
	NoShowAfter    = 15 * time.Minute   // after the start, before anybody counts as not there
	RemindAfter    = 24 * time.Hour     // after completion, before the resident is asked to rate
	RatingTime     = 30 * 24 * time.Hour
	// ContactKept is how long after its last step the contact of a booking stays, for
	// complaints about it.
	ContactKept = 30 * 24 * time.Hour
)

// CompletionTries is how many wrong completion codes are taken.
const CompletionTries = 5

// step is what an action does.
type step struct {
	from []BookingState
	by   []Side
	to   BookingState
}

var (
	waiting = []BookingState{BookingRequested}
	asking  = []BookingState{BookingRequested, BookingQuoted}
	agreed  = []BookingState{BookingAccepted, BookingInProgress}
)

// steps is the life of a booking after it was requested.
var steps = map[BookingAction]step{
	ActQuote:    {asking, []Side{BusinessSide}, BookingQuoted},
	ActChoose:   {[]BookingState{BookingQuoted}, []Side{ResidentSide}, BookingAccepted},
	ActAccept:   {waiting, []Side{BusinessSide}, BookingAccepted},
	ActDecline:  {waiting, []Side{BusinessSide}, BookingDeclined},
	ActStart:    {[]BookingState{BookingAccepted}, []Side{BusinessSide}, BookingInProgress},
	ActComplete: {agreed, []Side{ResidentSide, BusinessSide}, BookingCompleted},
	ActRate:     {[]BookingState{BookingCompleted}, []Side{ResidentSide}, BookingRated},
	ActCancel:   {[]BookingState{BookingRequested, BookingQuoted, BookingAccepted}, []Side{ResidentSide, BusinessSide}, BookingCancelled},
	ActNoShow:   {[]BookingState{BookingAccepted}, []Side{ResidentSide, BusinessSide}, BookingNoShow},
	ActExpire:   {[]BookingState{BookingRequested, BookingQuoted, BookingAccepted, BookingInProgress}, []Side{ProgramSide}, BookingExpired},
}

// Take takes a step. What the same side has just done may be done again, which
// changes nothing: an answer may have been lost. changed tells whether anything
// did. It returns Conflict about "booking_state" when the booking is not where the
// step begins, or "too_early" for a no-show before it can be one, and Forbidden for
// a side that has no part in the step.
func (b *Booking) Take(e BookingEvent) (changed bool, err error) {
	s, known := steps[e.Action]
	if !known || !slices.Contains(s.by, e.By) || e.By == BusinessSide && b.Kind == CustomBooking && b.Organization == "" && e.Action != ActQuote {
		return false, &Error{Kind: Forbidden}
	}
	if n := len(b.History); b.State == s.to && n > 0 && b.History[n-1].Action == e.Action && b.History[n-1].By == e.By && e.Action != ActQuote {
		return false, nil
	}
	if !slices.Contains(s.from, b.State) || e.Action == ActExpire && (b.DueAt == nil || b.DueAt.After(e.At)) {
		return false, &Error{Kind: Conflict, What: "booking_state"}
	}
	if e.Action == ActNoShow && e.At.Before(b.StartsAt.Add(NoShowAfter)) {
		return false, &Error{Kind: Conflict, What: "too_early"}
	}
	b.State, b.UpdatedAt, b.DueAt = s.to, e.At, b.due(s.to)
	b.History = append(b.History, e)
	return true, nil
}

// due returns when the step after a state has to be done.
func (b *Booking) due(s BookingState) *time.Time {
	var due time.Time
	switch s {
	case BookingRequested, BookingQuoted:
		due = b.CreatedAt.Add(AnswerTime)
		if b.Kind == CustomBooking {
			due = b.CreatedAt.Add(QuoteTime)
		}
		if b.StartsAt.Before(due) {
			due = b.StartsAt
		}
	case BookingAccepted, BookingInProgress:
		due = b.EndsAt.Add(CompletionTime)
	default:
		return nil
	}
	return &due
}

// Begin puts a booking that was just made into its first state.
func (b *Booking) Begin(now time.Time) {
	b.State, b.CreatedAt, b.UpdatedAt = BookingRequested, now, now
	b.History = []BookingEvent{{Action: ActRequest, By: ResidentSide, At: now}}
	b.DueAt = b.due(BookingRequested)
}

// Offer puts a firm's quote on a request, in the place of an earlier one of the
// same firm. It returns Conflict about "quotes" when there are as many as there can
// be.
func (b *Booking) Offer(q Quote) error {
	at := slices.IndexFunc(b.Quotes, func(have Quote) bool { return have.Organization == q.Organization })
	switch {
	case at >= 0:
		b.Quotes[at] = q
	case len(b.Quotes) >= maxQuotes:
		return &Error{Kind: Conflict, What: "quotes"}
	default:
		b.Quotes = append(b.Quotes, q)
	}
	return nil
}

// CompletedAt returns when the booking was completed; ok is false when it was not.
func (b *Booking) CompletedAt() (at time.Time, ok bool) {
	for _, e := range b.History {
		if e.Action == ActComplete {
			return e.At, true
		}
	}
	return at, false
}

// Forget takes out what tells who the resident is, whose account is erased. A
// booking that was live is cancelled. It tells whether anything changed.
func (b *Booking) Forget(now time.Time) bool {
	if b.Account == "" && b.Contact == "" {
		return false
	}
	if b.Live() {
		b.State, b.UpdatedAt, b.DueAt = BookingCancelled, now, nil
		b.History = append(b.History, BookingEvent{Action: ActCancel, By: ResidentSide, Reason: "other", At: now})
	}
	b.Account, b.For, b.Contact, b.Once, b.Asked, b.Wish = "", "", "", "", "", ""
	for i := range b.History {
		if b.History[i].By == ResidentSide {
			b.History[i].Text = ""
		}
	}
	return true
}

// The bounds of a booking.
const (
	maxWish       = 500 // characters
	maxNotes      = 500
	maxAddress    = 200
	maxQuoteText  = 500
	maxBudget     = 100_000_000 // fen
	MaxBookDays   = 180         // how far ahead anything can be booked
	maxBookLength = 31 * 24 * time.Hour
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
		c.required("/wish", b.Wish, maxWish)
		c.between("/budget", b.Budget, 0, maxBudget)
		c.county("/region", b.Region, regions)
		c.required("/contact/address", contact.Address, maxAddress)
	case ServiceBooking:
		c.paragraphs("/wish", b.Wish, maxWish)
		c.county("/region", b.Region, regions)
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
	case b.EndsAt.After(b.StartsAt.Add(maxBookLength)):
		c.add("/ends_at", CodeTooLarge, b.StartsAt.Add(maxBookLength).In(Shanghai).Format(time.RFC3339))
	}
	c.required("/contact/name", contact.Name, maxPersonName)
	if contact.Phone == "" {
		c.add("/contact/phone", CodeRequired, "")
	} else if _, ok := ParseContactPhone(contact.Phone); !ok {
		c.add("/contact/phone", CodeFormat, ContactPhoneForm)
	}
	c.paragraphs("/contact/notes", contact.Notes, maxNotes)
	return InvalidFields("booking", c.fields)
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
		if e.Reason == "other" {
			c.required("/text", e.Text, maxReason)
		}
	}
	c.paragraphs("/text", e.Text, maxReason)
	return InvalidFields("booking", c.fields)
}

// BookingCalendar says when a listing can be booked, and by how many at once. A
// booking takes one slot.
type BookingCalendar struct {
	Listing      string `json:"listing"`
	Organization string `json:"organization"`
	// Hours are when slots can begin and have to end; they need not be those of the
	// listing.
	Hours       Hours `json:"hours"`
	SlotMinutes int   `json:"slot_minutes"`
	Capacity    int   `json:"capacity"` // bookings that run at the same time
	// NoticeMinutes is how long before its start a slot can be booked at the latest,
	// and HorizonDays how long at the earliest.
	NoticeMinutes int       `json:"notice_minutes"`
	HorizonDays   int       `json:"horizon_days"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// Validate checks a calendar. It returns an Invalid error that holds all wrong
// fields at once, or nil.
func (k *BookingCalendar) Validate() error {
	c := &checks{}
	c.under("/hours", func() { k.Hours.check(c) })
	c.between("/slot_minutes", int64(k.SlotMinutes), 15, 24*60)
	c.between("/capacity", int64(k.Capacity), 1, 100)
	c.between("/notice_minutes", int64(k.NoticeMinutes), 0, 30*24*60)
	c.between("/horizon_days", int64(k.HorizonDays), 1, MaxBookDays)
	return InvalidFields("calendar", c.fields)
}

// Slots returns the starts of the slots that begin on a day and can be booked at
// a time, in their order.
func (k *BookingCalendar) Slots(day Date, now time.Time, holidays *Calendar) []time.Time {
	midnight, err := time.ParseInLocation(time.DateOnly, string(day), Shanghai)
	if err != nil {
		return nil
	}
	first, last := now.Add(time.Duration(k.NoticeMinutes)*time.Minute), now.AddDate(0, 0, k.HorizonDays)
	var out []time.Time
	for _, i := range k.Hours.on(midnight, holidays) {
		for m := i.Open; m+k.SlotMinutes <= i.end(); m += k.SlotMinutes {
			start := midnight.Add(time.Duration(m) * time.Minute)
			if !start.Before(first) && !start.After(last) {
				out = append(out, start.UTC())
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// Seat names one of the places of a slot, counted from 0. No two live bookings have
// the same.
func (k *BookingCalendar) Seat(start time.Time, n int) string {
	return fmt.Sprintf("%s %s %d", k.Listing, start.UTC().Format(time.RFC3339), n)
}
