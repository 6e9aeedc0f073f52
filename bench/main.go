// Command bench measures how fast the directory is, on this machine and in one
// run, beside a bare Fiber handler that sends constant answers of the same size.
// docs/performance.md says what is measured and how to read it.
//
// Follow one run from here: speed.go builds and seeds a server and puts each
// scenario of mix.go on it with the load generator of load.go; scale.go measures
// the index at several sizes; report.go prints both. The servers under load are
// processes of their own, started by child.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	n        int           // listings of the scenarios; 0: no scenarios
	seed     uint64        // of the listings and of the requests
	duration time.Duration // under load, of each scenario
	conns    int
	only     string // the one scenario to run; empty: all
	scale    []int  // sizes of the index; none: not measured
	json     string // file for the report as JSON
}

func main() {
	if role := os.Getenv(childRole); role != "" {
		fatal(runChild(role))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, time.Now)
	stop()
	if !errors.Is(err, flag.ErrHelp) {
		fatal(err)
	}
}

// fatal ends the program when there is an error.
func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func readOptions(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.n, "n", 100_000, "synthetic `listings` on the server of the scenarios; 0 leaves these out")
	flags.Uint64Var(&o.seed, "seed", 7, "choose other listings and requests")
	flags.DurationVar(&o.duration, "d", 5*time.Second, "`time` under load of each scenario, at most 10m")
	flags.IntVar(&o.conns, "c", 32, "`connections` that ask at the same time, at most 1024")
	flags.StringVar(&o.only, "only", "", "run this `scenario` alone, by its name in the table")
	sizes := flags.String("scale", "", "also measure the index at these `sizes`, such as 10000,100000,1000000")
	flags.StringVar(&o.json, "json", "", "write the report to this `file`, too, as JSON")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxListings || len(o.scale) > 0 && n <= o.scale[len(o.scale)-1] {
			return o, fmt.Errorf("-scale %s: want rising numbers from 1 to %d", *sizes, maxListings)
		}
		o.scale = append(o.scale, n)
	}
	switch {
	case o.n < 0 || o.n > maxListings:
		err = fmt.Errorf("-n %d: want 0 to %d", o.n, maxListings)
	case o.duration < 10*time.Millisecond || o.duration > 10*time.Minute:
		err = fmt.Errorf("-d %v: want 10ms to 10m", o.duration)
	case o.conns < 1 || o.conns > 1024:
		err = fmt.Errorf("-c %d: want 1 to 1024", o.conns)
	case o.n == 0 && len(o.scale) == 0:
		err = errors.New("nothing to measure: -n is 0 and there is no -scale")
	case o.only != "" && scenarioNamed(o.only) == nil:
		err = fmt.Errorf("-only %s: there is no such scenario", o.only)
	}
	return o, err
}

// maxListings bounds a run: the index of so many takes some 15 GB.
const maxListings = 10_000_000

// run makes the measurements that the arguments ask for and prints the report.
// When ctx ends, it ends too, with every process that it started.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, now func() time.Time) (err error) {
	o, err := readOptions(args, stderr)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "qingfu-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()

	r := report{Date: now().Truncate(time.Second), Machine: thisMachine(), Seed: o.seed, Connections: o.conns, Seconds: o.duration.Seconds()}
	m := newMix(o.seed)
	progress := func(format string, args ...any) { fmt.Fprintf(stderr, format+" …\n", args...) }
	if o.n > 0 {
		if r.Speed, err = measureSpeed(ctx, o, m, temp, progress); err != nil {
			return err
		}
	}
	if len(o.scale) > 0 {
		if r.Scale, err = measureScale(ctx, o, m, temp, progress); err != nil {
			return err
		}
	}
	if err := r.print(stdout); err != nil {
		return err
	}
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return r.failures()
}
