package consumer

import (
	"context"
	"errors"
	"slices"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// sweepComplaints does what time asks for about complaints, and tells what a crash has
// kept from being told.
func (c *Consumer) sweepComplaints(ctx context.Context) error {
	now := c.now()
	docs, err := c.Store.Complaints.All(ctx, store.Where(c.due("wake")...))
	for _, d := range docs {
		_, one := c.Store.Complaints.Update(ctx, d.Value.ID, func(k *directory.Complaint) error {
			if !k.Tick(now, c.Calendar, c.Regions) {
				return store.ErrUnchanged // another server was quicker
			}
			return nil
		})
		err = errors.Join(err, one)
	}
	untold, failure := c.Store.Complaints.All(ctx, store.Where(store.Equal("untold", int64(1))))
	err = errors.Join(err, failure)
	for _, d := range untold {
		_, one := c.tellOfComplaint(ctx, d)
		err = errors.Join(err, one)
	}
	return err
}

// tellOrLog tells whom the latest events concern. That they have happened is stored;
// what fails here is left to the next sweep.
func (c *Consumer) tellOrLog(ctx context.Context, doc store.Doc[directory.Complaint]) directory.Complaint {
	told, err := c.tellOfComplaint(ctx, doc)
	if err != nil {
		c.Log.Warn("what happened to a complaint is told later", "complaint", doc.Value.ID, "error", err)
		return doc.Value
	}
	return told.Value
}

// tellOfComplaint tells whom those events concern of which nobody has been told, and
// notes that.
func (c *Consumer) tellOfComplaint(ctx context.Context, doc store.Doc[directory.Complaint]) (store.Doc[directory.Complaint], error) {
	k := &doc.Value
	events := len(k.History)
	if k.Told >= events {
		return doc, nil
	}
	l, err := c.Store.Listings.Get(ctx, k.Listing)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return doc, err
	}
	for _, e := range k.History[k.Told:] {
		n := news{c, k, e.At, l.Value.Names.Zh}
		if err := n.tell(ctx, e); err != nil {
			return doc, err
		}
	}
	return c.Store.Complaints.Update(ctx, k.ID, func(now *directory.Complaint) error {
		now.Told = max(now.Told, events)
		return nil
	})
}

// news is an event of a complaint that is about to be told.
type news struct {
	*Consumer
	*directory.Complaint
	at   time.Time
	name string // of the listing
}

// settled are the messages of the events with which a complaint ends, for both sides.
var settled = map[directory.ComplaintAction]directory.NotificationKind{
	directory.StepResolve: directory.NoteComplaintResolved, directory.StepFail: directory.NoteComplaintUnresolved,
	directory.StepClose: directory.NoteComplaintClosed, directory.StepHandOver: directory.NoteComplaintHandedOver,
	directory.StepDuplicate: directory.NoteComplaintDuplicate,
}

