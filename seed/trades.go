package seed

import "qingfu/directory"

// trade is what the invention of a listing needs to know of a category.
type trade struct {
	kind     directory.Kind
	category string
	// weight is how many there are in the province, for the synthetic mix. The
	// sums are published figures: 225 homes, 234 day-care centres, 1403
	// mutual-help homes (民政厅, 2023-10), 61 street centres (2025-10), 1034
	// domestic firms (2024-08), 96 brands (33 老字号 of 2015–2021 and 63
	// geographical indications, 2024). Childcare is 24,500 places at the 85 an
	// institution had in 2021. The split within a kind, canteens, communities
	// and streets are assumptions.
	weight  float64
	place   placeLevel
	endings []string // what its names end with
	summary string
	opening opening
	offers  []offer
}

// placeLevel is the level of region that a trade's listings stand in.
type placeLevel int

const (
	inCounty placeLevel = iota
	inTownship
	inStreet    // a township of the type 街道
	inResidents // a community with a 居委会
	inVillage   // a community with a 村委会
)

// offer is an offering with its median price.
type offer struct {
	name string
	unit directory.Unit
	yuan float64
}

const notReal = "示例数据，并非真实机构："

// trades are all categories, in the order of directory.Categories.
var trades = []trade{
	{directory.BrandKind, "food", 22, inCounty, []string{"酿皮", "手抓羊肉", "牛肉面", "炕锅羊排", "尕面片", "甜醅", "酸奶", "杂碎汤"},
		notReal + "地方风味小吃。", shopHours, []offer{{"招牌菜", directory.PerVisit, 35}, {"单人套餐", directory.PerVisit, 28}}},
	{directory.BrandKind, "liquor", 8, inCounty, []string{"青稞酒", "酩馏酒", "青稞啤酒", "枸杞酒"},
		notReal + "青稞酿造的酒。", shopHours, []offer{{"礼盒", directory.PerVisit, 168}, {"单瓶", directory.PerVisit, 58}}},
	{directory.BrandKind, "farm_product", 30, inCounty, []string{"牦牛肉干", "枸杞", "藏羊肉", "菜籽油", "冬虫夏草", "青稞米", "黑枸杞", "蕨麻", "蜂蜜", "奶皮"},
		notReal + "高原农畜产品。", shopHours, []offer{{"礼盒", directory.PerVisit, 128}, {"散装一斤", directory.PerVisit, 68}}},
	{directory.BrandKind, "condiment", 6, inCounty, []string{"陈醋", "香豆粉", "线辣椒", "藏茴香"},
		notReal + "地方调味品。", shopHours, []offer{{"单瓶", directory.PerVisit, 15}}},
	{directory.BrandKind, "medicine", 6, inCounty, []string{"藏药", "藏药浴", "健康馆"},
		notReal + "藏医药与健康服务。", officeHours, []offer{{"药浴", directory.PerVisit, 180}, {"健康咨询", directory.PerVisit, 50}}},
	{directory.BrandKind, "craft", 10, inCounty, []string{"藏毯", "唐卡", "青绣", "堆绣", "银器", "昆仑玉", "黑陶"},
		notReal + "手工艺品。", shopHours, []offer{{"手工小件", directory.PerVisit, 88}, {"体验课", directory.PerHour, 60}}},
	{directory.BrandKind, "retail", 5, inCounty, []string{"百货", "特产店", "超市", "民族用品店"},
		notReal + "商贸零售。", shopHours, nil},
	{directory.BrandKind, "lodging", 3, inCounty, []string{"宾馆", "客栈", "民宿", "牧家乐"},
		notReal + "住宿接待。", allDay, []offer{{"标准间", directory.PerDay, 188}}},
	{directory.BrandKind, "tourism", 4, inCounty, []string{"文旅", "花海", "生态旅游", "民俗节"},
		notReal + "旅游与会展。", shopHours, []offer{{"门票", directory.PerVisit, 40}}},
	{directory.BrandKind, "labour", 2, inCounty, []string{"拉面师", "月嫂", "绣娘", "枸杞采摘"},
		notReal + "劳务品牌。", officeHours, []offer{{"技能培训", directory.PerDay, 120}}},

	{directory.ElderCareKind, "nursing_home", 225, inCounty, []string{"养老院", "老年公寓", "敬老院", "养护院", "颐养中心"},
		notReal + "为自理、半自理和失能老人提供住养照护。", allDay,
		[]offer{{"自理老人床位", directory.PerMonth, 1800}, {"半护理床位", directory.PerMonth, 2600}, {"全护理床位", directory.PerMonth, 3500}, {"短期托养", directory.PerDay, 120}}},
	{directory.ElderCareKind, "street_centre", 61, inStreet, []string{"综合养老服务中心", "养老服务综合体"},
		notReal + "提供全托、日托、上门和助餐等综合养老服务。", officeHours,
		[]offer{{"日间托养", directory.PerDay, 40}, {"助浴", directory.PerVisit, 50}, {"上门护理", directory.PerVisit, 80}}},
	{directory.ElderCareKind, "day_care", 234, inResidents, []string{"日间照料中心", "老年人日间照料站"},
		notReal + "为社区老人提供日间照料、午餐和文娱活动。", officeHours,
		[]offer{{"日间照料", directory.PerDay, 25}, {"午餐", directory.PerVisit, 10}, {"康复训练", directory.PerVisit, 30}}},
	{directory.ElderCareKind, "mutual_help", 1403, inVillage, []string{"互助幸福院", "老年幸福院"},
		notReal + "村里老人互助养老的场所。", officeHours, []offer{{"午餐", directory.PerVisit, 5}}},
	{directory.ElderCareKind, "canteen", 120, inResidents, []string{"爱老食堂", "幸福食堂", "老年餐厅", "助餐点"},
		notReal + "为老年人提供就餐和送餐。", mealHours, []offer{{"午餐", directory.PerVisit, 12}, {"送餐上门", directory.PerVisit, 15}}},
	{directory.ElderCareKind, "friendly_community", 30, inResidents, []string{"老年友好示范点"},
		notReal + "适老化改造后的社区。", unknownHours, nil},

	{directory.ChildcareKind, "standalone", 140, inTownship, []string{"托育中心", "托育园", "托儿所", "婴幼儿照护中心"},
		notReal + "面向3岁以下婴幼儿的托育机构。", nurseryHours,
		[]offer{{"全日托", directory.PerMonth, 1980}, {"半日托", directory.PerMonth, 1280}, {"计时托", directory.PerHour, 30}}},
	{directory.ChildcareKind, "kindergarten", 85, inTownship, []string{"幼儿园托班"},
		notReal + "幼儿园开设的托班。", nurseryHours, []offer{{"全日托", directory.PerMonth, 1200}}},
	{directory.ChildcareKind, "workplace", 10, inTownship, []string{"职工托育园", "医院托育点", "园区托育中心"},
		notReal + "用人单位为职工开办的托育点。", nurseryHours, []offer{{"全日托", directory.PerMonth, 900}}},
	{directory.ChildcareKind, "community_embedded", 35, inResidents, []string{"社区托育点", "托育驿站", "宝宝屋"},
		notReal + "家门口的社区托育。", nurseryHours, []offer{{"全日托", directory.PerMonth, 1100}, {"临时托", directory.PerHour, 20}}},
	{directory.ChildcareKind, "family", 20, inResidents, []string{"家庭托育点"},
		notReal + "收托不超过5名婴幼儿的家庭托育点。", nurseryHours, []offer{{"全日托", directory.PerMonth, 1500}}},

	{directory.DomesticServiceKind, "nanny", 90, inCounty, []string{"家政服务部", "保姆服务中心", "家政"},
		notReal + "住家与不住家保姆。", officeHours, []offer{{"住家保姆", directory.PerMonth, 4200}, {"不住家保姆", directory.PerMonth, 3300}}},
	{directory.DomesticServiceKind, "housekeeper_hourly", 130, inCounty, []string{"家政服务部", "家政", "钟点工服务部", "家政服务有限公司"},
		notReal + "按小时计的家务服务。", officeHours, []offer{{"日常家务", directory.PerHour, 35}, {"长期钟点工", directory.PerMonth, 1800}}},
	{directory.DomesticServiceKind, "maternity", 130, inCounty, []string{"月嫂服务中心", "母婴护理中心", "月子服务部", "母婴家政"},
		notReal + "月嫂与产妇、新生儿护理。", officeHours, []offer{{"月嫂（26天）", directory.PerMonth, 8800}, {"催乳", directory.PerVisit, 260}}},
	{directory.DomesticServiceKind, "infant", 70, inCounty, []string{"育儿嫂服务部", "育婴家政", "育儿服务中心"},
		notReal + "育儿嫂上门照护婴幼儿。", officeHours, []offer{{"住家育儿嫂", directory.PerMonth, 5600}, {"白班育儿嫂", directory.PerMonth, 4300}}},
	{directory.DomesticServiceKind, "elder_home", 90, inCounty, []string{"居家养老服务中心", "助老家政", "居家照护服务部"},
		notReal + "上门照护居家老人。", officeHours, []offer{{"上门照护", directory.PerHour, 45}, {"助浴", directory.PerVisit, 120}, {"住家护老", directory.PerMonth, 4600}}},
	{directory.DomesticServiceKind, "patient_care", 80, inCounty, []string{"陪护服务部", "护工服务中心", "陪诊服务部"},
		notReal + "医院与居家陪护。", allDay, []offer{{"医院陪护", directory.PerDay, 220}, {"陪诊", directory.PerVisit, 200}}},
	{directory.DomesticServiceKind, "cleaning", 210, inCounty, []string{"保洁服务部", "保洁有限公司", "清洁服务中心", "家政保洁"},
		notReal + "日常保洁与开荒保洁。", officeHours, []offer{{"日常保洁", directory.PerHour, 40}, {"开荒保洁", directory.PerSquareMetre, 5}, {"擦玻璃", directory.PerSquareMetre, 6}}},
	{directory.DomesticServiceKind, "appliance_clean", 60, inCounty, []string{"家电清洗", "家电清洗服务部"},
		notReal + "油烟机、空调等家电清洗。", officeHours, []offer{{"油烟机清洗", directory.PerVisit, 160}, {"空调清洗", directory.PerVisit, 110}}},
	{directory.DomesticServiceKind, "tidy", 15, inCounty, []string{"收纳整理", "整理工作室"},
		notReal + "衣橱与全屋收纳整理。", officeHours, []offer{{"收纳整理", directory.PerHour, 90}}},
	{directory.DomesticServiceKind, "cook", 14, inCounty, []string{"上门做饭", "私厨到家"},
		notReal + "上门做饭。", officeHours, []offer{{"上门做饭", directory.PerVisit, 100}}},
	{directory.DomesticServiceKind, "repair", 50, inCounty, []string{"家电维修", "水电维修部", "维修服务部"},
		notReal + "家电与水电维修。", shopHours, []offer{{"上门检修", directory.PerVisit, 60}, {"水电安装", directory.PerHour, 80}}},
	{directory.DomesticServiceKind, "drain", 30, inCounty, []string{"管道疏通", "疏通服务部"},
		notReal + "管道疏通。", allDay, []offer{{"管道疏通", directory.PerVisit, 120}}},
	{directory.DomesticServiceKind, "move", 40, inCounty, []string{"搬家", "搬家服务部", "搬家有限公司"},
		notReal + "居民与单位搬家。", shopHours, []offer{{"小型搬家", directory.PerVisit, 380}, {"钢琴搬运", directory.PerVisit, 320}}},
	{directory.DomesticServiceKind, "pest", 15, inCounty, []string{"消杀服务部", "除螨服务部"},
		notReal + "消毒、灭虫与除螨。", officeHours, []offer{{"全屋消杀", directory.PerSquareMetre, 4}, {"床品除螨", directory.PerVisit, 90}}},
	{directory.DomesticServiceKind, "other", 10, inCounty, []string{"便民服务部", "生活服务中心"},
		notReal + "其他便民服务。", officeHours, []offer{{"便民服务", directory.PerHour, 40}}},

	{directory.StreetKind, "shopping", 10, inTownship, []string{"步行街", "商业步行街", "商业街"}, notReal + "购物休闲的步行街。", shopHours, nil},
	{directory.StreetKind, "food_street", 7, inTownship, []string{"美食街", "小吃街"}, notReal + "地方小吃集中的街。", shopHours, nil},
	{directory.StreetKind, "night_market", 8, inTownship, []string{"夜市", "晚集"}, notReal + "夜间营业的集市。", nightHours, nil},
	{directory.StreetKind, "culture", 5, inTownship, []string{"文化街区", "风情街", "老街"}, notReal + "民俗文化街区。", allDay, nil},
}

