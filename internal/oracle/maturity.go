package oracle

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
)

// maturity compares how much is said to be in, as of a second, of what is expected of the
// day that the judgement is at.
func (j *judgement) maturity(got json.RawMessage, asOf int64) {
	k, text := j.q.KPI, string(got)
	if k.Maturity == nil || !j.q.Window.IsDay() {
		if got != nil {
			j.differ(nil, "maturity", text, "none")
		}
		return
	}
	if j.complete {
		j.check(nil, "maturity", text, "1")
		return
	}
	least, most, all := j.o.mature(k, max(asOf-j.window.end, 0)*1000, asOf)
	if all.Sign() == 0 {
		j.check(nil, "maturity", text, "null")
		return
	}
	share, err := strconv.ParseFloat(text, 64)
	low, high := quotient(least, all), quotient(most, all)
	if err != nil || share < low-1e-12 || share > high+1e-12 {
		j.differ(nil, "maturity", text, fmt.Sprintf("%v to %v of %s", low, high, all.RatString()))
	}
}

// mature is how many facts became known within an age in ms: at least, if that is known
// of none to more than a hundredth, and at most; and how many there are of the newest
// days that are final as of a second.
func (o *Oracle) mature(k *kpi.KPI, age, asOf int64) (least, most, all *big.Rat) {
	least, most, all = new(big.Rat), new(big.Rat), new(big.Rat)
	rows, limit := o.visible(span{never, asOf}, View{Before: o.Head()}), big.NewRat(age, 1)
	for day, n := o.calendar.before(asOf*1000), 0; n < 28 && o.calendar.start(day+1)*1000 > o.first; day = o.calendar.before(o.calendar.start(day) * 1000) {
		t := o.telling(k, span{o.calendar.start(day), o.calendar.start(day + 1)}, true)
		if t.final > asOf {
			continue
		}
		n++
		for _, f := range o.told(k, t, rows, min(asOf, o.Head())) {
			lag := f.numbers[k.Maturity.Field]
			if lag == nil || !(&row{event: f.event}).passes(k.Maturity.Where) {
				continue
			}
			weight := big.NewRat(f.weight, 1)
			all.Add(all, weight)
			after := new(big.Rat).SetFrac(lag, big.NewInt(kpi.Scale))
			if after.Cmp(greatest) > 0 {
				after = greatest
			}
			if after.Cmp(smallest) < 0 || new(big.Rat).Mul(after, big.NewRat(101, 100)).Cmp(limit) <= 0 {
				least.Add(least, weight)
			}
			if after.Cmp(smallest) < 0 || new(big.Rat).Mul(after, big.NewRat(99, 100)).Cmp(limit) <= 0 {
				most.Add(most, weight)
			}
		}
	}
	return least, most, all
}
