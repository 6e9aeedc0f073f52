package memory

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"qingfu/directory"
	"qingfu/search"
)

// runMerger merges segments whenever a write has asked for it, until Close.
func (e *Engine) runMerger() {
	defer e.merger.Done()
	for range e.merge {
		for {
			picked := pickMerge(e.snapshot.Load().view)
			if len(picked) == 0 {
				break
			}
			if err := e.mergeSegments(picked); err != nil {
				// The segments stay as they are, which is slower but not wrong.
				e.failed.Store(&err)
				return
			}
		}
	}
}

// fanIn is how much larger a segment is than the next smaller one where nothing
// needs merging.
const fanIn = 4

// pickMerge chooses segments to merge: going from the smallest up, as long as
// the next one is not fanIn times larger than all before it together. It returns
// nil when the segments are fine.
func pickMerge(view []segmentView) []segmentView {
	sorted := slices.Clone(view)
	slices.SortFunc(sorted, func(a, b segmentView) int { return a.living() - b.living() })
	var picked []segmentView
	total := 0
	for _, v := range sorted {
		if len(picked) > 0 && v.living() > fanIn*total || total+v.living() > maxSegment {
			if len(picked) > 1 {
				break
			}
			picked, total = nil, 0
		}
		picked = append(picked, v)
		total += v.living()
	}
	if len(picked) > 1 {
		return picked
	}
	// A single segment is rewritten when most of it is dead.
	for _, v := range sorted {
		if v.living() < len(v.seg.docs)/2 {
			return []segmentView{v}
		}
	}
	return nil
}

// mergeSegments replaces segments by one. Readers and writers go on meanwhile;
// what they bury is buried in the new segment, too.
func (e *Engine) mergeSegments(picked []segmentView) error {
	merged, err := merge(e.lexicon, picked)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	isPicked := func(seg *segment) bool {
		return slices.ContainsFunc(picked, func(p segmentView) bool { return p.seg == seg })
	}
	next := e.snapshot.Load().clone()
	next.view = slices.DeleteFunc(next.view, func(v segmentView) bool { return isPicked(v.seg) })
	// A document that was carried over is alive when nothing took its place meanwhile.
	dead := roaring.New()
	for d := range merged.docs {
		id := merged.docs[d].id
		if at, ok := e.where[id]; ok && isPicked(at.seg) {
			e.where[id] = location{merged, uint32(d)}
		} else {
			dead.Add(uint32(d))
		}
	}
	view := segmentView{seg: merged}
	if !dead.IsEmpty() {
		view.dead = dead
	}
	if view.living() > 0 {
		next.view = append(next.view, view)
	}
	e.snapshot.Store(next)
	return nil
}

// absent marks documents that are not carried over.
const absent = ^uint32(0)

// merge joins the living documents of segments into a new one.
func merge(lexicon *search.Lexicon, parts []segmentView) (*segment, error) {
	type source struct {
		part int
		doc  uint32
	}
	var order []source
	maps := make([][]uint32, len(parts)) // new numbers by the old ones
	for i, v := range parts {
		maps[i] = make([]uint32, len(v.seg.docs))
		for d := range v.seg.docs {
			maps[i][d] = absent
			if v.dead == nil || !v.dead.Contains(uint32(d)) {
				order = append(order, source{i, uint32(d)})
			}
		}
	}
	slices.SortFunc(order, func(a, b source) int {
		return parts[a.part].seg.docs[a.doc].rank().compare(parts[b.part].seg.docs[b.doc].rank())
	})
	c := newColumns(len(order))
	for to, from := range order {
		maps[from.part][from.doc] = uint32(to)
		s := parts[from.part].seg
		c.s.docs = append(c.s.docs, s.docs[from.doc])
		c.values(s.price[from.doc], s.share[from.doc], s.hoursSet[s.hours[from.doc]])
		var at *directory.Point
		if s.geo.located.Contains(from.doc) {
			at = &s.geo.points[from.doc]
		}
		c.s.geo.add(to, at)
	}
	b := newBuilder(lexicon)
	for i, v := range parts {
		for key, bits := range v.seg.fields {
			bits.Iterate(func(d uint32) bool {
				if to := maps[i][d]; to != absent {
					c.fields[key] = append(c.fields[key], to)
				}
				return true
			})
		}
		it, err := v.seg.dict.Iterator(nil, nil)
		for ; err == nil; err = it.Next() {
			key, value := it.Current()
			if key[0] == pinyinKey || key[0] == initialKey {
				continue // derived again
			}
			id := int32(-1)
			for _, p := range v.seg.decode(value) {
				if to := maps[i][p>>3]; to != absent {
					if id < 0 {
						id = b.id(string(key))
					}
					b.pairs = append(b.pairs, pair{id, posting(int(to), int(p&7))})
				}
			}
		}
	}
	s := c.segment()
	return s, b.finish(s)
}
