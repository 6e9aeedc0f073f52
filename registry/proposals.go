package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"reflect"
	"slices"

	"qingfu/directory"
	"qingfu/store"
)

// Propose begins a new listing of an organization. The content may be unfinished.
func (r *Registry) Propose(ctx context.Context, caller directory.Caller, organization directory.Organization, content directory.Listing) (store.Doc[directory.Proposal], error) {
	id, err := r.newID()
	if err != nil {
		return store.Doc[directory.Proposal]{}, err
	}
	now := r.now()
	p := directory.Proposal{ID: id, Organization: organization.ID, State: directory.ProposalEditing, SavedBy: caller.Account, SavedAt: now, CreatedAt: now}
	p.Content = r.fill(content, directory.Listing{
		ID: id, Kind: content.Kind, Organization: organization.LegalName, OrganizationID: organization.ID, Demo: organization.Demo,
		Provenance: directory.Provenance{Origin: directory.Registered}, CreatedAt: now,
	})
	defer r.lock(organization.ID)()
	if err := r.checkExternalID(ctx, p); err != nil {
		return store.Doc[directory.Proposal]{}, err
	}
	if err := r.checkPhotos(ctx, p.Organization, &p.Content); err != nil {
		return store.Doc[directory.Proposal]{}, err
	}
	return r.Store.Proposals.Insert(ctx, p)
}

// fill puts what an organization writes into a listing whose other fields are not
// the organization's to write.
func (r *Registry) fill(content, fixed directory.Listing) directory.Listing {
	l := content
	l.ID, l.Kind, l.Organization, l.OrganizationID, l.Demo = fixed.ID, fixed.Kind, fixed.Organization, fixed.OrganizationID, fixed.Demo
	l.Provenance, l.CreatedAt, l.UpdatedAt = fixed.Provenance, fixed.CreatedAt, r.now()
	l.Status, l.Revision, l.MergedInto = directory.Published, fixed.Revision, fixed.MergedInto
	l.VerifiedAt, l.ReviewDueAt, l.Stale, l.Satisfaction = fixed.VerifiedAt, fixed.ReviewDueAt, false, directory.Satisfaction{}
	return l
}

// checkExternalID refuses an id that another listing of the organization has.
func (r *Registry) checkExternalID(ctx context.Context, p directory.Proposal) error {
	if p.Content.ExternalID == "" {
		return nil
	}
	same := []store.Condition{store.Equal("organization", p.Organization), store.Equal("external", p.Content.ExternalID)}
	listings, err := r.Store.Listings.All(ctx, store.Where(same...))
	if err != nil {
		return err
	}
	proposals, err := r.Store.Proposals.All(ctx, store.Where(same...))
	if err != nil {
		return err
	}
	taken := false
	for _, d := range listings {
		taken = taken || d.Value.ID != p.ID
	}
	for _, d := range proposals {
		taken = taken || d.Value.ID != p.ID
	}
	if !taken {
		return nil
	}
	return directory.WrongField("proposal", "/external_id", directory.CodeDuplicate, "")
}

// Proposal returns the proposal of a listing: the one that is stored, or, for a
// listing that has none under way, one of what is public, which has version 0. It
// returns NotFound when there is no such listing.
func (r *Registry) Proposal(ctx context.Context, id string) (store.Doc[directory.Proposal], error) {
	doc, err := r.Store.Proposals.Get(ctx, id)
	if err == nil && doc.Value.State != directory.ProposalPublished || err != nil && directory.KindOf(err) != directory.NotFound {
		return doc, err
	}
	version := doc.Version
	listing, err := r.Store.Listings.Get(ctx, id)
	if err != nil {
		return doc, err
	}
	l := listing.Value
	fresh := directory.Proposal{
		ID: id, Organization: l.OrganizationID, State: directory.ProposalEditing, Base: l.Revision, Content: l,
		SavedAt: l.UpdatedAt, CreatedAt: r.now(), Decision: doc.Value.Decision,
	}
	return store.Doc[directory.Proposal]{Version: version, Value: fresh}, nil
}

