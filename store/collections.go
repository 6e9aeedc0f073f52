package store

import (
	"context"
	"time"

	"qingfu/directory"
)

// Store is the program's collections, all that it keeps.
type Store struct {
	Listings *Collection[directory.Listing]
	Meta     *Collection[Mark]
}

// Mark is a small fact that the program notes about its own data, such as
// which seed it has loaded.
type Mark struct {
	Name  string    `json:"name"` // its id, such as "seed"
	Value string    `json:"value"`
	At    time.Time `json:"at"`
}

// New declares all collections and returns them. The engine stays the caller's
// to close.
func New(ctx context.Context, engine Engine) (*Store, error) {
	s := &Store{
		Listings: &Collection[directory.Listing]{
			engine: engine, name: "listings", item: "listing",
			id: func(l *directory.Listing) string { return l.ID },
			fields: []FieldOf[directory.Listing]{
				{"kind", String, func(l *directory.Listing) any { return string(l.Kind) }},
				// The code of the narrowest division: those of a wider one are a range.
				{"region", String, func(l *directory.Listing) any { return l.Region }},
				{"status", String, func(l *directory.Listing) any { return string(l.Status) }},
				{"demo", Int, func(l *directory.Listing) any { return flag(l.Demo) }},
				{"origin", String, func(l *directory.Listing) any { return string(l.Provenance.Origin) }},
				{"updated", Int, func(l *directory.Listing) any { return l.UpdatedAt.UnixMilli() }},
			},
		},
		Meta: &Collection[Mark]{
			engine: engine, name: "meta", item: "mark",
			id: func(m *Mark) string { return m.Name },
		},
	}
	if err := s.Listings.declare(ctx, []Index{
		{Fields: []string{"kind", "region"}}, // the listings of a region by kind, and counts of them
		{Fields: []string{"status", "updated"}},
		{Fields: []string{"demo", "origin"}}, // whether any demonstration data is there
	}); err != nil {
		return nil, err
	}
	return s, s.Meta.declare(ctx, nil)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
