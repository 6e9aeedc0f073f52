package seed

import (
	"reflect"
	"testing"

	"qingfu/directory"
)

// TestReturns: what is invented keeps the rules of what is reported.
func TestReturns(t *testing.T) {
	regions := mustRegions(t)
	all := Returns(regions)
	if !reflect.DeepEqual(all, Returns(regions)) {
		t.Error("two calls differ")
	}
	form, err := directory.ReturnFormOf(directory.CountyHealthForm)
	if err != nil {
		t.Fatal(err)
	}
	before := map[directory.ReturnKey]map[string]int64{}
	counties := map[string]int{}
	for i := range all {
		r := &all[i]
		counties[r.Subject]++
		last := r.ReturnKey
		last.Month = last.Month.Add(-1)
		if err := form.Check(&r.Last().ReturnContent, before[last], false); err != nil {
			t.Errorf("%s: %v", r.ID(), err)
		}
		before[r.ReturnKey] = r.Last().Values
		reg, err := regions.Get(r.Subject)
		if from, ok := form.CountyReporter(&reg); err != nil || !ok || from.Scope() != r.Scope() {
			t.Errorf("%s is of %+v", r.ID(), r.Scope())
		}
		if !r.Demo || r.State() != directory.ReturnApproved || r.Month < 202608 || r.Month > 202610 {
			t.Errorf("%s: %+v", r.ID(), r)
		}
	}
	if n := len(counties); n < 30 || n >= 45 {
		t.Errorf("%d of 45 counties report", n)
	}
	for county, months := range counties {
		if months != 3 {
			t.Errorf("%s reports %d months", county, months)
		}
	}
}
