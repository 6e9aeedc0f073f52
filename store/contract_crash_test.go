package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"qingfu/store"
)

// The tests of crashes start this test program again as a child, which writes
// until it is killed. CRASH says what the child does: role, engine, folder.
func TestMain(m *testing.M) {
	if task := os.Getenv("CRASH"); task != "" {
		role, rest, _ := strings.Cut(task, " ")
		engine, dir, _ := strings.Cut(rest, " ")
		if err := map[string]func(engine, dir string) error{"write": crashWriting, "migrate": crashMigrating, "load": crashLoading}[role](engine, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crash runs a child, kills it (SIGKILL) when it has written so many lines to
// its output, and returns all lines that it has written.
func (h harness) crash(role string, lines int) []string {
	h.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("CRASH=%s %s %s", role, h.engine, h.dir))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // stays open: the child may wait on it for its end
	if err != nil {
		h.t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for in := bufio.NewScanner(stdout); in.Scan(); {
		if out = append(out, in.Text()); len(out) == lines {
			if err := cmd.Process.Kill(); err != nil {
				h.t.Error(err)
			}
		}
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		h.t.Fatalf("the child was not killed in the middle of its work: %v", err)
	}
	return out
}

// crashWorkers is how many goroutines of the child write, so that their writes
// share transactions.
const crashWorkers = 4

// crashWriting writes documents, and says of each when it was acknowledged.
func crashWriting(engine, dir string) error {
	ctx := context.Background()
	e, err := engines[engine](ctx, dir)
	if err != nil {
		return err
	}
	if err := e.Declare(ctx, items("items", "word", "n")); err != nil {
		return err
	}
	before, err := e.Count(ctx, "items", nil) // makes the ids of this child its own
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, crashWorkers)
	for w := range crashWorkers {
		wg.Go(func() {
			for n := range 50_000 {
				// A pair in one call, so that half of a transaction would show.
				id := fmt.Sprintf("%d-%d-%d", before[0].N, w, n)
				i := item{Word: id, N: int64(n)}
				if _, errs[w] = e.Write(ctx, "items", i.write(id+"-a", 0), i.write(id+"-b", 0)); errs[w] != nil {
					return
				}
				fmt.Println(id)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func TestKillAndReopen(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		var acknowledged []string
		for round := range 4 {
			acknowledged = append(acknowledged, h.crash("write", 20+round*30)...)
			e := h.open(items("items", "word", "n"))
			stored := map[string]bool{}
			for _, r := range changes(t, e, "items", 0) {
				stored[r.ID] = true
			}
			for _, id := range acknowledged {
				if !stored[id+"-a"] || !stored[id+"-b"] {
					t.Errorf("round %d: %s was acknowledged and is lost", round, id)
				}
			}
			for id := range stored {
				// SQLite keeps a call whole, which is more than the contract asks.
				if pair := id[:len(id)-1]; h.engine == "sqlite" && (!stored[pair+"a"] || !stored[pair+"b"]) {
					t.Errorf("round %d: half of a transaction is there: %s", round, id)
				}
			}
			// At most the write that each worker had under way is more than acknowledged.
			if most := 2 * (len(acknowledged) + (round+1)*crashWorkers); len(stored) > most {
				t.Errorf("round %d: %d documents stored of %d acknowledged", round, len(stored), 2*len(acknowledged))
			}
			groups, err := e.Count(t.Context(), "items", nil)
			if err != nil || groups[0].N != int64(len(stored)) {
				t.Errorf("round %d: %v documents counted, %d read: %v", round, groups, len(stored), err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// crashMigrating stops for ever in the middle of a migration.
func crashMigrating(engine, dir string) error {
	ctx := context.Background()
	e, err := engines[engine](ctx, dir)
	if err != nil {
		return err
	}
	d, n := items("items", "n"), 0
	extract := d.Extract
	d.Extract = func(doc []byte) ([]any, error) {
		if n++; n == 150 {
			fmt.Println("half")
			io.Copy(io.Discard, os.Stdin)
		}
		return extract(doc)
	}
	return e.Declare(ctx, d)
}

func TestKillDuringMigration(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", "word", "n"))
		var writes []store.Write
		for n := range 200 {
			writes = append(writes, item{Word: fmt.Sprint(n % 3), N: int64(n)}.write(fmt.Sprint(n), 0))
		}
		must(t, e, "items", writes...)
		before := changes(t, e, "items", 0)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		h.crash("migrate", 1)
		for _, fields := range [][]string{{"word", "n"}, {"n"}} { // as before, then as it would have been
			e = h.open(items("items", fields...))
			if after := changes(t, e, "items", 0); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("documents changed: %v", after)
			}
			found, err := e.Find(t.Context(), "items", store.Query{Where: []store.Condition{{Field: "n", Op: store.Min, Value: int64(190)}}, Order: "n", Limit: 100})
			if err != nil || len(found) != 10 {
				t.Errorf("%d found, %v", len(found), err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
