package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/trial"
)

// office is a registry of organizations whose store can be made to crash.
type office struct {
	*Registry
	t     *testing.T
	disk  *disk
	clock *trial.Clock
	dir   string
	n     int // persons and codes made
}

// disk is an engine that crashes: after some more writes it takes none.
type disk struct {
	store.Engine
	mu      sync.Mutex
	crashes bool
	left    int // writes until then
	writes  int
}

var errCrash = errors.New("the process was killed")

func (d *disk) Write(ctx context.Context, collection string, writes ...store.Write) ([]store.Outcome, error) {
	d.mu.Lock()
	crashed := d.crashes && d.left == 0
	if !crashed {
		d.left--
		d.writes++
	}
	d.mu.Unlock()
	if crashed {
		return nil, errCrash
	}
	return d.Engine.Write(ctx, collection, writes...)
}

// crashAfter lets so many more writes pass; mend lets all.
func (d *disk) crashAfter(writes int) { d.set(true, writes) }
func (d *disk) mend()                 { d.set(false, 0) }

func (d *disk) set(crashes bool, left int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashes, d.left = crashes, left
}

func newOffice(t *testing.T) *office {
	t.Helper()
	f := &office{t: t}
	e := trial.New(t, noon, func(db store.Engine) store.Engine {
		f.disk = &disk{Engine: db}
		return f.disk
	})
	f.clock, f.dir = e.Clock, e.Dir
	var err error
	f.Registry, err = New(t.Context(), Config{Store: e.Store, Auth: e.Auth, Photos: e.Photos, Search: e.Search, Regions: e.Regions, Log: e.Log, Now: e.Clock.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// somebody returns a new account.
func (f *office) somebody() directory.Caller {
	f.t.Helper()
	f.n++
	phone := fmt.Sprintf("1000000%04d", f.n)
	if err := f.Auth.AddDemo(f.t.Context(), phone, fmt.Sprint("示例", f.n), "", nil, f.Regions); err != nil {
		f.t.Fatal(err)
	}
	account, err := f.Auth.FindAccount(f.t.Context(), phone)
	if err != nil {
		f.t.Fatal(err)
	}
	return directory.Caller{Account: account.ID}
}

// code returns a new credit code with wrong check characters.
func (f *office) code() string {
	f.n++
	return fmt.Sprintf("91630202%010d", f.n)
}

// details are those of an organization in 乐都 without fault.
func (f *office) details() Details {
	return Details{
		CreditCode: f.code(), LegalName: "湟水养老服务有限公司", Region: "630202", Address: "碾伯镇1号",
		ContactName: "卓玛", ContactPhone: "0972-1234567",
	}
}

func (f *office) register(caller directory.Caller, d Details) store.Doc[directory.Organization] {
	f.t.Helper()
	done, err := f.Register(f.t.Context(), caller, d, auth.Client{})
	if err != nil || !done.Created || done.Claim != nil {
		f.t.Fatalf("registered: %+v, %v", done, err)
	}
	return done.Organization
}

// firm returns an organization with its owner.
func (f *office) firm() (directory.Organization, directory.Caller) {
	f.t.Helper()
	owner := f.somebody()
	return f.register(owner, f.details()).Value, owner
}

// claimed registers an organization's code for somebody else.
func (f *office) claimed(caller directory.Caller, o directory.Organization) directory.Claim {
	f.t.Helper()
	d := f.details()
	d.CreditCode, d.LegalName, d.ContactName = string(o.CreditCode), "湟水养老", "才让"
	done, err := f.Register(f.t.Context(), caller, d, auth.Client{})
	if err != nil || done.Claim == nil || done.Created {
		f.t.Fatalf("claimed: %+v, %v", done, err)
	}
	return *done.Claim
}

// add makes somebody a member.
func (f *office) add(o directory.Organization, role directory.Role) directory.Caller {
	f.t.Helper()
	caller := f.somebody()
	if err := f.Auth.GrantTo(f.t.Context(), directory.Caller{}, directory.Grant{Account: caller.Account, Role: role, Organization: o.ID}, auth.Client{}); err != nil {
		f.t.Fatal(err)
	}
	return caller
}

func (f *office) organization(id string) store.Doc[directory.Organization] {
	f.t.Helper()
	doc, err := f.Store.Organizations.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return doc
}

// roles says who belongs to an organization, as "account role", in order.
func (f *office) roles(o directory.Organization) (out []string) {
	f.t.Helper()
	grants, err := f.Auth.MembersOf(f.t.Context(), o.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, g := range grants {
		out = append(out, g.Account+" "+string(g.Role))
	}
	slices.Sort(out)
	return out
}

func (f *office) wantRoles(what string, o directory.Organization, want ...string) {
	f.t.Helper()
	slices.Sort(want)
	if got := f.roles(o); !slices.Equal(got, want) {
		f.t.Errorf("%s: the members are %q, want %q", what, got, want)
	}
}

// told counts the messages of a kind in somebody's inbox.
func (f *office) told(account string, kind directory.NotificationKind) int {
	f.t.Helper()
	docs, err := f.Store.Notifications.All(f.t.Context(), store.Where(store.Equal("account", account)))
	if err != nil {
		f.t.Fatal(err)
	}
	n := 0
	for _, d := range docs {
		if d.Value.Kind == kind {
			n++
		}
	}
	return n
}

// lines returns the audit log of an action about a subject, as its details in
// alphabetical order: within a millisecond there is no other.
func (f *office) lines(action directory.AuditAction, subject string) (out []string) {
	f.t.Helper()
	docs, err := f.Store.Audit.All(f.t.Context(), store.Where(store.Equal("action", string(action)), store.Equal("subject", subject)))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, d := range docs {
		out = append(out, d.Value.Detail)
	}
	slices.Sort(out)
	return out
}

// crashes does something again and again, each time on something new and each
// time with a crash one write later, until it gets through. After each crash the
// program starts anew; then check has to find that it was done or not even begun.
func (f *office) crashes(do func() (act func() error, check func(what string, acted bool))) {
	f.t.Helper()
	for n := 0; ; n++ {
		act, check := do()
		f.disk.crashAfter(n)
		err := act()
		f.disk.mend()
		if err != nil && !errors.Is(err, errCrash) {
			f.t.Fatalf("with a crash after %d writes: %v", n, err)
		}
		if _, err := New(f.t.Context(), f.Config); err != nil {
			f.t.Fatal(err)
		}
		check(fmt.Sprintf("after a crash at write %d", n+1), err == nil)
		for _, c := range []interface {
			Count(context.Context, []store.Condition, ...string) ([]store.Group, error)
		}{f.Store.Organizations, f.Store.Claims, f.Store.Invitations} {
			left, err := c.Count(f.t.Context(), []store.Condition{{Field: "unsettled", Op: store.Eq, Value: int64(1)}})
			if err != nil || left[0].N != 0 {
				f.t.Errorf("after a crash at write %d: %d are unsettled, %v", n+1, left[0].N, err)
			}
		}
		if err == nil {
			if n < 3 {
				f.t.Errorf("there were only %d writes to crash at", n)
			}
			return
		}
	}
}

// conflict fails unless an error is a Conflict about something.
func conflict(t *testing.T, what string, err error, about string) {
	t.Helper()
	var e *directory.Error
	if !errors.As(err, &e) || e.Kind != directory.Conflict || e.What != about {
		t.Errorf("%s: %v, want a conflict about %s", what, err, about)
	}
}

func TestRegister(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	ann := f.somebody()
	d := f.details()
	d.CreditCode, d.LegalName, d.ContactPhone = " 9133 0100-7996 5505 8b", " 湟水养老服务有限公司 ", "+86 138 0013 8000"
	done, err := f.Register(ctx, ann, d, auth.Client{Network: "192.0.2.1"})
	if err != nil || !done.Created {
		t.Fatal(done, err)
	}
	o := done.Organization.Value
	if o.CreditCode != "91330100799655058B" || !o.CodeValid || o.LegalName != "湟水养老服务有限公司" || o.State != directory.OrganizationPending ||
		o.CreatedBy != ann.Account || !o.CreatedAt.Equal(noon) || o.Unsettled() {
		t.Errorf("registered as %+v", o)
	}
	f.wantRoles("registered", o, ann.Account+" owner")
	if phone, err := f.ContactPhone(&o); err != nil || phone != "138****8000" {
		t.Errorf("the phone is shown as %q, %v", phone, err)
	}
	if got := f.lines(directory.AuditOrganization, o.ID); !slices.Equal(got, []string{"registered"}) {
		t.Errorf("the audit log has %q", got)
	}

	// Again, with another spelling and other details, it is the same.
	d.CreditCode, d.LegalName = "91330100799655058B", "别名"
	again, err := f.Register(ctx, ann, d, auth.Client{})
	if err != nil || again.Created || again.Claim != nil || again.Organization.Version != done.Organization.Version || again.Organization.Value.LegalName != o.LegalName {
		t.Errorf("registered again: %+v, %v", again, err)
	}
	staff := f.add(o, directory.Staff)
	if again, err = f.Register(ctx, staff, d, auth.Client{}); err != nil || again.Organization.Value.ID != o.ID || again.Claim != nil {
		t.Errorf("registered by staff: %+v, %v", again, err)
	}
	f.wantRoles("registered again", o, ann.Account+" owner", staff.Account+" staff")

	// A code with wrong check characters is for an official to look at.
	if o := f.register(f.somebody(), f.details()).Value; o.CodeValid || o.State != directory.OrganizationPending {
		t.Errorf("a wrong code is registered as %+v", o)
	}

	_, err = f.Register(ctx, ann, Details{CreditCode: "9133010079965505", Region: "110000", LegalName: "示例", ContactPhone: "12", Documents: []string{"x"}}, auth.Client{})
	var wrong *directory.Error
	if !errors.As(err, &wrong) || wrong.Kind != directory.Invalid {
		t.Fatal(err)
	}
	var got []string
	for _, field := range wrong.Fields {
		got = append(got, field.Pointer+" "+field.Code)
	}
	if want := []string{"/credit_code bad_format", "/legal_name mismatch", "/region unknown_value", "/contact_name required", "/documents/0 bad_format", "/contact_phone bad_format"}; !slices.Equal(got, want) {
		t.Errorf("wrong fields %q, want %q", got, want)
	}
	if check := f.Check(Details{}); !errors.As(check, &wrong) || len(wrong.Fields) != 5 {
		t.Errorf("nothing at all: %v", check)
	}

	// Nothing of a phone is on the disk.
	files, err := os.ReadDir(f.dir)
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(f.dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "13800138000") || strings.Contains(string(text), "0972-1234567") {
			t.Errorf("a phone stands in clear in %s", file.Name())
		}
	}
}

func TestRegisterWithCrashes(t *testing.T) {
	f := newOffice(t)
	f.crashes(func() (func() error, func(string, bool)) {
		ann, d := f.somebody(), f.details()
		act := func() error { _, err := f.Register(t.Context(), ann, d, auth.Client{}); return err }
		return act, func(what string, acted bool) {
			doc, err := f.Store.Organizations.By(t.Context(), "credit_code", d.CreditCode)
			if directory.KindOf(err) == directory.NotFound && !acted {
				f.register(ann, d)
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			f.wantRoles(what, doc.Value, ann.Account+" owner")
			again, err := f.Register(t.Context(), ann, d, auth.Client{})
			if err != nil || again.Created || again.Organization.Value.ID != doc.Value.ID {
				t.Errorf("%s, registered again: %+v, %v", what, again, err)
			}
		}
	})
}

// TestNextCallFinishesARegistration leaves out the start after a crash.
func TestNextCallFinishesARegistration(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	for what, next := range map[string]func(directory.Caller, Details, string) error{
		"registering": func(c directory.Caller, d Details, _ string) error {
			_, err := f.Register(ctx, c, d, auth.Client{})
			return err
		},
		"asking": func(_ directory.Caller, _ Details, id string) error { _, err := f.Organization(ctx, id); return err },
		"another": func(_ directory.Caller, d Details, _ string) error {
			_, err := f.Register(ctx, f.somebody(), d, auth.Client{})
			return err
		},
	} {
		ann, d := f.somebody(), f.details()
		f.disk.crashAfter(2) // a line of the audit log and the organization
		_, err := f.Register(ctx, ann, d, auth.Client{})
		f.disk.mend()
		doc, found := f.Store.Organizations.By(ctx, "credit_code", d.CreditCode)
		if !errors.Is(err, errCrash) || found != nil || !doc.Value.Ownerless || len(f.roles(doc.Value)) != 0 {
			t.Fatalf("%s: %v, %+v, %v", what, err, doc.Value, found)
		}
		if err := next(ann, d, doc.Value.ID); err != nil {
			t.Fatal(err)
		}
		f.wantRoles(what, doc.Value, ann.Account+" owner")
	}
}

func TestRegisterAtOnce(t *testing.T) {
	f := newOffice(t)
	d := f.details()
	var callers []directory.Caller
	for range 8 {
		callers = append(callers, f.somebody())
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	created, claims := 0, map[string]string{}
	ids := map[string]bool{}
	for _, c := range slices.Concat(callers, callers, callers) {
		wg.Go(func() {
			done, err := f.Register(t.Context(), c, d, auth.Client{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case done.Claim != nil:
				if before, ok := claims[c.Account]; ok && before != done.Claim.ID {
					t.Errorf("%s has two claims", c.Account)
				}
				claims[c.Account] = done.Claim.ID
			default:
				ids[done.Organization.Value.ID] = true
				if done.Created {
					created++
				}
			}
		})
	}
	wg.Wait()
	if created != 1 || len(ids) != 1 || len(claims) != len(callers)-1 {
		t.Errorf("%d were created, with %d ids and %d claims", created, len(ids), len(claims))
	}
	docs, err := f.Store.Claims.All(t.Context(), store.Query{})
	if err != nil || len(docs) != len(claims) {
		t.Errorf("%d claims are stored, %v", len(docs), err)
	}
}

// uploaded stores photos of papers of an organization.
func (f *office) uploaded(organization string, ids ...string) {
	f.t.Helper()
	var stored []directory.StoredPhoto
	for _, id := range ids {
		stored = append(stored, directory.StoredPhoto{ID: id, Uploads: []directory.Upload{{Owner: organization, Purpose: directory.DocumentPhoto}}})
	}
	if _, err := f.Store.Photos.Upsert(f.t.Context(), stored); err != nil {
		f.t.Fatal(err)
	}
}

func TestChangeOrganization(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	p := func(s string) *string { return &s }
	other, _ := f.firm()
	papers := []string{strings.Repeat("b", 64)}
	for what, tt := range map[string]struct {
		state  directory.OrganizationState
		change OrganizationChange
		want   directory.OrganizationState
		fields string
	}{
		"name":              {directory.OrganizationVerified, OrganizationChange{LegalName: p("新名")}, directory.OrganizationPending, "legal_name"},
		"code":              {directory.OrganizationVerified, OrganizationChange{CreditCode: p("91330100799655058B")}, directory.OrganizationPending, "credit_code"},
		"region":            {directory.OrganizationVerified, OrganizationChange{Region: p("632701")}, directory.OrganizationPending, "region"},
		"what is small":     {directory.OrganizationVerified, OrganizationChange{Address: p(""), ContactName: p("扎西"), ContactPhone: p("13900139000"), Documents: &papers}, directory.OrganizationVerified, "address contact_name contact_phone documents"},
		"name, refused":     {directory.OrganizationRefused, OrganizationChange{LegalName: p("新名")}, directory.OrganizationPending, "legal_name"},
		"papers, refused":   {directory.OrganizationRefused, OrganizationChange{Documents: &papers}, directory.OrganizationPending, "documents"},
		"contact, refused":  {directory.OrganizationRefused, OrganizationChange{ContactName: p("扎西")}, directory.OrganizationRefused, "contact_name"},
		"the same in words": {directory.OrganizationVerified, OrganizationChange{LegalName: p(" 湟水养老服务有限公司"), ContactPhone: p("0972-1234567")}, directory.OrganizationVerified, ""},
	} {
		o, owner := f.firm()
		f.uploaded(o.ID, papers...)
		seen, err := f.DecideOrganization(ctx, official, o.ID, 0, tt.state, "看过证照", auth.Client{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.ChangeOrganization(ctx, owner, seen, tt.change, auth.Client{})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got.Value.State != tt.want || (got.Value.DecidedAt == nil) != (tt.want == directory.OrganizationPending) || got.Value.Unsettled() {
			t.Errorf("%s: it became %+v", what, got.Value)
		}
		lines := f.lines(directory.AuditOrganization, o.ID)
		if tt.fields == "" {
			if got.Version != seen.Version || len(lines) != 2 {
				t.Errorf("%s: something was written: %q", what, lines)
			}
			continue
		}
		want := []string{"changed " + tt.fields, "registered", string(tt.state)}
		if tt.change.Region != nil { // the officials of both regions are told
			want = append(want, want[0])
		}
		slices.Sort(want)
		if !slices.Equal(lines, want) {
			t.Errorf("%s: the audit log has %q, want %q", what, lines, want)
		}
		if stored := f.organization(o.ID); stored.Version != got.Version || stored.Value.State != tt.want {
			t.Errorf("%s: stored is %+v", what, stored)
		}
		_, err = f.ChangeOrganization(ctx, owner, seen, tt.change, auth.Client{})
		kind(t, what+" again in the version before", err, directory.Precondition)
		// For the next one to have it.
		if tt.change.CreditCode != nil {
			if _, err := f.ChangeOrganization(ctx, owner, got, OrganizationChange{CreditCode: p(f.code())}, auth.Client{}); err != nil {
				t.Fatal(err)
			}
		}
	}

	o, owner := f.firm()
	seen := f.organization(o.ID)
	_, err := f.ChangeOrganization(ctx, owner, seen, OrganizationChange{CreditCode: p(string(other.CreditCode))}, auth.Client{})
	conflict(t, "another's code", err, "credit_code")
	_, err = f.ChangeOrganization(ctx, owner, seen, OrganizationChange{CreditCode: p("1"), LegalName: p(" "), ContactPhone: p("1"), Region: p("1")}, auth.Client{})
	var wrong *directory.Error
	if !errors.As(err, &wrong) || len(wrong.Fields) != 4 {
		t.Errorf("much that is wrong: %v", err)
	}
	if now := f.organization(o.ID); now.Version != seen.Version {
		t.Error("something was stored of it")
	}
}

// TestMovedOrganizationTakesItsClaims changes the region under an open and a
// decided claim, with a crash at every write.
func TestMovedOrganizationTakesItsClaims(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	region := "632701"
	f.crashes(func() (func() error, func(string, bool)) {
		o, owner := f.firm()
		refused, open := f.claimed(f.somebody(), o), f.claimed(f.somebody(), o)
		if _, err := f.DecideClaim(ctx, official, refused.ID, directory.ClaimRefused, "无关", false, auth.Client{}); err != nil {
			t.Fatal(err)
		}
		seen := f.organization(o.ID)
		act := func() error {
			_, err := f.ChangeOrganization(ctx, owner, seen, OrganizationChange{Region: &region}, auth.Client{})
			return err
		}
		return act, func(what string, acted bool) {
			now := f.organization(o.ID).Value.Region
			claim, err := f.Claim(ctx, open.ID)
			if err != nil || claim.Region != now || acted && now != region {
				t.Errorf("%s: the organization is in %s, the claim in %s, %v", what, now, claim.Region, err)
			}
			if claim, err := f.Claim(ctx, refused.ID); err != nil || claim.Region != "630202" {
				t.Errorf("%s: the decided claim is in %s, %v", what, claim.Region, err)
			}
		}
	})
}

func TestDecideOrganization(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	second, staff := f.add(o, directory.Owner), f.add(o, directory.Staff)
	decide := func(by directory.Caller, version int64, outcome directory.OrganizationState, reason string) (store.Doc[directory.Organization], error) {
		return f.DecideOrganization(ctx, by, o.ID, version, outcome, reason, auth.Client{})
	}
	_, err := decide(official, 0, directory.OrganizationRefused, " ")
	kind(t, "refused without a reason", err, directory.Invalid)
	_, err = decide(owner, 0, directory.OrganizationVerified, "")
	kind(t, "by its owner", err, directory.Forbidden)
	_, err = decide(staff, 0, directory.OrganizationVerified, "")
	kind(t, "by its staff", err, directory.Forbidden)
	_, err = f.DecideOrganization(ctx, official, "01a192b0-7400-7000-8000-0000000000ee", 0, directory.OrganizationVerified, "", auth.Client{})
	kind(t, "of none", err, directory.NotFound)
	seen := f.organization(o.ID)
	if seen.Value.State != directory.OrganizationPending {
		t.Errorf("it is %s", seen.Value.State)
	}

	name := "新名"
	if _, err := f.ChangeOrganization(ctx, owner, seen, OrganizationChange{LegalName: &name}, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	_, err = decide(official, seen.Version, directory.OrganizationVerified, "")
	kind(t, "of a version that is gone", err, directory.Precondition)

	done, err := decide(official, 0, directory.OrganizationRefused, " 证照不清晰\n")
	if err != nil || done.Value.State != directory.OrganizationRefused || done.Value.Reason != "证照不清晰" || done.Value.DecidedBy != official.Account || done.Value.DecidedAt == nil {
		t.Fatalf("refused: %+v, %v", done.Value, err)
	}
	if again, err := decide(official, 0, directory.OrganizationRefused, "证照不清晰"); err != nil || again.Version != done.Version {
		t.Errorf("the same again: version %d after %d, %v", again.Version, done.Version, err)
	}
	f.clock.Advance(time.Minute)
	if _, err := decide(official, done.Version, directory.OrganizationVerified, ""); err != nil {
		t.Fatal(err)
	}
	for who, account := range map[string]string{"the owner": owner.Account, "the other": second.Account} {
		if f.told(account, directory.NoteOrganizationRefused) != 1 || f.told(account, directory.NoteOrganizationVerified) != 1 {
			t.Errorf("%s was told %d, %d times", who, f.told(account, directory.NoteOrganizationRefused), f.told(account, directory.NoteOrganizationVerified))
		}
	}
	if n := f.told(staff.Account, directory.NoteOrganizationRefused); n != 0 {
		t.Errorf("staff was told %d times", n)
	}
	if got := f.lines(directory.AuditOrganization, o.ID); !slices.Equal(got, []string{"changed legal_name", "refused", "registered", "verified"}) {
		t.Errorf("the audit log has %q", got)
	}
}

func TestDecideOrganizationWithCrashes(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	f.crashes(func() (func() error, func(string, bool)) {
		o, owner := f.firm()
		second := f.add(o, directory.Owner)
		act := func() error {
			_, err := f.DecideOrganization(ctx, official, o.ID, 0, directory.OrganizationVerified, "", auth.Client{})
			return err
		}
		return act, func(what string, acted bool) {
			now := f.organization(o.ID).Value
			want := 0
			if now.State == directory.OrganizationVerified {
				want = 1
			}
			if one, two := f.told(owner.Account, directory.NoteOrganizationVerified), f.told(second.Account, directory.NoteOrganizationVerified); one != want || two != want || acted && want == 0 {
				t.Errorf("%s: it is %s, and the owners were told %d and %d times", what, now.State, one, two)
			}
		}
	})
}

// TestDecideAtOnce has officials decide differently at the same time about the
// same version, and without naming one.
func TestDecideAtOnce(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, _ := f.firm()
	seen := f.organization(o.ID)
	count := func(version int64) (good int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for i := range 10 {
			wg.Go(func() {
				by := directory.Caller{Account: fmt.Sprintf("01a192b0-7400-7000-8000-%012d", i)}
				_, err := f.DecideOrganization(ctx, by, o.ID, version, directory.OrganizationRefused, fmt.Sprint("理由", i), auth.Client{})
				if err == nil {
					mu.Lock()
					good++
					mu.Unlock()
				} else if directory.KindOf(err) != directory.Precondition {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return good
	}
	if good := count(seen.Version); good != 1 {
		t.Errorf("%d officials decided about one version", good)
	}
	if good := count(0); good != 10 {
		t.Errorf("%d of 10 decided one after the other", good)
	}
}

func TestMembers(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	f.clock.Advance(time.Hour)
	staff := f.add(o, directory.Staff)
	f.clock.Advance(time.Hour)
	second := f.add(o, directory.Owner)
	// An owner who was staff before is an owner.
	if err := f.Auth.GrantTo(ctx, directory.Caller{}, directory.Grant{Account: second.Account, Role: directory.Staff, Organization: o.ID}, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	members, err := f.Members(ctx, o.ID)
	if err != nil || len(members) != 3 {
		t.Fatal(members, err)
	}
	for i, want := range []struct {
		caller directory.Caller
		role   directory.Role
		since  time.Time
	}{{owner, directory.Owner, noon}, {second, directory.Owner, noon.Add(2 * time.Hour)}, {staff, directory.Staff, noon.Add(time.Hour)}} {
		m := members[i]
		if m.Account != want.caller.Account || m.Role != want.role || !m.Since.Equal(want.since) || !strings.Contains(m.Phone, "****") || m.Name == "" {
			t.Errorf("member %d is %+v, want %+v", i, m, want)
		}
	}
	_, err = f.Members(ctx, "01a192b0-7400-7000-8000-0000000000ee")
	kind(t, "members of none", err, directory.NotFound)

	remove := func(by directory.Caller, account string) error {
		return f.RemoveMember(ctx, by, o.ID, account, auth.Client{})
	}
	kind(t, "a stranger", remove(owner, f.somebody().Account), directory.NotFound)
	if err := remove(owner, second.Account); err != nil { // with both roles
		t.Fatal(err)
	}
	f.wantRoles("the second owner removed", o, owner.Account+" owner", staff.Account+" staff")
	kind(t, "removed again", remove(owner, second.Account), directory.NotFound)
	conflict(t, "the last owner", remove(owner, owner.Account), "last_owner")
	g, err := f.Auth.GetGrant(ctx, (&directory.Grant{Account: owner.Account, Role: directory.Owner, Organization: o.ID}).Key())
	if err != nil {
		t.Fatal(err)
	}
	conflict(t, "the last owner's grant", f.Revoke(ctx, owner, g, auth.Client{}), "last_owner")
	if err := remove(staff, staff.Account); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("staff has left", o, owner.Account+" owner")
	if doc := f.organization(o.ID); doc.Value.Unsettled() {
		t.Errorf("left behind: %+v", doc.Value)
	}
	if f.told(second.Account, directory.NoteRevoked) != 2 || f.told(staff.Account, directory.NoteRevoked) != 1 {
		t.Error("those who were removed were not told")
	}

	// With a second owner the first can go, by the grant, too.
	third := f.add(o, directory.Owner)
	if err := f.Revoke(ctx, third, g, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("the first owner has gone", o, third.Account+" owner")

	// Of an organization that is not kept here, and for other roles, there is no last one.
	for _, g := range []directory.Grant{
		{Account: third.Account, Role: directory.Owner, Organization: "01a192b0-7400-7000-8000-0000000000ee"},
		{Account: third.Account, Role: directory.Staff, Organization: o.ID},
	} {
		if err := f.Auth.GrantTo(ctx, directory.Caller{}, g, auth.Client{}); err != nil {
			t.Fatal(err)
		}
		g.ID = g.Key()
		if err := f.Revoke(ctx, third, g, auth.Client{}); err != nil {
			t.Errorf("%s: %v", g.ID, err)
		}
		if _, err := f.Auth.GetGrant(ctx, g.ID); directory.KindOf(err) != directory.NotFound {
			t.Errorf("%s is still there: %v", g.ID, err)
		}
	}
}

func TestRemoveMemberWithCrashes(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	f.crashes(func() (func() error, func(string, bool)) {
		o, owner := f.firm()
		second := f.add(o, directory.Owner)
		if err := f.Auth.GrantTo(ctx, directory.Caller{}, directory.Grant{Account: second.Account, Role: directory.Staff, Organization: o.ID}, auth.Client{}); err != nil {
			t.Fatal(err)
		}
		act := func() error { return f.RemoveMember(ctx, owner, o.ID, second.Account, auth.Client{}) }
		return act, func(what string, acted bool) {
			all := []string{owner.Account + " owner", second.Account + " owner", second.Account + " staff"}
			slices.Sort(all)
			if got := f.roles(o); !acted && slices.Equal(got, all) {
				return
			}
			f.wantRoles(what, o, owner.Account+" owner")
		}
	})
}

// TestOwnersRemoveEachOther lets all owners of an organization remove all others
// and themselves at once: one has to be left.
func TestOwnersRemoveEachOther(t *testing.T) {
	f := newOffice(t)
	for range 10 {
		o, owner := f.firm()
		owners := []directory.Caller{owner, f.add(o, directory.Owner), f.add(o, directory.Owner)}
		var wg sync.WaitGroup
		for i, by := range owners {
			for k := range owners {
				target := owners[(i+k+1)%len(owners)].Account
				wg.Go(func() {
					err := f.RemoveMember(t.Context(), by, o.ID, target, auth.Client{})
					if kind := directory.KindOf(err); err != nil && kind != directory.Conflict && kind != directory.NotFound {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if left := f.roles(o); len(left) != 1 {
			t.Fatalf("%d owners are left", len(left))
		}
		if doc := f.organization(o.ID); doc.Value.Unsettled() {
			t.Fatalf("left behind: %+v", doc.Value)
		}
	}
}

// TestGrantAfterACrash gives a role again while an old removal is still to be
// finished: what was given last holds.
func TestGrantAfterACrash(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	const phone = "10000009999"
	g := directory.Grant{Role: directory.Owner, Organization: o.ID}
	given, _, err := f.Grant(ctx, owner, phone, g, auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	f.disk.crashAfter(1) // the note in the organization's document
	err = f.RemoveMember(ctx, owner, o.ID, given.Account, auth.Client{})
	f.disk.mend()
	if now := f.organization(o.ID); !errors.Is(err, errCrash) || !now.Value.Leaves(given.ID) {
		t.Fatal(err, now)
	}
	if _, created, err := f.Grant(ctx, owner, phone, g, auth.Client{}); err != nil || !created {
		t.Fatal(created, err)
	}
	if err := f.Heal(ctx); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("given again", o, owner.Account+" owner", given.Account+" owner")
}

func TestOrganizationPages(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	regions := []string{"630202", "630202", "632701", "630203", "630202", "632701", "630100"}
	var all []directory.Organization
	for i, region := range regions {
		d := f.details()
		d.Region, d.LegalName = region, fmt.Sprintf("第%d养老院", i)
		if i%2 == 1 {
			d.LegalName = fmt.Sprintf("第%d托育园", i)
		}
		all = append(all, f.register(f.somebody(), d).Value)
		f.clock.Advance(time.Second)
	}
	if _, err := f.DecideOrganization(ctx, official, all[4].ID, 0, directory.OrganizationVerified, "", auth.Client{}); err != nil {
		t.Fatal(err)
	}
	here, there := directory.Scope{Bureau: directory.MarketRegulation, Region: "630200"}, directory.Scope{Bureau: directory.MarketRegulation, Region: "632700"}
	for what, tt := range map[string]struct {
		s    Selection
		want []int
	}{
		"nothing":             {Selection{}, nil},
		"a member's":          {Selection{IDs: []string{all[2].ID, all[0].ID}}, []int{2, 0}},
		"an official's":       {Selection{Scopes: []directory.Scope{here}}, []int{4, 3, 1, 0}},
		"of two scopes":       {Selection{Scopes: []directory.Scope{here, there}}, []int{5, 4, 3, 2, 1, 0}},
		"of overlapping ones": {Selection{Scopes: []directory.Scope{here, {Region: "630202"}}}, []int{4, 3, 1, 0}},
		"both":                {Selection{IDs: []string{all[6].ID, all[1].ID}, Scopes: []directory.Scope{here}}, []int{6, 4, 3, 1, 0}},
		"an administrator's":  {Selection{Scopes: []directory.Scope{{}}}, []int{6, 5, 4, 3, 2, 1, 0}},
		"verified":            {Selection{IDs: []string{all[6].ID, all[4].ID}, Scopes: []directory.Scope{{}}, State: "verified"}, []int{4}},
		"by name":             {Selection{IDs: []string{all[5].ID, all[4].ID}, Scopes: []directory.Scope{here}, Text: "托育"}, []int{5, 3, 1}},
		"by code":             {Selection{Scopes: []directory.Scope{{}}, Text: strings.ToLower(string(all[3].CreditCode))}, []int{3}},
	} {
		for limit := 1; limit <= len(all)+1; limit++ {
			var got []int
			for after := (*store.Position)(nil); ; {
				docs, next, err := f.Organizations(ctx, tt.s, limit, after)
				if err != nil {
					t.Fatal(err)
				}
				if len(docs) > limit || len(docs) == 0 && after != nil {
					t.Fatalf("%s by %d: a page of %d", what, limit, len(docs))
				}
				for _, d := range docs {
					got = append(got, slices.IndexFunc(all, func(o directory.Organization) bool { return o.ID == d.Value.ID }))
				}
				if after = next; next == nil {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s by %d: %v, want %v", what, limit, got, tt.want)
			}
		}
	}
}

// TestResealOfContacts puts the old key away and reads a phone.
func TestResealOfContacts(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, _ := f.firm()
	if err := f.Auth.Keys.AddKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Auth.Reseal(ctx); err != nil || n != 3 { // an account, a signing key and the organization
		t.Errorf("%d written, %v", n, err)
	}
	now := f.organization(o.ID)
	phone, err := f.ContactPhone(&now.Value)
	if err != nil || phone != "097****4567" || !f.Auth.Keys.Current(now.Value.ContactPhone) || f.Auth.Keys.Current(o.ContactPhone) {
		t.Errorf("the phone is %q, %v", phone, err)
	}
	if n, err := f.Auth.Reseal(ctx); err != nil || n != 0 {
		t.Errorf("again %d written, %v", n, err)
	}
}

func TestDemoOrganization(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, phone := seed.DemoOrganization()
	for range 2 {
		if err := AddDemo(ctx, f.Auth, o, phone); err != nil {
			t.Fatal(err)
		}
	}
	doc := f.organization(o.ID)
	if shown, err := f.ContactPhone(&doc.Value); err != nil || doc.Version != 1 || !strings.Contains(shown, "****") || doc.Value.ContactPhone == phone {
		t.Errorf("%+v with the phone %q, %v", doc, shown, err)
	}
}
