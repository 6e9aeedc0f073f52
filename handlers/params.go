package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
)

// operation is what the contract says about the input of one operation. Values
// are split and typed here and checked by kin-openapi against their schemas;
// its own request filter takes twice as long because it looks at every
// parameter that could be there.
type operation struct {
	id                  string
	query, path, header []*parameter
	body                *requestBody // nil when it takes none
}

// parameter is one declared parameter.
type parameter struct {
	name     string
	required bool
	list     bool
	typ      string // of the value or of an item: string, integer, number or boolean
	schema   *openapi3.Schema
	fallback any    // the default, nil when there is none
	example  string // as it stands in a URL
}

// readOperations reads the operations of the contract, by their ids.
func readOperations(doc *openapi3.T) (map[string]*operation, error) {
	ops := map[string]*operation{"unknown": nil}
	for _, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			op := &operation{id: o.OperationID}
			if o.RequestBody != nil {
				var err error
				if op.body, err = newRequestBody(o.RequestBody.Value); err != nil {
					return nil, fmt.Errorf("%s: %w", o.OperationID, err)
				}
			}
			for _, ref := range o.Parameters {
				switch ref.Value.In {
				case openapi3.ParameterInQuery:
					op.query = append(op.query, newParameter(ref.Value))
				case openapi3.ParameterInPath:
					op.path = append(op.path, newParameter(ref.Value))
				case openapi3.ParameterInHeader:
					// If-None-Match is left to sendTagged, for which no value
					// of it is wrong.
					if ref.Value.Name != fiber.HeaderIfNoneMatch {
						op.header = append(op.header, newParameter(ref.Value))
					}
				}
			}
			ops[o.OperationID] = op
		}
	}
	return ops, nil
}

func newParameter(p *openapi3.Parameter) *parameter {
	schema := p.Schema.Value
	out := &parameter{name: p.Name, required: p.Required, schema: schema, fallback: schema.Default}
	if out.list = schema.Type.Is(openapi3.TypeArray); out.list {
		schema = schema.Items.Value
	}
	out.typ = (*schema.Type)[0]
	example := p.Example
	if example == nil {
		example = schema.Example
	}
	if items, ok := example.([]any); ok {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = fmt.Sprint(item)
		}
		out.example = strings.Join(texts, ",")
	} else if example != nil {
		out.example = fmt.Sprint(example)
	}
	return out
}

// input is the parameters and the body of one request. A value that was not
// given, or was given wrongly, reads as the parameter's default or as zero.
type input struct {
	op      *operation
	given   []given
	content *content // nil when the operation takes no body
	lang    string   // of names: zh, en or bo
	gcj02   bool     // coordinates are GCJ-02, in and out
	wrong   []directory.FieldError

	client     auth.Client
	caller     directory.Caller     // zero for an operation that is public
	permission directory.Permission // of the operation
}

// hide answers a caller who may not know that something is there as if it were
// not, and notes that.
func (in *input) hide(a *api, c *fiber.Ctx, what string) error {
	if err := a.Auth.Refused(c.UserContext(), in.caller, in.op.id, in.client); err != nil {
		return err
	}
	return directory.Missing(what)
}

// coversAll is covers for something of several scopes.
func (in *input) coversAll(a *api, scopes []directory.Scope) error {
	for _, s := range scopes {
		if err := in.covers(a, s); err != nil {
			return err
		}
	}
	return nil
}

// covers asks whether the caller may use the operation on something of a scope;
// errors are those of [directory.Caller.Covers].
func (in *input) covers(a *api, s directory.Scope) error {
	return in.caller.Covers(in.permission, s, a.Regions)
}

type given struct {
	*parameter
	text  string // decoded
	value any    // nil when it is wrong
}

// maxWrong bounds the fields that one answer lists.
const maxWrong = 100

// read reads and checks the parameters and the body of a request. Errors are
// collected; handlers add theirs with refuse and refuseField and then ask err. A
// nil operation has no input.
func (op *operation) read(c *fiber.Ctx) *input {
	in := &input{op: op, given: make([]given, 0, 8)}
	if op == nil {
		return in
	}
	for _, p := range op.path {
		in.take(p, c.Params(p.name))
	}
	// The query is read from its raw form, because fasthttp's own reading lets
	// malformed encodings pass.
	rest := string(c.Request().URI().QueryString())
	for rest != "" {
		var pair string
		if pair, rest, _ = strings.Cut(rest, "&"); pair != "" {
			in.takePair(pair)
		}
	}
	for _, p := range op.query {
		if p.required && in.find(p.name) == nil {
			in.refuse(p.name, directory.CodeRequired, "")
		}
	}
	in.lang = in.text("lang")
	if in.lang == "" {
		in.lang = acceptedLanguage(c.Get(fiber.HeaderAcceptLanguage))
	}
	in.gcj02 = in.text("crs") == "gcj02"
	for _, p := range op.header {
		in.takeHeader(c, p)
	}
	if op.body != nil {
		in.readBody(c, op.body)
	}
	return in
}

