package handlers

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"

	"qingfu/directory"
	"qingfu/photos"
	"qingfu/sheets"
)

// text is a message in the languages of the API.
type text struct{ zh, en string }

func (t text) in(lang string) string {
	if lang == "en" {
		return t.en
	}
	return t.zh
}

const codeInternal = "internal"

// titles says what each problem code means. The reference page lists them.
var titles = map[string]text{
	string(directory.Invalid):         {"请求有误", "The request is not valid"},
	string(directory.Unauthenticated): {"需要登录或验证身份", "Sign-in or verification is needed"},
	string(directory.Forbidden):       {"没有权限", "Not allowed"},
	string(directory.NotFound):        {"没有找到", "Not found"},
	string(directory.Conflict):        {"内容已被修改或已存在", "Changed meanwhile, or there already"},
	string(directory.Precondition):    {"请求的前提不成立", "A condition of the request does not hold"},
	string(directory.RateLimited):     {"请求过于频繁", "Too many requests"},
	string(directory.Unavailable):     {"服务暂时不可用，请稍后再试", "Not available for the moment, try again later"},
	"bad_request":                     {"请求无法读取", "The request cannot be read"},
	"method_not_allowed":              {"不支持这种请求方法", "This method is not allowed here"},
	"request_timeout":                 {"请求传输超时", "The request took too long to arrive"},
	"body_too_large":                  {"请求正文过大", "The body is too large"},
	"uri_too_long":                    {"网址过长", "The URL is too long"},
	"unsupported_media_type":          {"请求正文不是此处接受的类型，多数应为 UTF-8 编码的 JSON（application/json），不压缩", "The body is not of a type that is taken here, mostly JSON in UTF-8 (application/json), not compressed"},
	"precondition_required":           {"请用 If-Match 说明修改的是哪个版本", "Name the version to be changed with If-Match"},
	"headers_too_large":               {"请求头过大", "The headers are too large"},
	codeInternal:                      {"服务器内部错误", "Internal error"},
}

// missing says what was not found.
var missing = map[string]text{
	"grant":        {"没有这项授权。", "There is no such grant."},
	"session":      {"没有这个会话，或已结束。", "There is no such session, or it has ended."},
	"account":      {"没有这个账户。", "There is no such account."},
	"proposal":     {"没有这份修改。", "There is no such proposal."},
	"organization": {"没有这个机构。", "There is no such organization."},
	"member":       {"此人不是该机构的成员。", "This is no member of the organization."},
	"invitation":   {"没有这个邀请，或已撤回。", "There is no such invitation, or it was withdrawn."},
	"claim":        {"没有这项认领。", "There is no such claim."},
	"import":       {"没有这次导入，或尚未完成。", "There is no such import, or it is not done."},
	"photo":        {"没有这张照片。", "There is no such photo."},
	"file":         {"尚未完成，没有结果。", "It is not done, so that there is no result."},
	"revision":     {"没有这个版本。", "There is no such revision."},
	"complaint":    {"没有这件投诉。", "There is no such complaint."},
	"form":         {"没有这种报表。", "There is no such form."},
	"return":       {"没有这份报表，或与您无关。", "There is no such return, or it is not for you."},
	"listing":      {"没有这个服务条目，或尚未公开。", "There is no such listing, or it is not published."},
	"rating":       {"没有这条评价，或尚未公开。", "There is no such rating, or it is not public."},
	"booking":      {"没有这个预约。", "There is no such booking."},
	"calendar":     {"这项服务没有开放预约日历，时间可直接商定。", "The listing keeps no calendar: any time can be asked for."},
	"api_key":      {"没有这个密钥。", "There is no such key."},
	"bulletin":     {"没有这份公报，或尚未发布。", "There is no such bulletin, or it is not published."},
	"region":       {"没有这个地区，或位置在青海省以外。", "There is no such region, or the position is outside Qinghai."},
}

