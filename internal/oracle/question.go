package oracle

import (
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Question is a query of one KPI as GET /api/v1/kpis/{name} takes it, or with
// To its range.
type Question struct {
	KPI    *kpi.KPI
	By     kpi.Set
	Window kpi.Window
	// Match keeps the series with these label values, by field of By.
	Match map[string]string
	// At asks for the newest window that ends by then (Unix milliseconds). Zero
	// is the live window.
	At int64
	// From and To ask for all windows that end in (From, To].
	From, To int64
}

// literal keeps a value from being read as several, or as an expression.
var literal = strings.NewReplacer(`\`, `\\`, ",", `\,`, "~", `\~`)

// Path is the request.
func (q *Question) Path() string {
	values := url.Values{"window": {q.Window.String()}, "by": {q.By.String()}}
	for f, text := range q.Match {
		values.Set(f, literal.Replace(text))
	}
	path := "/api/v1/kpis/" + q.KPI.Name
	switch {
	case q.To != 0:
		path += "/range"
		values.Set("from", fmt.Sprint(q.From))
		values.Set("to", fmt.Sprint(q.To))
	case q.At != 0:
		values.Set("at", fmt.Sprint(q.At))
	}
	return path + "?" + values.Encode()
}

// String is the question as a scenario script asks it.
func (q *Question) String() string {
	parts := []string{"window=" + q.Window.String(), "by=" + q.By.String()}
	for _, f := range slices.Sorted(maps.Keys(q.Match)) {
		parts = append(parts, fmt.Sprintf("%s=%q", f, q.Match[f]))
	}
	if q.To != 0 {
		parts = append(parts, fmt.Sprintf("from=%d, to=%d", q.From, q.To))
	}
	text := q.KPI.Name + "{" + strings.Join(parts, ", ") + "}"
	switch {
	case q.To != 0:
		return "range " + text
	case q.At != 0:
		return fmt.Sprintf("at %d %s", q.At, text)
	}
	return "live " + text
}

// scale is the unit of a measure's numbers.
func scale(m *kpi.Measure) int64 {
	if m != nil && m.Op.OfField() && (m.Number != nil || !kpi.Integer(m.Field)) {
		return kpi.Scale
	}
	return 1
}

// rat is a number of the measure as it is shown.
func rat(n *big.Int, m *kpi.Measure) *big.Rat {
	return new(big.Rat).SetFrac(n, big.NewInt(scale(m)))
}

// numerator is a sample's, of which something may be taken off.
func numerator(s *Sample, k *kpi.KPI) *big.Rat {
	if k.Minus != nil && scale(k.Minus) > scale(&k.Numerator) {
		return rat(s.Numerator, k.Minus)
	}
	return rat(s.Numerator, &k.Numerator)
}

// Shown is the numerator and the denominator of a sample as they are shown.
func (s *Sample) Shown(k *kpi.KPI) (num, den *big.Rat) {
	return numerator(s, k), rat(s.Denominator, k.Denominator)
}

// scaled is a ratio's numerator times its scale.
func scaled(n *big.Rat, k *kpi.KPI) *big.Rat {
	if k.Scale == 0 {
		return n
	}
	return new(big.Rat).Mul(n, big.NewRat(k.Scale, kpi.Scale))
}

// Value is what one of the counted events has in the field.
func (o *Oracle) Value(field string, pick func(n int) int) string {
	if len(o.rows) == 0 {
		return kpi.None
	}
	return label(&o.rows[pick(len(o.rows))], field)
}
