// Package measure holds what a KPI accumulates, as algebras: how a row is lifted
// into state, how two states are combined, whether what was combined can be
// taken out again, and which number a state is lowered to. (Lift, Combine,
// Invert, Lower as in Tangwongsan et al., General Incremental Sliding-Window
// Aggregation, VLDB 2015.)
//
// The engine adds up, moves windows along, restates and stores by these alone: a
// measure is a file here, a line in algebras, and its word in kpi's grammar.
package measure

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// An Algebra says how a measure's rows become a number. A state is one or
// several columns; zero in all of them is the state of no row.
type Algebra struct {
	Columns []Column
	// Lower is the number that a state stands for; nil for one column that is
	// the number.
	Lower func(state []int64) sample.Int
	// Null says that the state of no row stands for no number, rather than for 0.
	Null bool
	// Lacks is how far a number is off if another belongs to it that was kept
	// apart; nil for as far as the other is from 0.
	Lacks func(n, other sample.Int) sample.Int
}

// A Column is one 64-bit part of a state.
type Column struct {
	// Lift is what a row adds, from the number that it brings; nil adds one for
	// every row, whether it brings a number or not.
	Lift func(n int64) int64
	// Combine puts two states together; 0 changes nothing. nil is addition, which
	// is inverted by subtraction. What others combine cannot be taken out again:
	// windows that lose a slice are put together anew.
	Combine func(a, b int64) int64
}

// algebras are the measures that add up slice by slice. Distinct users depend on
// what a user did before and are kept elsewhere.
var algebras = map[kpi.Op]*Algebra{
	kpi.Count:    count,
	kpi.Level:    count,
	kpi.Sum:      sum,
	kpi.Carrying: carrying,
	kpi.Largest:  greatest,
	kpi.Smallest: least,
	kpi.Quantile: carrying, // by the bins of its Grid
}

// Of is the algebra of an operation, nil for one that does not add up slice by
// slice.
func Of(op kpi.Op) *Algebra { return algebras[op] }

// Touches reports whether taking in the state changes what a KPI reads.
func (a *Algebra) Touches(state []int64) bool {
	if a.Null {
		return !none(state)
	}
	return a.Number(state).Sign() != 0
}

// none reports whether the state is that of no row.
func none(state []int64) bool {
	return !slices.ContainsFunc(state, func(n int64) bool { return n != 0 })
}

// Number is the number that a state stands for.
func (a *Algebra) Number(state []int64) sample.Int {
	if a.Lower == nil {
		return sample.Of(state[0])
	}
	return a.Lower(state)
}
