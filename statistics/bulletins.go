package statistics

import (
	"context"
	"errors"
	"slices"
	"strings"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/store"
)

// A draft lies among the drafts, one of a period, and can be made anew. Publishing it is
// one insert into the bulletins, which only grow: what is published cannot be changed,
// and which revision is the latest follows from there. A draft whose revision is
// published counts as gone, and is cleared away.

// MakeBulletin makes the draft of a period for an official or an admin, in the place of
// the one that there is; of a period that is published that of the next revision, with a
// note of what it corrects. It returns Invalid as [directory.CheckBulletin] does, Conflict
// about "bulletin_same" when there is nothing to correct, Forbidden for those who do not
// publish bulletins, and Unavailable while the figures are changing.
func (s *Statistics) MakeBulletin(ctx context.Context, caller directory.Caller, p directory.Permission, period directory.Period, correction string, from auth.Client) (directory.Bulletin, error) {
	if !s.coversBulletins(&caller, p) {
		return directory.Bulletin{}, &directory.Error{Kind: directory.Forbidden}
	}
	published, err := s.latest(ctx, period)
	if err == nil {
		err = directory.CheckBulletin(period, published != nil, correction, s.now())
	}
	if err != nil {
		return directory.Bulletin{}, err
	}
	var before *directory.BulletinContent
	if published != nil {
		content, err := published.Read()
		if err != nil {
			return directory.Bulletin{}, err
		}
		before = &content
	}
	content, err := s.gather(ctx, period, before)
	if err != nil {
		return directory.Bulletin{}, err
	}
	draft, err := directory.DraftBulletin(content, published, correction, caller.Account, s.now())
	if err == nil {
		err = s.Auth.Record(ctx, s.bulletinEntry(caller.Account, &draft, "made"), from)
	}
	if err != nil {
		return draft, err
	}
	doc, err := s.Store.BulletinDrafts.UpdateOrInsert(ctx, period.Key(), func(b *directory.Bulletin) error {
		*b = draft
		return nil
	})
	return doc.Value, err
}

// PublishBulletin publishes a draft, of whose content the caller names the hash. What was
// published already with that content stays as it is. It returns NotFound, Precondition
// when the draft has another content, Conflict about "bulletin_state" for what was
// discarded or published with another content, and Forbidden for those who do not
// publish bulletins.
func (s *Statistics) PublishBulletin(ctx context.Context, caller directory.Caller, p directory.Permission, id, seen string, from auth.Client) (directory.Bulletin, error) {
	if !s.coversBulletins(&caller, p) {
		return directory.Bulletin{}, &directory.Error{Kind: directory.Forbidden}
	}
	doc, err := s.draft(ctx, id)
	if directory.KindOf(err) == directory.NotFound {
		return s.publishedBefore(ctx, id, seen, err)
	}
	if err != nil {
		return doc.Value, err
	}
	b, err := doc.Value.Publish(seen, caller.Account, s.now())
	if err == nil {
		err = s.Auth.Record(ctx, s.bulletinEntry(caller.Account, &b, "published "+seen), from)
	}
	if err != nil {
		return b, err
	}
	if _, err = s.Store.Bulletins.Insert(ctx, b); directory.KindOf(err) == directory.Conflict { // another has, a moment ago
		return s.publishedBefore(ctx, id, seen, err)
	}
	if err != nil {
		return b, err
	}
	if err := s.clear(ctx, doc); err != nil {
		s.Log.Warn("a draft that was published is cleared away later", "bulletin", b.ID(), "error", err)
	}
	return b, nil
}

// publishedBefore returns the bulletin that was published with a content, or Conflict
// when it has another one, or the given error when there is none.
func (s *Statistics) publishedBefore(ctx context.Context, id, seen string, otherwise error) (directory.Bulletin, error) {
	doc, err := s.Store.Bulletins.Get(ctx, id)
	if directory.KindOf(err) == directory.NotFound {
		return doc.Value, otherwise
	}
	if err == nil && doc.Value.ContentSHA256 != seen {
		err = &directory.Error{Kind: directory.Conflict, What: "bulletin_state"}
	}
	return doc.Value, err
}

