package directory

import (
	"fmt"
	"time"
)

// Shanghai is the time zone of every opening hour, UTC+8 without daylight
// saving time since 1991.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Hours says when a listing is open, in Shanghai time. The zero value means
// that the hours are not known.
type Hours struct {
	// Always is set for places that never close. Week and Holidays are then
	// empty; Exceptions may still name days with other hours.
	Always bool `json:"always,omitempty"`
	// Week holds the intervals of each day of the week. An interval that runs
	// past midnight belongs to the day on which it begins.
	Week Week `json:"week,omitzero"`
	// Holidays replaces the week on public holidays when it is not nil; an empty
	// list (not a nil one, which JSON cannot tell from no rule) means closed. A listing with Holidays set also opens on 调休 working
	// days at weekends, with Monday's intervals.
	Holidays *[]Interval `json:"holidays,omitempty"`
	// Exceptions replace everything else on the days they name; the last one
	// that covers a day wins.
	Exceptions []HoursException `json:"exceptions,omitempty"`
}

// Week is the regular intervals by day.
type Week struct {
	Mon []Interval `json:"mon,omitempty"`
	Tue []Interval `json:"tue,omitempty"`
	Wed []Interval `json:"wed,omitempty"`
	Thu []Interval `json:"thu,omitempty"`
	Fri []Interval `json:"fri,omitempty"`
	Sat []Interval `json:"sat,omitempty"`
	Sun []Interval `json:"sun,omitempty"`
}

// Day returns the intervals of one day of the week.
func (w *Week) Day(d time.Weekday) []Interval {
	return [...][]Interval{w.Sun, w.Mon, w.Tue, w.Wed, w.Thu, w.Fri, w.Sat}[d]
}

// IsZero tells whether no day has an interval. JSON leaves such a week out.
func (w Week) IsZero() bool {
	return len(w.Mon)+len(w.Tue)+len(w.Wed)+len(w.Thu)+len(w.Fri)+len(w.Sat)+len(w.Sun) == 0
}

// HoursException is a span of days with hours of its own, such as a winter
// timetable or a closure (no intervals).
type HoursException struct {
	From      Date       `json:"from"` // the first day
	To        Date       `json:"to"`   // the last day, included
	Intervals []Interval `json:"intervals"`
	Note      string     `json:"note,omitempty"`
}

// Interval is a span of a day, half open, in minutes since midnight. Close may
// be below or equal to Open, which means that it lies on the next day. Its text
// form is "08:30-18:00"; "00:00-24:00" is a whole day.
type Interval struct {
	Open, Close int
}

// overlaps tells whether two intervals of the same day share a minute.
func (i Interval) overlaps(other Interval) bool { return i.Open < other.end() && other.Open < i.end() }

// end is Close in minutes since the midnight on which the interval's day begins.
func (i Interval) end() int {
	if i.Close <= i.Open {
		return i.Close + 24*60
	}
	return i.Close
}

// MarshalText implements encoding.TextMarshaler.
func (i Interval) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d-%02d:%02d", i.Open/60, i.Open%60, i.Close/60, i.Close%60), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. The error names the form.
func (i *Interval) UnmarshalText(b []byte) error {
	open, ok1 := clock(b, 0)
	closing, ok2 := clock(b, 6)
	if len(b) != 11 || b[5] != '-' || !ok1 || !ok2 || open == 24*60 {
		return fmt.Errorf("interval %q is not of the form 08:30-18:00", b)
	}
	i.Open, i.Close = open, closing
	return nil
}

// clock reads "HH:MM" at offset at of b as minutes.
func clock(b []byte, at int) (int, bool) {
	if len(b) < at+5 || b[at+2] != ':' {
		return 0, false
	}
	digit := func(k int) int {
		if c := b[at+k]; c >= '0' && c <= '9' {
			return int(c - '0')
		}
		return 100_000
	}
	h, m := digit(0)*10+digit(1), digit(3)*10+digit(4)
	return h*60 + m, m < 60 && h*60+m <= 24*60
}

// Date is a calendar day in Shanghai, written 2026-11-23.
type Date string

// DateOf returns the day that t falls on in Shanghai.
func DateOf(t time.Time) Date { return Date(t.In(Shanghai).Format(time.DateOnly)) }

// Valid tells whether the date is a day of the calendar.
func (d Date) Valid() bool {
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// Calendar knows the public holidays and the 调休 working days. Days that it
// does not know are ordinary days of the week.
type Calendar struct {
	days map[Date]DayType
}

// DayType is what a calendar says of a day.
type DayType string

// The types of day that deviate from the week.
const (
	Holiday DayType = "holiday" // 法定节假日, including the days swapped in
	Workday DayType = "workday" // 调休上班日: a Saturday or Sunday worked instead
)

// NewCalendar returns a calendar of the given days.
func NewCalendar(days map[Date]DayType) *Calendar { return &Calendar{days} }

// OpenAt tells whether the hours include the moment t. Unknown hours are not open.
func (h *Hours) OpenAt(t time.Time, cal *Calendar) bool {
	if h == nil {
		return false
	}
	if h.Always && len(h.Exceptions) == 0 {
		return true
	}
	t = t.In(Shanghai)
	minute := t.Hour()*60 + t.Minute()
	for _, i := range h.on(t, cal) {
		if minute >= i.Open && (minute < i.end()) {
			return true
		}
	}
	for _, i := range h.on(t.AddDate(0, 0, -1), cal) {
		if i.Close <= i.Open && minute < i.Close {
			return true
		}
	}
	return false
}

var wholeDay = []Interval{{0, 24 * 60}}

// on returns the intervals that begin on the day of t.
func (h *Hours) on(t time.Time, cal *Calendar) []Interval {
	var date Date
	if len(h.Exceptions) > 0 || h.Holidays != nil {
		date = Date(t.Format(time.DateOnly))
	}
	for i := len(h.Exceptions) - 1; i >= 0; i-- {
		if e := h.Exceptions[i]; e.From <= date && date <= e.To {
			return e.Intervals
		}
	}
	if h.Always {
		return wholeDay
	}
	if h.Holidays != nil && cal != nil {
		switch cal.days[date] {
		case Holiday:
			return *h.Holidays
		case Workday:
			return h.Week.Mon
		}
	}
	return h.Week.Day(t.Weekday())
}
