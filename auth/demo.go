package auth

import (
	"context"

	"qingfu/directory"
)

// AddDemo makes a demonstration account with roles and, unless secret is empty,
// an authenticator app of that secret. One that is there already is left alone.
func (a *Auth) AddDemo(ctx context.Context, phone, name, secret string, grants []directory.Grant, regions *directory.Regions) error {
	account, err := a.accountOf(ctx, phone)
	if err != nil || account.Name != "" {
		return err
	}
	for _, g := range grants {
		if err := a.CheckGrant(phone, g, regions); err != nil {
			return err
		}
		g.Account = account.ID
		if err := a.GrantTo(ctx, directory.Caller{}, g, Client{}); err != nil { // once, though several servers seed
			return err
		}
	}
	// The name comes last: with it, the account is complete.
	_, err = a.Store.Accounts.Update(ctx, account.ID, func(account *directory.Account) error {
		account.Name = name
		if secret != "" {
			sealed, err := a.Keys.Seal(secretPurpose(account.ID), secret)
			if err != nil {
				return err
			}
			now := a.now()
			account.SecondFactor = &directory.SecondFactor{Secret: sealed, ConfirmedAt: &now}
		}
		return nil
	})
	return err
}
