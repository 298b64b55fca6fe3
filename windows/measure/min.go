package measure

import "github.com/tidewatch/tidewatch/windows/sample"

// least is the smallest number, none without a row that brings one.
var least = &Algebra{
	Columns: []Column{{Lift: present, Combine: func(a, b int64) int64 {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}}},
	Lower: func(state []int64) sample.Int { return sample.Of(number(state[0])) },
	Null:  true,
	Lacks: func(n, other sample.Int) sample.Int { return n.Add(other.Neg()) },
}
