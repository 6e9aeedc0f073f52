package auth

import (
	"context"
	"encoding/base32"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"qingfu/directory"
)

// The second factor is an authenticator app (TOTP, RFC 6238, with the values
// that every app knows: SHA-1, six digits, steps of 30 seconds).
const (
	totpPeriod    = 30 * time.Second
	totpSkew      = 1  // steps that the clock of a phone may be off, either way
	totpSecret    = 20 // bytes, as RFC 4226 recommends
	recoveryCodes = 10
	recoveryBytes = 10 // of a recovery code
)

var secondFactorTries = Limit{"second factor", 10, time.Hour}

func secretPurpose(account string) string { return "second factor of " + account }

// Enrolment is what an authenticator app needs to know.
type Enrolment struct {
	Secret string // base32
	URI    string // otpauth:, for a QR code
}

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// EnrolSecondFactor begins to register an authenticator app for the caller. It
// counts from [Auth.ConfirmSecondFactor] on. It returns Conflict when one is
// registered already.
func (a *Auth) EnrolSecondFactor(ctx context.Context, caller directory.Caller) (Enrolment, error) {
	raw, err := a.random(totpSecret)
	if err != nil {
		return Enrolment{}, err
	}
	secret := base32Plain.EncodeToString(raw)
	sealed, err := a.Keys.Seal(secretPurpose(caller.Account), secret)
	if err != nil {
		return Enrolment{}, err
	}
	doc, err := a.Store.Accounts.Update(ctx, caller.Account, func(account *directory.Account) error {
		if account.Enrolled() {
			return &directory.Error{Kind: directory.Conflict, What: "second_factor"}
		}
		account.SecondFactor = &directory.SecondFactor{Secret: sealed}
		return nil
	})
	if err != nil {
		return Enrolment{}, err
	}
	phone, err := a.MaskedPhone(&doc.Value)
	return Enrolment{secret, otpauth(secret, phone)}, err
}

func otpauth(secret, phone string) string {
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/青服:" + phone, RawQuery: url.Values{"secret": {secret}, "issuer": {"青服"}}.Encode()}).String()
}

// ConfirmSecondFactor registers the authenticator app, once it has shown a right
// code, and counts as showing it. It returns the recovery codes, each of which
// stands in for the app once; they cannot be shown again. It returns
// Unauthenticated for a wrong code, Conflict when there is nothing to confirm,
// and RateLimited.
func (a *Auth) ConfirmSecondFactor(ctx context.Context, caller directory.Caller, code string, from Client) ([]string, error) {
	var recovery []string
	err := a.useSecondFactor(ctx, caller, from, "registered", func(account *directory.Account, f *directory.SecondFactor) error {
		if f.ConfirmedAt != nil {
			return &directory.Error{Kind: directory.Conflict, What: "second_factor"}
		}
		if err := a.takeStep(account, plainCode(code)); err != nil {
			return err
		}
		recovery, f.Recovery = nil, nil
		for range recoveryCodes {
			raw, err := a.random(recoveryBytes)
			if err != nil {
				return err
			}
			code := base32Plain.EncodeToString(raw)
			recovery = append(recovery, strings.ToLower(code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:]))
			f.Recovery = append(f.Recovery, a.hashRecovery(account.ID, code))
		}
		now := a.now()
		f.ConfirmedAt = &now
		return nil
	})
	if err == nil {
		err = a.noteShown(ctx, caller)
	}
	if err != nil {
		return nil, err
	}
	return recovery, a.Notify(ctx, caller.Account, directory.NoteSecondFactorSet, nil)
}

func (a *Auth) hashRecovery(account, code string) string {
	return a.Keys.Hash("recovery code of "+account, code)
}

// ShowSecondFactor lets the roles that need a second factor count in the
// caller's session for 12 hours. The code is one of the app or a recovery code,
// and none is taken twice. Errors are those of [Auth.ConfirmSecondFactor].
func (a *Auth) ShowSecondFactor(ctx context.Context, caller directory.Caller, code string, from Client) error {
	err := a.useSecondFactor(ctx, caller, from, "shown", func(account *directory.Account, f *directory.SecondFactor) error {
		if f.ConfirmedAt == nil {
			return &directory.Error{Kind: directory.Conflict, What: "second_factor"}
		}
		return a.takeCode(account, code)
	})
	if err != nil {
		return err
	}
	return a.noteShown(ctx, caller)
}

// noteShown notes in the caller's session that it has shown a second factor.
func (a *Auth) noteShown(ctx context.Context, caller directory.Caller) error {
	_, err := a.Store.Sessions.Update(ctx, caller.Session, func(s *directory.Session) error {
		now := a.now()
		s.SecondFactorAt = &now
		return nil
	})
	if err != nil {
		return err
	}
	// Another session may have removed the app in between.
	account, err := a.Store.Accounts.Get(ctx, caller.Account)
	if err == nil && !account.Value.Enrolled() {
		err = a.forgetShown(ctx, caller.Account)
	}
	return err
}

