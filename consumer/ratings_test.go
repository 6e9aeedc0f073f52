package consumer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// from is where a request comes from.
func from(device, network string) auth.Client { return auth.Client{Device: device, Network: network} }

// completed stores a booking that a resident has just completed.
func (f *fixture) completed(caller directory.Caller, l *directory.Listing) string {
	f.t.Helper()
	id, err := f.newID()
	f.fatal(err)
	now := f.now()
	b := directory.Booking{
		ID: id, Kind: directory.ServiceBooking, Account: caller.Account, Listing: l.ID, Organization: l.OrganizationID, Region: "630102",
		StartsAt: now.Add(-2 * time.Hour), EndsAt: now.Add(-time.Hour), State: directory.BookingCompleted, CreatedAt: now, UpdatedAt: now,
		History: []directory.BookingEvent{{Action: directory.ActRequest, By: directory.ResidentSide, At: now}, {Action: directory.ActComplete, By: directory.ResidentSide, At: now}},
	}
	b.Told = len(b.History)
	_, err = f.Store.Bookings.Insert(f.t.Context(), b)
	f.fatal(err)
	return id
}

// rate gives a rating.
func (f *fixture) rate(caller directory.Caller, s Service, o Opinion, client auth.Client) directory.Rating {
	f.t.Helper()
	doc, created, err := f.Rate(f.t.Context(), caller, s, o, client)
	f.fatal(err)
	if !created {
		f.t.Fatalf("the rating %+v was given before", doc.Value)
	}
	return doc.Value
}

func (f *fixture) rating(id string) directory.Rating {
	f.t.Helper()
	doc, err := f.Store.Ratings.Get(f.t.Context(), id)
	f.fatal(err)
	return doc.Value
}

// figureOf is the figure of a listing as it is stored.
func (f *fixture) figureOf(id string) [5]int64 {
	f.t.Helper()
	doc, err := f.Store.Listings.Get(f.t.Context(), id)
	f.fatal(err)
	return doc.Value.Satisfaction.Levels
}

// naive counts the ratings of all listings one by one.
func (f *fixture) naive() map[string][5]int64 {
	f.t.Helper()
	out := map[string][5]int64{}
	f.fatal(f.Store.Ratings.Each(f.t.Context(), store.Query{}, func(d *store.Doc[directory.Rating]) error {
		r := &d.Value
		levels := out[r.Listing]
		if r.State == directory.RatingPublished && r.Origin != directory.OpenOrigin {
			levels[r.Level-1]++
		}
		out[r.Listing] = levels
		return nil
	}))
	return out
}

