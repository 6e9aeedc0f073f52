package handlers

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/store"
)

// proposalView is a proposal in an answer to those who may see it.
type proposalView struct {
	ID           string                  `json:"id"`
	Organization string                  `json:"organization"`
	State        directory.ProposalState `json:"state"`
	Content      contentView             `json:"content"`
	// Errors is everything for which it could not be submitted now.
	Errors       []directory.FieldError `json:"errors"`
	Completeness completenessView       `json:"completeness"`
	Base         int64                  `json:"base"`
	SavedAt      time.Time              `json:"saved_at"`
	SubmittedAt  *time.Time             `json:"submitted_at"`
	Duplicates   []duplicateView        `json:"duplicates"`
	Decision     *decisionView          `json:"decision"`
	ReviewUntil  *time.Time             `json:"review_until"`
}

// contentView is what an organization writes of a listing.
type contentView struct {
	Kind        directory.Kind             `json:"kind"`
	Names       directory.Names            `json:"names"`
	Aliases     []string                   `json:"aliases,omitempty"`
	Summary     string                     `json:"summary,omitempty"`
	Description string                     `json:"description,omitempty"`
	Region      string                     `json:"region,omitempty"`
	Address     string                     `json:"address,omitempty"`
	Location    *directory.Point           `json:"location,omitempty"`
	Phone       string                     `json:"phone,omitempty"`
	Hours       *directory.Hours           `json:"hours,omitempty"`
	Categories  []string                   `json:"categories,omitempty"`
	Offerings   []directory.Offering       `json:"offerings,omitempty"`
	Features    []string                   `json:"features,omitempty"`
	Photos      []directory.Photo          `json:"photos,omitempty"`
	ExternalID  string                     `json:"external_id,omitempty"`
	Brand       *directory.Brand           `json:"brand,omitempty"`
	ElderCare   *directory.ElderCare       `json:"elder_care,omitempty"`
	Childcare   *directory.Childcare       `json:"childcare,omitempty"`
	Domestic    *directory.DomesticService `json:"domestic_service,omitempty"`
	Street      *directory.Street          `json:"pedestrian_street,omitempty"`
}

func viewContent(l *directory.Listing) contentView {
	return contentView{
		l.Kind, l.Names, l.Aliases, l.Summary, l.Description, l.Region, l.Address, l.Location, l.Phone, l.Hours, l.Categories,
		l.Offerings, l.Features, l.Photos, l.ExternalID, l.Brand, l.ElderCare, l.Childcare, l.DomesticService, l.Street,
	}
}

// listing is the listing of which an organization wrote v.
func (v contentView) listing() directory.Listing {
	return directory.Listing{
		Kind: v.Kind, Names: v.Names, Aliases: v.Aliases, Summary: v.Summary, Description: v.Description, Region: v.Region,
		Address: v.Address, Location: v.Location, Phone: v.Phone, Hours: v.Hours, Categories: v.Categories, Offerings: v.Offerings,
		Features: v.Features, Photos: v.Photos, ExternalID: v.ExternalID, Brand: v.Brand, ElderCare: v.ElderCare,
		Childcare: v.Childcare, DomesticService: v.Domestic, Street: v.Street,
	}
}

type completenessView struct {
	Score   int      `json:"score"`
	Missing []string `json:"missing"`
}

type duplicateView struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Score float64  `json:"score"`
	Why   []string `json:"why"`
}

type decisionView struct {
	Outcome directory.ProposalState `json:"outcome"`
	Reasons []search.TermRef        `json:"reasons"`
	Text    string                  `json:"text"`
	At      time.Time               `json:"at"`
}

func (a *api) viewProposal(c *fiber.Ctx, in *input, p *directory.Proposal) (proposalView, error) {
	complete := p.Content.Completeness()
	v := proposalView{
		ID: p.ID, Organization: p.Organization, State: p.State, Content: viewContent(&p.Content), Errors: []directory.FieldError{},
		Completeness: completenessView{complete.Score, complete.Missing}, Base: p.Base,
		SavedAt: p.SavedAt, SubmittedAt: p.SubmittedAt, Duplicates: []duplicateView{}, ReviewUntil: p.ReviewUntil,
	}
	if wrong, ok := p.Content.Validate(a.Regions).(*directory.Error); ok {
		v.Errors = explainFields(wrong.Fields, messageLanguage(c))
	}
	ids := make([]string, len(p.Duplicates))
	for i, d := range p.Duplicates {
		ids[i] = d.Listing
	}
	listings, err := a.Store.Listings.ByID(c.UserContext(), ids...)
	if err != nil {
		return v, err
	}
	for _, d := range p.Duplicates {
		name := ""
		if l := listings[d.Listing]; l != nil {
			name = l.Names.In(in.lang)
		}
		v.Duplicates = append(v.Duplicates, duplicateView{d.Listing, name, d.Score, d.Why})
	}
	if d := p.Decision; d != nil {
		v.Decision = &decisionView{d.Outcome, search.NewTermRefs(d.Reasons, in.lang, directory.ReasonTerm), d.Text, d.At}
	}
	return v, nil
}

