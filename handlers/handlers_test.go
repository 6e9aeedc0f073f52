package handlers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gofiber/fiber/v2"
	"github.com/pquerna/otp/totp"

	"qingfu"
	"qingfu/auth"
	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/statistics"
	"qingfu/store"
	"qingfu/store/sqlite"
	"qingfu/trial"
)

// noon is a Monday in November, when most places are open.
var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, directory.Shanghai)

// engines hold the real and the demonstration listings and one draft. Tests only
// read them, so that one set serves all.
type engines struct {
	store    *store.Store
	db       *sqlite.Engine
	search   *memory.Engine
	regions  *directory.Regions
	calendar *directory.Calendar
	lexicon  *search.Lexicon
	listings []directory.Listing // the published ones
	keys     *auth.Keyring
}

const draftID = "01890a5d-ac96-774b-bcce-b302099a8057"

var theEngines *engines

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "handlers")
	if err == nil {
		theEngines, err = newEngines(context.Background(), filepath.Join(dir, "test.db"))
	}
	code := 1
	if err == nil {
		code = m.Run()
		err = errors.Join(theEngines.search.Close(), theEngines.db.Close(), os.RemoveAll(dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func newEngines(ctx context.Context, path string) (*engines, error) {
	e := &engines{}
	var demo []directory.Listing
	var errs [4]error
	e.regions, errs[0] = seed.Regions()
	e.calendar, errs[1] = seed.Calendar()
	e.listings, errs[2] = seed.Real()
	demo, errs[3] = seed.Demo()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	e.listings = append(e.listings, demo...)
	e.lexicon = search.NewLexicon(e.regions)

	var err error
	if e.keys, err = auth.OpenKeyFile(filepath.Join(filepath.Dir(path), "keys.json"), rand.Reader); err != nil {
		return nil, err
	}
	if e.db, err = sqlite.Open(ctx, path); err != nil {
		return nil, err
	}
	if e.store, err = store.New(ctx, e.db); err != nil {
		return nil, err
	}
	draft := e.listings[0]
	draft.ID, draft.Status = draftID, directory.Draft
	if _, err = e.store.Listings.Upsert(ctx, append([]directory.Listing{draft}, e.listings...)); err != nil {
		return nil, err
	}
	if e.search, err = memory.New(e.lexicon, e.calendar); err != nil {
		return nil, err
	}
	docs := make([]search.Document, len(e.listings))
	indexer := search.NewIndexer(e.regions)
	for i := range e.listings {
		if docs[i], err = indexer.Document(&e.listings[i]); err != nil {
			return nil, err
		}
	}
	return e, e.search.Put(ctx, docs...)
}

// fixture is the API over the engines, with a clock and phones of its own.
type fixture struct {
	*engines
	app    *fiber.App
	api    *api
	spec   *openapi3.T
	clock  *trial.Clock
	phones *phones
}

// phones receive codes. They stand for the provider of text messages.
type phones struct {
	mu    sync.Mutex
	codes map[string]string // the last of each phone
	fail  error
}

// Send implements auth.Sender.
func (p *phones) Send(_ context.Context, m auth.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	p.codes[m.Phone] = m.Code
	return nil
}

func (p *phones) code(phone string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.codes[phone]
}

// newFixture returns an API whose configuration change may alter.
func newFixture(t testing.TB, change func(*Config)) *fixture {
	t.Helper()
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f := &fixture{engines: theEngines, clock: trial.NewClock(noon), phones: &phones{codes: map[string]string{}}}
	log := slog.New(slog.DiscardHandler)
	access, err := auth.New(context.Background(), auth.Config{
		Store: f.store, Keys: f.keys, Sender: f.phones, Limiter: auth.NewLimiter(f.clock.Now, nil), Log: log,
		Now: f.clock.Now, Random: rand.Reader, Issuer: "https://qingfu.test", SMSPerHour: 10_000, Demo: true,
	})
	fatal(err)
	album := newPhotos(f.store, f.clock.Now)
	reg, err := registry.New(context.Background(), registry.Config{
		Store: f.store, Auth: access, Photos: album, Search: f.search, Regions: f.regions, Log: log, Now: f.clock.Now, Random: rand.Reader,
	})
	fatal(err)
	between := consumer.New(consumer.Config{
		Store: f.store, Auth: access, Photos: album, Search: f.search, Regions: f.regions, Calendar: f.calendar, Rules: directory.DefaultRatingRules(),
		PublicURL: "https://qingfu.test", Log: log, Now: f.clock.Now, Random: rand.Reader,
	})
	figures := statistics.New(statistics.Config{
		Store: f.store, Auth: access, Regions: f.regions, Calendar: f.calendar, Census: seed.Census(), Rules: directory.DefaultRatingRules(), PublicURL: "https://qingfu.test", Log: log, Now: f.clock.Now, Random: rand.Reader,
	})
	cfg := Config{
		Store: f.store, Search: f.search, Auth: access, Registry: reg, Consumer: between, Statistics: figures, Photos: album, Regions: f.regions, Lexicon: f.lexicon, Calendar: f.calendar,
		Log:      log,
		Now:      f.clock.Now,
		Ready:    func(context.Context) error { return nil },
		Progress: func() (int64, int64) { return 7, 7 },
		DemoData: func() bool { return true },
		Version:  "test",
	}
	if change != nil {
		change(&cfg)
	}
	f.api, err = newAPI(cfg)
	fatal(err)
	f.app, err = f.api.app(f.api.routes())
	fatal(err)
	f.spec, err = closedContract()
	fatal(err)
	return f
}

// closedContract is the contract by which answers are checked: what it does not
// name is forbidden.
var closedContract = sync.OnceValues(func() (*openapi3.T, error) {
	spec, err := openapi3.NewLoader().LoadFromData(qingfu.OpenAPI)
	if err != nil {
		return nil, err
	}
	parts := map[*openapi3.Schema]bool{}
	for _, s := range spec.Components.Schemas {
		for _, with := range append([]*openapi3.SchemaRef{s}, slices.Collect(maps.Values(s.Value.Properties))...) {
			for _, part := range with.Value.AllOf {
				parts[part.Value] = true
			}
		}
	}
	for _, s := range spec.Components.Schemas {
		if !parts[s.Value] {
			closeSchema(s.Value)
		}
	}
	for _, contentType := range []string{"text/html", "text/javascript", "text/css", "image/jpeg", "image/png", "image/svg+xml", "application/x-ndjson", "application/atom+xml"} {
		openapi3filter.RegisterBodyDecoder(contentType, openapi3filter.PlainBodyDecoder)
	}
	return spec, nil
})

// closeSchema forbids members that the contract does not name, so that an
// answer with one fails its test. The parts of an allOf must stay open to each
// other.
func closeSchema(s *openapi3.Schema) {
	if s.Properties != nil && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
		no := false
		s.AdditionalProperties.Has = &no
	}
	for _, p := range s.Properties {
		if p.Ref == "" && p.Value.AllOf == nil {
			closeSchema(p.Value)
		}
	}
	if s.Items != nil && s.Items.Ref == "" {
		closeSchema(s.Items.Value)
	}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

// get asks for a path with headers given in pairs and checks the answer against
// the contract.
func (f *fixture) get(t testing.TB, target string, headers ...string) answer {
	t.Helper()
	return f.do(t, http.MethodGet, target, headers...)
}

func (f *fixture) do(t testing.TB, method, target string, headers ...string) answer {
	t.Helper()
	return f.request(t, method, target, "", headers...)
}

// request sends a body, too, which is JSON unless the headers say otherwise.
func (f *fixture) request(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	a := send(t, f.app, req, headers...)
	f.validate(t, req, a)
	return a
}

// send asks an app. A header given twice replaces what the request has of it and
// is then sent in two lines.
func send(t testing.TB, app *fiber.App, req *http.Request, headers ...string) answer {
	t.Helper()
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Del(headers[i])
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := app.Test(req, -1)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, body}
}

// validate checks an answer against the contract. Answers to paths and methods
// that the contract does not have must still be problems.
func (f *fixture) validate(t testing.TB, req *http.Request, a answer) {
	t.Helper()
	if a.Header.Get("Content-Encoding") != "" {
		return
	}
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var op *openapi3.Operation
	for _, r := range (&api{}).routes() {
		if r.method == method && matchPath(r.path, req.URL.Path) {
			op = f.spec.Paths.Value(r.path).GetOperation(method)
			break
		}
	}
	if op == nil {
		op = &openapi3.Operation{Responses: openapi3.NewResponses(openapi3.WithName("default", f.spec.Components.Responses["Problem"].Value))}
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: req, Route: &routers.Route{Spec: f.spec, Operation: op, Method: method},
		},
		Status: a.StatusCode, Header: a.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if req.Method == http.MethodHead {
		in.Options.ExcludeResponseBody = true
	}
	in.SetBodyBytes(a.body)
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		t.Errorf("%s %s: the answer breaks the contract: %v\n%.2000s", req.Method, req.URL, err, a.body)
	}
}

// newPhone returns a number that no test has used.
func newPhone() string {
	return fmt.Sprintf("138%08d", phoneCount.Add(1))
}

var phoneCount atomic.Int64

// tokens is what signing in gives.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Session string `json:"session"`
}

