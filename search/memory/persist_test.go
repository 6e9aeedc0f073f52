package memory

import (
	"bytes"
	"context"
	"reflect"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

// A restored engine answers as the one that was saved, dead documents and later
// writes included; a damaged file leaves the engine empty.
func TestRestoreAnswersAsSaved(t *testing.T) {
	regions, err := seed.Regions()
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := seed.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	lexicon, indexer := search.NewLexicon(regions), search.NewIndexer(regions)
	open := func() *Engine {
		e, err := New(lexicon, calendar)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return e
	}
	var docs []search.Document
	for l := range seed.Synthetic(1500, 3) {
		d, err := indexer.Document(&l)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	saved := open()
	ctx := context.Background()
	for _, part := range [][]search.Document{docs[:1000], docs[900:1400], docs[1300:]} {
		if err := saved.Put(ctx, part...); err != nil {
			t.Fatal(err)
		}
	}
	if err := saved.Delete(ctx, docs[7].ID, docs[1001].ID); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := saved.Save(&file); err != nil {
		t.Fatal(err)
	}

	restored := open()
	if err := restored.Restore(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	compare := func() {
		t.Helper()
		box := directory.Box{South: 36, West: 101, North: 37, East: 102.5}
		facets := []search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet, search.FeatureFacet, search.BadgeFacet}
		for _, q := range []search.Query{
			{}, {Text: "家政"}, {Text: "jiazheng"}, {Text: "hzjz"}, {Text: "城东 月嫂"}, {Text: "yuesap"},
			{Regions: []string{"630100"}, Sort: search.ByName}, {Sort: search.ByNewest}, {Sort: search.BySatisfaction},
			{Near: &directory.Point{Lat: 36.6, Lon: 101.8}, Sort: search.ByDistance, RadiusM: 20_000}, {Box: &box, OpenNow: true},
		} {
			q.Facets, q.RegionFacet = facets, []string{"630100", "630200", "632800"}
			q.Limit, q.Now = 50, time.Date(2026, 11, 23, 10, 0, 0, 0, directory.Shanghai)
			want, err := saved.Search(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := restored.Search(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if want.Total == 0 && q.Text != "hzjz" {
				t.Fatalf("%+v finds nothing, which proves nothing", q)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: %d of %d hits, want %d of %d", q, len(got.Hits), got.Total, len(want.Hits), want.Total)
			}
		}
	}
	compare()
	for _, e := range []*Engine{saved, restored} {
		if err := e.Put(ctx, docs[7], docs[20]); err != nil {
			t.Fatal(err)
		}
		if err := e.Delete(ctx, docs[30].ID); err != nil {
			t.Fatal(err)
		}
	}
	compare()

	for _, n := range []int{0, 1, 100, file.Len() / 2, file.Len() - 1} {
		empty := open()
		if err := empty.Restore(bytes.NewReader(file.Bytes()[:n])); err == nil {
			t.Errorf("%d of %d bytes were restored", n, file.Len())
		}
		if size, _ := empty.Size(ctx); size != 0 {
			t.Errorf("%d of %d bytes left %d documents", n, file.Len(), size)
		}
	}
	if err := restored.Restore(bytes.NewReader(file.Bytes())); err == nil {
		t.Error("an engine with documents was restored over")
	}
}
