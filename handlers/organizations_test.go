package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"qingfu/directory"
)

// creditCodeOf is the code of the organization that f.organization stores.
func creditCodeOf(id string) string { return "916302" + strings.ToUpper(id[len(id)-12:]) }

// newCreditCode returns a code that no test has used, with wrong check characters.
func newCreditCode() string { return fmt.Sprintf("91630202%010d", creditCodes.Add(1)) }

var creditCodes atomic.Int64

// firmBody registers an organization in 乐都.
func firmBody(code string) string {
	return `{"credit_code":"` + code + `","legal_name":"湟水养老服务有限公司","region":"630202","contact_name":"卓玛","contact_phone":"0972-1234567"}`
}

func marketOfficial(region string) directory.Grant {
	return directory.Grant{Role: directory.Official, Bureau: directory.MarketRegulation, Region: region, Powers: []directory.Power{directory.ReviewPower}}
}

// person is somebody new who is signed in.
func (f *fixture) person(t *testing.T, grants ...directory.Grant) walk {
	t.Helper()
	return walk{f, t, f.as(t, grants...)}
}

// id is the account.
func (w walk) id() string {
	w.t.Helper()
	id, _ := textOf(w.step(200, "GET", "/v1/me", ""), "id")
	return id
}

// inbox is the messages that are not read, by their kinds; reading them empties it.
func (w walk) inbox() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	ids := []string{}
	page := decode[struct {
		Items []struct{ ID, Kind, Text string }
	}](w.t, w.get(w.t, "/v1/me/notifications?unread=true&limit=100", w.bearer...))
	for _, n := range page.Items {
		out[n.Kind] = n.Text
		ids = append(ids, n.ID)
	}
	if len(ids) > 0 {
		body, err := json.Marshal(map[string][]string{"ids": ids})
		if err != nil {
			w.t.Fatal(err)
		}
		w.step(204, "POST", "/v1/me/notifications:read", string(body))
	}
	return out
}

