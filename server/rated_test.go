package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

// TestBookedAndRated follows a listing from its first booking to its place among the
// others, by HTTP alone, on a server in a process of its own.
func TestBookedAndRated(t *testing.T) {
	c := startChild(t, seeded(t))
	firm := c.as("10000000001", "")
	organization := fmt.Sprint(firm.json(201, "POST", "/v1/organizations",
		`{"credit_code":"91630100MA752FFG5X","legal_name":"湟源河畔家政服务有限公司","region":"630106","contact_name":"卓玛","contact_phone":"13800138000"}`)["id"])
	id := fmt.Sprint(firm.json(201, "POST", "/v1/organizations/"+organization+"/listings", `{"kind":"domestic_service","names":{"zh":"麒麟河畔家政"},"region":"630102",
		"address":"麒麟路1号","phone":"0971-6123456","categories":["cleaning"],"offerings":[{"name":"日常保洁","unit":"hour","price_min":4000,"price_max":6000,"category":"cleaning"}]}`)["id"])
	firm.json(200, "POST", "/v1/listings/"+id+"/proposal:submit", "")
	c.as("10000000005", demoSecret).json(200, "POST", "/v1/reviews/"+id+"/decision", `{"outcome":"approved"}`)
	firm.json(201, "PUT", "/v1/listings/"+id+"/calendar", `{"hours":{"always":true},"slot_minutes":60,"capacity":20,"notice_minutes":0,"horizon_days":60}`)

	type rated struct {
		ID           string
		Satisfaction directory.SatisfactionSummary
	}
	// order returns the listings of the kind by satisfaction, and the place of this one.
	order := func() (items []rated, place int) {
		cursor := ""
		for {
			var p struct {
				Items      []rated
				NextCursor *string `json:"next_cursor"`
			}
			c.get("/v1/listings?sort=satisfaction&kind=domestic_service&limit=100"+cursor, &p)
			if items = append(items, p.Items...); p.NextCursor == nil {
				return items, slices.IndexFunc(items, func(l rated) bool { return l.ID == id })
			}
			cursor = "&cursor=" + *p.NextCursor
		}
	}
	low := func(l rated) float64 {
		if l.Satisfaction.Low == nil {
			return 0
		}
		return *l.Satisfaction.Low
	}
	summary := func() directory.SatisfactionSummary {
		var p struct{ Summary directory.SatisfactionSummary }
		c.get("/v1/listings/"+id+"/ratings", &p)
		return p.Summary
	}
	starts := time.Now().UTC().AddDate(0, 0, 2).Truncate(time.Hour).Format(time.RFC3339)
	rate := func(i int) {
		t.Helper()
		resident := c.as(fmt.Sprintf("1370013%04d", 7000+i), "")
		booking := fmt.Sprint(resident.json(201, "POST", "/v1/bookings", `{"kind":"service","listing":"`+id+`","offering":"日常保洁","starts_at":"`+starts+`",
			"contact":{"name":"卓玛","phone":"13700137000","address":"东关大街1号"}}`)["id"])
		path, body := "/v1/bookings/"+booking, `{"booking":"`+booking+`","level":5}`
		resident.json(409, "POST", "/v1/ratings", body) // nothing was done yet
		firm.json(200, "POST", path+"/accept", "")
		code := fmt.Sprint(resident.json(200, "GET", path, "")["completion_code"])
		firm.json(200, "POST", path+"/complete", `{"code":"`+code+`"}`)
		if got := fmt.Sprint(resident.json(201, "POST", "/v1/ratings", body)); !strings.Contains(got, "published") {
			t.Errorf("the rating: %s", got)
		}
	}

	for i := range directory.MinRatings - 1 {
		rate(i)
	}
	c.until("nine ratings are counted", func() bool { return summary().N == directory.MinRatings-1 })
	var before []rated
	var from int
	c.until("it is found", func() bool { before, from = order(); return from >= 0 })
	if s := summary(); s.State != directory.TooFew || s.Share != nil || low(before[from]) != 0 {
		t.Errorf("of nine ratings is said %+v", s)
	}
	if from == 0 || low(before[0]) == 0 {
		t.Fatalf("it is at place %d already, nothing could be tried", from)
	}

	rate(directory.MinRatings - 1)
	var after []rated
	to := from
	c.until("the tenth rating moves it", func() bool { after, to = order(); return to >= 0 && low(after[to]) > 0 })
	if s := summary(); s.N != directory.MinRatings || s.Share == nil || *s.Share != 1 || *s.Low != low(after[to]) {
		t.Errorf("of ten ratings is said %+v", s)
	}
	if to >= from || !slices.IsSortedFunc(after, func(a, b rated) int { return cmp.Compare(low(b), low(a)) }) {
		t.Errorf("it went from place %d to %d", from, to)
	}
}