// bearer is the header of a signed-in caller.
func (t tokens) bearer() []string { return []string{"Authorization", "Bearer " + t.Access} }

// signIn signs a phone in, as an app does.
func (f *fixture) signIn(t testing.TB, phone string) tokens {
	t.Helper()
	if a := f.request(t, "POST", "/v1/auth/codes", `{"phone":"`+phone+`"}`); a.StatusCode != 202 {
		t.Fatalf("code: %d %s", a.StatusCode, a.body)
	}
	a := f.request(t, "POST", "/v1/auth/tokens", `{"phone":"`+phone+`","code":"`+f.phones.code(phone)+`"}`)
	if a.StatusCode != 200 {
		t.Fatalf("tokens: %d %s", a.StatusCode, a.body)
	}
	return decode[tokens](t, a)
}

// as returns the headers of somebody new with the given roles, who has shown a
// second factor where one is needed.
func (f *fixture) as(t testing.TB, grants ...directory.Grant) []string {
	t.Helper()
	phone, secret := newPhone(), ""
	for _, g := range grants {
		if _, _, err := f.api.Auth.Grant(t.Context(), directory.Caller{}, phone, g, f.regions, auth.Client{}); err != nil {
			t.Fatal(err)
		}
		if g.NeedsSecondFactor() {
			secret = "needed"
		}
	}
	bearer := f.signIn(t, phone).bearer()
	if secret == "" {
		return bearer
	}
	secret = decode[struct{ Secret string }](t, f.do(t, "POST", "/v1/me/second-factor", bearer...)).Secret
	code, err := totp.GenerateCode(secret, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if a := f.request(t, "PUT", "/v1/me/second-factor", `{"code":"`+code+`"}`, bearer...); a.StatusCode != 200 {
		t.Fatalf("second factor: %d %s", a.StatusCode, a.body)
	}
	return bearer
}

// decode reads the body as JSON.
func decode[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v\n%s", err, a.body)
	}
	return v
}
