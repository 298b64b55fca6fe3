package app

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// expressions makes random ones of Prometheus' language: every function and operator.
type expressions struct {
	*rand.Rand
	selectors  []selectors
	functions  []*parser.Function
	subqueries int // in how many it is
}

// selectors are series, and how far back they may be looked for.
type selectors struct {
	list   []string
	ranges []time.Duration
}

func newExpressions(seed uint64, of ...selectors) *expressions {
	x := &expressions{Rand: rand.New(rand.NewPCG(seed, 0)), selectors: of}
	for _, name := range slices.Sorted(maps.Keys(parser.Functions)) {
		if f := parser.Functions[name]; !f.Experimental {
			x.functions = append(x.functions, f)
		}
	}
	return x
}

func pick[T any](x *expressions, list ...T) T { return list[x.IntN(len(list))] }

func length(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// selector is one with its modifiers, as a vector or, of a function over time, a range.
func (x *expressions) selector(matrix bool) string {
	s := pick(x, x.selectors...)
	out := pick(x, s.list...)
	longest := s.ranges[len(s.ranges)-1]
	if matrix {
		out += "[" + length(pick(x, s.ranges...)) + "]"
	}
	return out + x.modifier(longest)
}

// modifier is none, or one that looks elsewhere, not much longer back than what is kept.
func (x *expressions) modifier(longest time.Duration) string {
	back := time.Duration(x.Int64N(int64(longest)))
	switch x.IntN(10) {
	case 0:
		return " offset " + length(back)
	case 1:
		return " @ " + pick(x, "start()", "end()")
	case 2:
		return " offset -" + length(time.Duration(x.Int64N(int64(10*time.Minute))))
	case 3:
		return fmt.Sprintf(" @ %.3f", float64(noon.Add(-back).UnixMilli())/1000)
	}
	return ""
}

func (x *expressions) vector(depth int) string {
	if depth == 0 {
		return x.selector(false)
	}
	switch x.IntN(10) {
	case 0, 1:
		return x.aggregation(depth - 1)
	case 2, 3, 4, 5:
		return x.call(depth-1, parser.ValueTypeVector)
	case 6, 7:
		return x.operation(depth - 1)
	case 8:
		return "-" + x.selector(false)
	}
	return x.selector(false)
}

func (x *expressions) matrix(depth int) string {
	if depth == 0 || x.subqueries == 2 || x.IntN(3) == 0 {
		return x.selector(true)
	}
	return x.subquery(depth - 1)
}

func (x *expressions) subquery(depth int) string {
	x.subqueries++
	defer func() { x.subqueries-- }()
	of := x.vector(depth)
	if x.subqueries == 1 && x.IntN(3) == 0 {
		of = pick(x, "sum", "last", "max", "count") + "_over_time(" + x.subquery(0) + ")"
	}
	return "(" + of + ")[" + pick(x, "10m", "37m", "1h") + ":" + pick(x, "", "90s", "7m", "1m") + "]" + x.modifier(40*time.Minute)
}

func (x *expressions) scalar(depth int) string {
	if depth > 0 && x.IntN(3) == 0 {
		return x.call(depth-1, parser.ValueTypeScalar)
	}
	return pick(x, "0", "1", "0.5", "-2", "3e2", "NaN", "Inf")
}

func (x *expressions) aggregation(depth int) string {
	group := pick(x, "", " by (channel)", " without (channel)", " by (window)")
	switch op := pick(x, "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"); op {
	case "topk", "bottomk":
		return fmt.Sprintf("%s%s(%d, %s)", op, group, x.IntN(4), x.vector(depth))
	case "quantile":
		return fmt.Sprintf("quantile%s(%s, %s)", group, pick(x, "0.5", "0.99", "0", "1"), x.vector(depth))
	case "count_values":
		return fmt.Sprintf(`count_values%s("value", %s)`, group, x.vector(depth))
	default:
		return op + group + "(" + x.vector(depth) + ")"
	}
}

func (x *expressions) operation(depth int) string {
	arithmetic := []string{"+", "-", "*", "/", "%", "^", "atan2"}
	comparison := []string{"==", "!=", ">", "<", ">=", "<=", "> bool", "== bool"}
	matching := pick(x, "", " on (channel)", " ignoring (by)", " on (channel) group_left ()", " ignoring (window) group_right ()")
	switch x.IntN(4) {
	case 0:
		return fmt.Sprintf("(%s) %s%s (%s)", x.vector(depth), pick(x, arithmetic...), matching, x.vector(depth))
	case 1:
		return fmt.Sprintf("(%s) %s %s", x.vector(depth), pick(x, append(arithmetic, comparison...)...), x.scalar(depth))
	case 2:
		return fmt.Sprintf("(%s) %s%s (%s)", x.vector(depth), pick(x, comparison...), matching, x.vector(depth))
	}
	return fmt.Sprintf("(%s) %s%s (%s)", x.vector(depth), pick(x, "and", "or", "unless"), pick(x, "", " on (channel)", " ignoring (by)"), x.vector(depth))
}

// call calls a function that gives what is wanted.
func (x *expressions) call(depth int, want parser.ValueType) string {
	f := pick(x, x.functions...)
	for f.ReturnType != want {
		f = pick(x, x.functions...)
	}
	switch f.Name {
	case "label_replace":
		return fmt.Sprintf(`label_replace(%s, "first", "$1", "channel", "(.).*")`, x.vector(depth))
	case "label_join":
		return fmt.Sprintf(`label_join(%s, "both", "-", "channel", "window")`, x.vector(depth))
	}
	n := len(f.ArgTypes)
	if f.Variadic != 0 {
		n -= x.IntN(2)
	}
	var args []string
	for _, of := range f.ArgTypes[:n] {
		switch of {
		case parser.ValueTypeVector:
			args = append(args, x.vector(depth))
		case parser.ValueTypeMatrix:
			args = append(args, x.matrix(depth))
		case parser.ValueTypeScalar:
			args = append(args, x.scalar(depth))
		default:
			args = append(args, `"channel"`)
		}
	}
	return f.Name + "(" + strings.Join(args, ", ") + ")"
}
