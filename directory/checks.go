package directory

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checks collects every wrong field of an input. Its methods take the pointer
// of the field that they look at; inside [each] and [checks.under] pointers are
// relative and are completed there. Nothing is allocated while all is well.
type checks struct {
	fields []FieldError
}

func (c *checks) add(pointer, code, limit string) {
	c.fields = append(c.fields, FieldError{Pointer: pointer, Code: code, Limit: limit})
}

// under runs checks whose pointers are relative to parent.
func (c *checks) under(parent string, check func()) {
	mark := len(c.fields)
	check()
	c.nest(mark, parent)
}

// nest completes the pointers of the errors added since mark.
func (c *checks) nest(mark int, parent string) {
	for i := mark; i < len(c.fields); i++ {
		c.fields[i].Pointer = parent + c.fields[i].Pointer
	}
}

// each checks the items of a list, of which there may be at most max; a longer
// list is one error and its items are not looked at.
func each[T any](c *checks, pointer string, items []T, max int, check func(item *T)) {
	if len(items) > max {
		c.add(pointer, CodeTooLong, strconv.Itoa(max))
		return
	}
	for i := range items {
		mark := len(c.fields)
		check(&items[i])
		if len(c.fields) > mark {
			c.nest(mark, pointer+"/"+strconv.Itoa(i))
		}
	}
}

// distinct is each for a list in which nothing may stand twice.
func distinct[T comparable](c *checks, pointer string, items []T, max int, check func(item T)) {
	seen := 0
	each(c, pointer, items, max, func(item *T) {
		if slices.Contains(items[:seen], *item) {
			c.add("", CodeDuplicate, "")
		} else {
			check(*item)
		}
		seen++
	})
}

// oneOf tells whether value is one of those allowed, and adds an error if not.
// An empty value is missing; see [optional] for one that may be left out.
func oneOf[T ~string](c *checks, pointer string, value T, allowed []T) bool {
	switch {
	case slices.Contains(allowed, value):
		return true
	case value == "":
		c.add(pointer, CodeRequired, list(allowed))
	default:
		c.add(pointer, CodeValue, list(allowed))
	}
	return false
}

// optional is oneOf for a value that may be left out.
func optional[T ~string](c *checks, pointer string, value T, allowed []T) {
	if value != "" {
		oneOf(c, pointer, value, allowed)
	}
}

// list writes allowed values for a FieldError's Limit.
func list[T ~string](values []T) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(v))
	}
	return b.String()
}

// text checks one line of text of at most max characters; it may be empty.
func (c *checks) text(pointer, s string, max int) { c.characters(pointer, s, max, false) }

// paragraphs is text that may hold line feeds.
func (c *checks) paragraphs(pointer, s string, max int) { c.characters(pointer, s, max, true) }

// required is text of which something can be seen. It tells whether it is.
func (c *checks) required(pointer, s string, max int) bool {
	return c.seen(pointer, s, max, false)
}

// requiredParagraphs is required for text that may hold line feeds.
func (c *checks) requiredParagraphs(pointer, s string, max int) { c.seen(pointer, s, max, true) }

func (c *checks) seen(pointer, s string, max int, lineFeeds bool) bool {
	if !strings.ContainsFunc(s, visible) {
		c.add(pointer, CodeRequired, "")
		return false
	}
	c.characters(pointer, s, max, lineFeeds)
	return true
}

// visible tells characters from white space and from those that only join or part
// others.
func visible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

func (c *checks) characters(pointer, s string, max int, lineFeeds bool) {
	for _, r := range s {
		if forbidden(r) && !(lineFeeds && r == '\n') {
			c.add(pointer, CodeFormat, "UTF-8 without control characters")
			break
		}
	}
	// A string of few bytes has few characters; only long ones need counting.
	if len(s) > max && utf8.RuneCountInString(s) > max {
		c.add(pointer, CodeTooLong, strconv.Itoa(max))
	}
}

// forbidden tells whether a character may not stand in any text: control
// characters, line separators, the byte order mark, those that turn the
// direction of writing (they make a name read as another), and U+FFFD, which
// stands where a decoder met bytes that it could not read. Joiners and
// variation selectors are allowed: Mongolian and Tibetan need them.
func forbidden(r rune) bool {
	switch {
	case r < 0x80:
		return r < 0x20 || r == 0x7F
	case r < 0x2028:
		return unicode.IsControl(r)
	}
	return r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF || r == utf8.RuneError
}

// between checks a whole number against its bounds.
func (c *checks) between(pointer string, v, min, max int64) bool {
	if v < min {
		c.add(pointer, CodeTooSmall, strconv.FormatInt(min, 10))
	}
	if v > max {
		c.add(pointer, CodeTooLarge, strconv.FormatInt(max, 10))
	}
	return v >= min && v <= max
}

// count checks a number of things that may be unknown. It tells whether it is
// known and within its bounds.
func (c *checks) count(pointer string, v *int, max int64) bool {
	return v != nil && c.between(pointer, int64(*v), 0, max)
}

// part is count for some of a whole, which they must not exceed where it is known too.
func (c *checks) part(pointer string, v, whole *int, max int64) {
	if c.count(pointer, v, max) && whole != nil && *v > *whole {
		c.add(pointer, CodeTooLarge, strconv.Itoa(*whole))
	}
}

// date checks a day of the calendar; it may be empty.
func (c *checks) date(pointer string, d Date) {
	if d != "" && !d.Valid() {
		c.add(pointer, CodeFormat, dateForm)
	}
}

// ordered checks that a span of days does not end before it begins. Days that
// are missing or wrong are somebody else's error.
func (c *checks) ordered(pointer string, from, to Date) {
	if to < from && from.Valid() && to.Valid() {
		c.add(pointer, CodeTooSmall, string(from))
	}
}

// id checks the form of an id.
func (c *checks) id(pointer, id string) {
	switch {
	case id == "":
		c.add(pointer, CodeRequired, "")
	case !ValidID(id):
		c.add(pointer, CodeFormat, idForm)
	}
}

// The forms that a FieldError's Limit shows.
const (
	dateForm     = "2026-11-23"
	timeForm     = "2026-11-23T10:00:00+08:00"
	intervalForm = "08:30-18:00"
	idForm       = "0193526e-3c00-7000-8000-000000000000"
	phoneForm    = "0971-1234567, 400-123-4567, 12345, 12349, 12315"
)

// hasDemoMark tells whether a name says that its bearer is invented.
func hasDemoMark(name string) bool { return strings.Contains(name, "示例") }
