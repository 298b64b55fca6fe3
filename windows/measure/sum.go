package measure

import "github.com/tidewatch/tidewatch/windows/sample"

// sum adds numbers of 64 bits without wrapping: the low halves and the high
// halves apart, each of which takes two thousand million rows.
var sum = &Algebra{
	Columns: []Column{
		{Lift: func(n int64) int64 { return n & 0xffffffff }},
		{Lift: func(n int64) int64 { return n >> 32 }},
	},
	Lower: func(state []int64) sample.Int { return sample.Of(state[1]).Shl32().Add(sample.Of(state[0])) },
}
