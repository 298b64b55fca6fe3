package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/stream"
)

const (
	liveEvery     = time.Second      // at most one update
	liveLook      = liveEvery / 2    // how often it is looked whether one is due before
	liveHeartbeat = 15 * time.Second // at least one line
	livePatience  = 30 * time.Second // for a client that does not read
)

// live serves GET /api/v1/live: server-sent events that say that something
// changed. The client then fetches what it shows.
type live struct {
	Deps
	router  *router
	clients atomic.Int64
}

func newLive(d Deps, r *router) *live {
	l := &live{Deps: d, router: r}
	d.Metrics.GetOrCreateGauge("tidewatch_live_clients", func() float64 { return float64(l.clients.Load()) })
	return l
}

// liveJSON is the data of an update.
type liveJSON struct {
	Watermark Time          `json:"watermark"`
	Position  uint64        `json:"position"`
	Backlog   uint64        `json:"backlog"`
	Ledger    stream.Ledger `json:"ledger"`
	Alerts    alertCounts   `json:"alerts"`
}

type alertCounts struct {
	Firing  int `json:"firing"`
	Pending int `json:"pending"`
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := takes(r); err != nil {
		l.router.respond(w, r, answer{}, err)
		return
	}
	l.serve(w, r, func(c *liveClient) error { return c.write(l.update()) }, func() bool { return false })
}

// serve has say tell a client what there is, at once and after every change, sooner if that
// is due. Of a HEAD there is nothing to tell.
func (l *live) serve(w http.ResponseWriter, r *http.Request, say func(c *liveClient) error, due func() bool) {
	if l.clients.Add(1) > int64(l.MaxLive) {
		l.clients.Add(-1)
		l.router.refusals[limitLive].Inc()
		w.Header().Set("Retry-After", "10")
		l.router.respond(w, r, answer{}, RateLimited("%d live clients are connected, which is the most: close one", l.MaxLive))
		return
	}
	defer l.clients.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	c := &liveClient{w: w, control: http.NewResponseController(w)}
	if c.write("retry: 2000\n\n") == nil {
		l.follow(r, c, say, due)
	}
}

// follow goes on until the client or the service leaves.
func (l *live) follow(r *http.Request, c *liveClient, say func(c *liveClient) error, due func() bool) {
	heartbeat := time.NewTicker(liveHeartbeat)
	defer heartbeat.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	changed := l.Engine.Changes()
	paused, dirty, told := true, true, time.Time{}
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-l.Stopping:
			return
		case <-heartbeat.C:
			err = c.write(": still here\n\n")
		case <-pause.C:
			paused = false
		case <-changed:
			changed, dirty = nil, true
		}
		if dirty && !paused && err == nil {
			now := time.Now()
			paused = true
			pause.Reset(liveLook)
			if l.Engine.Ready() != nil || now.Sub(told) < liveEvery && !due() {
				continue // ask again after the pause
			}
			changed, dirty, told = l.Engine.Changes(), false, now
			err = say(c)
		}
		if err != nil {
			return
		}
	}
}

// update is an event that says how far the service is. Its id is the position.
func (l *live) update() string {
	ledger := l.Engine.Ledger()
	u := liveJSON{Watermark: Time{ledger.Watermark}, Position: ledger.Position, Backlog: ledger.Backlog, Ledger: columns(ledger.Total)}
	u.Alerts.Firing, u.Alerts.Pending = l.Alerts.Counts()
	text, err := json.Marshal(u)
	if err != nil {
		text = fmt.Appendf(nil, `{"error":%q}`, err)
	}
	return fmt.Sprintf("event: update\nid: %d\ndata: %s\n\n", u.Position, text)
}

// A liveClient is one connection.
type liveClient struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (c *liveClient) write(text string) error {
	// Not every writer has deadlines; one that lacks them needs none.
	_ = c.control.SetWriteDeadline(time.Now().Add(livePatience))
	if _, err := c.w.Write([]byte(text)); err != nil {
		return err
	}
	return c.control.Flush()
}
