package meili

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/meilisearch/meilisearch-go"

	"qingfu/search"
)

// The oldest Meilisearch that knows the ranking rule attributeRank, and that the
// filters that compare strings work with.
const oldestMajor, oldestMinor = 1, 36

// checkVersion refuses a Meilisearch that is too old.
func (e *Engine) checkVersion(ctx context.Context) error {
	return e.call(ctx, func() error {
		v, err := e.admin.VersionWithContext(ctx)
		if err != nil {
			return err
		}
		var major, minor int
		if _, err := fmt.Sscanf(v.PkgVersion, "%d.%d", &major, &minor); err != nil {
			return fmt.Errorf("version %q: %w", v.PkgVersion, err)
		}
		if major < oldestMajor || major == oldestMajor && minor < oldestMinor {
			return fmt.Errorf("version %s is too old: %d.%d is needed", v.PkgVersion, oldestMajor, oldestMinor)
		}
		return nil
	})
}

// The attributes in which the words of a query are looked for, in falling weight.
// Those of names alone come first.
var searchable = []string{
	"name", "names", "name_parts", "pinyin", "initials", "aliases", "alias_parts",
	"categories", "summary", "address", "places", "spoken",
}

// named are those of the names and aliases.
var named = searchable[:7]

// fuzzy is the attribute in which words are found that are written wrong. It is
// looked in only for words that are nowhere as they are: Meilisearch would find
// both at once.
const fuzzy = "fuzzy"

// rankingRules is the order of relevance. The first rule gives way to an explicit
// order; the last ones are those that every order ends with.
var rankingRules = append(append([]string{"sort"}, scored...), "satisfaction:desc", "fresh:desc", "key:asc")

// scored are the ranking rules that judge how the words are found.
var scored = []string{"words", "typo", "proximity", "attributeRank", "exactness"}

// unlimited is for limits on totals and counts, which have to be exact.
const unlimited = 1 << 30

// settings returns what the index has to be like.
func settings(lexicon *search.Lexicon) *meilisearch.Settings {
	synonyms := map[string][]string{}
	var dictionary []string
	for word, same := range lexicon.Synonyms() {
		if word[0] >= 0x80 { // hanzi, which are to stay together
			dictionary = append(dictionary, word)
		}
		if len(same) > 0 {
			synonyms[word] = sortedSet(same)
		}
	}
	s := &meilisearch.Settings{
		RankingRules:         rankingRules,
		SearchableAttributes: append(slices.Clone(searchable), fuzzy),
		DisplayedAttributes:  displayed,
		FilterableAttributes: slices.Concat([]string{"kind", "categories_of", "regions", "features", "badges", "has_vacancy", "demo", "price_from", "share", "hours", "located", "_geo"}, areas[:], keyset),
		SortableAttributes:   append([]string{"_geo"}, keyset...),
		Dictionary:           sortedSet(dictionary),
		Synonyms:             synonyms,
		// Without it, texts of hanzi alone may be taken for Japanese.
		LocalizedAttributes: []*meilisearch.LocalizedAttributes{{Locales: []string{"cmn"}, AttributePatterns: []string{"*"}}},
		TypoTolerance: &meilisearch.TypoTolerance{
			Enabled:             true,
			MinWordSizeForTypos: meilisearch.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9},
			DisableOnWords:      []string{},
			DisableOnAttributes: searchable,
			DisableOnNumbers:    true,
		},
		Pagination:     &meilisearch.Pagination{MaxTotalHits: unlimited},
		Faceting:       &meilisearch.Faceting{MaxValuesPerFacet: 10_000, SortFacetValuesBy: map[string]meilisearch.SortFacetType{"*": meilisearch.SortFacetTypeAlpha}},
		SearchCutoffMs: requestTime.Milliseconds() / 3, // a search that is cut off is not in order
	}
	return s
}

// keyset are the attributes that orders compare.
var keyset = slices.Concat([]string{"satisfaction", "fresh", "key", "created"}, nameKeys[:])

