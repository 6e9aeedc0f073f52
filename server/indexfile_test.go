package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/store"
)

// A start with a saved index gives what a start without one gives, whatever has
// happened to the store or to the file in between.
func TestStartFromTheSavedIndex(t *testing.T) {
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := seed.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	lexicon, indexer := search.NewLexicon(regions), search.NewIndexer(regions)
	settings := dataSettings{DataDir: t.TempDir()}
	ctx := t.Context()
	st, closer, err := settings.openStore(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	upsert := func(n int, change func(*directory.Listing)) {
		t.Helper()
		var ls []directory.Listing
		for l := range seed.Synthetic(n, 1) {
			if change != nil {
				change(&l)
			}
			ls = append(ls, l)
		}
		if _, err := st.Listings.Upsert(ctx, ls); err != nil {
			t.Fatal(err)
		}
	}
	// started runs the start of a server and tells whether the file was of use.
	started := func() (p *projector, useful bool) {
		t.Helper()
		engine, err := memory.New(lexicon, calendar)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { engine.Close() })
		file, err := openIndexFile(ctx, settings.DataDir, st, engine)
		if err != nil {
			t.Fatal(err)
		}
		p = newProjector(st.Listings, indexer, engine, file, slog.New(slog.DiscardHandler))
		if err := p.start(ctx, quiet); err != nil {
			t.Fatal(err)
		}
		size, err := engine.Size(ctx)
		if err != nil {
			t.Fatal(err)
		}
		published, err := st.Listings.Count(ctx, []store.Condition{{Field: "status", Op: store.Eq, Value: "published"}})
		if err != nil {
			t.Fatal(err)
		}
		if int64(size) != published[0].N {
			t.Fatalf("%d listings are indexed, %d are published", size, published[0].N)
		}
		return p, file.saved > 0
	}

	upsert(saveFrom+100, nil)
	p, useful := started()
	if useful {
		t.Fatal("there was a file before the first start")
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := p.run(stopped); err != nil { // saves at its end
		t.Fatal(err)
	}
	if _, useful = started(); !useful {
		t.Fatal("the second start did not use the file")
	}

	upsert(50, func(l *directory.Listing) { l.Names.Zh = "示例·改名之后"; l.Status = directory.Suspended })
	upsert(20, func(l *directory.Listing) { l.Names.Zh = "示例·又改名" })
	p, useful = started()
	if !useful {
		t.Fatal("later writes made the file useless")
	}
	if r, err := p.engine.Search(ctx, search.Query{Text: "示例·又改名", Limit: 1}); err != nil || r.Total < 20 {
		t.Errorf("a start with the file missed later writes: %d found, %v", r.Total, err)
	}

	manifest := filepath.Join(settings.DataDir, "index", manifestName)
	files, err := filepath.Glob(filepath.Join(settings.DataDir, "index", "*.idx"))
	if err != nil || len(files) != 1 {
		t.Fatalf("index files %v, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	damage := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, useful := started(); useful {
			t.Errorf("%s was used", what)
		}
	}
	damage("a short file", whole[:len(whole)/2])
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/3] ^= 4
	damage("a file with a flipped bit", flipped)
	if err := os.WriteFile(files[0], whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, useful := started(); !useful {
		t.Error("the whole file is of no use")
	}
	if err := os.WriteFile(manifest, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, useful := started(); useful {
		t.Error("a damaged manifest was used")
	}
}
