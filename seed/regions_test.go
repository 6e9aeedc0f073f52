package seed

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"qingfu/directory"
)

func mustRegions(t testing.TB) *directory.Regions {
	t.Helper()
	regions, err := Regions()
	if err != nil {
		t.Fatal(err)
	}
	return regions
}

func TestRegionCounts(t *testing.T) {
	type key struct {
		level directory.RegionLevel
		typ   string
	}
	got := map[key]int{}
	var illegal []string
	for _, r := range mustRegions(t).All() {
		got[key{r.Level, r.Type}]++
		if !r.Legal {
			illegal = append(illegal, r.Names.Zh)
		}
	}
	want := map[key]int{
		{directory.Province, "省"}:     1,
		{directory.Prefecture, "地级市"}: 2, {directory.Prefecture, "自治州"}: 6,
		{directory.County, "市辖区"}: 7, {directory.County, "县级市"}: 5, {directory.County, "县"}: 25,
		{directory.County, "自治县"}: 7, {directory.County, "行政委员会"}: 1,
		{directory.Township, "街道"}: 43, {directory.Township, "镇"}: 140,
		{directory.Township, "乡"}: 194, {directory.Township, "民族乡"}: 28,
		{directory.Community, "居委会"}: 536, {directory.Community, "村委会"}: 4145,
	}
	if !maps.Equal(got, want) {
		t.Errorf("divisions by level and type:\n got %v\nwant %v", got, want)
	}
	if !slices.Equal(illegal, []string{"大柴旦行政委员会"}) {
		t.Errorf("divisions not by law: %v", illegal)
	}
}

func TestRegionsTree(t *testing.T) {
	regions := mustRegions(t)
	depth := map[directory.RegionLevel]int{}
	for _, r := range regions.All() {
		path := regions.Path(r.Code)
		if path[0].Code != "630000" || path[len(path)-1].Code != r.Code {
			t.Errorf("path of %s is %v", r.Code, path)
		}
		// The two communities of 察尔汗, which is no township by law, lie right below 格尔木市.
		if len(path) != int(r.Level) {
			depth[r.Level]++
			if r.Parent != "632801" {
				t.Errorf("%s %s has a path of %d", r.Code, r.Names.Zh, len(path))
			}
		}
		if (r.Seat != nil) != (r.Level <= directory.County) {
			t.Errorf("%s %s: seat %v", r.Code, r.Names.Zh, r.Seat)
		}
		if r.Names.Zh == "" || strings.ContainsAny(r.Names.Zh, " ()") {
			t.Errorf("%s is named %q", r.Code, r.Names.Zh)
		}
		if hanzi := len([]rune(strings.NewReplacer("（", "", "）", "").Replace(r.Names.Zh))); len(strings.Fields(r.Pinyin)) != hanzi || len(r.Initials) != hanzi {
			t.Errorf("%s %s: pinyin %q, initials %q", r.Code, r.Names.Zh, r.Pinyin, r.Initials)
		}
		residents, villages := 0, 0
		for _, c := range regions.Children(r.Code) {
			residents += c.ResidentsCommittees
			villages += c.VillageCommittees
			switch c.Type {
			case "居委会":
				residents++
			case "村委会":
				villages++
			}
		}
		if r.ResidentsCommittees != residents || r.VillageCommittees != villages {
			t.Errorf("%s %s: %d + %d committees, below it %d + %d", r.Code, r.Names.Zh, r.ResidentsCommittees, r.VillageCommittees, residents, villages)
		}
	}
	if want := (map[directory.RegionLevel]int{directory.Community: 2}); !maps.Equal(depth, want) {
		t.Errorf("regions that skip a level: %v, want %v", depth, want)
	}
	if p, _ := regions.Get("630000"); p.ResidentsCommittees != 536 || p.VillageCommittees != 4145 {
		t.Errorf("province: %d + %d committees", p.ResidentsCommittees, p.VillageCommittees)
	}
}

