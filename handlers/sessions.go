package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
)

func (a *api) requestCode(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	sent, err := a.Auth.RequestCode(c.UserContext(), body[struct{ Phone string }](in).Phone, in.client)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusAccepted)
	return sendSecret(c, struct {
		ExpiresAt time.Time `json:"expires_at"`
		NextAt    time.Time `json:"next_at"`
	}{sent.ExpiresAt, sent.NextAt})
}

// sendSecret answers with what nobody on the way may keep.
func sendSecret(c *fiber.Ctx, v any) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return sendJSON(c, v)
}

func (a *api) createTokens(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct{ Phone, Code string }](in)
	tokens, err := a.Auth.SignIn(c.UserContext(), b.Phone, b.Code, in.client)
	if err != nil {
		return err
	}
	return sendTokens(c, tokens)
}

func (a *api) refreshTokens(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct {
		RefreshToken string `json:"refresh_token"`
	}](in)
	tokens, err := a.Auth.Refresh(c.UserContext(), b.RefreshToken, in.client)
	if err != nil {
		return err
	}
	return sendTokens(c, tokens)
}

// sendTokens answers in the form of RFC 6749, 5.1.
func sendTokens(c *fiber.Ctx, t auth.Tokens) error {
	return sendSecret(c, struct {
		AccessToken  string    `json:"access_token"`
		TokenType    string    `json:"token_type"`
		ExpiresIn    int       `json:"expires_in"`
		RefreshToken string    `json:"refresh_token"`
		Session      string    `json:"session"`
		ExpiresAt    time.Time `json:"session_expires_at"`
	}{t.Access, "Bearer", int(t.ExpiresIn.Seconds()), t.Refresh, t.Session.ID, t.Session.ExpiresAt})
}

func (a *api) listKeys(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	keys, err := a.Auth.PublicKeys(c.UserContext())
	if err != nil {
		return err
	}
	body, err := toJSON(map[string][]auth.PublicKey{"keys": keys})
	if err != nil {
		return err
	}
	// A new key can be seen ten minutes before it signs.
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, body)
}

// sessionView is a session in an answer.
type sessionView struct {
	ID             string     `json:"id"`
	Current        bool       `json:"current"`
	Device         string     `json:"device"`
	Network        string     `json:"network"`
	CreatedAt      time.Time  `json:"created_at"`
	UsedAt         time.Time  `json:"used_at"`
	ExpiresAt      time.Time  `json:"expires_at"`
	SecondFactorAt *time.Time `json:"second_factor_at"`
}

func viewSessions(sessions []directory.Session, current string) []sessionView {
	views := make([]sessionView, len(sessions))
	for i, s := range sessions {
		views[i] = sessionView{s.ID, s.ID == current, s.Device, s.Network, s.CreatedAt, s.UsedAt, s.ExpiresAt, s.SecondFactorAt}
	}
	return views
}

func (a *api) listSessions(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	sessions, err := a.Auth.Sessions(c.UserContext(), in.caller.Account)
	if err != nil {
		return err
	}
	return sendSecret(c, map[string]any{"items": viewSessions(sessions, in.caller.Session)})
}

func (a *api) endCurrentSession(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Auth.EndSession(c.UserContext(), in.caller, in.caller.Session, in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) endSession(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Auth.EndSession(c.UserContext(), in.caller, in.text("id"), in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
