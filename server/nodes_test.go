package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/mongo/fault"
)

// twoNodes are two servers in processes of their own on one store.
type twoNodes struct {
	a, b *child
	data dataSettings // of the store
}

// onTwoNodes runs a test on two servers that start at the same moment on an empty
// store: on MongoDB, each with a data folder of its own, and on one data folder.
func onTwoNodes(t *testing.T, test func(t *testing.T, n twoNodes, shared bool)) {
	if testing.Short() {
		t.Skip("SKIPPED: starting servers takes long")
	}
	start := func(t *testing.T, data dataSettings, dirs [2]string, args ...string) twoNodes {
		args = append(args, "--read-limit", "0", "--key-file", filepath.Join(t.TempDir(), "keys.json"))
		if data.MongodbURI != "" && os.Getenv("MONGODB_IS") == "mongo-java-server" {
			// It answers "Unknown error: null" to two who make the same index at once.
			return twoNodes{launchChild(t, dirs[0], args...)(), launchChild(t, dirs[1], args...)(), data}
		}
		upA, upB := launchChild(t, dirs[0], args...), launchChild(t, dirs[1], args...)
		return twoNodes{upA(), upB(), data}
	}
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		test(t, start(t, dataSettings{DataDir: dir}, [2]string{dir, dir}), false)
	})
	t.Run("mongo", func(t *testing.T) {
		uri, err := url.Parse(mongodbOrSkip(t))
		if err != nil {
			t.Fatal(err)
		}
		uri.Path = "/" + fault.Database(t, mongodb)
		uri.RawQuery = "serverSelectionTimeoutMS=30000" // what stands in for MongoDB is slow to take connections while it counts
		dir := t.TempDir()
		test(t, start(t, dataSettings{DataDir: dir, MongodbURI: uri.String()}, [2]string{dir, t.TempDir()}, "--mongodb-uri", uri.String()), true)
	})
}

// open opens the store beside the servers.
func (n twoNodes) open(t *testing.T) *store.Store {
	t.Helper()
	st, closer, err := n.data.openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	return st
}

// signInAcross asks one server for a code and gives it to another.
func signInAcross(asked, given *child, phone string) (code string, tokens map[string]any) {
	asked.t.Helper()
	code = asked.askForCode(func() { asked.post("/v1/auth/codes", "", map[string]string{"phone": phone}, http.StatusAccepted) })
	return code, given.post("/v1/auth/tokens", "", map[string]string{"phone": phone, "code": code}, http.StatusOK)
}

// both makes a request on two servers at once.
func both(t *testing.T, x, y session, ask func(session) answered) (a, b answered) {
	t.Helper()
	var asking sync.WaitGroup
	asking.Go(func() { a = ask(x) })
	asking.Go(func() { b = ask(y) })
	asking.Wait()
	return a, b
}

// statuses are those of two answers, the lower first.
func statuses(a, b answered) [2]int { return [2]int{min(a.status, b.status), max(a.status, b.status)} }