// TestAFirmRegisters follows a firm from its first visit to being verified, with
// every refusal on the way.
func TestAFirmRegisters(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.person(t)
	ann.want(ann.step(200, "GET", "/v1/organizations", ""), map[string]any{"items.#": 0.0, "next_cursor": nil})
	stranger := walk{fixture: f, t: t}
	stranger.step(401, "POST", "/v1/organizations", firmBody(newCreditCode()))

	// One answer says everything that the contract and the rules say.
	ann.want(ann.step(400, "POST", "/v1/organizations", `{}`), map[string]any{"errors.#": 5.0})
	wrong := ann.step(400, "POST", "/v1/organizations",
		`{"credit_code":"63010200000","legal_name":"示例·养老院","region":"110000","contact_name":7,"contact_phone":"12345","documents":["x"],"state":"verified"}`)
	got := map[string]string{}
	errors, _ := member(wrong, "errors")
	for _, e := range errors.([]any) {
		pointer, _ := textOf(e, "pointer")
		got[pointer], _ = textOf(e, "code")
	}
	if want := map[string]string{
		"/credit_code": "bad_format", "/legal_name": "mismatch", "/region": "unknown_value", "/contact_name": "bad_format",
		"/contact_phone": "bad_format", "/documents/0": "bad_format", "/state": "unknown_field",
	}; !maps.Equal(got, want) {
		t.Errorf("wrong are %v, want %v", got, want)
	}
	ann.want(ann.step(400, "POST", "/v1/organizations", `[]`), map[string]any{"code": "invalid"})
	ann.want(ann.step(400, "POST", "/v1/organizations", ""), map[string]any{"errors.0.code": "required"})

	code := newCreditCode()
	made := ann.step(201, "POST", "/v1/organizations",
		`{"credit_code":" `+strings.ToLower(code[:9])+`-`+code[9:]+`","legal_name":"湟水养老服务有限公司","region":"630202","address":"碾伯镇1号","contact_name":"卓玛","contact_phone":"+86 13800138000"}`)
	ann.want(made, map[string]any{
		"credit_code": code, "code_valid": false, "type.code": "enterprise", "type.name": "企业", "legal_name": "湟水养老服务有限公司",
		"region.code": "630202", "region.path.1": "海东市", "address": "碾伯镇1号", "contact_name": "卓玛", "contact_phone": "138****8000",
		"documents.#": 0.0, "state": "pending", "decided_at": nil, "reason": "", "role": "owner", "review": nil, "demo": false,
	})
	id, _ := textOf(made, "id")
	path := "/v1/organizations/" + id
	if !strings.Contains(ann.inbox()["granted"], "机构负责人") {
		t.Error("nobody says that ann is an owner")
	}
	// The answer may have been lost.
	ann.want(ann.step(200, "POST", "/v1/organizations", firmBody(code)), map[string]any{"id": id, "address": "碾伯镇1号", "role": "owner"})
	ann.want(ann.step(200, "GET", "/v1/organizations?mine=true", ""), map[string]any{"items.#": 1.0, "items.0.id": id, "items.0.role": "owner"})
	ann.want(ann.step(200, "GET", "/v1/organizations?state=verified", ""), map[string]any{"items.#": 0.0})
	ann.want(ann.step(200, "GET", "/v1/organizations?q="+code[12:], ""), map[string]any{"items.#": 1.0})
	ann.want(ann.step(200, "GET", path, ""), map[string]any{"id": id, "role": "owner", "review": nil})

	// Officials: the wrong bureau, the wrong region, no second factor, then the right one.
	health := directory.Grant{Role: directory.Official, Bureau: directory.Health, Region: "630000", Powers: []directory.Power{directory.ReviewPower}}
	for what, w := range map[string]walk{"another bureau": f.person(t, health), "another region": f.person(t, marketOfficial("632700"))} {
		w.step(403, "GET", path, "")
		w.want(w.step(403, "POST", path+"/decision", `{"outcome":"verified"}`), map[string]any{"title": "没有权限"})
		if list := decode[struct{ Items []struct{ ID string } }](t, w.get(t, "/v1/organizations?q="+code, w.bearer...)); len(list.Items) != 0 {
			t.Errorf("%s sees the organization in the list", what)
		}
	}
	once := walk{f, t, f.withoutSecondFactor(t, marketOfficial("630200"))}
	once.step(401, "GET", "/v1/organizations", "")
	once.step(200, "GET", "/v1/organizations?mine=true", "")
	once.step(401, "GET", path, "")
	once.step(401, "GET", "/v1/claims", "")
	once.step(200, "GET", "/v1/claims?mine=true", "")

	market := f.person(t, marketOfficial("630200"))
	market.want(market.step(200, "GET", "/v1/organizations?state=pending&q="+code, ""), map[string]any{
		"items.#": 1.0, "items.0.id": id, "items.0.role": nil, "items.0.review.code_region.code": "630202", "items.0.review.code_region.name": "乐都区",
		"items.0.review.region_differs": false, "items.0.review.created_by": ann.id(), "items.0.contact_phone": "138****8000",
	})
	market.want(market.step(400, "POST", path+"/decision", `{"outcome":"refused"}`), map[string]any{"errors.0.pointer": "/reason", "errors.0.code": "required"})
	market.want(market.step(400, "POST", path+"/decision", `{"outcome":"pending"}`), map[string]any{"errors.0.pointer": "/outcome"})
	market.step(412, "POST", path+"/decision", `{"outcome":"verified"}`, "If-Match", `"o999"`)
	market.step(403, "PATCH", path, `{"address":"x"}`, "If-Match", "*")
	market.want(market.step(200, "POST", path+"/decision", `{"outcome":"refused","reason":"证照照片不清晰"}`), map[string]any{"state": "refused", "reason": "证照照片不清晰"})
	if text := ann.inbox()["organization_refused"]; text != "机构“湟水养老服务有限公司”未通过核验：证照照片不清晰" {
		t.Errorf("ann is told %q", text)
	}

	// The firm corrects its papers and waits again.
	tag := f.get(t, path, ann.bearer...).Header.Get("ETag")
	ann.want(ann.step(428, "PATCH", path, `{"address":"x"}`), map[string]any{"code": "precondition_required"})
	ann.step(412, "PATCH", path, `{"address":"x"}`, "If-Match", `"o1"`)
	ann.want(ann.step(400, "PATCH", path, `{"region":"110000","contact_phone":"1","legal_name":"","id":"x"}`, "If-Match", tag), map[string]any{"errors.#": 4.0})
	ann.step(400, "PATCH", path, `{}`, "If-Match", tag)
	ann.step(400, "PATCH", path, `{"legal_name":null}`, "If-Match", tag)
	ann.step(400, "PATCH", "/v1/organizations/x", `{"address":"x"}`, "If-Match", tag)
	ann.step(400, "PATCH", path, `{"documents":["`+strings.Repeat("b", 64)+`"]}`, "If-Match", tag) // never uploaded
	paper := f.photoOf(t, strings.TrimPrefix(path, "/v1/organizations/"), "document").ID
	changed := ann.step(200, "PATCH", path, `{"documents":["`+paper+`"],"address":null}`, "If-Match", tag)
	ann.want(changed, map[string]any{"state": "pending", "reason": "", "decided_at": nil, "address": "", "documents.0": paper, "contact_phone": "138****8000"})
	ann.step(412, "PATCH", path, `{"address":"x"}`, "If-Match", tag)
	market.step(412, "POST", path+"/decision", `{"outcome":"verified"}`, "If-Match", tag) // of what the official saw before
	tag = f.get(t, path, market.bearer...).Header.Get("ETag")
	market.want(market.step(200, "POST", path+"/decision", `{"outcome":"verified"}`, "If-Match", tag), map[string]any{"state": "verified", "decided_at": "*", "review.decided_by": market.id()})
	if text := ann.inbox()["organization_verified"]; text != "机构“湟水养老服务有限公司”已通过核验。" {
		t.Errorf("ann is told %q", text)
	}

	// Then a branch moves, which has to be looked at, by others.
	tag = f.get(t, path, ann.bearer...).Header.Get("ETag")
	ann.want(ann.step(200, "PATCH", path, `{"region":"632701"}`, "If-Match", tag), map[string]any{"state": "pending", "region.code": "632701"})
	market.step(403, "GET", path, "")
	elsewhere := f.person(t, marketOfficial("632701"))
	elsewhere.want(elsewhere.step(200, "GET", path, ""), map[string]any{"review.region_differs": true, "review.code_region.code": "630202"})
	ann.want(ann.step(409, "PATCH", path, `{"credit_code":"`+f.registered(t)+`"}`, "If-Match", "*"), map[string]any{"detail": "*"})
	// Officials of both regions find it in the audit log, and those of others do not.
	for what, w := range map[string]walk{"the region before": market, "the region now": elsewhere} {
		if got := w.log(id); !slices.Contains(got, "changed region by "+ann.id()) {
			t.Errorf("%s: the audit log has %q", what, got)
		}
	}
	if got := f.person(t, marketOfficial("632800")).log(id); len(got) != 0 {
		t.Errorf("another region: the audit log has %q", got)
	}
}

