package directory

import (
	"fmt"
	"time"
)

// Proposal is a listing as its organization wants it to become. What is public
// stays as it was until an official has approved it.
type Proposal struct {
	ID           string        `json:"id"` // of the listing
	Organization string        `json:"organization"`
	State        ProposalState `json:"state"`
	// Base is the revision that Content was made from, 0 for a new listing. What
	// has changed since and is as in the base here stays as it has become.
	Base    int64   `json:"base"`
	Content Listing `json:"content"`

	SavedBy     string     `json:"saved_by"` // "" where reports brought the listing into the queue
	SavedAt     time.Time  `json:"saved_at"`
	SubmittedBy string     `json:"submitted_by,omitempty"`
	SubmittedAt *time.Time `json:"submitted_at,omitempty"`
	// Duplicates are the listings that may be the same, found on submission.
	Duplicates []Duplicate `json:"duplicates,omitempty"`

	// Region is where the listing is public, when that is elsewhere than in Content:
	// who decides has to be in charge of both.
	Region string `json:"region,omitempty"`
	// Reported says that residents' reports have brought the listing into the queue.
	Reported bool `json:"reported,omitempty"`

	// Reviewer has taken it out of the queue until ReviewUntil.
	Reviewer    string     `json:"reviewer,omitempty"`
	ReviewUntil *time.Time `json:"review_until,omitempty"`
	Decision    *Decision  `json:"decision,omitempty"` // the last one

	CreatedAt time.Time `json:"created_at"`
}

// Queued tells whether officials have something to do about it.
func (p *Proposal) Queued() bool { return p.State == ProposalSubmitted || p.Reported }

// ProposalState is where a proposal stands.
type ProposalState string

// The states of a proposal.
const (
	ProposalEditing   ProposalState = "editing"   // the organization works on it
	ProposalSubmitted ProposalState = "submitted" // it waits for an official, or one looks at it
	ProposalReturned  ProposalState = "returned"  // an official asks for more
	ProposalRejected  ProposalState = "rejected"
	ProposalApproved  ProposalState = "approved"  // decided, and about to be published
	ProposalPublished ProposalState = "published" // nothing of it is left to do
)

// ProposalStates are all states of a proposal.
var ProposalStates = []ProposalState{ProposalEditing, ProposalSubmitted, ProposalReturned, ProposalRejected, ProposalApproved, ProposalPublished}

// Decision is what an official has decided about a proposal.
type Decision struct {
	Outcome ProposalState `json:"outcome"`           // ProposalApproved, ProposalRejected or ProposalReturned
	Reasons []string      `json:"reasons,omitempty"` // codes of DecisionReasons
	Text    string        `json:"text,omitempty"`
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
}

// DecisionReasons are why a proposal is not approved, or a listing suspended.
var DecisionReasons = []Term{
	term("incomplete", "信息不完整", "Something is missing"),
	term("incorrect", "信息不属实", "Something is not true"),
	term("wrong_kind", "类别不符", "It is of another kind or category"),
	term("duplicate", "重复登记", "It is listed already"),
	term("unverified", "机构未通过核验", "The organization is not verified"),
	term("licence", "缺少许可或备案", "A licence or record is missing"),
	term("photos", "图片不合要求", "The photos cannot be used"),
	term("advertising", "含有广告或不当内容", "Advertising or unfit content"),
	term("complaint", "投诉查实", "A complaint was found true"),
	term("other", "其他", "Another reason"),
}

// ReasonTerm returns the names of a reason.
func ReasonTerm(code string) (Term, bool) { return find(DecisionReasons, code) }

// Validate checks a decision. It returns an Invalid error that holds all wrong
// fields at once, or nil.
func (d *Decision) Validate() error {
	c := &checks{}
	if d.Outcome != ProposalApproved && len(d.Reasons) == 0 {
		c.add("/reasons", CodeRequired, codes(DecisionReasons))
	}
	distinct(c, "/reasons", d.Reasons, len(DecisionReasons), func(code string) { c.vocabulary("", code, DecisionReasons) })
	c.paragraphs("/text", d.Text, 1000)
	return InvalidFields("decision", c.fields)
}

// Duplicate is a listing that may be the same as another.
type Duplicate struct {
	Listing string   `json:"listing"`
	Score   float64  `json:"score"` // 0 to 1
	Why     []string `json:"why"`   // name, phone, address, distance
}

// Revision is a listing as it was published once. Revisions are never changed.
type Revision struct {
	ID         string      `json:"id"` // see [RevisionID]
	Listing    string      `json:"listing"`
	Number     int64       `json:"number"` // counted from 1
	Via        RevisionVia `json:"via"`
	By         string      `json:"by,omitempty"`          // who wrote it; "" for the program
	ApprovedBy string      `json:"approved_by,omitempty"` // the official, where one had to
	At         time.Time   `json:"at"`
	Content    Listing     `json:"content"`
	// Note says why, where somebody was asked to.
	Note string `json:"note,omitempty"`
}

// RevisionID returns the id of a listing's revision; the ids of a listing's
// revisions have the order of their numbers.
func RevisionID(listing string, number int64) string { return fmt.Sprintf("%s.%09d", listing, number) }

// RevisionVia is how a revision came about.
type RevisionVia string

// The ways of a revision.
const (
	ViaReview  RevisionVia = "review"  // an official approved a proposal
	ViaDirect  RevisionVia = "direct"  // a small change that needs no approval
	ViaImport  RevisionVia = "import"  // a spreadsheet
	ViaRestore RevisionVia = "restore" // an earlier revision came back
	ViaStatus  RevisionVia = "status"  // suspended, archived, expired or published again
)

// Report is what a resident says is wrong about a listing.
type Report struct {
	ID        string      `json:"id"` // account and listing: one each
	Listing   string      `json:"listing"`
	Account   string      `json:"account"`
	Fields    []string    `json:"fields"` // what is wrong: ReportFields
	Text      string      `json:"text,omitempty"`
	State     ReportState `json:"state"`
	DecidedBy string      `json:"decided_by,omitempty"`
	DecidedAt *time.Time  `json:"decided_at,omitempty"`
	At        time.Time   `json:"at"`
}

// ReportState is what has become of a report.
type ReportState string

// The states of a report.
const (
	ReportOpen      ReportState = "open"
	ReportConfirmed ReportState = "confirmed"
	ReportDismissed ReportState = "dismissed"
)

// ReportFields are what a report can be about.
var ReportFields = []Term{
	term("name", "名称", "The name"),
	term("address", "地址或位置", "The address or place"),
	term("phone", "电话", "The phone"),
	term("hours", "营业时间", "The hours"),
	term("price", "价格", "The prices"),
	term("closed", "已停业", "It has closed down"),
	term("other", "其他", "Something else"),
}

// Validate checks a report. It returns an Invalid error that holds all wrong
// fields at once, or nil.
func (r *Report) Validate() error {
	c := &checks{}
	if len(r.Fields) == 0 {
		c.add("/fields", CodeRequired, codes(ReportFields))
	}
	distinct(c, "/fields", r.Fields, len(ReportFields), func(code string) { c.vocabulary("", code, ReportFields) })
	c.paragraphs("/text", r.Text, 500)
	return InvalidFields("report", c.fields)
}

// ReportFieldTerm returns the names of what a report can be about.
func ReportFieldTerm(code string) (Term, bool) { return find(ReportFields, code) }
