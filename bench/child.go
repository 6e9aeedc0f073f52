package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

// childRole names the environment variable that tells this program that it is
// a server under load, and which one.
const childRole = "QINGFU_BENCH_CHILD"

// runChild serves until the process is told to end. The role is "bare BYTES" or
// "index N SEED FOLDER".
func runChild(role string) error {
	var size, n int
	var seed uint64
	var folder string
	if _, err := fmt.Sscanf(role, "bare %d", &size); err == nil {
		return serveBare(size)
	}
	if _, err := fmt.Sscanf(role, "index %d %d %s", &n, &seed, &folder); err == nil {
		return serveIndex(context.Background(), n, seed, folder)
	}
	return fmt.Errorf("%s: unknown role %q", childRole, role)
}

// hello is what a child writes to its standard output, as one line of JSON, when
// it begins to serve.
type hello struct {
	Addr  string
	Index indexFigures // of an index
}

// serveOn announces a server and lets it run.
func serveOn(app *fiber.App, h hello) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.Addr = listener.Addr().String()
	if err := json.NewEncoder(os.Stdout).Encode(h); err != nil {
		return err
	}
	return app.Listener(listener)
}

// serveBare is what the directory is compared with: Fiber, configured as in the
// package handlers, answering everything with so many constant bytes.
func serveBare(size int) error {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		Immutable:             true,
		CaseSensitive:         true,
		StrictRouting:         true,
		BodyLimit:             64 << 10,
		ReadBufferSize:        16 << 10,
		ReadTimeout:           10 * time.Second,
		WriteTimeout:          30 * time.Second,
		IdleTimeout:           60 * time.Second,
	})
	constant := bytes.Repeat([]byte("青"), size/3+1)[:size]
	app.Get("/*", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
		return c.Send(constant)
	})
	return serveOn(app, hello{})
}

// child is a server process.
type child struct {
	hello
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended
	stderr tail
}

// start starts a process that ends with the context of its command at the latest.
func start(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, ended: make(chan struct{})}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopTime
	cmd.Stderr = &c.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how a server ends that was told to is of no interest
		close(c.ended)
	}()
	return c, nil
}

// stopTime is how long a process that was told to end may take.
const stopTime = 15 * time.Second

// startChild starts this program in a role and waits until it serves.
func startChild(ctx context.Context, role string) (*child, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role)
	cmd.Stdout = in
	c, err := start(cmd)
	in.Close() // the child has its own
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.hello)
	}
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("%s: %w", role, errors.Join(ctx.Err(), c.failure()))
	}
	return c, nil
}

// readyTime is how long a server may take until it serves.
const readyTime = 5 * time.Minute

// startServer starts the program itself on a data folder and returns how long it
// took from the start of the process to the first good answer of its readiness
// check.
func startServer(ctx context.Context, program, folder string) (*child, time.Duration, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, 0, err
	}
	begin := time.Now()
	c, err := start(serverCommand(ctx, program, "serve", "--addr", addr, "--data-dir", folder, "--read-limit", "0"))
	if err != nil {
		return nil, 0, err
	}
	c.Addr = addr
	check := client{addr: addr}
	defer check.close()
	ready := request("/readyz")
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for {
		if _, err := check.ask(ctx, ready); err == nil {
			return c, time.Since(begin), nil
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-c.ended:
			return nil, 0, fmt.Errorf("server: %w", c.failure())
		case <-ctx.Done():
			c.stop()
			return nil, 0, fmt.Errorf("server: not ready: %w", ctx.Err())
		}
	}
}

// serverCommand is the program without the settings of whoever runs this one.
func serverCommand(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if !strings.HasPrefix(name, "QINGFU_") && !strings.HasPrefix(name, "MONGODB_") && !strings.HasPrefix(name, "MEILI_") {
			cmd.Env = append(cmd.Env, setting)
		}
	}
	return cmd
}

// freeAddr returns a loopback address that nobody listens on.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// stop ends the process and waits for that.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-c.ended:
	case <-time.After(stopTime):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// failure says how a process ended that should not have.
func (c *child) failure() error {
	<-c.ended
	return fmt.Errorf("%v: %s", c.cmd.ProcessState, bytes.TrimSpace(c.stderr))
}

// tail keeps the end of what is written to it.
type tail []byte

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	*t = (*t)[max(0, len(*t)-2000):]
	return len(p), nil
}