// unauthenticated says why somebody counts as not signed in.
var unauthenticated = map[string]text{
	"":                            {"请先获取验证码并登录，再带上访问令牌。", "Sign in with a code first, and send the access token."},
	"token":                       {"令牌无效或已过期，请续期或重新登录。", "The token is not good, or not any more: renew it or sign in again."},
	"code":                        {"验证码不正确、已用过或已过期。", "The code is wrong, used already, or too old."},
	"api_key":                     {"密钥无效，请核对是否完整。", "This is no API key: see whether it is complete."},
	"api_key_expired":             {"密钥已过期，请联系发放部门换发。", "The API key has expired: ask the department that has given it for another."},
	"api_key_revoked":             {"密钥已被撤销。", "The API key was revoked."},
	directory.SecondFactorMissing: {"需要先完成二次验证。", "A second factor has to be shown first."},
}

// conflicts says what is in the way.
var conflicts = map[string]text{
	"second_factor":        {"身份验证器已登记或尚未登记。", "An authenticator app is registered already, or not yet."},
	"submitted":            {"已提交审核，请先撤回。", "It is with the officials: withdraw it first."},
	"not_submitted":        {"不在审核中，或已作出决定。", "It does not wait for a review, or was decided."},
	"taken":                {"另一位工作人员正在审核。", "Another official has taken it."},
	"not_public":           {"服务条目未公开。", "The listing is not public."},
	"merged_into_itself":   {"不能合并到自身。", "A listing cannot be merged into itself."},
	"not_suspended":        {"服务条目未被暂停。", "The listing is not suspended."},
	"organization_refused": {"机构未通过核验，暂不能提交。", "The organization was refused, so that it cannot submit."},
	"last_owner":           {"机构至少要有一名负责人，请先邀请他人担任负责人。", "An organization needs an owner: make somebody else one first."},
	"credit_code":          {"该统一社会信用代码已有机构登记。如属于您，请以该代码登记，将转为认领，由主管部门处理。", "An organization with this credit code is registered. If it is yours, register it by this code: that becomes a claim for an official."},
	"invitations":          {"未使用的邀请过多，请先撤回一些。", "There are as many open invitations as there can be: withdraw some."},
	"invitation_used":      {"此邀请已被使用，请对方重新邀请。", "This invitation was used already: ask for another."},
	"invitation_expired":   {"此邀请已过期，请对方重新邀请。", "This invitation has expired: ask for another."},
	"member":               {"您已是该机构的成员。", "You are a member of this organization already."},
	"claim":                {"该认领已有决定。", "The claim was decided already."},
	"claims":               {"待处理的认领过多，请等待处理结果。", "As many of your claims are open as there can be: wait for the decisions."},
	"imports":              {"等待处理的导入已达上限，请稍后再试。", "Too many imports wait: try again later."},
	"archived":             {"服务条目已归档。", "The listing is archived."},
	"suspended":            {"服务条目已被暂停，不能归档。", "The listing is suspended, so that it cannot be archived."},
	"elsewhere":            {"该版本属于其他地区，或条目已归档。", "That revision is of another region, or the listing is archived."},
	"favourites":           {"收藏已满，请先删去一些。", "There are as many favourites as there can be: remove some."},
	"not_completed":        {"预约尚未完成，完成后才能评价。", "The booking has not been completed, so that it cannot be rated yet."},
	"rating_time":          {"评价时间已过（完成后 30 天内）。", "It is too late for a rating, which is possible for 30 days after completion."},
	"rated":                {"已经评价过，可以修改原评价。", "It was rated already: change that rating."},
	"rating_state":         {"评价已撤回或不计入，不能修改。", "The rating was withdrawn or excluded, so that it cannot be changed."},
	"edit_time":            {"修改时间已过（评价后 30 天内）。", "It is too late for a change, which is possible for 30 days."},
	"edits":                {"修改次数已达上限。", "The rating was changed as often as it can be."},
	"own_rating":           {"不能为自己的评价投票。", "Nobody votes for their own rating."},
	"invited":              {"此手机号近期已就该服务受邀评价。", "This phone was invited for this listing not long ago."},
	"invitations_today":    {"今天的评价邀请已达上限。", "As many invitations were made today as there can be."},
	"invitation_phone":     {"此邀请发给另一个手机号。", "This invitation is for another phone."},
	"booking_state":        {"预约目前的状态不能这样做。", "The booking is not where this can be done."},
	"too_early":            {"还不到时间：过了约定时间 15 分钟才能报未到场。", "It is too early: nobody is missing until 15 minutes after the time agreed on."},
	"too_late":             {"约定时间已到，不能再取消；对方未到场请报未到场。", "The time has come, so that it cannot be cancelled: say so when the other side is not there."},
	"code_tries":           {"完成码已多次输错，请由居民自行确认完成。", "The code was wrong too often: the resident can complete the booking."},
	"quotes":               {"报价的机构已满。", "As many firms have quoted as there can be."},
	"quote_changed":        {"该报价已变动，请查看新的价格后再选择。", "The quote has changed: look at its price again."},
	"slot_taken":           {"这个时段已约满，请换一个时段。", "This slot is full: take another."},
	"not_bookable":         {"这项服务目前没有可以接受预约的机构。", "Nobody can take bookings for this listing at present."},
	"own_service":          {"不能预约自己的机构。", "Nobody books with their own organization."},
	"bookings":             {"进行中的预约已达上限，请先完成或取消一些。", "There are as many live bookings as there can be: complete or cancel some."},
	"not_verified":         {"机构通过核验后才能报价。", "An organization quotes once it was verified."},
	"idempotency_key":      {"这个 Idempotency-Key 已用于另一内容。", "This Idempotency-Key was used with another content."},
	"account":              {"账户已到删除时间。", "The time to erase the account has come."},
	"complaint_open":       {"您对此已有一件投诉正在处理，可在其中补充。", "A complaint of yours about this is open already: add to it."},
	"complaints":           {"您正在处理中的投诉已达上限。", "As many of your complaints are open as there can be."},
	"complaint_nobody":     {"该需求尚未选定机构，无法投诉。", "No firm has been chosen for this request, so that there is nobody to complain about."},
	"own_complaint":        {"不能投诉自己所属的机构。", "Nobody can complain about an organization that they belong to."},
	"complaint_state":      {"投诉当前的状态不允许这一步。", "The complaint is not in a state in which this can be done."},
	"complaint_desk":       {"投诉已在该部门和地区。", "The complaint lies with this bureau and region already."},
	"complaint_events":     {"往来次数已达上限。", "As much has been said about this complaint as can be."},
	"reopened":             {"该投诉不能再次重新处理。", "The complaint cannot be reopened again."},
	"reopen_time":          {"已超过可以重新处理的期限。", "The time to reopen the complaint is over."},
	"return_state":         {"没有待审核的报表，或已有决定。", "No version of the return waits for a decision."},
	"return_versions":      {"这份报表的修改次数已达上限。", "The return was submitted as often as it can be."},
	"bulletin_same":        {"数据与已发布的公报相同，无需修订。", "Nothing differs from the published bulletin, so that there is nothing to correct."},
	"bulletin_state":       {"公报已发布或已弃用，不能这样做。", "The bulletin is published or discarded, so that this cannot be done."},
	"questionnaire":        {"没有待回答的问卷，或已回答。", "No questionnaire waits for an answer, or it was answered."},
}

