package directory

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReturnKey names a return: of a form, a month and a reporter there is one.
type ReturnKey struct {
	Form    string `json:"form"` // code of ReturnForms
	Month   Month  `json:"month"`
	Subject string `json:"subject"` // id of the listing, or code of the county
}

// ID returns the id of the document, by which nothing can be reported twice.
func (k ReturnKey) ID() string { return k.Form + "." + k.Month.String() + "." + k.Subject }

// Return is a form of reported figures that was filled in (报表), with every version
// of it: see [Return.Submit] and [Return.Decide].
type Return struct {
	ReturnKey
	Organization string `json:"organization,omitempty"` // of the listing; "" of a county
	Bureau       Bureau `json:"bureau"`
	Region       string `json:"region"` // of the listing, or the county itself
	// Late says that nothing had come by the deadline.
	Late bool `json:"late,omitempty"`
	Demo bool `json:"demo,omitempty"` // invented for demonstration
	// Versions are what was submitted, the first first. There is at least one.
	Versions []ReturnVersion `json:"versions"`
	// Untold says that who has reported has not been told that it came back.
	Untold bool `json:"untold,omitempty"`
}

// ReturnVersion is what was submitted once, and what became of it.
type ReturnVersion struct {
	ReturnContent
	State       ReturnState     `json:"state"`
	SubmittedBy string          `json:"submitted_by,omitempty"` // an account; "" for the program
	SubmittedAt time.Time       `json:"submitted_at"`
	Decision    *ReturnDecision `json:"decision,omitempty"` // nil where nobody has decided
}

// ReturnContent is what somebody writes into a form.
type ReturnContent struct {
	Values map[string]int64 `json:"values"` // by the codes of the fields, all of them
	// Explanations say why a value is far from that of the month before.
	Explanations map[string]string `json:"explanations,omitempty"`
	Evidence     string            `json:"evidence,omitempty"` // number of a file, or another source
	Reason       string            `json:"reason,omitempty"`   // of a correction
}

// ReturnDecision is what an official has decided about a version.
type ReturnDecision struct {
	By     string    `json:"by,omitempty"` // an account; "" for the program
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"` // why it came back
}

// ReturnState is where a return or a version of it stands.
type ReturnState string

// The states.
const (
	ReturnSubmitted ReturnState = "submitted" // waits for an official
	ReturnApproved  ReturnState = "approved"
	ReturnReturned  ReturnState = "returned" // to be corrected and submitted again (退回)
	// ReturnReplaced is a version in whose place another was submitted before anybody
	// had decided about it.
	ReturnReplaced ReturnState = "replaced"
)

// ReturnStates are the states with their names.
var ReturnStates = []Term{
	term(string(ReturnSubmitted), "待审核", "Submitted"),
	term(string(ReturnApproved), "已通过", "Approved"),
	term(string(ReturnReturned), "已退回", "Returned"),
	term(string(ReturnReplaced), "已被替换", "Replaced"),
}

// The rules of reported figures. They are this project's choices; the policy asks for
// monthly figures and says no more.
const (
	// ReturnDay is the day of the next month by which a month is to be reported.
	ReturnDay = 8
	// ReturnReminderDays is how many working days are left when it is reminded of.
	ReturnReminderDays = 3
	// ReturnMonths is how many months back can be reported or corrected.
	ReturnMonths = 24
	// A value is explained when it differs from that of the month before by more than
	// ReturnTolerance percent of it and by more than ReturnSlack.
	ReturnTolerance = 30
	ReturnSlack     = 5

	maxReported       = 1_000_000 // more than any county or firm has, so that a slip of the keyboard is seen
	maxReturnText     = 500       // characters
	maxReturnVersions = 50
)

// ReturnDeadline returns until when a month is to be reported: the end of the 8th of
// the next month or, when that is no working day, of the first one after it.
func ReturnDeadline(m Month, cal *Calendar) time.Time {
	return cal.AddWorkdays(m.Ends().AddDate(0, 0, ReturnDay-2), 1)
}