func TestStreets(t *testing.T) {
	regions := mustRegions(t)
	streets, underStreets := map[string]int{}, 0
	for _, r := range regions.All() {
		if r.Type == "街道" {
			streets[regions.Path(r.Code)[1].Names.Zh]++
			underStreets += r.ResidentsCommittees
		}
	}
	for _, none := range []string{"海北藏族自治州", "黄南藏族自治州", "海南藏族自治州", "果洛藏族自治州"} {
		if streets[none] != 0 {
			t.Errorf("%s has %d streets", none, streets[none])
		}
		delete(streets, none)
	}
	if len(streets) != 4 {
		t.Errorf("prefectures with streets: %v", streets)
	}
	if underStreets != 191 {
		t.Errorf("%d residents' committees under streets, want 191", underStreets)
	}
	if r, err := regions.Get("630106401"); err != nil || r.Type != "街道" || r.Names.Zh != "康川街道" {
		t.Errorf("630106401 is %+v, %v", r, err)
	}
	for _, gone := range []string{"632701400", "630102400", "632801400"} {
		if regions.Has(gone) {
			t.Errorf("%s is no division by law and should be left out", gone)
		}
	}
}

func TestRegionNames(t *testing.T) {
	regions := mustRegions(t)
	for code, want := range map[string]directory.Region{
		"630000":       {Names: directory.Names{Zh: "青海省", Bo: "མཚོ་སྔོན་ཞིང་ཆེན", En: "Qinghai"}, Pinyin: "qing hai sheng", Initials: "qhs"},
		"632323":       {Names: directory.Names{Zh: "泽库县", Bo: "རྩེ་ཁོག་རྫོང", En: "Zêkog"}, Pinyin: "ze ku xian", Initials: "zkx"},
		"632222":       {Names: directory.Names{Zh: "祁连县", En: "Qilian"}, Pinyin: "qi lian xian", Initials: "qlx"},   // its Tibetan name is of low confidence
		"632801":       {Names: directory.Names{Zh: "格尔木市", En: "Golmud"}, Pinyin: "ge er mu shi", Initials: "gems"}, // likewise
		"630102001001": {Names: directory.Names{Zh: "北关社区"}, Pinyin: "bei guan she qu", Initials: "bgsq"},
	} {
		r, err := regions.Get(code)
		if err != nil || r.Names != want.Names || r.Pinyin != want.Pinyin || r.Initials != want.Initials {
			t.Errorf("%s: %+v, %v", code, r, err)
		}
	}
	if r, _ := regions.Get("632800"); r.Names.Mn == "" {
		t.Error("海西 has no Mongolian name")
	}
	counties := 0
	for _, r := range regions.All() {
		if r.Level == directory.County && r.Names.Bo != "" {
			counties++
		}
	}
	if counties != 22 { // 6 of high and 16 of medium confidence; 5 of low are left out
		t.Errorf("%d counties have a Tibetan name, want 22", counties)
	}
}

func TestLocate(t *testing.T) {
	regions := mustRegions(t)
	for _, c := range []struct {
		what               string
		at                 directory.Point
		prefecture, county string
	}{
		{"莫家街, Xining", directory.Point{Lat: 36.617, Lon: 101.779}, "630100", "630103"},
		{"塔尔寺", directory.Point{Lat: 36.487, Lon: 101.567}, "630100", "630106"},
		{"互助威远镇", directory.Point{Lat: 36.84, Lon: 101.96}, "630200", "630223"},
		{"格尔木站", directory.Point{Lat: 36.38, Lon: 94.91}, "632800", "632801"},
		{"茶卡盐湖", directory.Point{Lat: 36.75, Lon: 99.08}, "632800", "632821"},
		{"玉树结古", directory.Point{Lat: 33.0, Lon: 97.0}, "632700", "632701"},
		{"玛多", directory.Point{Lat: 34.91, Lon: 98.21}, "632600", "632626"},
		{"泽库, the second ring of its outline or not", directory.Point{Lat: 35.04, Lon: 101.47}, "632300", "632323"},
		{"唐古拉山镇, the exclave of Haixi", directory.Point{Lat: 34.2, Lon: 92.4}, "632800", ""},
	} {
		prefecture, county, err := regions.Locate(c.at)
		if err != nil || prefecture.Code != c.prefecture || c.county != "" && county.Code != c.county {
			t.Errorf("%s: %s %s, %v", c.what, prefecture.Names.Zh, county.Names.Zh, err)
		}
	}
	if _, _, err := regions.Locate(directory.Point{Lat: 36.06, Lon: 103.83}); directory.KindOf(err) != directory.NotFound {
		t.Errorf("Lanzhou: %v", err)
	}
	for _, r := range regions.All() {
		if r.Level != directory.County {
			continue
		}
		if prefecture, county, err := regions.Locate(*r.Seat); err != nil || prefecture.Code != r.Parent || county.Code != r.Code {
			t.Errorf("the seat of %s is located in %s %s, %v", r.Names.Zh, prefecture.Names.Zh, county.Names.Zh, err)
		}
	}
}
