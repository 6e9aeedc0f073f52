package sheets

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// Listings are what a writer is given. It stops at the first error.
type Listings = iter.Seq2[directory.Listing, error]

// tooLong stands in a cell of Excel that cannot hold its text. No column can be
// read from it, so that it does not get lost unseen.
const tooLong = "#内容过长"

// writer makes the cells of listings.
type writer struct {
	kind    directory.Kind
	columns []Column
	places  *places
	cells   []string
}

func newWriter(kind directory.Kind, regions *directory.Regions) (*writer, error) {
	w := &writer{kind: kind, columns: Columns(kind), places: newPlaces(regions)}
	if w.columns == nil {
		return nil, fmt.Errorf("sheets: there is no kind %q", kind)
	}
	w.cells = make([]string, len(w.columns))
	return w, nil
}

func (w *writer) header() []string {
	for i, c := range w.columns {
		w.cells[i] = c.Header
	}
	return w.cells
}

// row returns the cells of a listing, which the next call overwrites.
func (w *writer) row(l directory.Listing) ([]string, error) {
	if w.kind != "" && l.Kind != w.kind {
		return nil, fmt.Errorf("sheets: listing %s is of kind %s, the table of %s", l.ID, l.Kind, w.kind)
	}
	withPart(&l)
	for i := range w.columns {
		w.cells[i] = guard(w.columns[i].write(w.places, &l))
	}
	return w.cells, nil
}

// table writes the header and a row for each listing.
func (w *writer) table(listings Listings, write func(cells []string) error) error {
	if err := write(w.header()); err != nil {
		return err
	}
	for l, err := range listings {
		if err != nil {
			return err
		}
		row, err := w.row(l)
		if err != nil {
			return err
		}
		if err := write(row); err != nil {
			return err
		}
	}
	return nil
}

// WriteCSV writes listings of a kind as comma-separated values in UTF-8 with a
// byte order mark, by which Excel knows it. Without a kind it writes listings of
// any, in the columns that all have. A cell that a spreadsheet would take for a
// formula gets an apostrophe in front, which Parse takes away.
func WriteCSV(out io.Writer, kind directory.Kind, listings Listings, regions *directory.Regions) error {
	w, err := newWriter(kind, regions)
	if err != nil {
		return err
	}
	return writeCSV(out, func(write func([]string) error) error { return w.table(listings, write) })
}

func writeCSV(out io.Writer, rows func(write func([]string) error) error) error {
	if _, err := io.WriteString(out, byteOrderMark); err != nil {
		return err
	}
	csv := csv.NewWriter(out)
	csv.UseCRLF = true
	if err := rows(csv.Write); err != nil {
		return err
	}
	csv.Flush()
	return csv.Error()
}

// WriteXLSX writes listings of a kind, or of any, as a workbook of one sheet.
func WriteXLSX(out io.Writer, kind directory.Kind, listings Listings, regions *directory.Regions) error {
	w, err := newWriter(kind, regions)
	if err != nil {
		return err
	}
	book, err := newBook(sheetName(kind), w.columns)
	if err != nil {
		return err
	}
	defer book.close()
	if err := w.table(listings, func(cells []string) error { return book.row(cells, nil) }); err != nil {
		return err
	}
	return book.writeTo(out)
}

func sheetName(kind directory.Kind) string {
	if kind == "" {
		return "服务条目"
	}
	return label(kind)
}

// book is a workbook of one sheet that is written row by row.
type book struct {
	file    *excelize.File
	stream  *excelize.StreamWriter
	columns []Column
	styles  *styles
	rows    int
	values  []any
}

// newBook begins a workbook. Columns beyond those given hold text.
func newBook(sheet string, columns []Column) (_ *book, err error) {
	b := &book{file: excelize.NewFile(), columns: columns}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if err := setProperties(b.file); err != nil {
		return nil, err
	}
	if b.styles, err = newStyles(b.file); err != nil {
		return nil, err
	}
	if err := b.file.SetSheetName("Sheet1", sheet); err != nil {
		return nil, err
	}
	if b.stream, err = b.file.NewStreamWriter(sheet); err != nil {
		return nil, err
	}
	if err := b.stream.SetPanes(&frozenHeader); err != nil {
		return nil, err
	}
	for i, c := range columns {
		if err := b.stream.SetColWidth(i+1, i+1, width(c)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// row writes a row; the first is the header. Cells in wrong are marked.
func (b *book) row(cells []string, wrong map[int]bool) error {
	b.rows++
	if b.rows > excelize.TotalRows {
		return errors.New("sheets: more rows than a sheet of Excel has")
	}
	b.values = b.values[:0]
	for i, text := range cells {
		form := textForm
		if i < len(b.columns) {
			form = b.columns[i].form
		}
		cell := b.styles.cell(form, text)
		switch {
		case b.rows == 1:
			cell = excelize.Cell{StyleID: b.styles.header, Value: text}
		case wrong[i]:
			cell = excelize.Cell{StyleID: b.styles.wrong, Value: text}
		case text == "":
			b.values = append(b.values, nil)
			continue
		}
		if value, ok := cell.Value.(string); ok && len(value) > maxCell && len(utf16.Encode([]rune(value))) > maxCell {
			cell.Value = tooLong
		}
		b.values = append(b.values, cell)
	}
	return b.stream.SetRow("A"+strconv.Itoa(b.rows), b.values)
}

func (b *book) writeTo(out io.Writer) error {
	if err := b.stream.Flush(); err != nil {
		return err
	}
	_, err := b.file.WriteTo(out)
	return err
}

// close removes what a large sheet keeps on disk.
func (b *book) close() { _ = b.file.Close() }

// WriteNDJSON writes listings of any kind, one a line, as docs/listing-format.md
// has it.
func WriteNDJSON(out io.Writer, listings Listings) error {
	for l, err := range listings {
		if err != nil {
			return err
		}
		line, err := json.Marshal(&l)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// feature is a listing in GeoJSON.
type feature struct {
	Type       string     `json:"type"`
	ID         string     `json:"id"`
	Geometry   *point     `json:"geometry"` // null where the position is not known
	Properties properties `json:"properties"`
}

type point struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"` // longitude first
}

// properties are all of a listing but its position. Maps show a name and know
// nothing of codes of regions.
type properties struct {
	Name       string `json:"name"`
	RegionName string `json:"region_name,omitempty"`
	directory.Listing
}

// WriteGeoJSON writes listings of any kind as a FeatureCollection (RFC 7946,
// WGS-84), a feature a line.
func WriteGeoJSON(out io.Writer, listings Listings, regions *directory.Regions) error {
	places := newPlaces(regions)
	text := `{"type":"FeatureCollection","features":[`
	for l, err := range listings {
		if err != nil {
			return err
		}
		f := feature{Type: "Feature", ID: l.ID}
		if p := l.Location; p != nil {
			f.Geometry = &point{"Point", [2]float64{p.Lon, p.Lat}}
		}
		l.Location = nil
		f.Properties = properties{Name: l.Names.Zh, Listing: l}
		if regions.Has(l.Region) {
			f.Properties.RegionName = places.path(l.Region)
		}
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, text+"\n"+string(line)); err != nil {
			return err
		}
		text = ","
	}
	if text != "," { // nothing was written yet
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, "\n]}\n")
	return err
}
