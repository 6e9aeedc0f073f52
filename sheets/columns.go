package sheets

import (
	"maps"
	"reflect"
	"strconv"
	"strings"

	"qingfu/directory"
)

// Column is one column of a kind's table.
type Column struct {
	Header   string           // as it is written
	English  string           // read as well
	Pointers []string         // the JSON pointers of the fields that it fills
	Terms    []directory.Term // what a cell may hold, by name or by code, where there is a list
	Many     bool             // whether a cell may hold several, parted by ；
	Required bool
	Output   bool // exports have it; imports pass over it
	Note     string
	Example  string

	fields map[string][]directory.Term // of the items of a cell, by the end of their pointers

	form  form
	read  func(*cell, *directory.Listing)
	write func(*places, *directory.Listing) string
}

// form is how Excel keeps the cells of a column.
type form int

const (
	textForm   form = iota
	codeForm        // text that looks like a number, which Excel has to leave alone
	numberForm      // written as a number
	dateForm        // written as a day
)

func at(pointers ...string) []string { return pointers }

// Columns returns the columns of a kind's table in their order; without a kind,
// those that all kinds share, for exports only. The caller must not change them.
func Columns(kind directory.Kind) []Column { return tables[kind] }

var tables = func() map[directory.Kind][]Column {
	out := map[directory.Kind][]Column{}
	for _, kind := range []directory.Kind{"", directory.BrandKind, directory.ElderCareKind, directory.ChildcareKind, directory.DomesticServiceKind, directory.StreetKind} {
		table := append(common(kind), parts(kind)...)
		for _, c := range output {
			if c.English != "kind" || kind == "" {
				table = append(table, c)
			}
		}
		out[kind] = table
	}
	return out
}()

// headers are the columns of each kind's table by the keys of their headers.
var headers = func() map[directory.Kind]map[string]*Column {
	out := map[directory.Kind]map[string]*Column{}
	for kind, table := range tables {
		out[kind] = map[string]*Column{}
		for i := range table {
			if c := &table[i]; !c.Output {
				out[kind][headerKey(c.Header)], out[kind][headerKey(c.English)] = c, c
			}
		}
	}
	return out
}()

// example is what the example row of a kind says in the columns that all share.
type example struct{ name, alias, summary, category, offerings, features, phone string }

var examples = map[directory.Kind]example{
	directory.BrandKind: {"示例·河湟酿造", "河湟酿造", "青稞酒酿造企业，有门店。", "酒类",
		"青稞酒礼盒|次|128-398元|酒类；酿造工坊参观|次|30元", "停车场", "0971-1234567"},
	directory.ElderCareKind: {"示例·城东康宁养老院", "康宁养老院", "医养结合的养老院，可短住。", "养老院",
		"双人间（护理型）|月|2800-4200元|养老院；短住|天|120元", "无障碍；医养结合；助餐", "12349"},
	directory.ChildcareKind: {"示例·城东小星星托育园", "小星星托育", "招收6个月至3岁婴幼儿。", "独立托育机构",
		"全日托|月|2600-3200元；临时托|小时|25元", "普惠；助餐", "0971-1234567"},
	directory.DomesticServiceKind: {"示例·城东安心家政服务中心", "安心家政", "上门保洁与月嫂服务，员工制。", "居家保洁；母婴护理",
		"日常保洁|小时|40-60元|居家保洁；月嫂|月|6800-12800元|母婴护理", "上门服务；有保险", "0971-1234567"},
	directory.StreetKind: {"示例·城东步行街", "东关步行街", "小吃与手工艺品，晚上有夜市。", "美食街；夜市",
		"摊位体验|天|80.50元|夜市", "无障碍；停车场", "0971-1234567"},
}

