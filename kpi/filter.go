package kpi

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// Bounds of a filter: the bytes of its text, the nodes of its syntax tree.
const (
	maxFilter = 8 << 10
	maxNodes  = 1_000
)

// bounds are those of the parser, which only reads them.
var bounds = func() *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes = maxNodes
	return c
}()

// identifier reports whether a name needs no quotes in a filter, unless it is
// reserved. No regular expression: each canonical text asks for all its fields.
func identifier(name string) bool {
	for i, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if digit := '0' <= c && c <= '9'; !letter && (!digit || i == 0) {
			return false
		}
	}
	return name != ""
}

// reserved are the identifiers that are no names.
var reserved = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "true": true, "false": true, "nil": true, "let": true,
	"if": true, "else": true, "matches": true, "contains": true, "startsWith": true, "endsWith": true,
}

// ParseExpr reads a filter: comparisons (== != < <= > >= in, not in) of fields
// with texts, numbers, true, false and nil (the field is missing), joined by
// and, or, not; numbers may use + - *, min and max. A property whose name is no
// identifier is written $env["its name"]. Whatever else the syntax of
// expr-lang knows is refused by name. An error is a *document.Problem.
func ParseExpr(text string) (*Expr, error) {
	c := compiler{what: "a filter", form: "write comparisons joined by and, or, not", remedy: "use == != < <= > >= in, and or not, + - *, min and max"}
	return c.compile(text, "leave where out to count every event", c.truth)
}

// ParseNumber reads a number that is computed from an event: fields and constants
// with + - * (by a constant), min and max. An error is a *document.Problem.
func ParseNumber(text string) (*Expr, error) {
	c := compiler{what: "a number", form: "write numbers joined by + - *, min and max", remedy: "use + - *, min and max of fields and constants"}
	e, err := c.compile(text, "name a field, or compute a number from some", c.number)
	if err == nil && e.Op == NumberConst {
		return nil, &document.Problem{Value: strconv.Quote(text), Rule: "has no field in it", Remedy: "count the events, or name a field"}
	}
	return e, err
}

// compile reads a text; empty is what to do about one that is.
func (c *compiler) compile(text, empty string, read func(ast.Node) *Expr) (*Expr, error) {
	if len(text) > maxFilter {
		return nil, &document.Problem{Value: fmt.Sprintf("%s of %d bytes", c.what, len(text)), Rule: fmt.Sprintf("is longer than %d", maxFilter), Remedy: "make the distinction in a property of the event"}
	}
	if strings.TrimSpace(text) == "" {
		return nil, &document.Problem{Rule: "is empty", Remedy: empty}
	}
	tree, err := parser.ParseWithConfig(text, bounds)
	if err != nil {
		return nil, c.syntaxProblem(text, err)
	}
	e := read(tree.Node)
	if c.problem != nil {
		return nil, c.problem
	}
	return e, nil
}

func (c *compiler) syntaxProblem(text string, err error) *document.Problem {
	if strings.Contains(err.Error(), "maximum allowed nodes") {
		return &document.Problem{Value: c.what, Rule: fmt.Sprintf("has more than %d parts", maxNodes), Remedy: "make the distinction in a property of the event"}
	}
	rule := err.Error()
	if e := (*file.Error)(nil); errors.As(err, &e) {
		rule = fmt.Sprintf("does not parse at column %d, %s", e.Column+1, e.Message)
	}
	remedy := c.form
	if strings.Contains(rule, `Operator("=")`) {
		remedy = "compare with =="
	} else if part := spelling.Percent(text); part != "" {
		remedy = part
	}
	return &document.Problem{Value: strconv.Quote(text), Rule: rule, Remedy: remedy}
}

// A compiler turns a syntax tree into an Expr. It keeps the first problem; the
// tree that it returns then means nothing.
type compiler struct {
	what    string // is read
	form    string // that it has
	remedy  string // for what has none of its own
	problem *document.Problem
}

func (c *compiler) refuse(value, rule, remedy string) *Expr {
	if c.problem == nil {
		c.problem = &document.Problem{Value: value, Rule: rule, Remedy: remedy}
	}
	return &Expr{Op: NumberConst}
}

