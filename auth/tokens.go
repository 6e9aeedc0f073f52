package auth

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"qingfu/directory"
	"qingfu/store"
)

// Access tokens are JWTs in the form of RFC 9068, signed with Ed25519.
const (
	accessLife  = 15 * time.Minute
	accessType  = "at+jwt"
	accessFor   = "qingfu-api" // the audience
	keyLife     = 30 * 24 * time.Hour
	keyLead     = 10 * time.Minute // how long before a key signs it can be seen
	keysReadAge = 30 * time.Second // after which the keys are read again
)

// signingKey is a signing key ready for use.
type signingKey struct {
	directory.SigningKey
	private ed25519.PrivateKey
	until   time.Time // when nothing signed with it is good any more; zero for the newest
}

// Rotation says why signing keys are looked at.
type Rotation int

// The rotations.
const (
	Scheduled Rotation = iota // makes a key when the newest is old; it signs a little later
	Early                     // makes one now that signs a little later
	AtOnce                    // makes one that signs now, because the others may be known to others; what they signed ends
)

// RotateSigningKeys makes a new signing key when it is time, or the first one.
// Several servers on one store make one between them.
func (a *Auth) RotateSigningKeys(ctx context.Context, why Rotation) error {
	keys, err := a.readSigningKeys(ctx)
	if err != nil {
		return err
	}
	now := a.now()
	next := directory.SigningKey{ID: "1", CreatedAt: now, SignsFrom: now}
	if len(keys) > 0 {
		newest := keys[len(keys)-1]
		if why == Scheduled && now.Before(newest.CreatedAt.Add(keyLife)) {
			return a.dropSigningKeys(ctx, keys)
		}
		n, err := strconv.Atoi(newest.ID)
		if err != nil {
			return err
		}
		next.ID = strconv.Itoa(n + 1)
		if why != AtOnce {
			next.SignsFrom = now.Add(keyLead)
		}
	}
	seed, err := a.random(ed25519.SeedSize)
	if err != nil {
		return err
	}
	private := ed25519.NewKeyFromSeed(seed)
	next.Public = private.Public().(ed25519.PublicKey)
	if next.Private, err = a.Keys.Seal(signingPurpose(next.ID), string(seed)); err != nil {
		return err
	}
	if err := a.Record(ctx, directory.AuditEntry{Action: directory.AuditKey, Subject: next.ID}, Client{}); err != nil {
		return err
	}
	_, err = a.Store.SigningKeys.Insert(ctx, next)
	switch made := directory.KindOf(err) == directory.Conflict; {
	case made && why == AtOnce: // by another server, and it may not sign yet
		return a.RotateSigningKeys(ctx, why)
	case err != nil && !made:
		return err
	}
	if why == AtOnce {
		for _, k := range keys {
			if err := a.deleteSigningKey(ctx, k.ID); err != nil {
				return err
			}
		}
	}
	_, err = a.readSigningKeys(ctx)
	return err
}