// log returns the lines of the audit log about an organization that somebody sees.
func (w walk) log(id string) (out []string) {
	w.t.Helper()
	for cursor := ""; ; {
		page := decode[struct {
			Items []struct{ Subject, Detail, Actor string }
			Next  *string `json:"next_cursor"`
		}](w.t, w.get(w.t, "/v1/audit?action=organization&limit=100"+cursor, w.bearer...))
		for _, e := range page.Items {
			if e.Subject == id {
				out = append(out, e.Detail+" by "+e.Actor)
			}
		}
		if page.Next == nil {
			return out
		}
		cursor = "&cursor=" + *page.Next
	}
}

// registered returns the code of an organization that somebody else has.
func (f *fixture) registered(t *testing.T) string {
	t.Helper()
	code := newCreditCode()
	f.person(t).step(201, "POST", "/v1/organizations", firmBody(code))
	return code
}

// TestOfficialsDoNotDecideAboutTheirOwn: an official who is a member, and a
// claimant who is an official.
func TestOfficialsDoNotDecideAboutTheirOwn(t *testing.T) {
	f := newFixture(t, nil)
	market := f.person(t, marketOfficial("630000"))
	id, _ := textOf(market.step(201, "POST", "/v1/organizations", firmBody(newCreditCode())), "id")
	market.step(403, "POST", "/v1/organizations/"+id+"/decision", `{"outcome":"verified"}`)
	claim, _ := textOf(market.step(202, "POST", "/v1/organizations", firmBody(f.registered(t))), "id")
	market.step(403, "POST", "/v1/claims/"+claim+"/decision", `{"outcome":"granted"}`)
	admin := f.person(t, admin)
	admin.step(200, "POST", "/v1/organizations/"+id+"/decision", `{"outcome":"verified"}`)
	admin.want(admin.step(200, "GET", "/v1/organizations/"+id, ""), map[string]any{"review.decided_by": admin.id()})
}

