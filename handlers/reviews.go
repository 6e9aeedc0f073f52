package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/store"
)

// reviewView is a proposal in an official's queue.
type reviewView struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Kind        directory.Kind   `json:"kind"`
	Region      search.RegionRef `json:"region"`
	New         bool             `json:"new"`      // nothing of it is public yet
	Reported    bool             `json:"reported"` // residents' reports brought it here
	Duplicates  int              `json:"duplicates"`
	SubmittedAt *time.Time       `json:"submitted_at"`
	Reviewer    string           `json:"reviewer"` // "me", "other" or ""
	ReviewUntil *time.Time       `json:"review_until"`
	Version     int64            `json:"version"` // for approveReviews
}

func (a *api) viewReview(in *input, doc *store.Doc[directory.Proposal]) reviewView {
	p := &doc.Value
	v := reviewView{
		Version: doc.Version,
		ID:      p.ID, Name: p.Content.Names.In(in.lang), Kind: p.Content.Kind, Region: search.NewRegionRef(a.Regions, p.Content.Region, in.lang),
		New: p.Base == 0 && p.Content.Revision == 0, Reported: p.Reported, Duplicates: len(p.Duplicates), SubmittedAt: p.SubmittedAt,
	}
	if p.ReviewUntil != nil && p.ReviewUntil.After(a.Now()) {
		v.Reviewer, v.ReviewUntil = "other", p.ReviewUntil
		if p.Reviewer == in.caller.Account {
			v.Reviewer = "me"
		}
	}
	return v
}

func (a *api) listReviews(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	region := in.region(a.Regions, "region")
	if err := in.err(); err != nil {
		return err
	}
	filter := registry.QueueFilter{Kind: directory.Kind(in.text("kind")), Region: region, Mine: in.text("taken") == "me", Free: in.text("taken") == "nobody"}
	docs, next, err := a.Registry.Queue(c.UserContext(), in.caller, in.permission, filter, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]reviewView, len(docs))
	for i := range docs {
		items[i] = a.viewReview(in, &docs[i])
	}
	return sendList(c, items, hash, next)
}

// reviewOf returns the proposal that an official asks for, when it is in scope.
func (a *api) reviewOf(c *fiber.Ctx, in *input) (store.Doc[directory.Proposal], error) {
	if err := in.err(); err != nil {
		return store.Doc[directory.Proposal]{}, err
	}
	doc, err := a.Store.Proposals.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return doc, err
	}
	return doc, in.coversAll(a, registry.Scopes(&doc.Value))
}

// sendReview answers with a proposal beside what is public.
func (a *api) sendReview(c *fiber.Ctx, in *input, doc *store.Doc[directory.Proposal]) error {
	p := &doc.Value
	proposal, err := a.viewProposal(c, in, p)
	if err != nil {
		return err
	}
	public, err := a.Store.Listings.Get(c.UserContext(), p.ID)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return err
	}
	changes, err := registry.Changes(&public.Value, &p.Content)
	if err != nil {
		return err
	}
	type changeView struct {
		Field  string `json:"field"`
		Before any    `json:"before"`
		After  any    `json:"after"`
	}
	views := make([]changeView, len(changes))
	for i, ch := range changes {
		views[i] = changeView(ch)
	}
	c.Set(fiber.HeaderETag, proposalTag(doc.Version))
	return sendSecret(c, struct {
		Review   reviewView   `json:"review"`
		Proposal proposalView `json:"proposal"`
		Changes  []changeView `json:"changes"`
	}{a.viewReview(in, doc), proposal, views})
}

func (a *api) getReview(c *fiber.Ctx, in *input) error {
	p, err := a.reviewOf(c, in)
	if err != nil {
		return err
	}
	return a.sendReview(c, in, &p)
}

func (a *api) takeReview(c *fiber.Ctx, in *input) error {
	p, err := a.reviewOf(c, in)
	if err != nil {
		return err
	}
	doc, err := a.Registry.Take(c.UserContext(), in.caller, p.Value.ID)
	if err != nil {
		return err
	}
	return a.sendReview(c, in, &doc)
}

