package directory

import "time"

// Account is a person who can sign in. Every account is a resident; what else
// it may do is in its [Grant]s. Phone and second factor are kept sealed: only
// package auth can open them.
type Account struct {
	ID        string `json:"id"`         // UUID, version 7
	PhoneHash string `json:"phone_hash"` // keyed, by which the account is found
	Phone     string `json:"phone"`      // sealed

	Name      string         `json:"name,omitempty"`
	Language  Language       `json:"language,omitempty"` // "" where the person has not chosen
	ElderMode bool           `json:"elder_mode,omitempty"`
	Family    []FamilyMember `json:"family,omitempty"` // for whom the account acts

	SecondFactor *SecondFactor `json:"second_factor,omitempty"`

	Demo      bool       `json:"demo,omitempty"` // invented for demonstration
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	EraseAt   *time.Time `json:"erase_at,omitempty"` // when the account is erased; nil unless its owner asked for it
}

// Language is a language of the app.
type Language string

// The languages that a person can choose.
const (
	Chinese   Language = "zh"
	Tibetan   Language = "bo"
	Mongolian Language = "mn"
	English   Language = "en"
)

var languages = []Language{Chinese, Tibetan, Mongolian, English}

// FamilyMember is somebody for whom the owner of an account books and rates.
type FamilyMember struct {
	ID        string   `json:"id"` // UUID, version 7
	Name      string   `json:"name"`
	Relation  Relation `json:"relation"`
	BirthYear int      `json:"birth_year,omitempty"` // 0 where not given
}

// Relation is what a family member is to the owner of the account.
type Relation string

// The relations.
const (
	Parent      Relation = "parent"
	Grandparent Relation = "grandparent"
	Spouse      Relation = "spouse"
	Child       Relation = "child"
	OtherFamily Relation = "other"
)

var relations = []Relation{Parent, Grandparent, Spouse, Child, OtherFamily}

// SecondFactor is the authenticator app of an official or admin (RFC 6238).
type SecondFactor struct {
	Secret      string     `json:"secret"`                 // sealed
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"` // nil until the app has shown a right code
	LastStep    int64      `json:"last_step"`              // the time step of the last code used; none is taken twice
	Recovery    []string   `json:"recovery,omitempty"`     // keyed hashes of the recovery codes that are left
}

// Enrolled tells whether the account has a second factor that works.
func (a *Account) Enrolled() bool {
	return a.SecondFactor != nil && a.SecondFactor.ConfirmedAt != nil
}

// The bounds of what people write about themselves.
const (
	maxPersonName = 40   // characters
	maxFamily     = 10   // members
	minBirthYear  = 1900 // nobody alive was born before
)

// Validate checks what the owner of an account can change. It returns an
// Invalid error that holds all wrong fields at once, or nil.
func (a *Account) Validate(now time.Time) error {
	c := &checks{}
	c.text("/name", a.Name, maxPersonName)
	optional(c, "/language", a.Language, languages)
	seen := map[string]bool{}
	each(c, "/family", a.Family, maxFamily, func(m *FamilyMember) {
		if seen[m.ID] {
			c.add("/id", CodeDuplicate, "")
		} else {
			c.id("/id", m.ID)
		}
		seen[m.ID] = true
		c.required("/name", m.Name, maxPersonName)
		oneOf(c, "/relation", m.Relation, relations)
		if m.BirthYear != 0 {
			c.between("/birth_year", int64(m.BirthYear), minBirthYear, int64(now.In(Shanghai).Year()))
		}
	})
	return InvalidFields("account", c.fields)
}

// Favourite is a listing that somebody keeps.
type Favourite struct {
	Account string    `json:"account"`
	Listing string    `json:"listing"`
	AddedAt time.Time `json:"added_at"`
}

// Key is the favourite's id: an account keeps a listing once.
func (f *Favourite) Key() string { return f.Account + "." + f.Listing }

