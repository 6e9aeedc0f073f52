package sheets

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"qingfu/directory"
)

// plain writes a text as a grammar reads it: full-width letters, digits and
// punctuation as ASCII, every dash a hyphen, without white space around it.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '\u3000' || r == '\u00A0':
			return ' '
		case r >= '\u2010' && r <= '\u2015' || r == '\u2212':
			return '-'
		case r == '〜' || r == '∼':
			return '~'
		case r == '￥':
			return '¥'
		}
		return r
	}, s))
}

// The separators of a cell that holds several things. One that belongs to a
// text has a backslash before it.
const (
	betweenItems  = ";；\n"         // of a list
	betweenTerms  = ";；\n、,，"      // of a list whose items hold no commas
	betweenFields = "|｜"           // of an item
	separators    = ";；\n|｜" + `\` // what escape marks
)

// split parts a cell at separators without a backslash, and leaves out what is
// empty where that means nothing.
func split(s, at string, keepEmpty bool) []string {
	var out []string
	add := func(part string) {
		if part = strings.TrimSpace(part); part != "" || keepEmpty {
			out = append(out, part)
		}
	}
	start, escaped := 0, false
	for i, r := range s {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case strings.ContainsRune(at, r):
			add(s[start:i])
			start = i + len(string(r))
		}
	}
	add(s[start:])
	return out
}

// unescape takes away the backslashes that escape has put.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if escaped && !strings.ContainsRune(separators, r) {
			b.WriteByte('\\') // it stood there for itself
		}
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		escaped = false
		b.WriteRune(r)
	}
	if escaped {
		b.WriteByte('\\')
	}
	return b.String()
}

// escape marks the separators in a text.
func escape(s string) string {
	if !strings.ContainsAny(s, separators) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(separators, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// formulaStarts begin a cell that Excel, WPS or LibreOffice would take for a
// formula when they open a CSV file (OWASP, CSV injection).
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// guard puts an apostrophe before a cell that would be a formula. So that
// unguard can tell, one also goes before a cell that begins as a guarded one.
func guard(cell string) string {
	if startsWith(cell, formulaStarts) {
		return "'" + cell
	}
	if rest, ok := strings.CutPrefix(cell, "'"); ok && startsWith(rest, formulaStarts+"'") {
		return "'" + cell
	}
	return cell
}

// unguard takes away what guard has put.
func unguard(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && startsWith(rest, formulaStarts+"'") {
		return rest
	}
	return cell
}

func startsWith(s, any string) bool {
	for _, r := range s {
		return strings.ContainsRune(any, r)
	}
	return false
}

// number reads a number as people write one, with commas between thousands or
// without.
func number(s string) (float64, bool) {
	s = plain(s)
	if thousands.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	if !decimal.MatchString(s) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

var (
	thousands = regexp.MustCompile(`^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)
	decimal   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
)

// whole reads a whole number; 120.0 is one, as programs write it.
func whole(s string) (int, bool) {
	v, ok := number(s)
	if !ok || math.Abs(v) > 1e15 || v != math.Trunc(v) {
		return 0, false
	}
	return int(v), true
}

// yuan reads a sum of money with up to two decimals as fen.
func yuan(s string) (fen int64, ok bool) {
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "¥"), "元"))
	if thousands.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	m := money.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	fen, err := strconv.ParseInt(m[1]+(m[2] + "00")[:2], 10, 64)
	return fen, err == nil
}

var money = regexp.MustCompile(`^([0-9]{1,12})(?:\.([0-9]{1,2}))?$`)

// prices reads 40元, 40-60元 and the like.
func prices(s string) (low, high int64, ok bool) {
	from, to, two := cutRange(plain(s))
	if low, ok = yuan(from); !ok {
		return 0, 0, false
	}
	if !two {
		return low, low, true
	}
	high, ok = yuan(to)
	return low, high, ok
}

// cutRange parts a plain text at the sign between the ends of a range.
func cutRange(s string) (from, to string, ok bool) {
	if i := strings.IndexAny(s, "-~至到"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], "-~至到"), true
	}
	return s, "", false
}

// writePrices writes a price range as prices reads it.
func writePrices(low, high int64) string {
	if low == high {
		return writeYuan(low) + "元"
	}
	return writeYuan(low) + "-" + writeYuan(high) + "元"
}

func writeYuan(fen int64) string {
	if fen < 0 { // which no rule allows and no reader takes
		return "-" + writeYuan(-fen)
	}
	s := strconv.FormatInt(fen/100, 10)
	if cents := fen % 100; cents != 0 {
		s += "." + strconv.FormatInt(100+cents, 10)[1:]
	}
	return s
}

// day reads a day of the calendar in the forms that people and Excel use, the
// number that Excel keeps a day as among them. The day may not exist, which is
// for Validate to say.
func day(s string) (directory.Date, bool) {
	s = plain(s)
	if m := dayPattern.FindStringSubmatch(s); m != nil {
		return directory.Date(m[1] + "-" + ("0" + m[2])[len(m[2])-1:] + "-" + ("0" + m[3])[len(m[3])-1:]), true
	}
	if m := compactDay.FindStringSubmatch(s); m != nil {
		return directory.Date(m[1] + "-" + m[2] + "-" + m[3]), true
	}
	if serialDay.MatchString(s) {
		n, _ := strconv.Atoi(s)
		return directory.Date(excelEpoch.AddDate(0, 0, n).Format("2006-01-02")), true
	}
	return directory.Date(s), false
}
