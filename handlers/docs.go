package handlers

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io"
	"maps"
	"slices"

	"github.com/gofiber/fiber/v2"
	swaggerui "github.com/swaggest/swgui/v5/static"

	"qingfu"
)

//go:embed docs
var docsFS embed.FS

// file is something that a page consists of: the reference, that for ratings or that of the figures.
type file struct {
	contentType string
	body        []byte // compressed with gzip when zipped is set
	zipped      bool
}

// docFiles makes the parts of the pages, by their names.
func (a *api) docFiles() (map[string]file, error) {
	problems, err := renderProblems()
	if err != nil {
		return nil, err
	}
	permissions, err := a.renderPermissions()
	if err != nil {
		return nil, err
	}
	files := map[string]file{
		"problems.html":    {fiber.MIMETextHTMLCharsetUTF8, problems, false},
		"permissions.html": {fiber.MIMETextHTMLCharsetUTF8, permissions, false},
	}
	for _, f := range []struct {
		name, contentType, path string
		fs                      embed.FS
		zipped                  bool
	}{
		{"index.html", fiber.MIMETextHTMLCharsetUTF8, "docs/index.html", docsFS, false},
		{"docs.js", mimeScript, "docs/docs.js", docsFS, false},
		{"docs.css", mimeCSS, "docs/docs.css", docsFS, false},
		{"rate.html", fiber.MIMETextHTMLCharsetUTF8, "docs/rate.html", docsFS, false},
		{"rate.js", mimeScript, "docs/rate.js", docsFS, false},
		{"rate.css", mimeCSS, "docs/rate.css", docsFS, false},
		{"stats.html", fiber.MIMETextHTMLCharsetUTF8, "docs/stats.html", docsFS, false},
		{"stats.js", mimeScript, "docs/stats.js", docsFS, false},
		{"stats.css", mimeCSS, "docs/stats.css", docsFS, false},
		{"swagger-ui-bundle.js", mimeScript, "swagger-ui-bundle.js.gz", swaggerui.FS, true},
		{"swagger-ui.css", mimeCSS, "swagger-ui.css.gz", swaggerui.FS, true},
	} {
		body, err := f.fs.ReadFile(f.path)
		if err != nil {
			return nil, err
		}
		files[f.name] = file{f.contentType, body, f.zipped}
	}
	return files, nil
}

// renderProblems makes the page that the type of a problem points to.
func renderProblems() ([]byte, error) {
	page, err := template.ParseFS(docsFS, "docs/problems.html")
	if err != nil {
		return nil, err
	}
	type entry struct{ Code, Zh, En string }
	var problems []entry
	for _, code := range slices.Sorted(maps.Keys(titles)) {
		problems = append(problems, entry{code, titles[code].zh, titles[code].en})
	}
	var b bytes.Buffer
	err = page.Execute(&b, problems)
	return b.Bytes(), err
}

const (
	mimeCSS    = "text/css; charset=utf-8"
	mimeScript = "text/javascript; charset=utf-8"
	mimeSVG    = "image/svg+xml"
)

// docsPolicy lets a page use what this server serves, and nothing else.
// Swagger UI sets styles on elements and has icons in data URLs; the page of the figures
// has its charts in them.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (a *api) docs(c *fiber.Ctx, in *input) error { return a.page(c, in, "index.html") }

// ratePage is where the QR codes of posters and invitations lead.
func (a *api) ratePage(c *fiber.Ctx, in *input) error { return a.page(c, in, "rate.html") }

// statsPage shows the official figures to everybody, and to officials more of them.
func (a *api) statsPage(c *fiber.Ctx, in *input) error { return a.page(c, in, "stats.html") }

func (a *api) page(c *fiber.Ctx, in *input, name string) error {
	if err := in.err(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, docsPolicy)
	page := a.files[name]
	return sendTagged(c, page.contentType, page.body)
}

func (a *api) docsFile(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, docsPolicy)
	f := a.files[in.text("file")]
	if f.zipped {
		if c.Request().Header.HasAcceptEncoding("gzip") {
			c.Set(fiber.HeaderContentEncoding, "gzip")
		} else {
			r, err := gzip.NewReader(bytes.NewReader(f.body))
			if err != nil {
				return err
			}
			if f.body, err = io.ReadAll(r); err != nil {
				return err
			}
		}
	}
	return sendTagged(c, f.contentType, f.body)
}

func (a *api) openAPI(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	return sendTagged(c, "application/yaml; charset=utf-8", qingfu.OpenAPI)
}
