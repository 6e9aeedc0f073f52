package memory

import (
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// postings are the documents that have a key. The caller must not change them;
// nil means none.
type postings struct {
	in  [attributes]*roaring.Bitmap // by attribute
	all *roaring.Bitmap             // in any
}

// A posting is an entry of the inverted index: the document's number and the
// attribute in the lowest 3 bits.
func posting(d, attribute int) uint32 { return uint32(d)<<3 | uint32(attribute) }

// maxSmall is the number of postings up to which a key keeps them as a list of
// differences. Above it, bitmaps are faster and hardly larger.
const maxSmall = 256

// isLarge marks the dictionary values that are places in segment.large.
const isLarge = 1 << 63

// write stores postings in the smaller form and returns their dictionary value.
func (s *segment) write(p postings) uint64 {
	if p.all.GetCardinality() <= maxSmall/2 {
		return s.writeSmall(p.list())
	}
	p.compact()
	s.large = append(s.large, p)
	return isLarge | uint64(len(s.large)-1)
}

// writeSmall stores a list of postings as its length and the differences.
func (s *segment) writeSmall(list []uint32) uint64 {
	at := uint64(len(s.small))
	s.small = binary.AppendUvarint(s.small, uint64(len(list)))
	last := uint32(0)
	for _, p := range list {
		s.small = binary.AppendUvarint(s.small, uint64(p-last))
		last = p
	}
	return at
}

// newPostings sorts a list of postings into bitmaps by attribute.
func newPostings(list []uint32) (p postings) {
	var docs [attributes][]uint32
	for _, e := range list {
		docs[e&7] = append(docs[e&7], e>>3)
	}
	for a, d := range docs {
		if len(d) > 0 {
			p.in[a] = roaring.BitmapOf(d...)
		}
	}
	return p
}

// complete sets all from the attributes.
func (p *postings) complete() {
	p.all = nil
	for _, bits := range p.in {
		p.all = or(p.all, bits)
	}
}

// compact replaces the bitmaps by smaller ones where there are.
func (p *postings) compact() {
	shrink := func(b *roaring.Bitmap) *roaring.Bitmap {
		b = b.Clone()
		b.RunOptimize()
		return b
	}
	for a, bits := range p.in {
		switch {
		case bits == nil:
		case bits == p.all:
			p.all = shrink(bits)
			p.in[a] = p.all
		default:
			p.in[a] = shrink(bits)
		}
	}
}

// list returns the postings as the sorted list that newPostings reads.
func (p *postings) list() []uint32 {
	var list []uint32
	for a, bits := range p.in {
		if bits != nil {
			bits.Iterate(func(d uint32) bool { list = append(list, posting(int(d), a)); return true })
		}
	}
	slices.Sort(list)
	return list
}

// decode returns the postings behind a dictionary value as a list.
func (s *segment) decode(value uint64) []uint32 {
	if value&isLarge != 0 {
		return s.large[value&^isLarge].list()
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

// postings returns the documents behind a dictionary value.
func (s *segment) postings(value uint64) postings {
	if value&isLarge != 0 {
		return s.large[value&^isLarge]
	}
	p := newPostings(s.decode(value))
	p.complete()
	return p
}

// lookup returns the postings of a key.
func (s *segment) lookup(key string) (postings, bool) {
	value, ok, err := s.dict.Get([]byte(key))
	if err != nil || !ok { // the dictionary is in memory: an error would be a bug in its bytes
		return postings{}, false
	}
	return s.postings(value), true
}
