package store

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"qingfu/directory"
)

// The bounds of what engines accept.
const (
	MaxLimit = 1000 // records that one Find or Changes returns
	MaxID    = 200  // bytes of an id
)

var name = regexp.MustCompile(`^[a-z][a-z_]*$`)

// Check tells what is wrong with a declaration. Engines call it, and the checks
// below, before they touch their database, so that all refuse the same things.
func (d Declaration) Check() error {
	if !name.MatchString(d.Name) {
		return fmt.Errorf("collection %q: the name is not of the form %s", d.Name, name)
	}
	for i, f := range d.Fields {
		if !name.MatchString(f.Name) {
			return fmt.Errorf("collection %s: the field name %q is not of the form %s", d.Name, f.Name, name)
		}
		if f.Type != String && f.Type != Int {
			return fmt.Errorf("collection %s: field %s has the unknown type %q", d.Name, f.Name, f.Type)
		}
		if slices.ContainsFunc(d.Fields[:i], func(g Field) bool { return g.Name == f.Name }) {
			return fmt.Errorf("collection %s: field %s is declared twice", d.Name, f.Name)
		}
	}
	for _, ix := range d.Indexes {
		if len(ix.Fields) == 0 {
			return fmt.Errorf("collection %s: an index has no fields", d.Name)
		}
		for _, f := range ix.Fields {
			if _, err := d.Field(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// Field returns the declared field of a name.
func (d Declaration) Field(name string) (Field, error) {
	for _, f := range d.Fields {
		if f.Name == name {
			return f, nil
		}
	}
	return Field{}, fmt.Errorf("collection %s: field %q is not declared", d.Name, name)
}

// CheckWrite tells what is wrong with a write in itself; it is the write's outcome.
func (d Declaration) CheckWrite(w Write) error {
	switch {
	case !isID(w.ID):
		return &directory.Error{Kind: directory.Invalid, What: "id", Cause: fmt.Errorf("collection %s: bad id %.250q", d.Name, w.ID)}
	case w.Seen < 0 || w.Doc == nil && w.Seen == 0:
		return fmt.Errorf("collection %s: the write to %s neither inserts, replaces nor deletes", d.Name, w.ID)
	case d.AppendOnly && w.Seen != 0:
		return fmt.Errorf("collection %s: %s cannot be changed, because the collection only grows", d.Name, w.ID)
	case w.Doc == nil && w.Fields == nil:
		return nil
	case len(w.Doc) == 0:
		return fmt.Errorf("collection %s: the write to %s has no document", d.Name, w.ID)
	}
	return d.CheckValues(w.Fields)
}

// CheckValues tells whether values are those of the declared fields by number and type.
func (d Declaration) CheckValues(values []any) error {
	if len(values) != len(d.Fields) {
		return fmt.Errorf("collection %s: %d values for %d fields", d.Name, len(values), len(d.Fields))
	}
	for i, f := range d.Fields {
		if err := f.check(values[i]); err != nil {
			return fmt.Errorf("collection %s: %w", d.Name, err)
		}
	}
	return nil
}

// CheckRecord returns the values of the declared fields of a record, or tells why it
// cannot be one of the collection. A deleted one has none.
func (d Declaration) CheckRecord(r Record) (values []any, err error) {
	if !isID(r.ID) || r.Version < 1 || r.Seq < 1 {
		return nil, fmt.Errorf("collection %s: bad record %.250q of version %d, number %d", d.Name, r.ID, r.Version, r.Seq)
	}
	if r.Doc == nil {
		return nil, nil
	}
	values, err = d.Extract(r.Doc)
	if err == nil {
		err = d.CheckValues(values)
	}
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", r.ID, err)
	}
	return values, nil
}

func isID(s string) bool { return s != "" && len(s) <= MaxID && isText(s) }

// isText tells whether every engine can keep a string as it is.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func (f Field) check(value any) error {
	switch v := value.(type) {
	case string:
		if f.Type == String && isText(v) {
			return nil
		}
	case int64:
		if f.Type == Int {
			return nil
		}
	}
	return fmt.Errorf("field %s cannot be %T %.100q", f.Name, value, fmt.Sprint(value))
}

// CheckQuery tells what is wrong with a query. Only a bad position is Invalid,
// because positions come from callers; the rest is a mistake of the program.
func (d Declaration) CheckQuery(q Query) error {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return fmt.Errorf("collection %s: limit %d is not between 1 and %d", d.Name, q.Limit, MaxLimit)
	}
	order := Field{}
	if q.Order != "" {
		var err error
		if order, err = d.Field(q.Order); err != nil {
			return err
		}
	}
	if q.After != nil {
		bad := q.Order == "" && q.After.Value != nil || q.Order != "" && order.check(q.After.Value) != nil
		if bad {
			return &directory.Error{Kind: directory.Invalid, What: "cursor",
				Fields: []directory.FieldError{{Parameter: "cursor", Code: directory.CodeFormat, Limit: "next_cursor"}},
				Cause:  fmt.Errorf("collection %s: the position %v does not fit the order %q", d.Name, *q.After, q.Order)}
		}
	}
	return d.CheckConditions(q.Where)
}

// CheckConditions tells what is wrong with conditions.
func (d Declaration) CheckConditions(where []Condition) error {
	for _, c := range where {
		f, err := d.Field(c.Field)
		if err != nil {
			return err
		}
		switch c.Op {
		case Eq, Less, Min:
			err = f.check(c.Value)
		case In:
			_, texts := c.Value.([]string)
			_, ints := c.Value.([]int64)
			if !(texts && f.Type == String || ints && f.Type == Int) {
				err = fmt.Errorf("field %s cannot be in a %T", f.Name, c.Value)
			}
		default:
			err = fmt.Errorf("unknown comparison %q", c.Op)
		}
		if err != nil {
			return fmt.Errorf("collection %s: %w", d.Name, err)
		}
	}
	return nil
}
