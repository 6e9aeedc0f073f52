package sheets

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
)

func TestReadHours(t *testing.T) {
	tests := []struct {
		text string
		want string // line format
	}{
		{"全天", `{"always":true}`},
		{"２４小时", `{"always":true}`},
		{"每天 全天", `{"week":{"mon":["00:00-24:00"],"tue":["00:00-24:00"],"wed":["00:00-24:00"],"thu":["00:00-24:00"],"fri":["00:00-24:00"],"sat":["00:00-24:00"],"sun":["00:00-24:00"]}}`},
		{"周一 8:30-18:00", `{"week":{"mon":["08:30-18:00"]}}`},
		{"周一至周三 08:30-18:00；周六 09:00-12:00；周日 休息", `{"week":{"mon":["08:30-18:00"],"tue":["08:30-18:00"],"wed":["08:30-18:00"],"sat":["09:00-12:00"]}}`},
		{"星期一到三：８：３０－１２：００、１３：３０～１８：００", `{"week":{"mon":["08:30-12:00","13:30-18:00"],"tue":["08:30-12:00","13:30-18:00"],"wed":["08:30-12:00","13:30-18:00"]}}`},
		{"周一、三、周五至周六 9:00—17:00\n礼拜天 不营业", `{"week":{"mon":["09:00-17:00"],"wed":["09:00-17:00"],"fri":["09:00-17:00"],"sat":["09:00-17:00"]}}`},
		{"周六至周一 10:00-16:00", `{"week":{"mon":["10:00-16:00"],"sat":["10:00-16:00"],"sun":["10:00-16:00"]}}`},
		{"周末 18:00-次日02:00", `{"week":{"sat":["18:00-02:00"],"sun":["18:00-02:00"]}}`},
		{"周五 18:00-2:00 03:00-04:00", `{"week":{"fri":["18:00-02:00","03:00-04:00"]}}`},
		{"周三 09:00-17:00；法定节假日 休息", `{"week":{"wed":["09:00-17:00"]},"holidays":[]}`},
		{"周三 9:00-17:00;节假日 10:00-16:00;", `{"week":{"wed":["09:00-17:00"]},"holidays":["10:00-16:00"]}`},
		{"周六、节假日 10:00-16:00", `{"week":{"sat":["10:00-16:00"]},"holidays":["10:00-16:00"]}`},
		{"09:00-17:00", `{"week":{"mon":["09:00-17:00"],"tue":["09:00-17:00"],"wed":["09:00-17:00"],"thu":["09:00-17:00"],"fri":["09:00-17:00"],"sat":["09:00-17:00"],"sun":["09:00-17:00"]}}`},
	}
	for _, tt := range tests {
		h, _, ok := readHours(tt.text)
		if !ok {
			t.Errorf("%q is not read", tt.text)
			continue
		}
		got, err := json.Marshal(h)
		if err != nil || string(got) != tt.want {
			t.Errorf("%q:\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
	for _, text := range []string{
		"周一", "周八 09:00-17:00", "周一至 休", "周一 9-17", "周一 09:00", "周一 25:00-26:00", "周一 09:60-17:00", "周一 24:00-08:00",
		"周一 09:00-次日17:00", "上午", "周一 09:00-17:00 周二 10:00-11:00", "一 09:00-17:00", "周一 09:00-17:00；每天", "08:30 - 24:30",
	} {
		if h, twice, ok := readHours(text); ok || twice != "" {
			t.Errorf("%q is read as %+v, %q", text, h, twice)
		}
	}
	for text, want := range map[string]string{
		"每天 09:00-17:00；周日 休息": "周日", "周一、周一 休息": "周一", "节假日 休息；节假日 休息": "节假日", "周五至周四 休息；周三 休息": "周三",
	} {
		if _, twice, ok := readHours(text); ok || twice != want {
			t.Errorf("%q: got %q, %v, want %q", text, twice, ok, want)
		}
	}
}

func TestWriteHours(t *testing.T) {
	spans := func(text ...string) (out []directory.Interval) {
		for _, s := range text {
			var i directory.Interval
			if err := i.UnmarshalText([]byte(s)); err != nil {
				t.Fatal(err)
			}
			out = append(out, i)
		}
		return out
	}
	day, night := spans("08:30-12:00", "13:30-18:00"), spans("18:00-02:00")
	tests := []struct {
		hours *directory.Hours
		want  string
	}{
		{nil, ""},
		{&directory.Hours{}, ""},
		{&directory.Hours{Always: true}, "全天"},
		{&directory.Hours{Week: directory.Week{Mon: day, Tue: day, Wed: day, Thu: day, Fri: day, Sat: night, Sun: spans("00:00-24:00")}},
			"周一至周五 08:30-12:00、13:30-18:00；周六 18:00-次日02:00；周日 全天"},
		{&directory.Hours{Week: directory.Week{Mon: night, Tue: night, Wed: night, Thu: night, Fri: night, Sat: night, Sun: night}, Holidays: &[]directory.Interval{}},
			"每天 18:00-次日02:00；节假日 休息"},
		{&directory.Hours{Holidays: &day}, "每天 休息；节假日 08:30-12:00、13:30-18:00"},
	}
	for _, tt := range tests {
		if got := writeHours(tt.hours); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestReadSpecial(t *testing.T) {
	tests := []struct {
		text string
		want directory.HoursException
	}{
		{"2027-02-05至2027-02-12 休息（春节）", directory.HoursException{From: "2027-02-05", To: "2027-02-12", Intervals: []directory.Interval{}, Note: "春节"}},
		{"2027/2/5 10:00-16:00", directory.HoursException{From: "2027-02-05", To: "2027-02-05", Intervals: []directory.Interval{{Open: 600, Close: 960}}}},
		{"2027年2月5日－2027年2月6日：全天 (值班(夜))", directory.HoursException{From: "2027-02-05", To: "2027-02-06", Intervals: []directory.Interval{wholeDay}, Note: "值班(夜)"}},
		{`2027-02-05 休息（甲\；乙 08:00－09:00）`, directory.HoursException{From: "2027-02-05", To: "2027-02-05", Intervals: []directory.Interval{}, Note: "甲；乙 08:00－09:00"}},
	}
	for _, tt := range tests {
		if got, ok := readSpecial(tt.text); !ok || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: got %+v, %v", tt.text, got, ok)
		}
	}
	for _, text := range []string{"春节 休息", "2027-02-05", "2027-02-05至 休息", "2027-02-05 休息（春节", "2027-02-05 休息（春节）停业", "至2027-02-05 休息"} {
		if got, ok := readSpecial(text); ok {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

var (
	drawInterval = rapid.Custom(func(t *rapid.T) directory.Interval {
		return directory.Interval{Open: rapid.IntRange(0, 1439).Draw(t, "open"), Close: rapid.IntRange(0, 1440).Draw(t, "close")}
	})
	drawSpans = rapid.Custom(func(t *rapid.T) []directory.Interval {
		return append([]directory.Interval{}, rapid.SliceOfN(drawInterval, 0, 3).Draw(t, "spans")...)
	})
	drawDate = rapid.Custom(func(t *rapid.T) directory.Date {
		return directory.DateOf(now.AddDate(0, 0, rapid.IntRange(-9000, 9000).Draw(t, "days")))
	})
	drawHours = rapid.Custom(func(t *rapid.T) *directory.Hours {
		h := &directory.Hours{Always: rapid.Bool().Draw(t, "always")}
		if !h.Always {
			pool := rapid.SliceOfN(drawSpans, 2, 2).Draw(t, "pool") // so that some days are alike
			for d := range holiday {
				if spans := rapid.SampledFrom(pool).Draw(t, "day"); len(spans) > 0 {
					setDay(h, d, spans)
				}
			}
			if rapid.Bool().Draw(t, "holidays") {
				h.Holidays = &pool[0]
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "exceptions") {
			h.Exceptions = append(h.Exceptions, directory.HoursException{
				From: drawDate.Draw(t, "from"), To: drawDate.Draw(t, "to"), Intervals: drawSpans.Draw(t, "intervals"), Note: awkward.Draw(t, "note"),
			})
		}
		return unlessEmpty(h)
	})
)
