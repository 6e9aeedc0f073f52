package directory

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"
)

func TestPriceFrom(t *testing.T) {
	for _, tt := range []struct {
		mins []int64
		want int64
		ok   bool
	}{{nil, 0, false}, {[]int64{500}, 500, true}, {[]int64{500, 300, 400}, 300, true}, {[]int64{500, 0}, 0, true}} {
		l := &Listing{}
		for _, fen := range tt.mins {
			l.Offerings = append(l.Offerings, Offering{PriceMin: fen, PriceMax: 1000})
		}
		if got, ok := l.PriceFrom(); got != tt.want || ok != tt.ok {
			t.Errorf("%v: %d, %v", tt.mins, got, ok)
		}
	}
}

func TestHasVacancy(t *testing.T) {
	beds := func(total, occupied *int) *Listing {
		return &Listing{ElderCare: &ElderCare{BedsTotal: total, BedsOccupied: occupied}}
	}
	classes := func(vacancies ...int) *Listing {
		k := &Childcare{}
		for _, v := range vacancies {
			k.Classes = append(k.Classes, ChildcareClass{Capacity: 10, Vacancies: v})
		}
		return &Listing{Childcare: k}
	}
	for _, tt := range []struct {
		name string
		l    *Listing
		want bool
	}{
		{"neither kind", &Listing{}, false},
		{"a free bed", beds(ptr(10), ptr(9)), true},
		{"full", beds(ptr(10), ptr(10)), false},
		{"total unknown", beds(nil, ptr(1)), false},
		{"occupied unknown", beds(ptr(10), nil), false},
		{"no classes", classes(), false},
		{"full classes", classes(0, 0), false},
		{"one place", classes(0, 1), true},
	} {
		if got := tt.l.HasVacancy(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestBadges(t *testing.T) {
	tests := []struct {
		name string
		l    Listing
		want []string
	}{
		{"nothing", Listing{}, nil},
		{"brand of no list", Listing{Brand: &Brand{}}, nil},
		{"grade and insurance", Listing{ElderCare: &ElderCare{Grade: 3, CareInsurance: true}}, []string{"grade_3", "care_insurance"}},
		{"no grade", Listing{ElderCare: &ElderCare{}}, nil},
		{"on record", Listing{Childcare: &Childcare{RecordState: OnRecord}}, []string{"on_record"}},
		{"filed", Listing{Childcare: &Childcare{RecordState: RecordFiled}}, nil},
		{"employees with credit", Listing{DomesticService: &DomesticService{Employment: Employees, WorkersWithCredit: ptr(1)}}, []string{"employees", "credit_record"}},
		{"agency without credit", Listing{DomesticService: &DomesticService{Employment: Agency, WorkersWithCredit: ptr(0)}}, nil},
		{"national", Listing{Street: &Street{Level: NationalStreet}}, []string{"national_street"}},
		{"provincial", Listing{Street: &Street{Level: ProvincialStreet}}, []string{"provincial_street"}},
	}
	for _, brand := range brandTypes {
		tests = append(tests, struct {
			name string
			l    Listing
			want []string
		}{string(brand), Listing{Brand: &Brand{Type: brand}}, []string{string(brand)}})
	}
	given := map[string]bool{}
	for _, tt := range tests {
		got := tt.l.Badges()
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v", tt.name, got)
		}
		for _, code := range got {
			given[code] = true
		}
	}
	for grade := 1; grade <= 5; grade++ {
		for _, code := range (&Listing{ElderCare: &ElderCare{Grade: grade}}).Badges() {
			given[code] = true
		}
	}
	for _, badge := range Badges {
		if !given[badge.Code] {
			t.Errorf("no listing gets the badge %s", badge.Code)
		}
		delete(given, badge.Code)
	}
	if len(given) > 0 {
		t.Errorf("badges that the vocabulary lacks: %v", given)
	}
}

func TestRank(t *testing.T) {
	verified := now.Add(-time.Hour)
	l := &Listing{UpdatedAt: now, Satisfaction: Satisfaction{Levels: [5]int64{0, 0, 0, 0, 9}}}
	if share, fresh := l.Rank(); share != 0 || !fresh.Equal(now) {
		t.Errorf("too few ratings, never verified: %v, %v", share, fresh)
	}
	l.Satisfaction.Levels[4], l.VerifiedAt = 22, &verified
	if share, fresh := l.Rank(); share != 0.8513 || !fresh.Equal(verified) {
		t.Errorf("22 of 22, verified: %v, %v", share, fresh)
	}
}

func TestErrors(t *testing.T) {
	err := InvalidFields("listing", []FieldError{{Pointer: "/a", Code: CodeTooLong, Limit: "5"}, {Parameter: "q", Code: CodeRequired}})
	if got, want := err.Error(), "invalid: listing: /a too_long (5); q required"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if InvalidFields("listing", nil) != nil {
		t.Error("no wrong fields are an error")
	}
	if KindOf(nil) != "" || KindOf(io.EOF) != "" || KindOf(fmt.Errorf("in: %w", err)) != Invalid {
		t.Error("KindOf is wrong")
	}
	wrapped := error(&Error{Kind: Unavailable, Cause: io.EOF})
	Wrap(&wrapped, "get %d", 7)
	if wrapped.Error() != "get 7: unavailable: EOF" || KindOf(wrapped) != Unavailable || !errors.Is(wrapped, io.EOF) {
		t.Errorf("wrapped: %v", wrapped)
	}
	var none error
	if Wrap(&none, "get"); none != nil {
		t.Errorf("Wrap made an error of none: %v", none)
	}
}
