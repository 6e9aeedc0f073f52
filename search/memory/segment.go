package memory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"

	"qingfu/directory"
	"qingfu/search"
)

// segment is an immutable index of documents. They are numbered from 0 in the
// order in which equally relevant ones are shown, so that walking a bitmap from
// its beginning yields the best first.
type segment struct {
	docs []doc
	all  *roaring.Bitmap

	// The dictionary maps a key to its postings: the place in large, or the
	// offset in small, where most keys have theirs.
	dict  *vellum.FST
	large []postings
	small []byte

	fields map[string]*roaring.Bitmap // documents by value of a field, see fieldKey
	facets map[search.Facet][]facetValue

	price []int32   // fen, lowest; -1 where unknown
	share []float32 // satisfaction; -1 where unpublished
	hours []uint32  // place in hoursSet, of which the first is nil
	// hoursSet are the distinct opening hours: there are far fewer of them than
	// documents, so "open now" looks at each only once.
	hoursSet []*directory.Hours

	newest, name order
	geo          geo
}

// doc is what is kept of a document besides the index.
type doc struct {
	id           string
	card         []byte
	name         string
	address      string
	sortName     string
	kind         directory.Kind
	satisfaction float64
	fresh        int64 // milliseconds since 1970
	created      int64
}

// postings are the documents that have a key, by attribute; nil means none.
type postings [attributes]*roaring.Bitmap

// facetValue is one value of a facet with its documents.
type facetValue struct {
	value string
	docs  *roaring.Bitmap
}

// fieldKey is the key of segment.fields.
func fieldKey(field search.Facet, value string) string { return string(field) + ":" + value }

// The keys of fields that are not facets.
const (
	vacancyField = "vacancy"
	demoField    = "demo"
)

// A posting is an entry of the inverted index: the document's number and the
// attribute in the lowest 3 bits.
func posting(d, attribute int) uint32 { return uint32(d)<<3 | uint32(attribute) }

// maxSmall is the number of postings up to which a key keeps them as a list of
// differences. Above it, bitmaps are faster and hardly larger.
const maxSmall = 256

// isLarge marks the dictionary values that are places in segment.large.
const isLarge = 1 << 63

// builder collects the inverted index of a segment.
type builder struct {
	ids    map[string]int32
	keys   []string
	lists  [][]uint32         // postings by key
	cached map[string][]int32 // the keys of texts that stand in many documents
}

func newBuilder() *builder {
	return &builder{ids: map[string]int32{}, cached: map[string][]int32{}}
}

// id returns the number of a key.
func (b *builder) id(key []byte) int32 {
	if id, ok := b.ids[string(key)]; ok {
		return id
	}
	id := int32(len(b.keys))
	s := string(key)
	b.ids[s] = id
	b.keys = append(b.keys, s)
	b.lists = append(b.lists, nil)
	return id
}

// post adds a posting, which must not be below the last one of the key.
func (b *builder) post(id int32, p uint32) {
	if l := b.lists[id]; len(l) == 0 || l[len(l)-1] < p {
		b.lists[id] = append(l, p)
	}
}

// cachedKeys returns the numbers of the text and spoken keys of a text that is
// expected again.
func (b *builder) cachedKeys(text string) []int32 {
	if ids, ok := b.cached[text]; ok {
		return ids
	}
	var ids []int32
	emit := func(key []byte) { ids = append(ids, b.id(key)) }
	norm := search.Normalize(text)
	textKeys(norm, emit)
	spokenKeys(norm, emit)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	b.cached[text] = ids
	return ids
}

// add indexes the texts of one document. Attributes are visited in their order,
// so that the postings of a key rise.
func (b *builder) add(number int, d *search.Document) {
	attribute := 0
	emit := func(key []byte) { b.post(b.id(key), posting(number, attribute)) }
	free := func(text string) {
		norm := search.Normalize(text)
		textKeys(norm, emit)
		if attribute == inName || attribute == inAlias {
			spokenKeys(norm, emit)
			nameKeys(norm, emit)
		}
	}
	fixed := func(text string) {
		for _, id := range b.cachedKeys(text) {
			b.post(id, posting(number, attribute))
		}
	}
	for _, name := range d.Names {
		free(name)
	}
	attribute = inAlias
	for _, alias := range d.Aliases {
		free(alias)
	}
	attribute = inCategory
	fixed(d.Categories)
	attribute = inSummary
	free(d.Summary)
	attribute = inAddress
	free(d.Address)
	for _, place := range d.Places {
		fixed(place)
	}
}

// finish writes the collected postings into a segment.
func (b *builder) finish(s *segment) error {
	slices.Sort(b.keys)
	var dict bytes.Buffer
	fst, err := vellum.New(&dict, nil)
	if err != nil {
		return err
	}
	for _, key := range b.keys {
		list := b.lists[b.ids[key]]
		value := uint64(len(s.small))
		if len(list) > maxSmall {
			value = isLarge | uint64(len(s.large))
			s.large = append(s.large, newPostings(list))
		} else {
			s.small = binary.AppendUvarint(s.small, uint64(len(list)))
			last := uint32(0)
			for _, p := range list {
				s.small = binary.AppendUvarint(s.small, uint64(p-last))
				last = p
			}
		}
		if err := fst.Insert([]byte(key), value); err != nil {
			return fmt.Errorf("term dictionary: %w", err)
		}
	}
	if err := fst.Close(); err != nil {
		return fmt.Errorf("term dictionary: %w", err)
	}
	s.small = slices.Clip(s.small)
	s.dict, err = vellum.Load(slices.Clip(dict.Bytes()))
	return err
}

