package plugin

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// Parts of a figure.
const (
	partValue       = "value"
	partNumerator   = "numerator"
	partDenominator = "denominator"
	partN           = "n"
	partLow         = "low"
	partHigh        = "high"
)

// Labels that mean something: of a currency, and of what a series is that another one is
// held against.
const (
	currencyLabel = kpi.CurrencyField
	compareLabel  = "compare"
)

// shown is a KPI as a query wants it shown.
type shown struct {
	*client.Definition
	query  *Query
	window kpi.Window
	days   *kpi.Calendar
	lang   look.Language
}

// parts are those that are shown: the one that is asked for, and with bounds these.
func (s *shown) parts() []string {
	list := []string{s.query.Value}
	if s.query.Bounds {
		for _, bound := range []string{partLow, partHigh} {
			if !slices.Contains(list, bound) {
				list = append(list, bound)
			}
		}
	}
	return list
}

// bounded reports whether low or high is shown.
func (s *shown) bounded() bool {
	return s.query.Bounds || s.query.Value == partLow || s.query.Value == partHigh
}

// fieldName names a part as PromQL names its series.
func (s *shown) fieldName(part string) string {
	if part == partValue {
		return s.Name
	}
	return s.Name + "_" + part
}

// amount reports whether a part is an amount of money.
func (s *shown) amount(part string) bool {
	return s.Unit == kpi.UnitMoney && part != partDenominator && part != partN
}

// mixed reports whether an amount is null where several currencies meet: of 0/0 there is a
// numerator.
func (s *shown) mixed(f *client.Figure) bool {
	return s.Unit == kpi.UnitMoney && f.Value == nil && f.Numerator == nil
}

// per is what a part is divided by to be shown.
func (s *shown) per(part, currency string) float64 {
	if !s.amount(part) || s.query.Minor {
		return 1
	}
	return minor(currency)
}

// pick is a part of a figure, nil where there is none.
func (s *shown) pick(f *client.Figure, part string) *float64 {
	var v *float64
	switch part {
	case partValue:
		v = f.Value
	case partNumerator:
		v = f.Numerator
	case partDenominator:
		v = f.Denominator
	case partN:
		v = &f.N
	case partLow:
		v = f.Low
	case partHigh:
		v = f.High
	}
	if v == nil {
		return nil
	}
	n := *v / s.per(part, f.Currency)
	return &n
}

// config says how a part is shown, of amounts in a currency, "" if that is not known.
func (s *shown) config(part, currency, title string) *data.FieldConfig {
	c := &data.FieldConfig{DisplayNameFromDS: title, Unit: look.Plain, Description: s.lang.Of(s.Description)}
	switch {
	case part == partValue || part == partLow || part == partHigh || s.amount(part):
		if c.Unit = look.Unit(s.Unit); s.amount(part) && s.query.Minor {
			c.Unit = look.Plain
		}
	}
	// Of what is more the longer its window, levels are meant for a day.
	if s.Targets != nil && part == partValue && (s.Ratio || s.window == kpi.Day) {
		c.Thresholds = thresholds(look.Targets(s.Targets, s.per(part, currency)))
	}
	return c
}

// changeConfig says how a relative change is shown, named as what changed.
func (s *shown) changeConfig(labels map[string]string, currency, compare string) *data.FieldConfig {
	c := &data.FieldConfig{
		DisplayNameFromDS: look.Delta + s.title(partValue, labels, currency, compare), Unit: look.Unit(kpi.UnitPercent),
		Thresholds: thresholds(look.Change(look.Better(s.Targets, ""))),
	}
	return c.SetDecimals(1)
}

func thresholds(t look.Thresholds) *data.ThresholdsConfig {
	out := &data.ThresholdsConfig{Mode: data.ThresholdsMode(t.Mode)}
	for _, step := range t.Steps {
		level := math.Inf(-1)
		if step.Value != nil {
			level = *step.Value
		}
		out.Steps = append(out.Steps, data.NewThreshold(level, step.Color, ""))
	}
	return out
}

// title is what a part is called: the KPI, with what tells the series apart, the currency
// of amounts, and what it is held against.
func (s *shown) title(part string, labels map[string]string, currency, compare string) string {
	title := s.lang.Of(s.Title)
	switch part {
	case partValue:
	case partLow:
		title += ", " + s.lang.Of(look.Lower)
	case partHigh:
		title += ", " + s.lang.Of(look.Upper)
	default:
		title += ", " + part
	}
	var values []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		if label != compareLabel {
			values = append(values, s.lang.Value(label, labels[label]))
		}
	}
	if _, told := labels[currencyLabel]; s.amount(part) && currency != "" && !told {
		values = append(values, currency)
	}
	if len(values) > 0 {
		title += ": " + strings.Join(values, ", ")
	}
	if compare != "" {
		title += " (" + s.lang.Compared(compare) + ")"
	}
	return title
}

// at is where a window stands that ends at a time: there, a business day at its beginning.
func (s *shown) at(end time.Time) time.Time {
	if s.window != kpi.Day {
		return end
	}
	return time.UnixMilli(s.days.Start(s.days.Day(end.UnixMilli() - 1))).UTC()
}

// compare orders series by their labels, what the service gives them as it follows each
// other: the steps of a funnel.
func (s *shown) compare(x, y map[string]string) int {
	for _, label := range s.Split {
		if c := cmp.Compare(place(s.Texts[label], x[label]), place(s.Texts[label], y[label])); c != 0 {
			return c
		}
	}
	return cmp.Compare(keyOf(x), keyOf(y))
}

// place is where a text stands among others, behind all if it does not.
func place(texts []string, text string) int {
	if i := slices.Index(texts, text); i >= 0 {
		return i
	}
	return len(texts)
}

// minor is how many minor units a unit of a currency has.
func minor(currency string) float64 { return float64(kpi.MinorUnits(currency)) }
