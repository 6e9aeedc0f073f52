// Package charts draws the figures of the directory as SVG and as PNG.
//
// A chart is a value that says what is shown ([Shares], [Trend], [Levels], [Coverage],
// [Map]); [SVG] and [PNG] make a picture of it. The same input gives the same bytes.
//
// The charts are drawn here and not by a library, because none of those looked at does
// what official statistics need. go-analyze/charts v0.6.4 has no intervals around its
// points, no hatching and no maps, puts everything on whole pixels, and describes nothing
// to those who cannot see it. gonum.org/v1/plot v0.17.0 has error bars, but neither
// hatching nor descriptions, and fonts for Latin letters only. tdewolff/canvas
// (2025-07-28) is a surface and no chart library, and needs 74 modules; sbinet/gg
// v0.8.0 knows pixels only, and fonts by a library that nobody has kept up since 2017. So
// a chart is a list of paths, discs and texts (drawing.go), which svg.go writes and png.go
// paints with golang.org/x/image/vector.
//
// PNG shows Chinese without any font on the machine: the outlines come from a part of
// Noto Sans CJK (font.go) that is 1.5 MB large, less than the bitmap fonts of
// hajimehoshi/bitmapfont/v3 (2.4 MB), and that can be printed at any size.
package charts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"qingfu/directory"
)

// Chart is one of the charts of this package.
type Chart interface{ draw() *drawing }

// Frame is what stands around every chart. All texts may be any string: what cannot be
// part of XML is replaced, what is too long is wrapped and then cut off.
type Frame struct {
	Title    string
	Subtitle string // the period, n, and what is counted
	Note     string // below the chart: the source, the rule
	// Lang is the language of the chart's own texts: those of [directory.Names], Chinese
	// where there is no translation.
	Lang string
	// Demo says on the chart that its figures come from demonstration data.
	Demo bool
	// Width of the SVG in pixels, 360 to 1440; a narrower or wider one is set to that, 0
	// means 560. Texts keep their size. A PNG has twice as many pixels.
	Width int
}

// Interval is a share with its 95% interval and what follows from it.
type Interval struct {
	Label            string
	Share, Low, High float64 // 0 to 1
	N                int64
	Verdict          directory.Verdict
	Thin             bool // too few to be compared with others: the interval is dashed
	// Hidden is why nothing is shown; "" otherwise. An interval with the verdict
	// [directory.TooFew] or without a share (NaN) is hidden in any case.
	Hidden string
}

// The palette is that of Okabe and Ito (Color Universal Design, 2008), which people with
// any kind of colour vision can tell apart. Every colour comes with a shape or a pattern.
const (
	blue      = "#0072b2"
	sky       = "#56b4e9"
	yellow    = "#f0e442"
	orange    = "#e69f00"
	vermilion = "#d55e00"
	black     = "#1a1a1a"
	grey      = "#595959" // of text: 7 to 1 on white
	lineGrey  = "#8c8c8c"
	rule      = "#dedede"
	pale      = "#f4f4f4"
	white     = "#ffffff"
)

// Sizes of text.
const (
	titleSize = 17
	textSize  = 13
	smallSize = 12
)

const margin = 12

var (
	met           = directory.Names{Zh: "达标", En: "Target met"}
	notMet        = directory.Names{Zh: "未达标", En: "Target not met"}
	uncertain     = directory.Names{Zh: "未定", En: "Uncertain"}
	tooFew        = directory.Names{Zh: "样本不足", En: "Too few"}
	noData        = directory.Names{Zh: "没有数据", En: "No data"}
	notApplicable = directory.Names{Zh: "不适用", En: "Not applicable"}
	target        = directory.Names{Zh: "目标", En: "Target"}
	interval      = directory.Names{Zh: "95%置信区间", En: "95% interval"}
	thin          = directory.Names{Zh: "样本较少", En: "Few ratings"}
	reached       = directory.Names{Zh: "达到目标", En: "Target reached"}
	notReached    = directory.Names{Zh: "未达到目标", En: "Target not reached"}
	covered       = directory.Names{Zh: "已覆盖", En: "Covered"}
	demoData      = directory.Names{Zh: "示例数据", En: "示例数据 Demonstration data"}
	colon         = directory.Names{Zh: "：", En: ": "}
	comma         = directory.Names{Zh: "，", En: ", "}
	stop          = directory.Names{Zh: "；", En: "; "}
)

// verdicts in the order of the legend, with their names and colours.
var verdicts = []struct {
	verdict directory.Verdict
	names   directory.Names
	colour  string
}{
	{directory.Met, met, blue},
	{directory.NotMet, notMet, vermilion},
	{directory.Uncertain, uncertain, yellow},
}

