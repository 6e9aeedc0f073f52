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
	textKey  = 't' // one to three neighbouring hanzi; a word of letters; one or two Tibetan syllables
	wordKey  = 'w' // a word of the lexicon
	senseKey = 's' // a word of the lexicon or any synonym, by their concept
	beginKey = '^' // the first one or two hanzi of a name, or its first word
	wholeKey = '=' // a whole name or alias without its spaces

	// The spoken forms of keys of hanzi are derived from them: one to three
	// neighbouring syllables, joined, and as many initials. Those of beginKey and
	// wholeKey keep their kind; short whole names have initials as well.
	pinyinKey  = 'p'
	initialKey = 'i'
)

// window is the largest number of neighbouring hanzi, syllables or initials that
// one key holds; longer words need several overlapping keys.
const window = 3

// terms emits the keys of texts.
type terms struct {
	lexicon *search.Lexicon
	// han gets the keys of one to three hanzi, the bulk of all keys, as
	// characters; emit gets all others.
	han  func(chars [window]rune)
	emit func(kind byte, text string)
}

// text emits the keys of a normalized text, hanzi in groups of up to width.
func (t *terms) text(text string, width int) {
	for _, run := range search.Runs(text) {
		switch run.Script {
		case search.Han:
			t.hanRun(run.Text, width)
		case search.Tibetan:
			syllables := tibetanSyllables(run.Text)
			for i, s := range syllables {
				t.emit(textKey, s)
				if i > 0 {
					t.emit(textKey, syllables[i-1]+tsheg+s)
				}
			}
		default:
			t.emit(textKey, run.Text)
		}
	}
}

func (t *terms) hanRun(run string, width int) {
	var last [window]rune // the latest characters, the newest first
	n := 0
	for _, c := range run {
		last = [window]rune{c, last[0], last[1]}
		n++
		for k := 1; k <= min(n, width); k++ {
			var group [window]rune
			for i := range k {
				group[i] = last[k-1-i]
			}
			t.han(group)
		}
	}
	for word := range t.lexicon.Find(run) {
		concept, _ := t.lexicon.Concept(word)
		t.emit(wordKey, word)
		t.emit(senseKey, concept)
	}
}

// name emits the keys that tell whether a query is a name or its beginning.
func (t *terms) name(text string) {
	t.emit(wholeKey, strings.ReplaceAll(text, " ", ""))
	runs := search.Runs(text)
	if len(runs) == 0 {
		return
	}
	first := runs[0].Text
	if runs[0].Script == search.Han {
		_, n := utf8.DecodeRuneInString(first)
		_, m := utf8.DecodeRuneInString(first[n:])
		t.emit(beginKey, first[:n])
		first = first[:n+m]
	}
	t.emit(beginKey, first)
}

// maxAbbreviated is the longest name in hanzi whose initials stand for the whole.
const maxAbbreviated = 6

// spoken returns the keys derived from a key, none unless it consists of hanzi
// with known readings.
func spoken(key string) []string {
	kind, text := key[0], key[1:]
	if kind != textKey && kind != beginKey && kind != wholeKey {
		return nil
	}
	if c, _ := utf8.DecodeRuneInString(text); c < 0x4e00 || c > 0x9fff {
		return nil
	}
	syllables := search.Syllables(text)
	joined := strings.Join(syllables, "")
	for _, s := range syllables {
		if s == "" {
			return nil
		}
	}
	switch {
	case kind == wholeKey && len(syllables) <= maxAbbreviated:
		return []string{string(kind) + joined, string(kind) + search.Initials(syllables)}
	case kind != textKey:
		return []string{string(kind) + joined}
	}
	return []string{string(pinyinKey) + joined, string(initialKey) + search.Initials(syllables)}
}

const tsheg = "\u0f0b"

// tibetanSyllables splits a run at its tshegs.
func tibetanSyllables(run string) []string {
	return strings.FieldsFunc(run, func(r rune) bool { return string(r) == tsheg })
}
