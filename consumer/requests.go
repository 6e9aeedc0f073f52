package consumer

import (
	"context"
	"slices"
	"strings"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// A request is a booking of which nobody is asked in particular: firms that serve its
// county and category quote on it, and the resident chooses one.

const (
	askedFirms = 20  // that are told of a request
	askedPages = 10  // of search results that are looked through for them
	askedPage  = 100 // results
)

// offers tells whether a listing is one by which a firm can quote on a request.
func (c *Consumer) offers(l *directory.Listing, b *directory.Booking) bool {
	return l.Status == directory.Published && l.Serves(b.Region, c.Regions) && slices.Contains(l.Categories, b.Category)
}

// services returns the published domestic services of an organization.
func (c *Consumer) services(ctx context.Context, organization string) ([]directory.Listing, error) {
	docs, err := c.Store.Listings.All(ctx, store.Where(
		store.Equal("organization", organization), store.Equal("status", string(directory.Published)), store.Equal("kind", string(directory.DomesticServiceKind)),
	))
	return store.Values(docs), err
}

// mayQuote tells whether a firm of the caller can quote on a booking.
func (c *Consumer) mayQuote(ctx context.Context, caller directory.Caller, b *directory.Booking) (bool, error) {
	if !b.Asking() {
		return false, nil
	}
	for _, g := range caller.Grants {
		if g.Organization == "" {
			continue
		}
		services, err := c.services(ctx, g.Organization)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(services, func(l directory.Listing) bool { return c.offers(&l, b) }) {
			return true, nil
		}
	}
	return false, nil
}

// Requests returns a page of the open requests on which an organization can quote, the
// latest first.
func (c *Consumer) Requests(ctx context.Context, organization string, limit int, after *store.Position) ([]store.Doc[directory.Booking], *store.Position, error) {
	services, err := c.services(ctx, organization)
	if err != nil || len(services) == 0 {
		return nil, nil, err
	}
	q := store.Query{Where: []store.Condition{store.Equal("asking", int64(1))}, Desc: true, After: after}
	return store.FindKept(ctx, c.Store.Bookings, q, limit, func(docs []store.Doc[directory.Booking]) ([]store.Doc[directory.Booking], error) {
		return slices.DeleteFunc(docs, func(d store.Doc[directory.Booking]) bool {
			return !slices.ContainsFunc(services, func(l directory.Listing) bool { return c.offers(&l, &d.Value) })
		}), nil
	})
}

// Quote puts a firm's quote on a request, or changes it. It returns Invalid, also for a
// listing that is not the caller's or does not serve the request, Conflict about
// "not_verified" for an organization whose papers nobody has seen and about
// "own_service", and the errors of [directory.Booking.Offer].
func (c *Consumer) Quote(ctx context.Context, caller directory.Caller, id string, q directory.Quote) (directory.Booking, error) {
	q.Text, _ = directory.MaskPersonal(strings.TrimSpace(q.Text))
	q.At = c.now()
	doc, err := c.Store.Listings.Get(ctx, q.Listing)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return directory.Booking{}, err
	}
	l := doc.Value
	var others error
	if !caller.Belongs(l.OrganizationID) {
		others = directory.WrongField("quote", "/listing", directory.CodeValue, "/v1/organizations/{id}/listings")
	}
	if err := directory.Together("quote", q.Validate(), others); err != nil {
		return directory.Booking{}, err
	}
	q.Organization = l.OrganizationID
	o, err := c.Store.Organizations.Get(ctx, q.Organization)
	switch {
	case err != nil && directory.KindOf(err) != directory.NotFound:
		return directory.Booking{}, err
	case o.Value.State != directory.OrganizationVerified:
		return directory.Booking{}, &directory.Error{Kind: directory.Conflict, What: "not_verified"}
	}
	q.Kind, q.Region = l.Kind, l.Region
	return c.changeBooking(ctx, id, func(b *directory.Booking) (bool, error) {
		switch {
		case b.Kind == directory.CustomBooking && !c.offers(&l, b):
			return false, directory.WrongField("quote", "/listing", directory.CodeMismatch, "region, category")
		case b.Account == caller.Account:
			return false, &directory.Error{Kind: directory.Conflict, What: "own_service"}
		}
		return b.Offer(q)
	})
}

// Choose takes the quote of an organization on the caller's request at the price that
// they have seen. It returns Forbidden to anybody else, Conflict about "not_bookable"
// when the firm's listing or the firm is gone, and the errors of [directory.Booking.Choose].
func (c *Consumer) Choose(ctx context.Context, caller directory.Caller, id, organization string, price int64) (directory.Booking, error) {
	return c.changeBooking(ctx, id, func(b *directory.Booking) (bool, error) {
		if b.SideOf(&caller) != directory.ResidentSide {
			return false, &directory.Error{Kind: directory.Forbidden}
		}
		if q := b.QuoteOf(organization); q != nil && b.Asking() {
			l, err := c.Store.Listings.Get(ctx, q.Listing)
			if directory.KindOf(err) == directory.NotFound || err == nil && l.Value.Status != directory.Published {
				err = &directory.Error{Kind: directory.Conflict, What: "not_bookable"}
			}
			if err == nil {
				err = c.answers(ctx, organization)
			}
			if err != nil {
				return false, err
			}
		}
		return b.Choose(organization, price, c.now())
	})
}

// announce tells firms that they can quote on a request: those that a search for its
// category in its county finds first.
func (c *Consumer) announce(ctx context.Context, b *directory.Booking, e directory.BookingEvent) error {
	params, err := c.bookingParams(ctx, b)
	if err != nil {
		return err
	}
	asked := map[string]bool{"": true} // listings of nobody
	q := search.Query{
		Kinds: []directory.Kind{directory.DomesticServiceKind}, Categories: []string{b.Category}, Regions: []string{b.Region},
		Sort: search.ByRelevance, Limit: askedPage, Now: c.Now(),
	}
	for range askedPages {
		found, err := c.Search.Search(ctx, q)
		if err != nil {
			return err
		}
		ids := make([]string, len(found.Hits))
		for i := range found.Hits {
			ids[i] = found.Hits[i].ID
		}
		listings, err := c.Store.Listings.GetMany(ctx, ids...)
		if err != nil {
			return err
		}
		for i := range listings {
			l := &listings[i].Value
			if asked[l.OrganizationID] || !c.offers(l, b) {
				continue
			}
			asked[l.OrganizationID] = true
			if err := c.Auth.TellMembers(ctx, l.OrganizationID, directory.NoteRequestOpen, b.ID, e.At, params); err != nil {
				return err
			}
			if len(asked) > askedFirms {
				return nil
			}
		}
		if found.Next == "" {
			return nil
		}
		q.After = found.Next
	}
	return nil
}