// dropSigningKeys deletes keys that have been of no use for a day.
func (a *Auth) dropSigningKeys(ctx context.Context, keys []signingKey) error {
	for _, k := range keys {
		if !k.until.IsZero() && k.until.Before(a.Now().Add(-24*time.Hour)) {
			if err := a.deleteSigningKey(ctx, k.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Auth) deleteSigningKey(ctx context.Context, id string) error {
	doc, err := a.Store.SigningKeys.Get(ctx, id)
	if err == nil {
		err = a.Record(ctx, directory.AuditEntry{Action: directory.AuditKey, Subject: id, Detail: "withdrawn"}, Client{})
	}
	if err == nil {
		err = a.Store.SigningKeys.Delete(ctx, id, doc.Version)
	}
	if directory.KindOf(err) == directory.NotFound {
		return nil // another server was quicker
	}
	return err
}

// readSigningKeys reads the keys from the store, by age.
func (a *Auth) readSigningKeys(ctx context.Context) (_ []signingKey, err error) {
	defer directory.Wrap(&err, "signing keys")
	docs, _, err := a.Store.SigningKeys.Find(ctx, store.Query{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	keys := make([]signingKey, len(docs))
	for i, d := range docs {
		seed, err := a.Keys.Open(signingPurpose(d.Value.ID), d.Value.Private)
		if err != nil {
			return nil, err
		}
		if len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("key %s is none", d.Value.ID)
		}
		keys[i] = signingKey{SigningKey: d.Value, private: ed25519.NewKeyFromSeed([]byte(seed))}
	}
	// Ids are numbers, of which a longer one is the larger.
	slices.SortFunc(keys, func(x, y signingKey) int {
		return cmp.Or(cmp.Compare(len(x.ID), len(y.ID)), cmp.Compare(x.ID, y.ID))
	})
	for i := range keys[:max(0, len(keys)-1)] {
		keys[i].until = keys[i+1].SignsFrom.Add(accessLife)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signing, a.loadedAt = keys, a.Now()
	return keys, nil
}

// signingKeys returns the keys, read not long ago.
func (a *Auth) signingKeys(ctx context.Context) ([]signingKey, error) {
	a.mu.Lock()
	keys, age := a.signing, a.Now().Sub(a.loadedAt)
	a.mu.Unlock()
	if age < keysReadAge && len(keys) > 0 {
		return keys, nil
	}
	return a.readSigningKeys(ctx)
}

// sign makes an access token for a session.
func (a *Auth) sign(ctx context.Context, s *directory.Session) (string, error) {
	keys, err := a.signingKeys(ctx)
	if err != nil {
		return "", err
	}
	now := a.Now()
	for _, k := range slices.Backward(keys) {
		if k.SignsFrom.After(now) {
			continue
		}
		id, err := a.newID()
		if err != nil {
			return "", err
		}
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
			RegisteredClaims: jwt.RegisteredClaims{
				Issuer: a.Issuer, Audience: jwt.ClaimStrings{accessFor}, Subject: s.Account, ID: id,
				IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(accessLife)),
			},
			Session: s.ID,
		})
		token.Header["typ"], token.Header["kid"] = accessType, k.ID
		return token.SignedString(k.private)
	}
	return "", errors.New("no key signs yet")
}

// claims is what an access token says. What its owner may do is not in it: that
// is looked up on each request, so that taking it back has effect at once.
type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
}

// errBadToken is the answer to every token that is not good, whatever it lacks.
var errBadToken = &directory.Error{Kind: directory.Unauthenticated, What: "token"}

// verify reads an access token, or returns errBadToken.
func (a *Auth) verify(ctx context.Context, token string) (claims, error) {
	var c claims
	var engine error
	parsed, err := jwt.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		keys, err := a.signingKeys(ctx)
		if err != nil {
			engine = err
			return nil, err
		}
		for _, k := range keys {
			if k.ID == t.Header["kid"] && (k.until.IsZero() || a.Now().Before(k.until)) {
				return ed25519.PublicKey(k.Public), nil
			}
		}
		return nil, errBadToken
	},
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(a.Issuer), jwt.WithAudience(accessFor),
		jwt.WithExpirationRequired(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(a.Now))
	switch {
	case engine != nil:
		return c, engine
	case err != nil, parsed.Header["typ"] != accessType, c.Session == "" || c.Subject == "":
		return c, errBadToken
	}
	return c, nil
}

// PublicKey is a signing key in the form of RFC 8037.
type PublicKey struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	X         string `json:"x"`
}

// PublicKeys returns the keys by which tokens can be verified now or will be
// soon, for GET /.well-known/jwks.json.
func (a *Auth) PublicKeys(ctx context.Context) ([]PublicKey, error) {
	keys, err := a.signingKeys(ctx)
	out := []PublicKey{}
	for _, k := range keys {
		if k.until.IsZero() || a.Now().Before(k.until) {
			out = append(out, PublicKey{"OKP", "Ed25519", "sig", jwt.SigningMethodEdDSA.Alg(), k.ID, base64.RawURLEncoding.EncodeToString(k.Public)})
		}
	}
	return out, err
}

func signingPurpose(kid string) string { return "signing key " + kid }
