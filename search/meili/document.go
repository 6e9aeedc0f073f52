package meili

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"qingfu/directory"
	"qingfu/search"
)

// record is a document as Meilisearch keeps it.
type record struct {
	Key string `json:"key"` // of the id: Meilisearch takes only some characters

	// The texts, in the forms in which the words of a query are looked for: the
	// whole ones folded; parts as single hanzi, so that a phrase of hanzi finds
	// any stretch, and as all words of the lexicon, overlapping ones included.
	Name       string   `json:"name"` // the Chinese one
	Names      []string `json:"names"`
	NameParts  []string `json:"name_parts"`
	Pinyin     []string `json:"pinyin"`   // of names and aliases, see spoken
	Initials   []string `json:"initials"` // of names and aliases, likewise
	Aliases    []string `json:"aliases"`
	AliasParts []string `json:"alias_parts"`
	Categories []string `json:"categories"`
	Summary    []string `json:"summary"`
	Address    []string `json:"address"`
	Places     []string `json:"places"`
	Spoken     []string `json:"spoken"` // pinyin and initials of categories and places
	Fuzzy      []string `json:"fuzzy"`  // everything in letters or as pinyin, to be found with typos

	Kind         directory.Kind `json:"kind"`
	CategoriesOf []string       `json:"categories_of"`
	Regions      []string       `json:"regions"`
	Provinces    []string       `json:"provinces"`
	Prefectures  []string       `json:"prefectures"`
	Counties     []string       `json:"counties"`
	Townships    []string       `json:"townships"`
	Communities  []string       `json:"communities"`
	Features     []string       `json:"features"`
	Badges       []string       `json:"badges"`
	HasVacancy   bool           `json:"has_vacancy"`
	Demo         bool           `json:"demo"`
	PriceFrom    *int64         `json:"price_from,omitempty"`
	Share        *float64       `json:"share,omitempty"`
	Hours        string         `json:"hours,omitempty"` // the key of the hours
	Located      bool           `json:"located"`
	Geo          *geo           `json:"_geo,omitempty"`

	Satisfaction float64 `json:"satisfaction"`
	Fresh        int64   `json:"fresh"` // milliseconds since 1970
	Created      int64   `json:"created"`
	Name1        string  `json:"name1"` // the parts of the key by which names are ordered
	Name2        string  `json:"name2"`
	Name3        string  `json:"name3"`
	Name4        string  `json:"name4"`

	ID     string `json:"id"`
	Title  string `json:"title"`  // the Chinese name as it is shown
	Street string `json:"street"` // the address as it is shown
	Card   string `json:"card"`

	Sum string `json:"sum"` // of all that stands before, see Engine.Sum
}

// geo is a position in the form that Meilisearch knows.
type geo struct {
	Lat float64 `json:"lat"`
	Lng float64 `json:"lng"`
}

// displayed are the attributes that come back with a hit.
var displayed = []string{
	"id", "kind", "title", "street", "card", "hours", "_geo",
	"key", "satisfaction", "fresh", "created", "name1", "name2", "name3", "name4", "sum",
}

// areas are the attributes that hold the regions of one level, from the province
// down, so that counting those of a level does not list all 5000.
var areas = [...]string{"provinces", "prefectures", "counties", "townships", "communities"}

// areaOf returns the attribute that holds a region: a code has two digits for the
// province, the prefecture and the county each, and three for each level below.
func areaOf(code string) string {
	switch {
	case len(code) > 9:
		return areas[4]
	case len(code) > 6:
		return areas[3]
	case strings.HasSuffix(code, "0000"):
		return areas[0]
	case strings.HasSuffix(code, "00"):
		return areas[1]
	}
	return areas[2]
}

// record makes the form in which a document is kept.
func (e *Engine) record(d *search.Document) *record {
	r := &record{
		Key: orderKey(d.ID), ID: d.ID, Street: d.Address, Card: d.Card,
		NameParts: e.parts(d.Names...), AliasParts: e.parts(d.Aliases...), Categories: e.parts(d.Categories...),
		Summary: e.parts(d.Summary), Address: e.parts(d.Address), Places: e.parts(d.Places...),
		Kind: d.Kind, CategoriesOf: d.CategoryCodes, Regions: d.Regions, Features: d.Features, Badges: d.Badges,
		HasVacancy: d.HasVacancy, Demo: d.Demo, PriceFrom: d.PriceFrom, Share: d.Share,
		Satisfaction: d.Satisfaction, Fresh: millis(d.Fresh), Created: millis(d.Created),
	}
	for i, name := range d.Names {
		if i == 0 {
			r.Title, r.Name = name, whole(name)
		} else {
			r.Names = append(r.Names, whole(name))
		}
		r.addSpoken(name)
	}
	for _, alias := range d.Aliases {
		r.Aliases = append(r.Aliases, whole(alias))
		r.addSpoken(alias)
	}
	r.Fuzzy = slices.Clone(r.Pinyin)
	for _, text := range slices.Concat(d.Names, d.Aliases, d.Categories, d.Places) {
		for _, run := range search.Runs(search.Normalize(text)) {
			if run.Script == search.Latin {
				r.Fuzzy = append(r.Fuzzy, run.Text)
			}
		}
	}
	for _, text := range slices.Concat(d.Categories, d.Places) {
		for _, run := range search.Runs(search.Normalize(text)) {
			if run.Script == search.Han {
				syllables := search.Syllables(run.Text)
				initials := search.Initials(syllables)
				r.Spoken = append(r.Spoken, strings.Join(syllables, " "), initials, strings.Join(strings.Split(initials, ""), " "))
				r.Fuzzy = append(r.Fuzzy, strings.Join(syllables, ""))
			}
		}
	}
	r.Spoken, r.Fuzzy = sortedSet(r.Spoken), sortedSet(r.Fuzzy)
	for i, part := range nameKeyOf(r.Title) {
		*[...]*string{&r.Name1, &r.Name2, &r.Name3, &r.Name4}[i] = part
	}
	byArea := map[string]*[]string{"provinces": &r.Provinces, "prefectures": &r.Prefectures, "counties": &r.Counties, "townships": &r.Townships, "communities": &r.Communities}
	for _, code := range d.Regions {
		of := byArea[areaOf(code)]
		*of = append(*of, code)
	}
	if d.Location != nil {
		r.Located, r.Geo = true, &geo{d.Location.Lat, d.Location.Lon}
	}
	if d.Hours != nil {
		r.Hours = hoursKey(d.Hours)
	}
	text, err := json.Marshal(r)
	if err != nil { // a record holds nothing that JSON cannot
		panic(err)
	}
	sum := sha256.Sum256(text)
	r.Sum = hex.EncodeToString(sum[:16])
	return r
}

