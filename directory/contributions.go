package directory

import "slices"

// Amount is something that adds up over listings.
type Amount uint8

// The amounts. Of a fact that listings may leave open, three belong together: how
// many listings state it, the whole of these, and the part.
const (
	streetCentres Amount = iota
	streetCentresUnplaced
	dayCare
	dayCareUnplaced
	institutions
	sociallyRunKnown
	sociallyRunWhole
	sociallyRunPart
	nursingKnown
	nursingWhole
	nursingPart
	nationalStreets
	provincialStreets
	qingBrands
	timeHonouredQinghai
	timeHonouredChina
	geographicalIndications
	untypedBrands
	nurseries
	placesKnown
	places
	firms
	workersKnown
	workers
	certifiedKnown
	certifiedWhole
	certifiedPart
	creditKnown
	creditWhole
	creditPart
	amountsEnd
)

// Amounts are what some listings add up to.
type Amounts [amountsEnd]int64

// Add adds what a listing contributes, or takes it back with the sign -1.
func (a *Amounts) Add(contributions []Contribution, sign int64) {
	for _, c := range contributions {
		a[c.Amount] += sign * int64(c.By)
	}
}

// HasStreetCentre tells whether there is a street-level comprehensive elder-care centre.
func (a *Amounts) HasStreetCentre() bool { return a[streetCentres] > 0 }

// HasDayCare tells whether there is a community day-care centre.
func (a *Amounts) HasDayCare() bool { return a[dayCare] > 0 }

// HasStreet tells whether there is a recognized pedestrian street.
func (a *Amounts) HasStreet() bool { return a[nationalStreets]+a[provincialStreets] > 0 }

// Contribution is by how much a listing raises an amount.
type Contribution struct {
	Amount Amount
	By     int32
}

// Contributions returns what the listing adds to the amounts of its region, which is
// of the given level: nothing unless it is published.
func (l *Listing) Contributions(level RegionLevel) []Contribution {
	if l.Status != Published {
		return nil
	}
	var out contributions
	switch l.Kind {
	case ElderCareKind:
		out.elderCare(l, level)
	case StreetKind:
		if l.Street != nil {
			out.one(nationalStreets, l.Street.Level == NationalStreet)
			out.one(provincialStreets, l.Street.Level == ProvincialStreet)
		}
	case BrandKind:
		out.brand(l.Brand)
	case ChildcareKind:
		out.childcare(l.Childcare)
	case DomesticServiceKind:
		out.domesticService(l.DomesticService)
	}
	return out
}

type contributions []Contribution

func (c *contributions) add(amount Amount, by int) {
	if by != 0 {
		*c = append(*c, Contribution{amount, int32(by)})
	}
}

func (c *contributions) one(amount Amount, has bool) {
	if has {
		c.add(amount, 1)
	}
}

// part adds a part of a whole where both are stated.
func (c *contributions) part(known Amount, part, whole *int) {
	if part != nil && whole != nil {
		c.add(known, 1)
		c.add(known+1, *whole)
		c.add(known+2, *part)
	}
}

func (c *contributions) elderCare(l *Listing, level RegionLevel) {
	centre, day := slices.Contains(l.Categories, "street_centre"), slices.Contains(l.Categories, "day_care")
	c.one(streetCentres, centre)
	c.one(streetCentresUnplaced, centre && level < Township)
	c.one(dayCare, day)
	c.one(dayCareUnplaced, day && level < Community)
	var e ElderCare
	if l.ElderCare != nil {
		e = *l.ElderCare
	}
	if slices.Contains(l.Categories, "nursing_home") || e.BedsTotal != nil && *e.BedsTotal > 0 {
		c.add(institutions, 1)
		c.part(sociallyRunKnown, e.BedsSociallyRun, e.BedsTotal)
		c.part(nursingKnown, e.BedsNursing, e.BedsTotal)
	}
}

func (c *contributions) brand(b *Brand) {
	amount := untypedBrands
	if b != nil {
		switch b.Type {
		case QingBrand:
			amount = qingBrands
		case TimeHonouredQinghai:
			amount = timeHonouredQinghai
		case TimeHonouredChina:
			amount = timeHonouredChina
		case GeographicalIndication:
			amount = geographicalIndications
		}
	}
	c.add(amount, 1)
}

func (c *contributions) childcare(k *Childcare) {
	c.add(nurseries, 1)
	if k == nil || len(k.Classes) == 0 {
		return
	}
	c.add(placesKnown, 1)
	for _, class := range k.Classes {
		c.add(places, class.Capacity)
	}
}

func (c *contributions) domesticService(d *DomesticService) {
	c.add(firms, 1)
	if d == nil {
		return
	}
	if d.Workers != nil {
		c.add(workersKnown, 1)
		c.add(workers, *d.Workers)
	}
	c.part(certifiedKnown, d.WorkersCertified, d.Workers)
	c.part(creditKnown, d.WorkersWithCredit, d.Workers)
}
