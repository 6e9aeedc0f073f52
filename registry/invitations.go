package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

const (
	invitationLife = 7 * 24 * time.Hour
	// invitationKept is how long after its end somebody who comes with an
	// invitation is told that it has expired or was used.
	invitationKept = 30 * 24 * time.Hour
	maxInvitations = 50 // open ones of an organization
	secretSize     = 32 // bytes
)

// hashInvitation returns the id of the invitation of a secret.
func (r *Registry) hashInvitation(secret string) string {
	return r.Auth.Keys.Hash("invitation", secret)
}

// Invite makes an invitation to an organization. The secret, which lets whoever
// has it join, is not kept. It returns Conflict about "invitations" when there are
// as many open ones as there can be.
func (r *Registry) Invite(ctx context.Context, caller directory.Caller, organization directory.Organization, role directory.Role, from auth.Client) (_ directory.Invitation, secret string, err error) {
	open, err := r.Invitations(ctx, organization.ID)
	if err != nil {
		return directory.Invitation{}, "", err
	}
	if len(open) >= maxInvitations {
		return directory.Invitation{}, "", &directory.Error{Kind: directory.Conflict, What: "invitations"}
	}
	random := make([]byte, secretSize)
	if _, err := io.ReadFull(r.Random, random); err != nil {
		return directory.Invitation{}, "", err
	}
	secret = base64.RawURLEncoding.EncodeToString(random)
	now := r.now()
	i := directory.Invitation{
		ID: r.hashInvitation(secret), Organization: organization.ID, Role: role, InvitedBy: caller.Account, CreatedAt: now, ExpiresAt: now.Add(invitationLife),
	}
	if err := r.noteInvitation(ctx, caller, &i, "created "+string(role), from); err != nil {
		return i, "", err
	}
	_, err = r.Store.Invitations.Insert(ctx, i)
	return i, secret, err
}

func (r *Registry) noteInvitation(ctx context.Context, caller directory.Caller, i *directory.Invitation, detail string, from auth.Client) error {
	return r.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditInvitation, Actor: caller.Account, Subject: i.ID, Detail: detail, Organization: i.Organization,
	}, from)
}

// Invitations returns the open invitations of an organization, the latest first.
func (r *Registry) Invitations(ctx context.Context, organization string) ([]directory.Invitation, error) {
	docs, err := r.Store.Invitations.All(ctx, store.Where(store.Equal("organization", organization)))
	out := []directory.Invitation{}
	for i := range docs {
		if v := docs[i].Value; v.AcceptedBy == "" && v.ExpiresAt.After(r.Now()) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(x, y directory.Invitation) int { return y.CreatedAt.Compare(x.CreatedAt) })
	return out, err
}

// WithdrawInvitation deletes an open invitation of an organization. It returns
// NotFound when there is none, also because somebody has just accepted it.
func (r *Registry) WithdrawInvitation(ctx context.Context, caller directory.Caller, organization, id string, from auth.Client) error {
	for {
		doc, err := r.Store.Invitations.Get(ctx, id)
		if err != nil {
			return err
		}
		if doc.Value.Organization != organization || doc.Value.AcceptedBy != "" {
			return directory.Missing("invitation")
		}
		if err := r.noteInvitation(ctx, caller, &doc.Value, "withdrawn", from); err != nil {
			return err
		}
		err = r.Store.Invitations.Delete(ctx, id, doc.Version)
		if directory.KindOf(err) != directory.Conflict {
			return err
		}
		// It was accepted since it was read, which happens once.
	}
}

// Accept makes the caller a member by the secret of an invitation, which works
// once. It returns NotFound for one that is none, or whose sender may not invite
// any more, and Conflict about "invitation_used", "invitation_expired", or
// "member" when the caller has the role already, which uses nothing up.
func (r *Registry) Accept(ctx context.Context, caller directory.Caller, secret string, from auth.Client) (directory.Invitation, error) {
	id := r.hashInvitation(secret)
	doc, err := r.Store.Invitations.Get(ctx, id)
	if err != nil {
		return doc.Value, err
	}
	if err := r.acceptable(ctx, caller, &doc.Value, from); err != nil {
		return doc.Value, err
	}
	if err := r.noteInvitation(ctx, caller, &doc.Value, "accepted "+string(doc.Value.Role), from); err != nil {
		return doc.Value, err
	}
	now := r.now()
	doc, err = r.Store.Invitations.Update(ctx, id, func(i *directory.Invitation) error {
		if i.AcceptedBy != "" {
			return &directory.Error{Kind: directory.Conflict, What: "invitation_used"}
		}
		i.AcceptedBy, i.AcceptedAt, i.Unsettled = caller.Account, &now, true
		return nil
	})
	if err != nil {
		return doc.Value, err
	}
	return doc.Value, r.settleInvitation(ctx, doc.Value, from)
}

// acceptable tells why an invitation cannot be accepted.
func (r *Registry) acceptable(ctx context.Context, caller directory.Caller, i *directory.Invitation, from auth.Client) error {
	switch {
	case i.AcceptedBy != "":
		if err := r.settleInvitation(ctx, *i, from); err != nil { // there may have been a crash
			return err
		}
		return &directory.Error{Kind: directory.Conflict, What: "invitation_used"}
	case !i.ExpiresAt.After(r.Now()):
		return &directory.Error{Kind: directory.Conflict, What: "invitation_expired"}
	}
	if may, err := r.mayInvite(ctx, i); err != nil || !may {
		if err == nil {
			err = directory.Missing("invitation")
		}
		return err
	}
	switch role, err := r.roleIn(ctx, i.Organization, caller.Account); {
	case err != nil:
		return err
	case role == directory.Owner || role == i.Role:
		return &directory.Error{Kind: directory.Conflict, What: "member"}
	}
	return nil
}

// mayInvite tells whether the sender of an invitation may still invite: an owner
// who was removed must not come back by an invitation kept for that.
func (r *Registry) mayInvite(ctx context.Context, i *directory.Invitation) (bool, error) {
	owner := directory.Grant{Account: i.InvitedBy, Role: directory.Owner, Organization: i.Organization}
	admin := directory.Grant{Account: i.InvitedBy, Role: directory.Admin}
	docs, err := r.Store.Grants.GetMany(ctx, owner.Key(), admin.Key())
	return len(docs) > 0, err
}

// settleInvitation makes whoever has accepted an invitation a member; like settle.
func (r *Registry) settleInvitation(ctx context.Context, i directory.Invitation, from auth.Client) error {
	if !i.Unsettled {
		return nil
	}
	if _, err := r.Organization(ctx, i.Organization); err != nil && directory.KindOf(err) != directory.NotFound {
		return err // what is being taken back would take the new grant with it
	}
	if err := r.join(ctx, i.InvitedBy, i.AcceptedBy, i.Organization, i.Role, from); err != nil {
		return err
	}
	_, err := r.Store.Invitations.Update(ctx, i.ID, func(now *directory.Invitation) error {
		now.Unsettled = false
		return nil
	})
	return err
}

// sweepInvitations deletes invitations that have long expired.
func (r *Registry) sweepInvitations(ctx context.Context) error {
	docs, err := r.Store.Invitations.All(ctx, store.Where(store.Condition{Field: "expires", Op: store.Less, Value: r.Now().Add(-invitationKept).UnixMilli()}))
	for _, d := range docs {
		if !d.Value.Unsettled {
			err = errors.Join(err, r.Store.Invitations.Remove(ctx, d.Value.ID))
		}
	}
	return err
}
