package directory

import "slices"

// ReturnForm is a form in which is reported every month what the directory cannot
// know (联网直报 〔四·五〕). A form that was filled in is a [Return] (报表).
type ReturnForm struct {
	Term
	Policy string // the sections of 青政办〔2020〕62号 that need its figures
	// Kind is of the listings that report, one return each; "" for a form of counties,
	// which the officials of the bureau fill in, one for each county.
	Kind Kind
	// Bureau approves what is reported.
	Bureau Bureau
	Fields []ReturnField
}

// ReturnField is a figure that a form asks for: a whole number of something.
type ReturnField struct {
	Term
	Unit Term
	// Flow says that things are counted that happened within the month (时期数), which
	// add up over months. Others are counted at the end of the month (时点数).
	Flow bool
	// AtMost is the field that this one counts a part of, "" for none.
	AtMost string
}

// The units of reported figures.
var (
	unitBeds        = term("bed", "张", "beds")
	unitPersons     = term("person", "人", "persons")
	unitPlaces      = term("place", "个", "places")
	unitOrders      = term("order", "单", "orders")
	unitComplaints  = term("complaint", "件", "complaints")
	unitFamilies    = term("family", "户", "families")
	unitStreets     = term("street", "个", "streets")
	unitCommunities = term("community", "个", "communities")
	unitWalks       = term("pedestrian_street", "条", "pedestrian streets")
)

// The forms.
const (
	ElderCareForm       = "elder_care"
	ChildcareForm       = "childcare"
	DomesticServiceForm = "domestic_service"
	CountyHealthForm    = "county_health"
	CountyCivilForm     = "county_civil_affairs"
	CountyCommerceForm  = "county_commerce"
)

// ReturnForms are all forms.
//
// Only what follows is a relation between fields. Enrolled children may be more than
// places, because two can share one by halves of the day; complaints settled in a
// month may have been received in another.
var ReturnForms = []ReturnForm{
	{term(ElderCareForm, "养老机构月报", "Monthly return of elder care"), "三·十", ElderCareKind, CivilAffairs, []ReturnField{
		{term("beds_total", "床位总数", "Beds"), unitBeds, false, ""},
		{term("beds_nursing", "护理型床位", "Nursing beds"), unitBeds, false, "beds_total"},
		{term("beds_socially_run", "社会力量运营床位", "Socially run beds"), unitBeds, false, "beds_total"},
		{term("residents", "入住人数", "Residents"), unitPersons, false, "beds_total"},
		{term("staff", "工作人员", "Staff"), unitPersons, false, ""},
		{term("staff_nursing", "护理人员", "Nursing staff"), unitPersons, false, "staff"},
	}},
	{term(ChildcareForm, "托育机构月报", "Monthly return of childcare"), "三·十", ChildcareKind, Health, []ReturnField{
		{term("places", "托位数", "Places"), unitPlaces, false, ""},
		{term("children", "在托儿童", "Children enrolled"), unitPersons, false, ""},
		{term("staff", "工作人员", "Staff"), unitPersons, false, ""},
	}},
	{term(DomesticServiceForm, "家政企业月报", "Monthly return of domestic service"), "三·十一", DomesticServiceKind, Commerce, []ReturnField{
		{term("workers", "在岗人员", "Workers in service"), unitPersons, false, ""},
		{term("orders_completed", "完成订单", "Orders completed"), unitOrders, true, ""},
		{term("complaints_received", "收到投诉", "Complaints received"), unitComplaints, true, ""},
		{term("complaints_settled", "办结投诉", "Complaints settled"), unitComplaints, true, ""},
	}},
	{term(CountyHealthForm, "县区月报（卫健）", "Monthly return of a county, health"), "三·十", "", Health, []ReturnField{
		{term("families", "有3岁以下婴幼儿的家庭", "Families with a child under 3"), unitFamilies, false, ""},
		{term("families_guided", "接受科学育儿指导的家庭", "Families guided in raising a child"), unitFamilies, false, "families"},
	}},
	{term(CountyCivilForm, "县区月报（民政）", "Monthly return of a county, civil affairs"), "三·十", "", CivilAffairs, []ReturnField{
		{term("streets", "街道", "Streets"), unitStreets, false, ""},
		{term("streets_with_centre", "有综合养老服务机构的街道", "Streets with a comprehensive elder-care centre"), unitStreets, false, "streets"},
		{term("communities", "社区", "Communities"), unitCommunities, false, ""},
		{term("communities_with_day_care", "有日间照料机构的社区", "Communities with day care"), unitCommunities, false, "communities"},
	}},
	{term(CountyCommerceForm, "县区月报（商务）", "Monthly return of a county, commerce"), "三·七", "", Commerce, []ReturnField{
		{term("pedestrian_streets", "步行街", "Pedestrian streets"), unitWalks, false, ""},
	}},
}

// ReturnFormOf returns the form of a code; NotFound about "form" when there is none.
func ReturnFormOf(code string) (*ReturnForm, error) {
	i := slices.IndexFunc(ReturnForms, func(f ReturnForm) bool { return f.Code == code })
	if i < 0 {
		return nil, Missing("form")
	}
	return &ReturnForms[i], nil
}

// Reporter is who has to fill in a form: a listing of an organization, or a county.
type Reporter struct {
	Subject      string // id of the listing, or code of the county
	Names        Names
	Organization string // "" of a county
	Bureau       Bureau // of the form
	Region       string // of the listing, or the county itself
	Demo         bool
}

// Scope returns what somebody has to cover to do with what it reports.
func (r *Reporter) Scope() Scope {
	return Scope{Organization: r.Organization, Bureau: r.Bureau, Region: r.Region}
}

// ListingReporter returns a listing as the reporter of the form; ok is false for one
// that does not report it, because it is of another kind, of no organization, or
// neither public nor kept from the public for a time only.
func (f *ReturnForm) ListingReporter(l *Listing) (r Reporter, ok bool) {
	lives := l.Status == Published || l.Status == Suspended || l.Status == Expired
	return Reporter{l.ID, l.Names, l.OrganizationID, f.Bureau, l.Region, l.Demo}, f.Kind == l.Kind && l.OrganizationID != "" && lives
}

// CountyReporter returns a region as the reporter of the form; ok is false for one
// that does not report it.
func (f *ReturnForm) CountyReporter(reg *Region) (r Reporter, ok bool) {
	return Reporter{Subject: reg.Code, Names: reg.Names, Bureau: f.Bureau, Region: reg.Code}, f.Kind == "" && reg.Level == County
}

// Expects tells whether a listing has to report a month: one that is public, and was
// in the directory before the month ended.
func (f *ReturnForm) Expects(l *Listing, m Month) bool {
	_, ok := f.ListingReporter(l)
	return ok && l.Status == Published && l.CreatedAt.Before(m.Ends())
}

// MayReport tells whether a caller may report by permission p what is of a scope:
// members of the organization; of a county, the officials of the bureau there or
// above, and admins.
func (f *ReturnForm) MayReport(caller *Caller, p Permission, s Scope, regions *Regions) bool {
	if f.Kind != "" {
		return caller.Belongs(s.Organization)
	}
	return caller.Covers(p, s, regions) == nil
}

// MayReadReturns tells whether a caller may see by permission p what was reported of a
// scope: the members of its organization, the officials of its bureau and those of
// the bureau of statistics, and admins.
func MayReadReturns(caller *Caller, p Permission, s Scope, regions *Regions) bool {
	return caller.Covers(p, s, regions) == nil || caller.Covers(p, Scope{Bureau: Statistics, Region: s.Region}, regions) == nil
}
