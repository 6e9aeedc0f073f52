package handlers

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"qingfu/directory"
)

// TestRefusalsNameTheField: whatever is wrong with a request is named where the
// caller wrote it, also when a rule found it that the contract does not know.
func TestRefusalsNameTheField(t *testing.T) {
	f := newFixture(t, nil)
	const organization, nobody = "01a192b0-7400-7000-8000-0000000000f1", "01a192b0-7400-7000-8000-0000000000f9"
	home := f.proposed(t, organization, "630202")
	member := f.as(t, directory.Grant{Role: directory.Owner, Organization: organization})
	admin := f.as(t, admin)
	resident := f.as(t)
	forged := func(operation, position string) string { // a cursor of a list with a position that may be another's
		in := &input{op: f.api.operations[operation]}
		return "?cursor=" + string(appendCursor(nil, in.queryHash(), position))
	}
	for _, s := range []struct {
		name, method, path, body string
		headers                  []string
		fields                   []string
	}{
		{"more beds than there are", "PUT", "/v1/listings/" + home + "/vacancies", `{"beds_occupied":61}`, member, []string{"/beds_occupied"}},
		{"a role in an organization that is not there", "POST", "/v1/grants", `{"phone":"12345678901","role":"owner","organization":"` + nobody + `"}`, admin, []string{"/phone", "/organization"}},
		{"a name that nobody sees", "POST", "/v1/organizations",
			`{"credit_code":"91630202MA75XXXX0","legal_name":"\u200b\u200b","region":"630202","contact_name":"\u200d","contact_phone":"0972-1234567"}`, resident,
			[]string{"/credit_code", "/legal_name", "/contact_name"}},
		{"a cursor of another list", "GET", "/v1/grants" + forged("listAudit", `{"id":"a"}`), "", admin, []string{"cursor"}},
		{"a position without its value", "GET", "/v1/reviews" + forged("listReviews", `{"id":"a"}`), "", admin, []string{"cursor"}},
		{"a position with a value too many", "GET", "/v1/audit" + forged("listAudit", `{"n":5,"id":"a"}`), "", admin, []string{"cursor"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			a := f.request(t, s.method, s.path, s.body, s.headers...)
			if a.StatusCode != 400 {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			var got []string
			for _, e := range decode[struct {
				Errors []struct{ Pointer, Parameter string }
			}](t, a).Errors {
				got = append(got, e.Pointer+e.Parameter)
			}
			if !slices.Equal(got, s.fields) {
				t.Errorf("it names %v, want %v", got, s.fields)
			}
		})
	}
	// A form that is cut off is no file either, and the answer says of which path.
	req := httptest.NewRequest("POST", "/v1/photos?organization="+organization+"&purpose=listing", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nab"))
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	if a := send(t, f.app, req, member...); a.StatusCode != 415 || !strings.Contains(string(a.body), `"instance":"/v1/photos"`) {
		t.Errorf("a form that is cut off: %d %s", a.StatusCode, a.body)
	}
}
