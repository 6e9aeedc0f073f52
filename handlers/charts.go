package handlers

import (
	"github.com/gofiber/fiber/v2"

	"qingfu/charts"
	"qingfu/directory"
	"qingfu/statistics"
)

// chart makes the chart that is asked for.
func (a *api) chart(c *fiber.Ctx, in *input) (charts.Chart, error) {
	q := a.readSatisfaction(in)
	name := statistics.ChartName(in.text("name"))
	if err := in.err(); err != nil {
		return nil, err
	}
	public, err := in.publicView(a, c, q.Kind, q.Region)
	if err != nil {
		return nil, err
	}
	look := statistics.Look{Lang: in.lang, Width: in.integer("width"), Demo: a.DemoData()}
	return a.Statistics.Chart(c.UserContext(), name, q, directory.IndicatorCode(in.text("coverage")), public, look)
}

// chartPolicy lets a picture that is opened by itself have the styles that it holds.
const chartPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

func (a *api) getChartSVG(c *fiber.Ctx, in *input) error {
	chart, err := a.chart(c, in)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, chartPolicy)
	return sendTagged(c, mimeSVG, charts.SVG(chart))
}

func (a *api) getChartPNG(c *fiber.Ctx, in *input) error {
	chart, err := a.chart(c, in)
	if err != nil {
		return err
	}
	picture, err := charts.PNG(chart)
	if err != nil {
		return err
	}
	return sendTagged(c, "image/png", picture)
}
