package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// session is somebody who is signed in on a server under test.
type session struct {
	*served
	token string
}

// do sends a request and returns the members of the answer, which has to have a
// status. An If-Match of "*" goes with everything.
func (s session) do(status int, method, path, mediaType string, body []byte) map[string]any {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("If-Match", "*")
	if len(body) > 0 {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != status {
		s.t.Fatalf("%s %s: %s, want %d: %s", method, path, resp.Status, status, text)
	}
	answer := map[string]any{}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") && json.Unmarshal(text, &answer) == nil {
		return answer
	}
	answer["file"] = string(text)
	return answer
}

func (s session) json(status int, method, path, body string) map[string]any {
	s.t.Helper()
	return s.do(status, method, path, "application/json", []byte(body))
}

// as signs a demonstration account in, with its second factor where it has one.
func (s *served) as(phone, secret string) session {
	s.t.Helper()
	token, _ := s.signIn(phone)["access_token"].(string)
	in := session{s, token}
	if secret != "" {
		in.json(http.StatusNoContent, "POST", "/v1/auth/second-factor", `{"code":"`+strings.TrimSpace(succeed(s.t, "totp", secret).out)+`"}`)
	}
	return in
}

const demoSecret = "QINGFUDEMOQINGFUDEMOQINGFUDEMO23"

