package kpi

import (
	"fmt"
	"iter"
	"math"
	"strconv"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Targets are the levels of a value, in its unit, from which on its owner calls it
// good or bad. Good above Bad means that higher is better, below it that lower is;
// where one stands alone, higher is better. No number depends on them.
type Targets struct {
	Good *float64 `json:"good,omitempty"`
	Bad  *float64 `json:"bad,omitempty"`
}

// All are the levels with their names.
func (t *Targets) All() iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		if t == nil || t.Good != nil && !yield("good", *t.Good) || t.Bad == nil {
			return
		}
		yield("bad", *t.Bad)
	}
}

// readTargets reads the levels, if there are any.
func (k *KPI) readTargets(m document.Mapping) {
	n, ok := m.Get("targets")
	if !ok {
		return
	}
	levels := n.Mapping("good", "bad")
	t := &Targets{Good: k.readLevel(levels, "good"), Bad: k.readLevel(levels, "bad")}
	switch {
	case !n.Mapped():
	case !levels.Has("good") && !levels.Has("bad"):
		levels.Missing("has no level", "give good, bad, or both")
	case t.Good != nil && t.Bad != nil && *t.Good == *t.Bad:
		at, _ := levels.Get("bad")
		at.Fail(at.Value(), "is good and bad", "give two levels: good above bad where higher is better, below it where lower is")
	default:
		k.Targets = t
	}
}

func (k *KPI) readLevel(m document.Mapping, key string) *float64 {
	n, ok := m.Get(key)
	if !ok {
		return nil
	}
	text := n.Text()
	level, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(level, 0) || math.IsNaN(level) {
		n.Fail(strconv.Quote(text), "is no number", "give the level of the value, such as 0.3")
		return nil
	}
	if what, low, high := k.bounds(); what != "" && (level < low || level > high) {
		remedy := "give a number in between"
		if high == 1 && level > 1 && level <= 100 {
			remedy = fmt.Sprintf("for %s %% write %.10g", text, level/100)
		}
		n.Warn(text, fmt.Sprintf("is a level of %s, which lies between %g and %g", what, low, high), remedy)
	}
	return &level
}

// bounds are between which a share, or a difference of shares, is meant to lie; ""
// for anything else. Events per user, and what is not shown in per cent, may be more.
func (k *KPI) bounds() (what string, low, high float64) {
	const difference = "a difference of shares"
	percent := k.Share() && k.Unit == UnitPercent && k.Numerator.Op == k.Denominator.Op
	switch {
	case k.Difference:
		return difference, -k.Scaled(1), k.Scaled(1)
	case percent && k.Minus != nil:
		return difference, -1, 1
	case percent:
		return "a share", 0, 1
	}
	return "", 0, 0
}
