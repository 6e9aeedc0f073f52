package sheets

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// workbook makes an XLSX of one sheet as somebody's Excel would; set changes it.
func workbook(t testing.TB, set func(f *excelize.File, style func(format any) int), rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if set != nil {
		set(f, func(format any) int {
			style := &excelize.Style{}
			switch format := format.(type) {
			case int:
				style.NumFmt = format
			case string:
				style.CustomNumFmt = &format
			}
			id, err := f.NewStyle(style)
			if err != nil {
				t.Fatal(err)
			}
			return id
		})
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBook(t testing.TB, data []byte, kind directory.Kind) *Table {
	t.Helper()
	table, err := Parse(data, "a.xlsx", kind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	if table.Format != XLSX {
		t.Errorf("the format is %s", table.Format)
	}
	return table
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What people type is kept by Excel as numbers, in whatever format.
func TestNumbersAsExcelKeepsThem(t *testing.T) {
	header := []any{"编号", "名称", "地区", "电话", "总床位", "纬度", "经度", "类型"}
	row := []any{1001, "甲", 630102001, 9711234567, 120, 36.61, 101.79, "养老院"}
	want := func(table *Table) {
		t.Helper()
		r := &table.Rows[0]
		if r.Check(complete); len(r.Errors) > 0 {
			t.Errorf("errors: %s", problemsOf(r))
		}
		l := r.Listing
		if l.ExternalID != "1001" || l.Region != "630102001" || l.Phone != "9711234567" || *l.ElderCare.BedsTotal != 120 || *l.Location != (directory.Point{Lat: 36.61, Lon: 101.79}) {
			t.Errorf("got %+v, %+v, %+v", l, l.ElderCare, l.Location)
		}
	}
	want(readBook(t, workbook(t, nil, header, row), directory.ElderCareKind))
	for _, format := range []any{1, 2, 3, 4, 11, 37, 48, 49, `#,##0.00_);[Red]\(#,##0.00\)`, `0"张"`, `[$-804]General`, `"¥"#,##0`} {
		want(readBook(t, workbook(t, func(f *excelize.File, style func(any) int) {
			must(t, f.SetCellStyle("Sheet1", "A2", "G2", style(format)))
		}, header, row), directory.ElderCareKind))
	}
	// As other programs write the same numbers.
	want(readBook(t, workbook(t, func(f *excelize.File, _ func(any) int) {
		must(t, f.SetCellDefault("Sheet1", "D2", "9.711234567E9"), f.SetCellDefault("Sheet1", "F2", "36.609999999999999"), f.SetCellDefault("Sheet1", "E2", "120.0"))
	}, header, row), directory.ElderCareKind))
	// With the texts of formulas, and without.
	data := workbook(t, func(f *excelize.File, _ func(any) int) {
		must(t, f.SetCellFormula("Sheet1", "E2", "100+20"), f.SetCellFormula("Sheet1", "B2", `"甲"&""`))
	}, header, row)
	want(readBook(t, replaceInPart(t, data, "xl/worksheets/sheet1.xml", `<f>100+20</f>`, `<f>100+20</f><v>120</v>`, `<f>&#34;甲&#34;&amp;&#34;&#34;</f>`, `<f>T(1)</f><v>甲</v>`), directory.ElderCareKind))
}

// replaceInPart changes a part of an XLSX.
func replaceInPart(t testing.TB, data []byte, name string, oldNew ...string) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	found := false
	for _, part := range archive.File {
		r, err := part.Open()
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		if part.Name == name {
			found = true
			changed := strings.NewReplacer(oldNew...).Replace(string(content))
			if changed == string(content) {
				t.Fatalf("nothing to replace in %s", content)
			}
			content = []byte(changed)
		}
		out, err := w.Create(part.Name)
		must(t, err)
		_, err = out.Write(content)
		must(t, err)
	}
	must(t, w.Close())
	if !found {
		t.Fatalf("there is no part %s", name)
	}
	return b.Bytes()
}

func TestWhatExcelMakesOfTexts(t *testing.T) {
	header := []any{"编号", "名称", "地区", "类型", "信用核查日期", "简介", "服务人员数", "有保险", "开放时间"}
	day := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, cell string
		value      any
		format     any
		want       string // the errors
	}{
		{"a day", "E2", day, 14, ""},
		{"a day in Chinese", "E2", day, `yyyy"年"m"月"d"日";@`, ""},
		{"a day as 31", "E2", day, 31, ""},
		{"a day and a time", "E2", day.Add(9 * time.Hour), `yyyy/m/d h:mm`, ""},
		{"a day without its format", "E2", 46344, 0, ""},
		{"a day typed as text", "E2", "2026年11月18日", 49, ""},
		{"an id that became a day", "A2", day, `m"月"d"日"`, "编号 A2 /external_id bad_format (示例-001（请先把单元格设为“文本”格式再填写）)"},
		{"an id that lost its digits", "A2", 123456789012345678, 0, "编号 A2 /external_id bad_format (示例-001（请先把单元格设为“文本”格式再填写）)"},
		{"a name that became a day", "B2", day, 17, "名称 B2 /names/zh bad_format (示例·城东安心家政服务中心（请先把单元格设为“文本”格式再填写）)"},
		{"a percentage as text", "F2", 0.5, 9, ""},
		{"a percentage as a number", "G2", 0.5, "0.0%", "服务人员数 G2 /domestic_service/workers bad_format (36)"},
		{"a day as a number", "G2", day, 14, "服务人员数 G2 /domestic_service/workers bad_format (36)"},
		{"yes", "H2", true, 0, ""},
		{"a time of day", "I2", 0.354166666666667, 20, "开放时间 I2 /hours bad_format (" + hoursForm + ")"},
	}
	for _, tt := range tests {
		data := workbook(t, func(f *excelize.File, style func(any) int) {
			must(t, f.SetCellValue("Sheet1", tt.cell, tt.value), f.SetCellStyle("Sheet1", tt.cell, tt.cell, style(tt.format)))
		}, header, []any{"a", "甲", "城东区", "居家保洁", "2026-11-18", "", "", "是"})
		row := &readBook(t, data, directory.DomesticServiceKind).Rows[0]
		row.Check(complete)
		if got := problemsOf(row); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if d := row.Listing.DomesticService; d.CreditCheckedAt != "2026-11-18" || !d.Insured {
			t.Errorf("%s: got %+v", tt.name, d)
		}
		if tt.cell == "F2" && row.Listing.Summary != "50%" {
			t.Errorf("%s: got %q", tt.name, row.Listing.Summary)
		}
	}
	// Old Macs count days from 1904.
	data := workbook(t, func(f *excelize.File, style func(any) int) {
		yes := true
		must(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}), f.SetCellValue("Sheet1", "E2", 46344-1462), f.SetCellStyle("Sheet1", "E2", "E2", style(14)))
	}, header, []any{"a", "甲", "城东区", "居家保洁"})
	if got := readBook(t, data, directory.DomesticServiceKind).Rows[0].Listing.DomesticService; got == nil || got.CreditCheckedAt != "2026-11-18" {
		t.Errorf("1904: got %+v", got)
	}
}

