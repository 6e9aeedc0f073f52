package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/store"
)

// claimView is a claim in an answer. What the claimant has not said themselves is
// for officials alone.
type claimView struct {
	ID           string               `json:"id"`
	State        directory.ClaimState `json:"state"`
	CreditCode   directory.CreditCode `json:"credit_code"`
	LegalName    string               `json:"legal_name"`   // as the claimant has it
	ContactName  string               `json:"contact_name"` // as the claimant has it
	Documents    []string             `json:"documents"`
	Organization *claimedView         `json:"organization"` // null for the claimant
	Claimant     *claimantView        `json:"claimant"`     // null for the claimant
	Reason       string               `json:"reason"`
	CreatedAt    time.Time            `json:"created_at"`
	DecidedAt    *time.Time           `json:"decided_at"`
}

type claimedView struct {
	ID        string                      `json:"id"`
	LegalName string                      `json:"legal_name"`
	Region    search.RegionRef            `json:"region"`
	State     directory.OrganizationState `json:"state"`
}

type claimantView struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Phone   string `json:"phone"` // masked
}

func viewOwnClaim(c *directory.Claim) claimView {
	v := claimView{
		ID: c.ID, State: c.State, CreditCode: c.CreditCode, LegalName: c.LegalName, ContactName: c.ContactName, Documents: c.Documents,
		Reason: c.Reason, CreatedAt: c.CreatedAt, DecidedAt: c.DecidedAt,
	}
	if v.Documents == nil {
		v.Documents = []string{}
	}
	return v
}

func viewOwnClaims(claims []directory.Claim) []claimView {
	views := make([]claimView, len(claims))
	for i := range claims {
		views[i] = viewOwnClaim(&claims[i])
	}
	return views
}

// viewClaims shows claims to an official where they are in scope, and to the
// claimant where they are not.
func (a *api) viewClaims(c *fiber.Ctx, in *input, claims []directory.Claim) ([]claimView, error) {
	organizations, accounts := make([]string, len(claims)), make([]string, len(claims))
	for i := range claims {
		organizations[i], accounts[i] = claims[i].Organization, claims[i].Account
	}
	claimed, err := a.Store.Organizations.ByID(c.UserContext(), organizations...)
	if err != nil {
		return nil, err
	}
	claimants, err := a.Store.Accounts.ByID(c.UserContext(), accounts...)
	if err != nil {
		return nil, err
	}
	views := viewOwnClaims(claims)
	for i := range claims {
		if in.caller.Covers(reviewers, claims[i].Scope(), a.Regions) != nil {
			continue
		}
		if o := claimed[claims[i].Organization]; o != nil {
			views[i].Organization = &claimedView{o.ID, o.LegalName, search.NewRegionRef(a.Regions, o.Region, in.lang), o.State}
		}
		views[i].Claimant = &claimantView{Account: claims[i].Account}
		if account := claimants[claims[i].Account]; account != nil {
			views[i].Claimant.Name = account.Name
			if views[i].Claimant.Phone, err = a.Auth.MaskedPhone(account); err != nil {
				return nil, err
			}
		}
	}
	return views, nil
}

func (a *api) listClaims(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	s := registry.Selection{Account: in.caller.Account, State: in.text("state")}
	if mine := in.boolean("mine"); mine == nil || !*mine {
		var err error
		if s.Scopes, err = in.reviewScopes(a, true); err != nil {
			return err
		}
	}
	docs, next, err := a.Registry.Claims(c.UserContext(), s, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items, err := a.viewClaims(c, in, store.Values(docs))
	if err != nil {
		return err
	}
	return sendList(c, items, hash, next)
}

func (a *api) decideClaim(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	claim, err := a.Registry.Claim(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if err := in.covers(a, claim.Scope()); err != nil {
		return err
	}
	b := body[struct {
		Outcome       directory.ClaimState
		Reason        string
		RemoveMembers bool `json:"remove_members"`
	}](in)
	claim, err = a.Registry.DecideClaim(c.UserContext(), in.caller, claim.ID, b.Outcome, b.Reason, b.RemoveMembers, in.client)
	if err != nil {
		return err
	}
	views, err := a.viewClaims(c, in, []directory.Claim{claim})
	if err != nil {
		return err
	}
	return sendSecret(c, views[0])
}
