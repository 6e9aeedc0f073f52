package auth

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// newAPIKey makes a key of 海东 civil affairs that is good for a year.
func (f *fixture) newAPIKey(t *testing.T, by directory.Caller) (directory.APIKey, string) {
	t.Helper()
	k, text, err := f.CreateAPIKey(t.Context(), by, directory.APIKey{
		ID: "not asked", Hash: "not asked", CreatedBy: "not asked",
		Name: "省发改委数据平台 13800138000", Bureau: directory.CivilAffairs, Region: "630200", Rate: 60, ExpiresAt: f.now().AddDate(1, 0, 0),
	}, testRegions(t), home)
	if err != nil {
		t.Fatal(err)
	}
	return k, text
}

// wantBadKey checks that a text is refused, and what the refusal is about.
func wantBadKey(t *testing.T, a *Auth, what, text, about string) {
	t.Helper()
	_, err := a.AuthenticateKey(t.Context(), text, home)
	if e, ok := errors.AsType[*directory.Error](err); !ok || e.Kind != directory.Unauthenticated || e.What != about {
		t.Errorf("%s: %v, want %s", what, err, about)
	}
}

func TestAPIKey(t *testing.T) {
	f := newFixture(t)
	by := f.caller(t, f.signIn(t, ann))
	k, text := f.newAPIKey(t, by)
	want := directory.APIKey{
		ID: k.ID, Hash: f.Keys.Hash("api key", text), Name: "省发改委数据平台 ***********", Bureau: directory.CivilAffairs, Region: "630200", Rate: 60,
		CreatedBy: by.Account, CreatedAt: limitStart, ExpiresAt: limitStart.AddDate(1, 0, 0),
	}
	sameJSON(t, "made", k, want)
	sameJSON(t, "stored", get(t, f.Store.APIKeys, k.ID).Value, want)

	f.clock.pass(time.Minute)
	want.UsedAt = new(f.now())
	for range 3 {
		got, err := f.AuthenticateKey(t.Context(), text, home)
		if err != nil || got.ID != k.ID || got.Region != "630200" {
			t.Fatalf("%+v, %v", got, err)
		}
		sameJSON(t, "used", get(t, f.Store.APIKeys, k.ID).Value, want)
	}
	// After an hour it is noted again, but in the audit log only on the next day.
	f.clock.pass(time.Hour)
	want.UsedAt = new(f.now())
	if _, err := f.AuthenticateKey(t.Context(), text, home); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "used later", get(t, f.Store.APIKeys, k.ID).Value, want)
	used := line(directory.AuditEntry{Action: directory.AuditAPIKeyUsed, Subject: k.ID, Bureau: k.Bureau, Region: k.Region})
	sameJSON(t, "audit log", f.lines(t, directory.AuditAPIKeyUsed), []directory.AuditEntry{used})
	f.clock.pass(24 * time.Hour)
	ok, failures := parallel(20, func(int) error { _, err := f.AuthenticateKey(t.Context(), text, home); return err })
	if ok != 20 {
		t.Error(failures)
	}
	sameJSON(t, "audit log of the next day", f.lines(t, directory.AuditAPIKeyUsed), []directory.AuditEntry{used, used})

	// A server that starts anew knows it, also when what is stored is sealed with a new key.
	if err := f.Keys.AddKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, err := f.another(t).AuthenticateKey(t.Context(), text, home); err != nil {
		t.Error("after a restart:", err)
	}

	for range 2 {
		if err := f.RevokeAPIKey(t.Context(), by, k.ID, home); err != nil {
			t.Fatal(err)
		}
		f.clock.pass(time.Minute)
	}
	want.UsedAt, want.RevokedAt, want.RevokedBy = new(f.now().Add(-2*time.Minute)), new(f.now().Add(-2*time.Minute)), by.Account
	sameJSON(t, "revoked", get(t, f.Store.APIKeys, k.ID).Value, want)
	wantBadKey(t, f.Auth, "revoked", text, "api_key_revoked")
	entry := func(detail string) directory.AuditEntry {
		return line(directory.AuditEntry{Action: directory.AuditAPIKey, Actor: by.Account, Subject: k.ID, Detail: detail, Bureau: k.Bureau, Region: k.Region})
	}
	sameJSON(t, "audit log", f.lines(t, directory.AuditAPIKey), []directory.AuditEntry{entry("made"), entry("revoked")})
	wantKind(t, "revoking none", f.RevokeAPIKey(t.Context(), by, shop, home), directory.NotFound)
}

