package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"qingfu/directory"
)

var smsMessage = Message{Phone: "13812345678", Code: "654321", ValidFor: 5 * time.Minute}

const (
	smsTestKey    = "LTAI-test-key-id"
	smsTestSecret = "0123456789abcdef-a-secret"
)

func TestLogSender(t *testing.T) {
	var out bytes.Buffer
	s := NewLogSender(slog.New(slog.NewTextHandler(&out, nil)))
	if err := s.Send(t.Context(), smsMessage); err != nil {
		t.Fatal(err)
	}
	line := out.String()
	for _, want := range []string{"level=WARN", "phone=138****5678", "code=654321", "valid_for=5m0s", "development only"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in %s", want, line)
		}
	}
	if strings.Contains(line, smsMessage.Phone) {
		t.Error("the log shows the number:", line)
	}
}

func TestSMSURL(t *testing.T) {
	for raw, ok := range map[string]bool{
		"https://sms.example.com":            true,
		"https://sms.example.com:8443/a?b=c": true,
		"HTTPS://sms.example.com":            true,
		"http://localhost:80/a":              true,
		"http://LOCALHOST/a":                 true,
		"http://127.0.0.1/a":                 true,
		"http://127.8.9.10:1/a":              true,
		"http://[::1]:8080/a":                true,

		"":                                   false,
		"sms.example.com":                    false,
		"/a":                                 false,
		"https:sms.example.com":              false,
		"https://":                           false,
		"https://:443/a":                     false,
		"ftp://127.0.0.1/a":                  false,
		"http://sms.example.com/a":           false,
		"http://localhost.example.com/a":     false,
		"http://127.0.0.1.example.com/a":     false,
		"http://128.0.0.1/a":                 false,
		"http://10.0.0.1/a":                  false,
		"http://[::2]/a":                     false,
		"http://0.0.0.0/a":                   false,
		"https://me@sms.example.com/":        false,
		"https://me:hunter2@sms.example.com": false,
		"http://localhost@evil.example.com":  false,
		"https://sms.example.com/#":          false,
		"https://sms.example.com/#part":      false,
		"https://sms.example.com:hunter2/":   false,
		"https://sms.example.com/%zzhunter2": false,
	} {
		_, err := smsURL(raw)
		if (err == nil) != ok {
			t.Errorf("%q: %v", raw, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error repeats the password: %v", raw, err)
		}
	}
}

// smsHijack answers with raw bytes in place of an HTTP answer.
func smsHijack(t *testing.T, w http.ResponseWriter, answer string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	io.WriteString(conn, answer)
}

// testSMSFailures holds a sender against servers that fail and repeat what they
// know. Every failure is Unavailable, is tried once, and gives nothing away.
func testSMSFailures(t *testing.T, make func(t *testing.T, url string) Sender) {
	known := strings.Join([]string{smsMessage.Phone, "+86 " + smsMessage.Phone, smsMessage.Code, smsTestKey, smsTestSecret}, " ")
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   string // in the error
	}{
		{"500 and text", func(w http.ResponseWriter, r *http.Request) { http.Error(w, known, 500) }, "status 500"},
		{"502 and nothing", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }, "status 502"},
		{"404", http.NotFound, "status 404"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}, "status 307"},
		{"redirect nowhere", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://["+known)
			w.WriteHeader(302)
		}, "the call failed"},
		{"not HTTP", func(w http.ResponseWriter, r *http.Request) { smsHijack(t, w, known+"\r\n\r\n") }, "the call failed"},
		{"bad header", func(w http.ResponseWriter, r *http.Request) {
			smsHijack(t, w, "HTTP/1.1 200 OK\r\n"+known+"\r\n\r\n")
		}, "the call failed"},
		{"half an answer", func(w http.ResponseWriter, r *http.Request) {
			smsHijack(t, w, "HTTP/1.1 500 OK\r\nContent-Length: 1000\r\n\r\n"+known)
		}, ""},
		{"nothing", func(w http.ResponseWriter, r *http.Request) { smsHijack(t, w, "") }, "closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				io.Copy(io.Discard, r.Body)
				tt.answer(w, r)
			}))
			defer server.Close()
			err := make(t, server.URL).Send(t.Context(), smsMessage)
			checkSMSError(t, err, directory.Unavailable, tt.want)
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}

	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		err := make(t, server.URL).Send(t.Context(), smsMessage)
		checkSMSError(t, err, directory.Unavailable, "refused")
	})

	t.Run("ctx ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server := httptest.NewServer(smsSilent(cancel))
		defer server.Close()
		err := make(t, server.URL).Send(ctx, smsMessage)
		checkSMSError(t, err, directory.Unavailable, "context canceled")
		if !errors.Is(err, context.Canceled) {
			t.Error("not context.Canceled:", err)
		}
	})

	t.Run("ctx has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
		defer server.Close()
		checkSMSError(t, make(t, server.URL).Send(ctx, smsMessage), directory.Unavailable, "context canceled")
	})

	t.Run("slow", func(t *testing.T) {
		server := httptest.NewServer(smsSilent(func() {}))
		defer server.Close()
		s := make(t, server.URL)
		client := smsClientOf(s)
		if client.Timeout != 5*time.Second {
			t.Error("timeout", client.Timeout)
		}
		client.Timeout = 20 * time.Millisecond // in place of waiting for the five seconds
		checkSMSError(t, s.Send(t.Context(), smsMessage), directory.Unavailable, "no answer within")
	})
}

// smsSilent calls began and answers nothing until the caller hangs up.
func smsSilent(began func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the server sees the end of a connection only after the body
		began()
		<-r.Context().Done()
	})
}

func smsClientOf(s Sender) *http.Client {
	if a, ok := s.(*AliyunSender); ok {
		return a.http
	}
	return s.(*WebhookSender).client
}

// checkSMSError checks the kind of an error and part of its text, and that no
// secret is in it.
func checkSMSError(t *testing.T, err error, kind directory.ErrorKind, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := directory.KindOf(err); got != kind {
		t.Errorf("kind %q, not %q: %v", got, kind, err)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("no %q in: %v", want, err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range []string{smsMessage.Phone, smsMessage.Code, smsTestKey, smsTestSecret} {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("the error gives %q away: %v", secret, e)
			}
		}
	}
}
