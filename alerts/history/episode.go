package history

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// An Episode is one time that an alert fired, from then until it was resolved.
type Episode struct {
	// ID is the same for the same decision, however often it is taken.
	ID string `json:"id"`
	// Alert is the same for all episodes of one alert.
	Alert string       `json:"alert"`
	Group string       `json:"group"`
	Rule  string       `json:"rule"`
	State alerts.State `json:"state"` // Firing or Resolved
	// Labels are those of the series and of the rule, with alertname.
	Labels map[string]string `json:"labels"`
	// ActiveAt is since when the condition held, FiredAt when the alert fired, ResolvedAt
	// when it was over: zero while it fires. They are event time.
	ActiveAt   alerts.Time `json:"active_at"`
	FiredAt    alerts.Time `json:"fired_at"`
	ResolvedAt alerts.Time `json:"resolved_at"`
	// Corrected is set where late events have shown that it should not have fired,
	// CorrectedAt when that was decided, in event time.
	Corrected   bool        `json:"corrected"`
	CorrectedAt alerts.Time `json:"corrected_at"`
	// Subject is what the figures among the annotations are of; nil where that is not known.
	Subject *alerts.Subject `json:"subject,omitempty"`
	// Annotations are those of the notification that it fires, with the figures;
	// ResolvedAnnotations those of the one that it is resolved, nil before.
	Annotations         map[string]string `json:"annotations"`
	ResolvedAnnotations map[string]string `json:"resolved_annotations"`
	// Hold is what held it back at any time while it fired.
	alerts.Hold
	// Told are those who were told, or could not be, in the order in which that was known.
	Told []Telling `json:"told"`
}

// Corrected is what people are told of an alert that should not have fired.
const Corrected alerts.State = "corrected"

// A Telling is how it went to tell one integration of a state.
type Telling struct {
	Receiver string       `json:"receiver"` // the integration's name
	Status   alerts.State `json:"status"`   // Firing, Resolved or Corrected
	Outcome  string       `json:"outcome"`  // delivered or failed
	At       alerts.Time  `json:"at"`
	Error    string       `json:"error"`
	// Reasons are what Error says by codes.
	Reasons []reason.Reason `json:"reasons,omitempty"`
}

// idOf is the id of the episode that a notification is of.
func idOf(n *alerts.Notification) string {
	return n.Alert + "-" + strconv.FormatInt(n.StartsAt.UnixMilli(), 36)
}

// begin is the episode of a notification, before it is known how it ends.
func begin(n *alerts.Notification) Episode {
	return Episode{
		ID: idOf(n), Alert: n.Alert, Group: n.Group, Rule: n.Rule, State: alerts.Firing, Labels: n.Labels,
		ActiveAt: alerts.Time{Time: n.ActiveAt}, FiredAt: alerts.Time{Time: n.StartsAt}, Subject: n.Subject, Annotations: n.Annotations,
		Hold: alerts.Hold{SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}}, Told: []Telling{},
	}
}

// end notes that it is resolved.
func (e *Episode) end(at alerts.Time, annotations map[string]string) {
	e.State, e.ResolvedAt, e.ResolvedAnnotations = alerts.Resolved, at, annotations
}

// resolve notes what was decided of its end. That it was corrected is the last word.
func (e *Episode) resolve(n *alerts.Notification) (changed bool) {
	if e.Corrected && !n.Corrected {
		return false
	}
	if e.Corrected = n.Corrected; e.Corrected {
		e.CorrectedAt = alerts.Time{Time: time.UnixMilli(n.WindowEnd)}
	}
	e.end(alerts.Time{Time: n.EndsAt}, n.Annotations)
	return true
}

// hold adds what holds it back.
func (e *Episode) hold(h alerts.Hold) {
	e.SilencedBy, e.MutedBy = union(e.SilencedBy, h.SilencedBy), union(e.MutedBy, h.MutedBy)
	e.InhibitedBy, e.InhibitedByRules = union(e.InhibitedBy, h.InhibitedBy), union(e.InhibitedByRules, h.InhibitedByRules)
}

func union(a, b []string) []string {
	for _, one := range b {
		if !slices.Contains(a, one) {
			a = append(a, one)
		}
	}
	return a
}

// tell adds how it went to tell an integration. That it was told stays as it was the
// first time.
func (e *Episode) tell(t Telling) (changed bool) {
	i := slices.IndexFunc(e.Told, func(o Telling) bool { return o.Receiver == t.Receiver && o.Status == t.Status })
	switch {
	case i < 0:
		e.Told = append(e.Told, t)
	case e.Told[i].Error == "":
		return false
	default:
		e.Told[i] = t
	}
	return true
}

// Notification is the last one of the episode, as far as it is kept.
func (e *Episode) Notification() alerts.Notification {
	n := alerts.Notification{
		Alert: e.Alert, Group: e.Group, Rule: e.Rule, Status: e.State, Labels: e.Labels, Subject: e.Subject, Annotations: maps.Clone(e.Annotations),
		ActiveAt: e.ActiveAt.Time, StartsAt: e.FiredAt.Time, EndsAt: e.ResolvedAt.Time, Link: e.Annotations["link"],
	}
	n.WindowEnd = cmp.Or(max(e.ResolvedAt.UnixMilli(), 0), e.FiredAt.UnixMilli())
	return n
}
