package kpi

import (
	"slices"

	"github.com/tidewatch/tidewatch/internal/document"
)

// MaturityDays are how many days that are final say how soon facts become known: the
// newest ones, the empty ones among them.
const MaturityDays = 28

// readMaturity reads by which number of its facts an open business day says how much of
// what is expected of it is in. The facts are those of the first part that measures any.
func (k *KPI) readMaturity(m document.Mapping) {
	at, ok := m.Get("maturity")
	facts := k.Facts()
	if !ok || len(facts) == 0 {
		return
	}
	field := at.Text()
	kinds := k.From.kinds()
	kind, known := kinds[kinds.of(facts[0].Where)]
	lag, matures := kind.lag()
	switch {
	case field == "" || !known: // what is wrong was said
	case k.Horizon == 0 || !k.Keeps(Day):
		at.Fail("maturity", "goes with a business day that stays open", "keep day with a horizon, or leave it out")
	case !matures:
		at.Fail("maturity", "does not go with these facts", "leave it out: they do not say how long after what decides on their day they are known")
	case field != lag:
		at.Fail(field, "is not how long after what decides on their day these facts are known", "give "+lag)
	default:
		k.Maturity = &Measure{Op: Quantile, Field: field, Where: facts[0].Where}
	}
}

// lag is the number that is the time from what decides on the day of such a fact to the
// instant at which it becomes known, if that may be on a later day.
func (k factKind) lag() (field string, ok bool) {
	for _, field := range []string{LagField, SinceFirstField} {
		if k.later > 0 && slices.Contains(k.numbers, field) {
			return field, true
		}
	}
	return "", false
}
