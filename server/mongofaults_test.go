package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/store/mongo/fault"
)

// answered is an answer to a request.
type answered struct {
	status int
	header http.Header
	body   map[string]any
}

// ask sends a request and returns the answer; the headers are names and values by
// turns. It fails the test when there is none in time.
func (s session) ask(method, path, body string, headers ...string) (a answered) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return a
	}
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	// Longer than any request may take, and less than what makes a client give up.
	resp, err := (&http.Client{Timeout: 25 * time.Second}).Do(req)
	if err != nil {
		s.t.Error(err)
		return a
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	a = answered{resp.StatusCode, resp.Header, map[string]any{}}
	if len(text) > 0 && strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &a.body); err != nil {
			s.t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return a
}

// facility returns the id of the one that the demonstration organization keeps.
func (s *served) facility() string {
	s.t.Helper()
	for _, l := range s.search("示例·湟水颐养院").Items {
		if l.Name == "示例·湟水颐养院" {
			return l.ID
		}
	}
	s.t.Fatal("the demonstration organization has no facility")
	return ""
}

// visit is the body of a booking of a visit to an institution on a day from now.
func visit(listing string, day int) string {
	at := time.Now().UTC().AddDate(0, 0, day).Truncate(24 * time.Hour).Add(2 * time.Hour) // ten in the morning there
	return fmt.Sprintf(`{"kind":"visit","listing":"%s","starts_at":"%s"}`, listing, at.Format(time.RFC3339))
}

// TestFaultsOfMongoDB takes MongoDB away from a server, makes a secondary of it and
// slows it down. Searches go on, everything else is told to come again, and afterwards
// all goes on by itself, with all that was acknowledged, once.
func TestFaultsOfMongoDB(t *testing.T) {
	uri := mongodbOrSkip(t)
	p := fault.Start(t, uri)
	database := fault.Database(t, uri)
	s := serve(t, "--data-dir", t.TempDir(), "--mongodb-uri", p.URI(database), "--read-limit", "600")
	resident, anybody := s.as("10000000001", ""), session{s, ""}
	resident.json(200, "PATCH", "/v1/me", `{"name":"卓玛"}`)
	home := s.facility()

	faults := []struct {
		name  string
		begin func()
	}{
		{"away", p.Away},
		{"not primary", func() { p.StepDown(10107) }},
		{"stepped down", func() { p.StepDown(189) }},
		{"slow", func() { p.Slow(time.Hour) }},
	}
	for n, f := range faults {
		booking, key := visit(home, 3+n), []string{"Idempotency-Key", fmt.Sprint("visit-meanwhile-", n)}
		made := resident.ask("POST", "/v1/bookings", visit(home, 20+n), "Idempotency-Key", fmt.Sprint("visit-before-fault-", n))
		if made.status != 201 {
			t.Fatalf("a booking before: %d %v", made.status, made.body)
		}
		f.begin()
		begun := time.Now()

		var asking sync.WaitGroup
		for _, path := range []string{"/v1/listings?q=月嫂&facets=kind", "/v1/listings?near=36.62,101.78", "/v1/suggest?q=yang", "/v1/map/clusters?bbox=100,35,103,38&zoom=8", "/readyz", "/livez"} {
			asking.Go(func() {
				for range 5 {
					if a := anybody.ask("GET", path, ""); a.status != 200 {
						t.Errorf("%s: GET %s: %d %v", f.name, path, a.status, a.body)
					}
				}
			})
		}
		asking.Wait()
		t.Logf("%s: 30 searches and checks took %v", f.name, time.Since(begun).Round(time.Millisecond))
		begun = time.Now()
		for what, ask := range map[string]func() answered{
			"a listing": func() answered { return anybody.ask("GET", "/v1/listings/"+home, "") },
			"a booking": func() answered { return resident.ask("POST", "/v1/bookings", booking, key...) },
			"a code": func() answered {
				return anybody.ask("POST", "/v1/auth/codes", fmt.Sprintf(`{"phone":"1380013800%d"}`, n))
			},
			"a refresh": func() answered { return anybody.ask("POST", "/v1/auth/refresh", `{"refresh_token":"none"}`) },
		} {
			asking.Go(func() {
				a := ask()
				if what == "a refresh" { // needs no store to be refused
					if a.status != 401 {
						t.Errorf("%s: %s: %d %v", f.name, what, a.status, a.body)
					}
					return
				}
				if a.status != 503 || a.body["code"] != "unavailable" || a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s: %s: %d %v %v", f.name, what, a.status, a.header, a.body)
				}
				t.Logf("%s: %s is refused after %v", f.name, what, time.Since(begun).Round(100*time.Millisecond))
			})
		}
		asking.Wait()

		p.Back()
		begun = time.Now()
		s.until(f.name+" is over and a booking is taken", func() bool {
			a := resident.ask("POST", "/v1/bookings", booking, key...)
			return a.status == 201 || a.status == 200
		})
		t.Logf("%s: a booking is taken again after %v", f.name, time.Since(begun).Round(100*time.Millisecond))
		if a := resident.ask("GET", "/v1/bookings/"+fmt.Sprint(made.body["id"]), ""); a.status != 200 {
			t.Errorf("%s: an acknowledged booking: %d %v", f.name, a.status, a.body)
		}
		if items, _ := resident.json(200, "GET", "/v1/bookings?limit=100", "")["items"].([]any); len(items) != 2*(n+1) {
			t.Errorf("%s: there are %d bookings, not %d", f.name, len(items), 2*(n+1))
		}
		name := fmt.Sprintf("麒麟河畔%c小铺", '甲'+rune(n))
		line := fmt.Sprintf(`{"id":"01890a5d-ac96-774b-bcce-b302099a800%d","kind":"brand","names":{"zh":"%s"},"region":"630000"}`, n, name)
		s.until("an import is taken", func() bool {
			return command(t.Context(), "import", fileOf(t, line), "--data-dir", t.TempDir(), "--mongodb-uri", p.URI(database)).code == 0
		})
		s.until("what was written afterwards is found", func() bool {
			found := s.search(name)
			return len(found.Items) > 0 && found.Items[0].Name == name
		})
	}
	log := s.end()
	for _, line := range []string{"cannot follow", "follows the store again", "cannot be counted"} {
		if n := strings.Count(log, line); n > len(faults) {
			t.Errorf("%d faults and %d lines with %q", len(faults), n, line)
		}
	}
	if strings.Contains(log, "request failed") {
		t.Errorf("a request ended with 500:\n%s", log)
	}
}

