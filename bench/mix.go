package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

// term is something that people look for.
type term struct {
	text string
	kind directory.Kind
}

// colloquial are the words that people use, those that are typed most often
// first; behind them come the names of all categories. That order, and the
// shares in text, spell and filters, are assumptions: there is no query log yet.
var colloquial = []term{
	{"家政", directory.DomesticServiceKind},
	{"养老院", directory.ElderCareKind},
	{"月嫂", directory.DomesticServiceKind},
	{"托儿所", directory.ChildcareKind},
	{"保洁", directory.DomesticServiceKind},
	{"搬家", directory.DomesticServiceKind},
	{"日间照料", directory.ElderCareKind},
	{"幸福院", directory.ElderCareKind},
	{"老年食堂", directory.ElderCareKind},
	{"牛肉面", directory.BrandKind},
	{"育儿嫂", directory.DomesticServiceKind},
	{"夜市", directory.StreetKind},
	{"托班", directory.ChildcareKind},
	{"护工", directory.DomesticServiceKind},
	{"擦玻璃", directory.DomesticServiceKind},
	{"通下水道", directory.DomesticServiceKind},
	{"敬老院", directory.ElderCareKind},
	{"老字号", directory.BrandKind},
	{"步行街", directory.StreetKind},
	{"空调清洗", directory.DomesticServiceKind},
	{"青稞酒", directory.BrandKind},
}

// mix draws requests as users might make them. All its draws follow from one
// seed, so that every run asks the same.
type mix struct {
	*rand.Rand
	terms    []term
	term     *rand.Zipf
	features *rand.Zipf
	listings []directory.Listing // a sample: where people are and what they know by name
	regions  *directory.Regions
	ids      []string // for detail
}

// sample is the number of listings that give requests their places and names.
const sample = 5000

func newMix(number uint64) *mix {
	m := &mix{Rand: rand.New(rand.NewPCG(number, 1)), terms: colloquial}
	for _, c := range directory.Categories {
		m.terms = append(m.terms, term{c.Names.Zh, c.Kind})
	}
	m.term = rand.NewZipf(m.Rand, 1.1, 2, uint64(len(m.terms)-1))
	m.features = rand.NewZipf(m.Rand, 1.1, 2, uint64(len(directory.Features)-1))
	for l := range seed.Synthetic(sample, number) {
		m.listings = append(m.listings, l)
	}
	regions, err := seed.Regions()
	if err != nil {
		panic(err) // they are part of the program
	}
	m.regions = regions
	return m
}

func (m *mix) chance(p float64) bool { return m.Float64() < p }

// county returns a county or, sometimes, a prefecture, drawn by where listings are.
func (m *mix) county() directory.Region {
	path := m.regions.Path(m.listings[m.IntN(len(m.listings))].Region)
	at := 2
	if m.chance(0.3) {
		at = 1
	}
	return path[min(at, len(path)-1)]
}

// point returns a position within about 2 km of a listing.
func (m *mix) point() directory.Point {
	for {
		if p := m.listings[m.IntN(len(m.listings))].Location; p != nil {
			return directory.Point{Lat: p.Lat + 0.01*m.NormFloat64(), Lon: p.Lon + 0.01*m.NormFloat64()}
		}
	}
}

// text returns what somebody types, and the kind that they mean; placed says
// whether the text names a place.
func (m *mix) text() (text string, kind directory.Kind, placed bool) {
	t := m.terms[m.term.Uint64()]
	switch r := m.Float64(); {
	case r < 0.5:
		return t.text, t.kind, false
	case r < 0.8:
		county := m.county()
		place := county.Names.Zh
		if short := county.ShortNames(); len(short) > 0 {
			place = short[len(short)-1]
		}
		if m.chance(0.3) {
			place += " "
		}
		return place + t.text, t.kind, true
	default: // the beginning of a name
		l := m.listings[m.IntN(len(m.listings))]
		name := []rune(strings.TrimPrefix(l.Names.Zh, "示例·"))
		return string(name[:min(len(name), 2+m.IntN(7))]), l.Kind, true
	}
}

// spell writes a text as it is typed: in hanzi, pinyin, initials, pinyin with a
// typo, or pinyin that is not finished.
func (m *mix) spell(text string) string {
	r := m.Float64()
	if r < 0.55 {
		return text
	}
	var syllables []string
	for _, run := range search.Runs(text) {
		if run.Script == search.Han {
			syllables = append(syllables, search.Syllables(run.Text)...)
		} else {
			return text // a name with figures or Latin letters is typed as it is
		}
	}
	pinyin := strings.Join(syllables, "")
	switch {
	case r < 0.75 || len(pinyin) < 6:
		return pinyin
	case r < 0.83:
		return search.Initials(syllables)
	case r < 0.92:
		return m.mistype(pinyin)
	default:
		return pinyin[:len(pinyin)-1-m.IntN(2)]
	}
}

