package memory

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"

	"qingfu/directory"
)

// savedSegment is the form in which a segment is written. What can be computed
// faster than it is read is left out.
type savedSegment struct {
	Cards, Texts string   // of all documents, one behind the other
	Lengths      []uint32 // of card, id, name and address, by document
	Kinds        []string
	Kind         []uint8 // place in Kinds
	Satisfaction []float64
	Fresh        []int64
	Created      []int64

	Price []int32
	Share []float32
	Hours []uint32
	// HoursSet is in JSON and without the first one, which is nil.
	HoursSet [][]byte

	Dict, Small []byte
	Large       []savedPostings
	Fields      map[string][]byte

	Newest, Name []uint32 // the orders
	Points       []directory.Point
	Located      []byte
	Tree         []uint32

	Dead []byte
}

type savedPostings struct {
	In [attributes][]byte
}

// Save writes the documents that the engine holds now, for Restore. Searches and
// writes go on meanwhile.
func (e *Engine) Save(w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	enc := gob.NewEncoder(buffered)
	view := e.snapshot.Load().view
	if err := enc.Encode(len(view)); err != nil {
		return err
	}
	for _, v := range view {
		saved, err := v.save()
		if err == nil {
			err = enc.Encode(saved)
		}
		if err != nil {
			return fmt.Errorf("memory: save: %w", err)
		}
	}
	return buffered.Flush()
}

// Restore fills an empty engine with what Save wrote. With an error the engine
// stays empty.
func (e *Engine) Restore(r io.Reader) error {
	dec := gob.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	var n int
	if err := dec.Decode(&n); err != nil {
		return fmt.Errorf("memory: restore: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.where) > 0 {
		return errors.New("memory: restore: the engine is not empty")
	}
	next := &snapshot{}
	where := map[string]location{}
	for range n {
		var saved savedSegment
		if err := dec.Decode(&saved); err != nil {
			return fmt.Errorf("memory: restore: %w", err)
		}
		v, err := e.restore(&saved)
		if err != nil {
			return fmt.Errorf("memory: restore: %w", err)
		}
		for d := range v.seg.docs {
			if v.dead == nil || !v.dead.Contains(uint32(d)) {
				where[v.seg.docs[d].id] = location{v.seg, uint32(d)}
			}
		}
		next.view = append(next.view, v)
	}
	e.where = where
	e.publish(next)
	return nil
}

func (v segmentView) save() (*savedSegment, error) {
	s := v.seg
	out := &savedSegment{
		Price: s.price, Share: s.share, Hours: s.hours, Small: s.small, Dict: s.dictBytes,
		Newest: s.newest.docs, Name: s.name.docs, Points: s.geo.points, Tree: s.geo.tree.docs,
		Fields: make(map[string][]byte, len(s.fields)),
	}
	var cards, texts strings.Builder
	for i := range s.docs {
		d := &s.docs[i]
		cards.WriteString(d.card)
		for _, t := range []string{d.id, d.name, d.address} {
			texts.WriteString(t)
		}
		out.Lengths = append(out.Lengths, uint32(len(d.card)), uint32(len(d.id)), uint32(len(d.name)), uint32(len(d.address)))
		k := slices.Index(out.Kinds, string(d.kind))
		if k < 0 {
			k = len(out.Kinds)
			out.Kinds = append(out.Kinds, string(d.kind))
		}
		out.Kind = append(out.Kind, uint8(k))
		out.Satisfaction = append(out.Satisfaction, d.satisfaction)
		out.Fresh = append(out.Fresh, d.fresh)
		out.Created = append(out.Created, d.created)
	}
	out.Cards, out.Texts = cards.String(), texts.String()
	for _, h := range s.hoursSet[1:] {
		b, err := json.Marshal(h)
		if err != nil {
			return nil, err
		}
		out.HoursSet = append(out.HoursSet, b)
	}
	var failed error
	pack := func(b *roaring.Bitmap) []byte {
		if b == nil {
			return nil
		}
		p, err := b.MarshalBinary()
		failed = errors.Join(failed, err)
		return p
	}
	for i := range s.large {
		var p savedPostings
		for a, bits := range s.large[i].in {
			p.In[a] = pack(bits)
		}
		out.Large = append(out.Large, p)
	}
	for key, bits := range s.fields {
		out.Fields[key] = pack(bits)
	}
	out.Located, out.Dead = pack(s.geo.located), pack(v.dead)
	return out, failed
}

func (e *Engine) restore(in *savedSegment) (v segmentView, err error) {
	defer func() {
		if recover() != nil { // lengths that do not fit each other
			err = errors.New("the segment is damaged")
		}
	}()
	var failed error
	unpack := func(b []byte) *roaring.Bitmap {
		if len(b) == 0 {
			return nil
		}
		bits := roaring.New()
		failed = errors.Join(failed, bits.UnmarshalBinary(b))
		return bits
	}
	c := newColumns(0)
	s := c.s
	s.price, s.share, s.hours, s.small, s.dictBytes = in.Price, in.Share, in.Hours, in.Small, in.Dict
	if s.dict, err = vellum.Load(in.Dict); err != nil {
		return v, err
	}
	cards, texts := in.Cards, in.Texts
	next := func(from *string, n uint32) string {
		t := (*from)[:n]
		*from = (*from)[n:]
		return t
	}
	s.docs = make([]doc, 0, len(in.Kind))
	for i, k := range in.Kind {
		l := in.Lengths[4*i : 4*i+4]
		d := doc{
			card: next(&cards, l[0]), kind: directory.Kind(in.Kinds[k]),
			satisfaction: in.Satisfaction[i], fresh: in.Fresh[i], created: in.Created[i],
		}
		d.id, d.name, d.address = d.part(next(&texts, l[1])), d.part(next(&texts, l[2])), d.part(next(&texts, l[3]))
		s.docs = append(s.docs, d)
	}
	for _, b := range in.HoursSet {
		var h directory.Hours
		if err := json.Unmarshal(b, &h); err != nil {
			return v, err
		}
		s.hoursSet = append(s.hoursSet, e.internHours(&h))
	}
	s.large = make([]postings, len(in.Large))
	for i := range in.Large {
		p := &s.large[i]
		for a, b := range in.Large[i].In {
			p.in[a] = unpack(b)
		}
		p.complete()
	}
	s.geo = geo{points: in.Points, located: unpack(in.Located), tree: kdTree{docs: in.Tree, points: in.Points}.withVectors()}
	if s.geo.located == nil {
		s.geo.located = none
	}
	s.geo.setCells()
	s.newest, s.name = orderOf(in.Newest), orderOf(in.Name)
	fields := make(map[string]*roaring.Bitmap, len(in.Fields))
	for key, b := range in.Fields {
		fields[key] = unpack(b)
	}
	s.setFields(fields)
	return segmentView{seg: s, dead: unpack(in.Dead)}, failed
}
