package directory

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Finding is what a rule has found about a rating.
type Finding struct {
	Rule string    `json:"rule"` // code of RatingRuleTerms
	At   time.Time `json:"at"`
	// Detail says more to officials, in a few words.
	Detail string `json:"detail,omitempty"`
}

// The rules by which ratings are held. None of them excludes a rating: an official
// does.
const (
	RuleOwnMember    = "own_member"    // given by a member of the organization that it is about
	RuleSameDevice   = "same_device"   // too many about one organization from one device
	RuleSameNetwork  = "same_network"  // too many about one organization from one network
	RuleRepeatedText = "repeated_text" // the same text again and again
	RuleLevelSwing   = "level_swing"   // changed from one end of the scale to the other
	RuleSurge        = "surge"         // suddenly many, nearly all at one end of the scale
	RuleTooMany      = "too_many"      // too many by one account
	RuleUnfit        = "unfit"         // words of abuse or advertising
	RuleOfficial     = "official"      // an official has excluded it after a report
)

// RatingRuleTerms are the rules with their names, which the public sees as the
// reasons of what is not counted.
var RatingRuleTerms = []Term{
	term(RuleOwnMember, "本机构成员评价", "By a member of the organization"),
	term(RuleSameDevice, "同一设备集中评价", "Many from one device"),
	term(RuleSameNetwork, "同一网络集中评价", "Many from one network"),
	term(RuleRepeatedText, "重复文字", "Repeated text"),
	term(RuleLevelSwing, "等级大幅改动", "Changed from one end of the scale to the other"),
	term(RuleSurge, "短时间内异常集中", "A sudden surge"),
	term(RuleTooMany, "同一账户评价过多", "Too many by one account"),
	term(RuleUnfit, "辱骂或广告用语", "Abuse or advertising"),
	term(RuleOfficial, "经举报核查", "After a report"),
}

// RatingRuleTerm returns the names of a rule.
func RatingRuleTerm(code string) (Term, bool) { return find(RatingRuleTerms, code) }

// RatingRules are the thresholds of the rules. They are configuration; see
// [DefaultRatingRules].
type RatingRules struct {
	// SameDevice, SameNetwork, RepeatedText and TooMany find more than Most ratings
	// within Hours: of one organization from one device or network, of one text
	// whoever it is about, and of one account.
	SameDevice   Threshold `json:"same_device"`
	SameNetwork  Threshold `json:"same_network"`
	RepeatedText Threshold `json:"repeated_text"`
	TooMany      Threshold `json:"too_many"`
	// RepeatedTextFrom is how long a text has to be, in letters, to be looked at:
	// many honest ones are a word or two.
	RepeatedTextFrom int `json:"repeated_text_from"`
	// SwingFrom is by how many levels a rating may not be changed.
	SwingFrom int `json:"swing_from"`
	// Surge finds more than Most ratings of one organization within Hours, at least
	// SurgeTimes as many as usual in that time, of which SurgeShare or more are at one
	// end of the scale. Ratings of bookings are not looked at: a firm can invite and
	// print posters at will, but has to serve those who book.
	Surge      Threshold `json:"surge"`
	SurgeTimes float64   `json:"surge_times"`
	SurgeShare float64   `json:"surge_share"`
}

// Threshold is how many are let pass within a time.
type Threshold struct {
	Most  int `json:"most"`
	Hours int `json:"hours"`
}

// Window is the time of a threshold.
func (t Threshold) Window() time.Duration { return time.Duration(t.Hours) * time.Hour }

// DefaultRatingRules returns the thresholds that hold when nothing else is set. They
// are this project's choices; what they catch, and whom they hold without reason, is
// measured by a simulation (see docs/ratings.md).
func DefaultRatingRules() RatingRules {
	return RatingRules{
		SameDevice:       Threshold{Most: 2, Hours: 7 * 24},
		SameNetwork:      Threshold{Most: 8, Hours: 24},
		RepeatedText:     Threshold{Most: 2, Hours: 90 * 24},
		TooMany:          Threshold{Most: 10, Hours: 24},
		RepeatedTextFrom: 10,
		SwingFrom:        3,
		Surge:            Threshold{Most: 15, Hours: 24},
		SurgeTimes:       5,
		SurgeShare:       0.9,
	}
}