// mistype leaves out, doubles, changes or swaps one letter behind the first.
func (m *mix) mistype(s string) string {
	b := []byte(s)
	i := 1 + m.IntN(len(b)-2)
	switch m.IntN(4) {
	case 0:
		return string(b[:i]) + string(b[i+1:])
	case 1:
		return string(b[:i]) + string(b[i:i+1]) + string(b[i:])
	case 2:
		b[i] = byte('a' + m.IntN(26))
	default:
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

// filters adds one or more filters to the parameters.
func (m *mix) filters(v url.Values, kind directory.Kind, placed bool) {
	for len(v) == 0 || m.chance(0.35) {
		switch r := m.Float64(); {
		case r < 0.35:
			v.Set("kind", string(kind))
		case r < 0.65 && !placed:
			v.Set("region", m.county().Code)
		case r < 0.75:
			v.Set("open_now", "true")
		case r < 0.82:
			v.Set("features", directory.Features[m.features.Uint64()].Code)
		case r < 0.89:
			v.Set("min_satisfaction", strconv.FormatFloat(0.5+0.05*float64(m.IntN(9)), 'f', 2, 64))
		case r < 0.95:
			v.Set("price_max", strconv.Itoa(10_000*(1+m.IntN(80)))) // fen
		case r < 0.97 && (kind == directory.ElderCareKind || kind == directory.ChildcareKind):
			v.Set("has_vacancy", "true")
		}
	}
}

const threeFacets = "kind,category,region"

// searchQuery is a text with filters and three facets.
func (m *mix) searchQuery() string {
	text, kind, placed := m.text()
	v := url.Values{}
	m.filters(v, kind, placed)
	v.Set("q", m.spell(text))
	v.Set("facets", threeFacets)
	return "/v1/listings?" + v.Encode()
}

// browse is filters and three facets without a text.
func (m *mix) browse() string {
	v := url.Values{}
	t := m.terms[m.term.Uint64()]
	m.filters(v, t.kind, false)
	if m.chance(0.2) {
		v.Set("sort", []string{"satisfaction", "newest", "name"}[m.IntN(3)])
	}
	v.Set("facets", threeFacets)
	return "/v1/listings?" + v.Encode()
}

// nearest asks for the 20 listings nearest to a settled place.
func (m *mix) nearest() string {
	p := m.point()
	return fmt.Sprintf("/v1/listings?near=%.5f,%.5f&sort=distance&limit=20", p.Lat, p.Lon)
}

// detail asks for one listing.
func (m *mix) detail() string { return "/v1/listings/" + m.ids[m.IntN(len(m.ids))] }

// suggest asks for completions of what is typed so far.
func (m *mix) suggest() string {
	text, _, _ := m.text()
	typed := []rune(m.spell(text))
	typed = typed[:1+m.IntN(len(typed))]
	return "/v1/suggest?q=" + url.QueryEscape(string(typed))
}

// mapSection asks for the clusters on the screen of a phone, 400 × 800 pixels
// large, around a settled place.
func (m *mix) mapSection() string {
	p, zoom := m.point(), 7+m.IntN(10)
	width := 400 * 360 / math.Ldexp(256, zoom) // degrees
	height := 2 * width * math.Cos(p.Lat*math.Pi/180)
	return fmt.Sprintf("/v1/map/clusters?bbox=%.5f,%.5f,%.5f,%.5f&zoom=%d",
		p.Lon-width/2, p.Lat-height/2, p.Lon+width/2, p.Lat+height/2, zoom)
}

// draw returns n requests of one form.
func draw(n int, form func() string) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = request(form())
	}
	return out
}

// drawZipf returns n requests of which few are frequent: the k-th most frequent
// of 1000, k from 0, is drawn with a probability proportional to 1/(k+2)^1.05.
func (m *mix) drawZipf(n int, form func() string) [][]byte {
	known := draw(1000, form)
	rank := rand.NewZipf(m.Rand, 1.05, 2, uint64(len(known)-1))
	out := make([][]byte, n)
	for i := range out {
		out[i] = known[rank.Uint64()]
	}
	return out
}

// drawDistinct returns up to n requests none of which is like another; fewer
// when the form has no more to give.
func drawDistinct(n int, form func() string) [][]byte {
	seen := make(map[string]bool, n)
	out := make([][]byte, 0, n)
	for tries := 0; len(out) < n && tries < 20*n; tries++ {
		if target := form(); !seen[target] {
			seen[target] = true
			out = append(out, request(target))
		}
	}
	return out
}
