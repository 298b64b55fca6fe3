package delivery

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// A health is how an integration fared, as the outbox keeps it.
type health struct {
	Integration string          `json:"integration"`
	Delivered   time.Time       `json:"delivered,omitzero"` // when it last took a message
	Failed      time.Time       `json:"failed,omitzero"`    // when it last did not
	Error       string          `json:"error,omitempty"`    // and why
	Reasons     []reason.Reason `json:"reasons,omitempty"`  // by codes

	failures int // since it took one, in this run
}

const healthPrefix = "health/"

func (s *health) key() string { return healthPrefix + s.Integration }

func (s *health) encode() []byte { return encode(s) }

// health takes up a record of one.
func (l *loading) health(key string, data []byte) {
	read := &health{}
	if err := json.Unmarshal(data, read); err != nil || read.key() != key {
		l.damaged(key)
		return
	}
	if s := l.d.sender(strings.TrimPrefix(key, healthPrefix)); s != nil {
		s.health = read
	} else {
		l.dropped = append(l.dropped, key)
	}
}

// fares notes how an attempt ended. Failures in a row are written at the first, second,
// fourth, eighth ... The caller holds the Deliverer's lock.
func (s *sender) fares(err error, now time.Time) {
	of := s.health
	if err == nil {
		of.Delivered, of.failures = now, 0
	} else {
		of.Failed, of.Error, of.Reasons = now, err.Error(), reason.Of(err)
		of.failures++
	}
	if of.failures&(of.failures-1) == 0 {
		s.d.unwritten[of.key()] = of
	}
}

// A ReceiverStatus is a receiver of the file, and how its integrations fare.
type ReceiverStatus struct {
	Name string `json:"name"`
	// Default is set for the one that is told of what no other route takes, Routed for one
	// that a route leads to.
	Default bool `json:"default"`
	Routed  bool `json:"routed"`
	// Fallback is who is told what it has not taken for so long, both "" for nobody.
	Fallback      string              `json:"fallback"`
	FallbackAfter string              `json:"fallback_after"`
	Integrations  []IntegrationStatus `json:"integrations"`
}

// An IntegrationStatus is how an integration fares.
type IntegrationStatus struct {
	Name string `json:"name"`
	Owed int    `json:"owed"`
	// LastSuccess is when it last took a message, LastFailure when it last did not: zero
	// for never. LastError is why, LastReasons by codes.
	LastSuccess alerts.Time     `json:"last_success"`
	LastFailure alerts.Time     `json:"last_failure"`
	LastError   string          `json:"last_error"`
	LastReasons []reason.Reason `json:"last_reasons,omitempty"`
}

// Receivers are those of the file, in its order.
func (d *Deliverer) Receivers() []ReceiverStatus {
	owed := d.Owed()
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []ReceiverStatus{} // a list in JSON, even if empty
	routed := d.routes.Receivers()
	for _, name := range d.receivers.listed() {
		r := ReceiverStatus{Name: name, Default: name == d.receivers.Default, Routed: slices.Contains(routed, name), Integrations: []IntegrationStatus{}}
		for _, s := range d.sendersOf(name) {
			if f := s.to.fallback; f.receiver != "" {
				r.Fallback, r.FallbackAfter = f.receiver, model.Duration(f.after).String()
			}
			r.Integrations = append(r.Integrations, IntegrationStatus{
				Name: s.name, Owed: owed[s.name], LastSuccess: alerts.Time{Time: s.health.Delivered},
				LastFailure: alerts.Time{Time: s.health.Failed}, LastError: s.health.Error, LastReasons: s.health.Reasons,
			})
		}
		out = append(out, r)
	}
	return out
}

func (d *Deliverer) sendersOf(receiver string) []*sender {
	var out []*sender
	for _, s := range d.senders {
		if s.to.Receiver == receiver {
			out = append(out, s)
		}
	}
	return out
}

// listed are the names of all receivers.
func (r *Receivers) listed() []string {
	if r == nil || r.file == nil {
		return nil
	}
	var out []string
	for _, one := range r.file.Receivers {
		out = append(out, one.Name)
	}
	return out
}
