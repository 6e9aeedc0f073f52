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
	region := in.text("region")
	if region != "" && !a.Regions.Has(region) { // "" is wrong in its form already
		in.refuse("region", directory.CodeValue, "/v1/regions")
	}
	if err := in.err(); err != nil {
		return err
	}
	table, err := a.Statistics.Indicators(c.UserContext(), region, *in.boolean("children"))
	if err != nil {
		return err
	}
	wanted := texts[directory.IndicatorCode](in, "indicator")
	items := []indicatorView{}
	for _, row := range table.Items {
		if len(wanted) > 0 && !slices.Contains(wanted, row.Code) {
			continue
		}
		v := indicatorView{Indicator: row.Indicator, Name: row.Indicator.Names.In(in.lang), Total: viewRegionFigure(row.Total, in.lang), Regions: []regionFigureView{}}
		for _, f := range row.Regions {
			v.Regions = append(v.Regions, viewRegionFigure(f, in.lang))
		}
		items = append(items, v)
	}
	body, err := toJSON(struct {
		AsOf     directory.Date   `json:"as_of"`
		Region   search.RegionRef `json:"region"`
		Items    []indicatorView  `json:"items"`
		DemoData bool             `json:"demo_data,omitempty"`
	}{table.AsOf, search.NewRegionRef(a.Regions, table.Region, in.lang), items, a.DemoData()})
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, body)
}
