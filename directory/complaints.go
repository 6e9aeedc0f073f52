package directory

import (
	"regexp"
	"slices"
	"time"
)

// Complaint is what a resident says went wrong with a listing, a booking or a
// rating (畅通消费者权益保护渠道 〔二·二〕). What happens to it is in complaintsteps.go.
type Complaint struct {
	ID string `json:"id"` // UUID, version 7: the order of ids is that of time
	// Once is the account and the Idempotency-Key by which the complaint was made, and
	// Asked the hash of what was asked for; both are "" without a key.
	Once  string `json:"once,omitempty"`
	Asked string `json:"asked,omitempty"`

	Account string `json:"account,omitempty"` // of the resident; "" once it was erased
	// Booking or Rating is what it is about, where that is not the listing as a whole.
	Booking      string `json:"booking,omitempty"`
	Rating       string `json:"rating,omitempty"`
	Listing      string `json:"listing"`
	Organization string `json:"organization,omitempty"` // of the listing then; "" where it has none
	Kind         Kind   `json:"kind"`                   // of the listing
	Desk                // who handles it now

	Subject string `json:"subject"` // code of ComplaintSubjects
	// Text is what happened and Want what the resident wants (诉求), without phones and
	// identity numbers. Masked says that there were some.
	Text      string   `json:"text"`
	Want      string   `json:"want,omitempty"`
	Masked    bool     `json:"masked,omitempty"`
	Evidence  []string `json:"evidence,omitempty"` // photos
	ForFamily bool     `json:"for_family,omitempty"`

	State ComplaintState `json:"state"`
	// AcceptDue is until when it has to be decided whether it is accepted, SettleDue
	// until when a complaint that was has to be settled, and AnswerDue until when the
	// firm has to answer, nil once it has.
	AcceptDue *time.Time `json:"accept_due,omitempty"`
	SettleDue *time.Time `json:"settle_due,omitempty"`
	AnswerDue *time.Time `json:"answer_due,omitempty"`
	Question  bool       `json:"question,omitempty"` // an official has asked the resident, who has not answered

	// Escalated is how many levels of officials have been told that the current
	// deadline is near, and EscalateAt when the next one is; RemindAt is when the firm
	// is reminded of its answer. They are nil when there is nothing to come.
	Escalated  int        `json:"escalated,omitempty"`
	EscalateAt *time.Time `json:"escalate_at,omitempty"`
	RemindAt   *time.Time `json:"remind_at,omitempty"`

	AcceptedAt *time.Time `json:"accepted_at,omitempty"` // for the first time
	// Outcome is ComplaintResolved or ComplaintUnresolved once it was settled so, Days
	// the working days that this took from filing, and SettledAt when it was settled
	// or refused. Reopening forgets them.
	Outcome   ComplaintState `json:"outcome,omitempty"`
	Days      int            `json:"days,omitempty"`
	SettledAt *time.Time     `json:"settled_at,omitempty"`

	Reference     string         `json:"reference,omitempty"`    // of 12315, to which it was handed over
	DuplicateOf   string         `json:"duplicate_of,omitempty"` // the complaint that goes on in its place
	Questionnaire *Questionnaire `json:"questionnaire,omitempty"`

	History []ComplaintEvent `json:"history"`
	// Told is of how many events of the history everybody has been told whom they concern.
	Told      int       `json:"told,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Desk is a bureau in a region: who handles a complaint.
type Desk struct {
	Bureau Bureau `json:"bureau"`
	Region string `json:"region"` // a code down to county level
}

// Scope returns what an official has to cover to handle what lies on the desk.
func (d Desk) Scope() Scope { return Scope{Bureau: d.Bureau, Region: d.Region} }

// Questionnaire asks the resident, once, whether the problem is gone
// ([QuestionnaireAfter]).
type Questionnaire struct {
	AskedAt    time.Time  `json:"asked_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	Solved     bool       `json:"solved,omitempty"` // of the answer
}

// ComplaintSubjects are what a complaint can be about.
var ComplaintSubjects = []Term{
	term("quality", "服务质量", "Quality of the service"),
	term("price", "价格收费", "Prices and charges"),
	term("attitude", "服务态度", "Attitude"),
	term("safety", "人身财产安全", "Safety of persons and property"),
	term("no_show", "失约", "Did not turn up"),
	term("false_facts", "信息不实", "Facts that are not true"),
	term("privacy", "个人信息", "Personal data"),
	term("contract", "合同与退款", "Contract and refund"),
	term("other", "其他", "Something else"),
}

// ComplaintState is where a complaint stands.
type ComplaintState string

// The states of a complaint.
const (
	ComplaintFiled      ComplaintState = "filed"       // waits for an official to accept it or not
	ComplaintAccepted   ComplaintState = "accepted"    // the firm is asked
	ComplaintMediating  ComplaintState = "mediating"   // an official mediates
	ComplaintResolved   ComplaintState = "resolved"    // settled
	ComplaintUnresolved ComplaintState = "unresolved"  // no agreement was reached
	ComplaintClosed     ComplaintState = "closed"      // and nobody has reopened it
	ComplaintRefused    ComplaintState = "refused"     // not accepted
	ComplaintWithdrawn  ComplaintState = "withdrawn"   // by the resident
	ComplaintHandedOver ComplaintState = "handed_over" // to 12315
	ComplaintDuplicate  ComplaintState = "duplicate"   // another complaint goes on in its place
)

