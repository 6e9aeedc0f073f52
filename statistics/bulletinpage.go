package statistics

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"qingfu/charts"
	"qingfu/directory"
)

//go:embed bulletin.html
var bulletinHTML string

var bulletinPage = template.Must(template.New("bulletin").Funcs(template.FuncMap{"time": shanghaiTime, "changed": changed}).Parse(bulletinHTML))

// HTML writes the bulletin as one page without scripts that can be printed and kept.
func (f *BulletinFile) HTML() ([]byte, error) {
	t, err := f.text()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = bulletinPage.Execute(&out, struct {
		bulletinText
		DemoMark    string
		Headline    printedHeadline
		Charts      []template.HTML
		Printed     []printedTable
		Statements  []directory.RuleStatement
		Corrections []directory.Bulletin
	}{t, demoMark, t.headline(), t.charts(), t.printed(), t.Rules.Statements(), t.corrections()})
	return out.Bytes(), err
}

// charts are the drawings of the figures, as SVG.
func (t *bulletinText) charts() (out []template.HTML) {
	add := func(c charts.Chart) { out = append(out, template.HTML(charts.SVG(c))) } // which escapes what is not its own
	frame := func(title string) charts.Frame {
		return charts.Frame{Title: title, Subtitle: t.PeriodName.Zh + t.RegionNames.Zh + "家政服务", Lang: "zh", Demo: t.Demo, Width: chartWidth}
	}
	for i := range t.Tables {
		switch table := &t.Tables[i]; table.Code {
		case "satisfaction_region":
			rows, areas := t.intervals(table), map[string]charts.Interval{}
			levels := charts.Levels{Frame: frame("各市州评价的等级")}
			for k := range table.Rows {
				r := &table.Rows[k]
				areas[r.Key] = rows[k]
				d := charts.Distribution{Label: rows[k].Label, Hidden: rows[k].Hidden}
				for level := range d.Levels {
					d.Levels[level] = int64(r.Figures[levelCode(level+1)])
				}
				levels.Rows = append(levels.Rows, d)
			}
			add(charts.Shares{Frame: frame("各市州满意率"), Target: t.Rules.Target, Rows: rows})
			add(charts.Map{Frame: frame("各市州是否达标"), Target: t.Rules.Target, Outlines: t.Regions.Outlines(), Areas: areas})
			add(levels)
		case "satisfaction_month":
			rows := t.intervals(table)
			for k := range rows {
				rows[k].Label = table.Rows[k].Key
			}
			add(charts.Trend{Frame: frame("各月满意率"), Target: t.Rules.Target, Periods: rows})
		case indicatorPrefix:
			c := charts.Coverage{Frame: frame("养老服务覆盖率"), Target: 1}
			c.Subtitle = t.RegionNames.Zh
			for _, r := range table.Rows {
				switch directory.IndicatorCode(r.Key) {
				case directory.StreetCoverage, directory.CommunityCoverageUrban, directory.CommunityCoverageAll:
					c.Rows = append(c.Rows, charts.Covered{Label: r.Names.Zh, Part: int64(r.Figures["numerator"]), Whole: int64(r.Figures["denominator"])})
				}
			}
			add(c)
		}
	}
	return out
}

// chartWidth is how wide a drawing is, in pixels: about as wide as the page.
const chartWidth = 800

// intervals are the rows of a table as they are drawn.
func (t *bulletinText) intervals(table *directory.BulletinTable) []charts.Interval {
	out := make([]charts.Interval, len(table.Rows))
	for i := range table.Rows {
		r := &table.Rows[i]
		share, ok := r.Figures["share"]
		if !ok {
			share = math.NaN()
		}
		out[i] = charts.Interval{
			Label: r.Names.Zh, Share: share, Low: r.Figures["low"], High: r.Figures["high"], N: int64(r.Figures["n"]), Verdict: r.Verdict,
			Thin: ok && r.Figures["n"] < float64(t.Rules.ComparableRatings),
		}
		if r.Suppressed != "" {
			out[i].Hidden = "不公开"
		}
		if reg, err := t.Regions.Get(r.Key); err == nil {
			out[i].Label = shortName(reg, "zh")
		}
	}
	return out
}

// printedHeadline is the figure of the province in large letters.
type printedHeadline struct {
	Share, Interval, N, Verdict, Note, Class string
}

