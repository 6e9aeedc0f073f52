package memory

import (
	"slices"
	"strings"
	"sync/atomic"
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
	dict      *vellum.FST
	dictBytes []byte // what dict reads
	large     []postings
	small     []byte

	fields map[string]*roaring.Bitmap              // documents by value of a field, see fieldKey
	facets map[search.Facet]map[string]*facetValue // by value

	price []int32   // fen, lowest; -1 where unknown
	share []float32 // satisfaction; -1 where unpublished
	hours []uint32  // place in hoursSet, of which the first is nil
	// hoursSet are the distinct opening hours: there are far fewer of them than
	// documents, so "open now" looks at each only once.
	hoursSet []*directory.Hours
	open     atomic.Pointer[openMemo]

	newest, name order
	geo          geo
}

// doc is what is kept of a document besides the index. The texts are parts of
// the card wherever they can be found in it.
type doc struct {
	id           string
	card         string
	name         string
	address      string
	kind         directory.Kind
	satisfaction float64
	fresh        int64 // milliseconds since 1970
	created      int64
}

// newDoc copies what is kept of a document.
func newDoc(in *search.Document) doc {
	d := doc{
		card: in.Card, kind: in.Kind,
		satisfaction: in.Satisfaction, fresh: millis(in.Fresh), created: millis(in.Created),
	}
	name := ""
	if len(in.Names) > 0 {
		name = in.Names[0]
	}
	d.id, d.name, d.address = d.part(in.ID), d.part(name), d.part(in.Address)
	return d
}

// part returns a text as a part of the card, or else a copy.
func (d *doc) part(text string) string {
	if at := strings.Index(d.card, text); at >= 0 {
		return d.card[at : at+len(text)]
	}
	return strings.Clone(text)
}

// fieldKey is the key of segment.fields.
func fieldKey(field search.Facet, value string) string { return string(field) + ":" + value }

// The keys of fields that are not facets.
const (
	vacancyField = "vacancy"
	demoField    = "demo"
)

// buildSegment indexes documents. Hours of equal content should be the same
// pointer.
func buildSegment(lexicon *search.Lexicon, docs []search.Document) (*segment, error) {
	sorted := make([]*search.Document, len(docs))
	for i := range docs {
		sorted[i] = &docs[i]
	}
	slices.SortFunc(sorted, func(a, b *search.Document) int {
		x, y := rankOf(a), rankOf(b)
		return x.compare(y)
	})
	c := newColumns(len(docs))
	b := newBuilder(lexicon)
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
	c.s.docs = append(c.s.docs, newDoc(in))
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
	s.geo.finish()
	fields := make(map[string]*roaring.Bitmap, len(c.fields))
	for key, docs := range c.fields {
		bits := roaring.BitmapOf(docs...)
		bits.RunOptimize()
		fields[key] = bits
	}
	s.setFields(fields)
	sortNames := make([]string, len(s.docs))
	for i := range s.docs {
		sortNames[i] = search.SortKey(s.docs[i].name)
	}
	s.newest = newOrder(len(s.docs), func(a, b uint32) bool { return s.docs[a].created > s.docs[b].created })
	s.name = newOrder(len(s.docs), func(a, b uint32) bool { return sortNames[a] < sortNames[b] })
	return s
}

// setFields sets the fields and what follows from them.
func (s *segment) setFields(fields map[string]*roaring.Bitmap) {
	s.all = roaring.New()
	s.all.AddRange(0, uint64(len(s.docs)))
	s.fields = fields
	s.facets = map[search.Facet]map[string]*facetValue{}
	for key, bits := range fields {
		if field, value, ok := strings.Cut(key, ":"); ok {
			f := search.Facet(field)
			if s.facets[f] == nil {
				s.facets[f] = map[string]*facetValue{}
			}
			s.facets[f][value] = newFacetValue(value, bits.ToArray(), len(s.docs))
		}
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
