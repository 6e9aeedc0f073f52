package consumer

import (
	"context"
	"encoding/json"

	"qingfu/directory"
	"qingfu/store"
)

// What is made by an Idempotency-Key is made once: the document keeps, in a unique
// field, the account and the key, and beside it the hash of what was asked for.

// onceOf returns these two for somebody who asks for a thing, "" without a key.
func (c *Consumer) onceOf(caller directory.Caller, key, thing string, asked any) (once, hash string, err error) {
	if key == "" {
		return "", "", nil
	}
	text, err := json.Marshal(asked)
	return caller.Account + " " + key, c.Auth.Keys.Hash(thing+" asked for", string(text)), err
}

// madeBefore finds what was made by a key, if there is one and a key. It returns
// Conflict about "idempotency_key" when something else was asked for by it.
func madeBefore[T any](ctx context.Context, made *store.Collection[T], once, asked string, askedOf func(*T) string) (v T, found bool, err error) {
	if once == "" {
		return v, false, nil
	}
	doc, err := made.By(ctx, "once", once)
	switch {
	case directory.KindOf(err) == directory.NotFound:
		return v, false, nil
	case err != nil:
		return v, false, err
	case askedOf(&doc.Value) != asked:
		return v, false, &directory.Error{Kind: directory.Conflict, What: "idempotency_key"}
	}
	return doc.Value, true, nil
}