// DiscardBulletin marks a draft as one that will not be published; the schedule makes no
// other in its place. It returns NotFound, Conflict about "bulletin_state" for what was
// published, and Forbidden for those who do not publish bulletins.
func (s *Statistics) DiscardBulletin(ctx context.Context, caller directory.Caller, p directory.Permission, id string, from auth.Client) error {
	if !s.coversBulletins(&caller, p) {
		return &directory.Error{Kind: directory.Forbidden}
	}
	doc, err := s.draft(ctx, id)
	if directory.KindOf(err) == directory.NotFound {
		_, err = s.publishedBefore(ctx, id, "", err)
	}
	if err != nil || doc.Value.State == directory.BulletinDiscarded {
		return err
	}
	if err := s.Auth.Record(ctx, s.bulletinEntry(caller.Account, &doc.Value, "discarded"), from); err != nil {
		return err
	}
	_, err = s.Store.BulletinDrafts.Update(ctx, doc.Value.Period.Key(), func(b *directory.Bulletin) error {
		if b.ID() != id || b.State == directory.BulletinDiscarded {
			return store.ErrUnchanged
		}
		b.State, b.Untold = directory.BulletinDiscarded, false
		return nil
	})
	return err
}

// Bulletin returns the revision of an id or, where the id names a period alone, the
// latest published one, and otherwise the draft; and the number of the latest published
// revision, 0 for none. Drafts are for officials of the bureaus that publish who have
// the power for that or read statistics. It returns NotFound.
func (s *Statistics) Bulletin(ctx context.Context, caller directory.Caller, p directory.Permission, id string) (b directory.Bulletin, latest int, err error) {
	period, revision, ok := directory.ParseBulletinID(id)
	if !ok {
		return b, 0, directory.Missing("bulletin")
	}
	last, err := s.latest(ctx, period)
	if err != nil {
		return b, 0, err
	}
	if last != nil {
		latest = last.Revision
	}
	switch {
	case last != nil && (revision == 0 || revision == latest):
		return *last, latest, nil
	case revision != 0 && revision < latest:
		doc, err := s.Store.Bulletins.Get(ctx, id)
		return doc.Value, latest, err
	}
	if err := s.seesDrafts(&caller, p); err != nil {
		return b, latest, err
	}
	doc, err := s.draft(ctx, directory.BulletinID(period, max(revision, 1)))
	return doc.Value, latest, err
}

// BulletinRevisions returns the published revisions of a period, the latest first. It
// returns NotFound when there is none.
func (s *Statistics) BulletinRevisions(ctx context.Context, period directory.Period) ([]directory.Bulletin, error) {
	docs, err := s.Store.Bulletins.All(ctx, store.Query{Where: []store.Condition{store.Equal("period", period.Key())}, Order: "revision", Desc: true})
	if err == nil && len(docs) == 0 {
		err = directory.Missing("bulletin")
	}
	return store.Values(docs), err
}

// BulletinFilter chooses among bulletins. Zero values do not restrict.
type BulletinFilter struct {
	Kind directory.PeriodKind
	Year int
}

func (f BulletinFilter) takes(p directory.Period) bool {
	return (f.Kind == "" || p.Kind() == f.Kind) && (f.Year == 0 || p.From.Year() == f.Year)
}

// PublishedBulletins returns a page of the latest revisions of all periods, the latest
// periods first, behind the one of a key, "" for the beginning; next is the key from
// which to go on, "" for none. It returns Invalid about a key that is none.
func (s *Statistics) PublishedBulletins(ctx context.Context, f BulletinFilter, limit int, after string) (page []directory.Bulletin, next string, err error) {
	groups, err := s.Store.Bulletins.Count(ctx, nil, "period", "revision")
	if err != nil {
		return nil, "", err
	}
	last := map[string]int{} // revision
	var periods []directory.Period
	for _, g := range groups { // in the order of the revisions
		key := g.Key[0].(string)
		if p, ok := directory.ParsePeriod(key); ok && f.takes(p) && last[key] == 0 {
			periods = append(periods, p)
		}
		last[key] = int(g.Key[1].(int64))
	}
	slices.SortFunc(periods, laterFirst)
	if after != "" {
		p, ok := directory.ParsePeriod(after)
		if !ok {
			return nil, "", directory.InvalidFields("cursor", []directory.FieldError{{Parameter: "cursor", Code: directory.CodeFormat, Limit: "next_cursor"}})
		}
		periods = slices.DeleteFunc(periods, func(q directory.Period) bool { return laterFirst(q, p) <= 0 })
	}
	if len(periods) > limit {
		periods, next = periods[:limit], periods[limit-1].Key()
	}
	ids := make([]string, len(periods))
	for i, p := range periods {
		ids[i] = directory.BulletinID(p, last[p.Key()])
	}
	docs, err := s.Store.Bulletins.GetMany(ctx, ids...)
	return store.Values(docs), next, err
}

