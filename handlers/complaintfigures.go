package handlers

import (
	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

// getComplaintFigures answers with what is published of the complaints about a listing.
func (a *api) getComplaintFigures(c *fiber.Ctx, in *input) error {
	listing, err := a.publicListing(c, in)
	if err != nil {
		return err
	}
	figures, err := a.Consumer.ComplaintFigures(c.UserContext(), listing.ID)
	if err != nil {
		return err
	}
	return sendTaggedJSON(c, struct {
		directory.ComplaintSummary
		DemoData bool `json:"demo_data,omitempty"`
	}{figures.Summary(), a.DemoData()})
}
