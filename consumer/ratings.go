package consumer

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// Service is what a rating is for: a booking, an invitation or, without a proof that
// there was a service, a listing. Exactly one is set.
type Service struct {
	Booking    string // id
	Invitation string // secret
	Listing    string // id
}

// Opinion is what a consumer says about a service.
type Opinion struct {
	Level     directory.Level
	Aspects   map[string]directory.Level
	Text      string
	Photos    []string
	ForFamily bool
}

// edit is the opinion as a change of a rating.
func (o Opinion) edit() directory.RatingEdit {
	return directory.RatingEdit{Level: o.Level, Aspects: o.Aspects, Text: o.Text, Photos: o.Photos}
}

// Rate gives a rating, once for each booking and invitation, and once for each
// listing without either. Giving the same again returns the one that is there and
// created false. It returns Invalid with every wrong field; NotFound about "booking",
// "invitation" or "listing"; and Conflict about "not_completed", "rating_time",
// "invitation_expired", "invitation_phone" or "rated".
func (c *Consumer) Rate(ctx context.Context, caller directory.Caller, s Service, o Opinion, from auth.Client) (_ store.Doc[directory.Rating], created bool, err error) {
	o.Text, _ = directory.MaskPersonal(strings.TrimSpace(o.Text))
	r, err := c.proven(ctx, caller, s)
	if err != nil {
		return store.Doc[directory.Rating]{}, false, err
	}
	if before, err := c.Store.Ratings.By(ctx, "proof", r.Proof); err == nil {
		return rated(before, caller, o)
	} else if directory.KindOf(err) != directory.NotFound {
		return before, false, err
	}
	r.Account, r.Level, r.Aspects, r.Text, r.Photos, r.ForFamily = caller.Account, o.Level, o.Aspects, o.Text, o.Photos, o.ForFamily
	if err := c.checkOpinion(ctx, caller, &r); err != nil {
		return store.Doc[directory.Rating]{}, false, err
	}
	if r.ID, err = c.newID(); err != nil {
		return store.Doc[directory.Rating]{}, false, err
	}
	now := c.now()
	r.State, r.CreatedAt, r.UpdatedAt = directory.RatingPublished, now, now
	c.trace(&r, from)
	findings, err := c.judge(ctx, &r, caller.Belongs(r.Organization))
	if err != nil {
		return store.Doc[directory.Rating]{}, false, err
	}
	r.Hold(findings)
	doc, err := c.Store.Ratings.Insert(ctx, r)
	if directory.KindOf(err) == directory.Conflict { // somebody gives it just now
		if doc, err = c.Store.Ratings.By(ctx, "proof", r.Proof); err == nil {
			return rated(doc, caller, o)
		}
	}
	if err != nil {
		return doc, false, err
	}
	return doc, true, c.follow(ctx, &doc.Value)
}

// rated answers a rating that was given before: the same again is no error.
func rated(before store.Doc[directory.Rating], caller directory.Caller, o Opinion) (store.Doc[directory.Rating], bool, error) {
	r := &before.Value
	if r.Account == caller.Account && r.Level == o.Level && r.Text == o.Text && maps.Equal(r.Aspects, o.Aspects) && slices.Equal(r.Photos, o.Photos) {
		return before, false, nil
	}
	return before, false, &directory.Error{Kind: directory.Conflict, What: "rated"}
}

// checkOpinion returns Invalid with everything that is wrong with what somebody says.
func (c *Consumer) checkOpinion(ctx context.Context, caller directory.Caller, r *directory.Rating) error {
	return directory.Together("rating", r.Validate(), c.Photos.Check(ctx, caller.Account, directory.RatingPhoto, "/photos/%d", r.Photos...))
}

