package handlers

import (
	"math"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
)

// class is the operations that share a limit. The zero class has none.
type class string

// The classes. Signing in has further limits of its own, in package auth.
const (
	unlimited class = ""
	reading   class = "read"
	writing   class = "write"
	signingIn class = "sign-in"
	exporting class = "export"
)

// Requests a minute. A network may be a whole town behind one address.
const (
	readsByAccount    = 600
	writesByNetwork   = 600
	writesByAccount   = 120
	signInsByNetwork  = 120
	signInsByAccount  = 60
	exportsByNetwork  = 60
	exportsByAccount  = 4
	limitWindow       = time.Minute
	byNetwork         = " by network"
	byAccount         = " by account"
	headerLimit       = "RateLimit-Limit"
	headerRemaining   = "RateLimit-Remaining"
	headerLimitResets = "RateLimit-Reset"
)

// limits returns the limits of a class; one of Most 0 does not limit.
func (a *api) limits(c class) (network, account auth.Limit) {
	network = auth.Limit{Class: string(c) + byNetwork, Window: limitWindow}
	account = auth.Limit{Class: string(c) + byAccount, Window: limitWindow}
	switch c {
	case reading:
		network.Most, account.Most = a.ReadLimit, readsByAccount
	case writing:
		network.Most, account.Most = writesByNetwork, writesByAccount
	case exporting:
		network.Most, account.Most = exportsByNetwork, exportsByAccount
	case signingIn:
		network.Most, account.Most = signInsByNetwork, signInsByAccount
	}
	return network, account
}

// take counts a request, says in the headers what is left, and returns
// RateLimited when nothing is.
func (a *api) take(c *fiber.Ctx, limit auth.Limit, caller string) error {
	allowance, err := a.Auth.Limiter.Take(c.UserContext(), limit, caller)
	if err != nil {
		return err
	}
	h := &c.Response().Header
	h.Set(headerLimit, strconv.FormatInt(allowance.Limit, 10))
	h.Set(headerRemaining, strconv.FormatInt(allowance.Remaining, 10))
	h.Set(headerLimitResets, seconds(allowance.Reset))
	if !allowance.OK {
		return &directory.Error{Kind: directory.RateLimited, RetryAfter: allowance.Reset}
	}
	return nil
}

// seconds writes a time to wait, rounded up, at least one.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
