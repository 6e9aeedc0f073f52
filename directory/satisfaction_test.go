package directory

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Published values: R. G. Newcombe 1998, Statistics in Medicine 17:857–872,
// table I, method 3.
func TestWilsonPublishedExamples(t *testing.T) {
	for _, tt := range []struct {
		k, n      int64
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
	} {
		low, high := Wilson(tt.k, tt.n)
		if math.Abs(low-tt.low) > 0.00005 || math.Abs(high-tt.high) > 0.00005 {
			t.Errorf("%d of %d: %.5f to %.5f, want %.4f to %.4f", tt.k, tt.n, low, high, tt.low, tt.high)
		}
	}
	if low, high := Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("nothing known: %v to %v", low, high)
	}
}

// The laws: the interval lies in [0, 1], holds the share, and mirrors that of
// the complement.
func TestWilsonLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 1_000_000).Draw(t, "n")
		k := rapid.Int64Range(0, n).Draw(t, "k")
		low, high := Wilson(k, n)
		p := float64(k) / float64(n)
		if !(0 <= low && low <= p+1e-12 && p <= high+1e-12 && high <= 1) {
			t.Errorf("%d of %d: %v to %v around %v", k, n, low, high, p)
		}
		mirrorLow, mirrorHigh := Wilson(n-k, n)
		if math.Abs(low-(1-mirrorHigh)) > 1e-9 || math.Abs(high-(1-mirrorLow)) > 1e-9 {
			t.Errorf("%d of %d: %v to %v, the complement %v to %v", k, n, low, high, mirrorLow, mirrorHigh)
		}
	})
}

func TestSummary(t *testing.T) {
	// of returns n ratings of which k are satisfied, spread over the levels.
	of := func(k, n int64) Satisfaction {
		return Satisfaction{Levels: [5]int64{n - k, 0, 0, k / 2, k - k/2}}
	}
	for _, tt := range []struct {
		name string
		in   Satisfaction
		want Verdict
	}{
		{"none", Satisfaction{}, TooFew},
		{"9 are too few", of(9, 9), TooFew},
		{"10 are not", of(10, 10), Uncertain},
		{"21 of 21", of(21, 21), Uncertain},           // low 0.8454
		{"22 of 22", of(22, 22), Met},                 // low 0.8513
		{"just met", of(241, 270), Met},               // low 0.850001
		{"just not yet met", of(200, 223), Uncertain}, // low 0.849995
		{"just missed", of(218, 270), NotMet},         // high 0.849999
		{"just not missed", of(257, 317), Uncertain},  // high 0.850030
		{"6 of 10", of(6, 10), NotMet},                // high 0.8318
		{"7 of 10", of(7, 10), Uncertain},             // high 0.8922
		{"85% of 1000", of(850, 1000), Uncertain},
		{"88% of 1000", of(880, 1000), Met},
		{"82% of 1000", of(820, 1000), NotMet},
		{"基本满意 does not count", Satisfaction{Levels: [5]int64{0, 0, 100, 0, 0}}, NotMet},
		{"满意 counts", Satisfaction{Levels: [5]int64{0, 0, 0, 100, 0}}, Met},
	} {
		got := tt.in.Summary()
		if got.State != tt.want || got.N != tt.in.N() {
			t.Errorf("%s: got %s of %d, want %s of %d", tt.name, got.State, got.N, tt.want, tt.in.N())
		}
		if hidden := got.Share == nil && got.Low == nil && got.High == nil; hidden != (tt.want == TooFew) {
			t.Errorf("%s: share %v, low %v, high %v", tt.name, got.Share, got.Low, got.High)
		}
	}
	got := of(81, 263).Summary()
	if *got.Share != 0.308 || *got.Low != 0.2553 || *got.High != 0.3662 || got.N != 263 {
		t.Errorf("81 of 263: %v (%v to %v) of %d", *got.Share, *got.Low, *got.High, got.N)
	}
}

// Published values: R. G. Newcombe 1998, Statistics in Medicine 17:873–890, table II,
// method 10.
func TestNewcombePublishedExamples(t *testing.T) {
	for _, tt := range []struct {
		k1, n1, k2, n2 int64
		low, high      float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{0, 10, 0, 10, -0.2775, 0.2775},
		{10, 10, 0, 20, 0.6791, 1},
		{10, 10, 0, 10, 0.6075, 1},
	} {
		low, high := Newcombe(tt.k1, tt.n1, tt.k2, tt.n2)
		if math.Abs(low-tt.low) > 0.00005 || math.Abs(high-tt.high) > 0.00005 {
			t.Errorf("%d/%d - %d/%d: %.5f to %.5f, want %.4f to %.4f", tt.k1, tt.n1, tt.k2, tt.n2, low, high, tt.low, tt.high)
		}
	}
}

