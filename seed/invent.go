package seed

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"qingfu/directory"
)

// inventor makes up listings that say so: their names begin with 示例.
type inventor struct {
	*rand.Rand
	counties []county
	openings [openings][]*directory.Hours
	domestic []*trade // the trades of domestic service
}

// county is where invented listings stand.
type county struct {
	directory.Region
	formal, short string                    // 大通县 and 大通
	bo            map[directory.Kind]string // Tibetan names of its services
	places        [inVillage + 1][]place
	siblings      []string // the codes of its prefecture's counties, itself included
	reachM        float64  // half the way to the nearest other seat, less a margin
}

// place is a region that a listing can stand in.
type place struct {
	code, name string // the name as it stands in names of listings
	township   string // the name of the township, for an address
}

func newInventor(regions *directory.Regions, source rand.Source) *inventor {
	v := &inventor{Rand: rand.New(source), openings: openingPool()}
	for i := range trades {
		if trades[i].kind == directory.DomesticServiceKind {
			v.domestic = append(v.domestic, &trades[i])
		}
	}
	var seats []directory.Point
	for _, r := range regions.All() {
		if r.Level == directory.County {
			v.counties = append(v.counties, newCounty(regions, r))
			seats = append(seats, *r.Seat)
		}
	}
	for i := range v.counties {
		c := &v.counties[i]
		c.reachM = math.Inf(1)
		for j, seat := range seats {
			if i != j {
				c.reachM = min(c.reachM, 0.45*directory.Distance(*c.Seat, seat))
			}
		}
	}
	return v
}

func newCounty(regions *directory.Regions, r directory.Region) county {
	c := county{Region: r, formal: r.Names.Zh, short: r.Names.Zh, bo: map[directory.Kind]string{}}
	if short := r.ShortNames(); len(short) > 0 {
		c.short = short[len(short)-1]
		if len([]rune(r.Names.Zh)) > 4 {
			c.formal = short[0]
		}
	}
	for _, k := range directory.Kinds {
		if r.Names.Bo != "" && k.Names.Bo != "" {
			c.bo[directory.Kind(k.Code)] = r.Names.Bo + "་" + k.Names.Bo
		}
	}
	for _, sibling := range regions.Children(r.Parent) {
		c.siblings = append(c.siblings, sibling.Code)
	}
	c.places[inCounty] = []place{{r.Code, c.formal, c.formal}}
	for _, t := range regions.Children(r.Code) {
		if t.Level != directory.Township {
			continue
		}
		p := place{t.Code, t.Names.Zh, t.Names.Zh}
		c.places[inTownship] = append(c.places[inTownship], p)
		if t.Type == "街道" {
			c.places[inStreet] = append(c.places[inStreet], p)
		}
		for _, community := range regions.Children(t.Code) {
			p := place{community.Code, community.Names.Zh, t.Names.Zh}
			if community.Type == "居委会" {
				c.places[inResidents] = append(c.places[inResidents], p)
			} else {
				c.places[inVillage] = append(c.places[inVillage], p)
			}
		}
	}
	return c
}

// invent makes up a listing of a trade in a county that has a place for it. It
// lacks an id, dates and ratings.
func (v *inventor) invent(t *trade, c *county) directory.Listing {
	p := one(v, c.places[t.place])
	l := directory.Listing{
		Kind: t.kind, Summary: t.summary, Region: p.code, Demo: true, Status: directory.Published,
		Hours:      one(v, v.openings[t.opening]),
		Categories: []string{t.category},
		Provenance: directory.Provenance{Origin: directory.Seeded, Source: "示例数据"},
	}
	l.Names.Zh = v.name(t, c, p)
	if v.chance(0.3) {
		l.Names.Bo = c.bo[t.kind]
	}
	if t.place == inCounty && v.chance(0.7) {
		p = one(v, c.places[inTownship]) // its name speaks of the county, but it has an address
		l.Region = p.code
	}
	l.Address = p.township + "示例路" + strconv.Itoa(v.between(1, 199)) + "号"
	v.offer(&l, t)
	switch t.kind {
	case directory.BrandKind:
		l.Brand = v.brand()
	case directory.ElderCareKind:
		l.ElderCare = v.elderCare(t)
		if l.Features = v.features("accessible", "meals", "tibetan_spoken"); l.ElderCare.BedsTotal != nil {
			l.Features = append(l.Features, v.features("medical_care", "family_visits", "night_care")...)
		}
	case directory.ChildcareKind:
		l.Childcare = v.childcare(t)
		l.Features = v.features("inclusive", "meals", "accessible", "tibetan_spoken")
	case directory.DomesticServiceKind:
		l.DomesticService = v.domesticService(c)
		if l.Features = v.features("home_visit", "tibetan_spoken"); l.DomesticService.Insured {
			l.Features = append(l.Features, "insured")
		}
		for range v.zipf(4) { // few have many trades
			if other := one(v, v.domestic); !slices.Contains(l.Categories, other.category) {
				l.Categories = append(l.Categories, other.category)
				v.offer(&l, other)
			}
		}
	case directory.StreetKind:
		l.Street = v.street(t)
		l.Features = v.features("parking", "halal", "accessible")
	}
	if t.opening == allDay {
		l.Features = append(l.Features, "open_24h")
	}
	return l
}

