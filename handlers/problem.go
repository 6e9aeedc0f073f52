package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"qingfu/directory"
)

// problem is the body of every error (RFC 9457).
type problem struct {
	Type      string                 `json:"type"`
	Title     string                 `json:"title"`
	Status    int                    `json:"status"`
	Detail    string                 `json:"detail,omitempty"`
	Instance  string                 `json:"instance"`
	Code      string                 `json:"code"`
	Errors    []directory.FieldError `json:"errors,omitempty"`
	RequestID string                 `json:"request_id"`
}

// statuses maps the domain's kinds of error to HTTP, here and nowhere else.
var statuses = map[directory.ErrorKind]int{
	directory.Invalid:         fiber.StatusBadRequest,
	directory.Unauthenticated: fiber.StatusUnauthorized,
	directory.Forbidden:       fiber.StatusForbidden,
	directory.NotFound:        fiber.StatusNotFound,
	directory.Conflict:        fiber.StatusConflict,
	directory.Precondition:    fiber.StatusPreconditionFailed,
	directory.RateLimited:     fiber.StatusTooManyRequests,
	directory.Unavailable:     fiber.StatusServiceUnavailable,
}

// transportCodes names the errors of HTTP itself.
var transportCodes = map[int]string{
	fiber.StatusBadRequest:                  "bad_request",
	fiber.StatusNotFound:                    string(directory.NotFound),
	fiber.StatusMethodNotAllowed:            "method_not_allowed",
	fiber.StatusRequestTimeout:              "request_timeout",
	fiber.StatusRequestEntityTooLarge:       "body_too_large",
	fiber.StatusRequestURITooLong:           "uri_too_long",
	fiber.StatusUnsupportedMediaType:        "unsupported_media_type",
	fiber.StatusPreconditionRequired:        "precondition_required",
	fiber.StatusRequestHeaderFieldsTooLarge: "headers_too_large",
}

// retryAfter is how many seconds a client waits when an engine is away.
const retryAfter = "5"

// fail answers an error. The text of an internal one goes to the log alone. It
// always returns nil; the result is for Fiber, which calls it too.
func (a *api) fail(c *fiber.Ctx, err error) error {
	lang := messageLanguage(c)
	p := problem{
		Status:    fiber.StatusInternalServerError,
		Code:      codeInternal,
		Instance:  c.Path(),
		RequestID: c.GetRespHeader(fiber.HeaderXRequestID),
	}
	var known *directory.Error
	var transport *fiber.Error
	switch {
	case errors.As(err, &known):
		p.Status, p.Code = statuses[known.Kind], string(known.Kind)
		p.Errors = explainFields(known.Fields, lang)
		p.Detail = detail(known, lang)
	case errors.Is(err, context.DeadlineExceeded):
		p.Status, p.Code = fiber.StatusServiceUnavailable, string(directory.Unavailable)
	case errors.As(err, &transport) && transportCodes[transport.Code] != "":
		p.Status, p.Code = transport.Code, transportCodes[transport.Code]
	}
	p.Title = titles[p.Code].in(lang)
	p.Type = "/docs/problems.html#" + p.Code

	h := &c.Response().Header
	switch {
	case p.Code == codeInternal:
		a.Log.ErrorContext(c.UserContext(), "request failed", "id", p.RequestID, "path", p.Instance, "error", err)
	case p.Status == fiber.StatusUnauthorized:
		h.Set(fiber.HeaderWWWAuthenticate, challenge(known))
	case p.Status == fiber.StatusTooManyRequests:
		h.Set(fiber.HeaderRetryAfter, seconds(known.RetryAfter))
	case p.Status == fiber.StatusServiceUnavailable:
		if others, ok := a.refusals.turn(a.Now()); ok {
			a.Log.WarnContext(c.UserContext(), "request refused", "id", p.RequestID, "path", p.Instance, "error", err, "others_before", others)
		}
		h.Set(fiber.HeaderRetryAfter, retryAfter)
	}
	body, err := json.Marshal(p)
	if err != nil { // cannot happen: the problem holds strings and numbers
		body = []byte("{}")
	}
	h.Del(fiber.HeaderETag)
	h.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().ResetBody()
	c.Status(p.Status)
	h.SetContentType("application/problem+json")
	return c.Send(body)
}

// refusalLog lets one line a second through about requests that were refused because
// something is away, which then is so for all of them.
type refusalLog struct {
	mu     sync.Mutex
	last   time.Time
	silent int // since the last line
}

// turn tells whether there may be a line now, and how many there were none for before.
func (l *refusalLog) turn(now time.Time) (silent int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.last); since >= 0 && since < time.Second {
		l.silent++
		return 0, false
	}
	silent, l.silent, l.last = l.silent, 0, now
	return silent, true
}

// challenge says what a client has to do to be let in (RFC 6750, 3; RFC 9470, 3).
func challenge(e *directory.Error) string {
	switch e.What {
	case directory.SecondFactorMissing:
		return `Bearer error="insufficient_user_authentication", error_description="a second factor is needed"`
	case "token", "api_key", "api_key_expired", "api_key_revoked":
		return `Bearer error="invalid_token"`
	default:
		return "Bearer"
	}
}

// explainFields writes the message of each wrong field.
func explainFields(fields []directory.FieldError, lang string) []directory.FieldError {
	out := make([]directory.FieldError, len(fields))
	for i, f := range fields {
		f.Message = fieldMessage(f, lang)
		out[i] = f
	}
	return out
}

// readError names what went wrong before a request could be read. fasthttp says
// that its buffer is full but not whether by the URL or by the headers; its text
// quotes the beginning, in which a line break ends the URL.
func readError(err error) error {
	var full *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &full) && strings.Contains(err.Error(), `\r\n`):
		return fiber.ErrRequestHeaderFieldsTooLarge
	case errors.As(err, &full):
		return fiber.ErrRequestURITooLong
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return fiber.ErrRequestEntityTooLarge
	case isTimeout(err):
		return fiber.ErrRequestTimeout
	default:
		return fiber.ErrBadRequest
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
