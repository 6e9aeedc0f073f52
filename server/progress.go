package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows how far a long step is: as a moving bar on a terminal, elsewhere as
// one line at the end.
type bar struct {
	con   *console
	what  string
	total int
	begun time.Time
	moves *progressbar.ProgressBar // nil where it cannot move
	count atomic.Int64
}

// progress begins to show a step of total parts; -1 when their number is not known.
func (con *console) progress(what string, total int) *bar {
	b := &bar{con: con, what: what, total: total, begun: time.Now()}
	if f, ok := con.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.moves = progressbar.NewOptions(total,
			progressbar.OptionSetDescription(what),
			progressbar.OptionSetWriter(con.err),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	return b
}

// add counts n more parts. It may be called by several goroutines.
func (b *bar) add(n int) {
	b.count.Add(int64(n))
	if b.moves != nil {
		_ = b.moves.Add(n) // a bar that cannot be drawn is no reason to fail
	}
}

// set says how many parts are done, of how many.
func (b *bar) set(done, total int) {
	b.count.Store(int64(done))
	if b.moves != nil {
		b.moves.ChangeMax(total)
		_ = b.moves.Set(done)
	}
}

// done ends the step with a line of what was done.
func (b *bar) done() {
	if b.moves != nil {
		_ = b.moves.Finish()
	}
	fmt.Fprintf(b.con.err, "%s: %d in %s\n", b.what, b.count.Load(), time.Since(b.begun).Round(time.Millisecond))
}
