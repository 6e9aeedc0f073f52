package search_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/seed"
)

// drawText draws what somebody might type to find one of the entries, or
// something like it.
func drawText(t *rapid.T, entries []entry) string {
	e := &entries[rapid.IntRange(0, len(entries)-1).Draw(t, "sought")]
	name := []rune(strings.TrimPrefix(e.Names.Zh, "示例·"))
	from := rapid.IntRange(0, len(name)-1).Draw(t, "from")
	part := string(name[from:min(len(name), from+rapid.IntRange(1, 6).Draw(t, "length"))])
	spoken := search.Syllables(part)
	switch rapid.IntRange(0, 9).Draw(t, "form") {
	case 0:
		return part
	case 1:
		return e.Names.Zh
	case 2:
		return strings.Join(spoken, "")
	case 3:
		return strings.ReplaceAll(search.Initials(spoken), "?", "")
	case 4: // unfinished
		p := strings.Join(spoken, "")
		return p[:min(len(p), rapid.IntRange(1, 12).Draw(t, "typed"))]
	case 5: // a letter wrong
		p := []byte(strings.Join(spoken, ""))
		if len(p) > 0 {
			p[rapid.IntRange(0, len(p)-1).Draw(t, "wrong")] = 'x'
		}
		return string(p)
	case 6:
		other := &entries[rapid.IntRange(0, len(entries)-1).Draw(t, "other")]
		return part + " " + other.Address
	case 7:
		return e.Summary + part
	case 8:
		return rapid.SampledFrom([]string{"月嫂", "西宁 保洁", "附近的托儿所", "yanglao", "xining jiazheng", "格尔木养老", "བྱིས་པ", "24小时", "上门 做饭 搬家", "hzjz", "jiazhneg", "示例"}).Draw(t, "usual")
	}
	return rapid.StringN(0, 12, -1).Draw(t, "anything")
}

// sameAnswers ends the test unless both engines give the same answer.
func sameAnswers(t fataler, got, want search.Engine, q search.Query) {
	t.Helper()
	a, b := find(t, got, q), find(t, want, q)
	sameIDs(t, fmt.Sprintf("%q %+v", q.Text, q), idsOf(a.Hits), idsOf(b.Hits))
	if a.Total != b.Total {
		t.Fatalf("%+v: total %d, want %d", q, a.Total, b.Total)
	}
	for i := range a.Hits {
		if a.Hits[i].Card != b.Hits[i].Card || !maps.Equal(a.Hits[i].Highlight, b.Hits[i].Highlight) {
			t.Fatalf("%+v: hit %+v, want %+v", q, a.Hits[i], b.Hits[i])
		}
	}
	for f := range b.Facets {
		if !slices.Equal(a.Facets[f], b.Facets[f]) {
			t.Fatalf("%+v: facet %s %v, want %v", q, f, a.Facets[f], b.Facets[f])
		}
	}
}

// changed returns another version of a listing.
func (w *world) changed(e *entry, version int) entry {
	l := e.Listing
	l.UpdatedAt = l.UpdatedAt.Add(time.Duration(version) * time.Hour)
	l.VerifiedAt = nil
	switch version % 4 {
	case 0:
		l.Names.Zh += "分店"
	case 1:
		l.Satisfaction = directory.Satisfaction{Levels: [5]int64{int64(version), 0, 0, 20, 20}}
	case 2:
		l.Location, l.Hours, l.Features = nil, nil, nil
	case 3:
		l.Summary = "新增月嫂服务，可上门。"
		l.Region = "632801"
	}
	return w.index(l)
}

