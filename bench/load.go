package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load is what one run of the load generator saw.
type load struct {
	took      time.Duration
	latencies []time.Duration // of the good answers
	bytes     int64           // of their bodies
	errors    int
	failure   error // the first of the errors
}

// rate returns the good answers a second.
func (l *load) rate() float64 { return float64(len(l.latencies)) / l.took.Seconds() }

func (l *load) add(o load) {
	l.took += o.took
	l.latencies = append(l.latencies, o.latencies...)
	l.bytes += o.bytes
	l.errors += o.errors
	if l.failure == nil {
		l.failure = o.failure
	}
}

// percentiles returns the latencies in milliseconds that the given shares of
// the answers did not exceed (nearest rank), zeros when there are none.
func (l *load) percentiles(shares ...float64) []float64 {
	slices.Sort(l.latencies)
	out := make([]float64, len(shares))
	for i, share := range shares {
		if n := len(l.latencies); n > 0 {
			rank := int(math.Ceil(share*float64(n))) - 1
			out[i] = float64(l.latencies[rank]) / float64(time.Millisecond)
		}
	}
	return out
}

// plan is what the load generator does.
type plan struct {
	addr  string
	conns int
	d     time.Duration
	// perSecond is the number of requests that begin each second, at even
	// intervals whether or not those before were answered; a latency then counts
	// from the moment when the request was due, so that a server that falls behind
	// cannot hide it. 0: each connection asks again as soon as it has its answer.
	perSecond int
}

// answerTime is how long an answer may take.
const answerTime = 15 * time.Second

// maxErrors is the number of errors at which a connection gives up.
const maxErrors = 20

// run asks the requests that next gives, until the time is over or next returns
// nil. It is a small client of its own, because what the client needs of the
// processor is taken from the server beside it. next must be safe for
// concurrent use.
func (p plan) run(ctx context.Context, next func() []byte) load {
	timed, cancel := context.WithTimeout(ctx, p.d)
	defer cancel()
	loads := make([]load, p.conns)
	var turn atomic.Int64
	var workers sync.WaitGroup
	start := time.Now()
	for i := range loads {
		workers.Go(func() {
			l := &loads[i]
			c := client{addr: p.addr}
			defer c.close()
			for {
				begin := time.Now()
				if p.perSecond > 0 {
					begin = start.Add(time.Duration(turn.Add(1)-1) * time.Second / time.Duration(p.perSecond))
					sleepUntil(timed, begin)
				}
				if timed.Err() != nil || l.errors >= maxErrors {
					return
				}
				request := next()
				if request == nil {
					return
				}
				body, err := c.ask(ctx, request)
				if err != nil {
					l.errors++
					if l.failure == nil {
						l.failure = fmt.Errorf("%s: %w", firstLine(request), err)
					}
					continue
				}
				l.latencies = append(l.latencies, time.Since(begin))
				l.bytes += int64(len(body))
			}
		})
	}
	workers.Wait()
	var all load
	for _, l := range loads {
		all.add(l)
	}
	all.took = time.Since(start)
	return all
}

func sleepUntil(ctx context.Context, t time.Time) {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	return line
}

// request returns a GET as it goes over the wire. A phone's program would take
// compressed answers; here plain ones are compared, because how fast a
// compressor is says nothing of the server.
func request(target string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Language: zh-CN\r\n\r\n", target)
}

// client is one keep-alive connection to a server that states the length of its
// answers, as Fiber does.
type client struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

// ask sends a request and returns the body of its answer, which is valid until
// the next call. Any status but 200 is an error.
func (c *client) ask(ctx context.Context, request []byte) (body []byte, err error) {
	if c.conn == nil {
		var dialer net.Dialer
		if c.conn, err = dialer.DialContext(ctx, "tcp", c.addr); err != nil {
			c.conn = nil
			return nil, err
		}
		c.in = bufio.NewReaderSize(c.conn, 64<<10)
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := c.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	status, length, err := c.readHead()
	if err != nil {
		return nil, err
	}
	c.body = slices.Grow(c.body[:0], length)[:length]
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return nil, err
	}
	if status != 200 {
		return nil, fmt.Errorf("status %d: %.300s", status, c.body)
	}
	return c.body, nil
}

// readHead reads the status line and the headers.
func (c *client) readHead() (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
				return 0, 0, fmt.Errorf("no answer in HTTP/1.1: %.100q", line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, 0, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		const name = "content-length:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
				return 0, 0, err
			}
		}
	}
	if length < 0 || length > 64<<20 {
		return 0, 0, errors.New("an answer without a sensible Content-Length")
	}
	return status, length, nil
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
