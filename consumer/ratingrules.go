package consumer

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// subject is what ratings are counted together by: the organization, or the listing
// where there is none.
func subject(r *directory.Rating) string {
	if r.Organization != "" {
		return r.Organization
	}
	return r.Listing
}

// trace keeps, as keyed hashes, from where a rating comes and what its text is. The
// hashes of another organization differ, so that nobody can be followed by them.
func (c *Consumer) trace(r *directory.Rating, from auth.Client) {
	hash := func(purpose, text string) string {
		if text == "" {
			return ""
		}
		return c.Auth.Keys.Hash("rating "+purpose, text)
	}
	if from.Device != "" {
		r.Device = hash("device", subject(r)+" "+from.Device)
	}
	if tells(from.Network) {
		r.Network = hash("network", subject(r)+" "+from.Network)
	}
	r.Words = ""
	if c.Rules.LooksAtText(r.Text) {
		r.Words = hash("text", directory.NormalText(r.Text))
	}
}

// tells tells whether a network says anything about who comes from it. A private or
// local one is that of a proxy in front or of the machine itself, which everybody
// shares.
func tells(network string) bool {
	prefix, _, _ := strings.Cut(network, "/")
	addr, err := netip.ParseAddr(prefix)
	return err == nil && addr.IsGlobalUnicast() && !addr.IsPrivate()
}

// crowd is a rule that finds ratings which belong together.
type crowd struct {
	rule  string
	field string // by which they are found
	value string // of a rating; "" where it cannot belong to any
	directory.Threshold
}

func (c *Consumer) crowds(r *directory.Rating) []crowd {
	return []crowd{
		{directory.RuleSameDevice, "device", r.Device, c.Rules.SameDevice},
		{directory.RuleSameNetwork, "network", r.Network, c.Rules.SameNetwork},
		{directory.RuleRepeatedText, "words", r.Words, c.Rules.RepeatedText},
		{directory.RuleTooMany, "account", r.Account, c.Rules.TooMany},
	}
}

// around are the ratings within a time around one: those that came before it, and
// those that came after.
func around(field, value string, at time.Time, window time.Duration) []store.Condition {
	return []store.Condition{
		store.Equal(field, value),
		{Field: "created", Op: store.Min, Value: at.Add(-window).UnixMilli()},
		{Field: "created", Op: store.Less, Value: at.Add(window).UnixMilli() + 1},
	}
}

// judge returns what the rules find about a rating as it is, stored or about to be;
// member tells whether a member of the organization gives it.
func (c *Consumer) judge(ctx context.Context, r *directory.Rating, member bool) ([]directory.Finding, error) {
	e := directory.RatingEvidence{Member: member, Unfit: unfit(r.Text)}
	counts := map[string]*int64{
		directory.RuleSameDevice: &e.SameDevice, directory.RuleSameNetwork: &e.SameNetwork,
		directory.RuleRepeatedText: &e.SameText, directory.RuleTooMany: &e.SameAccount,
	}
	for _, k := range c.crowds(r) {
		if k.value == "" {
			continue
		}
		groups, err := c.Store.Ratings.Count(ctx, around(k.field, k.value, r.CreatedAt, k.Window()), "proof")
		if err != nil {
			return nil, err
		}
		n := int64(1) // itself
		for _, g := range groups {
			if g.Key[0] != r.Proof {
				n += g.N
			}
		}
		*counts[k.rule] = n
	}
	if err := c.recent(ctx, r, &e); err != nil {
		return nil, err
	}
	return c.Rules.Judge(r, e, c.now()), nil
}

// usualTime is how far back is looked for how many ratings are usual.
const usualTime = 30 * 24 * time.Hour

