package statistics

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"qingfu/directory"
)

// everyCut is all queries that differ in what they cut and choose, over some regions and
// periods.
func everyCut() (out []Query) {
	for _, region := range []string{"630000", "630100", "632800", "630102"} {
		for _, period := range []directory.Period{
			{From: 202601, To: 202612}, {From: 202501, To: 202512}, {From: 202610, To: 202611}, {From: 202608, To: 202608}, {From: 202512, To: 202611},
		} {
			for _, origin := range []directory.RatingOrigin{"", directory.OrderOrigin, directory.InviteOrigin, directory.OpenOrigin} {
				for _, by := range []Cut{"", ByRegion, ByCategory, ByOrganization, ByMonth, ByQuarter, ByOrigin, ByLevel} {
					q := headline(by)
					q.Region, q.Period, q.Origin = region, period, origin
					out = append(out, q)
				}
			}
		}
	}
	return out
}

// belongs tells, in the plainest way, whether a rating is one of a row.
func belongs(f *fixture, q Query, key string, r *directory.Rating) bool {
	month := directory.MonthOf(r.CreatedAt)
	counted := r.Origin != directory.OpenOrigin
	if q.Origin != "" {
		counted = r.Origin == q.Origin
	}
	if q.By == ByOrigin && key != totalKey {
		counted = string(r.Origin) == key
	}
	if r.Kind != q.Kind || !counted || month < q.Period.From || month > q.Period.To || !f.Regions.Within(r.Region, q.Region) {
		return false
	}
	if key == totalKey {
		return true
	}
	switch q.By {
	case ByRegion:
		if region, rest := strings.CutSuffix(key, "/rest"); rest {
			return r.Region == region
		}
		return f.Regions.Within(r.Region, key)
	case ByCategory:
		return r.Category == key
	case ByOrganization:
		return r.Organization == key
	case ByMonth:
		return month.String() == key
	case ByQuarter:
		return fmt.Sprintf("%d-Q%d", month.Year(), (month.Number()+2)/3) == key
	case ByLevel:
		return fmt.Sprint(r.Level) == key
	}
	return true
}

// TestTablesAreARecount compares every cell of every table with a count by hand.
func TestTablesAreARecount(t *testing.T) {
	f := newFixture(t)
	given := f.invent(rand.New(rand.NewPCG(6, 2)), 1500)
	for _, q := range everyCut() {
		table := f.ask(q, false)
		var rows int64
		for i, row := range append([]Row{table.Total}, table.Rows...) {
			var levels [5]int64
			held, excluded := map[string]int64{}, map[string]int64{}
			for k := range given {
				r := &given[k]
				if !belongs(f, q, row.Key, r) {
					continue
				}
				switch r.State {
				case directory.RatingPublished:
					levels[r.Level-1]++
				case directory.RatingHeld:
					held[r.Rule()]++
				case directory.RatingExcluded:
					excluded[r.Rule()]++
				}
			}
			if *row.Levels != levels || !reflect.DeepEqual(row.Held, held) || !reflect.DeepEqual(row.Excluded, excluded) {
				t.Fatalf("%+v, row %s: %v held %v excluded %v; by hand %v, %v, %v", q, row.Key, *row.Levels, row.Held, row.Excluded, levels, held, excluded)
			}
			if i > 0 && (q.By != ByOrigin || q.Origin != "" || row.Key != string(directory.OpenOrigin)) {
				rows += row.N
			}
		}
		if len(table.Rows) > 0 && rows != table.Total.N {
			t.Errorf("%+v: the rows have %d, the total %d", q, rows, table.Total.N)
		}
	}
}

