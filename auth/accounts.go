package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// erasureGrace is how long the owner of an account can change their mind.
const erasureGrace = 30 * 24 * time.Hour

// accountRounds is how often an account is looked for that comes and goes.
const accountRounds = 100

// accountOf returns the account of a phone, which it makes when there is none.
// One whose time has come is none any more.
func (a *Auth) accountOf(ctx context.Context, phone string) (directory.Account, error) {
	hash := a.Keys.Hash("phone", phone)
	for range accountRounds {
		account, err := a.findAccount(ctx, hash)
		if err == nil && account.EraseAt != nil && !account.EraseAt.After(a.Now()) {
			if err := a.erase(ctx, account); err != nil {
				return account, err
			}
			continue
		}
		if directory.KindOf(err) != directory.NotFound {
			return account, err
		}
		now := a.now()
		account = directory.Account{PhoneHash: hash, CreatedAt: now, UpdatedAt: now, Demo: directory.IsDemoPhone(phone)}
		if account.ID, err = a.newID(); err != nil {
			return account, err
		}
		if account.Phone, err = a.Keys.Seal(phonePurpose(account.ID), phone); err != nil {
			return account, err
		}
		_, err = a.Store.Accounts.Insert(ctx, account)
		if directory.KindOf(err) != directory.Conflict { // somebody signs in with this phone just now
			return account, err
		}
	}
	return directory.Account{}, store.ErrBusy
}

// phonePurpose ties a sealed phone to its account.
func phonePurpose(account string) string { return "phone of " + account }

// findAccount returns the account of a phone's hash, or NotFound.
func (a *Auth) findAccount(ctx context.Context, hash string) (directory.Account, error) {
	doc, err := a.Store.Accounts.By(ctx, "phone_hash", hash)
	return doc.Value, err
}

// FindAccount returns the account of a phone. It returns Invalid for a phone
// that cannot be one, and NotFound. It is for the command line only: over the
// API nobody may learn who has an account.
func (a *Auth) FindAccount(ctx context.Context, phone string) (directory.Account, error) {
	phone, err := a.parsePhone(phone)
	if err != nil {
		return directory.Account{}, err
	}
	return a.findAccount(ctx, a.Keys.Hash("phone", phone))
}

// MaskedPhone returns the phone of an account as answers may show it.
func (a *Auth) MaskedPhone(account *directory.Account) (string, error) {
	phone, err := a.Keys.Open(phonePurpose(account.ID), account.Phone)
	return directory.MaskPhone(phone), err
}

// MaskedPhones returns the phones of accounts, by their ids, as answers may show
// them; accounts that are gone have none.
func (a *Auth) MaskedPhones(ctx context.Context, ids ...string) (map[string]string, error) {
	docs, err := a.Store.Accounts.GetMany(ctx, ids...)
	if err != nil {
		return nil, err
	}
	phones := make(map[string]string, len(docs))
	for i := range docs {
		account := &docs[i].Value
		if phones[account.ID], err = a.MaskedPhone(account); err != nil {
			return nil, err
		}
	}
	return phones, nil
}

// UpdateAccount stores what the owner of an account has changed in the version
// that they saw. It returns Invalid, or Precondition when another version is
// stored by now.
func (a *Auth) UpdateAccount(ctx context.Context, version int64, account directory.Account) (store.Doc[directory.Account], error) {
	stored, err := a.Store.Accounts.Get(ctx, account.ID)
	if err != nil {
		return store.Doc[directory.Account]{}, err
	}
	for i := range account.Family {
		m := &account.Family[i]
		known := slices.ContainsFunc(stored.Value.Family, func(k directory.FamilyMember) bool { return k.ID == m.ID })
		if m.ID == "" {
			if m.ID, err = a.newID(); err != nil {
				return store.Doc[directory.Account]{}, err
			}
		} else if !known { // an id is ours to give
			return store.Doc[directory.Account]{}, directory.InvalidFields("account", []directory.FieldError{
				{Pointer: fmt.Sprintf("/family/%d/id", i), Code: directory.CodeValue},
			})
		}
	}
	if err := account.Validate(a.Now()); err != nil {
		return store.Doc[directory.Account]{}, err
	}
	account.UpdatedAt = a.now()
	doc, err := a.Store.Accounts.Replace(ctx, version, account)
	if directory.KindOf(err) == directory.Conflict {
		err = &directory.Error{Kind: directory.Precondition, What: "account", Cause: err}
	}
	return doc, err
}

