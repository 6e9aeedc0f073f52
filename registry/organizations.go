package registry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// An organization's document says what it is and what has been decided about it.
// Who belongs to it is in the grants alone. Where one follows from the other, the
// document comes first and notes what is still to be done; settle does it, after
// a crash as well.

// Details is what an organization says about itself, as it was written.
type Details struct {
	CreditCode, LegalName, Region, Address string
	ContactName, ContactPhone              string
	Documents                              []string // photos
}

// organization reads details into an organization. It returns Invalid with every
// wrong field.
func (r *Registry) organization(d Details, o directory.Organization) (directory.Organization, string, error) {
	o.CreditCode, _ = directory.ParseCreditCode(d.CreditCode)
	o.CodeValid = o.CreditCode.Valid()
	o.LegalName, o.Region, o.Address = strings.TrimSpace(d.LegalName), d.Region, strings.TrimSpace(d.Address)
	o.ContactName, o.Documents = strings.TrimSpace(d.ContactName), d.Documents
	phone, _ := directory.ParseContactPhone(d.ContactPhone)
	return o, phone, directory.Together("organization", o.Validate(r.Regions), directory.CheckContactPhone("/contact_phone", d.ContactPhone))
}

// Check returns Invalid with everything that is wrong with details, or nil.
func (r *Registry) Check(d Details) error {
	_, _, err := r.organization(d, directory.Organization{})
	return err
}

// Registration is what became of a registration: an organization, or a claim on
// one that others have registered.
type Registration struct {
	Organization store.Doc[directory.Organization] // zero where there is a claim
	Created      bool                              // false when the caller is a member already
	Claim        *directory.Claim
}

// Register registers an organization, of which the caller becomes the owner. One
// that they belong to already is returned as it is; one that others have
// registered is claimed. It may be called again after a crash or a lost answer.
// It returns Invalid with every wrong field, and Conflict about "claims".
func (r *Registry) Register(ctx context.Context, caller directory.Caller, d Details, from auth.Client) (Registration, error) {
	o, phone, err := r.organization(d, directory.Organization{})
	if err == nil { // photos are an organization's, which is not there yet
		err = r.Photos.Check(ctx, "", directory.DocumentPhoto, "/documents/%d", d.Documents...)
	}
	if err != nil {
		return Registration{}, err
	}
	doc, err := r.Store.Organizations.By(ctx, "credit_code", string(o.CreditCode))
	if err == nil {
		return r.registered(ctx, caller, doc, o, from)
	}
	if directory.KindOf(err) != directory.NotFound {
		return Registration{}, err
	}
	if o.ID, err = r.newID(); err != nil {
		return Registration{}, err
	}
	if o.ContactPhone, err = r.Auth.Keys.Seal(auth.ContactPurpose(o.ID), phone); err != nil {
		return Registration{}, err
	}
	now := r.now()
	o.State, o.CreatedBy, o.CreatedAt, o.UpdatedAt, o.Ownerless = directory.OrganizationPending, caller.Account, now, now, true
	if err := r.note(ctx, caller, &o, "registered", from); err != nil {
		return Registration{}, err
	}
	doc, err = r.Store.Organizations.Insert(ctx, o)
	if directory.KindOf(err) == directory.Conflict { // somebody registers it just now
		return r.Register(ctx, caller, d, from)
	}
	if err == nil {
		doc, err = r.settle(ctx, doc, from)
	}
	return Registration{Organization: doc, Created: true}, err
}

// registered answers the registration of a code that is registered.
func (r *Registry) registered(ctx context.Context, caller directory.Caller, doc store.Doc[directory.Organization], o directory.Organization, from auth.Client) (Registration, error) {
	doc, err := r.settle(ctx, doc, from)
	if err != nil {
		return Registration{}, err
	}
	role, err := r.roleIn(ctx, doc.Value.ID, caller.Account)
	if err != nil {
		return Registration{}, err
	}
	if role != "" {
		return Registration{Organization: doc}, nil
	}
	claim, err := r.claim(ctx, caller, &doc.Value, &o, from)
	return Registration{Claim: &claim}, err
}

// note writes a line about an organization into the audit log.
func (r *Registry) note(ctx context.Context, caller directory.Caller, o *directory.Organization, detail string, from auth.Client) error {
	scope := o.Scope()
	return r.Auth.Record(ctx, directory.AuditEntry{
		Action: directory.AuditOrganization, Actor: caller.Account, Subject: o.ID, Detail: detail,
		Organization: scope.Organization, Bureau: scope.Bureau, Region: scope.Region,
	}, from)
}

