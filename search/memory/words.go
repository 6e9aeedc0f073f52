package memory

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum/levenshtein"

	"qingfu/search"
)

// alternative is one way to match a word. All its slots must be filled in the
// same attribute, each by any of its keys.
type alternative struct {
	slots   [][]string
	phrases []string // what to mark in a hit; nil to mark what the slots say
	literal bool     // as typed, neither a synonym nor unfinished
	within  bool     // finds only documents that the alternative before it finds
	typos   int
}

// match is where a word was found in one segment.
type match struct {
	postings
	literal *roaring.Bitmap
	typos   [maxTypos + 1]*roaring.Bitmap // documents by the number of typos
}

const maxTypos = 2

// term is a word of a query as it was understood, with where it is found.
type term struct {
	search.Word
	alts    []alternative
	matches []match // by segment of the view
	hits    uint64  // live documents in all segments
	fuzzy   bool
}

// resolver understands the words of one query against one snapshot.
type resolver struct {
	lexicon *search.Lexicon
	typos   [maxTypos + 1]*levenshtein.LevenshteinAutomatonBuilder // by distance; 0 is nil
	view    []segmentView
}

// resolve finds out how each word is to be understood: as it is (in hanzi,
// pinyin or letters, with synonyms, the last one perhaps unfinished); if no
// document has it so, letters as initials, then with typos, then cut at a word
// of the lexicon, and hanzi by their sound, then by their longest part that is
// found. A word that no document has in any way is left out.
func (r *resolver) resolve(words []search.Word) []term {
	var terms []term
	for _, w := range words {
		terms = append(terms, r.understand(w, true)...)
	}
	return terms
}

func (r *resolver) understand(w search.Word, mayCut bool) []term {
	if t := r.find(w, plain(r.lexicon, w)); t.hits > 0 {
		return []term{t}
	}
	switch {
	case w.Script == search.Latin:
		for _, alts := range abbreviated(w.Text) {
			if t := r.find(w, alts); t.hits > 0 {
				return []term{t}
			}
		}
		for typos := 1; typos <= typosAllowed(w.Text); typos++ {
			if t := r.find(w, r.misspelt(w.Text, typos)); t.hits > 0 {
				t.fuzzy = true
				return []term{t}
			}
		}
		var terms []term
		if mayCut {
			for _, part := range r.lexicon.SplitUnknown(w) {
				terms = append(terms, r.understand(part, false)...)
			}
		}
		return terms
	case w.Script == search.Han:
		if t := r.find(w, homophones(r.lexicon, w.Text)); t.hits > 0 {
			t.fuzzy = true
			return []term{t}
		}
		return r.longestPart(w)
	}
	return nil
}

// find looks a word up in every segment.
func (r *resolver) find(w search.Word, alts []alternative) term {
	t := term{Word: w, alts: alts, matches: make([]match, len(r.view))}
	if len(alts) == 0 {
		return t
	}
	for i, v := range r.view {
		m := v.seg.match(alts)
		t.matches[i] = m
		if m.all != nil {
			t.hits += m.all.GetCardinality()
			if v.dead != nil {
				t.hits -= m.all.AndCardinality(v.dead)
			}
		}
	}
	return t
}

// homophones returns the alternatives of hanzi by their sound: the usual slip of
// those who type pinyin is to pick the wrong characters.
func homophones(lexicon *search.Lexicon, han string) []alternative {
	syllables := search.Syllables(han)
	if len(syllables) < 2 || slices.Contains(syllables, "") {
		return nil
	}
	alts := []alternative{{slots: windows(pinyinKey, syllables), typos: 1}}
	return append(alts, concepts(lexicon, lexicon.Spelt(strings.Join(syllables, "")), 1)...)
}

// longestPart gives up characters of an unknown word from its end, or else from
// its beginning, until what is left is found. Two characters are the least.
func (r *resolver) longestPart(w search.Word) []term {
	chars := []rune(w.Text)
	for n := len(chars) - 1; n >= 2; n-- {
		for _, part := range []string{string(chars[:n]), string(chars[len(chars)-n:])} {
			p := search.Word{Text: part, Script: search.Han}
			if t := r.find(p, plain(r.lexicon, p)); t.hits > 0 {
				return []term{t}
			}
		}
	}
	return nil
}