// proven returns the beginning of a rating: what it is for, and by which proof.
func (c *Consumer) proven(ctx context.Context, caller directory.Caller, s Service) (r directory.Rating, err error) {
	switch {
	case s.Booking != "":
		r, err = c.byBooking(ctx, caller, s.Booking)
	case s.Invitation != "":
		r, err = c.byInvitation(ctx, caller, s.Invitation)
	default:
		r = directory.Rating{Origin: directory.OpenOrigin, Proof: directory.OpenProof(caller.Account, s.Listing), Listing: s.Listing}
	}
	if err != nil {
		return r, err
	}
	listing, err := c.Store.Listings.Get(ctx, r.Listing)
	if err != nil {
		return r, err
	}
	l := &listing.Value
	if l.MergedInto != "" {
		if listing, err = c.Store.Listings.Get(ctx, l.MergedInto); err != nil {
			return r, err
		}
	}
	if r.Origin == directory.OpenOrigin && l.Status != directory.Published {
		return r, directory.Missing("listing")
	}
	r.Listing, r.Organization, r.Kind, r.Region, r.Demo = l.ID, l.OrganizationID, l.Kind, l.Region, l.Demo
	return r, nil
}

func (c *Consumer) byBooking(ctx context.Context, caller directory.Caller, id string) (directory.Rating, error) {
	doc, err := c.Store.Bookings.Get(ctx, id)
	b := &doc.Value
	if err == nil && b.Account != caller.Account {
		err = directory.Missing("booking")
	}
	if err != nil {
		return directory.Rating{}, err
	}
	at, completed := b.CompletedAt()
	switch {
	case !completed:
		err = &directory.Error{Kind: directory.Conflict, What: "not_completed"}
	case b.State != directory.BookingRated && c.now().After(at.Add(directory.RatingTime)):
		err = &directory.Error{Kind: directory.Conflict, What: "rating_time"}
	}
	return directory.Rating{Origin: directory.OrderOrigin, Proof: directory.OrderProof(id), Listing: b.Listing, Category: b.Category}, err
}

// follow does what follows from a rating: what it was given for has been rated. It is
// idempotent and done again when the rating is counted.
func (c *Consumer) follow(ctx context.Context, r *directory.Rating) error {
	if id, ok := strings.CutPrefix(r.Proof, directory.OrderProof("")); ok {
		return c.markRated(ctx, id)
	}
	if id, ok := strings.CutPrefix(r.Proof, directory.InviteProof("")); ok {
		return c.markUsed(ctx, id, r.CreatedAt)
	}
	return nil
}

// Rating returns a rating that the caller may see: their own, or a published one. It
// returns NotFound for others.
func (c *Consumer) Rating(ctx context.Context, caller directory.Caller, id string) (store.Doc[directory.Rating], error) {
	doc, err := c.Store.Ratings.Get(ctx, id)
	r := &doc.Value
	if err == nil && r.State != directory.RatingPublished && (r.Account != caller.Account || r.Account == "") {
		return store.Doc[directory.Rating]{}, directory.Missing("rating")
	}
	return doc, err
}

// own returns a rating of the caller's, or NotFound.
func (c *Consumer) own(ctx context.Context, caller directory.Caller, id string) (store.Doc[directory.Rating], error) {
	doc, err := c.Store.Ratings.Get(ctx, id)
	if err == nil && (doc.Value.Account != caller.Account || caller.Account == "") {
		return store.Doc[directory.Rating]{}, directory.Missing("rating")
	}
	return doc, err
}

// EditRating changes what the caller's rating says, and judges it anew; what it said
// before stays in its history. It returns NotFound, Invalid with every wrong field, and
// Conflict about "rating_state", "edit_time" or "edits".
func (c *Consumer) EditRating(ctx context.Context, caller directory.Caller, id string, o Opinion, from auth.Client) (store.Doc[directory.Rating], error) {
	if _, err := c.own(ctx, caller, id); err != nil {
		return store.Doc[directory.Rating]{}, err
	}
	o.Text, _ = directory.MaskPersonal(strings.TrimSpace(o.Text))
	return c.Store.Ratings.Update(ctx, id, func(r *directory.Rating) error {
		if err := r.Edit(o.edit(), c.now()); err != nil {
			return err
		}
		r.ForFamily = o.ForFamily
		if err := c.checkOpinion(ctx, caller, r); err != nil {
			return err
		}
		c.trace(r, from)
		findings, err := c.judge(ctx, r, caller.Belongs(r.Organization))
		if err != nil {
			return err
		}
		r.Hold(findings)
		return nil
	})
}

