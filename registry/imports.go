package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"qingfu/directory"
	"qingfu/sheets"
	"qingfu/store"
)

// An import runs in the background, row by row, each row an idempotent change of
// one proposal. A server that stops leaves it to itself after the next start, or
// to another one: rows that were done before are then unchanged. What is public
// does not change by an import; that is for the officials.
const (
	importKeep  = 7 * 24 * time.Hour
	importLease = 10 * time.Second
	importBatch = 100 // rows between two looks at the lease
	maxQueued   = 5   // imports of one organization that are not done
	maxAttempts = 5
)

// CheckTable reads a table and checks its rows as an import would, without
// keeping anything.
func (r *Registry) CheckTable(ctx context.Context, organization directory.Organization, kind directory.Kind, filename string, data []byte) (*sheets.Table, error) {
	table, err := sheets.Parse(data, filename, kind, r.Regions)
	if err != nil {
		return nil, err
	}
	for i := range table.Rows {
		if _, err := r.checkRow(ctx, organization, &table.Rows[i]); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// checkRow checks a row on top of what the organization has under the row's
// external id, which it returns.
func (r *Registry) checkRow(ctx context.Context, organization directory.Organization, row *sheets.Row) (store.Doc[directory.Proposal], error) {
	existing, err := r.byExternalID(ctx, organization, row.Listing.ExternalID)
	if err != nil {
		return existing, err
	}
	if existing.Value.ID != "" {
		row.Listing = row.Onto(existing.Value.Content)
	}
	row.Check(func(l *directory.Listing) {
		now := r.now()
		if l.ID == "" {
			l.ID = "00000000-0000-7000-8000-000000000000" // only so that it has one
		}
		l.OrganizationID, l.Organization, l.Demo, l.Status = organization.ID, organization.LegalName, organization.Demo, directory.Published
		if l.CreatedAt.IsZero() {
			l.CreatedAt = now
		}
		l.UpdatedAt = now
	})
	return existing, nil
}

// byExternalID returns the proposal of an organization's listing; the zero one
// when the organization has no listing of that id.
func (r *Registry) byExternalID(ctx context.Context, organization directory.Organization, id string) (store.Doc[directory.Proposal], error) {
	if id == "" {
		return store.Doc[directory.Proposal]{}, nil
	}
	same := store.Query{Where: []store.Condition{store.Equal("organization", organization.ID), store.Equal("external", id)}, Limit: 1}
	proposals, _, err := r.Store.Proposals.Find(ctx, same)
	if err != nil {
		return store.Doc[directory.Proposal]{}, err
	}
	if len(proposals) > 0 {
		return r.Proposal(ctx, proposals[0].Value.ID)
	}
	listings, _, err := r.Store.Listings.Find(ctx, same)
	if err != nil || len(listings) == 0 {
		return store.Doc[directory.Proposal]{}, err
	}
	return r.Proposal(ctx, listings[0].Value.ID)
}

// BeginImport keeps a table for an import in the background. It returns Invalid
// for a file that cannot be read at all, and Conflict when too many of the
// organization's imports wait.
func (r *Registry) BeginImport(ctx context.Context, caller directory.Caller, organization directory.Organization, kind directory.Kind, filename string, data []byte, submit bool) (directory.Import, error) {
	table, err := sheets.Parse(data, filename, kind, r.Regions)
	if err != nil {
		return directory.Import{}, err
	}
	imports, err := r.Store.Imports.All(ctx, store.Where(store.Equal("organization", organization.ID)))
	if err != nil {
		return directory.Import{}, err
	}
	waiting := 0
	for _, d := range imports {
		if s := d.Value.State; s == directory.ImportQueued || s == directory.ImportRunning {
			waiting++
		}
	}
	if waiting >= maxQueued {
		return directory.Import{}, &directory.Error{Kind: directory.Conflict, What: "imports"}
	}
	now := r.now()
	job := directory.Import{
		Organization: organization.ID, Account: caller.Account, Kind: kind, Filename: filename, Submit: submit,
		State: directory.ImportQueued, Total: len(table.Rows), CreatedAt: now, KeepUntil: now.Add(importKeep),
	}
	if job.ID, err = r.newID(); err != nil {
		return job, err
	}
	// The file comes first: a job always has its own.
	if err := r.saveFile(ctx, job.ID, "table", data, job.KeepUntil); err != nil {
		return job, err
	}
	if _, err := r.Store.Imports.Insert(ctx, job); err != nil {
		return job, err
	}
	select {
	case r.wake <- struct{}{}:
	default: // somebody else has woken the worker
	}
	return job, nil
}

// runImports works on imports until ctx ends.
func (r *Registry) runImports(ctx context.Context) {
	poll := time.NewTicker(5 * time.Second) // for those that another server has taken in, or left
	defer poll.Stop()
	failing := false
	for {
		err := r.workOnImports(ctx)
		if err != nil && !failing && ctx.Err() == nil { // one line is enough
			r.Log.Error("an import cannot go on; it is tried again", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-poll.C:
		}
	}
}

// workOnImports works on every import that nobody else works on.
func (r *Registry) workOnImports(ctx context.Context) error {
	docs, err := r.Store.Imports.All(ctx, store.Where(store.Condition{Field: "state", Op: store.In, Value: []string{string(directory.ImportQueued), string(directory.ImportRunning)}}))
	for _, d := range docs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if workErr := r.workOn(ctx, d.Value.ID); workErr != nil {
			err = errors.Join(err, workErr)
			if ctx.Err() == nil {
				err = errors.Join(err, r.lease(ctx, d.Value.ID, func(job *directory.Import) {
					if job.Attempts++; job.Attempts >= maxAttempts || errors.Is(workErr, errNoMember) {
						now := r.now()
						job.State, job.FinishedAt, job.Worker, job.LeaseUntil = directory.ImportFailed, &now, "", nil
					}
				}))
			}
		}
	}
	return err
}

// errNoMember says that whoever sent a table does not belong to the organization
// any more.
var errNoMember = errors.New("who sent it is no member any more")

// errLeased says that another server works on an import.
var errLeased = errors.New("another server works on it")

// lease takes or keeps an import for this server.
func (r *Registry) lease(ctx context.Context, id string, change func(*directory.Import)) error {
	_, err := r.Store.Imports.Update(ctx, id, func(job *directory.Import) error {
		now := r.now()
		if job.State == directory.ImportDone || job.State == directory.ImportFailed || job.Worker != r.worker && job.LeaseUntil != nil && job.LeaseUntil.After(now) {
			return errLeased
		}
		until := now.Add(importLease)
		job.Worker, job.LeaseUntil = r.worker, &until
		change(job)
		return nil
	})
	return err
}

// workOn runs one import to its end.
func (r *Registry) workOn(ctx context.Context, id string) (err error) {
	defer directory.Wrap(&err, "import %s", id)
	err = r.lease(ctx, id, func(job *directory.Import) {
		job.State, job.Done, job.Counts = directory.ImportRunning, 0, directory.RowCounts{}
	})
	if errors.Is(err, errLeased) || directory.KindOf(err) == directory.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	doc, err := r.Store.Imports.Get(ctx, id)
	if err != nil {
		return err
	}
	job := doc.Value
	organization, err := r.Store.Organizations.Get(ctx, job.Organization)
	if err != nil {
		return err
	}
	role, err := r.roleIn(ctx, job.Organization, job.Account)
	if err == nil && role == "" {
		err = errNoMember
	}
	if err != nil {
		return err
	}
	data, err := r.file(ctx, id, "table")
	if err != nil {
		return err
	}
	table, err := sheets.Parse(data, job.Filename, job.Kind, r.Regions)
	if err != nil {
		return err
	}
	var counts directory.RowCounts
	outcomes := map[int]string{}
	for i := range table.Rows {
		if i > 0 && i%importBatch == 0 {
			if err := r.lease(ctx, id, func(job *directory.Import) { job.Done, job.Counts = i, counts }); err != nil {
				return err
			}
		}
		row := &table.Rows[i]
		outcome, err := r.importRow(ctx, &job, organization.Value, row)
		if err != nil {
			return fmt.Errorf("row %d: %w", row.Number, err)
		}
		outcomes[row.Number] = outcomeNames[outcome]
		switch outcome {
		case store.Created:
			counts.Created++
		case store.Updated:
			counts.Updated++
		case store.Unchanged:
			counts.Unchanged++
		default:
			counts.Refused++
		}
	}
	var result bytes.Buffer
	err = table.WriteResult(&result, table.Format, func(row *sheets.Row) string { return outcomes[row.Number] }, r.Explain)
	if err == nil {
		err = r.saveFile(ctx, id, "result", result.Bytes(), job.KeepUntil)
	}
	if err == nil {
		err = r.lease(ctx, id, func(job *directory.Import) {
			now := r.now()
			job.State, job.Done, job.Counts, job.FinishedAt, job.Worker, job.LeaseUntil = directory.ImportDone, job.Total, counts, &now, "", nil
		})
	}
	if err != nil {
		return err
	}
	return r.Auth.Notify(ctx, job.Account, directory.NoteImported, map[string]string{
		"import": id, "created": fmt.Sprint(counts.Created), "updated": fmt.Sprint(counts.Updated), "refused": fmt.Sprint(counts.Refused),
	})
}

// outcomeNames are what a result file says of a row.
var outcomeNames = map[store.UpsertState]string{store.Created: "新增", store.Updated: "更新", store.Unchanged: "未变", "": "未导入"}

// importRow makes a row the proposal of its listing, and submits it when that is
// asked for. A row that something is wrong with has the outcome "".
func (r *Registry) importRow(ctx context.Context, job *directory.Import, organization directory.Organization, row *sheets.Row) (store.UpsertState, error) {
	seen, err := r.checkRow(ctx, organization, row)
	if err != nil {
		return "", err
	}
	if len(row.Errors) > 0 {
		return "", nil
	}
	caller := directory.Caller{Account: job.Account}
	switch {
	case seen.Value.ID == "":
		seen, err = r.Propose(ctx, caller, organization, row.Listing)
	case !sameContent(&seen.Value.Content, &row.Listing):
		if seen.Value.State == directory.ProposalSubmitted && job.Submit {
			seen, err = r.Withdraw(ctx, seen) // and submitted again below
		}
		if err == nil {
			seen, err = r.Save(ctx, caller, seen, row.Listing)
		}
	}
	if wrong, ok := errors.AsType[*directory.Error](err); ok && wrong.Kind == directory.Conflict { // it is with the officials, or archived
		row.Errors = append(row.Errors, sheets.CellError{FieldError: directory.FieldError{Code: directory.CodeMismatch, Limit: wrong.What}})
		return "", nil
	}
	if wrong, ok := errors.AsType[*directory.Error](err); ok && wrong.Kind == directory.Invalid { // another change has come in between
		for _, f := range wrong.Fields {
			row.Errors = append(row.Errors, sheets.CellError{FieldError: f})
		}
		return "", nil
	}
	if err != nil {
		return "", err
	}
	// What this import has saved, now or before a crash, it has also to submit. By
	// now it may be public, and seen a new proposal.
	p := &seen.Value
	if seen.Version > 0 && p.SavedBy == "" {
		stored, err := r.Store.Proposals.Get(ctx, p.ID)
		if err != nil {
			return "", err
		}
		p = &stored.Value
	}
	if p.SavedBy != job.Account || p.SavedAt.Before(job.CreatedAt) {
		return store.Unchanged, nil
	}
	outcome := store.Updated
	if p.Base == 0 && !p.CreatedAt.Before(job.CreatedAt) {
		outcome = store.Created
	}
	if job.Submit && p.State == directory.ProposalEditing {
		if _, err = r.Submit(ctx, caller, seen); directory.KindOf(err) == directory.Conflict {
			err = nil // the organization was refused
		}
	}
	return outcome, err
}

// sameContent tells whether two listings agree in what an organization writes.
func sameContent(a, b *directory.Listing) bool {
	changes, err := Changes(a, b)
	return err == nil && len(changes) == 0
}

// ImportResult returns the table of an import that is done, with what became of
// each row, or NotFound.
func (r *Registry) ImportResult(ctx context.Context, id string) ([]byte, error) {
	return r.file(ctx, id, "result")
}
