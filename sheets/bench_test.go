package sheets

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"qingfu/directory"
)

// manyListings are as many listings as an import may have.
func manyListings(t testing.TB, kind directory.Kind) []directory.Listing {
	t.Helper()
	out := make([]directory.Listing, 0, MaxRows)
	for some := seeded(t, kind); len(out) < MaxRows; {
		for _, l := range some[:min(len(some), MaxRows-len(out))] {
			l.ExternalID = fmt.Sprintf("示例-%05d", len(out)+2)
			out = append(out, l)
		}
	}
	return out
}

func gb18030(t testing.TB, text []byte) []byte {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().Bytes(bytes.TrimPrefix(text, []byte(byteOrderMark)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// BenchmarkImport reads and checks 10,000 rows.
func BenchmarkImport(b *testing.B) {
	for _, file := range []string{"a.csv", "a.xlsx"} {
		for _, kind := range []directory.Kind{directory.ElderCareKind, directory.DomesticServiceKind} {
			b.Run(string(kind)+"/"+file, func(b *testing.B) {
				var data bytes.Buffer
				if err := writers[file](&data, kind, all(manyListings(b, kind)), testRegions(b)); err != nil {
					b.Fatal(err)
				}
				text := data.Bytes()
				if file == "a.csv" {
					text = gb18030(b, text)
				}
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					table, err := Parse(text, file, kind, testRegions(b))
					if err != nil || len(table.Rows) != MaxRows {
						b.Fatalf("%v", err)
					}
					for i := range table.Rows {
						if table.Rows[i].Check(completeDemo); len(table.Rows[i].Errors) > 0 {
							b.Fatal(table.Rows[i].Errors)
						}
					}
				}
			})
		}
	}
}

// BenchmarkExport writes 10,000 rows.
func BenchmarkExport(b *testing.B) {
	listings := manyListings(b, directory.DomesticServiceKind)
	for _, file := range []string{"a.csv", "a.xlsx"} {
		b.Run(file, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var data bytes.Buffer
				if err := writers[file](&data, directory.DomesticServiceKind, all(listings), testRegions(b)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTemplate(b *testing.B) {
	for b.Loop() {
		if _, err := Template(directory.DomesticServiceKind, testRegions(b)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNames(b *testing.B) {
	for b.Loop() {
		newNames(testRegions(b))
	}
}
