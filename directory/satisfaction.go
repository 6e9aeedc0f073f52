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

// The verdicts, see [Satisfaction.Against].
const (
	Met       Verdict = "met"       // 达标: the interval's lower bound reaches the target
	NotMet    Verdict = "not_met"   // 未达标: the upper bound is below the target
	Uncertain Verdict = "uncertain" // 未定: the target lies inside the interval
	TooFew    Verdict = "too_few"   // 样本不足: fewer than MinRatings, no share is published
)

// Verdicts are the verdicts with their names.
var Verdicts = []Term{
	term(string(Met), "达标", "Met"),
	term(string(NotMet), "未达标", "Not met"),
	term(string(Uncertain), "未定", "Uncertain"),
	term(string(TooFew), "样本不足", "Too few ratings"),
}

// VerdictTerm returns the names of a verdict.
func VerdictTerm(v Verdict) (Term, bool) { return find(Verdicts, string(v)) }

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

// From returns how many of the ratings have a level or a higher one.
func (s Satisfaction) From(level Level) int64 {
	var k int64
	for _, c := range s.Levels[level-1:] {
		k += c
	}
	return k
}

// ShareFrom returns how many of the ratings have a level or a higher one, as a share
// of all, 0 when there are none.
func (s Satisfaction) ShareFrom(level Level) float64 {
	return float64(s.From(level)) / float64(max(1, s.N()))
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

// Summary returns the share of satisfied ratings with its Wilson 95% interval and the
// verdict against SatisfactionTarget.
func (s Satisfaction) Summary() SatisfactionSummary {
	return s.Against(SatisfiedFrom, SatisfactionTarget)
}

// Against returns the share of ratings of a level or a higher one with its Wilson 95%
// interval and the verdict against a target. The verdict follows from the exact
// bounds: 200 of 223 is uncertain against 0.85, though its lower bound of 0.849995 is
// published as 0.8500.
func (s Satisfaction) Against(from Level, target float64) SatisfactionSummary {
	n := s.N()
	if n < MinRatings {
		return SatisfactionSummary{State: TooFew, N: n}
	}
	low, high := Wilson(s.From(from), n)
	round := func(v float64) *float64 { return new(round4(v)) }
	return SatisfactionSummary{State: verdict(low, high, target), Share: round(s.ShareFrom(from)), Low: round(low), High: round(high), N: n}
}

func verdict(low, high, target float64) Verdict {
	switch {
	case low >= target:
		return Met
	case high < target:
		return NotMet
	}
	return Uncertain
}

// Needed returns how many more ratings would settle an uncertain verdict if the share
// stayed what it is, and with too few ratings how many are missing for a share; ok is
// false when the verdict is settled, or no number would settle it. A target lies
// outside of the Wilson interval of a share p of n just when |p-target| is more than z
// standard errors at the target, which is solved for n.
func (s Satisfaction) Needed(from Level, target float64) (more int64, ok bool) {
	n := s.N()
	if n < MinRatings {
		return MinRatings - n, true
	}
	if s.Against(from, target).State != Uncertain {
		return 0, false
	}
	d := float64(s.From(from))/float64(n) - target
	enough := math.Ceil(z95 * z95 * target * (1 - target) / (d * d))
	if enough > 1e9 { // or d is 0
		return 0, false
	}
	return max(1, int64(enough)-n), true
}

// RoundTo rounds to so many parts of one.
func RoundTo(v, parts float64) float64 { return math.Round(v*parts) / parts }

// round4 rounds a share as it is published.
func round4(v float64) float64 { return RoundTo(v, 1e4) }

// z95 is the 97.5% quantile of the standard normal distribution.
const z95 = 1.959963984540054

// Wilson returns the two-sided 95% score interval of a proportion of k out of n
// (E. B. Wilson 1927, J. Am. Stat. Assoc. 22:209–212). It returns 0 and 1 when
// n is 0.
func Wilson(k, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	return wilson(float64(k)/float64(n), float64(n))
}

func wilson(p, n float64) (low, high float64) {
	const z = z95
	centre := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return math.Max(0, (centre-half)/scale), math.Min(1, (centre+half)/scale)
}

// Newcombe returns the 95% interval of the difference k1/n1 - k2/n2 of two independent
// proportions, from their Wilson intervals (R. G. Newcombe 1998, Stat. Med. 17:873–890,
// method 10). Neither n is 0.
func Newcombe(k1, n1, k2, n2 int64) (low, high float64) {
	p1, p2 := float64(k1)/float64(n1), float64(k2)/float64(n2)
	l1, u1 := Wilson(k1, n1)
	l2, u2 := Wilson(k2, n2)
	d := p1 - p2
	return d - math.Hypot(p1-l1, u2-p2), d + math.Hypot(u1-p1, p2-l2)
}

// Stratum is a part of a population: what it weighs, and how many of its ratings are
// satisfied ones.
type Stratum struct {
	Weight       float64
	Satisfied, N int64
}

// Weighted is a share by the weights of strata, with its uncertainty.
type Weighted struct {
	Share     float64
	Low, High float64 // Wilson 95% interval at the effective number of ratings
	// DesignEffect is by how much the weights blow up the variance, and EffectiveN the
	// number of ratings divided by it.
	DesignEffect float64
	EffectiveN   float64
	Strata       int     // with ratings
	Covered      float64 // share of the whole weight that these have
	Verdict      Verdict
}

// PostStratify weighs the share of each stratum by the stratum and not by how many
// have rated there. Strata without ratings are left out, and Covered says how much they
// are. The design effect is Kish's, n·Σw²/(Σw)² over all ratings, where each weighs as
// much as its stratum divided by the ratings in it (L. Kish 1965, Survey Sampling,
// 11.7). ok is false when there are fewer than MinRatings, or no weight.
func PostStratify(strata []Stratum, target float64) (w Weighted, ok bool) {
	var all, weight, sum, squares float64
	var n int64
	for _, s := range strata {
		all += s.Weight
		if s.N == 0 || s.Weight == 0 {
			continue
		}
		w.Strata++
		n += s.N
		weight += s.Weight
		sum += s.Weight * float64(s.Satisfied) / float64(s.N)
		squares += s.Weight * s.Weight / float64(s.N)
	}
	if n < MinRatings {
		return w, false
	}
	w.Share = sum / weight
	w.DesignEffect = float64(n) * squares / (weight * weight)
	w.EffectiveN = float64(n) / w.DesignEffect
	w.Low, w.High = wilson(w.Share, w.EffectiveN)
	w.Covered = weight / all
	w.Verdict = verdict(w.Low, w.High, target)
	return w, true
}
