package directory

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestDistance(t *testing.T) {
	degree := EarthRadiusM * math.Pi / 180
	for _, tt := range []struct {
		name string
		a, b Point
		want float64
	}{
		{"the same place", Point{36.6, 101.8}, Point{36.6, 101.8}, 0},
		{"a degree of latitude", Point{36, 101}, Point{37, 101}, degree},
		{"a degree of longitude at 60°", Point{60, 100}, Point{60, 101}, 2 * EarthRadiusM * math.Asin(0.5*math.Sin(math.Pi/360))},
		{"across the antimeridian", Point{0, 179.5}, Point{0, -179.5}, degree},
		{"pole to pole", Point{90, 0}, Point{-90, 50}, EarthRadiusM * math.Pi},
		// The much used example of Nashville and Los Angeles airports is
		// 2886.44444 km on a sphere of 6371.0 km.
		{"BNA to LAX", Point{36.12, -86.67}, Point{33.94, -118.40}, 2886444.44 * EarthRadiusM / 6371000},
	} {
		if got := Distance(tt.a, tt.b); math.Abs(got-tt.want) > 0.01 {
			t.Errorf("%s: %.3f m, want %.3f m", tt.name, got, tt.want)
		}
	}
}

// Worked examples that the open-source library coordtransform publishes for
// the datums' conversion.
func TestGCJ02PublishedExamples(t *testing.T) {
	if got := ToGCJ02(Point{39.915, 116.404}); far(got, Point{39.91640428150164, 116.41024449916938}, 1e-9) {
		t.Errorf("to GCJ-02: %.12f", got)
	}
	// Its inverse is a single step, exact to some 1e-5°.
	if got := FromGCJ02(Point{39.915, 116.404}); far(got, Point{39.91359571849836, 116.39775550083061}, 2e-5) {
		t.Errorf("from GCJ-02: %.12f", got)
	}
}

func far(a, b Point, tolerance float64) bool {
	return !(math.Abs(a.Lat-b.Lat) <= tolerance && math.Abs(a.Lon-b.Lon) <= tolerance)
}

func TestGCJ02RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Point{rapid.Float64Range(18, 54).Draw(t, "lat"), rapid.Float64Range(73.5, 135).Draw(t, "lon")}
		g := ToGCJ02(p)
		if back := FromGCJ02(g); far(back, p, 2e-8) {
			t.Errorf("%v comes back as %v", p, back)
		}
		if moved := Distance(p, g); moved < 1 || moved > 1500 {
			t.Errorf("%v is moved by %.0f m", p, moved)
		}
	})
}

func TestGCJ02LeavesTheRestOfTheWorld(t *testing.T) {
	for _, p := range []Point{{48.8566, 2.3522}, {35.6762, 139.6503}, {-33.9, 115}, {60, 100}} {
		if ToGCJ02(p) != p || FromGCJ02(p) != p {
			t.Errorf("%v becomes %v and %v", p, ToGCJ02(p), FromGCJ02(p))
		}
	}
}

func TestBoxContains(t *testing.T) {
	b := Box{South: 36, West: 101, North: 37, East: 102}
	for p, want := range map[Point]bool{{36, 101}: true, {37, 102}: true, {36.5, 101.5}: true, {35.99, 101.5}: false,
		{37.01, 101.5}: false, {36.5, 100.99}: false, {36.5, 102.01}: false, {math.NaN(), 101.5}: false} {
		if b.Contains(p) != want {
			t.Errorf("Contains(%v) is %v", p, !want)
		}
	}
}
