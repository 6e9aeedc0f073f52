// Command server is the whole program: it serves the directory and has the
// commands that look after its data.
//
// Follow one search from here: serve (serve.go) opens the store, seeds it on its
// first start, lets the projector (projector.go) fill the search engine and
// hands both to the API; handlers.searchListings reads the request into a
// search.Query; the engine, search/memory, answers it with ready cards.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // for TZ where the system has no time zones, as in an empty container

	"github.com/alecthomas/kong"
)

// commands is the command line. A flag that is a setting can be given as an
// environment variable instead, or as a file that one names; the flag wins.
type commands struct {
	Serve  serveCommand  `cmd:"" default:"withargs" help:"Serve the directory over HTTP (the default command)."`
	Seed   seedCommand   `cmd:"" help:"Load the seed data, or synthetic listings, into the data folder."`
	Import importCommand `cmd:"" help:"Load listings from a file of one JSON object a line; see docs/listing-format.md."`
	Health healthCommand `cmd:"" help:"Ask a running server whether it is ready; exit code 0 when it is."`
	Grant  grantCommand  `cmd:"" help:"Give somebody a role: owner, staff, official or admin."`
	Revoke revokeCommand `cmd:"" help:"Take a role back."`
	Reset  resetCommand  `cmd:"" name:"reset-second-factor" help:"Forget the authenticator app of somebody who has lost it."`
	TOTP   totpCommand   `cmd:"" name:"totp" help:"Print the code that an authenticator app shows now, for trying out."`
	Keys   keysCommand   `cmd:"" help:"Make new keys."`

	Reindex reindexCommand `cmd:"" help:"Build the search index anew, while servers on the data folder go on, or for their next start."`

	Doctor doctorCommand `cmd:"" help:"Compare the search indexes with the listings of the store, and put right what differs."`

	Recount recountCommand `cmd:"" help:"Compare the satisfaction figures of all listings with their ratings, and put right what is wrong."`

	Migrate migrateCommand `cmd:"" help:"Copy the whole store to another engine, from the embedded one to MongoDB or back; see docs/migrating.md."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs one command and returns the exit code. A failure is one line on
// stderr and code 1.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("server"),
		kong.Description("青服 Qingfu: the consumer service directory of Qinghai province."),
		kong.Vars{"version": version},
		kong.Writers(stdout, stderr),
		kong.Resolvers(kong.ResolverFunc(fromFile)),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&console{stdout, stderr}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "server:", err)
		return 1
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err == nil {
		err = command.Run()
	}
	if err != nil {
		fmt.Fprintln(stderr, "server:", err)
		return 1
	}
	return 0
}

// console is where a command writes.
type console struct {
	out, err io.Writer
}

// quiet is a console of nobody.
var quiet = &console{io.Discard, io.Discard}

// printf writes what the operator asked for.
func (con *console) printf(format string, args ...any) {
	fmt.Fprintf(con.out, format, args...)
}
