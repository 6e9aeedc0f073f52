package registry

import (
	"context"
	"errors"
	"strings"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// maxOpenClaims is how many claims of one account officials look at at a time.
const maxOpenClaims = 10

// claim stores that the caller says that an organization is theirs, as they
// describe it. While a claim of theirs is open, there is no second one.
func (r *Registry) claim(ctx context.Context, caller directory.Caller, o, described *directory.Organization, from auth.Client) (directory.Claim, error) {
	docs, err := r.Store.Claims.All(ctx, store.Where(store.Equal("account", caller.Account)))
	if err != nil {
		return directory.Claim{}, err
	}
	open := 0
	for _, d := range docs {
		if d.Value.State != directory.ClaimOpen {
			continue
		}
		if d.Value.Organization == o.ID {
			d, err := r.settleClaim(ctx, d, from)
			return d.Value, err
		}
		open++
	}
	if open >= maxOpenClaims {
		return directory.Claim{}, &directory.Error{Kind: directory.Conflict, What: "claims"}
	}
	c := directory.Claim{
		Organization: o.ID, Account: caller.Account, Region: o.Region, CreditCode: described.CreditCode, LegalName: described.LegalName,
		ContactName: described.ContactName, Documents: described.Documents, State: directory.ClaimOpen, CreatedAt: r.now(), Unsettled: true,
	}
	if c.ID, err = r.newID(); err != nil {
		return c, err
	}
	if err := r.noteClaim(ctx, caller, &c, "filed", from); err != nil {
		return c, err
	}
	doc, err := r.Store.Claims.Insert(ctx, c)
	if directory.KindOf(err) == directory.Conflict { // the caller has made another one just now
		return r.claim(ctx, caller, o, described, from)
	}
	if err == nil {
		doc, err = r.settleClaim(ctx, doc, from)
	}
	return doc.Value, err
}

func (r *Registry) noteClaim(ctx context.Context, caller directory.Caller, c *directory.Claim, detail string, from auth.Client) error {
	scope := c.Scope()
	return r.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditClaim, Actor: caller.Account, Subject: c.ID, Detail: detail,
		Organization: c.Organization, Bureau: scope.Bureau, Region: scope.Region,
	}, from)
}

// Claim returns a claim, or NotFound.
func (r *Registry) Claim(ctx context.Context, id string) (directory.Claim, error) {
	doc, err := r.Store.Claims.Get(ctx, id)
	return doc.Value, err
}

// DecideClaim stores what an official has decided about a claim and does what
// follows from it: the claimant becomes an owner, the others stay or, with
// removeMembers, do not, and all are told. It returns Invalid with every wrong
// field, Conflict about "claim" when it was decided before, Forbidden when it is
// the official's own or they are a member of the organization, and NotFound.
func (r *Registry) DecideClaim(ctx context.Context, caller directory.Caller, id string, outcome directory.ClaimState, reason string, removeMembers bool, from auth.Client) (directory.Claim, error) {
	reason = strings.TrimSpace(reason)
	if err := directory.CheckDecision(outcome == directory.ClaimRefused, reason); err != nil {
		return directory.Claim{}, err
	}
	c, err := r.Claim(ctx, id)
	if err != nil {
		return c, err
	}
	role, err := r.roleIn(ctx, c.Organization, caller.Account)
	if err != nil {
		return c, err
	}
	if role != "" || c.Account == caller.Account { // nobody decides about what is their own
		return c, &directory.Error{Kind: directory.Forbidden}
	}
	if c.State != directory.ClaimOpen {
		return c, &directory.Error{Kind: directory.Conflict, What: "claim"}
	}
	detail := string(outcome)
	if removeMembers {
		detail += " remove_members"
	}
	if err := r.noteClaim(ctx, caller, &c, detail, from); err != nil {
		return c, err
	}
	now := r.now()
	doc, err := r.Store.Claims.Update(ctx, id, func(c *directory.Claim) error {
		if c.State != directory.ClaimOpen {
			return &directory.Error{Kind: directory.Conflict, What: "claim"}
		}
		c.State, c.Reason, c.DecidedBy, c.DecidedAt, c.Unsettled = outcome, reason, caller.Account, &now, true
		c.RemoveMembers = removeMembers && outcome == directory.ClaimGranted
		return nil
	})
	if err != nil {
		return c, err
	}
	doc, err = r.settleClaim(ctx, doc, from)
	return doc.Value, err
}

