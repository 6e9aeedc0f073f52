// Package meili is the search engine for large directories: an index in
// Meilisearch. It finds, filters, counts and orders what search/memory does;
// search/README.md says where the two differ and how that was measured.
//
// Follow one search: Engine.Search (search.go) asks what the words of the text
// are to be looked for as (text.go), writes the filters down (filter.go, hours.go)
// and asks for totals, facets and the page together. Pages in an explicit order
// continue behind a place by a filter (order.go, distance.go); those by relevance
// look for it by its ranking scores.
package meili

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"qingfu/directory"
	"qingfu/search"
)

// Config says where Meilisearch is and what else the engine needs.
type Config struct {
	URL string
	// Key may manage indexes, documents, settings and keys: the master key or an
	// admin key. It is empty for a server that asks for none. Searches do not use
	// it but a key of their own, which can do nothing else.
	Key   string
	Index string // the name of the index; "listings" when empty

	Lexicon  *search.Lexicon
	Calendar *directory.Calendar // decides what open means on holidays

	Transport http.RoundTripper // http.DefaultTransport when nil
}

// Engine is a search.Engine in Meilisearch.
type Engine struct {
	config Config
	admin  meilisearch.ServiceManager
	reader atomic.Pointer[meilisearch.ServiceManager] // with the key for searches; nil until it is known
	index  string
	side   string // the index of what the engine itself has to remember
	hours  hoursBook
	closed atomic.Bool
}

var _ search.Engine = (*Engine)(nil)

// The times that one request may take, and that a client waits between two looks
// at a task.
const (
	requestTime = 30 * time.Second
	taskPoll    = 10 * time.Millisecond
)

// New returns an engine. It does not ask Meilisearch yet, which may be away; unless
// the index is known to be there, Prepare comes before everything else.
func New(c Config) *Engine {
	e := &Engine{config: c, index: cmp.Or(c.Index, "listings")}
	e.side = e.index + "-side"
	e.hours.known = map[string]*directory.Hours{}
	e.admin = e.connect(c.Key)
	return e
}

// connect returns a client that uses a key.
func (e *Engine) connect(key string) meilisearch.ServiceManager {
	return meilisearch.New(e.config.URL, meilisearch.WithAPIKey(key),
		// Its own retry sends a POST again without the body.
		meilisearch.DisableRetries(),
		meilisearch.WithCustomClient(&http.Client{Timeout: requestTime, Transport: e.config.Transport}))
}

// searcher returns the client for searches.
func (e *Engine) searcher(ctx context.Context) (meilisearch.ServiceManager, error) {
	if known := e.reader.Load(); known != nil {
		return *known, nil
	}
	key := ""
	if e.config.Key != "" {
		var err error
		if key, err = e.searchKey(ctx); err != nil {
			return nil, err
		}
	}
	reader := e.connect(key)
	e.reader.Store(&reader)
	return reader, nil
}

// Close implements search.Engine. The index stays.
func (e *Engine) Close() error {
	e.closed.Store(true)
	return nil
}

var errClosed = errors.New("meili: the engine is closed")

// maxBatch is the size in bytes from which documents are sent. Meilisearch takes
// up to 100 MB at once.
const maxBatch = 16 << 20

