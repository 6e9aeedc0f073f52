package directory

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Rating is what a consumer says about a service. Whether it can carry an official
// figure depends on its origin: a completed booking and a one-time invitation prove
// that there was a service, anything else does not.
type Rating struct {
	ID string `json:"id"` // UUID, version 7: the order of ids is that of time
	// Proof is what the rating is given for, and given for once: see [OrderProof],
	// [InviteProof] and [OpenProof].
	Proof  string       `json:"proof"`
	Origin RatingOrigin `json:"origin"`

	Listing      string `json:"listing"`
	Organization string `json:"organization,omitempty"` // of the listing then
	Kind         Kind   `json:"kind"`                   // of the listing
	Region       string `json:"region"`                 // of the listing
	Category     string `json:"category,omitempty"`     // of the service, where known
	Account      string `json:"account,omitempty"`      // "" once it was erased

	Level     Level            `json:"level"`
	Aspects   map[string]Level `json:"aspects,omitempty"` // by codes of Aspects
	Text      string           `json:"text,omitempty"`    // without phones and identity numbers
	Photos    []string         `json:"photos,omitempty"`
	ForFamily bool             `json:"for_family,omitempty"` // the service was for a member of the family

	State    RatingState `json:"state"`
	Findings []Finding   `json:"findings,omitempty"` // why it is held, or was
	// Decision is what an official has decided about it, the last time.
	Decision *RatingDecision `json:"decision,omitempty"`
	Reports  []RatingReport  `json:"reports,omitempty"` // one of an account at most
	Reply    *RatingReply    `json:"reply,omitempty"`   // of the business
	History  []RatingEdit    `json:"history,omitempty"` // what it was before, the latest last

	// Helpful is how many have found it helpful, counted from the votes up to the
	// change HelpfulTo of these.
	Helpful   int64 `json:"helpful,omitempty"`
	HelpfulTo int64 `json:"helpful_to,omitempty"`

	// Device, Network and Words are keyed hashes of where it came from and of its
	// text, by which ratings of one hand are found. They are cleared away.
	Device  string `json:"device,omitempty"`
	Network string `json:"network,omitempty"`
	Words   string `json:"words,omitempty"`

	Demo      bool      `json:"demo,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Level is how satisfied somebody is, on the five levels of the government service
// scale (好差评, 国办发〔2019〕51号): 1 非常不满意 to 5 非常满意.
type Level int

// Levels are the levels with their names, from 1 to 5. Nobody whose language it is
// has checked the Tibetan ones.
var Levels = [5]Names{
	{Zh: "非常不满意", Bo: "ཧ་ཅང་ཡིད་མི་ཚིམ།", En: "Very dissatisfied"},
	{Zh: "不满意", Bo: "ཡིད་མི་ཚིམ།", En: "Dissatisfied"},
	{Zh: "基本满意", Bo: "གཞི་རྩའི་ཆ་ནས་ཡིད་ཚིམ།", En: "Fairly satisfied"},
	{Zh: "满意", Bo: "ཡིད་ཚིམ།", En: "Satisfied"},
	{Zh: "非常满意", Bo: "ཧ་ཅང་ཡིད་ཚིམ།", En: "Very satisfied"},
}

// Aspects are what a rating can say something about besides.
var Aspects = []Term{
	term("attitude", "态度", "Attitude"),
	term("quality", "质量", "Quality"),
	term("punctuality", "守时", "Punctuality"),
	term("price", "价格", "Price"),
	term("safety", "安全", "Safety"),
}

// RatingOrigin is what proves that there was a service.
type RatingOrigin string

// The origins. The official figure counts the first two.
const (
	OrderOrigin  RatingOrigin = "order"  // a booking that was completed
	InviteOrigin RatingOrigin = "invite" // an invitation to one phone, for a service outside of the directory
	OpenOrigin   RatingOrigin = "open"   // nothing
)

// RatingOrigins are the origins with their names.
var RatingOrigins = []Term{
	term(string(OrderOrigin), "订单评价", "By booking"),
	term(string(InviteOrigin), "邀请评价", "By invitation"),
	term(string(OpenOrigin), "公开评价", "Open"),
}

// Proven tells whether an origin counts for the official figure.
func (o RatingOrigin) Proven() bool { return o == OrderOrigin || o == InviteOrigin }

// OrderProof is the proof of a rating for a booking.
func OrderProof(booking string) string { return "order " + booking }

// InviteProof is the proof of a rating by an invitation.
func InviteProof(invitation string) string { return "invite " + invitation }

// OpenProof is the proof of a rating without one: each account has one a listing.
func OpenProof(account, listing string) string { return "open " + account + " " + listing }

// RatingState is whether a rating is shown and counted.
type RatingState string

// The states of a rating.
const (
	RatingPublished RatingState = "published" // shown, and counted among those of its origin
	RatingHeld      RatingState = "held"      // a rule has found something; waits for an official
	RatingExcluded  RatingState = "excluded"  // an official has decided that it does not count
	RatingWithdrawn RatingState = "withdrawn" // by whoever gave it
)

// RatingStates are the states of a rating with their names.
var RatingStates = []Term{
	term(string(RatingPublished), "已公开", "Published"),
	term(string(RatingHeld), "待核查", "Held"),
	term(string(RatingExcluded), "不计入", "Excluded"),
	term(string(RatingWithdrawn), "已撤回", "Withdrawn"),
}

// Scope returns what the rating belongs to: the organization of its listing, and the
// bureau and region that look after it.
func (r *Rating) Scope() Scope {
	return Scope{Organization: r.Organization, Bureau: BureauOf(r.Kind), Region: r.Region}
}

// Counted is the level with which a rating counts for the official figure, 0 when it
// does not count.
func (r *Rating) Counted() Level {
	if r.State == RatingPublished && r.Origin.Proven() {
		return r.Level
	}
	return 0
}

// Rule is the rule by which a rating is held or was excluded first, "" for none.
func (r *Rating) Rule() string {
	if r.State != RatingHeld && r.State != RatingExcluded || len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Rule
}

// RatingDecision is what an official has decided about a rating.
type RatingDecision struct {
	State  RatingState `json:"state"` // RatingPublished or RatingExcluded
	Reason string      `json:"reason,omitempty"`
	By     string      `json:"by"`
	At     time.Time   `json:"at"`
}

// RatingReport is what somebody says is wrong with a rating.
type RatingReport struct {
	Account string    `json:"account"`
	Reason  string    `json:"reason"` // code of RatingReportReasons
	Text    string    `json:"text,omitempty"`
	At      time.Time `json:"at"`
}

// RatingReportReasons are why a rating is reported.
var RatingReportReasons = []Term{
	term("fake", "虚假评价", "Not a real experience"),
	term("abuse", "辱骂或歧视", "Abuse or discrimination"),
	term("advertising", "广告", "Advertising"),
	term("private", "泄露个人信息", "Personal data"),
	term("unrelated", "与服务无关", "Not about the service"),
	term("other", "其他", "Another reason"),
}

// RatingReply is the public answer of the business, one for each rating.
type RatingReply struct {
	Text string    `json:"text"`
	By   string    `json:"by"` // account
	At   time.Time `json:"at"`
	// EditedAt is when it was last changed, nil when it never was.
	EditedAt *time.Time `json:"edited_at,omitempty"`
}

// RatingEdit is what a rating was until it was changed.
type RatingEdit struct {
	Level   Level            `json:"level"`
	Aspects map[string]Level `json:"aspects,omitempty"`
	Text    string           `json:"text,omitempty"`
	Photos  []string         `json:"photos,omitempty"`
	Until   time.Time        `json:"until"`
}

// EditTime is how long after it was given a rating can be changed.
const EditTime = 30 * 24 * time.Hour

// RatingTracesKept is how long the hashes stay by which ratings of one hand are found.
const RatingTracesKept = 90 * 24 * time.Hour

// The bounds of a rating.
const (
	maxRatingText   = 1000 // characters
	maxRatingPhotos = 9
	maxRatingEdits  = 20
	maxReports      = 100
	maxReply        = 1000
)

// Validate checks what the consumer has given. It returns an Invalid error that
// holds all wrong fields at once, or nil.
func (r *Rating) Validate() error {
	c := &checks{}
	c.level("/level", r.Level)
	for _, code := range slices.Sorted(maps.Keys(r.Aspects)) {
		if _, ok := find(Aspects, code); !ok {
			c.add("/aspects/"+code, CodeUnknown, codes(Aspects))
			continue
		}
		c.level("/aspects/"+code, r.Aspects[code])
	}
	c.paragraphs("/text", r.Text, maxRatingText)
	distinct(c, "/photos", r.Photos, maxRatingPhotos, func(id string) {
		if !photoPattern.MatchString(id) {
			c.add("", CodeFormat, "")
		}
	})
	return InvalidFields("rating", c.fields)
}

func (c *checks) level(pointer string, l Level) {
	if l == 0 {
		c.add(pointer, CodeRequired, "")
		return
	}
	c.between(pointer, int64(l), 1, int64(len(Levels)))
}

// Edit changes what a rating says. It returns Conflict about "rating_state" for one
// that was withdrawn or excluded, and about "edit_time" when it is too late.
func (r *Rating) Edit(to RatingEdit, now time.Time) error {
	switch {
	case r.State == RatingWithdrawn || r.State == RatingExcluded:
		return &Error{Kind: Conflict, What: "rating_state"}
	case now.After(r.CreatedAt.Add(EditTime)):
		return &Error{Kind: Conflict, What: "edit_time"}
	case len(r.History) >= maxRatingEdits:
		return &Error{Kind: Conflict, What: "edits"}
	}
	r.History = append(r.History, RatingEdit{r.Level, r.Aspects, r.Text, r.Photos, now})
	r.Level, r.Aspects, r.Text, r.Photos, r.UpdatedAt = to.Level, to.Aspects, to.Text, to.Photos, now
	return nil
}

// Swing is by how many levels the rating has been changed at the most, from what it
// was first to what it is.
func (r *Rating) Swing() int {
	if len(r.History) == 0 {
		return 0
	}
	d := int(r.Level - r.History[0].Level)
	return max(d, -d)
}

// Hold keeps a rating from being shown and counted until an official has decided.
// What an official has decided before stays decided. It tells whether anything
// changed.
func (r *Rating) Hold(findings []Finding) bool {
	if len(findings) == 0 || r.State == RatingWithdrawn || r.State == RatingExcluded {
		return false
	}
	changed := r.State != RatingHeld
	for _, f := range findings {
		if !slices.ContainsFunc(r.Findings, func(have Finding) bool { return have.Rule == f.Rule }) {
			r.Findings = append(r.Findings, f)
			changed = true
		}
	}
	r.State = RatingHeld
	return changed
}

// Withdraw takes a rating back for good; it counts no more. It tells whether anything
// changed.
func (r *Rating) Withdraw(now time.Time) bool {
	if r.State == RatingWithdrawn {
		return false
	}
	r.State, r.UpdatedAt = RatingWithdrawn, now
	r.Text, r.Photos, r.History, r.Reply = "", nil, nil, nil
	return true
}

// Decide notes the decision of an official about a rating that is held, reported or
// decided already. One that is excluded loses its photos. It returns Conflict about "rating_state" for one that was
// withdrawn.
func (r *Rating) Decide(d RatingDecision) error {
	if r.State == RatingWithdrawn {
		return &Error{Kind: Conflict, What: "rating_state"}
	}
	r.State, r.Decision, r.Reports, r.UpdatedAt = d.State, &d, nil, d.At
	if d.State == RatingExcluded {
		r.Photos = nil
		if len(r.Findings) == 0 {
			r.Findings = []Finding{{Rule: RuleOfficial, At: d.At}}
		}
	}
	return nil
}

// Queued tells whether an official has something to do about the rating.
func (r *Rating) Queued() bool {
	return r.State == RatingHeld || len(r.Reports) > 0 && r.State == RatingPublished
}

// Forget takes out what tells who has given the rating, whose account is erased. The
// level stays and counts: it is nobody's any more. It tells whether anything changed.
func (r *Rating) Forget(time.Time) bool {
	if r.Account == "" {
		return false
	}
	r.Account, r.Proof, r.Text, r.Photos = "", "erased "+r.ID, "", nil
	r.Device, r.Network, r.Words = "", "", ""
	for i := range r.History {
		r.History[i].Text, r.History[i].Photos = "", nil
	}
	return true
}

// Validate checks a report. It returns an Invalid error that holds all wrong fields
// at once, or nil.
func (p *RatingReport) Validate() error {
	c := &checks{}
	c.vocabulary("/reason", p.Reason, RatingReportReasons)
	c.paragraphs("/text", p.Text, maxReason)
	return InvalidFields("report", c.fields)
}

// Report adds a report, in the place of an earlier one of the same account.
func (r *Rating) Report(p RatingReport) {
	r.Reports = slices.DeleteFunc(r.Reports, func(have RatingReport) bool { return have.Account == p.Account })
	if len(r.Reports) < maxReports {
		r.Reports = append(r.Reports, p)
	}
}

// Validate checks a reply. It returns an Invalid error that holds all wrong fields
// at once, or nil.
func (p *RatingReply) Validate() error {
	c := &checks{}
	c.requiredParagraphs("/text", p.Text, maxReply)
	return InvalidFields("reply", c.fields)
}

// Vote says that an account has found a rating helpful.
type Vote struct {
	Rating  string    `json:"rating"`
	Account string    `json:"account"`
	At      time.Time `json:"at"`
}

// Key is the vote's id: an account has one on each rating.
func (v *Vote) Key() string { return v.Rating + "." + v.Account }

// RatingInvitation lets the owner of one phone rate a service that was not booked
// here, once.
type RatingInvitation struct {
	ID           string    `json:"id"` // keyed hash of the secret
	Listing      string    `json:"listing"`
	Organization string    `json:"organization"`
	Kind         Kind      `json:"kind"`                 // of the listing
	Region       string    `json:"region"`               // of the listing
	PhoneHash    string    `json:"phone_hash,omitempty"` // keyed, of the one phone that can use it; "" once it has long expired
	Category     string    `json:"category,omitempty"`
	ServedOn     Date      `json:"served_on"`
	CreatedBy    string    `json:"created_by"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	// UsedAt is when a rating was given by it, nil before.
	UsedAt *time.Time `json:"used_at,omitempty"`
}

