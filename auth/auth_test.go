package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/seed"
	"qingfu/store"
	"qingfu/store/sqlite"
)

const (
	ann = "13800000001"
	ben = "13900000002"

	issuer = "https://directory.example"
)

var home = Client{Network: "192.0.2.1", Device: "device-1", Label: "Ann's phone", RequestID: "request-1"}

// fixture is the use cases over a store on disk, at a time that stands still
// until it is moved.
type fixture struct {
	*Auth
	clock  *limitClock
	outbox *outbox
	disk   *disk
	tries  atomic.Int64
}

func newFixture(t *testing.T, settings ...func(*Config)) *fixture {
	t.Helper()
	t.Parallel()
	f := &fixture{clock: newLimitClock(limitStart), outbox: &outbox{}}
	cfg := Config{
		Sender: f.outbox, Limiter: NewLimiter(f.clock.now, nil), Log: slog.New(slog.DiscardHandler),
		Now: f.clock.now, Random: rand.Reader, Issuer: issuer, SMSPerHour: 1000,
	}
	cfg.Store, f.disk = newStore(t)
	for _, set := range settings {
		set(&cfg)
	}
	if cfg.Keys == nil {
		cfg.Keys = newKeyring(t)
	}
	var err error
	if f.Auth, err = New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

// emptyStore is the file of a store that holds nothing, because to make one
// takes longer than most tests.
var emptyStore = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "qingfu-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "store.db")
	engine, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	_, err = store.New(context.Background(), engine)
	if err = errors.Join(err, engine.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func newStore(t *testing.T) (*store.Store, *disk) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	file, err := emptyStore()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	d := &disk{Engine: engine, path: path}
	s, err := store.New(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

func newKeyring(t *testing.T) *Keyring {
	t.Helper()
	return openKeys(t, filepath.Join(t.TempDir(), "keys.json"))
}

func openKeys(t *testing.T, path string) *Keyring {
	t.Helper()
	k, err := OpenKeyFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// others is the settings of other servers like this one, which count for themselves.
func (f *fixture) others() Config {
	cfg := f.Config
	cfg.Limiter = NewLimiter(f.clock.now, nil)
	return cfg
}

// another is a second server on the same store.
func (f *fixture) another(t *testing.T) *Auth {
	t.Helper()
	a, err := New(t.Context(), f.others())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// disk is an engine in which one collection can be made impossible to write.
type disk struct {
	store.Engine
	path string       // of the database
	full atomic.Value // string
}

var errFull = errors.New("the disk is full")

func (d *disk) Write(ctx context.Context, collection string, writes ...store.Write) ([]store.Outcome, error) {
	if collection == d.full.Load() {
		return nil, errFull
	}
	return d.Engine.Write(ctx, collection, writes...)
}

// outbox is a provider of text messages that keeps them, or fails.
type outbox struct {
	mu       sync.Mutex
	messages []Message
	failure  error
}

func (o *outbox) Send(_ context.Context, m Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failure == nil {
		o.messages = append(o.messages, m)
	}
	return o.failure
}

func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failure = err
}

func (o *outbox) sent() []Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.messages)
}

// code asks for a code and returns it.
func (f *fixture) code(t *testing.T, phone string) string {
	t.Helper()
	if _, err := f.RequestCode(t.Context(), phone, home); err != nil {
		t.Fatal(err)
	}
	sent := f.outbox.sent()
	m := sent[len(sent)-1]
	if m.Phone != phone || len(m.Code) != codeDigits || m.ValidFor != codeLife {
		t.Fatalf("sent %+v", m)
	}
	return m.Code
}

func (f *fixture) signIn(t *testing.T, phone string) Tokens {
	t.Helper()
	tokens, err := f.SignIn(t.Context(), phone, f.code(t, phone), home)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// caller is who an access token stands for.
func (f *fixture) caller(t *testing.T, tokens Tokens) directory.Caller {
	t.Helper()
	c, err := f.Authenticate(t.Context(), tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f *fixture) refresh(t *testing.T, tokens Tokens) Tokens {
	t.Helper()
	tokens, err := f.Refresh(t.Context(), tokens.Refresh, home)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func (f *fixture) account(t *testing.T, id string) directory.Account {
	t.Helper()
	return get(t, f.Store.Accounts, id).Value
}

func get[T any](t *testing.T, c *store.Collection[T], id string) store.Doc[T] {
	t.Helper()
	doc, err := c.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// every returns all documents of a collection.
func every[T any](t *testing.T, c *store.Collection[T]) []T {
	t.Helper()
	out, err := values(c.All(t.Context(), store.Query{}))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inserted returns the documents of a collection in the order of their last
// change. That of ids is the same only from one millisecond to the next.
func inserted[T any](t *testing.T, c *store.Collection[T]) (out []T) {
	t.Helper()
	changes, err := c.Changes(t.Context(), 0, store.MaxLimit)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if change.Value != nil {
			out = append(out, *change.Value)
		}
	}
	return out
}

// lines returns what the audit log says about an action, without ids and times.
func (f *fixture) lines(t *testing.T, action directory.AuditAction) []directory.AuditEntry {
	t.Helper()
	var out []directory.AuditEntry
	for _, e := range inserted(t, f.Store.Audit) {
		if e.Action == action {
			if !directory.ValidID(e.ID) || e.At.IsZero() || e.At.After(f.clock.now()) {
				t.Errorf("line %+v", e)
			}
			e.ID, e.At = "", time.Time{}
			out = append(out, e)
		}
	}
	return out
}

// line is what an audit line of home looks like.
func line(e directory.AuditEntry) directory.AuditEntry {
	e.Network, e.RequestID = home.Network, home.RequestID
	return e
}

// notes returns the kinds of what is in an inbox.
func (f *fixture) notes(t *testing.T, account string) (kinds []directory.NotificationKind) {
	t.Helper()
	for _, n := range inserted(t, f.Store.Notifications) {
		if n.Account == account {
			kinds = append(kinds, n.Kind)
		}
	}
	return kinds
}

func wantKind(t *testing.T, what string, err error, kind directory.ErrorKind) {
	t.Helper()
	if err == nil || directory.KindOf(err) != kind {
		t.Errorf("%s: %v, want %s", what, err, kind)
	}
}

// wantWait checks that something was refused for so long.
func wantWait(t *testing.T, what string, err error, wait time.Duration) {
	t.Helper()
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.Kind != directory.RateLimited || e.RetryAfter != wait {
		t.Errorf("%s: %+v, want a wait of %v", what, err, wait)
	}
}

// parallel calls do n times at once and returns how often it succeeded and the errors.
func parallel(n int, do func(i int) error) (ok int, failures []error) {
	start, results := make(chan struct{}), make(chan error)
	for i := range n {
		go func() {
			<-start
			results <- do(i)
		}()
	}
	close(start)
	for range n {
		if err := <-results; err != nil {
			failures = append(failures, err)
		} else {
			ok++
		}
	}
	return ok, failures
}

func sameJSON(t *testing.T, what string, got, want any) {
	t.Helper()
	g, errG := json.Marshal(got)
	w, errW := json.Marshal(want)
	if errG != nil || errW != nil || string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

var realRegions = sync.OnceValues(seed.Regions)

func testRegions(t *testing.T) *directory.Regions {
	t.Helper()
	regions, err := realRegions()
	if err != nil {
		t.Fatal(err)
	}
	return regions
}

func TestNewRefusesOtherKeys(t *testing.T) {
	f := newFixture(t)
	cfg := f.others()
	cfg.Keys = newKeyring(t)
	_, err := New(t.Context(), cfg)
	if want := "the data was made with other keys than these: set QINGFU_KEYS or QINGFU_KEY_FILE to the keys that it was made with"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	f.another(t)
}

func TestNewInParallel(t *testing.T) {
	f := newFixture(t)
	st, _ := newStore(t)
	servers := make([]*Auth, 8)
	_, failures := parallel(len(servers), func(i int) (err error) {
		cfg := f.others()
		cfg.Store = st
		servers[i], err = New(t.Context(), cfg)
		return err
	})
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	first, err := servers[0].PublicKeys(t.Context())
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	for _, s := range servers {
		if keys, err := s.PublicKeys(t.Context()); err != nil || !slices.Equal(keys, first) {
			t.Errorf("keys %v, %v, want %v", keys, err, first)
		}
	}
}

func TestRunSweepsUntilItsContextEnds(t *testing.T) {
	f := newFixture(t)
	f.signIn(t, ann)
	f.clock.pass(sessionIdle + time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	for {
		changed := f.Store.Sessions.Changed()
		if len(every(t, f.Store.Sessions)) == 0 {
			break
		}
		<-changed
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	f := newFixture(t)
	f.signIn(t, ann)
	for _, step := range []struct {
		pass            time.Duration
		sessions, codes int
	}{
		{24 * time.Hour, 1, 1},
		{time.Millisecond, 1, 0},
		{sessionIdle - 24*time.Hour - time.Millisecond, 1, 0},
		{time.Millisecond, 0, 0},
	} {
		f.clock.pass(step.pass)
		if err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, c := len(every(t, f.Store.Sessions)), len(every(t, f.Store.PhoneCodes)); s != step.sessions || c != step.codes {
			t.Errorf("at %v: %d sessions, %d codes, want %+v", f.clock.now(), s, c, step)
		}
	}
}

func TestRefused(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	if err := f.Refused(t.Context(), f.caller(t, tokens), "createGrant", home); err != nil {
		t.Fatal(err)
	}
	want := []directory.AuditEntry{line(directory.AuditEntry{
		Action: directory.AuditAccess, Refused: true, Actor: tokens.Session.Account, Operation: "createGrant",
	})}
	if got := f.lines(t, directory.AuditAccess); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestNothingHappensWithoutItsLine takes the audit log away and looks whether
// anything is done nevertheless.
func TestNothingHappensWithoutItsLine(t *testing.T) {
	f := newFixture(t)
	caller, regions := f.caller(t, f.signIn(t, ann)), testRegions(t)
	g := f.grant(t, ann, directory.Grant{Role: directory.Admin}, regions)
	f.signIn(t, ben)
	f.enrol(t, caller)
	key, text := f.newAPIKey(t, caller)
	f.clock.pass(time.Minute)
	code := f.code(t, ann)
	state := func() any {
		return []any{
			every(t, f.Store.Grants), every(t, f.Store.Sessions), every(t, f.Store.Accounts), every(t, f.Store.SigningKeys),
			every(t, f.Store.Notifications), every(t, f.Store.Audit), every(t, f.Store.APIKeys),
		}
	}
	before := state()
	f.disk.full.Store("audit")
	for what, do := range map[string]func() error{
		"grant": func() error {
			_, _, err := f.Grant(t.Context(), caller, ben, directory.Grant{Role: directory.Admin}, regions, home)
			return err
		},
		"revoke":        func() error { return f.Revoke(t.Context(), caller, g, home) },
		"sign in":       func() error { _, err := f.SignIn(t.Context(), ann, code, home); return err },
		"end a session": func() error { return f.EndSession(t.Context(), caller, caller.Session, home) },
		"erase":         func() error { _, err := f.Erase(t.Context(), caller, home); return err },
		"restore":       func() error { return f.Restore(t.Context(), caller, home) },
		"reset":         func() error { return f.ResetSecondFactor(t.Context(), f.account(t, caller.Account)) },
		"make an API key": func() error {
			_, _, err := f.CreateAPIKey(t.Context(), caller, key, regions, home)
			return err
		},
		"use an API key":      func() error { _, err := f.AuthenticateKey(t.Context(), text, home); return err },
		"revoke an API key":   func() error { return f.RevokeAPIKey(t.Context(), caller, key.ID, home) },
		"rotate":              func() error { return f.RotateSigningKeys(t.Context(), AtOnce) },
		"refuse":              func() error { return f.Refused(t.Context(), caller, "x", home) },
		"a wrong code":        func() error { _, err := f.SignIn(t.Context(), ben, "000000", home); return err },
		"a code too early":    func() error { _, err := f.RequestCode(t.Context(), ann, home); return err },
		"a wrong second code": func() error { return f.ShowSecondFactor(t.Context(), caller, "x", home) },
	} {
		if err := do(); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", what, err)
		}
		sameJSON(t, what, state(), before)
	}
}
