package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"qingfu/directory"
	"qingfu/seed"
	"qingfu/store"
)

// importCommand loads listings from a file.
type importCommand struct {
	dataSettings
	File string `arg:"" help:"File of listings, one JSON object a line; - reads standard input."`
}

// maxLine is the longest line of an import in bytes, with its end.
const maxLine = 1 << 20

// Run implements the command.
func (cmd *importCommand) Run(ctx context.Context, con *console) error {
	in, size := io.Reader(os.Stdin), int64(-1)
	if cmd.File != "-" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	regions, err := seed.Regions()
	if err != nil {
		return err
	}
	st, closer, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	imp := &importer{
		store: st, regions: regions, production: cmd.production(), now: time.Now(), con: con,
		bar: con.progress("bytes imported", int(size)),
	}
	if err := imp.read(ctx, in); err != nil {
		return fmt.Errorf("after line %d, everything before it being handled: %w", imp.lines, err)
	}
	imp.bar.done()
	fmt.Fprintf(con.out, "%d lines: %d created, %d updated, %d unchanged, %d refused\n",
		imp.lines, imp.counts[store.Created], imp.counts[store.Updated], imp.counts[store.Unchanged], imp.refused)
	if imp.refused > 0 {
		return fmt.Errorf("%d of %d lines were refused; all others are kept", imp.refused, imp.lines)
	}
	return nil
}

// importer reads lines into the store.
type importer struct {
	store      *store.Store
	regions    *directory.Regions
	production bool
	now        time.Time
	con        *console
	bar        *bar

	lines   int // read so far
	refused int
	counts  map[store.UpsertState]int
	pending []directory.Listing
	numbers []int // of the lines of pending
}

// read imports every line. Bad lines are reported and left out; an error is only
// returned when reading or writing as a whole fails.
func (imp *importer) read(ctx context.Context, in io.Reader) error {
	imp.counts = map[store.UpsertState]int{}
	r := bufio.NewReaderSize(in, maxLine+1) // holds every line that is not too long
	for {
		line, err := r.ReadSlice('\n')
		size := len(line)
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) { // skip the rest of the line
				line, err = r.ReadSlice('\n')
				size += len(line)
			}
			line = nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if size > 0 {
			imp.lines++
			imp.bar.add(size)
			if imp.lines == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			imp.line(bytes.TrimSpace(line), size)
		}
		if len(imp.pending) == batch || err != nil {
			if err := imp.flush(ctx); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// line takes in one line; empty ones are no listings.
func (imp *importer) line(line []byte, size int) {
	switch {
	case size > maxLine:
		imp.refuse(imp.lines, fmt.Errorf("longer than %d bytes", maxLine))
		return
	case len(line) == 0:
		return
	}
	l, err := imp.listing(line)
	if err != nil {
		imp.refuse(imp.lines, err)
		return
	}
	imp.pending = append(imp.pending, l)
	imp.numbers = append(imp.numbers, imp.lines)
}

// listing reads and checks a line.
func (imp *importer) listing(line []byte) (directory.Listing, error) {
	l, err := directory.ParseListing(line)
	if err != nil {
		return l, err
	}
	var idErr error
	l.FillDefaults(imp.now, func() string {
		id, err := directory.NewID(imp.now, rand.Reader)
		idErr = err
		return id
	})
	if idErr != nil {
		return l, idErr
	}
	if err := l.Validate(imp.regions); err != nil {
		return l, err
	}
	if l.Demo && imp.production {
		return l, directory.WrongField("listing", "/demo", directory.CodeMismatch, "QINGFU_ENV=production")
	}
	return l, nil
}

func (imp *importer) refuse(line int, err error) {
	imp.refused++
	fmt.Fprintf(imp.con.err, "line %d: %v\n", line, err)
}

// flush writes the pending listings.
func (imp *importer) flush(ctx context.Context) error {
	results, err := upsertListings(ctx, imp.store, imp.pending, false) // nobody can bring a figure along
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Err != nil {
			imp.refuse(imp.numbers[i], r.Err)
			continue
		}
		imp.counts[r.State]++
	}
	imp.pending, imp.numbers = imp.pending[:0], imp.numbers[:0]
	return nil
}