// ReturnReminder returns when the last working days before the deadline begin, though
// not before the month has ended.
func ReturnReminder(m Month, cal *Calendar) time.Time {
	at := cal.LastWorkdays(ReturnDeadline(m, cal), ReturnReminderDays)
	if ends := m.Ends().UTC(); at.Before(ends) {
		return ends
	}
	return at
}

// CheckReturnMonth returns Invalid about the parameter "month" unless that has ended,
// and not longer ago than can be reported.
func CheckReturnMonth(m Month, now time.Time) error {
	last := MonthOf(now).Add(-1)
	wrong := FieldError{Parameter: "month"}
	switch first := last.Add(1 - ReturnMonths); {
	case m > last:
		wrong.Code, wrong.Limit = CodeTooLarge, last.String()
	case m < first:
		wrong.Code, wrong.Limit = CodeTooSmall, first.String()
	default:
		return nil
	}
	return InvalidFields("return", []FieldError{wrong})
}

// Deviates tells whether a value is so far from that of the month before that it has
// to be explained.
func Deviates(value, before int64) bool {
	difference := max(value-before, before-value)
	return difference > ReturnSlack && difference*100 > before*ReturnTolerance
}

// Check checks what was written into the form, beside the values of the month before,
// nil for none, and whether it corrects what was approved. It returns an Invalid error
// that holds all wrong fields at once, or nil.
func (f *ReturnForm) Check(content *ReturnContent, before map[string]int64, correction bool) error {
	c := &checks{}
	for _, field := range f.Fields {
		f.checkValue(c, field, content, before)
	}
	checkCodes(c, f, "/values", content.Values)
	checkCodes(c, f, "/explanations", content.Explanations)
	if f.Kind == "" {
		c.requiredParagraphs("/evidence", content.Evidence, maxReturnText)
	} else {
		c.paragraphs("/evidence", content.Evidence, maxReturnText)
	}
	if correction {
		c.requiredParagraphs("/reason", content.Reason, maxReturnText)
	} else {
		c.paragraphs("/reason", content.Reason, maxReturnText)
	}
	return InvalidFields("return", c.fields)
}

func (f *ReturnForm) checkValue(c *checks, field ReturnField, content *ReturnContent, before map[string]int64) {
	pointer, why := "/values/"+field.Code, "/explanations/"+field.Code
	explanation := content.Explanations[field.Code]
	c.paragraphs(why, explanation, maxReturnText)
	value, given := content.Values[field.Code]
	if !given {
		c.add(pointer, CodeRequired, "")
		return
	}
	if !c.between(pointer, value, 0, maxReported) {
		return
	}
	if whole, known := content.Values[field.AtMost]; known && whole >= 0 && value > whole {
		c.add(pointer, CodeTooLarge, strconv.FormatInt(whole, 10))
		return
	}
	if was, known := before[field.Code]; known && Deviates(value, was) && !strings.ContainsFunc(explanation, visible) {
		c.add(why, CodeRequired, strconv.FormatInt(was, 10))
	}
}

// checkCodes refuses what is named in an object and is no field of the form.
func checkCodes[T any](c *checks, f *ReturnForm, pointer string, members map[string]T) {
	for _, code := range slices.Sorted(maps.Keys(members)) {
		if !slices.ContainsFunc(f.Fields, func(field ReturnField) bool { return field.Code == code }) {
			c.add(pointer+"/"+pointerEscapes.Replace(code), CodeUnknown, "")
		}
	}
}

// Scope returns what somebody has to cover to do with the return.
func (r *Return) Scope() Scope {
	return Scope{Organization: r.Organization, Bureau: r.Bureau, Region: r.Region}
}

// Last is the latest version.
func (r *Return) Last() *ReturnVersion { return &r.Versions[len(r.Versions)-1] }

// State is that of the latest version.
func (r *Return) State() ReturnState { return r.Last().State }