// ComplaintStates are the states of a complaint with their names.
var ComplaintStates = []Term{
	term(string(ComplaintFiled), "待受理", "Filed"),
	term(string(ComplaintAccepted), "已受理", "Accepted"),
	term(string(ComplaintMediating), "调解中", "In mediation"),
	term(string(ComplaintResolved), "已解决", "Resolved"),
	term(string(ComplaintUnresolved), "未达成一致", "No agreement"),
	term(string(ComplaintClosed), "已结案", "Closed"),
	term(string(ComplaintRefused), "不予受理", "Not accepted"),
	term(string(ComplaintWithdrawn), "已撤回", "Withdrawn"),
	term(string(ComplaintHandedOver), "已移交12315", "Handed over to 12315"),
	term(string(ComplaintDuplicate), "重复投诉", "Duplicate"),
}

// Open tells whether an official still has something to do about the complaint.
func (k *Complaint) Open() bool { return slices.Contains(openComplaints, k.State) }

// About names what the complaint is about: of one account there is one open
// complaint about it.
func (k *Complaint) About() string {
	switch {
	case k.Booking != "":
		return "booking " + k.Booking
	case k.Rating != "":
		return "rating " + k.Rating
	}
	return "listing " + k.Listing
}

// DueAt returns the deadline of the officials, nil when there is none.
func (k *Complaint) DueAt() *time.Time {
	switch k.State {
	case ComplaintFiled:
		return k.AcceptDue
	case ComplaintAccepted, ComplaintMediating:
		return k.SettleDue
	}
	return nil
}

// WaitingFor returns the side whose step is waited for, "" when none is. The
// deadline of the officials runs on, whoever that is.
func (k *Complaint) WaitingFor() Side {
	switch {
	case !k.Open():
		return ""
	case k.Question:
		return ResidentSide
	case k.AnswerDue != nil:
		return BusinessSide
	}
	return OfficialSide
}

// Counted tells whether the complaint is one of those received: not what was
// withdrawn before an official accepted it, and not a duplicate.
func (k *Complaint) Counted() bool {
	return k.State != ComplaintDuplicate && (k.State != ComplaintWithdrawn || k.AcceptedAt != nil)
}

// SideOf tells on which side of a complaint a caller is: the resident; a member of
// the organization once the complaint was accepted; an official, by permission p,
// of the desk where it lies or lay before. It is "" for everybody else. decides
// tells whether they are an official of the desk where it lies now. Nobody is an
// official in what is their own.
func (k *Complaint) SideOf(caller *Caller, p Permission, regions *Regions) (side Side, decides bool) {
	switch {
	case k.Account != "" && k.Account == caller.Account:
		return ResidentSide, false
	case caller.Belongs(k.Organization):
		if k.AcceptedAt != nil {
			return BusinessSide, false
		}
		return "", false
	case caller.Covers(p, k.Desk.Scope(), regions) == nil:
		return OfficialSide, true
	}
	for _, e := range k.History {
		if e.Action == StepTransfer && caller.Covers(p, e.From.Scope(), regions) == nil {
			return OfficialSide, false
		}
	}
	return "", false
}

// Forget takes out what tells who the resident is, whose account is erased. A
// complaint that was open is withdrawn. It tells whether anything changed.
func (k *Complaint) Forget(now time.Time) bool {
	if k.Account == "" {
		return false
	}
	if k.Open() {
		k.State, k.UpdatedAt = ComplaintWithdrawn, now
		k.rest()
		k.History = append(k.History, ComplaintEvent{Action: StepWithdraw, By: ResidentSide, At: now})
	}
	k.Account, k.Once, k.Asked, k.Text, k.Want, k.Evidence, k.ForFamily = "", "", "", "", "", nil, false
	for i := range k.History {
		if k.History[i].By == ResidentSide {
			k.History[i].Text = ""
		}
	}
	return true
}

// The bounds of a complaint.
const (
	maxComplaintText = 2000 // characters
	maxWant          = 500
	maxEvidence      = 9
	// maxComplaintEvents is how many events a history can have before nothing more is
	// taken from the resident and the firm.
	maxComplaintEvents = 100
	// MaxOpenComplaints is how many open complaints a resident can have.
	MaxOpenComplaints = 10
)

