package auth

import (
	"errors"
	"slices"
	"testing"
	"time"

	"qingfu/directory"
)

func TestAccountOfAPhone(t *testing.T) {
	f := newFixture(t)
	id := f.signIn(t, ann).Session.Account
	account := f.account(t, id)
	if phone, err := f.Keys.Open("phone of "+id, account.Phone); err != nil || phone != ann {
		t.Errorf("phone %q, %v", phone, err)
	}
	sameJSON(t, "account", account, directory.Account{
		ID: id, PhoneHash: f.Keys.Hash("phone", ann), Phone: account.Phone, CreatedAt: limitStart, UpdatedAt: limitStart,
	})
	f.clock.pass(time.Hour)
	if again := f.signIn(t, ann).Session.Account; again != id {
		t.Errorf("a second account %s", again)
	}
	found, err := f.FindAccount(t.Context(), "+86 "+ann)
	if err != nil || found.ID != id {
		t.Errorf("found %+v, %v", found, err)
	}
	_, err = f.FindAccount(t.Context(), ben)
	wantKind(t, "of no account", err, directory.NotFound)

	other := f.signIn(t, ben).Session.Account
	phones, err := f.MaskedPhones(t.Context(), id, "019aaf5e-4c00-7a1b-8c2d-000000000001", other)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "phones", phones, map[string]string{id: "138****0001", other: "139****0002"})
	moved := f.account(t, other)
	moved.Phone = account.Phone
	if phone, err := f.MaskedPhone(&moved); err == nil {
		t.Errorf("the phone of one account opens in another: %s", phone)
	}
}

func TestUpdateAccount(t *testing.T) {
	f := newFixture(t)
	id := f.signIn(t, ann).Session.Account
	doc := get(t, f.Store.Accounts, id)
	f.clock.pass(time.Hour)
	account := doc.Value
	account.Name, account.Language, account.ElderMode = "安", directory.Tibetan, true
	account.Family = []directory.FamilyMember{{Name: "奶奶", Relation: directory.Grandparent, BirthYear: 1940}}
	updated, err := f.UpdateAccount(t.Context(), doc.Version, account)
	if err != nil {
		t.Fatal(err)
	}
	stored := get(t, f.Store.Accounts, id)
	sameJSON(t, "stored", stored, updated)
	member := stored.Value.Family[0]
	if stored.Value.Name != "安" || !directory.ValidID(member.ID) || !stored.Value.UpdatedAt.Equal(f.clock.now()) {
		t.Errorf("%+v", stored.Value)
	}

	account = stored.Value
	account.Name = "another"
	_, err = f.UpdateAccount(t.Context(), doc.Version, account)
	if e, ok := err.(*directory.Error); !ok || e.Kind != directory.Precondition || e.What != "account" {
		t.Errorf("an old version: %v", err)
	}
	account.Language, account.Family[0].Relation = "tlh", "robot"
	_, err = f.UpdateAccount(t.Context(), stored.Version, account)
	if e, ok := err.(*directory.Error); !ok || e.Kind != directory.Invalid || len(e.Fields) != 2 {
		t.Errorf("wrong fields: %v", err)
	}
	stored.Value.Family[0] = member // which shares its memory with the account
	sameJSON(t, "stored", get(t, f.Store.Accounts, id), stored)
}

// belong gives somebody one of everything.
func (f *fixture) belong(t *testing.T, phone string) (Tokens, directory.Caller) {
	t.Helper()
	f.grant(t, phone, directory.Grant{Role: directory.Staff, Organization: shop}, testRegions(t))
	tokens := f.signIn(t, phone)
	if _, err := f.Store.Favourites.Insert(t.Context(), directory.Favourite{Account: tokens.Session.Account, Listing: shop, AddedAt: f.now()}); err != nil {
		t.Fatal(err)
	}
	return tokens, f.caller(t, tokens)
}

