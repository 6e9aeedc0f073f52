package directory

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// at reads a Shanghai time such as "2026-11-23 09:00", a Monday.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", s, Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func day(t testing.TB, intervals ...string) []Interval {
	t.Helper()
	out := make([]Interval, len(intervals))
	for i, s := range intervals {
		if err := out[i].UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestOpenAt(t *testing.T) {
	lunch := day(t, "08:30-12:00", "13:30-18:00")
	office := Week{Mon: lunch, Tue: day(t, "14:00-15:00"), Wed: lunch, Thu: lunch, Fri: lunch}
	calendar := NewCalendar(map[Date]DayType{
		"2026-10-01": Holiday, "2026-10-02": Holiday, // a Thursday and a Friday
		"2026-10-10": Workday, // a Saturday
	})
	nights := &Hours{Week: Week{Sun: day(t, "18:00-02:00"), Fri: day(t, "18:00-24:00")}}
	officeOnly := &Hours{Week: office}
	onHolidays := &Hours{Week: office, Holidays: ptr(day(t, "10:00-12:00"))}
	notOnHolidays := &Hours{Week: office, Holidays: &[]Interval{}}
	winter := &Hours{Week: office, Holidays: &[]Interval{}, Exceptions: []HoursException{
		{From: "2026-10-01", To: "2026-10-31", Intervals: day(t, "10:00-11:00")},
		{From: "2026-10-02", To: "2026-10-02", Note: "停电"},
	}}
	always := &Hours{Always: true}
	alwaysBut := &Hours{Always: true, Exceptions: []HoursException{{From: "2026-11-24", To: "2026-11-24"}}}
	late := &Hours{Week: Week{Mon: day(t, "20:00-03:00")}, Exceptions: []HoursException{{From: "2026-11-24", To: "2026-11-24"}}}
	tests := []struct {
		name  string
		hours *Hours
		when  string
		want  bool
	}{
		{"unknown", nil, "2026-11-23 09:00", false},
		{"empty", &Hours{}, "2026-11-23 09:00", false},
		{"before", officeOnly, "2026-11-23 08:29", false},
		{"first minute", officeOnly, "2026-11-23 08:30", true},
		{"last minute before lunch", officeOnly, "2026-11-23 11:59", true},
		{"lunch begins", officeOnly, "2026-11-23 12:00", false},
		{"lunch ends", officeOnly, "2026-11-23 13:30", true},
		{"closing", officeOnly, "2026-11-23 18:00", false},
		{"weekend", officeOnly, "2026-11-22 09:00", false},
		{"Sunday evening", nights, "2026-11-22 18:00", true},
		{"Sunday night is Monday", nights, "2026-11-23 01:59", true},
		{"Sunday night ends", nights, "2026-11-23 02:00", false},
		{"Saturday night is no Sunday night", nights, "2026-11-22 01:00", false},
		{"until 24:00", nights, "2026-11-27 23:59", true},
		{"after 24:00", nights, "2026-11-28 00:00", false},
		{"always", always, "2026-11-23 03:00", true},
		{"always, but on no exception", alwaysBut, "2026-11-24 03:00", false},
		{"always, the minute before the exception", alwaysBut, "2026-11-23 23:59", true},
		{"always, the minute after", alwaysBut, "2026-11-25 00:00", true},
		{"a night runs into a closed day", late, "2026-11-24 02:59", true},
		{"and the closed day stays closed", late, "2026-11-24 20:30", false},
		{"no rule for holidays", officeOnly, "2026-10-01 09:00", true},
		{"no rule for workdays", officeOnly, "2026-10-10 09:00", false},
		{"holiday hours", onHolidays, "2026-10-01 10:30", true},
		{"not the week's hours on a holiday", onHolidays, "2026-10-01 09:00", false},
		{"closed on holidays", notOnHolidays, "2026-10-02 10:30", false},
		{"Saturday worked", notOnHolidays, "2026-10-10 09:00", true},
		{"Saturday worked, lunch", notOnHolidays, "2026-10-10 12:30", false},
		{"ordinary Saturday", notOnHolidays, "2026-10-17 09:00", false},
		{"exception before holiday", winter, "2026-10-01 10:30", true},
		{"last exception wins", winter, "2026-10-02 10:30", false},
		{"exception before workday", winter, "2026-10-10 09:00", false},
		{"last day of the exception", winter, "2026-10-31 10:30", true},
		{"day after the exception", winter, "2026-11-02 09:00", true},
	}
	for _, tt := range tests {
		when := at(t, tt.when)
		// The zone in which the moment is given must not matter.
		for _, zone := range []*time.Location{Shanghai, time.UTC, time.FixedZone("", -10*60*60)} {
			if got := tt.hours.OpenAt(when.In(zone), calendar); got != tt.want {
				t.Errorf("%s: open at %s in %s is %v", tt.name, tt.when, zone, got)
			}
		}
	}
	if got := notOnHolidays.OpenAt(at(t, "2026-10-01 09:00"), nil); !got {
		t.Error("without a calendar a holiday is an ordinary day")
	}
}

// The law: a place is open at a minute exactly when an interval that began on
// that day or the day before covers it.
func TestOpenAtCoversTheIntervalsOfTheWeek(t *testing.T) {
	minute := rapid.IntRange(0, 24*60-1)
	rapid.Check(t, func(t *rapid.T) {
		i := Interval{minute.Draw(t, "open"), rapid.IntRange(0, 24*60).Draw(t, "close")}
		weekday := time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekday"))
		h := &Hours{}
		*map[time.Weekday]*[]Interval{0: &h.Week.Sun, 1: &h.Week.Mon, 2: &h.Week.Tue, 3: &h.Week.Wed, 4: &h.Week.Thu, 5: &h.Week.Fri, 6: &h.Week.Sat}[weekday] = []Interval{i}
		sunday := time.Date(2026, 11, 22, 0, 0, 0, 0, Shanghai)
		offset := rapid.IntRange(0, 7*24*60-1).Draw(t, "minute of the week")
		length := i.Close - i.Open
		if length <= 0 {
			length += 24 * 60
		}
		begin := int(weekday)*24*60 + i.Open
		want := (offset-begin+7*24*60)%(7*24*60) < length
		if got := h.OpenAt(sunday.Add(time.Duration(offset)*time.Minute), nil); got != want {
			t.Errorf("%+v on %s: open at minute %d of the week is %v", i, weekday, offset, got)
		}
	})
}

func FuzzInterval(f *testing.F) {
	for _, s := range []string{"08:30-18:00", "00:00-24:00", "18:00-02:00", "24:00-01:00", "8:30-18:00", "08:60-18:00", "08:30-24:01", "08:30–18:00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var i Interval
		if err := i.UnmarshalText([]byte(s)); err != nil {
			return
		}
		if i.Open < 0 || i.Open >= 24*60 || i.Close < 0 || i.Close > 24*60 {
			t.Errorf("%q is read as %+v", s, i)
		}
		if text, err := i.MarshalText(); err != nil || string(text) != s {
			t.Errorf("%q comes back as %q, %v", s, text, err)
		}
	})
}

