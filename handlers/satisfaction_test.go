package handlers

import (
	"crypto/rand"
	"testing"

	"qingfu/directory"
)

// rated stores ratings of streets, of which no other test has any.
func (f *fixture) rated(t *testing.T, month directory.Month, region string, levels [5]int) {
	t.Helper()
	var ratings []directory.Rating
	for level, n := range levels {
		for range n {
			id, err := directory.NewID(f.clock.Now(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			ratings = append(ratings, directory.Rating{
				ID: id, Proof: "test " + id, Origin: directory.OrderOrigin, Listing: draftID, Kind: directory.StreetKind, Region: region, Category: "night_market",
				Level: directory.Level(level + 1), State: directory.RatingPublished, CreatedAt: month.Begins().Add(1),
			})
		}
	}
	if _, err := f.store.Ratings.Upsert(t.Context(), ratings); err != nil {
		t.Fatal(err)
	}
}

func TestSatisfaction(t *testing.T) {
	f := newFixture(t, nil)
	f.rated(t, 202609, "630102001", [5]int{1, 2, 4, 40, 53}) // 93 of 100
	f.rated(t, 202609, "630202", [5]int{5, 15, 0, 20, 10})   // 30 of 50
	f.rated(t, 202609, "632801", [5]int{0, 0, 1, 9, 10})     // 19 of 20
	f.rated(t, 202609, "632621", [5]int{1, 1, 1, 1, 1})      // 2 of 5
	f.rated(t, 202508, "630103", [5]int{30, 20, 0, 20, 30})  // 50 of 100, the year before
	everybody := walk{fixture: f, t: t}
	official := f.person(t, directory.Grant{Role: directory.Official, Bureau: directory.Commerce, Region: "630000", Powers: []directory.Power{directory.StatisticsPower}})
	const path = "/v1/stats/satisfaction?kind=pedestrian_street"

	all := official.step(200, "GET", path+"&by=region", "")
	official.want(all, map[string]any{
		"view": "official", "period.from": "2026-01", "period.to": "2026-11", "region_name": "青海省", "target": 0.85, "satisfied_from": 4.0,
		"total.n": 175.0, "total.levels": []any{7.0, 18.0, 6.0, 70.0, 74.0}, "total.share": 0.8229, "total.low": 0.7595, "total.high": 0.8723, "total.verdict": "uncertain",
		"total.verdict_name": "未定", "total.needed": 490.0, "total.change.difference": 0.3229, "total.change.period.from": "2025-01", "total.change.period.to": "2025-12",
		"rows.#": 8.0, "rows.0.name": "西宁市", "rows.0.n": 100.0, "rows.0.verdict": "met", "rows.0.needed": nil, "rows.0.change.share": 0.5,
		"rows.1.verdict": "not_met", "rows.1.change": nil, "rows.5.name": "果洛藏族自治州", "rows.5.n": 5.0, "rows.5.verdict": "too_few", "rows.5.share": nil, "rows.5.needed": 5.0,
		"rows.7.thin": true, "suppressed.#": 0.0, "post_stratified.#": 2.0,
	})
	public := everybody.step(200, "GET", path+"&by=region", "")
	everybody.want(public, map[string]any{
		"view": "public", "total.n": 175.0, "rows.0.n": 100.0, "rows.1.n": 50.0, "rows.5.suppressed": "protected", "rows.7.suppressed": "protected", "suppressed.0.n": 2.0,
		"rows.2.n": 0.0, "rows.2.verdict": "too_few",
	})
	for _, hidden := range []string{"rows.5.n", "rows.5.levels", "rows.7.share"} {
		if v, ok := member(public, hidden); ok {
			t.Errorf("everybody sees %s: %v", hidden, v)
		}
	}
	official.want(official.step(200, "GET", path+"&by=region&view=public", ""), map[string]any{"view": "public", "rows.5.suppressed": "protected"})
	everybody.want(everybody.step(403, "GET", path+"&view=official", ""), map[string]any{"code": "forbidden"})

	// Levels, categories, months and organizations; other rules of what is satisfied.
	everybody.want(everybody.step(200, "GET", path+"&by=level&from=2026-09&to=2026-09", ""), map[string]any{
		"rows.0.key": "5", "rows.0.n": 74.0, "rows.0.share": 0.4229, "rows.4.name": "非常不满意",
	})
	everybody.want(everybody.step(200, "GET", path+"&satisfied_from=3&target=0.5", ""), map[string]any{"total.share": 0.8571, "total.verdict": "met"})
	everybody.want(everybody.step(200, "GET", path+"&satisfied_from=5", ""), map[string]any{"total.share": 0.4229, "total.verdict": "not_met"})
	everybody.want(everybody.step(200, "GET", path+"&by=month&lang=en", ""), map[string]any{"rows.#": 11.0, "rows.8.n": 175.0, "rows.8.name": "2026-09", "rows.7.n": 0.0})
	everybody.want(everybody.step(200, "GET", path+"&by=category", ""), map[string]any{"rows.#": 4.0, "rows.2.name": "夜市", "rows.2.n": 175.0})
	everybody.want(everybody.step(200, "GET", path+"&by=category&region=630100", ""), map[string]any{"rows.2.suppressed": "combination", "total.n": 100.0})
	everybody.want(everybody.step(200, "GET", path+"&from=2026-02", ""), map[string]any{"total.suppressed": "period", "total.reason": "公开数据只按整月、整季、整年提供"})
	official.want(official.step(200, "GET", path+"&from=2026-02&by=organization", ""), map[string]any{"total.n": 175.0, "rows.0.name": "未登记机构的条目", "rows.0.key": ""})

	// The first screen of an official, and what the public sees of it.
	bureau := f.person(t, directory.Grant{Role: directory.Official, Bureau: directory.Statistics, Region: "630000", Powers: []directory.Power{directory.StatisticsPower}})
	first := bureau.step(200, "GET", "/v1/stats/overview?kind=pedestrian_street", "")
	bureau.want(first, map[string]any{
		"satisfaction.view": "official", "satisfaction.rows.0.verdict_name": "达标", "satisfaction.rows.5.n": 5.0, "indicators.items.#": 13.0, "indicators.items.0.regions.#": 8.0,
		"reporting.#": 6.0, "reporting.3.form.code": "county_health", "reporting.3.month": "2026-10", "reporting.3.expected": 45.0, "reporting.3.missing": "*", "reporting.3.first.0": "城东区",
	})
	everybody.want(everybody.step(200, "GET", "/v1/stats/overview?kind=pedestrian_street", ""), map[string]any{"satisfaction.view": "public", "reporting.#": 0.0})

	// What is asked for twice is not sent twice, and what is wrong is said at once.
	a := f.get(t, path)
	if b := f.get(t, path, "If-None-Match", a.Header.Get("ETag")); b.StatusCode != 304 {
		t.Errorf("the same again: %d", b.StatusCode)
	}
	everybody.want(everybody.step(400, "GET", "/v1/stats/satisfaction?kind=hotel&region=630102001&by=colour&from=2026-13&to=2027-01&origin=none&satisfied_from=2&target=1", ""),
		map[string]any{"errors.#": 8.0})
	everybody.want(everybody.step(400, "GET", path+"&from=2026-10&to=2026-09", ""), map[string]any{"errors.0.parameter": "from", "errors.0.code": "too_large"})
	everybody.want(everybody.step(400, "GET", path+"&from=2012-01", ""), map[string]any{"errors.0.parameter": "from", "errors.0.code": "too_small"})
	everybody.want(everybody.step(400, "GET", path+"&region=640000", ""), map[string]any{"errors.0.parameter": "region"})
}