// unsupported refuses a construct of expr-lang by its name.
func (c *compiler) unsupported(name string) *Expr {
	remedy, ok := remedies[name]
	if !ok {
		remedy = c.remedy
	}
	return c.refuse(strconv.Quote(name), "is not supported in "+c.what, remedy)
}

var remedies = map[string]string{
	"/":          "multiply by the inverse: x * 0.5 for x / 2",
	"..":         "compare with both ends: x >= 1 and x <= 9",
	"?:":         "combine conditions with and, or, not",
	"if":         "combine conditions with and, or, not",
	"??":         "test a missing field with == nil",
	"contains":   "compare whole texts with == or in",
	"matches":    "compare whole texts with == or in",
	"startsWith": "compare whole texts with == or in",
	"endsWith":   "compare whole texts with == or in",
}

// truth compiles a node that says yes or no.
func (c *compiler) truth(n ast.Node) *Expr {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator != "not" && n.Operator != "!" {
			break
		}
		in, ok := n.Node.(*ast.BinaryNode)
		if ok && in.Operator == "in" && n.Location() == in.Location() { // x not in [...]
			return c.in(in, true)
		}
		return negate(c.truth(n.Node))
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return join(And, c.operands(n)...)
		case "or", "||":
			return join(Or, c.operands(n)...)
		case "==", "!=", "<", "<=", ">", ">=":
			return c.compare(n)
		case "in":
			return c.in(n, false)
		}
	case *ast.IdentifierNode:
		return c.refuse(n.Value, "alone is no condition", fmt.Sprintf("compare it, as in %s == true or %s != nil", n.Value, n.Value))
	case *ast.BoolNode:
		return c.refuse(strconv.FormatBool(n.Value), "alone is no condition", "compare a field with it, or leave where out to count every event")
	}
	if name := construct(n); name != "" {
		return c.unsupported(name)
	}
	return c.refuse(n.String(), "is no condition", "compare it, as in x > 0; not needs parentheses: not (x > 0)")
}

// operands compiles what a chain of one operator joins, so that a long chain is
// put in order once.
func (c *compiler) operands(n *ast.BinaryNode) []*Expr {
	var right []*Expr // last first
	for {
		right = append(right, c.truth(n.Right))
		left, ok := n.Left.(*ast.BinaryNode)
		if !ok || left.Operator != n.Operator {
			right = append(right, c.truth(n.Left))
			slices.Reverse(right)
			return right
		}
		n = left
	}
}

// comparisons are the operators between two numbers, and their mirror images.
var comparisons = map[string]struct{ op, mirror ExprOp }{
	"==": {Eq, Eq}, "!=": {Ne, Ne}, "<": {Lt, Gt}, "<=": {Le, Ge}, ">": {Gt, Lt}, ">=": {Ge, Le},
}

func (c *compiler) compare(n *ast.BinaryNode) *Expr {
	left, right, op := n.Left, n.Right, comparisons[n.Operator].op
	if constant(left) && !constant(right) {
		left, right, op = right, left, comparisons[n.Operator].mirror
	}
	if constant(left) {
		return c.refuse(n.String(), "compares constants", "compare a field with a constant")
	}
	switch right := right.(type) {
	case *ast.NilNode:
		present := &Expr{Op: Present, Field: fieldName(left)}
		if present.Field != "user_id" { // whether there is one is no identity
			present.Field = c.field(left)
		}
		switch op {
		case Eq:
			return negate(present)
		case Ne:
			return present
		}
		return c.refuse(n.String(), "orders by nil", "test a missing field with == nil")
	case *ast.StringNode, *ast.BoolNode:
		if op != Eq && op != Ne {
			return c.refuse(n.String(), "orders texts", "compare texts with == or in")
		}
		return c.texts(left, []ast.Node{right}, op == Ne)
	}
	return c.order(op, c.number(left), c.number(right))
}

