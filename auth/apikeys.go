package auth

import (
	"context"
	"crypto/hmac"
	"errors"

	"qingfu/directory"
	"qingfu/store"
)

// errBadKey is the answer to what is no key, or none that was given out.
var errBadKey = &directory.Error{Kind: directory.Unauthenticated, What: "api_key"}

// CreateAPIKey makes a key for a bureau and a region, and returns its text, which is
// known to nobody afterwards but to whoever keeps it. The caller has to have checked
// that by may give away what the key reads. It returns Invalid with every wrong field.
func (a *Auth) CreateAPIKey(ctx context.Context, by directory.Caller, k directory.APIKey, regions *directory.Regions, from Client) (_ directory.APIKey, text string, err error) {
	k.CreatedBy, k.CreatedAt = by.Account, a.now()
	if err := k.Validate(regions, k.CreatedAt); err != nil {
		return k, "", err
	}
	k.Name, _ = directory.MaskPersonal(k.Name)
	k.ExpiresAt = k.ExpiresAt.UTC()
	if k.ID, err = a.newID(); err != nil {
		return k, "", err
	}
	secret, err := a.random(16)
	if err != nil {
		return k, "", err
	}
	if text, err = directory.APIKeyText(k.ID, [16]byte(secret)); err != nil {
		return k, "", err
	}
	k.Hash = a.hashAPIKey(text)
	if err := a.Record(ctx, apiKeyEntry(directory.AuditAPIKey, by.Account, &k, "made"), from); err != nil {
		return k, "", err
	}
	_, err = a.Store.APIKeys.Insert(ctx, k)
	return k, text, err
}

func (a *Auth) hashAPIKey(text string) string { return a.Keys.Hash("api key", text) }

func apiKeyEntry(action directory.AuditAction, actor string, k *directory.APIKey, detail string) directory.AuditEntry {
	return directory.AuditEntry{Action: action, Actor: actor, Subject: k.ID, Detail: detail, Bureau: k.Bureau, Region: k.Region}
}

// AuthenticateKey returns the key that a text is, and notes that it was used. It
// returns Unauthenticated about "api_key" for what is none, and as
// [directory.APIKey.Usable] does for one that is not good any more.
func (a *Auth) AuthenticateKey(ctx context.Context, text string, from Client) (directory.APIKey, error) {
	id, ok := directory.ParseAPIKey(text)
	if !ok {
		return directory.APIKey{}, errBadKey
	}
	doc, err := a.Store.APIKeys.Get(ctx, id)
	k := doc.Value
	switch {
	case directory.KindOf(err) == directory.NotFound:
		return directory.APIKey{}, errBadKey
	case err != nil:
		return directory.APIKey{}, err
	case !hmac.Equal([]byte(a.hashAPIKey(text)), []byte(k.Hash)):
		return directory.APIKey{}, errBadKey
	}
	// Whoever has the right text may know why it is not good any more.
	if err := k.Usable(a.Now()); err != nil {
		return directory.APIKey{}, err
	}
	if changed, _ := k.Use(a.now()); !changed {
		return k, nil
	}
	return k, a.noteUse(ctx, id, from)
}

// noteUse notes the use of a key, and in the audit log the first one of a day. Of
// several requests at once one does so; the others wait for it and find it done.
func (a *Auth) noteUse(ctx context.Context, id string, from Client) error {
	a.using.Lock()
	defer a.using.Unlock()
	doc, err := a.Store.APIKeys.Get(ctx, id)
	if err != nil {
		return err
	}
	k, now := doc.Value, a.now()
	changed, first := k.Use(now)
	if first {
		if err := a.Record(ctx, apiKeyEntry(directory.AuditAPIKeyUsed, "", &k, ""), from); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	_, err = a.Store.APIKeys.Update(ctx, id, func(k *directory.APIKey) error {
		if changed, _ := k.Use(now); !changed {
			return store.ErrUnchanged
		}
		return nil
	})
	return err
}

// APIKeys returns a page of the keys within scopes, the newest first.
func (a *Auth) APIKeys(ctx context.Context, scopes []directory.Scope, limit int, after *store.Position) ([]directory.APIKey, *store.Position, error) {
	p := store.Pages[directory.APIKey]{Collection: a.Store.APIKeys, Desc: true}
	for _, s := range scopes {
		p.Queries = append(p.Queries, store.InScope(s))
	}
	docs, next, err := p.Read(ctx, limit, after)
	return store.Values(docs), next, err
}

// GetAPIKey returns a key, or NotFound.
func (a *Auth) GetAPIKey(ctx context.Context, id string) (directory.APIKey, error) {
	doc, err := a.Store.APIKeys.Get(ctx, id)
	return doc.Value, err
}

// RevokeAPIKey ends a key, at once; doing so again changes nothing. The caller has to
// have checked that by may do so. It returns NotFound.
func (a *Auth) RevokeAPIKey(ctx context.Context, by directory.Caller, id string, from Client) error {
	k, err := a.GetAPIKey(ctx, id)
	if err != nil || k.RevokedAt != nil {
		return err
	}
	if err := a.Record(ctx, apiKeyEntry(directory.AuditAPIKey, by.Account, &k, "revoked"), from); err != nil {
		return err
	}
	_, err = a.Store.APIKeys.Update(ctx, id, func(k *directory.APIKey) error {
		if !k.Revoke(by.Account, a.now()) {
			return store.ErrUnchanged
		}
		return nil
	})
	return err
}

// warnOfAPIKeys tells whoever has made a key that it is about to expire, once.
func (a *Auth) warnOfAPIKeys(ctx context.Context) error {
	docs, err := a.Store.APIKeys.All(ctx, store.Where(
		store.Condition{Field: "warn", Op: store.Min, Value: int64(1)}, store.Condition{Field: "warn", Op: store.Less, Value: a.Now().UnixMilli()},
	))
	for _, d := range docs {
		err = errors.Join(err, a.warnOfAPIKey(ctx, d.Value))
	}
	return err
}

func (a *Auth) warnOfAPIKey(ctx context.Context, k directory.APIKey) error {
	err := a.Tell(ctx, k.CreatedBy, directory.NoteAPIKeyExpires, k.ID, *k.WarnAt(), map[string]string{
		"key": k.ID, "name": k.Name, "on": string(directory.DateOf(k.ExpiresAt)),
	})
	if err != nil {
		return err
	}
	now := a.now()
	_, err = a.Store.APIKeys.Update(ctx, k.ID, func(k *directory.APIKey) error {
		k.WarnedAt = &now
		return nil
	})
	return err
}
