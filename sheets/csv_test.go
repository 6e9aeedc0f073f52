package sheets

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"qingfu/directory"
)

// encodings write text as programs do.
var encodings = map[string]func(t *testing.T, text string) []byte{
	"UTF-8":          func(_ *testing.T, s string) []byte { return []byte(s) },
	"UTF-8 with BOM": func(_ *testing.T, s string) []byte { return []byte(byteOrderMark + s) },
	"GB18030":        func(t *testing.T, s string) []byte { return gb18030(t, []byte(s)) },
	"UTF-16LE":       func(_ *testing.T, s string) []byte { return utf16Of(binary.LittleEndian, s) },
	"UTF-16BE":       func(_ *testing.T, s string) []byte { return utf16Of(binary.BigEndian, s) },
}

func utf16Of(order binary.AppendByteOrder, s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(byteOrderMark + s)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

func TestEncodingsAndDelimiters(t *testing.T) {
	for name, encode := range encodings {
		for _, delimiter := range []string{",", ";", "\t"} {
			for _, end := range []string{"\n", "\r\n", "\r"} {
				t.Run(fmt.Sprintf("%s %q %q", name, delimiter, end), func(t *testing.T) {
					lines := []string{
						strings.Join([]string{"编号", "名称", "藏文名称", "地区", "简介"}, delimiter),
						strings.Join([]string{"1", "互助家政", "ཁྱིམ་ལས", "城东区", `"一,二;三	四""五"""`}, delimiter),
						"",
						strings.Join([]string{"2", "𠮷祥", "", "城中区", ""}, delimiter), // U+20BB7, four bytes in GB18030 too
						"",
					}
					table, err := Parse(encode(t, strings.Join(lines, end)), "a.csv", directory.StreetKind, testRegions(t))
					if err != nil {
						t.Fatal(err)
					}
					if len(table.Rows) != 2 || table.Format != CSV {
						t.Fatalf("%d rows, format %s", len(table.Rows), table.Format)
					}
					first, second := table.Rows[0], table.Rows[1]
					if l := first.Listing; first.Number != 2 || l.Names.Zh != "互助家政" || l.Names.Bo != "ཁྱིམ་ལས" || l.Region != "630102" || l.Summary != "一,二;三	四\"五\"" {
						t.Errorf("row %d: %+v", first.Number, l)
					}
					if l := second.Listing; second.Number != 4 || l.Names.Zh != "𠮷祥" || l.Region != "630103" || l.Summary != "" {
						t.Errorf("row %d: %+v", second.Number, l)
					}
				})
			}
		}
	}
}

func TestRowNumbersAreThoseOfExcel(t *testing.T) {
	for _, first := range []string{"", "sep=;\r\n"} {
		text := first + "\r\n街道导入表;;\r\n\r\n编号;名称;地区;详细介绍\r\n1;甲;城东区;\"一\r\n二\r\n\r\n三\"\r\n;;;\r\n\r\n2;乙;城东区;\"\n\"\n3;丙;城东区;\n"
		table, err := Parse([]byte(text), "a.csv", directory.StreetKind, testRegions(t))
		if err != nil {
			t.Fatal(err)
		}
		shift := strings.Count(first, "\n")
		var got []int
		for _, row := range table.Rows {
			got = append(got, row.Number-shift)
		}
		if want := []int{5, 8, 9}; !slices.Equal(got, want) {
			t.Errorf("%q: rows %v, want %v", first, got, want)
		}
		if got := table.Rows[0].Listing.Description; got != "一\n二\n\n三" {
			t.Errorf("description %q", got)
		}
	}
}

func TestFilesThatAreNoTable(t *testing.T) {
	good := "编号,名称,地区\n1,甲,城东区\n"
	tests := []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"empty", "a.csv", nil, "/编号 required; /名称 required; /地区 required"},
		{"blank lines", "a.csv", []byte("\n\n,,\n"), "/编号 required; /名称 required; /地区 required"},
		{"no encoding", "a.csv", []byte("\xff\xff\x80abc"), " bad_format (UTF-8、GB18030)"},
		{"cut GB18030", "a.csv", append(gb18030(t, []byte(good)), 0xb1), " bad_format (UTF-8、GB18030)"},
		{"cut UTF-16", "a.csv", utf16Of(binary.LittleEndian, good)[:11], " bad_format (UTF-8、GB18030)"},
		{"bytes", "a.csv", []byte("编号,名称\x00,地区\n"), " bad_format (XLSX、CSV)"},
		{"bare quote", "a.csv", []byte(good + "2,乙\"丙\"丁,城东区\n"), `/3 bad_format ("a ""quoted"" cell")`},
		{"open quote", "a.csv", []byte(good + "2,\"乙,城东区\n3,丙,城东区\n"), `/3 bad_format ("a ""quoted"" cell")`},
		{"old Excel", "a.xls", slices.Concat(oleHeader, make([]byte, 1000)), " bad_format (XLSX（不加密码）、CSV)"},
		{"named so", "a.xlsx", []byte(good), " bad_format (XLSX（不加密码）、CSV)"},
		{"cut zip", "a.xlsx", []byte("PK\x03\x04abc"), " bad_format (XLSX)"},
		{"too large", "a.csv", make([]byte, MaxBytes+1), " too_large (32 MiB)"},
		{"too many columns", "a.csv", []byte(good + strings.Repeat("x,", maxColumns) + "\n"), "/3 too_long (256)"},
		{"a letter", "a.csv", []byte("尊敬的各位：\n请看附件。\n"), "/尊敬的各位： unknown_field; /编号 required; /名称 required; /地区 required"},
	}
	for _, tt := range tests {
		if _, err := Parse(tt.data, tt.file, directory.StreetKind, testRegions(t)); err == nil {
			t.Errorf("%s: no error", tt.name)
		} else if got := wrong(t, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if _, err := Parse([]byte(good), "a.csv", "shop", testRegions(t)); err == nil {
		t.Error("a kind that is none has a table")
	}
	if _, err := Parse([]byte(good), "a.csv", "", testRegions(t)); err == nil {
		t.Error("no kind has a table")
	}
}

func TestHeaders(t *testing.T) {
	read := func(header string) error {
		_, err := Parse([]byte(header+"\n"), "a.csv", directory.DomesticServiceKind, testRegions(t))
		return err
	}
	for _, header := range []string{
		"编号,名称,地区,类型",
		"类型,地区,名称,编号,有保险,简介",
		"external_id,name,region,categories,insured",
		"External ID,NAME,Region,categories, workers_with_credit ",
		"编号*,名称 *,＊地区,类型,有信用记录人数",
		"编号,名称,地区,类型,状态,系统编号,结果,问题,类别", // exports and results
		"编号,名称,地区,类型,,",
	} {
		if err := read(header); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	for header, want := range map[string]string{
		"编号,名称,地区,类型,地址2,微信":                     "/地址2 unknown_field; /微信 unknown_field",
		"编号,名称,类型,a/b~c":                         "/a~1b~0c unknown_field; /地区 required",
		"编号,名称,地区,external_id":                   "/external_id duplicate; /类型 required",
		"名称,名称,简介":                               "/名称 duplicate; /编号 required; /地区 required; /类型 required",
		"编号,名称,地区,类型,总床位":                        "/总床位 unknown_field", // another kind's
		"编号,名称,地区,类型," + strings.Repeat("长", 90): "/" + strings.Repeat("长", 80) + "… unknown_field",
	} {
		if err := read(header); err == nil {
			t.Errorf("%s: no error", header)
		} else if got := wrong(t, err); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", header, got, want)
		}
	}
}

func TestColumnsInAnyOrder(t *testing.T) {
	text := "有保险,经度,编号,name,坐标系,region,纬度,类型\n是,101.80614,7,甲,GCJ-02,城东区,36.60336,居家保洁\n"
	table, err := Parse([]byte(text), "", directory.DomesticServiceKind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	l := table.Rows[0].Listing
	want := directory.FromGCJ02(directory.Point{Lat: 36.60336, Lon: 101.80614})
	if l.Location == nil || directory.Distance(*l.Location, want) > 0.02 || directory.Distance(*l.Location, directory.Point{Lat: 36.60336, Lon: 101.80614}) < 100 {
		t.Errorf("location %+v, want %+v", l.Location, want)
	}
	if l.ExternalID != "7" || l.Names.Zh != "甲" || !l.DomesticService.Insured || !slices.Equal(l.Categories, []string{"cleaning"}) {
		t.Errorf("got %+v", l)
	}
}

func TestRowLimit(t *testing.T) {
	var b strings.Builder
	b.WriteString("编号,名称,地区\n")
	for i := range MaxRows {
		fmt.Fprintf(&b, "%d,甲,城东区\n\n", i)
	}
	table, err := Parse([]byte(b.String()), "a.csv", directory.StreetKind, testRegions(t))
	if err != nil || len(table.Rows) != MaxRows {
		t.Fatalf("%v", err)
	}
	b.WriteString("x,甲,城东区\n")
	_, err = Parse([]byte(b.String()), "a.csv", directory.StreetKind, testRegions(t))
	if err == nil {
		t.Fatal("a row too many is read")
	}
	if got, want := wrong(t, err), fmt.Sprintf("/%d too_long (%d)", 2*MaxRows+2, MaxRows); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b.WriteString(strings.Repeat("x,甲,城东区\n", 100))
	if _, err = Parse([]byte(b.String()), "a.csv", directory.StreetKind, testRegions(t)); err == nil {
		t.Error("a hundred rows too many are read")
	}
}