// TestViewsDifferInSuppressionAlone takes from the official view what the public one
// suppresses: then they are equal.
func TestViewsDifferInSuppressionAlone(t *testing.T) {
	f := newFixture(t)
	f.invent(rand.New(rand.NewPCG(6, 1)), 1500)
	shown, hidden := 0, 0
	for _, q := range everyCut() {
		official, public := f.ask(q, false), f.ask(q, true)
		of := map[string]Row{}
		for _, row := range append(official.Rows, official.Total) {
			of[row.Key] = row
			if row.Suppressed != "" {
				t.Errorf("%+v: %s is suppressed for officials", q, row.Key)
			}
		}
		if len(public.Rows) != len(official.Rows) {
			t.Errorf("%+v: %d rows for the public, %d for officials", q, len(public.Rows), len(official.Rows))
		}
		for _, row := range append(public.Rows, public.Total) {
			if row.Suppressed != "" {
				hidden++
				if row.Figures != nil {
					t.Errorf("%+v: %s is suppressed and shown", q, row.Key)
				}
				continue
			}
			shown++
			want := of[row.Key]
			if row.Change == nil { // where the earlier one is hidden
				want.Figures = new(*want.Figures)
				want.Change = nil
			}
			if !reflect.DeepEqual(row, want) {
				t.Errorf("%+v: %s is %+v for the public, %+v for officials", q, row.Key, row.Figures, want.Figures)
			}
			if row.N > 0 && row.N < directory.MinRatings && q.By != ByLevel {
				t.Errorf("%+v: %s has %d ratings and is shown", q, row.Key, row.N)
			}
		}
	}
	if shown < 500 || hidden < 1000 {
		t.Errorf("%d rows shown, %d hidden: the test looks at too little", shown, hidden)
	}
}

// TestPostStratified weighs two prefectures and a county by the census, by hand.
func TestPostStratified(t *testing.T) {
	f := newFixture(t)
	satisfied := directory.Rating{Level: 5, CreatedAt: in(202603)}
	not := directory.Rating{Level: 2, CreatedAt: in(202604)}
	for region, n := range map[string][2]int{"630102001": {45, 5}, "632801": {10, 10}, "632621003": {30, 0}} {
		satisfied.Region, not.Region = region, region
		f.rate(satisfied, n[0])
		f.rate(not, n[1])
	}
	const chengdong, haixi, guoluo = 489372.0, 468216.0, 215573.0
	table := f.ask(headline(""), true)
	got := table.PostStratified[0]
	share := (chengdong*0.9 + haixi*0.5 + guoluo*1) / (chengdong + haixi + guoluo)
	effect := 100 * (chengdong*chengdong/50 + haixi*haixi/20 + guoluo*guoluo/30) / ((chengdong + haixi + guoluo) * (chengdong + haixi + guoluo))
	if got.Weights != ByPopulation || got.EstimateFigures == nil || got.Share != directory.RoundTo(share, 1e4) || got.DesignEffect != directory.RoundTo(effect, 100) || got.Strata != 3 ||
		got.Covered != directory.RoundTo((chengdong+haixi+guoluo)/5923957, 1e4) || *table.Total.Share != 0.85 {
		t.Errorf("%+v beside %v; by hand %v, %v", got.EstimateFigures, *table.Total.Share, share, effect)
	}
	if table.PostStratified[1].EstimateFigures != nil {
		t.Errorf("by bookings, of which there are none: %+v", table.PostStratified[1].EstimateFigures)
	}
	// A stratum that is hidden hides the estimate.
	satisfied.Region = "632700"
	f.rate(satisfied, 3)
	if got := f.ask(headline(""), true).PostStratified[0]; got.Suppressed != directory.SuppressedProtected || got.EstimateFigures != nil {
		t.Errorf("with a hidden stratum: %+v", got)
	}
	if got := f.ask(headline(""), false).PostStratified[0]; got.EstimateFigures == nil || got.Strata != 4 {
		t.Errorf("for officials: %+v", got)
	}
	q := headline("")
	q.Region = "630100"
	if got := f.ask(q, false).PostStratified; len(got) != 0 {
		t.Errorf("of a prefecture: %+v", got)
	}
}

