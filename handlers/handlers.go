// Package handlers is the HTTP API: it reads requests by the contract in
// openapi.yaml, asks the store and the search engine, and writes answers and
// problems. Start reading at routes.go.
package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"qingfu"
	"qingfu/auth"
	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/photos"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/statistics"
	"qingfu/store"
)

// Config is what the API is made of. Every field is needed but TrustedProxies,
// ReadLimit, Lag and Degraded.
type Config struct {
	Store    *store.Store
	Search   search.Searcher
	Auth     *auth.Auth
	Registry *registry.Registry
	Consumer *consumer.Consumer
	// Statistics counts, and keeps what is reported and published.
	Statistics *statistics.Statistics
	Photos     *photos.Store
	Regions    *directory.Regions
	Lexicon    *search.Lexicon
	Calendar   *directory.Calendar
	Log        *slog.Logger
	Now        func() time.Time

	// TrustedProxies are the networks of the proxies in front, whose
	// X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// ReadLimit is the most reads a minute from one network; 0 is no limit.
	ReadLimit int64
	// Ready returns nil when searches can be served: the index has caught up with
	// what is known of the store. It must be quick whatever is away.
	Ready func(context.Context) error
	// Progress returns the number of the last change in the store and of the
	// last one that the index has taken in, for the metrics.
	Progress func() (stored, indexed int64)
	// Lag returns the age of the oldest change that the index has not taken in, 0
	// when there is none, for the metrics.
	Lag func() time.Duration
	// DemoData tells whether the server holds demonstration data, which marks
	// every answer.
	DemoData func() bool
	// Degraded names what is away while others do its work or nobody does: "search",
	// "store". It is quick.
	Degraded func() []string
	// Version is the version of the program.
	Version string
}

// The bounds of a request. The read buffer holds the request line and all
// headers, so that a URL over the limit still gets an answer of its own.
const (
	maxURL     = 8 << 10  // bytes of path and query
	maxHeader  = 16 << 10 // bytes of request line and headers
	maxBody    = 64 << 10 // bytes
	maxLatency = 10 * time.Second
	// maxExportLatency is for a table of as many rows as one may have: 200,000 ratings
	// take 4 to 8 seconds to read on a busy machine of 2 cores.
	maxExportLatency = 30 * time.Second
)

type api struct {
	Config
	operations map[string]*operation
	metrics    *metrics
	completer  *completer
	vocabulary map[string][]byte // the answer of listCategories by language
	files      map[string]file   // of the reference page
	refusals   refusalLog
}

// New returns the API as a Fiber app. It fails when the contract cannot be read
// or lacks a route.
func New(cfg Config) (*fiber.App, error) {
	a, err := newAPI(cfg)
	if err != nil {
		return nil, err
	}
	return a.app(a.routes())
}

// contract reads openapi.yaml, once. Nobody may change it.
var contract = sync.OnceValues(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromData(qingfu.OpenAPI) })

func newAPI(cfg Config) (*api, error) {
	doc, err := contract()
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	a := &api{
		Config:    cfg,
		metrics:   newMetrics(cfg),
		completer: newCompleter(cfg.Regions, cfg.Lexicon),
	}
	if a.operations, err = readOperations(doc); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if a.vocabulary, err = renderVocabularies(); err != nil {
		return nil, err
	}
	a.files, err = a.docFiles()
	return a, err
}

// app serves routes.
func (a *api) app(routes []route) (*fiber.App, error) {
	app := fiber.New(fiber.Config{
		AppName:               "qingfu",
		DisableStartupMessage: true,
		Immutable:             true,
		CaseSensitive:         true,
		StrictRouting:         true,
		BodyLimit:             maxBody,
		// No operation takes forms, which would be read before any handler says so.
		DisablePreParseMultipartForm: true,
		ReadBufferSize:               maxHeader,
		ReadTimeout:                  10 * time.Second,
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  60 * time.Second,
		ErrorHandler:                 a.fail,
	})
	for _, r := range routes {
		if a.operations[r.operation] == nil {
			return nil, fmt.Errorf("openapi.yaml: no operation %s", r.operation)
		}
		if handler := a.serve(r); r.method == fiber.MethodGet {
			app.Get(fiberPath(r.path), handler) // and HEAD
		} else {
			app.Add(r.method, fiberPath(r.path), handler)
		}
	}
	app.Use(a.serve(route{operation: "unknown", permission: public, class: reading, handler: unknownPath}))
	a.refuseEarly(app)
	a.allowFiles(app, routes)
	return app, nil
}

// allowFiles lets the operations that take files have longer bodies than others,
// from callers that at least say who they are.
func (a *api) allowFiles(app *fiber.App, routes []route) {
	var files []route
	for _, r := range routes {
		if a.operations[r.operation].body.max() > maxBody {
			files = append(files, r)
		}
	}
	app.Server().HeaderReceived = func(h *fasthttp.RequestHeader) (config fasthttp.RequestConfig) {
		if h.ContentLength() <= maxBody && h.ContentLength() >= 0 || len(h.Peek(fiber.HeaderAuthorization)) == 0 {
			return config
		}
		path, _, _ := strings.Cut(string(h.RequestURI()), "?")
		for _, r := range files {
			if string(h.Method()) == r.method && matchPath(r.path, path) {
				config.MaxRequestBodySize = a.operations[r.operation].body.max()
				config.ReadTimeout = fileTime
			}
		}
		return config
	}
}

// fileTime is how long a file may take to arrive.
const fileTime = 2 * time.Minute

// unknownPath lets Fiber find out with which other methods the path exists.
func unknownPath(c *fiber.Ctx, _ *input) error { return c.Next() }

// refuseEarly gives the requests that never reach a route, because fasthttp or
// Fiber refuses them, the same form of answer as all others.
func (a *api) refuseEarly(app *fiber.App) {
	server, next := app.Server(), app.Server().Handler
	server.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		c := app.AcquireCtx(ctx)
		defer app.ReleaseCtx(c)
		a.begin(c)
		_ = a.fail(c, readError(err)) // it writes the answer and has no error of its own
	}
	known := map[string]bool{}
	for _, m := range fiber.DefaultMethods {
		known[m] = true
	}
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		// Fiber does not look for the path of a method that it does not know.
		// TRACE is one that it knows and that no route has.
		if !known[string(ctx.Method())] {
			ctx.Request.Header.SetMethod(fiber.MethodTrace)
		}
		next(ctx)
	}
}