// TestNodes holds the rules that two servers on one store keep between them.
func TestNodes(t *testing.T) {
	t.Parallel()
	onTwoNodes(t, func(t *testing.T, n twoNodes, shared bool) {
		a, b := n.a, n.b
		st := n.open(t)
		onceSeeded(t, st)

		// A code that one sent works once, wherever.
		code, tokens := signInAcross(a, b, "10000000002")
		a.post("/v1/auth/tokens", "", map[string]string{"phone": "10000000002", "code": code}, http.StatusUnauthorized)
		b.post("/v1/auth/tokens", "", map[string]string{"phone": "10000000002", "code": code}, http.StatusUnauthorized)
		// So does the next one, of two that use it at once.
		code = b.askForCode(func() { b.post("/v1/auth/codes", "", map[string]string{"phone": "10000000001"}, http.StatusAccepted) })
		x, y := both(t, session{a.served, ""}, session{b.served, ""}, func(s session) answered {
			return s.ask("POST", "/v1/auth/tokens", fmt.Sprintf(`{"phone":"10000000001","code":"%s"}`, code))
		})
		if statuses(x, y) != [2]int{200, 401} {
			t.Fatalf("of one code: %d and %d", x.status, y.status)
		}
		if x.status != 200 {
			x = y
		}
		residentA, residentB := session{a.served, fmt.Sprint(x.body["access_token"])}, session{b.served, fmt.Sprint(x.body["access_token"])}
		// The wait for the next code holds everywhere.
		a.post("/v1/auth/codes", "", map[string]string{"phone": "10000000001"}, http.StatusTooManyRequests)
		b.post("/v1/auth/codes", "", map[string]string{"phone": "10000000001"}, http.StatusTooManyRequests)

		// A session goes on at another server, and ends at all of them.
		next := a.post("/v1/auth/refresh", "", map[string]any{"refresh_token": tokens["refresh_token"]}, http.StatusOK)
		next = b.post("/v1/auth/refresh", "", map[string]any{"refresh_token": next["refresh_token"]}, http.StatusOK)
		firmA, firmB := session{a.served, fmt.Sprint(next["access_token"])}, session{b.served, fmt.Sprint(next["access_token"])}
		firmA.json(200, "GET", "/v1/me", "")
		firmB.json(200, "GET", "/v1/me", "")
		_, tokens = signInAcross(b, a, "10000000003")
		staffA, staffB := session{a.served, fmt.Sprint(tokens["access_token"])}, session{b.served, fmt.Sprint(tokens["access_token"])}
		staffA.json(200, "GET", "/v1/me", "")
		staffB.json(204, "DELETE", "/v1/auth/session", "")
		staffA.json(401, "GET", "/v1/me", "")
		a.post("/v1/auth/refresh", "", map[string]any{"refresh_token": tokens["refresh_token"]}, http.StatusUnauthorized)

		// Of two changes of one version one wins.
		for round := range 10 {
			version := residentA.ask("GET", "/v1/me", "").header.Get("ETag")
			x, y := both(t, residentA, residentB, func(s session) answered {
				return s.ask("PATCH", "/v1/me", fmt.Sprintf(`{"name":"卓玛%d"}`, len(s.base)+round), "If-Match", version)
			})
			if got := statuses(x, y); got != [2]int{200, 412} {
				t.Errorf("round %d: two changes of one version: %v", round, got)
			}
		}

		// What is asked for twice by one key is made once, and told once.
		home := a.facility()
		const bookings = 6
		for day := range bookings {
			x, y := both(t, residentA, residentB, func(s session) answered {
				return s.ask("POST", "/v1/bookings", visit(home, 3+day), "Idempotency-Key", fmt.Sprint("two-nodes-", day))
			})
			if got := statuses(x, y); got != [2]int{200, 201} || x.body["id"] != y.body["id"] {
				t.Errorf("day %d: two requests by one key: %v, %v and %v", day, got, x.body, y.body)
			}
		}
		if items, _ := residentB.json(200, "GET", "/v1/bookings", "")["items"].([]any); len(items) != bookings {
			t.Errorf("%d bookings, not %d", len(items), bookings)
		}
		told := 0
		for _, s := range []session{firmA, firmB} {
			items, _ := s.json(200, "GET", "/v1/me/notifications?limit=100", "")["items"].([]any)
			told = 0
			for _, i := range items {
				if m, _ := i.(map[string]any); m["kind"] == string(directory.NoteBookingRequested) {
					told++
				}
			}
			if told != bookings {
				t.Errorf("the firm was told of %d bookings, not %d", told, bookings)
			}
		}

		searchableOnTheOther(t, firmA, b.served, home)

		// The limit of an hour on tries to sign in by one device.
		const most = 30
		tried := 0
		for turn := range 3 * most {
			s := session{[]*served{a.served, b.served}[turn%2], ""}
			switch answer := s.ask("POST", "/v1/auth/tokens", `{"phone":"13800138000","code":"000000"}`, "X-Device-ID", "device-of-two-nodes"); answer.status {
			case 401:
				tried++
			case 429:
			default:
				t.Fatalf("a try: %d %v", answer.status, answer.body)
			}
		}
		want := most
		if !shared {
			want = 2 * most // each counts by itself there
		}
		if tried != want {
			t.Errorf("%d tries were let through, not %d", tried, want)
		}

		toldOnce(t, st)

		a.kill()
		firmB.json(200, "PUT", "/v1/listings/"+home+"/vacancies", `{"beds_occupied":7}`)
		b.until("the other one goes on", func() bool {
			var l struct {
				Elder struct {
					Occupied int `json:"beds_occupied"`
				} `json:"elder_care"`
			}
			b.get("/v1/listings/"+home, &l)
			return l.Elder.Occupied == 7 && b.search("湟水颐养院").Total > 0
		})
		residentB.json(201, "POST", "/v1/bookings", visit(home, 15))
	})
}

