package registry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// Scopes returns what a proposal belongs to: where it wants the listing to be and,
// when that is elsewhere, where it is. Who decides has to cover both, so that an
// organization cannot choose who that is.
func Scopes(p *directory.Proposal) []directory.Scope {
	scopes := []directory.Scope{p.Content.Scope()}
	if p.Region != "" && p.Region != p.Content.Region {
		public := scopes[0]
		public.Region = p.Region
		scopes = append(scopes, public)
	}
	return scopes
}

// covers tells whether a caller may decide about a proposal.
func (r *Registry) covers(caller *directory.Caller, p directory.Permission, proposal *directory.Proposal) bool {
	for _, s := range Scopes(proposal) {
		if caller.Covers(p, s, r.Regions) != nil {
			return false
		}
	}
	return true
}

// QueueFilter chooses from the queue. Zero values do not restrict.
type QueueFilter struct {
	Kind   directory.Kind
	Region string
	Mine   bool // taken by the caller
	Free   bool // taken by nobody
}

// Queue returns a page of the proposals that wait for an official whose scopes
// the caller's permission p gives, the oldest first.
func (r *Registry) Queue(ctx context.Context, caller directory.Caller, p directory.Permission, f QueueFilter, limit int, after *store.Position) ([]store.Doc[directory.Proposal], *store.Position, error) {
	q := store.Query{Where: []store.Condition{store.Equal("queued", int64(1))}, Order: "submitted", After: after}
	if f.Kind != "" {
		q.Where = append(q.Where, store.Equal("kind", string(f.Kind)))
	}
	if f.Region != "" {
		q.Where = append(q.Where, store.Within(f.Region)...)
	}
	q.Where = append(q.Where, within(caller.Scopes(p))...)
	return store.FindKept(ctx, r.Store.Proposals, q, limit, func(docs []store.Doc[directory.Proposal]) ([]store.Doc[directory.Proposal], error) {
		return slices.DeleteFunc(docs, func(d store.Doc[directory.Proposal]) bool {
			taken := r.takenBy(&d.Value)
			return f.Mine && taken != caller.Account || f.Free && taken != "" || !r.covers(&caller, p, &d.Value)
		}), nil
	})
}

// within narrows a query to what may lie within scopes, so that the store need not
// hand out a province for a county; what it hands out is still to be asked about.
func within(scopes []directory.Scope) []store.Condition {
	var kinds []string
	for _, k := range directory.Kinds {
		bureau := directory.BureauOf(directory.Kind(k.Code))
		if slices.ContainsFunc(scopes, func(s directory.Scope) bool { return s == directory.Scope{} || s.Bureau == bureau }) {
			kinds = append(kinds, k.Code)
		}
	}
	where := []store.Condition{{Field: "kind", Op: store.In, Value: kinds}}
	if len(scopes) == 1 && scopes[0].Region != "" {
		where = append(where, store.Within(scopes[0].Region)...)
	}
	return where
}

// takenBy returns the official who has taken a proposal, "" when it is free.
func (r *Registry) takenBy(p *directory.Proposal) string {
	if p.ReviewUntil == nil || !p.ReviewUntil.After(r.Now()) {
		return ""
	}
	return p.Reviewer
}

// reviewTime is how long an official who has taken a proposal keeps it.
const reviewTime = 30 * time.Minute

// Take takes a proposal out of the queue for half an hour, so that no other
// official begins on it. It returns Conflict when another has it, or it does not
// wait any more.
func (r *Registry) Take(ctx context.Context, caller directory.Caller, id string) (store.Doc[directory.Proposal], error) {
	return r.Store.Proposals.Update(ctx, id, func(p *directory.Proposal) error {
		if err := r.holdable(caller, p); err != nil {
			return err
		}
		until := r.now().Add(reviewTime)
		p.Reviewer, p.ReviewUntil = caller.Account, &until
		return nil
	})
}

