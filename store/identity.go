package store

import (
	"context"
	"crypto/rand"
	"time"

	"qingfu/directory"
)

// identityMark is the name of the mark that tells stores apart.
const identityMark = "store"

// ID returns the store's own id, which it gets when it is first asked for. What
// is kept elsewhere and follows from the sequence of changes, such as a saved
// index or the cursor of a client, belongs to the store of one id. A copy of the
// store has the same one: whoever goes back to an older copy removes the mark.
func (s *Store) ID(ctx context.Context) (string, error) {
	mark, err := s.Meta.Get(ctx, identityMark)
	if directory.KindOf(err) != directory.NotFound {
		return mark.Value.Value, err
	}
	now := time.Now()
	id, err := directory.NewID(now, rand.Reader)
	if err != nil {
		return "", err
	}
	if _, err := s.Meta.Insert(ctx, Mark{Name: identityMark, Value: id, At: now}); directory.KindOf(err) == directory.Conflict {
		return s.ID(ctx) // another process was first
	} else if err != nil {
		return "", err
	}
	return id, nil
}
