package statistics

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/store/sqlite"
)

// BenchmarkIndicators measures 100,000 listings: counting them all, as when a server
// starts, a call when nothing has changed, and one after a change.
func BenchmarkIndicators(b *testing.B) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "test.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	st, err := store.New(ctx, db)
	if err != nil {
		b.Fatal(err)
	}
	var last directory.Listing
	for chunk := range slices.Chunk(slices.Collect(seed.Synthetic(100_000, 7)), 1000) {
		if _, err := st.Listings.Upsert(ctx, chunk); err != nil {
			b.Fatal(err)
		}
		last = chunk[len(chunk)-1]
	}
	regions, err := seed.Regions()
	if err != nil {
		b.Fatal(err)
	}
	cfg := Config{Store: st, Regions: regions, Census: seed.Census(), Now: time.Now}
	var s *Statistics
	ask := func() {
		if _, err := s.Indicators(ctx, "630000", true); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		before := heap()
		for b.Loop() {
			s = New(cfg)
			ask()
		}
		b.ReportMetric(float64(heap()-before)/100_000, "heap-bytes/listing")
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			ask()
		}
	})
	b.Run("changed", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if _, err := st.Listings.Update(ctx, last.ID, func(l *directory.Listing) error { l.UpdatedAt = l.UpdatedAt.Add(time.Second); return nil }); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			ask()
		}
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
