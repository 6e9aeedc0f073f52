package registry

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"qingfu/directory"
	"qingfu/search"
)

// Listings that may be the same are found by their names, in hanzi and in pinyin,
// and by what two listings of one place have in common.
const (
	duplicateScore  = 0.6 // from which on two listings are shown to people
	duplicateNear   = 300 // metres within which places may be one
	duplicateSearch = 20  // candidates looked at
	duplicatesShown = 5
)

// duplicates returns the public listings of the same kind that may be the same
// as l, the likeliest first.
func (r *Registry) duplicates(ctx context.Context, l *directory.Listing) ([]directory.Duplicate, error) {
	ids := map[string]bool{}
	queries := []search.Query{{Text: shortened(l.Names.Zh), Kinds: []directory.Kind{l.Kind}, Sort: search.ByRelevance}}
	if l.Location != nil {
		queries = append(queries, search.Query{Near: l.Location, RadiusM: duplicateNear, Kinds: []directory.Kind{l.Kind}, Sort: search.ByDistance})
	}
	for _, q := range queries {
		q.Limit, q.Now = duplicateSearch, r.Now()
		result, err := r.Search.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, hit := range result.Hits {
			ids[hit.ID] = true
		}
	}
	delete(ids, l.ID)
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	slices.Sort(list)
	docs, err := r.Store.Listings.GetMany(ctx, list...)
	if err != nil {
		return nil, err
	}
	var out []directory.Duplicate
	for i := range docs {
		if d := likeness(l, &docs[i].Value); d.Score >= duplicateScore {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b directory.Duplicate) int { return int(math.Round(100 * (b.Score - a.Score))) })
	return out[:min(len(out), duplicatesShown)], nil
}

// shortened cuts a text to what a search takes.
func shortened(text string) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), search.MaxText)])
}

// likeness says how alike two listings are, and by what.
func likeness(a, b *directory.Listing) directory.Duplicate {
	d := directory.Duplicate{Listing: b.ID, Why: []string{}}
	name := max(overlap(bare(a.Names.Zh), bare(b.Names.Zh)), overlap(search.SortKey(bare(a.Names.Zh)), search.SortKey(bare(b.Names.Zh)))*0.95)
	if name >= 0.75 {
		d.Why = append(d.Why, "name")
	}
	d.Score = 0.7 * name
	if a.Phone != "" && digits(a.Phone) == digits(b.Phone) {
		d.Why = append(d.Why, "phone")
		d.Score += 0.3
	}
	if a.Address != "" && overlap(bare(a.Address), bare(b.Address)) >= 0.9 && a.Region == b.Region {
		d.Why = append(d.Why, "address")
		d.Score += 0.2
	}
	if a.Location != nil && b.Location != nil && directory.Distance(*a.Location, *b.Location) <= duplicateNear {
		d.Why = append(d.Why, "distance")
		d.Score += 0.2
	}
	d.Score = math.Round(min(d.Score, 1)*100) / 100
	return d
}

// bare is a text without what people write one way or another.
func bare(text string) string {
	text = strings.NewReplacer("有限责任公司", "", "有限公司", "", "示例", "").Replace(text)
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, text)
}

func digits(phone string) string {
	phone = strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, phone)
	return strings.TrimPrefix(phone, "0")
}

// overlap is the Dice coefficient of the pairs of neighbouring characters of two
// texts: 1 for equal ones, 0 for those that share none.
func overlap(a, b string) float64 {
	if a == b && a != "" {
		return 1
	}
	pairs := func(s string) map[[2]rune]int {
		out := map[[2]rune]int{}
		runes := []rune(s)
		for i := 1; i < len(runes); i++ {
			out[[2]rune{runes[i-1], runes[i]}]++
		}
		return out
	}
	pa, pb := pairs(a), pairs(b)
	shared, total := 0, 0
	for pair, n := range pa {
		shared += min(n, pb[pair])
		total += n
	}
	for _, n := range pb {
		total += n
	}
	if total == 0 {
		return 0
	}
	return 2 * float64(shared) / float64(total)
}
