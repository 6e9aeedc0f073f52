package directory

// The values that the enumerated fields of the kinds' own parts may have.
var (
	brandTypes          = []BrandType{QingBrand, TimeHonouredQinghai, TimeHonouredChina, GeographicalIndication}
	certificateStatuses = []CertificateStatus{CertificateValid, CertificateExpired, CertificateRevoked}
	operations          = []Operation{PublicPublic, PublicPrivate, PrivateAided, PrivatePrivate}
	recordStates        = []RecordState{OnRecord, RecordFiled, RecordEnded, NotOnRecord}
	classGroups         = []ClassGroup{InfantClass, ToddlerClass, SeniorClass, MixedClass}
	childcareModes      = []ChildcareMode{FullDay, HalfDay, ByHour, Occasion}
	employments         = []Employment{Employees, Agency}
	streetLevels        = []StreetLevel{NationalStreet, ProvincialStreet}
)

// maxCount bounds beds, places and workers: more than any one institution of
// the province has, so that a slip of the keyboard is seen.
const maxCount = 100_000

func (b *Brand) check(c *checks) {
	optional(c, "/type", b.Type, brandTypes)
	if b.Founded != 0 {
		c.between("/founded", int64(b.Founded), 1000, 2100)
	}
	each(c, "/certificates", b.Certificates, 20, func(cert *Certificate) {
		c.text("/number", cert.Number, 100)
		c.required("/grantor", cert.Grantor, 120)
		c.date("/valid_from", cert.ValidFrom)
		c.date("/valid_until", cert.ValidUntil)
		c.ordered("/valid_until", cert.ValidFrom, cert.ValidUntil)
		oneOf(c, "/status", cert.Status, certificateStatuses)
	})
}

func (e *ElderCare) check(c *checks) {
	optional(c, "/operation", e.Operation, operations)
	c.between("/grade", int64(e.Grade), 0, 5)
	c.count("/beds_total", e.BedsTotal, maxCount)
	c.beds("/beds_nursing", e.BedsNursing, e.BedsTotal)
	c.beds("/beds_socially_run", e.BedsSociallyRun, e.BedsTotal)
	c.beds("/beds_occupied", e.BedsOccupied, e.BedsTotal)
	c.count("/day_places", e.DayPlaces, maxCount)
}

// beds checks some of a facility's beds, which mean nothing without their total.
func (c *checks) beds(pointer string, v, total *int) {
	c.part(pointer, v, total, maxCount)
	if v != nil && total == nil {
		c.add(pointer, CodeNeeds, "/elder_care/beds_total")
	}
}

func (k *Childcare) check(c *checks) {
	c.text("/record_number", k.RecordNumber, 100)
	optional(c, "/record_state", k.RecordState, recordStates)
	seen := 0
	each(c, "/classes", k.Classes, len(classGroups), func(class *ChildcareClass) {
		if oneOf(c, "/group", class.Group, classGroups) {
			for _, other := range k.Classes[:seen] {
				if other.Group == class.Group {
					c.add("/group", CodeDuplicate, "")
					break
				}
			}
		}
		seen++
		c.between("/capacity", int64(class.Capacity), 0, 1000)
		c.between("/vacancies", int64(class.Vacancies), 0, max(0, min(int64(class.Capacity), 1000)))
	})
	distinct(c, "/modes", k.Modes, len(childcareModes), func(m ChildcareMode) { oneOf(c, "", m, childcareModes) })
}

func (d *DomesticService) check(c *checks, regions *Regions) {
	distinct(c, "/counties_served", d.CountiesServed, 60, func(code string) {
		if reg, err := regions.Get(code); err != nil || reg.Level != County {
			c.add("", CodeValue, "")
		}
	})
	optional(c, "/employment", d.Employment, employments)
	c.count("/workers", d.Workers, maxCount)
	c.part("/workers_certified", d.WorkersCertified, d.Workers, maxCount)
	c.part("/workers_with_credit", d.WorkersWithCredit, d.Workers, maxCount)
	c.date("/credit_checked_at", d.CreditCheckedAt)
}

// check takes the id of the street itself, which cannot be one of its shops.
func (s *Street) check(c *checks, id string) {
	c.count("/length_m", s.LengthM, 20_000)
	c.count("/shops", s.Shops, 5000)
	optional(c, "/level", s.Level, streetLevels)
	seen := make(map[string]bool, len(s.Listings))
	each(c, "/listings", s.Listings, 5000, func(shop *string) {
		c.id("", *shop)
		switch {
		case *shop == id && id != "":
			c.add("", CodeMismatch, "/id")
		case seen[*shop]:
			c.add("", CodeDuplicate, "")
		}
		seen[*shop] = true
	})
}
