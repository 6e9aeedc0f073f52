package handlers

import (
	"encoding/json"
	"encoding/xml"
	"mime"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/statistics"
	"qingfu/store"
)

// bulletinItem is a bulletin in a list.
type bulletinItem struct {
	ID            string                  `json:"id"`
	Period        directory.Period        `json:"period"`
	Kind          directory.PeriodKind    `json:"kind"`
	Name          string                  `json:"name"` // of the period
	Title         string                  `json:"title"`
	Revision      int                     `json:"revision"`
	State         directory.BulletinState `json:"state"`
	Demo          bool                    `json:"demo"`
	MadeAt        time.Time               `json:"made_at"`
	MadeBy        string                  `json:"made_by"` // schedule or official
	PublishedAt   *time.Time              `json:"published_at"`
	Correction    *string                 `json:"correction"`
	ContentSHA256 string                  `json:"content_sha256"`
}

// bulletinView is a bulletin in full. Its content is in the form that is hashed.
type bulletinView struct {
	bulletinItem
	Changes []directory.BulletinChange `json:"changes"`
	Content json.RawMessage            `json:"content,omitempty"`
}

func viewBulletinItem(b *directory.Bulletin, latest int, lang string) (bulletinItem, error) {
	content, err := b.Read()
	v := bulletinItem{
		ID: b.ID(), Period: b.Period, Kind: b.Period.Kind(), Name: content.PeriodName.In(lang), Title: content.Title.In(lang), Revision: b.Revision,
		State: b.StateBeside(latest), Demo: content.Demo, MadeAt: b.MadeAt, MadeBy: "official", PublishedAt: b.PublishedAt,
		Correction: unlessEmpty(b.Correction), ContentSHA256: b.ContentSHA256,
	}
	if b.MadeBy == "" {
		v.MadeBy = "schedule"
	}
	return v, err
}

func viewBulletin(b *directory.Bulletin, latest int, lang string, withContent bool) (bulletinView, error) {
	item, err := viewBulletinItem(b, latest, lang)
	v := bulletinView{bulletinItem: item, Changes: b.Changes}
	if v.Changes == nil {
		v.Changes = []directory.BulletinChange{}
	}
	if err == nil && withContent {
		v.Content, err = b.Canonical()
	}
	return v, err
}

func viewBulletinItems(list []directory.Bulletin, lang string) ([]bulletinItem, error) {
	items := make([]bulletinItem, len(list))
	for i := range list {
		var err error
		if items[i], err = viewBulletinItem(&list[i], list[i].Revision, lang); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (a *api) listBulletins(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	f := statistics.BulletinFilter{Kind: directory.PeriodKind(in.text("kind")), Year: in.integer("year")}
	if err := in.err(); err != nil {
		return err
	}
	c.Vary(fiber.HeaderAuthorization)
	if in.text("state") == string(directory.BulletinDraft) {
		return a.listBulletinDrafts(c, in, f)
	}
	from := ""
	if after != nil {
		from = after.ID
	}
	list, next, err := a.Statistics.PublishedBulletins(c.UserContext(), f, in.integer("limit"), from)
	if err != nil {
		return err
	}
	items, err := viewBulletinItems(list, in.lang)
	if err != nil {
		return err
	}
	var at *store.Position
	if next != "" {
		at = &store.Position{ID: next}
	}
	cursor, err := nextCursor(hash, at)
	if err != nil {
		return err
	}
	return sendTaggedJSON(c, bulletinList{items, cursor, a.DemoData()})
}

type bulletinList struct {
	Items    []bulletinItem `json:"items"`
	Next     *string        `json:"next_cursor"`
	DemoData bool           `json:"demo_data,omitempty"`
}

// listBulletinDrafts answers with all drafts: there is one of a period at most.
func (a *api) listBulletinDrafts(c *fiber.Ctx, in *input, f statistics.BulletinFilter) error {
	drafts, err := a.Statistics.BulletinDrafts(c.UserContext(), in.caller, in.permission, f)
	if err != nil {
		return err
	}
	items, err := viewBulletinItems(drafts, in.lang)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return sendTaggedJSON(c, bulletinList{items, nil, a.DemoData()})
}

// bulletin returns the bulletin that a request is about to somebody who may see it, and
// says how long the answer may be kept: forever in a form that is always the same, for
// minutes where it says whether it is superseded.
func (a *api) bulletin(c *fiber.Ctx, in *input, same bool) (directory.Bulletin, int, error) {
	if err := in.err(); err != nil {
		return directory.Bulletin{}, 0, err
	}
	c.Vary(fiber.HeaderAuthorization)
	b, latest, err := a.Statistics.Bulletin(c.UserContext(), in.caller, in.permission, in.text("id"))
	if directory.KindOf(err) == directory.NotFound && in.caller.Account != "" {
		err = in.hide(a, c, "bulletin")
	}
	switch _, revision, _ := directory.ParseBulletinID(in.text("id")); {
	case err != nil:
	case b.State != directory.BulletinPublished:
		c.Set(fiber.HeaderCacheControl, "no-store")
	case revision == 0: // the latest, whichever it is
	case same:
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	default:
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	}
	return b, latest, err
}

// bulletinPolicy lets the page of a bulletin have its own styles, and nothing else.
const bulletinPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (a *api) getBulletin(c *fiber.Ctx, in *input) error {
	b, latest, err := a.bulletin(c, in, false)
	if err != nil {
		return err
	}
	format := in.text("format")
	if format == "json" {
		view, err := viewBulletin(&b, latest, in.lang, true)
		if err != nil {
			return err
		}
		return sendTaggedJSON(c, view)
	}
	file := statistics.BulletinFile{Bulletin: b, Latest: latest, Regions: a.Regions}
	if file.Revisions, err = a.Statistics.BulletinRevisions(c.UserContext(), b.Period); err != nil && directory.KindOf(err) != directory.NotFound {
		return err
	}
	if format == "html" {
		body, err := file.HTML()
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentSecurityPolicy, bulletinPolicy)
		return sendTagged(c, fiber.MIMETextHTMLCharsetUTF8, body)
	}
	body, mediaType := []byte(nil), mimeCSV
	if format == "xlsx" {
		mediaType = mimeXLSX
		body, err = file.XLSX()
	} else {
		body, err = file.CSV()
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": "qingfu-bulletin-" + b.ID() + "." + format}))
	return sendTagged(c, mediaType, body)
}

// getBulletinContent answers with exactly the bytes whose hash the bulletin names.
func (a *api) getBulletinContent(c *fiber.Ctx, in *input) error {
	b, _, err := a.bulletin(c, in, true)
	if err != nil {
		return err
	}
	body, err := b.Canonical()
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, body)
}

func (a *api) listBulletinRevisions(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	period, _, ok := directory.ParseBulletinID(in.text("id"))
	if !ok {
		return directory.Missing("bulletin")
	}
	list, err := a.Statistics.BulletinRevisions(c.UserContext(), period)
	if err != nil {
		return err
	}
	views := make([]bulletinView, len(list))
	for i := range list {
		if views[i], err = viewBulletin(&list[i], list[0].Revision, in.lang, false); err != nil {
			return err
		}
	}
	return sendTaggedJSON(c, struct {
		Items []bulletinView `json:"items"`
	}{views})
}

func (a *api) makeBulletin(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct{ Period, Correction string }](in)
	period, _ := directory.ParsePeriod(b.Period) // the contract knows what one looks like
	made, err := a.Statistics.MakeBulletin(c.UserContext(), in.caller, in.permission, period, b.Correction, in.client)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return sendBulletin(c, in, &made)
}