// Save stores what an organization wants a listing to become, in the version of
// the proposal that it saw. A proposal that was submitted has to be withdrawn
// first: Conflict. It returns Precondition when another version is stored.
func (r *Registry) Save(ctx context.Context, caller directory.Caller, seen store.Doc[directory.Proposal], content directory.Listing) (store.Doc[directory.Proposal], error) {
	p := seen.Value
	if p.State == directory.ProposalSubmitted || p.State == directory.ProposalApproved {
		return seen, &directory.Error{Kind: directory.Conflict, What: "submitted"}
	}
	if content.Kind != p.Content.Kind {
		return seen, directory.WrongField("proposal", "/kind", directory.CodeValue, string(p.Content.Kind))
	}
	if err := r.editable(ctx, &p); err != nil {
		return seen, err
	}
	p.Content = r.fill(content, p.Content)
	p.State, p.SavedBy, p.SavedAt = directory.ProposalEditing, caller.Account, r.now()
	defer r.lock(p.Organization)()
	if err := r.checkExternalID(ctx, p); err != nil {
		return seen, err
	}
	if err := r.checkPhotos(ctx, p.Organization, &p.Content); err != nil {
		return seen, err
	}
	return r.put(ctx, seen.Version, p)
}

// editable returns Conflict for a proposal of a listing that is archived, and
// brings along what is not the organization's to write: its legal name.
func (r *Registry) editable(ctx context.Context, p *directory.Proposal) error {
	listing, err := r.Store.Listings.Get(ctx, p.ID)
	if err == nil && listing.Value.Status == directory.Archived {
		return &directory.Error{Kind: directory.Conflict, What: "archived"}
	}
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return err
	}
	p.Region = listing.Value.Region // "" for a new one
	organization, err := r.Store.Organizations.Get(ctx, p.Organization)
	if err == nil {
		p.Content.Organization = organization.Value.LegalName
	} else if directory.KindOf(err) == directory.NotFound {
		err = nil
	}
	return err
}

// lock makes changes of one organization's listings wait for each other within
// this process, as [Registry.change] does for one listing. What it returns
// releases the lock.
func (r *Registry) lock(id string) (release func()) {
	lock := &r.changing[crc32.ChecksumIEEE([]byte(id))%uint32(len(r.changing))]
	lock.Lock()
	return lock.Unlock
}

// put stores a proposal in the place of a version, 0 for none.
func (r *Registry) put(ctx context.Context, version int64, p directory.Proposal) (doc store.Doc[directory.Proposal], err error) {
	if version == 0 {
		doc, err = r.Store.Proposals.Insert(ctx, p)
	} else {
		doc, err = r.Store.Proposals.Replace(ctx, version, p)
	}
	if directory.KindOf(err) == directory.Conflict {
		err = &directory.Error{Kind: directory.Precondition, What: "proposal", Cause: err}
	}
	return doc, err
}

// Submit hands a proposal to the officials. It returns Invalid with everything
// that is wrong with it, Conflict when it is with them already or the
// organization was refused, and Precondition.
func (r *Registry) Submit(ctx context.Context, caller directory.Caller, seen store.Doc[directory.Proposal]) (store.Doc[directory.Proposal], error) {
	p := seen.Value
	if p.State == directory.ProposalSubmitted || p.State == directory.ProposalApproved {
		return seen, &directory.Error{Kind: directory.Conflict, What: "submitted"}
	}
	organization, err := r.Store.Organizations.Get(ctx, p.Organization)
	if err != nil {
		return seen, err
	}
	if organization.Value.State == directory.OrganizationRefused {
		return seen, &directory.Error{Kind: directory.Conflict, What: "organization_refused"}
	}
	if err := r.editable(ctx, &p); err != nil {
		return seen, err
	}
	p.Content.UpdatedAt = r.now()
	if err := p.Content.Validate(r.Regions); err != nil {
		return seen, err
	}
	if p.Duplicates, err = r.duplicates(ctx, &p.Content); err != nil {
		return seen, err
	}
	now := r.now()
	p.State, p.SubmittedBy, p.SubmittedAt = directory.ProposalSubmitted, caller.Account, &now
	p.Reviewer, p.ReviewUntil = "", nil
	return r.put(ctx, seen.Version, p)
}

