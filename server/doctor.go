package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/meili"
	"qingfu/store"
)

// doctorCommand compares the listings of the store with the indexes that follow
// them, and puts right what differs.
type doctorCommand struct {
	dataSettings
	meiliSettings
	Check bool `help:"Only say what differs; exit code 1 when anything does."`
}

// Run implements the command.
func (cmd *doctorCommand) Run(ctx context.Context, con *console) error {
	if err := cmd.meiliSettings.check(); err != nil {
		return err
	}
	st, closer, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	language, err := readLanguage()
	if err != nil {
		return err
	}
	published, err := st.Listings.Count(ctx, []store.Condition{store.Equal("status", string(directory.Published))})
	if err != nil {
		return err
	}
	last, err := st.Listings.LastSeq(ctx)
	if err != nil {
		return err
	}
	con.printf("%s: %d published listings, last change %d\n", cmd.holder(), published[0].N, last)
	log := cmd.logger(con.err)
	p, err := cmd.openIndex(ctx, st, language, log)
	if err != nil {
		return err
	}
	defer p.engine.Close()
	err = cmd.checkFile(ctx, con, st, p)
	if cmd.MeiliURL == "" {
		return err
	}
	m, mirrorErr := newMirror(ctx, st, cmd.config(language), language.indexer, nodeName("doctor"), log)
	if mirrorErr == nil {
		mirrorErr = cmd.checkMeilisearch(ctx, con, m)
	}
	if err != nil && mirrorErr != nil {
		return fmt.Errorf("%w; %w", err, mirrorErr) // in one line
	}
	return cmp.Or(err, mirrorErr)
}

// errDiffers is what a check ends with that has found something.
var errDiffers = errors.New("an index differs from the store")

// difference is what an index has not as the store has it: ids of listings.
type difference struct {
	missing []string
	stale   []string // there, with another content
	extra   []string // not published, or not there any more
}

func (d *difference) ids() []string { return slices.Concat(d.missing, d.stale, d.extra) }

func (d *difference) String() string {
	return fmt.Sprintf("%d missing, %d stale, %d too many", len(d.missing), len(d.stale), len(d.extra))
}

// sumOf tells contents of listings apart.
type sumOf func(*search.Document) string

// compareWith compares listings of the store with the sums of an index.
func compareWith(listings func(func(*directory.Listing) error) error, indexer *search.Indexer, index map[string]string, sum sumOf) (difference, error) {
	var d difference
	rest := maps.Clone(index)
	err := listings(func(l *directory.Listing) error {
		if l.Status != directory.Published {
			return nil
		}
		doc, err := indexer.Document(l)
		if err != nil {
			return err
		}
		has, ok := rest[l.ID]
		delete(rest, l.ID)
		switch {
		case !ok:
			d.missing = append(d.missing, l.ID)
		case has != sum(&doc):
			d.stale = append(d.stale, l.ID)
		}
		return nil
	})
	d.extra = slices.Sorted(maps.Keys(rest))
	return d, err
}

// allOf goes through all listings, someOf through those of the given ids.
func allOf(ctx context.Context, st *store.Store) func(func(*directory.Listing) error) error {
	return func(do func(*directory.Listing) error) error {
		return st.Listings.Each(ctx, store.Where(store.Equal("status", string(directory.Published))), func(d *store.Doc[directory.Listing]) error {
			return do(&d.Value)
		})
	}
}

