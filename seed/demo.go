package seed

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"qingfu/directory"
)

// Demo returns about 300 invented listings so that there is something to show
// everywhere: every kind in every prefecture, every category, and some elder
// care, childcare and domestic service in every county. Each is marked as a
// demonstration and its name says 示例. It is the same in every call; an error
// means that the embedded regions are broken.
func Demo() ([]directory.Listing, error) {
	regions, err := Regions()
	if err != nil {
		return nil, err
	}
	d := demo{
		inventor: newInventor(regions, rand.NewPCG(2026, 11)), regions: regions,
		names: map[string]bool{}, turn: map[directory.Kind]int{},
	}
	for i := range d.counties {
		c := &d.counties[i]
		for range d.share(c) {
			d.add(directory.ElderCareKind, c)
			d.add(directory.ChildcareKind, c)
			d.add(directory.DomesticServiceKind, c)
		}
		d.add(directory.ElderCareKind, c)
		d.add(directory.DomesticServiceKind, c)
	}
	for _, prefecture := range regions.Children("630000") {
		var here []*county
		for i := range d.counties {
			if c := &d.counties[i]; c.Parent == prefecture.Code {
				here = append(here, c)
			}
		}
		for i := range 3 {
			d.add(directory.BrandKind, here[i%len(here)])
			if i < 2 {
				d.add(directory.StreetKind, here[i%len(here)])
			}
		}
	}
	d.fillStreets()
	return append(d.listings, ownListings()...), nil
}

type demo struct {
	*inventor
	regions  *directory.Regions
	listings []directory.Listing
	names    map[string]bool
	turn     map[directory.Kind]int // how many trades of the kind had their turn
}

// share is how often a county gets the basic services: large ones twice.
func (d *demo) share(c *county) int {
	if c.ResidentsCommittees >= 17 {
		return 2
	}
	return 1
}

// add invents a listing of a kind in a county, the kind's categories by turns.
func (d *demo) add(kind directory.Kind, c *county) {
	t := d.next(kind)
	for len(c.places[t.place]) == 0 { // a street centre where there are no streets
		t = d.next(kind)
	}
	l := d.invent(t, c)
	for d.names[l.Names.Zh] {
		l = d.invent(t, c)
	}
	d.names[l.Names.Zh] = true

	l.ID = newID(released(), "demo/"+string(kind)+"/"+l.Names.Zh)
	l.Location = d.near(c, 5000)
	for !d.within(*l.Location, c) { // a seat near a border, such as that of 民和
		l.Location = d.near(c, 5000)
	}
	if kind == directory.ElderCareKind && d.chance(0.3) {
		l.Phone = "12349" // the public hotline for elder care, nobody's own number
	}
	l.Satisfaction = d.verdict(len(d.listings))
	d.date(&l)
	d.listings = append(d.listings, l)
}

// within tells whether a position would be located in the county.
func (d *demo) within(p directory.Point, c *county) bool {
	_, county, err := d.regions.Locate(p)
	return err == nil && county.Code == c.Code
}

// next returns the trade of a kind whose turn it is.
func (d *demo) next(kind directory.Kind) *trade {
	first := slices.IndexFunc(trades, func(t trade) bool { return t.kind == kind })
	count := 0
	for _, t := range trades[first:] {
		if t.kind == kind {
			count++
		}
	}
	t := &trades[first+d.turn[kind]%count]
	d.turn[kind]++
	return t
}

// verdict draws ratings so that every verdict occurs, the good ones more often. There
// are few, because each is a document.
func (d *demo) verdict(i int) (s directory.Satisfaction) {
	switch i % 7 {
	case 0, 1:
		s = d.ratings(int64(d.between(40, 60)), 0.98)
	case 2:
		s = d.ratings(int64(d.between(10, 16)), 0.9)
	case 3:
		s = d.ratings(int64(d.between(20, 30)), 0.85)
	case 4:
		s = d.ratings(int64(d.between(20, 30)), 0.6)
	case 5:
		s = d.ratings(int64(d.between(1, 9)), 0.8)
	}
	return s
}

// date says that a listing was verified within the year before the release.
func (d *demo) date(l *directory.Listing) {
	verified := released().AddDate(0, 0, -d.between(1, 365)).Add(time.Duration(d.between(9*60, 17*60)) * time.Minute)
	l.VerifiedAt, l.ReviewDueAt = &verified, new(verified.Add(reviewAfter(l.Kind)))
	l.UpdatedAt = verified
	l.CreatedAt = verified.AddDate(0, 0, -d.between(0, 400))
}

// reviewAfter is how long a verification counts: 90 days where people are cared
// for, else 180.
func reviewAfter(kind directory.Kind) time.Duration {
	const day = 24 * time.Hour
	if kind == directory.ElderCareKind || kind == directory.ChildcareKind {
		return 90 * day
	}
	return 180 * day
}

// fillStreets puts the brands of a county on its streets.
func (d *demo) fillStreets() {
	for i := range d.listings {
		if street := d.listings[i].Street; street != nil {
			for _, l := range d.listings {
				if l.Kind == directory.BrandKind && strings.HasPrefix(l.Region, d.listings[i].Region[:6]) {
					street.Listings = append(street.Listings, l.ID)
				}
			}
		}
	}
}
