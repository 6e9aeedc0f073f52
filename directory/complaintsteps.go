package directory

import (
	"slices"
	"strings"
	"time"
)

// ComplaintAction is what somebody does about a complaint.
type ComplaintAction string

// The actions.
const (
	StepFile      ComplaintAction = "file"
	StepAccept    ComplaintAction = "accept"
	StepRefuse    ComplaintAction = "refuse"
	StepAsk       ComplaintAction = "ask"      // the resident for more
	StepSupply    ComplaintAction = "supply"   // more, asked for or not
	StepAnswer    ComplaintAction = "answer"   // of the firm
	StepTransfer  ComplaintAction = "transfer" // to another desk (协同处置)
	StepMediate   ComplaintAction = "mediate"
	StepResolve   ComplaintAction = "resolve"
	StepFail      ComplaintAction = "fail" // no agreement
	StepReopen    ComplaintAction = "reopen"
	StepClose     ComplaintAction = "close"
	StepWithdraw  ComplaintAction = "withdraw"
	StepHandOver  ComplaintAction = "hand_over" // to 12315
	StepDuplicate ComplaintAction = "mark_duplicate"
	StepRedact    ComplaintAction = "redact"  // personal data
	StepConfirm   ComplaintAction = "confirm" // answers the questionnaire

	// What the clock does, see [Complaint.Tick].
	StepEscalate ComplaintAction = "escalate"
	StepRemind   ComplaintAction = "remind"        // the firm
	StepInquire  ComplaintAction = "questionnaire" // asks the resident
)

// ComplaintActions are all actions.
var ComplaintActions = []ComplaintAction{StepFile, StepAccept, StepRefuse, StepAsk, StepSupply, StepAnswer, StepTransfer, StepMediate,
	StepResolve, StepFail, StepReopen, StepClose, StepWithdraw, StepHandOver, StepDuplicate, StepRedact, StepConfirm,
	StepEscalate, StepRemind, StepInquire}

// ComplaintEvent is a step of a complaint.
type ComplaintEvent struct {
	Action  ComplaintAction `json:"action"`
	By      Side            `json:"by"`
	Account string          `json:"account,omitempty"` // of an official; for officials alone
	Text    string          `json:"text,omitempty"`    // without phones and identity numbers
	Masked  bool            `json:"masked,omitempty"`  // there were some
	From    *Desk           `json:"from,omitempty"`    // of a transfer
	To      *Desk           `json:"to,omitempty"`      // of a transfer; of an escalation, whose turn it is
	At      time.Time       `json:"at"`
}

// ComplaintStep is a step that is about to be taken.
type ComplaintStep struct {
	Action  ComplaintAction
	By      Side
	Account string // of the official
	Text    string
	At      time.Time

	To        Desk     // of a transfer; without a region, the region stays
	Reference string   // of 12315
	Of        string   // the complaint of which this one is a duplicate
	Evidence  []string // photos that are added, or, of a redaction, taken out
	Want      string   // of a redaction
	Event     *int     // of a redaction: whose text it is in the history; nil for the complaint's own
	Solved    *bool    // of an answer to the questionnaire
}

// The time for each step. The first two are those of 市场监督管理投诉举报处理暂行办法
// (国家市场监督管理总局令第20号, 2019), articles 14 and 21; the others are this
// project's choices. Of the questionnaire FixMyStreet is the model.
const (
	AcceptWorkdays     = 7  // from filing, to decide whether it is accepted
	SettleWorkdays     = 45 // from acceptance, to settle it
	AnswerWorkdays     = 5  // from acceptance, for the firm to answer
	ReopenTime         = 15 * 24 * time.Hour
	QuestionnaireAfter = 28 * 24 * time.Hour // of settlement
	ReopenAfterAnswer  = 14 * 24 * time.Hour // when the questionnaire says that it is not solved
	maxReopened        = 2
)

// escalationLevels are whose officials are told in turn that a deadline is near.
var escalationLevels = []RegionLevel{County, Prefecture, Province}

// complaintStep is what an action does.
type complaintStep struct {
	from []ComplaintState
	by   []Side
	to   ComplaintState // "" leaves the state as it is
}

var (
	openComplaints    = []ComplaintState{ComplaintFiled, ComplaintAccepted, ComplaintMediating}
	handledComplaints = []ComplaintState{ComplaintAccepted, ComplaintMediating}
	settledComplaints = []ComplaintState{ComplaintResolved, ComplaintUnresolved}
	anyComplaint      = []ComplaintState{ComplaintFiled, ComplaintAccepted, ComplaintMediating, ComplaintResolved, ComplaintUnresolved,
		ComplaintClosed, ComplaintRefused, ComplaintWithdrawn, ComplaintHandedOver, ComplaintDuplicate}

	byResident = []Side{ResidentSide}
	byBusiness = []Side{BusinessSide}
	byOfficial = []Side{OfficialSide}
)

