package seed

import "qingfu/directory"

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
		{"10000000009", "示例管理员", demoSecret, []directory.Grant{{Role: directory.Admin}}},
	}
}
