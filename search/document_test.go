package search_test

import (
	"encoding/json"
	"slices"
	"testing"

	"qingfu/directory"
	"qingfu/search"
)

func TestDocument(t *testing.T) {
	w := theWorld()
	l := directory.Listing{
		ID: "one", Kind: directory.DomesticServiceKind,
		Names:   directory.Names{Zh: "互助<家政>", Bo: "ཁྱིམ་ལས", En: "Huzhu Home"},
		Aliases: []string{"互助阿姨"}, Organization: "互助家政有限公司", Summary: "短", Description: "长",
		Region: "630223", Address: "某路1号", Location: &directory.Point{Lat: 36.8, Lon: 101.9},
		Categories: []string{"maternity"}, Features: []string{"home_visit"},
		Offerings:       []directory.Offering{{Name: "月嫂服务", Unit: directory.PerMonth, PriceMin: 800_000, PriceMax: 900_000}, {Name: "擦窗", Unit: directory.PerVisit, PriceMin: 5000, PriceMax: 5000}},
		DomesticService: &directory.DomesticService{Employment: directory.Employees, CountiesServed: []string{"630102", "630223"}},
		Satisfaction:    directory.Satisfaction{Levels: [5]int64{0, 0, 0, 0, 40}},
	}
	d, err := w.indexer.Document(&l)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Names, []string{"互助<家政>", "ཁྱིམ་ལས", "Huzhu Home"}) || !slices.Equal(d.Aliases, []string{"互助家政有限公司", "互助阿姨"}) {
		t.Errorf("names %q, aliases %q", d.Names, d.Aliases)
	}
	if !slices.Equal(d.Regions, []string{"630000", "630200", "630223", "630100", "630102"}) {
		t.Errorf("regions %q", d.Regions)
	}
	for _, want := range []string{"青海省", "海东市", "海东", "互助土族自治县", "互助县", "互助", "城东区", "城东", "西宁"} {
		if !slices.Contains(d.Places, want) {
			t.Errorf("places %q lack %s", d.Places, want)
		}
	}
	for _, want := range []string{"家政服务", "母婴护理", "月嫂服务", "擦窗", "上门服务", "员工制"} {
		if !slices.Contains(d.Categories, want) {
			t.Errorf("categories %q lack %s", d.Categories, want)
		}
	}
	if d.Summary != "短 长" || d.PriceFrom == nil || *d.PriceFrom != 5000 || d.Share == nil || *d.Share != 1 || d.Satisfaction < 0.9 || d.Satisfaction >= 1 {
		t.Errorf("%+v", d)
	}

	var card search.Card
	if err := json.Unmarshal([]byte(d.Card), &card); err != nil {
		t.Fatal(err)
	}
	if card.ID != "one" || card.Name != l.Names.Zh || card.Names != l.Names || card.Kind != l.Kind || card.Demo || *card.Location != *l.Location ||
		!slices.Equal(card.Region.Path, []string{"青海省", "海东市", "互助土族自治县"}) || card.Region.Name != "互助土族自治县" || card.Region.Code != "630223" ||
		!slices.Equal(card.Categories, []search.TermRef{{Code: "maternity", Name: "母婴护理"}}) || !slices.Equal(card.Badges, []search.TermRef{{Code: "employees", Name: "员工制"}}) ||
		*card.PriceFrom != 5000 || card.Satisfaction.N != 40 {
		t.Errorf("card %s", d.Card)
	}

	// What is absent is an empty list or null in a card, never left out.
	bare := w.made("bare", func(l *directory.Listing) {})
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(bare.doc.Card), &fields); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"categories": "[]", "badges": "[]", "location": "null", "price_from": "null", "demo": "false"} {
		if string(fields[field]) != want {
			t.Errorf("%s is %s", field, fields[field])
		}
	}
	if bare.doc.PriceFrom != nil || bare.doc.Share != nil || bare.doc.HasVacancy {
		t.Errorf("%+v", bare.doc)
	}
}

func TestDocumentOfUnknownRegion(t *testing.T) {
	w := theWorld()
	for name, l := range map[string]directory.Listing{
		"region":        {Region: "999999"},
		"no region":     {},
		"county served": {Region: "630100", DomesticService: &directory.DomesticService{CountiesServed: []string{"110101"}}},
	} {
		if _, err := w.indexer.Document(&l); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Documents share what they have of their regions; one must not change another.
func TestDocumentsDoNotShareChanges(t *testing.T) {
	w := theWorld()
	plain := directory.Listing{Region: "630102"}
	before, _ := w.indexer.Document(&plain)
	regions, places := slices.Clone(before.Regions), slices.Clone(before.Places)
	for _, county := range []string{"632801", "632701"} {
		l := directory.Listing{Region: "630102", DomesticService: &directory.DomesticService{CountiesServed: []string{county}}}
		d, err := w.indexer.Document(&l)
		if err != nil || !slices.Contains(d.Regions, county) {
			t.Fatal(d.Regions, err)
		}
	}
	after, _ := w.indexer.Document(&plain)
	for _, d := range []search.Document{before, after} {
		if !slices.Equal(d.Regions, regions) || !slices.Equal(d.Places, places) {
			t.Errorf("%q %q", d.Regions, d.Places)
		}
	}
}

func TestRefs(t *testing.T) {
	w := theWorld()
	if ref := search.NewRegionRef(w.regions, "999999", "zh"); ref.Code != "999999" || ref.Name != "" || ref.Path == nil || len(ref.Path) != 0 {
		t.Errorf("%+v", ref)
	}
	if ref := search.NewRegionRef(w.regions, "630102", "en"); len(ref.Path) != 3 || ref.Name != ref.Path[2] {
		t.Errorf("%+v", ref)
	}
	if refs := search.NewTermRefs([]string{"maternity", "nope", "cook"}, "zh", search.CategoryTerm); len(refs) != 2 || refs[1].Name != "上门做饭" {
		t.Errorf("%+v", refs)
	}
}
