package directory

import "time"

// AuditEntry is a line of the audit log: who did or was refused what, and when.
// Entries are never changed or deleted. They name accounts by their ids, never
// by phone or name, so that erasing an account leaves nothing of a person here.
type AuditEntry struct {
	ID      string      `json:"id"` // UUID, version 7: the order of ids is that of time
	At      time.Time   `json:"at"`
	Action  AuditAction `json:"action"`
	Refused bool        `json:"refused,omitempty"`

	Actor     string `json:"actor,omitempty"`     // an account; "" for strangers, the program and the command line
	Subject   string `json:"subject,omitempty"`   // the account, session, grant or key concerned
	Operation string `json:"operation,omitempty"` // of the API, for what was refused
	Detail    string `json:"detail,omitempty"`    // in a few words, such as the powers granted

	// What the entry is about decides which officials see it.
	Organization string `json:"organization,omitempty"`
	Bureau       Bureau `json:"bureau,omitempty"`
	Region       string `json:"region,omitempty"`

	Network   string `json:"network,omitempty"` // of the request, shortened
	RequestID string `json:"request_id,omitempty"`
}

// AuditAction is what an entry is about.
type AuditAction string

// The actions.
const (
	AuditSignIn       AuditAction = "sign_in"       // a code was redeemed, or not
	AuditCode         AuditAction = "code"          // asking for a code was refused
	AuditRefresh      AuditAction = "refresh"       // a spent refresh token came again
	AuditSecondFactor AuditAction = "second_factor" // an authenticator was registered, used, removed or refused
	AuditSessionEnd   AuditAction = "session_end"
	AuditGrant        AuditAction = "grant"
	AuditRevoke       AuditAction = "revoke"
	AuditAccess       AuditAction = "access" // an operation was refused
	AuditErasure      AuditAction = "erasure"
	AuditOrganization AuditAction = "organization" // one was registered, changed, verified or refused
	AuditClaim        AuditAction = "claim"        // an organization was claimed, or the claim decided
	AuditInvitation   AuditAction = "invitation"   // to an organization: made, withdrawn or accepted
	AuditReview       AuditAction = "review"       // an official decided about a listing
	AuditRating       AuditAction = "rating"       // an official decided about a rating
	AuditComplaint    AuditAction = "complaint"    // an official did something about a complaint
	AuditReturn       AuditAction = "return"       // an official decided about reported figures
	AuditKey          AuditAction = "key"          // a key that signs was made or withdrawn
	AuditAPIKey       AuditAction = "api_key"      // a department's key was made or revoked
	AuditAPIKeyUsed   AuditAction = "api_key_used" // and used, for the first time on a day
	AuditBulletin     AuditAction = "bulletin"     // one was made, discarded or published
)

// AuditActions are all actions.
var AuditActions = []AuditAction{AuditSignIn, AuditCode, AuditRefresh, AuditSecondFactor, AuditSessionEnd, AuditGrant, AuditRevoke, AuditAccess, AuditErasure, AuditOrganization, AuditClaim, AuditInvitation, AuditReview, AuditRating, AuditComplaint, AuditReturn, AuditKey, AuditAPIKey, AuditAPIKeyUsed, AuditBulletin}
