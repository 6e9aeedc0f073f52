package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/store"
)

// reindexCommand has the search index built anew: by the servers that run on the
// store, each beside the index that it goes on using, or, when there is none, by
// itself into the file that the next start takes up.
//
// Both sides speak through marks in the store. The command leaves a request; a
// server that sees it says under its own name how far it is, all the time, until it
// is done. Nothing has to be tidied up when either is killed: a request is heeded
// for a minute only, and who has stopped reporting counts as gone.
type reindexCommand struct {
	dataSettings
	meiliSettings
}

// The marks of a reindex. The value of the request is its id, that of a report is
// JSON. The names of reports go on with that of the node.
const (
	requestMark  = "reindex"
	reportPrefix = "reindex/"
)

const (
	answerTime  = 3 * time.Second  // in which a server that runs says so
	lostTime    = 15 * time.Second // without a report, after which a server counts as gone
	requestTime = time.Minute      // as long as a request is heeded
)

// report is how far a node is.
type report struct {
	Request string      `json:"request"`
	State   reportState `json:"state"`
	Done    int         `json:"done"`
	Total   int         `json:"total"`
	Error   string      `json:"error,omitempty"`

	at time.Time
}

type reportState string

const (
	stateBuilding reportState = "building"
	stateDone     reportState = "done"
	stateFailed   reportState = "failed"
)

// lost tells whether a node has stopped before it was done.
func (r *report) lost(now time.Time) bool {
	return r.State == stateBuilding && now.Sub(r.at) > lostTime
}

// Run implements the command.
func (cmd *reindexCommand) Run(ctx context.Context, con *console) error {
	if err := cmd.meiliSettings.check(); err != nil {
		return err
	}
	st, closer, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	request, err := requestReindex(ctx, st.Meta)
	if err != nil {
		return err
	}
	reports, err := watchReindex(ctx, st.Meta, request, answerTime, con)
	if err == nil && len(reports) == 0 {
		err = cmd.reindexAlone(ctx, st, request, con)
	}
	var failures []string
	if err == nil && len(reports) > 0 {
		if reports, err = awaitLeader(ctx, st.Meta, request, reports, con); errors.Is(err, errNoLeader) {
			failures, err = append(failures, err.Error()), nil
		}
	}
	for _, node := range slices.Sorted(maps.Keys(reports)) {
		switch r := reports[node]; r.State {
		case stateDone:
			con.printf("%s: %d listings\n", node, r.Total)
		case stateFailed:
			failures = append(failures, fmt.Sprintf("%s goes on with the index that it has: %s", node, r.Error))
		default:
			failures = append(failures, node+" has stopped: when it runs again, reindex once more")
		}
	}
	if len(failures) > 0 {
		err = errors.New(strings.Join(failures, "; "))
	}
	return errors.Join(err, st.Meta.Remove(context.WithoutCancel(ctx), requestMark))
}

// errNoLeader is what awaitLeader ends with when it was in vain.
var errNoLeader = errors.New("no server has built the index in Meilisearch anew: try again")

// awaitLeader waits, when servers write to Meilisearch, for the report of the one who
// does: it may have been in the middle of something, or has yet to follow one that died.
func awaitLeader(ctx context.Context, meta *store.Collection[store.Mark], request string, reports map[string]*report, con *console) (map[string]*report, error) {
	mark, err := meta.Get(ctx, leasePrefix+mirrorLease)
	if directory.KindOf(err) == directory.NotFound || err == nil && mark.Value.Value == "" {
		return reports, nil
	}
	built := func() bool {
		for node := range reports {
			if strings.HasSuffix(node, inMeilisearch) {
				return true
			}
		}
		return false
	}
	if err == nil && !built() {
		reports, err = watchReindex(ctx, meta, request, lostTime, con)
	}
	if err == nil && !built() {
		err = errNoLeader
	}
	return reports, err
}

// inMeilisearch ends the name under which the leader reports.
const inMeilisearch = " in Meilisearch"

