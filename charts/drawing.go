package charts

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// drawing is a picture as a list of shapes, of which later ones cover earlier ones. The
// origin is the upper left corner, lengths are pixels of the SVG.
type drawing struct {
	width, height      float64
	title, description string
	shapes             []shape
	y                  float64 // down to where the picture is filled
}

// shape is something that can be drawn in both ways.
type shape interface {
	writeSVG(*svgWriter)
	paint(*painter)
}

type point struct{ x, y float64 }

// path is some lines or, when they are closed, an area by the even-odd rule. Its class
// is one of the SVG element, by which pages can style it.
type path struct {
	class        string
	rings        [][]point
	closed       bool
	fill, stroke string // colours #rrggbb; "" is none
	width        float64
	dash         float64 // length of dashes and gaps, 0 for none
}

type disc struct {
	class        string
	at           point
	r            float64
	fill, stroke string
}

// label is one line of text.
type label struct {
	class  string
	at     point // on the baseline
	text   string
	size   float64
	anchor anchor
	colour string
	bold   bool
	halo   bool // white around it, for texts on colours
}

// anchor says which point of a text is at its place.
type anchor string

const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

// openGroup begins a group of shapes with a tooltip, closeGroup ends it.
type (
	openGroup  struct{ tip string }
	closeGroup struct{}
)

func (d *drawing) add(s shape) { d.shapes = append(d.shapes, s) }

// group draws some shapes that have a tooltip.
func (d *drawing) group(tip string, draw func()) {
	d.add(openGroup{clean(tip)})
	draw()
	d.add(closeGroup{})
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64, colour string, width float64) *path {
	p := &path{class: class, rings: [][]point{{{x1, y1}, {x2, y2}}}, stroke: colour, width: width}
	d.add(p)
	return p
}

func corners(x, y, w, h float64) []point {
	return []point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
}

func (d *drawing) rect(class string, x, y, w, h float64, fill, stroke string) {
	d.add(&path{class: class, rings: [][]point{corners(x, y, w, h)}, closed: true, fill: fill, stroke: stroke, width: 1})
}

// text draws one line of clean text.
func (d *drawing) text(class string, x, y float64, text string, size float64, a anchor, colour string) *label {
	l := &label{class: class, at: point{x, y}, text: text, size: size, anchor: a, colour: colour}
	d.add(l)
	return l
}

// paragraph draws a text across the whole picture in at most some lines.
func (d *drawing) paragraph(text string, size float64, colour string, bold bool, lines int) {
	for _, line := range wrap(clean(text), size, d.width-2*margin, lines) {
		d.y += math.Round(size * 1.4)
		d.text("", margin, d.y-math.Round(size*0.3), line, size, start, colour).bold = bold
	}
}

// hatchedRect is a place where nothing is shown.
func (d *drawing) hatchedRect(class string, x, y, w, h float64) {
	d.hatched(class, [][]point{corners(x, y, w, h)})
}

// hatched is an area where nothing is shown: pale, with thin lines that rise to the right.
func (d *drawing) hatched(class string, rings [][]point) {
	d.add(&path{class: class, rings: rings, closed: true, fill: pale, stroke: lineGrey, width: 1})
	d.add(&path{rings: hatch(rings, 6), stroke: lineGrey, width: 1})
}

// hatch returns lines through an area by the even-odd rule, rising to the right, some
// pixels apart from each other. They lie at the same places in the whole picture.
func hatch(rings [][]point, apart float64) [][]point {
	// A line is all points of one sum x+y, so that cutting it needs the sums alone.
	apart *= math.Sqrt2
	low, high := math.Inf(1), math.Inf(-1)
	for _, ring := range rings {
		for _, p := range ring {
			low, high = min(low, p.x+p.y), max(high, p.x+p.y)
		}
	}
	var out [][]point
	for s := math.Ceil(low/apart) * apart; s < high; s += apart {
		out = append(out, cut(rings, point.sum, s)...)
	}
	return out
}

func (p point) sum() float64 { return p.x + p.y }