// Put implements search.Engine. Of several documents with one id the last one
// counts. When a batch of many documents fails, those before it are in the index.
func (e *Engine) Put(ctx context.Context, docs ...search.Document) error {
	if e.closed.Load() {
		return errClosed
	}
	if err := e.rememberHours(ctx, docs); err != nil {
		return err
	}
	var batch bytes.Buffer
	var tasks []int64
	send := func() error {
		if batch.Len() == 0 {
			return nil
		}
		task, err := e.start(ctx, func() (*meilisearch.TaskInfo, error) {
			return e.admin.Index(e.index).AddDocumentsNdjsonWithContext(ctx, batch.Bytes(), nil)
		})
		tasks = append(tasks, task)
		batch.Reset()
		return err
	}
	out := json.NewEncoder(&batch) // which ends every document with a new line
	for i := range docs {
		if err := out.Encode(e.record(&docs[i])); err != nil {
			return fmt.Errorf("document %s: %w", docs[i].ID, err)
		}
		if batch.Len() >= maxBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := send(); err != nil {
		return err
	}
	for _, task := range tasks {
		if err := e.finish(ctx, task); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements search.Engine.
func (e *Engine) Delete(ctx context.Context, ids ...string) error {
	if e.closed.Load() {
		return errClosed
	}
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = orderKey(id)
	}
	return e.task(ctx, func() (*meilisearch.TaskInfo, error) {
		return e.admin.Index(e.index).DeleteDocumentsWithContext(ctx, keys, nil)
	})
}

// Size implements search.Engine. An index that is not there has none.
func (e *Engine) Size(ctx context.Context) (n int, err error) {
	err = e.call(ctx, func() error {
		stats, err := e.admin.Index(e.index).GetStatsWithContext(ctx, nil)
		if err == nil {
			n = int(stats.NumberOfDocuments)
		}
		return err
	})
	if isCode(err, "index_not_found") {
		return 0, nil
	}
	return n, err
}

// task has Meilisearch do something and waits until it is done.
func (e *Engine) task(ctx context.Context, enqueue func() (*meilisearch.TaskInfo, error)) error {
	task, err := e.start(ctx, enqueue)
	if err != nil {
		return err
	}
	return e.finish(ctx, task)
}

// start enqueues a task and returns its number.
func (e *Engine) start(ctx context.Context, enqueue func() (*meilisearch.TaskInfo, error)) (task int64, err error) {
	err = e.call(ctx, func() error {
		info, err := enqueue()
		if err == nil {
			task = info.TaskUID
		}
		return err
	})
	return task, err
}

// finish waits for a task. One that failed is an error with its reason, which
// WaitForTask does not make of it.
func (e *Engine) finish(ctx context.Context, number int64) error {
	return e.call(ctx, func() error {
		task, err := e.admin.WaitForTaskWithContext(ctx, number, taskPoll)
		if err != nil {
			return err
		}
		if task.Status != meilisearch.TaskStatusSucceeded {
			return &taskError{number, string(task.Type), string(task.Status), task.Error.Code, task.Error.Message}
		}
		return nil
	})
}

// taskError is a task that did not succeed.
type taskError struct {
	number                   int64
	kind, status, code, text string
}

func (e *taskError) Error() string {
	return fmt.Sprintf("task %d (%s) has %s: %s: %s", e.number, e.kind, e.status, e.code, e.text)
}

// pauses are how long call waits before it tries again. They are for a server
// that starts anew or is busy for a moment. What somebody waits for is tried again at
// once, in case a connection was closed that was thought to be open, or not at all.
var (
	pauses = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second}
	atOnce = []time.Duration{0}
)

// call does a request, again while Meilisearch is away: every request here can be
// done twice. It returns an Unavailable error when it stays away.
func (e *Engine) call(ctx context.Context, request func() error) error {
	return e.try(ctx, pauses, request)
}

// try is call with the pauses of the caller.
func (e *Engine) try(ctx context.Context, pauses []time.Duration, request func() error) error {
	for _, pause := range pauses {
		err := request()
		if err == nil || !away(err) || ctx.Err() != nil {
			return explain(ctx, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return explain(ctx, request())
}

// explain makes an error of the client one of ours.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case away(err):
		return &directory.Error{Kind: directory.Unavailable, What: "search", Cause: err}
	}
	return fmt.Errorf("meilisearch: %w", err)
}

// away tells whether trying again may help.
func away(err error) bool {
	var e *meilisearch.Error
	if !errors.As(err, &e) { // the answer broke off
		var network net.Error
		return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	switch e.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.ErrCode == meilisearch.MeilisearchTimeoutError || e.ErrCode == meilisearch.MeilisearchCommunicationError
}

// isCode tells whether Meilisearch refused something with this code.
func isCode(err error, code string) bool {
	var e *meilisearch.Error
	var t *taskError
	return errors.As(err, &e) && e.MeilisearchApiError.Code == code || errors.As(err, &t) && t.code == code
}
