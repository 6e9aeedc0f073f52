package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"qingfu/directory"
	"qingfu/store"
)

// table is a declared collection: its statements for the writing connection.
type table struct {
	store.Declaration
	stored string // its form in _collections

	lastSeq, insert, revive, replace, version, load *sql.Stmt
}

// Declare implements store.Engine.
func (e *Engine) Declare(ctx context.Context, d store.Declaration) (err error) {
	defer directory.Wrap(&err, "sqlite: declare %s", d.Name)
	if err := d.Check(); err != nil {
		return err
	}
	stored, err := json.Marshal(struct {
		Fields     []store.Field
		Indexes    []store.Index
		AppendOnly bool `json:",omitempty"`
	}{d.Fields, d.Indexes, d.AppendOnly})
	if err != nil {
		return err
	}
	t := &table{Declaration: d, stored: string(stored)}

	e.writing.Lock()
	defer e.writing.Unlock()
	if old, err := e.table(d.Name); err == nil && old.stored == t.stored {
		return nil
	}
	// The connection must outlive the call: an ended context would close it in
	// the middle of a statement. migrate looks at ctx itself.
	run := context.WithoutCancel(ctx)
	before, err := e.storedDeclaration(run, d.Name)
	if err != nil {
		return err
	}
	if before != t.stored {
		if _, err := e.conn.ExecContext(run, "BEGIN IMMEDIATE"); err != nil {
			return translate(err)
		}
		if err = e.migrate(ctx, t); err == nil {
			_, err = e.conn.ExecContext(run, "COMMIT")
		}
		if err != nil {
			_, rollbackErr := e.conn.ExecContext(run, "ROLLBACK")
			return errors.Join(translate(err), rollbackErr)
		}
	}
	if err := t.prepare(run, e.conn); err != nil {
		return err
	}
	e.mu.Lock()
	old := e.tables[d.Name]
	e.tables[d.Name] = t
	e.mu.Unlock()
	return old.close()
}

// storedDeclaration returns the last declaration of a collection, "" when there is none.
func (e *Engine) storedDeclaration(ctx context.Context, name string) (declaration string, err error) {
	err = e.conn.QueryRowContext(ctx, "SELECT declaration FROM _collections WHERE name = ?", name).Scan(&declaration)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return declaration, err
}

// migrate brings the table to its declaration. The table is written anew, with
// the new columns, in a transaction that the caller has begun.
func (e *Engine) migrate(ctx context.Context, t *table) error {
	run := context.WithoutCancel(ctx)
	// Another process may have been quicker.
	before, err := e.storedDeclaration(run, t.Name)
	if err != nil || before == t.stored {
		return err
	}
	exec := func(text string, args ...any) {
		if err == nil {
			_, err = e.conn.ExecContext(run, text, args...)
		}
	}
	if before == "" {
		exec(t.create(t.Name))
	} else {
		exec(t.create(t.Name + " new"))
		if err == nil {
			err = e.refill(ctx, t)
		}
		exec(fmt.Sprintf(`DROP TABLE %q`, t.Name))
		exec(fmt.Sprintf(`ALTER TABLE %q RENAME TO %q`, t.Name+" new", t.Name))
	}
	for _, ix := range t.Indexes {
		exec(t.createIndex(ix))
	}
	if t.AppendOnly {
		for _, trigger := range t.onlyGrows() {
			exec(trigger)
		}
	}
	exec("INSERT OR REPLACE INTO _collections VALUES (?, ?)", t.Name, t.stored)
	return err
}

// refill copies all rows into the new table with fields extracted from their documents.
func (e *Engine) refill(ctx context.Context, t *table) error {
	run := context.WithoutCancel(ctx)
	insert, err := e.conn.PrepareContext(run, t.insertInto(t.Name+" new"))
	if err != nil {
		return err
	}
	defer insert.Close()
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := e.conn.QueryContext(run, t.changes(), after, store.MaxLimit)
		if err != nil {
			return err
		}
		records, err := scan(rows)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		for _, r := range records {
			row, err := t.row(r)
			if err != nil {
				return err
			}
			if _, err := insert.ExecContext(run, row...); err != nil {
				return err
			}
		}
		after = records[len(records)-1].Seq
	}
}

// row makes the arguments of insertInto for a record as it is.
func (t *table) row(r store.Record) ([]any, error) {
	fields, err := t.CheckRecord(r)
	if r.Doc == nil {
		fields = make([]any, len(t.Fields))
	}
	return append([]any{r.Seq, r.ID, r.Version, r.Doc}, fields...), err
}

