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
	admins   = directory.Permission{Roles: []directory.Role{directory.Admin}}
	grantors = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Admin}}
	members  = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Staff}}
	// reviewers decide about listings, and involved are they and the listing's own people.
	reviewers = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.ReviewPower}
	involved  = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Staff, directory.Official, directory.Admin}, Power: directory.ReviewPower}
	// belonging are an organization's own people, and admins in their place.
	belonging = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Staff, directory.Admin}}
	// caseworkers handle complaints.
	caseworkers = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.ComplaintsPower}
	// statisticians see and decide about what is reported, and reporters are they and
	// those who report it.
	statisticians = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.StatisticsPower}
	reporters     = directory.Permission{Roles: []directory.Role{directory.Owner, directory.Staff, directory.Official, directory.Admin}, Power: directory.StatisticsPower}
	auditors      = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}}
	// readers read figures of which nothing is suppressed, and programs of departments
	// do with a key; figures answers everybody what may be public.
	readers = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.StatisticsPower, Keys: true}
	figures = directory.Permission{Public: true, Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.StatisticsPower, Keys: true}
	// bulletins are for everybody, their drafts for officials.
	bulletins = directory.Permission{Public: true, Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.StatisticsPower}
	// publishers give out what others read, make and publish bulletins, and keyed is a program with a key.
	publishers = directory.Permission{Roles: []directory.Role{directory.Official, directory.Admin}, Power: directory.PublishPower}
	keyed      = directory.Permission{Keys: true}
)

