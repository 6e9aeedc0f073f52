package main

import (
	"sync"
	"time"
)

// lag knows how long changes have been waiting. Changes have no time of their own,
// so that it is counted from when they were noticed: at once when this process
// wrote them, at the next poll when another one did.
type lag struct {
	now func() time.Time

	mu   sync.Mutex
	seen []sighting // rising
}

// sighting says that by some moment changes up to a number were there.
type sighting struct {
	seq int64
	at  time.Time
}

// maxSightings bounds what is kept while an index does not follow for hours.
const maxSightings = 1000

// notice keeps that there are changes up to a number now, of which the first ones
// are indexed.
func (l *lag) notice(seq, indexed int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(indexed)
	if n := len(l.seen); n == maxSightings {
		l.seen[n-1].seq = seq // which makes the youngest older than they are
		return
	}
	l.seen = append(l.seen, sighting{seq, l.now()})
}

// of returns how long the oldest change behind a number has been there, 0 when
// there is none.
func (l *lag) of(indexed int64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(indexed)
	if len(l.seen) == 0 {
		return 0
	}
	return l.now().Sub(l.seen[0].at)
}

func (l *lag) forget(indexed int64) {
	for len(l.seen) > 0 && l.seen[0].seq <= indexed {
		l.seen = l.seen[1:]
	}
}
