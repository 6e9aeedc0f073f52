package handlers

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"qingfu/directory"
)

// Every parameter with values that it must refuse, and the code of the refusal.
func TestWrongParameters(t *testing.T) {
	f := newFixture(t, nil)
	long := strings.Repeat("字", 101)
	const batch, clusters, regions, locate = "/v1/listings:batch", "/v1/map/clusters", "/v1/regions", "/v1/regions:locate"
	many := strings.TrimSuffix(strings.Repeat("630100,", 51), ",")
	for _, tc := range []struct{ path, query, parameter, code string }{
		{"", "q=" + long, "q", directory.CodeTooLong},
		{"", "q=%ff", "q", directory.CodeFormat},
		{"", "q=%zz", "q", directory.CodeFormat},
		{"", "q=%", "q", directory.CodeFormat},
		{"", "q=a&q=b", "q", directory.CodeDuplicate},
		{"", "kind=shop", "kind", directory.CodeValue},
		{"", "kind=", "kind", directory.CodeValue},
		{"", "kind=brand,,brand", "kind", directory.CodeValue},
		{"", "kind=brand,brand,brand,brand,brand,brand", "kind", directory.CodeTooLong},
		{"", "kind=brand&kind=brand", "kind", directory.CodeDuplicate},
		{"", "category=no_such", "category", directory.CodeValue},
		{"", "category=A'--", "category", directory.CodeFormat},
		{"", "category=", "category", directory.CodeFormat},
		{"", "region=110000", "region", directory.CodeFormat},
		{"", "region=639999", "region", directory.CodeValue},
		{"", "region=" + many, "region", directory.CodeTooLong},
		{"", "near=36.6", "near", directory.CodeFormat},
		{"", "near=36.6,101.7,3", "near", directory.CodeFormat},
		{"", "near=a,b", "near", directory.CodeFormat},
		{"", "near=NaN,NaN", "near", directory.CodeFormat},
		{"", "near=inf,1", "near", directory.CodeFormat},
		{"", "near=0x10,1", "near", directory.CodeFormat},
		{"", "near=101.7,36.6", "near", directory.CodeFormat}, // the wrong way round
		{"", "near=36.6,181", "near", directory.CodeTooLarge},
		{"", "near=1e400,1", "near", directory.CodeFormat},
		{"", "radius_m=100", "radius_m", directory.CodeNeeds},
		{"", "near=36.6,101.7&radius_m=0", "radius_m", directory.CodeTooSmall},
		{"", "near=36.6,101.7&radius_m=1e9", "radius_m", directory.CodeTooLarge},
		{"", "near=36.6,101.7&radius_m=wide", "radius_m", directory.CodeFormat},
		{"", "bbox=1,2,3", "bbox", directory.CodeFormat},
		{"", "bbox=102,36,101,37", "bbox", directory.CodeMismatch},
		{"", "bbox=101,37,102,36", "bbox", directory.CodeMismatch},
		{"", "bbox=101,-91,102,36", "bbox", directory.CodeMismatch},
		{"", "bbox=-181,0,1,1", "bbox", directory.CodeTooSmall},
		{"", "open_now=yes", "open_now", directory.CodeFormat},
		{"", "open_now=", "open_now", directory.CodeFormat},
		{"", "features=no_such", "features", directory.CodeValue},
		{"", "badges=no_such", "badges", directory.CodeValue},
		{"", "has_vacancy=1", "has_vacancy", directory.CodeFormat},
		{"", "price_max=-1", "price_max", directory.CodeTooSmall},
		{"", "price_max=1.5", "price_max", directory.CodeFormat},
		{"", "price_max=99999999999999999999999", "price_max", directory.CodeTooLarge},
		{"", "min_satisfaction=85", "min_satisfaction", directory.CodeTooLarge},
		{"", "min_satisfaction=-0.1", "min_satisfaction", directory.CodeTooSmall},
		{"", "demo=maybe", "demo", directory.CodeFormat},
		{"", "sort=best", "sort", directory.CodeValue},
		{"", "sort=distance", "sort", directory.CodeNeeds},
		{"", "facets=colour", "facets", directory.CodeValue},
		{"", "limit=0", "limit", directory.CodeTooSmall},
		{"", "limit=101", "limit", directory.CodeTooLarge},
		{"", "limit=ten", "limit", directory.CodeFormat},
		{"", "limit=1e1", "limit", directory.CodeFormat},
		{"", "limit=", "limit", directory.CodeFormat},
		{"", "cursor=!", "cursor", directory.CodeFormat},
		{"", "cursor=AAAA", "cursor", directory.CodeFormat},
		{"", "cursor=AAAAAAAAAAAAAAAAAAAA", "cursor", directory.CodeMismatch},
		{"", "crs=bd09", "crs", directory.CodeValue},
		{"", "lang=fr", "lang", directory.CodeValue},
		{"", "colour=red", "colour", directory.CodeUnknown},
		{"", "%zz=1", "%zz", directory.CodeUnknown},
		{"", "=1", "", directory.CodeUnknown},
		{"", "Q=1", "Q", directory.CodeUnknown},

		{batch, "", "ids", directory.CodeRequired},
		{batch, "ids=1", "ids", directory.CodeFormat},
		{batch, "ids=" + strings.TrimSuffix(strings.Repeat("01890a5d-ac96-774b-bcce-b302099a8057,", 101), ","), "ids", directory.CodeTooLong},
		{"/v1/listings/1", "", "id", directory.CodeFormat},
		{"/v1/listings/%00", "", "id", directory.CodeFormat},
		{"/v1/suggest", "", "q", directory.CodeRequired},
		{"/v1/suggest", "q=", "q", directory.CodeRequired},
		{"/v1/suggest", "q=+", "q", directory.CodeRequired},
		{"/v1/suggest", "q=a&limit=11", "limit", directory.CodeTooLarge},
		{"/v1/suggest", "q=a&region=639999", "region", directory.CodeValue},
		{clusters, "zoom=3", "bbox", directory.CodeRequired},
		{clusters, "bbox=1,1,2,2", "zoom", directory.CodeRequired},
		{clusters, "bbox=1,1,2,2&zoom=21", "zoom", directory.CodeTooLarge},
		{clusters, "bbox=89,31,104,40&zoom=20", "bbox", directory.CodeTooLarge},
		{clusters, "bbox=101,36,102,37&zoom=9&sort=name", "sort", directory.CodeUnknown},
		{regions, "parent=639999", "parent", directory.CodeValue},
		{regions, "parent=x", "parent", directory.CodeFormat},
		{regions, "level=6", "level", directory.CodeTooLarge},
		{regions, "level=5", "level", directory.CodeNeeds},
		{regions, "q=" + long, "q", directory.CodeTooLong},
		{regions + "/63", "", "code", directory.CodeFormat},
		{locate, "lat=36", "lon", directory.CodeRequired},
		{locate, "lat=91&lon=0", "lat", directory.CodeTooLarge},
		{locate, "lat=36&lon=x", "lon", directory.CodeFormat},
		{"/v1/changes", "region=6301", "region", directory.CodeFormat},
		{"/v1/changes", "region=639999", "region", directory.CodeValue},
		{"/v1/changes", "limit=201", "limit", directory.CodeTooLarge},
		{"/v1/changes", "since=", "since", directory.CodeFormat},
		{"/v1/changes", "since=AAAA", "since", directory.CodeFormat},
		{"/v1/changes", "since=AAAAAAAAAAAAAAAAAAAA", "since", directory.CodeMismatch},
		{"/v1/changes", "cursor=AAAA", "cursor", directory.CodeUnknown},
	} {
		path := tc.path
		if path == "" {
			path = "/v1/listings"
		}
		target := path + "?" + tc.query
		a := f.get(t, target)
		p := decode[problem](t, a)
		if a.StatusCode != 400 || len(p.Errors) != 1 || p.Errors[0].Parameter != tc.parameter || p.Errors[0].Code != tc.code ||
			p.Errors[0].Message == "" || strings.Contains(p.Errors[0].Message, "%s") {
			t.Errorf("%.100s: %d %s", target, a.StatusCode, a.body)
		}
	}
}