func common(kind directory.Kind) []Column {
	ex := examples[kind]
	one := kind == directory.ElderCareKind || kind == directory.ChildcareKind
	columns := []Column{
		textColumn(Column{Header: "编号", English: "external_id", Pointers: at("/external_id"), Required: true, Example: "示例-001", form: codeForm,
			Note: "本单位给这个条目的编号，最多 80 字，不能重复。再次导入时按编号更新。"},
			func(l *directory.Listing) *string { return &l.ExternalID }),
		textColumn(Column{Header: "名称", English: "name", Pointers: at("/names/zh"), Required: true, Example: ex.name,
			Note: "中文名称，最多 80 字。"},
			func(l *directory.Listing) *string { return &l.Names.Zh }),
		textColumn(Column{Header: "藏文名称", English: "name_bo", Pointers: at("/names/bo"), Note: "最多 200 字。"},
			func(l *directory.Listing) *string { return &l.Names.Bo }),
		textColumn(Column{Header: "蒙古文名称", English: "name_mn", Pointers: at("/names/mn"), Note: "最多 200 字。"},
			func(l *directory.Listing) *string { return &l.Names.Mn }),
		textColumn(Column{Header: "英文名称", English: "name_en", Pointers: at("/names/en"), Note: "最多 200 字。"},
			func(l *directory.Listing) *string { return &l.Names.En }),
		listColumn(Column{Header: "别名", English: "aliases", Pointers: at("/aliases"), Many: true, Example: ex.alias,
			Note: "人们常用的其他叫法，最多 20 个。"},
			func(l *directory.Listing) *[]string { return &l.Aliases }, readAlias, escape),
		textColumn(Column{Header: "简介", English: "summary", Pointers: at("/summary"), Example: ex.summary,
			Note: "一句话，最多 200 字。"},
			func(l *directory.Listing) *string { return &l.Summary }),
		textColumn(Column{Header: "详细介绍", English: "description", Pointers: at("/description"),
			Note: "最多 5000 字，可以换行。"},
			func(l *directory.Listing) *string { return &l.Description }),
		textColumn(Column{Header: "运营单位", English: "organization", Pointers: at("/organization"), Example: "西宁某某服务有限公司（示例）",
			Note: "运营单位的全称，最多 120 字。"},
			func(l *directory.Listing) *string { return &l.Organization }),
		regionColumn(Column{Header: "地区", English: "region", Pointers: at("/region"), Required: true, Example: "西宁市/城东区/东关大街街道", form: codeForm,
			Note: "尽量填到街道、乡镇。可填“地区”表中的代码，或名称，如：西宁市城东区、青海省海东市乐都区、西宁市/城东区/东关大街街道；也可填到社区、村。"}),
		textColumn(Column{Header: "地址", English: "address", Pointers: at("/address"), Example: "示例路 1 号", Note: "最多 200 字。"},
			func(l *directory.Listing) *string { return &l.Address }),
		latColumn(Column{Header: "纬度", English: "lat", Pointers: at("/location/lat"), Example: "36.605", Note: "度，青海约在 31.5 至 39.3。与经度一起填写。"}),
		lonColumn(Column{Header: "经度", English: "lon", Pointers: at("/location/lon"), Example: "101.8", Note: "度，青海约在 89.3 至 103.1。"}),
		datumColumn(Column{Header: "坐标系", English: "crs", Pointers: at("/location"), Example: "WGS-84",
			Note: "经纬度的坐标系，不填则为 WGS-84。从高德、腾讯地图取的坐标请填 GCJ-02，导入时自动换算。"}),
		phoneColumn(Column{Header: "电话", English: "phone", Pointers: at("/phone"), Example: ex.phone, form: codeForm,
			Note: "对外服务电话：青海固定电话（如 0971-1234567）、400 电话，或 12345、12349、12315。不能填手机号码。"}),
		hoursColumn(Column{Header: "开放时间", English: "hours", Pointers: at("/hours"), Example: "周一至周五 08:30-12:00、13:30-18:00；周六 09:00-17:00；周日 休息；节假日 休息",
			Note: "每天不关门填“全天”。否则写“日子 时间”，多段用；分开，同一天的几个时段用、分开。日子可写周一、周一至周五、工作日、周末、每天、节假日。过了零点写 18:00-次日02:00。没有写到的日子为休息。"}),
		specialColumn(Column{Header: "特殊开放日期", English: "hours_exceptions", Pointers: at("/hours/exceptions"), Many: true, Example: "2027-02-05至2027-02-12 休息（春节）",
			Note: "某些日子与平时不同时填写：“日期至日期 时间或休息（原因）”。"}),
		termsColumn(Column{Header: "类型", English: "categories", Pointers: at("/categories"), Many: !one, Example: ex.category,
			Required: one || kind == directory.DomesticServiceKind, Note: typeNote(one)},
			categoriesOf(kind), func(l *directory.Listing) *[]string { return &l.Categories }),
		offeringsColumn(Column{Header: "服务与价格", English: "offerings", Pointers: at("/offerings"), Many: true, Example: ex.offerings,
			Note: "每项写“名称|单位|价格|类型”，类型可不写。单位为" + labels(directory.Units) + "；价格写 40元 或 40-60元，最多两位小数。最多 100 项。"}, kind),
		termsColumn(Column{Header: "特点", English: "features", Pointers: at("/features"), Many: true, Example: ex.features, Note: "可填多个。"},
			directory.Features, func(l *directory.Listing) *[]string { return &l.Features }),
	}
	return columns
}

