package charts

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// density is how many pixels of a PNG one of the SVG becomes along each side, so that it
// can be printed.
const density = 2

// haloWidth is that of the white line around a text, half of which is outside.
const haloWidth = 3

// PNG returns a chart as PNG, with twice as many pixels along each side as the SVG. It
// needs no fonts. The error is that of the encoder, which knows none for such a picture.
func PNG(c Chart) ([]byte, error) {
	var out bytes.Buffer
	if err := png.Encode(&out, paint(c.draw())); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func paint(d *drawing) *image.RGBA {
	p := &painter{picture: image.NewRGBA(image.Rect(0, 0, int(d.width*density), int(d.height*density)))}
	draw.Draw(p.picture, p.picture.Bounds(), image.White, image.Point{}, draw.Src)
	for _, s := range d.shapes {
		s.paint(p)
	}
	return p.picture
}

type painter struct {
	picture *image.RGBA
	buf     sfnt.Buffer
}

func (p *path) paint(to *painter) {
	if p.closed {
		to.fillEvenOdd(p.rings, p.fill)
	}
	to.stroke(p.rings, p.closed, p.width, p.dash, p.stroke)
}

func (c *disc) paint(to *painter) {
	const corners = 48
	ring := make([]point, corners)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		ring[i] = point{c.at.x + c.r*cos, c.at.y + c.r*sin}
	}
	to.fill([][]point{ring}, c.fill)
	to.stroke([][]point{ring}, true, 1, 0, c.stroke)
}

func (l *label) paint(to *painter) {
	x := l.at.x
	switch l.anchor {
	case middle:
		x -= textWidth(l.text, l.size) / 2
	case end:
		x -= textWidth(l.text, l.size)
	}
	rings := to.outlines(l.text, x, l.at.y, l.size)
	if l.halo {
		to.stroke(rings, true, haloWidth, 0, white)
	}
	to.fill(rings, l.colour)
	if l.bold { // there is no bold font
		to.stroke(rings, true, l.size/26, 0, l.colour)
	}
}

func (openGroup) paint(*painter)  {}
func (closeGroup) paint(*painter) {}

// outlines returns the outlines of a text that begins at x on the baseline y. Marks that
// belong above or below the character before them are left out, because placing them
// takes more than their outlines.
func (to *painter) outlines(text string, x, y, size float64) [][]point {
	var rings [][]point
	for _, r := range text {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			continue
		}
		at := func(p fixed.Point26_6) point {
			const em = 64 * perEm
			return point{x + float64(p.X)/em*size, y + float64(p.Y)/em*size}
		}
		i, err := typeface().GlyphIndex(&to.buf, r)
		if err != nil {
			i = 0 // the box of what the font has not
		}
		segments, err := typeface().LoadGlyph(&to.buf, i, fixed.I(perEm), nil)
		if err == nil {
			for _, s := range segments {
				switch s.Op {
				case sfnt.SegmentOpMoveTo:
					rings = append(rings, []point{at(s.Args[0])})
				case sfnt.SegmentOpLineTo:
					rings[len(rings)-1] = append(rings[len(rings)-1], at(s.Args[0]))
				case sfnt.SegmentOpCubeTo: // the font has no other curves
					ring := rings[len(rings)-1]
					rings[len(rings)-1] = appendCurve(ring, ring[len(ring)-1], at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
				}
			}
		}
		x += advance(&to.buf, r) * size
	}
	return rings
}

// appendCurve adds a cubic Bézier curve as straight lines.
func appendCurve(ring []point, a, b, c, d point) []point {
	const pieces = 5
	for i := 1; i <= pieces; i++ {
		t := float64(i) / pieces
		u := 1 - t
		ka, kb, kc, kd := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		ring = append(ring, point{ka*a.x + kb*b.x + kc*c.x + kd*d.x, ka*a.y + kb*b.y + kc*c.y + kd*d.y})
	}
	return ring
}

// fillEvenOdd fills an area of which rings inside of others are holes: the masks of the
// rings are combined, because the rasterizer looks at how the rings wind.
func (to *painter) fillEvenOdd(rings [][]point, colour string) {
	box := to.box(rings)
	if len(rings) < 2 || box.Empty() {
		to.fill(rings, colour)
		return
	}
	mask := image.NewAlpha(box)
	for _, ring := range rings {
		for i, c := range to.mask([][]point{ring}, box).Pix {
			a, b := uint32(mask.Pix[i]), uint32(c)
			mask.Pix[i] = uint8((a*(255-b) + b*(255-a) + 127) / 255)
		}
	}
	to.tint(mask, colour)
}

