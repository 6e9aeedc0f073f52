package auth

import (
	"context"

	"qingfu/directory"
	"qingfu/store"
)

// Reseal seals everything anew that is not sealed with the current key, so that
// the keys before it can be put away. It returns the number of documents written
// and may be run again at any time, also beside servers.
func (a *Auth) Reseal(ctx context.Context) (written int, err error) {
	accounts, err := reseal(ctx, a.Store.Accounts, func(d *directory.Account) []sealedField {
		fields := []sealedField{{phonePurpose(d.ID), &d.Phone}}
		if d.SecondFactor != nil {
			fields = append(fields, sealedField{secretPurpose(d.ID), &d.SecondFactor.Secret})
		}
		return fields
	}, a.Keys)
	if err != nil {
		return accounts, err
	}
	keys, err := reseal(ctx, a.Store.SigningKeys, func(d *directory.SigningKey) []sealedField {
		return []sealedField{{signingPurpose(d.ID), &d.Private}}
	}, a.Keys)
	if err != nil {
		return accounts + keys, err
	}
	organizations, err := reseal(ctx, a.Store.Organizations, func(d *directory.Organization) []sealedField {
		return []sealedField{{ContactPurpose(d.ID), &d.ContactPhone}}
	}, a.Keys)
	if err != nil {
		return accounts + keys + organizations, err
	}
	bookings, err := reseal(ctx, a.Store.Bookings, func(d *directory.Booking) []sealedField {
		if d.Contact == "" { // cleared away
			return nil
		}
		return []sealedField{{bookingPurpose(d.ID), &d.Contact}}
	}, a.Keys)
	return accounts + keys + organizations + bookings, err
}

// ContactPurpose ties a sealed contact phone to its organization.
func ContactPurpose(organization string) string { return "contact of organization " + organization }

// sealedField is a sealed field of a document, to be read and replaced.
type sealedField struct {
	purpose string
	value   *string
}

func reseal[T any](ctx context.Context, c *store.Collection[T], fields func(*T) []sealedField, keys *Keyring) (written int, err error) {
	stale := func(d *T) bool {
		for _, f := range fields(d) {
			if !keys.Current(*f.value) {
				return true
			}
		}
		return false
	}
	err = c.Each(ctx, store.Query{}, func(doc *store.Doc[T]) error {
		if !stale(&doc.Value) {
			return nil
		}
		_, err := c.Update(ctx, c.ID(&doc.Value), func(d *T) error {
			for _, f := range fields(d) {
				text, err := keys.Open(f.purpose, *f.value)
				if err != nil {
					return err
				}
				if *f.value, err = keys.Seal(f.purpose, text); err != nil {
					return err
				}
			}
			return nil
		})
		if directory.KindOf(err) == directory.NotFound { // deleted meanwhile
			return nil
		}
		if err == nil {
			written++
		}
		return err
	})
	return written, err
}
