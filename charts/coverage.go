package charts

import (
	"fmt"
	"strconv"
)

// Coverage shows in every row how much of a whole there is, against the target: 34 of 41
// streets.
type Coverage struct {
	Frame
	Target float64 // 0 for none
	Rows   []Covered
}

// Covered is a part of a whole. Where the whole is 0 the question does not apply; a part
// that is larger than the whole fills its bar.
type Covered struct {
	Label       string
	Part, Whole int64
	Hidden      string // why nothing is shown, "" otherwise
}

func (c Coverage) draw() *drawing {
	said, names, of := make([]string, len(c.Rows)), make([]string, len(c.Rows)), make([]string, len(c.Rows))
	for i, r := range c.Rows {
		said[i], names[i], of[i] = c.sayCovered(r), r.Label, r.fraction()
	}
	d := c.open(c.sayAll(c.Target, said))
	if len(c.Rows) == 0 {
		c.empty(d)
		return c.close(d, nil)
	}

	column := d.labelColumn(names)
	numbers := d.figureColumn(of)
	a := axis{0, margin + column.width + 18, numbers.left - 14}
	top := d.y
	if c.Target > 0 {
		top += 20
	}
	bottom := top + column.row*float64(len(c.Rows))
	d.shareAxis(a, top, bottom)
	seen := map[bool]bool{}
	for i, r := range c.Rows {
		y := top + column.row*(float64(i)+0.5)
		d.group(said[i], func() {
			d.rowLabel(column, y, r.Label)
			switch {
			case r.Hidden != "":
				d.hiddenRow(a.from, a.to, y, r.Hidden)
			case r.Whole <= 0:
				d.text("not-applicable", a.from+6, y+4, notApplicable.In(c.Lang), smallSize, start, grey)
			default:
				enough := c.enough(r)
				seen[enough] = true
				d.rect("whole", a.from, y-8, a.to-a.from, 16, pale, lineGrey)
				d.covered(a.from, y-8, a.at(r.share())-a.from, 16, enough)
				d.figure(numbers, y, percent(r.share()), of[i], !enough)
			}
		})
	}
	d.targetLine(a, c.Target, c.sayTarget(c.Target), top, bottom)
	d.y = bottom + 26

	var entries []entry
	for _, enough := range []bool{true, false} {
		name := notReached
		if enough {
			name = reached
		}
		if !(c.Target > 0) {
			name = covered
		}
		if seen[enough] {
			entries = append(entries, entry{func(d *drawing, x, y float64) { d.covered(x-10, y-7, 20, 14, enough) }, name.In(c.Lang)})
		}
	}
	return c.close(d, entries)
}

// covered draws a part: plain where it reaches the target, and with lines where not.
func (d *drawing) covered(x, y, w, h float64, enough bool) {
	if enough {
		d.rect("part reached", x, y, w, h, blue, "")
		return
	}
	d.rect("part missed", x, y, w, h, vermilion, "")
	d.add(&path{rings: hatch([][]point{corners(x, y, w, h)}, 5), stroke: white, width: 1})
}

// enough tells whether a row reaches the target, to four places, as shares are published.
func (c Coverage) enough(r Covered) bool {
	return float64(r.Part) >= (c.Target-0.00005)*float64(r.Whole)
}

func (r Covered) share() float64 { return unit(float64(r.Part) / float64(r.Whole)) }

func (r Covered) fraction() string {
	return strconv.FormatInt(r.Part, 10) + "/" + strconv.FormatInt(r.Whole, 10)
}

func (f Frame) sayCovered(r Covered) string {
	said := clean(r.Label) + colon.In(f.Lang)
	switch {
	case r.Hidden != "":
		return said + clean(r.Hidden)
	case r.Whole <= 0:
		return said + notApplicable.In(f.Lang)
	}
	return said + fmt.Sprintf("%s (%s)", r.fraction(), percent(r.share()))
}
