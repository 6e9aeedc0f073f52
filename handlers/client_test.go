package handlers

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestNetwork(t *testing.T) {
	app := newFixture(t, nil).app
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tc := range []struct {
		name    string
		trusted []netip.Prefix
		peer    string
		headers []string // X-Forwarded-For, a line each
		want    string
	}{
		{"direct", nil, "203.0.113.9", nil, "203.0.113.9"},
		{"direct over IPv6", nil, "2001:db8:1:2:3:4:5:6", nil, "2001:db8:1:2::/64"},
		{"IPv4 in IPv6", nil, "::ffff:203.0.113.9", nil, "203.0.113.9"},
		{"nobody is trusted", nil, "10.0.0.1", []string{"198.51.100.7"}, "10.0.0.1"},
		{"a client that says it was forwarded", proxies, "203.0.113.9", []string{"198.51.100.7"}, "203.0.113.9"},
		{"one proxy", proxies, "10.0.0.1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"two proxies", proxies, "10.0.0.1", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"a client that invents hops", proxies, "10.0.0.1", []string{"1.2.3.4, 10.0.0.9, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"a client that invents a line", proxies, "10.0.0.1", []string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9"},
		{"a proxy that says nothing", proxies, "10.0.0.1", nil, "10.0.0.1"},
		{"garbage", proxies, "10.0.0.1", []string{"203.0.113.9, <script>"}, "10.0.0.1"},
		{"a port is no address", proxies, "10.0.0.1", []string{"203.0.113.9:443"}, "10.0.0.1"},
		{"only proxies", proxies, "10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"IPv6 behind a proxy", proxies, "fd00::1", []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"},
		{"a zone is nobody's address", proxies, "10.0.0.1", []string{"fe80::1%eth0"}, "fe80::/64"},
	} {
		f := &api{Config: Config{TrustedProxies: tc.trusted}}
		ctx := &fasthttp.RequestCtx{}
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(tc.peer), Port: 4711}, nil)
		for _, line := range tc.headers {
			ctx.Request.Header.Add("X-Forwarded-For", line)
		}
		for _, other := range []string{"X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"} {
			ctx.Request.Header.Set(other, "1.2.3.4") // of no effect
		}
		c := app.AcquireCtx(ctx)
		if got := f.network(c); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		app.ReleaseCtx(c)
	}
}

func TestDeviceLabel(t *testing.T) {
	for header, want := range map[string]string{
		"":                       "",
		"Qingfu/1.2 (Android 9)": "Qingfu/1.2 (Android 9)",
		"a\x00b\x7f":             "a b ",
		"汉\xff":                  "汉",
		strings.Repeat("汉", 200): strings.Repeat("汉", 120),
	} {
		if got := deviceLabel(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
