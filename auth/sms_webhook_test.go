package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

func newTestWebhook(t *testing.T, url string) *WebhookSender {
	t.Helper()
	s, err := NewWebhookSender(url, []byte(smsTestSecret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWebhookSender(t *testing.T) {
	type call struct {
		method, target, kind, signature string
		body                            []byte
	}
	var calls []call // the server answers after it has appended, and Send returns after that
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls = append(calls, call{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-Qingfu-Signature"), body})
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()

	secret := []byte(smsTestSecret)
	s, err := NewWebhookSender(server.URL+"/hook?tenant=1", secret)
	if err != nil {
		t.Fatal(err)
	}
	clear(secret) // the sender has its own
	s.Now = func() time.Time { return time.Unix(1780000000, 999) }
	s.Rand = strings.NewReader("0123456789abcdefghijklmnopqrstuv")
	for range 2 {
		if err := s.Send(t.Context(), smsMessage); err != nil {
			t.Fatal(err)
		}
	}
	if len(calls) != 2 {
		t.Fatal(len(calls), "calls")
	}
	for i, id := range []string{"0123456789abcdef", "ghijklmnopqrstuv"} {
		c := calls[i]
		if c.method != "POST" || c.target != "/hook?tenant=1" || c.kind != "application/json" {
			t.Error(c.method, c.target, c.kind)
		}
		var body map[string]any
		if err := json.Unmarshal(c.body, &body); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"phone": "13812345678", "code": "654321", "valid_seconds": 300.0, "id": hex.EncodeToString([]byte(id))}
		if !maps.Equal(body, want) {
			t.Errorf("body %v, not %v", body, want)
		}
		mac := hmac.New(sha256.New, []byte(smsTestSecret))
		mac.Write(append([]byte("1780000000."), c.body...))
		if want := "t=1780000000,v1=" + hex.EncodeToString(mac.Sum(nil)); c.signature != want {
			t.Errorf("signature %s, not %s", c.signature, want)
		}
	}

	// The source of ids has run dry.
	if err := s.Send(t.Context(), smsMessage); err == nil || directory.KindOf(err) != "" {
		t.Error("without randomness:", err)
	}
	if len(calls) != 2 {
		t.Error("sent without an id")
	}
}

func TestWebhookDefaults(t *testing.T) {
	var ids, times []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ID string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		ids = append(ids, body.ID)
		times = append(times, r.Header.Get("X-Qingfu-Signature"))
	}))
	defer server.Close()
	s := newTestWebhook(t, server.URL)
	for range 2 {
		if err := s.Send(t.Context(), smsMessage); err != nil {
			t.Fatal(err)
		}
	}
	if len(ids) != 2 || len(ids[0]) != 32 || len(ids[1]) != 32 || ids[0] == ids[1] {
		t.Error("ids", ids)
	}
	if slices.ContainsFunc(times, func(s string) bool { return !strings.HasPrefix(s, "t=1") || strings.HasPrefix(s, "t=1,") }) {
		t.Error("times", times)
	}
}

func TestWebhookFailures(t *testing.T) {
	testSMSFailures(t, func(t *testing.T, url string) Sender {
		return newTestWebhook(t, url+"/"+smsTestSecret+"?key="+smsTestSecret)
	})
}

func TestWebhookLongAnswer(t *testing.T) {
	const tooMuch = 64 << 20 // more than the buffers of a connection hold
	cut := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for range tooMuch / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				cut <- true
				return
			}
		}
		cut <- false
	}))
	defer server.Close()
	if err := newTestWebhook(t, server.URL).Send(t.Context(), smsMessage); err != nil {
		t.Error(err)
	}
	if !<-cut {
		t.Error("the whole answer was read")
	}
}

func TestNewWebhookSenderRefuses(t *testing.T) {
	for _, tt := range []struct{ url, secret, want string }{
		{"http://sms.example.com/hunter2", smsTestSecret, "https"},
		{"https://me:hunter2@sms.example.com/", smsTestSecret, "password"},
		{"https://sms.example.com/#hunter2", smsTestSecret, "fragment"},
		{"://hunter2", smsTestSecret, "URL"},
		{"https://sms.example.com/", "", "16"},
		{"https://sms.example.com/", "hunter2-15bytes", "16"},
	} {
		_, err := NewWebhookSender(tt.url, []byte(tt.secret))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q, %q: %v", tt.url, tt.secret, err)
		}
	}
	if _, err := NewWebhookSender("https://sms.example.com/", []byte("sixteen-bytes-ok")); err != nil {
		t.Error(err)
	}
}
