package memory

import (
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/directory"
	"qingfu/search"
)

// filters are the documents of one segment that pass each part of a query. The
// parts with a disjunctive facet are apart, so that its counts can leave its
// own filter out. A nil part does not restrict.
type filters struct {
	rest   *roaring.Bitmap // text, all other filters, and being alive
	kind   *roaring.Bitmap
	cat    *roaring.Bitmap
	region *roaring.Bitmap
}

// filter applies a query's filters to a segment. text is the documents that
// have the words, nil for a query without text.
func (s *segment) filter(q *search.Query, cal *directory.Calendar, text, dead *roaring.Bitmap) filters {
	var f filters
	f.kind = anyOf(s, search.KindFacet, q.Kinds)
	f.cat = anyOf(s, search.CategoryFacet, q.Categories)
	f.region = anyOf(s, search.RegionFacet, q.Regions)

	f.rest = s.all
	if text != nil {
		f.rest = text
	}
	need := func(bits *roaring.Bitmap) {
		if bits == nil {
			bits = none
		}
		f.rest = s.intersect(f.rest, bits)
	}
	for _, v := range q.Features {
		need(s.fields[fieldKey(search.FeatureFacet, v)])
	}
	for _, v := range q.Badges {
		need(s.fields[fieldKey(search.BadgeFacet, v)])
	}
	flag := func(want *bool, field string) {
		switch bits := s.fields[field]; {
		case want == nil:
		case *want:
			need(bits)
		case bits != nil:
			f.rest = roaring.AndNot(f.rest, bits)
		}
	}
	flag(q.HasVacancy, vacancyField)
	flag(q.Demo, demoField)
	if q.RadiusM > 0 && q.Near != nil {
		need(s.geo.within(*q.Near, q.RadiusM))
	}
	if q.Box != nil {
		need(s.geo.inBox(*q.Box))
	}
	if q.PriceMax != nil {
		need(where(s.price, func(p int32) bool { return p >= 0 && int64(p) <= *q.PriceMax }))
	}
	if q.MinSatisfaction != nil {
		need(where(s.share, func(v float32) bool { return v >= float32(*q.MinSatisfaction) }))
	}
	if q.OpenNow {
		open := s.openHours(q.Now, cal)
		need(where(s.hours, func(h uint32) bool { return open[h] }))
	}
	if dead != nil {
		f.rest = roaring.AndNot(f.rest, dead)
	}
	return f
}

var none = roaring.New()

// anyOf returns the documents with any of the values, nil when there are no values.
func anyOf[V ~string](s *segment, field search.Facet, values []V) *roaring.Bitmap {
	if len(values) == 0 {
		return nil
	}
	var docs *roaring.Bitmap
	for _, v := range values {
		docs = or(docs, s.fields[fieldKey(field, string(v))])
	}
	if docs == nil {
		return none
	}
	return docs
}

// intersect spares the work where one side is the whole segment.
func (s *segment) intersect(a, b *roaring.Bitmap) *roaring.Bitmap {
	switch {
	case a == s.all:
		return b
	case b == s.all:
		return a
	}
	return roaring.And(a, b)
}

// where returns the documents whose value in a column is kept.
func where[V any](column []V, keep func(V) bool) *roaring.Bitmap {
	words := make([]uint64, (len(column)+63)/64)
	for d, v := range column {
		if keep(v) {
			words[d/64] |= 1 << (d % 64)
		}
	}
	return roaring.FromDense(words, false)
}

// openMemo is which of a segment's distinct hours are open in one minute.
type openMemo struct {
	minute int64 // since 1970
	open   []bool
}

// openHours tells of each distinct opening hours whether they include t. It
// remembers the answer for the minute, which is as fine as hours are.
func (s *segment) openHours(t time.Time, cal *directory.Calendar) []bool {
	minute := t.Unix() / 60
	if m := s.open.Load(); m != nil && m.minute == minute {
		return m.open
	}
	m := &openMemo{minute, make([]bool, len(s.hoursSet))}
	for i, h := range s.hoursSet {
		m.open[i] = h.OpenAt(t, cal)
	}
	s.open.Store(m)
	return m.open
}

// passing returns the documents that pass every part but the one left out.
func (s *segment) passing(f *filters, except search.Facet) *roaring.Bitmap {
	docs := f.rest
	for _, facet := range [...]search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet} {
		if part := f.part(facet); part != nil && facet != except {
			docs = s.intersect(docs, part)
		}
	}
	return docs
}

// restricts tells whether a facet's own filter leaves documents out.
func (f *filters) restricts(facet search.Facet) bool { return f.part(facet) != nil }

func (f *filters) part(facet search.Facet) *roaring.Bitmap {
	switch facet {
	case search.KindFacet:
		return f.kind
	case search.CategoryFacet:
		return f.cat
	case search.RegionFacet:
		return f.region
	}
	return nil
}