// settleClaim does what follows from the state of a claim; like settle.
func (r *Registry) settleClaim(ctx context.Context, doc store.Doc[directory.Claim], from auth.Client) (store.Doc[directory.Claim], error) {
	c := doc.Value
	if !c.Unsettled {
		return doc, nil
	}
	params := map[string]string{"claim": c.ID, "name": c.LegalName}
	var err error
	switch c.State {
	case directory.ClaimOpen:
		err = r.tellOfClaim(ctx, &c, directory.NoteClaimFiled)
	case directory.ClaimGranted:
		params["organization"] = c.Organization
		if err = r.grantClaim(ctx, &c, from); err == nil {
			err = r.Auth.Tell(ctx, c.Account, directory.NoteClaimGranted, c.ID, *c.DecidedAt, params)
		}
	case directory.ClaimRefused:
		params["reason"] = c.Reason
		err = r.Auth.Tell(ctx, c.Account, directory.NoteClaimRefused, c.ID, *c.DecidedAt, params)
	}
	if err != nil {
		return doc, err
	}
	return r.Store.Claims.Update(ctx, c.ID, func(now *directory.Claim) error {
		now.Unsettled = now.Unsettled && now.State != c.State
		return nil
	})
}

// grantClaim makes the claimant an owner and tells and, where that was decided,
// removes those who were members before.
func (r *Registry) grantClaim(ctx context.Context, c *directory.Claim, from auth.Client) error {
	if _, err := r.Organization(ctx, c.Organization); err != nil {
		return err
	}
	if err := r.join(ctx, c.DecidedBy, c.Account, c.Organization, directory.Owner, from); err != nil {
		return err
	}
	if err := r.tellOfClaim(ctx, c, directory.NoteClaimedByOther); err != nil {
		return err
	}
	role, err := r.roleIn(ctx, c.Organization, c.Account)
	if err != nil || !c.RemoveMembers || role == "" { // "": the claimant was erased
		return err
	}
	members, err := r.membersBefore(ctx, c)
	if err != nil || len(members) == 0 {
		return err
	}
	return r.leave(ctx, directory.Caller{Account: c.DecidedBy}, c.Organization, members, from)
}

// membersBefore returns the grants of an organization's members without the
// claimant and those who came after the decision, if there is one.
func (r *Registry) membersBefore(ctx context.Context, c *directory.Claim) (out []directory.Grant, err error) {
	members, err := r.Auth.MembersOf(ctx, c.Organization)
	for _, g := range members {
		if g.Account != c.Account && (c.DecidedAt == nil || !g.GrantedAt.After(*c.DecidedAt)) {
			out = append(out, g)
		}
	}
	return out, err
}

// tellOfClaim tells the members of an organization what has become of a claim on it.
func (r *Registry) tellOfClaim(ctx context.Context, c *directory.Claim, kind directory.NotificationKind) error {
	o, err := r.Store.Organizations.Get(ctx, c.Organization)
	if err != nil {
		return err
	}
	at := c.CreatedAt
	if c.DecidedAt != nil {
		at = *c.DecidedAt
	}
	members, err := r.membersBefore(ctx, c)
	for _, g := range members {
		err = errors.Join(err, r.Auth.Tell(ctx, g.Account, kind, c.ID, at, map[string]string{"claim": c.ID, "organization": c.Organization, "name": o.Value.LegalName}))
	}
	return err
}

// moveClaims gives the open claims on an organization its region, so that its
// officials find them.
func (r *Registry) moveClaims(ctx context.Context, o *directory.Organization) error {
	docs, err := r.Store.Claims.All(ctx, store.Where(store.Equal("organization", o.ID), store.Equal("state", string(directory.ClaimOpen))))
	for _, d := range docs {
		_, one := r.Store.Claims.Update(ctx, d.Value.ID, func(c *directory.Claim) error {
			c.Region = o.Region
			return nil
		})
		if directory.KindOf(one) == directory.NotFound { // its account was erased
			continue
		}
		err = errors.Join(err, one)
	}
	return err
}

// Claims returns a page of claims, the oldest first, as a queue has them.
func (r *Registry) Claims(ctx context.Context, s Selection, limit int, after *store.Position) ([]store.Doc[directory.Claim], *store.Position, error) {
	p := store.Pages[directory.Claim]{Collection: r.Store.Claims, Queries: scoped(s)}
	if s.Account != "" {
		own := store.Where(store.Equal("account", s.Account))
		if s.State != "" {
			own.Where = append(own.Where, store.Equal("state", s.State))
		}
		p.Queries = append(p.Queries, own)
	}
	return p.Read(ctx, limit, after)
}
