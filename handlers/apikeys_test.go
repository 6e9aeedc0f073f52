package handlers

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

func TestAPIKeysFromStartToFinish(t *testing.T) {
	f := newFixture(t, nil)
	w := walk{f, t, f.as(t, official)}
	w.want(w.step(400, "POST", "/v1/api-keys", `{"name":"\u200b","bureau":"police","region":"639999","expires_at":"2030-01-01T00:00:00Z","rate":0,"powers":["review"]}`),
		map[string]any{"errors.#": 6.0})
	w.want(w.step(400, "POST", "/v1/api-keys", `{"name":"数据平台","bureau":"civil_affairs","region":"630222","expires_at":"2026-11-23T03:00:00Z"}`),
		map[string]any{"errors.#": 1.0, "errors.0.pointer": "/expires_at", "errors.0.code": "too_small"})
	made := w.step(201, "POST", "/v1/api-keys", `{"name":"省发改委数据平台","bureau":"civil_affairs","region":"630222","expires_at":"2027-11-23T00:00:00+08:00","rate":3}`)
	w.want(made, map[string]any{"key": "*", "state": "active", "rate": 3.0, "bureau.name": "民政", "region.name": "民和回族土族自治县", "used_at": nil, "expires_at": "2027-11-22T16:00:00Z"})
	id, _ := textOf(made, "id")
	key, _ := textOf(made, "key")
	program := walk{f, t, []string{"Authorization", "Bearer " + key}}

	program.want(program.step(200, "GET", "/v1/api-keys:current?lang=en", ""), map[string]any{
		"id": id, "name": "省发改委数据平台", "bureau.name": "Civil affairs", "region.code": "630222", "rate": 3.0, "expires_at": "2027-11-22T16:00:00Z",
	})
	program.step(403, "GET", "/v1/me", "")
	a := f.get(t, "/v1/audit", program.bearer...)
	if a.StatusCode != 403 || a.Header.Get("RateLimit-Limit") != "3" || a.Header.Get("RateLimit-Remaining") != "0" {
		t.Errorf("what keys may not do: %d, %v", a.StatusCode, a.Header)
	}
	a = f.get(t, "/v1/api-keys:current", program.bearer...)
	if a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth request of a minute: %d %s", a.StatusCode, a.body)
	}
	program.step(200, "GET", "/v1/listings?limit=1", "") // everybody's: nobody asks for a key
	f.clock.Advance(2 * time.Minute)
	program.step(200, "GET", "/v1/api-keys:current", "")

	list := w.step(200, "GET", "/v1/api-keys?region=630222&limit=1", "")
	w.want(list, map[string]any{"items.#": 1.0, "items.0.id": id, "items.0.used_at": "*", "items.0.state": "active"})
	if _, shown := member(list, "items.0.key"); shown {
		t.Error("the key is shown again")
	}
	w.step(404, "DELETE", "/v1/api-keys/01a192b0-7400-7000-8000-0000000000ee", "")
	w.step(204, "DELETE", "/v1/api-keys/"+id, "")
	w.step(204, "DELETE", "/v1/api-keys/"+id, "")
	w.want(w.step(200, "GET", "/v1/api-keys?region=630222&limit=1", ""), map[string]any{"items.0.state": "revoked", "items.0.revoked_at": "*", "items.0.revoked_by": "*"})
	w.step(403, "GET", "/v1/api-keys:current", "") // which is for keys

	for what, tt := range map[string]struct{ token, detail string }{
		"revoked":        {key, "密钥已被撤销。"},
		"wrong checksum": {key[:len(key)-1] + string(key[len(key)-1]^1), "密钥无效，请核对是否完整。"},
		"half of it":     {key[:20], "密钥无效，请核对是否完整。"},
	} {
		a := f.get(t, "/v1/api-keys:current", "Authorization", "Bearer "+tt.token)
		if a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") || !strings.Contains(string(a.body), tt.detail) {
			t.Errorf("%s: %d %q %s", what, a.StatusCode, a.Header.Get("WWW-Authenticate"), a.body)
		}
	}

	// The officials of its region see what was done with it.
	var of []string
	for _, e := range decode[struct {
		Items []struct{ Action, Actor, Subject, Operation, Detail, Region, Network string }
	}](t, f.get(t, "/v1/audit?region=630222&limit=100", w.bearer...)).Items {
		if e.Subject != id {
			continue
		}
		of = append(of, strings.TrimSpace(e.Action+" "+e.Detail+e.Operation))
		if e.Region != "630222" || e.Network == "" || (e.Actor != "") != (e.Action == "api_key") {
			t.Errorf("line %+v", e)
		}
	}
	slices.Sort(of)
	if got := strings.Join(of, ", "); got != "access getMe, access listAudit, api_key made, api_key revoked, api_key_used" {
		t.Errorf("the audit log has %s", got)
	}
}

