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
	accounts, err := reseal(ctx, a.Store.Accounts, func(d *directory.Account) (string, []sealedField) {
		fields := []sealedField{{phonePurpose(d.ID), &d.Phone}}
		if d.SecondFactor != nil {
			fields = append(fields, sealedField{secretPurpose(d.ID), &d.SecondFactor.Secret})
		}
		return d.ID, fields
	}, a.Keys)
	if err != nil {
		return accounts, err
	}
	keys, err := reseal(ctx, a.Store.SigningKeys, func(d *directory.SigningKey) (string, []sealedField) {
		return d.ID, []sealedField{{signingPurpose(d.ID), &d.Private}}
	}, a.Keys)
	if err != nil {
		return accounts + keys, err
	}
	organizations, err := reseal(ctx, a.Store.Organizations, func(d *directory.Organization) (string, []sealedField) {
		return d.ID, []sealedField{{ContactPurpose(d.ID), &d.ContactPhone}}
	}, a.Keys)
	return accounts + keys + organizations, err
}

// ContactPurpose ties a sealed contact phone to its organization.
func ContactPurpose(organization string) string { return "contact of organization " + organization }

// sealedField is a sealed field of a document, to be read and replaced.
type sealedField struct {
	purpose string
	value   *string
}

func reseal[T any](ctx context.Context, c *store.Collection[T], fields func(*T) (id string, _ []sealedField), keys *Keyring) (written int, err error) {
	stale := func(d *T) bool {
		_, list := fields(d)
		for _, f := range list {
			if !keys.Current(*f.value) {
				return true
			}
		}
		return false
	}
	q := store.Query{Limit: store.MaxLimit}
	for {
		docs, next, err := c.Find(ctx, q)
		if err != nil {
			return written, err
		}
		for i := range docs {
			if !stale(&docs[i].Value) {
				continue
			}
			id, _ := fields(&docs[i].Value)
			_, err := c.Update(ctx, id, func(d *T) error {
				_, list := fields(d)
				for _, f := range list {
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
				continue
			}
			if err != nil {
				return written, err
			}
			written++
		}
		if next == nil {
			return written, nil
		}
		q.After = next
	}
}