// Organization returns an organization after doing what a crash may have left
// undone, or NotFound.
func (r *Registry) Organization(ctx context.Context, id string) (store.Doc[directory.Organization], error) {
	doc, err := r.Store.Organizations.Get(ctx, id)
	if err != nil {
		return doc, err
	}
	return r.settle(ctx, doc, auth.Client{})
}

// ContactPhone returns the phone of an organization as answers may show it.
func (r *Registry) ContactPhone(o *directory.Organization) (string, error) {
	phone, err := r.openPhone(o)
	return directory.MaskContactPhone(phone), err
}

func (r *Registry) openPhone(o *directory.Organization) (string, error) {
	return r.Auth.Keys.Open(auth.ContactPurpose(o.ID), o.ContactPhone)
}

// OrganizationChange is what an owner changes; members that are nil stay.
type OrganizationChange struct {
	CreditCode, LegalName, Region, Address *string
	ContactName, ContactPhone              *string
	Documents                              *[]string
}

// changed returns an organization with a change made, and the fields that differ.
// It returns Invalid with every wrong field.
func (r *Registry) changed(o directory.Organization, change OrganizationChange) (_ directory.Organization, fields []string, err error) {
	phone, err := r.openPhone(&o)
	if err != nil {
		return o, nil, err
	}
	d := Details{
		CreditCode: string(o.CreditCode), LegalName: o.LegalName, Region: o.Region, Address: o.Address,
		ContactName: o.ContactName, ContactPhone: phone, Documents: o.Documents,
	}
	for _, f := range []struct {
		to   *string
		from *string
	}{
		{&d.CreditCode, change.CreditCode}, {&d.LegalName, change.LegalName}, {&d.Region, change.Region}, {&d.Address, change.Address},
		{&d.ContactName, change.ContactName}, {&d.ContactPhone, change.ContactPhone},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if change.Documents != nil {
		d.Documents = *change.Documents
	}
	next, nextPhone, err := r.organization(d, o)
	if err != nil {
		return o, nil, err
	}
	if nextPhone != phone {
		if next.ContactPhone, err = r.Auth.Keys.Seal(auth.ContactPurpose(o.ID), nextPhone); err != nil {
			return o, nil, err
		}
	}
	for _, f := range []struct {
		name string
		same bool
	}{
		{"credit_code", o.CreditCode == next.CreditCode}, {"legal_name", o.LegalName == next.LegalName}, {"region", o.Region == next.Region},
		{"address", o.Address == next.Address}, {"contact_name", o.ContactName == next.ContactName}, {"contact_phone", phone == nextPhone},
		{"documents", slices.Equal(o.Documents, next.Documents)},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return next, fields, nil
}

// CheckChange returns Invalid with everything that is wrong with a change of an
// organization, or nil.
func (r *Registry) CheckChange(o directory.Organization, change OrganizationChange) error {
	_, _, err := r.changed(o, change)
	return err
}

// ChangeOrganization stores what an owner changes of an organization in the version that they
// saw. What an official has looked at is looked at again: a verified organization
// waits for an official when its name, code or region changes, and a refused one
// also when its papers do. It returns Invalid with every wrong field, Conflict
// about "credit_code" when the code is another organization's, and Precondition.
func (r *Registry) ChangeOrganization(ctx context.Context, caller directory.Caller, seen store.Doc[directory.Organization], change OrganizationChange, from auth.Client) (store.Doc[directory.Organization], error) {
	o := seen.Value
	next, fields, err := r.changed(o, change)
	if err == nil && slices.Contains(fields, "documents") {
		err = r.Photos.Check(ctx, o.ID, directory.DocumentPhoto, "/documents/%d", next.Documents...)
	}
	if err != nil || len(fields) == 0 {
		return seen, err
	}
	identity := o.CreditCode != next.CreditCode || o.LegalName != next.LegalName || o.Region != next.Region
	if identity || o.State == directory.OrganizationRefused && slices.Contains(fields, "documents") {
		next.State, next.DecidedBy, next.DecidedAt, next.Reason = directory.OrganizationPending, "", nil, ""
	}
	next.Moved = o.Moved || o.Region != next.Region
	next.UpdatedAt = r.now()
	if err := r.codeTaken(ctx, &next); err != nil {
		return seen, err
	}
	// The officials of the region before have to know, too.
	for _, scope := range []*directory.Organization{&o, &next} {
		if scope == &o && o.Region == next.Region {
			continue
		}
		if err := r.note(ctx, caller, scope, "changed "+strings.Join(fields, " "), from); err != nil {
			return seen, err
		}
	}
	doc, err := r.Store.Organizations.Replace(ctx, seen.Version, next)
	if directory.KindOf(err) == directory.Conflict {
		if taken := r.codeTaken(ctx, &next); taken != nil { // just now
			return seen, taken
		}
		return seen, &directory.Error{Kind: directory.Precondition, What: "organization"}
	}
	if err != nil {
		return seen, err
	}
	return r.settle(ctx, doc, from)
}

// codeTaken returns Conflict when another organization has the code of this one.
func (r *Registry) codeTaken(ctx context.Context, o *directory.Organization) error {
	other, err := r.Store.Organizations.By(ctx, "credit_code", string(o.CreditCode))
	if err == nil && other.Value.ID != o.ID {
		return &directory.Error{Kind: directory.Conflict, What: "credit_code"}
	}
	if directory.KindOf(err) == directory.NotFound {
		return nil
	}
	return err
}

// DecideOrganization stores what an official has decided about an organization
// after looking at its papers, and tells its owners. The same decision again
// changes nothing. version is the one that the official saw, 0 for any. It
// returns Invalid with every wrong field, Forbidden when the official is a member
// of it, Precondition, and NotFound.
func (r *Registry) DecideOrganization(ctx context.Context, caller directory.Caller, id string, version int64, outcome directory.OrganizationState, reason string, from auth.Client) (store.Doc[directory.Organization], error) {
	reason = strings.TrimSpace(reason)
	if err := directory.CheckDecision(outcome == directory.OrganizationRefused, reason); err != nil {
		return store.Doc[directory.Organization]{}, err
	}
	seen, err := r.Organization(ctx, id)
	if err != nil {
		return seen, err
	}
	role, err := r.roleIn(ctx, id, caller.Account)
	if err != nil {
		return seen, err
	}
	if role != "" { // nobody decides about what is their own
		return seen, &directory.Error{Kind: directory.Forbidden}
	}
	if version > 0 && seen.Version != version {
		return seen, &directory.Error{Kind: directory.Precondition, What: "organization"}
	}
	if seen.Value.State == outcome && seen.Value.Reason == reason {
		return seen, nil
	}
	if err := r.note(ctx, caller, &seen.Value, string(outcome), from); err != nil {
		return seen, err
	}
	now := r.now()
	next := seen.Value
	next.State, next.DecidedBy, next.DecidedAt, next.Reason, next.Untold = outcome, caller.Account, &now, reason, true
	doc, err := r.Store.Organizations.Replace(ctx, seen.Version, next)
	if directory.KindOf(err) == directory.Conflict {
		if version > 0 {
			return seen, &directory.Error{Kind: directory.Precondition, What: "organization"}
		}
		// Somebody has written it since it was read a moment ago: look again.
		return r.DecideOrganization(ctx, caller, id, version, outcome, reason, from)
	}
	if err != nil {
		return seen, err
	}
	return r.settle(ctx, doc, from)
}

// settle does what follows from the state of an organization and returns it as
// it is then. It is idempotent; from is where the request comes from, zero when
// it is not made for one.
func (r *Registry) settle(ctx context.Context, doc store.Doc[directory.Organization], from auth.Client) (store.Doc[directory.Organization], error) {
	o := doc.Value
	if !o.Unsettled() {
		return doc, nil
	}
	if o.Ownerless {
		if err := r.join(ctx, o.CreatedBy, o.CreatedBy, o.ID, directory.Owner, from); err != nil {
			return doc, err
		}
	}
	for _, l := range o.Leaving {
		if err := r.takeBack(ctx, l, from); err != nil {
			return doc, err
		}
	}
	if o.Untold {
		if err := r.tellDecision(ctx, &o); err != nil {
			return doc, err
		}
	}
	if o.Moved {
		if err := r.moveClaims(ctx, &o); err != nil {
			return doc, err
		}
	}
	return r.Store.Organizations.Update(ctx, o.ID, func(now *directory.Organization) error {
		now.Ownerless = false
		now.Leaving = slices.DeleteFunc(now.Leaving, func(l directory.Leaving) bool { return o.Leaves(l.Grant) })
		// What was decided or changed meanwhile is not done by this.
		now.Untold = now.Untold && !sameTime(now.DecidedAt, o.DecidedAt)
		now.Moved = now.Moved && now.Region != o.Region
		return nil
	})
}

func sameTime(x, y *time.Time) bool {
	return x == nil && y == nil || x != nil && y != nil && x.Equal(*y)
}

// tellDecision tells the owners what was decided about their organization.
func (r *Registry) tellDecision(ctx context.Context, o *directory.Organization) error {
	kind := directory.NoteOrganizationVerified
	if o.State == directory.OrganizationRefused {
		kind = directory.NoteOrganizationRefused
	}
	if o.DecidedAt == nil { // it waits for an official again
		return nil
	}
	owners, err := r.owners(ctx, o)
	for _, g := range owners {
		err = errors.Join(err, r.Auth.Tell(ctx, g.Account, kind, o.ID, *o.DecidedAt, map[string]string{"organization": o.ID, "name": o.LegalName, "reason": o.Reason}))
	}
	return err
}

// Selection says which organizations or claims are meant: those of the ids, of the
// account and within the scopes together, narrowed by the others.
type Selection struct {
	IDs     []string          // of organizations
	Account string            // of the claimant
	Scopes  []directory.Scope // of which a bureau is not looked at
	State   string            // "" for any
	Text    string            // part of the name or the credit code; "" for any
}

// scoped returns a query for each scope of a selection.
func scoped(s Selection) (out []store.Query) {
	for _, scope := range s.Scopes {
		scope.Bureau = ""
		q := store.InScope(scope)
		if s.State != "" {
			q.Where = append(q.Where, store.Equal("state", s.State))
		}
		out = append(out, q)
	}
	return out
}

// Organizations returns a page of organizations, the latest first.
func (r *Registry) Organizations(ctx context.Context, s Selection, limit int, after *store.Position) ([]store.Doc[directory.Organization], *store.Position, error) {
	own, err := r.Store.Organizations.GetMany(ctx, s.IDs...)
	if err != nil {
		return nil, nil, err
	}
	p := store.Pages[directory.Organization]{Collection: r.Store.Organizations, Desc: true, Queries: scoped(s)}
	p.Found = slices.DeleteFunc(own, func(d store.Doc[directory.Organization]) bool {
		return s.State != "" && string(d.Value.State) != s.State || after != nil && d.Value.ID >= after.ID
	})
	if s.Text != "" {
		p.Keep = func(docs []store.Doc[directory.Organization]) ([]store.Doc[directory.Organization], error) {
			return slices.DeleteFunc(docs, func(d store.Doc[directory.Organization]) bool { return !d.Value.Matches(s.Text) }), nil
		}
		if p.Found, err = p.Keep(p.Found); err != nil {
			return nil, nil, err
		}
	}
	return p.Read(ctx, limit, after)
}

// settleAll settles what a crash has left unsettled.
func (r *Registry) settleAll(ctx context.Context) error {
	unsettled := store.Where(store.Equal("unsettled", int64(1)))
	organizations, err := r.Store.Organizations.All(ctx, unsettled)
	for _, d := range organizations {
		_, one := r.settle(ctx, d, auth.Client{})
		err = errors.Join(err, one)
	}
	claims, allErr := r.Store.Claims.All(ctx, unsettled)
	err = errors.Join(err, allErr)
	for _, d := range claims {
		_, one := r.settleClaim(ctx, d, auth.Client{})
		err = errors.Join(err, one)
	}
	invitations, allErr := r.Store.Invitations.All(ctx, unsettled)
	err = errors.Join(err, allErr)
	for _, d := range invitations {
		err = errors.Join(err, r.settleInvitation(ctx, d.Value, auth.Client{}))
	}
	return err
}

// AddDemo registers a demonstration organization with its contact phone. One that
// is there already is left alone. It needs no registry, because it is called
// before there is one.
func AddDemo(ctx context.Context, access *auth.Auth, o directory.Organization, phone string) (err error) {
	if o.ContactPhone, err = access.Keys.Seal(auth.ContactPurpose(o.ID), phone); err != nil {
		return err
	}
	_, err = access.Store.Organizations.Insert(ctx, o)
	if directory.KindOf(err) == directory.Conflict {
		return nil
	}
	return err
}