// Approved is the version that counts: the last one that was approved, nil for none.
func (r *Return) Approved() *ReturnVersion {
	for i := range slices.Backward(r.Versions) {
		if r.Versions[i].State == ReturnApproved {
			return &r.Versions[i]
		}
	}
	return nil
}

// Reported tells whether anything was reported that counts or may come to count.
func (r *Return) Reported() bool { return r.Approved() != nil || r.State() == ReturnSubmitted }

// Figures are the values with which the next month is compared: those that were
// approved or, before that, submitted; nil where the return came back.
func (r *Return) Figures() map[string]int64 {
	if v := r.Approved(); v != nil {
		return v.Values
	}
	if r.State() == ReturnSubmitted {
		return r.Last().Values
	}
	return nil
}

// Steps is how much has happened to the return, by which its versions are told apart;
// 0 for one that is not there.
func (r *Return) Steps() int {
	n := len(r.Versions)
	for _, v := range r.Versions {
		if v.Decision != nil {
			n++
		}
	}
	return n
}

// Submit adds a version, for a return of a reporter that may be new, whose content was
// found right; deadline is that of the month. What is approved stays valid until the
// version is, too. The same content again changes nothing, unless it came back. It
// returns whether it was added, and Conflict about "return_versions" when there are as
// many as there can be.
func (r *Return) Submit(key ReturnKey, from *Reporter, content ReturnContent, by string, at, deadline time.Time) (changed bool, err error) {
	switch n := len(r.Versions); {
	case n == 0:
		r.ReturnKey, r.Late, r.Demo = key, !at.Before(deadline), from.Demo
	case n >= maxReturnVersions:
		return false, &Error{Kind: Conflict, What: "return_versions"}
	case r.State() != ReturnReturned && r.Last().same(&content):
		return false, nil
	}
	r.Versions = slices.Clone(r.Versions)
	if len(r.Versions) > 0 && r.State() == ReturnSubmitted {
		r.Last().State = ReturnReplaced
	}
	r.Organization, r.Bureau, r.Region, r.Untold = from.Organization, from.Bureau, from.Region, false
	r.Versions = append(r.Versions, ReturnVersion{ReturnContent: content, State: ReturnSubmitted, SubmittedBy: by, SubmittedAt: at})
	return true, nil
}

func (c *ReturnContent) same(other *ReturnContent) bool {
	return maps.Equal(c.Values, other.Values) && maps.Equal(c.Explanations, other.Explanations) && c.Evidence == other.Evidence && c.Reason == other.Reason
}

// Decide approves the version that waits or sends it back, with a reason. It returns
// Invalid without that, and Conflict about "return_state" when none waits.
func (r *Return) Decide(outcome ReturnState, d ReturnDecision) error {
	if outcome == ReturnReturned {
		c := &checks{}
		c.requiredParagraphs("/reason", d.Reason, maxReturnText)
		if err := InvalidFields("return", c.fields); err != nil {
			return err
		}
	}
	if r.State() != ReturnSubmitted {
		return &Error{Kind: Conflict, What: "return_state"}
	}
	r.Versions = slices.Clone(r.Versions)
	r.Last().State, r.Last().Decision = outcome, &d
	r.Untold = outcome == ReturnReturned
	return nil
}

// MayDecide tells whether a caller may decide about the return by permission p: an
// official of the bureau in whose region it lies, of a wider one than the county in
// a return of a county, or an admin; never who belongs to the organization or has
// submitted a version.
func (r *Return) MayDecide(caller *Caller, p Permission, regions *Regions) bool {
	own := func(v ReturnVersion) bool { return v.SubmittedBy == caller.Account }
	if caller.Belongs(r.Organization) || slices.ContainsFunc(r.Versions, own) {
		return false
	}
	return slices.ContainsFunc(caller.Scopes(p), func(s Scope) bool {
		return s.Organization == "" && s.covers(r.Scope(), regions) && (r.Organization != "" || s.Region != r.Region)
	})
}
