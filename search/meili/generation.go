package meili

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/meilisearch/meilisearch-go"

	"qingfu/search"
)

// An index is built beside the one in use, which it replaces when it is complete: a
// new generation. What generation there is and how far it follows the store is kept
// in Meilisearch itself, so that it is lost, or set back, together with the index.

// State is what an index says about itself.
type State struct {
	// Owner names the store that it follows and the rules by which it was made.
	Owner string `json:"owner"`
	// Generation tells apart what was built at different times.
	Generation string `json:"generation"`
	// Seq is the number of the last change of the store that it has.
	Seq int64 `json:"-"`
	// Complete is false while it is being built: it lacks listings then.
	Complete bool `json:"complete"`
}

// The keys under which the state is remembered: what is said once, and the number,
// which changes. An index that was lost and is written to again has the number alone.
const (
	generationKey = "generation"
	seqKey        = "seq"
)

// State returns the state of the index, the zero one when there is none. It returns
// an Unavailable error when Meilisearch is away.
func (e *Engine) State(ctx context.Context) (s State, err error) {
	var kept meilisearch.DocumentsResult
	err = e.try(ctx, atOnce, func() error {
		return e.admin.Index(e.side).GetDocumentsWithContext(ctx, &meilisearch.DocumentsQuery{Ids: []string{generationKey, seqKey}}, &kept)
	})
	if isCode(err, "index_not_found") {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	texts := map[string]string{}
	for _, hit := range kept.Results {
		var r sideRecord
		if err := hit.DecodeInto(&r); err != nil {
			return State{}, fmt.Errorf("meilisearch: state: %w", err)
		}
		texts[r.Key] = r.Text
	}
	if texts[generationKey] == "" || texts[seqKey] == "" {
		return State{}, nil
	}
	err = errors.Join(json.Unmarshal([]byte(texts[generationKey]), &s), json.Unmarshal([]byte(texts[seqKey]), &s.Seq))
	return s, err
}

// SetState keeps the state of the index, which has to be true when it returns.
func (e *Engine) SetState(ctx context.Context, s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return e.remember(ctx, sideRecord{generationKey, string(text)}, sideRecord{seqKey, strconv.FormatInt(s.Seq, 10)})
}

// SetSeq keeps how far the index is, of which the rest of the state stays.
func (e *Engine) SetSeq(ctx context.Context, seq int64) error {
	return e.remember(ctx, sideRecord{seqKey, strconv.FormatInt(seq, 10)})
}

// Turned is told that another generation is in use, by whoever has seen it in the
// state.
func (e *Engine) Turned() { e.hours.forget() }

// Next returns the engine of the generation that is built beside this one.
func (e *Engine) Next() *Engine {
	c := e.config
	c.Index = e.index + "-next"
	return New(c)
}

// Replace puts a generation in the place of the one in use, in one step, and the
// latter in its place. Meilisearch does what was asked of it before on the old one;
// what is asked of it from then on goes to the new one. It returns an Unavailable
// error when Meilisearch is away; the exchange may have happened then.
func (e *Engine) Replace(ctx context.Context, next *Engine) error {
	if err := e.create(ctx); err != nil { // both have to be there
		return err
	}
	var swap *meilisearch.TaskInfo
	err := e.try(ctx, nil, func() (err error) { // twice would put the old one back
		swap, err = e.admin.SwapIndexesWithContext(ctx, []*meilisearch.SwapIndexesParams{
			{Indexes: []string{e.index, next.index}}, {Indexes: []string{e.side, next.side}},
		})
		return err
	})
	if err == nil {
		err = e.finish(ctx, swap.TaskUID)
	}
	if err == nil {
		e.Turned()
	}
	return err
}

// Fingerprint returns the same text for the same rules of indexing only: the
// settings, and what becomes of some documents.
func (e *Engine) Fingerprint(samples []search.Document) (string, error) {
	hash, err := hashOf(settings(e.config.Lexicon))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, hash)
	for i := range samples {
		fmt.Fprintln(h, e.Sum(&samples[i]))
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// Sum returns what the index keeps of a document that is as it should be.
func (e *Engine) Sum(d *search.Document) string { return e.record(d).Sum }

// sumsPage is the number of documents that Sums asks for at once.
const sumsPage = 5000

// Sums returns the sums of the documents of the given ids that are in the index, by
// their ids; without ids, those of all. While the index is written to, some may be
// left out.
func (e *Engine) Sums(ctx context.Context, ids ...string) (map[string]string, error) {
	sums := map[string]string{}
	read := func(q meilisearch.DocumentsQuery) (n int, err error) {
		q.Limit, q.Fields = sumsPage, []string{"id", "sum"}
		var page meilisearch.DocumentsResult
		err = e.call(ctx, func() error {
			return e.admin.Index(e.index).GetDocumentsWithContext(ctx, &q, &page)
		})
		for _, hit := range page.Results {
			var d struct {
				ID  string `json:"id"`
				Sum string `json:"sum"`
			}
			if err := hit.DecodeInto(&d); err != nil {
				return 0, fmt.Errorf("meilisearch: document: %w", err)
			}
			sums[d.ID] = d.Sum
		}
		return len(page.Results), err
	}
	for some := range slices.Chunk(ids, sumsPage) {
		keys := make([]string, len(some))
		for i, id := range some {
			keys[i] = orderKey(id)
		}
		if _, err := read(meilisearch.DocumentsQuery{Ids: keys}); err != nil {
			return nil, err
		}
	}
	for at := int64(0); len(ids) == 0; at += sumsPage {
		n, err := read(meilisearch.DocumentsQuery{Offset: at})
		if err != nil {
			return nil, err
		}
		if n < sumsPage {
			break
		}
	}
	return sums, nil
}
