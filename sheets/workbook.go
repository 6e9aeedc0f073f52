package sheets

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// Sheet is a table of figures and texts in a workbook, for people to read.
type Sheet struct {
	Name    string // at most 31 characters, without []:*?/\
	Columns []SheetColumn
	// Rows have a value for each column: a string, a float64, an int, or nil for an
	// empty cell. A text may stand in a column of numbers.
	Rows [][]any
}

// SheetColumn is a column of a [Sheet].
type SheetColumn struct {
	Header string
	// Format is the number format in Excel's notation, "" for a column of texts.
	Format string
	Width  float64 // in characters; 0 for what the header takes
}

// The formats of numbers.
const (
	CountFormat  = "#,##0"
	ShareFormat  = "0.0%"
	PointsFormat = "+0.0%;-0.0%;0.0%" // the difference of two shares
	MeanFormat   = "0.00"
)

// WriteWorkbook writes a workbook with a sheet for each table, whose header stays in
// view. A text that would be a formula gets an apostrophe in front, because people
// save a workbook as CSV. The same sheets make the same bytes.
func WriteWorkbook(out io.Writer, tables []Sheet) error {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	if err := setProperties(f); err != nil {
		return err
	}
	styles, err := newStyles(f)
	if err != nil {
		return err
	}
	numbers := map[string]int{} // styles by their format
	for i := range tables {
		if i == 0 {
			err = f.SetSheetName("Sheet1", tables[i].Name)
		} else {
			_, err = f.NewSheet(tables[i].Name)
		}
		if err != nil {
			return err
		}
		for _, c := range tables[i].Columns {
			if _, ok := numbers[c.Format]; c.Format == "" || ok {
				continue
			}
			if numbers[c.Format], err = f.NewStyle(&excelize.Style{CustomNumFmt: &c.Format, Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "right"}}); err != nil {
				return err
			}
		}
		if err := writeSheet(f, &tables[i], styles, numbers); err != nil {
			return err
		}
	}
	_, err = f.WriteTo(out)
	return err
}

// writeSheet does not use a stream, because a workbook of several streams has its parts
// in any order.
func writeSheet(f *excelize.File, s *Sheet, styles *styles, numbers map[string]int) error {
	// On paper: across, as wide as a page, with the header on each.
	err := errors.Join(
		f.SetPanes(s.Name, &frozenHeader),
		f.SetSheetProps(s.Name, &excelize.SheetPropsOptions{FitToPage: new(true)}),
		f.SetPageLayout(s.Name, &excelize.PageLayoutOptions{Size: new(paperA4), Orientation: new("landscape"), FitToWidth: new(1), FitToHeight: new(0)}),
		f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: "'" + s.Name + "'!$1:$1", Scope: s.Name}),
	)
	if err != nil {
		return err
	}
	for i, c := range s.Columns {
		letters, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		wide := c.Width
		if wide == 0 {
			wide = max(10, chars(c.Header)+3)
		}
		style := styles.wrapped
		if c.Format != "" {
			style = numbers[c.Format]
		}
		if err := errors.Join(f.SetColWidth(s.Name, letters, letters, wide), setCell(f, s.Name, letters+"1", c.Header, styles.header)); err != nil {
			return err
		}
		for n, row := range s.Rows {
			if len(row) != len(s.Columns) {
				return fmt.Errorf("sheets: row %d of %s has %d cells for %d columns", n+1, s.Name, len(row), len(s.Columns))
			}
			if err := setCell(f, s.Name, letters+strconv.Itoa(n+2), row[i], style); err != nil {
				return err
			}
		}
	}
	return nil
}

// paperA4 is the number of the size.
const paperA4 = 9

func setCell(f *excelize.File, sheet, cell string, value any, style int) error {
	if text, ok := value.(string); ok {
		value = guard(text)
	}
	return errors.Join(f.SetCellValue(sheet, cell, value), f.SetCellStyle(sheet, cell, cell, style))
}

// WriteValues writes rows as comma-separated values in UTF-8 with a byte order mark.
// Their values are those of a [Sheet]; texts that would be formulas are guarded like
// there, numbers are not.
func WriteValues(out io.Writer, rows [][]any) error {
	return writeCSV(out, func(write func([]string) error) error {
		for _, row := range rows {
			cells := make([]string, len(row))
			for i, value := range row {
				switch v := value.(type) {
				case string:
					cells[i] = guard(v)
				case float64:
					cells[i] = strconv.FormatFloat(v, 'f', -1, 64)
				case int:
					cells[i] = strconv.Itoa(v)
				}
			}
			if err := write(cells); err != nil {
				return err
			}
		}
		return nil
	})
}
