package handlers

import (
	"html"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// suggestion is one thing that completes what was typed.
type suggestion struct {
	Type      string         `json:"type"` // listing, kind, category or region
	ID        string         `json:"id,omitempty"`
	Code      string         `json:"code,omitempty"`
	Name      string         `json:"name"`
	Highlight string         `json:"highlight"`
	Kind      directory.Kind `json:"kind,omitempty"`
	Path      []string       `json:"path,omitempty"`
}

// suggest puts kinds, categories and regions before listings: they are few and
// narrow a search at once.
func (a *api) suggest(c *fiber.Ctx, in *input) error {
	q := search.SuggestQuery{
		Text:    in.text("q"),
		Kinds:   texts[directory.Kind](in, "kind"),
		Regions: in.regions(a.Regions, "region"),
		Limit:   in.integer("limit"),
	}
	if q.Text != "" && strings.TrimSpace(q.Text) == "" {
		in.refuse("q", directory.CodeRequired, "")
	}
	if err := in.err(); err != nil {
		return err
	}
	listings, err := a.Search.Suggest(c.UserContext(), q)
	if err != nil {
		return err
	}
	terms := a.completer.terms(q.Text, q.Kinds)
	regions := a.completer.places(q.Text)

	// A third for each of the two, more when listings leave room.
	share := (q.Limit + 2) / 3
	nTerms, nRegions := min(share, len(terms)), min(share, len(regions))
	room := q.Limit - len(listings)
	nTerms = min(len(terms), max(nTerms, room-nRegions))
	nRegions = min(len(regions), max(nRegions, room-nTerms))
	first := slices.Concat(terms[:nTerms], regions[:nRegions])
	slices.SortStableFunc(first, func(x, y found) int { return x.rank - y.rank })
	items := make([]suggestion, 0, len(first)+len(listings))
	for _, f := range first {
		items = append(items, a.showFound(f, in.lang))
	}
	for _, l := range listings {
		items = append(items, suggestion{Type: "listing", ID: l.ID, Name: l.Name, Highlight: l.Highlight, Kind: l.Kind})
	}
	return sendJSON(c, map[string][]suggestion{"items": items[:min(len(items), q.Limit)]})
}

// completer matches the names of kinds, categories and regions, by their
// characters, pinyin from any syllable, or initials.
type completer struct {
	lexicon *search.Lexicon
	words   []completion // kinds, then categories
	regions []completion // in the order of their codes
}

// completion is a name that can be completed.
type completion struct {
	suggestion
	names    directory.Names
	level    directory.RegionLevel
	folded   string // the normalized Chinese name
	others   []string
	pinyin   string // joined
	starts   []int  // of the syllables in pinyin
	initials string
}

func newCompletion(s suggestion, names directory.Names, syllables []string) completion {
	c := completion{suggestion: s, names: names, folded: search.Normalize(names.Zh)}
	for _, other := range []string{names.Bo, names.En} {
		if other != "" {
			c.others = append(c.others, search.Normalize(other))
		}
	}
	for _, syllable := range syllables {
		c.starts = append(c.starts, len(c.pinyin))
		c.pinyin += syllable
		c.initials += syllable[:min(1, len(syllable))]
	}
	return c
}

func newCompleter(regions *directory.Regions, lexicon *search.Lexicon) *completer {
	co := &completer{lexicon: lexicon}
	add := func(kind string, t directory.Term, of directory.Kind) {
		s := suggestion{Type: kind, Code: t.Code, Kind: of}
		co.words = append(co.words, newCompletion(s, t.Names, search.Syllables(t.Names.Zh)))
	}
	for _, k := range directory.Kinds {
		add("kind", k, "")
	}
	for _, c := range directory.Categories {
		add("category", c.Term, c.Kind)
	}
	for _, reg := range regions.All() {
		c := newCompletion(suggestion{Type: "region", Code: reg.Code}, reg.Names, strings.Fields(reg.Pinyin))
		c.level = reg.Level
		co.regions = append(co.regions, c)
	}
	return co
}

// span is the characters of a name that were matched.
type span struct{ from, to int }

// The ranks of a match, best first.
const (
	wholeName = iota
	namePrefix
	nameInside
	otherName
	pinyinPrefix
	pinyinInside
	initialsPrefix
	initialsInside
	noMatch
)

// match tells how well a normalized text is completed by the name. Letters is the
// text when it can be pinyin, else "".
func (c *completion) match(q, letters string) (rank int, at span) {
	if i := strings.Index(c.folded, q); i >= 0 {
		from := utf8.RuneCountInString(c.folded[:i])
		at = span{from, from + utf8.RuneCountInString(q)}
		switch {
		case len(q) == len(c.folded):
			return wholeName, at
		case i == 0:
			return namePrefix, at
		default:
			return nameInside, at
		}
	}
	for _, other := range c.others {
		if strings.HasPrefix(other, q) {
			return otherName, span{}
		}
	}
	if letters == "" {
		return noMatch, span{}
	}
	for i, start := range c.starts {
		if strings.HasPrefix(c.pinyin[start:], letters) {
			to, _ := slices.BinarySearch(c.starts, start+len(letters))
			return pinyinPrefix + min(i, 1), span{i, to}
		}
	}
	if len(letters) > 1 {
		if i := strings.Index(c.initials, letters); i >= 0 {
			return initialsPrefix + min(i, 1), span{i, i + len(letters)}
		}
	}
	return noMatch, span{}
}

// mark returns the name as HTML with the matched characters marked.
func (c *completion) mark(name string, at span) string {
	runes := []rune(name)
	if name != c.names.Zh || at.to <= at.from || at.to > len(runes) {
		return html.EscapeString(name)
	}
	return html.EscapeString(string(runes[:at.from])) +
		"<mark>" + html.EscapeString(string(runes[at.from:at.to])) + "</mark>" +
		html.EscapeString(string(runes[at.to:]))
}

// found is a completion with its match.
type found struct {
	*completion
	rank int
	at   span
}

// find returns the completions that match, best first and then in their order.
func find(all []completion, text string, accept func(*completion) bool) []found {
	q := search.Normalize(text)
	if q == "" {
		return nil
	}
	letters := strings.NewReplacer(" ", "", "'", "").Replace(q)
	if strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz") != "" {
		letters = ""
	}
	var out []found
	for i := range all {
		if c := &all[i]; accept(c) {
			if rank, at := c.match(q, letters); rank < noMatch {
				out = append(out, found{c, rank, at})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y found) int {
		if x.rank != y.rank {
			return x.rank - y.rank
		}
		return int(x.level - y.level)
	})
	return out
}

// terms returns the kinds and categories that complete a text or mean the same
// as one of its words.
func (co *completer) terms(text string, kinds []directory.Kind) []found {
	accept := func(c *completion) bool {
		return len(kinds) == 0 || slices.Contains(kinds, c.Kind) || slices.Contains(kinds, directory.Kind(c.Code))
	}
	matches := find(co.words, text, accept)
	for _, word := range co.lexicon.Parse(text) {
		for i := range co.words {
			c := &co.words[i]
			known := slices.ContainsFunc(matches, func(f found) bool { return f.completion == c })
			if !known && accept(c) && slices.Contains(word.Same, c.folded) {
				matches = append(matches, found{completion: c})
			}
		}
	}
	return matches
}

// places returns the regions down to townships that complete a text.
func (co *completer) places(text string) []found {
	return find(co.regions, text, func(c *completion) bool { return c.level <= directory.Township })
}

// findRegions returns the codes of the regions of any level that complete a text.
func (co *completer) findRegions(text string) []string {
	matches := find(co.regions, text, func(*completion) bool { return true })
	codes := make([]string, len(matches))
	for i, f := range matches {
		codes[i] = f.Code
	}
	return codes
}

// showFound is a completion in an answer, regions with the names above them.
func (a *api) showFound(f found, lang string) suggestion {
	s := f.suggestion
	s.Name = f.names.In(lang)
	s.Highlight = f.mark(s.Name, f.at)
	if s.Type == "region" {
		path := search.NewRegionRef(a.Regions, s.Code, lang).Path
		s.Path = path[:len(path)-1]
	}
	return s
}
