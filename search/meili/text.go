package meili

import (
	"context"
	"slices"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"qingfu/search"
)

// text is a query text as it was understood.
type text struct {
	words []reading
	given bool // whether there was anything to look for
}

// reading is one way to look for a word of a query.
type reading struct {
	search.Word
	query string // for Meilisearch; a phrase stands in quotes
	fuzzy bool   // with typos
	marks [2]search.Patterns
}

// join returns words for Meilisearch. The last one may be unfinished where it is the
// last one of the query and stands in no phrase.
func join(words []reading) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.query + " ")
	}
	if len(words) > 0 && words[len(words)-1].Last {
		return strings.TrimSuffix(b.String(), " ")
	}
	return b.String()
}

// empty tells whether something was to be looked for of which nothing is there.
func (t *text) empty() bool { return t.given && len(t.words) == 0 }

// marker returns what marks the text in hits, nil when there is nothing to mark.
func (t *text) marker() *search.Marker {
	if len(t.words) == 0 {
		return nil
	}
	marks := make([][2]search.Patterns, len(t.words))
	for i, w := range t.words {
		marks[i] = w.marks
	}
	return search.NewMarker(marks)
}

// understand finds out how the words of a text are to be looked for: each by the
// first of its readings that any listing has; one that has none is left out.
// When no listing has all words, words of the field are widened and then words
// given up, as docs/search.md says.
func (e *Engine) understand(ctx context.Context, typed string) (*text, error) {
	words := e.config.Lexicon.Parse(typed)
	t := &text{given: len(words) > 0}
	first := make([][]reading, len(words))
	for i, w := range words {
		first[i] = e.plain(w)
	}
	chosen, err := e.firstFound(ctx, first)
	if err != nil {
		return nil, err
	}
	second := make([][]reading, len(words))
	for i, w := range words {
		if chosen[i] == nil {
			second[i] = e.distant(w)
		}
	}
	found, err := e.firstFound(ctx, second)
	if err != nil {
		return nil, err
	}
	for i := range words {
		if r := chosen[i]; r != nil {
			t.words = append(t.words, *r)
		} else if r := found[i]; r != nil {
			t.words = append(t.words, *r)
		}
	}
	if len(t.words) < 2 {
		return t, nil
	}
	return t, e.concede(ctx, t)
}

// firstFound returns of each list the first reading that any listing has, nil
// where there is none.
func (e *Engine) firstFound(ctx context.Context, lists [][]reading) ([]*reading, error) {
	var each [][]reading
	for _, list := range lists {
		for _, r := range list {
			each = append(each, []reading{r})
		}
	}
	counts, err := e.counts(ctx, each)
	if err != nil {
		return nil, err
	}
	out := make([]*reading, len(lists))
	for i, list := range lists {
		if at := slices.IndexFunc(counts[:len(list)], func(n int) bool { return n > 0 }); at >= 0 {
			out[i] = &list[at]
		}
		counts = counts[len(list):]
	}
	return out, nil
}

// counts returns the numbers of documents that have all words of each list.
func (e *Engine) counts(ctx context.Context, lists [][]reading) ([]int, error) {
	if len(lists) == 0 {
		return nil, nil
	}
	requests := make([]*meilisearch.SearchRequest, len(lists))
	for i, words := range lists {
		requests[i] = e.request(words, nil)
		counting(requests[i])
	}
	answers, err := e.search(ctx, requests...)
	if err != nil {
		return nil, err
	}
	counts := make([]int, len(answers))
	for i := range answers {
		counts[i] = int(answers[i].TotalHits)
	}
	return counts, nil
}

// concede looks for less when no listing has all words: for words of the field
// widened, the last one first, and then for those that matter more.
func (e *Engine) concede(ctx context.Context, t *text) error {
	wider := make([]reading, len(t.words)) // without a query where there is none
	tried := [][]reading{t.words}
	for i, w := range t.words {
		for _, word := range append([]string{w.Text}, w.Same...) {
			if wide, ok := e.config.Lexicon.Wider(word); ok {
				wider[i] = known(search.Word{Text: wide, Class: w.Class, Last: w.Last})
				break
			}
		}
		tried = append(tried, []reading{wider[i]})
	}
	counts, err := e.counts(ctx, tried)
	if err != nil || counts[0] > 0 {
		return err
	}
	steps := [][]reading{t.words}
	words := slices.Clone(t.words)
	for i := len(words) - 1; i >= 0; i-- {
		if wider[i].query != "" && counts[1+i] > 0 {
			words[i] = wider[i]
			steps = append(steps, slices.Clone(words))
		}
	}
	for len(words) > 1 {
		words = search.GiveUp(words, func(r reading) search.WordClass { return r.Class })
		steps = append(steps, words)
	}
	if counts, err = e.counts(ctx, steps); err != nil {
		return err
	}
	t.words = steps[max(0, slices.IndexFunc(counts, func(n int) bool { return n > 0 }))]
	return nil
}

// known reads a word of the lexicon, which Meilisearch keeps together and whose
// synonyms it knows.
func known(w search.Word) reading {
	return reading{Word: w, query: w.Text, marks: [2]search.Patterns{{Texts: []string{w.Text}}, {Texts: w.Same}}}
}