// create makes a table. doc comes last, so that a look at the fields need not
// step over it. The checks hold what every query relies on: that exactly the
// deleted documents have no fields.
func (t *table) create(name string) string {
	var columns, checks strings.Builder
	for _, f := range t.Fields {
		kind := "TEXT"
		if f.Type == store.Int {
			kind = "INTEGER"
		}
		fmt.Fprintf(&columns, ", f_%s %s", f.Name, kind)
		fmt.Fprintf(&checks, ", CHECK ((doc IS NULL) = (f_%s IS NULL))", f.Name)
	}
	return fmt.Sprintf(`CREATE TABLE %q (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL%s, doc BLOB%s) STRICT`,
		name, &columns, &checks)
}

// createIndex makes an index. One that is not unique ends with the id, which
// every order does.
func (t *table) createIndex(ix store.Index) string {
	unique := ""
	if ix.Unique {
		unique = "UNIQUE"
	}
	return fmt.Sprintf("CREATE %s INDEX %q ON %q (%s)", unique, t.indexName(ix), t.Name, indexColumns(ix))
}

func (t *table) indexName(ix store.Index) string { return t.Name + " by " + indexColumns(ix) }

func indexColumns(ix store.Index) string {
	columns := columns(ix.Fields)
	if !ix.Unique {
		columns = append(columns, "id")
	}
	return strings.Join(columns, ", ")
}

// onlyGrows makes the triggers of a collection that only grows. They hold for
// every program that opens the file, not for this one alone.
func (t *table) onlyGrows() []string {
	// REPLACE INTO deletes what is in its way, and SQLite does not call that a
	// DELETE. Such a row is ignored and not an error, because an insert of an id
	// that is there already is no error of this engine either.
	same := []string{"id = NEW.id", "seq = NEW.seq"}
	for _, ix := range t.Indexes {
		if ix.Unique {
			var equal []string
			for _, c := range columns(ix.Fields) {
				equal = append(equal, fmt.Sprintf("%s = NEW.%s", c, c))
			}
			same = append(same, strings.Join(equal, " AND "))
		}
	}
	trigger := func(forbids, event, does string) string {
		return fmt.Sprintf("CREATE TRIGGER %q BEFORE %s ON %q %s; END", t.Name+" no "+forbids, event, t.Name, does)
	}
	refuse := fmt.Sprintf("BEGIN SELECT RAISE(ABORT, '%s only grows')", t.Name)
	ignore := fmt.Sprintf("WHEN EXISTS (SELECT 1 FROM %q WHERE %s) BEGIN SELECT RAISE(IGNORE)", t.Name, strings.Join(same, " OR "))
	return []string{trigger("UPDATE", "UPDATE", refuse), trigger("DELETE", "DELETE", refuse), trigger("REPLACE", "INSERT", ignore)}
}

func columns(fields []string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = "f_" + f
	}
	return out
}

// insertInto takes seq, id, version, doc and the fields; an id that is there
// already is left alone.
func (t *table) insertInto(name string) string {
	return fmt.Sprintf("INSERT INTO %q (seq, id, version, doc%s) VALUES (?, ?, ?, ?%s) ON CONFLICT (id) DO NOTHING",
		name, t.each(", f_%s"), t.each(", ?"))
}

// each repeats a piece of SQL for every field.
func (t *table) each(piece string) string {
	var b strings.Builder
	for _, f := range t.Fields {
		b.WriteString(strings.ReplaceAll(piece, "%s", f.Name))
	}
	return b.String()
}

func (t *table) prepare(ctx context.Context, conn *sql.Conn) (err error) {
	prepare := func(text string) *sql.Stmt {
		if err != nil {
			return nil
		}
		var s *sql.Stmt
		s, err = conn.PrepareContext(ctx, text)
		return s
	}
	update := fmt.Sprintf("UPDATE %q SET seq = ?, version = version + 1, doc = ?%s", t.Name, t.each(", f_%s = ?"))
	t.lastSeq = prepare(fmt.Sprintf("SELECT coalesce(max(seq), 0) FROM %q", t.Name))
	t.insert = prepare(t.insertInto(t.Name))
	t.revive = prepare(update + " WHERE id = ? AND doc IS NULL")
	t.replace = prepare(update + " WHERE id = ? AND doc IS NOT NULL AND version = ?")
	t.version = prepare(fmt.Sprintf("SELECT version, doc IS NOT NULL FROM %q WHERE id = ?", t.Name))
	t.load = prepare(t.loadInto())
	return err
}

// close closes the statements; a nil table has none.
func (t *table) close() error {
	if t == nil {
		return nil
	}
	return errors.Join(t.lastSeq.Close(), t.insert.Close(), t.revive.Close(), t.replace.Close(), t.version.Close(), t.load.Close())
}
