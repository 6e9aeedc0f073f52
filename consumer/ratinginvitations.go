package consumer

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// secretSize is how long the secret of an invitation is, in bytes.
const secretSize = 18

// invitationKept is how long after its end somebody who comes with an invitation is
// told that it has expired.
const invitationKept = 60 * 24 * time.Hour

// InviteToRate makes an invitation to rate a service of a listing that was not booked
// here. Only the owner of the phone can use it, once; the secret is not kept. It
// returns Invalid with every wrong field, and Conflict about "invited" when the phone
// was invited for this listing not long ago, or "invitations_today" when the
// organization has made as many as it can.
func (c *Consumer) InviteToRate(ctx context.Context, caller directory.Caller, listing *directory.Listing, phone string, i directory.RatingInvitation) (_ directory.RatingInvitation, secret string, err error) {
	if err := c.CheckInvitation(listing, phone, i); err != nil {
		return i, "", err
	}
	number, _ := directory.ParsePhone(phone)
	now := c.now()
	i.Listing, i.Organization, i.Kind, i.Region = listing.ID, listing.OrganizationID, listing.Kind, listing.Region
	i.PhoneHash = c.Auth.HashPhone(number)
	i.CreatedBy, i.CreatedAt, i.ExpiresAt = caller.Account, now, now.Add(directory.RatingInvitationLife)
	defer c.lock(i.Organization)() // so that the limits hold when many are made at once
	if err := c.invitable(ctx, &i, 0); err != nil {
		return i, "", err
	}
	random := make([]byte, secretSize)
	if _, err := io.ReadFull(c.Random, random); err != nil {
		return i, "", err
	}
	secret = base64.RawURLEncoding.EncodeToString(random)
	i.ID = c.hashInvitation(secret)
	if _, err = c.Store.RatingInvitations.Insert(ctx, i); err != nil {
		return i, "", err
	}
	// Another server may have made one at the same moment.
	if err := c.invitable(ctx, &i, 1); err != nil {
		return i, "", errors.Join(err, c.Store.RatingInvitations.Remove(ctx, i.ID))
	}
	return i, secret, nil
}

// CheckInvitation returns Invalid with everything that is wrong with an invitation to
// rate, or nil.
func (c *Consumer) CheckInvitation(listing *directory.Listing, phone string, i directory.RatingInvitation) error {
	var wrong error
	if phone == "" {
		wrong = directory.WrongField("phone", "/phone", directory.CodeRequired, "")
	} else if _, ok := directory.ParsePhone(phone); !ok {
		wrong = directory.WrongField("phone", "/phone", directory.CodeFormat, "13800138000")
	}
	return directory.Together("rating invitation", wrong, i.Validate(listing.Kind, c.Now()))
}

func (c *Consumer) hashInvitation(secret string) string {
	return c.Auth.Keys.Hash("rating invitation", secret)
}

// invitable returns Conflict when an invitation cannot be made now.
func (c *Consumer) invitable(ctx context.Context, i *directory.RatingInvitation, made int64) error {
	for what, l := range map[string]struct {
		store.Condition
		since time.Duration
		most  int64
	}{
		"invited":           {store.Equal("invited", i.Listing+" "+i.PhoneHash), directory.RatingInvitationAgain, 1},
		"invitations_today": {store.Equal("organization", i.Organization), 24 * time.Hour, directory.RatingInvitationsADay},
	} {
		groups, err := c.Store.RatingInvitations.Count(ctx, []store.Condition{l.Condition, {Field: "created", Op: store.Min, Value: i.CreatedAt.Add(-l.since).UnixMilli()}})
		if err != nil {
			return err
		}
		if groups[0].N-made >= l.most {
			return &directory.Error{Kind: directory.Conflict, What: what}
		}
	}
	return nil
}

// RatingInvitations returns a page of the invitations of an organization that have not
// long expired, the latest first.
func (c *Consumer) RatingInvitations(ctx context.Context, organization string, limit int, after *store.Position) ([]directory.RatingInvitation, *store.Position, error) {
	docs, next, err := c.Store.RatingInvitations.Find(ctx, store.Query{
		Where: []store.Condition{store.Equal("organization", organization), {Field: "created", Op: store.Min, Value: c.now().Add(-invitationKept - directory.RatingInvitationLife).UnixMilli()}}, Order: "created", Desc: true, Limit: limit, After: after,
	})
	return store.Values(docs), next, err
}

// Invitation returns the invitation of a secret when the caller can rate by it. It
// returns NotFound about "invitation", and Conflict about "invitation_expired" or
// "invitation_phone".
func (c *Consumer) Invitation(ctx context.Context, caller directory.Caller, secret string) (directory.RatingInvitation, error) {
	doc, err := c.Store.RatingInvitations.Get(ctx, c.hashInvitation(secret))
	if err != nil {
		return doc.Value, err
	}
	account, err := c.Store.Accounts.Get(ctx, caller.Account)
	i := &doc.Value
	switch {
	case err != nil:
	case account.Value.PhoneHash != i.PhoneHash:
		err = &directory.Error{Kind: directory.Conflict, What: "invitation_phone"}
	case i.UsedAt == nil && c.now().After(i.ExpiresAt):
		err = &directory.Error{Kind: directory.Conflict, What: "invitation_expired"}
	}
	return *i, err
}

func (c *Consumer) byInvitation(ctx context.Context, caller directory.Caller, secret string) (directory.Rating, error) {
	i, err := c.Invitation(ctx, caller, secret)
	return directory.Rating{Origin: directory.InviteOrigin, Proof: directory.InviteProof(i.ID), Listing: i.Listing, Category: i.Category}, err
}

// markUsed notes that a rating was given by an invitation.
func (c *Consumer) markUsed(ctx context.Context, id string, at time.Time) error {
	_, err := c.Store.RatingInvitations.Update(ctx, id, func(i *directory.RatingInvitation) error {
		if i.UsedAt != nil {
			return store.ErrUnchanged
		}
		i.UsedAt = &at
		return nil
	})
	if directory.KindOf(err) == directory.NotFound {
		return nil
	}
	return err
}

// sweepRatingInvitations forgets to whom invitations went that have long expired. That
// there were some stays: it is what the response is counted from.
func (c *Consumer) sweepRatingInvitations(ctx context.Context) error {
	expired := store.Condition{Field: "forget", Op: store.Less, Value: c.now().Add(-invitationKept).UnixMilli()}
	return c.Store.RatingInvitations.Each(ctx, store.Where(expired, store.Condition{Field: "forget", Op: store.Min, Value: int64(1)}), func(d *store.Doc[directory.RatingInvitation]) error {
		_, err := c.Store.RatingInvitations.Update(ctx, d.Value.ID, func(i *directory.RatingInvitation) error {
			i.PhoneHash = ""
			return nil
		})
		return err
	})
}
