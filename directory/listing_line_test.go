package directory

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func encode(t testing.TB, l *Listing) []byte {
	t.Helper()
	line, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestParseListingReadsWhatExportsWrite(t *testing.T) {
	for _, kind := range kinds {
		want := complete(kind)
		got, err := ParseListing(append(encode(t, want), " \r\n"...))
		if err != nil || !reflect.DeepEqual(&got, want) {
			t.Errorf("%s: got %+v, %v", kind, got, err)
		}
	}
}

func TestParseListingRefuses(t *testing.T) {
	tests := []struct {
		line string
		want string
	}{
		{``, " bad_format (JSON object)"},
		{"\n", " bad_format (JSON object)"},
		{`null`, " bad_format (JSON object)"},
		{`[]`, " bad_format (JSON object)"},
		{`{"id":"a"`, " bad_format (JSON object)"},
		{`{"id":"a",}`, " bad_format (JSON object)"},
		{`{} {}`, " bad_format (one JSON object)"},
		{`{}x`, " bad_format (one JSON object)"},
		{"{\"id\":\"\xff\"}", " bad_format (UTF-8)"},
		{"\ufeff{}", " bad_format (JSON object)"},
		{`{"colour":1,"names":{"fr":"x","zh":"y"},"offerings":[{"a/b~c":1}]}`, "/colour unknown_field, /names/fr unknown_field, /offerings/0/a~1b~0c unknown_field"},
		{`{"id":1,"names":"x","aliases":{},"demo":"yes","location":{"lat":"36"}}`,
			"/aliases bad_format (array), /demo bad_format (true, false), /id bad_format (string), /location/lat bad_format (number), /names bad_format (object)"},
		{`{"ID":"x","Names":{"ZH":"y"},"Demo":1}`, "/Demo bad_format (true, false)"}, // names in any case, as encoding/json reads them
		{`{"aliases":["a",2,"c",false]}`, "/aliases/1 bad_format (string), /aliases/3 bad_format (string)"},
		{`{"offerings":[{"price_min":1.5,"price_max":9223372036854775808},{"price_min":"1"},{"price_min":1e2}]}`,
			"/offerings/0/price_max bad_format (integer), /offerings/0/price_min bad_format (integer), /offerings/1/price_min bad_format (integer), /offerings/2/price_min bad_format (integer)"},
		{`{"location":{"lat":1e999,"lon":null}}`, "/location/lat bad_format (number)"},
		{`{"hours":{"week":{"mon":["08:30-12:00","8:30-12:00"],"tue":[1]},"holidays":["24:00-01:00"]}}`,
			"/hours/holidays/0 bad_format (08:30-18:00), /hours/week/mon/1 bad_format (08:30-18:00), /hours/week/tue/0 bad_format (08:30-18:00)"},
		{`{"created_at":"2026-11-23","updated_at":5}`, "/created_at bad_format (2026-11-23T10:00:00+08:00), /updated_at bad_format (2026-11-23T10:00:00+08:00)"},
		{`{"satisfaction":{"levels":[1,"2"]},"elder_care":{"beds_total":1.5}}`, "/elder_care/beds_total bad_format (integer), /satisfaction/levels/1 bad_format (integer)"},
	}
	for _, tt := range tests {
		_, err := ParseListing([]byte(tt.line))
		if got := strings.Join(wrong(t, err), ", "); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

// A null in a list of intervals decodes to 00:00-00:00; it must not pass as a
// whole day.
func TestNullIntervalIsNoWholeDay(t *testing.T) {
	l, err := ParseListing([]byte(`{"hours":{"week":{"mon":[null]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := wrong(t, l.Validate(testRegions(t))); !slices.Contains(got, "/hours/week/mon/0 bad_format (08:30-18:00)") {
		t.Errorf("got %v", got)
	}
}

func TestFillDefaults(t *testing.T) {
	newID := func() string { return someID }
	l := Listing{}
	l.FillDefaults(now, newID)
	want := Listing{ID: someID, Status: Published, Provenance: Provenance{Origin: Imported}, CreatedAt: now, UpdatedAt: now}
	if !reflect.DeepEqual(l, want) {
		t.Errorf("got %+v", l)
	}
	full := complete(BrandKind)
	full.Status, full.Provenance.Origin = Draft, Registered
	before := *full
	full.FillDefaults(now.Add(time.Hour), func() string { t.Error("made an id that is there"); return "" })
	if !reflect.DeepEqual(*full, before) {
		t.Errorf("changed what was there: %+v", full)
	}
	old := Listing{UpdatedAt: now.Add(-time.Hour)}
	old.FillDefaults(now, newID)
	if !old.CreatedAt.Equal(old.UpdatedAt) {
		t.Errorf("created %v after the change of %v", old.CreatedAt, old.UpdatedAt)
	}
}

func TestListingFormatPage(t *testing.T) {
	page, err := os.ReadFile("../docs/listing-format.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```json\n(.*?)\n```").FindAllSubmatch(page, -1)
	var got []Kind
	for _, example := range examples {
		l, err := ParseListing(example[1])
		if err != nil {
			t.Fatal(err)
		}
		l.FillDefaults(now, func() string { return someID })
		if err := l.Validate(testRegions(t)); err != nil {
			t.Error(err)
		}
		got = append(got, l.Kind)
	}
	if want := []Kind{DomesticServiceKind, ElderCareKind}; !slices.Equal(got, want) {
		t.Errorf("examples of the kinds %v, want %v", got, want)
	}
	for _, field := range fieldNames(reflect.TypeFor[Listing](), "") {
		if !bytes.Contains(page, []byte("`"+field+"`")) {
			t.Errorf("the page does not name the field %s", field)
		}
	}
	for _, value := range allowedValues() {
		if !bytes.Contains(page, []byte("`"+value+"`")) {
			t.Errorf("the page does not name the value %s", value)
		}
	}
	for _, terms := range [][]Term{Kinds, Features, Units} {
		for _, term := range terms {
			if !bytes.Contains(page, []byte("`"+term.Code+"` "+term.Names.Zh)) {
				t.Errorf("the page does not say that %s is %s", term.Code, term.Names.Zh)
			}
		}
	}
	for _, category := range Categories {
		if !bytes.Contains(page, []byte("`"+category.Code+"` "+category.Names.Zh)) {
			t.Errorf("the page does not say that %s is %s", category.Code, category.Names.Zh)
		}
	}
}

// fieldNames lists the names of all fields that hold a value, with dots.
func fieldNames(t reflect.Type, prefix string) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() && inner != reflect.TypeFor[Interval]() {
			names = append(names, fieldNames(inner, prefix+name+".")...)
		} else {
			names = append(names, prefix+name)
		}
	}
	return names
}

func allowedValues() []string {
	all := list(kinds) + ", " + list(statuses) + ", " + list(origins) + ", " + list(units) + ", " + list(brandTypes) + ", " +
		list(certificateStatuses) + ", " + list(operations) + ", " + list(recordStates) + ", " + list(classGroups) + ", " +
		list(childcareModes) + ", " + list(employments) + ", " + list(streetLevels)
	return strings.Split(all, ", ")
}

func FuzzParseListing(f *testing.F) {
	for _, kind := range kinds {
		f.Add(encode(f, complete(kind)))
	}
	f.Add([]byte(`{"hours":{"week":{"mon":[]},"holidays":null,"exceptions":[{}]},"childcare":{"classes":[null]},"ID":"x"}`))
	f.Add([]byte(`{"offerings":[{"price_min":1.5}],"x":[[{}]]}`))
	regions := testRegions(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := ParseListing(line)
		if err != nil {
			wrong(t, err) // an Invalid error with fields, or the test fails
			return
		}
		wrong(t, l.Validate(regions))
		first := encode(t, &l)
		again, err := ParseListing(first)
		if err != nil {
			t.Fatalf("%s was written as %s, which is refused: %v", line, first, err)
		}
		if second := encode(t, &again); !bytes.Equal(first, second) {
			t.Errorf("first %s\nthen  %s", first, second)
		}
	})
}

func BenchmarkParseListing(b *testing.B) {
	line := encode(b, complete(DomesticServiceKind))
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseListing(line); err != nil {
			b.Fatal(err)
		}
	}
}
