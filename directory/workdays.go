package directory

import "time"

// IsWorkday tells whether a day is one on which offices work: neither a public
// holiday nor a weekend that is not worked instead.
func (cal *Calendar) IsWorkday(d Date) bool {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return false
	}
	switch cal.days[d] {
	case Holiday:
		return false
	case Workday:
		return true
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
}

// AddWorkdays returns the end of the n-th working day after the day of t. The day
// itself does not count (民法典, article 201).
func (cal *Calendar) AddWorkdays(t time.Time, n int) time.Time {
	day := t.In(Shanghai)
	day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, Shanghai)
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if cal.IsWorkday(DateOf(day)) {
			n--
		}
	}
	return day.AddDate(0, 0, 1).UTC()
}

// Workdays returns how many working days have begun after the day of one time up to
// the day of another, 0 when that is earlier.
func (cal *Calendar) Workdays(from, to time.Time) int {
	n := 0
	day := from.In(Shanghai)
	for last := DateOf(to); DateOf(day) < last; {
		day = day.AddDate(0, 0, 1)
		if cal.IsWorkday(DateOf(day)) {
			n++
		}
	}
	return n
}

// LastWorkdays returns when the last n working days before a deadline begin, of
// which the one that ends with it is the first: for n = 1 its beginning. So n whole
// working days are left then, whatever holidays lie between. n is at least 1.
func (cal *Calendar) LastWorkdays(deadline time.Time, n int) time.Time {
	day := deadline.Add(-time.Millisecond).In(Shanghai)
	day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, Shanghai)
	for {
		if cal.IsWorkday(DateOf(day)) {
			if n--; n <= 0 {
				return day.UTC()
			}
		}
		day = day.AddDate(0, 0, -1)
	}
}