// belongings counts what is stored of an account.
func (f *fixture) belongings(t *testing.T, account directory.Account) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, x := range every(t, f.Store.Accounts) {
		if x.ID == account.ID {
			n["accounts"]++
		}
	}
	for _, x := range every(t, f.Store.Sessions) {
		if x.Account == account.ID {
			n["sessions"]++
		}
	}
	for _, x := range every(t, f.Store.Grants) {
		if x.Account == account.ID {
			n["grants"]++
		}
	}
	for _, x := range every(t, f.Store.Favourites) {
		if x.Account == account.ID {
			n["favourites"]++
		}
	}
	for _, x := range every(t, f.Store.PhoneCodes) {
		if x.PhoneHash == account.PhoneHash {
			n["codes"]++
		}
	}
	if k := len(f.notes(t, account.ID)); k > 0 {
		n["notifications"] = k
	}
	return n
}

func (f *fixture) sweep(t *testing.T) {
	t.Helper()
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestErase(t *testing.T) {
	f := newFixture(t)
	tokens, caller := f.belong(t, ann)
	second := f.begun(t, caller.Account)
	other, foreign := f.belong(t, ben)
	account, stays := f.account(t, caller.Account), f.account(t, foreign.Account)

	due := limitStart.Add(30 * 24 * time.Hour)
	if at, err := f.Erase(t.Context(), caller, home); err != nil || !at.Equal(due) {
		t.Fatal(at, err)
	}
	f.wantEnded(t, tokens)
	f.wantEnded(t, Tokens{Session: second, Access: f.signed(t, second)})
	notes := inserted(t, f.Store.Notifications)
	if last := notes[len(notes)-1]; last.Account != account.ID || last.Kind != directory.NoteErasure || last.Params["on"] != "2026-12-23" {
		t.Errorf("inbox %+v", notes)
	}
	f.caller(t, other)

	// Asking again puts nothing off.
	f.clock.pass(24 * time.Hour)
	tokens = f.signIn(t, ann)
	if at, err := f.Erase(t.Context(), f.caller(t, tokens), home); err != nil || !at.Equal(due) {
		t.Error(at, err)
	}
	f.clock.set(due)
	f.signIn(t, ben) // so that there is a code
	f.sweep(t)
	if n := f.belongings(t, account); n["accounts"] != 1 || n["grants"] != 1 || n["favourites"] != 1 {
		t.Errorf("erased too early: %v", n)
	}
	lines := len(every(t, f.Store.Audit))
	f.clock.pass(time.Millisecond)
	f.sweep(t)
	if n := f.belongings(t, account); len(n) > 0 {
		t.Errorf("left: %v", n)
	}
	sameJSON(t, "of somebody else", f.belongings(t, stays), map[string]int{"accounts": 1, "sessions": 1, "grants": 1, "favourites": 1, "codes": 1, "notifications": 1})
	if now := len(every(t, f.Store.Audit)); now != lines+1 {
		t.Errorf("%d lines after %d", now, lines)
	}
	asked := line(directory.AuditEntry{Action: directory.AuditErasure, Actor: account.ID, Subject: account.ID, Organization: shop, Detail: "asked for"})
	sameJSON(t, "audit log", f.lines(t, directory.AuditErasure), []directory.AuditEntry{
		asked, asked, {Action: directory.AuditErasure, Subject: account.ID, Detail: "done"},
	})

	again := f.caller(t, f.signIn(t, ann))
	if again.Account == account.ID || len(again.Grants) > 0 {
		t.Errorf("after the erasure: %+v", again)
	}
}

func TestRestore(t *testing.T) {
	f := newFixture(t)
	_, caller := f.belong(t, ann)
	if _, err := f.Erase(t.Context(), caller, home); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(erasureGrace - time.Millisecond)
	if err := f.Restore(t.Context(), f.caller(t, f.signIn(t, ann)), home); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Hour)
	f.sweep(t)
	account := f.account(t, caller.Account)
	if account.EraseAt != nil || f.belongings(t, account)["grants"] != 1 {
		t.Errorf("%+v", account)
	}
	lines := f.lines(t, directory.AuditErasure)
	sameJSON(t, "audit log", lines[len(lines)-1], line(directory.AuditEntry{
		Action: directory.AuditErasure, Actor: account.ID, Subject: account.ID, Organization: shop, Detail: "called off",
	}))
}

