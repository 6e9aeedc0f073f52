package sheets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
)

var kinds = []directory.Kind{
	directory.BrandKind, directory.ElderCareKind, directory.ChildcareKind, directory.DomesticServiceKind, directory.StreetKind,
}

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, directory.Shanghai)

const someID = "019aaf5e-4c00-7a1b-8c2d-000000000001"

var loadRegions = sync.OnceValues(seed.Regions)

func testRegions(t testing.TB) *directory.Regions {
	t.Helper()
	regions, err := loadRegions()
	if err != nil {
		t.Fatal(err)
	}
	return regions
}

// complete fills in what a row cannot say.
func complete(l *directory.Listing) {
	l.ID, l.Status, l.CreatedAt, l.UpdatedAt = someID, directory.Published, now, now
}

// completeDemo is complete for rows that may be examples.
func completeDemo(l *directory.Listing) {
	complete(l)
	l.Demo = strings.Contains(l.Names.Zh, "示例")
}

// seeded returns all listings of the seed of a kind, each with an external id.
func seeded(t testing.TB, kind directory.Kind) []directory.Listing {
	t.Helper()
	real, errReal := seed.Real()
	demo, errDemo := seed.Demo()
	if err := errors.Join(errReal, errDemo); err != nil {
		t.Fatal(err)
	}
	var out []directory.Listing
	for i, l := range append(real, demo...) {
		if l.Kind == kind {
			l.ExternalID = fmt.Sprintf("%05d", i)
			out = append(out, l)
		}
	}
	if len(out) < 10 {
		t.Fatalf("the seed has only %d listings of kind %s", len(out), kind)
	}
	return out
}

func all(listings []directory.Listing) Listings {
	return func(yield func(directory.Listing, error) bool) {
		for _, l := range listings {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// covered returns what the columns of a table say of a listing, as JSON.
func covered(t testing.TB, l directory.Listing) string {
	t.Helper()
	out := directory.Listing{
		Kind: l.Kind, Names: l.Names, Aliases: l.Aliases, Summary: l.Summary, Description: l.Description, Organization: l.Organization,
		ExternalID: l.ExternalID, Region: l.Region, Address: l.Address, Location: l.Location, Phone: l.Phone, Hours: l.Hours,
		Categories: l.Categories, Offerings: l.Offerings, Features: l.Features,
		Brand: l.Brand, ElderCare: l.ElderCare, Childcare: l.Childcare, DomesticService: l.DomesticService, Street: copied(l.Street),
	}
	out.Street.Listings = nil // ids, which no table has
	withoutEmpty(&out)
	text, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// writers are the formats that can be read again.
var writers = map[string]func(*bytes.Buffer, directory.Kind, Listings, *directory.Regions) error{
	"a.csv": func(b *bytes.Buffer, k directory.Kind, l Listings, r *directory.Regions) error {
		return WriteCSV(b, k, l, r)
	},
	"a.xlsx": func(b *bytes.Buffer, k directory.Kind, l Listings, r *directory.Regions) error {
		return WriteXLSX(b, k, l, r)
	},
}

// sameAfter writes listings, reads them again and compares.
func sameAfter(t testing.TB, file string, kind directory.Kind, want []directory.Listing) (*Table, error) {
	t.Helper()
	var b bytes.Buffer
	if err := writers[file](&b, kind, all(want), testRegions(t)); err != nil {
		return nil, err
	}
	table, err := Parse(b.Bytes(), file, kind, testRegions(t))
	if err != nil {
		return nil, err
	}
	if len(table.Rows) != len(want) {
		return nil, fmt.Errorf("%d rows of %d listings", len(table.Rows), len(want))
	}
	for i := range want {
		row := &table.Rows[i]
		if got, want := covered(t, row.Listing), covered(t, want[i]); got != want {
			return nil, fmt.Errorf("row %d: %v\ngot  %s\nwant %s", row.Number, row.Errors, got, want)
		}
		if len(row.Errors) > 0 {
			return nil, fmt.Errorf("row %d: %v", row.Number, row.Errors)
		}
	}
	return table, nil
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	for file := range writers {
		for _, kind := range kinds {
			want := seeded(t, kind)
			table, err := sameAfter(t, file, kind, want)
			if err != nil {
				t.Errorf("%s, %s: %v", kind, file, err)
				continue
			}
			for i := range table.Rows {
				row := &table.Rows[i]
				if row.Check(completeDemo); len(row.Errors) > 0 {
					t.Errorf("%s, %s, %s: %v", kind, file, row.Listing.Names.Zh, row.Errors)
				}
				if row.Listing.Kind != kind || row.Listing.Provenance.Origin != directory.Imported {
					t.Errorf("%s: kind %s, origin %s", file, row.Listing.Kind, row.Listing.Provenance.Origin)
				}
			}
		}
	}
}

// problemsOf writes the errors of a row for a comparison.
func problemsOf(row *Row) string {
	var out []string
	for _, e := range row.Errors {
		out = append(out, strings.Join(strings.Fields(e.Column+" "+e.Cell+" "+e.FieldError.String()), " "))
	}
	return strings.Join(out, "; ")
}

// wrong returns the fields of an Invalid error.
func wrong(t testing.TB, err error) string {
	t.Helper()
	var e *directory.Error
	if !errors.As(err, &e) || e.Kind != directory.Invalid || e.What != "sheet" || len(e.Fields) == 0 {
		t.Fatalf("got %v, not an Invalid error of a sheet", err)
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.String())
	}
	return strings.Join(out, "; ")
}