// Validate checks thresholds. It returns an Invalid error that holds all wrong
// fields at once, or nil.
func (r *RatingRules) Validate() error {
	c := &checks{}
	for _, t := range []struct {
		pointer string
		Threshold
	}{
		{"/same_device", r.SameDevice}, {"/same_network", r.SameNetwork}, {"/repeated_text", r.RepeatedText}, {"/too_many", r.TooMany}, {"/surge", r.Surge},
	} {
		c.between(t.pointer+"/most", int64(t.Most), 1, 1_000_000)
		c.between(t.pointer+"/hours", int64(t.Hours), 1, int64(RatingTracesKept.Hours()))
	}
	c.between("/repeated_text_from", int64(r.RepeatedTextFrom), 1, maxRatingText)
	c.between("/swing_from", int64(r.SwingFrom), 1, 5) // 5 is more than there can be
	if r.SurgeTimes < 1 {
		c.add("/surge_times", CodeTooSmall, "1")
	}
	if r.SurgeShare <= 0.5 || r.SurgeShare > 1 {
		c.add("/surge_share", CodeFormat, "0.5 < share ≤ 1")
	}
	return InvalidFields("rating rules", c.fields)
}

// RatingEvidence is what the directory knows beside a rating itself. The numbers are
// of ratings within the windows of the rules, the rating itself among them.
type RatingEvidence struct {
	Member                                         bool // of the organization, now or at the time of the service
	SameDevice, SameNetwork, SameText, SameAccount int64
	Recent                                         [5]int64 // of the organization within the window of Surge, by level
	Usual                                          float64  // how many there are usually in that time
	Unfit                                          []string // words that were found
}

// Judge returns what the rules find about a rating, nothing when all is well.
func (r RatingRules) Judge(rating *Rating, e RatingEvidence, now time.Time) (out []Finding) {
	found := func(rule string, is bool, detail string) {
		if is {
			out = append(out, Finding{Rule: rule, At: now, Detail: detail})
		}
	}
	above := func(rule string, n int64, t Threshold) {
		found(rule, n > int64(t.Most), strconv.FormatInt(n, 10)+" in "+strconv.Itoa(t.Hours)+" h")
	}
	found(RuleOwnMember, e.Member, "")
	above(RuleSameDevice, e.SameDevice, r.SameDevice)
	above(RuleSameNetwork, e.SameNetwork, r.SameNetwork)
	if r.LooksAtText(rating.Text) {
		above(RuleRepeatedText, e.SameText, r.RepeatedText)
	}
	found(RuleLevelSwing, rating.Swing() >= r.SwingFrom, strconv.Itoa(rating.Swing())+" levels")
	found(RuleSurge, rating.Origin != OrderOrigin && r.surge(rating.Level, e), "")
	above(RuleTooMany, e.SameAccount, r.TooMany)
	if len(e.Unfit) > 0 {
		found(RuleUnfit, true, e.Unfit[0])
	}
	return out
}

// LooksAtText tells whether a text is long enough to be compared with others.
func (r RatingRules) LooksAtText(text string) bool {
	return utf8.RuneCountInString(NormalText(text)) >= r.RepeatedTextFrom
}

// surge tells whether a rating at one end of the scale belongs to a surge.
func (r RatingRules) surge(level Level, e RatingEvidence) bool {
	if level != 1 && level != 5 {
		return false
	}
	var n int64
	for _, k := range e.Recent {
		n += k
	}
	return n > int64(r.Surge.Most) && float64(n) >= r.SurgeTimes*e.Usual && float64(e.Recent[level-1]) >= r.SurgeShare*float64(n)
}
