// Package sqlite is the embedded engine behind the store: one SQLite file.
//
// Each collection is a table with one row a document, deleted ones included:
//
//	seq INTEGER PRIMARY KEY, id TEXT UNIQUE, version INTEGER, f_<field>…, doc BLOB
//
// A write moves the document's row to the end, so that the rows lie in the
// order of changes. A deleted document keeps its row with a NULL doc and NULL
// fields: no comparison matches it and no unique index sees it.
//
// All writing goes through one connection and one goroutine, which puts the
// writes that wait at the same time into one transaction; reading has
// connections of its own and is never blocked by it.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	driver "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"

	"qingfu/directory"
	"qingfu/store"
)

// applicationID marks a database file as ours ("qfdb"); SQLite keeps it in the file's header.
const applicationID = 0x71666462

// maxStatements bounds the prepared statements that are kept for reading. There
// is one for each shape of query, of which a program has a few dozen.
const maxStatements = 200

// Engine implements store.Engine.
type Engine struct {
	readers *sql.DB
	writer  *sql.DB

	writing sync.Mutex // held through a transaction on conn
	conn    *sql.Conn  // the only connection of writer

	mu         sync.RWMutex
	tables     map[string]*table
	statements map[string]*sql.Stmt // by their text, on readers

	jobs   chan *job
	closed chan struct{} // closed by Close
	done   chan struct{} // closed when the writing goroutine has ended
	once   sync.Once
}

var _ store.Engine = (*Engine)(nil)

// Open opens the database file, making it when it does not exist; its folder
// must exist. Several processes may have one file open: each waits up to five
// seconds for another's write.
func Open(ctx context.Context, path string) (_ *Engine, err error) {
	defer directory.Wrap(&err, "sqlite: open %s", path)
	e := &Engine{
		tables:     map[string]*table{},
		statements: map[string]*sql.Stmt{},
		jobs:       make(chan *job),
		closed:     make(chan struct{}),
		done:       make(chan struct{}),
	}
	defer func() {
		if err != nil {
			e.release()
		}
	}()
	common := []string{"busy_timeout(5000)", "temp_store(MEMORY)", "secure_delete(1)", "cache_size(-16000)", "mmap_size(268435456)"}
	// A larger log than the default keeps checkpoints rare while much is written.
	e.writer, err = sql.Open("sqlite", dsn(path, append(common, "journal_mode(WAL)", "synchronous(FULL)",
		"wal_autocheckpoint(8000)", "journal_size_limit(67108864)")))
	if err != nil {
		return nil, err
	}
	e.writer.SetMaxOpenConns(1)
	if e.conn, err = e.writer.Conn(ctx); err != nil {
		return nil, explain(err, path)
	}
	if err := e.claim(ctx); err != nil {
		return nil, explain(err, path)
	}
	e.readers, err = sql.Open("sqlite", dsn(path, append(common, "query_only(1)")))
	if err != nil {
		return nil, err
	}
	n := max(4, runtime.NumCPU())
	e.readers.SetMaxOpenConns(n)
	e.readers.SetMaxIdleConns(n)
	go e.writeLoop()
	return e, nil
}

func dsn(path string, pragmas []string) string {
	// A misspelt column shall be an error and not a string (_dqs), and an error
	// shall have its own text and not that of an earlier one (_error_rc).
	options := url.Values{"_pragma": pragmas, "_dqs": {"0"}, "_error_rc": {"1"}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()
}

// claim makes a new file ours and refuses that of another program.
func (e *Engine) claim(ctx context.Context) error {
	id, objects, err := e.owner(ctx)
	if err != nil || id == applicationID {
		return err
	}
	if id != 0 || objects != 0 {
		return errors.New("the file holds the data of another program")
	}
	_, err = e.conn.ExecContext(ctx, fmt.Sprintf(`
		BEGIN IMMEDIATE;
		CREATE TABLE IF NOT EXISTS _collections (name TEXT PRIMARY KEY, declaration TEXT NOT NULL) STRICT;
		PRAGMA application_id = %d;
		COMMIT`, applicationID))
	return err
}

// owner returns whose the file is and how much is in it, both at one moment: another
// process may be claiming it.
func (e *Engine) owner(ctx context.Context) (id, objects int64, err error) {
	tx, err := e.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, 0, err
	}
	defer tx.Rollback()
	err = tx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id)
	if err == nil {
		err = tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects)
	}
	return id, objects, err
}

// explain says why a file cannot be opened. SQLite has one message for every
// reason; the operating system knows better.
func explain(err error, path string) error {
	if primary(err) == code.SQLITE_NOTADB {
		return errors.New("the file is not a SQLite database")
	}
	probe, probeErr := os.CreateTemp(filepath.Dir(path), ".probe-*")
	if probeErr != nil {
		return fmt.Errorf("cannot write to the folder: %w", probeErr)
	}
	return errors.Join(err, probe.Close(), os.Remove(probe.Name()))
}

// Close implements store.Engine.
func (e *Engine) Close() error {
	err := errors.New("sqlite: closed already")
	e.once.Do(func() {
		close(e.closed)
		<-e.done
		err = e.release()
	})
	return err
}

// release closes what is open, the writer last and after its statements: the
// last connection to leave, if nothing holds it, tidies the log away.
func (e *Engine) release() error {
	e.writing.Lock() // a Declare may be under way
	defer e.writing.Unlock()
	var errs []error
	if e.readers != nil {
		errs = append(errs, e.readers.Close())
	}
	for _, t := range e.tables {
		errs = append(errs, t.close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.writer != nil {
		errs = append(errs, e.writer.Close())
	}
	return errors.Join(errs...)
}

// table returns a declared collection.
func (e *Engine) table(collection string) (*table, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if t := e.tables[collection]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("collection %q is not declared", collection)
}

// primary returns SQLite's primary result code of an error, 0 for other errors.
func primary(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// translate gives an error of SQLite the kind that callers act on.
func translate(err error) error {
	switch primary(err) {
	case code.SQLITE_BUSY, code.SQLITE_LOCKED, code.SQLITE_FULL:
		return &directory.Error{Kind: directory.Unavailable, What: "store", Cause: err}
	}
	return err
}
