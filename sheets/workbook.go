package sheets

import (
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

func writeSheet(f *excelize.File, s *Sheet, styles *styles, numbers map[string]int) error {
	stream, err := f.NewStreamWriter(s.Name)
	if err != nil {
		return err
	}
	if err := stream.SetPanes(&frozenHeader); err != nil {
		return err
	}
	header := make([]any, len(s.Columns))
	for i, c := range s.Columns {
		header[i] = excelize.Cell{StyleID: styles.header, Value: guard(c.Header)}
		wide := c.Width
		if wide == 0 {
			wide = max(10, chars(c.Header)+3)
		}
		if err := stream.SetColWidth(i+1, i+1, wide); err != nil {
			return err
		}
	}
	if err := stream.SetRow("A1", header); err != nil {
		return err
	}
	for n, row := range s.Rows {
		if len(row) != len(s.Columns) {
			return fmt.Errorf("sheets: row %d of %s has %d cells for %d columns", n+1, s.Name, len(row), len(s.Columns))
		}
		cells := make([]any, len(row))
		for i, value := range row {
			style := styles.wrapped
			if s.Columns[i].Format != "" {
				style = numbers[s.Columns[i].Format]
			}
			if text, ok := value.(string); ok {
				value = guard(text)
			}
			if value != nil {
				cells[i] = excelize.Cell{StyleID: style, Value: value}
			}
		}
		if err := stream.SetRow("A"+strconv.Itoa(n+2), cells); err != nil {
			return err
		}
	}
	return stream.Flush()
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
