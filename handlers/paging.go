package handlers

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/store"
)

// A cursor is the hash of the query that it belongs to and the engine's token,
// in base64url.
const hashSize = 8

// queryHash is the same for all pages of one query, and of that alone: a position
// in one list is none in another.
func (in *input) queryHash() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(in.op.id + "\n")) // a hash never fails
	for _, p := range in.op.query {
		switch p.name {
		case "cursor", "limit", "facets", "lang":
			continue
		}
		if g := in.find(p.name); g != nil {
			_, _ = h.Write([]byte(p.name + "=" + g.text + "\n"))
		}
	}
	return h.Sum64()
}

func (in *input) readCursor(hash uint64) string {
	cursor := in.text("cursor")
	if cursor == "" {
		return ""
	}
	token, code := openCursor(cursor, hash)
	switch code {
	case directory.CodeFormat:
		in.refuse("cursor", code, "next_cursor")
	case directory.CodeMismatch:
		in.refuse("cursor", code, "q, kind, region …")
	}
	return token
}

// openCursor returns the token of a cursor, or the code of what is wrong with it.
func openCursor(cursor string, hash uint64) (token, code string) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	switch {
	case err != nil || len(raw) <= hashSize:
		return "", directory.CodeFormat
	case binary.BigEndian.Uint64(raw) != hash:
		return "", directory.CodeMismatch
	default:
		return string(raw[hashSize:]), ""
	}
}

func appendCursor(b []byte, hash uint64, token string) []byte {
	raw := append(binary.BigEndian.AppendUint64(make([]byte, 0, hashSize+len(token)), hash), token...)
	return base64.RawURLEncoding.AppendEncode(b, raw)
}

// position is the token of a page that the store has found.
type position struct {
	N  *int64 `json:"n,omitempty"` // of the order field, nil when the order is by id
	ID string `json:"id"`
}

// readPosition reads where a page of the store begins, nil for the first one.
func (in *input) readPosition(hash uint64) *store.Position {
	token := in.readCursor(hash)
	if token == "" {
		return nil
	}
	var p position
	if json.Unmarshal([]byte(token), &p) != nil {
		in.refuse("cursor", directory.CodeFormat, "next_cursor")
		return nil
	}
	after := &store.Position{ID: p.ID}
	if p.N != nil {
		after.Value = *p.N
	}
	return after
}

// nextCursor writes where the next page of the store begins, nil for none.
func nextCursor(hash uint64, next *store.Position) (*string, error) {
	if next == nil {
		return nil, nil
	}
	p := position{ID: next.ID}
	if n, ok := next.Value.(int64); ok {
		p.N = &n
	}
	token, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return new(string(appendCursor(nil, hash, string(token)))), nil
}

// sendList answers with a page that the store has found. It belongs to one
// caller, so that nobody on the way may keep it.
func sendList[T any](c *fiber.Ctx, items []T, hash uint64, next *store.Position) error {
	cursor, err := nextCursor(hash, next)
	if err != nil {
		return err
	}
	return sendSecret(c, struct {
		Items []T     `json:"items"`
		Next  *string `json:"next_cursor"`
	}{items, cursor})
}
