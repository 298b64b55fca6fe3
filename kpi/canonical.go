package kpi

import (
	"cmp"
	"slices"
	"strings"
)

// negate is the truth that e is not.
func negate(e *Expr) *Expr {
	if e.Op == Not {
		return e.Args[0]
	}
	return &Expr{Op: Not, Args: []*Expr{e}}
}

// join is the And or the Or of its arguments: flat, sorted, each once. Texts
// that one field may equal become one TextEq.
func join(op ExprOp, args ...*Expr) *Expr {
	var flat []*Expr
	for _, a := range args {
		if a.Op == op {
			flat = append(flat, a.Args...)
		} else {
			flat = append(flat, a)
		}
	}
	if op == Or {
		flat = mergeTexts(flat)
	}
	sortExprs(flat)
	flat = slices.CompactFunc(flat, func(a, b *Expr) bool { return a.String() == b.String() })
	if len(flat) == 1 {
		return flat[0]
	}
	return &Expr{Op: op, Args: flat}
}

func mergeTexts(args []*Expr) []*Expr {
	var merged []*Expr
	for _, a := range args {
		i := slices.IndexFunc(merged, func(m *Expr) bool {
			return a.Op == TextEq && m.Op == TextEq && m.Args[0].Field == a.Args[0].Field
		})
		if i < 0 {
			merged = append(merged, a)
			continue
		}
		merged[i] = textEq(a.Args[0], slices.Concat(merged[i].Args[1:], a.Args[1:]))
	}
	return merged
}

// textEq is field equal to one of the texts, which are sorted, each once.
func textEq(field *Expr, constants []*Expr) *Expr {
	slices.SortFunc(constants, func(a, b *Expr) int { return strings.Compare(a.Text, b.Text) })
	constants = slices.CompactFunc(constants, func(a, b *Expr) bool { return a.Text == b.Text })
	return &Expr{Op: TextEq, Args: append([]*Expr{field}, constants...)}
}

// sortExprs puts arguments whose order does not matter into theirs: the
// cheapest tests first, constants last, then by text.
func sortExprs(args []*Expr) {
	rank := func(e *Expr) int {
		switch e.Op {
		case TextEq:
			return 0
		case Present:
			return 1
		case And, Or, Not:
			return 3
		case NumberConst:
			return 4
		}
		return 2
	}
	text := make(map[*Expr]string, len(args))
	for _, a := range args {
		text[a] = a.String()
	}
	slices.SortStableFunc(args, func(a, b *Expr) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(text[a], text[b]))
	})
}

var opNames = [...]string{Count: "count", Sum: "sum", Largest: "max", Smallest: "min", Carrying: "carrying", Quantile: "quantile", Distinct: "distinct", Level: "level"}

// String is the operation's word in a definition.
func (o Op) String() string { return opNames[o] }

// Taken is the canonical text of the number that the measure takes.
func (m *Measure) Taken() string {
	if m.Number != nil {
		return m.Number.String()
	}
	return string(appendField(nil, m.Field))
}

// Key is the canonical identity of the measure: equal for measures that always
// have equal values.
func (m *Measure) Key() string {
	var args []string
	if m.Op.OfField() || m.Op == Carrying {
		args = append(args, m.Taken())
	}
	if m.Op == Quantile {
		args = append(args, "p "+string(appendNumber(nil, int64(m.Share)*(Scale/ShareScale))))
	}
	if m.Money {
		args = append(args, "by currency")
	}
	if m.Where != nil {
		args = append(args, m.Where.String())
	}
	key := m.Op.String() + "(" + strings.Join(args, "; ") + ")"
	if m.Events {
		key = "events " + key
	}
	if m.Also != nil {
		key += " also " + m.Also.Name
	}
	return key
}
