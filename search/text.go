package search

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The characters of traditional Chinese with their simplified forms, one pair a
// line, after the OpenCC project's character table (Apache-2.0).
//
//go:embed traditional.txt
var traditionalPairs string

var simplified = sync.OnceValue(func() map[rune]rune {
	table := make(map[rune]rune, 4096)
	for line := range strings.Lines(traditionalPairs) {
		from, n := utf8.DecodeRuneInString(line)
		to, _ := utf8.DecodeRuneInString(line[n:])
		table[from] = to
	}
	for from, to := range table { // 薴 is 苧, which is itself traditional for 苎
		if further, ok := table[to]; ok {
			table[from] = further
		}
	}
	return table
})

// dropped is what Fold returns for a character that carries no meaning for a search.
const dropped rune = -1

// Fold maps a character to the form in which it is compared: lower case, half
// width, without accents (ü as v), simplified Chinese, the Tibetan non-breaking tsheg as
// the plain one, and every separator and control character as a space. It
// returns -1 for characters to leave out, such as the apostrophe of Xi'an.
func Fold(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return r
	case r >= 'A' && r <= 'Z':
		return r + 'a' - 'A'
	case r == '\'' || r == '‘' || r == '’' || r == 'ʼ' || r == '`' || r == '\u200b' || r == '\ufeff':
		return dropped
	case r < 0x80:
		return ' '
	case r >= 0x4e00 && r <= 0x9fff:
		if s, ok := simplified()[r]; ok {
			return s
		}
		return r
	case r == 0x0f0c || r == 0x0f0b: // tsheg
		return tsheg
	case r >= 0xff01 && r <= 0xff5e: // full-width forms
		return Fold(r - 0xfee0)
	case isTibetan(r):
		return r
	case unicode.Is(unicode.Mn, r):
		if unicode.Is(unicode.Latin, r) || r < 0x370 {
			return dropped
		}
		return r
	case strings.ContainsRune("üÜǖǘǚǜǕǗǙǛ", r):
		return 'v' // as keyboards and pinyin without marks have it
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		if d := norm.NFKD.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
			base, _ := utf8.DecodeRune(d)
			return Fold(base) // which cannot be decomposed any more
		}
		return unicode.ToLower(r)
	}
	return ' '
}

const tsheg = '\u0f0b'

// isTibetan tells whether r is a letter, vowel sign or digit of Tibetan; its
// punctuation other than the tsheg separates.
func isTibetan(r rune) bool {
	return r >= 0x0f20 && r <= 0x0f33 || r >= 0x0f40 && r <= 0x0fbc || r == 0x0f00 || r == 0x0f39
}

// Normalize folds a text and joins runs of spaces into one.
func Normalize(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch f := Fold(r); f {
		case dropped:
		case ' ':
			space = b.Len() > 0
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(f)
		}
	}
	return b.String()
}

// Script is the writing system of a Run.
type Script int

// The scripts that are told apart.
const (
	Han     Script = iota
	Latin          // letters and digits of ASCII
	Tibetan        // syllables parted by tsheg
	Other          // any other letters, compared word by word
)

// Run is a stretch of a normalized text in one script, without spaces.
type Run struct {
	Script Script
	Text   string
}

// Runs splits a normalized text.
func Runs(text string) []Run {
	var runs []Run
	start, script := 0, Script(-1)
	flush := func(end int) {
		if script >= 0 && end > start {
			if t := strings.Trim(text[start:end], string(tsheg)); t != "" {
				runs = append(runs, Run{script, t})
			}
		}
	}
	for i, r := range text {
		s := scriptOf(r)
		if s != script {
			flush(i)
			start, script = i, s
		}
	}
	flush(len(text))
	return runs
}

func scriptOf(r rune) Script {
	switch {
	case r == ' ':
		return -1
	case r < 0x80:
		return Latin
	case unicode.Is(unicode.Han, r):
		return Han
	case r == tsheg || isTibetan(r):
		return Tibetan
	}
	return Other
}