// However documents came and went, the index answers as one built from those
// that are left.
func TestWritesLeaveNoTrace(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		checkSome(t, 20, func(rt *rapid.T) {
			pool := make([]entry, rapid.IntRange(1, 40).Draw(rt, "pool"))
			step := len(w.entries) / len(pool)
			for i := range pool {
				pool[i] = w.entries[i*step]
			}
			e := under.open(t)
			defer e.Close()
			present := map[string]entry{}
			for range rapid.IntRange(1, 12).Draw(rt, "writes") {
				var docs []search.Document
				var ids []string
				for range rapid.IntRange(0, 15).Draw(rt, "size") {
					x := pool[rapid.IntRange(0, len(pool)-1).Draw(rt, "which")]
					if v := rapid.IntRange(0, 8).Draw(rt, "version"); v > 0 {
						x = w.changed(&x, v)
					}
					docs, ids = append(docs, x.doc), append(ids, x.ID)
					present[x.ID] = x // the last of several with one id counts
				}
				if maybe(rt, "delete", 3) {
					if err := e.Delete(background, append(ids, "no such id")...); err != nil {
						rt.Fatal(err)
					}
					for _, id := range ids {
						delete(present, id)
					}
				} else {
					if err := e.Put(background, docs...); err != nil {
						rt.Fatal(err)
					}
				}
				if n, err := e.Size(background); err != nil || n != len(present) {
					rt.Fatalf("size %d, want %d, %v", n, len(present), err)
				}
			}
			entries := slices.Collect(maps.Values(present))
			fresh := under.open(t)
			defer fresh.Close()
			if err := fresh.Put(background, documents(entries)...); err != nil {
				rt.Fatal(err)
			}
			for range 4 {
				q := drawQuery(rt, w, pool)
				answersLikeReference(rt, w, e, entries, q)
				q.Text = drawText(rt, pool)
				sameAnswers(rt, e, fresh, q)
				sameAnswers(rt, e, fresh, search.Query{Text: q.Text, Facets: q.Facets, RegionFacet: q.RegionFacet})
			}
		})
	})
}

// The same for an index in which words have long and short lists of documents
// and segments of many sizes.
func TestManyWritesLeaveNoTrace(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		var entries []entry
		for l := range seed.Synthetic(700, 5) {
			entries = append(entries, w.index(l))
		}
		fresh := under.loaded(t, entries)
		e := under.open(t)
		for at, n := 0, 1; at < len(entries); at, n = at+n, n%197+61 {
			batch := entries[at:min(at+n, len(entries))]
			old := w.changed(&batch[0], at)
			for _, docs := range [][]search.Document{{old.doc}, documents(batch)} {
				if err := e.Put(t.Context(), docs...); err != nil {
					t.Fatal(err)
				}
			}
			gone := w.made(fmt.Sprint("gone ", at), func(l *directory.Listing) { l.Names.Zh = "月嫂家政公司" })
			if err := e.Put(t.Context(), gone.doc); err != nil {
				t.Fatal(err)
			}
			if err := e.Delete(t.Context(), gone.ID); err != nil {
				t.Fatal(err)
			}
		}
		checkSome(t, 50, func(t *rapid.T) {
			q := drawQuery(t, w, entries)
			q.Text = drawText(t, entries)
			sameAnswers(t, e, fresh, q)
			sameIDs(t, q, idsOf(findAll(t, e, q)), idsOf(findAll(t, fresh, q)))
		})
		for _, text := range []string{"家政", "jiazheng", "示例", "互助", "huzhu", "养老 互助", "yl", "月嫂", "shi", "s", "老年人", "示例 路 号"} {
			q := search.Query{Text: text, Limit: 50}
			sameIDs(t, text, idsOf(findAll(t, e, q)), idsOf(findAll(t, fresh, q)))
		}
	})
}

// Following the cursor of a search gives every hit once, in the order of the
// largest pages.
func TestPagingText(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries)
		checkSome(t, 40, func(t *rapid.T) {
			q := drawQuery(t, w, w.entries)
			q.Text, q.Limit, q.Facets = drawText(t, w.entries), 100, nil
			want := idsOf(findAll(t, e, q))
			q.Limit = rapid.IntRange(1, 30).Draw(t, "limit")
			got := idsOf(findAll(t, e, q))
			sameIDs(t, q, got, want)
			slices.Sort(got)
			if n := len(got); len(slices.Compact(got)) != n {
				t.Fatalf("%+v: a hit stands twice", q)
			}
		})
	})
}

