// Package photos makes uploaded pictures ready to be shown, keeps them in a
// folder or a bucket, and clears away those that nobody uses.
//
// A photo is three JPEGs. It is named by the hash of the largest, so that what
// stands under a name never changes and equal pictures are kept once.
package photos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"qingfu/directory"
)

// The bounds of an upload.
const (
	MaxBytes  = 10 << 20
	maxPixels = 40_000_000
	maxSide   = 12_000
)

// quality is that of the JPEGs.
const quality = 82

// Size is one of the pictures that a photo is kept as.
type Size struct {
	Name    string
	Longest int // side at most, in pixels; smaller pictures stay as they are
}

// Sizes are the sizes of every photo, the largest first.
var Sizes = []Size{{"large", 1920}, {"medium", 960}, {"thumb", 320}}

// Photo is a picture that is ready to be kept.
type Photo struct {
	ID            string // hash of the largest size
	Width, Height int    // of the largest size
	JPEGs         map[string][]byte
}

// bytes is how much the photo takes up.
func (p *Photo) bytes() (n int64) {
	for _, b := range p.JPEGs {
		n += int64(len(b))
	}
	return n
}

// format is a kind of file that is taken.
type format struct {
	is     func(data []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	exif   func(data []byte) []byte // finds the block, which may be nil
}

// formats are those with a decoder that is well kept up and of Go alone. HEIC, in
// which iPhones keep their photos, has none: gen2brain/heic is libde265 within a
// WASM runtime, gen2brain/h265 was first released in August 2026 and nobody
// imports it yet. iPhones send JPEG themselves where a page asks for it.
var formats = []format{
	{func(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8\xff")) }, jpeg.DecodeConfig, jpeg.Decode, exifOfJPEG},
	{func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }, png.DecodeConfig, png.Decode, exifOfPNG},
	{func(b []byte) bool { return bytes.HasPrefix(b, []byte("RIFF")) && hasAt(b, 8, "WEBP") }, webp.DecodeConfig, webp.Decode, exifOfWebP},
}

// What a refused picture is about; the word for HEIC has a message of its own.
const (
	what     = "photo"
	WhatHEIC = "heic"
)

// The Limits of refusals.
const (
	formatNames = "JPEG, PNG, WebP"
	byteLimit   = "10 MB"
	pixelLimit  = "12000 × 12000, 40 MP"
)

// heicBrands are the first brands of HEIC files (ISO/IEC 23008-12).
var heicBrands = []string{"heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"}

func hasAt(b []byte, at int, s string) bool {
	return len(b) >= at+len(s) && string(b[at:at+len(s)]) == s
}

func isHEIC(b []byte) bool {
	return hasAt(b, 4, "ftyp") && slices.ContainsFunc(heicBrands, func(brand string) bool { return hasAt(b, 8, brand) })
}

func refuse(what, code, limit string) error {
	return &directory.Error{Kind: directory.Invalid, What: what, Fields: []directory.FieldError{{Code: code, Limit: limit}}}
}

// working bounds the pixels that are worked on at once, and so the memory: at
// worst, for a progressive JPEG in four colours, 16 bytes each.
var working = semaphore.NewWeighted(maxPixels)

// Process makes a photo of an uploaded file, whose type is told by its content.
// Nothing of the file but its pixels gets into the photo. What cannot be used is
// Invalid; the file is then to blame as a whole.
func Process(ctx context.Context, data []byte) (*Photo, error) {
	if len(data) > MaxBytes {
		return nil, refuse(what, directory.CodeTooLarge, byteLimit)
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.is(data) })
	switch {
	case i >= 0:
	case isHEIC(data):
		return nil, refuse(WhatHEIC, directory.CodeFormat, formatNames)
	default:
		return nil, refuse(what, directory.CodeFormat, formatNames)
	}
	f := formats[i]
	// A few bytes can announce pixels without end.
	config, err := f.config(bytes.NewReader(data))
	switch {
	case err != nil || config.Width < 1 || config.Height < 1:
		return nil, refuse(what, directory.CodeFormat, formatNames)
	case config.Width > maxSide || config.Height > maxSide || config.Width*config.Height > maxPixels:
		return nil, refuse(what, directory.CodeTooLarge, pixelLimit)
	}
	pixels := int64(config.Width * config.Height)
	if err := working.Acquire(ctx, pixels); err != nil {
		return nil, err
	}
	defer working.Release(pixels)

	img, err := f.decode(&reader{ctx, bytes.NewReader(data)})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, refuse(what, directory.CodeFormat, formatNames)
	}
	return newPhoto(ctx, img, orientation(f.exif(data)))
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

func newPhoto(ctx context.Context, img image.Image, orientation int) (*Photo, error) {
	photo := &Photo{JPEGs: map[string][]byte{}}
	for i, size := range Sizes {
		fitted, err := fit(ctx, img, size.Longest)
		if err != nil {
			return nil, err
		}
		if i == 0 { // the others are made of it
			fitted = upright(fitted, orientation)
			photo.Width, photo.Height = fitted.Bounds().Dx(), fitted.Bounds().Dy()
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, fitted, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		photo.JPEGs[size.Name] = b.Bytes()
		img = fitted
	}
	sum := sha256.Sum256(photo.JPEGs[Sizes[0].Name])
	photo.ID = hex.EncodeToString(sum[:])
	return photo, nil
}
