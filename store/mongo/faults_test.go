package mongo

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/mongo/fault"
)

// behind returns an engine on a new database with a collection of items declared, and
// the proxy through which it speaks to the database; a plain one has no sessions.
func behind(t *testing.T, plain bool) (*Engine, *fault.Proxy) {
	t.Helper()
	t.Parallel() // most of the time is waiting
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		t.Skip("MONGODB_URI names no MongoDB to test with")
	}
	if os.Getenv("MONGODB_IS") == "ferretdb" {
		t.Skip("ferretdb cannot show it: it takes one connection and no update on a condition")
	}
	p := fault.Start(t, uri)
	if plain {
		p.Plain()
	}
	e, err := Open(t.Context(), p.URI(fault.Database(t, uri)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Back()
		e.Close()
	})
	if err := e.Declare(t.Context(), items("word")); err != nil {
		t.Fatal(err)
	}
	return e, p
}

// TestLostAnswers cuts the connection after the server has done one of the steps of a
// write. Whether the driver sends it again or not, the write is done once, and says so.
func TestLostAnswers(t *testing.T) {
	steps := map[string]func(heads int) func(fault.Command) bool{
		"reservation": func(int) func(fault.Command) bool {
			return func(c fault.Command) bool { return c.Collection == "_collections" && c.Name == "update" }
		},
		"document": func(int) func(fault.Command) bool {
			return func(c fault.Command) bool { return c.Collection == "items" && c.Name != "find" }
		},
		"release": func(heads int) func(fault.Command) bool {
			return func(c fault.Command) bool {
				if c.Collection == "_collections" && c.Name == "update" {
					heads++
				}
				return heads == 2 // the first reserves
			}
		},
	}
	for name, step := range steps {
		for _, plain := range []bool{false, true} {
			if plain && name == "reservation" {
				continue // see TestLostReservation
			}
			for what, w := range map[string]store.Write{
				"insert": insert("new"), "replace": replace("a", 1), "delete": {ID: "b", Seen: 1}, "revive": insert("c"),
			} {
				t.Run(fmt.Sprintf("%s of %s, plain %t", name, what, plain), func(t *testing.T) {
					e, p := behind(t, plain)
					must(t, e, insert("a"), insert("b"), insert("c"))
					must(t, e, store.Write{ID: "c", Seen: 1})
					came := p.CutAfter(step(0))
					begun := time.Now()
					must(t, e, w)
					if !came() {
						t.Error("the cut did not come")
					}
					records, err := e.Changes(t.Context(), "items", 4, 10)
					if err != nil || len(records) != 1 || records[0].ID != w.ID || time.Since(begun) >= e.Lease {
						t.Errorf("changes %q, %v", list(records), err)
					}
					// The next version says that it happened once.
					next := replace(w.ID, records[0].Version)
					if w.Doc == nil {
						next = insert(w.ID)
					}
					must(t, e, next)
				})
			}
		}
	}
}

// TestLostReservation cuts the connection after numbers were reserved. Without the
// driver's help it is not known that they were, but that nothing was written is.
func TestLostReservation(t *testing.T) {
	e, p := behind(t, true)
	e.Lease = 10 * time.Millisecond
	reserved := func(c fault.Command) bool { return c.Collection == "_collections" && c.Name == "update" }
	came := p.CutAfter(reserved)
	if _, err := e.Write(t.Context(), "items", insert("a")); directory.KindOf(err) != directory.Unavailable || !came() {
		t.Fatalf("%v, the cut came: %t", err, came())
	}
	wantChanges(t, e)
	must(t, e, insert("a"))
	wantChanges(t, e, "a.1@2")

}

// TestFaults holds what each fault makes of reads and writes, and that it passes.
func TestFaults(t *testing.T) {
	for name, begin := range map[string]func(*fault.Proxy){
		"away":         func(p *fault.Proxy) { p.Away() },
		"not primary":  func(p *fault.Proxy) { p.StepDown(10107) },
		"stepped down": func(p *fault.Proxy) { p.StepDown(189) },
		"slow":         func(p *fault.Proxy) { p.Slow(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			e, p := behind(t, false)
			must(t, e, insert("before"))
			begin(p)
			ctx := t.Context()
			if name == "slow" {
				short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				ctx = short
			}
			if _, err := e.Get(ctx, "items", "before"); directory.KindOf(err) != directory.Unavailable && ctx.Err() == nil {
				t.Errorf("a read: %v", err)
			}
			if _, err := e.Write(ctx, "items", insert("meanwhile")); directory.KindOf(err) != directory.Unavailable && ctx.Err() == nil {
				t.Errorf("a write: %v", err)
			}
			p.Back()
			must(t, e, insert("after"))
			if records, err := e.Get(t.Context(), "items", "before", "after"); err != nil || len(records) != 2 {
				t.Errorf("stored: %q, %v", list(records), err)
			}
		})
	}
}

