package directory

import (
	"fmt"
	"slices"
	"strings"
)

// RegionLevel is the level of an administrative division.
type RegionLevel int

// The levels of division, as the statistical code has them.
const (
	Province   RegionLevel = 1 // 省
	Prefecture RegionLevel = 2 // 地级市, 自治州
	County     RegionLevel = 3 // 市辖区, 县, 县级市, 自治县, 行政委员会
	Township   RegionLevel = 4 // 街道, 镇, 乡, 民族乡
	Community  RegionLevel = 5 // 居委会, 村委会
)

// Region is an administrative division of Qinghai. Its key is the code of the
// National Bureau of Statistics (2023): 6 digits to county level, 9 for a
// township, 12 for a community.
type Region struct {
	Code     string
	Parent   string // the code of the division above; empty for the province
	Level    RegionLevel
	Type     string // 省, 地级市, 自治州, 市辖区, 县, …, 街道, 镇, 乡, 居委会, 村委会
	Legal    bool   // false for 大柴旦行政委员会, which is none by law
	Names    Names
	Pinyin   string // of Names.Zh, syllables parted by spaces: "cheng dong qu"
	Initials string // of Pinyin: "cdq"
	Seat     *Point // of the government, to about 3 km; nil below county level
	// The numbers of residents' (居委会) and village (村委会) committees within.
	ResidentsCommittees, VillageCommittees int
}

// Names is a name in the languages of the province. Zh is always there.
type Names struct {
	Zh string `json:"zh"`
	Bo string `json:"bo,omitempty"`
	Mn string `json:"mn,omitempty"`
	En string `json:"en,omitempty"`
}

// In returns the name in a language (zh, bo, mn, en), or the Chinese one when
// there is none.
func (n Names) In(lang string) string {
	name := ""
	switch lang {
	case "bo":
		name = n.Bo
	case "mn":
		name = n.Mn
	case "en":
		name = n.En
	}
	if name == "" {
		return n.Zh
	}
	return name
}

// Outline is the border of a prefecture: rings of points, the outer ones and
// their holes alike (even-odd rule).
type Outline struct {
	Code  string
	Rings [][]Point
}

// Regions is the immutable tree of divisions, in the order of their codes.
type Regions struct {
	all      []Region
	byCode   map[string]int
	children map[string][]int
	outlines []Outline
}

// NewRegions builds the tree. It fails when a code stands twice or a parent is
// missing; parents must come before their children.
func NewRegions(all []Region, outlines []Outline) (*Regions, error) {
	r := &Regions{all: all, byCode: make(map[string]int, len(all)), children: map[string][]int{}, outlines: outlines}
	for i, reg := range all {
		if _, ok := r.byCode[reg.Code]; ok {
			return nil, fmt.Errorf("region %s stands twice", reg.Code)
		}
		if _, ok := r.byCode[reg.Parent]; !ok && reg.Parent != "" {
			return nil, fmt.Errorf("region %s has an unknown parent %s", reg.Code, reg.Parent)
		}
		r.byCode[reg.Code] = i
		r.children[reg.Parent] = append(r.children[reg.Parent], i)
	}
	return r, nil
}

// Get returns the region of a code. It returns a NotFound error for a code that
// is none.
func (r *Regions) Get(code string) (Region, error) {
	i, ok := r.byCode[code]
	if !ok {
		return Region{}, Missing("region")
	}
	return r.all[i], nil
}

// Has tells whether there is a region of this code.
func (r *Regions) Has(code string) bool {
	_, ok := r.byCode[code]
	return ok
}

// All returns every region, parents before children. The caller must not change it.
func (r *Regions) All() []Region { return r.all }

// Province returns the division in which all others lie.
func (r *Regions) Province() Region { return r.all[0] }

// Outlines returns the schematic borders of the prefectures, in the order of their codes.
// The caller must not change them.
func (r *Regions) Outlines() []Outline { return r.outlines }

// Children returns the regions directly below code; the province is below "".
func (r *Regions) Children(code string) []Region {
	ids := r.children[code]
	out := make([]Region, len(ids))
	for i, id := range ids {
		out[i] = r.all[id]
	}
	return out
}

