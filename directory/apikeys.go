package directory

import (
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"
	"time"
)

// APIKey lets the program of a department read figures without anybody signing in
// (部门间共享). It stands for a bureau and a region, and reads what an official of these
// with [StatisticsPower] reads, by the operations that allow keys.
type APIKey struct {
	ID     string `json:"id"`   // UUID, version 7: the order of ids is that of time
	Hash   string `json:"hash"` // keyed, of the key's text, which is kept nowhere
	Name   string `json:"name"` // what it is for, and who uses it
	Bureau Bureau `json:"bureau"`
	Region string `json:"region"` // a code down to county level
	Rate   int    `json:"rate"`   // requests a minute

	CreatedBy string    `json:"created_by,omitempty"` // an account; "" once it was erased
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`

	// UsedAt is when it was last used, to about [APIKeyUseNoted]; nil before.
	UsedAt    *time.Time `json:"used_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"` // nil unless it was
	RevokedBy string     `json:"revoked_by,omitempty"` // an account
	// WarnedAt is when its creator was told that it is about to expire, nil before.
	WarnedAt *time.Time `json:"warned_at,omitempty"`
}

// The bounds of a key.
const (
	APIKeyLife        = 400 * 24 * time.Hour // at most: a year, and time to change over
	DefaultAPIKeyRate = 60                   // requests a minute
	MaxAPIKeyRate     = 600
	maxAPIKeyName     = 100 // characters

	// APIKeyUseNoted is how much later a use has to be to be noted again, so that not
	// every request writes.
	APIKeyUseNoted = time.Hour
	// apiKeyWarning is how long before a key expires its creator is told.
	apiKeyWarning = 14 * 24 * time.Hour
)

// APIKeyState is whether a key is good.
type APIKeyState string

// The states of a key.
const (
	APIKeyActive  APIKeyState = "active"
	APIKeyExpired APIKeyState = "expired"
	APIKeyRevoked APIKeyState = "revoked"
)

// State returns whether the key is good.
func (k *APIKey) State(now time.Time) APIKeyState {
	switch {
	case k.RevokedAt != nil:
		return APIKeyRevoked
	case !now.Before(k.ExpiresAt):
		return APIKeyExpired
	}
	return APIKeyActive
}

// Usable returns nil for a key that is good, and Unauthenticated about
// "api_key_revoked" or "api_key_expired" for one that is not any more.
func (k *APIKey) Usable(now time.Time) error {
	if state := k.State(now); state != APIKeyActive {
		return &Error{Kind: Unauthenticated, What: "api_key_" + string(state)}
	}
	return nil
}

// Validate checks a key that is about to be made. It returns an Invalid error that
// holds all wrong fields at once, or nil.
func (k *APIKey) Validate(regions *Regions, now time.Time) error {
	c := &checks{}
	c.required("/name", k.Name, maxAPIKeyName)
	c.vocabulary("/bureau", string(k.Bureau), Bureaus)
	c.county("/region", k.Region, regions)
	latest := now.Add(APIKeyLife)
	switch {
	case k.ExpiresAt.IsZero():
		c.add("/expires_at", CodeRequired, "")
	case !k.ExpiresAt.After(now):
		c.add("/expires_at", CodeTooSmall, now.UTC().Format(time.RFC3339))
	case k.ExpiresAt.After(latest):
		c.add("/expires_at", CodeTooLarge, latest.UTC().Format(time.RFC3339))
	}
	c.between("/rate", int64(k.Rate), 1, MaxAPIKeyRate)
	return InvalidFields("api_key", c.fields)
}

// Scope returns what the key is for.
func (k *APIKey) Scope() Scope { return Scope{Bureau: k.Bureau, Region: k.Region} }

// Caller returns who makes a request with the key.
func (k *APIKey) Caller() Caller {
	return Caller{Key: k.ID, Grants: []Grant{{Role: Official, Bureau: k.Bureau, Region: k.Region, Powers: []Power{StatisticsPower}}}}
}

// Use notes that the key was used, unless that was noted not long ago. It tells
// whether anything changed, and whether it is the first use of the day in Shanghai.
func (k *APIKey) Use(now time.Time) (changed, first bool) {
	first = k.UsedAt == nil || DateOf(*k.UsedAt) < DateOf(now)
	if !first && now.Before(k.UsedAt.Add(APIKeyUseNoted)) {
		return false, false
	}
	k.UsedAt = &now
	return true, first
}

// Revoke ends the key. It tells whether it was still to be ended.
func (k *APIKey) Revoke(by string, now time.Time) bool {
	if k.RevokedAt != nil {
		return false
	}
	k.RevokedAt, k.RevokedBy = &now, by
	return true
}

// WarnAt is when the creator of the key is to be told that it expires; nil when that
// was done or there is nobody to tell, and for a key that is made for less time.
func (k *APIKey) WarnAt() *time.Time {
	at := k.ExpiresAt.Add(-apiKeyWarning)
	if k.WarnedAt != nil || k.RevokedAt != nil || k.CreatedBy == "" || !at.After(k.CreatedAt) {
		return nil
	}
	return &at
}

// Forget takes out who has made the key, whose account is erased. It stays good: it is
// the department's. It tells whether anything changed.
func (k *APIKey) Forget(time.Time) bool {
	changed := k.CreatedBy != ""
	k.CreatedBy = ""
	return changed
}

// The text of a key is [APIKeyPrefix], by which scanners find keys that were published
// by accident, and in base 62 its id, its secret and the CRC-32 (IEEE) of all before,
// which keeps what merely looks like a key from being looked up, as GitHub's tokens do.
const (
	APIKeyPrefix = "qfk_"

	apiKeyPart  = 22 // digits of base 62 that hold 128 bits
	apiKeyCheck = 6  // and 32 bits
	apiKeySize  = len(APIKeyPrefix) + 2*apiKeyPart + apiKeyCheck
)

// APIKeyText returns the text of the key of an id, which is a UUID, with a secret.
func APIKeyText(id string, secret [16]byte) (string, error) {
	u, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil {
		return "", err
	}
	text := APIKeyPrefix + base62(u, apiKeyPart) + base62(secret[:], apiKeyPart)
	return text + apiKeyChecksum(text), nil
}

// ParseAPIKey returns the id of the key that a text is; ok is false when it is none,
// or has the wrong checksum.
func ParseAPIKey(text string) (id string, ok bool) {
	if len(text) != apiKeySize || !strings.HasPrefix(text, APIKeyPrefix) {
		return "", false
	}
	body, sum := text[:apiKeySize-apiKeyCheck], text[apiKeySize-apiKeyCheck:]
	if apiKeyChecksum(body) != sum {
		return "", false
	}
	digits := body[len(APIKeyPrefix):][:apiKeyPart]
	n, ok := new(big.Int).SetString(digits, 62)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return "", false
	}
	var u [16]byte
	n.FillBytes(u[:])
	return FormatID(u), true
}

func apiKeyChecksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	return base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, apiKeyCheck)
}

// base62 writes bytes as a number with leading zeros.
func base62(b []byte, width int) string {
	digits := new(big.Int).SetBytes(b).Text(62)
	return strings.Repeat("0", width-len(digits)) + digits
}
