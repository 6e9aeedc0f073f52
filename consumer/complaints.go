package consumer

import (
	"context"
	"errors"
	"slices"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// FileComplaint stores a complaint, of which a resident has given Listing, Booking or
// Rating, Subject, Text, Want, Evidence and ForFamily, and tells the officials who are
// in charge. The same key and content again give the complaint that was made; created
// is false then. It returns Invalid with every wrong field; NotFound about what is not
// public nor the resident's own; and Conflict about "complaint_open" while another
// about the same thing is open, "complaints" when as many are as there can be,
// "complaint_nobody" about a booking that no firm has taken, "own_complaint" about
// the resident's own organization, or "idempotency_key" for a key that was used for
// something else.
func (c *Consumer) FileComplaint(ctx context.Context, caller directory.Caller, k directory.Complaint, key string) (_ directory.Complaint, created bool, err error) {
	if err := k.Validate(); err != nil {
		return k, false, err
	}
	k.Account = caller.Account
	if k.Once, k.Asked, err = c.onceOf(caller, key, "complaint", k); err != nil {
		return k, false, err
	}
	if filed, found, err := c.filedBefore(ctx, &k); found || err != nil {
		return filed, false, err
	}
	if err := c.address(ctx, caller, &k); err != nil {
		return k, false, err
	}
	if err := c.mayFile(ctx, caller, &k); err != nil {
		if filed, found, failure := c.filedBefore(ctx, &k); found || failure != nil { // a moment ago
			return filed, false, failure
		}
		return k, false, err
	}
	if err := c.useEvidence(ctx, caller, k.Evidence); err != nil {
		return k, false, err
	}
	if k.ID, err = c.newID(); err != nil {
		return k, false, err
	}
	k.Begin(c.now(), c.Calendar)
	doc, err := c.Store.Complaints.Insert(ctx, k)
	if directory.KindOf(err) == directory.Conflict { // another has come a moment ago
		filed, found, failure := c.filedBefore(ctx, &k)
		if failure == nil && !found {
			failure = &directory.Error{Kind: directory.Conflict, What: "complaint_open", Cause: err}
		}
		return filed, false, failure
	}
	if err != nil {
		return k, false, err
	}
	return c.tellOrLog(ctx, doc), true, nil
}

// filedBefore finds the complaint that was made by the same key, if there is one and
// a key.
func (c *Consumer) filedBefore(ctx context.Context, k *directory.Complaint) (directory.Complaint, bool, error) {
	return madeBefore(ctx, c.Store.Complaints, k.Once, k.Asked, func(k *directory.Complaint) string { return k.Asked })
}

// address finds out whom a complaint concerns and which desk is in charge.
func (c *Consumer) address(ctx context.Context, caller directory.Caller, k *directory.Complaint) error {
	public := true // whether the listing has to be
	switch {
	case k.Booking != "":
		doc, err := c.Store.Bookings.Get(ctx, k.Booking)
		if err == nil && doc.Value.Account != caller.Account {
			err = directory.Missing("booking")
		}
		if err != nil {
			return err
		}
		if doc.Value.Listing == "" {
			return &directory.Error{Kind: directory.Conflict, What: "complaint_nobody"}
		}
		k.Listing, k.Organization, public = doc.Value.Listing, doc.Value.Organization, false
	case k.Rating != "":
		doc, err := c.Store.Ratings.Get(ctx, k.Rating)
		own := doc.Value.Account == caller.Account
		if err == nil && !own && doc.Value.State != directory.RatingPublished {
			err = directory.Missing("rating")
		}
		if err != nil {
			return err
		}
		k.Listing, public = doc.Value.Listing, !own
	}
	doc, err := c.Store.Listings.Get(ctx, k.Listing)
	l := &doc.Value
	if err == nil && public && l.Status != directory.Published {
		err = directory.Missing("listing")
	}
	if err != nil {
		return err
	}
	if k.Organization == "" {
		k.Organization = l.OrganizationID
	}
	k.Kind, k.Bureau, k.Region = l.Kind, directory.BureauOf(l.Kind), c.Regions.Widen(l.Region, directory.County)
	return nil
}

// mayFile tells why a complaint without fault cannot be filed.
func (c *Consumer) mayFile(ctx context.Context, caller directory.Caller, k *directory.Complaint) error {
	if caller.Belongs(k.Organization) {
		return &directory.Error{Kind: directory.Conflict, What: "own_complaint"}
	}
	docs, err := c.Store.Complaints.All(ctx, store.Where(store.Equal("account", caller.Account), store.Equal("open", int64(1))))
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(docs, func(d store.Doc[directory.Complaint]) bool { return d.Value.About() == k.About() }):
		return &directory.Error{Kind: directory.Conflict, What: "complaint_open"}
	case len(docs) >= directory.MaxOpenComplaints:
		return &directory.Error{Kind: directory.Conflict, What: "complaints"}
	}
	return nil
}

