// Package memory is the embedded search engine: an in-process index that is
// rebuilt from the store at start, serves while Meilisearch is away, and is the
// reference for what a search must find.
//
// The index consists of immutable segments. A write builds a new segment, marks
// the documents that it replaces as dead in the older ones and publishes both
// as a new snapshot; readers work on the snapshot that they began with and
// never wait. A merger in the background keeps the number of segments small.
//
// Follow one search: Engine.Search (search.go) parses the text and resolves its
// words (words.go), then in every segment finds the candidates of words and
// filters (filter.go), orders them (rank.go for relevance, order.go and geo.go
// for the explicit orders) and counts facets (facets.go).
package memory
