package measure

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestGrid: every value is in exactly one bin, and no further than a hundredth
// of itself from what the bin stands for.
func TestGrid(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, g := range []*Grid{whole, finer} {
		last := longest * g.unit
		values := []int64{g.unit, g.unit + 1, last - 1, last}
		for bin := 1; bin < g.Bins()-1; bin++ {
			low, high := g.Least(bin), g.Most(bin)
			values = append(values, low, high)
		}
		for range 100_000 {
			values = append(values, int64(math.Exp(random.Float64()*math.Log(float64(last)))))
		}
		for _, v := range values {
			if v < g.unit || v > last {
				continue
			}
			bin := g.Bin(v)
			low, high := g.Least(bin), g.Most(bin)
			off := new(big.Int).Mul(big.NewInt(g.Value(bin)-v), big.NewInt(100))
			if v < low || v > high || g.Below(bin) || g.Beyond(bin) || off.CmpAbs(big.NewInt(v)) > 0 {
				t.Fatalf("%d is in bin %d, of %d to %d, which stands for %d", v, bin, low, high, g.Value(bin))
			}
		}
		for _, v := range []int64{-kpi.MaxNumber, 0, g.unit - 1} {
			if bin := g.Bin(v); !g.Below(bin) || g.Value(bin) != g.unit {
				t.Errorf("%d is in bin %d", v, bin)
			}
		}
		for _, v := range []int64{last + 1, kpi.MaxNumber * kpi.Scale} {
			if bin := g.Bin(v); !g.Beyond(bin) || g.Value(bin) != last {
				t.Errorf("%d is in bin %d", v, bin)
			}
		}
		if n := len(g.Names); n != binDigits*g.Bins() {
			t.Errorf("the names of %d bins take %d bytes", g.Bins(), n)
		}
	}
	// Small whole numbers stand for themselves.
	for v := range int64(99) {
		if got := whole.Value(whole.Bin(v)); got != max(v, 1) {
			t.Errorf("%d stands for %d", v, got)
		}
	}
}

func BenchmarkBin(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]int64, 4096)
	for i := range values {
		values[i] = random.Int64N(600_000)
	}
	n := 0
	for i := range b.N {
		n += whole.Bin(values[i%len(values)])
	}
	if n < 0 {
		b.Fatal(n)
	}
}