// complaintSteps is the life of a complaint after it was filed.
var complaintSteps = map[ComplaintAction]complaintStep{
	StepAccept:    {[]ComplaintState{ComplaintFiled}, byOfficial, ComplaintAccepted},
	StepRefuse:    {[]ComplaintState{ComplaintFiled}, byOfficial, ComplaintRefused},
	StepAsk:       {openComplaints, byOfficial, ""},
	StepSupply:    {openComplaints, byResident, ""},
	StepAnswer:    {handledComplaints, byBusiness, ""},
	StepTransfer:  {openComplaints, byOfficial, ""},
	StepMediate:   {[]ComplaintState{ComplaintAccepted}, byOfficial, ComplaintMediating},
	StepResolve:   {handledComplaints, byOfficial, ComplaintResolved},
	StepFail:      {handledComplaints, byOfficial, ComplaintUnresolved},
	StepReopen:    {[]ComplaintState{ComplaintResolved, ComplaintUnresolved, ComplaintClosed, ComplaintRefused}, byResident, ComplaintAccepted},
	StepClose:     {settledComplaints, []Side{OfficialSide, ProgramSide}, ComplaintClosed},
	StepWithdraw:  {openComplaints, byResident, ComplaintWithdrawn},
	StepHandOver:  {[]ComplaintState{ComplaintFiled, ComplaintAccepted, ComplaintMediating, ComplaintUnresolved}, byOfficial, ComplaintHandedOver},
	StepDuplicate: {openComplaints, byOfficial, ComplaintDuplicate},
	StepRedact:    {anyComplaint, byOfficial, ""},
	StepConfirm:   {[]ComplaintState{ComplaintResolved, ComplaintUnresolved, ComplaintClosed}, byResident, ""},
}

// Begin puts a complaint that was just made into its first state, and masks what it
// says.
func (k *Complaint) Begin(now time.Time, cal *Calendar) {
	var text, want bool
	k.Text, text = MaskPersonal(strings.TrimSpace(k.Text))
	k.Want, want = MaskPersonal(strings.TrimSpace(k.Want))
	k.Masked = text || want
	k.CreatedAt, k.UpdatedAt = now, now
	k.History = []ComplaintEvent{{Action: StepFile, By: ResidentSide, At: now}}
	k.await(ComplaintFiled, now, cal)
}

// await puts a complaint into a state in which it is handled, and starts its clocks.
func (k *Complaint) await(state ComplaintState, now time.Time, cal *Calendar) {
	after := func(n int) *time.Time {
		at := cal.AddWorkdays(now, n)
		return &at
	}
	k.State, k.Escalated = state, 0
	if state == ComplaintFiled {
		k.AcceptDue = after(AcceptWorkdays)
	} else {
		k.SettleDue = after(SettleWorkdays)
		if k.Organization != "" {
			k.AnswerDue = after(AnswerWorkdays)
			remind := cal.LastWorkdays(*k.AnswerDue, 1)
			k.RemindAt = &remind
		}
	}
	k.schedule(cal)
}

// schedule finds when the next level of officials is told of the deadline: two
// working days before, one before, and when it is past.
func (k *Complaint) schedule(cal *Calendar) {
	k.EscalateAt = nil
	if k.Escalated >= len(escalationLevels) {
		return
	}
	at := *k.DueAt()
	if left := len(escalationLevels) - 1 - k.Escalated; left > 0 {
		at = cal.LastWorkdays(at, left)
	}
	k.EscalateAt = &at
}

// rest stops the clocks of a complaint that is not open any more.
func (k *Complaint) rest() {
	k.EscalateAt, k.RemindAt, k.AnswerDue, k.Question = nil, nil, nil, false
}

