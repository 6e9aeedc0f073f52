package sheets

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// Table is a file that was read. It and its rows are not for use by several
// goroutines at once.
type Table struct {
	Kind   directory.Kind
	Format Format
	Rows   []Row

	regions *directory.Regions
	places  *places
	header  []string
	columns []*Column // of header; nil for what is passed over
}

// Row is one row of a table.
type Row struct {
	// Number is the row's number as Excel shows it.
	Number int
	// Listing has its kind, its external id and the origin imported; its own id,
	// status and times are for the caller to fill in.
	Listing directory.Listing
	// Errors are what is wrong with the row: after Parse what could not be read,
	// after Check everything. There are at most 100.
	Errors []CellError

	table *Table
	cells []string
	read  []CellError // from reading
}

// CellError is something wrong with a cell, or with the row as a whole when
// Column is empty. Column and the pointers in Limit are headers of the table, so
// that somebody who has only the table understands them.
type CellError struct {
	Column string `json:"column,omitempty"` // header
	Cell   string `json:"cell,omitempty"`   // such as D12; empty where the table has no such column
	directory.FieldError
}

// dateMark begins the text of a cell that Excel keeps as a day, so that the day
// it made of a number such as 1-2 is not taken for what somebody typed.
const dateMark = "\ue000"

// Parse reads a table of listings of a kind. An error means that the file as a
// whole cannot be read: an Invalid error whose fields name headers or lines,
// /地址2 or /12, or nothing when it is the file itself. What is wrong with single
// rows stands in them.
//
// The table is that of the sheet named after the kind, else of the first visible
// one. A title may stand above its header. Rows without anything in them are
// passed over, and so is the template's example when it is as it was.
func Parse(data []byte, filename string, kind directory.Kind, regions *directory.Regions) (*Table, error) {
	t := &Table{Kind: kind, Format: CSV, regions: regions, places: newPlaces(regions)}
	if kind == "" || Columns(kind) == nil {
		return nil, invalid("/类别", directory.CodeValue, labels(directory.Kinds), nil)
	}
	if len(data) > MaxBytes {
		return nil, invalid("", directory.CodeTooLarge, strconv.Itoa(MaxBytes>>20)+" MiB", nil)
	}
	var lines []record
	var err error
	if isZip := bytes.HasPrefix(data, []byte("PK\x03\x04")); isZip {
		t.Format = XLSX
		name, _ := directory.KindTerm(kind)
		lines, err = readXLSX(data, name.Names.Zh)
	} else if strings.HasSuffix(strings.ToLower(filename), ".xlsx") || bytes.HasPrefix(data, oleHeader) {
		err = invalid("", directory.CodeFormat, "XLSX（不加密码）、CSV", nil)
	} else {
		lines, err = readCSV(data, t.known)
	}
	if err != nil {
		return nil, err
	}
	if err := t.take(lines); err != nil {
		return nil, err
	}
	return t, nil
}

// oleHeader begins the files of Excel before 2007, and XLSX with a password.
var oleHeader = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

func invalid(pointer, code, limit string, cause error) error {
	return &directory.Error{Kind: directory.Invalid, What: "sheet", Cause: cause,
		Fields: []directory.FieldError{{Pointer: pointer, Code: code, Limit: limit}}}
}

// record is a row as a file has it.
type record struct {
	number int
	cells  []string
}

