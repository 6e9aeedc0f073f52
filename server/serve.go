package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"qingfu/auth"
	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/handlers"
	"qingfu/photos"
	"qingfu/registry"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/statistics"
	"qingfu/store"
)

// serveCommand serves the directory until it is told to stop.
type serveCommand struct {
	dataSettings
	demoSettings
	signInSettings
	photoSettings
	ratingSettings
	meiliSettings
	Addr string `env:"QINGFU_ADDR" default:":8080" help:"Address to listen on."`
}

// stopTime is how long requests under way may take when the server stops. It is
// less than the ten seconds after which container engines lose patience.
const stopTime = 5 * time.Second

// Run implements the command.
func (cmd *serveCommand) Run(ctx context.Context, con *console) (err error) {
	defer func() {
		if errors.Is(err, context.Canceled) {
			err = nil // told to stop while it was still starting
		}
	}()
	log := cmd.logger(con.err)
	if err := checkAddr(cmd.Addr); err != nil {
		return err
	}
	if err := cmd.meiliSettings.check(); err != nil {
		return err
	}
	if err := cmd.signInSettings.check(); err != nil {
		return err
	}
	if err := cmd.photoSettings.check(); err != nil {
		return err
	}
	rules, err := cmd.rules()
	if err != nil {
		return err
	}
	if cmd.production() {
		list := cmd.developmentDefaults(cmd.DataDir)
		if cmd.MeiliURL != "" && cmd.MeiliKey == "" {
			list = append(list, "MEILI_KEY is not set, so that whoever reaches MEILI_URL can change what is found: give Meilisearch a master key and set it")
		}
		if len(list) > 0 {
			return fmt.Errorf("QINGFU_ENV is production, but some settings are still for development: %s", strings.Join(list, "; "))
		}
	}
	// The address comes first: when it is taken, nothing else need be begun.
	listener, err := net.Listen("tcp", cmd.Addr)
	if err != nil {
		return fmt.Errorf("QINGFU_ADDR: %w", err)
	}
	defer listener.Close()

	st, closer, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	if err := refuseDemo(ctx, st, &cmd.dataSettings); err != nil {
		return err
	}
	access, err := cmd.newAuth(ctx, &cmd.dataSettings, st, log)
	if err != nil {
		return err
	}
	if err := seedOnce(ctx, st, access, cmd, con, log); err != nil {
		return err
	}

	bucket, err := cmd.photoSettings.open(ctx, cmd.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	album := photos.New(photos.Config{Bucket: bucket, Documents: st, Log: log, Now: time.Now})

	language, err := readLanguage()
	if err != nil {
		return err
	}
	regions, calendar, lexicon := language.regions, language.calendar, language.lexicon
	projector, err := cmd.openIndex(ctx, st, language, log)
	if err != nil {
		return err
	}
	engine := projector.file.engine
	defer func() { err = errors.Join(err, engine.Close()) }()
	if err := projector.start(ctx, con); err != nil {
		return err
	}
	node := nodeName(listener.Addr().String())
	// With Meilisearch the embedded index stands by.
	var searcher search.Searcher = engine
	var remote *mirror
	var pair *search.Pair
	if cmd.MeiliURL != "" {
		if remote, err = newMirror(ctx, st, cmd.config(language), language.indexer, node, log); err != nil {
			return err
		}
		pair = search.NewPair(remote.engine, engine, remote.behind, remote.failed, time.Now)
		searcher = pair
		projector.noticed = remote.notice
	}
	degraded := func() (list []string) {
		if pair != nil && pair.Degraded() {
			list = append(list, "search")
		}
		if projector.away() {
			list = append(list, "store")
		}
		return list
	}
	reg, err := registry.New(ctx, registry.Config{
		Store: st, Auth: access, Photos: album, Search: searcher, Regions: regions, Log: log, Now: time.Now, Random: rand.Reader, Explain: handlers.Explain,
	})
	if err != nil {
		return err
	}
	between := consumer.New(consumer.Config{
		Store: st, Auth: access, Photos: album, Search: searcher, Regions: regions, Calendar: calendar, Rules: rules,
		PublicURL: access.Issuer, Log: log, Now: time.Now, Random: rand.Reader,
	})
	figures := statistics.New(statistics.Config{
		Store: st, Auth: access, Regions: regions, Calendar: calendar, Census: seed.Census(), Rules: rules, PublicURL: access.Issuer, Log: log, Now: time.Now, Random: rand.Reader,
	})
	app, err := handlers.New(handlers.Config{
		Store: st, Search: searcher, Regions: regions, Lexicon: lexicon, Calendar: calendar,
		Auth: access, Registry: reg, Consumer: between, Statistics: figures, Photos: album, TrustedProxies: cmd.TrustedProxies, ReadLimit: cmd.ReadLimit,
		Log: log, Now: time.Now, Version: version,
		Ready:    projector.ready,
		Progress: projector.progress,
		Lag:      projector.lagTime,
		DemoData: projector.demo.Load,
		Degraded: degraded,
	})
	if err != nil {
		return err
	}

	reindexer := &reindexer{
		meta: st.Meta, projector: projector, engine: engine,
		newEngine: func() (*memory.Engine, error) { return memory.New(lexicon, calendar) },
		node:      node, log: log,
	}

	// These run until one of them ends: the projector and the one who rebuilds its
	// index, the housekeeping of accounts, of listings, of bookings, of statistics and of photos,
	// the HTTP server, the wait for a signal, and what has to do with Meilisearch.
	ctx, stop := context.WithCancel(ctx)
	tasks := []func(context.Context) error{
		projector.run, reindexer.run, access.Run, reg.Run, between.Run, figures.Run, album.Run,
		func(context.Context) error { return app.Listener(listener) },
	}
	if remote != nil {
		tasks = append(tasks,
			func(ctx context.Context) error { return remote.watch(ctx, projector.stored.Load(), pair.Degraded) },
			func(ctx context.Context) error { return remote.lease().run(ctx, remote.lead) })
	}
	running := len(tasks)
	done := make(chan error, running)
	for _, task := range tasks {
		go func() { done <- task(ctx) }()
	}
	announce(log, listener.Addr())

	var failure error
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case failure = <-done:
		running--
	}
	stop()
	if err := app.ShutdownWithTimeout(stopTime); errors.Is(err, context.DeadlineExceeded) {
		log.Warn("some connections were still in use and have been cut off", "after", stopTime)
	} else {
		failure = errors.Join(failure, err)
	}
	listener.Close() // when the HTTP server had not begun to use it, this keeps it from doing so
	for ; running > 0; running-- {
		failure = errors.Join(failure, <-done)
	}
	return failure
}