// The words that invented names are made of, the most frequent first. Any two
// of luckyCharacters make a name as well.
var (
	placeWords = []string{"昆仑", "河湟", "夏都", "雪域", "三江源", "祁连", "青海湖", "金银滩", "丁香", "格桑花", "雪莲", "湟水", "南山", "北山", "日月山", "瀚海", "高原红", "青稞地", "江源", "海湖"}

	elderWords = []string{"康乐", "夕阳红", "福寿", "幸福里", "安康", "金秋", "松鹤", "长青", "颐和", "晚晴", "仁爱", "孝亲", "重阳", "永康", "阳光", "祥和", "常青藤", "银龄", "鹤龄", "乐龄", "桑榆", "椿萱", "万福", "和睦", "温馨", "敬老", "康宁", "福星", "益寿", "怡心"}

	childWords = []string{"小太阳", "宝贝家", "童乐", "苗苗", "蓓蕾", "金贝贝", "七彩", "向日葵", "小天使", "启蒙", "育苗", "星星", "小脚丫", "爱心", "花朵", "摇篮", "童馨", "小蜜蜂", "彩虹", "快乐宝贝", "小牦牛", "小羚羊", "蒲公英", "萌芽", "贝乐"}

	homeWords = []string{"好邻居", "巧手", "安心", "马姐", "到家", "洁美", "勤劳", "王嫂", "放心", "惠民", "李姐", "爱家", "金牌", "喜洋洋", "诚信", "韩嫂", "便民", "亮洁", "万家", "祁嫂", "舒心", "贴心", "乐万家", "张姐", "好帮手", "顺达", "百姓", "靓家", "冶姐", "益家", "速洁", "美家", "暖心", "赵嫂", "邻里", "星姐", "家和", "福到家", "快手", "多杰嫂"}

	luckyCharacters = []string{"福", "康", "安", "乐", "祥", "瑞", "和", "顺", "泰", "宁", "吉", "益", "惠", "嘉", "德", "仁", "颐", "宜", "馨", "盛", "兴", "源", "恒", "诚"}
)
