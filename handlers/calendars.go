package handlers

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/store"
)

// calendarTag is the ETag of a calendar, for If-Match.
func calendarTag(version int64) string { return `"c` + strconv.FormatInt(version, 10) + `"` }

func sendCalendar(c *fiber.Ctx, doc store.Doc[directory.BookingCalendar]) error {
	c.Set(fiber.HeaderETag, calendarTag(doc.Version))
	return sendJSON(c, doc.Value)
}

func (a *api) getCalendar(c *fiber.Ctx, in *input) error {
	if _, err := a.publicListing(c, in); err != nil {
		return err
	}
	doc, err := a.Store.BookingCalendars.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	return sendCalendar(c, doc)
}

func (a *api) saveCalendar(c *fiber.Ctx, in *input) error {
	b, readable := draft[directory.BookingCalendar](in)
	if readable {
		if err := in.refuseBy(b.Validate()); err != nil {
			return err
		}
	}
	listing, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	doc, err := a.Store.BookingCalendars.Get(c.UserContext(), listing.ID)
	switch {
	case err == nil:
		err = requireMatch(in, calendarTag(doc.Version))
	case directory.KindOf(err) == directory.NotFound: // there is nothing that could be overwritten
		err = nil
	}
	if err != nil {
		return err
	}
	created := doc.Version == 0
	if doc, err = a.Consumer.SaveCalendar(c.UserContext(), &listing, doc.Version, b); err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return sendCalendar(c, doc)
}

func (a *api) deleteCalendar(c *fiber.Ctx, in *input) error {
	listing, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	if err := a.Store.BookingCalendars.Remove(c.UserContext(), listing.ID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) listSlots(c *fiber.Ctx, in *input) error {
	from := in.date("from")
	if _, err := a.publicListing(c, in); err != nil {
		return err
	}
	if from == "" {
		from = directory.DateOf(a.Now())
	}
	slots, err := a.Consumer.Slots(c.UserContext(), in.text("id"), from, in.integer("days"))
	if err != nil {
		return err
	}
	return sendJSON(c, struct {
		Items []consumer.Slot `json:"items"`
	}{slots})
}