// tell tells whom an event concerns, each once.
func (n *news) tell(ctx context.Context, e directory.ComplaintEvent) error {
	if kind, ends := settled[e.Action]; ends {
		params := n.params("reference", n.Reference)
		return errors.Join(n.resident(ctx, kind, params), n.firm(ctx, kind, params), n.duplicates(ctx, kind))
	}
	switch e.Action {
	case directory.StepFile:
		return n.officials(ctx, directory.NoteComplaintWaiting, n.Region)
	case directory.StepReopen:
		return errors.Join(n.officials(ctx, directory.NoteComplaintWaiting, n.Region), n.firm(ctx, directory.NoteComplaintReopened, n.params("on", lastDay(n.AnswerDue))))
	case directory.StepAccept:
		return errors.Join(
			n.resident(ctx, directory.NoteComplaintAccepted, n.params("on", lastDay(n.SettleDue))),
			n.firm(ctx, directory.NoteComplaintReceived, n.params("on", lastDay(n.AnswerDue))))
	case directory.StepRefuse:
		return n.resident(ctx, directory.NoteComplaintRefused, n.params("text", e.Text))
	case directory.StepAsk:
		return n.resident(ctx, directory.NoteComplaintAsked, n.params("text", e.Text))
	case directory.StepAnswer:
		return n.resident(ctx, directory.NoteComplaintAnswered, n.params())
	case directory.StepTransfer:
		return errors.Join(n.resident(ctx, directory.NoteComplaintTransferred, n.params()), n.officials(ctx, directory.NoteComplaintWaiting, e.To.Region))
	case directory.StepWithdraw:
		return n.firm(ctx, directory.NoteComplaintWithdrawn, n.params())
	case directory.StepEscalate:
		return n.officials(ctx, directory.NoteComplaintDue, e.To.Region)
	case directory.StepRemind:
		return n.firm(ctx, directory.NoteComplaintAnswerDue, n.params("on", lastDay(n.AnswerDue)))
	case directory.StepInquire:
		return n.resident(ctx, directory.NoteComplaintAsksSolved, n.params())
	}
	return nil
}

// lastDay is the day that a deadline, which is the midnight after it, ends; "" for none.
func lastDay(deadline *time.Time) string {
	if deadline == nil {
		return ""
	}
	return string(directory.DateOf(deadline.Add(-time.Millisecond)))
}

// params are what a message speaks of: the complaint, the listing and more.
func (n *news) params(more ...string) map[string]string {
	out := map[string]string{"complaint": n.ID, "listing": n.Listing, "name": n.name}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func (n *news) resident(ctx context.Context, kind directory.NotificationKind, params map[string]string) error {
	if n.Account == "" { // erased
		return nil
	}
	return n.Auth.Tell(ctx, n.Account, kind, n.ID, n.at, params)
}

// firm tells the members of the organization, once an official has accepted the
// complaint.
func (n *news) firm(ctx context.Context, kind directory.NotificationKind, params map[string]string) error {
	if n.AcceptedAt == nil {
		return nil
	}
	return n.Auth.TellMembers(ctx, n.Organization, kind, n.ID, n.at, params)
}

// duplicates tells the residents of the complaints in whose place this one goes on.
func (n *news) duplicates(ctx context.Context, kind directory.NotificationKind) error {
	return n.Store.Complaints.Each(ctx, store.Where(store.Equal("duplicate_of", n.ID)), func(d *store.Doc[directory.Complaint]) error {
		if d.Value.Account == "" {
			return nil
		}
		return n.Auth.Tell(ctx, d.Value.Account, kind, d.Value.ID, n.at, map[string]string{
			"complaint": d.Value.ID, "listing": d.Value.Listing, "name": n.name, "reference": n.Reference,
		})
	})
}

// officials tells those in charge of a region or, where it has none, of the next one
// above that has; where nobody is, the admins. Those who belong to the organization
// or have filed the complaint count as nobody.
func (n *news) officials(ctx context.Context, kind directory.NotificationKind, region string) error {
	members, err := n.Auth.MembersOf(ctx, n.Organization)
	if err != nil {
		return err
	}
	scopes := []directory.Scope{{}}
	for _, reg := range n.Regions.Path(region) {
		scopes = append(scopes, directory.Scope{Bureau: n.Bureau, Region: reg.Code})
	}
	slices.Reverse(scopes)
	for _, s := range scopes {
		found, err := n.Auth.OfficialsOf(ctx, s, directory.ComplaintsPower)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(g directory.Grant) bool {
			return g.Account == n.Account || slices.ContainsFunc(members, func(m directory.Grant) bool { return m.Account == g.Account })
		})
		for _, g := range found {
			err = errors.Join(err, n.Auth.Tell(ctx, g.Account, kind, n.ID, n.at, n.params("on", lastDay(n.DueAt()))))
		}
		if len(found) > 0 {
			return err
		}
	}
	return nil
}
