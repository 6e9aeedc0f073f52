package auth

import (
	"errors"
	"slices"
	"testing"
	"time"

	"qingfu/directory"
)

const shop = "019aaf5e-4c00-7a1b-8c2d-000000000001"

// grant gives a role from the command line.
func (f *fixture) grant(t *testing.T, phone string, g directory.Grant, regions *directory.Regions) directory.Grant {
	t.Helper()
	g, _, err := f.Grant(t.Context(), directory.Caller{}, phone, g, regions, Client{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGrant(t *testing.T) {
	f, regions := newFixture(t), testRegions(t)
	by := directory.Caller{Account: f.signIn(t, ben).Session.Account}
	give := directory.Grant{
		ID: "not asked", Account: "not asked", GrantedBy: "not asked",
		Role: directory.Official, Bureau: directory.Health, Region: "630202",
		Powers: []directory.Power{directory.PublishPower, directory.ReviewPower, directory.CertifyPower},
	}
	g, created, err := f.Grant(t.Context(), by, ann, give, regions, home)
	if err != nil || !created {
		t.Fatal(g, created, err)
	}
	want := directory.Grant{
		ID: g.Account + ".official.health.630202", Account: g.Account,
		Role: directory.Official, Bureau: directory.Health, Region: "630202",
		Powers:    []directory.Power{directory.ReviewPower, directory.CertifyPower, directory.PublishPower},
		GrantedBy: by.Account, GrantedAt: limitStart,
	}
	sameJSON(t, "grant", g, want)
	stored, err := f.GetGrant(t.Context(), g.ID)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "stored", stored, want)
	tokens := f.signIn(t, ann)
	if tokens.Session.Account != g.Account {
		t.Error("whoever signs in with the phone is somebody else")
	}
	sameJSON(t, "caller", f.caller(t, tokens).Grants, []directory.Grant{want})

	// The same again changes the powers.
	f.clock.pass(time.Hour)
	give.Powers = []directory.Power{directory.StatisticsPower}
	if _, created, err = f.Grant(t.Context(), by, "+86"+ann, give, regions, home); err != nil || created {
		t.Error(created, err)
	}
	want.Powers, want.GrantedAt = give.Powers, f.clock.now()
	sameJSON(t, "all grants", every(t, f.Store.Grants), []directory.Grant{want})

	entry := line(directory.AuditEntry{
		Action: directory.AuditGrant, Actor: by.Account, Subject: g.Account, Detail: "official review certify publish",
		Bureau: directory.Health, Region: "630202",
	})
	again := entry
	again.Detail = "official statistics"
	sameJSON(t, "audit log", f.lines(t, directory.AuditGrant), []directory.AuditEntry{entry, again})
	notes := inserted(t, f.Store.Notifications)
	if len(notes) != 2 || notes[0].Account != g.Account || notes[0].Kind != directory.NoteGranted {
		t.Fatalf("inbox %+v", notes)
	}
	sameJSON(t, "note", notes[0].Params, map[string]string{"role": "official", "bureau": "health", "region": "630202"})
}

func TestGrantNamesEveryWrongField(t *testing.T) {
	f, regions := newFixture(t), testRegions(t)
	for what, tt := range map[string]struct {
		phone string
		grant directory.Grant
		want  []string
	}{
		"phone and all of an official": {"1", directory.Grant{Role: directory.Official, Organization: shop, Region: "1"},
			[]string{"/phone bad_format", "/organization mismatch", "/bureau required", "/region unknown_value", "/powers required"}},
		"phone and role": {ann[1:], directory.Grant{Role: "king"}, []string{"/phone bad_format", "/role unknown_value"}},
		"phone alone":    {"", directory.Grant{Role: directory.Admin}, []string{"/phone bad_format"}},
		"grant alone":    {ann, directory.Grant{Role: directory.Owner}, []string{"/organization required"}},
		"demonstration":  {"10000000001", directory.Grant{Role: directory.Admin}, []string{"/phone bad_format"}},
	} {
		_, created, err := f.Grant(t.Context(), directory.Caller{}, tt.phone, tt.grant, regions, home)
		e, ok := errors.AsType[*directory.Error](err)
		if !ok || created {
			t.Errorf("%s: %v", what, err)
			continue
		}
		var got []string
		for _, field := range e.Fields {
			got = append(got, field.Pointer+" "+field.Code)
		}
		if e.Kind != directory.Invalid || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %s %q, want %q", what, e.Kind, got, tt.want)
		}
	}
	if len(every(t, f.Store.Accounts)) > 0 || len(f.lines(t, directory.AuditGrant)) > 0 {
		t.Error("something is stored of it")
	}
}

func TestGrantTo(t *testing.T) {
	f := newFixture(t)
	by := directory.Caller{Account: f.signIn(t, ben).Session.Account}
	tokens := f.signIn(t, ann)
	give := directory.Grant{Account: tokens.Session.Account, Role: directory.Staff, Organization: shop}
	want := give
	want.ID, want.GrantedBy, want.GrantedAt = give.Account+".staff."+shop, by.Account, limitStart
	if err := f.GrantTo(t.Context(), by, give, home); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Minute)
	// Again, and by many at once, changes nothing.
	if _, failures := parallel(10, func(int) error { return f.GrantTo(t.Context(), directory.Caller{}, give, home) }); len(failures) > 0 {
		t.Error(failures)
	}
	sameJSON(t, "grants", f.caller(t, tokens).Grants, []directory.Grant{want})
	sameJSON(t, "audit log", f.lines(t, directory.AuditGrant), []directory.AuditEntry{
		line(directory.AuditEntry{Action: directory.AuditGrant, Actor: by.Account, Subject: give.Account, Detail: "staff", Organization: shop}),
	})
	if notes := f.notes(t, give.Account); len(notes) != 1 || notes[0] != directory.NoteGranted {
		t.Errorf("inbox %v", notes)
	}
	give.Account = shop
	wantKind(t, "to nobody", f.GrantTo(t.Context(), by, give, home), directory.NotFound)
}