// TestPublicTablesAreNoLeak attacks the tables as a reader can: it collects what all
// cuts of all regions and periods show, writes each as a sum of unknown cells, adds
// what everybody knows (a region is its parts, a quarter its months, a county its firms,
// the total its categories and its origins), and looks whether a suppressed row with too
// few ratings follows from it by adding and subtracting.
func TestPublicTablesAreNoLeak(t *testing.T) {
	for seed, n := range []int{300, 1500} {
		f := newFixture(t)
		f.invent(rand.New(rand.NewPCG(uint64(seed), 3)), n)
		attack := attack{variables: map[string]int{}}
		secrets := map[string]form{}
		shown := 0
		for _, region := range []string{"630000", "630100", "630200", "632800", "632600"} { // where there are any
			for _, q := range f.publicQueries(region, 2026) {
				official, public := f.ask(q, false), f.ask(q, true)
				n := map[string]int64{}
				for _, row := range append(official.Rows, official.Total) {
					n[row.Key] = row.N
				}
				for _, row := range append(public.Rows, public.Total) {
					cell := attack.cell(f, q, row.Key)
					if row.Suppressed == "" {
						shown++
						attack.know(cell)
					} else if few := n[row.Key]; few > 0 && few < directory.MinRatings {
						secrets[fmt.Sprintf("%+v %s", q, row.Key)] = cell
					}
				}
			}
		}
		attack.links(f)
		basis := attack.reduce()
		for name, cell := range secrets {
			if basis.follows(cell) {
				t.Errorf("seed %d: %s can be computed", seed, name)
			}
		}
		if shown == 0 || len(secrets) == 0 {
			t.Errorf("seed %d: %d cells shown, %d secrets", seed, shown, len(secrets))
		}
	}
}

// publicQueries are all cuts of a region over a year, its quarters and its months.
func (f *fixture) publicQueries(region string, year int) (out []Query) {
	first := directory.Month(year*100 + 1)
	periods := []directory.Period{directory.PeriodOf(directory.YearPeriod, first)}
	for m := first; m.Year() == year; m = m.Add(1) {
		periods = append(periods, directory.PeriodOf(directory.MonthPeriod, m))
		if m.Number()%3 == 1 {
			periods = append(periods, directory.PeriodOf(directory.QuarterPeriod, m))
		}
	}
	for _, p := range periods {
		for _, by := range []Cut{ByRegion, ByCategory, ByOrganization, ByMonth, ByOrigin} {
			for _, origin := range []directory.RatingOrigin{"", directory.OrderOrigin, directory.OpenOrigin} {
				q := headline(by)
				q.Region, q.Period, q.Origin = region, p, origin
				out = append(out, q)
			}
		}
	}
	return out
}

// form is a sum of unknown cells, by the number of the cell.
type form map[int]int64

// attack is what is known, as sums of unknown cells.
type attack struct {
	variables map[string]int
	known     []form
}

func (a *attack) add(to form, times int64, name string) {
	i, ok := a.variables[name]
	if !ok {
		i = len(a.variables)
		a.variables[name] = i
	}
	to[i] += times
}

func (a *attack) know(f form) { a.known = append(a.known, f) }

// universe is the ratings that are counted together.
func universe(q Query) string {
	if q.Origin == directory.OpenOrigin {
		return "open"
	}
	return "counted"
}

// cell writes a row of a table as a sum of cells: of counties and months where it can
// be, and else of the categories, origins and firms that the cut names.
func (a *attack) cell(f *fixture, q Query, key string) form {
	out := form{}
	period := q.Period
	if key != totalKey && q.By == ByMonth {
		m, _ := directory.ParseMonth(key)
		period = directory.Period{From: m, To: m}
	}
	of := universe(q)
	if q.By == ByOrigin && key == string(directory.OpenOrigin) {
		of = "open"
	}
	region := q.Region
	if q.By == ByRegion && key != totalKey {
		region = key
	}
	for m := period.From; m <= period.To; m = m.Add(1) {
		switch {
		case q.Origin == directory.OrderOrigin || q.By == ByOrigin && key != totalKey && of != "open":
			origin := string(q.Origin)
			if origin == "" {
				origin = key
			}
			part := ""
			if q.By != ByOrigin && q.By != ByMonth && key != totalKey {
				part = fmt.Sprint(" ", q.By, " ", key)
			}
			a.add(out, 1, fmt.Sprint(q.Region, part, " origin=", origin, " ", m))
		case q.By == ByCategory && key != totalKey:
			a.add(out, 1, fmt.Sprint(of, " ", q.Region, " category=", key, " ", m))
		case q.By == ByOrganization && key != totalKey:
			for _, place := range places(f, q.Region) {
				a.add(out, 1, fmt.Sprint(of, " firm ", place, "=", key, " ", m))
			}
		default:
			for _, place := range places(f, region) {
				a.add(out, 1, fmt.Sprint(of, " ", place, " ", m))
			}
		}
	}
	return out
}

