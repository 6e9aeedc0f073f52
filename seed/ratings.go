package seed

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"time"

	"qingfu/directory"
)

// opinions are what invented ratings say, by level. Each says that it is invented.
var opinions = [5][]string{
	{"约好的时间没有来，电话也打不通。（示例）", "和说好的价格不一样。（示例）"},
	{"做得比较马虎，提了意见才补做。（示例）", "等了很久。（示例）"},
	{"还可以，有些地方不够细致。（示例）", "一般，价格合适。（示例）"},
	{"师傅守时，做事认真。（示例）", "对老人有耐心。（示例）"},
	{"很满意，下次还找这一家。（示例）", "态度好，收拾得很干净。（示例）", "阿姨细心，孩子很喜欢。（示例）"},
}

// Ratings invents the ratings behind the figure of an invented listing: as many of
// each level as it says, of the origins that count, and some more that do not. They
// are the same in every call. Nobody has given them.
func Ratings(l *directory.Listing) []directory.Rating {
	g := ratingInventor{listing: l, random: rand.New(rand.NewPCG(2026, seedOf(l.ID)))}
	for level, n := range l.Satisfaction.Levels {
		for range n {
			origin := directory.OrderOrigin
			if g.random.IntN(5) < 2 {
				origin = directory.InviteOrigin
			}
			g.add(origin, directory.Level(level+1), directory.RatingPublished, "")
		}
	}
	n := int(l.Satisfaction.N())
	for range n / 6 {
		g.add(directory.OpenOrigin, directory.Level(2+g.random.IntN(4)), directory.RatingPublished, "")
	}
	for i := range n / 40 {
		rule := []string{directory.RuleSameDevice, directory.RuleOwnMember, directory.RuleRepeatedText}[i%3]
		g.add(directory.OpenOrigin, 5, directory.RatingExcluded, rule)
	}
	return g.ratings
}

// seedOf makes a number of the random part of an id.
func seedOf(id string) uint64 { return binary.BigEndian.Uint64([]byte(id[len(id)-8:])) }

type ratingInventor struct {
	listing *directory.Listing
	random  *rand.Rand
	ratings []directory.Rating
}

// add invents a rating within the year and a half before the release.
func (g *ratingInventor) add(origin directory.RatingOrigin, level directory.Level, state directory.RatingState, rule string) {
	const span = 540 * 24 * time.Hour
	l := g.listing
	at := released().Add(-time.Duration(g.random.Int64N(int64(span)))).Truncate(time.Second).UTC()
	id := newID(at, "rating/"+l.ID+"/"+strconv.Itoa(len(g.ratings)))
	r := directory.Rating{
		ID: id, Proof: "demo " + id, Origin: origin, Listing: l.ID, Organization: l.OrganizationID, Kind: l.Kind, Region: l.Region,
		Level: level, State: state, ForFamily: g.random.IntN(4) == 0, Demo: true, CreatedAt: at, UpdatedAt: at,
	}
	if len(l.Categories) > 0 {
		r.Category = l.Categories[g.random.IntN(len(l.Categories))]
	}
	if texts := opinions[level-1]; g.random.IntN(8) == 0 {
		r.Text = texts[g.random.IntN(len(texts))]
	}
	if g.random.IntN(3) == 0 {
		r.Aspects = map[string]directory.Level{"attitude": level, "quality": level}
	}
	if rule != "" {
		r.Findings = []directory.Finding{{Rule: rule, At: at}}
	}
	g.ratings = append(g.ratings, r)
}
