package search

import (
	"encoding/json"
	"fmt"
	"strings"

	"qingfu/directory"
)

// Card is a listing as it stands in a list of results, in Chinese and WGS-84.
// It travels through the index as JSON, so that a page of results needs no look
// into the store.
type Card struct {
	ID           string                        `json:"id"`
	Kind         directory.Kind                `json:"kind"`
	Name         string                        `json:"name"`
	Names        directory.Names               `json:"names"`
	Region       RegionRef                     `json:"region"`
	Address      string                        `json:"address,omitempty"`
	Location     *directory.Point              `json:"location"`
	Categories   []TermRef                     `json:"categories"`
	Badges       []TermRef                     `json:"badges"`
	PriceFrom    *int64                        `json:"price_from"` // fen
	Satisfaction directory.SatisfactionSummary `json:"satisfaction"`
	Demo         bool                          `json:"demo"`
}

// RegionRef names a region; Path holds the names from the province down to it.
type RegionRef struct {
	Code string   `json:"code"`
	Name string   `json:"name"`
	Path []string `json:"path"`
}

// TermRef names a code of a vocabulary.
type TermRef struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// NewRegionRef names a region in a language. An unknown code is given back bare.
func NewRegionRef(regions *directory.Regions, code, lang string) RegionRef {
	ref := RegionRef{Code: code, Path: []string{}}
	for _, reg := range regions.Path(code) {
		ref.Name = reg.Names.In(lang)
		ref.Path = append(ref.Path, ref.Name)
	}
	return ref
}

// NewTermRefs names codes in a language, using one of the directory's look-ups.
// Unknown codes are left out.
func NewTermRefs(codes []string, lang string, lookup func(string) (directory.Term, bool)) []TermRef {
	refs := make([]TermRef, 0, len(codes))
	for _, c := range codes {
		if t, ok := lookup(c); ok {
			refs = append(refs, TermRef{c, t.Names.In(lang)})
		}
	}
	return refs
}

// CategoryTerm is the look-up of category codes for NewTermRefs.
func CategoryTerm(code string) (directory.Term, bool) {
	c, ok := directory.CategoryOf(code)
	return c.Term, ok
}

// NewDocument makes the searchable form of a listing. It fails only when the
// listing's region is unknown.
func NewDocument(l *directory.Listing, regions *directory.Regions) (Document, error) {
	path := regions.Path(l.Region)
	if path == nil {
		return Document{}, fmt.Errorf("listing %s: unknown region %q", l.ID, l.Region)
	}
	d := Document{
		ID:            l.ID,
		Names:         nonEmpty(l.Names.Zh, l.Names.Bo, l.Names.Mn, l.Names.En),
		Aliases:       nonEmpty(append([]string{l.Organization}, l.Aliases...)...),
		Summary:       strings.TrimSpace(l.Summary + " " + l.Description),
		Address:       l.Address,
		Kind:          l.Kind,
		CategoryCodes: l.Categories,
		Features:      l.Features,
		Badges:        l.Badges(),
		Location:      l.Location,
		Hours:         l.Hours,
		HasVacancy:    l.HasVacancy(),
		Demo:          l.Demo,
		Created:       l.CreatedAt,
		SortName:      SortKey(l.Names.Zh),
	}
	if fen, ok := l.PriceFrom(); ok {
		d.PriceFrom = &fen
	}
	d.Satisfaction, d.Fresh = l.Rank()
	summary := l.Satisfaction.Summary()
	d.Share = summary.Share

	for _, reg := range path {
		d.addRegion(reg)
	}
	if l.DomesticService != nil {
		for _, county := range l.DomesticService.CountiesServed {
			for _, reg := range regions.Path(county) {
				d.addRegion(reg)
			}
		}
	}

	kind, _ := directory.KindTerm(l.Kind)
	words := []string{kind.Names.Zh, kind.Names.Bo, kind.Names.En}
	for _, code := range l.Categories {
		if c, ok := directory.CategoryOf(code); ok {
			words = append(words, c.Names.Zh, c.Names.En)
		}
	}
	for _, o := range l.Offerings {
		words = append(words, o.Name)
	}
	for _, ref := range NewTermRefs(l.Features, "zh", directory.FeatureTerm) {
		words = append(words, ref.Name)
	}
	badges := NewTermRefs(d.Badges, "zh", directory.BadgeTerm)
	for _, ref := range badges {
		words = append(words, ref.Name)
	}
	d.Categories = strings.Join(nonEmpty(words...), " ")

	card := Card{
		ID: l.ID, Kind: l.Kind, Name: l.Names.Zh, Names: l.Names,
		Region:     NewRegionRef(regions, l.Region, "zh"),
		Address:    l.Address,
		Location:   l.Location,
		Categories: NewTermRefs(l.Categories, "zh", CategoryTerm),
		Badges:     badges, PriceFrom: d.PriceFrom, Satisfaction: summary, Demo: l.Demo,
	}
	var err error
	d.Card, err = json.Marshal(card)
	return d, err
}

// addRegion adds a region once. A served county brings its prefecture's code,
// so that filters find it, but the province stands for every listing alike and
// is no word to search for.
func (d *Document) addRegion(reg directory.Region) {
	for _, code := range d.Regions {
		if code == reg.Code {
			return
		}
	}
	d.Regions = append(d.Regions, reg.Code)
	d.Places = append(d.Places, reg.Names.Zh)
	d.Places = append(d.Places, reg.ShortNames()...)
	if reg.Names.Bo != "" {
		d.Places = append(d.Places, reg.Names.Bo)
	}
	if reg.Names.En != "" {
		d.Places = append(d.Places, reg.Names.En)
	}
}

func nonEmpty(in ...string) []string {
	out := in[:0:0]
	for _, s := range in {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