// notificationTexts says what has happened; {role}, which is put together, and the message's own parameters are filled in.
var notificationTexts = map[directory.NotificationKind]text{
	directory.NoteGranted:         {"您已被授予：{role}。", "You were granted: {role}."},
	directory.NoteRevoked:         {"您的授权已撤销：{role}。", "A grant of yours was revoked: {role}."},
	directory.NoteSessionReused:   {"一个登录会话的令牌被重复使用，已为您结束该会话：{device}。如非本人操作，请检查其他会话。", "A token of one of your sessions was used twice, so that the session was ended: {device}. If that was not you, look at your other sessions."},
	directory.NoteSecondFactorSet: {"身份验证器已登记。如非本人操作，请立即联系管理员。", "An authenticator app was registered. If that was not you, call an administrator at once."},

	directory.NoteOrganizationVerified: {"机构“{name}”已通过核验。", "The organization “{name}” was verified."},
	directory.NoteOrganizationRefused:  {"机构“{name}”未通过核验：{reason}", "The organization “{name}” was not verified: {reason}"},
	directory.NoteClaimFiled:           {"有人以相同的统一社会信用代码认领机构“{name}”，由市场监管部门处理。", "Somebody claims the organization “{name}” by its credit code; an official of market regulation will decide."},
	directory.NoteClaimedByOther:       {"对机构“{name}”的认领已获准，认领人已成为负责人。", "A claim on the organization “{name}” was granted: whoever made it is an owner now."},
	directory.NoteClaimGranted:         {"您对“{name}”的认领已获准，您现在是该机构的负责人。", "Your claim on “{name}” was granted: you are an owner of it now."},
	directory.NoteClaimRefused:         {"您对“{name}”的认领未获准：{reason}", "Your claim on “{name}” was refused: {reason}"},

	directory.NoteApproved:  {"“{name}”已通过审核并公开。", "“{name}” was approved and is public."},
	directory.NoteRejected:  {"“{name}”未通过审核：{reasons}", "“{name}” was not approved: {reasons}"},
	directory.NoteReturned:  {"“{name}”需要补充：{reasons}", "“{name}” needs more: {reasons}"},
	directory.NoteSuspended: {"“{name}”已被暂停：{reasons}", "“{name}” was suspended: {reasons}"},
	directory.NoteMerged:    {"“{name}”与另一服务条目重复，已合并。", "“{name}” was listed already and was merged."},
	directory.NoteReported:  {"居民反映“{name}”的信息有误，经核实属实，请尽快更正。", "Residents say that facts of “{name}” are wrong, which was confirmed: please correct them."},
	directory.NoteImported:  {"导入完成：新增 {created}，更新 {updated}，未导入 {refused}。", "The import is done: {created} new, {updated} updated, {refused} not taken."},
	directory.NoteReviewDue: {"请在 {on} 前确认“{name}”的信息。", "Please confirm the facts of “{name}” by {on}."},

	directory.NoteRatingReplied:    {"“{name}”回复了您的评价。", "“{name}” has answered your rating."},
	directory.NoteRatingReleased:   {"您对“{name}”的评价已核查通过并公开。", "Your rating of “{name}” was looked at and is public."},
	directory.NoteRatingExcluded:   {"您对“{name}”的评价经核查不计入：{text}", "Your rating of “{name}” was looked at and does not count: {text}"},
	directory.NoteBookingRequested: {"新的预约：“{name}”，{at}。请在 24 小时内答复。", "A new booking of “{name}” for {at}: please answer within 24 hours."},
	directory.NoteRequestOpen:      {"附近有新的定制需求：{name}，{at}。您可以报价。", "A new request near you: {name}, {at}. You may quote on it."},
	directory.NoteBookingQuoted:    {"“{name}”（{at}）收到报价：{price} 元。", "A firm has quoted {price} yuan on “{name}” ({at})."},
	directory.NoteBookingChosen:    {"您的报价已被选中：“{name}”，{at}。", "Your quote was chosen: “{name}”, {at}."},
	directory.NoteBookingAccepted:  {"“{name}”已接受您的预约：{at}。服务完成后再把完成码告诉服务人员。", "“{name}” has accepted your booking for {at}. Tell your completion code only when the service is done."},
	directory.NoteBookingDeclined:  {"“{name}”未能接受您的预约：{at}。", "“{name}” cannot take your booking for {at}."},
	directory.NoteBookingCancelled: {"“{name}”的预约（{at}）已被对方取消。", "The other side has cancelled the booking of “{name}” for {at}."},
	directory.NoteBookingCompleted: {"“{name}”的预约（{at}）已完成。", "The booking of “{name}” for {at} is complete."},
	directory.NoteBookingNoShow:    {"“{name}”的预约（{at}）：对方反映您未到场。", "The other side says that you were not there: “{name}”, {at}."},
	directory.NoteBookingExpired:   {"“{name}”的预约（{at}）因超时未处理已结束。", "The booking of “{name}” for {at} has ended because nothing was done in time."},
	directory.NoteRateBooking:      {"您对“{name}”（{at}）满意吗？请作评价。", "Were you satisfied with “{name}” ({at})? Please rate it."},

	directory.NoteComplaintWaiting:     {"有一件关于“{name}”的投诉待处理，期限为 {on}。", "A complaint about “{name}” waits; it is due on {on}."},
	directory.NoteComplaintDue:         {"关于“{name}”的投诉临近或已超过期限（{on}），请督办。", "The deadline of a complaint about “{name}” ({on}) is near or past: please see to it."},
	directory.NoteComplaintAccepted:    {"您对“{name}”的投诉已受理，将在 {on} 前办结。", "Your complaint about “{name}” was accepted; it is to be settled by {on}."},
	directory.NoteComplaintRefused:     {"您对“{name}”的投诉不予受理：{text}", "Your complaint about “{name}” was not accepted: {text}"},
	directory.NoteComplaintAsked:       {"请补充您对“{name}”的投诉：{text}", "Please say more about your complaint about “{name}”: {text}"},
	directory.NoteComplaintAnswered:    {"机构已答复您对“{name}”的投诉。", "The firm has answered your complaint about “{name}”."},
	directory.NoteComplaintTransferred: {"您对“{name}”的投诉已转由其他部门或地区处理。", "Your complaint about “{name}” was handed to another bureau or region."},
	directory.NoteComplaintAsksSolved:  {"您投诉的“{name}”的问题解决了吗？请回答。", "Is the problem with “{name}” that you complained about gone? Please answer."},
	directory.NoteComplaintResolved:    {"关于“{name}”的投诉已解决。", "The complaint about “{name}” is resolved."},
	directory.NoteComplaintUnresolved:  {"关于“{name}”的投诉未达成一致。", "No agreement was reached about the complaint about “{name}”."},
	directory.NoteComplaintClosed:      {"关于“{name}”的投诉已结案。", "The complaint about “{name}” is closed."},
	directory.NoteComplaintHandedOver:  {"关于“{name}”的投诉已移交12315，编号 {reference}。", "The complaint about “{name}” was handed over to 12315 under {reference}."},
	directory.NoteComplaintDuplicate:   {"关于“{name}”的投诉与另一件重复，由那一件继续处理。", "The complaint about “{name}” is a duplicate: the other one goes on."},
	directory.NoteComplaintReceived:    {"有一件关于“{name}”的投诉，请在 {on} 前答复。", "There is a complaint about “{name}”: please answer by {on}."},
	directory.NoteComplaintAnswerDue:   {"关于“{name}”的投诉尚未答复，期限为 {on}。", "A complaint about “{name}” has no answer yet; it is due on {on}."},
	directory.NoteComplaintReopened:    {"关于“{name}”的投诉重新处理，请在 {on} 前答复。", "The complaint about “{name}” was reopened: please answer by {on}."},
	directory.NoteComplaintWithdrawn:   {"关于“{name}”的投诉已由投诉人撤回。", "The complaint about “{name}” was withdrawn."},

	directory.NoteAPIKeyExpires: {"部门间共享密钥“{name}”将于 {on} 到期，请及时换发。", "The API key “{name}” expires on {on}: make another in time."},

	directory.NoteReturnsOpen:    {"请在 {on} 前报送 {month} 的{form_name}：{name}（共 {n} 份）。", "{form_name}, {month}: please report by {on}: {name} ({n} in all)."},
	directory.NoteReturnsDue:     {"{month} 的{form_name}即将截止（{on}），尚未报送：{name}（共 {n} 份）。", "{form_name}, {month}: due on {on} and not here yet: {name} ({n} in all)."},
	directory.NoteReturnsOverdue: {"{month} 的{form_name}已过期限（{on}），请尽快补报：{name}（共 {n} 份）。", "{form_name}, {month}: was due on {on}, please report it: {name} ({n} in all)."},
	directory.NoteReturnsMissing: {"{month} 的{form_name}已截止，{region_name}还有 {n} 份未报。", "{form_name}, {month}: the deadline is past, and {n} of {region_name} are missing."},
	directory.NoteReturnReturned: {"“{name}”{month} 的{form_name}被退回：{reason}", "{form_name}, {month}, “{name}” was sent back: {reason}"},

	directory.NoteBulletinDrafted: {"{name}公报草稿已生成（{bulletin}），请核对后发布。", "The draft of the bulletin of {name} ({bulletin}) is there: please check and publish it."},

	directory.NoteErasure: {"账户将于 {on} 删除，在此之前登录可以撤销。", "Your account will be erased on {on}; sign in before that to call it off."},
}

