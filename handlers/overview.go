package handlers

import (
	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/statistics"
)

// reportingView is how much of a form has been reported for a month.
type reportingView struct {
	Form      search.TermRef  `json:"form"`
	Month     directory.Month `json:"month"`
	Expected  int             `json:"expected"`
	Submitted int             `json:"submitted"` // waiting for an official
	Approved  int             `json:"approved"`
	Late      int             `json:"late"`
	Missing   int             `json:"missing"`
	// First are the names of some that are missing, the first by their subjects.
	First []string `json:"first"`
}

// maxFirstMissing is how many of those who are missing an overview names.
const maxFirstMissing = 10

// getOverview answers the questions with which an official begins the day: which parts
// of the region meet the target and how sure that is, what would settle it, how the
// other figures stand, and who has not reported.
func (a *api) getOverview(c *fiber.Ctx, in *input) error {
	q := a.readSatisfaction(in)
	q.By = statistics.ByRegion
	if err := in.err(); err != nil {
		return err
	}
	table, err := a.satisfaction(c, in, q)
	if err != nil {
		return err
	}
	indicators, err := a.Statistics.Indicators(c.UserContext(), q.Region, true)
	if err != nil {
		return err
	}
	reporting, err := a.reporting(c, in, q.Region)
	if err != nil {
		return err
	}
	return sendTaggedJSON(c, struct {
		Satisfaction satisfactionView   `json:"satisfaction"`
		Indicators   indicatorTableView `json:"indicators"`
		Reporting    []reportingView    `json:"reporting"`
		DemoData     bool               `json:"demo_data,omitempty"`
	}{a.viewSatisfaction(&table, in.lang), a.viewIndicators(&indicators, nil, in.lang), reporting, a.DemoData()})
}

// reporting tells what has been reported within a region for the last month, of the forms
// that the caller may see; there are none for the public.
func (a *api) reporting(c *fiber.Ctx, in *input, region string) ([]reportingView, error) {
	out := []reportingView{}
	if in.text("view") == "public" {
		return out, nil
	}
	for i := range directory.ReturnForms {
		form := &directory.ReturnForms[i]
		found, err := a.Statistics.MissingReturns(c.UserContext(), in.caller, in.permission, form, a.Statistics.LastMonth(), region)
		if directory.KindOf(err) == directory.Forbidden {
			continue
		}
		if err != nil {
			return nil, err
		}
		v := reportingView{
			Form: search.NewTermRef(form.Term, in.lang), Month: found.Month, Expected: found.Expected, Submitted: found.Submitted,
			Approved: found.Approved, Late: found.Late, Missing: len(found.Missing), First: []string{},
		}
		first, err := a.viewMissing(c.UserContext(), in, found.Missing[:min(len(found.Missing), maxFirstMissing)])
		if err != nil {
			return nil, err
		}
		for _, m := range first {
			v.First = append(v.First, m.Subject.Name)
		}
		out = append(out, v)
	}
	return out, nil
}
