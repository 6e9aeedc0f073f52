package memory

import (
	"html"
	"slices"
	"strings"

	"qingfu/search"
)

// marker finds the words of a query in the texts of a hit. Of each word it marks
// what was typed or, where that does not stand, what else the word was found by.
type marker struct {
	words [][2]patterns

	// Of the text being marked: its folded characters, where they come from, and
	// which are marked.
	folded []rune
	from   []int
	hit    []bool
}

// patterns are what to mark.
type patterns struct {
	texts   [][]rune // normalized
	spoken  []string // pinyin of hanzi
	initial []string // initials of hanzi
}

// newMarker returns nil when there is nothing to mark.
func newMarker(terms []term) *marker {
	if len(terms) == 0 {
		return nil
	}
	m := &marker{words: make([][2]patterns, len(terms))}
	for i, t := range terms {
		for _, alt := range t.alts {
			p := &m.words[i][0]
			if !alt.literal {
				p = &m.words[i][1]
			}
			p.add(&alt)
		}
	}
	return m
}

func (p *patterns) add(alt *alternative) {
	for _, phrase := range alt.phrases {
		p.texts = append(p.texts, []rune(phrase))
	}
	if alt.phrases != nil {
		return
	}
	for _, slot := range alt.slots {
		for _, key := range slot {
			key = strings.TrimSuffix(key, anySuffix)
			switch key[0] {
			case textKey:
				p.texts = append(p.texts, []rune(key[1:]))
			case pinyinKey:
				p.spoken = append(p.spoken, key[1:])
			case initialKey:
				p.initial = append(p.initial, key[1:])
			}
		}
	}
}

// highlight marks the texts of a document that are shown, nil when nothing in
// them is to be marked.
func (m *marker) highlight(d *doc) map[string]string {
	var marked map[string]string
	for _, text := range [...]struct{ attribute, text string }{{"name", d.name}, {"address", d.address}} {
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
func (m *marker) mark(text string) (marked string, ok bool) {
	folded, from := m.folded[:0], m.from[:0]
	for i, r := range text {
		if f := search.Fold(r); f >= 0 {
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
func (p *patterns) find(text []rune, report func(at, n int)) (found bool) {
	for _, word := range p.texts {
		for at := 0; at+len(word) <= len(text); at++ {
			if text[at] == word[0] && slices.Equal(text[at:at+len(word)], word) && !splitsWord(text, at, word) {
				report(at, len(word))
				found = true
			}
		}
	}
	if len(p.spoken)+len(p.initial) == 0 {
		return found
	}
	isHan := func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }
	for at := 0; at < len(text); at++ {
		end := at
		for end < len(text) && isHan(text[end]) {
			end++
		}
		syllables := search.Syllables(string(text[at:end]))
		for i := range syllables {
			full := ""
			for n := 1; n <= window && i+n <= len(syllables); n++ {
				full += syllables[i+n-1]
				if slices.Contains(p.spoken, full) || len(p.initial) > 0 && slices.Contains(p.initial, search.Initials(syllables[i:i+n])) {
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
