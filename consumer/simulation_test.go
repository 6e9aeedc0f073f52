package consumer

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"qingfu/directory"
)

// The parameters of the simulation. Try others:
//
//	go test ./consumer -run TestSimulation -v -args -sim.fakes 300 -sim.devices 40 -sim.texts 50
var (
	simHonest   = flag.Int("sim.honest", 600, "honest ratings")
	simFakes    = flag.Int("sim.fakes", 120, "fake ratings")
	simFirms    = flag.Int("sim.firms", 12, "firms; the farm works for one and against another")
	simDays     = flag.Int("sim.days", 60, "days in which the honest ratings come")
	simHours    = flag.Int("sim.hours", 48, "hours in which the fake ones come")
	simDevices  = flag.Int("sim.devices", 8, "devices of the farm")
	simNetworks = flag.Int("sim.networks", 5, "networks of the farm")
	simTexts    = flag.Int("sim.texts", 10, "texts of the farm; 0 for none")
	simShared   = flag.Float64("sim.shared", 0.3, "share of honest people behind one of six carriers' networks")
	simSeed     = flag.Uint64("sim.seed", 20, "choose another course of events")
)

// simulated is a rating of the simulation.
type simulated struct {
	at              time.Duration
	firm            int
	level           directory.Level
	device, network string
	text            string
	fake            bool
}

// TestSimulation lets honest people and a farm of fakes rate the same firms and
// prints how many of the fake ratings are held, and of the honest ones. All are open,
// so that nothing but the rules stands against the farm.
func TestSimulation(t *testing.T) {
	f := newFixture(t)
	random := rand.New(rand.NewPCG(*simSeed, 85))
	firms := make([]directory.Listing, *simFirms)
	for i := range firms {
		o, _ := f.firm()
		firms[i] = f.cleaning(o.ID)
	}
	var course []simulated
	days := time.Duration(*simDays) * 24 * time.Hour
	for i := range *simHonest {
		course = append(course, honest(random, i, len(firms), days))
	}
	begin := time.Duration(random.Int64N(int64(days)))
	for i := range *simFakes {
		s := simulated{
			at: begin + time.Duration(random.Int64N(int64(*simHours)*int64(time.Hour))), firm: i % 2, level: 5, fake: true,
			device: fmt.Sprintf("farm %d", random.IntN(max(1, *simDevices))), network: fmt.Sprintf("203.0.113.%d", random.IntN(max(1, *simNetworks))),
		}
		if s.firm == 1 {
			s.level = 1 // a competitor
		}
		if *simTexts > 0 {
			s.text = fmt.Sprintf("服务特别好强烈推荐给大家之%d", random.IntN(*simTexts))
		}
		course = append(course, s)
	}
	slices.SortFunc(course, func(x, y simulated) int { return cmp.Compare(x.at, y.at) })

	ids := make([]string, len(course))
	for i, s := range course {
		f.clock.To(noon.Add(s.at))
		ids[i] = f.rate(directory.Caller{Account: fmt.Sprintf("account %d", i)}, Service{Listing: firms[s.firm].ID}, Opinion{Level: s.level, Text: s.text}, from(s.device, s.network)).ID
		f.fatal(f.tallyOnce(t.Context()))
	}
	caught, mistaken := 0, 0
	byRule := map[string]int{}
	for i, s := range course {
		r := f.rating(ids[i])
		switch {
		case r.State != directory.RatingHeld:
		case s.fake:
			caught++
			byRule[r.Rule()]++
		default:
			mistaken++
			byRule["honest: "+r.Rule()]++
		}
	}
	share := func(k, n int) string {
		low, high := directory.Wilson(int64(k), int64(n))
		return fmt.Sprintf("%d of %d (%.1f%%, 95%% interval %.1f%% to %.1f%%)", k, n, 100*float64(k)/float64(max(1, n)), 100*low, 100*high)
	}
	t.Logf("fake ratings held:   %s", share(caught, *simFakes))
	t.Logf("honest ratings held: %s", share(mistaken, *simHonest))
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		t.Logf("  %-24s %d", rule, byRule[rule])
	}
	standard := true
	flag.Visit(func(g *flag.Flag) { standard = standard && !strings.HasPrefix(g.Name, "sim.") })
	if standard && (float64(caught) < 0.9*float64(*simFakes) || float64(mistaken) > 0.03*float64(*simHonest)) {
		t.Errorf("too few fakes or too many honest ratings are held")
	}
}

// honest is a rating of somebody who means it: on a device of their own, from home or
// through a carrier, mostly satisfied, some with a few words of which some are the
// words of others as well.
func honest(random *rand.Rand, i, firms int, days time.Duration) simulated {
	s := simulated{at: time.Duration(random.Int64N(int64(days))), firm: random.IntN(firms), device: fmt.Sprintf("phone %d", i), network: fmt.Sprintf("59.%d.%d.1", i/250, i%250)}
	if random.Float64() < *simShared {
		s.network = fmt.Sprintf("198.51.100.%d", random.IntN(6))
	}
	s.level = []directory.Level{1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 5, 5}[random.IntN(12)]
	if random.IntN(3) == 0 {
		parts := [][]string{{"师傅", "阿姨", "工作人员", "小李", "前台"}, {"很准时", "来得晚了些", "很有耐心", "话不多", "态度一般"}, {"", "，活干得细致", "，收拾得干净", "，角落没擦到", "，老人很喜欢"}, {"", "。价格合适", "。有点贵", "。下次再约", "。会推荐给邻居"}}
		for _, p := range parts {
			s.text += p[random.IntN(len(p))]
		}
	}
	return s
}