func TestMergedCells(t *testing.T) {
	data := workbook(t, func(f *excelize.File, _ func(any) int) {
		must(t, f.MergeCell("Sheet1", "A1", "D1"), f.MergeCell("Sheet1", "C3", "C5"), f.MergeCell("Sheet1", "A6", "D6"), f.MergeCell("Sheet1", "D7", "D9"))
	},
		[]any{"西宁市步行街导入表"},
		[]any{"编号", "名称", "地区", "简介"},
		[]any{"1", "甲", "城东区", "一"},
		[]any{"2", "乙", "", "二"},
		[]any{"3", "丙", ""},
		[]any{"以下为城中区"},
		[]any{"4", "丁", "城中区", "四"},
		[]any{"", "", "", ""},
		[]any{"5", "戊", "城中区"},
	)
	table := readBook(t, data, directory.StreetKind)
	var got []string
	for _, row := range table.Rows {
		got = append(got, fmt.Sprintf("%d %s %s %s %d", row.Number, row.Listing.ExternalID, row.Listing.Region, row.Listing.Summary, len(row.Errors)))
	}
	want := "3 1 630102 一 0;4 2 630102 二 0;5 3 630102  0;6 以下为城中区   2;7 4 630103 四 0;9 5 630103 四 0"
	if got := strings.Join(got, ";"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestChoosingTheSheet(t *testing.T) {
	good := func(id string) [][]any { return [][]any{{"编号", "名称", "地区"}, {id, "甲", "城东区"}} }
	tests := []struct {
		name   string
		sheets []string // with - before hidden ones
		want   string
	}{
		{"the only one", []string{"Sheet1"}, "Sheet1"},
		{"the first", []string{"一", "二"}, "一"},
		{"the first visible", []string{"-一", "二", "三"}, "二"},
		{"that of the kind", []string{"说明", "步行街", "地区"}, "步行街"},
		{"but not a hidden one", []string{"说明", "-步行街"}, "说明"},
	}
	for _, tt := range tests {
		data := workbook(t, func(f *excelize.File, _ func(any) int) {
			for i, name := range tt.sheets {
				visible := strings.TrimPrefix(name, "-")
				if i == 0 {
					must(t, f.SetSheetName("Sheet1", visible))
				} else if _, err := f.NewSheet(visible); err != nil {
					t.Fatal(err)
				}
				for n, row := range good(visible) {
					must(t, f.SetSheetRow(visible, fmt.Sprintf("A%d", n+1), &row))
				}
			}
			for i, name := range tt.sheets {
				if visible, hidden := strings.CutPrefix(name, "-"); hidden {
					f.SetActiveSheet((i + 1) % len(tt.sheets))
					must(t, f.SetSheetVisible(visible, false))
				}
			}
		})
		table := readBook(t, data, directory.StreetKind)
		if len(table.Rows) != 1 || table.Rows[0].Listing.ExternalID != tt.want {
			t.Errorf("%s: got %+v", tt.name, table.Rows)
		}
	}
}

// Rows that are only formatted are no rows, down to the last one of a sheet.
func TestEmptyRowsAtTheEnd(t *testing.T) {
	data := workbook(t, func(f *excelize.File, style func(any) int) {
		must(t, f.SetCellValue("Sheet1", "B5", "  "), f.SetCellStyle("Sheet1", "C6", "C6", style(14)))
	}, []any{"编号", "名称", "地区"}, []any{}, []any{"1", "甲", "城东区"})
	data = replaceInPart(t, data, "xl/worksheets/sheet1.xml", "</sheetData>", `<row r="20000"><c r="C20000" s="1"/></row><row r="1048576"><c r="C1048576" s="1"/></row></sheetData>`)
	table := readBook(t, data, directory.StreetKind)
	if len(table.Rows) != 1 || table.Rows[0].Number != 3 {
		t.Errorf("got %+v", table.Rows)
	}
}

func TestHostileWorkbooks(t *testing.T) {
	good := workbook(t, nil, []any{"编号", "名称", "地区"}, []any{"1", "甲", "城东区"})
	sheet, strs := "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
	// bomb says that a part is larger than it is, which is believed.
	bomb := func(name string, size uint64) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		_, err := w.CreateRaw(&zip.FileHeader{Name: name, UncompressedSize64: size})
		must(t, err, w.Close())
		return b.Bytes()
	}
	// liar says that a part is smaller than it is.
	liar := func(name string, size int) []byte {
		var packed, b bytes.Buffer
		deflate, err := flate.NewWriter(&packed, flate.BestCompression)
		must(t, err)
		_, err = deflate.Write(make([]byte, size))
		must(t, err, deflate.Close())
		w := zip.NewWriter(&b)
		part, err := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, UncompressedSize64: 1000, CompressedSize64: uint64(packed.Len())})
		must(t, err)
		_, err = part.Write(packed.Bytes())
		must(t, err, w.Close())
		return b.Bytes()
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"a part larger than it says", liar(sheet, 8<<20), " bad_format (XLSX)"},
		{"a small part larger than it says", liar("xl/workbook.xml", 8<<20), " bad_format (XLSX)"},
		{"many sheets in a part that breaks off", brokenOff(t, replaceInPart(t, good, "xl/workbook.xml", "</sheets>", strings.Repeat("<sheet/>", maxParts)+"</sheets>")), " too_large (128 MiB)"},
		{"unpacks to too much", bomb(sheet, maxUnpacked+1), " too_large (128 MiB)"},
		{"more than there are bytes", bomb(sheet, math.MaxUint64), " too_large (128 MiB)"},
		{"long texts", bomb(strs, maxStrings+1), " too_large (128 MiB)"},
		{"a large part", bomb("xl/styles.xml", maxPart+1), " too_large (128 MiB)"},
		{"many sheets", replaceInPart(t, good, "xl/workbook.xml", "</sheets>", strings.Repeat("<sheet/>", maxParts)+"</sheets>"), " too_large (128 MiB)"},
		{"many links", replaceInPart(t, good, "xl/_rels/workbook.xml.rels", "</Relationships>", strings.Repeat("<Relationship/>", maxParts)+"</Relationships>"), " too_large (128 MiB)"},
		{"many texts", replaceInPart(t, good, strs, "</sst>", strings.Repeat("<si/>", maxTexts)+"</sst>"), " too_large (128 MiB)"},
		{"a row far down", replaceInPart(t, good, sheet, `<row r="2">`, `<row r="2147483647">`), " bad_format (XLSX)"},
		{"a text that is none", replaceInPart(t, good, sheet, `<c r="A2" t="s"><v>3</v>`, `<c r="A2" t="s"><v>-1</v>`), "row: 编号 A2 /external_id required"},
		{"wide rows", replaceInPart(t, good, sheet, `r="C2"`, `r="XFD2"`), "/2 too_long (256)"},
		{"no cell", replaceInPart(t, good, sheet, `r="C2"`, `r="甲"`), " bad_format (XLSX)"},
		{"many rows", replaceInPart(t, good, sheet, `</sheetData>`, strings.Repeat(`<row><c t="s"><v>1</v></c></row>`, MaxRows+headerWithin)+`</sheetData>`), fmt.Sprintf("/%d too_long (%d)", MaxRows+headerWithin+2, MaxRows)},
		{"much merged", replaceInPart(t, good, sheet, `</sheetData>`, strings.Repeat(`<row><c t="s"><v>1</v></c></row>`, 1000)+`</sheetData><mergeCells>`+strings.Repeat(`<mergeCell ref="B2:B1048576"/>`, 1001)+`</mergeCells>`), " too_large"},
		{"no sheets", replaceInPart(t, good, "xl/workbook.xml", "<sheets>", "<sheet>", "</sheets>", "</sheet>"), " bad_format (XLSX)"},
		{"a document", bomb("word/document.xml", 1000), " bad_format (XLSX)"},
	}
	for _, tt := range tests {
		start := time.Now()
		table, err := Parse(tt.data, "a.xlsx", directory.StreetKind, testRegions(t))
		got := ""
		if err != nil {
			got = wrong(t, err)
		} else {
			got = "row: " + problemsOf(&table.Rows[0])
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", tt.name, got, tt.want, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", tt.name, took)
		}
	}
}

