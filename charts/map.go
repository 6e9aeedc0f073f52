package charts

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"qingfu/directory"
)

// Map colours regions by their verdict.
type Map struct {
	Frame
	Target   float64             // 0 for none
	Outlines []directory.Outline // of the prefectures: [directory.Regions.Outlines]
	// Areas are the figures by the code of the region; their labels are short, such as 西宁.
	// One without an outline is only in the description.
	Areas map[string]Interval
}

func (c Map) draw() *drawing {
	var said []string
	var shown []Interval
	rest := maps.Clone(c.Areas)
	c.Outlines = slices.DeleteFunc(slices.Clone(c.Outlines), func(o directory.Outline) bool { return len(o.Rings) == 0 })
	for _, o := range c.Outlines {
		area := c.area(o.Code)
		said, shown = append(said, c.say(area)), append(shown, area)
		delete(rest, o.Code)
	}
	for _, code := range slices.Sorted(maps.Keys(rest)) {
		said = append(said, c.say(rest[code]))
	}
	d := c.open(c.sayAll(c.Target, said))
	flat, height := project(c.Outlines, margin, d.y+4, d.width-2*margin-calloutWidth)
	if len(flat) == 0 {
		c.empty(d)
		return c.close(d, nil)
	}

	for i, rings := range flat {
		d.group(said[i], func() { c.fill(d, shown[i], rings) })
	}
	var outside []callout
	for i, rings := range flat {
		at, wide := inside(rings)
		if l := c.label(shown[i], wide); l.whole {
			c.write(d, l, at)
		} else {
			outside = append(outside, callout{c.label(shown[i], calloutWidth-14), at})
		}
	}
	d.y = c.callouts(d, outside, d.y+4+labelHeight/2, d.y+height) + 12
	entries := c.entries(shown, false)
	if name := c.sayTarget(c.Target); name != "" {
		entries = append(entries, entry{nil, name})
	}
	return c.close(d, entries)
}

// area returns the figure of a region, one without data where there is none.
func (c Map) area(code string) Interval {
	if area, ok := c.Areas[code]; ok {
		return area
	}
	return Interval{Label: code, Hidden: noData.In(c.Lang)}
}

func (c Map) fill(d *drawing, area Interval, rings [][]point) {
	if c.hidden(area) != "" {
		d.hatched("area hidden", rings)
		return
	}
	p := &path{class: "area", rings: rings, closed: true, fill: "#c8c8c8", stroke: white, width: 1.25}
	for _, v := range verdicts {
		if v.verdict == area.Verdict {
			p.class, p.fill = "area "+string(v.verdict), v.colour
		}
	}
	d.add(p)
}

// What is kept for labels beside the map, and for one label.
const (
	calloutWidth = 84
	labelHeight  = 34
)

// areaLabel is what stands in a region: its name, and below it the share with the sign of
// the verdict, or why there is none.
type areaLabel struct {
	name, value string
	verdict     directory.Verdict
	sign        float64 // width of the sign, 0 for none
	width       float64
	whole       bool // nothing of it is cut off
}

// label returns the label of a region, cut off so that it is not wider than that.
func (c Map) label(area Interval, width float64) areaLabel {
	l := areaLabel{name: area.Label, value: c.hidden(area), verdict: area.Verdict}
	if l.value == "" {
		l.value, l.sign = percent(area.Share), 14
	}
	name, value := clean(l.name), clean(l.value)
	l.name, l.value = elide(name, smallSize, width/1.06), elide(value, smallSize, (width-l.sign)/1.06)
	l.whole = l.name == name && l.value == value
	l.width = max(room(l.name, smallSize), room(l.value, smallSize)+l.sign)
	return l
}

// write writes a label around a point.
func (c Map) write(d *drawing, l areaLabel, at point) {
	d.text("area", at.x, at.y-3, l.name, smallSize, middle, black).halo = true
	if l.sign > 0 {
		d.marker(l.verdict, at.x-textWidth(l.value, smallSize)/2-1, at.y+8, 4.5)
	}
	d.text("share", at.x+l.sign/2, at.y+12, l.value, smallSize, middle, black).halo = true
}