// refuseDemo keeps demonstration data out of production.
func refuseDemo(ctx context.Context, st *store.Store, data *dataSettings) error {
	if !data.production() {
		return nil
	}
	demo := []store.Condition{store.Equal("demo", int64(1))}
	listings, err := st.Listings.Count(ctx, demo)
	if err != nil {
		return err
	}
	accounts, err := st.Accounts.Count(ctx, demo)
	if err != nil {
		return err
	}
	organizations, err := st.Organizations.Count(ctx, demo)
	if err != nil {
		return err
	}
	returns, err := st.Returns.Count(ctx, demo)
	if err != nil {
		return err
	}
	if listings[0].N+accounts[0].N+organizations[0].N+returns[0].N > 0 {
		return fmt.Errorf("QINGFU_ENV is production, but %s holds %d demonstration entries, %d accounts and %d organizations, and %d returns: use another one",
			data.holder(), listings[0].N, accounts[0].N, organizations[0].N, returns[0].N)
	}
	return nil
}

// seedOnce seeds the store on its first start, and says which demonstration
// accounts there are.
func seedOnce(ctx context.Context, st *store.Store, access *auth.Auth, cmd *serveCommand, con *console, log *slog.Logger) error {
	_, err := st.Meta.Get(ctx, seedMark)
	if directory.KindOf(err) == directory.NotFound {
		demo := access
		if !cmd.Demo || !cmd.demoAccounts(&cmd.dataSettings) {
			demo = nil
		}
		err = seedStore(ctx, st, demo, con, log)
	}
	if err != nil {
		return err
	}
	accounts, err := st.Accounts.Count(ctx, []store.Condition{store.Equal("demo", int64(1))})
	if err == nil && accounts[0].N > 0 && cmd.demoAccounts(&cmd.dataSettings) {
		showDemoAccounts(log)
	}
	return err
}

// announce logs where the server can be reached.
func announce(log *slog.Logger, addr net.Addr) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		host, port = addr.String(), ""
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	base := "http://" + net.JoinHostPort(host, port)
	log.Info("API", "url", base+"/v1/listings")
	log.Info("API reference", "url", base+"/docs")
	log.Info("health check", "url", base+"/readyz")
}
