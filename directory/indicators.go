package directory

import "slices"

// Indicator is one of the figures by which 青政办〔2020〕62号 is followed, besides the
// satisfaction of consumers. The policy sets targets and gives no formulas; what
// counts is this project's choice and stands in Definition.
type Indicator struct {
	Code       IndicatorCode   `json:"code"`
	Names      Names           `json:"names"`
	Definition Names           `json:"definition"` // what counts as numerator and denominator
	Unit       IndicatorUnit   `json:"unit"`
	Source     IndicatorSource `json:"source"`
	Section    string          `json:"section"` // of the policy
	Target     *Target         `json:"target"`  // nil where the policy has none

	rule func(*IndicatorFacts) IndicatorFigure
}

// IndicatorCode names an indicator.
type IndicatorCode string

// The indicators, see [Indicators].
const (
	StreetCoverage         IndicatorCode = "street_coverage"
	CommunityCoverageUrban IndicatorCode = "community_coverage_urban"
	CommunityCoverageAll   IndicatorCode = "community_coverage_all"
	SociallyRunBeds        IndicatorCode = "socially_run_beds"
	NursingBeds            IndicatorCode = "nursing_beds"
	ChildcareGuidance      IndicatorCode = "childcare_guidance"
	PedestrianStreets      IndicatorCode = "pedestrian_streets"
	Brands                 IndicatorCode = "brands"
	ChildcarePlaces        IndicatorCode = "childcare_places"
	DomesticFirms          IndicatorCode = "domestic_firms"
	DomesticWorkers        IndicatorCode = "domestic_workers"
	DomesticCertified      IndicatorCode = "domestic_certified"
	DomesticCredit         IndicatorCode = "domestic_credit"
)

// IndicatorUnit is what the value of an indicator is.
type IndicatorUnit string

// The units.
const (
	ShareUnit IndicatorUnit = "share" // 0 to 1
	CountUnit IndicatorUnit = "count"
)

// IndicatorSource is who vouches for a figure.
type IndicatorSource string

// The sources.
const (
	ComputedSource IndicatorSource = "computed" // from the published listings, by this program
	ReportedSource IndicatorSource = "reported" // by counties (联网直报)
)

// Target is what the policy wants an indicator to reach.
type Target struct {
	Value    float64        `json:"value"` // in the unit of the indicator
	Relation TargetRelation `json:"relation"`
}

// TargetRelation is how a value has to compare with a target.
type TargetRelation string

// The relations.
const (
	AtLeast  TargetRelation = "at_least"  // ≥
	MoreThan TargetRelation = "more_than" // >
)

// The verdicts of an indicator besides [Met] and [NotMet].
const (
	NotApplicable Verdict = "not_applicable" // 不适用: there is nothing to divide by, or no target at this level
	NoData        Verdict = "no_data"        // 无数据: nothing was reported, or no listing states it
)

// IndicatorVerdicts are the verdicts that an indicator can have, with their names.
var IndicatorVerdicts = []Term{
	term(string(Met), "达标", "Met"),
	term(string(NotMet), "未达标", "Not met"),
	term(string(NotApplicable), "不适用", "Not applicable"),
	term(string(NoData), "无数据", "No data"),
}

// verdict compares an exact value. A quotient of two integers is rounded to the same
// float64 as the decimal target that it equals, so that a border is met exactly.
func (t *Target) verdict(value float64) Verdict {
	if value > t.Value || t.Relation == AtLeast && value == t.Value {
		return Met
	}
	return NotMet
}

