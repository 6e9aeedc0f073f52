package registry

import (
	"context"

	"qingfu/directory"
	"qingfu/store"
)

// reportsToReview is how many open reports bring a listing into the queue.
const reportsToReview = 3

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
	return r.Store.Reports.All(ctx, where(eq("listing", listing), eq("state", string(directory.ReportOpen))))
}

// queueReported brings a listing into the queue as it is, unless a proposal of
// its organization is there already.
func (r *Registry) queueReported(ctx context.Context, id string) error {
	seen, err := r.Proposal(ctx, id)
	if err != nil {
		return err
	}
	p := seen.Value
	if p.State == directory.ProposalSubmitted || p.State == directory.ProposalApproved {
		return nil
	}
	listing, err := r.Store.Listings.Get(ctx, id)
	if err != nil {
		return err
	}
	if p.SavedBy != "" { // the organization works on it; what is public waits for nobody
		return nil
	}
	now := r.now()
	p.Content, p.Base = listing.Value, listing.Value.Revision
	p.State, p.SubmittedAt, p.SubmittedBy = directory.ProposalSubmitted, &now, ""
	_, err = r.put(ctx, seen.Version, p)
	if directory.KindOf(err) == directory.Precondition { // another report, at the same time
		return nil
	}
	return err
}

// DecideReports closes the open reports about a listing. Confirmed ones bring it
// into the queue.
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
	if confirmed && len(open) > 0 {
		return len(open), r.queueReported(ctx, listing)
	}
	return len(open), nil
}

// Reports returns a page of the open reports in the scopes of the caller's
// permission p, in the order of their ids.
func (r *Registry) Reports(ctx context.Context, caller directory.Caller, p directory.Permission, limit int, after *store.Position) ([]directory.Report, *store.Position, error) {
	out := []directory.Report{}
	q := store.Query{Where: []store.Condition{eq("state", string(directory.ReportOpen))}, Limit: store.MaxLimit, After: after}
	for {
		docs, next, err := r.Store.Reports.Find(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range docs {
			listing, err := r.Store.Listings.Get(ctx, d.Value.Listing)
			if directory.KindOf(err) == directory.NotFound {
				continue
			}
			if err != nil {
				return nil, nil, err
			}
			if caller.Covers(p, ScopeOf(&listing.Value), r.Regions) != nil {
				continue
			}
			if len(out) == limit {
				return out, &store.Position{ID: out[limit-1].ID}, nil
			}
			out = append(out, d.Value)
		}
		if next == nil {
			return out, nil, nil
		}
		q.After = next
	}
}