func TestIntervalForms(t *testing.T) {
	for s, want := range map[string]Interval{"08:30-18:05": {510, 1085}, "00:00-24:00": {0, 1440}, "23:59-00:00": {1439, 0}} {
		var got Interval
		if err := got.UnmarshalText([]byte(s)); err != nil || got != want {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "08:30", "08:30-18:0", "08:30-18:000", "8:30-18:00 ", "08.30-18:00", "08:30 18:00", "24:00-01:00",
		"08:60-18:00", "08:30-24:01", "-1:30-18:00", "0a:30-18:00", "08:30-1a:00", "０8:30-18:00"} {
		if err := new(Interval).UnmarshalText([]byte(s)); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestOverlaps(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"08:00-12:00", "12:00-14:00", false},
		{"08:00-12:01", "12:00-14:00", true},
		{"08:00-18:00", "09:00-10:00", true},
		{"18:00-02:00", "20:00-21:00", true},
		{"18:00-02:00", "23:00-01:00", true},
		{"18:00-02:00", "00:00-01:00", false}, // 00:00 is the morning before
		{"00:00-24:00", "23:59-08:00", true},
	}
	for _, tt := range tests {
		a, b := day(t, tt.a)[0], day(t, tt.b)[0]
		if a.overlaps(b) != tt.want || b.overlaps(a) != tt.want {
			t.Errorf("%s and %s: want %v, got %v and %v", tt.a, tt.b, tt.want, a.overlaps(b), b.overlaps(a))
		}
	}
}

func TestDate(t *testing.T) {
	if got := DateOf(time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)); got != "2026-11-23" {
		t.Errorf("midnight in Shanghai is on %s", got)
	}
	for d, want := range map[Date]bool{"2024-02-29": true, "2026-02-29": false, "2026-1-01": false, "": false, "2026-11-23 ": false, "2026-13-01": false} {
		if d.Valid() != want {
			t.Errorf("Valid of %q is %v", d, !want)
		}
	}
}

// Closed on holidays and no rule for holidays differ; JSON must keep that.
func TestHoursJSON(t *testing.T) {
	for text, want := range map[string]Hours{
		`{}`:                               {},
		`{"holidays":[]}`:                  {Holidays: &[]Interval{}},
		`{"always":true}`:                  {Always: true},
		`{"week":{"mon":["09:00-10:00"]}}`: {Week: Week{Mon: []Interval{{540, 600}}}},
		`{"exceptions":[{"from":"2026-01-01","to":"2026-01-02","intervals":[]}]}`: {
			Exceptions: []HoursException{{From: "2026-01-01", To: "2026-01-02", Intervals: []Interval{}}}},
	} {
		var got Hours
		if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
		if out, err := json.Marshal(want); err != nil || string(out) != text {
			t.Errorf("%+v is written as %s, %v", want, out, err)
		}
	}
	if out, _ := json.Marshal(Hours{Week: Week{Mon: []Interval{}}}); string(out) != `{}` {
		t.Errorf("a week without intervals is written as %s", out)
	}
}
