package search

import (
	_ "embed"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"qingfu/directory"
)

var (
	//go:embed synonyms.txt
	synonymFile string
	//go:embed stopwords.txt
	stopwordFile string
)

// WordClass says what a word of a query is about. It decides which words are
// given up first when no listing has all of them.
type WordClass int

// The classes, in the order in which words are given up.
const (
	Unknown WordClass = iota // not in the lexicon
	Place                    // a region
	Service                  // a category, kind or other word of the field
)

// Word is one thing that a listing must be about to match a query.
type Word struct {
	Text   string // normalized, as typed
	Script Script
	Class  WordClass
	// Same are other words of the field that mean the same, in hanzi. For a word
	// typed in pinyin they include the words that it spells.
	Same []string
	// Last is set for the last word of the query, which may not be finished.
	Last bool
}

// Lexicon knows the words of the field: categories, kinds, features, badges,
// synonyms and the names of regions. It turns a query into words without a
// general dictionary of Chinese.
type Lexicon struct {
	words    map[string]lexeme
	longest  int                 // word in bytes
	begins   map[string]bool     // the first two characters of words
	byPinyin map[string][]string // full pinyin, joined
	wider    map[string]string   // from the concept of a category to the word of its kind
	longestP int
}

type lexeme struct {
	class   WordClass
	stop    bool
	concept string   // the first word of its group of synonyms, or itself
	same    []string // the synonyms, without the word itself
}

// NewLexicon builds the lexicon.
func NewLexicon(regions *directory.Regions) *Lexicon {
	lx := &Lexicon{words: map[string]lexeme{}, begins: map[string]bool{}, byPinyin: map[string][]string{}, wider: map[string]string{}}
	for line := range strings.Lines(synonymFile) {
		group := strings.Split(Normalize(strings.ReplaceAll(line, "=", " ")), " ")
		if strings.HasPrefix(line, "#") || len(group) < 2 {
			continue
		}
		for i, w := range group {
			lx.add(w, lexeme{class: Service, concept: group[0], same: slices.Concat(group[:i], group[i+1:])})
		}
	}
	for _, c := range directory.Categories {
		lx.add(c.Names.Zh, lexeme{class: Service})
	}
	for _, t := range slices.Concat(directory.Kinds, directory.Features, directory.Badges) {
		lx.add(t.Names.Zh, lexeme{class: Service})
	}
	for _, reg := range regions.All() {
		if reg.Level <= directory.Township {
			for _, name := range append(reg.ShortNames(), reg.Names.Zh) {
				lx.add(name, lexeme{class: Place})
			}
		}
	}
	for _, c := range directory.Categories {
		kind, _ := directory.KindTerm(c.Kind)
		word, concept := Normalize(kind.Names.Zh), lx.words[Normalize(c.Names.Zh)].concept
		if concept != "" && concept != lx.words[word].concept {
			lx.wider[concept] = word
		}
	}
	for line := range strings.Lines(stopwordFile) {
		if !strings.HasPrefix(line, "#") {
			for _, w := range strings.Fields(line) {
				lx.add(w, lexeme{stop: true})
			}
		}
	}
	return lx
}

// add enters a word of hanzi unless it is there.
func (lx *Lexicon) add(word string, e lexeme) {
	word = Normalize(word)
	if _, ok := lx.words[word]; ok || word == "" || len(Runs(word)) != 1 || Runs(word)[0].Script != Han {
		return
	}
	if e.concept == "" {
		e.concept = word
	}
	lx.words[word] = e
	lx.longest = max(lx.longest, len(word))
	if !e.stop {
		_, n := utf8.DecodeRuneInString(word)
		_, m := utf8.DecodeRuneInString(word[n:])
		lx.begins[word[:n+m]] = true
	}
	if !e.stop && utf8.RuneCountInString(word) > 1 {
		p := strings.Join(Syllables(word), "")
		lx.byPinyin[p] = append(lx.byPinyin[p], word)
		lx.longestP = max(lx.longestP, len(p))
	}
}

