package directory

import "time"

// ReviewPeriod is how long the facts of a kind count as confirmed: half of it for
// the care of people, whose places and beds change quickly.
func ReviewPeriod(k Kind) time.Duration {
	if k == ElderCareKind || k == ChildcareKind {
		return 90 * 24 * time.Hour
	}
	return 180 * 24 * time.Hour
}

// Reminders are how long before a review is due the organization is reminded.
var Reminders = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour}

// ExpiryGrace is how long after its review was due a listing stays public.
const ExpiryGrace = 60 * 24 * time.Hour

// Confirm notes that the facts of a listing are right as of now.
func (l *Listing) Confirm(now time.Time) {
	due := now.Add(ReviewPeriod(l.Kind))
	l.VerifiedAt, l.ReviewDueAt, l.Stale = &now, &due, false
}
