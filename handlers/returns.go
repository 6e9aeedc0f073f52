package handlers

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/statistics"
	"qingfu/store"
)

// formView is a form of reported figures.
type formView struct {
	termView
	Policy   string          `json:"policy"`
	Kind     *directory.Kind `json:"kind"` // of the listings that report it; null for a form of counties
	Bureau   search.TermRef  `json:"bureau"`
	Evidence bool            `json:"evidence_required"`
	Fields   []formField     `json:"fields"`
}

type formField struct {
	termView
	Unit    termView `json:"unit"`
	Counted string   `json:"counted"` // "in_month" or "at_end"
	AtMost  *string  `json:"at_most"` // the field that it is a part of
}

func viewForm(f *directory.ReturnForm, lang string) formView {
	v := formView{viewTerm(f.Term, lang), f.Policy, nil, viewBureau(f.Bureau, lang), f.Kind == "", []formField{}}
	if f.Kind != "" {
		v.Kind = &f.Kind
	}
	for _, field := range f.Fields {
		counted := "at_end"
		if field.Flow {
			counted = "in_month"
		}
		v.Fields = append(v.Fields, formField{viewTerm(field.Term, lang), viewTerm(field.Unit, lang), counted, unlessEmpty(field.AtMost)})
	}
	return v
}

// listReturnForms answers with all forms and the rules that hold for them.
func (a *api) listReturnForms(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	v := struct {
		Items     []formView `json:"items"`
		Deadline  int        `json:"deadline_day"`
		Months    int        `json:"months"`
		Tolerance int        `json:"tolerance_percent"`
		Slack     int        `json:"tolerance_absolute"`
	}{[]formView{}, directory.ReturnDay, directory.ReturnMonths, directory.ReturnTolerance, directory.ReturnSlack}
	for i := range directory.ReturnForms {
		v.Items = append(v.Items, viewForm(&directory.ReturnForms[i], in.lang))
	}
	return sendTaggedJSON(c, v)
}

// returnItem is a return in a list.
type returnItem struct {
	Form         search.TermRef   `json:"form"`
	Month        directory.Month  `json:"month"`
	Subject      nameView         `json:"subject"`
	Organization *complaintFirm   `json:"organization"` // null of a county
	Bureau       search.TermRef   `json:"bureau"`
	Region       search.RegionRef `json:"region"`
	State        search.TermRef   `json:"state"`
	// Correction says that an approved version counts while the latest does not.
	Correction  bool      `json:"correction"`
	Late        bool      `json:"late"`
	Decides     bool      `json:"decides"` // whether the caller may decide about it
	SubmittedAt time.Time `json:"submitted_at"`
	Demo        bool      `json:"demo"`
}

// returnView is a return in full.
type returnView struct {
	returnItem
	Deadline time.Time        `json:"deadline"`
	Before   map[string]int64 `json:"before"`   // of the month before; null where there is nothing
	Approved map[string]int64 `json:"approved"` // what counts; null where nothing does
	Versions []returnVersion  `json:"versions"`
}

type returnVersion struct {
	State        search.TermRef    `json:"state"`
	Values       map[string]int64  `json:"values"`
	Explanations map[string]string `json:"explanations"`
	Evidence     string            `json:"evidence"`
	Reason       string            `json:"reason"`
	SubmittedBy  *string           `json:"submitted_by"`
	SubmittedAt  time.Time         `json:"submitted_at"`
	Decision     *returnDecision   `json:"decision"`
}