// Erase begins to erase the caller's account: every session ends, and after 30
// days it is gone unless [Auth.Restore] is called. It returns when that will be.
func (a *Auth) Erase(ctx context.Context, caller directory.Caller, from Client) (time.Time, error) {
	if err := a.recordFor(ctx, caller.Account, directory.AuditEntry{Action: directory.AuditErasure, Actor: caller.Account, Subject: caller.Account, Detail: "asked for"}, from); err != nil {
		return time.Time{}, err
	}
	doc, err := a.Store.Accounts.Update(ctx, caller.Account, func(account *directory.Account) error {
		if account.EraseAt == nil { // asking again puts nothing off
			at := a.now().Add(erasureGrace)
			account.EraseAt = &at
		}
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	account := doc.Value
	err = a.Notify(ctx, account.ID, directory.NoteErasure, map[string]string{"on": string(directory.DateOf(*account.EraseAt))})
	return *account.EraseAt, errors.Join(err, a.endAll(ctx, account.ID))
}

// endAll ends every session of an account.
func (a *Auth) endAll(ctx context.Context, account string) error {
	sessions, err := a.Sessions(ctx, account)
	for _, s := range sessions {
		err = errors.Join(err, a.end(ctx, s.ID))
	}
	return err
}

// Restore keeps an account that was about to be erased. It returns Conflict when
// its time has come.
func (a *Auth) Restore(ctx context.Context, caller directory.Caller, from Client) error {
	if err := a.recordFor(ctx, caller.Account, directory.AuditEntry{Action: directory.AuditErasure, Actor: caller.Account, Subject: caller.Account, Detail: "called off"}, from); err != nil {
		return err
	}
	_, err := a.Store.Accounts.Update(ctx, caller.Account, func(account *directory.Account) error {
		if account.EraseAt != nil && !account.EraseAt.After(a.Now()) {
			return &directory.Error{Kind: directory.Conflict, What: "account"}
		}
		account.EraseAt = nil
		return nil
	})
	return err
}

// eraseDue erases the accounts whose time has come.
func (a *Auth) eraseDue(ctx context.Context) error {
	docs, err := a.Store.Accounts.All(ctx, store.Query{Where: []store.Condition{
		{Field: "erase", Op: store.Min, Value: int64(1)}, {Field: "erase", Op: store.Less, Value: a.Now().UnixMilli()},
	}})
	for _, d := range docs {
		err = errors.Join(err, a.erase(ctx, d.Value))
	}
	return err
}

// erase deletes an account with all that is its own. The account goes last, so
// that an erasure that was interrupted is found again and finished.
func (a *Auth) erase(ctx context.Context, account directory.Account) (err error) {
	defer directory.Wrap(&err, "erase account %s", account.ID)
	of := store.Where(store.Equal("account", account.ID))
	if err := a.Record(ctx, directory.AuditEntry{Action: directory.AuditErasure, Subject: account.ID, Detail: "done"}, Client{}); err != nil {
		return err
	}
	if err := errors.Join(
		a.Store.Sessions.RemoveAll(ctx, of),
		a.Store.Grants.RemoveAll(ctx, of),
		a.Store.Favourites.RemoveAll(ctx, of),
		a.Store.Notifications.RemoveAll(ctx, of),
		a.Store.Claims.RemoveAll(ctx, of),
		a.Store.Votes.RemoveAll(ctx, of),
		forget(ctx, a.Store.Bookings, of, a.now(), (*directory.Booking).Forget),
		forget(ctx, a.Store.Ratings, of, a.now(), (*directory.Rating).Forget),
		forget(ctx, a.Store.Complaints, of, a.now(), (*directory.Complaint).Forget),
		forget(ctx, a.Store.APIKeys, of, a.now(), (*directory.APIKey).Forget),
		a.Store.PhoneCodes.Remove(ctx, account.PhoneHash),
	); err != nil {
		return err
	}
	if err := a.Store.Accounts.Remove(ctx, account.ID); err != nil {
		return err
	}
	// Whoever signed in meanwhile has a session of nobody.
	return a.Store.Sessions.RemoveAll(ctx, of)
}

// forget takes what tells of a person out of documents that stay because others
// have a part in them.
func forget[T any](ctx context.Context, c *store.Collection[T], of store.Query, now time.Time, change func(*T, time.Time) bool) error {
	return c.Each(ctx, of, func(d *store.Doc[T]) error {
		_, err := c.Update(ctx, c.ID(&d.Value), func(v *T) error {
			change(v, now)
			return nil
		})
		return err
	})
}

// Belongings is all that is kept about the owner of an account, and by them.
type Belongings struct {
	Account       directory.Account
	Grants        []directory.Grant
	Sessions      []directory.Session
	Favourites    []directory.Favourite
	Notifications []directory.Notification
	Claims        []directory.Claim
	Bookings      []directory.Booking
	Ratings       []directory.Rating
	Complaints    []directory.Complaint
	Audit         []directory.AuditEntry // what they did last, the newest first
	Shortened     bool                   // whether there is more of it than exportedAudit
}

// exportedAudit is how many lines of the audit log an export has.
const exportedAudit = 1000

// Export returns everything that belongs to the caller (PIPL, article 45).
func (a *Auth) Export(ctx context.Context, caller directory.Caller) (Belongings, error) {
	of := func(field string) store.Query {
		return store.Where(store.Equal(field, caller.Account))
	}
	var b Belongings
	account, err := a.Store.Accounts.Get(ctx, caller.Account)
	if err != nil {
		return b, err
	}
	b.Account, b.Grants = account.Value, caller.Grants
	var errs [8]error
	b.Sessions, errs[0] = a.Sessions(ctx, caller.Account)
	b.Favourites, errs[1] = values(a.Store.Favourites.All(ctx, of("account")))
	b.Notifications, errs[2] = values(a.Store.Notifications.All(ctx, of("account")))
	b.Claims, errs[4] = values(a.Store.Claims.All(ctx, of("account")))
	b.Ratings, errs[6] = values(a.Store.Ratings.All(ctx, of("account")))
	b.Bookings, errs[5] = values(a.Store.Bookings.All(ctx, of("account")))
	b.Complaints, errs[7] = values(a.Store.Complaints.All(ctx, of("account")))
	lines := of("actor")
	lines.Desc, lines.Limit = true, exportedAudit
	audit, more, err := a.Store.Audit.Find(ctx, lines)
	b.Audit, errs[3] = values(audit, err)
	b.Shortened = more != nil
	return b, errors.Join(errs[:]...)
}

func values[T any](docs []store.Doc[T], err error) ([]T, error) { return store.Values(docs), err }

// HashPhone returns the keyed hash of a number by which its account is found.
func (a *Auth) HashPhone(phone string) string { return a.Keys.Hash("phone", phone) }
