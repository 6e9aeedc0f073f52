package store_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"qingfu/directory"
	"qingfu/store"
)

// model is the simplest engine: what is stored, deleted documents included.
type model map[string]store.Record

// write does what the contract says and returns what the outcome must be.
func (m model) write(w store.Write, seq int64) (version int64, kind directory.ErrorKind) {
	r, known := m[w.ID]
	exists := known && r.Doc != nil
	switch {
	case w.Seen == 0 && exists:
		return 0, directory.Conflict
	case w.Seen > 0 && !exists:
		return 0, directory.NotFound
	case w.Seen > 0 && r.Version != w.Seen:
		return 0, directory.Conflict
	}
	m[w.ID] = store.Record{ID: w.ID, Version: r.Version + 1, Seq: seq, Doc: w.Doc}
	return r.Version + 1, ""
}

// values draws field values from few, so that many are equal, with the awkward
// ones among them.
var (
	words = rapid.SampledFrom([]string{"", "a", "A", "ab", "b", "é", "z", "青海", "青", "\U0001F600", "'", `"`, "%", "<b>"})
	ints  = rapid.SampledFrom([]int64{0, 1, 2, -1, 10, 1 << 62, -1 << 63, 1<<63 - 1})
	keys  = rapid.SampledFrom([]string{"a", "b", "B", "c", "aa", "青", "é", "\U0001F600", "1", "10", "9"})
)

var fields = []string{"word", "n"}

func drawWrite(t *rapid.T, m model) store.Write {
	w := item{Word: words.Draw(t, "word"), N: ints.Draw(t, "n")}.write(keys.Draw(t, "id"), 0)
	if r, known := m[w.ID]; known && rapid.IntRange(0, 3).Draw(t, "seen") > 0 {
		w.Seen = max(1, r.Version-int64(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "stale")))
	}
	if w.Seen > 0 && rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
		w.Doc, w.Fields = nil, nil
	}
	return w
}

func drawConditions(t *rapid.T) (out []store.Condition) {
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		c := store.Condition{Field: rapid.SampledFrom(fields).Draw(t, "field"), Op: rapid.SampledFrom([]store.Op{store.Eq, store.Less, store.Min, store.In}).Draw(t, "op")}
		switch {
		case c.Op == store.In && c.Field == "word":
			c.Value = rapid.SliceOfN(words, 0, 4).Draw(t, "values")
		case c.Op == store.In:
			c.Value = rapid.SliceOfN(ints, 0, 4).Draw(t, "values")
		case c.Field == "word":
			c.Value = words.Draw(t, "value")
		default:
			c.Value = ints.Draw(t, "value")
		}
		out = append(out, c)
	}
	return out
}

// compare orders values of one type; strings by their bytes.
func compare(a, b any) int {
	if s, ok := a.(string); ok {
		return cmp.Compare(s, b.(string))
	}
	return cmp.Compare(a.(int64), b.(int64))
}

