package search

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	gopinyin "github.com/mozillazg/go-pinyin"
)

//go:embed phrases.txt
var phraseFile string

// readings holds how characters are read: each by itself, and the phrases that
// deviate.
type readings struct {
	first   rune // of table
	table   []string
	phrases map[string][]string
	longest int             // phrase in bytes
	known   map[string]bool // every syllable that some character is read as
}

var theReadings = sync.OnceValue(func() *readings {
	r := &readings{first: 0x4e00, table: make([]string, 0x9fff-0x4e00+1), phrases: map[string][]string{}, known: map[string]bool{}}
	args := gopinyin.NewArgs()
	for i := range r.table {
		if p := gopinyin.SinglePinyin(r.first+rune(i), args); len(p) > 0 {
			s := strings.ReplaceAll(p[0], "ü", "v")
			if s == "n" || s == "m" || s == "ng" || s == "hm" || s == "hng" {
				continue // interjections, which no name is made of
			}
			r.table[i] = s
			r.known[s] = true
		}
	}
	for line := range strings.Lines(phraseFile) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if c, n := utf8.DecodeRuneInString(f[0]); n == len(f[0]) {
			r.table[c-r.first] = f[1]
			continue
		}
		r.phrases[f[0]] = f[1:]
		r.longest = max(r.longest, len(f[0]))
	}
	return r
})

// Syllables returns the pinyin of each character of a run of hanzi, without
// tones and with v for ü; a character without a known reading gives "".
func Syllables(han string) []string {
	r := theReadings()
	out := make([]string, 0, utf8.RuneCountInString(han))
	for i := 0; i < len(han); {
		if phrase, n := r.phraseAt(han[i:]); n > 0 {
			out = append(out, phrase...)
			i += n
			continue
		}
		c, n := utf8.DecodeRuneInString(han[i:])
		reading := ""
		if k := int(c - r.first); k >= 0 && k < len(r.table) {
			reading = r.table[k]
		}
		out = append(out, reading)
		i += n
	}
	return out
}

// phraseAt returns the longest phrase that s begins with and its length in bytes.
func (r *readings) phraseAt(s string) ([]string, int) {
	for n := min(r.longest, len(s)); n > 3; n -= 3 {
		if p, ok := r.phrases[s[:n]]; ok {
			return p, n
		}
	}
	return nil, 0
}

// SortKey returns the key by which names are ordered as a Chinese reader
// expects: the pinyin of hanzi, then everything else as it is, and the name
// itself to tell homophones apart.
func SortKey(name string) string {
	var b strings.Builder
	for _, run := range Runs(Normalize(name)) {
		if run.Script == Han {
			for _, s := range Syllables(run.Text) {
				b.WriteString(s)
				b.WriteByte(' ')
			}
		} else {
			b.WriteString(run.Text)
			b.WriteByte(' ')
		}
	}
	b.WriteByte(0)
	b.WriteString(name)
	return b.String()
}

// maxSplits bounds the readings that SplitPinyin returns.
const maxSplits = 8

// SplitPinyin returns the ways to read letters as whole syllables of pinyin,
// fewest syllables first, each optionally ending in the beginning of a syllable
// when partial is set. It returns at most 8 ways and none for letters that are
// not pinyin.
func SplitPinyin(letters string, partial bool) [][]string {
	known := theReadings().known
	var out [][]string
	var path []string
	// Whether the rest from an offset can be read at all, so that a hopeless
	// text costs no exponential search.
	dead := make([]bool, len(letters)+1)
	var walk func(at int) bool
	walk = func(at int) bool {
		if len(out) >= maxSplits {
			return true
		}
		if at == len(letters) {
			out = append(out, append([]string(nil), path...))
			return true
		}
		if dead[at] {
			return false
		}
		ok := false
		for n := min(6, len(letters)-at); n > 0; n-- {
			piece := letters[at : at+n]
			if known[piece] || partial && at+n == len(letters) && len(Completions(piece)) > 0 {
				path = append(path, piece)
				ok = walk(at+n) || ok
				path = path[:len(path)-1]
			}
		}
		dead[at] = !ok
		return ok
	}
	walk(0)
	slices.SortStableFunc(out, func(a, b []string) int { return len(a) - len(b) })
	return out
}

var completionTable = sync.OnceValue(func() map[string][]string {
	table := map[string][]string{}
	for s := range theReadings().known {
		for n := 1; n <= len(s); n++ {
			table[s[:n]] = append(table[s[:n]], s)
		}
	}
	return table
})

// Completions returns every syllable of pinyin that begins with piece, in no
// particular order.
func Completions(piece string) []string { return completionTable()[piece] }

// Initials returns the first letters of syllables; a syllable that is not known
// gives "?".
func Initials(syllables []string) string {
	b := make([]byte, len(syllables))
	for i, s := range syllables {
		b[i] = '?'
		if s != "" {
			b[i] = s[0]
		}
	}
	return string(b)
}
