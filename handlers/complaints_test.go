package handlers

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

func complaintsOfficial(bureau directory.Bureau, region string) directory.Grant {
	return directory.Grant{Role: directory.Official, Bureau: bureau, Region: region, Powers: []directory.Power{directory.ComplaintsPower}}
}

// signedIn signs a phone in anew, because the clock has been moved.
func (f *fixture) signedIn(t *testing.T, phone string) walk {
	t.Helper()
	return walk{f, t, f.signIn(t, phone).bearer()}
}

// freshID is an id that no test has used.
func freshID(t *testing.T) string {
	t.Helper()
	id, err := directory.NewID(noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// evidence uploads a picture as evidence and returns its id.
func (w walk) evidence() string {
	w.t.Helper()
	id, _ := textOf(w.step(201, "POST", "/v1/me/photos?purpose=evidence", newPicture(w.t), "Content-Type", "image/png"), "id")
	return id
}

// official takes a step in the version that is there.
func (w walk) official(path, step, body string) any {
	w.t.Helper()
	return w.step(200, "POST", path+"/"+step, body, "If-Match", w.get(w.t, path, w.bearer...).Header.Get("ETag"))
}

func (f *fixture) sweepComplaints(t *testing.T) {
	t.Helper()
	if err := f.api.Consumer.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestComplaintFromStartToFinish walks through a whole life: filed, accepted, asked,
// supplied, answered, mediated, resolved, reopened, resolved, closed, and the
// questionnaire.
func TestComplaintFromStartToFinish(t *testing.T) {
	f := newFixture(t, nil)
	firm := directory.Grant{Role: directory.Owner, Organization: freshID(t)}
	listing := f.proposed(t, firm.Organization, "630222")
	civil := complaintsOfficial(directory.CivilAffairs, "630222")
	phone := newPhone()
	ann, owner, official := f.signedIn(t, phone), f.person(t, firm), f.person(t, civil)
	official.inbox()
	owner.inbox()

	// Refusals first, each with everything that is wrong.
	stranger := walk{fixture: f, t: t}
	stranger.step(401, "POST", "/v1/complaints", `{}`)
	ann.want(ann.step(400, "POST", "/v1/complaints", `{"rating":"x","text":" ","want":7}`), map[string]any{"errors.#": 4.0})
	ann.want(ann.step(400, "POST", "/v1/complaints", `{"subject":"price","text":"多收"}`), map[string]any{"errors.#": 1.0, "errors.0.pointer": "/listing"})
	ann.want(ann.step(409, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"price","text":"多收"}`, "Authorization", owner.bearer[1]),
		map[string]any{"detail": "不能投诉自己所属的机构。"})

	photo := ann.evidence()
	body := `{"listing":"` + listing + `","subject":"price","text":"多收了500元，电话13800138000\n见照片","want":"退款","evidence":["` + photo + `"],"for_family":true}`
	filed := ann.step(201, "POST", "/v1/complaints", body, "Idempotency-Key", "walk-0001")
	ann.want(filed, map[string]any{
		"side": "resident", "state.code": "filed", "state.name": "待受理", "subject.name": "价格收费", "text": "多收了500元，电话***********\n见照片", "masked": true, "want": "退款",
		"listing.id": listing, "listing.name": "湟水养老院630222", "organization.id": firm.Organization, "booking": nil, "bureau.code": "civil_affairs", "region.code": "630222",
		"waiting_for": "official", "due_at": "2026-12-02T16:00:00Z", "overdue": false, "answer_due": nil, "evidence.0.id": photo, "for_family": true,
		"history.#": 1.0, "official": nil, "reopen_until": nil, "questionnaire": nil, "reference": nil, "similar": nil,
	})
	id, _ := textOf(filed, "id")
	path := "/v1/complaints/" + id
	ann.want(ann.step(200, "POST", "/v1/complaints", body, "Idempotency-Key", "walk-0001"), map[string]any{"id": id})
	ann.want(ann.step(409, "POST", "/v1/complaints", strings.Replace(body, "退款", "道歉", 1), "Idempotency-Key", "walk-0001"), map[string]any{"detail": "这个 Idempotency-Key 已用于另一内容。"})
	ann.want(ann.step(409, "POST", "/v1/complaints", body), map[string]any{"detail": "您对此已有一件投诉正在处理，可在其中补充。"})
	ann.want(ann.step(200, "GET", "/v1/complaints", ""), map[string]any{"items.#": 1.0, "items.0.id": id, "next_cursor": nil})

	// The firm does not hear of it before it is accepted, and nobody else ever.
	for name, w := range map[string]walk{"the firm": owner, "somebody": f.person(t), "another bureau": f.person(t, complaintsOfficial(directory.Health, "630222"))} {
		if a := f.get(t, path, w.bearer...); a.StatusCode != 404 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	walk{f, t, f.withoutSecondFactor(t, civil)}.step(401, "GET", path, "")
	owner.want(owner.step(200, "GET", "/v1/organizations/"+firm.Organization+"/complaints", ""), map[string]any{"items.#": 0.0})

	// An official finds it in the queue.
	if text := official.inbox()["complaint_waiting"]; text != "有一件关于“湟水养老院630222”的投诉待处理，期限为 2026-12-02。" {
		t.Errorf("the official is told %q", text)
	}
	f.clock.Advance(time.Minute)
	second, _ := textOf(f.person(t).step(201, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"quality","text":"饭菜差"}`), "id")
	official.want(official.step(200, "GET", "/v1/complaint-queue?state=filed&region=630222", ""), map[string]any{"items.#": 2.0, "items.0.id": id, "items.0.similar": 1.0})
	official.want(official.step(200, "GET", path, ""), map[string]any{"official.similar": []any{second}})
	official.want(official.official("/v1/complaints/"+second, "refuse", `{"text":"不属于消费争议"}`), map[string]any{"state.name": "不予受理"})
	official.want(official.step(200, "GET", "/v1/complaint-queue?overdue=true&region=630222", ""), map[string]any{"items.#": 0.0})
	shown := official.step(200, "GET", path, "")
	official.want(shown, map[string]any{"side": "official", "official.decides": true, "official.phone": phone[:3] + "****" + phone[7:], "official.similar.#": 0.0, "official.escalated": 0.0})
	official.step(428, "POST", path+"/accept", "")
	official.step(412, "POST", path+"/accept", "", "If-Match", `"k9"`)
	official.want(official.step(400, "POST", path+"/refuse", `{}`, "If-Match", "*"), map[string]any{"errors.0.pointer": "/text"})
	ann.step(403, "POST", path+"/accept", "", "If-Match", "*")
	accepted := official.official(path, "accept", `{"text":"已受理"}`)
	official.want(accepted, map[string]any{"state.code": "accepted", "waiting_for": "business", "answer_due": "2026-11-30T16:00:00Z", "history.1.by": "official", "history.1.account": official.id()})
	official.want(official.step(409, "POST", path+"/accept", "", "If-Match", "*"), map[string]any{"detail": "投诉当前的状态不允许这一步。"})
	if text := ann.inbox()["complaint_accepted"]; !strings.Contains(text, "湟水养老院630222") {
		t.Errorf("ann is told %q", text)
	}
	if text := owner.inbox()["complaint_received"]; text != "有一件关于“湟水养老院630222”的投诉，请在 2026-11-30 前答复。" {
		t.Errorf("the firm is told %q", text)
	}

	official.official(path, "ask", `{"text":"哪一天的费用？"}`)
	ann.want(ann.step(200, "GET", path, ""), map[string]any{"waiting_for": "resident", "history.2.text": "哪一天的费用？", "history.2.account": nil})
	more := ann.evidence()
	for range 2 { // an answer may have been lost
		ann.want(ann.step(200, "POST", path+"/supply", `{"text":"10月1日","evidence":["`+more+`"]}`), map[string]any{"waiting_for": "business", "evidence.#": 2.0, "history.#": 4.0})
	}
	ann.want(ann.step(400, "POST", path+"/supply", `{"text":"还有","evidence":["`+strings.Repeat("b", 64)+`"]}`), map[string]any{"errors.0.pointer": "/evidence/0"})

	// The firm sees it without who the resident is, and its photos.
	owner.want(owner.step(200, "GET", "/v1/organizations/"+firm.Organization+"/complaints?state=accepted", ""), map[string]any{"items.#": 1.0, "items.0.side": "business"})
	for size, status := range map[string]int{"thumb": 200, "large": 200} {
		for _, w := range []walk{ann, owner, official} {
			a := f.get(t, path+"/photos/"+photo+"/"+size+".jpg", w.bearer...)
			if a.StatusCode != status || a.Header.Get("Cache-Control") != "private, no-store" {
				t.Errorf("the photo: %d %v", a.StatusCode, a.Header)
			}
		}
	}
	owner.step(404, "GET", path+"/photos/"+strings.Repeat("b", 64)+"/thumb.jpg", "")
	f.person(t).step(404, "GET", path+"/photos/"+photo+"/thumb.jpg", "")
	if a := f.get(t, "/v1/photos/"+photo+"/thumb.jpg"); a.StatusCode != 404 {
		t.Errorf("everybody sees it: %d", a.StatusCode)
	}
	owner.want(owner.step(200, "POST", path+"/answer", `{"text":"将退还，请致电0971-6123456"}`), map[string]any{"waiting_for": "official", "answer_due": nil, "history.4.masked": true, "history.4.text": "将退还，请致电****-*******"})
	official.official(path, "mediate", "")
	resolved := official.official(path, "resolve", `{"text":"机构退款300元"}`)
	official.want(resolved, map[string]any{"state.code": "resolved", "due_at": nil, "waiting_for": nil, "settled_at": "*"})
	for kind, w := range map[string]walk{"ann": ann, "the firm": owner} {
		if w.inbox()["complaint_resolved"] != "关于“湟水养老院630222”的投诉已解决。" {
			t.Errorf("%s is not told", kind)
		}
	}
	ann.want(ann.step(200, "GET", path, ""), map[string]any{"reopen_until": noon.Add(time.Minute + 15*24*time.Hour).UTC().Format(time.RFC3339)})
	ann.step(409, "POST", path+"/questionnaire", `{"solved":true}`) // nobody has asked

	// Not all of it was paid back.
	ann.want(ann.step(200, "POST", path+"/reopen", `{"text":"只退了100元"}`), map[string]any{"state.code": "accepted", "waiting_for": "business", "reopen_until": nil, "settled_at": nil})
	official.official(path, "resolve", `{"text":"已全部退还"}`)
	official.want(official.official(path, "close", ""), map[string]any{"state.code": "closed"})
	f.clock.Advance(28 * 24 * time.Hour)
	ann = f.signedIn(t, phone)
	f.sweepComplaints(t)
	if text := ann.inbox()["complaint_asks_solved"]; text != "您投诉的“湟水养老院630222”的问题解决了吗？请回答。" {
		t.Errorf("ann is asked %q", text)
	}
	ann.want(ann.step(409, "POST", path+"/reopen", `{"text":"仍然"}`), map[string]any{"detail": "已超过可以重新处理的期限。"})
	ann.step(400, "POST", path+"/questionnaire", `{}`)
	ann.want(ann.step(200, "POST", path+"/questionnaire", `{"solved":false,"text":"又多收了"}`), map[string]any{"questionnaire.solved": false, "reopen_until": "*"})
	ann.want(ann.step(409, "POST", path+"/questionnaire", `{"solved":true}`), map[string]any{"detail": "没有待回答的问卷，或已回答。"})
	if a := f.get(t, path, f.as(t, firm)...); a.StatusCode != 200 || strings.Contains(string(a.body), "又多收了") || strings.Contains(string(a.body), `"confirm"`) {
		t.Errorf("the firm reads the questionnaire: %d %s", a.StatusCode, a.body)
	}
	ann.want(ann.step(200, "POST", path+"/reopen", `{"text":"仍然"}`), map[string]any{"state.code": "accepted"})
	ann.want(ann.step(200, "GET", "/v1/me/export", ""), map[string]any{"complaints.#": 1.0, "complaints.0.id": id, "complaints.0.want": "退款", "complaints.0.official": nil})
	ann.want(ann.step(200, "POST", path+"/withdraw", ""), map[string]any{"state.code": "withdrawn"})
}

// TestComplaintIsTransferredAndHandedOver: another bureau takes it over and hands it
// on to 12315; the first one can still read it.
func TestComplaintIsTransferredAndHandedOver(t *testing.T) {
	f := newFixture(t, nil)
	organization := freshID(t)
	listing := f.proposed(t, organization, "630223")
	ann, owner := f.person(t), f.person(t, directory.Grant{Role: directory.Staff, Organization: organization})
	civil, market := f.person(t, complaintsOfficial(directory.CivilAffairs, "630200")), f.person(t, complaintsOfficial(directory.MarketRegulation, "630200"))
	id, _ := textOf(ann.step(201, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"contract","text":"不退押金"}`), "id")
	path := "/v1/complaints/" + id
	market.step(404, "GET", path, "")
	civil.official(path, "accept", "")
	civil.want(civil.step(400, "POST", path+"/transfer", `{"bureau":"market_regulation","region":"630223"}`, "If-Match", "*"), map[string]any{"errors.0.pointer": "/text"})
	civil.want(civil.step(400, "POST", path+"/transfer", `{"bureau":"market_regulation","region":"639999","text":"合同"}`, "If-Match", "*"), map[string]any{"errors.0.pointer": "/region"})
	civil.want(civil.official(path, "transfer", `{"bureau":"market_regulation","text":"涉及合同，请市监部门处理"}`), map[string]any{
		"bureau.code": "market_regulation", "region.code": "630223", "official.decides": false, "side": "official",
		"history.2.from.bureau.code": "civil_affairs", "history.2.to.bureau.name": "市监", "history.2.to.region.name": "*", "history.2.text": "涉及合同，请市监部门处理",
	})
	if text := ann.inbox()["complaint_transferred"]; text == "" {
		t.Error("ann is not told of the transfer")
	}
	if text := market.inbox()["complaint_waiting"]; text == "" { // there is nobody in the county
		t.Error("the prefecture is not told")
	}
	civil.step(200, "GET", path, "")
	civil.step(403, "POST", path+"/mediate", "", "If-Match", "*")
	civil.want(civil.step(200, "GET", "/v1/complaint-queue?region=630223&state=accepted", ""), map[string]any{"items.#": 0.0})
	market.want(market.step(200, "GET", "/v1/complaint-queue?region=630223&state=accepted", ""), map[string]any{"items.#": 1.0, "items.0.id": id})
	market.want(market.step(400, "POST", path+"/hand-over", `{}`, "If-Match", "*"), map[string]any{"errors.0.pointer": "/reference"})
	market.official(path, "fail", `{"text":"双方未达成一致"}`)
	market.want(market.official(path, "hand-over", `{"reference":"1630200202611230001"}`), map[string]any{"state.code": "handed_over", "state.name": "已移交12315", "reference": "1630200202611230001"})
	for name, w := range map[string]walk{"ann": ann, "the firm": owner} {
		if text := w.inbox()["complaint_handed_over"]; !strings.Contains(text, "1630200202611230001") {
			t.Errorf("%s is told %q", name, text)
		}
		w.want(w.step(200, "GET", path, ""), map[string]any{"reference": "1630200202611230001", "history.2.account": nil})
	}
	ann.step(409, "POST", path+"/reopen", `{"text":"不满意"}`)
}

// TestFirmDoesNotSeeTheResident: whatever the firm is sent about a complaint, a
// booking and its resident cannot be found in it.
func TestFirmDoesNotSeeTheResident(t *testing.T) {
	f := newFixture(t, nil)
	organization := freshID(t)
	listing := f.proposed(t, organization, "630202")
	phone := newPhone()
	ann, owner, official := f.signedIn(t, phone), f.person(t, directory.Grant{Role: directory.Owner, Organization: organization}), f.person(t, complaintsOfficial(directory.CivilAffairs, "630202"))
	account := ann.id()
	ann.step(200, "PATCH", "/v1/me", `{"name":"才让卓玛"}`, "If-Match", "*")
	booking := freshID(t)
	if _, err := f.store.Bookings.Insert(t.Context(), directory.Booking{ID: booking, Account: account, Listing: listing, Organization: organization, State: directory.BookingCompleted}); err != nil {
		t.Fatal(err)
	}
	f.person(t).step(404, "POST", "/v1/complaints", `{"booking":"`+booking+`","subject":"no_show","text":"没来"}`)
	filed := ann.step(201, "POST", "/v1/complaints", `{"booking":"`+booking+`","subject":"no_show","text":"没来，我的号码是`+phone+`"}`)
	ann.want(filed, map[string]any{"booking": booking})
	id, _ := textOf(filed, "id")
	path := "/v1/complaints/" + id
	official.official(path, "accept", "")
	ann.step(200, "POST", path+"/supply", `{"text":"请打`+phone+`"}`)
	official.want(official.step(200, "GET", path, ""), map[string]any{"booking": booking})
	answered := f.request(t, "POST", path+"/answer", `{"text":"已道歉"}`, owner.bearer...)
	for name, a := range map[string]answer{
		"the complaint": f.get(t, path, owner.bearer...), "the list": f.get(t, "/v1/organizations/"+organization+"/complaints", owner.bearer...),
		"the answer": answered, "the inbox": f.get(t, "/v1/me/notifications", owner.bearer...),
	} {
		if a.StatusCode != 200 {
			t.Fatalf("%s: %d %s", name, a.StatusCode, a.body)
		}
		for _, secret := range []string{account, phone, phone[:3] + "****" + phone[7:], "才让卓玛", booking, official.id()} {
			if strings.Contains(string(a.body), secret) {
				t.Errorf("%s has %s: %s", name, secret, a.body)
			}
		}
	}
}

// TestOfficialsOfTheFirm do not decide about it, nor learn who has complained.
func TestOfficialsOfTheFirm(t *testing.T) {
	f := newFixture(t, nil)
	organization := freshID(t)
	listing := f.proposed(t, organization, "630224")
	own := f.person(t, complaintsOfficial(directory.CivilAffairs, "630224"), directory.Grant{Role: directory.Staff, Organization: organization})
	ann, admin := f.person(t), f.person(t, admin)
	id, _ := textOf(ann.step(201, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"price","text":"多收"}`), "id")
	path := "/v1/complaints/" + id
	own.step(403, "GET", path, "")
	own.step(403, "POST", path+"/accept", "", "If-Match", "*")
	own.want(own.step(200, "GET", "/v1/complaint-queue?region=630224&state=filed", ""), map[string]any{"items.#": 0.0})
	admin.official(path, "accept", "")
	own.want(own.step(200, "GET", path, ""), map[string]any{"side": "business", "official": nil})
	own.step(403, "POST", path+"/resolve", `{"text":"了结"}`, "If-Match", "*")
	// Nor do officials about what they have filed themselves.
	ben := f.person(t, complaintsOfficial(directory.CivilAffairs, "630224"))
	id, _ = textOf(ben.step(201, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"price","text":"多收"}`), "id")
	ben.want(ben.step(200, "GET", "/v1/complaints/"+id, ""), map[string]any{"side": "resident", "official": nil})
	ben.step(403, "POST", "/v1/complaints/"+id+"/accept", "", "If-Match", "*")
	admin.official("/v1/complaints/"+id, "refuse", `{"text":"不属于消费争议"}`)
}

// TestComplaintIsRedacted: what was there by accident cannot be found any more.
func TestComplaintIsRedacted(t *testing.T) {
	f := newFixture(t, nil)
	organization := freshID(t)
	listing := f.proposed(t, organization, "630202")
	ann, official := f.person(t), f.person(t, complaintsOfficial(directory.CivilAffairs, "630202"))
	photo := ann.evidence()
	id, _ := textOf(ann.step(201, "POST", "/v1/complaints", `{"listing":"`+listing+`","subject":"attitude","text":"护工王小花骂人","evidence":["`+photo+`"]}`), "id")
	path := "/v1/complaints/" + id
	ann.step(200, "POST", path+"/supply", `{"text":"王小花又来"}`)
	official.want(official.step(400, "POST", path+"/redact", `{}`, "If-Match", "*"), map[string]any{"errors.#": 1.0})
	official.want(official.step(400, "POST", path+"/redact", `{"text":"略","event":9}`, "If-Match", "*"), map[string]any{"errors.0.pointer": "/event"})
	official.official(path, "redact", `{"text":"护工骂人","evidence":["`+photo+`"]}`)
	official.want(official.official(path, "redact", `{"text":"又来","event":1}`), map[string]any{"text": "护工骂人", "evidence.#": 0.0, "history.1.text": "又来", "history.2.action": "redact", "history.3.text": ""})
	ann.step(404, "GET", path+"/photos/"+photo+"/thumb.jpg", "")
	doc, err := f.store.Complaints.Get(t.Context(), id)
	if err != nil || strings.Contains(doc.Value.Text+doc.Value.History[1].Text, "王小花") {
		t.Errorf("%+v, %v", doc.Value, err)
	}
	lines := decode[struct {
		Items []struct{ Subject, Detail, Actor string }
	}](t, f.get(t, "/v1/audit?action=complaint&limit=100", official.bearer...))
	noted := 0
	for _, e := range lines.Items {
		if e.Subject == id && e.Detail == "redact" && e.Actor == official.id() {
			noted++
		}
	}
	if noted != 2 {
		t.Errorf("%d of 2 redactions are in the audit log", noted)
	}
}

// TestComplaintFiguresArePublic from the tenth settled complaint on.
func TestComplaintFiguresArePublic(t *testing.T) {
	f := newFixture(t, nil)
	listing := f.proposed(t, freshID(t), "630202")
	path := "/v1/listings/" + listing + "/complaint-figures"
	stranger := walk{fixture: f, t: t}
	settle := func(n int, action directory.ComplaintAction) {
		for i := range n {
			k := directory.Complaint{ID: listing + string(action) + string(rune('a'+i)), Account: "x", Listing: listing}
			k.Begin(noon.AddDate(0, 0, -7), f.calendar)
			for _, step := range []directory.ComplaintAction{directory.StepAccept, action} {
				if _, err := k.Take(directory.ComplaintStep{Action: step, By: directory.OfficialSide, Text: "说明", At: noon}, f.calendar); err != nil {
					t.Fatal(err)
				}
			}
			k.Account, k.Told = "", len(k.History)
			if _, err := f.store.Complaints.Upsert(t.Context(), []directory.Complaint{k}); err != nil {
				t.Fatal(err)
			}
		}
	}
	settle(6, directory.StepResolve)
	settle(3, directory.StepFail)
	stranger.want(stranger.step(200, "GET", path, ""), map[string]any{"state": "too_few", "received": nil, "resolved": nil, "median_workdays": nil, "demo_data": true})
	settle(4, directory.StepFail) // one more
	shown := f.get(t, path)
	stranger.want(decode[any](t, shown), map[string]any{"state": "shown", "received": 10.0, "resolved.share": 0.6, "resolved.low": 0.3127, "resolved.high": 0.8318, "resolved.n": 10.0, "median_workdays": 5.0})
	if a := f.get(t, path, "If-None-Match", shown.Header.Get("ETag")); a.StatusCode != 304 {
		t.Errorf("%d", a.StatusCode)
	}
	stranger.step(404, "GET", "/v1/listings/"+draftID+"/complaint-figures", "")
	docs, err := f.store.Complaints.All(t.Context(), store.Where(store.Equal("listing", listing)))
	if err != nil || len(docs) != 10 {
		t.Errorf("%d, %v", len(docs), err)
	}
}
