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
