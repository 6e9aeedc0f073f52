package handlers

import (
	"fmt"
	"slices"
	"testing"

	"qingfu/directory"
)

// TestIndicators reads the figures of the policy as a journalist does, who asks which
// prefectures meet them.
func TestIndicators(t *testing.T) {
	f := newFixture(t, nil)
	stranger := walk{fixture: f, t: t}
	const path = "/v1/stats/indicators"

	all := stranger.step(200, "GET", path, "")
	stranger.want(all, map[string]any{
		"as_of": "2026-11-23", "region.code": "630000", "region.name": "青海省", "items.#": float64(len(directory.Indicators)), "demo_data": true,
		"items.0.code": "street_coverage", "items.0.name": "街道综合养老服务覆盖率", "items.0.section": "三·十", "items.0.unit": "share", "items.0.source": "computed",
		"items.0.target.value": 1.0, "items.0.target.relation": "at_least", "items.0.definition.zh": "*", "items.0.definition.en": "*",
		"items.0.total.code": "630000", "items.0.total.denominator": 43.0, "items.0.total.verdict.code": "not_met", "items.0.total.verdict.name": "未达标", "items.0.total.as_of": "2026-11-23",
		"items.0.regions.#": 8.0, "items.0.regions.0.name": "西宁市", "items.0.regions.0.denominator": 26.0,
		"items.1.total.denominator": 191.0, "items.2.total.denominator": 536.0, "items.1.total.unplaced": "*",
		"items.3.code": "socially_run_beds", "items.3.target.value": 0.6, "items.3.target.relation": "more_than", "items.3.total.known.of": "*",
		"items.5.code": "childcare_guidance", "items.5.source": "reported", "items.5.total.value": nil, "items.5.total.verdict.name": "无数据",
		"items.6.total.denominator": 8.0, "items.6.total.breakdown.#": 2.0,
		"items.7.code": "brands", "items.7.target": nil, "items.7.total.verdict": nil, "items.7.total.breakdown.0.names.zh": "青字号",
		"items.8.total.population": 5923957.0, "items.8.total.per_thousand": "*", "items.8.regions.0.population": 2467965.0,
	})
	for _, i := range []int{2, 3, 4, 5} { // 海北, 黄南, 海南 and 果洛 have no street
		at := fmt.Sprintf("items.0.regions.%d.", i)
		stranger.want(all, map[string]any{at + "verdict.code": "not_applicable", at + "verdict.name": "不适用", at + "value": nil, at + "denominator": 0.0})
	}
	var streets int
	for _, l := range f.listings {
		if l.Street != nil && l.Street.Level != "" {
			streets++
		}
	}
	stranger.want(all, map[string]any{"items.6.total.value": float64(streets)})

	stranger.want(stranger.step(200, "GET", path+"?region=630100&indicator=nursing_beds,street_coverage&lang=en", ""), map[string]any{
		"region.name": "Xining", "items.#": 2.0, "items.0.code": "street_coverage", "items.1.name": "Share of nursing beds", "items.0.total.verdict.name": "Not met",
		"items.0.regions.#": 7.0, "items.0.regions.0.name": "Chengdong",
	})
	stranger.want(stranger.step(200, "GET", path+"?region=630106&children=false&indicator=childcare_places", ""), map[string]any{
		"items.#": 1.0, "items.0.regions.#": 0.0, "items.0.total.population": 395043.0,
	})
	stranger.want(stranger.step(200, "GET", path+"?region=632322&indicator=pedestrian_streets", ""), map[string]any{
		"items.0.total.verdict.code": "not_applicable", "items.0.regions.0.code": "632322100",
	})

	for query, parameter := range map[string]string{
		"region=639999": "region", "region=630102001": "region", "region=630102001001": "region", "region=": "region", "indicator=domestic_satisfaction": "indicator",
		"indicator=": "indicator", "children=yes": "children", "demo=false": "demo",
	} {
		stranger.want(stranger.step(400, "GET", path+"?"+query, ""), map[string]any{"errors.#": 1.0, "errors.0.parameter": parameter})
	}
	stranger.want(stranger.step(400, "GET", path+"?region=639999&children=1&indicator=x", ""), map[string]any{"errors.#": 3.0})
}

// TestIndicatorsAreRevalidated: the same answer has the same ETag, and a new listing
// changes it.
func TestIndicatorsAreRevalidated(t *testing.T) {
	f := newFixture(t, nil)
	const path = "/v1/stats/indicators?region=632322"
	first := f.get(t, path)
	tag := first.Header.Get("ETag")
	if a := f.get(t, path, "If-None-Match", tag); a.StatusCode != 304 || len(a.body) > 0 {
		t.Errorf("asked again: %d %s", a.StatusCode, a.body)
	}
	id := freshID(t)
	listing := slices.IndexFunc(f.listings, func(l directory.Listing) bool { return l.Kind == directory.DomesticServiceKind })
	l := f.listings[listing]
	l.ID, l.Region, l.OrganizationID = id, "632322", ""
	if _, err := f.store.Listings.Insert(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	a := f.get(t, path, "If-None-Match", tag)
	if a.StatusCode != 200 || a.Header.Get("ETag") == tag {
		t.Errorf("after a change: %d %s", a.StatusCode, a.Header.Get("ETag"))
	}
	if err := f.store.Listings.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if a := f.get(t, path); string(a.body) != string(first.body) {
		t.Errorf("taken away again: %s", a.body)
	}
}

func TestIndicatorCodesInTheContract(t *testing.T) {
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	var have, declared []string
	for _, i := range directory.Indicators {
		have = append(have, string(i.Code))
	}
	for _, code := range doc.Components.Schemas["IndicatorCode"].Value.Enum {
		declared = append(declared, fmt.Sprint(code))
	}
	if !slices.Equal(have, declared) {
		t.Errorf("the contract has %v, the program %v", declared, have)
	}
}