// Parse cuts a query text into at most 10 words. Runs of hanzi are cut at the
// words of the lexicon, the longest and fewest first, what lies between them
// staying whole; runs of letters likewise when they spell such words and
// nothing else. Stop words are left out unless there is nothing else.
func (lx *Lexicon) Parse(text string) []Word {
	var words, stops []Word
	for _, run := range Runs(Normalize(text)) {
		var cut []piece
		switch run.Script {
		case Han:
			cut = segment(run.Text, lx.longest, func(s string) (lexeme, bool) { e, ok := lx.words[s]; return e, ok })
		case Latin:
			cut = lx.cutPinyin(run.Text)
		default:
			cut = []piece{{text: run.Text}}
		}
		for _, p := range cut {
			w := Word{Text: p.text, Script: run.Script, Class: p.class, Same: p.same}
			if p.stop {
				stops = append(stops, w)
			} else {
				words = append(words, w)
			}
		}
	}
	if len(words) == 0 {
		words = stops
	}
	words = words[:min(len(words), 10)]
	if len(words) > 0 {
		words[len(words)-1].Last = true
	}
	return words
}

// GiveUp returns the words without the one that matters least, for when no listing
// has them all: first those that the lexicon does not know, then places, then words
// of the field, each from the end of the text.
func GiveUp[W any](words []W, classOf func(W) WordClass) []W {
	drop := 0
	for i, w := range words {
		if classOf(w) <= classOf(words[drop]) {
			drop = i
		}
	}
	return slices.Delete(slices.Clone(words), drop, drop+1)
}

// piece is a part of a run with what the lexicon knows of it.
type piece struct {
	text string
	lexeme
}

// cutPinyin cuts letters into words of the lexicon when they consist of such,
// the last perhaps unfinished; otherwise they stay one piece.
func (lx *Lexicon) cutPinyin(letters string) []piece {
	cut := segment(letters, lx.longestP, lx.spelt)
	for i, p := range cut {
		if p.class == Unknown && !(i > 0 && i == len(cut)-1 && endsSyllable(letters, len(letters)-len(p.text))) {
			return []piece{{text: letters}}
		}
	}
	return cut
}

// endsSyllable tells whether a syllable ends at an offset of letters in one of
// their shortest readings, so that what is behind may be the beginning of a word:
// sanjiang is not sanji with something behind it.
func endsSyllable(letters string, at int) bool {
	splits := SplitPinyin(letters, true)
	for _, split := range splits {
		end := 0
		for _, syllable := range split {
			if end += len(syllable); end == at && len(split) == len(splits[0]) {
				return true
			}
		}
	}
	return false
}

// segment cuts a run so that as few bytes as possible belong to no word and
// then into as few words as possible; among equals the longer word comes first.
func segment(run string, longest int, lookup func(string) (lexeme, bool)) []piece {
	type state struct{ unknown, words, next int }
	best := make([]state, len(run)+1)
	for at := len(run) - 1; at >= 0; at-- {
		if !utf8.RuneStart(run[at]) {
			continue
		}
		_, n := utf8.DecodeRuneInString(run[at:])
		rest := best[at+n]
		best[at] = state{rest.unknown + n, rest.words, at + n}
		for n := min(longest, len(run)-at); n > 0; n-- {
			if at+n < len(run) && !utf8.RuneStart(run[at+n]) {
				continue
			}
			rest := best[at+n]
			s := state{rest.unknown, rest.words + 1, at + n}
			if s.unknown < best[at].unknown || s.unknown == best[at].unknown && s.words < best[at].words {
				if _, ok := lookup(run[at : at+n]); ok {
					best[at] = s
				}
			}
		}
	}
	var out []piece
	joins := false // whether the piece before is unknown, too
	for at := 0; at < len(run); at = best[at].next {
		text := run[at:best[at].next]
		e, known := lookup(text)
		if !known && joins {
			out[len(out)-1].text += text
		} else {
			out = append(out, piece{text, e})
		}
		joins = !known
	}
	return out
}

