package directory

import "slices"

// Permission says who may call an operation. The zero value lets nobody.
type Permission struct {
	Public   bool   // everybody, signed in or not; who has one of Roles may see more
	Accounts bool   // every account, on what is its own
	Roles    []Role // accounts with one of these roles, each within the scope of its grant
	Power    Power  // that the grant of an official has to hold; "" asks for none in particular
	// Keys lets in requests that are made with an [APIKey], too, which count as an
	// official's with that key's grant. Without Roles they alone are let in.
	Keys bool
}

// Scope is what an operation touches, or what a grant is for: something of an
// organization, or something of a region that a bureau looks after. An admin's
// grant has the zero Scope and covers everything.
type Scope struct {
	Organization string
	Bureau       Bureau
	Region       string
}

// Caller is who makes a request. The zero Caller is a stranger.
type Caller struct {
	Account      string // id
	Session      string // id
	Key          string // id of the [APIKey] by which the request comes; then there is no account
	SecondFactor bool   // whether this session has shown one lately
	Grants       []Grant
}

// AsksWho tells whether it matters who makes a call, or everybody is answered alike.
func (p Permission) AsksWho() bool { return !p.Public || len(p.Roles) > 0 }

// Admit tells whether a caller may call an operation at all: nil, Unauthenticated
// for a stranger where that would help, Unauthenticated about the second factor
// when only that is missing, or Forbidden. What the call then touches is asked
// of [Caller.Covers].
func (p Permission) Admit(c *Caller) error {
	if p.Public {
		return nil
	}
	if c.Account == "" && c.Key == "" {
		return &Error{Kind: Unauthenticated}
	}
	if p.Accounts && c.Account != "" || p.Keys && len(p.Roles) == 0 && c.Key != "" {
		return nil
	}
	grants := c.Holds(p)
	if len(grants) == 0 {
		return &Error{Kind: Forbidden}
	}
	if !slices.ContainsFunc(grants, c.counts) {
		return &Error{Kind: Unauthenticated, What: SecondFactorMissing}
	}
	return nil
}

// SecondFactorMissing is what an Unauthenticated error is about when the caller
// is signed in, but a role that the operation needs counts only with a second factor.
const SecondFactorMissing = "second_factor"

// Holds returns the grants by which a caller may call an operation, whether or
// not a second factor is still needed for them. A grant that lacks the scope of
// its role gives nothing, nor does that of a key where keys are not allowed.
func (c *Caller) Holds(p Permission) []Grant {
	if c.Key != "" && !p.Keys {
		return nil
	}
	var out []Grant
	for _, g := range c.Grants {
		if slices.Contains(p.Roles, g.Role) && g.scoped() && (g.Role != Official || p.Power == "" || slices.Contains(g.Powers, p.Power)) {
			out = append(out, g)
		}
	}
	return out
}

// counts tells whether a grant has effect in the caller's session. A program with a
// key has no second factor to show.
func (c *Caller) counts(g Grant) bool {
	return c.Key != "" || c.SecondFactor || !g.NeedsSecondFactor()
}

// Scopes returns the scopes in which a caller may use an operation that
// [Permission.Admit] let pass. One of them is zero for an admin.
func (c *Caller) Scopes(p Permission) []Scope {
	var out []Scope
	for _, g := range c.Holds(p) {
		if c.counts(g) {
			out = append(out, g.Scope())
		}
	}
	return out
}

// Covers returns nil when the caller may use an operation on something of scope
// s, and Forbidden when not. An official's scope reaches down to all regions
// within; something that no bureau or no region is responsible for is an admin's.
func (c *Caller) Covers(p Permission, s Scope, regions *Regions) error {
	for _, own := range c.Scopes(p) {
		if own.covers(s, regions) {
			return nil
		}
	}
	return &Error{Kind: Forbidden}
}

func (own Scope) covers(s Scope, regions *Regions) bool {
	switch {
	case own == Scope{}: // an admin
		return true
	case own.Organization != "":
		return own.Organization == s.Organization
	default:
		return own.Bureau == s.Bureau && s.Region != "" && regions.Within(s.Region, own.Region)
	}
}

// Organizations returns the organizations in which a caller may use an
// operation, or nil for an admin, who may in all.
func (c *Caller) Organizations(p Permission) []string {
	out := []string{}
	for _, own := range c.Scopes(p) {
		if own == (Scope{}) {
			return nil
		}
		if own.Organization != "" {
			out = append(out, own.Organization)
		}
	}
	return out
}

// Narrow returns the scopes in which a caller may use an operation, narrowed to
// a bureau and a region where these are not empty. There are none when the
// caller has nothing to do with them.
func (c *Caller) Narrow(p Permission, bureau Bureau, region string, regions *Regions) []Scope {
	var out []Scope
	for _, own := range c.Scopes(p) {
		if own == (Scope{}) { // an admin
			return []Scope{{Bureau: bureau, Region: region}}
		}
		if own.Organization != "" || bureau != "" && bureau != own.Bureau {
			continue
		}
		switch {
		case region == "" || regions.Within(own.Region, region):
			out = append(out, own)
		case regions.Within(region, own.Region):
			out = append(out, Scope{Bureau: own.Bureau, Region: region})
		}
	}
	return out
}

// Belongs tells whether a caller is a member of an organization: nobody decides
// about what is their own.
func (c *Caller) Belongs(organization string) bool {
	return organization != "" && slices.ContainsFunc(c.Grants, func(g Grant) bool { return g.Organization == organization })
}
