package statistics

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// LastMonth is the last month that has ended, which is the latest that can be reported.
func (s *Statistics) LastMonth() directory.Month { return directory.MonthOf(s.Now()).Add(-1) }

// Reporter returns who reports a form by the subject of a return: a listing by its id,
// or a county by its code. It returns NotFound about "return" when nobody does.
func (s *Statistics) Reporter(ctx context.Context, form *directory.ReturnForm, subject string) (r directory.Reporter, err error) {
	ok := false
	if form.Kind == "" {
		if reg, err := s.Regions.Get(subject); err == nil {
			r, ok = form.CountyReporter(&reg)
		}
	} else {
		doc, err := s.Store.Listings.Get(ctx, subject)
		if err != nil && directory.KindOf(err) != directory.NotFound {
			return r, err
		}
		r, ok = form.ListingReporter(&doc.Value)
	}
	if !ok {
		return r, directory.Missing("return")
	}
	return r, nil
}

// TryReturn does what [Statistics.SaveReturn] would do, whatever is stored, and stores
// nothing. Errors are the same but for Precondition.
func (s *Statistics) TryReturn(ctx context.Context, caller directory.Caller, p directory.Permission, key directory.ReturnKey, content directory.ReturnContent) (directory.Return, error) {
	submit, err := s.submission(ctx, caller, p, key, content)
	if err != nil {
		return directory.Return{}, err
	}
	doc, err := s.Store.Returns.Get(ctx, key.ID())
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return doc.Value, err
	}
	if err = submit(&doc.Value); errors.Is(err, store.ErrUnchanged) {
		err = nil
	}
	return doc.Value, err
}

// SaveReturn submits a version of a return that has taken so many steps when the
// caller saw it, 0 when there was none; see [directory.Return.Submit]. created is
// whether it is the first one. It returns NotFound for those who may not see such a
// return, Forbidden for those who may not submit it, Invalid with every wrong field,
// also about the parameter "month", Precondition when more has happened to it, and
// the Conflict of Submit.
func (s *Statistics) SaveReturn(ctx context.Context, caller directory.Caller, p directory.Permission, key directory.ReturnKey, content directory.ReturnContent, seen int) (_ directory.Return, created bool, err error) {
	submit, err := s.submission(ctx, caller, p, key, content)
	if err != nil {
		return directory.Return{}, false, err
	}
	doc, err := s.Store.Returns.UpdateOrInsert(ctx, key.ID(), func(r *directory.Return) error {
		if r.Steps() != seen {
			return &directory.Error{Kind: directory.Precondition, What: "return"}
		}
		return submit(r)
	})
	return doc.Value, err == nil && seen == 0, err
}

// submission returns the change by which content is submitted.
func (s *Statistics) submission(ctx context.Context, caller directory.Caller, p directory.Permission, key directory.ReturnKey, content directory.ReturnContent) (func(*directory.Return) error, error) {
	form, err := directory.ReturnFormOf(key.Form)
	if err != nil {
		return nil, err
	}
	from, err := s.Reporter(ctx, form, key.Subject)
	switch {
	case err != nil:
		return nil, err
	case !directory.MayReadReturns(&caller, p, from.Scope(), s.Regions):
		return nil, directory.Missing("return")
	case !form.MayReport(&caller, p, from.Scope(), s.Regions):
		return nil, &directory.Error{Kind: directory.Forbidden}
	}
	before, err := s.FiguresBefore(ctx, key)
	if err != nil {
		return nil, err
	}
	now := s.now()
	deadline := directory.ReturnDeadline(key.Month, s.Calendar)
	return func(r *directory.Return) error {
		correction := len(r.Versions) > 0 && r.Approved() != nil
		if err := directory.Together("return", directory.CheckReturnMonth(key.Month, now), form.Check(&content, before, correction)); err != nil {
			return err
		}
		changed, err := r.Submit(key, &from, content, caller.Account, now, deadline)
		if err == nil && !changed {
			err = store.ErrUnchanged
		}
		return err
	}, nil
}