// requestReindex leaves a request. It refuses to while another one is under way.
func requestReindex(ctx context.Context, meta *store.Collection[store.Mark]) (request string, err error) {
	now := time.Now()
	reports, err := readReports(ctx, meta)
	if err != nil {
		return "", err
	}
	for node, r := range reports {
		if r.State == stateBuilding && !r.lost(now) {
			return "", fmt.Errorf("%s is building its index anew already, %d of %d listings: try again when it is done", node, r.Done, r.Total)
		}
	}
	mark := store.Mark{Name: requestMark, Value: rand.Text(), At: now.UTC()}
	before, err := meta.Get(ctx, requestMark)
	switch {
	case directory.KindOf(err) == directory.NotFound:
		_, err = meta.Insert(ctx, mark)
	case err == nil && now.Sub(before.Value.At) < answerTime:
		err = errAskedAlready
	case err == nil:
		_, err = meta.Replace(ctx, before.Version, mark)
	}
	if directory.KindOf(err) == directory.Conflict {
		err = errAskedAlready
	}
	return mark.Value, err
}

var errAskedAlready = errors.New("somebody else has just asked for a reindex: try again when it is done")

// readReports returns what nodes have reported last, by their names.
func readReports(ctx context.Context, meta *store.Collection[store.Mark]) (map[string]*report, error) {
	marks, _, err := meta.Find(ctx, store.Query{After: &store.Position{ID: reportPrefix}, Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	reports := map[string]*report{}
	for _, m := range marks {
		node, ok := strings.CutPrefix(m.Value.Name, reportPrefix)
		if !ok {
			break // they stand together
		}
		r := &report{at: m.Value.At}
		if err := json.Unmarshal([]byte(m.Value.Value), r); err != nil {
			return nil, fmt.Errorf("mark %s: %w", m.Value.Name, err)
		}
		reports[node] = r
	}
	return reports, nil
}

// watchReindex shows how far the servers are that answer to a request in time, until
// none of them is at it any more. It returns their last reports.
func watchReindex(ctx context.Context, meta *store.Collection[store.Mark], request string, answer time.Duration, con *console) (map[string]*report, error) {
	look := time.NewTicker(pollTime / 2)
	defer look.Stop()
	answered := time.After(answer)
	late := false
	var bar *bar
	for {
		reports, err := readReports(ctx, meta)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no longer watching; a server that has begun goes on: %w", ctx.Err())
		}
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(reports, func(_ string, r *report) bool { return r.Request != request })
		now, parts, total, busy := time.Now(), 0, 0, false
		for _, r := range reports {
			parts, total = parts+r.Done, total+r.Total
			busy = busy || r.State == stateBuilding && !r.lost(now)
		}
		if bar == nil && len(reports) > 0 {
			bar = con.progress("indexing listings anew", total)
		}
		if bar != nil {
			bar.set(parts, total)
		}
		if late && !busy {
			if bar != nil {
				bar.done()
			}
			return reports, nil
		}
		select {
		case <-ctx.Done():
		case <-answered:
			late = true
		case <-look.C:
		}
	}
}

// reindexAlone builds the index and saves it for the next start.
func (cmd *reindexCommand) reindexAlone(ctx context.Context, st *store.Store, request string, con *console) error {
	language, err := readLanguage()
	if err != nil {
		return err
	}
	log := cmd.logger(con.err)
	p, err := cmd.openIndex(ctx, st, language, log)
	if err != nil {
		return err
	}
	defer p.engine.Close()
	err = reporting(ctx, st.Meta, nodeName("reindex"), request, &p.loading, p.engine, func() error { return p.renew(ctx, con) })
	if err != nil {
		return err
	}
	size, err := p.engine.Size(ctx)
	con.printf("no server runs on %s; the index of %d listings is saved for the next start\n", cmd.holder(), size)
	if err != nil || cmd.MeiliURL == "" {
		return err
	}
	m, err := newMirror(ctx, st, cmd.config(language), language.indexer, nodeName("reindex"), log)
	if err != nil {
		return err
	}
	err = m.lease().once(ctx, leaseTime+turnTime, func(ctx context.Context) error { return m.build(ctx, con) })
	if err != nil {
		return fmt.Errorf("the index in Meilisearch was not built anew: %w", err)
	}
	if size, err = m.engine.Size(ctx); err == nil {
		con.printf("the index in Meilisearch has %d listings\n", size)
	}
	return err
}

// renew fills the empty index from the store and saves it.
func (p *projector) renew(ctx context.Context, con *console) error {
	// A server that starts meanwhile shall not take up what was there before.
	if err := p.file.drop(); err != nil {
		return err
	}
	if err := p.load(ctx, con); err != nil {
		return err
	}
	return p.file.save(p.indexed.Load())
}

// reporting runs build and reports, in the name of a node, how far loading is and in
// the end how many listings the index has.
func reporting(ctx context.Context, meta *store.Collection[store.Mark], node, request string, loading *atomic.Pointer[bar], index search.Searcher, build func() error) error {
	again := time.NewTicker(pollTime)
	defer again.Stop()
	result := make(chan error, 1)
	go func() { result <- build() }()
	tell := func(r report) error {
		if r.State == stateDone {
			size, err := index.Size(ctx)
			if err != nil {
				return err
			}
			r.Done, r.Total = size, size
		} else if bar := loading.Load(); bar != nil {
			r.Done, r.Total = min(int(bar.count.Load()), bar.total), bar.total
		}
		r.Request = request
		value, err := json.Marshal(r)
		if err == nil {
			// The last report is due when ctx has ended, too.
			_, err = meta.Upsert(context.WithoutCancel(ctx), []store.Mark{{Name: reportPrefix + node, Value: string(value), At: time.Now().UTC()}})
		}
		return err
	}
	for {
		_ = tell(report{State: stateBuilding}) // what cannot be told now is told with the next
		select {
		case err := <-result:
			if err != nil {
				return errors.Join(err, tell(report{State: stateFailed, Error: err.Error()}))
			}
			return tell(report{State: stateDone})
		case <-again.C:
		}
	}
}

// nodeName names a process among those that work on one store: by its machine and
// its address, which do not change, so that reports take the place of older ones.
func nodeName(at string) string {
	host, err := os.Hostname()
	if err != nil {
		return at
	}
	return host + " " + at
}

// reindexer builds the index of a server anew when a command asks for it.
type reindexer struct {
	meta      *store.Collection[store.Mark]
	projector *projector
	engine    *memory.Engine // the projector's
	newEngine func() (*memory.Engine, error)
	node      string
	log       *slog.Logger
}

// run answers requests until ctx ends.
func (r *reindexer) run(ctx context.Context) error {
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	reindex := requests{meta: r.meta, mark: requestMark}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
		request, ok := reindex.next(ctx)
		if !ok {
			continue
		}
		if err := r.rebuild(ctx, request); err != nil && ctx.Err() == nil {
			r.log.Error("the search index was not built anew; the one in use goes on", "error", err)
		}
	}
}

