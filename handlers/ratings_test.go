package handlers

import (
	"bytes"
	"crypto/rand"
	"image/png"
	"strings"
	"testing"
	"time"

	qr "github.com/piglig/go-qr"

	"qingfu/directory"
)

// ratedListing is a published listing of an organization of its own, with an owner.
func (f *fixture) ratedListing(t *testing.T) (listing, organization string, owner walk) {
	t.Helper()
	organization, err := directory.NewID(f.clock.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	listing = f.proposed(t, organization, "630202")
	return listing, organization, f.person(t, directory.Grant{Role: directory.Owner, Organization: organization})
}

// tally counts the ratings, as a server does all the time.
func (f *fixture) tally(t *testing.T) {
	t.Helper()
	if err := f.api.Consumer.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestRatingsFromInvitationToFigure follows ratings by HTTP alone: a firm invites
// people after a service, they rate it, and the figure appears when there are enough.
func TestRatingsFromInvitationToFigure(t *testing.T) {
	f := newFixture(t, nil)
	listing, organization, owner := f.ratedListing(t)
	path := "/v1/listings/" + listing
	stranger := walk{fixture: f, t: t}
	stranger.want(stranger.step(200, "GET", path+"/ratings", ""), map[string]any{
		"summary.state": "too_few", "summary.n": 0.0, "summary.levels": nil, "levels.#": 5.0, "levels.4.name": "非常满意", "levels.4.names.bo": "*", "levels.4.names.en": "Very satisfied",
		"by_origin.#": 3.0, "items.#": 0.0, "next_cursor": nil,
	})
	owner.want(owner.step(400, "POST", path+"/rating-invitations", `{"phone":"123","served_on":"2026-02-31","colour":1}`), map[string]any{"errors.#": 3.0})
	owner.want(owner.step(400, "POST", path+"/rating-invitations", `{"phone":"13800138000","served_on":"2026-01-01","category":"food"}`), map[string]any{"errors.#": 2.0})
	// What the contract refuses stands beside what the rules do.
	owner.want(owner.step(400, "POST", path+"/rating-invitations", `{"phone":"09711234567","served_on":"2099-01-01","category":"food"}`), map[string]any{"errors.#": 3.0})
	owner.want(owner.step(400, "PUT", path+"/calendar", `{"hours":{"week":{"mon":["08:00-12:00","11:00-13:00"]}},"slot_minutes":7,"capacity":0,"notice_minutes":0,"horizon_days":30}`), map[string]any{"errors.#": 3.0})

	rate := func(level, text string) (walk, string) {
		f.clock.Advance(time.Second)
		phone := newPhone()
		made := owner.step(201, "POST", path+"/rating-invitations", `{"phone":"`+phone+`","served_on":"2026-11-20"}`)
		token, _ := textOf(made, "token")
		owner.want(made, map[string]any{"link": "https://qingfu.test/rate#invitation=" + token, "qr": "*", "used_at": nil})
		who := walk{f, t, f.signIn(t, phone).bearer()}
		who.want(who.step(200, "POST", "/v1/rating-invitations:open", `{"token":"`+token+`"}`), map[string]any{"listing": listing, "name": "*"})
		given := who.step(201, "POST", "/v1/ratings", `{"invitation":"`+token+`","level":`+level+`,"aspects":{"attitude":5},"text":"`+text+`","for_family":true}`)
		who.want(given, map[string]any{"state.code": "published", "origin.code": "invite", "proven": true, "for_family": true, "level.level": "*"})
		id, _ := textOf(given, "id")
		return who, id
	}
	ann, first := rate("2", "等了两个小时")
	for range 8 {
		rate("5", "")
	}
	f.tally(t)
	nine := stranger.step(200, "GET", path+"/ratings", "")
	stranger.want(nine, map[string]any{"summary.state": "too_few", "summary.n": 9.0, "summary.share": nil, "by_origin.1.n": 9.0, "by_origin.1.levels": nil, "items.#": 9.0, "items.8.level": nil, "items.8.text": "等了两个小时"})
	if strings.Contains(string(f.get(t, path+"/ratings").body), `"level":{"level"`) {
		t.Error("levels are told of fewer than ten ratings")
	}
	rate("4", "")
	f.tally(t)
	stranger.want(stranger.step(200, "GET", path+"/ratings", ""), map[string]any{
		"summary.state": "uncertain", "summary.n": 10.0, "summary.share": 0.9, "summary.thin": true, "summary.levels": []any{0.0, 1.0, 0.0, 1.0, 8.0}, "summary.share_from_3": 0.9, "summary.mean": 4.6,
		"by_origin.1.levels": []any{0.0, 1.0, 0.0, 1.0, 8.0}, "items.9.level.name": "不满意", "items.9.proven": true,
	})
	stranger.want(stranger.step(200, "GET", path, ""), map[string]any{"satisfaction.n": 10.0, "satisfaction.share": 0.9, "satisfaction.levels.1": 1.0})

	// The rater changes it, others find it helpful, the firm answers.
	ann.want(ann.step(200, "PUT", "/v1/ratings/"+first, `{"level":3,"text":"电话13800138000"}`), map[string]any{"level.level": 3.0, "edited": true, "text": "电话***********", "aspects.#": 0.0})
	bob := f.person(t)
	bob.step(204, "PUT", "/v1/ratings/"+first+"/helpful", "")
	bob.step(204, "PUT", "/v1/ratings/"+first+"/helpful", "")
	ann.step(409, "PUT", "/v1/ratings/"+first+"/helpful", "")
	owner.want(owner.step(200, "PUT", "/v1/ratings/"+first+"/reply", `{"text":"抱歉，已改进"}`), map[string]any{"reply.text": "抱歉，已改进", "reply.edited_at": nil})
	stranger.want(stranger.step(200, "GET", path+"/ratings?sort=helpful&lang=en&limit=1", ""), map[string]any{
		"items.0.id": first, "items.0.helpful": 1.0, "items.0.level.name": "Fairly satisfied", "items.0.reply.text": "抱歉，已改进", "next_cursor": "*",
	})
	stranger.want(stranger.step(200, "GET", path+"/ratings?proven=false", ""), map[string]any{"items.#": 0.0})
	owner.want(owner.step(200, "GET", "/v1/organizations/"+organization+"/ratings?limit=100", ""), map[string]any{"items.#": 10.0})
	owner.want(owner.step(200, "GET", "/v1/organizations/"+organization+"/rating-invitations?limit=100", ""), map[string]any{"items.#": 10.0, "items.0.used_at": "*"})
	ann.want(ann.step(200, "GET", "/v1/me/ratings", ""), map[string]any{"items.#": 1.0, "items.0.editable_until": "*"})
	ann.want(ann.step(200, "GET", "/v1/me/export", ""), map[string]any{"ratings.0.id": first})

	// Paging by votes meets every rating once.
	seen := map[string]bool{}
	for cursor := ""; ; {
		p := decode[page](t, f.get(t, path+"/ratings?sort=helpful&limit=3"+cursor))
		for _, item := range p.Items {
			if seen[item.ID] {
				t.Errorf("%s twice", item.ID)
			}
			seen[item.ID] = true
		}
		if p.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *p.NextCursor
	}
	if len(seen) != 10 {
		t.Errorf("%d ratings in all pages", len(seen))
	}
	ann.step(204, "DELETE", "/v1/ratings/"+first, "")
	bob.step(404, "GET", "/v1/ratings/"+first, "")
	ann.want(ann.step(200, "GET", "/v1/ratings/"+first, ""), map[string]any{"state.code": "withdrawn", "text": ""})
}

// TestAnOfficialLooksAtRatings: what a member of the firm says is held and reported
// ratings are queued, for the officials in charge alone.
func TestAnOfficialLooksAtRatings(t *testing.T) {
	f := newFixture(t, nil)
	listing, _, owner := f.ratedListing(t)
	held := owner.step(201, "POST", "/v1/ratings", `{"listing":"`+listing+`","level":5,"text":"我们最好"}`)
	owner.want(held, map[string]any{"state.code": "held", "reasons.0.code": "own_member", "proven": false})
	id, _ := textOf(held, "id")
	ann, bob := f.person(t), f.person(t)
	reported, _ := textOf(ann.step(201, "POST", "/v1/ratings", `{"listing":"`+listing+`","level":1,"text":"不好"}`), "id")
	bob.want(bob.step(400, "POST", "/v1/ratings/"+reported+"/reports", `{"reason":"boring"}`), map[string]any{"errors.0.pointer": "/reason"})
	bob.step(204, "POST", "/v1/ratings/"+reported+"/reports", `{"reason":"fake","text":"没有这回事"}`)
	bob.step(404, "POST", "/v1/ratings/"+id+"/reports", `{"reason":"fake"}`)
	ann.step(404, "GET", "/v1/ratings/"+id, "")

	official := f.person(t, official)
	queue := map[string]any{}
	for cursor := ""; ; {
		p := decode[struct {
			Items []map[string]any
			Next  *string `json:"next_cursor"`
		}](t, f.get(t, "/v1/rating-queue?limit=100"+cursor, official.bearer...))
		for _, item := range p.Items {
			queue[item["id"].(string)] = item
		}
		if p.Next == nil {
			break
		}
		cursor = "&cursor=" + *p.Next
	}
	official.want(queue[id], map[string]any{"state.code": "held", "findings.0.rule.code": "own_member", "name": "*"})
	official.want(queue[reported], map[string]any{"reports.0.reason.code": "fake", "reports.0.text": "没有这回事"})
	elsewhere := f.person(t, directory.Grant{Role: directory.Official, Bureau: directory.CivilAffairs, Region: "632700", Powers: []directory.Power{directory.ReviewPower}})
	elsewhere.step(404, "GET", "/v1/ratings/"+id+"/review", "")
	official.step(428, "POST", "/v1/ratings/"+id+"/decision", `{"state":"published"}`)
	official.step(412, "POST", "/v1/ratings/"+id+"/decision", `{"state":"published"}`, "If-Match", `"r99"`)
	tag := f.get(t, "/v1/ratings/"+id+"/review", official.bearer...).Header.Get("ETag")
	official.want(official.step(200, "POST", "/v1/ratings/"+id+"/decision", `{"state":"excluded","reason":"本机构成员评价"}`, "If-Match", tag), map[string]any{"state.code": "excluded", "decision.reason": "本机构成员评价"})
	official.step(200, "POST", "/v1/ratings/"+reported+"/decision", `{"state":"published"}`, "If-Match", "*")
	owner.want(owner.step(200, "GET", "/v1/ratings/"+id, ""), map[string]any{"state.code": "excluded", "reason": "本机构成员评价"})
	if text := owner.inbox()["rating_excluded"]; !strings.Contains(text, "本机构成员评价") {
		t.Errorf("the owner is told %q", text)
	}
	ann.want(ann.step(200, "GET", "/v1/listings/"+listing+"/ratings", ""), map[string]any{"excluded.0.reason.code": "own_member", "excluded.0.n": 1.0, "held.#": 0.0, "items.#": 1.0})
}

func TestRatingPhotos(t *testing.T) {
	f := newFixture(t, nil)
	listing, _, _ := f.ratedListing(t)
	ann, bob := f.person(t), f.person(t)
	upload := func(who walk) string {
		id, _ := textOf(decode[any](t, f.request(t, "POST", "/v1/me/photos?purpose=rating", newPicture(t), append([]string{"Content-Type", "image/png"}, who.bearer...)...)), "id")
		return id
	}
	photo, other := upload(ann), upload(bob)
	body := func(id string) string { return `{"listing":"` + listing + `","level":4,"photos":["` + id + `"]}` }
	ann.want(ann.step(400, "POST", "/v1/ratings", body(other)), map[string]any{"errors.0.pointer": "/photos/0"})
	given := ann.step(201, "POST", "/v1/ratings", body(photo))
	picture, _ := textOf(given, "photos.0.sizes.large")
	if a := f.get(t, picture); a.StatusCode != 200 {
		t.Errorf("the photo: %d", a.StatusCode)
	}
	id, _ := textOf(given, "id")
	ann.step(204, "DELETE", "/v1/ratings/"+id, "")
	if a := f.get(t, picture); a.StatusCode != 404 {
		t.Errorf("the photo of a rating that was withdrawn: %d", a.StatusCode)
	}
}

func TestPoster(t *testing.T) {
	f := newFixture(t, nil)
	id := f.listings[0].ID
	a := f.get(t, "/v1/listings/"+id+"/poster?format=png")
	picture, err := png.Decode(bytes.NewReader(a.body))
	if err != nil || a.Header.Get("Content-Type") != "image/png" {
		t.Fatal(err, a.Header)
	}
	if text, err := qr.Decode(picture); err != nil || text != "https://qingfu.test/rate#listing="+id {
		t.Errorf("the poster says %q, %v", text, err)
	}
	if a := f.get(t, "/v1/listings/"+id+"/poster"); a.Header.Get("Content-Type") != "image/svg+xml" || !bytes.Contains(a.body, []byte("<svg")) {
		t.Errorf("the poster is %s", a.Header.Get("Content-Type"))
	}
	if a := f.get(t, "/v1/listings/"+draftID+"/poster"); a.StatusCode != 404 {
		t.Errorf("a poster of a draft: %d", a.StatusCode)
	}
}
