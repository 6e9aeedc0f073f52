package search_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
)

// province is a box around all of Qinghai.
var province = directory.Box{South: 31, West: 89, North: 40, East: 104}

func TestClusters(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		at := map[string]directory.Point{}
		for _, x := range w.entries {
			if x.Location != nil {
				at[x.ID] = *x.Location
			}
		}
		rapid.Check(t, func(t *rapid.T) {
			q := search.ClusterQuery{Query: drawQuery(t, w, w.entries), Zoom: rapid.IntRange(0, 20).Draw(t, "zoom")}
			if q.Box == nil {
				q.Box = &province
			}
			if maybe(t, "text", 3) {
				q.Text = drawText(t, w.entries)
			}
			clusters, err := e.Clusters(background, q)
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]bool{}
			for _, h := range findAll(t, e, q.Query) {
				found[h.ID] = true
			}
			sum := 0
			for _, c := range clusters {
				sum += c.Count
				inside := 0
				for id := range found {
					if c.Box.Contains(at[id]) {
						inside++
					}
				}
				const hair = 1e-9 // of a degree, for the rounding of a mean
				roomy := directory.Box{South: c.Box.South - hair, West: c.Box.West - hair, North: c.Box.North + hair, East: c.Box.East + hair}
				switch {
				case c.Count < 1, (c.Count == 1) != (c.ID != ""):
					t.Fatalf("%d listings with the id %q", c.Count, c.ID)
				case c.ID != "" && (!found[c.ID] || c.Center != at[c.ID]):
					t.Fatalf("%+v is not %v", c, at[c.ID])
				case inside < c.Count:
					t.Fatalf("%+v, of which %d are found", c, inside)
				case !roomy.Contains(c.Center) || !q.Box.Contains(directory.Point{Lat: c.Box.South, Lon: c.Box.West}) || !q.Box.Contains(directory.Point{Lat: c.Box.North, Lon: c.Box.East}):
					t.Fatalf("%+v is outside", c)
				}
				if x0, y0 := cellAt(c.Box.North, c.Box.West, q.Zoom); true {
					if x1, y1 := cellAt(c.Box.South, c.Box.East, q.Zoom); x0 != x1 || y0 != y1 {
						t.Fatalf("%+v reaches over cells", c)
					}
				}
			}
			if sum != len(found) {
				t.Fatalf("%+v: clusters of %d, found %d", q, sum, len(found))
			}
		})
	})
}

// cellAt returns the cell of 64 pixels of a web map (EPSG:3857).
func cellAt(lat, lon float64, zoom int) (x, y int) {
	pixels := math.Exp2(float64(zoom)) * 256
	phi := lat * math.Pi / 180
	x = int((lon + 180) / 360 * pixels / 64)
	y = int((1 - math.Log(math.Tan(phi)+1/math.Cos(phi))/math.Pi) / 2 * pixels / 64)
	return x, y
}

func TestClustersByZoom(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		last := 0
		for zoom := 0; zoom <= 20; zoom++ {
			clusters, err := e.Clusters(t.Context(), search.ClusterQuery{Query: search.Query{Box: &province}, Zoom: zoom})
			if err != nil {
				t.Fatal(err)
			}
			if len(clusters) < last {
				t.Errorf("%d clusters at zoom %d, fewer than %d above", len(clusters), zoom, last)
			}
			for i := 1; i < len(clusters); i++ {
				if clusters[i].Count > clusters[i-1].Count {
					t.Errorf("zoom %d: %d behind %d", zoom, clusters[i].Count, clusters[i-1].Count)
				}
			}
			last = len(clusters)
		}
		if last < 300 {
			t.Errorf("only %d clusters at the largest zoom", last)
		}
	})
}

func TestClustersRefuse(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		e := under.loaded(t, theWorld().entries[:5])
		for name, q := range map[string]search.ClusterQuery{
			"no box":    {},
			"far out":   {Query: search.Query{Box: &province}, Zoom: -1},
			"far in":    {Query: search.Query{Box: &province}, Zoom: 21},
			"long text": {Query: search.Query{Box: &province, Text: string(make([]rune, search.MaxText+1))}},
		} {
			if _, err := e.Clusters(t.Context(), q); directory.KindOf(err) != directory.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := under.open(t).Clusters(t.Context(), search.ClusterQuery{Query: search.Query{Box: &province}}); err != nil || len(got) != 0 {
			t.Errorf("of nothing: %v, %v", got, err)
		}
	})
}