// Withdraw takes a proposal back from the officials. It returns Conflict when it
// is not with them, or decided, and Precondition.
func (r *Registry) Withdraw(ctx context.Context, seen store.Doc[directory.Proposal]) (store.Doc[directory.Proposal], error) {
	p := seen.Value
	if p.State != directory.ProposalSubmitted {
		return seen, &directory.Error{Kind: directory.Conflict, What: "not_submitted"}
	}
	p.State, p.SubmittedBy, p.SubmittedAt, p.Reviewer, p.ReviewUntil = directory.ProposalEditing, "", nil, "", nil
	return r.put(ctx, seen.Version, p)
}

// SmallChange is what a member may change of a public listing without asking.
// Members that are nil stay.
type SmallChange struct {
	Hours     *directory.Hours // also to close for a time: an exception without intervals
	Phone     *string
	Offerings *[]directory.Offering // with other prices, else as they are

	BedsOccupied *int
	DayPlaces    *int
	Classes      *[]directory.ChildcareClass // with other vacancies, else as they are
}

// ChangeDirectly publishes a small change at once. It returns Invalid for one
// that is not small or makes the listing wrong, and Conflict for a listing that
// is not public.
func (r *Registry) ChangeDirectly(ctx context.Context, caller directory.Caller, id string, c SmallChange) (directory.Listing, error) {
	rev := directory.Revision{Via: directory.ViaDirect, By: caller.Account}
	return r.change(ctx, id, rev, func(l *directory.Listing) error {
		if l.Status != directory.Published {
			return &directory.Error{Kind: directory.Conflict, What: "not_public"}
		}
		if wrong := c.apply(l); len(wrong) > 0 {
			return directory.InvalidFields("listing", wrong)
		}
		l.UpdatedAt = r.now()
		return l.Validate(r.Regions)
	})
}

// apply alters a listing and returns what is not a small change.
func (c SmallChange) apply(l *directory.Listing) (wrong []directory.FieldError) {
	refuse := func(pointer, code, limit string) {
		wrong = append(wrong, directory.FieldError{Pointer: pointer, Code: code, Limit: limit})
	}
	if c.Hours != nil {
		for i, e := range c.Hours.Exceptions { // a note is a text, and texts are looked at first
			if e.Note != "" && (l.Hours == nil || !slices.ContainsFunc(l.Hours.Exceptions, func(old directory.HoursException) bool { return old.Note == e.Note })) {
				refuse(fmt.Sprintf("/hours/exceptions/%d/note", i), directory.CodeMismatch, "proposal")
			}
		}
		l.Hours = c.Hours
	}
	if c.Phone != nil {
		l.Phone = *c.Phone
	}
	if c.Offerings != nil {
		same := len(*c.Offerings) == len(l.Offerings)
		for i := 0; same && i < len(l.Offerings); i++ {
			a, b := l.Offerings[i], (*c.Offerings)[i]
			same = a.Name == b.Name && a.Category == b.Category && a.Unit == b.Unit
		}
		if !same {
			refuse("/offerings", directory.CodeMismatch, "proposal")
		} else {
			l.Offerings = *c.Offerings
		}
	}
	if c.BedsOccupied != nil || c.DayPlaces != nil {
		if l.ElderCare == nil {
			refuse("/beds_occupied", directory.CodeMismatch, "/kind")
		} else {
			e := *l.ElderCare
			if c.BedsOccupied != nil {
				e.BedsOccupied = c.BedsOccupied
			}
			if c.DayPlaces != nil {
				e.DayPlaces = c.DayPlaces
			}
			l.ElderCare = &e
		}
	}
	if c.Classes != nil {
		same := l.Childcare != nil && len(*c.Classes) == len(l.Childcare.Classes)
		for i := 0; same && i < len(*c.Classes); i++ {
			a, b := l.Childcare.Classes[i], (*c.Classes)[i]
			same = a.Group == b.Group && a.Capacity == b.Capacity
		}
		if !same {
			refuse("/classes", directory.CodeMismatch, "proposal")
		} else {
			n := *l.Childcare
			n.Classes = *c.Classes
			l.Childcare = &n
		}
	}
	return wrong
}

