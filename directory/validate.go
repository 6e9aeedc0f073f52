package directory

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// The values that a listing's enumerated fields may have, in the order in which
// they are documented.
var (
	kinds = []Kind{BrandKind, ElderCareKind, ChildcareKind, DomesticServiceKind, StreetKind}

	statuses = []Status{Draft, Published, Suspended, Expired, Archived}
	origins  = []Origin{Seeded, Registered, Imported}
	units    = []Unit{PerVisit, PerHour, PerDay, PerMonth, PerSquareMetre}
)

// bounds is the box that every location must lie in: Qinghai (31.60–39.21° N,
// 89.41–103.07° E) with a margin for the datum and for schematic borders.
// Brands are no exception: what a brand sells elsewhere belongs to no region of
// this directory.
var bounds = Box{South: 31.5, West: 89.3, North: 39.3, East: 103.1}

// phonePattern is what may be published as a service line: a landline of
// Qinghai (area codes 0970–0977 and 0979, the leading 0 and an extension being
// optional), a 400 number, or one of the public hotlines 12345 (政务), 12349
// (养老) and 12315 (消费者). A mobile number counts as personal data and is refused.
var phonePattern = regexp.MustCompile(`^(?:0?97[0-79]-?[0-9]{7}(?:-[0-9]{1,6})?|400-?[0-9]{3}-?[0-9]{4}|12345|12349|12315)$`)

// photoPattern is the id of a photo, a hash.
var photoPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// maxPhotos is how many photos a listing has.
const maxPhotos = 20

// The largest number of ratings of one level, and the highest price in fen.
const (
	maxRatings = 1_000_000_000
	maxPrice   = 100_000_000
)

// Validate checks the listing against every rule of docs/listing-format.md. It
// returns an Invalid error that holds all wrong fields at once, or nil.
func (l *Listing) Validate(regions *Regions) error {
	c := &checks{}
	c.id("/id", l.ID)
	oneOf(c, "/kind", l.Kind, kinds)
	l.checkTexts(c)
	l.checkPlace(c, regions)
	if l.Hours != nil {
		c.under("/hours", func() { l.Hours.check(c) })
	}
	l.checkCategories(c)
	each(c, "/offerings", l.Offerings, 100, func(o *Offering) { o.check(c, l.Kind) })
	distinct(c, "/features", l.Features, 30, func(code string) {
		if _, ok := FeatureTerm(code); !ok {
			c.add("", CodeValue, codes(Features))
		}
	})
	l.checkState(c)
	l.checkParts(c, regions)
	return InvalidFields("listing", c.fields)
}

// codes writes a vocabulary for a FieldError's Limit.
func codes(terms []Term) string {
	out := make([]string, len(terms))
	for i, t := range terms {
		out[i] = t.Code
	}
	return list(out)
}

func (l *Listing) checkTexts(c *checks) {
	if c.required("/names/zh", l.Names.Zh, 80) && hasDemoMark(l.Names.Zh) != l.Demo {
		c.add("/names/zh", CodeMismatch, "/demo")
	}
	c.text("/names/bo", l.Names.Bo, 200)
	c.text("/names/mn", l.Names.Mn, 200)
	c.text("/names/en", l.Names.En, 200)
	distinct(c, "/aliases", l.Aliases, 20, func(alias string) { c.required("", alias, 80) })
	c.text("/summary", l.Summary, 200)
	c.paragraphs("/description", l.Description, 5000)
	c.text("/organization", l.Organization, 120)
	if l.OrganizationID != "" {
		c.id("/organization_id", l.OrganizationID)
	}
	c.text("/external_id", l.ExternalID, 80)
	if l.MergedInto != "" {
		c.id("/merged_into", l.MergedInto)
	}
	each(c, "/photos", l.Photos, maxPhotos, func(p *Photo) {
		if !photoPattern.MatchString(p.ID) {
			c.add("/id", CodeFormat, "")
		}
		c.text("/caption", p.Caption, 100)
	})
	c.text("/address", l.Address, 200)
}

func (l *Listing) checkPlace(c *checks, regions *Regions) {
	switch {
	case l.Region == "":
		c.add("/region", CodeRequired, "")
	case !regions.Has(l.Region):
		c.add("/region", CodeValue, "")
	}
	if p := l.Location; p != nil {
		c.degrees("/location/lat", p.Lat, bounds.South, bounds.North)
		c.degrees("/location/lon", p.Lon, bounds.West, bounds.East)
	}
	if l.Phone != "" && !phonePattern.MatchString(l.Phone) {
		c.add("/phone", CodeFormat, phoneForm)
	}
}

func (c *checks) degrees(pointer string, v, min, max float64) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		c.add(pointer, CodeFormat, "number")
	case v < min:
		c.add(pointer, CodeTooSmall, strconv.FormatFloat(min, 'f', -1, 64))
	case v > max:
		c.add(pointer, CodeTooLarge, strconv.FormatFloat(max, 'f', -1, 64))
	}
}

