package statistics

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"qingfu/directory"
	"qingfu/store"
)

// RatingQuery says which ratings are wanted.
type RatingQuery struct {
	Kind   directory.Kind
	Region string                 // the province, a prefecture or a county
	Period directory.Period       // of when they were given
	Origin directory.RatingOrigin // "" for any
}

// RatingRow is what figures are made of: a rating without its text and photos and
// without anything that leads to whoever has given it.
type RatingRow struct {
	ID           string                 `json:"id"`
	Month        directory.Month        `json:"month"` // in which it was given, in Shanghai
	Day          directory.Date         `json:"day"`
	Kind         directory.Kind         `json:"kind"`
	Prefecture   string                 `json:"prefecture"`
	Region       string                 `json:"region"` // the county
	Category     string                 `json:"category"`
	Organization string                 `json:"organization"`
	Listing      string                 `json:"listing"`
	Origin       directory.RatingOrigin `json:"origin"`
	Level        directory.Level        `json:"level"`
	State        directory.RatingState  `json:"state"`
	Rule         string                 `json:"rule"`    // by which it is held or excluded
	Counted      int                    `json:"counted"` // 1 where it counts for the official figure, 0 where not
	Demo         int                    `json:"demo"`    // 1 for an invented one
}

// MaxRatingRows is how many ratings are handed out at once.
const MaxRatingRows = 200_000

// Ratings returns every rating that the figures of a query look at, which are those of
// all states but withdrawn ones, the oldest first. It returns Invalid when
// there are more than [MaxRatingRows]; an error that comes later ends the sequence.
func (s *Statistics) Ratings(ctx context.Context, q RatingQuery) (iter.Seq2[RatingRow, error], error) {
	return s.ratings(ctx, q, MaxRatingRows)
}

func (s *Statistics) ratings(ctx context.Context, q RatingQuery, most int64) (iter.Seq2[RatingRow, error], error) {
	where := append(store.Within(q.Region),
		store.Equal("kind", string(q.Kind)),
		store.Condition{Field: "state", Op: store.In, Value: []string{
			string(directory.RatingPublished), string(directory.RatingHeld), string(directory.RatingExcluded),
		}},
		store.Condition{Field: "created", Op: store.Min, Value: q.Period.From.Begins().UnixMilli()},
		store.Condition{Field: "created", Op: store.Less, Value: q.Period.To.Ends().UnixMilli()},
	)
	if q.Origin != "" {
		where = append(where, store.Equal("origin", string(q.Origin)))
	}
	count, err := s.Store.Ratings.Count(ctx, where)
	if err != nil {
		return nil, err
	}
	if count[0].N > most {
		return nil, directory.InvalidFields("request", []directory.FieldError{
			{Parameter: "from, to, region", Code: directory.CodeTooLong, Limit: strconv.FormatInt(most, 10)},
		})
	}
	return func(yield func(RatingRow, error) bool) {
		err := s.Store.Ratings.Each(ctx, store.Query{Where: where, Order: "created"}, func(d *store.Doc[directory.Rating]) error {
			if !yield(s.ratingRow(&d.Value), nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(RatingRow{}, err)
		}
	}, nil
}

// errEnough ends the reading of a collection early.
var errEnough = errors.New("nobody reads on")

func (s *Statistics) ratingRow(r *directory.Rating) RatingRow {
	row := RatingRow{
		ID: r.ID, Month: directory.MonthOf(r.CreatedAt), Day: directory.DateOf(r.CreatedAt), Kind: r.Kind,
		Prefecture: s.Regions.Widen(r.Region, directory.Prefecture), Region: s.Regions.Widen(r.Region, directory.County),
		Category: r.Category, Organization: r.Organization, Listing: r.Listing,
		Origin: r.Origin, Level: r.Level, State: r.State, Rule: r.Rule(),
	}
	if r.Counted() != 0 {
		row.Counted = 1
	}
	if r.Demo {
		row.Demo = 1
	}
	return row
}