func TestAPIKeysExpire(t *testing.T) {
	f := newFixture(t, nil)
	w := walk{f, t, f.withKey(t, 60)}
	f.clock.Advance(365*24*time.Hour - time.Second)
	w.step(200, "GET", "/v1/api-keys:current", "")
	f.clock.Advance(time.Second)
	w.want(w.step(401, "GET", "/v1/api-keys:current", ""), map[string]any{"detail": "密钥已过期，请联系发放部门换发。"})
}

// TestKeysExportAsSeldomAsPeople holds that a fast key does not make costly answers
// any faster.
func TestKeysExportAsSeldomAsPeople(t *testing.T) {
	f := newFixture(t, nil)
	w := walk{f, t, f.withKey(t, 600)}
	const path = "/v1/stats/ratings:export?kind=elder_care&region=630202&from=2026-11&to=2026-11&format=csv"
	for range exportsByAccount {
		w.request(t, "GET", path, "", w.bearer...)
	}
	w.step(429, "GET", path, "")
	w.step(200, "GET", "/v1/api-keys:current", "")
}

// TestFiguresByKey asks an operation that answers everybody, and officials and keys
// more, for something within and out of the key's scope.
func TestFiguresByKey(t *testing.T) {
	f := newFixture(t, nil)
	var reached bool
	asked := func(p directory.Permission) *fiber.App {
		app, err := f.api.app([]route{{"GET", "/v1/listings/{id}/complaint-figures", "getComplaintFigures", p, reading, func(c *fiber.Ctx, in *input) error {
			reached = in.covers(f.api, directory.Scope{Bureau: directory.CivilAffairs, Region: c.Get("X-Region")}) == nil
			return c.SendStatus(fiber.StatusNoContent)
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return app
	}
	noKeys := figures
	noKeys.Keys = false
	good := f.withKey(t, 60)
	for _, tt := range []struct {
		what       string
		permission directory.Permission
		headers    []string
		region     string
		status     int
		reached    bool
	}{
		{"a stranger", figures, nil, "630202", 204, false},
		{"a key", figures, good, "630202", 204, true},
		{"a key elsewhere", figures, good, "632700", 204, false},
		{"a key where none is allowed", noKeys, good, "630202", 204, false},
		{"an official", figures, f.as(t, official), "630202", 204, true},
		{"a wrong key", figures, []string{"Authorization", "Bearer qfk_1"}, "630202", 401, false},
	} {
		reached = false
		req := httptest.NewRequest("GET", "/v1/listings/"+draftID+"/complaint-figures", nil)
		a := send(t, asked(tt.permission), req, append([]string{"X-Region", tt.region}, tt.headers...)...)
		if a.StatusCode != tt.status || reached != tt.reached {
			t.Errorf("%s: %d, reached %t: %s", tt.what, a.StatusCode, reached, a.body)
		}
	}
	if got := who(figures); got != "everybody, more for official, admin (statistics), API key" {
		t.Error(got)
	}
}
