package sheets

import (
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// styles are the styles of a workbook.
type styles struct {
	header, wrong, example, wrapped int
	forms                           [dateForm + 1]int
}

// Day and text are the number formats of columns, by their numbers in Excel or
// as code.
const textFormatID = 49

var dayFormat = "yyyy-mm-dd"

func newStyles(f *excelize.File) (*styles, error) {
	s := &styles{}
	top := &excelize.Alignment{Vertical: "top"}
	for _, style := range []struct {
		id    *int
		style excelize.Style
	}{
		{&s.header, excelize.Style{
			Font: &excelize.Font{Bold: true}, NumFmt: textFormatID,
			Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDEBF7"}},
			Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
		}},
		{&s.wrong, excelize.Style{
			NumFmt: textFormatID, Alignment: top,
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFC7CE"}},
		}},
		{&s.example, excelize.Style{NumFmt: textFormatID, Font: &excelize.Font{Italic: true, Color: "7F7F7F"}}},
		{&s.wrapped, excelize.Style{NumFmt: textFormatID, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}},
		{&s.forms[textForm], excelize.Style{NumFmt: textFormatID}},
		{&s.forms[codeForm], excelize.Style{NumFmt: textFormatID}},
		{&s.forms[dateForm], excelize.Style{CustomNumFmt: &dayFormat}},
	} {
		id, err := f.NewStyle(&style.style)
		if err != nil {
			return nil, err
		}
		*style.id = id
	}
	return s, nil
}

// cell makes a number or a day of the text of a column of such a form. A number
// with more digits than Excel keeps stays text.
func (s *styles) cell(form form, text string) excelize.Cell {
	cell := excelize.Cell{StyleID: s.forms[form], Value: text}
	switch form {
	case numberForm:
		if v, err := strconv.ParseFloat(text, 64); err == nil && decimal.MatchString(text) && len(strings.Trim(text, "-.0")) <= 15 {
			cell.Value = v
		}
	case dateForm:
		if d, err := time.Parse(time.DateOnly, text); err == nil && d.Year() > 1900 {
			cell.Value = int(d.Sub(excelEpoch).Hours() / 24)
		}
	}
	return cell
}

// frozenHeader keeps the header in view.
var frozenHeader = excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}

// width is how wide a column is, in characters: about what its header or its
// example takes.
func width(c Column) float64 {
	return min(max(10, chars(c.Header)+3, chars(c.Example)+1), 40)
}

// chars is how many characters wide a text is, Chinese ones counting twice.
func chars(text string) float64 {
	wide := 0
	for _, r := range text {
		if wide++; r > 0x2E80 {
			wide++
		}
	}
	return float64(wide)
}

// setProperties sets what a workbook says of itself. The times are fixed, so
// that the same content makes the same bytes.
func setProperties(f *excelize.File) error {
	const when = "2026-01-01T00:00:00Z"
	return f.SetDocProps(&excelize.DocProperties{
		Created: when, Modified: when, Creator: "青服 Qingfu", LastModifiedBy: "青服 Qingfu", Language: "zh-CN",
	})
}

// label is the name of a kind.
func label(kind directory.Kind) string { return labelOf(directory.Kinds, string(kind)) }