// holdable returns Conflict unless a proposal waits and is free or the caller's.
func (r *Registry) holdable(caller directory.Caller, p *directory.Proposal) error {
	if p.State != directory.ProposalSubmitted {
		return &directory.Error{Kind: directory.Conflict, What: "not_submitted"}
	}
	if taken := r.takenBy(p); taken != "" && taken != caller.Account {
		return &directory.Error{Kind: directory.Conflict, What: "taken"}
	}
	return nil
}

// Release puts a proposal that the caller has taken back into the queue. Errors
// are those of [Registry.Take].
func (r *Registry) Release(ctx context.Context, caller directory.Caller, id string) (store.Doc[directory.Proposal], error) {
	return r.Store.Proposals.Update(ctx, id, func(p *directory.Proposal) error {
		if err := r.holdable(caller, p); err != nil {
			return err
		}
		p.Reviewer, p.ReviewUntil = "", nil
		return nil
	})
}

// Decide decides about a proposal that waits, in the version that the official
// has seen. Of several decisions at once one counts, the others get Conflict or
// Precondition. It returns Invalid for a decision without the reasons that it
// needs, and Forbidden to members of the organization.
func (r *Registry) Decide(ctx context.Context, caller directory.Caller, seen store.Doc[directory.Proposal], d directory.Decision, from auth.Client) (directory.Proposal, error) {
	d.By, d.At = caller.Account, r.now()
	if err := d.Validate(); err != nil {
		return directory.Proposal{}, err
	}
	doc, id := seen, seen.Value.ID
	if caller.Belongs(doc.Value.Organization) {
		return doc.Value, &directory.Error{Kind: directory.Forbidden}
	}
	if err := r.holdable(caller, &doc.Value); err != nil {
		return doc.Value, err
	}
	if d.Outcome == directory.ProposalApproved {
		if err := r.publishable(ctx, &doc.Value); err != nil {
			return doc.Value, err
		}
	}
	if err := r.NoteReview(ctx, caller, &doc.Value.Content, string(d.Outcome), from); err != nil {
		return directory.Proposal{}, err
	}
	p := doc.Value
	p.State, p.Decision, p.Reviewer, p.ReviewUntil = d.Outcome, &d, "", nil
	p.Reported = p.Reported && d.Outcome != directory.ProposalApproved
	doc, err := r.put(ctx, seen.Version, p)
	if err != nil {
		return seen.Value, err
	}
	if d.Outcome == directory.ProposalApproved {
		if err := r.publish(ctx, doc.Value); err != nil {
			return doc.Value, err
		}
		doc.Value.State = directory.ProposalPublished
	}
	kind := map[directory.ProposalState]directory.NotificationKind{
		directory.ProposalApproved: directory.NoteApproved, directory.ProposalRejected: directory.NoteRejected, directory.ProposalReturned: directory.NoteReturned,
	}[d.Outcome]
	return doc.Value, r.Auth.TellMembers(ctx, doc.Value.Organization, kind, id, d.At, map[string]string{"listing": id, "name": doc.Value.Content.Names.Zh, "reasons": noteOf(d)})
}

// NoteReview writes what an official does about a listing into the audit log.
func (r *Registry) NoteReview(ctx context.Context, caller directory.Caller, l *directory.Listing, detail string, from auth.Client) error {
	scope := l.Scope()
	return r.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditReview, Actor: caller.Account, Subject: l.ID, Detail: detail,
		Organization: scope.Organization, Bureau: scope.Bureau, Region: scope.Region,
	}, from)
}

// noteOf writes the reasons and the text of a decision in one line.
func noteOf(d directory.Decision) string {
	parts := []string{}
	for _, code := range d.Reasons {
		if t, ok := directory.ReasonTerm(code); ok {
			parts = append(parts, t.Names.Zh)
		}
	}
	if d.Text != "" {
		parts = append(parts, d.Text)
	}
	return strings.Join(parts, "；")
}