// hidden returns why nothing is shown of i, "" where something is.
func (f Frame) hidden(i Interval) string {
	switch {
	case strings.TrimSpace(i.Hidden) != "":
		return i.Hidden
	case i.Verdict == directory.TooFew:
		return tooFew.In(f.Lang)
	case math.IsNaN(i.Share + i.Low + i.High):
		return noData.In(f.Lang)
	}
	return ""
}

// say is an interval in words, for a tooltip and for those who cannot see the chart.
func (f Frame) say(i Interval) string {
	said := clean(i.Label) + colon.In(f.Lang)
	if why := f.hidden(i); why != "" {
		return said + clean(why)
	}
	said += fmt.Sprintf("%s (%s %s–%s)%sn=%d", percent(i.Share), interval.In(f.Lang), percent(i.Low), percent(i.High), comma.In(f.Lang), i.N)
	for _, v := range verdicts {
		if v.verdict == i.Verdict {
			said += comma.In(f.Lang) + v.names.In(f.Lang)
		}
	}
	if i.Thin {
		said += comma.In(f.Lang) + thin.In(f.Lang)
	}
	return said
}

// sayTarget is 目标 85%, "" where there is none.
func (f Frame) sayTarget(share float64) string {
	if !(share > 0) {
		return ""
	}
	return target.In(f.Lang) + " " + strconv.FormatFloat(math.Round(unit(share)*1e4)/1e2, 'f', -1, 64) + "%"
}

// sayAll joins what is said of the rows to the description of the chart.
func (f Frame) sayAll(target float64, rows []string) string {
	parts := []string{f.sayTarget(target)}
	if f.Demo {
		parts = append(parts, demoData.In(f.Lang))
	}
	parts = slices.DeleteFunc(append([]string{clean(f.Subtitle)}, append(parts, rows...)...), func(s string) bool { return s == "" })
	return strings.Join(parts, stop.In(f.Lang))
}

// open begins a drawing with title, subtitle and the mark of demonstration data.
func (f Frame) open(description string) *drawing {
	w := f.Width
	if w == 0 {
		w = 560
	}
	d := &drawing{width: float64(min(max(w, 360), 1440)), title: clean(f.Title), description: description, y: margin}
	d.paragraph(f.Title, titleSize, black, true, 3)
	d.paragraph(f.Subtitle, smallSize, grey, false, 4)
	if f.Demo {
		mark := demoData.In(f.Lang)
		d.rect("demo", margin, d.y+4, room(mark, smallSize)+16, 20, white, vermilion)
		d.text("", margin+8, d.y+18, mark, smallSize, start, vermilion).bold = true
		d.y += 28
	}
	d.y += 8
	return d
}

// close ends a drawing with the legend and the note.
func (f Frame) close(d *drawing, entries []entry) *drawing {
	d.legend(entries)
	if strings.TrimSpace(f.Note) != "" {
		d.y += 2
		d.paragraph(f.Note, smallSize, grey, false, 6)
	}
	d.height = math.Ceil(d.y + margin)
	return d
}

// empty says in the middle of the chart that there is nothing.
func (f Frame) empty(d *drawing) {
	d.rect("", margin, d.y, d.width-2*margin, 60, pale, "")
	d.text("empty", d.width/2, d.y+35, noData.In(f.Lang), textSize, middle, grey)
	d.y += 68
}

// entry is a line of the legend: a sample around a point, and what it means.
type entry struct {
	sample func(d *drawing, x, y float64) // nil for none
	text   string
}

// legend draws the entries side by side, as many lines as they need.
func (d *drawing) legend(entries []entry) {
	if len(entries) == 0 {
		return
	}
	x, y := float64(margin), d.y+14
	for _, e := range entries {
		text := elide(clean(e.text), smallSize, d.width-2*margin-50)
		w := 28 + room(text, smallSize)
		if x > margin && x+w > d.width-margin {
			x, y = margin, y+20
		}
		if e.sample == nil {
			d.text("legend", x, y, text, smallSize, start, black)
			x += w - 28 + 16
			continue
		}
		e.sample(d, x+11, y-4)
		d.text("legend", x+28, y, text, smallSize, start, black)
		x += w + 16
	}
	d.y = y + 10
}

