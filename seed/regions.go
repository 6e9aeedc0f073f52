package seed

import (
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"qingfu/directory"
)

//go:embed regions.csv
var regionsCSV string

//go:embed outlines.geojson
var outlinesJSON []byte

// Regions returns the divisions of Qinghai as of 2023-06-30: the province, 8
// prefectures, 44 counties and 大柴旦行政委员会, 405 towns and streets, and 4681
// communities. It reads the embedded files anew with each call (some
// milliseconds); an error means that they are broken.
func Regions() (_ *directory.Regions, err error) {
	defer directory.Wrap(&err, "seed: regions")
	all, err := readRegions()
	if err != nil {
		return nil, err
	}
	outlines, err := readOutlines()
	if err != nil {
		return nil, err
	}
	return directory.NewRegions(all, outlines)
}

// readRegions reads lines of code, parent, type, names (zh, bo, mn, en),
// pinyin and seat (lat, lon). Level, initials and the numbers of committees
// follow from these.
func readRegions() ([]directory.Region, error) {
	r := csv.NewReader(strings.NewReader(regionsCSV))
	r.ReuseRecord = true
	rows := strings.Count(regionsCSV, "\n")
	all := make([]directory.Region, 0, rows)
	at := make(map[string]int, rows)
	if _, err := r.Read(); err != nil { // the header
		return nil, err
	}
	for range rows - 1 {
		f, err := r.Read()
		if err != nil {
			return nil, err
		}
		reg := directory.Region{
			Code: f[0], Parent: f[1], Type: f[2], Level: level(f[0]),
			// 行政委员会 are agencies of a prefecture, not divisions by the constitution.
			Legal:  f[2] != "行政委员会",
			Names:  directory.Names{Zh: f[3], Bo: f[4], Mn: f[5], En: f[6]},
			Pinyin: f[7], Initials: initials(f[7]),
		}
		if f[8] != "" {
			lat, errLat := strconv.ParseFloat(f[8], 64)
			lon, errLon := strconv.ParseFloat(f[9], 64)
			if errLat != nil || errLon != nil {
				return nil, fmt.Errorf("%s: seat %q, %q", f[0], f[8], f[9])
			}
			reg.Seat = &directory.Point{Lat: lat, Lon: lon}
		}
		at[reg.Code] = len(all)
		all = append(all, reg)
	}
	for i := range all {
		if all[i].Level != directory.Community {
			continue
		}
		for code := all[i].Parent; code != ""; code = all[at[code]].Parent {
			if above := &all[at[code]]; all[i].Type == "居委会" {
				above.ResidentsCommittees++
			} else {
				above.VillageCommittees++
			}
		}
	}
	return all, nil
}

// level tells the level of a code of the National Bureau of Statistics by its
// length and zeros.
func level(code string) directory.RegionLevel {
	switch {
	case len(code) == 12:
		return directory.Community
	case len(code) == 9:
		return directory.Township
	case strings.HasSuffix(code, "0000"):
		return directory.Province
	case strings.HasSuffix(code, "00"):
		return directory.Prefecture
	}
	return directory.County
}

func initials(pinyin string) string {
	var b strings.Builder
	for _, syllable := range strings.Fields(pinyin) {
		b.WriteByte(syllable[0])
	}
	return b.String()
}

// readOutlines reads a GeoJSON FeatureCollection of Polygons and MultiPolygons.
// An outline keeps all their rings alike, which the even-odd rule allows.
func readOutlines() ([]directory.Outline, error) {
	type ring = [][2]float64 // of longitude and latitude
	var doc struct {
		Features []struct {
			Properties struct{ Code string }
			Geometry   struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(outlinesJSON, &doc); err != nil {
		return nil, err
	}
	var out []directory.Outline
	for _, f := range doc.Features {
		polygons := make([][]ring, 1)
		var into any = &polygons
		if f.Geometry.Type == "Polygon" {
			into = &polygons[0]
		}
		if err := json.Unmarshal(f.Geometry.Coordinates, into); err != nil {
			return nil, fmt.Errorf("outline of %s: %w", f.Properties.Code, err)
		}
		o := directory.Outline{Code: f.Properties.Code}
		for _, polygon := range polygons {
			for _, ring := range polygon {
				points := make([]directory.Point, len(ring))
				for i, p := range ring {
					points[i] = directory.Point{Lat: p[1], Lon: p[0]}
				}
				o.Rings = append(o.Rings, points)
			}
		}
		out = append(out, o)
	}
	return out, nil
}
