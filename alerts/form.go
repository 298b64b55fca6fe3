package alerts

import (
	"maps"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A rule has one of two forms: a selector compared with a number, whose alerts are told apart
// by the fields of its dimension set, or an expression, whose are by all labels of a result.
// To receivers the alerts of a series have the same labels in both, the currency among them,
// so that they go on through an edit from one form to the other.

// windowName is the window of the rule's selector, "" of an expression.
func (r *rule) windowName() string {
	if r.queried() {
		return ""
	}
	return r.selector.window.String()
}

// adopts reports whether an alert is of one of the rule's series. One that comes from the
// other form is of the rule's own from then on, by the id that receivers' accounts know.
func (r *rule) adopts(a *alert) bool {
	fields, series, currency := a.fields, a.series, a.currency
	switch {
	case r.queried() && a.window != "":
		fields, series = expressed(fields, series, currency, a.window)
		currency = ""
	case !r.queried() && a.window == "" && !slices.Equal(r.by, fields):
		series = choose(r.by, fields, series)
		if r.kpi.ByCurrency(r.by) {
			currency = choose([]string{kpi.CurrencyField}, a.fields, a.series)[0]
		}
		if names, values := expressed(r.by, series, currency, r.windowName()); !slices.Equal(names, a.fields) || !slices.Equal(values, a.series) {
			return false
		}
		fields = r.by
	}
	if !r.queried() && (!slices.Equal(r.by, fields) || !r.selects(series) || currency != "" && !matches(r.currency, currency)) {
		return false
	}
	if !slices.Equal(fields, a.fields) {
		a.known = a.id()
		a.fields, a.series, a.currency, a.window = fields, series, currency, r.windowName()
	}
	return true
}

// expressed are the labels of a selector's series as a result of an expression has them: by
// name, and those that are not empty.
func expressed(fields, series []string, currency, window string) (names, values []string) {
	labels := map[string]string{"by": kpi.Set(fields).String(), "window": window, kpi.CurrencyField: currency}
	for i, f := range fields { // the currency may be one
		labels[f] = series[i]
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if labels[name] != "" {
			names, values = append(names, name), append(values, labels[name])
		}
	}
	return names, values
}

// choose is the values of some fields, in their order, "" of what is not there.
func choose(of, fields, series []string) []string {
	out := make([]string, len(of))
	for i, f := range of {
		if at := slices.Index(fields, f); at >= 0 {
			out[i] = series[at]
		}
	}
	return out
}
