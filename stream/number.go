package stream

import (
	"bytes"

	"github.com/tidewatch/tidewatch/kpi"
)

// whole is the digits before the point of the largest number and their powers
// of ten, in millionths.
const whole = 13

var powers = func() (p [whole + 6]uint64) {
	for i, v := 0, uint64(1); i < len(p); i, v = i+1, v*10 {
		p[i] = v
	}
	return p
}()

// decimal reads a JSON number in millionths, further digits dropped. Whole is
// false if it has a fraction, ok if it is beyond kpi.MaxNumber.
func decimal(b []byte) (micro int64, isWhole, ok bool) {
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	mantissa, exponent := b, 0
	if e := bytes.IndexAny(b, "eE"); e >= 0 {
		mantissa, exponent = b[:e], integer(b[e+1:])
	}
	place := bytes.IndexByte(mantissa, '.') // digits before the point
	if place < 0 {
		place = len(mantissa)
	}
	place += exponent

	var sum uint64
	var rest bool
	isWhole = true
	for _, c := range mantissa {
		if c == '.' {
			continue
		}
		place--
		if c == '0' {
			continue
		}
		switch {
		case place >= whole:
			return 0, false, false
		case place >= -6:
			sum += uint64(c-'0') * powers[place+6]
		default:
			rest = true
		}
		isWhole = isWhole && place >= 0
	}
	if limit := uint64(kpi.MaxNumber * kpi.Scale); sum > limit || sum == limit && rest {
		return 0, false, false
	}
	micro = int64(sum)
	if negative {
		micro = -micro
	}
	return micro, isWhole, true
}

// integer reads an exponent, which saturates beyond the length of any event.
func integer(b []byte) int {
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	n := 0
	for _, c := range b {
		n = min(n*10+int(c-'0'), 1<<30)
	}
	if negative {
		return -n
	}
	return n
}