// requests are what commands ask for by a mark.
type requests struct {
	meta    *store.Collection[store.Mark]
	mark    string
	handled string
}

// next returns a request that is not too old, once. That the store is away is for
// others to say.
func (r *requests) next(ctx context.Context) (request string, ok bool) {
	mark, err := r.meta.Get(ctx, r.mark)
	if err != nil || mark.Value.Value == r.handled || time.Since(mark.Value.At) > requestTime {
		return "", false
	}
	r.handled = mark.Value.Value
	return r.handled, true
}

// rebuild builds an index beside the one in use, which is kept up to date all the
// while, and changes over to it. There are two in memory for that time.
func (r *reindexer) rebuild(ctx context.Context, request string) error {
	begun := time.Now()
	fresh, err := r.newEngine()
	if err != nil {
		return err
	}
	defer fresh.Close()
	next := newProjector(r.projector.listings, r.projector.indexer, fresh, nil, r.log)
	next.workers = 1 // the others are for the requests
	err = reporting(ctx, r.meta, r.node, request, &next.loading, r.engine, func() error {
		if err := next.load(ctx, quiet); err != nil {
			return err
		}
		return r.projector.takeOver(ctx, next, func() error { return r.engine.TakeOver(fresh) })
	})
	if err == nil {
		r.log.Info("the search index was built anew", "took", time.Since(begun).Round(time.Millisecond))
	}
	return err
}