// brokenOff spoils the checksums of an XLSX.
func brokenOff(t testing.TB, data []byte) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, part := range archive.File {
		header := part.FileHeader
		header.CRC32++
		header.Flags &^= 8 // the checksum stands in the header alone
		out, err := w.CreateRaw(&header)
		must(t, err)
		in, err := part.OpenRaw()
		must(t, err)
		_, err = io.Copy(out, in)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func TestShapesOfFormats(t *testing.T) {
	for code, want := range map[string]shape{
		"General": plainNumber, "0.00E+00": plainNumber, `#,##0"元"`: plainNumber, "[Red]0;[Blue]-0": plainNumber, "@": plainNumber, `0"day"`: plainNumber, "[$-804]0": plainNumber,
		"yyyy-mm-dd": dayNumber, "[$-804]yyyy\"年\"m\"月\";@": dayNumber, "m/d": dayNumber, "mmm": dayNumber, "[$-804]aaaa": dayNumber,
		"yyyy/m/d h:mm": momentNumber, "h:mm:ss": timeNumber, "[h]:mm": timeNumber, "上午/下午h\"时\"": timeNumber, "h:mm AM/PM": timeNumber,
		"0%": wholePercent, "0.0%": percent, `0\%`: plainNumber,
	} {
		if got := shapeOf(164, code); got != want {
			t.Errorf("%s: got %d, want %d", code, got, want)
		}
	}
}