// plain returns the alternatives of a word as it is.
func plain(lexicon *search.Lexicon, w search.Word) []alternative {
	one := func(kind byte, key string) [][]string { return [][]string{{string(kind) + key}} }
	switch w.Script {
	case search.Han:
		concept, known := lexicon.Concept(w.Text)
		if !known {
			return []alternative{{slots: hanSlots(w.Text), phrases: []string{w.Text}, literal: true}}
		}
		return []alternative{
			{slots: one(senseKey, concept), phrases: append([]string{w.Text}, w.Same...)},
			{slots: one(wordKey, w.Text), phrases: []string{w.Text}, literal: true, within: true},
		}
	case search.Latin:
		alts := []alternative{{slots: one(textKey, w.Text), literal: true}}
		if w.Last && len(w.Text) > 1 {
			alts = append(alts, alternative{slots: one(textKey, w.Text+anySuffix)})
		}
		alts = append(alts, spelt(w.Text, w.Last)...)
		return append(alts, concepts(lexicon, w.Same, 0)...)
	case search.Tibetan:
		return tibetan(w.Text, w.Last)
	}
	return []alternative{{slots: one(textKey, w.Text), literal: true}}
}

// concepts returns alternatives for words of the lexicon, one a concept.
func concepts(lexicon *search.Lexicon, words []string, typos int) []alternative {
	var alts []alternative
	places := map[string]int{}
	for _, word := range words {
		concept, _ := lexicon.Concept(word)
		i, ok := places[concept]
		if !ok {
			i = len(alts)
			places[concept] = i
			alts = append(alts, alternative{slots: [][]string{{string(senseKey) + concept}}, typos: typos})
		}
		alts[i].phrases = append(alts[i].phrases, word)
	}
	return alts
}

// anySuffix at the end of a key stands for every key that begins so.
const anySuffix = "\xff"

// hanSlots asks for every pair of neighbouring characters.
func hanSlots(han string) [][]string {
	chars := []rune(han)
	if len(chars) == 1 {
		return [][]string{{string(textKey) + han}}
	}
	slots := make([][]string, len(chars)-1)
	for i := range slots {
		slots[i] = []string{string(textKey) + string(chars[i:i+2])}
	}
	return slots
}

func tibetan(run string, last bool) []alternative {
	syllables := tibetanSyllables(run)
	keys := syllables
	if len(syllables) > 1 {
		keys = nil
		for i := range syllables[1:] {
			keys = append(keys, syllables[i]+tsheg+syllables[i+1])
		}
	}
	exact := alternative{phrases: []string{run}, literal: true}
	open := alternative{phrases: []string{run}}
	for i, k := range keys {
		exact.slots = append(exact.slots, []string{string(textKey) + k})
		if i == len(keys)-1 {
			k += anySuffix
		}
		open.slots = append(open.slots, []string{string(textKey) + k})
	}
	if last {
		return []alternative{exact, open}
	}
	return []alternative{exact}
}

// spelt returns the alternatives of letters as full pinyin, the last syllable
// perhaps unfinished.
func spelt(letters string, last bool) []alternative {
	var alts []alternative
	full := search.SplitPinyin(letters, false)
	for i, split := range full {
		if i == 0 || len(split) > window { // shorter ones have the same key
			alts = append(alts, alternative{slots: windows(pinyinKey, split), literal: true})
		}
	}
	if !last {
		return alts
	}
	// Without a full reading the shortest unfinished one counts: others split
	// syllables that nobody would type so.
	unfinished := full
	if len(full) == 0 {
		unfinished = search.SplitPinyin(letters, true)
	}
	if len(unfinished) == 0 {
		return alts
	}
	slots := windows(pinyinKey, unfinished[0])
	tail := unfinished[0][len(unfinished[0])-1]
	stem := strings.TrimSuffix(slots[len(slots)-1][0], tail)
	var ends []string
	for _, s := range search.Completions(tail) {
		if s != tail || len(full) == 0 {
			ends = append(ends, stem+s)
		}
	}
	if len(ends) > 0 {
		slots[len(slots)-1] = ends
		alts = append(alts, alternative{slots: slots})
	}
	return alts
}

// windows returns keys of at most window parts that overlap and cover all of
// them.
func windows(kind byte, parts []string) [][]string {
	var slots [][]string
	for at := 0; ; at += window - 1 {
		end := min(at+window, len(parts))
		from := max(0, min(at, end-window))
		slots = append(slots, []string{string(kind) + strings.Join(parts[from:end], "")})
		if end == len(parts) {
			return slots
		}
	}
}

// abbreviated returns the alternatives of letters as initials and, second best,
// as syllables followed or preceded by initials.
func abbreviated(letters string) [][]alternative {
	if strings.ContainsFunc(letters, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return nil
	}
	initials := func(s string) [][]string { return windows(initialKey, strings.Split(s, "")) }
	if initialsRepeat(letters) {
		return nil
	}
	var alts []alternative
	for at := 1; at < len(letters); at++ {
		head, tail := letters[:at], letters[at:]
		if full := search.SplitPinyin(head, false); len(full) > 0 && !strings.ContainsAny(tail, "aeiouv") {
			alts = append(alts, alternative{slots: slices.Concat(windows(pinyinKey, full[0]), initials(tail)), literal: true})
		}
		if full := search.SplitPinyin(tail, false); len(full) > 0 && !strings.ContainsAny(head, "aeiouv") {
			alts = append(alts, alternative{slots: slices.Concat(initials(head), windows(pinyinKey, full[0])), literal: true})
		}
	}
	return [][]alternative{{{slots: initials(letters), literal: true}}, alts}
}

