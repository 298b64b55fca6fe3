package backtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// MaxAlerts is how many alerts a Report has at most.
const MaxAlerts = 10_000

// ErrAlerts says that there are more.
var ErrAlerts = fmt.Errorf("there are more than %d alerts", MaxAlerts)

// A Basis is what a verdict rests on.
type Basis string

// The bases.
const (
	// AsKnownThen is the stream, in the order in which it came.
	AsKnownThen Basis = "as known then"
	// BySealedValues is history as it is in the end.
	BySealedValues Basis = "by sealed values"
)

// An Incident is an alert that fired.
type Incident struct {
	Group       string            `json:"group"`
	Rule        string            `json:"rule"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"` // as it fired
	FiredAt     alerts.Time       `json:"fired_at"`
	// ResolvedAt is null where it still fires in the end.
	ResolvedAt alerts.Time `json:"resolved_at"`
	// Corrected is set where late events have shown that it should not have fired.
	Corrected bool `json:"corrected"`
	// Judged is what it rests on that it fired.
	Judged Basis `json:"judged"`
	// Notifications are those of it.
	Notifications int `json:"notifications"`
}

// A Verdict is what comes of a rule.
type Verdict struct {
	Group string `json:"group"`
	Rule  string `json:"rule"`
	Fired int    `json:"fired"`
	// Seconds is for how long it fired, over all its alerts.
	Seconds   float64 `json:"firing_seconds"`
	LastError string  `json:"last_error"`
	// KnownFrom is from when on it was judged as known then: null for never.
	KnownFrom alerts.Time `json:"known_from"`
	// Because is why it was not from the beginning on.
	Because string `json:"sealed_because"`
}

// A Report is what comes of rules.
type Report struct {
	From          alerts.Time `json:"from"`
	To            alerts.Time `json:"to"`
	Step          float64     `json:"step_seconds"` // between verdicts by sealed values
	Rules         []Verdict   `json:"rules"`
	Alerts        []Incident  `json:"alerts"` // by when they fired
	Notifications int         `json:"notifications"`
	// Definitions tell apart what was judged: those of the service and its timing.
	Definitions string `json:"definitions"`

	last map[string]int // the last incident, by alert
}

// NewReport is one without incidents.
func NewReport(from, to time.Time, step time.Duration) *Report {
	return &Report{
		From: alerts.Time{Time: from}, To: alerts.Time{Time: to}, Step: step.Seconds(),
		Rules: []Verdict{}, Alerts: []Incident{}, last: map[string]int{},
	}
}

// RestsOnSealed reports whether any of its rules is judged by sealed values at any time.
func (r *Report) RestsOnSealed() bool {
	return slices.ContainsFunc(r.Rules, func(v Verdict) bool { return !v.KnownFrom.Equal(r.From.Time) })
}

// Take notes what was decided. The error is an ErrAlerts.
func (r *Report) Take(n alerts.Notification, basis Basis) error {
	if n.Status == alerts.Firing {
		if len(r.Alerts) == MaxAlerts {
			return fmt.Errorf("%w by %s: have the rules fire less often, or ask for less time", ErrAlerts, n.StartsAt.UTC().Format(time.RFC3339))
		}
		r.last[n.Alert] = len(r.Alerts)
		r.Alerts = append(r.Alerts, Incident{
			Group: n.Group, Rule: n.Rule, Labels: n.Labels, Annotations: n.Annotations, FiredAt: alerts.Time{Time: n.StartsAt}, Judged: basis,
		})
	}
	if i, ok := r.last[n.Alert]; ok && r.Alerts[i].FiredAt.Equal(n.StartsAt) {
		a := &r.Alerts[i]
		a.Corrected = a.Corrected || n.Corrected
		a.Notifications++
		r.Notifications++
		if n.Status == alerts.Resolved {
			a.ResolvedAt = alerts.Time{Time: n.EndsAt}
		}
	}
	return nil
}

// Judge sums up by rule, those of a status of which it is the end.
func (r *Report) Judge(s alerts.Status) {
	for _, rule := range s.Rules {
		r.Rules = append(r.Rules, Verdict{Group: rule.Group, Rule: rule.Name, LastError: rule.LastError})
	}
	r.sum(s)
}

// sum counts what the verdicts are of.
func (r *Report) sum(s alerts.Status) {
	for i := range r.Rules {
		r.Rules[i].Fired, r.Rules[i].Seconds = 0, 0
	}
	for _, a := range r.Alerts {
		i := a.rule(s)
		if i < 0 {
			continue
		}
		end := a.ResolvedAt.Time
		if end.IsZero() {
			end = r.To.Time
		}
		r.Rules[i].Fired++
		r.Rules[i].Seconds += end.Sub(a.FiredAt.Time).Seconds()
	}
}

// rule is the place of the alert's rule among those of a status, -1 for none.
func (a *Incident) rule(s alerts.Status) int {
	for i, rule := range s.Rules {
		if a.Group == rule.Group && a.Rule == rule.Name && a.has(rule.Of.Labels) {
			return i
		}
	}
	return -1
}

// has reports whether an alert has the labels of a rule, which tell those of one name
// apart. What a template comes to is not looked at.
func (a *Incident) has(labels map[string]string) bool {
	for name, text := range labels {
		if !strings.Contains(text, "{{") && a.Labels[name] != text {
			return false
		}
	}
	return true
}
