package seed

import (
	_ "embed"
	"fmt"
	"strings"

	"qingfu/directory"
)

//go:embed listings.ndjson
var listingsNDJSON string

// Real returns the listings that a publication vouches for, in the order of
// the file. Each names its source and how far the source is to be trusted;
// what it leaves uncertain stands in Provenance.Note and is no fact of the
// listing. An error means that the embedded file is broken.
func Real() (_ []directory.Listing, err error) {
	defer directory.Wrap(&err, "seed: listings")
	var all []directory.Listing
	for line := range strings.Lines(listingsNDJSON) {
		l, err := directory.ParseListing([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(all)+1, err)
		}
		// Kind and name are the key of a real listing: no two share them.
		l.FillDefaults(released(), func() string {
			return newID(released(), "real/"+string(l.Kind)+"/"+l.Names.Zh)
		})
		all = append(all, l)
	}
	return all, nil
}
