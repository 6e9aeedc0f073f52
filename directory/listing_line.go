package directory

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ParseListing reads one line of docs/listing-format.md: a JSON object in
// UTF-8, alone on its line. It returns an Invalid error with every unknown
// field and every value of the wrong type; text that is no such object at all
// is one error at the pointer "", whose cause says where it breaks off. The
// rules between and on values are [Listing.Validate]'s.
func ParseListing(line []byte) (Listing, error) {
	if !utf8.Valid(line) {
		return Listing{}, unreadable("UTF-8", nil)
	}
	if text := bytes.TrimLeft(line, " \t\r\n"); len(text) == 0 || text[0] != '{' {
		return Listing{}, unreadable("JSON object", nil)
	}
	var l Listing
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return Listing{}, explain(line, err)
	}
	if len(bytes.TrimSpace(line[dec.InputOffset():])) > 0 {
		return Listing{}, unreadable("one JSON object", nil)
	}
	return l, nil
}

func unreadable(form string, cause error) error {
	return &Error{Kind: Invalid, What: "listing", Cause: cause,
		Fields: []FieldError{{Code: CodeFormat, Limit: form}}}
}

// explain finds all that is wrong with a line that failed to decode with err.
// encoding/json stops at the first error and does not say at which pointer.
func explain(line []byte, err error) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var object map[string]any
	if syntax := dec.Decode(&object); syntax != nil {
		return unreadable("JSON object", syntax)
	}
	c := &checks{}
	c.fits("", reflect.TypeFor[Listing](), object)
	if len(c.fields) == 0 {
		return unreadable("JSON object", err)
	}
	return InvalidFields("listing", c.fields)
}

// fits checks that a decoded JSON value can be stored in a t, as encoding/json
// does: null fits everywhere, names of fields match in any case.
func (c *checks) fits(pointer string, t reflect.Type, v any) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v == nil {
		return
	}
	if text, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
		if s, ok := v.(string); !ok || text.UnmarshalText([]byte(s)) != nil {
			c.add(pointer, CodeFormat, form(t))
		}
		return
	}
	ok := false
	switch t.Kind() {
	case reflect.Struct:
		var object map[string]any
		if object, ok = v.(map[string]any); ok {
			c.fitsFields(pointer, t, object)
		}
	case reflect.Slice, reflect.Array:
		var items []any
		items, ok = v.([]any)
		for i, item := range items {
			c.fits(pointer+"/"+strconv.Itoa(i), t.Elem(), item)
		}
	case reflect.String:
		_, ok = v.(string)
	case reflect.Bool:
		_, ok = v.(bool)
	case reflect.Float64:
		var n json.Number
		if n, ok = v.(json.Number); ok {
			_, err := n.Float64()
			ok = err == nil
		}
	case reflect.Int, reflect.Int64:
		var n json.Number
		if n, ok = v.(json.Number); ok {
			_, err := n.Int64()
			ok = err == nil
		}
	}
	if !ok {
		c.add(pointer, CodeFormat, form(t))
	}
}

func (c *checks) fitsFields(pointer string, t reflect.Type, object map[string]any) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at := pointer + "/" + pointerEscapes.Replace(name)
		field, ok := t.FieldByNameFunc(func(goName string) bool {
			f, _ := t.FieldByName(goName)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return strings.EqualFold(tag, name)
		})
		if ok {
			c.fits(at, field.Type, object[name])
		} else {
			c.add(at, CodeUnknown, "")
		}
	}
}

// pointerEscapes writes a name as a token of a JSON pointer (RFC 6901, 3).
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// form names the JSON form of a type for a FieldError's Limit.
func form(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Interval]():
		return intervalForm
	case reflect.TypeFor[time.Time]():
		return timeForm
	}
	switch t.Kind() {
	case reflect.Struct:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Bool:
		return "true, false"
	case reflect.Float64:
		return "number"
	case reflect.Int, reflect.Int64:
		return "integer"
	}
	return "string"
}

// FillDefaults sets what a line of an import may leave out: the id, the status
// (published), the origin (imported) and the two times (now). A listing that
// was changed before now was created no later than that.
func (l *Listing) FillDefaults(now time.Time, newID func() string) {
	if l.ID == "" {
		l.ID = newID()
	}
	if l.Status == "" {
		l.Status = Published
	}
	if l.Provenance.Origin == "" {
		l.Provenance.Origin = Imported
	}
	if l.UpdatedAt.IsZero() {
		l.UpdatedAt = now
	}
	if l.CreatedAt.IsZero() {
		l.CreatedAt = now
		if l.UpdatedAt.Before(now) {
			l.CreatedAt = l.UpdatedAt
		}
	}
}