// TestNeeded looks with the interval itself: with as many more ratings as are said to be
// needed the verdict is settled, with a tenth less it is not.
func TestNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(MinRatings, 3000).Draw(t, "n")
		k := rapid.Int64Range(n*6/10, n).Draw(t, "k")
		s := Satisfaction{Levels: [5]int64{n - k, 0, 0, 0, k}}
		more, ok := s.Needed(SatisfiedFrom, SatisfactionTarget)
		if s.Against(SatisfiedFrom, SatisfactionTarget).State != Uncertain {
			if ok {
				t.Fatalf("%d of %d is settled, and %d more are needed", k, n, more)
			}
			return
		}
		if !ok {
			if d := math.Abs(float64(k)/float64(n) - SatisfactionTarget); d > 1e-4 {
				t.Fatalf("%d of %d: nothing would settle it", k, n)
			}
			return
		}
		p := float64(k) / float64(n)
		settled := func(n float64) bool {
			low, high := wilson(p, n)
			return verdict(low, high, SatisfactionTarget) != Uncertain
		}
		if !settled(float64(n+more) + 1) {
			t.Errorf("%d of %d: %d more do not settle it", k, n, more)
		}
		if settled(float64(n+more) - 1) {
			t.Errorf("%d of %d: fewer than %d would do", k, n, more)
		}
	})
	for _, tt := range []struct {
		k, n, more int64
		ok         bool
	}{{0, 0, 10, true}, {5, 7, 3, true}, {85, 100, 0, false}, {100, 100, 0, false}, {90, 100, 96, true}} {
		s := Satisfaction{Levels: [5]int64{tt.n - tt.k, 0, 0, 0, tt.k}}
		if more, ok := s.Needed(SatisfiedFrom, SatisfactionTarget); more != tt.more || ok != tt.ok {
			t.Errorf("%d of %d: %d, %t; want %d, %t", tt.k, tt.n, more, ok, tt.more, tt.ok)
		}
	}
}

func TestAgainst(t *testing.T) {
	s := Satisfaction{Levels: [5]int64{5, 10, 15, 30, 40}}
	for _, tt := range []struct {
		from   Level
		target float64
		share  float64
		want   Verdict
	}{{3, 0.85, 0.85, Uncertain}, {4, 0.85, 0.7, NotMet}, {5, 0.85, 0.4, NotMet}, {4, 0.5, 0.7, Met}} {
		if got := s.Against(tt.from, tt.target); *got.Share != tt.share || got.State != tt.want {
			t.Errorf("from %d against %v: %v, %s", tt.from, tt.target, *got.Share, got.State)
		}
	}
	if s.Against(SatisfiedFrom, SatisfactionTarget).State != s.Summary().State || s.From(1) != s.N() {
		t.Error("the headline is another figure")
	}
}

func TestPostStratify(t *testing.T) {
	close := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
	// Weights in proportion to the ratings change nothing.
	w, ok := PostStratify([]Stratum{{300, 20, 30}, {700, 63, 70}}, 0.85)
	low, high := Wilson(83, 100)
	if !ok || !close(w.Share, 0.83) || !close(w.DesignEffect, 1) || !close(w.EffectiveN, 100) || !close(w.Low, low) || !close(w.High, high) || w.Verdict != Uncertain {
		t.Errorf("%+v, %t", w, ok)
	}
	// By hand: 0.9·0.5 + 0.1·1 = 0.55; n·Σ(W²/n_h) = 100·(0.81/10+0.01/90).
	w, ok = PostStratify([]Stratum{{90, 5, 10}, {10, 90, 90}, {100, 0, 0}}, 0.85)
	if !ok || !close(w.Share, 0.55) || !close(w.DesignEffect, 100*(0.81/10+0.01/90)) || w.Strata != 2 || !close(w.Covered, 0.5) || w.Verdict != NotMet {
		t.Errorf("%+v, %t", w, ok)
	}
	for name, strata := range map[string][]Stratum{"nothing": nil, "too few": {{1, 5, 9}}, "no weight": {{0, 50, 60}}} {
		if _, ok := PostStratify(strata, 0.85); ok {
			t.Errorf("%s: an estimate", name)
		}
	}
}
