package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

// firm returns an organization without fault.
func firm() directory.Organization {
	return directory.Organization{
		ID: shop, CreditCode: realCodes[0], LegalName: "湟水养老服务有限公司", Region: ledu, Address: "碾伯镇1号", ContactName: "卓玛",
		Documents: []string{strings.Repeat("a", 64)},
	}
}

// wrongFields returns the fields of an Invalid error about a thing.
func wrongFields(t *testing.T, err error, what string) (out []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *directory.Error
	if !errors.As(err, &e) || e.Kind != directory.Invalid || e.What != what {
		t.Fatalf("%v is not Invalid about %s", err, what)
	}
	for _, f := range e.Fields {
		out = append(out, f.String())
	}
	return out
}

func TestOrganizationValidate(t *testing.T) {
	regions := realRegions(t)
	const levels = " unknown_value (/v1/regions?level=1, 2, 3)"
	for what, tt := range map[string]struct {
		change func(*directory.Organization)
		want   []string
	}{
		"good":                   {func(o *directory.Organization) {}, nil},
		"least":                  {func(o *directory.Organization) { o.Address, o.Documents = "", nil }, nil},
		"wrong check characters": {func(o *directory.Organization) { o.CreditCode = "913301007996550580" }, nil},
		"of the province":        {func(o *directory.Organization) { o.Region = province }, nil},
		"demonstration":          {func(o *directory.Organization) { o.LegalName, o.Demo = "示例·养老院", true }, nil},
		"no code":                {func(o *directory.Organization) { o.CreditCode = "" }, []string{"/credit_code bad_format (91630102000000000A)"}},
		"a licence number":       {func(o *directory.Organization) { o.CreditCode = "630102000000001" }, []string{"/credit_code bad_format (91630102000000000A)"}},
		"no name":                {func(o *directory.Organization) { o.LegalName = " " }, []string{"/legal_name required"}},
		"a demonstration's name": {func(o *directory.Organization) { o.LegalName = "示例·养老院" }, []string{"/legal_name mismatch (/demo)"}},
		"no region":              {func(o *directory.Organization) { o.Region = "" }, []string{"/region required"}},
		"a street":               {func(o *directory.Organization) { o.Region = nianbo }, []string{"/region" + levels}},
		"a region that is none":  {func(o *directory.Organization) { o.Region = "110000" }, []string{"/region" + levels}},
		"a photo that is none":   {func(o *directory.Organization) { o.Documents = []string{"licence.jpg"} }, []string{"/documents/0 bad_format"}},
		"a photo twice":          {func(o *directory.Organization) { o.Documents = append(o.Documents, o.Documents[0]) }, []string{"/documents/1 duplicate"}},
		"too many photos":        {func(o *directory.Organization) { o.Documents = make([]string, 11) }, []string{"/documents too_long (10)"}},
		"everything at once": {func(o *directory.Organization) {
			*o = directory.Organization{Address: strings.Repeat("长", 201), ContactName: strings.Repeat("长", 41)}
		}, []string{"/credit_code bad_format (91630102000000000A)", "/legal_name required", "/region required", "/address too_long (200)", "/contact_name too_long (40)"}},
	} {
		o := firm()
		tt.change(&o)
		if got := wrongFields(t, o.Validate(regions), "organization"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", what, got, tt.want)
		}
	}
}

func TestContactPhone(t *testing.T) {
	for text, want := range map[string][2]string{
		"13800138000":       {"13800138000", "138****8000"},
		"+86 138-0013-8000": {"13800138000", "138****8000"},
		"0971-1234567":      {"0971-1234567", "097****4567"},
		"010 12345678":      {"01012345678", "010****5678"},
		"0971-1234567-801":  {"0971-1234567-801", "097****-801"},
		"400-123-4567":      {"400-123-4567", "400****4567"},
	} {
		phone, ok := directory.ParseContactPhone(text)
		if !ok || phone != want[0] || directory.MaskContactPhone(phone) != want[1] {
			t.Errorf("%q is %q, %t, masked %q", text, phone, ok, directory.MaskContactPhone(phone))
		}
	}
	for _, text := range []string{"", "12345", "1380013800", "971-1234567", "0971-123456", "无", "13800138000 13800138001", "+86"} {
		if phone, ok := directory.ParseContactPhone(text); ok {
			t.Errorf("%q is taken for %q", text, phone)
		}
	}
	if got := directory.MaskContactPhone("1234567"); got != "****" {
		t.Errorf("a short number is shown as %q", got)
	}
}

