package directory

import (
	"encoding/json"
	"testing"
	"time"
)

func TestPeriods(t *testing.T) {
	for _, c := range []struct {
		p      Period
		kind   PeriodKind
		months int
		before Period
		name   string
	}{
		{Period{202601, 202612}, YearPeriod, 12, Period{202501, 202512}, "2026年"},
		{Period{202601, 202603}, QuarterPeriod, 3, Period{202510, 202512}, "2026年第1季度"},
		{Period{202610, 202612}, QuarterPeriod, 3, Period{202607, 202609}, "2026年第4季度"},
		{Period{202601, 202601}, MonthPeriod, 1, Period{202512, 202512}, "2026年1月"},
		{Period{202602, 202604}, OtherPeriod, 3, Period{202511, 202601}, "2026年2月至4月"},
		{Period{202512, 202611}, OtherPeriod, 12, Period{202412, 202511}, "2025年12月至2026年11月"},
	} {
		if c.p.Kind() != c.kind || c.p.Months() != c.months || c.p.Before() != c.before || c.p.Name().Zh != c.name {
			t.Errorf("%v: %s, %d months, after %v, %s", c.p, c.p.Kind(), c.p.Months(), c.p.Before(), c.p.Name().Zh)
		}
		if c.kind != OtherPeriod && PeriodOf(c.kind, c.p.To) != c.p {
			t.Errorf("%v is not the %s of its last month", c.p, c.kind)
		}
		if !c.p.Has(c.p.From) || !c.p.Has(c.p.To) || c.p.Has(c.p.From.Add(-1)) || c.p.Has(c.p.To.Add(1)) {
			t.Errorf("%v does not have its months alone", c.p)
		}
	}
}

func TestMonths(t *testing.T) {
	// The last moment of a month in Shanghai is still the afternoon of its last day in UTC.
	at := time.Date(2026, 11, 30, 23, 59, 59, 0, Shanghai)
	if MonthOf(at.UTC()) != 202611 || MonthOf(at.Add(time.Second).UTC()) != 202612 {
		t.Errorf("%v, %v", MonthOf(at), MonthOf(at.Add(time.Second)))
	}
	if m := Month(202612); !m.Ends().Equal(Month(202701).Begins()) || m.Add(-24) != 202412 || m.Add(1) != 202701 || m.Add(-12) != 202512 {
		t.Errorf("around %v: %v, %v, %v", m, m.Add(-24), m.Add(1), m.Add(-12))
	}
	for text, want := range map[string]Month{"2026-11": 202611, "2026-13": 0, "2026-1": 0, "26-11": 0, "2026-11-01": 0, "0000-01": 0, "": 0} {
		if got, ok := ParseMonth(text); got != want || ok != (want != 0) {
			t.Errorf("%q: %v, %t", text, got, ok)
		}
	}
	data, err := json.Marshal(Period{202601, 202612})
	if err != nil || string(data) != `{"from":"2026-01","to":"2026-12"}` {
		t.Errorf("%s, %v", data, err)
	}
	var p Period
	if err := json.Unmarshal([]byte(`{"from":"2026-01","to":"2026-00"}`), &p); err == nil {
		t.Error("a month 0 was read")
	}
}
