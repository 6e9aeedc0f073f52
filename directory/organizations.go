package directory

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Organization runs listings: a firm, an institution, a body of the government.
type Organization struct {
	ID         string     `json:"id"` // UUID, version 7
	CreditCode CreditCode `json:"credit_code"`
	CodeValid  bool       `json:"code_valid"` // whether its check characters are right
	LegalName  string     `json:"legal_name"`
	Region     string     `json:"region"` // of its seat, down to county level
	Address    string     `json:"address,omitempty"`

	ContactName  string `json:"contact_name"`
	ContactPhone string `json:"contact_phone"` // sealed

	Documents []string `json:"documents,omitempty"` // photos of its papers, for officials and members only

	State     OrganizationState `json:"state"`
	DecidedBy string            `json:"decided_by,omitempty"` // the account of the official
	DecidedAt *time.Time        `json:"decided_at,omitempty"`
	Reason    string            `json:"reason,omitempty"` // why it was not verified

	Demo      bool      `json:"demo,omitempty"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// What follows from a change in other documents and is still to be done.
	Ownerless bool      `json:"ownerless,omitempty"` // CreatedBy has not become its owner yet
	Leaving   []Leaving `json:"leaving,omitempty"`   // grants that are about to be taken back
	Untold    bool      `json:"untold,omitempty"`    // its owners have not heard of the decision
	Moved     bool      `json:"moved,omitempty"`     // claims on it have not followed to its region
}

// Leaving is a grant that counts no more and is about to be taken back.
type Leaving struct {
	Grant string `json:"grant"` // id
	By    string `json:"by"`    // the account that takes it back
}

// Unsettled tells whether something that follows from a change is still to be done.
func (o *Organization) Unsettled() bool {
	return o.Ownerless || len(o.Leaving) > 0 || o.Untold || o.Moved
}

// Leaves tells whether a grant is about to be taken back.
func (o *Organization) Leaves(grant string) bool {
	return slices.ContainsFunc(o.Leaving, func(l Leaving) bool { return l.Grant == grant })
}

// Scope returns the scope of those who look after the organization: its members,
// and the officials of market regulation where it has its seat. The registries of
// GB 32100 are several bureaus, of which market regulation keeps nearly all that
// the directory lists and can look up the others; one bureau is one queue.
func (o *Organization) Scope() Scope {
	return Scope{Organization: o.ID, Bureau: MarketRegulation, Region: o.Region}
}

// RegisteredElsewhere tells whether the credit code was given out in a region
// that neither holds the seat nor lies in its region. That is no error, because
// branches have their seat where they please, but an official should know.
func (o *Organization) RegisteredElsewhere(regions *Regions) bool {
	there := o.CreditCode.Region()
	return !regions.Within(o.Region, there) && !regions.Within(there, o.Region)
}

// Matches tells whether a text is part of the legal name or the credit code.
func (o *Organization) Matches(text string) bool {
	text = strings.TrimSpace(text)
	code, _ := ParseCreditCode(text)
	return strings.Contains(strings.ToLower(o.LegalName), strings.ToLower(text)) ||
		code != "" && strings.Contains(string(o.CreditCode), string(code))
}

// OrganizationState is whether an official has seen an organization's papers.
type OrganizationState string

// The states.
const (
	OrganizationPending  OrganizationState = "pending"  // waits for an official
	OrganizationVerified OrganizationState = "verified" // its papers were seen
	OrganizationRefused  OrganizationState = "refused"  // they were not what it says
)

// maxDocuments is how many photos of papers an organization has.
const maxDocuments = 10

// creditCodeForm shows what a credit code looks like; it is nobody's.
const creditCodeForm = "91630102000000000A"

// maxReason is how long the reason of a decision may be, in characters.
const maxReason = 1000

// contactPattern is a landline of anywhere in the country, with or without an
// extension, or a 400 number.
var contactPattern = regexp.MustCompile(`^(?:0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?|400-?[0-9]{3}-?[0-9]{4})$`)

// ContactPhoneForm shows what a contact phone looks like.
const ContactPhoneForm = "13800138000, 0971-1234567, 400-123-4567"

// ParseContactPhone reads the phone under which officials reach an organization:
// a mobile number, a landline or a 400 number.
func ParseContactPhone(text string) (phone string, ok bool) {
	if phone, ok := ParsePhone(text); ok {
		return phone, true
	}
	phone = strings.ReplaceAll(text, " ", "")
	return phone, contactPattern.MatchString(phone)
}

// CheckContactPhone returns Invalid about the field at a pointer unless a text is a
// contact phone.
func CheckContactPhone(pointer, text string) error {
	c := &checks{}
	c.contactPhone(pointer, text)
	return InvalidFields("phone", c.fields)
}

func (c *checks) contactPhone(pointer, text string) {
	if strings.TrimSpace(text) == "" {
		c.add(pointer, CodeRequired, "")
	} else if _, ok := ParseContactPhone(text); !ok {
		c.add(pointer, CodeFormat, ContactPhoneForm)
	}
}

// MaskContactPhone hides the middle of a contact phone.
func MaskContactPhone(phone string) string {
	if len(phone) < 10 {
		return "****"
	}
	return phone[:3] + "****" + phone[len(phone)-4:]
}

// Validate checks an organization. It returns an Invalid error that holds all
// wrong fields at once, or nil. A credit code has to have the form of one; that
// its check characters are wrong is for an official to look at.
func (o *Organization) Validate(regions *Regions) error {
	c := &checks{}
	if _, ok := ParseCreditCode(string(o.CreditCode)); !ok {
		c.add("/credit_code", CodeFormat, creditCodeForm)
	}
	if c.required("/legal_name", o.LegalName, 120) && hasDemoMark(o.LegalName) != o.Demo {
		c.add("/legal_name", CodeMismatch, "/demo")
	}
	c.county("/region", o.Region, regions)
	c.text("/address", o.Address, 200)
	c.required("/contact_name", o.ContactName, maxPersonName)
	distinct(c, "/documents", o.Documents, maxDocuments, func(id string) {
		if !photoPattern.MatchString(id) {
			c.add("", CodeFormat, "")
		}
	})
	return InvalidFields("organization", c.fields)
}

// CheckDecision checks whether an official decides as one can: there is no refusal
// without a reason. It returns an Invalid error that holds all wrong fields at
// once, or nil.
func CheckDecision(refused bool, reason string) error {
	c := &checks{}
	if refused && strings.TrimSpace(reason) == "" {
		c.add("/reason", CodeRequired, "")
	}
	c.paragraphs("/reason", reason, maxReason)
	return InvalidFields("decision", c.fields)
}

// Claim is a second registration of a credit code: somebody says that an
// organization is theirs which others have registered. An official decides.
type Claim struct {
	ID           string     `json:"id"` // UUID, version 7
	Organization string     `json:"organization"`
	Account      string     `json:"account"` // who claims it
	Region       string     `json:"region"`  // of the organization
	CreditCode   CreditCode `json:"credit_code"`
	LegalName    string     `json:"legal_name"` // as the claimant has it
	ContactName  string     `json:"contact_name"`
	Documents    []string   `json:"documents,omitempty"`
	State        ClaimState `json:"state"`
	// RemoveMembers says that the others are no members any more when it is granted.
	RemoveMembers bool       `json:"remove_members,omitempty"`
	DecidedBy     string     `json:"decided_by,omitempty"`
	DecidedAt     *time.Time `json:"decided_at,omitempty"`
	Reason        string     `json:"reason,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`

	// Unsettled says that what follows from the state is still to be done.
	Unsettled bool `json:"unsettled,omitempty"`
}

