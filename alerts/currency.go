package alerts

import (
	"cmp"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// An amount is in a currency, which is a label of its series where no field of these says it,
// and so of its alerts: in another currency it is another alert. A window has amounts in one
// currency, in several, which is no value, or in none yet. So a series has one alert at a time.

// currencyOf is what a sample's alert is named by: where nothing is in any currency yet, the
// only one that the rule takes.
func (r *rule) currencyOf(s *sample.Sample) string {
	if !r.kpi.ByCurrency(r.by) {
		return ""
	}
	return cmp.Or(s.Currency, sole(r.currency))
}

// sole is the only value that matchers take, "" where there may be others.
func sole(ms []*labels.Matcher) string {
	for _, m := range ms {
		if m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// inOther reports whether the amounts of a series are in another currency than its alert.
func (a *alert) inOther(currency string) bool {
	return a != nil && a.currency != "" && currency != "" && a.currency != currency
}

// name gives a pending alert the currency that its series has come to have. One that fires is
// known to receivers as it is.
func (e *Engine) name(a *alert, s *sample.Sample) {
	if a.state == Pending && a.currency == "" {
		if a.currency = a.rule.currencyOf(s); a.currency != "" {
			e.saved = nil
		}
	}
}

// leave ends an alert in whose currency nothing is any more.
func (e *Engine) leave(a *alert, now int64, out []telling) []telling {
	delete(a.rule.active, a.rule.key(a))
	e.saved, e.moves = nil, true
	e.meets(a, false)
	if a.state != Firing {
		a.state = Inactive
		return out
	}
	e.see(a, &sample.Sample{Null: a.rule.kpi.Nullable(), Currency: a.currency}, now)
	a.state, a.resolvedAt = Resolved, now
	t := e.notify(a, now)
	t.ours = map[string]string{"resolved_because": reason.OtherCurrency}
	return append(out, t)
}
