package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

// client is the nth of many devices in one network.
func client(n int) Client { return Client{Network: home.Network, Device: fmt.Sprintf("device %d", n)} }

// phoneState is what is stored of a phone.
func (f *fixture) phoneState(t *testing.T, phone string) directory.PhoneCode {
	t.Helper()
	return get(t, f.Store.PhoneCodes, f.Keys.Hash("phone", phone)).Value
}

// wrong returns a code that is not the given one.
func wrong(code string) string {
	if code == "111111" {
		return "222222"
	}
	return "111111"
}

func TestCodeWorksOnce(t *testing.T) {
	f := newFixture(t)
	code := f.code(t, ann)
	if f.phoneState(t, ann).CodeHash == "" {
		t.Fatal("no code is stored")
	}
	f.clock.pass(codeLife - time.Millisecond)
	if _, err := f.SignIn(t.Context(), "+86 138-0000-0001", code, home); err != nil {
		t.Fatal(err)
	}
	_, err := f.SignIn(t.Context(), ann, code, home)
	wantKind(t, "the second time", err, directory.Unauthenticated)
	if n := len(every(t, f.Store.Sessions)); n != 1 {
		t.Errorf("%d sessions", n)
	}
	account := every(t, f.Store.Accounts)[0].ID
	sameJSON(t, "audit log", f.lines(t, directory.AuditSignIn), []directory.AuditEntry{
		line(directory.AuditEntry{Action: directory.AuditSignIn, Actor: account}),
		line(directory.AuditEntry{Action: directory.AuditSignIn, Refused: true}),
	})
}

func TestCodesThatAreNotGood(t *testing.T) {
	f := newFixture(t)
	another := func(phone, code string) { // that differs, as all but one in a million do
		for other := code; other == code; {
			f.clock.pass(time.Hour)
			other = f.code(t, phone)
		}
	}
	for what, give := range map[string]func(code string) (phone, given string){
		"wrong":            func(code string) (string, string) { return ann, wrong(code) },
		"empty":            func(string) (string, string) { return ann, "" },
		"short":            func(code string) (string, string) { return ann, code[:5] },
		"long":             func(code string) (string, string) { return ann, code + "0" },
		"with a space":     func(code string) (string, string) { return ann, code + " " },
		"never sent":       func(code string) (string, string) { return "13800000003", code },
		"too old":          func(code string) (string, string) { f.clock.pass(codeLife); return ann, code },
		"not the last":     func(code string) (string, string) { another(ann, code); return ann, code },
		"of another phone": func(code string) (string, string) { another(ben, code); return ben, code },
		"after five wrong ones": func(code string) (string, string) {
			for range codeTries {
				_, err := f.SignIn(t.Context(), ann, wrong(code), home)
				wantKind(t, "wrong code", err, directory.Unauthenticated)
			}
			return ann, code
		},
	} {
		phone, given := give(f.code(t, ann))
		if _, err := f.SignIn(t.Context(), phone, given, home); err != errWrongCode {
			t.Errorf("%s: %v", what, err)
		}
		f.clock.pass(25 * time.Hour)
	}
	if n := len(every(t, f.Store.Accounts)); n > 0 {
		t.Errorf("%d accounts", n)
	}
	f.signIn(t, ann)
}

func TestTriesCountFromTheLastCode(t *testing.T) {
	f := newFixture(t)
	for range 2 {
		code := f.code(t, ann)
		for range codeTries - 1 {
			_, err := f.SignIn(t.Context(), ann, wrong(code), home)
			wantKind(t, "wrong code", err, directory.Unauthenticated)
		}
		if _, err := f.SignIn(t.Context(), ann, code, home); err != nil {
			t.Error(err)
		}
		f.clock.pass(time.Hour)
	}
}

func TestWrongTriesInParallel(t *testing.T) {
	f := newFixture(t)
	code := f.code(t, ann)
	before := get(t, f.Store.PhoneCodes, f.Keys.Hash("phone", ann)).Version
	ok, failures := parallel(50, func(i int) error {
		_, err := f.SignIn(t.Context(), ann, wrong(code), client(i))
		return err
	})
	for _, err := range failures {
		wantKind(t, "wrong code", err, directory.Unauthenticated)
	}
	// Each comparison whose result somebody learns is a write.
	after := get(t, f.Store.PhoneCodes, f.Keys.Hash("phone", ann))
	if ok > 0 || after.Value.Tries != codeTries || after.Version-before != codeTries {
		t.Errorf("%d successes, %d tries in %d writes", ok, after.Value.Tries, after.Version-before)
	}
	_, err := f.SignIn(t.Context(), ann, code, home)
	wantKind(t, "the right code after that", err, directory.Unauthenticated)
}

