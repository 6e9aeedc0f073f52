package sheets

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

func openBook(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestTemplates(t *testing.T) {
	for _, kind := range kinds {
		data, err := Template(kind, testRegions(t))
		must(t, err)
		again, err := Template(kind, testRegions(t))
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("%s: two templates differ (%v)", kind, err)
		}
		if table := readBook(t, data, kind); len(table.Rows) != 0 {
			t.Errorf("%s: the example is a row: %+v", kind, table.Rows)
		}
		f := openBook(t, data)
		sheet := label(kind)
		if got := f.GetSheetList(); !slices.Equal(got, []string{sheet, notesSheet, regionsSheet, choicesSheet}) {
			t.Errorf("%s: sheets %v", kind, got)
		}
		if visible, err := f.GetSheetVisible(choicesSheet); visible || err != nil {
			t.Errorf("%s: the lists are visible (%v)", kind, err)
		}
		if panes, err := f.GetPanes(sheet); err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("%s: panes %+v (%v)", kind, panes, err)
		}
		rows, err := f.GetRows(sheet)
		must(t, err)
		regions, err := f.GetRows(regionsSheet)
		must(t, err)
		notes, err := f.GetRows(notesSheet)
		must(t, err)
		validations, err := f.GetDataValidations(sheet)
		must(t, err)
		byColumn := map[string]*excelize.DataValidation{}
		for _, v := range validations {
			byColumn[v.Sqref] = v
		}
		if len(rows) != 2 || len(regions) != 1+1+8+45+405 {
			t.Fatalf("%s: %d rows, %d regions", kind, len(rows), len(regions))
		}
		n := 0
		for _, c := range Columns(kind) {
			if c.Output {
				continue
			}
			name, _ := excelize.ColumnNumberToName(n + 1)
			if got := strings.TrimSuffix(rows[0][n], "*"); got != c.Header || strings.HasSuffix(rows[0][n], "*") != c.Required {
				t.Errorf("%s: header %s of %s", kind, rows[0][n], c.Header)
			}
			if notes[n+1][0] != c.Header || c.Note != "" && !strings.Contains(notes[n+1][2], c.Note) {
				t.Errorf("%s: the note of %s is %q", kind, c.Header, notes[n+1])
			}
			v := byColumn[fmt.Sprintf("%s2:%s%d", name, name, MaxRows+2)]
			switch {
			case v == nil:
				t.Errorf("%s: nothing helps to fill in %s", kind, c.Header)
			case c.English == "region":
				if v.Formula1 != "地区!$C$2:$C$460" || v.ShowErrorMessage {
					t.Errorf("%s: regions to choose from: %s", kind, v.Formula1)
				}
			case c.Terms != nil && !c.Many:
				if got := rangeOf(t, f, v.Formula1); v.Type != "list" || strings.Join(got, "、") != labels(c.Terms) {
					t.Errorf("%s: %s has the list %v", kind, c.Header, got)
				}
			case v.Type == "list":
				t.Errorf("%s: %s has a list", kind, c.Header)
			}
			if c.form == codeForm || c.form == textForm {
				style, err := f.GetColStyle(sheet, name)
				must(t, err)
				if s, err := f.GetStyle(style); err != nil || s.NumFmt != textFormatID {
					t.Errorf("%s: %s is no text: %+v (%v)", kind, c.Header, s, err)
				}
			}
			n++
		}
		if len(rows[0]) != n || len(validations) != n {
			t.Errorf("%s: %d headers and %d validations of %d columns", kind, len(rows[0]), len(validations), n)
		}
		for _, row := range regions[1:] {
			if reg, err := testRegions(t).Get(row[0]); err != nil || reg.Type != row[1] || !strings.HasSuffix(row[2], reg.Names.Zh) {
				t.Errorf("%s: region %q", kind, row)
			}
		}
	}
	for _, kind := range []directory.Kind{"", "shop"} {
		if _, err := Template(kind, testRegions(t)); err == nil {
			t.Errorf("kind %q has a template", kind)
		}
	}
}

// rangeOf returns the texts of a range such as 选项!$A$1:$A$3.
func rangeOf(t *testing.T, f *excelize.File, formula string) []string {
	t.Helper()
	sheet, cells, _ := strings.Cut(strings.ReplaceAll(formula, "$", ""), "!")
	from, to, _ := strings.Cut(cells, ":")
	column, first, err := excelize.CellNameToCoordinates(from)
	must(t, err)
	_, last, err := excelize.CellNameToCoordinates(to)
	must(t, err)
	var out []string
	for row := first; row <= last; row++ {
		text, err := f.GetCellValue(sheet, cellName(column-1, row))
		must(t, err)
		out = append(out, text)
	}
	return out
}

// Somebody fills in the template below the example and leaves it there, or
// writes over it.
func TestFillingInATemplate(t *testing.T) {
	data, err := Template(directory.ElderCareKind, testRegions(t))
	must(t, err)
	f := openBook(t, data)
	sheet := label(directory.ElderCareKind)
	must(t, f.SetSheetRow(sheet, "A3", &[]any{"K-1", "康宁养老院"}), f.SetCellValue(sheet, "J3", "西宁市/城东区"), f.SetCellValue(sheet, "R3", "养老院"), f.SetCellValue(sheet, "O3", 12349))
	var b bytes.Buffer
	must(t, f.Write(&b))
	table := readBook(t, b.Bytes(), directory.ElderCareKind)
	if len(table.Rows) != 1 || table.Rows[0].Number != 3 {
		t.Fatalf("got %+v", table.Rows)
	}
	row := &table.Rows[0]
	if row.Check(complete); len(row.Errors) > 0 || row.Listing.Phone != "12349" {
		t.Errorf("got %s, %+v", problemsOf(row), row.Listing)
	}

	for cell, want := range map[string]int{"B2": 2, "A2": 2, "C2": 1, "P2": 1} { // a changed name or id makes it a row, emptied cells do not
		value := "康宁"
		if want == 1 {
			value = ""
		}
		f := openBook(t, b.Bytes())
		must(t, f.SetCellValue(sheet, cell, value))
		var changed bytes.Buffer
		must(t, f.Write(&changed))
		if got := readBook(t, changed.Bytes(), directory.ElderCareKind); len(got.Rows) != want {
			t.Errorf("%s changed: %d rows, want %d", cell, len(got.Rows), want)
		}
	}
}
