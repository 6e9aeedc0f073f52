package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/sheets"
	"qingfu/store"
)

// table is a CSV of homes, each changed by change.
func (f *fixture) table(n int, change func(i int, l *directory.Listing)) []byte {
	f.t.Helper()
	var out bytes.Buffer
	err := sheets.WriteCSV(&out, directory.ElderCareKind, func(yield func(directory.Listing, error) bool) {
		for i := range n {
			l := home(fmt.Sprintf("养老院%d号", i))
			l.ExternalID = fmt.Sprintf("A-%d", i)
			if change != nil {
				change(i, &l)
			}
			if !yield(l, nil) {
				return
			}
		}
	}, f.Regions)
	if err != nil {
		f.t.Fatal(err)
	}
	return out.Bytes()
}

// imported runs an import to its end.
func (f *fixture) imported(caller directory.Caller, data []byte, submit bool) directory.Import {
	f.t.Helper()
	job, err := f.BeginImport(f.t.Context(), caller, f.firm, directory.ElderCareKind, "homes.csv", data, submit)
	if err == nil {
		err = f.workOnImports(f.t.Context())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return f.job(job.ID)
}

func (f *fixture) job(id string) directory.Import {
	f.t.Helper()
	doc, err := f.st.Imports.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return doc.Value
}

func (f *fixture) states() map[directory.ProposalState]int {
	f.t.Helper()
	docs, err := f.st.Proposals.All(f.t.Context(), store.Query{})
	if err != nil {
		f.t.Fatal(err)
	}
	out := map[directory.ProposalState]int{}
	for _, d := range docs {
		out[d.Value.State]++
	}
	return out
}

func TestImport(t *testing.T) {
	f := newFixture(t)
	owner := f.person(1, directory.Owner)
	job := f.imported(owner, f.table(120, func(i int, l *directory.Listing) {
		if i%10 == 3 {
			l.Phone = "13800138000" // nobody's service line
		}
	}), true)
	if job.State != directory.ImportDone || job.Done != 120 || job.Counts != (directory.RowCounts{Created: 108, Refused: 12}) {
		t.Fatalf("%+v", job)
	}
	if got := f.states(); got[directory.ProposalSubmitted] != 108 || len(got) != 1 {
		t.Errorf("proposals: %v", got)
	}
	result, err := f.ImportResult(t.Context(), job.ID)
	if err != nil || strings.Count(string(result), "未导入") != 12 || strings.Count(string(result), "新增") != 108 || !strings.Contains(string(result), "bad_format") {
		t.Errorf("the result is %d bytes, %v", len(result), err)
	}
	f.clock.Advance(time.Second)
	again := f.imported(owner, f.table(120, nil), true)
	if again.Counts != (directory.RowCounts{Created: 12, Unchanged: 108}) {
		t.Errorf("the corrected table: %+v", again.Counts)
	}
	f.clock.Advance(time.Second)
	changed := f.imported(owner, f.table(120, func(i int, l *directory.Listing) {
		if i < 5 {
			l.Summary = "新的介绍"
		}
	}), true)
	if changed.Counts != (directory.RowCounts{Updated: 5, Unchanged: 115}) {
		t.Errorf("five changes: %+v", changed.Counts)
	}
	if got := f.states(); got[directory.ProposalSubmitted] != 120 || len(got) != 1 {
		t.Errorf("proposals: %v", got)
	}
}

func TestCheckTableKeepsNothing(t *testing.T) {
	f := newFixture(t)
	table, err := f.CheckTable(t.Context(), f.firm, directory.ElderCareKind, "homes.csv", f.table(20, func(i int, l *directory.Listing) {
		if i == 7 {
			l.Phone, l.Region = "1", "630202"
		}
	}))
	if err != nil || len(table.Rows) != 20 || len(table.Rows[7].Errors) != 1 {
		t.Errorf("%d rows, %v", len(table.Rows), err)
	}
	if got := f.states(); len(got) != 0 {
		t.Errorf("kept: %v", got)
	}
	_, err = f.CheckTable(t.Context(), f.firm, directory.ElderCareKind, "x.csv", []byte("甲,乙\n1,2\n"))
	kind(t, "a table of something else", err, directory.Invalid)
}

// An import that is cut off anywhere is finished by whoever comes next, and ends
// as if it had not been.
func TestImportIsFinishedAfterACrash(t *testing.T) {
	f := newFixture(t)
	owner := f.person(1, directory.Owner)
	data := f.table(60, nil)
	job, err := f.BeginImport(t.Context(), owner, f.firm, directory.ElderCareKind, "homes.csv", data, true)
	if err != nil {
		t.Fatal(err)
	}
	for crashes := 1; ; crashes++ {
		if crashes > 1000 {
			t.Fatal("it never ends")
		}
		// Each try gets a few steps further than the one before.
		ctx := &dying{Context: t.Context()}
		ctx.left.Store(int64(97 * crashes))
		err := f.workOnImports(ctx)
		if f.job(job.ID).State == directory.ImportDone {
			if crashes < 3 {
				t.Errorf("only %d crashes: the test shows little", crashes-1)
			}
			break
		}
		if err == nil {
			t.Fatal("no error, but not done")
		}
	}
	if got := f.job(job.ID); got.Counts.Created != 60 || got.Counts.Refused+got.Counts.Updated+got.Counts.Unchanged != 0 {
		t.Errorf("%+v", got.Counts)
	}
	if got := f.states(); got[directory.ProposalSubmitted] != 60 || len(got) != 1 {
		t.Errorf("proposals: %v", got)
	}
}

// dying is a context that ends after it was asked a number of times whether it has.
type dying struct {
	context.Context
	left atomic.Int64
}

// Err implements context.Context.
func (d *dying) Err() error {
	if d.left.Add(-1) < 0 {
		return context.Canceled
	}
	return d.Context.Err()
}

func TestImportsOfTwoServers(t *testing.T) {
	f := newFixture(t)
	owner := f.person(1, directory.Owner)
	other, err := New(t.Context(), f.Config)
	if err != nil {
		t.Fatal(err)
	}
	job, err := f.BeginImport(t.Context(), owner, f.firm, directory.ElderCareKind, "homes.csv", f.table(3, nil), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.lease(t.Context(), job.ID, func(job *directory.Import) { job.State = directory.ImportRunning }); err != nil {
		t.Fatal(err)
	}
	if err := f.workOnImports(t.Context()); err != nil || f.job(job.ID).State != directory.ImportRunning {
		t.Errorf("two servers work on one import: %v", err)
	}
	f.clock.Advance(importLease) // the other one has died
	if err := f.workOnImports(t.Context()); err != nil || f.job(job.ID).State != directory.ImportDone {
		t.Errorf("nobody takes over: %v", err)
	}
	if err := other.lease(t.Context(), job.ID, func(*directory.Import) {}); !errors.Is(err, errLeased) {
		t.Errorf("the one that died comes back: %v", err)
	}
}

func TestImportsAreBounded(t *testing.T) {
	f := newFixture(t)
	owner := f.person(1, directory.Owner)
	data := f.table(1, nil)
	for range maxQueued {
		if _, err := f.BeginImport(t.Context(), owner, f.firm, directory.ElderCareKind, "homes.csv", data, false); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.BeginImport(t.Context(), owner, f.firm, directory.ElderCareKind, "homes.csv", data, false)
	kind(t, "one too many", err, directory.Conflict)
	f.clock.Advance(importKeep + time.Second)
	if err := f.sweepFiles(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]interface {
		Count(context.Context, []store.Condition, ...string) ([]store.Group, error)
	}{"imports": f.st.Imports, "files": f.st.Files} {
		if got, err := c.Count(t.Context(), nil); err != nil || got[0].N != 0 {
			t.Errorf("%s are left after their time: %v, %v", what, got, err)
		}
	}
}

func TestFiles(t *testing.T) {
	f := newFixture(t)
	for _, size := range []int{3*chunkSize + 5, 2 * chunkSize, 1, 0} {
		data := bytes.Repeat([]byte{byte(size)}, size)
		if err := f.saveFile(t.Context(), "a", "b", data, f.now()); err != nil {
			t.Fatal(err)
		}
		if got, err := f.file(t.Context(), "a", "b"); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}
	_, err := f.file(t.Context(), "a", "c")
	kind(t, "a file that is not there", err, directory.NotFound)
}

func TestImportOfSomebodyWhoHasLeft(t *testing.T) {
	f := newFixture(t)
	owner := f.person(1, directory.Staff)
	job, err := f.BeginImport(t.Context(), owner, f.firm, directory.ElderCareKind, "homes.csv", f.table(3, nil), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Auth.Revoke(t.Context(), directory.Caller{}, owner.Grants[0], auth.Client{}); err != nil {
		t.Fatal(err)
	}
	if err := f.workOnImports(t.Context()); !errors.Is(err, errNoMember) {
		t.Error(err)
	}
	if got := f.job(job.ID); got.State != directory.ImportFailed || len(f.states()) != 0 {
		t.Errorf("%+v, %v", got, f.states())
	}
	if err := f.workOnImports(t.Context()); err != nil {
		t.Errorf("it is tried again: %v", err)
	}
}
