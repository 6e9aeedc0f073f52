package store

import (
	"context"
	"time"

	"qingfu/directory"
)

// Store is the program's collections, all that it keeps.
type Store struct {
	Listings      *Collection[directory.Listing]
	Accounts      *Collection[directory.Account]
	Grants        *Collection[directory.Grant]
	Sessions      *Collection[directory.Session]
	PhoneCodes    *Collection[directory.PhoneCode]
	SigningKeys   *Collection[directory.SigningKey]
	Favourites    *Collection[directory.Favourite]
	Notifications *Collection[directory.Notification]
	Audit         *Collection[directory.AuditEntry] // append-only
	Windows       *Collection[Window]
	Meta          *Collection[Mark]
}

// Window counts the requests of one caller when several servers share the
// count. It is not used by a server on its own.
type Window struct {
	ID     string    `json:"id"`     // class and caller
	Start  time.Time `json:"start"`  // of the window that Count is of
	Count  int64     `json:"count"`  // requests handed out in this window
	Before int64     `json:"before"` // in the one before
	Ends   time.Time `json:"ends"`   // when neither matters any more
}

// Mark is a small fact that the program notes about its own data, such as
// which seed it has loaded.
type Mark struct {
	Name  string    `json:"name"` // its id, such as "seed"
	Value string    `json:"value"`
	At    time.Time `json:"at"`
}

// New declares all collections and returns them. The engine stays the caller's
// to close.
func New(ctx context.Context, engine Engine) (*Store, error) {
	s := &Store{
		Listings: &Collection[directory.Listing]{
			name: "listings", item: "listing",
			id: func(l *directory.Listing) string { return l.ID },
			fields: []FieldOf[directory.Listing]{
				{"kind", String, func(l *directory.Listing) any { return string(l.Kind) }},
				// The code of the narrowest division: those of a wider one are a range.
				{"region", String, func(l *directory.Listing) any { return l.Region }},
				{"status", String, func(l *directory.Listing) any { return string(l.Status) }},
				{"demo", Int, func(l *directory.Listing) any { return flag(l.Demo) }},
				{"origin", String, func(l *directory.Listing) any { return string(l.Provenance.Origin) }},
				{"updated", Int, func(l *directory.Listing) any { return l.UpdatedAt.UnixMilli() }},
			},
			indexes: []Index{
				{Fields: []string{"kind", "region"}}, // the listings of a region by kind, and counts of them
				{Fields: []string{"status", "updated"}},
				{Fields: []string{"demo", "origin"}}, // whether any demonstration data is there
			},
		},
		Accounts: &Collection[directory.Account]{
			name: "accounts", item: "account",
			id: func(a *directory.Account) string { return a.ID },
			fields: []FieldOf[directory.Account]{
				{"phone_hash", String, func(a *directory.Account) any { return a.PhoneHash }},
				{"erase", Int, func(a *directory.Account) any { return millis(a.EraseAt) }},
				{"demo", Int, func(a *directory.Account) any { return flag(a.Demo) }},
			},
			indexes: []Index{
				{Fields: []string{"phone_hash"}, Unique: true},
				{Fields: []string{"erase"}},
				{Fields: []string{"demo"}},
			},
		},
		Grants: &Collection[directory.Grant]{
			name: "grants", item: "grant",
			id: func(g *directory.Grant) string { return g.ID },
			fields: []FieldOf[directory.Grant]{
				{"account", String, func(g *directory.Grant) any { return g.Account }},
				{"role", String, func(g *directory.Grant) any { return string(g.Role) }},
				{"organization", String, func(g *directory.Grant) any { return g.Organization }},
			},
			indexes: []Index{{Fields: []string{"account"}}, {Fields: []string{"role"}}, {Fields: []string{"organization"}}},
		},
		Sessions: &Collection[directory.Session]{
			name: "sessions", item: "session",
			id: func(s *directory.Session) string { return s.ID },
			fields: []FieldOf[directory.Session]{
				{"account", String, func(s *directory.Session) any { return s.Account }},
				{"expires", Int, func(s *directory.Session) any { return s.ExpiresAt.UnixMilli() }},
			},
			indexes: []Index{{Fields: []string{"account"}}, {Fields: []string{"expires"}}},
		},
		PhoneCodes: &Collection[directory.PhoneCode]{
			name: "phone_codes", item: "code",
			id: func(c *directory.PhoneCode) string { return c.PhoneHash },
			fields: []FieldOf[directory.PhoneCode]{
				{"keep", Int, func(c *directory.PhoneCode) any { return c.KeepUntil.UnixMilli() }},
			},
			indexes: []Index{{Fields: []string{"keep"}}},
		},
		SigningKeys: &Collection[directory.SigningKey]{
			name: "signing_keys", item: "key",
			id: func(k *directory.SigningKey) string { return k.ID },
		},
		Favourites: &Collection[directory.Favourite]{
			name: "favourites", item: "favourite",
			id: func(f *directory.Favourite) string { return f.Key() },
			fields: []FieldOf[directory.Favourite]{
				{"account", String, func(f *directory.Favourite) any { return f.Account }},
				{"added", Int, func(f *directory.Favourite) any { return f.AddedAt.UnixMilli() }},
			},
			indexes: []Index{{Fields: []string{"account", "added"}}},
		},
		Notifications: &Collection[directory.Notification]{
			name: "notifications", item: "notification",
			id: func(n *directory.Notification) string { return n.ID },
			fields: []FieldOf[directory.Notification]{
				{"account", String, func(n *directory.Notification) any { return n.Account }},
				{"unread", Int, func(n *directory.Notification) any { return flag(n.ReadAt == nil) }},
			},
			indexes: []Index{{Fields: []string{"account"}}, {Fields: []string{"account", "unread"}}},
		},
		Audit: &Collection[directory.AuditEntry]{
			name: "audit", item: "audit entry", appendOnly: true,
			id: func(e *directory.AuditEntry) string { return e.ID },
			fields: []FieldOf[directory.AuditEntry]{
				{"actor", String, func(e *directory.AuditEntry) any { return e.Actor }},
				{"subject", String, func(e *directory.AuditEntry) any { return e.Subject }},
				{"action", String, func(e *directory.AuditEntry) any { return string(e.Action) }},
				{"organization", String, func(e *directory.AuditEntry) any { return e.Organization }},
				{"bureau", String, func(e *directory.AuditEntry) any { return string(e.Bureau) }},
				{"region", String, func(e *directory.AuditEntry) any { return e.Region }},
			},
			indexes: []Index{{Fields: []string{"actor"}}, {Fields: []string{"subject"}}, {Fields: []string{"bureau", "region"}}},
		},
		Windows: &Collection[Window]{
			name: "windows", item: "window",
			id:      func(w *Window) string { return w.ID },
			fields:  []FieldOf[Window]{{"ends", Int, func(w *Window) any { return w.Ends.UnixMilli() }}},
			indexes: []Index{{Fields: []string{"ends"}}},
		},
		Meta: &Collection[Mark]{
			name: "meta", item: "mark",
			id: func(m *Mark) string { return m.Name },
		},
	}
	for _, c := range []interface {
		declare(context.Context, Engine) error
	}{
		s.Listings, s.Accounts, s.Grants, s.Sessions, s.PhoneCodes, s.SigningKeys,
		s.Favourites, s.Notifications, s.Audit, s.Windows, s.Meta,
	} {
		if err := c.declare(ctx, engine); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// millis is a time that may not be set, which counts as 0.
func millis(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMilli()
}
