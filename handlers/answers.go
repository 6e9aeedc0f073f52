package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// toJSON encodes a value without escaping <, > and &, which highlights are full of.
func toJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func sendJSON(c *fiber.Ctx, v any) error {
	body, err := toJSON(v)
	if err != nil {
		return err
	}
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(body)
}

// sendTagged answers with an ETag, which is a hash of the body, or with 304 when
// the client has that body already.
func sendTagged(c *fiber.Ctx, contentType string, body []byte) error {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	c.Set(fiber.HeaderETag, etag)
	if matches(c.Get(fiber.HeaderIfNoneMatch), etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Response().Header.SetContentType(contentType)
	return c.Send(body)
}

// sendTaggedJSON is [sendTagged] for what is encoded as JSON.
func sendTaggedJSON(c *fiber.Ctx, v any) error {
	body, err := toJSON(v)
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, body)
}

// sendPrivate answers with JSON that is for the caller alone, and that a client which
// has it need not be sent again.
func sendPrivate(c *fiber.Ctx, v any) error {
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	return sendTaggedJSON(c, v)
}

// matches compares as If-None-Match does, weakly (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// requireMatch makes sure that a caller changes what it has seen: If-Match has to
// name the ETag of the thing as it is (RFC 9110, 13.1.1). Such a tag stands for a
// version and not for bytes, so that the weak one of a compressed answer is as
// good. The operation must declare the header.
func requireMatch(in *input, etag string) error {
	header := in.header(fiber.HeaderIfMatch)
	if header == "" {
		return fiber.ErrPreconditionRequired
	}
	if matches(header, etag) {
		return nil
	}
	return &directory.Error{Kind: directory.Precondition}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// sendPage writes a page of results. Cards are ready JSON, so that the envelope
// and what a query adds to a card are appended by hand.
func (a *api) sendPage(c *fiber.Ctx, in *input, r *search.Result, hash uint64) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b := append((*buf)[:0], `{"items":[`...)
	for i := range r.Hits {
		if i > 0 {
			b = append(b, ',')
		}
		card := r.Hits[i].Card
		if in.lang != "zh" {
			var err error
			if card, err = a.translateCard(card, in.lang); err != nil {
				return err
			}
		}
		b = appendHit(b, card, &r.Hits[i], in)
	}
	b = append(b, `],"total":`...)
	b = strconv.AppendInt(b, int64(r.Total), 10)
	b = append(b, `,"facets":`...)
	b = a.appendFacets(b, r.Facets, in.lang)
	b = append(b, `,"next_cursor":`...)
	if r.Next == "" {
		b = append(b, "null"...)
	} else {
		b = append(b, '"')
		b = append(appendCursor(b, hash, r.Next), '"')
	}
	if a.DemoData() {
		b = append(b, `,"demo_data":true`...)
	}
	b = append(b, '}', '\n')
	*buf = b

	c.Response().Header.SetContentType(fiber.MIMEApplicationJSONCharsetUTF8)
	c.Response().SetBody(b) // copies
	return nil
}

// appendHit appends a card in the datum asked for, with the members that depend
// on the query in the place of its closing brace.
func appendHit(b []byte, card string, hit *search.Hit, in *input) []byte {
	card = card[:len(card)-1]
	if in.gcj02 {
		b, card = appendToLocation(b, card, in)
	}
	b = append(b, card...)
	b = append(b, `,"distance_m":`...)
	if hit.DistanceM == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(*hit.DistanceM), 10)
	}
	b = append(b, `,"open_now":`...)
	if hit.OpenNow == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendBool(b, *hit.OpenNow)
	}
	b = append(b, `,"highlight":{`...)
	first := true
	for _, attribute := range highlighted {
		if marked, ok := hit.Highlight[attribute]; ok {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = appendString(b, attribute)
			b = append(b, ':')
			b = appendString(b, marked)
		}
	}
	return append(b, '}', '}')
}

// highlighted is the attributes that an engine may highlight.
var highlighted = []string{"name", "address"}

// appendToLocation appends a card up to its location, and that converted, and
// returns the rest of the card. Quotes within a JSON string are escaped, so that
// the member can be found by its text.
func appendToLocation(b []byte, card string, in *input) (_ []byte, rest string) {
	before, after, ok := strings.Cut(card, `"location":{"lat":`)
	lat, after, ok2 := strings.Cut(after, `,"lon":`)
	lon, rest, ok3 := strings.Cut(after, "}")
	if !ok || !ok2 || !ok3 { // the location is not known
		return b, card
	}
	var p directory.Point
	p.Lat, _ = strconv.ParseFloat(lat, 64) // numbers, because encoding/json wrote them
	p.Lon, _ = strconv.ParseFloat(lon, 64)
	p = in.toCRS(p)
	b = append(append(b, before...), `"location":{"lat":`...)
	b = append(strconv.AppendFloat(b, p.Lat, 'f', -1, 64), `,"lon":`...)
	b = append(strconv.AppendFloat(b, p.Lon, 'f', -1, 64), '}')
	return b, rest
}

// translateCard returns a card in another language.
func (a *api) translateCard(raw, lang string) (string, error) {
	var card search.Card
	if err := json.Unmarshal([]byte(raw), &card); err != nil {
		return "", err
	}
	card.Name = card.Names.In(lang)
	card.Region = search.NewRegionRef(a.Regions, card.Region.Code, lang)
	translate(card.Categories, lang, search.CategoryTerm)
	translate(card.Badges, lang, directory.BadgeTerm)
	out, err := toJSON(card)
	return string(bytes.TrimSuffix(out, []byte("\n"))), err
}

func translate(refs []search.TermRef, lang string, lookup func(string) (directory.Term, bool)) {
	for i := range refs {
		if t, ok := lookup(refs[i].Code); ok {
			refs[i].Name = t.Names.In(lang)
		}
	}
}

// facetOrder is the order of facets in an answer.
var facetOrder = []search.Facet{search.KindFacet, search.CategoryFacet, search.RegionFacet, search.FeatureFacet, search.BadgeFacet}

func (a *api) appendFacets(b []byte, facets map[search.Facet][]search.FacetCount, lang string) []byte {
	b = append(b, '{')
	for _, facet := range facetOrder {
		counts, ok := facets[facet]
		if !ok {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendString(b, string(facet))
		b = append(b, ':', '[')
		for i, f := range counts {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"value":`...)
			b = appendString(b, f.Value)
			b = append(b, `,"name":`...)
			b = appendString(b, a.facetName(facet, f.Value, lang))
			b = append(b, `,"count":`...)
			b = strconv.AppendInt(b, int64(f.Count), 10)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// facetName names a value of a facet; one that has no name stands for itself.
func (a *api) facetName(facet search.Facet, value, lang string) string {
	var t directory.Term
	switch facet {
	case search.KindFacet:
		t, _ = directory.KindTerm(directory.Kind(value))
	case search.CategoryFacet:
		t, _ = search.CategoryTerm(value)
	case search.FeatureFacet:
		t, _ = directory.FeatureTerm(value)
	case search.BadgeFacet:
		t, _ = directory.BadgeTerm(value)
	case search.RegionFacet:
		if reg, err := a.Regions.Get(value); err == nil {
			t.Names = reg.Names
		}
	}
	if t.Names.Zh == "" {
		return value
	}
	return t.Names.In(lang)
}

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if s[i] >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if s[i] >= ' ' && s[i] != '"' && s[i] != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		if s[i] < ' ' {
			b = append(b, `\u00`...)
			b = append(b, hexDigits[s[i]>>4], hexDigits[s[i]&15])
		} else {
			b = append(b, '\\', s[i])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
