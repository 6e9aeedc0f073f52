package sheets

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"qingfu/directory"
)

// Opening hours are written so, in words:
//
//	hours     = "全天" | part { "；" part }
//	part      = [ days ] times                  without days it is every day
//	days      = span { "、" span }               周一至周五、周日
//	span      = "每天" | "工作日" | "周末" | "节假日" | day [ "至" day ]
//	times     = "休息" | "全天" | interval { "、" interval }
//	interval  = clock "-" [ "次日" ] clock       18:00-次日02:00
//
// 全天 alone is a place that never closes. A day that is not named is closed, and
// none may be named twice. Special days have a column of their own:
//
//	special   = day [ "至" day ] times [ "（" reason "）" ] { "；" … }
//
// Full-width punctuation, 星期 for 周 and other signs for 至 and - are read too.

// The forms that a FieldError's Limit shows.
const (
	hoursForm   = "周一至周五 08:30-12:00、13:30-18:00；周六 09:00-17:00；周日 休息"
	specialForm = "2027-02-05至2027-02-12 休息（春节）"
	dayForm     = "2026-11-23"
)

const (
	holiday  = 7 // after the days of the week, which begin on Monday
	weekdays = "一二三四五六日"
)

var (
	wholeDay = directory.Interval{Open: 0, Close: 24 * 60}

	dayNames    = []string{"周一", "周二", "周三", "周四", "周五", "周六", "周日", "节假日"}
	dayPrefix   = regexp.MustCompile(`^(?:(?:周|星期|礼拜)\s*)?([一二三四五六日天])`)
	dayGroups   = map[string][]int{"每天": {0, 1, 2, 3, 4, 5, 6}, "每日": {0, 1, 2, 3, 4, 5, 6}, "工作日": {0, 1, 2, 3, 4}, "周末": {5, 6}, "法定节假日": {holiday}, "节假日": {holiday}}
	closedWords = []string{"休息", "关闭", "不营业", "不开放"}
	openWords   = []string{"全天", "24小时", "24小时营业", "24小时开放", "全天营业", "全天开放"}
	interval    = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})\s*[-~至到]+\s*(次日)?\s*([0-9]{1,2}):([0-9]{2})[\s、,和及]*`)

	dayPattern   = regexp.MustCompile(`^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?$`)
	compactDay   = regexp.MustCompile(`^([12][0-9]{3})([0-9]{2})([0-9]{2})$`)
	serialDay    = regexp.MustCompile(`^[1-9][0-9]{4}$`)
	dayBeginning = regexp.MustCompile(`^[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?`)
	excelEpoch   = time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
)

// readHours reads a week. A second result that is not "" names a day that
// stands twice.
func readHours(s string) (h *directory.Hours, twice string, ok bool) {
	h = &directory.Hours{}
	if slices.Contains(openWords, plain(s)) {
		h.Always = true
		return h, "", true
	}
	var seen [holiday + 1]bool
	for _, part := range split(s, betweenItems, false) {
		days, rest := readDays(plain(part))
		spans, ok := readTimes(rest)
		if !ok {
			return nil, "", false
		}
		for _, d := range days {
			if seen[d] {
				return nil, dayNames[d], false
			}
			seen[d] = true
			setDay(h, d, spans)
		}
	}
	return h, "", true
}

// readDays takes the days from the beginning of a part; every day where there
// are none.
func readDays(s string) (days []int, rest string) {
	rest = s
	for {
		group := ""
		for name := range dayGroups { // none begins as another does
			if strings.HasPrefix(rest, name) {
				group = name
			}
		}
		if group != "" {
			days = append(days, dayGroups[group]...)
			rest = rest[len(group):]
		} else {
			m := dayPrefix.FindStringSubmatch(rest)
			if m == nil || days == nil && m[0] == m[1] { // the first day is 周一, not 一
				break
			}
			first := weekday(m[1])
			rest = rest[len(m[0]):]
			last := first
			if after := strings.TrimLeft(rest, "-~至到 "); after != rest {
				if m := dayPrefix.FindStringSubmatch(after); m != nil {
					last = weekday(m[1])
					rest = after[len(m[0]):]
				}
			}
			for d := first; ; d = (d + 1) % holiday {
				days = append(days, d)
				if d == last {
					break
				}
			}
		}
		after := strings.TrimLeft(rest, "、,和及 ")
		if after == rest {
			break
		}
		rest = after
	}
	if days == nil {
		days = dayGroups["每天"]
	}
	return days, strings.TrimLeft(rest, ": ")
}

func weekday(character string) int {
	if character == "天" {
		character = "日"
	}
	return strings.Index(weekdays, character) / len(character)
}

// readTimes reads the intervals of a day, in the order given. There are none for
// a closed one.
func readTimes(s string) ([]directory.Interval, bool) {
	s = strings.TrimSpace(s)
	if slices.Contains(closedWords, s) {
		return []directory.Interval{}, true
	}
	if slices.Contains(openWords, s) {
		return []directory.Interval{wholeDay}, true
	}
	var out []directory.Interval
	for s != "" {
		m := interval.FindStringSubmatch(s)
		if m == nil {
			return nil, false
		}
		var i directory.Interval
		text := ("0" + m[1])[len(m[1])-1:] + ":" + m[2] + "-" + ("0" + m[4])[len(m[4])-1:] + ":" + m[5]
		if i.UnmarshalText([]byte(text)) != nil || m[3] != "" && i.Close > i.Open {
			return nil, false
		}
		out = append(out, i)
		s = s[len(m[0]):]
	}
	return out, len(out) > 0
}

func setDay(h *directory.Hours, d int, spans []directory.Interval) {
	if d == holiday {
		h.Holidays = &spans
		return
	}
	if len(spans) == 0 {
		spans = nil
	}
	w := &h.Week
	*[]*[]directory.Interval{&w.Mon, &w.Tue, &w.Wed, &w.Thu, &w.Fri, &w.Sat, &w.Sun}[d] = slices.Clone(spans)
}

// writeHours writes the week as readHours reads it.
func writeHours(h *directory.Hours) string {
	switch {
	case h == nil:
		return ""
	case h.Always:
		return "全天"
	case h.Week.IsZero() && h.Holidays == nil:
		return ""
	}
	var parts []string
	for d := 0; d < holiday; {
		spans := weekDay(h, d)
		end := d + 1
		for end < holiday && slices.Equal(spans, weekDay(h, end)) {
			end++
		}
		days := dayNames[d]
		switch {
		case d == 0 && end == holiday:
			days = "每天"
		case end > d+1:
			days += "至" + dayNames[end-1]
		}
		parts = append(parts, days+" "+writeTimes(spans))
		d = end
	}
	if h.Holidays != nil {
		parts = append(parts, dayNames[holiday]+" "+writeTimes(*h.Holidays))
	}
	return strings.Join(parts, "；")
}

// weekDay returns the intervals of a day of the week that begins on Monday.
func weekDay(h *directory.Hours, d int) []directory.Interval {
	return h.Week.Day(time.Weekday((d + 1) % 7))
}

func writeTimes(spans []directory.Interval) string {
	if len(spans) == 0 {
		return "休息"
	}
	out := make([]string, len(spans))
	for i, span := range spans {
		text, _ := span.MarshalText() // never fails
		out[i] = string(text)
		if open, closing, ok := strings.Cut(out[i], "-"); ok && span.Close <= span.Open {
			out[i] = open + "-次日" + closing
		}
		if span == wholeDay && len(spans) == 1 {
			out[i] = "全天"
		}
	}
	return strings.Join(out, "、")
}

// readSpecial reads one span of special days.
func readSpecial(s string) (e directory.HoursException, ok bool) {
	head := s
	if i := strings.IndexAny(s, "(（"); i >= 0 {
		note, closed := strings.CutSuffix(strings.TrimRight(s[i:], " "), ")")
		if !closed {
			note, closed = strings.CutSuffix(note, "）")
		}
		if !closed {
			return e, false
		}
		head = s[:i]
		e.Note = strings.TrimSpace(unescape(strings.TrimPrefix(strings.TrimPrefix(note, "("), "（")))
	}
	head = plain(head)
	first := dayBeginning.FindString(head)
	if first == "" {
		return e, false
	}
	e.From, _ = day(first)
	e.To = e.From
	head = strings.TrimSpace(head[len(first):])
	if after := strings.TrimLeft(head, "-~至到 "); after != head {
		last := dayBeginning.FindString(after)
		if last == "" {
			return e, false
		}
		e.To, _ = day(last)
		head = after[len(last):]
	}
	e.Intervals, ok = readTimes(strings.TrimLeft(head, ": "))
	return e, ok
}

func writeSpecial(e directory.HoursException) string {
	text := string(e.From)
	if e.To != e.From {
		text += "至" + string(e.To)
	}
	text += " " + writeTimes(e.Intervals)
	if e.Note != "" {
		text += "（" + escape(e.Note) + "）"
	}
	return text
}
