package alerts

import (
	"fmt"
	"maps"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// An alert is a series of a rule that is pending or firing.
type alert struct {
	rule *rule // nil for one that is gone
	// because is why one without a rule is over.
	because string
	group   string
	name    string
	which   string
	alone   bool
	fields  []string // of the dimension set
	series  []string // the values of the fields
	// currency is that of an amount whose rule is a selector, "" where nothing was in any yet,
	// or where a field or a label says it.
	currency string
	// window is that of a series whose rule is a selector, "" of an expression.
	window string
	// known is the id that it has from an earlier form or group of its rule, "" for none.
	known string
	state State
	// labels are filled in when the alert comes to be pending, nil before, and anew when it
	// fires: from then on they are fixed, so that its resolve finds it.
	labels map[string]string
	// annotations are those of the last notification, nil while nobody was told.
	annotations map[string]string
	// subject is that of the last notification, change what it explains.
	subject  *Subject
	change   *Change
	activeAt int64
	firedAt  int64
	// okSince is when the condition was gone, 0 while it holds.
	okSince    int64
	resolvedAt int64
	// met is set if the condition itself held at the last evaluation, whatever keeps the
	// alert firing.
	met bool
	// end is the event time by whose window the alert that fired is judged again, 0 for none.
	// stood is set once that is past: the condition held there, by what was known.
	end   int64
	stood bool
	// sample is the one of the last decision; seen is unset after a restart.
	sample sample.Sample
	// number is what the expression of a rule that is queried came to last; past is set if it
	// comes to nothing any more.
	number *float64
	past   bool
	seen   bool
	// judged is the last evaluation that had its series, decided the last that
	// could judge it.
	judged, decided int64
	// stale is the event time from which on it could not, 0 for none.
	stale int64
}

func (r *rule) activate(fields, series []string, now int64) *alert {
	return &alert{
		rule: r, group: r.group, name: r.Alert, which: r.which, alone: r.alone,
		fields: fields, series: series, window: r.windowName(), state: Pending, activeAt: now, judged: now,
	}
}

// id is the same for all notifications of the alert.
func (a *alert) id() string {
	if a.known != "" {
		return a.known
	}
	return idOf(a.group, a.name, a.identity())
}

// identity tells the alerts of a group and rule apart.
func (a *alert) identity() string {
	var key []byte
	if !a.alone {
		key = []byte(a.which)
	}
	for i, f := range a.fields {
		key = fmt.Appendf(key, "\xff%s\xff%s", f, a.series[i])
	}
	if a.currency != "" {
		key = fmt.Appendf(key, "\xff%s\xff%s", kpi.CurrencyField, a.currency)
	}
	return string(key)
}

// seriesLabels are the labels of a series, as templates see them.
func (a *alert) seriesLabels() map[string]string {
	out := map[string]string{}
	if r := a.rule; !r.queried() {
		out["by"], out["window"] = r.by.String(), r.selector.window.String()
	}
	for i, f := range a.fields {
		out[f] = a.series[i]
	}
	if a.currency != "" {
		out[kpi.CurrencyField] = a.currency
	}
	return out
}

// value is what the rule compares, if it is known.
func (a *alert) value() (float64, bool) {
	if !a.rule.queried() {
		return a.rule.value(&a.sample)
	}
	if a.number == nil || a.past {
		return 0, false
	}
	return *a.number, true
}

// templateData is what templates read, but for what they ask.
func (e *Engine) templateData(a *alert) templateData {
	d := templateData{series: a.seriesLabels(), externalURL: e.o.ExternalURL, external: e.o.ExternalLabels}
	d.labels = maps.Clone(d.series)
	if a.sample.Currency != "" {
		d.labels[kpi.CurrencyField] = a.sample.Currency
	}
	if d.value, _ = a.value(); a.number != nil {
		d.value = *a.number
	}
	return d
}

// deadline is when the alert changes if its series does not.
func (a *alert) deadline() (int64, bool) {
	switch {
	case a.state == Pending:
		return a.activeAt + a.rule.For.Milliseconds(), true
	case a.okSince != 0:
		return a.okSince + a.rule.KeepFiringFor.Milliseconds(), true
	}
	return 0, false
}
