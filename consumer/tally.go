package consumer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// The figure of a listing is a projection of its ratings: every change of a rating
// has it counted anew, by the store, from all of them. A count says up to which
// change of the ratings it goes at least; of two counts the later one stays, so that
// servers which count at the same time cannot undo each other's, and nothing is
// wrong for longer than a change takes to be followed.

// tallyMark is the name of the mark that says up to which change the ratings are
// counted, and voteMark that of the votes.
const (
	tallyMark = "consumer/ratings"
	voteMark  = "consumer/votes"
)

// pollTime is how soon changes by other processes are seen; those of this one are
// seen at once.
const pollTime = 500 * time.Millisecond

// markEvery is how often is noted how far the ratings are counted. What was counted
// since is counted again after a crash.
const markEvery = 10 * time.Second

// tally follows the ratings and the votes until ctx ends. What fails is tried again.
func (c *Consumer) tally(ctx context.Context) {
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	marked := c.Now()
	at := c.begun(ctx)
	behind := false
	for {
		ratings, votes := c.Store.Ratings.Changed(), c.Store.Votes.Changed()
		next, err := c.catchUp(ctx, at)
		if err != nil && ctx.Err() == nil {
			if !behind { // one line is enough
				c.Log.Error("ratings cannot be counted; it is tried again", "error", err)
			}
			ratings, votes = nil, nil // try again at the next poll, not at once
		}
		behind = err != nil
		at = next
		if ended := ctx.Err() != nil; at.unmarked && (ended || c.Now().Sub(marked) >= markEvery) {
			marked = c.Now()
			if err := c.note(context.WithoutCancel(ctx), &at); err != nil {
				c.Log.Error("nobody can note how far the ratings are counted", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ratings:
		case <-votes:
		case <-poll.C:
		}
	}
}

// progress is up to which changes the ratings and the votes are counted.
type progress struct {
	ratings, votes int64
	unmarked       bool
}

// begun reads how far the ratings were counted. Without a mark that can be read they
// are counted from the beginning.
func (c *Consumer) begun(ctx context.Context) (at progress) {
	for name, to := range map[string]*int64{tallyMark: &at.ratings, voteMark: &at.votes} {
		if mark, err := c.Store.Meta.Get(ctx, name); err == nil {
			*to, _ = strconv.ParseInt(mark.Value.Value, 10, 64)
		}
	}
	return at
}

// note notes how far the ratings are counted.
func (c *Consumer) note(ctx context.Context, at *progress) error {
	now := c.now()
	results, err := c.Store.Meta.Upsert(ctx, []store.Mark{
		{Name: tallyMark, Value: strconv.FormatInt(at.ratings, 10), At: now}, {Name: voteMark, Value: strconv.FormatInt(at.votes, 10), At: now},
	})
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	at.unmarked = err != nil
	return err
}

// tallyOnce does once what tally repeats.
func (c *Consumer) tallyOnce(ctx context.Context) error {
	at, err := c.catchUp(ctx, c.begun(ctx))
	if err == nil && at.unmarked {
		err = c.note(ctx, &at)
	}
	return err
}

// catchUp takes in all changes that there are now, and returns how far it came.
func (c *Consumer) catchUp(ctx context.Context, at progress) (progress, error) {
	for {
		changes, err := c.Store.Votes.Changes(ctx, at.votes, store.MaxLimit)
		if err != nil || len(changes) == 0 {
			break
		}
		for _, v := range changes {
			id, _, _ := strings.Cut(v.ID, ".")
			if err := c.countVotes(ctx, id, v.Seq); err != nil {
				return at, err
			}
		}
		at.votes, at.unmarked = changes[len(changes)-1].Seq, true
	}
	for {
		changes, err := c.Store.Ratings.Changes(ctx, at.ratings, store.MaxLimit)
		if err != nil || len(changes) == 0 {
			return at, err
		}
		last := map[string]int64{} // change of each listing
		for _, r := range changes {
			if r.Value == nil {
				continue
			}
			if err := errors.Join(c.judgeAgain(ctx, r.Value), c.follow(ctx, r.Value)); err != nil {
				return at, fmt.Errorf("rating %s: %w", r.ID, err)
			}
			last[r.Value.Listing] = r.Seq
		}
		for listing, seq := range last {
			if err := c.count(ctx, listing, seq); err != nil {
				return at, fmt.Errorf("listing %s: %w", listing, err)
			}
		}
		at.ratings, at.unmarked = changes[len(changes)-1].Seq, true
	}
}

// count brings the figure of a listing up to a change of the ratings at least. The
// ratings are counted after the listing was read, and the figure is stored unless the
// listing has been written since: no older count takes the place of a later one.
func (c *Consumer) count(ctx context.Context, listing string, to int64) error {
	return c.setFigure(ctx, listing, func(l *directory.Listing) error {
		if l.Satisfaction.CountedTo >= to {
			return store.ErrUnchanged
		}
		counted, err := c.Count(ctx, listing)
		l.Satisfaction = counted
		return err
	})
}

// setFigure changes a listing; one that is gone has no figure.
func (c *Consumer) setFigure(ctx context.Context, listing string, change func(*directory.Listing) error) error {
	_, err := c.Store.Listings.Update(ctx, listing, change)
	if directory.KindOf(err) == directory.NotFound {
		return nil
	}
	return err
}

// counting are the conditions of ratings that carry a figure.
func counting() []store.Condition {
	return []store.Condition{store.Equal("state", string(directory.RatingPublished)), proven(true)}
}

// Count counts the ratings of a listing that carry its figure, from scratch.
func (c *Consumer) Count(ctx context.Context, listing string) (s directory.Satisfaction, err error) {
	// The change comes first: what is counted may go further, never less far.
	if s.CountedTo, err = c.Store.Ratings.LastSeq(ctx); err != nil {
		return s, err
	}
	groups, err := c.Store.Ratings.Count(ctx, append(counting(), store.Equal("listing", listing)), "level")
	for _, g := range groups {
		s.Levels[g.Key[0].(int64)-1] = g.N
	}
	return s, err
}

// Recount counts the ratings of all listings from scratch, puts right what is wrong
// unless it is only to be looked at, and calls wrong with each listing whose figure
// was not what its ratings say. It may run beside servers, and needs nothing of the
// configuration but Store.
func (c *Consumer) Recount(ctx context.Context, onlyLook bool, wrong func(listing string, is, ought [5]int64)) error {
	groups, err := c.Store.Ratings.Count(ctx, counting(), "listing", "level")
	if err != nil {
		return err
	}
	counted := map[string][5]int64{}
	for _, g := range groups {
		levels := counted[g.Key[0].(string)]
		levels[g.Key[1].(int64)-1] = g.N
		counted[g.Key[0].(string)] = levels
	}
	return c.Store.Listings.Each(ctx, store.Query{}, func(d *store.Doc[directory.Listing]) error {
		if counted[d.Value.ID] == d.Value.Satisfaction.Levels {
			return nil
		}
		// A server may have counted it since it was read.
		return c.setFigure(ctx, d.Value.ID, func(l *directory.Listing) error {
			is := l.Satisfaction.Levels
			ought, err := c.Count(ctx, l.ID)
			if err != nil {
				return err
			}
			if ought.Levels == is {
				return store.ErrUnchanged
			}
			wrong(l.ID, is, ought.Levels)
			if onlyLook {
				return store.ErrUnchanged
			}
			l.Satisfaction = ought
			return nil
		})
	})
}

// Vote says that the caller has found a published rating helpful, or not any more. It
// returns NotFound, and Conflict about "own_rating".
func (c *Consumer) Vote(ctx context.Context, caller directory.Caller, rating string, helpful bool) error {
	doc, err := c.Store.Ratings.Get(ctx, rating)
	switch {
	case err != nil:
		return err
	case doc.Value.State != directory.RatingPublished:
		return directory.Missing("rating")
	case doc.Value.Account == caller.Account:
		return &directory.Error{Kind: directory.Conflict, What: "own_rating"}
	}
	v := directory.Vote{Rating: rating, Account: caller.Account, At: c.now()}
	if !helpful {
		err = c.Store.Votes.Remove(ctx, v.Key())
	} else if _, err = c.Store.Votes.Insert(ctx, v); directory.KindOf(err) == directory.Conflict {
		return nil
	}
	if err != nil {
		return err
	}
	last, err := c.Store.Votes.LastSeq(ctx)
	if err != nil {
		return err
	}
	return c.countVotes(ctx, rating, last)
}

// countVotes brings the number of votes for a rating up to a change at least.
func (c *Consumer) countVotes(ctx context.Context, rating string, to int64) error {
	_, err := c.Store.Ratings.Update(ctx, rating, func(r *directory.Rating) error {
		if r.HelpfulTo >= to {
			return store.ErrUnchanged
		}
		last, err := c.Store.Votes.LastSeq(ctx)
		if err != nil {
			return err
		}
		groups, err := c.Store.Votes.Count(ctx, []store.Condition{store.Equal("rating", rating)})
		if err != nil {
			return err
		}
		r.Helpful, r.HelpfulTo = groups[0].N, last
		return nil
	})
	if directory.KindOf(err) == directory.NotFound {
		return nil
	}
	return err
}

// RatingFigures is what is known of the ratings of a listing: the distribution of
// each origin, and what is not counted, by the reason. Withdrawn ratings are in none.
type RatingFigures struct {
	ByOrigin map[directory.RatingOrigin]directory.Satisfaction
	Held     map[string]int64 // waiting for an official, by rule
	Excluded map[string]int64 // by rule
}

// Counted is the distribution that carries the official figure.
func (f *RatingFigures) Counted() (s directory.Satisfaction) {
	for origin, of := range f.ByOrigin {
		if origin.Proven() {
			for i, n := range of.Levels {
				s.Levels[i] += n
			}
		}
	}
	return s
}

// Figures counts the ratings of a listing from scratch.
func (c *Consumer) Figures(ctx context.Context, listing string) (RatingFigures, error) {
	f := RatingFigures{map[directory.RatingOrigin]directory.Satisfaction{}, map[string]int64{}, map[string]int64{}}
	groups, err := c.Store.Ratings.Count(ctx, []store.Condition{store.Equal("listing", listing)}, "state", "origin", "level", "rule")
	for _, g := range groups {
		rule := g.Key[3].(string)
		switch directory.RatingState(g.Key[0].(string)) {
		case directory.RatingPublished:
			origin := directory.RatingOrigin(g.Key[1].(string))
			s := f.ByOrigin[origin]
			s.Levels[g.Key[2].(int64)-1] += g.N
			f.ByOrigin[origin] = s
		case directory.RatingHeld:
			f.Held[rule] += g.N
		case directory.RatingExcluded:
			f.Excluded[rule] += g.N
		}
	}
	return f, err
}