// name makes a name such as 示例·城东区康乐养老院, 示例·北关社区日间照料中心 or
// 示例·马姐保洁服务部.
func (v *inventor) name(t *trade, c *county, p place) string {
	const sign = "示例·"
	where, words, both := p.name, placeWords, 1.0
	switch t.kind {
	case directory.ElderCareKind:
		words, both = elderWords, 0.5
	case directory.ChildcareKind:
		where, words = c.short, childWords
	case directory.DomesticServiceKind:
		where, words = c.short, homeWords
		if v.chance(0.4) {
			where = ""
		}
	case directory.StreetKind:
		where = c.short
	}
	ending := one(v, t.endings)
	switch {
	case t.place != inCounty && !v.chance(both): // the name of the community tells it apart
		return sign + where + ending
	case v.chance(0.35):
		first, second := v.zipf(len(luckyCharacters)), v.zipf(len(luckyCharacters)-1)
		if second >= first { // never the same twice
			second++
		}
		return sign + where + luckyCharacters[first] + luckyCharacters[second] + ending
	}
	return sign + where + v.word(words) + ending
}

// offer adds a trade's offerings to a listing: the first one and most others,
// with prices log-normal around their medians.
func (v *inventor) offer(l *directory.Listing, t *trade) {
	l.Offerings = slices.Grow(l.Offerings, len(t.offers))
	for i, o := range t.offers {
		if i > 0 && v.chance(0.3) {
			continue
		}
		low := v.logNormal(o.yuan, 0.25)
		high := low
		if v.chance(0.6) {
			high = low * (1.1 + 0.5*v.Float64())
		}
		l.Offerings = append(l.Offerings, directory.Offering{
			Category: t.category, Name: o.name, Unit: o.unit, PriceMin: fen(low), PriceMax: fen(high),
		})
	}
}

// fen rounds a price in yuan as people do: to a yuan, or to 10 from 200 on.
func fen(yuan float64) int64 {
	if yuan >= 200 {
		return int64(math.Round(yuan/10)) * 1000
	}
	return max(1, int64(math.Round(yuan))) * 100
}

// near returns a position around the seat of a county, denser in the middle:
// at most farthestM metres away and no nearer to any other seat.
func (v *inventor) near(c *county, farthestM float64) *directory.Point {
	dist := v.Float64() * min(farthestM, c.reachM)
	sin, cos := math.Sincos(v.Float64() * 2 * math.Pi)
	const metresPerDegree = directory.EarthRadiusM * math.Pi / 180
	round := func(deg float64) float64 { return math.Round(deg*1e5) / 1e5 } // to a metre
	return &directory.Point{
		Lat: round(c.Seat.Lat + dist*sin/metresPerDegree),
		Lon: round(c.Seat.Lon + dist*cos/(metresPerDegree*math.Cos(c.Seat.Lat*math.Pi/180))),
	}
}

// ratings draws n ratings of which about the given share is satisfied.
func (v *inventor) ratings(n int64, share float64) directory.Satisfaction {
	nf := float64(n)
	satisfied := int64(math.Round(nf*share + v.NormFloat64()*math.Sqrt(nf*share*(1-share))))
	satisfied = min(max(satisfied, 0), n)
	rest := n - satisfied
	very := satisfied * 2 / 3
	basic := (rest + 1) / 2
	worst := (rest - basic) / 3
	return directory.Satisfaction{Levels: [5]int64{worst, rest - basic - worst, basic, satisfied - very, very}}
}

// features picks some of the given ones, in their order.
func (v *inventor) features(codes ...string) []string {
	var out []string
	for _, code := range codes {
		if v.chance(0.35) {
			out = append(out, code)
		}
	}
	return out
}

func (v *inventor) chance(p float64) bool { return v.Float64() < p }

// between returns a whole number from low to high, both included.
func (v *inventor) between(low, high int) int { return low + v.IntN(high-low+1) }

func (v *inventor) logNormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*v.NormFloat64())
}

// zipf returns a number below n; the k-th is about 1/k as frequent as the first.
func (v *inventor) zipf(n int) int {
	return int(math.Exp(v.Float64()*math.Log(float64(n)+1))) - 1
}

func (v *inventor) word(words []string) string { return words[v.zipf(len(words))] }

// one returns one of a list, all alike frequent.
func one[T any](v *inventor, list []T) T { return list[v.IntN(len(list))] }

// clamp returns x, or the bound that it is beyond.
func clamp[T cmp.Ordered](x, low, high T) T { return min(max(x, low), high) }