func (p point) down() float64 { return p.y }

// cut returns the pieces inside of an area of the straight line on which a linear
// coordinate has a value, from left to right.
func cut(rings [][]point, coordinate func(point) float64, value float64) [][]point {
	var at []point
	for _, ring := range rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			ca, cb := coordinate(a), coordinate(b)
			if (ca > value) != (cb > value) {
				t := (value - ca) / (cb - ca)
				at = append(at, point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)})
			}
		}
	}
	slices.SortFunc(at, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	var out [][]point
	for i := 0; i+1 < len(at); i += 2 {
		out = append(out, []point{at[i], at[i+1]})
	}
	return out
}

// narrow tells whether a picture is as wide as a phone: its rows have two lines then.
func (d *drawing) narrow() bool { return d.width < 480 }

// labels is the column of names at the left of rows.
type labels struct{ width, row float64 }

// labelColumn returns the column that holds the names, in two lines where they are long.
func (d *drawing) labelColumn(names []string) labels {
	l := labels{row: 26}
	limit := math.Round(d.width * 0.29)
	for _, name := range names {
		l.width = max(l.width, room(clean(name), textSize))
	}
	if l.width > limit || d.narrow() {
		l = labels{width: min(l.width, limit), row: 36}
	}
	return l
}

// figures is the column of numbers at the right of rows: a share, and behind or below it
// of how many.
type figures struct{ left, shareEnd, of float64 }

func (d *drawing) figureColumn(of []string) figures {
	var widest float64
	for _, text := range of {
		widest = max(widest, room(text, smallSize))
	}
	right, share := d.width-margin, room("100.0%", textSize)
	if d.narrow() {
		return figures{left: right - max(share, widest), shareEnd: right}
	}
	f := figures{of: right - widest}
	f.shareEnd = f.of - 8
	f.left = f.shareEnd - share
	return f
}

func (d *drawing) figure(f figures, y float64, share, of string, bold bool) {
	if d.narrow() {
		d.text("share", f.shareEnd, y-2, share, textSize, end, black).bold = bold
		d.text("of", f.shareEnd, y+13, of, smallSize, end, grey)
		return
	}
	d.text("share", f.shareEnd, y+5, share, textSize, end, black).bold = bold
	d.text("of", f.of, y+5, of, smallSize, start, grey)
}

// rowLabel draws a name around a height.
func (d *drawing) rowLabel(l labels, y float64, name string) {
	name = clean(name)
	if room(name, textSize) <= l.width {
		d.text("row", margin, y+5, name, textSize, start, black)
		return
	}
	lines := wrap(name, smallSize, l.width/1.06, 2)
	for i, line := range lines {
		d.text("row", margin, y+4+15*(float64(i)-float64(len(lines)-1)/2), line, smallSize, start, black)
	}
}

// hiddenRow says between two places why nothing is shown.
func (d *drawing) hiddenRow(from, to, y float64, why string) {
	d.hatchedRect("hidden", from, y-9, to-from, 18)
	d.text("why", (from+to)/2, y+4, elide(clean(why), smallSize, to-from-12), smallSize, middle, black).halo = true
}

// shareAxis draws the scale of shares under rows, with lines up to their top, and the
// line at the target.
func (d *drawing) shareAxis(a axis, top, bottom float64) {
	for _, t := range a.ticks(44) {
		d.line("", a.at(t), top, a.at(t), bottom, rule, 1)
		d.text("tick", a.at(t), bottom+16, strconv.Itoa(int(math.Round(t*100)))+"%", smallSize, middle, grey)
	}
}

// targetLine draws the line at the target from top to bottom, with its name above.
func (d *drawing) targetLine(a axis, share float64, name string, top, bottom float64) {
	if name == "" {
		return
	}
	x := a.at(share)
	half := room(name, smallSize) / 2
	d.line("target", x, top-3, x, bottom, black, 1.5).dash = 5
	d.text("target", min(x, d.width-margin-half), top-8, name, smallSize, middle, black)
}
