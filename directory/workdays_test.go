package directory_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/seed"
)

// holidays are those of 2025 and 2026.
func holidays(t testing.TB) *directory.Calendar {
	t.Helper()
	cal, err := seed.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

// moment reads a Shanghai time such as "2026-11-23 09:00", a Monday.
func moment(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, directory.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAddWorkdays(t *testing.T) {
	cal := holidays(t)
	for _, tc := range []struct {
		name, from string
		n          int
		last       string // the day with whose end the time is over
	}{
		{"none", "2026-11-23 09:00", 0, "2026-11-23"},
		{"the next day", "2026-11-23 23:59", 1, "2026-11-24"},
		{"over a weekend", "2026-11-27 09:00", 1, "2026-11-30"},
		{"from a Saturday", "2026-11-28 09:00", 5, "2026-12-04"},
		{"over National Day, of which the 10th is worked", "2026-09-30 09:00", 3, "2026-10-10"},
		{"a week to accept, over Mid-Autumn and National Day", "2026-09-21 09:00", 7, "2026-10-08"},
		{"within National Day", "2026-10-03 09:00", 1, "2026-10-08"},
		{"over Spring Festival, of which the 14th and the 28th are worked", "2026-02-13 09:00", 2, "2026-02-24"},
		{"and on", "2026-02-13 09:00", 6, "2026-02-28"},
		{"over New Year, of which the 4th is worked", "2025-12-31 09:00", 1, "2026-01-04"},
		{"a Sunday worked before National Day", "2026-09-19 09:00", 1, "2026-09-20"},
		{"45 days, over Labour Day", "2026-03-16 09:00", 45, "2026-05-21"},
		{"a year that is not known counts weekdays", "2027-09-30 09:00", 1, "2027-10-01"},
	} {
		end := cal.AddWorkdays(moment(t, tc.from), tc.n)
		if want := moment(t, tc.last+" 00:00").AddDate(0, 0, 1); !end.Equal(want) {
			t.Errorf("%s: %d from %s ends at %s, want the end of %s", tc.name, tc.n, tc.from, end.In(directory.Shanghai), tc.last)
		}
	}
}

func TestLastWorkdays(t *testing.T) {
	cal := holidays(t)
	for _, tc := range []struct {
		name, last string
		n          int
		begin      string
	}{
		{"of the last day itself", "2026-11-25", 1, "2026-11-25"},
		{"of the day before", "2026-11-25", 2, "2026-11-24"},
		{"over a weekend", "2026-11-30", 2, "2026-11-27"},
		{"over National Day", "2026-10-08", 1, "2026-10-08"},
		{"before National Day", "2026-10-08", 2, "2026-09-30"},
		{"before Spring Festival", "2026-02-24", 2, "2026-02-14"},
		{"of a day off", "2026-10-04", 1, "2026-09-30"},
	} {
		deadline := moment(t, tc.last+" 00:00").AddDate(0, 0, 1)
		if got, want := cal.LastWorkdays(deadline, tc.n), moment(t, tc.begin+" 00:00"); !got.Equal(want) {
			t.Errorf("%s: the last %d before the end of %s begin at %s, want %s", tc.name, tc.n, tc.last, got.In(directory.Shanghai), want)
		}
	}
}

// TestWorkdaysAreInverse: as many working days as were added have begun by the last
// moment of them, one fewer a day before, and the last of them can be found from the end.
func TestWorkdaysAreInverse(t *testing.T) {
	cal := holidays(t)
	rapid.Check(t, func(t *rapid.T) {
		from := time.Date(2025, 1, 1, 0, 0, 0, 0, directory.Shanghai).Add(time.Duration(rapid.IntRange(0, 3*365*24*60).Draw(t, "minute")) * time.Minute)
		n := rapid.IntRange(1, 60).Draw(t, "days")
		end := cal.AddWorkdays(from, n)
		last := end.Add(-time.Millisecond)
		if got := cal.Workdays(from, last); got != n {
			t.Fatalf("%d working days up to %s", got, last)
		}
		if got := cal.Workdays(from, last.AddDate(0, 0, -1)); got != n-1 {
			t.Fatalf("%d working days up to the day before %s", got, last)
		}
		if !cal.IsWorkday(directory.DateOf(last)) {
			t.Fatalf("%s is a day off", last)
		}
		k := rapid.IntRange(1, n).Draw(t, "left")
		if got := cal.AddWorkdays(cal.LastWorkdays(end, k).Add(-time.Millisecond), k); !got.Equal(end) {
			t.Fatalf("the last %d end at %s, not %s", k, got, end)
		}
	})
}
