package directory

import "time"

// Session is a device on which somebody is signed in. It is renewed with its
// refresh token, of which there is one at a time.
type Session struct {
	ID      string `json:"id"` // UUID, version 7
	Account string `json:"account"`

	Generation  int64  `json:"generation"`   // of the refresh token, counted from 1
	RefreshHash string `json:"refresh_hash"` // of the token of that generation

	Device  string `json:"device,omitempty"`  // what the client says that it is
	Network string `json:"network,omitempty"` // where it was last seen, shortened

	CreatedAt      time.Time  `json:"created_at"`
	UsedAt         time.Time  `json:"used_at"` // when it was last renewed
	ExpiresAt      time.Time  `json:"expires_at"`
	SecondFactorAt *time.Time `json:"second_factor_at,omitempty"` // when a second factor was last shown
}

// PhoneCode is the state of signing in by one phone: the code sent last, what
// was tried and when codes were sent. Its id is the keyed hash of the number.
type PhoneCode struct {
	PhoneHash string      `json:"phone_hash"`
	CodeHash  string      `json:"code_hash,omitempty"` // keyed; "" when there is no code to redeem
	ExpiresAt time.Time   `json:"expires_at,omitzero"` // of the code
	Tries     int         `json:"tries,omitempty"`     // wrong codes since one was sent
	Sent      []time.Time `json:"sent,omitempty"`      // when codes were sent in the last day
	NextAt    time.Time   `json:"next_at,omitzero"`    // when another may be sent
	KeepUntil time.Time   `json:"keep_until"`          // when all of this is of no more use
}

// SigningKey is a key that signs access tokens.
type SigningKey struct {
	ID        string    `json:"id"`      // the kid: a number, counted from 1
	Public    []byte    `json:"public"`  // Ed25519
	Private   string    `json:"private"` // sealed
	CreatedAt time.Time `json:"created_at"`
	SignsFrom time.Time `json:"signs_from"` // later than CreatedAt, so that others have seen it by then
}
