package handlers

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// regionView is a region in an answer.
type regionView struct {
	Code                string                `json:"code"`
	Name                string                `json:"name"`
	Names               directory.Names       `json:"names"`
	Level               directory.RegionLevel `json:"level"`
	Type                string                `json:"type"`
	Legal               bool                  `json:"legal"`
	Parent              *string               `json:"parent"`
	Pinyin              string                `json:"pinyin,omitempty"`
	Seat                *directory.Point      `json:"seat"`
	ChildrenCount       int                   `json:"children_count"`
	ResidentsCommittees int                   `json:"residents_committees"`
	VillageCommittees   int                   `json:"village_committees"`
}

func (a *api) viewRegion(reg directory.Region, in *input) regionView {
	v := regionView{
		Code: reg.Code, Name: reg.Names.In(in.lang), Names: reg.Names,
		Level: reg.Level, Type: reg.Type, Legal: reg.Legal, Pinyin: reg.Pinyin,
		ChildrenCount:       len(a.Regions.Children(reg.Code)),
		ResidentsCommittees: reg.ResidentsCommittees,
		VillageCommittees:   reg.VillageCommittees,
	}
	if reg.Parent != "" {
		v.Parent = &reg.Parent
	}
	if reg.Seat != nil {
		seat := in.toCRS(*reg.Seat)
		v.Seat = &seat
	}
	return v
}

func (a *api) viewRegions(regions []directory.Region, in *input) []regionView {
	views := make([]regionView, len(regions))
	for i, reg := range regions {
		views[i] = a.viewRegion(reg, in)
	}
	return views
}

// maxRegionsFound is how many regions a search by name returns.
const maxRegionsFound = 50

func (a *api) listRegions(c *fiber.Ctx, in *input) error {
	parent, q := in.text("parent"), in.text("q")
	level := directory.RegionLevel(in.integer("level"))
	if parent != "" && !a.Regions.Has(parent) {
		in.refuse("parent", directory.CodeValue, "/v1/regions")
	}
	if level == directory.Community && !in.has("parent") && !in.has("q") {
		in.refuse("level", directory.CodeNeeds, "parent, q")
	}
	if err := in.err(); err != nil {
		return err
	}

	var found []directory.Region
	switch {
	case q != "":
		for _, code := range a.completer.findRegions(q) {
			if reg, err := a.Regions.Get(code); err == nil {
				found = append(found, reg)
			}
		}
	case parent != "":
		found = a.Regions.Children(parent)
	case level != 0:
		found = slices.Clone(a.Regions.All())
	default:
		found = a.Regions.Children(a.province())
	}
	found = slices.DeleteFunc(found, func(reg directory.Region) bool {
		return level != 0 && reg.Level != level || q != "" && parent != "" && reg.Parent != parent
	})
	if q != "" {
		found = found[:min(len(found), maxRegionsFound)]
	}

	body, err := toJSON(map[string][]regionView{"items": a.viewRegions(found, in)})
	if err != nil {
		return err
	}
	return sendSlow(c, body)
}

// province returns the code of the whole.
func (a *api) province() string { return a.Regions.Province().Code }

func (a *api) getRegion(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	reg, err := a.Regions.Get(in.text("code"))
	if err != nil {
		return err
	}
	answer := struct {
		regionView
		Path     []search.TermRef `json:"path"`
		Children []regionView     `json:"children"`
	}{regionView: a.viewRegion(reg, in), Children: a.viewRegions(a.Regions.Children(reg.Code), in)}
	for _, above := range a.Regions.Path(reg.Code) {
		answer.Path = append(answer.Path, search.TermRef{Code: above.Code, Name: above.Names.In(in.lang)})
	}
	body, err := toJSON(answer)
	if err != nil {
		return err
	}
	return sendSlow(c, body)
}

func (a *api) locateRegion(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	p := in.fromCRS(directory.Point{Lat: *in.number("lat"), Lon: *in.number("lon")})
	prefecture, county, err := a.Regions.Locate(p)
	if err != nil {
		return err
	}
	return sendJSON(c, struct {
		Prefecture  search.RegionRef `json:"prefecture"`
		County      search.RegionRef `json:"county"`
		Approximate bool             `json:"approximate"`
	}{
		search.NewRegionRef(a.Regions, prefecture.Code, in.lang),
		search.NewRegionRef(a.Regions, county.Code, in.lang),
		true,
	})
}

// sendSlow answers with what changes only with a release of the data, so that a
// client may keep it for an hour.
func sendSlow(c *fiber.Ctx, body []byte) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	return sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, body)
}
