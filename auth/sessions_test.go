package auth

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

// wantEnded checks that nothing works any more with a session.
func (f *fixture) wantEnded(t *testing.T, tokens Tokens) {
	t.Helper()
	_, err := f.Authenticate(t.Context(), tokens.Access)
	wantKind(t, "access token", err, directory.Unauthenticated)
	_, err = f.Refresh(t.Context(), tokens.Refresh, home)
	wantKind(t, "refresh token", err, directory.Unauthenticated)
	sessions, err := f.Sessions(t.Context(), tokens.Session.Account)
	if err != nil || slices.ContainsFunc(sessions, func(s directory.Session) bool { return s.ID == tokens.Session.ID }) {
		t.Errorf("sessions %+v, %v", sessions, err)
	}
}

func TestRefresh(t *testing.T) {
	f := newFixture(t)
	first := f.signIn(t, ann)
	want := directory.Session{
		ID: first.Session.ID, Account: every(t, f.Store.Accounts)[0].ID, Generation: 1, RefreshHash: hashRefresh(first.Refresh),
		Device: home.Label, Network: home.Network, CreatedAt: limitStart, UsedAt: limitStart, ExpiresAt: limitStart.Add(30 * 24 * time.Hour),
	}
	sameJSON(t, "session", get(t, f.Store.Sessions, first.Session.ID).Value, want)

	f.clock.pass(time.Hour)
	second, err := f.Refresh(t.Context(), first.Refresh, Client{Network: "198.51.100.7", Label: "not noticed"})
	if err != nil {
		t.Fatal(err)
	}
	if second.Refresh == first.Refresh || second.Access == first.Access || second.ExpiresIn != 15*time.Minute {
		t.Errorf("%+v after %+v", second, first)
	}
	want.Generation, want.RefreshHash, want.Network = 2, hashRefresh(second.Refresh), "198.51.100.7"
	want.UsedAt, want.ExpiresAt = f.clock.now(), f.clock.now().Add(30*24*time.Hour)
	sameJSON(t, "session", get(t, f.Store.Sessions, first.Session.ID).Value, want)
	sameJSON(t, "told session", second.Session, want)
	if c := f.caller(t, second); c.Account != want.Account || c.Session != want.ID || c.SecondFactor || len(c.Grants) > 0 {
		t.Errorf("caller %+v", c)
	}
}

func TestSpentRefreshTokenEndsItsSession(t *testing.T) {
	f := newFixture(t)
	first := f.signIn(t, ann)
	f.clock.pass(time.Hour)
	other := f.signIn(t, ann)
	second := f.refresh(t, first)
	third := f.refresh(t, second)

	_, err := f.Refresh(t.Context(), first.Refresh, home)
	wantKind(t, "spent token", err, directory.Unauthenticated)
	f.wantEnded(t, third)
	sameJSON(t, "audit log", f.lines(t, directory.AuditRefresh), []directory.AuditEntry{line(directory.AuditEntry{
		Action: directory.AuditRefresh, Refused: true, Actor: first.Session.Account, Subject: first.Session.ID,
	})})
	notes := inserted(t, f.Store.Notifications)
	if len(notes) != 1 || notes[0].Account != first.Session.Account || notes[0].Kind != directory.NoteSessionReused || notes[0].Params["device"] != home.Label {
		t.Errorf("inbox %+v", notes)
	}

	// Nothing more comes of a token of a session that is over.
	_, err = f.Refresh(t.Context(), first.Refresh, home)
	wantKind(t, "once more", err, directory.Unauthenticated)
	if n := len(f.lines(t, directory.AuditRefresh)); n != 1 {
		t.Errorf("%d lines", n)
	}
	f.caller(t, f.refresh(t, other)) // which goes on
}

func TestRefreshInParallel(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	won := make(chan Tokens, 50)
	ok, failures := parallel(50, func(int) error {
		next, err := f.Refresh(t.Context(), tokens.Refresh, home)
		if err == nil {
			won <- next
		}
		return err
	})
	if ok != 1 {
		t.Fatalf("%d successes", ok)
	}
	for _, err := range failures {
		wantKind(t, "all but one", err, directory.Unauthenticated)
	}
	f.wantEnded(t, <-won)
	if len(f.lines(t, directory.AuditRefresh)) == 0 || !slices.Contains(f.notes(t, tokens.Session.Account), directory.NoteSessionReused) {
		t.Error("nobody is told")
	}
}

