package handlers

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/store"
)

// notificationView is a notification in an answer.
type notificationView struct {
	ID     string                     `json:"id"`
	Kind   directory.NotificationKind `json:"kind"`
	Text   string                     `json:"text"`
	Params map[string]string          `json:"params"`
	At     time.Time                  `json:"at"`
	ReadAt *time.Time                 `json:"read_at"`
}

func (a *api) viewNotifications(notes []directory.Notification, lang string) []notificationView {
	views := make([]notificationView, len(notes))
	for i, n := range notes {
		if n.Params == nil {
			n.Params = map[string]string{}
		}
		views[i] = notificationView{n.ID, n.Kind, a.notificationText(n, lang), n.Params, n.At, n.ReadAt}
	}
	return views
}

// notificationText says in words what a notification is about.
func (a *api) notificationText(n directory.Notification, lang string) string {
	role, _ := directory.RoleTerm(directory.Role(n.Params["role"]))
	scope := ""
	if b, ok := directory.BureauTerm(directory.Bureau(n.Params["bureau"])); ok {
		scope = b.Names.In(lang)
		if reg, err := a.Regions.Get(n.Params["region"]); err == nil {
			scope = reg.Names.In(lang) + " " + scope
		}
	}
	what := strings.TrimSpace(scope + " " + role.Names.In(lang))
	fill := []string{"{role}", what}
	if form, err := directory.ReturnFormOf(n.Params["form"]); err == nil {
		fill = append(fill, "{form_name}", form.Names.In(lang))
	}
	if reg, err := a.Regions.Get(n.Params["region"]); err == nil {
		fill = append(fill, "{region_name}", reg.Names.In(lang))
	}
	for name, value := range n.Params {
		fill = append(fill, "{"+name+"}", value)
	}
	return strings.NewReplacer(fill...).Replace(notificationTexts[n.Kind].in(lang))
}

// unread counts the notifications that an account has not read.
func (a *api) unread(ctx context.Context, account string) (int64, error) {
	counts, err := a.Store.Notifications.Count(ctx, []store.Condition{store.Equal("account", account), store.Equal("unread", int64(1))})
	if err != nil {
		return 0, err
	}
	return counts[0].N, nil
}

func (a *api) listNotifications(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	q := store.Query{Where: []store.Condition{store.Equal("account", in.caller.Account)}, Desc: true, Limit: in.integer("limit"), After: in.readPosition(hash)}
	if unread := in.boolean("unread"); unread != nil {
		value := int64(0)
		if *unread {
			value = 1
		}
		q.Where = append(q.Where, store.Equal("unread", value))
	}
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Store.Notifications.Find(c.UserContext(), q)
	if err != nil {
		return err
	}
	return sendList(c, a.viewNotifications(store.Values(docs), in.lang), hash, next)
}

func (a *api) readNotifications(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	ids := body[struct{ IDs []string }](in).IDs
	docs, err := a.Store.Notifications.GetMany(c.UserContext(), unique(ids)...)
	if err != nil {
		return err
	}
	now := a.Now().UTC()
	for _, d := range docs {
		if d.Value.Account != in.caller.Account || d.Value.ReadAt != nil {
			continue // somebody else's is none here
		}
		d.Value.ReadAt = &now
		if _, err := a.Store.Notifications.Replace(c.UserContext(), d.Version, d.Value); err != nil &&
			directory.KindOf(err) != directory.Conflict && directory.KindOf(err) != directory.NotFound {
			return err
		} // a conflict: it was read or erased at the same time
	}
	return c.SendStatus(fiber.StatusNoContent)
}
