package directory

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMaskPersonal(t *testing.T) {
	for in, want := range map[string]string{
		"师傅电话13800138000":                "师傅电话***********",
		"+86 138-0013-8000":              "+** ***-****-****",
		"一三八，1 3 8 0 0 1 3 8 0 0 0":      "一三八，* * * * * * * * * * *",
		"１３８００１３８０００":                    "***********",
		"家里0971-6123456":                 "家里****-*******",
		"63010219800101123x，":            "******************，",
		"63010219800101123X":             "******************",
		"卡号6222 0212 3456 7890 123":      "卡号**** **** **** **** ***",
		"2026-11-25 来了2次，花了1200元":        "2026-11-25 来了2次，花了1200元",
		"订单20261125，面积120平方米，楼号3-2-1201": "订单20261125，面积120平方米，楼号3-2-1201",
		"拨打12345、12315和400-123-4567也可以":  "拨打12345、12315和400-123-4567也可以",
		"": "",
	} {
		got, found := MaskPersonal(in)
		if got != want || found != (in != want) {
			t.Errorf("%q became %q (%v), want %q", in, got, found, want)
		}
		if again, found := MaskPersonal(got); found || again != got {
			t.Errorf("%q is masked again, as %q", got, again)
		}
	}
}

func FuzzMaskPersonal(f *testing.F) {
	f.Add("电话13800138000，或0971-6123456")
	f.Fuzz(func(t *testing.T, text string) {
		got, found := MaskPersonal(text)
		if !found && got != text {
			t.Errorf("%q became %q, and nothing was found", text, got)
		}
		for i := 0; i+11 <= len(got); i++ {
			if run := got[i : i+11]; mobilePattern.MatchString(run) && strings.HasPrefix(run, "1") && run[1] != '0' {
				t.Errorf("%q still holds %s", got, run)
			}
		}
	})
}

