package handlers

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// complaintItem is a complaint in a list.
type complaintItem struct {
	ID      string         `json:"id"`
	Side    directory.Side `json:"side"` // on which the caller is
	State   search.TermRef `json:"state"`
	Subject search.TermRef `json:"subject"`
	Kind    directory.Kind `json:"kind"`
	Listing nameView       `json:"listing"`
	// Organization is null where the listing has none; Booking and Rating are null
	// where it is not about one, and for the firm, to which they would tell who the
	// resident is.
	Organization *complaintFirm   `json:"organization"`
	Booking      *string          `json:"booking"`
	Rating       *string          `json:"rating"`
	Bureau       search.TermRef   `json:"bureau"`
	Region       search.RegionRef `json:"region"`
	WaitingFor   *directory.Side  `json:"waiting_for"`
	DueAt        *time.Time       `json:"due_at"`
	Overdue      bool             `json:"overdue"`
	AnswerDue    *time.Time       `json:"answer_due"`
	AnswerLate   bool             `json:"answer_overdue"`
	CreatedAt    time.Time        `json:"created_at"`
	UpdatedAt    time.Time        `json:"updated_at"`
	Similar      *int64           `json:"similar"` // in the queue: other open complaints about the listing
}

type complaintFirm struct {
	ID        string `json:"id"`
	LegalName string `json:"legal_name"`
}

// complaintView is a complaint in an answer to a side of it.
type complaintView struct {
	complaintItem
	Text          string             `json:"text"`
	Want          string             `json:"want"`
	Masked        bool               `json:"masked"`
	Evidence      []photoRef         `json:"evidence"`
	ForFamily     bool               `json:"for_family"`
	AcceptDue     *time.Time         `json:"accept_due"`
	SettleDue     *time.Time         `json:"settle_due"`
	AcceptedAt    *time.Time         `json:"accepted_at"`
	SettledAt     *time.Time         `json:"settled_at"`
	Reference     *string            `json:"reference"`
	ReopenUntil   *time.Time         `json:"reopen_until"`  // null for others than the resident
	Questionnaire *questionnaireView `json:"questionnaire"` // null for the firm
	History       []complaintStep    `json:"history"`
	Official      *complaintOfficial `json:"official"` // null for others than officials
}

type questionnaireView struct {
	AskedAt    time.Time  `json:"asked_at"`
	AnsweredAt *time.Time `json:"answered_at"`
	Solved     *bool      `json:"solved"`
}

type complaintStep struct {
	Action  directory.ComplaintAction `json:"action"`
	By      directory.Side            `json:"by"`
	Account *string                   `json:"account"` // of an official, for officials alone
	Text    string                    `json:"text"`
	Masked  bool                      `json:"masked"`
	From    *deskView                 `json:"from"`
	To      *deskView                 `json:"to"`
	At      time.Time                 `json:"at"`
}

type deskView struct {
	Bureau search.TermRef   `json:"bureau"`
	Region search.RegionRef `json:"region"`
}

// complaintOfficial is what officials see besides.
type complaintOfficial struct {
	Decides     bool     `json:"decides"` // false where it lay with them before
	Phone       *string  `json:"phone"`   // of the resident, masked; null once the account was erased
	Escalated   int      `json:"escalated"`
	DuplicateOf *string  `json:"duplicate_of"`
	Similar     []string `json:"similar"` // other open complaints about the listing
}

// unlessEmpty is a text that is null where there is none.
func unlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func viewBureau(b directory.Bureau, lang string) search.TermRef {
	return refOf(directory.Bureaus, string(b), lang)
}

func (a *api) viewDesk(d *directory.Desk, lang string) *deskView {
	if d == nil {
		return nil
	}
	return &deskView{viewBureau(d.Bureau, lang), search.NewRegionRef(a.Regions, d.Region, lang)}
}

