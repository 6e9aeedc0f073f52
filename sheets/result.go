package sheets

import (
	"io"
	"slices"
	"strings"

	"qingfu/directory"
)

// WriteResult writes the rows of a table as they came, with two columns more:
// what became of each, by outcome, and all that is wrong with it, by message.
// Whoever sent the table can correct it there and send it again. In a workbook
// the wrong cells are marked.
func (t *Table) WriteResult(out io.Writer, format Format, outcome func(*Row) string, message func(directory.FieldError) string) error {
	// Those of an earlier result go.
	keep := make([]int, 0, len(t.header))
	columns := make([]Column, 0, len(t.header))
	header := make([]string, 0, len(t.header)+2)
	for i, name := range t.header {
		if t.columns[i] == nil && results[headerKey(name)] {
			continue
		}
		keep = append(keep, i)
		header = append(header, name)
		columns = append(columns, Column{Header: name})
		if t.columns[i] != nil {
			columns[len(columns)-1] = *t.columns[i]
		}
	}
	header = append(header, outcomeHeader, problemsHeader)
	columns = append(columns, Column{Header: outcomeHeader}, Column{Header: problemsHeader, Example: strings.Repeat("问", 20)})

	rows := func(write func(cells []string, wrong map[int]bool) error) error {
		if err := write(header, nil); err != nil {
			return err
		}
		for i := range t.Rows {
			row := &t.Rows[i]
			cells := make([]string, 0, len(header))
			for _, at := range keep {
				text := ""
				if at < len(row.cells) {
					text = guard(unguard(strings.TrimPrefix(row.cells[at], dateMark)))
				}
				cells = append(cells, text)
			}
			cells = append(cells, outcome(row), problems(row, message))
			wrong := map[int]bool{}
			for _, e := range row.Errors {
				if at := slices.IndexFunc(columns, func(c Column) bool { return c.Header == e.Column }); e.Cell != "" && at >= 0 {
					wrong[at] = true
				}
			}
			if err := write(cells, wrong); err != nil {
				return err
			}
		}
		return nil
	}

	if format == CSV {
		return writeCSV(out, func(write func([]string) error) error {
			return rows(func(cells []string, _ map[int]bool) error { return write(cells) })
		})
	}
	book, err := newBook(sheetName(t.Kind), columns)
	if err != nil {
		return err
	}
	defer book.close()
	if err := rows(book.row); err != nil {
		return err
	}
	return book.writeTo(out)
}

// problems writes the errors of a row, one a line.
func problems(row *Row, message func(directory.FieldError) string) string {
	var out []string
	for _, e := range row.Errors {
		text := e.Message
		if text == "" {
			text = message(e.FieldError)
		}
		switch {
		case e.Column != "": // without the cell: rows may have moved
			text = e.Column + "：" + text
		case e.Cell != "":
			text = e.Cell + "：" + text
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}
