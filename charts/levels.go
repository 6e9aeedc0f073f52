package charts

import (
	"fmt"
	"math"
	"strconv"

	"qingfu/directory"
)

// Levels shows how the ratings of every row are divided among the five levels, the
// highest first, as parts of a whole.
type Levels struct {
	Frame
	Rows []Distribution
}

// Distribution is how many ratings there are of level 1 to 5.
type Distribution struct {
	Label  string
	Levels [5]int64
	Hidden string // why nothing is shown, "" otherwise; without ratings nothing is in any case
}

// levelColours are those of level 1 to 5.
var levelColours = [5]string{vermilion, orange, "#e6e6e6", sky, blue}

func (c Levels) draw() *drawing {
	said, names, numbers := make([]string, len(c.Rows)), make([]string, len(c.Rows)), 0.0
	for i, r := range c.Rows {
		said[i], names[i] = c.sayLevels(r), r.Label
		numbers = max(numbers, room(sample(r.n()), smallSize))
	}
	d := c.open(c.sayAll(0, said))
	if len(c.Rows) == 0 {
		c.empty(d)
		return c.close(d, nil)
	}

	column := d.labelColumn(names)
	numbersAt := d.width - margin - numbers
	a := axis{0, margin + column.width + 18, numbersAt - 14}
	top := d.y
	bottom := top + column.row*float64(len(c.Rows))
	d.shareAxis(a, top, bottom)
	for i, r := range c.Rows {
		y := top + column.row*(float64(i)+0.5)
		d.group(said[i], func() {
			d.rowLabel(column, y, r.Label)
			if why := c.hiddenLevels(r); why != "" {
				d.hiddenRow(a.from, a.to, y, why)
				return
			}
			var before float64
			for level := 5; level >= 1; level-- {
				share := float64(max(0, r.Levels[level-1])) / float64(r.n())
				if share > 0 {
					d.level(level, a.at(before), y-9, a.at(before+share)-a.at(before), 18, strconv.Itoa(int(math.Round(share*100)))+"%")
				}
				before += share
			}
			d.text("of", numbersAt, y+5, sample(r.n()), smallSize, start, grey)
		})
	}
	d.y = bottom + 26
	var entries []entry
	for level := 5; level >= 1; level-- {
		entries = append(entries, entry{func(d *drawing, x, y float64) { d.level(level, x-10, y-7, 20, 14, "") }, directory.Levels[level-1].In(c.Lang)})
	}
	return c.close(d, entries)
}

// level draws the part of a level: lines that fall to the right on level 1 and that rise
// on level 2 tell them from 5 and 4 without colours.
func (d *drawing) level(level int, x, y, w, h float64, text string) {
	d.rect("level level-"+strconv.Itoa(level), x, y, w, h, levelColours[level-1], white)
	ring := corners(x, y, w, h)
	switch level {
	case 1:
		d.add(&path{rings: mirrored(hatch(mirrored([][]point{ring}), 4)), stroke: white, width: 1})
	case 2:
		d.add(&path{rings: hatch([][]point{ring}, 6), stroke: black, width: 0.75})
	}
	if text != "" && room(text, smallSize)+6 <= w {
		l := d.text("part", x+w/2, y+h/2+4, text, smallSize, middle, black)
		if level == 5 {
			l.colour = white
		} else {
			l.halo = level < 3
		}
	}
}

// mirrored turns left and right around.
func mirrored(rings [][]point) [][]point {
	out := make([][]point, len(rings))
	for i, ring := range rings {
		for _, p := range ring {
			out[i] = append(out[i], point{-p.x, p.y})
		}
	}
	return out
}

func (r Distribution) n() int64 {
	var n int64
	for _, k := range r.Levels {
		n += max(0, k)
	}
	return n
}

func (f Frame) hiddenLevels(r Distribution) string {
	if r.Hidden == "" && r.n() == 0 {
		return noData.In(f.Lang)
	}
	return r.Hidden
}

func (f Frame) sayLevels(r Distribution) string {
	said := clean(r.Label) + colon.In(f.Lang)
	if why := f.hiddenLevels(r); why != "" {
		return said + clean(why)
	}
	for level := 5; level >= 1; level-- {
		said += fmt.Sprintf("%s %d%s", directory.Levels[level-1].In(f.Lang), r.Levels[level-1], comma.In(f.Lang))
	}
	return said + sample(r.n())
}
