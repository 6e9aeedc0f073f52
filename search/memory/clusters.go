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

// cell is a square of about 64 pixels of a web map.
type cell struct{ x, y int32 }

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
	cells := map[cell]*search.Cluster{}
	scale := math.Exp2(float64(q.Zoom)) * 256 / cellPixels
	for i, v := range snap.view {
		it := sel.docs[i].Iterator()
		for it.HasNext() {
			d := it.Next()
			p := v.seg.geo.points[d]
			at := cellOf(p, scale)
			c := cells[at]
			if c == nil {
				c = &search.Cluster{ID: v.seg.docs[d].id, Box: directory.Box{South: p.Lat, North: p.Lat, West: p.Lon, East: p.Lon}}
				cells[at] = c
			}
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

// cellOf returns the cell of a point in the spherical Mercator projection of web
// maps (EPSG:3857) with so many cells around the Earth.
func cellOf(p directory.Point, around float64) cell {
	lat := math.Max(-85.05, math.Min(85.05, p.Lat)) * math.Pi / 180
	x := (p.Lon + 180) / 360
	y := (1 - math.Asinh(math.Tan(lat))/math.Pi) / 2
	return cell{int32(x * around), int32(y * around)}
}
