package sheets

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// The other sheets of a template.
const (
	notesSheet   = "说明"
	regionsSheet = "地区"
	choicesSheet = "选项" // hidden; what drop-down lists offer
)

// lastRow is the last row of a template that has drop-down lists: the header,
// the example and as many rows as an import may have.
const lastRow = MaxRows + 2

// Template returns a workbook to fill in with listings of a kind: a sheet with
// the header, an example and drop-down lists, one that explains the columns, and
// one with the regions down to townships. It is the same in every call.
func Template(kind directory.Kind, regions *directory.Regions) ([]byte, error) {
	var columns []Column
	for _, c := range Columns(kind) {
		if !c.Output && kind != "" {
			columns = append(columns, c)
		}
	}
	if columns == nil {
		return nil, fmt.Errorf("sheets: there is no kind %q", kind)
	}
	f := excelize.NewFile()
	defer f.Close()
	t := &template{file: f, kind: kind, columns: columns, sheet: label(kind)}
	for _, step := range []func() error{t.begin, t.table, t.notes, func() error { return t.regions(regions) }, t.choices, t.finish} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	_, err := f.WriteTo(&out)
	return out.Bytes(), err
}

type template struct {
	file       *excelize.File
	kind       directory.Kind
	columns    []Column
	sheet      string
	styles     *styles
	regionRows int // of the sheet of regions, with its header
}

func (t *template) begin() (err error) {
	if t.styles, err = newStyles(t.file); err != nil {
		return err
	}
	if err := t.file.SetSheetName("Sheet1", t.sheet); err != nil {
		return err
	}
	for _, sheet := range []string{notesSheet, regionsSheet, choicesSheet} {
		if _, err := t.file.NewSheet(sheet); err != nil {
			return err
		}
	}
	return setProperties(t.file)
}

// table makes the sheet to fill in.
func (t *template) table() error {
	header := make([]any, len(t.columns))
	for i, c := range t.columns {
		name, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if err := t.file.SetColWidth(t.sheet, name, name, width(c)); err != nil {
			return err
		}
		if err := t.file.SetColStyle(t.sheet, name, t.styles.forms[c.form]); err != nil {
			return err
		}
		header[i] = c.Header
		if c.Required {
			header[i] = c.Header + "*"
		}
		cell := t.styles.cell(c.form, c.Example)
		if err := t.file.SetCellValue(t.sheet, name+"2", cell.Value); err != nil {
			return err
		}
		style := t.styles.example
		if c.form == numberForm || c.form == dateForm {
			style = cell.StyleID
		}
		if err := t.file.SetCellStyle(t.sheet, name+"2", name+"2", style); err != nil {
			return err
		}
	}
	return t.header(t.sheet, header)
}

// header writes the first row of a sheet, which stays in view.
func (t *template) header(sheet string, cells []any) error {
	if err := t.file.SetSheetRow(sheet, "A1", &cells); err != nil {
		return err
	}
	last := cellName(len(cells)-1, 1)
	if err := t.file.SetCellStyle(sheet, "A1", last, t.styles.header); err != nil {
		return err
	}
	if err := t.file.SetPanes(sheet, &frozenHeader); err != nil || sheet == t.sheet {
		return err
	}
	// What is read fits the width of a page.
	fit, whole, lengthwise := true, 0, "landscape"
	return errors.Join(
		t.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}),
		t.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Orientation: &lengthwise, FitToHeight: &whole}),
	)
}

// choices makes the drop-down lists. Every cell also shows the column's note.
func (t *template) choices() error {
	lists := 0
	for i, c := range t.columns {
		name, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		v := excelize.NewDataValidation(true)
		v.SetSqref(fmt.Sprintf("%s2:%s%d", name, name, lastRow))
		switch {
		case c.English == "region":
			// Communities and codes are welcome too.
			v.SetSqrefDropList(fmt.Sprintf("%s!$C$2:$C$%d", regionsSheet, t.regionRows))
			v.ShowErrorMessage = false
		case c.Terms != nil && !c.Many:
			lists++
			list, err := excelize.ColumnNumberToName(lists)
			if err != nil {
				return err
			}
			for row, term := range c.Terms {
				if err := t.file.SetCellValue(choicesSheet, list+strconv.Itoa(row+1), term.Names.Zh); err != nil {
					return err
				}
			}
			v.SetSqrefDropList(fmt.Sprintf("%s!$%s$1:$%s$%d", choicesSheet, list, list, len(c.Terms)))
			v.SetError(excelize.DataValidationErrorStyleStop, c.Header, "请从列表中选择。")
		}
		v.SetInput(c.Header, shortNote(c))
		if err := t.file.AddDataValidation(t.sheet, v); err != nil {
			return err
		}
	}
	return nil
}