// publish carries out an approval: it makes the revision, unless it was made
// before a crash, and closes the proposal.
func (r *Registry) publish(ctx context.Context, p directory.Proposal) error {
	base, err := r.base(ctx, &p)
	if err != nil {
		return err
	}
	rev := directory.Revision{Via: directory.ViaReview, By: p.SubmittedBy, ApprovedBy: p.Decision.By, At: p.Decision.At}
	_, err = r.change(ctx, p.ID, rev, func(l *directory.Listing) error {
		made, err := r.approvedBefore(ctx, p, l.Revision)
		if err != nil {
			return err
		}
		if made {
			return errMade
		}
		next, err := onto(base, &p, l)
		if err != nil {
			return err
		}
		next.Confirm(p.Decision.At)
		*l = next
		return nil
	})
	if err != nil && !errors.Is(err, errMade) {
		return err
	}
	_, err = r.Store.Proposals.Update(ctx, p.ID, func(now *directory.Proposal) error {
		if now.State == directory.ProposalApproved && now.Decision.At.Equal(p.Decision.At) {
			now.State = directory.ProposalPublished
		}
		return nil
	})
	return err
}

// base returns the listing that a proposal was made from.
func (r *Registry) base(ctx context.Context, p *directory.Proposal) (directory.Listing, error) {
	if p.Base == 0 {
		return directory.Listing{}, nil
	}
	doc, err := r.Store.Revisions.Get(ctx, directory.RevisionID(p.ID, p.Base))
	return doc.Value.Content, err
}

// onto returns what a proposal makes of a listing as it is now. That facts are
// approved does not bring back what was suspended or archived.
func onto(base directory.Listing, p *directory.Proposal, l *directory.Listing) (directory.Listing, error) {
	if p.Base == 0 && l.Revision == 0 { // new, or one that was never revised: there is nothing to keep
		base = *l
	}
	next, err := merge(&base, &p.Content, l)
	if err != nil {
		return next, err
	}
	next.Satisfaction, next.Status, next.MergedInto = l.Satisfaction, directory.Published, l.MergedInto
	if l.Status == directory.Suspended || l.Status == directory.Archived {
		next.Status = l.Status
	}
	if !l.CreatedAt.IsZero() {
		next.CreatedAt = l.CreatedAt
	}
	return next, nil
}

// publishable returns Invalid when a proposal and what has changed since do not go
// together, and Conflict when its organization was refused.
func (r *Registry) publishable(ctx context.Context, p *directory.Proposal) error {
	if p.Organization != "" {
		organization, err := r.Store.Organizations.Get(ctx, p.Organization)
		if err != nil {
			return err
		}
		if organization.Value.State == directory.OrganizationRefused {
			return &directory.Error{Kind: directory.Conflict, What: "organization_refused"}
		}
	}
	base, err := r.base(ctx, p)
	if err != nil {
		return err
	}
	listing, err := r.current(ctx, p.ID)
	if err != nil {
		return err
	}
	next, err := onto(base, p, &listing)
	if err != nil {
		return err
	}
	next.UpdatedAt = r.now()
	return next.Validate(r.Regions)
}

// errMade says that a revision was made before.
var errMade = errors.New("the revision was made before")

// approvedBefore tells whether an approval has its revision, among those up to
// the last.
func (r *Registry) approvedBefore(ctx context.Context, p directory.Proposal, last int64) (bool, error) {
	for n := last; n > p.Base; n-- {
		doc, err := r.Store.Revisions.Get(ctx, directory.RevisionID(p.ID, n))
		if err != nil {
			return false, err
		}
		if rev := doc.Value; rev.Via == directory.ViaReview && rev.At.Equal(p.Decision.At) && rev.ApprovedBy == p.Decision.By {
			return true, nil
		}
	}
	return false, nil
}

