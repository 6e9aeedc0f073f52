package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

// requestBody is what the contract says about the body of an operation: JSON of a
// schema, or a file of one of some media types, of which the schema says no more
// than how long it may be.
type requestBody struct {
	required bool
	schema   *openapi3.Schema
	files    []string // media types; nil for JSON
}

func newRequestBody(b *openapi3.RequestBody) (*requestBody, error) {
	media := b.Content[fiber.MIMEApplicationJSON]
	if media == nil {
		return newFileBody(b)
	}
	if len(b.Content) != 1 || media.Schema == nil {
		return nil, errors.New("the body is not application/json alone")
	}
	if s := openObject(media.Schema.Value, map[*openapi3.Schema]bool{}); s != nil {
		return nil, fmt.Errorf("an object of the body lacks additionalProperties: false: %v", slices.Sorted(maps.Keys(s.Properties)))
	}
	return &requestBody{b.Required, media.Schema.Value, nil}, nil
}

func newFileBody(b *openapi3.RequestBody) (*requestBody, error) {
	body := &requestBody{required: b.Required}
	for mediaType, media := range b.Content {
		s := media.Schema
		if s == nil || s.Value.Format != "binary" || s.Value.MaxLength == nil {
			return nil, fmt.Errorf("%s is neither JSON nor binary with a maxLength", mediaType)
		}
		body.files = append(body.files, mediaType)
		body.schema = s.Value
	}
	return body, nil
}

// max is how long a body may be, in bytes.
func (b *requestBody) max() int {
	if b == nil || b.files == nil {
		return maxBody
	}
	return int(*b.schema.MaxLength)
}

// openObject returns a schema that names members and lets others in, or nil.
// encoding/json takes "NAME" for "name", so that a member which the contract
// does not know would fill the place of one that it knows, unchecked.
func openObject(s *openapi3.Schema, seen map[*openapi3.Schema]bool) *openapi3.Schema {
	if seen[s] {
		return nil
	}
	seen[s] = true
	more := s.AdditionalProperties
	if len(s.Properties) > 0 && (more.Has == nil || *more.Has) {
		return s
	}
	for _, part := range slices.Concat(alternatives(s), slices.Collect(maps.Values(s.Properties)), openapi3.SchemaRefs{s.Items, more.Schema}) {
		if part != nil {
			if open := openObject(part.Value, seen); open != nil {
				return open
			}
		}
	}
	return nil
}

// alternatives returns the schemas that speak of the same value as s.
func alternatives(s *openapi3.Schema) openapi3.SchemaRefs {
	return slices.Concat(s.AllOf, s.AnyOf, s.OneOf)
}

// content is the body of one request.
type content struct {
	text  []byte // as sent; it belongs to the request
	value any    // nil, bool, int64, float64, string, []any or map[string]any
	err   error  // says why the body was not looked at
}

// readBody reads the body and checks it against the contract. The members of
// objects are checked even when some are not as JSON should have them, so that
// one answer lists everything.
func (in *input) readBody(c *fiber.Ctx, want *requestBody) {
	in.content = &content{text: c.Request().Body()} // c.Body would unpack it, to any size
	switch text := in.content.text; {
	case len(text) == 0:
		if want.required {
			in.refuseField("", directory.CodeRequired, "")
		}
	case want.files != nil:
		mediaType, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
		if err != nil || !slices.Contains(want.files, mediaType) || c.Get(fiber.HeaderContentEncoding) != "" {
			in.content.err = fiber.ErrUnsupportedMediaType
		}
	case !isJSON(c):
		in.content.err = fiber.ErrUnsupportedMediaType
	case !utf8.Valid(text) || !json.Valid(text):
		in.refuseField("", directory.CodeFormat, jsonForm)
	default:
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		r := bodyReader{in: in, schema: want.schema, text: text, decoder: d}
		var err error
		if in.content.value, err = r.value(); err != nil {
			in.refuseField("", directory.CodeFormat, jsonForm)
			return
		}
		in.refuseAll(want.schema.VisitJSON(in.content.value, bodyChecks...))
	}
}

// jsonForm is what a body has to be.
const jsonForm = "JSON, UTF-8"

