package delivery

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/notify"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/alerts/routing"
)

// An entry is a notification for one integration, as the outbox keeps it. Once it
// is settled it only keeps older ones of its group from being sent, and itself
// from being sent again, until an epoch has passed its window end.
type entry struct {
	Integration string    `json:"webhook"` // its name
	Order       int64     `json:"order"`
	Queued      time.Time `json:"queued"`
	// Since is when the first one was queued that it stands in the place of, zero where
	// there is none.
	Since time.Time `json:"since,omitzero"`
	// Notification is that of an alert that is told by itself. Of a group it has
	// what stands for the whole: an id of its own, the group's in the place of the
	// alert's, the labels that all have.
	Notification alerts.Notification `json:"notification"`
	Group        *bundle             `json:"group,omitempty"`
	Settled      Outcome             `json:"settled,omitempty"`
	// Withdrawn is set where something of it was held back when it was settled, or its
	// integration was gone: it may be sent after all.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// GivenUp is when nobody had taken it for too long, or its integration was gone: then it
	// is kept whole for a while.
	GivenUp time.Time `json:"given_up,omitzero"`
	// Attempts, Tried and Error tell of the last attempt. They are written at
	// the first, second, fourth, eighth ...: enough to be listed by a later run.
	Attempts int       `json:"attempts,omitempty"`
	Tried    time.Time `json:"tried,omitzero"`
	Error    string    `json:"error,omitempty"`
	// Reasons are what Error says by codes.
	Reasons []reason.Reason `json:"reasons,omitempty"`

	// failures in a row in this run, refused if they were refusals.
	failures int
	refused  bool
	// alone is set if nothing else may go out in its message: it may be to blame for the
	// failure of an earlier one.
	alone bool
	// notBefore is the earliest time of the next attempt: for what an earlier run
	// left at once, as what was wrong may be mended.
	notBefore time.Time
}

// A bundle is what a notification says of its group.
type bundle struct {
	// Key and Labels are the group's.
	Key    string            `json:"key"`
	Labels map[string]string `json:"labels"`
	// Route are the labels of its route, as templates.
	Route map[string]string `json:"route,omitempty"`
	// Reason is why it is sent, in Alertmanager's words.
	Reason string `json:"reason"`
	// Alerts are those of a group of several, in order.
	Alerts []alerts.Notification `json:"alerts,omitempty"`
}

// sort puts the alerts in order.
func (b *bundle) sort() {
	all := make([]*alerts.Notification, len(b.Alerts))
	for i := range b.Alerts {
		all[i] = &b.Alerts[i]
	}
	inOrder(all)
	out := make([]alerts.Notification, len(all))
	for i, n := range all {
		out[i] = *n
	}
	b.Alerts = out
}

// alone is the bundle of an alert that is told by itself, whatever the routes say.
func alone(n *alerts.Notification) *bundle {
	reason := notify.ReasonFirstNotification
	if n.Status == alerts.Resolved {
		reason = notify.ReasonAllAlertsResolved
	}
	return &bundle{Key: "{}:" + routing.Text(n.Labels), Labels: n.Labels, Reason: reason.String()}
}

func (e *entry) key() string { return e.Notification.ID + "/" + e.Integration }

func (e *entry) encode() []byte { return encode(e) }

// group is the id of the group that it is of.
func (e *entry) group() string { return knownBy(&e.Notification) }

// knownBy is what receivers know an alert by, which are its labels, and a group by its id.
func knownBy(n *alerts.Notification) string { return cmp.Or(n.Fingerprint, n.Alert) }

// alerts are those that the notification tells of.
func (e *entry) alerts() []alerts.Notification {
	if e.Group == nil || len(e.Group.Alerts) == 0 {
		return []alerts.Notification{e.Notification}
	}
	return e.Group.Alerts
}

// told are the ids of the alerts that the notification tells of.
func (e *entry) told() map[string]bool {
	out := map[string]bool{}
	for _, n := range e.alerts() {
		out[n.Alert] = true
	}
	return out
}

// head makes what stands for the whole of a group of several.
func (e *entry) head(group string) {
	e.Group.sort()
	all := e.Group.Alerts
	parts := []string{group}
	n := alerts.Notification{Alert: group, Status: alerts.Resolved, Labels: common(all, labelsOf), Link: all[0].ExternalURL, ExternalURL: all[0].ExternalURL}
	for i, a := range all {
		parts = append(parts, a.ID)
		if i == 0 || a.StartsAt.Before(n.StartsAt) {
			n.StartsAt = a.StartsAt
		}
		n.WindowEnd = max(n.WindowEnd, a.WindowEnd)
		if a.Status == alerts.Firing {
			n.Status = alerts.Firing
		}
	}
	slices.Sort(parts[1:])
	n.Rule, n.ID = n.Labels["alertname"], digest(parts...)
	e.Notification = n
}

func labelsOf(n *alerts.Notification) map[string]string { return n.Labels }

// common are the pairs that all have.
func common(all []alerts.Notification, of func(*alerts.Notification) map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range of(&all[0]) {
		if !slices.ContainsFunc(all[1:], func(n alerts.Notification) bool { v, ok := of(&n)[name]; return !ok || v != value }) {
			out[name] = value
		}
	}
	return out
}

// settle makes the entry as small as it can be.
func (e *entry) settle(as Outcome) *entry {
	n := e.Notification
	return &entry{Integration: e.Integration, Order: e.Order, Settled: as, Withdrawn: e.Withdrawn, Notification: alerts.Notification{ID: n.ID, Alert: n.Alert, Fingerprint: n.Fingerprint, WindowEnd: n.WindowEnd}}
}

// revive has a settled entry of a group tell some of what one before it does.
func (e *entry) revive(before *entry, told []alerts.Notification) {
	group, id := *before.Group, e.Notification.ID
	group.Alerts = told
	e.Settled, e.Withdrawn, e.Queued, e.Group = "", false, before.Queued, &group
	e.head(e.group())
	e.Notification.ID = id
}

// giveUpAfter is how long a notification is tried. An alert of last week helps
// nobody, and what is never taken must not pile up.
const giveUpAfter = 7 * 24 * time.Hour
