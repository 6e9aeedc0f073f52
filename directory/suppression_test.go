package directory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func months(n ...int64) (m MonthCounts) {
	copy(m[:], n)
	return m
}

func TestDisclosure(t *testing.T) {
	yearly, q1, jan, feb, mar := Period{202601, 202612}, Period{202601, 202603}, Period{202601, 202601}, Period{202602, 202602}, Period{202603, 202603}
	for _, c := range []struct {
		name  string
		parts map[string]MonthCounts
		shown map[string][]Period
		not   map[string][]Period
	}{
		{"all have enough",
			map[string]MonthCounts{"a": months(10, 20, 30), "b": months(11, 21, 31)},
			map[string][]Period{"": {yearly, q1, jan, feb, mar}, "a": {yearly, q1, jan, feb, mar}, "b": {jan}}, nil},
		{"one has too few at all, so that another is hidden with it",
			map[string]MonthCounts{"a": months(3), "b": months(20), "c": months(500)},
			map[string][]Period{"": {yearly, q1, jan}, "c": {yearly, q1, jan}},
			map[string][]Period{"a": {yearly, q1, jan}, "b": {yearly, q1, jan}}},
		{"two have too few, and too few together",
			map[string]MonthCounts{"a": months(3), "b": months(4), "c": months(20), "d": months(500)},
			map[string][]Period{"d": {yearly}}, map[string][]Period{"a": {yearly}, "b": {yearly}, "c": {yearly}}},
		{"two have too few, and enough together",
			map[string]MonthCounts{"a": months(5), "b": months(6), "c": months(20), "d": months(500)},
			map[string][]Period{"c": {yearly}, "d": {yearly}}, map[string][]Period{"a": {yearly}, "b": {yearly}}},
		{"one has too few in one month: months are hidden, the quarter is not",
			map[string]MonthCounts{"a": months(20, 9, 20), "b": months(40, 40, 40), "c": months(50, 50, 50)},
			map[string][]Period{"": {jan, feb}, "a": {yearly, q1}, "b": {yearly, q1}, "c": {yearly, q1, jan, feb, mar}},
			map[string][]Period{"a": {jan, feb, mar}, "b": {jan, feb, mar}}},
		{"the root has too few in one month, which hides another",
			map[string]MonthCounts{"a": months(4, 20, 40), "b": months(4, 20, 40)},
			map[string][]Period{"": {yearly, q1, mar}, "a": {yearly, q1, mar}, "b": {mar}},
			map[string][]Period{"": {jan, feb}, "a": {jan, feb}, "b": {jan, feb}}},
		{"nobody has rated",
			map[string]MonthCounts{"a": {}, "b": {}}, map[string][]Period{"": {yearly, jan}, "a": {yearly, q1, feb}}, nil},
		{"the root has too few",
			map[string]MonthCounts{"a": months(5), "b": {}}, nil, map[string][]Period{"": {yearly, q1, jan}, "a": {yearly}, "b": {yearly}}},
		{"a part that is the whole",
			map[string]MonthCounts{"a": months(12, 15), "b": {}}, map[string][]Period{"": {yearly, jan, feb}, "a": {yearly, jan, feb}, "b": {jan}}, nil},
	} {
		var root MonthCounts
		for _, part := range c.parts {
			for i, n := range part {
				root[i] += n
			}
		}
		d := NewDisclosure(root)
		d.Split("", c.parts, true)
		for node, periods := range c.shown {
			for _, p := range periods {
				if !d.Shows(node, p) {
					t.Errorf("%s: %q is hidden in %v", c.name, node, p)
				}
			}
		}
		for node, periods := range c.not {
			for _, p := range periods {
				if d.Shows(node, p) {
					t.Errorf("%s: %q is shown in %v", c.name, node, p)
				}
			}
		}
	}
	d := NewDisclosure(months(100, 100))
	d.Split("", map[string]MonthCounts{"a": months(40), "b": months(160)}, false)
	if !d.Shows("a", yearly) || d.Shows("a", jan) || d.Shows("a", Period{202601, 202606}) || d.Shows("nobody", yearly) {
		t.Error("parts that are known by the year alone")
	}
	d.Split("a", map[string]MonthCounts{"a1": months(38), "a2": months(2)}, false)
	if d.Shows("a1", yearly) || d.Shows("a2", yearly) {
		t.Error("the only other part gives away one with too few")
	}
}

