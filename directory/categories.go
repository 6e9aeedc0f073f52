package directory

// Kind is one of the five kinds of listing.
type Kind string

// The five kinds, with the section of 青政办〔2020〕62号 that calls for each.
const (
	BrandKind           Kind = "brand"             // 青字号品牌 〔二·二〕
	ElderCareKind       Kind = "elder_care"        // 养老 〔三·十〕
	ChildcareKind       Kind = "childcare"         // 托育 〔三·十〕
	DomesticServiceKind Kind = "domestic_service"  // 家政 〔三·十一〕
	StreetKind          Kind = "pedestrian_street" // 步行街 〔三·七〕
)

// Term is a code of a controlled vocabulary with its names.
type Term struct {
	Code  string
	Names Names
}

// Category is a service or type within one kind.
type Category struct {
	Term
	Kind Kind
}

func term(code, zh, en string) Term { return Term{code, Names{Zh: zh, En: en}} }

func termBo(code, zh, bo, en string) Term { return Term{code, Names{Zh: zh, Bo: bo, En: en}} }

// Kinds are the kinds in the order in which they are shown.
var Kinds = []Term{
	term(string(BrandKind), "青字号品牌", "Qinghai regional brand"),
	termBo(string(ElderCareKind), "养老服务", "རྒན་གསོ་ཞབས་ཞུ", "Elder care"),
	termBo(string(ChildcareKind), "托育服务", "བྱིས་པ་གསོ་སྐྱོང་ཞབས་ཞུ", "Childcare"),
	termBo(string(DomesticServiceKind), "家政服务", "ཁྱིམ་ལས་ཞབས་ཞུ", "Domestic service"),
	term(string(StreetKind), "步行街", "Pedestrian street"),
}

// Categories are all categories, by kind, in the order in which they are shown.
// The 15 of domestic service follow the trade's own division; the types of
// elder care and childcare follow the ministries' (民政部令第66号,
// 国卫人口发〔2019〕58号).
var Categories = []Category{
	{term("food", "餐饮", "Food and restaurants"), BrandKind},
	{term("liquor", "酒类", "Liquor"), BrandKind},
	{term("farm_product", "农畜产品", "Farm and pasture products"), BrandKind},
	{term("condiment", "调味品", "Condiments"), BrandKind},
	{term("medicine", "藏医药与健康", "Tibetan medicine and health"), BrandKind},
	{term("craft", "工艺美术", "Arts and crafts"), BrandKind},
	{term("retail", "商贸零售", "Retail"), BrandKind},
	{term("lodging", "住宿", "Lodging"), BrandKind},
	{term("tourism", "旅游会展", "Tourism and exhibitions"), BrandKind},
	{term("labour", "劳务品牌", "Labour service brand"), BrandKind},

	{term("nursing_home", "养老院", "Nursing home"), ElderCareKind},
	{term("street_centre", "街道综合养老服务机构", "Street-level comprehensive elder-care centre"), ElderCareKind},
	{term("day_care", "社区日间照料中心", "Community day-care centre"), ElderCareKind},
	{term("mutual_help", "农村互助幸福院", "Rural mutual-help home"), ElderCareKind},
	{term("canteen", "助餐点", "Meal service point"), ElderCareKind},
	{term("friendly_community", "老年友好型社区", "Elder-friendly community"), ElderCareKind},

	{term("standalone", "独立托育机构", "Standalone nursery"), ChildcareKind},
	{term("kindergarten", "幼儿园托班", "Kindergarten nursery class"), ChildcareKind},
	{term("workplace", "用人单位办托", "Workplace nursery"), ChildcareKind},
	{term("community_embedded", "社区嵌入式托育", "Community nursery"), ChildcareKind},
	{term("family", "家庭托育点", "Family nursery"), ChildcareKind},

	{term("nanny", "保姆", "Nanny and live-in help"), DomesticServiceKind},
	{term("housekeeper_hourly", "钟点工", "Hourly housekeeping"), DomesticServiceKind},
	{term("maternity", "母婴护理", "Maternity care"), DomesticServiceKind},
	{term("infant", "婴幼儿居家照护", "Infant care at home"), DomesticServiceKind},
	{term("elder_home", "居家养老照护", "Elder care at home"), DomesticServiceKind},
	{term("patient_care", "病患陪护", "Patient care"), DomesticServiceKind},
	{term("cleaning", "居家保洁", "House cleaning"), DomesticServiceKind},
	{term("appliance_clean", "家电清洗", "Appliance cleaning"), DomesticServiceKind},
	{term("tidy", "收纳整理", "Tidying and storage"), DomesticServiceKind},
	{term("cook", "上门做饭", "Home cooking"), DomesticServiceKind},
	{term("repair", "家电水电维修", "Repairs"), DomesticServiceKind},
	{term("drain", "管道疏通", "Drain clearing"), DomesticServiceKind},
	{term("move", "搬家", "Moving"), DomesticServiceKind},
	{term("pest", "消杀除螨", "Pest control"), DomesticServiceKind},
	{term("other", "其他家政", "Other domestic service"), DomesticServiceKind},

	{term("shopping", "商业步行街", "Shopping street"), StreetKind},
	{term("food_street", "美食街", "Food street"), StreetKind},
	{term("night_market", "夜市", "Night market"), StreetKind},
	{term("culture", "文化街区", "Culture quarter"), StreetKind},
}