// Prepare makes the index unless it is there, and applies the settings unless those
// that were applied last have the same hash; where documents are, that takes as long
// as indexing all of them anew. It returns an Unavailable error when Meilisearch
// does not answer, and another one when it is too old.
func (e *Engine) Prepare(ctx context.Context) error {
	if err := e.checkVersion(ctx); err != nil {
		return err
	}
	if err := e.create(ctx); err != nil {
		return err
	}
	wanted := settings(e.config.Lexicon)
	hash, err := hashOf(wanted)
	if err != nil {
		return err
	}
	if applied, err := e.recall(ctx, settingsKey); err != nil || applied == hash {
		return err
	}
	for uid, s := range map[string]*meilisearch.Settings{
		e.index: wanted,
		e.side:  {SearchableAttributes: []string{"key"}, Pagination: &meilisearch.Pagination{MaxTotalHits: unlimited}},
	} {
		err := e.task(ctx, func() (*meilisearch.TaskInfo, error) {
			return e.admin.Index(uid).UpdateSettingsWithContext(ctx, s)
		})
		if err != nil {
			return err
		}
	}
	return e.remember(ctx, sideRecord{settingsKey, hash})
}

// create makes the two indexes unless they are there.
func (e *Engine) create(ctx context.Context) error {
	for _, uid := range []string{e.index, e.side} {
		err := e.task(ctx, func() (*meilisearch.TaskInfo, error) {
			return e.admin.CreateIndexWithContext(ctx, &meilisearch.IndexConfig{Uid: uid, PrimaryKey: "key"})
		})
		if err != nil && !isCode(err, "index_already_exists") {
			return err
		}
	}
	return nil
}

// settingsKey is the key under which the hash of the settings is remembered.
const settingsKey = "settings"

// hashOf returns the same for equal settings only.
func hashOf(s *meilisearch.Settings) (string, error) {
	b, err := json.Marshal(s) // which sorts maps
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// sideRecord is something that the engine remembers beside the listings.
type sideRecord struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

func (e *Engine) remember(ctx context.Context, records ...sideRecord) error {
	return e.task(ctx, func() (*meilisearch.TaskInfo, error) {
		return e.admin.Index(e.side).AddDocumentsWithContext(ctx, records, nil)
	})
}

// recall returns what was remembered under a key, "" when nothing was.
func (e *Engine) recall(ctx context.Context, key string) (string, error) {
	var r sideRecord
	err := e.call(ctx, func() error {
		return e.admin.Index(e.side).GetDocumentWithContext(ctx, key, nil, &r)
	})
	if isCode(err, "document_not_found") || isCode(err, "index_not_found") {
		err = nil
	}
	return r.Text, err
}

// searchKey returns the key that may search the two indexes and nothing else. It
// makes it unless it is there.
func (e *Engine) searchKey(ctx context.Context) (key string, err error) {
	id := keyID(e.index)
	err = e.call(ctx, func() error {
		k, err := e.admin.GetKeyWithContext(ctx, id)
		if isCode(err, "api_key_not_found") {
			k, err = e.admin.CreateKeyWithContext(ctx, &meilisearch.Key{
				UID: id, Name: "qingfu search " + e.index, Description: "Searches the listings of Qingfu",
				Actions: []string{"search"}, Indexes: []string{e.index, e.side},
			})
			if isCode(err, "api_key_already_exists") { // by another server in this moment
				k, err = e.admin.GetKeyWithContext(ctx, id)
			}
		}
		if err == nil {
			key = k.Key
		}
		return err
	})
	return key, err
}

// Remove deletes the index with everything in it, what is remembered beside it and
// the key for searches, as far as they are there.
func (e *Engine) Remove(ctx context.Context) error {
	var errs []error
	for _, uid := range []string{e.side, e.index} { // the state first: without it the rest counts for nothing
		err := e.task(ctx, func() (*meilisearch.TaskInfo, error) { return e.admin.DeleteIndexWithContext(ctx, uid) })
		if !isCode(err, "index_not_found") {
			errs = append(errs, err)
		}
	}
	errs = append(errs, e.call(ctx, func() error {
		_, err := e.admin.DeleteKeyWithContext(ctx, keyID(e.index))
		if isCode(err, "api_key_not_found") || isCode(err, "missing_master_key") {
			return nil // a server that asks for none
		}
		return err
	}))
	return errors.Join(errs...)
}

// keyID is the name of the key for searches in an index.
func keyID(index string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("qingfu/search/"+index)).String()
}

func sortedSet(list []string) []string {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return slices.Sorted(maps.Keys(set))
}
