package sheets

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"qingfu/directory"
)

// fault is a way in which a row can be wrong: cells by header, and the errors
// that this makes.
type fault struct {
	cells map[string]string // with ~ for the id of the row
	want  string            // with # for its number
}

// The cells of good rows of two kinds, and what can be wrong with them.
var (
	goodRow = map[directory.Kind]map[string]string{
		directory.DomesticServiceKind: {
			"名称": "安心家政", "别名": "安心；家政", "简介": "上门保洁", "地区": "西宁市城东区", "地址": "某路1号", "纬度": "36.6", "经度": "101.8", "坐标系": "GCJ-02",
			"电话": "0971-1234567", "开放时间": "周一至周五 08:30-18:00", "特殊开放日期": "2027-02-05至2027-02-12 休息（春节）", "类型": "居家保洁；母婴护理",
			"服务与价格": "日常保洁|小时|40-60元|居家保洁", "特点": "上门服务；有保险", "服务区县": "城东区；城中区", "用工方式": "员工制", "服务人员数": "36", "持证人数": "28",
			"有信用记录人数": "30", "信用核查日期": "2026-11-18", "有保险": "是",
		},
		directory.ElderCareKind: {
			"名称": "康宁养老院", "地区": "630102001", "类型": "养老院", "运营方式": "公办公营", "等级": "三级", "总床位": "100", "护理型床位": "60", "已入住床位": "90",
			"日间照料位": "20", "长护险定点": "是", "电话": "12349", "服务与价格": "双人间|月|2800-4200元",
		},
	}
	faults = map[directory.Kind][]fault{
		directory.DomesticServiceKind: {
			{map[string]string{"编号": ""}, "编号 A# /external_id required"},
			{map[string]string{"编号": "1.23457~E+17"}, "编号 A# /external_id bad_format (示例-001（请先把单元格设为“文本”格式再填写）)"},
			{map[string]string{"编号": "~" + strings.Repeat("1", 80)}, "编号 A# /external_id too_long (80)"},
			{map[string]string{"名称": ""}, "名称 B# /names/zh required"},
			{map[string]string{"名称": "示例家政"}, "名称 B# /names/zh mismatch (名称中的“示例”)"},
			{map[string]string{"名称": "甲\n乙", "简介": strings.Repeat("长", 201)}, "名称 B# /names/zh bad_format (UTF-8 without control characters); 简介 D# /summary too_long (200)"},
			{map[string]string{"别名": "甲；乙；甲"}, "别名 C# /aliases/2 duplicate"},
			{map[string]string{"地区": ""}, "地区 E# /region required"},
			{map[string]string{"地区": "北京市"}, "地区 E# /region unknown_value (“地区”表中的代码或名称)"},
			{map[string]string{"地区": "沙沟乡"}, "地区 E# /region ambiguous (海东市/平安区/沙沟乡（630203203）、海南藏族自治州/贵南县/沙沟乡（632525200）)"},
			{map[string]string{"纬度": "N36.6"}, "纬度 G# /location/lat bad_format (36.61)"},
			{map[string]string{"纬度": "101.8", "经度": "36.6"}, "纬度 G# /location/lat too_large (39.3); 经度 H# /location/lon too_small (89.3)"},
			{map[string]string{"纬度": ""}, "经度 H# /location/lon needs (纬度)"},
			{map[string]string{"经度": ""}, "纬度 G# /location/lat needs (经度)"},
			{map[string]string{"坐标系": "BD-09"}, "坐标系 I# /location unknown_value (WGS-84、GCJ-02)"},
			{map[string]string{"电话": "13812345678"}, "电话 J# /phone bad_format (0971-1234567, 400-123-4567, 12345, 12349, 12315)"},
			{map[string]string{"开放时间": "上午"}, "开放时间 K# /hours bad_format (" + hoursForm + ")"},
			{map[string]string{"开放时间": "每天 09:00-18:00；周日 休息"}, "开放时间 K# /hours duplicate (周日)"},
			{map[string]string{"开放时间": "周一 09:00-12:00、11:00-18:00"}, "开放时间 K# /hours/week/mon/1 mismatch (09:00-12:00)"},
			{map[string]string{"特殊开放日期": "春节 休息"}, "特殊开放日期 L# /hours/exceptions/0 bad_format (" + specialForm + ")"},
			{map[string]string{"特殊开放日期": "2027-02-30 休息；2027-03-05至2027-03-01 休息"}, "特殊开放日期 L# /hours/exceptions/0/from bad_format (2026-11-23); 特殊开放日期 L# /hours/exceptions/0/to bad_format (2026-11-23); 特殊开放日期 L# /hours/exceptions/1/to too_small (2027-03-05)"},
			{map[string]string{"类型": ""}, "类型 M# /categories required (" + labels(categoriesOf(directory.DomesticServiceKind)) + ")"},
			{map[string]string{"类型": "居家保洁；养老院；cleaning"}, "类型 M# /categories/1 unknown_value (" + labels(categoriesOf(directory.DomesticServiceKind)) + "); 类型 M# /categories/2 duplicate"},
			{map[string]string{"服务与价格": "日常保洁40元"}, "服务与价格 N# /offerings/0 bad_format (" + examples[directory.DomesticServiceKind].offerings + ")"},
			{map[string]string{"服务与价格": "日常保洁|分钟|40元；月嫂|月|面议|月嫂；|月|"}, "服务与价格 N# /offerings/0/unit unknown_value (次、小时、天、月、平方米); 服务与价格 N# /offerings/1/price_min bad_format (40元、40-60元); " +
				"服务与价格 N# /offerings/1/category unknown_value (" + labels(categoriesOf(directory.DomesticServiceKind)) + "); 服务与价格 N# /offerings/2/price_min bad_format (40元、40-60元); 服务与价格 N# /offerings/2/name required"},
			{map[string]string{"服务与价格": "日常保洁||60-40.5元"}, "服务与价格 N# /offerings/0/unit required (次、小时、天、月、平方米); 服务与价格 N# /offerings/0/price_max too_small (60元)"},
			{map[string]string{"特点": "便宜"}, "特点 O# /features/0 unknown_value (" + labels(directory.Features) + ")"},
			{map[string]string{"服务区县": "城东区；西宁市；东京"}, "服务区县 P# /domestic_service/counties_served/2 unknown_value (“地区”表中的代码或名称); 服务区县 P# /domestic_service/counties_served/1 unknown_value"},
			{map[string]string{"用工方式": "临时"}, "用工方式 Q# /domestic_service/employment unknown_value (员工制、中介)"},
			{map[string]string{"服务人员数": "三十六"}, "服务人员数 R# /domestic_service/workers bad_format (36)"},
			{map[string]string{"服务人员数": "-1"}, "服务人员数 R# /domestic_service/workers too_small (0); 持证人数 S# /domestic_service/workers_certified too_large (-1); 有信用记录人数 T# /domestic_service/workers_with_credit too_large (-1)"},
			{map[string]string{"持证人数": "40"}, "持证人数 S# /domestic_service/workers_certified too_large (36)"},
			{map[string]string{"信用核查日期": "去年"}, "信用核查日期 U# /domestic_service/credit_checked_at bad_format (2026-11-23)"},
			{map[string]string{"信用核查日期": "2026/2/30"}, "信用核查日期 U# /domestic_service/credit_checked_at bad_format (2026-11-23)"},
			{map[string]string{"有保险": "也许"}, "有保险 V# /domestic_service/insured unknown_value (是、否)"},
			{map[string]string{"用工方式": "#N/A", "地区": "#REF!"}, "地区 E# /region bad_format (西宁市/城东区/东关大街街道); 用工方式 Q# /domestic_service/employment bad_format (员工制)"},
		},
		directory.ElderCareKind: {
			{map[string]string{"类型": "养老院；助餐点"}, "类型 E# /categories too_long (1)"},
			{map[string]string{"等级": "六级"}, "等级 H# /elder_care/grade unknown_value (未评定、一级、二级、三级、四级、五级)"},
			{map[string]string{"总床位": ""}, "护理型床位 J# /elder_care/beds_nursing needs (总床位); 已入住床位 K# /elder_care/beds_occupied needs (总床位)"},
			{map[string]string{"总床位": "一百"}, "总床位 I# /elder_care/beds_total bad_format (120)"}, // and nothing about what needs it
			{map[string]string{"已入住床位": "120"}, "已入住床位 K# /elder_care/beds_occupied too_large (100)"},
			{map[string]string{"长护险定点": "50%", "电话": "9.71E+09"}, "电话 D# /phone bad_format (12349（请先把单元格设为“文本”格式再填写）); 长护险定点 M# /elder_care/care_insurance unknown_value (是、否)"},
		},
	}
)

