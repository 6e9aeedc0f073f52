package directory

import (
	"strings"
	"unicode"
)

// CreditCode is a unified social credit code (统一社会信用代码, GB 32100-2015): 18
// characters, of which the first two say who registered the organization and
// what it is, the next six where, the next nine are its organization code
// (GB 11714) and the last is a check.
type CreditCode string

// creditAlphabet is the digits of a code: no I, O, S, V or Z.
const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// creditWeights are those of GB 32100-2015, 5.2; agencyWeights those of GB 11714-1997.
var (
	creditWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	agencyWeights = [8]int{3, 7, 9, 10, 5, 8, 4, 2}
)

// ParseCreditCode reads a code as people write it: with spaces, hyphens, small
// letters and the wide characters of a Chinese keyboard or without. ok tells
// whether it has the form of one; whether its checks hold is asked of
// [CreditCode.Valid].
func ParseCreditCode(text string) (code CreditCode, ok bool) {
	code = CreditCode(strings.ToUpper(strings.Map(func(r rune) rune {
		const wide = '！' - '!' // how far the wide characters are from those of ASCII
		switch {
		case r >= '！' && r <= '～':
			r -= wide
		case unicode.IsSpace(r):
			return -1
		}
		if r == '-' {
			return -1
		}
		return r
	}, text)))
	if len(code) != 18 {
		return code, false
	}
	for i := range len(code) {
		if strings.IndexByte(creditAlphabet, code[i]) < 0 {
			return code, false
		}
	}
	for i := 2; i < 8; i++ {
		if code[i] < '0' || code[i] > '9' {
			return code, false
		}
	}
	return code, true
}

// Valid tells whether both check characters are right. Some codes that were
// given out by mistake are not, so that an organization is not refused for it.
func (c CreditCode) Valid() bool {
	if _, ok := ParseCreditCode(string(c)); !ok {
		return false
	}
	sum := 0
	for i, w := range creditWeights {
		sum += w * strings.IndexByte(creditAlphabet, c[i])
	}
	if c[17] != creditAlphabet[(31-sum%31)%31] {
		return false
	}
	// In the organization code letters count from A = 10, and 10 is written X.
	sum = 0
	for i, w := range agencyWeights {
		d := int(c[8+i] - '0')
		if c[8+i] >= 'A' {
			d = int(c[8+i]-'A') + 10
		}
		sum += w * d
	}
	return c[16] == "0123456789X0"[11-sum%11]
}

// OrganizationType is what an organization is by the first two characters of its code.
type OrganizationType string

// The types that the directory tells apart.
const (
	Enterprise       OrganizationType = "enterprise"         // 91 企业
	SoleTrader       OrganizationType = "sole_trader"        // 92 个体工商户
	Cooperative      OrganizationType = "cooperative"        // 93 农民专业合作社
	SocialGroup      OrganizationType = "social_group"       // 51 社会团体
	PrivateNonProfit OrganizationType = "private_nonprofit"  // 52 民办非企业单位
	Foundation       OrganizationType = "foundation"         // 53 基金会
	GovernmentBody   OrganizationType = "government"         // 11 机关
	PublicInstitute  OrganizationType = "public_institution" // 12 事业单位
	OtherType        OrganizationType = "other"
)

// OrganizationTypes are the types with their names.
var OrganizationTypes = []Term{
	term(string(Enterprise), "企业", "Enterprise"),
	term(string(SoleTrader), "个体工商户", "Sole trader"),
	term(string(Cooperative), "农民专业合作社", "Farmers' cooperative"),
	term(string(SocialGroup), "社会团体", "Social group"),
	term(string(PrivateNonProfit), "民办非企业单位", "Private non-profit"),
	term(string(Foundation), "基金会", "Foundation"),
	term(string(GovernmentBody), "机关", "Government body"),
	term(string(PublicInstitute), "事业单位", "Public institution"),
	term(string(OtherType), "其他", "Other"),
}

// Type returns what the organization of a code is.
func (c CreditCode) Type() OrganizationType {
	if len(c) < 2 {
		return OtherType
	}
	switch c[:2] {
	case "91":
		return Enterprise
	case "92":
		return SoleTrader
	case "93":
		return Cooperative
	case "51":
		return SocialGroup
	case "52":
		return PrivateNonProfit
	case "53":
		return Foundation
	case "11":
		return GovernmentBody
	case "12":
		return PublicInstitute
	}
	return OtherType
}

// retiredRegions are the divisions of Qinghai that live on in credit codes, which
// keep the code of the division that registered them, with those that they are now.
var retiredRegions = map[string]string{
	"630122": "630106", // 湟中县, a district since 2019
	"632321": "632301", // 同仁县, a city since 2020
	"632721": "632701", // 玉树县, a city since 2013
	"632121": "630203", // 平安县
	"632123": "630202", // 乐都县
	"632122": "630222", // 民和
	"632126": "630223", // 互助
	"632127": "630224", // 化隆
	"632128": "630225", // 循化
	"632100": "630200", // 海东地区, a city since 2013
	"632856": "632803", // 茫崖行政委员会
	"632858": "632803", // 冷湖行政委员会
}

// Region returns the code of the division where the organization was registered,
// as it is called today. It need not be one of Qinghai, nor one that exists.
func (c CreditCode) Region() string {
	if len(c) < 8 {
		return ""
	}
	code := string(c[2:8])
	if now, ok := retiredRegions[code]; ok {
		return now
	}
	return code
}

// OrganizationTypeTerm returns the names of a type of organization.
func OrganizationTypeTerm(t OrganizationType) (Term, bool) { return find(OrganizationTypes, string(t)) }