// shortNote is what fits beside a cell: Excel shows 255 characters.
func shortNote(c Column) string {
	note := []rune(c.Note)
	if c.Required {
		note = []rune("必填。" + c.Note)
	}
	if len(note) > 250 {
		note = append(note[:249], '…')
	}
	if len(note) == 0 {
		return "见“" + notesSheet + "”。"
	}
	return string(note)
}

// notes makes the sheet that explains.
func (t *template) notes() error {
	if err := t.header(notesSheet, []any{"列", "必填", "填写要求", "可填的值", "示例", "英文列名"}); err != nil {
		return err
	}
	rows := [][]any{}
	for _, c := range t.columns {
		required := ""
		if c.Required {
			required = "是"
		}
		values := labels(c.Terms)
		if c.Terms == nil {
			values = ""
		}
		note := c.Note
		if c.Many {
			note += "多项之间用；分开。"
		}
		rows = append(rows, []any{c.Header, required, note, values, c.Example, c.English})
	}
	rows = append(rows,
		[]any{},
		[]any{"通则", "", "在“" + t.sheet + "”表中每行填一个条目，最多 " + strconv.Itoa(MaxRows) + " 行。带 * 的列必填，其他列可以不填，也可以整列删去；列的顺序不限，但不能增加别的列。"},
		[]any{"", "", "第 2 行是示例：不改动则导入时跳过，也可以删去或直接改写。名称中带“示例”的条目是演示数据。"},
		[]any{"", "", "再次导入时，按编号更新：空着的格子会清空原来的内容，表中没有的列保持不变。"},
		[]any{"", "", `内容本身含有；或 | 时，请在前面加 \ ，如：甲\；乙。`},
		[]any{"", "", "以 = + - @ 开头的内容，导出时前面会加一个 '，导入时自动去掉。"},
		[]any{"", "", "也可以另存为 CSV（UTF-8 或 GB18030，用逗号、分号或制表符分隔）导入；编号有前导零时请用 XLSX，以免 Excel 去掉零。"},
	)
	widths := []float64{18, 6, 60, 50, 40, 20}
	for i, row := range rows {
		at := strconv.Itoa(i + 2)
		if err := t.file.SetRowHeight(notesSheet, i+2, height(row, widths)); err != nil {
			return err
		}
		if err := t.file.SetSheetRow(notesSheet, "A"+at, &row); err != nil {
			return err
		}
		if err := t.file.SetCellStyle(notesSheet, "A"+at, "F"+at, t.styles.wrapped); err != nil {
			return err
		}
	}
	for i, wide := range widths {
		name := strings.Split(cellName(i, 1), "1")[0]
		if err := t.file.SetColWidth(notesSheet, name, name, wide); err != nil {
			return err
		}
	}
	return nil
}

// height is how high a row has to be for its texts, which not every program
// finds out by itself.
func height(row []any, widths []float64) float64 {
	lines := 1.0
	for i, value := range row {
		text, _ := value.(string)
		lines = max(lines, math.Ceil(chars(text)/(widths[i]-2)))
	}
	return 15 * lines
}

// regions makes the sheet of regions.
func (t *template) regions(regions *directory.Regions) error {
	if err := t.header(regionsSheet, []any{"代码", "级别", "名称"}); err != nil {
		return err
	}
	places := newPlaces(regions)
	t.regionRows = 1
	for _, reg := range regions.All() {
		if reg.Level > directory.Township {
			continue
		}
		t.regionRows++
		row := []any{reg.Code, reg.Type, places.path(reg.Code)}
		if err := t.file.SetSheetRow(regionsSheet, "A"+strconv.Itoa(t.regionRows), &row); err != nil {
			return err
		}
	}
	if err := t.file.SetCellStyle(regionsSheet, "A2", "C"+strconv.Itoa(t.regionRows), t.styles.forms[codeForm]); err != nil {
		return err
	}
	for name, wide := range map[string]float64{"A": 14, "B": 14, "C": 50} {
		if err := t.file.SetColWidth(regionsSheet, name, name, wide); err != nil {
			return err
		}
	}
	return nil
}

func (t *template) finish() error {
	if err := t.file.SetSheetVisible(choicesSheet, false); err != nil {
		return err
	}
	t.file.SetActiveSheet(0)
	return nil
}
