package oracle

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

func number(n *json.Number) *big.Rat {
	if n == nil {
		return nil
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return nil
	}
	return r
}

func (s *shown) zero() bool {
	for _, n := range []*big.Rat{number(s.Numerator), number(s.Denominator)} {
		if n != nil && n.Sign() != 0 {
			return false
		}
	}
	return s.Numerator != nil
}

func (s *shown) String() string {
	text, _ := json.Marshal(s)
	return string(text)
}

// String is the sample as it would be shown.
func (s *Sample) String(k *kpi.KPI) string {
	text := fmt.Sprintf("%s %s revision %d", numerator(s, k).RatString(), s.Currency, s.Revision)
	if k.Ratio() {
		text = numerator(s, k).RatString() + " / " + rat(s.Denominator, k.Denominator).RatString()
	}
	if s.Null {
		text += " null"
	}
	return text
}

// sample compares one series in one window.
func (j *judgement) sample(g *shown, w *Sample) {
	k := j.q.KPI
	if k.Quantile() {
		j.quantile(g, w)
		return
	}
	// A list that is over does not know what is below it.
	below := k.Top > 0 && len(j.q.Match) > 0
	if bound, within := strings.CutPrefix(g.Exactness, "within "); within && (j.folded || below) {
		j.bounded(g, w, bound)
		return
	}
	if text, most := strings.CutPrefix(g.Exactness, "at most "); most && below && k.Numerator.Op == kpi.Sum {
		if bound := numeral(text); bound == nil || g.Value != nil || !w.Mixed && numerator(w, k).Cmp(bound) > 0 {
			j.differ(w.Labels, "exactness", g.String(), w.String(k))
		}
		return
	}
	if g.Exactness == "unknown" && j.folded && k.Numerator.Op.Extreme() {
		if g.Value != nil {
			j.differ(w.Labels, "value", g.String(), "null: it is not known")
		}
		return
	}
	if j.warned {
		j.check(w.Labels, "exactness", g.Exactness, "exact")
	}
	revision := 0
	if j.complete {
		revision = w.Revision
	}
	j.check(w.Labels, "revision", g.Revision, revision)
	if w.Null && !w.Mixed && !k.Ratio() {
		if g.Value != nil || g.Numerator != nil || g.N != "0" {
			j.differ(w.Labels, "value", g.String(), "null: there is no number")
		}
		return
	}
	fits := j.fits(w.Numerator) && j.fits(w.Denominator)
	if w.Mixed || !fits && g.Value == nil {
		if g.Value != nil {
			j.differ(w.Labels, "value", g.String(), "null: there are several currencies")
		}
		if j.warned && (w.Mixed && !strings.Contains(j.warnings, "currenc") || !w.Null && j.warnings == "") {
			j.differ(w.Labels, "warnings", fmt.Sprintf("%q", j.warnings), "that and why it is null")
		}
		return
	}
	num, den := numerator(w, k), rat(w.Denominator, k.Denominator)
	j.exact(w, "numerator", g.Numerator, num)
	n := new(big.Int).Quo(num.Num(), num.Denom())
	switch {
	case !k.Ratio():
		j.exact(w, "value", g.Value, num)
	case w.Null:
		j.exact(w, "denominator", g.Denominator, den)
		n.Quo(den.Num(), den.Denom())
		if g.Value != nil {
			j.differ(w.Labels, "value", g.String(), "null")
		}
	default:
		j.exact(w, "denominator", g.Denominator, den)
		n.Quo(den.Num(), den.Denom())
		j.near(w, "value", floatOf(g.Value), quotient(scaled(num, k), den))
	}
	j.exact(w, "n", &g.N, new(big.Rat).SetInt(n))
	if w.Numerator.Sign() != 0 {
		j.check(w.Labels, "currency", g.Currency, w.Currency)
	}
	if j.warned {
		j.interval(g, w, num, den)
	}
}

// fits reports whether a number needs no more than 64 bits: one that does may
// be null, with a warning.
func (j *judgement) fits(n *big.Int) bool { return n.IsInt64() }

