package delivery

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/routing"
)

// An account is what is known of an alert: its newest state, and how far those
// are with it who are to be told. The outbox has it from the alert's first
// notification until the last has been told and an epoch covers it.
type account struct {
	Notification alerts.Notification `json:"notification"`
	// Since is when that was decided, by the clock.
	Since time.Time `json:"since,omitzero"`
	// Decided are the notifications that were taken and may come again, as no
	// epoch covers them.
	Decided []decision `json:"decided,omitempty"`
	Parties []*party   `json:"parties,omitempty"`
	Absent  []absence  `json:"absent,omitempty"`
	// Spared are the integrations for which somebody has dropped that it fires. They hear that
	// it is over: an earlier message may have told them.
	Spared []string `json:"spared,omitempty"`

	// partial is set where a notification of it was in the outbox and it was not: others
	// may have to know.
	partial bool
}

type decision struct {
	ID        string `json:"id"`
	WindowEnd int64  `json:"window_end"`
}

// A party is an integration that is to be told of an alert. It stays one until the
// alert is resolved, whatever becomes of the routes.
type party struct {
	Integration string `json:"integration"`
	// Told is the state in the newest notification that was queued for it, ""
	// before the first.
	Told alerts.State `json:"told,omitempty"`
	// Queued is when that was, In its id and WindowEnd its own.
	Queued    time.Time `json:"queued,omitzero"`
	In        string    `json:"in,omitempty"`
	WindowEnd int64     `json:"window_end,omitempty"`
	// Tried is set once it was tried to tell it that the alert fires: it may know.
	Tried bool `json:"tried,omitempty"`
	// Taken is set once it has taken that.
	Taken bool `json:"taken,omitempty"`
	// Retract is set where it is to be told again that the alert is over, since it should
	// not have fired.
	Retract bool `json:"retract,omitempty"`
	// For is the receiver whose fallback the integration is told as, "" if a route leads
	// to it.
	For string `json:"for,omitempty"`
	// Repeats is how often it was told again that the alert fires.
	Repeats int `json:"repeats,omitempty"`
	// Since is when the alert came into the state that it has.
	Since time.Time `json:"since,omitzero"`
	// Waits is since when it is not told what fired before a start, as the rules were not judged
	// since; zero where it was told.
	Waits time.Time `json:"waits,omitzero"`

	group *group // nil once it knows that the alert is resolved
}

// tell notes that the party is told the alert's state.
func (p *party) tell(in *entry, state alerts.State, now time.Time) {
	p.Retract, p.Waits = false, time.Time{}
	p.Told, p.Queued, p.In, p.WindowEnd = state, now, in.Notification.ID, in.Notification.WindowEnd
}

// untold reports whether the party was to be told that the alert fires, and what would have told it
// was taken back.
func (p *party) untold() bool { return p.Told == "" && p.In != "" }

// tried notes that an integration may know of the alerts that fire by a notification, or has
// taken it.
func (d *Deliverer) tried(e *entry, taken bool) {
	for _, n := range e.alerts() {
		a := d.accounts[n.Alert]
		if a == nil {
			continue
		}
		switch p := a.party(e.Integration); {
		case taken && d.sender(e.Integration) == nil:
			d.tookLeaving(a, e, &n)
		case n.Status == alerts.Firing && p != nil && (!p.Tried || taken):
			p.Tried, p.Taken = true, p.Taken || taken
			d.unwritten[a.key()] = a
		}
	}
}

const accountPrefix = "account/"

func (a *account) key() string { return accountPrefix + a.Notification.Alert }

func (a *account) encode() []byte { return encode(a) }

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // records are made of texts and numbers
	}
	return b
}

// knows reports whether a notification has been taken.
func (a *account) knows(id string) bool {
	return slices.ContainsFunc(a.Decided, func(d decision) bool { return d.ID == id })
}

// closed reports whether nobody is to be told any more, also of those who may come back, and
// nothing can come again of what was decided by then.
func (a *account) closed(windowEnd int64, now time.Time) bool {
	n := &a.Notification
	return n.Status == alerts.Resolved && max(n.WindowEnd, n.FinalAt) <= windowEnd &&
		!slices.ContainsFunc(a.Parties, func(p *party) bool { return p.group != nil }) &&
		!slices.ContainsFunc(a.Absent, func(v absence) bool { return v.lasts(now) })
}

// party is the alert's one of an integration, nil if it is not to know.
func (a *account) party(integration string) *party {
	if i := slices.IndexFunc(a.Parties, func(p *party) bool { return p.Integration == integration }); i >= 0 {
		return a.Parties[i]
	}
	return nil
}