// whole returns a text as it is, folded.
func whole(text string) string {
	var runs []string
	for _, run := range search.Runs(search.Normalize(text)) {
		if run.Script == search.Han {
			runs = append(runs, strings.TrimSpace(spell(run.Text)))
		} else {
			runs = append(runs, units(run)...)
		}
	}
	return strings.Join(runs, " ")
}

// parts returns the parts of texts: see record.
func (e *Engine) parts(texts ...string) []string {
	var out []string
	for _, text := range texts {
		var single, words []string
		for _, run := range search.Runs(search.Normalize(text)) {
			single = append(single, units(run)...)
			if run.Script == search.Han {
				words = slices.AppendSeq(words, e.config.Lexicon.Find(run.Text))
			}
		}
		if len(single) > 0 {
			out = append(out, strings.Join(single, " "))
		}
		if len(words) > 0 {
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}

// units returns what a run consists of, as Meilisearch is to see it: hanzi, the
// syllables of Tibetan, or the word.
func units(run search.Run) []string {
	switch run.Script {
	case search.Han:
		return strings.Fields(spell(strings.Join(strings.Split(run.Text, ""), " ")))
	case search.Tibetan:
		return strings.Fields(spell(strings.ReplaceAll(run.Text, "་", " ")))
	}
	return []string{spell(run.Text)}
}

// spell writes every character in letters that Meilisearch would cut differently
// from text to text: it knows neither Tibetan nor hanzi beyond the basic plane. The
// beginning of a word stays the beginning.
func spell(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80 || r <= 0xffff && unicode.Is(unicode.Han, r):
			b.WriteRune(r)
		case unicode.Is(unicode.Han, r): // a word of its own
			b.WriteString(" " + letters(r) + " ")
		default:
			b.WriteString(letters(r))
		}
	}
	return b.String()
}

// letters returns six letters that stand for a character.
func letters(r rune) string {
	b := []byte("x-----")
	for i := len(b) - 1; i > 0; i-- {
		b[i] = 'a' + byte(r&15)
		r >>= 4
	}
	return string(b)
}

// addSpoken adds the pinyin of a name and its initials: from every syllable to the
// end, which the beginning of finds what is still being typed, and syllable by
// syllable, in which a phrase finds any stretch.
func (r *record) addSpoken(name string) {
	for _, run := range search.Runs(search.Normalize(name)) {
		if run.Script != search.Han {
			continue
		}
		syllables := search.Syllables(run.Text)
		for from := range syllables {
			r.Pinyin = append(r.Pinyin, strings.Join(syllables[from:], ""))
			r.Initials = append(r.Initials, search.Initials(syllables[from:]))
		}
		if len(syllables) > 1 {
			r.Pinyin = append(r.Pinyin, strings.Join(syllables, " "))
			r.Initials = append(r.Initials, strings.Join(strings.Split(search.Initials(syllables), ""), " "))
		}
	}
}

// lowerHex writes bytes in characters of the same order that Meilisearch does not
// fold into one another.
var lowerHex = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// orderKey returns a key for any text, which compares like it.
func orderKey(s string) string { return "k" + lowerHex.EncodeToString([]byte(s)) }

// nameKeys are the attributes that hold the key by which names are ordered. There
// are several because Meilisearch compares the first 468 bytes of a value.
var nameKeys = [...]string{"name1", "name2", "name3", "name4"}

// nameKeyPart is the length in bytes of a part before it is encoded, a multiple of
// five so that parts compare like the whole.
const nameKeyPart = 285

// nameKeyOf returns the parts of the key by which a name is ordered.
func nameKeyOf(name string) (parts [len(nameKeys)]string) {
	key := search.SortKey(name)
	for i := range parts {
		n := min(nameKeyPart, len(key))
		parts[i] = orderKey(key[:n])
		key = key[n:]
	}
	return parts
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
