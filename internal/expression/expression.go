// Package expression reads expressions of Prometheus' language.
package expression

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Language parses it, without what Prometheus calls experimental.
var Language = parser.NewParser(parser.Options{})

// What an expression of a stranger may be: to read one takes time that grows with the
// square of its parts, and to answer it takes stack for each level.
const (
	maxParts = 5000
	maxDepth = 1000
)

// Parse reads an expression of a stranger.
func Parse(text string) (parser.Expr, error) {
	if err := Check(text); err != nil {
		return nil, err
	}
	expr, err := Language.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	return expr, CheckDepth(expr)
}

// CheckDepth refuses an expression that would take much stack to answer.
func CheckDepth(expr parser.Expr) error {
	deepest := 0
	parser.Inspect(expr, func(_ parser.Node, path []parser.Node) error {
		deepest = max(deepest, len(path))
		return nil
	})
	if deepest > maxDepth {
		return fmt.Errorf("it is nested %d deep, more than %d: ask in several queries", deepest, maxDepth)
	}
	return nil
}

// Check refuses a text that would take long to read.
func Check(text string) error {
	if long(text) {
		return fmt.Errorf("it has more than %d names, numbers, texts and signs: ask in several queries", maxParts)
	}
	return nil
}

// long reports whether a text has too many parts, up to where it can be read.
func long(text string) bool {
	lexer := parser.Lex(text)
	var part parser.Item
	for range maxParts {
		if lexer.NextItem(&part); part.Typ == parser.EOF || part.Typ == parser.ERROR {
			return false
		}
	}
	return true
}

// Steps is how many steps the subqueries of an expression have at most, together, if it is
// evaluated over a span.
func Steps(e parser.Expr, span time.Duration) (steps int64) {
	parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
		sub, ok := n.(*parser.SubqueryExpr)
		if !ok {
			return nil
		}
		over := float64(span)
		for _, around := range slices.Concat(path, []parser.Node{n}) {
			if s, ok := around.(*parser.SubqueryExpr); ok {
				if s.Timestamp != nil || s.StartOrEnd != 0 { // at one instant
					over = 0
				}
				over += float64(s.Range)
			}
		}
		step := sub.Step
		if step == 0 {
			step = SubqueryStep
		}
		steps = int64(min(float64(steps)+over/float64(step)+1, math.MaxInt64/2))
		return nil
	})
	return steps
}

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
