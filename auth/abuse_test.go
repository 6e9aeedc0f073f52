package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// What attackers have tried, one test each.

func TestRefusalsDoNotFillTheLog(t *testing.T) {
	f := newFixture(t)
	for i := range 100 {
		_, err := f.SignIn(t.Context(), ann, "000000", Client{Network: "192.0.2.1", Device: fmt.Sprint(i)})
		if kind := directory.KindOf(err); kind != directory.Unauthenticated {
			t.Fatal(err)
		}
	}
	if got := len(f.lines(t, directory.AuditSignIn)); int64(got) != refusalsByNetwork.Most {
		t.Errorf("%d lines about one network", got)
	}
	caller := f.caller(t, f.signIn(t, ben))
	for i := range 100 {
		if err := f.Refused(t.Context(), caller, "x", Client{Network: fmt.Sprintf("198.51.100.%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(f.lines(t, directory.AuditAccess)); int64(got) != refusalsByAccount.Most {
		t.Errorf("%d lines about one account", got)
	}
}

// A block of IPv6 is many networks, but not a means to use up everybody's messages.
func TestOneSiteCannotUseUpAllMessages(t *testing.T) {
	f := newFixture(t)
	sent := func(network func(i int) string) (n int) {
		for i := range 600 {
			if _, err := f.RequestCode(t.Context(), fmt.Sprintf("13%09d", f.sequence()), Client{Network: network(i)}); err == nil {
				n++
			}
		}
		return n
	}
	if n := sent(func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i) }); int64(n) != codesBySite.Most {
		t.Errorf("one /48 got %d codes", n)
	}
	if n := sent(func(i int) string { return fmt.Sprintf("2001:db8:%x:1::/64", 2+i) }); int64(n) != codesByProvider.Most-codesBySite.Most {
		t.Errorf("the rest of its /32 got %d more", n)
	}
	if _, err := f.RequestCode(t.Context(), ann, home); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// sequence counts up.
func (f *fixture) sequence() int { return len(f.outbox.sent()) + int(f.tries.Add(1)) }

func TestSlowProviderCounts(t *testing.T) {
	f := newFixture(t)
	before := f.code(t, ann)
	f.clock.pass(time.Minute)
	f.outbox.fail(&directory.Error{Kind: directory.Unavailable, Cause: fmt.Errorf("no answer; %w", errMaybeSent)})
	_, err := f.RequestCode(t.Context(), ann, home)
	wantKind(t, "no answer", err, directory.Unavailable)
	f.outbox.fail(nil)
	_, err = f.RequestCode(t.Context(), ann, home)
	wantKind(t, "again at once", err, directory.RateLimited)
	if _, err := f.SignIn(t.Context(), ann, before, home); err != nil {
		t.Errorf("the code from before is burnt: %v", err)
	}
	// What says that the provider may have it, and what says that it has not.
	for err, maybe := range map[error]bool{
		context.DeadlineExceeded: true, errors.New("reset"): true, smsFault("status 500"): false,
	} {
		if got := errors.Is(smsUnavailable(t.Context(), "x", err), errMaybeSent); got != maybe {
			t.Errorf("%v: may be sent: %t", err, got)
		}
	}
}

func TestTwoRotationsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	openKeys(t, path)
	ok, failures := parallel(10, func(int) error {
		k, err := OpenKeyFile(path, rand.Reader)
		if err != nil {
			return err
		}
		if err := k.AddKey(rand.Reader); err != nil {
			return err
		}
		sealed, err := k.Seal("x", "text")
		if err != nil {
			return err
		}
		if text, err := openKeys(t, path).Open("x", sealed); err != nil || text != "text" {
			t.Errorf("what it sealed is lost: %v", err)
		}
		return nil
	})
	if ok == 0 {
		t.Errorf("none of ten rotations went through: %v", failures)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestKeyFileOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k := openKeys(t, path)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyFile(path, rand.Reader); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("opened: %v", err)
	}
	text, err := os.ReadFile(newKeyPath(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open("x", "9.AAAA"); err == nil || !strings.Contains(err.Error(), "lookup key") {
		t.Errorf("other keys are taken over: %v", err)
	}
}

// newKeyPath is the file of other keys.
func newKeyPath(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	openKeys(t, path)
	return path
}

// Somebody who grants again and again cannot keep a grant from being revoked.
func TestRevokeBesideGrants(t *testing.T) {
	f := newFixture(t)
	regions := testRegions(t)
	g := f.grant(t, ann, directory.Grant{Role: directory.Admin}, regions)
	ok, failures := parallel(20, func(i int) error {
		if i%2 == 0 {
			_, _, err := f.Grant(t.Context(), directory.Caller{Account: fmt.Sprint(i)}, ann, directory.Grant{Role: directory.Admin}, regions, home)
			if err != nil && err != store.ErrBusy {
				return err
			}
			return nil
		}
		if err := f.Revoke(t.Context(), directory.Caller{}, g, home); err != nil && directory.KindOf(err) != directory.NotFound {
			return err
		}
		return nil
	})
	if ok != 20 {
		t.Errorf("failures: %v", failures)
	}
}

func TestFamilyIDsAreOurs(t *testing.T) {
	f := newFixture(t)
	caller := f.caller(t, f.signIn(t, ann))
	doc := get(t, f.Store.Accounts, caller.Account)
	changed := doc.Value
	changed.Family = []directory.FamilyMember{{ID: "01a192b0-7400-7000-8000-000000000001", Name: "阿妈", Relation: directory.Parent}}
	_, err := f.UpdateAccount(t.Context(), doc.Version, changed)
	wantKind(t, "an id of somebody else", err, directory.Invalid)
	changed.Family[0].ID = ""
	doc, err = f.UpdateAccount(t.Context(), doc.Version, changed)
	if err != nil {
		t.Fatal(err)
	}
	changed = doc.Value
	changed.Family[0].Name = "阿妈拉"
	if doc, err = f.UpdateAccount(t.Context(), doc.Version, changed); err != nil || doc.Value.Family[0].ID != changed.Family[0].ID {
		t.Errorf("%+v, %v", doc.Value.Family, err)
	}
}

func TestExportIsBounded(t *testing.T) {
	f := newFixture(t)
	caller := f.caller(t, f.signIn(t, ann))
	for range exportedAudit + 5 {
		if err := f.Record(t.Context(), directory.AuditEntry{Action: directory.AuditSessionEnd, Actor: caller.Account}, home); err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.Export(t.Context(), caller)
	if err != nil || len(b.Audit) != exportedAudit || !b.Shortened {
		t.Errorf("%d lines, shortened %t, %v", len(b.Audit), b.Shortened, err)
	}
}
