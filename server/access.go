package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"qingfu/auth"
	"qingfu/seed"
	"qingfu/store"
)

// keySettings say where the keys are that protect personal data.
type keySettings struct {
	Keys    string `env:"QINGFU_KEYS" placeholder:"JSON" help:"Keys that protect personal data, as JSON, instead of a key file."`
	KeyFile string `env:"QINGFU_KEY_FILE" type:"path" placeholder:"FILE" help:"File of these keys; made when it is not there. By default keys.json in the data folder."`
}

// open reads the keys of a store. They are made in a file when the store is new;
// for one that has data, others would be of no use.
func (s *keySettings) open(ctx context.Context, st *store.Store, dataDir string) (*auth.Keyring, error) {
	if s.Keys != "" {
		if s.KeyFile != "" {
			return nil, errors.New("QINGFU_KEYS and QINGFU_KEY_FILE are both set: unset one")
		}
		k, err := auth.ParseKeyring([]byte(s.Keys))
		if err != nil {
			return nil, fmt.Errorf("QINGFU_KEYS: %w", err)
		}
		return k, nil
	}
	path := s.KeyFile
	if path == "" {
		path = filepath.Join(dataDir, "keys.json")
	}
	keyed, err := auth.Keyed(ctx, st)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); keyed && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key file %s is missing, and without it the personal data cannot be read: put it back", path)
	}
	return auth.OpenKeyFile(path, rand.Reader)
}

// signInSettings are the settings of signing in that only a server needs.
type signInSettings struct {
	keySettings
	PublicURL      string         `name:"public-url" env:"QINGFU_PUBLIC_URL" default:"http://localhost:8080" help:"Address under which users reach the server; tokens name it as their issuer."`
	TrustedProxies []netip.Prefix `name:"trusted-proxies" env:"QINGFU_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of the proxies in front, whose X-Forwarded-For is believed."`
	ReadLimit      int64          `name:"read-limit" env:"QINGFU_READ_LIMIT" default:"6000" help:"Most reads a minute from one network; 0 for no limit."`

	SMS           string `name:"sms" env:"QINGFU_SMS" default:"log" enum:"log,webhook,aliyun" help:"How sign-in codes are sent: log (for development), webhook or aliyun."`
	SMSPerHour    int64  `name:"sms-per-hour" env:"QINGFU_SMS_PER_HOUR" default:"1000" help:"Most text messages an hour, to all phones together."`
	WebhookURL    string `name:"sms-webhook-url" env:"QINGFU_SMS_WEBHOOK_URL" placeholder:"URL" help:"For webhook: where messages are posted, over HTTPS."`
	WebhookSecret string `name:"sms-webhook-secret" env:"QINGFU_SMS_WEBHOOK_SECRET" placeholder:"SECRET" help:"For webhook: the secret that signs them, at least 16 bytes."`
	AliyunKeyID   string `name:"sms-aliyun-key-id" env:"QINGFU_SMS_ALIYUN_KEY_ID" placeholder:"ID" help:"For aliyun: the access key."`
	AliyunSecret  string `name:"sms-aliyun-key-secret" env:"QINGFU_SMS_ALIYUN_KEY_SECRET" placeholder:"SECRET" help:"For aliyun: its secret."`
	AliyunSign    string `name:"sms-aliyun-sign" env:"QINGFU_SMS_ALIYUN_SIGN" placeholder:"NAME" help:"For aliyun: the signature (短信签名)."`
	AliyunForm    string `name:"sms-aliyun-template" env:"QINGFU_SMS_ALIYUN_TEMPLATE" placeholder:"CODE" help:"For aliyun: the template, with a parameter code."`
	AliyunURL     string `name:"sms-aliyun-endpoint" env:"QINGFU_SMS_ALIYUN_ENDPOINT" placeholder:"HOST" help:"For aliyun: the endpoint, when it is not the public one."`
}

