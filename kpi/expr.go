package kpi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Expr is a filter or a number in it, as a tree. Comparisons and logic give
// a truth value; a comparison with a field that the event does not carry is
// false, whichever its operator, and so is its negation's operand: not (x > 1)
// is true for an event without x.
//
// ParseExpr and ParseNumber give canonical trees: no And or Or stands directly in
// its like, arguments whose order does not matter are sorted, constants are folded
// and stand on the right. Text != is compiled to Present and Not.
type Expr struct {
	Op   ExprOp
	Args []*Expr
	// Field is the name in Present, TextField and NumberField.
	Field string
	// Text is the constant of TextConst.
	Text string
	// Number is the constant of NumberConst, in millionths.
	Number int64
}

// ExprOp is the operator of a node.
type ExprOp uint8

// The operators.
const (
	// Truth values.
	And     ExprOp = iota // any number of arguments
	Or                    // any number of arguments
	Not                   // one argument
	TextEq                // a TextField and TextConsts: equal to one of them
	Eq                    // two numbers
	Ne                    // two numbers
	Lt                    // two numbers
	Le                    // two numbers
	Gt                    // two numbers
	Ge                    // two numbers
	Present               // the event carries Field: see Expr.Fields for its column

	// Numbers, in millionths.
	NumberField
	NumberConst
	Add // two numbers
	Sub // two numbers
	Mul // two numbers, one of them a constant
	Min // two numbers
	Max // two numbers

	// Texts.
	TextField
	TextConst
)

// Fields lists the text and the number columns that the expression reads, each
// sorted. A field may stand in both. Present reads the number column of an
// Integer field and the text column, which takes any scalar, of every other.
func (e *Expr) Fields() (text, number []string) {
	if e == nil {
		return nil, nil
	}
	e.walk(func(n *Expr) {
		switch {
		case n.Op == TextField, n.Op == Present && !Integer(n.Field):
			text = append(text, n.Field)
		case n.Op == NumberField, n.Op == Present:
			number = append(number, n.Field)
		}
	})
	slices.Sort(text)
	slices.Sort(number)
	return slices.Compact(text), slices.Compact(number)
}

func (e *Expr) walk(visit func(*Expr)) {
	visit(e)
	for _, a := range e.Args {
		a.walk(visit)
	}
}

// Whole reports whether a number is whole in every event.
func (e *Expr) Whole() bool {
	switch e.Op {
	case NumberField:
		return Integer(e.Field)
	case NumberConst:
		return e.Number%Scale == 0
	}
	return !slices.ContainsFunc(e.Args, func(a *Expr) bool { return !a.Whole() })
}

// String is the canonical text: ParseExpr, or for a
// number ParseNumber, reads it back to an equal tree.
func (e *Expr) String() string {
	if e == nil {
		return ""
	}
	return string(e.append(nil, 0))
}

// precedence is how tightly an operator binds in the syntax.
func (o ExprOp) precedence() int {
	switch o {
	case Or:
		return 1
	case And:
		return 2
	case TextEq, Eq, Ne, Lt, Le, Gt, Ge, Present:
		return 3
	case Add, Sub:
		return 4
	case Mul:
		return 5
	}
	return 6
}

var symbols = map[ExprOp]string{
	And: " and ", Or: " or ", Eq: " == ", Ne: " != ", Lt: " < ", Le: " <= ", Gt: " > ", Ge: " >= ",
	Add: " + ", Sub: " - ", Mul: " * ", Min: "min", Max: "max",
}

// append writes the expression, in parentheses when it binds less than outer.
func (e *Expr) append(b []byte, outer int) []byte {
	p := e.Op.precedence()
	if p < outer {
		return append(e.append(append(b, '('), 0), ')')
	}
	switch e.Op {
	case Not:
		return append(e.Args[0].append(append(b, "not ("...), 0), ')')
	case TextEq:
		b = e.Args[0].append(b, p)
		if len(e.Args) == 2 {
			return e.Args[1].append(append(b, " == "...), p)
		}
		return append(appendArgs(append(b, " in ["...), e.Args[1:], ", ", 0), ']')
	case Present:
		return append(appendField(b, e.Field), " != nil"...)
	case Min, Max:
		return append(appendArgs(append(append(b, symbols[e.Op]...), '('), e.Args, ", ", 0), ')')
	case TextField, NumberField:
		return appendField(b, e.Field)
	case TextConst:
		return strconv.AppendQuote(b, e.Text)
	case NumberConst:
		return appendNumber(b, e.Number)
	}
	// Operators lean to the left: what follows one must bind tighter.
	b = append(e.Args[0].append(b, p), symbols[e.Op]...)
	return appendArgs(b, e.Args[1:], symbols[e.Op], p+1)
}

func appendArgs(b []byte, args []*Expr, separator string, outer int) []byte {
	for i, a := range args {
		if i > 0 {
			b = append(b, separator...)
		}
		b = a.append(b, outer)
	}
	return b
}

// appendField writes a name, $env["as-it-is"] when it is no identifier.
func appendField(b []byte, name string) []byte {
	if identifier(name) && !reserved[name] {
		return append(b, name...)
	}
	return append(strconv.AppendQuote(append(b, "$env["...), name), ']')
}

func appendNumber(b []byte, millionths int64) []byte {
	if millionths < 0 {
		b = append(b, '-')
	}
	n := uint64(max(millionths, -millionths))
	b = strconv.AppendUint(b, n/Scale, 10)
	if n%Scale == 0 {
		return b
	}
	return append(b, strings.TrimRight(fmt.Sprintf(".%06d", n%Scale), "0")...)
}
