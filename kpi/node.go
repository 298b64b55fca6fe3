package kpi

import (
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// fieldName is the name of the field that a node is, or "".
func fieldName(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value != "$env" {
			return n.Value
		}
	case *ast.MemberNode:
		env, ok := n.Node.(*ast.IdentifierNode)
		name, isText := n.Property.(*ast.StringNode)
		if ok && isText && env.Value == "$env" && utf8.ValidString(name.Value) {
			return name.Value
		}
	}
	return ""
}

// constant reports whether the node is a literal, or a number with a sign.
func constant(n ast.Node) bool {
	if u, ok := n.(*ast.UnaryNode); ok && (u.Operator == "-" || u.Operator == "+") {
		n = u.Node
	}
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	return text(n) || isNil(n)
}

func text(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.BoolNode:
		return true
	}
	return false
}

func isNil(n ast.Node) bool {
	_, ok := n.(*ast.NilNode)
	return ok
}

// construct names what expr-lang knows and a filter does not.
func construct(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "==", "!=", "<", "<=", ">", ">=", "in", "and", "&&", "or", "||":
			return ""
		}
		return n.Operator
	case *ast.BuiltinNode:
		if n.Name == "min" || n.Name == "max" {
			return ""
		}
		return n.Name
	case *ast.CallNode:
		if f, ok := n.Callee.(*ast.IdentifierNode); ok {
			return f.Value
		}
		return "a method call"
	case *ast.ConditionalNode:
		if n.Ternary {
			return "?:"
		}
		return "if"
	case *ast.VariableDeclaratorNode:
		return "let"
	case *ast.SequenceNode:
		return ";"
	case *ast.ChainNode:
		return "?."
	case *ast.SliceNode:
		return "[:]"
	case *ast.MapNode:
		return "{}"
	case *ast.BytesNode:
		return "b'...'"
	case *ast.PointerNode:
		return "#"
	}
	return ""
}