// publishApproved carries out the approvals that a crash has interrupted.
func (r *Registry) publishApproved(ctx context.Context) error {
	if err := r.followAll(ctx); err != nil {
		return err
	}
	docs, err := r.Store.Proposals.All(ctx, store.Where(store.Equal("state", string(directory.ProposalApproved))))
	for _, d := range docs {
		err = errors.Join(err, r.publish(ctx, d.Value))
	}
	return err
}

// Suspend takes a listing out of the directory, by an official and for reasons.
func (r *Registry) Suspend(ctx context.Context, caller directory.Caller, id string, d directory.Decision, from auth.Client) (directory.Listing, error) {
	d.Outcome, d.By, d.At = directory.ProposalRejected, caller.Account, r.now()
	if err := d.Validate(); err != nil {
		return directory.Listing{}, err
	}
	l, err := r.setStatus(ctx, caller, id, directory.Suspended, noteOf(d))
	if err != nil {
		return l, err
	}
	return l, r.Auth.TellMembers(ctx, l.OrganizationID, directory.NoteSuspended, id, l.UpdatedAt, map[string]string{"listing": id, "name": l.Names.Zh, "reasons": noteOf(d)})
}

// Unsuspend brings a suspended listing back.
func (r *Registry) Unsuspend(ctx context.Context, caller directory.Caller, id string) (directory.Listing, error) {
	return r.change(ctx, id, directory.Revision{Via: directory.ViaStatus, By: caller.Account}, func(l *directory.Listing) error {
		if l.Status != directory.Suspended {
			return &directory.Error{Kind: directory.Conflict, What: "not_suspended"}
		}
		l.Status = directory.Published
		return nil
	})
}

// Merge archives a listing that is the same as another public one, which gets its
// name as an alias; whoever asks for the one is led to the other. It returns
// Conflict when one of them is not public, both are one, or the first has changed
// meanwhile: it may have become what another one is merged into, and both would be gone.
func (r *Registry) Merge(ctx context.Context, caller directory.Caller, id, into string) (directory.Listing, error) {
	gone, err := r.Store.Listings.Get(ctx, id)
	if err != nil {
		return directory.Listing{}, err
	}
	if id == into {
		return directory.Listing{}, &directory.Error{Kind: directory.Conflict, What: "merged_into_itself"}
	}
	if gone.Value.Status != directory.Published {
		return directory.Listing{}, &directory.Error{Kind: directory.Conflict, What: "not_public"}
	}
	name := gone.Value.Names.Zh
	rev := directory.Revision{Via: directory.ViaStatus, By: caller.Account, Note: "merged " + id}
	// The alias comes first: done twice it changes nothing. The revision says that this
	// one stays, though it has the name already.
	_, err = r.change(ctx, into, rev, func(l *directory.Listing) error {
		switch {
		case l.Status != directory.Published || l.Kind != gone.Value.Kind:
			return &directory.Error{Kind: directory.Conflict, What: "not_public"}
		case l.Names.Zh != name && !slices.Contains(l.Aliases, name):
			l.Aliases = append(slices.Clone(l.Aliases), name)
		}
		return l.Validate(r.Regions)
	})
	if err != nil {
		return directory.Listing{}, err
	}
	rev.Note = "merged into " + into
	l, err := r.change(ctx, id, rev, func(l *directory.Listing) error {
		if l.Status != directory.Published {
			return &directory.Error{Kind: directory.Conflict, What: "not_public"}
		}
		if l.Revision != gone.Value.Revision {
			return &directory.Error{Kind: directory.Conflict, What: "listing"}
		}
		l.Status, l.MergedInto = directory.Archived, into
		return nil
	})
	if err != nil {
		return l, err
	}
	return l, r.Auth.TellMembers(ctx, l.OrganizationID, directory.NoteMerged, id, l.UpdatedAt, map[string]string{"listing": id, "name": name, "into": into})
}