// newPostings sorts a list of postings into bitmaps.
func newPostings(list []uint32) (p postings) {
	var docs [attributes][]uint32
	for _, e := range list {
		docs[e&7] = append(docs[e&7], e>>3)
	}
	for a, d := range docs {
		if len(d) > 0 {
			p[a] = roaring.BitmapOf(d...)
			p[a].RunOptimize()
		}
	}
	return p
}

// decode returns the postings behind a dictionary value as a list.
func (s *segment) decode(value uint64) []uint32 {
	if value&isLarge != 0 {
		var list []uint32
		for a, bits := range s.large[value&^isLarge] {
			if bits != nil {
				bits.Iterate(func(d uint32) bool { list = append(list, d<<3|uint32(a)); return true })
			}
		}
		return list
	}
	b := s.small[value:]
	n, w := binary.Uvarint(b)
	list := make([]uint32, n)
	last := uint32(0)
	for i := range list {
		b = b[w:]
		var diff uint64
		diff, w = binary.Uvarint(b)
		last += uint32(diff)
		list[i] = last
	}
	return list
}

// postings returns the documents behind a dictionary value. The caller must not
// change the bitmaps.
func (s *segment) postings(value uint64) postings {
	if value&isLarge != 0 {
		return s.large[value&^isLarge]
	}
	return newPostings(s.decode(value))
}

// lookup returns the postings of a key.
func (s *segment) lookup(key string) (postings, bool) {
	value, ok, err := s.dict.Get([]byte(key))
	if err != nil || !ok { // the dictionary is in memory: an error would be a bug in its bytes
		return postings{}, false
	}
	return s.postings(value), true
}

// buildSegment indexes documents. Hours of equal content should be the same
// pointer.
func buildSegment(docs []search.Document) (*segment, error) {
	sorted := make([]*search.Document, len(docs))
	for i := range docs {
		sorted[i] = &docs[i]
	}
	slices.SortFunc(sorted, func(a, b *search.Document) int {
		x, y := rankOf(a), rankOf(b)
		return x.compare(y)
	})
	c := newColumns(len(docs))
	b := newBuilder()
	for i, d := range sorted {
		b.add(i, d)
		c.add(i, d)
	}
	s := c.segment()
	return s, b.finish(s)
}

// columns collects the parts of a segment that are arrays over its documents.
type columns struct {
	s         *segment
	fields    map[string][]uint32
	hoursSeen map[*directory.Hours]uint32
}

func newColumns(n int) *columns {
	return &columns{
		s: &segment{
			docs: make([]doc, 0, n), price: make([]int32, 0, n), share: make([]float32, 0, n),
			hours: make([]uint32, 0, n), hoursSet: []*directory.Hours{nil}, geo: newGeo(n),
		},
		fields:    map[string][]uint32{},
		hoursSeen: map[*directory.Hours]uint32{nil: 0},
	}
}

func (c *columns) field(key string, d int) { c.fields[key] = append(c.fields[key], uint32(d)) }

// add appends document d to every column.
func (c *columns) add(d int, in *search.Document) {
	name := ""
	if len(in.Names) > 0 {
		name = in.Names[0]
	}
	c.s.docs = append(c.s.docs, doc{
		id: in.ID, card: in.Card, name: name, address: in.Address, sortName: in.SortName, kind: in.Kind,
		satisfaction: in.Satisfaction, fresh: millis(in.Fresh), created: millis(in.Created),
	})
	c.field(fieldKey(search.KindFacet, string(in.Kind)), d)
	for _, v := range in.CategoryCodes {
		c.field(fieldKey(search.CategoryFacet, v), d)
	}
	for _, v := range in.Regions {
		c.field(fieldKey(search.RegionFacet, v), d)
	}
	for _, v := range in.Features {
		c.field(fieldKey(search.FeatureFacet, v), d)
	}
	for _, v := range in.Badges {
		c.field(fieldKey(search.BadgeFacet, v), d)
	}
	if in.HasVacancy {
		c.field(vacancyField, d)
	}
	if in.Demo {
		c.field(demoField, d)
	}
	price, share := int32(-1), float32(-1)
	if in.PriceFrom != nil {
		price = int32(*in.PriceFrom)
	}
	if in.Share != nil {
		share = float32(*in.Share)
	}
	c.values(price, share, in.Hours)
	c.s.geo.add(d, in.Location)
}

// values appends to the columns of numbers.
func (c *columns) values(price int32, share float32, hours *directory.Hours) {
	c.s.price = append(c.s.price, price)
	c.s.share = append(c.s.share, share)
	h, ok := c.hoursSeen[hours]
	if !ok {
		h = uint32(len(c.s.hoursSet))
		c.hoursSeen[hours] = h
		c.s.hoursSet = append(c.s.hoursSet, hours)
	}
	c.s.hours = append(c.s.hours, h)
}

// segment completes the columns.
func (c *columns) segment() *segment {
	s := c.s
	s.all = roaring.New()
	s.all.AddRange(0, uint64(len(s.docs)))
	s.fields = make(map[string]*roaring.Bitmap, len(c.fields))
	s.facets = map[search.Facet][]facetValue{}
	for key, docs := range c.fields {
		bits := roaring.BitmapOf(docs...)
		bits.RunOptimize()
		s.fields[key] = bits
		// Region counts are asked for by code, so there is no list of them.
		if field, value, ok := strings.Cut(key, ":"); ok && search.Facet(field) != search.RegionFacet {
			f := search.Facet(field)
			s.facets[f] = append(s.facets[f], facetValue{value, bits})
		}
	}
	s.newest = newOrder(len(s.docs), func(a, b uint32) bool { return s.docs[a].created > s.docs[b].created })
	s.name = newOrder(len(s.docs), func(a, b uint32) bool { return s.docs[a].sortName < s.docs[b].sortName })
	return s
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
