package directory

import (
	"regexp"
	"strings"
)

// mobilePattern is a mainland mobile number or one of a demonstration account,
// with its country code or without. demoPhonePattern begins with 100, which no
// operator assigns, so that a demonstration account can never be somebody's.
var (
	mobilePattern    = regexp.MustCompile(`^(?:\+86|0086)?(1[3-9][0-9]{9}|1000000[0-9]{4})$`)
	demoPhonePattern = regexp.MustCompile(`^1000000[0-9]{4}$`)
	elevenDigits     = regexp.MustCompile(`^[0-9]{11}$`)
)

// ParsePhone reads a mobile number as people write it, with +86, spaces and
// hyphens or without, and returns its 11 digits. Numbers of demonstration
// accounts count as mobile numbers. ok is false for anything else.
func ParsePhone(text string) (phone string, ok bool) {
	found := mobilePattern.FindStringSubmatch(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(text)))
	if found == nil {
		return "", false
	}
	return found[1], true
}

// IsDemoPhone tells whether a number belongs to demonstration accounts.
func IsDemoPhone(phone string) bool { return demoPhonePattern.MatchString(phone) }

// MaskPhone hides the middle of a number, 138****5678, which is how answers and
// logs show it. Anything that is not a number of 11 digits becomes "****".
func MaskPhone(phone string) string {
	if !elevenDigits.MatchString(phone) {
		return "****"
	}
	return phone[:3] + "****" + phone[7:]
}
