package auth

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"qingfu/directory"
)

// The rules of one-time codes (OWASP ASVS 4.0, 2.7 and 2.8; NIST SP 800-63B,
// 5.1.3.2): short-lived, few tries, and ever longer waits between them.
const (
	codeDigits = 6
	codeLife   = 5 * time.Minute
	codeTries  = 5
	codesADay  = 10
)

// codeWaits is how long after the first, second … code of a day the next may be
// asked for; the last is for all that follow.
var codeWaits = []time.Duration{time.Minute, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// The limits on asking for codes and on redeeming them. Those by network are
// wide, because a whole town can share the address of its mobile operator.
// Somebody with a block of IPv6 has many networks, so that those around count, too.
var (
	codesByNetwork  = Limit{"codes by network", 60, time.Hour}
	codesBySite     = Limit{"codes by site", 120, time.Hour}     // the /48 around
	codesByProvider = Limit{"codes by provider", 300, time.Hour} // the /32 around
	codesByDevice   = Limit{"codes by device", 12, time.Hour}
	signInByNetwork = Limit{"sign-ins by network", 120, time.Hour}
	signInByDevice  = Limit{"sign-ins by device", 30, time.Hour}
	signInBySite    = Limit{"sign-ins by site", 300, time.Hour}
)

// SentCode is what is told of a code that was sent. It is the same whether or
// not there is an account with that phone.
type SentCode struct {
	ExpiresAt time.Time // of the code
	NextAt    time.Time // when another can be asked for
}

// RequestCode sends a one-time code to a phone, in place of an earlier one. It
// returns Invalid for a phone that cannot be one, RateLimited with the time to
// wait, or Unavailable when the message cannot be sent; then an earlier code
// stays good and nothing counts.
func (a *Auth) RequestCode(ctx context.Context, phone string, from Client) (_ SentCode, err error) {
	phone, err = a.parsePhone(phone)
	if err != nil {
		return SentCode{}, err
	}
	giveBack, err := a.takeAll(ctx, quota{codesByNetwork, from.Network}, quota{codesByDevice, from.Device},
		quota{codesBySite, wider(from.Network, 48)}, quota{codesByProvider, wider(from.Network, 32)})
	if err != nil {
		return SentCode{}, err
	}
	hash := a.Keys.Hash("phone", phone)
	// The turn is taken before the message goes out, so that of several requests
	// at once only one sends.
	var before directory.PhoneCode
	turn, err := a.updateCode(ctx, hash, func(c *directory.PhoneCode) error {
		before = *c
		return a.takeTurn(c)
	})
	if directory.KindOf(err) == directory.RateLimited {
		return SentCode{}, refusal(err, a.refused(ctx, "", directory.AuditEntry{Action: directory.AuditCode}, from))
	}
	if err != nil {
		return SentCode{}, err
	}
	code, err := a.newCode()
	if err == nil {
		err = a.send(ctx, Message{Phone: phone, Code: code, ValidFor: codeLife})
	}
	ctx = context.WithoutCancel(ctx) // what has gone out is noted, and what has not is undone
	if errors.Is(err, errMaybeSent) {
		// An earlier code stays good, but the turn is taken: a provider that is slow
		// must not send without end.
		return SentCode{}, err
	}
	if err != nil {
		_, undoErr := a.updateCode(ctx, hash, func(c *directory.PhoneCode) error {
			c.Sent, c.NextAt = before.Sent, before.NextAt
			return nil
		})
		return SentCode{}, errors.Join(err, undoErr, giveBack(ctx))
	}
	sent, err := a.updateCode(ctx, hash, func(c *directory.PhoneCode) error {
		c.CodeHash, c.Tries = a.hashCode(hash, code), 0
		c.ExpiresAt = a.now().Add(codeLife)
		return nil
	})
	return SentCode{ExpiresAt: sent.ExpiresAt, NextAt: turn.NextAt}, err
}

// send sends a message within the ceiling over everybody.
func (a *Auth) send(ctx context.Context, m Message) error {
	ceiling := Limit{"text messages", a.SMSPerHour, time.Hour}
	if err := limited(a.Limiter.Take(ctx, ceiling, "all")); err != nil {
		return err
	}
	err := a.Sender.Send(ctx, m)
	if err != nil && !errors.Is(err, errMaybeSent) {
		err = errors.Join(err, a.Limiter.GiveBack(context.WithoutCancel(ctx), ceiling, "all"))
	}
	return err
}

// parsePhone reads a phone that may sign in.
func (a *Auth) parsePhone(text string) (string, error) {
	phone, ok := directory.ParsePhone(text)
	if !ok || directory.IsDemoPhone(phone) && !a.Demo {
		return "", directory.WrongField("code", "/phone", directory.CodeFormat, "13800138000")
	}
	return phone, nil
}

// quota is a limit with the caller that it counts; one without a caller counts
// nobody.
type quota struct {
	Limit
	caller string
}

// takeAll takes one request from each quota. What it returns gives them back.
func (a *Auth) takeAll(ctx context.Context, quotas ...quota) (giveBack func(context.Context) error, err error) {
	var taken []quota
	giveBack = func(ctx context.Context) error {
		var errs []error
		for _, q := range taken {
			errs = append(errs, a.Limiter.GiveBack(ctx, q.Limit, q.caller))
		}
		return errors.Join(errs...)
	}
	for _, q := range quotas {
		if q.caller == "" {
			continue
		}
		if err := limited(a.Limiter.Take(ctx, q.Limit, q.caller)); err != nil {
			return nil, refusal(err, giveBack(ctx))
		}
		taken = append(taken, q)
	}
	return giveBack, nil
}

// wider is the network of so many bits around an IPv6 one, "" for any other.
func wider(network string, bits int) string {
	prefix, err := netip.ParsePrefix(network)
	if err != nil || prefix.Bits() < bits {
		return ""
	}
	prefix, err = prefix.Addr().Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// newCode draws a code. Numbers above the last full million are drawn again, so
// that every code is as likely as any other.
func (a *Auth) newCode() (string, error) {
	const values = 1_000_000
	for {
		b, err := a.random(4)
		if err != nil {
			return "", err
		}
		if n := binary.BigEndian.Uint32(b); n < 1<<32/values*values {
			return fmt.Sprintf("%0*d", codeDigits, n%values), nil
		}
	}
}

func (a *Auth) hashCode(phoneHash, code string) string { return a.Keys.Hash("code", phoneHash+code) }

// takeTurn notes that a code is about to be sent, or refuses.
func (a *Auth) takeTurn(c *directory.PhoneCode) error {
	const day = 24 * time.Hour
	now := a.now()
	if c.NextAt.After(now) {
		return &directory.Error{Kind: directory.RateLimited, What: "code", RetryAfter: c.NextAt.Sub(now)}
	}
	for len(c.Sent) > 0 && !c.Sent[0].After(now.Add(-day)) {
		c.Sent = c.Sent[1:]
	}
	c.NextAt = now.Add(codeWaits[min(len(c.Sent), len(codeWaits)-1)])
	c.Sent = append(c.Sent, now)
	if free := c.Sent[0].Add(day); len(c.Sent) >= codesADay && free.After(c.NextAt) {
		c.NextAt = free // those were all of a day
	}
	c.KeepUntil = now.Add(day)
	return nil
}

// updateCode changes the state of a phone, which begins empty.
func (a *Auth) updateCode(ctx context.Context, hash string, change func(*directory.PhoneCode) error) (directory.PhoneCode, error) {
	doc, err := a.Store.PhoneCodes.UpdateOrInsert(ctx, hash, func(c *directory.PhoneCode) error {
		c.PhoneHash = hash
		return change(c)
	})
	return doc.Value, err
}

// errWrongCode says no more than that a code is not good: not whether it is
// wrong, spent, too old or was never sent.
var errWrongCode = &directory.Error{Kind: directory.Unauthenticated, What: "code"}

// redeem uses up the code of a phone. It returns errWrongCode unless the code is
// the one that was sent last, in time, for the first time, and after fewer than
// codeTries wrong ones. Of several calls with one code exactly one succeeds.
func (a *Auth) redeem(ctx context.Context, phoneHash, code string) error {
	given := a.hashCode(phoneHash, code)
	wrong := false
	_, err := a.Store.PhoneCodes.Update(ctx, phoneHash, func(c *directory.PhoneCode) error {
		if c.CodeHash == "" || !c.ExpiresAt.After(a.Now()) || c.Tries >= codeTries {
			return errWrongCode
		}
		if wrong = !hmac.Equal([]byte(given), []byte(c.CodeHash)); wrong {
			c.Tries++ // stored before anybody learns that the code was wrong
		} else {
			c.CodeHash, c.Tries = "", 0
		}
		return nil
	})
	if directory.KindOf(err) == directory.NotFound || err == nil && wrong {
		return errWrongCode
	}
	return err
}
