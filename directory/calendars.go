package directory

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// BookingCalendar says when a listing can be booked, and by how many at once. A
// booking takes one slot.
type BookingCalendar struct {
	Listing string `json:"listing"`
	// Hours are when slots can begin and have to end; they need not be those of the
	// listing.
	Hours       Hours `json:"hours"`
	SlotMinutes int   `json:"slot_minutes"`
	Capacity    int   `json:"capacity"` // bookings that run at the same time
	// NoticeMinutes is how long before its start a slot can be booked at the latest,
	// and HorizonDays how long at the earliest.
	NoticeMinutes int       `json:"notice_minutes"`
	HorizonDays   int       `json:"horizon_days"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// Validate checks a calendar. It returns an Invalid error that holds all wrong
// fields at once, or nil.
func (k *BookingCalendar) Validate() error {
	c := &checks{}
	c.under("/hours", func() { k.Hours.check(c) })
	c.between("/slot_minutes", int64(k.SlotMinutes), 15, 24*60)
	c.between("/capacity", int64(k.Capacity), 1, 100)
	c.between("/notice_minutes", int64(k.NoticeMinutes), 0, 30*24*60)
	c.between("/horizon_days", int64(k.HorizonDays), 1, MaxBookDays)
	return InvalidFields("calendar", c.fields)
}

// Slots returns the starts of the slots that begin on a day and can be booked at
// a time, in their order.
func (k *BookingCalendar) Slots(day Date, now time.Time, holidays *Calendar) []time.Time {
	midnight, err := time.ParseInLocation(time.DateOnly, string(day), Shanghai)
	if err != nil {
		return nil
	}
	first, last := now.Add(time.Duration(k.NoticeMinutes)*time.Minute), now.AddDate(0, 0, k.HorizonDays)
	var out []time.Time
	for _, begins := range []time.Time{midnight.AddDate(0, 0, -1), midnight} { // hours may run past midnight
		for _, i := range k.Hours.on(begins, holidays) {
			for m := i.Open; m+k.SlotMinutes <= i.end(); m += k.SlotMinutes {
				start := begins.Add(time.Duration(m) * time.Minute)
				if DateOf(start) == day && !start.Before(first) && !start.After(last) {
					out = append(out, start.UTC())
				}
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// End returns the end of the slot that begins at a time.
func (k *BookingCalendar) End(start time.Time) time.Time {
	return start.Add(time.Duration(k.SlotMinutes) * time.Minute)
}

// Seats returns the places of a slot that can be taken beside the live bookings of the
// listing. A booking that overlaps it and holds none of its places, because it was made
// before the calendar was or when that had other slots, leaves one place less.
func (k *BookingCalendar) Seats(start time.Time, bookings []Booking) (free []string) {
	taken := map[string]bool{}
	for i := range bookings {
		if b := &bookings[i]; b.Live() && b.StartsAt.Before(k.End(start)) && b.EndsAt.After(start) {
			taken[cmp.Or(b.Seat, b.ID)] = true
		}
	}
	// The first n places can be given away as long as all bookings together are within
	// the capacity when these are full.
	for n := k.Capacity; n > 0; n-- {
		free = nil
		for i := range n {
			if seat := k.seat(start, i); !taken[seat] {
				free = append(free, seat)
			}
		}
		if len(taken)+len(free) <= k.Capacity {
			return free
		}
	}
	return nil
}

// seat names one of the places of a slot, counted from 0. No two live bookings have
// the same.
func (k *BookingCalendar) seat(start time.Time, n int) string {
	return fmt.Sprintf("%s %s %d", k.Listing, start.UTC().Format(time.RFC3339), n)
}