func typeNote(one bool) string {
	if one {
		return "只能填一个。"
	}
	return "可填多个。"
}

// parts returns the columns that a kind alone has.
func parts(kind directory.Kind) []Column {
	switch kind {
	case directory.BrandKind:
		return brandColumns()
	case directory.ElderCareKind:
		return elderCareColumns()
	case directory.ChildcareKind:
		return childcareColumns()
	case directory.DomesticServiceKind:
		return domesticServiceColumns()
	case directory.StreetKind:
		return streetColumns()
	}
	return nil
}

func brandColumns() []Column {
	founded := countColumn(Column{Header: "创立年份", English: "founded", Pointers: at("/brand/founded"), Example: "1974", Note: "四位年份，1000 至 2100。"},
		func(*directory.Listing) **int { return nil })
	founded.read = func(cell *cell, l *directory.Listing) {
		year, ok := whole(strings.TrimSuffix(plain(cell.text), "年"))
		if l.Brand.Founded = year; !ok && cell.text != "" {
			cell.wrong("/brand/founded", directory.CodeFormat, "1974")
		}
	}
	founded.write = func(_ *places, l *directory.Listing) string {
		if l.Brand.Founded == 0 {
			return ""
		}
		return strconv.Itoa(l.Brand.Founded)
	}
	return []Column{
		termColumn(Column{Header: "品牌类型", English: "brand_type", Pointers: at("/brand/type"), Example: "青海老字号", Note: "没有认定的不填。"},
			brandTypes, func(l *directory.Listing) *directory.BrandType { return &l.Brand.Type }),
		founded,
		certificatesColumn(Column{Header: "认定证书", English: "certificates", Pointers: at("/brand/certificates"), Many: true,
			Example: "示例认定单位|示例-2024-1|2024-01-01至2028-12-31|有效",
			Note:    "每项写“认定单位|证书编号|起止日期|状态”，状态为" + labels(certificateStatuses) + "；编号和日期可空着。最多 20 项。"}),
	}
}

func elderCareColumns() []Column {
	grade := termColumn(Column{Header: "等级", English: "grade", Pointers: at("/elder_care/grade"), Example: "三级", Note: "按 GB/T 37276 评定的等级。"},
		grades, func(*directory.Listing) *string { return nil })
	grade.read = func(cell *cell, l *directory.Listing) {
		l.ElderCare.Grade = 0
		if cell.text == "" {
			return
		}
		code, ok := codeOf(grades, strings.Replace(plain(cell.text), "级", "", 1))
		if !ok {
			code, ok = codeOf(grades, cell.text)
		}
		if !ok {
			cell.wrong("/elder_care/grade", directory.CodeValue, labels(grades))
			return
		}
		l.ElderCare.Grade, _ = strconv.Atoi(code)
	}
	grade.write = func(_ *places, l *directory.Listing) string {
		if l.ElderCare.Grade == 0 {
			return ""
		}
		return labelOf(grades, strconv.Itoa(l.ElderCare.Grade))
	}
	return []Column{
		termColumn(Column{Header: "运营方式", English: "operation", Pointers: at("/elder_care/operation"), Example: "公建民营"},
			operations, func(l *directory.Listing) *directory.Operation { return &l.ElderCare.Operation }),
		grade,
		countColumn(Column{Header: "总床位", English: "beds_total", Pointers: at("/elder_care/beds_total"), Example: "120", Note: "张。不知道的不填。"},
			func(l *directory.Listing) **int { return &l.ElderCare.BedsTotal }),
		countColumn(Column{Header: "护理型床位", English: "beds_nursing", Pointers: at("/elder_care/beds_nursing"), Example: "80", Note: "张，不超过总床位。"},
			func(l *directory.Listing) **int { return &l.ElderCare.BedsNursing }),
		countColumn(Column{Header: "社会力量床位", English: "beds_socially_run", Pointers: at("/elder_care/beds_socially_run"), Example: "120", Note: "社会力量举办或运营的床位，张，不超过总床位。"},
			func(l *directory.Listing) **int { return &l.ElderCare.BedsSociallyRun }),
		countColumn(Column{Header: "已入住床位", English: "beds_occupied", Pointers: at("/elder_care/beds_occupied"), Example: "97", Note: "张，不超过总床位。"},
			func(l *directory.Listing) **int { return &l.ElderCare.BedsOccupied }),
		countColumn(Column{Header: "日间照料位", English: "day_places", Pointers: at("/elder_care/day_places"), Example: "20", Note: "个。"},
			func(l *directory.Listing) **int { return &l.ElderCare.DayPlaces }),
		yesColumn(Column{Header: "长护险定点", English: "care_insurance", Pointers: at("/elder_care/care_insurance"), Example: "是", Note: "是不是长期护理保险定点机构。"},
			func(l *directory.Listing) *bool { return &l.ElderCare.CareInsurance }),
	}
}