// Take takes a step, which has been found valid. What the resident or the firm has
// just said may be said again, which changes nothing: an answer may have been lost.
// changed tells whether anything did. It returns Forbidden for a side that has no part
// in the step, Invalid for photos that are too many or not there, and Conflict about
// "complaint_state" when the complaint is not where the step begins, "complaint_desk"
// when a transfer leads nowhere else, "complaint_events" when it is enough, "reopened"
// or "reopen_time" when it cannot be reopened, and "questionnaire" when nothing was
// asked or it was answered.
func (k *Complaint) Take(s ComplaintStep, cal *Calendar) (changed bool, err error) {
	rule, known := complaintSteps[s.Action]
	if !known || !slices.Contains(rule.by, s.By) {
		return false, &Error{Kind: Forbidden}
	}
	e := ComplaintEvent{Action: s.Action, By: s.By, Account: s.Account, At: s.At}
	if s.Action != StepRedact {
		e.Text, e.Masked = MaskPersonal(strings.TrimSpace(s.Text))
	}
	if k.said(e, s) {
		return false, nil
	}
	if !slices.Contains(rule.from, k.State) {
		return false, &Error{Kind: Conflict, What: "complaint_state"}
	}
	if s.By != OfficialSide && s.By != ProgramSide && len(k.History) >= maxComplaintEvents && s.Action != StepWithdraw {
		return false, &Error{Kind: Conflict, What: "complaint_events"}
	}
	if err := k.allows(s); err != nil {
		return false, err
	}
	before := k.State
	if rule.to != "" {
		k.State = rule.to
	}
	k.apply(s, &e, before, cal)
	if !k.Open() {
		k.rest()
	}
	k.UpdatedAt = s.At
	k.History = append(slices.Clip(k.History), e)
	return true, nil
}

// said tells whether a step of the resident or the firm is the last one again.
func (k *Complaint) said(e ComplaintEvent, s ComplaintStep) bool {
	last := k.History[len(k.History)-1]
	again := last.Action == e.Action && last.By == e.By && last.Text == e.Text && (e.By == ResidentSide || e.By == BusinessSide)
	if again && s.Action == StepConfirm {
		again = k.Questionnaire.Solved == *s.Solved
	}
	return again && !slices.ContainsFunc(s.Evidence, func(id string) bool { return !slices.Contains(k.Evidence, id) })
}

// allows returns what is in the way of a step besides the state.
func (k *Complaint) allows(s ComplaintStep) error {
	conflict := func(what string) error { return &Error{Kind: Conflict, What: what} }
	switch s.Action {
	case StepTransfer:
		if k.target(s) == k.Desk {
			return conflict("complaint_desk")
		}
	case StepSupply:
		c := &checks{}
		c.evidence(k.with(s.Evidence))
		return InvalidFields("complaint", c.fields)
	case StepRedact:
		return k.redactable(s)
	case StepReopen:
		until := k.ReopenUntil()
		switch {
		case until == nil:
			return conflict("reopened")
		case s.At.After(*until):
			return conflict("reopen_time")
		}
	case StepClose:
		if s.By == ProgramSide && s.At.Before(*k.closeAt()) {
			return conflict("complaint_state")
		}
	case StepConfirm:
		if k.Questionnaire == nil || k.Questionnaire.AnsweredAt != nil {
			return conflict("questionnaire")
		}
	}
	return nil
}

// apply does what a step does besides changing the state.
func (k *Complaint) apply(s ComplaintStep, e *ComplaintEvent, before ComplaintState, cal *Calendar) {
	at := s.At
	switch s.Action {
	case StepAccept:
		if k.AcceptedAt == nil {
			k.AcceptedAt = &at
		}
		k.await(ComplaintAccepted, at, cal)
	case StepAsk:
		k.Question = true
	case StepSupply:
		k.Question, k.Evidence = false, k.with(s.Evidence)
	case StepAnswer:
		k.AnswerDue, k.RemindAt = nil, nil
	case StepTransfer:
		from, to := k.Desk, k.target(s)
		e.From, e.To, k.Desk = &from, &to, to
	case StepResolve, StepFail:
		k.Outcome, k.SettledAt, k.Days = k.State, &at, cal.Workdays(k.CreatedAt, at)
	case StepRefuse:
		k.SettledAt = &at
	case StepReopen:
		k.Outcome, k.SettledAt, k.Days = "", nil, 0
		if before == ComplaintRefused { // which no firm has seen: it is for an official to decide anew
			k.await(ComplaintFiled, at, cal)
		} else {
			k.await(ComplaintAccepted, at, cal)
		}
	case StepHandOver:
		k.Reference = s.Reference
	case StepDuplicate:
		k.DuplicateOf = s.Of
	case StepRedact:
		k.redact(s)
	case StepConfirm:
		k.Questionnaire = &Questionnaire{k.Questionnaire.AskedAt, &at, *s.Solved}
	}
}

// target is the desk to which a transfer leads.
func (k *Complaint) target(s ComplaintStep) Desk {
	to := s.To
	if to.Region == "" {
		to.Region = k.Region
	}
	return to
}

