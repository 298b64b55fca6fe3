package oracle

import (
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
	a, b := e.number(x.Args[0]), e.number(x.Args[1])
	if a == nil || b == nil {
		return false
	}
	order := a.Cmp(b)
	switch x.Op {
	case kpi.Eq:
		return order == 0
	case kpi.Ne:
		return order != 0
	case kpi.Lt:
		return order < 0
	case kpi.Le:
		return order <= 0
	case kpi.Gt:
		return order > 0
	default:
		return order >= 0
	}
}

// number is the value of a number in a filter, in millionths; nil if the event
// does not carry it.
func (e *event) number(x *kpi.Expr) *big.Int {
	switch x.Op {
	case kpi.NumberConst:
		return big.NewInt(x.Number)
	case kpi.NumberField:
		return e.numbers[x.Field]
	}
	return calculate(x.Op, e.number(x.Args[0]), e.number(x.Args[1]))
}

// taken is the number that a measure takes, in millionths; nil for none. What is
// computed on the way to it is bounded like what events carry.
func (e *event) taken(m *kpi.Measure) *big.Int {
	if m.Number == nil {
		return e.numbers[m.Field]
	}
	var number func(x *kpi.Expr) *big.Int
	number = func(x *kpi.Expr) *big.Int {
		if len(x.Args) == 0 {
			return e.number(x)
		}
		n := calculate(x.Op, number(x.Args[0]), number(x.Args[1]))
		if n != nil && n.CmpAbs(new(big.Int).Mul(big.NewInt(kpi.MaxNumber), big.NewInt(kpi.Scale))) > 0 {
			return nil
		}
		return n
	}
	return number(m.Number)
}

// calculate is what the operator makes of two numbers, nil without one of them.
func calculate(op kpi.ExprOp, a, b *big.Int) *big.Int {
	if a == nil || b == nil {
		return nil
	}
	n := new(big.Int)
	switch op {
	case kpi.Add:
		return n.Add(a, b)
	case kpi.Sub:
		return n.Sub(a, b)
	case kpi.Mul:
		return n.Quo(n.Mul(a, b), big.NewInt(kpi.Scale))
	case kpi.Min:
		if a.Cmp(b) < 0 {
			return a
		}
		return b
	default:
		if a.Cmp(b) > 0 {
			return a
		}
		return b
	}
}
