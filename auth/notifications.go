package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// Notify puts a message into somebody's inbox.
func (a *Auth) Notify(ctx context.Context, account string, kind directory.NotificationKind, params map[string]string) error {
	id, err := a.newID()
	if err != nil {
		return err
	}
	_, err = a.Store.Notifications.Insert(ctx, directory.Notification{ID: id, Account: account, Kind: kind, Params: params, At: a.now()})
	return err
}

// Tell puts a message about what happened to a thing at a time into somebody's
// inbox, once: its id follows from these, so that whoever is not sure whether it
// was stored tells it again.
func (a *Auth) Tell(ctx context.Context, account string, kind directory.NotificationKind, thing string, at time.Time, params map[string]string) error {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d", account, kind, thing, at.UnixMilli()))
	id, err := directory.NewID(at, bytes.NewReader(sum[:]))
	if err != nil {
		return err
	}
	_, err = a.Store.Notifications.Insert(ctx, directory.Notification{ID: id, Account: account, Kind: kind, Params: params, At: at})
	if directory.KindOf(err) == directory.Conflict {
		return nil
	}
	return err
}

// TellMembers tells every member of an organization like [Auth.Tell]; of no
// organization there are none.
func (a *Auth) TellMembers(ctx context.Context, organization string, kind directory.NotificationKind, thing string, at time.Time, params map[string]string) error {
	members, err := a.MembersOf(ctx, organization)
	for _, g := range members {
		err = errors.Join(err, a.Tell(ctx, g.Account, kind, thing, at, params))
	}
	return err
}

// MembersOf returns the grants of an organization's members, none for "".
func (a *Auth) MembersOf(ctx context.Context, organization string) ([]directory.Grant, error) {
	if organization == "" {
		return nil, nil
	}
	docs, err := a.Store.Grants.All(ctx, store.Where(store.Equal("organization", organization)))
	return store.Values(docs), err
}

// OfficialsOf returns the grants of the officials of a bureau whose region is exactly
// that one and who have a power, and for the zero scope those of the admins. What a
// scope without officials means is for the caller to decide: it may go up.
func (a *Auth) OfficialsOf(ctx context.Context, s directory.Scope, power directory.Power) ([]directory.Grant, error) {
	role := directory.Official
	if s == (directory.Scope{}) {
		role = directory.Admin
	}
	docs, err := a.Store.Grants.All(ctx, store.Where(store.Equal("role", string(role))))
	return slices.DeleteFunc(store.Values(docs), func(g directory.Grant) bool {
		return g.Scope() != s || role == directory.Official && !slices.Contains(g.Powers, power)
	}), err
}