func TestEveryWrongParameterAtOnce(t *testing.T) {
	f := newFixture(t, nil)
	a := f.get(t, "/v1/listings?limit=0&kind=x&near=1&foo=1&q=a&q=b&category=zzz&sort=distance&lang=en")
	var got []string
	for _, e := range decode[problem](t, a).Errors {
		got = append(got, e.Parameter+" "+e.Code)
	}
	want := "limit too_small, kind unknown_value, near bad_format, foo unknown_field, q duplicate, category unknown_value"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%s\nwant %s", s, want)
	}
	if !strings.Contains(string(a.body), "Must be at least 1.") {
		t.Errorf("not in English: %s", a.body)
	}
	// A URL full of wrong parameters is not answered with a novel.
	a = f.get(t, "/v1/listings?"+strings.Repeat("a&", 3000))
	if n := len(decode[problem](t, a).Errors); n != maxWrong {
		t.Errorf("%d errors", n)
	}
}

func FuzzQuery(f *testing.F) {
	fix := newFixture(f, nil)
	handler := fix.app.Handler()
	paths := []string{"/v1/listings", "/v1/listings:batch", "/v1/suggest", "/v1/map/clusters", "/v1/regions", "/v1/regions:locate", "/v1/categories", "/v1/changes"}
	for _, q := range []string{
		"q=jiazheng&limit=3", "q=%E5%85%BB&near=36,101&radius_m=5", "bbox=101,36,102,37&zoom=9&kind=brand", "ids=01890a5d-ac96-774b-bcce-b302099a8057",
		"lat=36&lon=101&crs=gcj02", "cursor=AAAAAAAAAAAAAAAAAAAA", "q=%00%ff&&&=;", "level=4&q=cd", "lang=bo&facets=kind,region&region=630102", "near=-0,1e-300&sort=distance",
	} {
		for i := range paths {
			f.Add(uint8(i), q)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		path := paths[int(which)%len(paths)]
		ctx := &fasthttp.RequestCtx{}
		ctx.Request.SetRequestURI(path + "?" + query)
		handler(ctx)
		status, body := ctx.Response.StatusCode(), ctx.Response.Body()
		if status >= 500 || !json.Valid(body) {
			t.Errorf("%s?%s: %d %s", path, url.QueryEscape(query), status, body)
		}
	})
}