// TestDisclosureIsNoLeak adds and subtracts whatever is shown of random tables, as a
// matrix: no cell with too few ratings may follow from it.
func TestDisclosureIsNoLeak(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := inventTable(r)
		var known [][]uint64
		var secret []cellOf
		for _, c := range w.cells() {
			switch {
			case w.d.Shows(c.node, c.period):
				known = append(known, c.form)
			case c.n > 0 && c.n < MinRatings:
				secret = append(secret, c)
			}
		}
		links := w.links()
		basis := reduce(slices.Concat(known, links))
		for _, c := range secret {
			if inSpan(basis, c.form) {
				t.Errorf("seed %d: %s in %v, of %d ratings, can be computed", seed, c.node, c.period, c.n)
			}
		}
		if seed%10 == 0 {
			told := slices.Concat(known, links)
			for _, c := range secret {
				if !w.couldBeOther(r, told, c.form) {
					t.Errorf("seed %d: %s in %v can only be %d, as no number is below 0", seed, c.node, c.period, c.n)
				}
			}
		}
		for _, c := range w.cells() {
			if c.n > 0 && c.n < MinRatings && w.d.Shows(c.node, c.period) {
				t.Errorf("seed %d: %s in %v has %d ratings and is shown", seed, c.node, c.period, c.n)
			}
		}
	}
}

// table is a province of prefectures and counties with months, and of categories with
// months, and its counties have firms by the year alone. Its variables are the cells
// of counties and categories in each month and of firms.
type table struct {
	d        *Disclosure
	counts   map[string]MonthCounts
	children map[string][]string
	variable map[string]int // of "node month" or "firm"
}

type cellOf struct {
	node   string
	period Period
	n      int64
	form   []uint64 // as a sum of variables
}

func inventTable(r *rand.Rand) *table {
	w := &table{counts: map[string]MonthCounts{}, children: map[string][]string{}, variable: map[string]int{}}
	scale := []int64{4, 12, 30, 80}[r.IntN(4)]
	var quiet [12]bool // months in which hardly anybody rates
	for q := range 4 {
		silent := r.IntN(4) == 0
		for i := range 3 {
			quiet[3*q+i] = silent || r.IntN(8) == 0
		}
	}
	leaf := func() (m MonthCounts) {
		size := scale * int64(1+r.IntN(5)) / 2
		for i := range m {
			switch {
			case quiet[i]:
				m[i] = max(0, r.Int64N(8)-6)
			case r.IntN(6) > 0:
				m[i] = r.Int64N(size + 1)
			}
		}
		return m
	}
	add := func(to string, m MonthCounts) {
		sum := w.counts[to]
		for i, n := range m {
			sum[i] += n
		}
		w.counts[to] = sum
	}
	w.counts[""] = MonthCounts{}
	for p := range 2 + r.IntN(3) {
		prefecture := fmt.Sprintf("p%d", p)
		w.children[""] = append(w.children[""], prefecture)
		for c := range 1 + r.IntN(3) {
			county := fmt.Sprintf("%sc%d", prefecture, c)
			w.children[prefecture] = append(w.children[prefecture], county)
			m := leaf()
			add(county, m)
			add(prefecture, m)
			add("", m)
			for i := range m {
				w.variable[fmt.Sprint(county, " ", i)] = len(w.variable)
			}
			var left int64
			for _, n := range m {
				left += n
			}
			for f := 0; left > 0; f++ {
				n := min(left, 1+r.Int64N(left+3))
				firm := fmt.Sprintf("%sf%d", county, f)
				w.children[county] = append(w.children[county], firm)
				w.counts[firm] = months(n)
				w.variable[firm] = len(w.variable)
				left -= n
			}
		}
	}
	// Each month's ratings fall on three categories.
	for i, n := range w.counts[""] {
		for k := range 3 {
			part := n
			if k < 2 {
				part = r.Int64N(n + 1)
			}
			n -= part
			name := fmt.Sprintf("category%d", k)
			m := w.counts[name]
			m[i] = part
			w.counts[name] = m
			w.variable[fmt.Sprint(name, " ", i)] = len(w.variable)
		}
	}
	w.children["by category"] = []string{"category0", "category1", "category2"}
	w.d = NewDisclosure(w.counts[""])
	w.split("", w.children[""], true)
	for _, p := range w.children[""] {
		w.split(p, w.children[p], true)
		for _, c := range w.children[p] {
			w.split(c, w.children[c], false)
		}
	}
	w.split("", w.children["by category"], true)
	return w
}

