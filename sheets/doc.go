// Package sheets converts listings to and from the tables that people fill in:
// CSV and XLSX for import and export, a template to download, the result of an
// import to look at, and NDJSON and GeoJSON for programs.
//
// [Columns] is the one description of a kind's table. The template, the reader
// and the writers follow from it, so that what is written can be read again:
// every field that has a column is then as it was, but for white space at the
// ends of texts. The package neither stores nor serves anything.
//
// A cell that holds several things parts them by ；, and the fields of one such
// thing by |; a backslash before either keeps it as a part of the text. A cell
// that a spreadsheet would take for a formula is written with an apostrophe in
// front, in CSV and XLSX alike, because people save one as the other.
package sheets

// What a file may hold. Excel itself puts no more than 32,767 characters into a
// cell.
const (
	MaxRows  = 10_000   // rows of data
	MaxBytes = 32 << 20 // as it is sent

	maxColumns = 256
	maxCell    = 32_767
	maxItems   = 100 // of a cell; no field of a listing may have more
	maxErrors  = 100 // of a row, so that a file of nothing but errors does not fill the memory
)

// CodeAmbiguous is the code of a FieldError for a name that several things have;
// its Limit lists some of them.
const CodeAmbiguous = "ambiguous"

// Format is how a table is kept in a file.
type Format string

// The formats that are read and written.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)
