package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// webhookMinSecret is the least length of a secret in bytes.
const webhookMinSecret = 16

// WebhookSender posts messages to a server of the operator, which sends them.
//
// The body is JSON:
//
//	{"phone": "13812345678", "code": "123456", "valid_seconds": 300, "id": "…"}
//
// and the header X-Qingfu-Signature is
//
//	t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>" with the secret>
//
// The receiver should refuse a t that is minutes away from its own clock, and
// drop an id that it has seen. Any 2xx answer means that it took the message;
// what else the answer says is ignored.
type WebhookSender struct {
	// Now and Rand are the clock for the signature and the source of the ids,
	// time.Now and crypto/rand unless they are set before the first Send. Both
	// are used by several goroutines at the same time.
	Now  func() time.Time
	Rand io.Reader

	url, host string
	secret    []byte
	client    *http.Client
}

var _ Sender = (*WebhookSender)(nil)

// NewWebhookSender makes a sender that posts to url, which is https, or http on
// a loopback address, without user name and fragment. The secret has at least
// 16 bytes. The errors repeat neither.
func NewWebhookSender(url string, secret []byte) (*WebhookSender, error) {
	u, err := smsURL(url)
	if err != nil {
		return nil, fmt.Errorf("the webhook address %w", err)
	}
	if len(secret) < webhookMinSecret {
		return nil, fmt.Errorf("the webhook secret is shorter than %d bytes", webhookMinSecret)
	}
	return &WebhookSender{
		Now: time.Now, Rand: rand.Reader,
		url: u.String(), host: u.Host, secret: bytes.Clone(secret), client: smsClient(),
	}, nil
}

// Send implements Sender. Its errors are Unavailable, or internal when Rand fails.
func (s *WebhookSender) Send(ctx context.Context, m Message) error {
	var id [16]byte
	if _, err := io.ReadFull(s.Rand, id[:]); err != nil {
		return fmt.Errorf("webhook: random id: %w", err)
	}
	body, err := json.Marshal(map[string]any{
		"phone":         m.Phone,
		"code":          m.Code,
		"valid_seconds": int64(m.ValidFor / time.Second),
		"id":            hex.EncodeToString(id[:]),
	})
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	if err := s.post(ctx, body); err != nil {
		// A path can be a secret too, so the host is all that is said of the address.
		return smsUnavailable(ctx, "webhook "+s.host, err)
	}
	return nil
}

// post sends a signed body. Its errors are not fit for a log.
func (s *WebhookSender) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	t := s.Now().Unix()
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%d.%s", t, body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Qingfu-Signature", fmt.Sprintf("t=%d,v1=%x", t, mac.Sum(nil)))
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	// A connection whose answer has been read can be used again; one with an
	// answer longer than this is better closed.
	io.CopyN(io.Discard, res.Body, smsMaxAnswer)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return smsFault(fmt.Sprintf("status %d", res.StatusCode))
	}
	return nil
}
