package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"

	"qingfu/directory"
	"qingfu/store"
)

// maxGroup is the number of writes at which a transaction takes no more jobs.
const maxGroup = 2000

// job is one call of Write on its way through the writing goroutine.
type job struct {
	table    *table
	writes   []store.Write
	outcomes []store.Outcome
	err      error
	done     chan struct{} // closed when outcomes or err are there
}

// Write implements store.Engine.
func (e *Engine) Write(ctx context.Context, collection string, writes ...store.Write) (_ []store.Outcome, err error) {
	defer directory.Wrap(&err, "sqlite: write %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j := &job{table: t, writes: writes, done: make(chan struct{})}
	select {
	case e.jobs <- j:
		// From here on the write happens. That takes no longer than a transaction.
		<-j.done
		return j.outcomes, j.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.closed:
		return nil, errors.New("the database is closed")
	}
}

func (e *Engine) writeLoop() {
	defer close(e.done)
	for {
		select {
		case j := <-e.jobs:
			e.group(j)
		case <-e.closed:
			return
		}
	}
}

// group writes a job, and those that wait by then, in one transaction.
func (e *Engine) group(first *job) {
	e.writing.Lock()
	defer e.writing.Unlock()
	ctx := context.Background() // the transaction belongs to many callers
	group := []*job{first}
	_, err := e.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		group, err = e.collect(ctx, group)
		if err == nil {
			_, err = e.conn.ExecContext(ctx, "COMMIT")
		}
		if err != nil {
			// It fails when SQLite has rolled back by itself, as on a full disk.
			e.conn.ExecContext(ctx, "ROLLBACK")
		}
	}
	for _, j := range group {
		if err != nil {
			j.outcomes, j.err = nil, translate(err)
		}
		close(j.done)
	}
}

// collect applies the jobs and takes more while there are any.
func (e *Engine) collect(ctx context.Context, group []*job) ([]*job, error) {
	for i, writes := 0, 0; ; i++ {
		if err := e.apply(ctx, group[i]); err != nil {
			return group, err
		}
		if writes += len(group[i].writes); writes >= maxGroup {
			return group, nil
		}
		select {
		case j := <-e.jobs:
			group = append(group, j)
		default:
			return group, nil
		}
	}
}

// apply runs one job's writes within the open transaction. Its error is one of
// the transaction.
func (e *Engine) apply(ctx context.Context, j *job) error {
	t := j.table
	if now, err := e.table(t.Name); err != nil || now != t {
		j.err = errors.New("the collection was declared anew meanwhile")
		return nil
	}
	var seq int64
	if err := t.lastSeq.QueryRowContext(ctx).Scan(&seq); err != nil {
		return err
	}
	j.outcomes = make([]store.Outcome, len(j.writes))
	for i, w := range j.writes {
		if j.outcomes[i].Err = t.CheckWrite(w); j.outcomes[i].Err != nil {
			continue
		}
		version, err := t.write(ctx, seq+1, w)
		if err == nil {
			seq++
			j.outcomes[i] = store.Outcome{Version: version, Seq: seq}
			continue
		}
		if failure, ok := errors.AsType[*driver.Error](err); ok {
			// A broken constraint undoes its statement and leaves the transaction as
			// it was; anything else ends the transaction.
			if primary(failure) != code.SQLITE_CONSTRAINT {
				return err
			}
			if failure.Code() == code.SQLITE_CONSTRAINT_UNIQUE {
				err = &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: err}
			}
		} else if directory.KindOf(err) == "" {
			return err
		}
		j.outcomes[i].Err = fmt.Errorf("document %s: %w", w.ID, err)
	}
	return nil
}

// write does one write and returns the document's new version.
func (t *table) write(ctx context.Context, seq int64, w store.Write) (version int64, err error) {
	fields := w.Fields
	if w.Doc == nil {
		fields = make([]any, len(t.Fields))
	}
	if w.Seen == 0 {
		args := append([]any{seq, w.ID, 1, w.Doc}, fields...)
		if done, err := changed(t.insert.ExecContext(ctx, args...)); done || err != nil {
			return 1, err
		}
		// The id is there. Unless the document is deleted, this finds nothing.
		args = append(append([]any{seq, w.Doc}, fields...), w.ID)
		if done, err := changed(t.revive.ExecContext(ctx, args...)); err != nil {
			return 0, err
		} else if done {
			version, _, err = t.current(ctx, w.ID)
			return version, err
		}
		return 0, &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: errors.New("the id exists already")}
	}
	args := append(append([]any{seq, w.Doc}, fields...), w.ID, w.Seen)
	if done, err := changed(t.replace.ExecContext(ctx, args...)); done || err != nil {
		return w.Seen + 1, err
	}
	version, exists, err := t.current(ctx, w.ID)
	switch {
	case err != nil:
		return 0, err
	case !exists:
		return 0, directory.Missing(t.Name)
	}
	return 0, &directory.Error{Kind: directory.Conflict, What: t.Name,
		Cause: fmt.Errorf("the version is %d and not %d", version, w.Seen)}
}

// current returns the version of a document and whether it exists.
func (t *table) current(ctx context.Context, id string) (version int64, exists bool, err error) {
	err = t.version.QueryRowContext(ctx, id).Scan(&version, &exists)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return version, exists, err
}

// changed tells whether a statement changed a row.
func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
