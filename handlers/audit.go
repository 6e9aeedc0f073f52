package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

// auditView is a line of the audit log in an answer.
type auditView struct {
	ID           string                `json:"id"`
	At           time.Time             `json:"at"`
	Action       directory.AuditAction `json:"action"`
	Refused      bool                  `json:"refused"`
	Actor        string                `json:"actor"`
	Subject      string                `json:"subject"`
	Operation    string                `json:"operation"`
	Detail       string                `json:"detail"`
	Organization string                `json:"organization"`
	Bureau       directory.Bureau      `json:"bureau"`
	Region       string                `json:"region"`
	Network      string                `json:"network"`
	RequestID    string                `json:"request_id"`
}

func viewAudit(entries []directory.AuditEntry) []auditView {
	views := make([]auditView, len(entries))
	for i, e := range entries {
		views[i] = auditView{
			e.ID, e.At, e.Action, e.Refused, e.Actor, e.Subject, e.Operation, e.Detail,
			e.Organization, e.Bureau, e.Region, e.Network, e.RequestID,
		}
	}
	return views
}

func (a *api) listAudit(c *fiber.Ctx, in *input) error {
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
	found, next, err := a.Registry.Audit(c.UserContext(), scopes, in.text("action"), in.integer("limit"), after)
	if err != nil {
		return err
	}
	return sendList(c, viewAudit(found), hash, next)
}
