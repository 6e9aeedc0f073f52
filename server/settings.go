package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"qingfu/search/meili"
	"qingfu/store"
	"qingfu/store/mongo"
	"qingfu/store/sqlite"
)

// databaseName is the file of the embedded store in the data folder.
const databaseName = "qingfu.db"

// dataSettings are the settings of every command that works on the data.
type dataSettings struct {
	DataDir    string     `env:"QINGFU_DATA_DIR" default:"./data" help:"Folder of the embedded store and of the index; made when it is not there."`
	Env        string     `env:"QINGFU_ENV" default:"development" enum:"development,production" help:"development or production. Production takes no demonstration data."`
	Log        slog.Level `env:"QINGFU_LOG" default:"info" help:"Least level of the log: debug, info, warn or error."`
	MongodbURI string     `name:"mongodb-uri" env:"MONGODB_URI" placeholder:"URI" help:"MongoDB to use instead of the embedded store, for several servers: 6 or later, a replica set or sharded."`
}

// demoSettings say whether demonstration entries are wanted.
type demoSettings struct {
	Demo bool `env:"QINGFU_DEMO" default:"true" negatable:"" help:"Seed demonstration entries beside the real ones. Production never does."`
}

// meiliSettings say where Meilisearch is.
type meiliSettings struct {
	MeiliURL string `name:"meili-url" env:"MEILI_URL" placeholder:"URL" help:"Meilisearch that answers searches, 1.36 or later; the embedded index stands by."`
	MeiliKey string `name:"meili-key" env:"MEILI_KEY" placeholder:"KEY" help:"Its master key, or one that may manage indexes, documents, settings, tasks and keys."`
}

// check refuses what cannot be an address.
func (s *meiliSettings) check() error {
	if s.MeiliURL == "" {
		if s.MeiliKey != "" {
			return errors.New("MEILI_KEY is set without MEILI_URL")
		}
		return nil
	}
	u, err := url.Parse(s.MeiliURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("MEILI_URL is not of the form http://HOST:PORT or https://HOST")
	}
	return nil
}

// config is what the engine needs of them.
func (s *meiliSettings) config(l *language) meili.Config {
	return meili.Config{URL: s.MeiliURL, Key: s.MeiliKey, Lexicon: l.lexicon, Calendar: l.calendar}
}

func (s *dataSettings) production() bool { return s.Env == "production" }

func (s *dataSettings) logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: s.Log}))
}

// openStore opens the store: MongoDB where there is one, and the one in the data
// folder otherwise. The caller closes what it returns, also with an error of a later
// step. The data folder exists then.
func (s *dataSettings) openStore(ctx context.Context) (*store.Store, io.Closer, error) {
	open := s.openSQLite
	if s.MongodbURI != "" {
		open = s.openMongo
	}
	engine, err := open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return newStore(ctx, engine)
}

// newStore makes the store on an engine, which it closes when it fails.
func newStore(ctx context.Context, engine store.Engine) (*store.Store, io.Closer, error) {
	st, err := store.New(ctx, engine)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return st, engine, nil
}

func (s *dataSettings) openSQLite(ctx context.Context) (store.Engine, error) {
	if err := s.makeDataDir(); err != nil {
		return nil, err
	}
	engine, err := sqlite.Open(ctx, filepath.Join(s.DataDir, databaseName))
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", s.DataDir, err)
	}
	return engine, nil
}

func (s *dataSettings) openMongo(ctx context.Context) (store.Engine, error) {
	engine, err := mongo.Open(ctx, s.MongodbURI)
	if err != nil {
		return nil, fmt.Errorf("MONGODB_URI: %w", err)
	}
	if err := s.makeDataDir(); err != nil { // for the index, the keys and photos
		return nil, errors.Join(err, engine.Close())
	}
	return engine, nil
}

func (s *dataSettings) makeDataDir() error {
	if err := os.MkdirAll(s.DataDir, 0o750); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// holder names where the store is, without the password of the database.
func (s *dataSettings) holder() string {
	if s.MongodbURI != "" {
		return "the database of MONGODB_URI"
	}
	return "the data folder " + s.DataDir
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
