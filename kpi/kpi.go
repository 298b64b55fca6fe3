package kpi

import (
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A Catalogue is the set of KPIs that a service keeps, in the order of their
// names.
type Catalogue struct {
	KPIs []*KPI
	// Operators are the embedded ones and those of the files, by name, read by a KPI or not.
	// What a KPI of users who are away stands for is none of them.
	Operators []*Operator
	// Files is the Fingerprint of what was read.
	Files string
	// Location is the zone in which business days are cut.
	Location *time.Location
	// Currency is that of an amount whose event names none. By default there is
	// none, and such an event is quarantined.
	Currency string
	// AcceptLate are the types of events that count beyond the allowed lateness, with how
	// far behind the watermark they may be. They change business days that are open for
	// them, and nothing else. By default there are none.
	AcceptLate map[string]time.Duration
	// Seasons are days on which nothing is usual.
	Seasons []*Season
	// Holdout is the share of users, in millionths, of whom no webhook is told. By
	// default 0.
	Holdout int
	// ForgetAfter is for how many days after the last active one a user is known. By
	// default ForgetAfter.
	ForgetAfter int
	// Warnings are what the authors of its files hardly meant.
	Warnings []*document.Problem

	documents []*document.Document
	own       map[*KPI]document.Mapping // where those of the files stand
}

// KPI is the definition of that name, or nil.
func (c *Catalogue) KPI(name string) *KPI {
	i, ok := slices.BinarySearchFunc(c.KPIs, name, func(k *KPI, name string) int { return strings.Compare(k.Name, name) })
	if !ok {
		return nil
	}
	return c.KPIs[i]
}

// A KPI is one definition: what is counted, for which dimension sets, over
// which windows. Its value is Numerator - Minus, times Scale / Denominator for a
// ratio; 0/0 is null.
type KPI struct {
	Name        string
	Title       Text
	Description Text
	Unit        Unit
	// Group is the heading under which the KPI is shown. Without one of its
	// own it has that of the default it replaces.
	Group Text
	// Place is where the KPI stands among the others of the catalogue: the
	// defaults in their order, then the rest in that of the files.
	Place int
	// Targets are what the value should be, nil without any.
	Targets *Targets

	// From is the operator whose facts are measured, nil for the events. A measure of
	// such a KPI can be of the events by itself.
	From *Operator
	// Also is an operator whose facts are measured like events, beside these, at the time
	// at which they became known; nil for none.
	Also *Operator
	// Split are the fields by which every dimension set tells series apart: such a
	// KPI has no total.
	Split Set
	// Horizon is for how many days after it is over a business day may still change
	// by what becomes known then.
	Horizon int
	// Maturity are the times in ms, by facts as the KPI measures them, from what decides
	// on the business day of one to the instant at which it becomes known: those of days
	// that are final say how much of an open one is in. nil for none. Its share is not
	// looked at.
	Maturity *Measure
	// FinalOnly says that a window has no value before nothing more becomes known of
	// it.
	FinalOnly bool

	Numerator Measure
	// Minus is taken off the numerator, nil for nothing.
	Minus *Measure
	// Difference says that the KPI is the difference of two shares of the same
	// things: what is counted and what is taken off are both among what it divides
	// by, as their filters show. Such a one has a margin.
	Difference bool
	// Scale is what a ratio or a quantile is multiplied by, in millionths; 0 for nothing.
	Scale int64
	// Denominator is nil for a KPI that is no ratio.
	Denominator *Measure

	// By lists the dimension sets. The empty set, the total, comes first; a
	// KPI with Top or Split has none. Fields of a set are in the order of the
	// definition.
	By []Set
	// Windows lists the windows that are kept, shortest first, days last.
	Windows []Window
	// Top is the number of series that an answer lists, largest value first,
	// ties by key bytes ascending. Zero lists all.
	Top int
	// Budget is the number of series kept by each dimension set; what exceeds
	// it is folded into Other.
	Budget int
	// ID is the name with its version: "ctr@1a2b3c4d", the version being a
	// hash of the canonical definition.
	ID string
}

// Ratio reports whether the KPI divides two measures.
func (k *KPI) Ratio() bool { return k.Denominator != nil }

// Quantile reports whether the KPI is a quantile.
func (k *KPI) Quantile() bool { return k.Numerator.Op == Quantile }

// Nullable reports whether the KPI has no value where nothing is, rather than 0.
func (k *KPI) Nullable() bool { return k.Ratio() || k.Quantile() || k.Numerator.Op.Extreme() }

// Measures are those that the KPI has.
func (k *KPI) Measures() []*Measure {
	return slices.DeleteFunc([]*Measure{&k.Numerator, k.Minus, k.Denominator}, func(m *Measure) bool { return m == nil })
}

// ByCurrency reports whether the series by a set have a currency beside its fields: those of
// amounts, and of what is divided by amounts.
func (k *KPI) ByCurrency(by Set) bool {
	return k.Numerator.ByCurrency(by) || k.Ratio() && k.Denominator.ByCurrency(by)
}

// Scaled is a ratio's numerator, or a quantile, times its scale.
func (k *KPI) Scaled(n float64) float64 {
	if k.Scale == 0 {
		return n
	}
	return n * float64(k.Scale) / Scale
}

// Share reports whether the KPI is a share of things counted: such a one has a
// Wilson interval, and lies between 0 and 1 as long as what it divides by is in
// the window and less than nothing is left of the numerator.
func (k *KPI) Share() bool {
	return k.Ratio() && k.Scale == 0 && !k.Difference && (k.Minus == nil || !k.Minus.Op.OfField()) && !k.Numerator.Op.OfField() && !k.Denominator.Op.OfField()
}

// Interval reports whether the KPI's values have a 95 % interval: a Wilson
// interval, or their margin.
func (k *KPI) Interval() bool { return k.Share() || k.Difference }

// Text is a text in the languages of the product.
type Text struct {
	EN string `yaml:"en" json:"en"`
	ZH string `yaml:"zh" json:"zh"`
}

// Unit says how a value is shown.
type Unit string

// The units.
const (
	UnitCount   Unit = "count"
	UnitPercent Unit = "percent"
	UnitMoney   Unit = "money"
	UnitSeconds Unit = "seconds"
	UnitNumber  Unit = "number"
)

// Keeps reports whether the KPI keeps the window.
func (k *KPI) Keeps(w Window) bool { return slices.Contains(k.Windows, w) }

// SetOf finds the dimension set of these fields, given in any order; those of Split
// go without saying.
func (k *KPI) SetOf(fields ...string) (Set, bool) {
	want := slices.Compact(slices.Sorted(slices.Values(slices.Concat(fields, k.Split))))
	for _, s := range k.By {
		if slices.Equal(slices.Sorted(slices.Values(s)), want) {
			return s, true
		}
	}
	return nil, false
}

// A Set is a dimension set: the fields by which a KPI is broken down. The
// empty set is the total.
type Set []string

// Key is the set's canonical identity: its fields joined by commas, "" for the
// total.
func (s Set) Key() string { return strings.Join(s, ",") }

// String is the set as the label "by" gives it: "channel,device", or "total".
func (s Set) String() string {
	if len(s) == 0 {
		return "total"
	}
	return s.Key()
}

// Labels of series that are not values of a dimension.
const (
	None  = "(none)"    // the event carries no value
	Other = "__other__" // what exceeds the cardinality budget
)

// Op is what a measure accumulates.
type Op uint8

// The operations.
const (
	// Count counts the events that pass the filter.
	Count Op = iota
	// Sum adds a number field over the events that pass the filter.
	Sum
	// Largest is the largest number in a field over the events that pass the filter;
	// null if none of them carries it.
	Largest
	// Smallest is the smallest, likewise.
	Smallest
	// Carrying counts the events that pass the filter and carry a number field:
	// the denominator of a mean.
	Carrying
	// Quantile is the smallest number in a field that a share of the others does
	// not exceed (nearest rank), over the events that pass the filter; null if none
	// of them carries it.
	Quantile
	// Distinct counts the distinct users with an event that passes the filter.
	Distinct
	// Level counts what stands at the end of a day: the facts of that day and all
	// before it, by their weights.
	Level
)

// OfField reports whether the operation is of a number field: its values may be
// anything, below 0 too.
func (o Op) OfField() bool { return o == Sum || o == Quantile || o.Extreme() }

// Extreme reports whether the operation is Largest or Smallest: nothing has none.
func (o Op) Extreme() bool { return o == Largest || o == Smallest }

// A Measure is what is accumulated under a filter.
type Measure struct {
	Op    Op
	Field string // of an operation OfField or Carrying
	// Number is what is computed from fields in the place of one; nil for Field
	// itself.
	Number *Expr
	// Share is that of a Quantile, in hundredths of a per cent: 9500 for p95.
	Share int
	// Where is nil when every row counts.
	Where *Expr
	// Money is set for an operation of a field of minor units: it is kept by
	// currency.
	Money bool
	// Events says that it is of the events, though the KPI is over facts.
	Events bool
	// Also is that of the KPI, if its facts can pass.
	Also *Operator
}

// ByCurrency reports whether what is kept of the measure by a set is apart by a currency beside
// its fields.
func (m *Measure) ByCurrency(by Set) bool { return m.Money && !slices.Contains(by, CurrencyField) }

// Whole reports whether the numbers that the measure takes are whole; others are
// in millionths.
func (m *Measure) Whole() bool {
	if m.Number != nil {
		return m.Number.Whole()
	}
	return Integer(m.Field)
}

// Carried is the filter of the events that the measure counts and that bring its
// number: a comparison with one that is not there is false.
func (m *Measure) Carried() *Expr {
	number := m.Number
	if number == nil {
		number = &Expr{Op: NumberField, Field: m.Field}
	}
	there := &Expr{Op: Le, Args: []*Expr{number, {Op: NumberConst, Number: MaxNumber * Scale}}}
	if m.Where == nil {
		return there
	}
	return join(And, m.Where, there)
}

// A Window is a length of event time, the business day, or today.
type Window struct {
	// Length is 0 for the business day and -1 for today, which the calendar cuts.
	Length time.Duration
}

var (
	// Day is the business day.
	Day = Window{}
	// Today is the business day up to an instant: from the start of the day that
	// the window's last instant belongs to.
	Today = Window{Length: -1}
)

// IsDay reports whether the window is the business day.
func (w Window) IsDay() bool { return w.Length == 0 }

// String is the window as users write it: "5m", "24h", "7d", "today", "day".
func (w Window) String() string {
	switch w {
	case Day:
		return "day"
	case Today:
		return "today"
	}
	return FormatLength(w.Length)
}

// Step is the distance between the kept windows of this length: the largest of
// 1s 5s 10s 30s 1m 5m 10m 1h that is at most a sixtieth of the length, and 10m of
// today.
func (w Window) Step() time.Duration {
	if w == Today {
		return 10 * time.Minute
	}
	steps := [...]time.Duration{time.Hour, 10 * time.Minute, 5 * time.Minute, time.Minute, 30 * time.Second, 10 * time.Second, 5 * time.Second}
	for _, s := range steps {
		if s <= w.Length/60 {
			return s
		}
	}
	return time.Second
}