// IndicatorFigure is an indicator in one region. What does not apply to it is nil or "".
type IndicatorFigure struct {
	Numerator   *int64   `json:"numerator"`
	Denominator *int64   `json:"denominator"`
	Value       *float64 `json:"value"`             // a share to 4 places; nil where there is none
	Verdict     Verdict  `json:"verdict,omitempty"` // by the exact value; "" where no target is set
	// Known is how many listings, or returns of counties, the figure comes from.
	Known *Known `json:"known,omitempty"`
	// Unplaced counts the listings that would count if it were known where exactly
	// they are.
	Unplaced   *int64          `json:"unplaced,omitempty"`
	Breakdown  []IndicatorPart `json:"breakdown,omitempty"`
	Population *int64          `json:"population,omitempty"`
	// PerThousand is the value per 1000 inhabitants, to 2 places.
	PerThousand *float64 `json:"per_thousand,omitempty"`
	Month       Month    `json:"month,omitzero"`  // that was reported
	AsOf        Date     `json:"as_of,omitempty"` // "" where nothing was reported
}

// Known is out of how many listings how many state a fact, or out of how many
// counties how many have reported.
type Known struct {
	Known int64 `json:"known"`
	Of    int64 `json:"of"`
}

// IndicatorPart is what of a count is of one type.
type IndicatorPart struct {
	Code  string `json:"code"`
	Names Names  `json:"names"`
	Value int64  `json:"value"`
}

// IndicatorFacts are what the figures of one region are made of.
type IndicatorFacts struct {
	Level   RegionLevel // of the region
	Amounts Amounts     // of the listings in the region
	// Streets are those with a street-level centre, Communities the residents'
	// committees with a day-care centre, and UrbanCommunities those of them that are
	// under a 街道.
	Streets, UrbanCommunities, Communities Coverage
	Prefectures                            Coverage // those of a province with a pedestrian street
	Population                             int64    // 0 where it is not known
	Guidance                               Returned // 科学育儿指导
}

// Coverage is how many of some divisions have something.
type Coverage struct{ Covered, All int64 }

// Returned is what the counties of a region have reported for a month.
type Returned struct {
	Month                  Month
	Numerator, Denominator int64
	Returns, Expected      int64 // counties that have reported, and that there are
	Latest                 Date
}

// IndicatorOf returns the indicator of a code; ok is false for a code that is none.
func IndicatorOf(code IndicatorCode) (i *Indicator, ok bool) {
	at := slices.IndexFunc(Indicators, func(i Indicator) bool { return i.Code == code })
	if at < 0 {
		return nil, false
	}
	return &Indicators[at], true
}

// Figure returns the indicator for a region with the given facts, without AsOf for
// what is computed.
func (i *Indicator) Figure(facts *IndicatorFacts) IndicatorFigure {
	f := i.rule(facts)
	if f.Value != nil {
		if f.Verdict == "" && i.Target != nil {
			f.Verdict = i.Target.verdict(*f.Value)
		}
		*f.Value = round4(*f.Value)
	}
	return f
}

// shareFigure is a share that does not apply where there is nothing to divide by.
func shareFigure(numerator, denominator int64) IndicatorFigure {
	f := IndicatorFigure{Numerator: &numerator, Denominator: &denominator}
	if denominator == 0 {
		f.Verdict = NotApplicable
	} else {
		f.Value = new(float64(numerator) / float64(denominator))
	}
	return f
}

func countFigure(n int64) IndicatorFigure { return IndicatorFigure{Value: new(float64(n))} }

func (c Coverage) figure(unplaced int64) IndicatorFigure {
	f := shareFigure(c.Covered, c.All)
	f.Unplaced = &unplaced
	return f
}

// partFigure is the share of a fact whose three amounts begin with known, of so many
// listings that could state it.
func (a *Amounts) partFigure(known, of Amount) IndicatorFigure {
	k := &Known{a[known], a[of]}
	if k.Known == 0 {
		return IndicatorFigure{Verdict: NoData, Known: k}
	}
	f := shareFigure(a[known+2], a[known+1])
	f.Known = k
	return f
}

// sumFigure is the sum of what listings state. Where none is listed, it is 0; where
// none of them states it, it is not known.
func (a *Amounts) sumFigure(sum, known, of Amount) IndicatorFigure {
	k := &Known{a[known], a[of]}
	if k.Known == 0 && k.Of > 0 {
		return IndicatorFigure{Verdict: NoData, Known: k}
	}
	f := countFigure(a[sum])
	f.Known = k
	return f
}

