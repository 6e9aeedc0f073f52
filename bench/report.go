package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// report is all that was measured in a run.
type report struct {
	Date        time.Time
	Machine     machine
	Seed        uint64
	Connections int
	Seconds     float64 // under load, of each scenario
	Speed       *speed  `json:",omitempty"`
	Scale       *scale  `json:",omitempty"`
}

// print writes the report for people.
func (r *report) print(w io.Writer) error {
	m := r.Machine
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s, %d × %s, %s/%s, %s, %s, seed %d\n",
		r.Date.Format(time.RFC3339), m.CPUs, m.CPU, m.OS, m.Arch, m.Go, m.load(), r.Seed)
	if s := r.Speed; s != nil {
		fmt.Fprintf(t, "\n%d listings, %d connections, %g s a scenario\n\n", s.Listings, r.Connections, r.Seconds)
		fmt.Fprintln(t, "scenario\treq/s\tp50 ms\tp95 ms\tp99 ms\tbytes\tempty\tbare req/s\tratio\tof rounds\ttarget\t\tCPU µs\tbare\tratio\terrors\t")
		for _, row := range s.Rows {
			target := "–"
			if row.Target > 0 {
				target = fmt.Sprintf("≥ %.3f", row.Target)
			}
			cpu := "–\t–\t–"
			if row.CPUMicros > 0 && row.BareMicros > 0 {
				cpu = fmt.Sprintf("%.0f\t%.0f\t%.3f", row.CPUMicros, row.BareMicros, row.BareMicros/row.CPUMicros)
			}
			fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.2f\t%.2f\t%d\t%.0f%%\t%.0f\t%.3f\t%.3f–%.3f\t%s\t%s\t%s\t%d\t\n",
				row.Scenario, row.PerSecond, row.P50, row.P95, row.P99, row.Bytes, 100*row.Empty, row.BarePerSecond,
				row.Ratio, row.RatioLow, row.RatioHigh, target, row.Verdict, cpu, row.Errors)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(t, "\nprocess start to serving: %.2f s (target ≤ %g s: %s), then %.0f MB of memory\n",
			s.StartSeconds, startLimit.Seconds(), s.Start, float64(s.ServerRSS)/1e6)
	}
	if s := r.Scale; s != nil {
		fmt.Fprintf(t, "\nindex by size, %d searches a second\n\n", scaleRate)
		fmt.Fprintln(t, "listings\tbuild s\theap B each\tRSS B each\tsearches\tp50 ms\tp99 ms\terrors\t")
		for _, row := range s.Rows {
			fmt.Fprintf(t, "%d\t%.2f\t%d\t%d\t%d\t%.2f\t%.2f\t%d\t\n", row.Listings, row.BuildSeconds,
				row.heapEach(), row.RSS/int64(row.Listings), row.Searches, row.P50, row.P99, row.Errors)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		last := s.Rows[len(s.Rows)-1]
		fmt.Fprintf(t, "\nbuild: %.1f s (target ≤ %g s at %d: %s)\n", last.BuildSeconds, buildLimit.Seconds(), largeScale, s.Build)
		fmt.Fprintf(t, "memory: %d bytes a listing (target ≤ %d at %d: %s)\n", last.heapEach(), memoryLimit, largeScale, s.Memory)
		fmt.Fprintf(t, "p99: × %.2f (target ≤ × %d from %d to %d: %s)\n", s.Growth, growthLimit, smallScale, largeScale, s.Growing)
	}
	return t.Flush()
}

func (m machine) load() string {
	if m.Load < 0 {
		return "load before: not known"
	}
	return fmt.Sprintf("load before: %.2f", m.Load)
}

// failures returns an error when any request failed: such figures are void. A
// target that was missed is no failure of the run.
func (r *report) failures() error {
	if r.Speed != nil {
		for _, row := range r.Speed.Rows {
			if row.Errors > 0 {
				return fmt.Errorf("%s: %d errors, first %s", row.Scenario, row.Errors, row.Failure)
			}
		}
	}
	if r.Scale != nil {
		for _, row := range r.Scale.Rows {
			if row.Errors > 0 {
				return fmt.Errorf("index of %d listings: %d errors, first %s", row.Listings, row.Errors, row.Failure)
			}
		}
	}
	return nil
}
