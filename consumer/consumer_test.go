package consumer

import (
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

// fixture is the use cases on an empty store, with a clock that is moved by hand.
type fixture struct {
	*Consumer
	t       *testing.T
	clock   *trial.Clock
	indexer *search.Indexer
	engine  search.Engine
	people  int
	firms   int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	e := trial.New(t, noon, nil)
	return &fixture{t: t, clock: e.Clock, indexer: e.Indexer, engine: e.Search, Consumer: New(Config{
		Store: e.Store, Auth: e.Auth, Photos: e.Photos, Search: e.Search, Regions: e.Regions, Calendar: e.Calendar, Rules: directory.DefaultRatingRules(),
		PublicURL: "https://qingfu.test", Log: e.Log, Now: e.Clock.Now, Random: rand.Reader,
	})}
}

// fatal ends the test with an error.
func (f *fixture) fatal(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// resident is a caller with an account and no role.
func (f *fixture) resident() directory.Caller {
	f.t.Helper()
	f.people++
	phone := fmt.Sprintf("1390000%04d", f.people)
	f.fatal(f.Auth.AddDemo(f.t.Context(), phone, fmt.Sprintf("居民%d", f.people), "", nil, f.Regions))
	account, err := f.Auth.FindAccount(f.t.Context(), phone)
	f.fatal(err)
	return directory.Caller{Account: account.ID}
}

// firm is a verified organization with an owner.
func (f *fixture) firm() (directory.Organization, directory.Caller) {
	f.t.Helper()
	f.firms++
	id, err := f.newID()
	f.fatal(err)
	o := directory.Organization{
		ID: id, CreditCode: directory.CreditCode(fmt.Sprintf("91630102%010d", f.firms)), LegalName: fmt.Sprintf("湟水服务%d有限公司", f.firms),
		Region: "630102", ContactName: "甲", State: directory.OrganizationVerified, CreatedAt: noon, UpdatedAt: noon,
	}
	_, err = f.Store.Organizations.Insert(f.t.Context(), o)
	f.fatal(err)
	owner := f.resident()
	g := directory.Grant{Account: owner.Account, Role: directory.Owner, Organization: id}
	f.fatal(f.Auth.GrantTo(f.t.Context(), directory.Caller{}, g, auth.Client{}))
	owner.Grants = []directory.Grant{g}
	return o, owner
}

// listing stores and indexes a published listing of an organization.
func (f *fixture) listing(l directory.Listing) directory.Listing {
	f.t.Helper()
	var err error
	l.ID, err = f.newID()
	f.fatal(err)
	l.Status, l.CreatedAt, l.UpdatedAt = directory.Published, noon, noon
	f.fatal(l.Validate(f.Regions))
	_, err = f.Store.Listings.Insert(f.t.Context(), l)
	f.fatal(err)
	doc, err := f.indexer.Document(&l)
	f.fatal(err)
	f.fatal(f.engine.Put(f.t.Context(), doc))
	return l
}

// cleaning is a domestic service of an organization in 城东区 that also serves 城中区.
func (f *fixture) cleaning(organization string) directory.Listing {
	f.t.Helper()
	return f.listing(directory.Listing{
		Kind: directory.DomesticServiceKind, Names: directory.Names{Zh: "湟水保洁"}, OrganizationID: organization, Region: "630102001",
		Categories:      []string{"cleaning"},
		Offerings:       []directory.Offering{{Category: "cleaning", Name: "日常保洁", Unit: directory.PerHour, PriceMin: 4000, PriceMax: 5000}},
		DomesticService: &directory.DomesticService{CountiesServed: []string{"630103"}},
		Provenance:      directory.Provenance{Origin: directory.Registered},
	})
}

// open keeps a calendar for a listing: slots of an hour, around the clock.
func (f *fixture) open(l *directory.Listing, capacity int) directory.BookingCalendar {
	f.t.Helper()
	doc, err := f.SaveCalendar(f.t.Context(), l, 0, directory.BookingCalendar{
		Hours: directory.Hours{Always: true}, SlotMinutes: 60, Capacity: capacity, HorizonDays: 60,
	})
	f.fatal(err)
	return doc.Value
}

// wanted is a booking of a cleaning without fault.
func wanted(l *directory.Listing, at time.Time) Wanted {
	return Wanted{
		Kind: directory.ServiceBooking, Listing: l.ID, Offering: "日常保洁", StartsAt: at,
		Contact: directory.BookingContact{Address: "东关大街1号3单元"},
	}
}

// notes returns the kinds of messages in somebody's inbox, in alphabetical order.
func (f *fixture) notes(account string) (kinds []directory.NotificationKind) {
	f.t.Helper()
	docs, err := f.Store.Notifications.All(f.t.Context(), store.Where(store.Equal("account", account)))
	f.fatal(err)
	for _, d := range docs {
		if d.Value.Kind != directory.NoteGranted {
			kinds = append(kinds, d.Value.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// told fails unless somebody's inbox has messages of these kinds.
func (f *fixture) told(who string, caller directory.Caller, want ...directory.NotificationKind) {
	f.t.Helper()
	slices.Sort(want)
	if got := f.notes(caller.Account); !slices.Equal(got, want) {
		f.t.Errorf("%s was told %v, want %v", who, got, want)
	}
}