// places are the counties of a region, and what of it is in none.
func places(f *fixture, region string) (out []string) {
	if rest, ok := strings.CutSuffix(region, "/rest"); ok {
		return []string{rest}
	}
	for _, reg := range f.Regions.All() {
		if reg.Level <= directory.County && f.Regions.Within(reg.Code, region) {
			out = append(out, reg.Code)
		}
	}
	return out
}

// links adds what everybody knows: in each month the categories, and the origins, of the
// province make its total, and the firms of a place that place.
func (a *attack) links(f *fixture) {
	parts := map[string][]string{} // the cells by what comes before their last name, and the month
	for name := range a.variables {
		if i := strings.LastIndex(name, "="); i >= 0 {
			of := name[:i] + name[strings.LastIndex(name, " "):]
			parts[of] = append(parts[of], name)
		}
	}
	link := func(whole form, of string) {
		if len(parts[of]) == 0 {
			return
		}
		for _, name := range parts[of] {
			a.add(whole, -1, name)
		}
		a.know(whole)
	}
	for m := directory.Month(202601); m <= 202612; m = m.Add(1) {
		month := directory.Period{From: m, To: m}
		for of, origin := range map[string]directory.RatingOrigin{"counted": "", "open": directory.OpenOrigin} {
			province := Query{Region: "630000", Period: month, Origin: origin}
			link(a.cell(f, province, totalKey), fmt.Sprint(of, " 630000 category ", m))
			for _, place := range places(f, "630000") {
				whole := form{}
				a.add(whole, 1, fmt.Sprint(of, " ", place, " ", m))
				link(whole, fmt.Sprint(of, " firm ", place, " ", m))
			}
		}
		link(a.cell(f, Query{Region: "630000", Period: month}, totalKey), fmt.Sprint("630000 origin ", m))
	}
}

// basis is what is known in echelon form, by the first cell of each row, in remainders
// by a prime, so that nothing is rounded.
type basis map[int]form

const prime = 1_000_003

func (a *attack) reduce() basis {
	b := basis{}
	for _, f := range a.known {
		row, lead := b.reduced(f)
		if lead < 0 {
			continue
		}
		by := inverse(row[lead])
		for i := range row {
			row[i] = row[i] * by % prime
		}
		b[lead] = row
	}
	return b
}

func (b basis) follows(f form) bool {
	_, lead := b.reduced(f)
	return lead < 0
}

// reduced subtracts what is known from a sum, and returns what is left and its first cell.
func (b basis) reduced(f form) (form, int) {
	row := form{}
	for i, n := range f {
		if n = (n%prime + prime) % prime; n != 0 {
			row[i] = n
		}
	}
	for at := -1; ; {
		next := -1
		for i := range row {
			if i > at && (next < 0 || i < next) {
				next = i
			}
		}
		if next < 0 {
			return row, -1
		}
		known, ok := b[next]
		if !ok {
			return row, next
		}
		times := row[next]
		for i, n := range known {
			if n = (row[i] + (prime-times)*n) % prime; n == 0 {
				delete(row, i)
			} else {
				row[i] = n
			}
		}
		at = next
	}
}

func inverse(a int64) int64 {
	out, e := int64(1), prime-2
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * a % prime
		}
		a = a * a % prime
	}
	return out
}