func (h *Hours) check(c *checks) {
	if h.Always {
		if !h.Week.IsZero() {
			c.add("/week", CodeMismatch, "/hours/always")
		}
		if h.Holidays != nil {
			c.add("/holidays", CodeMismatch, "/hours/always")
		}
	}
	w := &h.Week
	c.intervals("/week/mon", w.Mon)
	c.intervals("/week/tue", w.Tue)
	c.intervals("/week/wed", w.Wed)
	c.intervals("/week/thu", w.Thu)
	c.intervals("/week/fri", w.Fri)
	c.intervals("/week/sat", w.Sat)
	c.intervals("/week/sun", w.Sun)
	if h.Holidays != nil {
		c.intervals("/holidays", *h.Holidays)
	}
	each(c, "/exceptions", h.Exceptions, 100, func(e *HoursException) {
		if e.From == "" {
			c.add("/from", CodeRequired, "")
		}
		if e.To == "" {
			c.add("/to", CodeRequired, "")
		}
		c.date("/from", e.From)
		c.date("/to", e.To)
		c.ordered("/to", e.From, e.To)
		c.intervals("/intervals", e.Intervals)
		c.text("/note", e.Note, 200)
	})
}

// intervals checks those of one day. 00:00-00:00 is refused although its type
// allows it: people write it for closed and for the whole day, which are an
// empty list and 00:00-24:00.
func (c *checks) intervals(pointer string, day []Interval) {
	seen := 0
	each(c, pointer, day, 10, func(i *Interval) {
		if *i == (Interval{}) || i.Open < 0 || i.Open >= 24*60 || i.Close < 0 || i.Close > 24*60 {
			c.add("", CodeFormat, intervalForm)
		} else if k := slices.IndexFunc(day[:seen], i.overlaps); k >= 0 {
			text, _ := day[k].MarshalText()
			c.add("", CodeMismatch, string(text))
		}
		seen++
	})
}

func (l *Listing) checkCategories(c *checks) {
	distinct(c, "/categories", l.Categories, len(Categories), func(code string) { c.category("", code, l.Kind) })
	switch l.Kind {
	case ElderCareKind, ChildcareKind:
		if len(l.Categories) > 1 {
			c.add("/categories", CodeTooLong, "1")
		}
		fallthrough
	case DomesticServiceKind:
		if len(l.Categories) == 0 {
			c.add("/categories", CodeRequired, categoryCodes(l.Kind))
		}
	}
}

// category checks that there is such a category and that it is the kind's. For
// a kind that is none it must only exist.
func (c *checks) category(pointer, code string, kind Kind) {
	category, ok := CategoryOf(code)
	switch {
	case !ok:
		c.add(pointer, CodeValue, categoryCodes(kind))
	case category.Kind != kind && slices.Contains(kinds, kind):
		c.add(pointer, CodeMismatch, "/kind")
	}
}

func categoryCodes(kind Kind) string {
	var out []string
	for _, category := range Categories {
		if category.Kind == kind {
			out = append(out, category.Code)
		}
	}
	return list(out)
}

func (o *Offering) check(c *checks, kind Kind) {
	if o.Category != "" {
		c.category("/category", o.Category, kind)
	}
	c.required("/name", o.Name, 80)
	oneOf(c, "/unit", o.Unit, units)
	lowOK := c.between("/price_min", o.PriceMin, 0, maxPrice)
	highOK := c.between("/price_max", o.PriceMax, 0, maxPrice)
	if lowOK && highOK && o.PriceMax < o.PriceMin {
		c.add("/price_max", CodeTooSmall, strconv.FormatInt(o.PriceMin, 10))
	}
}

func (l *Listing) checkState(c *checks) {
	oneOf(c, "/status", l.Status, statuses)
	c.between("/revision", l.Revision, 0, math.MaxInt64)
	p := &l.Provenance
	oneOf(c, "/provenance/origin", p.Origin, origins)
	c.text("/provenance/source", p.Source, 500)
	c.text("/provenance/confidence", p.Confidence, 500)
	c.text("/provenance/note", p.Note, 500)
	each(c, "/satisfaction/levels", l.Satisfaction.Levels[:], len(l.Satisfaction.Levels), func(n *int64) {
		c.between("", *n, 0, maxRatings)
	})
	if l.CreatedAt.IsZero() {
		c.add("/created_at", CodeRequired, "")
	}
	switch {
	case l.UpdatedAt.IsZero():
		c.add("/updated_at", CodeRequired, "")
	case l.UpdatedAt.Before(l.CreatedAt):
		c.add("/updated_at", CodeTooSmall, l.CreatedAt.Format(time.RFC3339))
	}
}

// checkParts checks the kind's own part and that there is no other.
func (l *Listing) checkParts(c *checks, regions *Regions) {
	part := func(pointer string, kind Kind, set bool, check func()) {
		switch {
		case !set:
		case l.Kind != kind:
			c.add(pointer, CodeMismatch, "/kind")
		default:
			c.under(pointer, check)
		}
	}
	part("/brand", BrandKind, l.Brand != nil, func() { l.Brand.check(c) })
	part("/elder_care", ElderCareKind, l.ElderCare != nil, func() { l.ElderCare.check(c) })
	part("/childcare", ChildcareKind, l.Childcare != nil, func() { l.Childcare.check(c) })
	part("/domestic_service", DomesticServiceKind, l.DomesticService != nil, func() { l.DomesticService.check(c, regions) })
	part("/pedestrian_street", StreetKind, l.Street != nil, func() { l.Street.check(c, l.ID) })
}
