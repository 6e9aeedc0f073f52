package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"qingfu/directory"
)

// tell puts a message about what happened at a time into somebody's inbox, once.
func (r *Registry) tell(ctx context.Context, account string, kind directory.NotificationKind, thing string, at time.Time, params map[string]string) error {
	return r.tellOnce(ctx, directory.Notification{Account: account, Kind: kind, Params: params, At: at}, thing, at)
}

// tellOnce stores a message unless it is there: its id follows from what happened
// to which thing and when.
func (r *Registry) tellOnce(ctx context.Context, n directory.Notification, thing string, happened time.Time) (err error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d", n.Account, n.Kind, thing, happened.UnixMilli()))
	if n.ID, err = directory.NewID(happened, bytes.NewReader(sum[:])); err != nil {
		return err
	}
	if _, err = r.Store.Notifications.Insert(ctx, n); directory.KindOf(err) == directory.Conflict {
		return nil
	}
	return err
}
