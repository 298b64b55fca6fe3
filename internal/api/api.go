// Package api is the service's HTTP side: ingest, KPI queries, alerts, ledger,
// live updates, health and metrics. It asks the engine through the interfaces
// in engine.go; the wiring gives it those in Deps.
package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/stream"
)

// Deps is what the handlers stand on.
type Deps struct {
	Engine Engine
	Ingest Ingester
	Alerts Alerts
	// NewChecker makes the validators of POST /v1/events; each is used by one
	// goroutine at a time.
	NewChecker func() Checker
	// HashKey keys the memory of recent events.
	HashKey stream.HashKey
	// Page finds the files of the live page by their paths; nil for any other.
	Page func(path string) http.Handler
	// KPIs writes the KPI series of /metrics, after the set's own.
	KPIs interface{ WriteKPIs(w io.Writer) }
	// Metrics takes the tidewatch_http_* metrics and is shown on /metrics.
	Metrics *metrics.Set
	// Reload reads the configuration anew. Nil answers that it cannot.
	Reload func(ctx context.Context) error
	Log    zerolog.Logger

	// Listen is the address that is listened on: foreign Host and Origin headers
	// are refused.
	Listen string
	// ExternalURL is the address under which people reach the service: its host
	// is no foreign one.
	ExternalURL string
	// AnyHost lets every Host pass on an address that is not loopback.
	AnyHost bool
	// Stopping ends the live streams when it is closed. Nil never does.
	Stopping <-chan struct{}
	// MaxInFlight bounds the bytes of request bodies held at a time. By
	// default 256 MiB.
	MaxInFlight int64
	// MaxLive bounds the clients of the live stream. By default 100.
	MaxLive int
}

// Server limits, for every kind of request. A live stream sets its own write
// deadline before each write.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeader         = 64 << 10
)

// NewServer is an http.Server with limits on slow clients.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
}

// New is the handler of everything that the service answers over HTTP.
func New(d Deps) http.Handler {
	if d.MaxInFlight == 0 {
		d.MaxInFlight = 256 << 20
	}
	if d.MaxLive == 0 {
		d.MaxLive = 100
	}
	r := newRouter(d)
	q := &queries{engine: d.Engine}
	r.handle("GET /api/v1/kpis", q.list)
	r.handle("GET /api/v1/kpis/{name}", q.sample)
	r.handle("GET /api/v1/kpis/{name}/range", q.series)
	r.handle("GET /api/v1/ledger", q.ledger)
	a := &alertList{alerts: d.Alerts, engine: d.Engine}
	r.handle("GET /api/v1/alerts", a.list)

	in := newIngest(d)
	r.withBody("POST /v1/events", in.events)
	r.withBody("POST /v1/close", in.close)

	o := &operations{Deps: d}
	r.handle("GET /-/healthy", o.healthy)
	r.handle("GET /-/ready", o.ready)
	r.handle("POST /-/reload", o.reload)

	r.raw("GET /metrics", http.HandlerFunc(o.metrics))
	r.raw("GET /api/v1/live", newLive(d))
	r.raw(pages, r.page(d.Page))
	return r
}