// fieldMessages explains the codes of a wrong field; %s is the limit.
var fieldMessages = map[string]text{
	directory.CodeRequired:  {"不能缺少。", "This is required."},
	directory.CodeUnknown:   {"没有这个参数。", "There is no such parameter."},
	directory.CodeFormat:    {"格式不对，正确的写法如：%s。", "Not of the right form, which is like: %s."},
	directory.CodeValue:     {"不是允许的值，可用的值见：%s。", "Not an allowed value, which are: %s."},
	directory.CodeTooSmall:  {"不能小于 %s。", "Must be at least %s."},
	directory.CodeTooLarge:  {"不能大于 %s。", "Must be at most %s."},
	directory.CodeTooLong:   {"不能多于 %s 个字符或项目。", "Must have at most %s characters or items."},
	directory.CodeTooShort:  {"不能少于 %s 个字符或项目。", "Must have at least %s characters or items."},
	directory.CodeDuplicate: {"只能出现一次。", "May be given only once."},
	directory.CodeNeeds:     {"需要同时给出 %s。", "Needs %s as well."},
	directory.CodeUnfit:     {"含有不宜公开的词语：%s。", "Holds words that are not fit for the public: %s."},
	sheets.CodeAmbiguous:    {"可能是其中几个，请写明：%s。", "Could be several, say which: %s."},
	directory.CodeMismatch:  {"与其他条件不符：%s。", "Does not go together with: %s."},
}

