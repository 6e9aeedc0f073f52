package sheets

import (
	"strings"
	"testing"
)

func TestEveryRegionIsFoundByItsPathAndItsCode(t *testing.T) {
	regions := testRegions(t)
	p := newPlaces(regions)
	named := 0
	for _, reg := range regions.All() {
		path := p.path(reg.Code)
		if got := p.find(path); got.code != reg.Code {
			t.Errorf("%s: %q is found as %+v", reg.Code, path, got)
		}
		if got := p.find(reg.Code); got.code != reg.Code {
			t.Errorf("%s is found as %+v", reg.Code, got)
		}
		if path != reg.Code {
			named++
		}
		if len(reg.Code) == 6 && p.find(p.name(reg.Code)).code != reg.Code {
			t.Errorf("%s: %q is not found", reg.Code, p.name(reg.Code))
		}
	}
	if all := len(regions.All()); named < all*99/100 {
		t.Errorf("only %d of %d regions have a path of their own", named, all)
	}
}

func TestFindRegion(t *testing.T) {
	p := newPlaces(testRegions(t))
	for text, want := range map[string]string{
		"630102": "630102", "６３０１０２": "630102", "630102000000": "630102", "630102001000": "630102001", "630102001": "630102001",
		"青海省": "630000", "西宁市": "630100", "西宁": "630100", "城东区": "630102", "西宁市城东区": "630102", "青海省西宁市城东区": "630102",
		"青海省海东市乐都区": "630202", "青海 西宁 城东": "630102", "西宁市/城东区": "630102", "西宁市＞城东区": "630102", "西宁市、城东区": "630102",
		"大通县": "630121", "西宁市大通回族土族自治县": "630121", "大通": "630121", "海西州格尔木市": "632801", "海西": "632800", "海南州沙沟乡": "632525200",
		"城东区东关大街街道": "630102001", "西宁市东关大街街道": "630102001", "东关大街街道": "630102001", "青海省/西宁市/城东区/东关大街街道/北关社区": "630102001001",
	} {
		if got := p.find(text); got.code != want {
			t.Errorf("%q: got %+v, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "北京市", "海东市城东区", "城东区西宁市", "630199", "63", "630102999", "青海省西宁市城东区某街道", "城", strings.Repeat("西宁市", 1000)} {
		if got := p.find(text); got.code != "" || got.same != nil {
			t.Errorf("%q is found: %+v", text, got)
		}
	}
	// 沙沟乡 there is in 海东 and in 海南.
	got := p.find("沙沟乡")
	if len(got.same) != 2 {
		t.Fatalf("沙沟乡 is %+v", got)
	}
	if text := p.listed(got.same); strings.Count(text, "沙沟乡（63") != 2 {
		t.Errorf("listed as %q", text)
	}
	many := p.find("团结村")
	if text := p.listed(many.same); !strings.Contains(text, " 等 ") || strings.Count(text, "（") != 5 {
		t.Errorf("团结村 is listed as %q", text)
	}
}