// laterFirst orders periods by when they ended, of those that ended together the longer
// one first.
func laterFirst(a, b directory.Period) int {
	if a.To != b.To {
		return int(b.To) - int(a.To)
	}
	return int(a.From) - int(b.From)
}

// BulletinDrafts returns the drafts, also those that were discarded, the latest periods
// first. It returns errors as [Statistics.Bulletin] does, but Forbidden for others.
func (s *Statistics) BulletinDrafts(ctx context.Context, caller directory.Caller, p directory.Permission, f BulletinFilter) (out []directory.Bulletin, err error) {
	if err := s.seesDrafts(&caller, p); directory.KindOf(err) == directory.NotFound {
		return nil, &directory.Error{Kind: directory.Forbidden}
	} else if err != nil {
		return nil, err
	}
	docs, err := s.Store.BulletinDrafts.All(ctx, store.Query{})
	for _, b := range store.Values(docs) {
		stale, failure := s.stale(ctx, &b)
		err = errors.Join(err, failure)
		if !stale && f.takes(b.Period) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b directory.Bulletin) int { return laterFirst(a.Period, b.Period) })
	return out, err
}

// coversBulletins tells whether a caller is one of those who publish bulletins, by a
// permission.
func (s *Statistics) coversBulletins(caller *directory.Caller, p directory.Permission) bool {
	return slices.ContainsFunc(directory.BulletinBureaus, func(b directory.Bureau) bool {
		return caller.Covers(p, directory.Scope{Bureau: b, Region: s.Regions.Province().Code}, s.Regions) == nil
	})
}

// seesDrafts returns nil for those who see drafts, Unauthenticated for those who would
// with a second factor, and NotFound for others.
func (s *Statistics) seesDrafts(caller *directory.Caller, p directory.Permission) error {
	p.Public = false
	err := directory.Missing("bulletin")
	for _, p.Power = range []directory.Power{directory.StatisticsPower, directory.PublishPower} {
		if s.coversBulletins(caller, p) {
			return nil
		}
		if failure := p.Admit(caller); len(caller.Holds(p)) > 0 && failure != nil {
			err = failure
		}
	}
	return err
}

// latest returns the latest published revision of a period, nil for none.
func (s *Statistics) latest(ctx context.Context, period directory.Period) (*directory.Bulletin, error) {
	docs, _, err := s.Store.Bulletins.Find(ctx, store.Query{
		Where: []store.Condition{store.Equal("period", period.Key())}, Order: "revision", Desc: true, Limit: 1,
	})
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	return &docs[0].Value, nil
}

// draft returns the draft of an id that is not published, or NotFound.
func (s *Statistics) draft(ctx context.Context, id string) (doc store.Doc[directory.Bulletin], err error) {
	key, _, _ := strings.Cut(id, ".")
	if doc, err = s.Store.BulletinDrafts.Get(ctx, key); err != nil {
		return doc, err
	}
	stale, err := s.stale(ctx, &doc.Value)
	if err == nil && (stale || doc.Value.ID() != id) {
		err = directory.Missing("bulletin")
	}
	return doc, err
}

// stale tells whether a draft is of a revision that is published.
func (s *Statistics) stale(ctx context.Context, draft *directory.Bulletin) (bool, error) {
	found, err := s.Store.Bulletins.GetMany(ctx, draft.ID())
	return len(found) > 0, err
}

