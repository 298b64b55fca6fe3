package measure

import "github.com/tidewatch/tidewatch/windows/sample"

// greatest is the largest number, none without a row that brings one.
var greatest = &Algebra{
	Columns: []Column{{Lift: present, Combine: func(a, b int64) int64 {
		if a == 0 || b != 0 && b > a {
			return b
		}
		return a
	}}},
	Lower: func(state []int64) sample.Int { return sample.Of(number(state[0])) },
	Null:  true,
	Lacks: func(n, other sample.Int) sample.Int { return other.Add(n.Neg()) },
}

// present makes room for 0, the state of no row, below the numbers from 0 on:
// the order stays. Numbers of events are far from where it would wrap.
func present(n int64) int64 {
	if n >= 0 {
		return n + 1
	}
	return n
}

// number is what present was given, 0 for no row.
func number(state int64) int64 {
	if state > 0 {
		return state - 1
	}
	return state
}