func TestRightCodeInParallel(t *testing.T) {
	f := newFixture(t)
	code := f.code(t, ann)
	ok, failures := parallel(50, func(i int) error {
		_, err := f.SignIn(t.Context(), ann, code, client(i))
		return err
	})
	for _, err := range failures {
		wantKind(t, "all but one", err, directory.Unauthenticated)
	}
	if n := len(every(t, f.Store.Sessions)); ok != 1 || n != 1 {
		t.Errorf("%d successes, %d sessions", ok, n)
	}
}

func TestFirstSignInsInParallelMakeOneAccount(t *testing.T) {
	f := newFixture(t)
	code, regions := f.code(t, ann), testRegions(t)
	ids := make([]string, 10)
	_, failures := parallel(len(ids), func(i int) error {
		if i == 0 {
			tokens, err := f.SignIn(t.Context(), ann, code, home)
			ids[i] = tokens.Session.Account
			return err
		}
		g, _, err := f.Grant(t.Context(), directory.Caller{}, ann, directory.Grant{Role: directory.Owner, Organization: fmt.Sprintf("019aaf5e-4c00-7a1b-8c2d-%012d", i)}, regions, home)
		ids[i] = g.Account
		return err
	})
	if accounts := every(t, f.Store.Accounts); len(failures) > 0 || len(accounts) != 1 || len(slices.Compact(ids)) != 1 || ids[0] != accounts[0].ID {
		t.Errorf("accounts %v of %v, %v", accounts, ids, failures)
	}
}

func TestWaitsBetweenCodes(t *testing.T) {
	f := newFixture(t)
	n := 0
	ask := func() (SentCode, error) {
		n++ // so that the limits by device do not matter
		return f.RequestCode(t.Context(), ann, client(n))
	}
	const day = 24 * time.Hour
	passed := time.Duration(0)
	for _, wait := range []time.Duration{
		time.Minute, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, time.Hour, time.Hour,
		day - 229*time.Minute, // the tenth: until the first is a day old
		time.Hour,             // that one has made room for one more, and the next leaves in a minute
	} {
		sent, err := ask()
		now := f.clock.now()
		if err != nil || !sent.NextAt.Equal(now.Add(wait)) || !sent.ExpiresAt.Equal(now.Add(codeLife)) {
			t.Errorf("after %v: %+v, %v", passed, sent, err)
		}
		_, err = ask()
		wantWait(t, "at once", err, wait)
		f.clock.pass(wait - time.Millisecond)
		_, err = ask()
		wantWait(t, "a little early", err, time.Millisecond)
		f.clock.pass(time.Millisecond)
		passed += wait
	}
	if sent := len(f.outbox.sent()); sent != 11 {
		t.Errorf("%d messages", sent)
	}
	sameJSON(t, "audit log", f.lines(t, directory.AuditCode)[0], directory.AuditEntry{Action: directory.AuditCode, Refused: true, Network: home.Network})
	if _, err := f.RequestCode(t.Context(), ben, home); err != nil {
		t.Errorf("another phone: %v", err)
	}
	// What is more than a day old does not count.
	f.clock.pass(day)
	if sent, err := ask(); err != nil || sent.NextAt.Sub(f.clock.now()) != time.Minute {
		t.Errorf("a day later: %+v, %v", sent, err)
	}
}

func TestFailingSenderChangesNothing(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.SMSPerHour = 3 })
	code := f.code(t, ann)
	_, err := f.SignIn(t.Context(), ann, wrong(code), home)
	wantKind(t, "wrong code", err, directory.Unauthenticated)
	f.clock.pass(time.Minute)
	before := f.phoneState(t, ann)

	f.outbox.fail(&directory.Error{Kind: directory.Unavailable, What: "sms"})
	for range codesByNetwork.Most + 1 { // more than any limit lets through
		_, err := f.RequestCode(t.Context(), ann, home)
		wantKind(t, "failing sender", err, directory.Unavailable)
	}
	after := f.phoneState(t, ann)
	before.KeepUntil, after.KeepUntil = time.Time{}, time.Time{}
	sameJSON(t, "state", after, before)

	f.outbox.fail(nil)
	if _, err := f.SignIn(t.Context(), ann, code, home); err != nil {
		t.Errorf("the code sent before: %v", err)
	}
	if sent, err := f.RequestCode(t.Context(), ann, home); err != nil || sent.NextAt.Sub(f.clock.now()) != codeWaits[1] {
		t.Errorf("asking again at once: %+v, %v", sent, err)
	}
	f.code(t, ben) // the third message of the hour
	_, err = f.RequestCode(t.Context(), "13800000003", home)
	wantKind(t, "above the ceiling", err, directory.RateLimited)
}

