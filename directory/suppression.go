package directory

// Suppression is why a figure is not shown to the public.
type Suppression string

// The reasons, see [Disclosure].
const (
	// SuppressedProtected is a cell with too few ratings, or one that would give such a
	// cell away. The two are not told apart, because that would help to find them out.
	SuppressedProtected Suppression = "protected"
	// SuppressedPeriod is a period that is neither a month nor a quarter nor a year.
	SuppressedPeriod Suppression = "period"
	// SuppressedCombination is a cut that is not published for this region and origin.
	SuppressedCombination Suppression = "combination"
)
