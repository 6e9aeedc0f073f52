package directory

// Completeness is how much of what people look for a listing says.
type Completeness struct {
	Score   int      // per cent, 0 to 100
	Missing []string // JSON pointers of what it does not say: first what its kind asks for
}

// part is something that a listing of a kind should say.
type part struct {
	pointer string
	weight  int
	has     func(*Listing) bool
}

// wanted is what listings should say, the weightiest first; the weights are our
// judgement of what residents ask for.
var wanted = []part{
	{"/phone", 15, func(l *Listing) bool { return l.Phone != "" }},
	{"/hours", 15, func(l *Listing) bool { return l.Hours != nil }},
	{"/location", 15, func(l *Listing) bool { return l.Location != nil }},
	{"/address", 10, func(l *Listing) bool { return l.Address != "" }},
	{"/photos", 10, func(l *Listing) bool { return len(l.Photos) > 0 }},
	{"/description", 10, func(l *Listing) bool { return l.Description != "" }},
	{"/summary", 5, func(l *Listing) bool { return l.Summary != "" }},
	{"/categories", 5, func(l *Listing) bool { return len(l.Categories) > 0 }},
	{"/features", 5, func(l *Listing) bool { return len(l.Features) > 0 }},
}

var wantedByKind = map[Kind][]part{
	BrandKind: {
		{"/brand/type", 10, func(l *Listing) bool { return l.Brand != nil && l.Brand.Type != "" }},
		{"/brand/certificates", 10, func(l *Listing) bool { return l.Brand != nil && len(l.Brand.Certificates) > 0 }},
	},
	ElderCareKind: {
		{"/offerings", 10, func(l *Listing) bool { return len(l.Offerings) > 0 }},
		{"/elder_care/beds_total", 10, func(l *Listing) bool { return l.ElderCare != nil && l.ElderCare.BedsTotal != nil }},
		{"/elder_care/beds_occupied", 10, func(l *Listing) bool { return l.ElderCare != nil && l.ElderCare.BedsOccupied != nil }},
		{"/elder_care/operation", 5, func(l *Listing) bool { return l.ElderCare != nil && l.ElderCare.Operation != "" }},
	},
	ChildcareKind: {
		{"/offerings", 10, func(l *Listing) bool { return len(l.Offerings) > 0 }},
		{"/childcare/record_number", 10, func(l *Listing) bool { return l.Childcare != nil && l.Childcare.RecordNumber != "" }},
		{"/childcare/classes", 10, func(l *Listing) bool { return l.Childcare != nil && len(l.Childcare.Classes) > 0 }},
		{"/childcare/modes", 5, func(l *Listing) bool { return l.Childcare != nil && len(l.Childcare.Modes) > 0 }},
	},
	DomesticServiceKind: {
		{"/offerings", 15, func(l *Listing) bool { return len(l.Offerings) > 0 }},
		{"/domestic_service/counties_served", 10, func(l *Listing) bool { return l.DomesticService != nil && len(l.DomesticService.CountiesServed) > 0 }},
		{"/domestic_service/employment", 5, func(l *Listing) bool { return l.DomesticService != nil && l.DomesticService.Employment != "" }},
		{"/domestic_service/workers", 5, func(l *Listing) bool { return l.DomesticService != nil && l.DomesticService.Workers != nil }},
	},
	StreetKind: {
		{"/pedestrian_street/length_m", 5, func(l *Listing) bool { return l.Street != nil && l.Street.LengthM != nil }},
		{"/pedestrian_street/shops", 5, func(l *Listing) bool { return l.Street != nil && l.Street.Shops != nil }},
	},
}

// Completeness tells how complete a listing is.
func (l *Listing) Completeness() Completeness {
	c := Completeness{Missing: []string{}}
	have, all := 0, 0
	for _, parts := range [][]part{wantedByKind[l.Kind], wanted} {
		for _, p := range parts {
			all += p.weight
			if p.has(l) {
				have += p.weight
			} else {
				c.Missing = append(c.Missing, p.pointer)
			}
		}
	}
	c.Score = have * 100 / all
	return c
}
