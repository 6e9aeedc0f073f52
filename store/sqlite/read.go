package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"qingfu/directory"
	"qingfu/store"
)

// Get implements store.Engine.
func (e *Engine) Get(ctx context.Context, collection string, ids ...string) (_ []store.Record, err error) {
	defer directory.Wrap(&err, "sqlite: get from %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	// CROSS JOIN makes SQLite look the ids up one by one.
	return e.records(ctx, fmt.Sprintf(`SELECT stored.id, version, seq, doc
		FROM json_each(?) AS wanted CROSS JOIN %q AS stored ON stored.id = wanted.value
		WHERE doc IS NOT NULL ORDER BY wanted.key`, t.Name), string(list))
}

// Changes implements store.Engine.
func (e *Engine) Changes(ctx context.Context, collection string, after int64, limit int) (_ []store.Record, err error) {
	defer directory.Wrap(&err, "sqlite: changes of %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if limit < 1 || limit > store.MaxLimit {
		return nil, fmt.Errorf("limit %d is not between 1 and %d", limit, store.MaxLimit)
	}
	return e.records(ctx, t.changes(), after, limit)
}

func (t *table) changes() string {
	return fmt.Sprintf("SELECT id, version, seq, doc FROM %q WHERE seq > ? ORDER BY seq LIMIT ?", t.Name)
}

// LastSeq implements store.Engine.
func (e *Engine) LastSeq(ctx context.Context, collection string) (last int64, err error) {
	defer directory.Wrap(&err, "sqlite: last change of %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return 0, err
	}
	rows, err := e.query(ctx, fmt.Sprintf("SELECT coalesce(max(seq), 0) FROM %q", t.Name))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&last)
	}
	if err == nil {
		err = rows.Err()
	}
	return last, readError(ctx, err)
}

// Find implements store.Engine.
func (e *Engine) Find(ctx context.Context, collection string, q store.Query) (_ []store.Record, err error) {
	defer directory.Wrap(&err, "sqlite: find in %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if err := t.CheckQuery(q); err != nil {
		return nil, err
	}
	var order []string
	if q.Order != "" {
		order = []string{q.Order}
	}
	where, args, err := conditions(q.Where, order)
	if err != nil {
		return nil, err
	}
	keys, direction, beyond := append(columns(order), "id"), "ASC", ">"
	if q.Desc {
		direction, beyond = "DESC", "<"
	}
	if q.After != nil && q.Order != "" {
		where += fmt.Sprintf(" AND (f_%s, id) %s (?, ?)", q.Order, beyond)
		args = append(args, q.After.Value, q.After.ID)
	} else if q.After != nil {
		where += fmt.Sprintf(" AND id %s ?", beyond)
		args = append(args, q.After.ID)
	}
	text := fmt.Sprintf("SELECT id, version, seq, doc FROM %q WHERE %s ORDER BY %s %s LIMIT ?",
		t.Name, where, strings.Join(keys, " "+direction+", "), direction)
	return e.records(ctx, text, append(args, q.Limit)...)
}

// Count implements store.Engine.
func (e *Engine) Count(ctx context.Context, collection string, where []store.Condition, by ...string) (_ []store.Group, err error) {
	defer directory.Wrap(&err, "sqlite: count %s", collection)
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if err := t.CheckConditions(where); err != nil {
		return nil, err
	}
	for _, f := range by {
		if _, err := t.Field(f); err != nil {
			return nil, err
		}
	}
	filter, args, err := conditions(where, by)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("SELECT count(*) FROM %q WHERE %s", t.Name, filter)
	if len(by) > 0 {
		list := strings.Join(columns(by), ", ")
		text = fmt.Sprintf("SELECT count(*), %s FROM %q %s WHERE %s GROUP BY %s ORDER BY %s", list, t.Name, t.grouping(where, by), filter, list, list)
	}
	rows, err := e.query(ctx, text, args...)
	if err != nil {
		return nil, readError(ctx, err)
	}
	defer rows.Close()
	var groups []store.Group
	for rows.Next() {
		g := store.Group{Key: make([]any, len(by))}
		into := []any{&g.N}
		for i := range g.Key {
			into = append(into, &g.Key[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, readError(ctx, rows.Err())
}

// grouping makes the clause by which a count goes through an index that has the groups
// one after the other, where there is one: SQLite would rather take an index that fits
// one condition more and sort all that it finds, which takes many times as long.
func (t *table) grouping(where []store.Condition, by []string) string {
	equal := 0
	for _, c := range where {
		if c.Op == store.Eq {
			equal++
		}
	}
	for _, ix := range t.Indexes {
		if len(ix.Fields) < equal+len(by) || !slices.Equal(ix.Fields[equal:equal+len(by)], by) {
			continue
		}
		fits := func(c store.Condition) bool { return c.Op != store.Eq || slices.Contains(ix.Fields[:equal], c.Field) }
		if !slices.ContainsFunc(where, func(c store.Condition) bool { return !fits(c) }) {
			return fmt.Sprintf("INDEXED BY %q", t.indexName(ix))
		}
	}
	return ""
}

// conditions makes the WHERE clause. Deleted documents have no fields, so that
// any comparison leaves them out; only without one they must be named, best by
// a field that the query uses anyway and finds in its index.
func conditions(where []store.Condition, used []string) (text string, args []any, err error) {
	switch {
	case len(where) > 0:
		text = "true"
	case len(used) > 0:
		text = "f_" + used[0] + " IS NOT NULL"
	default:
		text = "doc IS NOT NULL"
	}
	for _, c := range where {
		if c.Op != store.In {
			text += fmt.Sprintf(" AND f_%s %s ?", c.Field, c.Op)
			args = append(args, c.Value)
			continue
		}
		list, err := json.Marshal(c.Value)
		if err != nil {
			return "", nil, err
		}
		text += fmt.Sprintf(" AND f_%s IN (SELECT value FROM json_each(?))", c.Field)
		args = append(args, string(list)) // as text: bytes would be read as binary JSON
	}
	return text, args, nil
}

func (e *Engine) records(ctx context.Context, text string, args ...any) ([]store.Record, error) {
	rows, err := e.query(ctx, text, args...)
	if err != nil {
		return nil, readError(ctx, err)
	}
	records, err := scan(rows)
	return records, readError(ctx, err)
}

// scan reads rows of id, version, seq and doc to the end.
func scan(rows *sql.Rows) ([]store.Record, error) {
	defer rows.Close()
	var out []store.Record
	for rows.Next() {
		var r store.Record
		if err := rows.Scan(&r.ID, &r.Version, &r.Seq, &r.Doc); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// query runs a statement on a reading connection and keeps it prepared.
func (e *Engine) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	e.mu.RLock()
	s, full := e.statements[text], len(e.statements) >= maxStatements
	e.mu.RUnlock()
	if s == nil && full {
		return e.readers.QueryContext(ctx, text, args...)
	}
	if s == nil {
		var err error
		if s, err = e.prepare(ctx, text); err != nil {
			return nil, err
		}
	}
	return s.QueryContext(ctx, args...)
}

func (e *Engine) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	s, err := e.readers.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if first := e.statements[text]; first != nil {
		return first, s.Close()
	}
	e.statements[text] = s
	return s, nil
}

// readError prefers the context's error over what SQLite calls its effect.
func readError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return translate(err)
}
