// Package expression reads expressions of Prometheus' language.
package expression

import "github.com/prometheus/prometheus/promql/parser"

// Language parses it, without what Prometheus calls experimental.
var Language = parser.NewParser(parser.Options{})

// Bare is an expression without the brackets around it.
func Bare(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}

// Number is what an expression says, if it is a number.
func Number(e parser.Expr) (value float64, ok bool) {
	switch e := Bare(e).(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.UnaryExpr:
		v, ok := Number(e.Expr)
		if e.Op == parser.SUB {
			v = -v
		}
		return v, ok
	}
	return 0, false
}

// Sides are those of a comparison, without brackets; a number stands on the right.
func Sides(b *parser.BinaryExpr) (left, right parser.Expr, op parser.ItemType) {
	left, right, op = Bare(b.LHS), Bare(b.RHS), b.Op
	if _, ok := Number(left); ok {
		return right, left, mirrored(op)
	}
	return left, right, op
}

// mirrored is the operator with its sides exchanged.
func mirrored(op parser.ItemType) parser.ItemType {
	switch op {
	case parser.LSS:
		return parser.GTR
	case parser.LTE:
		return parser.GTE
	case parser.GTR:
		return parser.LSS
	case parser.GTE:
		return parser.LTE
	}
	return op
}
