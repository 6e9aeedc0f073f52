package handlers

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// metrics is what /metrics shows, on a registry of its own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(cfg Config) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "qingfu_http_request_duration_seconds",
			Help:    "Time from a request's arrival to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"operation", "status"}),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	degraded := func(what, help string) prometheus.Collector {
		return gauge("qingfu_"+what+"_degraded", help, func() float64 {
			if cfg.Degraded != nil && slices.Contains(cfg.Degraded(), what) {
				return 1
			}
			return 0
		})
	}
	m.registry.MustRegister(
		m.requests,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("qingfu_index_listings", "Listings in the search index; -1 when it does not answer.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), maxLatency)
			defer cancel()
			n, err := cfg.Search.Size(ctx)
			if err != nil {
				return -1
			}
			return float64(n)
		}),
		gauge("qingfu_store_sequence", "Number of the last change in the store.", func() float64 {
			stored, _ := cfg.Progress()
			return float64(stored)
		}),
		gauge("qingfu_index_sequence", "Number of the last change that the search index has taken in.", func() float64 {
			_, indexed := cfg.Progress()
			return float64(indexed)
		}),
		gauge("qingfu_index_lag_changes", "Changes in the store that the search index has not taken in, an upper bound: of several to one listing only the last is left.", func() float64 {
			stored, indexed := cfg.Progress()
			return float64(max(0, stored-indexed))
		}),
		gauge("qingfu_index_lag_seconds", "Age of the oldest change that the search index has not taken in; 0 when there is none.", func() float64 {
			if cfg.Lag == nil {
				return 0
			}
			return cfg.Lag().Seconds()
		}),
		degraded("search", "1 while the embedded index answers searches in the place of Meilisearch."),
		degraded("store", "1 while the store does not answer."),
	)
	return m
}

func (m *metrics) observe(operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}

func (a *api) showMetrics(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	families, err := a.metrics.registry.Gather()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			return err
		}
	}
	c.Response().Header.SetContentType(string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	return c.Send(b.Bytes())
}
