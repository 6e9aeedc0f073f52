package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// The figures of README.md come from these: go test -run '^$' -bench . ./store

const batch = 1000

// listings makes the i-th batch of listings, of a realistic size.
func listings(i int) []directory.Listing {
	r := rand.New(rand.NewPCG(7, uint64(i)))
	kinds := directory.Kinds
	out := make([]directory.Listing, batch)
	for k := range out {
		n := i*batch + k
		beds, taken := r.IntN(200)+1, r.IntN(100)
		at := time.UnixMilli(1_750_000_000_000 + int64(n)).UTC()
		out[k] = directory.Listing{
			ID:   fmt.Sprintf("0197%08x-7%03x-8%03x-%012x", n, r.IntN(4096), r.IntN(4096), r.Int64N(1<<48)),
			Kind: directory.Kind(kinds[n%len(kinds)].Code),
			Names: directory.Names{
				Zh: fmt.Sprintf("示例服务机构%d", n), En: fmt.Sprintf("Example institution %d", n),
			},
			Aliases:      []string{"示例一", "示例二"},
			Summary:      "为附近居民提供服务的示例机构，仅用于测量速度。",
			Organization: "示例服务有限公司",
			Region:       fmt.Sprintf("63%02d%02d%03d", r.IntN(8)+1, r.IntN(6)+1, r.IntN(20)+1),
			Address:      fmt.Sprintf("示例路%d号", n),
			Location:     &directory.Point{Lat: 36 + r.Float64(), Lon: 101 + r.Float64()},
			Phone:        "0971-0000000",
			Offerings: []directory.Offering{
				{Name: "日间照料", Unit: directory.PerDay, PriceMin: 3000, PriceMax: 5000},
				{Name: "助餐", Unit: directory.PerVisit, PriceMin: 800, PriceMax: 1500},
			},
			Features:   []string{"accessible", "home_visit"},
			Status:     directory.Published,
			Provenance: directory.Provenance{Origin: directory.Seeded, Source: "示例"},
			Demo:       true,
			CreatedAt:  at, UpdatedAt: at,
			ElderCare: &directory.ElderCare{Grade: 3, BedsTotal: &beds, BedsOccupied: &taken},
		}
	}
	return out
}

func benchStore(b *testing.B, batches int) (*store.Store, store.Engine, []string) {
	b.Helper()
	engine, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { engine.Close() })
	s, err := store.New(b.Context(), engine)
	if err != nil {
		b.Fatal(err)
	}
	var ids []string
	for i := range batches {
		values := listings(i)
		if _, err := s.Listings.Upsert(b.Context(), values); err != nil {
			b.Fatal(err)
		}
		for _, v := range values {
			ids = append(ids, v.ID)
		}
	}
	return s, engine, ids
}

// BenchmarkUpsert loads new listings: one operation is one listing.
func BenchmarkUpsert(b *testing.B) {
	s, _, _ := benchStore(b, 0)
	n, batchNo := 0, 0
	for n < b.N {
		b.StopTimer()
		values := listings(batchNo)
		b.StartTimer()
		if _, err := s.Listings.Upsert(b.Context(), values); err != nil {
			b.Fatal(err)
		}
		n, batchNo = n+len(values), batchNo+1
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "listings/s")
}

// BenchmarkUpsertUnchanged loads the same listings again.
func BenchmarkUpsertUnchanged(b *testing.B) {
	s, _, _ := benchStore(b, 1)
	values := listings(0)
	n := 0
	for b.Loop() {
		if _, err := s.Listings.Upsert(b.Context(), values); err != nil {
			b.Fatal(err)
		}
		n += len(values)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "listings/s")
}

// BenchmarkWriteOne inserts single documents, with few callers and with many.
func BenchmarkWriteOne(b *testing.B) {
	for _, each := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", each*runtime.GOMAXPROCS(0)), func(b *testing.B) {
			s, _, _ := benchStore(b, 1)
			values := listings(1)
			var next atomic.Int64
			b.SetParallelism(each)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := next.Add(1)
					l := values[n%batch]
					l.ID = fmt.Sprintf("one-%d", n)
					if _, err := s.Listings.Insert(context.Background(), l); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkGet20 reads 20 random documents of 100,000 without decoding them.
func BenchmarkGet20(b *testing.B) {
	_, engine, ids := benchStore(b, 100)
	for b.Loop() {
		wanted := make([]string, 20)
		for i := range wanted {
			wanted[i] = ids[rand.IntN(len(ids))]
		}
		if records, err := engine.Get(b.Context(), "listings", wanted...); err != nil || len(records) != 20 {
			b.Fatal(len(records), err)
		}
	}
}

// BenchmarkLoad reads 100,000 listings by Changes, with and without decoding.
func BenchmarkLoad(b *testing.B) {
	s, engine, _ := benchStore(b, 100)
	b.Run("raw", func(b *testing.B) {
		for b.Loop() {
			for after := int64(0); ; {
				records, err := engine.Changes(b.Context(), "listings", after, store.MaxLimit)
				if err != nil {
					b.Fatal(err)
				}
				if len(records) == 0 {
					break
				}
				after = records[len(records)-1].Seq
			}
		}
	})
	b.Run("decoded", func(b *testing.B) {
		for b.Loop() {
			for after := int64(0); ; {
				changes, err := s.Listings.Changes(b.Context(), after, store.MaxLimit)
				if err != nil {
					b.Fatal(err)
				}
				if len(changes) == 0 {
					break
				}
				after = changes[len(changes)-1].Seq
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Listings.Count(b.Context(), nil, "kind", "region"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("find20", func(b *testing.B) {
		q := store.Query{Where: []store.Condition{{Field: "status", Op: store.Eq, Value: "published"}},
			Order: "updated", Desc: true, Limit: 20}
		for b.Loop() {
			if _, err := engine.Find(b.Context(), "listings", q); err != nil {
				b.Fatal(err)
			}
		}
	})
}
