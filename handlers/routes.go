package handlers

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// route is one operation of the API. Its handler is named after the
// operation's id in openapi.yaml.
type route struct {
	path       string // as in openapi.yaml
	operation  string
	permission permission
	handler    func(*fiber.Ctx, *input) error
}

// permission says who may call an operation.
type permission string

// public operations are open to everybody.
const public permission = "public"

// routes is every operation. All are GET, and answer HEAD too.
func (a *api) routes() []route {
	return []route{
		{"/v1/listings", "searchListings", public, a.searchListings},
		{"/v1/listings:batch", "batchListings", public, a.batchListings},
		{"/v1/listings/{id}", "getListing", public, a.getListing},
		{"/v1/suggest", "suggest", public, a.suggest},
		{"/v1/map/clusters", "mapClusters", public, a.mapClusters},
		{"/v1/regions", "listRegions", public, a.listRegions},
		{"/v1/regions:locate", "locateRegion", public, a.locateRegion},
		{"/v1/regions/{code}", "getRegion", public, a.getRegion},
		{"/v1/categories", "listCategories", public, a.listCategories},

		{"/openapi.yaml", "openAPI", public, a.openAPI},
		{"/docs", "docs", public, a.docs},
		{"/docs/{file}", "docsFile", public, a.docsFile},
		{"/livez", "livez", public, a.livez},
		{"/readyz", "readyz", public, a.readyz},
		{"/version", "version", public, a.version},
		{"/metrics", "metrics", public, a.showMetrics},
	}
}

// fiberPath turns a path of the contract into Fiber's form: {id} is :id, and a
// colon that is one is escaped.
func fiberPath(path string) string {
	return strings.NewReplacer(":", `\:`, "{", ":", "}", "").Replace(path)
}
