// Package search is the language in which the directory is searched: the
// query, its answer, the document that is indexed, and Engine, the port that
// an index implements. search/memory is the embedded engine and the reference
// for every other one.
package search

import (
	"context"
	"time"

	"qingfu/directory"
)

// Engine is a search index over the published listings. It is a projection of
// the store: what it holds can always be rebuilt. Its methods are safe for
// concurrent use.
type Engine interface {
	Searcher
	// Put adds documents or replaces those of the same id. When it returns, the
	// next search sees them.
	Put(ctx context.Context, docs ...Document) error
	// Delete removes documents; ids that are not there are ignored.
	Delete(ctx context.Context, ids ...string) error
	// Close releases the engine and waits for its background work.
	Close() error
}

// Searcher is the side of an index that answers. Search, Suggest and Clusters
// return Invalid errors for a query that cannot be answered and Unavailable when
// the engine is away.
type Searcher interface {
	// Search answers a query.
	Search(ctx context.Context, q Query) (Result, error)
	// Suggest completes what is being typed: listings, best first.
	Suggest(ctx context.Context, q SuggestQuery) ([]Suggestion, error)
	// Clusters groups the matching listings that have a location into the tiles
	// of a map.
	Clusters(ctx context.Context, q ClusterQuery) ([]Cluster, error)
	// Size returns the number of documents.
	Size(ctx context.Context) (int, error)
}

// Document is the searchable form of a published listing; see Indexer.
type Document struct {
	ID string

	// The texts by attribute, in falling weight.
	Names      []string // in all languages, the Chinese one first
	Aliases    []string
	Categories []string // names of kind, categories, offerings, features and badges
	Summary    string   // summary and description
	Address    string
	Places     []string // full and short names of all its regions

	// What filters and facets look at.
	Kind          directory.Kind
	CategoryCodes []string
	Regions       []string // every region it lies in or serves, at every level
	Features      []string
	Badges        []string
	Location      *directory.Point
	Hours         *directory.Hours
	HasVacancy    bool
	PriceFrom     *int64 // fen
	Demo          bool

	// What orders look at.
	Share        *float64 // satisfaction share; nil below the minimum sample
	Satisfaction float64  // lower bound of its interval, 0 when there is none
	Fresh        time.Time
	Created      time.Time

	// Card is handed back with a hit as it is; the engine does not look inside.
	Card string
}

// Query is a search. The zero value of a field does not restrict.
type Query struct {
	Text string // as the user typed it, at most MaxText characters

	Kinds           []directory.Kind // any of
	Categories      []string         // any of
	Regions         []string         // any of
	Features        []string         // all of
	Badges          []string         // all of
	Near            *directory.Point // with Radius, and for the order by distance
	RadiusM         float64          // needs Near; listings without a location are left out
	Box             *directory.Box
	OpenNow         bool
	HasVacancy      *bool
	PriceMax        *int64   // fen: at least one offering costs no more
	MinSatisfaction *float64 // 0 to 1, of the published share
	Demo            *bool

	Sort   Sort
	Facets []Facet
	// RegionFacet lists the codes that the region facet counts.
	RegionFacet []string

	Limit int    // 1 to 100
	After string // Next of the page before

	Now time.Time // the moment that OpenNow and Hit.OpenNow mean
}

// MaxText is the longest query text in characters.
const MaxText = 100

// Sort is an order of results. Every order ends with satisfaction, freshness
// and id, so that it is total.
type Sort string

// The orders.
const (
	ByRelevance    Sort = "relevance" // without text: by satisfaction and freshness
	ByDistance     Sort = "distance"  // needs Near
	BySatisfaction Sort = "satisfaction"
	ByNewest       Sort = "newest"
	ByName         Sort = "name" // by pinyin
)

// Facet is a property whose values can be counted.
type Facet string

// The facets. Counts of kind, category and region are disjunctive: each is
// counted as if it were not filtered itself.
const (
	KindFacet     Facet = "kind"
	CategoryFacet Facet = "category"
	RegionFacet   Facet = "region"
	FeatureFacet  Facet = "features"
	BadgeFacet    Facet = "badges"
)

// Result is the answer to a Query. What it refers to may be shared with other
// answers and must not be changed.
type Result struct {
	Hits   []Hit
	Total  int // exact
	Facets map[Facet][]FacetCount
	Next   string // continues behind the last hit; "" at the end
}

// Hit is one listing found.
type Hit struct {
	ID        string
	Card      string // JSON, see Card
	DistanceM *int   // from Near
	OpenNow   *bool  // nil where the hours are not known
	// Highlight holds the texts in which words of the query were found, by
	// attribute ("name", "address"), as HTML with <mark> around them.
	Highlight map[string]string
}

// FacetCount is a value of a facet with its number of listings, in falling
// order of the number and then by value.
type FacetCount struct {
	Value string
	Count int
}

// SuggestQuery asks for completions.
type SuggestQuery struct {
	Text    string
	Kinds   []directory.Kind
	Regions []string
	Limit   int // 1 to 10
}

// Suggestion is a listing whose name completes the text.
type Suggestion struct {
	ID        string
	Name      string
	Kind      directory.Kind
	Highlight string // the name as HTML with <mark>
}

// ClusterQuery asks for the clusters of a map section.
type ClusterQuery struct {
	Query     // its Sort, Facets, Limit and After are ignored; Box is needed
	Zoom  int // of a web map with tiles of 256 pixels, 0 to 20
}

// Cluster is the listings of one cell of about 64 pixels.
type Cluster struct {
	Center directory.Point // mean of the positions
	Count  int
	Box    directory.Box // around the positions
	ID     string        // of the listing when Count is 1
}
