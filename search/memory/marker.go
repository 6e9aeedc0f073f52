package memory

import (
	"strings"

	"qingfu/search"
)

// newMarker returns what marks terms in the texts of a hit, nil when there is
// nothing to mark.
func newMarker(terms []term) *search.Marker {
	if len(terms) == 0 {
		return nil
	}
	words := make([][2]search.Patterns, len(terms))
	for i, t := range terms {
		for _, alt := range t.alts {
			p := &words[i][0]
			if !alt.literal {
				p = &words[i][1]
			}
			addPatterns(p, &alt)
		}
	}
	return search.NewMarker(words)
}

// addPatterns adds what an alternative marks.
func addPatterns(p *search.Patterns, alt *alternative) {
	p.Texts = append(p.Texts, alt.phrases...)
	if alt.phrases != nil {
		return
	}
	for _, slot := range alt.slots {
		for _, key := range slot {
			key = strings.TrimSuffix(key, anySuffix)
			switch key[0] {
			case textKey:
				p.Texts = append(p.Texts, key[1:])
			case pinyinKey:
				p.Spoken = append(p.Spoken, key[1:])
			case initialKey:
				p.Initials = append(p.Initials, key[1:])
			}
		}
	}
}
