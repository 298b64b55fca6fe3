package delivery

import (
	"maps"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// prompt is within which time an alert is told as it was decided. Whatever goes out later,
// because it was held back, waited for its group or its receiver, or is told again, is told as
// it stands by then, at every attempt, by the id that it has.
const prompt = 5 * time.Second

// standingNow are notifications with the alerts that are told late as they stand.
func (d *Deliverer) standingNow(batch []*entry, now time.Time) []*entry {
	var all []alerts.Notification
	for _, e := range batch {
		all = append(all, e.alerts()...)
	}
	late := d.late(all, now)
	out := slices.Clone(batch)
	for i, e := range batch {
		if !slices.ContainsFunc(e.alerts(), func(n alerts.Notification) bool { return late[n.ID] }) {
			continue
		}
		told := slices.Clone(e.alerts())
		for j, n := range told {
			if late[n.ID] {
				told[j] = d.stands(n)
			}
		}
		sent := *e
		if out[i] = &sent; e.Group == nil || len(e.Group.Alerts) == 0 {
			sent.Notification = told[0]
			continue
		}
		group := *e.Group
		sent.Group, group.Alerts = &group, told
	}
	return out
}

// stands is a notification as it stands, with what a fallback is told beside it.
func (d *Deliverer) stands(n alerts.Notification) alerts.Notification {
	out := d.o.Standing(n)
	if by := n.Annotations[notTakenBy]; by != "" {
		out.Annotations = maps.Clone(out.Annotations)
		out.Annotations[notTakenBy] = by
	}
	return out
}

// late are the ids of those that fire and were decided too long ago to be told as they were.
func (d *Deliverer) late(all []alerts.Notification, now time.Time) map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]bool{}
	for _, n := range all {
		if a := d.accounts[n.Alert]; n.Status == alerts.Firing && a != nil && now.Sub(a.Since) > prompt {
			out[n.ID] = true
		}
	}
	return out
}
