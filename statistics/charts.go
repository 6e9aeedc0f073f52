package statistics

import (
	"context"
	"fmt"

	"qingfu/charts"
	"qingfu/directory"
)

// ChartName is one of the charts that are made of the figures.
type ChartName string

// The charts.
const (
	SharesChart   ChartName = "shares"   // a share with its interval for every row of a table, against the target
	TrendChart    ChartName = "trend"    // from month to month, or by ByQuarter
	LevelsChart   ChartName = "levels"   // how the ratings of every row are divided among the levels
	CoverageChart ChartName = "coverage" // of streets or communities, against 100%
	MapChart      ChartName = "map"      // the prefectures by their verdicts
)

// Look is how a chart looks.
type Look struct {
	Lang  string // zh or en
	Width int    // pixels
	Demo  bool   // marks the figures as those of demonstration data
}

// Chart makes a chart of the figures that a query asks for, as the public may see them or
// whole. Charts of some cut take it in the place of that of the query: the map is of the
// province by its prefectures. Coverage is of an indicator of coverage, and of the
// divisions below the region.
func (s *Statistics) Chart(ctx context.Context, name ChartName, q Query, coverage directory.IndicatorCode, public bool, look Look) (charts.Chart, error) {
	if name == CoverageChart {
		table, err := s.Indicators(ctx, q.Region, true)
		return s.CoverageOf(&table, coverage, look), err
	}
	switch {
	case name == MapChart:
		q.By, q.Region = ByRegion, s.Regions.Province().Code
	case name == TrendChart && q.By != ByQuarter:
		q.By = ByMonth
	case q.By == "" || q.By == ByLevel: // whose rows are no shares of their own
		q.By = ByRegion
	}
	t, err := s.Satisfaction(ctx, q, public)
	if err != nil {
		return nil, err
	}
	return s.ChartOf(name, &t, look), nil
}

// ChartOf makes a chart of a table whose cut fits it: months or quarters for the trend,
// prefectures for the map.
func (s *Statistics) ChartOf(name ChartName, t *Table, look Look) charts.Chart {
	frame := s.frame(name, t, look)
	switch name {
	case TrendChart:
		c := charts.Trend{Frame: frame, Target: t.Target}
		for i := range t.Rows {
			c.Periods = append(c.Periods, interval(&t.Rows[i], t.Rows[i].Key, look))
		}
		return c
	case LevelsChart:
		c := charts.Levels{Frame: frame}
		for _, row := range t.drawn() {
			d := charts.Distribution{Label: row.Names.In(look.Lang), Hidden: whyHidden(&row, look)}
			if d.Hidden == "" {
				d.Levels = *row.Levels
			}
			c.Rows = append(c.Rows, d)
		}
		return c
	case MapChart:
		c := charts.Map{Frame: frame, Target: t.Target, Outlines: s.Regions.Outlines(), Areas: map[string]charts.Interval{}}
		for i := range t.Rows {
			if reg, err := s.Regions.Get(t.Rows[i].Key); err == nil {
				c.Areas[reg.Code] = interval(&t.Rows[i], shortName(reg, look.Lang), look)
			}
		}
		return c
	}
	c := charts.Shares{Frame: frame, Target: t.Target}
	for _, row := range t.drawn() {
		c.Rows = append(c.Rows, interval(&row, row.Names.In(look.Lang), look))
	}
	return c
}

// drawn are the total and the rows, but for a county, which has no parts, once.
func (t *Table) drawn() []Row {
	if len(t.Rows) == 1 && t.Rows[0].Key == t.Region {
		return t.Rows
	}
	return append([]Row{t.Total}, t.Rows...)
}

// shortName is how people call a prefecture: 海西, not 海西蒙古族藏族自治州.
func shortName(reg directory.Region, lang string) string {
	if short := reg.ShortNames(); lang != "en" && len(short) > 0 {
		return short[len(short)-1]
	}
	return reg.Names.In(lang)
}

func interval(row *Row, label string, look Look) charts.Interval {
	i := charts.Interval{Label: label, Hidden: whyHidden(row, look), Verdict: directory.TooFew}
	if row.Figures == nil {
		return i
	}
	i.N, i.Verdict, i.Thin = row.N, row.Verdict, row.Thin
	if row.Share != nil {
		i.Share, i.Low, i.High = *row.Share, *row.Low, *row.High
	}
	return i
}

// whyHidden says in a word why a row is not drawn, "" where it is.
func whyHidden(row *Row, look Look) string {
	switch {
	case row.Suppressed == directory.SuppressedProtected || row.Suppressed == "" && row.N < directory.MinRatings:
		return directory.Names{Zh: "样本不足", En: "Too few ratings"}.In(look.Lang)
	case row.Suppressed != "":
		return directory.Names{Zh: "不公开", En: "Not public"}.In(look.Lang)
	}
	return ""
}

// frame is what stands around a chart of satisfaction.
func (s *Statistics) frame(name ChartName, t *Table, look Look) charts.Frame {
	kind, _ := directory.KindTerm(t.Kind)
	title := map[ChartName]directory.Names{
		SharesChart: {Zh: "满意率", En: "Satisfaction"}, TrendChart: {Zh: "满意率走势", En: "Satisfaction over time"},
		LevelsChart: {Zh: "满意度等级分布", En: "Levels of satisfaction"}, MapChart: {Zh: "各市州满意率", En: "Satisfaction by prefecture"},
	}[name]
	f := charts.Frame{Lang: look.Lang, Width: look.Width, Demo: look.Demo}
	n := ""
	if t.Total.Figures != nil {
		n = fmt.Sprintf(" · n = %d", t.Total.N)
	}
	if f.Lang == "en" {
		f.Title = title.En + " · " + kind.Names.In("en") + " · " + t.Total.Names.In("en")
		f.Note = fmt.Sprintf("Level %d and above of 5; 95%% intervals by Wilson; fewer than %d ratings are not shown.", t.SatisfiedFrom, directory.MinRatings)
	} else {
		f.Title = t.Total.Names.Zh + kind.Names.Zh + title.Zh
		f.Note = fmt.Sprintf("满意：%s及以上；区间为 95%% 置信区间（Wilson）；不足 %d 条评价的不公布。", directory.Levels[t.SatisfiedFrom-1].Zh, directory.MinRatings)
	}
	f.Subtitle = t.Period.Name().In(look.Lang) + n
	return f
}

// CoverageOf makes the chart of an indicator of coverage.
func (s *Statistics) CoverageOf(t *IndicatorTable, code directory.IndicatorCode, look Look) charts.Chart {
	c := charts.Coverage{Frame: charts.Frame{Lang: look.Lang, Width: look.Width, Demo: look.Demo, Subtitle: string(t.AsOf)}}
	for _, row := range t.Items {
		if row.Code != code {
			continue
		}
		c.Title, c.Note = row.Names.In(look.Lang), row.Definition.In(look.Lang)
		if row.Target != nil {
			c.Target = row.Target.Value
		}
		for _, f := range append([]RegionFigure{row.Total}, row.Regions...) {
			covered := charts.Covered{Label: f.Names.In(look.Lang)}
			if f.Numerator != nil && f.Denominator != nil {
				covered.Part, covered.Whole = *f.Numerator, *f.Denominator
			}
			c.Rows = append(c.Rows, covered)
		}
	}
	return c
}
