package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qingfu/directory"
	"qingfu/seed"
)

// invented returns n listings that are demonstrations.
func invented(n int) []directory.Listing { return slices.Collect(seed.Synthetic(n, 11)) }

func line(t *testing.T, l directory.Listing) string {
	t.Helper()
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fileOf writes an import.
func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "listings.ndjson")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refusedLines returns the numbers of the lines that an import complained of.
func refusedLines(stderr string) []int {
	numbers := []int{}
	for text := range strings.Lines(stderr) {
		var n int
		if _, err := fmt.Sscanf(text, "line %d:", &n); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestImport(t *testing.T) {
	const minimal = `{"kind":"brand","names":{"zh":"无名牌"},"region":"630000"}`
	sample := invented(3)
	a, b, c := line(t, sample[0]), line(t, sample[1]), line(t, sample[2])
	// long is a line of n bytes without its end.
	long := func(l string, n int) string { return l + strings.Repeat(" ", n-len(l)) }

	for name, test := range map[string]struct {
		text    string
		refused []int
		out     string // the summary
	}{
		"nothing":          {"", nil, "0 lines: 0 created, 0 updated, 0 unchanged, 0 refused"},
		"one":              {a + "\n", nil, "1 lines: 1 created, 0 updated, 0 unchanged, 0 refused"},
		"no final newline": {a + "\n" + b, nil, "2 lines: 2 created, 0 updated, 0 unchanged, 0 refused"},
		"CRLF":             {a + "\r\n" + b + "\r\n", nil, "2 lines: 2 created, 0 updated, 0 unchanged, 0 refused"},
		"byte order mark":  {"\ufeff" + a + "\n", nil, "1 lines: 1 created, 0 updated, 0 unchanged, 0 refused"},
		"mark in the text": {a + "\n\ufeff" + b + "\n", []int{2}, "2 lines: 1 created, 0 updated, 0 unchanged, 1 refused"},
		"empty lines":      {"\n\n" + a + "\n \t\r\n\n" + b + "\n\n", nil, "7 lines: 2 created, 0 updated, 0 unchanged, 0 refused"},
		"minimal":          {minimal + "\n", nil, "1 lines: 1 created, 0 updated, 0 unchanged, 0 refused"},
		"twice the same":   {a + "\n" + a + "\n", nil, "2 lines: 1 created, 0 updated, 1 unchanged, 0 refused"},
		"good among bad": {
			strings.Join([]string{"no JSON", a, `{"kind":"brand"}`, "[]", b, `{"kind":"brand","names":{"zh":"甲"},"region":"630000","colour":1}`, "", "\xff\xfe", c}, "\n"),
			[]int{1, 3, 4, 6, 8}, "9 lines: 3 created, 0 updated, 0 unchanged, 5 refused",
		},
		"longest line":              {long(a, maxLine-1) + "\n" + b, nil, "2 lines: 2 created, 0 updated, 0 unchanged, 0 refused"},
		"longest line at the end":   {b + "\n" + long(a, maxLine), nil, "2 lines: 2 created, 0 updated, 0 unchanged, 0 refused"},
		"too long by one":           {long(a, maxLine) + "\n" + b, []int{1}, "2 lines: 1 created, 0 updated, 0 unchanged, 1 refused"},
		"too long by one, no end":   {b + "\n" + long(a, maxLine+1), []int{2}, "2 lines: 1 created, 0 updated, 0 unchanged, 1 refused"},
		"several times too long":    {a + "\n" + strings.Repeat("x", 3*maxLine) + "\n" + b + "\n", []int{2}, "3 lines: 2 created, 0 updated, 0 unchanged, 1 refused"},
		"long line of nothing else": {strings.Repeat(" ", 2*maxLine), []int{1}, "1 lines: 0 created, 0 updated, 0 unchanged, 1 refused"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := command(t.Context(), "import", fileOf(t, test.text), "--data-dir", dir)
			if got := refusedLines(e.err); !slices.Equal(got, test.refused) {
				t.Errorf("lines %v were refused, not %v", got, test.refused)
			}
			if e.out != test.out+"\n" {
				t.Errorf("said %q, not %q", e.out, test.out)
			}
			if want := min(len(test.refused), 1); e.code != want {
				t.Errorf("code %d, not %d: %s", e.code, want, e.err)
			}
			var created int
			_, rest, _ := strings.Cut(test.out, ": ")
			if _, err := fmt.Sscan(rest, &created); err != nil {
				t.Fatal(err)
			}
			if got := len(read(t, dir).listings); got != created {
				t.Errorf("%d listings are kept, not %d", got, created)
			}
		})
	}
}

// TestImportKeepsManyAndNamesTheBad crosses the size of a batch several times.
func TestImportKeepsManyAndNamesTheBad(t *testing.T) {
	var text strings.Builder
	var bad []int
	for i, l := range invented(2*batch + 10) {
		if i%700 == 0 {
			bad = append(bad, i+1)
			l.Region = "640000"
		}
		text.WriteString(line(t, l) + "\n")
	}
	dir := t.TempDir()
	e := command(t.Context(), "import", fileOf(t, text.String()), "--data-dir", dir)
	if got := refusedLines(e.err); e.code != 1 || !slices.Equal(got, bad) {
		t.Errorf("code %d, lines %v were refused, not %v", e.code, got, bad)
	}
	if got, want := len(read(t, dir).listings), 2*batch+10-len(bad); got != want {
		t.Errorf("%d listings are kept, not %d", got, want)
	}
}

func TestImportAgain(t *testing.T) {
	sample := invented(3)
	dir := t.TempDir()
	text := line(t, sample[0]) + "\n" + line(t, sample[1]) + "\n" + line(t, sample[2]) + "\n"
	succeed(t, "import", fileOf(t, text), "--data-dir", dir)
	first := read(t, dir)

	if e := succeed(t, "import", fileOf(t, text), "--data-dir", dir); e.out != "3 lines: 0 created, 0 updated, 3 unchanged, 0 refused\n" {
		t.Errorf("said %q", e.out)
	}
	if again := read(t, dir); again.lastSeq != first.lastSeq {
		t.Error("an import of the same lines wrote something")
	}

	sample[1].Summary = "换了说法"
	if e := succeed(t, "import", fileOf(t, line(t, sample[1])), "--data-dir", dir); e.out != "1 lines: 0 created, 1 updated, 0 unchanged, 0 refused\n" {
		t.Errorf("said %q", e.out)
	}
	if got := read(t, dir).listings[sample[1].ID]; got.Version != 2 || got.Value.Summary != "换了说法" {
		t.Errorf("version %d says %q", got.Version, got.Value.Summary)
	}
}

func TestImportFillsIn(t *testing.T) {
	dir := t.TempDir()
	succeed(t, "import", fileOf(t, `{"kind":"brand","names":{"zh":"无名牌"},"region":"630000"}`), "--data-dir", dir)
	for id, d := range read(t, dir).listings {
		l := d.Value
		if !directory.ValidID(id) || l.Status != directory.Published || l.Provenance.Origin != directory.Imported || l.CreatedAt.IsZero() {
			t.Errorf("%+v", l)
		}
	}
}

func TestImportReadsStandardInput(t *testing.T) {
	sample := invented(2)
	f, err := os.Open(fileOf(t, line(t, sample[0])+"\nbad\n"+line(t, sample[1])))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stdin := os.Stdin
	os.Stdin = f
	defer func() { os.Stdin = stdin }()
	dir := t.TempDir()
	e := command(t.Context(), "import", "-", "--data-dir", dir)
	if got := refusedLines(e.err); e.code != 1 || !slices.Equal(got, []int{2}) || len(read(t, dir).listings) != 2 {
		t.Errorf("code %d: %s%s", e.code, e.err, e.out)
	}
}

// TestImportTakesNoFigures: satisfaction follows from ratings, so that no line can
// bring it along or take it away.
func TestImportTakesNoFigures(t *testing.T) {
	listing := invented(1)[0]
	listing.Satisfaction = directory.Satisfaction{Levels: [5]int64{0, 0, 1, 9, 90}}
	dir := t.TempDir()
	succeed(t, "import", fileOf(t, line(t, listing)), "--data-dir", dir)
	if got := read(t, dir).listings[listing.ID].Value.Satisfaction; got.N() != 0 {
		t.Errorf("a listing came with its own figures: %v", got)
	}
	dir = seeded(t)
	var rated directory.Listing
	for _, d := range read(t, dir).listings {
		if d.Value.Satisfaction.N() > 0 {
			rated = d.Value
		}
	}
	again := rated
	again.Satisfaction, again.Summary = directory.Satisfaction{}, "新的介绍"
	succeed(t, "import", fileOf(t, line(t, again)), "--data-dir", dir)
	if got := read(t, dir).listings[rated.ID].Value; got.Satisfaction != rated.Satisfaction || got.Summary != "新的介绍" {
		t.Errorf("the figures %v became %v", rated.Satisfaction, got.Satisfaction)
	}
}

func TestProductionImportsNoDemoData(t *testing.T) {
	dir := t.TempDir()
	real := realListings(t)[0]
	text := line(t, invented(1)[0]) + "\n" + line(t, real)
	e := command(t.Context(), "import", fileOf(t, text), "--data-dir", dir, "--env", "production")
	if got := refusedLines(e.err); e.code != 1 || !slices.Equal(got, []int{1}) || !strings.Contains(e.err, "/demo") {
		t.Errorf("code %d: %s", e.code, e.err)
	}
	if kept := read(t, dir).listings; len(kept) != 1 || kept[real.ID].Version != 1 {
		t.Errorf("%d listings are kept", len(kept))
	}
}
