package statistics

import (
	"bytes"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"qingfu/charts"
	"qingfu/directory"
)

// TestCharts draws each chart of each cut, and looks for what the public must not see.
func TestCharts(t *testing.T) {
	f := newFixture(t)
	f.invent(rand.New(rand.NewPCG(6, 3)), 800)
	f.rate(directory.Rating{Region: "632621", Level: 1, CreatedAt: in(202603)}, 3)
	for _, name := range []ChartName{SharesChart, TrendChart, LevelsChart, CoverageChart, MapChart} {
		for _, by := range []Cut{"", ByRegion, ByCategory, ByOrganization, ByMonth, ByQuarter, ByOrigin, ByLevel} {
			for _, lang := range []string{"zh", "en"} {
				chart, err := f.Chart(t.Context(), name, headline(by), directory.StreetCoverage, true, Look{Lang: lang, Width: 560, Demo: true})
				f.fatal(err)
				svg := string(charts.SVG(chart))
				if !strings.HasPrefix(svg, "<svg") || !strings.Contains(svg, map[string]string{"zh": "示例数据", "en": "emonstration"}[lang]) {
					t.Errorf("%s by %s: %.200s", name, by, svg)
				}
				if name != CoverageChart && !strings.Contains(svg, map[string]string{"zh": "青海省", "en": "Qinghai"}[lang]) {
					t.Errorf("%s by %s says of no place that it is of it", name, by)
				}
			}
		}
	}
	chart := func(name ChartName, public bool) string {
		c, err := f.Chart(t.Context(), name, headline(ByRegion), directory.StreetCoverage, public, Look{Lang: "zh", Width: 560})
		f.fatal(err)
		data, err := charts.PNG(c)
		f.fatal(err)
		if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return string(charts.SVG(c))
	}
	if svg := chart(MapChart, true); !strings.Contains(svg, "果洛") || !strings.Contains(svg, "样本不足") {
		t.Error("the map does not say where there are too few ratings")
	}
	official := chart(LevelsChart, false)
	if public := chart(LevelsChart, true); public == official {
		t.Error("the public sees what officials see")
	}
	if svg := chart(CoverageChart, true); !strings.Contains(svg, "不适用") {
		t.Error("prefectures without streets are not marked")
	}
}
