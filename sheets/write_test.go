package sheets

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"qingfu/directory"
)

func TestWriteCSVForExcel(t *testing.T) {
	l := seeded(t, directory.StreetKind)[0]
	l.ExternalID, l.Names.Zh, l.Summary, l.Address, l.Organization, l.Aliases = "-1", "=HYPERLINK(\"http://x\")", "@SUM(1)", "+1", "＝1+1", []string{"'=x", "'x", "a,b"}
	l.Description = "一\n二"
	var b bytes.Buffer
	if err := WriteCSV(&b, directory.StreetKind, all([]directory.Listing{l}), testRegions(t)); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{byteOrderMark + "编号,", "\r\n'-1,\"'=HYPERLINK(\"\"http://x\"\")\"", ",'@SUM(1),\"一\r\n二\",'＝1+1,", ",'+1,", ",\"''=x；'x；a,b\","} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	table, err := Parse(b.Bytes(), "a.csv", directory.StreetKind, testRegions(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := covered(t, table.Rows[0].Listing), covered(t, l); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestWriteRows(t *testing.T) {
	broken := errors.New("no more")
	rows := func(fail error) func(yield func([]string, error) bool) {
		return func(yield func([]string, error) bool) {
			if yield([]string{"=1+1", "a,b"}, nil) && fail != nil {
				yield(nil, fail)
			}
		}
	}
	var b bytes.Buffer
	if err := WriteRows(&b, []string{"编号", "名称"}, rows(nil)); err != nil || b.String() != byteOrderMark+"编号,名称\r\n'=1+1,\"a,b\"\r\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	if err := WriteRows(io.Discard, []string{"编号", "名称"}, rows(broken)); !errors.Is(err, broken) {
		t.Errorf("rows that end with an error: %v", err)
	}
}

func TestWritersWithoutAKind(t *testing.T) {
	var some []directory.Listing
	for _, kind := range kinds {
		some = append(some, seeded(t, kind)[:2]...)
	}
	for file, write := range writers {
		var b bytes.Buffer
		if err := write(&b, "", all(some), testRegions(t)); err != nil {
			t.Fatal(err)
		}
		table, err := Parse(b.Bytes(), file, directory.StreetKind, testRegions(t))
		if err != nil || len(table.Rows) != len(some) {
			t.Errorf("%s: %v", file, err)
		}
		if err := write(&b, directory.StreetKind, all(some), testRegions(t)); err == nil || !strings.Contains(err.Error(), "is of kind") {
			t.Errorf("%s: listings of other kinds: %v", file, err)
		}
		if err := write(&b, "shop", all(nil), testRegions(t)); err == nil {
			t.Errorf("%s: there is a table of no kind", file)
		}
	}
}

var errBroken = errors.New("broken")

type broken struct{ after int }

func (b *broken) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestWritersStopAtErrors(t *testing.T) {
	regions := testRegions(t)
	some := seeded(t, directory.ElderCareKind)
	failing := func(yield func(directory.Listing, error) bool) {
		if yield(some[0], nil) {
			yield(directory.Listing{}, errBroken)
		}
	}
	for name, write := range map[string]func(io.Writer, Listings) error{
		"csv":     func(w io.Writer, l Listings) error { return WriteCSV(w, directory.ElderCareKind, l, regions) },
		"xlsx":    func(w io.Writer, l Listings) error { return WriteXLSX(w, directory.ElderCareKind, l, regions) },
		"ndjson":  WriteNDJSON,
		"geojson": func(w io.Writer, l Listings) error { return WriteGeoJSON(w, l, regions) },
	} {
		if err := write(io.Discard, failing); !errors.Is(err, errBroken) {
			t.Errorf("%s: the listings' error: %v", name, err)
		}
		for _, after := range []int{0, 50, 5000} {
			if err := write(&broken{after}, all(some)); !errors.Is(err, errBroken) {
				t.Errorf("%s, after %d bytes: the writer's error: %v", name, after, err)
			}
		}
	}
}

func TestWriteNDJSON(t *testing.T) {
	var b bytes.Buffer
	want := seeded(t, directory.BrandKind)
	if err := WriteNDJSON(&b, all(want)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(b.Bytes()) {
		l, err := directory.ParseListing(line)
		if err != nil || covered(t, l) != covered(t, want[n]) || l.ID != want[n].ID || l.Provenance != want[n].Provenance {
			t.Fatalf("%v: got %s", err, line)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d lines of %d listings", n, len(want))
	}
}

func TestWriteGeoJSON(t *testing.T) {
	var listings []directory.Listing
	for _, kind := range kinds {
		listings = append(listings, seeded(t, kind)...)
	}
	for _, listings := range [][]directory.Listing{nil, listings[:1], listings} {
		var b bytes.Buffer
		if err := WriteGeoJSON(&b, all(listings), testRegions(t)); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Type     string
			Features []struct {
				Type, ID   string
				Geometry   json.RawMessage
				Properties map[string]any
			}
		}
		dec := json.NewDecoder(&b)
		dec.DisallowUnknownFields() // such as crs, which RFC 7946 has done away with
		if err := dec.Decode(&doc); err != nil || dec.More() {
			t.Fatal(err)
		}
		if doc.Type != "FeatureCollection" || doc.Features == nil || len(doc.Features) != len(listings) {
			t.Fatalf("%s of %d features, want %d", doc.Type, len(doc.Features), len(listings))
		}
		placed := 0
		for i, f := range doc.Features {
			l := listings[i]
			geometry := "null"
			if l.Location != nil {
				placed++
				point, _ := json.Marshal(map[string]any{"type": "Point", "coordinates": []float64{l.Location.Lon, l.Location.Lat}})
				geometry = string(point)
			}
			var got any
			if err := json.Unmarshal(f.Geometry, &got); err != nil {
				t.Fatal(err)
			}
			if text, _ := json.Marshal(got); f.Type != "Feature" || f.ID != l.ID || !sameJSON(string(text), geometry) {
				t.Errorf("%s %s: geometry %s, want %s", f.Type, f.ID, text, geometry)
			}
			names, _ := f.Properties["names"].(map[string]any)
			if _, there := f.Properties["location"]; there || f.Properties["name"] != l.Names.Zh || names["zh"] != l.Names.Zh || f.Properties["kind"] != string(l.Kind) {
				t.Errorf("properties %v", f.Properties)
			}
			if region, _ := f.Properties["region_name"].(string); !strings.HasSuffix(region, testRegions(t).Path(l.Region)[len(testRegions(t).Path(l.Region))-1].Names.Zh) {
				t.Errorf("region %q", region)
			}
		}
		if len(listings) > 1 && (placed == 0 || placed == len(listings)) {
			t.Errorf("%d of %d have a position: the test shows nothing", placed, len(listings))
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	first, _ := json.Marshal(x)
	second, _ := json.Marshal(y)
	return bytes.Equal(first, second)
}

// A cell of Excel holds 32,767 characters. What is longer must not be cut off
// unseen.
func TestTooLongForExcel(t *testing.T) {
	l := seeded(t, directory.StreetKind)[0]
	l.Hours = &directory.Hours{}
	for range 100 {
		e := directory.HoursException{From: "2027-01-01", To: "2027-12-31", Note: strings.Repeat("长", 200)}
		for i := range 10 {
			e.Intervals = append(e.Intervals, directory.Interval{Open: 60 * i, Close: 60*i + 30})
		}
		l.Hours.Exceptions = append(l.Hours.Exceptions, e)
	}
	var b bytes.Buffer
	if err := WriteXLSX(&b, directory.StreetKind, all([]directory.Listing{l}), testRegions(t)); err != nil {
		t.Fatal(err)
	}
	row := &readBook(t, b.Bytes(), directory.StreetKind).Rows[0]
	if row.Check(complete); !strings.Contains(problemsOf(row), "特殊开放日期 Q2 /hours/exceptions/0 bad_format") {
		t.Errorf("got %s", problemsOf(row))
	}
}
