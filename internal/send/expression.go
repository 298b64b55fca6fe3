package send

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/tidewatch/tidewatch/internal/document"
)

// The names of an expression that are no columns.
const (
	rowName  = "row"  // the whole row: row["user-item affinity"]
	fileName = "file" // the base name of the file
)

// An expression makes a value of a row. Columns are texts; int() and float()
// make numbers of them.
type expression struct {
	path, text string
	// columns are those that the expression names.
	columns []string
	// column is set when the expression is no more than one column.
	column  string
	program *vm.Program
}

// compile reads an expression in expr-lang's language. Every name in it that
// is not row, file or a function is a column.
func compile(path, text string, truth bool) (*expression, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, &document.Problem{Rule: "is no expression, " + firstLine(err), Remedy: "write one over the columns, such as uid or int(c3) * 1000"}
	}
	e := &expression{path: path, text: text, columns: columnsOf(tree.Node)}
	if id, ok := tree.Node.(*ast.IdentifierNode); ok && id.Value != rowName && id.Value != fileName {
		e.column = id.Value
	}
	env := map[string]any{rowName: map[string]string{}, fileName: ""}
	for _, c := range e.columns {
		if _, taken := env[c]; !taken {
			env[c] = ""
		}
	}
	// now() would make another event, with another id, of the same row.
	options := []expr.Option{expr.Env(env), expr.DisableBuiltin("now")}
	if truth {
		options = append(options, expr.AsBool())
	}
	if e.program, err = expr.Compile(text, options...); err != nil {
		return nil, &document.Problem{Rule: "does not work, " + firstLine(err), Remedy: "columns are texts, int(x) and float(x) make numbers of them"}
	}
	return e, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (e *expression) eval(env map[string]any) (any, error) {
	if e.column != "" {
		return env[e.column], nil
	}
	v, err := expr.Run(e.program, env)
	if err != nil {
		return nil, fmt.Errorf("%s: evaluate %q: %s", e.path, e.text, firstLine(err))
	}
	return v, nil
}

// columnsOf lists the columns that a tree names, as c or as row["c"].
func columnsOf(node ast.Node) []string {
	v := &columnVisitor{columns: map[string]bool{}, local: map[string]bool{}}
	ast.Walk(&node, v)
	for name := range v.local {
		delete(v.columns, name)
	}
	return slices.Sorted(maps.Keys(v.columns))
}

type columnVisitor struct {
	columns map[string]bool
	local   map[string]bool // names bound by let
}

func (v *columnVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value != rowName && n.Value != fileName {
			v.columns[n.Value] = true
		}
	case *ast.VariableDeclaratorNode:
		v.local[n.Name] = true
	case *ast.MemberNode:
		row, ok := n.Node.(*ast.IdentifierNode)
		name, constant := n.Property.(*ast.StringNode)
		if ok && constant && row.Value == rowName {
			v.columns[name.Value] = true
		}
	}
}

func names[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
