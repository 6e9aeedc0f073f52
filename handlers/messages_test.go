package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"qingfu/directory"
)

// The contract, the statuses and the messages must name the same codes.
func TestCodesAreTheContract(t *testing.T) {
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	enum := func(s *openapi3.Schema) (out []string) {
		for _, v := range s.Enum {
			out = append(out, v.(string))
		}
		slices.Sort(out)
		return out
	}
	keys := func(m map[string]text) (out []string) {
		for k, v := range m {
			out = append(out, k)
			if v.zh == "" || v.en == "" {
				t.Errorf("%s lacks a language", k)
			}
		}
		slices.Sort(out)
		return out
	}
	codes := func(terms []directory.Term) (out []string) {
		for _, term := range terms {
			out = append(out, term.Code)
		}
		slices.Sort(out)
		return out
	}
	schemas := doc.Components.Schemas
	for _, tc := range []struct {
		name string
		spec *openapi3.Schema
		code []string
	}{
		{"problems", schemas["Problem"].Value.Properties["code"].Value, keys(titles)},
		{"fields", schemas["FieldError"].Value.Properties["code"].Value, keys(fieldMessages)},
		{"kinds", schemas["Kind"].Value, codes(directory.Kinds)},
		{"forms of returns", schemas["ReturnFormCode"].Value, formCodes()},
		{"units", schemas["Offering"].Value.Properties["unit"].Value, codes(directory.Units)},
	} {
		if got := enum(tc.spec); !slices.Equal(got, tc.code) {
			t.Errorf("%s: the contract has %v, the code %v", tc.name, got, tc.code)
		}
	}
	for kind := range statuses {
		if _, ok := titles[string(kind)]; !ok {
			t.Errorf("%s has no title", kind)
		}
	}
	for _, code := range transportCodes {
		if _, ok := titles[code]; !ok {
			t.Errorf("%s has no title", code)
		}
	}
}

// formCodes are the codes of the forms of reported figures.
func formCodes() (out []string) {
	for _, f := range directory.ReturnForms {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return out
}

func TestFail(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct {
		err    error
		status int
		code   string
	}{
		{directory.Missing("listing"), 404, "not_found"},
		{fmt.Errorf("while reading: %w", directory.Missing("region")), 404, "not_found"},
		{&directory.Error{Kind: directory.Unauthenticated}, 401, "unauthenticated"},
		{&directory.Error{Kind: directory.Forbidden}, 403, "forbidden"},
		{&directory.Error{Kind: directory.Conflict}, 409, "conflict"},
		{&directory.Error{Kind: directory.Precondition}, 412, "precondition"},
		{&directory.Error{Kind: directory.RateLimited}, 429, "rate_limited"},
		{&directory.Error{Kind: directory.Unavailable, Cause: errors.New("hunter2")}, 503, "unavailable"},
		{fmt.Errorf("sqlite: %w", context.DeadlineExceeded), 503, "unavailable"},
		{errors.New("hunter2"), 500, "internal"},
		{fiber.NewError(418, "hunter2"), 500, "internal"},
	} {
		c := f.app.AcquireCtx(&fasthttp.RequestCtx{})
		f.api.begin(c)
		if err := f.api.fail(c, tc.err); err != nil {
			t.Fatal(err)
		}
		body := string(c.Response().Body())
		if c.Response().StatusCode() != tc.status || !strings.Contains(body, `"code":"`+tc.code+`"`) || strings.Contains(body, "hunter2") {
			t.Errorf("%v: %d %s", tc.err, c.Response().StatusCode(), body)
		}
		f.app.ReleaseCtx(c)
	}
}

func TestAcceptedLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"":                                 "zh",
		"zh-CN,zh;q=0.9,en;q=0.8":          "zh",
		"zh-Hant-TW":                       "zh",
		"en":                               "en",
		"en-US,en;q=0.5":                   "en",
		"en;q=0.2,zh;q=0.9":                "zh",
		"bo-CN, zh;q=0.5":                  "bo",
		"fr, en;q=0.3":                     "en",
		"fr":                               "zh",
		"*":                                "zh",
		";;;,,\x00":                        "zh",
		strings.Repeat("en;q=0.1,", 1_000): "en",
	} {
		if got := acceptedLanguage(header); got != want {
			t.Errorf("%.60q: %s, want %s", header, got, want)
		}
	}
}
