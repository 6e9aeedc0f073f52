package handlers

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/store"
)

// organizationView is an organization in an answer to those who may see it.
type organizationView struct {
	ID           string                      `json:"id"`
	CreditCode   directory.CreditCode        `json:"credit_code"`
	CodeValid    bool                        `json:"code_valid"`
	Type         search.TermRef              `json:"type"`
	LegalName    string                      `json:"legal_name"`
	Region       search.RegionRef            `json:"region"`
	Address      string                      `json:"address"`
	ContactName  string                      `json:"contact_name"`
	ContactPhone string                      `json:"contact_phone"` // masked
	Documents    []string                    `json:"documents"`
	State        directory.OrganizationState `json:"state"`
	DecidedAt    *time.Time                  `json:"decided_at"`
	Reason       string                      `json:"reason"`
	Role         *directory.Role             `json:"role"`   // of the caller, null when they are no member
	Review       *organizationReview         `json:"review"` // null for those who do not decide about it
	Demo         bool                        `json:"demo"`
	CreatedAt    time.Time                   `json:"created_at"`
	UpdatedAt    time.Time                   `json:"updated_at"`
}

// organizationReview is what an official should know besides.
type organizationReview struct {
	CodeRegion codeRegion `json:"code_region"` // where the credit code was given out
	// RegionDiffers says that the seat is not where the code was given out.
	RegionDiffers bool   `json:"region_differs"`
	CreatedBy     string `json:"created_by"`
	DecidedBy     string `json:"decided_by"`
}

type codeRegion struct {
	Code string `json:"code"`
	Name string `json:"name"` // "" outside of the province
}

func (a *api) viewOrganization(in *input, o *directory.Organization) (v organizationView, err error) {
	v = organizationView{
		ID: o.ID, CreditCode: o.CreditCode, CodeValid: o.CodeValid, LegalName: o.LegalName, Address: o.Address,
		Region: search.NewRegionRef(a.Regions, o.Region, in.lang), ContactName: o.ContactName, Documents: o.Documents,
		State: o.State, DecidedAt: o.DecidedAt, Reason: o.Reason, Demo: o.Demo, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
	if v.Documents == nil {
		v.Documents = []string{}
	}
	kind, _ := directory.OrganizationTypeTerm(o.CreditCode.Type())
	v.Type = search.NewTermRef(kind, in.lang)
	for _, g := range in.caller.Grants {
		if g.Organization == o.ID && (v.Role == nil || g.Role == directory.Owner) {
			v.Role = &g.Role
		}
	}
	if in.caller.Covers(reviewers, o.Scope(), a.Regions) == nil {
		there := codeRegion{Code: o.CreditCode.Region()}
		if reg, err := a.Regions.Get(there.Code); err == nil {
			there.Name = reg.Names.In(in.lang)
		}
		v.Review = &organizationReview{there, o.RegisteredElsewhere(a.Regions), o.CreatedBy, o.DecidedBy}
	}
	v.ContactPhone, err = a.Registry.ContactPhone(o)
	return v, err
}

// organizationTag is the ETag of an organization, for If-Match.
func organizationTag(version int64) string { return `"o` + strconv.FormatInt(version, 10) + `"` }

func (a *api) sendOrganization(c *fiber.Ctx, in *input, doc store.Doc[directory.Organization]) error {
	v, err := a.viewOrganization(in, &doc.Value)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, organizationTag(doc.Version))
	return sendSecret(c, v)
}

// organizationOf returns the organization that a request is about. Whoever has
// nothing to do with it is not told whether there is one.
func (a *api) organizationOf(c *fiber.Ctx, in *input) (store.Doc[directory.Organization], error) {
	id := in.text("id")
	doc, err := a.Registry.Organization(c.UserContext(), id)
	scope := directory.Scope{Organization: id}
	if err == nil {
		scope = doc.Value.Scope()
	}
	if forbidden := in.covers(a, scope); forbidden != nil && (err == nil || directory.KindOf(err) == directory.NotFound) {
		err = forbidden
	}
	return doc, err
}

// ownOrganization returns an organization that the caller acts for. An admin acts
// for those that are not there, too, and gets NotFound.
func (a *api) ownOrganization(c *fiber.Ctx, in *input, id string) (directory.Organization, error) {
	if err := in.err(); err != nil {
		return directory.Organization{}, err
	}
	if err := in.covers(a, directory.Scope{Organization: id}); err != nil {
		return directory.Organization{}, err
	}
	doc, err := a.Store.Organizations.Get(c.UserContext(), id)
	return doc.Value, err
}

// organizationBody is what an organization says about itself in a request.
type organizationBody struct {
	CreditCode   *string   `json:"credit_code"`
	LegalName    *string   `json:"legal_name"`
	Region       *string   `json:"region"`
	Address      *string   `json:"address"`
	ContactName  *string   `json:"contact_name"`
	ContactPhone *string   `json:"contact_phone"`
	Documents    *[]string `json:"documents"`
}

func (b organizationBody) details() registry.Details {
	return registry.Details{
		CreditCode: deref(b.CreditCode), LegalName: deref(b.LegalName), Region: deref(b.Region), Address: deref(b.Address),
		ContactName: deref(b.ContactName), ContactPhone: deref(b.ContactPhone), Documents: deref(b.Documents),
	}
}

// refuseBy notes what an Invalid error says about the body, beside what the
// contract says, so that one answer lists everything. Any other error is returned.
func (in *input) refuseBy(err error) error {
	var e *directory.Error
	if !errors.As(err, &e) || e.Kind != directory.Invalid {
		return err
	}
	for _, f := range e.Fields {
		if f.Parameter != "" {
			in.refuse(f.Parameter, f.Code, f.Limit)
		} else {
			in.refuseField(f.Pointer, f.Code, f.Limit)
		}
	}
	return nil
}

