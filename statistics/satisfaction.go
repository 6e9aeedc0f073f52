package statistics

import (
	"time"

	"qingfu/directory"
)

// Cut is by what a table of satisfaction is divided.
type Cut string

// The cuts.
const (
	ByRegion       Cut = "region" // the divisions directly below the region, down to counties
	ByCategory     Cut = "category"
	ByOrganization Cut = "organization"
	ByMonth        Cut = "month"
	ByQuarter      Cut = "quarter"
	ByOrigin       Cut = "origin"
	ByLevel        Cut = "level"
)

// Query asks for a table of satisfaction.
type Query struct {
	Kind   directory.Kind   `json:"kind"`
	Region string           `json:"region"` // the province, a prefecture or a county
	By     Cut              `json:"by,omitempty"`
	Period directory.Period `json:"period"` // of when the ratings were given
	// Origin is of which proof the ratings are: "" for those that count officially.
	Origin        directory.RatingOrigin `json:"origin,omitempty"`
	SatisfiedFrom directory.Level        `json:"satisfied_from"` // the lowest level that counts as satisfied: 3, 4 or 5
	Target        float64                `json:"target"`         // share of satisfied ones, above 0 and below 1
}

// Table is the answer to a [Query].
type Table struct {
	Query
	// Public says that what the public may not see is suppressed. Nothing else differs
	// between the two views.
	Public bool  `json:"public"`
	Total  Row   `json:"total"`
	Rows   []Row `json:"rows"` // none without a cut
	// PostStratified is the estimate for the whole region by the weights of its parts,
	// nil where there is none.
	PostStratified *Estimate `json:"post_stratified"`
	// Suppressed counts the suppressed rows, the total among them, by the reason.
	Suppressed map[directory.Suppression]int `json:"suppressed"`
	AsOf       time.Time                     `json:"as_of"` // when it was counted
}

// Row is one line of a table.
type Row struct {
	// Key is a region code, a category, the id of an organization ("" for listings of
	// none), a month 2026-11, a quarter 2026-Q4, an origin or a level.
	Key   string          `json:"key"`
	Names directory.Names `json:"names"`
	// Suppressed is why the figures are not shown, "" where they are.
	Suppressed directory.Suppression `json:"suppressed,omitempty"`
	*Figures                         // nil where they are suppressed
}

// Figures are what is known of some ratings. The shares and the mean are nil where
// there are fewer than [directory.MinRatings].
type Figures struct {
	N       int64             `json:"n"`
	Levels  *[5]int64         `json:"levels"` // how many of level 1 to 5; nil with too few in the public view
	Verdict directory.Verdict `json:"verdict"`
	Thin    bool              `json:"thin"`  // fewer than can be compared
	Share   *float64          `json:"share"` // of satisfied ones, 0 to 1, to 4 places
	Low     *float64          `json:"low"`   // Wilson 95% interval
	High    *float64          `json:"high"`
	Mean    *float64          `json:"mean"` // level, 1 to 5, to 2 places
	// Needed is how many more ratings would settle an uncertain verdict if the share
	// stayed what it is, or make a share possible where there are too few; nil where
	// the verdict is settled, or nothing would settle it.
	Needed *int64 `json:"needed"`
	// Change is against the period before, nil where one of the two has too few or is
	// not shown.
	Change *Change `json:"change"`
	// Bookings and Invitations are how many led to a rating; nil where they cannot be
	// told apart by this cut.
	Bookings    *Response `json:"bookings"`
	Invitations *Response `json:"invitations"`
	// Held and Excluded are the ratings that do not count, by the rule.
	Held     map[string]int64 `json:"held"`
	Excluded map[string]int64 `json:"excluded"`
}

// Change is the difference between the shares of two periods, with its 95% interval.
type Change struct {
	Period     directory.Period `json:"period"` // the earlier one
	N          int64            `json:"n"`      // ratings in it
	Share      float64          `json:"share"`
	Difference float64          `json:"difference"`
	Low        float64          `json:"low"`
	High       float64          `json:"high"`
}

// Response is how many of those who were asked have rated.
type Response struct {
	Asked int64    `json:"asked"`
	Rated int64    `json:"rated"`
	Rate  *float64 `json:"rate"` // nil when nobody was asked
}

// Estimate is a share by weights: that of each part counts as the part weighs, and not
// as many ratings as it has.
type Estimate struct {
	Weights Weights `json:"weights"`
	Share   float64 `json:"share"`
	Low     float64 `json:"low"` // Wilson 95% interval at the effective number of ratings
	High    float64 `json:"high"`
	// DesignEffect is by how much the weights blow up the variance (Kish 1965), and
	// EffectiveN the number of ratings divided by it.
	DesignEffect float64 `json:"design_effect"`
	EffectiveN   float64 `json:"effective_n"`
	Strata       int     `json:"strata"` // parts with ratings
	// Covered is the share of the whole weight that these have, 0 to 1.
	Covered float64           `json:"covered"`
	Verdict directory.Verdict `json:"verdict"`
}

// Weights is by what the parts of a region weigh.
type Weights string

// The weights.
const (
	ByPopulation Weights = "population" // of the census of 2020
	ByBookings   Weights = "bookings"   // completed in the period
)