func (r *Returned) figure(level RegionLevel) IndicatorFigure {
	switch {
	case level > County: // nobody reports for less
		return IndicatorFigure{Verdict: NotApplicable}
	case r.Returns == 0:
		return IndicatorFigure{Verdict: NoData}
	}
	f := shareFigure(r.Numerator, r.Denominator)
	f.Known, f.Month, f.AsOf = &Known{r.Returns, r.Expected}, r.Month, r.Latest
	return f
}

// streetsFigure has a target in a prefecture; a province meets it when all its
// prefectures do.
func streetsFigure(facts *IndicatorFacts) IndicatorFigure {
	a := &facts.Amounts
	f := countFigure(a[nationalStreets] + a[provincialStreets])
	f.Breakdown = []IndicatorPart{
		{string(NationalStreet), badgeNames("national_street"), a[nationalStreets]},
		{string(ProvincialStreet), badgeNames("provincial_street"), a[provincialStreets]},
	}
	switch {
	case facts.Level == Province:
		c := facts.Prefectures
		f.Numerator, f.Denominator, f.Verdict = &c.Covered, &c.All, NotMet
		if c.Covered == c.All {
			f.Verdict = Met
		}
	case facts.Level > Prefecture:
		f.Verdict = NotApplicable
	}
	return f
}

func brandsFigure(facts *IndicatorFacts) IndicatorFigure {
	var parts []IndicatorPart
	var sum int64
	add := func(code string, names Names, n int64) {
		parts = append(parts, IndicatorPart{code, names, n})
		sum += n
	}
	a := &facts.Amounts
	for i, t := range brandTypes {
		add(string(t), badgeNames(string(t)), a[qingBrands+Amount(i)])
	}
	add("none", Names{Zh: "类型未确认", En: "Type not established"}, a[untypedBrands])
	f := countFigure(sum)
	f.Breakdown = parts
	return f
}

func placesFigure(facts *IndicatorFacts) IndicatorFigure {
	f := facts.Amounts.sumFigure(places, placesKnown, nurseries)
	if facts.Population > 0 {
		f.Population = &facts.Population
		if f.Value != nil {
			f.PerThousand = new(RoundTo(*f.Value*1000/float64(facts.Population), 100))
		}
	}
	return f
}

func badgeNames(code string) Names {
	t, _ := BadgeTerm(code)
	return t.Names
}