// Notification is a message in somebody's inbox.
type Notification struct {
	ID      string            `json:"id"` // UUID, version 7: the order of ids is that of time
	Account string            `json:"account"`
	Kind    NotificationKind  `json:"kind"`
	Params  map[string]string `json:"params,omitempty"` // what the text speaks of
	At      time.Time         `json:"at"`
	ReadAt  *time.Time        `json:"read_at,omitempty"`
}

// NotificationKind says what has happened; the text follows from it.
type NotificationKind string

// The kinds of notification.
const (
	NoteGranted         NotificationKind = "granted"           // a role was given; role, scope
	NoteRevoked         NotificationKind = "revoked"           // a role was taken back; role, scope
	NoteSessionReused   NotificationKind = "session_reused"    // a session was ended because its token was used twice; device
	NoteSecondFactorSet NotificationKind = "second_factor_set" // an authenticator app was registered
	NoteErasure         NotificationKind = "erasure"           // the account will be erased; on
	NoteAPIKeyExpires   NotificationKind = "api_key_expires"   // a key that they have made is about to expire; key, name, on

	NoteOrganizationVerified NotificationKind = "organization_verified" // organization, name
	NoteOrganizationRefused  NotificationKind = "organization_refused"  // organization, name, reason
	NoteClaimFiled           NotificationKind = "claim_filed"           // somebody claims the organization; claim, organization, name
	NoteClaimedByOther       NotificationKind = "claimed_by_other"      // and is an owner now; organization, name
	NoteClaimGranted         NotificationKind = "claim_granted"         // to the claimant; claim, organization, name
	NoteClaimRefused         NotificationKind = "claim_refused"         // to the claimant; claim, name, reason

	NoteApproved  NotificationKind = "approved"   // a proposal was published; listing, name
	NoteRejected  NotificationKind = "rejected"   // a proposal was rejected; listing, name, reasons
	NoteReturned  NotificationKind = "returned"   // an official asks for more; listing, name, reasons
	NoteSuspended NotificationKind = "suspended"  // a listing was suspended; listing, name, reasons
	NoteMerged    NotificationKind = "merged"     // a listing turned out to be another; listing, name, into
	NoteReported  NotificationKind = "reported"   // reports of wrong facts were confirmed; listing, name
	NoteImported  NotificationKind = "imported"   // an import is done; import, created, updated, refused
	NoteReviewDue NotificationKind = "review_due" // a listing has to be confirmed; listing, name, on, days

	NoteRatingReplied  NotificationKind = "rating_replied"  // the business has answered; rating, listing, name
	NoteRatingReleased NotificationKind = "rating_released" // an official lets a rating count; rating, listing, name
	NoteRatingExcluded NotificationKind = "rating_excluded" // an official has excluded a rating; rating, listing, name, text

	// About bookings; booking, name (of the listing), at (when it is to begin).
	NoteBookingRequested NotificationKind = "booking_requested" // somebody books with the firm
	NoteRequestOpen      NotificationKind = "request_open"      // the firm may quote on a request; booking, name (of the category), at
	NoteBookingQuoted    NotificationKind = "booking_quoted"    // a firm has quoted; also price
	NoteBookingChosen    NotificationKind = "booking_chosen"    // the firm's quote was chosen
	NoteBookingAccepted  NotificationKind = "booking_accepted"
	NoteBookingDeclined  NotificationKind = "booking_declined"
	NoteBookingCancelled NotificationKind = "booking_cancelled"
	NoteBookingCompleted NotificationKind = "booking_completed"
	NoteBookingNoShow    NotificationKind = "booking_no_show"
	NoteBookingExpired   NotificationKind = "booking_expired"
	NoteRateBooking      NotificationKind = "rate_booking" // a day after completion

	// About complaints: complaint, listing, name, and what stands beside each. The first
	// two are for officials, the last four for the organization, those to both for it
	// and the resident, the others for the resident.
	NoteComplaintWaiting     NotificationKind = "complaint_waiting"     // one lies on their desk; on
	NoteComplaintDue         NotificationKind = "complaint_due"         // its deadline is near or past; on
	NoteComplaintAccepted    NotificationKind = "complaint_accepted"    // on
	NoteComplaintRefused     NotificationKind = "complaint_refused"     // text
	NoteComplaintAsked       NotificationKind = "complaint_asked"       // an official asks for more; text
	NoteComplaintAnswered    NotificationKind = "complaint_answered"    // by the firm
	NoteComplaintTransferred NotificationKind = "complaint_transferred" // to another bureau or region
	NoteComplaintAsksSolved  NotificationKind = "complaint_asks_solved" // the questionnaire
	NoteComplaintResolved    NotificationKind = "complaint_resolved"    // to both
	NoteComplaintUnresolved  NotificationKind = "complaint_unresolved"  // to both
	NoteComplaintClosed      NotificationKind = "complaint_closed"      // to both
	NoteComplaintHandedOver  NotificationKind = "complaint_handed_over" // to both; reference
	NoteComplaintDuplicate   NotificationKind = "complaint_duplicate"   // to both
	NoteComplaintReceived    NotificationKind = "complaint_received"    // on
	NoteComplaintAnswerDue   NotificationKind = "complaint_answer_due"  // on
	NoteComplaintReopened    NotificationKind = "complaint_reopened"    // on
	NoteComplaintWithdrawn   NotificationKind = "complaint_withdrawn"

	// About returns: form, month, and what stands beside each. The first three go to
	// those who are to report, with name (of one of the n that are missing), n and on
	// (the last day).
	NoteReturnsOpen    NotificationKind = "returns_open"    // the month has ended
	NoteReturnsDue     NotificationKind = "returns_due"     // the deadline is near
	NoteReturnsOverdue NotificationKind = "returns_overdue" // it is past
	NoteReturnsMissing NotificationKind = "returns_missing" // to officials: n of a region are missing after the deadline; region, n
	NoteReturnReturned NotificationKind = "return_returned" // an official has sent it back; subject, name, reason

	NoteBulletinDrafted NotificationKind = "bulletin_drafted" // waits to be published; bulletin, name (of the period)
)