func TestRevoke(t *testing.T) {
	f, regions := newFixture(t), testRegions(t)
	g := f.grant(t, ann, directory.Grant{Role: directory.Owner, Organization: shop}, regions)
	staff := f.grant(t, ann, directory.Grant{Role: directory.Staff, Organization: shop}, regions)
	tokens := f.signIn(t, ann)
	by := directory.Caller{Account: "019aaf5e-4c00-7a1b-8c2d-00000000000b"}
	if err := f.Revoke(t.Context(), by, g, home); err != nil {
		t.Fatal(err)
	}
	// The access token is the one from before.
	sameJSON(t, "grants that are left", f.caller(t, tokens).Grants, []directory.Grant{staff})
	sameJSON(t, "audit log", f.lines(t, directory.AuditRevoke), []directory.AuditEntry{
		line(directory.AuditEntry{Action: directory.AuditRevoke, Actor: by.Account, Subject: g.Account, Detail: "owner", Organization: shop}),
	})
	if notes := f.notes(t, g.Account); len(notes) != 3 || notes[2] != directory.NoteRevoked {
		t.Errorf("inbox %v", notes)
	}
	err := f.Revoke(t.Context(), by, g, home)
	wantKind(t, "once more", err, directory.NotFound)
	_, err = f.GetGrant(t.Context(), g.ID)
	wantKind(t, "get", err, directory.NotFound)
	if again := f.grant(t, ann, directory.Grant{Role: directory.Owner, Organization: shop}, regions); again.ID != g.ID {
		t.Errorf("given again as %+v", again)
	}
	if n := len(f.caller(t, tokens).Grants); n != 2 {
		t.Errorf("%d grants", n)
	}
}
