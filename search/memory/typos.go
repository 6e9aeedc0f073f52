package memory

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/blevesearch/vellum/levenshtein"
)

// typosAllowed is the number of typos that a word of letters may have: one from
// 5 letters on, two from 9 on. An exchange of neighbours counts as one.
func typosAllowed(letters string) int {
	switch n := len(letters); {
	case n >= 9:
		return 2
	case n >= 5:
		return 1
	}
	return 0
}

// maxSpellings bounds the corrections of one word that are considered.
const maxSpellings = 40

// maxSyllable is the length of the longest syllable of pinyin, such as zhuang.
const maxSyllable = 6

// misspelt returns the alternatives of letters with up to so many typos.
func (r *resolver) misspelt(letters string, typos int) []alternative {
	type spelling struct {
		key   string
		typos int
	}
	dfa, err := r.typos[typos].BuildDfa(letters, uint8(typos))
	if err != nil {
		return nil // too long to be a word
	}
	found := map[string]int{}
	for _, kind := range []byte{textKey, pinyinKey, wholeKey} {
		if kind == pinyinKey && len(letters) > window*maxSyllable+typos {
			continue
		}
		for _, v := range r.view {
			it, err := v.seg.dict.Search(ofKind{kind, dfa}, []byte{kind}, []byte{kind + 1})
			for ; err == nil; err = it.Next() {
				key, _ := it.Current()
				_, d := dfa.MatchAndDistance(string(key[1:]))
				found[string(key)] = int(d)
			}
		}
	}
	for p := range r.lexicon.Spellings() {
		if n := len(p) - len(letters); n < -typos || n > typos {
			continue
		}
		if ok, d := dfa.MatchAndDistance(p); ok {
			found[string(pinyinKey)+p] = int(d)
		}
	}
	var spellings []spelling
	for key, typos := range found {
		spellings = append(spellings, spelling{key, typos})
	}
	slices.SortFunc(spellings, func(a, b spelling) int {
		return cmp.Or(cmp.Compare(a.typos, b.typos), cmp.Compare(a.key, b.key))
	})
	var alts []alternative
	for _, s := range spellings[:min(len(spellings), maxSpellings)] {
		alts = append(alts, alternative{slots: [][]string{{s.key}}, literal: true, typos: s.typos})
		alts = append(alts, concepts(r.lexicon, r.lexicon.Spelt(s.key[1:]), s.typos)...)
	}
	return alts
}

// ofKind is an automaton for the rest of the keys of one kind that consist of
// letters and digits. The dictionary looks at the bounds of a search only where a
// key ends, so that without it all keys behind them would be tried, too.
type ofKind struct {
	kind byte
	*levenshtein.DFA
}

// The states before the kind and behind another one; those of the automaton
// itself are not negative.
const (
	beforeKind = -1
	otherKind  = -2
)

func (a ofKind) Start() int { return beforeKind }

func (a ofKind) IsMatch(s int) bool { return s >= 0 && a.DFA.IsMatch(s) }

func (a ofKind) CanMatch(s int) bool { return s == beforeKind || s >= 0 && a.DFA.CanMatch(s) }

func (a ofKind) WillAlwaysMatch(s int) bool { return s >= 0 && a.DFA.WillAlwaysMatch(s) }

func (a ofKind) Accept(s int, b byte) int {
	switch {
	case s >= 0 && b < utf8.RuneSelf:
		return a.DFA.Accept(s, b)
	case s == beforeKind && b == a.kind:
		return a.DFA.Start()
	}
	return otherKind
}
