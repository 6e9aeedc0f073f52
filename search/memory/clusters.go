package memory

import (
	"context"

	"qingfu/search"
)

// Clusters implements search.Engine. Clusters come with the largest first.
func (e *Engine) Clusters(ctx context.Context, q search.ClusterQuery) ([]search.Cluster, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	snap := e.snapshot.Load()
	sel, err := e.choose(ctx, snap, &q.Query)
	if err != nil {
		return nil, err
	}
	clusters := search.NewClustering(q.Zoom)
	for i, v := range snap.view {
		g := &v.seg.geo
		it := sel.docs[i].Iterator()
		for it.HasNext() {
			d := it.Next()
			clusters.Add(v.seg.docs[d].id, g.points[d], g.cells[d])
		}
	}
	return clusters.Clusters(), nil
}