func TestNormalText(t *testing.T) {
	for in, want := range map[string]string{"很 好！！": "很好", "ＯＫ，No.1": "okno1", "": "", "ཡིད་ཚིམ།": "ཡདཚམ"} {
		if got := NormalText(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestRatingSteps does everything to a rating in every state.
func TestRatingSteps(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	found := []Finding{{Rule: RuleSameDevice, At: now}}
	steps := map[string]func(*Rating) error{
		"edit":     func(r *Rating) error { return r.Edit(RatingEdit{Level: 2}, now) },
		"hold":     func(r *Rating) error { r.Hold(found); return nil },
		"publish":  func(r *Rating) error { return r.Decide(RatingDecision{State: RatingPublished, By: "o", At: now}) },
		"exclude":  func(r *Rating) error { return r.Decide(RatingDecision{State: RatingExcluded, By: "o", At: now}) },
		"withdraw": func(r *Rating) error { r.Withdraw(now); return nil },
		"forget":   func(r *Rating) error { r.Forget(now); return nil },
	}
	for _, tc := range []struct {
		from RatingState
		step string
		to   RatingState // "" for a refusal
	}{
		{RatingPublished, "edit", RatingPublished}, {RatingPublished, "hold", RatingHeld}, {RatingPublished, "publish", RatingPublished},
		{RatingPublished, "exclude", RatingExcluded}, {RatingPublished, "withdraw", RatingWithdrawn}, {RatingPublished, "forget", RatingPublished},
		{RatingHeld, "edit", RatingHeld}, {RatingHeld, "hold", RatingHeld}, {RatingHeld, "publish", RatingPublished},
		{RatingHeld, "exclude", RatingExcluded}, {RatingHeld, "withdraw", RatingWithdrawn}, {RatingHeld, "forget", RatingHeld},
		{RatingExcluded, "edit", ""}, {RatingExcluded, "hold", RatingExcluded}, {RatingExcluded, "publish", RatingPublished},
		{RatingExcluded, "exclude", RatingExcluded}, {RatingExcluded, "withdraw", RatingWithdrawn}, {RatingExcluded, "forget", RatingExcluded},
		{RatingWithdrawn, "edit", ""}, {RatingWithdrawn, "hold", RatingWithdrawn}, {RatingWithdrawn, "publish", ""},
		{RatingWithdrawn, "exclude", ""}, {RatingWithdrawn, "withdraw", RatingWithdrawn}, {RatingWithdrawn, "forget", RatingWithdrawn},
	} {
		r := Rating{ID: "x", Proof: OrderProof("b"), Origin: OrderOrigin, Account: "a", Level: 5, Text: "好", State: tc.from, CreatedAt: now}
		err := steps[tc.step](&r)
		switch {
		case tc.to == "" && KindOf(err) != Conflict:
			t.Errorf("%s of one that is %s: %v", tc.step, tc.from, err)
		case tc.to != "" && (err != nil || r.State != tc.to):
			t.Errorf("%s of one that is %s: it is %s, %v", tc.step, tc.from, r.State, err)
		case (r.Counted() > 0) != (r.State == RatingPublished):
			t.Errorf("%s of one that is %s: it counts as %d", tc.step, tc.from, r.Counted())
		case tc.step == "forget" && (r.Account+r.Text != "" || strings.Contains(r.Proof, "b ")):
			t.Errorf("forgotten it is %+v", r)
		}
	}
	open := Rating{Origin: OpenOrigin, Level: 5, State: RatingPublished}
	if open.Counted() != 0 {
		t.Error("an open rating counts")
	}
}

func TestRatingRules(t *testing.T) {
	rules := DefaultRatingRules()
	if err := rules.Validate(); err != nil {
		t.Error(err)
	}
	for _, tc := range []struct {
		name string
		r    Rating
		e    RatingEvidence
		want []string
	}{
		{"nothing", Rating{Level: 5, Text: "师傅非常专业下次还来"}, RatingEvidence{SameDevice: 2, SameNetwork: 8, SameText: 2, SameAccount: 10, Recent: [5]int64{0, 0, 0, 0, 15}}, nil},
		{"a member", Rating{Level: 3}, RatingEvidence{Member: true}, []string{RuleOwnMember}},
		{"everything", Rating{Level: 5, Text: "师傅非常专业下次还来", History: []RatingEdit{{Level: 1}}},
			RatingEvidence{Member: true, SameDevice: 3, SameNetwork: 9, SameText: 3, SameAccount: 11, Recent: [5]int64{0, 0, 0, 1, 16}, Usual: 1, Unfit: []string{"刷单"}},
			[]string{RuleOwnMember, RuleSameDevice, RuleSameNetwork, RuleRepeatedText, RuleLevelSwing, RuleSurge, RuleTooMany, RuleUnfit}},
		{"short text", Rating{Level: 5, Text: "很好"}, RatingEvidence{SameText: 100}, nil},
		{"busy as usual", Rating{Level: 5}, RatingEvidence{Recent: [5]int64{0, 0, 0, 0, 40}, Usual: 30}, nil},
		{"many of all levels", Rating{Level: 5}, RatingEvidence{Recent: [5]int64{5, 5, 5, 5, 20}}, nil},
		{"many bad ones", Rating{Level: 1}, RatingEvidence{Recent: [5]int64{20, 0, 0, 0, 1}}, []string{RuleSurge}},
		{"one in between", Rating{Level: 3}, RatingEvidence{Recent: [5]int64{20, 0, 0, 0, 1}}, nil},
	} {
		var got []string
		for _, f := range rules.Judge(&tc.r, tc.e, time.Time{}) {
			got = append(got, f.Rule)
			if _, ok := RatingRuleTerm(f.Rule); !ok {
				t.Errorf("%s has no name", f.Rule)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	bad := RatingRules{SurgeShare: 0.2}
	if got := wrongFields(t, bad.Validate(), "rating rules"); len(got) != 14 {
		t.Errorf("nothing set: %d wrong: %v", len(got), got)
	}
}
