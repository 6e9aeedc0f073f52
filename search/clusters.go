package search

import (
	"cmp"
	"math"
	"slices"

	"qingfu/directory"
)

// MapCell is a square of about 64 pixels of a web map: the column in the upper
// 32 bits, the row in the lower ones.
type MapCell uint64

// MaxZoom is the largest zoom of a web map that cells are made for.
const MaxZoom = 20

// cellPixels is the width of a cell; a tile of a web map has 256.
const cellPixels = 64

// CellOf returns the cell of a point at the largest zoom, in the spherical
// Mercator projection of web maps (EPSG:3857).
func CellOf(p directory.Point) MapCell {
	const around = 256 / cellPixels << MaxZoom
	lat := math.Max(-85.05, math.Min(85.05, p.Lat)) * math.Pi / 180
	x := (p.Lon + 180) / 360
	y := (1 - math.Asinh(math.Tan(lat))/math.Pi) / 2
	return MapCell(uint64(x*around)<<32 | uint64(y*around))
}

// zoomOut returns the cell that holds this one so many zooms farther out.
func (c MapCell) zoomOut(zooms int) MapCell {
	return MapCell(uint64(c)>>32>>zooms<<32 | uint64(uint32(c)>>zooms))
}

// Clustering groups listings into the cells of a map at one zoom.
type Clustering struct {
	shift int
	cells map[MapCell]*Cluster
}

// NewClustering returns one without a listing.
func NewClustering(zoom int) *Clustering {
	return &Clustering{shift: MaxZoom - zoom, cells: map[MapCell]*Cluster{}}
}

// Add adds a listing at a point, whose cell at the largest zoom is given.
func (g *Clustering) Add(id string, p directory.Point, cell MapCell) {
	at := cell.zoomOut(g.shift)
	c := g.cells[at]
	if c == nil {
		c = &Cluster{ID: id, Box: directory.Box{South: 90, West: 180, North: -90, East: -180}}
		g.cells[at] = c
	}
	c.Count++
	c.Center.Lat += p.Lat
	c.Center.Lon += p.Lon
	c.Box.South, c.Box.North = min(c.Box.South, p.Lat), max(c.Box.North, p.Lat)
	c.Box.West, c.Box.East = min(c.Box.West, p.Lon), max(c.Box.East, p.Lon)
}

// Clusters returns the clusters, the largest first. It is called once, at the end.
func (g *Clustering) Clusters() []Cluster {
	out := make([]Cluster, 0, len(g.cells))
	for _, c := range g.cells {
		c.Center.Lat /= float64(c.Count)
		c.Center.Lon /= float64(c.Count)
		if c.Count > 1 {
			c.ID = ""
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Center.Lat, b.Center.Lat), cmp.Compare(a.Center.Lon, b.Center.Lon))
	})
	return out
}
