package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

func load(b *testing.B, n int) (*Engine, *directory.Regions) {
	regions, err := seed.Regions()
	if err != nil {
		b.Fatal(err)
	}
	cal, _ := seed.Calendar()
	ix := search.NewIndexer(regions)
	e, err := New(search.NewLexicon(regions), cal)
	if err != nil {
		b.Fatal(err)
	}
	t0 := time.Now()
	var docs []search.Document
	var mk, put time.Duration
	flush := func() {
		t := time.Now()
		if err := e.Put(context.Background(), docs...); err != nil {
			b.Fatal(err)
		}
		put += time.Since(t)
		docs = nil
	}
	for l := range seed.Synthetic(n, 7) {
		t := time.Now()
		d, err := ix.Document(&l)
		if err != nil {
			b.Fatal(err)
		}
		mk += time.Since(t)
		docs = append(docs, d)
		if len(docs) == 1<<16 {
			flush()
		}
	}
	flush()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("load %d: %v (newdoc %v put %v) heap %d MB = %d B/doc, segments %d\n", n, time.Since(t0), mk, put, m.HeapAlloc>>20, m.HeapAlloc/uint64(n), len(e.snapshot.Load().view))
	t1 := time.Now()
	e.Close()
	fmt.Printf("merged after %v segments %d\n", time.Since(t1), len(e.snapshot.Load().view))
	docs = nil
	runtime.GC()
	runtime.ReadMemStats(&m)
	fmt.Printf("heap %d B/doc\n", m.HeapAlloc/uint64(n))
	for _, v := range e.snapshot.Load().view {
		fmt.Printf("  docs %d keys %d dict? small %d large %d hours %d\n", len(v.seg.docs), v.seg.dict.Len(), len(v.seg.small), len(v.seg.large), len(v.seg.hoursSet))
	}
	return e, regions
}

func BenchmarkSearch(b *testing.B) {
	e, regions := load(b, 100000)
	var counties, prefs []string
	for _, r := range regions.All() {
		if r.Level == directory.County {
			counties = append(counties, r.Code)
		}
		if r.Level == directory.Prefecture {
			prefs = append(prefs, r.Code)
		}
	}
	facets := []search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet}
	texts := []string{"家政", "月嫂", "养老院", "jiazheng", "日间照料", "托育", "保洁", "城东 月嫂", "格尔木养老", "hzjz", "yuesao", "安心家政"}
	run := func(name string, q func(r *rand.Rand) search.Query) {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				query := q(r)
				query.Limit, query.Now = 20, time.Unix(1790000000, 0)
				if _, err := e.Search(context.Background(), query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("all", func(r *rand.Rand) search.Query { return search.Query{} })
	run("kind+facets", func(r *rand.Rand) search.Query {
		return search.Query{Kinds: []directory.Kind{directory.DomesticServiceKind}, Facets: facets, RegionFacet: prefs}
	})
	run("county+facets", func(r *rand.Rand) search.Query {
		return search.Query{Regions: []string{counties[r.IntN(len(counties))]}, Facets: facets, RegionFacet: prefs}
	})
	run("text", func(r *rand.Rand) search.Query { return search.Query{Text: texts[r.IntN(len(texts))]} })
	for _, t := range texts {
		run("text/"+t, func(r *rand.Rand) search.Query { return search.Query{Text: t} })
	}
	run("text+county+facets", func(r *rand.Rand) search.Query {
		return search.Query{Text: texts[r.IntN(len(texts))], Regions: []string{counties[r.IntN(len(counties))]}, Facets: facets, RegionFacet: prefs}
	})
	run("text+pref+facets", func(r *rand.Rand) search.Query {
		return search.Query{Text: texts[r.IntN(len(texts))], Regions: []string{prefs[r.IntN(len(prefs))]}, Facets: facets, RegionFacet: prefs}
	})
	run("near", func(r *rand.Rand) search.Query {
		return search.Query{Near: &directory.Point{Lat: 36.5 + r.Float64()*.3, Lon: 101.6 + r.Float64()*.3}, Sort: search.ByDistance}
	})
	run("near+kind+radius", func(r *rand.Rand) search.Query {
		return search.Query{Kinds: []directory.Kind{directory.ChildcareKind}, RadiusM: 5000, Near: &directory.Point{Lat: 36.5 + r.Float64()*.3, Lon: 101.6 + r.Float64()*.3}, Sort: search.ByDistance}
	})
	run("open+price", func(r *rand.Rand) search.Query {
		p := int64(r.IntN(100000))
		return search.Query{OpenNow: true, PriceMax: &p}
	})
	run("name", func(r *rand.Rand) search.Query {
		return search.Query{Sort: search.ByName, Kinds: []directory.Kind{directory.ElderCareKind}}
	})
}
