package seed

import (
	"math/rand/v2"
	"time"

	"qingfu/directory"
)

// Returns invents what most counties have reported of guidance in raising a child, for
// the three months before the release, so that a figure of it can be shown. Each is
// marked as a demonstration, approved, and the same in every call. Nobody has reported
// them.
func Returns(regions *directory.Regions) []directory.Return {
	var out []directory.Return
	for _, reg := range regions.All() {
		if reg.Level != directory.County {
			continue
		}
		random := rand.New(rand.NewPCG(2026, seedOf("county/"+reg.Code)))
		if random.IntN(8) == 0 {
			continue // not every county reports
		}
		families := int64(250 + 40*reg.ResidentsCommittees + 10*reg.VillageCommittees + random.IntN(200))
		share := 0.86 + 0.12*random.Float64()
		last := directory.MonthOf(released()).Add(-1)
		for m := last.Add(-2); m <= last; m = m.Add(1) {
			families += int64(random.IntN(11)) - 5
			share = min(share+0.005*random.Float64(), 1)
			out = append(out, countyReturn(&reg, m, map[string]int64{"families": families, "families_guided": int64(share * float64(families))}))
		}
	}
	return out
}

func countyReturn(reg *directory.Region, m directory.Month, values map[string]int64) directory.Return {
	submitted := m.Ends().Add(9 * time.Hour).UTC()
	return directory.Return{
		ReturnKey: directory.ReturnKey{Form: directory.CountyHealthForm, Month: m, Subject: reg.Code},
		Bureau:    directory.Health, Region: reg.Code, Demo: true,
		Versions: []directory.ReturnVersion{{
			ReturnContent: directory.ReturnContent{Values: values, Evidence: "示例数据，并无文件"},
			State:         directory.ReturnApproved, SubmittedAt: submitted, Decision: &directory.ReturnDecision{At: submitted.Add(6 * time.Hour)},
		}},
	}
}