func TestRatingForABooking(t *testing.T) {
	f := newFixture(t)
	o, owner := f.firm()
	l := f.cleaning(o.ID)
	ann, bob := f.resident(), f.resident()
	booking := f.completed(ann, &l)
	good := Opinion{Level: 5, Aspects: map[string]directory.Level{"attitude": 5}, Text: "阿姨很好，电话１３８ 0013-8000，身份证63010219800101123X", ForFamily: true}

	if _, _, err := f.Rate(t.Context(), bob, Service{Booking: booking}, good, from("", "")); directory.KindOf(err) != directory.NotFound {
		t.Errorf("somebody else rates it: %v", err)
	}
	r := f.rate(ann, Service{Booking: booking}, good, from("a", "1.1.1.1"))
	if r.Text != "阿姨很好，电话*** ****-****，身份证******************" {
		t.Errorf("its text is %q", r.Text)
	}
	if r.State != directory.RatingPublished || r.Origin != directory.OrderOrigin || r.Listing != l.ID || r.Organization != o.ID || r.Region != l.Region {
		t.Errorf("it is %+v", r)
	}
	if b, err := f.Store.Bookings.Get(t.Context(), booking); err != nil || b.Value.State != directory.BookingRated {
		t.Errorf("the booking is %v, %v", b.Value.State, err)
	}
	again, created, err := f.Rate(t.Context(), ann, Service{Booking: booking}, good, from("a", ""))
	if err != nil || created || again.Value.ID != r.ID {
		t.Errorf("the same again: %v %v", created, err)
	}
	if _, _, err := f.Rate(t.Context(), ann, Service{Booking: booking}, Opinion{Level: 1}, from("", "")); about(err) != "rated" {
		t.Errorf("another one: %v", err)
	}
	f.fatal(f.tallyOnce(t.Context()))
	if got := f.figureOf(l.ID); got != [5]int64{0, 0, 0, 0, 1} {
		t.Errorf("the figure is %v", got)
	}
	edited, err := f.EditRating(t.Context(), ann, r.ID, Opinion{Level: 3}, from("", ""))
	f.fatal(err)
	if v := edited.Value; v.Level != 3 || len(v.History) != 1 || v.History[0].Level != 5 || v.State != directory.RatingPublished {
		t.Errorf("changed it is %+v", v)
	}
	if _, err := f.EditRating(t.Context(), bob, r.ID, Opinion{Level: 1}, from("", "")); directory.KindOf(err) != directory.NotFound {
		t.Errorf("somebody else changes it: %v", err)
	}
	f.fatal(f.tallyOnce(t.Context()))
	if got := f.figureOf(l.ID); got != [5]int64{0, 0, 1, 0, 0} {
		t.Errorf("the figure is %v", got)
	}

	// The firm answers, once, and may change it.
	if _, err := f.Reply(t.Context(), owner, r.ID, "加微信详谈"); directory.KindOf(err) != directory.Invalid {
		t.Errorf("an unfit reply: %v", err)
	}
	for _, text := range []string{"谢谢", "谢谢您的\n意见"} {
		doc, err := f.Reply(t.Context(), owner, r.ID, text)
		f.fatal(err)
		if got := doc.Value.Reply; got.Text != text || (got.EditedAt != nil) != (text != "谢谢") {
			t.Errorf("the reply is %+v", got)
		}
		f.clock.Advance(time.Hour)
	}
	f.told("ann", ann, directory.NoteRatingReplied)

	f.clock.Advance(directory.EditTime)
	if _, err := f.EditRating(t.Context(), ann, r.ID, Opinion{Level: 2}, from("", "")); about(err) != "edit_time" {
		t.Errorf("changed after 30 days: %v", err)
	}
	late := f.completed(bob, &l)
	f.clock.Advance(directory.RatingTime + time.Hour)
	if _, _, err := f.Rate(t.Context(), bob, Service{Booking: late}, good, from("", "")); about(err) != "rating_time" {
		t.Errorf("rated after 30 days: %v", err)
	}
	_, err = f.WithdrawRating(t.Context(), ann, r.ID)
	f.fatal(err)
	f.fatal(f.tallyOnce(t.Context()))
	if got := f.figureOf(l.ID); got != [5]int64{} {
		t.Errorf("withdrawn, the figure is %v", got)
	}
}

func TestRefusedRatings(t *testing.T) {
	f := newFixture(t)
	o, _ := f.firm()
	l := f.cleaning(o.ID)
	ann := f.resident()
	const none = "01890a5d-ac96-774b-bcce-000000000000"
	_, _, err := f.Rate(t.Context(), ann, Service{Listing: l.ID}, Opinion{Level: 6, Aspects: map[string]directory.Level{"smell": 1, "price": 9}, Text: strings.Repeat("好", 1001), Photos: []string{strings.Repeat("a", 64), "x"}}, from("", ""))
	var got []string
	if e, ok := err.(*directory.Error); ok {
		for _, w := range e.Fields {
			got = append(got, w.Pointer+" "+w.Code)
		}
	}
	if want := "/level too_large, /aspects/price too_large, /aspects/smell unknown_field, /text too_long, /photos/1 bad_format, /photos/0 unknown_value"; strings.Join(got, ", ") != want {
		t.Errorf("wrong are %v", got)
	}
	for what, s := range map[string]Service{"booking": {Booking: none}, "listing": {Listing: none}, "invitation": {Invitation: "x"}} {
		if _, _, err := f.Rate(t.Context(), ann, s, Opinion{Level: 5}, from("", "")); directory.KindOf(err) != directory.NotFound {
			t.Errorf("no such %s: %v", what, err)
		}
	}
	open := f.book(ann, wanted(&l, f.now().Add(time.Hour).Truncate(time.Hour)))
	if _, _, err := f.Rate(t.Context(), ann, Service{Booking: open.ID}, Opinion{Level: 5}, from("", "")); about(err) != "not_completed" {
		t.Errorf("a booking to come: %v", err)
	}
}