// TestFirmsPath follows a firm from its registration to the resident who finds
// it, with what it is told on the way.
func TestFirmsPath(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	s := serve(t, "--data-dir", dir)
	firm := s.as("10000000001", "")
	registered := firm.json(201, "POST", "/v1/organizations", `{"credit_code":"91630100MA752FFG5X","legal_name":"湟源河畔家政服务有限公司","region":"630106","contact_name":"卓玛","contact_phone":"13800138000"}`)
	organization := fmt.Sprint(registered["id"])
	if strings.Contains(fmt.Sprint(registered), "13800138000") {
		t.Errorf("the contact's phone is not masked: %v", registered)
	}
	mine := firm.json(200, "GET", "/v1/organizations", "")
	if !strings.Contains(fmt.Sprint(mine), organization) {
		t.Errorf("the firm does not see itself: %v", mine)
	}

	wrong := firm.json(400, "POST", "/v1/organizations/"+organization+"/listings", `{"kind":"domestic_service","names":{"zh":"河畔家政"},"phone":5,"colour":"red"}`)
	if got := len(wrong["errors"].([]any)); got != 2 {
		t.Errorf("%d of 2 wrong fields are named: %v", got, wrong)
	}
	proposal := firm.json(201, "POST", "/v1/organizations/"+organization+"/listings", `{"kind":"domestic_service","names":{"zh":"麒麟河畔家政"}}`)
	id := fmt.Sprint(proposal["id"])
	if len(proposal["errors"].([]any)) == 0 {
		t.Errorf("an unfinished listing lacks nothing: %v", proposal)
	}
	firm.json(400, "POST", "/v1/listings/"+id+"/proposal:submit", "")
	complete := `{"kind":"domestic_service","names":{"zh":"麒麟河畔家政"},"region":"630102","address":"麒麟路1号","phone":"0971-6123456",
		"categories":["cleaning"],"offerings":[{"name":"日常保洁","unit":"hour","price_min":4000,"price_max":6000,"category":"cleaning"}],"external_id":"K-1"}`
	firm.json(200, "PUT", "/v1/listings/"+id+"/proposal", complete)
	if got := firm.json(200, "POST", "/v1/listings/"+id+"/proposal:submit", ""); got["state"] != "submitted" {
		t.Fatalf("submitted: %v", got)
	}
	firm.json(409, "PUT", "/v1/listings/"+id+"/proposal", complete)
	if p := s.search("麒麟河畔家政"); len(p.Items) > 0 && p.Items[0].ID == id {
		t.Error("it is found before anybody approved it")
	}

	official := s.as("10000000005", demoSecret) // commerce, the whole province
	queue := official.json(200, "GET", "/v1/reviews?kind=domestic_service", "")
	if !strings.Contains(fmt.Sprint(queue), id) {
		t.Fatalf("the queue lacks it: %v", queue)
	}
	official.json(200, "POST", "/v1/reviews/"+id+"/take", "")
	official.json(400, "POST", "/v1/reviews/"+id+"/decision", `{"outcome":"rejected"}`)
	official.json(200, "POST", "/v1/reviews/"+id+"/decision", `{"outcome":"approved"}`)
	isFirst := func() bool {
		p := s.search("麒麟河畔家政")
		return len(p.Items) > 0 && p.Items[0].ID == id
	}
	s.until("an approved listing is found", isFirst)
	if inbox := firm.json(200, "GET", "/v1/me/notifications", ""); !strings.Contains(fmt.Sprint(inbox), "已通过审核") {
		t.Errorf("the firm is not told: %v", inbox)
	}

	// A change that needs nobody is public at once, one that does is not.
	firm.json(200, "PATCH", "/v1/listings/"+id, `{"phone":"0971-6999999"}`)
	var detail struct{ Phone string }
	s.get("/v1/listings/"+id, &detail)
	if detail.Phone != "0971-6999999" {
		t.Errorf("the phone is %s", detail.Phone)
	}

	// A table: checked first, then imported.
	template := firm.do(200, "GET", "/v1/imports:template?kind=domestic_service", "", nil)["file"].(string)
	if !strings.HasPrefix(template, "PK") {
		t.Errorf("the template is no workbook: %.20q", template)
	}
	table := "编号,名称,地区,类型\nK-2,麒麟二店,城东区,居家保洁\nK-3,麒麟三店,火星,居家保洁\n"
	check := firm.do(200, "POST", "/v1/organizations/"+organization+"/imports?kind=domestic_service&dry_run=true", "text/csv", []byte(table))
	if check["good"] != 1.0 || check["bad"] != 1.0 {
		t.Errorf("the check: %v", check)
	}
	job := firm.do(202, "POST", "/v1/organizations/"+organization+"/imports?kind=domestic_service&submit=true&filename=a.csv", "text/csv", []byte(table))
	s.until("the import is done", func() bool {
		job = firm.json(200, "GET", "/v1/imports/"+fmt.Sprint(job["id"]), "")
		return job["state"] == "done"
	})
	if got := fmt.Sprint(job["counts"]); got != "map[created:1 refused:1 unchanged:0 updated:0]" {
		t.Errorf("the import: %s", got)
	}
	result := firm.do(200, "GET", "/v1/imports/"+fmt.Sprint(job["id"])+"/result", "", nil)["file"].(string)
	if !strings.Contains(result, "未导入") || !strings.Contains(result, "火星") {
		t.Errorf("the result: %s", result)
	}
	official.json(200, "GET", "/v1/reviews", "")

	// The offline copy of an app has all of it.
	var feed struct {
		Items []struct {
			ID     string `json:"id"`
			Change string `json:"change"`
		} `json:"items"`
	}
	s.get("/v1/changes?region=630102&limit=100", &feed)
	if !slices.ContainsFunc(feed.Items, func(i struct {
		ID     string `json:"id"`
		Change string `json:"change"`
	}) bool {
		return i.ID == id && i.Change == "put"
	}) {
		t.Errorf("the feed of %d changes lacks it", len(feed.Items))
	}
	official.json(200, "POST", "/v1/listings/"+id+"/suspension", `{"reasons":["complaint"],"text":"投诉查实"}`)
	s.until("a suspended listing is gone", func() bool { return !isFirst() })
	s.end()

	s = serve(t, "--data-dir", dir)
	if isFirst := s.search("麒麟河畔家政"); len(isFirst.Items) > 0 && isFirst.Items[0].ID == id {
		t.Error("it is back after a restart")
	}
	s.end()
}
