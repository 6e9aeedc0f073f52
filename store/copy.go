package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"

	"golang.org/x/sync/errgroup"

	"qingfu/directory"
)

// Size returns how many documents there are in all collections together.
func (s *Store) Size(ctx context.Context) (documents int64, err error) {
	for _, name := range s.names {
		groups, err := s.engine.Count(ctx, name, nil)
		if err != nil {
			return 0, err
		}
		documents += groups[0].N
	}
	return documents, nil
}

// Copy brings all that is in one store to another, which may be on another engine, as
// it is: with versions and numbers, with what remains of deleted documents, and with the
// store's id. What follows from these, such as a saved index or the cursors of clients,
// is then right for the copy, too.
//
// It goes on from where an earlier call ended, however that was. Others may write to the
// first store meanwhile, and what they write is copied at the latest by the next call;
// nobody else may write to the second. told is given the number of records as they are
// copied. Copy returns Conflict, and has written nothing, when there is anything in the
// second store that is not and never was in the first.
func Copy(ctx context.Context, from, to *Store, told func(records int)) error {
	id, err := from.ID(ctx)
	if err != nil {
		return err
	}
	mark, err := to.Meta.Get(ctx, identityMark)
	switch {
	case err == nil && mark.Value.Value != id:
		return &directory.Error{Kind: directory.Conflict, What: "copy", Cause: errors.New("it is another store")}
	case err != nil && directory.KindOf(err) != directory.NotFound:
		return err
	}
	for _, name := range from.names {
		if err := checkCopy(ctx, from.engine, to.engine, name); err != nil {
			return err
		}
	}
	for _, name := range from.names {
		if err := copyCollection(ctx, from.engine, to.engine, name, told); err != nil {
			return err
		}
	}
	return nil
}

// copyCollection copies what is not yet copied of what was there when it began.
func copyCollection(ctx context.Context, from, to Engine, name string, told func(int)) error {
	end, err := from.LastSeq(ctx, name)
	if err != nil {
		return err
	}
	begin, err := to.LastSeq(ctx, name)
	if err != nil {
		return err
	}
	for page, err := range pages(ctx, from, name, begin, end) {
		if err == nil {
			err = to.Load(ctx, name, page...)
		}
		if err != nil {
			return err
		}
		told(len(page))
	}
	return nil
}

// checkCopy returns Conflict unless what is in the second collection is what was in the
// first when that had come to the same number: each of its records is the same in the
// first or comes again behind that number, newer, and none is missing.
func checkCopy(ctx context.Context, from, to Engine, name string) error {
	conflict := func(r Record) error {
		return &directory.Error{Kind: directory.Conflict, What: "copy", Cause: fmt.Errorf("%s differs at number %d", name, r.Seq)}
	}
	next, stop := iter.Pull2(records(ctx, to, name))
	defer stop()
	newer := map[string]Record{} // the copied ones that have to come again
	copied, err, more := next()
	for r, fromErr := range records(ctx, from, name) {
		if fromErr != nil {
			return fromErr
		}
		for ; more && err == nil && copied.Seq < r.Seq; copied, err, more = next() {
			newer[copied.ID] = copied
		}
		if err != nil {
			return err
		}
		if more {
			if copied.Seq > r.Seq || copied.ID != r.ID || copied.Version != r.Version || !sameDoc(copied, r) {
				return conflict(r)
			}
			copied, err, more = next()
			continue
		}
		if before, ok := newer[r.ID]; ok && before.Version >= r.Version {
			return conflict(before)
		}
		if delete(newer, r.ID); len(newer) == 0 {
			return nil
		}
	}
	if more && err == nil {
		return conflict(copied)
	}
	for _, r := range newer {
		return conflict(r)
	}
	return err
}

func sameDoc(a, b Record) bool { return (a.Doc == nil) == (b.Doc == nil) && bytes.Equal(a.Doc, b.Doc) }

// Sum is what a collection holds, in a form that can be compared.
type Sum struct {
	Documents, Deleted int64
	// Hash is the SHA-256 of all records in the order of their numbers: of each the id, the version, the
	// number and the document, the texts with their lengths before them.
	Hash [sha256.Size]byte
}

// Compared is a collection of two stores.
type Compared struct {
	Collection string
	From, To   Sum
	// Moved tells that the first store was written to after it was copied: then the sums may
	// differ, and only copying again can tell whether the copy is right.
	Moved bool
}

// Compare reads all of two stores and says what is in their collections. told is given
// the number of records as they are read, of both stores, possibly by two goroutines.
func Compare(ctx context.Context, from, to *Store, told func(records int)) ([]Compared, error) {
	out := make([]Compared, len(from.names))
	for i, name := range from.names {
		out[i].Collection = name
		var g errgroup.Group
		g.Go(func() (err error) { out[i].From, err = sum(ctx, from.engine, name, told); return err })
		g.Go(func() (err error) { out[i].To, err = sum(ctx, to.engine, name, told); return err })
		if err := g.Wait(); err != nil {
			return nil, err
		}
	}
	// At the end, so that it is told of all collections at one time.
	for i, name := range from.names {
		now, err := from.engine.LastSeq(ctx, name)
		if err != nil {
			return nil, err
		}
		copied, err := to.engine.LastSeq(ctx, name)
		if err != nil {
			return nil, err
		}
		out[i].Moved = now > copied
	}
	return out, nil
}

func sum(ctx context.Context, e Engine, name string, told func(int)) (s Sum, err error) {
	end, err := e.LastSeq(ctx, name)
	if err != nil {
		return s, err
	}
	h := sha256.New()
	var head []byte
	for page, err := range pages(ctx, e, name, 0, end) {
		if err != nil {
			return s, err
		}
		for _, r := range page {
			length := int64(len(r.Doc))
			if r.Doc == nil {
				length = -1
				s.Deleted++
			} else {
				s.Documents++
			}
			head = binary.BigEndian.AppendUint64(head[:0], uint64(len(r.ID)))
			head = append(head, r.ID...)
			for _, n := range []int64{r.Version, r.Seq, length} {
				head = binary.BigEndian.AppendUint64(head, uint64(n))
			}
			h.Write(head)
			h.Write(r.Doc)
		}
		told(len(page))
	}
	h.Sum(s.Hash[:0])
	return s, nil
}

// records are all of a collection in the order of their numbers, also those that come
// meanwhile; it ends with the first error.
func records(ctx context.Context, e Engine, name string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for page, err := range pages(ctx, e, name, 0, math.MaxInt64) {
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// pageBytes is how much a page should hold: documents are of very different sizes.
const pageBytes = 8 << 20

// pages are the changes of a collection after a number and at least up to another, or up
// to where there are no more. None is empty, and it ends with the first error.
func pages(ctx context.Context, e Engine, name string, after, end int64) iter.Seq2[[]Record, error] {
	return func(yield func([]Record, error) bool) {
		for limit := 16; after < end; {
			page, err := e.Changes(ctx, name, after, limit)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) == 0 || !yield(page, nil) {
				return
			}
			after = page[len(page)-1].Seq
			size := 1
			for _, r := range page {
				size += len(r.Doc)
			}
			limit = max(1, min(2*limit, len(page)*pageBytes/size, MaxLimit))
		}
	}
}
