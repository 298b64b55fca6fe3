// Package random makes expressions of Prometheus' language, for tests that hold the answers
// of two to each other.
package random

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Expressions are random ones, of every function and operator.
type Expressions struct {
	*rand.Rand
	Selectors []Selectors
	// Subqueries are the ranges of subqueries, Ahead is how far into the future an offset
	// looks at most, Around is the time that @ is before.
	Subqueries []time.Duration
	Ahead      time.Duration
	Around     time.Time

	nested int // in how many subqueries it is
}

// Selectors are series, and how far back they may be looked for.
type Selectors struct {
	List   []string
	Ranges []time.Duration
}

// functions are those that are not experimental.
var functions = sync.OnceValue(func() (list []*parser.Function) {
	for _, name := range slices.Sorted(maps.Keys(parser.Functions)) {
		if f := parser.Functions[name]; !f.Experimental {
			list = append(list, f)
		}
	}
	return list
})

// Pick is one of several.
func Pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// Next is another one.
func (x *Expressions) Next() string { return x.vector(1 + x.IntN(2)) }

func pick[T any](x *Expressions, list ...T) T { return Pick(x.Rand, list...) }

func length(d time.Duration) string { return model.Duration(d).String() }

// selector is one with its modifiers, as a vector or, of a function over time, a range.
func (x *Expressions) selector(matrix bool) string {
	s := pick(x, x.Selectors...)
	out := pick(x, s.List...)
	if matrix {
		out += "[" + length(pick(x, s.Ranges...)) + "]"
	}
	return out + x.modifier(slices.Max(s.Ranges))
}

// modifier is none, or one that looks elsewhere, not much longer back than what is kept.
func (x *Expressions) modifier(longest time.Duration) string {
	upTo := func(d time.Duration) time.Duration {
		return time.Duration(1+x.Int64N(int64(d/time.Second))) * time.Second
	}
	back := upTo(longest)
	switch x.IntN(10) {
	case 0:
		return " offset " + length(back)
	case 1:
		return " @ " + pick(x, "start()", "end()")
	case 2:
		return " offset -" + length(upTo(x.Ahead))
	case 3:
		return fmt.Sprintf(" @ %.3f", float64(x.Around.Add(-back).UnixMilli())/1000)
	}
	return ""
}

func (x *Expressions) vector(depth int) string {
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

func (x *Expressions) matrix(depth int) string {
	if depth == 0 || x.nested == 2 || x.IntN(3) == 0 {
		return x.selector(true)
	}
	return x.subquery(depth - 1)
}

func (x *Expressions) subquery(depth int) string {
	x.nested++
	defer func() { x.nested-- }()
	of := x.vector(depth)
	if x.nested == 1 && x.IntN(3) == 0 {
		of = pick(x, "sum", "last", "max", "count") + "_over_time(" + x.subquery(0) + ")"
	}
	return "(" + of + ")[" + length(pick(x, x.Subqueries...)) + ":" + pick(x, "", "90s", "7m", "1m") + "]" + x.modifier(40*time.Minute)
}

func (x *Expressions) scalar(depth int) string {
	if depth > 0 && x.IntN(3) == 0 {
		return x.call(depth-1, parser.ValueTypeScalar)
	}
	return pick(x, "0", "1", "0.5", "-2", "3e2", "NaN", "Inf")
}

func (x *Expressions) aggregation(depth int) string {
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

func (x *Expressions) operation(depth int) string {
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
func (x *Expressions) call(depth int, want parser.ValueType) string {
	f := pick(x, functions()...)
	for f.ReturnType != want {
		f = pick(x, functions()...)
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