// phrase reads a word as parts that stand side by side in one attribute.
func phrase(w search.Word, parts []string, marks search.Patterns) reading {
	return reading{Word: w, query: `"` + strings.Join(parts, " ") + `"`, marks: [2]search.Patterns{marks}}
}

// plain returns the readings of a word as it is.
func (e *Engine) plain(w search.Word) []reading {
	texts := search.Patterns{Texts: []string{w.Text}}
	switch w.Script {
	case search.Han:
		if _, ok := e.config.Lexicon.Concept(w.Text); ok {
			return []reading{known(w)}
		}
		return []reading{phrase(w, units(search.Run{Script: w.Script, Text: w.Text}), texts)}
	case search.Latin:
		// Meilisearch finds it as a word, as full pinyin from any syllable on, as
		// initials and by what it spells.
		texts.Spoken, texts.Initials = spoken(w.Text, w.Last), []string{w.Text}
		return []reading{{Word: w, query: w.Text, marks: [2]search.Patterns{texts, {Texts: w.Same}}}}
	case search.Tibetan:
		syllables := units(search.Run{Script: w.Script, Text: w.Text})
		open := reading{Word: w, query: strings.Join(syllables, " "), marks: [2]search.Patterns{texts}}
		return []reading{phrase(w, syllables, texts), open}
	}
	return []reading{{Word: w, query: spell(w.Text), marks: [2]search.Patterns{texts}}}
}

// spoken returns what letters are as full pinyin, the last syllable perhaps
// unfinished.
func spoken(letters string, open bool) []string {
	var out []string
	if full := search.SplitPinyin(letters, false); len(full) > 0 {
		out = append(out, letters)
	}
	if splits := search.SplitPinyin(letters, true); open && len(splits) > 0 {
		tail := splits[0][len(splits[0])-1]
		for _, syllable := range search.Completions(tail) {
			out = append(out, strings.TrimSuffix(letters, tail)+syllable)
		}
	}
	return out
}

// distant returns the readings of a word that no listing has as it is: hanzi by
// their sound and then by their longest part, letters as syllables or initials in
// the middle of a name and as a mixture, then with typos, then in parts.
func (e *Engine) distant(w search.Word) []reading {
	switch w.Script {
	case search.Han:
		return e.distantHan(w)
	case search.Latin:
		return e.distantLatin(w)
	}
	return nil
}

func (e *Engine) distantHan(w search.Word) []reading {
	var out []reading
	if syllables := search.Syllables(w.Text); len(syllables) > 1 && !slices.Contains(syllables, "") {
		joined := strings.Join(syllables, "")
		out = append(out, phrase(w, syllables, search.Patterns{Spoken: []string{joined}}))
		for _, word := range e.config.Lexicon.Spelt(joined) {
			out = append(out, known(search.Word{Text: word, Class: w.Class, Last: w.Last}))
		}
	}
	chars := []rune(w.Text)
	for n := len(chars) - 1; n >= 2; n-- {
		for _, part := range []string{string(chars[:n]), string(chars[len(chars)-n:])} {
			out = append(out, e.plain(search.Word{Text: part, Script: search.Han})...)
		}
	}
	return out
}

func (e *Engine) distantLatin(w search.Word) []reading {
	var out []reading
	for _, syllables := range search.SplitPinyin(w.Text, false) {
		out = append(out, phrase(w, syllables, search.Patterns{Spoken: []string{w.Text}}))
	}
	if len(w.Text) > 1 && !pairRepeats(w.Text) {
		out = append(out, phrase(w, strings.Split(w.Text, ""), search.Patterns{Initials: []string{w.Text}}))
	}
	initials := func(s string) bool { return !strings.ContainsAny(s, "aeiouv0123456789") }
	for at := 1; at < len(w.Text); at++ {
		head, tail := w.Text[:at], w.Text[at:]
		marks := search.Patterns{Spoken: []string{head, tail}, Initials: []string{head, tail}}
		if full := search.SplitPinyin(head, false); len(full) > 0 && initials(tail) {
			r := phrase(w, full[0], marks)
			r.query += " " + tail
			out = append(out, r)
		}
		if full := search.SplitPinyin(tail, false); len(full) > 0 && initials(head) {
			r := phrase(w, full[0], marks)
			r.query += ` "` + strings.Join(strings.Split(head, ""), " ") + `"`
			out = append(out, r)
		}
	}
	misspelt := e.plain(w)[0]
	misspelt.fuzzy = true
	out = append(out, misspelt)
	if parts := e.config.Lexicon.SplitUnknown(w); len(parts) > 0 {
		r := reading{Word: w}
		var queries []string
		for _, part := range parts {
			plain := e.plain(part)[0]
			queries = append(queries, plain.query)
			for i := range r.marks {
				r.marks[i].Texts = append(r.marks[i].Texts, plain.marks[i].Texts...)
				r.marks[i].Spoken = append(r.marks[i].Spoken, plain.marks[i].Spoken...)
			}
		}
		r.query = strings.Join(queries, " ")
		out = append(out, r)
	}
	return out
}

// pairRepeats tells whether letters hold the same pair twice, as those of a hand
// resting on a key do. Meilisearch finds a phrase where all its pairs stand.
func pairRepeats(letters string) bool {
	for i := 0; i+2 < len(letters); i++ {
		if strings.Contains(letters[i+1:], letters[i:i+2]) {
			return true
		}
	}
	return false
}
