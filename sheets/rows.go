package sheets

import (
	"io"
	"iter"
)

// WriteRows writes a table that is none of listings, in the form of [WriteCSV]. Cells
// that a spreadsheet would take for formulas are guarded. It stops at the first error
// of rows; what rows yields may be overwritten afterwards.
func WriteRows(out io.Writer, header []string, rows iter.Seq2[[]string, error]) error {
	return writeCSV(out, func(write func([]string) error) error {
		if err := write(header); err != nil {
			return err
		}
		var guarded []string
		for row, err := range rows {
			if err != nil {
				return err
			}
			guarded = guarded[:0]
			for _, cell := range row {
				guarded = append(guarded, guard(cell))
			}
			if err := write(guarded); err != nil {
				return err
			}
		}
		return nil
	})
}
