package memory

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"

	"qingfu/search"
)

// builder collects the inverted index of a segment.
type builder struct {
	terms terms
	keys  []string
	ids   map[string]int32       // of keys
	hans  map[[window]rune]int32 // of keys of up to three hanzi
	// pairs are all postings in the order in which they came, each behind its key.
	pairs []pair
	fixed map[fixedKey]*fixedText

	sink func(id int32) // gets the keys of the text being read
}

type pair struct {
	key     int32
	posting uint32
}

// fixedText is a text that stands in many documents alike, such as the name of a
// region. Its keys are found once; a document costs one entry however many keys
// there are.
type fixedText struct {
	keys []int32
	docs []uint32
}

type fixedKey struct {
	attribute int
	text      string
}

func newBuilder(lexicon *search.Lexicon) *builder {
	b := &builder{ids: map[string]int32{}, hans: map[[window]rune]int32{}, fixed: map[fixedKey]*fixedText{}}
	b.terms = terms{
		lexicon: lexicon,
		han: func(chars [window]rune) {
			id, ok := b.hans[chars]
			if !ok {
				n := 1
				for n < window && chars[n] != 0 {
					n++
				}
				id = b.id(string(textKey) + string(chars[:n]))
				b.hans[chars] = id
			}
			b.sink(id)
		},
		emit: func(kind byte, text string) { b.sink(b.id(string(kind) + text)) },
	}
	return b
}

// id returns the number of a key.
func (b *builder) id(key string) int32 {
	id, ok := b.ids[key]
	if !ok {
		id = int32(len(b.keys))
		b.ids[key] = id
		b.keys = append(b.keys, key)
	}
	return id
}

// add indexes the texts of one document.
func (b *builder) add(number int, d *search.Document) {
	free := func(attribute int, text string) {
		p := posting(number, attribute)
		b.sink = func(id int32) { b.pairs = append(b.pairs, pair{id, p}) }
		norm := search.Normalize(text)
		if attribute == inName || attribute == inAlias {
			b.terms.text(norm, window)
			b.terms.name(norm)
		} else {
			b.terms.text(norm, 2)
		}
	}
	for _, name := range d.Names {
		free(inName, name)
	}
	for _, alias := range d.Aliases {
		free(inAlias, alias)
	}
	for _, text := range d.Categories {
		b.addFixed(number, inCategory, text)
	}
	free(inSummary, d.Summary)
	free(inAddress, d.Address)
	for _, text := range d.Places {
		b.addFixed(number, inAddress, text)
	}
}

// addFixed adds a document to a fixed text.
func (b *builder) addFixed(number, attribute int, text string) {
	k := fixedKey{attribute, text}
	f := b.fixed[k]
	if f == nil {
		f = &fixedText{}
		b.fixed[k] = f
		b.sink = func(id int32) { f.keys = append(f.keys, id) }
		b.terms.text(search.Normalize(text), window)
		slices.Sort(f.keys)
		f.keys = slices.Compact(f.keys)
	}
	if n := len(f.docs); n == 0 || f.docs[n-1] != uint32(number) {
		f.docs = append(f.docs, uint32(number))
	}
}

// lists returns the postings of each key, sorted. It empties the pairs.
func (b *builder) lists() [][]uint32 {
	ends := make([]int, len(b.keys)+1)
	for _, p := range b.pairs {
		ends[p.key+1]++
	}
	for i := range b.keys {
		ends[i+1] += ends[i]
	}
	all := make([]uint32, len(b.pairs))
	next := slices.Clone(ends)
	for _, p := range b.pairs {
		all[next[p.key]] = p.posting
		next[p.key]++
	}
	b.pairs = nil
	lists := make([][]uint32, len(b.keys))
	for i := range lists {
		l := all[ends[i]:ends[i+1]]
		if !slices.IsSorted(l) { // documents come in order unless segments are merged
			slices.Sort(l)
		}
		lists[i] = slices.Compact(l)
	}
	return lists
}

// finish writes the collected postings into a segment.
func (b *builder) finish(s *segment) error {
	values := b.writeLists(s)
	derived := b.deriveSpoken(s, values)

	keys := slices.AppendSeq(slices.Clone(b.keys), maps.Keys(derived))
	slices.Sort(keys)
	keys = slices.Compact(keys)
	var dict bytes.Buffer
	fst, err := vellum.New(&dict, nil)
	if err != nil {
		return err
	}
	for _, key := range keys {
		value, ok := derived[key]
		if !ok {
			value = values[b.ids[key]]
		}
		if err := fst.Insert([]byte(key), value); err != nil {
			return fmt.Errorf("term dictionary: %w", err)
		}
	}
	if err := fst.Close(); err != nil {
		return fmt.Errorf("term dictionary: %w", err)
	}
	s.small = slices.Clip(s.small)
	s.dictBytes = slices.Clone(dict.Bytes())
	s.dict, err = vellum.Load(s.dictBytes)
	return err
}

// writeLists stores the postings of every collected key and returns their
// dictionary values.
func (b *builder) writeLists(s *segment) []uint64 {
	type contribution struct {
		attribute int
		docs      *roaring.Bitmap
	}
	fixed := map[int32][]contribution{}
	for k, f := range b.fixed {
		c := contribution{k.attribute, roaring.BitmapOf(f.docs...)}
		for _, id := range f.keys {
			fixed[id] = append(fixed[id], c)
		}
	}
	values := make([]uint64, len(b.keys))
	for id, list := range b.lists() {
		more := fixed[int32(id)]
		if len(more) == 0 && len(list) <= maxSmall {
			values[id] = s.writeSmall(list)
			continue
		}
		p := newPostings(list)
		for _, c := range more {
			p.in[c.attribute] = or(p.in[c.attribute], c.docs)
		}
		p.complete()
		values[id] = s.write(p)
	}
	return values
}

// deriveSpoken returns the dictionary values of the spoken forms of the
// collected keys. A form that stems from one key shares its postings.
func (b *builder) deriveSpoken(s *segment, values []uint64) map[string]uint64 {
	sources := map[string][]int32{}
	for id, key := range b.keys {
		for _, form := range spoken(key) {
			sources[form] = append(sources[form], int32(id))
		}
	}
	derived := make(map[string]uint64, len(sources))
	for form, ids := range sources {
		if id, ok := b.ids[form]; ok && !slices.Contains(ids, id) {
			ids = append(ids, id) // a name in letters that spells one in hanzi
		}
		if len(ids) == 1 {
			derived[form] = values[ids[0]]
			continue
		}
		var p postings
		for _, id := range ids {
			q := s.postings(values[id])
			p.or(&q)
		}
		derived[form] = s.write(p)
	}
	return derived
}
