package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"qingfu/directory"
)

// Message is one text message with a one-time code.
type Message struct {
	Phone    string        // 11 digits, mainland mobile number
	Code     string        // 6 digits
	ValidFor time.Duration // how long the code can be used
}

// Sender sends one-time codes by text message. It may be used by several
// goroutines at the same time.
type Sender interface {
	// Send hands the message to the provider, once: it never tries again by
	// itself, because that could send two messages. It gives up after five
	// seconds or when ctx ends. After an error the message may still arrive.
	//
	// It returns a directory.Error: Unavailable when the provider cannot be
	// reached or refuses or ctx ends, RateLimited when the provider says that
	// this number has had too many messages, and Invalid when it says that there
	// is no such number. The text of an error never holds the number, the code
	// or a secret.
	Send(ctx context.Context, m Message) error
}

// LogSender writes codes to the log instead of sending them. It is for
// development only: whoever reads the log can sign in as anybody.
type LogSender struct {
	log *slog.Logger
}

var _ Sender = (*LogSender)(nil)

// NewLogSender makes a sender that writes to log.
func NewLogSender(log *slog.Logger) *LogSender { return &LogSender{log} }

// Send implements Sender. It never fails.
func (s *LogSender) Send(ctx context.Context, m Message) error {
	s.log.WarnContext(ctx, "one-time code, not sent: this sender is for development only",
		"phone", directory.MaskPhone(m.Phone), "code", m.Code, "valid_for", m.ValidFor)
	return nil
}

const (
	smsTimeout   = 5 * time.Second // for a whole call, from connecting to the last byte of the answer
	smsMaxAnswer = 64 << 10        // bytes of an answer that are read
)

// smsFault is an error text of our own, which is therefore free of secrets.
type smsFault string

func (f smsFault) Error() string { return string(f) }

// smsClient makes the HTTP client of a sender. It follows no redirect, as that
// would give the code to somebody else or send it twice.
func smsClient() *http.Client {
	return &http.Client{
		Timeout: smsTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 4,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// smsURL reads the address of a provider: https, or http on this machine. Its
// errors do not repeat the address, which can hold a password.
func smsURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("is not a URL with a host")
	case u.User != nil:
		return nil, errors.New("has a user name or password in it")
	case strings.Contains(raw, "#"):
		return nil, errors.New("has a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !smsLoopback(u.Hostname())):
		return nil, errors.New("is not https (http is for a loopback address only)")
	}
	return u, nil
}

func smsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}

// errMaybeSent is in the chain of an error of a Sender whose provider may have
// taken the message all the same: it was reached, but did not say no.
var errMaybeSent = errors.New("the message may have been sent")

// smsUnavailable explains why a call of the named provider failed.
func smsUnavailable(ctx context.Context, provider string, err error) error {
	cause := smsCause(ctx, err)
	var refused smsFault
	var network *net.OpError
	if errors.As(err, &refused) || errors.As(err, &network) && network.Op == "dial" {
		cause = fmt.Errorf("%s: %w", provider, cause)
	} else {
		cause = fmt.Errorf("%s: %w; %w", provider, cause, errMaybeSent)
	}
	return &directory.Error{Kind: directory.Unavailable, What: "sms", Cause: cause}
}

// smsCause keeps what is safe to log of a transport error. An *url.Error
// repeats the URL, and several errors of net/http quote what the server sent,
// so only kinds that do neither keep their text.
func smsCause(ctx context.Context, err error) error {
	var (
		fault       smsFault
		network     *net.OpError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &fault):
		return fault
	case errors.Is(err, context.DeadlineExceeded):
		return smsFault(fmt.Sprintf("no answer within %v", smsTimeout))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return smsFault("the connection was closed before the whole answer came")
	case errors.As(err, &network):
		return network
	case errors.As(err, &certificate):
		return certificate
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return smsFault(fmt.Sprintf("the call failed (%T)", err))
}
