package handlers

import (
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestPagesAreServed(t *testing.T) {
	f := newFixture(t, nil)
	for path, contentType := range map[string]string{
		"/rate": "text/html; charset=utf-8", "/docs/rate.js": "text/javascript; charset=utf-8", "/docs/rate.css": "text/css; charset=utf-8",
		"/stats": "text/html; charset=utf-8", "/docs/stats.js": "text/javascript; charset=utf-8", "/docs/stats.css": "text/css; charset=utf-8",
	} {
		a := f.get(t, path)
		if got := a.Header.Get("Content-Type"); a.StatusCode != 200 || got != contentType {
			t.Errorf("%s: %d %s, want %s", path, a.StatusCode, got, contentType)
		}
		policy := a.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q has no %s", path, policy, part)
			}
		}
		if again := f.get(t, path, "If-None-Match", a.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%s again: %d, want 304", path, again.StatusCode)
		}
	}
}

// The elements of HTML that have no end.
var voidElements = []string{"meta", "link", "input", "br", "img", "hr"}

// markup is what of an HTML file has to fit together.
type markup struct {
	ids, labelled, controls, files []string
}

// readPage reads a page and reports what is not well formed, or no page may have.
func readPage(t *testing.T, name, text string) (p markup) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.Entity = false, xml.HTMLEntity
	var open []string
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			tag := e.Name.Local
			if !slices.Contains(voidElements, tag) {
				open = append(open, tag)
			}
			if tag == "style" {
				t.Errorf("%s has styles of its own", name)
			}
			id, src := "", ""
			for _, a := range e.Attr {
				switch {
				case a.Name.Local == "id":
					id = a.Value
					if slices.Contains(p.ids, id) {
						t.Errorf("%s has the id %s twice", name, id)
					}
					p.ids = append(p.ids, id)
				case tag == "label" && a.Name.Local == "for":
					p.labelled = append(p.labelled, a.Value)
				case tag == "script" && a.Name.Local == "src", tag == "link" && a.Name.Local == "href" && a.Value != "data:,":
					src = a.Value
					p.files = append(p.files, src)
				case strings.HasPrefix(a.Name.Local, "on"):
					t.Errorf("%s has a script in %s of <%s>", name, a.Name.Local, tag)
				}
			}
			if tag == "script" && src == "" {
				t.Errorf("%s has a script of its own", name)
			}
			if (tag == "input" || tag == "select" || tag == "textarea") && id != "" {
				p.controls = append(p.controls, id)
			}
			if tag == "th" && !slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == "scope" }) {
				t.Errorf("%s has a <th> without scope", name)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Fatalf("%s: </%s> ends %q", name, e.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s leaves %q open", name, open)
	}
	return p
}

var elementsUsed = regexp.MustCompile(`element\('([^']+)'\)`)

func TestPagesFitTogether(t *testing.T) {
	for _, name := range []string{"rate", "stats"} {
		html, script := docsText(t, name+".html"), docsText(t, name+".js")
		p := readPage(t, name+".html", html)
		if want := []string{"/docs/" + name + ".css", "/docs/" + name + ".js"}; !slices.Equal(p.files, want) {
			t.Errorf("%s.html uses %q, want %q", name, p.files, want)
		}
		used := elementsUsed.FindAllStringSubmatch(script, -1)
		if len(used) == 0 {
			t.Errorf("%s.js uses no element", name)
		}
		for _, m := range used {
			if !slices.Contains(p.ids, m[1]) {
				t.Errorf("%s.js uses the element %s, which is not in the page", name, m[1])
			}
		}
		for _, id := range p.labelled {
			if !slices.Contains(p.controls, id) {
				t.Errorf("%s.html has a label for %s, which is not there", name, id)
			}
		}
		for _, id := range p.controls {
			if name == "stats" && !slices.Contains(p.labelled, id) {
				t.Errorf("%s.html has no label for %s", name, id)
			}
		}
	}
}

var (
	sourcesOfStats = regexp.MustCompile(`(?m)^  \w+: \['(/v1/[^']+)'((?:, '\w+')*)\],$`)
	callsOfPages   = regexp.MustCompile(`(?:ask|askJSON|call)\('([A-Z]+)', '(/v1/[^']+)'(?:, \{([^}]*)\})?`)
	pathsOfPages   = regexp.MustCompile(`'(/v1/[^']+)'`)
	memberNames    = regexp.MustCompile(`(?:^|,)\s*(\w+)`)
)

// What the scripts of the pages ask of the API has to be in the contract: every path with
// its method, every parameter, and every member of a body.
func TestPagesAskWhatTheContractHas(t *testing.T) {
	spec, err := closedContract()
	if err != nil {
		t.Fatal(err)
	}
	operation := func(script, method, path string) *openapi3.Operation {
		if item := spec.Paths.Value(path); item != nil && item.GetOperation(method) != nil {
			return item.GetOperation(method)
		}
		t.Errorf("%s asks %s %s, which the contract does not have", script, method, path)
		return openapi3.NewOperation()
	}
	for _, script := range []string{"rate.js", "stats.js"} {
		text, known := docsText(t, script), 0
		for _, m := range sourcesOfStats.FindAllStringSubmatch(text, -1) {
			known++
			op := operation(script, "GET", m[1])
			for _, name := range strings.Split(m[2], ", ")[1:] {
				if name = strings.Trim(name, "'"); op.Parameters.GetByInAndName("query", name) == nil {
					t.Errorf("%s asks %s with %s, which it does not take", script, m[1], name)
				}
			}
		}
		for _, m := range callsOfPages.FindAllStringSubmatch(text, -1) {
			if strings.HasSuffix(m[2], "/") { // and an id
				m[2] += "{id}"
			}
			known++
			op := operation(script, m[1], m[2])
			for _, member := range memberNames.FindAllStringSubmatch(m[3], -1) {
				if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"].Schema.Value.Properties[member[1]] == nil {
					t.Errorf("%s sends %s to %s, which does not take it", script, member[1], m[2])
				}
			}
		}
		if all := len(pathsOfPages.FindAllString(text, -1)); known != all {
			t.Errorf("%s has %d paths of the API, and %d are understood here", script, all, known)
		}
	}
}

func docsText(t *testing.T, name string) string {
	t.Helper()
	text, err := docsFS.ReadFile("docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
