package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
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
func startChild(t *testing.T, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "serve", "--addr", "127.0.0.1:0", "--data-dir", dir)
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
	select {
	case c.base = <-announced:
	case <-time.After(patience):
		t.Fatalf("the server does not come up:\n%s", c.logged())
	}
	return c
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
