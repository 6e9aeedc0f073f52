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
	Organizations *Collection[directory.Organization]
	Claims        *Collection[directory.Claim]
	Invitations   *Collection[directory.Invitation]
	Proposals     *Collection[directory.Proposal]
	Revisions     *Collection[directory.Revision] // append-only
	Reports       *Collection[directory.Report]
	Imports       *Collection[directory.Import]
	Files         *Collection[directory.FileChunk]
	Photos        *Collection[directory.StoredPhoto]

	Bookings          *Collection[directory.Booking]
	BookingCalendars  *Collection[directory.BookingCalendar]
	Ratings           *Collection[directory.Rating]
	RatingInvitations *Collection[directory.RatingInvitation]
	Votes             *Collection[directory.Vote]
	Complaints        *Collection[directory.Complaint]
	APIKeys           *Collection[directory.APIKey]

	Returns *Collection[directory.Return]

	BulletinDrafts *Collection[directory.Bulletin] // one of a period
	Bulletins      *Collection[directory.Bulletin] // the published ones; append-only

	Windows *Collection[Window]
	Meta    *Collection[Mark]

	engine Engine
	names  []string // of all collections
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
		engine: engine,
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
				{"organization", String, func(l *directory.Listing) any { return l.OrganizationID }},
				{"external", String, func(l *directory.Listing) any { return l.ExternalID }},
				{"due", Int, func(l *directory.Listing) any { return millis(l.ReviewDueAt) }},
			},
			indexes: []Index{
				{Fields: []string{"organization", "external"}},
				{Fields: []string{"due"}},
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
			indexes: []Index{{Fields: []string{"actor"}}, {Fields: []string{"subject"}}, {Fields: []string{"action"}}, {Fields: []string{"bureau", "region"}}},
		},
		Organizations: &Collection[directory.Organization]{
			name: "organizations", item: "organization",
			id: func(o *directory.Organization) string { return o.ID },
			fields: []FieldOf[directory.Organization]{
				{"credit_code", String, func(o *directory.Organization) any { return string(o.CreditCode) }},
				{"state", String, func(o *directory.Organization) any { return string(o.State) }},
				{"region", String, func(o *directory.Organization) any { return o.Region }},
				{"demo", Int, func(o *directory.Organization) any { return flag(o.Demo) }},
				{"unsettled", Int, func(o *directory.Organization) any { return flag(o.Unsettled()) }},
			},
			indexes: []Index{
				{Fields: []string{"credit_code"}, Unique: true},
				{Fields: []string{"state", "region"}},
				{Fields: []string{"demo"}},
				{Fields: []string{"unsettled"}},
			},
		},
		Claims: &Collection[directory.Claim]{
			name: "claims", item: "claim",
			id: func(c *directory.Claim) string { return c.ID },
			fields: []FieldOf[directory.Claim]{
				{"state", String, func(c *directory.Claim) any { return string(c.State) }},
				{"region", String, func(c *directory.Claim) any { return c.Region }},
				{"organization", String, func(c *directory.Claim) any { return c.Organization }},
				{"account", String, func(c *directory.Claim) any { return c.Account }},
				// Of one account and organization there is one open claim.
				{"current", String, func(c *directory.Claim) any {
					if c.State == directory.ClaimOpen {
						return c.Account + "." + c.Organization
					}
					return c.ID
				}},
				{"unsettled", Int, func(c *directory.Claim) any { return flag(c.Unsettled) }},
			},
			indexes: []Index{
				{Fields: []string{"state", "region"}},
				{Fields: []string{"organization", "account"}},
				{Fields: []string{"account"}},
				{Fields: []string{"current"}, Unique: true},
				{Fields: []string{"unsettled"}},
			},
		},
		Invitations: &Collection[directory.Invitation]{
			name: "invitations", item: "invitation",
			id: func(i *directory.Invitation) string { return i.ID },
			fields: []FieldOf[directory.Invitation]{
				{"organization", String, func(i *directory.Invitation) any { return i.Organization }},
				{"expires", Int, func(i *directory.Invitation) any { return i.ExpiresAt.UnixMilli() }},
				{"unsettled", Int, func(i *directory.Invitation) any { return flag(i.Unsettled) }},
			},
			indexes: []Index{{Fields: []string{"organization"}}, {Fields: []string{"expires"}}, {Fields: []string{"unsettled"}}},
		},
		Proposals: &Collection[directory.Proposal]{
			name: "proposals", item: "proposal",
			id: func(p *directory.Proposal) string { return p.ID },
			fields: []FieldOf[directory.Proposal]{
				{"organization", String, func(p *directory.Proposal) any { return p.Organization }},
				{"state", String, func(p *directory.Proposal) any { return string(p.State) }},
				{"kind", String, func(p *directory.Proposal) any { return string(p.Content.Kind) }},
				{"region", String, func(p *directory.Proposal) any { return p.Content.Region }},
				{"external", String, func(p *directory.Proposal) any { return p.Content.ExternalID }},
				{"submitted", Int, func(p *directory.Proposal) any { return millis(p.SubmittedAt) }},
				{"queued", Int, func(p *directory.Proposal) any { return flag(p.Queued()) }},
			},
			indexes: []Index{
				{Fields: []string{"organization", "external"}},
				{Fields: []string{"state"}},
				{Fields: []string{"queued", "submitted"}}, // the queue, the oldest first
			},
		},
		Revisions: &Collection[directory.Revision]{
			name: "revisions", item: "revision", appendOnly: true,
			id: func(r *directory.Revision) string { return r.ID },
			fields: []FieldOf[directory.Revision]{
				{"listing", String, func(r *directory.Revision) any { return r.Listing }},
			},
			indexes: []Index{{Fields: []string{"listing"}}},
		},
		Reports: &Collection[directory.Report]{
			name: "reports", item: "report",
			id: func(r *directory.Report) string { return r.ID },
			fields: []FieldOf[directory.Report]{
				{"listing", String, func(r *directory.Report) any { return r.Listing }},
				{"account", String, func(r *directory.Report) any { return r.Account }},
				{"state", String, func(r *directory.Report) any { return string(r.State) }},
			},
			indexes: []Index{{Fields: []string{"listing", "state"}}, {Fields: []string{"account"}}, {Fields: []string{"state"}}},
		},
		Photos: &Collection[directory.StoredPhoto]{
			name: "photos", item: "photo",
			id: func(p *directory.StoredPhoto) string { return p.ID },
			fields: []FieldOf[directory.StoredPhoto]{
				{"needed", Int, func(p *directory.StoredPhoto) any { return p.NeededAt.UnixMilli() }},
			},
			indexes: []Index{{Fields: []string{"needed"}}},
		},
		Imports: &Collection[directory.Import]{
			name: "imports", item: "import",
			id: func(i *directory.Import) string { return i.ID },
			fields: []FieldOf[directory.Import]{
				{"organization", String, func(i *directory.Import) any { return i.Organization }},
				{"state", String, func(i *directory.Import) any { return string(i.State) }},
				{"keep", Int, func(i *directory.Import) any { return i.KeepUntil.UnixMilli() }},
			},
			indexes: []Index{{Fields: []string{"organization"}}, {Fields: []string{"state"}}, {Fields: []string{"keep"}}},
		},
		Files: &Collection[directory.FileChunk]{
			name: "files", item: "file",
			id: func(f *directory.FileChunk) string { return f.ID },
			fields: []FieldOf[directory.FileChunk]{
				{"owner", String, func(f *directory.FileChunk) any { return f.Owner }},
				{"keep", Int, func(f *directory.FileChunk) any { return f.KeepUntil.UnixMilli() }},
			},
			indexes: []Index{{Fields: []string{"owner"}}, {Fields: []string{"keep"}}},
		},
		Bookings: &Collection[directory.Booking]{
			name: "bookings", item: "booking",
			id: func(b *directory.Booking) string { return b.ID },
			fields: []FieldOf[directory.Booking]{
				{"account", String, func(b *directory.Booking) any { return b.Account }},
				{"organization", String, func(b *directory.Booking) any { return b.Organization }},
				{"listing", String, func(b *directory.Booking) any { return b.Listing }},
				{"state", String, func(b *directory.Booking) any { return string(b.State) }},
				{"live", Int, func(b *directory.Booking) any { return flag(b.Live()) }},
				{"starts", Int, func(b *directory.Booking) any { return b.StartsAt.UnixMilli() }},
				{"due", Int, func(b *directory.Booking) any { return millis(b.DueAt) }},
				// When it was completed, as a month, and of what kind and county the listing is; 0
				// and "" while it was not.
				{"served", Int, func(b *directory.Booking) any { return int64(served(b)) }},
				{"served_kind", String, func(b *directory.Booking) any {
					if served(b) == 0 {
						return ""
					}
					return string(b.ListingKind)
				}},
				{"county", String, func(b *directory.Booking) any { return directory.CountyCode(b.ListingRegion) }},
				{"rated", Int, func(b *directory.Booking) any { return flag(b.State == directory.BookingRated) }},
				// Requests on which firms may quote.
				{"asking", Int, func(b *directory.Booking) any { return flag(b.Asking()) }},
				{"region", String, func(b *directory.Booking) any { return b.Region }},
				{"category", String, func(b *directory.Booking) any { return b.Category }},
				// Of live bookings no two have the same seat, and of all no two the same key.
				{"seat", String, func(b *directory.Booking) any {
					if b.Live() && b.Seat != "" {
						return b.Seat
					}
					return b.ID
				}},
				{"once", String, func(b *directory.Booking) any {
					if b.Once != "" {
						return b.Once
					}
					return b.ID
				}},
				{"untold", Int, func(b *directory.Booking) any { return flag(b.Untold()) }},
				// When the resident is to be reminded and the contact cleared away; 0 for never.
				{"remind", Int, func(b *directory.Booking) any {
					if at, ok := b.RemindAt(); ok {
						return at.UnixMilli()
					}
					return int64(0)
				}},
				{"clear", Int, func(b *directory.Booking) any {
					if at, ok := b.ClearAt(); ok {
						return at.UnixMilli()
					}
					return int64(0)
				}},
			},
			indexes: []Index{
				{Fields: []string{"account", "live"}},
				{Fields: []string{"organization", "starts"}},
				{Fields: []string{"organization", "state"}},
				{Fields: []string{"listing", "live", "starts"}},
				{Fields: []string{"asking", "region"}},
				{Fields: []string{"seat"}, Unique: true},
				{Fields: []string{"once"}, Unique: true},
				{Fields: []string{"live", "due"}},
				{Fields: []string{"untold"}},
				{Fields: []string{"remind"}},
				{Fields: []string{"clear"}},
				// Counts of the response.
				{Fields: []string{"served_kind", "county", "served", "rated"}},
				{Fields: []string{"served_kind", "category", "served", "rated", "county"}},
				{Fields: []string{"served_kind", "organization", "rated", "served", "county"}},
			},
		},
		BookingCalendars: &Collection[directory.BookingCalendar]{
			name: "booking_calendars", item: "calendar",
			id: func(k *directory.BookingCalendar) string { return k.Listing },
		},
		Ratings: &Collection[directory.Rating]{
			name: "ratings", item: "rating",
			id: func(r *directory.Rating) string { return r.ID },
			fields: []FieldOf[directory.Rating]{
				{"proof", String, func(r *directory.Rating) any { return r.Proof }},
				{"listing", String, func(r *directory.Rating) any { return r.Listing }},
				{"organization", String, func(r *directory.Rating) any { return r.Organization }},
				{"account", String, func(r *directory.Rating) any { return r.Account }},
				{"state", String, func(r *directory.Rating) any { return string(r.State) }},
				{"origin", String, func(r *directory.Rating) any { return string(r.Origin) }},
				{"level", Int, func(r *directory.Rating) any { return int64(r.Level) }},
				{"rule", String, func(r *directory.Rating) any { return r.Rule() }},
				{"helpful", Int, func(r *directory.Rating) any { return r.Helpful }},
				{"created", Int, func(r *directory.Rating) any { return r.CreatedAt.UnixMilli() }},
				{"queued", Int, func(r *directory.Rating) any { return flag(r.Queued()) }},
				{"kind", String, func(r *directory.Rating) any { return string(r.Kind) }},
				{"region", String, func(r *directory.Rating) any { return r.Region }},
				{"device", String, func(r *directory.Rating) any { return r.Device }},
				{"network", String, func(r *directory.Rating) any { return r.Network }},
				{"words", String, func(r *directory.Rating) any { return r.Words }},
				// When it came, while it has hashes that are to be cleared away.
				{"traces", Int, func(r *directory.Rating) any {
					if r.Device+r.Network+r.Words == "" {
						return int64(0)
					}
					return r.CreatedAt.UnixMilli()
				}},
				{"demo", Int, func(r *directory.Rating) any { return flag(r.Demo) }},
				{"month", Int, func(r *directory.Rating) any { return int64(directory.MonthOf(r.CreatedAt)) }},
				{"county", String, func(r *directory.Rating) any { return directory.CountyCode(r.Region) }},
				{"category", String, func(r *directory.Rating) any { return r.Category }},
			},
			indexes: []Index{
				// Counts by place and time, by category and by organization: the groups come one
				// after the other, and what filters them stands behind.
				{Fields: []string{"kind", "state", "county", "month", "origin", "level", "rule"}},
				{Fields: []string{"kind", "state", "category", "month", "origin", "level", "county", "rule"}},
				{Fields: []string{"kind", "state", "organization", "county", "origin", "level", "month", "rule"}},
				{Fields: []string{"proof"}, Unique: true},
				{Fields: []string{"listing", "state", "origin", "level", "rule"}}, // counts of a listing
				{Fields: []string{"listing", "state"}},
				{Fields: []string{"listing", "state", "helpful"}},
				{Fields: []string{"organization", "created"}},
				{Fields: []string{"account", "created"}},
				{Fields: []string{"kind", "created"}}, // handed out a page at a time
				{Fields: []string{"device", "created"}},
				{Fields: []string{"network", "created"}},
				{Fields: []string{"words", "created"}},
				{Fields: []string{"queued"}},
				{Fields: []string{"traces"}},
			},
		},
		RatingInvitations: &Collection[directory.RatingInvitation]{
			name: "rating_invitations", item: "invitation",
			id: func(i *directory.RatingInvitation) string { return i.ID },
			fields: []FieldOf[directory.RatingInvitation]{
				{"organization", String, func(i *directory.RatingInvitation) any { return i.Organization }},
				{"invited", String, func(i *directory.RatingInvitation) any { return i.Listing + " " + i.PhoneHash }},
				{"created", Int, func(i *directory.RatingInvitation) any { return i.CreatedAt.UnixMilli() }},
				{"used", Int, func(i *directory.RatingInvitation) any { return flag(i.UsedAt != nil) }},
				// When it expires, while it has the phone that is to be forgotten then.
				{"forget", Int, func(i *directory.RatingInvitation) any {
					if i.PhoneHash == "" {
						return int64(0)
					}
					return i.ExpiresAt.UnixMilli()
				}},
				{"kind", String, func(i *directory.RatingInvitation) any { return string(i.Kind) }},
				{"county", String, func(i *directory.RatingInvitation) any { return directory.CountyCode(i.Region) }},
				{"category", String, func(i *directory.RatingInvitation) any { return i.Category }},
				{"month", Int, func(i *directory.RatingInvitation) any { return int64(directory.MonthOf(i.CreatedAt)) }},
			},
			indexes: []Index{
				{Fields: []string{"organization", "created"}},
				{Fields: []string{"invited", "created"}},
				{Fields: []string{"forget"}},
				// Counts of the response.
				{Fields: []string{"kind", "county", "month", "used"}},
				{Fields: []string{"kind", "category", "month", "used", "county"}},
				{Fields: []string{"kind", "organization", "used", "month", "county"}},
			},
		},
		Votes: &Collection[directory.Vote]{
			name: "votes", item: "vote",
			id: func(v *directory.Vote) string { return v.Key() },
			fields: []FieldOf[directory.Vote]{
				{"rating", String, func(v *directory.Vote) any { return v.Rating }},
				{"account", String, func(v *directory.Vote) any { return v.Account }},
			},
			indexes: []Index{{Fields: []string{"rating"}}, {Fields: []string{"account"}}},
		},
		Complaints: &Collection[directory.Complaint]{
			name: "complaints", item: "complaint",
			id: func(k *directory.Complaint) string { return k.ID },
			fields: []FieldOf[directory.Complaint]{
				{"account", String, func(k *directory.Complaint) any { return k.Account }},
				{"listing", String, func(k *directory.Complaint) any { return k.Listing }},
				{"organization", String, func(k *directory.Complaint) any { return k.Organization }},
				{"bureau", String, func(k *directory.Complaint) any { return string(k.Bureau) }},
				{"region", String, func(k *directory.Complaint) any { return k.Region }},
				{"state", String, func(k *directory.Complaint) any { return string(k.State) }},
				{"open", Int, func(k *directory.Complaint) any { return flag(k.Open()) }},
				{"due", Int, func(k *directory.Complaint) any { return millis(k.DueAt()) }},
				// Whether its organization sees it.
				{"accepted", Int, func(k *directory.Complaint) any { return flag(k.AcceptedAt != nil) }},
				{"duplicate_of", String, func(k *directory.Complaint) any { return k.DuplicateOf }},
				// What is counted of a listing.
				{"counted", Int, func(k *directory.Complaint) any { return flag(k.Counted()) }},
				{"outcome", String, func(k *directory.Complaint) any { return string(k.Outcome) }},
				{"days", Int, func(k *directory.Complaint) any { return int64(k.Days) }},
				// An account has one open complaint about a thing, and no two have the same key.
				{"current", String, func(k *directory.Complaint) any {
					if k.Open() {
						return k.Account + " " + k.About()
					}
					return k.ID
				}},
				{"once", String, func(k *directory.Complaint) any {
					if k.Once != "" {
						return k.Once
					}
					return k.ID
				}},
				// When the clock has to look at it, 0 for never, and whether somebody has not
				// been told of an event.
				{"wake", Int, func(k *directory.Complaint) any { return millis(k.WakeAt()) }},
				{"untold", Int, func(k *directory.Complaint) any { return flag(k.Told < len(k.History)) }},
			},
			indexes: []Index{
				{Fields: []string{"account", "open"}},
				{Fields: []string{"account"}},
				{Fields: []string{"organization", "accepted"}},
				{Fields: []string{"listing", "counted", "outcome", "days"}},
				{Fields: []string{"listing", "open"}},
				{Fields: []string{"open", "due"}},
				{Fields: []string{"state", "due"}},
				{Fields: []string{"duplicate_of"}},
				{Fields: []string{"current"}, Unique: true},
				{Fields: []string{"once"}, Unique: true},
				{Fields: []string{"wake"}},
				{Fields: []string{"untold"}},
			},
		},
		BulletinDrafts: &Collection[directory.Bulletin]{
			name: "bulletin_drafts", item: "bulletin",
			id: func(b *directory.Bulletin) string { return b.Period.Key() },
		},
		Bulletins: &Collection[directory.Bulletin]{
			name: "bulletins", item: "bulletin", appendOnly: true,
			id: func(b *directory.Bulletin) string { return b.ID() },
			fields: []FieldOf[directory.Bulletin]{
				{"period", String, func(b *directory.Bulletin) any { return b.Period.Key() }},
				{"revision", Int, func(b *directory.Bulletin) any { return int64(b.Revision) }},
			},
			indexes: []Index{{Fields: []string{"period", "revision"}}},
		},
		APIKeys: &Collection[directory.APIKey]{
			name: "api_keys", item: "api_key",
			id: func(k *directory.APIKey) string { return k.ID },
			fields: []FieldOf[directory.APIKey]{
				{"account", String, func(k *directory.APIKey) any { return k.CreatedBy }},
				{"bureau", String, func(k *directory.APIKey) any { return string(k.Bureau) }},
				{"region", String, func(k *directory.APIKey) any { return k.Region }},
				// When its creator is to be told that it expires, 0 for never.
				{"warn", Int, func(k *directory.APIKey) any { return millis(k.WarnAt()) }},
			},
			indexes: []Index{{Fields: []string{"account"}}, {Fields: []string{"bureau", "region"}}, {Fields: []string{"warn"}}},
		},
		Returns: &Collection[directory.Return]{
			name: "returns", item: "return",
			id: func(r *directory.Return) string { return r.ID() },
			fields: []FieldOf[directory.Return]{
				{"form", String, func(r *directory.Return) any { return r.Form }},
				{"month", Int, func(r *directory.Return) any { return int64(r.Month) }},
				{"region", String, func(r *directory.Return) any { return r.Region }},
				{"organization", String, func(r *directory.Return) any { return r.Organization }},
				{"state", String, func(r *directory.Return) any { return string(r.State()) }},
				{"untold", Int, func(r *directory.Return) any { return flag(r.Untold) }},
				{"demo", Int, func(r *directory.Return) any { return flag(r.Demo) }},
			},
			indexes: []Index{
				{Fields: []string{"form", "month", "region"}}, // all that a figure is the sum of
				{Fields: []string{"form", "state"}},
				{Fields: []string{"organization", "month"}},
				{Fields: []string{"untold"}},
				{Fields: []string{"demo"}},
			},
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
		collectionName() string
	}{
		s.Meta, s.Listings, s.Accounts, s.Grants, s.Sessions, s.PhoneCodes, s.SigningKeys,
		s.Favourites, s.Notifications, s.Audit, s.Organizations, s.Claims, s.Invitations,
		s.Proposals, s.Revisions, s.Reports, s.Imports, s.Files, s.Photos,
		s.Bookings, s.BookingCalendars, s.Ratings, s.RatingInvitations, s.Votes, s.Complaints, s.Returns, s.APIKeys,
		s.BulletinDrafts, s.Bulletins, s.Windows,
	} {
		if err := c.declare(ctx, engine); err != nil {
			return nil, err
		}
		s.names = append(s.names, c.collectionName())
	}
	return s, nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// served is the month in which a booking was completed, 0 when it was not.
func served(b *directory.Booking) directory.Month {
	if at, ok := b.CompletedAt(); ok {
		return directory.MonthOf(at)
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