// with returns the evidence with more, each photo once.
func (k *Complaint) with(more []string) []string {
	out := slices.Clone(k.Evidence)
	for _, id := range more {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// redactable returns Invalid for a redaction of what is not there.
func (k *Complaint) redactable(s ComplaintStep) error {
	c := &checks{}
	if s.Event != nil && (*s.Event < 0 || *s.Event >= len(k.History) || k.History[*s.Event].Text == "") {
		c.add("/event", CodeValue, "")
	}
	distinct(c, "/evidence", s.Evidence, maxEvidence, func(id string) {
		if !slices.Contains(k.Evidence, id) {
			c.add("", CodeValue, strings.Join(k.Evidence, ", "))
		}
	})
	return InvalidFields("complaint", c.fields)
}

// redact puts other words in the place of those with personal data, and takes
// photos out. Nothing of what was there stays in the document.
func (k *Complaint) redact(s ComplaintStep) {
	text, _ := MaskPersonal(strings.TrimSpace(s.Text))
	switch {
	case text == "":
	case s.Event != nil:
		k.History = slices.Clone(k.History)
		k.History[*s.Event].Text = text
	default:
		k.Text = text
	}
	if s.Want != "" {
		k.Want, _ = MaskPersonal(strings.TrimSpace(s.Want))
	}
	k.Evidence = slices.DeleteFunc(slices.Clone(k.Evidence), func(id string) bool { return slices.Contains(s.Evidence, id) })
}

// ReopenUntil returns until when the resident can reopen the complaint, nil when
// they cannot. That the questionnaire finds it unsolved lengthens the time, closing
// does not.
func (k *Complaint) ReopenUntil() *time.Time {
	reopened := 0
	for _, e := range k.History {
		if e.Action == StepReopen {
			reopened++
		}
	}
	if !slices.Contains(complaintSteps[StepReopen].from, k.State) || reopened >= maxReopened {
		return nil
	}
	until := k.SettledAt.Add(ReopenTime)
	if q := k.Questionnaire; q != nil && q.AnsweredAt != nil && !q.Solved {
		if later := q.AnsweredAt.Add(ReopenAfterAnswer); later.After(until) {
			until = later
		}
	}
	return &until
}

// closeAt is when a settled complaint is closed by itself, nil when it is not.
func (k *Complaint) closeAt() *time.Time {
	if !slices.Contains(settledComplaints, k.State) {
		return nil
	}
	at := k.SettledAt.Add(ReopenTime)
	if until := k.ReopenUntil(); until != nil {
		at = *until
	}
	return &at
}

// inquireAt is when the resident is asked whether the problem is gone, nil when they
// are not.
func (k *Complaint) inquireAt() *time.Time {
	if k.Questionnaire != nil || k.Account == "" || !slices.Contains(complaintSteps[StepConfirm].from, k.State) {
		return nil
	}
	at := k.SettledAt.Add(QuestionnaireAfter)
	return &at
}

// WakeAt returns when the clock has to look at the complaint next, nil when there is
// nothing to come.
func (k *Complaint) WakeAt() (first *time.Time) {
	for _, at := range []*time.Time{k.EscalateAt, k.RemindAt, k.closeAt(), k.inquireAt()} {
		if at != nil && (first == nil || at.Before(*first)) {
			first = at
		}
	}
	return first
}

// Tick does what time asks for: it escalates, each level once, reminds the firm,
// closes what nobody has reopened, and asks the resident whether the problem is gone.
// It tells whether anything changed.
func (k *Complaint) Tick(now time.Time, cal *Calendar, regions *Regions) (changed bool) {
	come := func(at *time.Time) bool { return at != nil && !at.After(now) }
	note := func(e ComplaintEvent) {
		e.By, e.At, k.UpdatedAt, changed = ProgramSide, now, now, true
		k.History = append(slices.Clip(k.History), e)
	}
	for come(k.EscalateAt) {
		to := Desk{Bureau: k.Bureau, Region: regions.Widen(k.Region, escalationLevels[k.Escalated])}
		k.Escalated++
		k.schedule(cal)
		note(ComplaintEvent{Action: StepEscalate, To: &to})
	}
	if come(k.RemindAt) {
		k.RemindAt = nil
		note(ComplaintEvent{Action: StepRemind})
	}
	if closed, _ := k.Take(ComplaintStep{Action: StepClose, By: ProgramSide, At: now}, cal); closed { // else it is not time
		changed = true
	}
	if come(k.inquireAt()) {
		k.Questionnaire = &Questionnaire{AskedAt: now}
		note(ComplaintEvent{Action: StepInquire})
	}
	return changed
}