// Indicators are all indicators, in the order in which they are shown.
var Indicators = []Indicator{
	{
		Code: StreetCoverage, Names: Names{Zh: "街道综合养老服务覆盖率", En: "Streets with a comprehensive elder-care centre"},
		Definition: Names{
			Zh: "分子：有至少一个已公开的“街道综合养老服务机构”条目位于其中的街道。分母：全部街道（国家统计局2023年区划中类型为“街道”的法定区划，全省43个；按类型而不按代码认定）。没有街道的地区不适用。位置只到县级或以上的机构计入 unplaced，不计入分子。",
			En: "Numerator: streets (街道) in which at least one published listing of the category street_centre is located. Denominator: all streets, that is the legal divisions of the type 街道 in the 2023 divisions of the National Bureau of Statistics, 43 in the province, known by their type and not by their code. Not applicable where there are no streets. Centres that are placed no further than a county are counted as unplaced and are not in the numerator.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十", Target: &Target{1, AtLeast},
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Streets.figure(f.Amounts[streetCentresUnplaced]) },
	},
	{
		Code: CommunityCoverageUrban, Names: Names{Zh: "社区日间照料覆盖率（街道所辖社区）", En: "Communities under a street with a day-care centre"},
		Definition: Names{
			Zh: "分子：街道所辖居委会中，有至少一个已公开的“社区日间照料中心”条目位于其中的。分母：街道所辖的全部居委会（全省191个）。位置只到乡镇、街道或以上的条目说明不了属于哪个社区，计入 unplaced，不计入分子。另见 community_coverage_all。",
			En: "Numerator: residents' committees (居委会) under a street (街道) in which at least one published listing of the category day_care is located. Denominator: all residents' committees under a street, 191 in the province. A listing that is placed no further than a township cannot say to which community it belongs: it is counted as unplaced and is not in the numerator. See community_coverage_all as well.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十", Target: &Target{1, AtLeast},
		rule: func(f *IndicatorFacts) IndicatorFigure {
			return f.UrbanCommunities.figure(f.Amounts[dayCareUnplaced])
		},
	},
	{
		Code: CommunityCoverageAll, Names: Names{Zh: "社区日间照料覆盖率（全部居委会）", En: "Communities with a day-care centre"},
		Definition: Names{
			Zh: "分子：全部居委会中，有至少一个已公开的“社区日间照料中心”条目位于其中的。分母：全部居委会，不论属于街道还是镇乡（全省536个）。位置只到乡镇、街道或以上的条目说明不了属于哪个社区，计入 unplaced，不计入分子。另见 community_coverage_urban。",
			En: "Numerator: residents' committees (居委会) in which at least one published listing of the category day_care is located. Denominator: all residents' committees, whether under a street, a town or a township, 536 in the province. A listing that is placed no further than a township cannot say to which community it belongs: it is counted as unplaced and is not in the numerator. See community_coverage_urban as well.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十", Target: &Target{1, AtLeast},
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Communities.figure(f.Amounts[dayCareUnplaced]) },
	},
	{
		Code: SociallyRunBeds, Names: Names{Zh: "社会力量运营床位占比", En: "Share of beds that are socially run"},
		Definition: Names{
			Zh: "分子：社会力量举办或运营的养老床位数之和。分母：床位总数之和。两者都只计同时写明这两个数的已公开养老机构。机构指类别为养老院或写明床位大于0的养老条目；known 为写明这两个数的，of 为全部。",
			En: "Numerator: the sum of the beds that are run or operated by social forces (社会力量). Denominator: the sum of all beds. Both only of published institutions that state both numbers. An institution is an elder-care listing of the category nursing_home or with more than 0 beds; known is how many state both, of how many there are.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十", Target: &Target{0.6, MoreThan},
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Amounts.partFigure(sociallyRunKnown, institutions) },
	},
	{
		Code: NursingBeds, Names: Names{Zh: "护理型床位占比", En: "Share of nursing beds"},
		Definition: Names{
			Zh: "分子：护理型床位数之和。分母：床位总数之和。两者都只计同时写明这两个数的已公开养老机构。机构指类别为养老院或写明床位大于0的养老条目；known 为写明这两个数的，of 为全部。",
			En: "Numerator: the sum of the nursing beds. Denominator: the sum of all beds. Both only of published institutions that state both numbers. An institution is an elder-care listing of the category nursing_home or with more than 0 beds; known is how many state both, of how many there are.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十", Target: &Target{0.5, AtLeast},
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Amounts.partFigure(nursingKnown, institutions) },
	},
	{
		Code: ChildcareGuidance, Names: Names{Zh: "科学育儿指导率", En: "Families with guidance on child raising"},
		Definition: Names{
			Zh: "由各县按月直报：分子为接受科学育儿指导的3岁以下婴幼儿家庭数之和，分母为3岁以下婴幼儿家庭数之和，都只计已报的县；known 为已报的县数，of 为应报的县数。取最近三个完整月份中所查地区有上报的最近一个月（month）。县以下不适用。",
			En: "Reported by counties each month. Numerator: the sum of the families with children below 3 years that were guided. Denominator: the sum of the families with children below 3 years. Both only of the counties that have reported; known is how many have, of how many have to. The month is the latest of the last three full ones for which anything was reported in the region asked for. Not applicable below counties.",
		},
		Unit: ShareUnit, Source: ReportedSource, Section: "三·十", Target: &Target{0.95, AtLeast},
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Guidance.figure(f.Level) },
	},
	{
		Code: PedestrianStreets, Names: Names{Zh: "步行街", En: "Pedestrian streets"},
		Definition: Names{
			Zh: "值：已公开的国家级或省级特色步行街条目数。目标为每个市州至少一条（政策为1至2条）。全省的分子为至少有一条的市州数，分母为市州总数（8个），全部都有才达标。县及以下没有目标，不适用。",
			En: "Value: published listings of pedestrian streets that are recognized as national or provincial. The target is at least one in each prefecture (the policy says 1 to 2). For the province the numerator is how many prefectures have one and the denominator how many there are, 8; it is met when all have. Counties and what is below have no target: not applicable.",
		},
		Unit: CountUnit, Source: ComputedSource, Section: "三·七", Target: &Target{1, AtLeast},
		rule: streetsFigure,
	},
	{
		Code: Brands, Names: Names{Zh: "青字号品牌", En: "Qinghai regional brands"},
		Definition: Names{
			Zh: "值：已公开的品牌条目数，按类型细分；来源未确认类型的单列。",
			En: "Value: published listings of brands, by their type; those whose type no source establishes stand apart.",
		},
		Unit: CountUnit, Source: ComputedSource, Section: "二·二",
		rule: brandsFigure,
	},
	{
		Code: ChildcarePlaces, Names: Names{Zh: "托位数", En: "Childcare places"},
		Definition: Names{
			Zh: "值：已公开托育条目各班托位数之和，不论是否备案；known 为写明班级的，of 为全部。per_thousand 为每千常住人口托位数，只在该地区有2020年人口普查准确数时给出。",
			En: "Value: the sum of the places in all classes of published childcare listings, on record or not; known is how many state their classes, of how many there are. per_thousand is the places per 1000 inhabitants, only where the census of 2020 has an exact figure for the region.",
		},
		Unit: CountUnit, Source: ComputedSource, Section: "三·十",
		rule: placesFigure,
	},
	{
		Code: DomesticFirms, Names: Names{Zh: "家政服务机构", En: "Domestic-service firms"},
		Definition: Names{
			Zh: "值：已公开的家政服务条目数，按条目所在地区计。",
			En: "Value: published listings of domestic service, by the region in which they are located.",
		},
		Unit: CountUnit, Source: ComputedSource, Section: "三·十一",
		rule: func(f *IndicatorFacts) IndicatorFigure { return countFigure(f.Amounts[firms]) },
	},
	{
		Code: DomesticWorkers, Names: Names{Zh: "家政从业人员", En: "Domestic workers"},
		Definition: Names{
			Zh: "值：已公开家政服务条目写明的从业人数之和；known 为写明的，of 为全部。",
			En: "Value: the sum of the workers that published listings of domestic service state; known is how many state them, of how many there are.",
		},
		Unit: CountUnit, Source: ComputedSource, Section: "三·十一",
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Amounts.sumFigure(workers, workersKnown, firms) },
	},
	{
		Code: DomesticCertified, Names: Names{Zh: "家政人员持证率", En: "Domestic workers with a certificate"},
		Definition: Names{
			Zh: "分子：持证人数之和。分母：从业人数之和。两者都只计同时写明这两个数的已公开家政服务条目；known 为写明的，of 为全部。",
			En: "Numerator: the sum of the workers with a certificate. Denominator: the sum of all workers. Both only of published listings of domestic service that state both numbers; known is how many do, of how many there are.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十一",
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Amounts.partFigure(certifiedKnown, firms) },
	},
	{
		Code: DomesticCredit, Names: Names{Zh: "家政人员信用记录覆盖率", En: "Domestic workers with a credit record"},
		Definition: Names{
			Zh: "分子：有信用记录的人数之和。分母：从业人数之和。两者都只计同时写明这两个数的已公开家政服务条目；known 为写明的，of 为全部。",
			En: "Numerator: the sum of the workers with a credit record. Denominator: the sum of all workers. Both only of published listings of domestic service that state both numbers; known is how many do, of how many there are.",
		},
		Unit: ShareUnit, Source: ComputedSource, Section: "三·十一",
		rule: func(f *IndicatorFacts) IndicatorFigure { return f.Amounts.partFigure(creditKnown, firms) },
	},
}
