package seed

import (
	"math"

	"qingfu/directory"
)

func (v *inventor) brand() *directory.Brand {
	b := &directory.Brand{Founded: v.between(1950, 2024)}
	types := []directory.BrandType{"", directory.QingBrand, directory.TimeHonouredQinghai, directory.GeographicalIndication, directory.TimeHonouredChina}
	b.Type = types[v.zipf(len(types))]
	if b.Type != "" {
		b.Certificates = []directory.Certificate{{
			Number: "示例", Grantor: "示例认定单位", ValidFrom: "2024-01-01", ValidUntil: "2028-12-31", Status: directory.CertificateValid,
		}}
	}
	return b
}

// elderCare makes up the beds of a home or a street centre and the day places
// of the others. A home has 104 beds on average (23,470 beds in 225 homes,
// 2023-10), 60% of them for nursing (2025-10).
func (v *inventor) elderCare(t *trade) *directory.ElderCare {
	e := &directory.ElderCare{}
	switch t.category {
	case "nursing_home":
		e.Operation = one(v, []directory.Operation{directory.PublicPublic, directory.PublicPublic, directory.PublicPrivate, directory.PrivatePrivate, directory.PrivateAided})
		v.beds(e, clamp(int(v.logNormal(85, 0.65)), 10, 800))
		e.CareInsurance = v.chance(0.15)
		if v.chance(0.4) {
			e.Grade = 1 + v.zipf(5)
		}
	case "street_centre":
		e.Operation = one(v, []directory.Operation{directory.PublicPrivate, directory.PublicPrivate, directory.PublicPublic})
		v.beds(e, v.between(10, 60))
		e.DayPlaces = new(v.between(15, 60))
	case "day_care":
		e.Operation = one(v, []directory.Operation{directory.PublicPublic, directory.PublicPrivate})
		e.DayPlaces = new(v.between(10, 50))
	case "mutual_help":
		e.Operation = directory.PublicPublic
		e.DayPlaces = new(v.between(5, 30))
	}
	return e
}

func (v *inventor) beds(e *directory.ElderCare, total int) {
	part := func(share, spread float64) *int {
		return new(int(math.Round(float64(total) * clamp(share+spread*v.NormFloat64(), 0, 1))))
	}
	e.BedsTotal = new(total)
	e.BedsNursing = part(0.6, 0.15)
	e.BedsOccupied = part(0.7, 0.25)
	e.BedsSociallyRun = new(total)
	if e.Operation == directory.PublicPublic {
		e.BedsSociallyRun = new(0)
	}
}

// childcare makes up classes of the sizes that 国卫人口发〔2019〕58号 allows; a
// family nursery takes up to 5 children (家庭托育点管理办法, 2023).
func (v *inventor) childcare(t *trade) *directory.Childcare {
	c := &directory.Childcare{RecordState: directory.OnRecord}
	if v.chance(0.3) {
		c.RecordState = one(v, []directory.RecordState{directory.RecordFiled, directory.NotOnRecord, directory.RecordEnded})
	}
	add := func(group directory.ClassGroup, capacity int) {
		c.Classes = append(c.Classes, directory.ChildcareClass{Group: group, Capacity: capacity, Vacancies: v.zipf(capacity + 1)})
	}
	c.Modes = []directory.ChildcareMode{directory.FullDay}
	switch t.category {
	case "family":
		add(directory.MixedClass, v.between(3, 5))
		return c
	case "standalone":
		add(directory.InfantClass, 10*v.between(1, 2))
		c.Modes = append(c.Modes, directory.HalfDay, directory.ByHour)
	case "community_embedded":
		c.Modes = append(c.Modes, directory.Occasion)
	}
	if v.chance(0.3) {
		add(directory.MixedClass, 18)
		return c
	}
	add(directory.ToddlerClass, 15*v.between(1, 3))
	add(directory.SeniorClass, 20*v.between(1, 3))
	return c
}

// domesticService makes up a firm of a county, which also serves some of its
// neighbours. 1034 firms have 100,000 workers (2024-08): few are large.
func (v *inventor) domesticService(c *county) *directory.DomesticService {
	d := &directory.DomesticService{Employment: directory.Agency, Insured: v.chance(0.4)}
	if v.chance(0.25) {
		d.Employment = directory.Employees
	}
	d.CountiesServed = append(make([]string, 0, 4), c.Code)
	for _, code := range c.siblings[v.IntN(len(c.siblings)):] {
		if code != c.Code && len(d.CountiesServed) < 4 && v.chance(0.5) {
			d.CountiesServed = append(d.CountiesServed, code)
		}
	}
	workers := clamp(int(v.logNormal(40, 1.2)), 2, 5000)
	d.Workers = new(workers)
	d.WorkersCertified = new(v.between(0, workers))
	if v.chance(0.5) {
		d.WorkersWithCredit = new(v.between(0, workers))
		d.CreditCheckedAt = "2026-09-30"
	}
	return d
}

func (v *inventor) street(t *trade) *directory.Street {
	s := &directory.Street{
		LengthM:     new(10 * v.between(15, 120)),
		Shops:       new(v.between(20, 240)),
		NightMarket: t.category == "night_market" || v.chance(0.2),
	}
	switch {
	case v.chance(0.2):
		s.Level = directory.ProvincialStreet
	case v.chance(0.05):
		s.Level = directory.NationalStreet
	}
	return s
}