func TestMembersAndInvitations(t *testing.T) {
	f := newFixture(t, nil)
	ann, ben, cay := f.person(t), f.person(t), f.person(t)
	id, _ := textOf(ann.step(201, "POST", "/v1/organizations", firmBody(newCreditCode())), "id")
	path := "/v1/organizations/" + id
	other, _ := textOf(cay.step(201, "POST", "/v1/organizations", firmBody(newCreditCode())), "id")

	ben.step(403, "POST", path+"/invitations", `{"role":"staff"}`)
	cay.step(403, "POST", path+"/invitations", `{"role":"staff"}`) // an owner, but of another one
	ann.step(400, "POST", path+"/invitations", `{"role":"admin"}`)
	ann.step(400, "POST", path+"/invitations", `{"role":"staff","organization":"`+other+`"}`)
	made := ann.step(201, "POST", path+"/invitations", `{"role":"staff"}`)
	ann.want(made, map[string]any{"role.code": "staff", "role.name": "机构工作人员", "invited_by": ann.id(), "expires_at": noon.Add(7 * 24 * time.Hour).UTC().Format(time.RFC3339), "token": "*"})
	token, _ := textOf(made, "token")
	list := ann.step(200, "GET", path+"/invitations", "")
	ann.want(list, map[string]any{"items.#": 1.0})
	if _, shown := member(list, "items.0.token"); shown || strings.Contains(fmt.Sprint(list), token) {
		t.Error("the token is shown again")
	}

	walk{fixture: f, t: t}.step(401, "POST", "/v1/invitations:accept", `{"token":"`+token+`"}`)
	ben.step(404, "POST", "/v1/invitations:accept", `{"token":"`+token[1:]+`"}`)
	ben.step(400, "POST", "/v1/invitations:accept", `{"token":"`+token+`","role":"owner"}`)
	ann.want(ann.step(409, "POST", "/v1/invitations:accept", `{"token":"`+token+`"}`), map[string]any{"detail": "您已是该机构的成员。"})
	ben.want(ben.step(200, "POST", "/v1/invitations:accept", `{"token":"`+token+`"}`), map[string]any{"organization": id, "role.code": "staff"})
	ben.want(ben.step(409, "POST", "/v1/invitations:accept", `{"token":"`+token+`"}`), map[string]any{"detail": "此邀请已被使用，请对方重新邀请。"})
	cay.step(409, "POST", "/v1/invitations:accept", `{"token":"`+token+`"}`)
	ben.want(ben.step(200, "GET", path, ""), map[string]any{"role": "staff", "contact_phone": "097****4567"})
	ben.want(ben.step(200, "GET", path+"/members", ""), map[string]any{
		"items.#": 2.0, "items.0.account": ann.id(), "items.0.role.code": "owner", "items.0.phone": "*", "items.1.account": ben.id(), "items.1.role.code": "staff", "items.1.since": "*"})

	// What staff may not do.
	ben.step(403, "PATCH", path, `{"address":"x"}`, "If-Match", "*")
	ben.step(403, "GET", path+"/invitations", "")
	ben.step(403, "DELETE", path+"/members/"+ann.id(), "")
	cay.step(403, "DELETE", path+"/members/"+ben.id(), "")

	// Withdrawn and expired ones.
	made = ann.step(201, "POST", path+"/invitations", `{"role":"owner"}`)
	withdrawn, _ := textOf(made, "id")
	withdrawnToken, _ := textOf(made, "token")
	cay.step(404, "DELETE", "/v1/organizations/"+other+"/invitations/"+withdrawn, "")
	ann.step(204, "DELETE", path+"/invitations/"+withdrawn, "")
	ann.step(404, "DELETE", path+"/invitations/"+withdrawn, "")
	ben.want(ben.step(404, "POST", "/v1/invitations:accept", `{"token":"`+withdrawnToken+`"}`), map[string]any{"detail": "没有这个邀请，或已撤回。"})
	late, _ := textOf(ann.step(201, "POST", path+"/invitations", `{"role":"owner"}`), "token")
	up, _ := textOf(ann.step(201, "POST", path+"/invitations", `{"role":"owner"}`), "token")

	// Staff becomes an owner; then the last owner stays.
	ben.step(200, "POST", "/v1/invitations:accept", `{"token":"`+up+`"}`)
	benID, annID := ben.id(), ann.id()
	ben.step(204, "DELETE", path+"/members/"+annID, "")
	ann.step(403, "GET", path, "")
	ben.want(ben.step(409, "DELETE", path+"/members/"+benID, ""), map[string]any{"detail": "机构至少要有一名负责人，请先邀请他人担任负责人。"})
	ben.want(ben.step(409, "DELETE", "/v1/grants/"+benID+".owner."+id, ""), map[string]any{"code": "conflict"})
	admin := f.person(t, admin)
	admin.step(409, "DELETE", path+"/members/"+benID, "")
	admin.step(409, "DELETE", "/v1/grants/"+benID+".owner."+id, "")
	// The invitation of an owner who has gone is none any more.
	ann.step(404, "POST", "/v1/invitations:accept", `{"token":"`+late+`"}`)
	dan := f.person(t)
	fresh, _ := textOf(ben.step(201, "POST", path+"/invitations", `{"role":"staff"}`), "token")
	dan.step(200, "POST", "/v1/invitations:accept", `{"token":"`+fresh+`"}`)
	dan.step(204, "DELETE", path+"/members/"+dan.id(), "") // who leaves
	dan.step(403, "GET", path, "")
	old, _ := textOf(ben.step(201, "POST", path+"/invitations", `{"role":"staff"}`), "token")
	f.clock.Advance(7 * 24 * time.Hour)
	dan.bearer = f.signIn(t, newPhone()).bearer()
	dan.want(dan.step(409, "POST", "/v1/invitations:accept", `{"token":"`+old+`"}`), map[string]any{"detail": "此邀请已过期，请对方重新邀请。"})
}

