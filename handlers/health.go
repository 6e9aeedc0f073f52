package handlers

import (
	"runtime/debug"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

func (a *api) livez(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	return sendJSON(c, map[string]string{"status": "ok"})
}

func (a *api) readyz(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Ready(c.UserContext()); err != nil {
		return &directory.Error{Kind: directory.Unavailable, What: "server", Cause: err}
	}
	return sendJSON(c, map[string]string{"status": "ok"})
}

func (a *api) version(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	answer := struct {
		Version string `json:"version"`
		Commit  string `json:"commit"`
		Go      string `json:"go"`
	}{Version: a.Config.Version}
	if info, ok := debug.ReadBuildInfo(); ok {
		answer.Go = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				answer.Commit = s.Value
			}
		}
	}
	return sendJSON(c, answer)
}
