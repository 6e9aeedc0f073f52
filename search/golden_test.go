package search_test

import (
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

var (
	//go:embed testdata/golden.txt
	goldenFile string
	//go:embed testdata/golden_heldout.txt
	heldOutFile string
	// What engines other than the reference fall short by, by engine.
	//go:embed testdata/golden_meilisearch.txt
	meilisearchFile string
)

// golden is one line of a golden file; the head of golden.txt explains them.
type golden struct {
	line   int
	text   string
	filter search.Query
	query  string     // text and filter as they stand in the file
	form   string     // "name", "all", "not", "most" or "least"
	name   string     // of the listing, for "name" and "not"
	props  url.Values // for "all"
	n      int        // rank, number of hits, or total
	expect string     // the expectation as it stands in the file
}

// worse returns what is known that an engine falls short by.
func worse(t *testing.T, e engineUnderTest, corpus *goldenCorpus) map[string]int {
	known := map[string]int{}
	if e.name == "meilisearch" {
		for _, g := range parseGolden(t, meilisearchFile, corpus) {
			known[g.query+"|"+g.expect] = g.n
		}
	}
	return known
}

func TestGolden(t *testing.T)        { testGolden(t, goldenFile) }
func TestGoldenHeldOut(t *testing.T) { testGolden(t, heldOutFile) }

func testGolden(t *testing.T, file string) {
	corpus := newGoldenCorpus(t)
	lines := parseGolden(t, file, corpus)
	onEveryEngine(t, func(t *testing.T, e engineUnderTest) {
		engine := e.open(t)
		if err := engine.Put(t.Context(), corpus.docs...); err != nil {
			t.Fatal(err)
		}
		var table strings.Builder
		w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
		known := worse(t, e, corpus)
		queries := map[string]bool{}
		ranked, failed, reciprocals := 0, 0, 0.0
		for _, g := range lines {
			hits, total := corpus.search(t, engine, &g)
			queries[g.query] = true
			if rank, ok := corpus.rank(&g, hits); ok {
				ranked++
				if rank > 0 {
					reciprocals += 1 / float64(rank)
				}
			}
			got, ok := corpus.judge(&g, hits, total)
			if n, short := known[g.query+"|"+g.expect]; short {
				if ok {
					t.Errorf("line %d: %s is as it should be: it no longer falls short", g.line, g.text)
				}
				g.n = n
				got, ok = corpus.judge(&g, hits, total)
			}
			if !ok {
				failed++
				fmt.Fprintf(w, "%d\t%s\twant %s\tgot %s\ttop: %s\n", g.line, g.text, g.want(), got, corpus.names(hits, 5))
			}
		}
		w.Flush()
		t.Logf("%d queries, %d expectations, %d failed; mean reciprocal rank %.4f of %d",
			len(queries), len(lines), failed, reciprocals/float64(ranked), ranked)
		if failed > 0 {
			t.Errorf("\n%s", table.String())
		}
	})
}

// goldenCorpus is the listings that the golden files speak of.
type goldenCorpus struct {
	docs []search.Document
	byID map[string]*search.Document
}

func newGoldenCorpus(t *testing.T) *goldenCorpus {
	t.Helper()
	real, err := seed.Real()
	if err != nil {
		t.Fatal(err)
	}
	demo, err := seed.Demo()
	if err != nil {
		t.Fatal(err)
	}
	c := &goldenCorpus{byID: map[string]*search.Document{}}
	for _, l := range slices.Concat(real, demo) {
		c.docs = append(c.docs, theWorld().index(l).doc)
	}
	for i := range c.docs {
		c.byID[c.docs[i].ID] = &c.docs[i]
	}
	return c
}

// search returns the ids of up to 100 hits in order and the total.
func (c *goldenCorpus) search(t *testing.T, e search.Engine, g *golden) ([]string, int) {
	t.Helper()
	q := g.filter
	q.Text, q.Limit = g.text, 100
	q.Now = time.Date(2026, time.November, 4, 10, 0, 0, 0, directory.Shanghai) // a Wednesday
	res, err := e.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("line %d: %v", g.line, err)
	}
	ids := make([]string, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	return ids, res.Total
}

// rank returns the rank of the first hit that is wanted, 0 for none; ok is
// false for a line that does not want any.
func (c *goldenCorpus) rank(g *golden, hits []string) (rank int, ok bool) {
	wanted := func(id string) bool { return c.byID[id].Names[0] == g.name }
	switch g.form {
	case "all":
		wanted = func(id string) bool { return has(c.byID[id], g.props) }
	case "name":
	default:
		return 0, false
	}
	return slices.IndexFunc(hits, wanted) + 1, true
}

// judge tells whether the hits are as a line wants them and what they are instead.
func (c *goldenCorpus) judge(g *golden, hits []string, total int) (got string, ok bool) {
	switch g.form {
	case "all":
		// As many as there are, so that finding too little fails as well.
		n := 0
		for i := range c.docs {
			if has(&c.docs[i], g.props) && passes(&c.docs[i], &g.filter) {
				n++
			}
		}
		n = min(n, g.n)
		for i := range n {
			if i == len(hits) {
				return fmt.Sprintf("%d hits of %d", i, n), false
			}
			if d := c.byID[hits[i]]; !has(d, g.props) {
				return fmt.Sprintf("%s at %d", d.Names[0], i+1), false
			}
		}
		return "", true
	case "most":
		return strconv.Itoa(total), total <= g.n
	case "least":
		return strconv.Itoa(total), total >= g.n
	}
	rank := slices.IndexFunc(hits, func(id string) bool { return c.byID[id].Names[0] == g.name }) + 1
	if g.form == "not" {
		return strconv.Itoa(rank), rank == 0 || rank > g.n
	}
	return strconv.Itoa(rank), rank > 0 && rank <= g.n
}

// has tells whether a document has one of the values of every property.
func has(d *search.Document, props url.Values) bool {
	for key, values := range props {
		var of []string
		switch key {
		case "kind":
			of = []string{string(d.Kind)}
		case "category":
			of = d.CategoryCodes
		case "region":
			of = d.Regions
		case "feature":
			of = d.Features
		case "badge":
			of = d.Badges
		}
		if !slices.ContainsFunc(strings.Split(values[0], ","), func(v string) bool { return slices.Contains(of, v) }) {
			return false
		}
	}
	return true
}

// passes tells whether a document passes the filters that golden files use.
func passes(d *search.Document, q *search.Query) bool {
	anyOf := func(want, of []string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(v string) bool { return slices.Contains(of, v) })
	}
	return (len(q.Kinds) == 0 || slices.Contains(q.Kinds, d.Kind)) &&
		anyOf(q.Categories, d.CategoryCodes) && anyOf(q.Regions, d.Regions) &&
		!slices.ContainsFunc(q.Features, func(v string) bool { return !slices.Contains(d.Features, v) }) &&
		(q.Demo == nil || *q.Demo == d.Demo) && (q.HasVacancy == nil || *q.HasVacancy == d.HasVacancy)
}

