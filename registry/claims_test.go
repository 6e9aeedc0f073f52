package registry

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

func TestClaim(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	staff, ben := f.add(o, directory.Staff), f.somebody()
	c := f.claimed(ben, o)
	if c.State != directory.ClaimOpen || c.Organization != o.ID || c.Account != ben.Account || c.Region != o.Region || c.CreditCode != o.CreditCode ||
		c.LegalName != "湟水养老" || c.ContactName != "才让" || len(c.Documents) != 0 || c.Unsettled {
		t.Errorf("claimed as %+v", c)
	}
	f.wantRoles("claimed", o, owner.Account+" owner", staff.Account+" staff")
	f.clock.Advance(time.Hour)
	if again := f.claimed(ben, o); again.ID != c.ID {
		t.Errorf("there is a second claim: %+v", again)
	}
	for who, caller := range map[string]directory.Caller{"owner": owner, "staff": staff} {
		if n := f.told(caller.Account, directory.NoteClaimFiled); n != 1 {
			t.Errorf("the %s was told %d times", who, n)
		}
	}
	if got := f.lines(directory.AuditClaim, c.ID); !slices.Equal(got, []string{"filed"}) {
		t.Errorf("the audit log has %q", got)
	}

	// A refused claim may be made again.
	if _, err := f.DecideClaim(ctx, official, c.ID, directory.ClaimRefused, "证照不符", true, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("refused", o, owner.Account+" owner", staff.Account+" staff")
	if n := f.told(ben.Account, directory.NoteClaimRefused); n != 1 || f.told(owner.Account, directory.NoteClaimedByOther) != 0 {
		t.Errorf("the claimant was told %d times", n)
	}
	if again := f.claimed(ben, o); again.ID == c.ID {
		t.Error("the refused claim came back")
	}

	// Somebody has only so many at a time.
	for range maxOpenClaims - 1 {
		other, _ := f.firm()
		f.claimed(ben, other)
	}
	other, _ := f.firm()
	d := f.details()
	d.CreditCode = string(other.CreditCode)
	_, err := f.Register(ctx, ben, d, auth.Client{})
	conflict(t, "one claim too many", err, "claims")
	f.claimed(f.somebody(), other)
}

func TestClaimDecisions(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	staff, ben := f.add(o, directory.Staff), f.somebody()
	c := f.claimed(ben, o)
	decide := func(by directory.Caller, id string, outcome directory.ClaimState, reason string, remove bool) error {
		_, err := f.DecideClaim(ctx, by, id, outcome, reason, remove, auth.Client{})
		return err
	}
	kind(t, "refused without a reason", decide(official, c.ID, directory.ClaimRefused, "", false), directory.Invalid)
	kind(t, "by the claimant", decide(ben, c.ID, directory.ClaimGranted, "", false), directory.Forbidden)
	kind(t, "by an owner", decide(owner, c.ID, directory.ClaimRefused, "是我的", false), directory.Forbidden)
	kind(t, "by staff", decide(staff, c.ID, directory.ClaimRefused, "是我的", false), directory.Forbidden)
	kind(t, "of none", decide(official, "01a192b0-7400-7000-8000-0000000000ee", directory.ClaimGranted, "", false), directory.NotFound)

	if err := decide(official, c.ID, directory.ClaimGranted, "", false); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("granted", o, owner.Account+" owner", staff.Account+" staff", ben.Account+" owner")
	conflict(t, "decided again", decide(official, c.ID, directory.ClaimRefused, "反悔", false), "claim")
	if f.told(ben.Account, directory.NoteClaimGranted) != 1 || f.told(owner.Account, directory.NoteClaimedByOther) != 1 || f.told(staff.Account, directory.NoteClaimedByOther) != 1 {
		t.Error("somebody was not told")
	}
	if done, err := f.Register(ctx, ben, Details{
		CreditCode: string(o.CreditCode), LegalName: "x", Region: "630202", ContactName: "x", ContactPhone: "13800138000",
	}, auth.Client{}); err != nil || done.Claim != nil || done.Organization.Value.ID != o.ID {
		t.Errorf("the new owner registers it: %+v, %v", done, err)
	}

	// Removing the members spares those who come later.
	o, owner = f.firm()
	staff, ben = f.add(o, directory.Staff), f.somebody()
	c = f.claimed(ben, o)
	f.clock.Advance(time.Hour)
	if err := decide(official, c.ID, directory.ClaimGranted, "", true); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("granted alone", o, ben.Account+" owner")
	if f.told(owner.Account, directory.NoteClaimedByOther) != 1 || f.told(staff.Account, directory.NoteRevoked) != 1 {
		t.Error("somebody was not told")
	}
	if got := f.lines(directory.AuditClaim, c.ID); !slices.Equal(got, []string{"filed", "granted remove_members"}) {
		t.Errorf("the audit log has %q", got)
	}
	f.clock.Advance(time.Hour)
	late := f.add(o, directory.Staff)
	doc, err := f.Store.Claims.Update(ctx, c.ID, func(c *directory.Claim) error { c.Unsettled = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.settleClaim(ctx, doc, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("settled again later", o, ben.Account+" owner", late.Account+" staff")
}

func TestClaimsWithCrashes(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	t.Run("filed", func(t *testing.T) {
		f.crashes(func() (func() error, func(string, bool)) {
			o, owner := f.firm()
			ben := f.somebody()
			d := f.details()
			d.CreditCode = string(o.CreditCode)
			act := func() error { _, err := f.Register(ctx, ben, d, auth.Client{}); return err }
			return act, func(what string, acted bool) {
				docs, err := f.Store.Claims.All(ctx, store.Where(store.Equal("account", ben.Account)))
				if err != nil || len(docs) > 1 || acted && len(docs) != 1 {
					t.Fatalf("%s: %d claims, %v", what, len(docs), err)
				}
				if n := f.told(owner.Account, directory.NoteClaimFiled); n != len(docs) {
					t.Errorf("%s: %d claims, and the owner was told %d times", what, len(docs), n)
				}
			}
		})
	})
	t.Run("granted", func(t *testing.T) {
		f.crashes(func() (func() error, func(string, bool)) {
			o, owner := f.firm()
			staff, ben := f.add(o, directory.Staff), f.somebody()
			c := f.claimed(ben, o)
			f.clock.Advance(time.Minute)
			act := func() error {
				_, err := f.DecideClaim(ctx, official, c.ID, directory.ClaimGranted, "", true, auth.Client{})
				return err
			}
			return act, func(what string, acted bool) {
				c, err := f.Claim(ctx, c.ID)
				if err != nil {
					t.Fatal(err)
				}
				if c.State == directory.ClaimOpen && !acted {
					f.wantRoles(what, o, owner.Account+" owner", staff.Account+" staff")
					return
				}
				f.wantRoles(what, o, ben.Account+" owner")
				if f.told(ben.Account, directory.NoteClaimGranted) != 1 || f.told(owner.Account, directory.NoteClaimedByOther) != 1 || f.told(staff.Account, directory.NoteClaimedByOther) != 1 {
					t.Errorf("%s: somebody was not told once", what)
				}
			}
		})
	})
}

// TestClaimDecidedAtOnce has officials decide differently at the same time.
func TestClaimDecidedAtOnce(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	ben := f.somebody()
	c := f.claimed(ben, o)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var done []directory.ClaimState
	for i := range 10 {
		wg.Go(func() {
			by := directory.Caller{Account: fmt.Sprintf("01a192b0-7400-7000-8000-%012d", i)}
			outcome := []directory.ClaimState{directory.ClaimGranted, directory.ClaimRefused}[i%2]
			_, err := f.DecideClaim(ctx, by, c.ID, outcome, "理由", false, auth.Client{})
			if err == nil {
				mu.Lock()
				done = append(done, outcome)
				mu.Unlock()
				return
			}
			conflict(t, "decided meanwhile", err, "claim")
		})
	}
	wg.Wait()
	if len(done) != 1 {
		t.Fatalf("decided as %v", done)
	}
	want := []string{owner.Account + " owner"}
	if done[0] == directory.ClaimGranted {
		want = append(want, ben.Account+" owner")
	}
	f.wantRoles("decided once", o, want...)
}

// TestClaimOfAnErasedAccount: a claim goes with its account.
func TestClaimOfAnErasedAccount(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	ben := f.somebody()
	c := f.claimed(ben, o)
	b, err := f.Auth.Export(ctx, ben)
	if err != nil || len(b.Claims) != 1 || b.Claims[0].ID != c.ID {
		t.Errorf("the export has the claims %+v, %v", b.Claims, err)
	}
	if _, err := f.Auth.Erase(ctx, ben, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(31 * 24 * time.Hour)
	if err := f.Auth.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = f.DecideClaim(ctx, official, c.ID, directory.ClaimGranted, "", true, auth.Client{})
	kind(t, "decided afterwards", err, directory.NotFound)

	// When the account goes between the decision and what follows, the members stay.
	cay := f.somebody()
	c = f.claimed(cay, o)
	doc, err := f.Store.Claims.Update(ctx, c.ID, func(c *directory.Claim) error {
		now := f.now()
		c.State, c.DecidedAt, c.DecidedBy, c.RemoveMembers, c.Unsettled = directory.ClaimGranted, &now, official.Account, true, true
		return nil
	})
	if err == nil {
		err = f.Store.Accounts.Remove(ctx, cay.Account)
	}
	if err == nil {
		_, err = f.settleClaim(ctx, doc, auth.Client{})
	}
	if err != nil {
		t.Fatal(err)
	}
	f.wantRoles("without the claimant", o, owner.Account+" owner")
}

func TestClaimPages(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	ben, cay := f.somebody(), f.somebody()
	var all []directory.Claim
	for i, region := range []string{"630202", "632701", "630202", "630100"} {
		d := f.details()
		d.Region = region
		o := f.register(f.somebody(), d).Value
		all = append(all, f.claimed([]directory.Caller{ben, cay}[i%2], o))
		f.clock.Advance(time.Second)
	}
	if _, err := f.DecideClaim(ctx, official, all[2].ID, directory.ClaimRefused, "无关", false, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	here := directory.Scope{Bureau: directory.MarketRegulation, Region: "630200"}
	for what, tt := range map[string]struct {
		s    Selection
		want []int
	}{
		"ben's":                {Selection{Account: ben.Account}, []int{0, 2}},
		"ben's open ones":      {Selection{Account: ben.Account, State: "open"}, []int{0}},
		"an official's":        {Selection{Scopes: []directory.Scope{here}}, []int{0, 2}},
		"an official's queue":  {Selection{Scopes: []directory.Scope{here}, State: "open"}, []int{0}},
		"with the own":         {Selection{Account: cay.Account, Scopes: []directory.Scope{here}}, []int{0, 1, 2, 3}},
		"an administrator's":   {Selection{Account: ben.Account, Scopes: []directory.Scope{{}}}, []int{0, 1, 2, 3}},
		"of somebody else":     {Selection{Account: official.Account}, nil},
		"refused, of everyone": {Selection{Scopes: []directory.Scope{{}}, State: "refused"}, []int{2}},
	} {
		for limit := 1; limit <= len(all); limit++ {
			var got []int
			for after := (*store.Position)(nil); ; {
				docs, next, err := f.Claims(ctx, tt.s, limit, after)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range docs {
					got = append(got, slices.IndexFunc(all, func(c directory.Claim) bool { return c.ID == d.Value.ID }))
				}
				if after = next; next == nil {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s by %d: %v, want %v", what, limit, got, tt.want)
			}
		}
	}
}
