// Package memory is the embedded search engine: an in-process index that follows
// from the store alone, and the reference for what a search must find. A large
// one can be saved and restored, which is faster than building it.
//
// The index consists of immutable segments. A write builds a new segment, marks
// the documents that it replaces as dead in the older ones and publishes both
// as a new snapshot; readers work on the snapshot that they began with and
// never wait. A merger in the background keeps the number of segments small.
//
// Follow one search: Engine.Search (search.go) parses the text and resolves its
// words (selection.go, words.go), then in every segment finds the documents of
// words and filters (filter.go), counts facets (facets.go) and orders a page
// (rank.go for relevance, order.go and geo.go for the explicit orders).
package memory
