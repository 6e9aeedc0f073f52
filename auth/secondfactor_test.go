package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

// totp is an authenticator app, written after RFC 6238.
func totp(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7FFFFFFF
	return fmt.Sprintf("%06d", n%1_000_000)
}

// enrol registers an authenticator app, which counts as showing it.
func (f *fixture) enrol(t *testing.T, caller directory.Caller) (secret string, recovery []string) {
	t.Helper()
	e, err := f.EnrolSecondFactor(t.Context(), caller)
	if err == nil {
		recovery, err = f.ConfirmSecondFactor(t.Context(), caller, totp(t, e.Secret, f.clock.now()), home)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e.Secret, recovery
}

func wantConflict(t *testing.T, what string, err error) {
	t.Helper()
	if e, ok := err.(*directory.Error); !ok || e.Kind != directory.Conflict || e.What != "second_factor" {
		t.Errorf("%s: %v", what, err)
	}
}

// shown tells whether a session counts as having shown a second factor.
func (f *fixture) shown(t *testing.T, s directory.Session) bool {
	t.Helper()
	c, err := f.Authenticate(t.Context(), f.signed(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return c.SecondFactor
}

// TestTOTP are the vectors of RFC 6238, appendix B, with six digits.
func TestTOTP(t *testing.T) {
	f := newFixture(t)
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
	} {
		sealed, err := f.Keys.Seal(secretPurpose("ann"), secret)
		if err != nil {
			t.Fatal(err)
		}
		account := directory.Account{ID: "ann", SecondFactor: &directory.SecondFactor{Secret: sealed}}
		f.clock.set(time.Unix(at, 0))
		if err := f.takeStep(&account, want); err != nil || account.SecondFactor.LastStep != at/30 {
			t.Errorf("at %d: step %d, %v", at, account.SecondFactor.LastStep, err)
		}
		if got := totp(t, secret, time.Unix(at, 0)); got != want {
			t.Errorf("the app of these tests shows %s at %d", got, at)
		}
	}
}

func TestSecondFactor(t *testing.T) {
	f := newFixture(t)
	f.grant(t, ann, directory.Grant{Role: directory.Admin}, testRegions(t))
	tokens := f.signIn(t, ann)
	other := f.signed(t, f.begun(t, tokens.Session.Account)) // another session of the same account
	caller := f.caller(t, tokens)
	admin := directory.Permission{Roles: []directory.Role{directory.Admin}}
	counts := func(want bool) {
		t.Helper()
		c, err := f.Authenticate(t.Context(), f.signed(t, tokens.Session))
		if err != nil {
			t.Fatal(err)
		}
		err = admin.Admit(&c)
		if want && err != nil {
			t.Error(err)
		}
		if e, ok := err.(*directory.Error); !want && (!ok || e.Kind != directory.Unauthenticated || e.What != directory.SecondFactorMissing) {
			t.Errorf("counts too early or too long: %v", err)
		}
		if c, err := f.Authenticate(t.Context(), other); err == nil && c.SecondFactor {
			t.Error("counts in another session")
		}
	}

	counts(false)
	for what, do := range map[string]func() error{
		"confirm": func() error { _, err := f.ConfirmSecondFactor(t.Context(), caller, "123456", home); return err },
		"show":    func() error { return f.ShowSecondFactor(t.Context(), caller, "123456", home) },
		"remove":  func() error { return f.RemoveSecondFactor(t.Context(), caller, "123456", home) },
	} {
		wantConflict(t, what+" before there is one", do())
	}

	first, err := f.EnrolSecondFactor(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.EnrolSecondFactor(t.Context(), caller) // as long as it is not confirmed
	if err != nil {
		t.Fatal(err)
	}
	uri, err := url.Parse(e.URI)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || uri.Path != "/青服:138****0001" || uri.Query().Get("secret") != e.Secret || uri.Query().Get("issuer") != "青服" {
		t.Errorf("URI %s, %v", e.URI, err)
	}
	if raw, err := base32.StdEncoding.DecodeString(e.Secret); err != nil || len(raw) != 20 || e.Secret == first.Secret {
		t.Errorf("secret %q after %q, %v", e.Secret, first.Secret, err)
	}
	wantConflict(t, "show before it is confirmed", f.ShowSecondFactor(t.Context(), caller, totp(t, e.Secret, f.clock.now()), home))
	for _, code := range []string{"", "12345", "abcdef", totp(t, first.Secret, f.clock.now())} {
		_, err = f.ConfirmSecondFactor(t.Context(), caller, code, home)
		wantKind(t, "confirm by "+code, err, directory.Unauthenticated)
	}
	counts(false)

	code := totp(t, e.Secret, f.clock.now())
	recovery, err := f.ConfirmSecondFactor(t.Context(), caller, code[:3]+" "+code[3:], home)
	if err != nil || len(recovery) != 10 {
		t.Fatal(recovery, err)
	}
	counts(true)
	_, err = f.EnrolSecondFactor(t.Context(), caller)
	wantConflict(t, "enrol again", err)
	f.clock.pass(time.Hour)
	_, err = f.ConfirmSecondFactor(t.Context(), caller, totp(t, e.Secret, f.clock.now()), home)
	wantConflict(t, "confirm again", err)
	if notes := f.notes(t, caller.Account); !slices.Equal(notes, []directory.NotificationKind{directory.NoteGranted, directory.NoteSecondFactorSet}) {
		t.Errorf("inbox %v", notes)
	}

	// It counts for twelve hours, and renewing the session changes nothing.
	f.clock.set(limitStart.Add(12*time.Hour - time.Millisecond))
	tokens = f.refresh(t, tokens)
	counts(true)
	f.clock.pass(time.Millisecond)
	counts(false)
	if err := f.ShowSecondFactor(t.Context(), caller, totp(t, e.Secret, f.clock.now()), home); err != nil {
		t.Fatal(err)
	}
	counts(true)
	want := []directory.AuditEntry{}
	for range 4 {
		want = append(want, line(directory.AuditEntry{Action: directory.AuditSecondFactor, Refused: true, Actor: caller.Account, Subject: caller.Account, Detail: "registered"}))
	}
	for _, detail := range []string{"registered", "shown"} {
		want = append(want, line(directory.AuditEntry{Action: directory.AuditSecondFactor, Actor: caller.Account, Subject: caller.Account, Detail: detail}))
	}
	sameJSON(t, "audit log", f.lines(t, directory.AuditSecondFactor), want)
}

// begun is another session of an account.
func (f *fixture) begun(t *testing.T, account string) directory.Session {
	t.Helper()
	tokens, err := f.begin(t.Context(), account, home)
	if err != nil {
		t.Fatal(err)
	}
	return tokens.Session
}

func TestNoCodeIsTakenTwice(t *testing.T) {
	f := newFixture(t)
	caller := f.caller(t, f.signIn(t, ann))
	secret, _ := f.enrol(t, caller)
	start := f.clock.now().Add(time.Hour)
	for i, step := range []struct {
		now, code int // steps of 30 seconds
		ok        bool
	}{
		{0, -2, false},
		{0, 2, false},
		{0, -1, true},
		{0, -1, false},
		{0, 1, true},
		{0, 1, false},
		{0, 0, false}, // earlier than the last, though never used
		{1, 0, false},
		{1, 1, false},
		{2, 1, false},
		{3, 2, true}, // the clock of the phone is slow
		{4, 5, true}, // and now fast
		{5, 4, false},
		{5, 5, false},
		{6, 6, true},
	} {
		// An hour lies between, so that the number of tries does not matter.
		f.clock.set(start.Add(time.Duration(i)*2*time.Hour + time.Duration(step.now)*totpPeriod))
		code := totp(t, secret, start.Add(time.Duration(i)*2*time.Hour+time.Duration(step.code)*totpPeriod))
		if i > 0 { // what counts is the distance to the last code
			if _, err := f.Store.Accounts.Update(t.Context(), caller.Account, func(a *directory.Account) error {
				a.SecondFactor.LastStep += int64(2 * time.Hour / totpPeriod)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		err := f.ShowSecondFactor(t.Context(), caller, code, home)
		if step.ok && err != nil {
			t.Errorf("step %+v: %v", step, err)
		}
		if !step.ok {
			wantKind(t, fmt.Sprintf("step %+v", step), err, directory.Unauthenticated)
		}
	}
}

func TestOneSecondFactorCodeInParallel(t *testing.T) {
	f := newFixture(t)
	caller := f.caller(t, f.signIn(t, ann))
	secret, _ := f.enrol(t, caller)
	f.clock.pass(2 * time.Hour)
	code := totp(t, secret, f.clock.now())
	ok, failures := parallel(int(secondFactorTries.Most), func(int) error { return f.ShowSecondFactor(t.Context(), caller, code, home) })
	for _, err := range failures {
		wantKind(t, "all but one", err, directory.Unauthenticated)
	}
	if ok != 1 {
		t.Errorf("%d successes", ok)
	}
}

func TestRecoveryCodes(t *testing.T) {
	f := newFixture(t)
	caller := f.caller(t, f.signIn(t, ann))
	foreign := f.caller(t, f.signIn(t, ben))
	_, codes := f.enrol(t, caller)
	f.enrol(t, foreign)
	for i, code := range codes {
		f.clock.pass(2 * time.Hour)
		wantKind(t, "of another account", f.ShowSecondFactor(t.Context(), foreign, code, home), directory.Unauthenticated)
		if i%2 > 0 { // as people write it
			code = strings.ReplaceAll(strings.ToUpper(code), "-", " ")
		}
		if err := f.ShowSecondFactor(t.Context(), caller, code, home); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		wantKind(t, "the second time", f.ShowSecondFactor(t.Context(), caller, code, home), directory.Unauthenticated)
		if left := len(f.account(t, caller.Account).SecondFactor.Recovery); left != len(codes)-i-1 {
			t.Errorf("%d are left", left)
		}
	}
	f.clock.pass(2 * time.Hour)
	wantKind(t, "none are left", f.ShowSecondFactor(t.Context(), caller, "", home), directory.Unauthenticated)
	slices.Sort(codes)
	if len(slices.Compact(codes)) != recoveryCodes || len(codes[0]) != 19 {
		t.Errorf("codes %v", codes)
	}
}

func TestLimitOnSecondFactors(t *testing.T) {
	f := newFixture(t)
	caller, foreign := f.caller(t, f.signIn(t, ann)), f.caller(t, f.signIn(t, ben))
	secret, _ := f.enrol(t, caller)
	other, _ := f.enrol(t, foreign)
	f.clock.set(limitStart.Add(2 * time.Hour))
	for range 10 {
		wantKind(t, "wrong code", f.ShowSecondFactor(t.Context(), caller, "x", home), directory.Unauthenticated)
	}
	right := func() string { return totp(t, secret, f.clock.now()) }
	// All ten were at the beginning of an hour, and a tenth of them must have passed.
	const wait = time.Hour + 6*time.Minute
	wantWait(t, "show", f.ShowSecondFactor(t.Context(), caller, right(), home), wait)
	wantWait(t, "remove", f.RemoveSecondFactor(t.Context(), caller, right(), home), wait)
	_, err := f.ConfirmSecondFactor(t.Context(), caller, right(), home)
	wantWait(t, "confirm", err, wait)
	if err := f.ShowSecondFactor(t.Context(), foreign, totp(t, other, f.clock.now()), home); err != nil {
		t.Errorf("another account: %v", err)
	}
	f.clock.pass(wait)
	if err := f.ShowSecondFactor(t.Context(), caller, right(), home); err != nil {
		t.Error(err)
	}
}

func TestRemoveSecondFactor(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	caller := f.caller(t, tokens)
	secret, recovery := f.enrol(t, caller)
	second := f.begun(t, caller.Account)
	f.clock.pass(time.Hour)
	showIn := caller
	showIn.Session = second.ID
	if err := f.ShowSecondFactor(t.Context(), showIn, totp(t, secret, f.clock.now()), home); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"", "000000", totp(t, secret, f.clock.now())} { // the last was used
		wantKind(t, "remove by "+code, f.RemoveSecondFactor(t.Context(), caller, code, home), directory.Unauthenticated)
	}
	if !f.shown(t, tokens.Session) || !f.shown(t, second) {
		t.Error("a wrong code has an effect")
	}
	if err := f.RemoveSecondFactor(t.Context(), caller, recovery[0], home); err != nil {
		t.Fatal(err)
	}
	if f.shown(t, tokens.Session) || f.shown(t, second) {
		t.Error("counts although there is none any more")
	}
	if f.account(t, caller.Account).SecondFactor != nil {
		t.Error("is still there")
	}
	lines := f.lines(t, directory.AuditSecondFactor)
	sameJSON(t, "audit log", lines[len(lines)-1], line(directory.AuditEntry{Action: directory.AuditSecondFactor, Actor: caller.Account, Subject: caller.Account, Detail: "removed"}))
	if again, _ := f.enrol(t, caller); again == secret {
		t.Error("the same secret again")
	}
}

// TestRemoveSecondFactorBeforeItIsConfirmed needs no code, and so shows nothing.
func TestRemoveSecondFactorBeforeItIsConfirmed(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	caller := f.caller(t, tokens)
	if _, err := f.EnrolSecondFactor(t.Context(), caller); err != nil {
		t.Fatal(err)
	}
	before := get(t, f.Store.Sessions, tokens.Session.ID).Version
	if err := f.RemoveSecondFactor(t.Context(), caller, "", home); err != nil {
		t.Fatal(err)
	}
	// It is written once, to take away what it may have shown, and not given it before.
	if after := get(t, f.Store.Sessions, tokens.Session.ID); after.Value.SecondFactorAt != nil || after.Version != before+1 {
		t.Errorf("%+v", after)
	}
	if f.account(t, caller.Account).SecondFactor != nil {
		t.Error("is still there")
	}
}

func TestResetSecondFactor(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	caller := f.caller(t, tokens)
	f.enrol(t, caller)
	account, err := f.FindAccount(t.Context(), "138-0000-0001")
	if err != nil || account.ID != caller.Account {
		t.Fatal(account, err)
	}
	if err := f.ResetSecondFactor(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if f.shown(t, tokens.Session) || f.account(t, account.ID).SecondFactor != nil {
		t.Error("it still counts")
	}
	lines := f.lines(t, directory.AuditSecondFactor)
	sameJSON(t, "audit log", lines[len(lines)-1], directory.AuditEntry{Action: directory.AuditSecondFactor, Subject: account.ID, Detail: "reset"})
	f.enrol(t, caller)
}

func TestDemoAccounts(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.Demo = true })
	const phone, secret = "10000000009", "QINGFUDEMOQINGFUDEMOQINGFUDEMO23"
	for range 2 {
		if err := f.AddDemo(t.Context(), phone, "示例管理员", secret, []directory.Grant{{Role: directory.Admin}}, testRegions(t)); err != nil {
			t.Fatal(err)
		}
	}
	tokens := f.signIn(t, phone)
	caller := f.caller(t, tokens)
	account := f.account(t, caller.Account)
	if !account.Demo || account.Name != "示例管理员" || len(caller.Grants) != 1 || len(f.lines(t, directory.AuditGrant)) != 1 {
		t.Errorf("%+v, %+v", account, caller)
	}
	if err := f.ShowSecondFactor(t.Context(), caller, totp(t, secret, f.clock.now()), home); err != nil {
		t.Error(err)
	}
	if account := f.account(t, f.signIn(t, ann).Session.Account); account.Demo {
		t.Error("somebody is a demonstration")
	}
}