// TestParallelRatings gives a rating for one booking from everywhere at once.
func TestParallelRatings(t *testing.T) {
	f := newFixture(t)
	o, _ := f.firm()
	l := f.cleaning(o.ID)
	ann := f.resident()
	booking := f.completed(ann, &l)
	var wait sync.WaitGroup
	made := make(chan string, 50)
	for i := range 50 {
		wait.Go(func() {
			doc, created, err := f.Rate(t.Context(), ann, Service{Booking: booking}, Opinion{Level: directory.Level(1 + i%5)}, from("", ""))
			if created && err == nil {
				made <- doc.Value.ID
			} else if err != nil && about(err) != "rated" {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if len(made) != 1 {
		t.Errorf("%d ratings of one booking", len(made))
	}
}

// TestInvitationsOfTwoServers lets two servers invite the same phones at once.
func TestInvitationsOfTwoServers(t *testing.T) {
	f := newFixture(t)
	o, owner := f.firm()
	l := f.cleaning(o.ID)
	other := New(f.Config)
	for n := range 10 {
		var wait sync.WaitGroup
		invited := make([]error, 2)
		for i, c := range []*Consumer{f.Consumer, other} {
			wait.Go(func() {
				_, _, invited[i] = c.InviteToRate(t.Context(), owner, &l, fmt.Sprintf("1370000%04d", n), directory.RatingInvitation{ServedOn: directory.DateOf(f.now()), Category: "cleaning"})
			})
		}
		wait.Wait()
		if invited[0] == nil && invited[1] == nil {
			t.Error("one phone was invited twice")
		}
		for _, err := range invited {
			if err != nil && about(err) != "invited" {
				t.Error(err)
			}
		}
	}
}

func TestInvitationsToRate(t *testing.T) {
	f := newFixture(t)
	o, owner := f.firm()
	l := f.cleaning(o.ID)
	ann, bob := f.resident(), f.resident()
	served := directory.RatingInvitation{ServedOn: directory.DateOf(f.now()), Category: "cleaning"}
	invite := func(phone string) (string, error) {
		_, secret, err := f.InviteToRate(t.Context(), owner, &l, phone, served)
		return secret, err
	}
	_, _, err := f.InviteToRate(t.Context(), owner, &l, "12", directory.RatingInvitation{ServedOn: "2026-10-01", Category: "food"})
	if e, ok := err.(*directory.Error); !ok || len(e.Fields) != 3 {
		t.Errorf("everything wrong: %v", err)
	}
	secret, err := invite("13900000002") // of ann: the owner is the first
	f.fatal(err)
	if _, err := invite("13900000002"); about(err) != "invited" {
		t.Errorf("the same phone again: %v", err)
	}
	if _, _, err := f.Rate(t.Context(), bob, Service{Invitation: secret}, Opinion{Level: 5}, from("", "")); about(err) != "invitation_phone" {
		t.Errorf("by another phone: %v", err)
	}
	r := f.rate(ann, Service{Invitation: secret}, Opinion{Level: 4}, from("", ""))
	if r.Origin != directory.InviteOrigin || r.Category != "cleaning" {
		t.Errorf("it is %+v", r)
	}
	if _, _, err := f.Rate(t.Context(), ann, Service{Invitation: secret}, Opinion{Level: 1}, from("", "")); about(err) != "rated" {
		t.Errorf("used twice: %v", err)
	}
	made, _, err := f.RatingInvitations(t.Context(), o.ID, 10, nil)
	if err != nil || len(made) != 1 || made[0].UsedAt == nil {
		t.Errorf("the invitations are %+v, %v", made, err)
	}
	late, err := invite("13900000003")
	f.fatal(err)
	f.clock.Advance(directory.RatingInvitationLife + time.Minute)
	if _, _, err := f.Rate(t.Context(), bob, Service{Invitation: late}, Opinion{Level: 5}, from("", "")); about(err) != "invitation_expired" {
		t.Errorf("too late: %v", err)
	}
	// The limit of a day holds when all come at once.
	served.ServedOn = directory.DateOf(f.now())
	var wait sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for i := range directory.RatingInvitationsADay + 20 {
		wait.Go(func() {
			if _, err := invite(fmt.Sprintf("1370000%04d", i)); err == nil {
				mu.Lock()
				n++
				mu.Unlock()
			} else if about(err) != "invitations_today" {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n != directory.RatingInvitationsADay {
		t.Errorf("%d invitations in a day", n)
	}
	f.clock.Advance(invitationKept + directory.RatingInvitationLife + time.Minute)
	f.fatal(f.Sweep(t.Context()))
	if made, _, err := f.RatingInvitations(t.Context(), o.ID, 100, nil); err != nil || len(made) != 0 {
		t.Errorf("%d old invitations are listed, %v", len(made), err)
	}
	kept, err := f.Store.RatingInvitations.All(t.Context(), store.Query{})
	f.fatal(err)
	if len(kept) < n || slices.ContainsFunc(kept, func(d store.Doc[directory.RatingInvitation]) bool { return d.Value.PhoneHash != "" }) {
		t.Errorf("%d old invitations are kept for the response, or one still has its phone", len(kept))
	}
}

// TestRules gives ratings that a rule has to hold, and some that it must not.
func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name string
		give func(f *fixture, l *directory.Listing, owner directory.Caller) []string // ids
		held int                                                                     // how many of them
		rule string
	}{
		{"own member", func(f *fixture, l *directory.Listing, owner directory.Caller) []string {
			return []string{f.rate(owner, Service{Listing: l.ID}, Opinion{Level: 5}, from("", "")).ID}
		}, 1, directory.RuleOwnMember},
		{"two from a device", many(2, func(int) (string, string, string) { return "d", "", "" }), 0, ""},
		{"three from a device", many(3, func(int) (string, string, string) { return "d", "", "" }), 3, directory.RuleSameDevice},
		{"eight from a network", many(8, func(int) (string, string, string) { return "", "1.2.3.4", "" }), 0, ""},
		{"nine through a proxy", many(9, func(int) (string, string, string) { return "", "10.0.0.1", "" }), 0, ""},
		{"nine from a home with IPv6", many(9, func(int) (string, string, string) { return "", "2001:db8:1:2::/64", "" }), 9, directory.RuleSameNetwork},
		{"nine from a network", many(9, func(int) (string, string, string) { return "", "1.2.3.4", "" }), 9, directory.RuleSameNetwork},
		{"one text twice", many(2, func(int) (string, string, string) { return "", "", "师傅非常专业！下次还来" }), 0, ""},
		{"one text, spaced otherwise", many(3, func(i int) (string, string, string) {
			return "", "", strings.Repeat(" ", i) + "师傅非常专业！下次还来" + strings.Repeat("。", i)
		}), 3, directory.RuleRepeatedText},
		{"short texts", many(4, func(int) (string, string, string) { return "", "", "很好" }), 0, ""},
		{"abuse", many(1, func(int) (string, string, string) { return "", "", "就是个 王·八·蛋" }), 1, directory.RuleUnfit},
		{"advertising", many(1, func(int) (string, string, string) { return "", "", "好评返现，加Ｖ信abc" }), 1, directory.RuleUnfit},
		{"fifteen in a day", many(15, func(int) (string, string, string) { return "", "", "" }), 0, ""},
		{"sixteen in a day", many(16, func(int) (string, string, string) { return "", "", "" }), 1, directory.RuleSurge},
		{"sixteen bookings in a day", func(f *fixture, l *directory.Listing, _ directory.Caller) (ids []string) {
			for range 16 {
				who := f.resident()
				ids = append(ids, f.rate(who, Service{Booking: f.completed(who, l)}, Opinion{Level: 5}, from("", "")).ID)
			}
			return ids
		}, 0, ""},
		{"from end to end", func(f *fixture, l *directory.Listing, _ directory.Caller) []string {
			ann := f.resident()
			r := f.rate(ann, Service{Listing: l.ID}, Opinion{Level: 1}, from("", ""))
			_, err := f.EditRating(f.t.Context(), ann, r.ID, Opinion{Level: 5}, from("", ""))
			f.fatal(err)
			return []string{r.ID}
		}, 1, directory.RuleLevelSwing},
		{"a little better", func(f *fixture, l *directory.Listing, _ directory.Caller) []string {
			ann := f.resident()
			r := f.rate(ann, Service{Listing: l.ID}, Opinion{Level: 2}, from("", ""))
			_, err := f.EditRating(f.t.Context(), ann, r.ID, Opinion{Level: 4}, from("", ""))
			f.fatal(err)
			return []string{r.ID}
		}, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			o, owner := f.firm()
			l := f.cleaning(o.ID)
			ids := tc.give(f, &l, owner)
			f.fatal(f.tallyOnce(t.Context()))
			held := 0
			for _, id := range ids {
				if r := f.rating(id); r.State == directory.RatingHeld {
					held++
					if r.Rule() != tc.rule {
						t.Errorf("held by %q", r.Rule())
					}
				}
			}
			if held != tc.held {
				t.Errorf("%d of %d are held, want %d", held, len(ids), tc.held)
			}
		})
	}
}

// many gives n ratings of as many residents, an hour apart, five stars each; of says
// from which device and network and with which text.
func many(n int, of func(i int) (device, network, text string)) func(*fixture, *directory.Listing, directory.Caller) []string {
	return func(f *fixture, l *directory.Listing, _ directory.Caller) (ids []string) {
		for i := range n {
			device, network, text := of(i)
			ids = append(ids, f.rate(f.resident(), Service{Listing: l.ID}, Opinion{Level: 5, Text: text}, from(device, network)).ID)
			f.clock.Advance(time.Hour)
		}
		return ids
	}
}

// TestParallelFakes: of ratings that come from one device at once none sees the
// others, and still all are held in the end.
func TestParallelFakes(t *testing.T) {
	f := newFixture(t)
	o, _ := f.firm()
	l := f.cleaning(o.ID)
	var wait sync.WaitGroup
	for range 10 {
		fake := f.resident()
		wait.Go(func() {
			if _, _, err := f.Rate(t.Context(), fake, Service{Listing: l.ID}, Opinion{Level: 5}, from("one", "")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	f.fatal(f.tallyOnce(t.Context()))
	figures, err := f.Figures(t.Context(), l.ID)
	f.fatal(err)
	if figures.Held[directory.RuleSameDevice] != 10 {
		t.Errorf("held are %v", figures.Held)
	}
}

// TestOfficialsDecide: what an official has let pass stays, and what was excluded is
// counted by its reason.
func TestOfficialsDecide(t *testing.T) {
	f := newFixture(t)
	o, owner := f.firm()
	l := f.cleaning(o.ID)
	official := directory.Caller{Account: "01a192b0-7400-7000-8000-0000000000ff"}
	ann, bob, eve := f.resident(), f.resident(), f.resident()
	var ids []string
	for _, who := range []directory.Caller{ann, bob, eve} {
		ids = append(ids, f.rate(who, Service{Booking: f.completed(who, &l)}, Opinion{Level: 5}, from("family", "")).ID)
	}
	f.fatal(f.tallyOnce(t.Context()))
	if got := f.figureOf(l.ID); got != [5]int64{} {
		t.Errorf("held ones count: %v", got)
	}
	decide := func(caller directory.Caller, id string, state directory.RatingState, reason string) error {
		doc, err := f.Store.Ratings.Get(t.Context(), id)
		f.fatal(err)
		_, err = f.DecideRating(t.Context(), caller, doc, state, reason, from("", ""))
		return err
	}
	if err := decide(owner, ids[0], directory.RatingPublished, ""); directory.KindOf(err) != directory.Forbidden {
		t.Errorf("a member decides: %v", err)
	}
	if err := decide(official, ids[0], directory.RatingExcluded, ""); directory.KindOf(err) != directory.Invalid {
		t.Errorf("excluded without a reason: %v", err)
	}
	f.fatal(decide(official, ids[0], directory.RatingPublished, ""))
	f.fatal(decide(official, ids[1], directory.RatingPublished, ""))
	f.fatal(decide(official, ids[2], directory.RatingExcluded, "本机构安排"))
	for range 2 {
		f.fatal(f.tallyOnce(t.Context()))
	}
	figures, err := f.Figures(t.Context(), l.ID)
	f.fatal(err)
	if got := f.figureOf(l.ID); got != [5]int64{0, 0, 0, 0, 2} || figures.Excluded[directory.RuleSameDevice] != 1 || len(figures.Held) != 0 {
		t.Errorf("the figure is %v, %+v", got, figures)
	}
	f.told("eve", eve, directory.NoteRatingExcluded)
	f.told("ann", ann, directory.NoteRatingReleased)
	stale, err := f.Store.Ratings.Get(t.Context(), ids[2])
	f.fatal(err)
	stale.Version--
	if _, err := f.DecideRating(t.Context(), official, stale, directory.RatingPublished, "", from("", "")); directory.KindOf(err) != directory.Precondition {
		t.Errorf("decided about an earlier version: %v", err)
	}
}

func TestVotes(t *testing.T) {
	f := newFixture(t)
	o, _ := f.firm()
	l := f.cleaning(o.ID)
	ann := f.resident()
	r := f.rate(ann, Service{Listing: l.ID}, Opinion{Level: 2, Text: "等了很久"}, from("", ""))
	if err := f.Vote(t.Context(), ann, r.ID, true); about(err) != "own_rating" {
		t.Errorf("a vote for oneself: %v", err)
	}
	var wait sync.WaitGroup
	for i := range 20 {
		voter := f.resident()
		wait.Go(func() {
			for range 2 {
				if err := f.Vote(t.Context(), voter, r.ID, true); err != nil {
					t.Error(err)
				}
			}
			if i < 5 {
				if err := f.Vote(t.Context(), voter, r.ID, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := f.rating(r.ID).Helpful; got != 15 {
		t.Errorf("%d votes, want 15", got)
	}
}

// TestTheFigureIsARecount does random things to ratings, in any order, and compares
// the figures with a count of all ratings one by one.
func TestTheFigureIsARecount(t *testing.T) {
	for seed := range uint64(4) {
		f := newFixture(t)
		random := rand.New(rand.NewPCG(seed, 85))
		o, owner := f.firm()
		listings := []directory.Listing{f.cleaning(o.ID), f.cleaning(o.ID), f.cleaning("")}
		official := directory.Caller{Account: "01a192b0-7400-7000-8000-0000000000ff"}
		type given struct {
			id string
			by directory.Caller
		}
		var all []given
		opinion := func() Opinion {
			texts := []string{"", "", "很好", "师傅非常专业下次还来", "加微信", "等了很久才来，不过做得不错"}
			return Opinion{Level: directory.Level(1 + random.IntN(5)), Text: texts[random.IntN(len(texts))]}
		}
		client := func() auth.Client {
			return from([]string{"", "a", "b", "c"}[random.IntN(4)], []string{"1.1.1.1", "2.2.2.2"}[random.IntN(2)])
		}
		for range 150 {
			switch n := random.IntN(10); {
			case n < 4 || len(all) == 0:
				who := f.resident()
				if random.IntN(20) == 0 {
					who = owner
				}
				l := &listings[random.IntN(len(listings))]
				s := Service{Listing: l.ID}
				if random.IntN(3) > 0 {
					s = Service{Booking: f.completed(who, l)}
				}
				doc, _, err := f.Rate(t.Context(), who, s, opinion(), client())
				if err != nil && about(err) != "rated" {
					t.Fatal(err)
				}
				all = append(all, given{doc.Value.ID, who})
			case n < 6:
				g := all[random.IntN(len(all))]
				_, err := f.EditRating(t.Context(), g.by, g.id, opinion(), client())
				if kind := directory.KindOf(err); err != nil && kind != directory.Conflict && kind != directory.NotFound {
					t.Fatal(err)
				}
			case n < 8:
				doc, err := f.Store.Ratings.Get(t.Context(), all[random.IntN(len(all))].id)
				f.fatal(err)
				state := []directory.RatingState{directory.RatingPublished, directory.RatingExcluded}[random.IntN(2)]
				if _, err := f.DecideRating(t.Context(), official, doc, state, "核查", from("", "")); err != nil && directory.KindOf(err) != directory.Conflict {
					t.Fatal(err)
				}
			case n < 9:
				g := all[random.IntN(len(all))]
				if _, err := f.WithdrawRating(t.Context(), g.by, g.id); err != nil && directory.KindOf(err) != directory.NotFound {
					t.Fatal(err)
				}
			default: // an account is erased
				_, err := f.Store.Ratings.Update(t.Context(), all[random.IntN(len(all))].id, func(r *directory.Rating) error {
					r.Forget(f.now())
					return nil
				})
				f.fatal(err)
			}
			f.clock.Advance(time.Duration(random.IntN(600)) * time.Minute)
			if random.IntN(4) > 0 {
				continue // several changes at once
			}
			f.fatal(f.tallyOnce(t.Context()))
			want := f.naive()
			for i := range listings {
				if got := f.figureOf(listings[i].ID); got != want[listings[i].ID] {
					t.Fatalf("seed %d: the figure of %d is %v, counted one by one it is %v", seed, i, got, want[listings[i].ID])
				}
			}
		}
		f.fatal(f.tallyOnce(t.Context()))
		f.fatal(f.Recount(t.Context(), true, func(id string, is, ought [5]int64) { t.Errorf("seed %d: %s has %v, not %v", seed, id, is, ought) }))
	}
}

func TestRecountRepairs(t *testing.T) {
	f := newFixture(t)
	o, _ := f.firm()
	l := f.cleaning(o.ID)
	ann := f.resident()
	f.rate(ann, Service{Booking: f.completed(ann, &l)}, Opinion{Level: 4}, from("", ""))
	f.fatal(f.tallyOnce(t.Context()))
	_, err := f.Store.Listings.Update(t.Context(), l.ID, func(l *directory.Listing) error {
		l.Satisfaction.Levels[4] = 7
		return nil
	})
	f.fatal(err)
	wrong := 0
	count := func(string, [5]int64, [5]int64) { wrong++ }
	for _, tc := range []struct {
		onlyLook bool
		wrong    int
	}{{true, 1}, {true, 1}, {false, 1}, {false, 0}} {
		wrong = 0
		f.fatal(f.Recount(t.Context(), tc.onlyLook, count))
		if wrong != tc.wrong {
			t.Errorf("%+v: %d were wrong", tc, wrong)
		}
	}
	if got := f.figureOf(l.ID); got != [5]int64{0, 0, 0, 1, 0} {
		t.Errorf("the figure is %v", got)
	}
}

// TestTracesGo: after 90 days nothing tells from where a rating came.
func TestTracesGo(t *testing.T) {
	f := newFixture(t)
	o, _ := f.firm()
	l := f.cleaning(o.ID)
	r := f.rate(f.resident(), Service{Listing: l.ID}, Opinion{Level: 4, Text: "师傅非常专业下次还来"}, from("d", "1.1.1.1"))
	if r.Device == "" || r.Network == "" || r.Words == "" {
		t.Fatalf("it has no traces: %+v", r)
	}
	f.clock.Advance(directory.RatingTracesKept - time.Hour)
	f.fatal(f.Sweep(t.Context()))
	if f.rating(r.ID).Device == "" {
		t.Error("they are gone too early")
	}
	f.clock.Advance(2 * time.Hour)
	f.fatal(f.Sweep(t.Context()))
	if got := f.rating(r.ID); got.Device+got.Network+got.Words != "" {
		t.Errorf("they stay: %+v", got)
	}
}