// Confirm notes that the facts of a listing are right as of now, which also
// brings back one that has expired. It returns Conflict for a listing that is
// suspended or archived.
func (r *Registry) Confirm(ctx context.Context, caller directory.Caller, id string) (directory.Listing, error) {
	return r.change(ctx, id, directory.Revision{Via: directory.ViaStatus, By: caller.Account, Note: "confirmed"}, func(l *directory.Listing) error {
		if l.Status != directory.Published && l.Status != directory.Expired {
			return &directory.Error{Kind: directory.Conflict, What: "not_public"}
		}
		l.Status = directory.Published
		l.Confirm(r.now())
		return nil
	})
}

// Archive takes a listing out of the directory for good, by its organization.
func (r *Registry) Archive(ctx context.Context, caller directory.Caller, id string) (directory.Listing, error) {
	return r.setStatus(ctx, caller, id, directory.Archived, "")
}

func (r *Registry) setStatus(ctx context.Context, caller directory.Caller, id string, status directory.Status, note string) (directory.Listing, error) {
	return r.change(ctx, id, directory.Revision{Via: directory.ViaStatus, By: caller.Account, Note: note}, func(l *directory.Listing) error {
		if l.ID == "" {
			return directory.Missing("listing")
		}
		if status == directory.Archived && l.Status == directory.Suspended {
			return &directory.Error{Kind: directory.Conflict, What: "suspended"}
		}
		if l.Status == status || l.Status == directory.Archived {
			return &directory.Error{Kind: directory.Conflict, What: "not_public"}
		}
		l.Status = status
		return nil
	})
}

// merge returns what a proposal makes of a listing that has changed since: what
// the proposal leaves as it was in its base stays as it has become, down to the
// members of objects.
func merge(base, proposed, current *directory.Listing) (out directory.Listing, err error) {
	var values [3]any
	for i, l := range []*directory.Listing{base, proposed, current} {
		if values[i], err = asJSON(l); err != nil {
			return out, err
		}
	}
	text, err := json.Marshal(mergeValues(values[0], values[1], values[2]))
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out, err
}

func mergeValues(base, proposed, current any) any {
	p, proposedOK := proposed.(map[string]any)
	c, currentOK := current.(map[string]any)
	b, _ := base.(map[string]any)
	if !proposedOK || !currentOK {
		if reflect.DeepEqual(base, proposed) {
			return current
		}
		return proposed
	}
	merged := map[string]any{}
	for name, wanted := range p {
		merged[name] = mergeValues(b[name], wanted, c[name])
	}
	for name, now := range c {
		if _, ok := p[name]; !ok {
			merged[name] = mergeValues(b[name], nil, now)
		}
	}
	maps.DeleteFunc(merged, func(_ string, v any) bool { return v == nil })
	return merged
}

// asJSON is a value as its JSON reads, with numbers as they are written.
func asJSON(v any) (out any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&out)
	return out, err
}

// Change is a field that a proposal changes.
type Change struct {
	Field         string // JSON pointer of a member of the listing
	Before, After any    // as JSON; nil where there is none
}

// Changes compares a proposal with what is public, field by field.
func Changes(public, proposed *directory.Listing) ([]Change, error) {
	before, err := asJSON(public)
	if err != nil {
		return nil, err
	}
	after, err := asJSON(proposed)
	if err != nil {
		return nil, err
	}
	b, _ := before.(map[string]any)
	a, _ := after.(map[string]any)
	out := []Change{}
	for _, name := range contentFields {
		if !reflect.DeepEqual(b[name], a[name]) {
			out = append(out, Change{"/" + name, b[name], a[name]})
		}
	}
	return out, nil
}

// contentFields are the members of a listing that its organization writes, in
// the order in which they are shown.
var contentFields = []string{
	"names", "aliases", "categories", "summary", "description", "region", "address", "location", "phone", "hours",
	"offerings", "features", "photos", "external_id", "brand", "elder_care", "childcare", "domestic_service", "pedestrian_street",
}
