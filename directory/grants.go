package directory

import (
	"slices"
	"strings"
	"time"
)

// Role is what somebody is in the directory. Everybody signed in is a resident;
// the other roles come with a [Grant].
type Role string

// The roles.
const (
	Resident Role = "resident" // every account
	Owner    Role = "owner"    // of an organization
	Staff    Role = "staff"    // of an organization
	Official Role = "official" // of a bureau, for a region
	Admin    Role = "admin"    // of the whole directory
)

// Roles are the roles that can be granted.
var Roles = []Term{
	term(string(Owner), "机构负责人", "Owner of an organization"),
	term(string(Staff), "机构工作人员", "Staff of an organization"),
	term(string(Official), "主管部门工作人员", "Official of a bureau"),
	term(string(Admin), "系统管理员", "Administrator"),
}

// Bureau is a department of the government that takes part in the directory.
type Bureau string

// The bureaus of 青政办〔2020〕62号 that look after the five kinds of listing.
const (
	Commerce         Bureau = "commerce"          // 商务
	CivilAffairs     Bureau = "civil_affairs"     // 民政
	Health           Bureau = "health"            // 卫健
	MarketRegulation Bureau = "market_regulation" // 市监
	HumanResources   Bureau = "human_resources"   // 人社
	Statistics       Bureau = "statistics"        // 统计
)

// Bureaus are the bureaus with their short names.
var Bureaus = []Term{
	term(string(Commerce), "商务", "Commerce"),
	term(string(CivilAffairs), "民政", "Civil affairs"),
	term(string(Health), "卫健", "Health"),
	term(string(MarketRegulation), "市监", "Market regulation"),
	term(string(HumanResources), "人社", "Human resources"),
	term(string(Statistics), "统计", "Statistics"),
}

// Power is something that an official may do within the bureau and region of a grant.
type Power string

// The powers of officials.
const (
	ReviewPower     Power = "review"     // decide on listings
	ComplaintsPower Power = "complaints" // handle complaints
	CertifyPower    Power = "certify"    // record certificates and grades
	StatisticsPower Power = "statistics" // read unsuppressed figures
	PublishPower    Power = "publish"    // publish bulletins
)

// Powers are the powers with their names.
var Powers = []Term{
	term(string(ReviewPower), "审核", "Review"),
	term(string(ComplaintsPower), "投诉处理", "Complaints"),
	term(string(CertifyPower), "认定", "Certify"),
	term(string(StatisticsPower), "统计", "Statistics"),
	term(string(PublishPower), "发布", "Publish"),
}

// Grant gives an account a role within a scope.
type Grant struct {
	// ID follows from account, role and scope, so that the same thing cannot be
	// granted twice; see [Grant.Key].
	ID      string `json:"id"`
	Account string `json:"account"`
	Role    Role   `json:"role"`

	Organization string  `json:"organization,omitempty"` // of an owner or staff: a UUID
	Bureau       Bureau  `json:"bureau,omitempty"`       // of an official
	Region       string  `json:"region,omitempty"`       // of an official: a code down to county level
	Powers       []Power `json:"powers,omitempty"`       // of an official, in the order of Powers

	GrantedBy string    `json:"granted_by,omitempty"` // an account; "" from the command line
	GrantedAt time.Time `json:"granted_at"`
}

// Key returns the id that the grant must have.
func (g *Grant) Key() string {
	parts := []string{g.Account, string(g.Role)}
	for _, p := range []string{g.Organization, string(g.Bureau), g.Region} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ".")
}

// Scope returns what the grant is for.
func (g *Grant) Scope() Scope {
	return Scope{Organization: g.Organization, Bureau: g.Bureau, Region: g.Region}
}

// Guard returns the scope that somebody has to cover to give or take back the
// grant: the organization for its own roles, and everything for all others.
func (g *Grant) Guard() Scope {
	if g.Role == Owner || g.Role == Staff {
		return Scope{Organization: g.Organization}
	}
	return Scope{}
}

// scoped tells whether the grant has the scope of its role and no other. It is
// asked whenever a grant is used and not only when one is given, because a scope
// that has been lost would be an admin's.
func (g *Grant) scoped() bool {
	switch s := g.Scope(); g.Role {
	case Owner, Staff:
		return s.Organization != "" && s == Scope{Organization: s.Organization}
	case Official:
		return s.Bureau != "" && s.Region != "" && s.Organization == ""
	case Admin:
		return s == Scope{}
	}
	return false
}

// Validate checks that the grant's scope is the one of its role. It returns an
// Invalid error that holds all wrong fields at once, or nil.
func (g *Grant) Validate(regions *Regions) error {
	c := &checks{}
	if _, ok := find(Roles, string(g.Role)); !ok {
		c.vocabulary("/role", string(g.Role), Roles)
		return InvalidFields("grant", c.fields)
	}
	if g.Role == Owner || g.Role == Staff {
		c.id("/organization", g.Organization)
	} else if g.Organization != "" {
		c.add("/organization", CodeMismatch, "/role")
	}
	if g.Role == Official {
		c.vocabulary("/bureau", string(g.Bureau), Bureaus)
		c.county("/region", g.Region, regions)
		if len(g.Powers) == 0 {
			c.add("/powers", CodeRequired, codes(Powers))
		}
	} else {
		if g.Bureau != "" {
			c.add("/bureau", CodeMismatch, "/role")
		}
		if g.Region != "" {
			c.add("/region", CodeMismatch, "/role")
		}
		if len(g.Powers) > 0 {
			c.add("/powers", CodeMismatch, "/role")
		}
	}
	distinct(c, "/powers", g.Powers, len(Powers), func(p Power) { c.vocabulary("", string(p), Powers) })
	return InvalidFields("grant", c.fields)
}

// county checks that a code is that of a county or of a wider division.
func (c *checks) county(pointer, code string, regions *Regions) {
	switch reg, err := regions.Get(code); {
	case code == "":
		c.add(pointer, CodeRequired, "")
	case err != nil || reg.Level > County:
		c.add(pointer, CodeValue, "/v1/regions?level=1, 2, 3")
	}
}

// vocabulary checks that a code is one of a vocabulary and there at all.
func (c *checks) vocabulary(pointer, code string, terms []Term) {
	if _, ok := find(terms, code); ok {
		return
	}
	kind := CodeValue
	if code == "" {
		kind = CodeRequired
	}
	c.add(pointer, kind, codes(terms))
}

// RoleTerm returns the names of a role that can be granted.
func RoleTerm(r Role) (Term, bool) { return find(Roles, string(r)) }

// BureauTerm returns the names of a bureau.
func BureauTerm(b Bureau) (Term, bool) { return find(Bureaus, string(b)) }

// PowerTerm returns the names of a power.
func PowerTerm(p Power) (Term, bool) { return find(Powers, string(p)) }

// needsSecondFactor are the roles that count only in a session with a second factor.
var needsSecondFactor = []Role{Official, Admin}

// NeedsSecondFactor tells whether the grant counts only in a session whose
// owner has shown a second factor.
func (g *Grant) NeedsSecondFactor() bool { return slices.Contains(needsSecondFactor, g.Role) }
