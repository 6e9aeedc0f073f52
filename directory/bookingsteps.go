package directory

import (
	"slices"
	"time"
)

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
		b.Organization, b.Listing, b.ListingKind, b.ListingRegion = q.Organization, q.Listing, q.Kind, q.Region
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
