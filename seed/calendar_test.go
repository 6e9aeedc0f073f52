package seed

import (
	"testing"
	"time"

	"qingfu/directory"
)

func TestCalendar(t *testing.T) {
	cal, err := Calendar()
	if err != nil {
		t.Fatal(err)
	}
	// Open on Mondays to Fridays and on working days swapped in, closed on holidays.
	work := []directory.Interval{{Open: 9 * 60, Close: 17 * 60}}
	office := directory.Hours{
		Week:     directory.Week{Mon: work, Tue: work, Wed: work, Thu: work, Fri: work},
		Holidays: &[]directory.Interval{},
	}
	for day, open := range map[string]bool{
		"2025-01-26": true, "2025-01-28": false, "2025-02-04": false, "2025-02-05": true, "2025-10-08": false, "2025-10-11": true,
		"2026-01-01": false, "2026-01-04": true, "2026-02-14": true, "2026-02-16": false, "2026-02-23": false, "2026-02-24": true,
		"2026-04-06": false, "2026-05-09": true, "2026-06-19": false, "2026-09-20": true, "2026-09-25": false, "2026-10-07": false,
		"2026-10-08": true, "2026-10-10": true, "2026-10-11": false, // the last a plain Sunday
		"2027-01-01": true, // a Friday of a year that is not known
	} {
		at, err := time.ParseInLocation(time.DateOnly, day, directory.Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		if got := office.OpenAt(at.Add(10*time.Hour), cal); got != open {
			t.Errorf("%s: open %v, want %v", day, got, open)
		}
	}
}
