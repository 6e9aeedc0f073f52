package handlers

import (
	"errors"
	"fmt"
	"mime"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/registry"
	"qingfu/sheets"
)

// The media types of tables.
const (
	mimeCSV  = "text/csv; charset=utf-8"
	mimeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

func sendFile(c *fiber.Ctx, mediaType, name string, data []byte) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.Response().Header.SetContentType(mediaType)
	return c.Send(data)
}

func (a *api) getTemplate(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	kind := in.text("kind")
	data, err := sheets.Template(directory.Kind(kind), a.Regions)
	if err != nil {
		return err
	}
	return sendFile(c, mimeXLSX, "qingfu-"+kind+".xlsx", data)
}

// importView is an import in an answer.
type importView struct {
	ID         string                `json:"id"`
	Kind       directory.Kind        `json:"kind"`
	Filename   string                `json:"filename"`
	Submit     bool                  `json:"submit"`
	State      directory.ImportState `json:"state"`
	Total      int                   `json:"total"`
	Done       int                   `json:"done"`
	Counts     directory.RowCounts   `json:"counts"`
	CreatedAt  time.Time             `json:"created_at"`
	FinishedAt *time.Time            `json:"finished_at"`
}

func viewImport(i *directory.Import) importView {
	return importView{i.ID, i.Kind, i.Filename, i.Submit, i.State, i.Total, i.Done, i.Counts, i.CreatedAt, i.FinishedAt}
}

// maxRowErrors is how many errors of rows one answer lists.
const maxRowErrors = 1000

// rowError is something wrong with a row in an answer.
type rowError struct {
	Row     int    `json:"row"`
	Cell    string `json:"cell"`
	Column  string `json:"column"`
	Code    string `json:"code"`
	Limit   string `json:"limit,omitempty"`
	Message string `json:"message"`
}

func (a *api) createImport(c *fiber.Ctx, in *input) error {
	organization, err := a.ownOrganization(c, in, in.text("id"))
	if err != nil {
		return err
	}
	kind, name := directory.Kind(in.text("kind")), filepath.Base(in.text("filename"))
	if dry := in.boolean("dry_run"); dry != nil && *dry {
		table, err := a.Registry.CheckTable(c.UserContext(), organization, kind, name, in.file())
		if err != nil {
			return err
		}
		return a.sendCheck(c, table)
	}
	submit := in.boolean("submit")
	job, err := a.Registry.BeginImport(c.UserContext(), in.caller, organization, kind, name, in.file(), submit != nil && *submit)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusAccepted)
	return sendSecret(c, viewImport(&job))
}

// sendCheck answers with what is wrong with the rows of a table.
func (a *api) sendCheck(c *fiber.Ctx, table *sheets.Table) error {
	lang := messageLanguage(c)
	found := []rowError{}
	bad := 0
	for i := range table.Rows {
		row := &table.Rows[i]
		if len(row.Errors) > 0 {
			bad++
		}
		for _, e := range row.Errors {
			if len(found) < maxRowErrors {
				found = append(found, rowError{row.Number, e.Cell, e.Column, e.Code, e.Limit, fieldMessage(e.FieldError, lang)})
			}
		}
	}
	return sendSecret(c, struct {
		Total  int        `json:"total"`
		Good   int        `json:"good"`
		Bad    int        `json:"bad"`
		Errors []rowError `json:"errors"`
	}{len(table.Rows), len(table.Rows) - bad, bad, found})
}

func (a *api) listImports(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	after := in.readPosition(hash)
	if err := in.err(); err != nil {
		return err
	}
	if err := in.covers(a, directory.Scope{Organization: in.text("id")}); err != nil {
		return err
	}
	imports, next, err := a.Registry.ImportsOf(c.UserContext(), in.text("id"), in.integer("limit"), after)
	if err != nil {
		return err
	}
	items := make([]importView, len(imports))
	for i := range imports {
		items[i] = viewImport(&imports[i])
	}
	return sendList(c, items, hash, next)
}

// importOf returns the import that a request is about, when it is the caller's
// organization's.
func (a *api) importOf(c *fiber.Ctx, in *input) (directory.Import, error) {
	if err := in.err(); err != nil {
		return directory.Import{}, err
	}
	doc, err := a.Store.Imports.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return doc.Value, err
	}
	if in.covers(a, directory.Scope{Organization: doc.Value.Organization}) != nil {
		return doc.Value, in.hide(a, c, "import")
	}
	return doc.Value, nil
}

func (a *api) getImport(c *fiber.Ctx, in *input) error {
	job, err := a.importOf(c, in)
	if err != nil {
		return err
	}
	return sendSecret(c, viewImport(&job))
}

func (a *api) getImportResult(c *fiber.Ctx, in *input) error {
	job, err := a.importOf(c, in)
	if err != nil {
		return err
	}
	data, err := a.Registry.ImportResult(c.UserContext(), job.ID)
	if err != nil {
		return err
	}
	name := "result-" + strings.TrimSuffix(job.Filename, filepath.Ext(job.Filename))
	if strings.HasPrefix(string(data), "PK") {
		return sendFile(c, mimeXLSX, name+".xlsx", data)
	}
	return sendFile(c, mimeCSV, name+".csv", data)
}

// maxExported is how many listings one export holds.
const maxExported = 20_000

// errTooMany says that a list is too long to be exported.
var errTooMany = directory.InvalidFields("request", []directory.FieldError{
	{Parameter: "q, kind, region …", Code: directory.CodeTooLong, Limit: fmt.Sprint(maxExported)},
})

func (a *api) exportListings(c *fiber.Ctx, in *input) error {
	q := a.readQuery(in)
	if err := in.err(); err != nil {
		return err
	}
	ids, err := registry.AllIDs(c.UserContext(), a.Search, q, maxExported)
	if errors.Is(err, registry.ErrTooMany) {
		return errTooMany
	}
	if err != nil {
		return err
	}
	var kind directory.Kind
	if len(q.Kinds) == 1 {
		kind = q.Kinds[0]
	}
	format := in.text("format")
	data, err := a.Registry.Export(c.UserContext(), ids, format, kind)
	if err != nil {
		return err
	}
	mediaType := map[string]string{"csv": mimeCSV, "xlsx": mimeXLSX, "ndjson": "application/x-ndjson", "geojson": "application/geo+json"}[format]
	return sendFile(c, mediaType, "qingfu-"+string(directory.DateOf(a.Now()))+"."+format, data)
}
