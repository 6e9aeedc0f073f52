package handlers

import (
	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

func (a *api) searchListings(c *fiber.Ctx, in *input) error {
	q := a.readQuery(in)
	q.Sort = search.Sort(in.text("sort"))
	if q.Sort == search.ByDistance && q.Near == nil && !in.has("near") {
		in.refuse("sort", directory.CodeNeeds, "near")
	}
	if q.Sort == "" {
		q.Sort = search.ByRelevance
		if q.Text == "" && q.Near != nil {
			q.Sort = search.ByDistance
		}
	}
	q.Facets = texts[search.Facet](in, "facets")
	for _, f := range q.Facets {
		if f == search.RegionFacet {
			q.RegionFacet = a.regionFacet(q.Regions)
		}
	}
	q.Limit = in.integer("limit")
	hash := in.queryHash()
	q.After = in.readCursor(hash)
	if err := in.err(); err != nil {
		return err
	}
	result, err := a.Search.Search(c.UserContext(), q)
	if err != nil {
		return err
	}
	return a.sendPage(c, in, &result, hash)
}

// readQuery reads the filters that searching and the map share.
func (a *api) readQuery(in *input) search.Query {
	q := search.Query{
		Text:            in.text("q"),
		Kinds:           texts[directory.Kind](in, "kind"),
		Categories:      in.codes("category", search.CategoryTerm, "/v1/categories"),
		Regions:         in.regions(a.Regions, "region"),
		Features:        in.codes("features", directory.FeatureTerm, "/v1/categories"),
		Badges:          in.codes("badges", directory.BadgeTerm, "/v1/categories"),
		Near:            in.point("near"),
		Box:             in.box("bbox"),
		HasVacancy:      in.boolean("has_vacancy"),
		MinSatisfaction: in.number("min_satisfaction"),
		Demo:            in.boolean("demo"),
		Now:             a.Now(),
	}
	if open := in.boolean("open_now"); open != nil {
		q.OpenNow = *open
	}
	if fen := in.number("price_max"); fen != nil {
		price := int64(*fen)
		q.PriceMax = &price
	}
	if radius := in.number("radius_m"); radius != nil {
		q.RadiusM = *radius
		if !in.has("near") {
			in.refuse("radius_m", directory.CodeNeeds, "near")
		}
	}
	return q
}

// codes reads a list of codes of a vocabulary; where lists it.
func (in *input) codes(name string, lookup func(string) (directory.Term, bool), where string) []string {
	codes := texts[string](in, name)
	for _, code := range codes {
		if _, ok := lookup(code); !ok {
			in.refuse(name, directory.CodeValue, where)
			break
		}
	}
	return codes
}

// regions reads a list of region codes.
func (in *input) regions(regions *directory.Regions, name string) []string {
	codes := texts[string](in, name)
	for _, code := range codes {
		if !regions.Has(code) {
			in.refuse(name, directory.CodeValue, "/v1/regions")
			break
		}
	}
	return codes
}

// region reads a region code, "" for none.
func (in *input) region(regions *directory.Regions, name string) string {
	code := in.text(name)
	if code != "" && !regions.Has(code) {
		in.refuse(name, directory.CodeValue, "/v1/regions")
	}
	return code
}

// point reads "lat,lon" as WGS-84.
func (in *input) point(name string) *directory.Point {
	n := in.numbers(name)
	if n == nil {
		return nil
	}
	if n[0] < -90 || n[0] > 90 {
		in.refuse(name, directory.CodeFormat, "lat,lon")
		return nil
	}
	p := in.fromCRS(directory.Point{Lat: n[0], Lon: n[1]})
	return &p
}

// box reads "west,south,east,north" as WGS-84.
func (in *input) box(name string) *directory.Box {
	n := in.numbers(name)
	if n == nil {
		return nil
	}
	if n[1] < -90 || n[3] > 90 || n[0] >= n[2] || n[1] >= n[3] {
		in.refuse(name, directory.CodeMismatch, "west < east, -90 ≤ south < north ≤ 90")
		return nil
	}
	low := in.fromCRS(directory.Point{Lat: n[1], Lon: n[0]})
	high := in.fromCRS(directory.Point{Lat: n[3], Lon: n[2]})
	return &directory.Box{South: low.Lat, West: low.Lon, North: high.Lat, East: high.Lon}
}

func (in *input) fromCRS(p directory.Point) directory.Point {
	if in.gcj02 {
		return directory.FromGCJ02(p)
	}
	return p
}

func (in *input) toCRS(p directory.Point) directory.Point {
	if in.gcj02 {
		return roundPoint(directory.ToGCJ02(p))
	}
	return p
}

// roundPoint rounds computed degrees to six places, about 0.1 m.
func roundPoint(p directory.Point) directory.Point {
	return directory.Point{Lat: directory.RoundTo(p.Lat, 1e6), Lon: directory.RoundTo(p.Lon, 1e6)}
}

// regionFacet returns the codes that the region facet counts: the children of
// the regions chosen and their siblings, or the prefectures.
func (a *api) regionFacet(chosen []string) []string {
	var codes []string
	seen := map[string]bool{}
	addChildren := func(parent string) {
		if parent == "" || seen[parent] {
			return
		}
		seen[parent] = true
		for _, child := range a.Regions.Children(parent) {
			codes = append(codes, child.Code)
		}
	}
	if len(chosen) == 0 {
		addChildren(a.province())
	}
	for _, code := range chosen {
		if reg, err := a.Regions.Get(code); err == nil {
			addChildren(reg.Code)
			addChildren(reg.Parent)
		}
	}
	return codes
}

func (a *api) getListing(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Listings.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if into := doc.Value.MergedInto; into != "" {
		c.Set(fiber.HeaderLocation, "/v1/listings/"+into)
		return c.SendStatus(fiber.StatusPermanentRedirect)
	}
	if doc.Value.Status != directory.Published {
		return directory.Missing("listing")
	}
	return sendTaggedJSON(c, a.viewListing(&doc.Value, in))
}

// publicListing returns the listing that a request is about, or NotFound unless it is
// public.
func (a *api) publicListing(c *fiber.Ctx, in *input) (directory.Listing, error) {
	if err := in.err(); err != nil {
		return directory.Listing{}, err
	}
	doc, err := a.Store.Listings.Get(c.UserContext(), in.text("id"))
	if err == nil && doc.Value.Status != directory.Published {
		err = directory.Missing("listing")
	}
	return doc.Value, err
}

func (a *api) batchListings(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	answer := struct {
		Items    []listingView `json:"items"`
		Missing  []string      `json:"missing"`
		DemoData bool          `json:"demo_data,omitempty"`
	}{[]listingView{}, []string{}, a.DemoData()}

	ids := unique(texts[string](in, "ids"))
	docs, err := a.Store.Listings.GetMany(c.UserContext(), ids...)
	if err != nil {
		return err
	}
	for _, id := range ids {
		// The documents come in the order of the ids, without those missing.
		if len(docs) > 0 && docs[0].Value.ID == id {
			l := &docs[0].Value
			docs = docs[1:]
			if l.Status == directory.Published {
				answer.Items = append(answer.Items, a.viewListing(l, in))
				continue
			}
		}
		answer.Missing = append(answer.Missing, id)
	}
	return sendJSON(c, answer)
}

func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	out := list[:0]
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// listingView is the public form of a listing. Its fields stand before those of
// the same name within the listing.
type listingView struct {
	*directory.Listing
	Name         string              `json:"name"`
	Region       search.RegionRef    `json:"region"`
	Location     *directory.Point    `json:"location"`
	OpenNow      *bool               `json:"open_now"`
	Categories   []search.TermRef    `json:"categories"`
	PriceFrom    *int64              `json:"price_from"`
	Features     []search.TermRef    `json:"features"`
	Badges       []search.TermRef    `json:"badges"`
	Photos       []photoView         `json:"photos,omitempty"`
	Demo         bool                `json:"demo"`
	Satisfaction listingSatisfaction `json:"satisfaction"`
}

type photoView struct {
	directory.Photo
	Sizes photoSizes `json:"sizes"`
}

type listingSatisfaction struct {
	directory.SatisfactionSummary
	// Levels is nil below the minimum sample, when no share can be published
	// that could be computed from them.
	Levels *[5]int64 `json:"levels"`
}

func (a *api) viewListing(l *directory.Listing, in *input) listingView {
	v := listingView{
		Listing:      l,
		Name:         l.Names.In(in.lang),
		Region:       search.NewRegionRef(a.Regions, l.Region, in.lang),
		Categories:   search.NewTermRefs(l.Categories, in.lang, search.CategoryTerm),
		Features:     search.NewTermRefs(l.Features, in.lang, directory.FeatureTerm),
		Badges:       search.NewTermRefs(l.Badges(), in.lang, directory.BadgeTerm),
		Demo:         l.Demo,
		Satisfaction: listingSatisfaction{SatisfactionSummary: l.Satisfaction.Summary()},
	}
	for _, p := range l.Photos {
		v.Photos = append(v.Photos, photoView{p, newPhotoSizes(p.ID, directory.ListingPhoto)})
	}
	if l.Location != nil {
		p := in.toCRS(*l.Location)
		v.Location = &p
	}
	if l.Hours != nil {
		open := l.Hours.OpenAt(a.Now(), a.Calendar)
		v.OpenNow = &open
	}
	if fen, ok := l.PriceFrom(); ok {
		v.PriceFrom = &fen
	}
	if v.Satisfaction.State != directory.TooFew {
		v.Satisfaction.Levels = &l.Satisfaction.Levels
	}
	return v
}
