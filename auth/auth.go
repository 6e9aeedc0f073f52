// Package auth signs people in and knows what they may do: one-time codes by
// text message, access and refresh tokens, second factors, roles, and the audit
// log of all of it.
//
// A sign-in passes through codes.go (a code is sent and redeemed), sessions.go
// (a session begins and is renewed) and tokens.go (an access token is signed).
// Every later request comes in at Authenticate, which makes a directory.Caller
// of its token, or at AuthenticateKey (apikeys.go) with the key of a department;
// what that caller may do is decided in the domain.
package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// Config is what signing in is made of. Every field is needed.
type Config struct {
	Store   *store.Store
	Keys    *Keyring
	Sender  Sender
	Limiter *Limiter
	Log     *slog.Logger
	Now     func() time.Time
	Random  io.Reader // cryptographically strong
	// Issuer is the public address of the server, which names it in tokens.
	Issuer string
	// SMSPerHour is the most text messages sent in an hour, to whomever.
	SMSPerHour int64
	// Demo lets demonstration accounts sign in.
	Demo bool
}

// Auth is the use cases of signing in. Its methods are safe for concurrent use.
type Auth struct {
	Config

	mu       sync.Mutex
	signing  []signingKey // by age, the newest last
	loadedAt time.Time    // of signing

	using sync.Mutex // held while the use of an API key is noted
}

// New returns the use cases over a store that was made with the same keys. It
// makes the first signing key.
func New(ctx context.Context, cfg Config) (*Auth, error) {
	a := &Auth{Config: cfg}
	// An address is soon guessed from a hash that everybody can compute.
	cfg.Limiter.hash = func(caller string) string { return cfg.Keys.Hash("caller of a limit", caller) }
	if err := a.checkKeys(ctx); err != nil {
		return nil, err
	}
	return a, a.RotateSigningKeys(ctx, Scheduled)
}

// keysMark is the name of the mark that says with which keys a store was made.
const keysMark = "keys"

// Keyed tells whether a store was made with keys, so that it is of use with these
// alone.
func Keyed(ctx context.Context, st *store.Store) (bool, error) {
	_, err := st.Meta.Get(ctx, keysMark)
	if directory.KindOf(err) == directory.NotFound {
		return false, nil
	}
	return err == nil, err
}

// checkKeys refuses keys that are not those of the store: with others nobody
// would be found by phone any more, and everybody would get a second account.
func (a *Auth) checkKeys(ctx context.Context) error {
	fingerprint := a.Keys.Hash("fingerprint", "")[:16]
	mark, err := a.Store.Meta.Get(ctx, keysMark)
	if directory.KindOf(err) == directory.NotFound {
		_, err = a.Store.Meta.Insert(ctx, store.Mark{Name: keysMark, Value: fingerprint, At: a.now()})
		if directory.KindOf(err) == directory.Conflict { // another server was quicker
			return a.checkKeys(ctx)
		}
		return err
	}
	if err == nil && mark.Value.Value != fingerprint {
		return errors.New("the data was made with other keys than these: set QINGFU_KEYS or QINGFU_KEY_FILE to the keys that it was made with")
	}
	return err
}

// Client is where a request comes from, for limits and the audit log.
type Client struct {
	Network   string // the address of an IPv4 client, the /64 of an IPv6 one
	Device    string // an id that the app has chosen for its installation, or ""
	Label     string // what the device says that it is, or ""
	RequestID string
}

