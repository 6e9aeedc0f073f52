package directory

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Month is a month of the calendar in Shanghai: 202611 is November 2026. The zero
// Month is none. Its text form is "2026-11".
type Month int

// MonthOf returns the month in which t falls in Shanghai.
func MonthOf(t time.Time) Month {
	t = t.In(Shanghai)
	return Month(t.Year()*100 + int(t.Month()))
}

// ParseMonth reads "2026-11"; ok is false for what is no month.
func ParseMonth(text string) (m Month, ok bool) {
	t, err := time.Parse("2006-01", text)
	if err != nil || t.Year() < 1 {
		return 0, false
	}
	return Month(t.Year()*100 + int(t.Month())), true
}

// Year is the year of the month, and Number 1 to 12 within it.
func (m Month) Year() int { return int(m) / 100 }

// Number is 1 for January to 12 for December.
func (m Month) Number() int { return int(m) % 100 }

// Add returns the month n months later, or earlier.
func (m Month) Add(n int) Month {
	i := m.Year()*12 + m.Number() - 1 + n
	return Month(i/12*100 + i%12 + 1)
}

// Begins returns when the month begins in Shanghai.
func (m Month) Begins() time.Time {
	return time.Date(m.Year(), time.Month(m.Number()), 1, 0, 0, 0, 0, Shanghai)
}

// Ends returns when the month has ended.
func (m Month) Ends() time.Time { return m.Add(1).Begins() }

// String returns the text form.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year(), m.Number()) }

// MarshalText implements encoding.TextMarshaler.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Month) UnmarshalText(text []byte) error {
	got, ok := ParseMonth(string(text))
	if !ok {
		return fmt.Errorf("%q is no month", text)
	}
	*m = got
	return nil
}

// Period is the months from From to To, both included.
type Period struct {
	From Month `json:"from"`
	To   Month `json:"to"`
}

// PeriodKind is what of the calendar a period is.
type PeriodKind string

// The kinds of period.
const (
	MonthPeriod   PeriodKind = "month"
	QuarterPeriod PeriodKind = "quarter"
	YearPeriod    PeriodKind = "year"
	OtherPeriod   PeriodKind = "other" // any other run of months
)

// PeriodOf returns the month, quarter or year in which a month lies.
func PeriodOf(kind PeriodKind, m Month) Period {
	switch kind {
	case YearPeriod:
		return Period{Month(m.Year()*100 + 1), Month(m.Year()*100 + 12)}
	case QuarterPeriod:
		first := Month(m.Year()*100 + (m.Number()-1)/3*3 + 1)
		return Period{first, first.Add(2)}
	}
	return Period{m, m}
}

// Kind returns what of the calendar the period is.
func (p Period) Kind() PeriodKind {
	for _, k := range []PeriodKind{MonthPeriod, QuarterPeriod, YearPeriod} {
		if PeriodOf(k, p.From) == p {
			return k
		}
	}
	return OtherPeriod
}

// Months returns how many months the period has, at least 1 where From is not after To.
func (p Period) Months() int {
	return (p.To.Year()-p.From.Year())*12 + p.To.Number() - p.From.Number() + 1
}

// Before returns the period before that is as long.
func (p Period) Before() Period { return Period{p.From.Add(-p.Months()), p.From.Add(-1)} }

// Has tells whether a month lies in the period.
func (p Period) Has(m Month) bool { return p.From <= m && m <= p.To }

// Name is what the period is called: 2026年, 2026年第3季度, 2026年9月, or
// 2026年1月至11月 for any other.
func (p Period) Name() Names {
	y, m := p.From.Year(), p.From.Number()
	switch p.Kind() {
	case YearPeriod:
		return Names{Zh: fmt.Sprintf("%d年", y), En: fmt.Sprint(y)}
	case QuarterPeriod:
		return Names{Zh: fmt.Sprintf("%d年第%d季度", y, (m+2)/3), En: fmt.Sprintf("%d Q%d", y, (m+2)/3)}
	case MonthPeriod:
		return Names{Zh: fmt.Sprintf("%d年%d月", y, m), En: p.From.String()}
	}
	until := ""
	if p.To.Year() != y {
		until = fmt.Sprintf("%d年", p.To.Year())
	}
	return Names{Zh: fmt.Sprintf("%d年%d月至%s%d月", y, m, until, p.To.Number()), En: p.From.String() + " to " + p.To.String()}
}

// Key is the text form of a month, quarter or year: 2026-09, 2026-Q3, 2026; of any other
// period it is that of its first month.
func (p Period) Key() string {
	year := strconv.Itoa(p.From.Year())
	switch p.Kind() {
	case YearPeriod:
		return year
	case QuarterPeriod:
		return year + "-Q" + strconv.Itoa((p.From.Number()+2)/3)
	}
	return p.From.String()
}

// ParsePeriod reads the key of a month, quarter or year.
func ParsePeriod(text string) (p Period, ok bool) {
	year, part, _ := strings.Cut(text, "-")
	kind, month := MonthPeriod, text
	if part == "" {
		kind, month = YearPeriod, year+"-01"
	} else if quarter, isQuarter := strings.CutPrefix(part, "Q"); isQuarter {
		n, _ := strconv.Atoi(quarter)
		kind, month = QuarterPeriod, fmt.Sprintf("%s-%02d", year, 3*n)
	}
	m, ok := ParseMonth(month)
	if p = PeriodOf(kind, m); !ok || p.Key() != text {
		return Period{}, false
	}
	return p, true
}
