package handlers

import (
	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

func (a *api) listRequests(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	organization, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	docs, next, err := a.Consumer.Requests(c.UserContext(), organization.ID, in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendBookings(c, in, docs, hash, next)
}

func (a *api) quoteBooking(c *fiber.Ctx, in *input) error {
	b, err := a.bookingOf(c, in)
	if err != nil {
		return err
	}
	q := body[struct {
		Listing string
		Price   int64
		Text    string
	}](in)
	b, err = a.Consumer.Quote(c.UserContext(), in.caller, b.ID, directory.Quote{Listing: q.Listing, Price: q.Price, Text: q.Text})
	if err != nil {
		return err
	}
	return a.sendBooking(c, in, b)
}

func (a *api) chooseQuote(c *fiber.Ctx, in *input) error {
	b, err := a.bookingOf(c, in)
	if err != nil {
		return err
	}
	choice := body[struct {
		Organization string
		Price        int64
	}](in)
	b, err = a.Consumer.Choose(c.UserContext(), in.caller, b.ID, choice.Organization, choice.Price)
	if err != nil {
		return err
	}
	return a.sendBooking(c, in, b)
}