// callout is a label that has no room in its region.
type callout struct {
	areaLabel
	at point // in the region
}

// callouts writes labels one below the other at the right of the map, each at the height
// of its region where that can be, and leads from there to the region. It returns the
// bottom, which is lower where there are many.
func (c Map) callouts(d *drawing, list []callout, top, bottom float64) float64 {
	end := bottom
	bottom = max(bottom, top+labelHeight*float64(len(list)-1))
	slices.SortStableFunc(list, func(a, b callout) int { return cmp.Compare(a.at.y, b.at.y) })
	y := make([]float64, len(list))
	for i, l := range list {
		y[i] = max(l.at.y, top)
		top = y[i] + labelHeight
	}
	for i := len(list) - 1; i >= 0; i-- {
		y[i] = min(y[i], bottom)
		bottom = y[i] - labelHeight
	}
	for i, l := range list {
		edge := d.width - margin - l.width - 2
		for _, s := range []struct {
			colour string
			width  float64
		}{{white, 3}, {black, 1}} {
			d.add(&path{class: "leader", rings: [][]point{{l.at, {edge - 12, y[i]}, {edge - 2, y[i]}}}, stroke: s.colour, width: s.width})
		}
		d.add(&disc{at: l.at, r: 2.5, fill: black, stroke: white})
		c.write(d, l.areaLabel, point{d.width - margin - l.width/2, y[i]})
		end = max(end, y[i]+labelHeight/2)
	}
	return end
}

// project puts outlines on a plane of a width: longitudes shrink with the cosine of the
// latitude in the middle, which is true enough for a province.
func project(outlines []directory.Outline, left, top, width float64) (flat [][][]point, height float64) {
	west, east, south, north := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, o := range outlines {
		for _, ring := range o.Rings {
			for _, p := range ring {
				west, east = min(west, p.Lon), max(east, p.Lon)
				south, north = min(south, p.Lat), max(north, p.Lat)
			}
		}
	}
	if !(east > west && north > south) {
		return nil, 0
	}
	shrink := math.Cos((south + north) / 2 * math.Pi / 180)
	scale := width / ((east - west) * shrink)
	for _, o := range outlines {
		var rings [][]point
		for _, ring := range o.Rings {
			var out []point
			for _, p := range ring {
				out = append(out, point{left + (p.Lon-west)*shrink*scale, top + (north-p.Lat)*scale})
			}
			rings = append(rings, out)
		}
		flat = append(flat, rings)
	}
	return flat, (north - south) * scale
}

// inside returns where in an area there is much room for a text and how wide it is there:
// the middle of the piece of a horizontal line through it that is long and that stays so a
// little above and below.
func inside(rings [][]point) (at point, wide float64) {
	top, bottom := math.Inf(1), math.Inf(-1)
	for _, ring := range rings {
		for _, p := range ring {
			top, bottom = min(top, p.y), max(bottom, p.y)
		}
	}
	var best float64
	const lines = 40
	for i := range lines {
		y := top + (bottom-top)*(float64(i)+0.5)/lines
		for _, piece := range cut(rings, point.down, y) {
			from, to := piece[0].x, piece[1].x
			for _, near := range []float64{-labelHeight / 2.5, labelHeight / 2.5} {
				from, to = overlap(rings, y+near, from, to)
			}
			// In the middle between top and bottom it looks best.
			if r := (to - from) * (1 - math.Abs(y-(top+bottom)/2)/(bottom-top)/2); r > best {
				best, at, wide = r, point{(from + to) / 2, y}, to-from
			}
		}
	}
	if best > 0 {
		return at, wide
	}
	// So flat that no text fits: the middle of the points.
	var n float64
	for _, ring := range rings {
		for _, p := range ring {
			at, n = point{at.x + p.x, at.y + p.y}, n+1
		}
	}
	return point{at.x / max(1, n), at.y / max(1, n)}, 0
}

// overlap returns the longest stretch from one x to another that is inside at a height too.
func overlap(rings [][]point, y, from, to float64) (left, right float64) {
	for _, piece := range cut(rings, point.down, y) {
		if l, r := max(from, piece[0].x), min(to, piece[1].x); r-l > right-left {
			left, right = l, r
		}
	}
	return left, right
}
