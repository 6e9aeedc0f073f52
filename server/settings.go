package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"qingfu/store"
	"qingfu/store/sqlite"
)

// dataSettings are the settings of every command that works on the data.
type dataSettings struct {
	DataDir    string     `env:"QINGFU_DATA_DIR" default:"./data" help:"Folder of the embedded store; made when it is not there."`
	Env        string     `env:"QINGFU_ENV" default:"development" enum:"development,production" help:"development or production. Production takes no demonstration data."`
	Log        slog.Level `env:"QINGFU_LOG" default:"info" help:"Least level of the log: debug, info, warn or error."`
	MongodbURI string     `name:"mongodb-uri" env:"MONGODB_URI" placeholder:"URI" help:"Database to use instead of the embedded store. Not in this version."`
}

// demoSettings say whether demonstration entries are wanted.
type demoSettings struct {
	Demo bool `env:"QINGFU_DEMO" default:"true" negatable:"" help:"Seed demonstration entries beside the real ones. Production never does."`
}

func (s *dataSettings) production() bool { return s.Env == "production" }

func (s *dataSettings) logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: s.Log}))
}

// openStore opens the store in the data folder. The caller closes what it
// returns, also with an error of a later step.
func (s *dataSettings) openStore(ctx context.Context) (*store.Store, io.Closer, error) {
	if s.MongodbURI != "" {
		return nil, nil, errors.New("MONGODB_URI is set, but this version has only the embedded store: unset it to run on SQLite")
	}
	if err := os.MkdirAll(s.DataDir, 0o750); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	engine, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "qingfu.db"))
	if err != nil {
		return nil, nil, fmt.Errorf("data folder %s: %w", s.DataDir, err)
	}
	st, err := store.New(ctx, engine)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return st, engine, nil
}

// checkAddr refuses what cannot be an address to listen on.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("QINGFU_ADDR %q is not of the form HOST:PORT or :PORT", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("QINGFU_ADDR %q: the port is not a number from 0 to 65535", addr)
	}
	return nil
}
