package handlers

import (
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

func statistician(bureau directory.Bureau, region string) directory.Grant {
	return directory.Grant{Role: directory.Official, Bureau: bureau, Region: region, Powers: []directory.Power{directory.StatisticsPower}}
}

func TestReturnForms(t *testing.T) {
	f := newFixture(t, nil)
	w := walk{fixture: f, t: t}
	w.want(w.step(200, "GET", "/v1/stats/forms?lang=en", ""), map[string]any{
		"items.#": 6.0, "items.0.code": "elder_care", "items.0.kind": "elder_care", "items.0.bureau.name": "Civil affairs", "items.0.policy": "三·十",
		"items.0.fields.1.code": "beds_nursing", "items.0.fields.1.at_most": "beds_total", "items.0.fields.1.name": "Nursing beds", "items.0.fields.1.unit.names.zh": "张",
		"items.0.fields.0.at_most": nil, "items.0.fields.0.counted": "at_end", "items.2.fields.1.counted": "in_month", "items.0.evidence_required": false,
		"items.3.kind": nil, "items.3.evidence_required": true, "deadline_day": 8.0, "months": 24.0, "tolerance_percent": 30.0,
	})
	tag := f.get(t, "/v1/stats/forms").Header.Get("ETag")
	if a := f.get(t, "/v1/stats/forms", "If-None-Match", tag); a.StatusCode != 304 {
		t.Errorf("%d", a.StatusCode)
	}
}

// TestReturnFromStartToFinish follows a home's return: refused with all that is wrong,
// tried, submitted, sent back, approved and corrected.
func TestReturnFromStartToFinish(t *testing.T) {
	f := newFixture(t, nil)
	firm := directory.Grant{Role: directory.Owner, Organization: freshID(t)}
	home := f.proposed(t, firm.Organization, "630223")
	if _, err := f.store.Listings.Update(t.Context(), home, func(l *directory.Listing) error { l.CreatedAt = noon.AddDate(0, -3, 0); return nil }); err != nil {
		t.Fatal(err)
	}
	owner, official := f.person(t, firm), f.person(t, statistician(directory.CivilAffairs, "630223"))
	statistics := f.person(t, statistician(directory.Statistics, "630200"))
	path := func(month string) string { return "/v1/stats/returns/elder_care/" + month + "/" + home }
	content := func(residents string) string {
		return `"values":{"beds_total":100,"beds_nursing":50,"beds_socially_run":0,"residents":` + residents + `,"staff":20,"staff_nursing":10}`
	}
	const none = "If-None-Match"

	// Who is missing.
	missing := "/v1/stats/returns:missing?form=elder_care&region=630223"
	shown := map[string]any{
		"form.name": "养老机构月报", "month": "2026-10", "deadline": "2026-11-09T16:00:00Z", "past_deadline": true, "expected": 1.0, "missing": 1.0, "late": 0.0,
		"items.#": 1.0, "items.0.subject.id": home, "items.0.subject.name": "湟水养老院630223", "items.0.organization.id": firm.Organization, "items.0.region.code": "630223",
		"items.0.returned": false, "next_cursor": nil,
	}
	official.want(official.step(200, "GET", missing, ""), shown)
	statistics.want(statistics.step(200, "GET", missing, ""), shown)
	official.want(official.step(400, "GET", "/v1/stats/returns:missing?month=2026-11&region=630299", ""), map[string]any{"errors.#": 3.0})

	// The month before, late.
	owner.step(404, "GET", path("2026-09"), "")
	owner.step(428, "PUT", path("2026-09"), "{"+content("80")+"}")
	owner.step(412, "PUT", path("2026-09"), "{"+content("80")+"}", "If-Match", "*")
	owner.want(owner.step(201, "PUT", path("2026-09"), "{"+content("80")+"}", none, "*"), map[string]any{"late": true, "before": nil, "approved": nil, "decides": false})
	owner.step(412, "PUT", path("2026-09"), "{"+content("81")+"}", none, "*")
	owner.step(428, "PUT", path("2026-09"), "{"+content("81")+"}")

	// Everything that is wrong at once: what the contract says, the form, and the month
	// before.
	body := `{"values":{"beds_total":50,"beds_nursing":51,"beds_socially_run":"none","residents":40,"staff":20.5,"rooms":3},"explanations":{"x":"y"},"evidence":7}`
	wrong := decode[struct{ Errors []directory.FieldError }](t, f.request(t, "PUT", path("2026-10"), body, owner.bearer...))
	var got []string
	for _, e := range wrong.Errors {
		got = append(got, e.String())
	}
	for _, want := range []string{
		"/values/beds_socially_run bad_format", "/values/staff bad_format", "/evidence bad_format", "/values/beds_nursing too_large (50)", "/values/staff_nursing required",
		"/values/rooms unknown_field", "/explanations/x unknown_field", "/explanations/beds_total required (100)", "/explanations/residents required (80)",
	} {
		if strings.Count(strings.Join(got, "\n"), want) != 1 {
			t.Errorf("nothing or too much says %s", want)
		}
	}
	if len(got) != 9 {
		t.Errorf("%d fields are wrong: %q", len(got), got)
	}
	explained := owner.step(400, "PUT", path("2026-10"), "{"+content("40")+"}", none, "*")
	owner.want(explained, map[string]any{"errors.0.pointer": "/explanations/residents", "errors.0.message": "与上月的 80 相差较大，请说明原因。"})
	for month, limit := range map[string]string{"2026-11": "2026-10", "2024-10": "2024-11"} {
		owner.want(owner.step(400, "PUT", path(month), "{"+content("101")+"}", none, "*"), map[string]any{"errors.#": 2.0, "errors.0.parameter": "month", "errors.0.limit": limit})
	}
	for _, bad := range []string{"/v1/stats/returns/elder_care/2026-13/" + home, "/v1/stats/returns/elder_care/0000-01/" + home, "/v1/stats/returns/homes/2026-10/" + home, "/v1/stats/returns/elder_care/2026-10/x"} {
		owner.step(400, "GET", bad, "")
		owner.step(400, "PUT", bad, "{"+content("80")+"}", none, "*")
	}
	owner.step(400, "PUT", path("2026-10"), "", none, "*")
	owner.step(404, "PUT", "/v1/stats/returns/childcare/2026-10/"+home, "{"+content("80")+"}", none, "*")
	owner.step(404, "PUT", "/v1/stats/returns/elder_care/2026-10/630223", "{"+content("80")+"}", none, "*")

	// Tried, which stores nothing, and submitted.
	full := "{" + content("40") + `,"explanations":{"residents":"部分老人回家过冬"}}`
	tried := f.request(t, "PUT", path("2026-10")+"?dry_run=true", full, owner.bearer...)
	if tried.StatusCode != 200 || tried.Header.Get("ETag") != "" {
		t.Errorf("trying: %d %v %s", tried.StatusCode, tried.Header, tried.body)
	}
	owner.step(404, "GET", path("2026-10"), "")
	owner.want(owner.step(201, "PUT", path("2026-10"), full, none, "*"), map[string]any{
		"form.code": "elder_care", "month": "2026-10", "state.code": "submitted", "state.name": "待审核", "before.residents": 80.0, "versions.#": 1.0,
		"versions.0.values.residents": 40.0, "versions.0.explanations.residents": "部分老人回家过冬", "versions.0.submitted_by": owner.id(), "versions.0.decision": nil, "correction": false,
	})
	f.person(t, directory.Grant{Role: directory.Owner, Organization: freshID(t)}).step(404, "GET", path("2026-10"), "")

	// Sent back, and again.
	queue := "/v1/stats/forms/elder_care/returns?state=submitted&region=630223"
	official.want(official.step(200, "GET", queue+"&limit=1", ""), map[string]any{"items.#": 1.0, "items.0.month": "2026-10", "items.0.decides": true, "next_cursor": "*"})
	statistics.want(statistics.step(200, "GET", queue+"&month=2026-10", ""), map[string]any{"items.#": 1.0, "items.0.decides": false, "items.0.organization.legal_name": "湟水养老服务有限公司"})
	official.step(428, "POST", path("2026-10")+"/approval", "")
	statistics.step(403, "POST", path("2026-10")+"/approval", "", "If-Match", "*")
	official.want(official.step(400, "POST", path("2026-10")+"/return", `{"reason":" "}`, "If-Match", "*"), map[string]any{"errors.0.pointer": "/reason"})
	official.want(official.step(200, "POST", path("2026-10")+"/return", `{"reason":"床位数与备案不符"}`, "If-Match", `"r1"`), map[string]any{
		"state.code": "returned", "versions.0.decision.by": official.id(), "versions.0.decision.reason": "床位数与备案不符"})
	if text := owner.inbox()["return_returned"]; text != "“湟水养老院630223”2026-10 的养老机构月报被退回：床位数与备案不符" {
		t.Errorf("the owner is told %q", text)
	}
	official.want(official.step(200, "GET", missing, ""), map[string]any{"missing": 1.0, "items.0.returned": true})
	owner.want(owner.step(200, "GET", path("2026-10"), ""), map[string]any{"versions.0.decision.by": nil, "versions.0.decision.reason": "床位数与备案不符"})
	owner.step(412, "PUT", path("2026-10"), full, "If-Match", `"r1"`)
	again := f.request(t, "PUT", path("2026-10"), full, append([]string{"If-Match", `"r2"`}, owner.bearer...)...)
	official.step(412, "POST", path("2026-10")+"/approval", "", "If-Match", `"r2"`)
	official.want(official.step(200, "POST", path("2026-10")+"/approval", "", "If-Match", again.Header.Get("ETag")), map[string]any{"state.code": "approved", "approved.residents": 40.0, "decides": false})
	official.want(official.step(409, "POST", path("2026-10")+"/approval", "", "If-Match", "*"), map[string]any{"detail": "没有待审核的报表，或已有决定。"})

	// Corrected: the approved figures count on.
	correction := strings.Replace(full, `"residents":40`, `"residents":42`, 1)
	owner.want(owner.step(400, "PUT", path("2026-10"), correction, "If-Match", "*"), map[string]any{"errors.#": 1.0, "errors.0.pointer": "/reason"})
	owner.want(owner.step(200, "PUT", path("2026-10"), strings.TrimSuffix(correction, "}")+`,"reason":"漏报两人"}`, "If-Match", "*"), map[string]any{
		"state.code": "submitted", "correction": true, "approved.residents": 40.0, "versions.#": 3.0, "versions.2.reason": "漏报两人"})
	official.want(official.step(200, "GET", missing, ""), map[string]any{"missing": 0.0, "approved": 1.0, "submitted": 0.0, "late": 1.0})
	official.want(official.step(200, "POST", path("2026-10")+"/approval", "", "If-Match", "*"), map[string]any{"correction": false, "approved.residents": 42.0})
	owner.want(owner.step(200, "GET", "/v1/organizations/"+firm.Organization+"/returns", ""), map[string]any{"items.#": 2.0, "items.0.month": "2026-10", "items.1.month": "2026-09"})
	owner.want(owner.step(200, "GET", "/v1/organizations/"+firm.Organization+"/returns?state=approved", ""), map[string]any{"items.#": 1.0, "items.0.subject.name": "湟水养老院630223"})
}

// TestReturnOfACounty is reported by the county and approved above it.
func TestReturnOfACounty(t *testing.T) {
	f := newFixture(t, nil)
	county, prefecture := f.person(t, statistician(directory.Health, "632722")), f.person(t, statistician(directory.Health, "632700"))
	const path = "/v1/stats/returns/county_health/2026-10/632722"
	body := `{"values":{"families":600,"families_guided":590},"evidence":"杂卫健〔2026〕12号"}`
	county.want(county.step(400, "PUT", path, `{"values":{"families":600,"families_guided":601}}`, "If-None-Match", "*"), map[string]any{
		"errors.#": 2.0, "errors.0.pointer": "/values/families_guided", "errors.0.limit": "600", "errors.1.pointer": "/evidence"})
	county.want(county.step(201, "PUT", path, body, "If-None-Match", "*"), map[string]any{"subject.name": "杂多县", "organization": nil, "bureau.name": "卫健", "decides": false, "demo": false})
	county.step(403, "POST", path+"/approval", "", "If-Match", "*")
	prefecture.want(prefecture.step(200, "POST", path+"/approval", "", "If-Match", "*"), map[string]any{"approved.families": 600.0})

	// The list of who is missing goes by pages.
	seen := map[string]bool{}
	for cursor := ""; ; {
		page := decode[struct {
			Items []struct{ Subject struct{ ID string } }
			Next  *string `json:"next_cursor"`
		}](t, f.get(t, "/v1/stats/returns:missing?form=county_health&limit=2"+cursor, prefecture.bearer...))
		for _, i := range page.Items {
			seen[i.Subject.ID] = true
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if len(seen) != 5 || seen["632722"] {
		t.Errorf("missing are %v", seen)
	}

	// Reminders read well in both languages. Tests share the store, so that another may
	// have been told of a later month.
	if err := f.store.Meta.Remove(t.Context(), "return reminders"); err != nil {
		t.Fatal(err)
	}
	f.clock.To(time.Date(2026, 12, 1, 8, 0, 0, 0, directory.Shanghai))
	again := f.person(t, statistician(directory.Health, "632722"))
	if err := f.api.Statistics.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.inboxSays("zh", "请在 2026-12-08 前报送 2026-11 的县区月报（卫健）：杂多县（共 1 份）。")
	again.inboxSays("en", "Monthly return of a county, health, 2026-11: please report by 2026-12-08: 杂多县 (1 in all).")
	f.clock.To(time.Date(2026, 12, 9, 0, 0, 0, 0, directory.Shanghai))
	above := f.person(t, statistician(directory.Health, "632700"))
	if err := f.api.Statistics.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	above.inboxSays("zh", "2026-11 的县区月报（卫健）已截止，玉树藏族自治州还有 6 份未报。")
}

// inboxSays fails unless a message reads like this.
func (w walk) inboxSays(lang, want string) {
	w.t.Helper()
	body := string(w.get(w.t, "/v1/me/notifications?lang="+lang, w.bearer...).body)
	if !strings.Contains(body, want) {
		w.t.Errorf("nothing says %q: %s", want, body)
	}
}