// Validate checks what a resident has given of a complaint that is about to be
// filed: exactly one of Listing, Booking and Rating, and what it says. It returns an
// Invalid error that holds all wrong fields at once, or nil.
func (k *Complaint) Validate() error {
	c := &checks{}
	given := ""
	for _, about := range []struct{ pointer, id string }{{"/listing", k.Listing}, {"/booking", k.Booking}, {"/rating", k.Rating}} {
		switch {
		case about.id == "":
		case given != "":
			c.add(about.pointer, CodeMismatch, given)
		default:
			c.id(about.pointer, about.id)
			given = about.pointer
		}
	}
	if given == "" {
		c.add("/listing", CodeRequired, "")
	}
	c.vocabulary("/subject", k.Subject, ComplaintSubjects)
	c.requiredParagraphs("/text", k.Text, maxComplaintText)
	c.paragraphs("/want", k.Want, maxWant)
	c.evidence(k.Evidence)
	return InvalidFields("complaint", c.fields)
}

func (c *checks) evidence(ids []string) {
	distinct(c, "/evidence", ids, maxEvidence, func(id string) {
		if !photoPattern.MatchString(id) {
			c.add("", CodeFormat, "")
		}
	})
}

// referencePattern is what a reference of 12315 looks like; the platform has not
// published a form.
var referencePattern = regexp.MustCompile(`^[0-9A-Za-z-]{4,40}$`)

// Validate checks what a step says. It returns an Invalid error that holds all wrong
// fields at once, or nil.
func (s *ComplaintStep) Validate(regions *Regions) error {
	c := &checks{}
	switch s.Action {
	case StepRefuse, StepAsk, StepSupply, StepAnswer, StepTransfer, StepResolve, StepFail, StepReopen:
		c.requiredParagraphs("/text", s.Text, maxReason)
	case StepRedact:
		c.paragraphs("/text", s.Text, maxComplaintText)
		c.paragraphs("/want", s.Want, maxWant)
		if s.Text == "" && s.Want == "" && len(s.Evidence) == 0 {
			c.add("/text", CodeRequired, "")
		}
		if s.Event != nil && s.Text == "" {
			c.add("/event", CodeNeeds, "/text")
		}
	default:
		c.paragraphs("/text", s.Text, maxReason)
	}
	switch s.Action {
	case StepTransfer:
		c.vocabulary("/bureau", string(s.To.Bureau), Bureaus)
		if s.To.Region != "" {
			c.county("/region", s.To.Region, regions)
		}
	case StepHandOver:
		switch {
		case s.Reference == "":
			c.add("/reference", CodeRequired, "")
		case !referencePattern.MatchString(s.Reference):
			c.add("/reference", CodeFormat, "1630100202611230001")
		}
	case StepDuplicate:
		c.id("/of", s.Of)
	case StepConfirm:
		if s.Solved == nil {
			c.add("/solved", CodeRequired, "true, false")
		}
	}
	c.evidence(s.Evidence)
	return InvalidFields("complaint", c.fields)
}

// ComplaintFigures are counts of complaints that were received about a listing.
type ComplaintFigures struct {
	Received int64
	// Settled is how many of them were settled after so many working days, by whether
	// they were resolved.
	Resolved, Unresolved map[int]int64
}

// ComplaintSummary is what is published of the complaints about a listing. Everything
// but State is nil where there is too little of it.
type ComplaintSummary struct {
	State    string         `json:"state"`    // "shown" or "too_few"
	Received *int64         `json:"received"` // rounded, see [ComplaintFigures.Summary]
	Resolved *ResolvedShare `json:"resolved"` // of those settled
	// MedianWorkdays is the median of the working days from filing to settlement.
	MedianWorkdays *float64 `json:"median_workdays"`
}

// ResolvedShare is a share of settled complaints with its Wilson 95% interval.
type ResolvedShare struct {
	Share float64 `json:"share"` // 0 to 1, rounded to 4 places
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     int64   `json:"n"`
}

// Summary returns what may be published: nothing that is about fewer than
// [MinRatings] complaints, nor anything from which that could be computed. So the
// share and the median need as many settled ones, and the number received is
// rounded down to tens, though not below the number settled: else the difference
// of the two would tell how many are open.
func (f ComplaintFigures) Summary() ComplaintSummary {
	s := ComplaintSummary{State: string(TooFew)}
	var resolved, n int64
	days := map[int]int64{}
	for outcome, counts := range []map[int]int64{f.Resolved, f.Unresolved} {
		for d, k := range counts {
			days[d] += k
			n += k
			if outcome == 0 {
				resolved += k
			}
		}
	}
	received := f.Received / MinRatings * MinRatings
	if n >= MinRatings {
		low, high := Wilson(resolved, n)
		s.State, received = "shown", max(received, n)
		s.Resolved = &ResolvedShare{round4(float64(resolved) / float64(n)), round4(low), round4(high), n}
		median := medianOf(days, n)
		s.MedianWorkdays = &median
	}
	if received > 0 {
		s.Received = &received
	}
	return s
}

// medianOf returns the median of n numbers, given how often each stands there.
func medianOf(counts map[int]int64, n int64) float64 {
	values := make([]int, 0, len(counts))
	for v := range counts {
		values = append(values, v)
	}
	slices.Sort(values)
	at := func(i int64) int { // the i-th number, counted from 0
		for _, v := range values {
			if i < counts[v] {
				return v
			}
			i -= counts[v]
		}
		return 0
	}
	return float64(at((n-1)/2)+at(n/2)) / 2
}
