package handlers

import (
	"maps"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/consumer"
	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// levelView is a level of satisfaction with its names.
type levelView struct {
	Level directory.Level `json:"level"`
	Name  string          `json:"name"`
	Names directory.Names `json:"names"`
}

func viewLevels(lang string) []levelView {
	out := make([]levelView, len(directory.Levels))
	for i, names := range directory.Levels {
		out[i] = levelView{directory.Level(i + 1), names.In(lang), names}
	}
	return out
}

// ratingView is a rating as everybody sees it.
type ratingView struct {
	ID        string       `json:"id"`
	Listing   string       `json:"listing"`
	Proven    bool         `json:"proven"` // by a booking or an invitation
	Level     *levelRef    `json:"level"`  // null where there are too few to be told
	Aspects   []aspectView `json:"aspects"`
	Text      string       `json:"text"`
	Photos    []photoRef   `json:"photos"`
	ForFamily bool         `json:"for_family"`
	Edited    bool         `json:"edited"`
	Reply     *replyView   `json:"reply"`
	Helpful   int64        `json:"helpful"`
	CreatedAt time.Time    `json:"created_at"`
	Demo      bool         `json:"demo"`
}

type levelRef struct {
	Level directory.Level `json:"level"`
	Name  string          `json:"name"`
}

type aspectView struct {
	search.TermRef
	Level directory.Level `json:"level"`
}

type photoRef struct {
	ID    string     `json:"id"`
	Sizes photoSizes `json:"sizes"`
}

type replyView struct {
	Text     string     `json:"text"`
	At       time.Time  `json:"at"`
	EditedAt *time.Time `json:"edited_at"`
}

// viewRating shows a rating, without its levels where these are not to be told.
func viewRating(r *directory.Rating, lang string, tell bool) ratingView {
	v := ratingView{
		ID: r.ID, Listing: r.Listing, Proven: r.Origin.Proven(), Aspects: []aspectView{}, Text: r.Text, Photos: []photoRef{}, ForFamily: r.ForFamily,
		Edited: len(r.History) > 0, Helpful: r.Helpful, CreatedAt: r.CreatedAt, Demo: r.Demo,
	}
	if tell {
		v.Level = &levelRef{r.Level, directory.Levels[r.Level-1].In(lang)}
		v.Aspects = viewAspects(r.Aspects, lang)
	}
	for _, id := range r.Photos {
		v.Photos = append(v.Photos, photoRef{id, newPhotoSizes(id, directory.RatingPhoto)})
	}
	if p := r.Reply; p != nil {
		v.Reply = &replyView{p.Text, p.At, p.EditedAt}
	}
	return v
}

func viewAspects(aspects map[string]directory.Level, lang string) []aspectView {
	out := []aspectView{}
	for _, t := range directory.Aspects {
		if level, ok := aspects[t.Code]; ok {
			out = append(out, aspectView{search.NewTermRef(t, lang), level})
		}
	}
	return out
}

// ownRatingView is a rating as whoever has given it sees it.
type ownRatingView struct {
	ratingView
	State         search.TermRef   `json:"state"`
	Origin        search.TermRef   `json:"origin"`
	Reasons       []search.TermRef `json:"reasons"` // why it is held or excluded
	Reason        string           `json:"reason"`  // of the official
	EditableUntil time.Time        `json:"editable_until"`
}

func viewOwnRating(r *directory.Rating, lang string) ownRatingView {
	v := ownRatingView{
		ratingView: viewRating(r, lang, true), State: refOf(directory.RatingStates, string(r.State), lang), Origin: refOf(directory.RatingOrigins, string(r.Origin), lang),
		Reasons: []search.TermRef{}, EditableUntil: r.CreatedAt.Add(directory.EditTime),
	}
	if r.Rule() != "" {
		v.Reasons = search.NewTermRefs(rulesOf(r), lang, directory.RatingRuleTerm)
	}
	if r.Decision != nil {
		v.Reason = r.Decision.Reason
	}
	return v
}

// viewOwnRatings shows somebody their ratings.
func viewOwnRatings(ratings []directory.Rating, lang string) []ownRatingView {
	out := make([]ownRatingView, len(ratings))
	for i := range ratings {
		out[i] = viewOwnRating(&ratings[i], lang)
	}
	return out
}

func rulesOf(r *directory.Rating) []string {
	rules := make([]string, len(r.Findings))
	for i, f := range r.Findings {
		rules[i] = f.Rule
	}
	return rules
}

// opinionBody is what a consumer says in a request.
type opinionBody struct {
	Level     directory.Level            `json:"level"`
	Aspects   map[string]directory.Level `json:"aspects"`
	Text      string                     `json:"text"`
	Photos    []string                   `json:"photos"`
	ForFamily bool                       `json:"for_family"`
}

func (b opinionBody) opinion() consumer.Opinion { return consumer.Opinion(b) }

func (a *api) createRating(c *fiber.Ctx, in *input) error {
	b, ok := draft[struct {
		Booking, Invitation, Listing string
		opinionBody
	}](in)
	if ok {
		given := 0
		for _, name := range []string{"booking", "invitation", "listing"} {
			if in.hasField(name) {
				given++
			}
		}
		if given != 1 {
			in.refuseField("/booking", directory.CodeRequired, "booking | invitation | listing")
		}
	}
	if err := in.err(); err != nil {
		return err
	}
	service := consumer.Service{Booking: b.Booking, Invitation: b.Invitation, Listing: b.Listing}
	doc, created, err := a.Consumer.Rate(c.UserContext(), in.caller, service, b.opinion(), in.client)
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return sendSecret(c, viewOwnRating(&doc.Value, in.lang))
}

func (a *api) getRating(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Consumer.Rating(c.UserContext(), in.caller, in.text("id"))
	if err != nil {
		return err
	}
	r := &doc.Value
	if r.Account == in.caller.Account {
		return sendSecret(c, viewOwnRating(r, in.lang))
	}
	figures, err := a.Consumer.Figures(c.UserContext(), r.Listing)
	if err != nil {
		return err
	}
	return sendSecret(c, viewRating(r, in.lang, tells(&figures, r.Origin.Proven())))
}

func (a *api) editRating(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Consumer.EditRating(c.UserContext(), in.caller, in.text("id"), body[opinionBody](in).opinion(), in.client)
	if err != nil {
		return err
	}
	return sendSecret(c, viewOwnRating(&doc.Value, in.lang))
}

func (a *api) withdrawRating(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if _, err := a.Consumer.WithdrawRating(c.UserContext(), in.caller, in.text("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) listOwnRatings(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Consumer.OwnRatings(c.UserContext(), in.caller, in.integer("limit"), after)
	if err != nil {
		return err
	}
	return sendList(c, viewOwnRatings(store.Values(docs), in.lang), hash, next)
}

// ratingSummary is what is published of a distribution, with the figures that stand
// beside the headline: the policy has no formula.
type ratingSummary struct {
	directory.SatisfactionSummary
	Thin          bool     `json:"thin"` // fewer than can be compared
	ShareFrom3    *float64 `json:"share_from_3"`
	Mean          *float64 `json:"mean"`
	Target        float64  `json:"target"`
	SatisfiedFrom int      `json:"satisfied_from"`
	// Levels is nil where there are too few.
	Levels *[5]int64 `json:"levels"`
}

func summarize(s directory.Satisfaction) ratingSummary {
	v := ratingSummary{SatisfactionSummary: s.Summary(), Target: directory.SatisfactionTarget, SatisfiedFrom: directory.SatisfiedFrom}
	if v.State == directory.TooFew {
		return v
	}
	v.Thin, v.Levels = v.N < directory.ComparableRatings, &s.Levels
	v.ShareFrom3, v.Mean = new(directory.RoundTo(s.ShareFrom(3), 1e4)), new(directory.RoundTo(s.Mean(), 1e2))
	return v
}

// originView is the distribution of one origin.
type originView struct {
	Origin search.TermRef `json:"origin"`
	N      int64          `json:"n"`
	// Levels is nil where there are too few, or where those of another origin could be
	// computed from them and the total.
	Levels *[5]int64 `json:"levels"`
}

func viewOrigins(f *consumer.RatingFigures, lang string) []originView {
	order, invite := f.ByOrigin[directory.OrderOrigin], f.ByOrigin[directory.InviteOrigin]
	apart := tooFewToTell(order.N()) || tooFewToTell(invite.N())
	out := make([]originView, len(directory.RatingOrigins))
	for i, t := range directory.RatingOrigins {
		s := f.ByOrigin[directory.RatingOrigin(t.Code)]
		out[i] = originView{Origin: search.NewTermRef(t, lang), N: s.N()}
		if s.N() >= directory.MinRatings && !(apart && directory.RatingOrigin(t.Code).Proven()) {
			out[i].Levels = &s.Levels
		}
	}
	return out
}

func tooFewToTell(n int64) bool { return n > 0 && n < directory.MinRatings }

// tells tells whether the levels of single ratings can be told, from which everybody
// could compute the share.
func tells(f *consumer.RatingFigures, proven bool) bool {
	if proven {
		s := f.Counted()
		return s.N() >= directory.MinRatings
	}
	s := f.ByOrigin[directory.OpenOrigin]
	return s.N() >= directory.MinRatings
}

// reasonCount is how many ratings are not counted for a reason.
type reasonCount struct {
	Reason search.TermRef `json:"reason"`
	N      int64          `json:"n"`
}

func viewReasons(counts map[string]int64, lang string) []reasonCount {
	out := []reasonCount{}
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		if t, ok := directory.RatingRuleTerm(rule); ok {
			out = append(out, reasonCount{search.NewTermRef(t, lang), counts[rule]})
		}
	}
	return out
}

func (a *api) listRatings(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	listing, err := a.publicListing(c, in)
	if err != nil {
		return err
	}
	filter := consumer.RatingFilter{Proven: in.boolean("proven"), Order: consumer.RatingOrder(in.text("sort"))}
	docs, next, err := a.Consumer.Ratings(c.UserContext(), listing.ID, filter, in.integer("limit"), after)
	if err != nil {
		return err
	}
	figures, err := a.Consumer.Figures(c.UserContext(), listing.ID)
	if err != nil {
		return err
	}
	answer := struct {
		Summary  ratingSummary `json:"summary"`
		ByOrigin []originView  `json:"by_origin"`
		Levels   []levelView   `json:"levels"`
		Held     []reasonCount `json:"held"`
		Excluded []reasonCount `json:"excluded"`
		Items    []ratingView  `json:"items"`
		Next     *string       `json:"next_cursor"`
		DemoData bool          `json:"demo_data,omitempty"`
	}{
		summarize(figures.Counted()), viewOrigins(&figures, in.lang), viewLevels(in.lang), viewReasons(figures.Held, in.lang), viewReasons(figures.Excluded, in.lang),
		make([]ratingView, len(docs)), nil, a.DemoData(),
	}
	for i := range docs {
		r := &docs[i].Value
		answer.Items[i] = viewRating(r, in.lang, tells(&figures, r.Origin.Proven()))
	}
	if answer.Next, err = nextCursor(hash, next); err != nil {
		return err
	}
	return sendTaggedJSON(c, answer)
}

// listOrganizationRatings shows an organization what is said about its listings.
func (a *api) listOrganizationRatings(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	organization, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	docs, next, err := a.Consumer.RatingsOf(c.UserContext(), organization.ID, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]ratingView, len(docs))
	for i := range docs {
		items[i] = viewRating(&docs[i].Value, in.lang, true)
	}
	return sendList(c, items, hash, next)
}

func (a *api) voteHelpful(c *fiber.Ctx, in *input) error   { return a.vote(c, in, true) }
func (a *api) unvoteHelpful(c *fiber.Ctx, in *input) error { return a.vote(c, in, false) }

func (a *api) vote(c *fiber.Ctx, in *input, helpful bool) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Consumer.Vote(c.UserContext(), in.caller, in.text("id"), helpful); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) reportRating(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct{ Reason, Text string }](in)
	if err := a.Consumer.ReportRating(c.UserContext(), in.caller, in.text("id"), directory.RatingReport{Reason: b.Reason, Text: b.Text}); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// ratingOf returns the rating that a request is about, when it is within the caller's
// scope. Others are not told whether there is one that is not shown.
func (a *api) ratingOf(c *fiber.Ctx, in *input) (store.Doc[directory.Rating], error) {
	if err := in.err(); err != nil {
		return store.Doc[directory.Rating]{}, err
	}
	doc, err := a.Store.Ratings.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return doc, err
	}
	if err := in.covers(a, doc.Value.Scope()); err != nil {
		if doc.Value.State != directory.RatingPublished {
			return doc, in.hide(a, c, "rating")
		}
		return doc, err
	}
	return doc, nil
}

func (a *api) replyRating(c *fiber.Ctx, in *input) error {
	doc, err := a.ratingOf(c, in)
	if err != nil {
		return err
	}
	if doc, err = a.Consumer.Reply(c.UserContext(), in.caller, doc.Value.ID, body[struct{ Text string }](in).Text); err != nil {
		return err
	}
	return sendSecret(c, viewRating(&doc.Value, in.lang, true))
}

func (a *api) removeReply(c *fiber.Ctx, in *input) error {
	doc, err := a.ratingOf(c, in)
	if err != nil {
		return err
	}
	if err := a.Consumer.RemoveReply(c.UserContext(), doc.Value.ID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