// WithdrawRating takes the caller's rating back for good. It returns NotFound.
func (c *Consumer) WithdrawRating(ctx context.Context, caller directory.Caller, id string) (store.Doc[directory.Rating], error) {
	doc, err := c.own(ctx, caller, id)
	if err != nil {
		return doc, err
	}
	photos := doc.Value.Photos
	doc, err = c.Store.Ratings.Update(ctx, id, func(r *directory.Rating) error {
		r.Withdraw(c.now())
		return nil
	})
	if err != nil {
		return doc, err
	}
	return doc, c.Photos.Release(ctx, caller.Account, directory.RatingPhoto, photos...)
}

// OwnRatings returns a page of the caller's ratings, the newest first.
func (c *Consumer) OwnRatings(ctx context.Context, caller directory.Caller, limit int, after *store.Position) ([]store.Doc[directory.Rating], *store.Position, error) {
	return c.Store.Ratings.Find(ctx, store.Query{Where: []store.Condition{store.Equal("account", caller.Account)}, Order: "created", Desc: true, Limit: limit, After: after})
}

// RatingOrder is an order of ratings.
type RatingOrder string

// The orders: the newest, or those that most have found helpful, first.
const (
	NewestFirst      RatingOrder = "newest"
	MostHelpfulFirst RatingOrder = "helpful"
)

// RatingFilter chooses from the ratings of a listing. Zero values do not restrict.
type RatingFilter struct {
	Proven *bool
	Order  RatingOrder
}

// Ratings returns a page of the published ratings of a listing.
func (c *Consumer) Ratings(ctx context.Context, listing string, f RatingFilter, limit int, after *store.Position) ([]store.Doc[directory.Rating], *store.Position, error) {
	q := store.Query{
		Where: []store.Condition{store.Equal("listing", listing), store.Equal("state", string(directory.RatingPublished))},
		Desc:  true, Limit: limit, After: after,
	}
	if f.Order == MostHelpfulFirst {
		q.Order = "helpful"
	}
	if f.Proven != nil {
		q.Where = append(q.Where, proven(*f.Proven))
	}
	return c.Store.Ratings.Find(ctx, q)
}

// proven is the condition of ratings whose origin proves that there was a service, or
// of the others.
func proven(is bool) store.Condition {
	var origins []string
	for _, t := range directory.RatingOrigins {
		if directory.RatingOrigin(t.Code).Proven() == is {
			origins = append(origins, t.Code)
		}
	}
	return store.Condition{Field: "origin", Op: store.In, Value: origins}
}

// RatingsOf returns a page of the ratings of an organization's listings that it may
// see, the newest first.
func (c *Consumer) RatingsOf(ctx context.Context, organization string, limit int, after *store.Position) ([]store.Doc[directory.Rating], *store.Position, error) {
	return c.Store.Ratings.Find(ctx, store.Query{
		Where: []store.Condition{store.Equal("organization", organization), store.Equal("state", string(directory.RatingPublished))},
		Order: "created", Desc: true, Limit: limit, After: after,
	})
}

// Reply puts the public answer of a business under a published rating of one of its
// listings, or changes it. It returns NotFound, and Invalid, also about words that are
// unfit.
func (c *Consumer) Reply(ctx context.Context, caller directory.Caller, id, text string) (store.Doc[directory.Rating], error) {
	text, _ = directory.MaskPersonal(strings.TrimSpace(text))
	reply := directory.RatingReply{Text: text, By: caller.Account, At: c.now()}
	if err := reply.Validate(); err != nil {
		return store.Doc[directory.Rating]{}, err
	}
	if words := unfit(text); len(words) > 0 {
		return store.Doc[directory.Rating]{}, directory.WrongField("reply", "/text", directory.CodeUnfit, strings.Join(words, "、"))
	}
	first := false
	doc, err := c.Store.Ratings.Update(ctx, id, func(r *directory.Rating) error {
		if r.State != directory.RatingPublished {
			return directory.Missing("rating")
		}
		next := reply
		if first = r.Reply == nil; !first {
			next.At, next.EditedAt = r.Reply.At, &reply.At
		}
		r.Reply = &next
		return nil
	})
	if err != nil || !first || doc.Value.Account == "" {
		return doc, err
	}
	return doc, c.tellAbout(ctx, &doc.Value, directory.NoteRatingReplied, reply.At, "")
}