// check refuses settings that cannot be meant.
func (s *signInSettings) check() error {
	u, err := url.Parse(s.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(s.PublicURL, "?#") {
		return fmt.Errorf("QINGFU_PUBLIC_URL %q is not of the form https://HOST", s.PublicURL)
	}
	for _, p := range s.TrustedProxies {
		if p.Bits() == 0 {
			return fmt.Errorf("QINGFU_TRUSTED_PROXIES %s is everybody, who could then claim any address", p)
		}
	}
	if s.ReadLimit < 0 {
		return fmt.Errorf("QINGFU_READ_LIMIT %d: the number cannot be negative", s.ReadLimit)
	}
	if s.SMSPerHour < 1 {
		return fmt.Errorf("QINGFU_SMS_PER_HOUR %d: without a message nobody can sign in", s.SMSPerHour)
	}
	return nil
}

// developmentDefaults lists the settings that must not stay as they are in
// production, each with what to do.
func (s *signInSettings) developmentDefaults(dataDir string) (list []string) {
	if s.SMS == "log" {
		list = append(list, "QINGFU_SMS is log, which writes sign-in codes to the log: set webhook or aliyun")
	}
	if !strings.HasPrefix(s.PublicURL, "https://") {
		list = append(list, "QINGFU_PUBLIC_URL is "+s.PublicURL+": set the https address of the server")
	}
	if within, err := filepath.Rel(dataDir, s.KeyFile); s.Keys == "" && (s.KeyFile == "" || err == nil && filepath.IsLocal(within)) {
		list = append(list, "QINGFU_KEYS and QINGFU_KEY_FILE are not set to a place outside the data folder, so that the keys lie beside the data that they protect: set one")
	}
	if len(s.TrustedProxies) == 0 {
		list = append(list, "QINGFU_TRUSTED_PROXIES is not set, so that everybody counts as the proxy in front that speaks https: set its network")
	}
	return list
}

// sender makes what sends text messages.
func (s *signInSettings) sender(log *slog.Logger) (auth.Sender, error) {
	switch s.SMS {
	case "webhook":
		sender, err := auth.NewWebhookSender(s.WebhookURL, []byte(s.WebhookSecret))
		if err != nil {
			return nil, fmt.Errorf("QINGFU_SMS_WEBHOOK_URL, QINGFU_SMS_WEBHOOK_SECRET: %w", err)
		}
		return sender, nil
	case "aliyun":
		sender, err := auth.NewAliyunSender(auth.AliyunConfig{
			AccessKeyID: s.AliyunKeyID, AccessKeySecret: s.AliyunSecret, Endpoint: s.AliyunURL, SignName: s.AliyunSign, TemplateCode: s.AliyunForm,
		})
		if err != nil {
			return nil, fmt.Errorf("QINGFU_SMS_ALIYUN_…: %w", err)
		}
		return sender, nil
	default:
		return auth.NewLogSender(log), nil
	}
}

// newAuth opens signing in for a server.
func (s *signInSettings) newAuth(ctx context.Context, data *dataSettings, st *store.Store, log *slog.Logger) (*auth.Auth, error) {
	keys, err := s.open(ctx, st, data.DataDir)
	if err != nil {
		return nil, err
	}
	sender, err := s.sender(log)
	if err != nil {
		return nil, err
	}
	shared := st.Windows
	if data.MongodbURI == "" {
		shared = nil // a server of its own, whose searches need not wait for a disk
	}
	return auth.New(ctx, auth.Config{
		Store: st, Keys: keys, Sender: sender, Limiter: auth.NewLimiter(time.Now, shared), Log: log, Now: time.Now, Random: rand.Reader,
		Issuer: strings.TrimSuffix(s.PublicURL, "/"), SMSPerHour: s.SMSPerHour, Demo: s.demoAccounts(data),
	})
}

// demoAccounts tells whether demonstration accounts may sign in: not where codes
// leave the house, because nobody has their phones.
func (s *signInSettings) demoAccounts(data *dataSettings) bool {
	return !data.production() && s.SMS == "log"
}

// withAuth runs a command of an operator on the accounts of the data folder.
func (s *keySettings) withAuth(ctx context.Context, data *dataSettings, con *console, do func(*auth.Auth) error) (err error) {
	st, closer, err := data.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	a, err := s.commandAuth(ctx, data, st, data.logger(con.err))
	if err != nil {
		return err
	}
	return do(a)
}

// commandAuth opens signing in for a command, which sends and signs nothing.
func (s *keySettings) commandAuth(ctx context.Context, data *dataSettings, st *store.Store, log *slog.Logger) (*auth.Auth, error) {
	keys, err := s.open(ctx, st, data.DataDir)
	if err != nil {
		return nil, err
	}
	return auth.New(ctx, auth.Config{
		Store: st, Keys: keys, Sender: auth.NewLogSender(log), Limiter: auth.NewLimiter(time.Now, nil), Log: log, Now: time.Now, Random: rand.Reader,
		Demo: !data.production(),
	})
}

// showDemoAccounts says at the start how to sign in as somebody.
func showDemoAccounts(log *slog.Logger) {
	for _, account := range seed.DemoAccounts() {
		args := []any{"phone", account.Phone, "name", account.Name}
		if account.Secret != "" {
			args = append(args, "authenticator", account.Secret)
		}
		log.Info("demonstration account", args...)
	}
}