// viewComplaintItems shows complaints as a list to a caller, each as its side sees it.
func (a *api) viewComplaintItems(ctx context.Context, in *input, list []directory.Complaint) ([]complaintItem, error) {
	listings, organizations := make([]string, len(list)), make([]string, len(list))
	for i := range list {
		listings[i], organizations[i] = list[i].Listing, list[i].Organization
	}
	about, err := a.Store.Listings.ByID(ctx, listings...)
	if err != nil {
		return nil, err
	}
	firms, err := a.Store.Organizations.ByID(ctx, organizations...)
	if err != nil {
		return nil, err
	}
	late := func(at *time.Time) bool { return at != nil && at.Before(a.Now()) }
	views := make([]complaintItem, len(list))
	for i := range list {
		k := &list[i]
		side, _ := k.SideOf(&in.caller, caseworkers, a.Regions)
		v := complaintItem{
			ID: k.ID, Side: side, State: refOf(directory.ComplaintStates, string(k.State), in.lang), Subject: refOf(directory.ComplaintSubjects, k.Subject, in.lang), Kind: k.Kind,
			Listing: nameView{ID: k.Listing}, Bureau: viewBureau(k.Bureau, in.lang), Region: search.NewRegionRef(a.Regions, k.Region, in.lang),
			DueAt: k.DueAt(), Overdue: late(k.DueAt()), AnswerDue: k.AnswerDue, AnswerLate: late(k.AnswerDue), CreatedAt: k.CreatedAt, UpdatedAt: k.UpdatedAt,
		}
		if l := about[k.Listing]; l != nil {
			v.Listing.Name = l.Names.In(in.lang)
		}
		if o := firms[k.Organization]; o != nil {
			v.Organization = &complaintFirm{o.ID, o.LegalName}
		}
		if side != directory.BusinessSide {
			v.Booking, v.Rating = unlessEmpty(k.Booking), unlessEmpty(k.Rating)
		}
		if waiting := k.WaitingFor(); waiting != "" {
			v.WaitingFor = &waiting
		}
		views[i] = v
	}
	return views, nil
}

// viewComplaints shows complaints in full, but for what officials see besides.
func (a *api) viewComplaints(ctx context.Context, in *input, list []directory.Complaint) ([]complaintView, error) {
	items, err := a.viewComplaintItems(ctx, in, list)
	if err != nil {
		return nil, err
	}
	views := make([]complaintView, len(list))
	for i := range list {
		k, side := &list[i], items[i].Side
		v := complaintView{
			complaintItem: items[i], Text: k.Text, Want: k.Want, Masked: k.Masked, Evidence: []photoRef{}, ForFamily: k.ForFamily,
			AcceptDue: k.AcceptDue, SettleDue: k.SettleDue, AcceptedAt: k.AcceptedAt, SettledAt: k.SettledAt,
			Reference: unlessEmpty(k.Reference), History: a.viewComplaintHistory(in, k, side),
		}
		for _, id := range k.Evidence {
			v.Evidence = append(v.Evidence, photoRef{id, photoSizesAt("/v1/complaints/" + k.ID + "/photos/" + id)})
		}
		if side == directory.ResidentSide {
			v.ReopenUntil = k.ReopenUntil()
		}
		if q := k.Questionnaire; q != nil && side != directory.BusinessSide {
			v.Questionnaire = &questionnaireView{AskedAt: q.AskedAt, AnsweredAt: q.AnsweredAt}
			if q.AnsweredAt != nil {
				v.Questionnaire.Solved = &q.Solved
			}
		}
		views[i] = v
	}
	return views, nil
}

// viewComplaintHistory is the history as a side sees it. Which officials did what, and
// that they were told of a deadline, is for officials; the questionnaire is not for
// the firm.
func (a *api) viewComplaintHistory(in *input, k *directory.Complaint, side directory.Side) []complaintStep {
	steps := []complaintStep{}
	for _, e := range k.History {
		switch e.Action {
		case directory.StepEscalate:
			if side != directory.OfficialSide {
				continue
			}
		case directory.StepInquire, directory.StepConfirm:
			if side == directory.BusinessSide {
				continue
			}
		}
		step := complaintStep{Action: e.Action, By: e.By, Text: e.Text, Masked: e.Masked, From: a.viewDesk(e.From, in.lang), To: a.viewDesk(e.To, in.lang), At: e.At}
		if side == directory.OfficialSide {
			step.Account = unlessEmpty(e.Account)
		}
		steps = append(steps, step)
	}
	return steps
}

// complaintTag is the ETag of a complaint, for If-Match: how many events it has, so
// that only what happens to it makes a new one.
func complaintTag(k *directory.Complaint) string { return `"k` + strconv.Itoa(len(k.History)) + `"` }

func (a *api) sendComplaint(c *fiber.Ctx, in *input, k directory.Complaint) error {
	views, err := a.viewComplaints(c.UserContext(), in, []directory.Complaint{k})
	if err != nil {
		return err
	}
	v := &views[0]
	if v.Side == directory.OfficialSide {
		if v.Official, err = a.viewComplaintOfficial(c.UserContext(), in, &k); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderETag, complaintTag(&k))
	return sendSecret(c, v)
}