// routes is every operation, who may call it and how often. GET answers HEAD, too.
func (a *api) routes() []route {
	return []route{
		{"GET", "/v1/listings", "searchListings", public, reading, a.searchListings},
		{"GET", "/v1/listings:batch", "batchListings", public, reading, a.batchListings},
		{"GET", "/v1/listings/{id}", "getListing", public, reading, a.getListing},
		{"GET", "/v1/changes", "listChanges", public, reading, a.listChanges},
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
		{"GET", "/v1/me/export", "exportMe", account, exporting, a.exportMe},
		{"POST", "/v1/me/second-factor", "enrolSecondFactor", account, signingIn, a.enrolSecondFactor},
		{"PUT", "/v1/me/second-factor", "confirmSecondFactor", account, signingIn, a.confirmSecondFactor},
		{"POST", "/v1/me/second-factor:remove", "removeSecondFactor", account, signingIn, a.removeSecondFactor},
		{"GET", "/v1/me/favourites", "listFavourites", account, reading, a.listFavourites},
		{"PUT", "/v1/me/favourites/{id}", "addFavourite", account, writing, a.addFavourite},
		{"DELETE", "/v1/me/favourites/{id}", "removeFavourite", account, writing, a.removeFavourite},
		{"POST", "/v1/me/photos", "uploadOwnPhoto", account, writing, a.uploadOwnPhoto},
		{"GET", "/v1/me/photos/{id}/{size}.jpg", "getOwnPhoto", account, reading, a.getOwnPhoto},
		{"GET", "/v1/me/notifications", "listNotifications", account, reading, a.listNotifications},
		{"POST", "/v1/me/notifications:read", "readNotifications", account, writing, a.readNotifications},

		{"GET", "/v1/grants", "listGrants", grantors, reading, a.listGrants},
		{"POST", "/v1/grants", "createGrant", admins, writing, a.createGrant},
		{"DELETE", "/v1/grants/{id}", "deleteGrant", grantors, writing, a.deleteGrant},
		{"GET", "/v1/audit", "listAudit", auditors, reading, a.listAudit},

		{"POST", "/v1/organizations", "registerOrganization", account, writing, a.registerOrganization},
		{"GET", "/v1/organizations", "listOrganizations", account, reading, a.listOrganizations},
		{"GET", "/v1/organizations/{id}", "getOrganization", involved, reading, a.getOrganization},
		{"PATCH", "/v1/organizations/{id}", "updateOrganization", grantors, writing, a.updateOrganization},
		{"POST", "/v1/organizations/{id}/decision", "decideOrganization", reviewers, writing, a.decideOrganization},
		{"GET", "/v1/organizations/{id}/members", "listMembers", belonging, reading, a.listMembers},
		{"DELETE", "/v1/organizations/{id}/members/{account}", "removeMember", belonging, writing, a.removeMember},
		{"POST", "/v1/organizations/{id}/invitations", "createInvitation", grantors, writing, a.createInvitation},
		{"GET", "/v1/organizations/{id}/invitations", "listInvitations", grantors, reading, a.listInvitations},
		{"DELETE", "/v1/organizations/{id}/invitations/{invitation}", "withdrawInvitation", grantors, writing, a.withdrawInvitation},
		{"POST", "/v1/invitations:accept", "acceptInvitation", account, writing, a.acceptInvitation},
		{"POST", "/v1/photos", "uploadPhoto", belonging, writing, a.uploadPhoto},
		{"GET", "/v1/photos/{id}/{size}.jpg", "getPhoto", public, reading, a.getPhoto},
		{"GET", "/v1/documents/{id}/{size}.jpg", "getDocument", involved, reading, a.getDocument},
		{"GET", "/v1/claims", "listClaims", account, reading, a.listClaims},
		{"POST", "/v1/claims/{id}/decision", "decideClaim", reviewers, writing, a.decideClaim},

		{"POST", "/v1/organizations/{id}/listings", "createProposal", members, writing, a.createProposal},
		{"GET", "/v1/organizations/{id}/listings", "listOwnListings", members, reading, a.listOwnListings},
		{"GET", "/v1/listings/{id}/proposal", "getProposal", involved, reading, a.getProposal},
		{"PUT", "/v1/listings/{id}/proposal", "saveProposal", members, writing, a.saveProposal},
		{"POST", "/v1/listings/{id}/proposal:submit", "submitProposal", members, writing, a.submitProposal},
		{"POST", "/v1/listings/{id}/proposal:withdraw", "withdrawProposal", members, writing, a.withdrawProposal},
		{"PATCH", "/v1/listings/{id}", "updateListing", members, writing, a.updateListing},
		{"PUT", "/v1/listings/{id}/vacancies", "updateVacancies", members, writing, a.updateVacancies},
		{"POST", "/v1/listings/{id}/confirmation", "confirmListing", members, writing, a.confirmListing},
		{"POST", "/v1/listings/{id}/archive", "archiveListing", members, writing, a.archiveListing},

		{"POST", "/v1/bookings", "createBooking", account, writing, a.createBooking},
		{"GET", "/v1/bookings", "listBookings", account, reading, a.listBookings},
		{"GET", "/v1/bookings/{id}", "getBooking", account, reading, a.getBooking},
		{"POST", "/v1/bookings/{id}/accept", "acceptBooking", account, writing, a.acceptBooking},
		{"POST", "/v1/bookings/{id}/decline", "declineBooking", account, writing, a.declineBooking},
		{"POST", "/v1/bookings/{id}/start", "startBooking", account, writing, a.startBooking},
		{"POST", "/v1/bookings/{id}/complete", "completeBooking", account, writing, a.completeBooking},
		{"POST", "/v1/bookings/{id}/cancel", "cancelBooking", account, writing, a.cancelBooking},
		{"POST", "/v1/bookings/{id}/no-show", "reportNoShow", account, writing, a.reportNoShow},
		{"PUT", "/v1/bookings/{id}/quote", "quoteBooking", account, writing, a.quoteBooking},
		{"POST", "/v1/bookings/{id}/choose", "chooseQuote", account, writing, a.chooseQuote},
		{"GET", "/v1/bookings/{id}/completion-code.svg", "getCompletionCodeSVG", account, reading, a.getCompletionCodeSVG},
		{"GET", "/v1/bookings/{id}/completion-code.png", "getCompletionCodePNG", account, reading, a.getCompletionCodePNG},
		{"GET", "/v1/organizations/{id}/bookings", "listOrganizationBookings", members, reading, a.listOrganizationBookings},
		{"GET", "/v1/organizations/{id}/requests", "listRequests", members, reading, a.listRequests},
		{"GET", "/v1/listings/{id}/calendar", "getCalendar", public, reading, a.getCalendar},
		{"PUT", "/v1/listings/{id}/calendar", "saveCalendar", members, writing, a.saveCalendar},
		{"DELETE", "/v1/listings/{id}/calendar", "deleteCalendar", members, writing, a.deleteCalendar},
		{"GET", "/v1/listings/{id}/slots", "listSlots", public, reading, a.listSlots},

		{"GET", "/v1/imports:template", "getTemplate", public, reading, a.getTemplate},
		{"POST", "/v1/organizations/{id}/imports", "createImport", members, exporting, a.createImport},
		{"GET", "/v1/organizations/{id}/imports", "listImports", members, reading, a.listImports},
		{"GET", "/v1/imports/{id}", "getImport", members, reading, a.getImport},
		{"GET", "/v1/imports/{id}/result", "getImportResult", members, exporting, a.getImportResult},
		{"GET", "/v1/listings:export", "exportListings", account, exporting, a.exportListings},

		{"GET", "/v1/reviews", "listReviews", reviewers, reading, a.listReviews},
		{"POST", "/v1/reviews:approve", "approveReviews", reviewers, writing, a.approveReviews},
		{"GET", "/v1/reviews/{id}", "getReview", reviewers, reading, a.getReview},
		{"POST", "/v1/reviews/{id}/take", "takeReview", reviewers, writing, a.takeReview},
		{"POST", "/v1/reviews/{id}/release", "releaseReview", reviewers, writing, a.releaseReview},
		{"POST", "/v1/reviews/{id}/decision", "decideReview", reviewers, writing, a.decideReview},
		{"POST", "/v1/listings/{id}/suspension", "suspendListing", reviewers, writing, a.suspendListing},
		{"DELETE", "/v1/listings/{id}/suspension", "unsuspendListing", reviewers, writing, a.unsuspendListing},
		{"POST", "/v1/listings/{id}/merge", "mergeListing", reviewers, writing, a.mergeListing},
		{"GET", "/v1/listings/{id}/revisions", "listRevisions", involved, reading, a.listRevisions},
		{"POST", "/v1/listings/{id}/revisions", "restoreRevision", reviewers, writing, a.restoreRevision},
		{"POST", "/v1/listings/{id}/reports", "reportListing", account, writing, a.reportListing},
		{"GET", "/v1/reports", "listReports", reviewers, reading, a.listReports},
		{"POST", "/v1/listings/{id}/reports/decision", "decideReports", reviewers, writing, a.decideReports},

		{"GET", "/v1/listings/{id}/ratings", "listRatings", public, reading, a.listRatings},
		{"GET", "/v1/listings/{id}/poster", "getPoster", public, reading, a.getPoster},
		{"POST", "/v1/ratings", "createRating", account, writing, a.createRating},
		{"GET", "/v1/ratings/{id}", "getRating", account, reading, a.getRating},
		{"PUT", "/v1/ratings/{id}", "editRating", account, writing, a.editRating},
		{"DELETE", "/v1/ratings/{id}", "withdrawRating", account, writing, a.withdrawRating},
		{"PUT", "/v1/ratings/{id}/helpful", "voteHelpful", account, writing, a.voteHelpful},
		{"DELETE", "/v1/ratings/{id}/helpful", "unvoteHelpful", account, writing, a.unvoteHelpful},
		{"POST", "/v1/ratings/{id}/reports", "reportRating", account, writing, a.reportRating},
		{"GET", "/v1/me/ratings", "listOwnRatings", account, reading, a.listOwnRatings},
		{"POST", "/v1/rating-invitations:open", "openRatingInvitation", account, writing, a.openRatingInvitation},
		{"POST", "/v1/listings/{id}/rating-invitations", "inviteToRate", members, writing, a.inviteToRate},
		{"GET", "/v1/organizations/{id}/rating-invitations", "listRatingInvitations", members, reading, a.listRatingInvitations},
		{"GET", "/v1/organizations/{id}/ratings", "listOrganizationRatings", members, reading, a.listOrganizationRatings},
		{"PUT", "/v1/ratings/{id}/reply", "replyRating", members, writing, a.replyRating},
		{"DELETE", "/v1/ratings/{id}/reply", "removeReply", members, writing, a.removeReply},
		{"GET", "/v1/rating-queue", "listRatingQueue", reviewers, reading, a.listRatingQueue},
		{"GET", "/v1/ratings/{id}/review", "getRatingReview", reviewers, reading, a.getRatingReview},
		{"POST", "/v1/ratings/{id}/decision", "decideRating", reviewers, writing, a.decideRating},

		{"POST", "/v1/complaints", "fileComplaint", account, writing, a.fileComplaint},
		{"GET", "/v1/complaints", "listComplaints", account, reading, a.listComplaints},
		{"GET", "/v1/complaints/{id}", "getComplaint", account, reading, a.getComplaint},
		{"GET", "/v1/complaints/{id}/photos/{photo}/{size}.jpg", "getComplaintPhoto", account, reading, a.getComplaintPhoto},
		{"GET", "/v1/organizations/{id}/complaints", "listOrganizationComplaints", members, reading, a.listOrganizationComplaints},
		{"GET", "/v1/complaint-queue", "listComplaintQueue", caseworkers, reading, a.listComplaintQueue},
		{"POST", "/v1/complaints/{id}/supply", "supplyComplaint", account, writing, a.supplyComplaint},
		{"POST", "/v1/complaints/{id}/withdraw", "withdrawComplaint", account, writing, a.withdrawComplaint},
		{"POST", "/v1/complaints/{id}/reopen", "reopenComplaint", account, writing, a.reopenComplaint},
		{"POST", "/v1/complaints/{id}/questionnaire", "answerQuestionnaire", account, writing, a.answerQuestionnaire},
		{"POST", "/v1/complaints/{id}/answer", "answerComplaint", members, writing, a.answerComplaint},
		{"POST", "/v1/complaints/{id}/accept", "acceptComplaint", caseworkers, writing, a.acceptComplaint},
		{"POST", "/v1/complaints/{id}/refuse", "refuseComplaint", caseworkers, writing, a.refuseComplaint},
		{"POST", "/v1/complaints/{id}/ask", "askComplaint", caseworkers, writing, a.askComplaint},
		{"POST", "/v1/complaints/{id}/transfer", "transferComplaint", caseworkers, writing, a.transferComplaint},
		{"POST", "/v1/complaints/{id}/mediate", "mediateComplaint", caseworkers, writing, a.mediateComplaint},
		{"POST", "/v1/complaints/{id}/resolve", "resolveComplaint", caseworkers, writing, a.resolveComplaint},
		{"POST", "/v1/complaints/{id}/fail", "failComplaint", caseworkers, writing, a.failComplaint},
		{"POST", "/v1/complaints/{id}/close", "closeComplaint", caseworkers, writing, a.closeComplaint},
		{"POST", "/v1/complaints/{id}/hand-over", "handOverComplaint", caseworkers, writing, a.handOverComplaint},
		{"POST", "/v1/complaints/{id}/duplicate", "markComplaintDuplicate", caseworkers, writing, a.markComplaintDuplicate},
		{"POST", "/v1/complaints/{id}/redact", "redactComplaint", caseworkers, writing, a.redactComplaint},
		{"GET", "/v1/listings/{id}/complaint-figures", "getComplaintFigures", public, reading, a.getComplaintFigures},

		{"GET", "/v1/stats/charts/{name}.svg", "getChartSVG", figures, reading, a.getChartSVG},
		{"GET", "/v1/stats/charts/{name}.png", "getChartPNG", figures, reading, a.getChartPNG},
		{"GET", "/v1/stats/overview", "getOverview", figures, reading, a.getOverview},
		{"GET", "/v1/stats/satisfaction", "getSatisfaction", figures, reading, a.getSatisfaction},
		{"GET", "/v1/stats/bulletins", "listBulletins", bulletins, reading, a.listBulletins},
		{"POST", "/v1/stats/bulletins", "makeBulletin", publishers, writing, a.makeBulletin},
		{"GET", "/v1/stats/bulletins.atom", "getBulletinFeed", public, reading, a.getBulletinFeed},
		{"GET", "/v1/stats/bulletins/{id}", "getBulletin", bulletins, reading, a.getBulletin},
		{"DELETE", "/v1/stats/bulletins/{id}", "discardBulletin", publishers, writing, a.discardBulletin},
		{"GET", "/v1/stats/bulletins/{id}/content", "getBulletinContent", bulletins, reading, a.getBulletinContent},
		{"GET", "/v1/stats/bulletins/{id}/revisions", "listBulletinRevisions", public, reading, a.listBulletinRevisions},
		{"POST", "/v1/stats/bulletins/{id}/publication", "publishBulletin", publishers, writing, a.publishBulletin},

		{"POST", "/v1/api-keys", "createAPIKey", publishers, writing, a.createAPIKey},
		{"GET", "/v1/api-keys", "listAPIKeys", publishers, reading, a.listAPIKeys},
		{"GET", "/v1/api-keys:current", "getCurrentAPIKey", keyed, reading, a.getCurrentAPIKey},
		{"DELETE", "/v1/api-keys/{id}", "revokeAPIKey", publishers, writing, a.revokeAPIKey},
		{"GET", "/v1/stats/ratings:export", "exportRatings", readers, exporting, a.exportRatings},

		{"GET", "/v1/stats/indicators", "getIndicators", public, reading, a.getIndicators},

		{"GET", "/v1/stats/forms", "listReturnForms", public, reading, a.listReturnForms},
		{"GET", "/v1/stats/forms/{form}/returns", "listReturns", readers, reading, a.listReturns},
		{"GET", "/v1/stats/returns:missing", "listMissingReturns", readers, reading, a.listMissingReturns},
		{"GET", "/v1/stats/returns/{form}/{month}/{subject}", "getReturn", reporters, reading, a.getReturn},
		{"PUT", "/v1/stats/returns/{form}/{month}/{subject}", "saveReturn", reporters, writing, a.saveReturn},
		{"POST", "/v1/stats/returns/{form}/{month}/{subject}/approval", "approveReturn", statisticians, writing, a.approveReturn},
		{"POST", "/v1/stats/returns/{form}/{month}/{subject}/return", "sendBackReturn", statisticians, writing, a.sendBackReturn},
		{"GET", "/v1/organizations/{id}/returns", "listOrganizationReturns", members, reading, a.listOrganizationReturns},

		{"GET", "/openapi.yaml", "openAPI", public, reading, a.openAPI},
		{"GET", "/docs", "docs", public, reading, a.docs},
		{"GET", "/rate", "ratePage", public, reading, a.ratePage},
		{"GET", "/stats", "statsPage", public, reading, a.statsPage},
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

// matchPath tells whether a path of the contract matches a path.
func matchPath(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i, w := range want {
		_, after, isParameter := strings.Cut(w, "}") // {id} or {id}:verb
		if w != have[i] && !(isParameter && strings.HasSuffix(have[i], after)) {
			return false
		}
	}
	return true
}
