// Package api is the service's HTTP side: ingest, KPI queries, alerts, ledger,
// live updates, health and metrics. It asks the engine through the interfaces
// in engine.go; the wiring gives it those in Deps.
package api

import (
	"context"
	"io"
	"net/http"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/storage"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/stream"
)

// Deps is what the handlers stand on.
type Deps struct {
	Engine Engine
	Ingest Ingester
	Alerts Alerts
	// Alertmanager answers Alertmanager's API below /api/v2/.
	Alertmanager http.Handler
	// Backtester judges rules over history.
	Backtester Backtester
	Users      Users
	Eraser     Eraser
	// Signals tell what happened to users.
	Signals Signals
	// Series are the KPIs as Prometheus' queries see them.
	Series storage.Queryable
	// NewChecker makes the validators of POST /v1/events; each is used by one
	// goroutine at a time.
	NewChecker func() Checker
	// NewPseudonymiser makes what replaces the ids of users before events are
	// published; each is used by one goroutine at a time. Nil leaves them as they come.
	NewPseudonymiser func() *stream.Pseudonymiser
	// HashKey keys the memory of recent events.
	HashKey stream.HashKey
	// Page finds the files of the live page by their paths; nil for any other.
	Page func(path string) http.Handler
	// KPIs writes the KPI series of /metrics, after the set's own.
	KPIs interface{ WriteKPIs(w io.Writer) }
	// Metrics takes the tidewatch_http_* metrics and is shown on /metrics.
	Metrics *metrics.Set
	// Reload reads the configuration anew, and answers which of its keys have changed that take
	// a restart. Nil answers that it cannot.
	Reload func(ctx context.Context) (restart []string, err error)
	Log    zerolog.Logger

	// Listen is the address that is listened on: foreign Host and Origin headers
	// are refused.
	Listen string
	// ExternalURL is the address under which people reach the service: its host
	// is no foreign one.
	ExternalURL string
	// AnyHost lets every Host pass.
	AnyHost bool
	// Stopping ends the live streams when it is closed. Nil never does.
	Stopping <-chan struct{}
	Limits   Limits
	// MaxLive bounds the clients of the live stream. By default 100.
	MaxLive int
}

// New is the handler of everything that the service answers over HTTP.
func New(d Deps) http.Handler {
	d.Limits = d.Limits.withDefaults()
	if d.MaxLive == 0 {
		d.MaxLive = 100
	}
	r := newRouter(d)
	reads := newReads(d.Limits, d.Metrics)
	q := &queries{engine: d.Engine, reads: reads}
	r.handle("GET /api/v1/kpis", q.list)
	r.handle("GET /api/v1/operators", q.operators)
	r.handle("GET /api/v1/kpis/{name}", q.sample)
	r.handle("GET /api/v1/kpis/{name}/range", q.series)
	r.handle("GET /api/v1/ledger", q.ledger)
	a := &alertList{alerts: d.Alerts, engine: d.Engine, reads: reads}
	r.handle("GET /api/v1/alerts", a.list)
	r.handle("GET /api/v1/alerts/history", a.history)
	to := &receiverList{alerts: d.Alerts, engine: d.Engine, turn: make(chan struct{}, 1)}
	r.handle("GET /api/v1/receivers", to.list)
	r.handle("POST /api/v1/receivers/{name}/test", to.test)
	r.handle("POST /api/v1/deliveries/{id}/resend", a.resend)
	r.handle("DELETE /api/v1/deliveries/{id}", a.drop)
	newManager(d).routes(r)
	u := &userList{engine: d.Engine, users: d.Users, eraser: d.Eraser, reads: reads}
	r.handle("GET /api/v1/users", u.list)
	r.handle("GET /api/v1/users/{id}", u.one)
	r.handle("DELETE /api/v1/users/{id}", u.erase)
	r.handle("GET /api/v1/signals", (&signalList{users: u, signals: d.Signals}).list)

	in := newIngest(d)
	r.withBody("POST /v1/events", in.events)
	r.withBody("POST /v1/close", in.close)
	r.withBody("POST /api/v1/rules/backtest", (&backtests{d, in.bodies, make(chan struct{}, 1)}).run)
	newPrometheus(d, reads, in.bodies).routes(r)

	o := &operations{Deps: d, router: r, reads: reads}
	r.handle("GET /-/healthy", o.healthy)
	r.handle("GET /-/ready", o.ready)
	r.handle("POST /-/reload", o.reload)

	r.raw("GET /metrics", http.HandlerFunc(o.metrics))
	r.raw("GET /openapi.json", http.HandlerFunc(r.describe))
	l := newLive(d, r)
	r.raw("GET /api/v1/live", l)
	r.raw("GET /api/v1/kpis/{name}/live", &kpiLive{l, q})
	r.raw(pages, r.page(d.Page))
	return r
}
