package registry

import (
	"context"
	"fmt"
	"slices"

	"qingfu/directory"
)

// usePhotos keeps photos that a document is about to name, and returns Invalid
// for those that the organization has not uploaded for that purpose; each is at
// pointer, in which %d is its place.
func (r *Registry) usePhotos(ctx context.Context, organization string, purpose directory.PhotoPurpose, pointer string, ids []string) error {
	unknown, err := r.Photos.Use(ctx, organization, purpose, ids...)
	if err != nil {
		return err
	}
	var wrong []directory.FieldError
	for i, id := range ids {
		if slices.Contains(unknown, id) {
			wrong = append(wrong, directory.FieldError{Pointer: fmt.Sprintf(pointer, i), Code: directory.CodeValue, Limit: "/v1/photos"})
		}
	}
	return directory.InvalidFields("photos", wrong)
}

// useListingPhotos is usePhotos for the photos of a listing.
func (r *Registry) useListingPhotos(ctx context.Context, organization string, l *directory.Listing) error {
	ids := make([]string, len(l.Photos))
	for i, p := range l.Photos {
		ids[i] = p.ID
	}
	return r.usePhotos(ctx, organization, directory.ListingPhoto, "/photos/%d/id", ids)
}
