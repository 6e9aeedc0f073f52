package memory

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum/levenshtein"

	"qingfu/directory"
	"qingfu/search"
)

// Engine is a search.Engine in memory.
type Engine struct {
	lexicon  *search.Lexicon
	calendar *directory.Calendar
	typos    [maxTypos + 1]*levenshtein.LevenshteinAutomatonBuilder

	snapshot atomic.Pointer[snapshot]

	mu     sync.Mutex // held by the one writer
	where  map[string]location
	hours  map[string]*directory.Hours // by content
	closed bool

	merge  chan struct{} // asks the merger to look
	merger sync.WaitGroup
	failed atomic.Pointer[error] // of the merger
}

var _ search.Engine = (*Engine)(nil)

// snapshot is what readers see.
type snapshot struct {
	view  []segmentView
	cache cache
}

// segmentView is a segment with the documents that were replaced or deleted
// since; dead is nil when there are none.
type segmentView struct {
	seg  *segment
	dead *roaring.Bitmap
}

// location is where the living version of a document is.
type location struct {
	seg *segment
	doc uint32
}

// New returns an empty engine. The calendar decides what open means on holidays.
func New(lexicon *search.Lexicon, calendar *directory.Calendar) (*Engine, error) {
	e := &Engine{
		lexicon: lexicon, calendar: calendar,
		where: map[string]location{}, hours: map[string]*directory.Hours{},
		merge: make(chan struct{}, 1),
	}
	for d := 1; d <= maxTypos; d++ {
		b, err := levenshtein.NewLevenshteinAutomatonBuilder(uint8(d), true)
		if err != nil {
			return nil, fmt.Errorf("typo automaton: %w", err)
		}
		e.typos[d] = b
	}
	e.snapshot.Store(&snapshot{})
	e.merger.Add(1)
	go e.runMerger()
	return e, nil
}

// Close implements search.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.merge)
	}
	e.mu.Unlock()
	e.merger.Wait()
	if err := e.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Size implements search.Engine.
func (e *Engine) Size(context.Context) (int, error) {
	n := 0
	for _, v := range e.snapshot.Load().view {
		n += v.living()
	}
	return n, nil
}

// maxSegment is the number of documents up to which segments are merged and
// into which a large Put is cut.
const maxSegment = 1 << 16

// Put implements search.Engine. Many documents at once are indexed on all
// processors and much faster than one by one. Of several documents with one id
// the last one counts.
func (e *Engine) Put(ctx context.Context, docs ...search.Document) error {
	docs = lastOfEach(docs)
	if len(docs) == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	for i := range docs {
		docs[i].Hours = e.internHours(docs[i].Hours)
	}
	segs, err := e.buildSegments(ctx, docs)
	if err != nil {
		return err
	}
	next := e.snapshot.Load().clone()
	for _, seg := range segs {
		next.view = append(next.view, segmentView{seg: seg})
	}
	var gone []location
	for _, seg := range segs {
		for d := range seg.docs {
			if old, ok := e.where[seg.docs[d].id]; ok {
				gone = append(gone, old)
			}
			e.where[seg.docs[d].id] = location{seg, uint32(d)}
		}
	}
	next.bury(gone)
	e.publish(next)
	return nil
}

// Delete implements search.Engine.
func (e *Engine) Delete(_ context.Context, ids ...string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	var gone []location
	for _, id := range ids {
		if old, ok := e.where[id]; ok {
			gone = append(gone, old)
			delete(e.where, id)
		}
	}
	next := e.snapshot.Load().clone()
	next.bury(gone)
	e.publish(next)
	return nil
}

// Reset removes all documents.
func (e *Engine) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.where = map[string]location{}
	e.snapshot.Store(&snapshot{})
}

// TakeOver replaces all documents by those of another engine of the same lexicon,
// which is empty afterwards. A search sees the ones or the others, and one that is
// under way ends with those that it began with.
func (e *Engine) TakeOver(from *Engine) error {
	from.mu.Lock()
	next, where, hours := from.snapshot.Load(), from.where, from.hours
	from.where, from.hours = map[string]location{}, map[string]*directory.Hours{}
	from.snapshot.Store(&snapshot{})
	from.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	e.where, e.hours = where, hours
	e.publish(next)
	return nil
}

var errClosed = errors.New("memory: the engine is closed")

// publish makes a snapshot visible and wakes the merger.
func (e *Engine) publish(next *snapshot) {
	e.snapshot.Store(next)
	select {
	case e.merge <- struct{}{}:
	default: // it will look anyway
	}
}

func (s *snapshot) clone() *snapshot { return &snapshot{view: slices.Clone(s.view)} }

// bury marks documents as dead. Segments without a living document are dropped.
func (s *snapshot) bury(gone []location) {
	bySegment := map[*segment][]uint32{}
	for _, l := range gone {
		bySegment[l.seg] = append(bySegment[l.seg], l.doc)
	}
	for i, v := range s.view {
		if docs := bySegment[v.seg]; docs != nil {
			dead := roaring.BitmapOf(docs...)
			s.view[i].dead = or(v.dead, dead)
		}
	}
	s.view = slices.DeleteFunc(s.view, func(v segmentView) bool { return v.living() == 0 })
}

// living is the number of documents that are not dead.
func (v segmentView) living() int {
	n := len(v.seg.docs)
	if v.dead != nil {
		n -= int(v.dead.GetCardinality())
	}
	return n
}

// lastOfEach returns the documents without those that a later one replaces.
func lastOfEach(docs []search.Document) []search.Document {
	last := make(map[string]int, len(docs))
	for i := range docs {
		last[docs[i].ID] = i
	}
	out := make([]search.Document, 0, len(last))
	for i := range docs {
		if last[docs[i].ID] == i {
			out = append(out, docs[i])
		}
	}
	return out
}

// internHours returns the same pointer for hours of equal content.
func (e *Engine) internHours(h *directory.Hours) *directory.Hours {
	if h == nil {
		return nil
	}
	key := hoursKey(h)
	if known, ok := e.hours[key]; ok {
		return known
	}
	e.hours[key] = h
	return h
}

// hoursKey is the same for hours of equal content only.
func hoursKey(h *directory.Hours) string {
	var b []byte
	intervals := func(list []directory.Interval) {
		b = append(b, byte(len(list)))
		for _, i := range list {
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(i.Open)), uint64(i.Close))
		}
	}
	b = strconv.AppendBool(b, h.Always)
	for d := time.Sunday; d <= time.Saturday; d++ {
		intervals(h.Week.Day(d))
	}
	b = strconv.AppendBool(b, h.Holidays != nil)
	if h.Holidays != nil {
		intervals(*h.Holidays)
	}
	for _, x := range h.Exceptions {
		b = append(append(b, x.From...), x.To...)
		intervals(x.Intervals)
		b = binary.AppendUvarint(b, uint64(len(x.Note)))
		b = append(b, x.Note...)
	}
	return string(b)
}

// buildSegments indexes documents in as many segments as processors can build
// at a time, and more if they would become too large.
func (e *Engine) buildSegments(ctx context.Context, docs []search.Document) ([]*segment, error) {
	parts := 1
	if len(docs) >= 4096 {
		parts = max(runtime.GOMAXPROCS(0), (len(docs)+maxSegment-1)/maxSegment)
	}
	segs := make([]*segment, parts)
	errs := make([]error, parts)
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range parts {
		part := docs[len(docs)*i/parts : len(docs)*(i+1)/parts]
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				segs[i], errs[i] = buildSegment(e.lexicon, part)
			}
		})
	}
	wg.Wait()
	return segs, errors.Join(errs...)
}
