package directory

import (
	"slices"
	"testing"
)

func TestNewRegionsRefuses(t *testing.T) {
	if _, err := NewRegions([]Region{{Code: "63"}, {Code: "63"}}, nil); err == nil {
		t.Error("a code stands twice")
	}
	if _, err := NewRegions([]Region{{Code: "6301", Parent: "63"}, {Code: "63"}}, nil); err == nil {
		t.Error("a child comes before its parent")
	}
}

func TestRegionTree(t *testing.T) {
	r := testRegions(t)
	codesOf := func(regions []Region) []string {
		var out []string
		for _, reg := range regions {
			out = append(out, reg.Code)
		}
		return out
	}
	if got, err := r.Get("632857"); err != nil || got.Names.Zh != "大柴旦行政委员会" {
		t.Errorf("Get = %v, %v", got, err)
	}
	if _, err := r.Get("6328"); KindOf(err) != NotFound {
		t.Errorf("Get of no code: %v", err)
	}
	if !r.Has("630000") || r.Has("") || r.Has("110000") {
		t.Error("Has is wrong")
	}
	if got, want := codesOf(r.Path("630102001001")), []string{"630000", "630100", "630102", "630102001", "630102001001"}; !slices.Equal(got, want) {
		t.Errorf("Path = %v", got)
	}
	if got := r.Path("110000"); len(got) != 0 {
		t.Errorf("Path of no code = %v", got)
	}
	for _, tt := range []struct {
		code  string
		level RegionLevel
		want  string
	}{
		{"630102001001", County, "630102"}, {"630102", County, "630102"}, {"630100", County, "630100"},
		{"630102001", Prefecture, "630100"}, {"630102001", Province, "630000"}, {"110000", County, "110000"},
	} {
		if got := r.Widen(tt.code, tt.level); got != tt.want {
			t.Errorf("Widen(%s, %d) = %s, want %s", tt.code, tt.level, got, tt.want)
		}
	}
	if got, want := codesOf(r.Children("630100")), []string{"630102", "630103", "630121"}; !slices.Equal(got, want) {
		t.Errorf("Children = %v", got)
	}
	if got := codesOf(r.Children("")); !slices.Equal(got, []string{"630000"}) {
		t.Errorf("Children of nothing = %v", got)
	}
	if len(r.All()) != 10 {
		t.Errorf("All holds %d", len(r.All()))
	}
	for _, tt := range []struct {
		code, ancestor string
		want           bool
	}{
		{"630102001001", "630000", true}, {"630102001001", "630102", true}, {"630102", "630102", true},
		{"630102", "630103", false}, {"630000", "630102", false}, {"632801", "630100", false},
		{"110101", "630000", false}, {"", "630000", false}, {"", "", false}, {"630102", "", false},
	} {
		if got := r.Within(tt.code, tt.ancestor); got != tt.want {
			t.Errorf("Within(%q, %q) = %v", tt.code, tt.ancestor, got)
		}
	}
}

func TestLocate(t *testing.T) {
	r := testRegions(t)
	for _, tt := range []struct {
		at                 Point
		prefecture, county string
	}{
		{Point{36.60, 101.81}, "630100", "630102"},
		{Point{36.63, 101.77}, "630100", "630103"},
		{Point{37.2, 101.5}, "630100", "630121"},
		{Point{37.8, 95.4}, "632800", "632801"}, // 大柴旦 has no seat in this tree
	} {
		prefecture, county, err := r.Locate(tt.at)
		if err != nil || prefecture.Code != tt.prefecture || county.Code != tt.county {
			t.Errorf("%v is in %s, %s, %v", tt.at, prefecture.Code, county.Code, err)
		}
	}
	for name, p := range map[string]Point{"Beijing": {39.9, 116.4}, "a hole": {36.15, 101.15}, "an outline of no region": {32.5, 92.5}} {
		if _, _, err := r.Locate(p); KindOf(err) != NotFound {
			t.Errorf("%s is located: %v", name, err)
		}
	}
}

func TestNamesIn(t *testing.T) {
	all := Names{"中", "བོད", "ᠮᠣ", "En"}
	for lang, want := range map[string]string{"zh": "中", "bo": "བོད", "mn": "ᠮᠣ", "en": "En", "fr": "中", "": "中"} {
		if got := all.In(lang); got != want {
			t.Errorf("In(%q) = %q", lang, got)
		}
		if got := (Names{Zh: "中"}).In(lang); got != "中" {
			t.Errorf("In(%q) without one = %q", lang, got)
		}
	}
}

func TestShortNames(t *testing.T) {
	for _, tt := range []struct {
		zh    string
		level RegionLevel
		want  []string
	}{
		{"青海省", Province, []string{"青海"}},
		{"西宁市", Prefecture, []string{"西宁"}},
		{"海北藏族自治州", Prefecture, []string{"海北州", "海北"}},
		{"海西蒙古族藏族自治州", Prefecture, []string{"海西州", "海西"}},
		{"城东区", County, []string{"城东"}},
		{"湟源县", County, []string{"湟源"}},
		{"大通回族土族自治县", County, []string{"大通县", "大通"}},
		{"民和回族土族自治县", County, []string{"民和县", "民和"}},
		{"互助土族自治县", County, []string{"互助县", "互助"}},
		{"化隆回族自治县", County, []string{"化隆县", "化隆"}},
		{"循化撒拉族自治县", County, []string{"循化县", "循化"}},
		{"河南蒙古族自治县", County, []string{"河南县", "河南"}},
		{"同仁市", County, []string{"同仁"}},
		{"曲麻莱县", County, []string{"曲麻莱"}},
		{"大柴旦行政委员会", County, []string{"大柴旦"}},
		{"东关大街街道", Township, []string{"东关大街"}},
		{"人民街街道", Township, []string{"人民街"}},
		{"城关镇", Township, []string{"城关"}},
		{"汉东回族乡", Township, []string{"汉东乡", "汉东"}},
		{"皇城蒙古族乡", Township, []string{"皇城乡", "皇城"}},
		{"哈勒景蒙古族乡", Township, []string{"哈勒景乡", "哈勒景"}},
		{"下营乡", Township, []string{"下营"}},
		{"曹家堡临空综合经济园平安园区", Township, nil},
		{"格尔木农垦有限公司", Township, nil},
		{"某镇", Township, nil}, // one character says too little
		{"北关社区居民委员会", Community, nil},
	} {
		reg := Region{Level: tt.level, Names: Names{Zh: tt.zh}}
		if got := reg.ShortNames(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.zh, got, tt.want)
		}
	}
}
