package handlers

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"qingfu/auth"
	"qingfu/directory"
)

// serve wraps a route's handler with what every request gets: an id, a
// deadline, its input read by the contract, an answer in case of an error or
// panic, compression, metrics and a line in the log.
func (a *api) serve(r route) fiber.Handler {
	op := a.operations[r.operation]
	return func(c *fiber.Ctx) error {
		start := a.Now()
		a.begin(c)
		latency := maxLatency
		if r.class == exporting {
			latency = maxExportLatency
		}
		ctx, cancel := context.WithTimeout(context.Background(), latency)
		defer cancel()
		c.SetUserContext(ctx)

		if err := a.run(c, op, r); err != nil {
			_ = a.fail(c, err) // it writes the answer and has no error of its own
		}
		if a.Degraded != nil { // at last, because this request may have found it out
			if list := a.Degraded(); len(list) > 0 {
				c.Set("X-Degraded", strings.Join(list, ", "))
			}
		}
		compress(c)

		status, took := c.Response().StatusCode(), a.Now().Sub(start)
		a.metrics.observe(r.operation, status, took)
		a.logRequest(ctx, c, r, status, took)
		return nil
	}
}

// run counts the request, finds out who makes it and whether they may, and calls
// the handler. It turns a panic into an error.
func (a *api) run(c *fiber.Ctx, op *operation, r route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if len(c.Request().RequestURI()) > maxURL {
		return fiber.ErrRequestURITooLong
	}
	network := ""
	if r.class != unlimited {
		network = a.network(c)
	}
	byNetwork, byAccount := a.limits(r.class)
	if byNetwork.Most > 0 {
		if err := a.take(c, byNetwork, network); err != nil {
			return err
		}
	}
	if !r.permission.AsksWho() {
		in := op.read(c)
		if r.class == signingIn { // the others need not know
			in.client = newClient(c, network)
		}
		return r.handler(c, in)
	}
	client := newClient(c, network)
	caller, byKey, err := a.authenticate(c, client)
	if err != nil {
		return err
	}
	if byKey.Most > 0 {
		if err := a.take(c, byKey, caller.Key); err != nil {
			return err
		}
	}
	// What costs much costs as much when a program asks for it.
	if caller.Account != "" || caller.Key != "" && r.class == exporting {
		if err := a.take(c, byAccount, cmp.Or(caller.Account, caller.Key)); err != nil {
			return err
		}
	}
	if err = r.permission.Admit(&caller); err == nil {
		in := op.read(c)
		in.client, in.caller, in.permission = client, caller, r.permission
		err = r.handler(c, in)
	}
	if refused(err) && (caller.Account != "" || caller.Key != "") {
		if auditErr := a.Auth.Refused(c.UserContext(), caller, r.operation, client); auditErr != nil {
			return auditErr
		}
	}
	return err
}

// refused tells the errors that the audit log has to have: a caller that is
// known may not do this.
func refused(err error) bool {
	var e *directory.Error
	return errors.As(err, &e) && (e.Kind == directory.Forbidden || e.What == directory.SecondFactorMissing)
}

// authenticate returns who makes a request, a stranger when it has no token, and for a
// department's key its own limit.
func (a *api) authenticate(c *fiber.Ctx, client auth.Client) (caller directory.Caller, byKey auth.Limit, err error) {
	header := c.Get(fiber.HeaderAuthorization)
	if header == "" {
		return caller, byKey, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller, byKey, &directory.Error{Kind: directory.Unauthenticated, What: "token"}
	}
	token = strings.TrimSpace(token)
	if !strings.HasPrefix(token, directory.APIKeyPrefix) {
		caller, err = a.Auth.Authenticate(c.UserContext(), token)
		return caller, byKey, err
	}
	k, err := a.Auth.AuthenticateKey(c.UserContext(), token, client)
	if err != nil {
		return caller, byKey, err
	}
	return k.Caller(), apiKeyLimit(&k), nil
}

// begin sets the headers that every answer has.
func (a *api) begin(c *fiber.Ctx) {
	id := c.Get(fiber.HeaderXRequestID)
	if !validRequestID(id) {
		id = rand.Text()[:16]
	}
	h := &c.Response().Header
	h.Set(fiber.HeaderXRequestID, id)
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderXFrameOptions, "DENY")
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	h.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	h.Set(fiber.HeaderCacheControl, "no-cache")
	h.Set(fiber.HeaderVary, "Accept-Encoding, Accept-Language")
	if a.DemoData() {
		h.Set("X-Demo-Data", "true")
	}
}

// validRequestID accepts ids that are safe in headers and logs.
func validRequestID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		b := id[i]
		if !(b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '.' || b == '_' || b == '-') {
			return false
		}
	}
	return true
}

// logRequest writes the path alone: a query may hold the caller's position.
func (a *api) logRequest(ctx context.Context, c *fiber.Ctx, r route, status int, took time.Duration) {
	if !a.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	a.Log.DebugContext(ctx, "request",
		"id", c.GetRespHeader(fiber.HeaderXRequestID), "operation", r.operation, "method", c.Method(), "path", c.Path(),
		"status", status, "bytes", len(c.Response().Body()), "took", took)
}

// minCompressed is the size in bytes below which an answer fits one network
// packet anyway.
const minCompressed = 1400

var compressor = fasthttp.CompressHandlerBrotliLevel(func(*fasthttp.RequestCtx) {},
	fasthttp.CompressBrotliBestSpeed, fasthttp.CompressBestSpeed)

// compress encodes a large answer with br or gzip when the client takes it. The
// encoded bytes are another representation, so the ETag becomes a weak one.
func compress(c *fiber.Ctx) {
	h := &c.Response().Header
	if len(c.Response().Body()) < minCompressed || len(h.ContentEncoding()) > 0 {
		return
	}
	compressor(c.Context())
	if etag := h.Peek(fiber.HeaderETag); len(etag) > 0 && etag[0] == '"' && len(h.ContentEncoding()) > 0 {
		h.Set(fiber.HeaderETag, "W/"+string(etag))
	}
}