func (c *goldenCorpus) names(hits []string, n int) string {
	var names []string
	for _, id := range hits[:min(n, len(hits))] {
		names = append(names, c.byID[id].Names[0])
	}
	return strings.Join(names, " / ")
}

func (g *golden) want() string {
	switch g.form {
	case "all":
		return fmt.Sprintf("first %d %s", g.n, g.props.Encode())
	case "not":
		return fmt.Sprintf("%s not in %d", g.name, g.n)
	case "name":
		return fmt.Sprintf("%s in %d", g.name, g.n)
	}
	return fmt.Sprintf("at %s %d", g.form, g.n)
}

// parseGolden reads a golden file and checks that it speaks of listings,
// properties and values that exist.
func parseGolden(t *testing.T, file string, c *goldenCorpus) []golden {
	t.Helper()
	names := map[string]int{}
	for i := range c.docs {
		names[c.docs[i].Names[0]]++
	}
	var out []golden
	number := 0
	for line := range strings.Lines(file) {
		number++
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "|")
		if len(fields) < 4 || len(fields) > 5 {
			t.Fatalf("line %d: %d fields", number, len(fields))
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		g := golden{line: number, text: fields[0], query: fields[0] + "|" + fields[1], expect: fields[2]}
		var err error
		if g.filter, err = parseFilter(fields[1]); err != nil {
			t.Fatalf("line %d: %v", number, err)
		}
		if g.n, err = strconv.Atoi(fields[3]); err != nil {
			t.Fatalf("line %d: %v", number, err)
		}
		form, rest, _ := strings.Cut(fields[2], " ")
		switch form {
		case "all":
			g.form = form
			if g.props, err = url.ParseQuery(rest); err != nil {
				t.Fatalf("line %d: %v", number, err)
			}
			if !slices.ContainsFunc(c.docs, func(d search.Document) bool { return has(&d, g.props) && passes(&d, &g.filter) }) {
				t.Fatalf("line %d: no listing has %s", number, rest)
			}
		case "most", "least":
			g.form = form
		case "not":
			g.form, g.name = form, rest
		default:
			g.form, g.name = "name", fields[2]
		}
		if g.name != "" && names[g.name] != 1 {
			t.Fatalf("line %d: %d listings are called %q", number, names[g.name], g.name)
		}
		out = append(out, g)
	}
	return out
}

