package handlers

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

// route is one operation of the API. Its handler is named after the
// operation's id in openapi.yaml.
type route struct {
	method     string
	path       string // as in openapi.yaml
	operation  string
	permission directory.Permission
	class      class // of the limit on requests
	handler    func(*fiber.Ctx, *input) error
}

// Who may call an operation. The reference page shows the whole table at
// /docs/permissions.html.
var (
	public   = directory.Permission{Public: true}
	account  = directory.Permission{Accounts: true} // on what is its own
	grantors = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Admin}}
	auditors = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}}
)

// routes is every operation, who may call it and how often. GET answers HEAD, too.
func (a *api) routes() []route {
	return []route{
		{"GET", "/v1/listings", "searchListings", public, reading, a.searchListings},
		{"GET", "/v1/listings:batch", "batchListings", public, reading, a.batchListings},
		{"GET", "/v1/listings/{id}", "getListing", public, reading, a.getListing},
		{"GET", "/v1/suggest", "suggest", public, reading, a.suggest},
		{"GET", "/v1/map/clusters", "mapClusters", public, reading, a.mapClusters},
		{"GET", "/v1/regions", "listRegions", public, reading, a.listRegions},
		{"GET", "/v1/regions:locate", "locateRegion", public, reading, a.locateRegion},
		{"GET", "/v1/regions/{code}", "getRegion", public, reading, a.getRegion},
		{"GET", "/v1/categories", "listCategories", public, reading, a.listCategories},

		{"POST", "/v1/auth/codes", "requestCode", public, signingIn, a.requestCode},
		{"POST", "/v1/auth/tokens", "createTokens", public, signingIn, a.createTokens},
		{"POST", "/v1/auth/refresh", "refreshTokens", public, signingIn, a.refreshTokens},
		{"POST", "/v1/auth/second-factor", "showSecondFactor", account, signingIn, a.showSecondFactor},
		{"DELETE", "/v1/auth/session", "endCurrentSession", account, writing, a.endCurrentSession},
		{"GET", "/v1/auth/sessions", "listSessions", account, reading, a.listSessions},
		{"DELETE", "/v1/auth/sessions/{id}", "endSession", account, writing, a.endSession},
		{"GET", "/.well-known/jwks.json", "listKeys", public, reading, a.listKeys},

		{"GET", "/v1/me", "getMe", account, reading, a.getMe},
		{"PATCH", "/v1/me", "updateMe", account, writing, a.updateMe},
		{"DELETE", "/v1/me", "eraseMe", account, writing, a.eraseMe},
		{"POST", "/v1/me/restore", "restoreMe", account, writing, a.restoreMe},
		{"GET", "/v1/me/export", "exportMe", account, writing, a.exportMe}, // as dear as writing
		{"POST", "/v1/me/second-factor", "enrolSecondFactor", account, signingIn, a.enrolSecondFactor},
		{"PUT", "/v1/me/second-factor", "confirmSecondFactor", account, signingIn, a.confirmSecondFactor},
		{"POST", "/v1/me/second-factor:remove", "removeSecondFactor", account, signingIn, a.removeSecondFactor},
		{"GET", "/v1/me/favourites", "listFavourites", account, reading, a.listFavourites},
		{"PUT", "/v1/me/favourites/{id}", "addFavourite", account, writing, a.addFavourite},
		{"DELETE", "/v1/me/favourites/{id}", "removeFavourite", account, writing, a.removeFavourite},
		{"GET", "/v1/me/notifications", "listNotifications", account, reading, a.listNotifications},
		{"POST", "/v1/me/notifications:read", "readNotifications", account, writing, a.readNotifications},

		{"GET", "/v1/grants", "listGrants", grantors, reading, a.listGrants},
		{"POST", "/v1/grants", "createGrant", grantors, writing, a.createGrant},
		{"DELETE", "/v1/grants/{id}", "deleteGrant", grantors, writing, a.deleteGrant},
		{"GET", "/v1/audit", "listAudit", auditors, reading, a.listAudit},

		{"GET", "/openapi.yaml", "openAPI", public, reading, a.openAPI},
		{"GET", "/docs", "docs", public, reading, a.docs},
		{"GET", "/docs/{file}", "docsFile", public, reading, a.docsFile},
		{"GET", "/livez", "livez", public, unlimited, a.livez},
		{"GET", "/readyz", "readyz", public, unlimited, a.readyz},
		{"GET", "/version", "version", public, unlimited, a.version},
		{"GET", "/metrics", "metrics", public, unlimited, a.showMetrics},
	}
}

// fiberPath turns a path of the contract into Fiber's form: {id} is :id, and a
// colon that is one is escaped.
func fiberPath(path string) string {
	return strings.NewReplacer(":", `\:`, "{", ":", "}", "").Replace(path)
}
