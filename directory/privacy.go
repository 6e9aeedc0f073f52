package directory

import (
	"regexp"
	"strings"
)

// personalPatterns are numbers that tell who somebody is: identity numbers of 18 and
// 15 characters and the longer ones of bank cards, which come first because a part of
// them may look like a phone, then mobile numbers and landlines as people write them.
var personalPatterns = []*regexp.Regexp{
	regexp.MustCompile(`[0-9]{14,19}[Xx]?|[0-9]{4}(?: [0-9]{4}){3}(?: [0-9]{1,3})?`),
	regexp.MustCompile(`(?:\+?86[ -]?)?1[3-9](?:[ .·-]?[0-9]){9}`),
	regexp.MustCompile(`0[0-9]{2,3}[ -]?[2-9][0-9]{6,7}`),
}

// MaskPersonal puts an asterisk in the place of every digit of a phone, identity or
// card number in a text. It tells whether there was any. A longer number that only
// holds the digits of a phone is masked as well: nobody needs it to be understood.
func MaskPersonal(text string) (masked string, found bool) {
	plain := strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			return r - '０' + '0'
		}
		return r
	}, text)
	masked = plain
	for _, p := range personalPatterns {
		masked = p.ReplaceAllStringFunc(masked, func(number string) string {
			return strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' || r == 'X' || r == 'x' {
					return '*'
				}
				return r
			}, number)
		})
	}
	if masked == plain {
		return text, false
	}
	return masked, true
}
