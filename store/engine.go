// Package store keeps the domain's documents. Repositories are written once,
// as typed collections over Engine, a small port that every database behind
// the program implements; store/sqlite is the embedded one, store/mongo the one
// that several servers share.
//
// The rules that keep engines equal: ids are strings; a document is one JSON
// object and one write is one state change; a write names the version that it
// saw; filters and orders use declared fields only, whose values are strings or
// integers; strings compare by their bytes; and every write gets a sequence
// number larger than all before it, so that a projection can catch up from any
// point.
package store

import (
	"context"

	"qingfu/directory"
)

// Engine is a document database. Its methods are safe for concurrent use and
// return *directory.Error of the kinds they name, and of kind Unavailable when
// the database is away or locked by somebody else; anything else is internal. A call
// whose context ends returns the context's error, but for Write.
type Engine interface {
	// Declare makes the collection and its index tables exist. When the declared
	// fields or indexes differ from those that are stored, it rebuilds them from
	// the documents, wholly or not at all. It must be called before the
	// collection is used and may be called again at any time.
	Declare(ctx context.Context, c Declaration) error

	// Get returns the documents of the given ids that exist, in the order of the
	// ids. A missing id is left out and is no error.
	Get(ctx context.Context, collection string, ids ...string) ([]Record, error)

	// Write applies writes in their order, independently of each other, and
	// returns one outcome a write. When it returns, what it reports as stored
	// survives a crash and is seen by every later read. The second result is for
	// failures of the engine as a whole; then no outcome is reported. The error
	// of an ended context means that nothing was written; after Unavailable, which
	// may wrap it, any of the writes may be there, or come to be.
	Write(ctx context.Context, collection string, writes ...Write) ([]Outcome, error)

	// Find returns documents by declared fields. A position that does not fit the
	// order is Invalid.
	Find(ctx context.Context, collection string, q Query) ([]Record, error)

	// Count counts the documents that match, grouped by declared fields. Groups
	// come in the order of their keys; empty groups are absent. Without fields
	// there is one group, the total.
	Count(ctx context.Context, collection string, where []Condition, by ...string) ([]Group, error)

	// Changes returns up to limit (1 to MaxLimit) records with a sequence number
	// above after, in that order, deleted ones included with a nil Doc. A reader
	// that continues from the last number it saw misses nothing, however many
	// write meanwhile; of several writes to one document it may see only the last.
	Changes(ctx context.Context, collection string, after int64, limit int) ([]Record, error)

	// LastSeq returns the sequence number of the latest change, 0 when there was none.
	LastSeq(ctx context.Context, collection string) (int64, error)

	// Load stores records of another engine in their order and exactly as they are: with
	// their versions and sequence numbers, deleted ones too. Each comes in the place of
	// the one of the same id that has a smaller number; one that is there already, or is
	// newer there, stays, so that loading again changes nothing. What has a smaller
	// number and keeps a unique value from a record is out of date itself: it is deleted
	// until it is loaded, too. In an AppendOnly collection nothing is replaced or deleted.
	// Later writes get numbers above all that were loaded.
	//
	// It is for a database to which nobody else writes, and for records in the order of
	// their numbers: whatever ends a call, a beginning of them is then stored, and
	// LastSeq tells up to where. It returns Conflict when a record cannot be as it is
	// beside those that are there, which then are of another origin.
	Load(ctx context.Context, collection string, records ...Record) error

	// Close finishes the writes that have begun and releases the database. Calls
	// after it return errors.
	Close() error
}

// Declaration says what an engine must know of a collection.
type Declaration struct {
	// Name is the collection's name: small letters and underscores, a letter first.
	Name string
	// Fields are named like collections. A field whose meaning changes needs a
	// new name, because only then are its values computed anew.
	Fields []Field
	// Indexes are lists of field names: a Find is fast when its conditions and
	// order follow one of them, and a Count when one begins with the fields that
	// have to be equal and goes on with those of the groups.
	Indexes []Index
	// AppendOnly collections take inserts only: an engine refuses every other
	// write, and keeps other programs from them as far as its database can.
	AppendOnly bool
	// Extract returns the values of Fields, in their order, from a stored
	// document. Engines need it to fill fields that are declared later than the
	// document was written.
	Extract func(doc []byte) ([]any, error)
}

// Field is a value of a document that can be filtered, ordered and grouped by.
type Field struct {
	Name string
	Type FieldType
}

// FieldType is the type of a declared field.
type FieldType string

// The types: Go string and int64. Times are stored as milliseconds since 1970.
const (
	String FieldType = "string"
	Int    FieldType = "int"
)

// Index is a declared index. A unique one holds for the documents that exist;
// deleted ones take no part in it.
type Index struct {
	Fields []string
	Unique bool
}

// Record is a stored document.
type Record struct {
	ID      string
	Version int64  // 1 after the first insert, one more with each write; see Write
	Seq     int64  // position in the collection's sequence of changes
	Doc     []byte // JSON; nil for a deleted document
}

// Write is one insert, replace or delete.
//
// An engine remembers the version of a deleted document. An insert of its id
// revives it and counts on from there, so that no version is ever used twice
// and a version seen before the deletion can never match again.
type Write struct {
	ID     string // not empty, at most MaxID bytes of UTF-8
	Seen   int64  // the version to replace or delete; 0 inserts
	Doc    []byte // the new document; nil deletes
	Fields []any  // the values of the declared fields, in their order; nil when Doc is nil
}

// Outcome is what became of one Write.
type Outcome struct {
	Version, Seq int64 // of the document now, 0 with an error
	// Err is nil when the write was stored. It is Conflict when the id exists
	// already (insert), when the stored version is not Seen (replace, delete) or
	// when a unique index would be broken, NotFound when there is nothing to
	// replace or delete, and Invalid when the id cannot be one.
	Err error
}

// Query selects documents. The order is by Order and then by id, so that it is
// total; paging continues behind the position After.
type Query struct {
	Where []Condition // all of them hold
	Order string      // a declared field, or "" for the order of ids
	Desc  bool        // applies to Order and id alike
	After *Position
	Limit int // 1 to MaxLimit
}

// Condition compares a declared field with a value.
type Condition struct {
	Field string
	Op    Op
	Value any // string or int64 as the field; for In a []string or []int64
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

// Where is a query of the documents that meet all conditions.
func Where(conditions ...Condition) Query { return Query{Where: conditions} }

// Equal is the condition that a field has a value.
func Equal(field string, value any) Condition { return Condition{Field: field, Op: Eq, Value: value} }

// Within are the conditions that the field "region" names a region or one within it.
func Within(region string) []Condition {
	from, to := directory.RegionRange(region)
	return []Condition{{Field: "region", Op: Min, Value: from}, {Field: "region", Op: Less, Value: to}}
}

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
