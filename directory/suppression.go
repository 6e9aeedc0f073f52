package directory

import "slices"

// Suppression is why a figure is not shown to the public.
type Suppression string

// The reasons, see [Disclosure].
const (
	// SuppressedProtected is a cell with too few ratings, or one that would give such a
	// cell away. The two are not told apart, because that would help to find them out.
	SuppressedProtected Suppression = "protected"
	// SuppressedPeriod is a period that is neither a month nor a quarter nor a year, or
	// one in which the cut is not published.
	SuppressedPeriod Suppression = "period"
	// SuppressedCombination is a cut that is not published for this region and origin.
	SuppressedCombination Suppression = "combination"
)

// Suppressions are the reasons with their names.
var Suppressions = []Term{
	term(string(SuppressedProtected), "样本不足，或为防止推算出样本不足的数据而不公开", "Too few ratings, or kept back so that others with too few cannot be computed"),
	term(string(SuppressedPeriod), "公开数据只按整月、整季、整年提供", "Public figures are of whole months, quarters and years"),
	term(string(SuppressedCombination), "此组合不公开", "This combination is not public"),
}

// SuppressionTerm returns the names of a reason.
func SuppressionTerm(s Suppression) (Term, bool) { return find(Suppressions, string(s)) }

// MonthCounts is how many ratings there are in each month of a year, January first.
type MonthCounts [12]int64

// Disclosure decides which cells of the public tables of one year are shown, so that
// none with fewer than MinRatings can be computed from those that are: neither from the
// total and its neighbours nor from longer periods (secondary suppression, as in the GP
// Patient Survey of the NHS).
//
// A table has a row for each node of a tree (the province, its prefectures, their
// counties, …), and its periods are nested, too: the year, its quarters, their months.
// Whether a row is shown is decided for the year, for its quarters together and for the
// months of each quarter together, and a row is shown nowhere below a period, or in a
// part of a node, in which it is hidden. In the short of it:
//
//   - periods in which the root has too few ratings are hidden for all rows, and with
//     them the smallest others, until they have enough together;
//   - a row is hidden that has too few ratings in one of the periods shown, or in the
//     hidden ones together;
//   - where rows are hidden, the smallest others of the same node are hidden with them,
//     until they have enough ratings together in each period.
//
// What can be computed by adding and subtracting is then always the sum of shown cells
// and of hidden ones that have enough together: between two hidden rows and two periods
// ratings could be moved without any shown figure changing.
type Disclosure struct {
	hidden [len(blockColumns)][]int // columns of each block that are hidden for all rows
	rows   map[string]openness
}

// A block is some periods that are decided about together.
const (
	wholeYear     = iota // the year
	quarterBlock         // its quarters
	firstQuarter         // the months of the first quarter, and so on
	secondQuarter        //
	thirdQuarter         //
	fourthQuarter        //
	allBlocks
)

// blockColumns are the periods of each block, as the months from (0 to 11) and to (not
// included).
var blockColumns = [allBlocks][][2]int{
	wholeYear:     {{0, 12}},
	quarterBlock:  {{0, 3}, {3, 6}, {6, 9}, {9, 12}},
	firstQuarter:  {{0, 1}, {1, 2}, {2, 3}},
	secondQuarter: {{3, 4}, {4, 5}, {5, 6}},
	thirdQuarter:  {{6, 7}, {7, 8}, {8, 9}},
	fourthQuarter: {{9, 10}, {10, 11}, {11, 12}},
}

// above is the block in which a row must be shown to be shown in another.
var above = [allBlocks]int{wholeYear: -1, quarterBlock: wholeYear, firstQuarter: quarterBlock, secondQuarter: quarterBlock, thirdQuarter: quarterBlock, fourthQuarter: quarterBlock}

// openness is in which blocks a row is shown.
type openness [allBlocks]bool

// NewDisclosure begins with the root, which is the node "".
func NewDisclosure(root MonthCounts) *Disclosure {
	d := &Disclosure{rows: map[string]openness{}}
	var open openness
	for b := range blockColumns {
		d.hidden[b] = tooSmall(columnsOf(b, root))
		// A hidden quarter has no months to show.
		inHidden := b >= firstQuarter && slices.Contains(d.hidden[quarterBlock], b-firstQuarter)
		open[b] = (above[b] < 0 || open[above[b]]) && !inHidden && d.fine(b, root)
	}
	d.rows[""] = open
	return d
}

