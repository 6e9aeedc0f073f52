package registry

import (
	"context"

	"qingfu/directory"
)

// checkPhotos keeps the photos that a listing is about to name, and returns Invalid
// for those that its organization has not uploaded.
func (r *Registry) checkPhotos(ctx context.Context, organization string, l *directory.Listing) error {
	ids := make([]string, len(l.Photos))
	for i, p := range l.Photos {
		ids[i] = p.ID
	}
	return r.Photos.Check(ctx, organization, directory.ListingPhoto, "/photos/%d/id", ids...)
}