func TestFailingSenderOfAFirstCode(t *testing.T) {
	f := newFixture(t)
	f.outbox.fail(errors.New("internal"))
	if _, err := f.RequestCode(t.Context(), ann, home); err == nil {
		t.Error("no error")
	}
	f.outbox.fail(nil)
	f.code(t, ann)
}

// impatient hands messages on, but whoever waits for them leaves meanwhile.
type impatient struct {
	*outbox
	leave context.CancelFunc
}

func (s impatient) Send(ctx context.Context, m Message) error {
	s.leave()
	return s.outbox.Send(ctx, m)
}

func TestWhoeverAsksLeavesMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.outbox.fail(&directory.Error{Kind: directory.Unavailable, What: "sms"})
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		f.Sender = impatient{f.outbox, cancel}
		_, err := f.RequestCode(ctx, ann, home)
		if f.outbox.failure != nil {
			wantKind(t, "failing sender", err, directory.Unavailable)
		} else if err != nil {
			t.Error(err)
		}
		f.outbox.fail(nil) // nothing keeps the second from being sent
	}
	sent := f.outbox.sent()
	if _, err := f.SignIn(t.Context(), ann, sent[0].Code, home); err != nil || len(sent) != 1 {
		t.Errorf("%d messages, %v", len(sent), err)
	}
}

func TestCeilingOfMessages(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.SMSPerHour = 2 })
	f.code(t, ann)
	f.code(t, ben)
	// The hour begins with the test, and in the next half of these two must have passed.
	const wait = 90 * time.Minute
	for range 2 { // being refused does not count as being sent one
		_, err := f.RequestCode(t.Context(), "13800000003", home)
		wantWait(t, "above the ceiling", err, wait)
	}
	f.clock.pass(wait - time.Millisecond)
	_, err := f.RequestCode(t.Context(), "13800000003", home)
	wantWait(t, "a little early", err, time.Millisecond)
	f.clock.pass(time.Millisecond)
	f.code(t, "13800000003")
}

func TestCodesInParallelSendOneMessage(t *testing.T) {
	f := newFixture(t)
	ok, failures := parallel(20, func(i int) error {
		_, err := f.RequestCode(t.Context(), ann, client(i))
		return err
	})
	for _, err := range failures {
		wantWait(t, "all but one", err, time.Minute)
	}
	sent := f.outbox.sent()
	if ok != 1 || len(sent) != 1 {
		t.Fatalf("%d successes, %d messages", ok, len(sent))
	}
	if _, err := f.SignIn(t.Context(), ann, sent[0].Code, home); err != nil {
		t.Error(err)
	}
}

// TestNothingTellsWhoHasAnAccount does the same with a phone that has an account
// and one that has none.
func TestNothingTellsWhoHasAnAccount(t *testing.T) {
	f := newFixture(t)
	f.signIn(t, ann)
	f.clock.pass(24*time.Hour + time.Millisecond)
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Sent       SentCode
		Errs       []string
		Wait       time.Duration
		State      directory.PhoneCode
		SignInFail string
		Lines      []directory.AuditEntry
	}
	look := func(phone string) (s seen) {
		before := len(every(t, f.Store.Audit))
		var err error
		if s.Sent, err = f.RequestCode(t.Context(), phone, home); err != nil {
			t.Fatal(err)
		}
		_, again := f.RequestCode(t.Context(), phone, home)
		sent := f.outbox.sent()
		_, bad := f.SignIn(t.Context(), phone, wrong(sent[len(sent)-1].Code), home)
		for _, err := range []error{again, bad} {
			s.Errs = append(s.Errs, err.Error())
		}
		s.Wait = again.(*directory.Error).RetryAfter
		s.State = f.phoneState(t, phone)
		if s.State.PhoneHash != f.Keys.Hash("phone", phone) || s.State.CodeHash == "" {
			t.Errorf("state %+v", s.State)
		}
		s.State.PhoneHash, s.State.CodeHash = "", ""
		for _, e := range inserted(t, f.Store.Audit)[before:] {
			e.ID = ""
			s.Lines = append(s.Lines, e)
		}
		return s
	}
	known, unknown := look(ann), look(ben)
	if len(known.Lines) != 2 || known.State.Tries != 1 {
		t.Fatalf("%+v", known)
	}
	sameJSON(t, "known and unknown", known, unknown)
}

