package memory

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"qingfu/directory"
	"qingfu/search"
)

// mapCell is a square of about 64 pixels of a web map: the column in the upper
// 32 bits, the row in the lower ones.
type mapCell uint64

// zoomOut returns the cell that holds this one so many zooms farther out.
func (c mapCell) zoomOut(zooms int) mapCell {
	return mapCell(uint64(c)>>32>>zooms<<32 | uint64(uint32(c)>>zooms))
}

// maxZoom is the largest zoom of a web map that cells are made for.
const maxZoom = 20

// cellPixels is the width of a cell; a tile of a web map has 256.
const cellPixels = 64

// Clusters implements search.Engine. Clusters come with the largest first.
func (e *Engine) Clusters(ctx context.Context, q search.ClusterQuery) ([]search.Cluster, error) {
	q.Limit, q.Sort, q.Facets = 1, search.ByRelevance, nil
	if err := check(&q.Query); err != nil {
		return nil, err
	}
	var fields []directory.FieldError
	if q.Box == nil {
		fields = append(fields, directory.FieldError{Parameter: "bbox", Code: directory.CodeRequired})
	}
	switch {
	case q.Zoom < 0:
		fields = append(fields, directory.FieldError{Parameter: "zoom", Code: directory.CodeTooSmall, Limit: "0"})
	case q.Zoom > maxZoom:
		fields = append(fields, directory.FieldError{Parameter: "zoom", Code: directory.CodeTooLarge, Limit: strconv.Itoa(maxZoom)})
	}
	if fields != nil {
		return nil, directory.InvalidFields("query", fields)
	}
	snap := e.snapshot.Load()
	sel, err := e.choose(ctx, snap, &q.Query)
	if err != nil {
		return nil, err
	}
	shift := maxZoom - q.Zoom
	cells := map[mapCell]*search.Cluster{}
	for i, v := range snap.view {
		g := &v.seg.geo
		it := sel.docs[i].Iterator()
		for it.HasNext() {
			d := it.Next()
			at := g.cells[d].zoomOut(shift)
			c := cells[at]
			if c == nil {
				c = &search.Cluster{ID: v.seg.docs[d].id, Box: directory.Box{South: 90, West: 180, North: -90, East: -180}}
				cells[at] = c
			}
			p := g.points[d]
			c.Count++
			c.Center.Lat += p.Lat
			c.Center.Lon += p.Lon
			c.Box.South, c.Box.North = min(c.Box.South, p.Lat), max(c.Box.North, p.Lat)
			c.Box.West, c.Box.East = min(c.Box.West, p.Lon), max(c.Box.East, p.Lon)
		}
	}
	out := make([]search.Cluster, 0, len(cells))
	for _, c := range cells {
		c.Center.Lat /= float64(c.Count)
		c.Center.Lon /= float64(c.Count)
		if c.Count > 1 {
			c.ID = ""
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b search.Cluster) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Center.Lat, b.Center.Lat), cmp.Compare(a.Center.Lon, b.Center.Lon))
	})
	return out, nil
}

// cellOf returns the cell of a point at the largest zoom, in the spherical
// Mercator projection of web maps (EPSG:3857).
func cellOf(p directory.Point) mapCell {
	const around = 256 / cellPixels << maxZoom
	lat := math.Max(-85.05, math.Min(85.05, p.Lat)) * math.Pi / 180
	x := (p.Lon + 180) / 360
	y := (1 - math.Asinh(math.Tan(lat))/math.Pi) / 2
	return mapCell(uint64(x*around)<<32 | uint64(y*around))
}
