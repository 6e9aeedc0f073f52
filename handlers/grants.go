package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// grantView is a grant in an answer.
type grantView struct {
	ID           string            `json:"id"`
	Account      string            `json:"account"`
	Phone        string            `json:"phone"` // masked; "" of an account that is gone
	Role         search.TermRef    `json:"role"`
	Organization string            `json:"organization,omitempty"`
	Bureau       *search.TermRef   `json:"bureau,omitempty"`
	Region       *search.RegionRef `json:"region,omitempty"`
	Powers       []search.TermRef  `json:"powers,omitempty"`
	GrantedBy    string            `json:"granted_by,omitempty"`
	GrantedAt    time.Time         `json:"granted_at"`
}

func viewRole(r directory.Role, lang string) search.TermRef {
	term, _ := directory.RoleTerm(r)
	return search.NewTermRef(term, lang)
}

func (a *api) viewGrant(g directory.Grant, phone, lang string) grantView {
	v := grantView{
		ID: g.ID, Account: g.Account, Phone: phone, Organization: g.Organization,
		GrantedBy: g.GrantedBy, GrantedAt: g.GrantedAt,
	}
	v.Role = viewRole(g.Role, lang)
	if b, ok := directory.BureauTerm(g.Bureau); ok {
		ref := search.NewTermRef(b, lang)
		v.Bureau = &ref
	}
	if g.Region != "" {
		ref := search.NewRegionRef(a.Regions, g.Region, lang)
		v.Region = &ref
	}
	for _, p := range g.Powers {
		term, _ := directory.PowerTerm(p)
		v.Powers = append(v.Powers, search.NewTermRef(term, lang))
	}
	return v
}

func (a *api) listGrants(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	q := store.Query{Limit: in.integer("limit"), After: in.readPosition(hash)}
	if err := in.err(); err != nil {
		return err
	}
	if role := in.text("role"); role != "" {
		q.Where = append(q.Where, store.Equal("role", role))
	}
	if organization := in.text("organization"); organization != "" {
		if err := in.covers(a, directory.Scope{Organization: organization}); err != nil {
			return err
		}
		q.Where = append(q.Where, store.Equal("organization", organization))
	} else if own := in.caller.Organizations(in.permission); own != nil {
		q.Where = append(q.Where, store.Condition{Field: "organization", Op: store.In, Value: own})
	}
	docs, next, err := a.Store.Grants.Find(c.UserContext(), q)
	if err != nil {
		return err
	}
	accounts := make([]string, len(docs))
	for i := range docs {
		accounts[i] = docs[i].Value.Account
	}
	phones, err := a.Auth.MaskedPhones(c.UserContext(), unique(accounts)...)
	if err != nil {
		return err
	}
	items := make([]grantView, len(docs))
	for i := range docs {
		items[i] = a.viewGrant(docs[i].Value, phones[docs[i].Value.Account], in.lang)
	}
	return sendList(c, items, hash, next)
}

func (a *api) createGrant(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct {
		Phone        string
		Role         directory.Role
		Organization string
		Bureau       directory.Bureau
		Region       string
		Powers       []directory.Power
	}](in)
	g := directory.Grant{Role: b.Role, Organization: b.Organization, Bureau: b.Bureau, Region: b.Region, Powers: b.Powers}
	if err := in.covers(a, g.Guard()); err != nil {
		return err
	}
	g, created, err := a.Registry.Grant(c.UserContext(), in.caller, b.Phone, g, in.client)
	if err != nil {
		return err
	}
	phones, err := a.Auth.MaskedPhones(c.UserContext(), g.Account)
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return sendSecret(c, a.viewGrant(g, phones[g.Account], in.lang))
}

func (a *api) deleteGrant(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	g, err := a.Auth.GetGrant(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if in.covers(a, g.Guard()) != nil {
		return in.hide(a, c, "grant")
	}
	if err := a.Registry.Revoke(c.UserContext(), in.caller, g, in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