func someOf(ctx context.Context, st *store.Store, ids []string) func(func(*directory.Listing) error) error {
	return func(do func(*directory.Listing) error) error {
		for some := range slices.Chunk(ids, store.MaxLimit) {
			docs, err := st.Listings.GetMany(ctx, some...)
			if err != nil {
				return err
			}
			for i := range docs {
				if err := do(&docs[i].Value); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// checkFile compares the saved index, which the next start takes up, and saves
// another one when it differs.
func (cmd *doctorCommand) checkFile(ctx context.Context, con *console, st *store.Store, p *projector) error {
	found, err := p.checkFile(ctx, st)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		con.printf("saved index: none; a start builds it\n")
		return nil
	case err == nil && len(found.ids()) == 0:
		con.printf("saved index: as the store\n")
		return nil
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		con.printf("saved index: cannot be used: %v\n", err)
	default:
		con.printf("saved index: %s\n", &found)
	}
	if cmd.Check {
		return errDiffers
	}
	p.file.engine.Reset()
	if err := p.renew(ctx, con); err != nil {
		return err
	}
	con.printf("saved index: made anew; a server that runs has its own: server reindex has it built anew\n")
	return nil
}

// checkFile loads the saved index and compares it.
func (p *projector) checkFile(ctx context.Context, st *store.Store) (difference, error) {
	seq, err := p.file.load()
	if err != nil {
		return difference{}, err
	}
	p.indexed.Store(seq)
	found, err := p.compare(ctx, st)
	if err != nil || len(found.ids()) == 0 {
		return found, err
	}
	// What was written meanwhile is no difference, and is another listing the next time.
	again, err := p.compare(ctx, st)
	keep := func(ids, still []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(still, id) })
	}
	return difference{keep(found.missing, again.missing), keep(found.stale, again.stale), keep(found.extra, again.extra)}, err
}

// compare brings the index up to date and compares it.
func (p *projector) compare(ctx context.Context, st *store.Store) (difference, error) {
	if err := p.catchUp(ctx); err != nil {
		return difference{}, err
	}
	cards := map[string]string{}
	for q := (search.Query{Sort: search.ByNewest, Limit: 100}); ; {
		r, err := p.engine.Search(ctx, q)
		if err != nil {
			return difference{}, err
		}
		for _, h := range r.Hits {
			cards[h.ID] = h.Card
		}
		if q.After = r.Next; q.After == "" {
			break
		}
	}
	return compareWith(allOf(ctx, st), p.indexer, cards, func(d *search.Document) string { return d.Card })
}

// followTime is how long a check waits for Meilisearch to have what the store has.
const followTime = 10 * time.Second

// checkMeilisearch compares the index in Meilisearch, and puts right what differs.
func (cmd *doctorCommand) checkMeilisearch(ctx context.Context, con *console, m *mirror) error {
	if left, err := m.engine.Next().State(ctx); err == nil && left != (meili.State{}) && !left.Complete {
		con.printf("Meilisearch: an index is being built, or was left unfinished; server reindex goes on with it\n")
	}
	state, err := m.caughtUp(ctx)
	if err != nil {
		return err
	}
	if !m.current(&state) {
		con.printf("Meilisearch: no whole index of this store by these rules\n")
		return fmt.Errorf("%w: a server builds it by itself; without one, server reindex does", errDiffers)
	}
	last, err := m.st.Listings.LastSeq(ctx)
	if err != nil {
		return err
	}
	if state.Seq < last {
		con.printf("Meilisearch: up to change %d of %d; no server seems to write to it\n", state.Seq, last)
	}
	found, err := m.compare(ctx)
	if err != nil {
		return err
	}
	if len(found.ids()) > 0 { // what was written meanwhile is no difference
		if _, err = m.caughtUp(ctx); err == nil {
			found, err = m.compareAgain(ctx, found.ids())
		}
		if err != nil {
			return err
		}
	}
	if len(found.ids()) == 0 {
		con.printf("Meilisearch: as the store\n")
		return nil
	}
	con.printf("Meilisearch: %s\n", &found)
	if cmd.Check {
		return errDiffers
	}
	if err := m.haveRepaired(ctx, found); err != nil {
		return err
	}
	con.printf("Meilisearch: put right\n")
	return nil
}

// haveRepaired has the server that writes to Meilisearch put it right, or does it when
// there is none.
func (m *mirror) haveRepaired(ctx context.Context, found difference) error {
	_, err := m.st.Meta.Upsert(ctx, []store.Mark{{Name: repairMark, Value: rand.Text(), At: time.Now().UTC()}})
	if err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < followTime; {
		left, err := m.compareAgain(ctx, found.ids())
		if err != nil || len(left.ids()) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchTime):
		}
	}
	return m.lease().once(ctx, leaseTime+turnTime, func(ctx context.Context) error { return m.repair(ctx, found) })
}

// caughtUp waits until Meilisearch has the changes that the store has now, for
// followTime at most, and returns how far it is then.
func (m *mirror) caughtUp(ctx context.Context) (meili.State, error) {
	last, err := m.st.Listings.LastSeq(ctx)
	if err != nil {
		return meili.State{}, err
	}
	for begun := time.Now(); ; {
		state, err := m.engine.State(ctx)
		if err != nil || !m.current(&state) || state.Seq >= last || time.Since(begun) > followTime {
			return state, err
		}
		select {
		case <-ctx.Done():
			return state, ctx.Err()
		case <-time.After(watchTime):
		}
	}
}

// compare compares all that is in Meilisearch with the store.
func (m *mirror) compare(ctx context.Context) (difference, error) {
	sums, err := m.engine.Sums(ctx)
	if err != nil {
		return difference{}, err
	}
	return compareWith(allOf(ctx, m.st), m.indexer, sums, m.engine.Sum)
}

// compareAgain compares some listings.
func (m *mirror) compareAgain(ctx context.Context, ids []string) (difference, error) {
	sums, err := m.engine.Sums(ctx, ids...)
	if err != nil {
		return difference{}, err
	}
	return compareWith(someOf(ctx, m.st, ids), m.indexer, sums, m.engine.Sum)
}

// repairRounds is how often repair looks whether somebody else has written at the
// same time.
const repairRounds = 5

// repair writes the listings that differ as they are in the store, again when they
// have changed in that moment.
func (m *mirror) repair(ctx context.Context, found difference) error {
	ids := found.ids()
	for range repairRounds {
		if len(ids) == 0 {
			return nil
		}
		var docs []search.Document
		gone := map[string]bool{}
		for _, id := range ids {
			gone[id] = true
		}
		err := someOf(ctx, m.st, ids)(func(l *directory.Listing) error {
			if l.Status != directory.Published {
				return nil
			}
			d, err := m.indexer.Document(l)
			docs = append(docs, d)
			delete(gone, l.ID)
			return err
		})
		if err != nil {
			return err
		}
		if err := m.engine.Put(ctx, docs...); err != nil {
			return err
		}
		if err := m.engine.Delete(ctx, slices.Collect(maps.Keys(gone))...); err != nil {
			return err
		}
		left, err := m.compareAgain(ctx, ids)
		if err != nil {
			return err
		}
		ids = left.ids()
	}
	if len(ids) == 0 {
		return nil
	}
	return fmt.Errorf("%d listings are written to all the time and still differ", len(ids))
}
