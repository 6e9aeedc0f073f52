package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// healthCommand asks a running server whether it is ready. It is the health
// check of a container that has no other program.
type healthCommand struct {
	Addr string `env:"QINGFU_ADDR" default:":8080" help:"Address that the server listens on."`
}

// Run implements the command.
func (cmd *healthCommand) Run(ctx context.Context, con *console) error {
	if err := checkAddr(cmd.Addr); err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(cmd.Addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // not localhost, which an empty root folder cannot resolve
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", resp.Status)
	}
	fmt.Fprintln(con.out, "ready")
	return nil
}