// badForm is the message of CodeFormat without a limit, and noField that of
// CodeUnknown in a body.
var (
	badForm = text{"格式不对。", "Not of the right form."}
	noField = text{"没有这个字段。", "There is no such field."}
)

// startAnew is the message of CodeMismatch for a cursor of changes.
var startAnew = text{
	"这个游标不属于本服务器现有的数据、这个地区或坐标系：请不带 since 从头开始，并放弃原有的副本。",
	"This cursor is not of the data that this server has, or not of this region and datum: start anew without since, and drop the copy.",
}

// narrower is the message of CodeTooLong for more rows than one answer holds; %s is how many.
var narrower = text{
	"超过 %s 行：请缩短起止月份，或选择较小的地区。",
	"There are more than %s rows: choose fewer months or a smaller region.",
}

// unexplained is the message of CodeRequired for why a reported figure is far from
// that of the month before, which is the limit.
var unexplained = text{"与上月的 %s 相差较大，请说明原因。", "It is far from %s, the value of the month before: say why."}

func fieldMessage(f directory.FieldError, lang string) string {
	switch {
	case f.Code == directory.CodeFormat && f.Limit == "":
		return badForm.in(lang)
	case f.Code == directory.CodeUnknown && f.Pointer != "":
		return noField.in(lang)
	case f.Code == directory.CodeMismatch && f.Parameter == "since":
		return startAnew.in(lang)
	case f.Code == directory.CodeTooLong && f.Parameter == "from, to, region":
		return strings.ReplaceAll(narrower.in(lang), "%s", f.Limit)
	case f.Code == directory.CodeRequired && f.Limit != "" && strings.HasPrefix(f.Pointer, "/explanations/"):
		return strings.ReplaceAll(unexplained.in(lang), "%s", f.Limit)
	}
	return strings.ReplaceAll(fieldMessages[f.Code].in(lang), "%s", f.Limit)
}

