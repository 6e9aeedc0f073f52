package handlers

import (
	"math"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// maxCells is the number of cells of 64 pixels that a map section may span in
// either direction: eight thousand pixels, more than any screen.
const maxCells = 128

// boxView is a box in an answer.
type boxView struct {
	West  float64 `json:"west"`
	South float64 `json:"south"`
	East  float64 `json:"east"`
	North float64 `json:"north"`
}

// clusterView is a cluster in an answer.
type clusterView struct {
	Center directory.Point `json:"center"`
	Count  int             `json:"count"`
	Box    boxView         `json:"bbox"`
	ID     string          `json:"id,omitempty"`
}

func (a *api) mapClusters(c *fiber.Ctx, in *input) error {
	q := search.ClusterQuery{Query: a.readQuery(in), Zoom: in.integer("zoom")}
	if q.Box != nil && !fits(*q.Box, q.Zoom) {
		in.refuse("bbox", directory.CodeTooLarge, strconv.Itoa(maxCells)+" × 64 px")
	}
	if err := in.err(); err != nil {
		return err
	}
	clusters, err := a.Search.Clusters(c.UserContext(), q)
	if err != nil {
		return err
	}
	answer := struct {
		Items    []clusterView `json:"items"`
		Total    int           `json:"total"`
		DemoData bool          `json:"demo_data,omitempty"`
	}{make([]clusterView, len(clusters)), 0, a.DemoData()}
	for i, cl := range clusters {
		low := in.toCRS(directory.Point{Lat: cl.Box.South, Lon: cl.Box.West})
		high := in.toCRS(directory.Point{Lat: cl.Box.North, Lon: cl.Box.East})
		answer.Items[i] = clusterView{roundPoint(in.toCRS(cl.Center)), cl.Count, boxView{low.Lon, low.Lat, high.Lon, high.Lat}, cl.ID}
		answer.Total += cl.Count
	}
	return sendJSON(c, answer)
}

// fits tells whether a box spans few enough cells at a zoom of the Web Mercator
// projection (EPSG:3857), in which the world is 4·2^zoom cells wide.
func fits(b directory.Box, zoom int) bool {
	world := math.Ldexp(4, zoom)
	wide := (b.East - b.West) / 360 * world
	high := (mercator(b.North) - mercator(b.South)) * world
	return wide <= maxCells && high <= maxCells
}

// mercator returns the height of a latitude as a share of the map's, which ends
// at 85.0511°.
func mercator(lat float64) float64 {
	const end = 85.0511
	rad := max(-end, min(end, lat)) * math.Pi / 180
	return math.Asinh(math.Tan(rad)) / (2 * math.Pi)
}