// SplitUnknown cuts a word that nothing matches: between letters and digits, or
// else at the longest word of the lexicon that its letters begin or end with. It
// returns nil when there is none.
func (lx *Lexicon) SplitUnknown(w Word) []Word {
	if w.Script != Latin {
		return nil
	}
	digit := func(c byte) bool { return c <= '9' }
	for at := 1; at < len(w.Text); at++ {
		if digit(w.Text[at]) != digit(w.Text[at-1]) {
			rest := Word{Text: w.Text[at:], Script: Latin, Last: w.Last}
			return []Word{{Text: w.Text[:at], Script: Latin}, rest}
		}
	}
	for n := min(lx.longestP, len(w.Text)-3); n > 3; n-- {
		for _, at := range []int{n, len(w.Text) - n} {
			parts := []string{w.Text[:at], w.Text[at:]}
			known := parts[0]
			if at != n {
				known = parts[1]
			}
			if len(lx.byPinyin[known]) == 0 {
				continue
			}
			var out []Word
			for _, part := range parts {
				for _, p := range lx.cutPinyin(part) {
					out = append(out, Word{Text: p.text, Script: Latin, Class: p.class, Same: p.same})
				}
			}
			out[len(out)-1].Last = w.Last
			return out
		}
	}
	return nil
}

// Concept returns the word that stands for a word and its synonyms; ok is false
// for a word that the lexicon does not know.
func (lx *Lexicon) Concept(word string) (concept string, ok bool) {
	e, ok := lx.words[word]
	return e.concept, ok && !e.stop
}

// Wider returns the word for the kind of service that a category belongs to: 养老
// for 敬老院. ok is false for a word that is no category.
func (lx *Lexicon) Wider(word string) (wider string, ok bool) {
	wider, ok = lx.wider[lx.words[word].concept]
	return wider, ok
}

// Find yields the words of the lexicon that stand anywhere in a run of hanzi,
// overlapping ones included.
func (lx *Lexicon) Find(han string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := 0; at < len(han); {
			_, n := utf8.DecodeRuneInString(han[at:])
			_, m := utf8.DecodeRuneInString(han[at+n:])
			if m > 0 && lx.begins[han[at:at+n+m]] {
				for end := at + n + m; end <= len(han) && end-at <= lx.longest; end++ {
					if end < len(han) && !utf8.RuneStart(han[end]) {
						continue
					}
					if e, ok := lx.words[han[at:end]]; ok && !e.stop && !yield(han[at:end]) {
						return
					}
				}
			}
			at += n
		}
	}
}

// Synonyms yields every word of the lexicon with the words that mean the same:
// hanzi with their synonyms, and the full pinyin of a word with what it spells.
// Stop words are left out.
func (lx *Lexicon) Synonyms() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for w, e := range lx.words {
			if !e.stop && !yield(w, e.same) {
				return
			}
		}
		for p := range lx.byPinyin {
			if !yield(p, lx.Spelt(p)) {
				return
			}
		}
	}
}

// Spellings yields the full pinyin of every word of the lexicon.
func (lx *Lexicon) Spellings() iter.Seq[string] { return maps.Keys(lx.byPinyin) }

// Spelt returns the words of the lexicon with this full pinyin and their
// synonyms.
func (lx *Lexicon) Spelt(pinyin string) []string {
	e, _ := lx.spelt(pinyin)
	return e.same
}

// spelt joins what the lexicon knows of the words with this full pinyin.
func (lx *Lexicon) spelt(pinyin string) (lexeme, bool) {
	var e lexeme
	for _, w := range lx.byPinyin[pinyin] {
		e.class = max(e.class, lx.words[w].class)
		e.same = append(append(e.same, w), lx.words[w].same...)
	}
	return e, len(e.same) > 0
}
