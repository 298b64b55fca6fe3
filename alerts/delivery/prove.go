package delivery

import (
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// Doubts reports whether there are alerts that fired when an earlier run ended, and of
// which this one has not seen yet that they still do.
func (d *Deliverer) Doubts() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.doubtful) > 0
}

// Prove is told which alerts fire as of an event time (Unix milliseconds) that an epoch
// covers. Others that fired before and are in doubt are resolved: the rules were edited,
// or what they read is another, after a crash that lost what had been decided.
func (d *Deliverer) Prove(firing []alerts.Notification, at int64) error {
	d.deciding.take()
	defer d.deciding.leave()
	d.take(d.disproved(firing, at), time.Now())
	defer d.rouse()
	return d.settleUp()
}

func (d *Deliverer) disproved(firing []alerts.Notification, at int64) (out []alerts.Notification) {
	fires := make(map[string]bool, len(firing))
	for _, n := range firing {
		fires[n.Alert] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.doubtful {
		a := d.accounts[id]
		if a != nil && a.Notification.Status == alerts.Firing {
			if a.Notification.WindowEnd > at {
				continue // decided later: it may still come again
			}
			if !fires[id] {
				out = append(out, a.Notification.ResolvedAt(at, "after a restart no rule has it fire"))
			}
		}
		delete(d.doubtful, id)
	}
	return out
}