func TestAPIKeysThatAreNotGood(t *testing.T) {
	f := newFixture(t)
	by := f.caller(t, f.signIn(t, ann))
	k, text := f.newAPIKey(t, by)
	other, _ := f.newAPIKey(t, by)
	made := func(id string, secret byte) string {
		text, err := directory.APIKeyText(id, [16]byte{secret})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	last := "0"
	if strings.HasSuffix(text, last) {
		last = "1"
	}
	for what, text := range map[string]string{
		"nothing":          "",
		"the prefix":       "qfk_",
		"wrong checksum":   text[:len(text)-1] + last,
		"another's secret": made(other.ID, 0),
		"guessed secret":   made(k.ID, 1),
		"of nobody":        made("019aaf5e-4c00-7a1b-8c2d-0000000000ff", 1),
		"the hash":         k.Hash,
	} {
		wantBadKey(t, f.Auth, what, text, "api_key")
	}
	if used := get(t, f.Store.APIKeys, k.ID).Value.UsedAt; used != nil || len(f.lines(t, directory.AuditAPIKeyUsed)) > 0 {
		t.Errorf("wrong keys count as a use at %v", used)
	}
	f.clock.set(k.ExpiresAt.Add(-time.Millisecond))
	if _, err := f.AuthenticateKey(t.Context(), text, home); err != nil {
		t.Error("at the last moment:", err)
	}
	f.clock.set(k.ExpiresAt)
	wantBadKey(t, f.Auth, "expired", text, "api_key_expired")
	wantBadKey(t, f.Auth, "expired and guessed", made(k.ID, 1), "api_key") // nothing is told to who guesses

	// With other lookup keys it is none: neither are the phones of accounts.
	cfg := f.others()
	cfg.Keys = openKeys(t, filepath.Join(t.TempDir(), "keys.json"))
	f.clock.set(limitStart)
	wantBadKey(t, &Auth{Config: cfg}, "with other keys", text, "api_key")

	_, _, err := f.CreateAPIKey(t.Context(), by, directory.APIKey{}, testRegions(t), home)
	wantKind(t, "making nothing", err, directory.Invalid)
	if n := len(every(t, f.Store.APIKeys)); n != 2 {
		t.Errorf("%d keys", n)
	}
}

// TestAWrongChecksumIsNotLookedUp closes the store and asks.
func TestAWrongChecksumIsNotLookedUp(t *testing.T) {
	f := newFixture(t)
	_, text := f.newAPIKey(t, f.caller(t, f.signIn(t, ann)))
	f.disk.Close()
	if _, err := f.AuthenticateKey(t.Context(), text, home); err == nil || directory.KindOf(err) == directory.Unauthenticated {
		t.Errorf("without a store: %v", err)
	}
	wantBadKey(t, f.Auth, "wrong checksum", text[:len(text)-6]+"000000", "api_key")
}

func TestAPIKeysInScope(t *testing.T) {
	f := newFixture(t)
	by := f.caller(t, f.signIn(t, ann))
	var all []string
	for range 3 {
		k, _ := f.newAPIKey(t, by)
		all = append(all, k.ID)
		f.clock.pass(time.Second)
	}
	slices.Reverse(all)
	for _, tt := range []struct {
		scopes []directory.Scope
		want   []string
	}{
		{[]directory.Scope{{}}, all},
		{[]directory.Scope{{Bureau: directory.CivilAffairs, Region: "630200"}}, all},
		{[]directory.Scope{{Bureau: directory.CivilAffairs, Region: "630000"}, {Bureau: directory.CivilAffairs, Region: "630200"}}, all},
		{[]directory.Scope{{Bureau: directory.CivilAffairs, Region: "630202"}}, nil},
		{[]directory.Scope{{Bureau: directory.Health, Region: "630200"}}, nil},
	} {
		var got []string
		var after *store.Position
		for {
			page, next, err := f.APIKeys(t.Context(), tt.scopes, 2, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range page {
				got = append(got, k.ID)
			}
			if after = next; next == nil {
				break
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.scopes, got, tt.want)
		}
	}
}

func TestAnExpiringAPIKeyIsToldOfOnce(t *testing.T) {
	f := newFixture(t)
	by, other := f.caller(t, f.signIn(t, ann)), f.caller(t, f.signIn(t, ben))
	k, _ := f.newAPIKey(t, by)
	revoked, _ := f.newAPIKey(t, other)
	if err := f.RevokeAPIKey(t.Context(), other, revoked.ID, home); err != nil {
		t.Fatal(err)
	}
	due := k.ExpiresAt.Add(-14 * 24 * time.Hour)
	f.clock.set(due)
	f.sweep(t)
	if got := f.notes(t, by.Account); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	f.clock.pass(time.Minute)
	f.sweep(t)
	f.clock.pass(time.Minute)
	f.sweep(t)
	told := inserted(t, f.Store.Notifications)
	if len(told) != 1 || told[0].Account != by.Account || told[0].Kind != directory.NoteAPIKeyExpires ||
		told[0].Params["key"] != k.ID || told[0].Params["on"] != string(directory.DateOf(k.ExpiresAt)) || told[0].Params["name"] != k.Name {
		t.Errorf("inbox %+v", told)
	}
	// A crash may come before it is noted that somebody was told.
	if _, err := f.Store.APIKeys.Update(t.Context(), k.ID, func(k *directory.APIKey) error { k.WarnedAt = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	f.sweep(t)
	if again := inserted(t, f.Store.Notifications); len(again) != 1 {
		t.Errorf("told again: %+v", again)
	}
	if get(t, f.Store.APIKeys, k.ID).Value.WarnedAt == nil {
		t.Error("it is told in each sweep")
	}
}

func TestAnErasedAccountLeavesItsAPIKeys(t *testing.T) {
	f := newFixture(t)
	by := f.caller(t, f.signIn(t, ann))
	k, text := f.newAPIKey(t, by)
	if _, err := f.Erase(t.Context(), by, home); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(erasureGrace + time.Millisecond)
	f.sweep(t)
	if got := get(t, f.Store.APIKeys, k.ID).Value; got.CreatedBy != "" {
		t.Errorf("it names %s", got.CreatedBy)
	}
	if _, err := f.AuthenticateKey(t.Context(), text, home); err != nil {
		t.Error(err)
	}
	f.clock.set(k.ExpiresAt.Add(-time.Hour))
	f.sweep(t) // there is nobody to be told
	if n := f.notes(t, by.Account); len(n) > 0 {
		t.Errorf("told nobody: %v", n)
	}
}

// TestRefusedKeysAreBounded has a key that tries again and again what it may not do.
func TestRefusedKeysAreBounded(t *testing.T) {
	f := newFixture(t)
	k, _ := f.newAPIKey(t, f.caller(t, f.signIn(t, ann)))
	for i := range 70 {
		from := home
		if i > 0 {
			from.Network = client(i).Device // any network but the same
		}
		if err := f.Refused(t.Context(), k.Caller(), "listAudit", from); err != nil {
			t.Fatal(err)
		}
	}
	lines := f.lines(t, directory.AuditAccess)
	if len(lines) != 60 {
		t.Fatalf("%d lines", len(lines))
	}
	sameJSON(t, "refusal", lines[0], line(directory.AuditEntry{
		Action: directory.AuditAccess, Refused: true, Subject: k.ID, Operation: "listAudit", Bureau: k.Bureau, Region: k.Region,
	}))
}