// Explain says in Chinese what is wrong with a field, for files.
func Explain(f directory.FieldError) string { return fieldMessage(f, "zh") }

// heicDetail says what to do with the photos of an iPhone.
var heicDetail = text{
	"这是 HEIC 照片，这里读不了。请另存为 JPEG 后上传；iPhone 也可在“设置 → 相机 → 格式”中选“兼容性最佳”后重拍。",
	"This is a HEIC photo, which cannot be read here. Save it as JPEG first, or let the iPhone take JPEG: Settings → Camera → Formats → Most Compatible.",
}

// detail says more about an error than its title, or "".
func detail(e *directory.Error, lang string) string {
	switch {
	case e.Kind == directory.Invalid && e.What == photos.WhatHEIC:
		return heicDetail.in(lang)
	case e.Kind == directory.Invalid && len(e.Fields) > 0:
		if lang == "en" {
			return fmt.Sprintf("To be corrected: %d.", len(e.Fields))
		}
		return fmt.Sprintf("有 %d 处需要改正。", len(e.Fields))
	case e.Kind == directory.NotFound:
		return missing[e.What].in(lang)
	case e.Kind == directory.Unauthenticated:
		return unauthenticated[e.What].in(lang)
	case e.Kind == directory.Conflict:
		return conflicts[e.What].in(lang)
	case e.Kind == directory.RateLimited:
		if lang == "en" {
			return fmt.Sprintf("Try again in %s s.", seconds(e.RetryAfter))
		}
		return fmt.Sprintf("请在 %s 秒后再试。", seconds(e.RetryAfter))
	default:
		return ""
	}
}

// languages are those of names; messages have the first two.
var languages = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English, language.MustParse("bo")})

// acceptedLanguage returns the language of names that a client asks for: zh, en
// or bo.
func acceptedLanguage(header string) string {
	// Most headers begin with their favourite; reading them in full takes longer
	// than a search.
	first, _, _ := strings.Cut(header, ",")
	if !strings.Contains(first, ";") {
		switch base, _, _ := strings.Cut(first, "-"); base {
		case "", "zh":
			return "zh"
		case "en":
			return "en"
		}
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return "zh"
	}
	switch _, i, confidence := languages.Match(tags...); {
	case confidence < language.High: // something that merely resembles
		return "zh"
	case i == 1:
		return "en"
	case i == 2:
		return "bo"
	default:
		return "zh"
	}
}

// messageLanguage returns the language of messages: zh or en.
func messageLanguage(c *fiber.Ctx) string {
	lang := c.Query("lang")
	if lang != "zh" && lang != "en" && lang != "bo" {
		lang = acceptedLanguage(c.Get(fiber.HeaderAcceptLanguage))
	}
	if lang == "bo" {
		return "zh"
	}
	return lang
}
