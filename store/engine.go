// Package store keeps the domain's documents. Repositories are written once,
// as typed collections over Engine, a small port that every database behind
// the program implements; store/sqlite is the embedded one.
//
// The rules that keep engines equal: ids are strings; a document is one JSON
// object and one write is one state change; a write names the version that it
// saw; filters and orders use declared fields only, whose values are strings or
// integers; and every write gets a sequence number larger than all before it,
// so that a projection can catch up from any point.
package store

import "context"

// Engine is a document database. Its methods are safe for concurrent use and
// return *directory.Error of the kinds they name; anything else is internal.
type Engine interface {
	// Declare makes the collection and its index tables exist. When the declared
	// fields differ from those that are stored, it rebuilds them from the
	// documents. It must be called before the collection is used and may be
	// called again at any time.
	Declare(ctx context.Context, c Declaration) error

	// Get returns the documents of the given ids that exist, in the order of the
	// ids. A missing id is left out and is no error.
	Get(ctx context.Context, collection string, ids ...string) ([]Record, error)

	// Write applies writes independently of each other and returns one outcome a
	// write, nil when it was stored: Conflict when the id exists already (insert),
	// when the stored version is not Seen (replace, delete) or when a unique index
	// would be broken; NotFound when there is nothing to replace or delete. When
	// Write returns, what it reports as stored survives a crash. The second result
	// is for failures of the engine as a whole; then no outcome is reported.
	Write(ctx context.Context, collection string, writes ...Write) ([]error, error)

	// Find returns documents by declared fields.
	Find(ctx context.Context, collection string, q Query) ([]Record, error)

	// Count counts the documents that match, grouped by declared fields (none for
	// one total). Groups come in the order of their keys; empty groups are absent.
	Count(ctx context.Context, collection string, where []Condition, by ...string) ([]Group, error)

	// Changes returns up to limit records with a sequence number above after, in
	// that order, deleted ones included with a nil Doc. A reader that continues
	// from the last number it saw misses nothing, however many write meanwhile;
	// of several writes to one document it may see only the last.
	Changes(ctx context.Context, collection string, after int64, limit int) ([]Record, error)

	// Close releases the database. Calls after it return errors.
	Close() error
}

// Declaration says what an engine must know of a collection.
type Declaration struct {
	Name   string
	Fields []Field
	// Indexes are lists of field names: a Find is fast when its conditions and
	// order follow one of them.
	Indexes []Index
	// Extract returns the values of Fields, in their order, from a document.
	Extract func(doc []byte) ([]any, error)
}

// Field is a value of a document that can be filtered, ordered and grouped by.
type Field struct {
	Name string
	Type FieldType
}

// FieldType is the type of a declared field.
type FieldType int

// The types: Go string and int64. Times are stored as milliseconds since 1970.
const (
	String FieldType = iota
	Int
)

// Index is a declared index.
type Index struct {
	Fields []string
	Unique bool
}

// Record is a stored document.
type Record struct {
	ID      string
	Version int64  // 1 after the insert, one more with each write
	Seq     int64  // position in the collection's sequence of changes
	Doc     []byte // JSON; nil for a deleted document
}

// Write is one insert, replace or delete.
type Write struct {
	ID   string
	Seen int64  // the version to replace or delete; 0 inserts
	Doc  []byte // the new document; nil deletes
}

// Query selects documents. The order is by Order and then by id, so that it is
// total; paging continues behind the position After.
type Query struct {
	Where []Condition
	Order string // a declared field, or "" for the order of ids
	Desc  bool   // applies to Order and id alike
	After *Position
	Limit int // 1 to 1000
}

// Condition compares a declared field with a value.
type Condition struct {
	Field string
	Op    Op
	Value any // string or int64; for In a []string or []int64
}

// Op is a comparison.
type Op string

// The comparisons.
const (
	Eq   Op = "="
	Less Op = "<"
	Min  Op = ">=" // at least
	In   Op = "in"
)

// Position is the place of a document in an order.
type Position struct {
	Value any // of the order field; nil when the order is by id
	ID    string
}

// Group is one group of a count.
type Group struct {
	Key []any // the values of the grouping fields, in their order
	N   int64
}