func matches(i item, where []store.Condition) bool {
	for _, c := range where {
		v := i.fields(c.Field)[0]
		ok := false
		switch c.Op {
		case store.Eq:
			ok = v == c.Value
		case store.Less:
			ok = compare(v, c.Value) < 0
		case store.Min:
			ok = compare(v, c.Value) >= 0
		case store.In:
			if texts, isText := c.Value.([]string); isText {
				ok = slices.Contains(texts, v.(string))
			} else {
				ok = slices.Contains(c.Value.([]int64), v.(int64))
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// find is the whole answer to a query, limit and position aside.
func (m model) find(t *rapid.T, q store.Query) []store.Record {
	var out []store.Record
	for _, r := range m {
		if r.Doc != nil && matches(decode(t, r), q.Where) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b store.Record) int {
		c := cmp.Compare(a.ID, b.ID)
		if q.Order != "" {
			c = cmp.Or(compare(decode(t, a).fields(q.Order)[0], decode(t, b).fields(q.Order)[0]), c)
		}
		if q.Desc {
			return -c
		}
		return c
	})
	return out
}

func decode(t *rapid.T, r store.Record) item {
	values, err := items("items", fields...).Extract(r.Doc)
	if err != nil {
		t.Fatal(err)
	}
	return item{Word: values[0].(string), N: values[1].(int64)}
}

func (m model) count(t *rapid.T, where []store.Condition, by []string) []store.Group {
	groups := map[string]store.Group{}
	for _, r := range m.find(t, store.Query{Where: where}) {
		key := decode(t, r).fields(by...)
		g := groups[fmt.Sprint(key)]
		groups[fmt.Sprint(key)] = store.Group{Key: key, N: g.N + 1}
	}
	if len(by) == 0 && len(groups) == 0 {
		return []store.Group{{Key: []any{}}}
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b store.Group) int { return slices.CompareFunc(a.Key, b.Key, compare) })
}

func sameRecords(t interface {
	Helper()
	Fatalf(string, ...any)
}, what string, got, want []store.Record) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b store.Record) bool {
		return a.ID == b.ID && a.Version == b.Version && a.Seq == b.Seq && bytes.Equal(a.Doc, b.Doc) && (a.Doc == nil) == (b.Doc == nil)
	}) {
		t.Fatalf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

// TestEngineIsTheModel writes at random to an engine and to the model and asks
// both the same questions.
func TestEngineIsTheModel(t *testing.T) {
	contract(t, func(t *testing.T, h harness) {
		e := h.open(items("items", fields...))
		var collections atomic.Int64
		indexes := [][]store.Index{nil, {{Fields: []string{"word"}}, {Fields: []string{"n", "word"}}}, {{Fields: []string{"n"}}, {Fields: []string{"word", "n"}}}}
		rapid.Check(t, func(t *rapid.T) {
			d := items("c"+strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprint(collections.Add(1))), fields...)
			d.Indexes = rapid.SampledFrom(indexes).Draw(t, "indexes")
			if err := e.Declare(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			m, at := model{}, int64(0)
			for range rapid.IntRange(1, 4).Draw(t, "batches") {
				batchAt := at
				var writes []store.Write
				plan := maps.Clone(m)
				for range rapid.IntRange(1, 16).Draw(t, "writes") {
					w := drawWrite(t, plan)
					plan.write(w, 0)
					writes = append(writes, w)
				}
				outcomes, err := e.Write(t.Context(), d.Name, writes...)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range outcomes {
					version, kind := m.write(writes[i], o.Seq)
					if o.Version != version || directory.KindOf(o.Err) != kind {
						t.Fatalf("write %+v: %+v, want version %d, kind %q", writes[i], o, version, kind)
					}
					if o.Err == nil && o.Seq <= at {
						t.Fatalf("number %d after %d", o.Seq, at)
					}
					at = max(at, o.Seq)
				}
				checkChanges(t, e, d.Name, m, batchAt)
			}
			checkChanges(t, e, d.Name, m, 0)
			for range 2 {
				checkFind(t, e, d.Name, m)
				checkCount(t, e, d.Name, m)
			}
		})
	})
}

func checkChanges(t *rapid.T, e store.Engine, collection string, m model, after int64) {
	got, err := e.Changes(t.Context(), collection, after, store.MaxLimit)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.SortedFunc(maps.Values(m), func(a, b store.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	want = slices.DeleteFunc(want, func(r store.Record) bool { return r.Seq <= after })
	sameRecords(t, fmt.Sprintf("changes after %d", after), got, want)
}

func checkFind(t *rapid.T, e store.Engine, collection string, m model) {
	q := store.Query{Where: drawConditions(t), Order: rapid.SampledFrom([]string{"", "word", "n"}).Draw(t, "order"), Desc: rapid.Bool().Draw(t, "desc")}
	want := m.find(t, q)

	q.Limit = store.MaxLimit
	all, err := e.Find(t.Context(), collection, q)
	if err != nil {
		t.Fatal(err)
	}
	sameRecords(t, fmt.Sprintf("find %+v", q), all, want)

	var paged []store.Record
	q.Limit = rapid.IntRange(1, 4).Draw(t, "page")
	for {
		page, err := e.Find(t.Context(), collection, q)
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, page...)
		if len(page) < q.Limit {
			break
		}
		q.After = position(t, q.Order, page[len(page)-1])
	}
	sameRecords(t, fmt.Sprintf("find by pages %+v", q), paged, want)
}

func checkCount(t *rapid.T, e store.Engine, collection string, m model) {
	where := drawConditions(t)
	by := rapid.SampledFrom([][]string{nil, {"word"}, {"n"}, {"n", "word"}}).Draw(t, "by")
	got, err := e.Count(t.Context(), collection, where, by...)
	if err != nil {
		t.Fatal(err)
	}
	if want := m.count(t, where, by); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Fatalf("count %+v by %v:\ngot  %#v\nwant %#v", where, by, got, want)
	}
}
