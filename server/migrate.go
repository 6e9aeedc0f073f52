package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/mongo"
)

// migrateCommand copies the store to another engine.
type migrateCommand struct {
	dataSettings
	To string `env:"QINGFU_MIGRATE_TO" required:"" placeholder:"TARGET" help:"Where to copy the store: mongodb://… or mongodb+srv://…, or a data folder for the embedded store, which is made when it is not there."`
}

// Run implements the command.
func (cmd *migrateCommand) Run(ctx context.Context, con *console) (err error) {
	if err := cmd.check(); err != nil {
		return err
	}
	from, source, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer source.Close() // only read from
	size, err := from.Size(ctx)
	if err != nil {
		return err
	}
	if size == 0 {
		return fmt.Errorf("%s is empty: there is nothing to copy", cmd.holder())
	}
	to, target, err := cmd.openTarget(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	before, err := to.Size(ctx)
	if err != nil {
		return err
	}

	bar := con.progress("records copied", int(max(0, size-before)))
	if err := store.Copy(ctx, from, to, bar.add); directory.KindOf(err) == directory.Conflict {
		return fmt.Errorf("%s holds what is not from %s, or was written to since it was copied: name one that is empty (%w)", cmd.target(), cmd.holder(), err)
	} else if err != nil {
		return err
	}
	bar.done()
	bar = con.progress("records read back", int(2*size))
	compared, err := store.Compare(ctx, from, to, bar.add)
	if err != nil {
		return err
	}
	bar.done()
	return cmd.report(con, compared)
}

// check refuses a source and a target that cannot be meant, before anything is opened.
func (cmd *migrateCommand) check() error {
	if cmd.toMongo() {
		if cmd.MongodbURI != "" && mongo.Place(cmd.MongodbURI) == mongo.Place(cmd.To) {
			return errors.New("--to names the database that MONGODB_URI names")
		}
	} else if cmd.To == "" || strings.Contains(cmd.To, "://") {
		return errors.New("--to is neither mongodb://… or mongodb+srv://… nor a folder")
	}
	if cmd.MongodbURI != "" {
		return nil
	}
	source, err := os.Stat(filepath.Join(cmd.DataDir, databaseName))
	if err != nil {
		return fmt.Errorf("%s holds no store: %w", cmd.holder(), err)
	}
	if target, err := os.Stat(filepath.Join(cmd.To, databaseName)); err == nil && os.SameFile(source, target) {
		return errors.New("--to names the data folder that is copied")
	}
	return nil
}

func (cmd *migrateCommand) toMongo() bool {
	return strings.HasPrefix(cmd.To, "mongodb://") || strings.HasPrefix(cmd.To, "mongodb+srv://")
}

// openTarget opens the store of the target. The caller closes it.
func (cmd *migrateCommand) openTarget(ctx context.Context) (*store.Store, io.Closer, error) {
	if !cmd.toMongo() {
		return (&dataSettings{DataDir: cmd.To}).openStore(ctx)
	}
	engine, err := mongo.Open(ctx, cmd.To)
	if err != nil {
		return nil, nil, fmt.Errorf("--to: %w", err)
	}
	return newStore(ctx, engine)
}

// target names where the copy is, without the password of the database.
func (cmd *migrateCommand) target() string {
	if cmd.toMongo() {
		return "the database " + mongo.Place(cmd.To)
	}
	return "the data folder " + cmd.To
}

// report prints what both stores hold, and returns an error unless it is the same.
func (cmd *migrateCommand) report(con *console, compared []store.Compared) error {
	var documents, deleted int64
	var differ, moved []string
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "collection\tdocuments\tdeleted\tSHA-256\t")
	line := func(name string, s store.Sum, verdict string) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%x\t%s\n", name, s.Documents, s.Deleted, s.Hash[:8], verdict)
	}
	for _, c := range compared {
		documents, deleted = documents+c.From.Documents, deleted+c.From.Deleted
		switch {
		case c.Moved:
			moved = append(moved, c.Collection)
			line(c.Collection, c.From, "written to meanwhile")
		case c.From == c.To:
			line(c.Collection, c.From, "equal")
		default:
			differ = append(differ, c.Collection)
			line(c.Collection, c.From, "DIFFERS; the copy has:")
			line("", c.To, "")
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	switch {
	case len(differ) > 0:
		return fmt.Errorf("the copy is not equal in %s: do not use it; copy into an empty one", strings.Join(differ, ", "))
	case len(moved) > 0:
		return fmt.Errorf("not verified, because %s was written to meanwhile: stop its servers and run this again, which goes on from here", cmd.holder())
	}
	con.printf("verified: %s holds all that is in %s: %d documents, and what remains of %d deleted ones\n", cmd.target(), cmd.holder(), documents, deleted)
	return nil
}
