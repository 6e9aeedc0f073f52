package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
)

// parts decodes a token in the way that somebody does who has no library for it.
func parts(t *testing.T, token string) (header, claims map[string]any, signed string, signature []byte) {
	t.Helper()
	all := strings.Split(token, ".")
	if len(all) != 3 {
		t.Fatalf("token %q", token)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(all[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(all[2])
	if err != nil {
		t.Fatal(err)
	}
	return header, claims, all[0] + "." + all[1], signature
}

// good tells whether a token's signature is that of a key of the JWKS.
func good(t *testing.T, token string, keys []PublicKey) bool {
	t.Helper()
	header, _, signed, signature := parts(t, token)
	for _, k := range keys {
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			t.Fatal(k, err)
		}
		if k.ID == header["kid"] {
			return ed25519.Verify(x, []byte(signed), signature)
		}
	}
	return false
}

func (f *fixture) jwks(t *testing.T) []PublicKey {
	t.Helper()
	keys, err := f.PublicKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// signed is a token for a session, which may be long over.
func (f *fixture) signed(t *testing.T, s directory.Session) string {
	t.Helper()
	token, err := f.sign(t.Context(), &s)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func kid(t *testing.T, token string) any {
	t.Helper()
	header, _, _, _ := parts(t, token)
	return header["kid"]
}

func TestAccessToken(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	header, claims, _, _ := parts(t, tokens.Access)
	sameJSON(t, "header", header, map[string]any{"alg": "EdDSA", "kid": "1", "typ": "at+jwt"})
	id := claims["jti"].(string)
	if !directory.ValidID(id) {
		t.Errorf("jti %q", id)
	}
	sameJSON(t, "claims", claims, map[string]any{
		"iss": issuer, "aud": []string{"qingfu-api"}, "sub": tokens.Session.Account, "sid": tokens.Session.ID, "jti": id,
		"iat": limitStart.Unix(), "exp": limitStart.Unix() + 900,
	})
	if _, next, _, _ := parts(t, f.refresh(t, tokens).Access); next["jti"] == id {
		t.Error("two tokens of one id")
	}
	if !good(t, tokens.Access, f.jwks(t)) {
		t.Error("cannot be verified with the JWKS")
	}
	text, err := json.Marshal(f.jwks(t))
	x := base64.RawURLEncoding.EncodeToString(every(t, f.Store.SigningKeys)[0].Public)
	if want := `[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"1","x":"` + x + `"}]`; err != nil || string(text) != want {
		t.Errorf("JWKS %s, %v, want %s", text, err, want)
	}

	f.clock.pass(15*time.Minute - time.Millisecond)
	f.caller(t, tokens)
	f.clock.pass(time.Millisecond)
	_, err = f.Authenticate(t.Context(), tokens.Access)
	wantKind(t, "after 15 minutes", err, directory.Unauthenticated)
}

type object = map[string]any

// token writes a token as it is given.
func token(header, claims any, sign func(text string) []byte) string {
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := encode(header) + "." + encode(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
}

func TestForgedAccessTokens(t *testing.T) {
	f, other := newFixture(t), newKeyring(t)
	mine, foreign := f.signIn(t, ann).Session, f.signIn(t, ben).Session
	key := f.signing[0]
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ours := func(text string) []byte { return ed25519.Sign(key.private, []byte(text)) }
	theirs := func(text string) []byte { return ed25519.Sign(stranger, []byte(text)) }
	nobody := func(string) []byte { return nil }
	hs256 := func(secret []byte) func(string) []byte {
		return func(text string) []byte {
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(text))
			return mac.Sum(nil)
		}
	}
	rs256 := func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	now := limitStart.Unix()
	// header and claims are the right ones but for what is named; nil leaves out.
	change := func(base, changes object) object {
		out := maps.Clone(base)
		maps.Copy(out, changes)
		maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
		return out
	}
	header := func(changes object) object {
		return change(object{"alg": "EdDSA", "kid": "1", "typ": "at+jwt"}, changes)
	}
	claims := func(changes object) object {
		return change(object{"iss": issuer, "aud": "qingfu-api", "sub": mine.Account, "sid": mine.ID, "jti": "x", "iat": now, "exp": now + 900}, changes)
	}
	right := token(header(nil), claims(nil), ours)
	cut := strings.Split(right, ".")
	encoded := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

	for what, good := range map[string]string{
		"as it should be":      right,
		"several audiences":    token(header(nil), claims(object{"aud": []string{"x", "qingfu-api"}}), ours),
		"a second before exp":  token(header(nil), claims(object{"exp": now + 1}), ours),
		"good since this time": token(header(nil), claims(object{"nbf": now}), ours),
	} {
		if c, err := f.Authenticate(t.Context(), good); err != nil || c.Account != mine.Account {
			t.Fatalf("%s: %+v, %v", what, c, err)
		}
	}
	for what, bad := range map[string]string{
		"empty":              "",
		"dots":               "..",
		"two parts":          cut[0] + "." + cut[1],
		"no signature":       cut[0] + "." + cut[1] + ".",
		"four parts":         right + "." + cut[2],
		"trailing dot":       right + ".",
		"trailing letters":   right + "AAAA",
		"trailing padding":   right + "==",
		"trailing space":     right + " ",
		"leading space":      " " + right,
		"bits behind it all": cut[0] + "." + cut[1] + "." + cut[2][:len(cut[2])-1] + string(cut[2][len(cut[2])-1]+1),
		"text behind claims": cut[0] + "." + cut[1] + encoded("{}") + "." + cut[2],
		"header twice":       cut[0] + "." + cut[0] + "." + cut[2],
		"another payload":    cut[0] + "." + strings.Split(token(header(nil), claims(object{"sub": foreign.Account, "sid": foreign.ID}), ours), ".")[1] + "." + cut[2],
		"a later expiry":     cut[0] + "." + strings.Split(token(header(nil), claims(object{"exp": now + 9000}), ours), ".")[1] + "." + cut[2],

		"alg none":              token(header(object{"alg": "none"}), claims(nil), nobody),
		"alg None":              token(header(object{"alg": "None"}), claims(nil), nobody),
		"alg none, signed":      token(header(object{"alg": "none"}), claims(nil), ours),
		"no alg":                token(header(object{"alg": nil}), claims(nil), ours),
		"alg a list":            token(header(object{"alg": []string{"EdDSA"}}), claims(nil), ours),
		"alg in small letters":  token(header(object{"alg": "eddsa"}), claims(nil), ours),
		"HS256 by public key":   token(header(object{"alg": "HS256"}), claims(nil), hs256(key.Public)),
		"HS256 by its base64":   token(header(object{"alg": "HS256"}), claims(nil), hs256([]byte(base64.RawURLEncoding.EncodeToString(key.Public)))),
		"HS256 by nothing":      token(header(object{"alg": "HS256"}), claims(nil), hs256(nil)),
		"RS256":                 token(header(object{"alg": "RS256"}), claims(nil), rs256),
		"RS256, signed by ours": token(header(object{"alg": "RS256"}), claims(nil), ours),
		"another's key":         token(header(nil), claims(nil), theirs),
		"a key of its own":      token(header(object{"jwk": object{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(stranger.Public().(ed25519.PublicKey))}}), claims(nil), theirs),
		"HMAC for a signature":  token(header(nil), claims(nil), func(text string) []byte { return other.mac("x", text) }),

		"kid of no key":     token(header(object{"kid": "2"}), claims(nil), ours),
		"no kid":            token(header(object{"kid": nil}), claims(nil), ours),
		"kid empty":         token(header(object{"kid": ""}), claims(nil), ours),
		"kid a number":      token(header(object{"kid": 1}), claims(nil), ours),
		"kid an object":     token(header(object{"kid": object{"1": "1"}}), claims(nil), ours),
		"kid a list":        token(header(object{"kid": []string{"1"}}), claims(nil), ours),
		"kid with a path":   token(header(object{"kid": "../1"}), claims(nil), ours),
		"typ JWT":           token(header(object{"typ": "JWT"}), claims(nil), ours),
		"no typ":            token(header(object{"typ": nil}), claims(nil), ours),
		"typ a list":        token(header(object{"typ": []string{"at+jwt"}}), claims(nil), ours),
		"header of nothing": token(nil, claims(nil), ours),
		"header a list":     token([]string{"EdDSA"}, claims(nil), ours),

		"another issuer":    token(header(nil), claims(object{"iss": "https://other.example"}), ours),
		"issuer longer":     token(header(nil), claims(object{"iss": issuer + "/"}), ours),
		"no issuer":         token(header(nil), claims(object{"iss": nil}), ours),
		"another audience":  token(header(nil), claims(object{"aud": "other-api"}), ours),
		"no audience":       token(header(nil), claims(object{"aud": nil}), ours),
		"audience of none":  token(header(nil), claims(object{"aud": []string{}}), ours),
		"expired now":       token(header(nil), claims(object{"exp": now}), ours),
		"expired a second":  token(header(nil), claims(object{"exp": now - 1}), ours),
		"no exp":            token(header(nil), claims(object{"exp": nil}), ours),
		"exp zero":          token(header(nil), claims(object{"exp": 0}), ours),
		"exp a word":        token(header(nil), claims(object{"exp": "tomorrow"}), ours),
		"exp beyond time":   token(header(nil), claims(object{"exp": -1e300}), ours),
		"not good yet":      token(header(nil), claims(object{"nbf": now + 1}), ours),
		"claims of nothing": token(header(nil), nil, ours),

		"no session":        token(header(nil), claims(object{"sid": nil}), ours),
		"no subject":        token(header(nil), claims(object{"sub": nil}), ours),
		"session of none":   token(header(nil), claims(object{"sid": "019aaf5e-4c00-7a1b-8c2d-000000000001"}), ours),
		"ben's session":     token(header(nil), claims(object{"sid": foreign.ID}), ours),
		"ben's account":     token(header(nil), claims(object{"sub": foreign.Account}), ours),
		"subject a session": token(header(nil), claims(object{"sub": mine.ID}), ours),
	} {
		if bad == right {
			t.Errorf("%s: shows nothing", what)
		}
		if c, err := f.Authenticate(t.Context(), bad); err != errBadToken || c.Account != "" {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
}

// TestTokenOfAnotherDeployment: its first key has the same id as ours.
func TestTokenOfAnotherDeployment(t *testing.T) {
	f := newFixture(t)
	session := f.signIn(t, ann).Session
	cfg := f.others()
	cfg.Keys = newKeyring(t)
	cfg.Store, _ = newStore(t)
	a, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	token, err := a.sign(t.Context(), &session)
	if err != nil || kid(t, token) != "1" {
		t.Fatal(token, err)
	}
	_, err = f.Authenticate(t.Context(), token)
	wantKind(t, "token", err, directory.Unauthenticated)
}

func TestAuthenticateTellsAnEngineFromABadToken(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	f.clock.pass(keysReadAge)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Authenticate(ctx, tokens.Access); !errors.Is(err, context.Canceled) || directory.KindOf(err) != "" {
		t.Error(err)
	}
	f.caller(t, tokens)
}

func TestScheduledRotation(t *testing.T) {
	f := newFixture(t)
	at := func(d time.Duration) { f.clock.set(limitStart.Add(d)) }
	wantKeys := func(stored, published int) {
		t.Helper()
		if err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.clock.pass(0)
		if s, p := len(every(t, f.Store.SigningKeys)), len(f.jwks(t)); s != stored || p != published {
			t.Errorf("at %v: %d keys stored and %d published, want %d and %d", f.clock.now().Sub(limitStart), s, p, stored, published)
		}
	}
	wantKeys(1, 1)
	sameJSON(t, "audit log", f.lines(t, directory.AuditKey), []directory.AuditEntry{{Action: directory.AuditKey, Subject: "1"}})
	at(keyLife - time.Millisecond)
	wantKeys(1, 1)
	at(keyLife)
	wantKeys(2, 2)
	wantKeys(2, 2)
	session := f.signIn(t, ann).Session

	// The new key is shown for ten minutes before it signs.
	f.clock.pass(keyLead - time.Second)
	old := f.signed(t, session)
	if kid(t, old) != "1" || !good(t, old, f.jwks(t)) {
		t.Error("the new key signs too early")
	}
	f.clock.pass(time.Second)
	if fresh := f.signed(t, session); kid(t, fresh) != "2" || !good(t, fresh, f.jwks(t)) {
		t.Error("the new key does not sign")
	}

	// The old one is good for as long as what it signed. A token that does not
	// end by itself shows that the key does.
	header, claims, _, _ := parts(t, old)
	claims["exp"] = f.clock.now().Add(time.Hour).Unix()
	endless := token(header, claims, func(text string) []byte { return ed25519.Sign(f.signing[0].private, []byte(text)) })
	f.clock.pass(accessLife - time.Second - time.Millisecond)
	for _, token := range []string{old, endless} {
		if _, err := f.Authenticate(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
	wantKeys(2, 2)
	f.clock.pass(time.Second + time.Millisecond)
	for _, token := range []string{old, endless} {
		_, err := f.Authenticate(t.Context(), token)
		wantKind(t, "token of an old key", err, directory.Unauthenticated)
	}
	wantKeys(2, 1)

	// A day later it is deleted.
	f.clock.pass(24 * time.Hour)
	wantKeys(2, 1)
	f.clock.pass(time.Millisecond)
	wantKeys(1, 1)
	sameJSON(t, "audit log", f.lines(t, directory.AuditKey), []directory.AuditEntry{
		{Action: directory.AuditKey, Subject: "1"}, {Action: directory.AuditKey, Subject: "2"},
		{Action: directory.AuditKey, Subject: "1", Detail: "withdrawn"},
	})
	at(2 * keyLife)
	wantKeys(2, 2)
	if keys := f.jwks(t); keys[0].ID != "2" || keys[1].ID != "3" {
		t.Errorf("keys %+v", keys)
	}
}

func TestEarlyRotation(t *testing.T) {
	f := newFixture(t)
	session := f.signIn(t, ann).Session
	for range 10 { // so that ids have one digit and two
		if err := f.RotateSigningKeys(t.Context(), Early); err != nil {
			t.Fatal(err)
		}
	}
	if keys := f.jwks(t); len(keys) != 11 || keys[10].ID != "11" {
		t.Errorf("keys %+v", keys)
	}
	if got := kid(t, f.signed(t, session)); got != "1" {
		t.Errorf("key %v signs", got)
	}
	f.clock.pass(keyLead)
	if got := kid(t, f.signed(t, session)); got != "11" {
		t.Errorf("key %v signs", got)
	}
}

func TestRotationAtOnce(t *testing.T) {
	f := newFixture(t)
	tokens := f.signIn(t, ann)
	if err := f.RotateSigningKeys(t.Context(), Early); err != nil {
		t.Fatal(err)
	}
	if err := f.RotateSigningKeys(t.Context(), AtOnce); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate(t.Context(), tokens.Access)
	wantKind(t, "token of the old key", err, directory.Unauthenticated)
	if keys := f.jwks(t); len(keys) != 1 || keys[0].ID != "3" || len(every(t, f.Store.SigningKeys)) != 1 {
		t.Errorf("keys %+v", keys)
	}
	f.caller(t, f.refresh(t, tokens)) // sessions go on
	sameJSON(t, "audit log", f.lines(t, directory.AuditKey), []directory.AuditEntry{
		{Action: directory.AuditKey, Subject: "1"}, {Action: directory.AuditKey, Subject: "2"}, {Action: directory.AuditKey, Subject: "3"},
		{Action: directory.AuditKey, Subject: "1", Detail: "withdrawn"}, {Action: directory.AuditKey, Subject: "2", Detail: "withdrawn"},
	})
}

// interruption runs something the first time that random bytes are read.
type interruption struct {
	once sync.Once
	do   func()
}

func (r *interruption) Read(p []byte) (int, error) {
	r.once.Do(r.do)
	return rand.Read(p)
}

// TestRotationAtOnceIsOvertaken: a key that another server makes meanwhile and
// that does not sign yet must not be the only one.
func TestRotationAtOnceIsOvertaken(t *testing.T) {
	f := newFixture(t)
	other := f.another(t)
	tokens := f.signIn(t, ann)
	f.Random = &interruption{do: func() {
		if err := other.RotateSigningKeys(t.Context(), Early); err != nil {
			t.Error(err)
		}
	}}
	if err := f.RotateSigningKeys(t.Context(), AtOnce); err != nil {
		t.Fatal(err)
	}
	if keys := f.jwks(t); len(keys) != 1 || keys[0].ID != "3" {
		t.Errorf("keys %+v", keys)
	}
	f.caller(t, f.refresh(t, tokens))
}

func TestTwoServersMakeOneKey(t *testing.T) {
	f := newFixture(t)
	servers := []*Auth{f.Auth, f.another(t)}
	f.clock.pass(keyLife)
	if _, failures := parallel(2, func(i int) error { return servers[i].RotateSigningKeys(t.Context(), Scheduled) }); len(failures) > 0 {
		t.Fatal(failures)
	}
	if n := len(every(t, f.Store.SigningKeys)); n != 2 {
		t.Errorf("%d keys", n)
	}
	f.clock.pass(keyLead)
	session := f.signIn(t, ann).Session
	for i, signer := range servers {
		token, err := signer.sign(t.Context(), &session)
		if err != nil || kid(t, token) != "2" {
			t.Fatal(token, err)
		}
		if _, err := servers[1-i].Authenticate(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
}

func TestServersSeeEachOthersKeys(t *testing.T) {
	f := newFixture(t)
	other := f.another(t)
	tokens := f.signIn(t, ann)
	ids := func() (out []string) {
		t.Helper()
		keys, err := other.PublicKeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			out = append(out, k.ID)
		}
		return out
	}
	if err := f.RotateSigningKeys(t.Context(), Early); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(keysReadAge)
	if got := ids(); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("keys %v", got)
	}
	if err := f.RotateSigningKeys(t.Context(), AtOnce); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(keysReadAge)
	_, err := other.Authenticate(t.Context(), tokens.Access)
	wantKind(t, "token of a key that was withdrawn", err, directory.Unauthenticated)
	if got := ids(); !slices.Equal(got, []string{"3"}) {
		t.Errorf("keys %v", got)
	}
	if _, err := other.Authenticate(t.Context(), f.refresh(t, tokens).Access); err != nil {
		t.Error(err)
	}
}

// TestSigningKeyThatIsNone: somebody has tampered with the store.
func TestSigningKeyThatIsNone(t *testing.T) {
	f := newFixture(t)
	for what, sealed := range map[string]func() (string, error){
		"of another key":  func() (string, error) { return f.Keys.Seal(signingPurpose("2"), strings.Repeat("x", 32)) },
		"of another size": func() (string, error) { return f.Keys.Seal(signingPurpose("1"), "x") },
	} {
		private, err := sealed()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Store.SigningKeys.Update(t.Context(), "1", func(k *directory.SigningKey) error {
			k.Private = private
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		f.clock.pass(keysReadAge)
		if _, err := f.PublicKeys(t.Context()); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
