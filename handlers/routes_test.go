package handlers

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"qingfu/directory"
)

func TestContractIsValid(t *testing.T) {
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
}

func TestRoutesAreTheContract(t *testing.T) {
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	var declared, served []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			declared = append(declared, method+" "+path+" "+op.OperationID)
		}
	}
	for _, r := range (&api{}).routes() {
		served = append(served, r.method+" "+r.path+" "+r.operation)
	}
	slices.Sort(declared)
	slices.Sort(served)
	if !slices.Equal(declared, served) {
		t.Errorf("the contract has\n%s\nand the routes are\n%s", strings.Join(declared, "\n"), strings.Join(served, "\n"))
	}
}

// Every operation must refuse what the contract does not know, which shows that
// none forgets to ask whether its input was right.
func TestEveryRouteChecksItsInput(t *testing.T) {
	f := newFixture(t, nil)
	admin, key := f.as(t, admin, owner), f.withKey(t, directory.MaxAPIKeyRate) // who may call everything between them
	for _, r := range (&api{}).routes() {
		path := strings.NewReplacer("{id}", f.listings[0].ID, "{code}", "630100", "{file}", "docs.js", "{size}", "thumb").Replace(r.path)
		if r.class == exporting {
			f.clock.Advance(limitWindow / (exportsByAccount - 1)) // because there are more than may be asked for in a minute
		}
		caller := admin
		if who(r.permission) == "API key" {
			caller = key
		}
		a := f.do(t, r.method, path+"?colour=red", caller...)
		if a.StatusCode != 400 || !strings.Contains(string(a.body), `"parameter":"colour","code":"unknown_field"`) {
			t.Errorf("%s %s: %d %s", r.method, path, a.StatusCode, a.body)
		}
	}
}
