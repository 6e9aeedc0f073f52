package statistics

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
	"qingfu/trial"
)

// publishing is by what bulletins are made and published.
var publishing = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.PublishPower}

// reading is by what everybody reads, and officials drafts.
var reading = directory.Permission{Public: true, Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.StatisticsPower}

// official is a caller with an account and a role, who has shown a second factor.
func (f *fixture) official(bureau directory.Bureau, region string, powers ...directory.Power) directory.Caller {
	f.t.Helper()
	f.given++
	g := directory.Grant{Role: directory.Official, Bureau: bureau, Region: region, Powers: powers}
	phone := fmt.Sprintf("1390000%04d", f.given)
	f.fatal(f.Auth.AddDemo(f.t.Context(), phone, "工作人员", "", []directory.Grant{g}, f.Regions))
	account, err := f.Auth.FindAccount(f.t.Context(), phone)
	f.fatal(err)
	g.Account = account.ID
	return directory.Caller{Account: account.ID, SecondFactor: true, Grants: []directory.Grant{g}}
}

// drafted is the messages about drafts in somebody's inbox.
func (f *fixture) drafted(who directory.Caller) (ids []string) {
	f.t.Helper()
	docs, err := f.Store.Notifications.All(f.t.Context(), store.Where(store.Equal("account", who.Account)))
	f.fatal(err)
	for _, d := range docs {
		if d.Value.Kind == directory.NoteBulletinDrafted {
			ids = append(ids, d.Value.Params["bulletin"])
		}
	}
	slices.Sort(ids)
	return ids
}

// audited is the lines of the audit log about bulletins.
func (f *fixture) audited() (lines []string) {
	f.t.Helper()
	docs, err := f.Store.Audit.All(f.t.Context(), store.Where(store.Equal("action", string(directory.AuditBulletin))))
	f.fatal(err)
	for _, d := range docs {
		what, _, _ := strings.Cut(d.Value.Detail, " ")
		lines = append(lines, what+" "+d.Value.Subject)
	}
	slices.Sort(lines)
	return lines
}

// draftIDs are the ids of all drafts, with their states where they are discarded.
func (f *fixture) draftIDs(who directory.Caller) (ids []string) {
	f.t.Helper()
	list, err := f.BulletinDrafts(f.t.Context(), who, reading, BulletinFilter{})
	f.fatal(err)
	for _, b := range list {
		id := b.ID()
		if b.State == directory.BulletinDiscarded {
			id += " discarded"
		}
		ids = append(ids, id)
	}
	return ids
}

// period reads a key.
func (f *fixture) period(key string) directory.Period {
	f.t.Helper()
	p, ok := directory.ParsePeriod(key)
	if !ok {
		f.t.Fatalf("%s is no period", key)
	}
	return p
}

// september are ratings of a month: two prefectures that can be shown, two that cannot.
func (f *fixture) september() []directory.Rating {
	at := in(202609)
	out := f.rate(directory.Rating{Region: "630102001", Category: "cleaning", Level: 5, CreatedAt: at}, 95)
	out = append(out, f.rate(directory.Rating{Region: "630102001", Category: "nanny", Level: 1, CreatedAt: at}, 5)...)
	out = append(out, f.rate(directory.Rating{Region: "630202", Category: "cleaning", Level: 4, CreatedAt: at}, 30)...)
	out = append(out, f.rate(directory.Rating{Region: "632621", Category: "cleaning", Level: 2, CreatedAt: at}, 3)...)
	out = append(out, f.rate(directory.Rating{Region: "632801", Category: "cleaning", Level: 3, CreatedAt: at}, 20)...)
	return append(out, f.rate(directory.Rating{Region: "630202", Category: "cleaning", Level: 5, CreatedAt: at, State: directory.RatingHeld, Findings: []directory.Finding{{Rule: directory.RuleSameDevice}}}, 2)...)
}

// to moves the clock to a time of Shanghai.
func (f *fixture) to(text string) {
	f.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, directory.Shanghai)
	f.fatal(err)
	f.clock.To(at)
}

// sweep lets several servers do at once what time asks for.
func (f *fixture) sweep() {
	f.t.Helper()
	var servers sync.WaitGroup
	for range 3 {
		server := New(f.Config)
		servers.Go(func() {
			if err := server.Sweep(f.t.Context()); err != nil {
				f.t.Error(err)
			}
		})
	}
	servers.Wait()
}

