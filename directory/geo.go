package directory

import "math"

// Point is a position in degrees. Inside the program every point is WGS-84;
// GCJ-02 exists only at the edge.
type Point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Box is a rectangle of positions that does not cross the antimeridian.
type Box struct {
	South, West, North, East float64
}

// Contains tells whether p lies in the box or on its border.
func (b Box) Contains(p Point) bool {
	return p.Lat >= b.South && p.Lat <= b.North && p.Lon >= b.West && p.Lon <= b.East
}

// EarthRadiusM is the mean radius of the Earth in metres (IUGG R1).
const EarthRadiusM = 6371008.8

// Distance returns the great-circle distance between two points in metres
// (haversine formula).
func Distance(a, b Point) float64 {
	const rad = math.Pi / 180
	sinLat := math.Sin((b.Lat - a.Lat) * rad / 2)
	sinLon := math.Sin((b.Lon - a.Lon) * rad / 2)
	h := sinLat*sinLat + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*sinLon*sinLon
	return 2 * EarthRadiusM * math.Asin(math.Min(1, math.Sqrt(h)))
}

// The semi-major axis and squared eccentricity of the Krasovsky 1940 ellipsoid,
// which the publicly known approximation of the GCJ-02 offset is computed on.
const (
	krasovskyA  = 6378245.0
	krasovskyE2 = 0.00669342162296594323
)

// ToGCJ02 converts a WGS-84 point to GCJ-02, the datum of Chinese map software,
// by the publicly known approximation of its offset. Points outside China's
// bounding box are returned as they are.
func ToGCJ02(p Point) Point {
	if p.Lon < 72.004 || p.Lon > 137.8347 || p.Lat < 0.8293 || p.Lat > 55.8271 {
		return p
	}
	dLat, dLon := gcjOffset(p)
	return Point{p.Lat + dLat, p.Lon + dLon}
}

// FromGCJ02 converts a GCJ-02 point to WGS-84 by iterating ToGCJ02's inverse
// until it is exact to about a millimetre.
func FromGCJ02(p Point) Point {
	w := p
	for range 10 {
		g := ToGCJ02(w)
		dLat, dLon := g.Lat-p.Lat, g.Lon-p.Lon
		w.Lat -= dLat
		w.Lon -= dLon
		if math.Abs(dLat) < 1e-8 && math.Abs(dLon) < 1e-8 {
			break
		}
	}
	return w
}

func gcjOffset(p Point) (dLat, dLon float64) {
	x, y := p.Lon-105, p.Lat-35
	sin := func(v float64) float64 { return math.Sin(v * math.Pi) }
	shared := (20*sin(6*x) + 20*sin(2*x)) * 2 / 3
	dLat = -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x)) + shared +
		(20*sin(y)+40*sin(y/3))*2/3 + (160*sin(y/12)+320*sin(y/30))*2/3
	dLon = 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x)) + shared +
		(20*sin(x)+40*sin(x/3))*2/3 + (150*sin(x/12)+300*sin(x/30))*2/3
	rad := p.Lat / 180 * math.Pi
	m := 1 - krasovskyE2*math.Sin(rad)*math.Sin(rad)
	dLat = dLat * 180 / (krasovskyA * (1 - krasovskyE2) / (m * math.Sqrt(m)) * math.Pi)
	dLon = dLon * 180 / (krasovskyA / math.Sqrt(m) * math.Cos(rad) * math.Pi)
	return dLat, dLon
}