func TestRegisteredElsewhere(t *testing.T) {
	regions := realRegions(t)
	for _, tt := range []struct {
		code, seat string
		want       bool
	}{
		{"630202", ledu, false},
		{"632123", ledu, false}, // as it was called before 2013
		{"630200", ledu, false}, // registered with the prefecture
		{"630000", ledu, false}, // or the province
		{"630202", haidong, false},
		{"630203", ledu, true},
		{"630100", ledu, true},
		{"330100", ledu, true}, // another province
		{"100000", ledu, true}, // the country
	} {
		o := firm()
		o.CreditCode, o.Region = directory.CreditCode("91"+tt.code+"MA0000000A"), tt.seat
		if got := o.RegisteredElsewhere(regions); got != tt.want {
			t.Errorf("a code of %s and a seat in %s: %t", tt.code, tt.seat, got)
		}
	}
}

func TestOrganizationMatches(t *testing.T) {
	o := firm()
	o.LegalName = "湟水 ABC 养老"
	for text, want := range map[string]bool{
		"养老": true, " abc ": true, "9133": true, "058b": true, "9133 0100": true, "护理": false, "9144": false, "-": false, "８Ｂ": true,
	} {
		if got := o.Matches(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

func TestCheckDecision(t *testing.T) {
	long := strings.Repeat("长", 1001)
	for _, tt := range []struct {
		refused bool
		reason  string
		want    []string
	}{
		{false, "", nil}, {false, "看过证照", nil}, {true, "证照\n不清晰", nil},
		{true, " \n", []string{"/reason required"}}, {true, "", []string{"/reason required"}},
		{false, long, []string{"/reason too_long (1000)"}}, {true, "\x00", []string{"/reason bad_format (UTF-8 without control characters)"}},
	} {
		if got := wrongFields(t, directory.CheckDecision(tt.refused, tt.reason), "decision"); !slices.Equal(got, tt.want) {
			t.Errorf("refused %t for %.10q: %q, want %q", tt.refused, tt.reason, got, tt.want)
		}
	}
}

// TestWhoLooksAfterAnOrganization holds who covers an organization and a claim.
func TestWhoLooksAfterAnOrganization(t *testing.T) {
	regions := realRegions(t)
	o := firm()
	claim := directory.Claim{Organization: o.ID, Region: o.Region}
	everybody := directory.Permission{Roles: []directory.Role{directory.Owner, directory.Staff, directory.Official, directory.Admin}, Power: directory.ReviewPower}
	review, certify := []directory.Power{directory.ReviewPower}, []directory.Power{directory.CertifyPower}
	for what, tt := range map[string]struct {
		grant        directory.Grant
		firm, claims bool
	}{
		"its owner":         {directory.Grant{Role: directory.Owner, Organization: shop}, true, false},
		"its staff":         {directory.Grant{Role: directory.Staff, Organization: shop}, true, false},
		"another's owner":   {directory.Grant{Role: directory.Owner, Organization: other}, false, false},
		"the county":        {directory.Grant{Role: directory.Official, Bureau: directory.MarketRegulation, Region: ledu, Powers: review}, true, true},
		"the province":      {directory.Grant{Role: directory.Official, Bureau: directory.MarketRegulation, Region: province, Powers: review}, true, true},
		"the county beside": {directory.Grant{Role: directory.Official, Bureau: directory.MarketRegulation, Region: pingan, Powers: review}, false, false},
		"another bureau":    {directory.Grant{Role: directory.Official, Bureau: directory.CivilAffairs, Region: ledu, Powers: review}, false, false},
		"without the power": {directory.Grant{Role: directory.Official, Bureau: directory.MarketRegulation, Region: ledu, Powers: certify}, false, false},
		"the administrator": {directory.Grant{Role: directory.Admin}, true, true},
	} {
		c := directory.Caller{Account: ann, SecondFactor: true, Grants: []directory.Grant{tt.grant}}
		if got := c.Covers(everybody, o.Scope(), regions) == nil; got != tt.firm {
			t.Errorf("%s and the organization: %t", what, got)
		}
		if got := c.Covers(everybody, claim.Scope(), regions) == nil; got != tt.claims {
			t.Errorf("%s and a claim on it: %t", what, got)
		}
	}
}

func TestUnsettled(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	settled := firm()
	settled.State, settled.DecidedAt, settled.CreatedBy = directory.OrganizationVerified, &at, ann
	if settled.Unsettled() {
		t.Error("nothing is left to do, but it counts as unsettled")
	}
	for what, change := range map[string]func(*directory.Organization){
		"no owner yet": func(o *directory.Organization) { o.Ownerless = true },
		"leaving":      func(o *directory.Organization) { o.Leaving = []directory.Leaving{{Grant: "g"}} },
		"untold":       func(o *directory.Organization) { o.Untold = true },
		"moved":        func(o *directory.Organization) { o.Moved = true },
	} {
		o := settled
		change(&o)
		if !o.Unsettled() || o.Leaves("g") != (what == "leaving") || o.Leaves("h") {
			t.Errorf("%s: %t", what, o.Unsettled())
		}
	}
}