// FiguresBefore returns what the same reporter has reported for the month before, nil
// when there is nothing.
func (s *Statistics) FiguresBefore(ctx context.Context, key directory.ReturnKey) (map[string]int64, error) {
	key.Month = key.Month.Add(-1)
	doc, err := s.Store.Returns.Get(ctx, key.ID())
	switch {
	case directory.KindOf(err) == directory.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return doc.Value.Figures(), nil
}

// Return returns a return to somebody who may see it by permission p; NotFound when
// there is none, or not for them.
func (s *Statistics) Return(ctx context.Context, caller directory.Caller, p directory.Permission, key directory.ReturnKey) (directory.Return, error) {
	doc, err := s.Store.Returns.Get(ctx, key.ID())
	if err == nil && !directory.MayReadReturns(&caller, p, doc.Value.Scope(), s.Regions) {
		err = directory.Missing("return")
	}
	return doc.Value, err
}

// DecideReturn approves or sends back the version that waits, of a return that has
// taken so many steps when the official saw it, and tells those who have reported it
// when it comes back. It returns NotFound for those who may not see it, Forbidden for
// those who do not decide about it, Precondition when more has happened to it, and
// the errors of [directory.Return.Decide].
func (s *Statistics) DecideReturn(ctx context.Context, caller directory.Caller, p directory.Permission, key directory.ReturnKey, outcome directory.ReturnState, reason string, seen int, from auth.Client) (directory.Return, error) {
	d := directory.ReturnDecision{By: caller.Account, At: s.now(), Reason: reason}
	decide := func(r *directory.Return) error {
		switch {
		case !directory.MayReadReturns(&caller, p, r.Scope(), s.Regions):
			return directory.Missing("return")
		case !r.MayDecide(&caller, p, s.Regions):
			return &directory.Error{Kind: directory.Forbidden}
		case r.Steps() != seen:
			return &directory.Error{Kind: directory.Precondition, What: "return"}
		}
		return r.Decide(outcome, d)
	}
	doc, err := s.Store.Returns.Get(ctx, key.ID())
	if err != nil {
		return doc.Value, err
	}
	trial := doc.Value // so that nothing is noted that cannot be done
	if err := decide(&trial); err != nil {
		return doc.Value, err
	}
	if err := s.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditReturn, Actor: caller.Account, Subject: key.ID(), Detail: string(outcome),
		Organization: trial.Organization, Bureau: trial.Bureau, Region: trial.Region,
	}, from); err != nil {
		return doc.Value, err
	}
	if doc, err = s.Store.Returns.Update(ctx, key.ID(), decide); err != nil {
		return doc.Value, err
	}
	if err := s.tellReturned(ctx, &doc.Value); err != nil {
		s.Log.Warn("that a return came back is told later", "return", key.ID(), "error", err)
	}
	return doc.Value, nil
}

// ReturnFilter chooses from the returns of a form. Zero values do not restrict.
type ReturnFilter struct {
	Month  directory.Month
	Region string
	State  directory.ReturnState
}

// Returns returns a page of the returns of a form that an official may see by
// permission p, those of the latest month first. It returns Forbidden when the form or
// the region has nothing to do with the caller's scopes.
func (s *Statistics) Returns(ctx context.Context, caller directory.Caller, p directory.Permission, form *directory.ReturnForm, f ReturnFilter, limit int, after *store.Position) ([]store.Doc[directory.Return], *store.Position, error) {
	regions := s.returnRegions(&caller, p, form, f.Region)
	if len(regions) == 0 {
		return nil, nil, &directory.Error{Kind: directory.Forbidden}
	}
	pages := store.Pages[directory.Return]{Collection: s.Store.Returns, Desc: true}
	for _, region := range regions {
		q := store.Where(store.Equal("form", form.Code))
		if f.Month != 0 {
			q.Where = append(q.Where, store.Equal("month", int64(f.Month)))
		}
		if f.State != "" {
			q.Where = append(q.Where, store.Equal("state", string(f.State)))
		}
		q.Where = append(q.Where, within(region)...)
		pages.Queries = append(pages.Queries, q)
	}
	return pages.Read(ctx, limit, after)
}

// ReturnsOf returns a page of the returns of an organization, those of the latest
// month first; state is "" for all.
func (s *Statistics) ReturnsOf(ctx context.Context, organization string, state directory.ReturnState, limit int, after *store.Position) ([]store.Doc[directory.Return], *store.Position, error) {
	q := store.Query{Where: []store.Condition{store.Equal("organization", organization)}, Order: "month", Desc: true, After: after}
	if state != "" {
		q.Where = append(q.Where, store.Equal("state", string(state)))
	}
	return store.FindKept(ctx, s.Store.Returns, q, limit, nil)
}

// within is store.Within for a region that may be "", which is everywhere.
func within(region string) []store.Condition {
	if region == "" {
		return nil
	}
	return store.Within(region)
}

// returnRegions returns the regions within one, which is "" for all, whose returns of a
// form a caller may see by permission p, none within another; "" stands for everywhere.
func (s *Statistics) returnRegions(caller *directory.Caller, p directory.Permission, form *directory.ReturnForm, region string) (out []string) {
	holds := func(wide, narrow string) bool { return wide == "" || s.Regions.Within(narrow, wide) }
	for _, bureau := range []directory.Bureau{form.Bureau, directory.Statistics} {
		for _, own := range caller.Narrow(p, bureau, region, s.Regions) {
			if !slices.ContainsFunc(out, func(have string) bool { return holds(have, own.Region) }) {
				out = slices.DeleteFunc(out, func(have string) bool { return holds(own.Region, have) })
				out = append(out, own.Region)
			}
		}
	}
	return out
}

// Coverage is how much of a form has been reported for a month.
type Coverage struct {
	Form     *directory.ReturnForm
	Month    directory.Month
	Deadline time.Time
	// Expected is how many are to report it or have. Of them, Approved have figures
	// that count and Submitted wait for an official; Late ones of both came after the
	// deadline. The others are Missing.
	Expected, Submitted, Approved, Late int
	// Missing are in the order of their subjects.
	Missing []MissingReturn
	returns []directory.Return
}