func childcareColumns() []Column {
	return []Column{
		textColumn(Column{Header: "备案编号", English: "record_number", Pointers: at("/childcare/record_number"), Example: "示例备案0001", form: codeForm, Note: "最多 100 字。"},
			func(l *directory.Listing) *string { return &l.Childcare.RecordNumber }),
		termColumn(Column{Header: "备案状态", English: "record_state", Pointers: at("/childcare/record_state"), Example: "已备案"},
			recordStates, func(l *directory.Listing) *directory.RecordState { return &l.Childcare.RecordState }),
		classesColumn(Column{Header: "班级与托位", English: "classes", Pointers: at("/childcare/classes"), Many: true, Example: "托小班|45|6；托大班|60|2",
			Note: "每项写“班级|托位数|空余托位数”，班级为" + labels(classGroups) + "。"}),
		termsColumn(Column{Header: "托育方式", English: "modes", Pointers: at("/childcare/modes"), Many: true, Example: "全日托；临时托"},
			childcareModes, func(l *directory.Listing) *[]directory.ChildcareMode { return &l.Childcare.Modes }),
	}
}

func domesticServiceColumns() []Column {
	return []Column{
		countiesColumn(Column{Header: "服务区县", English: "counties_served", Pointers: at("/domestic_service/counties_served"), Many: true, Example: "城东区；城中区", form: codeForm,
			Note: "上门服务的县、市、区，写代码或名称，最多 60 个。"}),
		termColumn(Column{Header: "用工方式", English: "employment", Pointers: at("/domestic_service/employment"), Example: "员工制"},
			employments, func(l *directory.Listing) *directory.Employment { return &l.DomesticService.Employment }),
		countColumn(Column{Header: "服务人员数", English: "workers", Pointers: at("/domestic_service/workers"), Example: "36", Note: "人。不要填写任何个人的信息。"},
			func(l *directory.Listing) **int { return &l.DomesticService.Workers }),
		countColumn(Column{Header: "持证人数", English: "workers_certified", Pointers: at("/domestic_service/workers_certified"), Example: "28", Note: "人，不超过服务人员数。"},
			func(l *directory.Listing) **int { return &l.DomesticService.WorkersCertified }),
		countColumn(Column{Header: "有信用记录人数", English: "workers_with_credit", Pointers: at("/domestic_service/workers_with_credit"), Example: "36", Note: "人，不超过服务人员数。"},
			func(l *directory.Listing) **int { return &l.DomesticService.WorkersWithCredit }),
		dateColumn(Column{Header: "信用核查日期", English: "credit_checked_at", Pointers: at("/domestic_service/credit_checked_at"), Example: "2026-11-18", Note: "年-月-日。"},
			func(l *directory.Listing) *directory.Date { return &l.DomesticService.CreditCheckedAt }),
		yesColumn(Column{Header: "有保险", English: "insured", Pointers: at("/domestic_service/insured"), Example: "是"},
			func(l *directory.Listing) *bool { return &l.DomesticService.Insured }),
	}
}

