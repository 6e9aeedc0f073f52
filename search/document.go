package search

import (
	"encoding/json"
	"fmt"
	"slices"
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
	Stale        bool                          `json:"stale,omitempty"` // its facts were not confirmed in time
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

// NewTermRef names a term in a language.
func NewTermRef(t directory.Term, lang string) TermRef { return TermRef{t.Code, t.Names.In(lang)} }

// NewTermRefs names codes in a language, using one of the directory's look-ups.
// Unknown codes are left out.
func NewTermRefs(codes []string, lang string, lookup func(string) (directory.Term, bool)) []TermRef {
	refs := make([]TermRef, 0, len(codes))
	for _, c := range codes {
		if t, ok := lookup(c); ok {
			refs = append(refs, NewTermRef(t, lang))
		}
	}
	return refs
}

// CategoryTerm is the look-up of category codes for NewTermRefs.
func CategoryTerm(code string) (directory.Term, bool) {
	c, ok := directory.CategoryOf(code)
	return c.Term, ok
}

// Indexer makes the searchable form of listings. It is safe for concurrent use.
type Indexer struct {
	regions *directory.Regions
	places  map[string]place // by code
}

// place is what the index needs of a region.
type place struct {
	codes []string // its own and those of all above it
	names []string // by which they are called
	ref   RegionRef
}

// NewIndexer prepares the regions.
func NewIndexer(regions *directory.Regions) *Indexer {
	x := &Indexer{regions: regions, places: make(map[string]place, len(regions.All()))}
	for _, reg := range regions.All() {
		up := x.places[reg.Parent]
		names := append(nonEmpty(reg.Names.Zh, reg.Names.Bo, reg.Names.En), reg.ShortNames()...)
		x.places[reg.Code] = place{
			codes: append(slices.Clone(up.codes), reg.Code),
			names: append(slices.Clone(up.names), names...),
			ref:   NewRegionRef(regions, reg.Code, "zh"),
		}
	}
	return x
}

// Document makes the searchable form of a listing. It fails only when a region
// of the listing is unknown.
func (x *Indexer) Document(l *directory.Listing) (Document, error) {
	home, ok := x.places[l.Region]
	if !ok {
		return Document{}, fmt.Errorf("listing %s: unknown region %q", l.ID, l.Region)
	}
	d := Document{
		ID:            l.ID,
		Names:         nonEmpty(l.Names.Zh, l.Names.Bo, l.Names.Mn, l.Names.En),
		Aliases:       nonEmpty(append([]string{l.Organization}, l.Aliases...)...),
		Categories:    categoryNames(l),
		Summary:       strings.TrimSpace(l.Summary + " " + l.Description),
		Address:       l.Address,
		Places:        home.names,
		Kind:          l.Kind,
		CategoryCodes: l.Categories,
		Regions:       home.codes,
		Features:      l.Features,
		Badges:        l.Badges(),
		Location:      l.Location,
		Hours:         l.Hours,
		HasVacancy:    l.HasVacancy(),
		Demo:          l.Demo,
		Created:       l.CreatedAt,
	}
	if fen, ok := l.PriceFrom(); ok {
		d.PriceFrom = &fen
	}
	d.Satisfaction, d.Fresh = l.Rank()
	summary := l.Satisfaction.Summary()
	d.Share = summary.Share
	if l.DomesticService != nil {
		for _, county := range l.DomesticService.CountiesServed {
			served, ok := x.places[county]
			if !ok {
				return Document{}, fmt.Errorf("listing %s: unknown region %q", l.ID, county)
			}
			d.Regions = union(d.Regions, served.codes)
			d.Places = union(d.Places, served.names)
		}
	}
	b, err := json.Marshal(Card{
		ID: l.ID, Kind: l.Kind, Name: l.Names.Zh, Names: l.Names,
		Region:     home.ref,
		Address:    l.Address,
		Location:   l.Location,
		Categories: NewTermRefs(l.Categories, "zh", CategoryTerm),
		Badges:     NewTermRefs(d.Badges, "zh", directory.BadgeTerm),
		PriceFrom:  d.PriceFrom, Satisfaction: summary, Demo: l.Demo, Stale: l.Stale,
	})
	d.Card = string(b)
	return d, err
}

// categoryNames returns the names of everything that classifies a listing.
func categoryNames(l *directory.Listing) []string {
	kind, _ := directory.KindTerm(l.Kind)
	names := nonEmpty(kind.Names.Zh, kind.Names.Bo, kind.Names.En)
	for _, code := range l.Categories {
		if c, ok := directory.CategoryOf(code); ok {
			names = append(names, c.Names.Zh, c.Names.En)
		}
	}
	for _, o := range l.Offerings {
		names = append(names, o.Name)
	}
	for _, code := range l.Features {
		if f, ok := directory.FeatureTerm(code); ok {
			names = append(names, nonEmpty(f.Names.Zh, f.Names.Bo)...)
		}
	}
	for _, ref := range NewTermRefs(l.Badges(), "zh", directory.BadgeTerm) {
		names = append(names, ref.Name)
	}
	return names
}

// union returns a and what of b is not in it, leaving both as they are.
func union(a, b []string) []string {
	a = slices.Clip(a)
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
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
