package charts

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qingfu/directory"
	"qingfu/seed"
)

var update = flag.Bool("update", false, "write the golden files anew")

// satisfied is the interval of k satisfied ones of n.
func satisfied(label string, k, n int64) Interval {
	low, high := directory.Wilson(k, n)
	i := Interval{Label: label, Share: float64(k) / float64(n), Low: low, High: high, N: n, Thin: n < directory.ComparableRatings, Verdict: directory.Uncertain}
	switch {
	case n < directory.MinRatings:
		i.Verdict = directory.TooFew
	case low >= 0.85:
		i.Verdict = directory.Met
	case high < 0.85:
		i.Verdict = directory.NotMet
	}
	return i
}

func regions(t testing.TB) *directory.Regions {
	t.Helper()
	r, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// prefectures are figures of every kind, in the order of the codes.
var prefectures = []struct{ k, n int64 }{{1861, 2002}, {402, 431}, {35, 39}, {61, 88}, {170, 200}, {7, 8}, {31, 60}, {88, 88}}

var frame = Frame{
	Title:    "家政服务满意率",
	Subtitle: "2026年第4季度，青海省，按市州，n=2916",
	Note:     "来源：青服。满意率是四级、五级评价的比例，区间为威尔逊95%置信区间。",
	Lang:     "zh",
	Demo:     true,
}

// examples are charts as they will be published, by the names of their golden files.
func examples(t testing.TB) map[string]Chart {
	r := regions(t)
	english := frame
	english.Title, english.Subtitle, english.Note, english.Lang, english.Demo = "Satisfaction with domestic services", "2026 Q4, Qinghai, by prefecture, n=2916", "Source: Qingfu. Satisfied means level 4 or 5.", "en", false

	var byName, byNameEn, counties []Interval
	areas, areasEn := map[string]Interval{}, map[string]Interval{}
	var levels []Distribution
	var covered []Covered
	for i, p := range r.Children("630000") {
		f := prefectures[i]
		byName = append(byName, satisfied(p.Names.Zh, f.k, f.n))
		byNameEn = append(byNameEn, satisfied(p.Names.En, f.k, f.n))
		short := p.ShortNames()
		areas[p.Code] = satisfied(short[len(short)-1], f.k, f.n)
		areasEn[p.Code] = satisfied(p.Names.En, f.k, f.n)
		levels = append(levels, Distribution{Label: p.Names.Zh, Levels: [5]int64{f.n / 50, (f.n - f.k) / 2, f.n / 10, f.k / 3, f.k / 2}})
		covered = append(covered, Covered{Label: p.Names.Zh, Part: int64(i * 5), Whole: int64(40 - i)})
		for j, c := range r.Children(p.Code) {
			k := f.n/7 - int64(j*j)
			counties = append(counties, satisfied(c.Names.Zh, max(1, k-int64(i*j/2)), max(1, k)))
		}
	}
	byName[6].Hidden = "不公布"
	levels[5].Hidden = "样本不足"
	covered[3] = Covered{Label: covered[3].Label}
	covered[7].Hidden = "未报送"
	covered[6].Part = 34

	months := func(n int) []Interval {
		var out []Interval
		m := directory.Month(202401)
		for i := range n {
			n := int64(30 + 220*(i%7))
			if i%11 == 3 || i%11 == 4 {
				n = 7
			}
			out = append(out, satisfied(m.Add(i).String(), n*int64(80+i%16)/100, n))
		}
		return out
	}
	quarters := months(5)
	for i := range quarters {
		quarters[i].Label = fmt.Sprintf("2026-Q%d", i+1)
	}
	phone := frame
	phone.Width = 360

	return map[string]Chart{
		"shares":          Shares{Frame: frame, Target: 0.85, Rows: byName},
		"shares-en":       Shares{Frame: english, Target: 0.85, Rows: byNameEn},
		"shares-phone":    Shares{Frame: phone, Target: 0.85, Rows: byName},
		"shares-counties": Shares{Frame: frame, Target: 0.85, Rows: counties},
		"trend":           Trend{Frame: frame, Target: 0.85, Periods: months(12)},
		"trend-36":        Trend{Frame: frame, Target: 0.85, Periods: months(36)},
		"trend-phone":     Trend{Frame: phone, Target: 0.85, Periods: months(36)},
		"trend-quarters":  Trend{Frame: english, Target: 0.85, Periods: quarters},
		"levels":          Levels{Frame: frame, Rows: levels},
		"levels-phone":    Levels{Frame: phone, Rows: levels},
		"coverage":        Coverage{Frame: frame, Target: 0.6, Rows: covered},
		"coverage-phone":  Coverage{Frame: phone, Target: 1, Rows: covered},
		"map":             Map{Frame: frame, Target: 0.85, Outlines: r.Outlines(), Areas: areas},
		"map-en":          Map{Frame: english, Target: 0.85, Outlines: r.Outlines(), Areas: areasEn},
		"map-phone":       Map{Frame: phone, Target: 0.85, Outlines: r.Outlines(), Areas: areas},
		"empty":           Shares{Frame: english, Target: 0.85},
	}
}

func TestGolden(t *testing.T) {
	for name, chart := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := SVG(chart)
			if !bytes.Equal(got, SVG(chart)) {
				t.Error("the same input gives other bytes")
			}
			file := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s has changed: look at it, then run with -update", file)
			}
		})
	}
}

