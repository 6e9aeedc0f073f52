package handlers

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"qingfu/directory"
)

// things is a contract with everything that a body can be.
const things = `
openapi: 3.0.3
info: {title: Things, version: '1'}
paths:
  /things:
    get: {operationId: listThings, responses: {default: {description: any}}}
    post:
      operationId: createThing
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {default: {description: any}}
  /things:read:
    post: {operationId: readThings, responses: {default: {description: any}}}
  /things/{id}:
    patch:
      operationId: changeThing
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, pattern: '^[0-9]$', example: '7'}}
        - {name: depth, in: query, required: true, schema: {type: integer, maximum: 5}}
        - {name: If-Match, in: header, schema: {type: string, maxLength: 20}}
        - {name: Idempotency-Key, in: header, required: true, schema: {type: string, pattern: '^[a-z]+$', example: abc}}
        - {name: If-None-Match, in: header, schema: {type: string, maxLength: 1}}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Change'}}}}
      responses: {default: {description: any}}
    delete:
      operationId: deleteThing
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {default: {description: any}}
  /things/{id}:publish:
    put:
      operationId: publishThing
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {default: {description: any}}
components:
  schemas:
    Change:
      type: object
      minProperties: 1
      additionalProperties: false
      properties:
        name: {type: string}
        note: {type: string, nullable: true}
    Names:
      type: object
      required: [zh]
      additionalProperties: false
      properties:
        zh: {type: string, maxLength: 2}
    Thing:
      type: object
      required: [name, kind]
      additionalProperties: false
      properties:
        id: {type: string, readOnly: true}
        name: {type: string, minLength: 1, maxLength: 5, pattern: '^[^x]', example: 甲}
        text: {type: string}
        code: {type: string, minLength: 2, pattern: '^[a-z]*$', example: ab}
        kind: {type: string, enum: [big, small]}
        count: {type: integer, nullable: true, minimum: 0, maximum: 1000, example: 3}
        serial: {type: integer}
        share: {type: number, minimum: 0, maximum: 1}
        amount: {type: number}
        open: {type: boolean}
        tags: {type: array, uniqueItems: true, minItems: 2, maxItems: 3, items: {type: string, maxLength: 2}}
        corner: {type: array, minItems: 2, maxItems: 2, items: {type: integer}, example: [1, 2]}
        since: {type: string, format: date-time, example: '2026-11-23T11:00:00+08:00'}
        day: {type: string, format: date}
        counts: {type: object, maxProperties: 2, additionalProperties: {type: integer}}
        either: {anyOf: [{type: integer}, {type: boolean}]}
        names: {description: wrapped, allOf: [{$ref: '#/components/schemas/Names'}]}
        a/b~c: {type: integer}
        parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}
`

type thing struct {
	Name   string           `json:"name"`
	Code   string           `json:"code"`
	Kind   string           `json:"kind"`
	Count  *int64           `json:"count"`
	Serial int64            `json:"serial"`
	Share  float64          `json:"share"`
	Amount float64          `json:"amount"`
	Open   bool             `json:"open"`
	Tags   []string         `json:"tags"`
	Corner []int64          `json:"corner"`
	Since  time.Time        `json:"since"`
	Day    string           `json:"day"`
	Counts map[string]int64 `json:"counts"`
	Either any              `json:"either"`
	Names  struct {
		Zh string `json:"zh"`
	} `json:"names"`
	Slash int64   `json:"a/b~c"`
	Parts []thing `json:"parts"`
}

type change struct {
	Name string  `json:"name"`
	Note *string `json:"note"`
}

func loadOperations(t testing.TB, contract string) (map[string]*operation, error) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(contract))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return readOperations(doc)
}

