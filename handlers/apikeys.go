package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/search"
)

// apiKeyView is a department's key in an answer to those who look after keys.
type apiKeyView struct {
	ID        string                `json:"id"`
	Name      string                `json:"name"`
	Bureau    search.TermRef        `json:"bureau"`
	Region    search.RegionRef      `json:"region"`
	Rate      int                   `json:"rate"`
	State     directory.APIKeyState `json:"state"`
	CreatedBy string                `json:"created_by"`
	CreatedAt time.Time             `json:"created_at"`
	ExpiresAt time.Time             `json:"expires_at"`
	UsedAt    *time.Time            `json:"used_at"`
	RevokedAt *time.Time            `json:"revoked_at"`
	RevokedBy string                `json:"revoked_by"`
	Key       string                `json:"key,omitempty"` // shown once
}

func (a *api) viewAPIKey(k directory.APIKey, key, lang string) apiKeyView {
	bureau, _ := directory.BureauTerm(k.Bureau)
	return apiKeyView{
		k.ID, k.Name, search.NewTermRef(bureau, lang), search.NewRegionRef(a.Regions, k.Region, lang), k.Rate, k.State(a.Now()),
		k.CreatedBy, k.CreatedAt, k.ExpiresAt, k.UsedAt, k.RevokedAt, k.RevokedBy, key,
	}
}

func (a *api) createAPIKey(c *fiber.Ctx, in *input) error {
	b, ok := draft[struct {
		Name      string
		Bureau    directory.Bureau
		Region    string
		Rate      *int
		ExpiresAt string `json:"expires_at"`
	}](in)
	k := directory.APIKey{Name: b.Name, Bureau: b.Bureau, Region: b.Region, Rate: directory.DefaultAPIKeyRate}
	if b.Rate != nil {
		k.Rate = *b.Rate
	}
	k.ExpiresAt, _ = time.Parse(time.RFC3339, b.ExpiresAt) // the contract has refused what is no time
	if ok {
		if err := in.refuseBy(k.Validate(a.Regions, a.Now())); err != nil {
			return err
		}
	}
	if err := in.err(); err != nil {
		return err
	}
	if err := in.covers(a, k.Scope()); err != nil {
		return err
	}
	// Nobody hands out what they may not read themselves.
	if err := in.caller.Covers(readers, k.Scope(), a.Regions); err != nil {
		return err
	}
	k, text, err := a.Auth.CreateAPIKey(c.UserContext(), in.caller, k, a.Regions, in.client)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return sendSecret(c, a.viewAPIKey(k, text, in.lang))
}

func (a *api) listAPIKeys(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	bureau, region := directory.Bureau(in.text("bureau")), in.region(a.Regions, "region")
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	scopes := in.caller.Narrow(in.permission, bureau, region, a.Regions)
	if len(scopes) == 0 {
		return &directory.Error{Kind: directory.Forbidden}
	}
	found, next, err := a.Auth.APIKeys(c.UserContext(), scopes, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]apiKeyView, len(found))
	for i := range found {
		items[i] = a.viewAPIKey(found[i], "", in.lang)
	}
	return sendList(c, items, hash, next)
}

func (a *api) revokeAPIKey(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	k, err := a.Auth.GetAPIKey(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if in.covers(a, k.Scope()) != nil {
		return in.hide(a, c, "api_key")
	}
	if err := a.Auth.RevokeAPIKey(c.UserContext(), in.caller, k.ID, in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) getCurrentAPIKey(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	k, err := a.Auth.GetAPIKey(c.UserContext(), in.caller.Key)
	if err != nil {
		return err
	}
	v := a.viewAPIKey(k, "", in.lang)
	return sendSecret(c, struct {
		ID        string           `json:"id"`
		Name      string           `json:"name"`
		Bureau    search.TermRef   `json:"bureau"`
		Region    search.RegionRef `json:"region"`
		Rate      int              `json:"rate"`
		ExpiresAt time.Time        `json:"expires_at"`
	}{v.ID, v.Name, v.Bureau, v.Region, v.Rate, v.ExpiresAt})
}

// apiKeyLimit is how often a key may be used, whatever for.
func apiKeyLimit(k *directory.APIKey) auth.Limit {
	return auth.Limit{Class: "requests by key", Most: int64(k.Rate), Window: limitWindow}
}