// nasty are labels that have broken charts before, here or elsewhere.
var nasty = []string{
	"", " ", "<script>alert(1)</script>", `"'&<>]]>`, "&amp;", strings.Repeat("海西蒙古族藏族自治州", 40), strings.Repeat("W", 5000),
	"མཚོ་ནུབ་སོག་རིགས་ཆ་བོད་རིགས་རང་སྐྱོང་ཁུལ", "ᠬᠠᠶᠢᠰᠢ ᠶᠢᠨ", "\xff\xfe", strings.Repeat("\x80", 3000), "a\x00b\x1bc\nd\te", "\u202egnp.exe", "\ufffe\uffff", "e" + strings.Repeat("\u0301", 100), "👩‍👩‍👧", "%s%d", "--><!--",
}

// difficult are charts of all kinds with a label at every place where there can be one.
func difficult(label string, width, rows int) map[string]Chart {
	f := Frame{Title: label, Subtitle: label, Note: label, Lang: label, Demo: true, Width: width}
	shown := []Interval{
		{Label: label, Share: 0.5, Low: 0.4, High: 0.6, N: 123, Verdict: directory.NotMet},
		{Label: label, Share: 1, Low: 0.9, High: 1, N: math.MaxInt64, Verdict: directory.Met},
		{Label: label, Share: 0, Low: 0, High: 0.1, N: -1, Verdict: directory.Uncertain, Thin: true},
		{Label: label, Share: math.NaN(), Verdict: directory.Met},
		{Label: label, Share: 7, Low: math.Inf(-1), High: math.Inf(1), Verdict: directory.Verdict(label)},
		{Label: label, Verdict: directory.TooFew},
		{Label: label, Hidden: label},
	}
	levels := []Distribution{{Label: label, Levels: [5]int64{1, 2, 3, 4, 5}}, {Label: label, Levels: [5]int64{-4, 0, 0, 0, 1e9}}, {Label: label}, {Label: label, Hidden: label}}
	parts := []Covered{{label, 3, 4, ""}, {label, 0, 0, ""}, {label, 9, 4, ""}, {label, -9, 4, ""}, {label, 9, -4, ""}, {label, 1, 2, label}}
	square := func(lat float64) [][]directory.Point {
		return [][]directory.Point{{{Lat: lat, Lon: 90}, {Lat: lat, Lon: 91}, {Lat: lat + 1, Lon: 91}, {Lat: lat + 1, Lon: 90}}}
	}
	m := Map{Frame: f, Target: 0.85, Outlines: []directory.Outline{{Code: "flat", Rings: [][]directory.Point{{{Lat: 30, Lon: 90}, {Lat: 30, Lon: 99}}}}, {Code: "none"}}, Areas: map[string]Interval{label: shown[0]}}
	c := map[string]Chart{}
	var some []Interval
	var someLevels []Distribution
	var someParts []Covered
	for i := range rows {
		some = append(some, shown[i%len(shown)])
		someLevels = append(someLevels, levels[i%len(levels)])
		someParts = append(someParts, parts[i%len(parts)])
		code := fmt.Sprintf("%s %d", label, i)
		if i < 12 {
			m.Outlines = append(m.Outlines, directory.Outline{Code: code, Rings: square(30 + float64(i%4))})
		}
		m.Areas[code] = shown[i%len(shown)]
	}
	c["shares"] = Shares{f, 0.85, some}
	c["trend"] = Trend{f, 0.85, some}
	c["levels"] = Levels{f, someLevels}
	c["coverage"] = Coverage{f, 1, someParts}
	c["map"] = m
	hidden := slices.Repeat([]Interval{{Label: label, Hidden: label}}, rows)
	c["hidden shares"] = Shares{f, math.NaN(), hidden}
	c["hidden trend"] = Trend{f, math.Inf(1), hidden}
	c["hidden map"] = Map{Frame: f, Outlines: m.Outlines}
	return c
}

