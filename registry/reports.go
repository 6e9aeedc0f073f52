package registry

import (
	"context"
	"slices"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// reportsToReview is how many open reports bring a listing into the queue.
const reportsToReview = 3

// reportAgain is how long after a decision the same person's report counts again.
const reportAgain = 30 * 24 * time.Hour

// Report stores what a resident says is wrong about a public listing; a second
// report of one resident takes the place of the first. Three open ones bring the
// listing into the queue of the officials. It returns Invalid, and NotFound for a
// listing that is not public.
func (r *Registry) Report(ctx context.Context, caller directory.Caller, report directory.Report) (directory.Report, error) {
	listing, err := r.Store.Listings.Get(ctx, report.Listing)
	if err != nil {
		return report, err
	}
	if listing.Value.Status != directory.Published {
		return report, directory.Missing("listing")
	}
	if err := report.Validate(); err != nil {
		return report, err
	}
	report.ID, report.Account = caller.Account+"."+report.Listing, caller.Account
	before, err := r.Store.Reports.Get(ctx, report.ID)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return report, err
	}
	if at := before.Value.DecidedAt; at != nil && at.After(r.now().Add(-reportAgain)) {
		return before.Value, nil // an official has looked at it not long ago
	}
	report.State, report.At = directory.ReportOpen, r.now()
	results, err := r.Store.Reports.Upsert(ctx, []directory.Report{report})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return report, err
	}
	open, err := r.openReports(ctx, report.Listing)
	if err != nil || len(open) < reportsToReview {
		return report, err
	}
	return report, r.queueReported(ctx, report.Listing)
}

func (r *Registry) openReports(ctx context.Context, listing string) ([]store.Doc[directory.Report], error) {
	return r.Store.Reports.All(ctx, store.Where(store.Equal("listing", listing), store.Equal("state", string(directory.ReportOpen))))
}

// queueReported brings a listing into the queue, beside whatever its organization
// is about to change of it.
func (r *Registry) queueReported(ctx context.Context, id string) error {
	for range changeRounds {
		seen, err := r.Proposal(ctx, id)
		if err != nil || seen.Value.Reported {
			return err
		}
		seen.Value.Reported = true
		if _, err = r.put(ctx, seen.Version, seen.Value); directory.KindOf(err) != directory.Precondition {
			return err
		} // somebody has changed it meanwhile
	}
	return nil
}

// DecideReports closes the open reports about a listing. Confirmed ones keep it in
// the queue until an approval, and its members are told; others take it out.
func (r *Registry) DecideReports(ctx context.Context, caller directory.Caller, listing string, confirmed bool) (int, error) {
	open, err := r.openReports(ctx, listing)
	if err != nil {
		return 0, err
	}
	now := r.now()
	for i, d := range open {
		_, err := r.Store.Reports.Update(ctx, d.Value.ID, func(report *directory.Report) error {
			if report.State == directory.ReportOpen {
				report.State, report.DecidedBy, report.DecidedAt = directory.ReportDismissed, caller.Account, &now
				if confirmed {
					report.State = directory.ReportConfirmed
				}
			}
			return nil
		})
		if err != nil {
			return i, err
		}
	}
	if len(open) == 0 {
		return 0, nil
	}
	if confirmed {
		l, err := r.Store.Listings.Get(ctx, listing)
		if err == nil {
			err = r.queueReported(ctx, listing)
		}
		if err == nil {
			err = r.Auth.TellMembers(ctx, l.Value.OrganizationID, directory.NoteReported, listing, now, map[string]string{"listing": listing, "name": l.Value.Names.Zh})
		}
		return len(open), err
	}
	_, err = r.Store.Proposals.Update(ctx, listing, func(p *directory.Proposal) error {
		p.Reported = false
		return nil
	})
	if directory.KindOf(err) != directory.NotFound && err != nil {
		return len(open), err
	}
	return len(open), nil
}

// Reports returns a page of the open reports in the scopes of the caller's
// permission p, in the order of their ids.
func (r *Registry) Reports(ctx context.Context, caller directory.Caller, p directory.Permission, limit int, after *store.Position) ([]directory.Report, *store.Position, error) {
	q := store.Query{Where: []store.Condition{store.Equal("state", string(directory.ReportOpen))}, After: after}
	docs, next, err := store.FindKept(ctx, r.Store.Reports, q, limit, func(docs []store.Doc[directory.Report]) ([]store.Doc[directory.Report], error) {
		ids := make([]string, len(docs))
		for i := range docs {
			ids[i] = docs[i].Value.Listing
		}
		listings, err := r.Store.Listings.ByID(ctx, ids...)
		return slices.DeleteFunc(docs, func(d store.Doc[directory.Report]) bool {
			l := listings[d.Value.Listing]
			return l == nil || caller.Covers(p, l.Scope(), r.Regions) != nil
		}), err
	})
	return store.Values(docs), next, err
}