// headerOf returns the columns of a good row, the external id first.
func headerOf(kind directory.Kind) []string {
	out := []string{"编号"}
	for _, c := range Columns(kind) {
		if _, ok := goodRow[kind][c.Header]; ok {
			out = append(out, c.Header)
		}
	}
	return out
}

func rowOf(kind directory.Kind, id string, f fault) []string {
	var out []string
	for _, header := range headerOf(kind) {
		text, changed := f.cells[header]
		text = strings.ReplaceAll(text, "~", id)
		if !changed {
			text = goodRow[kind][header]
			if header == "编号" {
				text = id
			}
		}
		out = append(out, text)
	}
	return out
}

// 10,000 rows in GB18030, 300 of them wrong in many ways: exactly these are
// found, each with everything that is wrong with it.
func TestTenThousandRows(t *testing.T) {
	const bad = 300
	for kind := range goodRow {
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		want := map[int]string{}
		if err := w.Write(headerOf(kind)); err != nil {
			t.Fatal(err)
		}
		for i := range MaxRows {
			f := fault{}
			number := i + 2
			if i%33 == 7 && len(want) < bad-1 {
				f = faults[kind][len(want)%len(faults[kind])]
				want[number] = strings.ReplaceAll(f.want, "#", fmt.Sprint(number))
			}
			id := fmt.Sprintf("%05d", i)
			if i == MaxRows-1 {
				id, want[number] = "00001", fmt.Sprintf("编号 A%d /external_id duplicate (第 3 行)", number)
			}
			if err := w.Write(rowOf(kind, id, f)); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		table, err := Parse(gb18030(t, text.Bytes()), "导入.csv", kind, testRegions(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(table.Rows) != MaxRows || len(want) != bad {
			t.Fatalf("%d rows, %d wrong ones", len(table.Rows), len(want))
		}
		found := 0
		for i := range table.Rows {
			row := &table.Rows[i]
			row.Check(complete)
			got := problemsOf(row)
			if got != want[row.Number] {
				t.Errorf("%s, row %d:\ngot  %s\nwant %s", kind, row.Number, got, want[row.Number])
			}
			if got != "" {
				found++
			}
		}
		if found != bad {
			t.Errorf("%s: %d rows are wrong, want %d", kind, found, bad)
		}
	}
}

func TestEveryFaultAlone(t *testing.T) {
	for kind := range goodRow {
		for _, f := range faults[kind] {
			table, err := Parse(csvOf(t, headerOf(kind), rowOf(kind, "1", f)), "a.csv", kind, testRegions(t))
			if err != nil {
				t.Fatal(err)
			}
			row := &table.Rows[0]
			for range 2 { // checking again changes nothing
				row.Check(complete)
			}
			if got, want := problemsOf(row), strings.ReplaceAll(f.want, "#", "2"); got != want {
				t.Errorf("%v:\ngot  %s\nwant %s", f.cells, got, want)
			}
		}
	}
}

func csvOf(t testing.TB, rows ...[]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestErrorsWithoutAColumn(t *testing.T) {
	table, err := Parse([]byte("编号,名称,,地区\n1,甲,乙,城东区,,丙\n"), "a.csv", directory.StreetKind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	row := &table.Rows[0]
	row.Check(func(l *directory.Listing) {
		complete(l)
		l.ID, l.Photos = "x", []directory.Photo{{ID: "y"}}
		l.Phone = "x" // has a column, but none in this file
	})
	want := "unknown_field; F2 unknown_field; /id bad_format (0193526e-3c00-7000-8000-000000000000); /photos/0/id bad_format; 电话 /phone bad_format (0971-1234567, 400-123-4567, 12345, 12349, 12315)"
	if got := problemsOf(row); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestOntoKeepsWhatTheTableDoesNotSay(t *testing.T) {
	some := seeded(t, directory.StreetKind)
	existing := some[len(some)-1]
	existing.Photos = []directory.Photo{{ID: strings.Repeat("a", 64)}}
	existing.Street.Listings = []string{someID}
	existing.Hours = &directory.Hours{Always: true, Exceptions: []directory.HoursException{{From: "2027-01-01", To: "2027-01-01", Intervals: []directory.Interval{}}}}
	before := covered(t, existing)

	read := func(text string) *Row {
		table, err := Parse([]byte(text), "a.csv", directory.StreetKind, testRegions(t))
		if err != nil {
			t.Fatal(err)
		}
		return &table.Rows[0]
	}
	row := read("编号,名称,地区,简介,商铺数,开放时间,有夜市\n9,新名称,城东区,,7,周一 09:00-12:00,否\n")
	got := row.Onto(existing)
	if got.Names.Zh != "新名称" || got.Summary != "" || *got.Street.Shops != 7 || got.Street.NightMarket || got.ExternalID != "9" {
		t.Errorf("the row's own fields: %+v, %+v", got, got.Street)
	}
	if got.ID != existing.ID || got.Provenance != existing.Provenance || got.CreatedAt != existing.CreatedAt || len(got.Photos) != 1 || got.Location == nil || *got.Location != *existing.Location ||
		len(got.Street.Listings) != 1 || *got.Street.LengthM != *existing.Street.LengthM || len(got.Hours.Exceptions) != 1 || got.Hours.Always || len(got.Hours.Week.Mon) != 1 {
		t.Errorf("the other fields: %+v, %+v, %+v", got, got.Street, got.Hours)
	}
	row = read("编号,名称,地区,纬度,经度,特殊开放日期\n9,新名称,城东区,,,\n")
	if got := row.Onto(existing); got.Location != nil || got.Hours == nil || !got.Hours.Always || got.Hours.Exceptions != nil {
		t.Errorf("emptied: %+v, %+v", got.Location, got.Hours)
	}
	row.Check(func(l *directory.Listing) { *l = row.Onto(existing); l.Demo = false })
	if len(row.Errors) > 0 {
		t.Errorf("an update is wrong: %s", problemsOf(row))
	}
	if row.Listing.ID != existing.ID {
		t.Error("Check does not keep what fill has set")
	}
	if after := covered(t, existing); after != before {
		t.Errorf("what was given has changed:\n%s\n%s", before, after)
	}
}

// After Parse alone there is what a dry run of the reading finds, in the order of
// the columns; parts of which nothing is said are not there.
func TestRowsBeforeTheyAreChecked(t *testing.T) {
	table, err := Parse([]byte("总床位,编号,名称,地区,类型,开放时间\n,1,甲,城东区,养老院,\n多,1,乙,城东区,养老院,上午\n"), "a.csv", directory.ElderCareKind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	if l := table.Rows[0].Listing; l.ElderCare != nil || l.Hours != nil || l.Location != nil || len(table.Rows[0].Errors) > 0 {
		t.Errorf("got %+v", l)
	}
	want := "总床位 A3 /elder_care/beds_total bad_format (120); 编号 B3 /external_id duplicate (第 2 行); 开放时间 F3 /hours bad_format (" + hoursForm + ")"
	if got := problemsOf(&table.Rows[1]); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestLongCellIsAnError(t *testing.T) {
	table, err := Parse(csvOf(t, []string{"编号", "名称", "地区", "详细介绍"}, []string{"1", "甲", "城东区", strings.Repeat("长", maxCell+1)}), "a.csv", directory.StreetKind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := problemsOf(&table.Rows[0]); got != "详细介绍 D2 /description too_long (32767)" {
		t.Errorf("got %s", got)
	}
}

// A file of nothing but errors is answered within bounds.
func TestErrorsAreBounded(t *testing.T) {
	bad := strings.Repeat("x；", maxItems)
	table, err := Parse(csvOf(t, []string{"编号", "名称", "地区", "类型", "特点", "服务区县"}, []string{"1", "甲", "城东区", bad, bad, bad + "x"}, []string{"2", "甲", "城东区", "保姆", "", bad + "x"}), "a.csv", directory.DomesticServiceKind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range table.Rows {
		table.Rows[i].Check(complete)
	}
	if got := len(table.Rows[0].Errors); got != maxErrors {
		t.Errorf("%d errors of a row, want %d", got, maxErrors)
	}
	if got := problemsOf(&table.Rows[1]); got != "服务区县 F3 /domestic_service/counties_served too_long (100)" {
		t.Errorf("got %s", got)
	}
}