// takeHeader reads a header. Several lines of one name are one list, and an
// empty one is none.
func (in *input) takeHeader(c *fiber.Ctx, p *parameter) {
	text := string(bytes.Join(c.Request().Header.PeekAll(p.name), []byte(", ")))
	switch {
	case text == "":
		if p.required {
			in.refuse(p.name, directory.CodeRequired, "")
		}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
		in.refuse(p.name, directory.CodeFormat, p.form())
	default:
		in.take(p, text)
	}
}

func (in *input) takePair(pair string) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	if err != nil || !utf8.ValidString(name) {
		in.refuse(shorten(rawName), directory.CodeUnknown, "")
		return
	}
	p := in.op.parameter(name)
	if p == nil {
		in.refuse(shorten(name), directory.CodeUnknown, "")
		return
	}
	if in.find(name) != nil {
		in.refuse(name, directory.CodeDuplicate, "")
		return
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil || !utf8.ValidString(value) {
		in.given = append(in.given, given{parameter: p})
		in.refuse(name, directory.CodeFormat, "UTF-8, %XX")
		return
	}
	in.take(p, strings.Map(controlToSpace, value))
}

// controlToSpace keeps what a keyboard can paste, such as a line break, from
// being searched for.
func controlToSpace(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// shorten keeps an answer from echoing a whole URL.
func shorten(name string) string {
	const most = 40
	if utf8.RuneCountInString(name) > most {
		return string([]rune(name)[:most]) + "…"
	}
	return name
}

func (op *operation) parameter(name string) *parameter {
	for _, p := range op.query {
		if p.name == name {
			return p
		}
	}
	return nil
}

// take checks one value and keeps it.
func (in *input) take(p *parameter, text string) {
	value, ok := p.parse(text)
	if !ok {
		in.given = append(in.given, given{p, text, nil})
		in.refuse(p.name, directory.CodeFormat, p.form())
		return
	}
	if err := p.schema.VisitJSON(value); err != nil {
		code, limit := explain(err, p.form())
		in.refuse(p.name, code, limit)
		value = nil
	}
	in.given = append(in.given, given{p, text, value})
}

// parse turns a text into the JSON value that the schema speaks of.
func (p *parameter) parse(text string) (any, bool) {
	if !p.list {
		return p.parseOne(text)
	}
	list := make([]any, 0, strings.Count(text, ",")+1)
	for item := range strings.SplitSeq(text, ",") {
		v, ok := p.parseOne(item)
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

func (p *parameter) parseOne(text string) (any, bool) {
	switch p.typ {
	case openapi3.TypeInteger:
		n, err := strconv.ParseInt(text, 10, 64)
		// An integer that is too large for its type is still one.
		return float64(n), err == nil || errors.Is(err, strconv.ErrRange)
	case openapi3.TypeNumber:
		f, err := strconv.ParseFloat(text, 64)
		// ParseFloat reads more than decimal numbers.
		return f, err == nil && !math.IsInf(f, 0) && strings.Trim(text, "0123456789+-.eE") == ""
	case openapi3.TypeBoolean:
		return text == "true", text == "true" || text == "false"
	default:
		return text, true
	}
}

// form shows what a value looks like, for the message.
func (p *parameter) form() string { return form(p.schema, p.example, p.typ) }

// form returns the example of a schema or, without one, the next best to it.
func form(s *openapi3.Schema, example, typ string) string {
	switch {
	case example != "":
		return example
	case s.Default != nil:
		return fmt.Sprint(s.Default)
	case s.Min != nil:
		return fmt.Sprint(*s.Min)
	case typ == openapi3.TypeBoolean:
		return "true, false"
	default:
		return typ
	}
}

// explain turns kin-openapi's first complaint about a value of a form into a
// code and a limit.
func explain(err error, form string) (code, limit string) {
	var e *openapi3.SchemaError
	if !errors.As(err, &e) {
		return directory.CodeFormat, form
	}
	switch e.SchemaField {
	case "required":
		return directory.CodeRequired, ""
	case "readOnly":
		return directory.CodeUnknown, ""
	case "uniqueItems":
		return directory.CodeDuplicate, ""
	case "enum":
		values := make([]string, len(e.Schema.Enum))
		for i, v := range e.Schema.Enum {
			values[i] = fmt.Sprint(v)
		}
		return directory.CodeValue, strings.Join(values, ", ")
	case "minimum":
		return directory.CodeTooSmall, strconv.FormatFloat(*e.Schema.Min, 'f', -1, 64)
	case "maximum":
		return directory.CodeTooLarge, strconv.FormatFloat(*e.Schema.Max, 'f', -1, 64)
	case "minLength":
		if e.Schema.MinLength == 1 {
			return directory.CodeRequired, ""
		}
		return directory.CodeTooShort, strconv.FormatUint(e.Schema.MinLength, 10)
	case "maxLength":
		return directory.CodeTooLong, strconv.FormatUint(*e.Schema.MaxLength, 10)
	case "minItems", "maxItems":
		if e.Schema.MaxItems != nil && e.Schema.MinItems == *e.Schema.MaxItems {
			return directory.CodeFormat, form // a tuple
		}
		if e.SchemaField == "minItems" {
			return directory.CodeTooShort, strconv.FormatUint(e.Schema.MinItems, 10)
		}
		return directory.CodeTooLong, strconv.FormatUint(*e.Schema.MaxItems, 10)
	case "minProperties":
		return directory.CodeTooShort, strconv.FormatUint(e.Schema.MinProps, 10)
	case "maxProperties":
		return directory.CodeTooLong, strconv.FormatUint(*e.Schema.MaxProps, 10)
	default:
		return directory.CodeFormat, form
	}
}

// refuse notes that a parameter is wrong.
func (in *input) refuse(parameter, code, limit string) {
	if len(in.wrong) < maxWrong {
		in.wrong = append(in.wrong, directory.FieldError{Parameter: parameter, Code: code, Limit: limit})
	}
}

// err returns the Invalid error of all that is wrong, or nil. A body that was not
// looked at has an error of its own.
func (in *input) err() error {
	if in.content != nil && in.content.err != nil {
		return in.content.err
	}
	return directory.InvalidFields("request", in.wrong)
}

func (in *input) find(name string) *given {
	for i := range in.given {
		if in.given[i].name == name {
			return &in.given[i]
		}
	}
	return nil
}

// value returns the value of a parameter or its default, nil when there is none.
func (in *input) value(name string) any {
	if g := in.find(name); g != nil {
		return g.value
	}
	if in.op != nil {
		if p := in.op.parameter(name); p != nil {
			return p.fallback
		}
	}
	return nil
}

// has tells whether a parameter was given, rightly or wrongly.
func (in *input) has(name string) bool { return in.find(name) != nil }

// text returns a parameter of type string.
func (in *input) text(name string) string {
	s, _ := in.value(name).(string)
	return s
}

// header returns a header, "" when it was not sent.
func (in *input) header(name string) string {
	if g := in.find(name); g != nil {
		s, _ := g.value.(string)
		return s
	}
	return ""
}

// date returns a parameter of the format date, "" when it was not given. It refuses days
// that no month has, so that in.err has to be asked after it.
func (in *input) date(name string) directory.Date {
	d := directory.Date(in.text(name))
	if d != "" && !d.Valid() {
		in.refuse(name, directory.CodeFormat, in.find(name).form())
		return ""
	}
	return d
}

// number returns a parameter of type number or integer, nil when it was not given.
func (in *input) number(name string) *float64 {
	if f, ok := in.value(name).(float64); ok {
		return &f
	}
	return nil
}

// integer returns a parameter of type integer that has a default or is needed.
func (in *input) integer(name string) int {
	f, _ := in.value(name).(float64)
	return int(f)
}

// boolean returns a parameter of type boolean, nil when it was not given.
func (in *input) boolean(name string) *bool {
	if b, ok := in.value(name).(bool); ok {
		return &b
	}
	return nil
}

// texts returns a list of strings.
func texts[S ~string](in *input, name string) []S {
	list, _ := in.value(name).([]any)
	if len(list) == 0 {
		return nil
	}
	out := make([]S, len(list))
	for i, v := range list {
		s, _ := v.(string)
		out[i] = S(s)
	}
	return out
}

// numbers returns a list of numbers of the declared length, nil when it was not
// given or is wrong.
func (in *input) numbers(name string) []float64 {
	list, _ := in.value(name).([]any)
	if len(list) == 0 {
		return nil
	}
	out := make([]float64, len(list))
	for i, v := range list {
		out[i], _ = v.(float64)
	}
	return out
}