// Run looks after what has to happen by itself until ctx ends: keys are rotated,
// what has expired is deleted, accounts whose time has come are erased, and whoever
// made an API key that is about to expire is told. What fails is tried again a minute
// later.
func (a *Auth) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := a.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("sessions, codes, accounts and keys cannot be looked after", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep does once what [Auth.Run] repeats.
func (a *Auth) Sweep(ctx context.Context) error {
	return errors.Join(
		a.RotateSigningKeys(ctx, Scheduled),
		sweep(ctx, a, a.Store.Sessions, "expires"),
		sweep(ctx, a, a.Store.PhoneCodes, "keep"),
		a.Limiter.Sweep(ctx),
		a.eraseDue(ctx),
		a.warnOfAPIKeys(ctx),
	)
}

// sweep deletes the documents whose declared time is past.
func sweep[T any](ctx context.Context, a *Auth, c *store.Collection[T], field string) error {
	for {
		docs, _, err := c.Find(ctx, store.Query{
			Where: []store.Condition{{Field: field, Op: store.Less, Value: a.Now().UnixMilli()}}, Limit: store.MaxLimit,
		})
		if err != nil || len(docs) == 0 {
			return err
		}
		deleted := 0
		for i := range docs {
			switch err := c.Delete(ctx, c.ID(&docs[i].Value), docs[i].Version); directory.KindOf(err) {
			case directory.Conflict, directory.NotFound: // used meanwhile, or swept by another server
			case "":
				if err != nil {
					return err
				}
				deleted++
			default:
				return err
			}
		}
		if deleted == 0 {
			return nil
		}
	}
}

// now is the time in the precision that is stored.
func (a *Auth) now() time.Time { return a.Now().UTC().Truncate(time.Millisecond) }

func (a *Auth) newID() (string, error) { return directory.NewID(a.Now(), a.Random) }

// Record appends a line to the audit log. It comes before what it speaks of, so
// that nothing can happen without its line.
func (a *Auth) Record(ctx context.Context, e directory.AuditEntry, from Client) (err error) {
	defer directory.Wrap(&err, "audit log")
	if e.ID, err = a.newID(); err != nil {
		return err
	}
	e.At, e.Network, e.RequestID = a.now(), from.Network, from.RequestID
	_, err = a.Store.Audit.Insert(ctx, e)
	return err
}

// RecordOnce appends a line about what the program itself has done to a subject at the
// time that the line says, once: its id follows from these, so that whoever is not sure
// whether it was stored records it again.
func (a *Auth) RecordOnce(ctx context.Context, e directory.AuditEntry) (err error) {
	defer directory.Wrap(&err, "audit log")
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", e.Action, e.Subject, e.At.UnixMilli()))
	if e.ID, err = directory.NewID(e.At, bytes.NewReader(sum[:])); err != nil {
		return err
	}
	if _, err = a.Store.Audit.Insert(ctx, e); directory.KindOf(err) == directory.Conflict {
		return nil
	}
	return err
}

// The limits on lines about refusals: strangers and accounts that only wish to
// fill the disk must not be able to. What is beyond them is in the program's log.
var (
	refusalsByNetwork = Limit{"refusals by network", 60, time.Hour}
	refusalsByAccount = Limit{"refusals by account", 60, time.Hour}
	refusalsInAll     = Limit{"refusals", 10_000, time.Hour}
)

// refused appends a line about something that was refused, to an account or a key, or
// to strangers where by is "". Above the limits it does so in the program's log.
func (a *Auth) refused(ctx context.Context, by string, e directory.AuditEntry, from Client) error {
	e.Refused = true
	_, err := a.takeAll(ctx, quota{refusalsByNetwork, from.Network}, quota{refusalsByAccount, by}, quota{refusalsInAll, "all"})
	if directory.KindOf(err) == directory.RateLimited {
		a.Log.Warn("a refusal is not in the audit log, which has enough of them",
			"action", e.Action, "operation", e.Operation, "by", by, "id", from.RequestID)
		return nil
	}
	if err != nil {
		return err
	}
	if e.Actor == "" {
		return a.Record(ctx, e, from)
	}
	return a.recordFor(ctx, e.Actor, e, from)
}

// Refused notes in the audit log that an operation was refused to a caller.
func (a *Auth) Refused(ctx context.Context, caller directory.Caller, operation string, from Client) error {
	e := directory.AuditEntry{Action: directory.AuditAccess, Actor: caller.Account, Operation: operation}
	if caller.Key == "" {
		return a.refused(ctx, caller.Account, e, from)
	}
	for _, g := range caller.Grants { // of which a key has one
		e.Subject, e.Bureau, e.Region = caller.Key, g.Bureau, g.Region
	}
	return a.refused(ctx, caller.Key, e, from)
}

// limited turns an Allowance that refuses into an error.
func limited(allowance Allowance, err error) error {
	if err == nil && !allowance.OK {
		err = &directory.Error{Kind: directory.RateLimited, RetryAfter: allowance.Reset}
	}
	return err
}

// refusal returns the error that refuses something, or, when what has to go with
// the refusal failed, what went wrong with that.
func refusal(err error, failures ...error) error {
	if failure := errors.Join(failures...); failure != nil {
		return failure
	}
	return err
}

// random reads n random bytes.
func (a *Auth) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(a.Random, b); err != nil {
		return nil, fmt.Errorf("random: %w", err)
	}
	return b, nil
}
