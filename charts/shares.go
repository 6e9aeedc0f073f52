package charts

import (
	"strconv"

	"qingfu/directory"
)

// Shares is a dot plot: a share with its interval in every row, against the target.
type Shares struct {
	Frame
	Target float64 // 0 for none
	Rows   []Interval
}

func (c Shares) draw() *drawing {
	said, names, of := make([]string, len(c.Rows)), make([]string, len(c.Rows)), make([]string, len(c.Rows))
	for i, r := range c.Rows {
		said[i], names[i], of[i] = c.say(r), r.Label, sample(r.N)
	}
	d := c.open(c.sayAll(c.Target, said))
	if len(c.Rows) == 0 {
		c.empty(d)
		return c.close(d, nil)
	}

	column := d.labelColumn(names)
	numbers := d.figureColumn(of)
	a := axis{c.lowest(c.Rows, c.Target), margin + column.width + 18, numbers.left - 14}
	top := d.y + 20
	bottom := top + column.row*float64(len(c.Rows))
	d.shareAxis(a, top, bottom)
	d.targetLine(a, c.Target, c.sayTarget(c.Target), top, bottom)
	for i, r := range c.Rows {
		y := top + column.row*(float64(i)+0.5)
		d.group(said[i], func() {
			d.rowLabel(column, y, r.Label)
			if why := c.hidden(r); why != "" {
				d.hiddenRow(a.from, a.to, y, why)
				return
			}
			d.bar("interval", a.at(r.Low), y, a.at(r.High), y, 4, r.Thin)
			d.marker(r.Verdict, a.at(r.Share), y, 5)
			d.figure(numbers, y, percent(r.Share), of[i], r.Verdict == directory.NotMet)
		})
	}
	d.y = bottom + 26
	return c.close(d, c.entries(c.Rows, true))
}

func sample(n int64) string { return "n=" + strconv.FormatInt(n, 10) }
