package memory

import (
	"strings"
	"unicode/utf8"

	"qingfu/search"
)

// The attributes of a document in falling weight, as search.Document has them.
const (
	inName = iota
	inAlias
	inCategory
	inSummary
	inAddress
	attributes
)

// The first byte of a key of the term dictionary says what the rest is.
const (
	textKey    = 't' // one or two neighbouring hanzi; a word of letters; one or two Tibetan syllables
	pinyinKey  = 'p' // one to four neighbouring syllables, joined
	initialKey = 'i' // one to four neighbouring initials
	beginKey   = '^' // the first one or two hanzi or syllables of a name
	wholeKey   = '=' // a whole name or alias without its spaces
)

// window is the largest number of neighbouring syllables or initials that one
// key holds; longer words need several overlapping keys.
const window = 4

// textKeys emits the keys of a normalized text.
func textKeys(text string, emit func(key []byte)) {
	var buf [64]byte
	for _, run := range search.Runs(text) {
		switch run.Script {
		case search.Han:
			prev := 0 // bytes of the character before
			for i, c := range run.Text {
				n := utf8.RuneLen(c)
				emit(append(append(buf[:0], textKey), run.Text[i:i+n]...))
				if prev > 0 {
					emit(append(append(buf[:0], textKey), run.Text[i-prev:i+n]...))
				}
				prev = n
			}
		case search.Tibetan:
			syllables := tibetanSyllables(run.Text)
			for i, s := range syllables {
				emit(append(append(buf[:0], textKey), s...))
				if i > 0 {
					emit(append(append(buf[:0], textKey), syllables[i-1]+tsheg+s...))
				}
			}
		default:
			emit(append(append(buf[:0], textKey), run.Text...))
		}
	}
}

const tsheg = "\u0f0b"

// tibetanSyllables splits a run at its tshegs.
func tibetanSyllables(run string) []string {
	return strings.FieldsFunc(run, func(r rune) bool { return string(r) == tsheg })
}

// spokenKeys emits the pinyin and initial keys of the hanzi in a normalized
// text. Unknown readings break the sequence.
func spokenKeys(text string, emit func(key []byte)) {
	var buf [64]byte
	for _, run := range search.Runs(text) {
		if run.Script != search.Han {
			continue
		}
		syllables := search.Syllables(run.Text)
		for i := range syllables {
			full := append(buf[:0], pinyinKey)
			initials := [1 + window]byte{initialKey}
			for n := 0; n < window && i+n < len(syllables) && syllables[i+n] != ""; n++ {
				full = append(full, syllables[i+n]...)
				emit(full)
				initials[1+n] = syllables[i+n][0]
				emit(initials[:2+n])
			}
		}
	}
}

// nameKeys emits the keys that tell whether a query is a name or its beginning.
func nameKeys(text string, emit func(key []byte)) {
	emit(append([]byte{wholeKey}, strings.ReplaceAll(text, " ", "")...))
	runs := search.Runs(text)
	if len(runs) == 0 {
		return
	}
	begin := func(parts ...string) { emit(append([]byte{beginKey}, strings.Join(parts, "")...)) }
	switch first := runs[0]; first.Script {
	case search.Han:
		_, n := utf8.DecodeRuneInString(first.Text)
		begin(first.Text[:n])
		syllables := search.Syllables(first.Text)
		begin(syllables[0])
		if len(syllables) > 1 {
			_, m := utf8.DecodeRuneInString(first.Text[n:])
			begin(first.Text[:n+m])
			begin(syllables[:2]...)
		}
	default:
		begin(first.Text)
	}
}
