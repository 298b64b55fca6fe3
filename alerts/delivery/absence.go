package delivery

import (
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// An absence is what an integration that is no longer configured was told of an alert: one of
// its name that comes within keptFor goes on from there.
type absence struct {
	party
	// Left is when it went, StartsAt since when the alert fired that it was told of.
	Left     time.Time `json:"left"`
	StartsAt time.Time `json:"starts_at"`
}

// lasts reports whether the integration may still come back to it.
func (v absence) lasts(now time.Time) bool { return now.Sub(v.Left) < keptFor }

// depart has the parties be absent whose integrations are gone, as far as these were told
// something themselves.
func (d *Deliverer) depart(a *account, now time.Time) {
	a.Parties = slices.DeleteFunc(a.Parties, func(p *party) bool {
		if d.sender(p.Integration) != nil {
			return false
		}
		if p.Told == alerts.Firing && p.In != "" || p.Told == "" && p.Taken {
			left := *p
			left.Told, left.Tried, left.group = alerts.Firing, true, nil
			a.Absent = append(a.Absent, absence{left, now, a.Notification.StartsAt})
		}
		d.unwritten[a.key()] = a
		return true
	})
}

// comeBack has the absent be parties whose integrations are there again. What they know of an
// alert that has fired anew since is out of date.
func (d *Deliverer) comeBack(a *account, now time.Time) {
	a.Absent = slices.DeleteFunc(a.Absent, func(v absence) bool {
		back := d.sender(v.Integration) != nil
		if !back && v.lasts(now) {
			return false
		}
		if back && v.lasts(now) && a.party(v.Integration) == nil {
			p := v.party
			if a.Notification.Status == alerts.Firing && !a.Notification.StartsAt.Equal(v.StartsAt) {
				p.Told, p.Tried, p.Taken = "", false, false
			}
			a.Parties = append(a.Parties, &p)
		}
		d.unwritten[a.key()] = a
		return true
	})
}

// tookLeaving notes that an integration has taken what was on its way when it went.
func (d *Deliverer) tookLeaving(a *account, e *entry, n *alerts.Notification) {
	a.Absent = slices.DeleteFunc(a.Absent, func(v absence) bool { return v.Integration == e.Integration })
	if n.Status == alerts.Firing {
		p := party{Integration: e.Integration, Tried: true, Taken: true, Since: e.Queued}
		p.tell(e, n.Status, e.Queued)
		a.Absent = append(a.Absent, absence{p, time.Now(), n.StartsAt})
	}
	d.unwritten[a.key()] = a
}
