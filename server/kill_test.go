package main

import (
	"bufio"
	"bytes"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// child is a server in a process of its own, which can be killed.
type child struct {
	session
	cmd *exec.Cmd
}

// startChild starts a server on a folder and waits until it says where it is.
func startChild(t *testing.T, dir string, args ...string) *child {
	t.Helper()
	return launchChild(t, dir, args...)()
}

// launchChild starts a server on a folder. What it returns waits until the server says
// where it is.
func launchChild(t *testing.T, dir string, args ...string) (up func() *child) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"serve", "--addr", "127.0.0.1:0", "--data-dir", dir}, args...)...)
	cmd.Env = append(os.Environ(), childMark+"=1")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{session{&served{t: t}, ""}, cmd}
	t.Cleanup(c.kill)
	announced := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(c.served, lines.Text())
			if _, at, ok := strings.Cut(lines.Text(), "msg=API url="); ok {
				announced <- strings.TrimSuffix(at, "/v1/listings")
			}
		}
	}()
	return func() *child {
		t.Helper()
		select {
		case c.base = <-announced:
		case <-time.After(patience):
			t.Fatalf("the server does not come up:\n%s", c.logged())
		}
		return c
	}
}

// kill ends the process as a power cut would, and waits until it is gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may be gone already
	_ = c.cmd.Wait()
}

// TestKilledTwentyTimes kills the server while it imports a table and publishes
// what was imported, again and again, and then compares what the store, the index
// and the feed hold.
func TestKilledTwentyTimes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: killing servers takes long")
	}
	kills, rows := 20, 250
	if racing {
		kills = 6
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	c := startChild(t, dir)
	c.token, _ = c.signIn("10000000001")["access_token"].(string)
	organization := fmt.Sprint(c.json(201, "POST", "/v1/organizations",
		`{"credit_code":"91630100MA752FFG5X","legal_name":"湟源河畔家政服务有限公司","region":"630106","contact_name":"卓玛","contact_phone":"13800138000"}`)["id"])
	table := bytes.NewBufferString("编号,名称,地区,类型\n")
	for i := range rows {
		fmt.Fprintf(table, "K-%d,河畔家政%d号门店,城东区,居家保洁\n", i, i)
	}
	job := fmt.Sprint(c.do(202, "POST", "/v1/organizations/"+organization+"/imports?kind=domestic_service&submit=true", "text/csv", table.Bytes())["id"])
	owner := c.token
	official := c.as("10000000005", demoSecret).token

	approved := map[string]bool{} // what the server has said was published
	for range kills {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			<-time.After(time.Duration(20+random.IntN(250)) * time.Millisecond) // how far it gets is what is tried
			c.kill()
		}()
		for c.approve(official, approved) {
		}
		<-ended
		c = startChild(t, dir)
		c.token = owner
	}

	// Slowly enough for the limits on requests.
	for late, again := time.After(patience), time.Tick(200*time.Millisecond); ; {
		if !c.approve(official, approved) {
			t.Fatal("the server is gone")
		}
		if c.json(200, "GET", "/v1/imports/"+job, "")["state"] == "done" && c.search("河畔家政").Total >= rows {
			break
		}
		select {
		case <-again:
		case <-late:
			t.Fatalf("not all is imported and published: %d", len(approved))
		}
	}
	if got := c.json(200, "GET", "/v1/imports/"+job, "")["counts"]; fmt.Sprint(got) != fmt.Sprintf("map[created:%d refused:0 unchanged:0 updated:0]", rows) {
		t.Errorf("the import: %v", got)
	}

	// What was published: by the feed, by the search, by the store.
	feed := map[string]int64{}
	cursor := ""
	for more := true; more; {
		var page struct {
			Items []struct {
				ID      string
				Change  string
				Listing struct{ Revision int64 }
			}
			Cursor string
			More   bool
		}
		c.get("/v1/changes?limit=100"+cursor, &page)
		for _, i := range page.Items {
			if delete(feed, i.ID); i.Change == "put" {
				feed[i.ID] = i.Listing.Revision
			}
		}
		cursor, more = "&since="+page.Cursor, page.More
	}
	c.until("the search finds as much as the feed has", func() bool { return c.search("").Total == len(feed) })
	c.kill()

	stored := map[string]int64{}
	for _, d := range read(t, dir).listings {
		if d.Value.Status == directory.Published {
			stored[d.Value.ID] = d.Value.Revision
		}
	}
	if !maps.Equal(stored, feed) {
		t.Errorf("the store has %d published listings, the feed %d, and they are not the same", len(stored), len(feed))
	}
	for id := range approved {
		if stored[id] != 1 {
			t.Errorf("%s was published and is at revision %d", id, stored[id])
		}
	}
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	states := map[directory.ProposalState]int{}
	proposals, err := st.Proposals.All(t.Context(), store.Query{})
	for _, d := range proposals {
		states[d.Value.State]++
	}
	if err != nil || len(states) != 1 || states[directory.ProposalPublished] != rows {
		t.Errorf("proposals: %v, %v", states, err)
	}
}

