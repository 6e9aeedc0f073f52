package charts

import (
	"math"
	"strconv"
)

// Trend is a share with its interval from period to period, the oldest first, against the
// target. Where a period is hidden there is a gap.
type Trend struct {
	Frame
	Target  float64    // 0 for none
	Periods []Interval // whose labels are short: 2026-11, 2026-Q4
}

func (c Trend) draw() *drawing {
	said := make([]string, len(c.Periods))
	for i, p := range c.Periods {
		said[i] = c.say(p)
	}
	d := c.open(c.sayAll(c.Target, said))
	if len(c.Periods) == 0 {
		c.empty(d)
		return c.close(d, nil)
	}

	const height = 220
	top := d.y + 8
	bottom := top + height
	var widest float64
	for _, p := range c.Periods {
		widest = max(widest, min(room(clean(p.Label), smallSize), 120))
	}
	left, right := margin+room("100%", smallSize)+8, d.width-margin
	slot := (right - left) / float64(len(c.Periods))
	if over := (widest - slot) / 2; over > 0 { // the name of the last period
		right -= over
		slot = (right - left) / float64(len(c.Periods))
	}
	x := func(i int) float64 { return left + slot*(float64(i)+0.5) }
	a := axis{c.lowest(c.Periods, c.Target), bottom, top}

	for _, t := range a.ticks(28) {
		d.line("", left, a.at(t), right, a.at(t), rule, 1)
		d.text("tick", left-8, a.at(t)+4, strconv.Itoa(int(math.Round(t*100)))+"%", smallSize, end, grey)
	}
	for i, p := range c.Periods {
		if c.hidden(p) != "" {
			d.group(said[i], func() { d.hatchedRect("hidden", x(i)-slot/2, top, slot, height) })
		}
	}
	for _, run := range c.runs() {
		ring := make([]point, 0, run[1]-run[0])
		for i := run[0]; i < run[1]; i++ {
			ring = append(ring, point{x(i), a.at(c.Periods[i].Share)})
		}
		d.add(&path{class: "trend", rings: [][]point{ring}, stroke: lineGrey, width: 1.5})
	}
	for i, p := range c.Periods {
		if c.hidden(p) == "" {
			d.group(said[i], func() {
				d.bar("interval", x(i), a.at(p.Low), x(i), a.at(p.High), min(4, slot/4), p.Thin)
				d.marker(p.Verdict, x(i), a.at(p.Share), min(5, max(2.5, slot/3)))
			})
		}
	}
	entries := c.entries(c.Periods, true)
	if name := c.sayTarget(c.Target); name != "" {
		y := a.at(c.Target)
		d.line("target", left, y, right, y, black, 1.5).dash = 5
		entries = append(entries, entry{func(d *drawing, x, y float64) { d.line("", x-10, y, x+10, y, black, 1.5).dash = 5 }, name})
	}
	c.periodLabels(d, x, slot, bottom, widest)
	d.y = bottom + 26
	return c.close(d, entries)
}

// runs returns from where, up to before where, periods follow each other that are shown.
// One that stands alone needs no line.
func (c Trend) runs() [][2]int {
	var out [][2]int
	from := 0
	for i := range len(c.Periods) + 1 {
		if i < len(c.Periods) && c.hidden(c.Periods[i]) == "" {
			continue
		}
		if i-from > 1 {
			out = append(out, [2]int{from, i})
		}
		from = i + 1
	}
	return out
}

// periodLabels names as many periods as there is room for, the latest in any case.
func (c Trend) periodLabels(d *drawing, x func(int) float64, slot, bottom, widest float64) {
	step := int(math.Ceil((widest + 10) / slot))
	for i, p := range c.Periods {
		d.line("", x(i), bottom, x(i), bottom+4, lineGrey, 1)
		if (len(c.Periods)-1-i)%step != 0 {
			continue
		}
		name := elide(clean(p.Label), smallSize, widest)
		d.text("period", x(i), bottom+18, name, smallSize, middle, black)
	}
}
