package consumer

import (
	"context"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// calendarOf returns the calendar of a listing, nil when it keeps none.
func (c *Consumer) calendarOf(ctx context.Context, listing string) (*directory.BookingCalendar, error) {
	doc, err := c.Store.BookingCalendars.Get(ctx, listing)
	switch {
	case directory.KindOf(err) == directory.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &doc.Value, nil
}

// SaveCalendar stores the calendar of a listing in the place of the version that its
// firm has seen, which is 0 when there was none. It returns Invalid, Conflict about
// "not_bookable" for a listing of a kind that nobody books, and Precondition when
// another version is stored by now. Bookings that were made stay as they are.
func (c *Consumer) SaveCalendar(ctx context.Context, l *directory.Listing, version int64, k directory.BookingCalendar) (doc store.Doc[directory.BookingCalendar], err error) {
	if directory.BookedAs(l.Kind) == "" {
		return doc, &directory.Error{Kind: directory.Conflict, What: "not_bookable"}
	}
	k.Listing, k.UpdatedAt = l.ID, c.now()
	if err := k.Validate(); err != nil {
		return doc, err
	}
	if version == 0 {
		doc, err = c.Store.BookingCalendars.Insert(ctx, k)
	} else {
		doc, err = c.Store.BookingCalendars.Replace(ctx, version, k)
	}
	if kind := directory.KindOf(err); kind == directory.Conflict || kind == directory.NotFound {
		err = &directory.Error{Kind: directory.Precondition, What: "calendar", Cause: err}
	}
	return doc, err
}

// Slot is a time that can be booked, and how many can still book it.
type Slot struct {
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	Free     int       `json:"free"`
}

// Slots returns the slots of a listing on some days, those that are full among them. It
// returns NotFound when the listing keeps no calendar.
func (c *Consumer) Slots(ctx context.Context, listing string, from directory.Date, days int) ([]Slot, error) {
	doc, err := c.Store.BookingCalendars.Get(ctx, listing)
	if err != nil {
		return nil, err
	}
	k, slots := &doc.Value, []Slot{}
	first, err := time.ParseInLocation(time.DateOnly, string(from), directory.Shanghai)
	if err != nil {
		return nil, err
	}
	for day := range days {
		for _, start := range k.Slots(directory.DateOf(first.AddDate(0, 0, day)), c.Now(), c.Calendar) {
			slots = append(slots, Slot{StartsAt: start, EndsAt: k.End(start)})
		}
	}
	if len(slots) == 0 {
		return slots, nil
	}
	beside, err := c.beside(ctx, listing, slots[0].StartsAt, slots[len(slots)-1].EndsAt)
	for i := range slots {
		slots[i].Free = len(k.Seats(slots[i].StartsAt, beside))
	}
	return slots, err
}

// beside returns the live bookings of a listing that overlap a span of time.
func (c *Consumer) beside(ctx context.Context, listing string, from, to time.Time) ([]directory.Booking, error) {
	docs, err := c.Store.Bookings.All(ctx, store.Where(
		store.Equal("listing", listing), store.Equal("live", int64(1)),
		store.Condition{Field: "starts", Op: store.Min, Value: from.Add(-directory.MaxBookLength).UnixMilli()},
		store.Condition{Field: "starts", Op: store.Less, Value: to.UnixMilli()},
	))
	return store.Values(docs), err
}