// RemoveReply takes the answer of a business away. It returns NotFound.
func (c *Consumer) RemoveReply(ctx context.Context, id string) error {
	_, err := c.Store.Ratings.Update(ctx, id, func(r *directory.Rating) error {
		r.Reply = nil
		return nil
	})
	return err
}

// tellAbout tells whoever has given a rating about it.
func (c *Consumer) tellAbout(ctx context.Context, r *directory.Rating, kind directory.NotificationKind, at time.Time, text string) error {
	if r.Account == "" {
		return nil
	}
	listing, err := c.Store.Listings.Get(ctx, r.Listing)
	if err != nil {
		return err
	}
	return c.Auth.Tell(ctx, r.Account, kind, r.ID, at, map[string]string{"rating": r.ID, "listing": r.Listing, "name": listing.Value.Names.Zh, "text": text})
}

// ReportRating notes what the caller says is wrong with a published rating. It returns
// NotFound and Invalid.
func (c *Consumer) ReportRating(ctx context.Context, caller directory.Caller, id string, p directory.RatingReport) error {
	p.Account, p.At = caller.Account, c.now()
	p.Text, _ = directory.MaskPersonal(p.Text)
	if err := p.Validate(); err != nil {
		return err
	}
	_, err := c.Store.Ratings.Update(ctx, id, func(r *directory.Rating) error {
		if r.State != directory.RatingPublished {
			return directory.Missing("rating")
		}
		r.Report(p)
		return nil
	})
	return err
}

// RatingQueue returns a page of the ratings that wait for an official in the scopes
// of the caller's permission p, the oldest first.
func (c *Consumer) RatingQueue(ctx context.Context, caller directory.Caller, p directory.Permission, limit int, after *store.Position) ([]store.Doc[directory.Rating], *store.Position, error) {
	q := store.Query{Where: []store.Condition{store.Equal("queued", int64(1))}, After: after}
	return store.FindKept(ctx, c.Store.Ratings, q, limit, func(docs []store.Doc[directory.Rating]) ([]store.Doc[directory.Rating], error) {
		return slices.DeleteFunc(docs, func(d store.Doc[directory.Rating]) bool { return caller.Covers(p, d.Value.Scope(), c.Regions) != nil }), nil
	})
}

// DecideRating decides about a rating in the version that the official has seen:
// published, it is shown and counts, excluded, it does neither. It returns Invalid for
// an exclusion without a reason, Forbidden to members of the organization, Precondition
// when it has changed since, and Conflict about "rating_state".
func (c *Consumer) DecideRating(ctx context.Context, caller directory.Caller, seen store.Doc[directory.Rating], state directory.RatingState, reason string, from auth.Client) (store.Doc[directory.Rating], error) {
	r := seen.Value
	if caller.Belongs(r.Organization) {
		return seen, &directory.Error{Kind: directory.Forbidden}
	}
	excluded := state == directory.RatingExcluded
	if err := directory.CheckDecision(excluded, reason); err != nil {
		return seen, err
	}
	photos := r.Photos
	if err := r.Decide(directory.RatingDecision{State: state, Reason: reason, By: caller.Account, At: c.now()}); err != nil {
		return seen, err
	}
	scope := r.Scope()
	if err := c.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditRating, Actor: caller.Account, Subject: r.ID, Detail: string(state),
		Organization: scope.Organization, Bureau: scope.Bureau, Region: scope.Region,
	}, from); err != nil {
		return seen, err
	}
	doc, err := c.Store.Ratings.Replace(ctx, seen.Version, r)
	if directory.KindOf(err) == directory.Conflict {
		err = &directory.Error{Kind: directory.Precondition, What: "rating"}
	}
	if err != nil {
		return seen, err
	}
	kind := directory.NoteRatingReleased
	if excluded {
		kind = directory.NoteRatingExcluded
		if err := c.Photos.Release(ctx, r.Account, directory.RatingPhoto, photos...); err != nil {
			return doc, err
		}
	}
	return doc, c.tellAbout(ctx, &doc.Value, kind, r.UpdatedAt, reason)
}