func (a *api) releaseReview(c *fiber.Ctx, in *input) error {
	p, err := a.reviewOf(c, in)
	if err != nil {
		return err
	}
	if _, err := a.Registry.Release(c.UserContext(), in.caller, p.Value.ID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// decisionBody is a decision in a request.
type decisionBody struct {
	Outcome directory.ProposalState
	Reasons []string
	Text    string
}

func (a *api) decideReview(c *fiber.Ctx, in *input) error {
	doc, err := a.reviewOf(c, in)
	if err == nil {
		err = requireMatch(in, proposalTag(doc.Version))
	}
	if err != nil {
		return err
	}
	b := body[decisionBody](in)
	if _, err = a.Registry.Decide(c.UserContext(), in.caller, doc, directory.Decision{Outcome: b.Outcome, Reasons: b.Reasons, Text: b.Text}, in.client); err != nil {
		return err
	}
	if doc, err = a.Store.Proposals.Get(c.UserContext(), doc.Value.ID); err != nil {
		return err
	}
	return a.sendReview(c, in, &doc)
}

// approveReviews approves several proposals, each by itself, and says what became
// of each.
func (a *api) approveReviews(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	type outcome struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	items := []outcome{}
	seen := map[string]bool{}
	for _, item := range body[struct {
		Items []struct {
			ID      string
			Version int64
		}
	}](in).Items {
		id := item.ID
		if seen[id] {
			continue
		}
		seen[id] = true
		state := "published"
		doc, err := a.Store.Proposals.Get(c.UserContext(), id)
		if err == nil {
			err = in.coversAll(a, registry.Scopes(&doc.Value))
		}
		if err == nil && doc.Version != item.Version {
			err = &directory.Error{Kind: directory.Precondition, What: "proposal"}
		}
		if err == nil {
			_, err = a.Registry.Decide(c.UserContext(), in.caller, doc, directory.Decision{Outcome: directory.ProposalApproved}, in.client)
		}
		if err != nil {
			kind := directory.KindOf(err)
			if kind == "" || kind == directory.Unavailable {
				return err
			}
			state = string(kind)
		}
		items = append(items, outcome{id, state})
	}
	return sendSecret(c, map[string]any{"items": items})
}

// judgedListing is listingOf for officials who decide about it, which members of
// its organization do not. It notes in the audit log what they are about to do.
func (a *api) judgedListing(c *fiber.Ctx, in *input) (directory.Listing, error) {
	l, err := a.listingOf(c, in)
	if err != nil {
		return l, err
	}
	if in.caller.Belongs(l.OrganizationID) {
		return l, &directory.Error{Kind: directory.Forbidden}
	}
	return l, a.Registry.NoteReview(c.UserContext(), in.caller, &l, in.op.id, in.client)
}

func (a *api) suspendListing(c *fiber.Ctx, in *input) error {
	l, err := a.judgedListing(c, in)
	if err != nil {
		return err
	}
	b := body[decisionBody](in)
	if l, err = a.Registry.Suspend(c.UserContext(), in.caller, l.ID, directory.Decision{Reasons: b.Reasons, Text: b.Text}, in.client); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}

func (a *api) unsuspendListing(c *fiber.Ctx, in *input) error {
	l, err := a.judgedListing(c, in)
	if err != nil {
		return err
	}
	if l, err = a.Registry.Unsuspend(c.UserContext(), in.caller, l.ID); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}

func (a *api) mergeListing(c *fiber.Ctx, in *input) error {
	l, err := a.judgedListing(c, in)
	if err != nil {
		return err
	}
	into, err := a.Store.Listings.Get(c.UserContext(), body[struct{ Into string }](in).Into)
	if err != nil {
		return err
	}
	if err := in.covers(a, into.Value.Scope()); err != nil {
		return err
	}
	if l, err = a.Registry.Merge(c.UserContext(), in.caller, l.ID, into.Value.ID); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}

func (a *api) listRevisions(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	l, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	revisions, next, err := a.Registry.Revisions(c.UserContext(), l.ID, in.integer("limit"), after)
	if err != nil {
		return err
	}
	type view struct {
		Number  int64                 `json:"number"`
		Via     directory.RevisionVia `json:"via"`
		At      time.Time             `json:"at"`
		Note    string                `json:"note"`
		Status  directory.Status      `json:"status"`
		Content contentView           `json:"content"`
	}
	items := make([]view, len(revisions))
	for i := range revisions {
		rev := &revisions[i]
		items[i] = view{rev.Number, rev.Via, rev.At, rev.Note, rev.Content.Status, viewContent(&rev.Content)}
	}
	return sendList(c, items, hash, next)
}

func (a *api) restoreRevision(c *fiber.Ctx, in *input) error {
	l, err := a.judgedListing(c, in)
	if err != nil {
		return err
	}
	if l, err = a.Registry.Restore(c.UserContext(), in.caller.Account, l.ID, body[struct{ Number int64 }](in).Number); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}

// reportView is a report in an official's list.
type reportView struct {
	ID      string           `json:"id"`
	Listing string           `json:"listing"`
	Fields  []search.TermRef `json:"fields"`
	Text    string           `json:"text"`
	At      time.Time        `json:"at"`
}

func (a *api) reportListing(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct {
		Fields []string
		Text   string
	}](in)
	if _, err := a.Registry.Report(c.UserContext(), in.caller, directory.Report{Listing: in.text("id"), Fields: b.Fields, Text: b.Text}); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) listReports(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	reports, next, err := a.Registry.Reports(c.UserContext(), in.caller, in.permission, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]reportView, len(reports))
	for i, r := range reports {
		items[i] = reportView{r.ID, r.Listing, search.NewTermRefs(r.Fields, in.lang, directory.ReportFieldTerm), r.Text, r.At}
	}
	return sendList(c, items, hash, next)
}

func (a *api) decideReports(c *fiber.Ctx, in *input) error {
	l, err := a.judgedListing(c, in)
	if err != nil {
		return err
	}
	n, err := a.Registry.DecideReports(c.UserContext(), in.caller, l.ID, body[struct{ Confirmed bool }](in).Confirmed)
	if err != nil {
		return err
	}
	return sendSecret(c, map[string]int{"decided": n})
}