func (w *table) split(node string, parts []string, months bool) {
	counts := map[string]MonthCounts{}
	for _, name := range parts {
		counts[name] = w.counts[name]
	}
	w.d.Split(node, counts, months)
}

// form is a node's ratings in some months, from and to (not included), as a sum of
// variables.
func (w *table) form(node string, from, to int) []uint64 {
	out := make([]uint64, len(w.variable))
	var add func(node string)
	add = func(node string) {
		if v, ok := w.variable[node]; ok { // a firm
			out[v] = 1
			return
		}
		if _, ok := w.variable[fmt.Sprint(node, " 0")]; ok {
			for i := from; i < to; i++ {
				out[w.variable[fmt.Sprint(node, " ", i)]] = 1
			}
			return
		}
		for _, c := range w.children[node] {
			add(c)
		}
	}
	add(node)
	return out
}

// links are the sums that everybody knows to be equal, as differences that are 0.
func (w *table) links() (out [][]uint64) {
	minus := func(a, b []uint64) []uint64 {
		for i := range a {
			a[i] = (a[i] + prime - b[i]) % prime
		}
		return a
	}
	for _, p := range w.children[""] {
		for _, c := range w.children[p] {
			firms := make([]uint64, len(w.variable))
			for _, f := range w.children[c] {
				firms[w.variable[f]] = 1
			}
			out = append(out, minus(w.form(c, 0, 12), firms))
		}
	}
	for i := range 12 {
		out = append(out, minus(w.form("", i, i+1), w.form("by category", i, i+1)))
	}
	return out
}