// approve approves what waits, and notes what the server says that it has
// published. It tells whether the server is still there.
func (c *child) approve(token string, approved map[string]bool) bool {
	ask := func(method, path string, body, into any) bool {
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Error(err)
			return false
		}
		req, err := http.NewRequest(method, c.base+path, bytes.NewReader(text))
		if err != nil {
			c.t.Error(err)
			return false
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(into) == nil
	}
	type seen struct {
		ID      string `json:"id"`
		Version int64  `json:"version"`
	}
	var queue struct{ Items []seen }
	if !ask("GET", "/v1/reviews?limit=20", nil, &queue) {
		return false
	}
	if len(queue.Items) == 0 {
		return true
	}
	var done struct{ Items []struct{ ID, State string } }
	if !ask("POST", "/v1/reviews:approve", map[string][]seen{"items": queue.Items}, &done) {
		return false
	}
	for _, i := range done.Items {
		if i.State == "published" {
			approved[i.ID] = true
		}
	}
	return true
}

// TestRatingsOutliveKills kills the server while ratings are given and taken back,
// and then compares what was acknowledged, the ratings and the figures.
func TestRatingsOutliveKills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: killing servers takes long")
	}
	kills, bookings := 6, 240
	if racing {
		kills, bookings = 3, 120
	}
	// One account stands for many residents here.
	rules := []string{"--rating-rules", fileOf(t, `{"too_many":{"most":100000,"hours":24}}`)}
	dir := seeded(t)
	random := rand.New(rand.NewPCG(3, 4))
	c := startChild(t, dir, rules...)
	c.token, _ = c.signIn("10000000001")["access_token"].(string)
	token, account := c.token, fmt.Sprint(c.json(200, "GET", "/v1/me", "")["id"])
	c.kill()
	todo := completedBookings(t, dir, account, bookings)

	given, withdrawn := map[string]bool{}, map[string]bool{} // as the server has said
	for range kills {
		c = startChild(t, dir, rules...)
		begun, ended := make(chan struct{}), make(chan struct{})
		begin := sync.OnceFunc(func() { close(begun) })
		go func() {
			defer close(ended)
			<-begun                                                          // a slow machine takes its time to begin
			<-time.After(time.Duration(random.IntN(250)) * time.Millisecond) // how far it gets is what is tried
			c.kill()
		}()
		for first := true; len(todo) > 0; first = false {
			var r struct{ ID string }
			status := c.try(token, "POST", "/v1/ratings", fmt.Sprintf(`{"booking":"%s","level":%d}`, todo[0], 1+len(todo)%5), &r)
			if status == 0 {
				break
			}
			if status != 200 && status != 201 {
				t.Fatalf("a rating: %d", status)
			}
			given[r.ID], todo = true, todo[1:]
			if (first || len(given)%5 == 0) && c.try(token, "DELETE", "/v1/ratings/"+r.ID, "", nil) == 204 {
				withdrawn[r.ID] = true
			}
			begin()
		}
		begin()
		<-ended
	}

	c = startChild(t, dir, rules...)
	c.until("the figures are what the ratings say", func() bool { return command(t.Context(), "recount", "--check", "--data-dir", dir).code == 0 })
	c.kill()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	naive := map[string][5]int64{}
	err = st.Ratings.Each(t.Context(), store.Query{}, func(d *store.Doc[directory.Rating]) error {
		r := &d.Value
		levels := naive[r.Listing]
		if r.Counted() > 0 {
			levels[r.Level-1]++
		}
		naive[r.Listing] = levels
		if withdrawn[r.ID] && r.State != directory.RatingWithdrawn {
			t.Errorf("%s was withdrawn and is %s", r.ID, r.State)
		}
		delete(given, r.ID)
		return nil
	})
	if err != nil || len(given) > 0 {
		t.Errorf("%d acknowledged ratings are lost: %v", len(given), err)
	}
	for id, want := range naive {
		if l, err := st.Listings.Get(t.Context(), id); err != nil || l.Value.Satisfaction.Levels != want {
			t.Errorf("%s has %v, its ratings are %v: %v", id, l.Value.Satisfaction.Levels, want, err)
		}
	}
	held, err := st.Ratings.Count(t.Context(), []store.Condition{store.Equal("state", string(directory.RatingHeld))})
	if err != nil || len(withdrawn) == 0 || len(todo) == bookings || held[0].N > 0 {
		t.Errorf("nothing was tried: %d withdrawn, %d left, %v held, %v", len(withdrawn), len(todo), held, err)
	}
}

// completedBookings stores bookings of an account that are completed, of all
// demonstration listings by turns, and returns their ids.
func completedBookings(t *testing.T, dir, account string, n int) (ids []string) {
	t.Helper()
	st, closer, err := (&dataSettings{DataDir: dir}).openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	demo, _, err := st.Listings.Find(t.Context(), store.Query{Where: []store.Condition{store.Equal("demo", int64(1))}, Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range n {
		id, err := directory.NewID(now, crand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		b := directory.Booking{
			ID: id, Kind: directory.VisitBooking, Account: account, Listing: demo[i%len(demo)].Value.ID, Region: demo[i%len(demo)].Value.Region,
			StartsAt: now, EndsAt: now, State: directory.BookingCompleted, CreatedAt: now, UpdatedAt: now, Told: 1,
			History: []directory.BookingEvent{{Action: directory.ActComplete, By: directory.ResidentSide, At: now}},
		}
		if _, err := st.Bookings.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// try sends a request to a server that may be killed meanwhile, and returns the
// status of the answer, 0 when there is none.
func (c *child) try(token, method, path, body string, into any) int {
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if into != nil && json.NewDecoder(resp.Body).Decode(into) != nil {
		return 0
	}
	return resp.StatusCode
}