func (j *judgement) exact(w *Sample, field string, got *json.Number, want *big.Rat) {
	if n := number(got); n == nil || n.Cmp(want) != 0 {
		text := "null"
		if got != nil {
			text = got.String()
		}
		j.differ(w.Labels, field, text, want.FloatString(6))
	}
}

// near compares what is a fraction by its nature.
func (j *judgement) near(w *Sample, field string, got, want float64) {
	if math.IsNaN(got) || math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
		j.differ(w.Labels, field, fmt.Sprint(got), fmt.Sprint(want))
	}
}

func floatOf(n *json.Number) float64 {
	if n == nil {
		return math.NaN()
	}
	f, err := n.Float64()
	if err != nil {
		return math.NaN()
	}
	return f
}

func quotient(a, b *big.Rat) float64 {
	f, _ := new(big.Rat).Quo(a, b).Float64()
	return f
}

// bounded compares a sample that says how much it may lack.
func (j *judgement) bounded(g *shown, w *Sample, bound string) {
	b, ok := new(big.Rat).SetString(bound)
	got := number(g.Numerator)
	if !ok || got == nil {
		return
	}
	off := new(big.Rat).Sub(numerator(w, j.q.KPI), got)
	if off.Abs(off).Cmp(b) > 0 {
		j.differ(w.Labels, "exactness", g.String(), w.String(j.q.KPI))
	}
}

// interval compares the 95 % interval of a share, which nothing else has.
func (j *judgement) interval(g *shown, w *Sample, num, den *big.Rat) {
	k := j.q.KPI
	if k.Difference {
		j.margin(g, w, num, den)
		return
	}
	share := k.Ratio() && k.Scale == 0 && (k.Minus == nil || !k.Minus.Op.OfField()) && !k.Numerator.Op.OfField() && !k.Denominator.Op.OfField()
	if !share || w.Null || num.Sign() < 0 || num.Cmp(den) > 0 {
		if g.Low != nil || g.High != nil {
			j.differ(w.Labels, "interval", g.String(), "none")
		}
		return
	}
	if g.Low == nil || g.High == nil {
		j.differ(w.Labels, "interval", g.String(), "low and high")
		return
	}
	p, n := quotient(num, den), floatOf(&g.N)
	const z = 1.959963984540054
	root := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	for field, pair := range map[string][2]float64{"low": {*g.Low, max(0, middle-root)}, "high": {*g.High, min(1, middle+root)}} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			j.differ(w.Labels, field, fmt.Sprint(pair[0]), fmt.Sprint(pair[1]))
		}
	}
}

// margin compares the interval of a difference of shares: 1.96 standard errors of
// what is 1 for what counts, -1 for what is taken off and 0 for the rest.
func (j *judgement) margin(g *shown, w *Sample, num, den *big.Rat) {
	if w.Null {
		if g.Low != nil || g.High != nil {
			j.differ(w.Labels, "interval", g.String(), "none")
		}
		return
	}
	if g.Low == nil || g.High == nil {
		j.differ(w.Labels, "interval", g.String(), "low and high")
		return
	}
	n := floatOf(&g.N)
	if thin := strings.Contains(j.warnings, "rests on fewer than 30"); n < 30 && !thin {
		j.differ(w.Labels, "warnings", fmt.Sprintf("%q", j.warnings), "that there are few")
	}
	less, mean := 0.0, quotient(num, den)
	if w.Less != nil {
		less = quotient(new(big.Rat).SetInt(w.Less), den)
	}
	half := 1.96 * math.Sqrt(math.Max(0, mean+2*less-mean*mean)/n)
	unit, _ := scaled(big.NewRat(1, 1), j.q.KPI).Float64()
	for field, pair := range map[string][2]float64{"low": {*g.Low, unit * (mean - half)}, "high": {*g.High, unit * (mean + half)}} {
		if math.Abs(pair[0]-pair[1]) > 1e-9*math.Max(1, unit) {
			j.differ(w.Labels, field, fmt.Sprint(pair[0]), fmt.Sprint(pair[1]))
		}
	}
}
