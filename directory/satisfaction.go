package directory

import "math"

// Satisfaction is the distribution of counted ratings of one listing: origins
// "order" and "invite" only, on the five levels of the government service
// scale (好差评, 国办发〔2019〕51号).
type Satisfaction struct {
	// Levels holds the number of ratings of level 1 (非常不满意) at index 0 to
	// level 5 (非常满意) at index 4.
	Levels [5]int64 `json:"levels"`
	// CountedTo is the change of the ratings in this store up to which they are
	// counted, at least; 0 where they never were. Of two counts the later one stays.
	CountedTo int64 `json:"counted_to,omitempty"`
}

// Verdict compares a satisfaction share with a target, given its uncertainty.
type Verdict string

// The verdicts, see [Satisfaction.Summary].
const (
	Met       Verdict = "met"       // 达标: the interval's lower bound reaches the target
	NotMet    Verdict = "not_met"   // 未达标: the upper bound is below the target
	Uncertain Verdict = "uncertain" // 未定: the target lies inside the interval
	TooFew    Verdict = "too_few"   // 样本不足: fewer than MinRatings, no share is published
)

// The rule behind every satisfaction figure. The policy (青政办〔2020〕62号,
// 三·十一) sets the target and gives no formula; these are this project's
// choices, named so that they can be seen.
const (
	SatisfactionTarget = 0.85 // share of satisfied consumers
	SatisfiedFrom      = 4    // the lowest level that counts as satisfied
	MinRatings         = 10   // below this no share is published
	ComparableRatings  = 40   // below this a share is marked as thin
)

// SatisfactionSummary is what is published of a distribution. Share, Low and
// High are nil when State is TooFew.
type SatisfactionSummary struct {
	State Verdict  `json:"state"`
	Share *float64 `json:"share"` // 0 to 1, rounded to 4 places
	Low   *float64 `json:"low"`   // Wilson 95% interval
	High  *float64 `json:"high"`
	N     int64    `json:"n"`
}

// ShareFrom returns how many of the ratings have a level or a higher one, as a share
// of all, 0 when there are none.
func (s Satisfaction) ShareFrom(level Level) float64 {
	var k int64
	for _, c := range s.Levels[level-1:] {
		k += c
	}
	return float64(k) / float64(max(1, s.N()))
}

// Mean returns the mean level, 0 when there are no ratings.
func (s Satisfaction) Mean() float64 {
	var sum int64
	for i, c := range s.Levels {
		sum += int64(i+1) * c
	}
	return float64(sum) / float64(max(1, s.N()))
}

// N returns the number of counted ratings.
func (s Satisfaction) N() int64 {
	var n int64
	for _, c := range s.Levels {
		n += c
	}
	return n
}

// Summary returns the share of satisfied ratings with its Wilson 95% interval
// and the verdict against SatisfactionTarget. The verdict follows from the exact
// bounds: 200 of 223 is uncertain, though its lower bound of 0.849995 is
// published as 0.8500.
func (s Satisfaction) Summary() SatisfactionSummary {
	n := s.N()
	if n < MinRatings {
		return SatisfactionSummary{State: TooFew, N: n}
	}
	var satisfied int64
	for _, c := range s.Levels[SatisfiedFrom-1:] {
		satisfied += c
	}
	low, high := Wilson(satisfied, n)
	state := Uncertain
	switch {
	case low >= SatisfactionTarget:
		state = Met
	case high < SatisfactionTarget:
		state = NotMet
	}
	round := func(v float64) *float64 { return new(round4(v)) }
	return SatisfactionSummary{State: state, Share: round(float64(satisfied) / float64(n)), Low: round(low), High: round(high), N: n}
}

// round4 rounds a share as it is published.
func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// Wilson returns the two-sided 95% score interval of a proportion of k out of n
// (E. B. Wilson 1927, J. Am. Stat. Assoc. 22:209–212). It returns 0 and 1 when
// n is 0.
func Wilson(k, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054 // the 97.5% quantile of the standard normal distribution
	nf := float64(n)
	p := float64(k) / nf
	centre := p + z*z/(2*nf)
	half := z * math.Sqrt(p*(1-p)/nf+z*z/(4*nf*nf))
	scale := 1 + z*z/nf
	return math.Max(0, (centre-half)/scale), math.Min(1, (centre+half)/scale)
}
