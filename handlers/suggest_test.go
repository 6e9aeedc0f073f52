package handlers

import (
	"strings"
	"testing"

	"qingfu/directory"
)

func TestCompletions(t *testing.T) {
	c := newCompletion(suggestion{Type: "region"}, directory.Names{Zh: "城东区", En: "Chengdong", Bo: "ཁྲིང་ཏུང"}, strings.Fields("cheng dong qu"))
	for typed, want := range map[string]struct {
		rank int
		html string
	}{
		"城东区":         {wholeName, "<mark>城东区</mark>"},
		"城":           {namePrefix, "<mark>城</mark>东区"},
		"东区":          {nameInside, "城<mark>东区</mark>"},
		"Cheng":       {otherName, "城东区"},
		"ཁྲིང":        {otherName, "城东区"},
		"chengdongq":  {pinyinPrefix, "<mark>城东区</mark>"},
		"cheng dongq": {pinyinPrefix, "<mark>城东区</mark>"},
		"dong":        {pinyinInside, "城<mark>东</mark>区"},
		"cd":          {initialsPrefix, "<mark>城东</mark>区"},
		"dq":          {initialsInside, "城<mark>东区</mark>"},
		"heng":        {noMatch, ""},
		"西宁":          {noMatch, ""},
		"c1":          {noMatch, ""},
	} {
		found := find([]completion{c}, typed, func(*completion) bool { return true })
		if want.rank == noMatch {
			if len(found) != 0 {
				t.Errorf("%s: %+v", typed, found)
			}
			continue
		}
		if len(found) != 1 || found[0].rank != want.rank || c.mark("城东区", found[0].at) != want.html {
			t.Errorf("%s: %+v", typed, found)
		}
	}
	if got := find([]completion{c}, " ", func(*completion) bool { return true }); got != nil {
		t.Errorf("nothing typed: %+v", got)
	}
	if got := c.mark(`<b>`, span{}); got != "&lt;b&gt;" {
		t.Errorf("not escaped: %s", got)
	}
}

func TestTermsOfOtherKindsAreLeftOut(t *testing.T) {
	f := newFixture(t, nil)
	for _, found := range f.api.completer.terms("yanglao", []directory.Kind{directory.ElderCareKind}) {
		if found.Kind != directory.ElderCareKind && found.Code != string(directory.ElderCareKind) {
			t.Errorf("%s of %s", found.Code, found.Kind)
		}
	}
	found := f.api.completer.terms("月嫂", nil)
	if len(found) == 0 || found[0].Code != "maternity" {
		t.Errorf("月嫂: %v", found)
	}
}
