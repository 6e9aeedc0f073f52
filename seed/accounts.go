package seed

import (
	"time"

	"qingfu/directory"
)

// Account is a demonstration account.
type Account struct {
	Phone string // a number that no operator assigns
	Name  string
	// Secret is that of the authenticator app, in base32, for roles that need one.
	Secret string
	Grants []directory.Grant
}

// demoOrganization is the organization that the demonstration accounts of a
// business belong to.
const demoOrganization = "01a192b0-7400-7000-8000-000000000001"

// DemoOrganization returns that organization without its contact phone, which is
// beside it in clear. The organization code in the middle of its credit code is
// all zeros, so that it can be nobody's.
func DemoOrganization() (o directory.Organization, phone string) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, directory.Shanghai).UTC()
	return directory.Organization{
		ID: demoOrganization, CreditCode: "91630102000000000A", CodeValid: true, LegalName: "示例·湟水养老服务有限公司", Region: "630102",
		Address: "示例路1号", ContactName: "示例联系人", State: directory.OrganizationVerified, DecidedAt: &at,
		Demo: true, CreatedAt: at, UpdatedAt: at,
	}, "10000000002"
}

// demoSecret is no secret: these accounts exist on development servers only.
const demoSecret = "QINGFUDEMOQINGFUDEMOQINGFUDEMO23"

// DemoAccounts returns one account for each role.
func DemoAccounts() []Account {
	return []Account{
		{"10000000001", "示例居民", "", nil},
		{"10000000002", "示例机构负责人", "", []directory.Grant{{Role: directory.Owner, Organization: demoOrganization}}},
		{"10000000003", "示例机构工作人员", "", []directory.Grant{{Role: directory.Staff, Organization: demoOrganization}}},
		{"10000000004", "示例海东民政", demoSecret, []directory.Grant{{
			Role: directory.Official, Bureau: directory.CivilAffairs, Region: "630200",
			Powers: []directory.Power{directory.ReviewPower, directory.ComplaintsPower, directory.CertifyPower},
		}}},
		{"10000000005", "示例省商务", demoSecret, []directory.Grant{{
			Role: directory.Official, Bureau: directory.Commerce, Region: "630000",
			Powers: []directory.Power{directory.ReviewPower, directory.ComplaintsPower, directory.StatisticsPower, directory.PublishPower},
		}}},
		{"10000000006", "示例省市监", demoSecret, []directory.Grant{{
			Role: directory.Official, Bureau: directory.MarketRegulation, Region: "630000",
			Powers: []directory.Power{directory.ReviewPower},
		}}},
		{"10000000009", "示例管理员", demoSecret, []directory.Grant{{Role: directory.Admin}}},
	}
}
