package measure

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Grid is the bins in which the values of quantiles are counted. Each bin
// stands for one value, which is off by at most a hundredth of any that falls
// into it, so the bins grow with their values. Values below the first bin and
// beyond the last are counted in bins of their own. (Bins of constant relative
// error as in Masson, Rim, Lee, DDSketch, VLDB 2019; the bounds are integers.)
type Grid struct {
	low  []int64 // by bin, the least value in it; that of the first is below all
	near []int32 // the bin in which a run of values begins: see run
	unit int64
	// Names are those of all bins, one behind the other: their numbers, so that
	// they sort like the values.
	Names []byte
}

// Values from 1 to 30 days, in milliseconds, have bins of their own.
const longest = 30 * 24 * 3600 * 1000

// whole is the grid of whole numbers, finer that of numbers in millionths.
var whole, finer = newGrid(1), newGrid(kpi.Scale)

// GridOf is the grid of the numbers that the measure takes.
func GridOf(m *kpi.Measure) *Grid {
	if m.Whole() {
		return whole
	}
	return finer
}

func newGrid(unit int64) *Grid {
	g := &Grid{unit: unit, low: []int64{-kpi.MaxNumber * kpi.Scale}}
	for low := unit; low <= longest*unit; low = value(low)*100/99 + 1 {
		g.low = append(g.low, low)
	}
	g.low = append(g.low, longest*unit+1)
	for r := range run(longest*unit) + 1 {
		g.near = append(g.near, int32(g.search(begin(r))))
	}
	for bin := range g.low {
		g.Names = fmt.Appendf(g.Names, "%0*d", binDigits, bin)
	}
	return g
}

// value is what a bin stands for whose least value is low. It is a hundredth of
// that away from it, and as far from value*100/99.
func value(low int64) int64 { return low + low/100 }

// run numbers the runs of values that share their length and first bits.
func run(v int64) int {
	n := bits.Len64(uint64(v))
	if n <= runBits {
		return int(v)
	}
	return (n-runBits)<<(runBits-1) + int(v>>(n-runBits))
}

// runBits is how many bits a run shares: no bin is much narrower.
const runBits = 7

// begin is the least value of a run.
func begin(r int) int64 {
	if r < 1<<runBits {
		return int64(r)
	}
	n := r>>(runBits-1) - 1
	return int64(r-n<<(runBits-1)) << n
}

func (g *Grid) search(v int64) int {
	i, exact := slices.BinarySearch(g.low, v)
	if !exact {
		i--
	}
	return i
}

// Bins is how many there are.
func (g *Grid) Bins() int { return len(g.low) }

// Bin is the bin of a value.
func (g *Grid) Bin(v int64) int {
	switch {
	case v < g.unit:
		return 0
	case v > longest*g.unit:
		return len(g.low) - 1
	}
	b := int(g.near[run(v)])
	for g.low[b+1] <= v {
		b++
	}
	return b
}

// Below reports whether the bin is of the values that are too small for the grid.
func (g *Grid) Below(bin int) bool { return bin == 0 }

// Beyond reports whether the bin is of the values that are too large.
func (g *Grid) Beyond(bin int) bool { return bin == len(g.low)-1 }

// Value is what the bin stands for; of values outside the grid its end.
func (g *Grid) Value(bin int) int64 {
	switch {
	case g.Below(bin):
		return g.unit
	case g.Beyond(bin):
		return longest * g.unit
	}
	return min(value(g.low[bin]), longest*g.unit)
}

// Least is the smallest value of a bin; of values outside the grid its end.
func (g *Grid) Least(bin int) int64 { return min(max(g.low[bin], g.unit), longest*g.unit) }

// Most is the largest value of a bin.
func (g *Grid) Most(bin int) int64 {
	if g.Beyond(bin) {
		return longest * g.unit
	}
	return max(g.low[bin+1]-1, g.unit)
}

// binDigits is the length of a bin's name.
const binDigits = 4

// Name is where a bin's name stands among the Names.
func (g *Grid) Name(bin int) (from, to int) { return bin * binDigits, (bin + 1) * binDigits }