// parseFilter reads filters in the form of the API's parameters.
func parseFilter(s string) (q search.Query, err error) {
	values, err := url.ParseQuery(s)
	if err != nil {
		return q, err
	}
	for key, v := range values {
		list := strings.Split(v[0], ",")
		flag := v[0] == "true"
		switch key {
		case "kind":
			for _, k := range list {
				q.Kinds = append(q.Kinds, directory.Kind(k))
			}
		case "category":
			q.Categories = list
		case "region":
			q.Regions = list
		case "features":
			q.Features = list
		case "demo":
			q.Demo = &flag
		case "has_vacancy":
			q.HasVacancy = &flag
		default:
			return q, fmt.Errorf("unknown filter %q", key)
		}
	}
	return q, nil
}

// TestWordFiles holds the data files to what their heads promise.
func TestWordFiles(t *testing.T) {
	seen := map[string]string{}
	enter := func(word, where string) {
		word = search.Normalize(word)
		if before, ok := seen[word]; ok {
			t.Errorf("%s stands in %s and in %s", word, before, where)
		}
		seen[word] = where
	}
	for _, group := range wordLines(t, "synonyms.txt") {
		words := strings.Split(group, "=")
		if len(words) < 2 {
			t.Errorf("%s is no group", group)
		}
		for _, w := range words {
			enter(w, "the group of "+words[0])
			if runs := search.Runs(search.Normalize(w)); len(runs) != 1 || runs[0].Script != search.Han || len([]rune(w)) < 2 {
				t.Errorf("%s can be no word of the lexicon", w)
			}
		}
	}
	for _, line := range wordLines(t, "stopwords.txt") {
		for _, w := range strings.Fields(line) {
			enter(w, "stopwords.txt")
		}
	}
	for _, line := range wordLines(t, "phrases.txt") {
		f := strings.Fields(line)
		if han := []rune(f[0]); len(han) != len(f)-1 {
			t.Errorf("%s has %d characters, but %d syllables", f[0], len(han), len(f)-1)
		}
		if got := search.Syllables(f[0]); !slices.Equal(got, f[1:]) {
			t.Errorf("%s is read as %v, not %v", f[0], got, f[1:])
		}
	}
}

// wordLines returns the lines of a data file without comments.
func wordLines(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}
