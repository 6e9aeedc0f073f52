package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// ratingInvitationView is an invitation to rate as the organization sees it that has
// made it. Whom it is for is not kept, but as a hash.
type ratingInvitationView struct {
	ID        string          `json:"id"`
	Listing   string          `json:"listing"`
	Category  *search.TermRef `json:"category"`
	ServedOn  directory.Date  `json:"served_on"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`
	UsedAt    *time.Time      `json:"used_at"`
}

func viewRatingInvitation(i *directory.RatingInvitation, lang string) ratingInvitationView {
	v := ratingInvitationView{ID: i.ID, Listing: i.Listing, ServedOn: i.ServedOn, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt, UsedAt: i.UsedAt}
	if t, ok := search.CategoryTerm(i.Category); ok {
		v.Category = new(search.NewTermRef(t, lang))
	}
	return v
}

// inviteToRate answers with the secret, a link with it and the link as a QR code,
// which are shown once.
func (a *api) inviteToRate(c *fiber.Ctx, in *input) error {
	b, readable := draft[struct {
		Phone    string
		Category string
		ServedOn directory.Date `json:"served_on"`
	}](in)
	invitation := directory.RatingInvitation{Category: b.Category, ServedOn: b.ServedOn}
	if id := in.text("id"); in.err() != nil && readable && id != "" { // an id that is wrong reads as none
		doc, err := a.Store.Listings.Get(c.UserContext(), id)
		if err == nil && in.covers(a, doc.Value.Scope()) == nil {
			err = in.refuseBy(a.Consumer.CheckInvitation(&doc.Value, b.Phone, invitation))
		}
		if err != nil && directory.KindOf(err) != directory.NotFound {
			return err
		}
	}
	l, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	made, secret, err := a.Consumer.InviteToRate(c.UserContext(), in.caller, &l, b.Phone, invitation)
	if err != nil {
		return err
	}
	link := a.Consumer.PublicURL + "/rate#invitation=" + secret
	svg, err := qrSVG(link)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return sendSecret(c, struct {
		ratingInvitationView
		Token string `json:"token"`
		Link  string `json:"link"`
		QR    string `json:"qr"`
	}{viewRatingInvitation(&made, in.lang), secret, link, string(svg)})
}

func (a *api) listRatingInvitations(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	organization, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	made, next, err := a.Consumer.RatingInvitations(c.UserContext(), organization.ID, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]ratingInvitationView, len(made))
	for i := range made {
		items[i] = viewRatingInvitation(&made[i], in.lang)
	}
	return sendList(c, items, hash, next)
}

// openRatingInvitation tells whoever comes with an invitation what they can rate.
func (a *api) openRatingInvitation(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	i, err := a.Consumer.Invitation(c.UserContext(), in.caller, body[struct{ Token string }](in).Token)
	if err != nil {
		return err
	}
	listing, err := a.Store.Listings.Get(c.UserContext(), i.Listing)
	if err != nil {
		return err
	}
	return sendSecret(c, struct {
		ratingInvitationView
		Name string `json:"name"` // of the listing
	}{viewRatingInvitation(&i, in.lang), listing.Value.Names.In(in.lang)})
}

// getPoster is a QR code that leads to giving an open rating, to be printed.
func (a *api) getPoster(c *fiber.Ctx, in *input) error {
	listing, err := a.publicListing(c, in)
	if err != nil {
		return err
	}
	draw, contentType := qrSVG, mimeSVG
	if in.text("format") == "png" {
		draw, contentType = qrPNG, "image/png"
	}
	picture, err := draw(a.Consumer.PublicURL + "/rate#listing=" + listing.ID)
	if err != nil {
		return err
	}
	return sendTagged(c, contentType, picture)
}
