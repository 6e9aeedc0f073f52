package sheets

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// FuzzParse looks for files that make Parse or Check panic, that give rows
// without their bounds, or a listing that is valid and is not read again as it
// was written.
func FuzzParse(f *testing.F) {
	regions := testRegions(f)
	for i, kind := range kinds {
		for file, write := range writers {
			var b bytes.Buffer
			if err := write(&b, kind, all(seeded(f, kind)[:3]), regions); err != nil {
				f.Fatal(err)
			}
			f.Add(b.Bytes(), uint8(i), file == "a.xlsx")
		}
	}
	for kind := range goodRow {
		for _, fault := range faults[kind] {
			f.Add(csvOf(f, headerOf(kind), rowOf(kind, "1", fault)), uint8(3), false)
		}
	}
	f.Add(gb18030(f, []byte("sep=;\n编号;名称;地区\n1;\"甲\n乙\";沙沟乡\n")), uint8(4), false)
	f.Fuzz(func(t *testing.T, data []byte, which uint8, xlsx bool) {
		kind := kinds[int(which)%len(kinds)]
		file := "a.csv"
		if xlsx {
			file = "a.xlsx"
		}
		table, err := Parse(data, file, kind, regions)
		if err != nil {
			wrong(t, err)
			return
		}
		if len(table.Rows) > MaxRows {
			t.Fatalf("%d rows", len(table.Rows))
		}
		last := 0
		for i := range table.Rows {
			row := &table.Rows[i]
			if row.Number <= last {
				t.Fatalf("row %d after row %d", row.Number, last)
			}
			last = row.Number
			row.Check(completeDemo)
			for _, e := range row.Errors {
				if e.Code == "" || !utf8.ValidString(e.Limit+e.Column+e.Pointer) {
					t.Errorf("row %d: error %+v", row.Number, e)
				}
			}
			if len(row.Errors) == 0 && i < 20 {
				var b bytes.Buffer
				if err := WriteCSV(&b, kind, all([]directory.Listing{row.Listing}), regions); err != nil {
					t.Fatal(err)
				}
				again, err := Parse(b.Bytes(), "b.csv", kind, regions)
				if err != nil || len(again.Rows) != 1 || covered(t, again.Rows[0].Listing) != covered(t, row.Listing) {
					t.Errorf("row %d: %v, written as %s", row.Number, err, b.Bytes())
				}
			}
		}
	})
}

// FuzzWorkbook changes the parts of a workbook that say what is in its cells.
func FuzzWorkbook(f *testing.F) {
	regions := testRegions(f)
	kind := directory.DomesticServiceKind
	var b bytes.Buffer
	if err := WriteXLSX(&b, kind, all(seeded(f, kind)[:3]), regions); err != nil {
		f.Fatal(err)
	}
	shared := workbook(f, func(book *excelize.File, style func(any) int) {
		must(f, book.MergeCell("Sheet1", "C2", "C3"), book.SetCellStyle("Sheet1", "A3", "A3", style("[h]:mm")))
	}, []any{"编号", "名称", "地区", "类型"}, []any{1.5, "甲", "城东区", "保姆"}, []any{46344, true, "", "保姆"})
	parts := [3]string{"xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"}
	content := func(archive []byte, name string) string {
		r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		must(f, err)
		part, err := r.Open(name)
		if err != nil {
			return "" // a book that was streamed has no shared strings
		}
		text, err := io.ReadAll(part)
		must(f, err)
		return string(text)
	}
	for _, data := range [][]byte{b.Bytes(), shared} {
		f.Add(content(data, parts[0]), content(data, parts[1]), content(data, parts[2]))
	}
	f.Fuzz(func(t *testing.T, sheet, styles, strings string) {
		var changed bytes.Buffer
		w := zip.NewWriter(&changed)
		r, err := zip.NewReader(bytes.NewReader(shared), int64(len(shared)))
		must(t, err)
		for _, part := range r.File {
			if !slices.Contains(parts[:], part.Name) {
				must(t, w.Copy(part))
			}
		}
		for i, text := range []string{sheet, styles, strings} {
			part, err := w.Create(parts[i])
			must(t, err)
			_, err = io.WriteString(part, text)
			must(t, err)
		}
		must(t, w.Close())
		table, err := Parse(changed.Bytes(), "a.xlsx", kind, regions)
		if err != nil {
			wrong(t, err)
			return
		}
		for i := range table.Rows {
			table.Rows[i].Check(completeDemo)
		}
		must(t, table.WriteResult(io.Discard, CSV, outcome, message))
	})
}
