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
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"qingfu/directory"
)

// released returns the date of this release of the data. It stands for the
// creation and the last change of every listing that has no date of its own.
func released() time.Time {
	return time.Date(2026, time.November, 1, 0, 0, 0, 0, directory.Shanghai)
}

// newID returns an id in the shape of a UUID version 7 (RFC 9562, 5.7): the
// time in milliseconds, and where others have random bits, the first bits of
// the SHA-256 of key.
func newID(at time.Time, key string) string {
	var id [16]byte
	sum := sha256.Sum256([]byte(key))
	copy(id[6:], sum[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80

	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
