package consumer

import (
	"context"
	"errors"
	"fmt"

	"qingfu/directory"
	"qingfu/store"
)

// settleBooking tells those whom it concerns what has happened to a booking since they
// were told the last time. It is idempotent: after a crash [Consumer.Sweep] does it again.
func (c *Consumer) settleBooking(ctx context.Context, b directory.Booking) error {
	if !b.Untold() {
		return nil
	}
	for _, e := range b.History[b.Told:] {
		if err := c.tellOfBooking(ctx, &b, e); err != nil {
			return err
		}
	}
	_, err := c.Store.Bookings.Update(ctx, b.ID, func(now *directory.Booking) error {
		if now.Told >= len(b.History) {
			return store.ErrUnchanged
		}
		now.Told = len(b.History)
		return nil
	})
	return err
}

// bookingNotes are the messages about steps; who has begun or rated needs none.
var bookingNotes = map[directory.BookingAction]directory.NotificationKind{
	directory.ActRequest:  directory.NoteBookingRequested,
	directory.ActQuote:    directory.NoteBookingQuoted,
	directory.ActChoose:   directory.NoteBookingChosen,
	directory.ActAccept:   directory.NoteBookingAccepted,
	directory.ActDecline:  directory.NoteBookingDeclined,
	directory.ActComplete: directory.NoteBookingCompleted,
	directory.ActCancel:   directory.NoteBookingCancelled,
	directory.ActNoShow:   directory.NoteBookingNoShow,
	directory.ActExpire:   directory.NoteBookingExpired,
}

// tellOfBooking tells the other side of a step, both sides of what the clock has done,
// and of a completion all but the resident who has said so.
func (c *Consumer) tellOfBooking(ctx context.Context, b *directory.Booking, e directory.BookingEvent) error {
	kind, told := bookingNotes[e.Action]
	if !told {
		return nil
	}
	if e.Action == directory.ActRequest && b.Kind == directory.CustomBooking {
		return c.announce(ctx, b, e)
	}
	params, err := c.bookingParams(ctx, b)
	if err != nil {
		return err
	}
	thing := b.ID
	if q := b.QuoteOf(e.Organization); q != nil {
		thing += " " + q.Organization
		params["price"] = fmt.Sprintf("%d.%02d", q.Price/100, q.Price%100)
	}
	if e.By != directory.ResidentSide && b.Account != "" {
		err = c.Auth.Tell(ctx, b.Account, kind, thing, e.At, params)
	}
	if e.By != directory.BusinessSide || e.Action == directory.ActComplete {
		for _, organization := range firms(b) {
			err = errors.Join(err, c.Auth.TellMembers(ctx, organization, kind, thing, e.At, params))
		}
	}
	return err
}

// firms are the organizations that a booking concerns: its own or, before one was
// chosen, those that have quoted.
func firms(b *directory.Booking) (out []string) {
	if b.Organization != "" {
		return []string{b.Organization}
	}
	for _, q := range b.Quotes {
		out = append(out, q.Organization)
	}
	return out
}

// bookingParams is what messages about a booking speak of. Nothing of it is personal.
func (c *Consumer) bookingParams(ctx context.Context, b *directory.Booking) (map[string]string, error) {
	params := map[string]string{"booking": b.ID, "at": b.StartsAt.In(directory.Shanghai).Format("2006-01-02 15:04")}
	if b.Listing == "" {
		category, _ := directory.CategoryOf(b.Category)
		params["name"] = category.Names.Zh
		return params, nil
	}
	listings, err := c.Store.Listings.ByID(ctx, b.Listing)
	if l := listings[b.Listing]; l != nil {
		params["name"] = l.Names.Zh
	}
	return params, err
}

// sweepBookings does what time asks for about bookings.
func (c *Consumer) sweepBookings(ctx context.Context) error {
	return errors.Join(c.expireBookings(ctx), c.tellUntold(ctx), c.remindToRate(ctx), c.clearContacts(ctx))
}

// expireBookings ends the bookings of which a step was not done in time.
func (c *Consumer) expireBookings(ctx context.Context) error {
	docs, err := c.Store.Bookings.All(ctx, store.Where(append(c.due("due"), store.Equal("live", int64(1)))...))
	for _, d := range docs {
		e := directory.BookingEvent{Action: directory.ActExpire, By: directory.ProgramSide, At: c.now()}
		_, one := c.changeBooking(ctx, d.Value.ID, func(b *directory.Booking) (bool, error) { return b.Take(e) })
		if directory.KindOf(one) != directory.Conflict { // somebody was quicker
			err = errors.Join(err, one)
		}
	}
	return err
}

// tellUntold tells what a crash has kept from being told, or an erasure has done.
func (c *Consumer) tellUntold(ctx context.Context) error {
	docs, err := c.Store.Bookings.All(ctx, store.Where(store.Equal("untold", int64(1))))
	for _, d := range docs {
		err = errors.Join(err, c.settleBooking(ctx, d.Value))
	}
	return err
}

// remindToRate asks residents for a rating, once a booking.
func (c *Consumer) remindToRate(ctx context.Context) error {
	docs, err := c.Store.Bookings.All(ctx, store.Where(c.due("remind")...))
	for _, d := range docs {
		err = errors.Join(err, c.remindOf(ctx, &d.Value))
	}
	return err
}

func (c *Consumer) remindOf(ctx context.Context, b *directory.Booking) error {
	params, err := c.bookingParams(ctx, b)
	if err != nil {
		return err
	}
	at, _ := b.RemindAt()
	if err := c.Auth.Tell(ctx, b.Account, directory.NoteRateBooking, b.ID, at, params); err != nil {
		return err
	}
	now := c.now()
	_, err = c.changeBooking(ctx, b.ID, func(b *directory.Booking) (bool, error) {
		b.RemindedAt = &now
		return true, nil
	})
	return err
}

// clearContacts takes addresses and phones out of the bookings that are long over.
func (c *Consumer) clearContacts(ctx context.Context) error {
	docs, err := c.Store.Bookings.All(ctx, store.Where(c.due("clear")...))
	for _, d := range docs {
		_, one := c.changeBooking(ctx, d.Value.ID, func(b *directory.Booking) (bool, error) {
			at, ok := b.ClearAt()
			if !ok || at.After(c.Now()) {
				return false, nil
			}
			b.Contact = ""
			return true, nil
		})
		err = errors.Join(err, one)
	}
	return err
}
