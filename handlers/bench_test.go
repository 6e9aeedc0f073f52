package handlers

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"qingfu/search"
)

const benchURL = "/v1/listings?q=jiazheng&kind=domestic_service,elder_care&facets=kind,category,region&region=630100&open_now=true&limit=20"

// BenchmarkRead measures reading and checking the parameters of a search.
func BenchmarkRead(b *testing.B) {
	f := newFixture(b, nil)
	op := f.api.operations["searchListings"]
	c := f.app.AcquireCtx(&fasthttp.RequestCtx{})
	defer f.app.ReleaseCtx(c)
	c.Request().SetRequestURI(benchURL)
	b.ReportAllocs()
	for b.Loop() {
		if in := op.read(c); in.err() != nil {
			b.Fatal(in.err())
		}
	}
}

// BenchmarkSendPage measures rendering 20 results with three facets, as the
// index has them and translated.
func BenchmarkSendPage(b *testing.B) {
	f := newFixture(b, nil)
	r, err := f.search.Search(b.Context(), search.Query{
		Text: "家政", Sort: search.ByRelevance, Limit: 20, Now: noon,
		Facets: []search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet}, RegionFacet: f.api.regionFacet(nil),
	})
	if err != nil || len(r.Hits) != 20 {
		b.Fatal(len(r.Hits), err)
	}
	for _, lang := range []string{"zh", "en"} {
		b.Run(lang, func(b *testing.B) {
			c := f.app.AcquireCtx(&fasthttp.RequestCtx{})
			defer f.app.ReleaseCtx(c)
			b.ReportAllocs()
			for b.Loop() {
				if err := f.api.sendPage(c, &input{lang: lang}, &r, 1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(c.Response().Body())), "bytes/answer")
		})
	}
}

// BenchmarkRequest measures whole requests without the network.
func BenchmarkRequest(b *testing.B) {
	f := newFixture(b, nil)
	handler := f.app.Handler()
	bare := fiber.New(fiber.Config{DisableStartupMessage: true})
	constant := make([]byte, 14_000)
	bare.Get("/v1/listings", func(c *fiber.Ctx) error { return c.Send(constant) })
	for _, bm := range []struct {
		name, url, encoding string
		handler             fasthttp.RequestHandler
	}{
		{"bare", benchURL, "", bare.Handler()},
		{"livez", "/livez", "", handler},
		{"search", benchURL, "", handler},
		{"search gzip", benchURL, "gzip", handler},
		{"search br", benchURL, "br", handler},
		{"detail", "/v1/listings/" + f.listings[100].ID, "", handler},
		{"suggest", "/v1/suggest?q=yuesao", "", handler},
		{"clusters", "/v1/map/clusters?bbox=101,36,102,37&zoom=9", "", handler},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := &fasthttp.RequestCtx{}
			for b.Loop() {
				ctx.Request.Reset()
				ctx.Response.Reset()
				ctx.Request.SetRequestURI(bm.url)
				ctx.Request.Header.Set("Accept-Encoding", bm.encoding)
				bm.handler(ctx)
				if ctx.Response.StatusCode() != 200 {
					b.Fatalf("%s", ctx.Response.Body())
				}
			}
			b.ReportMetric(float64(len(ctx.Response.Body())), "bytes/answer")
		})
	}
}