// The life of a rating invitation, and how many there can be.
const (
	RatingInvitationLife = 14 * 24 * time.Hour
	// RatingInvitationsADay is how many an organization can make a day.
	RatingInvitationsADay = 50
	// RatingInvitationAgain is how long one phone is not invited again for one listing.
	RatingInvitationAgain = 7 * 24 * time.Hour
	// servedBefore is how long ago a service may be that is to be rated.
	servedBefore = 30
)

// Validate checks an invitation that is about to be made. It returns an Invalid
// error that holds all wrong fields at once, or nil.
func (i *RatingInvitation) Validate(kind Kind, now time.Time) error {
	c := &checks{}
	if category, ok := CategoryOf(i.Category); i.Category != "" && (!ok || category.Kind != kind) {
		c.add("/category", CodeValue, "/v1/categories")
	}
	first, last := DateOf(now.AddDate(0, 0, -servedBefore)), DateOf(now)
	switch {
	case i.ServedOn == "":
		c.add("/served_on", CodeRequired, "")
	case !i.ServedOn.Valid():
		c.add("/served_on", CodeFormat, dateForm)
	case i.ServedOn < first:
		c.add("/served_on", CodeTooSmall, string(first))
	case i.ServedOn > last:
		c.add("/served_on", CodeTooLarge, string(last))
	}
	return InvalidFields("rating invitation", c.fields)
}

// NormalText is a text as far as it matters for whether another one is the same: no
// white space, no punctuation, small letters.
func NormalText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // wide forms of ASCII
			r -= '！' - '!'
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}
