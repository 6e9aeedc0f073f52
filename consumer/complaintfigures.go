package consumer

import (
	"context"

	"qingfu/directory"
	"qingfu/store"
)

// ComplaintFigures counts the complaints about a listing.
func (c *Consumer) ComplaintFigures(ctx context.Context, listing string) (directory.ComplaintFigures, error) {
	f := directory.ComplaintFigures{Resolved: map[int]int64{}, Unresolved: map[int]int64{}}
	groups, err := c.Store.Complaints.Count(ctx, []store.Condition{store.Equal("listing", listing), store.Equal("counted", int64(1))}, "outcome", "days")
	for _, g := range groups {
		f.Received += g.N
		days := int(g.Key[1].(int64))
		switch directory.ComplaintState(g.Key[0].(string)) {
		case directory.ComplaintResolved:
			f.Resolved[days] += g.N
		case directory.ComplaintUnresolved:
			f.Unresolved[days] += g.N
		}
	}
	return f, err
}