func TestAnyLabel(t *testing.T) {
	for i, label := range nasty {
		for _, size := range [][2]int{{0, 0}, {-5, 7}, {99999, 21}} {
			for kind, chart := range difficult(label, size[0], size[1]) {
				t.Run(fmt.Sprint(i, " ", kind, " ", size), func(t *testing.T) { check(t, chart) })
			}
		}
	}
}

func FuzzLabels(f *testing.F) {
	for _, label := range nasty {
		f.Add(label, 560, 8)
	}
	f.Fuzz(func(t *testing.T, label string, width, rows int) {
		for _, chart := range difficult(label, width, min(max(rows, 0), 60)) {
			check(t, chart)
		}
	})
}

func TestExamplesAreInOrder(t *testing.T) {
	for name, chart := range examples(t) {
		t.Run(name, func(t *testing.T) {
			check(t, chart)
			// What is written must not lie on other writing.
			var written []*label
			for _, s := range chart.draw().shapes {
				if l, ok := s.(*label); ok {
					written = append(written, l)
				}
			}
			for i, a := range written {
				for _, b := range written[i+1:] {
					if a.extent().Overlaps(b.extent()) {
						t.Errorf("%q lies on %q", a.text, b.text)
					}
				}
			}
		})
	}
}

// extent is where a text is, in hundredths of a pixel.
func (l *label) extent() image.Rectangle {
	left, w := l.at.x, textWidth(l.text, l.size)
	switch l.anchor {
	case middle:
		left -= w / 2
	case end:
		left -= w
	}
	return image.Rect(int(left*100), int((l.at.y-0.75*l.size)*100), int((left+w)*100), int((l.at.y+0.15*l.size)*100))
}

// check demands what holds for every chart: well-formed SVG with nothing in it that
// could do or fetch something, numbers that are numbers, and texts within the picture.
func check(t *testing.T, c Chart) {
	t.Helper()
	d := c.draw()
	picture := image.Rect(0, 0, int(d.width*100), int(d.height*100))
	for _, s := range d.shapes {
		if l, ok := s.(*label); ok && !l.extent().In(picture) {
			t.Errorf("%q at %v is not within %gx%g", l.text, l.at, d.width, d.height)
		}
	}
	elements := parse(t, SVG(c))
	root := elements[0]
	if root.name != "svg" || root.attrs["role"] != "img" || root.attrs["viewBox"] != "0 0 "+root.attrs["width"]+" "+root.attrs["height"] {
		t.Errorf("the root is %v", root)
	}
	if elements[1].name != "title" || elements[2].name != "desc" {
		t.Errorf("title and description come first, not %v %v", elements[1], elements[2])
	}
	known := []string{"svg", "title", "desc", "rect", "path", "circle", "text", "g"}
	for _, e := range elements {
		if !slices.Contains(known, e.name) {
			t.Errorf("element %s", e.name)
		}
		for name, value := range e.attrs {
			if strings.HasPrefix(name, "on") || name == "href" || name == "style" || strings.Contains(value, "url(") {
				t.Errorf("%s has %s=%q", e.name, name, value)
			}
			if name != "font-family" && name != "class" && (strings.Contains(value, "NaN") || strings.Contains(value, "Inf")) {
				t.Errorf("%s has %s=%q", e.name, name, value)
			}
		}
	}
}

