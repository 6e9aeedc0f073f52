package registry

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
	"qingfu/trial"
)

// noon is a Monday in November.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, directory.Shanghai)

// fixture is a registry on an empty store, with a clock that is moved by hand and
// one organization.
type fixture struct {
	*Registry
	t       *testing.T
	st      *store.Store
	clock   *trial.Clock
	indexer *search.Indexer
	engine  search.Engine
	firm    directory.Organization
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e := trial.New(t, noon, nil)
	f := &fixture{t: t, clock: e.Clock, st: e.Store, indexer: e.Indexer, engine: e.Search}
	var err error
	f.Registry, err = New(t.Context(), Config{
		Store: e.Store, Auth: e.Auth, Photos: e.Photos, Search: e.Search, Regions: e.Regions, Log: e.Log, Now: e.Clock.Now, Random: rand.Reader,
		Explain: func(e directory.FieldError) string { return e.String() },
	})
	fatal(err)
	f.firm = directory.Organization{
		ID: "01a192b0-7400-7000-8000-00000000000a", CreditCode: "91630100MA752FFG5X", LegalName: "湟水养老服务有限公司", Region: "630200",
		ContactName: "甲", State: directory.OrganizationVerified, CreatedAt: noon, UpdatedAt: noon,
	}
	_, err = f.st.Organizations.Insert(t.Context(), f.firm)
	fatal(err)
	return f
}

// person returns a caller with a role of the firm, who can be told things.
func (f *fixture) person(n int, role directory.Role) directory.Caller {
	f.t.Helper()
	g, _, err := f.Auth.Grant(f.t.Context(), directory.Caller{}, fmt.Sprintf("138000000%02d", n), directory.Grant{Role: role, Organization: f.firm.ID}, f.Regions, auth.Client{})
	if err != nil {
		f.t.Fatal(err)
	}
	return directory.Caller{Account: g.Account, Grants: []directory.Grant{g}}
}

// official is somebody who decides; the account need not exist.
var official = directory.Caller{Account: "01a192b0-7400-7000-8000-0000000000ff"}

// home is a listing without fault.
func home(name string) directory.Listing {
	beds := 40
	return directory.Listing{
		Kind: directory.ElderCareKind, Names: directory.Names{Zh: name}, Region: "630202", Categories: []string{"nursing_home"},
		ElderCare: &directory.ElderCare{BedsTotal: &beds},
	}
}

// index brings the search engine up to the store.
func (f *fixture) index() {
	f.t.Helper()
	docs, err := f.st.Listings.All(f.t.Context(), store.Where(store.Equal("status", string(directory.Published))))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range docs {
		d, err := f.indexer.Document(&docs[i].Value)
		if err == nil {
			err = f.engine.Put(f.t.Context(), d)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// submitted returns a proposal that waits.
func (f *fixture) submitted(caller directory.Caller, l directory.Listing) store.Doc[directory.Proposal] {
	f.t.Helper()
	doc, err := f.Propose(f.t.Context(), caller, f.firm, l)
	if err == nil {
		doc, err = f.Submit(f.t.Context(), caller, doc)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return doc
}

// decide decides about a proposal as it is now.
func (f *fixture) decide(ctx context.Context, caller directory.Caller, id string, d directory.Decision, from auth.Client) (directory.Proposal, error) {
	doc, err := f.st.Proposals.Get(ctx, id)
	if err != nil {
		return doc.Value, err
	}
	return f.Decide(ctx, caller, doc, d, from)
}

// published returns a listing that an official has approved.
func (f *fixture) published(caller directory.Caller, l directory.Listing) directory.Listing {
	f.t.Helper()
	p := f.submitted(caller, l).Value
	if _, err := f.decide(f.t.Context(), official, p.ID, directory.Decision{Outcome: directory.ProposalApproved}, auth.Client{}); err != nil {
		f.t.Fatal(err)
	}
	return f.listing(p.ID)
}

func (f *fixture) listing(id string) directory.Listing {
	f.t.Helper()
	doc, err := f.st.Listings.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return doc.Value
}

// notes returns the kinds of messages in somebody's inbox, in alphabetical order.
func (f *fixture) notes(account string) (kinds []directory.NotificationKind) {
	f.t.Helper()
	docs, err := f.st.Notifications.All(f.t.Context(), store.Where(store.Equal("account", account)))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, d := range docs {
		kinds = append(kinds, d.Value.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

// kind fails unless an error has a kind and is about something.
func kind(t *testing.T, what string, err error, want directory.ErrorKind) {
	t.Helper()
	if got := directory.KindOf(err); got != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}