func (a *api) viewComplaintOfficial(ctx context.Context, in *input, k *directory.Complaint) (*complaintOfficial, error) {
	v := &complaintOfficial{Escalated: k.Escalated, DuplicateOf: unlessEmpty(k.DuplicateOf)}
	_, v.Decides = k.SideOf(&in.caller, caseworkers, a.Regions)
	phones, err := a.Auth.MaskedPhones(ctx, k.Account)
	if err != nil {
		return v, err
	}
	v.Phone = unlessEmpty(phones[k.Account])
	v.Similar, err = a.Consumer.SimilarComplaints(ctx, k)
	return v, err
}

// complaintOf returns the complaint that a request is about to somebody who is on a
// side of it. Whoever would be with a second factor is asked for it; others are not
// told whether there is one.
func (a *api) complaintOf(c *fiber.Ctx, in *input) (directory.Complaint, error) {
	if err := in.err(); err != nil {
		return directory.Complaint{}, err
	}
	doc, err := a.Store.Complaints.Get(c.UserContext(), in.text("id"))
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return doc.Value, err
	}
	side, _ := doc.Value.SideOf(&in.caller, caseworkers, a.Regions)
	if side == "" && len(in.caller.Holds(caseworkers)) > 0 {
		if err := caseworkers.Admit(&in.caller); err != nil {
			return doc.Value, err
		}
	}
	switch {
	case err != nil || side != "":
		return doc.Value, err
	case in.caller.Covers(caseworkers, doc.Value.Scope(), a.Regions) == nil: // but for belonging to the firm
		return doc.Value, &directory.Error{Kind: directory.Forbidden}
	}
	return doc.Value, in.hide(a, c, "complaint")
}

func (a *api) fileComplaint(c *fiber.Ctx, in *input) error {
	b, ok := draft[struct {
		Listing, Booking, Rating string
		Subject, Text, Want      string
		Evidence                 []string
		ForFamily                bool `json:"for_family"`
	}](in)
	k := directory.Complaint{
		Listing: b.Listing, Booking: b.Booking, Rating: b.Rating, Subject: b.Subject, Text: b.Text, Want: b.Want, Evidence: b.Evidence, ForFamily: b.ForFamily,
	}
	if ok {
		if err := in.refuseBy(k.Validate()); err != nil {
			return err
		}
	}
	if err := in.err(); err != nil {
		return err
	}
	k, created, err := a.Consumer.FileComplaint(c.UserContext(), in.caller, k, in.header("Idempotency-Key"))
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return a.sendComplaint(c, in, k)
}

// sendComplaints answers with a page of complaints.
func (a *api) sendComplaints(c *fiber.Ctx, in *input, docs []store.Doc[directory.Complaint], hash uint64, next *store.Position) error {
	items, err := a.viewComplaintItems(c.UserContext(), in, store.Values(docs))
	if err != nil {
		return err
	}
	return sendList(c, items, hash, next)
}

func (a *api) listComplaints(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Consumer.ComplaintsOf(c.UserContext(), in.caller.Account, in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendComplaints(c, in, docs, hash, next)
}

func (a *api) listOrganizationComplaints(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	o, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	docs, next, err := a.Consumer.ComplaintsAbout(c.UserContext(), o.ID, in.text("state"), in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendComplaints(c, in, docs, hash, next)
}

func (a *api) listComplaintQueue(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	f := consumer.ComplaintFilter{State: directory.ComplaintState(in.text("state")), Bureau: directory.Bureau(in.text("bureau")), Region: in.region(a.Regions, "region")}
	if overdue := in.boolean("overdue"); overdue != nil {
		f.Overdue = *overdue
	}
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Consumer.ComplaintQueue(c.UserContext(), in.caller, in.permission, f, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items, err := a.viewComplaintItems(c.UserContext(), in, store.Values(docs))
	if err != nil {
		return err
	}
	listings := make([]string, len(docs))
	for i := range docs {
		listings[i] = docs[i].Value.Listing
	}
	open, err := a.Consumer.OpenComplaints(c.UserContext(), unique(listings)...)
	if err != nil {
		return err
	}
	for i := range docs {
		similar := open[docs[i].Value.Listing]
		if docs[i].Value.Open() {
			similar = max(similar-1, 0)
		}
		items[i].Similar = &similar
	}
	return sendList(c, items, hash, next)
}

func (a *api) getComplaint(c *fiber.Ctx, in *input) error {
	k, err := a.complaintOf(c, in)
	if err != nil {
		return err
	}
	return a.sendComplaint(c, in, k)
}

func (a *api) getComplaintPhoto(c *fiber.Ctx, in *input) error {
	k, err := a.complaintOf(c, in)
	if err != nil {
		return err
	}
	photo := in.text("photo")
	if !slices.Contains(k.Evidence, photo) {
		return directory.Missing("photo")
	}
	return a.sendPicture(c, in, photo, "private, no-store")
}
