package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the servers under load, as the program is.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		fatal(runChild(role))
		return
	}
	os.Exit(m.Run())
}

// TestRun makes a whole run, small and short. Only whether all is measured and
// answered is tested: how fast it was is for people to judge.
func TestRun(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	file := filepath.Join(t.TempDir(), "report.json")
	var out, progress bytes.Buffer
	args := []string{"-n", "500", "-d", "200ms", "-c", "4", "-scale", "200,500", "-json", file}
	if err := run(t.Context(), args, &out, &progress, time.Now); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}

	if len(r.Speed.Rows) != len(scenarios) {
		t.Fatalf("%d rows for %d scenarios", len(r.Speed.Rows), len(scenarios))
	}
	for i, row := range r.Speed.Rows {
		if row.Scenario != scenarios[i].name || !strings.Contains(out.String(), row.Scenario) {
			t.Errorf("row %d is %s", i, row.Scenario)
		}
		if row.Errors != 0 || row.Failure != "" {
			t.Errorf("%s: %d errors: %s", row.Scenario, row.Errors, row.Failure)
		}
		if row.PerSecond <= 0 || row.BarePerSecond <= 0 || row.Bytes < 100 {
			t.Errorf("%s: nothing measured: %+v", row.Scenario, row)
		}
		if !(row.P50 > 0 && row.P50 <= row.P95 && row.P95 <= row.P99) {
			t.Errorf("%s: percentiles %g, %g, %g", row.Scenario, row.P50, row.P95, row.P99)
		}
		if row.Empty > 0.6 {
			t.Errorf("%s: %.0f%% of the answers are empty", row.Scenario, 100*row.Empty)
		}
		if row.Verdict != "–" {
			t.Errorf("%s: judged %q with too few listings", row.Scenario, row.Verdict)
		}
	}
	if r.Speed.StartSeconds <= 0 {
		t.Error("the start took no time")
	}
	if len(r.Scale.Rows) != 2 || r.Scale.Rows[0].Listings != 200 || r.Scale.Rows[1].Listings != 500 {
		t.Fatalf("scale: %+v", r.Scale)
	}
	for _, row := range r.Scale.Rows {
		if row.Errors != 0 || row.Searches == 0 || row.BuildSeconds <= 0 || row.Heap <= 0 || row.P99 <= 0 {
			t.Errorf("scale: %+v", row)
		}
	}
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("the run left %v", left)
	}
}

// TestInterrupt interrupts a run when the first scenario begins.
func TestInterrupt(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	progress := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte(scenarios[0].name)) {
			interrupt()
		}
		return len(p), nil
	})
	err := run(ctx, []string{"-n", "50", "-d", "10m"}, io.Discard, progress, time.Now)
	if err == nil {
		t.Error("the run went on")
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("the run left %v", left)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestOptions(t *testing.T) {
	for _, args := range []string{
		"-n -1", "-n 100000000", "-d 1ns", "-d 11m", "-c 0", "-c 5000", "-n 0", "-only nothing",
		"-scale 10,x", "-scale 0", "-scale 20,10", "-scale 10,10", "-unknown", "more",
	} {
		if o, err := readOptions(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: accepted as %+v", args, o)
		}
	}
	o, err := readOptions(strings.Fields("-n 0 -scale 10,20"), io.Discard)
	if err != nil || !slices.Equal(o.scale, []int{10, 20}) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestPercentiles(t *testing.T) {
	var l load
	for i := range 100 {
		l.latencies = append(l.latencies, time.Duration(100-i)*time.Millisecond)
	}
	if got := l.percentiles(0.5, 0.95, 0.99, 1); !slices.Equal(got, []float64{50, 95, 99, 100}) {
		t.Error(got)
	}
	if got := new(load).percentiles(0.99); got[0] != 0 {
		t.Error(got)
	}
}

// TestMix holds that runs are repeatable, that distinct requests are, and that
// the frequent ones of a query log are frequent.
func TestMix(t *testing.T) {
	for _, sc := range scenarios {
		var drawn [2][][]byte
		for i := range drawn {
			m := newMix(7)
			m.ids = []string{"a", "b", "c"}
			drawn[i] = sc.draw(m, 2000)
		}
		if !slices.EqualFunc(drawn[0], drawn[1], bytes.Equal) {
			t.Errorf("%s: another run asks other requests", sc.name)
		}
		counts := map[string]int{}
		most := 0
		for _, r := range drawn[0] {
			counts[string(r)]++
			most = max(most, counts[string(r)])
		}
		switch sc.name {
		case "search-distinct":
			if most > 1 || len(drawn[0]) != 2000 {
				t.Errorf("%d distinct requests, one %d times", len(drawn[0]), most)
			}
		case "search-zipf":
			if most < 50 || len(counts) < 200 {
				t.Errorf("the most frequent of %d requests stands %d times", len(counts), most)
			}
		}
	}
}

// TestClient holds that an answer that is not right counts as an error.
func TestClient(t *testing.T) {
	for _, tc := range []struct{ name, answer, body string }{
		{"good", "HTTP/1.1 200 OK\r\nX: y\r\ncontent-LENGTH:  2\r\n\r\nok", "ok"},
		{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
		{"refusal", "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", "error"},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nok", "error"},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "error"},
		{"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", "error"},
		{"another protocol", "220 ready\r\n\r\n", "error"},
		{"nothing", "", "error"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1000))
			_, _ = io.WriteString(conn, tc.answer)
		}()
		c := client{addr: listener.Addr().String()}
		got, err := c.ask(t.Context(), request("/"))
		if err != nil {
			got = []byte("error")
		}
		if string(got) != tc.body {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
		c.close()
		listener.Close()
		<-done
	}
}

// TestEvenRate holds that requests are not asked faster than planned.
func TestEvenRate(t *testing.T) {
	bare, err := startChild(t.Context(), "bare 5")
	if err != nil {
		t.Fatal(err)
	}
	defer bare.stop()
	p := plan{addr: bare.Addr, conns: 3, d: 200 * time.Millisecond, perSecond: 100}
	l := p.run(t.Context(), inTurn([][]byte{request("/")}, true))
	if n := len(l.latencies); n == 0 || n > 21 || l.bytes != int64(5*n) || l.errors != 0 {
		t.Errorf("%d answers of %d bytes in 200 ms at 100 a second, %d errors: %v", n, l.bytes, l.errors, l.failure)
	}
}