// order builds a comparison of numbers in canonical form.
func (c *compiler) order(op ExprOp, left, right *Expr) *Expr {
	if left.Op == NumberConst && right.Op == NumberConst {
		return c.refuse("a comparison", "has no field in it", "compare a field with a constant")
	}
	if left.Op == NumberConst {
		left, right = right, left
		op = map[ExprOp]ExprOp{Eq: Eq, Ne: Ne, Lt: Gt, Le: Ge, Gt: Lt, Ge: Le}[op]
	}
	args := []*Expr{left, right}
	if op == Eq || op == Ne {
		sortExprs(args)
		if args[1].Op == NumberField && args[0].Op == NumberField && !number(left.Field) && !number(right.Field) {
			return c.refuse(left.String()+" and "+right.String(), "may be texts, which cannot be compared with each other", "for numbers test their difference with 0")
		}
	}
	return &Expr{Op: op, Args: args}
}

// in compiles membership of a list of texts or of numbers.
func (c *compiler) in(n *ast.BinaryNode, not bool) *Expr {
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		if name := construct(n.Right); name != "" {
			return c.unsupported(name)
		}
		return c.refuse(n.Right.String(), "is no list", `write in ["a", "b"]`)
	}
	if len(list.Nodes) == 0 {
		return c.refuse(n.String(), "has an empty list", "name at least one value")
	}
	if text(list.Nodes[0]) {
		return c.texts(n.Left, list.Nodes, not)
	}
	op, joint := Eq, Or
	if not {
		op, joint = Ne, And
	}
	var all []*Expr
	for _, v := range list.Nodes {
		if !constant(v) || text(v) || isNil(v) {
			return c.refuse(n.String(), "mixes values in its list", "name texts only, or numbers only")
		}
		all = append(all, c.order(op, c.number(n.Left), c.number(v)))
	}
	return join(joint, all...)
}

// texts compiles field == one of values. Without the field it is false either
// way, so the negation asks for its presence.
func (c *compiler) texts(field ast.Node, values []ast.Node, not bool) *Expr {
	name := c.field(field)
	if number(name) {
		return c.refuse(fmt.Sprintf("%s %s", name, values[0]), "compares a number with a text", "write the number without quotes")
	}
	var args []*Expr
	for _, v := range values {
		t := &Expr{Op: TextConst}
		switch v := v.(type) {
		case *ast.StringNode:
			t.Text = v.Value
		case *ast.BoolNode:
			t.Text = strconv.FormatBool(v.Value)
		default:
			return c.refuse(v.String(), "is no text in a list of texts", "name texts only, or numbers only")
		}
		if !utf8.ValidString(t.Text) {
			return c.refuse(strconv.Quote(t.Text), "is not UTF-8", `write characters as they are or as \u escapes`)
		}
		args = append(args, t)
	}
	equal := textEq(&Expr{Op: TextField, Field: name}, args)
	if !not {
		return equal
	}
	return join(And, &Expr{Op: Present, Field: name}, negate(equal))
}

// field is the name of the field that a node must be.
func (c *compiler) field(n ast.Node) string {
	name := fieldName(n)
	remedy := "it says which event this is; filter on its type, a dimension or a property"
	if name == "user_id" {
		remedy = "it says whose the event is; events of users who are known have user_id != nil"
	}
	switch {
	case name != "" && identity(name):
		c.refuse(name, "cannot be filtered on", remedy)
	case name != "":
		return name
	default:
		if m, ok := n.(*ast.MemberNode); ok {
			if p, ok := m.Property.(*ast.StringNode); ok {
				c.refuse(n.String(), "reads into a value", fmt.Sprintf("properties stand beside the other fields: write %s", p.Value))
			}
		}
		if name := construct(n); name != "" {
			c.unsupported(name)
		}
		if u, ok := n.(*ast.UnaryNode); ok && (u.Operator == "not" || u.Operator == "!") {
			c.refuse(u.Operator, "stands before a value", "put the comparison in parentheses: not (x > 1)")
		}
		c.refuse(n.String(), "is no field", "compare a field of the event with a constant")
	}
	return ""
}
