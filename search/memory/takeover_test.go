package memory

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"qingfu/search"
	"qingfu/seed"
)

// An engine that has taken over another one answers as that one did, also to later
// writes, and every search meanwhile sees either the old documents or the new ones.
func TestTakeOver(t *testing.T) {
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := seed.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	lexicon, indexer := search.NewLexicon(regions), search.NewIndexer(regions)
	var docs []search.Document
	for l := range seed.Synthetic(300, 3) {
		d, err := indexer.Document(&l)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	// In small parts, so that both engines have much to merge all the while.
	open := func(docs []search.Document) *Engine {
		t.Helper()
		e, err := New(lexicon, calendar)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		for part := range slices.Chunk(docs, 20) {
			if err := e.Put(t.Context(), part...); err != nil {
				t.Fatal(err)
			}
		}
		return e
	}
	answer := func(e *Engine, text string) string {
		t.Helper()
		r, err := e.Search(t.Context(), search.Query{Text: text, Sort: search.ByNewest, Limit: 100, Now: time.Unix(0, 0)})
		if err != nil {
			t.Error(err)
		}
		s := fmt.Sprintln(text, r.Total)
		for _, h := range r.Hits {
			s += h.ID + "\n"
		}
		return s
	}
	e, from, same := open(docs[:200]), open(docs[100:]), open(docs[100:])
	before, after := answer(e, "养老"), answer(same, "养老")
	if before == after {
		t.Fatal("the test cannot tell the two apart")
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			if got := answer(e, "养老"); got != before && got != after {
				t.Errorf("meanwhile: %s", got)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	if err := e.TakeOver(from); err != nil {
		t.Fatal(err)
	}
	if got := answer(e, "养老"); got != after {
		t.Errorf("right after it: %s", got)
	}
	close(stop)
	readers.Wait()
	if n, err := from.Size(t.Context()); n != 0 || err != nil {
		t.Errorf("%d documents were left behind, %v", n, err)
	}
	for _, e := range []*Engine{e, same} {
		again := docs[110]
		again.Names, again.Card = []string{"示例·麒麟河畔小铺"}, `{"id":"`+again.ID+`"}`
		if err := e.Put(t.Context(), again, docs[0]); err != nil {
			t.Fatal(err)
		}
		if err := e.Delete(t.Context(), docs[111].ID, docs[112].ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "养老", "麒麟河畔", docs[110].Names[0], docs[111].Names[0]} {
		if got, want := answer(e, text), answer(same, text); got != want {
			t.Errorf("after later writes: %s, not %s", got, want)
		}
	}
}