type returnDecision struct {
	By     *string   `json:"by"` // for officials alone
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// reporterNames are the names of those who report.
type reporterNames struct {
	a     *api
	lang  string
	about map[string]*directory.Listing
	firms map[string]*directory.Organization
}

func (a *api) reporterNames(ctx context.Context, lang string, subjects, organizations []string) (n reporterNames, err error) {
	n = reporterNames{a: a, lang: lang}
	if n.about, err = a.Store.Listings.ByID(ctx, subjects...); err == nil {
		n.firms, err = a.Store.Organizations.ByID(ctx, organizations...)
	}
	return n, err
}

func (n *reporterNames) subject(id string) nameView {
	v := nameView{ID: id}
	if l := n.about[id]; l != nil {
		v.Name = l.Names.In(n.lang)
	} else if reg, err := n.a.Regions.Get(id); err == nil {
		v.Name = reg.Names.In(n.lang)
	}
	return v
}

func (n *reporterNames) organization(id string) *complaintFirm {
	if o := n.firms[id]; o != nil {
		return &complaintFirm{o.ID, o.LegalName}
	}
	return nil
}

func (a *api) viewReturnItems(ctx context.Context, in *input, list []directory.Return) ([]returnItem, error) {
	subjects, organizations := make([]string, len(list)), make([]string, len(list))
	for i := range list {
		subjects[i], organizations[i] = list[i].Subject, list[i].Organization
	}
	names, err := a.reporterNames(ctx, in.lang, subjects, organizations)
	if err != nil {
		return nil, err
	}
	views := make([]returnItem, len(list))
	for i := range list {
		r := &list[i]
		form, err := directory.ReturnFormOf(r.Form)
		if err != nil {
			return nil, err
		}
		views[i] = returnItem{
			Form: search.NewTermRef(form.Term, in.lang), Month: r.Month, Subject: names.subject(r.Subject), Organization: names.organization(r.Organization),
			Bureau: viewBureau(r.Bureau, in.lang), Region: search.NewRegionRef(a.Regions, r.Region, in.lang), State: viewReturnState(r.State(), in.lang),
			Correction: r.Approved() != nil && r.Approved() != r.Last(), Late: r.Late,
			Decides:     r.State() == directory.ReturnSubmitted && r.MayDecide(&in.caller, statisticians, a.Regions),
			SubmittedAt: r.Last().SubmittedAt, Demo: r.Demo,
		}
	}
	return views, nil
}

func viewReturnState(s directory.ReturnState, lang string) search.TermRef {
	return refOf(directory.ReturnStates, string(s), lang)
}

// viewReturnVersions shows members of an organization everything but which official
// has decided.
func (a *api) viewReturnVersions(in *input, r *directory.Return) []returnVersion {
	official := directory.MayReadReturns(&in.caller, statisticians, directory.Scope{Bureau: r.Bureau, Region: r.Region}, a.Regions)
	views := make([]returnVersion, len(r.Versions))
	for i, v := range r.Versions {
		if v.Explanations == nil {
			v.Explanations = map[string]string{}
		}
		views[i] = returnVersion{
			viewReturnState(v.State, in.lang), v.Values, v.Explanations, v.Evidence, v.Reason, unlessEmpty(v.SubmittedBy), v.SubmittedAt, nil,
		}
		if d := v.Decision; d != nil {
			views[i].Decision = &returnDecision{At: d.At, Reason: d.Reason}
			if official {
				views[i].Decision.By = unlessEmpty(d.By)
			}
		}
	}
	return views
}

// returnTag is the ETag of a return, for If-Match: how much has happened to it.
func returnTag(r *directory.Return) string { return `"r` + strconv.Itoa(r.Steps()) + `"` }

// sendReturn answers with a return; one that was only tried has no tag.
func (a *api) sendReturn(c *fiber.Ctx, in *input, r directory.Return) error {
	items, err := a.viewReturnItems(c.UserContext(), in, []directory.Return{r})
	if err != nil {
		return err
	}
	before, err := a.Statistics.FiguresBefore(c.UserContext(), r.ReturnKey)
	if err != nil {
		return err
	}
	v := returnView{returnItem: items[0], Deadline: directory.ReturnDeadline(r.Month, a.Calendar).UTC(), Before: before, Versions: a.viewReturnVersions(in, &r)}
	if approved := r.Approved(); approved != nil {
		v.Approved = approved.Values
	}
	if dry := in.boolean("dry_run"); dry == nil || !*dry {
		c.Set(fiber.HeaderETag, returnTag(&r))
	}
	return sendSecret(c, v)
}

// month reads a parameter that is a month, 0 when it was not given.
func (in *input) month(name string) directory.Month {
	text := in.text(name)
	m, ok := directory.ParseMonth(text)
	if text != "" && !ok {
		in.refuse(name, directory.CodeFormat, in.find(name).form())
	}
	return m
}

// returnKey reads which return a request is about.
func (in *input) returnKey() directory.ReturnKey {
	return directory.ReturnKey{Form: in.text("form"), Month: in.month("month"), Subject: in.text("subject")}
}

// returnOf returns the return that a request is about to somebody who may see it.
// Others are not told whether there is one.
func (a *api) returnOf(c *fiber.Ctx, in *input) (directory.Return, error) {
	key := in.returnKey()
	if err := in.err(); err != nil {
		return directory.Return{}, err
	}
	r, err := a.Statistics.Return(c.UserContext(), in.caller, in.permission, key)
	if directory.KindOf(err) == directory.NotFound {
		err = in.hide(a, c, "return")
	}
	return r, err
}

func (a *api) getReturn(c *fiber.Ctx, in *input) error {
	r, err := a.returnOf(c, in)
	if err != nil {
		return err
	}
	return a.sendReturn(c, in, r)
}

func (a *api) saveReturn(c *fiber.Ctx, in *input) error {
	key := in.returnKey()
	content, ok := draft[directory.ReturnContent](in)
	if !ok || slices.ContainsFunc(in.wrong, func(f directory.FieldError) bool { return f.Parameter != "" }) {
		return in.err() // without who and what, no more can be said about the content
	}
	for _, f := range in.wrong {
		delete(content.Values, strings.TrimPrefix(f.Pointer, "/values/"))
	}
	wouldBe, err := a.Statistics.TryReturn(c.UserContext(), in.caller, in.permission, key, content)
	if directory.KindOf(err) == directory.NotFound {
		return in.hide(a, c, "return")
	}
	if err := in.refuseBy(err); err != nil {
		return err
	}
	if err := in.err(); err != nil {
		return err
	}
	if dry := in.boolean("dry_run"); dry != nil && *dry {
		return a.sendReturn(c, in, wouldBe)
	}
	seen, err := a.seenReturn(c, in, key)
	if err != nil {
		return err
	}
	r, created, err := a.Statistics.SaveReturn(c.UserContext(), in.caller, in.permission, key, content, seen)
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return a.sendReturn(c, in, r)
}

// seenReturn returns how many steps the return has taken that the caller has seen. To
// make a new one they say that they have seen none (If-None-Match: *).
func (a *api) seenReturn(c *fiber.Ctx, in *input, key directory.ReturnKey) (int, error) {
	doc, err := a.Store.Returns.Get(c.UserContext(), key.ID())
	none := directory.KindOf(err) == directory.NotFound
	ifNone := c.Get(fiber.HeaderIfNoneMatch) == "*"
	switch {
	case err != nil && !none:
		return 0, err
	case none && ifNone && in.header(fiber.HeaderIfMatch) == "":
		return 0, nil
	case none && in.header(fiber.HeaderIfMatch) == "":
		return 0, fiber.ErrPreconditionRequired
	case none || ifNone:
		return 0, &directory.Error{Kind: directory.Precondition}
	}
	return doc.Value.Steps(), requireMatch(in, returnTag(&doc.Value))
}

// decideReturn decides about the version that the official has seen.
func (a *api) decideReturn(c *fiber.Ctx, in *input, outcome directory.ReturnState, reason string) error {
	r, err := a.returnOf(c, in)
	if err == nil {
		err = requireMatch(in, returnTag(&r))
	}
	if err != nil {
		return err
	}
	if r, err = a.Statistics.DecideReturn(c.UserContext(), in.caller, in.permission, r.ReturnKey, outcome, reason, r.Steps(), in.client); err != nil {
		return err
	}
	return a.sendReturn(c, in, r)
}

func (a *api) approveReturn(c *fiber.Ctx, in *input) error {
	return a.decideReturn(c, in, directory.ReturnApproved, "")
}

func (a *api) sendBackReturn(c *fiber.Ctx, in *input) error {
	b, _ := draft[struct{ Reason string }](in)
	return a.decideReturn(c, in, directory.ReturnReturned, b.Reason)
}

// sendReturns answers with a page of returns.
func (a *api) sendReturns(c *fiber.Ctx, in *input, docs []store.Doc[directory.Return], hash uint64, next *store.Position) error {
	items, err := a.viewReturnItems(c.UserContext(), in, store.Values(docs))
	if err != nil {
		return err
	}
	cursor, err := nextCursor(hash, next)
	if err != nil {
		return err
	}
	return sendPrivate(c, struct {
		Items []returnItem `json:"items"`
		Next  *string      `json:"next_cursor"`
	}{items, cursor})
}

func (a *api) listReturns(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	f := statistics.ReturnFilter{Month: in.month("month"), Region: in.region(a.Regions, "region"), State: directory.ReturnState(in.text("state"))}
	if err := in.err(); err != nil {
		return err
	}
	form, err := directory.ReturnFormOf(in.text("form"))
	if err != nil {
		return err
	}
	docs, next, err := a.Statistics.Returns(c.UserContext(), in.caller, in.permission, form, f, in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendReturns(c, in, docs, hash, next)
}

func (a *api) listOrganizationReturns(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	o, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	docs, next, err := a.Statistics.ReturnsOf(c.UserContext(), o.ID, directory.ReturnState(in.text("state")), in.integer("limit"), after)
	if err != nil {
		return err
	}
	return a.sendReturns(c, in, docs, hash, next)
}

// missingReturn is somebody who has not reported.
type missingReturn struct {
	Subject      nameView         `json:"subject"`
	Organization *complaintFirm   `json:"organization"`
	Region       search.RegionRef `json:"region"`
	Returned     bool             `json:"returned"`
}

func (a *api) listMissingReturns(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	region, month, last := in.region(a.Regions, "region"), in.month("month"), a.Statistics.LastMonth()
	if month == 0 {
		month = last
	}
	if month > last {
		in.refuse("month", directory.CodeTooLarge, last.String())
	}
	if err := in.err(); err != nil {
		return err
	}
	form, err := directory.ReturnFormOf(in.text("form"))
	if err != nil {
		return err
	}
	found, err := a.Statistics.MissingReturns(c.UserContext(), in.caller, in.permission, form, month, region)
	if err != nil {
		return err
	}
	page, next := pageOfMissing(found.Missing, in.integer("limit"), after)
	items, err := a.viewMissing(c.UserContext(), in, page)
	if err != nil {
		return err
	}
	cursor, err := nextCursor(hash, next)
	if err != nil {
		return err
	}
	return sendPrivate(c, struct {
		Form      search.TermRef  `json:"form"`
		Month     directory.Month `json:"month"`
		Deadline  time.Time       `json:"deadline"`
		Past      bool            `json:"past_deadline"`
		Expected  int             `json:"expected"`
		Submitted int             `json:"submitted"`
		Approved  int             `json:"approved"`
		Late      int             `json:"late"`
		Missing   int             `json:"missing"`
		Items     []missingReturn `json:"items"`
		Next      *string         `json:"next_cursor"`
	}{
		search.NewTermRef(form.Term, in.lang), month, found.Deadline, !a.Now().Before(found.Deadline),
		found.Expected, found.Submitted, found.Approved, found.Late, len(found.Missing), items, cursor,
	})
}

// pageOfMissing cuts a page out of those who are missing, in the order of subjects.
func pageOfMissing(all []statistics.MissingReturn, limit int, after *store.Position) ([]statistics.MissingReturn, *store.Position) {
	if after != nil {
		all = slices.DeleteFunc(all, func(m statistics.MissingReturn) bool { return m.Subject <= after.ID })
	}
	if len(all) <= limit {
		return all, nil
	}
	return all[:limit], &store.Position{ID: all[limit-1].Subject}
}

func (a *api) viewMissing(ctx context.Context, in *input, list []statistics.MissingReturn) ([]missingReturn, error) {
	subjects, organizations := make([]string, len(list)), make([]string, len(list))
	for i := range list {
		subjects[i], organizations[i] = list[i].Subject, list[i].Organization
	}
	names, err := a.reporterNames(ctx, in.lang, subjects, organizations)
	views := make([]missingReturn, len(list))
	for i, m := range list {
		views[i] = missingReturn{names.subject(m.Subject), names.organization(m.Organization), search.NewRegionRef(a.Regions, m.Region, in.lang), m.Returned}
	}
	return views, err
}
