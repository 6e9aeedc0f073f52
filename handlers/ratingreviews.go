package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/store"
)

// ratingReview is a rating as the officials see it who decide about it.
type ratingReview struct {
	ratingView
	Name         string           `json:"name"` // of the listing
	Kind         directory.Kind   `json:"kind"`
	Region       search.RegionRef `json:"region"`
	Organization string           `json:"organization"`
	State        search.TermRef   `json:"state"`
	Origin       search.TermRef   `json:"origin"`
	Findings     []findingView    `json:"findings"`
	Reports      []ratingReport   `json:"reports"`
	History      []ratingEdit     `json:"history"`
	Decision     *ratingDecision  `json:"decision"`
	Version      int64            `json:"version"` // for If-Match: "rV"
}

type findingView struct {
	Rule   search.TermRef `json:"rule"`
	Detail string         `json:"detail"`
	At     time.Time      `json:"at"`
}

type ratingReport struct {
	Reason search.TermRef `json:"reason"`
	Text   string         `json:"text"`
	At     time.Time      `json:"at"`
}

type ratingEdit struct {
	Level levelRef  `json:"level"`
	Text  string    `json:"text"`
	Until time.Time `json:"until"`
}

type ratingDecision struct {
	State  search.TermRef `json:"state"`
	Reason string         `json:"reason"`
	By     string         `json:"by"`
	At     time.Time      `json:"at"`
}

// viewRatingReviews shows ratings to officials.
func (a *api) viewRatingReviews(c *fiber.Ctx, in *input, docs ...store.Doc[directory.Rating]) ([]ratingReview, error) {
	ids := make([]string, len(docs))
	for i := range docs {
		ids[i] = docs[i].Value.Listing
	}
	listings, err := a.Store.Listings.ByID(c.UserContext(), ids...)
	if err != nil {
		return nil, err
	}
	out := make([]ratingReview, len(docs))
	for i := range docs {
		r := &docs[i].Value
		v := ratingReview{
			ratingView: viewRating(r, in.lang, true), Kind: r.Kind, Region: search.NewRegionRef(a.Regions, r.Region, in.lang), Organization: r.Organization,
			State: refOf(directory.RatingStates, string(r.State), in.lang), Origin: refOf(directory.RatingOrigins, string(r.Origin), in.lang),
			Findings: []findingView{}, Reports: []ratingReport{}, History: []ratingEdit{}, Version: docs[i].Version,
		}
		if l := listings[r.Listing]; l != nil {
			v.Name = l.Names.In(in.lang)
		}
		for _, f := range r.Findings {
			v.Findings = append(v.Findings, findingView{refOf(directory.RatingRuleTerms, f.Rule, in.lang), f.Detail, f.At})
		}
		for _, p := range r.Reports {
			v.Reports = append(v.Reports, ratingReport{refOf(directory.RatingReportReasons, p.Reason, in.lang), p.Text, p.At})
		}
		for _, h := range r.History {
			v.History = append(v.History, ratingEdit{levelRef{h.Level, directory.Levels[h.Level-1].In(in.lang)}, h.Text, h.Until})
		}
		if d := r.Decision; d != nil {
			v.Decision = &ratingDecision{refOf(directory.RatingStates, string(d.State), in.lang), d.Reason, d.By, d.At}
		}
		out[i] = v
	}
	return out, nil
}

func (a *api) listRatingQueue(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Consumer.RatingQueue(c.UserContext(), in.caller, in.permission, in.integer("limit"), after)
	if err != nil {
		return err
	}
	items, err := a.viewRatingReviews(c, in, docs...)
	if err != nil {
		return err
	}
	return sendList(c, items, hash, next)
}

// ratingTag is the ETag of a rating, for If-Match.
func ratingTag(version int64) string { return `"r` + strconv.FormatInt(version, 10) + `"` }

func (a *api) sendRatingReview(c *fiber.Ctx, in *input, doc store.Doc[directory.Rating]) error {
	views, err := a.viewRatingReviews(c, in, doc)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, ratingTag(doc.Version))
	return sendSecret(c, views[0])
}

func (a *api) getRatingReview(c *fiber.Ctx, in *input) error {
	doc, err := a.ratingOf(c, in)
	if err != nil {
		return err
	}
	return a.sendRatingReview(c, in, doc)
}

func (a *api) decideRating(c *fiber.Ctx, in *input) error {
	doc, err := a.ratingOf(c, in)
	if err != nil {
		return err
	}
	if err := requireMatch(in, ratingTag(doc.Version)); err != nil {
		return err
	}
	b := body[struct {
		State  directory.RatingState
		Reason string
	}](in)
	if doc, err = a.Consumer.DecideRating(c.UserContext(), in.caller, doc, b.State, b.Reason, in.client); err != nil {
		return err
	}
	return a.sendRatingReview(c, in, doc)
}