// draft returns the body as far as it can be read, also when something about it
// is wrong, for the rules that the contract does not know. ok is false when there
// is nothing that they could look at.
func draft[T any](in *input) (v T, ok bool) {
	if in.content == nil || in.content.err != nil {
		return v, false
	}
	if _, ok := in.content.value.(map[string]any); !ok {
		return v, false
	}
	_ = json.Unmarshal(in.content.text, &v) // a member of another type has been refused by the contract
	return v, true
}

func (a *api) registerOrganization(c *fiber.Ctx, in *input) error {
	b, ok := draft[organizationBody](in)
	if ok {
		if err := in.refuseBy(a.Registry.Check(b.details())); err != nil {
			return err
		}
	}
	if err := in.err(); err != nil {
		return err
	}
	done, err := a.Registry.Register(c.UserContext(), in.caller, b.details(), in.client)
	if err != nil {
		return err
	}
	if done.Claim != nil {
		c.Status(fiber.StatusAccepted)
		return sendSecret(c, viewOwnClaim(done.Claim))
	}
	if done.Created {
		c.Status(fiber.StatusCreated)
		// The caller's grants were read before.
		in.caller.Grants = append(in.caller.Grants, directory.Grant{Account: in.caller.Account, Role: directory.Owner, Organization: done.Organization.Value.ID})
	}
	return a.sendOrganization(c, in, done.Organization)
}

// memberships returns the organizations that the caller belongs to.
func (in *input) memberships() []string {
	ids := []string{}
	for _, g := range in.caller.Grants {
		if g.Role == directory.Owner || g.Role == directory.Staff {
			ids = append(ids, g.Organization)
		}
	}
	return unique(ids)
}

// reviewScopes returns where the caller decides about organizations. A caller who
// would do so with a second factor, and has nothing else to see, is asked for it.
func (in *input) reviewScopes(a *api, nothingElse bool) ([]directory.Scope, error) {
	scopes := in.caller.Narrow(reviewers, directory.MarketRegulation, "", a.Regions)
	if len(scopes) == 0 && nothingElse && len(in.caller.Holds(reviewers)) > 0 {
		return nil, reviewers.Admit(&in.caller)
	}
	return scopes, nil
}

func (a *api) listOrganizations(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	s := registry.Selection{IDs: in.memberships(), State: in.text("state"), Text: in.text("q")}
	if mine := in.boolean("mine"); mine == nil || !*mine {
		var err error
		if s.Scopes, err = in.reviewScopes(a, len(s.IDs) == 0); err != nil {
			return err
		}
	}
	docs, next, err := a.Registry.Organizations(c.UserContext(), s, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]organizationView, len(docs))
	for i := range docs {
		if items[i], err = a.viewOrganization(in, &docs[i].Value); err != nil {
			return err
		}
	}
	return sendList(c, items, hash, next)
}

func (a *api) getOrganization(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	return a.sendOrganization(c, in, doc)
}

func (a *api) updateOrganization(c *fiber.Ctx, in *input) error {
	b, readable := draft[organizationBody](in)
	if !readable || in.text("id") == "" { // an id that is wrong reads as none
		return in.err()
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		if wrong := in.err(); wrong != nil {
			return wrong
		}
		return err
	}
	change := registry.OrganizationChange(b)
	none := ""
	if in.hasField("address") && b.Address == nil { // null clears
		change.Address = &none
	}
	if in.hasField("documents") && b.Documents == nil {
		change.Documents = &[]string{}
	}
	if err := in.refuseBy(a.Registry.CheckChange(doc.Value, change)); err != nil {
		return err
	}
	if err := in.err(); err != nil {
		return err
	}
	if err := requireMatch(in, organizationTag(doc.Version)); err != nil {
		return err
	}
	if doc, err = a.Registry.ChangeOrganization(c.UserContext(), in.caller, doc, change, in.client); err != nil {
		return err
	}
	return a.sendOrganization(c, in, doc)
}

func (a *api) decideOrganization(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	version := int64(0)
	if in.header(fiber.HeaderIfMatch) != "" {
		if err := requireMatch(in, organizationTag(doc.Version)); err != nil {
			return err
		}
		version = doc.Version
	}
	b := body[struct {
		Outcome directory.OrganizationState
		Reason  string
	}](in)
	doc, err = a.Registry.DecideOrganization(c.UserContext(), in.caller, doc.Value.ID, version, b.Outcome, b.Reason, in.client)
	if err != nil {
		return err
	}
	return a.sendOrganization(c, in, doc)
}

// memberView is a member of an organization in an answer.
type memberView struct {
	Account string         `json:"account"`
	Name    string         `json:"name"`
	Phone   string         `json:"phone"` // masked
	Role    search.TermRef `json:"role"`
	Since   time.Time      `json:"since"`
}

func (a *api) listMembers(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	found, err := a.Registry.Members(c.UserContext(), doc.Value.ID)
	if err != nil {
		return err
	}
	items := make([]memberView, len(found))
	for i, m := range found {
		items[i] = memberView{m.Account, m.Name, m.Phone, viewRole(m.Role, in.lang), m.Since}
	}
	return sendSecret(c, map[string]any{"items": items})
}

func (a *api) removeMember(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	account := in.text("account")
	if account != in.caller.Account { // staff can only leave
		if err := in.caller.Covers(grantors, doc.Value.Scope(), a.Regions); err != nil {
			return err
		}
	}
	if err := a.Registry.RemoveMember(c.UserContext(), in.caller, doc.Value.ID, account, in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
