package delivery

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/internal/courier"
	"github.com/tidewatch/tidewatch/internal/redact"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// Prometheus' rules of sending: an Alertmanager forgets what it does not hear of again.
const (
	// resendAfter is after how long an alert is sent again that has not changed.
	resendAfter = time.Minute
	// endsAfter is for how long an Alertmanager takes an alert to fire that it was sent.
	endsAfter = 4 * resendAfter
	// resolvedFor is how long it is sent that an alert is resolved.
	resolvedFor = 15 * time.Minute
	// mostForwarded is how many alerts are sent at once.
	mostForwarded = 256
)

// An Alertmanager is a server that gets all alerts, whatever the routes and silences here.
type Alertmanager struct {
	// URL is where its API stands, without /api/v2.
	URL string
	// BearerTokenFile names the file of a token. By default none is sent.
	BearerTokenFile string
}

// A resolution is an alert that was resolved lately. The outbox has it for as long as it is
// sent.
type resolution struct {
	Notification alerts.Notification `json:"notification"`
	At           time.Time           `json:"at"`
}

const resolutionPrefix = "resolved/"

func (r *resolution) key() string { return resolutionPrefix + r.Notification.Alert }

func (r *resolution) encode() []byte { return encode(r) }

func (r *resolution) over(now time.Time) bool { return now.Sub(r.At) >= resolvedFor }

// forward notes what Alertmanagers are to be told later, too.
func (d *Deliverer) forward(n *alerts.Notification, now time.Time) {
	if len(d.peers) > 0 && n.Status == alerts.Resolved {
		r := &resolution{*n, now}
		d.resolved[n.Alert] = r
		d.unwritten[r.key()] = r
	}
}

// standing are the alerts that fire, and those that were resolved lately.
func (d *Deliverer) standing(now time.Time) (out []alerts.Notification) {
	fires := map[string]bool{}
	if d.o.Firing != nil {
		out = d.o.Firing()
	}
	for _, n := range out {
		fires[n.Fingerprint] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.resolved {
		if !r.over(now) && !fires[r.Notification.Fingerprint] {
			out = append(out, r.Notification)
		}
	}
	return out
}

// A peer is an Alertmanager, and what it has been sent. Each goes at its own pace.
type peer struct {
	d      *Deliverer
	to     Alertmanager
	name   string // without secrets
	client *http.Client
	sent   map[string]sending // by alert; of run alone
	owed   atomic.Int64       // how many it has not taken as they are
	wake   chan struct{}
}

// A sending is the last one of an alert.
type sending struct {
	id    string
	at    time.Time
	taken bool
}

func newPeer(d *Deliverer, to Alertmanager) *peer {
	p := &peer{d: d, to: to, name: redact.URL(to.URL), client: courier.NewClient(), sent: map[string]sending{}, wake: make(chan struct{}, 1)}
	if d.o.Transport != nil {
		p.client.Transport = d.o.Transport
	}
	for _, o := range []Outcome{Delivered, Retrying, Failed} {
		d.counter(p.name, o) // so that each is there from the start
	}
	return p
}

func (p *peer) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run sends what is due until the deliverer stops: after a restart all is due.
func (p *peer) run() {
	failures := 0
	for !p.d.ends() {
		now := time.Now()
		due, next := p.due(now)
		wake := p.wake
		if len(due) > 0 {
			a := p.post(due, now)
			p.log(a, &failures, len(due))
			if a.Err == nil || a.Refused {
				for _, n := range due {
					p.sent[n.Alert] = sending{n.ID, now, a.Err == nil}
					if a.Err == nil {
						p.d.history.Tell(&n, history.Telling{Receiver: p.name, Outcome: string(Delivered), At: alerts.Time{Time: now}})
					}
				}
				continue
			}
			next, wake = now.Add(max(retry.Pause(failures, false), a.After)), nil
		}
		var at <-chan time.Time
		if !next.IsZero() {
			at = time.After(time.Until(next))
		}
		select {
		case <-at:
		case <-wake:
		case <-p.d.stopping:
		}
	}
}

// due are alerts to be sent, and else when some will be, zero for never.
func (p *peer) due(now time.Time) (due []alerts.Notification, next time.Time) {
	standing, owed := p.d.standing(now), 0
	before := p.sent
	p.sent = make(map[string]sending, len(standing))
	for _, n := range standing {
		last, sent := before[n.Alert]
		if sent {
			p.sent[n.Alert] = last
		}
		if !last.taken || last.id != n.ID {
			owed++
		}
		again := last.at.Add(resendAfter)
		if sent && last.id == n.ID && again.After(now) {
			if next.IsZero() || again.Before(next) {
				next = again
			}
		} else if len(due) < mostForwarded {
			due = append(due, n)
		}
	}
	p.owed.Store(int64(owed))
	late := p.d.late(due, now)
	for i, n := range due {
		if late[n.ID] {
			due[i] = p.d.o.Standing(n)
		}
	}
	return due, next
}

// A posted is an alert as Alertmanager's API takes it.
type posted struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (p *peer) post(due []alerts.Notification, now time.Time) courier.Attempt {
	body := make([]posted, len(due))
	for i, n := range due {
		out := posted{n.Labels, n.Annotations, n.StartsAt, now.Add(endsAfter), n.Link}
		if out.StartsAt.After(now) {
			out.StartsAt = now // Alertmanager goes by the clock
		}
		if n.Status == alerts.Resolved {
			if out.EndsAt = n.EndsAt; out.EndsAt.IsZero() || out.EndsAt.After(now) {
				out.EndsAt = now
			}
		}
		body[i] = out
	}
	text, err := json.Marshal(body)
	if err != nil {
		return courier.Attempt{Err: err, Refused: true}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	token, err := held("", p.to.BearerTokenFile, "bearer_token_file")
	if err != nil {
		return courier.Attempt{Err: err}
	}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return courier.Post(p.d.ctx, p.client, strings.TrimSuffix(p.to.URL, "/")+"/api/v2/alerts", header, text)
}

// log tells of failures, more and more rarely, and of the end of them.
func (p *peer) log(a courier.Attempt, failures *int, alerts int) {
	v := Delivery{Receiver: p.name, Labels: map[string]string{}, Outcome: Delivered, Attempts: *failures + 1}
	if a.Err == nil {
		p.d.counter(p.name, Delivered).Add(alerts)
		if *failures > 0 {
			p.d.o.Log(v)
		}
		*failures = 0
		return
	}
	*failures++
	v.Outcome, v.Error = Retrying, a.Err.Error()
	if a.Refused {
		v.Outcome = Failed
	}
	p.d.counter(p.name, v.Outcome).Add(alerts)
	if n := *failures; n&(n-1) == 0 {
		p.d.o.Log(v)
	}
}