// serveThings returns the API with the operations on things.
func serveThings(t testing.TB) *fiber.App {
	t.Helper()
	a := newFixture(t, nil).api
	var err error
	if a.operations, err = loadOperations(t, things); err != nil {
		t.Fatal(err)
	}
	done := func(c *fiber.Ctx, in *input) error {
		if err := in.err(); err != nil {
			return err
		}
		return sendJSON(c, fmt.Sprint(c.Route().Path, " ", in.text("id")))
	}
	edit := func(c *fiber.Ctx, in *input) error {
		if err := in.err(); err != nil {
			return err
		}
		if err := requireMatch(in, `"7"`); err != nil {
			return err
		}
		return sendJSON(c, fmt.Sprint(body[change](in).Name, in.hasField("name"), in.hasField("note"), in.header("Idempotency-Key")))
	}
	app, err := a.app([]route{
		{method: "GET", path: "/things", operation: "listThings", permission: public, handler: done},
		{method: "POST", path: "/things", operation: "createThing", permission: public, handler: done},
		{method: "POST", path: "/things:read", operation: "readThings", permission: public, handler: done},
		{method: "PUT", path: "/things/{id}:publish", operation: "publishThing", permission: public, handler: done},
		{method: "PATCH", path: "/things/{id}", operation: "changeThing", permission: public, handler: edit},
		{method: "DELETE", path: "/things/{id}", operation: "deleteThing", permission: public, handler: done},
	})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// readThing reads a request of createThing.
func readThing(app *fiber.App, op *operation, text string) *input {
	c := app.AcquireCtx(&fasthttp.RequestCtx{})
	defer app.ReleaseCtx(c)
	c.Request().Header.SetMethod("POST")
	c.Request().Header.SetContentType("application/json")
	c.Request().SetBodyString(text)
	return op.read(c)
}

// list writes errors in one line.
func list(fields []directory.FieldError) string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = f.String()
	}
	return strings.Join(texts, "; ")
}

