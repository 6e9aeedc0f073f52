package handlers

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/statistics"
)

// indicatorView is an indicator in an answer.
type indicatorView struct {
	directory.Indicator
	Name    string             `json:"name"`
	Total   regionFigureView   `json:"total"`
	Regions []regionFigureView `json:"regions"`
}

// regionFigureView is an indicator in a region in an answer.
type regionFigureView struct {
	statistics.RegionFigure
	Name    string          `json:"name"`
	Verdict *search.TermRef `json:"verdict"` // nil where no target is set
}

func viewRegionFigure(f statistics.RegionFigure, lang string) regionFigureView {
	v := regionFigureView{RegionFigure: f, Name: f.Names.In(lang)}
	if f.Verdict != "" {
		v.Verdict = new(refOf(directory.IndicatorVerdicts, string(f.Verdict), lang))
	}
	return v
}

// getIndicators answers with the figures of the policy for a region.
func (a *api) getIndicators(c *fiber.Ctx, in *input) error {
	region := in.region(a.Regions, "region")
	if err := in.err(); err != nil {
		return err
	}
	table, err := a.Statistics.Indicators(c.UserContext(), region, *in.boolean("children"))
	if err != nil {
		return err
	}
	return sendTaggedJSON(c, a.viewIndicators(&table, texts[directory.IndicatorCode](in, "indicator"), in.lang))
}

// indicatorTableView is a table of indicators in an answer.
type indicatorTableView struct {
	AsOf     directory.Date   `json:"as_of"`
	Region   search.RegionRef `json:"region"`
	Items    []indicatorView  `json:"items"`
	DemoData bool             `json:"demo_data,omitempty"`
}

// viewIndicators shows a table, of the indicators that are wanted, all where none are named.
func (a *api) viewIndicators(table *statistics.IndicatorTable, wanted []directory.IndicatorCode, lang string) indicatorTableView {
	out := indicatorTableView{table.AsOf, search.NewRegionRef(a.Regions, table.Region, lang), []indicatorView{}, a.DemoData()}
	for _, row := range table.Items {
		if len(wanted) > 0 && !slices.Contains(wanted, row.Code) {
			continue
		}
		v := indicatorView{Indicator: row.Indicator, Name: row.Indicator.Names.In(lang), Total: viewRegionFigure(row.Total, lang), Regions: []regionFigureView{}}
		for _, f := range row.Regions {
			v.Regions = append(v.Regions, viewRegionFigure(f, lang))
		}
		out.Items = append(out.Items, v)
	}
	return out
}
