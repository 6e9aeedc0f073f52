package handlers

import (
	"github.com/gofiber/fiber/v2"
)

// code reads the body {"code": "…"}.
func (in *input) code() string { return body[struct{ Code string }](in).Code }

func (a *api) enrolSecondFactor(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	e, err := a.Auth.EnrolSecondFactor(c.UserContext(), in.caller)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return sendSecret(c, map[string]string{"secret": e.Secret, "uri": e.URI})
}

func (a *api) confirmSecondFactor(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	recovery, err := a.Auth.ConfirmSecondFactor(c.UserContext(), in.caller, in.code(), in.client)
	if err != nil {
		return err
	}
	return sendSecret(c, map[string][]string{"recovery_codes": recovery})
}

func (a *api) showSecondFactor(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Auth.ShowSecondFactor(c.UserContext(), in.caller, in.code(), in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) removeSecondFactor(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Auth.RemoveSecondFactor(c.UserContext(), in.caller, in.code(), in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