// TestRefreshTokensThatWereNotGivenOut end nothing, whatever they look like.
func TestRefreshTokensThatWereNotGivenOut(t *testing.T) {
	f := newFixture(t)
	tokens, foreign := f.signIn(t, ann), f.signIn(t, ben)
	tokens = f.refresh(t, tokens)
	raw, err := base64.RawURLEncoding.DecodeString(tokens.Refresh)
	if err != nil || len(raw) != refreshSize {
		t.Fatal(len(raw), err)
	}
	edit := func(change func(b []byte) []byte) string {
		return base64.RawURLEncoding.EncodeToString(change(slices.Clone(raw)))
	}
	flip := func(at int) string { return edit(func(b []byte) []byte { b[at] ^= 1; return b }) }
	// sealed is what only this server can make: there are such tokens when the
	// data comes from a backup, in which a session is older.
	sealed := func(change func(body []byte)) string {
		return edit(func(b []byte) []byte {
			change(b[:refreshBody])
			return append(b[:refreshBody], f.Keys.mac("refresh token", string(b[:refreshBody]))...)
		})
	}
	other := newKeyring(t)
	bad := map[string]string{
		"empty":            "",
		"text":             "refresh",
		"access token":     tokens.Access,
		"cut off":          tokens.Refresh[:len(tokens.Refresh)-4],
		"longer":           tokens.Refresh + "AAAA",
		"padded":           tokens.Refresh + "=",
		"standard base64":  base64.StdEncoding.EncodeToString(raw),
		"zeros":            base64.RawURLEncoding.EncodeToString(make([]byte, refreshSize)),
		"without a MAC":    edit(func(b []byte) []byte { clear(b[refreshBody:]); return b }),
		"another session":  flip(0),
		"a generation on":  flip(refreshID + 7),
		"a spent one":      edit(func(b []byte) []byte { b[refreshID+7] = 1; return b }),
		"an old one":       edit(func(b []byte) []byte { clear(b[refreshID : refreshID+8]); return b }),
		"other randomness": flip(refreshID + 8),
		"another MAC":      flip(refreshBody),
		"ben's session": edit(func(b []byte) []byte {
			id, _ := hex.DecodeString(strings.ReplaceAll(foreign.Session.ID, "-", ""))
			return append(id, b[refreshID:]...)
		}),
		"spent, by other keys": edit(func(b []byte) []byte {
			b[refreshID+7] = 1
			return append(b[:refreshBody], other.mac("refresh token", string(b[:refreshBody]))...)
		}),
		"other keys": edit(func(b []byte) []byte {
			return append(b[:refreshBody], other.mac("refresh token", string(b[:refreshBody]))...)
		}),
		"other purpose": edit(func(b []byte) []byte {
			return append(b[:refreshBody], f.Keys.mac("code", string(b[:refreshBody]))...)
		}),
		"sealed for a generation to come": sealed(func(b []byte) { binary.BigEndian.PutUint64(b[refreshID:], 3) }),
		"sealed with other randomness":    sealed(func(b []byte) { b[refreshID+8] ^= 1 }),
		"sealed for no session":           sealed(func(b []byte) { b[0] ^= 1 }),
	}
	for what, token := range bad {
		if token == tokens.Refresh {
			t.Fatalf("%s: shows nothing", what)
		}
		_, err := f.Refresh(t.Context(), token, home)
		wantKind(t, what, err, directory.Unauthenticated)
	}
	if n := len(f.lines(t, directory.AuditRefresh)); n > 0 || len(every(t, f.Store.Notifications)) > 0 {
		t.Errorf("%d lines", n)
	}
	f.refresh(t, foreign)
	tokens = f.refresh(t, tokens)
	// What is sealed for a generation of the past is as good as spent.
	_, err = f.Refresh(t.Context(), sealed(func([]byte) {}), home)
	wantKind(t, "spent", err, directory.Unauthenticated)
	f.wantEnded(t, tokens)
}