func TestRestoreTooLate(t *testing.T) {
	f := newFixture(t)
	_, caller := f.belong(t, ann)
	if _, err := f.Erase(t.Context(), caller, home); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(erasureGrace - time.Minute)
	late := f.caller(t, f.signIn(t, ann))
	f.clock.pass(time.Minute)
	wantKind(t, "restore", f.Restore(t.Context(), late, home), directory.Conflict)
	f.clock.pass(time.Millisecond)
	f.sweep(t)
	wantKind(t, "restore", f.Restore(t.Context(), late, home), directory.NotFound)
}

// TestSigningInWhenErasureIsDue: nobody gets into an account that is gone a
// moment later, and nothing of it is there for whoever comes after.
func TestSigningInWhenErasureIsDue(t *testing.T) {
	f := newFixture(t)
	_, caller := f.belong(t, ann)
	account := f.account(t, caller.Account)
	if _, err := f.Erase(t.Context(), caller, home); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(erasureGrace) // and nothing was swept
	again := f.caller(t, f.signIn(t, ann))
	if again.Account == account.ID || len(again.Grants) > 0 {
		t.Errorf("%+v", again)
	}
	if n := f.belongings(t, account); len(n) > 0 {
		t.Errorf("left: %v", n)
	}
	f.clock.pass(time.Hour)
	f.sweep(t)
	f.account(t, again.Account)
}

func TestInterruptedErasureIsFinished(t *testing.T) {
	for _, full := range []string{"sessions", "notifications", "accounts"} {
		t.Run(full, func(t *testing.T) {
			f := newFixture(t)
			_, caller := f.belong(t, ann)
			account := f.account(t, caller.Account)
			if _, err := f.Erase(t.Context(), caller, home); err != nil {
				t.Fatal(err)
			}
			f.clock.pass(erasureGrace - time.Hour)
			tokens := f.signIn(t, ann)
			f.clock.pass(time.Hour + time.Millisecond)
			f.disk.full.Store(full)
			if err := f.Sweep(t.Context()); !errors.Is(err, errFull) {
				t.Fatal(err)
			}
			if n := f.belongings(t, account); n["accounts"] != 1 {
				t.Errorf("cannot be found again: %v", n)
			}
			f.disk.full.Store("")
			f.sweep(t)
			if n := f.belongings(t, account); len(n) > 0 {
				t.Errorf("left: %v", n)
			}
			f.wantEnded(t, tokens)
		})
	}
}

func TestExport(t *testing.T) {
	f := newFixture(t)
	tokens, caller := f.belong(t, ann)
	second := f.begun(t, caller.Account)
	_, foreign := f.belong(t, ben)
	if err := f.EndSession(t.Context(), foreign, foreign.Session, home); err != nil {
		t.Fatal(err)
	}
	b, err := f.Export(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "account", b.Account, f.account(t, caller.Account))
	sameJSON(t, "grants", b.Grants, caller.Grants)
	slices.SortFunc(b.Sessions, func(x, y directory.Session) int {
		if x.ID == tokens.Session.ID {
			return -1
		}
		return 1
	})
	sameJSON(t, "sessions", b.Sessions, []directory.Session{tokens.Session, second})
	sameJSON(t, "favourites", b.Favourites, []directory.Favourite{{Account: caller.Account, Listing: shop, AddedAt: limitStart}})
	if len(b.Grants) != 1 || len(b.Notifications) != 1 || b.Notifications[0].Kind != directory.NoteGranted || b.Notifications[0].Account != caller.Account {
		t.Errorf("%+v", b)
	}
	if len(b.Audit) != 1 || b.Audit[0].Action != directory.AuditSignIn || b.Audit[0].Actor != caller.Account {
		t.Errorf("audit %+v", b.Audit)
	}
	_, err = f.Export(t.Context(), directory.Caller{Account: shop})
	wantKind(t, "of nobody", err, directory.NotFound)
}