// same fails unless two lists are the same.
func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestScheduleMakesEachDraftOnce(t *testing.T) {
	f := newFixture(t)
	bureau := f.official(directory.Statistics, "630000", directory.PublishPower)
	commerce := f.official(directory.Commerce, "630000", directory.PublishPower, directory.StatisticsPower)
	others := []directory.Caller{
		f.official(directory.Commerce, "630100", directory.PublishPower), f.official(directory.Health, "630000", directory.PublishPower),
		f.official(directory.Statistics, "630000", directory.StatisticsPower),
	}
	f.to("2026-10-10 00:00:00")
	f.sweep()
	same(t, "before anybody has rated", f.draftIDs(bureau))

	f.september()
	f.to("2026-10-09 23:59:59")
	f.sweep()
	same(t, "before the 10th", f.draftIDs(bureau))
	f.to("2026-10-10 00:00:00")
	f.sweep()
	same(t, "on the 10th", f.draftIDs(bureau), "2026-Q3.1", "2026-09.1")
	f.clock.Advance(time.Minute)
	f.sweep()
	for _, who := range []directory.Caller{bureau, commerce} {
		same(t, "who publishes is told", f.drafted(who), "2026-09.1", "2026-Q3.1")
	}
	for _, who := range others {
		same(t, "others are told", f.drafted(who))
	}
	same(t, "the audit log", f.audited(), "made 2026-09.1", "made 2026-Q3.1")

	// Neither what was published nor what was discarded is made again.
	september, _, err := f.Bulletin(t.Context(), bureau, reading, "2026-09.1")
	f.fatal(err)
	_, err = f.PublishBulletin(t.Context(), bureau, publishing, "2026-09.1", september.ContentSHA256, auth.Client{})
	f.fatal(err)
	f.fatal(f.DiscardBulletin(t.Context(), commerce, publishing, "2026-Q3.1", auth.Client{}))
	f.sweep()
	same(t, "after publishing and discarding", f.draftIDs(bureau), "2026-Q3.1 discarded")
	same(t, "the audit log", f.audited(), "discarded 2026-Q3.1", "made 2026-09.1", "made 2026-Q3.1", "published 2026-09.1")
	if _, err := f.PublishBulletin(t.Context(), bureau, publishing, "2026-Q3.1", september.ContentSHA256, auth.Client{}); directory.KindOf(err) != directory.Conflict {
		t.Errorf("publishing what was discarded: %v", err)
	}
	if err := f.DiscardBulletin(t.Context(), bureau, publishing, "2026-09.1", auth.Client{}); directory.KindOf(err) != directory.Conflict {
		t.Errorf("discarding what was published: %v", err)
	}

	// In the new year, all three.
	f.rate(directory.Rating{Region: "630102001", Level: 5, CreatedAt: in(202612)}, 12)
	f.to("2027-01-10 00:00:00")
	f.sweep()
	same(t, "in January", f.draftIDs(bureau), "2026.1", "2026-Q4.1", "2026-12.1", "2026-Q3.1 discarded")
}

func TestAdminsAreToldWhereNobodyPublishes(t *testing.T) {
	f := newFixture(t)
	f.given++
	f.fatal(f.Auth.AddDemo(t.Context(), "13900009999", "管理员", "", []directory.Grant{{Role: directory.Admin}}, f.Regions))
	account, err := f.Auth.FindAccount(t.Context(), "13900009999")
	f.fatal(err)
	f.september()
	f.to("2026-10-10 00:00:00")
	f.sweep()
	same(t, "the admin is told", f.drafted(directory.Caller{Account: account.ID}), "2026-09.1", "2026-Q3.1")
}