type element struct {
	name  string
	attrs map[string]string
	text  string
}

// numbers returns the numbers of an attribute.
func (e element) numbers(t *testing.T, attr string) []float64 {
	t.Helper()
	var out []float64
	for _, text := range regexp.MustCompile(`-?[0-9.]+`).FindAllString(e.attrs[attr], -1) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// parse returns the elements of an SVG in their order.
func parse(t *testing.T, svg []byte) []element {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	var out []element
	var open []int
	for {
		token, err := decoder.Token()
		if err == io.EOF && len(open) == 0 && len(out) > 0 {
			return out
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			open, out = append(open, len(out)), append(out, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				out[open[len(open)-1]].text += string(token)
			}
		}
	}
}

// of returns the elements of a class.
func of(elements []element, class string) []element {
	return slices.DeleteFunc(slices.Clone(elements), func(e element) bool { return e.attrs["class"] != class })
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.02 }

// scale returns the straight line through two pairs of a share and a place.
func scale(t *testing.T, elements []element, axis string) func(share float64) float64 {
	t.Helper()
	ticks := of(elements, "tick")
	if len(ticks) < 2 {
		t.Fatal("no ticks")
	}
	first, last := ticks[0], ticks[len(ticks)-1]
	at := func(e element) (share, place float64) {
		v, err := strconv.ParseFloat(strings.TrimSuffix(e.text, "%"), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v / 100, e.numbers(t, axis)[0]
	}
	s1, p1 := at(first)
	s2, p2 := at(last)
	return func(share float64) float64 { return p1 + (p2-p1)*(share-s1)/(s2-s1) }
}

// exact are shares whose place is known: one at the target, and both ends.
var exact = []Interval{
	{Label: "a", Share: 0.85, Low: 0.8, High: 0.9, N: 100, Verdict: directory.Met},
	{Label: "b", Share: 1, Low: 0.97, High: 1, N: 100, Verdict: directory.Met},
	{Label: "c", Hidden: "样本不足"},
	{Label: "d", Share: 0, Low: 0, High: 0.03, N: 100, Verdict: directory.Met},
}

func TestSharesArePlaced(t *testing.T) {
	for _, width := range []int{360, 560, 1440} {
		elements := parse(t, SVG(Shares{Frame{Width: width}, 0.85, exact}))
		at := scale(t, elements, "x")
		targets := of(elements, "target") // line and name
		line := targets[0].numbers(t, "d")
		if !near(line[0], at(0.85)) || line[0] != line[2] || targets[1].text != "目标 85%" {
			t.Errorf("the target is at %v, not %g: %q", line, at(0.85), targets[1].text)
		}
		markers, intervals := of(elements, "marker met"), of(elements, "interval")
		if len(markers) != 4 || len(intervals) != 3 || len(of(elements, "hidden")) != 1 { // the fourth in the legend
			t.Fatalf("%d markers, %d intervals", len(markers), len(intervals))
		}
		for i, want := range []Interval{exact[0], exact[1], exact[3]} {
			x, y := markers[i].numbers(t, "cx")[0], markers[i].numbers(t, "cy")[0]
			ends := intervals[i].numbers(t, "d")
			if !near(x, at(want.Share)) || !near(ends[0], at(want.Low)) || !near(ends[2], at(want.High)) || ends[1] != y || ends[3] != y {
				t.Errorf("%s at %g,%g with the interval %v, not at %g with %g to %g", want.Label, x, y, ends, at(want.Share), at(want.Low), at(want.High))
			}
		}
		if x := markers[0].numbers(t, "cx")[0]; x != line[0] {
			t.Errorf("85%% is at %g and the target at %g", x, line[0])
		}
	}
}

func TestTrendIsPlacedWithGaps(t *testing.T) {
	rows := []Interval{exact[0], exact[1], exact[2], exact[3], exact[0], exact[2], exact[0]}
	elements := parse(t, SVG(Trend{Frame{}, 0.85, rows}))
	at := scale(t, elements, "y")
	middleOfText := 4.0 // below the line of the tick
	markers, intervals := of(elements, "marker met"), of(elements, "interval")
	shown := []Interval{exact[0], exact[1], exact[3], exact[0], exact[0]}
	if len(markers) != len(shown)+1 || len(of(elements, "hidden")) != 2 {
		t.Fatalf("%d markers", len(markers))
	}
	for i, want := range shown {
		y, ends := markers[i].numbers(t, "cy")[0], intervals[i].numbers(t, "d")
		if !near(y, at(want.Share)-middleOfText) || !near(ends[1], at(want.Low)-middleOfText) || !near(ends[3], at(want.High)-middleOfText) {
			t.Errorf("%d at %g with %v", i, y, ends)
		}
	}
	if line := of(elements, "target")[0].numbers(t, "d"); line[1] != markers[0].numbers(t, "cy")[0] {
		t.Errorf("the target is at %v", line)
	}
	var lengths []int
	for _, line := range of(elements, "trend") {
		lengths = append(lengths, len(line.numbers(t, "d"))/2)
	}
	if !slices.Equal(lengths, []int{2, 2}) { // a lone period has no line
		t.Errorf("lines of %v points", lengths)
	}
}

func TestLevelsFillTheirRow(t *testing.T) {
	elements := parse(t, SVG(Levels{Frame{}, []Distribution{{Label: "a", Levels: [5]int64{10, 0, 20, 30, 40}}}}))
	at := scale(t, elements, "x")
	want := map[string][2]float64{"5": {0, 0.4}, "4": {0.4, 0.7}, "3": {0.7, 0.9}, "1": {0.9, 1}}
	for level := range 5 {
		name := strconv.Itoa(level + 1)
		parts := of(elements, "level level-"+name) // and in the legend
		ends, shown := want[name]
		if len(parts) == 1 != !shown {
			t.Errorf("level %s has %d parts", name, len(parts))
		}
		if shown {
			if d := parts[0].numbers(t, "d"); !near(d[0], at(ends[0])) || !near(d[2], at(ends[1])) {
				t.Errorf("level %s from %g to %g", name, d[0], d[2])
			}
		}
	}
}

func TestCoverageIsAgainstTheTarget(t *testing.T) {
	elements := parse(t, SVG(Coverage{Frame{}, 0.6, []Covered{{"a", 3, 5, ""}, {"b", 2, 4, ""}, {"c", 0, 0, ""}, {"d", 7, 5, ""}, {"e", 1, 1, "未报送"}}}))
	at := scale(t, elements, "x")
	full, missed := of(elements, "part reached"), of(elements, "part missed")
	if len(full) != 3 || len(missed) != 2 {
		t.Fatalf("%d and %d", len(full), len(missed))
	}
	for _, c := range []struct {
		part  element
		share float64
	}{{full[0], 0.6}, {full[1], 1}, {missed[0], 0.5}} {
		if d := c.part.numbers(t, "d"); !near(d[0], at(0)) || !near(d[2], at(c.share)) {
			t.Errorf("%v is not %g", d, c.share)
		}
	}
	if line := of(elements, "target")[0].numbers(t, "d"); !near(line[0], at(0.6)) {
		t.Errorf("the target is at %v", line)
	}
	if n := of(elements, "not-applicable"); len(n) != 1 || n[0].text != "不适用" {
		t.Errorf("%v", n)
	}
	desc := elements[2].text
	for _, want := range []string{"目标 60%", "a：3/5 (60.0%)", "c：不适用", "e：未报送"} {
		if !strings.Contains(desc, want) {
			t.Errorf("%q does not say %q", desc, want)
		}
	}
}

func TestDescriptionSaysEverything(t *testing.T) {
	f := frame
	f.Title, f.Lang = "A <title>", "en"
	elements := parse(t, SVG(Shares{f, 0.85, []Interval{exact[0], {Label: "b", Share: 0.5, Low: 0.4, High: 0.6, N: 12, Thin: true, Verdict: directory.NotMet}, {Label: "c", Verdict: directory.TooFew}}}))
	if elements[1].text != f.Title {
		t.Errorf("the title is %q", elements[1].text)
	}
	want := f.Subtitle + "; Target 85%; 示例数据 Demonstration data; a: 85.0% (95% interval 80.0%–90.0%), n=100, Target met; b: 50.0% (95% interval 40.0%–60.0%), n=12, Target not met, Few ratings; c: Too few"
	if elements[2].text != want {
		t.Errorf("the description is\n%q, not\n%q", elements[2].text, want)
	}
}

func TestDemonstrationDataIsMarked(t *testing.T) {
	for name, chart := range difficult("a", 0, 3) {
		if len(of(parse(t, SVG(chart)), "demo")) != 1 {
			t.Errorf("%s is not marked", name)
		}
	}
	if len(of(parse(t, SVG(Shares{Rows: exact})), "demo")) != 0 {
		t.Error("real data is marked")
	}
}

// decode returns the picture of a chart.
func decode(t *testing.T, c Chart) image.Image {
	t.Helper()
	body, err := PNG(c)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// ink counts the pixels of a part of a picture that are not white.
func ink(picture image.Image, part image.Rectangle) int {
	n := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if r, g, b, _ := picture.At(x, y).RGBA(); r+g+b < 3*0xc000 {
				n++
			}
		}
	}
	return n
}

func TestPNG(t *testing.T) {
	all := examples(t)
	for _, name := range []string{"shares", "levels-phone", "map-phone", "empty"} {
		chart := all[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			picture := decode(t, chart)
			d := chart.draw()
			if got, want := picture.Bounds(), image.Rect(0, 0, int(d.width*2), int(d.height*2)); got != want {
				t.Errorf("%v, not %v", got, want)
			}
			if n := ink(picture, image.Rect(2*margin, 2*margin, 2*margin+200, 2*margin+2*24)); n < 500 {
				t.Errorf("%d pixels of a title", n)
			}
		})
	}
	for i, label := range nasty {
		kinds := difficult(label, 360, 4)
		kind := slices.Sorted(maps.Keys(kinds))[i%len(kinds)]
		picture := paint(kinds[kind].draw())
		if part := picture.Bounds().Inset(2 * margin); ink(picture, image.Rectangle{part.Min, part.Min.Add(image.Pt(200, 200))}) == 0 { // title or mark
			t.Errorf("%d %s is blank", i, kind)
		}
	}
}