// proposalTag is the ETag of a proposal, for If-Match. A proposal that is not
// stored yet has version 0.
func proposalTag(version int64) string { return `"p` + strconv.FormatInt(version, 10) + `"` }

func (a *api) sendProposal(c *fiber.Ctx, in *input, doc store.Doc[directory.Proposal]) error {
	v, err := a.viewProposal(c, in, &doc.Value)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, proposalTag(doc.Version))
	return sendSecret(c, v)
}

func (a *api) createProposal(c *fiber.Ctx, in *input) error {
	organization, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	doc, err := a.Registry.Propose(c.UserContext(), in.caller, organization, body[contentView](in).listing())
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return a.sendProposal(c, in, doc)
}

// ownListing is a listing of an organization with what is under way.
type ownListing struct {
	ID           string                   `json:"id"`
	Name         string                   `json:"name"`
	Kind         directory.Kind           `json:"kind"`
	ExternalID   string                   `json:"external_id"`
	Status       *directory.Status        `json:"status"`   // null before it was first published
	Proposal     *directory.ProposalState `json:"proposal"` // null where nothing is under way
	Completeness int                      `json:"completeness"`
	ReviewDueAt  *time.Time               `json:"review_due_at"`
	Stale        bool                     `json:"stale"`
}

// listOwnListings goes by the proposals: every listing of an organization began
// as one.
func (a *api) listOwnListings(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	own := store.Query{
		Where: []store.Condition{store.Equal("organization", in.text("id"))},
		Desc:  true, Limit: in.integer("limit"), After: in.readPosition(hash),
	}
	if state := in.text("state"); state != "" {
		own.Where = append(own.Where, store.Equal("state", state))
	}
	if err := in.err(); err != nil {
		return err
	}
	if err := in.covers(a, directory.Scope{Organization: in.text("id")}); err != nil {
		return err
	}
	proposals, next, err := a.Store.Proposals.Find(c.UserContext(), own)
	if err != nil {
		return err
	}
	ids := make([]string, len(proposals))
	for i := range proposals {
		ids[i] = proposals[i].Value.ID
	}
	listings, err := a.Store.Listings.ByID(c.UserContext(), ids...)
	if err != nil {
		return err
	}
	items := make([]ownListing, len(proposals))
	for i := range proposals {
		p := &proposals[i].Value
		l := &p.Content
		v := ownListing{ID: p.ID}
		if p.State != directory.ProposalPublished {
			v.Proposal = &p.State
		}
		if public := listings[p.ID]; public != nil {
			l = public
			v.Status, v.ReviewDueAt, v.Stale = &l.Status, l.ReviewDueAt, l.Stale
		}
		v.Name, v.Kind, v.ExternalID, v.Completeness = l.Names.In(in.lang), l.Kind, l.ExternalID, l.Completeness().Score
		items[i] = v
	}
	return sendList(c, items, hash, next)
}

// proposalOf returns the proposal that a request is about, when the caller may
// see it.
func (a *api) proposalOf(c *fiber.Ctx, in *input) (store.Doc[directory.Proposal], error) {
	doc, err := a.Registry.Proposal(c.UserContext(), in.text("id"))
	if err != nil {
		return doc, err
	}
	scope := doc.Value.Content.Scope()
	scope.Organization = doc.Value.Organization
	if in.covers(a, scope) != nil {
		return doc, in.hide(a, c, "listing") // others need not learn what is under way
	}
	return doc, nil
}

func (a *api) getProposal(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.proposalOf(c, in)
	if err != nil {
		return err
	}
	return a.sendProposal(c, in, doc)
}

// matchedProposal is proposalOf for a change by If-Match.
func (a *api) matchedProposal(c *fiber.Ctx, in *input) (store.Doc[directory.Proposal], error) {
	if err := in.err(); err != nil {
		return store.Doc[directory.Proposal]{}, err
	}
	doc, err := a.proposalOf(c, in)
	if err == nil {
		err = requireMatch(in, proposalTag(doc.Version))
	}
	return doc, err
}

