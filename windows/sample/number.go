package sample

import (
	"math/big"
	"strconv"
	"strings"
)

// A Number is an exact decimal: N divided by Scale.
type Number struct {
	N     Int
	Scale int64 // 1 or a power of ten
}

// Float is the nearest floating-point number.
func (n Number) Float() float64 {
	if n.Scale <= 1 {
		return n.N.Float()
	}
	if k, fits := n.N.Int64(); fits {
		return float64(k) / float64(n.Scale)
	}
	f, _ := new(big.Rat).SetFrac(n.N.big(), big.NewInt(n.Scale)).Float64()
	return f
}

// Whole is the number without its fraction, the nearest int64 if it is larger.
func (n Number) Whole() int64 {
	if k, fits := n.N.Int64(); fits {
		return k / max(n.Scale, 1)
	}
	return ofBig(new(big.Int).Quo(n.N.big(), big.NewInt(max(n.Scale, 1)))).Saturated()
}

func ofBig(b *big.Int) Int {
	lo := new(big.Int).And(b, new(big.Int).SetUint64(1<<64-1))
	return Int{new(big.Int).Rsh(b, 64).Int64(), lo.Uint64()}
}

// String is the number with all its digits.
func (n Number) String() string { return string(n.append(nil)) }

// MarshalJSON writes the number with all its digits.
func (n Number) MarshalJSON() ([]byte, error) { return n.append(nil), nil }

func (n Number) append(b []byte) []byte {
	if n.Scale <= 1 {
		if k, fits := n.N.Int64(); fits {
			return strconv.AppendInt(b, k, 10)
		}
		return append(b, n.N.String()...)
	}
	digits := n.N.Abs().String()
	places := len(strconv.FormatInt(n.Scale, 10)) - 1
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	if n.N.Sign() < 0 {
		b = append(b, '-')
	}
	b = append(b, digits[:len(digits)-places]...)
	if rest := strings.TrimRight(digits[len(digits)-places:], "0"); rest != "" {
		b = append(append(b, '.'), rest...)
	}
	return b
}
