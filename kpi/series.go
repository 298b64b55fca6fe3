package kpi

import (
	"strings"
	"time"
)

// SeriesPrefix begins the name of every series of a KPI, on /metrics, in rules
// and wherever else Prometheus' language is spoken.
const SeriesPrefix = "kpi_"

// A Part is one of the numbers of a KPI's sample. Each is a series of its own.
type Part uint8

// The parts.
const (
	// ValuePart is what all KPIs have.
	ValuePart Part = iota
	// NumeratorPart and DenominatorPart are what a ratio divides.
	NumeratorPart
	DenominatorPart
	// LowPart and HighPart are the bounds of a 95 % interval.
	LowPart
	HighPart
	// BaselinePart is what is usual at the time, BandLowPart and BandHighPart what it
	// usually lies between.
	BaselinePart
	BandLowPart
	BandHighPart
	// ShiftPart is how far values have shifted from what is usual for days.
	ShiftPart
	parts
)

// suffixes end the names of the series.
var suffixes = [parts]string{"", "_numerator", "_denominator", "_low", "_high", "_baseline", "_band_low", "_band_high", "_shift"}

// Parts are the numbers that samples of the KPI have, the value first.
func (k *KPI) Parts() []Part {
	all := []Part{ValuePart, NumeratorPart, DenominatorPart, LowPart, HighPart}
	switch {
	case k.Interval():
		return all
	case k.Ratio():
		return all[:LowPart]
	}
	return all[:NumeratorPart]
}

// cohortLabel says of which business day a value is, where that is not the one that ends.
const cohortLabel = "cohort"

// Labels are those that the KPI's series by a set have beside their name.
func (k *KPI) Labels(by Set) []string {
	out := append([]string{"by", "window"}, by...)
	if k.ByCurrency(by) {
		out = append(out, CurrencyField)
	}
	if k.FinalOnly {
		out = append(out, cohortLabel)
	}
	return out
}

// Seasonal is the length of the windows of which it is known what is usual.
var Seasonal = Window{Length: time.Hour}

// Usual are the parts that say what is usual of the KPI's values, none where that is not
// known. They are no part of a sample: they follow from those of the weeks before.
func (k *KPI) Usual() []Part {
	if k.Top > 0 || !k.Keeps(Seasonal) {
		return nil
	}
	return []Part{BaselinePart, BandLowPart, BandHighPart, ShiftPart}
}

// Series is the name of a part's series: "kpi_ctr_low".
func (k *KPI) Series(p Part) string { return SeriesPrefix + k.Name + suffixes[p] }

// explained says what a part is, behind the title.
var explained = [parts]string{"", ": numerator", ": denominator", ": lower bound of the 95 % interval", ": upper bound of the 95 % interval",
	": usual at this hour of the week", ": lower end of what is usual", ": upper end of what is usual",
	": sustained shift from what is usual"}

// Help is what a part is.
func (k *KPI) Help(p Part) string { return k.Title.EN + explained[p] }

// titled are the titles of the parts, with {} where the KPI's stands.
var titled = [parts]Text{
	{EN: "{}", ZH: "{}"},
	{EN: "Numerator of {}", ZH: "{}的分子"}, {EN: "Denominator of {}", ZH: "{}的分母"},
	{EN: "Lower end of {}", ZH: "{}的区间下限"}, {EN: "Upper end of {}", ZH: "{}的区间上限"},
	{EN: "Usual {}", ZH: "{}的常态值"}, {EN: "Lower end of usual {}", ZH: "{}的常态下限"}, {EN: "Upper end of usual {}", ZH: "{}的常态上限"},
	{EN: "Shift of {}", ZH: "{}的持续偏移"},
}

// TitleOf is the title of a part.
func (k *KPI) TitleOf(p Part) Text {
	return Text{EN: strings.ReplaceAll(titled[p].EN, "{}", k.Title.EN), ZH: strings.ReplaceAll(titled[p].ZH, "{}", k.Title.ZH)}
}

// Series finds the KPI that a series is of, and the part of it; nil when the
// catalogue has none. Whether the KPI has the part, its Parts say.
func (c *Catalogue) Series(name string) (*KPI, Part) {
	name, ok := strings.CutPrefix(name, SeriesPrefix)
	if !ok {
		return nil, ValuePart
	}
	for p, suffix := range suffixes {
		if of, ok := strings.CutSuffix(name, suffix); ok {
			if k := c.KPI(of); k != nil {
				return k, Part(p)
			}
		}
	}
	return nil, ValuePart
}

// companion reports whether a name ends like a series that stands beside a
// KPI's value.
func companion(name string) bool {
	for _, suffix := range suffixes[NumeratorPart:] {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
