package sample

import (
	"math"
	"math/big"
	"math/bits"
)

// An Int is a signed whole number of 128 bits, so that no sum of events wraps.
type Int struct {
	Hi int64
	Lo uint64
}

// Of is the number n.
func Of(n int64) Int { return Int{n >> 63, uint64(n)} }

// Add is a + b.
func (a Int) Add(b Int) Int {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	return Int{a.Hi + b.Hi + int64(carry), lo}
}

// Neg is -a.
func (a Int) Neg() Int {
	lo, borrow := bits.Sub64(0, a.Lo, 0)
	return Int{-a.Hi - int64(borrow), lo}
}

// Mul is a times n, modulo 2^128.
func (a Int) Mul(n int64) Int {
	b := Of(n)
	hi, lo := bits.Mul64(a.Lo, b.Lo)
	return Int{int64(hi + uint64(a.Hi)*b.Lo + a.Lo*uint64(b.Hi)), lo}
}

// Shl32 is a times 2^32.
func (a Int) Shl32() Int { return Int{a.Hi<<32 | int64(a.Lo>>32), a.Lo << 32} }

// Cmp is negative, zero or positive as a is less than, equal to or more than b.
func (a Int) Cmp(b Int) int {
	switch {
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Sign is -1, 0 or 1.
func (a Int) Sign() int { return a.Cmp(Int{}) }

// Abs is the magnitude of a.
func (a Int) Abs() Int {
	if a.Hi < 0 {
		return a.Neg()
	}
	return a
}

// Int64 is the number as an int64, if it fits.
func (a Int) Int64() (n int64, fits bool) { return int64(a.Lo), a.Hi == int64(a.Lo)>>63 }

// Saturated is the number as an int64, the nearest one if it does not fit.
func (a Int) Saturated() int64 {
	switch n, fits := a.Int64(); {
	case fits:
		return n
	case a.Hi < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// Float is the nearest floating-point number.
func (a Int) Float() float64 {
	if n, fits := a.Int64(); fits {
		return float64(n)
	}
	f, _ := new(big.Float).SetInt(a.big()).Float64()
	return f
}

func (a Int) big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(a.Lo))
}

// String is the number in decimal digits.
func (a Int) String() string { return a.big().String() }