// isJSON tells whether the headers announce JSON as it is, in UTF-8.
func isJSON(c *fiber.Ctx) bool {
	mediaType, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	charset, other := params["charset"]
	coding := c.Get(fiber.HeaderContentEncoding)
	return err == nil && mediaType == fiber.MIMEApplicationJSON &&
		(!other || strings.EqualFold(charset, "utf-8")) && (coding == "" || strings.EqualFold(coding, "identity"))
}

// bodyChecks is how bodies are checked. Without its details an error of
// kin-openapi does not spell out the schema and the value, which takes long. Its
// own forms of dates let the 31st of February pass, which time.Time does not.
var bodyChecks = []openapi3.SchemaValidationOption{
	openapi3.MultiErrors(),
	openapi3.VisitAsRequest(),
	openapi3.DisableSchemaErrorDetails(),
	openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
		"date-time": openapi3.NewCallbackValidator(func(s string) error { return new(time.Time).UnmarshalText([]byte(s)) }),
		"date": openapi3.NewCallbackValidator(func(s string) error {
			_, err := time.Parse(time.DateOnly, s)
			return err
		}),
	}),
}

// bodyReader turns JSON into values and refuses what encoding/json lets pass:
// members given twice, halves of surrogate pairs and control characters, and
// numbers that no integer holds where the contract wants one.
type bodyReader struct {
	in      *input
	schema  *openapi3.Schema
	text    []byte
	decoder *json.Decoder
	path    []string // of the value being read
}

// maxDepth bounds how deep values nest, and so the length of a pointer.
const maxDepth = 32

var errTooDeep = errors.New("nested too deep")

func (r *bodyReader) value() (any, error) {
	start := r.decoder.InputOffset()
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		switch {
		case len(r.path) >= maxDepth:
			return nil, errTooDeep
		case token == '{':
			return r.object()
		default:
			return r.list()
		}
	case string:
		r.check(token, start)
		return token, nil
	case json.Number:
		return r.number(token.String()), nil
	default:
		return token, nil
	}
}

