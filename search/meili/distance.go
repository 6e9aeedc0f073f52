package meili

import (
	"cmp"
	"context"
	"math"
	"slices"

	"qingfu/directory"
	"qingfu/search"
)

// Meilisearch takes positions for equally far that differ by a metre. The engine
// therefore has it find those that may be next, and orders them itself.
const blurM = 2.0

// placed is a hit with its place in the order by distance.
type placed struct {
	hit
	place place
}

func (a *placed) compare(b *place) int {
	return cmp.Or(cmp.Compare(*a.place.Distance, *b.Distance), a.place.compareRank(b))
}

// placeByDistance returns the place of a hit. Distances are rounded to a tenth of
// a millimetre.
func (s *finding) placeByDistance(h *hit) *place {
	p := placeOf(h, search.ByDistance)
	if at := h.point(); at != nil {
		p.Distance = new(math.Round(directory.Distance(*s.q.Near, *at)*1e4) / 1e4)
	}
	return p
}

// nearest returns the hits behind a place by distance, one more than the limit;
// those without a position come last.
func (s *finding) nearest(ctx context.Context, after *place) ([]hit, error) {
	want := s.q.Limit + 1
	var found []hit
	if after == nil || after.Distance != nil {
		var err error
		if found, err = s.located(ctx, after, want); err != nil || len(found) == want {
			return found, err
		}
		after = nil
	}
	r := s.page(nil)
	r.Sort, r.Limit = sorting(search.BySatisfaction), int64(want-len(found))
	r.Filter = append(r.Filter.([]string), "located = false")
	if after != nil {
		r.Filter = append(r.Filter.([]string), after.behind(search.BySatisfaction))
	}
	answers, err := s.search(ctx, r)
	if err != nil {
		return nil, err
	}
	rest, err := decode(&answers[0])
	return append(found, rest...), err
}

// located returns up to want hits with a position behind a place.
func (s *finding) located(ctx context.Context, after *place, want int) ([]hit, error) {
	if !finite(s.q.Near.Lat, s.q.Near.Lon) {
		return nil, nil
	}
	r := s.page(nil)
	r.Sort = []string{"_geoPoint(" + decimal(s.q.Near.Lat) + ", " + decimal(s.q.Near.Lon) + "):asc"}
	r.Filter = append(r.Filter.([]string), "located = true")
	if after != nil && *after.Distance > blurM {
		r.Filter = append(r.Filter.([]string), "NOT "+within(*s.q.Near, *after.Distance-blurM))
	}
	for window := want + 20; ; window *= 2 {
		r.Limit = int64(window)
		answers, err := s.search(ctx, r)
		if err != nil {
			return nil, err
		}
		hits, err := decode(&answers[0])
		if err != nil {
			return nil, err
		}
		farthest := 0.0
		var found []placed
		for _, h := range hits {
			p := placed{h, *s.placeByDistance(&h)}
			farthest = max(farthest, *p.place.Distance)
			if after == nil || p.compare(after) > 0 {
				found = append(found, p)
			}
		}
		slices.SortFunc(found, func(a, b placed) int { return a.compare(&b.place) })
		all := len(hits) < window
		if !all { // those that it left out may be nearer than the last ones that it gave
			certain, _ := slices.BinarySearchFunc(found, farthest-blurM, func(p placed, d float64) int { return cmp.Compare(*p.place.Distance, d) })
			found = found[:certain]
		}
		if !all && len(found) < want {
			continue
		}
		out := make([]hit, min(want, len(found)))
		for i := range out {
			out[i] = found[i].hit
		}
		return out, nil
	}
}
