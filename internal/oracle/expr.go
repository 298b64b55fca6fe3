package oracle

import (
	"math"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// passes says whether a filter lets the event through; nil lets all.
func (e *event) passes(x *kpi.Expr) bool {
	if x == nil {
		return true
	}
	pass := func(a *kpi.Expr) bool { return e.passes(a) }
	switch x.Op {
	case kpi.And:
		return !slices.ContainsFunc(x.Args, func(a *kpi.Expr) bool { return !e.passes(a) })
	case kpi.Or:
		return slices.ContainsFunc(x.Args, pass)
	case kpi.Not:
		return !e.passes(x.Args[0])
	case kpi.Present:
		if kpi.Integer(x.Field) {
			_, ok := e.numbers[x.Field]
			return ok
		}
		_, ok := e.texts[x.Field]
		return ok
	case kpi.TextEq:
		text, ok := e.texts[x.Args[0].Field]
		return ok && slices.ContainsFunc(x.Args[1:], func(a *kpi.Expr) bool { return a.Text == text })
	}
	// A comparison with what the event does not carry is false.
	a, ok := e.number(x.Args[0])
	b, ok2 := e.number(x.Args[1])
	if !ok || !ok2 {
		return false
	}
	switch x.Op {
	case kpi.Eq:
		return a == b
	case kpi.Ne:
		return a != b
	case kpi.Lt:
		return a < b
	case kpi.Le:
		return a <= b
	case kpi.Gt:
		return a > b
	default:
		return a >= b
	}
}

// number is the value of a number in a filter, in millionths.
func (e *event) number(x *kpi.Expr) (n int64, ok bool) {
	switch x.Op {
	case kpi.NumberConst:
		return x.Number, true
	case kpi.NumberField:
		n, ok = e.numbers[x.Field]
		return n, ok
	}
	left, ok := e.number(x.Args[0])
	right, ok2 := e.number(x.Args[1])
	if !ok || !ok2 {
		return 0, false
	}
	a, b := big.NewInt(left), big.NewInt(right)
	switch x.Op {
	case kpi.Add:
		a.Add(a, b)
	case kpi.Sub:
		a.Sub(a, b)
	case kpi.Mul:
		a.Quo(a.Mul(a, b), big.NewInt(kpi.Scale))
	case kpi.Min:
		return min(left, right), true
	default:
		return max(left, right), true
	}
	if limit := big.NewInt(math.MaxInt64); a.CmpAbs(limit) > 0 {
		if a.Sign() < 0 {
			return -math.MaxInt64, true
		}
		return math.MaxInt64, true
	}
	return a.Int64(), true
}
