package sheets

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	"qingfu/directory"
)

// places finds regions by what people call them, and remembers what it found.
// It is not for use by several goroutines.
type places struct {
	*names
	found map[string]place
	paths map[string]string
}

// names are the codes of regions by their names.
type names struct {
	regions *directory.Regions
	byName  map[string][]string // full names
	byShort map[string][]string // 大通县 and 大通, of prefectures and counties
}

// place is what a text says: one region, or several that it could be.
type place struct {
	code   string
	same   []string // codes
	listed string   // these for a FieldError's Limit
}

// lastNames are the names of the regions that were used last, which a program
// has only one set of.
var lastNames atomic.Pointer[names]

func newPlaces(regions *directory.Regions) *places {
	n := lastNames.Load()
	if n == nil || n.regions != regions {
		n = newNames(regions)
		lastNames.Store(n)
	}
	return &places{names: n, found: map[string]place{}, paths: map[string]string{}}
}

func newNames(regions *directory.Regions) *names {
	n := &names{regions: regions, byName: map[string][]string{}, byShort: map[string][]string{}}
	for _, reg := range regions.All() {
		for _, name := range fullNames(reg) {
			n.byName[name] = append(n.byName[name], reg.Code)
		}
		for _, name := range shortNames(reg) {
			n.byShort[name] = append(n.byShort[name], reg.Code)
		}
	}
	return n
}

func fullNames(reg directory.Region) []string { return []string{joined(reg.Names.Zh)} }

// shortNames leaves out those of townships: too many are called 城关.
func shortNames(reg directory.Region) []string {
	if reg.Level > directory.County {
		return nil
	}
	return reg.ShortNames()
}

// joined writes names without what people put between them.
func joined(s string) string { return betweenNames.Replace(plain(s)) }

var betweenNames = strings.NewReplacer("/", "", `\`, "", ">", "", ",", "", "、", "", "-", "", "|", "", "·", "", " ", "", "\t", "")

// regionCode is a code of the National Bureau of Statistics. It is also written
// with 12 digits at every level, the last ones being zeros.
var regionCode = regexp.MustCompile(`^([0-9]{6}|[0-9]{9}|[0-9]{12})$`)

// find reads a code or names: that of the region itself, after any of those
// above it. Where the full name fits, short ones do not count.
func (p *places) find(s string) place {
	if known, ok := p.found[s]; ok {
		return known
	}
	result := p.look(plain(s))
	if result.same != nil {
		result.listed = p.listed(result.same)
	}
	if len(p.found) < 50_000 { // a file may hold as many wrong names as it likes
		p.found[s] = result
	}
	return result
}

func (p *places) look(s string) place {
	if regionCode.MatchString(s) {
		if len(s) == 12 {
			s = strings.TrimSuffix(s, "000")
		}
		if len(s) == 9 {
			s = strings.TrimSuffix(s, "000")
		}
		if p.regions.Has(s) {
			return place{code: s}
		}
		return place{}
	}
	name := joined(s)
	if len(name) > 300 { // bytes; no path is that long
		return place{}
	}
	for _, names := range []map[string][]string{p.byName, p.byShort} {
		var same []string
		for i := range name {
			for _, code := range names[name[i:]] {
				if p.above(name[:i], code) {
					same = append(same, code)
				}
			}
		}
		switch len(same) {
		case 0:
			continue
		case 1:
			return place{code: same[0]}
		}
		return place{same: same}
	}
	return place{}
}

// above tells whether a text consists of names of regions above code, in their
// order, of which any may be missing.
func (p *places) above(s, code string) bool {
	if s == "" {
		return true
	}
	path := p.regions.Path(code)
	for i := len(path) - 2; i >= 0; i-- {
		for _, name := range append(fullNames(path[i]), shortNames(path[i])...) {
			if rest, ok := strings.CutSuffix(s, name); ok && p.above(rest, path[i].Code) {
				return true
			}
		}
	}
	return false
}

// path writes the names of a region and those above it but for the province, or
// the code where these names are not the region's alone.
func (p *places) path(code string) string {
	if known, ok := p.paths[code]; ok {
		return known
	}
	path := p.regions.Path(code)
	if len(path) > 1 {
		path = path[1:]
	}
	names := make([]string, len(path))
	for i, reg := range path {
		names[i] = reg.Names.Zh
	}
	text := strings.Join(names, "/")
	if p.look(text).code != code {
		text = code
	}
	p.paths[code] = text
	return text
}

// name writes the name of a region alone where that is enough to find it.
func (p *places) name(code string) string {
	if reg, err := p.regions.Get(code); err == nil && p.look(reg.Names.Zh).code == code {
		return reg.Names.Zh
	}
	return p.path(code)
}

// listed writes what a name could mean.
func (p *places) listed(codes []string) string {
	const shown = 5
	var out []string
	for _, code := range codes[:min(shown, len(codes))] {
		out = append(out, p.path(code)+"（"+code+"）")
	}
	text := strings.Join(out, "、")
	if len(codes) > shown {
		text += fmt.Sprintf(" 等 %d 处", len(codes))
	}
	return text
}