// fill fills the area that rings go around.
func (to *painter) fill(rings [][]point, colour string) {
	if box := to.box(rings); !box.Empty() {
		to.tint(to.mask(rings, box), colour)
	}
}

// stroke draws lines with round corners.
func (to *painter) stroke(rings [][]point, closed bool, width, dash float64, colour string) {
	if colour == "" {
		return
	}
	var pieces [][]point
	for _, ring := range rings {
		if closed && len(ring) > 0 {
			ring = append(ring[:len(ring):len(ring)], ring[0])
		}
		for i := 1; i < len(ring); i++ {
			for _, piece := range dashes(ring[i-1], ring[i], dash) {
				pieces = append(pieces, bone(piece[0], piece[1], width/2, closed || i > 1, closed || i < len(ring)-1))
			}
		}
	}
	to.fill(pieces, colour)
}

// dashes parts a line into dashes that are as long as the gaps.
func dashes(a, b point, dash float64) [][2]point {
	length := math.Hypot(b.x-a.x, b.y-a.y)
	if dash <= 0 || length == 0 {
		return [][2]point{{a, b}}
	}
	along := func(l float64) point {
		t := min(l/length, 1)
		return point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)}
	}
	var out [][2]point
	for l := 0.0; l < length; l += 2 * dash {
		out = append(out, [2]point{along(l), along(l + dash)})
	}
	return out
}

// bone is a line of a half width as an area that always winds the same way, with a round
// end where another line follows.
func bone(a, b point, half float64, roundStart, roundEnd bool) []point {
	angle := math.Atan2(b.y-a.y, b.x-a.x)
	side := func(p point, turn float64) point {
		sin, cos := math.Sincos(angle + turn)
		return point{p.x + half*cos, p.y + half*sin}
	}
	steps := func(round bool) int {
		if round {
			return 6
		}
		return 1
	}
	var out []point
	for i, n := 0, steps(roundEnd); i <= n; i++ {
		out = append(out, side(b, -math.Pi/2+math.Pi*float64(i)/float64(n)))
	}
	for i, n := 0, steps(roundStart); i <= n; i++ {
		out = append(out, side(a, math.Pi/2+math.Pi*float64(i)/float64(n)))
	}
	return out
}

// box returns the pixels that rings can touch.
func (to *painter) box(rings [][]point) image.Rectangle {
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, ring := range rings {
		for _, p := range ring {
			low = point{min(low.x, p.x), min(low.y, p.y)}
			high = point{max(high.x, p.x), max(high.y, p.y)}
		}
	}
	if low.x > high.x {
		return image.Rectangle{}
	}
	pixel := func(v float64) int { return int(min(max(v*density, -1e6), 1e6)) }
	return image.Rect(pixel(low.x)-1, pixel(low.y)-1, pixel(high.x)+2, pixel(high.y)+2).Intersect(to.picture.Bounds())
}

// mask returns how much of every pixel of a box is inside of rings.
func (to *painter) mask(rings [][]point, box image.Rectangle) *image.Alpha {
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	r.DrawOp = draw.Src
	at := func(p point) (x, y float32) {
		return float32(p.x*density - float64(box.Min.X)), float32(p.y*density - float64(box.Min.Y))
	}
	for _, ring := range rings {
		for i, p := range ring {
			if i == 0 {
				r.MoveTo(at(p))
			} else {
				r.LineTo(at(p))
			}
		}
		r.ClosePath()
	}
	mask := image.NewAlpha(box)
	r.Draw(mask, box, image.Opaque, image.Point{})
	return mask
}

// tint colours what a mask shows.
func (to *painter) tint(mask *image.Alpha, colour string) {
	if colour == "" {
		return
	}
	v, _ := strconv.ParseUint(colour[1:], 16, 32) // the colours of this package are #rrggbb
	c := color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
	draw.DrawMask(to.picture, mask.Bounds(), image.NewUniform(c), image.Point{}, mask, mask.Bounds().Min, draw.Over)
}