func TestParallelAcceptance(t *testing.T) {
	f := newFixture(t, nil)
	ann, ben := f.person(t), f.person(t)
	id, _ := textOf(ann.step(201, "POST", "/v1/organizations", firmBody(newCreditCode())), "id")
	token, _ := textOf(ann.step(201, "POST", "/v1/organizations/"+id+"/invitations", `{"role":"staff"}`), "token")
	var wg sync.WaitGroup
	var good, used atomic.Int64
	for range 50 {
		wg.Go(func() {
			switch a := f.request(t, "POST", "/v1/invitations:accept", `{"token":"`+token+`"}`, ben.bearer...); a.StatusCode {
			case 200:
				good.Add(1)
			case 409:
				used.Add(1)
			default:
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 || used.Load() != 49 {
		t.Errorf("one invitation was accepted %d times and refused %d times", good.Load(), used.Load())
	}
}

// TestClaims has somebody register what others have: a dispute for an official.
func TestClaims(t *testing.T) {
	f := newFixture(t, nil)
	ann, ben, cay := f.person(t), f.person(t), f.person(t)
	code := newCreditCode()
	id, _ := textOf(ann.step(201, "POST", "/v1/organizations", firmBody(code)), "id")
	ann.inbox()
	body := `{"credit_code":"` + code + `","legal_name":"湟水养老","region":"632701","contact_name":"才让","contact_phone":"13900139000"}`
	filed := ben.step(202, "POST", "/v1/organizations", body)
	ben.want(filed, map[string]any{
		"state": "open", "credit_code": code, "legal_name": "湟水养老", "contact_name": "才让", "documents.#": 0.0, "organization": nil, "claimant": nil, "reason": "", "decided_at": nil})
	if text := fmt.Sprint(filed); strings.Contains(text, id) || strings.Contains(text, "卓玛") || strings.Contains(text, "服务有限公司") {
		t.Errorf("the claimant learns of the other organization: %s", text)
	}
	claim, _ := textOf(filed, "id")
	ben.want(ben.step(202, "POST", "/v1/organizations", body), map[string]any{"id": claim})
	ben.want(ben.step(200, "GET", "/v1/claims", ""), map[string]any{"items.#": 1.0, "items.0.id": claim, "items.0.organization": nil})
	ben.want(ben.step(200, "GET", "/v1/claims?mine=true&state=granted", ""), map[string]any{"items.#": 0.0})
	ben.want(ben.step(200, "GET", "/v1/organizations", ""), map[string]any{"items.#": 0.0})
	ben.step(403, "GET", "/v1/organizations/"+id, "")
	ann.want(ann.step(200, "GET", "/v1/claims", ""), map[string]any{"items.#": 0.0})
	if text := ann.inbox()["claim_filed"]; !strings.Contains(text, "湟水养老服务有限公司") {
		t.Errorf("the owner is told %q", text)
	}

	market := f.person(t, marketOfficial("630200"))
	market.want(f.find(market, claim), map[string]any{
		"organization.id": id, "organization.legal_name": "湟水养老服务有限公司", "organization.region.code": "630202", "organization.state": "pending",
		"claimant.account": ben.id(), "claimant.phone": "*", "legal_name": "湟水养老"})
	path := "/v1/claims/" + claim + "/decision"
	elsewhere := f.person(t, marketOfficial("632701")) // where the claimant says that it is
	elsewhere.step(403, "POST", path, `{"outcome":"granted"}`)
	ann.step(403, "POST", path, `{"outcome":"refused","reason":"是我的"}`)
	market.want(market.step(400, "POST", path, `{"outcome":"refused"}`), map[string]any{"errors.0.pointer": "/reason"})
	market.step(400, "POST", path, `{"outcome":"open"}`)
	market.step(404, "POST", "/v1/claims/"+id+"/decision", `{"outcome":"granted"}`)
	market.want(market.step(200, "POST", path, `{"outcome":"refused","reason":"证照不符"}`), map[string]any{"state": "refused", "reason": "证照不符", "organization.id": id})
	market.want(market.step(409, "POST", path, `{"outcome":"granted"}`), map[string]any{"detail": "该认领已有决定。"})
	if text := ben.inbox()["claim_refused"]; text != "您对“湟水养老”的认领未获准：证照不符" {
		t.Errorf("the claimant is told %q", text)
	}
	ben.want(ben.step(200, "GET", "/v1/claims?state=refused", ""), map[string]any{"items.0.reason": "证照不符", "items.0.organization": nil})
	ben.want(ben.step(200, "GET", "/v1/me/export", ""), map[string]any{"claims.#": 1.0, "claims.0.id": claim})

	// A second one is granted, and then a third removes the others.
	second, _ := textOf(ben.step(202, "POST", "/v1/organizations", body), "id")
	third, _ := textOf(cay.step(202, "POST", "/v1/organizations", body), "id")
	market.step(200, "POST", "/v1/claims/"+second+"/decision", `{"outcome":"granted"}`)
	ben.want(ben.step(200, "GET", "/v1/organizations/"+id, ""), map[string]any{"role": "owner"})
	ann.step(200, "GET", "/v1/organizations/"+id, "")
	if text := ben.inbox()["claim_granted"]; text != "您对“湟水养老”的认领已获准，您现在是该机构的负责人。" {
		t.Errorf("the claimant is told %q", text)
	}
	if text := ann.inbox()["claimed_by_other"]; !strings.Contains(text, "已获准") {
		t.Errorf("the owner is told %q", text)
	}
	ben.want(ben.step(200, "POST", "/v1/organizations", body), map[string]any{"id": id, "legal_name": "湟水养老服务有限公司"})
	market.step(200, "POST", "/v1/claims/"+third+"/decision", `{"outcome":"granted","remove_members":true}`)
	cay.want(cay.step(200, "GET", "/v1/organizations/"+id+"/members", ""), map[string]any{"items.#": 1.0, "items.0.account": cay.id()})
	ann.step(403, "GET", "/v1/organizations/"+id, "")
	ben.step(403, "GET", "/v1/organizations/"+id, "")
	if _, told := ben.inbox()["revoked"]; !told {
		t.Error("nobody tells who was removed")
	}
}

// find returns a claim in somebody's list, which other tests have filled, too.
func (f *fixture) find(w walk, id string) any {
	w.t.Helper()
	cursor := ""
	for {
		page := w.step(200, "GET", "/v1/claims?limit=2"+cursor, "")
		items, _ := member(page, "items")
		for _, item := range items.([]any) {
			if got, _ := textOf(item, "id"); got == id {
				return item
			}
		}
		next, ok := textOf(page, "next_cursor")
		if !ok {
			w.t.Fatalf("no claim %s", id)
		}
		cursor = "&cursor=" + next
	}
}

// TestVocabulariesAreTheContract compares enumerations of the contract with those
// of the program, and looks for texts.
func TestVocabulariesAreTheContract(t *testing.T) {
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	schemas := doc.Components.Schemas
	for what, tt := range map[string]struct {
		schema *openapi3.Schema
		want   []string
	}{
		"kinds of notification": {schemas["Notification"].Value.Properties["kind"].Value, asTexts(directory.NotificationKinds)},
		"actions of the log":    {schemas["AuditAction"].Value, asTexts(directory.AuditActions)},
	} {
		got := asTexts(tt.schema.Enum)
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: the contract has %v, the code %v", what, got, tt.want)
		}
	}
	for _, kind := range directory.NotificationKinds {
		if text := notificationTexts[kind]; text.zh == "" || text.en == "" {
			t.Errorf("%s lacks a text", kind)
		}
	}
	for _, texts := range []map[string]text{missing, conflicts, unauthenticated} {
		for what, text := range texts {
			if text.zh == "" || text.en == "" {
				t.Errorf("%s lacks a language", what)
			}
		}
	}
}

func asTexts[T any](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprint(v)
	}
	return out
}
