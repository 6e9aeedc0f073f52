package memory

import (
	"html"
	"slices"
	"strings"

	"qingfu/search"
)

// marker finds the words of a query in the texts of a hit.
type marker struct {
	texts   [][]rune // normalized words
	spoken  []string // letters that may be pinyin
	initial []string // letters that were taken as initials

	// Of the text being marked: its folded characters, where they come from, and
	// which are marked.
	folded []rune
	from   []int
	hit    []bool
}

// newMarker returns nil when there is nothing to mark.
func newMarker(terms []term) *marker {
	if len(terms) == 0 {
		return nil
	}
	m := &marker{}
	for _, t := range terms {
		for _, alt := range t.alts {
			if alt.phrases != nil {
				for _, p := range alt.phrases {
					m.texts = append(m.texts, []rune(p))
				}
				continue
			}
			for _, slot := range alt.slots {
				for _, key := range slot {
					key = strings.TrimSuffix(key, anySuffix)
					switch key[0] {
					case textKey:
						m.texts = append(m.texts, []rune(key[1:]))
					case pinyinKey:
						m.spoken = append(m.spoken, key[1:])
					case initialKey:
						m.initial = append(m.initial, key[1:])
					}
				}
			}
		}
	}
	return m
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
			ok = true
		}
	}
	for _, word := range m.texts {
		for at := 0; at+len(word) <= len(folded); at++ {
			if folded[at] == word[0] && slices.Equal(folded[at:at+len(word)], word) && !splitsWord(folded, at, word) {
				set(at, len(word))
			}
		}
	}
	if len(m.spoken)+len(m.initial) > 0 {
		m.markSpoken(folded, set)
	}

	if !ok {
		return "", false
	}
	var b strings.Builder
	b.WriteString(html.EscapeString(text[:from[0]]))
	open := false
	for i := range folded {
		if hit[i] != open {
			if open = hit[i]; open {
				b.WriteString("<mark>")
			} else {
				b.WriteString("</mark>")
			}
		}
		b.WriteString(html.EscapeString(text[from[i]:from[i+1]]))
	}
	if open {
		b.WriteString("</mark>")
	}
	return b.String(), true
}

// splitsWord tells whether a word of letters would be marked inside a longer one
// that it does not begin.
func splitsWord(text []rune, at int, word []rune) bool {
	return word[0] < 0x80 && at > 0 && text[at-1] < 0x80 && text[at-1] != ' '
}

// markSpoken marks hanzi whose pinyin or initials were typed.
func (m *marker) markSpoken(folded []rune, set func(at, n int)) {
	at := 0
	for at < len(folded) {
		end := at
		for end < len(folded) && folded[end] >= 0x4e00 && folded[end] <= 0x9fff {
			end++
		}
		if end == at {
			at++
			continue
		}
		syllables := search.Syllables(string(folded[at:end]))
		for i := range syllables {
			full := ""
			for n := 1; n <= window && i+n <= len(syllables); n++ {
				full += syllables[i+n-1]
				for _, s := range m.spoken {
					if s == full {
						set(at+i, n)
					}
				}
				for _, s := range m.initial {
					if s == search.Initials(syllables[i:i+n]) {
						set(at+i, n)
					}
				}
			}
		}
		at = end
	}
}