// Bodies and what is wrong with them. {…} stands for the members that are
// required.
func TestBodies(t *testing.T) {
	ops, err := loadOperations(t, things)
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	for _, tc := range []struct{ body, want string }{
		{`{…}`, ""},
		{" \n{…}\t\r\n", ""},
		{`{"n\u0061me":"甲","kind":"big"}`, ""},
		{`{…,"count":null,"serial":-9223372036854775808,"share":1e-300,"amount":1E20,"open":true,"tags":["a","b"],"corner":[-0,2],` +
			`"since":"2026-11-23T03:00:00.5Z","day":"2024-02-29","counts":{"a":1,"A":2},"either":false,"names":{"zh":"乙"},"a/b~c":1,"parts":[{…},{…}]}`, ""},

		// What is not JSON, or not one value of it.
		{"", " required"},
		{" ", " bad_format (JSON, UTF-8)"},
		{"{", " bad_format (JSON, UTF-8)"},
		{`{…}{…}`, " bad_format (JSON, UTF-8)"},
		{`{…}x`, " bad_format (JSON, UTF-8)"},
		{`{…,}`, " bad_format (JSON, UTF-8)"},
		{`{…,"serial":01}`, " bad_format (JSON, UTF-8)"},
		{`{…,"share":NaN}`, " bad_format (JSON, UTF-8)"},
		{"\ufeff{…}", " bad_format (JSON, UTF-8)"},
		{"{\"name\":\"\xff\",\"kind\":\"big\"}", " bad_format (JSON, UTF-8)"},
		{"{\"name\":\"\xed\xa0\x80\",\"kind\":\"big\"}", " bad_format (JSON, UTF-8)"},
		{"{\"name\":\"\n\",\"kind\":\"big\"}", " bad_format (JSON, UTF-8)"},
		{strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), " bad_format (JSON, UTF-8)"},
		{`{…,"parts":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, " bad_format (JSON, UTF-8)"},
		{`[]`, " bad_format (object)"},
		{`null`, " bad_format (object)"},
		{`"text"`, " bad_format (object)"},

		// Members.
		{`{}`, "/name required; /kind required"},
		{`{…,"b":1,"a":{"c":2},"Name":"x","":0}`, "/ unknown_field; /Name unknown_field; /a unknown_field; /b unknown_field"},
		{`{…,"x/y~z":1}`, "/x~1y~0z unknown_field"},
		{`{…,"` + strings.Repeat("长", 50) + `":1}`, "/" + strings.Repeat("长", 40) + "… unknown_field"},
		{`{…,"name":"乙"}`, "/name duplicate"},
		{`{…,"n\u0061me":"` + strings.Repeat("长", 50) + `","n\u0061me":1}`, "/name duplicate"}, // the first error alone
		{`{…,"names":{"zh":"乙","zh":"乙"},"parts":[{…},{…,"kind":"big"}]}`, "/names/zh duplicate; /parts/1/kind duplicate"},
		{`{…,"id":"1"}`, "/id unknown_field"},
		{`{…,"names":{}}`, "/names/zh required"},
		{`{…,"names":{"zh":"三个字","bo":1}}`, "/names/bo unknown_field; /names/zh too_long (2)"},
		{`{…,"parts":[{…},{"kind":"huge"},7]}`, "/parts/1/kind unknown_value (big, small); /parts/1/name required; /parts/2 bad_format (object)"},

		// Values.
		{`{"name":"","kind":"big"}`, "/name required"},
		{`{"name":"六个字的名字","kind":"big"}`, "/name too_long (5)"},
		{`{"name":"x","kind":"big"}`, `/name bad_format ("甲")`},
		{`{"name":7,"kind":"big"}`, `/name bad_format ("甲")`},
		{`{"name":null,"kind":"big"}`, `/name bad_format ("甲")`},
		{`{"name":"甲","kind":null}`, "/kind unknown_value (big, small)"},
		{`{"name":"甲","kind":7}`, "/kind unknown_value (big, small)"},
		{`{…,"code":"a"}`, "/code too_short (2)"},
		{`{…,"count":-1}`, "/count too_small (0)"},
		{`{…,"count":1001}`, "/count too_large (1000)"},
		{`{…,"count":"1"}`, "/count bad_format (3)"},
		{`{…,"count":1.5}`, "/count bad_format (3)"},
		{`{…,"count":1.0}`, "/count bad_format (3)"},
		{`{…,"count":1e2}`, "/count bad_format (3)"},
		{`{…,"serial":9223372036854775808,"corner":[1,2.0],"counts":{"a":1.0},"parts":[{…,"a/b~c":1.0}]}`,
			"/serial bad_format (integer); /corner/1 bad_format (integer); /counts/a bad_format (integer); /parts/0/a~1b~0c bad_format (integer)"},
		{`{…,"amount":1e999}`, "/amount bad_format"},
		{`{…,"serial":1` + strings.Repeat("0", 400) + `}`, "/serial bad_format"},
		{`{…,"share":1.01}`, "/share too_large (1)"},
		{`{…,"open":"true"}`, "/open bad_format (true, false)"},
		{`{…,"tags":["a"]}`, "/tags too_short (2)"},
		{`{…,"tags":["a","b","c","d"]}`, "/tags too_long (3)"},
		{`{…,"tags":["a","\u0061"]}`, "/tags duplicate"},
		{`{…,"tags":["abc","b","abc"]}`, "/tags duplicate; /tags/0 too_long (2); /tags/2 too_long (2)"},
		{`{…,"corner":[1]}`, "/corner bad_format ([1,2])"},
		{`{…,"since":"2026-11-23 11:00"}`, `/since bad_format ("2026-11-23T11:00:00+08:00")`},
		{`{…,"since":"2026-02-31T11:00:00Z"}`, `/since bad_format ("2026-11-23T11:00:00+08:00")`},
		{`{…,"day":"2026-02-29"}`, "/day bad_format (string)"},
		{`{…,"counts":{"a":1,"b":2,"c":3}}`, "/counts too_long (2)"},
		{`{…,"either":"x"}`, "/either bad_format"},

		// Texts.
		{`{…,"code":"ab\n"}`, `/code bad_format ("ab")`}, // by the pattern
		{`{"name":"甲\n\t\uD83D\uDE00\\ud800","kind":"big"}`, "/name too_long (5)"},
		{`{"name":"\n\t\uD83D\uDE00\ufffd","kind":"big"}`, ""},
		{`{"name":"a\u0000","kind":"big"}`, "/name bad_format"},
		{`{"name":"a\r\n","kind":"big"}`, "/name bad_format"},
		{"{\"name\":\"a\u007f\",\"kind\":\"big\"}", "/name bad_format"},
		{"{\"name\":\"a\u0085\",\"kind\":\"big\"}", "/name bad_format"},
		{`{…,"text":"\\ud800\ufffd\\\\"}`, ""},
		{`{…,"text":"\ud83dxude00"}`, "/text bad_format"},
		{`{"name":"\ud83d","kind":"big"}`, "/name bad_format"},
		{`{"name":"\\\ud83dx","kind":"big"}`, "/name bad_format"},
		{`{"name":"\ude00\ud83d","kind":"big"}`, "/name bad_format"},
		{`{"name":"\ud83d\ufffd","kind":"big"}`, "/name bad_format"},
		{`{…,"counts":{"\ud800":1},"tags":["a","\u0001"]}`, "/counts/\ufffd bad_format; /tags/1 bad_format"},

		// Several at once.
		{`{"kind":"huge","count":-1,"count":2.5,"share":2,"tags":["a\u0000","abc"],"colour":1}`,
			"/count duplicate; /tags/0 bad_format; /colour unknown_field; /kind unknown_value (big, small); /share too_large (1); /tags/1 too_long (2); /name required"},
	} {
		text := strings.ReplaceAll(tc.body, "{…", `{"name":"甲","kind":"big"`)
		in := readThing(app, ops["createThing"], text)
		if got := list(in.wrong); got != tc.want {
			t.Errorf("%.200s:\n%s\nwant\n%s", tc.body, got, tc.want)
		}
		v := body[thing](in)
		if wrong := in.err() != nil; wrong != (v.Name == "") {
			t.Errorf("%.200s: %v, but it reads as %+v", tc.body, in.err(), v)
		}
	}

	// A body full of errors is not answered with a novel.
	var b strings.Builder
	for i := range 6_000 {
		fmt.Fprintf(&b, `"m%d":1,`, i)
	}
	allocations := testing.AllocsPerRun(1, func() {
		if in := readThing(app, ops["createThing"], `{`+b.String()+`"z":1}`); len(in.wrong) != maxWrong {
			t.Errorf("%d errors", len(in.wrong))
		}
	})
	if allocations > 1e6 {
		t.Errorf("%.0f allocations: some work grows with the square of the members", allocations)
	}
}

func TestDecodedBody(t *testing.T) {
	ops, err := loadOperations(t, things)
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	in := readThing(app, ops["createThing"], `{"name":"甲\n\ud83d\ude00","kind":"big","count":0,"serial":9007199254740993,"tags":["a","b"],"since":"2026-11-23T11:00:00+08:00","names":{"zh":"乙"},"counts":{"A":1}}`)
	v := body[thing](in)
	if in.err() != nil || v.Name != "甲\n😀" || *v.Count != 0 || v.Serial != 1<<53+1 || v.Tags[1] != "b" || !v.Since.Equal(noon) || v.Names.Zh != "乙" || v.Counts["A"] != 1 {
		t.Errorf("%v %+v", in.err(), v)
	}

	for text, want := range map[string]string{
		`{"name":"甲"}`:              "甲 true false true",
		`{"note":null}`:             " false true true",
		`{"name":"","note":"text"}`: " true true false",
		"":                          " false false true", // the body is optional
	} {
		c := app.AcquireCtx(&fasthttp.RequestCtx{})
		c.Request().Header.SetContentType("application/json")
		c.Request().SetBodyString(text)
		in := &input{op: ops["changeThing"]}
		in.readBody(c, in.op.body)
		v := body[change](in)
		if got := fmt.Sprint(v.Name, " ", in.hasField("name"), " ", in.hasField("note"), " ", v.Note == nil); in.err() != nil || got != want {
			t.Errorf("%s: %v %q, want %q", text, in.err(), got, want)
		}
		app.ReleaseCtx(c)
	}

	// What a handler adds counts, too, and nothing panics where there is no body.
	in.refuseField("/name", directory.CodeMismatch, "kind")
	if v := body[thing](in); v.Name != "" || list(in.wrong) != "/name mismatch (kind)" {
		t.Errorf("%+v, %s", v, list(in.wrong))
	}
	if in := (&input{}); body[thing](in).Name != "" || in.hasField("name") || in.header("If-Match") != "" {
		t.Error("an input without a body has one")
	}
	if in := readThing(app, ops["createThing"], `[1]`); body[thing](in).Name != "" || in.hasField("name") {
		t.Error("a list has members")
	}
}

func TestContractOfBodies(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"open":        {"minProperties: 1\n      additionalProperties: false", "minProperties: 1", "changeThing: an object of the body lacks additionalProperties: false: [name note]"},
		"open inside": {"required: [zh]\n      additionalProperties: false", "additionalProperties: {type: string}", "createThing: an object of the body lacks additionalProperties: false: [zh]"},
		"open itself": {"required: [zh]\n      additionalProperties: false", "additionalProperties: true", "createThing: an object of the body lacks additionalProperties: false: [zh]"},
		"not JSON":    {"content: {application/json: {schema: {$ref: '#/components/schemas/Change'}}}", "content: {text/plain: {schema: {type: string}}}", "changeThing: text/plain is neither JSON nor binary with a maxLength"},
	} {
		changed := strings.ReplaceAll(things, tc.old, tc.new)
		if _, err := loadOperations(t, changed); changed == things || err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

// ask sends a request to the API of things.
func ask(t testing.TB, app *fiber.App, method, target, text string, headers ...string) answer {
	t.Helper()
	return send(t, app, httptest.NewRequest(method, target, strings.NewReader(text)), headers...)
}

func TestMediaTypes(t *testing.T) {
	app := serveThings(t)
	const thing = `{"name":"甲","kind":"big"}`
	const nothing = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00" // with gzip
	for _, tc := range []struct {
		contentType, encoding, body string
		status                      int
		code                        string
	}{
		{"application/json", "", thing, 200, ""},
		{"Application/JSON; charset=UTF-8", "identity", thing, 200, ""},
		{"application/json;v=1; charset=\"utf-8\"", "", thing, 200, ""},
		{"application/json; charset=gbk", "", thing, 415, "unsupported_media_type"},
		{"application/json; charset", "", thing, 415, "unsupported_media_type"},
		{"application/merge-patch+json", "", thing, 415, "unsupported_media_type"},
		{"application/x-www-form-urlencoded", "", "name=a", 415, "unsupported_media_type"},
		{"multipart/form-data; boundary=x", "", "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\n--x--\r\n", 415, "unsupported_media_type"},
		{"text/json", "", thing, 415, "unsupported_media_type"},
		{"", "", thing, 415, "unsupported_media_type"},
		{"application/json", "gzip", thing, 415, "unsupported_media_type"},
		{"application/json", "gzip", nothing, 415, "unsupported_media_type"}, // it is not unpacked
		{"text/plain", "", "", 400, "invalid"},                               // of what is not there, nothing else is asked
	} {
		a := ask(t, app, "POST", "/things", tc.body, "Content-Type", tc.contentType, "Content-Encoding", tc.encoding)
		if a.StatusCode != tc.status || tc.code != "" && decode[problem](t, a).Code != tc.code {
			t.Errorf("%q, %q: %d %s", tc.contentType, tc.encoding, a.StatusCode, a.body)
		}
	}
	// An operation without a body takes no notice of one.
	for _, method := range []string{"GET", "HEAD"} {
		if a := ask(t, app, method, "/things", "\xff{", "Content-Type", "text/plain"); a.StatusCode != 200 {
			t.Errorf("%s: %d %s", method, a.StatusCode, a.body)
		}
	}
	if a := ask(t, app, "DELETE", "/things/1", "\xff{", "Content-Encoding", "gzip"); a.StatusCode != 200 {
		t.Errorf("DELETE: %d %s", a.StatusCode, a.body)
	}
}

func TestEverythingWrongAtOnce(t *testing.T) {
	app := serveThings(t)
	a := ask(t, app, "PATCH", "/things/x?depth=9&colour=red", `{"name":1,"b":2}`,
		"Content-Type", "application/json", "If-Match", strings.Repeat("a", 21), "Idempotency-Key", "a\tB", "If-None-Match", "none of its business")
	want := `id bad_format (7); depth too_large (5); colour unknown_field; If-Match too_long (20); Idempotency-Key bad_format (abc); ` +
		`/b unknown_field; /name bad_format (string)`
	p := decode[problem](t, a)
	if got := list(p.Errors); a.StatusCode != 400 || got != want {
		t.Errorf("%d %s\nwant\n%s", a.StatusCode, got, want)
	}
	for _, e := range p.Errors {
		if field := e.Pointer != ""; e.Message == "" || e.Code == directory.CodeUnknown && strings.Contains(e.Message, "字段") != field {
			t.Errorf("%s: message %q", e, e.Message)
		}
	}
	a = ask(t, app, "PATCH", "/things/1", `{}`, "Content-Type", "application/json", "If-Match", "\xff")
	want = "depth required; If-Match bad_format (string); Idempotency-Key required;  too_short (1)"
	if got := list(decode[problem](t, a).Errors); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestRequireMatch(t *testing.T) {
	app := serveThings(t)
	for header, status := range map[string]int{
		"":                  428,
		`"7"`:               200,
		"*":                 200,
		`"6" ,"7"`:          200,
		`"6", W/"7"`:        200,
		`W/"7"`:             200, // of a compressed answer
		`7`:                 412,
		`"77"`:              412,
		`"6"|"7"`:           200, // in two lines
		`"6"|"8"`:           412,
		"\"" + "\x01" + `"`: 400,
	} {
		headers := []string{"Content-Type", "application/json", "Idempotency-Key", "abc"}
		for line := range strings.SplitSeq(header, "|") {
			headers = append(headers, "If-Match", line)
		}
		a := ask(t, app, "PATCH", "/things/1?depth=1", `{"name":"甲"}`, headers...)
		if a.StatusCode != status {
			t.Errorf("%q: %d, want %d %s", header, a.StatusCode, status, a.body)
		}
		if got := string(a.body); status == 200 && got != "\"甲true falseabc\"\n" {
			t.Errorf("%q: %s", header, got)
		}
	}
}

func TestMethods(t *testing.T) {
	app := serveThings(t)
	for _, tc := range []struct {
		method, path string
		status       int
		want         string // Allow or the route and the id
	}{
		{"GET", "/things", 200, `/things `},
		{"POST", "/things:read", 200, `/things\\:read `},
		{"PUT", "/things/7:publish", 200, `/things/:id\\:publish 7`},
		{"DELETE", "/things/7", 200, `/things/:id 7`},
		{"PUT", "/things", 405, "GET, HEAD, POST"},
		{"OPTIONS", "/things", 405, "GET, HEAD, POST"},
		{"BREW", "/things", 405, "GET, HEAD, POST"},
		{"GET", "/things:read", 405, "POST"},
		{"HEAD", "/things:read", 405, "POST"},
		{"BREW", "/things:read", 405, "POST"},
		{"GET", "/things/7", 405, "DELETE, PATCH"},
		{"HEAD", "/things/7", 405, "DELETE, PATCH"},
		{"BREW", "/things/7", 405, "DELETE, PATCH"},
		{"GET", "/thing", 404, ""},
		{"BREW", "/thing", 404, ""},
		{"POST", "/things/7/8", 404, ""},
	} {
		a := ask(t, app, tc.method, tc.path, "")
		switch tc.status {
		case 200:
			if string(a.body) != `"`+tc.want+"\"\n" || a.StatusCode != 200 {
				t.Errorf("%s %s: %d %s", tc.method, tc.path, a.StatusCode, a.body)
			}
		default:
			if got := a.Header.Get("Allow"); a.StatusCode != tc.status || got != tc.want {
				t.Errorf("%s %s: %d, Allow %q, want %d, %q", tc.method, tc.path, a.StatusCode, got, tc.status, tc.want)
			}
		}
	}
}

func FuzzBody(f *testing.F) {
	ops, err := loadOperations(f, things)
	if err != nil {
		f.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	for _, text := range []string{
		"", "null", `{"name":"甲","kind":"big"}`, `{"name":"\ud83d\ude00","kind":"small","count":1.0,"serial":9223372036854775807,"corner":[1,2e0]}`,
		`{"name":"a","kind":"big","since":"2026-11-23T23:59:60Z","day":"0000-01-01","tags":["\ud800","b"],"counts":{"~/":-0}}`,
		`{"NAME":1,"name":"b","kind":"big","parts":[{"name":"c","kind":"big","names":{"zh":"丁"}}],"either":1e400}`, `[{"a":[{}]},1e-400,"\\ud800"]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in := readThing(app, ops["createThing"], string(text))
		v := body[thing](in) // panics when it cannot hold what passed
		if err := in.err(); err != nil {
			var invalid *directory.Error
			if !errors.As(err, &invalid) || len(invalid.Fields) > maxWrong {
				t.Errorf("%q: %v", text, err)
			}
			for _, field := range explainFields(in.wrong, "en") {
				if field.Message == "" || !utf8.ValidString(field.Pointer) {
					t.Errorf("%q: %+v", text, field)
				}
			}
			return
		}
		if n := utf8.RuneCountInString(v.Name); n < 1 || n > 5 || v.Kind != "big" && v.Kind != "small" || strings.ContainsRune(v.Name, 0) || !in.hasField("name") {
			t.Errorf("%q passed as %+v", text, v)
		}
	})
}
