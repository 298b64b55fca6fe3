package kpi

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// number compiles a node that is a number.
func (c *compiler) number(n ast.Node) *Expr {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return c.decimal(strconv.Itoa(n.Value))
	case *ast.FloatNode:
		return c.decimal(strconv.FormatFloat(n.Value, 'f', -1, 64))
	case *ast.UnaryNode:
		switch n.Operator {
		case "+":
			return c.number(n.Node)
		case "-":
			return c.arithmetic(Mul, c.number(n.Node), &Expr{Op: NumberConst, Number: -Scale})
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			return c.arithmetic(Add, c.number(n.Left), c.number(n.Right))
		case "-":
			return c.arithmetic(Sub, c.number(n.Left), c.number(n.Right))
		case "*":
			return c.arithmetic(Mul, c.number(n.Left), c.number(n.Right))
		case "==", "!=", "<", "<=", ">", ">=", "in", "and", "&&", "or", "||":
			return c.refuse(n.String(), "is a condition, not a number", "use + - *, min and max of fields and constants")
		}
	case *ast.BuiltinNode:
		op, ok := map[string]ExprOp{"min": Min, "max": Max}[n.Name]
		if !ok {
			break
		}
		if len(n.Arguments) < 2 {
			return c.refuse(n.String(), "has fewer than two arguments", fmt.Sprintf("write %s(a, b)", n.Name))
		}
		e := c.number(n.Arguments[0])
		for _, a := range n.Arguments[1:] {
			e = c.arithmetic(op, e, c.number(a))
		}
		return e
	case *ast.StringNode, *ast.BoolNode, *ast.NilNode:
		return c.refuse(n.String(), "is no number", "numbers stand without quotes")
	}
	if name := construct(n); name != "" {
		return c.unsupported(name)
	}
	name := c.field(n)
	if textual(name) {
		return c.refuse(name, "is a text, not a number", fmt.Sprintf(`compare it with a text in quotes: %s == "..."`, name))
	}
	return &Expr{Op: NumberField, Field: name}
}

// decimal reads a constant into millionths.
func (c *compiler) decimal(s string) *Expr {
	r, _ := new(big.Rat).SetString(s)
	r.Mul(r, big.NewRat(Scale, 1))
	if !r.IsInt() {
		return c.refuse(s, "has more than 6 decimals", "round it")
	}
	return c.bounded(r.Num())
}

func (c *compiler) bounded(n *big.Int) *Expr {
	if n.CmpAbs(big.NewInt(MaxNumber*Scale)) > 0 {
		return c.refuse("a constant", fmt.Sprintf("is beyond ±%d", int64(MaxNumber)), "no number of an event is larger: use a smaller one")
	}
	return &Expr{Op: NumberConst, Number: n.Int64()}
}

// arithmetic builds an operation in canonical form, folding constants.
func (c *compiler) arithmetic(op ExprOp, a, b *Expr) *Expr {
	if a.Op == NumberConst && b.Op == NumberConst {
		return c.fold(op, a.Number, b.Number)
	}
	if op == Sub {
		if b.Op != NumberConst {
			return &Expr{Op: Sub, Args: []*Expr{a, b}}
		}
		op, b = Add, &Expr{Op: NumberConst, Number: -b.Number}
	}
	if op == Mul && a.Op != NumberConst && b.Op != NumberConst {
		return c.refuse(a.String()+" * "+b.String(), "multiplies two fields", "multiply by a constant")
	}
	args := []*Expr{a, b}
	sortExprs(args)
	if op == Add && args[1].Op == NumberConst && args[1].Number < 0 {
		return &Expr{Op: Sub, Args: []*Expr{args[0], {Op: NumberConst, Number: -args[1].Number}}}
	}
	return &Expr{Op: op, Args: args}
}

func (c *compiler) fold(op ExprOp, a, b int64) *Expr {
	x, y := big.NewInt(a), big.NewInt(b)
	switch op {
	case Add:
		x.Add(x, y)
	case Sub:
		x.Sub(x, y)
	case Mul:
		x.Quo(x.Mul(x, y), big.NewInt(Scale))
	case Min:
		x.SetInt64(min(a, b))
	case Max:
		x.SetInt64(max(a, b))
	}
	return c.bounded(x)
}
