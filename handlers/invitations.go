package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// invitationView is an invitation in an answer to those who may invite.
type invitationView struct {
	ID        string         `json:"id"`
	Role      search.TermRef `json:"role"`
	InvitedBy string         `json:"invited_by"`
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt time.Time      `json:"expires_at"`
	Token     string         `json:"token,omitempty"` // shown once
}

func viewInvitation(i directory.Invitation, token, lang string) invitationView {
	return invitationView{i.ID, viewRole(i.Role, lang), i.InvitedBy, i.CreatedAt, i.ExpiresAt, token}
}

func (a *api) createInvitation(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	made, token, err := a.Registry.Invite(c.UserContext(), in.caller, doc.Value, body[struct{ Role directory.Role }](in).Role, in.client)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return sendSecret(c, viewInvitation(made, token, in.lang))
}

func (a *api) listInvitations(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	open, err := a.Registry.Invitations(c.UserContext(), doc.Value.ID)
	if err != nil {
		return err
	}
	items := make([]invitationView, len(open))
	for i := range open {
		items[i] = viewInvitation(open[i], "", in.lang)
	}
	return sendSecret(c, map[string]any{"items": items})
}

func (a *api) withdrawInvitation(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.organizationOf(c, in)
	if err != nil {
		return err
	}
	if err := a.Registry.WithdrawInvitation(c.UserContext(), in.caller, doc.Value.ID, in.text("invitation"), in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) acceptInvitation(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	accepted, err := a.Registry.Accept(c.UserContext(), in.caller, body[struct{ Token string }](in).Token, in.client)
	if err != nil {
		return err
	}
	return sendSecret(c, struct {
		Organization string         `json:"organization"`
		Role         search.TermRef `json:"role"`
	}{accepted.Organization, viewRole(accepted.Role, in.lang)})
}