// entries explains what intervals show: the verdicts that occur, the intervals, and why
// some are hidden.
func (f Frame) entries(rows []Interval, bars bool) []entry {
	var out []entry
	var why []string
	shown, dashed := false, false
	for _, r := range rows {
		if h := clean(f.hidden(r)); h == "" {
			shown, dashed = true, dashed || r.Thin
		} else if !slices.Contains(why, h) {
			why = append(why, h)
		}
	}
	for _, v := range verdicts {
		if slices.ContainsFunc(rows, func(r Interval) bool { return r.Verdict == v.verdict && f.hidden(r) == "" }) {
			out = append(out, entry{func(d *drawing, x, y float64) {
				if !bars { // a map
					d.rect("", x-10, y-7, 20, 14, v.colour, lineGrey)
				}
				d.marker(v.verdict, x, y, 5)
			}, v.names.In(f.Lang)})
		}
	}
	sample := func(dash bool) func(d *drawing, x, y float64) {
		return func(d *drawing, x, y float64) { d.bar("", x-10, y, x+10, y, 4, dash) }
	}
	if shown && bars {
		out = append(out, entry{sample(false), interval.In(f.Lang)})
	}
	if dashed && bars {
		out = append(out, entry{sample(true), thin.In(f.Lang)})
	}
	if why != nil {
		out = append(out, entry{func(d *drawing, x, y float64) { d.hatchedRect("", x-10, y-7, 20, 14) }, strings.Join(why, " / ")})
	}
	return out
}

// marker is the sign of a verdict: a filled disc, a cross, a hollow diamond; a square
// where there is none.
func (d *drawing) marker(v directory.Verdict, x, y, r float64) {
	switch v {
	case directory.Met:
		d.add(&disc{class: "marker met", at: point{x, y}, r: r, fill: blue, stroke: white})
	case directory.NotMet:
		for _, s := range []struct {
			class, colour string
			width         float64
		}{{"", white, 5}, {"marker not_met", vermilion, 3}} {
			d.add(&path{class: s.class, rings: [][]point{{{x - r, y - r}, {x + r, y + r}}, {{x - r, y + r}, {x + r, y - r}}}, stroke: s.colour, width: s.width})
		}
	case directory.Uncertain:
		r *= 1.25
		d.add(&path{class: "marker uncertain", rings: [][]point{{{x - r, y}, {x, y - r}, {x + r, y}, {x, y + r}}}, closed: true, fill: yellow, stroke: black, width: 1.5})
	default:
		d.rect("marker", x-r*.8, y-r*.8, r*1.6, r*1.6, grey, white)
	}
}

// bar is an interval from one point to another, with caps of a half length.
func (d *drawing) bar(class string, x1, y1, x2, y2, halfCap float64, dashed bool) {
	b := &path{class: class, rings: [][]point{{{x1, y1}, {x2, y2}}}, stroke: black, width: 1.5}
	if dashed {
		b.dash = 3
	}
	d.add(b)
	cx, cy := halfCap, 0.0
	if y1 == y2 && x1 != x2 {
		cx, cy = 0, halfCap
	}
	d.add(&path{rings: [][]point{{{x1 - cx, y1 - cy}, {x1 + cx, y1 + cy}}, {{x2 - cx, y2 - cy}, {x2 + cx, y2 + cy}}}, stroke: black, width: 1.5})
}

// unit puts a share between 0 and 1; what is none is 0.
func unit(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

func percent(v float64) string { return strconv.FormatFloat(unit(v)*100, 'f', 1, 64) + "%" }

// axis is a scale of shares from a lowest one to 1 along a line of the picture.
type axis struct {
	lowest   float64
	from, to float64 // where lowest and 1 are
}

func (a axis) at(share float64) float64 {
	return a.from + (a.to-a.from)*(max(unit(share), a.lowest)-a.lowest)/(1-a.lowest)
}

// ticks returns round shares along the axis that are at least gap pixels apart.
func (a axis) ticks(gap float64) []float64 {
	for _, step := range []int{5, 10, 20, 25, 50} {
		if math.Abs(a.to-a.from)*float64(step)/100/(1-a.lowest) < gap && step < 50 {
			continue
		}
		var out []float64
		for t := 100; float64(t)/100 >= a.lowest-1e-9; t -= step {
			out = append(out, float64(t)/100)
		}
		slices.Reverse(out)
		return out
	}
	return nil
}

// lowest returns where an axis begins that shows all intervals and the target: a tenth,
// at most 0.7. Points may be compared by their position, so that it need not be 0.
func (f Frame) lowest(rows []Interval, target float64) float64 {
	low := 1.0
	if target > 0 {
		low = unit(target)
	}
	for _, r := range rows {
		if f.hidden(r) == "" {
			low = min(low, unit(r.Low), unit(r.Share))
		}
	}
	return math.Floor(max(0, min(low-0.04, 0.7))*10) / 10
}
