package main

import (
	"database/sql"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAlertsAskForWhatThereIs compares docs/operations.md with the metrics of a server.
func TestAlertsAskForWhatThereIs(t *testing.T) {
	doc := document(t, "docs/operations.md")
	s := serve(t, "--data-dir", seeded(t))
	ask(s, "/v1/listings?limit=1", "", http.StatusOK)
	resp, err := http.Get(s.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	shown := string(text)
	s.end()

	named := regexp.MustCompile(`\b(?:qingfu|process)_[a-z_]+`).FindAllString(doc, -1)
	if len(named) < 20 {
		t.Fatalf("only %d metrics are named", len(named))
	}
	secrets := compose(t).Secrets
	for _, name := range named {
		if _, ok := secrets[name]; !ok && !regexp.MustCompile(`(?m)^`+name+`[ {]`).MatchString(shown) && !strings.Contains(shown, "# TYPE "+name+" ") {
			t.Errorf("docs/operations.md names %s, which /metrics does not show", name)
		}
	}
	operations := regexp.MustCompile(`operation="([^"]+)"`).FindAllStringSubmatch(doc, -1)
	if len(operations) == 0 {
		t.Fatal("no operation is named")
	}
	for _, o := range operations {
		if !strings.Contains(document(t, "openapi.yaml"), "      operationId: "+o[1]+"\n") {
			t.Errorf("docs/operations.md names the operation %s, which the contract has not", o[1])
		}
	}
}

// TestShardedCollectionsHaveNoUniqueIndex compares docs/operations.md with what the
// program declares: MongoDB cannot hold a unique index across shards.
func TestShardedCollectionsHaveNoUniqueIndex(t *testing.T) {
	_, section, _ := strings.Cut(document(t, "docs/operations.md"), "\n### Sharding\n")
	section, _, _ = strings.Cut(section, "\n## ")
	text, commands, _ := strings.Cut(section, "```js")
	var sharded []string
	for _, c := range regexp.MustCompile(`sh\.shardCollection\("qingfu\.(\w+)"`).FindAllStringSubmatch(commands, -1) {
		sharded = append(sharded, c[1])
	}
	db, err := sql.Open("sqlite", filepath.Join(seeded(t), "qingfu.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT name, declaration LIKE '%"Unique":true%' FROM _collections`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	unique := 0
	for rows.Next() {
		var name string
		var isUnique bool
		if err := rows.Scan(&name, &isUnique); err != nil {
			t.Fatal(err)
		}
		if isUnique {
			unique++
		}
		if isUnique != strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s: a unique index is %v, but docs/operations.md says otherwise", name, isUnique)
		}
		if i := slices.Index(sharded, name); i >= 0 {
			sharded = slices.Delete(sharded, i, i+1)
			if isUnique {
				t.Errorf("%s is sharded and has a unique index", name)
			}
		}
	}
	if err := rows.Err(); err != nil || unique == 0 {
		t.Fatalf("%d collections with a unique index, %v", unique, err)
	}
	if len(sharded) > 0 {
		t.Errorf("there are no collections %v", sharded)
	}
}