// receive takes in what was decided, unless it is known.
func (d *Deliverer) receive(n alerts.Notification, now time.Time) {
	a := d.accounts[n.Alert]
	if a == nil {
		a = &account{}
		d.accounts[n.Alert] = a
	} else if a.knows(n.ID) {
		d.recall(a, &n)
		return
	}
	if n.Corrected && !d.retracts(a, n) {
		return
	}
	// An alert that is not known fired when nobody kept account of it.
	unknown := a.Notification.Alert == "" && n.Status == alerts.Resolved
	again := a.Notification.Status == alerts.Resolved && n.Status == alerts.Firing
	if again && a.Notification.Fingerprint != n.Fingerprint {
		d.close(a, now)
	}
	if a.Notification, a.Since = n, now; n.Status == alerts.Firing {
		a.Spared = nil
	}
	d.forward(&n, now)
	d.inhibit(a, now)
	a.Decided = slices.DeleteFunc(a.Decided, func(v decision) bool { return v.WindowEnd <= d.covered })
	a.Decided = append(a.Decided, decision{n.ID, n.WindowEnd})
	if len(a.Parties) == 0 || again && !a.outstanding() {
		d.routeAnew(a)
	} else if a.partial {
		d.route(a)
	}
	a.partial = false
	for _, p := range a.Parties {
		if p.Retract = p.Retract && n.Corrected; unknown {
			p.Told, p.Tried = alerts.Firing, true
		}
		if p.Told == alerts.Resolved && n.Status == alerts.Firing {
			p.Tried, p.Taken = false, false
		}
		p.Since = now
		d.join(a, p)
	}
	d.unwritten[a.key()] = a
}

// close has those who still think that an alert fires be told at once that it is over: it fires anew
// with other labels, as another one to them.
func (d *Deliverer) close(a *account, now time.Time) {
	for _, p := range a.Parties {
		if p.group != nil && a.stale(p) {
			d.check(p.group, now, true)
		}
	}
}

// retracts has those who were told that an alert fires, and perhaps that it is over, be told
// that it should not have. It reports whether the alert is over.
func (d *Deliverer) retracts(a *account, n alerts.Notification) bool {
	if a.Notification.Alert == "" { // nobody was told
		delete(d.accounts, n.Alert)
		return false
	}
	for _, p := range a.Parties {
		p.Retract = p.Told == alerts.Resolved
	}
	return true
}

// stale reports whether a party is to be told that the alert is over: also one that may know of it
// though it was silenced before that was sure.
func (a *account) stale(p *party) bool {
	return p.Told == alerts.Firing || p.Told == "" && p.Tried || p.Retract || a.spares(p)
}

// spares reports whether a party is told that the alert fires only where others are, too.
func (a *account) spares(p *party) bool {
	return p.Told == "" && slices.Contains(a.Spared, p.Integration)
}

// recall has those told anew whose notification was lost: a crash while the outbox worked
// may have left the account and not what it speaks of. Then what was decided comes again.
func (d *Deliverer) recall(a *account, n *alerts.Notification) {
	if a.Notification.ID != n.ID {
		return
	}
	for _, p := range a.Parties {
		if p.In == "" || p.Told != n.Status || p.WindowEnd < n.WindowEnd || d.entries[p.In+"/"+p.Integration] != nil {
			continue
		}
		p.In, p.Told = "", ""
		if n.Status == alerts.Resolved {
			p.Told = alerts.Firing
		}
		d.join(a, p)
		d.unwritten[a.key()] = a
	}
}

// inhibit notes what an alert's state is to others. If it holds some back, or did, all
// groups are to be looked at.
func (d *Deliverer) inhibit(a *account, now time.Time) {
	n := &a.Notification
	source := d.inhibition.Over(n.Alert)
	if n.Status == alerts.Firing {
		source = d.inhibition.Fires(n.Alert, n.Labels) || source
	}
	if source {
		d.review = now
	}
}

// outstanding reports whether an integration still thinks that the alert fires.
func (a *account) outstanding() bool {
	return slices.ContainsFunc(a.Parties, func(p *party) bool { return p.Told == alerts.Firing })
}

// route makes parties of the integrations that the alert reaches. One that several routes
// lead to is told by the first of them.
func (d *Deliverer) route(a *account) {
	for _, r := range d.routes.Match(a.Notification.Labels) {
		for _, s := range d.senders {
			if s.to.Receiver == r.Receiver && a.party(s.name) == nil {
				a.Parties = append(a.Parties, &party{Integration: s.name})
			}
		}
	}
}

// routeAnew has the routes decide again who is told of the alert. Who was to be told that it fires,
// and may know it, may know it still.
func (d *Deliverer) routeAnew(a *account) {
	before := a.Parties
	a.Parties = nil
	d.route(a)
	for _, p := range a.Parties {
		for _, b := range before {
			if b.Integration == p.Integration && b.Told == "" {
				p.Tried, p.In = b.Tried, b.In
			}
		}
	}
}

// way is the route by which an integration is told of an alert with such labels, a fallback
// that of the receiver it is for. One that no route leads to
// any more, and that is still to hear of the resolve, hears of it at once.
func (d *Deliverer) way(labels map[string]string, s *sender) *routing.Route {
	for _, r := range d.routes.Match(labels) {
		if r.Receiver == s.to.Receiver {
			return r
		}
	}
	for _, r := range d.routes.Match(labels) {
		if d.leads(r.Receiver, s.to.Receiver) {
			return r
		}
	}
	return routing.To(s.to.Receiver).Match(labels)[0]
}
