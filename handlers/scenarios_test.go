package handlers

import "testing"

func TestSmoke(t *testing.T) {
	f := newFixture(t, nil)
	for _, u := range []string{"/v1/listings", "/v1/listings?q=jiazheng&facets=kind,region&limit=2&near=36.62,101.78", "/v1/listings?q=jiazheng&limit=1&lang=en&crs=gcj02", "/v1/listings/" + f.listings[100].ID,
		"/v1/listings:batch?ids=" + f.listings[1].ID + "," + f.draft, "/v1/suggest?q=yuesao", "/v1/suggest?q=cd", "/v1/map/clusters?bbox=101,36,102,37&zoom=9", "/v1/regions", "/v1/regions/630102", "/v1/regions:locate?lat=36.62&lon=101.78",
		"/v1/categories", "/openapi.yaml", "/docs", "/docs/docs.js", "/livez", "/readyz", "/version", "/metrics", "/nope", "/v1/listings?limit=0&kind=x&near=1&foo=1&q=a&q=b&radius_m=3&category=zzz"} {
		a := f.get(t, u)
		t.Logf("%s %d %v\n%.1500s", u, a.StatusCode, a.Header, a.body)
	}
	a := f.do(t, "POST", "/v1/listings")
	t.Logf("%d %v %s", a.StatusCode, a.Header, a.body)
	a = f.do(t, "FOO", "/v1/listings")
	t.Logf("%d %v %s", a.StatusCode, a.Header, a.body)
	a = f.do(t, "HEAD", "/v1/listings")
	t.Logf("%d %v %s", a.StatusCode, a.Header, a.body)
}
