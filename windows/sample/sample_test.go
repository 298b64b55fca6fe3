package sample

import (
	"math"
	"math/big"
	"testing"
)

// TestWilson compares with the published values for 95 %.
func TestWilson(t *testing.T) {
	for _, c := range []struct{ k, n, low, high float64 }{
		{0, 10, 0, 0.2775},
		{5, 10, 0.2366, 0.7634},
		{10, 10, 0.7225, 1},
		{81, 263, 0.2553, 0.3662},
	} {
		low, high, ok := wilson(c.k, c.n, wilsonWidth)
		if !ok || math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("wilson(%v, %v) = %.4f, %.4f, %v, want %.4f, %.4f", c.k, c.n, low, high, ok, c.low, c.high)
		}
	}
	for _, c := range [][2]float64{{1, 0}, {3, 2}, {-1, 2}} {
		if _, _, ok := wilson(c[0], c[1], wilsonWidth); ok {
			t.Errorf("wilson(%v, %v) has an interval, want none", c[0], c[1])
		}
	}
}

// TestInt compares with math/big.
func TestInt(t *testing.T) {
	numbers := []int64{0, 1, -1, 1 << 32, -1 << 40, math.MaxInt64, math.MinInt64, 1234567890123}
	for _, a := range numbers {
		for _, b := range numbers {
			x, y := Of(a).Mul(b), new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
			if x.String() != y.String() {
				t.Errorf("%d * %d = %s, want %s", a, b, x, y)
			}
			x, y = x.Add(Of(b)), y.Add(y, big.NewInt(b))
			if x.String() != y.String() {
				t.Errorf("%d * %[2]d + %[2]d = %s, want %s", a, b, x, y)
			}
			if got, want := x.Cmp(Of(a)), y.Cmp(big.NewInt(a)); got != want {
				t.Errorf("compare %s with %d: %d, want %d", x, a, got, want)
			}
			if f, _ := new(big.Float).SetInt(y).Float64(); x.Float() != f {
				t.Errorf("%s as a float is %g, want %g", x, x.Float(), f)
			}
			if got, fits := x.Int64(); fits != y.IsInt64() || fits && got != y.Int64() {
				t.Errorf("%s as an int64: %d, %v", x, got, fits)
			}
		}
	}
	if got := Of(-3).Shl32(); got.String() != "-12884901888" {
		t.Errorf("-3 << 32 = %s", got)
	}
}

// TestNumber: all digits are written, and no more.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		n    Int
		want string
	}{
		{Of(2500000), "2.5"}, {Of(-1), "-0.000001"}, {Of(0), "0"}, {Of(7000000), "7"},
		{Of(math.MaxInt64).Add(Of(math.MaxInt64)), "18446744073709.551614"},
	} {
		if got := (Number{c.n, 1_000_000}).String(); got != c.want {
			t.Errorf("%s millionths = %s, want %s", c.n, got, c.want)
		}
	}
	if got := (Number{Of(5_000_000_000_000).Mul(2_000_000), 1_000_000}).Whole(); got != 10_000_000_000_000 {
		t.Errorf("the whole part of 1e19 millionths is %d", got)
	}
}

// TestMargin against the formula for shares of 5 and 20 in 40, and where there is
// nothing to be off by.
func TestMargin(t *testing.T) {
	for _, c := range []struct{ a, b, n, want float64 }{
		{5, 20, 40, 0.2156835}, {20, 5, 40, 0.2156835}, {0, 0, 7, 0}, {3, 0, 3, 0}, {1, 1, 2, 1.3859292},
	} {
		got, ok := margin(c.a, c.b, c.n, marginWidth)
		if !ok || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("margin(%v, %v, %v) = %v, %v, want %v", c.a, c.b, c.n, got, ok, c.want)
		}
	}
	if _, ok := margin(0, 0, 0, marginWidth); ok {
		t.Error("nothing has a margin")
	}
}