// tooSmall returns the columns to hide of the root: those with too few ratings, and the
// smallest others, until they have enough together. All are hidden where that is not
// enough.
func tooSmall(columns []int64) (hidden []int) {
	var sum int64
	for i, n := range columns {
		if tooFew(n) {
			hidden, sum = append(hidden, i), sum+n
		}
	}
	for sum > 0 && sum < MinRatings {
		smallest := -1
		for i, n := range columns {
			if n > 0 && !slices.Contains(hidden, i) && (smallest < 0 || n < columns[smallest]) {
				smallest = i
			}
		}
		if smallest < 0 { // the others are empty
			break
		}
		hidden, sum = append(hidden, smallest), sum+columns[smallest]
	}
	return hidden
}

func columnsOf(block int, counts MonthCounts) []int64 {
	out := make([]int64, len(blockColumns[block]))
	for i, c := range blockColumns[block] {
		for _, n := range counts[c[0]:c[1]] {
			out[i] += n
		}
	}
	return out
}

// told returns what a row tells when it is shown in a block: its shown columns, and the
// sum of the hidden ones, which follows from them and from the period above.
func (d *Disclosure) told(block int, counts MonthCounts) []int64 {
	var shown []int64
	var rest int64
	for i, n := range columnsOf(block, counts) {
		if slices.Contains(d.hidden[block], i) {
			rest += n
		} else {
			shown = append(shown, n)
		}
	}
	return append(shown, rest)
}

// fine tells whether a row tells of no number that is too small.
func (d *Disclosure) fine(block int, counts MonthCounts) bool {
	return !slices.ContainsFunc(d.told(block, counts), tooFew)
}

// tooFew tells whether a number of ratings may not be told.
func tooFew(n int64) bool { return n > 0 && n < MinRatings }

// Split adds the parts of a node, which are all of it and have names that no other
// node has. Without months the parts are known for the year alone, as if all of it were
// in January.
func (d *Disclosure) Split(node string, parts map[string]MonthCounts, months bool) {
	parent := d.rows[node]
	open := make(map[string]openness, len(parts))
	for b := range blockColumns {
		if parent[b] && (months || b == wholeYear) {
			for name := range d.shown(b, parts, open) {
				o := open[name]
				o[b] = true
				open[name] = o
			}
		}
	}
	for name := range parts {
		d.rows[name] = open[name]
	}
}

// shown returns the parts to show in a block, of which the blocks above are decided.
func (d *Disclosure) shown(block int, parts map[string]MonthCounts, open map[string]openness) map[string]bool {
	shown := map[string]bool{}
	rest := make([]int64, len(d.told(block, MonthCounts{}))) // what the hidden parts have together
	hide := func(name string) {
		delete(shown, name)
		for i, n := range d.told(block, parts[name]) {
			rest[i] += n
		}
	}
	for name, counts := range parts {
		if (above[block] < 0 || open[name][above[block]]) && d.fine(block, counts) {
			shown[name] = true
		} else {
			hide(name)
		}
	}
	for slices.ContainsFunc(rest, tooFew) {
		next := smallestOf(block, parts, shown)
		if next == "" {
			break
		}
		hide(next)
	}
	return shown
}

// smallestOf returns the chosen part with the fewest ratings in a block, but any, and
// the first by name among equals; "" when none has any.
func smallestOf(block int, parts map[string]MonthCounts, chosen map[string]bool) (smallest string) {
	var least int64
	for name := range chosen {
		var n int64
		for _, c := range columnsOf(block, parts[name]) {
			n += c
		}
		if n > 0 && (smallest == "" || n < least || n == least && name < smallest) {
			smallest, least = name, n
		}
	}
	return smallest
}

// Shows tells whether the figures of a node may be shown for a period, which is the
// year of the disclosure, or a quarter or a month of it.
func (d *Disclosure) Shows(node string, p Period) bool {
	open := d.rows[node]
	month := p.From.Number() - 1
	switch p.Kind() {
	case YearPeriod:
		return open[wholeYear]
	case QuarterPeriod:
		return open[quarterBlock] && !slices.Contains(d.hidden[quarterBlock], month/3)
	case MonthPeriod:
		b := firstQuarter + month/3
		return open[b] && !slices.Contains(d.hidden[b], month%3)
	}
	return false
}
