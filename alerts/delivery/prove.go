package delivery

import (
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// Doubts reports whether it is to be told by Prove which alerts fire: there are some that
// fired when an earlier run ended, and of which this one has not seen yet that they still
// do, or none may be known of those that fire since a rebuild.
func (d *Deliverer) Doubts() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.doubtful) > 0 || !d.proved
}

// unjudged is for how long after a start nothing of an earlier run is told if the rules are
// not judged: who is told of nothing takes silence for good news.
const unjudged = 5 * time.Minute

// Judged says that the rules were evaluated since the start, as of about now.
func (d *Deliverer) Judged() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.o.Unjudged = false
}

// Prove is told which alerts fire as of an event time (Unix milliseconds) that an epoch
// covers. Others that fired before and are in doubt are resolved: the rules were edited,
// or what they read is another, after a crash that lost what had been decided.
func (d *Deliverer) Prove(firing []alerts.Notification, at int64) error {
	d.deciding.take()
	defer d.deciding.leave()
	told, untold := d.disproved(firing, at)
	d.take(told, time.Now())
	d.history.Take(slices.Concat(untold, firing))
	defer d.rouse()
	if err := d.writeOut(); err != nil {
		return err
	}
	return d.lapse()
}

// disproved are resolves of what does not fire any more: those of alerts that have an
// account, and those that the history alone knows.
func (d *Deliverer) disproved(firing []alerts.Notification, at int64) (told, untold []alerts.Notification) {
	fires := make(map[string]bool, len(firing))
	for _, n := range firing {
		fires[n.Alert] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.proved = true
	past := map[string]alerts.Notification{}
	for _, e := range d.history.Firing() {
		past[e.Alert] = e.Notification()
	}
	for id := range d.doubtful {
		n, known := past[id]
		a := d.accounts[id]
		if a != nil {
			n, known = a.Notification, true
		}
		if known && n.Status == alerts.Firing {
			if n.WindowEnd > at {
				continue // decided later: it may still come again
			}
			resolved := n.ResolvedAt(at, reason.NoRuleFires)
			switch {
			case fires[id]:
			case a != nil:
				told = append(told, resolved)
			default:
				untold = append(untold, resolved)
			}
		}
		delete(d.doubtful, id)
	}
	return told, untold
}