func (r record) empty() bool {
	return !slices.ContainsFunc(r.cells, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// column returns the column of a header, or none for one that is passed over.
func (t *Table) column(header string) (c *Column, known bool) {
	if len(header) > 200 { // bytes; none is that long
		return nil, false
	}
	key := headerKey(header)
	c = headers[t.Kind][key]
	return c, c != nil || passedOver[key]
}

func (t *Table) known(header string) bool {
	_, known := t.column(header)
	return known
}

// headerWithin is how many rows may come before the header, such as a title.
const headerWithin = 10

// take finds the header and reads the rows below it.
func (t *Table) take(lines []record) error {
	lines = slices.DeleteFunc(lines, record.empty)
	if len(lines) == 0 {
		return t.headerErrors([]directory.FieldError{}, nil)
	}
	at := 0
	for i, l := range lines[:min(headerWithin, len(lines))] {
		var known, cells int
		for _, cell := range l.cells {
			if strings.TrimSpace(cell) != "" {
				cells++
				if t.known(cell) {
					known++
				}
			}
		}
		if known > 1 && known*2 >= cells {
			at = i
			break
		}
	}
	if err := t.setHeader(lines[at].cells); err != nil {
		return err
	}
	t.Rows = make([]Row, 0, len(lines)-at-1)
	first := map[string]int{}
	for _, l := range lines[at+1:] {
		if t.isExample(l.cells) {
			continue
		}
		if len(t.Rows) == MaxRows {
			return invalid("/"+strconv.Itoa(l.number), directory.CodeTooLong, strconv.Itoa(MaxRows), nil)
		}
		row := t.row(l)
		if id := row.Listing.ExternalID; first[id] > 0 && id != "" {
			row.add(t.find("/external_id"), directory.FieldError{Pointer: "/external_id", Code: directory.CodeDuplicate, Limit: "第 " + strconv.Itoa(first[id]) + " 行"})
		} else {
			first[id] = row.Number
		}
		row.sort()
		row.read = row.Errors
		t.Rows = append(t.Rows, row)
	}
	return nil
}

// setHeader finds the columns of a header.
func (t *Table) setHeader(header []string) error {
	t.header = slices.Clone(header)
	for len(t.header) > 0 && strings.TrimSpace(t.header[len(t.header)-1]) == "" {
		t.header = t.header[:len(t.header)-1]
	}
	t.columns = make([]*Column, len(t.header))
	var wrong []directory.FieldError
	seen := map[string]bool{}
	for i, name := range t.header {
		name = strings.TrimSpace(strings.TrimPrefix(name, dateMark))
		t.header[i] = name
		c, known := t.column(name)
		t.columns[i] = c
		switch {
		case name == "": // an empty column, whose cells must be empty too
		case !known:
			wrong = append(wrong, directory.FieldError{Pointer: headerPointer(name), Code: directory.CodeUnknown})
		case c != nil && seen[c.Header]:
			wrong = append(wrong, directory.FieldError{Pointer: headerPointer(name), Code: directory.CodeDuplicate})
		case c != nil:
			seen[c.Header] = true
		}
	}
	return t.headerErrors(wrong, seen)
}

// headerErrors adds the required columns that were not seen.
func (t *Table) headerErrors(wrong []directory.FieldError, seen map[string]bool) error {
	for _, c := range Columns(t.Kind) {
		if c.Required && !seen[c.Header] {
			wrong = append(wrong, directory.FieldError{Pointer: headerPointer(c.Header), Code: directory.CodeRequired})
		}
	}
	return directory.InvalidFields("sheet", wrong)
}

// headerPointer writes a header as a JSON pointer.
func headerPointer(header string) string {
	const shown = 80
	if runes := []rune(header); len(runes) > shown {
		header = string(runes[:shown]) + "…"
	}
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(header)
}

// isExample tells whether a row is the template's example, unchanged or with
// cells emptied.
func (t *Table) isExample(cells []string) bool {
	same := false
	for i, cell := range cells {
		if cell = strings.TrimSpace(cell); cell == "" {
			continue
		}
		if i >= len(t.columns) || t.columns[i] == nil {
			return false
		}
		if strings.TrimPrefix(cell, dateMark) != t.columns[i].Example {
			return false
		}
		same = same || t.columns[i].Pointers[0] == "/external_id"
	}
	return same
}

// row reads a row.
func (t *Table) row(l record) Row {
	row := Row{Number: l.number, table: t, cells: l.cells}
	row.Listing = directory.Listing{Kind: t.Kind, Provenance: directory.Provenance{Origin: directory.Imported}}
	line := row.fill(&row.Listing)
	for i, f := range line.errors {
		row.add(line.fields[i], f)
	}
	for i := len(t.header); i < len(l.cells); i++ {
		if strings.TrimSpace(l.cells[i]) != "" && len(row.Errors) < maxErrors {
			row.Errors = append(row.Errors, CellError{Cell: cellName(i, l.number), FieldError: directory.FieldError{Code: directory.CodeUnknown}})
		}
	}
	return row
}

// fill sets the fields of the table's columns to what the row says.
func (r *Row) fill(l *directory.Listing) *line {
	t := r.table
	line := &line{places: t.places}
	withPart(l)
	l.Hours = copied(l.Hours)
	for i, c := range t.columns {
		if c == nil {
			if i < len(r.cells) && t.header[i] == "" && strings.TrimSpace(r.cells[i]) != "" {
				line.errors = append(line.errors, directory.FieldError{Code: directory.CodeUnknown})
				line.fields = append(line.fields, nil)
			}
			continue
		}
		text := ""
		if i < len(r.cells) {
			text = r.cells[i]
		}
		text, date := strings.CutPrefix(text, dateMark)
		cell := &cell{text: strings.TrimSpace(unguard(strings.TrimSpace(text))), date: date, column: c, line: line}
		switch {
		case len(text) > maxCell && utf8.RuneCountInString(text) > maxCell:
			cell.wrong(c.Pointers[0], directory.CodeTooLong, strconv.Itoa(maxCell))
		case excelErrors[text]:
			cell.wrong(c.Pointers[0], directory.CodeFormat, c.Example)
		default:
			if cell.text == "" && c.Required {
				cell.wrong(c.Pointers[0], directory.CodeRequired, labels(c.Terms))
			}
			c.read(cell, l)
		}
	}
	line.place(l)
	withoutEmpty(l)
	return line
}

// excelErrors are what a formula leaves that went wrong.
var excelErrors = map[string]bool{
	"#N/A": true, "#REF!": true, "#VALUE!": true, "#DIV/0!": true, "#NAME?": true, "#NULL!": true, "#NUM!": true,
}

// Onto returns a listing with the fields that the table has columns for as the
// row has them; an empty cell empties its field. All other fields, and those of
// columns that the table lacks, stay as they are.
func (r *Row) Onto(existing directory.Listing) directory.Listing {
	r.fill(&existing)
	return existing
}

// Check fills in what a row cannot say, which is fill's business, and adds
// everything that Validate finds wrong with the listing to the row's errors,
// each with its column. What follows from a cell that could not be read is left
// out. Checking again starts anew.
func (r *Row) Check(fill func(*directory.Listing)) {
	r.Errors = slices.Clip(r.read)
	if fill != nil {
		fill(&r.Listing)
	}
	var invalid *directory.Error
	if !errors.As(r.Listing.Validate(r.table.regions), &invalid) {
		return
	}
	for _, f := range invalid.Fields {
		if !r.follows(f) {
			r.add(r.table.find(f.Pointer), f)
		}
	}
	r.sort()
}

// sort puts errors in the order of the columns, those of no cell last.
func (r *Row) sort() {
	at := func(e CellError) int {
		i := slices.IndexFunc(r.table.columns, func(c *Column) bool { return c != nil && c.Header == e.Column })
		if i < 0 {
			return len(r.table.columns)
		}
		return i
	}
	slices.SortStableFunc(r.Errors, func(a, b CellError) int { return at(a) - at(b) })
}

// follows tells whether an error of Validate only repeats what reading found.
func (r *Row) follows(f directory.FieldError) bool {
	for _, e := range r.read {
		if e.Pointer == "" || e.Code == directory.CodeDuplicate && e.Pointer == "/external_id" {
			continue // about the row and the table, not about the cell
		}
		if within(f.Pointer, e.Pointer) || f.Code == directory.CodeNeeds && within(f.Limit, e.Pointer) {
			return true
		}
	}
	return false
}

// within tells whether a pointer is that of a field or of something in it.
func within(pointer, field string) bool {
	rest, ok := strings.CutPrefix(pointer, field)
	return ok && (rest == "" || rest[0] == '/')
}

// find returns the column of a pointer: the one that fills the field or the
// narrowest one that it lies in.
func (t *Table) find(pointer string) *Column {
	var found *Column
	longest := 0
	columns := Columns(t.Kind)
	for i := range columns {
		for _, p := range columns[i].Pointers {
			if within(pointer, p) && len(p) > longest {
				found, longest = &columns[i], len(p)
			}
		}
	}
	return found
}

// add adds an error of a column.
func (r *Row) add(c *Column, f directory.FieldError) {
	if len(r.Errors) >= maxErrors {
		return
	}
	e := CellError{FieldError: f}
	if c != nil {
		e.Column = c.Header
		if i := slices.Index(r.table.columns, c); i >= 0 {
			e.Cell = cellName(i, r.Number)
		}
		e.Limit = c.limit(f)
	}
	if strings.HasPrefix(f.Limit, "/") {
		if other := r.table.find(f.Limit); other != nil {
			e.Limit = other.Header
		} else if words, ok := otherFields[f.Limit]; ok {
			e.Limit = words
		}
	}
	r.Errors = append(r.Errors, e)
}

// limit writes the limit of an error as the column has it: names for codes, and
// yuan for fen.
func (c *Column) limit(f directory.FieldError) string {
	end := f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:]
	terms := c.Terms
	if c.fields != nil {
		terms = c.fields["/"+end]
	}
	switch {
	case f.Limit == "":
	case terms != nil && (f.Code == directory.CodeValue || f.Code == directory.CodeRequired):
		return labels(terms)
	case end == "price_min" || end == "price_max":
		if fen, err := strconv.ParseInt(f.Limit, 10, 64); err == nil {
			return writeYuan(fen) + "元"
		}
	}
	return f.Limit
}

// otherFields are what a Limit may name that has no column.
var otherFields = map[string]string{"/demo": "名称中的“示例”", "/kind": "表格的类别"}

func cellName(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column+1, row)
	if err != nil {
		return ""
	}
	return name
}
