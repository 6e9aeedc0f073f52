package handlers

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
)

// accountView is an account in an answer to its owner.
type accountView struct {
	ID        string                   `json:"id"`
	Phone     string                   `json:"phone"` // masked
	Name      string                   `json:"name"`
	Language  *directory.Language      `json:"language"`
	ElderMode bool                     `json:"elder_mode"`
	Family    []directory.FamilyMember `json:"family"`
	Roles     []grantView              `json:"roles"`
	// SecondFactor is "none", "registered" or, within twelve hours of a code, "shown".
	SecondFactor string     `json:"second_factor"`
	Unread       int64      `json:"unread_notifications"`
	Demo         bool       `json:"demo"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	EraseAt      *time.Time `json:"erase_at"`
}

func (a *api) viewAccount(c *fiber.Ctx, in *input, account *directory.Account) (v accountView, err error) {
	v = accountView{
		ID: account.ID, Name: account.Name, ElderMode: account.ElderMode, Family: account.Family,
		Roles: []grantView{}, SecondFactor: "none", Demo: account.Demo,
		CreatedAt: account.CreatedAt, UpdatedAt: account.UpdatedAt, EraseAt: account.EraseAt,
	}
	if v.Phone, err = a.Auth.MaskedPhone(account); err != nil {
		return v, err
	}
	if account.Language != "" {
		v.Language = &account.Language
	}
	if v.Family == nil {
		v.Family = []directory.FamilyMember{}
	}
	for _, g := range in.caller.Grants {
		v.Roles = append(v.Roles, a.viewGrant(g, v.Phone, in.lang))
	}
	if account.Enrolled() {
		v.SecondFactor = "registered"
		if in.caller.SecondFactor {
			v.SecondFactor = "shown"
		}
	}
	v.Unread, err = a.unread(c.UserContext(), account.ID)
	return v, err
}

// accountTag is the ETag of an account, for If-Match.
func accountTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func (a *api) sendAccount(c *fiber.Ctx, in *input, version int64, account *directory.Account) error {
	v, err := a.viewAccount(c, in, account)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, accountTag(version))
	return sendSecret(c, v)
}

func (a *api) getMe(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Accounts.Get(c.UserContext(), in.caller.Account)
	if err != nil {
		return err
	}
	return a.sendAccount(c, in, doc.Version, &doc.Value)
}

func (a *api) updateMe(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Accounts.Get(c.UserContext(), in.caller.Account)
	if err != nil {
		return err
	}
	if err := requireMatch(in, accountTag(doc.Version)); err != nil {
		return err
	}
	account := doc.Value
	// The members that are absent stay as they are; null clears.
	change := body[struct {
		Name      *string
		Language  *directory.Language
		ElderMode *bool `json:"elder_mode"`
		Family    []directory.FamilyMember
	}](in)
	if in.hasField("name") {
		account.Name = strings.TrimSpace(deref(change.Name))
	}
	if in.hasField("language") {
		account.Language = deref(change.Language)
	}
	if in.hasField("elder_mode") {
		account.ElderMode = deref(change.ElderMode)
	}
	if in.hasField("family") {
		account.Family = change.Family
	}
	if doc, err = a.Auth.UpdateAccount(c.UserContext(), doc.Version, account); err != nil {
		return err
	}
	return a.sendAccount(c, in, doc.Version, &doc.Value)
}

// deref returns what p points to, or the zero value.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (a *api) eraseMe(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	at, err := a.Auth.Erase(c.UserContext(), in.caller, in.client)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusAccepted)
	return sendSecret(c, map[string]time.Time{"erase_at": at})
}

func (a *api) restoreMe(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Auth.Restore(c.UserContext(), in.caller, in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) exportMe(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b, err := a.Auth.Export(c.UserContext(), in.caller)
	if err != nil {
		return err
	}
	v, err := a.viewAccount(c, in, &b.Account)
	if err != nil {
		return err
	}
	bookings, err := a.viewOwnBookings(c, in, b.Bookings)
	if err != nil {
		return err
	}
	complaints, err := a.viewComplaints(c.UserContext(), in, b.Complaints)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="qingfu-export.json"`)
	return sendSecret(c, struct {
		ExportedAt     time.Time          `json:"exported_at"`
		Account        accountView        `json:"account"`
		Sessions       []sessionView      `json:"sessions"`
		Favourites     []favouriteExport  `json:"favourites"`
		Notifications  []notificationView `json:"notifications"`
		Claims         []claimView        `json:"claims"`
		Bookings       []bookingView      `json:"bookings"`
		Ratings        []ownRatingView    `json:"ratings"`
		Complaints     []complaintView    `json:"complaints"`
		Audit          []auditView        `json:"audit"`
		AuditShortened bool               `json:"audit_shortened"`
	}{a.Now(), v, viewSessions(b.Sessions, in.caller.Session), exportFavourites(b), a.viewNotifications(b.Notifications, in.lang), viewOwnClaims(b.Claims), bookings, viewOwnRatings(b.Ratings, in.lang), complaints, viewAudit(b.Audit), b.Shortened})
}

// favouriteExport is a favourite in an export.
type favouriteExport struct {
	Listing string    `json:"listing"`
	AddedAt time.Time `json:"added_at"`
}

func exportFavourites(b auth.Belongings) []favouriteExport {
	out := make([]favouriteExport, len(b.Favourites))
	for i, f := range b.Favourites {
		out[i] = favouriteExport{f.Listing, f.AddedAt}
	}
	return out
}