func (r *bodyReader) object() (any, error) {
	members := map[string]any{}
	for r.decoder.More() {
		start := r.decoder.InputOffset()
		token, err := r.decoder.Token()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(token)
		r.path = append(r.path, name)
		r.check(name, start)
		if _, twice := members[name]; twice {
			r.refuse(directory.CodeDuplicate, "")
		}
		if members[name], err = r.value(); err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.decoder.Token() // the brace
	return members, err
}

func (r *bodyReader) list() (any, error) {
	items := []any{}
	for r.decoder.More() {
		r.path = append(r.path, strconv.Itoa(len(items)))
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.decoder.Token() // the bracket
	return items, err
}

// number returns an int64 where one holds the number, else a float64.
func (r *bodyReader) number(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil { // larger than any
		r.refuse(directory.CodeFormat, "")
		return 0.0
	}
	// JSON Schema has 1.0 and 1e3 for integers, but encoding/json does not.
	if s := integerAt(r.schema, r.path); s != nil {
		r.refuse(directory.CodeFormat, bodyForm(s))
	}
	return f
}

// integerAt returns the schema that wants an integer at a path, or nil.
func integerAt(s *openapi3.Schema, path []string) *openapi3.Schema {
	for _, ref := range alternatives(s) {
		if found := integerAt(ref.Value, path); found != nil {
			return found
		}
	}
	if len(path) == 0 {
		if s.Type.Is(openapi3.TypeInteger) {
			return s
		}
		return nil
	}
	next := s.Properties[path[0]]
	if next == nil {
		next = s.AdditionalProperties.Schema
	}
	if next == nil {
		next = s.Items
	}
	if next == nil {
		return nil
	}
	return integerAt(next.Value, path[1:])
}

// check refuses a string, whose raw form begins at start or after, that holds
// what no form of ours takes.
func (r *bodyReader) check(s string, start int64) {
	if strings.ContainsFunc(s, isControl) ||
		strings.ContainsRune(s, utf8.RuneError) && hasLoneSurrogate(r.text[start:r.decoder.InputOffset()]) {
		r.refuse(directory.CodeFormat, "")
	}
}

// isControl tells control characters from those that texts of several lines need.
func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// hasLoneSurrogate tells whether a JSON string, valid but for that, escapes half
// of a surrogate pair.
func hasLoneSurrogate(raw []byte) bool {
	unit := func(i int) rune { // at least a quote is there, after every escape
		if raw[i] != '\\' || raw[i+1] != 'u' {
			return 0
		}
		n, _ := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16) // four digits, because it is valid
		return rune(n)
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if r := unit(i); utf16.IsSurrogate(r) {
			if utf16.DecodeRune(r, unit(i+6)) == utf8.RuneError {
				return true
			}
			i += 6
		}
		i++ // what was escaped
	}
	return false
}

func (r *bodyReader) refuse(code, limit string) { r.in.refuseField(pointer(r.path), code, limit) }

// refuseAll notes what kin-openapi says about a body. A schema with alternatives
// is refused as a whole: which of them was meant cannot be known.
func (in *input) refuseAll(err error) {
	if len(in.wrong) >= maxWrong {
		return
	}
	switch e := err.(type) {
	case nil:
	case openapi3.MultiError:
		for _, one := range e {
			in.refuseAll(one)
		}
	case *openapi3.SchemaError:
		in.refuseOne(e)
	default:
		in.refuseField("", directory.CodeFormat, "")
	}
}

func (in *input) refuseOne(e *openapi3.SchemaError) {
	var parts openapi3.MultiError
	switch {
	case e.SchemaField == "allOf" && errors.As(e.Origin, &parts):
		in.refuseAll(parts)
	case e.SchemaField == "properties":
		// The member is named in a text alone. Every other one that is not known
		// has an error like this, too.
		members, _ := e.Value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if e.Schema.Properties[name] == nil {
				in.refuseField(pointer(append(e.JSONPointer(), name)), directory.CodeUnknown, "")
			}
		}
	default:
		code, limit := explain(e, bodyForm(e.Schema))
		in.refuseField(pointer(e.JSONPointer()), code, limit)
	}
}

// bodyForm shows what a value looks like in a body, for the message.
func bodyForm(s *openapi3.Schema) string {
	var example, typ string
	if s.Example != nil {
		b, _ := toJSON(s.Example) // it was read from the contract
		example = strings.TrimSpace(string(b))
	}
	if types := s.Type.Slice(); len(types) > 0 {
		typ = types[0]
	}
	return form(s, example, typ)
}

// pointer writes a path as a JSON pointer (RFC 6901).
func pointer(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteByte('/')
		_, _ = pointerEscapes.WriteString(&b, shorten(name)) // a Builder takes everything
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// refuseField notes that a member of the body is wrong; pointer is "" for the
// body as a whole. Of one member, the first error alone is noted.
func (in *input) refuseField(pointer, code, limit string) {
	same := func(f directory.FieldError) bool { return f.Parameter == "" && f.Pointer == pointer }
	if len(in.wrong) < maxWrong && !slices.ContainsFunc(in.wrong, same) {
		in.wrong = append(in.wrong, directory.FieldError{Pointer: pointer, Code: code, Limit: limit})
	}
}

// file returns a body that is a file. It belongs to the request.
func (in *input) file() []byte {
	if in.content == nil {
		return nil
	}
	return in.content.text
}

// hasField tells whether the body, which is an object, has a member, be it null.
func (in *input) hasField(name string) bool {
	if in.content == nil {
		return false
	}
	members, _ := in.content.value.(map[string]any)
	_, ok := members[name]
	return ok
}

// body returns the body in the form of a Go type, which has to hold whatever the
// contract allows: ask in.err first. It is zero when anything was wrong with the
// request or when there is no body. Defaults of the contract are not filled in.
func body[T any](in *input) (v T) {
	if in.content == nil || len(in.content.text) == 0 || in.err() != nil {
		return v
	}
	if err := json.Unmarshal(in.content.text, &v); err != nil {
		panic(fmt.Errorf("the contract allows a body that %T cannot hold: %w", v, err))
	}
	return v
}