// Scope returns the scope of the officials who decide about the claim. The
// members of the organization do not.
func (c *Claim) Scope() Scope { return Scope{Bureau: MarketRegulation, Region: c.Region} }

// ClaimState is what has become of a claim.
type ClaimState string

// The states of a claim.
const (
	ClaimOpen    ClaimState = "open"
	ClaimGranted ClaimState = "granted" // the claimant is an owner now
	ClaimRefused ClaimState = "refused"
)

// Invitation lets whoever has its secret join an organization, once.
type Invitation struct {
	ID           string     `json:"id"` // keyed hash of the secret
	Organization string     `json:"organization"`
	Role         Role       `json:"role"` // Owner or Staff
	InvitedBy    string     `json:"invited_by"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    time.Time  `json:"expires_at"`
	AcceptedBy   string     `json:"accepted_by,omitempty"`
	AcceptedAt   *time.Time `json:"accepted_at,omitempty"`

	// Unsettled says that who has accepted it is not a member yet.
	Unsettled bool `json:"unsettled,omitempty"`
}

// BureauOf returns the bureau that looks after a kind of listing 〔二·二, 三·七,
// 三·十, 三·十一〕.
func BureauOf(k Kind) Bureau {
	switch k {
	case ElderCareKind:
		return CivilAffairs
	case ChildcareKind:
		return Health
	default:
		return Commerce
	}
}