// onceSeeded holds that two servers that seeded at once left what one leaves.
func onceSeeded(t *testing.T, st *store.Store) {
	t.Helper()
	alone, closer, err := (&dataSettings{DataDir: seeded(t)}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	type count func(context.Context, []store.Condition, ...string) ([]store.Group, error)
	for name, of := range map[string][2]count{
		"listings":      {alone.Listings.Count, st.Listings.Count},
		"ratings":       {alone.Ratings.Count, st.Ratings.Count},
		"accounts":      {alone.Accounts.Count, st.Accounts.Count},
		"grants":        {alone.Grants.Count, st.Grants.Count},
		"organizations": {alone.Organizations.Count, st.Organizations.Count},
		"returns":       {alone.Returns.Count, st.Returns.Count},
		"calendars":     {alone.BookingCalendars.Count, st.BookingCalendars.Count},
		"signing keys":  {alone.SigningKeys.Count, st.SigningKeys.Count},
	} {
		want, err := of[0](t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := of[1](t.Context(), nil); err != nil || got[0].N != want[0].N {
			t.Errorf("two servers have seeded %d %s, one seeds %d: %v", got[0].N, name, want[0].N, err)
		}
	}
}

// searchableOnTheOther writes to one server and looks at another until it finds what
// was written.
func searchableOnTheOther(t *testing.T, firm session, other *served, home string) {
	t.Helper()
	writes := 50
	if racing {
		writes = 10
	}
	var took []time.Duration
	for n := range writes {
		occupied, free := 60, false // of 60 beds
		if n%2 == 1 {
			occupied, free = 10, true
		}
		firm.json(200, "PUT", "/v1/listings/"+home+"/vacancies", fmt.Sprintf(`{"beds_occupied":%d}`, occupied))
		answered := time.Now()
		other.until("a write is found at the other server", func() bool {
			var found page
			other.get("/v1/listings?has_vacancy=true&q="+url.QueryEscape("湟水颐养院"), &found)
			return slices.ContainsFunc(found.Items, func(l struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			}) bool {
				return l.ID == home
			}) == free
		})
		took = append(took, time.Since(answered))
	}
	slices.Sort(took)
	t.Logf("of %d writes on one server, from the answer to the hit on the other: p50 %v, longest %v", writes,
		took[writes/2].Round(time.Millisecond), took[writes-1].Round(time.Millisecond))
}

// toldOnce holds that nobody has a message twice: what the servers look after by
// themselves, both of them have looked after.
func toldOnce(t *testing.T, st *store.Store) {
	t.Helper()
	docs, err := st.Notifications.All(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range docs {
		m := d.Value
		key := fmt.Sprint(m.Account, m.Kind, m.Params)
		if seen[key] {
			t.Errorf("somebody was told twice: %s", key)
		}
		seen[key] = true
	}
	if len(seen) == 0 || !strings.Contains(fmt.Sprint(seen), string(directory.NoteBookingRequested)) {
		t.Error("nobody was told anything")
	}
}