func streetColumns() []Column {
	return []Column{
		countColumn(Column{Header: "长度（米）", English: "length_m", Pointers: at("/pedestrian_street/length_m"), Example: "694", Note: "米，0 至 20000。"},
			func(l *directory.Listing) **int { return &l.Street.LengthM }),
		countColumn(Column{Header: "商铺数", English: "shops", Pointers: at("/pedestrian_street/shops"), Example: "120", Note: "家，0 至 5000。"},
			func(l *directory.Listing) **int { return &l.Street.Shops }),
		termColumn(Column{Header: "认定级别", English: "level", Pointers: at("/pedestrian_street/level"), Example: "省级特色", Note: "没有认定的不填。"},
			streetLevels, func(l *directory.Listing) *directory.StreetLevel { return &l.Street.Level }),
		yesColumn(Column{Header: "有夜市", English: "night_market", Pointers: at("/pedestrian_street/night_market"), Example: "是"},
			func(l *directory.Listing) *bool { return &l.Street.NightMarket }),
	}
}

// The headers of what [Table.WriteResult] adds.
const (
	outcomeHeader  = "结果"
	problemsHeader = "问题"
)

// output are the columns that say more of a listing in an export.
var output = []Column{
	{Header: "类别", English: "kind", Output: true, write: func(_ *places, l *directory.Listing) string { return label(l.Kind) }},
	{Header: "状态", English: "status", Output: true, write: func(_ *places, l *directory.Listing) string { return labelOf(statuses, string(l.Status)) }},
	{Header: "更新时间", English: "updated_at", Output: true, write: func(_ *places, l *directory.Listing) string {
		if l.UpdatedAt.IsZero() {
			return ""
		}
		return l.UpdatedAt.In(directory.Shanghai).Format("2006-01-02 15:04")
	}},
	{Header: "系统编号", English: "id", Output: true, write: func(_ *places, l *directory.Listing) string { return l.ID }, form: codeForm},
}

// results are the keys of the headers of a result, and passedOver those of all
// headers that an import passes over, in every kind's file.
var (
	results = map[string]bool{
		headerKey(outcomeHeader): true, headerKey("outcome"): true, headerKey(problemsHeader): true, headerKey("problems"): true,
	}
	passedOver = func() map[string]bool {
		out := maps.Clone(results)
		for _, c := range output {
			out[headerKey(c.Header)], out[headerKey(c.English)] = true, true
		}
		return out
	}()
)

// headerKey makes one of the ways in which a header is written: with the star of
// a required column, in full-width letters, with blanks.
func headerKey(header string) string {
	return headerBlanks.Replace(strings.ToLower(strings.Trim(plain(header), "* ")))
}

var headerBlanks = strings.NewReplacer(" ", "", "\n", "", "_", "")

// withPart gives a listing the part of its kind, so that columns find their
// fields. What it is given remains as it is.
func withPart(l *directory.Listing) {
	switch l.Kind {
	case directory.BrandKind:
		l.Brand = copied(l.Brand)
	case directory.ElderCareKind:
		l.ElderCare = copied(l.ElderCare)
	case directory.ChildcareKind:
		l.Childcare = copied(l.Childcare)
	case directory.DomesticServiceKind:
		l.DomesticService = copied(l.DomesticService)
	case directory.StreetKind:
		l.Street = copied(l.Street)
	}
}

// withoutEmpty takes a part away again in which nothing is said, and hours of
// which nothing is known.
func withoutEmpty(l *directory.Listing) {
	l.Brand = unlessEmpty(l.Brand)
	l.ElderCare = unlessEmpty(l.ElderCare)
	l.Childcare = unlessEmpty(l.Childcare)
	l.DomesticService = unlessEmpty(l.DomesticService)
	l.Street = unlessEmpty(l.Street)
	l.Hours = unlessEmpty(l.Hours)
}

func copied[T any](part *T) *T {
	out := new(T)
	if part != nil {
		*out = *part
	}
	return out
}

func unlessEmpty[T any](part *T) *T {
	if part == nil || reflect.ValueOf(part).Elem().IsZero() {
		return nil
	}
	return part
}
