package directory

import (
	"encoding/hex"
	"io"
	"time"
)

// NewID returns a UUID of version 7 (RFC 9562, 5.7): the milliseconds of now
// since 1970, then 74 bits read from random, so that ids sort by their time. It
// fails when random does, with the reader's error.
func NewID(now time.Time, random io.Reader) (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(random, u[6:]); err != nil {
		return "", err
	}
	ms := now.UnixMilli()
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0F | 0x70 // version 7
	u[8] = u[8]&0x3F | 0x80 // variant 10
	return FormatID(u), nil
}

// FormatID writes the bytes of a UUID in its canonical form.
func FormatID(u [16]byte) string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ValidID tells whether id is a UUID of any version in its canonical form: 36
// characters, lower case.
func ValidID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}