// Features are properties that any listing may state of itself.
var Features = []Term{
	term("accessible", "无障碍", "Step-free"),
	term("open_24h", "24小时", "24 hours"),
	term("home_visit", "上门服务", "Comes to the home"),
	term("medical_care", "医养结合", "With medical care"),
	term("inclusive", "普惠", "Inclusive pricing"),
	term("meals", "助餐", "Meals"),
	term("halal", "清真", "Halal"),
	termBo("tibetan_spoken", "藏语服务", "བོད་སྐད་ཞབས་ཞུ", "Tibetan spoken"),
	term("parking", "停车场", "Parking"),
	term("family_visits", "家属探视", "Family visits"),
	term("night_care", "夜间照护", "Night care"),
	term("insured", "有保险", "Insured"),
}

// Badges are distinctions that follow from the facts of a listing; see
// [Listing.Badges].
var Badges = []Term{
	term("qing_brand", "青字号", "Qing brand"),
	term("time_honoured_qinghai", "青海老字号", "Qinghai time-honoured brand"),
	term("time_honoured_china", "中华老字号", "China time-honoured brand"),
	term("geographical_indication", "地理标志", "Geographical indication"),
	term("grade_1", "一级", "Grade 1"),
	term("grade_2", "二级", "Grade 2"),
	term("grade_3", "三级", "Grade 3"),
	term("grade_4", "四级", "Grade 4"),
	term("grade_5", "五级", "Grade 5"),
	term("care_insurance", "长护险定点", "Long-term care insurance"),
	term("on_record", "已备案", "On record"),
	term("employees", "员工制", "Employs its workers"),
	term("credit_record", "信用记录", "Credit record"),
	term("national_street", "国家级步行街", "National pedestrian street"),
	term("provincial_street", "省级特色步行街", "Provincial characteristic street"),
}

// Units are what prices are for.
var Units = []Term{
	term(string(PerVisit), "次", "visit"),
	term(string(PerHour), "小时", "hour"),
	term(string(PerDay), "天", "day"),
	term(string(PerMonth), "月", "month"),
	term(string(PerSquareMetre), "平方米", "square metre"),
}

// KindTerm returns the names of a kind; ok is false for a kind that is none.
func KindTerm(k Kind) (t Term, ok bool) { return find(Kinds, string(k)) }

// FeatureTerm returns the names of a feature code.
func FeatureTerm(code string) (Term, bool) { return find(Features, code) }

// BadgeTerm returns the names of a badge code.
func BadgeTerm(code string) (Term, bool) { return find(Badges, code) }

// CategoryOf returns the category of a code; ok is false for a code that is none.
func CategoryOf(code string) (c Category, ok bool) {
	for _, c := range Categories {
		if c.Code == code {
			return c, true
		}
	}
	return Category{}, false
}

func find(terms []Term, code string) (Term, bool) {
	for _, t := range terms {
		if t.Code == code {
			return t, true
		}
	}
	return Term{}, false
}
