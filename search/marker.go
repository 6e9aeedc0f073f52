package search

import (
	"html"
	"slices"
	"strings"
)

// Marker finds the words of a query in the texts of a hit. Of each word it marks
// what was typed or, where that does not stand, what else the word was found by.
// It is for one goroutine at a time.
type Marker struct {
	words [][2]Patterns

	// Of the text being marked: its folded characters, where they come from, and
	// which are marked.
	folded []rune
	from   []int
	hit    []bool
}

// Patterns are what to mark for a word.
type Patterns struct {
	Texts    []string // normalized
	Spoken   []string // pinyin of hanzi, joined
	Initials []string // of hanzi
}

// NewMarker returns a marker for the words of a query: of each, what was typed
// and what else it may be found by.
func NewMarker(words [][2]Patterns) *Marker { return &Marker{words: words} }

// Highlight marks the texts of a listing that are shown, nil when nothing in
// them is to be marked; see Hit.Highlight.
func (m *Marker) Highlight(name, address string) map[string]string {
	var marked map[string]string
	for _, text := range [...]struct{ attribute, text string }{{"name", name}, {"address", address}} {
		if html, ok := m.mark(text.text); ok {
			if marked == nil {
				marked = map[string]string{}
			}
			marked[text.attribute] = html
		}
	}
	return marked
}

// mark returns the text as HTML with <mark> around what was found; ok is false
// when nothing was.
func (m *Marker) mark(text string) (marked string, ok bool) {
	folded, from := m.folded[:0], m.from[:0]
	for i, r := range text {
		if f := Fold(r); f >= 0 {
			folded = append(folded, f)
			from = append(from, i)
		}
	}
	from = append(from, len(text))
	hit := slices.Grow(m.hit[:0], len(folded))[:len(folded)]
	clear(hit)
	m.folded, m.from, m.hit = folded, from, hit
	set := func(at, n int) {
		for i := at; i < at+n; i++ {
			hit[i] = true
		}
	}
	for i := range m.words {
		if m.words[i][0].find(folded, set) || m.words[i][1].find(folded, set) {
			ok = true
		}
	}
	if !ok {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(text) + 16*len(m.words))
	b.WriteString(html.EscapeString(text[:from[0]]))
	for i := 0; i < len(folded); {
		end := i + 1
		for end < len(folded) && hit[end] == hit[i] {
			end++
		}
		span := html.EscapeString(text[from[i]:from[end]])
		if hit[i] {
			span = "<mark>" + span + "</mark>"
		}
		b.WriteString(span)
		i = end
	}
	return b.String(), true
}

// find reports every place where one of the patterns stands, and whether there
// was any.
func (p *Patterns) find(text []rune, report func(at, n int)) (found bool) {
	for _, pattern := range p.Texts {
		word := []rune(pattern)
		for at := 0; at+len(word) <= len(text); at++ {
			if text[at] == word[0] && slices.Equal(text[at:at+len(word)], word) && !splitsWord(text, at, word) {
				report(at, len(word))
				found = true
			}
		}
	}
	longest := 0 // pattern in letters, of which a syllable has one at least
	for _, s := range p.Spoken {
		longest = max(longest, len(s))
	}
	for _, s := range p.Initials {
		longest = max(longest, len(s))
	}
	if longest == 0 {
		return found
	}
	isHan := func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }
	for at := 0; at < len(text); at++ {
		end := at
		for end < len(text) && isHan(text[end]) {
			end++
		}
		syllables := Syllables(string(text[at:end]))
		for i := range syllables {
			full := ""
			for n := 1; n <= longest && i+n <= len(syllables); n++ {
				full += syllables[i+n-1]
				if slices.Contains(p.Spoken, full) || len(p.Initials) > 0 && slices.Contains(p.Initials, Initials(syllables[i:i+n])) {
					report(at+i, n)
					found = true
				}
			}
		}
		at = end
	}
	return found
}

// splitsWord tells whether a word of letters would be marked inside a longer one
// that it does not begin.
func splitsWord(text []rune, at int, word []rune) bool {
	return word[0] < 0x80 && at > 0 && text[at-1] < 0x80 && text[at-1] != ' '
}