// Widen returns the region of a level in which another lies or, where there is none of
// that level, the next above; a region that is wider itself stays what it is.
func (r *Regions) Widen(code string, level RegionLevel) string {
	wide := code
	for _, reg := range r.Path(code) {
		if reg.Level <= level {
			wide = reg.Code
		}
	}
	return wide
}

// CountyCode returns the code of the county of a region that lies in one or is one, and
// otherwise the code of the region itself.
func CountyCode(region string) string { return region[:min(len(region), 6)] }

// Path returns the region and all above it, the province first. It is empty for
// an unknown code.
func (r *Regions) Path(code string) []Region {
	var path []Region
	for code != "" {
		i, ok := r.byCode[code]
		if !ok {
			return nil
		}
		path = append(path, r.all[i])
		code = r.all[i].Parent
	}
	slices.Reverse(path)
	return path
}

// Within tells whether code is the region ancestor or lies in it.
func (r *Regions) Within(code, ancestor string) bool {
	for code != "" {
		if code == ancestor {
			return true
		}
		i, ok := r.byCode[code]
		if !ok {
			return false
		}
		code = r.all[i].Parent
	}
	return false
}

// Locate returns the prefecture whose outline holds p and, within it, the
// county with the nearest seat. The outlines are schematic: near a border the
// answer may be the neighbour. It returns a NotFound error outside the province.
func (r *Regions) Locate(p Point) (prefecture, county Region, err error) {
	for _, o := range r.outlines {
		if o.contains(p) {
			prefecture, err = r.Get(o.Code)
			if err != nil {
				return Region{}, Region{}, err
			}
			return prefecture, r.nearestCounty(p, o.Code), nil
		}
	}
	return Region{}, Region{}, Missing("region")
}

func (r *Regions) nearestCounty(p Point, prefecture string) Region {
	var best Region
	for _, c := range r.Children(prefecture) {
		if c.Seat == nil {
			continue
		}
		if best.Seat == nil || Distance(p, *c.Seat) < Distance(p, *best.Seat) {
			best = c
		}
	}
	return best
}

// contains tells whether p is inside by the even-odd rule.
func (o Outline) contains(p Point) bool {
	in := false
	for _, ring := range o.Rings {
		for i, a := range ring {
			b := ring[(i+len(ring)-1)%len(ring)]
			if (a.Lat > p.Lat) != (b.Lat > p.Lat) && p.Lon < (b.Lon-a.Lon)*(p.Lat-a.Lat)/(b.Lat-a.Lat)+a.Lon {
				in = !in
			}
		}
	}
	return in
}

// The 民族 names that stand in the names of Qinghai's divisions, the longest
// first where one is part of another.
var nationalities = []string{"蒙古族", "撒拉族", "藏族", "回族", "土族"}

// ShortNames returns the names that people say instead of the full one: for
// 大通回族土族自治县 大通县 and 大通, for 海西蒙古族藏族自治州 海西州 and 海西.
// Names of fewer than two characters are left out. It is empty below township level.
func (reg Region) ShortNames() []string {
	if reg.Level > Township {
		return nil
	}
	core, suffix := reg.Names.Zh, ""
	for _, s := range []string{"自治州", "自治县", "行政委员会", "街道", "省", "市", "区", "县", "镇", "乡"} {
		if s == "区" && reg.Level == Township {
			continue // 园区, which is no level of division
		}
		if strings.HasSuffix(core, s) {
			core, suffix = strings.TrimSuffix(core, s), s
			break
		}
	}
	for again := true; again; {
		again = false
		for _, n := range nationalities {
			if strings.HasSuffix(core, n) && len(core) > len(n) {
				core, again = strings.TrimSuffix(core, n), true
			}
		}
	}
	var out []string
	if short := map[string]string{"自治州": "州", "自治县": "县", "乡": "乡", "镇": "镇"}[suffix]; short != "" && core+short != reg.Names.Zh {
		out = append(out, core+short)
	}
	if len([]rune(core)) >= 2 && core != reg.Names.Zh {
		out = append(out, core)
	}
	return out
}

// RegionRange returns the range of codes, from included and to not, that holds a
// region and all regions within it.
func RegionRange(code string) (from, to string) {
	from = code
	if len(code) == 6 {
		from = strings.TrimSuffix(strings.TrimSuffix(code, "00"), "00")
	}
	return from, from + ":" // which follows on 9
}