func (a *api) saveProposal(c *fiber.Ctx, in *input) error {
	doc, err := a.matchedProposal(c, in)
	if err != nil {
		return err
	}
	if doc, err = a.Registry.Save(c.UserContext(), in.caller, doc, body[contentView](in).listing()); err != nil {
		return err
	}
	return a.sendProposal(c, in, doc)
}

func (a *api) submitProposal(c *fiber.Ctx, in *input) error {
	doc, err := a.matchedProposal(c, in)
	if err != nil {
		return err
	}
	if doc, err = a.Registry.Submit(c.UserContext(), in.caller, doc); err != nil {
		return err
	}
	return a.sendProposal(c, in, doc)
}

func (a *api) withdrawProposal(c *fiber.Ctx, in *input) error {
	doc, err := a.matchedProposal(c, in)
	if err != nil {
		return err
	}
	if doc, err = a.Registry.Withdraw(c.UserContext(), doc); err != nil {
		return err
	}
	return a.sendProposal(c, in, doc)
}

// listingOf returns the listing that a request is about, when it is within the
// caller's scope.
func (a *api) listingOf(c *fiber.Ctx, in *input) (directory.Listing, error) {
	if err := in.err(); err != nil {
		return directory.Listing{}, err
	}
	doc, err := a.Store.Listings.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return doc.Value, err
	}
	if err := in.covers(a, doc.Value.Scope()); err != nil {
		if doc.Value.Status != directory.Published {
			return doc.Value, in.hide(a, c, "listing")
		}
		return doc.Value, err
	}
	return doc.Value, nil
}

// sendOwn answers with a listing as its organization and the officials see it.
func (a *api) sendOwn(c *fiber.Ctx, in *input, l directory.Listing) error {
	complete := l.Completeness()
	return sendSecret(c, struct {
		ID           string           `json:"id"`
		Status       directory.Status `json:"status"`
		Revision     int64            `json:"revision"`
		Content      contentView      `json:"content"`
		Completeness completenessView `json:"completeness"`
		VerifiedAt   *time.Time       `json:"verified_at"`
		ReviewDueAt  *time.Time       `json:"review_due_at"`
		Stale        bool             `json:"stale"`
		UpdatedAt    time.Time        `json:"updated_at"`
	}{l.ID, l.Status, l.Revision, viewContent(&l), completenessView{complete.Score, complete.Missing}, l.VerifiedAt, l.ReviewDueAt, l.Stale, l.UpdatedAt})
}

func (a *api) updateListing(c *fiber.Ctx, in *input) error {
	l, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	b := body[struct {
		Hours     *directory.Hours
		Phone     *string
		Offerings *[]directory.Offering
	}](in)
	if l, err = a.Registry.ChangeDirectly(c.UserContext(), in.caller, l.ID, registry.SmallChange{Hours: b.Hours, Phone: b.Phone, Offerings: b.Offerings}); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}

func (a *api) updateVacancies(c *fiber.Ctx, in *input) error {
	l, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	b := body[struct {
		BedsOccupied *int `json:"beds_occupied"`
		DayPlaces    *int `json:"day_places"`
		Classes      *[]directory.ChildcareClass
	}](in)
	if l, err = a.Registry.ChangeDirectly(c.UserContext(), in.caller, l.ID, registry.SmallChange{BedsOccupied: b.BedsOccupied, DayPlaces: b.DayPlaces, Classes: b.Classes}); err != nil {
		return atTop(err, "/elder_care", "/childcare")
	}
	return a.sendOwn(c, in, l)
}

// atTop points to the members of a body that stand within parts of the listing.
func atTop(err error, parts ...string) error {
	invalid, ok := errors.AsType[*directory.Error](err)
	if !ok || invalid.Kind != directory.Invalid {
		return err
	}
	out := *invalid
	out.Fields = slices.Clone(invalid.Fields)
	for i := range out.Fields {
		for _, part := range parts {
			if rest, within := strings.CutPrefix(out.Fields[i].Pointer, part+"/"); within {
				out.Fields[i].Pointer = "/" + rest
			}
		}
	}
	return &out
}

func (a *api) confirmListing(c *fiber.Ctx, in *input) error {
	l, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	if l, err = a.Registry.Confirm(c.UserContext(), in.caller, l.ID); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}

func (a *api) archiveListing(c *fiber.Ctx, in *input) error {
	l, err := a.listingOf(c, in)
	if err != nil {
		return err
	}
	if l, err = a.Registry.Archive(c.UserContext(), in.caller, l.ID); err != nil {
		return err
	}
	return a.sendOwn(c, in, l)
}