// useEvidence keeps photos that a complaint is about to name, and returns Invalid for
// those that the caller has not uploaded as evidence.
func (c *Consumer) useEvidence(ctx context.Context, caller directory.Caller, ids []string) error {
	return c.Photos.Check(ctx, caller.Account, directory.EvidencePhoto, "/evidence/%d", ids...)
}

// StepComplaint takes a step that has been found valid, for its side By, and tells
// whom it concerns. Officials act by permission p and name the length of the history
// that they have seen: when it has grown, the step is refused with Precondition. Other
// errors are NotFound for those who have nothing to do with the complaint, Forbidden
// for those of another side, and for officials who do not decide about it, or not any
// more, or whose own it is, and those of [directory.Complaint.Take]; Invalid also when
// the other complaint of a duplicate is none of the same firm.
func (c *Consumer) StepComplaint(ctx context.Context, caller directory.Caller, p directory.Permission, id string, seen int, s directory.ComplaintStep, from auth.Client) (directory.Complaint, error) {
	doc, err := c.Store.Complaints.Get(ctx, id)
	if err != nil {
		return doc.Value, err
	}
	if s.At = c.now(); s.By == directory.OfficialSide {
		s.Account = caller.Account
	}
	take := func(k *directory.Complaint) error {
		if err := c.mayStep(&caller, p, k, s.By); err != nil {
			return err
		}
		if s.By == directory.OfficialSide && len(k.History) != seen {
			return &directory.Error{Kind: directory.Precondition, What: "complaint"}
		}
		changed, err := k.Take(s, c.Calendar)
		if err == nil && !changed {
			err = store.ErrUnchanged
		}
		return err
	}
	trial := doc.Value // so that nothing is noted that cannot be done
	switch err := take(&trial); {
	case errors.Is(err, store.ErrUnchanged):
		return doc.Value, nil
	case err != nil:
		return doc.Value, err
	}
	if err := c.prepareStep(ctx, caller, &doc.Value, s, from); err != nil {
		return doc.Value, err
	}
	doc, err = c.Store.Complaints.Update(ctx, id, take)
	if err != nil {
		return doc.Value, err
	}
	return c.tellOrLog(ctx, doc), nil
}

// mayStep tells whether a caller is on the side for which they want to act.
func (c *Consumer) mayStep(caller *directory.Caller, p directory.Permission, k *directory.Complaint, by directory.Side) error {
	side, decides := k.SideOf(caller, p, c.Regions)
	switch {
	case side == "" && !caller.Belongs(k.Organization):
		return directory.Missing("complaint")
	case side != by || by == directory.OfficialSide && !decides:
		return &directory.Error{Kind: directory.Forbidden}
	}
	return nil
}

// prepareStep does what has to come before a step: the photos are kept, another
// complaint is looked at, and what an official does is noted in the audit log.
func (c *Consumer) prepareStep(ctx context.Context, caller directory.Caller, k *directory.Complaint, s directory.ComplaintStep, from auth.Client) error {
	switch s.Action {
	case directory.StepSupply:
		return c.useEvidence(ctx, caller, s.Evidence)
	case directory.StepReopen:
		open, err := c.Store.Complaints.All(ctx, store.Where(store.Equal("account", caller.Account), store.Equal("open", int64(1))))
		if slices.ContainsFunc(open, func(d store.Doc[directory.Complaint]) bool { return d.Value.About() == k.About() }) {
			return &directory.Error{Kind: directory.Conflict, What: "complaint_open"}
		}
		return err
	case directory.StepDuplicate:
		if err := c.twin(ctx, k, s.Of); err != nil {
			return err
		}
	}
	if s.By != directory.OfficialSide {
		return nil
	}
	detail := string(s.Action)
	if s.Action == directory.StepTransfer {
		detail += " " + string(s.To.Bureau) + " " + s.To.Region
	}
	return c.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditComplaint, Actor: caller.Account, Subject: k.ID, Detail: detail,
		Organization: k.Organization, Bureau: k.Bureau, Region: k.Region,
	}, from)
}

// twin returns Invalid unless a complaint can be a duplicate of the one of an id: of
// the same listing or organization, and no duplicate itself.
func (c *Consumer) twin(ctx context.Context, k *directory.Complaint, id string) error {
	doc, err := c.Store.Complaints.Get(ctx, id)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return err
	}
	of := &doc.Value
	same := of.Listing == k.Listing || of.Organization == k.Organization && k.Organization != ""
	if err != nil || !same || id == k.ID || of.State == directory.ComplaintDuplicate {
		return directory.WrongField("complaint", "/of", directory.CodeValue, "similar")
	}
	return nil
}

