package registry

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// invite returns an invitation with its secret.
func (f *office) invite(by directory.Caller, o directory.Organization, role directory.Role) (directory.Invitation, string) {
	f.t.Helper()
	i, secret, err := f.Invite(f.t.Context(), by, o, role, auth.Client{})
	if err != nil {
		f.t.Fatal(err)
	}
	return i, secret
}

func TestInvitation(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	accept := func(caller directory.Caller, secret string) error {
		_, err := f.Accept(ctx, caller, secret, auth.Client{})
		return err
	}
	i, secret := f.invite(owner, o, directory.Staff)
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(raw) != 32 || !i.ExpiresAt.Equal(noon.Add(7*24*time.Hour)) || i.Role != directory.Staff || i.InvitedBy != owner.Account {
		t.Errorf("invited as %+v with %q", i, secret)
	}
	if open, err := f.Invitations(ctx, o.ID); err != nil || len(open) != 1 || open[0].ID != i.ID {
		t.Errorf("open are %+v, %v", open, err)
	}
	conflict(t, "by an owner", accept(owner, secret), "member")
	kind(t, "another secret", accept(f.somebody(), "A"+secret[1:]+"A"), directory.NotFound)
	kind(t, "the id", accept(f.somebody(), i.ID), directory.NotFound)
	kind(t, "nothing", accept(f.somebody(), ""), directory.NotFound)

	ann := f.somebody()
	if err := accept(ann, secret); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("accepted", o, owner.Account+" owner", ann.Account+" staff")
	conflict(t, "by the same again", accept(ann, secret), "invitation_used")
	conflict(t, "by another", accept(f.somebody(), secret), "invitation_used")
	if open, err := f.Invitations(ctx, o.ID); err != nil || len(open) != 0 {
		t.Errorf("open are %+v, %v", open, err)
	}
	if got := f.lines(directory.AuditInvitation, i.ID); !slices.Equal(got, []string{"accepted staff", "created staff"}) {
		t.Errorf("the audit log has %q", got)
	}
	kind(t, "withdrawn after use", f.WithdrawInvitation(ctx, owner, o.ID, i.ID, auth.Client{}), directory.NotFound)

	// Staff may become an owner, but not staff once more, which uses nothing up.
	_, more := f.invite(owner, o, directory.Staff)
	conflict(t, "by staff", accept(ann, more), "member")
	_, up := f.invite(owner, o, directory.Owner)
	if err := accept(ann, up); err != nil {
		t.Fatal(err)
	}
	ben := f.somebody()
	if err := accept(ben, more); err != nil {
		t.Errorf("the one that was not used: %v", err)
	}
	f.wantRoles("three accepted", o, owner.Account+" owner", ann.Account+" owner", ann.Account+" staff", ben.Account+" staff")

	// Somebody who was removed does not come back by the invitation they had accepted.
	if err := f.RemoveMember(ctx, owner, o.ID, ben.Account, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	conflict(t, "by somebody removed", accept(ben, more), "invitation_used")
	if err := f.Heal(ctx); err != nil {
		t.Fatal(err)
	}
	f.wantRoles("one removed", o, owner.Account+" owner", ann.Account+" owner", ann.Account+" staff")
}

func TestInvitationEnds(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	other, stranger := f.firm()
	accept := func(secret string) error {
		_, err := f.Accept(ctx, f.somebody(), secret, auth.Client{})
		return err
	}
	late, lateSecret := f.invite(owner, o, directory.Staff)
	withdrawn, withdrawnSecret := f.invite(owner, o, directory.Staff)
	kind(t, "of another organization", f.WithdrawInvitation(ctx, stranger, other.ID, withdrawn.ID, auth.Client{}), directory.NotFound)
	if err := f.WithdrawInvitation(ctx, owner, o.ID, withdrawn.ID, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	kind(t, "withdrawn twice", f.WithdrawInvitation(ctx, owner, o.ID, withdrawn.ID, auth.Client{}), directory.NotFound)
	kind(t, "withdrawn", accept(withdrawnSecret), directory.NotFound)

	f.clock.Advance(invitationLife - time.Millisecond)
	_, good := f.invite(owner, o, directory.Staff)
	if open, err := f.Invitations(ctx, o.ID); err != nil || len(open) != 2 || open[1].ID != late.ID {
		t.Errorf("open are %+v, %v", open, err)
	}
	f.clock.Advance(time.Millisecond)
	conflict(t, "expired", accept(lateSecret), "invitation_expired")
	if open, err := f.Invitations(ctx, o.ID); err != nil || len(open) != 1 {
		t.Errorf("open are %+v, %v", open, err)
	}
	if err := accept(good); err != nil {
		t.Error(err)
	}

	// For a month it is said that it has expired; then nothing is known of it.
	for _, tt := range []struct {
		pass time.Duration
		want int
	}{{invitationKept, 2}, {time.Millisecond, 1}, {invitationLife, 0}} {
		f.clock.Advance(tt.pass)
		if err := f.sweepInvitations(ctx); err != nil {
			t.Fatal(err)
		}
		if docs, err := f.Store.Invitations.All(ctx, store.Query{}); err != nil || len(docs) != tt.want {
			t.Errorf("%s later %d are left, want %d, %v", tt.pass, len(docs), tt.want, err)
		}
	}
	kind(t, "forgotten", accept(lateSecret), directory.NotFound)
}

// TestInvitationOfSomebodyRemoved: with the right to invite, the invitations go.
func TestInvitationOfSomebodyRemoved(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	second := f.add(o, directory.Owner)
	_, secret := f.invite(second, o, directory.Owner)
	if err := f.RemoveMember(ctx, owner, o.ID, second.Account, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	_, err := f.Accept(ctx, second, secret, auth.Client{})
	kind(t, "by the one who was removed", err, directory.NotFound)
	f.wantRoles("removed", o, owner.Account+" owner")

	admin, _, err := f.Auth.Grant(ctx, directory.Caller{}, "10000009999", directory.Grant{Role: directory.Admin}, f.Regions, auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	_, secret = f.invite(directory.Caller{Account: admin.Account}, o, directory.Owner)
	if _, err := f.Accept(ctx, second, secret, auth.Client{}); err != nil {
		t.Errorf("of an administrator: %v", err)
	}
}

func TestInvitationLimit(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	for range maxInvitations {
		f.invite(owner, o, directory.Staff)
	}
	_, _, err := f.Invite(ctx, owner, o, directory.Staff, auth.Client{})
	conflict(t, "one too many", err, "invitations")
	f.clock.Advance(invitationLife)
	f.invite(owner, o, directory.Staff)
}

func TestInvitationAcceptedAtOnce(t *testing.T) {
	f := newOffice(t)
	o, owner := f.firm()
	same := f.somebody()
	var different []directory.Caller
	for range 50 {
		different = append(different, f.somebody())
	}
	for what, callers := range map[string][]directory.Caller{"one": slices.Repeat([]directory.Caller{same}, 50), "many": different} {
		_, secret := f.invite(owner, o, directory.Staff)
		before := len(f.roles(o))
		var wg sync.WaitGroup
		var mu sync.Mutex
		good := 0
		for _, c := range callers {
			wg.Go(func() {
				_, err := f.Accept(t.Context(), c, secret, auth.Client{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					good++
				} else if directory.KindOf(err) != directory.Conflict {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if after := len(f.roles(o)); good != 1 || after != before+1 {
			t.Errorf("by %s: accepted %d times, %d members after %d", what, good, after, before)
		}
	}
}

func TestInvitationsWithCrashes(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	f.crashes(func() (func() error, func(string, bool)) {
		o, owner := f.firm()
		ann := f.somebody()
		i, secret := f.invite(owner, o, directory.Staff)
		act := func() error { _, err := f.Accept(ctx, ann, secret, auth.Client{}); return err }
		return act, func(what string, acted bool) {
			doc, err := f.Store.Invitations.Get(ctx, i.ID)
			if err != nil {
				t.Fatal(err)
			}
			if doc.Value.AcceptedBy == "" && !acted {
				f.wantRoles(what, o, owner.Account+" owner")
				if err := act(); err != nil {
					t.Errorf("%s, again: %v", what, err)
				}
			}
			f.wantRoles(what, o, owner.Account+" owner", ann.Account+" staff")
		}
	})
}

// TestOnlyAHashOfAnInvitationIsKept looks through all that the store holds.
func TestOnlyAHashOfAnInvitationIsKept(t *testing.T) {
	f, ctx := newOffice(t), t.Context()
	o, owner := f.firm()
	i, secret := f.invite(owner, o, directory.Staff)
	records, err := f.disk.Get(ctx, "invitations", i.ID)
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	audit, err := f.disk.Find(ctx, "audit", store.Query{Limit: store.MaxLimit})
	if err != nil || len(audit) == 0 {
		t.Fatal(audit, err)
	}
	for _, r := range append(audit, records...) {
		if strings.Contains(string(r.Doc), secret) {
			t.Errorf("the secret stands in %s", r.Doc)
		}
	}
}
