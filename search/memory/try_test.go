package memory

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

func TestTry(t *testing.T) {
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	cal, _ := seed.Calendar()
	ix := search.NewIndexer(regions)
	e, err := New(search.NewLexicon(regions), cal)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var docs []search.Document
	add := func(ls []directory.Listing) {
		for i := range ls {
			d, err := ix.Document(&ls[i])
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, d)
		}
	}
	real, err := seed.Real()
	if err != nil {
		t.Fatal(err)
	}
	add(real)
	dm, _ := seed.Demo()
	add(dm)
	e.Put(context.Background(), docs...)
	for _, q := range os.Args[len(os.Args)-1:] {
		_ = q
	}
	b, _ := os.ReadFile("/tmp/queries.txt")
	for _, q := range splitLines(string(b)) {
		r, err := e.Search(context.Background(), search.Query{Text: q, Limit: 5, Now: time.Now()})
		fmt.Printf("== %s -> %d %v\n", q, r.Total, err)
		for _, w := range e.lexicon.Parse(q) {
			fmt.Printf("   [%s %d]", w.Text, w.Class)
		}
		fmt.Println()
		for _, h := range r.Hits {
			c := e.where[h.ID]
			fmt.Printf("   %s | %s | %v\n", c.seg.docs[c.doc].name, c.seg.docs[c.doc].address, h.Highlight)
		}
	}
}

func splitLines(s string) (out []string) {
	cur := ""
	for _, r := range s {
		if r == '\n' {
			if cur != "" {
				out = append(out, cur)
			}
			cur = ""
		} else {
			cur += string(r)
		}
	}
	return
}