// RemoveSecondFactor forgets the caller's authenticator app, for which it or a
// recovery code is needed once more. Roles that need one do not count until
// another is registered. Errors are those of [Auth.ConfirmSecondFactor].
func (a *Auth) RemoveSecondFactor(ctx context.Context, caller directory.Caller, code string, from Client) error {
	err := a.useSecondFactor(ctx, caller, from, "removed", func(account *directory.Account, f *directory.SecondFactor) error {
		if f.ConfirmedAt != nil {
			if err := a.takeCode(account, code); err != nil {
				return err
			}
		}
		account.SecondFactor = nil
		return nil
	})
	if err != nil {
		return err
	}
	return a.forgetShown(ctx, caller.Account)
}

// ResetSecondFactor forgets the authenticator app of somebody who has lost it and
// the recovery codes. It is for the command line.
func (a *Auth) ResetSecondFactor(ctx context.Context, account directory.Account) error {
	if err := a.recordFor(ctx, account.ID, directory.AuditEntry{Action: directory.AuditSecondFactor, Subject: account.ID, Detail: "reset"}, Client{}); err != nil {
		return err
	}
	_, err := a.Store.Accounts.Update(ctx, account.ID, func(account *directory.Account) error {
		account.SecondFactor = nil
		return nil
	})
	if err != nil {
		return err
	}
	return a.forgetShown(ctx, account.ID)
}

// forgetShown takes the second factor from every session of an account.
func (a *Auth) forgetShown(ctx context.Context, account string) error {
	sessions, err := a.Sessions(ctx, account)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		_, err := a.Store.Sessions.Update(ctx, s.ID, func(s *directory.Session) error {
			s.SecondFactorAt = nil
			return nil
		})
		if err != nil && directory.KindOf(err) != directory.NotFound { // ended meanwhile
			return err
		}
	}
	return nil
}

// useSecondFactor changes an account by a code.
func (a *Auth) useSecondFactor(ctx context.Context, caller directory.Caller, from Client, what string, use func(*directory.Account, *directory.SecondFactor) error) error {
	if err := limited(a.Limiter.Take(ctx, secondFactorTries, caller.Account)); err != nil {
		return err
	}
	entry := directory.AuditEntry{Action: directory.AuditSecondFactor, Actor: caller.Account, Subject: caller.Account, Detail: what}
	_, err := a.Store.Accounts.Update(ctx, caller.Account, func(account *directory.Account) error {
		if account.SecondFactor == nil {
			return &directory.Error{Kind: directory.Conflict, What: "second_factor"}
		}
		return use(account, account.SecondFactor)
	})
	if err != nil {
		if directory.KindOf(err) == directory.Unauthenticated {
			return refusal(err, a.refused(ctx, caller.Account, entry, from))
		}
		return refusal(err, a.Limiter.GiveBack(ctx, secondFactorTries, caller.Account))
	}
	// Right codes do not count: an official who signs in often locks nobody out.
	if err := a.Limiter.GiveBack(ctx, secondFactorTries, caller.Account); err != nil {
		return err
	}
	return a.recordFor(ctx, caller.Account, entry, from)
}

// plainCode is a code without the spaces and hyphens by which people read it.
func plainCode(code string) string { return strings.NewReplacer("-", "", " ", "").Replace(code) }

// takeCode uses up a code of the app or a recovery code.
func (a *Auth) takeCode(account *directory.Account, code string) error {
	plain := strings.ToUpper(plainCode(code))
	if len(plain) == otp.DigitsSix.Length() {
		return a.takeStep(account, plain)
	}
	// The hashes are keyed, so that comparing them tells nothing about the code.
	f := account.SecondFactor
	i := slices.Index(f.Recovery, a.hashRecovery(account.ID, plain))
	if i < 0 {
		return errWrongCode
	}
	f.Recovery = slices.Delete(slices.Clone(f.Recovery), i, i+1)
	return nil
}

// takeStep uses up the time step that a code of the app belongs to.
func (a *Auth) takeStep(account *directory.Account, code string) error {
	f := account.SecondFactor
	secret, err := a.Keys.Open(secretPurpose(account.ID), f.Secret)
	if err != nil {
		return err
	}
	now := a.Now().Unix() / int64(totpPeriod/time.Second)
	for step := max(now-totpSkew, f.LastStep+1); step <= now+totpSkew; step++ {
		ok, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return errWrongCode // its form is wrong
		}
		if ok {
			f.LastStep = step
			return nil
		}
	}
	return errWrongCode
}