// couldBeOther looks for another table that tells the same and has another number in a
// cell: ratings move between a few of the variables, none of which falls below 0. So no
// solver can find the cell, whatever it knows of sums and signs.
func (w *table) couldBeOther(r *rand.Rand, told [][]uint64, secret []uint64) bool {
	value := make([]int64, len(w.variable))
	months, firms := map[string][]int{}, map[string][]int{} // variables of counties and categories, and of the firms of counties
	for _, name := range slices.Sorted(maps.Keys(w.variable)) {
		v := w.variable[name]
		node, month, monthly := strings.Cut(name, " ")
		if !monthly {
			value[v] = w.counts[node][0]
			county := node[:strings.Index(node, "f")]
			firms[county] = append(firms[county], v)
			continue
		}
		m, _ := strconv.Atoi(month)
		value[v] = w.counts[node][m]
		if months[node] == nil {
			months[node] = make([]int, 12)
		}
		months[node][m] = v
	}
	var counties, categories []string
	for _, node := range slices.Sorted(maps.Keys(months)) {
		if strings.HasPrefix(node, "category") {
			categories = append(categories, node)
		} else {
			counties = append(counties, node)
		}
	}
	one := func(list []string) string { return list[r.IntN(len(list))] }
	for range 500_000 {
		move := map[int]int64{}
		a, b, i, k := one(counties), one(counties), r.IntN(12), r.IntN(12)
		switch r.IntN(5) {
		case 0: // between firms of a county
			if f := firms[a]; len(f) > 1 {
				move[f[r.IntN(len(f))]]--
				move[f[r.IntN(len(f))]]++
			}
		case 1: // from one county to another in a month, and so between their firms
			if f, g := firms[a], firms[b]; len(f) > 0 && len(g) > 0 {
				move[months[a][i]]--
				move[months[b][i]]++
				move[f[r.IntN(len(f))]]--
				move[g[r.IntN(len(g))]]++
			}
		case 2: // between counties in one month, and back in another
			move[months[a][i]]--
			move[months[a][k]]++
			move[months[b][i]]++
			move[months[b][k]]--
		case 3: // from one month to another in a county, and so in a category
			c := one(categories)
			move[months[a][i]]--
			move[months[a][k]]++
			move[months[c][i]]--
			move[months[c][k]]++
		case 4: // between categories in one month, and back in another
			c, d := one(categories), one(categories)
			move[months[c][i]]--
			move[months[d][i]]++
			if r.IntN(2) == 0 {
				move[months[c][k]]++
				move[months[d][k]]--
			}
		}
		if w.allows(move, value, told, secret) {
			return true
		}
	}
	return false
}

// allows tells whether a move changes a secret, leaves all that is told as it is, and
// takes nothing from where there is nothing.
func (w *table) allows(move map[int]int64, value []int64, told [][]uint64, secret []uint64) bool {
	change := func(form []uint64) (sum int64) {
		for v, n := range move {
			if form[v] == 1 {
				sum += n
			} else if form[v] == prime-1 {
				sum -= n
			}
		}
		return sum
	}
	if change(secret) == 0 {
		return false
	}
	for v, n := range move {
		if value[v]+n < 0 {
			return false
		}
	}
	return !slices.ContainsFunc(told, func(form []uint64) bool { return change(form) != 0 })
}

func (w *table) cells() (out []cellOf) {
	for node, counts := range w.counts {
		_, firm := w.variable[node]
		for b, columns := range blockColumns {
			if firm && b != wholeYear {
				continue
			}
			for i, n := range columnsOf(b, counts) {
				from, to := columns[i][0], columns[i][1]
				out = append(out, cellOf{node, Period{Month(202601 + from), Month(202600 + to)}, n, w.form(node, from, to)})
			}
		}
	}
	return out
}

// The arithmetic is that of remainders by a prime, so that nothing is rounded.
const prime = 1_000_003

func inverse(a uint64) uint64 {
	out, e := uint64(1), uint64(prime-2)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * a % prime
		}
		a = a * a % prime
	}
	return out
}

// subtract takes from row the multiple of by that makes it 0 where by has its first 1.
func subtract(row, by []uint64, at int) {
	if f := row[at]; f != 0 {
		for i := at; i < len(row); i++ {
			row[i] = (row[i] + (prime-f)*by[i]) % prime
		}
	}
}

// reduce brings rows into echelon form, by the column of the first 1.
func reduce(rows [][]uint64) map[int][]uint64 {
	basis := map[int][]uint64{}
	for _, row := range rows {
		row = append([]uint64{}, row...)
		if at := lead(basis, row); at >= 0 {
			f := inverse(row[at])
			for i := range row {
				row[i] = row[i] * f % prime
			}
			basis[at] = row
		}
	}
	return basis
}

// lead reduces a row by a basis and returns its first column that is left, -1 for none.
func lead(basis map[int][]uint64, row []uint64) int {
	for at := range row {
		if row[at] == 0 {
			continue
		}
		by, ok := basis[at]
		if !ok {
			return at
		}
		subtract(row, by, at)
	}
	return -1
}

func inSpan(basis map[int][]uint64, form []uint64) bool {
	return lead(basis, append([]uint64{}, form...)) < 0
}
