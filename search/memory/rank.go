package memory

import (
	"strings"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/search"
)

// Relevance is decided by rules, one after the other; a later one only orders
// what the earlier ones find equal. The last decision, satisfaction and
// freshness, is the order of document numbers.
//
//  1. typos: fewer first
//  2. proximity: more neighbouring words of the query also stand side by side in
//     the name, or else in an alias, or else in what classifies the listing
//  3. attribute: name before alias, category, summary, address; summed over words
//  4. exactness: the query is the whole name; is an alias; stands in the name
//     with nothing left out; begins the name; is found as typed; is found by
//     synonyms or an unfinished word
const rules = 4

// path is the cost of a document under each rule.
type path [rules]uint8

// rule gives every document a cost: the sum over its parts of the first level
// that holds the document, or the number of levels where none does.
type rule struct {
	parts [][]*roaring.Bitmap
}

// relevance returns the rules for the terms in one segment.
func (s *segment) relevance(terms []term, at int, text string) [rules]rule {
	var out [rules]rule
	add := func(r int, levels ...*roaring.Bitmap) { out[r].parts = append(out[r].parts, levels) }

	var literal *roaring.Bitmap
	for i, t := range terms {
		m := &t.matches[at]
		if t.fuzzy {
			add(0, m.typos[:]...)
		}
		if i > 0 {
			b := s.bridge(terms[i-1].Word, t.Word)
			add(1, b.in[inName], b.in[inAlias], b.in[inCategory])
		}
		add(2, m.in[:]...)
		if i == 0 {
			literal = m.literal
		} else {
			literal = and(literal, m.literal)
		}
	}

	norm := search.Normalize(text)
	whole, _ := s.lookup(string(wholeKey) + strings.ReplaceAll(norm, " ", ""))
	begins, _ := s.lookup(string(beginKey) + beginning(norm))
	add(3, whole.in[inName], whole.in[inAlias], s.holding(norm).in[inName], begins.in[inName], literal)
	return out
}

// holding returns where a text of hanzi stands as it is, the words that a query
// leaves out included: a firm may be called 放心 or 到家.
func (s *segment) holding(norm string) postings {
	runs := search.Runs(norm)
	if len(runs) != 1 || runs[0].Script != search.Han {
		return postings{}
	}
	p, _ := s.fill(hanSlots(runs[0].Text))
	return p
}

// beginning returns what a name must begin with to begin like a query: the form
// that nameKeys emits.
func beginning(norm string) string {
	runs := search.Runs(norm)
	if len(runs) == 0 {
		return ""
	}
	text := runs[0].Text
	switch runs[0].Script {
	case search.Han:
		_, n := utf8.DecodeRuneInString(text)
		_, m := utf8.DecodeRuneInString(text[n:])
		return text[:n+m]
	case search.Latin:
		if full := search.SplitPinyin(text, false); len(full) > 0 {
			return strings.Join(full[0][:min(2, len(full[0]))], "")
		}
	}
	return text
}

// few is the number of documents up to which a rule looks at each by itself.
const few = 256

// walk visits the documents of u in groups of equal cost, cheapest first, from
// the cost from on, until visit returns false. It reports whether it got to the
// end.
func (r rule) walk(u *roaring.Bitmap, from uint8, visit func(cost uint8, docs *roaring.Bitmap) bool) bool {
	if len(r.parts) == 0 {
		return visit(0, u)
	}
	if n := u.GetCardinality(); n <= few {
		return r.walkFew(u, from, visit)
	}
	if len(r.parts) == 1 {
		return r.walkLevels(u, from, visit)
	}
	levels := make([][]*roaring.Bitmap, len(r.parts))
	most := 0
	for i, part := range r.parts {
		rest := u
		for _, bits := range part {
			level := and(rest, bits)
			if level != nil {
				rest = roaring.AndNot(rest, level)
			}
			levels[i] = append(levels[i], level)
		}
		levels[i] = append(levels[i], rest)
		most += len(part)
	}
	for cost := int(from); cost <= most; cost++ {
		if docs := sum(levels, u, cost); docs != nil && !docs.IsEmpty() && !visit(uint8(cost), docs) {
			return false
		}
	}
	return true
}

// walkLevels visits the levels of a single part, no more than are needed.
func (r rule) walkLevels(u *roaring.Bitmap, from uint8, visit func(cost uint8, docs *roaring.Bitmap) bool) bool {
	for cost, bits := range r.parts[0] {
		level := and(u, bits)
		if level == nil {
			continue
		}
		if cost >= int(from) && !visit(uint8(cost), level) {
			return false
		}
		u = roaring.AndNot(u, level)
	}
	return u.IsEmpty() || visit(uint8(len(r.parts[0])), u)
}

// sum returns the documents of u whose levels add up to cost.
func sum(levels [][]*roaring.Bitmap, u *roaring.Bitmap, cost int) *roaring.Bitmap {
	if len(levels) == 1 {
		if cost < len(levels[0]) {
			return and(u, levels[0][cost])
		}
		return nil
	}
	var docs *roaring.Bitmap
	for c := 0; c <= cost && c < len(levels[0]); c++ {
		if rest := and(u, levels[0][c]); rest != nil {
			docs = or(docs, sum(levels[1:], rest, cost-c))
		}
	}
	return docs
}

func (r rule) walkFew(u *roaring.Bitmap, from uint8, visit func(cost uint8, docs *roaring.Bitmap) bool) bool {
	var groups []*roaring.Bitmap
	it := u.Iterator()
	for it.HasNext() {
		d := it.Next()
		cost := 0
		for _, part := range r.parts {
			level := 0
			for level < len(part) && (part[level] == nil || !part[level].Contains(d)) {
				level++
			}
			cost += level
		}
		for len(groups) <= cost {
			groups = append(groups, nil)
		}
		if groups[cost] == nil {
			groups[cost] = roaring.New()
		}
		groups[cost].Add(d)
	}
	for cost := int(from); cost < len(groups); cost++ {
		if groups[cost] != nil && !visit(uint8(cost), groups[cost]) {
			return false
		}
	}
	return true
}

// ranked returns up to limit documents of u by relevance behind the place after.
func (s *segment) ranked(rs []rule, u *roaring.Bitmap, after *place, limit int) []candidate {
	var out []candidate
	var p path
	var descend func(depth int, u *roaring.Bitmap, after *place) bool
	descend = func(depth int, u *roaring.Bitmap, after *place) bool {
		if depth == len(rs) {
			for _, d := range s.firstByRank(u, after, limit-len(out)) {
				out = append(out, s.candidate(d, place{Path: p}))
			}
			return len(out) < limit
		}
		from := uint8(0)
		if after != nil {
			from = after.Path[depth]
		}
		return rs[depth].walk(u, from, func(cost uint8, docs *roaring.Bitmap) bool {
			p[depth] = cost
			if after != nil && cost > from {
				return descend(depth+1, docs, nil)
			}
			return descend(depth+1, docs, after)
		})
	}
	descend(0, u, after)
	return out
}

// candidate completes a place with the rank of document d.
func (s *segment) candidate(d uint32, p place) candidate {
	p.rankKey = s.docs[d].rank()
	return candidate{place: p, seg: s, doc: d}
}