func TestSamePNG(t *testing.T) {
	chart := examples(t)["empty"]
	a, err := PNG(chart)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := PNG(chart); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same input gives other bytes, %v", err)
	}
}

func TestPNGShowsChinese(t *testing.T) {
	title := func(text string) (image.Image, image.Rectangle) {
		return paint(Shares{Frame: Frame{Title: text}}.draw()), image.Rect(2*margin, 2*margin, 2*(margin+titleSize), 2*margin+2*24)
	}
	one, place := title("一")
	many, _ := title("藏")
	box, _ := title("ཀ") // which the font lacks
	if a, b := ink(one, place), ink(many, place); a == 0 || b < 3*a {
		t.Errorf("一 has %d pixels and 藏 %d", a, b)
	}
	if ink(many, place) == ink(box, place) {
		t.Error("藏 is drawn as an unknown character")
	}
}

func TestMapHasHoles(t *testing.T) {
	square := func(low, high float64, turned bool) []directory.Point {
		ring := []directory.Point{{Lat: low, Lon: low}, {Lat: low, Lon: high}, {Lat: high, Lon: high}, {Lat: high, Lon: low}}
		if turned {
			slices.Reverse(ring)
		}
		return ring
	}
	for _, turned := range []bool{false, true} { // however the hole winds
		c := Map{
			Outlines: []directory.Outline{{Code: "a", Rings: [][]directory.Point{square(0, 10, false), square(2, 8, turned), square(4, 6, false)}}},
			Areas:    map[string]Interval{"a": {Label: "a", Share: 0.9, Low: 0.86, High: 0.93, N: 9, Verdict: directory.Met}},
		}
		elements := parse(t, SVG(c))
		area := of(elements, "area met")
		if len(area) != 1 || area[0].attrs["fill-rule"] != "evenodd" {
			t.Fatalf("%v", area)
		}
		d := area[0].numbers(t, "d")
		picture := paint(c.draw())
		for k, filled := range map[float64]bool{0.1: true, 0.3: false, 0.5: true, 0.7: false, 0.9: true} {
			// From corner to corner, a little off, where there is no label.
			x, y := d[0]+k*(d[4]-d[0]), d[1]+(k+0.06)*(d[5]-d[1])
			blue := picture.At(int(x*2), int(y*2)) == color.RGBA{0x00, 0x72, 0xb2, 0xff}
			if blue != filled {
				t.Errorf("at %g it is %v", k, picture.At(int(x*2), int(y*2)))
			}
		}
	}
}

