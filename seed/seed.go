// Package seed holds the data that a new directory starts with: the divisions
// of Qinghai, the public holidays, the real listings that a publication
// vouches for, and two kinds of invented ones that say so, a small fixed set
// for demonstration and a generator of any size. README.md names the sources
// and the rules by which source rows became listings.
//
// Everything is embedded and deterministic: two calls give equal values, ids
// included, so that seeding twice changes nothing.
package seed

import (
	"bytes"
	"crypto/sha256"
	"time"

	"qingfu/directory"
)

// released returns the date of this release of the data. It stands for the
// creation and the last change of every listing that has no date of its own.
func released() time.Time {
	return time.Date(2026, time.November, 1, 0, 0, 0, 0, directory.Shanghai)
}

// newID returns a UUID of version 7 whose random bits are the first of the
// SHA-256 of key.
func newID(at time.Time, key string) string {
	sum := sha256.Sum256([]byte(key))
	id, _ := directory.NewID(at, bytes.NewReader(sum[:])) // fails only when its reader does
	return id
}
