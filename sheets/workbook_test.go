package sheets

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func TestWriteWorkbook(t *testing.T) {
	tables := []Sheet{
		{Name: "概况", Columns: []SheetColumn{{Header: "项目"}, {Header: "内容", Width: 60}}, Rows: [][]any{{"标题", "=1+1"}}},
		{Name: "数据", Columns: []SheetColumn{{Header: "项目"}, {Header: "数", Format: CountFormat}, {Header: "率", Format: ShareFormat}, {Header: "差", Format: PointsFormat}, {Header: "均值", Format: MeanFormat}},
			Rows: [][]any{{"甲", 12345.0, 0.856, -0.0123, 4.5}, {"乙", 0, nil, 0.02, "—"}}},
		{Name: "空", Columns: []SheetColumn{{Header: "项目"}}},
	}
	write := func() []byte {
		t.Helper()
		var out bytes.Buffer
		if err := WriteWorkbook(&out, tables); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	data := write()
	for range 5 {
		if !bytes.Equal(data, write()) {
			t.Fatal("the same sheets make other bytes")
		}
	}
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for sheet, want := range map[string]string{
		"概况": "项目|内容\n标题|'=1+1", "数据": "项目|数|率|差|均值\n甲|12,345|85.6%|-1.2%|4.50\n乙|0||+2.0%|—", "空": "项目",
	} {
		rows, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		lines := make([]string, len(rows))
		for i, row := range rows {
			lines[i] = strings.Join(row, "|")
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s shows\n%s\nwant\n%s", sheet, got, want)
		}
		if panes, err := book.GetPanes(sheet); err != nil || !panes.Freeze {
			t.Errorf("%s: the header does not stay in view (%v)", sheet, err)
		}
	}
	if formula, _ := book.GetCellFormula("概况", "B2"); formula != "" {
		t.Errorf("a text became the formula %q", formula)
	}
	short := []Sheet{{Name: "a", Columns: []SheetColumn{{Header: "x"}, {Header: "y"}}, Rows: [][]any{{"one"}}}}
	if err := WriteWorkbook(&bytes.Buffer{}, short); err == nil {
		t.Error("a row with too few cells is written")
	}
}

func TestWriteValues(t *testing.T) {
	var out bytes.Buffer
	if err := WriteValues(&out, [][]any{{"项目", "值"}, {"=甲", -1.5}, {"乙,丙", 3}, {"丁", nil}, {"-", 0.0001}}); err != nil {
		t.Fatal(err)
	}
	if want := "\ufeff项目,值\r\n'=甲,-1.5\r\n\"乙,丙\",3\r\n丁,\r\n'-,0.0001\r\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