func TestWhoMakesAndSeesBulletins(t *testing.T) {
	f := newFixture(t)
	f.september()
	ctx, september := t.Context(), f.period("2026-09")
	f.to("2026-10-01 00:00:00")
	publisher := f.official(directory.Commerce, "630000", directory.PublishPower)
	reader := f.official(directory.Statistics, "630000", directory.StatisticsPower)
	oneFactor := publisher
	oneFactor.SecondFactor = false
	for name, tc := range map[string]struct {
		caller          directory.Caller
		makes, sees     directory.ErrorKind
		listing, public directory.ErrorKind
	}{
		"publisher":    {publisher, "", "", "", ""},
		"reader":       {reader, directory.Forbidden, "", "", ""},
		"admin":        {directory.Caller{Account: "a", SecondFactor: true, Grants: []directory.Grant{{Role: directory.Admin}}}, "", "", "", ""},
		"prefecture":   {f.official(directory.Commerce, "630100", directory.PublishPower, directory.StatisticsPower), directory.Forbidden, directory.NotFound, directory.Forbidden, ""},
		"other bureau": {f.official(directory.CivilAffairs, "630000", directory.PublishPower, directory.StatisticsPower), directory.Forbidden, directory.NotFound, directory.Forbidden, ""},
		"no power":     {f.official(directory.Statistics, "630000", directory.ReviewPower), directory.Forbidden, directory.NotFound, directory.Forbidden, ""},
		"one factor":   {oneFactor, directory.Forbidden, directory.Unauthenticated, directory.Unauthenticated, ""},
		"stranger":     {directory.Caller{}, directory.Forbidden, directory.NotFound, directory.Forbidden, ""},
	} {
		_, err := f.MakeBulletin(ctx, tc.caller, publishing, september, "", auth.Client{})
		if directory.KindOf(err) != tc.makes {
			t.Errorf("%s makes one: %v", name, err)
		}
		_, err = f.MakeBulletin(ctx, publisher, publishing, september, "", auth.Client{})
		f.fatal(err)
		for _, id := range []string{"2026-09", "2026-09.1"} {
			if _, _, err = f.Bulletin(ctx, tc.caller, reading, id); directory.KindOf(err) != tc.sees {
				t.Errorf("%s sees %s: %v", name, id, err)
			}
		}
		if _, err = f.BulletinDrafts(ctx, tc.caller, reading, BulletinFilter{}); directory.KindOf(err) != tc.listing {
			t.Errorf("%s lists drafts: %v", name, err)
		}
	}
	draft, _, err := f.Bulletin(ctx, publisher, reading, "2026-09")
	f.fatal(err)
	if _, err := f.PublishBulletin(ctx, reader, publishing, "2026-09.1", draft.ContentSHA256, auth.Client{}); directory.KindOf(err) != directory.Forbidden {
		t.Errorf("a reader publishes: %v", err)
	}
	if err := f.DiscardBulletin(ctx, reader, publishing, "2026-09.1", auth.Client{}); directory.KindOf(err) != directory.Forbidden {
		t.Errorf("a reader discards: %v", err)
	}
	for id, want := range map[string]directory.ErrorKind{"2026-09.2": directory.NotFound, "2026-08": directory.NotFound, "2026-9": directory.NotFound} {
		if _, _, err := f.Bulletin(ctx, publisher, reading, id); directory.KindOf(err) != want {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := f.MakeBulletin(ctx, publisher, publishing, f.period("2026-10"), "", auth.Client{}); directory.KindOf(err) != directory.Invalid {
		t.Errorf("a period that has not ended: %v", err)
	}
}

// TestPublishedBulletinsAreFrozen publishes a bulletin, changes everything under it, and
// corrects it.
func TestPublishedBulletinsAreFrozen(t *testing.T) {
	f := newFixture(t)
	ctx, september := t.Context(), f.period("2026-09")
	ratings := f.september()
	publisher := f.official(directory.Statistics, "630000", directory.PublishPower)
	nobody := directory.Caller{}
	f.to("2026-10-10 08:00:00")
	make := func(correction string) (directory.Bulletin, error) {
		return f.MakeBulletin(ctx, publisher, publishing, september, correction, auth.Client{})
	}
	publish := func(b directory.Bulletin) (directory.Bulletin, error) {
		return f.PublishBulletin(ctx, publisher, publishing, b.ID(), b.ContentSHA256, auth.Client{})
	}

	// A draft can be made anew, and nobody publishes what they have not seen.
	first, err := make("")
	f.fatal(err)
	f.rate(directory.Rating{Region: "630202", Level: 1, CreatedAt: in(202609)}, 1)
	f.clock.Advance(time.Minute)
	second, err := make("")
	f.fatal(err)
	if first.ID() != second.ID() || first.ContentSHA256 == second.ContentSHA256 {
		t.Fatalf("the draft made anew is %s %s, after %s %s", second.ID(), second.ContentSHA256, first.ID(), first.ContentSHA256)
	}
	if _, err := publish(first); directory.KindOf(err) != directory.Precondition {
		t.Errorf("publishing the draft of before: %v", err)
	}
	published, err := publish(second)
	f.fatal(err)
	if again, err := publish(second); err != nil || !again.PublishedAt.Equal(*published.PublishedAt) {
		t.Errorf("publishing it again: %v", err)
	}
	if _, err := publish(first); directory.KindOf(err) != directory.Conflict {
		t.Errorf("publishing another content by its id: %v", err)
	}

	// What is stored has the hash, and has none of what the public may not see.
	kept := func(id, hash string) []byte {
		t.Helper()
		b, _, err := f.Bulletin(ctx, nobody, reading, id)
		f.fatal(err)
		canonical, err := b.Canonical()
		f.fatal(err)
		if sum := sha256.Sum256(canonical); hex.EncodeToString(sum[:]) != hash || b.ContentSHA256 != hash {
			t.Fatalf("%s does not have the hash %s", id, hash)
		}
		return canonical
	}
	content := kept("2026-09", second.ContentSHA256)
	frozen, err := published.Read()
	f.fatal(err)
	for _, table := range frozen.Tables {
		for _, row := range table.Rows {
			if (row.Key == "632600" || row.Key == "632800") && (row.Suppressed == "" || len(row.Figures) > 0 || row.Verdict != "") {
				t.Errorf("the public sees %s of %s: %+v", row.Key, table.Code, row)
			}
		}
	}

	// Ratings that are given, withdrawn and excluded later change nothing.
	for i := range ratings[:20] {
		doc, err := f.Store.Ratings.Get(ctx, ratings[i].ID)
		f.fatal(err)
		doc.Value.State = directory.RatingExcluded
		doc.Value.Findings = []directory.Finding{{Rule: directory.RuleOfficial}}
		_, err = f.Store.Ratings.Replace(ctx, doc.Version, doc.Value)
		f.fatal(err)
	}
	f.rate(directory.Rating{Region: "632621", Level: 5, CreatedAt: in(202609)}, 40)
	if !bytes.Equal(content, kept("2026-09.1", second.ContentSHA256)) {
		t.Error("the published content has changed")
	}
	for name, write := range map[string]func() error{
		"replaced": func() error {
			changed := published
			changed.Correction = "x"
			_, err := f.Store.Bulletins.Replace(ctx, 1, changed)
			return err
		},
		"deleted": func() error { return f.Store.Bulletins.Delete(ctx, "2026-09.1", 1) },
	} {
		if write() == nil {
			t.Errorf("a published bulletin can be %s", name)
		}
	}

	// A correction says what it is for, and what it changes.
	if _, err := make(""); directory.KindOf(err) != directory.Invalid {
		t.Errorf("a correction without a note: %v", err)
	}
	f.clock.Advance(time.Hour)
	corrected, err := make("剔除20条虚假评价")
	f.fatal(err)
	if corrected.ID() != "2026-09.2" || len(corrected.Changes) == 0 {
		t.Fatalf("%s with %d changes", corrected.ID(), len(corrected.Changes))
	}
	change := func(table, row, figure string) directory.BulletinChange {
		for _, c := range corrected.Changes {
			if c.Table == table && c.Row == row && c.Figure == figure {
				return c
			}
		}
		return directory.BulletinChange{}
	}
	if c := change("satisfaction_region", "630100", "n"); c.Before != 100.0 || c.After != 80.0 {
		t.Errorf("the ratings of 西宁: %v → %v", c.Before, c.After)
	}
	if c := change("satisfaction_region", "632600", "suppressed"); c.Before != "protected" || c.After != nil {
		t.Errorf("果洛 is shown by now: %v → %v", c.Before, c.After)
	}
	if c := change("uncounted", directory.RuleOfficial, "excluded"); c.Before != 0.0 || c.After != 20.0 {
		t.Errorf("excluded: %v → %v", c.Before, c.After)
	}
	if b, latest, err := f.Bulletin(ctx, nobody, reading, "2026-09"); err != nil || b.Revision != 1 || b.StateBeside(latest) != directory.BulletinPublished {
		t.Errorf("before the correction is published: %s %v", b.ID(), err)
	}
	_, err = publish(corrected)
	f.fatal(err)
	if b, latest, err := f.Bulletin(ctx, nobody, reading, "2026-09.1"); err != nil || b.StateBeside(latest) != directory.BulletinSuperseded {
		t.Errorf("the first revision is %s (%v)", b.StateBeside(latest), err)
	}
	kept("2026-09", corrected.ContentSHA256)
	kept("2026-09.1", second.ContentSHA256)
	if _, err := make("再来一次"); !isConflict(err, "bulletin_same") {
		t.Errorf("a correction of nothing: %v", err)
	}
	revisions, err := f.BulletinRevisions(ctx, september)
	f.fatal(err)
	if len(revisions) != 2 || revisions[0].Revision != 2 {
		t.Errorf("%d revisions", len(revisions))
	}
}

func isConflict(err error, what string) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.Kind == directory.Conflict && e.What == what
}

// failing is an engine that refuses the writes to one collection.
type failing struct {
	store.Engine
	mu         sync.Mutex
	collection string
}

func (e *failing) refuse(collection string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.collection = collection
}

// Write implements store.Engine.
func (e *failing) Write(ctx context.Context, collection string, writes ...store.Write) ([]store.Outcome, error) {
	e.mu.Lock()
	refused := collection == e.collection
	e.mu.Unlock()
	if refused {
		return nil, errors.New("the disk is full")
	}
	return e.Engine.Write(ctx, collection, writes...)
}

// TestBulletinsSurviveACrash ends each step at each of its writes.
func TestBulletinsSurviveACrash(t *testing.T) {
	engine := &failing{}
	e := trial.New(t, noon, func(db store.Engine) store.Engine { engine.Engine = db; return engine })
	f := &fixture{t: t, clock: e.Clock, Statistics: New(Config{
		Store: e.Store, Auth: e.Auth, Regions: e.Regions, Calendar: e.Calendar, Rules: directory.DefaultRatingRules(), PublicURL: "https://qingfu.test", Log: e.Log, Now: e.Clock.Now, Random: rand.Reader,
	})}
	ctx := t.Context()
	publisher := f.official(directory.Statistics, "630000", directory.PublishPower)
	f.september()
	f.to("2026-10-10 00:00:00")

	// The drafts are there, but nobody can be told, and nothing noted.
	for _, collection := range []string{"audit", "notifications", "bulletin_drafts"} {
		engine.refuse(collection)
		if err := f.Sweep(ctx); err == nil {
			t.Errorf("nothing fails without %s", collection)
		}
	}
	engine.refuse("")
	f.fatal(f.Sweep(ctx))
	f.fatal(f.Sweep(ctx))
	same(t, "drafts", f.draftIDs(publisher), "2026-Q3.1", "2026-09.1")
	same(t, "messages", f.drafted(publisher), "2026-09.1", "2026-Q3.1")
	same(t, "the audit log", f.audited(), "made 2026-09.1", "made 2026-Q3.1")

	draft, _, err := f.Bulletin(ctx, publisher, reading, "2026-09")
	f.fatal(err)
	publish := func() error {
		_, err := f.PublishBulletin(ctx, publisher, publishing, draft.ID(), draft.ContentSHA256, auth.Client{})
		return err
	}
	for _, collection := range []string{"audit", "bulletins"} { // nothing is published
		engine.refuse(collection)
		if publish() == nil {
			t.Errorf("publishing without %s", collection)
		}
		if _, _, err := f.Bulletin(ctx, directory.Caller{}, reading, "2026-09"); directory.KindOf(err) != directory.NotFound {
			t.Errorf("without %s everybody sees it: %v", collection, err)
		}
	}
	engine.refuse("bulletin_drafts") // it is published, and the draft stays behind
	f.fatal(publish())
	if left, err := f.Store.BulletinDrafts.GetMany(ctx, "2026-09"); err != nil || len(left) != 1 {
		t.Fatalf("%d drafts are left (%v)", len(left), err)
	}
	same(t, "drafts", f.draftIDs(publisher), "2026-Q3.1")
	f.fatal(publish())
	engine.refuse("")
	f.fatal(f.Sweep(ctx))
	if left, err := f.Store.BulletinDrafts.GetMany(ctx, "2026-09"); err != nil || len(left) != 0 {
		t.Fatalf("%d drafts are left (%v)", len(left), err)
	}
}

// TestCorrectionsTakeOverIndicators: an indicator is of the moment, and a correction is
// about the period.
func TestCorrectionsTakeOverIndicators(t *testing.T) {
	f := newFixture(t)
	f.september()
	publisher := f.official(directory.Statistics, "630000", directory.PublishPower)
	f.to("2026-10-10 00:00:00")
	brands := func(b directory.Bulletin, err error) (n float64) {
		t.Helper()
		f.fatal(err)
		content, err := b.Read()
		f.fatal(err)
		for _, table := range content.Tables {
			for _, row := range table.Rows {
				if table.Code == indicatorPrefix && row.Key == string(directory.Brands) {
					n = row.Figures["count"]
				}
			}
		}
		if !slices.ContainsFunc(content.Definitions, func(d directory.BulletinDefinition) bool { return d.Code == "indicator/brands" }) {
			t.Errorf("%s does not say what brands are", b.ID())
		}
		return n
	}
	draft, err := f.MakeBulletin(t.Context(), publisher, publishing, f.period("2026-09"), "", auth.Client{})
	if n := brands(draft, err); n != 0 {
		t.Errorf("there are %v brands", n)
	}
	_, err = f.PublishBulletin(t.Context(), publisher, publishing, draft.ID(), draft.ContentSHA256, auth.Client{})
	f.fatal(err)
	_, err = f.Store.Listings.Insert(t.Context(), directory.Listing{
		ID: "01a192b0-7400-7000-8000-0000000000b1", Kind: directory.BrandKind, Names: directory.Names{Zh: "青稞酒"}, Region: "630223", Status: directory.Published,
		Brand: &directory.Brand{}, CreatedAt: noon, UpdatedAt: noon,
	})
	f.fatal(err)
	if _, err := f.MakeBulletin(t.Context(), publisher, publishing, f.period("2026-09"), "新增品牌", auth.Client{}); !isConflict(err, "bulletin_same") {
		t.Errorf("an indicator of later is a correction: %v", err)
	}
	if n := brands(f.MakeBulletin(t.Context(), publisher, publishing, f.period("2026-Q3"), "", auth.Client{})); n != 1 {
		t.Errorf("in a bulletin that is made later there are %v brands", n)
	}
}

// TestPublishedAtOnce has two publish the same draft.
func TestPublishedAtOnce(t *testing.T) {
	f := newFixture(t)
	f.september()
	publisher := f.official(directory.Statistics, "630000", directory.PublishPower)
	f.to("2026-10-10 00:00:00")
	draft, err := f.MakeBulletin(t.Context(), publisher, publishing, f.period("2026-09"), "", auth.Client{})
	f.fatal(err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := f.PublishBulletin(t.Context(), publisher, publishing, draft.ID(), draft.ContentSHA256, auth.Client{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	revisions, err := f.BulletinRevisions(t.Context(), draft.Period)
	f.fatal(err)
	if len(revisions) != 1 {
		t.Errorf("%d revisions", len(revisions))
	}
}

func TestPublishedBulletinsByPage(t *testing.T) {
	f := newFixture(t)
	publisher := f.official(directory.Statistics, "630000", directory.PublishPower)
	f.rate(directory.Rating{Region: "630102001", Level: 5, CreatedAt: in(202501)}, 12)
	f.to("2027-01-10 00:00:00")
	publish := func(key, correction string) {
		t.Helper()
		draft, err := f.MakeBulletin(t.Context(), publisher, publishing, f.period(key), correction, auth.Client{})
		f.fatal(err)
		_, err = f.PublishBulletin(t.Context(), publisher, publishing, draft.ID(), draft.ContentSHA256, auth.Client{})
		f.fatal(err)
	}
	for _, key := range []string{"2025-12", "2026", "2026-Q4", "2026-11", "2026-12", "2025", "2025-01"} {
		publish(key, "")
	}
	f.rate(directory.Rating{Region: "630102001", Level: 5, CreatedAt: in(202501)}, 1)
	publish("2025-01", "补计一条")
	for _, tc := range []struct {
		f    BulletinFilter
		want []string
	}{
		{BulletinFilter{}, []string{"2026.1", "2026-Q4.1", "2026-12.1", "2026-11.1", "2025.1", "2025-12.1", "2025-01.2"}},
		{BulletinFilter{Kind: directory.MonthPeriod}, []string{"2026-12.1", "2026-11.1", "2025-12.1", "2025-01.2"}},
		{BulletinFilter{Year: 2025}, []string{"2025.1", "2025-12.1", "2025-01.2"}},
		{BulletinFilter{Year: 2026, Kind: directory.QuarterPeriod}, []string{"2026-Q4.1"}},
		{BulletinFilter{Year: 2024}, nil},
	} {
		for limit := 1; limit < 9; limit += 2 {
			var got []string
			for after, more := "", true; more; more = after != "" {
				page, next, err := f.PublishedBulletins(t.Context(), tc.f, limit, after)
				f.fatal(err)
				for _, b := range page {
					got = append(got, b.ID())
				}
				after = next
			}
			same(t, fmt.Sprintf("%+v by %d", tc.f, limit), got, tc.want...)
		}
	}
	if _, _, err := f.PublishedBulletins(t.Context(), BulletinFilter{}, 1, "nonsense"); directory.KindOf(err) != directory.Invalid {
		t.Errorf("a position that is none: %v", err)
	}
}

// TestBulletinTables compares a bulletin with the tables that everybody sees.
func TestBulletinTables(t *testing.T) {
	f := newFixture(t)
	f.september()
	f.rate(directory.Rating{Region: "630102001", Category: "cleaning", Level: 5, CreatedAt: in(202608)}, 20)
	f.to("2026-10-10 00:00:00")
	for key, want := range map[string]string{
		"2026-09": "satisfaction satisfaction_level satisfaction_region satisfaction_category satisfaction_origin estimate response uncounted indicator indicator_share indicator_count",
		"2026-Q3": "satisfaction satisfaction_level satisfaction_region satisfaction_category satisfaction_origin satisfaction_month estimate response uncounted indicator indicator_share indicator_count",
		"2025":    "satisfaction satisfaction_level satisfaction_region satisfaction_category satisfaction_origin satisfaction_month satisfaction_quarter estimate response uncounted indicator indicator_share indicator_count",
	} {
		c, err := f.gather(t.Context(), f.period(key), nil)
		f.fatal(err)
		var codes []string
		for _, table := range c.Tables {
			codes = append(codes, table.Code)
			for _, row := range table.Rows {
				for code := range row.Figures {
					if !slices.ContainsFunc(table.Columns, func(c directory.BulletinColumn) bool { return c.Code == code }) {
						t.Errorf("%s has no column for %s", table.Code, code)
					}
				}
			}
		}
		if strings.Join(codes, " ") != want {
			t.Errorf("%s has the tables %v", key, codes)
		}
		if !strings.Contains(c.Title.Zh, c.PeriodName.Zh) || c.Demo || len(c.Definitions) < 10 || c.Rules.Holding != f.Rules {
			t.Errorf("%s: %+v", key, c)
		}
	}
	c, err := f.gather(t.Context(), f.period("2026-09"), nil)
	f.fatal(err)
	q := headline(ByRegion)
	q.Period = f.period("2026-09")
	table := f.ask(q, true)
	for i, row := range c.Tables[2].Rows {
		want := table.Rows[i]
		if row.Key != want.Key || row.Suppressed != want.Suppressed || (want.Figures != nil) != (len(row.Figures) > 0) {
			t.Errorf("row %d: %+v, want %+v", i, row, want)
		}
		if want.Figures != nil && (row.Figures["n"] != float64(want.N) || row.Verdict != want.Verdict) {
			t.Errorf("row %d: %+v, want %+v", i, row, want.Figures)
		}
	}
	total := c.Tables[0].Rows[0]
	if total.Figures["n"] != 153 || total.Figures["share_before"] != 1 || total.Figures["change"] != -0.183 || total.Figures["level_5"] != 95 || total.Verdict != directory.Uncertain {
		t.Errorf("the total is %+v", total)
	}
	if row := c.Tables[7].Rows[1]; row.Key != directory.RuleSameDevice || row.Figures["held"] != 2 {
		t.Errorf("held: %+v", row)
	}
	f.rate(directory.Rating{Region: "630202", Level: 5, CreatedAt: in(202609), Demo: true}, 1)
	if c, err := f.gather(t.Context(), f.period("2026-09"), nil); err != nil || !c.Demo {
		t.Errorf("with an invented rating: %t %v", c.Demo, err)
	}
}

// TestBulletinFiles opens the files again and compares them with the content.
func TestBulletinFiles(t *testing.T) {
	f := newFixture(t)
	f.september()
	publisher := f.official(directory.Statistics, "630000", directory.PublishPower)
	f.to("2026-10-10 09:30:00")
	publish := func(correction string) directory.Bulletin {
		t.Helper()
		draft, err := f.MakeBulletin(t.Context(), publisher, publishing, f.period("2026-09"), correction, auth.Client{})
		f.fatal(err)
		b, err := f.PublishBulletin(t.Context(), publisher, publishing, draft.ID(), draft.ContentSHA256, auth.Client{})
		f.fatal(err)
		return b
	}
	first := publish("")
	f.rate(directory.Rating{Region: "630202", Level: 5, CreatedAt: in(202609)}, 10)
	second := publish("=补计海东10条 <b>")
	revisions, err := f.BulletinRevisions(t.Context(), first.Period)
	f.fatal(err)
	content, err := second.Read()
	f.fatal(err)
	file := BulletinFile{Bulletin: second, Latest: 2, Revisions: revisions, Regions: f.Regions}

	data, err := file.XLSX()
	f.fatal(err)
	book, err := excelize.OpenReader(bytes.NewReader(data))
	f.fatal(err)
	defer book.Close()
	want := []string{"概况"}
	for _, table := range content.Tables {
		want = append(want, table.Names.Zh)
	}
	same(t, "sheets", book.GetSheetList(), append(want, "定义", "规则", "修订")...)
	for _, table := range content.Tables {
		rows, err := book.GetRows(table.Names.Zh, excelize.Options{RawCellValue: true})
		f.fatal(err)
		if len(rows) != len(table.Rows)+1 {
			t.Errorf("%s has %d rows, want %d", table.Names.Zh, len(rows)-1, len(table.Rows))
			continue
		}
		for i, row := range table.Rows {
			cell := func(header string) string {
				if at := slices.Index(rows[0], header); at >= 0 && at < len(rows[i+1]) {
					return rows[i+1][at]
				}
				return ""
			}
			if cell("项目") != row.Names.Zh || cell("代码") != row.Key || cell("结论") != verdictName(row.Verdict) {
				t.Errorf("%s: row %d is %q", table.Names.Zh, i, rows[i+1])
			}
			for _, c := range table.Columns {
				v, ok := row.Figures[c.Code]
				text := fmt.Sprint(v)
				switch {
				case !ok && row.Suppressed != "":
					text = withheld
				case !ok:
					text = ""
				}
				if got := cell(c.Names.Zh); got != text {
					t.Errorf("%s: %s of %s is %q, want %q", table.Names.Zh, c.Names.Zh, row.Names.Zh, got, text)
				}
			}
			if row.Suppressed != "" && !strings.HasPrefix(cell("说明"), "不公开：") {
				t.Errorf("%s: %s does not say why it is kept back: %q", table.Names.Zh, row.Names.Zh, cell("说明"))
			}
		}
	}
	// As people see the cells: per cent, groups of digits, no formulas.
	shown, err := book.GetCellValue("各市州满意度", "E2")
	f.fatal(err)
	if shown != "95.0%" {
		t.Errorf("the share of 西宁 is shown as %q", shown)
	}
	note, err := book.GetCellValue("修订", "C2")
	f.fatal(err)
	if note != "'=补计海东10条 <b>" {
		t.Errorf("the note of the correction is %q", note)
	}
	panes, err := book.GetPanes("各市州满意度")
	f.fatal(err)
	if !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the header does not stay in view: %+v", panes)
	}

	data, err = file.CSV()
	f.fatal(err)
	rest, marked := bytes.CutPrefix(data, []byte("\ufeff"))
	lines, err := csv.NewReader(bytes.NewReader(rest)).ReadAll()
	f.fatal(err)
	if !marked || lines[0][0] != "表" {
		t.Errorf("the CSV begins with %q", lines[0])
	}
	has := func(want ...string) {
		t.Helper()
		if !slices.ContainsFunc(lines, func(line []string) bool { return slices.Equal(line, want) }) {
			t.Errorf("the CSV has no line %q", want)
		}
	}
	has("概况", "内容SHA-256", "", second.ContentSHA256, "", "")
	has("各市州满意度", "西宁市", "满意率", "95", "%", "")
	has("各市州满意度", "西宁市", "结论", "达标", "", "")
	has("各市州满意度", "果洛藏族自治州", "评价数", withheld, "个", "不公开：样本不足，或为防止推算出样本不足的数据而不公开")
	has("规则", "holding.surge.most", "", "15", "", "")
	has("修订", "2026-09.2", "", "'=补计海东10条 <b>", "", "")

	data, err = file.HTML()
	f.fatal(err)
	page := strings.ReplaceAll(string(data), `xmlns="http://www.w3.org/2000/svg"`, "") // which is no address
	for _, part := range []string{
		content.Title.Zh, "编号 2026-09.2 · 第2版 · 已发布", "2026年10月10日 09:30 发布", "=补计海东10条 &lt;b&gt;", second.ContentSHA256,
		"各市州满意度", `<td class="text">不公开</td>`, `<td class="verdict met">达标</td>`, "holding.surge.most", "@page", `lang="zh-CN"`, "95.0%",
		"<title>各市州满意率</title>", "<title>各市州是否达标</title>", "<title>各市州评价的等级</title>", "街道综合养老服务覆盖率", "联网直报",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not have %q", part)
		}
	}
	for _, part := range []string{"<script", "示例数据", "已被第", "<nil>", "<no value>", "ZgotmplZ", "http://", "https://"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
	old := BulletinFile{Bulletin: first, Latest: 2, Revisions: revisions, Regions: f.Regions}
	data, err = old.HTML()
	f.fatal(err)
	if !strings.Contains(string(data), "本版已被第2版修订。") || strings.Contains(string(data), "补计海东") {
		t.Error("the page of the first revision does not say that it is superseded, or speaks of the second one")
	}
	before, err := (&BulletinFile{Bulletin: first, Latest: 1, Revisions: revisions[1:], Regions: f.Regions}).XLSX()
	f.fatal(err)
	after, err := old.XLSX()
	f.fatal(err)
	if !bytes.Equal(before, after) {
		t.Error("the workbook of a revision changes when there is a later one")
	}
}
