package statistics

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// sweepReturns reminds of what is to be reported, and tells what a crash has kept from
// being told.
func (s *Statistics) sweepReturns(ctx context.Context) error {
	err := s.remindOfReturns(ctx)
	return errors.Join(err, s.Store.Returns.Each(ctx, store.Where(store.Equal("untold", int64(1))), func(d *store.Doc[directory.Return]) error {
		return s.tellReturned(ctx, &d.Value)
	}))
}

// tellReturned tells who has reported that it came back: the members of the
// organization or, of a county, whoever has submitted it; and notes that.
func (s *Statistics) tellReturned(ctx context.Context, r *directory.Return) error {
	if !r.Untold {
		return nil
	}
	form, err := directory.ReturnFormOf(r.Form)
	if err != nil {
		return err
	}
	from, err := s.Reporter(ctx, form, r.Subject)
	if err != nil && directory.KindOf(err) != directory.NotFound { // its name is all that is wanted
		return err
	}
	v := r.Last()
	params := map[string]string{"form": r.Form, "month": r.Month.String(), "subject": r.Subject, "name": from.Names.Zh, "reason": v.Decision.Reason}
	if r.Organization != "" {
		err = s.Auth.TellMembers(ctx, r.Organization, directory.NoteReturnReturned, r.ID(), v.Decision.At, params)
	} else {
		err = s.Auth.Tell(ctx, v.SubmittedBy, directory.NoteReturnReturned, r.ID(), v.Decision.At, params)
	}
	if err != nil {
		return err
	}
	steps := r.Steps()
	_, err = s.Store.Returns.Update(ctx, r.ID(), func(now *directory.Return) error {
		if now.Steps() != steps || !now.Untold {
			return store.ErrUnchanged
		}
		now.Untold = false
		return nil
	})
	return err
}

// reminder is what is told about the returns of a month from a time on.
type reminder struct {
	stage string
	kind  directory.NotificationKind
	at    time.Time
}

// remindersMark is the name of the mark up to which reminder everybody was told: the
// month and the stage, which order as their texts do.
const remindersMark = "return reminders"

// remindOfReturns tells those who have not reported the last month, once at each stage.
// A stage whose time was slept through, or that begins with the next one, is left out.
func (s *Statistics) remindOfReturns(ctx context.Context) error {
	month := s.LastMonth()
	due := reminder{}
	for _, r := range []reminder{
		{"1", directory.NoteReturnsOpen, month.Ends().UTC()},
		{"2", directory.NoteReturnsDue, directory.ReturnReminder(month, s.Calendar)},
		{"3", directory.NoteReturnsOverdue, directory.ReturnDeadline(month, s.Calendar)},
	} {
		if !s.Now().Before(r.at) {
			due = r
		}
	}
	reached := month.String() + "." + due.stage
	mark, err := s.Store.Meta.Get(ctx, remindersMark)
	if err != nil && directory.KindOf(err) != directory.NotFound || mark.Value.Value >= reached {
		return err
	}
	for i := range directory.ReturnForms {
		c, err := s.coverage(ctx, &directory.ReturnForms[i], month, "")
		if err == nil {
			err = s.remind(ctx, c, due)
		}
		if err == nil && due.kind == directory.NoteReturnsOverdue {
			err = s.tellOfMissing(ctx, c, due.at)
		}
		if err != nil {
			return err
		}
	}
	_, err = s.Store.Meta.UpdateOrInsert(ctx, remindersMark, func(m *store.Mark) error {
		if m.Value >= reached {
			return store.ErrUnchanged // another server was quicker
		}
		*m = store.Mark{Name: remindersMark, Value: reached, At: s.now()}
		return nil
	})
	return err
}

// remind tells those who are to report, each once however many returns are missing.
func (s *Statistics) remind(ctx context.Context, c *Coverage, due reminder) error {
	missing := map[string][]directory.Reporter{} // by account
	members := map[string][]directory.Grant{}    // by organization
	for _, m := range c.Missing {
		grants, known := members[m.Organization]
		var err error
		switch {
		case m.Organization == "":
			grants, err = s.countyOfficials(ctx, m.Scope())
		case !known:
			grants, err = s.Auth.MembersOf(ctx, m.Organization)
			members[m.Organization] = grants
		}
		if err != nil {
			return err
		}
		for _, g := range grants {
			of := missing[g.Account]
			if len(of) == 0 || of[len(of)-1].Subject != m.Subject { // an owner may be staff, too
				missing[g.Account] = append(of, m.Reporter)
			}
		}
	}
	for account, of := range missing {
		params := map[string]string{
			"form": c.Form.Code, "month": c.Month.String(), "name": of[0].Names.Zh, "n": strconv.Itoa(len(of)),
			"on": string(directory.DateOf(c.Deadline.Add(-time.Millisecond))),
		}
		if err := s.Auth.Tell(ctx, account, due.kind, c.Form.Code+"."+c.Month.String(), due.at, params); err != nil {
			return err
		}
	}
	return nil
}

// countyOfficials returns who reports for a county: the officials of the bureau there
// or, where it has none, in the next region above that has.
func (s *Statistics) countyOfficials(ctx context.Context, scope directory.Scope) ([]directory.Grant, error) {
	for _, reg := range slices.Backward(s.Regions.Path(scope.Region)) {
		scope.Region = reg.Code
		if found, err := s.Auth.OfficialsOf(ctx, scope, directory.StatisticsPower); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// tellOfMissing tells the officials in charge of a form how many of their region are
// missing. Those of a county report the forms of counties themselves.
func (s *Statistics) tellOfMissing(ctx context.Context, c *Coverage, at time.Time) error {
	return s.Store.Grants.Each(ctx, store.Where(store.Equal("role", string(directory.Official))), func(d *store.Doc[directory.Grant]) error {
		g := &d.Value
		reg, err := s.Regions.Get(g.Region)
		if err != nil || g.Bureau != c.Form.Bureau || !slices.Contains(g.Powers, directory.StatisticsPower) || c.Form.Kind == "" && reg.Level == directory.County {
			return nil
		}
		n := 0
		for _, m := range c.Missing {
			if s.Regions.Within(m.Region, g.Region) {
				n++
			}
		}
		if n == 0 {
			return nil
		}
		return s.Auth.Tell(ctx, g.Account, directory.NoteReturnsMissing, c.Form.Code+"."+c.Month.String()+"."+g.Region, at, map[string]string{
			"form": c.Form.Code, "month": c.Month.String(), "region": g.Region, "n": strconv.Itoa(n),
		})
	})
}