func TestSessionExpires(t *testing.T) {
	f := newFixture(t)
	const day = 24 * time.Hour
	often := []time.Duration{29 * day, 58 * day, 87 * day, 116 * day, 145 * day, 174 * day}
	for what, tt := range map[string]struct {
		renewed []time.Duration // since sign-in
		ends    time.Duration
	}{
		"unused":             {nil, 30 * day},
		"renewed once":       {[]time.Duration{29 * day}, 59 * day},
		"always renewed":     {often, 180 * day},
		"renewed at the end": {append(often, 180*day-time.Minute), 180 * day},
	} {
		start := f.clock.now()
		tokens := f.signIn(t, ann)
		for _, at := range tt.renewed {
			f.clock.set(start.Add(at))
			tokens = f.refresh(t, tokens)
		}
		if got := tokens.Session.ExpiresAt.Sub(start); got != tt.ends {
			t.Errorf("%s: expires after %v", what, got)
		}
		f.clock.set(start.Add(tt.ends - time.Millisecond))
		tokens.Access = f.signed(t, tokens.Session)
		f.caller(t, tokens)
		// The access token would be good for some minutes more.
		f.clock.pass(time.Millisecond)
		f.wantEnded(t, tokens)
	}
	if n := len(f.lines(t, directory.AuditRefresh)); n > 0 {
		t.Error("a token that is too old is taken for a spent one")
	}
}

func TestRefreshAtTheLastMoment(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	f.clock.pass(sessionIdle - time.Millisecond)
	f.caller(t, f.refresh(t, tokens))
}

func TestTheOldestOfManySessionsEnds(t *testing.T) {
	f := newFixture(t)
	first := f.signIn(t, ann)
	foreign := f.signIn(t, ben)
	var begun []string // the newest first
	for range maxSessions {
		f.clock.pass(time.Second)
		tokens, err := f.begin(t.Context(), first.Session.Account, home)
		if err != nil {
			t.Fatal(err)
		}
		begun = slices.Insert(begun, 0, tokens.Session.ID)
	}
	f.wantEnded(t, first)
	sessions, err := f.Sessions(t.Context(), first.Session.Account)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sessions {
		got = append(got, s.ID)
	}
	if !slices.Equal(got, begun) {
		t.Errorf("sessions %v, want %v", got, begun)
	}
	f.caller(t, foreign)
}

func TestEndSession(t *testing.T) {
	f := newFixture(t)
	mine := f.signIn(t, ann)
	foreign := f.signIn(t, ben)
	f.clock.pass(time.Minute)
	second := f.signIn(t, ann)
	caller := f.caller(t, second)
	for _, id := range []string{foreign.Session.ID, "019aaf5e-4c00-7a1b-8c2d-000000000001", ""} {
		err := f.EndSession(t.Context(), caller, id, home)
		if e, ok := err.(*directory.Error); !ok || e.Kind != directory.NotFound || e.What != "session" {
			t.Errorf("session %q: %v", id, err)
		}
	}
	f.caller(t, foreign)
	if n := len(f.lines(t, directory.AuditSessionEnd)); n > 0 {
		t.Errorf("%d lines", n)
	}
	for _, ended := range []Tokens{mine, second} {
		if err := f.EndSession(t.Context(), caller, ended.Session.ID, home); err != nil {
			t.Fatal(err)
		}
		f.wantEnded(t, ended)
	}
	sameJSON(t, "audit log", f.lines(t, directory.AuditSessionEnd), []directory.AuditEntry{
		line(directory.AuditEntry{Action: directory.AuditSessionEnd, Actor: caller.Account, Subject: mine.Session.ID}),
		line(directory.AuditEntry{Action: directory.AuditSessionEnd, Actor: caller.Account, Subject: second.Session.ID}),
	})
}

// TestLinesForEveryScope: what an official does is seen by the officials of each
// of the bureaus and regions.
func TestLinesForEveryScope(t *testing.T) {
	f := newFixture(t)
	regions := testRegions(t)
	for _, region := range []string{"630100", "630200"} {
		f.grant(t, ann, directory.Grant{Role: directory.Official, Bureau: directory.Health, Region: region, Powers: []directory.Power{directory.ReviewPower}}, regions)
	}
	account := f.signIn(t, ann).Session.Account
	got := f.lines(t, directory.AuditSignIn)
	slices.SortFunc(got, func(x, y directory.AuditEntry) int { return strings.Compare(x.Region, y.Region) })
	sameJSON(t, "audit log", got, []directory.AuditEntry{
		line(directory.AuditEntry{Action: directory.AuditSignIn, Actor: account, Bureau: directory.Health, Region: "630100"}),
		line(directory.AuditEntry{Action: directory.AuditSignIn, Actor: account, Bureau: directory.Health, Region: "630200"}),
	})
}
