package seed

import "qingfu/directory"

// demoHome and demoFacility are the listings of the demonstration organization, which
// can be booked at once.
const (
	demoHome     = "示例·湟水家政服务中心"
	demoFacility = "示例·湟水颐养院"
)

// ownListings returns the listings of the demonstration organization. Nobody has rated
// them yet, and they need not be confirmed: there is nobody who would.
func ownListings() []directory.Listing {
	o, _ := DemoOrganization()
	beds, nursing, occupied, workers := 60, 40, 45, 18
	verified := released().AddDate(0, 0, -10)
	day := []directory.Interval{{Open: 8 * 60, Close: 20 * 60}}
	out := []directory.Listing{{
		Kind: directory.DomesticServiceKind, Names: directory.Names{Zh: demoHome}, Summary: notReal + "可在线预约保洁和居家照护。",
		Region: "630102001", Address: "东关大街街道示例巷1号", Location: &directory.Point{Lat: 36.612, Lon: 101.795}, Hours: &directory.Hours{Week: everyDay(day)},
		Categories: []string{"cleaning", "elder_home"},
		Offerings: []directory.Offering{
			{Category: "cleaning", Name: "日常保洁", Unit: directory.PerHour, PriceMin: 4000, PriceMax: 5000},
			{Category: "elder_home", Name: "居家照护", Unit: directory.PerVisit, PriceMin: 8000, PriceMax: 12000},
		},
		DomesticService: &directory.DomesticService{CountiesServed: []string{"630102", "630103"}, Employment: directory.Employees, Workers: &workers},
	}, {
		Kind: directory.ElderCareKind, Names: directory.Names{Zh: demoFacility}, Summary: notReal + "可预约参观。",
		Region: "630102001", Address: "东关大街街道示例巷2号", Location: &directory.Point{Lat: 36.613, Lon: 101.797}, Hours: &directory.Hours{Always: true},
		Categories: []string{"nursing_home"},
		Offerings:  []directory.Offering{{Category: "nursing_home", Name: "双人间", Unit: directory.PerMonth, PriceMin: 200000, PriceMax: 260000}},
		ElderCare:  &directory.ElderCare{Operation: directory.PrivatePrivate, BedsTotal: &beds, BedsNursing: &nursing, BedsOccupied: &occupied},
	}}
	for i := range out {
		l := &out[i]
		l.ID = newID(released(), "demo/"+string(l.Kind)+"/"+l.Names.Zh)
		l.OrganizationID, l.Organization, l.Demo, l.Status = o.ID, o.LegalName, true, directory.Published
		l.Provenance = directory.Provenance{Origin: directory.Seeded, Source: "示例数据"}
		l.VerifiedAt, l.CreatedAt, l.UpdatedAt = &verified, verified, verified
	}
	return out
}

// everyDay is a week of days that are alike.
func everyDay(day []directory.Interval) directory.Week {
	return directory.Week{Mon: day, Tue: day, Wed: day, Thu: day, Fri: day, Sat: day, Sun: day}
}

// DemoCalendar returns the booking calendar of the demonstration organization's domestic
// service: slots of two hours every day, for two at a time.
func DemoCalendar() directory.BookingCalendar {
	home := ownListings()[0]
	return directory.BookingCalendar{
		Listing: home.ID, Hours: *home.Hours, SlotMinutes: 120, Capacity: 2, NoticeMinutes: 60, HorizonDays: 60, UpdatedAt: released(),
	}
}