func (t *bulletinText) headline() (h printedHeadline) {
	for i := range t.Tables {
		if table := &t.Tables[i]; table.Code == "satisfaction" && len(table.Rows) > 0 {
			r := &table.Rows[0]
			h = printedHeadline{Share: withheld, Note: t.note(r), Verdict: verdictName(r.Verdict), Class: string(r.Verdict)}
			if v, ok := r.Figures["share"]; ok {
				h.Share, h.Interval = printed(directory.ShareFigure, v), printedInterval(directory.ShareFigure, r, "low", "high")
			}
			if n, ok := r.Figures["n"]; ok {
				h.N = printed(directory.CountFigure, n)
			}
		}
	}
	return h
}

// Headline is what a bulletin says in one sentence.
func Headline(c *directory.BulletinContent) string {
	t := bulletinText{BulletinContent: *c}
	h := t.headline()
	text := c.PeriodName.Zh + c.RegionNames.Zh + "家政服务满意率："
	switch {
	case h.Interval != "":
		text += h.Share + "（95%区间 " + h.Interval + "，" + h.N + " 条评价），目标 85%，" + h.Verdict + "。"
	case h.Verdict != "":
		text += h.Verdict + "。"
	default:
		text += "不公开。"
	}
	if c.Demo {
		text += demoMark
	}
	return text
}

// printedTable is a table as it is printed, with the columns that fit on a page: bounds
// stand in one column, and the numbers of each level in a table of their own.
type printedTable struct {
	Names  directory.Names
	Header []directory.Names
	Rows   []printedRow
}

type printedRow struct {
	Names   directory.Names
	Class   string // of the verdict
	Verdict string
	Cells   []string
	Note    string
}

// bounds are the columns that are printed as an interval, by their lower one.
var bounds = map[string]struct {
	upper string
	names directory.Names
}{
	"low":        {"high", directory.Names{Zh: "95%区间", En: "95% interval"}},
	"change_low": {"change_high", directory.Names{Zh: "差的95%区间", En: "its 95% interval"}},
}

func (t *bulletinText) printed() (out []printedTable) {
	for i := range t.Tables {
		table := &t.Tables[i]
		p := printedTable{Names: table.Names, Header: []directory.Names{{Zh: "项目", En: "Item"}}}
		verdicts := hasVerdicts(table)
		var columns []directory.BulletinColumn
		for _, c := range table.Columns {
			if c.Code == "high" || c.Code == "change_high" || c.Code == "share_before" || strings.HasPrefix(c.Code, "level_") {
				continue
			}
			columns = append(columns, c)
			if b, ok := bounds[c.Code]; ok {
				c.Names = b.names
			}
			p.Header = append(p.Header, c.Names)
		}
		if verdicts {
			p.Header = append(p.Header, directory.Names{Zh: "结论", En: "Verdict"})
		}
		p.Header = append(p.Header, directory.Names{Zh: "说明", En: "Note"})
		for k := range table.Rows {
			r := &table.Rows[k]
			row := printedRow{Names: r.Names, Class: string(r.Verdict), Note: t.note(r)}
			if r.Suppressed != "" {
				row.Note = "不公开" // why is among the definitions; the same again and again would fill pages
			}
			for _, c := range columns {
				if b, ok := bounds[c.Code]; ok {
					row.Cells = append(row.Cells, printedInterval(c.Unit, r, c.Code, b.upper))
				} else if v, ok := r.Figures[c.Code]; ok {
					row.Cells = append(row.Cells, printed(c.Unit, v))
				} else {
					row.Cells = append(row.Cells, withheld)
				}
			}
			if verdicts {
				row.Verdict = verdictName(r.Verdict)
				if row.Verdict == "" {
					row.Verdict = withheld
				}
			}
			p.Rows = append(p.Rows, row)
		}
		out = append(out, p)
	}
	return out
}

func printedInterval(u directory.BulletinUnit, r *directory.BulletinRow, lower, upper string) string {
	low, ok := r.Figures[lower]
	high, also := r.Figures[upper]
	if !ok || !also {
		return withheld
	}
	between := "–"
	if u == directory.PointsFigure { // beside minus signs
		between = " 至 "
	}
	return strings.TrimSuffix(printed(u, low), "%") + between + printed(u, high)
}

// printed is a figure as people read it.
func printed(u directory.BulletinUnit, v float64) string {
	switch u {
	case directory.CountFigure:
		return thousands(int64(v))
	case directory.ShareFigure:
		return fmt.Sprintf("%.1f%%", v*100)
	case directory.PointsFigure:
		return strings.Replace(fmt.Sprintf("%+.1f", v*100), "-", "−", 1)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands parts a number into groups of three digits.
func thousands(n int64) string {
	if n < 0 {
		return "−" + thousands(-n)
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
