package delivery

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/document"
)

// Progress is how notifications fare, as the API shows it.
type Progress struct {
	// Receivers are the integrations that a route leads to, those that have not taken
	// something, and the Alertmanagers, by their addresses. Without any nobody is told.
	Receivers []Receiver `json:"receivers"`
	// Deliveries are what is owed and the last ones that came to their end,
	// newest first.
	Deliveries []Delivery `json:"deliveries"`
}

// A Receiver is an integration or an Alertmanager, and how many notifications it has not taken
// yet.
type Receiver struct {
	Name string `json:"name"`
	Owed int    `json:"owed"`
}

// Outcome is how far a delivery has come.
type Outcome string

// The outcomes. In the list of deliveries superseded ones stand as failed, if
// they were tried at all.
const (
	Queued     Outcome = "queued" // not tried yet
	Delivered  Outcome = "delivered"
	Retrying   Outcome = "retrying"
	Failed     Outcome = "failed"
	Superseded Outcome = "superseded"
	// Unsent is one that fires while nobody is to be told.
	Unsent Outcome = "unsent"
)

// Unheard is what to say where alerts fire and nobody is told.
var Unheard = &document.Problem{
	Rule:   "no receiver with an integration is configured, so nobody is told of alerts",
	Remedy: "name an Alertmanager file under alertmanager, whose route.receiver has " + anyConfigs + ", or Alertmanagers under alertmanagers",
}

// A Delivery is a notification on its way to one integration.
type Delivery struct {
	ID       string       `json:"id"`
	Receiver string       `json:"receiver"`
	Rule     string       `json:"rule"`
	Status   alerts.State `json:"status"`
	// Labels are those of the alert.
	Labels map[string]string `json:"labels"`
	// StartsAt and EndsAt are when the alert fired and when it was resolved, in
	// event time.
	StartsAt alerts.Time `json:"starts_at"`
	EndsAt   alerts.Time `json:"ends_at"`
	// At is the time of the last attempt, or since when it is queued.
	At       alerts.Time `json:"at"`
	Attempts int         `json:"attempts"`
	Outcome  Outcome     `json:"outcome"`
	Error    string      `json:"error"`
	// Reasons are what Error says by codes.
	Reasons []reason.Reason `json:"reasons,omitempty"`
	// NextAttempt is zero for one that came to its end.
	NextAttempt alerts.Time `json:"next_attempt"`
	// Undelivered is set as long as it is owed, or was given up and can be sent again.
	Undelivered bool `json:"undelivered"`
}

// lastDeliveries is how many deliveries are shown that came to their end, and
// how many that are owed.
const lastDeliveries = 50

// Progress is how notifications fare.
func (d *Deliverer) Progress() Progress {
	s := Progress{Receivers: []Receiver{}, Deliveries: d.Deliveries()} // lists in JSON, even if empty
	owed := d.Owed()
	d.mu.Lock()
	defer d.mu.Unlock()
	missed := map[string]bool{}
	for _, e := range d.entries {
		missed[e.Integration] = missed[e.Integration] || e.Settled == "" || e.kept(time.Now())
	}
	for _, sender := range d.senders {
		if name := sender.name; missed[name] || slices.Contains(d.told, name) {
			s.Receivers = append(s.Receivers, Receiver{Name: name, Owed: owed[name]})
		}
	}
	for _, p := range d.peers {
		s.Receivers = append(s.Receivers, Receiver{Name: p.name, Owed: int(p.owed.Load())})
	}
	return s
}

// Deliveries are what is owed and the last ones that came to their end, newest
// first.
func (d *Deliverer) Deliveries() []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []Delivery{} // a list in JSON, even if empty
	for _, e := range d.entries {
		if e.Settled == "" {
			out = append(out, d.owed(e))
		}
	}
	newest := func(a, b Delivery) int {
		return cmp.Or(b.At.Compare(a.At.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Receiver, b.Receiver))
	}
	slices.SortFunc(out, newest)
	out = out[:min(len(out), lastDeliveries)]
	now := time.Now()
	for _, e := range d.entries {
		if v := d.delivery(e, Failed); e.kept(now) && !slices.ContainsFunc(d.last, v.same) {
			v.At, v.Undelivered = alerts.Time{Time: e.GivenUp}, true
			out = append(out, v)
		}
	}
	for _, v := range slices.Backward(d.last) {
		e := d.entries[v.ID+"/"+v.Receiver]
		v.Undelivered = v.Outcome == Failed && e != nil && e.kept(now)
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return b.At.Compare(a.At.Time) })
	return out
}

// Owed is how many notifications each integration has not taken yet.
func (d *Deliverer) Owed() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	owed := map[string]int{}
	for _, e := range d.entries {
		if e.Settled == "" {
			owed[e.Integration]++
		}
	}
	return owed
}

// same reports whether two are of one notification to one integration.
func (v *Delivery) same(o Delivery) bool { return v.ID == o.ID && v.Receiver == o.Receiver }

// owed tells of an entry that is not settled.
func (d *Deliverer) owed(e *entry) Delivery {
	v := d.delivery(e, Retrying)
	if v.At = (alerts.Time{Time: e.Tried}); e.Attempts == 0 {
		v.Outcome, v.At = Queued, alerts.Time{Time: e.Queued}
	}
	v.NextAttempt, v.Undelivered = alerts.Time{Time: e.notBefore}, true
	if s := d.sender(e.Integration); s != nil && s.notBefore.After(e.notBefore) {
		v.NextAttempt = alerts.Time{Time: s.notBefore}
	}
	return v
}

func (d *Deliverer) delivery(e *entry, o Outcome) Delivery {
	n := &e.Notification
	return Delivery{
		ID: n.ID, Receiver: e.Integration, Rule: n.Rule, Status: n.Status, Labels: n.Labels,
		StartsAt: alerts.Time{Time: n.StartsAt}, EndsAt: alerts.Time{Time: n.EndsAt}, At: alerts.Time{Time: time.Now()}, Attempts: e.Attempts, Outcome: o, Error: e.Error, Reasons: e.Reasons,
	}
}

// because is the delivery with why it is not delivered, and what the last attempt has to do
// with that.
func (v Delivery) because(r reason.Reason, attempt ...reason.Reason) Delivery {
	v.Reasons = append([]reason.Reason{r}, attempt...)
	v.Error = reason.Text(v.Reasons)
	return v
}

// unlist takes out of the list how an entry came to an end.
func (d *Deliverer) unlist(e *entry) {
	d.last = slices.DeleteFunc(d.last, func(v Delivery) bool { return v.ID == e.Notification.ID && v.Receiver == e.Integration })
}

// note puts a delivery that came to its end into the list.
func (d *Deliverer) note(v Delivery) {
	d.last = append(d.last, v)
	if len(d.last) > lastDeliveries {
		d.last = slices.Delete(d.last, 0, 1)
	}
}
