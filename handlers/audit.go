package handlers

import (
	"cmp"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/store"
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

// listAudit asks for each scope of the caller by itself and merges the answers:
// no index could serve them together.
func (a *api) listAudit(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	bureau, region := directory.Bureau(in.text("bureau")), in.region(a.Regions, "region")
	base := store.Query{Desc: true, Limit: in.integer("limit"), After: in.readPosition(hash)}
	if err := in.err(); err != nil {
		return err
	}
	if action := in.text("action"); action != "" {
		base.Where = append(base.Where, store.Equal("action", action))
	}
	scopes := in.caller.Narrow(in.permission, bureau, region, a.Regions)
	if len(scopes) == 0 {
		return &directory.Error{Kind: directory.Forbidden}
	}
	var found []directory.AuditEntry
	for _, scope := range scopes {
		q := base
		q.Where = append(slices.Clip(base.Where), scopeConditions(scope)...)
		docs, _, err := a.Store.Audit.Find(c.UserContext(), q)
		if err != nil {
			return err
		}
		found = append(found, store.Values(docs)...)
	}
	slices.SortFunc(found, func(x, y directory.AuditEntry) int { return cmp.Compare(y.ID, x.ID) })
	found = slices.CompactFunc(found, func(x, y directory.AuditEntry) bool { return x.ID == y.ID })
	var next *store.Position
	if len(found) >= base.Limit {
		found = found[:base.Limit]
		next = &store.Position{ID: found[len(found)-1].ID}
	}
	return sendList(c, viewAudit(found), hash, next)
}

// scopeConditions finds what lies within a scope.
func scopeConditions(s directory.Scope) []store.Condition {
	var where []store.Condition
	if s.Bureau != "" {
		where = append(where, store.Equal("bureau", string(s.Bureau)))
	}
	if s.Region != "" {
		where = append(where, store.Within(s.Region)...)
	}
	return where
}
