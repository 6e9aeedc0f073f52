package sheets

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

func outcome(row *Row) string {
	if len(row.Errors) > 0 {
		return "有误"
	}
	return "新增"
}

func message(f directory.FieldError) string { return strings.TrimSpace(f.Code + " " + f.Limit) }

func TestResult(t *testing.T) {
	kind := directory.DomesticServiceKind
	source := csvOf(t, []string{"系统编号", "类型*", "编号", "结果", "name", "地区", "电话", "服务人员数", "信用核查日期"},
		[]string{"x", "居家保洁", "001", "旧", "=甲", "城东区", "12345", "36", "2026/11/18"},
		[]string{"", "", "", "", "", "", "", "", ""},
		[]string{"", "按摩", "'-2", "旧", "乙", "天津市", "110", "很多", "", "丁"})
	table, err := Parse(source, "a.csv", kind, testRegions(t))
	must(t, err)
	for i := range table.Rows {
		table.Rows[i].Check(complete)
	}
	want := [][]string{
		{"系统编号", "类型*", "编号", "name", "地区", "电话", "服务人员数", "信用核查日期", "结果", "问题"},
		{"x", "居家保洁", "001", "'=甲", "城东区", "12345", "36", "2026/11/18", "新增", ""},
		{"", "按摩", "'-2", "乙", "天津市", "110", "很多", "", "有误", strings.Join([]string{
			"类型：unknown_value " + labels(categoriesOf(kind)), "地区：unknown_value “地区”表中的代码或名称",
			"电话：bad_format 0971-1234567, 400-123-4567, 12345, 12349, 12315", "服务人员数：bad_format 36", "J4：unknown_field",
		}, "\n")},
	}

	var b bytes.Buffer
	must(t, table.WriteResult(&b, CSV, outcome, message))
	got, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b.Bytes(), []byte(byteOrderMark)))).ReadAll()
	must(t, err)
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("CSV:\ngot  %q\nwant %q", got, want)
	}

	var book bytes.Buffer
	must(t, table.WriteResult(&book, XLSX, outcome, message))
	f := openBook(t, book.Bytes())
	rows, err := f.GetRows(label(kind), excelize.Options{RawCellValue: true})
	must(t, err)
	rows[1] = append(rows[1], "")
	if !slices.EqualFunc(rows, want, slices.Equal[[]string]) {
		t.Errorf("XLSX:\ngot  %q\nwant %q", rows, want)
	}
	marked := ""
	for _, row := range []int{2, 3} {
		for column := range want[0] {
			style, err := f.GetCellStyle(label(kind), cellName(column, row))
			must(t, err)
			if s, err := f.GetStyle(style); err == nil && len(s.Fill.Color) > 0 {
				marked += cellName(column, row) + " "
			}
		}
	}
	if marked != "B3 E3 F3 G3 " {
		t.Errorf("marked are %s", marked)
	}

	// It can be sent again as it is, with the same result.
	for file, data := range map[string][]byte{"a.csv": b.Bytes(), "a.xlsx": book.Bytes()} {
		again, err := Parse(data, file, kind, testRegions(t))
		must(t, err)
		for i := range again.Rows {
			again.Rows[i].Check(complete)
			if got, want := covered(t, again.Rows[i].Listing), covered(t, table.Rows[i].Listing); got != want {
				t.Errorf("%s: got %s\nwant %s", file, got, want)
			}
		}
		// The cell beyond the header has no place in the result.
		first, second := again.Rows[1].Errors, table.Rows[1].Errors
		if fmt.Sprint(len(again.Rows[0].Errors), len(first)) != fmt.Sprint(len(table.Rows[0].Errors), len(second)-1) {
			t.Errorf("%s: errors %v, were %v", file, first, second)
		}
	}
}
