package kpi

import (
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
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
	lags := slices.DeleteFunc(slices.Clone(kind.numbers), func(n string) bool { return !strings.HasSuffix(n, "_ms") })
	switch {
	case field == "" || !known: // what is wrong was said
	case k.Horizon == 0 || !k.Keeps(Day):
		at.Fail("maturity", "goes with a business day that stays open", "keep day with a horizon, or leave it out")
	case len(lags) == 0:
		at.Fail(field, "is no number of these facts", "leave maturity out: they have no time in ms")
	case !slices.Contains(lags, field):
		at.Fail(field, "is no time in ms that these facts have", spelling.Meant(spelling.Nearest(field, lags), "give "+strings.Join(lags, " or ")))
	default:
		k.Maturity = &Measure{Op: Quantile, Field: field, Where: facts[0].Where}
	}
}
