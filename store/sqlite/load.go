package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	driver "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"

	"qingfu/directory"
	"qingfu/store"
)

// Load implements store.Engine. The records are stored in one transaction.
func (e *Engine) Load(ctx context.Context, collection string, records ...store.Record) (err error) {
	defer directory.Wrap(&err, "sqlite: load %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return err
	}
	rows := make([][]any, len(records))
	for i, r := range records {
		if rows[i], err = t.row(r); err != nil {
			return err
		}
	}
	e.writing.Lock()
	defer e.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if now, err := e.table(collection); err != nil || now != t {
		return errors.New("the collection was declared anew meanwhile")
	}
	run := context.WithoutCancel(ctx) // as in Declare
	if _, err := e.conn.ExecContext(run, "BEGIN IMMEDIATE"); err != nil {
		return translate(err)
	}
	for i, r := range records {
		if err = e.loadRow(run, t, r, rows[i]); err != nil {
			err = fmt.Errorf("document %s: %w", r.ID, err)
			break
		}
	}
	if err == nil {
		_, err = e.conn.ExecContext(run, "COMMIT")
	}
	if err != nil {
		e.conn.ExecContext(run, "ROLLBACK") // it fails when SQLite has rolled back by itself
	}
	return translate(err)
}

// loadRow stores a record within the open transaction, unless it is there already.
func (e *Engine) loadRow(ctx context.Context, t *table, r store.Record, row []any) error {
	stored, err := changed(t.load.ExecContext(ctx, row...))
	if taken(err) {
		if err := e.makeWay(ctx, t, r, row[4:]); err != nil {
			return err
		}
		stored, err = changed(t.load.ExecContext(ctx, row...))
	}
	if taken(err) {
		return &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: err}
	}
	if stored || err != nil {
		return err
	}
	// It is there, or something is that cannot be replaced.
	var there bool
	err = e.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM %q WHERE id = ? AND seq >= ?)", t.Name), r.ID, r.Seq).Scan(&there)
	if err == nil && !there {
		err = &directory.Error{Kind: directory.Conflict, What: t.Name, Cause: errors.New("another record has its id or number")}
	}
	return err
}

// makeWay deletes the older documents that have a unique value of a record.
func (e *Engine) makeWay(ctx context.Context, t *table, r store.Record, fields []any) error {
	for _, ix := range t.Indexes {
		if !ix.Unique {
			continue
		}
		text := fmt.Sprintf("UPDATE %q SET doc = NULL%s WHERE id <> ? AND seq < ?", t.Name, t.each(", f_%s = NULL"))
		args := []any{r.ID, r.Seq}
		for i, f := range t.Fields {
			if slices.Contains(ix.Fields, f.Name) {
				text += fmt.Sprintf(" AND f_%s = ?", f.Name)
				args = append(args, fields[i])
			}
		}
		if _, err := e.conn.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

// taken tells whether a statement was undone because an id, a number or a unique value
// is there already.
func taken(err error) bool {
	failure, ok := errors.AsType[*driver.Error](err)
	return ok && (failure.Code() == code.SQLITE_CONSTRAINT_UNIQUE || failure.Code() == code.SQLITE_CONSTRAINT_PRIMARYKEY || failure.Code() == code.SQLITE_CONSTRAINT_ROWID)
}

// loadInto takes what insertInto takes; an id that is there already is replaced when
// its number is smaller.
func (t *table) loadInto() string {
	into, _, _ := strings.Cut(t.insertInto(t.Name), " ON CONFLICT")
	return fmt.Sprintf("%s ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, version = excluded.version, doc = excluded.doc%s WHERE seq < excluded.seq",
		into, t.each(", f_%s = excluded.f_%s"))
}