// TestLostAnswersOfMongoDB cuts connections in the place of answers while bookings are
// made. Each that is sent until it is acknowledged is there once.
func TestLostAnswersOfMongoDB(t *testing.T) {
	uri := mongodbOrSkip(t)
	p := fault.Start(t, uri)
	s := serve(t, "--data-dir", t.TempDir(), "--mongodb-uri", p.URI(fault.Database(t, uri)))
	resident := s.as("10000000001", "")
	resident.json(200, "PATCH", "/v1/me", `{"name":"卓玛"}`)
	home := s.facility()
	ids := map[string]bool{}
	for n := range 8 {
		seen := 0
		came := p.CutAfter(func(c fault.Command) bool {
			if c.Collection == "bookings" && c.Name != "find" || c.Collection == "_collections" && c.Name == "update" {
				seen++
			}
			return seen > n%4
		})
		var a answered
		s.until("a booking is taken", func() bool {
			a = resident.ask("POST", "/v1/bookings", visit(home, 3+n), "Idempotency-Key", fmt.Sprint("visit-of-number-", n))
			if a.status != 201 && a.status != 200 && a.status != 503 {
				t.Errorf("booking %d: %d %v", n, a.status, a.body)
			}
			return a.status != 503
		})
		if ids[fmt.Sprint(a.body["id"])] = true; !came() {
			t.Errorf("booking %d: nothing was cut", n)
		}
	}
	items, _ := resident.json(200, "GET", "/v1/bookings?limit=100", "")["items"].([]any)
	if len(items) != 8 || len(ids) != 8 {
		t.Errorf("%d bookings were acknowledged and %d are there", len(ids), len(items))
	}
	s.end()
}
