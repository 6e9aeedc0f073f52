package handlers

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/search"
)

// termView is a code with its names in an answer.
type termView struct {
	Code  string          `json:"code"`
	Name  string          `json:"name"`
	Names directory.Names `json:"names"`
}

func viewTerm(t directory.Term, lang string) termView {
	return termView{t.Code, t.Names.In(lang), t.Names}
}

func viewTerms(terms []directory.Term, lang string) []termView {
	views := make([]termView, len(terms))
	for i, t := range terms {
		views[i] = viewTerm(t, lang)
	}
	return views
}

// refOf names a code of a vocabulary; it is one.
func refOf(terms []directory.Term, code, lang string) search.TermRef {
	i := slices.IndexFunc(terms, func(t directory.Term) bool { return t.Code == code })
	return search.NewTermRef(terms[i], lang)
}

// kindView is a kind with its categories.
type kindView struct {
	termView
	Categories []termView `json:"categories"`
}

func (a *api) listCategories(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	return sendSlow(c, a.vocabulary[in.lang])
}

// renderVocabularies makes the answers of listCategories, by language.
func renderVocabularies() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, lang := range []string{"zh", "en", "bo"} {
		kinds := make([]kindView, len(directory.Kinds))
		for i, k := range directory.Kinds {
			kinds[i] = kindView{viewTerm(k, lang), []termView{}}
			for _, c := range directory.Categories {
				if string(c.Kind) == k.Code {
					kinds[i].Categories = append(kinds[i].Categories, viewTerm(c.Term, lang))
				}
			}
		}
		body, err := toJSON(struct {
			Kinds               []kindView  `json:"kinds"`
			Features            []termView  `json:"features"`
			Badges              []termView  `json:"badges"`
			Units               []termView  `json:"units"`
			Levels              []levelView `json:"levels"`
			Aspects             []termView  `json:"aspects"`
			RatingRules         []termView  `json:"rating_rules"`
			RatingReportReasons []termView  `json:"rating_report_reasons"`
		}{
			kinds, viewTerms(directory.Features, lang), viewTerms(directory.Badges, lang), viewTerms(directory.Units, lang),
			viewLevels(lang), viewTerms(directory.Aspects, lang), viewTerms(directory.RatingRuleTerms, lang), viewTerms(directory.RatingReportReasons, lang),
		})
		if err != nil {
			return nil, err
		}
		out[lang] = body
	}
	return out, nil
}