// NotificationKinds are all kinds of notification.
var NotificationKinds = []NotificationKind{NoteGranted, NoteRevoked, NoteSessionReused, NoteSecondFactorSet, NoteErasure, NoteAPIKeyExpires,
	NoteOrganizationVerified, NoteOrganizationRefused, NoteClaimFiled, NoteClaimedByOther, NoteClaimGranted, NoteClaimRefused,
	NoteApproved, NoteRejected, NoteReturned, NoteSuspended, NoteMerged, NoteReported, NoteImported, NoteReviewDue,
	NoteRatingReplied, NoteRatingReleased, NoteRatingExcluded,
	NoteBookingRequested, NoteRequestOpen, NoteBookingQuoted, NoteBookingChosen, NoteBookingAccepted, NoteBookingDeclined,
	NoteBookingCancelled, NoteBookingCompleted, NoteBookingNoShow, NoteBookingExpired, NoteRateBooking,
	NoteComplaintWaiting, NoteComplaintDue, NoteComplaintAccepted, NoteComplaintRefused, NoteComplaintAsked, NoteComplaintAnswered,
	NoteComplaintTransferred, NoteComplaintAsksSolved, NoteComplaintResolved, NoteComplaintUnresolved, NoteComplaintClosed,
	NoteComplaintHandedOver, NoteComplaintDuplicate, NoteComplaintReceived, NoteComplaintAnswerDue, NoteComplaintReopened, NoteComplaintWithdrawn,
	NoteReturnsOpen, NoteReturnsDue, NoteReturnsOverdue, NoteReturnsMissing, NoteReturnReturned, NoteBulletinDrafted}
