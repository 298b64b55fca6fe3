package oracle

import (
	"fmt"
	"math/big"
	"strings"
)

// Values from 1 to 30 days in milliseconds are known to a hundredth, others not.
var (
	smallest = big.NewRat(1, 1)
	greatest = big.NewRat(30*24*3600*1000, 1)
	percent  = big.NewRat(1, 100)
)

// quantile compares a quantile: what it says of itself must hold.
func (j *judgement) quantile(g *shown, w *Sample) {
	k := j.q.KPI
	revision := 0
	if j.complete {
		revision = w.Revision
	}
	if !j.folded {
		if !w.Guess || g.Revision > revision || g.Revision < min(revision, 1) {
			j.check(w.Labels, "revision", g.Revision, revision)
		}
		j.exact(w, "n", &g.N, rat(w.Denominator, nil))
	}
	if g.Low != nil || g.High != nil {
		j.differ(w.Labels, "interval", g.String(), "none")
	}
	exactness := g.Exactness
	if exactness == "" { // of a point that is exact
		exactness = "exact"
	}
	if g.Value == nil || w.Null {
		if wrong := exactness != "exact" || g.Value != nil || !w.Null; wrong && !(j.folded && exactness == "unknown") {
			j.differ(w.Labels, "value", g.String(), w.String(k))
		}
		return
	}
	value, want := number(g.Value), scaled(rat(w.Numerator, &k.Numerator), k)
	low, high := scaled(smallest, k), scaled(greatest, k)
	right := false
	off := new(big.Rat).Sub(value, want)
	off.Abs(off)
	if text, ok := strings.CutPrefix(exactness, "at most "); ok {
		bound := numeral(text)
		right = bound != nil && want.Cmp(bound) <= 0 && (j.folded || bound.Cmp(low) == 0 && want.Cmp(low) < 0 && value.Cmp(low) == 0)
	} else if text, ok := strings.CutPrefix(exactness, "at least "); ok {
		bound := numeral(text)
		right = bound != nil && want.Cmp(bound) >= 0 && (j.folded || bound.Cmp(high) == 0 && want.Cmp(high) > 0 && value.Cmp(high) == 0)
	} else if exactness == "within 1 %" {
		right = off.Cmp(new(big.Rat).Mul(want, percent)) <= 0
	} else if text, ok := strings.CutPrefix(exactness, "within "); ok && j.folded {
		bound := numeral(text)
		right = bound != nil && off.Cmp(bound) <= 0
	} else {
		right = exactness == "unknown" && j.folded
	}
	if !right {
		j.differ(w.Labels, "value", g.String(), fmt.Sprintf("%s of %s values", want.FloatString(6), w.Denominator))
	}
}

func numeral(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}