// recent counts the ratings of an organization before a rating, and what is usual.
func (c *Consumer) recent(ctx context.Context, r *directory.Rating, e *directory.RatingEvidence) error {
	if r.Level != 1 && r.Level != 5 || r.Origin == directory.OrderOrigin {
		return nil // no surge is of these, see [directory.RatingRules]
	}
	field := "organization"
	if r.Organization == "" {
		field = "listing"
	}
	from := r.CreatedAt.Add(-c.Rules.Surge.Window())
	count := func(from, to time.Time, by ...string) ([]store.Group, error) {
		return c.Store.Ratings.Count(ctx, []store.Condition{
			store.Equal(field, subject(r)), {Field: "created", Op: store.Min, Value: from.UnixMilli()}, {Field: "created", Op: store.Less, Value: to.UnixMilli()},
		}, by...)
	}
	groups, err := count(from, r.CreatedAt, "level")
	if err != nil {
		return err
	}
	for _, g := range groups {
		if level, ok := g.Key[0].(int64); ok && level >= 1 && level <= 5 {
			e.Recent[level-1] = g.N
		}
	}
	e.Recent[r.Level-1]++
	before, err := count(from.Add(-usualTime), from)
	if err != nil {
		return err
	}
	e.Usual = float64(before[0].N) * float64(c.Rules.Surge.Window()) / float64(usualTime)
	return nil
}

// judgeAgain judges a rating that is stored, with what has come since, and holds it
// where a rule finds something now: of ratings that come at once, none sees the
// others before. The ratings that belong to a crowd with it are held with it, because
// the first of a crowd looks like any other. It is idempotent.
func (c *Consumer) judgeAgain(ctx context.Context, r *directory.Rating) error {
	if r.Account == "" || r.State != directory.RatingPublished && r.State != directory.RatingHeld || r.Decision != nil && !r.UpdatedAt.After(r.Decision.At) {
		return nil
	}
	findings, err := c.judge(ctx, r, false)
	if err != nil {
		return err
	}
	if err := c.hold(ctx, r, findings); err != nil {
		return err
	}
	for _, k := range c.crowds(r) {
		for _, f := range findings {
			if f.Rule == k.rule {
				err = errors.Join(err, c.holdCrowd(ctx, r, k, f))
			}
		}
	}
	return err
}

// hold holds a rating in the store, unless it is held for the same already.
func (c *Consumer) hold(ctx context.Context, seen *directory.Rating, findings []directory.Finding) error {
	next := *seen
	if !next.Hold(findings) {
		return nil
	}
	_, err := c.Store.Ratings.Update(ctx, seen.ID, func(r *directory.Rating) error {
		if r.Decision != nil && !r.UpdatedAt.After(r.Decision.At) || !r.Hold(findings) {
			return store.ErrUnchanged
		}
		return nil
	})
	return err
}

// holdCrowd holds the ratings that belong to a crowd with one of them.
func (c *Consumer) holdCrowd(ctx context.Context, r *directory.Rating, k crowd, f directory.Finding) error {
	q := store.Where(around(k.field, k.value, r.CreatedAt, k.Window())...)
	return c.Store.Ratings.Each(ctx, q, func(d *store.Doc[directory.Rating]) error {
		if d.Value.Decision != nil || d.Value.State != directory.RatingPublished {
			return nil
		}
		return c.hold(ctx, &d.Value, []directory.Finding{f})
	})
}

// sweepTraces clears the hashes away by which ratings of one hand are found.
func (c *Consumer) sweepTraces(ctx context.Context) error {
	old := store.Where(
		store.Condition{Field: "traces", Op: store.Min, Value: int64(1)},
		store.Condition{Field: "traces", Op: store.Less, Value: c.now().Add(-directory.RatingTracesKept).UnixMilli()},
	)
	return c.Store.Ratings.Each(ctx, old, func(d *store.Doc[directory.Rating]) error {
		_, err := c.Store.Ratings.Update(ctx, d.Value.ID, func(r *directory.Rating) error {
			r.Device, r.Network, r.Words = "", "", ""
			return nil
		})
		return err
	})
}