// What is there throughout is found by every search while others come and go,
// exactly once by a reader that pages, and a write is seen by the next search.
func TestReadingWhileWriting(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		stay, flit := w.entries[:120], w.entries[120:180]
		e := under.loaded(t, stay)
		wanted := map[string]bool{}
		for _, x := range stay {
			wanted[x.ID] = true
		}

		stop := make(chan struct{})
		var writers, readers sync.WaitGroup
		for k := range 2 {
			mine := flit[k*30 : k*30+30]
			writers.Go(func() {
				for round := 0; ; round++ {
					select {
					case <-stop:
						return
					default:
					}
					x := mine[round%len(mine)]
					x = w.changed(&x, round)
					q := search.Query{Text: x.Names.Zh, Limit: 100, Kinds: []directory.Kind{x.Kind}}
					if err := e.Put(background, x.doc); err != nil {
						t.Error(err)
						return
					}
					if res, err := e.Search(background, q); err != nil || !slices.ContainsFunc(res.Hits, func(h search.Hit) bool { return h.Card == x.doc.Card }) {
						t.Errorf("%s was put and is not found: %v", x.Names.Zh, err)
						return
					}
					if round%2 == 1 {
						if err := e.Delete(background, x.ID); err != nil {
							t.Error(err)
							return
						}
						if res, err := e.Search(background, q); err != nil || slices.Contains(idsOf(res.Hits), x.ID) {
							t.Errorf("%s was deleted and is found: %v", x.Names.Zh, err)
							return
						}
					}
				}
			})
		}
		xining := directory.Point{Lat: 36.62, Lon: 101.78}
		for _, q := range []search.Query{
			{}, {Sort: search.ByName}, {Sort: search.ByNewest}, {Sort: search.ByDistance, Near: &xining}, {Text: "青海"}, {Text: "qinghai"},
		} {
			readers.Go(func() {
				q.Facets = []search.Facet{search.KindFacet}
				for _, limit := range []int{7, 40, 100} {
					seen := map[string]int{}
					q.Limit, q.After = limit, ""
					for {
						res, err := e.Search(background, q)
						if err != nil {
							t.Error(err)
							return
						}
						for _, h := range res.Hits {
							seen[h.ID]++
						}
						if q.After = res.Next; q.After == "" {
							break
						}
						if seen[res.Hits[0].ID] > 10 {
							t.Errorf("%+v: no end in sight", q)
							return
						}
					}
					for id := range wanted {
						if seen[id] != 1 {
							t.Errorf("%+v: %s was there %d times", q, id, seen[id])
							return
						}
					}
				}
			})
		}
		readers.Go(func() {
			for range 5 { // typos and unfinished words
				for _, text := range []string{"qinghia", "qingh", "xiningg", "yanglaoyaun"} {
					if _, err := e.Suggest(background, search.SuggestQuery{Text: text, Limit: 10}); err != nil {
						t.Error(err)
					}
				}
				if _, err := e.Clusters(background, search.ClusterQuery{Query: search.Query{Box: &directory.Box{South: 30, West: 80, North: 40, East: 110}}, Zoom: 9}); err != nil {
					t.Error(err)
				}
				if _, err := e.Size(background); err != nil {
					t.Error(err)
				}
			}
		})
		readers.Wait()
		close(stop)
		writers.Wait()
	})
}

func TestClosed(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries[:10])
		var writer sync.WaitGroup
		started := make(chan struct{})
		writer.Go(func() {
			for i := 0; ; i++ {
				if i == 3 {
					close(started)
				}
				if err := e.Put(background, w.entries[i%len(w.entries)].doc); err != nil {
					return
				}
			}
		})
		<-started
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		writer.Wait() // until Put fails
		if err := e.Delete(background, w.entries[0].ID); err == nil {
			t.Error("a closed engine deletes")
		}
		if err := e.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
}

func TestPutRefusesNothingHalf(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, under engineUnderTest) {
		w := theWorld()
		e := under.loaded(t, w.entries[:3])
		canceled, cancel := context.WithCancel(background)
		cancel()
		if err := e.Put(canceled, documents(w.entries[:50])...); err == nil {
			t.Error("a canceled put succeeds")
		}
		if n, _ := e.Size(background); n != 3 {
			t.Errorf("%d documents after a canceled put", n)
		}
		for _, put := range [][]search.Document{nil, {}} {
			if err := e.Put(background, put...); err != nil {
				t.Error(err)
			}
		}
		if err := e.Delete(background); err != nil {
			t.Error(err)
		}
	})
}
