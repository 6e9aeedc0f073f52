package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is where a run was made.
type machine struct {
	OS, Arch, CPU, Go string
	CPUs              int
	// Load is the number of processes that wanted a processor in the minute before
	// the run: the figures of a busy machine are worth little. -1: not known.
	Load float64
}

func thisMachine() machine {
	m := machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: "?", Go: runtime.Version(), CPUs: runtime.NumCPU(), Load: -1}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(info), "model name\t: "); ok {
			m.CPU, _, _ = strings.Cut(rest, "\n")
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(load), " ")
		if l, err := strconv.ParseFloat(first, 64); err == nil {
			m.Load = l
		}
	}
	return m
}

// cpuTime returns the processor time that a process has used, 0 where the
// system does not tell (proc(5), utime and stime of stat).
func cpuTime(pid int) time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name of the program, in brackets, may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const utime, stime = 11, 12    // counted behind the name
	const tick = time.Second / 100 // USER_HZ, the same on every Linux
	var ticks int64
	for _, i := range []int{utime, stime} {
		if i < len(fields) {
			n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

// residentMemory returns the bytes of memory that a process occupies, 0 where
// the system does not tell (proc(5), VmRSS of status).
func residentMemory(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.ParseInt(fields[0], 10, 64)
	return kB << 10
}