// MissingReturn is somebody who has not reported.
type MissingReturn struct {
	directory.Reporter
	Returned bool // what was reported came back
}

// MissingReturns returns how much of a form has been reported for a month within a
// region, "" for all, and who is missing, as far as an official may see it by
// permission p. Of a month that has not ended everybody is missing. It returns
// Forbidden when the form or the region has nothing to do with the caller's scopes.
func (s *Statistics) MissingReturns(ctx context.Context, caller directory.Caller, p directory.Permission, form *directory.ReturnForm, month directory.Month, region string) (*Coverage, error) {
	regions := s.returnRegions(&caller, p, form, region)
	if len(regions) == 0 {
		return nil, &directory.Error{Kind: directory.Forbidden}
	}
	return s.coverage(ctx, form, month, regions...)
}

// coverage looks at regions of which none is within another; "" is everywhere.
func (s *Statistics) coverage(ctx context.Context, form *directory.ReturnForm, month directory.Month, regions ...string) (*Coverage, error) {
	c := &Coverage{Form: form, Month: month, Deadline: directory.ReturnDeadline(month, s.Calendar)}
	missing := map[string]MissingReturn{}
	for _, region := range regions {
		reporters, err := s.reporters(ctx, form, month, region)
		if err != nil {
			return nil, err
		}
		for _, r := range reporters {
			missing[r.Subject] = MissingReturn{Reporter: r}
		}
		q := store.Where(store.Equal("form", form.Code), store.Equal("month", int64(month)))
		q.Where = append(q.Where, within(region)...)
		docs, err := s.Store.Returns.All(ctx, q)
		if err != nil {
			return nil, err
		}
		c.returns = append(c.returns, store.Values(docs)...)
	}
	for i := range c.returns {
		r := &c.returns[i]
		if !r.Reported() {
			if m, ok := missing[r.Subject]; ok {
				m.Returned = true
				missing[r.Subject] = m
			}
			continue
		}
		delete(missing, r.Subject)
		if r.Approved() != nil {
			c.Approved++
		} else {
			c.Submitted++
		}
		if r.Late {
			c.Late++
		}
	}
	for _, m := range missing {
		c.Missing = append(c.Missing, m)
	}
	slices.SortFunc(c.Missing, func(a, b MissingReturn) int { return cmp.Compare(a.Subject, b.Subject) })
	c.Expected = c.Approved + c.Submitted + len(c.Missing)
	return c, nil
}

// reporters returns who is to report a form for a month within a region, "" for all.
func (s *Statistics) reporters(ctx context.Context, form *directory.ReturnForm, month directory.Month, region string) (out []directory.Reporter, err error) {
	if form.Kind == "" {
		for _, reg := range s.Regions.All() {
			if r, ok := form.CountyReporter(&reg); ok && (region == "" || s.Regions.Within(reg.Code, region)) {
				out = append(out, r)
			}
		}
		return out, nil
	}
	q := store.Where(store.Equal("kind", string(form.Kind)), store.Equal("status", string(directory.Published)),
		store.Condition{Field: "organization", Op: store.Min, Value: "0"}) // not ""
	q.Where = append(q.Where, within(region)...)
	err = s.Store.Listings.Each(ctx, q, func(d *store.Doc[directory.Listing]) error {
		if form.Expects(&d.Value, month) {
			r, _ := form.ListingReporter(&d.Value)
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// Reported is what was reported in a form within a region for a month.
type Reported struct {
	// Sums are of each field, over the approved version of every return that has one. A
	// correction counts from its own approval on.
	Sums map[string]int64
	// Approved is how many returns these are and Expected how many could be (see
	// [Coverage]), so that a figure can say what it is based on.
	Approved, Expected int
	Latest             time.Time // when the last of them was approved, zero for none
}

// Reported returns what was reported in a form for a month within each of some regions, of
// which the first holds the others. Demonstration data counts like any other; where it is
// there, answers say so. It returns NotFound about "form".
func (s *Statistics) Reported(ctx context.Context, form string, month directory.Month, regions ...string) ([]Reported, error) {
	f, err := directory.ReturnFormOf(form)
	if err != nil {
		return nil, err
	}
	c, err := s.coverage(ctx, f, month, regions[0])
	if err != nil {
		return nil, err
	}
	out := make([]Reported, len(regions))
	for i, region := range regions {
		out[i] = c.reported(func(code string) bool { return s.Regions.Within(code, region) })
	}
	return out, nil
}

// reported adds up what was reported in regions.
func (c *Coverage) reported(in func(region string) bool) Reported {
	out := Reported{Sums: map[string]int64{}}
	for i := range c.returns {
		r := &c.returns[i]
		v := r.Approved()
		switch {
		case !in(r.Region) || !r.Reported():
			continue
		case v == nil:
			out.Expected++
			continue
		}
		out.Approved++
		out.Expected++
		for _, field := range c.Form.Fields {
			out.Sums[field.Code] += v.Values[field.Code]
		}
		if v.Decision.At.After(out.Latest) {
			out.Latest = v.Decision.At
		}
	}
	for _, m := range c.Missing {
		if in(m.Region) {
			out.Expected++
		}
	}
	return out
}
