package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

func TestProposalBecomesPublic(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	unfinished := home("")
	unfinished.Region = ""
	doc, err := f.Propose(ctx, owner, f.firm, unfinished)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Submit(ctx, owner, doc)
	var wrong *directory.Error
	if !errors.As(err, &wrong) || len(wrong.Fields) != 2 {
		t.Fatalf("submitted unfinished: %v", err)
	}
	if doc, err = f.Save(ctx, owner, doc, home("湟水养老院")); err != nil {
		t.Fatal(err)
	}
	stale := doc
	if doc, err = f.Submit(ctx, owner, doc); err != nil {
		t.Fatal(err)
	}
	brand := home("湟水养老院")
	brand.Kind = directory.BrandKind
	_, err = f.Save(ctx, owner, stale, brand)
	kind(t, "another kind", err, directory.Invalid)
	_, err = f.Save(ctx, owner, doc, home("改名"))
	kind(t, "saved while it waits", err, directory.Conflict)
	_, err = f.Submit(ctx, owner, stale)
	kind(t, "submitted twice", err, directory.Precondition)
	if _, err := f.st.Listings.Get(ctx, doc.Value.ID); directory.KindOf(err) != directory.NotFound {
		t.Error("it is public before anybody approved it")
	}
	_, err = f.decide(ctx, official, doc.Value.ID, directory.Decision{Outcome: directory.ProposalReturned}, auth.Client{})
	kind(t, "returned without a reason", err, directory.Invalid)
	p, err := f.decide(ctx, official, doc.Value.ID, directory.Decision{Outcome: directory.ProposalReturned, Reasons: []string{"licence"}, Text: "请补充备案"}, auth.Client{})
	if err != nil || p.State != directory.ProposalReturned {
		t.Fatal(p.State, err)
	}
	doc, err = f.Proposal(ctx, doc.Value.ID)
	if err == nil {
		doc, err = f.Submit(ctx, owner, doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.decide(ctx, official, doc.Value.ID, directory.Decision{Outcome: directory.ProposalApproved}, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	l := f.listing(doc.Value.ID)
	if l.Status != directory.Published || l.Revision != 1 || l.OrganizationID != f.firm.ID || l.Organization != f.firm.LegalName ||
		l.Provenance.Origin != directory.Registered || !l.ReviewDueAt.Equal(noon.Add(90*24*time.Hour)) {
		t.Errorf("published as %+v", l)
	}
	if got := f.notes(owner.Account); !slices.Equal(got, []directory.NotificationKind{directory.NoteApproved, directory.NoteGranted, directory.NoteReturned}) {
		t.Errorf("the owner was told %v", got)
	}
	if p, err := f.st.Proposals.Get(ctx, l.ID); err != nil || p.Value.State != directory.ProposalPublished {
		t.Errorf("the proposal is %s, %v", p.Value.State, err)
	}
}

// What changes while a proposal waits stays changed unless the proposal says otherwise.
func TestApprovalKeepsWhatChangedMeanwhile(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := home("湟水养老院")
	l.Phone = "0971-1111111"
	l = f.published(owner, l)
	doc, err := f.Proposal(ctx, l.ID)
	if err != nil || doc.Value.Base != 1 {
		t.Fatal(doc.Value.Base, err)
	}
	content := doc.Value.Content
	content.Summary = "新的介绍"
	e := *content.ElderCare
	e.Grade = 3
	content.ElderCare = &e
	if doc, err = f.Save(ctx, owner, doc, content); err != nil {
		t.Fatal(err)
	}
	if doc, err = f.Submit(ctx, owner, doc); err != nil {
		t.Fatal(err)
	}
	occupied, phone := 17, "0971-2222222"
	if _, err := f.ChangeDirectly(ctx, owner, l.ID, SmallChange{BedsOccupied: &occupied, Phone: &phone}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.decide(ctx, official, l.ID, directory.Decision{Outcome: directory.ProposalApproved}, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	got := f.listing(l.ID)
	if got.Summary != "新的介绍" || got.ElderCare.Grade != 3 || got.Phone != phone || *got.ElderCare.BedsOccupied != 17 || got.Revision != 3 {
		t.Errorf("published as %+v, %+v", got, got.ElderCare)
	}
}

func TestSmallChanges(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := home("湟水养老院")
	l.Offerings = []directory.Offering{{Name: "全护理", Unit: directory.PerMonth, PriceMin: 300000, PriceMax: 400000}}
	l = f.published(owner, l)
	number := func(n int) *int { return &n }
	offering := func(o directory.Offering) *[]directory.Offering { return &[]directory.Offering{o} }
	cheaper := l.Offerings[0]
	cheaper.PriceMin = 250000
	other := l.Offerings[0]
	other.Name = "半护理"
	private := "13800138000"
	for _, tc := range []struct {
		what   string
		change SmallChange
		kind   directory.ErrorKind
	}{
		{"beds", SmallChange{BedsOccupied: number(12)}, ""},
		{"more beds than there are", SmallChange{BedsOccupied: number(41)}, directory.Invalid},
		{"a price", SmallChange{Offerings: offering(cheaper)}, ""},
		{"another offering", SmallChange{Offerings: offering(other)}, directory.Invalid},
		{"a mobile number", SmallChange{Phone: &private}, directory.Invalid},
		{"classes of a nursery", SmallChange{Classes: &[]directory.ChildcareClass{{Group: directory.MixedClass, Capacity: 10, Vacancies: 1}}}, directory.Invalid},
	} {
		_, err := f.ChangeDirectly(ctx, owner, l.ID, tc.change)
		kind(t, tc.what, err, tc.kind)
	}
	if got := f.listing(l.ID); got.Offerings[0].PriceMin != 250000 || *got.ElderCare.BedsOccupied != 12 || got.Revision != 3 {
		t.Errorf("it became %+v", got)
	}
	_, err := f.ChangeDirectly(ctx, owner, "01a192b0-7400-7000-8000-0000000000ee", SmallChange{Phone: &private})
	kind(t, "of nothing", err, directory.Conflict)
}

// 50 changes at once all count, each on top of the others.
func TestParallelChanges(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			_, err := f.change(ctx, l.ID, directory.Revision{Via: directory.ViaDirect}, func(l *directory.Listing) error {
				l.Aliases = append(slices.Clone(l.Aliases), fmt.Sprint(i))
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := f.listing(l.ID); len(got.Aliases) != 50 || got.Revision != 51 {
		t.Errorf("%d of 50 changes are left at revision %d", len(got.Aliases), got.Revision)
	}
}

func TestTwoOfficials(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	id := f.submitted(owner, home("湟水养老院")).Value.ID
	other := directory.Caller{Account: "01a192b0-7400-7000-8000-0000000000fe"}

	var wg sync.WaitGroup
	var mu sync.Mutex
	took := map[string]int{}
	for i := range 20 {
		wg.Go(func() {
			who := []directory.Caller{official, other}[i%2]
			if _, err := f.Take(ctx, who, id); err == nil {
				mu.Lock()
				took[who.Account]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(took) != 1 {
		t.Fatalf("taken by %v", took)
	}
	holder, late := official, other
	if took[official.Account] == 0 {
		holder, late = other, official
	}
	approve := directory.Decision{Outcome: directory.ProposalApproved}
	_, err := f.decide(ctx, late, id, approve, auth.Client{})
	kind(t, "decided by the other", err, directory.Conflict)
	_, err = f.Release(ctx, late, id)
	kind(t, "released by the other", err, directory.Conflict)
	f.clock.Advance(reviewTime)
	if _, err := f.Take(ctx, late, id); err != nil {
		t.Errorf("after half an hour: %v", err)
	}
	if _, err := f.Release(ctx, late, id); err != nil {
		t.Error(err)
	}

	stale, err := f.st.Proposals.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Take(ctx, late, id); err != nil {
		t.Fatal(err)
	}
	_, err = f.Decide(ctx, late, stale, approve, auth.Client{})
	kind(t, "decided in the version before", err, directory.Precondition)
	member := directory.Caller{Account: late.Account, Grants: []directory.Grant{{Role: directory.Staff, Organization: f.firm.ID}}}
	_, err = f.decide(ctx, member, id, approve, auth.Client{})
	kind(t, "decided by a member", err, directory.Forbidden)
	if _, err := f.Release(ctx, late, id); err != nil {
		t.Fatal(err)
	}

	decided := 0
	for i := range 20 {
		wg.Go(func() {
			d := approve
			if i%2 == 1 {
				d = directory.Decision{Outcome: directory.ProposalRejected, Reasons: []string{"other"}}
			}
			if _, err := f.decide(ctx, []directory.Caller{holder, late}[i%2], id, d, auth.Client{}); err == nil {
				mu.Lock()
				decided++
				mu.Unlock()
			} else if k := directory.KindOf(err); k != directory.Conflict && k != directory.Precondition {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if decided != 1 {
		t.Errorf("decided %d times", decided)
	}
}

// A crash between any two writes of an approval is finished by Heal, once.
func TestHealFinishesApprovals(t *testing.T) {
	for name, crash := range map[string]func(f *fixture, p directory.Proposal) error{
		"after the decision": func(*fixture, directory.Proposal) error { return nil },
		"after the revision": func(f *fixture, p directory.Proposal) error {
			content := p.Content
			content.Revision = 1
			content.Confirm(p.Decision.At)
			_, err := f.st.Revisions.Insert(context.Background(), directory.Revision{
				ID: directory.RevisionID(p.ID, 1), Listing: p.ID, Number: 1, Via: directory.ViaReview,
				By: p.SubmittedBy, ApprovedBy: p.Decision.By, At: p.Decision.At, Content: content,
			})
			return err
		},
		"after the listing": func(f *fixture, p directory.Proposal) error {
			if err := f.publish(context.Background(), p); err != nil {
				return err
			}
			_, err := f.st.Proposals.Update(context.Background(), p.ID, func(p *directory.Proposal) error {
				p.State = directory.ProposalApproved
				return nil
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, ctx := newFixture(t), t.Context()
			id := f.submitted(f.person(1, directory.Owner), home("湟水养老院")).Value.ID
			doc, err := f.st.Proposals.Update(ctx, id, func(p *directory.Proposal) error {
				p.State = directory.ProposalApproved
				p.Decision = &directory.Decision{Outcome: directory.ProposalApproved, By: official.Account, At: f.now()}
				return nil
			})
			if err == nil {
				err = crash(f, doc.Value)
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := f.Heal(ctx); err != nil {
					t.Fatal(err)
				}
			}
			p, err := f.st.Proposals.Get(ctx, id)
			revisions, err2 := f.st.Revisions.All(ctx, store.Where(store.Equal("listing", id)))
			if l := f.listing(id); err != nil || err2 != nil || p.Value.State != directory.ProposalPublished || len(revisions) != 1 || l.Revision != 1 || l.Status != directory.Published {
				t.Errorf("proposal %s, %d revisions, listing %s at %d; %v, %v", p.Value.State, len(revisions), l.Status, l.Revision, err, err2)
			}
		})
	}
}

// A revision that its listing never followed is not lost by the next change.
func TestChangeAfterACrash(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	lost := l
	lost.Revision, lost.Summary = 2, "写下却没有跟上"
	if _, err := f.st.Revisions.Insert(ctx, directory.Revision{ID: directory.RevisionID(l.ID, 2), Listing: l.ID, Number: 2, Via: directory.ViaDirect, At: f.now(), Content: lost}); err != nil {
		t.Fatal(err)
	}
	phone := "0971-2222222"
	got, err := f.ChangeDirectly(ctx, owner, l.ID, SmallChange{Phone: &phone})
	if err != nil || got.Revision != 3 || got.Summary != lost.Summary || got.Phone != phone {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRestoreAndSuspend(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	phone := "0971-2222222"
	if _, err := f.ChangeDirectly(ctx, owner, l.ID, SmallChange{Phone: &phone}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Suspend(ctx, official, l.ID, directory.Decision{}, auth.Client{}); directory.KindOf(err) != directory.Invalid {
		t.Errorf("suspended without a reason: %v", err)
	}
	if _, err := f.Suspend(ctx, official, l.ID, directory.Decision{Reasons: []string{"complaint"}}, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Restore(ctx, official.Account, l.ID, 1); err != nil || got.Phone != "" || got.Status != directory.Suspended || got.Revision != 4 {
		t.Errorf("restored: %+v, %v", got, err)
	}
	_, err := f.Restore(ctx, official.Account, l.ID, 99)
	kind(t, "restored from nothing", err, directory.NotFound)
	if got, err := f.Unsuspend(ctx, official, l.ID); err != nil || got.Status != directory.Published {
		t.Errorf("%+v, %v", got, err)
	}
	revisions, _, err := f.Revisions(ctx, l.ID, 10, nil)
	if err != nil || len(revisions) != 5 || revisions[0].Number != 5 || revisions[2].Via != directory.ViaStatus || !strings.Contains(revisions[2].Note, "投诉") {
		t.Errorf("%d revisions, %v", len(revisions), err)
	}
	if got := f.notes(owner.Account); !slices.Contains(got, directory.NoteSuspended) {
		t.Errorf("the owner was told %v", got)
	}
}

func TestMerge(t *testing.T) {
	beds := func(n int) *int { return &n }
	base := directory.Listing{ID: "a", Names: directory.Names{Zh: "旧"}, Phone: "1", Summary: "s", ElderCare: &directory.ElderCare{BedsTotal: beds(10), BedsOccupied: beds(1)}}
	proposed, current := base, base
	proposed.Names.Zh, proposed.Summary = "新", ""
	proposed.ElderCare = &directory.ElderCare{BedsTotal: beds(20), BedsOccupied: beds(1)}
	current.Phone, current.Address = "2", "街"
	current.ElderCare = &directory.ElderCare{BedsTotal: beds(10), BedsOccupied: beds(9)}
	got, err := merge(&base, &proposed, &current)
	if err != nil {
		t.Fatal(err)
	}
	if got.Names.Zh != "新" || got.Summary != "" || got.Phone != "2" || got.Address != "街" || *got.ElderCare.BedsTotal != 20 || *got.ElderCare.BedsOccupied != 9 {
		t.Errorf("%+v %+v", got, got.ElderCare)
	}
	if same, err := merge(&base, &base, &current); err != nil || same.Phone != "2" || same.Summary != "s" {
		t.Errorf("nothing proposed: %+v, %v", same, err)
	}
	if same, err := merge(&base, &proposed, &base); err != nil || same.Names.Zh != "新" || same.Summary != "" || same.Phone != "1" {
		t.Errorf("nothing changed meanwhile: %+v, %v", same, err)
	}
}

func TestDuplicates(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	first := home("海东市乐都区湟水养老院")
	first.Phone, first.Address = "0972-8621234", "乐都区碾伯镇古城大街12号"
	first.Location = &directory.Point{Lat: 36.48, Lon: 102.40}
	first = f.published(owner, first)
	f.published(owner, home("互助县东山敬老院"))
	f.index()
	near := &directory.Point{Lat: 36.4801, Lon: 102.4001}
	for _, tc := range []struct {
		name, phone, address string
		at                   *directory.Point
		why                  []string // nil: none is found
	}{
		{"海东市乐都区湟水养老院", "", "", nil, []string{"name"}},
		{"乐都区湟水养老院", "0972-8621234", "", nil, []string{"name", "phone"}},
		{"乐都黄水养老院", "972-8621234", "", near, []string{"phone", "distance"}}, // 湟 and 黄 sound alike
		{"海东市乐都区湟水养老院有限公司", "", "乐都区碾伯镇古城大街12号", near, []string{"name", "address", "distance"}},
		{"民和县川口养老院", "", "", nil, nil},
		{"西宁市城北区阳光公寓", "", "", near, nil}, // a neighbour
	} {
		l := home(tc.name)
		l.ID, l.Phone, l.Address, l.Location = "01a192b0-7400-7000-8000-0000000000dd", tc.phone, tc.address, tc.at
		got, err := f.duplicates(ctx, &l)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case tc.why == nil && len(got) > 0, tc.why != nil && (len(got) != 1 || got[0].Listing != first.ID):
			t.Errorf("%s: %+v", tc.name, got)
		case tc.why != nil:
			for _, w := range tc.why {
				if !slices.Contains(got[0].Why, w) {
					t.Errorf("%s: not because of %s: %+v", tc.name, w, got[0])
				}
			}
		}
	}
	if got, err := f.duplicates(ctx, &first); err != nil || len(got) != 0 {
		t.Errorf("a listing is its own duplicate: %+v, %v", got, err)
	}
}

func TestFreshness(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	const day = 24 * time.Hour
	told := func() (n int) {
		for _, k := range f.notes(owner.Account) {
			if k == directory.NoteReviewDue {
				n++
			}
		}
		return n
	}
	for _, tc := range []struct {
		days   int // since it was approved
		told   int
		stale  bool
		status directory.Status
	}{
		{59, 0, false, directory.Published},
		{60, 1, false, directory.Published}, // 30 days before
		{82, 1, false, directory.Published},
		{83, 2, false, directory.Published}, // 7 days before
		{90, 2, false, directory.Published},
		{91, 2, true, directory.Published},
		{150, 2, true, directory.Published},
		{151, 2, true, directory.Expired},
	} {
		f.clock.To(noon.Add(time.Duration(tc.days) * day))
		for range 2 {
			if err := f.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.listing(l.ID); told() != tc.told || got.Stale != tc.stale || got.Status != tc.status {
			t.Errorf("day %d: told %d times, stale %t, %s", tc.days, told(), got.Stale, got.Status)
		}
	}
	got, err := f.Confirm(ctx, owner, l.ID)
	if err != nil || got.Status != directory.Published || got.Stale || !got.ReviewDueAt.Equal(f.now().Add(90*day)) {
		t.Errorf("confirmed: %+v, %v", got, err)
	}
	if satisfaction, _ := got.Rank(); satisfaction != 0 {
		t.Errorf("it still ranks as stale: %v", satisfaction)
	}
}

func TestReportsBringToTheQueue(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	waiting := func() int {
		docs, _, err := f.Queue(ctx, directory.Caller{Account: "x", SecondFactor: true, Grants: []directory.Grant{{Role: directory.Admin}}},
			directory.Permission{Roles: []directory.Role{directory.Admin}}, QueueFilter{}, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(docs)
	}
	report := func(n int) {
		t.Helper()
		who := directory.Caller{Account: fmt.Sprintf("01a192b0-7400-7000-8000-%012d", n)}
		if _, err := f.Report(ctx, who, directory.Report{Listing: l.ID, Fields: []string{"phone"}, Text: "打不通"}); err != nil {
			t.Fatal(err)
		}
	}
	report(1)
	report(1) // the same person again
	report(2)
	if waiting() != 0 {
		t.Error("two people bring it into the queue")
	}
	report(3)
	report(4)
	if waiting() != 1 {
		t.Errorf("%d wait after three reports", waiting())
	}
	if n, err := f.DecideReports(ctx, official, l.ID, false); err != nil || n != 4 {
		t.Errorf("%d decided, %v", n, err)
	}
	_, err := f.Report(ctx, owner, directory.Report{Listing: l.ID, Fields: []string{"weather"}})
	kind(t, "about the weather", err, directory.Invalid)
	_, err = f.Report(ctx, owner, directory.Report{Listing: "01a192b0-7400-7000-8000-0000000000ee", Fields: []string{"phone"}})
	kind(t, "about nothing", err, directory.NotFound)
}

func TestExternalIDsAreTheOrganizationsOwn(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := home("湟水养老院")
	l.ExternalID = "A-1"
	f.published(owner, l)
	_, err := f.Propose(ctx, owner, f.firm, l)
	kind(t, "the same id twice", err, directory.Invalid)
	other := f.firm
	other.ID = "01a192b0-7400-7000-8000-00000000000b"
	if _, err := f.Propose(ctx, owner, other, l); err != nil {
		t.Errorf("another organization's id: %v", err)
	}
}

func TestQueuePages(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	var want []string
	for i := range 7 {
		l := home(fmt.Sprintf("养老院%d号", i))
		if i%2 == 1 {
			l.Region = "632701" // out of scope
		}
		id := f.submitted(owner, l).Value.ID
		if i%2 == 0 {
			want = append(want, id)
		}
		f.clock.Advance(time.Minute)
	}
	g := directory.Grant{Account: official.Account, Role: directory.Official, Bureau: directory.CivilAffairs, Region: "630200", Powers: []directory.Power{directory.ReviewPower}}
	who := directory.Caller{Account: official.Account, SecondFactor: true, Grants: []directory.Grant{g}}
	p := directory.Permission{Roles: []directory.Role{directory.Official}, Power: directory.ReviewPower}
	var got []string
	var after *store.Position
	for {
		docs, next, err := f.Queue(ctx, who, p, QueueFilter{}, 2, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			got = append(got, d.Value.ID)
		}
		if after = next; next == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the queue is %v, want %v", got, want)
	}
}

func TestMergeListings(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	a, b := f.published(owner, home("湟水养老院")), f.published(owner, home("乐都湟水养老院"))
	doc, err := f.Proposal(ctx, b.ID)
	if err == nil {
		doc, err = f.Save(ctx, owner, doc, home("改名养老院"))
	}
	if err == nil {
		_, err = f.Submit(ctx, owner, doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // after a crash it may begin again
		_, err := f.Merge(ctx, official, b.ID, a.ID)
		if l := f.listing(b.ID); l.Status != directory.Archived || l.MergedInto != a.ID || l.Revision != 2 {
			t.Fatalf("it is %+v, %v", l, err)
		}
	}
	if l := f.listing(a.ID); !slices.Equal(l.Aliases, []string{"乐都湟水养老院"}) || l.Revision != 2 {
		t.Errorf("the other is %+v", l)
	}
	_, err = f.Merge(ctx, official, a.ID, b.ID)
	kind(t, "into one that is gone", err, directory.Conflict)
	_, err = f.decide(ctx, official, b.ID, directory.Decision{Outcome: directory.ProposalApproved}, auth.Client{})
	if l := f.listing(b.ID); err != nil || l.Status != directory.Archived {
		t.Errorf("an approval brings it back: %s, %v", l.Status, err)
	}
	doc, err = f.Proposal(ctx, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Save(ctx, owner, doc, home("又改名"))
	kind(t, "changed after it was archived", err, directory.Conflict)
	if got := f.notes(owner.Account); !slices.Contains(got, directory.NoteMerged) {
		t.Errorf("the owner was told %v", got)
	}
}

// TestMergeIntoEachOther lets two servers merge two listings into each other: one of
// them stays.
func TestMergeIntoEachOther(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	other, err := New(ctx, f.Config)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		a, b := f.published(owner, home("湟水养老院")), f.published(owner, home("湟水养老院"))
		var merging sync.WaitGroup
		merged := make([]error, 2)
		merging.Go(func() { _, merged[0] = f.Merge(ctx, official, a.ID, b.ID) })
		merging.Go(func() { _, merged[1] = other.Merge(ctx, official, b.ID, a.ID) })
		merging.Wait()
		for _, err := range merged {
			if err != nil && directory.KindOf(err) != directory.Conflict {
				t.Fatal(err)
			}
		}
		if f.listing(a.ID).Status != directory.Published && f.listing(b.ID).Status != directory.Published {
			t.Fatalf("both are gone: %v", merged)
		}
	}
}

// An organization cannot choose who decides by saying that it is elsewhere.
func TestBothRegionsDecide(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	moved := home("湟水养老院")
	moved.Region = "632701"
	doc, err := f.Proposal(ctx, l.ID)
	if err == nil {
		doc, err = f.Save(ctx, owner, doc, moved)
	}
	if err == nil {
		_, err = f.Submit(ctx, owner, doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := directory.Permission{Roles: []directory.Role{directory.Official}, Power: directory.ReviewPower}
	for region, may := range map[string]bool{"630200": false, "632700": false, "630000": true} {
		g := directory.Grant{Account: "x", Role: directory.Official, Bureau: directory.CivilAffairs, Region: region, Powers: []directory.Power{directory.ReviewPower}}
		who := directory.Caller{Account: "x", SecondFactor: true, Grants: []directory.Grant{g}}
		docs, _, err := f.Queue(ctx, who, p, QueueFilter{}, 10, nil)
		if err != nil || (len(docs) == 1) != may {
			t.Errorf("an official of %s sees %d, %v", region, len(docs), err)
		}
	}
}

func TestApprovalIsValid(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := f.published(owner, home("湟水养老院"))
	beds, occupied := 10, 30
	fewer := home("湟水养老院")
	fewer.ElderCare = &directory.ElderCare{BedsTotal: &beds}
	doc, err := f.Proposal(ctx, l.ID)
	if err == nil {
		doc, err = f.Save(ctx, owner, doc, fewer)
	}
	if err == nil {
		_, err = f.Submit(ctx, owner, doc)
	}
	if err == nil {
		_, err = f.ChangeDirectly(ctx, owner, l.ID, SmallChange{BedsOccupied: &occupied})
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.decide(ctx, official, l.ID, directory.Decision{Outcome: directory.ProposalApproved}, auth.Client{})
	kind(t, "fewer beds than are occupied by now", err, directory.Invalid)
	_, err = f.Suspend(ctx, official, l.ID, directory.Decision{Reasons: []string{"other"}}, auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Archive(ctx, owner, l.ID)
	kind(t, "archived to get rid of a suspension", err, directory.Conflict)
}

func TestParallelExternalIDs(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	owner := f.person(1, directory.Owner)
	l := home("湟水养老院")
	l.ExternalID = "A-1"
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 12 {
		wg.Go(func() {
			if _, err := f.Propose(ctx, owner, f.firm, l); err == nil {
				mu.Lock()
				made++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("one external id was taken %d times", made)
	}
}
