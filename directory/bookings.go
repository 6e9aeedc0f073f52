package directory

import (
	"cmp"
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
	// Organization is the firm that has quoted; "" for every other step.
	Organization string    `json:"organization,omitempty"`
	Reason       string    `json:"reason,omitempty"` // code of BookingReasons
	Text         string    `json:"text,omitempty"`   // without phones and identity numbers
	At           time.Time `json:"at"`
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

// bookingStep is what an action does: from where each side that has a part in it may take
// it, and where it leads.
type bookingStep struct {
	from map[Side][]BookingState
	to   BookingState
}

// The states of a booking that several steps begin in.
var (
	openStates   = []BookingState{BookingRequested, BookingQuoted}
	agreedStates = []BookingState{BookingAccepted, BookingInProgress}
	earlyStates  = []BookingState{BookingRequested, BookingQuoted, BookingAccepted}
	liveStates   = []BookingState{BookingRequested, BookingQuoted, BookingAccepted, BookingInProgress}
)

// bookingSteps is the life of a booking after it was requested. A firm that has begun was
// there, so that it cannot say any more that the resident was not; the resident still
// can say so of the firm.
var bookingSteps = map[BookingAction]bookingStep{
	ActQuote:    {map[Side][]BookingState{BusinessSide: openStates}, BookingQuoted},
	ActChoose:   {map[Side][]BookingState{ResidentSide: {BookingQuoted}}, BookingAccepted},
	ActAccept:   {map[Side][]BookingState{BusinessSide: {BookingRequested}}, BookingAccepted},
	ActDecline:  {map[Side][]BookingState{BusinessSide: {BookingRequested}}, BookingDeclined},
	ActStart:    {map[Side][]BookingState{BusinessSide: {BookingAccepted}}, BookingInProgress},
	ActComplete: {map[Side][]BookingState{ResidentSide: agreedStates, BusinessSide: agreedStates}, BookingCompleted},
	ActRate:     {map[Side][]BookingState{ResidentSide: {BookingCompleted}}, BookingRated},
	ActCancel:   {map[Side][]BookingState{ResidentSide: earlyStates, BusinessSide: earlyStates}, BookingCancelled},
	ActNoShow:   {map[Side][]BookingState{ResidentSide: agreedStates, BusinessSide: {BookingAccepted}}, BookingNoShow},
	ActExpire:   {map[Side][]BookingState{ProgramSide: liveStates}, BookingExpired},
}

// Take takes a step. What the same side has just done may be done again, which
// changes nothing: an answer may have been lost. changed tells whether anything
// did. It returns Forbidden for a side that has no part in the step, and Conflict
// about "booking_state" when the booking is not where the step begins, or about
// "too_early" or "too_late" when it is not the time for it. Quoting, choosing and the
// business's completion have methods of their own, which call this one.
func (b *Booking) Take(e BookingEvent) (changed bool, err error) {
	s := bookingSteps[e.Action]
	from, takesPart := s.from[e.By]
	if !takesPart || e.By == BusinessSide && b.Organization == "" && e.Action != ActQuote {
		return false, &Error{Kind: Forbidden}
	}
	if b.State == s.to && e.Action != ActQuote && b.justDid(e) {
		return false, nil
	}
	if !slices.Contains(from, b.State) || e.Action == ActExpire && (b.DueAt == nil || b.DueAt.After(e.At)) {
		return false, &Error{Kind: Conflict, What: "booking_state"}
	}
	if what := b.untimely(e); what != "" {
		return false, &Error{Kind: Conflict, What: what}
	}
	b.State, b.UpdatedAt, b.DueAt = s.to, e.At, b.due(s.to)
	b.History = append(b.History, e)
	return true, nil
}

// justDid tells whether a step is the last one that was taken.
func (b *Booking) justDid(e BookingEvent) bool {
	n := len(b.History)
	return n > 0 && b.History[n-1].Action == e.Action && b.History[n-1].By == e.By
}

// untimely returns what a Conflict is about when it is not the time for a step, "" when
// it is. A service may begin and be done before its time, if the two have met earlier:
// that it was done is for the resident to say. But once it was to begin, a firm cannot
// get out of being rated by cancelling.
func (b *Booking) untimely(e BookingEvent) string {
	switch {
	case e.Action == ActNoShow && e.At.Before(b.StartsAt.Add(NoShowAfter)):
		return "too_early"
	case e.Action == ActCancel && e.By == BusinessSide && !e.At.Before(b.StartsAt):
		return "too_late"
	}
	return ""
}

// Complete is the step of completion by the business, which has to have the resident's
// code; right tells whether the one that it has given is that. A wrong one is counted,
// which is a change and Invalid. After [CompletionTries] of them it returns Conflict
// about "code_tries"; the resident can still complete the booking. Other errors are
// those of [Booking.Take].
func (b *Booking) Complete(e BookingEvent, right bool) (changed bool, err error) {
	next := *b
	changed, err = next.Take(e)
	switch {
	case err != nil || !changed:
		return changed, err
	case b.Tries >= CompletionTries:
		return false, &Error{Kind: Conflict, What: "code_tries"}
	case !right:
		b.Tries++
		return true, WrongField("booking", "/code", CodeMismatch, "completion_code")
	}
	*b = next
	return true, nil
}

// Offer puts a firm's quote on a request, in the place of an earlier one of the same
// firm; the same again changes nothing. It returns Conflict about "booking_state" where
// nobody can quote any more, and about "quotes" when there are as many as there can be.
func (b *Booking) Offer(q Quote) (changed bool, err error) {
	at := slices.IndexFunc(b.Quotes, func(have Quote) bool { return have.Organization == q.Organization })
	if at >= 0 {
		have := b.Quotes[at]
		have.At = q.At
		if have == q {
			return false, nil
		}
	}
	switch {
	case !b.Asking():
		return false, &Error{Kind: Conflict, What: "booking_state"}
	case at >= 0:
		b.Quotes[at], b.UpdatedAt = q, q.At
		return true, nil
	case len(b.Quotes) >= maxQuotes:
		return false, &Error{Kind: Conflict, What: "quotes"}
	}
	b.Quotes = append(b.Quotes, q)
	return b.Take(BookingEvent{Action: ActQuote, By: BusinessSide, Organization: q.Organization, At: q.At})
}

// QuoteOf returns the quote of an organization, nil when it has none.
func (b *Booking) QuoteOf(organization string) *Quote {
	for i := range b.Quotes {
		if b.Quotes[i].Organization == organization {
			return &b.Quotes[i]
		}
	}
	return nil
}

// Choose takes the quote of an organization at the price that the resident has seen; to
// choose it again changes nothing. It returns Invalid for one that has not quoted,
// Conflict about "quote_changed" when its price is another by now, and the errors of
// [Booking.Take].
func (b *Booking) Choose(organization string, price int64, now time.Time) (changed bool, err error) {
	q := b.QuoteOf(organization)
	if q == nil {
		return false, WrongField("booking", "/organization", CodeValue, "quotes")
	}
	if b.Organization != "" && b.Organization != organization {
		return false, &Error{Kind: Conflict, What: "booking_state"}
	}
	e := BookingEvent{Action: ActChoose, By: ResidentSide, At: now}
	if b.Live() && b.Organization == "" && q.Price != price {
		return false, &Error{Kind: Conflict, What: "quote_changed"}
	}
	if changed, err = b.Take(e); changed {
		b.Organization, b.Listing = q.Organization, q.Listing
	}
	return changed, err
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

// CompletedAt returns when the booking was completed; ok is false when it was not.
func (b *Booking) CompletedAt() (at time.Time, ok bool) {
	for _, e := range b.History {
		if e.Action == ActComplete {
			return e.At, true
		}
	}
	return at, false
}

// ClearAt returns when the contact is to be cleared away, [ContactKept] after the last
// step; ok is false while the booking is live or when that was done. A complaint that
// needs the contact for longer belongs here.
func (b *Booking) ClearAt() (at time.Time, ok bool) {
	return b.UpdatedAt.Add(ContactKept), !b.Live() && b.Contact != ""
}

// RemindAt returns when the resident is to be asked for a rating; ok is false when there
// is nothing to ask, or nobody.
func (b *Booking) RemindAt() (at time.Time, ok bool) {
	at, _ = b.CompletedAt()
	return at.Add(RemindAfter), b.State == BookingCompleted && b.RemindedAt == nil && b.Account != ""
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

// BookingCalendar says when a listing can be booked, and by how many at once. A
// booking takes one slot.
type BookingCalendar struct {
	Listing string `json:"listing"`
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
	for _, begins := range []time.Time{midnight.AddDate(0, 0, -1), midnight} { // hours may run past midnight
		for _, i := range k.Hours.on(begins, holidays) {
			for m := i.Open; m+k.SlotMinutes <= i.end(); m += k.SlotMinutes {
				start := begins.Add(time.Duration(m) * time.Minute)
				if DateOf(start) == day && !start.Before(first) && !start.After(last) {
					out = append(out, start.UTC())
				}
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// End returns the end of the slot that begins at a time.
func (k *BookingCalendar) End(start time.Time) time.Time {
	return start.Add(time.Duration(k.SlotMinutes) * time.Minute)
}

// Seats returns the places of a slot that can be taken beside the live bookings of the
// listing. A booking that overlaps it and holds none of its places, because it was made
// before the calendar was or when that had other slots, leaves one place less.
func (k *BookingCalendar) Seats(start time.Time, bookings []Booking) (free []string) {
	taken := map[string]bool{}
	for i := range bookings {
		if b := &bookings[i]; b.Live() && b.StartsAt.Before(k.End(start)) && b.EndsAt.After(start) {
			taken[cmp.Or(b.Seat, b.ID)] = true
		}
	}
	// The first n places can be given away as long as all bookings together are within
	// the capacity when these are full.
	for n := k.Capacity; n > 0; n-- {
		free = nil
		for i := range n {
			if seat := k.seat(start, i); !taken[seat] {
				free = append(free, seat)
			}
		}
		if len(taken)+len(free) <= k.Capacity {
			return free
		}
	}
	return nil
}

// seat names one of the places of a slot, counted from 0. No two live bookings have
// the same.
func (k *BookingCalendar) seat(start time.Time, n int) string {
	return fmt.Sprintf("%s %s %d", k.Listing, start.UTC().Format(time.RFC3339), n)
}