// clear removes a draft that is published, unless there is another in its place.
func (s *Statistics) clear(ctx context.Context, doc store.Doc[directory.Bulletin]) error {
	err := s.Store.BulletinDrafts.Delete(ctx, doc.Value.Period.Key(), doc.Version)
	if kind := directory.KindOf(err); kind == directory.NotFound || kind == directory.Conflict {
		return nil
	}
	return err
}

func (s *Statistics) bulletinEntry(actor string, b *directory.Bulletin, what string) directory.AuditEntry {
	return directory.AuditEntry{Action: directory.AuditBulletin, Actor: actor, Subject: b.ID(), Detail: what, Bureau: directory.Statistics, Region: s.Regions.Province().Code}
}

// sweepBulletins makes the drafts that are due, tells of them and clears away those that
// were published.
func (s *Statistics) sweepBulletins(ctx context.Context) (err error) {
	for _, p := range directory.BulletinsDue(s.now()) {
		err = errors.Join(err, s.makeDue(ctx, p))
	}
	docs, failure := s.Store.BulletinDrafts.All(ctx, store.Query{})
	err = errors.Join(err, failure)
	for _, doc := range docs {
		stale, failure := s.stale(ctx, &doc.Value)
		switch {
		case failure != nil:
		case stale:
			failure = s.clear(ctx, doc)
		case doc.Value.Untold:
			failure = s.tellDraft(ctx, &doc.Value)
		}
		err = errors.Join(err, failure)
	}
	return err
}

// makeDue makes the first draft of a period, unless one was made before, or nobody had
// rated anything yet.
func (s *Statistics) makeDue(ctx context.Context, p directory.Period) error {
	drafts, err := s.Store.BulletinDrafts.GetMany(ctx, p.Key())
	if err != nil || len(drafts) > 0 {
		return err
	}
	published, err := s.latest(ctx, p)
	if err != nil || published != nil {
		return err
	}
	first, _, err := s.Store.Ratings.Find(ctx, store.Query{Limit: 1}) // their ids are in the order of time
	if err != nil || len(first) == 0 || !first[0].Value.CreatedAt.Before(p.To.Ends()) {
		return err
	}
	content, err := s.gather(ctx, p, nil)
	if err != nil {
		return err
	}
	draft, err := directory.DraftBulletin(content, nil, "", "", s.now())
	if err != nil {
		return err
	}
	draft.Untold = true
	if _, err = s.Store.BulletinDrafts.Insert(ctx, draft); directory.KindOf(err) == directory.Conflict {
		return nil // another server has
	}
	return err
}

// tellDraft tells those who publish of a draft that the schedule has made, or the admins
// where there is nobody, and has a line about it in the audit log; all of it once.
func (s *Statistics) tellDraft(ctx context.Context, b *directory.Bulletin) error {
	entry := s.bulletinEntry("", b, "made by schedule")
	entry.At = b.MadeAt
	err := s.Auth.RecordOnce(ctx, entry)
	var grants []directory.Grant
	for _, bureau := range directory.BulletinBureaus {
		of, failure := s.Auth.OfficialsOf(ctx, directory.Scope{Bureau: bureau, Region: s.Regions.Province().Code}, directory.PublishPower)
		grants, err = append(grants, of...), errors.Join(err, failure)
	}
	if len(grants) == 0 && err == nil {
		grants, err = s.Auth.OfficialsOf(ctx, directory.Scope{}, directory.PublishPower)
	}
	for _, g := range grants {
		err = errors.Join(err, s.Auth.Tell(ctx, g.Account, directory.NoteBulletinDrafted, b.ID(), b.MadeAt, map[string]string{"bulletin": b.ID(), "name": b.Period.Name().Zh}))
	}
	if err != nil {
		return err
	}
	_, err = s.Store.BulletinDrafts.Update(ctx, b.Period.Key(), func(now *directory.Bulletin) error {
		if !now.MadeAt.Equal(b.MadeAt) {
			return store.ErrUnchanged // another one by now
		}
		now.Untold = false
		return nil
	})
	if directory.KindOf(err) == directory.NotFound {
		return nil // published by now
	}
	return err
}