func TestMapShowsEveryPrefecture(t *testing.T) {
	c := examples(t)["map"].(Map)
	elements := parse(t, SVG(c))
	var names []string
	for _, e := range of(elements, "area") {
		if e.name == "text" {
			names = append(names, e.text)
		}
	}
	slices.Sort(names)
	want := []string{"果洛", "海东", "海北", "海南", "海西", "玉树", "西宁", "黄南"}
	if slices.Sort(want); !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	for class, n := range map[string]int{"area met": 3, "area not_met": 2, "area uncertain": 2, "area hidden": 1} {
		if got := len(of(elements, class)); got != n {
			t.Errorf("%d times %s, not %d", got, class, n)
		}
	}
	delete(c.Areas, "630100")
	c.Areas["999999"] = Interval{Label: "elsewhere", Hidden: "why"}
	elements = parse(t, SVG(c))
	if got := len(of(elements, "area hidden")); got != 2 {
		t.Errorf("%d are hidden", got)
	}
	if desc := elements[2].text; !strings.Contains(desc, "630100：没有数据") || !strings.HasSuffix(desc, "elsewhere：why") {
		t.Errorf("%q", desc)
	}
}

func TestHatchStaysInside(t *testing.T) {
	ring := corners(10, 20, 30, 40)
	hole := corners(20, 30, 10, 10)
	lines := hatch([][]point{ring, hole}, 6)
	if len(lines) < 8 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		mid := point{(l[0].x + l[1].x) / 2, (l[0].y + l[1].y) / 2}
		in := mid.x > 10 && mid.x < 40 && mid.y > 20 && mid.y < 60
		inHole := mid.x > 20 && mid.x < 30 && mid.y > 30 && mid.y < 40
		if !in || inHole || !near(l[0].sum(), l[1].sum()) {
			t.Errorf("%v", l)
		}
	}
}

