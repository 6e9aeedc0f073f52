package seed

import "qingfu/directory"

// opening is a shape of opening hours.
type opening int

const (
	unknownHours opening = iota
	allDay               // always open
	officeHours          // by day, many with a lunch break
	nurseryHours         // by day on working days
	shopHours            // into the evening, every day
	mealHours            // around lunch, some also at dinner
	nightHours           // from the evening, most past midnight
	openings             // the number of shapes
)

// openingPool returns the variants of every shape: a few hundred timetables
// that all invented listings share. Nobody may change them.
func openingPool() [openings][]*directory.Hours {
	var pool [openings][]*directory.Hours
	add := func(o opening, h directory.Hours) { pool[o] = append(pool[o], &h) }
	day := func(spans ...directory.Interval) []directory.Interval { return spans }
	span := func(open, closing int) directory.Interval { return directory.Interval{Open: open, Close: closing} }
	const hour = 60
	closed := []directory.Interval{}
	short := day(span(10*hour, 16*hour))

	pool[unknownHours] = []*directory.Hours{nil}
	add(allDay, directory.Hours{Always: true})

	for _, open := range []int{8 * hour, 8*hour + 30, 9 * hour} {
		for _, closing := range []int{17 * hour, 17*hour + 30, 18 * hour} {
			for _, rest := range []directory.Interval{{}, span(12*hour, 14*hour), span(12*hour, 14*hour+30), span(12*hour+30, 13*hour+30)} {
				spans := day(span(open, closing))
				if rest.Open > 0 {
					spans = day(span(open, rest.Open), span(rest.Close, closing))
				}
				for days := 5; days <= 7; days++ {
					add(officeHours, directory.Hours{Week: week(days, spans), Holidays: &closed})
					add(officeHours, directory.Hours{Week: week(days, spans), Holidays: &short,
						Exceptions: []directory.HoursException{{From: "2026-02-16", To: "2026-02-18", Intervals: closed, Note: "春节停业"}}})
				}
			}
		}
	}
	for _, open := range []int{7*hour + 30, 7*hour + 40, 8 * hour} {
		for _, closing := range []int{17*hour + 30, 18 * hour, 18*hour + 30} {
			for days := 5; days <= 6; days++ {
				add(nurseryHours, directory.Hours{Week: week(days, day(span(open, closing))), Holidays: &closed})
			}
		}
	}
	for _, open := range []int{8 * hour, 9 * hour, 10 * hour} {
		for _, closing := range []int{20 * hour, 21 * hour, 22 * hour} {
			h := directory.Hours{Week: week(7, day(span(open, closing)))}
			add(shopHours, h)
			h.Holidays = &short
			add(shopHours, h)
			h.Holidays = nil
			h.Exceptions = []directory.HoursException{{From: "2026-11-01", To: "2027-03-31", Intervals: day(span(open+hour, closing-hour)), Note: "冬季作息"}}
			add(shopHours, h)
		}
	}
	for _, open := range []int{11 * hour, 11*hour + 30} {
		for _, closing := range []int{13 * hour, 13*hour + 30} {
			for days := 5; days <= 7; days++ {
				add(mealHours, directory.Hours{Week: week(days, day(span(open, closing))), Holidays: &closed})
				add(mealHours, directory.Hours{Week: week(days, day(span(open, closing), span(17*hour, 18*hour+30)))})
			}
		}
	}
	for _, open := range []int{17*hour + 30, 18 * hour, 19 * hour} {
		for _, closing := range []int{24 * hour, 30, 1 * hour, 2 * hour} { // most on the next day
			h := directory.Hours{Week: week(7, day(span(open, closing)))}
			add(nightHours, h)
			h.Exceptions = []directory.HoursException{{From: "2026-11-15", To: "2027-04-15", Intervals: closed, Note: "冬季停业"}}
			add(nightHours, h)
		}
	}
	return pool
}

// week has the same intervals on the first days from Monday on.
func week(days int, spans []directory.Interval) directory.Week {
	w := directory.Week{Mon: spans, Tue: spans, Wed: spans, Thu: spans, Fri: spans}
	if days > 5 {
		w.Sat = spans
	}
	if days > 6 {
		w.Sun = spans
	}
	return w
}
