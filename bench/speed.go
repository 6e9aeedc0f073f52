package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"qingfu/seed"
)

// scenario is one kind of request.
type scenario struct {
	name string
	// target is the least share of the bare handler's throughput; 0: there is none.
	target float64
	// distinct says that no request may be asked twice.
	distinct bool
	draw     func(m *mix, n int) [][]byte
}

// scenarios are all, in the order of the table. The targets are set for
// fullSize listings on two processors.
var scenarios = []scenario{
	{"search-zipf", 1. / 4, false, func(m *mix, n int) [][]byte { return m.drawZipf(n, m.searchQuery) }},
	{"search-distinct", 1. / 4, true, func(m *mix, n int) [][]byte { return drawDistinct(n, m.searchQuery) }},
	{"browse", 1. / 4, false, func(m *mix, n int) [][]byte { return draw(n, m.browse) }},
	{"nearest", 1. / 3, false, func(m *mix, n int) [][]byte { return draw(n, m.nearest) }},
	{"detail", 1. / 3, false, func(m *mix, n int) [][]byte { return draw(n, m.detail) }},
	{"suggest", 0, false, func(m *mix, n int) [][]byte { return draw(n, m.suggest) }},
	{"map", 0, false, func(m *mix, n int) [][]byte { return draw(n, m.mapSection) }},
}

func scenarioNamed(name string) *scenario {
	i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &scenarios[i]
}

const (
	fullSize   = 100_000         // listings that the targets are set for
	startLimit = 3 * time.Second // from process start to serving
	starts     = 3
	rounds     = 5   // of bare handler and scenario in turn
	probes     = 200 // answers that the size is learnt from
)

// speed is what was measured with n listings.
type speed struct {
	Listings     int     // synthetic ones; real and demonstration entries come on top
	StartSeconds float64 // median
	Start        verdict
	ServerRSS    int64 // bytes, after the start
	Rows         []speedRow
}

// speedRow is what was measured of a scenario. Rates are medians of the rounds;
// milliseconds are of all answers together.
type speedRow struct {
	Scenario              string
	PerSecond, P50        float64
	P95, P99              float64
	Bytes                 int     // of an answer's body, mean
	Empty                 float64 // share of the answers without a single item
	BarePerSecond         float64
	Ratio                 float64 // PerSecond / BarePerSecond
	RatioLow, RatioHigh   float64 // of single rounds
	CPUMicros, BareMicros float64 // processor time of the server for an answer, 0: not known
	Target                float64
	Verdict               verdict
	Errors                int
	Failure               string // the first error
}

// verdict says whether a target is met.
type verdict string

func judge(met, counts bool) verdict {
	switch {
	case !counts:
		return "–"
	case met:
		return "met"
	default:
		return "not met"
	}
}

// measureSpeed measures the program itself: how soon it serves, and how fast.
func measureSpeed(ctx context.Context, o options, m *mix, temp string, progress func(string, ...any)) (*speed, error) {
	program, folder := filepath.Join(temp, "server"), filepath.Join(temp, "data")
	progress("building the server")
	if err := runQuietly(exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "qingfu/server")); err != nil {
		return nil, err
	}
	progress("seeding %d listings", o.n)
	for _, args := range [][]string{{}, {"--synthetic", strconv.Itoa(o.n), "--seed", strconv.FormatUint(o.seed, 10)}} {
		args = append([]string{"seed", "--data-dir", folder}, args...)
		if err := runQuietly(serverCommand(ctx, program, args...)); err != nil {
			return nil, err
		}
	}
	for l := range seed.Synthetic(o.n, o.seed) {
		m.ids = append(m.ids, l.ID)
	}

	progress("starting the server %d times", starts)
	var server *child
	took := make([]float64, starts)
	for i := range took {
		if server != nil {
			server.stop()
		}
		c, d, err := startServer(ctx, program, folder)
		if err != nil {
			return nil, err
		}
		server, took[i] = c, d.Seconds()
	}
	defer func() { server.stop() }()
	s := &speed{Listings: o.n, StartSeconds: median(took), ServerRSS: residentMemory(server.cmd.Process.Pid)}
	s.Start = judge(s.StartSeconds <= startLimit.Seconds(), o.n >= fullSize)

	for _, sc := range scenarios {
		if o.only != "" && o.only != sc.name {
			continue
		}
		progress("%s", sc.name)
		row, err := measureScenario(ctx, o, m, sc, server)
		if err != nil {
			return nil, err
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// runQuietly runs a command whose output matters only when it fails.
func runQuietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(out))
	}
	return nil
}

