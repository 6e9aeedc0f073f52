package seed

import (
	"testing"

	"qingfu/directory"
)

// TestCensus compares the sums with those that the census was published with.
func TestCensus(t *testing.T) {
	regions, census := mustRegions(t), Census()
	for code, want := range map[string]int64{"630000": 5_923_957, "630100": 2_467_965, "630200": 1_358_471, "632800": 468_216, "630106": 395_043} {
		if census[code] != want {
			t.Errorf("%s has %d inhabitants, want %d", code, census[code], want)
		}
	}
	for code := range census {
		if reg, err := regions.Get(code); err != nil || reg.Level > directory.County {
			t.Errorf("%s: %v", code, err)
		}
	}
	for _, prefecture := range regions.Children("630000") {
		if census[prefecture.Code] == 0 {
			t.Errorf("nobody lives in %s", prefecture.Names.Zh)
		}
	}
}