func TestPhonesThatCannotSignIn(t *testing.T) {
	const demo = "10000000001"
	for _, tt := range []struct {
		demo bool
		bad  []string
		good []string
	}{
		{false, []string{"", "09711234567", "1380000000", demo}, []string{ann}},
		{true, []string{"", "20000000001"}, []string{ann, demo}},
	} {
		t.Run(fmt.Sprint("demonstration ", tt.demo), func(t *testing.T) {
			f := newFixture(t, func(cfg *Config) { cfg.Demo = tt.demo })
			for _, phone := range tt.bad {
				_, err := f.RequestCode(t.Context(), phone, home)
				_, signErr := f.SignIn(t.Context(), phone, "123456", home)
				_, findErr := f.FindAccount(t.Context(), phone)
				for _, err := range []error{err, signErr, findErr} {
					if want := "invalid: code: /phone bad_format (13800138000)"; err == nil || err.Error() != want {
						t.Errorf("%q: %v", phone, err)
					}
				}
			}
			if n := len(every(t, f.Store.PhoneCodes)); n > 0 || len(f.outbox.sent()) > 0 {
				t.Error("something is done for phones that there are not")
			}
			for _, phone := range tt.good {
				f.signIn(t, phone)
			}
		})
	}
}

func TestLimitsOnSigningIn(t *testing.T) {
	sameNetwork := func(i int) Client { return Client{Network: "192.0.2.1", Device: fmt.Sprint(i)} }
	sameDevice := func(i int) Client { return Client{Network: fmt.Sprintf("192.0.2.%d", i), Device: "1"} }
	noDevice := func(i int) Client { return Client{Network: fmt.Sprintf("192.0.2.%d", i)} }
	for what, tt := range map[string]struct {
		from  func(i int) Client
		asked int
		codes int // that can be asked for
		signs int // that can be redeemed
	}{
		"a network":                           {sameNetwork, 121, 60, 120},
		"a device":                            {sameDevice, 31, 12, 30},
		"devices that do not name themselves": {noDevice, 31, 31, 31},
	} {
		t.Run(what, func(t *testing.T) {
			f := newFixture(t)
			count := func(do func(phone string, from Client) error) (n int) {
				for n < tt.asked {
					err := do(fmt.Sprintf("138%08d", n), tt.from(n))
					if directory.KindOf(err) == directory.RateLimited {
						return n
					}
					if err != nil && directory.KindOf(err) != directory.Unauthenticated {
						t.Fatal(err)
					}
					n++
				}
				return n
			}
			codes := count(func(phone string, from Client) error { _, err := f.RequestCode(t.Context(), phone, from); return err })
			signs := count(func(phone string, from Client) error { _, err := f.SignIn(t.Context(), phone, "x", from); return err })
			if codes != tt.codes || signs != tt.signs {
				t.Errorf("%d codes, %d sign-ins, want %d and %d", codes, signs, tt.codes, tt.signs)
			}
		})
	}
}

// TestLimitByDeviceGivesTheNetworkItsBack: a device that is over its limit does
// not use up that of its town.
func TestLimitByDeviceGivesTheNetworkItsBack(t *testing.T) {
	f := newFixture(t)
	for i := range 100 {
		_, err := f.RequestCode(t.Context(), fmt.Sprintf("138%08d", i), home)
		if int64(i) < codesByDevice.Most != (err == nil) {
			t.Fatal(i, err)
		}
	}
	if _, err := f.RequestCode(t.Context(), ben, client(2)); err != nil {
		t.Error(err)
	}
}

func TestNewCode(t *testing.T) {
	for what, tt := range map[string]struct {
		random []byte
		want   string
	}{
		"zeros in front":           {[]byte{0, 0, 0, 42}, "000042"},
		"the last of all":          {[]byte{0xFF, 0xF1, 0x3D, 0x7F}, "999999"},
		"what would be favoured":   {[]byte{0xFF, 0xF1, 0x3D, 0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 7}, "000007"},
		"not enough random bytes":  {[]byte{0, 0, 0}, ""},
		"none after one too large": {[]byte{0xFF, 0xFF, 0xFF, 0xFF}, ""},
	} {
		a := &Auth{Config: Config{Random: bytes.NewReader(tt.random)}}
		code, err := a.newCode()
		if code != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v", what, code, err)
		}
	}
}

// TestNoRandomBytes: without them nothing is sent and no wait begins.
func TestNoRandomBytes(t *testing.T) {
	f := newFixture(t)
	random := f.Random
	f.Random = strings.NewReader("")
	if _, err := f.RequestCode(t.Context(), ann, home); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if n := len(f.outbox.sent()); n > 0 {
		t.Errorf("%d messages", n)
	}
	f.Random = random
	f.code(t, ann)
}
