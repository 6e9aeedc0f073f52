package auth

import (
	"context"
	"slices"
	"strings"

	"qingfu/directory"
	"qingfu/store"
)

// grantsOf returns the grants of an account.
func (a *Auth) grantsOf(ctx context.Context, account string) ([]directory.Grant, error) {
	return values(a.Store.Grants.All(ctx, store.Where(store.Equal("account", account))))
}

// Grant gives the owner of a phone a role; somebody without an account gets one.
// The same role in the same scope a second time changes the powers; created
// tells whether it is new. The caller has to have checked that by may grant it;
// by is zero on the command line. It returns Invalid with every wrong field.
func (a *Auth) Grant(ctx context.Context, by directory.Caller, phone string, g directory.Grant, regions *directory.Regions, from Client) (_ directory.Grant, created bool, err error) {
	if err := a.CheckGrant(phone, g, regions); err != nil {
		return g, false, err
	}
	if phone, err = a.parsePhone(phone); err != nil {
		return g, false, err
	}
	account, err := a.accountOf(ctx, phone)
	if err != nil {
		return g, false, err
	}
	g.Account, g.GrantedBy, g.GrantedAt = account.ID, by.Account, a.now()
	g.ID = g.Key()
	slices.SortFunc(g.Powers, func(x, y directory.Power) int { return powerOrder(x) - powerOrder(y) })
	if err := a.Record(ctx, grantEntry(directory.AuditGrant, by, g), from); err != nil {
		return g, false, err
	}
	results, err := a.Store.Grants.Upsert(ctx, []directory.Grant{g})
	if err == nil {
		err = results[0].Err
	}
	if overtaken(err) { // every time, which is not the caller's fault
		err = store.ErrBusy
	}
	if err != nil {
		return g, false, err
	}
	return g, results[0].State == store.Created, a.Notify(ctx, account.ID, directory.NoteGranted, grantParams(g))
}

// CheckGrant returns Invalid with everything that is wrong with a grant to the owner
// of a phone, or nil.
func (a *Auth) CheckGrant(phone string, g directory.Grant, regions *directory.Regions) error {
	_, err := a.parsePhone(phone)
	return directory.Together("grant", err, g.Validate(regions))
}

// GrantTo gives an account the role of a member, which somebody else has decided:
// the caller has to have checked that. A grant that is there is left as it is, so
// that a crash may be followed by doing it again. It returns NotFound when the
// account is gone.
func (a *Auth) GrantTo(ctx context.Context, by directory.Caller, g directory.Grant, from Client) error {
	if _, err := a.Store.Accounts.Get(ctx, g.Account); err != nil {
		return err
	}
	g.ID, g.GrantedBy, g.GrantedAt = g.Key(), by.Account, a.now()
	if _, err := a.Store.Grants.Get(ctx, g.ID); directory.KindOf(err) != directory.NotFound {
		return err
	}
	if err := a.Record(ctx, grantEntry(directory.AuditGrant, by, g), from); err != nil {
		return err
	}
	switch _, err := a.Store.Grants.Insert(ctx, g); {
	case directory.KindOf(err) == directory.Conflict: // somebody else does it just now
		return nil
	case err != nil:
		return err
	}
	return a.Notify(ctx, g.Account, directory.NoteGranted, grantParams(g))
}

func powerOrder(p directory.Power) int {
	return slices.IndexFunc(directory.Powers, func(t directory.Term) bool { return t.Code == string(p) })
}

func grantEntry(action directory.AuditAction, by directory.Caller, g directory.Grant) directory.AuditEntry {
	detail := []string{string(g.Role)}
	for _, p := range g.Powers {
		detail = append(detail, string(p))
	}
	return directory.AuditEntry{
		Action: action, Actor: by.Account, Subject: g.Account, Detail: strings.Join(detail, " "),
		Organization: g.Organization, Bureau: g.Bureau, Region: g.Region,
	}
}

func grantParams(g directory.Grant) map[string]string {
	params := map[string]string{"role": string(g.Role)}
	for name, value := range map[string]string{"organization": g.Organization, "bureau": string(g.Bureau), "region": g.Region} {
		if value != "" {
			params[name] = value
		}
	}
	return params
}

// GetGrant returns a grant, or NotFound.
func (a *Auth) GetGrant(ctx context.Context, id string) (directory.Grant, error) {
	doc, err := a.Store.Grants.Get(ctx, id)
	return doc.Value, err
}

// Revoke takes a grant back, at once. The caller has to have checked that by may
// do so. It returns NotFound when it is not there any more.
func (a *Auth) Revoke(ctx context.Context, by directory.Caller, g directory.Grant, from Client) error {
	if _, err := a.GetGrant(ctx, g.ID); err != nil {
		return err
	}
	if err := a.Record(ctx, grantEntry(directory.AuditRevoke, by, g), from); err != nil {
		return err
	}
	if err := a.Store.Grants.Remove(ctx, g.ID); err != nil { // whoever changes it meanwhile
		return err
	}
	return a.Notify(ctx, g.Account, directory.NoteRevoked, grantParams(g))
}