// measureScenario puts a scenario on the server and on a bare handler in turn,
// so that both see the same mood of the machine.
func measureScenario(ctx context.Context, o options, m *mix, sc scenario, server *child) (row speedRow, err error) {
	row = speedRow{Scenario: sc.name, Target: sc.target}
	warm := min(o.duration/5, time.Second)
	count := 20_000
	if sc.distinct { // enough for any server; a round ends early when they run out
		count = probes + min(400_000, int(10_000*(o.duration+warm).Seconds())+1)
	}
	requests := sc.draw(m, count)
	next := inTurn(requests, !sc.distinct)
	if row.Bytes, row.Empty, err = probe(ctx, server.Addr, next); err != nil {
		return row, fmt.Errorf("%s: %w", sc.name, err)
	}
	bare, err := startChild(ctx, fmt.Sprintf("bare %d", row.Bytes))
	if err != nil {
		return row, err
	}
	defer bare.stop()
	nextBare := inTurn(requests, true)

	p := plan{conns: o.conns, d: warm}
	put := func(on *child, next func() []byte) (load, time.Duration) {
		p.addr = on.Addr
		before := cpuTime(on.cmd.Process.Pid)
		l := p.run(ctx, next)
		return l, cpuTime(on.cmd.Process.Pid) - before
	}
	warmBare, _ := put(bare, nextBare)
	warmed, _ := put(server, next)

	p.d = o.duration / rounds
	var all, allBare load
	var cpu, cpuBare time.Duration
	var rates, bareRates, ratios []float64
	for range rounds {
		lBare, usedBare := put(bare, nextBare)
		l, used := put(server, next)
		if len(l.latencies) == 0 && l.errors == 0 {
			break // the requests have run out
		}
		all.add(l)
		allBare.add(lBare)
		cpu, cpuBare = cpu+used, cpuBare+usedBare
		rates, bareRates = append(rates, l.rate()), append(bareRates, lBare.rate())
		ratios = append(ratios, l.rate()/lBare.rate())
	}
	if ctx.Err() != nil {
		return row, ctx.Err()
	}
	for _, l := range []load{warmBare, warmed, allBare, all} {
		row.Errors += l.errors
		if l.failure != nil && row.Failure == "" {
			row.Failure = l.failure.Error()
		}
	}
	if len(all.latencies) == 0 || len(allBare.latencies) == 0 {
		return row, fmt.Errorf("%s: no answer at all: %s", sc.name, row.Failure)
	}
	row.PerSecond, row.BarePerSecond = median(rates), median(bareRates)
	row.Ratio, row.RatioLow, row.RatioHigh = row.PerSecond/row.BarePerSecond, slices.Min(ratios), slices.Max(ratios)
	shares := all.percentiles(0.5, 0.95, 0.99)
	row.P50, row.P95, row.P99 = shares[0], shares[1], shares[2]
	row.Bytes = int(all.bytes) / len(all.latencies)
	row.CPUMicros = micros(cpu) / float64(len(all.latencies))
	row.BareMicros = micros(cpuBare) / float64(len(allBare.latencies))
	row.Verdict = judge(row.Ratio >= sc.target && row.Errors == 0, sc.target > 0 && o.n >= fullSize)
	return row, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// inTurn hands out the requests one after the other, again from the first one
// after the last, or nil when they may not repeat.
func inTurn(requests [][]byte, repeat bool) func() []byte {
	var turn atomic.Int64
	return func() []byte {
		i := int(turn.Add(1) - 1)
		if i >= len(requests) && !repeat {
			return nil
		}
		return requests[i%len(requests)]
	}
}

// probe asks a few requests and returns the mean size of the answers' bodies and
// the share of those that hold no item. Any failure is an error: there is no
// point in measuring refusals.
func probe(ctx context.Context, addr string, next func() []byte) (size int, empty float64, err error) {
	c := client{addr: addr}
	defer c.close()
	for range probes {
		r := next()
		body, err := c.ask(ctx, r)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", firstLine(r), err)
		}
		size += len(body)
		if bytes.Contains(body, []byte(`"items":[]`)) {
			empty++
		}
	}
	return size / probes, empty / probes, nil
}

// median returns the middle value, the upper one of two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