// ComplaintsOf returns a page of a resident's complaints, the latest first.
func (c *Consumer) ComplaintsOf(ctx context.Context, account string, limit int, after *store.Position) ([]store.Doc[directory.Complaint], *store.Position, error) {
	q := store.Where(store.Equal("account", account))
	q.Desc, q.After = true, after
	return store.FindKept(ctx, c.Store.Complaints, q, limit, nil)
}

// ComplaintsAbout returns a page of the complaints about an organization that were
// accepted, the latest first; state is "" for all.
func (c *Consumer) ComplaintsAbout(ctx context.Context, organization, state string, limit int, after *store.Position) ([]store.Doc[directory.Complaint], *store.Position, error) {
	q := store.Where(store.Equal("organization", organization), store.Equal("accepted", int64(1)))
	if state != "" {
		q.Where = append(q.Where, store.Equal("state", state))
	}
	q.Desc, q.After = true, after
	return store.FindKept(ctx, c.Store.Complaints, q, limit, nil)
}

// ComplaintFilter chooses from the queue. Zero values do not restrict, but for State:
// without one, the queue is what is open.
type ComplaintFilter struct {
	State   directory.ComplaintState
	Bureau  directory.Bureau
	Region  string
	Overdue bool // past the deadline of the officials
}

// ComplaintQueue returns a page of the complaints about which the caller decides by
// permission p, the one with the next deadline first. It returns Forbidden when the
// filter has nothing to do with the caller's scopes.
func (c *Consumer) ComplaintQueue(ctx context.Context, caller directory.Caller, p directory.Permission, f ComplaintFilter, limit int, after *store.Position) ([]store.Doc[directory.Complaint], *store.Position, error) {
	q := store.Query{Where: []store.Condition{store.Equal("open", int64(1))}, Order: "due", After: after}
	if f.State != "" {
		q.Where[0] = store.Equal("state", string(f.State))
	}
	if f.Overdue {
		q.Where = append(q.Where, store.Condition{Field: "due", Op: store.Min, Value: int64(1)}, store.Condition{Field: "due", Op: store.Less, Value: c.now().UnixMilli()})
	}
	// What may lie within the scopes, so that the store need not hand out a province for
	// a county; what it hands out is still asked about.
	scopes := caller.Narrow(p, f.Bureau, f.Region, c.Regions)
	if len(scopes) == 0 {
		return nil, nil, &directory.Error{Kind: directory.Forbidden}
	}
	if f.Bureau != "" {
		q.Where = append(q.Where, store.Equal("bureau", string(f.Bureau)))
	}
	if len(scopes) == 1 {
		q.Where = append(q.Where, store.InScope(scopes[0]).Where...)
	} else if f.Region != "" {
		q.Where = append(q.Where, store.Within(f.Region)...)
	}
	return store.FindKept(ctx, c.Store.Complaints, q, limit, func(docs []store.Doc[directory.Complaint]) ([]store.Doc[directory.Complaint], error) {
		return slices.DeleteFunc(docs, func(d store.Doc[directory.Complaint]) bool {
			_, decides := d.Value.SideOf(&caller, p, c.Regions)
			return !decides
		}), nil
	})
}

// SimilarComplaints returns the ids of the other open complaints about the same
// listing, the oldest first, at most as many as are shown.
func (c *Consumer) SimilarComplaints(ctx context.Context, k *directory.Complaint) ([]string, error) {
	const shown = 100
	docs, _, err := c.Store.Complaints.Find(ctx, store.Query{
		Where: []store.Condition{store.Equal("listing", k.Listing), store.Equal("open", int64(1))}, Limit: shown + 1,
	})
	ids := []string{}
	for _, d := range docs {
		if d.Value.ID != k.ID && len(ids) < shown {
			ids = append(ids, d.Value.ID)
		}
	}
	return ids, err
}

// OpenComplaints counts the open complaints about listings, by listing.
func (c *Consumer) OpenComplaints(ctx context.Context, listings ...string) (map[string]int64, error) {
	groups, err := c.Store.Complaints.Count(ctx, []store.Condition{
		{Field: "listing", Op: store.In, Value: listings}, store.Equal("open", int64(1)),
	}, "listing")
	counts := make(map[string]int64, len(groups))
	for _, g := range groups {
		counts[g.Key[0].(string)] = g.N
	}
	return counts, err
}
