package handlers

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"qingfu/auth"
	"qingfu/directory"
)

// walk is a person who uses the API; see step.
type walk struct {
	*fixture
	t      *testing.T
	bearer []string
}

// step makes a request and returns the JSON of its answer, which has to have a status.
func (w walk) step(status int, method, path, body string, headers ...string) any {
	w.t.Helper()
	a := w.request(w.t, method, path, body, append(headers, w.bearer...)...)
	if a.StatusCode != status {
		w.t.Fatalf("%s %s %s: %d, want %d: %s", method, path, body, a.StatusCode, status, a.body)
	}
	if len(a.body) == 0 {
		return nil
	}
	return decode[any](w.t, a)
}

// want compares members of an answer; see scenario.
func (w walk) want(answer any, has map[string]any) {
	w.t.Helper()
	for path, want := range has {
		got, ok := member(answer, path)
		if !ok || want == "*" && got == nil || want != "*" && fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestSignInFromStartToFinish(t *testing.T) {
	f := newFixture(t, nil)
	w := walk{fixture: f, t: t}
	phone := newPhone()
	w.step(202, "POST", "/v1/auth/codes", `{"phone":"+86 `+phone+`"}`)
	w.want(w.step(401, "POST", "/v1/auth/tokens", `{"phone":"`+phone+`","code":"`+other(f.phones.code(phone))+`"}`),
		map[string]any{"code": "unauthenticated", "detail": "验证码不正确、已用过或已过期。"})
	first := w.step(200, "POST", "/v1/auth/tokens", `{"phone":"`+phone+`","code":"`+f.phones.code(phone)+`"}`)
	w.want(first, map[string]any{"token_type": "Bearer", "expires_in": 900.0, "refresh_token": "*"})
	text := func(answer any, path string) string { v, _ := member(answer, path); return fmt.Sprint(v) }

	w.bearer = []string{"Authorization", "Bearer " + text(first, "access_token")}
	me := w.step(200, "GET", "/v1/me", "")
	w.want(me, map[string]any{"phone": phone[:3] + "****" + phone[7:], "roles.#": 0.0, "second_factor": "none", "erase_at": nil})
	if strings.Contains(fmt.Sprint(me), phone) {
		t.Errorf("the phone is not masked: %v", me)
	}

	// The token outlives its quarter of an hour by none.
	f.clock.Advance(15 * time.Minute)
	w.want(w.step(401, "GET", "/v1/me", ""), map[string]any{"code": "unauthenticated"})
	second := w.step(200, "POST", "/v1/auth/refresh", `{"refresh_token":"`+text(first, "refresh_token")+`"}`)
	w.bearer[1] = "Bearer " + text(second, "access_token")
	w.want(w.step(200, "GET", "/v1/auth/sessions", ""), map[string]any{"items.#": 1.0, "items.0.current": true})

	// A spent refresh token ends the session for whoever has it.
	w.step(401, "POST", "/v1/auth/refresh", `{"refresh_token":"`+text(first, "refresh_token")+`"}`)
	w.step(401, "GET", "/v1/me", "")
	w.step(401, "POST", "/v1/auth/refresh", `{"refresh_token":"`+text(second, "refresh_token")+`"}`)

	w.bearer = f.signIn(t, phone).bearer()
	w.want(w.step(200, "GET", "/v1/me/notifications?unread=true", ""), map[string]any{"items.#": 1.0, "items.0.kind": "session_reused"})
	w.step(204, "DELETE", "/v1/auth/session", "")
	w.step(401, "GET", "/v1/me", "")
}

// other returns another code.
func other(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

func TestCodesAreLimited(t *testing.T) {
	f := newFixture(t, nil)
	phone := newPhone()
	ask := func() answer { return f.request(t, "POST", "/v1/auth/codes", `{"phone":"`+phone+`"}`) }
	if a := ask(); a.StatusCode != 202 {
		t.Fatal(string(a.body))
	}
	a := ask()
	if a.StatusCode != 429 || a.Header.Get("Retry-After") != "60" || !strings.Contains(string(a.body), "60 秒") {
		t.Errorf("again at once: %d, Retry-After %q, %s", a.StatusCode, a.Header.Get("Retry-After"), a.body)
	}
	f.clock.Advance(time.Minute)
	f.phones.fail = &directory.Error{Kind: directory.Unavailable, What: "sms", Cause: errors.New("no luck")}
	before := f.phones.code(phone)
	if a := ask(); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || strings.Contains(string(a.body), "luck") {
		t.Errorf("without a provider: %d %s", a.StatusCode, a.body)
	}
	f.phones.fail = nil
	if a := f.request(t, "POST", "/v1/auth/tokens", `{"phone":"`+phone+`","code":"`+before+`"}`); a.StatusCode != 200 {
		t.Errorf("the code from before is burnt: %d %s", a.StatusCode, a.body)
	}
	if a := ask(); a.StatusCode != 202 {
		t.Errorf("the failed try counts: %d %s", a.StatusCode, a.body)
	}
	// The network that everybody here is in has had enough some time.
	refused := 0
	for range 200 {
		if a := f.request(t, "POST", "/v1/auth/codes", `{"phone":"`+newPhone()+`"}`); a.StatusCode == 429 {
			refused++
		}
	}
	if refused < 200-60 {
		t.Errorf("one network got %d codes in an hour", 200-refused)
	}
}

func TestParallelRedemption(t *testing.T) {
	f := newFixture(t, nil)
	phone := newPhone()
	f.request(t, "POST", "/v1/auth/codes", `{"phone":"`+phone+`"}`)
	count := func(body, path string) (good int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 50 {
			wg.Go(func() {
				if a := f.request(t, "POST", path, body); a.StatusCode == 200 {
					mu.Lock()
					good++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return good
	}
	if good := count(`{"phone":"`+phone+`","code":"`+f.phones.code(phone)+`"}`, "/v1/auth/tokens"); good != 1 {
		t.Errorf("one code was redeemed %d times", good)
	}
	f.clock.Advance(time.Minute) // the limits of this minute are used up
	refresh := f.signIn(t, newPhone()).Refresh
	if good := count(`{"refresh_token":"`+refresh+`"}`, "/v1/auth/refresh"); good != 1 {
		t.Errorf("one refresh token was redeemed %d times", good)
	}
}

func TestOwnData(t *testing.T) {
	f := newFixture(t, nil)
	w := walk{f, t, f.as(t)}
	tag := f.get(t, "/v1/me", w.bearer...).Header.Get("ETag")

	w.want(w.step(428, "PATCH", "/v1/me", `{"name":"卓玛"}`), map[string]any{"code": "precondition_required"})
	w.want(w.step(412, "PATCH", "/v1/me", `{"name":"卓玛"}`, "If-Match", `"999"`), map[string]any{"code": "precondition"})
	w.want(w.step(400, "PATCH", "/v1/me", `{"name":"`+strings.Repeat("长", 41)+`","language":"fr","family":[{"name":"","relation":"boss","birth_year":1800}],"role":"admin"}`, "If-Match", tag),
		map[string]any{"errors.#": 6.0})
	w.want(w.step(400, "PATCH", "/v1/me", `{"family":[{"name":"阿妈","relation":"parent","birth_year":2100}]}`, "If-Match", tag),
		map[string]any{"errors.0.pointer": "/family/0/birth_year", "errors.0.limit": "2026"})
	me := w.step(200, "PATCH", "/v1/me", `{"name":"卓玛","language":"bo","elder_mode":true,"family":[{"name":"阿妈","relation":"parent","birth_year":1948}]}`, "If-Match", tag)
	w.want(me, map[string]any{"name": "卓玛", "language": "bo", "elder_mode": true, "family.0.name": "阿妈", "family.0.id": "*"})
	w.step(412, "PATCH", "/v1/me", `{"name":"x"}`, "If-Match", tag) // of the version before
	me = w.step(200, "PATCH", "/v1/me", `{"language":null}`, "If-Match", "*")
	w.want(me, map[string]any{"name": "卓玛", "language": nil, "family.#": 1.0})

	for i := range 3 {
		w.step(204, "PUT", "/v1/me/favourites/"+f.listings[i].ID, "")
		w.step(204, "PUT", "/v1/me/favourites/"+f.listings[i].ID, "")
		f.clock.Advance(time.Second)
	}
	w.step(404, "PUT", "/v1/me/favourites/"+draftID, "")
	page := w.step(200, "GET", "/v1/me/favourites?limit=2", "")
	w.want(page, map[string]any{"items.#": 2.0, "items.0.id": f.listings[2].ID, "items.0.listing.name": f.listings[2].Names.Zh, "next_cursor": "*"})
	next, _ := member(page, "next_cursor")
	w.want(w.step(200, "GET", "/v1/me/favourites?limit=2&cursor="+fmt.Sprint(next), ""), map[string]any{"items.#": 1.0, "items.0.id": f.listings[0].ID, "next_cursor": nil})
	w.step(204, "DELETE", "/v1/me/favourites/"+f.listings[0].ID, "")
	w.step(204, "DELETE", "/v1/me/favourites/"+f.listings[0].ID, "")
	w.step(400, "GET", "/v1/me/favourites?cursor="+base64.RawURLEncoding.EncodeToString([]byte("12345678{}")), "")

	w.want(w.step(200, "GET", "/v1/me/export", ""), map[string]any{
		"account.name": "卓玛", "favourites.#": 2.0, "sessions.#": 1.0, "audit.0.action": "sign_in"})
	w.want(w.step(202, "DELETE", "/v1/me", ""), map[string]any{"erase_at": "*"})
	w.step(401, "GET", "/v1/me", "")
}

func TestErasureCanBeCalledOff(t *testing.T) {
	f := newFixture(t, nil)
	phone := newPhone()
	w := walk{f, t, f.signIn(t, phone).bearer()}
	w.step(202, "DELETE", "/v1/me", "")
	f.clock.Advance(29 * 24 * time.Hour)
	w.bearer = f.signIn(t, phone).bearer()
	w.want(w.step(200, "GET", "/v1/me", ""), map[string]any{"erase_at": "*"})
	w.step(204, "POST", "/v1/me/restore", "")
	w.want(w.step(200, "GET", "/v1/me", ""), map[string]any{"erase_at": nil})
}

func TestSecondFactorFromStartToFinish(t *testing.T) {
	f := newFixture(t, nil)
	phone := newPhone()
	if _, _, err := f.api.Auth.Grant(t.Context(), directory.Caller{}, phone, official, f.regions, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	signedIn := f.signIn(t, phone)
	w := walk{f, t, signedIn.bearer()}
	w.step(401, "GET", "/v1/audit", "")
	w.step(409, "POST", "/v1/auth/second-factor", `{"code":"123456"}`)
	enrolment := w.step(201, "POST", "/v1/me/second-factor", "")
	secret, _ := member(enrolment, "secret")
	code := func() string {
		c, err := totp.GenerateCode(fmt.Sprint(secret), f.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return `{"code":"` + c + `"}`
	}
	used := code()
	recovery := w.step(200, "PUT", "/v1/me/second-factor", used)
	w.want(recovery, map[string]any{"recovery_codes.#": 10.0})
	w.step(200, "GET", "/v1/audit", "")
	w.step(401, "POST", "/v1/auth/second-factor", used) // replayed
	w.step(409, "POST", "/v1/me/second-factor", "")     // there is one
	w.want(w.step(200, "GET", "/v1/me", ""), map[string]any{"second_factor": "shown"})

	f.clock.Advance(12 * time.Hour) // the session goes on, the second factor does not
	renewed := w.step(200, "POST", "/v1/auth/refresh", `{"refresh_token":"`+signedIn.Refresh+`"}`)
	access, _ := member(renewed, "access_token")
	w.bearer = []string{"Authorization", fmt.Sprint("Bearer ", access)}
	w.want(w.step(200, "GET", "/v1/me", ""), map[string]any{"second_factor": "registered"})
	w.step(401, "GET", "/v1/audit", "")
	spare, _ := member(recovery, "recovery_codes.0")
	w.step(204, "POST", "/v1/auth/second-factor", fmt.Sprintf(`{"code":%q}`, spare))
	w.step(200, "GET", "/v1/audit", "")
	w.step(401, "POST", "/v1/auth/second-factor", fmt.Sprintf(`{"code":%q}`, spare)) // used up
	w.step(204, "POST", "/v1/me/second-factor:remove", code())
	w.step(401, "GET", "/v1/audit", "")
}

// TestNobodyReachesWhatIsOthers tries every id and every member that is not one's own.
func TestNobodyReachesWhatIsOthers(t *testing.T) {
	f := newFixture(t, nil)
	victim := f.signIn(t, newPhone())
	v := walk{f, t, victim.bearer()}
	v.step(204, "PUT", "/v1/me/favourites/"+f.listings[0].ID, "")
	granted := f.as(t, owner) // whose inbox has a message
	note, _ := member(walk{f, t, granted}.step(200, "GET", "/v1/me/notifications", ""), "items.0.id")

	a := walk{f, t, f.as(t)}
	a.step(404, "DELETE", "/v1/auth/sessions/"+victim.Session, "")
	a.step(204, "DELETE", "/v1/me/favourites/"+f.listings[0].ID, "")
	v.want(v.step(200, "GET", "/v1/me/favourites", ""), map[string]any{"items.#": 1.0})
	a.step(204, "POST", "/v1/me/notifications:read", fmt.Sprintf(`{"ids":[%q]}`, note))
	walk{f, t, granted}.want(walk{f, t, granted}.step(200, "GET", "/v1/me/notifications", ""), map[string]any{"items.0.read_at": nil})
	a.step(403, "DELETE", "/v1/grants/"+victim.Session+".admin", "")

	before := a.step(200, "GET", "/v1/me", "")
	for _, member := range []string{
		`"id":"` + victim.Session + `"`, `"phone":"13900000000"`, `"phone_hash":"x"`, `"roles":[]`, `"role":"admin"`, `"grants":[]`, `"demo":true`,
		`"erase_at":null`, `"created_at":"2020-01-01T00:00:00Z"`, `"second_factor":null`, `"version":1`, `"Name":"x"`, `"__proto__":{}`,
	} {
		a.step(400, "PATCH", "/v1/me", `{"name":"甲",`+member+`}`, "If-Match", "*")
	}
	if after := a.step(200, "GET", "/v1/me", ""); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the account became %v, it was %v", after, before)
	}
	o := walk{f, t, f.as(t, admin)}
	o.step(400, "POST", "/v1/grants", `{"phone":"13900000001","role":"staff","organization":"`+ownOrganization+`","account":"`+victim.Session+`"}`)
}

// TestForgedTokens shows tokens that nobody has signed. Package auth has the
// longer list; here is that the API asks.
func TestForgedTokens(t *testing.T) {
	f := newFixture(t, nil)
	good := f.signIn(t, newPhone()).Access
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt","kid":"1"}`))
	for name, authorization := range map[string]string{
		"nothing":             "Bearer ",
		"no scheme":           good,
		"another scheme":      "Basic " + good,
		"two tokens":          "Bearer " + good + " " + good,
		"without signature":   "Bearer " + header + "." + payload + ".",
		"algorithm none":      "Bearer " + none + "." + payload + ".",
		"none, signed":        "Bearer " + none + "." + payload + "." + signature,
		"half a signature":    "Bearer " + header + "." + payload + "." + signature[:40],
		"a refresh token":     "Bearer " + f.signIn(t, newPhone()).Refresh,
		"five parts":          "Bearer " + good + ".." + payload,
		"a very long one":     "Bearer " + strings.Repeat("a", 10_000),
		"not even characters": "Bearer \xff\xfe",
	} {
		a := f.get(t, "/v1/me", "Authorization", authorization)
		if a.StatusCode != 401 || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %d, %q", name, a.StatusCode, a.Header.Get("WWW-Authenticate"))
		}
	}
	if a := f.get(t, "/v1/me", "Authorization", "bearer  "+good); a.StatusCode != 200 {
		t.Errorf("the good one: %d %s", a.StatusCode, a.body)
	}
}

func TestLimitsByClass(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.ReadLimit = 5 })
	for i := range 7 {
		a := f.get(t, "/v1/categories")
		want, left := 200, fmt.Sprint(4-i)
		if i >= 5 {
			want, left = 429, "0"
		}
		if a.StatusCode != want || a.Header.Get("RateLimit-Limit") != "5" || a.Header.Get("RateLimit-Remaining") != left {
			t.Errorf("request %d: %d, %v", i, a.StatusCode, a.Header)
		}
		if (a.Header.Get("Retry-After") != "") != (want == 429) {
			t.Errorf("request %d: Retry-After %q", i, a.Header.Get("Retry-After"))
		}
	}
	if a := f.get(t, "/livez"); a.StatusCode != 200 {
		t.Errorf("the health check is limited: %d", a.StatusCode)
	}
	f = newFixture(t, nil)
	bearer, refused := f.as(t), 0
	for range writesByAccount + 10 {
		if f.do(t, "DELETE", "/v1/me/favourites/"+draftID, bearer...).StatusCode == 429 {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 10 writes too many are refused", refused)
	}
}