func TestFontHasTheNames(t *testing.T) {
	text := "达标未达标未定样本不足没有数据不适用目标置信区间样本较少已覆盖示例数据，。、；：（）…–"
	for _, r := range regions(t).All() {
		text += r.Names.Zh + r.Names.En
	}
	missing := map[rune]bool{}
	for _, r := range text {
		if i, err := typeface().GlyphIndex(nil, r); err != nil || i == 0 {
			missing[r] = true
		}
	}
	if len(missing) > 0 {
		t.Errorf("the font lacks %q", string(slices.Sorted(maps.Keys(missing))))
	}
}

func TestTextsAreFitted(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float64
		lines int
		want  []string
	}{
		{"", 100, 2, nil},
		{"西宁", 100, 2, []string{"西宁"}},
		{"海西蒙古族藏族自治州", 60, 2, []string{"海西蒙古族", "藏族自治州"}},
		{"海西蒙古族藏族自治州", 48, 2, []string{"海西蒙古", "族藏族…"}},
		{"甲乙丙丁，戊己", 48, 2, []string{"甲乙丙", "丁，戊己"}}, // no line begins with a comma
		{"one two three", 50, 3, []string{"one two", "three"}},
		{"Donaudampfschiff", 40, 3, []string{"Donau", "dampf", "schiff"}},
		{"西宁", 1, 3, []string{"…"}},
	} {
		if got := wrap(c.text, 12, c.width, c.lines); !slices.Equal(got, c.want) {
			t.Errorf("%q in %g is %q, not %q", c.text, c.width, got, c.want)
		}
	}
	for text, want := range map[string]string{" a\n\tb ": "a b", "a\x00b": "a b", "\xffa": "\ufffda", "a\u202eb": "a b", strings.Repeat("\x80", 3000): "…"} {
		if got := clean(text); got != want {
			t.Errorf("%q becomes %q, not %q", text, got, want)
		}
	}
}
