package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// How long sessions last (OWASP ASVS 4.0, 3.3.2). A phone that is used now and
// then stays signed in for half a year; what officials do needs a second factor
// that was shown the same day.
const (
	sessionIdle      = 30 * 24 * time.Hour  // since it was last renewed
	sessionLife      = 180 * 24 * time.Hour // since sign-in
	secondFactorLife = 12 * time.Hour
	maxSessions      = 20 // of one account; the oldest ends when another begins
)

// Tokens is what a client gets when it signs in or renews its session.
type Tokens struct {
	Session   directory.Session
	Access    string
	ExpiresIn time.Duration // of the access token
	Refresh   string
}

// SignIn redeems a code and begins a session; whoever signs in for the first
// time gets an account. It returns Invalid for a phone that cannot be one,
// Unauthenticated for a code that is not good, and RateLimited.
func (a *Auth) SignIn(ctx context.Context, phone, code string, from Client) (Tokens, error) {
	phone, err := a.parsePhone(phone)
	if err != nil {
		return Tokens{}, err
	}
	if _, err := a.takeAll(ctx, quota{signInByNetwork, from.Network}, quota{signInByDevice, from.Device}, quota{signInBySite, wider(from.Network, 48)}); err != nil {
		return Tokens{}, err
	}
	// Accounts are looked at only after the code has proved right, so that
	// nothing before it depends on whether there is one.
	if err := a.redeem(ctx, a.Keys.Hash("phone", phone), code); err != nil {
		if directory.KindOf(err) == directory.Unauthenticated {
			err = refusal(err, a.refused(ctx, "", directory.AuditEntry{Action: directory.AuditSignIn}, from))
		}
		return Tokens{}, err
	}
	account, err := a.accountOf(ctx, phone)
	if err != nil {
		return Tokens{}, err
	}
	if err := a.recordFor(ctx, account.ID, directory.AuditEntry{Action: directory.AuditSignIn, Actor: account.ID}, from); err != nil {
		return Tokens{}, err
	}
	return a.begin(ctx, account.ID, from)
}

// recordFor is [Auth.Record] for something that an account does with all its roles:
// there is a line for each scope, so that the officials of each see it.
func (a *Auth) recordFor(ctx context.Context, account string, e directory.AuditEntry, from Client) error {
	grants, err := a.grantsOf(ctx, account)
	if err != nil {
		return err
	}
	scopes := map[directory.Scope]bool{}
	for _, g := range grants {
		scopes[g.Scope()] = true
	}
	if len(scopes) == 0 {
		scopes[directory.Scope{}] = true
	}
	for scope := range scopes {
		e.Organization, e.Bureau, e.Region = scope.Organization, scope.Bureau, scope.Region
		if err := a.Record(ctx, e, from); err != nil {
			return err
		}
	}
	return nil
}

// begin stores a new session and signs its first tokens.
func (a *Auth) begin(ctx context.Context, account string, from Client) (Tokens, error) {
	others, err := a.Sessions(ctx, account)
	if err != nil {
		return Tokens{}, err
	}
	for len(others) >= maxSessions {
		if err := a.end(ctx, others[len(others)-1].ID); err != nil {
			return Tokens{}, err
		}
		others = others[:len(others)-1]
	}
	now := a.now()
	s := directory.Session{Account: account, Device: from.Label, Network: from.Network, CreatedAt: now}
	if s.ID, err = a.newID(); err != nil {
		return Tokens{}, err
	}
	refresh, err := a.renew(&s)
	if err != nil {
		return Tokens{}, err
	}
	if _, err := a.Store.Sessions.Insert(ctx, s); err != nil {
		return Tokens{}, err
	}
	return a.tokens(ctx, s, refresh)
}

func (a *Auth) tokens(ctx context.Context, s directory.Session, refresh string) (Tokens, error) {
	access, err := a.sign(ctx, &s)
	return Tokens{Session: s, Access: access, ExpiresIn: accessLife, Refresh: refresh}, err
}

// A refresh token is, in base64url, the session's id, the token's generation,
// random bytes and a MAC over these. By the MAC a spent token can be told from
// an invented one without keeping those that were ever given out.
const (
	refreshID     = 16
	refreshRandom = 32
	refreshBody   = refreshID + 8 + refreshRandom
	refreshSize   = refreshBody + sha256.Size
)

// renew moves a session on to its next refresh token, which it returns.
func (a *Auth) renew(s *directory.Session) (string, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(s.ID, "-", ""))
	if err != nil {
		return "", err
	}
	random, err := a.random(refreshRandom)
	if err != nil {
		return "", err
	}
	now := a.now()
	s.Generation++
	s.UsedAt, s.ExpiresAt = now, now.Add(sessionIdle)
	if last := s.CreatedAt.Add(sessionLife); s.ExpiresAt.After(last) {
		s.ExpiresAt = last
	}
	body := append(binary.BigEndian.AppendUint64(id, uint64(s.Generation)), random...)
	token := base64.RawURLEncoding.EncodeToString(append(body, a.Keys.mac("refresh token", string(body))...))
	s.RefreshHash = hashRefresh(token)
	return token, nil
}