func (a *api) publishBulletin(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	b := body[struct {
		ContentSHA256 string `json:"content_sha256"`
	}](in)
	published, err := a.Statistics.PublishBulletin(c.UserContext(), in.caller, in.permission, in.text("id"), b.ContentSHA256, in.client)
	if err != nil {
		return err
	}
	return sendBulletin(c, in, &published)
}

func sendBulletin(c *fiber.Ctx, in *input, b *directory.Bulletin) error {
	view, err := viewBulletin(b, b.Revision, in.lang, true)
	if err != nil {
		return err
	}
	return sendSecret(c, view)
}

func (a *api) discardBulletin(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	if err := a.Statistics.DiscardBulletin(c.UserContext(), in.caller, in.permission, in.text("id"), in.client); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// atomFeed is a feed of RFC 4287.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string     `xml:"id"`
	Title     string     `xml:"title"`
	Published string     `xml:"published"`
	Updated   string     `xml:"updated"`
	Links     []atomLink `xml:"link"`
	Summary   string     `xml:"summary"`
}

// feedSize is how many bulletins the feed has: those of about six years.
const feedSize = 100

// getBulletinFeed answers with the latest revisions as a feed. The ids are the addresses
// of the periods, so that a correction is an update of an entry.
func (a *api) getBulletinFeed(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	list, _, err := a.Statistics.PublishedBulletins(c.UserContext(), statistics.BulletinFilter{}, feedSize, "")
	if err != nil {
		return err
	}
	root := a.Statistics.PublicURL + "/v1/stats/bulletins"
	feed := atomFeed{
		Lang: "zh-CN", ID: root + ".atom", Title: "青海省家政服务消费者满意度公报", Author: "青服 Qingfu",
		Links: []atomLink{{"self", "application/atom+xml", root + ".atom"}, {"alternate", fiber.MIMEApplicationJSON, root}},
	}
	updated := time.Unix(0, 0).UTC() // without entries
	for i := range list {
		b := &list[i]
		first := b
		if b.Revision > 1 {
			doc, err := a.Store.Bulletins.Get(c.UserContext(), directory.BulletinID(b.Period, 1))
			if err != nil {
				return err
			}
			first = &doc.Value
		}
		entry, err := viewEntry(b, first, root)
		if err != nil {
			return err
		}
		feed.Entries = append(feed.Entries, entry)
		if b.PublishedAt.After(updated) {
			updated = *b.PublishedAt
		}
	}
	feed.Updated = updated.Format(time.RFC3339)
	body, err := xml.MarshalIndent(feed, "", "  ")
	if err != nil {
		return err
	}
	return sendTagged(c, "application/atom+xml; charset=utf-8", append([]byte(xml.Header), append(body, '\n')...))
}

func viewEntry(b, first *directory.Bulletin, root string) (atomEntry, error) {
	content, err := b.Read()
	id := root + "/" + b.Period.Key()
	e := atomEntry{
		ID: id, Title: content.Title.Zh, Published: first.PublishedAt.Format(time.RFC3339), Updated: b.PublishedAt.Format(time.RFC3339),
		Links: []atomLink{
			{"alternate", fiber.MIMETextHTML, id + "?format=html"}, {"enclosure", mimeXLSX, id + "?format=xlsx"},
		},
		Summary: statistics.Headline(&content),
	}
	if b.Correction != "" {
		e.Summary += " 修订（第" + strconv.Itoa(b.Revision) + "版）：" + b.Correction
	}
	return e, err
}
