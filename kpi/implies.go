package kpi

import "slices"

// difference is whether the KPI's Difference is set.
func (k *KPI) difference() bool {
	if !k.Ratio() || k.Minus == nil {
		return false
	}
	among := func(m *Measure) bool { return m.Op == k.Denominator.Op && m.Where.implies(k.Denominator.Where) }
	op := k.Denominator.Op
	return (op == Count || op == Distinct) && among(&k.Numerator) && among(k.Minus)
}

// Within reports whether all that the numerator of a share counts is among what the denominator
// does, so that the share is never above 1.
func (k *KPI) Within() bool {
	n, d := &k.Numerator, k.Denominator
	return k.Share() && k.Minus == nil && k.From == nil && n.Op == d.Op && (n.Op == Count || n.Op == Distinct) && n.Where.implies(d.Where)
}

// implies reports whether what passes the filter is seen to pass the other: each
// of the other's conditions is one of its own, or follows from one.
func (e *Expr) implies(o *Expr) bool {
	for _, want := range o.conditions() {
		if !slices.ContainsFunc(e.conditions(), func(have *Expr) bool { return have.entails(want) }) {
			return false
		}
	}
	return true
}

// conditions are those that all must hold.
func (e *Expr) conditions() []*Expr {
	switch {
	case e == nil:
		return nil
	case e.Op == And:
		return e.Args
	}
	return []*Expr{e}
}

// entails reports whether a condition follows from this one: it is the same, a
// looser bound of the same number, fewer of the same texts, or that a field is
// there which is looked at.
func (e *Expr) entails(o *Expr) bool {
	switch {
	case e.String() == o.String():
		return true
	case o.Op == Present:
		return e.needs(o.Field)
	case e.Op == TextEq && o.Op == TextEq:
		return e.Args[0].Field == o.Args[0].Field && !slices.ContainsFunc(e.Args[1:], func(a *Expr) bool {
			return !slices.ContainsFunc(o.Args[1:], func(b *Expr) bool { return a.Text == b.Text })
		})
	case len(e.Args) != 2 || len(o.Args) != 2 || e.Args[1].Op != NumberConst || o.Args[1].Op != NumberConst || e.Args[0].String() != o.Args[0].String():
		return false
	}
	have, want := e.Args[1].Number, o.Args[1].Number
	switch o.Op {
	case Ge:
		return have >= want && (e.Op == Ge || e.Op == Gt || e.Op == Eq)
	case Gt:
		return e.Op == Gt && have >= want || have > want && (e.Op == Ge || e.Op == Eq)
	case Le:
		return have <= want && (e.Op == Le || e.Op == Lt || e.Op == Eq)
	case Lt:
		return e.Op == Lt && have <= want || have < want && (e.Op == Le || e.Op == Eq)
	}
	return false
}

// needs reports whether the condition is false of an event without the field.
func (e *Expr) needs(field string) bool {
	switch e.Op {
	case TextEq, Eq, Ne, Lt, Le, Gt, Ge, Present:
		text, number := e.Fields()
		return slices.Contains(text, field) || slices.Contains(number, field)
	}
	return false
}
