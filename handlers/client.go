package handlers

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
)

// newClient tells where a request comes from.
func newClient(c *fiber.Ctx, network string) auth.Client {
	device := c.Get("X-Device-ID")
	if !validRequestID(device) {
		device = ""
	}
	return auth.Client{
		Network:   network,
		Device:    device,
		Label:     deviceLabel(c.Get(fiber.HeaderUserAgent)),
		RequestID: c.GetRespHeader(fiber.HeaderXRequestID),
	}
}

// deviceLabel is as much of a User-Agent as a list of sessions shows.
func deviceLabel(userAgent string) string {
	label := []rune(strings.Map(controlToSpace, strings.ToValidUTF8(userAgent, "")))
	return string(label[:min(len(label), 120)])
}

// network returns the client's address, or the /64 of an IPv6 one, of which
// everybody has more than can be counted.
func (a *api) network(c *fiber.Ctx) string {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return "unknown"
	}
	addr := peer.Unmap()
	if len(a.TrustedProxies) > 0 {
		addr = a.forwarded(c, addr)
	}
	if addr.Is6() {
		prefix, err := addr.WithZone("").Prefix(64)
		if err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}

// forwarded follows X-Forwarded-For from the peer backwards for as long as the
// addresses are those of our own proxies. The first that is not is the client;
// what stands before it was written by the client itself.
func (a *api) forwarded(c *fiber.Ctx, addr netip.Addr) netip.Addr {
	var hops []string
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		hops = append(hops, strings.Split(string(line), ",")...)
	}
	for _, hop := range slices.Backward(hops) {
		if !a.trusted(addr) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // a proxy of ours writes addresses
		}
		addr = before.Unmap()
	}
	return addr
}

func (a *api) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(a.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