// TestWriteOutlivesAnElection holds that a write waits for the next primary.
func TestWriteOutlivesAnElection(t *testing.T) {
	e, p := behind(t, false)
	must(t, e, insert("a"))
	p.StepDown(10107)
	written := make(chan error, 1)
	go func() {
		outcomes, err := e.Write(context.Background(), "items", replace("a", 1))
		if err == nil {
			err = outcomes[0].Err
		}
		written <- err
	}()
	<-time.After(300 * time.Millisecond) // an election takes its time
	p.Back()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	wantChanges(t, e, "a.2@2")
}

// TestWriteIsNotWaitedForForever holds that a caller whose time is over is told so, and
// that what was begun may still be done.
func TestWriteIsNotWaitedForForever(t *testing.T) {
	e, p := behind(t, false)
	must(t, e, insert("a"))
	p.Slow(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := e.Write(ctx, "items", replace("a", 1)); directory.KindOf(err) != directory.Unavailable {
		t.Fatalf("told %v", err)
	}
	p.Back()
	must(t, e, insert("b")) // comes behind it
	wantChanges(t, e, "a.2@2", "b.1@3")
}

// TestNothingIsLostOrDoubled lets several write while answers are lost and the server
// comes and goes. Each writer has documents of its own, so that nobody else can be in
// its way: it must never be told that somebody was, and what it is told must be so.
func TestNothingIsLostOrDoubled(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain %t", plain), func(t *testing.T) {
			e, p := behind(t, plain)
			e.Lease = 50 * time.Millisecond
			const workers, rounds = 4, 6
			random := mathrand.New(mathrand.NewPCG(5, 6))
			finished, faulty := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(faulty)
				again := time.NewTicker(100 * time.Millisecond)
				defer again.Stop()
				for n := 0; ; n++ {
					select {
					case <-finished:
						return
					case <-again.C:
					}
					switch at := random.IntN(4); {
					case n%20 == 8:
						p.StepDown(10107)
					case n%20 == 14:
						p.Away()
					case n%20 == 11, n%20 == 17:
						p.Back()
					default:
						seen := 0
						p.CutAfter(func(c fault.Command) bool {
							if c.Name == "hello" || c.Name == "find" {
								return false
							}
							seen++
							return seen > at
						})
					}
				}
			}()
			var mu sync.Mutex
			told := map[string]int64{} // the numbers of what was acknowledged, the last of each document
			var writing sync.WaitGroup
			for w := range workers {
				writing.Go(func() {
					counter, version, unknown := fmt.Sprint("counter-", w), int64(0), false
					for n := range rounds {
						id := fmt.Sprintf("%d-%d", w, n)
						if unknown { // look which version there is
							records, err := e.Get(context.Background(), "items", counter)
							if err != nil {
								continue
							}
							if version, unknown = 0, false; len(records) > 0 {
								version = records[0].Version
							}
						}
						outcomes, err := e.Write(context.Background(), "items", replace(counter, version), insert(id))
						if directory.KindOf(err) == directory.Unavailable {
							unknown = true
							continue
						}
						if err != nil {
							t.Error(err)
							return
						}
						for k, o := range outcomes {
							if o.Err != nil {
								t.Errorf("round %d, write %d: %v", n, k, o.Err)
							}
						}
						mu.Lock()
						told[counter], told[id] = outcomes[0].Seq, outcomes[1].Seq
						mu.Unlock()
						if version++; outcomes[0].Version != version || outcomes[1].Version != 1 {
							t.Errorf("round %d: %+v, want version %d", n, outcomes, version)
						}
						records, err := e.Get(context.Background(), "items", counter, id)
						if err == nil && (len(records) != 2 || records[0].Seq != outcomes[0].Seq || records[1].Seq != outcomes[1].Seq) {
							t.Errorf("round %d: told %+v, stored %q", n, outcomes, list(records))
						}
					}
				})
			}
			writing.Wait()
			close(finished)
			<-faulty
			p.Back()
			p.CutAfter(func(fault.Command) bool { return false })
			must(t, e, insert("at the end"))
			records, err := e.Changes(t.Context(), "items", 0, store.MaxLimit)
			if err != nil {
				t.Fatal(err)
			}
			stored := map[string]int64{}
			for _, r := range records {
				stored[r.ID] = r.Seq
			}
			for id, seq := range told {
				if stored[id] < seq || id[0] != 'c' && stored[id] != seq {
					t.Errorf("%s was acknowledged with %d and is there with %d", id, seq, stored[id])
				}
			}
			if len(told) == 0 {
				t.Error("nothing was acknowledged")
			}
		})
	}
}