// hashRefresh needs no key: the token is far too long to be guessed.
func hashRefresh(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// readRefresh returns the session and the generation of a token that this server
// has given out; ok is false for any other.
func (a *Auth) readRefresh(token string) (session string, generation int64, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != refreshSize {
		return "", 0, false
	}
	body, mac := raw[:refreshBody], raw[refreshBody:]
	if !hmac.Equal(mac, a.Keys.mac("refresh token", string(body))) {
		return "", 0, false
	}
	return directory.FormatID([refreshID]byte(body)), int64(binary.BigEndian.Uint64(body[refreshID:])), true
}

// errSpent stands for a refresh token that was used before.
var errSpent = errors.New("the refresh token was used before")

// Refresh renews a session: the refresh token is spent and another takes its
// place. A token that comes a second time may have been stolen, so it ends the
// session, whoever has it now (RFC 9700, 4.14.2). Of several calls with one
// token exactly one succeeds. It returns Unauthenticated for a token that is not
// good.
func (a *Auth) Refresh(ctx context.Context, token string, from Client) (Tokens, error) {
	id, generation, ok := a.readRefresh(token)
	if !ok {
		return Tokens{}, errBadToken
	}
	var refresh string
	doc, err := a.Store.Sessions.Update(ctx, id, func(s *directory.Session) (err error) {
		switch {
		case generation < s.Generation:
			return errSpent
		case generation > s.Generation || !hmac.Equal([]byte(hashRefresh(token)), []byte(s.RefreshHash)) || !s.ExpiresAt.After(a.Now()):
			return errBadToken
		}
		s.Network = from.Network
		refresh, err = a.renew(s)
		return err
	})
	s := doc.Value
	switch {
	case errors.Is(err, errSpent):
		entry := directory.AuditEntry{Action: directory.AuditRefresh, Actor: s.Account, Subject: id}
		return Tokens{}, refusal(errBadToken,
			a.refused(ctx, s.Account, entry, from),
			a.end(ctx, id),
			a.Notify(ctx, s.Account, directory.NoteSessionReused, map[string]string{"device": s.Device}))
	case directory.KindOf(err) == directory.NotFound:
		return Tokens{}, errBadToken
	case err != nil:
		return Tokens{}, err
	}
	return a.tokens(ctx, s, refresh)
}

// Sessions returns the sessions of an account, the newest first.
func (a *Auth) Sessions(ctx context.Context, account string) ([]directory.Session, error) {
	docs, err := a.Store.Sessions.All(ctx, store.Query{
		Where: []store.Condition{store.Equal("account", account)}, Desc: true,
	})
	out := make([]directory.Session, 0, len(docs))
	for _, d := range docs {
		if d.Value.ExpiresAt.After(a.Now()) {
			out = append(out, d.Value)
		}
	}
	return out, err
}

// EndSession ends one of the caller's own sessions, at once. It returns NotFound
// for a session that is not the caller's.
func (a *Auth) EndSession(ctx context.Context, caller directory.Caller, id string, from Client) error {
	doc, err := a.Store.Sessions.Get(ctx, id)
	if err != nil {
		return err
	}
	if doc.Value.Account != caller.Account {
		return refusal(directory.Missing("session"), a.Refused(ctx, caller, "endSession", from))
	}
	if err := a.recordFor(ctx, caller.Account, directory.AuditEntry{Action: directory.AuditSessionEnd, Actor: caller.Account, Subject: id}, from); err != nil {
		return err
	}
	return a.end(ctx, id)
}

// end deletes a session, whatever state it is in.
func (a *Auth) end(ctx context.Context, id string) error { return a.Store.Sessions.Remove(ctx, id) }

// Authenticate returns the caller that an access token stands for. It returns
// Unauthenticated for a token that is not good, or whose session has ended.
func (a *Auth) Authenticate(ctx context.Context, token string) (directory.Caller, error) {
	c, err := a.verify(ctx, token)
	if err != nil {
		return directory.Caller{}, err
	}
	doc, err := a.Store.Sessions.Get(ctx, c.Session)
	switch s := &doc.Value; {
	case directory.KindOf(err) == directory.NotFound || err == nil && (s.Account != c.Subject || !s.ExpiresAt.After(a.Now())):
		return directory.Caller{}, errBadToken
	case err != nil:
		return directory.Caller{}, err
	}
	grants, err := a.grantsOf(ctx, c.Subject)
	return directory.Caller{
		Account: c.Subject, Session: c.Session, Grants: grants,
		SecondFactor: doc.Value.SecondFactorAt != nil && a.Now().Before(doc.Value.SecondFactorAt.Add(secondFactorLife)),
	}, err
}
