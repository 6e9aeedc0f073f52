package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"qingfu/auth"
	"qingfu/directory"
)

// owners returns the grants of an organization's owners that stay.
func (r *Registry) owners(ctx context.Context, o *directory.Organization) ([]directory.Grant, error) {
	members, err := r.Auth.MembersOf(ctx, o.ID)
	return slices.DeleteFunc(members, func(g directory.Grant) bool { return g.Role != directory.Owner || o.Leaves(g.ID) }), err
}

// roleIn returns the role of an account in an organization, "" for none. An owner
// who is also staff is an owner.
func (r *Registry) roleIn(ctx context.Context, organization, account string) (directory.Role, error) {
	for _, role := range []directory.Role{directory.Owner, directory.Staff} {
		g := directory.Grant{Account: account, Role: role, Organization: organization}
		switch _, err := r.Store.Grants.Get(ctx, g.Key()); {
		case err == nil:
			return role, nil
		case directory.KindOf(err) != directory.NotFound:
			return "", err
		}
	}
	return "", nil
}

// Member is somebody who belongs to an organization.
type Member struct {
	Account string
	Name    string
	Phone   string // masked
	Role    directory.Role
	Since   time.Time
}

// Members returns the members of an organization: the owners, then the others,
// each by how long they have been there.
func (r *Registry) Members(ctx context.Context, id string) ([]Member, error) {
	o, err := r.Organization(ctx, id)
	if err != nil {
		return nil, err
	}
	grants, err := r.Auth.MembersOf(ctx, o.Value.ID)
	if err != nil {
		return nil, err
	}
	byAccount := map[string]directory.Grant{}
	ids := []string{}
	for _, g := range grants {
		known, twice := byAccount[g.Account]
		if !twice {
			ids = append(ids, g.Account)
		}
		if !twice || known.Role != directory.Owner {
			byAccount[g.Account] = g
		}
	}
	accounts, err := r.Store.Accounts.GetMany(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]Member, len(accounts))
	for i := range accounts {
		account := &accounts[i].Value
		g := byAccount[account.ID]
		out[i] = Member{Account: account.ID, Name: account.Name, Role: g.Role, Since: g.GrantedAt}
		if out[i].Phone, err = r.Auth.MaskedPhone(account); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(x, y Member) int {
		if x.Role != y.Role {
			return cmp.Compare(string(x.Role), string(y.Role)) // owner, staff
		}
		return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.Account, y.Account))
	})
	return out, nil
}

// RemoveMember takes all roles in an organization from an account. It returns
// NotFound about "member", and Conflict about "last_owner" when nobody would be
// left to look after the organization.
func (r *Registry) RemoveMember(ctx context.Context, by directory.Caller, organization, account string, from auth.Client) error {
	members, err := r.Auth.MembersOf(ctx, organization)
	if err != nil {
		return err
	}
	members = slices.DeleteFunc(members, func(g directory.Grant) bool { return g.Account != account })
	if len(members) == 0 {
		return directory.Missing("member")
	}
	return r.leave(ctx, by, organization, members, from)
}

// Revoke takes a grant back, at once, like [auth.Auth.Revoke], which it is made
// of; but the last owner of an organization stays: Conflict about "last_owner".
func (r *Registry) Revoke(ctx context.Context, by directory.Caller, g directory.Grant, from auth.Client) error {
	if g.Role != directory.Owner {
		return r.Auth.Revoke(ctx, by, g, from)
	}
	return r.leave(ctx, by, g.Organization, []directory.Grant{g}, from)
}

// Grant gives the owner of a phone a role like [auth.Auth.Grant], which it is made
// of; an organization that is not there is Invalid, too. What is being taken back
// is gone before, so that it does not take the new grant with it.
func (r *Registry) Grant(ctx context.Context, by directory.Caller, phone string, g directory.Grant, from auth.Client) (directory.Grant, bool, error) {
	if g.Organization != "" {
		_, err := r.Organization(ctx, g.Organization)
		if directory.KindOf(err) == directory.NotFound {
			unknown := directory.WrongField("grant", "/organization", directory.CodeValue, "/v1/organizations")
			err = directory.Together("grant", r.Auth.CheckGrant(phone, g, r.Regions), unknown)
		}
		if err != nil {
			return g, false, err
		}
	}
	return r.Auth.Grant(ctx, by, phone, g, r.Regions, from)
}

// leave takes grants of an organization back. They are noted in its document
// first, where of two who remove each other at once the second finds the first,
// so that an owner is left.
func (r *Registry) leave(ctx context.Context, by directory.Caller, organization string, grants []directory.Grant, from auth.Client) error {
	if _, err := r.Organization(ctx, organization); directory.KindOf(err) == directory.NotFound {
		// There is nothing that would need an owner.
		for _, g := range grants {
			err = r.takeBack(ctx, directory.Leaving{Grant: g.ID, By: by.Account}, from)
			if err != nil {
				return err
			}
		}
		return nil
	} else if err != nil {
		return err
	}
	doc, err := r.Store.Organizations.Update(ctx, organization, func(o *directory.Organization) error {
		owners, err := r.owners(ctx, o)
		if err != nil {
			return err
		}
		before := len(owners)
		for _, g := range grants {
			owners = slices.DeleteFunc(owners, func(owner directory.Grant) bool { return owner.ID == g.ID })
			if !o.Leaves(g.ID) {
				o.Leaving = append(o.Leaving, directory.Leaving{Grant: g.ID, By: by.Account})
			}
		}
		if len(owners) == 0 && before > 0 {
			return &directory.Error{Kind: directory.Conflict, What: "last_owner"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = r.settle(ctx, doc, from)
	return err
}

// join makes an account a member; one that was erased meanwhile becomes none.
func (r *Registry) join(ctx context.Context, by, account, organization string, role directory.Role, from auth.Client) error {
	g := directory.Grant{Account: account, Role: role, Organization: organization}
	err := r.Auth.GrantTo(ctx, directory.Caller{Account: by}, g, from)
	if directory.KindOf(err) == directory.NotFound {
		return nil
	}
	return err
}

// takeBack revokes a grant that leaves; one that is gone is no error.
func (r *Registry) takeBack(ctx context.Context, l directory.Leaving, from auth.Client) error {
	for range takeBackRounds {
		g, err := r.Auth.GetGrant(ctx, l.Grant)
		if err == nil {
			err = r.Auth.Revoke(ctx, directory.Caller{Account: l.By}, g, from)
		}
		switch directory.KindOf(err) {
		case directory.NotFound:
			return nil
		case directory.Conflict: // it was given again just now
			continue
		}
		return err
	}
	return &directory.Error{Kind: directory.Unavailable, What: "store", Cause: errors.New("a grant changes all the time")}
}

// takeBackRounds is how often a grant is taken back that others keep giving.
const takeBackRounds = 100
