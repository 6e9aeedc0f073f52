package auth

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"qingfu/directory"
	"qingfu/store"
)

func TestReseal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	f := newFixture(t, func(cfg *Config) { cfg.Keys = openKeys(t, path) })
	caller := f.caller(t, f.signIn(t, ann))
	secret, _ := f.enrol(t, caller)
	f.signIn(t, ben)
	contact, err := f.Keys.Seal(ContactPurpose(shop), "0971-6101010")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Store.Organizations.Insert(t.Context(), directory.Organization{ID: shop, ContactPhone: contact}); err != nil {
		t.Fatal(err)
	}
	booking := directory.Booking{ID: "019aaf5e-4c00-7a1b-8c2d-0000000000b0"}
	if booking.Contact, err = f.SealContact(booking.ID, directory.BookingContact{Name: "卓玛", Phone: ben, Address: "东关大街1号"}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []directory.Booking{booking, {ID: "019aaf5e-4c00-7a1b-8c2d-0000000000b1"}} { // the second was cleared
		if _, err := f.Store.Bookings.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	reseal := func(want int) {
		t.Helper()
		if n, err := f.Reseal(t.Context()); err != nil || n != want {
			t.Errorf("%d written, %v, want %d", n, err, want)
		}
	}
	reseal(0)
	if err := f.Keys.AddKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	f.signIn(t, "13700000003") // which is sealed with the new key
	reseal(5)                  // two accounts, a signing key, an organization and a booking
	reseal(0)

	// The old key is put away.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file keyringFile
	if err := json.Unmarshal(text, &file); err != nil || len(file.Keys) != 2 {
		t.Fatal(err)
	}
	file.Keys = file.Keys[:1]
	if text, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	cfg := f.others()
	if cfg.Keys, err = ParseKeyring(text); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range every(t, f.Store.Accounts) {
		phone, err := cfg.Keys.Open(phonePurpose(account.ID), account.Phone)
		if err != nil || cfg.Keys.Hash("phone", phone) != account.PhoneHash || !cfg.Keys.Current(account.Phone) {
			t.Errorf("phone %q, %v", phone, err)
		}
	}
	organization := get(t, f.Store.Organizations, shop).Value
	if phone, err := cfg.Keys.Open(ContactPurpose(shop), organization.ContactPhone); err != nil || phone != "0971-6101010" {
		t.Errorf("contact %q, %v", phone, err)
	}
	booking = get(t, f.Store.Bookings, booking.ID).Value
	if opened, err := a.OpenContact(&booking); err != nil || opened.Phone != ben || opened.Address != "东关大街1号" {
		t.Errorf("contact of a booking %+v, %v", opened, err)
	}
	f.clock.pass(totpPeriod)
	if err := a.ShowSecondFactor(t.Context(), caller, totp(t, secret, f.clock.now()), home); err != nil {
		t.Error(err)
	}
	if _, err := a.Authenticate(t.Context(), f.signed(t, directory.Session{ID: caller.Session, Account: caller.Account})); err != nil {
		t.Error(err)
	}
}

// TestResealOfMany needs more documents than a page holds. The one that is stale
// lies on the second.
func TestResealOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	f := newFixture(t, func(cfg *Config) { cfg.Keys = openKeys(t, path) })
	accounts := make([]directory.Account, store.MaxLimit+1)
	for i := range accounts {
		id := fmt.Sprintf("019aaf5e-4c00-7a1b-8c2d-%012d", i)
		accounts[i] = directory.Account{ID: id, Phone: "2.not looked at", PhoneHash: id}
	}
	last := &accounts[store.MaxLimit]
	var err error
	if last.Phone, err = f.Keys.Seal(phonePurpose(last.ID), ann); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Store.Accounts.Upsert(t.Context(), accounts); err != nil {
		t.Fatal(err)
	}
	if err := f.Keys.AddKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Reseal(t.Context()); err != nil || n != 2 { // it and the signing key
		t.Errorf("%d written, %v", n, err)
	}
	if got := f.account(t, last.ID).Phone; !f.Keys.Current(got) {
		t.Errorf("phone %q", got)
	}
}

func TestResealOfWhatCannotBeOpened(t *testing.T) {
	f := newFixture(t)
	id := f.signIn(t, ann).Session.Account
	if _, err := f.Store.Accounts.Update(t.Context(), id, func(a *directory.Account) error {
		a.Phone = "0.x"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := "open phone of " + id + `: sealed with the key "0", which is not among the keys`
	if n, err := f.Reseal(t.Context()); n != 0 || err == nil || err.Error() != want {
		t.Errorf("%d written, %v", n, err)
	}
}
