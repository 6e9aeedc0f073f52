package qingfu_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type arrow struct {
	pkg string
	may []string // import these
}

// arrows is the order of the packages: each may import those named beside it and
// no others of this program, and every arrow points down the table. "." is the
// root package, which holds the contract of the API.
var arrows = []arrow{
	{"server", []string{".", "handlers", "statistics", "consumer", "registry", "sheets", "photos", "auth", "seed", "search/meili", "search/memory", "search", "store/sqlite", "store/mongo", "store", "directory"}},
	{"bench", []string{".", "handlers", "statistics", "consumer", "registry", "sheets", "photos", "auth", "seed", "search/memory", "search", "store/sqlite", "store", "directory"}},
	{"handlers", []string{".", "statistics", "charts", "consumer", "registry", "sheets", "photos", "auth", "search", "store", "directory"}},
	{"trial", []string{"photos", "auth", "seed", "search/memory", "search", "store/sqlite", "store", "directory"}}, // for tests alone
	{"statistics", []string{"charts", "sheets", "auth", "store", "directory"}},
	{"consumer", []string{"photos", "auth", "search", "store", "directory"}},
	{"registry", []string{"sheets", "photos", "auth", "search", "store", "directory"}},
	{"photos", []string{"store", "directory"}},
	{"auth", []string{"store", "directory"}},
	{"sheets", []string{"directory"}},
	{"charts", []string{"directory"}},
	{"seed", []string{"directory"}},
	{"search/meili", []string{"search", "directory"}},
	{"search/memory", []string{"search", "directory"}},
	{"search", []string{"directory"}},
	{"store/sqlite", []string{"store", "directory"}},
	{"store/mongo", []string{"store", "directory"}},
	{"store/mongo/fault", nil}, // for tests alone
	{"store", []string{"directory"}},
	{"directory", nil},
	{".", nil},
}

// inTests is what test files may import besides: real data, and the engines, of which
// only contracts ask for those that need a server.
var inTests = []string{".", "trial", "statistics", "consumer", "registry", "sheets", "photos", "auth", "seed", "search/meili", "search/memory", "search", "store/sqlite", "store/mongo", "store/mongo/fault", "store", "directory"}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func TestArrowsPointDown(t *testing.T) {
	may := map[string][]string{}
	for i, a := range arrows {
		may[a.pkg] = a.may
		for _, target := range a.may {
			if !slices.ContainsFunc(arrows[i+1:], func(below arrow) bool { return below.pkg == target }) {
				t.Errorf("the table itself lets %s import %s, which is not below it", a.pkg, target)
			}
		}
	}

	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() && file != "." && exists(filepath.Join(file, "go.mod")):
			return fs.SkipDir // a program of its own
		case path.Ext(file) != ".go":
			return nil
		}
		pkg := filepath.ToSlash(filepath.Dir(file))
		allowed, known := may[pkg]
		if !known {
			t.Errorf("package %s is not in the table: decide what it may import", pkg)
		}
		if strings.HasSuffix(file, "_test.go") {
			allowed = slices.Concat(allowed, inTests)
		}
		seen[pkg] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if target == "qingfu" {
				target = "."
			} else if within, ok := strings.CutPrefix(target, "qingfu/"); ok {
				target = within
			} else {
				continue // a library
			}
			if !slices.Contains(allowed, target) {
				t.Errorf("%s imports %s, but %s may import only %q", file, target, pkg, may[pkg])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range arrows {
		if !seen[a.pkg] {
			t.Errorf("the table names %s, but no such package was found", a.pkg)
		}
	}
}
