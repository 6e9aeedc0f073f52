package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrorKind says what went wrong in the terms of a caller. Every kind maps to
// one HTTP status; an error that is not an *Error is internal and its text
// never leaves the server.
type ErrorKind string

// The kinds of error that a caller can do something about.
const (
	Invalid         ErrorKind = "invalid"         // the input breaks a rule; Fields says which
	Unauthenticated ErrorKind = "unauthenticated" // nobody is signed in
	Forbidden       ErrorKind = "forbidden"       // the caller may not do this
	NotFound        ErrorKind = "not_found"       // there is no such thing, or not for this caller
	Conflict        ErrorKind = "conflict"        // the thing was changed or exists already
	Precondition    ErrorKind = "precondition"    // a condition that the request names does not hold
	RateLimited     ErrorKind = "rate_limited"    // too many requests
	Unavailable     ErrorKind = "unavailable"     // an engine is away; trying again later may work
)

// Error is the one error type that crosses package borders on purpose.
type Error struct {
	Kind   ErrorKind
	What   string       // the thing concerned, as an identifier such as "listing" or "cursor"
	Fields []FieldError // for Invalid: every wrong field, in the order found
	Cause  error        // for the log only

	// RetryAfter is for RateLimited: how long to wait before trying again.
	RetryAfter time.Duration
}

// FieldError is one wrong field of an input.
type FieldError struct {
	// Pointer is the JSON pointer (RFC 6901) of the field in a document, such
	// as "/offerings/0/unit", or "" when Parameter is set.
	Pointer string `json:"pointer,omitempty"`
	// Parameter is the name of a query, path or header parameter.
	Parameter string `json:"parameter,omitempty"`
	// Code is stable and machine-readable; see the Code constants.
	Code string `json:"code"`
	// Limit is the bound that was broken or the values that are allowed, for
	// the message; it may be empty.
	Limit string `json:"limit,omitempty"`
	// Message is the explanation in the caller's language. The domain leaves it
	// empty; the edge that knows the language fills it in.
	Message string `json:"message,omitempty"`
}

// The codes of a FieldError.
const (
	CodeRequired  = "required"      // missing or empty
	CodeUnknown   = "unknown_field" // no such field or parameter
	CodeFormat    = "bad_format"    // cannot be read; Limit shows the form expected
	CodeValue     = "unknown_value" // not one of the allowed values; Limit lists them
	CodeTooSmall  = "too_small"     // below Limit
	CodeTooLarge  = "too_large"     // above Limit
	CodeTooLong   = "too_long"      // longer than Limit characters, or more than Limit items
	CodeTooShort  = "too_short"     // shorter than Limit characters, or fewer than Limit items
	CodeDuplicate = "duplicate"     // given twice
	CodeNeeds     = "needs"         // only meaningful together with Limit
	CodeMismatch  = "mismatch"      // contradicts another field, named by Limit
	CodeUnfit     = "unfit"         // holds words that may not stand there, named by Limit
)

// Error implements error. The text is for logs and for the command line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	if e.What != "" {
		b.WriteString(": " + e.What)
	}
	for i, f := range e.Fields {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep + f.String())
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// String gives the field, the code and the limit, as a log or a terminal shows them.
func (f FieldError) String() string {
	s := f.Pointer + f.Parameter + " " + f.Code
	if f.Limit != "" {
		s += " (" + f.Limit + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the first *Error in err's chain, or "" when there
// is none, which means that the error is internal.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Missing returns a NotFound error about a thing such as "listing".
func Missing(what string) error { return &Error{Kind: NotFound, What: what} }

// InvalidFields returns an Invalid error about what, or nil when there are no fields.
func InvalidFields(what string, fields []FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, What: what, Fields: fields}
}

// WrongField returns an Invalid error about what with one field.
func WrongField(what, pointer, code, limit string) error {
	return InvalidFields(what, []FieldError{{Pointer: pointer, Code: code, Limit: limit}})
}

// Together returns the Invalid error about what of all the wrong fields of several
// Invalid errors, of a field what the first of them says; nil when all are nil, and
// the first of another kind when there is one.
func Together(what string, errs ...error) error {
	var fields []FieldError
	for _, err := range errs {
		e, ok := errors.AsType[*Error](err)
		if err != nil && (!ok || e.Kind != Invalid) {
			return err
		}
		if ok {
			before := fields
			for _, f := range e.Fields {
				if !slices.ContainsFunc(before, func(have FieldError) bool { return have.Pointer == f.Pointer && have.Parameter == f.Parameter }) {
					fields = append(fields, f)
				}
			}
		}
	}
	return InvalidFields(what, fields)
}

// Wrap adds what was being done to a non-nil *err, keeping its kind. It is
// meant to be deferred at the border of a package:
//
//	defer directory.Wrap(&err, "sqlite: get %s", id)
func Wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}