// initialsRepeat tells whether letters hold the same window twice, as those of a
// hand resting on a key do. A text that has it once could not be told apart.
func initialsRepeat(letters string) bool {
	for i := 0; i+window < len(letters); i++ {
		if strings.Contains(letters[i+1:], letters[i:i+window]) {
			return true
		}
	}
	return false
}

// match looks a word up in a segment.
func (s *segment) match(alts []alternative) match {
	var m match
	for _, alt := range alts {
		p, ok := s.fill(alt.slots)
		if !ok {
			continue
		}
		if !alt.within {
			m.or(&p)
			m.typos[alt.typos] = or(m.typos[alt.typos], p.all)
		}
		if alt.literal {
			m.literal = or(m.literal, p.all)
		}
	}
	return m
}

// fill returns the documents in which all slots are filled, by attribute.
func (s *segment) fill(slots [][]string) (postings, bool) {
	var all postings
	for i, keys := range slots {
		var any postings
		ok := false
		for _, key := range keys {
			if prefix, open := strings.CutSuffix(key, anySuffix); open {
				ok = s.byPrefix(prefix, &any) || ok
			} else if p, found := s.lookup(key); found {
				any.or(&p)
				ok = true
			}
		}
		if !ok {
			return postings{}, false
		}
		if i == 0 {
			all = any
			continue
		}
		for a := range all.in {
			all.in[a] = and(all.in[a], any.in[a])
		}
		all.complete()
		if all.all == nil {
			return postings{}, false
		}
	}
	return all, true
}

// maxPrefixKeys bounds the keys that an unfinished word stands for.
const maxPrefixKeys = 200

// byPrefix adds the postings of the keys that begin with prefix.
func (s *segment) byPrefix(prefix string, into *postings) bool {
	found := false
	it, err := s.dict.Iterator([]byte(prefix), nil)
	for n := 0; err == nil && n < maxPrefixKeys; n++ {
		key, value := it.Current()
		if !bytes.HasPrefix(key, []byte(prefix)) {
			break
		}
		p := s.postings(value)
		into.or(&p)
		found = true
		err = it.Next()
	}
	return found
}

func (p *postings) or(q *postings) {
	for a := range p.in {
		p.in[a] = or(p.in[a], q.in[a])
	}
	p.all = or(p.all, q.all)
}

// bridge returns where the end of one word stands right before the beginning of
// the next.
func (s *segment) bridge(a, b search.Word) postings {
	if a.Script == search.Han && b.Script == search.Han {
		last, _ := utf8.DecodeLastRuneInString(a.Text)
		first, _ := utf8.DecodeRuneInString(b.Text)
		p, _ := s.lookup(string(textKey) + string(last) + string(first))
		return p
	}
	x, y := syllablesOf(a), syllablesOf(b)
	if len(x) == 0 || len(y) == 0 {
		return postings{}
	}
	var p postings
	switch last, first := x[len(x)-1], y[0]; {
	case len(last) > 1 && len(first) > 1:
		p, _ = s.lookup(string(pinyinKey) + last + first)
	case len(last) > 1:
		s.byPrefix(string(pinyinKey)+last+first, &p)
	default:
		p, _ = s.lookup(string(initialKey) + last[:1] + first[:1])
	}
	return p
}

// syllablesOf returns how a word is spoken; letters that are not pinyin are
// taken as initials.
func syllablesOf(w search.Word) []string {
	switch w.Script {
	case search.Han:
		return slices.DeleteFunc(search.Syllables(w.Text), func(s string) bool { return s == "" })
	case search.Latin:
		if full := search.SplitPinyin(w.Text, false); len(full) > 0 {
			return full[0]
		}
		return strings.Split(w.Text, "")
	}
	return nil
}

// or and and treat nil as the empty set and never change their operands.
func or(a, b *roaring.Bitmap) *roaring.Bitmap {
	if a == nil {
		return b
	}
	if b == nil || a == b {
		return a
	}
	return roaring.Or(a, b)
}

func and(a, b *roaring.Bitmap) *roaring.Bitmap {
	if a == nil || b == nil {
		return nil
	}
	if c := roaring.And(a, b); !c.IsEmpty() {
		return c
	}
	return nil
}
